/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_index_known.c - a list of known files, sorted once for many scans. */
#include "cli/commands.h"
#include "engine/coord.h"

int command_index_known(int argc, char **argv) {
  g_autofree char *output = NULL;
  const GOptionEntry entries[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
                                   "Index to write (required); takes the place of an old one",
                                   "FILE"},
                                  {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("LIST");
  g_option_context_set_summary(
      context, "Makes an index of a list of known files (one digest a line, NSRL's text form or "
               "its RDS in SQLite, hashdeep), so that 'scan --known FILE' need not.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage index-known: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc != 2 || output == NULL) {
    g_printerr("triage index-known: name one list, and the index to write with -o FILE\n");
    return EXIT_UNUSABLE;
  }
  return coord_index_known(argv[1], output);
}
