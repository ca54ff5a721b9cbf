/* SPDX-License-Identifier: Apache-2.0 */
/* coord_progress.c - one line on a terminal that says how far the run is. */
#include "engine/coord_private.h"
#include <stdio.h>

void progress_clear(Progress *progress) {
  if (progress->has_line)
    fputs("\r\033[K", stderr);
  progress->has_line = false;
}

void progress_show(Progress *progress, bool now) {
  gint64 time = g_get_monotonic_time();
  if (!progress->is_shown || (!now && time - progress->shown_at < G_USEC_PER_SEC / 4))
    return;
  progress->shown_at = time;
  double seconds = (double)(time - progress->started) / G_USEC_PER_SEC;
  uint64_t bytes = progress->bytes + progress->in_hand;
  double rate = seconds > 0 ? (double)bytes / seconds : 0;
  g_autofree char *done = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *total = g_format_size_full(progress->bytes_total, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *speed = g_format_size_full((guint64)rate, G_FORMAT_SIZE_IEC_UNITS);
  char left[32] = "";
  if (rate > 0 && progress->bytes_total > bytes && seconds > 2) {
    uint64_t rest = (uint64_t)((double)(progress->bytes_total - bytes) / rate);
    snprintf(left, sizeof left, ", %u:%02u:%02u left", (unsigned)(rest / 3600),
             (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
  }
  fprintf(stderr, "\r\033[K%s: %s%s%s of %s, %llu of %llu objects, %llu hits, %s/s%s",
          progress->phase, progress->doing != NULL ? progress->doing : "",
          progress->doing != NULL ? ", " : "", done, total, (unsigned long long)progress->objects,
          (unsigned long long)progress->objects_total, (unsigned long long)progress->hits, speed,
          left);
  fflush(stderr);
  progress->has_line = true;
}
