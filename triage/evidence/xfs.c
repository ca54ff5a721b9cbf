/* SPDX-License-Identifier: Apache-2.0 */
/* xfs.c - the superblock and the inodes of an XFS file system. */
#include "base/limits.h"
#include "evidence/xfs_private.h"
#include <string.h>

enum {
  SUPERBLOCK = 264,
  CORE = 176,
  CORE_OLD = 100, /* versions 1 and 2 end here */
  FLAG_REALTIME = 1,
  FLAG2_BIGTIME = 8,
  FLAG2_MANY_EXTENTS = 16,
  INCOMPAT_TYPES = 1,
  INCOMPAT_BIGTIME = 8,
  INCOMPAT_KNOWN = 255, /* types, sparse inodes, UUID, bigtime, repair, extents, exchange, parent */
  FEATURE2_TYPES = 0x200,
};

bool xfs_pread(Xfs *xfs, uint64_t place, void *buffer, size_t n) {
  if (n > xfs->length || place > xfs->length - n)
    return false;
  image_read(xfs->image, xfs->offset + place, buffer, n);
  return true;
}

static bool take_shape(Xfs *xfs, const uint8_t *sb) {
  uint32_t log = sb[120], dir_log = sb[192];
  xfs->is_v5 = (sb[101] & 15) == 5;
  xfs->block_bytes = image_be32(sb + 4);
  xfs->root = image_be64(sb + 56);
  xfs->group_blocks = image_be32(sb + 84);
  xfs->n_groups = image_be32(sb + 88);
  xfs->inode_bytes = xfs_be16(sb + 104);
  xfs->inodes_log = sb[123];
  xfs->group_log = sb[124];
  if (log < 9 || log > 16 || dir_log > 7 || xfs->block_bytes != UINT32_C(1) << log ||
      xfs->inode_bytes < 256 || xfs->inode_bytes > XFS_INODE_MAX || xfs->inodes_log > 8 ||
      xfs->inode_bytes << xfs->inodes_log != xfs->block_bytes || xfs->group_blocks == 0 ||
      xfs->group_log > 32 || xfs->group_blocks > UINT64_C(1) << xfs->group_log ||
      !g_uint64_checked_mul(&xfs->size, image_be64(sb + 8), xfs->block_bytes) ||
      xfs->size > INT64_MAX)
    return false;
  xfs->dir_bytes = xfs->block_bytes << dir_log;
  uint32_t features = image_be32(sb + 216);
  xfs->has_bigtime = xfs->is_v5 && (features & INCOMPAT_BIGTIME) != 0;
  xfs->has_types =
      xfs->is_v5 ? (features & INCOMPAT_TYPES) != 0 : (image_be32(sb + 200) & FEATURE2_TYPES) != 0;
  return xfs->dir_bytes <= 64 * KIB;
}

/* Inodes without a name: bitmap and summary of the realtime section, quotas. */
static uint64_t nameless(const uint8_t *sb, bool is_v5) {
  static const size_t PLACES[] = {64, 72, 160, 168, 232};
  uint64_t n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(PLACES) - (is_v5 ? 0 : 1); i++) {
    uint64_t inode = image_be64(sb + PLACES[i]);
    n += inode != 0 && inode != UINT64_MAX ? 1 : 0;
  }
  return n;
}

static gboolean features_check(const uint8_t *sb, GError **error) {
  uint32_t version = (uint32_t)(sb[101] & 15), unknown = image_be32(sb + 216) & ~INCOMPAT_KNOWN;
  if (version != 4 && version != 5)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                       "an XFS file system of version %u, of which only 4 and 5 can be read; its "
                       "bytes are examined as they are, without names",
                       version);
  if (version == 5 && unknown != 0)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                       "an XFS file system of version 5 with features that are not known (0x%x); "
                       "its bytes are examined as they are, without names",
                       unknown);
  return TRUE;
}

Xfs *xfs_open(Image *image, uint64_t offset, uint64_t length, GError **error) {
  uint8_t sb[SUPERBLOCK];
  uint64_t room = image_size(image) > offset ? image_size(image) - offset : 0;
  if (MIN(room, length) < sizeof sb)
    return NULL;
  image_read(image, offset, sb, sizeof sb);
  if (memcmp(sb, "XFSB", 4) != 0 || !features_check(sb, error))
    return NULL;
  g_autoptr(Xfs) xfs = g_new0(Xfs, 1);
  xfs->image = image;
  xfs->offset = offset;
  xfs->length = MIN(room, length);
  if (!take_shape(xfs, sb)) {
    triage_fail(error, TRIAGE_REASON_CORRUPT,
                "an XFS file system whose superblock makes no sense; its bytes are examined as "
                "they are, without names");
    return NULL;
  }
  uint64_t used = image_be64(sb + 128) - MIN(image_be64(sb + 128), image_be64(sb + 136));
  xfs->n_claimed = used - MIN(used, nameless(sb, xfs->is_v5));
  return g_steal_pointer(&xfs);
}

void xfs_free(Xfs *xfs) {
  g_free(xfs);
}

uint64_t xfs_size(const Xfs *xfs) {
  return xfs->size;
}

uint32_t xfs_block_bytes(const Xfs *xfs) {
  return xfs->block_bytes;
}

uint64_t xfs_root(const Xfs *xfs) {
  return xfs->root;
}

uint64_t xfs_claimed_inodes(const Xfs *xfs) {
  return xfs->n_claimed;
}

/* Seconds and nanoseconds in four bytes each; or nanoseconds since 1901. */
static TriageTime time_of(const uint8_t *bytes, bool is_big) {
  TriageTime time = {.digits = 9};
  uint64_t both = image_be64(bytes);
  if (is_big) {
    time.seconds = (int64_t)(both / 1000000000u) - (INT64_C(1) << 31);
    time.nanoseconds = (uint32_t)(both % 1000000000u);
  } else {
    time.seconds = (int32_t)image_be32(bytes);
    time.nanoseconds = image_be32(bytes + 4) % 1000000000u;
  }
  time.is_set = time.seconds != 0 || time.nanoseconds != 0;
  return time;
}

static bool inode_place(const Xfs *xfs, uint64_t number, uint64_t *place) {
  uint32_t log = xfs->group_log + xfs->inodes_log;
  uint64_t group = number >> log, in_group = number & ((UINT64_C(1) << log) - 1);
  uint64_t block = in_group >> xfs->inodes_log;
  uint64_t index = in_group & ((UINT64_C(1) << xfs->inodes_log) - 1);
  if (group >= xfs->n_groups || block >= xfs->group_blocks)
    return false;
  *place = (group * xfs->group_blocks + block) * xfs->block_bytes + index * xfs->inode_bytes;
  return true;
}

bool xfs_inode_read(Xfs *xfs, uint64_t number, XfsInode *inode) {
  uint8_t core[XFS_INODE_MAX];
  uint64_t place;
  memset(inode, 0, sizeof *inode);
  if (!inode_place(xfs, number, &place) || !xfs_pread(xfs, place, core, xfs->inode_bytes) ||
      core[0] != 'I' || core[1] != 'N')
    return false;
  bool is_v3 = core[4] >= 3;
  uint64_t flags2 = is_v3 ? image_be64(core + 120) : 0;
  bool is_big = xfs->has_bigtime && (flags2 & FLAG2_BIGTIME) != 0;
  uint32_t start = is_v3 ? CORE : CORE_OLD, room = xfs->inode_bytes - start;
  inode->number = number;
  inode->mode = xfs_be16(core + 2);
  inode->format = core[5];
  inode->size = image_be64(core + 56);
  inode->blocks = image_be64(core + 64);
  inode->n_extents =
      (flags2 & FLAG2_MANY_EXTENTS) != 0 ? image_be64(core + 24) : image_be32(core + 76);
  inode->is_realtime = (core[91] & FLAG_REALTIME) != 0;
  inode->accessed = time_of(core + 32, is_big);
  inode->modified = time_of(core + 40, is_big);
  inode->changed = time_of(core + 48, is_big);
  if (is_v3)
    inode->created = time_of(core + 144, is_big);
  inode->place = place + start;
  inode->n_fork = core[82] != 0 ? MIN(room, core[82] * 8u) : room; /* attributes begin there */
  memcpy(inode->fork, core + start, inode->n_fork);
  return inode->size <= INT64_MAX;
}

bool xfs_inode_is_inline(const XfsInode *inode) {
  return inode->format == XFS_FORMAT_LOCAL && inode->size <= inode->n_fork;
}
