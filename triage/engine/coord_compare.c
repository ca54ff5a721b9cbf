/* SPDX-License-Identifier: Apache-2.0 */
/* coord_compare.c - puts cases side by side, in an order that is theirs and not that of the command
 * line: by case number, name of the directory, and what their manifests say. */
#include "base/text.h"
#include "engine/coord.h"
#include "reports/across_out.h"
#include "reports/reports.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const char *dir;
  char *number, *name, *label;
  char seal[65];
  dev_t device;
  ino_t inode;
} Source;

static void source_free(gpointer data) {
  Source *source = data;
  g_free(source->number);
  g_free(source->name);
  g_free(source->label);
  g_free(source);
}

static int compare_sources(gconstpointer a, gconstpointer b) {
  const Source *x = *(const Source *const *)a, *y = *(const Source *const *)b;
  int order = strcmp(x->number, y->number);
  order = order != 0 ? order : strcmp(x->name, y->name);
  return order != 0 ? order : strcmp(x->seal, y->seal);
}

static char *name_of(const char *dir) {
  g_autofree char *real = realpath(dir, NULL);
  g_autofree char *base = g_path_get_basename(real != NULL ? real : dir);
  return text_printable(base, strlen(base));
}

static bool identify(Source *source, GError **error) {
  g_autofree char *file = g_build_filename(source->dir, "case.db", NULL);
  struct stat status;
  if (stat(file, &status) != 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: %s", file, g_strerror(errno));
  source->device = status.st_dev;
  source->inode = status.st_ino;
  return reports_digest_file(source->dir, "manifest.sha256", source->seal, error);
}

static Source *source_open(const char *dir, GError **error) {
  g_autoptr(Store) store = store_open(dir, false, error);
  if (store == NULL || !coord_is_finished(store, dir, error))
    return NULL;
  Source *source = g_new0(Source, 1);
  source->dir = dir;
  char *number = store_get_meta(store, "case_number");
  source->number = number != NULL ? number : g_strdup("");
  source->name = name_of(dir);
  if (identify(source, error))
    return source;
  source_free(source);
  return NULL;
}

static bool check_once(const GPtrArray *sources, const Source *new, GError **error) {
  for (guint i = 0; i < sources->len; i++) {
    const Source *old = sources->pdata[i];
    if (old->device == new->device && old->inode == new->inode)
      return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is named twice", new->name);
    /* A copy: the same run, and all that it found would count double. */
    if (strcmp(old->seal, new->seal) == 0)
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s and %s: are copies of one case: their manifest.sha256 is the same",
                         old->name, new->name);
  }
  return true;
}

/* In order, each with a name of its own. (transfer full) */
static GPtrArray *sources_open(char **cases, GError **error) {
  g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(source_free);
  for (guint i = 0; cases[i] != NULL; i++) {
    Source *source = source_open(cases[i], error);
    if (source == NULL)
      return NULL;
    bool is_new = check_once(sources, source, error);
    g_ptr_array_add(sources, source);
    if (!is_new)
      return NULL;
  }
  g_ptr_array_sort(sources, compare_sources);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < sources->len; i++) {
    Source *source = sources->pdata[i];
    source->label = g_strdup(source->name);
    for (guint n = 2; g_hash_table_contains(names, source->label); n++) {
      g_free(source->label);
      source->label = g_strdup_printf("%s#%u", source->name, n);
    }
    g_hash_table_add(names, source->label);
  }
  return g_steal_pointer(&sources);
}

static Across *put_together(const GPtrArray *sources, int least, GError **error) {
  g_autoptr(Across) across = across_new(error);
  for (guint i = 0; across != NULL && i < sources->len; i++) {
    const Source *source = sources->pdata[i];
    g_autoptr(Store) store = store_open(source->dir, false, error);
    if (store == NULL || !across_add_case(across, store, source->label, source->seal, error))
      return NULL;
  }
  return across != NULL && across_group(across, (guint)least, error) ? g_steal_pointer(&across)
                                                                     : NULL;
}

static bool compare(const CompareOptions *options, bool *made, GError **error) {
  g_autoptr(GPtrArray) sources = sources_open(options->cases, error);
  if (sources == NULL)
    return false;
  if (mkdir(options->output, 0700) != 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: %s", options->output,
                       errno == EEXIST ? "exists already; name a new directory"
                                       : g_strerror(errno));
  *made = true;
  g_autoptr(Across) across = put_together(sources, options->least, error);
  const AcrossReport report = {across, (guint)options->least, false};
  return across != NULL && across_write(&report, options->output, error);
}

int coord_compare(const CompareOptions *options) {
  g_autoptr(GError) error = NULL;
  bool made = false;
  if (!compare(options, &made, &error)) {
    g_autofree char *said = g_utf8_make_valid(error->message, -1);
    g_printerr("triage compare: %s\n", said);
    if (made)
      rmdir(options->output); /* only where nothing is in it */
    return triage_error_reason(error) == TRIAGE_REASON_USAGE ? EXIT_UNUSABLE : EXIT_STOPPED;
  }
  g_autofree char *shown = text_printable(options->output, strlen(options->output));
  if (!options->quiet)
    g_printerr("triage compare: %s/across.html\n", shown);
  return EXIT_COMPLETE;
}
