/* SPDX-License-Identifier: Apache-2.0 */
/* ranges.h - a set of byte ranges: which parts of a volume something covers. Added in any order and
 * overlapping; looked at merged and ascending. Holds at most about twice as many entries as there
 * are separate stretches, whatever is added. Plain arithmetic; knows no evidence. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t start, end; /* [start, end) */
} Range;

typedef struct {
  GArray *list; /* Range */
  guint merged; /* entries when it was last in order */
  bool is_merged;
} Ranges;

Ranges *ranges_new(void); /* (transfer full) */
void ranges_free(Ranges *ranges);
void ranges_init(Ranges *ranges);
void ranges_clear(Ranges *ranges); /* frees the content */
/* Nothing where start >= end. */
void ranges_add(Ranges *ranges, uint64_t start, uint64_t end);
/* Number of separate stretches, and each of them in order. (transfer none), valid until the next
 * ranges_add. */
guint ranges_n(Ranges *ranges);
const Range *ranges_get(Ranges *ranges, guint index);
/* Bytes in the set. */
uint64_t ranges_total(Ranges *ranges);
/* The first stretch at or after *at and before end that the set does not cover: [*at, *hole_end).
 * false: none. Logarithmic. */
bool ranges_next_hole(Ranges *ranges, uint64_t *at, uint64_t end, uint64_t *hole_end);
/* The same for stretches that the set does cover. */
bool ranges_next_filled(Ranges *ranges, uint64_t *at, uint64_t end, uint64_t *filled_end);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ranges, ranges_clear)
