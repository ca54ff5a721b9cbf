/* SPDX-License-Identifier: Apache-2.0 */
/* volume_apfs.c - the volumes of an APFS container, and their snapshots: each is a volume of its
 * own that shares the container's blocks. Blocks are never written twice, so that of a snapshot
 * only what the live volume does not hold any more is examined again. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/volume_private.h"
#include <string.h>
#include <tsk/fs/apfs_fs.h>

/* The pool lends an image for each volume: Debian's libtsk does not export tsk_fs_open_pool. */
static bool open_in_pool(Slot *slot, const TSK_POOL_INFO *pool, uint64_t block) {
  slot->public.pool_block = block;
  slot->pool = pool;
  slot->pool_image = pool->get_img_info(pool, (TSK_DADDR_T)block);
  if (slot->pool_image != NULL)
    slot->fs = tsk_fs_open_img(slot->pool_image, 0, TSK_FS_TYPE_APFS);
  return slot->fs != NULL;
}

static char *made_at(const apfs_snapshot *snapshot) {
  TriageTime time = {.seconds = (int64_t)(snapshot->timestamp / 1000000000),
                     .nanoseconds = (uint32_t)(snapshot->timestamp % 1000000000),
                     .digits = 9,
                     .is_set = snapshot->timestamp != 0};
  char when[48];
  triage_time_format(&time, when, sizeof when);
  return g_strdup(*when != '\0' ? when : "at an unknown time");
}

static void add_snapshot(VolumeSet *set, const Slot *live, const apfs_snapshot *snapshot,
                         size_t index, uint32_t *next_no, const WalkSink *sink) {
  const Volume *volume = &live->public;
  const char *raw = snapshot->name != NULL ? snapshot->name : "";
  g_autofree char *name = text_printable(raw, strlen(raw)), *when = made_at(snapshot);
  g_autofree char *description =
      g_strdup_printf("snapshot \"%s\" of the %s, made %s", name, volume->description, when);
  Slot *slot = volume_add_slot(set, (*next_no)++, volume->offset, volume->length, description);
  bool ok = open_in_pool(slot, live->pool, volume->pool_block) &&
            tsk_apfs_set_snapshot(slot->fs, snapshot->snap_xid) == 0;
  if (!ok) {
    g_autofree char *detail =
        g_strdup_printf("the %s cannot be opened: entries that it alone keeps are examined as "
                        "bytes, without names",
                        description);
    volume_give_gap(sink, volume, 0, TRIAGE_REASON_CORRUPT, detail);
    g_ptr_array_remove_index(set->slots, set->slots->len - 1);
    (*next_no)--;
    return;
  }
  g_autofree char *shown = g_strdelimit(g_strdup(raw), "/", ':');
  slot->root =
      g_strdup_printf("$Snapshot%zu %s%s%s", index + 1, when, *raw != '\0' ? " " : "", shown);
  slot->public.root = slot->root;
  volume_name_fs(slot, slot->fs->ftype);
}

static void add_snapshots(VolumeSet *set, const Slot *live, uint32_t *next_no,
                          const WalkSink *sink) {
  apfs_snapshot_list *list = NULL;
  tsk_error_reset();
  if (tsk_apfs_list_snapshots(live->fs, &list) != 0) {
    volume_give_gap(sink, &live->public, 0, TRIAGE_REASON_CORRUPT,
                    "the list of the APFS volume's snapshots cannot be read; whether it has any is "
                    "not known");
    return;
  }
  size_t n = MIN(list->num_snapshots, LIMIT_APFS_SNAPSHOTS);
  for (size_t i = 0; i < n; i++)
    add_snapshot(set, live, &list->snapshots[i], i, next_no, sink);
  if (list->num_snapshots > n)
    volume_give_gap(sink, &live->public, 0, TRIAGE_REASON_SIZE_LIMIT,
                    "the APFS volume has more snapshots than are opened: entries that one of the "
                    "others alone keeps are examined as bytes, without names");
  tsk_apfs_free_snapshot_list(list);
}

static void open_volume(Slot *slot, const TSK_POOL_INFO *pool, const TSK_POOL_VOLUME_INFO *info,
                        const WalkSink *sink) {
  g_free(slot->public.description);
  slot->public.description =
      g_strdup_printf("APFS volume %s", info->desc != NULL ? info->desc : "");
  slot->public.pool_block = info->block;
  if ((info->flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED) != 0) {
    volume_give_gap(sink, &slot->public, slot->public.length, TRIAGE_REASON_ENCRYPTED,
                    "the APFS volume is encrypted; this version cannot open it with a password");
    return;
  }
  if (open_in_pool(slot, pool, info->block))
    volume_name_fs(slot, slot->fs->ftype);
  else
    volume_give_gap(sink, &slot->public, slot->public.length, TRIAGE_REASON_CORRUPT,
                    "the APFS volume cannot be opened");
}

bool volume_add_pool(VolumeSet *set, Slot *container, uint32_t *next_no, const WalkSink *sink) {
  Volume *whole = &container->public;
  tsk_error_reset();
  const TSK_POOL_INFO *pool =
      tsk_pool_open_img_sing(&set->bridge->tsk, (TSK_OFF_T)whole->offset, TSK_POOL_TYPE_APFS);
  if (pool == NULL)
    return false;
  g_ptr_array_add(set->pools, (gpointer)pool);
  g_strlcpy(whole->fs_type, "", sizeof whole->fs_type);
  g_autoptr(GPtrArray) live = g_ptr_array_new();
  for (TSK_POOL_VOLUME_INFO *info = pool->vol_list; info != NULL; info = info->next) {
    Slot *slot = container;
    if (live->len > 0)
      slot = volume_add_slot(set, (*next_no)++, whole->offset, whole->length, NULL);
    open_volume(slot, pool, info, sink);
    g_ptr_array_add(live, slot);
  }
  for (guint i = 0; i < live->len; i++)
    if (((Slot *)live->pdata[i])->fs != NULL)
      add_snapshots(set, live->pdata[i], next_no, sink);
  return true;
}
