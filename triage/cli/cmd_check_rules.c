/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check_rules.c - are these rules and profiles right? */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_check_rules(int argc, char **argv) {
  if (argc < 2 || strcmp(argv[1], "--help") == 0) {
    g_printerr(
        "Usage: triage check-rules FILE...\nCompiles YARA rules and benign profiles (*.yaml) "
        "and says what is wrong, with file and line.\n");
    return argc >= 2 ? EXIT_COMPLETE : EXIT_UNUSABLE;
  }
  return coord_check_rules(argv + 1);
}
