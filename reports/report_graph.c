/* SPDX-License-Identifier: Apache-2.0 */
/* report_graph.c - the hit objects as a CASE/UCO graph (JSON-LD): the evidence, the tool, what the
 * tool did, and each hit object with its place, times and digests. Identifiers are made of names,
 * facts of the run stay in manifest.json: two runs give the same bytes. */
#include "base/keyhash.h"
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define UCO "https://ontology.unifiedcyberontology.org/uco/"

typedef struct {
  Out out;
  GHashTable *seen; /* identifiers of objects that are written */
  json_t *results;  /* of the investigative action */
  json_t *examined;
  GPtrArray *evidence; /* char*: their identifiers, by number */
  bool has_item;
} Graph;

static void put_item(Graph *graph, json_t *item) {
  char *text = json_dumps(item, JSON_COMPACT);
  json_decref(item);
  if (text != NULL) {
    out_text(&graph->out, graph->has_item ? ",\n" : "\n");
    out_text(&graph->out, text);
    graph->has_item = true;
  }
  free(text);
}

static char *make_id(const char *kind, const char *name) {
  g_autofree char *seed = g_strconcat(kind, "\n", name, NULL);
  g_autofree char *uuid = report_uuid(REPORT_UUID_OWN, seed);
  return g_strdup_printf("kb:%s-%s", kind, uuid);
}

static json_t *node(const char *id, const char *type) {
  json_t *item = json_object();
  json_object_set_new(item, "@id", json_string(id));
  json_object_set_new(item, "@type", json_string(type));
  return item;
}

static json_t *reference(const char *id) {
  json_t *item = json_object();
  json_object_set_new(item, "@id", json_string(id));
  return item;
}

static json_t *literal(const char *type, const char *value) {
  json_t *item = json_object();
  json_object_set_new(item, "@type", json_string(type));
  json_object_set_new(item, "@value", json_string(value));
  return item;
}

static void set(json_t *item, const char *name, const char *value) {
  if (*value != '\0')
    json_object_set_new(item, name, json_string(value));
}

static void set_size(json_t *facet, uint64_t size) {
  char text[24];
  g_snprintf(text, sizeof text, "%llu", (unsigned long long)size);
  json_object_set_new(facet, "uco-observable:sizeInBytes", literal("xsd:integer", text));
}

static void set_time(json_t *facet, const char *name, const TriageTime *time) {
  char text[64];
  if (!time->is_local && report_time(time, text, sizeof text))
    json_object_set_new(facet, name, literal("xsd:dateTime", text));
}

static void add_hash(json_t *list, const char *owner, const char *method, const char *hex) {
  if (*hex == '\0')
    return;
  g_autofree char *seed = g_strconcat(owner, method, NULL);
  g_autofree char *id = make_id("hash", seed);
  json_t *hash = node(id, "uco-types:Hash");
  json_object_set_new(hash, "uco-types:hashMethod",
                      literal("uco-vocabulary:HashNameVocab", method));
  json_object_set_new(hash, "uco-types:hashValue", literal("xsd:hexBinary", hex));
  json_array_append_new(list, hash);
}

static json_t *content_facet(const char *owner, uint64_t size, const char *md5, const char *sha1,
                             const char *sha256) {
  g_autofree char *id = make_id("content", owner);
  json_t *facet = node(id, "uco-observable:ContentDataFacet");
  json_t *hashes = json_array();
  set_size(facet, size);
  add_hash(hashes, owner, "MD5", md5);
  add_hash(hashes, owner, "SHA1", sha1);
  add_hash(hashes, owner, "SHA256", sha256);
  json_object_set_new(facet, "uco-observable:hash", hashes);
  return facet;
}

static json_t *file_facet(const char *owner, const HitRow *hit) {
  g_autofree char *id = make_id("filefacet", owner);
  g_autofree char *path = report_whole_path(hit);
  const char *name = strrchr(path, '/');
  json_t *facet = node(id, "uco-observable:FileFacet");
  set(facet, "uco-observable:fileName", name != NULL ? name + 1 : path);
  set(facet, "uco-observable:filePath", path);
  set(facet, "uco-observable:allocationStatus", hit->state);
  set_size(facet, hit->size);
  set_time(facet, "uco-observable:observableCreatedTime", &hit->created);
  set_time(facet, "uco-observable:modifiedTime", &hit->modified);
  set_time(facet, "uco-observable:metadataChangeTime", &hit->changed);
  set_time(facet, "uco-observable:accessedTime", &hit->accessed);
  return facet;
}

static bool put_evidence(void *user, const EvidenceRecord *evidence) {
  Graph *graph = user;
  g_autofree char *id = make_id("evidence", evidence->name);
  json_t *item = node(id, strcmp(evidence->kind, "image") == 0 ? "uco-observable:Image"
                                                               : "uco-observable:ObservableObject");
  set(item, "uco-core:name", evidence->name);
  json_t *facets = json_array();
  json_array_append_new(facets, content_facet(id, evidence->media_bytes, evidence->md5,
                                              evidence->sha1, evidence->sha256));
  json_object_set_new(item, "uco-core:hasFacet", facets);
  put_item(graph, item);
  json_array_append_new(graph->examined, reference(id));
  g_ptr_array_add(graph->evidence, g_steal_pointer(&id));
  return true;
}

static void put_relation(Graph *graph, const char *from, const char *to) {
  g_autofree char *id = make_id("relationship", from);
  json_t *item = node(id, "uco-observable:ObservableRelationship");
  json_object_set_new(item, "uco-core:source", reference(from));
  json_object_set_new(item, "uco-core:target", reference(to));
  set(item, "uco-core:kindOfRelationship", "Contained_Within");
  json_object_set_new(item, "uco-core:isDirectional", json_true());
  put_item(graph, item);
}

static bool put_hit(void *user, const HitRow *hit) {
  Graph *graph = user;
  if (hit->evidence_no < 1 || hit->evidence_no > graph->evidence->len)
    return true;
  char *id = make_id("file", hit->hit_id);
  if (!g_hash_table_add(graph->seen, id))
    return true;
  json_t *item = node(id, "uco-observable:File");
  g_autofree char *text = g_strdup_printf(
      "rule %s; view %s; volume %u at byte %llu; metadata address %s; verdict %s: %s", hit->rule,
      hit->view, hit->volume, (unsigned long long)hit->volume_offset,
      *hit->meta != '\0' ? hit->meta : "none", hit->verdict, hit->reason);
  set(item, "uco-core:name", hit->hit_id);
  set(item, "uco-core:description", text);
  json_t *facets = json_array();
  json_array_append_new(facets, file_facet(id, hit));
  json_array_append_new(facets, content_facet(id, hit->size, hit->digests.md5, hit->digests.sha1,
                                              hit->digests.sha256));
  json_object_set_new(item, "uco-core:hasFacet", facets);
  put_item(graph, item);
  put_relation(graph, id, graph->evidence->pdata[hit->evidence_no - 1]);
  json_array_append_new(graph->results, reference(id));
  return graph->out.problem == 0;
}

static void put_action(Graph *graph, const char *version) {
  g_autofree char *tool_id = make_id("tool", version), *id = make_id("action", version);
  json_t *tool = node(tool_id, "uco-tool:AnalyticTool");
  set(tool, "uco-core:name", "triage");
  set(tool, "uco-tool:version", version);
  put_item(graph, tool);
  json_t *action = node(id, "case-investigation:InvestigativeAction");
  set(action, "uco-core:name", "examination");
  json_object_set_new(action, "uco-action:instrument", reference(tool_id));
  json_object_set(action, "uco-action:object", graph->examined);
  json_object_set(action, "uco-action:result", graph->results);
  put_item(graph, action);
}

bool report_write_case(Store *store, int fd, GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  g_autoptr(GPtrArray) evidence = g_ptr_array_new_with_free_func(g_free);
  Graph graph = {
      .seen = seen, .results = json_array(), .examined = json_array(), .evidence = evidence};
  g_autofree char *version = store_get_meta(store, "tool_version");
  out_init(&graph.out, fd);
  out_text(&graph.out,
           "{\"@context\":{\"kb\":\"urn:x-triage:\",\"uco-core\":\"" UCO "core/\","
           "\"uco-action\":\"" UCO "action/\",\"uco-observable\":\"" UCO "observable/\","
           "\"uco-tool\":\"" UCO "tool/\",\"uco-types\":\"" UCO "types/\","
           "\"uco-vocabulary\":\"" UCO "vocabulary/\","
           "\"case-investigation\":\"https://ontology.caseontology.org/case/investigation/\","
           "\"xsd\":\"http://www.w3.org/2001/XMLSchema#\"},\n\"@graph\":[");
  bool ok = store_each_evidence(store, put_evidence, &graph, error) &&
            store_each_hit(store, put_hit, &graph, error);
  put_action(&graph, version != NULL ? version : "");
  out_text(&graph.out, "\n]}\n");
  json_decref(graph.results);
  json_decref(graph.examined);
  return out_finish(&graph.out, ok ? error : NULL) && ok;
}
