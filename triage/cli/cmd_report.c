/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report.c - renders a case again from its store. */
#include "base/text.h"
#include "cli/commands.h"
#include "engine/coord.h"
#include "engine/coord_lock.h"
#include "engine/coord_seal.h"
#include "reports/notes.h"
#include "reports/reports.h"
#include <string.h>

static int check_case(const char *dir, CaseLock **lock, Store **store) {
  g_autoptr(GError) error = NULL;
  if (coord_is_case(dir) && (*lock = case_lock_take(dir, &error)) == NULL) {
    g_printerr("triage report: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  *store = store_open(dir, true, &error);
  if (*store == NULL) {
    g_printerr("triage report: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (coord_is_finished(*store, dir, &error))
    return EXIT_COMPLETE;
  g_printerr("triage report: %s\n", error->message);
  return EXIT_UNUSABLE;
}

static int notes_failed(Store *store, const GError *error) {
  store_rollback(store);
  g_printerr("triage report: %s\n", error->message);
  return triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
}

/* A file of notes that does not fit is said before anything is written: all of them or none. */
static int merge_notes(Store *store, char **files) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) said = g_string_new(NULL);
  if (files == NULL)
    return EXIT_COMPLETE;
  if (!store_begin(store, &error))
    return notes_failed(store, error);
  for (guint i = 0; files[i] != NULL; i++) {
    unsigned taken, left_out;
    if (!notes_merge(store, files[i], &taken, &left_out, &error))
      return notes_failed(store, error);
    g_autofree char *shown = text_printable(files[i], strlen(files[i]));
    g_string_append_printf(
        said, "triage report: %s: %u notes taken, %u left out because the case has no such hit\n",
        shown, taken, left_out);
  }
  if (!store_commit(store, &error))
    return notes_failed(store, error);
  g_printerr("%s", said->str);
  return EXIT_COMPLETE;
}

int command_report(int argc, char **argv) {
  g_autofree char *format = NULL, *key_file = NULL;
  gboolean wants_stamp = FALSE;
  g_auto(GStrv) notes = NULL;
  const GOptionEntry entries[] = {
      {"format", 0, 0, G_OPTION_ARG_STRING, &format,
       "Only these: html, csv, jsonl, ... ('triage formats' lists them)", "LIST"},
      {"sign", 0, 0, G_OPTION_ARG_FILENAME, &key_file,
       "Sign the new manifest with this private key and its certificate (one PEM file)", "KEY"},
      {"timestamp-request", 0, 0, G_OPTION_ARG_NONE, &wants_stamp,
       "Write a request for a time stamp over the new manifest", NULL},
      {"notes", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &notes,
       "Merge the notes that report.html saved into the case (repeatable)", "FILE"},
      {NULL, 0, 0, 0, NULL, NULL, NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("CASE");
  g_option_context_set_summary(context,
                               "Writes the reports of a case again, from its store alone.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage report: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  if (argc != 2) {
    g_printerr("triage report: name one case directory\n");
    return EXIT_UNUSABLE;
  }
  const SealOptions seals = {key_file, wants_stamp, NULL};
  g_autoptr(SealKey) key = NULL;
  if (key_file != NULL && (key = seal_key_read(key_file, &error)) == NULL) {
    g_printerr("triage report: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  g_autoptr(CaseLock) lock = NULL;
  g_autoptr(Store) store = NULL;
  g_auto(GStrv) formats = format != NULL ? g_strsplit(format, ",", -1) : NULL;
  if (!reports_check_formats((const char *const *)formats, &error)) {
    g_printerr("triage report: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  int status = check_case(argv[1], &lock, &store);
  if (status == EXIT_COMPLETE)
    status = merge_notes(store, notes);
  if (status != EXIT_COMPLETE)
    return status;
  if (!reports_render(store, argv[1], (const char *const *)formats, &error) ||
      !seal_case(argv[1], &seals, key, &error)) {
    g_printerr("triage report: %s\n", error->message);
    return triage_error_reason(error) == TRIAGE_REASON_USAGE ? EXIT_UNUSABLE : EXIT_STOPPED;
  }
  return EXIT_COMPLETE;
}
