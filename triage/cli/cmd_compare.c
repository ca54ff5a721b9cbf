/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_compare.c - cases side by side. */
#include "cli/commands.h"
#include "engine/coord.h"
#include "store/across.h"

int command_compare(int argc, char **argv) {
  g_autofree char *output = NULL;
  gboolean quiet = FALSE;
  int least = ACROSS_LEAST;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Directory to make (required)", "DIR"},
      {"similarity", 0, 0, G_OPTION_ARG_INT, &least,
       "Score from which contents are similar, 1 to 100 as ssdeep gives it (default 80)", "N"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Errors only", NULL},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("CASE...");
  g_option_context_set_summary(
      context,
      "Writes across.html and across.csv: the same content, similar content, mail servers,\n"
      "recipients, user names and passwords that the hits of one or many cases have in\n"
      "common, on how many exhibits, and when each was first seen. Cases are only read.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage compare: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc < 2 || output == NULL) {
    g_printerr("triage compare: name the directory to make with -o DIR, and the cases\n");
    return EXIT_UNUSABLE;
  }
  if (least < 1 || least > 100) {
    g_printerr("triage compare: --similarity is a number from 1 to 100\n");
    return EXIT_UNUSABLE;
  }
  const CompareOptions options = {output, argv + 1, least, quiet};
  return coord_compare(&options);
}
