/* SPDX-License-Identifier: Apache-2.0 */
/* html_hits.c - the hits by verdict. What is the same for all places of one content is said once;
 * each place has its own anchor (#H-...), times and commands. */
#include "base/text.h"
#include "base/timestomp.h"
#include "reports/html_parts.h"
#include <string.h>

enum { OPEN_GROUPS = 3 }; /* of the first verdict that has any: shown unfolded */

/* ---- what is the same for all places ---- */
static void grounds(Out *out, const char *list) {
  g_auto(GStrv) items = g_strsplit(list, HTML_ITEM, -1);
  for (guint i = 0; i < WEIGHTS; i++) {
    guint n = 0;
    for (guint j = 0; items[j] != NULL; j++) {
      g_auto(GStrv) parts = g_strsplit(items[j], HTML_PART, 3);
      if (g_strv_length(parts) != 3 || strcmp(parts[0], WEIGHT_WORDS[i][0]) != 0)
        continue;
      if (n++ == 0) {
        html_markup(out, "<h5>");
        html_text(out, WEIGHT_WORDS[i][1]);
        html_markup(out, "</h5>\n<ul class=\"grounds\">\n");
      }
      html_markup(out, "<li>");
      html_name(out, parts[2]);
      html_markup(out, " <span class=\"id\">");
      html_text(out, parts[1]);
      html_markup(out, "</span></li>\n");
    }
    if (n > 0)
      html_markup(out, "</ul>\n");
  }
}

static void assessment(Out *out, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  const VerdictWords *words = &VERDICT_WORDS[verdict_index(hit->verdict)];
  html_markup(out, "<div class=\"assessment\"><h5>Assessment (interpretation)</h5>\n<p><strong>");
  html_text(out, words->title);
  html_markup(out, ".</strong> ");
  html_text(out, *hit->reason != '\0' ? hit->reason : "No reason is recorded.");
  html_markup(out, "</p>\n");
  if (*hit->scenario != '\0' || *hit->profile != '\0') {
    html_markup(out, "<table class=\"pairs\"><tbody>\n");
    html_row(out, "Scenario", scenario_title(hit->scenario), false);
    html_row(out, "Profile", hit->profile, false);
    html_markup(out, "</tbody></table>\n");
  }
  grounds(out, shown->grounds);
  if (hit->corroboration[0] != NULL) {
    html_markup(out, "<h5>Objects of the evidence that bear it out</h5>\n<ul>\n");
    for (guint i = 0; hit->corroboration[i] != NULL; i++) {
      html_markup(out, "<li>");
      html_name(out, hit->corroboration[i]);
      html_markup(out, "</li>\n");
    }
    html_markup(out, "</ul>\n");
  }
  html_markup(out, "</div>\n");
}

static void indicators(Out *out, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  if (hit->n_indicators == 0)
    return;
  html_markup(out,
              "<h5>What the text would do (read by program)</h5>\n<div class=\"scroll\" "
              "tabindex=\"0\"><table "
              "class=\"grid\"><thead><tr><th scope=\"col\">Indicator</th><th scope=\"col\">Value"
              "</th><th scope=\"col\" class=\"n\">At byte</th></tr></thead><tbody>\n");
  for (guint i = 0; i < hit->n_indicators; i++) {
    html_markup(out, "<tr><th scope=\"row\">");
    html_text(out, indicator_title(hit->indicators[i].name));
    html_markup(out, "</th><td>");
    html_name(out, hit->indicators[i].value);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, hit->indicators[i].offset);
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table></div>\n");
  if (shown->all_indicators > hit->n_indicators) {
    html_markup(out, "<p class=\"cap\">");
    html_put_number(out, hit->n_indicators);
    html_markup(out, " of ");
    html_put_number(out, shown->all_indicators);
    html_markup(out, " indicators are shown here; all stand in hits.jsonl.</p>\n");
  }
}

static void matches(Out *out, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  html_markup(out,
              "<h5>Matches</h5>\n<div class=\"scroll matches\" tabindex=\"0\"><table "
              "class=\"grid\"><thead><tr><th "
              "scope=\"col\">String</th><th scope=\"col\" class=\"n\">At byte</th><th "
              "scope=\"col\" class=\"n\">Length</th><th scope=\"col\">Text</th><th scope=\"col\">"
              "Bytes</th></tr></thead><tbody>\n");
  guint n_shown = MIN(hit->n_matches, HTML_MATCHES);
  for (guint i = 0; i < n_shown; i++) {
    const MatchRecord *match = &hit->matches[i];
    gsize n;
    gconstpointer bytes = g_bytes_get_data(match->bytes, &n);
    g_autofree char *text = text_printable(bytes != NULL ? bytes : "", n);
    g_autofree char *hex = text_hex(bytes != NULL ? bytes : "", n);
    html_markup(out, "<tr><td>");
    html_code(out, match->identifier);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, match->offset);
    html_markup(out, "</td><td class=\"n\">");
    html_put_number(out, match->length);
    html_markup(out, "</td><td>");
    html_code(out, text);
    html_markup(out, "</td><td>");
    html_code(out, hex);
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table></div>\n");
  if (hit->match_count > n_shown) {
    html_markup(out, "<p class=\"cap\">");
    html_put_number(out, n_shown);
    html_markup(out, " of ");
    html_put_number(out, hit->match_count);
    html_markup(out, " matches are shown here; hits.jsonl holds the bytes of ");
    html_put_number(out, shown->all_matches);
    html_markup(out, ".</p>\n");
  }
}

static void content(Out *out, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  g_autofree char *rule =
      strcmp(hit->rule_namespace, "default") == 0 || *hit->rule_namespace == '\0'
          ? g_strdup(hit->rule)
          : g_strdup_printf("%s (%s)", hit->rule, hit->rule_namespace);
  g_auto(GStrv) parts = g_strsplit(hit->strings, ";", -1);
  g_autofree char *strings = g_strjoinv(", ", parts);
  html_markup(out, "<h5>Content (recorded facts)</h5>\n<table class=\"pairs\"><tbody>\n");
  html_row(out, "Rule", rule, true);
  html_row(out, "Strings", strings, false);
  html_row(out, "View", strcmp(hit->view, "raw") == 0 ? "raw (the bytes as they are)" : hit->view,
           true);
  html_markup(out, "<tr><th scope=\"row\">Size</th><td>");
  html_bytes(out, hit->size);
  html_markup(out, "</td></tr>\n");
  const char *const names[] = {"SHA-256", "SHA-1", "MD5"};
  const char *const values[] = {hit->digests.sha256, hit->digests.sha1, hit->digests.md5};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    html_markup(out, "<tr><th scope=\"row\">");
    html_text(out, names[i]);
    html_markup(out, "</th><td>");
    html_code(out, *values[i] != '\0' ? values[i] : "not computed");
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table>\n");
}

/* ---- one place ---- */
static void chain(Out *out, const HitRow *hit) {
  html_markup(out, "<p class=\"chain\">");
  html_name(out, hit->evidence);
  html_markup(out, " <span class=\"step\" aria-label=\"then\">›</span> ");
  html_volume(out, hit->volume, hit->fs_type);
  html_markup(out, " <span class=\"step\" aria-label=\"then\">›</span> <span class=\"path\">");
  html_name(out, hit->path);
  html_markup(out, "</span>");
  if (*hit->member != '\0') {
    g_auto(GStrv) steps = g_strsplit(hit->member, "!/", -1);
    for (guint i = 0; steps[i] != NULL; i++) {
      html_markup(out, " <span class=\"step\" aria-label=\"then inside\">!/</span> "
                       "<span class=\"path\">");
      html_name(out, steps[i]);
      html_markup(out, "</span>");
    }
  }
  html_markup(out, "</p>\n");
}

/* What the two records of NTFS say together, and which of it is a contradiction. */
static void timestomp_row(Out *out, const HitRow *hit, guint columns) {
  if (!timestomp_is(hit->timestomp))
    return;
  html_format(out, "<tr><th scope=\"row\">Timestomped</th><td colspan=\"%u\"><strong>", columns);
  bool any = false;
  for (unsigned sign = 1; sign <= TIMESTOMP_LAST; sign <<= 1) {
    if ((hit->timestomp & sign) == 0 || !timestomp_is(sign))
      continue;
    html_text(out, any ? "; " : "");
    html_text(out, timestomp_sign_text(sign));
    any = true;
  }
  html_markup(out, "</strong></td></tr>\n");
}

static void time_cell(Out *out, const TriageTime *time) {
  html_markup(out, "<td>");
  html_time(out, time);
  const char *source = time->is_set ? triage_time_source_name(time->source) : "";
  if (*source != '\0') {
    html_markup(out, " <span class=\"zone\">");
    html_text(out, source);
    html_markup(out, "</span>");
  }
  html_markup(out, "</td>");
}

static void times(Out *out, const HitRow *hit) {
  const struct {
    const char *label;
    const TriageTime *object, *name, *member;
  } rows[] = {{"Created", &hit->object_created, &hit->name_created, &hit->created},
              {"Modified", &hit->object_modified, &hit->name_modified, &hit->modified},
              {"Metadata changed", &hit->object_changed, &hit->name_changed, &hit->changed},
              {"Accessed", &hit->object_accessed, &hit->name_accessed, &hit->accessed}};
  bool has_member = *hit->member != '\0';
  html_markup(out,
              "<table class=\"pairs times\"><thead><tr><td></td><th scope=\"col\">File, by its "
              "file system</th>");
  if (hit->has_name_times)
    html_markup(out, "<th scope=\"col\">Its name ($FILE_NAME)</th>");
  if (has_member)
    html_markup(out, "<th scope=\"col\">Member, by its container</th>");
  html_markup(out, "</tr></thead><tbody>\n");
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    html_markup(out, "<tr><th scope=\"row\">");
    html_text(out, rows[i].label);
    html_markup(out, "</th>");
    time_cell(out, rows[i].object);
    if (hit->has_name_times)
      time_cell(out, rows[i].name);
    if (has_member)
      time_cell(out, rows[i].member);
    html_markup(out, "</tr>\n");
  }
  timestomp_row(out, hit, 1 + (hit->has_name_times ? 1 : 0) + (has_member ? 1 : 0));
  html_markup(out, "</tbody></table>\n");
}

static void offset_cell(Out *out, uint64_t offset) {
  html_put_number(out, offset);
  html_format(out, " (0x%llx)", (unsigned long long)offset);
}

/* A byte of the evidence: also as its sector and as a byte of its volume. */
static void media_row(Out *out, HtmlCase *page, const HitRow *hit, const char *label, bool has,
                      uint64_t offset, const char *none) {
  const EvidenceInfo *info = html_case_evidence(page, hit->evidence_no);
  html_markup(out, "<tr><th scope=\"row\">");
  html_text(out, label);
  html_markup(out, "</th><td>");
  if (!has) {
    html_markup(out, "<span class=\"none\">");
    html_text(out, none);
    html_markup(out, "</span></td></tr>\n");
    return;
  }
  offset_cell(out, offset);
  if (info != NULL && strcmp(info->record.kind, "image") == 0 && info->record.sector_bytes > 0) {
    html_markup(out, "<br><span class=\"under\">sector ");
    html_put_number(out, offset / info->record.sector_bytes);
    html_format(out, " of %llu bytes", (unsigned long long)info->record.sector_bytes);
    if (hit->volume_offset > 0 && offset >= hit->volume_offset) {
      html_markup(out, "; byte ");
      html_put_number(out, offset - hit->volume_offset);
      html_markup(out, " of its volume");
    }
    html_markup(out, "</span>");
  }
  html_markup(out, "</td></tr>\n");
}

static void facts(Out *out, HtmlCase *page, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  html_markup(out, "<table class=\"pairs\"><tbody>\n");
  g_autofree char *state =
      g_strdup_printf("%s%s%s", hit->state, hit->is_named_stream ? ", named stream" : "",
                      hit->is_reallocated ? ", its metadata belongs to another file now" : "");
  html_row(out, "State", state, true);
  html_row(out, "Metadata address", hit->meta, false);
  html_markup(out, "<tr><th scope=\"row\">First match in the content</th><td>");
  if (hit->has_first_offset)
    offset_cell(out, hit->first_offset);
  else
    html_markup(out, "<span class=\"none\">not known</span>");
  html_markup(out, "</td></tr>\n");
  media_row(out, page, hit, "First match in the evidence", hit->has_image_offset, hit->image_offset,
            "in no one place (compressed, converted or scattered)");
  media_row(out, page, hit, "First block of the object", shown->first_byte > 0, shown->first_byte,
            "in the metadata itself, or not known");
  g_auto(GStrv) views = g_strsplit(hit->also_views, ";", -1);
  g_autofree char *also = g_strjoinv(", ", views);
  html_row(out, "Met again as", also, false);
  html_markup(out, "</tbody></table>\n");
}

static void place(Out *out, HtmlCase *page, const ShownHit *shown) {
  const HitRow *hit = &shown->row;
  html_markup(out, "<article class=\"place\" id=\"");
  html_text(out, hit->hit_id);
  html_markup(out, "\">\n<h4><a class=\"anchor\" href=\"#");
  html_text(out, hit->hit_id);
  html_markup(out, "\">");
  html_text(out, hit->hit_id);
  html_markup(out, "</a></h4>\n");
  chain(out, hit);
  html_note_of(out, page, hit->hit_id);
  html_markup(out, "<div class=\"two\">\n");
  facts(out, page, shown);
  times(out, hit);
  html_markup(out, "</div>\n");
  html_by_hand(out, page, hit);
  html_markup(out, "</article>\n");
}

/* ---- one group: a line that says it all, and what is behind it ---- */
static void gist(Out *out, const HitRow *hit) {
  bool any = false;
  for (guint i = 0; i < HTML_GIST_PARTS; i++) {
    g_autofree char *values = report_values(hit, HTML_GIST[i].names);
    if (*values == '\0')
      continue;
    g_autofree char *clipped = html_clip(values, HTML_GIST_BYTES);
    html_text(out, any ? ", " : "Mail ");
    html_text(out, HTML_GIST[i].before);
    html_name(out, clipped);
    any = true;
  }
  if (!any) {
    html_markup(out, "Strings ");
    html_text(out, hit->strings);
  }
}

static void group(Out *out, HtmlCase *page, const HitGroup *group, guint verdict, bool is_open) {
  const ShownHit *first = group->hits->pdata[0];
  const HitRow *hit = &first->row;
  html_markup(out, "<details class=\"hit ");
  html_text(out, VERDICT_WORDS[verdict].id);
  if (is_open)
    html_markup(out, "\" open>");
  else
    html_markup(out, "\">");
  html_markup(out, "<summary><span class=\"mark\" aria-hidden=\"true\">");
  html_text(out, VERDICT_WORDS[verdict].mark);
  html_markup(out, "</span><span class=\"line\"><span class=\"path\">");
  html_name(out, hit->path);
  if (*hit->member != '\0') {
    html_markup(out, " <span class=\"step\">!/</span> ");
    html_name(out, hit->member);
  }
  html_markup(out, "</span><span class=\"gist\">");
  gist(out, hit);
  html_markup(out, "</span></span><span class=\"tags\">");
  if (group->hits->len > 1) {
    html_markup(out, "<span class=\"tag strong\">");
    html_count(out, group->hits->len, "place", "places");
    html_markup(out, "</span>");
  }
  const char *tags[] = {strcmp(hit->state, "allocated") != 0 ? hit->state : "",
                        hit->is_named_stream ? "named stream" : "",
                        strcmp(hit->view, "raw") != 0 ? hit->view : "",
                        *hit->scenario != '\0' ? scenario_title(hit->scenario) : ""};
  for (gsize i = 0; i < G_N_ELEMENTS(tags); i++) {
    if (*tags[i] == '\0')
      continue;
    html_markup(out, "<span class=\"tag\">");
    html_text(out, tags[i]);
    html_markup(out, "</span>");
  }
  html_markup(out, "</span></summary>\n<div class=\"inside\">\n");
  assessment(out, first);
  indicators(out, first);
  html_excerpt(out, hit);
  content(out, first);
  matches(out, first);
  html_markup(out, "<h5>");
  html_count(out, group->hits->len, "place", "places");
  html_markup(out, " of this content (recorded facts)</h5>\n");
  for (guint i = 0; i < group->hits->len; i++)
    place(out, page, group->hits->pdata[i]);
  html_markup(out, "</div></details>\n");
}

void html_verdict(Out *out, guint i, uint64_t hits) {
  html_markup(out, "<span class=\"mark\" aria-hidden=\"true\">");
  html_text(out, VERDICT_WORDS[i].mark);
  html_markup(out, "</span> ");
  html_text(out, VERDICT_WORDS[i].title);
  html_markup(out, " <span class=\"count\">");
  html_put_number(out, hits);
  html_markup(out, "</span>");
}

static void verdict(Out *out, HtmlCase *page, guint i, bool opens) {
  html_markup(out, "<section class=\"verdict ");
  html_text(out, VERDICT_WORDS[i].id);
  html_markup(out, "\"><h3 id=\"");
  html_text(out, VERDICT_WORDS[i].id);
  html_markup(out, "\">");
  html_verdict(out, i, page->hits_of[i]);
  html_markup(out, "</h3>\n<p>");
  html_text(out, VERDICT_WORDS[i].meaning);
  html_markup(out, "</p>\n");
  if (page->hits_of[i] == 0)
    html_markup(out, "<p class=\"none\">No hit has this verdict.</p>\n");
  if (page->shown_of[i] < page->hits_of[i]) {
    html_markup(out, "<p class=\"cap\"><strong>");
    html_put_number(out, page->shown_of[i]);
    html_markup(out, " of ");
    html_put_number(out, page->hits_of[i]);
    html_markup(out, " hits of this verdict are shown on this page.</strong> All of them stand in "
                     "hits.csv and hits.jsonl.</p>\n");
  }
  const GPtrArray *groups = page->groups_of[i];
  for (guint j = 0; j < groups->len; j++)
    group(out, page, groups->pdata[j], i, opens && j < OPEN_GROUPS);
  html_markup(out, "</section>\n");
}

void html_hits(Out *out, HtmlCase *page, void (*script)(Out *out, const HtmlCase *page)) {
  html_markup(out,
              "<section id=\"hits\" aria-labelledby=\"hits-h\">\n<h2 id=\"hits-h\">Hits</h2>\n"
              "<p>Hits with the same content and the same grounds stand together: one line, with "
              "every place behind it.");
  if (page->n_hits > HTML_HITS) {
    html_markup(out, " <strong>Of ");
    html_put_number(out, page->n_hits);
    html_markup(out, " hits the first ");
    html_put_number(out, HTML_HITS);
    html_markup(out, " by verdict are on this page; the other ");
    html_put_number(out, page->n_hits - HTML_HITS);
    html_markup(out, " stand in hits.csv, which holds all.</strong>");
  }
  html_markup(out, "</p>\n");
  if (page->for_paper) {
    html_markup(out, "<div id=\"static-hits\">\n");
  } else {
    html_markup(out, "<div id=\"explorer\" hidden></div>\n");
    script(out, page);
    html_markup(out, "<noscript id=\"static-hits\">\n");
  }
  bool opens = true;
  for (guint i = 0; i < VERDICTS; i++) {
    if (i + 1 == VERDICTS && page->hits_of[i] == 0)
      continue;
    verdict(out, page, i, opens);
    opens = opens && page->hits_of[i] == 0;
  }
  if (page->for_paper)
    html_markup(out, "</div>\n</section>\n");
  else
    html_markup(out, "</noscript>\n</section>\n");
}
