/* SPDX-License-Identifier: Apache-2.0 */
/* coord_verify.c - does a case still hold? Its files against the manifest and the store, its rules
 * and its evidence against their digests, and every hit read again at its recorded place: the
 * objects with hits are examined anew into a copy of the store, and the two are compared. */
#include "base/io.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "reports/reports.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const VerifyOptions *options;
  Store *store;
  char *scratch;       /* a directory of our own */
  GPtrArray *problems; /* char* */
  GPtrArray *evidence; /* char*: paths in order, NULL-terminated when complete */
  GPtrArray *opened;   /* char*: those of them that the scan could open */
  GPtrArray *rules;    /* char*: as evidence */
  GPtrArray *recorded; /* char*: "NAME\nSHA-256" of the evidence as the case has it */
  uint32_t n_hits;
  bool has_log; /* and it holds */
} Check;

static void say(Check *check, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(Check *check, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(check->problems, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

/* Prints what one part of the check found. */
static void report(Check *check, guint from, const char *good) {
  if (check->problems->len == from)
    g_print("holds: %s\n", good);
  for (guint i = from; i < check->problems->len; i++)
    g_print("FAILS: %s\n", (char *)check->problems->pdata[i]);
}

static bool take_evidence(void *user, const EvidenceRecord *record) {
  Check *check = user;
  const char *path = case_evidence_path(check->options->evidence, record);
  g_ptr_array_add(check->evidence, g_strdup(path));
  if (*record->kind != '\0')
    g_ptr_array_add(check->opened, g_strdup(path));
  g_ptr_array_add(check->recorded, g_strdup_printf("%s\n%s", record->name, record->sha256));
  return true;
}

/* The file that a recorded rule was read from: given now, where it was, or the shipped one. */
static char *find_rule(const Check *check, const InputFile *file) {
  g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
  for (char **given = check->options->rules; given != NULL && *given != NULL; given++)
    g_ptr_array_add(places, g_strdup(*given));
  g_ptr_array_add(places, g_strdup(file->name));
  g_autofree char *dir = coord_find("rules", NULL);
  if (dir != NULL)
    g_ptr_array_add(places, g_build_filename(dir, file->name, NULL));
  for (guint i = 0; i < places->len; i++) {
    g_autofree char *parent = g_path_get_dirname(places->pdata[i]);
    g_autofree char *base = g_path_get_basename(places->pdata[i]);
    char sha256[65];
    if (reports_digest_file(parent, base, sha256, NULL) && strcmp(sha256, file->sha256) == 0)
      return g_strdup(places->pdata[i]);
  }
  return NULL;
}

static bool take_input(void *user, const InputFile *file) {
  Check *check = user;
  if (strcmp(file->kind, "rules") != 0)
    return true;
  char *path = find_rule(check, file);
  if (path == NULL)
    say(check, "rules %s: no file with the recorded SHA-256 %s is there (name it with --rules)",
        file->name, file->sha256);
  else
    g_ptr_array_add(check->rules, path);
  return true;
}

static bool compare_evidence(void *user, const EvidenceRecord *record) {
  Check *check = user;
  g_auto(GStrv) parts = g_strsplit(check->recorded->pdata[record->no - 1], "\n", 2);
  if (*parts[1] == '\0')
    g_print("not recorded: a digest of %s\n", parts[0]);
  else if (strcmp(parts[1], record->sha256) != 0)
    say(check, "%s: the evidence has changed: SHA-256 %s, the case records %s", parts[0],
        *record->sha256 != '\0' ? record->sha256 : "(cannot be computed)", parts[1]);
  return true;
}

typedef struct {
  Check *check;
  GArray *lost;
} Naming;

static int compare_ids(gconstpointer a, gconstpointer b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static bool name_lost(void *user, const HitRow *row) {
  Naming *naming = user;
  naming->check->n_hits++;
  int64_t rowid = row->rowid;
  if (g_array_binary_search(naming->lost, &rowid, compare_ids, NULL))
    say(naming->check, "hit %s (%s%s%s) is not found again as it is recorded", row->hit_id,
        row->path, *row->member != '\0' ? "!/" : "", row->member);
  return true;
}

/* What could not be opened then need not be there now. */
static bool check_opened(const Check *check, GError **error) {
  for (guint i = 0; i < check->opened->len; i++) {
    const char *path = check->opened->pdata[i];
    g_autofree char *shown = text_printable(path, strlen(path));
    if (access(path, R_OK) != 0)
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s: cannot be opened: %s (--evidence says where the evidence is now)",
                         shown, g_strerror(errno));
  }
  return true;
}

static bool examine_again(Check *check, const ScanOptions *options, GError **error) {
  Run run = {.options = options, .signal_fd = run_open_signals()};
  g_autoptr(GPtrArray) probes = NULL;
  bool ok = store_copy_for_verify(check->store, check->scratch, error) &&
            check_opened(check, error) &&
            (run.rules = inputs_read_rules(options->rules, error)) != NULL &&
            (run.passwords = inputs_read_passwords(options->password_file, error)) != NULL &&
            (probes = run_probe_all(&run, error)) != NULL &&
            (run.store = store_open(check->scratch, true, error)) != NULL &&
            store_begin(run.store, error) && run_examine(&run, probes, error) &&
            store_commit(run.store, error);
  guint from = check->problems->len;
  ok = ok && store_each_evidence(run.store, compare_evidence, check, error);
  if (ok)
    report(check, from, "the evidence, against its recorded digests");
  run_clear(&run);
  return ok;
}

static bool look_again(Check *check, GError **error) {
  ScanOptions options = {.output = check->scratch,
                         .evidence = (char **)check->evidence->pdata,
                         .rules = (char **)check->rules->pdata,
                         .password_file = check->options->password_file,
                         .jobs = check->options->jobs,
                         .resume = true,
                         .quiet = true};
  case_recorded_limits(check->store, &options);
  if (!examine_again(check, &options, error))
    return false;
  g_autoptr(GArray) lost = store_hits_not_found_again(check->store, check->scratch, error);
  Naming naming = {check, lost};
  guint from = check->problems->len;
  if (lost == NULL || !store_each_hit(check->store, name_lost, &naming, error))
    return false;
  g_autofree char *good =
      g_strdup_printf("%u hit(s), read again at their recorded places", check->n_hits);
  report(check, from, good);
  return true;
}

static bool check_all(Check *check, GError **error) {
  const char *dir = check->options->case_dir;
  if (!reports_check_manifest(dir, check->problems, error))
    return false;
  report(check, 0, "every file of the case, against the manifest");
  guint from = check->problems->len;
  const SealTrust trust = {check->options->signers, check->options->authorities};
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  seal_check_case(dir, &trust, check->problems, notes);
  for (guint i = 0; i < notes->len; i++)
    g_print("%s\n", (char *)notes->pdata[i]);
  if (check->problems->len > from)
    report(check, from, "");
  from = check->problems->len;
  check->has_log = reports_check_log(dir, check->problems);
  if (check->has_log)
    report(check, from, "the action log, line by line");
  else
    g_print("not recorded: an action log\n");
  /* What is wrong with the log is not to be covered by another line. */
  check->has_log = check->has_log && check->problems->len == from;
  from = check->problems->len;
  if (!reports_check_rendered(check->store, dir, check->scratch, check->problems, error))
    return false;
  report(check, from, "the reports, against case.db");
  from = check->problems->len;
  if (!store_each_evidence(check->store, take_evidence, check, error) ||
      !store_each_input_file(check->store, take_input, check, error))
    return false;
  report(check, from, "the rules, against their recorded digests");
  if (check->problems->len > from) {
    g_print("not looked at: evidence and hits, for want of the rules\n");
    return true;
  }
  g_ptr_array_add(check->evidence, NULL);
  g_ptr_array_add(check->rules, NULL);
  return look_again(check, error);
}

/* The scratch directory holds plain files alone. */
static void remove_scratch(const char *dir) {
  DIR *stream = opendir(dir);
  for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
    (void)unlinkat(dirfd(stream), entry->d_name, 0);
  if (stream != NULL)
    closedir(stream);
  (void)rmdir(dir);
}

/* That it was checked, and what came of it, belongs into the log; where the case can only be read,
 * there is no place for it. */
static void log_check(const Check *check, const char *result) {
  if (!check->has_log)
    return;
  g_autofree char *n = g_strdup_printf("%u", check->problems->len);
  const char *first = check->problems->len > 0 ? check->problems->pdata[0] : "";
  case_log(check->options->case_dir, "verified",
           (const char *const[]){"result", result, "problems", n, "first", first, "version",
                                 TRIAGE_VERSION, NULL},
           NULL);
}

int coord_verify(const VerifyOptions *options) {
  g_autoptr(GError) error = NULL;
  Check check = {.options = options,
                 .problems = g_ptr_array_new_with_free_func(g_free),
                 .evidence = g_ptr_array_new_with_free_func(g_free),
                 .opened = g_ptr_array_new_with_free_func(g_free),
                 .rules = g_ptr_array_new_with_free_func(g_free),
                 .recorded = g_ptr_array_new_with_free_func(g_free)};
  bool ok = (check.store = store_open(options->case_dir, false, &error)) != NULL &&
            coord_is_finished(check.store, options->case_dir, &error);
  if (ok && (check.scratch = g_dir_make_tmp("triage-verify-XXXXXX", NULL)) == NULL)
    ok = triage_fail(&error, TRIAGE_REASON_INTERNAL, "no directory for temporary files: %s",
                     g_strerror(errno));
  ok = ok && check_all(&check, &error);
  int status = !ok ? EXIT_UNUSABLE : check.problems->len > 0 ? EXIT_INCOMPLETE : EXIT_COMPLETE;
  if (!ok) {
    g_printerr("triage verify: %s\n", error->message);
    if (triage_error_reason(error) == TRIAGE_REASON_INTERNAL)
      status = EXIT_STOPPED;
  } else {
    log_check(&check, status == EXIT_COMPLETE ? "holds" : "does not hold");
    g_print(status == EXIT_COMPLETE ? "The case holds.\n" : "The case does NOT hold.\n");
  }
  store_free(check.store);
  if (check.scratch != NULL)
    remove_scratch(check.scratch);
  g_free(check.scratch);
  g_ptr_array_unref(check.problems);
  g_ptr_array_unref(check.evidence);
  g_ptr_array_unref(check.opened);
  g_ptr_array_unref(check.rules);
  g_ptr_array_unref(check.recorded);
  return status;
}
