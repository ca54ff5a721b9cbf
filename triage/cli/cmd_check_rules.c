/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check_rules.c - are these rules and profiles right? */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_check_rules(int argc, char **argv) {
  bool is_verbose = argc >= 2 && (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--verbose") == 0);
  int first = is_verbose ? 2 : 1;
  bool is_help = command_asks_help(argc - first + 1, argv + first - 1);
  if (argc <= first || is_help)
    return command_usage(
        is_help,
        "Usage: triage check-rules [-v] FILE...\nCompiles YARA rules and benign profiles (*.yaml) "
        "and says what is wrong, with file and line; -v: also what the prefilter proves of each "
        "rule.\n");
  return coord_check_rules(argv + first, is_verbose);
}
