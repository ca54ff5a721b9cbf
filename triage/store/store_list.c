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

/* ---- totals: of all volumes at once, and kept until something is written ---- */
typedef struct {
  uint32_t evidence, volume;
  StoreTotals totals;
} VolumeTotals;

static StoreTotals *totals_of(GArray *all, uint32_t evidence, uint32_t volume) {
  for (guint i = all->len; i > 0; i--) {
    VolumeTotals *one = &g_array_index(all, VolumeTotals, i - 1);
    if (one->evidence == evidence && one->volume == volume)
      return &one->totals;
  }
  VolumeTotals fresh = {.evidence = evidence, .volume = volume};
  g_array_append_val(all, fresh);
  return &g_array_index(all, VolumeTotals, all->len - 1).totals;
}

/* Sizes are the evidence's word: two of them can be more than SQLite's sum() holds. */
#define SUM(column) "sum(" column " >> 32), sum(" column " & 4294967295)"

static uint64_t take_sum(sqlite3_stmt *s, int column) {
  uint64_t high = column_u64(s, column), low = column_u64(s, column + 1), sum;
  high += low >> 32;
  sum = high << 32 | (low & UINT32_MAX);
  return high > INT32_MAX ? INT64_MAX : sum;
}

static StoreTotals *totals_of_row(void *all, sqlite3_stmt *s) {
  return totals_of(all, (uint32_t)column_u64(s, 0), (uint32_t)column_u64(s, 1));
}

static bool take_objects(void *user, sqlite3_stmt *s) {
  StoreTotals *totals = totals_of_row(user, s);
  totals->objects = column_u64(s, 2);
  totals->objects_without_content = column_u64(s, 3);
  totals->bytes = take_sum(s, 4);
  return true;
}

static bool take_results(void *user, sqlite3_stmt *s) {
  StoreTotals *totals = totals_of_row(user, s);
  totals->objects_examined = column_u64(s, 2);
  totals->bytes_examined = take_sum(s, 3);
  totals->members = take_sum(s, 5);
  return true;
}

static bool take_gaps(void *user, sqlite3_stmt *s) {
  totals_of_row(user, s)->gaps = column_u64(s, 2);
  return true;
}

static bool take_hits(void *user, sqlite3_stmt *s) {
  totals_of_row(user, s)->hits = column_u64(s, 2);
  return true;
}

static bool read_totals(Store *store, GArray *all, GError **error) {
  return each(
             store,
             "SELECT evidence, volume, count(*), sum(work = 1), " SUM("size") " FROM object GROUP "
                                                                              "BY evidence, volume",
             0, take_objects, all, error) &&
         each(store,
              "SELECT evidence, volume, count(*), " SUM("examined_bytes") ", " SUM(
                  "members") " FROM result GROUP BY evidence, volume",
              0, take_results, all, error) &&
         each(store, "SELECT evidence, volume, count(*) FROM gap GROUP BY evidence, volume", 0,
              take_gaps, all, error) &&
         each(store,
              "SELECT h.evidence, h.volume, sum(1 + (SELECT count(*) FROM name n WHERE n.evidence "
              "= h.evidence AND n.volume = h.volume AND n.seq = h.seq)) FROM hit h GROUP BY "
              "h.evidence, h.volume",
              0, take_hits, all, error);
}

static uint64_t add_up(uint64_t a, uint64_t b) {
  return a > INT64_MAX - b ? INT64_MAX : a + b; /* neither is more than INT64_MAX */
}

static void add_totals(StoreTotals *sum, const StoreTotals *one) {
  sum->objects += one->objects;
  sum->objects_examined += one->objects_examined;
  sum->objects_without_content += one->objects_without_content;
  sum->bytes = add_up(sum->bytes, one->bytes);
  sum->bytes_examined = add_up(sum->bytes_examined, one->bytes_examined);
  sum->members = add_up(sum->members, one->members);
  sum->gaps += one->gaps;
  sum->hits += one->hits;
}

bool store_totals(Store *store, uint32_t evidence, uint32_t volume, StoreTotals *out,
                  GError **error) {
  sqlite3_int64 changes = sqlite3_total_changes64(store->db);
  if (store->totals == NULL || store->totals_at != changes) {
    g_clear_pointer(&store->totals, g_array_unref);
    g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(VolumeTotals));
    if (!read_totals(store, all, error))
      return false;
    store->totals = g_steal_pointer(&all);
    store->totals_at = changes;
  }
  *out = (StoreTotals){0};
  for (guint i = 0; i < store->totals->len; i++) {
    const VolumeTotals *one = &g_array_index(store->totals, VolumeTotals, i);
    bool is_wanted = evidence == 0 ? store->scope == 0 || store->scope == one->evidence
                                   : evidence == one->evidence && volume == one->volume;
    if (is_wanted)
      add_totals(out, &one->totals);
  }
  return true;
}
