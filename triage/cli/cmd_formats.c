/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_formats.c - everything this build can read or write. */
#include "cli/commands.h"
#include "engine/coord.h"

int command_formats(int argc, char **argv) {
  if (argc != 1)
    return command_usage(
        command_asks_help(argc, argv),
        "Usage: triage formats\nLists every image format, volume system, file system, "
        "unpacker, view and report writer, with its limits.\n");
  return coord_formats();
}
