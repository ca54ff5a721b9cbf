/* SPDX-License-Identifier: Apache-2.0 */
/* store_list.c - the short tables: evidence, volumes, inputs; and totals. */
#include "store/store_private.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* Steps through sql (with one number bound where it has a parameter). take returns false to stop.
 */
static bool each(Store *store, const char *sql, uint32_t number,
                 bool (*take)(void *user, sqlite3_stmt *statement), void *user, GError **error) {
  g_autoptr(sqlite3_stmt) statement = NULL;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    return store_fail(store, "reading", error);
  if (sqlite3_bind_parameter_count(statement) > 0)
    sqlite3_bind_int64(statement, 1, number);
  int rc;
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
    if (!take(user, statement))
      return true;
  return rc == SQLITE_DONE || store_fail(store, "reading", error);
}

typedef struct {
  union { /* the one that the list at hand gives to */
    bool (*evidence)(void *user, const EvidenceRecord *evidence);
    bool (*account)(void *user, uint32_t evidence, uint32_t volume, const char *what,
                    uint64_t bytes);
    bool (*property)(void *user, const char *name, const char *value);
    bool (*file)(void *user, const char *path, uint64_t size);
    bool (*volume)(void *user, const VolumeRecord *volume);
    bool (*input)(void *user, const InputFile *file);
  } row;
  void *user;
} Receiver;

static bool take_evidence(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  EvidenceRecord record = {.no = (uint32_t)column_u64(s, 0),
                           .name = column_text(s, 1),
                           .path = column_text(s, 2),
                           .kind = column_text(s, 3),
                           .format = column_text(s, 4),
                           .media_bytes = column_u64(s, 5),
                           .sector_bytes = column_u64(s, 6),
                           .stored_md5 = column_text(s, 7),
                           .stored_sha1 = column_text(s, 8),
                           .md5 = column_text(s, 9),
                           .sha1 = column_text(s, 10),
                           .sha256 = column_text(s, 11),
                           .digest_status = column_text(s, 12)};
  return receiver->row.evidence(receiver->user, &record);
}

bool store_each_evidence(Store *store, bool (*row)(void *user, const EvidenceRecord *evidence),
                         void *user, GError **error) {
  Receiver receiver = {.row.evidence = row, .user = user};
  g_autofree char *scope = store_scope_clause(store, "no");
  g_autofree char *sql = g_strdup_printf("SELECT * FROM evidence%s ORDER BY no", scope);
  return each(store, sql, 0, take_evidence, &receiver, error);
}

static bool take_property(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  return receiver->row.property(receiver->user, column_text(s, 0), column_text(s, 1));
}

bool store_each_evidence_property(Store *store, uint32_t evidence,
                                  bool (*row)(void *user, const char *name, const char *value),
                                  void *user, GError **error) {
  Receiver receiver = {.row.property = row, .user = user};
  return each(store, "SELECT name, value FROM evidence_property WHERE evidence = ? ORDER BY no",
              evidence, take_property, &receiver, error);
}

static bool take_file(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  return receiver->row.file(receiver->user, column_text(s, 0), column_u64(s, 1));
}

bool store_each_evidence_file(Store *store, uint32_t evidence,
                              bool (*row)(void *user, const char *path, uint64_t size), void *user,
                              GError **error) {
  Receiver receiver = {.row.file = row, .user = user};
  return each(store, "SELECT path, size FROM evidence_file WHERE evidence = ? ORDER BY no",
              evidence, take_file, &receiver, error);
}

static bool take_volume(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  VolumeRecord record = {.evidence = (uint32_t)column_u64(s, 0),
                         .no = (uint32_t)column_u64(s, 1),
                         .offset = column_u64(s, 2),
                         .length = column_u64(s, 3),
                         .fs_type = column_text(s, 4),
                         .description = column_text(s, 5),
                         .is_enumerated = column_u64(s, 6) != 0};
  return receiver->row.volume(receiver->user, &record);
}

bool store_each_volume(Store *store, bool (*row)(void *user, const VolumeRecord *volume),
                       void *user, GError **error) {
  Receiver receiver = {.row.volume = row, .user = user};
  g_autofree char *scope = store_scope_clause(store, "evidence");
  g_autofree char *sql = g_strdup_printf("SELECT * FROM volume%s ORDER BY evidence, no", scope);
  return each(store, sql, 0, take_volume, &receiver, error);
}

static bool take_account(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  return receiver->row.account(receiver->user, (uint32_t)column_u64(s, 0),
                               (uint32_t)column_u64(s, 1), column_text(s, 2), column_u64(s, 3));
}

bool store_each_account(Store *store,
                        bool (*row)(void *user, uint32_t evidence, uint32_t volume,
                                    const char *what, uint64_t bytes),
                        void *user, GError **error) {
  Receiver receiver = {.row.account = row, .user = user};
  return each(store,
              "SELECT evidence, volume, what, bytes FROM account ORDER BY evidence, volume, no", 0,
              take_account, &receiver, error);
}

static bool take_input(void *user, sqlite3_stmt *s) {
  Receiver *receiver = user;
  InputFile file = {column_text(s, 0), column_text(s, 1), column_text(s, 2), column_u64(s, 3)};
  return receiver->row.input(receiver->user, &file);
}

bool store_each_input_file(Store *store, bool (*row)(void *user, const InputFile *file), void *user,
                           GError **error) {
  Receiver receiver = {.row.input = row, .user = user};
  return each(store, "SELECT kind, name, sha256, size FROM input_file ORDER BY no", 0, take_input,
              &receiver, error);
}

static bool take_totals(void *user, sqlite3_stmt *s) {
  StoreTotals *out = user;
  uint64_t *fields[] = {&out->objects, &out->objects_examined, &out->objects_without_content,
                        &out->bytes,   &out->bytes_examined,   &out->members};
  for (int i = 0; i < 6; i++)
    *fields[i] = column_u64(s, i);
  return false;
}

static bool take_count(void *user, sqlite3_stmt *s) {
  *(uint64_t *)user = column_u64(s, 0);
  return false;
}

bool store_totals(Store *store, uint32_t evidence, uint32_t volume, StoreTotals *out,
                  GError **error) {
  g_autofree char *where =
      evidence == 0 ? store_scope_clause(store, "evidence")
                    : g_strdup_printf(" WHERE evidence = %u AND volume = %u", evidence, volume);
  g_autofree char *objects = g_strdup_printf(
      "SELECT count(*), coalesce(sum(status = 1), 0), coalesce(sum(status = 2), 0), "
      "coalesce(sum(size), 0), coalesce(sum(examined_bytes), 0), coalesce(sum(members), 0) FROM "
      "object%s",
      where);
  g_autofree char *gaps = g_strdup_printf("SELECT count(*) FROM gap%s", where);
  g_autofree char *hits = g_strdup_printf(
      "SELECT coalesce(sum(1 + (SELECT count(*) FROM name n WHERE n.evidence = h.evidence AND "
      "n.volume = h.volume AND n.seq = h.seq)), 0) FROM hit h%s",
      where);
  return each(store, objects, 0, take_totals, out, error) &&
         each(store, gaps, 0, take_count, &out->gaps, error) &&
         each(store, hits, 0, take_count, &out->hits, error);
}
