/* SPDX-License-Identifier: Apache-2.0 */
/* profile_yaml.c - what profile files are made of. Errors carry the place of the node they are
 * about. */
#include "assess/profile_yaml.h"
#include "base/limits.h"
#include <string.h>

static const struct fy_mark *mark_of(struct fy_node *node) {
  for (guint n = 0; node != NULL && n < LIMIT_PROFILE_DEPTH; n++) {
    struct fy_token *token = fy_node_get_scalar_token(node);
    if (token != NULL)
      return fy_token_start_mark(token);
    void *iter = NULL;
    if (fy_node_is_mapping(node)) {
      struct fy_node_pair *pair = fy_node_mapping_iterate(node, &iter);
      node = pair != NULL ? fy_node_pair_key(pair) : NULL;
    } else {
      node = fy_node_sequence_iterate(node, &iter);
    }
  }
  return NULL;
}

bool yaml_fail(const Loader *loader, struct fy_node *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  const struct fy_mark *mark = mark_of(node);
  return triage_fail(loader->error, TRIAGE_REASON_USAGE, "%s:%d:%d: %s", loader->file,
                     mark != NULL ? mark->line + 1 : 1, mark != NULL ? mark->column + 1 : 1, text);
}

static char *text_of(struct fy_node *node) {
  size_t n = 0;
  const char *text = fy_node_is_scalar(node) ? fy_node_get_scalar(node, &n) : NULL;
  return text != NULL && memchr(text, '\0', n) == NULL ? g_strndup(text, n) : NULL;
}

bool yaml_text(const Loader *loader, struct fy_node *node, char **out) {
  if (!fy_node_is_scalar(node) || fy_node_is_alias(node))
    return yaml_fail(loader, node, "a text is wanted here%s",
                     fy_node_is_alias(node) ? ", not an alias" : "");
  g_free(*out);
  *out = text_of(node);
  return *out != NULL || yaml_fail(loader, node, "a text is wanted here");
}

bool yaml_flag(const Loader *loader, struct fy_node *node, bool *out) {
  g_autofree char *text = NULL;
  if (!yaml_text(loader, node, &text))
    return false;
  *out = strcmp(text, "true") == 0;
  return *out || strcmp(text, "false") == 0 ||
         yaml_fail(loader, node, "'%s' is neither true nor false", text);
}

/* A list of texts, added to out. */
bool yaml_texts(const Loader *loader, struct fy_node *node, GPtrArray *out) {
  if (!fy_node_is_sequence(node))
    return yaml_fail(loader, node, "a list is wanted here");
  void *iter = NULL;
  struct fy_node *item;
  while ((item = fy_node_sequence_iterate(node, &iter)) != NULL) {
    char *text = NULL;
    if (!yaml_text(loader, item, &text))
      return false;
    g_ptr_array_add(out, text);
    if (*text == '\0')
      return yaml_fail(loader, item, "an empty text says nothing");
  }
  return true;
}

/* Calls take for every key of a mapping; take returns false with the error set. */
bool yaml_each_key(const Loader *loader, struct fy_node *node, YamlTakeKey take, void *user) {
  if (!fy_node_is_mapping(node))
    return yaml_fail(loader, node, "a mapping (key: value) is wanted here");
  void *iter = NULL;
  struct fy_node_pair *pair;
  while ((pair = fy_node_mapping_iterate(node, &iter)) != NULL) {
    struct fy_node *key_node = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
    g_autofree char *key = key_node != NULL ? text_of(key_node) : NULL;
    if (key == NULL)
      return yaml_fail(loader, node, "a key must be a text");
    if (value == NULL)
      return yaml_fail(loader, key_node, "'%s' has no value", key);
    if (!take(loader, key, value, user))
      return false;
  }
  return true;
}

/* Calls take for every mapping of a list. */
bool yaml_each_item(const Loader *loader, struct fy_node *node,
                    bool (*take)(const Loader *loader, struct fy_node *item, void *user),
                    void *user) {
  if (!fy_node_is_sequence(node))
    return yaml_fail(loader, node, "a list is wanted here");
  void *iter = NULL;
  struct fy_node *item;
  while ((item = fy_node_sequence_iterate(node, &iter)) != NULL)
    if (!take(loader, item, user))
      return false;
  return true;
}

bool yaml_unknown_key(const Loader *loader, struct fy_node *value, const char *key) {
  return yaml_fail(loader, value, "unknown key '%s'", key);
}
