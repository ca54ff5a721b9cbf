/* SPDX-License-Identifier: Apache-2.0 */
/* html_marks.c - see html_marks.h. */
#include "reports/html_marks.h"
#include <string.h>

void html_marks_init(HtmlMarks *marks) {
  *marks = (HtmlMarks){g_array_new(FALSE, FALSE, sizeof(HitMark)),
                       g_array_new(FALSE, FALSE, sizeof(GapMark)), 0, 0};
}

void html_marks_clear(HtmlMarks *marks) {
  g_clear_pointer(&marks->hits, g_array_unref);
  g_clear_pointer(&marks->gaps, g_array_unref);
}

void html_marks_add_hit(HtmlMarks *marks, const HitRow *hit, guint verdict) {
  if (marks->hits->len >= MARKS_MAX) {
    marks->more_hits++;
    return;
  }
  HitMark mark = {.first_byte = hit->has_image_offset ? hit->image_offset : hit->object->first_byte,
                  .created = hit->created.seconds,
                  .modified = hit->modified.seconds,
                  .evidence = hit->evidence_no,
                  .verdict = (guint8)verdict,
                  .has_created = hit->created.is_set,
                  .has_modified = hit->modified.is_set,
                  .is_local = hit->modified.is_local || hit->created.is_local};
  g_array_append_val(marks->hits, mark);
}

void html_marks_add_gap(HtmlMarks *marks, const GapRow *gap, uint64_t volume_bytes) {
  GapMark mark = {gap->first_byte, gap->size, gap->evidence_no};
  bool is_volume =
      !gap->has_place && *gap->path == '\0' && *gap->member == '\0' &&
      (strcmp(gap->reason, "unsupported-filesystem") == 0 || strcmp(gap->reason, "encrypted") == 0);
  if (is_volume) {
    mark.first_byte = gap->volume_offset;
    mark.size = volume_bytes;
  }
  if ((is_volume || gap->has_place) && marks->gaps->len < MARKS_MAX)
    g_array_append_val(marks->gaps, mark);
  else
    marks->gaps_nowhere++;
}
