/* SPDX-License-Identifier: Apache-2.0 */
/* store_shard.c - which objects of a volume are of one shard, and shards put together again. The
 * walk is the same in each; what differs is which objects were examined. Tables and columns are
 * asked of SQLite, so that a new one is merged without a word here. */
#include "store/store_shard.h"
#include "base/text.h"
#include "store/store_private.h"
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* A stretch of the disk for each, by bytes; an object costs some whatever its size. */
#define WEIGHT "(min(size, 1 << 40) + 65536)"
static const char KEEP[] =
    "UPDATE object SET work = 2 WHERE evidence = ?1 AND volume = ?2 AND work = 0 AND seq IN "
    "(SELECT seq FROM (SELECT seq, sum(" WEIGHT ") OVER (ORDER BY first_byte, seq) - " WEIGHT
    " AS before, sum(" WEIGHT ") OVER () AS total FROM object WHERE evidence = ?1 AND volume = ?2 "
    "AND work = 0) WHERE before / (total / ?4 + 1) <> ?3 - 1)";

bool store_keep_shard(Store *store, uint32_t evidence, uint32_t volume, uint32_t shard,
                      uint32_t shards, GError **error) {
  g_autoptr(sqlite3_stmt) s = NULL;
  if (sqlite3_prepare_v2(store->db, KEEP, -1, &s, NULL) != SQLITE_OK)
    return store_fail(store, "dividing the work", error);
  sqlite3_bind_int64(s, 1, evidence);
  sqlite3_bind_int64(s, 2, volume);
  sqlite3_bind_int64(s, 3, shard);
  sqlite3_bind_int64(s, 4, shards);
  return sqlite3_step(s) == SQLITE_DONE || store_fail(store, "dividing the work", error);
}

bool store_copy(Store *store, const char *dir, GError **error) {
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  char *sql = sqlite3_mprintf("VACUUM INTO %Q", file);
  bool ok = sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
            store_fail(store, "copying the case", error);
  sqlite3_free(sql);
  return ok;
}

static bool run(Store *store, char *sql, GError **error) {
  g_autofree char *owned = sql;
  return sqlite3_exec(store->db, owned, NULL, NULL, NULL) == SQLITE_OK ||
         store_fail(store, "joining the cases", error);
}

bool store_attach(Store *store, const char *dir, GError **error) {
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  char *sql = sqlite3_mprintf("ATTACH %Q AS shard", file);
  bool ok = sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
            store_fail(store, "opening a shard", error);
  sqlite3_free(sql);
  return ok;
}

bool store_detach(Store *store, GError **error) {
  return run(store, g_strdup("DETACH shard"), error);
}

/* ---- tables as they are ---- */
typedef struct {
  char *name;
  GPtrArray *columns; /* char* */
  bool has_evidence, has_object, is_hit_part;
  bool is_counted; /* "no" is but the order of arrival */
} Table;

static void table_free(Table *table) {
  g_free(table->name);
  g_ptr_array_unref(table->columns);
  g_free(table);
}

static bool read_columns(Store *store, Table *table, GError **error) {
  g_autoptr(sqlite3_stmt) s = NULL;
  if (sqlite3_prepare_v2(store->db, "SELECT name, pk FROM pragma_table_info(?)", -1, &s, NULL) !=
      SQLITE_OK)
    return store_fail(store, "joining the cases", error);
  sqlite3_bind_text(s, 1, table->name, -1, SQLITE_STATIC);
  bool has_volume = false, has_seq = false, has_other_key = false;
  while (sqlite3_step(s) == SQLITE_ROW) {
    const char *name = column_text(s, 0);
    bool is_key = column_u64(s, 1) != 0;
    table->has_evidence |= strcmp(name, "evidence") == 0;
    has_volume |= strcmp(name, "volume") == 0;
    has_seq |= strcmp(name, "seq") == 0;
    table->is_hit_part |= strcmp(name, "hit") == 0;
    table->is_counted |= is_key && strcmp(name, "no") == 0;
    has_other_key |= is_key && strcmp(name, "no") != 0;
    g_ptr_array_add(table->columns, g_strdup(name));
  }
  table->has_object = table->has_evidence && has_volume && has_seq;
  table->is_counted &= !has_other_key && table->has_evidence;
  return true;
}

static GPtrArray *read_tables(Store *store, GError **error) {
  g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_free);
  g_autoptr(sqlite3_stmt) s = NULL;
  int rc = sqlite3_prepare_v2(store->db,
                              "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name "
                              "NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                              -1, &s, NULL);
  while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
    Table *table = g_new0(Table, 1);
    table->name = g_strdup(column_text(s, 0));
    table->columns = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(tables, table);
    if (!read_columns(store, table, error))
      return NULL;
  }
  if (rc == SQLITE_OK)
    return g_steal_pointer(&tables);
  store_fail(store, "joining the cases", error);
  return NULL;
}

/* The columns, whose an object's work is left out where is_walk; what stands for a hit's number
 * moved by offset. */
static char *list_columns(const Table *table, bool is_walk, int64_t offset) {
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint i = 0; i < table->columns->len; i++) {
    const char *name = table->columns->pdata[i];
    bool is_number = (strcmp(table->name, "hit") == 0 && strcmp(name, "id") == 0) ||
                     (table->is_hit_part && strcmp(name, "hit") == 0);
    if ((table->is_counted && strcmp(name, "no") == 0) ||
        (is_walk && strcmp(table->name, "object") == 0 && strcmp(name, "work") == 0))
      continue;
    g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", name);
    if (is_number && offset > 0)
      g_string_append_printf(list, " + %lld", (long long)offset);
  }
  return g_string_free(g_steal_pointer(&list), FALSE);
}

static int64_t number_of(Store *store, const char *sql, GError **error) {
  g_autoptr(sqlite3_stmt) s = NULL;
  if (sqlite3_prepare_v2(store->db, sql, -1, &s, NULL) != SQLITE_OK ||
      sqlite3_step(s) != SQLITE_ROW) {
    store_fail(store, "joining the cases", error);
    return -1;
  }
  return sqlite3_column_int64(s, 0);
}

static bool is_walk_table(const Table *table) {
  static const char *const WALK[] = {"volume", "account", "dir", "object", "name", NULL};
  return g_strv_contains(WALK, table->name);
}

/* Both must have seen the same entries, or an object might be of neither. */
static bool check_same_walk(Store *store, const GPtrArray *tables, uint32_t evidence,
                            const char *shard, GError **error) {
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = tables->pdata[i];
    if (!is_walk_table(table))
      continue;
    g_autofree char *columns = list_columns(table, true, 0);
#define SIDE(schema) "SELECT %s FROM " schema ".%s WHERE evidence = %u"
    g_autofree char *sql = g_strdup_printf(
        "SELECT (SELECT count(*) FROM main.%s WHERE evidence = %u) <> (SELECT count(*) FROM "
        "shard.%s WHERE evidence = %u) OR EXISTS (" SIDE("main") " EXCEPT " SIDE("shard") ")",
        table->name, evidence, table->name, evidence, columns, table->name, evidence, columns,
        table->name, evidence);
#undef SIDE
    int64_t differs = number_of(store, sql, error);
    if (differs < 0)
      return false;
    if (differs > 0) {
      g_autofree char *shown = text_printable(shard, strlen(shard));
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s: has seen other entries of evidence %u than the shards before it "
                         "(table %s): one of them was disturbed in its walk; run that shard again "
                         "into a new case",
                         shown, evidence, table->name);
    }
  }
  return true;
}

/* Copies the rows of one table for which where holds. */
static bool copy_rows(Store *store, const Table *table, int64_t offset, const char *where,
                      GError **error) {
  g_autofree char *into = list_columns(table, false, 0);
  g_autofree char *from = list_columns(table, false, offset);
  return run(store,
             g_strdup_printf("INSERT INTO main.%s(%s) SELECT %s FROM shard.%s AS t WHERE %s%s",
                             table->name, into, from, table->name, where,
                             table->is_counted ? " ORDER BY no" : ""),
             error);
}

static bool copy_hit_parts(Store *store, const GPtrArray *tables, int64_t offset, const char *hits,
                           GError **error) {
  g_autofree char *where =
      g_strdup_printf("t.hit IN (SELECT h.id FROM shard.hit AS h WHERE %s)", hits);
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = tables->pdata[i];
    if (table->is_hit_part && !copy_rows(store, table, offset, where, error))
      return false;
  }
  return true;
}

/* What the run noted of the evidence as a whole: that it is finished, its files before and after.
 */
static bool take_notes(Store *store, uint32_t evidence, GError **error) {
  return run(store,
             g_strdup_printf("REPLACE INTO main.meta SELECT key, value FROM shard.meta WHERE key "
                             "IN ('evidence_%u_finished', 'evidence_%u_files', "
                             "'evidence_%u_files_after', 'evidence_%u_changed')",
                             evidence, evidence, evidence, evidence),
             error);
}

/* Each shard has spent its own time on it. */
static bool add_seconds(Store *store, uint32_t evidence, GError **error) {
  return run(store,
             g_strdup_printf("UPDATE main.meta AS m SET value = printf('%%.1f', m.value + s.value) "
                             "FROM shard.meta AS s WHERE m.key = 'evidence_%u_seconds' AND "
                             "s.key = m.key",
                             evidence),
             error);
}

/* The whole exhibit was examined in the attached shard. */
static bool take_whole(Store *store, const GPtrArray *tables, uint32_t evidence, int64_t offset,
                       GError **error) {
  g_autofree char *hits = g_strdup_printf("h.evidence = %u", evidence);
  g_autofree char *rows = g_strdup_printf("t.evidence = %u", evidence);
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = tables->pdata[i];
    if (table->has_evidence &&
        (!run(store,
              g_strdup_printf("DELETE FROM main.%s WHERE evidence = %u", table->name, evidence),
              error) ||
         !copy_rows(store, table, offset, rows, error)))
      return false;
  }
  return run(store,
             g_strdup_printf("REPLACE INTO main.evidence SELECT * FROM shard.evidence WHERE "
                             "no = %u",
                             evidence),
             error) &&
         copy_hit_parts(store, tables, offset, hits, error) && take_notes(store, evidence, error);
}

/* Any shard may be the one that was there when the evidence changed. */
#define IS_CHANGE(alias) alias ".seq IS NULL AND " alias ".detail LIKE '%% changed while it was %%'"
static bool take_changes(Store *store, const Table *gap, uint32_t evidence, GError **error) {
  g_autofree char *where = g_strdup_printf(
      "t.evidence = %u AND " IS_CHANGE("t") " AND NOT EXISTS (SELECT 1 FROM main.gap AS m WHERE "
                                            "m.evidence = %u AND m.seq IS NULL AND m.detail = "
                                            "t.detail)",
      evidence, evidence);
  return copy_rows(store, gap, 0, where, error) &&
         run(store,
             g_strdup_printf("INSERT OR IGNORE INTO main.meta SELECT key, value FROM shard.meta "
                             "WHERE key = 'evidence_%u_changed'",
                             evidence),
             error);
}

/* What stands about the evidence or a volume as a whole is of the shard that read all of it. */
static bool take_whole_rows(Store *store, const Table *gap, uint32_t evidence, GError **error) {
  g_autofree char *where =
      g_strdup_printf("t.evidence = %u AND t.seq IS NULL AND NOT (" IS_CHANGE("t") ")", evidence);
  return run(store,
             g_strdup_printf("DELETE FROM main.gap AS t WHERE t.evidence = %u AND t.seq IS NULL "
                             "AND NOT (" IS_CHANGE("t") ")",
                             evidence),
             error) &&
         copy_rows(store, gap, 0, where, error) && take_notes(store, evidence, error) &&
         run(store,
             g_strdup_printf("REPLACE INTO main.evidence SELECT * FROM shard.evidence WHERE "
                             "no = %u",
                             evidence),
             error);
}

#define OWNED(alias)                                                                               \
  "(" alias ".volume, " alias ".seq) IN (SELECT r.volume, r.seq FROM shard.result AS r WHERE "     \
  "r.evidence = %u)"

static bool take_part(Store *store, const GPtrArray *tables, uint32_t evidence, int64_t offset,
                      bool has_whole, GError **error) {
  g_autofree char *hits = g_strdup_printf("h.evidence = %u AND " OWNED("h"), evidence, evidence);
  g_autofree char *rows = g_strdup_printf("t.evidence = %u AND " OWNED("t"), evidence, evidence);
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = tables->pdata[i];
    if (!table->has_object || is_walk_table(table))
      continue;
    /* Rows of the walk about these objects stand in both. */
    if (!run(store, g_strdup_printf("DELETE FROM main.%s AS t WHERE %s", table->name, rows),
             error) ||
        !copy_rows(store, table, offset, rows, error) ||
        (strcmp(table->name, "gap") == 0 &&
         (!take_changes(store, table, evidence, error) ||
          (has_whole && !take_whole_rows(store, table, evidence, error)))))
      return false;
  }
  return copy_hit_parts(store, tables, offset, hits, error) &&
         add_seconds(store, evidence, error) &&
         run(store,
             g_strdup_printf("UPDATE main.object AS t SET work = 0 WHERE t.work = 2 AND "
                             "t.evidence = %u AND " OWNED("t"),
                             evidence, evidence),
             error);
}

bool store_take_shard(Store *store, uint32_t evidence, const char *shard, bool is_split,
                      bool has_whole, GError **error) {
  g_autoptr(GPtrArray) tables = read_tables(store, error);
  int64_t offset =
      tables != NULL ? number_of(store, "SELECT coalesce(max(id), 0) FROM main.hit", error) : -1;
  if (offset < 0)
    return false;
  if (!is_split)
    return take_whole(store, tables, evidence, offset, error);
  return check_same_walk(store, tables, evidence, shard, error) &&
         take_part(store, tables, evidence, offset, has_whole, error);
}

bool store_count_left(Store *store, uint64_t *left, GError **error) {
  int64_t n = number_of(store,
                        "SELECT (SELECT count(*) FROM main.object WHERE work <> 1) - (SELECT "
                        "count(*) FROM main.result)",
                        error);
  *left = (uint64_t)MAX(n, 0);
  return n >= 0;
}
