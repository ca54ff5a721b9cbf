/* SPDX-License-Identifier: Apache-2.0 */
/* coord_scan.c - gathers what a worker says about one object, checks it, and writes it to the store
 * all at once. A worker can speak of the object it was handed and of no other. */
#include "base/fuzzy.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/coord_slots.h"
#include <string.h>

enum { RESULT_BYTES_MAX = 256 * 1024 * 1024 }; /* of one object's messages */

static gboolean broken(GError **error, const char *what) {
  return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong %s", what);
}

void object_buffer_clear(ObjectBuffer *buffer) {
  g_clear_pointer(&buffer->object, object_free);
  if (buffer->messages != NULL)
    g_ptr_array_set_size(buffer->messages, 0);
  if (buffer->types != NULL)
    g_array_set_size(buffer->types, 0);
  buffer->bytes = 0;
}

static bool is_word(const char *text, gsize max) {
  return strlen(text) <= max && text_is_printable(text);
}

static bool is_hex(const char *text, gsize length) {
  return *text == '\0' || (strlen(text) == length && strspn(text, "0123456789abcdef") == length);
}

static bool is_fuzzy(const char *text) {
  Fuzzy fuzzy;
  return *text == '\0' || fuzzy_parse(text, &fuzzy);
}

static bool check_member(GVariant *message, uint32_t *no, GError **error) {
  const char *member, *view, *sha256, *sha1, *md5;
  uint64_t size;
  TriageTime time;
  g_variant_get_child(message, 0, "u", no);
  g_variant_get_child(message, 1, "&s", &member);
  g_variant_get_child(message, 2, "&s", &view);
  g_variant_get_child(message, 3, "t", &size);
  g_variant_get_child(message, 4, "&s", &sha256);
  g_variant_get_child(message, 5, "&s", &sha1);
  g_variant_get_child(message, 6, "&s", &md5);
  g_autoptr(GVariant) times = g_variant_get_child_value(message, 7);
  if (!proto_take_both_times(
          times, (TriageTime *const[]){&time, &time, &time, &time, &time, &time, &time, &time}))
    return broken(error, "time");
  if (!is_word(member, LIMIT_PATH_BYTES) || !is_word(view, 64) || size > INT64_MAX ||
      !is_hex(sha256, 64) || !is_hex(sha1, 40) || !is_hex(md5, 32) ||
      (*no == 0) != (*member == '\0' && strcmp(view, "raw") == 0))
    return broken(error, "member");
  return true;
}

static bool put_member(Run *run, const Object *object, GVariant *message, GError **error) {
  MemberRecord record = {0};
  const char *sha256, *sha1, *md5;
  g_variant_get_child(message, 0, "u", &record.no);
  g_variant_get_child(message, 1, "&s", &record.member);
  g_variant_get_child(message, 2, "&s", &record.view);
  g_variant_get_child(message, 3, "t", &record.size);
  g_variant_get_child(message, 4, "&s", &sha256);
  g_variant_get_child(message, 5, "&s", &sha1);
  g_variant_get_child(message, 6, "&s", &md5);
  g_strlcpy(record.digests.sha256, sha256, sizeof record.digests.sha256);
  g_strlcpy(record.digests.sha1, sha1, sizeof record.digests.sha1);
  g_strlcpy(record.digests.md5, md5, sizeof record.digests.md5);
  TriageTime *const times[] = {&record.created,      &record.modified,     &record.changed,
                               &record.accessed,     &record.name_created, &record.name_modified,
                               &record.name_changed, &record.name_accessed};
  g_autoptr(GVariant) taken = g_variant_get_child_value(message, 7);
  proto_take_both_times(taken, times);
  return store_put_member(run->store, run->evidence, object->volume, object->seq, &record, error);
}

static int compare_texts(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, joined by ';', a leading '$' kept away: the column names identifiers as rules do. */
static char *join_identifiers(GVariantIter *iter, bool *ok) {
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  const char *identifier;
  while (g_variant_iter_next(iter, "&s", &identifier)) {
    *ok = *ok && is_word(identifier, 256);
    g_ptr_array_add(list, (gpointer)identifier);
  }
  g_ptr_array_sort(list, compare_texts);
  g_ptr_array_add(list, NULL);
  return g_strjoinv(";", (char **)list->pdata);
}

typedef struct {
  HitRecord record;
  GArray *matches, *indicators;
  char *strings;
} TakenHit;

static void taken_hit_clear(TakenHit *hit) {
  for (guint i = 0; hit->matches != NULL && i < hit->matches->len; i++)
    g_bytes_unref(g_array_index(hit->matches, MatchRecord, i).bytes);
  g_clear_pointer(&hit->matches, g_array_unref);
  g_clear_pointer(&hit->indicators, g_array_unref);
  g_clear_pointer(&hit->strings, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TakenHit, taken_hit_clear)

static bool take_matches(TakenHit *hit, GVariantIter *iter) {
  hit->matches = g_array_new(FALSE, TRUE, sizeof(MatchRecord));
  MatchRecord match;
  GVariant *bytes;
  bool ok = true;
  while (g_variant_iter_loop(iter, "(&stt@ay)", &match.identifier, &match.offset, &match.length,
                             &bytes)) {
    match.bytes = proto_take_bytes(bytes);
    ok = ok && is_word(match.identifier, 256) && match.offset <= INT64_MAX &&
         match.length <= INT64_MAX && g_bytes_get_size(match.bytes) <= LIMIT_MATCH_BYTES;
    g_array_append_val(hit->matches, match);
  }
  return ok && hit->matches->len <= LIMIT_MATCHES_KEPT;
}

static bool take_indicators(TakenHit *hit, GVariantIter *iter) {
  hit->indicators = g_array_new(FALSE, TRUE, sizeof(IndicatorRecord));
  IndicatorRecord indicator;
  bool ok = true;
  while (
      g_variant_iter_loop(iter, "(&s&st)", &indicator.name, &indicator.value, &indicator.offset)) {
    ok = ok && is_word(indicator.name, 64) &&
         is_word(indicator.value, (gsize)4 * LIMIT_INDICATOR_BYTES) &&
         indicator.offset <= INT64_MAX;
    g_array_append_val(hit->indicators, indicator);
  }
  return ok && hit->indicators->len <= LIMIT_INDICATORS;
}

static bool take_hit(GVariant *message, TakenHit *hit, GError **error) {
  HitRecord *record = &hit->record;
  GVariantIter *identifiers, *matches, *indicators;
  uint64_t first;
  gboolean has_image;
  g_variant_get(message, "(u&s&sasttbt&sa(sttay)a(sst)&s&s)", &record->member_no,
                &record->rule_namespace, &record->rule, &identifiers, &record->match_count, &first,
                &has_image, &record->image_offset, &record->excerpt, &matches, &indicators,
                &record->fuzzy, &record->secrets);
  bool ok = true;
  hit->strings = join_identifiers(identifiers, &ok);
  ok = take_matches(hit, matches) && ok;
  ok = take_indicators(hit, indicators) && ok;
  g_variant_iter_free(identifiers);
  g_variant_iter_free(matches);
  g_variant_iter_free(indicators);
  record->strings = hit->strings;
  record->has_first_offset = first != UINT64_MAX;
  record->first_offset = record->has_first_offset ? first : 0;
  record->has_image_offset = has_image && record->has_first_offset;
  record->matches = (const MatchRecord *)hit->matches->data;
  record->n_matches = hit->matches->len;
  record->indicators = (const IndicatorRecord *)hit->indicators->data;
  record->n_indicators = hit->indicators->len;
  if (!ok || record->first_offset > INT64_MAX || record->image_offset > INT64_MAX ||
      record->match_count > INT64_MAX || !is_word(record->rule_namespace, 256) ||
      !is_word(record->rule, 256) || !is_word(record->excerpt, (gsize)4 * LIMIT_EXCERPT_BYTES) ||
      !is_fuzzy(record->fuzzy) || !secrets_are_digests(record->secrets))
    return broken(error, "hit");
  return true;
}

static bool check_hit(GVariant *message, uint32_t *no, GError **error) {
  g_auto(TakenHit) hit = {0};
  bool ok = take_hit(message, &hit, error);
  *no = hit.record.member_no;
  return ok;
}

static bool put_hit(Run *run, const Object *object, GVariant *message, GError **error) {
  g_auto(TakenHit) hit = {0};
  run->progress.hits++;
  return take_hit(message, &hit, error) &&
         store_put_hit(run->store, run->evidence, object->volume, object->seq, &hit.record, error);
}

static bool check_fact(GVariant *message, uint32_t *no, GError **error) {
  const char *kind, *target, *detail;
  g_variant_get(message, "(u&s&s&s)", no, &kind, &target, &detail);
  return (is_word(kind, 64) && is_word(target, (gsize)4 * LIMIT_FACT_BYTES) &&
          is_word(detail, (gsize)4 * LIMIT_FACT_BYTES)) ||
         broken(error, "fact");
}

static bool put_fact(Run *run, const Object *object, GVariant *message, GError **error) {
  FactRecord fact;
  g_variant_get(message, "(u&s&s&s)", &fact.member_no, &fact.kind, &fact.target, &fact.detail);
  return store_put_fact(run->store, run->evidence, object->volume, object->seq, &fact, error);
}

static bool check_also(const ObjectBuffer *buffer, GVariant *message, GError **error) {
  const char *name_space, *rule, *view, *other_space, *other_rule;
  uint32_t no, other_no;
  g_variant_get(message, "(u&s&s&s)", &no, &name_space, &rule, &view);
  for (guint i = buffer->messages->len; i > 0 && is_word(view, 64); i--) {
    if (g_array_index(buffer->types, MessageType, i - 1) != MSG_HIT)
      continue;
    GVariant *hit = buffer->messages->pdata[i - 1];
    g_variant_get_child(hit, 0, "u", &other_no);
    g_variant_get_child(hit, 1, "&s", &other_space);
    g_variant_get_child(hit, 2, "&s", &other_rule);
    if (other_no == no && strcmp(other_space, name_space) == 0 && strcmp(other_rule, rule) == 0)
      return true;
  }
  return broken(error, "view of a hit");
}

static bool put_also(Run *run, const Object *object, GVariant *message, GError **error) {
  const char *name_space, *rule, *view;
  uint32_t no;
  g_variant_get(message, "(u&s&s&s)", &no, &name_space, &rule, &view);
  return store_add_view(run->store, run->evidence, object->volume, object->seq, no, name_space,
                        rule, view, error);
}

static bool put_gap(Run *run, const Object *object, GVariant *message, GError **error) {
  Gap gap;
  const char *member;
  if (!proto_take_gap(message, &gap, &member, error))
    return false;
  /* What the row is about comes from the walk, not from this worker. */
  gap.seq = object->seq;
  gap.volume = object->volume;
  gap.state = object->state;
  gap.has_dir = false;
  g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
  return store_put_gap(run->store, run->evidence, &gap, member, error);
}

static bool put_message(Run *run, const Object *object, MessageType type, GVariant *message,
                        GError **error) {
  switch (type) {
  case MSG_MEMBER:
    return put_member(run, object, message, error);
  case MSG_HIT:
    return put_hit(run, object, message, error);
  case MSG_FACT:
    return put_fact(run, object, message, error);
  case MSG_ALSO:
    return put_also(run, object, message, error);
  default:
    return put_gap(run, object, message, error);
  }
}

static bool put_end(Run *run, const Object *object, GVariant *end, GError **error) {
  ResultRecord result = {.evidence = run->evidence, .volume = object->volume, .seq = object->seq};
  Digests digests = {.sha256 = ""};
  if (end != NULL) {
    const char *sha256, *sha1, *md5;
    uint64_t seq;
    g_variant_get(end, "(ttt&s&s&s)", &seq, &result.examined_bytes, &result.members, &sha256, &sha1,
                  &md5);
    g_strlcpy(digests.sha256, sha256, sizeof digests.sha256);
    g_strlcpy(digests.sha1, sha1, sizeof digests.sha1);
    g_strlcpy(digests.md5, md5, sizeof digests.md5);
    if (*sha256 != '\0')
      result.digests = &digests;
  }
  return store_put_result(run->store, &result, error);
}

static bool check_end(const Object *object, GVariant *message, GError **error) {
  uint64_t seq, examined, members;
  const char *sha256, *sha1, *md5;
  g_variant_get(message, "(ttt&s&s&s)", &seq, &examined, &members, &sha256, &sha1, &md5);
  return (seq == object->seq && examined <= INT64_MAX && members <= INT64_MAX &&
          is_hex(sha256, 64) && is_hex(sha1, 40) && is_hex(md5, 32)) ||
         broken(error, "end of an object");
}

/* Writes everything gathered; end is the END message, NULL where the worker was lost. */
static bool commit(Run *run, Slot *slot, GVariant *end, GError **error) {
  ObjectBuffer *buffer = &slot->current;
  uint64_t hits = run->progress.hits;
  for (guint i = 0; i < buffer->messages->len; i++)
    if (!put_message(run, buffer->object, g_array_index(buffer->types, MessageType, i),
                     buffer->messages->pdata[i], error))
      return false;
  if (!put_end(run, buffer->object, end, error))
    return false;
  run->pending_rows += 1 + buffer->messages->len;
  run->progress.objects++;
  run->progress.bytes += buffer->object->size;
  early_count(slot->volume, buffer->object, run->progress.hits - hits);
  return true;
}

bool scan_commit(Run *run, Slot *slot, const TriageReason *reason, const char *detail,
                 GError **error) {
  if (reason != NULL) {
    const Object *object = slot->current.object;
    Gap gap = {.seq = object->seq,
               .volume = object->volume,
               .state = object->state,
               .size = object->size,
               .reason = *reason,
               .detail = detail};
    g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
    if (!store_put_gap(run->store, run->evidence, &gap, "", error))
      return false;
  }
  bool ok = commit(run, slot, NULL, error);
  object_buffer_clear(&slot->current);
  return ok;
}

/* A hit or fact must be about a member row sent just before it. */
static bool names_last_member(const ObjectBuffer *buffer, uint32_t no) {
  for (guint i = buffer->messages->len; i > 0; i--) {
    if (g_array_index(buffer->types, MessageType, i - 1) != MSG_MEMBER)
      continue;
    uint32_t last;
    g_variant_get_child(buffer->messages->pdata[i - 1], 0, "u", &last);
    return last == no;
  }
  return false;
}

static bool keep(ObjectBuffer *buffer, MessageType type, GVariant *message, GError **error) {
  buffer->bytes += g_variant_get_size(message) + 64;
  if (buffer->bytes > RESULT_BYTES_MAX)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                       "the object gave more than %d MiB of findings", RESULT_BYTES_MAX >> 20);
  g_ptr_array_add(buffer->messages, g_variant_ref(message));
  g_array_append_val(buffer->types, type);
  return true;
}

static bool put_clean(Run *run, const Object *object, const CleanObject *clean,
                      const CleanGap *gaps, guint n_gaps, GError **error) {
  Gap gap = {.seq = object->seq, .volume = object->volume, .state = object->state};
  g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
  for (guint i = 0; i < n_gaps; i++) {
    gap.size = gaps[i].size;
    gap.examined = gaps[i].examined;
    gap.reason = gaps[i].reason;
    gap.detail = gaps[i].detail;
    if (!store_put_gap(run->store, run->evidence, &gap, gaps[i].member, error))
      return false;
  }
  ResultRecord result = {.evidence = run->evidence,
                         .volume = object->volume,
                         .seq = object->seq,
                         .examined_bytes = clean->examined,
                         .members = clean->members};
  run->pending_rows += 1 + n_gaps;
  return store_put_result(run->store, &result, error);
}

static bool take_clean(Run *run, Slot *slot, GVariant *message, GError **error) {
  g_autoptr(CleanBatch) batch = clean_batch_new(message);
  CleanObject clean;
  const CleanGap *gaps;
  guint n_gaps;
  GError *wrong = NULL;
  while (clean_batch_next(batch, &clean, &gaps, &n_gaps, &wrong)) {
    Object *object = slot_begin(slot, clean.seq);
    if (object == NULL)
      return broken(error, "list of objects");
    run->progress.objects++;
    run->progress.bytes += object->size;
    early_count(slot->volume, object, 0);
    bool ok = put_clean(run, object, &clean, gaps, n_gaps, error);
    object_free(object);
    if (!ok)
      return false;
  }
  if (wrong != NULL)
    g_propagate_error(error, wrong);
  return wrong == NULL;
}

bool scan_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error) {
  ObjectBuffer *buffer = &slot->current;
  uint32_t no;
  if (type == MSG_BEGIN) {
    uint64_t seq;
    g_variant_get(message, "(t)", &seq);
    Object *object = buffer->object == NULL ? slot_begin(slot, seq) : NULL;
    if (object == NULL)
      return broken(error, "begin of an object");
    buffer->object = object;
    return true;
  }
  if (type == MSG_CLEAN && buffer->object == NULL)
    return take_clean(run, slot, message, error);
  if (buffer->object == NULL)
    return broken(error, "answer");
  switch (type) {
  case MSG_PROGRESS: {
    uint64_t bytes;
    g_variant_get(message, "(t)", &bytes);
    if (slot->reached != slot->handed - slot->batch->length)
      return true; /* it was seen further on already */
    slot->work = MIN(slot->work + MIN(bytes, INT64_MAX / 2),
                     buffer->object->size + (uint64_t)run->options->max_expanded +
                         64 * KIB * (uint64_t)LIMIT_MEMBERS);
    return true;
  }
  case MSG_MEMBER:
    return check_member(message, &no, error) && keep(buffer, type, message, error);
  case MSG_HIT:
    return check_hit(message, &no, error) &&
           (names_last_member(buffer, no) || broken(error, "hit")) &&
           keep(buffer, type, message, error);
  case MSG_FACT:
    return check_fact(message, &no, error) &&
           (names_last_member(buffer, no) || broken(error, "fact")) &&
           keep(buffer, type, message, error);
  case MSG_ALSO:
    return check_also(buffer, message, error) && keep(buffer, type, message, error);
  case MSG_GAP: {
    Gap gap;
    const char *member;
    return proto_take_gap(message, &gap, &member, error) && keep(buffer, type, message, error);
  }
  case MSG_END: {
    if (!check_end(buffer->object, message, error) || !commit(run, slot, message, error))
      return false;
    object_buffer_clear(buffer);
    return true;
  }
  default:
    return broken(error, "answer");
  }
}
