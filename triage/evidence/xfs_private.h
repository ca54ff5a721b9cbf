/* SPDX-License-Identifier: Apache-2.0 */
/* xfs_private.h - what the parts of the XFS reader share. */
#pragma once
#include "evidence/image_format.h"
#include "evidence/xfs.h"

enum { XFS_FORMAT_LOCAL = 1, XFS_FORMAT_EXTENTS = 2, XFS_FORMAT_BTREE = 3 };

struct _Xfs {
  Image *image;
  uint64_t offset, length; /* of the stretch */
  uint64_t size, root, group_blocks, n_claimed;
  uint32_t block_bytes, n_groups, inode_bytes, dir_bytes;
  uint32_t inodes_log, group_log; /* inodes of a block, blocks of a group: powers of two */
  bool is_v5, has_bigtime, has_types;
};

/* One stretch of blocks; file_block counts blocks of the content. */
typedef struct {
  uint64_t file_block, place, n_blocks; /* place: bytes from the start */
  bool is_unwritten;                    /* reserved: reads as zero */
} XfsExtent;
/* (transfer full), never NULL, ascending; error: some of them cannot be had. */
GArray *xfs_extents(Xfs *xfs, const XfsInode *inode, GError **error);

/* Reads n bytes from a place; false where it lies outside. */
bool xfs_pread(Xfs *xfs, uint64_t place, void *buffer, size_t n);
static inline uint16_t xfs_be16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}
