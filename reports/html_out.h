/* SPDX-License-Identifier: Apache-2.0 */
/* html_out.h - HTML to an Out. Two ways in: markup, which only a literal of this program can be,
 * and text, which is escaped whatever it holds. There is no third, so that nothing of the evidence
 * can become markup. */
#pragma once
#include "reports/reports_out.h"

enum {
  HTML_NAME_BYTES = 4096
}; /* of one name shown; longer ones lose their middle, which is said */

/* Markup of this program: does not compile with anything but a string literal. */
#define html_markup(out, literal) out_text((out), "" literal "")

/* Any text, for element content and quoted attributes: & < > " ' become references, characters that
 * are invisible, change direction or control a device become \xHH. */
void html_text(Out *out, const char *text);
/* Lines, each ended by '\n': the ends stay, all else as html_text. */
void html_text_lines(Out *out, const char *lines);
/* The same of a formatted text: what the arguments hold is escaped too. */
void html_format(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A name of the evidence: kept apart from the direction of the text around it, clipped. */
void html_name(Out *out, const char *name);
/* A digest, identifier or command to be read letter by letter. */
void html_code(Out *out, const char *text);
/* 1234567 -> "1,234,567". (transfer full) */
char *html_number(uint64_t number);
void html_put_number(Out *out, uint64_t number);
/* "3 objects", "1 object". */
void html_count(Out *out, uint64_t number, const char *one, const char *many);
/* "22.0 MiB (23,068,672 bytes)". */
void html_bytes(Out *out, uint64_t bytes);
/* A row of a table of two columns; nothing where the text is empty, "not given" where must. */
void html_row(Out *out, const char *label, const char *text, bool must);
/* A point in time with its zone, an explicit dash where there is none. */
void html_time(Out *out, const TriageTime *time);
/* 'sha256-...' of a style or script, as a Content-Security-Policy names it. (transfer full) */
char *html_csp_hash(const char *text);
/* The head of a page up to its styles, left open: title, the style that all pages share, this
 * page's own, and a policy by which nothing runs or loads but these and the scripts
 * (NULL-terminated; NULL for none), which the caller writes. */
void html_head(Out *out, const char *title, const char *own_css, const char *const *scripts);
/* text with its middle replaced by a sentence where it is longer than max bytes. (transfer full) */
char *html_clip(const char *text, gsize max);
