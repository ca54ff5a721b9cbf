/* SPDX-License-Identifier: Apache-2.0 */
/* corroborate_task.c - the lives of scheduled tasks and of the scripts they run: the registry's
 * cache, tasks that were deleted, tasks made for a script that was gone soon after. */
#include "assess/corroborate.h"
#include <string.h>

/* Days, not hours: the XML's own date has no zone, and a file system records no deletion; the last
 * that the deleted entry's times record stands for it. */
enum { CLOSE_SECONDS = 2 * 86400 };

static const char REGISTERED[] = "registered ";

static bool is_of_volume(const FactRef *fact, const HitView *hit) {
  return fact->volume == hit->volume && strcmp(fact->evidence, hit->evidence) == 0;
}

/* A task, live or not, whose command runs the path. */
static bool is_task_of(const ProfileSet *set, const FactRef *fact, const char *path) {
  static const char *const STORES[] = {"*/Windows/System32/Tasks/*", "*/Windows/Tasks/*",
                                       "*/WINNT/Tasks/*", "*/Windows/System32/config/SOFTWARE!/*"};
  static const char *const KINDS[] = {"task", "disabled-task", "registry-task"};
  bool is_task = false;
  for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++)
    is_task = is_task || strcmp(fact->kind, KINDS[i]) == 0;
  const char *slash = strrchr(path, '/');
  if (!is_task || strcasestr(fact->target, slash != NULL ? slash + 1 : path) == NULL)
    return false;
  for (guint i = 0; i < G_N_ELEMENTS(STORES); i++)
    if (profile_glob(STORES[i], fact->path))
      return corroborate_runs(set, fact, STORES[i], path);
  return !fact->is_live &&
         corroborate_runs(set, fact, STORES[0], path); /* its folder is gone too */
}

const FactRef *corroborate_task_cache(const ProfileSet *set, const HitView *hit) {
  g_autofree char *path = corroborate_path(hit);
  for (guint i = 0; hit->facts != NULL && i < hit->facts->len; i++) {
    const FactRef *fact = hit->facts->pdata[i];
    if (strcmp(fact->kind, "registry-task") == 0 && fact->is_live && is_of_volume(fact, hit) &&
        is_task_of(set, fact, path))
      return fact;
  }
  return NULL;
}

const char *corroborate_task_times(const HitView *hit, const FactRef *cache) {
  const char *slash = strrchr(cache->path, '/');
  size_t n = slash != NULL ? (size_t)(slash - cache->path) + 1 : 0;
  for (guint i = 0; i < hit->facts->len; i++) {
    const FactRef *fact = hit->facts->pdata[i];
    if (strcmp(fact->kind, "registry-task-times") == 0 && fact->is_live == cache->is_live &&
        is_of_volume(fact, hit) && strncmp(fact->path, cache->path, n) == 0 &&
        strchr(fact->path + n, '/') == NULL)
      return fact->detail;
  }
  return NULL;
}

/* The time that a task's record states first; 0: none. */
static int64_t registered_at(const char *detail) {
  if (detail == NULL || !g_str_has_prefix(detail, REGISTERED))
    return 0;
  const char *text = detail + strlen(REGISTERED);
  g_autofree char *date = g_strndup(text, strcspn(text, ";"));
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(date, utc);
  return when != NULL ? g_date_time_to_unix(when) : 0;
}

static bool is_close(int64_t a, int64_t b) {
  int64_t apart;
  return a != 0 && b != 0 && !__builtin_sub_overflow(a, b, &apart) && apart <= CLOSE_SECONDS &&
         apart >= -CLOSE_SECONDS;
}

const FactRef *corroborate_short_lived(const ProfileSet *set, const HitView *hit) {
  if (strcmp(hit->state, "deleted") != 0 && strcmp(hit->state, "orphan") != 0)
    return NULL;
  g_autofree char *path = corroborate_path(hit);
  for (guint i = 0; hit->facts != NULL && i < hit->facts->len; i++) {
    const FactRef *fact = hit->facts->pdata[i];
    if (!is_of_volume(fact, hit) || !is_task_of(set, fact, path))
      continue;
    bool is_cache = strcmp(fact->kind, "registry-task") == 0;
    int64_t stated = registered_at(is_cache ? corroborate_task_times(hit, fact) : fact->detail);
    if (is_close(stated, hit->last) || is_close(fact->made, hit->last))
      return fact;
  }
  return NULL;
}

const FactRef *corroborate_deleted_task(const ProfileSet *set, const HitView *hit) {
  g_autofree char *path = corroborate_path(hit);
  const FactRef *gone = NULL;
  for (guint i = 0; hit->facts != NULL && i < hit->facts->len; i++) {
    const FactRef *fact = hit->facts->pdata[i];
    if (!is_of_volume(fact, hit) || !is_task_of(set, fact, path))
      continue;
    if (fact->is_live)
      return NULL;
    int64_t stated = registered_at(fact->detail);
    if (gone == NULL && (is_close(stated, fact->last) || is_close(fact->made, fact->last)))
      gone = fact;
  }
  return gone;
}
