/* SPDX-License-Identifier: Apache-2.0 */
/* notes.c - see notes.h. What a person wrote is kept printable like all other text. */
#include "reports/notes.h"
#include "base/io.h"
#include "base/keyhash.h"
#include "base/text.h"
#include <jansson.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static bool keep_id(void *user, const HitRow *hit) {
  g_hash_table_add(user, g_strdup(hit->hit_id));
  return true;
}

/* The member's text, printable and of at most max bytes. (transfer full) */
static char *text_of(const json_t *note, const char *name, gsize max) {
  const json_t *value = json_object_get(note, name);
  const char *text = json_string_value(value);
  if (text == NULL)
    return g_strdup("");
  /* Of a note of several lines the ends are kept as \\n. */
  g_autofree char *shown =
      text_is_printable(text) ? g_strdup(text) : text_printable(text, json_string_length(value));
  gsize n = MIN(strlen(shown), max);
  while (n > 0 && (shown[n] & 0xC0) == 0x80)
    n--;
  return g_strndup(shown, n);
}

static bool merge(Store *store, const json_t *list, GHashTable *ids, unsigned *taken,
                  unsigned *left_out, GError **error) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *id = json_string_value(json_object_get(item, "hit_id"));
    if (id == NULL || !g_hash_table_contains(ids, id)) {
      ++*left_out;
      continue;
    }
    g_autofree char *tag = text_of(item, "tag", TAG_BYTES);
    g_autofree char *text = text_of(item, "note", NOTE_BYTES);
    if (!store_put_note(store, &(NoteRecord){id, tag, text}, error))
      return false;
    ++*taken;
  }
  return true;
}

bool notes_merge(Store *store, const char *path, unsigned *taken, unsigned *left_out,
                 GError **error) {
  g_autoptr(GBytes) bytes = io_read_file(path, NOTES_FILE_BYTES, error);
  *taken = *left_out = 0;
  if (bytes == NULL)
    return false;
  gsize n;
  const char *text = g_bytes_get_data(bytes, &n);
  g_autoptr(json_t) root = json_loadb(text != NULL ? text : "", n, JSON_REJECT_DUPLICATES, NULL);
  const json_t *list = json_object_get(root, "notes");
  if (json_integer_value(json_object_get(root, "triage_notes")) != 1 || !json_is_array(list)) {
    g_autofree char *shown = text_printable(path, strlen(path));
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s: is no file of notes as 'Save notes' of report.html writes it", shown);
  }
  g_autoptr(GHashTable) ids = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  return store_each_hit(store, keep_id, ids, error) &&
         merge(store, list, ids, taken, left_out, error);
}
