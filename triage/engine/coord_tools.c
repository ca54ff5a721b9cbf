/* SPDX-License-Identifier: Apache-2.0 */
/* coord_tools.c - the commands that ask one worker one question: info, check-rules, formats,
 * versions. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include "engine/coord_versions.h"
#include "reports/reports.h"
#include <jansson.h>
#include <libfyaml.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>

static int fail(const GError *error) {
  g_printerr("triage: %s\n", error->message);
  return triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
}

int coord_info(const char *path) {
  g_autoptr(GError) error = NULL;
  ProcessSetup setup = {.role = "examine", .evidence = path, .spool_fd = -1};
  g_autoptr(Probe) probe = probe_new(&setup, &error);
  if (probe == NULL)
    return fail(error);
  if (probe->error != NULL)
    return fail(probe->error);
  g_autofree char *shown = text_printable(path, strlen(path));
  g_print("evidence: %s\nkind: %s\n", shown, probe->kind);
  if (*probe->format != '\0')
    g_print("format: %s\nmedia bytes: %llu\nsector bytes: %llu\n", probe->format,
            (unsigned long long)probe->media_bytes, (unsigned long long)probe->sector_bytes);
  for (guint i = 0; i < probe->segments->len; i++)
    g_print("segment %u: %s (%llu bytes)\n", i + 1, (char *)probe->segments->pdata[i],
            (unsigned long long)g_array_index(probe->segment_bytes, uint64_t, i));
  if (*probe->stored_md5 != '\0')
    g_print("stored MD5: %s\n", probe->stored_md5);
  if (*probe->stored_sha1 != '\0')
    g_print("stored SHA-1: %s\n", probe->stored_sha1);
  for (guint i = 0; i + 1 < probe->properties->len; i += 2)
    g_print("%s: %s\n", (char *)probe->properties->pdata[i],
            (char *)probe->properties->pdata[i + 1]);
  for (guint i = 0; i < probe->volumes->len; i++) {
    const ProbeVolume *volume = probe->volumes->pdata[i];
    g_print("volume %u: offset %llu, length %llu, file system %s%s%s\n", volume->no,
            (unsigned long long)volume->offset, (unsigned long long)volume->length,
            *volume->fs_type != '\0' ? volume->fs_type : "none that can be read",
            *volume->description != '\0' ? ", " : "", volume->description);
  }
  for (guint i = 0; i < probe->problems->len; i++)
    g_print("problem: %s\n", (char *)probe->problems->pdata[i]);
  for (guint i = 0; i < probe->gaps->len; i++) {
    const StoredGap *gap = probe->gaps->pdata[i];
    g_print("not examinable (volume %u): %s: %s\n", gap->gap.volume,
            triage_reason_name(gap->gap.reason), gap->detail);
  }
  return probe->gaps->len > 0 || probe->problems->len > 0 ? EXIT_INCOMPLETE : EXIT_COMPLETE;
}

/* Hears a worker out; take is called for every message before DONE. */
static bool hear(Process *process, bool (*take)(void *user, MessageType type, GVariant *message),
                 void *user, GError **error) {
  for (;;) {
    MessageType type;
    g_autoptr(GVariant) message =
        process_receive(process, LIMIT_TIMEOUT_SECONDS_DEFAULT, &type, error);
    if (message == NULL)
      return false;
    if (type == MSG_DONE)
      return true;
    if (type == MSG_ERROR)
      return process_take_error(message, error);
    if (!take(user, type, message))
      return triage_fail(error, TRIAGE_REASON_INTERNAL, "a worker sent a wrong answer");
  }
}

/* Asks a worker of the given role. */
static bool ask(const char *role, const GPtrArray *rules,
                bool (*take)(void *user, MessageType type, GVariant *message), void *user,
                GError **error) {
  ProcessSetup setup = {.role = role, .evidence = "", .rules = rules, .spool_fd = -1};
  g_autoptr(Process) process = process_new(&setup, error);
  return process != NULL && hear(process, take, user, error);
}

/* What is known of each rule: of interest to those who write rules, and asked for with -v. */
static bool print_proof(bool is_wanted, GVariant *message) {
  const char *rule, *sentence;
  g_variant_get(message, "(&s&s)", &rule, &sentence);
  if (!text_is_printable(rule) || !text_is_printable(sentence))
    return false;
  if (is_wanted)
    g_print("%s%s: %s\n", *rule != '\0' ? "rule " : "prefilter", rule, sentence);
  return true;
}

static bool print_rule_message(void *user, MessageType type, GVariant *message) {
  const char *file, *what;
  uint32_t line;
  gboolean is_warning;
  if (type == MSG_RULE_PROOF)
    return print_proof(*(const bool *)user, message);
  if (type != MSG_RULE_MESSAGE)
    return false;
  g_variant_get(message, "(&sub&s)", &file, &line, &is_warning, &what);
  g_print("%s:%u: %s: %s\n", file, line, is_warning ? "warning" : "error", what);
  return true;
}

/* A profile is told by its name's end: rules have no fixed one. */
static bool is_profile(const char *path) {
  return g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml");
}

static bool check_profile(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) text = io_read_file(path, LIMIT_RULE_BYTES, &error);
  g_autoptr(ProfileSet) set = NULL;
  if (text != NULL) {
    g_autofree char *copy = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
    set = profile_set_parse(path, copy, &error);
  }
  if (set == NULL)
    g_print("%s\n", error->message);
  return set != NULL;
}

int coord_check_rules(char **files, bool is_verbose) {
  g_autoptr(GPtrArray) rules = g_ptr_array_new();
  bool ok = true;
  for (guint i = 0; files[i] != NULL; i++) {
    if (is_profile(files[i]))
      ok = check_profile(files[i]) && ok;
    else
      g_ptr_array_add(rules, files[i]);
  }
  if (rules->len > 0) {
    g_autoptr(GError) error = NULL;
    g_ptr_array_add(rules, NULL);
    g_autoptr(GPtrArray) inputs = inputs_read_rules((char **)rules->pdata, &error);
    if (inputs == NULL || !ask("rules", inputs, print_rule_message, &is_verbose, &error))
      return fail(error);
  }
  return ok ? EXIT_COMPLETE : EXIT_UNUSABLE;
}

typedef struct {
  GPtrArray *lines;
  GString *formats;
} Lines;

/* Of what a worker sends nothing but printable text gets into the store. */
static void keep_row(GString *formats, GVariant *message) {
  const char *stage, *name, *title, *spec, *library, *limitations, *why_not;
  gboolean available;
  g_variant_get(message, "(&s&s&s&s&s&sb&s)", &stage, &name, &title, &spec, &library, &limitations,
                &available, &why_not);
  g_autofree char *not = g_strconcat("not available: ", why_not, NULL);
  const char *const fields[] = {stage, name, title, available ? limitations : not };
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autofree char *shown = text_printable(fields[i], strlen(fields[i]));
    g_string_append_printf(formats, "%s%s", i > 0 ? "\t" : formats->len > 0 ? "\n" : "", shown);
  }
}

static bool take_version(void *user, MessageType type, GVariant *message) {
  const char *name, *version;
  if (type == MSG_ROW && ((Lines *)user)->formats != NULL)
    keep_row(((Lines *)user)->formats, message);
  if (type != MSG_VERSION)
    return type == MSG_ROW;
  g_variant_get(message, "(&s&s)", &name, &version);
  g_ptr_array_add(((Lines *)user)->lines, g_strdup_printf("%s %s", name, version));
  return true;
}

static int compare_lines(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

Process *versions_ask(GError **error) {
  ProcessSetup setup = {.role = "formats", .evidence = "", .spool_fd = -1};
  return process_new(&setup, error);
}

char *versions_text(Process *asked, GString *formats, GError **error) {
  Lines lines = {g_ptr_array_new_with_free_func(g_free), formats};
  g_ptr_array_add(lines.lines, g_strdup_printf("glib %u.%u.%u", glib_major_version,
                                               glib_minor_version, glib_micro_version));
  g_ptr_array_add(lines.lines, g_strdup_printf("jansson %s", jansson_version_str()));
  g_ptr_array_add(lines.lines, g_strdup_printf("libfyaml %s", fy_library_version()));
  g_ptr_array_add(lines.lines,
                  g_strdup_printf("openssl %s", OpenSSL_version(OPENSSL_VERSION_STRING)));
  g_ptr_array_add(lines.lines, g_strdup_printf("sqlite %s", sqlite3_libversion()));
  bool ok = asked != NULL && hear(asked, take_version, &lines, error);
  g_ptr_array_sort(lines.lines, compare_lines);
  g_ptr_array_add(lines.lines, NULL);
  char *text = g_strjoinv("\n", (char **)lines.lines->pdata);
  g_ptr_array_unref(lines.lines);
  (void)ok;
  return text;
}

int coord_versions(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Process) asked = versions_ask(&error);
  g_autofree char *text = versions_text(asked, NULL, asked != NULL ? &error : NULL);
  g_print("triage %s\n%s\n%s\n", TRIAGE_VERSION, BUILD_ID, text);
  return error != NULL ? fail(error) : EXIT_COMPLETE;
}

static void print_row(const char *stage, const char *name, const char *title, const char *library,
                      const char *limitations, bool available, const char *why_not) {
  g_print("%-11s %-12s %s%s%s\n", stage, name, title, *library != '\0' ? ", by " : "", library);
  if (available)
    g_print("%24s limitations: %s\n", "", limitations);
  else
    g_print("%24s NOT available: %s\n", "", why_not);
}

static bool take_row(void *user, MessageType type, GVariant *message) {
  (void)user;
  const char *stage, *name, *title, *spec, *library, *limitations, *why_not;
  gboolean available;
  if (type != MSG_ROW)
    return type == MSG_VERSION;
  g_variant_get(message, "(&s&s&s&s&s&sb&s)", &stage, &name, &title, &spec, &library, &limitations,
                &available, &why_not);
  print_row(stage, name, title, library, limitations, available, why_not);
  return true;
}

int coord_formats(void) {
  g_autoptr(GError) error = NULL;
  if (!ask("formats", NULL, take_row, NULL, &error))
    return fail(error);
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  for (size_t i = 0; i < n; i++) {
    const Row *row = &writers[i]->row;
    print_row(row->stage, row->name, row->title, row->library, row->limitations, row->available,
              row->why_not != NULL ? row->why_not : "");
  }
  return EXIT_COMPLETE;
}
