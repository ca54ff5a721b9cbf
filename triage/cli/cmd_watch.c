/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watch.c - the options of 'triage watch': those of scan, and its own. */
#include "cli/commands.h"
#include "cli/scan_arguments.h"
#include <string.h>

enum { SECONDS_MAX = 10 * 365 * 86400 };

/* NULL: nothing. */
static const char *problem_of(const ScanArguments *a, const WatchOptions *watch) {
  if (a->scan.evidence_list != NULL || a->scan.evidence[0] == NULL || a->scan.evidence[1] != NULL)
    return "name one folder to watch";
  if (a->scan.resume || a->scan.shards > 0)
    return "--resume and --shard are options of scan alone; a stopped case is gone on with anyway";
  if (watch->interval < 1 || watch->interval > SECONDS_MAX)
    return "--interval takes seconds from 1 on";
  if (watch->settle < 0 || watch->settle > SECONDS_MAX || watch->patience < 0 ||
      watch->patience > SECONDS_MAX)
    return "--settle and --patience take seconds from 0 on";
  return NULL;
}

int command_watch(int argc, char **argv) {
  WatchOptions watch = {.interval = 10, .settle = 60, .patience = 86400};
  gboolean needs_marker = FALSE, is_once = FALSE;
  const GOptionEntry more[] = {
      {"interval", 0, 0, G_OPTION_ARG_INT, &watch.interval,
       "Between two looks at the folder (default 10)", "SECONDS"},
      {"settle", 0, 0, G_OPTION_ARG_INT, &watch.settle,
       "How long no file of an image may change before it is taken (default 60)", "SECONDS"},
      {"patience", 0, 0, G_OPTION_ARG_INT, &watch.patience,
       "How long to wait for segments that are missing; then it is taken as it is (default 86400)",
       "SECONDS"},
      {"marker", 0, 0, G_OPTION_ARG_NONE, &needs_marker,
       "Take only what has a file NAME.done beside it", NULL},
      {"once", 0, 0, G_OPTION_ARG_NONE, &is_once, "End when what is there now is done", NULL},
      {NULL, 0, 0, 0, NULL, NULL, NULL},
  };
  static const char *const UNFIT[] = {"resume", "shard", "evidence-list", NULL};
  const ScanUsage usage = {.command = "watch",
                           .arguments = "DIR",
                           .summary = "Scans each image that arrives in a folder, into a case of "
                                      "its own below CASE.",
                           .unfit = UNFIT,
                           .more = more};
  ScanArguments arguments;
  int status = EXIT_UNUSABLE;
  if (scan_arguments_parse(&arguments, &usage, argc, argv)) {
    const char *problem = problem_of(&arguments, &watch);
    watch.needs_marker = needs_marker;
    watch.is_once = is_once;
    watch.scan = &arguments.scan;
    watch.folder = arguments.scan.evidence[0];
    arguments.scan.no_links = true;
    if (problem != NULL)
      g_printerr("triage watch: %s\n", problem);
    else
      status = coord_watch(&watch);
  }
  scan_arguments_clear(&arguments);
  return status;
}
