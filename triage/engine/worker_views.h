/* SPDX-License-Identifier: Apache-2.0 */
/* worker_views.h - which hits of a member were met already, so that one place seen through two
 * views is one row. Knows places and rules, no encoding. */
#pragma once
#include "scan/scan.h"
#include "unpack/unpack.h"

typedef struct _SeenHits SeenHits;
SeenHits *seen_hits_new(void);
void seen_hits_free(SeenHits *seen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SeenHits, seen_hits_free)

/* A new member begins: nothing was met in it. */
void seen_hits_clear(SeenHits *seen);

/* Row no of rule, in the member's bytes or one of its views. */
typedef struct {
  uint32_t no;
  char *rule_namespace, *rule;
  uint64_t match_count;
} SeenHit;

typedef enum {
  SEEN_NEW,  /* shows something no row of the member has: to be a row, and now remembered as no */
  SEEN_ALSO, /* all of it stands in rows of the member already: rows */
  SEEN_ELSEWHERE, /* all of it lies behind own: another object's */
} SeenKind;

/* What a hit of row no is; map is the view's, NULL for the member's own bytes, of which those from
 * own on are another object's. rows (SeenHit*, (transfer none) until the next clear) is filled for
 * SEEN_ALSO. */
SeenKind seen_hits_look(SeenHits *seen, const ScanHit *hit, uint32_t no, const ViewMap *map,
                        uint64_t own, GPtrArray *rows);
