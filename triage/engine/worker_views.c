/* SPDX-License-Identifier: Apache-2.0 */
/* worker_views.c - the places of a member's hits, by rule and string. */
#include "engine/worker_views.h"
#include "base/keyhash.h"

struct _SeenHits {
  GHashTable *places; /* key of a match -> SeenHit*; key of a rule -> its first SeenHit */
  GPtrArray *rows;    /* SeenHit* */
};

static void seen_hit_free(gpointer pointer) {
  SeenHit *row = pointer;
  g_free(row->rule_namespace);
  g_free(row->rule);
  g_free(row);
}

SeenHits *seen_hits_new(void) {
  SeenHits *seen = g_new0(SeenHits, 1);
  seen->places = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  seen->rows = g_ptr_array_new_with_free_func(seen_hit_free);
  return seen;
}

void seen_hits_free(SeenHits *seen) {
  if (seen == NULL)
    return;
  g_hash_table_unref(seen->places);
  g_ptr_array_unref(seen->rows);
  g_free(seen);
}

void seen_hits_clear(SeenHits *seen) {
  g_hash_table_remove_all(seen->places);
  g_ptr_array_set_size(seen->rows, 0);
}

static char *rule_key(const ScanHit *hit) {
  return g_strdup_printf("%s\n%s", hit->rule_namespace, hit->rule);
}

/* NULL where the match's place is not known. */
static char *match_key(const ScanHit *hit, const ScanMatch *match, const ViewMap *map,
                       uint64_t *from) {
  uint64_t end;
  if (!unpack_view_place(map, match->offset, match->length, from, &end))
    return NULL;
  return g_strdup_printf("%s\n%s\n%s\n%" G_GINT64_MODIFIER "x\n%" G_GINT64_MODIFIER "x",
                         hit->rule_namespace, hit->rule, match->identifier, *from, end);
}

static void add_row(GPtrArray *rows, SeenHit *row) {
  if (!g_ptr_array_find(rows, row, NULL))
    g_ptr_array_add(rows, row);
}

static void remember(SeenHits *seen, const ScanHit *hit, uint32_t no, GPtrArray *keys) {
  SeenHit *row = g_new0(SeenHit, 1);
  row->no = no;
  row->rule_namespace = g_strdup(hit->rule_namespace);
  row->rule = g_strdup(hit->rule);
  row->match_count = hit->match_count;
  g_ptr_array_add(seen->rows, row);
  g_autofree char *rule = rule_key(hit);
  if (!g_hash_table_contains(seen->places, rule))
    g_hash_table_insert(seen->places, g_steal_pointer(&rule), row);
  for (guint i = 0; i < keys->len; i++)
    if (!g_hash_table_contains(seen->places, keys->pdata[i]))
      g_hash_table_insert(seen->places, g_strdup(keys->pdata[i]), row);
}

SeenKind seen_hits_look(SeenHits *seen, const ScanHit *hit, uint32_t no, const ViewMap *map,
                        uint64_t own, GPtrArray *rows) {
  g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
  bool is_new = false;
  guint n_elsewhere = 0;
  for (guint i = 0; i < hit->matches->len; i++) {
    uint64_t from = 0;
    char *key = match_key(hit, hit->matches->pdata[i], map, &from);
    SeenHit *row = key != NULL ? g_hash_table_lookup(seen->places, key) : NULL;
    if (key != NULL && from >= own)
      n_elsewhere++;
    else if (row == NULL)
      is_new = true;
    else
      add_row(rows, row);
    if (key != NULL)
      g_ptr_array_add(keys, key);
  }
  if (hit->matches->len > 0 && n_elsewhere == hit->matches->len)
    return SEEN_ELSEWHERE;
  if (hit->matches->len == 0) { /* true without a string: as true of the member as of its views */
    g_autofree char *rule = rule_key(hit);
    SeenHit *row = g_hash_table_lookup(seen->places, rule);
    is_new = row == NULL;
    if (row != NULL)
      add_row(rows, row);
  }
  /* Of very many matches only the first were kept: those behind may be new. */
  for (guint i = 0; i < rows->len && hit->match_count > hit->matches->len; i++)
    is_new = is_new || hit->match_count > ((SeenHit *)rows->pdata[i])->match_count;
  if (!is_new)
    return SEEN_ALSO;
  remember(seen, hit, no, keys);
  return SEEN_NEW;
}
