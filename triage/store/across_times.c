/* SPDX-License-Identifier: Apache-2.0 */
/* across_times.c - which of a hit's times count: of known zone, later than the day on which DOS
 * begins to count, nobody's mere word (a mail's Date), and where the two records of NTFS contradict
 * each other that of the name, which programs do not set. Of the run nothing counts: the same
 * evidence gives the same times whenever it is examined. */
#include "base/timestomp.h"
#include "store/across_private.h"

#define NANOSECONDS INT64_C(1000000000)
#define DOS_BEGINS INT64_C(315619200) /* 1980-01-02: the day before is what no clock has set */
#define FAR_OFF INT64_C(7258118400)   /* 2200-01-01 */

static void take(AcrossTimes *out, const TriageTime *time, const char *word, bool is_named,
                 bool is_stomped) {
  bool is_doubtful = is_stomped && !is_named && time->source == TIME_NTFS_STANDARD;
  if (!time->is_set || time->is_local || time->is_date || time->seconds < DOS_BEGINS ||
      time->seconds > FAR_OFF || time->source == TIME_MAIL || is_doubtful)
    return;
  int64_t at = time->seconds * NANOSECONDS + time->nanoseconds;
  const char *source = triage_time_source_name(time->source);
  char kind[80];
  g_snprintf(kind, sizeof kind, *source != '\0' ? "%s (%s)" : "%s", word, source);
  if (!out->has || at < out->first) {
    out->first = at;
    g_strlcpy(out->first_kind, kind, sizeof out->first_kind);
  }
  if (!out->has || at > out->last) {
    out->last = at;
    g_strlcpy(out->last_kind, kind, sizeof out->last_kind);
  }
  out->has = true;
}

void across_times(const HitRow *hit, AcrossTimes *out) {
  const struct {
    const TriageTime *time;
    const char *word;
    bool is_named;
  } ALL[] = {{&hit->created, "created", false},     {&hit->modified, "modified", false},
             {&hit->changed, "changed", false},     {&hit->accessed, "accessed", false},
             {&hit->name_created, "created", true}, {&hit->name_modified, "modified", true},
             {&hit->name_changed, "changed", true}, {&hit->name_accessed, "accessed", true}};
  *out = (AcrossTimes){.has = false};
  bool is_stomped = hit->has_name_times && timestomp_is(hit->timestomp);
  for (gsize i = 0; i < G_N_ELEMENTS(ALL); i++)
    take(out, ALL[i].time, ALL[i].word, ALL[i].is_named, is_stomped);
}

void across_time(int64_t nanoseconds, char *out, gsize size) {
  TriageTime time = {.seconds = nanoseconds / NANOSECONDS,
                     .nanoseconds = (uint32_t)(nanoseconds % NANOSECONDS),
                     .is_set = true};
  triage_time_format(&time, out, size);
}
