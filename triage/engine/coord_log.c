/* SPDX-License-Identifier: Apache-2.0 */
/* coord_log.c - what a run does, as it does it, in the case's action log. */
#include "base/actionlog.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

bool case_log(const char *dir, const char *event, const char *const *fields, GError **error) {
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  return action_log_write(path, event, fields, error);
}

bool run_log(const Run *run, const char *event, const char *const *fields, GError **error) {
  const char *copy = run->options->log;
  return run->lock == NULL || (case_log(run->options->output, event, fields, error) &&
                               (copy == NULL || action_log_write(copy, event, fields, error)));
}

/* The machine's clock, as its kernel knows it: whether a time service holds it. */
static const char *clock_state(void) {
  struct timex state = {0};
  int known = adjtimex(&state);
  if (known < 0)
    return "unknown";
  return known == TIME_ERROR || (state.status & STA_UNSYNC) != 0 ? "not synchronised"
                                                                 : "synchronised";
}

/* One field for each rule file and profile: its name and its digest. Numbered: no name can take the
 * place of a key of the log's own, nor of another file's. */
static bool log_inputs(const Run *run, GError **error) {
  g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < run->rules->len; i++) {
    const RuleInput *input = run->rules->pdata[i];
    g_ptr_array_add(fields, g_strdup_printf("rules %u: %s", i + 1, input->name));
    g_ptr_array_add(fields, g_strdup(input->sha256));
  }
  for (guint i = 0; i < profile_set_n_files(run->profiles); i++) {
    const char *name, *sha256;
    profile_set_file(run->profiles, i, &name, &sha256);
    g_ptr_array_add(fields, g_strdup_printf("profile %u: %s", i + 1, name));
    g_ptr_array_add(fields, g_strdup(sha256));
  }
  g_ptr_array_add(fields, NULL);
  return run_log(run, "inputs-read", (const char *const *)fields->pdata, error);
}

bool run_log_begin(const Run *run, bool is_resumed, GError **error) {
  const ScanOptions *options = run->options;
  g_autofree char *jobs = g_strdup_printf("%d", options->jobs);
  g_autofree char *process = g_strdup_printf("%ld", (long)getpid());
  g_autofree char *areas = areas_format(options->areas);
  g_autofree char *zone = g_strdup(g_getenv("TZ"));
  g_autofree char *host = g_strdup(g_get_host_name());
  g_autofree char *user = g_strdup_printf("%ld", (long)getuid());
#define OR_EMPTY(text) ((text) != NULL ? (text) : "")
  const char *fields[] = {"version",
                          TRIAGE_VERSION,
                          "command_line",
                          OR_EMPTY(options->command_line),
                          "host",
                          host,
                          "user",
                          user,
                          "process",
                          process,
                          "jobs",
                          jobs,
                          "areas",
                          areas,
                          "clock",
                          clock_state(),
                          "TZ",
                          OR_EMPTY(zone),
                          "examiner",
                          OR_EMPTY(options->examiner),
                          "case_number",
                          OR_EMPTY(options->case_number),
                          NULL};
#undef OR_EMPTY
  return run_log(run, is_resumed ? "run-resumed" : "run-started", fields, error) &&
         log_inputs(run, error);
}

bool run_log_evidence(const Run *run, GError **error) {
  const Probe *probe = run->probe;
  g_autofree char *bytes = g_strdup_printf("%llu", (unsigned long long)probe->media_bytes);
  const char *fields[] = {"name",   probe->name,
                          "path",   probe->path,
                          "kind",   probe->kind != NULL ? probe->kind : "",
                          "format", probe->format != NULL ? probe->format : "",
                          "bytes",  bytes,
                          NULL};
  if (probe->error != NULL)
    return run_log(run, "evidence-not-opened",
                   (const char *const[]){"name", probe->name, "why", probe->error->message, NULL},
                   error);
  return run_log(run, "evidence-opened", fields, error);
}

bool run_log_evidence_end(const Run *run, GError **error) {
#define OR_EMPTY(text) ((text) != NULL ? (text) : "")
  return run_log(run, "evidence-finished",
                 (const char *const[]){"name", run->probe->name, "sha256",
                                       OR_EMPTY(run->digest_sha256), "stored_digest",
                                       OR_EMPTY(run->digest_status), NULL},
                 error);
#undef OR_EMPTY
}

bool run_log_commit(const Run *run, GError **error) {
  g_autofree char *objects = g_strdup_printf("%llu", (unsigned long long)run->progress.objects);
  g_autofree char *hits = g_strdup_printf("%llu", (unsigned long long)run->progress.hits);
  return run_log(
      run, "committed",
      (const char *const[]){"evidence", run->probe->name, "objects", objects, "hits", hits, NULL},
      error);
}

bool run_log_lost(const Run *run, const char *job, const Object *object, TriageReason reason,
                  const char *detail, GError **error) {
  g_autofree char *place = object != NULL
                               ? g_strdup_printf("volume %u, object %llu", object->volume,
                                                 (unsigned long long)object->seq)
                               : g_strdup("");
  return run_log(run, "worker-lost",
                 (const char *const[]){"evidence", run->probe->name, "job", job, "object", place,
                                       "reason", triage_reason_name(reason), "detail", detail,
                                       NULL},
                 error);
}
