/* SPDX-License-Identifier: Apache-2.0 */
/* volume_derived.c - the volumes that are made from others of a set, one by one or several
 * together.
 */
#include "base/limits.h"
#include "evidence/derived.h"
#include "evidence/volume_private.h"

typedef struct {
  VolumeSet *set;
  const WalkSink *sink;
  guint from; /* index of the slot it is made from */
} Making;

static void add_elsewhere(Slot *slot, uint64_t start, uint64_t end) {
  if (slot->elsewhere == NULL)
    slot->elsewhere = ranges_new();
  ranges_add(slot->elsewhere, start, end);
}

static void clear_found(DerivedVolume *found) {
  image_free(found->image);
  ranges_free(found->changed);
  ranges_free(found->inside);
  ranges_free(found->lacking);
  g_clear_error(&found->problem);
  g_free(found->description);
  g_free(found->root);
}

/* A volume made from another one, opened at once. False: there are too many, which is told. */
static bool add_derived(const Making *making, DerivedVolume *found) {
  VolumeSet *set = making->set;
  Slot *from = set->slots->pdata[making->from];
  uint64_t size = image_size(found->image), at = 0, end;
  if (set->slots->len >= LIMIT_VOLUMES) {
    g_autofree char *detail =
        g_strdup_printf("%s: it is one too many of %u volumes", found->description, LIMIT_VOLUMES);
    volume_give_gap(making->sink, &from->public, size, TRIAGE_REASON_SIZE_LIMIT, detail);
    return false;
  }
  Slot *slot =
      volume_add_slot(set, volume_next_no(set), from->public.offset, size, found->description);
  slot->derived = g_steal_pointer(&found->image);
  slot->bridge = volume_bridge_new(slot->derived);
  slot->public.is_derived = true;
  slot->public.root = slot->root = g_steal_pointer(&found->root);
  slot->fs = volume_open_best(&slot->bridge->tsk, 0);
  slot->is_refused = slot->fs == NULL;
  if (slot->fs != NULL)
    volume_name_fs(slot, slot->fs->ftype);
  for (; found->changed != NULL && ranges_next_hole(found->changed, &at, size, &end); at = end)
    add_elsewhere(slot, slot->public.offset + at, slot->public.offset + end);
  for (guint i = 0; found->lacking != NULL && i < ranges_n(found->lacking); i++) {
    const Range *range = ranges_get(found->lacking, i);
    add_elsewhere(slot, slot->public.offset + range->start, slot->public.offset + range->end);
    slot->public.lacking += range->end - range->start;
  }
  if (found->problem != NULL)
    volume_give_gap(making->sink, &slot->public,
                    slot->public.lacking > 0 ? slot->public.lacking : size,
                    triage_error_reason(found->problem), found->problem->message);
  return true;
}

/* Inside a derived volume places count from its offset. */
static void add_inside(Slot *from, uint64_t start, uint64_t end) {
  uint64_t shift = from->derived != NULL ? from->public.offset : 0;
  add_elsewhere(from, start + shift, end + shift);
}

static void take_derived(void *user, DerivedVolume *found) {
  const Making *making = user;
  bool is_added = add_derived(making, found);
  for (guint i = 0; is_added && found->inside != NULL && i < ranges_n(found->inside); i++) {
    const Range *range = ranges_get(found->inside, i);
    add_inside(making->set->slots->pdata[making->from], range->start, range->end);
  }
  clear_found(found);
}

/* What waits to be put together with others. */
typedef struct {
  VolumeSet *set;
  const WalkSink *sink;
  const DerivedKind *kind; /* the only one that joins */
  GArray *bases;           /* DerivedBase */
  GArray *from;            /* guint: index of each one's slot */
} Joining;

static Slot *joining_slot(const Joining *joining, guint base) {
  return joining->set->slots->pdata[g_array_index(joining->from, guint, base)];
}

static bool take_joined(void *user, guint from, DerivedVolume *found) {
  const Joining *joining = user;
  Making making = {joining->set, joining->sink, g_array_index(joining->from, guint, from)};
  bool is_added = add_derived(&making, found);
  clear_found(found);
  return is_added;
}

static void take_inside(void *user, guint base, uint64_t start, uint64_t end) {
  add_inside(joining_slot(user, base), start, end);
}

static void take_gap(void *user, guint base, uint64_t size, TriageReason reason,
                     const char *detail) {
  const Joining *joining = user;
  volume_give_gap(joining->sink, &joining_slot(joining, base)->public, size, reason, detail);
}

static bool take_xfs(Slot *slot, const DerivedBase *base, GError **error) {
  if (slot->fs == NULL)
    slot->xfs = xfs_open(base->base, base->offset, base->length, error);
  if (slot->xfs != NULL)
    g_strlcpy(slot->public.fs_type, "xfs", sizeof slot->public.fs_type);
  return slot->xfs != NULL;
}

static DerivedBase base_of(const VolumeSet *set, const Slot *slot) {
  uint64_t offset = slot->derived != NULL ? 0 : slot->public.offset;
  Image *image = slot->derived != NULL ? slot->derived : set->image;
  return (DerivedBase){.base = image,
                       .offset = offset,
                       .length = MIN(slot->public.length, image_size(image) - offset),
                       .media = set->image,
                       .passwords = set->passwords};
}

bool volume_is_derived_from(const VolumeSet *set, const Slot *slot) {
  DerivedBase base = base_of(set, slot);
  return derived_find(&base, false) != NULL;
}

/* What a volume without a file system is instead, and what more is in one with. */
static void settle_slot(Joining *joining, guint index, VolumeCare care) {
  VolumeSet *set = joining->set;
  Slot *slot = set->slots->pdata[index];
  bool is_ntfs = slot->fs != NULL && TSK_FS_TYPE_ISNTFS(slot->fs->ftype) && slot->root == NULL;
  if (!slot->is_refused && !is_ntfs)
    return;
  DerivedBase base = base_of(set, slot);
  if (care == VOLUMES_PLAIN) {
    set->is_disk = true;
    volume_give_gap(
        joining->sink, &slot->public, slot->public.length, TRIAGE_REASON_WORKER_CRASH,
        "looking for XFS, encrypted and logical volumes and shadow copies in it crashes or "
        "hangs the worker; they were left out");
    return;
  }
  Making making = {set, joining->sink, index};
  g_autoptr(GError) error = NULL;
  bool is_known = take_xfs(slot, &base, &error);
  const DerivedKind *kind = is_known || error != NULL ? NULL : derived_find(&base, is_ntfs);
  if (kind != NULL && kind->join != NULL) {
    joining->kind = kind;
    g_array_append_val(joining->bases, base);
    g_array_append_val(joining->from, index);
    is_known = true;
  } else if (kind != NULL) {
    is_known = kind->open(&base, take_derived, &making, &error);
  }
  set->is_disk = set->is_disk || is_known || error != NULL;
  if (error != NULL)
    volume_give_gap(joining->sink, &slot->public, slot->public.length, triage_error_reason(error),
                    error->message);
  else if (!is_known && !is_ntfs)
    volume_refuse(set, slot, joining->sink);
}

void volume_settle(VolumeSet *set, VolumeCare care, const WalkSink *sink) {
  g_autoptr(GArray) bases = g_array_new(FALSE, FALSE, sizeof(DerivedBase));
  g_autoptr(GArray) from = g_array_new(FALSE, FALSE, sizeof(guint));
  Joining joining = {.set = set, .sink = sink, .bases = bases, .from = from};
  const DerivedSink join_sink = {&joining, take_joined, take_inside, take_gap};
  for (guint i = 0; i < set->slots->len;) {
    for (; i < set->slots->len; i++)
      settle_slot(&joining, i, care);
    if (joining.kind != NULL && bases->len > 0)
      joining.kind->join(bases, &join_sink);
    g_array_set_size(bases, 0);
    g_array_set_size(from, 0);
  }
}
