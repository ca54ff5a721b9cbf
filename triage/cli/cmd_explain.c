/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c - why this verdict? */
#include "cli/commands.h"
#include "engine/coord.h"

int command_explain(int argc, char **argv) {
  if (argc != 3 || command_asks_help(argc, argv))
    return command_usage(
        command_asks_help(argc, argv),
        "Usage: triage explain CASE HIT_ID\nPrints the grounds for and against the verdict "
        "on one hit of hits.csv, and what was read in its text.\n");
  return coord_explain(argv[1], argv[2]);
}
