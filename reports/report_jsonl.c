/* SPDX-License-Identifier: Apache-2.0 */
/* report_jsonl.c - hits.jsonl: one object a line, with everything the store knows of a hit. */
#include "base/text.h"
#include "base/timestomp.h"
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Numbers above 2^53 lose digits in many readers: they stand as strings. */
static json_t *number(uint64_t value) {
  if (value <= (UINT64_C(1) << 53))
    return json_integer((json_int_t)value);
  char text[24];
  g_snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  return json_string(text);
}

static json_t *time_text(const TriageTime *time) {
  char text[64];
  triage_time_format(time, text, sizeof text);
  return *text != '\0' ? json_string(text) : json_null();
}

static json_t *times(const TriageTime *created, const TriageTime *modified,
                     const TriageTime *changed, const TriageTime *accessed) {
  json_t *object = json_object();
  json_object_set_new(object, "created", time_text(created));
  json_object_set_new(object, "modified", time_text(modified));
  json_object_set_new(object, "changed", time_text(changed));
  json_object_set_new(object, "accessed", time_text(accessed));
  return object;
}

static json_t *source_text(const TriageTime *time) {
  const char *word = time->is_set ? triage_time_source_name(time->source) : "";
  return *word != '\0' ? json_string(word) : json_null();
}

static json_t *sources(const TriageTime *created, const TriageTime *modified,
                       const TriageTime *changed, const TriageTime *accessed) {
  json_t *object = json_object();
  json_object_set_new(object, "created", source_text(created));
  json_object_set_new(object, "modified", source_text(modified));
  json_object_set_new(object, "changed", source_text(changed));
  json_object_set_new(object, "accessed", source_text(accessed));
  return object;
}

static json_t *signs(unsigned bits) {
  json_t *list = json_array();
  for (unsigned sign = 1; sign <= TIMESTOMP_LAST; sign <<= 1)
    if ((bits & sign) != 0)
      json_array_append_new(list, json_string(timestomp_sign_name(sign)));
  return list;
}

static void set_times(json_t *object, const HitRow *hit) {
  json_object_set_new(object, "times",
                      times(&hit->created, &hit->modified, &hit->changed, &hit->accessed));
  json_object_set_new(object, "object_times",
                      times(&hit->object_created, &hit->object_modified, &hit->object_changed,
                            &hit->object_accessed));
  json_object_set_new(object, "times_kind",
                      sources(&hit->created, &hit->modified, &hit->changed, &hit->accessed));
  json_object_set_new(object, "object_times_kind",
                      sources(&hit->object_created, &hit->object_modified, &hit->object_changed,
                              &hit->object_accessed));
  json_object_set_new(object, "file_name_times",
                      hit->has_name_times ? times(&hit->name_created, &hit->name_modified,
                                                  &hit->name_changed, &hit->name_accessed)
                                          : json_null());
  json_object_set_new(object, "timestomped",
                      hit->has_name_times ? json_boolean(timestomp_is(hit->timestomp))
                                          : json_null());
  json_object_set_new(object, "timestomp_signs", signs(hit->timestomp));
}

static json_t *matches(const HitRow *hit) {
  json_t *list = json_array();
  for (guint i = 0; i < hit->n_matches; i++) {
    const MatchRecord *match = &hit->matches[i];
    gsize n;
    gconstpointer bytes = g_bytes_get_data(match->bytes, &n);
    g_autofree char *hex = text_hex(bytes != NULL ? bytes : "", n);
    json_t *item = json_object();
    json_object_set_new(item, "identifier", json_string(match->identifier));
    json_object_set_new(item, "offset", number(match->offset));
    json_object_set_new(item, "length", number(match->length));
    json_object_set_new(item, "bytes_hex", json_string(hex));
    json_array_append_new(list, item);
  }
  return list;
}

static json_t *indicators(const HitRow *hit) {
  json_t *list = json_array();
  for (guint i = 0; i < hit->n_indicators; i++) {
    json_t *item = json_object();
    json_object_set_new(item, "name", json_string(hit->indicators[i].name));
    json_object_set_new(item, "value", json_string(hit->indicators[i].value));
    json_object_set_new(item, "offset", number(hit->indicators[i].offset));
    json_array_append_new(list, item);
  }
  return list;
}

static json_t *split(const char *joined) {
  json_t *list = json_array();
  g_auto(GStrv) parts = g_strsplit(joined, ";", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      json_array_append_new(list, json_string(parts[i]));
  return list;
}

static void set_place(json_t *object, const HitRow *hit) {
  json_object_set_new(object, "hit_id", json_string(hit->hit_id));
  json_object_set_new(object, "evidence", json_string(hit->evidence));
  json_object_set_new(object, "volume", json_integer(hit->volume));
  json_object_set_new(object, "volume_offset", number(hit->volume_offset));
  json_object_set_new(object, "fs_type", json_string(hit->fs_type));
  json_object_set_new(object, "path", json_string(hit->path));
  json_object_set_new(object, "member", json_string(hit->member));
  json_object_set_new(object, "view", json_string(hit->view));
  json_object_set_new(object, "also_views", split(hit->also_views));
  json_object_set_new(object, "meta_addr", json_string(hit->meta));
  json_object_set_new(object, "state", json_string(hit->state));
  json_object_set_new(object, "named_stream", json_boolean(hit->is_named_stream));
  json_object_set_new(object, "size", number(hit->size));
  json_object_set_new(object, "sha256", json_string(hit->digests.sha256));
  json_object_set_new(object, "sha1", json_string(hit->digests.sha1));
  json_object_set_new(object, "md5", json_string(hit->digests.md5));
  json_object_set_new(object, "ssdeep", json_string(hit->fuzzy));
}

static json_t *hit_object(const HitRow *hit) {
  json_t *object = json_object();
  set_place(object, hit);
  set_times(object, hit);
  json_object_set_new(object, "rule_namespace", json_string(hit->rule_namespace));
  json_object_set_new(object, "rule", json_string(hit->rule));
  json_object_set_new(object, "strings", split(hit->strings));
  json_object_set_new(object, "match_count", number(hit->match_count));
  json_object_set_new(object, "first_offset",
                      hit->has_first_offset ? number(hit->first_offset) : json_null());
  json_object_set_new(object, "image_offset",
                      hit->has_image_offset ? number(hit->image_offset) : json_null());
  json_object_set_new(object, "matches", matches(hit));
  json_object_set_new(object, "verdict", json_string(hit->verdict));
  json_object_set_new(object, "scenario", json_string(hit->scenario));
  json_object_set_new(object, "profile", json_string(hit->profile));
  json_object_set_new(object, "reason", json_string(hit->reason));
  json_t *grounds = json_array();
  for (guint i = 0; hit->corroboration[i] != NULL; i++)
    json_array_append_new(grounds, json_string(hit->corroboration[i]));
  json_object_set_new(object, "corroboration", grounds);
  json_object_set_new(object, "indicators", indicators(hit));
  json_object_set_new(object, "excerpt", json_string(hit->excerpt));
  return object;
}

static bool put_hit(void *user, const HitRow *hit) {
  Out *out = user;
  json_t *object = hit_object(hit);
  char *text = json_dumps(object, JSON_COMPACT);
  json_decref(object);
  /* jansson gives nothing where a text is not UTF-8; the store holds none such. */
  out_text(out, text != NULL ? text : "{}");
  out_text(out, "\n");
  free(text);
  return out->problem == 0;
}

bool report_write_jsonl(Store *store, int fd, GError **error) {
  Out out;
  out_init(&out, fd);
  bool ok = store_each_hit(store, put_hit, &out, error);
  return out_finish(&out, ok ? error : NULL) && ok;
}
