/* SPDX-License-Identifier: Apache-2.0 */
/* store_exhibit.c - counts for each piece of evidence of a case of many: one pass for each table.
 */
#include "store/store_private.h"
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static ExhibitTotals *find(GArray *exhibits, uint64_t no) {
  for (guint i = 0; i < exhibits->len; i++)
    if (g_array_index(exhibits, ExhibitTotals, i).no == no)
      return &g_array_index(exhibits, ExhibitTotals, i);
  return NULL;
}

static void take_evidence(GArray *exhibits, sqlite3_stmt *s) {
  ExhibitTotals totals = {.no = (uint32_t)column_u64(s, 0), .is_finished = column_u64(s, 1) != 0};
  g_array_append_val(exhibits, totals);
}

static void take_objects(GArray *exhibits, sqlite3_stmt *s) {
  ExhibitTotals *totals = find(exhibits, column_u64(s, 0));
  if (totals == NULL)
    return;
  totals->objects = column_u64(s, 1);
  totals->objects_pending = column_u64(s, 2);
}

static void take_results(GArray *exhibits, sqlite3_stmt *s) {
  ExhibitTotals *totals = find(exhibits, column_u64(s, 0));
  if (totals != NULL)
    totals->objects_pending -= MIN(totals->objects_pending, column_u64(s, 1));
}

static void take_gaps(GArray *exhibits, sqlite3_stmt *s) {
  ExhibitTotals *totals = find(exhibits, column_u64(s, 0));
  if (totals != NULL)
    totals->gaps = column_u64(s, 1);
}

static void take_hits(GArray *exhibits, sqlite3_stmt *s) {
  static const char *const VERDICTS[STORE_VERDICTS] = {"suspicious", "unexplained", "likely-benign",
                                                       "known-benign"};
  ExhibitTotals *totals = find(exhibits, column_u64(s, 0));
  gsize verdict = 0;
  while (verdict < STORE_VERDICTS && strcmp(VERDICTS[verdict], column_text(s, 1)) != 0)
    verdict++;
  if (totals != NULL)
    totals->hits[verdict] += column_u64(s, 2);
}

static const struct {
  const char *sql;
  void (*take)(GArray *exhibits, sqlite3_stmt *s);
} PASSES[] = {
    {"SELECT e.no, m.value IS NOT NULL FROM evidence e LEFT JOIN meta m ON m.key = 'evidence_' || "
     "e.no || '_finished' ORDER BY e.no",
     take_evidence},
    {"SELECT evidence, sum(work <> 2), sum(work = 0) FROM object GROUP BY evidence", take_objects},
    {"SELECT evidence, count(*) FROM result GROUP BY evidence", take_results},
    {"SELECT evidence, count(*) FROM gap GROUP BY evidence", take_gaps},
    {"SELECT h.evidence, h.verdict, sum(1 + (SELECT count(*) FROM name n WHERE n.evidence = "
     "h.evidence AND n.volume = h.volume AND n.seq = h.seq)) FROM hit h GROUP BY h.evidence, "
     "h.verdict",
     take_hits},
};

GArray *store_exhibits(Store *store, GError **error) {
  g_autoptr(GArray) exhibits = g_array_new(FALSE, TRUE, sizeof(ExhibitTotals));
  for (gsize i = 0; i < G_N_ELEMENTS(PASSES); i++) {
    g_autoptr(sqlite3_stmt) s = NULL;
    int rc = sqlite3_prepare_v2(store->db, PASSES[i].sql, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
      PASSES[i].take(exhibits, s);
      rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) {
      store_fail(store, "counting", error);
      return NULL;
    }
  }
  return g_steal_pointer(&exhibits);
}
