/* SPDX-License-Identifier: Apache-2.0 */
/* profile_load.c - YAML profile files: no aliases, unknown keys are errors, and every error tells
 * file, line and column. */
#include "assess/profile_yaml.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include <string.h>

static GPtrArray *new_texts(void) {
  return g_ptr_array_new_with_free_func(g_free);
}

static void rule_free(gpointer data) {
  CorroborationRule *rule = data;
  g_ptr_array_unref(rule->kinds);
  g_ptr_array_unref(rule->stores);
  g_free(rule);
}

static void profile_free(gpointer data) {
  Profile *profile = data;
  g_free(profile->id);
  g_free(profile->scenario);
  g_free(profile->title);
  g_ptr_array_unref(profile->hint_paths);
  g_ptr_array_unref(profile->hint_words);
  g_ptr_array_unref(profile->corroboration);
  g_free(profile);
}

static bool rule_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  CorroborationRule *rule = user;
  if (strcmp(key, "facts") == 0)
    return yaml_texts(loader, value, rule->kinds);
  if (strcmp(key, "product") == 0) {
    rule->is_product = true;
    return yaml_texts(loader, value, rule->kinds);
  }
  if (strcmp(key, "at") == 0)
    return yaml_texts(loader, value, rule->stores);
  return yaml_unknown_key(loader, value, key);
}

static bool add_rule(const Loader *loader, struct fy_node *item, void *user) {
  Profile *profile = user;
  CorroborationRule *rule = g_new0(CorroborationRule, 1);
  rule->kinds = new_texts();
  rule->stores = new_texts();
  g_ptr_array_add(profile->corroboration, rule);
  if (!yaml_each_key(loader, item, rule_key, rule))
    return false;
  if (rule->kinds->len == 0 || rule->stores->len == 0)
    return yaml_fail(loader, item, "a corroboration needs 'facts' or 'product', and 'at'");
  return true;
}

static bool requires_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  g_autofree char *text = NULL;
  if (!yaml_text(loader, value, &text))
    return false;
  if (strcmp(key, "server") == 0) {
    profile->takes_local_server = strcmp(text, "relay-or-local") == 0;
    return profile->takes_local_server || strcmp(text, "relay") == 0 ||
           yaml_fail(loader, value, "server is 'relay' or 'relay-or-local'");
  }
  if (strcmp(key, "recipients") == 0) {
    profile->needs_recipients = strcmp(text, "site") == 0;
    return profile->needs_recipients || strcmp(text, "site-or-none") == 0 ||
           yaml_fail(loader, value, "recipients is 'site' or 'site-or-none'");
  }
  return yaml_unknown_key(loader, value, key);
}

static bool hints_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  if (strcmp(key, "paths") == 0)
    return yaml_texts(loader, value, profile->hint_paths);
  if (strcmp(key, "words") == 0)
    return yaml_texts(loader, value, profile->hint_words);
  return yaml_unknown_key(loader, value, key);
}

static bool take_rank(const Loader *loader, struct fy_node *value, guint *out) {
  g_autofree char *text = NULL;
  guint64 number;
  if (!yaml_text(loader, value, &text))
    return false;
  if (!g_ascii_string_to_unsigned(text, 10, 0, 1000, &number, NULL))
    return yaml_fail(loader, value, "rank is a number from 0 to 1000");
  *out = (guint)number;
  return true;
}

static bool is_scenario(const char *text) {
  static const char *const names[] = {"scheduled-report", "user-mail", "backup-notification",
                                      "health-check", "internal-relay"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    if (strcmp(names[i], text) == 0)
      return true;
  return false;
}

bool profile_scenario(const Loader *loader, struct fy_node *value, char **out) {
  if (!yaml_text(loader, value, out))
    return false;
  return is_scenario(*out) ||
         yaml_fail(loader, value,
                   "scenario '%s' is none of scheduled-report, user-mail, backup-notification, "
                   "health-check, internal-relay",
                   *out);
}

static bool take_without(const Loader *loader, struct fy_node *value, Profile *profile) {
  g_autofree char *text = NULL;
  if (!yaml_text(loader, value, &text))
    return false;
  profile->needs_stated_relay = strcmp(text, "likely-benign-by-stated-relay") == 0;
  profile->is_likely_without = profile->needs_stated_relay || strcmp(text, "likely-benign") == 0;
  return profile->is_likely_without || strcmp(text, "unexplained") == 0 ||
         yaml_fail(loader, value,
                   "without-corroboration is 'likely-benign', "
                   "'likely-benign-by-stated-relay' or 'unexplained'");
}

static bool profile_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  if (strcmp(key, "id") == 0)
    return yaml_text(loader, value, &profile->id);
  if (strcmp(key, "title") == 0)
    return yaml_text(loader, value, &profile->title);
  if (strcmp(key, "scenario") == 0)
    return profile_scenario(loader, value, &profile->scenario);
  if (strcmp(key, "rank") == 0)
    return take_rank(loader, value, &profile->rank);
  if (strcmp(key, "requires") == 0)
    return yaml_each_key(loader, value, requires_key, profile);
  if (strcmp(key, "hints") == 0)
    return yaml_each_key(loader, value, hints_key, profile);
  if (strcmp(key, "needs-hint") == 0)
    return yaml_flag(loader, value, &profile->needs_hint);
  if (strcmp(key, "corroboration") == 0)
    return yaml_each_item(loader, value, add_rule, profile);
  if (strcmp(key, "without-corroboration") == 0)
    return take_without(loader, value, profile);
  if (strcmp(key, "content") == 0) {
    g_autofree char *text = NULL;
    if (!yaml_text(loader, value, &text))
      return false;
    profile->content = strcmp(text, "mail-store") == 0 ? CONTENT_MAIL_STORE : CONTENT_SCRIPT;
    return strcmp(text, "script") == 0 || profile->content == CONTENT_MAIL_STORE ||
           yaml_fail(loader, value, "content is 'script' or 'mail-store'");
  }
  return yaml_unknown_key(loader, value, key);
}

static bool add_profile(const Loader *loader, struct fy_node *item, void *user) {
  (void)user;
  Profile *profile = g_new0(Profile, 1);
  profile->rank = 500;
  profile->hint_paths = new_texts();
  profile->hint_words = new_texts();
  profile->corroboration = g_ptr_array_new_with_free_func(rule_free);
  g_ptr_array_add(loader->set->profiles, profile);
  if (!yaml_each_key(loader, item, profile_key, profile))
    return false;
  if (profile->id == NULL || profile->scenario == NULL || profile->title == NULL)
    return yaml_fail(loader, item, "a profile needs 'id', 'scenario' and 'title'");
  if (profile->needs_hint && profile->hint_paths->len + profile->hint_words->len == 0)
    return yaml_fail(loader, item, "'needs-hint' without any hints can never hold");
  return true;
}

static bool lists_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  (void)user;
  ProfileSet *set = loader->set;
  const struct {
    const char *key;
    GPtrArray *list;
  } lists[] = {{"freemail", set->freemail},
               {"temporary-places", set->temporary},
               {"user-places", set->user_places},
               {"system-tables", set->system_tables},
               {"encoded-views", set->encoded_views},
               {"sensitive-files", set->sensitive_files},
               {"archive-suffixes", set->archive_suffixes},
               {"libraries", set->libraries},
               {"mention-places", set->mention_places},
               {"no-runners", set->no_runners},
               {"system-names", set->system_names}};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
    if (strcmp(key, lists[i].key) == 0)
      return yaml_texts(loader, value, lists[i].list);
  return yaml_unknown_key(loader, value, key);
}

static bool file_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  bool *has_format = user;
  if (strcmp(key, "format") == 0) {
    g_autofree char *text = NULL;
    if (!yaml_text(loader, value, &text))
      return false;
    *has_format = strcmp(text, "triage-benign/1") == 0;
    return *has_format || yaml_fail(loader, value, "format '%s' is not triage-benign/1", text);
  }
  if (strcmp(key, "profiles") == 0)
    return yaml_each_item(loader, value, add_profile, NULL);
  if (strcmp(key, "site") == 0)
    return yaml_each_key(loader, value, profile_site_key, NULL);
  if (strcmp(key, "lists") == 0)
    return yaml_each_key(loader, value, lists_key, NULL);
  return yaml_unknown_key(loader, value, key);
}

/* ---- files ---- */

static bool fail_by_library(const Loader *loader, struct fy_diag *diag) {
  void *iter = NULL;
  struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iter);
  if (first == NULL)
    return triage_fail(loader->error, TRIAGE_REASON_USAGE, "%s:1:1: is no YAML document",
                       loader->file);
  return triage_fail(loader->error, TRIAGE_REASON_USAGE, "%s:%d:%d: %s", loader->file, first->line,
                     first->column, first->msg);
}

static bool load_text(const Loader *loader, const char *text, size_t n) {
  struct fy_diag_cfg diag_config;
  fy_diag_cfg_default(&diag_config);
  diag_config.fp = NULL;
  struct fy_diag *diag = fy_diag_create(&diag_config);
  fy_diag_set_collect_errors(diag, true);
  struct fy_parse_cfg config = {.flags = FYPCF_QUIET, .diag = diag};
  struct fy_document *document = fy_document_build_from_string(&config, text, n);
  bool ok, has_format = false;
  struct fy_node *root = document != NULL ? fy_document_root(document) : NULL;
  if (root == NULL)
    ok = fail_by_library(loader, diag);
  else
    ok = yaml_each_key(loader, root, file_key, &has_format) &&
         (has_format || yaml_fail(loader, root, "the key 'format: triage-benign/1' is missing"));
  fy_document_destroy(document);
  fy_diag_destroy(diag);
  return ok;
}

static gint by_rank(gconstpointer a, gconstpointer b) {
  const Profile *one = *(const Profile *const *)a, *two = *(const Profile *const *)b;
  if (one->rank != two->rank)
    return one->rank < two->rank ? -1 : 1;
  return strcmp(one->id, two->id);
}

static ProfileSet *set_new(void) {
  ProfileSet *set = g_new0(ProfileSet, 1);
  set->profiles = g_ptr_array_new_with_free_func(profile_free);
  GPtrArray **lists[] = {
      &set->files,       &set->domains,          &set->freemail,           &set->temporary,
      &set->user_places, &set->system_tables,    &set->encoded_views,      &set->sensitive_files,
      &set->libraries,   &set->archive_suffixes, &set->report_directories, &set->mention_places,
      &set->no_runners,  &set->system_names};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
    *lists[i] = new_texts();
  HostList *hosts[] = {&set->relays, &set->monitoring_hosts, &set->backup_hosts};
  for (guint i = 0; i < G_N_ELEMENTS(hosts); i++)
    *hosts[i] = (HostList){new_texts(), g_array_new(FALSE, FALSE, sizeof(Network))};
  set->approved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, profile_approval_free);
  return set;
}

void profile_set_free(ProfileSet *set) {
  if (set == NULL)
    return;
  GPtrArray *lists[] = {
      set->profiles,        set->files,       set->domains,          set->freemail,
      set->temporary,       set->user_places, set->system_tables,    set->encoded_views,
      set->sensitive_files, set->libraries,   set->archive_suffixes, set->report_directories,
      set->mention_places,  set->no_runners,  set->system_names};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
    g_ptr_array_unref(lists[i]);
  const HostList *hosts[] = {&set->relays, &set->monitoring_hosts, &set->backup_hosts};
  for (guint i = 0; i < G_N_ELEMENTS(hosts); i++) {
    g_ptr_array_unref(hosts[i]->names);
    g_array_unref(hosts[i]->networks);
  }
  g_hash_table_unref(set->approved);
  g_free(set);
}

static bool add_text(ProfileSet *set, const char *name, const char *text, size_t n,
                     GError **error) {
  Loader loader = {set, name, error};
  Digests digests;
  if (!load_text(&loader, text, n))
    return false;
  digest_bytes(DIGEST_SHA256, text, n, &digests);
  g_ptr_array_add(set->files, g_strdup(name));
  g_ptr_array_add(set->files, g_strdup(digests.sha256));
  return true;
}

static bool add_file(ProfileSet *set, const char *path, const char *name, GError **error) {
  g_autoptr(GBytes) bytes = io_read_file(path, LIMIT_PROFILE_BYTES, error);
  if (bytes == NULL)
    return false;
  gsize n;
  const char *text = g_bytes_get_data(bytes, &n);
  return add_text(set, name, text != NULL ? text : "", n, error);
}

static gint by_name(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_directory(ProfileSet *set, const char *path, GError **error) {
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  if (dir == NULL)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot open the directory of profiles",
                       path);
  g_autoptr(GPtrArray) names = new_texts();
  const char *name;
  while ((name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, ".yaml"))
      g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, by_name);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
    if (!add_file(set, file, names->pdata[i], error))
      return false;
  }
  return true;
}

ProfileSet *profile_set_load(const char *dir, const char *const *site_files, GError **error) {
  g_autoptr(ProfileSet) set = set_new();
  if (dir != NULL && !add_directory(set, dir, error))
    return NULL;
  for (guint i = 0; site_files != NULL && site_files[i] != NULL; i++)
    if (!add_file(set, site_files[i], site_files[i], error))
      return NULL;
  g_ptr_array_sort(set->profiles, by_rank);
  return g_steal_pointer(&set);
}

ProfileSet *profile_set_parse(const char *file_name, const char *text, GError **error) {
  g_autoptr(ProfileSet) set = set_new();
  if (!add_text(set, file_name, text, strlen(text), error))
    return NULL;
  g_ptr_array_sort(set->profiles, by_rank);
  return g_steal_pointer(&set);
}

guint profile_set_n_files(const ProfileSet *set) {
  return set->files->len / 2;
}

void profile_set_file(const ProfileSet *set, guint index, const char **name, const char **sha256) {
  *name = set->files->pdata[(gsize)index * 2];
  *sha256 = set->files->pdata[(gsize)index * 2 + 1];
}
