/* SPDX-License-Identifier: Apache-2.0 */
/* coord_early.c - objects examined while the walk of their volume still runs, so that nobody waits
 * for the one worker that lists it. They go out in groups, each in the order of the disk; what does
 * not fit into the group at hand is kept, and left to the store where it is too much. The walk's
 * end makes them objects like all others; where it starts again, nothing of them counts. */
#include "base/keyhash.h"
#include "engine/coord_slots.h"

enum {
  GROUP_OBJECTS = 4096,
  KEPT_OBJECTS_MAX = 100000 /* some 45 MiB */
};

/* Hands the job of a slot to nobody: its worker is ended with it. */
static void drop_job(Slot *slot) {
  g_clear_pointer(&slot->process, process_free);
  object_buffer_clear(&slot->current);
  for (Object *object; (object = g_queue_pop_head(slot->batch)) != NULL;)
    object_free(object);
  slot->job = JOB_NONE;
  slot->deadline = 0;
}

static void drop_retries(Run *run, const VolumeWork *volume) {
  for (GList *item = run->retry->head, *next; item != NULL; item = next) {
    RetryObject *retry = item->data;
    next = item->next;
    if (retry->volume != volume)
      continue;
    object_free(retry->object);
    g_free(retry);
    g_queue_delete_link(run->retry, item);
  }
}

void early_begin(Run *run, VolumeWork *volume) {
  for (guint i = 0; i < run->n_slots; i++)
    if (run->slots[i].job == JOB_SCAN && run->slots[i].volume == volume)
      drop_job(&run->slots[i]);
  drop_retries(run, volume);
  g_queue_clear_full(volume->page, (GDestroyNotify)object_free);
  g_queue_clear_full(volume->late, (GDestroyNotify)object_free);
  volume->n_returned = 0;
  g_ptr_array_set_size(volume->early, 0);
  g_clear_pointer(&volume->kept, g_ptr_array_unref);
  if (!run->is_split) /* a shard's part is known to the store alone */
    volume->kept = g_ptr_array_new_with_free_func((GDestroyNotify)object_free);
  g_clear_pointer(&volume->parts, part_index_free);
  run->progress.objects_total -= volume->max_seq;
  run->progress.bytes_total -= volume->bytes;
  volume->bytes = 0;
  run->progress.objects -= volume->examined_early.objects;
  run->progress.bytes -= volume->examined_early.bytes;
  run->progress.hits -= volume->examined_early.hits;
  volume->examined_early.objects = volume->examined_early.bytes = volume->examined_early.hits = 0;
  /* Where a place has cost a worker its life it may cost another; a shard's part is known only at
   * the end. */
  volume->is_early = run->n_slots > 1 && !run->is_split && !volume->is_careful;
  slots_ensure_parts(run, volume);
}

static gint by_place(gconstpointer a, gconstpointer b) {
  const Object *x = *(const Object *const *)a, *y = *(const Object *const *)b;
  if (x->first_byte != y->first_byte)
    return x->first_byte < y->first_byte ? -1 : 1;
  return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void keep(VolumeWork *volume, Object *object) {
  if (volume->kept != NULL && volume->kept->len < KEPT_OBJECTS_MAX) {
    g_ptr_array_add(volume->kept, object);
    return;
  }
  object_free(object);
  g_clear_pointer(&volume->kept, g_ptr_array_unref);
}

void early_take(VolumeWork *volume, const Object *object) {
  bool is_part = part_index_add(volume->parts, object);
  bool has_room = volume->is_early && volume->early->len < GROUP_OBJECTS && !is_part;
  if ((object->flags & OBJECT_NO_CONTENT) != 0 || (!has_room && volume->kept == NULL))
    return;
  Object *copy = g_memdup2(object, sizeof *object);
  copy->name = object->name != NULL ? g_bytes_ref(object->name) : NULL;
  copy->attr_name = object->attr_name != NULL ? g_bytes_ref(object->attr_name) : NULL;
  if (has_room)
    g_ptr_array_add(volume->early, copy);
  else
    keep(volume, copy);
}

void early_fill_page(VolumeWork *volume) {
  if (!g_queue_is_empty(volume->page) || volume->early->len < GROUP_OBJECTS)
    return;
  g_ptr_array_sort(volume->early, by_place);
  gsize n;
  g_autofree gpointer *group = g_ptr_array_steal(volume->early, &n);
  for (gsize i = 0; i < n; i++)
    g_queue_push_tail(volume->page, group[i]);
}

void early_end(VolumeWork *volume) {
  volume->is_early = false;
  gsize n;
  g_autofree gpointer *group = g_ptr_array_steal(volume->early, &n);
  for (gsize i = 0; i < n; i++)
    keep(volume, group[i]);
  while (volume->page->length > volume->n_returned)
    keep(volume, g_queue_pop_tail(volume->page));
}

bool early_fill_from_kept(const Run *run, VolumeWork *volume) {
  if (volume->kept == NULL)
    return false;
  g_ptr_array_sort(volume->kept, by_place);
  gsize n;
  g_autofree gpointer *all = g_ptr_array_steal(volume->kept, &n);
  bool is_running = sweep_is_running(run);
  uint64_t from = is_running ? sweep_start(run) * RING_STRIPE_BYTES : 0;
  for (gsize i = 0; i < n; i++) {
    uint64_t first = ((const Object *)all[i])->first_byte;
    bool is_late = is_running && (first == 0 || first < from); /* 0: in a table */
    g_queue_push_tail(is_late ? volume->late : volume->page, all[i]);
  }
  g_clear_pointer(&volume->kept, g_ptr_array_unref);
  return true;
}

static void note(VolumeWork *volume, const Object *object) {
  g_hash_table_add(volume->in_hand, g_memdup2(&object->seq, sizeof object->seq));
}

void early_note_in_hand(const Run *run, VolumeWork *volume) {
  g_clear_pointer(&volume->in_hand, g_hash_table_unref);
  volume->in_hand = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  for (GList *item = volume->page->head; item != NULL; item = item->next)
    note(volume, item->data);
  for (GList *item = run->retry->head; item != NULL; item = item->next) {
    const RetryObject *retry = item->data;
    if (retry->volume == volume)
      note(volume, retry->object);
  }
  for (guint i = 0; i < run->n_slots; i++) {
    const Slot *slot = &run->slots[i];
    if (slot->job != JOB_SCAN || slot->volume != volume)
      continue;
    if (slot->current.object != NULL)
      note(volume, slot->current.object);
    for (GList *item = slot->batch->head; item != NULL; item = item->next)
      note(volume, item->data);
  }
}

void early_count(VolumeWork *volume, const Object *object, uint64_t hits) {
  if (volume->state == VOLUME_READY)
    return;
  volume->examined_early.objects++;
  volume->examined_early.bytes += object->size;
  volume->examined_early.hits += hits;
}
