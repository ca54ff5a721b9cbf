/* SPDX-License-Identifier: Apache-2.0 */
/* worker_sweep.c - the sweep of an image in a container of chunks: one process takes stripes of the
 * media out of it, another one computes the digests of what it finds there, and those that examine
 * objects read there what they would have to take out once more. The one with the digests opens no
 * evidence and parses nothing; no process can change what another one has made of a stripe. */
#include "engine/worker.h"

static GVariant *pack_damage(GArray *known, const GArray *met) {
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE(PROTO_DAMAGE));
  const GArray *lists[] = {known, met};
  for (gsize k = 0; k < G_N_ELEMENTS(lists); k++)
    for (guint i = 0; lists[k] != NULL && i < lists[k]->len; i++) {
      const Damage *damage = &g_array_index(lists[k], Damage, i);
      g_variant_builder_add(&builder, "(tty)", damage->offset, damage->length,
                            (guchar)damage->reason);
    }
  return g_variant_builder_end(&builder);
}

void worker_inflate(Worker *worker, GVariant *job) {
  uint64_t stripe, offset, size = worker->image != NULL ? image_size(worker->image) : 0;
  g_variant_get(job, "(t)", &stripe);
  if (!g_uint64_checked_mul(&offset, stripe, RING_STRIPE_BYTES) || offset >= size)
    return;
  worker_test_fault(worker, "(sweep)");
  /* What is known before anything is read is told with the first stripe, by whoever has that. */
  g_autoptr(GArray) known = stripe == 0 ? g_array_copy(image_damage_all(worker->image)) : NULL;
  image_damage_reset(worker->image);
  image_read_passing(worker->image, offset, ring_place(&worker->ring, stripe),
                     (size_t)MIN(RING_STRIPE_BYTES, size - offset));
  GArray *met = image_damage(worker->image);
  worker_tell_chunks(worker);
  worker_send(
      worker, MSG_INFLATED,
      g_variant_new("(b@" PROTO_DAMAGE ")", (gboolean)(met->len == 0), pack_damage(known, met)));
}

static void take_damage(Worker *worker, GVariantIter *iter) {
  Damage damage;
  guchar reason;
  if (worker->damage.ranges == NULL)
    damage_list_init(&worker->damage);
  while (g_variant_iter_next(iter, "(tty)", &damage.offset, &damage.length, &reason))
    damage_list_add(&worker->damage, damage.offset, damage.length, (TriageReason)reason);
}

void worker_hash(Worker *worker, GVariant *job) {
  uint32_t set;
  uint64_t stripe, n;
  gboolean is_last;
  GVariantIter *damage;
  g_variant_get(job, "(uttb" PROTO_DAMAGE ")", &set, &stripe, &n, &is_last, &damage);
  take_damage(worker, damage);
  g_variant_iter_free(damage);
  if (n > RING_STRIPE_BYTES)
    return;
  worker_test_fault(worker, "(hash)");
  if (worker->digester == NULL)
    worker->digester = digester_new((DigestSet)(set & DIGEST_ALL));
  digester_update(worker->digester, ring_place(&worker->ring, stripe), (size_t)n);
  if (!is_last) {
    worker_send(worker, MSG_DONE, g_variant_new("(b)", TRUE));
    return;
  }
  Digests digests;
  digester_finish(worker->digester, &digests);
  g_clear_pointer(&worker->digester, digester_free);
  worker_send_digests(worker, &digests, damage_list_get(&worker->damage));
}

static bool copy_shared(void *user, uint64_t offset, uint8_t *buffer, size_t n) {
  const Worker *worker = user;
  __atomic_store_n(&worker->cell->stripe, offset / RING_STRIPE_BYTES + 1, __ATOMIC_RELAXED);
  return ring_copy(&worker->ring, offset, buffer, n);
}

void worker_use_ring(Worker *worker) {
  if (worker->ring.bytes != NULL)
    image_use_shared(worker->image, copy_shared, worker);
}
