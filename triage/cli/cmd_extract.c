/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_extract.c - copies of hit objects, safely packed. */
#include "cli/commands.h"
#include "engine/coord.h"
#include <string.h>

int command_extract(int argc, char **argv) {
  g_autofree char *output = NULL, *password_file = NULL;
  g_auto(GStrv) evidence = NULL;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The archive to write (required)",
       "FILE.zip"},
      {"evidence", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &evidence,
       "Where the evidence is now, once for each piece in the order of the scan (default: where it "
       "was)",
       "PATH"},
      {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &password_file,
       "The passwords the scan was given", "FILE"},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("CASE HIT_ID...");
  g_option_context_set_summary(
      context,
      "Copies the objects of hits out of the evidence into a zip archive encrypted with the\n"
      "password \"infected\". Files are named after their hits; index.tsv in it tells what\n"
      "they are.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage extract: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc < 3 || output == NULL) {
    g_printerr("triage extract: name a case directory, at least one hit, and -o FILE.zip\n");
    return EXIT_UNUSABLE;
  }
  const ExtractOptions options = {.case_dir = argv[1],
                                  .hits = argv + 2,
                                  .output = output,
                                  .evidence = evidence,
                                  .password_file = password_file};
  return coord_extract(&options);
}
