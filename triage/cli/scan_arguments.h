/* SPDX-License-Identifier: Apache-2.0 */
/* scan_arguments.h - the options of 'triage scan', which other commands that scan take too. */
#pragma once
#include "engine/coord.h"

typedef struct {
  ScanOptions scan;
  char *shard, *areas, *progress;
  gboolean wants_stamp, resume, hash_all, entries, quiet, verbose, no_prefilter;
  bool is_checked; /* by the command itself, which needs no evidence: nothing else is */
} ScanArguments;

enum { SCAN_ENTRIES_MAX = 40 };

typedef struct {
  const char *command, *arguments, *summary; /* for messages and --help */
  const GOptionEntry *more;                  /* options of that command alone; NULL: none */
  const char *const
      *unfit; /* long names of scan's that it refuses: not told by --help; NULL: none */
  /* What the command has against the options, before they are checked as a scan's; n: pieces of
   * evidence. NULL: nothing. --jobs is 0 there where it was not given. */
  bool (*check)(void *user, ScanArguments *a, int n, const char **problem);
  void *user;
} ScanUsage;

/* False: what is wrong has been said. To be cleared in either case. */
bool scan_arguments_parse(ScanArguments *a, const ScanUsage *usage, int argc, char **argv);
void scan_arguments_clear(ScanArguments *a);
void scan_arguments_init(ScanArguments *a); /* the defaults */
/* The options, each pointing into a; ends with an empty one. */
void scan_arguments_list(ScanArguments *a, GOptionEntry entries[SCAN_ENTRIES_MAX]);
