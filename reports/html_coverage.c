/* SPDX-License-Identifier: Apache-2.0 */
/* html_coverage.c - what was not fully examined, by reason. */
#include "reports/html_parts.h"
#include <string.h>

static void sums(Out *out, const HtmlCase *page) {
  const StoreTotals *t = &page->totals;
  struct {
    const char *label;
    uint64_t number;
  } rows[] = {{"Objects seen (files, streams, folders, deleted entries)", t->objects},
              {"– without content of their own (folders, devices, names alone)",
               t->objects_without_content},
              {"– whose content was read and scanned", t->objects_examined},
              {"– not reached before the run stopped", html_case_pending(page)},
              {"Files inside containers that were scanned", t->members},
              {"Rows of coverage.csv: not fully examined", page->n_gaps}};
  html_markup(out, "<table class=\"pairs sums\"><tbody>\n");
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    html_markup(out, "<tr><th scope=\"row\">");
    html_text(out, rows[i].label);
    html_markup(out, "</th><td class=\"n\">");
    html_put_number(out, rows[i].number);
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table>\n");
}

static void gap_row(Out *out, const GapRow *gap) {
  html_markup(out, "<tr><td>");
  html_name(out, gap->evidence);
  html_markup(out, "<br><span class=\"under\">");
  html_volume(out, gap->volume, gap->fs_type);
  html_markup(out, "</span></td><td class=\"path\">");
  if (*gap->path != '\0')
    html_name(out, gap->path);
  else
    html_markup(out, "<span class=\"none\">the volume or evidence itself</span>");
  if (*gap->member != '\0') {
    html_markup(out, " <span class=\"step\">!/</span> ");
    html_name(out, gap->member);
  }
  html_markup(out, "</td><td>");
  html_text(out, gap->state);
  if (*gap->meta != '\0') {
    html_markup(out, "<br><span class=\"under\">");
    html_text(out, gap->meta);
    html_markup(out, "</span>");
  }
  html_markup(out, "</td><td class=\"n\">");
  if (gap->has_size) {
    html_put_number(out, gap->examined);
    html_markup(out, " of ");
    html_put_number(out, gap->size);
  } else {
    html_markup(out, "<span class=\"none\">unknown</span>");
  }
  html_markup(out, "</td><td>");
  html_text(out, gap->detail);
  html_markup(out, "</td></tr>\n");
}

static void reason(Out *out, const HtmlCase *page, guint i) {
  const GArray *rows = page->gap_rows_of[i];
  html_markup(out, "<details class=\"card\" open><summary><h3 id=\"gap-");
  html_text(out, *REASON_WORDS[i].name != '\0' ? REASON_WORDS[i].name : "other");
  html_markup(out, "\">");
  html_text(out, *REASON_WORDS[i].name != '\0' ? REASON_WORDS[i].name : "other");
  html_markup(out, " <span class=\"count\">");
  html_put_number(out, page->gaps_of[i]);
  html_markup(out, "</span></h3></summary>\n<div class=\"inside\"><p>");
  html_text(out, REASON_WORDS[i].meaning);
  html_markup(out,
              "</p>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\"><thead><tr><th "
              "scope=\"col\">"
              "Evidence</th><th scope=\"col\">Path</th><th scope=\"col\">State, address</th>"
              "<th scope=\"col\" class=\"n\">Bytes examined</th><th scope=\"col\">What happened"
              "</th></tr></thead><tbody>\n");
  for (guint j = 0; j < rows->len; j++)
    gap_row(out, &g_array_index(rows, GapRow, j));
  html_markup(out, "</tbody></table></div>\n");
  if (rows->len < page->gaps_of[i]) {
    html_markup(out, "<p class=\"cap\">");
    html_put_number(out, rows->len);
    html_markup(out, " of ");
    html_put_number(out, page->gaps_of[i]);
    html_markup(out, " rows are shown here. All of them stand in coverage.csv.</p>\n");
  }
  html_markup(out, "</div></details>\n");
}

void html_coverage(Out *out, HtmlCase *page) {
  html_markup(out,
              "<section id=\"coverage\" aria-labelledby=\"coverage-h\">\n<h2 id=\"coverage-h\">"
              "Coverage: what was not fully examined</h2>\n");
  sums(out, page);
  if (html_case_is_complete(page))
    html_markup(out, "<p>Every object that was seen was examined in full.</p>\n");
  else if (page->n_gaps > 0)
    html_markup(out, "<p>For each row below, the absence of a hit says nothing about what was not "
                     "examined.</p>\n");
  for (guint i = 0; i < REASONS; i++)
    if (page->gaps_of[i] > 0)
      reason(out, page, i);
  g_autofree const char **left = html_areas_left_out(page);
  if (left[0] != NULL) {
    html_markup(out, "<h3>Areas that this run did not examine at all</h3>\n<ul>\n");
    for (guint i = 0; left[i] != NULL; i++) {
      html_markup(out, "<li>");
      html_text(out, left[i]);
      html_markup(out, "</li>\n");
    }
    html_markup(out, "</ul>\n");
  }
  html_markup(out, "</section>\n");
}
