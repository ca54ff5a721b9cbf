/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c - does a case still hold? */
#include "cli/commands.h"
#include "engine/coord.h"
#include <glib.h>

int command_verify(int argc, char **argv) {
  g_autofree char *password_file = NULL, *signers = NULL, *authorities = NULL;
  g_auto(GStrv) rules = NULL, evidence = NULL;
  gint jobs = (gint)g_get_num_processors();
  const GOptionEntry entries[] = {
      {"evidence", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &evidence,
       "Where the evidence is now, once for each piece in the order of the scan (default: where it "
       "was)",
       "PATH"},
      {"rules", 'r', 0, G_OPTION_ARG_FILENAME_ARRAY, &rules,
       "Where the rules are now (default: where they were)", "FILE"},
      {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &password_file,
       "The passwords the scan was given", "FILE"},
      {"verify-signature", 0, 0, G_OPTION_ARG_FILENAME, &signers,
       "The manifest must be signed; by a certificate of this PEM file or one issued by it",
       "CERT"},
      {"verify-timestamp", 0, 0, G_OPTION_ARG_FILENAME, &authorities,
       "The manifest must bear a time stamp; of an authority of this PEM file", "CERT"},
      {"jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, "Worker processes at once", "N"},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("CASE");
  g_option_context_set_summary(
      context, "Holds every file of a case against its manifest and its store, the rules and the\n"
               "evidence against their recorded digests, and reads every hit again.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage verify: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc != 2 || jobs < 1 || jobs > 1024) {
    g_printerr("triage verify: name one case directory, and 1 to 1024 for --jobs\n");
    return EXIT_UNUSABLE;
  }
  const VerifyOptions options = {.case_dir = argv[1],
                                 .evidence = evidence,
                                 .rules = rules,
                                 .password_file = password_file,
                                 .signers = signers,
                                 .authorities = authorities,
                                 .jobs = jobs};
  return coord_verify(&options);
}
