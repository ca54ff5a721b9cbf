/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_submit.c - the options of 'triage submit': its own, and those of the scan that each shard
 * is. */
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/scan_arguments.h"
#include <string.h>

typedef struct {
  ScanArguments scan;
  SubmitOptions submit;
  gboolean slurm, dry_run;
} Arguments;

/* Those that a shard gets from its job, or that belong to one run in one place. */
static bool is_own(const char *name) {
  static const char *const OWN[] = {"output", "jobs", "shard", "resume", "progress"};
  for (gsize i = 0; i < G_N_ELEMENTS(OWN); i++)
    if (strcmp(name, OWN[i]) == 0)
      return true;
  return false;
}

static void add_text(GPtrArray *out, const char *name, const char *value) {
  if (value != NULL)
    g_ptr_array_add(out, g_strdup_printf("--%s=%s", name, value));
}

/* One option of the scan as each shard is given it; none where it stands as it does anyway. */
static void add_option(GPtrArray *out, const GOptionEntry *given, const GOptionEntry *standard) {
  g_autofree char *number = NULL;
  char **list = NULL;
  switch (given->arg) {
  case G_OPTION_ARG_NONE:
    if (*(const gboolean *)given->arg_data)
      g_ptr_array_add(out, g_strdup_printf("--%s", given->long_name));
    return;
  case G_OPTION_ARG_INT:
    if (*(const int *)given->arg_data != *(const int *)standard->arg_data)
      number = g_strdup_printf("%d", *(const int *)given->arg_data);
    add_text(out, given->long_name, number);
    return;
  case G_OPTION_ARG_INT64:
    if (*(const gint64 *)given->arg_data != *(const gint64 *)standard->arg_data)
      number = g_strdup_printf("%lld", (long long)*(const gint64 *)given->arg_data);
    add_text(out, given->long_name, number);
    return;
  case G_OPTION_ARG_STRING:
  case G_OPTION_ARG_FILENAME:
    add_text(out, given->long_name, *(char *const *)given->arg_data);
    return;
  case G_OPTION_ARG_FILENAME_ARRAY:
    list = *(char **const *)given->arg_data;
    for (guint i = 0; list != NULL && list[i] != NULL; i++)
      add_text(out, given->long_name, list[i]);
    return;
  default:
    g_assert_not_reached(); /* a new kind of option of scan: it must not be lost on the way */
  }
}

static void collect_arguments(Arguments *a) {
  ScanArguments defaults;
  GOptionEntry given[SCAN_ENTRIES_MAX], standard[SCAN_ENTRIES_MAX];
  scan_arguments_init(&defaults);
  scan_arguments_list(&a->scan, given);
  scan_arguments_list(&defaults, standard);
  GPtrArray *out = g_ptr_array_new();
  for (guint i = 0; given[i].long_name != NULL; i++)
    if (!is_own(given[i].long_name))
      add_option(out, &given[i], &standard[i]);
  g_ptr_array_add(out, g_strdup("--"));
  for (guint i = 0; a->scan.scan.evidence[i] != NULL; i++)
    g_ptr_array_add(out, g_strdup(a->scan.scan.evidence[i]));
  g_ptr_array_add(out, NULL);
  a->submit.arguments = (char **)g_ptr_array_free(out, FALSE);
}

static bool check(void *user, ScanArguments *scan, int n, const char **problem) {
  const Arguments *a = user;
  SubmitOptions *submit = &((Arguments *)user)->submit;
  submit->jobs = scan->scan.jobs;
  scan->scan.jobs = MAX(scan->scan.jobs, 1);
  *problem = NULL;
  if (!a->slurm)
    *problem = "say on what with --slurm";
  else if (submit->jobs < 0 || submit->jobs > 256)
    *problem = "--jobs takes a number from 1 to 256";
  else if (scan->shard != NULL)
    *problem = "--shard is given to each job by itself; say how many with --shards N";
  else if (scan->scan.log != NULL || scan->scan.metrics != NULL)
    *problem = "--log and --metrics are of one run in one place; each shard has its own log.jsonl";
  else if (submit->nodes < 0 || submit->nodes > 10000)
    *problem = "--nodes takes a number from 1 to 10000";
  else if (submit->shards < 0 || submit->shards > 10000)
    *problem = "--shards takes a number from 1 to 10000";
  else if (submit->shard_bytes < 1)
    *problem = "--shard-bytes takes a number of bytes";
  else if (scan->resume && (n > 0 || scan->scan.evidence_list != NULL))
    *problem = "--resume submits the case again as it was: name no evidence";
  else if (scan->resume && a->dry_run)
    *problem = "--resume has nothing to write: --dry-run does not go with it";
  else if (scan->resume && scan->scan.output == NULL)
    *problem = "name the case directory with -o CASE";
  scan->is_checked = scan->resume;
  if (!scan->resume)
    scan->shard = scan->shard != NULL ? scan->shard : g_strdup("1/1"); /* a signature is refused */
  return *problem == NULL;
}

static int submit(Arguments *a) {
  if (!a->scan.resume)
    collect_arguments(a);
  a->submit.scan = &a->scan.scan;
  a->submit.dry_run = a->dry_run;
  a->submit.resume = a->scan.resume;
  return coord_submit(&a->submit);
}

int command_submit(int argc, char **argv) {
  Arguments a = {.submit = {.shard_bytes = (int64_t)(32 * GIB)}};
  const GOptionEntry entries[] = {
      {"slurm", 0, 0, G_OPTION_ARG_NONE, &a.slurm, "As jobs of a Slurm cluster (required)", NULL},
      {"nodes", 0, 0, G_OPTION_ARG_INT, &a.submit.nodes,
       "Shards at work at a time at most (default: as many as the cluster gives)", "N"},
      {"shards", 0, 0, G_OPTION_ARG_INT, &a.submit.shards, "How many (default: by bytes)", "N"},
      {"shard-bytes", 0, 0, G_OPTION_ARG_INT64, &a.submit.shard_bytes,
       "Of evidence for each shard (default 32 GiB)", "BYTES"},
      {"sbatch", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a.submit.sbatch,
       "An option for sbatch, such as --sbatch=--partition=lab; may be given often", "OPTION"},
      {"dry-run", 0, 0, G_OPTION_ARG_NONE, &a.dry_run, "Write the scripts, submit nothing", NULL},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  const ScanUsage usage = {
      .command = "submit",
      .arguments = "EVIDENCE...",
      .summary =
          "Examines evidence on a cluster: an array of shards, then their merge to the case.\n"
          "Takes the options of 'triage scan'. Evidence, rules, program and case have to be\n"
          "where all nodes see them under the same path. --resume submits a case again.",
      .more = entries,
      .check = check,
      .user = &a};
  int status = scan_arguments_parse(&a.scan, &usage, argc, argv) ? submit(&a) : EXIT_UNUSABLE;
  scan_arguments_clear(&a.scan);
  g_strfreev(a.submit.arguments);
  g_strfreev(a.submit.sbatch);
  return status;
}
