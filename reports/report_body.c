/* SPDX-License-Identifier: Apache-2.0 */
/* report_body.c - timeline.body: the hit objects in the body format of mactime 3, one line for each
 * path. Times of archive members are not those of a file system and stay out. */
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <string.h>

static int64_t seconds(const TriageTime *time) {
  return time->is_set ? time->seconds : 0;
}

static bool collect(void *user, const HitRow *hit) {
  GPtrArray *lines = user;
  g_auto(GStrv) parts = g_strsplit(hit->path, "|", -1);
  g_autofree char *path = g_strjoinv("\\x7c", parts);
  bool is_own = *hit->member == '\0';
  g_ptr_array_add(
      lines, g_strdup_printf("%s|%s:%u%s%s|%s|%s|0|0|%llu|%lld|%lld|%lld|%lld\n",
                             is_own ? hit->digests.md5 : "0", hit->evidence, hit->volume, path,
                             strcmp(hit->state, "allocated") != 0 ? " (deleted)" : "", hit->meta,
                             "r/rrwxrwxrwx", is_own ? (unsigned long long)hit->size : 0ULL,
                             (long long)seconds(&hit->object_accessed),
                             (long long)seconds(&hit->object_modified),
                             (long long)seconds(&hit->object_changed),
                             (long long)seconds(&hit->object_created)));
  return true;
}

static int compare(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool report_write_body(Store *store, int fd, GError **error) {
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  if (!store_each_hit(store, collect, lines, error))
    return false;
  g_ptr_array_sort(lines, compare);
  Out out;
  out_init(&out, fd);
  for (guint i = 0; i < lines->len; i++)
    if (i == 0 || strcmp(lines->pdata[i], lines->pdata[i - 1]) != 0)
      out_text(&out, lines->pdata[i]);
  return out_finish(&out, error);
}
