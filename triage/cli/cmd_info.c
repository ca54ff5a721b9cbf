/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_info.c - what is this evidence? */
#include "cli/commands.h"
#include "engine/coord.h"

int command_info(int argc, char **argv) {
  if (argc != 2 || command_asks_help(argc, argv))
    return command_usage(
        command_asks_help(argc, argv),
        "Usage: triage info EVIDENCE | CASE\nSays what the evidence is: container, acquisition, "
        "volumes, file systems. Examines nothing.\n"
        "Of a case directory: where every byte of each volume went.\n");
  return coord_is_case(argv[1]) ? coord_accounts(argv[1]) : coord_info(argv[1]);
}
