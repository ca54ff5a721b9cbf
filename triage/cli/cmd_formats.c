/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_formats.c - everything this build can read or write. */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_formats(int argc, char **argv) {
  if (argc != 1) {
    g_printerr("Usage: triage formats\nLists every image format, volume system, file system, "
               "unpacker, view and report writer, with its limits.\n");
    return strcmp(argv[1], "--help") == 0 ? EXIT_COMPLETE : EXIT_UNUSABLE;
  }
  return coord_formats();
}
