/* SPDX-License-Identifier: Apache-2.0 */
/* html_court.c - what the method is worth: the tests that this version passed, known error rates,
 * how times are to be read, the limits of every format; and the full list. */
#include "reports/html_parts.h"
#include <string.h>

/* reports/validation.txt as it was when this program was built: lines "name value", empty where no
 * validation is recorded. */
extern const char validation_txt[];

enum { FORMAT_FIELDS = 4 }; /* stage, name, title, limitations */

/* The value of the recorded line of that name. (transfer full), NULL: none */
static char *recorded(const char *name) {
  g_auto(GStrv) lines = g_strsplit(validation_txt, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    gsize n = strlen(name);
    if (strncmp(lines[i], name, n) == 0 && lines[i][n] == ' ')
      return g_strdup(lines[i] + n + 1);
  }
  return NULL;
}

static void validation(Out *out) {
  g_autofree char *version = recorded("version");
  html_markup(out, "<h3 id=\"validation\">Validation</h3>\n");
  if (version == NULL) {
    html_markup(out,
                "<p>No validation is recorded in this build. Whoever relies on the report can run "
                "the project's own tests with it (<code>tests/run</code>), which compare its "
                "results with those of independent tools.</p>\n");
    return;
  }
  html_markup(out, "<p>");
  if (strcmp(version, TRIAGE_VERSION) == 0)
    html_markup(out,
                "The tests of this version, which compare its results with those of independent "
                "tools (The Sleuth Kit, YARA, libarchive and others) over evidence of known "
                "content, were last recorded as follows.");
  else
    html_format(out, "This is version %s: the last recorded validation is of another one.",
                TRIAGE_VERSION);
  html_markup(out, "</p>\n<table class=\"pairs\"><tbody>\n");
  g_auto(GStrv) lines = g_strsplit(validation_txt, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *space = strchr(lines[i], ' ');
    if (space == NULL)
      continue;
    *space = '\0';
    html_row(out, lines[i], space + 1, true);
  }
  html_markup(out, "</tbody></table>\n");
}

static void error_rates(Out *out) {
  html_markup(
      out, "<h3 id=\"errors\">Error rates</h3>\n<ul>\n<li><strong>Matching.</strong> A hit is an "
           "exact finding of the YARA library in the bytes at the stated place and can be "
           "repeated there; a rule that matches says nothing more than what it looks for. How "
           "many other texts a rule would match is a property of the rule, and was not "
           "measured here.</li>\n<li><strong>Missing.</strong> Nothing is known of hits in what "
           "stands under Coverage, nor of text that is encrypted, put together at run time, or "
           "encoded in a way that no view turns back.</li>\n<li><strong>Verdicts</strong> are "
           "interpretations. Which way each ground can mislead is printed by <code>triage "
           "explain</code> and stands in the manual (GROUNDS). No rate is stated for "
           "them: it depends on the site.</li>\n</ul>\n");
}

static void clocks(Out *out, HtmlCase *page) {
  html_markup(
      out, "<h3 id=\"clock\">Time zones and clocks</h3>\n<p>Every time of this report stands with "
           "its zone. Times of NTFS, ext and most others are kept in UTC by the file system and "
           "shown in UTC; times of FAT, exFAT and some archives are local times of a zone that is "
           "not recorded: they are shown as they stand, are never converted, and cannot be set in "
           "order with the others. Nothing was corrected for a wrong clock of the machine that "
           "wrote them. The run's own times are those of the examining machine, in UTC.");
  const char *zone = html_case_meta(page, "timezone");
  if (*zone != '\0') {
    html_markup(out, " The examiner named the zone ");
    html_name(out, zone);
    html_markup(out, " for this case: it is recorded here; no time was converted to it.");
  }
  html_markup(out, "</p>\n");
}

/* Rows as coord recorded them when the run began: "stage TAB name TAB title TAB limitations". */
static void formats(Out *out, HtmlCase *page) {
  g_auto(GStrv) rows = g_strsplit(html_case_meta(page, "formats"), "\n", -1);
  if (rows[0] == NULL || *rows[0] == '\0')
    return;
  html_markup(out,
              "<details class=\"card\"><summary><h3 id=\"formats\">Limitations of every format "
              "</h3></summary>\n<div class=\"inside\"><p>As this version states them. What is not "
              "available was not read as such: its bytes were searched as they stand.</p>\n<div "
              "class=\"scroll\" tabindex=\"0\"><table class=\"grid small\"><thead><tr><th "
              "scope=\"col\">Stage</th><th scope=\"col\">Name</th><th scope=\"col\">Format</th><th "
              "scope=\"col\">Limitations</th></tr></thead><tbody>\n");
  for (guint i = 0; rows[i] != NULL; i++) {
    g_auto(GStrv) fields = g_strsplit(rows[i], HTML_FIELD, FORMAT_FIELDS);
    if (g_strv_length(fields) != FORMAT_FIELDS)
      continue;
    html_markup(out, "<tr>");
    for (guint j = 0; j < FORMAT_FIELDS; j++) {
      html_markup(out, "<td>");
      html_text(out, fields[j]);
      html_markup(out, "</td>");
    }
    html_markup(out, "</tr>\n");
  }
  html_markup(out, "</tbody></table></div>\n</div></details>\n");
}

void html_worth(Out *out, HtmlCase *page) {
  validation(out);
  error_rates(out);
  clocks(out, page);
  formats(out, page);
}

/* ---- the full list ---- */
static void list_row(Out *out, const HitRow *hit, guint verdict) {
  html_markup(out, "<tr><td><a href=\"#");
  html_text(out, hit->hit_id);
  html_markup(out, "\">");
  html_code(out, hit->hit_id);
  html_markup(out, "</a></td><td>");
  html_text(out, VERDICT_WORDS[verdict].title);
  html_markup(out, "</td><td class=\"path\">");
  html_name(out, hit->evidence);
  if (hit->volume > 0)
    html_format(out, ", volume %u", hit->volume);
  html_markup(out, ": ");
  html_name(out, hit->path);
  if (*hit->member != '\0') {
    html_markup(out, " <span class=\"step\">!/</span> ");
    html_name(out, hit->member);
  }
  html_markup(out, "</td><td>");
  html_code(out, *hit->digests.sha256 != '\0' ? hit->digests.sha256 : "not computed");
  html_markup(out, "</td></tr>\n");
}

/* It names each printed hit on one line; the rest stands in hits.csv, as is said. */
void html_list(Out *out, HtmlCase *page) {
  html_markup(
      out, "<section id=\"list\" aria-labelledby=\"list-h\">\n<h2 id=\"list-h\">Appendix: list of "
           "hits</h2>\n");
  if (page->n_hits == 0) {
    html_markup(out, "<p>There is no hit.</p>\n</section>\n");
    return;
  }
  html_markup(out, "<p>");
  html_count(out, MIN(page->n_hits, HTML_HITS), "hit", "hits");
  html_markup(out, ", by verdict");
  if (page->n_hits > HTML_HITS) {
    html_markup(out, "; the other ");
    html_put_number(out, page->n_hits - HTML_HITS);
    html_markup(out, " stand in hits.csv");
  }
  html_markup(out, ".</p>\n");
  if (page->for_paper)
    html_markup(out, "<div>\n");
  else
    html_markup(out, "<noscript class=\"printed\">\n");
  html_markup(out,
              "<div class=\"scroll\" tabindex=\"0\"><table class=\"grid small\"><thead><tr><th "
              "scope=\"col\">Hit</th><th scope=\"col\">Verdict</th><th scope=\"col\">Place</th><th "
              "scope=\"col\">SHA-256</th></tr></thead><tbody>\n");
  for (guint i = 0; i < VERDICTS; i++)
    for (guint j = 0; j < page->groups_of[i]->len; j++) {
      const HitGroup *group = page->groups_of[i]->pdata[j];
      for (guint k = 0; k < group->hits->len; k++)
        list_row(out, &((const ShownHit *)group->hits->pdata[k])->row, i);
    }
  html_markup(out, "</tbody></table></div>\n");
  if (page->for_paper)
    html_markup(out, "</div>\n</section>\n");
  else
    html_markup(out, "</noscript>\n</section>\n");
}
