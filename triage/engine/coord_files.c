/* SPDX-License-Identifier: Apache-2.0 */
/* coord_files.c - size and times of the files of a piece of evidence, before and after: what is
 * written to while it is read is no evidence of one moment. */
#include "engine/coord_case.h"
#include "triage/time.h"
#include <string.h>
#include <sys/stat.h>

static void append_time(GString *out, struct timespec when) {
  TriageTime time = {
      .seconds = when.tv_sec, .nanoseconds = (uint32_t)when.tv_nsec, .digits = 9, .is_set = true};
  char text[64];
  triage_time_format(&time, text, sizeof text);
  g_string_append_printf(out, "\t%s", text);
}

char *case_file_state(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0)
    return g_strdup("\t\t\t");
  g_autoptr(GString) out = g_string_new(NULL);
  g_string_append_printf(out, "%lld", (long long)status.st_size);
  append_time(out, status.st_mtim);
  append_time(out, status.st_ctim);
  append_time(out, status.st_atim);
  return g_string_free(g_steal_pointer(&out), FALSE);
}

/* What of two states differs, as a sentence; NULL: nothing. The time of the last access is not
 * held against the evidence: reading it may set it where the kernel is not to be asked otherwise.
 */
static char *difference(const char *before, const char *after) {
  static const char *const WORDS[] = {"size", "time of the last modification",
                                      "time of the last change of status"};
  g_auto(GStrv) then = g_strsplit(before, "\t", 4), now = g_strsplit(after, "\t", 4);
  for (guint i = 0; i < G_N_ELEMENTS(WORDS) && then[i] != NULL && now[i] != NULL; i++)
    if (strcmp(then[i], now[i]) != 0)
      return g_strdup_printf("its %s was %s before and is %s after", WORDS[i], then[i],
                             *now[i] != '\0' ? now[i] : "not to be had");
  return NULL;
}

static bool put_changed(Run *run, const char *path, const char *what, GError **error) {
  g_autofree char *text =
      g_strdup_printf("%s changed while it was examined: %s; what was read is not known to be of "
                      "one moment",
                      path, what);
  g_autofree char *key = g_strdup_printf("evidence_%u_changed", run->evidence);
  Gap gap = {.seq = GAP_NO_OBJECT,
             .size = run->probe->media_bytes,
             .reason = TRIAGE_REASON_CORRUPT,
             .detail = text};
  return store_put_meta(run->store, key, text, error) &&
         store_put_gap(run->store, run->evidence, &gap, "", error);
}

bool case_put_files(Run *run, bool is_after, GError **error) {
  const Probe *probe = run->probe;
  g_autofree char *before_key = g_strdup_printf("evidence_%u_files", run->evidence);
  g_autofree char *after_key = g_strdup_printf("evidence_%u_files_after", run->evidence);
  g_autofree char *recorded = is_after ? store_get_meta(run->store, before_key) : NULL;
  g_auto(GStrv) lines = g_strsplit(recorded != NULL ? recorded : "", "\n", -1);
  guint n_lines = g_strv_length(lines);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < probe->files->len; i++) {
    const ProbeFile *file = probe->files->pdata[i];
    g_autofree char *state = is_after ? case_file_state(file->path) : g_strdup(file->state);
    g_string_append_printf(text, "%s\t%s\n", state, file->shown);
    /* Of a resumed run the state that counts is the one at its very beginning. */
    g_autofree char *what = is_after && i < n_lines ? difference(lines[i], state) : NULL;
    if (what != NULL && !put_changed(run, file->shown, what, error))
      return false;
  }
  return store_put_meta(run->store, is_after ? after_key : before_key, text->str, error);
}
