/* SPDX-License-Identifier: Apache-2.0 */
/* reports_seal.c - the manifest's ties to what came before it: the action log as far as it went,
 * and the manifest it takes the place of. A manifest that was signed or time-stamped is kept. */
#include "reports/reports_seal.h"
#include "base/actionlog.h"
#include "base/io.h"
#include "base/limits.h"
#include "reports/reports.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The parts of a manifest, sealed or not: manifest.sha256 ... */
static const char *const PARTS[] = {"sha256", "json", "p7s", "tsq", "tsr"};
enum { SEALS_FROM = 2, KEPT_MAX = 10000 };

bool reports_is_seal(const char *name) {
  if (!g_str_has_prefix(name, "manifest."))
    return false;
  const char *rest = name + strlen("manifest.");
  bool is_kept = g_ascii_isdigit(*rest);
  while (g_ascii_isdigit(*rest))
    rest++;
  if (is_kept && *rest++ != '.')
    return false;
  for (gsize i = is_kept ? 0 : SEALS_FROM; i < G_N_ELEMENTS(PARTS); i++)
    if (strcmp(rest, PARTS[i]) == 0)
      return true;
  return false;
}

static char *part_path(const char *dir, guint number, const char *part) {
  g_autofree char *name = number > 0 ? g_strdup_printf("manifest.%u.%s", number, part)
                                     : g_strdup_printf("manifest.%s", part);
  return g_build_filename(dir, name, NULL);
}

static bool exists(const char *dir, guint number, const char *part) {
  g_autofree char *path = part_path(dir, number, part);
  return access(path, F_OK) == 0;
}

static bool keep_parts(const char *dir, guint number, GError **error) {
  for (gsize i = 0; i < G_N_ELEMENTS(PARTS); i++) {
    g_autofree char *from = part_path(dir, 0, PARTS[i]), *to = part_path(dir, number, PARTS[i]);
    if (rename(from, to) != 0 && errno != ENOENT)
      return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be renamed: %s", from,
                         g_strerror(errno));
  }
  return true;
}

bool reports_keep_sealed(const char *dir, Supersedes *out, GError **error) {
  *out = (Supersedes){0};
  if (!exists(dir, 0, "sha256"))
    return true;
  if (!reports_digest_file(dir, "manifest.sha256", out->sha256, error))
    return false;
  bool is_sealed = false;
  for (gsize i = SEALS_FROM; i < G_N_ELEMENTS(PARTS); i++)
    is_sealed = is_sealed || exists(dir, 0, PARTS[i]);
  if (!is_sealed)
    return true;
  out->number = 1;
  while (out->number < KEPT_MAX && exists(dir, out->number, "sha256"))
    out->number++;
  return keep_parts(dir, out->number, error);
}

json_t *reports_pin_log(const char *dir) {
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  g_auto(ActionLogState) state = {0};
  if (!action_log_check(path, UINT64_MAX, &state, NULL))
    return json_null();
  /* The manifest will be on the disk: what it speaks of has to be as well. */
  auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || fdatasync(fd) != 0)
    return json_null();
  json_t *pin = json_object();
  json_object_set_new(pin, "lines", json_integer((json_int_t)state.lines));
  json_object_set_new(pin, "bytes", json_integer((json_int_t)state.bytes));
  json_object_set_new(pin, "sha256", json_string(state.sha256));
  return pin;
}

bool reports_log(const char *dir, const char *event, const char *const *fields, GError **error) {
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  return action_log_write(path, event, fields, error);
}

/* The last manifest that the log tells of is the one that is there: what was written anew by
 * another hand, or left out of it, is not told. */
static void check_told(const char *dir, GPtrArray *problems) {
  static const char EVENT[] = ",\"event\":\"manifest-written\",\"sha256\":\"";
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  g_autoptr(GBytes) log = io_read_file(path, LIMIT_LOG_BYTES, NULL);
  char sha256[65];
  gsize n = 0;
  const char *text = log != NULL ? g_bytes_get_data(log, &n) : NULL;
  const char *told = text != NULL ? g_strrstr_len(text, (gssize)n, EVENT) : NULL;
  if (told == NULL)
    g_ptr_array_add(problems, g_strdup(ACTION_LOG_NAME ": does not tell of a manifest"));
  else if (reports_digest_file(dir, "manifest.sha256", sha256, NULL) &&
           ((gsize)(text + n - told) < sizeof EVENT + 64 ||
            memcmp(told + sizeof EVENT - 1, sha256, 64) != 0))
    g_ptr_array_add(problems, g_strdup("manifest.sha256: is not the one that " ACTION_LOG_NAME
                                       " tells of last"));
}

/* The digest that a list of digests gives for a name, into sha256. */
static bool find_listed(const char *path, const char *name, char sha256[65]) {
  g_autoptr(GBytes) bytes = io_read_file(path, MANIFEST_BYTES_MAX, NULL);
  gsize n = 0;
  const char *data = bytes != NULL ? g_bytes_get_data(bytes, &n) : NULL;
  g_autofree char *text = g_strndup(data != NULL ? data : "", n);
  g_autofree char *wanted = g_strdup_printf("  %s\n", name);
  const char *at = strstr(text, wanted);
  if (at == NULL || at - text < 64)
    return false;
  g_strlcpy(sha256, at - 64, 65);
  return true;
}

/* A manifest that was sealed and kept is the one that the log says was superseded, and its two
 * parts belong together. */
static void check_one_kept(const char *dir, guint number, const char *told, GPtrArray *problems) {
  char sha256[65], listed[65];
  g_autofree char *sums = g_strdup_printf("manifest.%u.sha256", number);
  g_autofree char *json = g_strdup_printf("manifest.%u.json", number);
  g_autofree char *path = g_build_filename(dir, sums, NULL);
  if (told == NULL)
    g_ptr_array_add(problems, g_strdup_printf("%s: " ACTION_LOG_NAME " does not tell that it was "
                                              "kept",
                                              sums));
  else if (!reports_digest_file(dir, sums, sha256, NULL))
    g_ptr_array_add(
        problems,
        g_strdup_printf("%s: was kept, as " ACTION_LOG_NAME " tells, and cannot be read", sums));
  else if (strncmp(told, sha256, 64) != 0)
    g_ptr_array_add(
        problems,
        g_strdup_printf("%s: is not the one that " ACTION_LOG_NAME " tells was kept", sums));
  else if (!find_listed(path, "manifest.json", listed) ||
           !reports_digest_file(dir, json, sha256, NULL) || strcmp(listed, sha256) != 0)
    g_ptr_array_add(problems, g_strdup_printf("%s: is not the one of %s", json, sums));
}

static void check_kept(const char *dir, GPtrArray *problems) {
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  g_autoptr(GBytes) log = io_read_file(path, LIMIT_LOG_BYTES, NULL);
  gsize n = 0;
  const char *text = log != NULL ? g_bytes_get_data(log, &n) : NULL;
  for (guint number = 1; number < KEPT_MAX; number++) {
    g_autofree char *said = g_strdup_printf("\",\"kept_as\":\"manifest.%u.*\"", number);
    const char *told = text != NULL ? g_strstr_len(text, (gssize)n, said) : NULL;
    bool is_there = exists(dir, number, "sha256") || exists(dir, number, "json");
    if (told == NULL && !is_there)
      return;
    check_one_kept(dir, number, told != NULL && told - text >= 64 ? told - 64 : NULL, problems);
  }
}

static void check_pin(const char *dir, json_t *pin, GPtrArray *problems) {
  g_autofree char *path = g_build_filename(dir, ACTION_LOG_NAME, NULL);
  json_int_t lines = json_integer_value(json_object_get(pin, "lines"));
  json_int_t bytes = json_integer_value(json_object_get(pin, "bytes"));
  const char *sha256 = json_string_value(json_object_get(pin, "sha256"));
  g_auto(ActionLogState) state = {0};
  g_autoptr(GError) error = NULL;
  if (sha256 == NULL || lines < 0 || bytes < 0)
    g_ptr_array_add(problems, g_strdup("manifest.json: does not say how far the log went"));
  else if (!action_log_check(path, (uint64_t)bytes, &state, &error))
    g_ptr_array_add(problems,
                    g_strdup_printf(ACTION_LOG_NAME ": cannot be read: %s", error->message));
  else if (state.broken_line > 0)
    g_ptr_array_add(problems, g_strdup_printf(ACTION_LOG_NAME ": line %llu %s",
                                              (unsigned long long)state.broken_line, state.why));
  else if (state.lines < (uint64_t)lines)
    g_ptr_array_add(problems,
                    g_strdup_printf(ACTION_LOG_NAME
                                    ": line %llu is missing, the manifest knows of %lld lines",
                                    (unsigned long long)state.lines + 1, (long long)lines));
  else if (strcmp(state.sha256, sha256) != 0)
    g_ptr_array_add(problems,
                    g_strdup_printf(ACTION_LOG_NAME ": its first %lld lines are not those that the "
                                                    "manifest records",
                                    (long long)lines));
  else
    check_told(dir, problems);
}

bool reports_check_log(const char *dir, GPtrArray *problems) {
  g_autofree char *path = g_build_filename(dir, "manifest.json", NULL);
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  json_t *pin = json_object_get(root, "log");
  bool has_log = pin != NULL;
  if (json_is_object(pin))
    check_pin(dir, pin, problems);
  else if (has_log)
    g_ptr_array_add(problems, g_strdup("manifest.json: knows of no " ACTION_LOG_NAME));
  json_decref(root);
  if (has_log)
    check_kept(dir, problems);
  return has_log;
}
