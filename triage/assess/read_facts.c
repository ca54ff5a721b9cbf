/* SPDX-License-Identifier: Apache-2.0 */
/* read_facts.c - which files may state a fact, by where they lie, and what by their content. */
#include "assess/read_content.h"
#include "assess/read_fact.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

enum { MAX_FILE = 256 * 1024, MAX_LINES = 8192 };

void fact_free(Fact *fact) {
  if (fact == NULL)
    return;
  g_free(fact->kind);
  g_free(fact->target);
  g_free(fact->detail);
  g_free(fact);
}

void fact_add(GPtrArray *facts, const char *kind, const char *target, const char *detail) {
  if (facts->len >= MAX_FACTS)
    return;
  Fact *fact = g_new0(Fact, 1);
  fact->kind = g_strdup(kind);
  fact->target = text_printable(target, strnlen(target, LIMIT_FACT_BYTES / 4));
  fact->detail = text_printable(detail, strnlen(detail, LIMIT_FACT_BYTES / 4));
  g_ptr_array_add(facts, fact);
}

char *fact_command(const char *program, const char *arguments, const char *directory) {
  const char *quote = strchr(program, ' ') != NULL && strchr(program, '"') == NULL ? "\"" : "";
  return g_strdup_printf("%s%s%s %s%s%s", quote, program, quote, arguments,
                         *directory != '\0' ? " in " : "", directory);
}

static bool is_under(const char *path, const char *part) {
  g_autofree char *low = g_ascii_strdown(path, -1);
  return strstr(low, part) != NULL;
}

static bool is_batch(const char *path) {
  size_t n = strlen(path);
  return n > 4 && (g_ascii_strcasecmp(path + n - 4, ".bat") == 0 ||
                   g_ascii_strcasecmp(path + n - 4, ".cmd") == 0);
}

/* Files of text that tell by their place what they are. */
static void read_lines(GPtrArray *facts, const char *path, char *const *lines) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  if (is_batch(path))
    fact_read_batch(facts, lines);
  else if (is_under(path, "/etc/cron.d/") || g_str_has_suffix(path, "/etc/crontab") ||
           g_str_has_suffix(path, "/etc/anacrontab"))
    fact_read_crontab(facts, lines, !g_str_has_suffix(path, "/etc/anacrontab"));
  else if (is_under(path, "/var/spool/cron/"))
    fact_read_crontab(facts, lines, false);
  else if (is_under(path, "/etc/cron.daily/") || is_under(path, "/etc/cron.weekly/") ||
           is_under(path, "/etc/cron.hourly/") || is_under(path, "/etc/cron.monthly/"))
    fact_read_script_lines(facts, "cron", lines);
  else if (is_under(path, "/systemd/") &&
           (g_str_has_suffix(name, ".service") || g_str_has_suffix(name, ".timer")))
    fact_read_unit(facts, lines);
  else if (g_str_has_suffix(name, ".cfg") || g_str_has_suffix(name, ".ini") ||
           g_str_has_suffix(name, ".conf"))
    fact_read_monitoring(facts, lines);
  fact_read_domain(facts, path, lines);
}

static bool is_candidate(const char *path) {
  static const char *const parts[] = {"/etc/cron",
                                      "/etc/anacrontab",
                                      "/var/spool/cron/",
                                      "/systemd/",
                                      "/etc/resolv.conf",
                                      "/etc/mailname",
                                      "/etc/hostname",
                                      "/etc/hosts",
                                      "nagios",
                                      "icinga",
                                      "naemon",
                                      "nsclient",
                                      "zabbix",
                                      "prtg",
                                      "shinken",
                                      "centreon",
                                      "/etc/postfix/main.cf",
                                      "/schedule/taskcache/tasks/"};
  g_autofree char *low = g_ascii_strdown(path, -1);
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
    if (strstr(low, parts[i]) != NULL)
      return true;
  return is_batch(path);
}

/* A task is told by its content; the coordinator asks where it lies. */
static bool may_be_task(const uint8_t *data, uint64_t size) {
  uint64_t n = MIN(size, 512);
  static const char wide[] = "T\0a\0s\0k\0";
  if (data[0] == 0xff || data[0] == 0xfe)
    return memmem(data, n, wide, 8) != NULL || memmem(data, n, wide, 7) != NULL;
  return (data[0] == '<' || data[0] == 0xef) && memmem(data, n, "<Task", 5) != NULL;
}

/* Mails of a store are told as members of their own: what they lie in is a fact. */
static GPtrArray *read_store(const uint8_t *data, uint64_t size, const char *store) {
  GPtrArray *facts = g_ptr_array_new_with_free_func((GDestroyNotify)fact_free);
  fact_add(facts, "mail-store", store, "");
  if (strcmp(store, "mbox") == 0)
    fact_read_mailbox(facts, data, (size_t)MIN(size, MAX_FILE));
  return facts;
}

static bool has_suffix(const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && g_ascii_strcasecmp(path + n - m, suffix) == 0;
}

/* Values of the Task Scheduler's cache; true where the path is one's. */
static bool read_task_cache(GPtrArray *facts, const char *path, const uint8_t *data, size_t n) {
  if (!is_under(path, "/schedule/taskcache/tasks/"))
    return false;
  if (has_suffix(path, "/Actions"))
    fact_read_task_actions(facts, data, n);
  else if (has_suffix(path, "/DynamicInfo"))
    fact_read_task_times(facts, path, data, n);
  return true;
}

GPtrArray *facts_read(const char *path, const uint8_t *data, uint64_t size) {
  if (size == 0)
    return NULL;
  const char *store = content_mail_store(data, size);
  if (store != NULL)
    return read_store(data, size, store);
  if (size > MAX_FILE)
    return NULL;
  bool is_task = may_be_task(data, size), is_job = fact_is_job(data, size);
  if (!is_task && !is_job && !is_candidate(path))
    return NULL;
  GPtrArray *facts = g_ptr_array_new_with_free_func((GDestroyNotify)fact_free);
  if (read_task_cache(facts, path, data, (size_t)size))
    return facts;
  if (is_task) {
    fact_read_task(facts, data, (size_t)size);
  } else if (is_job) {
    fact_read_job(facts, data, (size_t)size);
  } else if (memchr(data, '\0', (size_t)size) == NULL) {
    g_autofree char *text = g_strndup((const char *)data, (size_t)size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", MAX_LINES);
    for (guint i = 0; lines[i] != NULL; i++)
      g_strchomp(lines[i]);
    read_lines(facts, path, lines);
  }
  return facts;
}
