/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_map.c - where the bytes of a logical volume lie. Its segments lie on physical volumes or on
 * further logical ones; a group's extents are used once each (lvm_group.c), so that no walk over
 * them is longer than the description itself. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include "evidence/lvm.h"
#include <string.h>

static LvmLogical *logical_of(const LvmGroup *group, const LvmArea *area) {
  return group->logical->pdata[area->index];
}

/* Stripes on stripes that do not begin where those below do are as many pieces as there are
 * stripes, again with every copy that is looked at. */
static bool is_spent(const LvmGroup *group) {
  return group->n_pieces > LIMIT_LVM_PIECES;
}

/* The copy of a column that is read: the first. */
static LvmArea *area_at(const LvmSegment *segment, uint64_t column) {
  return &((LvmArea *)(void *)segment->areas->data)[column * segment->copies];
}

/* ---- can it be read, and by which copies ---- */

static void add_area(LvmGroup *group, const LvmArea *area, uint64_t at, uint64_t length,
                     uint64_t shown, GArray *out);

static bool is_whole(LvmGroup *group, const LvmArea *area, uint64_t extents) {
  g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(LvmPiece));
  add_area(group, area, 0, extents * group->extent_bytes, 0, pieces);
  bool whole = !is_spent(group);
  for (guint i = 0; i < pieces->len; i++)
    whole = whole && g_array_index(pieces, LvmPiece, i).physical != NULL;
  return whole;
}

static int rank_of(LvmGroup *group, const LvmArea *area, uint64_t extents) {
  const LvmLogical *logical = area->is_logical ? logical_of(group, area) : NULL;
  if (logical != NULL && logical->why != NULL)
    return 0;
  if (!is_whole(group, area, extents))
    return 1;
  return logical != NULL && logical->is_rebuilding ? 2 : 3;
}

/* The first copy that is whole and not being rebuilt comes to the front; else the best there is. */
static void choose_copies(LvmGroup *group, LvmSegment *segment) {
  for (guint column = 0; column < segment->columns && segment->copies > 1; column++) {
    LvmArea *areas = area_at(segment, column);
    guint best = 0;
    int best_rank = -1;
    for (guint i = 0; i < segment->copies; i++) {
      int rank = rank_of(group, &areas[i], segment->count / segment->columns);
      best = rank > best_rank ? i : best;
      best_rank = MAX(best_rank, rank);
    }
    LvmArea first = areas[0];
    areas[0] = areas[best];
    areas[best] = first;
  }
}

static void give_up(LvmLogical *logical, TriageReason reason, const char *why) {
  if (logical->why != NULL)
    return;
  logical->reason = reason;
  logical->why = g_strdup(why);
}

/* Depth first: the parts of a volume before it. 0 while it is on the way: met again, it loops. */
static guint settle(LvmGroup *group, LvmLogical *logical, guint above) {
  enum { ON_THE_WAY = G_MAXINT };
  if (logical->depth == ON_THE_WAY || above > LIMIT_LVM_NESTING)
    return ON_THE_WAY;
  if (logical->depth != 0)
    return logical->depth;
  logical->depth = ON_THE_WAY;
  guint depth = 0;
  for (guint i = 0; i < logical->segments->len && logical->why == NULL; i++) {
    LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, i);
    guint n_readable = 0;
    for (guint k = 0; k < segment->areas->len; k++) {
      const LvmArea *area = &g_array_index(segment->areas, LvmArea, k);
      guint inside = area->is_logical ? settle(group, logical_of(group, area), above + 1) : 0;
      n_readable += !area->is_logical || logical_of(group, area)->why == NULL;
      depth = MAX(depth, inside);
    }
    if (depth < LIMIT_LVM_NESTING && n_readable < segment->areas->len &&
        (segment->copies == 1 || n_readable == 0))
      give_up(logical, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "it is made of another that cannot be read");
    if (depth < LIMIT_LVM_NESTING && logical->why == NULL)
      choose_copies(group, segment);
  }
  if (depth >= LIMIT_LVM_NESTING)
    give_up(logical, TRIAGE_REASON_CORRUPT, "it is made of itself, or of too many others in turn");
  logical->depth = MIN(depth + 1, LIMIT_LVM_NESTING);
  return logical->depth;
}

void lvm_map_settle(LvmGroup *group) {
  for (guint i = 0; i < group->logical->len; i++)
    settle(group, group->logical->pdata[i], 0);
}

/* ---- all pieces ---- */

static void add_pieces(LvmGroup *group, const LvmLogical *logical, uint64_t start, uint64_t end,
                       uint64_t shown, GArray *out);

static void add_lack(GArray *out, uint64_t logical, uint64_t length, TriageReason reason) {
  LvmPiece piece = {.logical = logical, .length = length, .reason = reason};
  if (length > 0)
    g_array_append_val(out, piece);
}

static void add_area(LvmGroup *group, const LvmArea *area, uint64_t at, uint64_t length,
                     uint64_t shown, GArray *out) {
  group->n_pieces++;
  if (is_spent(group))
    return;
  uint64_t inside = area->extent * group->extent_bytes + at;
  if (area->is_logical) {
    add_pieces(group, logical_of(group, area), inside, inside + length, shown, out);
    return;
  }
  const LvmPhysical *physical = group->physical->pdata[area->index];
  uint64_t place = physical->start + inside;
  uint64_t room = physical->is_here && place < physical->base.length
                      ? MIN(length, physical->base.length - place)
                      : 0;
  LvmPiece piece = {.logical = shown, .length = room, .physical = physical, .place = place};
  if (room > 0)
    g_array_append_val(out, piece);
  add_lack(out, shown + room, length - room,
           physical->is_here ? TRIAGE_REASON_TRUNCATED : TRIAGE_REASON_MISSING_SEGMENT);
}

/* Whole stripes of every column in one piece each, what is left over at both ends by itself. Where
 * a column lacks, the whole counts as lacking: what is left of it is examined with its PV. */
static void add_stripes(LvmGroup *group, const LvmSegment *segment, uint64_t from, uint64_t to,
                        uint64_t shown, GArray *out) {
  uint64_t stripe = segment->stripe_bytes, row = stripe * segment->columns;
  uint64_t first_row = (from + row - 1) / row, end_row = to / row;
  guint before = out->len;
  for (uint64_t at = from; at < to && !is_spent(group);) {
    bool is_row = at == first_row * row && first_row < end_row;
    uint64_t take = is_row ? (end_row - first_row) * row : MIN(to - at, stripe - at % stripe);
    for (guint i = 0; is_row && i < segment->columns; i++)
      add_area(group, area_at(segment, i), first_row * stripe, (end_row - first_row) * stripe,
               shown + at - from, out);
    if (!is_row)
      add_area(group, area_at(segment, at / stripe % segment->columns),
               at / row * stripe + at % stripe, take, shown + at - from, out);
    at += take;
  }
  for (guint i = before; i < out->len; i++) {
    LvmPiece piece = g_array_index(out, LvmPiece, i);
    if (piece.physical != NULL)
      continue;
    g_array_set_size(out, before);
    add_lack(out, shown, to - from, piece.reason);
    return;
  }
}

/* The first segment that ends behind an extent. */
static guint find_segment(const LvmLogical *logical, uint64_t extent) {
  guint low = 0, high = logical->segments->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, middle);
    if (segment->start + segment->count > extent)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* From start to end of a logical volume, which shows from shown on in the one asked for. */
static void add_pieces(LvmGroup *group, const LvmLogical *logical, uint64_t start, uint64_t end,
                       uint64_t shown, GArray *out) {
  for (guint i = find_segment(logical, start / group->extent_bytes);
       i < logical->segments->len && start < end && !is_spent(group); i++) {
    const LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, i);
    uint64_t base = segment->start * group->extent_bytes;
    uint64_t to = MIN(end, base + segment->count * group->extent_bytes);
    group->n_pieces++;
    if (logical->why != NULL || segment->columns == 0)
      add_lack(out, shown, to - start, TRIAGE_REASON_MISSING_SEGMENT);
    else if (segment->columns == 1)
      add_area(group, &g_array_index(segment->areas, LvmArea, 0), start - base, to - start, shown,
               out);
    else
      add_stripes(group, segment, start - base, to - base, shown, out);
    shown += to - start;
    start = to;
  }
}

GArray *lvm_map_pieces(LvmGroup *group, const LvmLogical *logical) {
  g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(LvmPiece));
  add_pieces(group, logical, 0, logical->extents * group->extent_bytes, 0, out);
  return is_spent(group) ? NULL : g_steal_pointer(&out);
}

/* ---- reading ---- */

typedef struct {
  const LvmGroup *group;
  uint64_t asked; /* place in the volume that was asked for */
  bool is_passing;
} Reading;

/* As with all derived media damage is told of the media, about as far in. */
static void tell_lack(const Reading *reading, uint64_t done, size_t n, TriageReason reason) {
  uint64_t size = image_size(reading->group->media);
  uint64_t place = MIN(reading->asked + done, size - MIN(size, n));
  image_tell_damage(reading->group->media, place, n, reason);
}

static void read_physical(const Reading *reading, const LvmPhysical *physical, uint64_t place,
                          uint64_t done, uint8_t *buffer, size_t n) {
  const DerivedBase *base = &physical->base;
  size_t room = physical->is_here && place < base->length
                    ? (size_t)MIN((uint64_t)n, base->length - place)
                    : 0;
  if (room > 0)
    (reading->is_passing ? image_read_passing : image_read)(base->base, base->offset + place,
                                                            buffer, room);
  if (room == n)
    return;
  memset(buffer + room, 0, n - room);
  tell_lack(reading, done + room, n - room,
            physical->is_here ? TRIAGE_REASON_TRUNCATED : TRIAGE_REASON_MISSING_SEGMENT);
}

static void read_logical(const Reading *reading, const LvmLogical *logical, uint64_t offset,
                         uint64_t done, uint8_t *buffer, size_t n);

static void read_area(const Reading *reading, const LvmArea *area, uint64_t at, uint64_t done,
                      uint8_t *buffer, size_t n) {
  const LvmGroup *group = reading->group;
  uint64_t inside = area->extent * group->extent_bytes + at;
  if (area->is_logical)
    read_logical(reading, logical_of(group, area), inside, done, buffer, n);
  else
    read_physical(reading, group->physical->pdata[area->index],
                  ((const LvmPhysical *)group->physical->pdata[area->index])->start + inside, done,
                  buffer, n);
}

static void read_logical(const Reading *reading, const LvmLogical *logical, uint64_t offset,
                         uint64_t done, uint8_t *buffer, size_t n) {
  const LvmGroup *group = reading->group;
  for (guint i = find_segment(logical, offset / group->extent_bytes);
       n > 0 && i < logical->segments->len;) {
    const LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, i);
    uint64_t base = segment->start * group->extent_bytes, at = offset - base;
    uint64_t left = segment->count * group->extent_bytes - at, column = 0;
    if (segment->columns > 1) {
      uint64_t stripe = segment->stripe_bytes, number = at / stripe;
      column = number % segment->columns;
      left = stripe - at % stripe;
      at = number / segment->columns * stripe + at % stripe;
    }
    size_t take = (size_t)MIN((uint64_t)n, left);
    if (segment->columns == 0 || logical->why != NULL) {
      memset(buffer, 0, take);
      tell_lack(reading, done, take, TRIAGE_REASON_MISSING_SEGMENT);
    } else {
      read_area(reading, area_at(segment, column), at, done, buffer, take);
    }
    offset += take, done += take, buffer += take, n -= take;
    if (offset == base + segment->count * group->extent_bytes)
      i++;
  }
}

void lvm_map_read(const LvmGroup *group, const LvmLogical *logical, uint64_t offset,
                  uint8_t *buffer, size_t n, bool is_passing) {
  Reading reading = {group, offset, is_passing};
  read_logical(&reading, logical, offset, 0, buffer, n);
}
