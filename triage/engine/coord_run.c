/* SPDX-License-Identifier: Apache-2.0 */
/* coord_run.c - one piece of evidence from probe to the last object: the event loop over workers.
 */
#include "base/limits.h"
#include "engine/coord_case.h"
#include "engine/coord_slots.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void volume_work_free(VolumeWork *volume) {
  part_index_free(volume->parts);
  g_clear_pointer(&volume->order, g_array_unref);
  g_clear_pointer(&volume->behind, g_array_unref);
  g_array_unref(volume->skips);
  g_queue_free_full(volume->page, (GDestroyNotify)object_free);
  g_queue_free_full(volume->late, (GDestroyNotify)object_free);
  g_ptr_array_unref(volume->early);
  g_clear_pointer(&volume->kept, g_ptr_array_unref);
  g_clear_pointer(&volume->in_hand, g_hash_table_unref);
  g_free(volume);
}

static VolumeWork *volume_work_new(uint32_t no) {
  VolumeWork *volume = g_new0(VolumeWork, 1);
  volume->no = no;
  volume->skips = g_array_new(FALSE, TRUE, sizeof(SkipPlace));
  volume->page = g_queue_new();
  volume->late = g_queue_new();
  volume->early = g_ptr_array_new_with_free_func((GDestroyNotify)object_free);
  return volume;
}

bool run_put_volume(Run *run, const VolumeWork *volume, bool is_enumerated, GError **error) {
  VolumeRecord record = {.evidence = run->evidence,
                         .no = volume->no,
                         .length = run->probe->media_bytes,
                         .fs_type = "",
                         .description = "",
                         .is_enumerated = is_enumerated};
  for (guint i = 0; i < run->probe->volumes->len; i++) {
    const ProbeVolume *found = run->probe->volumes->pdata[i];
    if (found->no != volume->no)
      continue;
    record.offset = found->offset;
    record.length = found->length;
    record.fs_type = found->fs_type;
    record.description = found->description;
  }
  return store_put_volume(run->store, &record, error);
}

bool run_tick(Run *run, GError **error) {
  gint64 now = g_get_monotonic_time();
  if (run->pending_rows < 20000 && now - run->committed_at < (gint64)2 * G_USEC_PER_SEC)
    return true;
  run->pending_rows = 0;
  run->committed_at = now;
  case_lock_touch(run->lock);
  run_put_metrics(run, true);
  return store_commit(run->store, error) && run_log_commit(run, error) &&
         store_begin(run->store, error);
}

static bool put_gaps(Run *run, GPtrArray *gaps, GPtrArray *known, GError **error) {
  for (guint i = 0; i < gaps->len; i++) {
    const StoredGap *stored = gaps->pdata[i];
    if (stored->gap.volume != 0)
      continue; /* written with its volume, see enumerate_start */
    bool is_known = false;
    for (guint j = 0; known != NULL && !is_known && j < known->len; j++) {
      const StoredGap *other = known->pdata[j];
      is_known = other->gap.volume == 0 && other->gap.reason == stored->gap.reason &&
                 strcmp(other->detail, stored->detail) == 0;
    }
    if (!is_known && !store_put_gap(run->store, run->evidence, &stored->gap, "", error))
      return false;
  }
  return true;
}

/* Rows about the evidence as a whole are written last: a walk that starts again clears volume 0. */
static bool finish_evidence(Run *run, GError **error) {
  g_autofree char *key = g_strdup_printf("evidence_%u_finished", run->evidence);
  g_autofree char *done = store_get_meta(run->store, key);
  if (done != NULL)
    return true;
  if (run->digest_state == DIGEST_DONE && run->digest_status == NULL)
    run->digest_status = g_strdup("not computed");
  return run_put_evidence(run, error) && put_gaps(run, run->digest_gaps, NULL, error) &&
         put_gaps(run, run->probe->gaps, run->digest_gaps, error) &&
         case_put_files(run, true, error) && store_put_meta(run->store, key, "1", error) &&
         run_log_evidence_end(run, error);
}

static bool plan_volumes(Run *run, GError **error) {
  bool is_disk = strcmp(run->probe->kind, "image") == 0;
  for (guint i = 0; is_disk && i < run->probe->volumes->len; i++) {
    const ProbeVolume *found = run->probe->volumes->pdata[i];
    VolumeWork *volume = volume_work_new(found->no);
    g_ptr_array_add(run->volumes, volume);
  }
  if (!is_disk)
    g_ptr_array_add(run->volumes, volume_work_new(0));
  for (guint i = 0; i < run->volumes->len; i++) {
    VolumeWork *volume = run->volumes->pdata[i];
    if (volume->state == VOLUME_PENDING && run->options->resume &&
        store_is_enumerated(run->store, run->evidence, volume->no)) {
      volume->state = VOLUME_READY;
      uint64_t objects, bytes;
      if (!store_count_work(run->store, run->evidence, volume->no, &objects, &bytes, error))
        return false;
      run->progress.objects_total += objects;
      run->progress.bytes_total += bytes;
    } else if (!run_put_volume(run, volume, volume->state == VOLUME_READY, error)) {
      return false;
    }
  }
  return true;
}

static bool check_deadlines(Run *run, GError **error) {
  for (guint i = 0; i < run->n_slots; i++)
    slot_look(run, &run->slots[i]);
  gint64 now = g_get_monotonic_time();
  for (guint i = 0; i < run->n_slots; i++) {
    Slot *slot = &run->slots[i];
    if (slot->process == NULL || slot->deadline == 0 || now < slot->deadline)
      continue;
    /* What the evidence did not give is its fault, or the network's: --resume tries it again. */
    bool is_waiting = process_is_waiting(slot->process);
    g_autofree char *text =
        g_strdup_printf("%s within the %d seconds of --timeout and the time its size allows",
                        is_waiting ? "reading the evidence did not come to an end" : "no result",
                        run->options->timeout_seconds);
    if (!slot_lost(run, slot, is_waiting ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TIMEOUT, text,
                   error))
      return false;
  }
  return true;
}

static bool give_all(Run *run, bool *any, GError **error) {
  *any = false;
  for (guint i = 0; i < run->n_slots; i++) {
    Slot *slot = &run->slots[i];
    bool gave = true;
    if (slot->job == JOB_NONE && !slot_give_work(run, slot, &gave, error))
      return false;
    *any = *any || slot->job != JOB_NONE;
  }
  return true;
}

static bool handle_slot(Run *run, Slot *slot, GError **error) {
  int got = proto_reader_fill(slot->process->reader, slot->process->fd);
  if (got > 0)
    return slot_take_messages(run, slot, error);
  TriageReason reason;
  g_autofree char *text = process_end(slot->process, &reason);
  return slot_lost(run, slot, reason, text, error);
}

static bool wait_and_handle(Run *run, GError **error) {
  struct pollfd *waiting = g_newa(struct pollfd, run->n_slots + 1);
  for (guint i = 0; i < run->n_slots; i++)
    waiting[i] = (struct pollfd){
        .fd = run->slots[i].process != NULL ? run->slots[i].process->fd : -1, .events = POLLIN};
  waiting[run->n_slots] = (struct pollfd){.fd = run->signal_fd, .events = POLLIN};
  if (poll(waiting, run->n_slots + 1, 200) < 0 && errno != EINTR)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "waiting for workers failed: %s",
                       g_strerror(errno));
  if (waiting[run->n_slots].revents != 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL,
                       "the run was stopped; what is done is kept, go on with --resume");
  for (guint i = 0; i < run->n_slots; i++)
    /* what another slot's messages have ended is not read any more */
    if (run->slots[i].process != NULL && waiting[i].revents != 0 &&
        waiting[i].fd == run->slots[i].process->fd && !handle_slot(run, &run->slots[i], error))
      return false;
  return true;
}

/* What the slots are at, for the line on the terminal. */
static void look_at_slots(Run *run) {
  static const char *const WORDS[] = {
      [JOB_NONE] = NULL,        [JOB_ENUMERATE] = "listing", [JOB_SCAN] = "examining",
      [JOB_DIGEST] = "hashing", [JOB_INFLATE] = "hashing",   [JOB_HASH] = "hashing"};
  JobKind told = JOB_NONE;
  run->progress.in_hand = 0;
  for (guint i = 0; i < run->n_slots; i++) {
    const Slot *slot = &run->slots[i];
    const Object *object = slot->current.object;
    /* the worker tells of unpacked bytes too: no more than the object has */
    if (object != NULL && slot->work > object->size)
      run->progress.in_hand += MIN(slot->work - object->size, object->size);
    if (slot->job != JOB_NONE && told != JOB_SCAN)
      told = told == JOB_ENUMERATE && slot->job >= JOB_DIGEST ? told : slot->job;
  }
  run->progress.doing = WORDS[told];
}

static bool loop(Run *run, GError **error) {
  while (slots_have_work(run)) {
    bool any;
    if (!give_all(run, &any, error))
      return false;
    if (!any)
      continue; /* a page came back empty: that was the last of it */
    if (!wait_and_handle(run, error) || !check_deadlines(run, error) || !run_tick(run, error))
      return false;
    look_at_slots(run);
    progress_show(&run->progress, false);
  }
  return true;
}

static void prepare(Run *run) {
  g_autofree char *key = g_strdup_printf("evidence_%u_finished", run->evidence);
  g_autofree char *done = store_get_meta(run->store, key);
  bool is_others =
      run->is_split && shard_of_whole(run->options->shards, run->evidence) != run->options->shard;
  bool wanted = !is_others && case_digest_set(run->options, run->probe) != 0 && done == NULL &&
                run->probe->error == NULL && strcmp(run->probe->kind, "directory") != 0;
  run->digest_state = wanted ? DIGEST_WANTED : DIGEST_NOT_WANTED;
  run->digest_attempts = 0;
  run->n_chunks = 0;
  run->digest_gaps = g_ptr_array_new_with_free_func((GDestroyNotify)stored_gap_free);
  run->volumes = g_ptr_array_new_with_free_func((GDestroyNotify)volume_work_free);
  run->retry = g_queue_new();
  sweep_plan(run);
  run->n_slots = (guint)run->options->jobs + sweep_slots(run);
  run->slots = g_new0(Slot, run->n_slots);
  for (guint i = 0; i < run->n_slots; i++) {
    run->slots[i].batch = g_queue_new();
    run->slots[i].current.messages =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    run->slots[i].current.types = g_array_new(FALSE, FALSE, sizeof(MessageType));
    run->slots[i].is_for_sweep = i >= (guint)run->options->jobs;
  }
}

static void retry_free(RetryObject *retry) {
  object_free(retry->object);
  g_free(retry);
}

static void clean_up(Run *run) {
  for (guint i = 0; i < run->n_slots; i++)
    slot_clear(&run->slots[i]);
  g_clear_pointer(&run->slots, g_free);
  g_clear_pointer(&run->sweep, sweep_free);
  g_clear_pointer(&run->volumes, g_ptr_array_unref);
  g_queue_free_full(g_steal_pointer(&run->retry), (GDestroyNotify)retry_free);
  g_clear_pointer(&run->digest_gaps, g_ptr_array_unref);
  g_clear_pointer(&run->digest_sha256, g_free);
  g_clear_pointer(&run->digest_sha1, g_free);
  g_clear_pointer(&run->digest_md5, g_free);
  g_clear_pointer(&run->digest_status, g_free);
}

/* Evidence that cannot be opened at all is one row of coverage, not the end of the others. */
static bool put_unopened(Run *run, GError **error) {
  Gap gap = {.seq = GAP_NO_OBJECT,
             .size = run->probe->media_bytes,
             .reason = triage_error_reason(run->probe->error) > TRIAGE_REASON_LAST
                           ? TRIAGE_REASON_UNREADABLE
                           : triage_error_reason(run->probe->error),
             .detail = run->probe->error->message};
  g_ptr_array_add(run->probe->gaps, stored_gap_new(&gap, ""));
  return finish_evidence(run, error);
}

bool run_evidence(Run *run, GError **error) {
  g_autofree char *key = g_strdup_printf("evidence_%u_finished", run->evidence);
  g_autofree char *done = store_get_meta(run->store, key);
  prepare(run);
  bool ok = run_log_evidence(run, error) &&
            (done != NULL || run_put_evidence(run, error)); /* its digests are known already */
  if (ok && run->probe->error != NULL) {
    run->digest_state = DIGEST_DONE;
    ok = put_unopened(run, error);
  } else {
    ok = ok && plan_volumes(run, error) && loop(run, error) && finish_evidence(run, error);
  }
  clean_up(run);
  return ok;
}
