/* SPDX-License-Identifier: Apache-2.0 */
/* html_notes.c - what people have noted on hits, apart from what the program recorded. */
#include "base/keyhash.h"
#include "reports/html_parts.h"
#include <string.h>

static bool take(void *user, const NoteRecord *note) {
  HtmlCase *page = user;
  const char *const pair[] = {note->tag, note->text, NULL};
  g_hash_table_insert(page->notes, g_strdup(note->hit_id), g_strdupv((char **)pair));
  return true;
}

bool html_notes_read(HtmlCase *page, GError **error) {
  page->notes = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
  page->noted = g_ptr_array_new_with_free_func(g_free);
  return store_each_note(page->store, take, page, error);
}

void html_notes_json(GString *json, const HtmlCase *page) {
  for (guint i = 0; i < page->noted->len; i++) {
    const char *id = page->noted->pdata[i];
    char **note = g_hash_table_lookup(page->notes, id);
    g_string_append(json, i > 0 ? ",[" : "[");
    html_json_text(json, id);
    g_string_append(json, ",{\"tag\":");
    html_json_text(json, note[0]);
    g_string_append(json, ",\"text\":");
    html_json_text(json, note[1]);
    g_string_append(json, "}]");
  }
}

static void put_note(Out *out, char **note) {
  if (*note[0] != '\0') {
    html_markup(out, "<span class=\"tag strong\">★ ");
    html_text(out, note[0]);
    html_markup(out, "</span> ");
  }
  html_name(out, note[1]);
}

void html_note_of(Out *out, const HtmlCase *page, const char *hit_id) {
  char **note = g_hash_table_lookup(page->notes, hit_id);
  if (note == NULL)
    return;
  html_markup(out, "<p class=\"noted\"><strong>Note.</strong> ");
  put_note(out, note);
  html_markup(out, "</p>\n");
}

void html_notes(Out *out, HtmlCase *page) {
  if (page->noted->len == 0)
    return;
  html_markup(out, "<section id=\"notes\" aria-labelledby=\"notes-h\">\n<h2 id=\"notes-h\">Notes"
                   "</h2>\n<p>What people have noted on single hits. No result and no other file "
                   "depends on it.</p>\n<div class=\"scroll\" tabindex=\"0\"><table "
                   "class=\"grid\"><thead><tr><th "
                   "scope=\"col\">Hit</th><th scope=\"col\">Note</th></tr></thead><tbody>\n");
  for (guint i = 0; i < MIN(page->noted->len, HTML_HITS); i++) {
    const char *id = page->noted->pdata[i];
    html_markup(out, "<tr><td>");
    html_code(out, id);
    html_markup(out, "</td><td>");
    put_note(out, g_hash_table_lookup(page->notes, id));
    html_markup(out, "</td></tr>\n");
  }
  html_markup(out, "</tbody></table></div>\n");
  if (page->noted->len > HTML_HITS) {
    html_markup(out, "<p class=\"cap\">The first ");
    html_put_number(out, HTML_HITS);
    html_markup(out, " of ");
    html_put_number(out, page->noted->len);
    html_markup(out, " notes; all stand in notes.csv.</p>\n");
  }
  html_markup(out, "</section>\n");
}
