/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c - where does a case stand? */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_status(int argc, char **argv) {
  if (argc != 2 || strcmp(argv[1], "--help") == 0) {
    g_printerr(
        "Usage: triage status CASE\nSays where a case stands: whether it is being written and "
        "by whom, and how far each piece of evidence is.\n");
    return argc == 2 ? EXIT_COMPLETE : EXIT_UNUSABLE;
  }
  return coord_status(argv[1]);
}
