/* SPDX-License-Identifier: Apache-2.0 */
/* report_stix.c - what is suspicious or unexplained as a STIX 2.1 bundle: for each content an
 * indicator by its digest, for each place where it lies a sighting of it. Identifiers are made of
 * contents and places: a later run gives later versions of the same objects, and differs in their
 * times alone, which STIX demands. */
#include "base/keyhash.h"
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include "triage/error.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  Out out;
  GHashTable *seen; /* identifiers that are written */
  char *started, *ended, *identity;
  bool has_object;
} Bundle;

static bool is_new(Bundle *bundle, const char *id) {
  return g_hash_table_add(bundle->seen, g_strdup(id));
}

static void put(Bundle *bundle, json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT);
  json_decref(object);
  if (text != NULL) {
    out_text(&bundle->out, bundle->has_object ? ",\n" : "\n");
    out_text(&bundle->out, text);
    bundle->has_object = true;
  }
  free(text);
}

static char *own_id(const char *type, const char *seed) {
  g_autofree char *name = g_strconcat(type, "\n", seed, NULL);
  g_autofree char *uuid = report_uuid(REPORT_UUID_OWN, name);
  return g_strdup_printf("%s--%s", type, uuid);
}

/* Of a cyber-observable: UUIDv5 of its contributing properties as canonical JSON (STIX 2.1, 2.9).
 */
static char *observable_id(const char *type, json_t *contributing) {
  char *text = json_dumps(contributing, JSON_COMPACT | JSON_SORT_KEYS);
  g_autofree char *uuid = report_uuid(REPORT_UUID_STIX, text != NULL ? text : "");
  free(text);
  return g_strdup_printf("%s--%s", type, uuid);
}

static json_t *begin(const char *type, const char *id) {
  json_t *object = json_object();
  json_object_set_new(object, "type", json_string(type));
  json_object_set_new(object, "spec_version", json_string("2.1"));
  json_object_set_new(object, "id", json_string(id));
  return object;
}

static json_t *begin_domain(const Bundle *bundle, const char *type, const char *id) {
  json_t *object = begin(type, id);
  json_object_set_new(object, "created_by_ref", json_string(bundle->identity));
  json_object_set_new(object, "created", json_string(bundle->started));
  json_object_set_new(object, "modified", json_string(bundle->started));
  return object;
}

static json_t *one(const char *text) {
  json_t *list = json_array();
  json_array_append_new(list, json_string(text));
  return list;
}

static json_t *make_hashes(const HitRow *hit) {
  json_t *hashes = json_object();
  if (*hit->digests.md5 != '\0')
    json_object_set_new(hashes, "MD5", json_string(hit->digests.md5));
  if (*hit->digests.sha1 != '\0')
    json_object_set_new(hashes, "SHA-1", json_string(hit->digests.sha1));
  json_object_set_new(hashes, "SHA-256", json_string(hit->digests.sha256));
  return hashes;
}

/* Of several digests the first of MD5, SHA-1, SHA-256 contributes. */
static json_t *contributing_hash(const HitRow *hit) {
  const Digests *digests = &hit->digests;
  json_t *hash = json_object();
  if (*digests->md5 != '\0')
    json_object_set_new(hash, "MD5", json_string(digests->md5));
  else if (*digests->sha1 != '\0')
    json_object_set_new(hash, "SHA-1", json_string(digests->sha1));
  else
    json_object_set_new(hash, "SHA-256", json_string(digests->sha256));
  return hash;
}

/* (transfer full) identifier of the directory that path lies in, which is written where it is new
 */
static char *put_directory(Bundle *bundle, const char *path) {
  json_t *own = json_object();
  json_object_set_new(own, "path", json_string(path));
  char *id = observable_id("directory", own);
  if (is_new(bundle, id)) {
    json_t *object = begin("directory", id);
    json_object_update(object, own);
    put(bundle, object);
  }
  json_decref(own);
  return id;
}

/* (transfer full) identifier of the file of the hit */
static char *put_file(Bundle *bundle, const HitRow *hit) {
  g_autofree char *path = report_whole_path(hit);
  char *slash = strrchr(path, '/');
  g_autofree char *name = g_strdup(slash != NULL && slash[1] != '\0' ? slash + 1 : path);
  if (slash != NULL)
    slash[slash == path ? 1 : 0] = '\0';
  g_autofree char *directory = put_directory(bundle, slash != NULL ? path : "/");
  json_t *own = json_object();
  json_object_set_new(own, "hashes", contributing_hash(hit));
  json_object_set_new(own, "name", json_string(name));
  json_object_set_new(own, "parent_directory_ref", json_string(directory));
  char *id = observable_id("file", own);
  json_decref(own);
  if (is_new(bundle, id)) {
    json_t *object = begin("file", id);
    json_object_set_new(object, "hashes", make_hashes(hit));
    json_object_set_new(object, "size", json_integer((json_int_t)MIN(hit->size, INT64_MAX)));
    json_object_set_new(object, "name", json_string(name));
    json_object_set_new(object, "parent_directory_ref", json_string(directory));
    put(bundle, object);
  }
  return id;
}

/* (transfer full) identifier of the indicator of the hit's content */
static char *put_indicator(Bundle *bundle, const HitRow *hit) {
  char *id = own_id("indicator", hit->digests.sha256);
  if (!is_new(bundle, id))
    return id;
  g_autofree char *pattern = g_strdup_printf("[file:hashes.'SHA-256' = '%s']", hit->digests.sha256);
  json_t *object = begin_domain(bundle, "indicator", id);
  json_object_set_new(object, "name", json_string(hit->rule));
  json_object_set_new(object, "description",
                      json_string("A content that matches this YARA rule and is not explained by "
                                  "what the evidence and the site say of it."));
  json_object_set_new(object, "indicator_types", one("anomalous-activity"));
  json_object_set_new(object, "pattern", json_string(pattern));
  json_object_set_new(object, "pattern_type", json_string("stix"));
  json_object_set_new(object, "valid_from", json_string(bundle->started));
  put(bundle, object);
  return id;
}

static bool put_hit(void *user, const HitRow *hit) {
  Bundle *bundle = user;
  if (strcmp(hit->verdict, "known-benign") == 0 || strcmp(hit->verdict, "likely-benign") == 0 ||
      *hit->digests.sha256 == '\0')
    return true;
  g_autofree char *indicator = put_indicator(bundle, hit), *file = put_file(bundle, hit);
  g_autofree char *observed_id = own_id("observed-data", hit->hit_id);
  g_autofree char *sighting_id = own_id("sighting", hit->hit_id);
  if (!is_new(bundle, observed_id))
    return true;
  json_t *observed = begin_domain(bundle, "observed-data", observed_id);
  json_object_set_new(observed, "first_observed", json_string(bundle->started));
  json_object_set_new(observed, "last_observed", json_string(bundle->ended));
  json_object_set_new(observed, "number_observed", json_integer(1));
  json_object_set_new(observed, "object_refs", one(file));
  put(bundle, observed);
  g_autofree char *path = report_whole_path(hit);
  g_autofree char *text = g_strdup_printf("%s: %s (%s, view %s), %s: %s", hit->evidence, path,
                                          hit->state, hit->view, hit->verdict, hit->reason);
  json_t *sighting = begin_domain(bundle, "sighting", sighting_id);
  json_object_set_new(sighting, "description", json_string(text));
  json_object_set_new(sighting, "count", json_integer(1));
  json_object_set_new(sighting, "sighting_of_ref", json_string(indicator));
  json_object_set_new(sighting, "observed_data_refs", one(observed_id));
  json_object_set_new(sighting, "where_sighted_refs", one(bundle->identity));
  json_object_set_new(sighting, "labels", one(hit->verdict));
  put(bundle, sighting);
  return bundle->out.problem == 0;
}

static void put_identity(Bundle *bundle, const char *version) {
  json_t *object = begin("identity", bundle->identity);
  g_autofree char *name = g_strdup_printf("triage %s", version);
  json_object_set_new(object, "created", json_string(bundle->started));
  json_object_set_new(object, "modified", json_string(bundle->started));
  json_object_set_new(object, "name", json_string(name));
  json_object_set_new(object, "identity_class", json_string("system"));
  put(bundle, object);
}

/* STIX wants a fraction of three digits at least. */
static char *stamp(Store *store, const char *key) {
  g_autofree char *when = store_get_meta(store, key);
  gsize n = when != NULL ? strlen(when) : 0;
  if (n == 0)
    return NULL;
  return when[n - 1] == 'Z' && strchr(when, '.') == NULL
             ? g_strdup_printf("%.*s.000Z", (int)n - 1, when)
             : g_strdup(when);
}

bool report_write_stix(Store *store, int fd, GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  g_autofree char *started = stamp(store, "started"), *ended = stamp(store, "ended");
  g_autofree char *version = store_get_meta(store, "tool_version");
  g_autofree char *fingerprint = store_get_meta(store, "fingerprint");
  g_autofree char *identity = own_id("identity", version != NULL ? version : "");
  g_autofree char *id = own_id("bundle", fingerprint != NULL ? fingerprint : "");
  if (started == NULL || ended == NULL)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "the case does not say when it was made");
  Bundle bundle = {.seen = seen, .started = started, .ended = ended, .identity = identity};
  out_init(&bundle.out, fd);
  out_format(&bundle.out, "{\"type\":\"bundle\",\"id\":\"%s\",\"objects\":[", id);
  put_identity(&bundle, version != NULL ? version : "");
  bool ok = store_each_hit(store, put_hit, &bundle, error);
  out_text(&bundle.out, "\n]}\n");
  return out_finish(&bundle.out, ok ? error : NULL) && ok;
}
