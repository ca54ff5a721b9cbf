/* SPDX-License-Identifier: Apache-2.0 */
/* across_private.h - the inside of across.h. */
#pragma once
#include "store/across.h"
#include "store/store_private.h"

struct _Across {
  sqlite3 *db;
  sqlite3_stmt *put_hit, *put_key, *put_place, *get_place;
  guint cases;
  int64_t exhibits, hits; /* rows so far */
  uint64_t not_compared;
};

bool across_fail(Across *across, GError **error);
bool across_run(Across *across, const char *sql, GError **error);
sqlite3_stmt *across_prepare(Across *across, const char *sql, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)
/* The first and the last time of a hit that can be believed and set in order with others. */
typedef struct {
  bool has;
  int64_t first, last;
  char first_kind[80], last_kind[80];
} AcrossTimes;
void across_times(const HitRow *hit, AcrossTimes *out);
