/* SPDX-License-Identifier: Apache-2.0 */
/* store_write.c - rows going in. Everything was checked where it came from; what still breaks a
 * rule of the tables is an error, never an abort. */
#include "base/limits.h"
#include "store/store_private.h"
#include <string.h>

#define STATEMENT(which)                                                                           \
  Binder binder = {store_statement(store, which, error), 0};                                       \
  if (binder.statement == NULL)                                                                    \
  return false

bool store_put_input_file(Store *store, const InputFile *file, GError **error) {
  STATEMENT(SQL_PUT_INPUT_FILE);
  bind_text(&binder, file->kind);
  bind_text(&binder, file->name);
  bind_text(&binder, file->sha256);
  bind_u64(&binder, file->size);
  return store_run(store, binder.statement, error);
}

bool store_put_evidence(Store *store, const EvidenceRecord *evidence, GError **error) {
  STATEMENT(SQL_PUT_EVIDENCE);
  bind_u64(&binder, evidence->no);
  bind_text(&binder, evidence->name);
  bind_text(&binder, evidence->path);
  bind_text(&binder, evidence->kind);
  bind_text(&binder, evidence->format);
  bind_u64(&binder, evidence->media_bytes);
  bind_u64(&binder, evidence->sector_bytes);
  bind_text(&binder, evidence->stored_md5);
  bind_text(&binder, evidence->stored_sha1);
  bind_text(&binder, evidence->md5);
  bind_text(&binder, evidence->sha1);
  bind_text(&binder, evidence->sha256);
  bind_text(&binder, evidence->digest_status);
  return store_run(store, binder.statement, error);
}

bool store_put_evidence_property(Store *store, uint32_t evidence, const char *name,
                                 const char *value, GError **error) {
  STATEMENT(SQL_PUT_PROPERTY);
  bind_u64(&binder, evidence);
  bind_text(&binder, name);
  bind_text(&binder, value);
  return store_run(store, binder.statement, error);
}

bool store_put_evidence_file(Store *store, uint32_t evidence, const char *path, uint64_t size,
                             GError **error) {
  STATEMENT(SQL_PUT_FILE);
  bind_u64(&binder, evidence);
  bind_text(&binder, path);
  bind_u64(&binder, size);
  return store_run(store, binder.statement, error);
}

bool store_put_volume(Store *store, const VolumeRecord *volume, GError **error) {
  STATEMENT(SQL_PUT_VOLUME);
  bind_u64(&binder, volume->evidence);
  bind_u64(&binder, volume->no);
  bind_u64(&binder, volume->offset);
  bind_u64(&binder, volume->length);
  bind_text(&binder, volume->fs_type);
  bind_text(&binder, volume->description);
  bind_u64(&binder, volume->is_enumerated);
  return store_run(store, binder.statement, error);
}

bool store_is_enumerated(Store *store, uint32_t evidence, uint32_t volume) {
  Binder binder = {store_statement(store, SQL_IS_ENUMERATED, NULL), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bool is = sqlite3_step(binder.statement) == SQLITE_ROW && column_u64(binder.statement, 0) != 0;
  sqlite3_reset(binder.statement);
  return is;
}

bool store_put_dir(Store *store, uint32_t evidence, uint32_t volume, const ObjectDir *dir,
                   GError **error) {
  STATEMENT(SQL_PUT_DIR);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, dir->no);
  bind_u64(&binder, dir->parent);
  bind_bytes(&binder, dir->name);
  return store_run(store, binder.statement, error);
}

bool store_put_object(Store *store, uint32_t evidence, const Object *object, GError **error) {
  STATEMENT(SQL_PUT_OBJECT);
  bind_u64(&binder, evidence);
  bind_u64(&binder, object->seq);
  bind_u64(&binder, object->volume);
  bind_u64(&binder, object->meta_addr);
  bind_u64(&binder, object->attr_type);
  bind_u64(&binder, object->attr_id);
  bind_text(&binder, object->meta);
  bind_u64(&binder, object->kind);
  bind_u64(&binder, object->state);
  bind_u64(&binder, object->flags);
  bind_u64(&binder, object->size);
  bind_u64(&binder, object->first_byte);
  bind_times(&binder, &object->created, &object->modified, &object->changed, &object->accessed);
  bind_times(&binder, &object->name_created, &object->name_modified, &object->name_changed,
             &object->name_accessed);
  bind_u64(&binder, object->dir);
  bind_bytes(&binder, object->name);
  bind_bytes(&binder, object->attr_name);
  bind_u64(&binder, (object->flags & OBJECT_NO_CONTENT) != 0 ? 1 : 0);
  return store_run(store, binder.statement, error);
}

bool store_put_name(Store *store, uint32_t evidence, uint32_t volume, const ObjectName *name,
                    GError **error) {
  STATEMENT(SQL_PUT_NAME);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, name->seq);
  bind_u64(&binder, name->dir);
  bind_u64(&binder, name->state);
  bind_u64(&binder, name->flags);
  bind_bytes(&binder, name->name);
  return store_run(store, binder.statement, error);
}

bool store_clear_volume(Store *store, uint32_t evidence, uint32_t volume, GError **error) {
  static const char *const TABLES[] = {"match",  "indicator", "corroboration", "ground", "hit",
                                       "member", "fact",      "gap",           "name",   "result",
                                       "object", "dir",       "account"};
  for (gsize i = 0; i < G_N_ELEMENTS(TABLES); i++) {
    g_autofree char *sql =
        i < 4 ? g_strdup_printf("DELETE FROM %s WHERE hit IN (SELECT id FROM hit WHERE evidence = "
                                "%u AND volume = %u)",
                                TABLES[i], evidence, volume)
              : g_strdup_printf("DELETE FROM %s WHERE evidence = %u AND volume = %u", TABLES[i],
                                evidence, volume);
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
      return store_fail(store, "clearing a volume", error);
  }
  g_hash_table_remove_all(store->dir_paths);
  store->dir_paths_bytes = 0;
  return true;
}

bool store_put_account(Store *store, uint32_t evidence, uint32_t volume, const char *what,
                       uint64_t bytes, GError **error) {
  STATEMENT(SQL_PUT_ACCOUNT);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_text(&binder, what);
  bind_u64(&binder, bytes);
  return store_run(store, binder.statement, error);
}

static bool put_gap(Store *store, uint32_t evidence, const Gap *gap, const char *member,
                    bool is_walk, GError **error) {
  STATEMENT(SQL_PUT_GAP);
  bind_u64(&binder, evidence);
  bind_u64(&binder, gap->volume);
  if (gap->seq == GAP_NO_OBJECT)
    sqlite3_bind_null(binder.statement, ++binder.at);
  else
    bind_u64(&binder, gap->seq);
  if (gap->has_dir)
    bind_u64(&binder, gap->dir);
  else
    sqlite3_bind_null(binder.statement, ++binder.at);
  bind_text(&binder, gap->meta);
  bind_u64(&binder, gap->state);
  bind_u64(&binder, gap->size);
  bind_u64(&binder, gap->examined);
  bind_text(&binder, triage_reason_name(gap->reason));
  bind_text(&binder, gap->detail);
  bind_text(&binder, member);
  bind_u64(&binder, is_walk);
  return store_run(store, binder.statement, error);
}

bool store_put_gap(Store *store, uint32_t evidence, const Gap *gap, const char *member,
                   GError **error) {
  return put_gap(store, evidence, gap, member, false, error);
}

bool store_put_walk_gap(Store *store, uint32_t evidence, const Gap *gap, GError **error) {
  return put_gap(store, evidence, gap, "", true, error);
}

bool store_put_result(Store *store, const ResultRecord *result, GError **error) {
  STATEMENT(SQL_PUT_RESULT); /* without digests their columns stay NULL */
  bind_u64(&binder, result->evidence);
  bind_u64(&binder, result->volume);
  bind_u64(&binder, result->seq);
  bind_u64(&binder, result->examined_bytes);
  bind_u64(&binder, result->members);
  if (result->digests != NULL) {
    bind_text(&binder, result->digests->sha256);
    bind_text(&binder, result->digests->sha1);
    bind_text(&binder, result->digests->md5);
  }
  return store_run(store, binder.statement, error);
}

bool store_put_member(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                      const MemberRecord *member, GError **error) {
  STATEMENT(SQL_PUT_MEMBER);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, seq);
  bind_u64(&binder, member->no);
  bind_text(&binder, member->member);
  bind_text(&binder, member->view);
  bind_u64(&binder, member->size);
  bind_text(&binder, member->digests.sha256);
  bind_text(&binder, member->digests.sha1);
  bind_text(&binder, member->digests.md5);
  bind_times(&binder, &member->created, &member->modified, &member->changed, &member->accessed);
  bind_times(&binder, &member->name_created, &member->name_modified, &member->name_changed,
             &member->name_accessed);
  return store_run(store, binder.statement, error);
}

static bool put_match(Store *store, int64_t hit, guint no, const MatchRecord *match,
                      GError **error) {
  STATEMENT(SQL_PUT_MATCH);
  bind_u64(&binder, (uint64_t)hit);
  bind_u64(&binder, no);
  bind_text(&binder, match->identifier);
  bind_u64(&binder, match->offset);
  bind_u64(&binder, match->length);
  bind_bytes(&binder, match->bytes);
  return store_run(store, binder.statement, error);
}

static bool put_indicator(Store *store, int64_t hit, guint no, const IndicatorRecord *indicator,
                          GError **error) {
  STATEMENT(SQL_PUT_INDICATOR);
  bind_u64(&binder, (uint64_t)hit);
  bind_u64(&binder, no);
  bind_text(&binder, indicator->name);
  bind_text(&binder, indicator->value);
  bind_u64(&binder, indicator->offset);
  return store_run(store, binder.statement, error);
}

bool store_put_hit(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                   const HitRecord *hit, GError **error) {
  STATEMENT(SQL_PUT_HIT);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, seq);
  bind_u64(&binder, hit->member_no);
  bind_text(&binder, hit->rule_namespace);
  bind_text(&binder, hit->rule);
  bind_text(&binder, hit->strings);
  bind_u64(&binder, hit->match_count);
  if (hit->has_first_offset)
    bind_u64(&binder, hit->first_offset);
  else
    sqlite3_bind_null(binder.statement, ++binder.at);
  if (hit->has_image_offset)
    bind_u64(&binder, hit->image_offset);
  else
    sqlite3_bind_null(binder.statement, ++binder.at);
  bind_text(&binder, hit->excerpt);
  bind_text(&binder, hit->fuzzy);
  bind_text(&binder, hit->secrets);
  if (!store_run(store, binder.statement, error))
    return false;
  int64_t id = sqlite3_last_insert_rowid(store->db);
  for (guint i = 0; i < hit->n_matches; i++)
    if (!put_match(store, id, i, &hit->matches[i], error))
      return false;
  for (guint i = 0; i < hit->n_indicators; i++)
    if (!put_indicator(store, id, i, &hit->indicators[i], error))
      return false;
  return true;
}

bool store_add_view(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                    uint32_t member_no, const char *rule_namespace, const char *rule,
                    const char *view, GError **error) {
  STATEMENT(SQL_ADD_VIEW);
  bind_text(&binder, view);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, seq);
  bind_u64(&binder, member_no);
  bind_text(&binder, rule_namespace);
  bind_text(&binder, rule);
  return store_run(store, binder.statement, error);
}

bool store_put_fact(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                    const FactRecord *fact, GError **error) {
  STATEMENT(SQL_PUT_FACT);
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, seq);
  bind_u64(&binder, fact->member_no);
  bind_text(&binder, fact->kind);
  bind_text(&binder, fact->target);
  bind_text(&binder, fact->detail);
  return store_run(store, binder.statement, error);
}

static bool put_corroboration(Store *store, int64_t hit, guint no, const char *value,
                              GError **error) {
  STATEMENT(SQL_PUT_CORROBORATION);
  bind_u64(&binder, (uint64_t)hit);
  bind_u64(&binder, no);
  bind_text(&binder, value);
  return store_run(store, binder.statement, error);
}

static bool clear_corroboration(Store *store, int64_t hit, GError **error) {
  STATEMENT(SQL_CLEAR_CORROBORATION);
  bind_u64(&binder, (uint64_t)hit);
  return store_run(store, binder.statement, error);
}

bool store_put_verdict(Store *store, int64_t hit_rowid, const char *verdict, const char *scenario,
                       const char *profile, const char *reason, const char *const *corroboration,
                       GError **error) {
  STATEMENT(SQL_PUT_VERDICT);
  bind_u64(&binder, (uint64_t)hit_rowid);
  bind_text(&binder, verdict);
  bind_text(&binder, scenario);
  bind_text(&binder, profile);
  bind_text(&binder, reason);
  if (!store_run(store, binder.statement, error) || !clear_corroboration(store, hit_rowid, error))
    return false;
  for (guint i = 0; corroboration != NULL && corroboration[i] != NULL; i++)
    if (!put_corroboration(store, hit_rowid, i, corroboration[i], error))
      return false;
  return true;
}
