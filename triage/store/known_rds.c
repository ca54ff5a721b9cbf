/* SPDX-License-Identifier: Apache-2.0 */
/* known_rds.c - any table with a column sha256, sha1 or md5; METADATA of the full sets and FILE of
 * the minimal ones come first, a view (FILE of the full sets) last. */
#include "store/known_rds.h"
#include "base/text.h"
#include "triage/error.h"
#include <sqlite3.h>
#include <string.h>

static gboolean fail(sqlite3 *db, const char *shown, const char *why, GError **error) {
  return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no list of known files: %s", shown,
                     why != NULL ? why : sqlite3_errmsg(db));
}

/* "sha256 sha1 md5": those of its columns; false where it has none. */
static bool find_columns(sqlite3 *db, const char *table, GString *columns) {
  static const char *const WANTED[] = {"sha256", "sha1", "md5"};
  for (gsize i = 0; i < G_N_ELEMENTS(WANTED); i++)
    if (sqlite3_table_column_metadata(db, NULL, table, WANTED[i], NULL, NULL, NULL, NULL, NULL) ==
        SQLITE_OK)
      g_string_append_printf(columns, "%snullif(%s, '')", columns->len > 0 ? ", " : "", WANTED[i]);
  return columns->len > 0;
}

/* The statement over all its digests; NULL where no table has any. */
static sqlite3_stmt *find_digests(sqlite3 *db) {
  static const char TABLES[] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT "
                               "LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY upper(name) <> 'METADATA', "
                               "upper(name) <> 'FILE', name";
  sqlite3_stmt *tables = NULL, *digests = NULL;
  if (sqlite3_prepare_v2(db, TABLES, -1, &tables, NULL) != SQLITE_OK)
    return NULL;
  while (digests == NULL && sqlite3_step(tables) == SQLITE_ROW) {
    const char *table = (const char *)sqlite3_column_text(tables, 0);
    g_autoptr(GString) columns = g_string_new(NULL);
    if (table == NULL || !find_columns(db, table, columns))
      continue;
    char *sql = sqlite3_mprintf("SELECT coalesce(%s, NULL) FROM \"%w\"", columns->str, table);
    sqlite3_prepare_v2(db, sql, -1, &digests, NULL);
    sqlite3_free(sql);
  }
  sqlite3_finalize(tables);
  return digests;
}

bool known_rds_each(const char *path, bool (*row)(void *user, const char *hex, GError **error),
                    void *user, GError **error) {
  g_autofree char *shown = text_printable(path, strlen(path));
  sqlite3 *db = NULL;
  bool ok =
      sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK ||
      fail(db, shown, NULL, error);
  sqlite3_stmt *digests = ok ? find_digests(db) : NULL;
  if (ok && digests == NULL)
    ok = fail(db, shown, "no table of it has a column sha256, sha1 or md5", error);
  int rc = SQLITE_DONE;
  while (ok && (rc = sqlite3_step(digests)) == SQLITE_ROW) {
    const char *hex = (const char *)sqlite3_column_text(digests, 0);
    ok = hex == NULL || row(user, hex, error);
  }
  if (ok && rc != SQLITE_DONE)
    ok = fail(db, shown, NULL, error);
  sqlite3_finalize(digests);
  sqlite3_close_v2(db);
  return ok;
}
