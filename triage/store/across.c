/* SPDX-License-Identifier: Apache-2.0 */
/* across.c - cases in: their exhibits, their hits, and by what each hit can be found again. */
#include "base/fuzzy.h"
#include "base/keyhash.h"
#include "base/secret.h"
#include "store/across_private.h"
#include <string.h>

static const char TABLES[] =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
    "CREATE TABLE item(no INTEGER PRIMARY KEY, label TEXT, number TEXT, seal TEXT);"
    "CREATE TABLE exhibit(no INTEGER PRIMARY KEY, item INTEGER, evidence INTEGER, name TEXT, "
    " number TEXT, sha256 TEXT, same_as INTEGER);"
    "CREATE INDEX exhibit_media ON exhibit(sha256);"
    "CREATE TABLE hit(no INTEGER PRIMARY KEY, exhibit INTEGER, object INTEGER, hit_id TEXT, "
    " path TEXT, member TEXT, view TEXT, state TEXT, size INTEGER, sha256 TEXT, fuzzy TEXT, "
    " rule TEXT, verdict TEXT, scenario TEXT, first INTEGER, first_kind TEXT, last INTEGER, "
    " last_kind TEXT);"
    "CREATE TABLE place(no INTEGER PRIMARY KEY, media INTEGER, name TEXT, UNIQUE(media, name));"
    "CREATE TABLE found(kind INTEGER, value TEXT, hit INTEGER);"
    "CREATE TABLE team(no INTEGER PRIMARY KEY, kind INTEGER, value TEXT, exhibits INTEGER, "
    " cases INTEGER, objects INTEGER, contents INTEGER, suspicious INTEGER, unexplained INTEGER, "
    " likely INTEGER, known INTEGER, first INTEGER, last INTEGER);"
    "BEGIN";

bool across_fail(Across *across, GError **error) {
  return triage_fail(error, TRIAGE_REASON_INTERNAL,
                     "the hits cannot be put together: %s (temporary files stand where "
                     "SQLITE_TMPDIR or TMPDIR says)",
                     sqlite3_errmsg(across->db));
}

bool across_run(Across *across, const char *sql, GError **error) {
  return sqlite3_exec(across->db, sql, NULL, NULL, NULL) == SQLITE_OK || across_fail(across, error);
}

sqlite3_stmt *across_prepare(Across *across, const char *sql, GError **error) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(across->db, sql, -1, &statement, NULL) != SQLITE_OK)
    across_fail(across, error);
  return statement;
}

Across *across_new(GError **error) {
  g_autoptr(Across) across = g_new0(Across, 1);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2("", &across->db, flags, NULL) != SQLITE_OK) {
    across_fail(across, error);
    return NULL;
  }
  if (!across_run(across, TABLES, error))
    return NULL;
  across->put_hit =
      across_prepare(across, "INSERT INTO hit VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", error);
  across->put_key = across_prepare(across, "INSERT INTO found VALUES(?,?,?)", error);
  across->put_place = across_prepare(
      across,
      "INSERT OR IGNORE INTO place(media, name) SELECT same_as, ?2 FROM exhibit WHERE no = ?1",
      error);
  across->get_place = across_prepare(
      across,
      "SELECT p.no FROM exhibit e JOIN place p ON p.media = e.same_as AND p.name = ?2 WHERE e.no = "
      "?1",
      error);
  bool ok = across->put_hit != NULL && across->put_key != NULL && across->put_place != NULL &&
            across->get_place != NULL;
  return ok ? g_steal_pointer(&across) : NULL;
}

void across_free(Across *across) {
  if (across == NULL)
    return;
  sqlite3_finalize(across->put_hit);
  sqlite3_finalize(across->put_key);
  sqlite3_finalize(across->put_place);
  sqlite3_finalize(across->get_place);
  sqlite3_close_v2(across->db);
  g_free(across);
}

/* One case on its way in. */
typedef struct {
  Across *across;
  Store *store;
  GArray *exhibits; /* int64_t: number of the exhibit, by evidence number from 1 */
  char *case_evidence_number;
  GError *problem;
} Intake;

static void intake_clear(Intake *intake) {
  g_clear_pointer(&intake->exhibits, g_array_unref);
  g_clear_pointer(&intake->case_evidence_number, g_free);
  g_clear_error(&intake->problem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Intake, intake_clear)

static bool put(Intake *intake, sqlite3_stmt *statement) {
  bool ok = sqlite3_step(statement) == SQLITE_DONE || across_fail(intake->across, &intake->problem);
  sqlite3_reset(statement);
  return ok;
}

static bool take_number(void *user, const char *name, const char *value) {
  char **number = user;
  if (strcmp(name, "Evidence number") == 0 && *number == NULL)
    *number = g_strdup(value);
  return true;
}

static bool take_exhibit(void *user, const EvidenceRecord *record) {
  Intake *intake = user;
  Across *across = intake->across;
  g_autofree char *number = NULL;
  if (!store_each_evidence_property(intake->store, record->no, take_number, &number,
                                    &intake->problem))
    return false;
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "INSERT INTO exhibit VALUES(?1, ?2, ?3, ?4, ?5, ?6, coalesce((SELECT min(e.no) FROM exhibit "
      "e WHERE ?6 <> '' AND e.sha256 = ?6), ?1))",
      &intake->problem);
  if (s == NULL)
    return false;
  int64_t no = ++across->exhibits;
  Binder binder = {s, 0};
  bind_u64(&binder, (uint64_t)no);
  bind_u64(&binder, across->cases);
  bind_u64(&binder, record->no);
  bind_text(&binder, record->name);
  bind_text(&binder, number != NULL ? number : intake->case_evidence_number);
  bind_text(&binder, record->sha256);
  if (record->no >= 1 && record->no <= G_MAXUINT32 / 16) {
    if (intake->exhibits->len < record->no)
      g_array_set_size(intake->exhibits, record->no);
    g_array_index(intake->exhibits, int64_t, record->no - 1) = no;
  }
  return put(intake, s);
}

static bool put_key(Intake *intake, AcrossKind kind, const char *value) {
  Binder binder = {intake->across->put_key, 0};
  bind_u64(&binder, kind);
  bind_text(&binder, value);
  bind_u64(&binder, (uint64_t)intake->across->hits);
  return put(intake, binder.statement);
}

/* The addresses of a list as a person writes one: "Ann <ann@x.org>; bob@y.org". */
static void add_addresses(GHashTable *values, const char *text) {
  g_auto(GStrv) parts = g_strsplit_set(text, ";,", -1);
  for (guint i = 0; parts[i] != NULL; i++) {
    char *part = parts[i], *open = strchr(part, '<'),
         *close = open != NULL ? strchr(open, '>') : NULL;
    if (close != NULL) {
      part = open + 1;
      *close = '\0';
    }
    char *folded = g_ascii_strdown(g_strstrip(part), -1);
    if (*folded != '\0')
      g_hash_table_add(values, folded);
    else
      g_free(folded);
  }
}

static void add_server(GHashTable *values, const char *text) {
  char *folded = g_strstrip(g_ascii_strdown(text, -1));
  gsize n = strlen(folded);
  if (n > 1 && folded[n - 1] == '.')
    folded[n - 1] = '\0';
  if (*folded != '\0')
    g_hash_table_add(values, folded);
  else
    g_free(folded);
}

static const struct {
  const char *name;
  AcrossKind kind;
} NAMED[] = {{"smtp_server", ACROSS_SERVER},
             {"mail_to", ACROSS_RECIPIENT},
             {"mail_cc", ACROSS_RECIPIENT},
             {"mail_bcc", ACROSS_RECIPIENT},
             {"user", ACROSS_USER}};

static int compare_texts(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool put_values(Intake *intake, AcrossKind kind, GHashTable *values) {
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, values);
  while (g_hash_table_iter_next(&iter, &value, NULL))
    g_ptr_array_add(list, value);
  g_ptr_array_sort(list, compare_texts);
  for (guint i = 0; i < list->len; i++)
    if (!put_key(intake, kind, list->pdata[i]))
      return false;
  return true;
}

/* An expression that only the running script resolves ("= x") says nothing of another script. */
static bool put_indicators(Intake *intake, const HitRow *hit) {
  for (AcrossKind kind = ACROSS_SERVER; kind <= ACROSS_USER; kind++) {
    g_autoptr(GHashTable) values = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
    for (guint i = 0; i < hit->n_indicators; i++)
      for (gsize k = 0; k < G_N_ELEMENTS(NAMED); k++) {
        const IndicatorRecord *indicator = &hit->indicators[i];
        if (NAMED[k].kind != kind || strcmp(NAMED[k].name, indicator->name) != 0 ||
            g_str_has_prefix(indicator->value, "= "))
          continue;
        if (kind == ACROSS_RECIPIENT)
          add_addresses(values, indicator->value);
        else
          add_server(values, indicator->value);
      }
    if (!put_values(intake, kind, values))
      return false;
  }
  if (!secrets_are_digests(hit->secrets))
    return true;
  g_auto(GStrv) secrets = g_strsplit(hit->secrets, ";", -1);
  for (guint i = 0; secrets[i] != NULL; i++)
    if (*secrets[i] != '\0' && !put_key(intake, ACROSS_PASSWORD, secrets[i]))
      return false;
  return true;
}

/* Names and rules of one object, and the views of it, are one place; so is what two cases found on
 * one medium. Its number, 0 with the problem. */
static int64_t place_of(Intake *intake, const HitRow *hit, int64_t exhibit) {
  Across *across = intake->across;
  bool is_area = *hit->meta == '\0'; /* or of a directory: the path is all there is */
  g_autofree char *name = g_strdup_printf(
      "%u\n%s\n%u\n%u\n%s\n%s\n%s", hit->volume, hit->meta, hit->object->attr_type,
      is_area ? 0 : hit->object->attr_id, hit->state, is_area ? hit->path : "", hit->member);
  sqlite3_stmt *const statements[] = {across->put_place, across->get_place};
  for (gsize i = 0; i < G_N_ELEMENTS(statements); i++) {
    Binder binder = {statements[i], 0};
    bind_u64(&binder, (uint64_t)exhibit);
    bind_text(&binder, name);
  }
  if (!put(intake, across->put_place))
    return 0;
  int64_t no = 0;
  if (sqlite3_step(across->get_place) == SQLITE_ROW)
    no = (int64_t)column_u64(across->get_place, 0);
  else
    across_fail(across, &intake->problem);
  sqlite3_reset(across->get_place);
  return no;
}

static bool put_row(Intake *intake, const HitRow *hit) {
  Across *across = intake->across;
  Fuzzy fuzzy;
  AcrossTimes times;
  int64_t exhibit = g_array_index(intake->exhibits, int64_t, hit->evidence_no - 1);
  int64_t place = place_of(intake, hit, exhibit);
  if (place == 0)
    return false;
  across_times(hit, &times);
  across->hits++;
  Binder binder = {across->put_hit, 0};
  bind_u64(&binder, (uint64_t)across->hits);
  bind_u64(&binder, (uint64_t)exhibit);
  bind_u64(&binder, (uint64_t)place);
  bind_text(&binder, hit->hit_id);
  bind_text(&binder, hit->path);
  bind_text(&binder, hit->member);
  bind_text(&binder, hit->view);
  bind_text(&binder, hit->state);
  bind_u64(&binder, hit->size);
  bind_text(&binder, hit->digests.sha256);
  bind_text(&binder, fuzzy_parse(hit->fuzzy, &fuzzy) ? hit->fuzzy : "");
  bind_text(&binder, hit->rule);
  bind_text(&binder, hit->verdict);
  bind_text(&binder, hit->scenario);
  if (times.has)
    bind_u64(&binder, (uint64_t)times.first);
  else
    sqlite3_bind_null(binder.statement, ++binder.at);
  bind_text(&binder, times.first_kind);
  if (times.has)
    bind_u64(&binder, (uint64_t)times.last);
  else
    sqlite3_bind_null(binder.statement, ++binder.at);
  bind_text(&binder, times.last_kind);
  return put(intake, binder.statement);
}

static bool take_hit(void *user, const HitRow *hit) {
  Intake *intake = user;
  if (hit->evidence_no == 0 || hit->evidence_no > intake->exhibits->len)
    return true; /* of no evidence that the case names: the tables forbid it */
  return put_row(intake, hit) &&
         (*hit->digests.sha256 == '\0' || put_key(intake, ACROSS_CONTENT, hit->digests.sha256)) &&
         put_indicators(intake, hit);
}

static bool put_case(Intake *intake, const char *label, const char *seal) {
  g_autofree char *number = store_get_meta(intake->store, "case_number");
  intake->case_evidence_number = store_get_meta(intake->store, "evidence_number");
  g_autoptr(sqlite3_stmt) s =
      across_prepare(intake->across, "INSERT INTO item VALUES(?,?,?,?)", &intake->problem);
  if (s == NULL)
    return false;
  Binder binder = {s, 0};
  bind_u64(&binder, ++intake->across->cases);
  bind_text(&binder, label);
  bind_text(&binder, number);
  bind_text(&binder, seal);
  return put(intake, s);
}

bool across_add_case(Across *across, Store *store, const char *label, const char *seal,
                     GError **error) {
  g_auto(Intake) intake = {.across = across, .store = store};
  intake.exhibits = g_array_new(FALSE, TRUE, sizeof(int64_t));
  GError *problem = NULL;
  bool ok = put_case(&intake, label, seal) &&
            store_each_evidence(store, take_exhibit, &intake, &problem) && intake.problem == NULL &&
            store_each_hit(store, take_hit, &intake, &problem) && intake.problem == NULL;
  if (ok)
    return true;
  if (problem == NULL)
    problem = g_steal_pointer(&intake.problem);
  g_propagate_error(error, problem);
  return false;
}
