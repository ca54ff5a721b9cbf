/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c - why this verdict? */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_explain(int argc, char **argv) {
  bool is_help = argc >= 2 && strcmp(argv[1], "--help") == 0;
  if (argc != 3 || is_help) {
    g_printerr("Usage: triage explain CASE HIT_ID\nPrints the grounds for and against the verdict "
               "on one hit of hits.csv, and what was read in its text.\n");
    return is_help ? EXIT_COMPLETE : EXIT_UNUSABLE;
  }
  return coord_explain(argv[1], argv[2]);
}
