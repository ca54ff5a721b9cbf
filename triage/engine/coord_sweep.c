/* SPDX-License-Identifier: Apache-2.0 */
/* coord_sweep.c - an image whose container is slow to unpack is swept once: stripe by stripe it is
 * inflated into a ring of shared windows, goes from there into the digests, and the objects are
 * handed out as soon as their bytes are there. So no chunk is inflated both for the digests and for
 * the objects. Slots use the processes that inflate and the one with the digests in turn, so that
 * as many processes work as there are slots. A window is written again when its stripe is in the
 * digests and no object that begins in it is left; who is late all the same, as with an object
 * larger than the ring, reads the container itself.
 *
 * Processes that parse volumes and files can only read the ring. Should one of the sweep's
 * processes be lost, the digests are computed the other way, by one worker that reads everything
 * again. */
#include "engine/coord_case.h"
#include "engine/coord_slots.h"
#include <fcntl.h>
#include <unistd.h>

enum {
  AHEAD = 2,                    /* stripes inflated and not yet in the digests, before objects */
  PATIENCE = G_USEC_PER_SEC / 2 /* for an object that begins in a window to be written again */
};

typedef struct {
  bool is_there; /* the stripe is inflated; the stripe: the last one that belongs here */
  GVariant *damage;
} Window;

struct _Sweep {
  int write_fd, read_fd;
  Ring ring;
  uint64_t n_stripes;
  uint64_t next_inflate; /* the first that nobody has begun with */
  uint64_t n_there;      /* all before it are inflated */
  uint64_t next_hash;
  bool is_hashing;
  Process *digester; /* while it is idle; NULL: none yet */
  GPtrArray *idle;   /* Process*: those that inflate and wait for work */
  guint n_inflaters; /* idle or not */
  Window windows[RING_WINDOWS_MAX];
};

static Window *window_of(Sweep *sweep, uint64_t stripe) {
  return &sweep->windows[stripe % sweep->ring.n_windows];
}

void sweep_free(Sweep *sweep) {
  if (sweep == NULL)
    return;
  process_free(sweep->digester);
  g_ptr_array_unref(sweep->idle);
  for (guint i = 0; i < G_N_ELEMENTS(sweep->windows); i++)
    g_clear_pointer(&sweep->windows[i].damage, g_variant_unref);
  ring_unmap(&sweep->ring);
  if (sweep->write_fd >= 0)
    close(sweep->write_fd);
  if (sweep->read_fd >= 0)
    close(sweep->read_fd);
  g_free(sweep);
}

/* Makes the ring; workers get it by a descriptor that nobody can write through. */
static bool make_ring(Sweep *sweep, guint n_slots) {
  uint64_t n_windows = MIN(sweep->n_stripes, 4 * (uint64_t)n_slots + 4);
  sweep->write_fd = ring_create((uint32_t)MIN(n_windows, RING_WINDOWS_MAX));
  if (sweep->write_fd < 0)
    return false;
  g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", sweep->write_fd);
  sweep->read_fd = open(name, O_RDONLY | O_CLOEXEC);
  return sweep->read_fd >= 0 && ring_map(&sweep->ring, sweep->write_fd, RING_STATE);
}

void sweep_plan(Run *run) {
  const Probe *probe = run->probe;
  if (run->digest_state != DIGEST_WANTED || run->is_split || probe->media_bytes == 0 ||
      g_strcmp0(probe->format, "ewf") != 0)
    return;
  Sweep *sweep = g_new0(Sweep, 1);
  sweep->write_fd = sweep->read_fd = -1;
  sweep->idle = g_ptr_array_new_with_free_func((GDestroyNotify)process_free);
  sweep->n_stripes = (probe->media_bytes - 1) / RING_STRIPE_BYTES + 1;
  if (!make_ring(sweep, (guint)run->options->jobs)) {
    sweep_free(sweep); /* no shared memory, or no /proc: the way without works, too */
    return;
  }
  run->sweep = sweep;
  run->digest_state = DIGEST_BUSY;
}

guint sweep_slots(const Run *run) {
  return run->sweep != NULL && run->options->jobs > 1 ? 1 : 0;
}

const int *sweep_ring(const Run *run) {
  return run->sweep != NULL ? &run->sweep->read_fd : NULL;
}

bool sweep_is_running(const Run *run) {
  return run->sweep != NULL && run->sweep->n_there < run->sweep->n_stripes;
}

uint64_t sweep_start(const Run *run) {
  const Sweep *sweep = run->sweep;
  return sweep->next_inflate - MIN(sweep->next_inflate, sweep->ring.n_windows);
}

uint64_t sweep_stripe(const Run *run, const Object *object) {
  uint64_t stripe = object->first_byte / RING_STRIPE_BYTES;
  if (!sweep_is_running(run) || object->first_byte == 0 || stripe >= run->sweep->n_stripes ||
      stripe < sweep_start(run))
    return UINT64_MAX;
  return stripe;
}

/* While a volume is listed the sweep does not go beyond the ring: what it passed by would be
 * inflated once more for objects that are not known yet. Those that are known do not wait for it.
 */
static bool is_held(const Run *run) {
  for (guint i = 0; i < run->volumes->len; i++) {
    const VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state == VOLUME_PENDING || volume->state == VOLUME_BUSY)
      return true;
  }
  return false;
}

bool sweep_has(const Run *run, const Object *object) {
  const Sweep *sweep = run->sweep;
  if (sweep == NULL || is_held(run))
    return true;
  uint64_t stripe = sweep_stripe(run, object), end;
  if (stripe == UINT64_MAX || !g_uint64_checked_add(&end, object->first_byte, object->size))
    return true;
  uint64_t last = MIN(end / RING_STRIPE_BYTES, stripe + sweep->ring.n_windows - 1);
  return MIN(last, sweep->n_stripes - 1) < sweep->n_there;
}

/* The slot works with one of the sweep's processes until that has answered. */
static void lend(Slot *slot, Process *process, JobKind job, uint64_t stripe) {
  slot->parked = slot->process;
  slot->process = process;
  slot->job = job;
  slot->stripe = stripe;
}

static Process *take_back(Slot *slot) {
  Process *process = slot->process;
  slot->process = g_steal_pointer(&slot->parked);
  slot->job = JOB_NONE;
  return process;
}

static Process *start(const Run *run, const char *role, const int *ring_fd) {
  ProcessSetup setup = {.role = role,
                        .evidence = run->probe->path,
                        .options = run->options,
                        .spool_fd = -1,
                        .ring_fd = ring_fd};
  return process_new(&setup, NULL);
}

static void give_hash(Run *run, Slot *slot, bool *gave) {
  Sweep *sweep = run->sweep;
  if (sweep->digester == NULL)
    sweep->digester = start(run, "digest", &sweep->read_fd);
  if (sweep->digester == NULL) {
    sweep_give_up(run);
    return;
  }
  uint64_t stripe = sweep->next_hash;
  bool is_last = stripe + 1 == sweep->n_stripes;
  uint64_t bytes =
      is_last ? run->probe->media_bytes - stripe * RING_STRIPE_BYTES : RING_STRIPE_BYTES;
  lend(slot, g_steal_pointer(&sweep->digester), JOB_HASH, stripe);
  sweep->is_hashing = true;
  g_clear_pointer(&slot->gaps, g_ptr_array_unref);
  slot->gaps = g_ptr_array_new_with_free_func((GDestroyNotify)stored_gap_free);
  process_send(slot->process, MSG_HASH,
               g_variant_new("(uttb@" PROTO_DAMAGE ")",
                             (guint32)case_digest_set(run->options, run->probe), stripe, bytes,
                             (gboolean)is_last, window_of(sweep, stripe)->damage),
               NULL);
  *gave = true;
}

/* The first stripe that a slot's job still reads, as far as can be told: of its last object the
 * worker says where it is, so that one larger than the ring does not hold it up. */
static uint64_t needs_from(const Slot *slot) {
  const WorkerCell *cell = slot->process->cell;
  bool is_last = __atomic_load_n(&cell->place, __ATOMIC_ACQUIRE) >= slot->handed;
  uint64_t at = __atomic_load_n(&cell->stripe, __ATOMIC_RELAXED);
  return is_last && at > 0 ? MAX(at - 1, slot->stripe) : slot->stripe;
}

/* Nobody needs what the window of the next stripe holds. */
static bool is_free(const Run *run, const Object *head) {
  const Sweep *sweep = run->sweep;
  if (sweep->next_inflate < sweep->ring.n_windows)
    return true;
  if (is_held(run))
    return false;
  uint64_t old = sweep->next_inflate - sweep->ring.n_windows;
  if (old >= sweep->next_hash || (head != NULL && sweep_stripe(run, head) <= old))
    return false;
  gint64 now = g_get_monotonic_time();
  for (guint i = 0; i < run->n_slots; i++) {
    const Slot *slot = &run->slots[i];
    if (slot->job == JOB_SCAN && needs_from(slot) <= old && now - slot->begun < PATIENCE)
      return false;
  }
  return true;
}

void sweep_give_stripe(Run *run, Slot *slot, const Object *head, bool *gave) {
  Sweep *sweep = run->sweep;
  if (sweep == NULL || sweep->next_inflate >= sweep->n_stripes || !is_free(run, head))
    return;
  Process *inflater;
  if (sweep->idle->len > 0) {
    inflater = g_ptr_array_steal_index(sweep->idle, sweep->idle->len - 1);
  } else if (sweep->n_inflaters >= (run->n_slots + 1) / 2) {
    return; /* starting one costs more than it would bring: the digests are slower */
  } else if ((inflater = start(run, "sweep", &sweep->write_fd)) != NULL) {
    sweep->n_inflaters++;
  } else {
    sweep_give_up(run);
    return;
  }
  uint64_t stripe = sweep->next_inflate++;
  ring_clear(&sweep->ring, stripe);
  window_of(sweep, stripe)->is_there = false;
  lend(slot, inflater, JOB_INFLATE, stripe);
  process_send(slot->process, MSG_INFLATE, g_variant_new("(t)", stripe), NULL);
  *gave = true;
}

void sweep_give(Run *run, Slot *slot, const Object *head, bool *gave) {
  const Sweep *sweep = run->sweep;
  if (sweep == NULL)
    return;
  if (!sweep->is_hashing && sweep->next_hash < sweep->n_there)
    give_hash(run, slot, gave);
  else if (sweep->next_inflate - sweep->next_hash < AHEAD)
    sweep_give_stripe(run, slot, head, gave);
}

static void take_inflated(Run *run, Slot *slot, GVariant *message) {
  Sweep *sweep = run->sweep;
  Window *window = window_of(sweep, slot->stripe);
  gboolean is_sound;
  g_clear_pointer(&window->damage, g_variant_unref);
  g_variant_get(message, "(b@" PROTO_DAMAGE ")", &is_sound, &window->damage);
  window->is_there = true;
  /* What is damaged is met by whoever reads it, as without a sweep. */
  if (is_sound)
    ring_put(&sweep->ring, slot->stripe);
  while (sweep->n_there < sweep->next_inflate && window_of(sweep, sweep->n_there)->is_there)
    sweep->n_there++;
  g_ptr_array_add(sweep->idle, take_back(slot));
}

/* All stripes are in the digests; the ring still holds the last ones. */
static void end_processes(Run *run) {
  g_ptr_array_set_size(run->sweep->idle, 0);
  g_clear_pointer(&run->sweep->digester, process_free);
}

static bool take_hashed(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error) {
  Sweep *sweep = run->sweep;
  bool is_last = sweep->next_hash + 1 == sweep->n_stripes;
  if (is_last && !slot_take_digest(run, slot, type, message, error))
    return false;
  if (is_last && slot->job != JOB_NONE)
    return true; /* a gap: more follows */
  if (!is_last && type != MSG_DONE)
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong answer");
  g_clear_pointer(&window_of(sweep, sweep->next_hash)->damage, g_variant_unref);
  sweep->next_hash++;
  sweep->is_hashing = false;
  sweep->digester = take_back(slot);
  if (is_last)
    end_processes(run);
  return true;
}

bool sweep_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error) {
  Process *process = slot->process;
  if (type == MSG_ERROR)
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker cannot open the evidence");
  if (!process->is_ready) {
    /* The one with the digests opens no evidence. */
    process->is_ready = type == (slot->job == JOB_HASH ? MSG_SANDBOX : MSG_EVIDENCE);
    return true;
  }
  process->is_fresh = false;
  if (slot->job == JOB_HASH)
    return take_hashed(run, slot, type, message, error);
  if (type == MSG_CHUNKS)
    slot_take_chunks(run, slot, message);
  else if (type == MSG_INFLATED)
    take_inflated(run, slot, message);
  else
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong answer");
  return true;
}

void sweep_give_up(Run *run) {
  Sweep *sweep = run->sweep;
  for (guint i = 0; i < run->n_slots; i++) {
    Slot *slot = &run->slots[i];
    if (slot->job != JOB_INFLATE && slot->job != JOB_HASH)
      continue;
    process_free(take_back(slot));
    slot->deadline = 0;
  }
  end_processes(run);
  for (guint i = 0; i < sweep->ring.n_windows; i++)
    ring_clear(&sweep->ring, i);
  sweep->n_stripes = sweep->next_inflate = sweep->n_there = sweep->next_hash = 0;
  sweep->is_hashing = false;
  run->digest_state = DIGEST_WANTED;
}
