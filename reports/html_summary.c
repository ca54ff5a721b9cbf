/* SPDX-License-Identifier: Apache-2.0 */
/* html_summary.c - the first page: the answer in plain language, then the counts. It says what was
 * not examined as plainly as what was found, and never that evidence is free of anything. */
#include "reports/html_parts.h"
#include <string.h>

/* ---- integrity comes first ---- */
static uint64_t count_status(const HtmlCase *page, const char *status) {
  uint64_t n = 0;
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    n += strcmp(info->record.digest_status, status) == 0;
  }
  return n;
}

static void mismatch_banner(Out *out, HtmlCase *page) {
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    g_autofree char *key = g_strdup_printf("evidence_%u_changed", info->record.no);
    g_autofree char *changed = store_get_meta(page->store, key);
    if (changed != NULL) {
      html_markup(out, "<p class=\"alert\" role=\"note\"><strong>Integrity: ");
      html_name(out, info->record.name);
      html_markup(out, " was changed while it was examined.</strong> ");
      html_text(out, changed);
      html_markup(out, ".</p>\n");
    }
    bool wrong = strcmp(info->record.digest_status, "mismatch") == 0;
    if (!wrong && strcmp(info->record.digest_status, "incomplete") != 0)
      continue;
    html_markup(out, "<p class=\"alert\" role=\"note\"><strong>Integrity: ");
    html_name(out, info->record.name);
    if (wrong)
      html_markup(out,
                  " does not match the digest stored with it.</strong> Its content is not what "
                  "was acquired: everything below describes the content as it was read now. "
                  "The digests stand under <a href=\"#evidence\">Evidence</a>.</p>\n");
    else
      html_markup(out, " could not be read in full.</strong> Its digest covers what could be read "
                       "and cannot be compared with the stored one; the stretches stand under <a "
                       "href=\"#coverage\">Coverage</a>.</p>\n");
  }
  const char *status = html_case_meta(page, "status");
  if (strcmp(status, "complete") != 0) {
    html_markup(out, "<p class=\"alert\" role=\"note\"><strong>The run did not end.</strong> ");
    html_count(out, html_case_pending(page), "object that had been seen was",
               "objects that had been seen were");
    html_markup(out, " not examined, and parts of the evidence may not have been seen at all. "
                     "Nothing below is complete. Continue with <code>triage scan --resume</code>."
                     "</p>\n");
  }
}

/* ---- what was examined ---- */
static void kinds(Out *out, const HtmlCase *page) {
  static const char *const WORDS[][3] = {{"image", "disk image", "disk images"},
                                         {"file", "single file", "single files"},
                                         {"directory", "folder", "folders"}};
  bool first = true;
  for (gsize k = 0; k < G_N_ELEMENTS(WORDS); k++) {
    uint64_t n = 0;
    for (guint i = 0; i < page->evidence->len; i++) {
      const EvidenceInfo *info = page->evidence->pdata[i];
      n += strcmp(info->record.kind, WORDS[k][0]) == 0;
    }
    if (n == 0)
      continue;
    if (!first)
      html_markup(out, " and ");
    first = false;
    html_count(out, n, WORDS[k][1], WORDS[k][2]);
  }
  if (page->evidence->len != 1)
    return;
  const EvidenceInfo *only = page->evidence->pdata[0];
  html_markup(out, " (");
  html_name(out, only->record.name);
  html_markup(out, ")");
}

static void purpose(Out *out, const HtmlCase *page) {
  guint n = 0;
  bool is_shipped = false;
  for (guint i = 0; i < page->inputs->len; i++) {
    const InputFile *file = &g_array_index(page->inputs, InputFile, i);
    if (strcmp(file->kind, "rules") != 0)
      continue;
    n++;
    is_shipped = strcmp(file->name, "network_smtp_vb.yar") == 0;
  }
  if (n == 1 && is_shipped)
    html_markup(out, "for scripts that send mail through Microsoft CDO (rule network_smtp_vb)");
  else {
    html_markup(out, "for content that matches the rules of ");
    html_count(out, n, "rule file", "rule files");
  }
}

static void examined(Out *out, HtmlCase *page) {
  uint64_t bytes = 0;
  for (guint i = 0; i < page->evidence->len; i++)
    bytes += ((const EvidenceInfo *)page->evidence->pdata[i])->record.media_bytes;
  html_markup(out, "<strong>What was examined.</strong> ");
  kinds(out, page);
  html_markup(out, ", ");
  html_bytes(out, bytes);
  html_markup(out, ", searched ");
  purpose(out, page);
  html_markup(out, ": ");
  uint64_t with_content = page->totals.objects - page->totals.objects_without_content;
  if (page->totals.objects_examined == with_content)
    html_count(out, with_content, "object with content", "objects with content");
  else {
    html_put_number(out, page->totals.objects_examined);
    html_markup(out, " of ");
    html_count(out, with_content, "object with content", "objects with content");
  }
  if (page->totals.members > 0) {
    html_markup(out, ", and ");
    html_count(out, page->totals.members, "file", "files");
    html_markup(out, " inside archives and other containers");
  }
  html_markup(out, ". ");
  uint64_t match = count_status(page, "match"), absent = count_status(page, "absent");
  if (match > 0) {
    if (page->evidence->len == 1)
      html_markup(out, "Its content matches the digests stored when it was acquired. ");
    else {
      html_count(out, match, "container matches", "containers match");
      html_markup(out, " the digests stored when they were acquired. ");
    }
  }
  if (absent > 0) {
    html_count(out, absent, "item carries", "items carry");
    html_markup(out, " no stored digest to compare with. ");
  }
  uint64_t none = count_status(page, "not computed");
  if (none > 0) {
    html_markup(out, "No digest was computed of ");
    html_count(out, none, "item. ", "items. ");
  }
}

/* ---- what was found, and what it means ---- */
static void found(Out *out, HtmlCase *page) {
  html_markup(out, "<strong>What was found.</strong> ");
  if (page->n_hits == 0) {
    html_markup(out, "Nothing that matches the rules in what was examined. ");
    return;
  }
  html_count(out, page->n_hits, "hit", "hits");
  html_markup(out, ": ");
  bool first = true;
  for (guint i = 0; i < VERDICTS; i++) {
    if (page->hits_of[i] == 0)
      continue;
    if (!first)
      html_markup(out, ", ");
    first = false;
    g_autofree char *title = g_ascii_strdown(VERDICT_WORDS[i].title, -1);
    html_put_number(out, page->hits_of[i]);
    html_format(out, " %s", title);
  }
  html_markup(out, ". ");
  static const char *const KINDS[] = {" in deleted files", " in slack or unallocated space",
                                      " inside archives or other containers", " in named streams"};
  uint64_t numbers[] = {page->n_deleted, page->n_in_areas, page->n_in_containers, page->n_streams};
  uint64_t any = numbers[0] + numbers[1] + numbers[2] + numbers[3];
  for (gsize i = 0, n = 0; any > 0 && i < G_N_ELEMENTS(KINDS); i++) {
    if (numbers[i] == 0)
      continue;
    out_text(out, n++ > 0 ? ", " : "Of these, ");
    html_put_number(out, numbers[i]);
    html_text(out, KINDS[i]);
  }
  if (any > 0)
    html_markup(out, ". ");
}

static void meaning(Out *out, const HtmlCase *page) {
  if (page->n_hits == 0)
    return;
  html_markup(out, "<strong>What it means.</strong> A hit says that the text of a file matches a "
                   "rule. It does not say that the script was run or that a mail was sent. ");
  uint64_t open = page->hits_of[1] + page->hits_of[4];
  if (page->hits_of[0] > 0) {
    html_count(out, page->hits_of[0], "suspicious hit needs", "suspicious hits need");
    html_markup(out, " a person's examination first. ");
  }
  if (open > 0) {
    html_markup(out, "Nothing in the evidence explains ");
    html_count(out, open, "other hit", "other hits");
    html_markup(out, ": a person has to look at each. ");
  }
  uint64_t benign = page->hits_of[2] + page->hits_of[3];
  if (benign > 0) {
    html_count(out, benign, "hit fits", "hits fit");
    html_markup(out, " a known harmless use, on grounds that are given with each. ");
  }
}

static void not_examined(Out *out, HtmlCase *page) {
  html_markup(out, "<strong>What could not be examined.</strong> ");
  if (html_case_is_complete(page))
    html_markup(out, "Every object that was seen was examined in full. ");
  else if (page->n_gaps == 0)
    html_markup(out, "What the run did not come to. ");
  else {
    html_count(out, page->n_gaps, "object or area was", "objects or areas were");
    html_markup(out, " not examined in full (");
    bool first = true;
    for (guint i = 0; i < REASONS; i++) {
      if (page->gaps_of[i] == 0)
        continue;
      if (!first)
        html_markup(out, ", ");
      first = false;
      html_text(out, REASON_WORDS[i].plain);
      html_markup(out, ": ");
      html_put_number(out, page->gaps_of[i]);
    }
    html_markup(out, "); what they hold is unknown. ");
  }
  g_autofree const char **left = html_areas_left_out(page);
  for (guint i = 0; left[i] != NULL; i++) {
    html_text(out, i == 0 ? "In this run, " : left[i + 1] == NULL ? " and " : ", ");
    html_text(out, left[i]);
    if (left[i + 1] == NULL)
      html_markup(out, " were not examined. ");
  }
  html_markup(out, "The results relate only to the items examined.");
}

/* ---- the counts ---- */
static void headline(Out *out, HtmlCase *page) {
  html_markup(out, "<p class=\"headline\">");
  html_count(out, page->n_hits, "hit", "hits");
  if (page->hits_of[0] > 0) {
    html_markup(out, ", ");
    html_put_number(out, page->hits_of[0]);
    html_markup(out, " suspicious");
  }
  uint64_t open = page->hits_of[1] + page->hits_of[4];
  if (open > 0) {
    html_markup(out, ", ");
    html_put_number(out, open);
    html_markup(out, " unexplained");
  }
  html_markup(out, "; ");
  if (page->n_gaps > 0) {
    html_count(out, page->n_gaps, "object or area", "objects or areas");
    html_markup(out, " not fully examined.</p>\n");
  } else if (html_case_is_complete(page)) {
    html_markup(out, "no object that was seen was left out.</p>\n");
  } else {
    html_markup(out, "the run did not end.</p>\n");
  }
}

static void tiles(Out *out, const HtmlCase *page) {
  html_markup(out, "<ul class=\"tiles\">\n");
  for (guint i = 0; i < VERDICTS; i++) {
    if (i + 1 == VERDICTS && page->hits_of[i] == 0)
      continue;
    html_markup(out, "<li class=\"tile ");
    html_text(out, VERDICT_WORDS[i].id);
    html_markup(out, "\"><a href=\"#");
    html_text(out, VERDICT_WORDS[i].id);
    html_markup(out, "\"><span class=\"mark\" aria-hidden=\"true\">");
    html_text(out, VERDICT_WORDS[i].mark);
    html_markup(out, "</span> <span class=\"number\">");
    html_put_number(out, page->hits_of[i]);
    html_markup(out, "</span> <span class=\"label\">");
    html_text(out, VERDICT_WORDS[i].title);
    html_markup(out, "</span> <span class=\"under\">");
    html_count(out, page->contents_of[i], "different content", "different contents");
    html_markup(out, "</span></a></li>\n");
  }
  html_markup(out, "<li class=\"tile gaps\"><a href=\"#coverage\"><span class=\"mark\" "
                   "aria-hidden=\"true\">∅</span> <span class=\"number\">");
  html_put_number(out, page->n_gaps);
  html_markup(out, "</span> <span class=\"label\">Not fully examined</span> <span class=\"under\">"
                   "rows of coverage.csv</span></a></li>\n</ul>\n");
}

void html_summary(Out *out, HtmlCase *page) {
  html_markup(out, "<section id=\"summary\" aria-labelledby=\"summary-h\">\n"
                   "<h2 id=\"summary-h\">Summary</h2>\n");
  mismatch_banner(out, page);
  headline(out, page);
  html_markup(out, "<p class=\"answer\">");
  examined(out, page);
  found(out, page);
  meaning(out, page);
  not_examined(out, page);
  html_markup(out, "</p>\n");
  tiles(out, page);
  html_timeline(out, page);
  html_map(out, page);
  html_markup(out, "</section>\n");
}
