/* SPDX-License-Identifier: Apache-2.0 */
/* html_data.c - see html_data.h. Elements are arrays by position, as page.js names them. */
#include "reports/html_data.h"
#include "base/keyhash.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/timestomp.h"
#include "reports/html_words.h"
#include <string.h>
#include <zlib.h>

enum { TEXT_BYTES = 4096 };     /* of one name or value; hits.jsonl has all of it */
enum { BLOCK_CONTENTS = 2000 }; /* texts of so many contents are one block */
static const gsize DATA_BYTES = 160 * MIB, TEXTS_BYTES = 160 * MIB;

struct _HtmlData {
  GString *contents, *hits, *texts; /* texts: of the block at hand */
  GHashTable *index;                /* key -> number of the content + 1 */
  GPtrArray *blocks;                /* char*: base64 */
  guint in_block;
  gsize text_bytes;
  uint64_t left_out;
};

HtmlData *html_data_new(void) {
  HtmlData *data = g_new0(HtmlData, 1);
  data->contents = g_string_new(NULL);
  data->hits = g_string_new(NULL);
  data->texts = g_string_new(NULL);
  data->blocks = g_ptr_array_new_with_free_func(g_free);
  data->index = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  return data;
}

void html_data_free(HtmlData *data) {
  if (data == NULL)
    return;
  g_string_free(data->contents, TRUE);
  g_string_free(data->hits, TRUE);
  g_string_free(data->texts, TRUE);
  g_ptr_array_unref(data->blocks);
  g_hash_table_unref(data->index);
  g_free(data);
}

uint64_t html_data_left_out(const HtmlData *data) {
  return data->left_out;
}

void html_json_text(GString *json, const char *text) {
  /* Texts of the store are printable already; one that is not must not get through. */
  g_autofree char *shown = text_is_printable(text) ? NULL : text_printable(text, strlen(text));
  g_string_append_c(json, '"');
  for (const char *p = shown != NULL ? shown : text; *p != '\0'; p++) {
    guchar c = (guchar)*p;
    if (c < 0x20 || strchr("\"\\<>&'", c) != NULL || c == 0x7F)
      g_string_append_printf(json, "\\u%04x", c);
    else
      g_string_append_c(json, *p);
  }
  g_string_append_c(json, '"');
}

/* A name of the evidence, its middle left out where it is very long. */
static void put_clipped(GString *json, const char *text) {
  gsize n = strlen(text);
  if (n <= TEXT_BYTES) {
    html_json_text(json, text);
    return;
  }
  gsize head = TEXT_BYTES / 2;
  while (head > 0 && (text[head] & 0xC0) == 0x80)
    head--;
  const char *tail = text + n - TEXT_BYTES / 2;
  while ((*tail & 0xC0) == 0x80)
    tail++;
  g_autofree char *clipped = g_strdup_printf("%.*s [...] %s", (int)head, text, tail);
  html_json_text(json, clipped);
}

static void put_texts(GString *json, const char *const *texts, gsize n) {
  for (gsize i = 0; i < n; i++) {
    g_string_append_c(json, ',');
    put_clipped(json, texts[i]);
  }
}

static char *deflated(const GString *text) {
  uLongf n = compressBound(text->len);
  g_autofree guchar *bytes = g_malloc(n);
  /* Fails for no input where the room is that of compressBound. */
  if (compress2(bytes, &n, (const Bytef *)text->str, text->len, 6) != Z_OK)
    n = 0;
  return g_base64_encode(bytes, n);
}

static void end_block(HtmlData *data) {
  if (data->in_block == 0)
    return;
  g_string_append_c(data->texts, ']');
  g_ptr_array_add(data->blocks, deflated(data->texts));
  g_string_truncate(data->texts, 0);
  data->in_block = 0;
}

/* null where the texts have reached their size: hits.jsonl has them. */
static void put_excerpt(HtmlData *data, const char *excerpt) {
  g_string_append_c(data->texts, data->in_block == 0 ? '[' : ',');
  if (data->text_bytes + strlen(excerpt) > TEXTS_BYTES) {
    g_string_append(data->texts, "null");
  } else {
    data->text_bytes += strlen(excerpt);
    put_clipped(data->texts, excerpt);
  }
  if (++data->in_block == BLOCK_CONTENTS)
    end_block(data);
}

/* Numbers above 2^53 stand as strings: a script would round them. */
static void put_number(GString *json, uint64_t number) {
  if (number <= (UINT64_C(1) << 53))
    g_string_append_printf(json, ",%llu", (unsigned long long)number);
  else
    g_string_append_printf(json, ",\"%llu\"", (unsigned long long)number);
}

/* [verdict, sha256, view, rule, strings, matches, indicators, scenario, profile, reason,
 * grounds, size] */
static void add_content(HtmlData *data, const HitRow *hit) {
  GString *json = data->contents;
  g_string_append_printf(json, "%s[%u", json->len > 0 ? ",\n" : "", verdict_index(hit->verdict));
  const char *const what[] = {hit->digests.sha256, hit->view, hit->rule, hit->strings};
  put_texts(json, what, G_N_ELEMENTS(what));
  put_number(json, hit->match_count);
  put_excerpt(data, hit->excerpt);
  g_string_append(json, ",[");
  for (guint i = 0; i < MIN(hit->n_indicators, 40); i++) {
    g_string_append(json, i > 0 ? ",[" : "[");
    html_json_text(json, hit->indicators[i].name);
    put_texts(json, &hit->indicators[i].value, 1);
    g_string_append_c(json, ']');
  }
  g_string_append_c(json, ']');
  const char *const why[] = {hit->scenario, hit->profile, hit->reason};
  put_texts(json, why, G_N_ELEMENTS(why));
  g_string_append(json, ",[");
  for (guint i = 0; hit->corroboration[i] != NULL && i < 40; i++) {
    if (i > 0)
      g_string_append_c(json, ',');
    put_clipped(json, hit->corroboration[i]);
  }
  g_string_append_c(json, ']');
  put_number(json, hit->size);
  g_string_append_c(json, ']');
}

static void put_times(GString *json, const TriageTime *const times[4]) {
  g_string_append(json, ",[");
  for (int i = 0; i < 4; i++) {
    char text[64];
    triage_time_format(times[i], text, sizeof text);
    g_string_append_printf(json, "%s\"%s\"", i > 0 ? "," : "", text);
  }
  g_string_append_c(json, ']');
}

/* [content, id, evidence, volume, path, member, meta, state, flags, times, member's times or 0,
 * first offset, image offset, times of the name or 0, timestomped] */
static void add_hit(HtmlData *data, const HitRow *hit, guint content) {
  GString *json = data->hits;
  g_string_append_printf(json, "%s[%u,", json->len > 0 ? ",\n" : "", content);
  html_json_text(json, g_str_has_prefix(hit->hit_id, "H-") ? hit->hit_id + 2 : hit->hit_id);
  g_string_append_printf(json, ",%u,%u", hit->evidence_no, hit->volume);
  const char *const texts[] = {hit->path, hit->member, hit->meta, hit->state};
  put_texts(json, texts, G_N_ELEMENTS(texts));
  g_string_append_printf(json, ",%d",
                         (hit->is_named_stream ? 1 : 0) | (hit->is_reallocated ? 2 : 0));
  put_times(json, (const TriageTime *const[]){&hit->object_created, &hit->object_modified,
                                              &hit->object_changed, &hit->object_accessed});
  if (*hit->member != '\0')
    put_times(json, (const TriageTime *const[]){&hit->created, &hit->modified, &hit->changed,
                                                &hit->accessed});
  else
    g_string_append(json, ",0");
  if (hit->has_first_offset)
    put_number(json, hit->first_offset);
  else
    g_string_append(json, ",null");
  if (hit->has_image_offset)
    put_number(json, hit->image_offset);
  else
    g_string_append(json, ",null");
  if (hit->has_name_times)
    put_times(json, (const TriageTime *const[]){&hit->name_created, &hit->name_modified,
                                                &hit->name_changed, &hit->name_accessed});
  else
    g_string_append(json, ",0");
  g_string_append_printf(json, ",%d]", timestomp_is(hit->timestomp) ? 1 : 0);
}

void html_data_add(HtmlData *data, const HitRow *hit, const char *key) {
  if (data->contents->len + data->hits->len > DATA_BYTES) {
    data->left_out++;
    return;
  }
  guint content = GPOINTER_TO_UINT(g_hash_table_lookup(data->index, key));
  if (content == 0) {
    add_content(data, hit);
    content = g_hash_table_size(data->index) + 1;
    g_hash_table_insert(data->index, g_strdup(key), GUINT_TO_POINTER(content));
  }
  add_hit(data, hit, content - 1);
}

void html_data_finish(HtmlData *data) {
  end_block(data);
}

static void put_block(Out *out, const char *base64) {
  out_text(out, base64);
  out_text(out, "</script>\n");
}

void html_data_write(Out *out, const HtmlData *data, const char *about) {
  g_autoptr(GString) json = g_string_new("{");
  g_string_append_printf(json, "%s,\"block\":%d,\"contents\":[\n", about, BLOCK_CONTENTS);
  g_string_append_len(json, data->contents->str, (gssize)data->contents->len);
  g_string_append(json, "\n],\"hits\":[\n");
  g_string_append_len(json, data->hits->str, (gssize)data->hits->len);
  g_string_append(json, "\n]}");
  g_autofree char *base64 = deflated(json);
  out_text(out, "<script type=\"text/plain\" id=\"hits-data\">");
  put_block(out, base64);
  for (guint i = 0; i < data->blocks->len; i++) {
    out_format(out, "<script type=\"text/plain\" id=\"texts-%u\">", i);
    put_block(out, data->blocks->pdata[i]);
  }
}
