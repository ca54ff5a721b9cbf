/* SPDX-License-Identifier: Apache-2.0 */
/* store_ground.c - the grounds of verdicts. */
#include "store/store_private.h"

static bool put_ground(Store *store, int64_t hit, const GroundRecord *ground, GError **error) {
  Binder binder = {store_statement(store, SQL_PUT_GROUND, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, (uint64_t)hit);
  bind_u64(&binder, ground->rank);
  bind_text(&binder, ground->id);
  bind_text(&binder, ground->weight);
  bind_text(&binder, ground->text);
  return store_run(store, binder.statement, error);
}

bool store_put_grounds(Store *store, int64_t hit_rowid, const GroundRecord *grounds, guint n,
                       GError **error) {
  Binder binder = {store_statement(store, SQL_CLEAR_GROUNDS, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, (uint64_t)hit_rowid);
  bool ok = store_run(store, binder.statement, error);
  for (guint i = 0; ok && i < n; i++)
    ok = put_ground(store, hit_rowid, &grounds[i], error);
  return ok;
}

bool store_each_ground(Store *store, int64_t hit_rowid,
                       bool (*row)(void *user, const GroundRecord *ground), void *user,
                       GError **error) {
  sqlite3_stmt *statement = store_statement(store, SQL_GET_GROUNDS, error);
  if (statement == NULL)
    return false;
  sqlite3_bind_int64(statement, 1, hit_rowid);
  for (;;) {
    int status = sqlite3_step(statement);
    if (status != SQLITE_ROW) {
      bool ok = status == SQLITE_DONE || store_fail(store, "reading grounds", error);
      sqlite3_reset(statement);
      return ok;
    }
    GroundRecord ground = {column_text(statement, 0), column_text(statement, 1),
                           column_text(statement, 2), (guint)column_u64(statement, 3)};
    if (!row(user, &ground)) {
      sqlite3_reset(statement);
      return true;
    }
  }
}
