/* SPDX-License-Identifier: Apache-2.0 */
/* scan_arguments.h - the options of 'triage scan', which other commands that scan take too. */
#pragma once
#include "engine/coord.h"

typedef struct {
  ScanOptions scan;
  char *shard, *areas, *progress;
  gboolean wants_stamp, resume, hash_all, entries, quiet, verbose, no_prefilter;
} ScanArguments;

typedef struct {
  const char *command, *arguments, *summary; /* for messages and --help */
  const GOptionEntry *more;                  /* options of that command alone; NULL: none */
} ScanUsage;

/* False: what is wrong has been said. To be cleared in either case. */
bool scan_arguments_parse(ScanArguments *a, const ScanUsage *usage, int argc, char **argv);
void scan_arguments_clear(ScanArguments *a);
