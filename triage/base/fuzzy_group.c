/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzy_group.c - from each digest outwards: what is like it leaves the list of those that are
 * still looked at. How often each letter stands in two parts bounds their distance from below, and
 * costs a hundredth of it: most pairs are settled by that. */
#include "base/fuzzy_group.h"
#include <string.h>

enum { ALPHABET = 64 };

typedef struct {
  uint8_t counts[2][ALPHABET];
} Histogram;

typedef struct {
  const Fuzzy *all;
  Histogram *histograms;
  GHashTable *waiting;    /* block -> GArray of guint: in no group yet */
  GHashTable *short_ones; /* hash of both parts -> GArray of guint: the same for those too short */
  guint least;
} Grouping;

static guint letter_index(char letter) {
  if (letter >= 'a')
    return (guint)(letter - 'a') + 26;
  if (letter >= 'A')
    return (guint)(letter - 'A');
  return letter >= '0' ? (guint)(letter - '0') + 52 : letter == '+' ? 62u : 63u;
}

static guint difference(const uint8_t *a, const uint8_t *b) {
  guint sum = 0;
  for (guint i = 0; i < ALPHABET; i++)
    sum += (guint)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
  return sum;
}

/* False where the two parts cannot score as much as is asked for. */
static bool may_be_like(const Grouping *g, guint a, gsize part_a, guint b, gsize part_b) {
  guint letters = (guint)g->all[a].n[part_a] + g->all[b].n[part_b];
  guint points = ((101 - g->least) * FUZZY_PART - 1) / 100;
  guint most = letters > 0 ? ((points + 1) * letters - 1) / FUZZY_PART : 0;
  return letters > 0 &&
         difference(g->histograms[a].counts[part_a], g->histograms[b].counts[part_b]) <= most;
}

static bool is_like(const Grouping *g, guint a, guint b) {
  uint32_t block_a = g->all[a].block, block_b = g->all[b].block;
  bool may = block_a == block_b  ? may_be_like(g, a, 0, b, 0) || may_be_like(g, a, 1, b, 1)
             : block_a < block_b ? may_be_like(g, a, 1, b, 0)
                                 : may_be_like(g, a, 0, b, 1);
  return may && fuzzy_compare(&g->all[a], &g->all[b]) >= g->least;
}

/* The most that a part can score with another: fuzzy_compare caps it by length. */
static bool is_capped(const Grouping *g, uint64_t block, guint n) {
  enum { UNCAPPED = 45, BLOCK_MIN = 3 };
  return block < UNCAPPED && block / BLOCK_MIN * n < g->least;
}

/* Like nothing but what has the same parts: it need not be held against anything else. */
static bool is_short(const Grouping *g, guint i) {
  const Fuzzy *fuzzy = &g->all[i];
  return is_capped(g, fuzzy->block, fuzzy->n[0]) &&
         is_capped(g, 2 * (uint64_t)fuzzy->block, fuzzy->n[1]);
}

static guint hash_of(const Fuzzy *fuzzy) {
  guint hash = fuzzy->block;
  for (gsize part = 0; part < 2; part++)
    for (guint k = 0; k < fuzzy->n[part]; k++)
      hash = hash * 31 + (guint8)fuzzy->part[part][k];
  return hash;
}

static bool is_equal(const Fuzzy *a, const Fuzzy *b) {
  return a->block == b->block && a->n[0] == b->n[0] && a->n[1] == b->n[1] &&
         memcmp(a->part[0], b->part[0], a->n[0]) == 0 &&
         memcmp(a->part[1], b->part[1], a->n[1]) == 0;
}

static void take_equal(const Grouping *g, guint from, GArray *queue) {
  const GArray *same = g_hash_table_lookup(g->short_ones, GUINT_TO_POINTER(hash_of(&g->all[from])));
  for (guint i = 0; same != NULL && i < same->len; i++) {
    guint other = g_array_index(same, guint, i);
    if (other > from && is_equal(&g->all[from], &g->all[other]))
      g_array_append_val(queue, other);
  }
}

static void take_like(const Grouping *g, guint from, uint64_t block, GArray *queue) {
  GArray *waiting =
      block <= UINT32_MAX ? g_hash_table_lookup(g->waiting, GUINT_TO_POINTER((guint)block)) : NULL;
  for (guint i = 0; waiting != NULL && i < waiting->len;) {
    guint other = g_array_index(waiting, guint, i);
    if (!is_like(g, from, other)) {
      i++;
      continue;
    }
    if (other != from)
      g_array_append_val(queue, other);
    g_array_remove_index_fast(waiting, i);
  }
}

static void begin(Grouping *g, guint n) {
  g->histograms = g_new0(Histogram, MAX(n, 1));
  g->waiting =
      g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)g_array_unref);
  g->short_ones =
      g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)g_array_unref);
  for (guint i = 0; i < n; i++) {
    for (gsize part = 0; part < 2; part++)
      for (guint k = 0; k < g->all[i].n[part]; k++)
        g->histograms[i].counts[part][letter_index(g->all[i].part[part][k])]++;
    bool alone = is_short(g, i);
    GHashTable *table = alone ? g->short_ones : g->waiting;
    gpointer key = GUINT_TO_POINTER(alone ? hash_of(&g->all[i]) : g->all[i].block);
    GArray *waiting = g_hash_table_lookup(table, key);
    if (waiting == NULL) {
      waiting = g_array_new(FALSE, FALSE, sizeof(guint));
      g_hash_table_insert(table, key, waiting);
    }
    g_array_append_val(waiting, i);
  }
}

guint *fuzzy_group(const Fuzzy *all, guint n, guint least) {
  Grouping g = {.all = all, .least = CLAMP(least, 1, 100)};
  begin(&g, n);
  guint *group = g_new(guint, MAX(n, 1));
  g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < n; i++)
    group[i] = n;
  for (guint i = 0; i < n; i++) {
    if (group[i] < n)
      continue;
    g_array_set_size(queue, 0);
    g_array_append_val(queue, i);
    for (guint at = 0; at < queue->len; at++) {
      guint from = g_array_index(queue, guint, at);
      group[from] = i;
      if (is_short(&g, from)) {
        if (from == i) /* the first of them finds all */
          take_equal(&g, from, queue);
        continue;
      }
      take_like(&g, from, all[from].block, queue);
      take_like(&g, from, (uint64_t)all[from].block * 2, queue);
      if (all[from].block % 2 == 0)
        take_like(&g, from, all[from].block / 2, queue);
    }
  }
  g_hash_table_unref(g.waiting);
  g_hash_table_unref(g.short_ones);
  g_free(g.histograms);
  return group;
}
