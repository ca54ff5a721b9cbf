/* SPDX-License-Identifier: Apache-2.0 */
/* reports_render.c - writes the files of a case, then the manifest over all of them. */
#include "base/actionlog.h"
#include "base/io.h"
#include "base/text.h"
#include "reports/report_writers.h"
#include "reports/reports.h"
#include "reports/reports_seal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean fail(GError **error, const char *dir, const char *name, const char *why) {
  g_autofree char *shown = text_printable(dir, strlen(dir));
  return triage_fail(error, TRIAGE_REASON_INTERNAL,
                     "%s/%s: cannot be written: %s; free space and run 'triage report' again",
                     shown, name, why);
}

/* Writes one file beside its name, then puts it in place: a reader never sees half of it. */
static bool write_file(Store *store, const char *dir, const char *name,
                       bool (*write)(Store *store, int fd, GError **error), GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(error, dir, name, g_strerror(errno));
  GError *problem = NULL;
  bool ok = write(store, fd, &problem);
  if (ok && (fsync(fd) != 0 || rename(temporary, path) != 0))
    ok = triage_fail(&problem, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
  if (!ok) {
    unlink(temporary);
    if (triage_error_reason(problem) == TRIAGE_REASON_USAGE) {
      g_propagate_error(error, problem); /* it says itself what to do */
      return false;
    }
    fail(error, dir, name, problem != NULL ? problem->message : "unknown cause");
    g_clear_error(&problem);
  }
  return ok;
}

static bool count_evidence(void *user, const EvidenceRecord *evidence) {
  *(uint32_t *)user = evidence->no;
  return true;
}

/* A page for each piece of evidence: report.html as if there were no other. */
static bool render_exhibits(Store *store, const char *dir, uint32_t n, GError **error) {
  bool ok = true;
  for (uint32_t no = 1; ok && no <= n; no++) {
    g_autofree char *name = g_strdup_printf("exhibit-%u.html", no);
    store_set_scope(store, no);
    ok = write_file(store, dir, name, report_write_html, error);
  }
  store_set_scope(store, 0);
  return ok;
}

static bool take_note(void *user, const NoteRecord *note) {
  (void)note;
  *(bool *)user = true;
  return false;
}

static bool has_notes(Store *store) {
  bool any = false;
  return store_each_note(store, take_note, &any, NULL) && any;
}

static bool is_wanted(Store *store, const ReportWriter *writer, const char *const *formats) {
  if (formats != NULL)
    return g_strv_contains(formats, writer->row.name);
  if (strcmp(writer->row.name, "notes") == 0)
    return has_notes(store);
  g_autofree char *entries = store_get_meta(store, "entries");
  return writer->is_default || (strcmp(writer->row.name, "entries") == 0 && entries != NULL);
}

bool reports_check_formats(const char *const *formats, GError **error) {
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  for (guint i = 0; formats != NULL && formats[i] != NULL; i++) {
    bool found = false;
    for (size_t j = 0; j < n; j++)
      found = found || strcmp(writers[j]->row.name, formats[i]) == 0;
    if (!found)
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "'%s' is no report format; 'triage formats' lists them", formats[i]);
  }
  return true;
}

typedef struct {
  char *name, sha256[65];
  uint64_t size;
} FileRecord;

static void file_record_free(FileRecord *record) {
  g_free(record->name);
  g_free(record);
}

/* SHA-256 and size of a file of the case. */
static bool digest_one(const char *dir, const char *name, char *sha256, uint64_t *size,
                       GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  g_autofree char *buffer = g_malloc(1 << 20);
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA256);
  *size = 0;
  for (;;) {
    ssize_t n = fd >= 0 ? io_pread(fd, buffer, 1 << 20, *size) : -1;
    if (n < 0)
      return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be read: %s", path,
                         g_strerror(errno));
    if (n == 0)
      break;
    digester_update(digester, buffer, (size_t)n);
    *size += (uint64_t)n;
  }
  Digests digests;
  digester_finish(digester, &digests);
  g_strlcpy(sha256, digests.sha256, sizeof digests.sha256);
  return true;
}

bool reports_digest_file(const char *dir, const char *name, char *sha256, GError **error) {
  uint64_t size;
  return digest_one(dir, name, sha256, &size, error);
}

int reports_compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static FileRecord *digest_file(const char *dir, const char *name, GError **error) {
  FileRecord record = {0};
  if (!digest_one(dir, name, record.sha256, &record.size, error))
    return NULL;
  record.name = g_strdup(name);
  return g_memdup2(&record, sizeof record);
}

static int compare_records(gconstpointer a, gconstpointer b) {
  return strcmp((*(const FileRecord *const *)a)->name, (*(const FileRecord *const *)b)->name);
}

static GPtrArray *digest_case(const char *dir, GError **error) {
  g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)file_record_free);
  DIR *stream = opendir(dir);
  if (stream == NULL) {
    fail(error, dir, "manifest.json", g_strerror(errno));
    return NULL;
  }
  bool ok = true;
  for (struct dirent *entry; ok && (entry = readdir(stream)) != NULL;) {
    struct stat status;
    if (entry->d_name[0] == '.' || g_str_has_prefix(entry->d_name, "manifest.") ||
        strcmp(entry->d_name, ACTION_LOG_NAME) == 0 || /* it grows on; write_manifest pins it */
        g_str_has_suffix(entry->d_name, "-journal") ||
        fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      continue;
    FileRecord *record = digest_file(dir, entry->d_name, error);
    ok = record != NULL;
    if (ok)
      g_ptr_array_add(records, record);
  }
  closedir(stream);
  g_ptr_array_sort(records, compare_records);
  return ok ? g_steal_pointer(&records) : NULL;
}

/* Size and times of the evidence's files before and after: lines of the store's meta. */
static void add_states(json_t *list, const char *text, bool is_after) {
  static const char *const NAMES[2][4] = {
      {"size", "modified", "changed", "accessed"},
      {"size_after", "modified_after", "changed_after", "accessed_after"}};
  g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 5);
    if (g_strv_length(fields) != 5)
      continue;
    if (i >= json_array_size(list))
      json_array_append_new(list, json_object());
    json_t *item = json_array_get(list, i);
    json_object_set_new(item, "path", json_string(fields[4]));
    for (guint k = 0; k < 4; k++)
      json_object_set_new(item, NAMES[is_after][k], json_string(fields[k]));
  }
}

static void add_files(Store *store, json_t *evidence) {
  for (size_t i = 0; i < json_array_size(evidence); i++) {
    g_autofree char *key = g_strdup_printf("evidence_%zu_files", i + 1);
    g_autofree char *after_key = g_strconcat(key, "_after", NULL);
    g_autofree char *before = store_get_meta(store, key);
    g_autofree char *after = store_get_meta(store, after_key);
    json_t *list = json_array();
    add_states(list, before, false);
    add_states(list, after, true);
    json_object_set_new(json_array_get(evidence, i), "files", list);
  }
}

static bool add_evidence(void *user, const EvidenceRecord *evidence) {
  json_t *item = json_object();
  json_object_set_new(item, "name", json_string(evidence->name));
  json_object_set_new(item, "path", json_string(evidence->path));
  json_object_set_new(item, "kind", json_string(evidence->kind));
  json_object_set_new(item, "format", json_string(evidence->format));
  json_object_set_new(item, "media_bytes", json_integer((json_int_t)evidence->media_bytes));
  json_object_set_new(item, "stored_md5", json_string(evidence->stored_md5));
  json_object_set_new(item, "stored_sha1", json_string(evidence->stored_sha1));
  json_object_set_new(item, "md5", json_string(evidence->md5));
  json_object_set_new(item, "sha1", json_string(evidence->sha1));
  json_object_set_new(item, "sha256", json_string(evidence->sha256));
  json_object_set_new(item, "digest_status", json_string(evidence->digest_status));
  json_array_append_new(user, item);
  return true;
}

static bool add_input(void *user, const InputFile *file) {
  json_t *item = json_object();
  json_object_set_new(item, "kind", json_string(file->kind));
  json_object_set_new(item, "name", json_string(file->name));
  json_object_set_new(item, "sha256", json_string(file->sha256));
  json_array_append_new(user, item);
  return true;
}

static void add_meta(Store *store, json_t *object) {
  static const char *const KEYS[] = {
      "tool_version", "command_line", "started", "ended",   "run_seconds",     "host",
      "examiner",     "case_number",  "notes",   "digest",  "evidence_number", "timezone",
      "areas",        "options",      "status",  "sandbox", "retries",         "libraries",
      "prefilter",    "build"};
  for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++) {
    g_autofree char *value = store_get_meta(store, KEYS[i]);
    json_object_set_new(object, KEYS[i], json_string(value != NULL ? value : ""));
  }
}

static void add_ties(json_t *root, const char *dir, const Supersedes *before) {
  json_object_set_new(root, "log", reports_pin_log(dir));
  json_object_set_new(root, "supersedes",
                      *before->sha256 != '\0' ? json_string(before->sha256) : json_null());
}

static bool write_manifest(Store *store, const GPtrArray *records, const char *dir,
                           const Supersedes *before, int fd, GError **error) {
  json_t *root = json_object(), *evidence = json_array(), *inputs = json_array();
  json_t *files = json_array();
  add_meta(store, root);
  bool ok = store_each_evidence(store, add_evidence, evidence, error) &&
            store_each_input_file(store, add_input, inputs, error);
  for (guint i = 0; i < records->len; i++) {
    const FileRecord *record = records->pdata[i];
    json_t *item = json_object();
    json_object_set_new(item, "name", json_string(record->name));
    json_object_set_new(item, "size", json_integer((json_int_t)record->size));
    json_object_set_new(item, "sha256", json_string(record->sha256));
    json_array_append_new(files, item);
  }
  add_files(store, evidence);
  json_object_set_new(root, "evidence", evidence);
  json_object_set_new(root, "inputs", inputs);
  json_object_set_new(root, "files", files);
  add_ties(root, dir, before);
  char *text = json_dumps(root, JSON_INDENT(2));
  json_decref(root);
  ok = ok && text != NULL &&
       ((io_write_all(fd, text, strlen(text)) && io_write_all(fd, "\n", 1)) ||
        triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno)));
  free(text);
  return ok;
}

/* write_file's callback has no room for the records: the two manifests are written here. */
static bool put_manifest(Store *store, const char *dir, const char *name, const GPtrArray *records,
                         const Supersedes *before, GError **error) {
  bool is_json = before != NULL;
  g_autofree char *path = g_build_filename(dir, name, NULL);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(error, dir, name, g_strerror(errno));
  bool ok = !is_json || write_manifest(store, records, dir, before, fd, error);
  for (guint i = 0; !is_json && ok && i < records->len; i++) {
    const FileRecord *record = records->pdata[i];
    g_autofree char *line = g_strdup_printf("%s  %s\n", record->sha256, record->name);
    ok = io_write_all(fd, line, strlen(line));
  }
  ok = ok && fsync(fd) == 0 && rename(temporary, path) == 0;
  if (!ok && (error == NULL || *error == NULL))
    fail(error, dir, name, g_strerror(errno));
  return ok;
}

/* Writes both manifests; log.jsonl says so, before and after. */
static bool render_manifest(Store *store, const char *dir, const char *const *formats,
                            GError **error) {
  Supersedes before;
  if (!reports_keep_sealed(dir, &before, error))
    return false;
  g_autofree char *list = formats != NULL ? g_strjoinv(",", (char **)formats) : g_strdup("default");
  g_autofree char *kept =
      before.number > 0 ? g_strdup_printf("manifest.%u.*", before.number) : g_strdup("");
  if (!reports_log(dir, "reports-written",
                   (const char *const[]){"formats", list, "version", TRIAGE_VERSION, "supersedes",
                                         before.sha256, "kept_as", kept, NULL},
                   error))
    return false;
  g_autoptr(GPtrArray) records = digest_case(dir, error);
  if (records == NULL || !put_manifest(store, dir, "manifest.json", records, &before, error))
    return false;
  FileRecord *manifest = digest_file(dir, "manifest.json", error);
  if (manifest == NULL)
    return false;
  g_ptr_array_add(records, manifest);
  char sha256[65];
  return put_manifest(store, dir, "manifest.sha256", records, NULL, error) &&
         reports_digest_file(dir, "manifest.sha256", sha256, error) &&
         reports_log(dir, "manifest-written", (const char *const[]){"sha256", sha256, NULL}, error);
}

bool reports_render(Store *store, const char *dir, const char *const *formats, GError **error) {
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  if (!reports_check_formats(formats, error))
    return false;
  uint32_t n_evidence = 0;
  if (!store_each_evidence(store, count_evidence, &n_evidence, error))
    return false;
  for (size_t i = 0; i < n; i++) {
    bool is_index = strcmp(writers[i]->row.name, "exhibits") == 0;
    bool is_for_all = writers[i]->is_for_many && formats == NULL && n_evidence > 1;
    if (!is_wanted(store, writers[i], formats) && !is_for_all)
      continue;
    if (!write_file(store, dir, writers[i]->file_name, writers[i]->write, error) ||
        (is_index && !render_exhibits(store, dir, n_evidence, error)))
      return false;
  }
  return store_settle(store, error) && render_manifest(store, dir, formats, error);
}
