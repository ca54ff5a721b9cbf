/* SPDX-License-Identifier: Apache-2.0 */
/* store_note.c - what people have noted on hits, by the hits' identifiers. No result depends on it.
 */
#include "store/store_private.h"

bool store_put_note(Store *store, const NoteRecord *note, GError **error) {
  bool is_empty = *note->tag == '\0' && *note->text == '\0';
  Binder binder = {store_statement(store, is_empty ? SQL_DROP_NOTE : SQL_PUT_NOTE, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_text(&binder, note->hit_id);
  if (!is_empty) {
    bind_text(&binder, note->tag);
    bind_text(&binder, note->text);
  }
  return store_run(store, binder.statement, error);
}

bool store_each_note(Store *store, bool (*row)(void *user, const NoteRecord *note), void *user,
                     GError **error) {
  sqlite3_stmt *statement = store_statement(store, SQL_GET_NOTES, error);
  if (statement == NULL)
    return false;
  for (;;) {
    int status = sqlite3_step(statement);
    if (status != SQLITE_ROW) {
      bool ok = status == SQLITE_DONE || store_fail(store, "reading notes", error);
      sqlite3_reset(statement);
      return ok;
    }
    NoteRecord note = {column_text(statement, 0), column_text(statement, 1),
                       column_text(statement, 2)};
    if (!row(user, &note)) {
      sqlite3_reset(statement);
      return true;
    }
  }
}
