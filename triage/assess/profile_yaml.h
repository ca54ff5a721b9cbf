/* SPDX-License-Identifier: Apache-2.0 */
/* profile_yaml.h - the parts that profile files are made of, read by libfyaml: texts, lists and
 * mappings. All return false with loader->error set to file, line and column. */
#pragma once
#include "assess/profile.h"
#include <libfyaml.h>

typedef struct {
  ProfileSet *set;
  const char *file;
  GError **error;
} Loader;

/* Always returns false. */
bool yaml_fail(const Loader *loader, struct fy_node *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
bool yaml_unknown_key(const Loader *loader, struct fy_node *value, const char *key);

/* Replaces *out (transfer full). */
bool yaml_text(const Loader *loader, struct fy_node *node, char **out);
bool yaml_flag(const Loader *loader, struct fy_node *node, bool *out);
/* A list of texts, added to out. */
bool yaml_texts(const Loader *loader, struct fy_node *node, GPtrArray *out);

typedef bool (*YamlTakeKey)(const Loader *loader, const char *key, struct fy_node *value,
                            void *user);
/* Calls take for every key of a mapping; take returns false with the error set. */
bool yaml_each_key(const Loader *loader, struct fy_node *node, YamlTakeKey take, void *user);
/* Calls take for every item of a list. */
bool yaml_each_item(const Loader *loader, struct fy_node *node,
                    bool (*take)(const Loader *loader, struct fy_node *item, void *user),
                    void *user);

/* The name of a scenario; replaces *out (transfer full). */
bool profile_scenario(const Loader *loader, struct fy_node *value, char **out);

/* One key of the mapping 'site'; a YamlTakeKey. */
bool profile_site_key(const Loader *loader, const char *key, struct fy_node *value, void *user);
/* An Approval. */
void profile_approval_free(gpointer approval);
