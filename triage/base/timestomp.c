/* SPDX-License-Identifier: Apache-2.0 */
/* timestomp.c - see timestomp.h. */
#include "base/timestomp.h"
#include <stddef.h>

/* Clocks are set, and machines with two systems take local time for UTC: by hours, not by days. */
enum { MARGIN_SECONDS = 86400 };

static bool is_before(const TriageTime *time, const TriageTime *other, int64_t margin) {
  int64_t limit;
  return time->is_set && other->is_set && !__builtin_sub_overflow(other->seconds, margin, &limit) &&
         time->seconds < limit;
}

static bool is_whole(const TriageTime *time) {
  return time->is_set && time->nanoseconds == 0;
}

unsigned timestomp_signs(const TriageTime standard[4], const TriageTime name[4]) {
  const TriageTime *created = &standard[0], *modified = &standard[1], *changed = &standard[2],
                   *accessed = &standard[3], *named = &name[0];
  unsigned signs = 0;
  if (named->source != TIME_NTFS_NAME || created->source != TIME_NTFS_STANDARD)
    return 0;
  if (is_before(changed, named, MARGIN_SECONDS))
    signs |= TIMESTOMP_ENTRY_BEFORE_NAME;
  if (is_before(created, named, MARGIN_SECONDS)) {
    signs |= TIMESTOMP_CREATED_BEFORE_NAME;
    if (is_whole(created) && is_whole(modified) && is_whole(accessed) && !is_whole(named))
      signs |= TIMESTOMP_WHOLE_SECONDS;
  }
  return signs;
}

bool timestomp_is(unsigned signs) {
  return (signs & (TIMESTOMP_ENTRY_BEFORE_NAME | TIMESTOMP_WHOLE_SECONDS)) != 0;
}

const char *timestomp_sign_name(unsigned sign) {
  return sign == TIMESTOMP_ENTRY_BEFORE_NAME ? "entry-before-name"
         : sign == TIMESTOMP_WHOLE_SECONDS   ? "whole-seconds"
                                             : "created-before-name";
}

const char *timestomp_sign_text(unsigned sign) {
  return sign == TIMESTOMP_ENTRY_BEFORE_NAME ? "its entry was last changed before its name was made"
         : sign == TIMESTOMP_WHOLE_SECONDS
             ? "creation, modification and access are whole seconds before its name was made"
             : "created before its name was made: moved, copied, unpacked or set";
}
