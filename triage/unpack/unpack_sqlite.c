/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_sqlite.c - SQLite databases by SQLite itself: the values of rows too long for one page,
 * which are cut into pieces that lie anywhere. All others stand in one piece in the file's own
 * bytes, which are scanned too, as is what was deleted. SQLite reads the content through a file
 * system of one file, and may do nothing but read tables. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <sqlite3.h>
#include <string.h>

enum {
  VERSIONS_AT = 18, /* of the header: 2 where a write-ahead log is used, 1 where not */
  PAGE_BYTES_AT = 16,
  RESERVED_AT = 20,
  SHORTEST = 16, /* bytes of a value: none of fewer says anything */
  ALIVE_STEPS = 100000,
  NAME_BYTES = 512
};
#define HEAP_BYTES (256 * MIB)
/* Of SQLite's machine, for each byte of the database: pages may name one another without end. */
#define STEPS_PER_BYTE 512
#define STEPS_LEAST (64 * KIB * STEPS_PER_BYTE)

typedef struct {
  sqlite3_file base;
  const uint8_t *data;
  uint64_t size;
} ContentFile;

typedef struct {
  Unpack *unpack;
  Container *container;
  sqlite3 *db;
  uint64_t page_bytes;
  uint64_t n_values;
  uint64_t steps_left;
  bool is_over; /* a limit was met, and told */
} Database;

bool probe_sqlite(const uint8_t *data, uint64_t size) {
  return size >= 512 && memcmp(data, "SQLite format 3", 16) == 0;
}

/* ---- the content as a file ---- */

static int on_close(sqlite3_file *file) {
  (void)file;
  return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *buffer, int n, sqlite3_int64 offset) {
  const ContentFile *content = (const ContentFile *)(void *)file;
  uint64_t at = offset < 0 ? content->size : (uint64_t)offset;
  uint64_t got = at < content->size ? MIN(content->size - at, (uint64_t)n) : 0;
  memset(buffer, 0, (size_t)n);
  if (got > 0)
    memcpy(buffer, content->data + at, (size_t)got);
  /* No log lies beside the content: what it held is not here. */
  for (uint64_t i = VERSIONS_AT; i < VERSIONS_AT + 2; i++)
    if (i >= at && i - at < got)
      ((uint8_t *)buffer)[i - at] = 1;
  return got == (uint64_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *file, const void *buffer, int n, sqlite3_int64 offset) {
  (void)file, (void)buffer, (void)n, (void)offset;
  return SQLITE_READONLY;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
  (void)file, (void)size;
  return SQLITE_READONLY;
}

static int on_flags(sqlite3_file *file, int flags) {
  (void)file, (void)flags;
  return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size) {
  *size = (sqlite3_int64)((const ContentFile *)(void *)file)->size;
  return SQLITE_OK;
}

static int on_reserved(sqlite3_file *file, int *is_reserved) {
  (void)file;
  *is_reserved = 0;
  return SQLITE_OK;
}

static int on_control(sqlite3_file *file, int operation, void *argument) {
  (void)file, (void)operation, (void)argument;
  return SQLITE_NOTFOUND;
}

static int sector_bytes(sqlite3_file *file) {
  (void)file;
  return 512;
}

static int characteristics(sqlite3_file *file) {
  (void)file;
  return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods METHODS = {.iVersion = 1,
                                           .xClose = on_close,
                                           .xRead = on_read,
                                           .xWrite = on_write,
                                           .xTruncate = on_truncate,
                                           .xSync = on_flags,
                                           .xFileSize = on_size,
                                           .xLock = on_flags,
                                           .xUnlock = on_flags,
                                           .xCheckReservedLock = on_reserved,
                                           .xFileControl = on_control,
                                           .xSectorSize = sector_bytes,
                                           .xDeviceCharacteristics = characteristics};

/* The one file there is, by whatever name; a temporary one there is not. */
static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                   int *out_flags) {
  ContentFile *content = (ContentFile *)(void *)file;
  const Database *database = vfs->pAppData;
  content->base.pMethods = NULL;
  if (name == NULL || (flags & SQLITE_OPEN_MAIN_DB) == 0)
    return SQLITE_CANTOPEN;
  content->data = content_data(database->container->content);
  content->size = content_size(database->container->content);
  content->base.pMethods = &METHODS;
  if (out_flags != NULL)
    *out_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
  return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int is_synced) {
  (void)vfs, (void)name, (void)is_synced;
  return SQLITE_READONLY;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
  (void)vfs, (void)name, (void)flags;
  *result = 0;
  return SQLITE_OK;
}

static int on_path(sqlite3_vfs *vfs, const char *name, int n, char *out) {
  (void)vfs;
  g_strlcpy(out, name, (gsize)n);
  return SQLITE_OK;
}

/* The same every time: nothing of a read depends on either. */
static int on_random(sqlite3_vfs *vfs, int n, char *out) {
  (void)vfs;
  memset(out, 0, (size_t)n);
  return n;
}

static int on_time(sqlite3_vfs *vfs, double *now) {
  (void)vfs;
  *now = 2440587.5;
  return SQLITE_OK;
}

static int on_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  return microseconds;
}

static int on_error(sqlite3_vfs *vfs, int n, char *out) {
  (void)vfs, (void)n, (void)out;
  return 0;
}

/* ---- what it may do ---- */

static int authorize(void *user, int action, const char *a, const char *b, const char *c,
                     const char *d) {
  (void)user, (void)a, (void)b, (void)c, (void)d;
  return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static int on_progress(void *user) {
  Database *database = user;
  if (database->steps_left < ALIVE_STEPS)
    return 1;
  database->steps_left -= ALIVE_STEPS;
  return unpack_alive(database->unpack, KIB) ? 0 : 1;
}

static void restrict_database(sqlite3 *db, Database *database) {
  static const struct {
    int what, most;
  } LIMITS[] = {{SQLITE_LIMIT_ATTACHED, 0},      {SQLITE_LIMIT_EXPR_DEPTH, 20},
                {SQLITE_LIMIT_VDBE_OP, 100000},  {SQLITE_LIMIT_FUNCTION_ARG, 8},
                {SQLITE_LIMIT_TRIGGER_DEPTH, 1}, {SQLITE_LIMIT_COMPOUND_SELECT, 2}};
  for (size_t i = 0; i < G_N_ELEMENTS(LIMITS); i++)
    sqlite3_limit(db, LIMITS[i].what, LIMITS[i].most);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, (int)HEAP_BYTES);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  sqlite3_exec(db, "PRAGMA cell_size_check = 1; PRAGMA temp_store = 2; PRAGMA mmap_size = 0", NULL,
               NULL, NULL);
  sqlite3_set_authorizer(db, authorize, database);
  sqlite3_progress_handler(db, ALIVE_STEPS, on_progress, database);
}

/* ---- tables ---- */

static void fail(Database *database, const char *what) {
  int code = sqlite3_errcode(database->db) & 0xFF;
  if (database->is_over || database->unpack->is_stopped)
    return;
  database->is_over = code == SQLITE_NOMEM || code == SQLITE_INTERRUPT;
  g_autofree char *valid = g_utf8_make_valid(what, -1);
  unpack_damage(database->unpack, database->container,
                code == SQLITE_NOMEM                                ? TRIAGE_REASON_OUT_OF_MEMORY
                : code == SQLITE_TOOBIG || code == SQLITE_INTERRUPT ? TRIAGE_REASON_SIZE_LIMIT
                : code == SQLITE_AUTH ? TRIAGE_REASON_UNSUPPORTED_FORMAT
                                      : TRIAGE_REASON_CORRUPT,
                "%s of the SQLite database cannot be read: %s; its pages were scanned as they are",
                valid,
                code == SQLITE_INTERRUPT ? "it has more rows than its bytes can hold"
                                         : sqlite3_errmsg(database->db));
}

static bool is_within_limits(Database *database) {
  if (database->unpack->is_stopped || database->is_over)
    return false;
  if (database->n_values < LIMIT_MEMBERS && unpack_budget(database->unpack) > 0)
    return true;
  database->is_over = true;
  unpack_damage(database->unpack, database->container, TRIAGE_REASON_SIZE_LIMIT,
                "values behind the first %" G_GUINT64_FORMAT
                " long ones of the SQLite database were not put together: the limit of %u, or "
                "--max-expanded, is used up",
                database->n_values, LIMIT_MEMBERS);
  return false;
}

/* Text comes as UTF-8, whatever the database keeps. */
static void hand_out(Database *database, sqlite3_stmt *row, int column, const char *table,
                     uint64_t number) {
  bool is_text = sqlite3_column_type(row, column) == SQLITE_TEXT;
  const void *bytes =
      is_text ? (const void *)sqlite3_column_text(row, column) : sqlite3_column_blob(row, column);
  size_t n = (size_t)sqlite3_column_bytes(row, column);
  g_autoptr(GError) error = NULL;
  if (bytes == NULL)
    return;
  g_autofree char *text = g_strdup_printf("%.*s/%" G_GUINT64_FORMAT "/%.*s", NAME_BYTES, table,
                                          number, NAME_BYTES, sqlite3_column_name(row, column));
  g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
  Intake intake;
  intake_init(&intake, database->unpack, database->container);
  intake_append(&intake, bytes, n, &error);
  database->n_values++;
  intake_hand_out(&intake, name, n, error);
}

/* Of a record at least so many bytes are kept in one piece: by the page of an index, whose quarter
 * it is, less its own fields and what is reserved behind them. */
static uint64_t kept_bytes(const Database *database) {
  const uint8_t *header = content_data(database->container->content);
  uint64_t usable = database->page_bytes - MIN(database->page_bytes, header[RESERVED_AT]);
  uint64_t kept = MAX(usable, 480) - 12; /* no page may have less */
  return MIN(kept * 64 / 255 - 23, database->page_bytes / 5);
}

/* May the row's record lie in more than one piece? */
static bool is_cut(const Database *database, sqlite3_stmt *row) {
  uint64_t bytes = 0;
  for (int i = 0; i < sqlite3_column_count(row); i++) {
    int type = sqlite3_column_type(row, i);
    bool is_long = type == SQLITE_TEXT || type == SQLITE_BLOB;
    bytes += 9 + (is_long ? (uint64_t)sqlite3_column_bytes(row, i) : 0);
  }
  return bytes > kept_bytes(database);
}

static void read_row(Database *database, sqlite3_stmt *row, const char *table, uint64_t number) {
  int n_columns = is_cut(database, row) ? sqlite3_column_count(row) : 0;
  for (int i = 0; i < n_columns && is_within_limits(database); i++) {
    int type = sqlite3_column_type(row, i);
    if ((type == SQLITE_TEXT || type == SQLITE_BLOB) && sqlite3_column_bytes(row, i) >= SHORTEST)
      hand_out(database, row, i, table, number);
  }
}

static void read_table(Database *database, const char *table) {
  sqlite3_stmt *rows = NULL;
  uint64_t number = 0;
  int rc;
  char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
  g_autofree char *what = g_strdup_printf("table %s", table);
  rc = sql != NULL ? sqlite3_prepare_v2(database->db, sql, -1, &rows, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  while (rc == SQLITE_OK || rc == SQLITE_ROW) {
    if (!is_within_limits(database))
      break;
    rc = sqlite3_step(rows);
    if (rc == SQLITE_ROW)
      read_row(database, rows, table, ++number);
  }
  if (rc != SQLITE_DONE)
    fail(database, what);
  sqlite3_finalize(rows);
}

static void read_tables(Database *database) {
  sqlite3_stmt *names = NULL;
  g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(g_free);
  /* Virtual tables are programs, views are questions: neither has values of its own. SQLite itself
   * does not care whether it says "table" or "TABLE". */
  int rc = sqlite3_prepare_v2(database->db,
                              "SELECT name FROM sqlite_schema WHERE type = 'table' COLLATE NOCASE "
                              "AND rootpage > 0 UNION ALL SELECT 'sqlite_schema'",
                              -1, &names, NULL);
  while (rc == SQLITE_OK || rc == SQLITE_ROW) {
    rc = sqlite3_step(names);
    if (rc == SQLITE_ROW && sqlite3_column_text(names, 0) != NULL)
      g_ptr_array_add(tables, g_strdup((const char *)sqlite3_column_text(names, 0)));
  }
  if (rc != SQLITE_DONE)
    fail(database, "the list of tables");
  sqlite3_finalize(names);
  for (guint i = 0; i < tables->len && is_within_limits(database); i++)
    read_table(database, tables->pdata[i]);
}

void unpack_sqlite_open(Unpack *unpack, const Unpacker *self, Container *container) {
  uint32_t page = (uint32_t)content_data(container->content)[PAGE_BYTES_AT] << 8 |
                  content_data(container->content)[PAGE_BYTES_AT + 1];
  Database database = {.unpack = unpack,
                       .container = container,
                       .steps_left =
                           MAX(content_size(container->content) * STEPS_PER_BYTE, STEPS_LEAST),
                       .page_bytes = page == 1 ? 64 * KIB : page};
  sqlite3_vfs vfs = {.iVersion = 1,
                     .szOsFile = sizeof(ContentFile),
                     .mxPathname = 64,
                     .zName = "content",
                     .pAppData = &database,
                     .xOpen = on_open,
                     .xDelete = on_delete,
                     .xAccess = on_access,
                     .xFullPathname = on_path,
                     .xRandomness = on_random,
                     .xSleep = on_sleep,
                     .xCurrentTime = on_time,
                     .xGetLastError = on_error};
  (void)self;
  sqlite3_hard_heap_limit64((sqlite3_int64)HEAP_BYTES);
  sqlite3_vfs_register(&vfs, 0);
  if (sqlite3_open_v2("content", &database.db, SQLITE_OPEN_READONLY, "content") == SQLITE_OK) {
    restrict_database(database.db, &database);
    read_tables(&database);
  } else {
    fail(&database, "no table");
  }
  sqlite3_close(database.db);
  sqlite3_vfs_unregister(&vfs);
}

const char *unpack_sqlite_version(void) {
  return sqlite3_libversion();
}
