/* SPDX-License-Identifier: Apache-2.0 */
/* ranges.c - byte ranges in an array that is sorted and merged when it has doubled. */
#include "evidence/ranges.h"

enum { MERGE_FROM = 1024 };

void ranges_init(Ranges *ranges) {
  ranges->list = g_array_new(FALSE, FALSE, sizeof(Range));
  ranges->merged = 0;
  ranges->is_merged = true;
}

void ranges_clear(Ranges *ranges) {
  g_clear_pointer(&ranges->list, g_array_unref);
}

Ranges *ranges_new(void) {
  Ranges *ranges = g_new0(Ranges, 1);
  ranges_init(ranges);
  return ranges;
}

void ranges_free(Ranges *ranges) {
  if (ranges == NULL)
    return;
  ranges_clear(ranges);
  g_free(ranges);
}

static gint compare(gconstpointer a, gconstpointer b) {
  const Range *x = a, *y = b;
  return x->start != y->start ? (x->start < y->start ? -1 : 1)
                              : (x->end > y->end) - (x->end < y->end);
}

static void merge(Ranges *ranges) {
  if (ranges->is_merged)
    return;
  g_array_sort(ranges->list, compare);
  guint kept = 0;
  for (guint i = 0; i < ranges->list->len; i++) {
    Range range = g_array_index(ranges->list, Range, i);
    Range *last = kept > 0 ? &g_array_index(ranges->list, Range, kept - 1) : NULL;
    if (last != NULL && range.start <= last->end)
      last->end = MAX(last->end, range.end);
    else
      g_array_index(ranges->list, Range, kept++) = range;
  }
  g_array_set_size(ranges->list, kept);
  ranges->merged = kept;
  ranges->is_merged = true;
}

void ranges_add(Ranges *ranges, uint64_t start, uint64_t end) {
  if (start >= end)
    return;
  Range *last =
      ranges->list->len > 0 ? &g_array_index(ranges->list, Range, ranges->list->len - 1) : NULL;
  if (last != NULL && last->end == start) { /* what follows on is the common case */
    last->end = end;
    return;
  }
  Range range = {start, end};
  g_array_append_val(ranges->list, range);
  ranges->is_merged = false;
  if (ranges->list->len >= MERGE_FROM && ranges->list->len / 2 >= ranges->merged)
    merge(ranges);
}

guint ranges_n(Ranges *ranges) {
  merge(ranges);
  return ranges->list->len;
}

const Range *ranges_get(Ranges *ranges, guint index) {
  merge(ranges);
  return &g_array_index(ranges->list, Range, index);
}

uint64_t ranges_total(Ranges *ranges) {
  uint64_t total = 0;
  for (guint i = 0; i < ranges_n(ranges); i++) {
    const Range *range = ranges_get(ranges, i);
    total += range->end - range->start;
  }
  return total;
}

/* The first stretch that ends after a place; ranges_n where there is none. */
static guint find(Ranges *ranges, uint64_t place) {
  guint low = 0, high = ranges_n(ranges);
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index(ranges->list, Range, middle).end > place)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

bool ranges_next_hole(Ranges *ranges, uint64_t *at, uint64_t end, uint64_t *hole_end) {
  guint i = find(ranges, *at), n = ranges_n(ranges);
  if (i < n && g_array_index(ranges->list, Range, i).start <= *at)
    *at = g_array_index(ranges->list, Range, i++).end;
  if (*at >= end)
    return false;
  *hole_end = i < n ? MIN(end, g_array_index(ranges->list, Range, i).start) : end;
  return true;
}

bool ranges_next_filled(Ranges *ranges, uint64_t *at, uint64_t end, uint64_t *filled_end) {
  guint i = find(ranges, *at);
  if (i >= ranges_n(ranges))
    return false;
  const Range *range = &g_array_index(ranges->list, Range, i);
  if (MAX(range->start, *at) >= end)
    return false;
  *at = MAX(range->start, *at);
  *filled_end = MIN(end, range->end);
  return true;
}
