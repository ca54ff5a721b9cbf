/* SPDX-License-Identifier: Apache-2.0 */
/* html_data.h - the hits as JSON inside the page, for its script: contents once, places by number.
 */
#pragma once
#include "reports/reports_out.h"

typedef struct _HtmlData HtmlData;
HtmlData *html_data_new(void); /* (transfer full) */
void html_data_free(HtmlData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlData, html_data_free)

/* Takes one hit; counts it alone once the data have reached their size. key: equal for all hits
 * that share their content and grounds. */
void html_data_add(HtmlData *data, const HitRow *hit, const char *key);
uint64_t html_data_left_out(const HtmlData *data);
/* Ends the lists; then only writing. */
void html_data_finish(HtmlData *data);
/* The blocks of the page that hold the hits: a list of contents and one of hits ("hits"), then
 * texts of contents ("texts-0" ...), each deflated and in base64, which no markup can hide in.
 * about: the members of the first block before the lists, as JSON without braces. */
void html_data_write(Out *out, const HtmlData *data, const char *about);

/* text as a JSON string that can neither end a script element nor be read as markup. */
void html_json_text(GString *json, const char *text);
