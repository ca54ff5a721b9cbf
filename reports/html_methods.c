/* SPDX-License-Identifier: Apache-2.0 */
/* html_methods.c - how it was done, by what, with which limits; and the words used. */
#include "reports/html_parts.h"
#include "reports/reports.h"
#include <string.h>

static const struct {
  const char *word, *plain;
} AREAS[] = {
    {"allocated", "files that the file system lists, and blocks in use that no file covers"},
    {"deleted", "deleted files that can still be read"},
    {"orphan", "deleted files whose folder is not known"},
    {"slack", "the slack behind the ends of files and file systems"},
    {"unallocated", "unallocated space"},
    {"gaps", "gaps between volumes"}};

static bool is_examined(HtmlCase *page, gsize i) {
  g_auto(GStrv) words = g_strsplit_set(html_case_meta(page, "areas"), ", ", -1);
  return g_strv_contains((const char *const *)words, AREAS[i].word);
}

const char **html_areas_left_out(HtmlCase *page) {
  const char **left = g_new0(const char *, G_N_ELEMENTS(AREAS) + 1);
  gsize n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(AREAS); i++)
    if (!is_examined(page, i))
      left[n++] = AREAS[i].plain;
  return left;
}

static void areas(Out *out, HtmlCase *page) {
  html_markup(out, "<h3>Areas examined</h3>\n<ul>\n");
  for (gsize i = 0; i < G_N_ELEMENTS(AREAS); i++) {
    if (!is_examined(page, i))
      continue;
    html_markup(out, "<li>");
    html_text(out, AREAS[i].plain);
    html_markup(out, "</li>\n");
  }
  html_markup(out, "</ul>\n");
}

static void inputs(Out *out, const HtmlCase *page, const char *kind, const char *title,
                   const char *none) {
  guint n = 0;
  html_markup(out, "<h3>");
  html_text(out, title);
  html_markup(out, "</h3>\n");
  for (guint i = 0; i < page->inputs->len; i++) {
    const InputFile *file = &g_array_index(page->inputs, InputFile, i);
    if (strcmp(file->kind, kind) != 0)
      continue;
    if (n++ == 0)
      html_markup(out, "<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\"><thead><tr><th "
                       "scope=\"col\">File"
                       "</th><th scope=\"col\">SHA-256</th></tr></thead><tbody>\n");
    html_markup(out, "<tr><td>");
    html_name(out, file->name);
    html_markup(out, "</td><td>");
    html_code(out, file->sha256);
    html_markup(out, "</td></tr>\n");
  }
  if (n > 0)
    html_markup(out, "</tbody></table></div>\n");
  else {
    html_markup(out, "<p>");
    html_text(out, none);
    html_markup(out, "</p>\n");
  }
}

/* A recorded fact of several lines "name value". */
static void lines(Out *out, const char *title, const char *text) {
  if (*text == '\0')
    return;
  html_markup(out, "<h3>");
  html_text(out, title);
  html_markup(out, "</h3>\n<table class=\"pairs\"><tbody>\n");
  g_auto(GStrv) rows = g_strsplit(text, "\n", -1);
  for (guint i = 0; rows[i] != NULL; i++) {
    char *space = strchr(rows[i], ' ');
    if (*rows[i] == '\0')
      continue;
    if (space != NULL)
      *space = '\0';
    html_row(out, rows[i], space != NULL ? space + 1 : "", true);
  }
  html_markup(out, "</tbody></table>\n");
}

static void how(Out *out) {
  html_markup(
      out,
      "<ol class=\"steps\">\n"
      "<li><strong>Reading.</strong> Each image was opened for reading only. Its volumes and file "
      "systems were walked: every listed file, every deleted entry and every named stream that the "
      "file system still describes, and what lies between and behind them (areas below).</li>\n"
      "<li><strong>Unpacking.</strong> Archives and compressed files were unpacked, also inside "
      "one "
      "another, and each file in them was examined as one of its own. Where text is stored in "
      "another "
      "form, it was converted first; the form is named with the hit as its view.</li>\n"
      "<li><strong>Matching.</strong> Each content was compared with the rules by the YARA "
      "library. "
      "A hit is recorded with every place of the matching text.</li>\n"
      "<li><strong>Reading the script.</strong> Server, sender, recipients, subject and "
      "attachments "
      "were taken from the matching text where they stand there in plain form.</li>\n"
      "<li><strong>Assessing.</strong> Each hit was compared with the benign profiles. A path or a "
      "name alone never makes a hit benign: the content has to fit, and known-benign also needs "
      "corroboration in the same evidence or an approved digest. Every hit stays in the report "
      "whatever its verdict.</li>\n</ol>\n"
      "<p>Facts and interpretation are kept apart: place, times, digests, matches and text are "
      "recorded facts; indicators are read from the text by program; the verdict and its reason "
      "are "
      "an interpretation by the rules of the profiles. Evidence was read by separate processes "
      "without network and without permission to write files; a crash or a hang of one costs the "
      "object it was on, which is then listed under Coverage.</p>\n");
}

static void limitations(Out *out, HtmlCase *page) {
  html_markup(out, "<h3 id=\"limitations\">Known limitations</h3>\n<ul>\n");
  g_autofree const char **left = html_areas_left_out(page);
  for (guint i = 0; left[i] != NULL; i++) {
    html_markup(out, "<li>Not examined: ");
    html_text(out, left[i]);
    html_markup(out, ".</li>\n");
  }
  html_markup(out, "<li>Text that a script puts together while it runs does not match a rule that "
                   "looks for it in one piece.</li>\n"
                   "<li>Content that is encrypted is listed, not read, unless a password was given."
                   "</li>\n"
                   "<li>Times are those that the evidence records: a wrong clock or a program that "
                   "sets times is not noticed.</li>\n");
  if (page->has_local_times)
    html_markup(out, "<li>Some times are local times of an unknown zone (FAT, some archives) and "
                     "cannot be compared with UTC directly.</li>\n");
  for (guint i = 0; i < REASONS; i++) {
    if (page->gaps_of[i] == 0)
      continue;
    html_markup(out, "<li>In this case: ");
    html_text(out, REASON_WORDS[i].plain);
    html_markup(out, " (<a href=\"#gap-");
    html_text(out, *REASON_WORDS[i].name != '\0' ? REASON_WORDS[i].name : "other");
    html_markup(out, "\">");
    html_put_number(out, page->gaps_of[i]);
    html_markup(out, "</a>).</li>\n");
  }
  html_markup(out, "</ul>\n");
}

static void files(Out *out) {
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  html_markup(out, "<h3>Files beside this report</h3>\n<div class=\"scroll\" tabindex=\"0\"><table "
                   "class=\"grid\">"
                   "<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Holds</th><th "
                   "scope=\"col\">Limitation</th></tr></thead><tbody>\n");
  for (size_t i = 0; i < n; i++) {
    html_markup(out, "<tr><td>");
    html_code(out, writers[i]->file_name);
    html_markup(out, "</td><td>");
    html_text(out, writers[i]->row.title);
    html_markup(out, "</td><td>");
    html_text(out, writers[i]->row.limitations);
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out,
              "</tbody></table></div>\n<p class=\"note\"><code>manifest.sha256</code> holds the "
              "SHA-256 digest of each of these files: <code>sha256sum -c manifest.sha256</code> "
              "checks them.</p>\n");
}

void html_methods(Out *out, HtmlCase *page) {
  html_markup(out, "<section id=\"methods\" aria-labelledby=\"methods-h\">\n"
                   "<h2 id=\"methods-h\">Method</h2>\n");
  how(out);
  areas(out, page);
  inputs(out, page, "rules", "Rules", "No rule file is recorded.");
  inputs(out, page, "profile", "Benign profiles", "No benign profile was used.");
  lines(out, "Limits and options", html_case_meta(page, "options"));
  limitations(out, page);
  html_worth(out, page);
  files(out);
  html_markup(out, "</section>\n");
}

void html_run(Out *out, HtmlCase *page) {
  html_markup(out,
              "<section id=\"run\" aria-labelledby=\"run-h\">\n<h2 id=\"run-h\">This run</h2>\n"
              "<p>What can differ between two runs over the same evidence stands in this section "
              "alone.</p>\n<table class=\"pairs\"><tbody>\n");
  html_row(out, "Program", "triage", true);
  html_row(out, "Version", html_case_meta(page, "tool_version"), true);
  html_row(out, "Command line", html_case_meta(page, "command_line"), true);
  html_row(out, "Started (UTC)", html_case_meta(page, "started"), true);
  html_row(out, "Ended (UTC)", html_case_meta(page, "ended"), true);
  html_row(out, "Duration in seconds", html_case_meta(page, "run_seconds"), true);
  html_row(out, "Ended how", html_case_meta(page, "status"), true);
  html_row(out, "Workers that were replaced", html_case_meta(page, "retries"), true);
  html_row(out, "Machine", html_case_meta(page, "host"), true);
  html_row(out, "Time zone for display", html_case_meta(page, "timezone"), false);
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    g_autofree char *label = g_strdup_printf("Evidence %u as given", info->record.no);
    html_row(out, label, info->record.path, true);
  }
  html_markup(out, "</tbody></table>\n<h3>Protection of the examining processes</h3>\n<p>");
  const char *sandbox = html_case_meta(page, "sandbox");
  if (*sandbox == '\0')
    html_markup(out, "All protections were in force: no new privileges, system call filter, no "
                     "network, no writing of files, bounded memory.");
  g_auto(GStrv) missing = g_strsplit(sandbox, "\n", -1);
  for (guint i = 0; missing[i] != NULL; i++) {
    html_text(out, missing[i]);
    html_markup(out, " ");
  }
  html_markup(out, "</p>\n");
  lines(out, "Build", html_case_meta(page, "build"));
  lines(out, "Libraries", html_case_meta(page, "libraries"));
  html_markup(out, "</section>\n");
}

void html_glossary(Out *out, HtmlCase *page) {
  (void)page;
  html_markup(out, "<section id=\"glossary\" aria-labelledby=\"glossary-h\">\n"
                   "<h2 id=\"glossary-h\">Glossary</h2>\n<dl class=\"glossary\">\n");
  for (gsize i = 0; i < GLOSSARY_LENGTH; i++) {
    html_markup(out, "<dt>");
    html_text(out, GLOSSARY[i].term);
    html_markup(out, "</dt><dd>");
    html_text(out, GLOSSARY[i].meaning);
    html_markup(out, "</dd>\n");
  }
  html_markup(out, "</dl>\n</section>\n");
}
