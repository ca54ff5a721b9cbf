/* SPDX-License-Identifier: Apache-2.0 */
/* across_html.c - across.html: for each kind of likeness a picture of when each exhibit had it
 * first, and a table of the groups, most exhibits first. Needs no script. */
#include "base/limits.h"
#include "reports/across_out.h"
#include "reports/html_svg.h"
#include "reports/html_words.h"
#include <string.h>

enum { GROUPS = 100, MEMBERS = 20, DRAWN = 25, ROW = 26, NAME_SHOWN = 18 };
#define SECOND INT64_C(1000000000)

static const char OWN_CSS[] =
    "main.across{padding:0 1rem;max-width:110rem;margin:0 auto}"
    "main.across table{width:100%;border-collapse:collapse;background:var(--card)}"
    "main.across td,main.across th{vertical-align:top;text-align:left;padding:.4rem .7rem;"
    "border-bottom:1px solid var(--line)}"
    "main.across td.number,main.across th.number{text-align:right}"
    "main.across code{overflow-wrap:anywhere;font-size:.8rem}"
    "main.across td.value{max-width:34rem;overflow-wrap:anywhere}"
    "main.across summary{cursor:pointer;color:var(--link)}"
    "main.across td ul{margin:.3rem 0;padding-left:1.1rem}";

static const struct {
  const char *id, *title, *meaning;
} KINDS[ACROSS_KINDS] = {
    {"content", "The same content", "Files, members and converted texts of the same SHA-256."},
    {"similar", "Similar content",
     "Texts that differ and are alike: each has a score of at least that below with another one of "
     "its group, on ssdeep's scale of 100. Short texts, and those that one tool has made, may be "
     "alike by chance: read them side by side."},
    {"smtp-server", "The same mail server", "As the scripts name it, letter case aside."},
    {"recipient", "The same recipient", "To, Cc and Bcc; each address of a list by itself."},
    {"user-name", "The same user name", "With which the scripts sign in to the mail server."},
    {"password", "The same password",
     "Passwords are told apart by a slow digest that only the case store holds, and are not shown; "
     "the user names are those of the same scripts."}};

typedef struct {
  const AcrossReport *report;
  Out *out;
  AcrossKind kind;
  guint shown, members; /* so far */
  const AcrossGroup *group;
  int64_t from, to; /* of the picture, seconds */
  bool has_times;
  guint row;
  uint64_t n_groups;
  GError *problem;
} Page;

static bool keep_problem(Page *page, bool ok) {
  return ok && page->problem == NULL;
}

static void put_time(Out *out, int64_t at) {
  TriageTime time = {.seconds = at / SECOND, .is_set = true};
  html_time(out, &time);
}

/* A table begins: its columns, those of numbers with a '#' before their heads. */
static void put_heads(Out *out, const char *const *heads) {
  html_markup(out, "<table>\n<thead><tr>");
  for (; *heads != NULL; heads++) {
    bool is_number = **heads == '#';
    if (is_number)
      html_markup(out, "<th scope=\"col\" class=\"number\">");
    else
      html_markup(out, "<th scope=\"col\">");
    html_text(out, *heads + is_number);
    html_markup(out, "</th>");
  }
  html_markup(out, "</tr></thead>\n<tbody>\n");
}

static void put_number(Out *out, uint64_t number) {
  html_markup(out, "<td class=\"number\">");
  html_put_number(out, number);
  html_markup(out, "</td>");
}

static void put_exhibit(Page *page, const char *name, const char *number, guint evidence_no) {
  if (page->report->is_case) {
    html_markup(page->out, "<a href=\"exhibit-");
    html_format(page->out, "%u", evidence_no);
    html_markup(page->out, ".html\">");
  }
  html_name(page->out, name);
  if (page->report->is_case)
    html_markup(page->out, "</a>");
  if (*number != '\0') {
    html_markup(page->out, " (");
    html_text(page->out, number);
    html_markup(page->out, ")");
  }
}

/* ---- the picture ---- */
static bool widen(void *user, const char *evidence, int64_t first) {
  (void)evidence;
  Page *page = user;
  int64_t at = first / SECOND;
  page->from = page->has_times ? MIN(page->from, at) : at;
  page->to = page->has_times ? MAX(page->to, at) : at;
  page->has_times = true;
  return true;
}

static unsigned place_of(const Page *page, int64_t first) {
  int64_t span = MAX(page->to - page->from, 1), at = first / SECOND - page->from;
  unsigned width = SVG_RIGHT - SVG_LEFT - 20;
  return SVG_LEFT + 10 + (unsigned)((double)at / (double)span * width);
}

static bool draw_first(void *user, const char *evidence, int64_t first) {
  Page *page = user;
  char time[64];
  across_time(first / SECOND * SECOND, time, sizeof time);
  g_autofree char *clipped = html_clip(evidence, 200);
  g_autofree char *title = g_strdup_printf("%s: %s", clipped, time);
  svg_diamond(page->out, page->members++ == 0 ? "s-suspicious" : "s-unexplained",
              place_of(page, first), 34 + page->row * ROW, title);
  return true;
}

/* Digests say nothing to a reader: such a group goes by its number. */
static char *short_name(const AcrossGroup *group) {
  if (group->kind == ACROSS_CONTENT || group->kind == ACROSS_SIMILAR)
    return g_strdup_printf("group %u", group->no);
  g_autofree char *number = g_strdup_printf("%u: ", group->no);
  const char *value = group->value;
  gsize n = MIN(strlen(value), NAME_SHOWN - strlen(number));
  while (n > 0 && (value[n] & 0xC0) == 0x80)
    n--;
  return g_strdup_printf("%s%.*s%s", number, (int)n, value, value[n] != '\0' ? "..." : "");
}

static bool measure_group(void *user, const AcrossGroup *group) {
  Page *page = user;
  return keep_problem(
             page, across_each_first(page->report->across, group, widen, page, &page->problem)) &&
         ++page->row < DRAWN;
}

static bool draw_group(void *user, const AcrossGroup *group) {
  Page *page = user;
  g_autofree char *name = short_name(group);
  svg_text(page->out, "s-name", SVG_LEFT - 8, 38 + page->row * ROW, "end", name);
  page->members = 0;
  return keep_problem(page, across_each_first(page->report->across, group, draw_first, page,
                                              &page->problem)) &&
         ++page->row < DRAWN;
}

static bool write_picture(Page *page, GError **error) {
  Across *across = page->report->across;
  page->has_times = false;
  page->row = 0;
  if (!across_each_group(across, page->kind, measure_group, page, error))
    return false;
  if (!page->has_times)
    return true;
  char from[64], to[64];
  across_time(page->from * SECOND, from, sizeof from);
  across_time(page->to * SECOND, to, sizeof to);
  g_autofree char *title = g_strdup_printf("%s: first seen", KINDS[page->kind].title);
  g_autofree char *said = g_strdup_printf(
      "%u groups; a diamond for each exhibit at the first time that its hits record, the first of "
      "a group in another colour; from %s to %s",
      page->row, from, to);
  g_autofree char *id = g_strdup_printf("first-%s", KINDS[page->kind].id);
  svg_open(page->out, id, 34 + page->row * ROW, title, said);
  svg_text(page->out, "s-under", SVG_LEFT + 10, 14, "start", from);
  svg_text(page->out, "s-under", SVG_RIGHT - 10, 14, "end", to);
  page->row = 0;
  bool ok = across_each_group(across, page->kind, draw_group, page, error);
  svg_close(page->out);
  return ok;
}

/* ---- the table ---- */
static bool first_member(void *user, const AcrossMember *member) {
  Page *page = user;
  if (!member->has_first)
    return false;
  put_time(page->out, member->first);
  html_markup(page->out, "<br>");
  html_text(page->out, member->first_kind);
  html_markup(page->out, "<br>");
  put_exhibit(page, member->evidence, member->evidence_number, member->evidence_no);
  return false;
}

static bool put_member(void *user, const AcrossMember *member) {
  Page *page = user;
  if (page->members++ >= MEMBERS)
    return false;
  html_markup(page->out, "<li>");
  if (*member->case_label != '\0') {
    html_name(page->out, member->case_label);
    html_markup(page->out, ", ");
  }
  put_exhibit(page, member->evidence, member->evidence_number, member->evidence_no);
  html_markup(page->out, ": ");
  html_name(page->out, member->path);
  if (*member->member != '\0') {
    html_markup(page->out, "!/");
    html_name(page->out, member->member);
  }
  html_format(page->out, ", %s, %s", member->state,
              *member->verdict != '\0' ? member->verdict : "not assessed");
  if (page->kind == ACROSS_SIMILAR)
    html_format(page->out, ", score %u", member->score);
  if (member->has_first) {
    html_markup(page->out, ", ");
    put_time(page->out, member->first);
  }
  html_markup(page->out, " ");
  html_code(page->out, member->hit_id);
  html_markup(page->out, "</li>\n");
  return true;
}

static bool put_members(Page *page, const AcrossGroup *group) {
  html_markup(page->out, "<details><summary>Where</summary><ul>\n");
  page->members = 0;
  bool ok = across_each_member(page->report->across, group, put_member, page, &page->problem);
  html_markup(page->out, "</ul>");
  if (page->members > MEMBERS)
    html_format(page->out, "The first %d; all stand in across.csv.", MEMBERS);
  html_markup(page->out, "</details>");
  return ok;
}

/* A name to go by: that of the first place. */
static bool put_example(void *user, const AcrossMember *member) {
  Page *page = user;
  html_name(page->out, member->path);
  if (*member->member != '\0') {
    html_markup(page->out, "!/");
    html_name(page->out, member->member);
  }
  html_markup(page->out, "<br>");
  return false;
}

static void put_verdicts(Out *out, const AcrossGroup *group) {
  html_markup(out, "<td>");
  for (guint i = 0; i < ACROSS_VERDICTS; i++) {
    if (group->verdicts[i] == 0)
      continue;
    html_put_number(out, group->verdicts[i]);
    html_format(out, " %s", VERDICT_WORDS[i].name);
    html_markup(out, "<br>");
  }
  html_markup(out, "</td>");
}

static bool put_group(void *user, const AcrossGroup *group) {
  Page *page = user;
  Out *out = page->out;
  if (page->shown++ >= GROUPS)
    return false;
  html_markup(out, "<tr><td class=\"number\">");
  html_put_number(out, group->no);
  html_markup(out, "</td><td class=\"value\">");
  bool is_digest = group->kind == ACROSS_CONTENT || group->kind == ACROSS_SIMILAR;
  bool ok = !is_digest ||
            across_each_member(page->report->across, group, put_example, page, &page->problem);
  if (is_digest)
    html_code(out, group->value);
  else
    html_name(out, group->value);
  if (*group->users != '\0') {
    html_markup(out, "<br>with ");
    html_name(out, group->users);
  }
  ok = ok && put_members(page, group);
  html_markup(out, "</td>");
  put_number(out, group->exhibits);
  put_number(out, group->cases);
  put_number(out, group->objects);
  put_number(out, group->contents);
  put_verdicts(out, group);
  html_markup(out, "<td>");
  ok = ok && across_each_member(page->report->across, group, first_member, page, &page->problem);
  html_markup(out, "</td><td>");
  if (group->has_first)
    put_time(out, group->last);
  html_markup(out, "</td></tr>\n");
  return ok;
}

static bool write_kind(Page *page, GError **error) {
  Out *out = page->out;
  page->n_groups = across_count_groups(page->report->across, page->kind);
  html_markup(out, "<section id=\"");
  html_text(out, KINDS[page->kind].id);
  html_markup(out, "\"><h2>");
  html_text(out, KINDS[page->kind].title);
  html_markup(out, "</h2>\n<p>");
  html_text(out, KINDS[page->kind].meaning);
  if (page->kind == ACROSS_SIMILAR)
    html_format(out, " Score from which they are similar here: %u.", page->report->least);
  html_markup(out, "</p>\n");
  if (page->n_groups == 0) {
    html_markup(out, "<p class=\"none\">Nothing is at two places.</p></section>\n");
    return true;
  }
  if (!write_picture(page, error))
    return false;
  if (page->n_groups > GROUPS) {
    html_markup(out, "<p>");
    html_format(out, "The first %d of %llu groups; all stand in across.csv.", GROUPS,
                (unsigned long long)page->n_groups);
    html_markup(out, "</p>\n");
  }
  put_heads(out, (const char *const[]){"#Group", "What", "#Exhibits", "#Cases", "#Objects",
                                       "#Contents", "Verdicts", "First seen", "Last seen", NULL});
  page->shown = 0;
  bool ok = across_each_group(page->report->across, page->kind, put_group, page, error);
  html_markup(out, "</tbody></table></section>\n");
  return ok;
}

/* ---- what was put together ---- */
static bool put_case(void *user, const AcrossCase *item) {
  Page *page = user;
  html_markup(page->out, "<tr><td>");
  html_name(page->out, *item->label != '\0' ? item->label : "this case");
  html_markup(page->out, "</td><td>");
  html_text(page->out, item->number);
  html_markup(page->out, "</td>");
  put_number(page->out, item->exhibits);
  put_number(page->out, item->hits);
  html_markup(page->out, "<td>");
  html_code(page->out, item->seal);
  html_markup(page->out, "</td></tr>\n");
  return true;
}

static bool put_source(void *user, const AcrossExhibit *item) {
  Page *page = user;
  html_markup(page->out, "<tr>");
  put_number(page->out, item->no);
  html_markup(page->out, "<td>");
  html_name(page->out, item->case_label);
  html_markup(page->out, "</td><td>");
  html_name(page->out, item->name);
  html_markup(page->out, "</td><td>");
  html_text(page->out, item->number);
  html_markup(page->out, "</td><td>");
  html_code(page->out, item->sha256);
  if (item->same_as != item->no)
    html_format(page->out, " the same evidence as exhibit %u: counted once", item->same_as);
  html_markup(page->out, "</td>");
  put_number(page->out, item->hits);
  html_markup(page->out, "</tr>\n");
  return true;
}

static bool write_sources(Page *page, GError **error) {
  Out *out = page->out;
  html_markup(out, "<section id=\"sources\"><h2>Cases and exhibits</h2>\n");
  put_heads(out, (const char *const[]){"Case", "Case number", "#Exhibits", "#Hits",
                                       "SHA-256 of its manifest.sha256", NULL});
  bool ok = across_each_case(page->report->across, put_case, page, error);
  html_markup(out, "</tbody></table>\n");
  put_heads(out, (const char *const[]){"#Number", "Case", "Exhibit", "Evidence number",
                                       "SHA-256 of the media", "#Hits", NULL});
  ok = ok && across_each_exhibit(page->report->across, put_source, page, error);
  html_markup(out, "</tbody></table></section>\n");
  return ok;
}

static void write_intro(Page *page) {
  Out *out = page->out;
  if (page->report->is_case)
    html_markup(out, "<p><a href=\"report.html\">The report over all exhibits</a>, <a "
                     "href=\"exhibits.html\">the list of exhibits</a>.</p>\n");
  html_markup(
      out,
      "<p>Each group is what stands at two places or more; groups on most exhibits come first, "
      "then "
      "those seen first. The same evidence in two cases counts as one exhibit. Verdicts are "
      "counted "
      "in rows of hits.csv. Every place of every group stands in across.csv.</p>\n<p "
      "class=\"cap\"><strong>First seen</strong> is the earliest time that the evidence records "
      "for "
      "a hit and that can be set beside others: of known zone (FAT and DOS archives keep none), "
      "not before 1980-01-02, no mail's own date, and not of $STANDARD_INFORMATION where its "
      "contradiction with $FILE_NAME shows that it was set. A clock that was wrong, a copy that "
      "keeps its source's times, or a program that sets them, moves it: the kind of the time "
      "stands "
      "beside it. Compare the clocks of the machines before an order in time is relied "
      "on.</p>\n");
  uint64_t left = across_not_compared(page->report->across);
  if (left > 0) {
    html_markup(out, "<p class=\"alert\">");
    html_put_number(out, left);
    html_format(out,
                " different contents were not held against the others for similarity: %u are the "
                "most. All other groups are complete.",
                LIMIT_FUZZY_GROUPED);
    html_markup(out, "</p>\n");
  }
}

bool across_write_html(const AcrossReport *report, int fd, GError **error) {
  Out out;
  out_init(&out, fd);
  Page page = {.report = report, .out = &out};
  html_head(&out, "triage: across exhibits", OWN_CSS, NULL);
  html_markup(&out, "</head>\n<body>\n<main class=\"across\">\n<h1>What the exhibits have in "
                    "common</h1>\n");
  write_intro(&page);
  bool ok = true;
  for (AcrossKind kind = ACROSS_CONTENT; ok && kind < ACROSS_KINDS; kind++) {
    page.kind = kind;
    ok = write_kind(&page, error);
  }
  ok = ok && write_sources(&page, error);
  html_markup(&out, "</main>\n</body>\n</html>\n");
  if (ok && page.problem != NULL) {
    g_propagate_error(error, g_steal_pointer(&page.problem));
    ok = false;
  }
  g_clear_error(&page.problem);
  return out_finish(&out, ok ? error : NULL) && ok;
}
