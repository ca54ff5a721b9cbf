/* SPDX-License-Identifier: Apache-2.0 */
/* html_data.h - the hits as JSON inside the page, for its script: contents once, places by number.
 */
#pragma once
#include "store/store.h"

typedef struct _HtmlData HtmlData;
HtmlData *html_data_new(void); /* (transfer full) */
void html_data_free(HtmlData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlData, html_data_free)

/* Takes one hit; counts it alone once the data have reached their size. key: equal for all hits
 * that share their content and grounds. */
void html_data_add(HtmlData *data, const HitRow *hit, const char *key);
uint64_t html_data_left_out(const HtmlData *data);
/* "[..],[..]": the two lists' elements. (transfer none) */
const GString *html_data_contents(const HtmlData *data);
const GString *html_data_hits(const HtmlData *data);

/* text as a JSON string that can neither end a script element nor be read as markup. */
void html_json_text(GString *json, const char *text);
