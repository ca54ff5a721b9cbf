/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c - where does a case stand? */
#include "cli/commands.h"
#include "engine/coord.h"

int command_status(int argc, char **argv) {
  if (argc != 2 || command_asks_help(argc, argv))
    return command_usage(
        command_asks_help(argc, argv),
        "Usage: triage status CASE\nSays where a case stands: whether it is being written and "
        "by whom, and how far each piece of evidence is.\n");
  return coord_status(argv[1]);
}
