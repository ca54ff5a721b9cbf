/* SPDX-License-Identifier: Apache-2.0 */
/* store_times.c - the two records of times that NTFS keeps, of the object and of a member, and what
 * they say together. */
#include "base/timestomp.h"
#include "store/store_private.h"

static bool take_names(HitRow *row, const TriageTime name[4]) {
  bool has = false;
  for (guint i = 0; i < 4; i++)
    has = has || name[i].is_set;
  if (!has)
    return false;
  row->has_name_times = true;
  row->name_created = name[0];
  row->name_modified = name[1];
  row->name_changed = name[2];
  row->name_accessed = name[3];
  return true;
}

void store_both_records(sqlite3_stmt *statement, int at, const Object *object, HitRow *row) {
  const TriageTime standard[] = {object->created, object->modified, object->changed,
                                 object->accessed};
  const TriageTime name[] = {object->name_created, object->name_modified, object->name_changed,
                             object->name_accessed};
  const TriageTime inner[] = {row->created, row->modified, row->changed, row->accessed};
  TriageTime inner_name[4];
  for (int i = 0; i < 4; i++)
    column_time(statement, at + 2 * i, &inner_name[i]);
  take_names(row, name);
  /* slack and free blocks have no times of their own */
  row->timestomp = object->state <= STATE_ORPHAN ? timestomp_signs(standard, name) : 0;
  if (take_names(row, inner_name))
    row->timestomp |= timestomp_signs(inner, inner_name);
}
