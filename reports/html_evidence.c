/* SPDX-License-Identifier: Apache-2.0 */
/* html_evidence.c - case data, and what identifies each piece of evidence. */
#include "reports/html_parts.h"
#include <string.h>

enum { OPEN_EVIDENCE = 4 }; /* with more pieces than these, the single ones are folded */

void html_volume(Out *out, uint32_t volume, const char *fs_type) {
  if (volume == 0)
    html_markup(out, "whole evidence");
  else
    html_format(out, "volume %u", volume);
  if (*fs_type != '\0') {
    html_markup(out, " (");
    html_text(out, fs_type);
    html_markup(out, ")");
  }
}

void html_case_data(Out *out, HtmlCase *page) {
  html_markup(out, "<section id=\"case\" aria-labelledby=\"case-h\">\n<h2 id=\"case-h\">Case</h2>\n"
                   "<table class=\"pairs\"><tbody>\n");
  html_row(out, "Case number", html_case_meta(page, "case_number"), true);
  html_row(out, "Evidence number", html_case_meta(page, "evidence_number"), true);
  html_row(out, "Examiner", html_case_meta(page, "examiner"), true);
  html_row(out, "Notes of the examiner", html_case_meta(page, "notes"), true);
  html_row(out, "Report", page->report_id, true);
  html_markup(out, "</tbody></table>\n<p class=\"note\">The report's number is computed from its "
                   "results: the same results give the same number. Case data are as the examiner "
                   "gave them when the run was started.</p>\n</section>\n");
}

static const char *status_sentence(const char *status) {
  static const char *const WORDS[][2] = {
      {"match", "matches the stored digest"},
      {"mismatch", "does NOT match the stored digest"},
      {"absent", "computed; the container stores none to compare with"},
      {"not computed", "not computed in this run"},
      {"incomplete", "incomplete: not all of the content could be read"}};
  for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
    if (strcmp(WORDS[i][0], status) == 0)
      return WORDS[i][1];
  return "not known: the run did not come to it";
}

static void put_status(Out *out, const char *status) {
  bool bad = strcmp(status, "mismatch") == 0 || strcmp(status, "incomplete") == 0;
  if (bad)
    html_markup(out, "<strong class=\"bad\">");
  else if (strcmp(status, "match") == 0)
    html_markup(out, "<span class=\"good\">✓ ");
  else
    html_markup(out, "<span>");
  html_text(out, status_sentence(status));
  if (bad)
    html_markup(out, "</strong>");
  else
    html_markup(out, "</span>");
}

static void overview(Out *out, const HtmlCase *page) {
  html_markup(out,
              "<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\"><thead><tr><th "
              "scope=\"col\">Evidence"
              "</th><th scope=\"col\">Kind</th><th scope=\"col\">Size</th><th scope=\"col\">"
              "Digest of the content</th><th scope=\"col\" class=\"n\">Objects examined</th><th "
              "scope=\"col\" class=\"n\">Hits</th><th scope=\"col\" class=\"n\">Not fully "
              "examined</th></tr></thead><tbody>\n");
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    html_markup(out, "<tr><td><a href=\"#evidence-");
    html_format(out, "%u", info->record.no);
    html_markup(out, "\">");
    html_name(out, info->record.name);
    html_markup(out, "</a></td><td>");
    html_text(out, info->record.kind);
    if (*info->record.format != '\0' && strcmp(info->record.kind, "image") == 0)
      html_format(out, ", %s", info->record.format);
    html_markup(out, "</td><td>");
    html_bytes(out, info->record.media_bytes);
    html_markup(out, "</td><td>");
    put_status(out, info->record.digest_status);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, info->totals.objects_examined);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, info->totals.hits);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, info->totals.gaps);
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table></div>\n");
}

static void digest_row(Out *out, const char *name, const char *stored, const char *computed) {
  html_markup(out, "<tr><th scope=\"row\">");
  html_text(out, name);
  html_markup(out, "</th><td>");
  if (*stored != '\0')
    html_code(out, stored);
  else
    html_markup(out, "<span class=\"none\">none stored</span>");
  html_markup(out, "</td><td>");
  if (*computed != '\0')
    html_code(out, computed);
  else
    html_markup(out, "<span class=\"none\">not computed</span>");
  html_markup(out, "</td><td>");
  if (*stored == '\0' || *computed == '\0')
    html_markup(out, "<span class=\"none\">nothing to compare</span>");
  else if (g_ascii_strcasecmp(stored, computed) == 0)
    html_markup(out, "<span class=\"good\">✓ equal</span>");
  else
    html_markup(out, "<strong class=\"bad\">different</strong>");
  html_markup(out, "</td></tr>\n");
}

static void digests(Out *out, const EvidenceRecord *record) {
  html_markup(
      out,
      "<h4>Digests of the content</h4>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\">"
      "<thead><tr><td></td><th scope=\"col\">Stored in the container when "
      "it was acquired</th><th scope=\"col\">Computed in this run</th><td></td></tr>"
      "</thead><tbody>\n");
  digest_row(out, "MD5", record->stored_md5, record->md5);
  digest_row(out, "SHA-1", record->stored_sha1, record->sha1);
  digest_row(out, "SHA-256", "", record->sha256);
  html_markup(out, "</tbody></table></div>\n");
}

static void properties(Out *out, const EvidenceInfo *info) {
  if (info->properties->len == 0)
    return;
  html_markup(out, "<h4>Acquisition, as recorded by the container</h4>\n<table class=\"pairs\">"
                   "<tbody>\n");
  for (guint i = 0; i + 1 < info->properties->len; i += 2)
    html_row(out, info->properties->pdata[i], info->properties->pdata[i + 1], true);
  html_markup(out, "</tbody></table>\n<p class=\"note\">These are statements of whoever made the "
                   "image, copied as they stand there.</p>\n");
}

static bool volume_row(Out *out, HtmlCase *page, const VolumeRecord *volume) {
  StoreTotals totals;
  bool ok = store_totals(page->store, volume->evidence, volume->no, &totals, NULL);
  html_markup(out, "<tr><td class=\"n\">");
  if (volume->no == 0)
    html_markup(out, "–");
  else
    html_format(out, "%u", volume->no);
  html_markup(out, "</td><td>");
  html_name(out, volume->description);
  html_markup(out, "</td><td>");
  if (*volume->fs_type != '\0')
    html_text(out, volume->fs_type);
  else
    html_markup(out, "<span class=\"none\">none that is read</span>");
  html_markup(out, "</td><td class=\"n\">");
  html_put_number(out, volume->offset);
  html_markup(out, "</td><td class=\"n\">");
  html_put_number(out, volume->length);
  uint64_t numbers[] = {totals.objects,
                        totals.objects_examined,
                        totals.objects_without_content,
                        totals.members,
                        totals.hits,
                        totals.gaps};
  for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
    html_markup(out, "</td><td class=\"n\">");
    if (ok)
      html_put_number(out, numbers[i]);
  }
  html_markup(out, "</td></tr>\n");
  return ok;
}

static void volumes(Out *out, HtmlCase *page, const EvidenceInfo *info) {
  if (info->volumes->len == 0)
    return;
  html_markup(
      out,
      "<h4>Volumes</h4>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\"><thead><tr>"
      "<th scope=\"col\" class=\"n\">No.</th><th scope=\"col\">Description</th>"
      "<th scope=\"col\">File system</th><th scope=\"col\" class=\"n\">Start (byte)</th>"
      "<th scope=\"col\" class=\"n\">Length (bytes)</th><th scope=\"col\" class=\"n\">Objects "
      "seen</th><th scope=\"col\" class=\"n\">Examined</th><th scope=\"col\" class=\"n\">"
      "Without content</th><th scope=\"col\" class=\"n\">Files inside</th><th scope=\"col\" "
      "class=\"n\">Hits</th><th scope=\"col\" class=\"n\">Not fully examined</th></tr></thead>"
      "<tbody>\n");
  for (guint i = 0; i < info->volumes->len; i++)
    volume_row(out, page, &g_array_index(info->volumes, VolumeRecord, i));
  html_markup(out, "</tbody></table></div>\n");
}

static void segments(Out *out, const EvidenceInfo *info) {
  if (info->files->len < 2)
    return;
  html_markup(out, "<h4>Segment files</h4>\n<ol class=\"files\">\n");
  for (guint i = 0; i < info->files->len; i++) {
    g_autofree char *name = g_path_get_basename(info->files->pdata[i]);
    html_markup(out, "<li>");
    html_name(out, name);
    html_markup(out, ", ");
    html_bytes(out, g_array_index(info->file_bytes, uint64_t, i));
    html_markup(out, "</li>\n");
  }
  html_markup(out, "</ol>\n");
}

static void files_row(Out *out, HtmlCase *page, uint32_t no) {
  g_autofree char *key = g_strdup_printf("evidence_%u_changed", no);
  g_autofree char *after_key = g_strdup_printf("evidence_%u_files_after", no);
  g_autofree char *changed = store_get_meta(page->store, key);
  g_autofree char *after = store_get_meta(page->store, after_key);
  html_markup(out, "<tr><th scope=\"row\">Evidence files</th><td>");
  if (changed != NULL) {
    html_markup(out, "<strong class=\"bad\">");
    html_text(out, changed);
    html_markup(out, "</strong>");
  } else if (after != NULL) {
    html_markup(out, "<span class=\"good\">✓ size, time of modification and of status are the "
                     "same before and after</span> (<code>manifest.json</code> records them)");
  } else {
    html_markup(out, "<span class=\"none\">not looked at again: the run did not end</span>");
  }
  html_markup(out, "</td></tr>\n");
}

static void one(Out *out, HtmlCase *page, const EvidenceInfo *info) {
  const EvidenceRecord *record = &info->record;
  if (page->evidence->len <= OPEN_EVIDENCE)
    html_markup(out, "<details class=\"card\" open><summary><h3 id=\"evidence-");
  else
    html_markup(out, "<details class=\"card\"><summary><h3 id=\"evidence-");
  html_format(out, "%u", record->no);
  html_markup(out, "\">");
  html_format(out, "%u. ", record->no);
  html_name(out, record->name);
  html_markup(out, "</h3></summary>\n<div class=\"inside\">\n<table class=\"pairs\"><tbody>\n");
  html_row(out, "Kind", record->kind, true);
  if (strcmp(record->kind, "image") == 0)
    html_row(out, "Container format", record->format, true);
  html_markup(out, "<tr><th scope=\"row\">Content</th><td>");
  html_bytes(out, record->media_bytes);
  html_format(out, ", sectors of %llu bytes", (unsigned long long)record->sector_bytes);
  html_markup(out, "</td></tr>\n<tr><th scope=\"row\">Integrity</th><td>");
  put_status(out, record->digest_status);
  html_markup(out, "</td></tr>\n");
  files_row(out, page, record->no);
  html_markup(out, "</tbody></table>\n");
  digests(out, record);
  volumes(out, page, info);
  properties(out, info);
  segments(out, info);
  html_markup(out, "</div></details>\n");
}

void html_evidence(Out *out, HtmlCase *page) {
  html_markup(out, "<section id=\"evidence\" aria-labelledby=\"evidence-h\">\n"
                   "<h2 id=\"evidence-h\">Evidence</h2>\n<p>Opened for reading only; nothing was "
                   "written to it.</p>\n");
  if (page->evidence->len > 1)
    overview(out, page);
  for (guint i = 0; i < page->evidence->len; i++)
    one(out, page, page->evidence->pdata[i]);
  html_markup(out, "</section>\n");
}
