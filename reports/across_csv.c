/* SPDX-License-Identifier: Apache-2.0 */
/* across_csv.c - one row for each hit of each group, the groups of most exhibits first; each row
 * repeats what is known of its group, so that a spreadsheet can sort by either. */
#include "reports/across_out.h"
#include "reports/table_out.h"

const char *across_kind_word(AcrossKind kind) {
  static const char *const WORDS[ACROSS_KINDS] = {"content",   "similar",   "smtp-server",
                                                  "recipient", "user-name", "password"};
  return WORDS[kind];
}

static const char HEADER[] =
    "group,kind,value,users,exhibits,cases,objects,contents,suspicious,unexplained,likely_benign,"
    "known_benign,group_first_seen,group_first_seen_in,group_last_seen,case,case_number,evidence,"
    "evidence_number,hit_id,path,member,view,state,size,sha256,ssdeep,score,first_seen,"
    "first_seen_kind,last_seen,last_seen_kind,rule,verdict,scenario";

typedef struct {
  Table table;
  Across *across;
  const AcrossGroup *group;
  char *first_in; /* of the group: the exhibit of its first member */
  GError *problem;
} Writing;

static void add_time(Table *table, bool has, int64_t at) {
  char text[64] = "";
  if (has)
    across_time(at, text, sizeof text);
  table_field(table, text);
}

static void add_group(Writing *writing) {
  Table *table = &writing->table;
  const AcrossGroup *group = writing->group;
  table_number(table, true, group->no);
  table_field(table, across_kind_word(group->kind));
  table_field(table, group->value);
  table_field(table, group->users);
  table_number(table, true, group->exhibits);
  table_number(table, true, group->cases);
  table_number(table, true, group->objects);
  table_number(table, true, group->contents);
  for (guint i = 0; i < ACROSS_VERDICTS; i++)
    table_number(table, true, group->verdicts[i]);
  add_time(table, group->has_first, group->first);
  table_field(table, group->has_first ? writing->first_in : "");
  add_time(table, group->has_first, group->last);
}

static bool put_member(void *user, const AcrossMember *member) {
  Writing *writing = user;
  Table *table = &writing->table;
  if (writing->first_in == NULL)
    writing->first_in = g_strdup(member->evidence);
  add_group(writing);
  const char *const texts[] = {member->case_label,      member->case_number, member->evidence,
                               member->evidence_number, member->hit_id,      member->path,
                               member->member,          member->view,        member->state};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    table_field(table, texts[i]);
  table_number(table, true, member->size);
  table_field(table, member->sha256);
  table_field(table, member->fuzzy);
  table_number(table, writing->group->kind == ACROSS_SIMILAR, member->score);
  add_time(table, member->has_first, member->first);
  table_field(table, member->first_kind);
  add_time(table, member->has_first, member->last);
  table_field(table, member->last_kind);
  table_field(table, member->rule);
  table_field(table, member->verdict);
  table_field(table, member->scenario);
  table_end_row(table);
  return table->out.problem == 0;
}

static bool put_group(void *user, const AcrossGroup *group) {
  Writing *writing = user;
  writing->group = group;
  g_clear_pointer(&writing->first_in, g_free);
  return across_each_member(writing->across, group, put_member, writing, &writing->problem) &&
         writing->table.out.problem == 0;
}

bool across_write_csv(const AcrossReport *report, int fd, GError **error) {
  Writing writing = {.across = report->across};
  table_begin(&writing.table, fd, HEADER);
  bool ok = across_each_group(report->across, ACROSS_KINDS, put_group, &writing, error);
  g_free(writing.first_in);
  if (ok && writing.problem != NULL) {
    g_propagate_error(error, g_steal_pointer(&writing.problem));
    ok = false;
  }
  g_clear_error(&writing.problem);
  return table_finish(&writing.table, ok, error);
}
