/* SPDX-License-Identifier: Apache-2.0 */
/* html_index.c - exhibits.html: one row for each piece of evidence of a case of many, what needs a
 * person first; each leads to the page of that piece. Needs no script. */
#include "reports/html_out.h"
#include "reports/html_words.h"
#include "reports/report_writers.h"
#include <string.h>

static const char INDEX_CSS[] = "main.index{padding:0 1rem}main.index table{width:100%}"
                                "main.index td,main.index th{vertical-align:top;text-align:left}"
                                "main.index td.number{text-align:right}"
                                "main.index code{overflow-wrap:anywhere}";

typedef struct {
  EvidenceRecord record; /* its texts live in texts */
  const ExhibitTotals *totals;
  char *number, *notes, *seconds;
} Line;

typedef struct {
  Store *store;
  GStringChunk *texts;
  GArray *lines, *exhibits;
} Index;

static void line_clear(gpointer data) {
  Line *line = data;
  g_free(line->number);
  g_free(line->notes);
  g_free(line->seconds);
}

static bool take_property(void *user, const char *name, const char *value) {
  Line *line = user;
  char **field = strcmp(name, "Evidence number") == 0 ? &line->number
                 : strcmp(name, "Notes") == 0         ? &line->notes
                                                      : NULL;
  if (field != NULL && *field == NULL)
    *field = g_strdup(value);
  return true;
}

static bool take_evidence(void *user, const EvidenceRecord *record) {
  Index *index = user;
  Line line = {.record = *record};
  line.record.name = g_string_chunk_insert(index->texts, record->name);
  line.record.sha256 = g_string_chunk_insert(index->texts, record->sha256);
  line.record.digest_status = g_string_chunk_insert(index->texts, record->digest_status);
  line.record.kind = g_string_chunk_insert(index->texts, record->kind);
  for (guint i = 0; i < index->exhibits->len; i++)
    if (g_array_index(index->exhibits, ExhibitTotals, i).no == record->no)
      line.totals = &g_array_index(index->exhibits, ExhibitTotals, i);
  g_array_append_val(index->lines, line);
  return true;
}

/* Suspicious hits first, then unexplained ones, then what was not fully examined; else as given. */
static int compare_lines(gconstpointer a, gconstpointer b) {
  const Line *x = a, *y = b;
  for (gsize i = 0; i < 2; i++)
    if (x->totals->hits[i] != y->totals->hits[i])
      return x->totals->hits[i] > y->totals->hits[i] ? -1 : 1;
  if ((x->totals->gaps > 0) != (y->totals->gaps > 0))
    return x->totals->gaps > 0 ? -1 : 1;
  return (x->record.no > y->record.no) - (x->record.no < y->record.no);
}

static const char *state_of(const Line *line) {
  if (*line->record.kind == '\0')
    return "could not be opened";
  if (!line->totals->is_finished || line->totals->objects_pending > 0)
    return "not finished";
  return line->totals->gaps > 0 ? "examined, see coverage" : "fully examined";
}

static void cell_number(Out *out, uint64_t number) {
  html_markup(out, "<td class=\"number\">");
  html_put_number(out, number);
  html_markup(out, "</td>");
}

static void write_line(Out *out, const Line *line) {
  html_markup(out, "<tr><td>");
  html_text(out, line->number != NULL ? line->number : "");
  html_markup(out, "</td><td><a href=\"");
  html_format(out, "exhibit-%u.html", line->record.no);
  html_markup(out, "\">");
  html_name(out, line->record.name);
  html_markup(out, "</a>");
  if (line->notes != NULL) {
    html_markup(out, "<br>");
    html_text(out, line->notes);
  }
  html_markup(out, "</td><td>");
  html_text(out, state_of(line));
  html_markup(out, "</td>");
  for (gsize i = 0; i < STORE_VERDICTS; i++)
    cell_number(out, line->totals->hits[i]);
  cell_number(out, line->totals->gaps);
  cell_number(out, line->totals->objects);
  html_markup(out, "<td>");
  html_bytes(out, line->record.media_bytes);
  html_markup(out, "</td><td>");
  if (*line->record.sha256 != '\0') {
    html_code(out, line->record.sha256);
    html_markup(out, "<br>");
  }
  html_text(out, strcmp(line->record.digest_status, "match") == 0 ? "as stored in the image"
                 : strcmp(line->record.digest_status, "mismatch") == 0
                     ? "NOT as stored in the image"
                 : strcmp(line->record.digest_status, "absent") == 0 ? "nothing stored to compare"
                                                                     : line->record.digest_status);
  html_markup(out, "</td><td class=\"number\">");
  html_text(out, line->seconds != NULL ? line->seconds : "");
  html_markup(out, "</td></tr>\n");
}

static void write_sum(Out *out, const GArray *lines) {
  ExhibitTotals sum = {0};
  uint64_t bytes = 0;
  for (guint i = 0; i < lines->len; i++) {
    const Line *line = &g_array_index(lines, Line, i);
    for (gsize j = 0; j < STORE_VERDICTS; j++)
      sum.hits[j] += line->totals->hits[j];
    sum.gaps += line->totals->gaps;
    sum.objects += line->totals->objects;
    bytes += line->record.media_bytes;
  }
  html_markup(out, "</tbody><tfoot><tr><th scope=\"row\" colspan=\"3\">Together</th>");
  for (gsize j = 0; j < STORE_VERDICTS; j++)
    cell_number(out, sum.hits[j]);
  cell_number(out, sum.gaps);
  cell_number(out, sum.objects);
  html_markup(out, "<td>");
  html_bytes(out, bytes);
  html_markup(out, "</td><td></td><td></td></tr></tfoot></table>\n");
}

static void write_body(Out *out, const GArray *lines, const char *number) {
  html_markup(out, "<main class=\"index\">\n<h1>Exhibits</h1>\n<p>");
  html_count(out, lines->len, "piece of evidence", "pieces of evidence");
  html_markup(out, ", case ");
  html_text(out, *number != '\0' ? number : "number not given");
  html_markup(out,
              ". What needs a person stands first: suspicious hits, then unexplained ones, then "
              "what could not be fully examined. <a href=\"report.html\">The report over all of "
              "them</a>, <a href=\"across.html\">what they have in "
              "common</a>.</p>\n<table>\n<thead><tr><th scope=\"col\">Number</th><th "
              "scope=\"col\">Exhibit</th><th scope=\"col\">State</th>");
  for (gsize i = 0; i < STORE_VERDICTS; i++) {
    html_markup(out, "<th scope=\"col\">");
    html_text(out, VERDICT_WORDS[i].title);
    html_markup(out, "</th>");
  }
  html_markup(out, "<th scope=\"col\">Rows of coverage</th><th scope=\"col\">Objects</th><th "
                   "scope=\"col\">Size</th><th scope=\"col\">SHA-256</th><th "
                   "scope=\"col\">Seconds</th></tr></thead>\n<tbody>\n");
  for (guint i = 0; i < lines->len; i++)
    write_line(out, &g_array_index(lines, Line, i));
  write_sum(out, lines);
  html_markup(out, "</main>\n</body>\n</html>\n");
}

bool report_write_exhibits(Store *store, int fd, GError **error) {
  g_autoptr(GArray) exhibits = store_exhibits(store, error);
  g_autoptr(GArray) lines = g_array_new(FALSE, TRUE, sizeof(Line));
  g_array_set_clear_func(lines, line_clear);
  GStringChunk *texts = g_string_chunk_new(4096);
  Index index = {store, texts, lines, exhibits};
  bool ok = exhibits != NULL && store_each_evidence(store, take_evidence, &index, error);
  for (guint i = 0; ok && i < lines->len; i++) {
    Line *line = &g_array_index(lines, Line, i);
    g_autofree char *key = g_strdup_printf("evidence_%u_seconds", line->record.no);
    line->seconds = store_get_meta(store, key);
    ok = store_each_evidence_property(store, line->record.no, take_property, line, error);
  }
  if (ok) {
    Out out;
    g_autofree char *number = store_get_meta(store, "case_number");
    g_array_sort(lines, compare_lines);
    out_init(&out, fd);
    html_head(&out, "triage: exhibits", INDEX_CSS, NULL);
    html_markup(&out, "</head>\n<body>\n");
    write_body(&out, lines, number != NULL ? number : "");
    ok = out_finish(&out, error);
  }
  g_string_chunk_free(texts);
  return ok;
}
