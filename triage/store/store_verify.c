/* SPDX-License-Identifier: Apache-2.0 */
/* store_verify.c - a copy of a case in which every object with a hit is still to be examined, and
 * the comparison of what the second look found with what the case records. */
#include "base/text.h"
#include "store/store_private.h"
#include "store/store_shard.h"
#include <string.h>
#include <unistd.h>

#define KEY_IS(table)                                                                              \
  "(" table ".evidence, " table ".volume, " table ".seq) IN (SELECT evidence, volume, seq FROM "   \
  "hit)"

/* Objects without a hit are left as they are: only the hits are looked at again. */
static const char FORGET[] =
    "BEGIN IMMEDIATE;"
    "UPDATE object SET work = CASE WHEN " KEY_IS(
        "object") " THEN 0 ELSE 1 END;"
                  "DELETE FROM match; DELETE FROM indicator; DELETE FROM corroboration; DELETE "
                  "FROM ground; DELETE FROM fact;"
                  "DELETE FROM member; DELETE FROM hit; DELETE FROM gap; DELETE FROM result;"
                  "DELETE FROM meta WHERE key LIKE 'evidence\\_%\\_finished' ESCAPE '\\' OR key = "
                  "'entries';"
                  "COMMIT;";

bool store_copy_for_verify(Store *store, const char *dir, GError **error) {
  if (!store_copy(store, dir, error))
    return false;
  g_autoptr(Store) copy = store_open(dir, true, error);
  return copy != NULL && (sqlite3_exec(copy->db, FORGET, NULL, NULL, NULL) == SQLITE_OK ||
                          store_fail(copy, "preparing the copy", error));
}

/* Everything a hit says of the evidence; what the assessment made of it is not looked at again. */
#define SAME_HIT                                                                                   \
  "a.evidence = b.evidence AND a.volume = b.volume AND a.seq = b.seq AND "                         \
  "a.member_no = b.member_no AND a.namespace = b.namespace AND a.rule = b.rule AND "               \
  "a.strings = b.strings AND a.match_count = b.match_count AND "                                   \
  "a.first_offset IS b.first_offset AND a.image_offset IS b.image_offset AND "                     \
  "a.excerpt = b.excerpt"
#define MATCHES(schema, hit)                                                                       \
  "(SELECT group_concat(identifier || ' ' || offset || ' ' || length || ' ' || hex(bytes), ';') "  \
  "FROM (SELECT * FROM " schema ".match WHERE hit = " hit ".id ORDER BY no))"
#define MEMBER(schema, hit)                                                                        \
  "(SELECT member || '|' || view || '|' || size || '|' || coalesce(sha256, '') FROM " schema       \
  ".member AS m WHERE m.evidence = " hit ".evidence AND m.volume = " hit ".volume AND m.seq = "    \
  "" hit ".seq AND m.no = " hit ".member_no)"

static const char NOT_FOUND_AGAIN[] =
    "SELECT a.id FROM main.hit AS a WHERE NOT EXISTS (SELECT 1 FROM again.hit AS b WHERE " SAME_HIT
    " AND " MATCHES("main", "a") " IS " MATCHES("again", "b") " AND " MEMBER(
        "main", "a") " IS " MEMBER("again", "b") ") ORDER BY a.id";

static bool collect(Store *store, const char *sql, GArray *ids, GError **error) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    return store_fail(store, "comparing the hits", error);
  int rc;
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    int64_t id = sqlite3_column_int64(statement, 0);
    g_array_append_val(ids, id);
  }
  sqlite3_finalize(statement);
  return rc == SQLITE_DONE || store_fail(store, "comparing the hits", error);
}

GArray *store_hits_not_found_again(Store *store, const char *dir, GError **error) {
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  char *sql = sqlite3_mprintf("ATTACH %Q AS again", file);
  bool ok = sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
            store_fail(store, "opening the copy", error);
  sqlite3_free(sql);
  ok = ok && collect(store, NOT_FOUND_AGAIN, ids, error);
  sqlite3_exec(store->db, "DETACH again", NULL, NULL, NULL);
  return ok ? g_steal_pointer(&ids) : NULL;
}
