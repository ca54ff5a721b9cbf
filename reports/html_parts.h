/* SPDX-License-Identifier: Apache-2.0 */
/* html_parts.h - the sections of the page, in its order; each is one file. */
#pragma once
#include "reports/html_case.h"

void html_summary(Out *out, HtmlCase *page);
void html_case_data(Out *out, HtmlCase *page);
void html_evidence(Out *out, HtmlCase *page);
/* script: writes the page's script where the list that it makes stands. */
void html_hits(Out *out, HtmlCase *page, void (*script)(Out *out, const HtmlCase *page));
/* Pictures: when the hit files were made and changed, and where they lie. */
void html_timeline(Out *out, HtmlCase *page);
void html_map(Out *out, HtmlCase *page);
/* Sign, title and count of the i-th verdict. */
void html_verdict(Out *out, guint i, uint64_t hits);
/* Opens a paragraph that names the colours of the verdicts. */
void html_legend(Out *out, const HtmlCase *page);
/* What people noted: nothing where there is none. */
void html_notes(Out *out, HtmlCase *page);
void html_note_of(Out *out, const HtmlCase *page, const char *hit_id);
void html_notes_json(GString *json, const HtmlCase *page);
void html_coverage(Out *out, HtmlCase *page);
void html_methods(Out *out, HtmlCase *page);
/* Everything that differs between two runs over the same evidence stands here alone. */
void html_run(Out *out, HtmlCase *page);
/* Validation, error rates, clocks, the limits of every format: a part of the method. */
void html_worth(Out *out, HtmlCase *page);
void html_list(Out *out, HtmlCase *page);
void html_glossary(Out *out, HtmlCase *page);

/* The text around the first match and the same as bytes, with the matches marked. */
void html_excerpt(Out *out, const HitRow *hit);
/* How the hit's content is taken out of the evidence and matched again by other tools. */
void html_by_hand(Out *out, HtmlCase *page, const HitRow *hit);
/* What the recorded list of examined areas leaves out: sentences, NULL-terminated. (transfer full),
 * the strings are literals. */
const char **html_areas_left_out(HtmlCase *page);
/* "volume 2 (ntfs)" */
void html_volume(Out *out, uint32_t volume, const char *fs_type);
