/* SPDX-License-Identifier: Apache-2.0 */
/* html_data.h - the hits inside the page, for its script: an index of numbers that is read at once,
 * and columns of text, each in blocks that are unpacked when somebody looks at their rows. Contents
 * stand once, places by number. */
#pragma once
#include "reports/reports_out.h"

typedef struct _HtmlData HtmlData;
HtmlData *html_data_new(void); /* (transfer full) */
void html_data_free(HtmlData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlData, html_data_free)

/* What separates values in a row of a column: texts of the store are printable, so that none of
 * these can stand in one. Rows end with '\n'. */
#define HTML_FIELD "\t"
#define HTML_ITEM "\x1f"
#define HTML_PART "\x1e"

/* Takes one hit; counts it alone once the data have reached their size. key: equal for all hits
 * that share their content and grounds; grounds: items of weight and text, rank: of the gravest;
 * hand: the commands to check it by hand, items. */
void html_data_add(HtmlData *data, const HitRow *hit, const char *key, const char *grounds,
                   guint rank, const char *hand);
uint64_t html_data_left_out(const HtmlData *data);
/* Ends the blocks; then only writing. */
void html_data_finish(HtmlData *data);
/* The blocks of the page that hold the hits: the index ("hits-data", JSON) and the columns
 * ("COLUMN-0" ...), each deflated and in base64, which no markup can hide in. about: the first
 * members of the index, as JSON without braces. */
void html_data_write(Out *out, const HtmlData *data, const char *about);

/* text as a JSON string that can neither end a script element nor be read as markup. */
void html_json_text(GString *json, const char *text);
