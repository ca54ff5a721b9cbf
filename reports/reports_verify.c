/* SPDX-License-Identifier: Apache-2.0 */
/* reports_verify.c - do the files of a case hold against its manifest, and against the store they
 * were rendered from? Reads alone. */
#include "base/actionlog.h"
#include "base/io.h"
#include "base/text.h"
#include "reports/report_writers.h"
#include "reports/reports.h"
#include "reports/reports_seal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines of "64 hex digits, two spaces, name"; anything else is a problem of its own. */
static bool take_line(const char *line, GHashTable *digests) {
  if (strlen(line) < 67 || strspn(line, "0123456789abcdef") != 64 || line[64] != ' ' ||
      line[65] != ' ' || strchr(line + 66, '/') != NULL)
    return false;
  return g_hash_table_insert(digests, g_strdup(line + 66), g_strndup(line, 64));
}

static GHashTable *read_manifest(const char *dir, GPtrArray *problems, GError **error) {
  g_autofree char *path = g_build_filename(dir, "manifest.sha256", NULL);
  g_autoptr(GBytes) bytes = io_read_file(path, MANIFEST_BYTES_MAX, error);
  if (bytes == NULL)
    return NULL;
  gsize n;
  const char *data = g_bytes_get_data(bytes, &n);
  g_autofree char *text = g_strndup(data != NULL ? data : "", n);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  /* Names of our own making, so the plain hash will do. */
  GHashTable *digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !take_line(lines[i], digests))
      g_ptr_array_add(problems, g_strdup_printf("manifest.sha256: line %u is not a digest and a "
                                                "name, or names a file twice",
                                                i + 1));
  return digests;
}

static void check_listed(const char *dir, GHashTable *digests, GPtrArray *problems) {
  g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(digests), (GCompareFunc)strcmp);
  for (GList *item = names; item != NULL; item = item->next) {
    const char *name = item->data, *recorded = g_hash_table_lookup(digests, name);
    g_autofree char *shown = text_printable(name, strlen(name));
    char found[65];
    g_autoptr(GError) error = NULL;
    if (!reports_digest_file(dir, name, found, &error))
      g_ptr_array_add(problems,
                      g_strdup_printf("%s: is named in the manifest and cannot be read: %s", shown,
                                      error->message));
    else if (strcmp(found, recorded) != 0)
      g_ptr_array_add(problems,
                      g_strdup_printf("%s: has changed: SHA-256 %s, the manifest records %s", shown,
                                      found, recorded));
  }
}

/* What 'triage submit' worked with; the case that came of it is what the manifest holds. */
static bool is_work(int dir, const char *name) {
  struct stat status;
  return strcmp(name, "slurm") == 0 && fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

static void check_unlisted(const char *dir, GHashTable *digests, GPtrArray *problems) {
  DIR *stream = opendir(dir);
  if (stream == NULL) {
    g_ptr_array_add(problems,
                    g_strdup_printf("the case directory cannot be listed: %s", g_strerror(errno)));
    return;
  }
  g_autoptr(GPtrArray) extra = g_ptr_array_new_with_free_func(g_free);
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "manifest.sha256") == 0 ||
        strcmp(name, ACTION_LOG_NAME) == 0 || reports_is_seal(name) ||
        is_work(dirfd(stream), name) || g_hash_table_contains(digests, name))
      continue;
    g_ptr_array_add(extra, text_printable(name, strlen(name)));
  }
  closedir(stream);
  g_ptr_array_sort(extra, reports_compare_names);
  for (guint i = 0; i < extra->len; i++)
    g_ptr_array_add(problems,
                    g_strdup_printf("%s: is in the case directory but not in the manifest",
                                    (char *)extra->pdata[i]));
}

bool reports_check_manifest(const char *dir, GPtrArray *problems, GError **error) {
  g_autoptr(GHashTable) digests = read_manifest(dir, problems, error);
  if (digests == NULL)
    return false;
  if (!g_hash_table_contains(digests, "case.db"))
    g_ptr_array_add(problems, g_strdup("case.db: is not in the manifest"));
  check_listed(dir, digests, problems);
  check_unlisted(dir, digests, problems);
  return true;
}

typedef struct {
  Store *store;
  const char *dir, *scratch;
  GPtrArray *problems;
} Again;

/* Renders one file again; false with error where that fails, not where it differs. */
static bool check_one(const Again *again, const char *name,
                      bool (*write)(Store *store, int fd, GError **error), GError **error) {
  g_autofree char *path = g_build_filename(again->dir, name, NULL);
  if (access(path, F_OK) != 0)
    return true; /* a missing file that should be there is the manifest's business */
  g_autofree char *made = g_build_filename(again->scratch, name, NULL);
  auto_fd fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", made,
                       g_strerror(errno));
  char here[65], there[65];
  if (!write(again->store, fd, error) || !reports_digest_file(again->dir, name, here, error) ||
      !reports_digest_file(again->scratch, name, there, error))
    return false;
  if (strcmp(here, there) != 0)
    g_ptr_array_add(
        again->problems,
        g_strdup_printf("%s: is not what case.db gives when it is rendered again", name));
  unlink(made);
  return true;
}

static bool count_evidence(void *user, const EvidenceRecord *evidence) {
  *(uint32_t *)user = evidence->no;
  return true;
}

static bool check_exhibits(const Again *again, GError **error) {
  uint32_t n = 0;
  bool ok = store_each_evidence(again->store, count_evidence, &n, error);
  for (uint32_t no = 1; ok && no <= n; no++) {
    g_autofree char *name = g_strdup_printf("exhibit-%u.html", no);
    store_set_scope(again->store, no);
    ok = check_one(again, name, report_write_html, error);
  }
  store_set_scope(again->store, 0);
  return ok;
}

bool reports_check_rendered(Store *store, const char *dir, const char *scratch, GPtrArray *problems,
                            GError **error) {
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  const Again again = {store, dir, scratch, problems};
  for (size_t i = 0; i < n; i++)
    if (!writers[i]->is_foreign &&
        !check_one(&again, writers[i]->file_name, writers[i]->write, error))
      return false;
  return check_exhibits(&again, error);
}
