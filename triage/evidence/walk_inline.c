/* SPDX-License-Identifier: Apache-2.0 */
/* walk_inline.c - where an ext inode keeps the content of a small file or of a link within itself.
 * libtsk gives the bytes but not their place; without it they would be found twice, as the file and
 * as a part of the inode table. */
#include "evidence/image_format.h"
#include "evidence/walk_private.h"
#include <string.h>

enum {
  SUPERBLOCK = 1024,
  DESCRIPTOR_MIN = 32,
  I_BLOCK = 40, /* in the inode: 60 bytes of block addresses, or content */
  I_BLOCK_END = 100,
  OLD_INODE = 128, /* an inode without extra fields ends here */
  INODE_MAX = 4096,
  INCOMPAT_64BIT = 0x80,
  INDEX_SYSTEM = 7, /* namespace of the attribute system.data */
};

typedef struct {
  uint64_t block, inode_size, inodes_per_group, descriptor, first_data;
  uint64_t n_inodes;
  bool is_64bit;
} Layout;

static bool read_at(TSK_FS_INFO *fs, uint64_t offset, uint8_t *buffer, size_t n) {
  return offset <= INT64_MAX && tsk_fs_read(fs, (TSK_OFF_T)offset, (char *)buffer, n) == (ssize_t)n;
}

static bool read_layout(TSK_FS_INFO *fs, Layout *layout) {
  uint8_t sb[264];
  if (!read_at(fs, SUPERBLOCK, sb, sizeof sb) || image_le32(sb + 24) > 6)
    return false;
  layout->n_inodes = image_le32(sb);
  layout->first_data = image_le32(sb + 20);
  layout->block = UINT64_C(1024) << image_le32(sb + 24);
  layout->inodes_per_group = image_le32(sb + 40);
  layout->inode_size = image_le32(sb + 76) > 0 ? image_le16(sb + 88) : OLD_INODE;
  layout->is_64bit = (image_le32(sb + 96) & INCOMPAT_64BIT) != 0;
  layout->descriptor = layout->is_64bit ? image_le16(sb + 254) : DESCRIPTOR_MIN;
  return layout->inodes_per_group > 0 && layout->inode_size >= OLD_INODE &&
         layout->inode_size <= INODE_MAX && layout->descriptor >= DESCRIPTOR_MIN;
}

/* The inode's place in the file system; false where the tables are damaged. */
static bool find_inode(TSK_FS_INFO *fs, const Layout *layout, uint64_t inode, uint64_t *place) {
  uint8_t entry[64] = {0};
  if (inode == 0 || inode > layout->n_inodes)
    return false;
  uint64_t group = (inode - 1) / layout->inodes_per_group;
  uint64_t table = (layout->first_data + 1) * layout->block + group * layout->descriptor;
  if (!read_at(fs, table, entry, MIN(layout->descriptor, sizeof entry)))
    return false;
  uint64_t block = image_le32(entry + 8);
  if (layout->is_64bit && layout->descriptor >= 64)
    block |= (uint64_t)image_le32(entry + 40) << 32;
  uint64_t start;
  return g_uint64_checked_mul(&start, block, layout->block) &&
         g_uint64_checked_add(place, start,
                              (inode - 1) % layout->inodes_per_group * layout->inode_size);
}

/* The value of the attribute system.data behind the inode's own fields: what did not fit into the
 * 60 bytes. */
static bool find_value(const uint8_t *inode, size_t size, Range *value) {
  size_t head = OLD_INODE + (size_t)image_le16(inode + OLD_INODE);
  if (head + 4 > size || image_le32(inode + head) != 0xEA020000)
    return false;
  size_t first = head + 4;
  for (size_t at = first; at + 16 <= size && image_le32(inode + at) != 0;) {
    size_t n_name = inode[at], offset = image_le16(inode + at + 2), n = image_le32(inode + at + 8);
    if (n_name == 4 && inode[at + 1] == INDEX_SYSTEM && at + 20 <= size &&
        memcmp(inode + at + 16, "data", 4) == 0) {
      if (offset > size - first || n > size - first - offset)
        return false;
      *value = (Range){first + offset, first + offset + n};
      return true;
    }
    at += 16 + ((n_name + 3) & ~(size_t)3);
  }
  return false;
}

guint inline_places(TSK_FS_INFO *fs, uint64_t inode, Range places[2]) {
  Layout layout;
  uint64_t place;
  uint8_t bytes[INODE_MAX];
  if (!read_layout(fs, &layout) || !find_inode(fs, &layout, inode, &place) ||
      !read_at(fs, place, bytes, (size_t)layout.inode_size))
    return 0;
  places[0] = (Range){place + I_BLOCK, place + I_BLOCK_END};
  if (layout.inode_size <= OLD_INODE + 4 ||
      !find_value(bytes, (size_t)layout.inode_size, &places[1]))
    return 1;
  places[1].start += place;
  places[1].end += place;
  return 2;
}
