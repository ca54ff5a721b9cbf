/* SPDX-License-Identifier: Apache-2.0 */
/* read_fact_lines.c - facts of line-based files: cron, systemd, monitoring, the machine's own
 * names. */
#include "assess/read_fact.h"
#include "base/keyhash.h"
#include <string.h>

static bool is_comment(const char *line) {
  return *line == '#' || *line == ';' || *line == '\0';
}

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\t')
    at++;
  return at;
}

static const char *skip_word(const char *at) {
  while (*at != '\0' && *at != ' ' && *at != '\t')
    at++;
  return skip_space(at);
}

static bool is_setting(const char *line) {
  const char *at = line;
  while (g_ascii_isalnum(*at) || *at == '_')
    at++;
  return at > line && *skip_space(at) == '=';
}

/* The domain of the first address, folded; NULL where there is none. (transfer full) */
static char *first_domain(const char *addresses) {
  const char *at = strchr(addresses, '@');
  size_t n = 0;
  while (at != NULL && (g_ascii_isalnum(at[1 + n]) || at[1 + n] == '.' || at[1 + n] == '-'))
    n++;
  if (n == 0 || memchr(at + 1, '.', n) == NULL)
    return NULL;
  return g_ascii_strdown(at + 1, (gssize)n);
}

static void add_mail_domain(GPtrArray *facts, const char *addresses) {
  g_autofree char *domain = first_domain(addresses);
  if (domain != NULL)
    fact_add(facts, "mail-domain", domain, "");
}

void fact_read_mailbox(GPtrArray *facts, const uint8_t *data, size_t n) {
  enum { FEWEST = 3 };
  g_autoptr(GHashTable) counts = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  g_autofree char *text = g_strndup((const char *)data, n);
  g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
  guint total = 0, most = 0;
  g_autofree char *best = NULL;
  for (guint i = 0; lines[i] != NULL; i++) {
    bool is_own =
        g_str_has_prefix(lines[i], "To: ") || g_str_has_prefix(lines[i], "Delivered-To: ");
    char *domain = is_own ? first_domain(lines[i]) : NULL;
    if (domain == NULL)
      continue;
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, domain)) + 1;
    total++;
    if (count > most) {
      most = count;
      g_free(best);
      best = g_strdup(domain);
    }
    g_hash_table_replace(counts, domain, GUINT_TO_POINTER(count));
  }
  if (most >= FEWEST && most * 3 >= total * 2)
    fact_add(facts, "mail-domain", best, "most mail of this mailbox");
}

void fact_read_crontab(GPtrArray *facts, char *const *lines, bool has_user) {
  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = skip_space(lines[i]);
    if (is_comment(line))
      continue;
    if (is_setting(line)) {
      if (g_str_has_prefix(line, "MAILTO"))
        add_mail_domain(facts, line);
      continue;
    }
    const char *at = line;
    guint n_fields = *line == '@' ? 1 : 5;
    for (guint n = 0; n < n_fields; n++)
      at = skip_word(at);
    g_autofree char *when = g_strstrip(g_strndup(line, (gsize)(at - line)));
    const char *command = has_user ? skip_word(at) : at;
    g_autofree char *user = g_strstrip(g_strndup(at, (gsize)(command - at)));
    g_autofree char *detail = g_strdup_printf("%s%s%s", when, *user != '\0' ? " as " : "", user);
    /* A % ends the command; what follows is its standard input. */
    g_autofree char *target = g_strndup(command, strcspn(command, "%"));
    if (*target != '\0')
      fact_add(facts, "cron", target, detail);
  }
}

void fact_read_script_lines(GPtrArray *facts, const char *kind, char *const *lines) {
  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = skip_space(lines[i]);
    if (!is_comment(line) && strchr(line, '/') != NULL)
      fact_add(facts, kind, line, "");
  }
}

static bool has_script(const char *text) {
  static const char *const suffixes[] = {".vbs", ".vbe", ".js", ".wsf", ".ps1", ".py"};
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
    if (strcasestr(text, suffixes[i]) != NULL)
      return true;
  return false;
}

/* The first word of a line starts scripts, or is one. What stands behind "if", "for" and the like
 * may never run and says nothing. */
static bool is_start(const char *line) {
  static const char *const starters[] = {"cscript", "wscript", "call",    "start", "powershell",
                                         "pwsh",    "python",  "python3", "py"};
  bool is_quoted = *line == '"';
  g_autofree char *word =
      g_strndup(line + is_quoted, strcspn(line + is_quoted, is_quoted ? "\"" : " \t"));
  const char *name = strrchr(word, '\\');
  name = name != NULL ? name + 1 : word;
  size_t n = strlen(name);
  if (n > 4 && g_ascii_strcasecmp(name + n - 4, ".exe") == 0)
    n -= 4;
  for (guint i = 0; i < G_N_ELEMENTS(starters); i++)
    if (n == strlen(starters[i]) && g_ascii_strncasecmp(name, starters[i], n) == 0)
      return true;
  return has_script(name);
}

void fact_read_batch(GPtrArray *facts, char *const *lines) {
  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = lines[i] + strspn(lines[i], "@ \t");
    if (has_script(line) && is_start(line))
      fact_add(facts, "batch", line, "");
  }
}

void fact_read_unit(GPtrArray *facts, char *const *lines) {
  const char *description = "";
  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = skip_space(lines[i]), *equals = strchr(line, '=');
    if (equals == NULL || is_comment(line))
      continue;
    if (g_str_has_prefix(line, "Description="))
      description = equals + 1;
    else if (g_str_has_prefix(line, "Exec"))
      fact_add(facts, "systemd", equals + 1 + strspn(equals + 1, "-@+!: "), description);
    else if (g_str_has_prefix(line, "Unit="))
      fact_add(facts, "systemd-timer", equals + 1, description);
  }
}

/* The value behind the first '=', without spaces and quotes around it. (transfer full) */
static char *value_of(const char *line) {
  const char *equals = strchr(line, '=');
  char *value = g_strstrip(g_strdup(equals != NULL ? equals + 1 : ""));
  size_t n = strlen(value);
  if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
    memmove(value, value + 1, n - 2);
    value[n - 2] = '\0';
  }
  return value;
}

/* The settings that name a directory whose scripts the product runs. */
static void read_directory(GPtrArray *facts, const char *line, bool in_scripts) {
  static const struct {
    const char *key, *product;
    bool in_scripts;
  } keys[] = {{"AlertScriptsPath", "Zabbix alert scripts", false},
              {"ExternalScripts", "Zabbix external scripts", false},
              {"$USER1$", "Nagios plugins", false},
              {"const PluginDir", "Icinga plugins", false},
              {"const CustomPluginDir", "Icinga plugins", false},
              {"script path", "NSClient++ scripts", true},
              {"script root", "NSClient++ scripts", true}};
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    size_t n = strlen(keys[i].key);
    if (strncmp(line, keys[i].key, n) != 0 || *skip_space(line + n) != '=' ||
        keys[i].in_scripts != in_scripts)
      continue;
    g_autofree char *directory = value_of(line);
    if (*directory != '\0' && strpbrk(directory, "*?$%") == NULL)
      fact_add(facts, "monitoring-directory", directory, keys[i].product);
  }
}

/* Nagios, Icinga 1, Naemon: define command { command_line ... }; NSClient++: [/settings/external
 * scripts/scripts] name = command; NRPE: command[name]=command; Zabbix: UserParameter. */
void fact_read_monitoring(GPtrArray *facts, char *const *lines) {
  bool in_scripts = false, in_commands = false;
  for (guint i = 0; lines[i] != NULL; i++) {
    const char *line = skip_space(lines[i]);
    if (is_comment(line))
      continue;
    if (*line == '[') {
      in_scripts = g_str_has_prefix(line, "[/settings/external scripts]");
      in_commands = !in_scripts && (strstr(line, "external scripts") != NULL ||
                                    strstr(line, "External Script") != NULL ||
                                    strstr(line, "/settings/scheduler") != NULL);
    }
    read_directory(facts, line, in_scripts);
    const char *equals = strchr(line, '=');
    if (g_str_has_prefix(line, "command_line"))
      fact_add(facts, "monitoring", skip_word(line), "command of the monitoring");
    else if (g_str_has_prefix(line, "command[") && equals != NULL)
      fact_add(facts, "monitoring", skip_space(equals + 1), "NRPE command");
    else if (in_commands && equals != NULL)
      fact_add(facts, "monitoring", skip_space(equals + 1), "NSClient++ script");
    else if (g_str_has_prefix(line, "UserParameter=") && strchr(line, ',') != NULL)
      fact_add(facts, "monitoring", strchr(line, ',') + 1, "Zabbix parameter");
  }
}

void fact_read_domain(GPtrArray *facts, const char *path, char *const *lines) {
  bool is_resolver = g_str_has_suffix(path, "/etc/resolv.conf");
  bool is_name = g_str_has_suffix(path, "/etc/mailname") || g_str_has_suffix(path, "/etc/hostname");
  bool is_postfix = g_str_has_suffix(path, "/etc/postfix/main.cf");
  for (guint i = 0; (is_resolver || is_name || is_postfix) && lines[i] != NULL; i++) {
    const char *line = skip_space(lines[i]);
    const char *value = skip_word(line);
    if (is_comment(line))
      continue;
    if (is_resolver && (g_str_has_prefix(line, "search") || g_str_has_prefix(line, "domain"))) {
      g_autofree char *first = g_strndup(value, strcspn(value, " \t"));
      if (strchr(first, '.') != NULL)
        fact_add(facts, "mail-domain", first, "");
    } else if (is_name && strchr(line, '.') != NULL) {
      const char *dot = strchr(line, '.');
      bool is_host = g_str_has_suffix(path, "/etc/hostname");
      fact_add(facts, "mail-domain", is_host ? dot + 1 : line, "");
    } else if (is_postfix && g_str_has_prefix(line, "mydomain") && strchr(line, '=') != NULL) {
      fact_add(facts, "mail-domain", skip_space(strchr(line, '=') + 1), "");
    }
  }
}
