/* SPDX-License-Identifier: Apache-2.0 */
/* coord_inputs.c - what the examiner hands in beside the evidence: rules, profiles, passwords; and
 * where the program's own files are. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include <string.h>
#include <unistd.h>

char *coord_find(const char *kind, GError **error) {
  char exe[4096];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n > 0) {
    exe[n] = '\0';
    g_autofree char *dir = g_path_get_dirname(exe);
    const char *installed = strcmp(kind, "rules") == 0 ? "../share/triage" : "../libexec/triage";
    g_autofree char *beside = g_build_filename(dir, kind, NULL);
    if (access(beside, R_OK) == 0)
      return g_steal_pointer(&beside);
    g_autofree char *prefix = g_build_filename(dir, installed, kind, NULL);
    if (access(prefix, R_OK) == 0)
      return g_steal_pointer(&prefix);
  }
  triage_fail(error, TRIAGE_REASON_USAGE,
              "%s: is neither beside the program nor in its installation; install triage again",
              kind);
  return NULL;
}

static void rule_input_free(RuleInput *input) {
  g_free(input->name_space);
  g_free(input->name);
  g_free(input->sha256);
  g_clear_pointer(&input->text, g_bytes_unref);
  g_free(input);
}

/* "namespace:file", unless a file of the whole name exists. */
static const char *split_spec(const char *spec, char **name_space) {
  const char *colon = strchr(spec, ':');
  *name_space = g_strdup("default");
  if (colon == NULL || colon == spec || access(spec, F_OK) == 0)
    return spec;
  for (const char *p = spec; p < colon; p++)
    if (!g_ascii_isalnum(*p) && *p != '_')
      return spec;
  g_free(*name_space);
  *name_space = g_strndup(spec, (gsize)(colon - spec));
  return colon + 1;
}

static RuleInput *read_rule(const char *spec, const char *shown_name, GError **error) {
  g_autofree char *name_space = NULL;
  const char *path = split_spec(spec, &name_space);
  g_autoptr(GBytes) text = io_read_file(path, LIMIT_RULE_BYTES, error);
  if (text == NULL)
    return NULL;
  Digests digests;
  gsize n;
  gconstpointer bytes = g_bytes_get_data(text, &n);
  digest_bytes(DIGEST_SHA256, bytes != NULL ? bytes : "", n, &digests);
  RuleInput *input = g_new0(RuleInput, 1);
  input->name_space = g_steal_pointer(&name_space);
  input->name = shown_name != NULL ? g_strdup(shown_name) : text_printable(path, strlen(path));
  input->sha256 = g_strdup(digests.sha256);
  input->text = g_steal_pointer(&text);
  return input;
}

GPtrArray *inputs_read_rules(char **specs, GError **error) {
  g_autoptr(GPtrArray) inputs = g_ptr_array_new_with_free_func((GDestroyNotify)rule_input_free);
  if (specs == NULL || specs[0] == NULL) {
    g_autofree char *dir = coord_find("rules", error);
    if (dir == NULL)
      return NULL;
    g_autofree char *path = g_build_filename(dir, "network_smtp_vb.yar", NULL);
    RuleInput *input = read_rule(path, "network_smtp_vb.yar", error);
    if (input == NULL)
      return NULL;
    g_ptr_array_add(inputs, input);
  }
  for (guint i = 0; specs != NULL && specs[i] != NULL; i++) {
    RuleInput *input = read_rule(specs[i], NULL, error);
    if (input == NULL)
      return NULL;
    g_ptr_array_add(inputs, input);
  }
  return g_steal_pointer(&inputs);
}

/* Those under which samples are passed on. */
static void add_usual_passwords(GPtrArray *passwords) {
  static const char *const USUAL[PROTO_USUAL_PASSWORDS] = {"infected", "virus", "password"};
  for (size_t i = 0; i < G_N_ELEMENTS(USUAL); i++)
    g_ptr_array_add(passwords, g_bytes_new_static(USUAL[i], strlen(USUAL[i])));
}

GPtrArray *inputs_read_passwords(const char *path, GError **error) {
  g_autoptr(GPtrArray) passwords = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  if (path == NULL) {
    add_usual_passwords(passwords);
    return g_steal_pointer(&passwords);
  }
  g_autoptr(GBytes) text = io_read_file(path, MIB, error);
  if (text == NULL)
    return NULL;
  gsize n;
  const char *p = g_bytes_get_data(text, &n), *end = p != NULL ? p + n : NULL;
  while (p != NULL && p < end) {
    const char *line = memchr(p, '\n', (gsize)(end - p));
    gsize length = (gsize)((line != NULL ? line : end) - p);
    gsize kept = length > 0 && p[length - 1] == '\r' ? length - 1 : length;
    if (kept > 0)
      g_ptr_array_add(passwords, g_bytes_new(p, kept));
    p = line != NULL ? line + 1 : end;
  }
  add_usual_passwords(passwords);
  return g_steal_pointer(&passwords);
}

ProfileSet *inputs_read_profiles(char **site_files, GError **error) {
  g_autofree char *dir = coord_find("rules", error);
  if (dir == NULL)
    return NULL;
  g_autofree char *benign = g_build_filename(dir, "benign", NULL);
  return profile_set_load(benign, (const char *const *)site_files, error);
}
