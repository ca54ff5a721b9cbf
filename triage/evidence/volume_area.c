/* SPDX-License-Identifier: Apache-2.0 */
/* volume_area.c - to which volume a byte of the media belongs, so that each is examined with
 * exactly one; and file systems in the space outside the partitions that no table entry leads to.
 */
#include "base/limits.h"
#include "evidence/image_format.h"
#include "evidence/volume_private.h"
#include <string.h>

/* Lower comes first where volumes overlap. */
static uint64_t rank_of(const Volume *volume) {
  bool has_fs = volume->fs_type[0] != '\0';
  bool is_snapshot = volume->root != NULL;
  uint64_t rank = is_snapshot ? 3 : volume->is_outside ? 2 : has_fs ? 0 : 1;
  return rank << 32 | (volume->no == 0 ? UINT32_MAX : volume->no);
}

static void stretch_of(const VolumeSet *set, const Volume *volume, uint64_t *start, uint64_t *end) {
  uint64_t size = image_size(volume_set_image((VolumeSet *)set)), fs_end;
  TSK_FS_INFO *fs = volume_open_fs((VolumeSet *)set, volume->no, NULL);
  *start = MIN(volume->offset, size);
  if (!g_uint64_checked_add(end, volume->offset, volume->length))
    *end = size;
  if (fs != NULL && g_uint64_checked_mul(&fs_end, fs->last_block_act + 1, fs->block_size) &&
      g_uint64_checked_add(&fs_end, fs_end, volume->offset))
    *end = MAX(*end, fs_end);
  *end = MIN(*end, size);
}

AreaClass volume_area(const VolumeSet *set, uint32_t no, uint64_t *start, uint64_t *end,
                      Ranges *others) {
  const Volume *volume = volume_set_find(set, no);
  uint64_t rank = rank_of(volume);
  stretch_of(set, volume, start, end);
  if (volume->is_derived) {
    *start = volume->offset;
    *end = volume->offset + volume->length;
  }
  Ranges *elsewhere = volume_elsewhere(set, no);
  for (guint i = 0; elsewhere != NULL && i < ranges_n(elsewhere); i++)
    ranges_add(others, ranges_get(elsewhere, i)->start, ranges_get(elsewhere, i)->end);
  for (guint i = 0; i < volume_set_n(set); i++) {
    const Volume *other = volume_set_get(set, i);
    uint64_t from, to;
    if (other == volume || volume->is_derived || other->is_derived || rank_of(other) > rank)
      continue;
    stretch_of(set, other, &from, &to);
    ranges_add(others, from, to);
  }
  if (volume->fs_type[0] != '\0')
    return AREA_VOLUME_SLACK;
  return volume->is_outside ? AREA_GAP : AREA_UNKNOWN;
}

/* A cheap look before libtsk is asked: the marks of a file system's first sectors. */
static bool looks_like_fs(Image *image, uint64_t offset) {
  uint8_t head[2048];
  if (offset + sizeof head > image_size(image))
    return false;
  image_read(image, offset, head, sizeof head);
  bool has_mark = head[510] == 0x55 && head[511] == 0xaa;
  return memcmp(head + 3, "NTFS    ", 8) == 0 || memcmp(head + 3, "EXFAT   ", 8) == 0 ||
         (has_mark && (memcmp(head + 54, "FAT1", 4) == 0 || memcmp(head + 82, "FAT32", 5) == 0)) ||
         image_le16(head + 1080) == 0xef53 || memcmp(head + 1024, "H+\0\4", 4) == 0 ||
         memcmp(head + 1024, "HX\0\5", 4) == 0 || memcmp(head + 32, "NXSB", 4) == 0;
}

/* Where partitions begin: right at the start of the space, a track further, at each MiB. */
static uint64_t next_probe(uint64_t start, uint64_t at) {
  if (at == start)
    return start + UINT64_C(63) * 512;
  return (at / MIB + 1) * MIB;
}

/* Looks through one stretch of free space; each file system found is passed over. */
static void probe_gap(VolumeSet *set, uint64_t start, uint64_t end, volume_found found,
                      void *user) {
  Image *image = volume_set_image(set);
  guint n = 0;
  /* What lies at the very start of the disk is the table's, or was tried as a whole. */
  uint64_t at = start == 0 ? next_probe(start, start) : start;
  while (at < end && n++ < LIMIT_PARTITION_PROBES) {
    uint64_t past = at;
    if (looks_like_fs(image, at))
      past = found(user, at, end - at);
    if (past > at) {
      start = past;
      at = past;
    } else {
      at = next_probe(start, at);
    }
  }
}

void volume_probe_gaps(VolumeSet *set, volume_found found, void *user) {
  g_auto(Ranges) taken;
  ranges_init(&taken);
  for (guint i = 0; i < volume_set_n(set); i++) {
    uint64_t from, to;
    stretch_of(set, volume_set_get(set, i), &from, &to);
    ranges_add(&taken, from, to);
  }
  /* Copied first: what is found changes the set. */
  g_autoptr(GArray) gaps = g_array_new(FALSE, FALSE, sizeof(Range));
  uint64_t size = image_size(volume_set_image(set)), at = 0, end;
  for (; ranges_next_hole(&taken, &at, size, &end); at = end) {
    Range gap = {at, end};
    g_array_append_val(gaps, gap);
  }
  for (guint i = 0; i < gaps->len; i++) {
    const Range *gap = &g_array_index(gaps, Range, i);
    probe_gap(set, gap->start, gap->end, found, user);
  }
}
