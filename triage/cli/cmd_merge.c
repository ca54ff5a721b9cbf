/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_merge.c - shards to a case. */
#include "cli/commands.h"
#include "engine/coord.h"

int command_merge(int argc, char **argv) {
  g_autofree char *output = NULL;
  g_auto(GStrv) benign = NULL;
  gboolean quiet = FALSE;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Case directory to make (required)",
       "CASE"},
      {"benign", 'b', 0, G_OPTION_ARG_FILENAME_ARRAY, &benign,
       "Site profiles of the scan, where they are no longer where they were", "FILE"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Errors only", NULL},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autofree char *command_line = g_strjoinv(" ", argv);
  g_autofree char *said = g_strconcat("triage ", command_line, NULL);
  g_autoptr(GOptionContext) context = g_option_context_new("SHARD...");
  g_option_context_set_summary(context,
                               "Joins the cases that 'triage scan --shard K/N' made, all of 1 to N "
                               "in any order, to the one that a scan without --shard makes.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage merge: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc < 2 || output == NULL) {
    g_printerr("triage merge: name the case directory to make with -o CASE, and the shards\n");
    return EXIT_UNUSABLE;
  }
  g_autofree char *shown = g_utf8_make_valid(said, -1);
  MergeOptions options = {.output = output,
                          .shards = argv + 1,
                          .benign = benign,
                          .command_line = shown,
                          .quiet = quiet};
  return coord_merge(&options);
}
