/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - opening, transactions, facts about the run. */
#include "base/text.h"
#include "store/store_private.h"
#include <string.h>
#include <unistd.h>

gboolean store_fail(Store *store, const char *doing, GError **error) {
  int code = sqlite3_errcode(store->db) & 0xff;
  if (code == SQLITE_FULL || code == SQLITE_IOERR)
    return triage_fail(error, TRIAGE_REASON_INTERNAL,
                       "%s: the disk is full or cannot be written (%s); free space and run again "
                       "with --resume",
                       store->shown, sqlite3_errmsg(store->db));
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: %s failed: %s", store->shown, doing,
                     sqlite3_errmsg(store->db));
}

static bool run_sql(Store *store, const char *sql, const char *doing, GError **error) {
  return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
         store_fail(store, doing, error);
}

static Store *open_file(const char *dir, int flags, GError **error) {
  Store *store = g_new0(Store, 1);
  store->file = g_build_filename(dir, "case.db", NULL);
  store->shown = text_printable(store->file, strlen(store->file));
  store->dir_paths = store_dir_paths_new();
  if (sqlite3_open_v2(store->file, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be opened: %s", store->shown,
                store->db != NULL ? sqlite3_errmsg(store->db) : "no memory");
    store_free(store);
    return NULL;
  }
  sqlite3_busy_timeout(store->db, 10000);
  return store;
}

/* All or nothing: a run killed here leaves a store without tables, which can be begun again. */
static bool make_tables(Store *store, GError **error) {
  g_autofree char *version = g_strdup_printf("PRAGMA user_version=%d;", STORE_SCHEMA_VERSION);
  return run_sql(store, "BEGIN IMMEDIATE", "making the tables", error) &&
         run_sql(store, STORE_SCHEMA, "making the tables", error) &&
         run_sql(store, version, "making the tables", error) &&
         run_sql(store, "COMMIT", "making the tables", error);
}

Store *store_create(const char *dir, GError **error) {
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  if (access(file, F_OK) == 0) {
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: exists already", file);
    return NULL;
  }
  Store *store = open_file(dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
  if (store == NULL)
    return NULL;
  if (!run_sql(store,
               "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
               "opening", error) ||
      !make_tables(store, error)) {
    store_free(store);
    return NULL;
  }
  return store;
}

static int read_number(Store *store, const char *sql) {
  sqlite3_stmt *statement = NULL;
  int number = -1;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

Store *store_open(const char *dir, bool writable, GError **error) {
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  if (access(file, F_OK) != 0) {
    g_autofree char *shown = text_printable(dir, strlen(dir));
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no case directory: it holds no case.db", shown);
    return NULL;
  }
  Store *store = open_file(dir, writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, error);
  if (store == NULL)
    return NULL;
  int version = read_number(store, "PRAGMA user_version");
  if (version == 0 && writable && read_number(store, "SELECT count(*) FROM sqlite_schema") == 0) {
    if (!make_tables(store, error)) {
      store_free(store);
      return NULL;
    }
    version = STORE_SCHEMA_VERSION;
  }
  if (version != STORE_SCHEMA_VERSION) {
    triage_fail(error, TRIAGE_REASON_USAGE,
                "%s: is no case store of this version of triage (schema %d, expected %d)",
                store->shown, version, STORE_SCHEMA_VERSION);
    store_free(store);
    return NULL;
  }
  if (writable &&
      !run_sql(store, "PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;", "opening", error)) {
    store_free(store);
    return NULL;
  }
  return store;
}

void store_free(Store *store) {
  if (store == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS(store->statements); i++)
    sqlite3_finalize(store->statements[i]);
  if (store->db != NULL)
    sqlite3_close_v2(store->db); /* rolls back what was not committed */
  g_hash_table_unref(store->dir_paths);
  g_clear_pointer(&store->totals, g_array_unref);
  g_free(store->file);
  g_free(store->shown);
  g_free(store);
}

void store_set_scope(Store *store, uint32_t evidence) {
  store->scope = evidence;
}

uint32_t store_scope(const Store *store) {
  return store->scope;
}

char *store_scope_clause(const Store *store, const char *column) {
  return store->scope == 0 ? g_strdup("") : g_strdup_printf(" WHERE %s = %u", column, store->scope);
}

bool store_begin(Store *store, GError **error) {
  return run_sql(store, "BEGIN IMMEDIATE", "beginning a transaction", error);
}

bool store_commit(Store *store, GError **error) {
  return sqlite3_get_autocommit(store->db) != 0 || run_sql(store, "COMMIT", "committing", error);
}

void store_rollback(Store *store) {
  sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_settle(Store *store, GError **error) {
  return store_commit(store, error);
}

sqlite3_stmt *store_statement(Store *store, StoreSql which, GError **error) {
  sqlite3_stmt **statement = &store->statements[which];
  if (*statement == NULL &&
      sqlite3_prepare_v3(store->db, STORE_SQL[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                         NULL) != SQLITE_OK) {
    store_fail(store, "preparing a statement", error);
    return NULL;
  }
  sqlite3_reset(*statement);
  sqlite3_clear_bindings(*statement);
  return *statement;
}

bool store_run(Store *store, sqlite3_stmt *statement, GError **error) {
  int rc = sqlite3_step(statement);
  bool ok = rc == SQLITE_DONE || rc == SQLITE_ROW || store_fail(store, "writing", error);
  sqlite3_reset(statement);
  return ok;
}

void bind_text(Binder *binder, const char *text) {
  sqlite3_bind_text(binder->statement, ++binder->at, text != NULL ? text : "", -1,
                    SQLITE_TRANSIENT);
}

void bind_u64(Binder *binder, uint64_t value) {
  sqlite3_bind_int64(binder->statement, ++binder->at, (sqlite3_int64)value);
}

void bind_bytes(Binder *binder, GBytes *bytes) {
  gsize n;
  gconstpointer p = bytes != NULL ? g_bytes_get_data(bytes, &n) : NULL;
  if (bytes == NULL)
    sqlite3_bind_null(binder->statement, ++binder->at);
  else
    sqlite3_bind_blob64(binder->statement, ++binder->at, p != NULL ? p : "", p != NULL ? n : 0,
                        SQLITE_TRANSIENT);
}

void bind_time(Binder *binder, const TriageTime *time) {
  if (time->is_set)
    bind_u64(binder, (uint64_t)time->seconds);
  else
    sqlite3_bind_null(binder->statement, ++binder->at);
  bind_u64(binder, time->nanoseconds | (uint64_t)time->digits << 32 |
                       (uint64_t)(time->is_local ? 1 : 0) << 40 |
                       (uint64_t)(time->is_date ? 1 : 0) << 41 | (uint64_t)time->source << 48);
}

void bind_times(Binder *binder, const TriageTime *created, const TriageTime *modified,
                const TriageTime *changed, const TriageTime *accessed) {
  bind_time(binder, created);
  bind_time(binder, modified);
  bind_time(binder, changed);
  bind_time(binder, accessed);
}

const char *column_text(sqlite3_stmt *statement, int column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  return text != NULL ? text : "";
}

uint64_t column_u64(sqlite3_stmt *statement, int column) {
  return (uint64_t)sqlite3_column_int64(statement, column);
}

GBytes *column_bytes(sqlite3_stmt *statement, int column) {
  if (sqlite3_column_type(statement, column) == SQLITE_NULL)
    return NULL;
  const void *p = sqlite3_column_blob(statement, column);
  return g_bytes_new(p, (gsize)sqlite3_column_bytes(statement, column));
}

void column_time(sqlite3_stmt *statement, int column, TriageTime *out) {
  uint64_t part = column_u64(statement, column + 1);
  out->is_set = sqlite3_column_type(statement, column) != SQLITE_NULL;
  out->seconds = (int64_t)column_u64(statement, column);
  out->nanoseconds = (uint32_t)part;
  out->digits = (uint8_t)(part >> 32);
  out->is_local = (part >> 40 & 1) != 0;
  out->is_date = (part >> 41 & 1) != 0;
  out->source = (uint8_t)MIN(part >> 48, TIME_SOURCE_LAST);
}

void column_digests(sqlite3_stmt *statement, int column, Digests *out) {
  g_strlcpy(out->sha256, column_text(statement, column), sizeof out->sha256);
  g_strlcpy(out->sha1, column_text(statement, column + 1), sizeof out->sha1);
  g_strlcpy(out->md5, column_text(statement, column + 2), sizeof out->md5);
}

bool store_put_meta(Store *store, const char *key, const char *value, GError **error) {
  Binder binder = {store_statement(store, SQL_PUT_META, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_text(&binder, key);
  bind_text(&binder, value);
  return store_run(store, binder.statement, error);
}

char *store_get_meta(Store *store, const char *key) {
  Binder binder = {store_statement(store, SQL_GET_META, NULL), 0};
  if (binder.statement == NULL)
    return NULL;
  bind_text(&binder, key);
  char *value = NULL;
  if (sqlite3_step(binder.statement) == SQLITE_ROW)
    value = g_strdup(column_text(binder.statement, 0));
  sqlite3_reset(binder.statement);
  return value;
}

void object_free(Object *object) {
  if (object == NULL)
    return;
  g_clear_pointer(&object->name, g_bytes_unref);
  g_clear_pointer(&object->attr_name, g_bytes_unref);
  g_free(object);
}
