/* SPDX-License-Identifier: Apache-2.0 */
/* walk_fixture.h - what the tests and the benchmark of walk*.c share: a sink for those who want the
 * objects alone, and the order in which a worker reads them. */
#pragma once
#include "evidence/walk.h"

static inline bool walk_take_dir(void *user, const ObjectDir *dir) {
  (void)user, (void)dir;
  return true;
}

static inline bool walk_take_name(void *user, const ObjectName *name) {
  (void)user, (void)name;
  return true;
}

static inline bool walk_take_gap(void *user, const Gap *gap) {
  (void)user, (void)gap;
  return true;
}

/* Keeps an object that has content in `user`, a GArray of Object; its names stay behind, they are
 * the sink's for the call alone. */
static inline bool walk_take_object(void *user, const Object *object) {
  if ((object->flags & OBJECT_NO_CONTENT) == 0 && object->kind != OBJECT_DIR) {
    Object kept = *object;
    kept.name = kept.attr_name = NULL;
    g_array_append_val((GArray *)user, kept);
  }
  return true;
}

static inline int walk_by_place(gconstpointer a, gconstpointer b) {
  const Object *x = a, *y = b;
  if (x->first_byte != y->first_byte)
    return x->first_byte < y->first_byte ? -1 : 1;
  return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static inline WalkSink walk_sink_of(GArray *objects) {
  return (WalkSink){.user = objects,
                    .dir = walk_take_dir,
                    .object = walk_take_object,
                    .name = walk_take_name,
                    .gap = walk_take_gap};
}

/* Lists the objects of all volumes and sorts them by place. */
static inline void walk_list(VolumeSet *set, GArray *objects) {
  const WalkSink sink = walk_sink_of(objects);
  for (guint i = 0; i < volume_set_n(set); i++) {
    g_autoptr(GError) failure = NULL;
    walk_volume(set, volume_set_get(set, i)->no, NULL, 0, &sink, &failure);
  }
  g_array_sort(objects, walk_by_place);
}
