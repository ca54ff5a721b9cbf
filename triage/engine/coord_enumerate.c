/* SPDX-License-Identifier: Apache-2.0 */
/* coord_enumerate.c - takes the walk of a volume into the store, and gets a walk past the places
 * that crash or hang a worker. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_slots.h"
#include "store/store_shard.h"
#include <string.h>

static gboolean broken(GError **error, const char *what) {
  return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong %s", what);
}

bool enumerate_put_gaps(Run *run, uint32_t volume, GError **error) {
  /* Those of the evidence as a whole (volume 0) are written last, see run_evidence. */
  for (guint i = 0; volume != 0 && i < run->probe->gaps->len; i++) {
    StoredGap *stored = run->probe->gaps->pdata[i];
    if (stored->gap.volume == volume &&
        !store_put_walk_gap(run->store, run->evidence, &stored->gap, error))
      return false;
  }
  return true;
}

bool enumerate_start(Run *run, Slot *slot, VolumeWork *volume, GError **error) {
  early_begin(run, volume);
  if (!store_clear_volume(run->store, run->evidence, volume->no, error) ||
      !enumerate_put_gaps(run, volume->no, error))
    return false;
  GVariantBuilder skips;
  g_variant_builder_init(&skips, G_VARIANT_TYPE("a(uty)"));
  if (volume->is_careful)
    g_variant_builder_add(&skips, "(uty)", 0, UINT64_C(0), (guchar)TRIAGE_REASON_WORKER_CRASH);
  for (guint i = 0; i < volume->skips->len; i++) {
    SkipPlace *skip = &g_array_index(volume->skips, SkipPlace, i);
    g_variant_builder_add(&skips, "(uty)", skip->pass, skip->address, (guchar)skip->reason);
  }
  volume->state = VOLUME_BUSY;
  volume->max_seq = 0;
  slot->job = JOB_ENUMERATE;
  slot->volume = volume;
  slot->has_step = false;
  return process_send(slot->process, MSG_ENUMERATE, g_variant_new("(ua(uty))", volume->no, &skips),
                      NULL) ||
         true; /* a worker that died at once is seen when its channel is read */
}

/* What is to be examined is known as it is listed: others may be at it before the walk ends. Which
 * part of it is a shard's is known at the end alone. */
static void know_bytes(Run *run, VolumeWork *volume, const Object *object) {
  if (run->is_split || (object->flags & OBJECT_NO_CONTENT) != 0)
    return;
  uint64_t bytes = MIN(object->size, UINT64_C(1) << 40); /* as the store counts */
  volume->bytes += bytes;
  run->progress.bytes_total += bytes;
}

static bool take_objects(Run *run, VolumeWork *volume, GVariant *message, GError **error) {
  g_autoptr(ObjectBatch) batch = object_batch_new(message);
  run->pending_rows += object_batch_n(batch);
  bool ok = true;
  GError *wrong = NULL;
  for (Object object; ok && object_batch_next(batch, &object, NULL, &wrong);) {
    /* Numbers rise one by one: a worker can neither leave out nor overwrite an object. */
    ok = (object.volume == volume->no && object.seq == volume->max_seq &&
          object.seq < LIMIT_VOLUME_OBJECTS) ||
         broken(error, "object number");
    volume->max_seq++;
    ok = ok && store_put_object(run->store, run->evidence, &object, error);
    if (ok)
      early_take(volume, &object);
    know_bytes(run, volume, &object);
    proto_object_clear(&object);
    run->progress.objects_total++;
  }
  if (wrong != NULL)
    g_propagate_error(error, wrong);
  return ok && wrong == NULL;
}

static bool take_gap(Run *run, VolumeWork *volume, GVariant *message, GError **error) {
  Gap gap;
  const char *member;
  if (!proto_take_gap(message, &gap, &member, error))
    return false;
  if (*member != '\0' || (gap.seq != GAP_NO_OBJECT && gap.seq >= volume->max_seq))
    return broken(error, "gap");
  gap.volume = volume->no;
  return store_put_walk_gap(run->store, run->evidence, &gap, error);
}

bool enumerate_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error) {
  VolumeWork *volume = slot->volume;
  bool ok = true;
  run->pending_rows++;
  switch (type) {
  case MSG_DIR: {
    ObjectDir dir;
    ok = proto_take_dir(message, &dir, error);
    if (ok) {
      ok = store_put_dir(run->store, run->evidence, volume->no, &dir, error);
      g_bytes_unref(dir.name);
    }
    return ok;
  }
  case MSG_OBJECTS:
    return take_objects(run, volume, message, error);
  case MSG_NAME: {
    ObjectName name;
    if (!proto_take_name(message, &name, error))
      return false;
    ok = name.seq < volume->max_seq || broken(error, "name");
    ok = ok && store_put_name(run->store, run->evidence, volume->no, &name, error);
    g_bytes_unref(name.name);
    return ok;
  }
  case MSG_GAP:
    return take_gap(run, volume, message, error);
  case MSG_ACCOUNT: {
    const char *what;
    uint64_t bytes;
    g_variant_get(message, "(&st)", &what, &bytes);
    if (strlen(what) > 64 || !text_is_printable(what) || bytes > INT64_MAX)
      return broken(error, "account");
    return store_put_account(run->store, run->evidence, volume->no, what, bytes, error);
  }
  case MSG_STEP:
    g_variant_get(message, "(ut)", &slot->step_pass, &slot->step_address);
    slot->has_step = true;
    return true;
  default:
    return broken(error, "answer");
  }
}

bool enumerate_lost(Run *run, VolumeWork *volume, bool has_step, uint32_t pass, uint64_t address,
                    TriageReason reason, const char *detail, GError **error) {
  if (!volume->is_careful) {
    /* Once more, slowly: a place that fails again is known by its last step. */
    volume->is_careful = true;
    volume->state = VOLUME_PENDING;
    return true;
  }
  if (has_step && volume->skips->len < LIMIT_ENUM_SKIPS) {
    SkipPlace skip = {pass, address, reason};
    g_array_append_val(volume->skips, skip);
    volume->state = VOLUME_PENDING;
    return true;
  }
  bool is_entry = has_step && (pass == WALK_PASS_NAMES || pass == WALK_PASS_METADATA);
  if (is_entry ? !volume->is_ended : has_step && volume->skips->len <= LIMIT_ENUM_SKIPS + 1) {
    /* The entries end here. Should the areas cost a worker its life too, that is one more place. */
    SkipPlace skip = {is_entry ? pass | WALK_ENDS : pass, address, reason};
    g_array_append_val(volume->skips, skip);
    volume->is_ended = volume->is_ended || is_entry;
    volume->state = VOLUME_PENDING;
    return true;
  }
  g_autofree char *text =
      g_strdup_printf("the walk of the volume was given up after %u place(s): "
                      "%s; its entries beyond that point are not known, and its "
                      "areas (slack, free blocks, gaps) were not examined",
                      volume->skips->len, detail);
  Gap gap = {.seq = GAP_NO_OBJECT,
             .volume = volume->no,
             .state = STATE_ALLOCATED,
             .reason = reason,
             .detail = text};
  volume->state = VOLUME_READY;
  early_end(volume);
  return (!run->is_split || store_keep_shard(run->store, run->evidence, volume->no,
                                             run->options->shard, run->options->shards, error)) &&
         store_put_walk_gap(run->store, run->evidence, &gap, error);
}
