/* SPDX-License-Identifier: Apache-2.0 */
/* store_resume.c - a gap that the walk of a volume told of has the volume walked again, one of the
 * examination has its object examined again. */
#include "store/store_resume.h"
#include "store/store_private.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static bool run(Store *store, char *sql, GError **error) {
  g_autofree char *owned = sql;
  return sqlite3_exec(store->db, owned, NULL, NULL, NULL) == SQLITE_OK ||
         store_fail(store, "going back", error);
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

#define READ_ERROR "FROM gap AS g WHERE g.evidence = %u AND g.reason = 'read-error' "

static bool forget_walks(Store *store, uint32_t evidence, GError **error) {
  g_autoptr(GArray) volumes = numbers_of(
      store, g_strdup_printf("SELECT DISTINCT g.volume " READ_ERROR "AND g.is_walk", evidence),
      error);
  for (guint i = 0; volumes != NULL && i < volumes->len; i++) {
    uint32_t volume = g_array_index(volumes, uint32_t, i);
    if (!store_clear_volume(store, evidence, volume, error) ||
        !run(store,
             g_strdup_printf("UPDATE volume SET is_enumerated = 0 WHERE evidence = %u AND no = %u",
                             evidence, volume),
             error))
      return false;
  }
  return volumes != NULL;
}

#define DAMAGED "evidence = %u AND (volume, seq) IN (SELECT volume, seq FROM damaged)"

static bool forget_objects(Store *store, uint32_t evidence, GError **error) {
  static const char *const OF_HITS[] = {"match", "indicator", "corroboration", "ground"};
  static const char *const OF_OBJECTS[] = {"DELETE FROM hit WHERE", "DELETE FROM member WHERE",
                                           "DELETE FROM fact WHERE", "DELETE FROM result WHERE",
                                           "DELETE FROM gap WHERE NOT is_walk AND"};
  bool ok = run(store,
                g_strdup_printf("CREATE TEMP TABLE damaged AS SELECT DISTINCT g.volume, "
                                "g.seq " READ_ERROR "AND g.seq IS NOT NULL AND NOT g.is_walk",
                                evidence),
                error);
  for (gsize i = 0; ok && i < G_N_ELEMENTS(OF_HITS); i++)
    ok = run(store,
             g_strdup_printf("DELETE FROM %s WHERE hit IN (SELECT id FROM hit WHERE " DAMAGED ")",
                             OF_HITS[i], evidence),
             error);
  for (gsize i = 0; ok && i < G_N_ELEMENTS(OF_OBJECTS); i++)
    ok = run(store, g_strdup_printf("%s " DAMAGED, OF_OBJECTS[i], evidence), error);
  return ok && run(store, g_strdup("DROP TABLE damaged"), error);
}

bool store_forget_read_errors(Store *store, uint32_t evidence, GError **error) {
  g_autoptr(GArray) any =
      numbers_of(store, g_strdup_printf("SELECT 1 " READ_ERROR "LIMIT 1", evidence), error);
  if (any == NULL || any->len == 0)
    return any != NULL;
  /* Rows about the evidence as a whole are written once it is finished: again. */
  return forget_walks(store, evidence, error) && forget_objects(store, evidence, error) &&
         run(store,
             g_strdup_printf("DELETE FROM gap WHERE evidence = %u AND volume = 0 AND seq IS NULL "
                             "AND NOT is_walk; DELETE FROM meta WHERE key = "
                             "'evidence_%u_finished'",
                             evidence, evidence),
             error);
}
