/* SPDX-License-Identifier: Apache-2.0 */
/* store_resume.c - gaps carry the number of their arrival: those up to the mark of their volume are
 * of its walk, later ones of the examination of objects or of the evidence as a whole. */
#include "store/store_resume.h"
#include "store/store_private.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static bool run(Store *store, char *sql, GError **error) {
  g_autofree char *owned = sql;
  return sqlite3_exec(store->db, owned, NULL, NULL, NULL) == SQLITE_OK ||
         store_fail(store, "going back", error);
}

bool store_mark_walked(Store *store, uint32_t evidence, uint32_t volume, GError **error) {
  return run(store,
             g_strdup_printf("REPLACE INTO meta SELECT 'evidence_%u_walked_%u', coalesce(max(no), "
                             "0) FROM gap",
                             evidence, volume),
             error);
}

/* The numbers a statement gives, in an array of uint32_t. */
static GArray *numbers_of(Store *store, char *sql, GError **error) {
  g_autofree char *owned = sql;
  g_autoptr(sqlite3_stmt) s = NULL;
  g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  int rc = sqlite3_prepare_v2(store->db, owned, -1, &s, NULL);
  while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
    uint32_t number = (uint32_t)column_u64(s, 0);
    g_array_append_val(numbers, number);
    rc = SQLITE_OK;
  }
  if (rc == SQLITE_DONE)
    return g_steal_pointer(&numbers);
  store_fail(store, "going back", error);
  return NULL;
}

bool store_forget_evidence(Store *store, uint32_t evidence, GError **error) {
  g_autoptr(GArray) volumes = numbers_of(
      store, g_strdup_printf("SELECT no FROM volume WHERE evidence = %u", evidence), error);
  for (guint i = 0; volumes != NULL && i < volumes->len; i++)
    if (!store_clear_volume(store, evidence, g_array_index(volumes, uint32_t, i), error))
      return false;
  return volumes != NULL &&
         run(store,
             g_strdup_printf("DELETE FROM gap WHERE evidence = %u; DELETE FROM volume WHERE "
                             "evidence = %u; DELETE FROM evidence_property WHERE evidence = %u; "
                             "DELETE FROM evidence_file WHERE evidence = %u; DELETE FROM meta "
                             "WHERE key LIKE 'evidence\\_%u\\_%%' ESCAPE '\\'",
                             evidence, evidence, evidence, evidence, evidence),
             error);
}

#define MARK_OR(otherwise)                                                                         \
  "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'evidence_' || g.evidence || "    \
  "'_walked_' || g.volume), " otherwise ")"
#define MARK MARK_OR("1 << 62")
#define READ_ERROR "FROM gap AS g WHERE g.evidence = %u AND g.reason = 'read-error' "

static bool forget_walks(Store *store, uint32_t evidence, GError **error) {
  g_autoptr(GArray) volumes = numbers_of(
      store, g_strdup_printf("SELECT DISTINCT g.volume " READ_ERROR "AND g.no <= " MARK, evidence),
      error);
  for (guint i = 0; volumes != NULL && i < volumes->len; i++) {
    uint32_t volume = g_array_index(volumes, uint32_t, i);
    if (!store_clear_volume(store, evidence, volume, error) ||
        !run(store,
             g_strdup_printf("UPDATE volume SET is_enumerated = 0 WHERE evidence = %u AND no = %u; "
                             "DELETE FROM meta WHERE key = 'evidence_%u_walked_%u'",
                             evidence, volume, evidence, volume),
             error))
      return false;
  }
  return volumes != NULL;
}

#define DAMAGED(table) "(" table ".volume, " table ".seq) IN (SELECT volume, seq FROM damaged)"

static bool forget_objects(Store *store, uint32_t evidence, GError **error) {
  return run(
      store,
      g_strdup_printf(
          "CREATE TEMP TABLE damaged AS SELECT DISTINCT g.volume, g.seq " READ_ERROR
          "AND g.seq IS NOT NULL AND g.no > " MARK ";"
          "DELETE FROM match WHERE hit IN (SELECT id FROM hit WHERE evidence = %u AND " DAMAGED(
              "hit") ");"
                     "DELETE FROM indicator WHERE hit IN (SELECT id FROM hit WHERE evidence = %u "
                     "AND " DAMAGED(
                         "hit") ");"
                                "DELETE FROM corroboration WHERE hit IN (SELECT id FROM hit WHERE "
                                "evidence = %u "
                                "AND " DAMAGED(
                                    "hit") ");"
                                           "DELETE FROM ground WHERE hit IN (SELECT id FROM hit "
                                           "WHERE evidence = %u AND " DAMAGED(
                                               "hit") ");"
                                                      "DELETE FROM hit WHERE evidence = %u "
                                                      "AND " DAMAGED(
                                                          "hit") ";"
                                                                 "DELETE FROM member WHERE "
                                                                 "evidence = %u AND " DAMAGED(
                                                                     "member") ";"
                                                                               "DELETE FROM fact "
                                                                               "WHERE evidence = "
                                                                               "%u AND " DAMAGED(
                                                                                   "fact") ";"
                                                                                           "DELETE "
                                                                                           "FROM "
                                                                                           "gap AS "
                                                                                           "g "
                                                                                           "WHERE "
                                                                                           "g."
                                                                                           "evidenc"
                                                                                           "e = %u "
                                                                                           "AND"
                                                                                           " " DAMAGED(
                                                                                               "g") " AND g.no > " MARK
                                                                                                    ";"
                                                                                                    "UPDATE object SET status = 0, examined_bytes = 0, members = 0, sha256 = NULL, "
                                                                                                    "sha1 = NULL, md5 = NULL WHERE evidence = %u AND status = 1 AND " DAMAGED(
                                                                                                        "object") ";"
                                                                                                                  "DROP TABLE damaged",
          evidence, evidence, evidence, evidence, evidence, evidence, evidence, evidence, evidence,
          evidence),
      error);
}

bool store_forget_read_errors(Store *store, uint32_t evidence, GError **error) {
  g_autoptr(GArray) any =
      numbers_of(store, g_strdup_printf("SELECT 1 " READ_ERROR "LIMIT 1", evidence), error);
  if (any == NULL || any->len == 0)
    return any != NULL;
  /* Rows about the evidence as a whole are written once it is finished: again. */
  return forget_walks(store, evidence, error) && forget_objects(store, evidence, error) &&
         run(store,
             g_strdup_printf(
                 "DELETE FROM gap AS g WHERE g.evidence = %u AND g.volume = 0 AND g.seq "
                 "IS NULL AND g.no > " MARK_OR("0") "; DELETE FROM meta WHERE key = "
                                                    "'evidence_%u_finished'",
                 evidence, evidence),
             error);
}
