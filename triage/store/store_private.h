/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h - the inside of the case store: connection, statements kept prepared, binding and
 * reading of columns, paths. Knows SQLite; nothing outside triage/store does. */
#pragma once
#include "store/store.h"
#include <sqlite3.h>

#define STORE_APPLICATION_ID 0x54524947 /* "TRIG" in the file's header */
#define STORE_SCHEMA_VERSION 1
#define STORE_FILE "case.db"

/* Statements used for each row: prepared once for each store. Texts in store_sql.c. */
typedef enum {
  SQL_PUT_META,
  SQL_GET_META,
  SQL_PUT_INPUT_FILE,
  SQL_PUT_EVIDENCE,
  SQL_PUT_EVIDENCE_PROPERTY,
  SQL_PUT_EVIDENCE_FILE,
  SQL_PUT_VOLUME,
  SQL_PUT_DIR,
  SQL_PUT_OBJECT,
  SQL_PUT_NAME,
  SQL_HAS_OBJECT,
  SQL_HAS_VOLUME_GAP,
  SQL_PUT_GAP,
  SQL_PENDING,
  SQL_COUNT_WORK,
  SQL_PUT_RESULT,
  SQL_PUT_MEMBER,
  SQL_HAS_MEMBER,
  SQL_PUT_HIT,
  SQL_PUT_MATCH,
  SQL_PUT_INDICATOR,
  SQL_PUT_FACT,
  SQL_PUT_VERDICT,
  SQL_CLEAR_CORROBORATION,
  SQL_PUT_CORROBORATION,
  SQL_GET_DIR,
  SQL_GET_EVIDENCE_NAME,
  SQL_GET_VOLUME,
  SQL_LAST = SQL_GET_VOLUME
} StoreSql;
extern const char *const STORE_SQL[SQL_LAST + 1];
extern const char STORE_SCHEMA[];
extern const char *const STORE_CLEAR_VOLUME[]; /* NULL-terminated; ?1 evidence, ?2 volume */

typedef struct _StorePaths StorePaths;

struct _Store {
  sqlite3 *db;
  char *file;  /* as given: DIR/case.db */
  char *shown; /* the same, printable */
  bool is_writable;
  bool is_settled; /* see store_settle */
  sqlite3_stmt *statements[SQL_LAST + 1];
  StorePaths *paths;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* Turns what SQLite says of the last call into one sentence naming the file and what to do. */
gboolean store_fail(Store *store, const char *doing, GError **error);
/* A row the caller should not have sent. */
gboolean store_reject(GError **error, const char *what);

/* A statement of the table, reset and without values (transfer none). NULL with error. For writing
 * statements also checks that the store may be written. */
sqlite3_stmt *store_statement(Store *store, StoreSql which, GError **error);
/* A statement of its own, so that readers may run inside one another. (transfer full) */
sqlite3_stmt *store_prepare(Store *store, const char *sql, GError **error);
/* Runs a statement that gives no row, and resets it. */
bool store_run(Store *store, sqlite3_stmt *statement, GError **error);
/* 1: a row, 0: no more, -1: error. */
int store_step(Store *store, sqlite3_stmt *statement, GError **error);
/* True where the statement gives a row (1) or not (0); resets it. -1: error. */
int store_has_row(Store *store, sqlite3_stmt *statement, GError **error);

/* Values are bound in the order of the statement's ?1 ?2 ... */
typedef struct {
  sqlite3_stmt *statement;
  int at;
} Binder;
void bind_u64(Binder *binder, uint64_t value); /* the same 64 bits, signed in the file */
void bind_bool(Binder *binder, bool value);
void bind_null(Binder *binder);
void bind_text(Binder *binder, const char *text); /* NULL is ""; made printable where it is not */
void bind_lines(Binder *binder, const char *text); /* may hold line breaks; made UTF-8 */
void bind_bytes(Binder *binder, GBytes *bytes);   /* NULL is NULL */
void bind_time(Binder *binder, const TriageTime *time); /* two columns */
void bind_digests(Binder *binder, const Digests *digests); /* three; NULL is NULL */
void bind_key(Binder *binder, uint32_t evidence, uint32_t volume, uint64_t seq);

/* Columns; text is never NULL and valid until the next step. */
uint64_t column_u64(sqlite3_stmt *statement, int column);
uint32_t column_u32(sqlite3_stmt *statement, int column);
const char *column_text(sqlite3_stmt *statement, int column);
GBytes *column_bytes(sqlite3_stmt *statement, int column); /* (transfer full), NULL where NULL */
void column_time(sqlite3_stmt *statement, int column, TriageTime *out);
void column_digests(sqlite3_stmt *statement, int column, Digests *out);

/* The columns of an object in the order of read_object; begins at column 0. */
#define OBJECT_COLUMNS                                                                             \
  "o.evidence, o.volume, o.seq, o.meta_addr, o.attr_type, o.attr_id, o.meta, o.kind, o.state, "    \
  "o.flags, o.size, o.first_byte, o.created, o.created_part, o.modified, o.modified_part, "        \
  "o.changed, o.changed_part, o.accessed, o.accessed_part, o.dir, o.name, o.attr_name"
enum { OBJECT_N_COLUMNS = 23 };
/* Fills out (names are (transfer full): object_clear). Words out of range become the last one. */
void read_object(sqlite3_stmt *statement, Object *out);
void object_clear(Object *object);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Object, object_clear)

const char *state_word(uint64_t state);
const char *kind_word(uint64_t kind);

/* ---- paths (store_path.c) ---- */
StorePaths *store_paths_new(void);
void store_paths_free(StorePaths *paths);
void store_paths_clear(StorePaths *paths);
/* The path of one name: dir and name of any of the object's names. (transfer full), NULL: error. */
char *store_path(Store *store, const char *evidence_name, uint32_t evidence, const Object *object,
                 uint32_t dir, GBytes *name, GError **error);
/* The path of a directory, "/" for the root. (transfer full), NULL: error. */
char *store_dir_path(Store *store, uint32_t evidence, uint32_t volume, uint32_t dir,
                     GError **error);

/* Evidence and volume of the rows at hand: looked up once for each change. */
typedef struct {
  bool is_set;
  uint32_t evidence_no, volume;
  char *evidence, *fs_type;
  uint64_t volume_offset;
} StorePlace;
bool store_place(Store *store, StorePlace *place, uint32_t evidence, uint32_t volume,
                 GError **error);
void store_place_clear(StorePlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StorePlace, store_place_clear)

/* One name of an object: what differs between the rows of hard links. */
typedef struct {
  char *path;
  GBytes *bytes;
  uint64_t state, flags;
} StoreName;
/* Calls each for the object's first name, then for the others in order of directory number and
 * bytes. names: a statement of STORE_NAMES_SQL. False: error, or *stopped. */
#define STORE_NAMES_SQL                                                                            \
  "SELECT dir, name, state, flags FROM name WHERE evidence = ?1 AND volume = ?2 AND seq = ?3 "     \
  "ORDER BY dir, name, state, flags"
bool store_each_name(Store *store, sqlite3_stmt *names, const StorePlace *place,
                     const Object *object, bool (*each)(void *user, const StoreName *name),
                     void *user, bool *stopped, GError **error);
