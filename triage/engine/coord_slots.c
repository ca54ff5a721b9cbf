/* SPDX-License-Identifier: Apache-2.0 */
/* coord_slots.c - work handed to workers in the order of the disk, and what happens when one is
 * lost: the object is tried once more, alone in a fresh worker, then written off with the reason.
 */
#include "engine/coord_slots.h"
#include "base/limits.h"
#include "engine/coord_case.h"
#include "store/store_shard.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BATCH_OBJECTS = 64, START_FAILURES_MAX = 3 };
#define BATCH_BYTES (8 * MIB)

/* Room for large content: a file without a name in the case directory, gone with its worker. */
static int open_spool(const char *dir) {
  int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    return fd;
  g_autofree char *path = g_build_filename(dir, ".spool-XXXXXX", NULL);
  fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    unlink(path);
  return fd;
}

bool slot_ensure_process(Run *run, Slot *slot, GError **error) {
  if (slot->process != NULL)
    return true;
  if (slot->start_failures >= START_FAILURES_MAX) {
    run->is_evidence_lost = true;
    return triage_fail(error, TRIAGE_REASON_INTERNAL,
                       "%s: %u workers in a row were lost before they could begin; run again with "
                       "--resume when the machine is in order",
                       run->probe->name, slot->start_failures);
  }
  ProcessSetup setup = {.role = "examine",
                        .evidence = run->probe->path,
                        .rules = run->rules,
                        .passwords = run->passwords,
                        .options = run->options,
                        .care = run->probe->care,
                        .known = run->known,
                        .spool_fd = open_spool(run->options->output),
                        .ring_fd = sweep_ring(run)};
  slot->process = process_new(&setup, error);
  slot_set_deadline(run, slot);
  return slot->process != NULL;
}

void slot_clear(Slot *slot) {
  g_clear_pointer(&slot->process, process_free);
  g_clear_pointer(&slot->parked, process_free);
  object_buffer_clear(&slot->current);
  g_clear_pointer(&slot->current.messages, g_ptr_array_unref);
  g_clear_pointer(&slot->current.types, g_array_unref);
  if (slot->batch != NULL)
    g_queue_free_full(slot->batch, (GDestroyNotify)object_free);
  slot->batch = NULL;
  g_clear_pointer(&slot->gaps, g_ptr_array_unref);
}

void slot_set_deadline(Run *run, Slot *slot) {
  gint64 seconds = run->options->timeout_seconds;
  gint64 from = g_get_monotonic_time();
  if (slot->job == JOB_SCAN && slot->process != NULL && slot->process->is_ready) {
    from = slot->begun;
    seconds += (gint64)(slot->work / LIMIT_BYTES_PER_SECOND);
  } else if (slot->job == JOB_NONE && slot->process != NULL && slot->process->is_ready) {
    slot->deadline = 0; /* idle */
    return;
  }
  slot->deadline = from + seconds * G_USEC_PER_SEC;
}

/* The worker is at the object at a place of its job: only later places count, so that one that has
 * been captured cannot win time for ever. */
static void reach(Slot *slot, guint place, const Object *object) {
  if (place <= slot->reached)
    return;
  slot->reached = place;
  slot->begun = g_get_monotonic_time();
  slot->work = object->size;
}

/* How many of the job's objects are told of: all are in batch from the next on. */
static guint told_of(const Slot *slot) {
  return slot->handed - slot->batch->length;
}

/* The object not yet told of that the worker is at, as it says itself; NULL: none. */
static Object *object_at_cell(const Slot *slot, guint *place) {
  if (slot->process == NULL || slot->job != JOB_SCAN)
    return NULL;
  uint64_t at = __atomic_load_n(&slot->process->cell->place, __ATOMIC_ACQUIRE);
  if (at <= told_of(slot) || at > slot->handed)
    return NULL;
  *place = (guint)at;
  return g_queue_peek_nth(slot->batch, *place - 1 - told_of(slot));
}

void slot_look(Run *run, Slot *slot) {
  guint place;
  const Object *object = object_at_cell(slot, &place);
  if (object == NULL)
    return;
  reach(slot, place, object);
  slot_set_deadline(run, slot);
}

Object *slot_begin(Slot *slot, uint64_t seq) {
  const Object *next = g_queue_peek_head(slot->batch);
  if (next == NULL || next->seq != seq)
    return NULL;
  Object *object = g_queue_pop_head(slot->batch);
  reach(slot, told_of(slot), object);
  return object;
}

void slots_ensure_parts(Run *run, VolumeWork *volume) {
  if (volume->parts == NULL)
    volume->parts = part_index_new(run->store, run->evidence, volume->no,
                                   strcmp(run->probe->kind, "directory") == 0);
}

static void hand_out(const Run *run, Slot *slot) {
  g_assert(slot->process != NULL); /* slot_give_work has seen to it */
  g_autoptr(GPtrArray) objects = g_ptr_array_sized_new(slot->batch->length);
  for (GList *item = slot->batch->head; item != NULL; item = item->next)
    g_ptr_array_add(objects, item->data);
  slot->job = JOB_SCAN;
  slot->stripe = sweep_stripe(run, objects->pdata[0]);
  slot->handed = objects->len;
  slot->reached = 0;
  slot->begun = g_get_monotonic_time();
  slot->work = 0;
  __atomic_store_n(&slot->process->cell->stripe, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->process->cell->place, 0, __ATOMIC_RELEASE);
  process_send(slot->process, MSG_SCAN, part_index_jobs(slot->volume->parts, objects), NULL);
}

/* The next object that may be handed out now, in its place: NULL where there is none. */
static Object *next_of_page(const Run *run, const VolumeWork *volume) {
  Object *object = g_queue_peek_head(volume->page);
  return object != NULL && sweep_has(run, object) ? object : NULL;
}

static bool is_full(const Slot *slot, guint most, uint64_t bytes, const Object *next) {
  return slot->batch->length > 0 &&
         (slot->batch->length >= most || bytes + next->size > BATCH_BYTES);
}

static void give_batch(Run *run, Slot *slot, VolumeWork *volume, bool *gave) {
  uint64_t bytes = 0;
  guint most = volume->n_returned > 0 ? 1 : BATCH_OBJECTS;
  for (Object *object; (object = next_of_page(run, volume)) != NULL;) {
    if (is_full(slot, most, bytes, object))
      break;
    bytes += MIN(object->size, LIMIT_OBJECT_BYTES);
    g_queue_push_tail(slot->batch, g_queue_pop_head(volume->page));
  }
  if (g_queue_is_empty(slot->batch))
    return;
  volume->n_returned -= MIN(volume->n_returned, slot->batch->length);
  *gave = true;
  slot->volume = volume;
  hand_out(run, slot);
}

/* Some of what the sweep has passed by. */
static bool give_behind(Run *run, Slot *slot, VolumeWork *volume, bool *gave, GError **error) {
  GError *problem = NULL;
  uint64_t bytes = 0;
  while (slot->batch->length < BATCH_OBJECTS && bytes < BATCH_BYTES) {
    Object *object = order_take_behind(run, volume, &problem);
    if (object == NULL)
      break;
    bytes += MIN(object->size, LIMIT_OBJECT_BYTES);
    g_queue_push_tail(slot->batch, object);
  }
  if (problem != NULL) {
    g_propagate_error(error, problem);
    return false;
  }
  if (g_queue_is_empty(slot->batch))
    return true;
  *gave = true;
  slot->volume = volume;
  hand_out(run, slot);
  return true;
}

/* The first volume that has objects to be handed out, all of which are known; NULL: none. */
static bool find_volume(Run *run, VolumeWork **found, GError **error) {
  *found = NULL;
  for (guint i = 0; *found == NULL && i < run->volumes->len; i++) {
    VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state != VOLUME_READY)
      continue;
    if (!order_fill_page(run, volume, error))
      return false;
    if (!g_queue_is_empty(volume->page))
      *found = volume;
  }
  return true;
}

static bool give_objects(Run *run, Slot *slot, bool *gave, GError **error) {
  VolumeWork *next;
  if (!find_volume(run, &next, error))
    return false;
  const Object *head = next != NULL ? g_queue_peek_head(next->page) : NULL;
  bool is_job = !slot->is_for_sweep;
  /* Where all slots sweep, a little ahead of the objects: parts of some lie further on. */
  if (sweep_slots(run) == 0)
    sweep_give(run, slot, head, gave);
  if (!*gave && next != NULL && is_job)
    give_batch(run, slot, next, gave);
  if (!*gave && sweep_slots(run) > 0)
    sweep_give(run, slot, head, gave);
  if (!*gave)
    sweep_give_stripe(run, slot, head, gave);
  bool ok = true;
  for (guint i = 0; is_job && ok && !*gave && i < run->volumes->len; i++) {
    VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state == VOLUME_BUSY) {
      early_fill_page(volume);
      give_batch(run, slot, volume, gave);
    } else if (volume->state == VOLUME_READY) {
      ok = give_behind(run, slot, volume, gave, error);
    }
  }
  return ok;
}

static bool give_retry(Run *run, Slot *slot, bool *gave, GError **error) {
  RetryObject *retry = g_queue_peek_head(run->retry);
  if (retry == NULL)
    return true;
  if (!slot->process->is_fresh) {
    g_clear_pointer(&slot->process, process_free);
    if (!slot_ensure_process(run, slot, error))
      return false;
  }
  g_queue_pop_head(run->retry);
  g_queue_push_tail(slot->batch, retry->object);
  slot->volume = retry->volume;
  slot->is_retry = true;
  *gave = true;
  g_free(retry);
  hand_out(run, slot);
  return true;
}

static bool give_digest(Run *run, Slot *slot, bool *gave) {
  run->digest_state = DIGEST_BUSY;
  slot->job = JOB_DIGEST;
  g_clear_pointer(&slot->gaps, g_ptr_array_unref);
  slot->gaps = g_ptr_array_new_with_free_func((GDestroyNotify)stored_gap_free);
  *gave = true;
  process_send(slot->process, MSG_DIGEST,
               g_variant_new("(u)", (guint32)case_digest_set(run->options, run->probe)), NULL);
  return true;
}

bool slot_give_work(Run *run, Slot *slot, bool *gave, GError **error) {
  *gave = false;
  slot->is_retry = false;
  if (!slots_have_work(run))
    return true;
  if (slot->is_for_sweep) {
    if (run->sweep != NULL && !give_objects(run, slot, gave, error))
      return false;
    if (*gave)
      slot_set_deadline(run, slot);
    return true;
  }
  if (!slot_ensure_process(run, slot, error))
    return false;
  bool ok = give_retry(run, slot, gave, error);
  if (ok && !*gave && run->digest_state == DIGEST_WANTED)
    ok = give_digest(run, slot, gave);
  for (guint i = 0; ok && !*gave && i < run->volumes->len; i++) {
    VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state == VOLUME_PENDING) {
      *gave = true;
      ok = enumerate_start(run, slot, volume, error);
    }
  }
  if (ok && !*gave)
    ok = give_objects(run, slot, gave, error);
  if (*gave)
    slot_set_deadline(run, slot);
  return ok;
}

bool slots_have_work(const Run *run) {
  if (!g_queue_is_empty(run->retry) || run->digest_state == DIGEST_WANTED ||
      run->digest_state == DIGEST_BUSY)
    return true;
  for (guint i = 0; i < run->volumes->len; i++) {
    const VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state != VOLUME_READY || order_has_more(volume))
      return true;
  }
  for (guint i = 0; i < run->n_slots; i++)
    if (run->slots[i].job != JOB_NONE)
      return true;
  return false;
}

/* What was handed out and not begun goes back to the front, in its order. */
static void return_batch(Slot *slot) {
  for (Object *object; (object = g_queue_pop_tail(slot->batch)) != NULL;)
    g_queue_push_head(slot->volume->page, object);
}

/* Takes the object that is to blame out of the slot: the one the worker was at. Where that is not
 * known, the one it told of last, else the first of the batch. */
static Object *take_blamed(Slot *slot) {
  guint place;
  Object *blamed = object_at_cell(slot, &place);
  if (blamed == NULL) {
    blamed = g_steal_pointer(&slot->current.object);
    return blamed != NULL ? blamed : g_queue_pop_head(slot->batch);
  }
  g_queue_remove(slot->batch, blamed);
  if (slot->current.object != NULL) /* done, but its end was not sent any more: once again */
    g_queue_push_head(slot->batch, g_steal_pointer(&slot->current.object));
  object_buffer_clear(&slot->current);
  return blamed;
}

static bool lose_object(Run *run, Slot *slot, Object *object, TriageReason reason,
                        const char *detail, GError **error) {
  /* Each by itself from now on: who was to blame is the worker's word, and it may have lied. */
  slot->volume->n_returned += slot->batch->length;
  return_batch(slot);
  if (object == NULL)
    return true;
  if (slot->is_retry) {
    slot->current.object = object;
    return scan_commit(run, slot, &reason, detail, error);
  }
  object_buffer_clear(&slot->current);
  RetryObject *retry = g_new0(RetryObject, 1);
  retry->object = object;
  retry->volume = slot->volume;
  g_queue_push_tail(run->retry, retry);
  run->retries++;
  return true;
}

static void lose_digest(Run *run, Slot *slot, TriageReason reason, const char *detail) {
  if (++run->digest_attempts < 2) {
    run->digest_state = DIGEST_WANTED;
    return;
  }
  run->digest_state = DIGEST_DONE;
  g_autofree char *text =
      g_strdup_printf("the digest of the whole media could not be computed: %s", detail);
  Gap gap = {
      .seq = GAP_NO_OBJECT, .size = run->probe->media_bytes, .reason = reason, .detail = text};
  g_ptr_array_add(run->digest_gaps, stored_gap_new(&gap, ""));
  (void)slot;
}

bool slot_lost(Run *run, Slot *slot, TriageReason reason, const char *detail, GError **error) {
  JobKind job = slot->job;
  bool was_ready = slot->process == NULL || slot->process->is_ready;
  static const char *const JOBS[] = {"none",    "listing",   "examining",
                                     "hashing", "inflating", "hashing"};
  Object *blamed = job == JOB_SCAN && was_ready ? take_blamed(slot) : NULL;
  if (!run_log_lost(run, JOBS[job], blamed, reason, detail, error)) {
    object_free(blamed);
    return false;
  }
  if (job == JOB_INFLATE || job == JOB_HASH) {
    sweep_give_up(run);
    return true;
  }
  g_clear_pointer(&slot->process, process_free);
  slot->job = JOB_NONE;
  slot->deadline = 0;
  if (!was_ready) {
    /* It never got to its job: give the job back, and count. */
    slot->start_failures++;
    if (job == JOB_SCAN && slot->is_retry) {
      RetryObject *retry = g_new0(RetryObject, 1);
      retry->object = g_queue_pop_head(slot->batch);
      retry->volume = slot->volume;
      g_queue_push_head(run->retry, retry);
    } else if (job == JOB_SCAN) {
      return_batch(slot);
    } else if (job == JOB_ENUMERATE) {
      slot->volume->state = VOLUME_PENDING;
    } else if (job == JOB_DIGEST) {
      run->digest_state = DIGEST_WANTED;
    }
    return true;
  }
  if (job == JOB_SCAN)
    return lose_object(run, slot, blamed, reason, detail, error);
  if (job == JOB_ENUMERATE)
    return enumerate_lost(run, slot->volume, slot->has_step, slot->step_pass, slot->step_address,
                          reason, detail, error);
  if (job == JOB_DIGEST)
    lose_digest(run, slot, reason, detail);
  return true;
}

bool slot_take_digest(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error) {
  if (type == MSG_PROGRESS)
    return true;
  if (type == MSG_GAP) {
    Gap gap;
    const char *member;
    if (!proto_take_gap(message, &gap, &member, error))
      return false;
    gap.seq = GAP_NO_OBJECT;
    gap.volume = 0;
    gap.has_dir = false;
    g_ptr_array_add(slot->gaps, stored_gap_new(&gap, ""));
    return slot->gaps->len < 10000000 ||
           triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent too many gaps");
  }
  if (type != MSG_DIGEST_DONE)
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong answer");
  gboolean has_damage;
  g_variant_get(message, "(sssb)", &run->digest_sha256, &run->digest_sha1, &run->digest_md5,
                &has_damage);
  bool is_stored = *run->probe->stored_md5 != '\0' || *run->probe->stored_sha1 != '\0';
  bool is_equal =
      (*run->probe->stored_md5 == '\0' || strcmp(run->probe->stored_md5, run->digest_md5) == 0) &&
      (*run->probe->stored_sha1 == '\0' || strcmp(run->probe->stored_sha1, run->digest_sha1) == 0);
  run->digest_status = g_strdup(is_stored    ? (is_equal ? "match" : "mismatch")
                                : has_damage ? "incomplete"
                                             : "absent");
  g_ptr_array_unref(run->digest_gaps);
  run->digest_gaps = g_steal_pointer(&slot->gaps);
  run->digest_state = DIGEST_DONE;
  slot->job = JOB_NONE;
  return true;
}

static bool finish_enumeration(Run *run, Slot *slot, GError **error) {
  VolumeWork *volume = slot->volume;
  slot->job = JOB_NONE;
  volume->state = VOLUME_READY;
  early_end(volume);
  if (!run_put_volume(run, volume, true, error))
    return false;
  if (!run->is_split)
    return true;
  uint64_t objects, bytes;
  if (!store_keep_shard(run->store, run->evidence, volume->no, run->options->shard,
                        run->options->shards, error) ||
      !store_count_work(run->store, run->evidence, volume->no, &objects, &bytes, error))
    return false;
  run->progress.bytes_total += bytes;
  return true;
}

/* A worker that finds no room for content says so; believed where there is none. */
static bool take_full_disk(Run *run, GVariant *message, GError **error) {
  struct statvfs room;
  g_autoptr(GError) said = NULL;
  process_take_error(message, &said);
  const char *dir = run->options->output;
  bool is_full = getenv("TRIAGE_TEST_FULL_DISK") != NULL ||
                 (statvfs(dir, &room) == 0 && room.f_bavail * room.f_frsize < 16 * MIB);
  if (triage_error_reason(said) != TRIAGE_REASON_INTERNAL || !is_full)
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong answer");
  return triage_fail(error, TRIAGE_REASON_INTERNAL,
                     "%s: the disk is full; free space and run again with --resume", dir);
}

static bool take_job_error(Run *run, Slot *slot, GVariant *message, GError **error) {
  g_autoptr(GError) said = NULL;
  if (slot->job == JOB_SCAN)
    return take_full_disk(run, message, error);
  if (slot->job != JOB_ENUMERATE)
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong answer");
  process_take_error(message, &said);
  TriageReason reason = triage_error_reason(said);
  Gap gap = {.seq = GAP_NO_OBJECT,
             .volume = slot->volume->no,
             .reason = reason > TRIAGE_REASON_LAST ? TRIAGE_REASON_CORRUPT : reason,
             .detail = said->message};
  return store_put_walk_gap(run->store, run->evidence, &gap, error) &&
         finish_enumeration(run, slot, error);
}

void slot_take_chunks(Run *run, const Slot *slot, GVariant *message) {
  uint64_t read;
  g_variant_get(message, "(tt)", &run->n_chunks, &read);
  run->chunks_read[slot->job] += MIN(read, (uint64_t)INT32_MAX);
}

static bool take_message(Run *run, Slot *slot, MessageType type, GVariant *message,
                         GError **error) {
  Process *process = slot->process;
  if (slot->job == JOB_INFLATE || slot->job == JOB_HASH)
    return sweep_take(run, slot, type, message, error);
  if (!process->is_ready) {
    /* The probe has told all this already. */
    if (type == MSG_EVIDENCE) {
      process->is_ready = true;
      slot->start_failures = 0;
    }
    return type != MSG_ERROR ||
           triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker cannot open the evidence");
  }
  process->is_fresh = false;
  if (type == MSG_CHUNKS) {
    slot_take_chunks(run, slot, message);
    return true;
  }
  if (type == MSG_ERROR)
    return take_job_error(run, slot, message, error);
  if (type == MSG_DONE && slot->job == JOB_ENUMERATE)
    return finish_enumeration(run, slot, error);
  if (type == MSG_DONE && slot->job == JOB_SCAN) {
    if (slot->current.object != NULL || !g_queue_is_empty(slot->batch))
      return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker left objects out");
    slot->job = JOB_NONE;
    return true;
  }
  if (slot->job == JOB_ENUMERATE)
    return enumerate_take(run, slot, type, message, error);
  if (slot->job == JOB_SCAN)
    return scan_take(run, slot, type, message, error);
  if (slot->job == JOB_DIGEST)
    return slot_take_digest(run, slot, type, message, error);
  return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker spoke without being asked");
}

bool slot_take_messages(Run *run, Slot *slot, GError **error) {
  MessageType type;
  while (slot->process != NULL) {
    GError *problem = NULL;
    g_autoptr(GVariant) message = proto_reader_next(slot->process->reader, &type, &problem);
    if (message == NULL && problem == NULL)
      break;
    if (message != NULL)
      take_message(run, slot, type, message, &problem);
    if (problem == NULL)
      continue;
    if (triage_error_reason(problem) == TRIAGE_REASON_INTERNAL) {
      g_propagate_error(error, problem);
      return false;
    }
    bool ok = slot_lost(run, slot, triage_error_reason(problem), problem->message, error);
    g_error_free(problem);
    return ok;
  }
  slot_set_deadline(run, slot);
  return true;
}
