/* SPDX-License-Identifier: Apache-2.0 */
/* profile_load.c - YAML profile files by libfyaml: no aliases, unknown keys are errors, and every
 * error tells file, line and column. */
#include "assess/profile.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include <arpa/inet.h>
#include <libfyaml.h>
#include <string.h>

typedef struct {
  ProfileSet *set;
  const char *file;
  GError **error;
} Loader;

static bool fail_at(const Loader *loader, struct fy_node *node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

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

static bool fail_at(const Loader *loader, struct fy_node *node, const char *format, ...) {
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

static bool take_text(const Loader *loader, struct fy_node *node, char **out) {
  if (!fy_node_is_scalar(node) || fy_node_is_alias(node))
    return fail_at(loader, node, "a text is wanted here%s",
                   fy_node_is_alias(node) ? ", not an alias" : "");
  g_free(*out);
  *out = text_of(node);
  return *out != NULL || fail_at(loader, node, "a text is wanted here");
}

static bool take_flag(const Loader *loader, struct fy_node *node, bool *out) {
  g_autofree char *text = NULL;
  if (!take_text(loader, node, &text))
    return false;
  *out = strcmp(text, "true") == 0;
  return *out || strcmp(text, "false") == 0 ||
         fail_at(loader, node, "'%s' is neither true nor false", text);
}

/* A list of texts, added to out. */
static bool take_texts(const Loader *loader, struct fy_node *node, GPtrArray *out) {
  if (!fy_node_is_sequence(node))
    return fail_at(loader, node, "a list is wanted here");
  void *iter = NULL;
  struct fy_node *item;
  while ((item = fy_node_sequence_iterate(node, &iter)) != NULL) {
    char *text = NULL;
    if (!take_text(loader, item, &text))
      return false;
    g_ptr_array_add(out, text);
    if (*text == '\0')
      return fail_at(loader, item, "an empty text says nothing");
  }
  return true;
}

typedef bool (*TakeKey)(const Loader *loader, const char *key, struct fy_node *value, void *user);

/* Calls take for every key of a mapping; take returns false with the error set. */
static bool each_key(const Loader *loader, struct fy_node *node, TakeKey take, void *user) {
  if (!fy_node_is_mapping(node))
    return fail_at(loader, node, "a mapping (key: value) is wanted here");
  void *iter = NULL;
  struct fy_node_pair *pair;
  while ((pair = fy_node_mapping_iterate(node, &iter)) != NULL) {
    struct fy_node *key_node = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
    g_autofree char *key = key_node != NULL ? text_of(key_node) : NULL;
    if (key == NULL)
      return fail_at(loader, node, "a key must be a text");
    if (value == NULL)
      return fail_at(loader, key_node, "'%s' has no value", key);
    if (!take(loader, key, value, user))
      return false;
  }
  return true;
}

/* Calls take for every mapping of a list. */
static bool each_item(const Loader *loader, struct fy_node *node,
                      bool (*take)(const Loader *loader, struct fy_node *item, void *user),
                      void *user) {
  if (!fy_node_is_sequence(node))
    return fail_at(loader, node, "a list is wanted here");
  void *iter = NULL;
  struct fy_node *item;
  while ((item = fy_node_sequence_iterate(node, &iter)) != NULL)
    if (!take(loader, item, user))
      return false;
  return true;
}

static bool unknown_key(const Loader *loader, struct fy_node *value, const char *key) {
  return fail_at(loader, value, "unknown key '%s'", key);
}

/* ---- profiles ---- */

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
    return take_texts(loader, value, rule->kinds);
  if (strcmp(key, "product") == 0) {
    rule->is_product = true;
    return take_texts(loader, value, rule->kinds);
  }
  if (strcmp(key, "at") == 0)
    return take_texts(loader, value, rule->stores);
  return unknown_key(loader, value, key);
}

static bool add_rule(const Loader *loader, struct fy_node *item, void *user) {
  Profile *profile = user;
  CorroborationRule *rule = g_new0(CorroborationRule, 1);
  rule->kinds = new_texts();
  rule->stores = new_texts();
  g_ptr_array_add(profile->corroboration, rule);
  if (!each_key(loader, item, rule_key, rule))
    return false;
  if (rule->kinds->len == 0 || rule->stores->len == 0)
    return fail_at(loader, item, "a corroboration needs 'facts' or 'product', and 'at'");
  return true;
}

static bool requires_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  g_autofree char *text = NULL;
  if (!take_text(loader, value, &text))
    return false;
  if (strcmp(key, "server") == 0) {
    profile->takes_local_server = strcmp(text, "relay-or-local") == 0;
    return profile->takes_local_server || strcmp(text, "relay") == 0 ||
           fail_at(loader, value, "server is 'relay' or 'relay-or-local'");
  }
  if (strcmp(key, "recipients") == 0) {
    profile->needs_recipients = strcmp(text, "site") == 0;
    return profile->needs_recipients || strcmp(text, "site-or-none") == 0 ||
           fail_at(loader, value, "recipients is 'site' or 'site-or-none'");
  }
  return unknown_key(loader, value, key);
}

static bool hints_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  if (strcmp(key, "paths") == 0)
    return take_texts(loader, value, profile->hint_paths);
  if (strcmp(key, "words") == 0)
    return take_texts(loader, value, profile->hint_words);
  return unknown_key(loader, value, key);
}

static bool take_rank(const Loader *loader, struct fy_node *value, guint *out) {
  g_autofree char *text = NULL;
  guint64 number;
  if (!take_text(loader, value, &text))
    return false;
  if (!g_ascii_string_to_unsigned(text, 10, 0, 1000, &number, NULL))
    return fail_at(loader, value, "rank is a number from 0 to 1000");
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

static bool take_scenario(const Loader *loader, struct fy_node *value, char **out) {
  if (!take_text(loader, value, out))
    return false;
  return is_scenario(*out) ||
         fail_at(loader, value,
                 "scenario '%s' is none of scheduled-report, user-mail, backup-notification, "
                 "health-check, internal-relay",
                 *out);
}

static bool take_without(const Loader *loader, struct fy_node *value, Profile *profile) {
  g_autofree char *text = NULL;
  if (!take_text(loader, value, &text))
    return false;
  profile->needs_stated_relay = strcmp(text, "likely-benign-by-stated-relay") == 0;
  profile->is_likely_without = profile->needs_stated_relay || strcmp(text, "likely-benign") == 0;
  return profile->is_likely_without || strcmp(text, "unexplained") == 0 ||
         fail_at(loader, value,
                 "without-corroboration is 'likely-benign', "
                 "'likely-benign-by-stated-relay' or 'unexplained'");
}

static bool profile_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  Profile *profile = user;
  if (strcmp(key, "id") == 0)
    return take_text(loader, value, &profile->id);
  if (strcmp(key, "title") == 0)
    return take_text(loader, value, &profile->title);
  if (strcmp(key, "scenario") == 0)
    return take_scenario(loader, value, &profile->scenario);
  if (strcmp(key, "rank") == 0)
    return take_rank(loader, value, &profile->rank);
  if (strcmp(key, "requires") == 0)
    return each_key(loader, value, requires_key, profile);
  if (strcmp(key, "hints") == 0)
    return each_key(loader, value, hints_key, profile);
  if (strcmp(key, "needs-hint") == 0)
    return take_flag(loader, value, &profile->needs_hint);
  if (strcmp(key, "corroboration") == 0)
    return each_item(loader, value, add_rule, profile);
  if (strcmp(key, "without-corroboration") == 0)
    return take_without(loader, value, profile);
  if (strcmp(key, "content") == 0) {
    g_autofree char *text = NULL;
    if (!take_text(loader, value, &text))
      return false;
    profile->content = strcmp(text, "mail-store") == 0 ? CONTENT_MAIL_STORE : CONTENT_SCRIPT;
    return strcmp(text, "script") == 0 || profile->content == CONTENT_MAIL_STORE ||
           fail_at(loader, value, "content is 'script' or 'mail-store'");
  }
  return unknown_key(loader, value, key);
}

static bool add_profile(const Loader *loader, struct fy_node *item, void *user) {
  (void)user;
  Profile *profile = g_new0(Profile, 1);
  profile->rank = 500;
  profile->hint_paths = new_texts();
  profile->hint_words = new_texts();
  profile->corroboration = g_ptr_array_new_with_free_func(rule_free);
  g_ptr_array_add(loader->set->profiles, profile);
  if (!each_key(loader, item, profile_key, profile))
    return false;
  if (profile->id == NULL || profile->scenario == NULL || profile->title == NULL)
    return fail_at(loader, item, "a profile needs 'id', 'scenario' and 'title'");
  if (profile->needs_hint && profile->hint_paths->len + profile->hint_words->len == 0)
    return fail_at(loader, item, "'needs-hint' without any hints can never hold");
  return true;
}

/* ---- the site ---- */

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

static bool take_relays(const Loader *loader, struct fy_node *node) {
  g_autoptr(GPtrArray) texts = new_texts();
  if (!take_texts(loader, node, texts))
    return false;
  for (guint i = 0; i < texts->len; i++) {
    char *text = texts->pdata[i];
    Network network = {0};
    if (parse_network(text, &network))
      g_array_append_val(loader->set->networks, network);
    else if (strpbrk(text, "/:@ *") != NULL)
      return fail_at(loader, node, "relay '%s' is neither a host name nor an address or range",
                     text);
    else
      g_ptr_array_add(loader->set->relays, g_ascii_strdown(text, -1));
  }
  return true;
}

static bool take_domains(const Loader *loader, struct fy_node *node) {
  g_autoptr(GPtrArray) texts = new_texts();
  if (!take_texts(loader, node, texts))
    return false;
  for (guint i = 0; i < texts->len; i++) {
    char *text = texts->pdata[i];
    const char *name = g_str_has_prefix(text, "*.") ? text + 2 : text;
    if (strpbrk(name, "/:@ *") != NULL || *name == '.')
      return fail_at(loader, node, "'%s' is no mail domain (write corp.example or *.corp.example)",
                     text);
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
    if (!take_text(loader, value, &text->sha256))
      return false;
    if (strlen(text->sha256) != 64 || strspn(text->sha256, "0123456789abcdefABCDEF") != 64)
      return fail_at(loader, value, "a SHA-256 has 64 hexadecimal digits");
    return true;
  }
  if (strcmp(key, "scenario") == 0)
    return take_scenario(loader, value, &text->scenario);
  if (strcmp(key, "note") == 0)
    return take_text(loader, value, &text->note);
  return unknown_key(loader, value, key);
}

static void approval_free(gpointer data) {
  Approval *approval = data;
  g_free(approval->scenario);
  g_free(approval->note);
  g_free(approval);
}

static bool add_approval(const Loader *loader, struct fy_node *item, void *user) {
  (void)user;
  ApprovalText text = {0};
  bool ok = each_key(loader, item, approval_key, &text);
  if (ok && text.sha256 == NULL)
    ok = fail_at(loader, item, "an approved script needs its 'sha256'");
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

static bool site_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  (void)user;
  g_autofree char *ignored = NULL;
  if (strcmp(key, "name") == 0)
    return take_text(loader, value, &ignored);
  if (strcmp(key, "mail-domains") == 0)
    return take_domains(loader, value);
  if (strcmp(key, "relays") == 0)
    return take_relays(loader, value);
  if (strcmp(key, "report-directories") == 0)
    return take_texts(loader, value, loader->set->report_directories);
  if (strcmp(key, "approved") == 0)
    return each_item(loader, value, add_approval, NULL);
  return unknown_key(loader, value, key);
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
      return take_texts(loader, value, lists[i].list);
  return unknown_key(loader, value, key);
}

static bool file_key(const Loader *loader, const char *key, struct fy_node *value, void *user) {
  bool *has_format = user;
  if (strcmp(key, "format") == 0) {
    g_autofree char *text = NULL;
    if (!take_text(loader, value, &text))
      return false;
    *has_format = strcmp(text, "triage-benign/1") == 0;
    return *has_format || fail_at(loader, value, "format '%s' is not triage-benign/1", text);
  }
  if (strcmp(key, "profiles") == 0)
    return each_item(loader, value, add_profile, NULL);
  if (strcmp(key, "site") == 0)
    return each_key(loader, value, site_key, NULL);
  if (strcmp(key, "lists") == 0)
    return each_key(loader, value, lists_key, NULL);
  return unknown_key(loader, value, key);
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
    ok = each_key(loader, root, file_key, &has_format) &&
         (has_format || fail_at(loader, root, "the key 'format: triage-benign/1' is missing"));
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
  GPtrArray **lists[] = {&set->files,          &set->domains,          &set->relays,
                         &set->freemail,       &set->temporary,        &set->user_places,
                         &set->system_tables,  &set->encoded_views,    &set->sensitive_files,
                         &set->libraries,      &set->archive_suffixes, &set->report_directories,
                         &set->mention_places, &set->no_runners,       &set->system_names};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
    *lists[i] = new_texts();
  set->networks = g_array_new(FALSE, FALSE, sizeof(Network));
  set->approved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, approval_free);
  return set;
}

void profile_set_free(ProfileSet *set) {
  if (set == NULL)
    return;
  GPtrArray *lists[] = {
      set->profiles,           set->files,           set->domains,     set->relays,
      set->freemail,           set->temporary,       set->user_places, set->system_tables,
      set->encoded_views,      set->sensitive_files, set->libraries,   set->archive_suffixes,
      set->report_directories, set->mention_places,  set->no_runners,  set->system_names};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
    g_ptr_array_unref(lists[i]);
  g_array_unref(set->networks);
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
