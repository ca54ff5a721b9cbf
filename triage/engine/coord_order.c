/* SPDX-License-Identifier: Apache-2.0 */
/* coord_order.c - the objects of a volume in the order of the disk, as the store has them: read in
 * pages. What the sweep of the image had passed by when a volume's order became known is kept
 * apart: nobody waits for it, and it holds up nobody. */
#include "engine/coord_slots.h"

enum {
  PAGE_OBJECTS = 1024,
  ORDER_OBJECTS = 4 * 1024 * 1024, /* 64 MiB, twice that while they are read */
};

static bool is_in_hand(const VolumeWork *volume, uint64_t seq) {
  return volume->in_hand != NULL && g_hash_table_contains(volume->in_hand, &seq);
}

/* Moves what lies before the ring's first stripe out of the order. */
static void part_behind(const Run *run, VolumeWork *volume) {
  if (!sweep_is_running(run))
    return;
  uint64_t from = sweep_start(run) * RING_STRIPE_BYTES;
  if (volume->behind == NULL)
    volume->behind = g_array_new(FALSE, FALSE, sizeof(WorkPlace));
  for (; volume->order_at < volume->order->len; volume->order_at++) {
    const WorkPlace *place = &g_array_index(volume->order, WorkPlace, volume->order_at);
    if (place->first_byte != 0 && place->first_byte >= from) /* 0: in a table of the file system */
      break;
    if (!is_in_hand(volume, place->seq))
      g_array_append_vals(volume->behind, place, 1);
  }
  if (volume->behind->len == 0)
    g_clear_pointer(&volume->behind, g_array_unref);
}

static bool read_order(Run *run, VolumeWork *volume, GError **error) {
  WorkPlace last = {0};
  bool has_last = volume->order != NULL && volume->order->len > 0;
  if (has_last)
    last = g_array_index(volume->order, WorkPlace, volume->order->len - 1);
  g_clear_pointer(&volume->order, g_array_unref);
  volume->order = store_work_order(run->store, run->evidence, volume->no, has_last ? &last : NULL,
                                   ORDER_OBJECTS, error);
  volume->order_at = 0;
  if (volume->order == NULL)
    return false;
  early_note_in_hand(run, volume);
  part_behind(run, volume);
  return true;
}

static Object *get_object(Run *run, const VolumeWork *volume, uint64_t seq, GError **error) {
  Object *object = store_get_object(run->store, run->evidence, volume->no, seq);
  if (object == NULL)
    triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: the case store lost an object",
                run->probe->name);
  return object;
}

bool order_fill_page(Run *run, VolumeWork *volume, GError **error) {
  if (!g_queue_is_empty(volume->page) || volume->is_exhausted)
    return true;
  slots_ensure_parts(run, volume);
  if (!part_index_read(volume->parts, error))
    return false;
  if (early_fill_from_kept(run, volume)) {
    volume->is_exhausted = true;
    return true;
  }
  if ((volume->order == NULL || volume->order_at == volume->order->len) &&
      !read_order(run, volume, error))
    return false;
  for (guint n = 0; n < PAGE_OBJECTS && volume->order_at < volume->order->len;) {
    const WorkPlace *place = &g_array_index(volume->order, WorkPlace, volume->order_at++);
    if (is_in_hand(volume, place->seq))
      continue;
    n++;
    Object *object = get_object(run, volume, place->seq, error);
    if (object == NULL)
      return false;
    g_queue_push_tail(volume->page, object);
  }
  volume->is_exhausted =
      volume->order_at == volume->order->len && volume->order->len < ORDER_OBJECTS;
  if (volume->is_exhausted) {
    g_clear_pointer(&volume->order, g_array_unref);
    volume->order_at = 0;
  }
  return true;
}

Object *order_take_behind(Run *run, VolumeWork *volume, GError **error) {
  if (!g_queue_is_empty(volume->late))
    return g_queue_pop_head(volume->late);
  if (volume->behind == NULL)
    return NULL;
  uint64_t seq = g_array_index(volume->behind, WorkPlace, volume->behind_at++).seq;
  if (volume->behind_at == volume->behind->len) {
    g_clear_pointer(&volume->behind, g_array_unref);
    volume->behind_at = 0;
  }
  return get_object(run, volume, seq, error);
}

bool order_has_more(const VolumeWork *volume) {
  return !volume->is_exhausted || !g_queue_is_empty(volume->page) ||
         !g_queue_is_empty(volume->late) || volume->behind != NULL;
}
