/* SPDX-License-Identifier: Apache-2.0 */
/* report_lines.c - formats of other tools, one JSON object a line: Timesketch, Elastic Common
 * Schema, Microsoft Sentinel; and the query that finds the same behaviour in live telemetry. */
#include "base/keyhash.h"
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef void (*LineWriter)(Out *out, const HitRow *hit);

typedef struct {
  Out out;
  LineWriter line;
} Lines;

static void set(json_t *object, const char *name, const char *value) {
  if (*value != '\0')
    json_object_set_new(object, name, json_string(value));
}

static void set_values(json_t *object, const char *name, const HitRow *hit,
                       const char *const *indicators) {
  g_autofree char *values = report_values(hit, indicators);
  set(object, name, values);
}

static void put_line(Out *out, json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT);
  json_decref(object);
  if (text != NULL) {
    out_text(out, text);
    out_text(out, "\n");
  }
  free(text);
}

static const char *const SERVER[] = {"smtp_server", NULL};
static const char *const FROM[] = {"mail_from", NULL};
static const char *const TO[] = {"mail_to", "mail_cc", "mail_bcc", NULL};

/* ---- Timesketch: one line for each time of each hit; times of unknown zone stay out ---- */
static void timesketch_line(Out *out, const HitRow *hit) {
  ReportEvent events[REPORT_EVENTS];
  guint n = report_events(hit, events);
  g_autofree char *path = report_whole_path(hit);
  for (guint i = 0; i < n; i++) {
    char when[64];
    triage_time_format(events[i].time, when, sizeof when);
    g_autofree char *message = report_event_message(hit, path);
    json_t *object = json_object();
    set(object, "message", message);
    set(object, "datetime", when);
    set(object, "timestamp_desc", events[i].description);
    set(object, "hit_id", hit->hit_id);
    set(object, "evidence", hit->evidence);
    set(object, "path", path);
    set(object, "inode", hit->meta);
    set(object, "sha256_hash", hit->digests.sha256);
    set(object, "yara_match", hit->rule);
    set(object, "verdict", hit->verdict);
    set(object, "reason", hit->reason);
    set_values(object, "smtp_server", hit, SERVER);
    set_values(object, "mail_to", hit, TO);
    put_line(out, object);
  }
}

/* ---- Elastic Common Schema 8 ---- */
static json_t *child(json_t *object, const char *name) {
  json_t *inner = json_object();
  json_object_set_new(object, name, inner);
  return inner;
}

static void set_time(json_t *object, const char *name, const TriageTime *time) {
  char when[64];
  triage_time_format(time, when, sizeof when);
  if (!time->is_local)
    set(object, name, when);
}

static void ecs_line(Out *out, const HitRow *hit) {
  g_autofree char *path = report_whole_path(hit);
  json_t *object = json_object();
  set_time(object, "@timestamp", hit->modified.is_set ? &hit->modified : &hit->created);
  set(child(object, "ecs"), "version", "8.11.0");
  json_t *event = child(object, "event");
  set(event, "id", hit->hit_id);
  set(event, "kind", "alert");
  set(event, "module", "triage");
  set(event, "reason", hit->reason);
  set(event, "outcome", "unknown");
  json_t *rule = child(object, "rule");
  set(rule, "name", hit->rule);
  set(rule, "ruleset", hit->rule_namespace);
  json_t *file = child(object, "file");
  set(file, "path", path);
  set(file, "inode", hit->meta);
  json_object_set_new(file, "size", json_integer((json_int_t)MIN(hit->size, INT64_MAX)));
  set_time(file, "created", &hit->created);
  set_time(file, "mtime", &hit->modified);
  set_time(file, "ctime", &hit->changed);
  set_time(file, "accessed", &hit->accessed);
  json_t *hash = child(file, "hash");
  set(hash, "sha256", hit->digests.sha256);
  set(hash, "sha1", hit->digests.sha1);
  set(hash, "md5", hit->digests.md5);
  set(hash, "ssdeep", hit->fuzzy);
  json_t *own = child(object, "triage");
  set(own, "evidence", hit->evidence);
  set(own, "verdict", hit->verdict);
  set(own, "scenario", hit->scenario);
  set(own, "state", hit->state);
  set(own, "view", hit->view);
  set_values(own, "smtp_server", hit, SERVER);
  set_values(own, "mail_from", hit, FROM);
  set_values(own, "mail_to", hit, TO);
  put_line(out, object);
}

/* ---- Microsoft Sentinel: columns of a custom table (Log Analytics) ---- */
static void sentinel_line(Out *out, const HitRow *hit) {
  g_autofree char *path = report_whole_path(hit);
  json_t *object = json_object();
  set_time(object, "TimeGenerated", hit->modified.is_set ? &hit->modified : &hit->created);
  set(object, "HitId", hit->hit_id);
  set(object, "Evidence", hit->evidence);
  set(object, "FilePath", path);
  set(object, "FileState", hit->state);
  set(object, "SHA256", hit->digests.sha256);
  set(object, "SHA1", hit->digests.sha1);
  set(object, "MD5", hit->digests.md5);
  set(object, "RuleName", hit->rule);
  set(object, "Verdict", hit->verdict);
  set(object, "Scenario", hit->scenario);
  set(object, "Reason", hit->reason);
  set_values(object, "SmtpServer", hit, SERVER);
  set_values(object, "MailFrom", hit, FROM);
  set_values(object, "MailTo", hit, TO);
  put_line(out, object);
}

static bool put_hit(void *user, const HitRow *hit) {
  Lines *lines = user;
  lines->line(&lines->out, hit);
  return lines->out.problem == 0;
}

static bool write_lines(Store *store, int fd, LineWriter line, GError **error) {
  Lines lines = {.line = line};
  out_init(&lines.out, fd);
  bool ok = store_each_hit(store, put_hit, &lines, error);
  return out_finish(&lines.out, ok ? error : NULL) && ok;
}

bool report_write_timesketch(Store *store, int fd, GError **error) {
  return write_lines(store, fd, timesketch_line, error);
}

bool report_write_ecs(Store *store, int fd, GError **error) {
  return write_lines(store, fd, ecs_line, error);
}

bool report_write_sentinel(Store *store, int fd, GError **error) {
  return write_lines(store, fd, sentinel_line, error);
}

/* ---- KQL ---- */
typedef struct {
  GHashTable *seen;
  GPtrArray *digests;
} Hunt;

enum { HUNT_DIGESTS = 1000 }; /* a query has a size limit of its own */

static bool take_digest(void *user, const HitRow *hit) {
  Hunt *hunt = user;
  if (strcmp(hit->verdict, "known-benign") == 0 || strcmp(hit->verdict, "likely-benign") == 0 ||
      strcmp(hit->view, "raw") != 0 || *hit->digests.sha256 == '\0')
    return true;
  if (g_hash_table_contains(hunt->seen, hit->digests.sha256))
    return true; /* adding it again would free the text that digests points to */
  char *digest = g_strdup(hit->digests.sha256);
  g_hash_table_add(hunt->seen, digest);
  g_ptr_array_add(hunt->digests, digest);
  return hunt->digests->len < HUNT_DIGESTS;
}

bool report_write_kql(Store *store, int fd, GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  g_autoptr(GPtrArray) digests = g_ptr_array_new();
  Hunt hunt = {seen, digests};
  if (!store_each_hit(store, take_digest, &hunt, error))
    return false;
  Out out;
  out_init(&out, fd);
  out_text(&out, "// The contents that triage found and did not explain, and the behaviour of such "
                 "scripts, in Microsoft Defender telemetry.\n"
                 "let Found = datatable(SHA256: string) [\n");
  for (guint i = 0; i < digests->len; i++)
    out_format(&out, "  \"%s\"%s\n", (const char *)digests->pdata[i],
               i + 1 < digests->len ? "," : "");
  out_text(
      &out,
      "];\n"
      "let Hosts = dynamic([\"wscript.exe\", \"cscript.exe\", \"mshta.exe\"]);\n"
      "union\n"
      "(DeviceFileEvents | where SHA256 in (Found) | extend Why = \"content found by triage\"),\n"
      "(DeviceNetworkEvents | where InitiatingProcessFileName in~ (Hosts) and RemotePort in (25, "
      "465, 587, 2525)\n"
      "  | extend Why = \"a script host speaks SMTP\"),\n"
      "(DeviceImageLoadEvents | where FileName =~ \"cdosys.dll\" and InitiatingProcessFileName "
      "in~ (Hosts)\n"
      "  | extend Why = \"a script host loads CDO\")\n"
      "| project Timestamp, DeviceName, Why, InitiatingProcessCommandLine, FileName, FolderPath, "
      "SHA256, RemoteIP, RemotePort\n"
      "| sort by Timestamp desc\n");
  return out_finish(&out, error);
}
