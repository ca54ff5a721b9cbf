/* SPDX-License-Identifier: Apache-2.0 */
/* report_html.c - report.html: one file for people. It needs no script, loads nothing, and its
 * policy lets a browser run nothing that is not named by digest. */
#include "base/limits.h"
#include "reports/html_parts.h"
#include "reports/report_writers.h"
#include <string.h>

/* reports/page.css and page.js, made into C by the build. */
extern const char page_js[];

/* With a script the printed list of hits stays unparsed (noscript) until it is printed, or until
 * the script fails: thousands of hits would hold up the page. */
static const char FIRST_SCRIPT[] =
    "document.documentElement.className='js';"
    "function printed(){document.querySelectorAll('noscript').forEach(function(n){"
    "var d=new DOMParser().parseFromString(n.textContent,'text/html'),"
    "x=document.createElement('div');if(n.id)x.id=n.id;x.className=n.className;"
    "while(d.body.firstChild)x.appendChild(d.body.firstChild);n.replaceWith(x)})}"
    "function failed(){document.documentElement.className='';"
    "if(document.readyState==='loading')addEventListener('DOMContentLoaded',printed);"
    "else printed()}"
    "addEventListener('beforeprint',printed);addEventListener('error',failed);";

/* A text as a CSS string: every byte that could end it is a numeric escape. */
static char *css_string(const char *text) {
  GString *css = g_string_new("\"");
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    if (g_ascii_isalnum(*p) || *p == ' ' || *p == '-')
      g_string_append_c(css, *p);
    else
      g_string_append_printf(css, "\\%06x", (unsigned)g_utf8_get_char(p));
  }
  g_string_append_c(css, '"');
  return g_string_free(css, FALSE);
}

/* Head and foot of each printed page name the report, so that a lone sheet can be told. */
static char *paper_css(HtmlCase *page) {
  const char *number = html_case_meta(page, "case_number");
  g_autofree char *left = g_strdup_printf("triage report %s", page->report_id);
  g_autofree char *clipped = html_clip(number, 80);
  g_autofree char *right =
      *number != '\0' ? g_strdup_printf("case %s", clipped) : g_strdup("case number not given");
  g_autofree char *left_css = css_string(left), *right_css = css_string(right);
  return g_strdup_printf("@page{@top-left{content:%s}@top-right{content:%s}}", left_css, right_css);
}

static void head(Out *out, HtmlCase *page) {
  const char *const scripts[] = {FIRST_SCRIPT, page_js, NULL};
  g_autofree char *paper = paper_css(page);
  g_autofree char *title = g_strdup_printf("triage report %s", page->report_id);
  html_head(out, title, paper, scripts);
  if (!page->for_paper) {
    html_markup(out, "<script>");
    out_text(out, FIRST_SCRIPT);
    html_markup(out, "</script>\n");
  }
  html_markup(out, "</head>\n");
}

/* A list of texts of this program or of the case, as JSON. */
static void append_verdicts(GString *json) {
  for (guint i = 0; i < VERDICTS; i++) {
    const VerdictWords *words = &VERDICT_WORDS[i];
    g_string_append_printf(json, "%s{\"id\":", i > 0 ? "," : "");
    html_json_text(json, words->id);
    g_string_append(json, ",\"title\":");
    html_json_text(json, words->title);
    g_string_append(json, ",\"mark\":");
    html_json_text(json, words->mark);
    g_string_append_c(json, '}');
  }
}

static void append_pair(GString *json, const char *const pair[2], bool is_first) {
  if (!is_first)
    g_string_append_c(json, ',');
  html_json_text(json, pair[0]);
  g_string_append_c(json, ':');
  html_json_text(json, pair[1]);
}

static void append_names(GString *json, const HtmlCase *page) {
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    if (i > 0)
      g_string_append_c(json, ',');
    html_json_text(json, info->record.name);
    g_string_append_printf(json, ":%llu", (unsigned long long)info->record.sector_bytes);
  }
  gsize n;
  const char *const(*titles)[2] = indicator_titles(&n);
  g_string_append(json, "},\"indicators\":{");
  for (gsize i = 0; i < n; i++)
    append_pair(json, titles[i], i == 0);
  g_string_append(json, "},\"weights\":{");
  for (guint i = 0; i < WEIGHTS; i++)
    append_pair(json, WEIGHT_WORDS[i], i == 0);
}

/* The script and what it works on, before the printed list: a page of many hits can be worked with
 * before all of it has been read. */
static void script(Out *out, const HtmlCase *page) {
  g_autoptr(GString) json = g_string_new("\"report\":");
  html_json_text(json, page->report_id);
  g_string_append_printf(json, ",\"left_out\":%llu,\"before\":%u,\"notes\":[",
                         (unsigned long long)html_data_left_out(page->data),
                         LIMIT_EXCERPT_BYTES / 4);
  html_notes_json(json, page);
  g_string_append(json, "],\"verdicts\":[");
  append_verdicts(json);
  g_string_append(json, "],\"sectors\":{");
  append_names(json, page);
  g_string_append_c(json, '}');
  html_data_write(out, page->data, json->str);
  html_markup(out, "<script>");
  out_text(out, page_js);
  html_markup(out, "</script>\n");
}

static void contents(Out *out, const HtmlCase *page) {
  html_markup(out, "<nav class=\"toc\" aria-label=\"Contents\">\n<ul>\n"
                   "<li><a href=\"#summary\">Summary</a></li>\n"
                   "<li><a href=\"#hits\">Hits</a>\n<ul>\n");
  for (guint i = 0; i < VERDICTS; i++) {
    if (i + 1 == VERDICTS && page->hits_of[i] == 0)
      continue;
    html_markup(out, "<li class=\"");
    html_text(out, VERDICT_WORDS[i].id);
    html_markup(out, "\"><a href=\"#");
    html_text(out, VERDICT_WORDS[i].id);
    html_markup(out, "\">");
    html_verdict(out, i, page->hits_of[i]);
    html_markup(out, "</a></li>\n");
  }
  html_markup(out, "</ul></li>\n");
  if (page->noted->len > 0)
    html_markup(out, "<li><a href=\"#notes\">Notes</a></li>\n");
  html_markup(out, "<li><a href=\"#coverage\">Coverage <span class=\"count\">");
  html_put_number(out, page->n_gaps);
  html_markup(out, "</span></a></li>\n"
                   "<li><a href=\"#evidence\">Evidence</a></li>\n"
                   "<li><a href=\"#case\">Case</a></li>\n"
                   "<li><a href=\"#methods\">Method</a></li>\n"
                   "<li><a href=\"#limitations\">Known limitations</a></li>\n"
                   "<li><a href=\"#validation\">Validation</a></li>\n"
                   "<li><a href=\"#run\">This run</a></li>\n"
                   "<li><a href=\"#glossary\">Glossary</a></li>\n"
                   "<li><a href=\"#list\">List of hits</a></li>\n</ul>\n</nav>\n");
}

/* The other pages of a case of many exhibits. */
static void neighbours(Out *out, const HtmlCase *page) {
  bool is_exhibit = store_scope(page->store) != 0;
  if (page->for_paper || (!is_exhibit && page->evidence->len < 2))
    return;
  html_markup(out, "<p class=\"ids\">");
  if (is_exhibit)
    html_markup(out, "<span><a href=\"report.html\">The report over all exhibits</a></span> ");
  html_markup(out, "<span><a href=\"exhibits.html\">The list of exhibits</a></span> <span><a "
                   "href=\"across.html\">What they have in common</a></span></p>");
}

static void body(Out *out, HtmlCase *page) {
  html_markup(out, "<body>\n<a class=\"skip\" href=\"#summary\">To the summary</a>\n"
                   "<header class=\"top\"><p class=\"kind\">Forensic triage report</p>\n<h1>");
  if (page->evidence->len == 1)
    html_name(out, ((const EvidenceInfo *)page->evidence->pdata[0])->record.name);
  else
    html_count(out, page->evidence->len, "piece of evidence", "pieces of evidence");
  html_markup(out, "</h1>\n<p class=\"ids\"><span>Case ");
  const char *number = html_case_meta(page, "case_number");
  html_name(out, *number != '\0' ? number : "not given");
  html_markup(out, "</span> <span>Examiner ");
  const char *examiner = html_case_meta(page, "examiner");
  html_name(out, *examiner != '\0' ? examiner : "not given");
  html_markup(out, "</span> <span>Report ");
  html_code(out, page->report_id);
  html_markup(out, "</span></p>");
  neighbours(out, page);
  html_markup(out, "</header>\n<div class=\"columns\">\n");
  contents(out, page);
  html_markup(out, "<main>\n");
  html_summary(out, page);
  html_hits(out, page, script);
  html_notes(out, page);
  html_coverage(out, page);
  html_evidence(out, page);
  html_case_data(out, page);
  html_methods(out, page);
  html_run(out, page);
  html_glossary(out, page);
  html_list(out, page);
  html_markup(out, "</main>\n</div>\n<footer>");
  html_format(out, "End of report %s.", page->report_id);
  html_markup(out, "</footer>\n</body>\n</html>\n");
}

static bool write_page(Store *store, int fd, bool for_paper, GError **error) {
  g_autoptr(HtmlCase) page = html_case_read(store, error);
  if (page == NULL)
    return false;
  page->for_paper = for_paper;
  Out out;
  out_init(&out, fd);
  head(&out, page);
  body(&out, page);
  return out_finish(&out, error);
}

bool report_write_html(Store *store, int fd, GError **error) {
  return write_page(store, fd, false, error);
}

bool report_write_paper(Store *store, int fd, GError **error) {
  return write_page(store, fd, true, error);
}
