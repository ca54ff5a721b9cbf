/* SPDX-License-Identifier: Apache-2.0 */
/* html_marks.h - where and when of every hit and gap, for the pictures: a few numbers of each. */
#pragma once
#include "store/store.h"

enum { MARKS_MAX = 4000000 }; /* of each kind; more are counted, and the pictures say so */

typedef struct {
  uint64_t first_byte; /* of the object; 0: in no one place of the evidence */
  int64_t created, modified;
  uint32_t evidence;
  guint8 verdict;
  bool has_created, has_modified, is_local;
} HitMark;

typedef struct {
  uint64_t first_byte, size;
  uint32_t evidence;
} GapMark;

typedef struct {
  GArray *hits; /* HitMark */
  GArray *gaps; /* GapMark: those with a place */
  uint64_t more_hits, gaps_nowhere;
} HtmlMarks;

void html_marks_init(HtmlMarks *marks);
void html_marks_clear(HtmlMarks *marks);
void html_marks_add_hit(HtmlMarks *marks, const HitRow *hit, guint verdict);
/* volume_bytes: of the gap's volume, for one that is about all of it. */
void html_marks_add_gap(HtmlMarks *marks, const GapRow *gap, uint64_t volume_bytes);
