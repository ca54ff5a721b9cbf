/* SPDX-License-Identifier: Apache-2.0 */
/* image_damage.c - lists of unreadable stretches. A bad sector may be read again and again, so the
 * list stays bounded by merging; where merging does not help any more, neighbours are joined: too
 * much is then called damaged, never too little. */
#include "base/limits.h"
#include "evidence/image_format.h"

void damage_list_init(DamageList *list) {
  list->ranges = g_array_new(FALSE, FALSE, sizeof(Damage));
  list->merged = 0;
}

void damage_list_clear(DamageList *list) {
  if (list->ranges != NULL)
    g_array_unref(list->ranges);
  list->ranges = NULL;
}

static uint64_t damage_end(const Damage *damage) {
  uint64_t end;
  return g_uint64_checked_add(&end, damage->offset, damage->length) ? end : UINT64_MAX;
}

static gint damage_compare(gconstpointer a, gconstpointer b) {
  const Damage *x = a, *y = b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  if (x->reason != y->reason)
    return x->reason < y->reason ? -1 : 1;
  return x->length < y->length ? -1 : x->length > y->length;
}

static void join_neighbours(GArray *ranges) {
  guint kept = 0;
  for (guint i = 0; i < ranges->len; i += 2) {
    Damage first = g_array_index(ranges, Damage, i);
    if (i + 1 < ranges->len) {
      const Damage *second = &g_array_index(ranges, Damage, i + 1);
      first.length = MAX(damage_end(&first), damage_end(second)) - first.offset;
    }
    g_array_index(ranges, Damage, kept++) = first;
  }
  g_array_set_size(ranges, kept);
}

/* Stretches of the same reason that touch or overlap become one. Several reasons may lie over one
 * another, so the open stretch of each reason is looked for among those not yet passed. */
static void damage_merge(DamageList *list) {
  GArray *ranges = list->ranges;
  g_array_sort(ranges, damage_compare);
  guint open[TRIAGE_REASON_LAST + 1];
  for (guint i = 0; i < G_N_ELEMENTS(open); i++)
    open[i] = G_MAXUINT;
  guint kept = 0;
  for (guint i = 0; i < ranges->len; i++) {
    Damage damage = g_array_index(ranges, Damage, i);
    guint last = open[damage.reason];
    if (last != G_MAXUINT && damage.offset <= damage_end(&g_array_index(ranges, Damage, last))) {
      Damage *before = &g_array_index(ranges, Damage, last);
      before->length = MAX(damage_end(before), damage_end(&damage)) - before->offset;
      continue;
    }
    open[damage.reason] = kept;
    g_array_index(ranges, Damage, kept++) = damage;
  }
  g_array_set_size(ranges, kept);
  if (ranges->len > LIMIT_IMAGE_DAMAGE)
    join_neighbours(ranges);
  list->merged = ranges->len;
}

void damage_list_add(DamageList *list, uint64_t offset, uint64_t length, TriageReason reason) {
  if (length == 0 || (guint)reason > TRIAGE_REASON_LAST)
    return;
  GArray *ranges = list->ranges;
  Damage damage = {offset, MIN(length, UINT64_MAX - offset), reason};
  if (ranges->len > 0) {
    /* The common case: a forward read going on through a bad stretch. */
    Damage *last = &g_array_index(ranges, Damage, ranges->len - 1);
    if (last->reason == reason && last->offset <= offset && offset <= damage_end(last)) {
      last->length = MAX(damage_end(last), damage_end(&damage)) - last->offset;
      return;
    }
  }
  g_array_append_val(ranges, damage);
  if (ranges->len >= 4096 && ranges->len / 2 >= list->merged)
    damage_merge(list);
}

GArray *damage_list_get(DamageList *list) {
  damage_merge(list);
  return list->ranges;
}
