/* SPDX-License-Identifier: Apache-2.0 */
/* html_data.c - see html_data.h. page.js names the columns and the fields of their rows. */
#include "reports/html_data.h"
#include "base/keyhash.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/timestomp.h"
#include "reports/html_out.h"
#include "reports/html_words.h"
#include <string.h>
#include <zlib.h>

enum { TEXT_BYTES = 4096 };       /* of one name or value; hits.jsonl has all of it */
enum { MATCHES = 64, LIST = 40 }; /* of one content; hits.jsonl has all of them */
static const gsize DATA_BYTES = 512 * MIB, TEXTS_BYTES = 160 * MIB;

/* ---- columns ---- */
typedef enum {
  OF_CONTENT_ABOUT,
  OF_CONTENT_GIST,
  OF_CONTENT_TEXT,
  OF_HIT_NAME,
  OF_HIT_ID,
  OF_HIT_PLACE,
  OF_HIT_HAND,
  COLUMNS
} ColumnKind;
static const struct {
  const char *name;
  guint rows; /* of one block: what is searched or drawn in rows is cut coarser than the rest */
} COLUMN_WORDS[COLUMNS] = {{"about", 2000}, {"gist", 10000}, {"text", 2000}, {"name", 10000},
                           {"id", 20000},   {"place", 2000}, {"hand", 1000}};

typedef struct {
  GString *text; /* of the block at hand */
  guint in_block;
  GPtrArray *blocks; /* char*: base64 */
  gsize bytes;       /* of all blocks, before they were packed */
} Column;

/* Words that many hits share: the index holds their numbers. */
typedef enum { SCENARIOS, RULES, VIEWS, STATES, PLACES, TABLES } TableKind;
static const char *const TABLE_NAMES[TABLES] = {"scenario", "rule", "view", "state", "place"};
typedef struct {
  GHashTable *index; /* word -> number + 1 */
  GString *json;
} Table;

typedef enum {
  C_VERDICT,
  C_SCENARIO,
  C_RULE,
  C_VIEW,
  C_SIZE,
  C_COUNT,
  C_RANK,
  H_CONTENT,
  H_PLACE,
  H_STATE,
  H_FLAGS,
  H_CREATED,
  H_MODIFIED,
  NUMBERS
} NumberKind;
static const char *const NUMBER_NAMES[NUMBERS] = {
    "c_verdict", "c_scenario", "c_rule",  "c_view",  "c_size",    "c_count",   "c_rank",
    "h_content", "h_place",    "h_state", "h_flags", "h_created", "h_modified"};

struct _HtmlData {
  Column columns[COLUMNS];
  Table tables[TABLES];
  GString *numbers[NUMBERS];
  GHashTable *index; /* key -> number of the content + 1 */
  gsize text_bytes;
  uint64_t n_hits, left_out;
};

HtmlData *html_data_new(void) {
  HtmlData *data = g_new0(HtmlData, 1);
  for (guint i = 0; i < COLUMNS; i++) {
    data->columns[i].text = g_string_new(NULL);
    data->columns[i].blocks = g_ptr_array_new_with_free_func(g_free);
  }
  for (guint i = 0; i < TABLES; i++) {
    data->tables[i].index = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
    data->tables[i].json = g_string_new(NULL);
  }
  for (guint i = 0; i < NUMBERS; i++)
    data->numbers[i] = g_string_new(NULL);
  data->index = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  return data;
}

void html_data_free(HtmlData *data) {
  if (data == NULL)
    return;
  for (guint i = 0; i < COLUMNS; i++) {
    g_string_free(data->columns[i].text, TRUE);
    g_ptr_array_unref(data->columns[i].blocks);
  }
  for (guint i = 0; i < TABLES; i++) {
    g_hash_table_unref(data->tables[i].index);
    g_string_free(data->tables[i].json, TRUE);
  }
  for (guint i = 0; i < NUMBERS; i++)
    g_string_free(data->numbers[i], TRUE);
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

static char *deflated(const GString *text) {
  uLongf n = compressBound(text->len);
  g_autofree guchar *bytes = g_malloc(n);
  /* Fails for no input where the room is that of compressBound. */
  if (compress2(bytes, &n, (const Bytef *)text->str, text->len, 6) != Z_OK)
    n = 0;
  return g_base64_encode(bytes, n);
}

static void end_block(Column *column) {
  if (column->in_block == 0)
    return;
  column->bytes += column->text->len;
  g_ptr_array_add(column->blocks, deflated(column->text));
  g_string_truncate(column->text, 0);
  column->in_block = 0;
}

static void end_row(HtmlData *data, ColumnKind kind) {
  Column *column = &data->columns[kind];
  g_string_append_c(column->text, '\n');
  if (++column->in_block == COLUMN_WORDS[kind].rows)
    end_block(column);
}

/* One value, printable as all of the store's and its middle left out where it is very long. */
static void put(GString *row, const char *text) {
  g_autofree char *shown = text_is_printable(text) ? NULL : text_printable(text, strlen(text));
  const char *value = shown != NULL ? shown : text;
  if (strlen(value) <= TEXT_BYTES) {
    g_string_append(row, value);
    return;
  }
  g_autofree char *clipped = html_clip(value, TEXT_BYTES);
  g_string_append(row, clipped);
}

static void put_number(GString *row, uint64_t number) {
  g_string_append_printf(row, "%llu", (unsigned long long)number);
}

static void add_number(HtmlData *data, NumberKind kind, uint64_t number) {
  /* Numbers above 2^53 stand as strings: a script would round them. */
  const char *quote = number <= (UINT64_C(1) << 53) ? "" : "\"";
  GString *json = data->numbers[kind];
  g_string_append_printf(json, "%s%s%llu%s", json->len > 0 ? "," : "", quote,
                         (unsigned long long)number, quote);
}

static void add_time(HtmlData *data, NumberKind kind, const TriageTime *time) {
  GString *json = data->numbers[kind];
  if (json->len > 0)
    g_string_append_c(json, ',');
  if (time->is_set)
    g_string_append_printf(json, "%lld", (long long)time->seconds);
  else
    g_string_append(json, "null");
}

static void add_word(HtmlData *data, NumberKind kind, TableKind which, const char *word) {
  Table *table = &data->tables[which];
  guint number = GPOINTER_TO_UINT(g_hash_table_lookup(table->index, word));
  if (number == 0) {
    number = g_hash_table_size(table->index) + 1;
    g_hash_table_insert(table->index, g_strdup(word), GUINT_TO_POINTER(number));
    if (table->json->len > 0)
      g_string_append_c(table->json, ',');
    html_json_text(table->json, word);
  }
  add_number(data, kind, number - 1);
}

/* ---- one content ---- */
static void put_matches(GString *row, const HitRow *hit) {
  for (guint i = 0; i < MIN(hit->n_matches, MATCHES); i++) {
    const MatchRecord *match = &hit->matches[i];
    gsize n;
    gconstpointer bytes = g_bytes_get_data(match->bytes, &n);
    g_autofree char *hex = text_hex(bytes != NULL ? bytes : "", n);
    if (i > 0)
      g_string_append(row, HTML_ITEM);
    put(row, match->identifier);
    g_string_append_printf(row, HTML_PART "%llu" HTML_PART "%llu" HTML_PART,
                           (unsigned long long)match->offset, (unsigned long long)match->length);
    put(row, hex);
  }
}

/* sha256, strings, profile, reason, indicators, corroboration, grounds, matches, namespace */
static void put_about(GString *row, const HitRow *hit, const char *grounds) {
  const char *const head[] = {hit->digests.sha256, hit->strings, hit->profile, hit->reason};
  for (gsize i = 0; i < G_N_ELEMENTS(head); i++) {
    put(row, head[i]);
    g_string_append(row, HTML_FIELD);
  }
  for (guint i = 0; i < MIN(hit->n_indicators, LIST); i++) {
    if (i > 0)
      g_string_append(row, HTML_ITEM);
    put(row, hit->indicators[i].name);
    g_string_append(row, HTML_PART);
    put(row, hit->indicators[i].value);
    g_string_append_printf(row, HTML_PART "%llu", (unsigned long long)hit->indicators[i].offset);
  }
  g_string_append(row, HTML_FIELD);
  for (guint i = 0; hit->corroboration[i] != NULL && i < LIST; i++) {
    if (i > 0)
      g_string_append(row, HTML_ITEM);
    put(row, hit->corroboration[i]);
  }
  g_string_append(row, HTML_FIELD);
  g_string_append(row, grounds);
  g_string_append(row, HTML_FIELD);
  put_matches(row, hit);
  g_string_append(row, HTML_FIELD);
  put(row, hit->rule_namespace);
}

/* server, recipients, attachments: what the line of a hit says */
static void put_gist(GString *row, const HitRow *hit) {
  for (guint i = 0; i < HTML_GIST_PARTS; i++) {
    g_autofree char *values = report_values(hit, HTML_GIST[i].names);
    g_autofree char *clipped = html_clip(values, HTML_GIST_BYTES);
    if (i > 0)
      g_string_append(row, HTML_FIELD);
    put(row, clipped);
  }
  if (hit->n_indicators == 0) {
    g_string_append(row, HTML_FIELD);
    put(row, hit->strings);
  }
}

static void add_content(HtmlData *data, const HitRow *hit, const char *grounds, guint rank) {
  add_number(data, C_VERDICT, verdict_index(hit->verdict));
  add_word(data, C_SCENARIO, SCENARIOS, hit->scenario);
  add_word(data, C_RULE, RULES, hit->rule);
  add_word(data, C_VIEW, VIEWS, hit->view);
  add_number(data, C_SIZE, hit->size);
  add_number(data, C_COUNT, hit->match_count);
  add_number(data, C_RANK, rank);
  put_about(data->columns[OF_CONTENT_ABOUT].text, hit, grounds);
  end_row(data, OF_CONTENT_ABOUT);
  put_gist(data->columns[OF_CONTENT_GIST].text, hit);
  end_row(data, OF_CONTENT_GIST);
  /* Empty where the texts have reached their size: hits.jsonl has them. */
  gsize n = strlen(hit->excerpt);
  if (data->text_bytes + n <= TEXTS_BYTES) {
    data->text_bytes += n;
    put(data->columns[OF_CONTENT_TEXT].text, hit->excerpt);
  }
  end_row(data, OF_CONTENT_TEXT);
}

/* ---- one hit ---- */
static void put_times(GString *row, const TriageTime *const times[4]) {
  for (int i = 0; i < 4; i++) {
    char text[64];
    triage_time_format(times[i], text, sizeof text);
    if (i > 0)
      g_string_append(row, HTML_ITEM);
    g_string_append(row, text);
  }
}

static void put_timestomp(GString *row, unsigned signs) {
  bool any = false;
  for (unsigned sign = 1; sign <= TIMESTOMP_LAST; sign <<= 1) {
    if ((signs & sign) == 0 || !timestomp_is(sign))
      continue;
    g_string_append(row, any ? HTML_ITEM : "");
    put(row, timestomp_sign_text(sign));
    any = true;
  }
}

/* meta address, times, times of the member, first offset, image offset, other views, first byte,
 * offset of the volume, file system, times of the name, why these contradict */
static void put_place(GString *row, const HitRow *hit) {
  put(row, hit->meta);
  g_string_append(row, HTML_FIELD);
  put_times(row, (const TriageTime *const[]){&hit->object_created, &hit->object_modified,
                                             &hit->object_changed, &hit->object_accessed});
  g_string_append(row, HTML_FIELD);
  if (*hit->member != '\0')
    put_times(row, (const TriageTime *const[]){&hit->created, &hit->modified, &hit->changed,
                                               &hit->accessed});
  g_string_append(row, HTML_FIELD);
  if (hit->has_first_offset)
    put_number(row, hit->first_offset);
  g_string_append(row, HTML_FIELD);
  if (hit->has_image_offset)
    put_number(row, hit->image_offset);
  g_string_append(row, HTML_FIELD);
  put(row, hit->also_views);
  g_string_append(row, HTML_FIELD);
  put_number(row, hit->object->first_byte);
  g_string_append(row, HTML_FIELD);
  put_number(row, hit->volume_offset);
  g_string_append(row, HTML_FIELD);
  put(row, hit->fs_type);
  g_string_append(row, HTML_FIELD);
  if (hit->has_name_times)
    put_times(row, (const TriageTime *const[]){&hit->name_created, &hit->name_modified,
                                               &hit->name_changed, &hit->name_accessed});
  g_string_append(row, HTML_FIELD);
  put_timestomp(row, hit->timestomp);
}

static void add_hit(HtmlData *data, const HitRow *hit, guint content, const char *hand) {
  g_autofree char *place = hit->volume > 0
                               ? g_strdup_printf("%s, volume %u", hit->evidence, hit->volume)
                               : g_strdup(hit->evidence);
  data->n_hits++;
  add_number(data, H_CONTENT, content);
  add_word(data, H_PLACE, PLACES, place);
  add_word(data, H_STATE, STATES, hit->state);
  add_number(data, H_FLAGS, (hit->is_named_stream ? 1u : 0u) | (hit->is_reallocated ? 2u : 0u));
  add_time(data, H_CREATED, &hit->created);
  add_time(data, H_MODIFIED, &hit->modified);
  GString *name = data->columns[OF_HIT_NAME].text;
  put(name, hit->path);
  g_string_append(name, HTML_FIELD);
  put(name, hit->member);
  end_row(data, OF_HIT_NAME);
  put(data->columns[OF_HIT_ID].text, hit->hit_id);
  end_row(data, OF_HIT_ID);
  put_place(data->columns[OF_HIT_PLACE].text, hit);
  end_row(data, OF_HIT_PLACE);
  g_string_append(data->columns[OF_HIT_HAND].text, hand);
  end_row(data, OF_HIT_HAND);
}

static gsize all_bytes(const HtmlData *data) {
  gsize bytes = 0;
  for (guint i = 0; i < COLUMNS; i++)
    bytes += data->columns[i].bytes;
  return bytes;
}

void html_data_add(HtmlData *data, const HitRow *hit, const char *key, const char *grounds,
                   guint rank, const char *hand) {
  if (data->left_out > 0 || all_bytes(data) > DATA_BYTES) {
    data->left_out++;
    return;
  }
  guint content = GPOINTER_TO_UINT(g_hash_table_lookup(data->index, key));
  if (content == 0) {
    add_content(data, hit, grounds, rank);
    content = g_hash_table_size(data->index) + 1;
    g_hash_table_insert(data->index, g_strdup(key), GUINT_TO_POINTER(content));
  }
  add_hit(data, hit, content - 1, hand);
}

void html_data_finish(HtmlData *data) {
  for (guint i = 0; i < COLUMNS; i++)
    end_block(&data->columns[i]);
}

/* ---- writing ---- */
static void write_index(Out *out, const HtmlData *data, const char *about) {
  g_autoptr(GString) json = g_string_new("{");
  g_string_append_printf(json, "%s,\"hits\":%llu,\"contents\":%u,\"columns\":{", about,
                         (unsigned long long)data->n_hits, g_hash_table_size(data->index));
  for (guint i = 0; i < COLUMNS; i++)
    g_string_append_printf(json, "%s\"%s\":[%u,%u]", i > 0 ? "," : "", COLUMN_WORDS[i].name,
                           COLUMN_WORDS[i].rows, data->columns[i].blocks->len);
  g_string_append(json, "},\"tables\":{");
  for (guint i = 0; i < TABLES; i++)
    g_string_append_printf(json, "%s\"%s\":[%s]", i > 0 ? "," : "", TABLE_NAMES[i],
                           data->tables[i].json->str);
  g_string_append_c(json, '}');
  for (guint i = 0; i < NUMBERS; i++)
    g_string_append_printf(json, ",\n\"%s\":[%s]", NUMBER_NAMES[i], data->numbers[i]->str);
  g_string_append_c(json, '}');
  g_autofree char *base64 = deflated(json);
  out_text(out, "<script type=\"text/plain\" id=\"hits-data\">");
  out_text(out, base64);
  out_text(out, "</script>\n");
}

void html_data_write(Out *out, const HtmlData *data, const char *about) {
  write_index(out, data, about);
  for (guint i = 0; i < COLUMNS; i++) {
    const GPtrArray *blocks = data->columns[i].blocks;
    for (guint j = 0; j < blocks->len; j++) {
      out_format(out, "<script type=\"text/plain\" id=\"%s-%u\">", COLUMN_WORDS[i].name, j);
      out_text(out, blocks->pdata[j]);
      out_text(out, "</script>\n");
    }
  }
}
