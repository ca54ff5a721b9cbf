/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h - the inside of the case store. Knows SQLite; nothing outside triage/store does.
 */
#pragma once
#include "store/store.h"
#include <sqlite3.h>

enum { STORE_SCHEMA_VERSION = 9 };

typedef enum {
  SQL_PUT_META,
  SQL_GET_META,
  SQL_PUT_INPUT_FILE,
  SQL_PUT_EVIDENCE,
  SQL_PUT_PROPERTY,
  SQL_PUT_FILE,
  SQL_PUT_VOLUME,
  SQL_PUT_ACCOUNT,
  SQL_IS_ENUMERATED,
  SQL_PUT_DIR,
  SQL_PUT_OBJECT,
  SQL_PUT_NAME,
  SQL_PUT_GAP,
  SQL_PENDING,
  SQL_COUNT_WORK,
  SQL_PUT_RESULT,
  SQL_PUT_MEMBER,
  SQL_PUT_HIT,
  SQL_ADD_VIEW,
  SQL_PUT_MATCH,
  SQL_PUT_INDICATOR,
  SQL_PUT_FACT,
  SQL_PUT_VERDICT,
  SQL_CLEAR_CORROBORATION,
  SQL_PUT_CORROBORATION,
  SQL_CLEAR_GROUNDS,
  SQL_PUT_GROUND,
  SQL_GET_GROUNDS,
  SQL_PUT_NOTE,
  SQL_DROP_NOTE,
  SQL_GET_NOTES,
  SQL_GET_DIR,
  SQL_GET_OBJECT,
  SQL_EACH_FILE_NAME,
  SQL_GET_NAMES,
  SQL_GET_MATCHES,
  SQL_GET_INDICATORS,
  SQL_GET_CORROBORATION,
  SQL_LAST = SQL_GET_CORROBORATION
} StoreSql;
extern const char *const STORE_SQL[SQL_LAST + 1];
extern const char STORE_SCHEMA[];

struct _Store {
  sqlite3 *db;
  char *file, *shown;
  uint32_t scope; /* evidence that is given; 0: all */
  sqlite3_stmt *statements[SQL_LAST + 1];
  GHashTable *dir_paths; /* cache: "evidence volume dir" -> path */
  gsize dir_paths_bytes;
  GArray *totals;          /* VolumeTotals; NULL: not read yet */
  sqlite3_int64 totals_at; /* how many rows this connection had changed then */
};

gboolean store_fail(Store *store, const char *doing, GError **error);
/* A statement of the table, reset and without values (transfer none). */
sqlite3_stmt *store_statement(Store *store, StoreSql which, GError **error);
bool store_run(Store *store, sqlite3_stmt *statement, GError **error);

typedef struct {
  sqlite3_stmt *statement;
  int at;
} Binder;
void bind_text(Binder *binder, const char *text);
void bind_u64(Binder *binder, uint64_t value);
void bind_bytes(Binder *binder, GBytes *bytes);
void bind_time(Binder *binder, const TriageTime *time);
void bind_times(Binder *binder, const TriageTime *created, const TriageTime *modified,
                const TriageTime *changed, const TriageTime *accessed);
const char *column_text(sqlite3_stmt *statement, int column);
uint64_t column_u64(sqlite3_stmt *statement, int column);
GBytes *column_bytes(sqlite3_stmt *statement, int column);
void column_time(sqlite3_stmt *statement, int column, TriageTime *out);
/* Fills in what NTFS keeps of the times of the object, and of the member where an image inside has
 * NTFS: its name's times begin at column at. */
void store_both_records(sqlite3_stmt *statement, int at, const Object *object, HitRow *row);
void column_digests(sqlite3_stmt *statement, int column, Digests *out);

/* " WHERE column = scope", or "". (transfer full) */
char *store_scope_clause(const Store *store, const char *column);

GHashTable *store_dir_paths_new(void);
/* Path of a directory, "" for the root. (transfer full) */
char *store_dir_path(Store *store, uint32_t evidence, uint32_t volume, uint32_t dir);
/* One path out of directory, name and stream. (transfer full) */
char *store_join_path(Store *store, uint32_t evidence, uint32_t volume, uint32_t dir, GBytes *name,
                      GBytes *attr_name);
