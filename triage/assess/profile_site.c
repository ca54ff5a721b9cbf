/* SPDX-License-Identifier: Apache-2.0 */
/* profile_site.c - what a site states of itself: the mapping 'site' of a profile file. */
#include "assess/profile_yaml.h"
#include <arpa/inet.h>
#include <string.h>

static bool parse_network(const char *text, Network *out) {
  g_auto(GStrv) parts = g_strsplit(text, "/", 3);
  guint64 bits = 0;
  if (g_strv_length(parts) > 2)
    return false;
  out->is_v6 = strchr(parts[0], ':') != NULL;
  guint most = out->is_v6 ? 128 : 32;
  if (inet_pton(out->is_v6 ? AF_INET6 : AF_INET, parts[0], out->address) != 1)
    return false;
  if (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 0, most, &bits, NULL))
    return false;
  out->bits = parts[1] != NULL ? (guint)bits : most;
  return true;
}

/* Host names, addresses and ranges. */
static bool take_hosts(const Loader *loader, struct fy_node *node, const char *what,
                       HostList *out) {
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  if (!yaml_texts(loader, node, texts))
    return false;
  for (guint i = 0; i < texts->len; i++) {
    char *text = texts->pdata[i];
    Network network = {0};
    if (parse_network(text, &network))
      g_array_append_val(out->networks, network);
    else if (strpbrk(text, "/:@ *") != NULL)
      return yaml_fail(loader, node, "%s '%s' is neither a host name nor an address or range", what,
                       text);
    else
      g_ptr_array_add(out->names, g_ascii_strdown(text, -1));
  }
  return true;
}

/* Directories, kept as the evidence writes them: slashes, no drive, none at the end. */
static bool take_directories(const Loader *loader, struct fy_node *node, GPtrArray *out) {
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  if (!yaml_texts(loader, node, texts))
    return false;
  for (guint i = 0; i < texts->len; i++) {
    g_autofree char *path = g_strdelimit(g_strdup(texts->pdata[i]), "\\", '/');
    char *start = g_ascii_isalpha(path[0]) && path[1] == ':' ? path + 2 : path;
    for (size_t n = strlen(start); n > 0 && start[n - 1] == '/'; n--)
      start[n - 1] = '\0';
    if (*start != '/' || strpbrk(start, "*?%$") != NULL || strstr(start, "/.") != NULL)
      return yaml_fail(loader, node,
                       "'%s' is no directory (write C:\\Reports or /srv/reports: whole, below the "
                       "root, without wildcards)",
                       (const char *)texts->pdata[i]);
    g_ptr_array_add(out, g_strdup(start));
  }
  return true;
}

static bool take_domains(const Loader *loader, struct fy_node *node) {
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  if (!yaml_texts(loader, node, texts))
    return false;
  for (guint i = 0; i < texts->len; i++) {
    char *text = texts->pdata[i];
    const char *name = g_str_has_prefix(text, "*.") ? text + 2 : text;
    if (strpbrk(name, "/:@ *") != NULL || *name == '.')
      return yaml_fail(loader, node,
                       "'%s' is no mail domain (write corp.example or *.corp.example)", text);
    g_ptr_array_add(loader->set->domains, g_ascii_strdown(text, -1));
  }
  return true;
}

typedef struct {
  char *sha256, *scenario, *note;
} ApprovalText;

static bool approval_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  ApprovalText *text = user;
  if (strcmp(key, "sha256") == 0) {
    if (!yaml_text(loader, value, &text->sha256))
      return false;
    if (strlen(text->sha256) != 64 || strspn(text->sha256, "0123456789abcdefABCDEF") != 64)
      return yaml_fail(loader, value, "a SHA-256 has 64 hexadecimal digits");
    return true;
  }
  if (strcmp(key, "scenario") == 0)
    return profile_scenario(loader, value, &text->scenario);
  if (strcmp(key, "note") == 0)
    return yaml_text(loader, value, &text->note);
  return yaml_unknown_key(loader, value, key);
}

void profile_approval_free(gpointer data) {
  Approval *approval = data;
  g_free(approval->scenario);
  g_free(approval->note);
  g_free(approval);
}

static bool add_approval(const Loader *loader, struct fy_node *item, void *user) {
  (void)user;
  ApprovalText text = {0};
  bool ok = yaml_each_key(loader, item, approval_key, &text);
  if (ok && text.sha256 == NULL)
    ok = yaml_fail(loader, item, "an approved script needs its 'sha256'");
  if (ok) {
    Approval *approval = g_new0(Approval, 1);
    approval->scenario = g_strdup(text.scenario != NULL ? text.scenario : "");
    approval->note = g_strdup(text.note != NULL ? text.note : "");
    g_hash_table_replace(loader->set->approved, g_ascii_strdown(text.sha256, -1), approval);
  }
  g_free(text.sha256);
  g_free(text.scenario);
  g_free(text.note);
  return ok;
}

bool profile_site_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  (void)user;
  g_autofree char *ignored = NULL;
  if (strcmp(key, "name") == 0)
    return yaml_text(loader, value, &ignored);
  if (strcmp(key, "mail-domains") == 0)
    return take_domains(loader, value);
  if (strcmp(key, "relays") == 0)
    return take_hosts(loader, value, "relay", &loader->set->relays);
  if (strcmp(key, "report-directories") == 0)
    return take_directories(loader, value, loader->set->report_directories);
  if (strcmp(key, "monitoring-hosts") == 0)
    return take_hosts(loader, value, "host", &loader->set->monitoring_hosts);
  if (strcmp(key, "backup-hosts") == 0)
    return take_hosts(loader, value, "host", &loader->set->backup_hosts);
  if (strcmp(key, "approved") == 0)
    return yaml_each_item(loader, value, add_approval, NULL);
  return yaml_unknown_key(loader, value, key);
}
