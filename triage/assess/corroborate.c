/* SPDX-License-Identifier: Apache-2.0 */
/* corroborate.c - commands of tasks, cron and services held against the path of a hit. */
#include "assess/corroborate.h"
#include "assess/match.h"
#include <string.h>

/* Facts and paths are printable texts: a backslash stands doubled. Here both kinds of slash are
 * one. */
static char *with_slashes(const char *text) {
  GString *out = g_string_sized_new(strlen(text));
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '\\') {
      while (at[1] == '\\')
        at++;
      g_string_append_c(out, '/');
    } else {
      g_string_append_c(out, *at);
    }
  }
  return g_string_free(out, FALSE);
}

static void replace_folded(char **text, const char *what, const char *with) {
  g_autofree char *low = g_ascii_strdown(*text, -1);
  const char *found = strstr(low, what);
  if (found == NULL)
    return;
  size_t at = (size_t)(found - low);
  char *new_text = g_strdup_printf("%.*s%s%s", (int)at, *text, with, *text + at + strlen(what));
  g_free(*text);
  *text = new_text;
}

/* The words of a command, quotes taken as its shell does. */
static GPtrArray *words_of(const char *command) {
  GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) word = g_string_new(NULL);
  char quote = '\0';
  for (const char *at = command;; at++) {
    bool is_space = *at == ' ' || *at == '\t' || *at == '\0';
    if (*at == '\0' || (is_space && quote == '\0')) {
      if (word->len > 0)
        g_ptr_array_add(words, g_strdup(word->str));
      g_string_truncate(word, 0);
      if (*at == '\0' || words->len > 64)
        break;
    } else if (quote != '\0' ? *at == quote : *at == '"' || *at == '\'') {
      quote = quote != '\0' ? '\0' : *at;
    } else {
      g_string_append_c(word, *at);
    }
  }
  return words;
}

static bool is_script_name(const char *word) {
  static const char *const suffixes[] = {".vbs", ".vbe", ".js",  ".jse", ".wsf", ".wsh",
                                         ".ps1", ".py",  ".bat", ".cmd", ".pl",  ".sh",
                                         ".hta", ".asp", ".sql", ".psm1"};
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    size_t n = strlen(word), m = strlen(suffixes[i]);
    if (n > m && g_ascii_strcasecmp(word + n - m, suffixes[i]) == 0)
      return true;
  }
  return false;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* The script that a command runs: its first word that names one. Commands that do something else
 * with their words (copy, delete, print) run none. (transfer full), NULL where there is none. */
static char *script_of(const ProfileSet *set, const char *target) {
  g_autofree char *text = with_slashes(target);
  replace_folded(&text, "%systemdrive%", "C:");
  replace_folded(&text, "%systemroot%", "C:/Windows");
  replace_folded(&text, "%windir%", "C:/Windows");
  replace_folded(&text, "%programfiles%", "C:/Program Files");
  replace_folded(&text, "%programdata%", "C:/ProgramData");
  g_autoptr(GPtrArray) words = words_of(text);
  for (guint i = 0; i < words->len; i++) {
    const char *word = words->pdata[i];
    if (is_script_name(word))
      return g_strdup(word);
    if (profile_matches(set->no_runners, base_name(word)) || strpbrk(word, "&|<>;`$") != NULL)
      return NULL;
  }
  return NULL;
}

/* What stands before the place where such facts lie: "" on a whole disk, "/C" in a copied tree. */
static char *root_of(const char *fact_path, const char *store) {
  const char *tail = store;
  while (*tail == '*')
    tail++;
  g_autofree char *low = g_ascii_strdown(fact_path, -1);
  g_autofree char *fixed = g_ascii_strdown(tail, (gssize)strcspn(tail, "*"));
  const char *found = strstr(low, fixed);
  return found != NULL ? g_strndup(fact_path, (gsize)(found - low)) : g_strdup("");
}

char *corroborate_path(const HitView *hit) {
  return *hit->member != '\0' ? g_strconcat(hit->path, "!/", hit->member, NULL)
                              : g_strdup(hit->path);
}

/* A path of Windows ("C:/...") folds case and is on the volume of the fact; any other is exact. */
static bool is_same_script(const char *script, const char *root, const char *path) {
  bool is_windows = g_ascii_isalpha(script[0]) && script[1] == ':' && script[2] == '/';
  if (!is_windows && script[0] != '/')
    return false;
  if (is_windows && g_ascii_tolower(script[0]) != 'c')
    return false;
  g_autofree char *wanted = g_strconcat(root, is_windows ? script + 2 : script, NULL);
  return is_windows ? g_ascii_strcasecmp(wanted, path) == 0 : strcmp(wanted, path) == 0;
}

bool corroborate_runs(const ProfileSet *set, const FactRef *fact, const char *store,
                      const char *path) {
  g_autofree char *script = script_of(set, fact->target);
  g_autofree char *root = root_of(fact->path, store);
  return script != NULL && is_same_script(script, root, path);
}

static const char *store_of(const CorroborationRule *rule, const FactRef *fact) {
  bool is_kind = false;
  for (guint i = 0; i < rule->kinds->len; i++)
    is_kind = is_kind || strcmp(rule->kinds->pdata[i], fact->kind) == 0;
  for (guint i = 0; is_kind && i < rule->stores->len; i++)
    if (profile_glob(rule->stores->pdata[i], fact->path))
      return rule->stores->pdata[i];
  return NULL;
}

/* Where a relative name leads: from the directory of the file that states it, never upwards. */
static char *beside(const FactRef *fact, const char *root, const char *name) {
  const char *slash = strrchr(fact->path, '/');
  size_t n = strlen(root);
  if (name[0] == '/' || name[0] == '.' || strchr(name, ':') != NULL || strstr(name, "..") != NULL ||
      slash == NULL || strncmp(fact->path, root, n) != 0)
    return g_strdup(name);
  return g_strdup_printf("C:%.*s/%s", (int)((size_t)(slash - fact->path) - n), fact->path + n,
                         name);
}

/* A product runs the scripts of a directory that its own configuration names: those that lie in it,
 * not below it. */
static bool owns(const CorroborationRule *rule, const FactRef *fact, const char *path) {
  const char *store = store_of(rule, fact), *slash = strrchr(path, '/');
  if (store == NULL || slash == NULL)
    return false;
  g_autofree char *named = with_slashes(fact->target);
  for (size_t n = strlen(named); n > 1 && named[n - 1] == '/'; n--)
    named[n - 1] = '\0';
  g_autofree char *root = root_of(fact->path, store);
  g_autofree char *directory = beside(fact, root, named);
  g_autofree char *holder = g_strndup(path, (gsize)(slash - path));
  return strlen(directory) > strlen("C:/") && is_same_script(directory, root, holder);
}

static bool runs(const ProfileSet *set, const CorroborationRule *rule, const FactRef *fact,
                 const char *path) {
  const char *store = store_of(rule, fact);
  if (store == NULL)
    return false;
  g_autofree char *script = script_of(set, fact->target);
  if (script == NULL)
    return false;
  g_autofree char *root = root_of(fact->path, store);
  bool is_monitoring = strcmp(fact->kind, "monitoring") == 0; /* runs where it is installed */
  g_autofree char *whole = is_monitoring ? beside(fact, root, script) : g_strdup(script);
  return is_same_script(whole, root, path);
}

static bool is_of_hit(const FactRef *fact, const HitView *hit) {
  return fact->is_live && fact->volume == hit->volume && strcmp(fact->evidence, hit->evidence) == 0;
}

static bool is_batch(const FactRef *fact) {
  return strcmp(fact->kind, "batch") == 0;
}

/* The job runs the batch file, which runs the script. */
static bool runs_through(const ProfileSet *set, const CorroborationRule *rule, const FactRef *fact,
                         const FactRef *batch, const char *path) {
  static const char own_directory[] = "%~dp0";
  if (strcasestr(fact->target, base_name(batch->path)) == NULL ||
      !runs(set, rule, fact, batch->path))
    return false;
  g_autofree char *script = script_of(set, batch->target);
  if (script == NULL)
    return false;
  g_autofree char *root = root_of(fact->path, store_of(rule, fact));
  size_t n = sizeof own_directory - 1;
  bool is_beside = g_ascii_strncasecmp(script, own_directory, n) == 0;
  g_autofree char *whole =
      is_beside ? beside(batch, root, script + n + (script[n] == '/' ? 1 : 0)) : g_strdup(script);
  return is_same_script(whole, root, path);
}

/* Batch files that name the script, and that not every user can change. (transfer container) */
static GPtrArray *batches_of(const ProfileSet *set, const HitView *hit, const char *path) {
  enum { MOST = 16 }; /* each is held against every job */
  GPtrArray *batches = g_ptr_array_new();
  for (guint k = 0; k < hit->facts->len && batches->len < MOST; k++) {
    FactRef *fact = hit->facts->pdata[k];
    if (is_batch(fact) && is_of_hit(fact, hit) &&
        strcasestr(fact->target, base_name(path)) != NULL &&
        !profile_matches(set->temporary, fact->path) &&
        !profile_matches(set->user_places, fact->path))
      g_ptr_array_add(batches, fact);
  }
  return batches;
}

static bool corroborate_by(const ProfileSet *set, const CorroborationRule *rule,
                           const FactRef *fact, const char *path, const GPtrArray *batches,
                           Corroboration *out) {
  *out = (Corroboration){fact, NULL, rule->is_product};
  if (rule->is_product)
    return owns(rule, fact, path);
  if (strcasestr(fact->target, base_name(path)) != NULL && runs(set, rule, fact, path))
    return true;
  for (guint i = 0; i < batches->len; i++) {
    out->through = batches->pdata[i];
    if (runs_through(set, rule, fact, out->through, path))
      return true;
  }
  return false;
}

bool corroborate(const ProfileSet *set, const Profile *profile, const HitView *hit,
                 Corroboration *out) {
  g_autofree char *path = corroborate_path(hit);
  /* an unprintable name, or one with backslashes in it, is not what a command says */
  if (strchr(path, '\\') == NULL && hit->facts != NULL) {
    g_autoptr(GPtrArray) batches = batches_of(set, hit, path);
    for (guint i = 0; i < profile->corroboration->len; i++)
      for (guint k = 0; k < hit->facts->len; k++) {
        const FactRef *fact = hit->facts->pdata[k];
        if (is_of_hit(fact, hit) &&
            corroborate_by(set, profile->corroboration->pdata[i], fact, path, batches, out))
          return true;
      }
  }
  *out = (Corroboration){NULL, NULL, false};
  return false;
}

const FactRef *corroborate_namesake(const ProfileSet *set, const HitView *hit) {
  g_autofree char *path = corroborate_path(hit);
  const char *name = base_name(path);
  for (guint k = 0; hit->facts != NULL && k < hit->facts->len; k++) {
    const FactRef *fact = hit->facts->pdata[k];
    if (!fact->is_live || is_batch(fact) || strcasestr(fact->target, name) == NULL)
      continue;
    g_autofree char *script = script_of(set, fact->target);
    if (script == NULL || g_ascii_strcasecmp(base_name(script), name) != 0)
      continue;
    const char *rest = script[0] != '\0' && script[1] == ':' ? script + 2 : script;
    if (g_ascii_strcasecmp(rest, path) != 0)
      return fact;
  }
  return NULL;
}

/* "message-3", "message-3!/part-1.2": what no sender has named. */
static bool is_unnamed_part(const char *rest) {
  g_auto(GStrv) steps = g_strsplit(rest, "!/", 0);
  for (guint i = 0; steps[i] != NULL; i++) {
    const char *dash = strrchr(steps[i], '-');
    bool is_numbered =
        dash != NULL && dash[1] != '\0' && strspn(dash + 1, "0123456789.") == strlen(dash + 1);
    if (!is_numbered ||
        !(g_str_has_prefix(steps[i], "message-") || g_str_has_prefix(steps[i], "part-")))
      return false;
  }
  return true;
}

const FactRef *corroborate_mail_store(const HitView *hit) {
  g_autofree char *path = corroborate_path(hit);
  for (guint k = 0; hit->facts != NULL && k < hit->facts->len; k++) {
    const FactRef *fact = hit->facts->pdata[k];
    if (strcmp(fact->kind, "mail-store") != 0 || !fact->is_live || fact->volume != hit->volume ||
        strcmp(fact->evidence, hit->evidence) != 0)
      continue;
    size_t n = strlen(fact->path);
    if (strcmp(fact->path, path) == 0 ||
        (strncmp(path, fact->path, n) == 0 && g_str_has_prefix(path + n, "!/") &&
         is_unnamed_part(path + n + 2)))
      return fact;
  }
  return NULL;
}
