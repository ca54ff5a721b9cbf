/* SPDX-License-Identifier: Apache-2.0 */
/* volume.c - partitions and file systems by libtsk, opened over Image. */
#include "base/limits.h"
#include "evidence/volume_private.h"
#include "evidence/volume_signature.h"
#include "evidence/xfs.h"
#include <string.h>

static ssize_t bridge_read(TSK_IMG_INFO *tsk, TSK_OFF_T offset, char *buffer, size_t n) {
  Bridge *bridge = (Bridge *)tsk;
  if (offset < 0 || offset >= tsk->size)
    return -1;
  size_t take = (size_t)MIN((TSK_OFF_T)n, tsk->size - offset);
  image_read(bridge->image, (uint64_t)offset, buffer, take);
  return (ssize_t)take;
}

static void bridge_close(TSK_IMG_INFO *tsk) {
  (void)tsk; /* the set owns it */
}

static void bridge_stat(TSK_IMG_INFO *tsk, FILE *file) {
  (void)tsk, (void)file;
}

Bridge *volume_bridge_new(Image *image) {
  Bridge *bridge = g_new0(Bridge, 1);
  bridge->image = image;
  tsk_img_open_external(bridge, (TSK_OFF_T)image_size(image), 512, bridge_read, bridge_close,
                        bridge_stat);
  return bridge;
}

static void slot_free(Slot *slot) {
  if (slot->fs != NULL)
    tsk_fs_close(slot->fs);
  xfs_free(slot->xfs);
  if (slot->pool_image != NULL)
    tsk_img_close(slot->pool_image);
  if (slot->bridge != NULL) {
    tsk_img_close(&slot->bridge->tsk);
    g_free(slot->bridge);
  }
  image_free(slot->derived);
  ranges_free(slot->elsewhere);
  g_free(slot->root);
  g_free(slot->public.description);
  g_free(slot);
}

Slot *volume_add_slot(VolumeSet *set, uint32_t no, uint64_t offset, uint64_t length,
                      const char *description) {
  Slot *slot = g_new0(Slot, 1);
  slot->public.no = no;
  slot->public.offset = offset;
  slot->public.length = length;
  slot->public.description = g_strdup(description);
  g_ptr_array_add(set->slots, slot);
  return slot;
}

static Slot *find_slot(const VolumeSet *set, uint32_t no) {
  for (guint i = 0; i < set->slots->len; i++) {
    Slot *slot = set->slots->pdata[i];
    if (slot->public.no == no)
      return slot;
  }
  return NULL;
}

uint32_t volume_next_no(const VolumeSet *set) {
  uint32_t no = 0;
  for (guint i = 0; i < set->slots->len; i++)
    no = MAX(no, ((Slot *)set->slots->pdata[i])->public.no);
  return no + 1;
}

void volume_give_gap(const WalkSink *sink, const Volume *volume, uint64_t size, TriageReason reason,
                     const char *detail) {
  Gap gap = {
      .seq = GAP_NO_OBJECT, .volume = volume->no, .size = size, .reason = reason, .detail = detail};
  sink->gap(sink->user, &gap);
}

void volume_name_fs(Slot *slot, TSK_FS_TYPE_ENUM type) {
  slot->public.tsk_type = type;
  g_autofree char *lower = g_ascii_strdown(tsk_fs_type_toname(type), -1);
  g_strlcpy(slot->public.fs_type, lower, sizeof slot->public.fs_type);
}

/* How many names the root directory shows: what a wrong guess at the type does not get. */
static size_t root_names(TSK_FS_INFO *fs) {
  TSK_FS_DIR *root = tsk_fs_dir_open_meta(fs, fs->root_inum);
  size_t n = root != NULL ? tsk_fs_dir_getsize(root) : 0;
  if (root != NULL)
    tsk_fs_dir_close(root);
  return n;
}

TSK_FS_INFO *volume_open_best(TSK_IMG_INFO *tsk, uint64_t offset) {
  tsk_error_reset();
  TSK_FS_INFO *fs = tsk_fs_open_img(tsk, (TSK_OFF_T)offset, TSK_FS_TYPE_DETECT);
  if (fs != NULL)
    return fs;
  static const TSK_FS_TYPE_ENUM CANDIDATES[] = {TSK_FS_TYPE_NTFS_DETECT,    TSK_FS_TYPE_FAT_DETECT,
                                                TSK_FS_TYPE_EXT_DETECT,     TSK_FS_TYPE_HFS_DETECT,
                                                TSK_FS_TYPE_ISO9660_DETECT, TSK_FS_TYPE_FFS_DETECT};
  size_t best_names = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(CANDIDATES); i++) {
    tsk_error_reset();
    TSK_FS_INFO *candidate = tsk_fs_open_img(tsk, (TSK_OFF_T)offset, CANDIDATES[i]);
    if (candidate == NULL)
      continue;
    size_t names = root_names(candidate);
    if (fs == NULL ? names > 0 : names > best_names) {
      if (fs != NULL)
        tsk_fs_close(fs);
      fs = candidate;
      best_names = names;
    } else {
      tsk_fs_close(candidate);
    }
  }
  tsk_error_reset();
  return fs;
}

void volume_refuse(VolumeSet *set, Slot *slot, const WalkSink *sink) {
  const Volume *volume = &slot->public;
  Image *image = slot->derived != NULL ? slot->derived : set->image;
  uint64_t offset = slot->derived != NULL ? 0 : volume->offset;
  const Signature *signature = signature_find(image, offset, volume->length);
  if (signature != NULL) {
    set->is_disk = true;
    volume_give_gap(sink, volume, volume->length, signature->reason, signature->detail);
    return;
  }
  bool is_empty = signature_is_empty(image, offset, volume->length);
  volume_give_gap(sink, volume, volume->length, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                  is_empty
                      ? "no file system: the first 64 KiB hold zeros alone; the volume's bytes are "
                        "examined as they are"
                      : "no file system that triage can read; the volume's bytes are examined as "
                        "they are, without names");
}

static bool open_slot(VolumeSet *set, Slot *slot, uint32_t *next_no, const WalkSink *sink) {
  image_damage_reset(set->image);
  slot->fs = volume_open_best(&set->bridge->tsk, slot->public.offset);
  if (slot->fs != NULL)
    volume_name_fs(slot, slot->fs->ftype);
  else if (!volume_add_pool(set, slot, next_no, sink))
    return false;
  set->is_disk = true;
  return true;
}

static int compare_parts(gconstpointer a, gconstpointer b) {
  const Volume *x = a, *y = b;
  return x->offset != y->offset ? (x->offset < y->offset ? -1 : 1) : 0;
}

/* The one entry of a DOS table in front of a GPT, which guards it. */
static bool is_protective(const TSK_VS_INFO *table) {
  guint n = 0;
  bool has_ee = false;
  if (table->vstype != TSK_VS_TYPE_DOS)
    return false;
  for (const TSK_VS_PART_INFO *part = table->part_list; part != NULL; part = part->next)
    if ((part->flags & TSK_VS_PART_FLAG_ALLOC) != 0) {
      n++;
      has_ee = has_ee || (part->desc != NULL && strstr(part->desc, "0xee") != NULL);
    }
  return n == 1 && has_ee;
}

/* Opens the partition table; detection may refuse where two kinds are possible, and takes the guard
 * for the table where the first copy of the GPT behind it is damaged. *is_lost: so is the other. */
static TSK_VS_INFO *open_table(TSK_IMG_INFO *tsk, bool *is_lost) {
  static const unsigned SECTORS[] = {512, 4096};
  for (gsize s = 0; s < G_N_ELEMENTS(SECTORS); s++) {
    tsk->sector_size = SECTORS[s];
    tsk_error_reset();
    TSK_VS_INFO *table = tsk_vs_open(tsk, 0, TSK_VS_TYPE_DETECT);
    bool is_guard = table != NULL && is_protective(table);
    if (is_guard) {
      tsk_vs_close(table);
      table = NULL;
    }
    static const TSK_VS_TYPE_ENUM TYPES[] = {TSK_VS_TYPE_GPT, TSK_VS_TYPE_MAC};
    for (gsize i = 0; table == NULL && i < G_N_ELEMENTS(TYPES); i++)
      table = tsk_vs_open(tsk, 0, TYPES[i]);
    *is_lost = table == NULL && (*is_lost || is_guard);
    if (table != NULL)
      return table;
  }
  tsk->sector_size = 512;
  tsk_error_reset();
  return NULL;
}

static GArray *list_parts(VolumeSet *set, bool *is_lost) {
  GArray *parts = g_array_new(FALSE, TRUE, sizeof(Volume));
  TSK_IMG_INFO *tsk = &set->bridge->tsk;
  TSK_VS_INFO *table = open_table(tsk, is_lost);
  for (TSK_VS_PART_INFO *part = table != NULL ? table->part_list : NULL;
       part != NULL && parts->len < LIMIT_VOLUMES; part = part->next) {
    uint64_t offset, length;
    if ((part->flags & TSK_VS_PART_FLAG_ALLOC) == 0 ||
        !g_uint64_checked_mul(&offset, part->start, table->block_size) ||
        !g_uint64_checked_mul(&length, part->len, table->block_size) || offset > INT64_MAX ||
        length > INT64_MAX)
      continue;
    Volume volume = {.offset = offset, .length = length, .description = g_strdup(part->desc)};
    g_array_append_val(parts, volume);
  }
  if (table != NULL)
    tsk_vs_close(table);
  else if (!*is_lost)
    volume_mbr_parts(set->image, parts);
  *is_lost = *is_lost || (parts->len == 0 && (table != NULL || volume_mbr_is_empty(set->image)));
  tsk->sector_size = 512;
  g_array_sort(parts, compare_parts);
  return parts;
}

static void add_parts(VolumeSet *set, GArray *parts, const WalkSink *sink) {
  uint32_t next_no = parts->len + 1;
  uint64_t size = image_size(set->image);
  for (guint i = 0; i < parts->len; i++) {
    Volume *part = &g_array_index(parts, Volume, i);
    Slot *slot = volume_add_slot(set, i + 1, part->offset, part->length, part->description);
    if (part->offset >= size || part->length > size - part->offset)
      volume_give_gap(
          sink, &slot->public, part->length, TRIAGE_REASON_TRUNCATED,
          "the partition reaches beyond the end of the media; it is examined as far as it goes");
    slot->is_refused = part->offset < size && !open_slot(set, slot, &next_no, sink);
  }
  /* A hybrid image has an ISO 9660 file system around its partitions. */
  if (parts->len > 0 && signature_is_iso9660(set->image) &&
      g_array_index(parts, Volume, 0).offset > 0) {
    Slot *slot = volume_add_slot(set, 0, 0, size, "ISO 9660 around the partitions");
    if (!open_slot(set, slot, &next_no, sink))
      g_ptr_array_remove_index(set->slots, set->slots->len - 1);
  }
}

typedef struct {
  VolumeSet *set;
  const WalkSink *sink;
  uint32_t next_no;
} Search;

/* A partition that its table has forgotten. */
static uint64_t take_lost(void *user, uint64_t offset, uint64_t room) {
  Search *search = user;
  VolumeSet *set = search->set;
  if (set->slots->len >= LIMIT_VOLUMES)
    return offset;
  guint n_before = set->slots->len;
  Slot *slot = volume_add_slot(set, search->next_no++, offset, room,
                               "file system outside the partitions: no table entry leads to it");
  uint64_t size = 0;
  if (!open_slot(set, slot, &search->next_no, search->sink) || slot->fs == NULL ||
      root_names(slot->fs) == 0 ||
      !g_uint64_checked_mul(&size, slot->fs->block_count, slot->fs->block_size)) {
    g_ptr_array_set_size(set->slots, (gint)n_before);
    search->next_no = volume_next_no(set);
    return offset;
  }
  /* It may reach into a partition of today, where those bytes are examined. */
  slot->public.length = MIN(image_size(set->image) - offset, MAX(size, 512));
  return offset + slot->public.length;
}

/* What the partitions leave: file systems no table leads to, and the rest as volume 0. */
static void add_outside(VolumeSet *set, const WalkSink *sink) {
  Search search = {set, sink, volume_next_no(set)};
  volume_probe_gaps(set, take_lost, &search);
  if (find_slot(set, 0) == NULL)
    volume_add_slot(set, 0, 0, image_size(set->image), "what lies in no partition")
        ->public.is_outside = true;
}

/* Where the table of partitions is lost or empty, file systems may be left of them. */
static void look_for_lost(VolumeSet *set, const WalkSink *sink) {
  add_outside(set, sink);
  if (set->slots->len == 1) { /* none: the media is taken as it is */
    Slot *whole = set->slots->pdata[0];
    g_free(whole->public.description);
    whole->public.description = g_strdup("the whole image");
    whole->public.is_outside = false;
    whole->is_refused = true;
    return;
  }
  set->is_disk = true;
  volume_give_gap(
      sink, &find_slot(set, 0)->public, image_size(set->image), TRIAGE_REASON_CORRUPT,
      "the disk's table of partitions is damaged or empty; file systems were looked for where "
      "partitions usually begin, the rest is examined as bytes");
}

/* The media as bytes alone. */
static void add_bytes(VolumeSet *set, const WalkSink *sink) {
  Slot *slot = volume_add_slot(set, 0, 0, image_size(set->image), "the whole image");
  set->is_disk = true;
  volume_give_gap(
      sink, &slot->public, slot->public.length, TRIAGE_REASON_WORKER_CRASH,
      "opening its partitions and file systems crashes or hangs the worker; its bytes are "
      "examined as they are, without names");
}

VolumeSet *volume_set_new(Image *image, const GPtrArray *passwords, VolumeCare care,
                          const WalkSink *sink) {
  VolumeSet *set = g_new0(VolumeSet, 1);
  set->image = image;
  set->slots = g_ptr_array_new_with_free_func((GDestroyNotify)slot_free);
  set->pools = g_ptr_array_new_with_free_func((GDestroyNotify)tsk_pool_close);
  set->bridge = volume_bridge_new(image);
  set->passwords = passwords;
  if (care == VOLUMES_NONE) {
    add_bytes(set, sink);
    return set;
  }
  bool is_lost = false;
  g_autoptr(GArray) parts = list_parts(set, &is_lost);
  /* A table without a partition is no table; a file system at the start wins over it. */
  if (parts->len > 0) {
    set->is_disk = true;
    add_parts(set, parts, sink);
  }
  bool any = false;
  for (guint i = 0; i < set->slots->len; i++)
    any = any || ((Slot *)set->slots->pdata[i])->fs != NULL;
  if (!any) {
    uint32_t next_no = parts->len + 1;
    Slot *slot = volume_add_slot(set, 0, 0, image_size(image), "the whole image");
    if (!open_slot(set, slot, &next_no, sink)) {
      slot->is_refused = true;
      /* LVM2 leaves the first sector of a whole disk empty. */
      is_lost = is_lost && (care == VOLUMES_PLAIN || !volume_is_derived_from(set, slot));
      if (parts->len > 0 || is_lost)
        g_ptr_array_remove_index(set->slots, set->slots->len - 1);
    } else {
      is_lost = false;
    }
  }
  if (parts->len > 0)
    add_outside(set, sink);
  else if (is_lost)
    look_for_lost(set, sink);
  volume_settle(set, care, sink);
  for (guint i = 0; i < parts->len; i++)
    g_free(g_array_index(parts, Volume, i).description);
  return set;
}

void volume_set_free(VolumeSet *set) {
  if (set == NULL)
    return;
  /* Later volumes may be made from earlier ones. */
  while (set->slots->len > 0)
    g_ptr_array_remove_index(set->slots, set->slots->len - 1);
  g_ptr_array_unref(set->slots);
  g_ptr_array_unref(set->pools);
  tsk_img_close(&set->bridge->tsk);
  g_free(set->bridge);
  g_free(set);
}

guint volume_set_n(const VolumeSet *set) {
  return set->slots->len;
}

const Volume *volume_set_get(const VolumeSet *set, guint index) {
  return &((Slot *)set->slots->pdata[index])->public;
}

const Volume *volume_set_find(const VolumeSet *set, uint32_t no) {
  const Slot *slot = find_slot(set, no);
  return slot != NULL ? &slot->public : NULL;
}

bool volume_set_has_filesystem(const VolumeSet *set) {
  for (guint i = 0; i < set->slots->len; i++)
    if (((Slot *)set->slots->pdata[i])->public.fs_type[0] != '\0')
      return true;
  return false;
}

bool volume_set_is_disk(const VolumeSet *set) {
  return set->is_disk;
}

TSK_FS_INFO *volume_open_fs(VolumeSet *set, uint32_t no, GError **error) {
  Slot *slot = find_slot(set, no);
  if (slot == NULL || slot->fs == NULL) {
    triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                "volume %u has no file system that can be read", no);
    return NULL;
  }
  return slot->fs;
}

Xfs *volume_xfs(const VolumeSet *set, uint32_t no) {
  const Slot *slot = find_slot(set, no);
  return slot != NULL ? slot->xfs : NULL;
}

Image *volume_fs_image(const VolumeSet *set, uint32_t no) {
  const Slot *slot = find_slot(set, no);
  if (slot == NULL || slot->fs == NULL)
    return NULL;
  if (slot->bridge != NULL && slot->fs->img_info == &slot->bridge->tsk)
    return slot->derived;
  return slot->fs->img_info == &set->bridge->tsk ? set->image : NULL;
}

Image *volume_set_image(VolumeSet *set) {
  return set->image;
}

static void drop(TSK_IMG_INFO *tsk) {
  for (int i = 0; i < TSK_IMG_INFO_CACHE_NUM; i++)
    tsk->cache_len[i] = 0;
}

static void drop_cache(VolumeSet *set) {
  drop(&set->bridge->tsk);
  for (guint i = 0; i < set->slots->len; i++) {
    Slot *slot = set->slots->pdata[i];
    if (slot->pool_image != NULL)
      drop(slot->pool_image);
    if (slot->bridge != NULL)
      drop(&slot->bridge->tsk);
  }
}

void volume_set_forget_damage(VolumeSet *set) {
  bool is_damaged = image_is_damaged(set->image);
  for (guint i = 0; i < set->slots->len && !is_damaged; i++) {
    const Slot *slot = set->slots->pdata[i];
    is_damaged = slot->derived != NULL && image_is_damaged(slot->derived);
  }
  if (is_damaged)
    drop_cache(set);
  image_damage_reset(set->image);
}

void volume_read(VolumeSet *set, uint32_t no, uint64_t place, void *buffer, size_t n) {
  const Slot *slot = find_slot(set, no);
  if (slot != NULL && slot->derived != NULL)
    image_read_passing(slot->derived, place - slot->public.offset, buffer, n);
  else
    image_read_passing(set->image, place, buffer, n);
}

Ranges *volume_elsewhere(const VolumeSet *set, uint32_t no) {
  const Slot *slot = find_slot(set, no);
  return slot != NULL ? slot->elsewhere : NULL;
}
