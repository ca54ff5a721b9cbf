/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_seal.c - signs a case's manifest, asks for a time stamp, takes the answer over. */
#include "cli/commands.h"
#include "engine/coord.h"
#include "engine/coord_lock.h"
#include "engine/coord_seal.h"

static int seal(const char *dir, const SealOptions *options) {
  g_autoptr(GError) error = NULL;
  g_autoptr(CaseLock) lock = NULL;
  g_autoptr(SealKey) key = NULL;
  if (!coord_is_case(dir)) {
    g_printerr("triage seal: %s: is no case directory\n", dir);
    return EXIT_UNUSABLE;
  }
  lock = case_lock_take(dir, &error);
  bool ok =
      lock != NULL &&
      (options->key_file == NULL || (key = seal_key_read(options->key_file, &error)) != NULL) &&
      seal_case(dir, options, key, &error);
  if (ok)
    return EXIT_COMPLETE;
  g_printerr("triage seal: %s\n", error->message);
  return triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
}

int command_seal(int argc, char **argv) {
  g_autofree char *key_file = NULL, *reply_file = NULL;
  gboolean wants_stamp = FALSE;
  const GOptionEntry entries[] = {
      {"sign", 0, 0, G_OPTION_ARG_FILENAME, &key_file,
       "Sign the manifest with this private key and its certificate (one PEM file)", "KEY"},
      {"timestamp-request", 0, 0, G_OPTION_ARG_NONE, &wants_stamp,
       "Write manifest.tsq, the request for a time stamp (RFC 3161)", NULL},
      {"timestamp-reply", 0, 0, G_OPTION_ARG_FILENAME, &reply_file,
       "Take over the authority's reply to that request", "FILE"},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("CASE");
  g_option_context_set_summary(context,
                               "Seals the manifest of a finished case; speaks to no network.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage seal: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc != 2 || (key_file == NULL && !wants_stamp && reply_file == NULL)) {
    g_printerr("triage seal: name one case directory, and --sign, --timestamp-request or "
               "--timestamp-reply\n");
    return EXIT_UNUSABLE;
  }
  const SealOptions options = {key_file, wants_stamp, reply_file};
  return seal(argv[1], &options);
}
