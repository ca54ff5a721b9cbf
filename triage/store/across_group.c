/* SPDX-License-Identifier: Apache-2.0 */
/* across_group.c - forms the groups and gives them, most exhibits first. */
#include "base/fuzzy_group.h"
#include "base/limits.h"
#include "store/across_private.h"
#include <string.h>

/* Exhibits that are the same evidence count once, and so does what lies on them, whichever of the
 * cases found it. Of similar contents those that are all the same stand in the group of the
 * content. */
static const char FORM[] =
    "CREATE INDEX found_value ON found(kind, value, hit);"
    "INSERT INTO team(kind, value, exhibits, cases, objects, contents, suspicious, unexplained, "
    " likely, known, first, last) "
    "SELECT f.kind, f.value, count(DISTINCT e.same_as), count(DISTINCT e.item), "
    " count(DISTINCT h.object), count(DISTINCT h.sha256), "
    " sum(h.verdict = 'suspicious'), sum(h.verdict = 'unexplained'), "
    " sum(h.verdict = 'likely-benign'), sum(h.verdict = 'known-benign'), min(h.first), "
    " max(h.last) FROM found f JOIN hit h ON h.no = f.hit JOIN exhibit e ON e.no = h.exhibit "
    "GROUP BY f.kind, f.value HAVING count(DISTINCT h.object) > 1 AND (f.kind <> 1 OR "
    "count(DISTINCT h.sha256) > 1) ORDER BY 3 DESC, min(h.first) IS NULL, "
    "min(h.first), f.kind, f.value;"
    "CREATE INDEX team_kind ON team(kind, no);"
    "COMMIT";
G_STATIC_ASSERT(ACROSS_SIMILAR == 1);

static GPtrArray *different_digests(Across *across, GArray *parsed, GError **error) {
  g_autoptr(sqlite3_stmt) s =
      across_prepare(across, "SELECT DISTINCT fuzzy FROM hit WHERE fuzzy <> '' ORDER BY 1", error);
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  int rc = SQLITE_DONE;
  while (s != NULL && (rc = sqlite3_step(s)) == SQLITE_ROW) {
    Fuzzy fuzzy;
    if (texts->len >= LIMIT_FUZZY_GROUPED) {
      across->not_compared++;
    } else if (fuzzy_parse(column_text(s, 0), &fuzzy)) {
      g_ptr_array_add(texts, g_strdup(column_text(s, 0)));
      g_array_append_val(parsed, fuzzy);
    }
  }
  if (s != NULL && rc != SQLITE_DONE)
    across_fail(across, error);
  return s != NULL && rc == SQLITE_DONE ? g_steal_pointer(&texts) : NULL;
}

static bool find_similar(Across *across, guint least, GError **error) {
  g_autoptr(GArray) parsed = g_array_new(FALSE, FALSE, sizeof(Fuzzy));
  g_autoptr(GPtrArray) texts = different_digests(across, parsed, error);
  if (texts == NULL ||
      !across_run(across, "CREATE TABLE alike(fuzzy TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID",
                  error))
    return false;
  g_autofree guint *groups = fuzzy_group((const Fuzzy *)parsed->data, texts->len, least);
  g_autoptr(sqlite3_stmt) s = across_prepare(across, "INSERT INTO alike VALUES(?,?)", error);
  for (guint i = 0; s != NULL && i < texts->len; i++) {
    Binder binder = {s, 0};
    bind_text(&binder, texts->pdata[i]);
    bind_text(&binder, texts->pdata[groups[i]]);
    if (sqlite3_step(s) != SQLITE_DONE)
      return across_fail(across, error);
    sqlite3_reset(s);
  }
  return s != NULL &&
         across_run(across,
                    "INSERT INTO found SELECT 1, a.name, h.no FROM hit h JOIN alike a ON a.fuzzy = "
                    "h.fuzzy",
                    error);
}

bool across_group(Across *across, guint least, GError **error) {
  return find_similar(across, least, error) && across_run(across, FORM, error);
}

uint64_t across_not_compared(const Across *across) {
  return across->not_compared;
}

/* Steps through a statement; false with error where it cannot be read. */
static bool step(Across *across, sqlite3_stmt *s, bool *more, GError **error) {
  int rc = sqlite3_step(s);
  *more = rc == SQLITE_ROW;
  return *more || rc == SQLITE_DONE || across_fail(across, error);
}

bool across_each_case(Across *across, bool (*row)(void *user, const AcrossCase *item), void *user,
                      GError **error) {
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT i.no, i.label, i.number, i.seal, (SELECT count(*) FROM exhibit e WHERE e.item = "
      "i.no), (SELECT count(*) FROM hit h JOIN exhibit e ON e.no = h.exhibit WHERE e.item = i.no) "
      "FROM item i ORDER BY i.no",
      error);
  bool more = true, ok = s != NULL;
  while (ok && (ok = step(across, s, &more, error)) && more) {
    AcrossCase item = {.no = (guint)column_u64(s, 0),
                       .label = column_text(s, 1),
                       .number = column_text(s, 2),
                       .seal = column_text(s, 3),
                       .exhibits = column_u64(s, 4),
                       .hits = column_u64(s, 5)};
    if (!row(user, &item))
      break;
  }
  return ok;
}

bool across_each_exhibit(Across *across, bool (*row)(void *user, const AcrossExhibit *item),
                         void *user, GError **error) {
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT e.no, e.same_as, i.label, e.name, e.number, e.sha256, n.hits FROM exhibit e JOIN "
      "item i ON i.no = e.item LEFT JOIN (SELECT exhibit, count(*) AS hits FROM hit GROUP BY "
      "exhibit) n ON n.exhibit = e.no ORDER BY e.no",
      error);
  bool more = true, ok = s != NULL;
  while (ok && (ok = step(across, s, &more, error)) && more) {
    AcrossExhibit item = {.no = (guint)column_u64(s, 0),
                          .same_as = (guint)column_u64(s, 1),
                          .case_label = column_text(s, 2),
                          .name = column_text(s, 3),
                          .number = column_text(s, 4),
                          .sha256 = column_text(s, 5),
                          .hits = column_u64(s, 6)};
    if (!row(user, &item))
      break;
  }
  return ok;
}

/* The user names in the scripts that hold a password. (transfer full) */
static char *users_of(Across *across, const char *password, GError **error) {
  enum { SHOWN = 8 };
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT DISTINCT u.value FROM found p JOIN found u ON u.hit = p.hit AND u.kind = 4 WHERE "
      "p.kind = 5 AND p.value = ? ORDER BY 1",
      error);
  G_STATIC_ASSERT(ACROSS_USER == 4 && ACROSS_PASSWORD == 5);
  GString *users = g_string_new(NULL);
  bool more = s != NULL;
  if (s != NULL)
    sqlite3_bind_text(s, 1, password, -1, SQLITE_TRANSIENT);
  for (guint i = 0; more && step(across, s, &more, error) && more; i++) {
    if (i == SHOWN) {
      g_string_append(users, "; ...");
      break;
    }
    g_string_append_printf(users, "%s%s", i > 0 ? "; " : "", column_text(s, 0));
  }
  return g_string_free(users, FALSE);
}

static void fill_group(sqlite3_stmt *s, AcrossGroup *group) {
  group->no = (guint)column_u64(s, 0);
  group->kind = (AcrossKind)MIN(column_u64(s, 1), ACROSS_KINDS - 1);
  group->value = column_text(s, 2);
  group->exhibits = column_u64(s, 3);
  group->cases = column_u64(s, 4);
  group->objects = column_u64(s, 5);
  group->contents = column_u64(s, 6);
  for (int i = 0; i < ACROSS_VERDICTS; i++)
    group->verdicts[i] = column_u64(s, 7 + i);
  group->has_first = sqlite3_column_type(s, 11) != SQLITE_NULL;
  group->first = (int64_t)column_u64(s, 11);
  group->last = (int64_t)column_u64(s, 12);
}

bool across_each_group(Across *across, AcrossKind kind,
                       bool (*row)(void *user, const AcrossGroup *group), void *user,
                       GError **error) {
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT no, kind, value, exhibits, cases, objects, contents, suspicious, unexplained, "
      "likely, known, first, last, (SELECT count(*) FROM team p WHERE p.kind = t.kind AND p.no <= "
      "t.no AND t.kind = 5) FROM team t WHERE ?1 = 6 OR kind = ?1 ORDER BY no",
      error);
  G_STATIC_ASSERT(ACROSS_KINDS == 6);
  bool more = true, ok = s != NULL;
  if (ok)
    sqlite3_bind_int64(s, 1, kind);
  while (ok && (ok = step(across, s, &more, error)) && more) {
    AcrossGroup group = {.users = ""};
    fill_group(s, &group);
    bool go_on;
    if (group.kind == ACROSS_PASSWORD) {
      g_autofree char *users = users_of(across, group.value, error);
      g_autofree char *value = g_strdup_printf("password %" G_GUINT64_FORMAT, column_u64(s, 13));
      group.value = value;
      group.users = users;
      go_on = row(user, &group);
    } else {
      go_on = row(user, &group);
    }
    if (!go_on)
      break;
  }
  return ok;
}

uint64_t across_count_groups(Across *across, AcrossKind kind) {
  g_autoptr(sqlite3_stmt) s =
      across_prepare(across, "SELECT count(*) FROM team WHERE kind = ?", NULL);
  if (s == NULL)
    return 0;
  sqlite3_bind_int64(s, 1, kind);
  return sqlite3_step(s) == SQLITE_ROW ? column_u64(s, 0) : 0;
}

static void fill_member(sqlite3_stmt *s, AcrossMember *member) {
  member->case_label = column_text(s, 0);
  member->case_number = column_text(s, 1);
  member->case_no = (guint)column_u64(s, 2);
  member->evidence = column_text(s, 3);
  member->evidence_number = column_text(s, 4);
  member->exhibit = (guint)column_u64(s, 5);
  member->evidence_no = (guint)column_u64(s, 6);
  member->hit_id = column_text(s, 7);
  member->path = column_text(s, 8);
  member->member = column_text(s, 9);
  member->view = column_text(s, 10);
  member->state = column_text(s, 11);
  member->size = column_u64(s, 12);
  member->sha256 = column_text(s, 13);
  member->fuzzy = column_text(s, 14);
  member->rule = column_text(s, 15);
  member->verdict = column_text(s, 16);
  member->scenario = column_text(s, 17);
  member->has_first = sqlite3_column_type(s, 18) != SQLITE_NULL;
  member->first = (int64_t)column_u64(s, 18);
  member->first_kind = column_text(s, 19);
  member->last = (int64_t)column_u64(s, 20);
  member->last_kind = column_text(s, 21);
}

bool across_each_member(Across *across, const AcrossGroup *group,
                        bool (*row)(void *user, const AcrossMember *member), void *user,
                        GError **error) {
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT i.label, i.number, i.no, e.name, e.number, e.no, e.evidence, h.hit_id, h.path, "
      "h.member, h.view, h.state, h.size, h.sha256, h.fuzzy, h.rule, h.verdict, h.scenario, "
      "h.first, h.first_kind, h.last, h.last_kind FROM team t JOIN found f ON f.kind = t.kind AND "
      "f.value = t.value JOIN hit h ON h.no = f.hit JOIN exhibit e ON e.no = h.exhibit JOIN item "
      "i ON i.no = e.item WHERE t.no = ? ORDER BY h.first IS NULL, h.first, h.no",
      error);
  bool more = true, ok = s != NULL;
  Fuzzy named, own;
  bool is_similar = group->kind == ACROSS_SIMILAR && fuzzy_parse(group->value, &named);
  if (ok)
    sqlite3_bind_int64(s, 1, group->no);
  while (ok && (ok = step(across, s, &more, error)) && more) {
    AcrossMember member = {.score = 0};
    fill_member(s, &member);
    if (is_similar && fuzzy_parse(member.fuzzy, &own))
      member.score = fuzzy_compare(&named, &own);
    if (!row(user, &member))
      break;
  }
  return ok;
}

bool across_each_first(Across *across, const AcrossGroup *group,
                       bool (*row)(void *user, const char *evidence, int64_t first), void *user,
                       GError **error) {
  g_autoptr(sqlite3_stmt) s = across_prepare(
      across,
      "SELECT o.name, min(h.first) FROM team t JOIN found f ON f.kind = t.kind AND f.value = "
      "t.value JOIN hit h ON h.no = f.hit JOIN exhibit e ON e.no = h.exhibit JOIN exhibit o ON "
      "o.no = e.same_as WHERE t.no = ? AND h.first IS NOT NULL GROUP BY o.no ORDER BY 2, o.no",
      error);
  bool more = true, ok = s != NULL;
  if (ok)
    sqlite3_bind_int64(s, 1, group->no);
  while (ok && (ok = step(across, s, &more, error)) && more)
    if (!row(user, column_text(s, 0), (int64_t)column_u64(s, 1)))
      break;
  return ok;
}
