/* SPDX-License-Identifier: Apache-2.0 */
/* coord_main.c - a scan from command line to exit status: probe everything, then create the case,
 * then examine, assess, render. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "engine/coord_known.h"
#include "engine/coord_seal.h"
#include "reports/reports.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int say_error(Run *run, const GError *error, int status) {
  progress_clear(&run->progress);
  g_printerr("triage: %s\n", error->message);
  return status;
}

static bool check_evidence(const ScanOptions *options, GError **error) {
  if (options->evidence_list != NULL)
    return true; /* what of a list cannot be opened is listed, and does not stop the others */
  for (guint i = 0; options->evidence[i] != NULL; i++) {
    struct stat status;
    if (stat(options->evidence[i], &status) != 0 || access(options->evidence[i], R_OK) != 0) {
      g_autofree char *shown = text_printable(options->evidence[i], strlen(options->evidence[i]));
      return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be opened: %s", shown,
                         g_strerror(errno));
    }
  }
  return true;
}

/* Names in the evidence column are base names; a repeated one gets its number. */
static void name_probe(GPtrArray *probes, Probe *probe) {
  g_autofree char *base = g_path_get_basename(probe->path);
  g_autofree char *shown = text_printable(base, strlen(base));
  probe->name = g_strdup(shown);
  for (guint n = 2, i = 0; i < probes->len; i++) {
    const Probe *other = probes->pdata[i];
    if (strcmp(other->name, probe->name) != 0)
      continue;
    g_free(probe->name);
    probe->name = g_strdup_printf("%s#%u", shown, n++);
    i = (guint)-1; /* the new name may be taken as well */
  }
}

GPtrArray *run_probe_all(Run *run, GError **error) {
  g_autoptr(GPtrArray) probes = g_ptr_array_new_with_free_func((GDestroyNotify)probe_free);
  guint n_open = 0;
  for (guint i = 0; run->options->evidence[i] != NULL; i++) {
    ProcessSetup setup = {.role = "examine",
                          .evidence = run->options->evidence[i],
                          .rules = run->rules,
                          .passwords = run->passwords,
                          .options = run->options,
                          .spool_fd = -1};
    Probe *probe = probe_new(&setup, error);
    if (probe == NULL)
      return NULL;
    name_probe(probes, probe);
    g_ptr_array_add(probes, probe);
    n_open += probe->error == NULL;
  }
  if (n_open == 0) {
    const Probe *first = probes->pdata[0];
    triage_fail(error, TRIAGE_REASON_USAGE, "%s", first->error->message);
    return NULL;
  }
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = probes->pdata[i];
    if (probe->error != NULL)
      g_printerr("triage: %s (listed in coverage.csv; the other evidence is examined)\n",
                 probe->error->message);
  }
  return g_steal_pointer(&probes);
}

/* Files beside the case that cannot be written are said before anything is. */
static bool check_writable(const char *path, int flags, mode_t mode, GError **error) {
  if (path == NULL)
    return true;
  auto_fd fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, mode);
  g_autofree char *shown = text_printable(path, strlen(path));
  return fd >= 0 || triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be written: %s", shown,
                                g_strerror(errno));
}

static bool make_case_dir(const ScanOptions *options, GError **error) {
  g_autofree char *shown = text_printable(options->output, strlen(options->output));
  if (options->resume)
    return true;
  if (mkdir(options->output, 0700) == 0)
    return true;
  if (errno == EEXIST)
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s: exists already; name a new case directory, or give --resume to go on "
                       "with this one",
                       shown);
  return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be created: %s", shown,
                     g_strerror(errno));
}

/* Nothing is in it but hidden files: its own lock. */
static bool is_empty(const char *path) {
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (*name != '.')
      return false;
  return dir != NULL;
}

static bool open_case(Run *run, GError **error) {
  if (!make_case_dir(run->options, error))
    return false;
  if ((run->lock = case_lock_take(run->options->output, error)) == NULL) {
    if (!run->options->resume)
      rmdir(run->options->output); /* only where nothing is in it */
    return false;
  }
  /* A run may have been killed between making the directory and making the store. */
  g_autofree char *file = g_build_filename(run->options->output, "case.db", NULL);
  bool is_begun = access(file, F_OK) == 0 || !is_empty(run->options->output);
  run->store = run->options->resume && is_begun ? store_open(run->options->output, true, error)
                                                : store_create(run->options->output, error);
  return run->store != NULL && store_begin(run->store, error);
}

/* A resumed case must be about the same evidence and rules, or its parts would not fit together. */
static bool check_resumed(Run *run, GPtrArray *probes, char **fingerprint, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = probes->pdata[i];
    g_string_append_printf(text, "%s\n", probe->name);
  }
  for (guint i = 0; i < run->rules->len; i++)
    g_string_append_printf(text, "%s\n", ((RuleInput *)run->rules->pdata[i])->sha256);
  const ScanOptions *options = run->options;
  g_string_append_printf(text, "%d %lld %d %d %u\n", options->max_depth,
                         (long long)options->max_expanded, options->hash_all, options->entries,
                         options->areas);
  for (guint i = 0; run->exhibits != NULL && i < run->exhibits->exhibits->len; i++) {
    const ProfileSet *set = exhibit_list_profiles(run->exhibits, i + 1, NULL);
    const char *name, *sha256 = "-";
    if (set != NULL)
      profile_set_file(set, profile_set_n_files(set) - 1, &name, &sha256);
    g_string_append_printf(text, "%s\n", sha256);
  }
  for (guint i = 0; i < profile_set_n_files(run->profiles); i++) {
    const char *name, *sha256;
    profile_set_file(run->profiles, i, &name, &sha256);
    g_string_append_printf(text, "%s\n", sha256);
  }
  for (guint i = 0; i < run->known->len; i++) {
    const KnownList *list = run->known->pdata[i];
    g_string_append_printf(text, "known %s\n", list->index.source_sha256);
  }
  for (guint i = 0; i < run->passwords->len; i++) {
    gsize n;
    const char *password = g_bytes_get_data(run->passwords->pdata[i], &n);
    g_string_append_len(text, password != NULL ? password : "", (gssize)n);
    g_string_append_c(text, '\n');
  }
  Digests digests;
  digest_bytes(DIGEST_SHA256, text->str, text->len, &digests);
  *fingerprint = g_strdup(digests.sha256);
  g_autofree char *stored = store_get_meta(run->store, "fingerprint");
  g_autofree char *shard = g_strdup_printf("%u/%u", options->shard, options->shards);
  g_autofree char *stored_shard = store_get_meta(run->store, "shard");
  if (options->resume && stored != NULL &&
      strcmp(shard, stored_shard != NULL ? stored_shard : "0/0") != 0)
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s: was begun as shard %s, not as %s (0/0: the whole); give the same "
                       "--shard, or name a new case directory",
                       options->output, stored_shard != NULL ? stored_shard : "0/0", shard);
  if (options->resume && stored != NULL && !resume_check(run, probes, error))
    return false;
  return !options->resume || stored == NULL || strcmp(stored, digests.sha256) == 0 ||
         triage_fail(error, TRIAGE_REASON_USAGE,
                     "%s: was begun with other evidence, rules or options; resume it with the same "
                     "ones, or name a new case directory",
                     options->output);
}

/* One piece of evidence that workers cannot be kept on does not stop the others: it is told at the
 * end, and gone on with by --resume. */
static bool go_on(Run *run, GError **problem, GError **first) {
  if (!run->is_evidence_lost)
    return false;
  run->is_evidence_lost = false;
  progress_clear(&run->progress);
  if (run->options->evidence[1] != NULL)
    g_printerr("triage: %s\n", (*problem)->message);
  if (*first == NULL)
    *first = g_steal_pointer(problem);
  g_clear_error(problem);
  return true;
}

static bool put_owner(Run *run, uint32_t owner, GError **error) {
  g_autofree char *key = g_strdup_printf("evidence_%u_owner", run->evidence);
  g_autofree char *text = g_strdup_printf("%u", owner);
  return store_put_meta(run->store, key, text, error);
}

bool run_examine(Run *run, GPtrArray *probes, GError **error) {
  GError *first = NULL;
  const ScanOptions *options = run->options;
  for (guint i = 0; i < probes->len; i++) {
    GError *problem = NULL;
    gint64 began = g_get_monotonic_time();
    run->evidence = i + 1;
    run->probe = probes->pdata[i];
    if (!resume_evidence(run, &problem)) {
      if (go_on(run, &problem, &first))
        continue;
      g_clear_error(&first);
      g_propagate_error(error, problem);
      return false;
    }
    g_autofree char *key = g_strdup_printf("evidence_%u_probed", run->evidence);
    g_autofree char *done = store_get_meta(run->store, key);
    if (done == NULL &&
        (!case_put_probe(run, error) || !store_put_meta(run->store, key, "1", error)))
      return false;
    run->progress.phase = run->probe->name;
    uint32_t owner = options->shards > 0 ? shard_owner(options, probes, i + 1) : 0;
    run->is_split = options->shards > 0 && owner == 0;
    if (options->shards > 0 && !put_owner(run, owner, error))
      return false;
    bool ok = owner == 0 || owner == options->shard ? run_evidence(run, &problem)
                                                    : run_put_evidence(run, &problem);
    if (!ok && !go_on(run, &problem, &first)) {
      g_clear_error(&first);
      g_propagate_error(error, problem);
      return false;
    }
    if (!case_add_seconds(run, began, error))
      return false;
  }
  if (first != NULL)
    g_propagate_error(error, first);
  return first == NULL;
}

/* A shard is judged, and reported on, together with the others. */
static bool finish_shard(Run *run, GError **error) {
  return store_put_meta(run->store, "status", "shard", error) && store_commit(run->store, error) &&
         run_log(run, "shard-finished", NULL, error);
}

static bool seal(Run *run, GError **error) {
  const SealOptions seals = {run->options->sign_key, run->options->wants_stamp, NULL};
  return seal_case(run->options->output, &seals, run->seal_key, error);
}

static bool finish(Run *run, gint64 started, GError **error) {
  g_autofree char *now = case_now();
  g_autofree char *seconds =
      g_strdup_printf("%.1f", (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC);
  g_autofree char *retries = g_strdup_printf("%llu", (unsigned long long)run->retries);
  bool ok = store_put_meta(run->store, "ended", now, error) &&
            store_put_meta(run->store, "run_seconds", seconds, error) &&
            store_put_meta(run->store, "retries", retries, error);
  if (run->options->shards > 0)
    return ok && finish_shard(run, error);
  return ok && assess_case(run, error) && store_put_meta(run->store, "status", "complete", error) &&
         store_commit(run->store, error) &&
         run_log(run, "run-finished", (const char *const[]){"seconds", seconds, NULL}, error) &&
         reports_render(run->store, run->options->output, NULL, error) && seal(run, error);
}

static bool find_mismatch(void *user, const EvidenceRecord *evidence) {
  if (strcmp(evidence->digest_status, "mismatch") == 0)
    *(bool *)user = true;
  return true;
}

int run_summarise(Run *run, GError **error) {
  StoreTotals totals;
  bool has_mismatch = false;
  if (!store_totals(run->store, 0, 0, &totals, error) ||
      !store_each_evidence(run->store, find_mismatch, &has_mismatch, error))
    return EXIT_STOPPED;
  progress_clear(&run->progress);
  if (!run->options->quiet) {
    g_printerr("triage: %llu objects and %llu archive members examined, %llu hits.\n",
               (unsigned long long)totals.objects_examined, (unsigned long long)totals.members,
               (unsigned long long)totals.hits);
    if (totals.gaps > 0)
      g_printerr("triage: %llu rows in coverage.csv say what could not be fully examined.\n",
                 (unsigned long long)totals.gaps);
    if (run->options->shards > 0)
      g_printerr("triage: shard %u of %u; 'triage merge' joins them to the case.\n",
                 run->options->shard, run->options->shards);
    if (has_mismatch)
      g_printerr("triage: the digest of the evidence does NOT match the one stored in it.\n");
    if (run->options->shards == 0)
      g_printerr("triage: report: %s/%s\n", run->options->output,
                 run->options->evidence[1] != NULL ? "exhibits.html" : "report.html");
  }
  return totals.gaps > 0 || has_mismatch ? EXIT_INCOMPLETE : EXIT_COMPLETE;
}

/* The case keeps what is done: committed as far as the store still can. */
static int stop(Run *run, const GError *error) {
  g_autofree char *status = run->store != NULL ? store_get_meta(run->store, "status") : NULL;
  if (run->store != NULL) {
    if (status == NULL || strcmp(status, "running") == 0)
      store_put_meta(run->store, "status", "stopped", NULL);
    store_commit(run->store, NULL);
    run_log(run, "run-stopped", (const char *const[]){"why", error->message, NULL}, NULL);
  }
  return say_error(run, error, EXIT_STOPPED);
}

int run_open_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run_case(Run *run, GPtrArray *probes, Process *asked, gint64 started) {
  GError *error = NULL;
  g_autoptr(GString) formats = g_string_new(NULL);
  g_autofree char *fingerprint = NULL, *libraries = versions_text(asked, formats, NULL);
  if (!open_case(run, &error) || !check_resumed(run, probes, &fingerprint, &error)) {
    bool unusable = triage_error_reason(error) == TRIAGE_REASON_USAGE || run->store == NULL;
    int status = say_error(run, error, unusable ? EXIT_UNUSABLE : EXIT_STOPPED);
    g_error_free(error);
    return status;
  }
  g_autofree char *begun = store_get_meta(run->store, "fingerprint");
  bool ok = begun != NULL || (case_begin(run, libraries, &error) &&
                              store_put_meta(run->store, "formats", formats->str, &error) &&
                              store_put_meta(run->store, "fingerprint", fingerprint, &error));
  ok = ok && run_log_begin(run, begun != NULL, &error) &&
       store_put_meta(run->store, "status", "running", &error);
  ok = ok && run_examine(run, probes, &error) && finish(run, started, &error);
  run_put_metrics(run, false);
  int status = ok ? run_summarise(run, &error) : EXIT_STOPPED;
  if (error != NULL) {
    status = stop(run, error);
    g_error_free(error);
  }
  return status;
}

void run_clear(Run *run) {
  store_free(run->store);
  g_clear_pointer(&run->lock, case_lock_free);
  g_clear_pointer(&run->seal_key, seal_key_free);
  g_clear_pointer(&run->rules, g_ptr_array_unref);
  g_clear_pointer(&run->known, g_ptr_array_unref);
  g_clear_pointer(&run->exhibits, exhibit_list_free);
  g_clear_pointer(&run->passwords, g_ptr_array_unref);
  g_clear_pointer(&run->profiles, profile_set_free);
  if (run->signal_fd >= 0)
    close(run->signal_fd);
}

/* The evidence that a list names. */
static bool read_list(Run *run, ScanOptions *options, GError **error) {
  if (options->evidence_list == NULL)
    return true;
  run->exhibits = exhibit_list_read(options->evidence_list, options->benign, error);
  if (run->exhibits == NULL)
    return false;
  g_strfreev(options->evidence);
  options->evidence = exhibit_list_paths(run->exhibits);
  return true;
}

bool run_read_inputs(Run *run, ScanOptions *options, GError **error) {
  g_autofree char *above = g_path_get_dirname(options->output);
  return read_list(run, options, error) && check_evidence(options, error) &&
         (run->rules = inputs_read_rules(options->rules, error)) != NULL &&
         (run->passwords = inputs_read_passwords(options->password_file, error)) != NULL &&
         (run->profiles = inputs_read_profiles(options->benign, error)) != NULL &&
         (run->known = known_lists_open(options->known, above, error)) != NULL &&
         (options->sign_key == NULL ||
          (run->seal_key = seal_key_read(options->sign_key, error)) != NULL);
}

int coord_scan(ScanOptions *options) {
  gint64 started = g_get_monotonic_time();
  Run run = {.options = options,
             .signal_fd = run_open_signals(),
             .progress = {.is_shown = options->progress, .started = started, .phase = "triage"}};
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) probes = NULL;
  int status = EXIT_UNUSABLE;
  g_autoptr(Process) asked = versions_ask(NULL); /* answers while the evidence is probed */
  if (run_read_inputs(&run, options, &error) &&
      check_writable(options->log, O_NOFOLLOW, 0600, &error) &&
      check_writable(options->metrics, 0, 0644, &error) &&
      (probes = run_probe_all(&run, &error)) != NULL)
    status = run_case(&run, probes, asked, started);
  else
    say_error(&run, error, status);
  run_clear(&run);
  return status;
}
