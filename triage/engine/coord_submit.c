/* SPDX-License-Identifier: Apache-2.0 */
/* coord_submit.c - a scan as jobs of a Slurm cluster: an array of shards, each gone on with where
 * a node was lost, and the merge that waits for all of them. The scripts hold nothing that comes
 * from evidence: its paths stand in a file of their own, ended by zeros, and never meet a shell. */
#include "base/io.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "engine/coord_slurm.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHARDS_BY_BYTES_MAX = 1000 }; /* Slurm's own default allows no larger array */

/* ---- how much there is ---- */
/* A directory's own worker would have to walk it: sizes alone are asked for here. */
static uint64_t directory_bytes(char *path) {
  char *const paths[] = {path, NULL};
  FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  uint64_t bytes = 0;
  for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
    if (entry->fts_info == FTS_F && (uint64_t)entry->fts_statp->st_size < INT64_MAX - bytes)
      bytes += (uint64_t)entry->fts_statp->st_size;
  if (walk != NULL)
    fts_close(walk);
  return bytes;
}

static uint64_t evidence_bytes(const GPtrArray *probes) {
  uint64_t bytes = 0;
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = probes->pdata[i];
    bool is_directory = probe->kind != NULL && strcmp(probe->kind, "directory") == 0;
    uint64_t n = is_directory ? directory_bytes(probe->path) : probe->media_bytes;
    bytes += MIN(n, INT64_MAX - bytes);
  }
  return bytes;
}

static uint32_t count_shards(const SubmitOptions *options, uint64_t bytes) {
  if (options->shards > 0)
    return (uint32_t)options->shards;
  uint64_t part = (uint64_t)options->shard_bytes;
  uint64_t n = bytes / part + (bytes % part != 0);
  return (uint32_t)CLAMP(n, (uint64_t)MAX(options->nodes, 1), SHARDS_BY_BYTES_MAX);
}

/* ---- the scripts ---- */
/* A word for bash: printable ASCII whatever is in it, as sbatch refuses a script with a carriage
 * return. An escape takes two digits at most: what follows cannot become part of it. */
static char *bash_word(const char *text) {
  GString *word = g_string_new("$'");
  for (const char *p = text; *p != '\0'; p++) {
    if (g_ascii_isalnum(*p) || strchr("/._-+,:=@%", *p) != NULL)
      g_string_append_c(word, *p);
    else
      g_string_append_printf(word, "\\x%02x", (unsigned char)*p);
  }
  g_string_append_c(word, '\'');
  return g_string_free(word, FALSE);
}

static const char HEAD[] =
    "umask 077\n"
    "triage=%s\n"
    "case=%s\n"
    "cd -- %s || exit 3 # relative paths mean what they meant when this was submitted\n";

/* The end of both loops. */
#define WAIT_FOR(dir)                                                                              \
  "  # A node that Slurm has lost may still be at work: its word is waited for.\n"                 \
  "  if [ $status -eq 2 ] && \"$triage\" status \"$" dir "\" 2>/dev/null | grep -q '^running'; "   \
  "then\n"                                                                                         \
  "    sleep 10\n"                                                                                 \
  "    continue\n"                                                                                 \
  "  fi\n"                                                                                         \
  "  [ $status -ne 1 ] || status=0 # finished; what could not be examined is in the report\n"      \
  "  exit $status\n"

static const char SCAN[] =
    "shard=$SLURM_ARRAY_TASK_ID\n"
    "part=$case/" SLURM_DIR "/shards/$shard\n"
    "exec >>\"$case/" SLURM_DIR "/logs/scan-$shard.log\" 2>&1 || exit 3\n"
    "printf '%%s: shard %%s on %%s, job %%s, restart %%s\\n' \"$(date -u +%%FT%%TZ)\" \"$shard\" "
    "\"$(uname -n)\" \"${SLURM_JOB_ID:-}\" \"${SLURM_RESTART_COUNT:-0}\"\n"
    "mapfile -d '' -t arguments <\"$case/" SLURM_DIR "/arguments\" || exit 3\n"
    "jobs=${SLURM_CPUS_ON_NODE:-1}\n"
    "[ \"$jobs\" -le 256 ] || jobs=256\n"
    "while :; do\n"
    "  resume=()\n"
    "  [ ! -e \"$part\" ] || resume=(--resume)\n"
    "  \"$triage\" scan --progress=never --jobs=\"$jobs\" "
    "--shard=\"$shard/%u\" --output=\"$part\" \"${resume[@]}\" \"${arguments[@]}\"\n"
    "  status=$?\n" WAIT_FOR("part") "done\n";

static const char MERGE[] =
    "exec >>\"$case/" SLURM_DIR "/logs/merge.log\" 2>&1 || exit 3\n"
    "shards=()\n"
    "for ((k = 1; k <= %u; k++)); do shards+=(\"$case/" SLURM_DIR "/shards/$k\"); done\n"
    "while :; do\n"
    "  [ ! -e \"$case/manifest.sha256\" ] || exit 0 # an earlier try has ended after all\n"
    "  \"$triage\" merge --output=\"$case\" \"${shards[@]}\"\n"
    "  status=$?\n" WAIT_FOR("case") "done\n";

static bool write_file(const char *dir, const char *name, const char *text, gsize n, mode_t mode,
                       GError **error) {
  g_autofree char *path = g_build_filename(dir, SLURM_DIR, name, NULL);
  auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd >= 0 && io_write_all(fd, text, n))
    return true;
  g_autofree char *shown = text_printable(path, strlen(path));
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", shown,
                     g_strerror(errno));
}

static bool make_directories(const char *dir, GError **error) {
  static const char *const NAMES[] = {"", SLURM_DIR, SLURM_DIR "/shards", SLURM_DIR "/logs"};
  for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    g_autofree char *path = g_build_filename(dir, NAMES[i], NULL);
    g_autofree char *shown = text_printable(dir, strlen(dir));
    if (mkdir(path, 0700) != 0)
      return errno == EEXIST
                 ? triage_fail(error, TRIAGE_REASON_USAGE,
                               "%s: exists already; name a new case directory, or give --resume "
                               "to submit what is left of one that was submitted",
                               shown)
                 : triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be created: %s", shown,
                               g_strerror(errno));
  }
  return true;
}

/* The program that runs now, on a shared file system as everything else. (transfer full) */
static char *own_path(GError **error) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n > 0)
    return g_strndup(path, (gsize)n);
  triage_fail(error, TRIAGE_REASON_INTERNAL, "this program's own path cannot be found: %s",
              g_strerror(errno));
  return NULL;
}

static GString *script_head(const char *name, const char *dir, GError **error) {
  g_autofree char *program = own_path(error);
  if (program == NULL)
    return NULL;
  g_autofree char *whole = g_canonicalize_filename(dir, NULL), *here = g_get_current_dir();
  g_autofree char *program_word = bash_word(program), *case_word = bash_word(whole);
  g_autofree char *here_word = bash_word(here);
  GString *script = g_string_new("#!/bin/bash\n# Made by 'triage submit'; 'triage submit --slurm "
                                 "--resume' submits it again.\n");
  g_string_append_printf(script,
                         "#SBATCH --job-name=triage-%s --requeue --open-mode=append\n"
                         "#SBATCH --output=/dev/null --nodes=1 --ntasks=1\n",
                         name);
  g_string_append_c(script, '\n'); /* the part of the head that sbatch reads ends at a command */
  g_string_append_printf(script, HEAD, program_word, case_word, here_word);
  return script;
}

static void insert_directive(GString *script, const char *directive) {
  const char *end = strstr(script->str, "\n\n");
  g_string_insert(script, end - script->str + 1, directive);
}

static bool write_scripts(const SubmitOptions *options, const SlurmPlan *plan, GError **error) {
  const char *dir = options->scan->output;
  GString *scan = script_head("scan", dir, error);
  GString *merge = scan != NULL ? script_head("merge", dir, error) : NULL;
  bool ok = merge != NULL;
  if (ok) {
    g_autofree char *most = options->nodes > 0 ? g_strdup_printf("%%%d", options->nodes) : NULL;
    g_autofree char *share = options->jobs > 0
                                 ? g_strdup_printf("--cpus-per-task=%d", options->jobs)
                                 : g_strdup("--exclusive");
    g_autofree char *directive = g_strdup_printf("#SBATCH --array=1-%u%s %s\n", plan->shards,
                                                 most != NULL ? most : "", share);
    insert_directive(scan, directive);
    g_string_append_printf(scan, SCAN, plan->shards);
    g_string_append_printf(merge, MERGE, plan->shards);
    ok = write_file(dir, "scan.sh", scan->str, scan->len, 0700, error) &&
         write_file(dir, "merge.sh", merge->str, merge->len, 0700, error);
  }
  if (scan != NULL)
    g_string_free(scan, TRUE);
  if (merge != NULL)
    g_string_free(merge, TRUE);
  return ok;
}

static bool write_arguments(const SubmitOptions *options, GError **error) {
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint i = 0; options->arguments[i] != NULL; i++)
    g_string_append_len(list, options->arguments[i], (gssize)strlen(options->arguments[i]) + 1);
  return write_file(options->scan->output, "arguments", list->str, list->len, 0600, error);
}

/* ---- sbatch ---- */
/* The id that --parsable prints: "12", or "12;cluster". */
static char *submit_script(const SubmitOptions *options, const char *name, const char *dependency,
                           char **cluster, GError **error) {
  g_autofree char *whole = g_canonicalize_filename(options->scan->output, NULL);
  g_autofree char *script = g_build_filename(whole, SLURM_DIR, name, NULL);
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (gpointer) "sbatch");
  g_ptr_array_add(argv, (gpointer) "--parsable");
  for (guint i = 0; options->sbatch != NULL && options->sbatch[i] != NULL; i++)
    g_ptr_array_add(argv, options->sbatch[i]);
  if (dependency != NULL) {
    g_ptr_array_add(argv, (gpointer)dependency);
    g_ptr_array_add(argv, (gpointer) "--kill-on-invalid-dep=yes");
  }
  g_ptr_array_add(argv, script);
  g_ptr_array_add(argv, NULL);
  g_autofree char *said = slurm_run((const char *const *)argv->pdata, error);
  if (said == NULL)
    return NULL;
  g_strstrip(said);
  gsize digits = strspn(said, "0123456789");
  if (digits == 0 || (said[digits] != '\0' && said[digits] != ';')) {
    g_autofree char *shown = text_printable(said, strlen(said));
    triage_fail(error, TRIAGE_REASON_INTERNAL, "sbatch: names no job: %s", shown);
    return NULL;
  }
  if (said[digits] == ';') {
    g_free(*cluster);
    *cluster = text_printable(said + digits + 1, strlen(said + digits + 1));
  }
  return g_strndup(said, digits);
}

static void cancel(const SlurmPlan *plan) {
  const char *const argv[] = {"scancel", plan->array, NULL};
  g_free(slurm_run(argv, NULL));
}

/* An array without its merge would work for nothing. */
static bool submit_both(const SubmitOptions *options, SlurmPlan *plan, GError **error) {
  plan->array = submit_script(options, "scan.sh", NULL, &plan->cluster, error);
  if (plan->array == NULL)
    return false;
  g_autofree char *dependency = g_strconcat("--dependency=afterok:", plan->array, NULL);
  plan->merge = submit_script(options, "merge.sh", dependency, &plan->cluster, error);
  if (plan->merge == NULL) {
    cancel(plan);
    return false;
  }
  return slurm_plan_write(options->scan->output, plan, error) &&
         case_log(options->scan->output, "slurm-submitted",
                  (const char *const[]){"array", plan->array, "merge", plan->merge, NULL}, error);
}

/* ---- both ways ---- */
static bool make_plan(const SubmitOptions *options, SlurmPlan *plan, GError **error) {
  ScanOptions scan = *options->scan;
  scan.known = NULL; /* each shard reads them */
  Run run = {.options = &scan, .signal_fd = -1};
  g_autoptr(GPtrArray) probes = NULL;
  bool ok = run_read_inputs(&run, &scan, error) && (probes = run_probe_all(&run, error)) != NULL;
  options->scan->evidence = scan.evidence; /* with a list: those that it names */
  run_clear(&run);
  if (!ok)
    return false;
  plan->bytes = evidence_bytes(probes);
  plan->shards = count_shards(options, plan->bytes);
  return make_directories(scan.output, error) && write_arguments(options, error) &&
         write_scripts(options, plan, error) && slurm_plan_write(scan.output, plan, error);
}

/* What is still queued would do the same work. */
static bool take_up(const SubmitOptions *options, SlurmPlan *plan, GError **error) {
  const char *dir = options->scan->output;
  g_autofree char *shown = text_printable(dir, strlen(dir));
  g_auto(SlurmQueue) queue = {0};
  if (!slurm_plan_read(dir, plan, error))
    return (error != NULL && *error != NULL)
               ? false
               : triage_fail(error, TRIAGE_REASON_USAGE, "%s: was not made by 'triage submit'",
                             shown);
  if (!slurm_case_is_open(dir))
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is complete already", shown);
  if (plan->array != NULL && plan->merge != NULL && slurm_queue_read(plan, &queue, NULL) &&
      (queue.pending > 0 || queue.running > 0 || queue.other > 0 || queue.merge != NULL))
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s: its jobs %s and %s are in Slurm's queue still; wait for them, or end "
                       "them with scancel",
                       shown, plan->array, plan->merge);
  slurm_plan_clear(plan);
  return true;
}

static bool submit(const SubmitOptions *options, GError **error) {
  g_auto(SlurmPlan) plan = {0};
  g_autofree char *sbatch = g_find_program_in_path("sbatch");
  if (sbatch == NULL && !options->dry_run)
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "sbatch is not installed here; --dry-run writes the scripts alone");
  if (!(options->resume ? take_up(options, &plan, error) : make_plan(options, &plan, error)))
    return false;
  const char *dir = options->scan->output;
  g_autofree char *shown = text_printable(dir, strlen(dir));
  /* The lock of the case itself is for the merge, which may begin before this ends. */
  g_autofree char *work = g_build_filename(dir, SLURM_DIR, NULL);
  CaseLock *lock = case_lock_take(work, error);
  bool ok = lock != NULL && (options->dry_run || submit_both(options, &plan, error));
  case_lock_free(lock);
  if (!ok)
    return false;
  if (options->dry_run)
    g_print("%u shards of %llu bytes in all; nothing was submitted: %s/" SLURM_DIR "/scan.sh, then "
            "merge.sh\n",
            plan.shards, (unsigned long long)plan.bytes, shown);
  else
    g_print("array job %s: %u shards of %llu bytes in all\nmerge job %s: waits for it; the case is "
            "%s\n",
            plan.array, plan.shards, (unsigned long long)plan.bytes, plan.merge, shown);
  return true;
}

int coord_submit(const SubmitOptions *options) {
  g_autoptr(GError) error = NULL;
  if (submit(options, &error))
    return EXIT_COMPLETE;
  g_printerr("triage submit: %s\n", error->message);
  return triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
}
