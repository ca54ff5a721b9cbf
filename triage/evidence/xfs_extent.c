/* SPDX-License-Identifier: Apache-2.0 */
/* xfs_extent.c - where the content of an XFS inode lies: a list in the inode, or a tree that begins
 * there. Each level of the tree must be one lower, and no block is taken twice. */
#include "base/keyhash.h"
#include "base/limits.h"
#include "evidence/walk.h"
#include "evidence/xfs_private.h"
#include <string.h>
#include <sys/stat.h>

enum {
  RECORD = 16,
  LEVEL_MAX = 9,
  HEADER_OLD = 24,
  HEADER = 72,
  LINK_HEADER = 56,
  LINK_MAX = 1024 /* bytes of a link */
};

typedef struct {
  Xfs *xfs;
  GArray *extents;
  GHashTable *blocks; /* of the tree, taken already */
  uint64_t lost;      /* parts of the description that make no sense */
} Reader;

static bool block_place(const Xfs *xfs, uint64_t block, uint64_t n, uint64_t *place) {
  uint64_t group = block >> xfs->group_log;
  uint64_t inside = block & ((UINT64_C(1) << xfs->group_log) - 1);
  if (group >= xfs->n_groups || inside >= xfs->group_blocks || n > xfs->group_blocks - inside)
    return false;
  *place = (group * xfs->group_blocks + inside) * xfs->block_bytes;
  return *place <= xfs->size && n * xfs->block_bytes <= xfs->size - *place;
}

static void take_records(Reader *reader, const uint8_t *records, uint64_t n) {
  for (uint64_t i = 0; i < n; i++) {
    uint64_t high = image_be64(records + i * RECORD), low = image_be64(records + i * RECORD + 8);
    XfsExtent extent = {.file_block = (high & INT64_MAX) >> 9,
                        .n_blocks = low & ((1 << 21) - 1),
                        .is_unwritten = high >> 63 != 0};
    if (extent.n_blocks == 0 || reader->extents->len >= LIMIT_RUNS_PER_ATTR ||
        !block_place(reader->xfs, (high & 511) << 43 | low >> 21, extent.n_blocks, &extent.place))
      reader->lost++;
    else
      g_array_append_val(reader->extents, extent);
  }
}

/* The pointers of a node lie behind room for as many keys as there could be. */
static uint64_t pointer_at(const uint8_t *node, size_t n_node, uint64_t index) {
  return image_be64(node + n_node / RECORD * 8 + index * 8);
}

static void take_block(Reader *reader, uint64_t block, uint32_t level) {
  const Xfs *xfs = reader->xfs;
  uint64_t place;
  g_autofree uint8_t *bytes = g_malloc(xfs->block_bytes);
  size_t header = xfs->is_v5 ? HEADER : HEADER_OLD;
  bool is_new = !g_hash_table_contains(reader->blocks, &block);
  if (is_new)
    g_hash_table_add(reader->blocks, g_memdup2(&block, sizeof block));
  if (!is_new || !block_place(xfs, block, 1, &place) ||
      !xfs_pread(reader->xfs, place, bytes, xfs->block_bytes) ||
      memcmp(bytes, xfs->is_v5 ? "BMA3" : "BMAP", 4) != 0 || xfs_be16(bytes + 4) != level ||
      xfs_be16(bytes + 6) > (xfs->block_bytes - header) / RECORD) {
    reader->lost++;
    return;
  }
  uint64_t n = xfs_be16(bytes + 6);
  if (level == 0) {
    take_records(reader, bytes + header, n);
    return;
  }
  for (uint64_t i = 0; i < n; i++)
    take_block(reader, pointer_at(bytes + header, xfs->block_bytes - header, i), level - 1);
}

static void take_tree(Reader *reader, const XfsInode *inode) {
  uint32_t level = xfs_be16(inode->fork), n = xfs_be16(inode->fork + 2);
  if (inode->n_fork < 4 || level == 0 || level > LEVEL_MAX || n > (inode->n_fork - 4) / RECORD) {
    reader->lost++;
    return;
  }
  for (uint64_t i = 0; i < n; i++)
    take_block(reader, pointer_at(inode->fork + 4, inode->n_fork - 4, i), level - 1);
}

static int compare_extents(gconstpointer a, gconstpointer b) {
  const XfsExtent *x = a, *y = b;
  return x->file_block != y->file_block ? (x->file_block < y->file_block ? -1 : 1) : 0;
}

/* In order of the content. Of two for the same place the first counts, the other's blocks stay for
 * the areas: as many as there are could each name all blocks there are. */
static void settle(Reader *reader) {
  GArray *extents = reader->extents;
  uint64_t past = 0;
  guint kept = 0;
  g_array_sort(extents, compare_extents);
  for (guint i = 0; i < extents->len; i++) {
    XfsExtent extent = g_array_index(extents, XfsExtent, i);
    if (extent.file_block < past) {
      reader->lost++;
      continue;
    }
    past = extent.file_block + extent.n_blocks;
    g_array_index(extents, XfsExtent, kept++) = extent;
  }
  g_array_set_size(extents, kept);
}

GArray *xfs_extents(Xfs *xfs, const XfsInode *inode, GError **error) {
  g_autoptr(GHashTable) blocks = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  Reader reader = {xfs, g_array_new(FALSE, FALSE, sizeof(XfsExtent)), blocks, 0};
  uint64_t room = inode->n_fork / RECORD;
  if (inode->format == XFS_FORMAT_EXTENTS && inode->n_extents <= room)
    take_records(&reader, inode->fork, inode->n_extents);
  else if (inode->format == XFS_FORMAT_BTREE)
    take_tree(&reader, inode);
  else
    reader.lost++;
  settle(&reader);
  if (reader.lost > 0)
    triage_fail(error, TRIAGE_REASON_CORRUPT,
                "%llu part(s) of what says where the content lies make no sense or lead outside "
                "the file system; the content there is not known",
                (unsigned long long)reader.lost);
  return reader.extents;
}

/* A link's blocks begin with a header of their own, but for those that mkfs.xfs made. */
static uint32_t header_of(Xfs *xfs, const XfsInode *inode, const GArray *extents) {
  char mark[4] = "";
  if (!S_ISLNK(inode->mode) || inode->size > LINK_MAX || !xfs->is_v5 || extents->len == 0 ||
      !xfs_pread(xfs, g_array_index(extents, XfsExtent, 0).place, mark, sizeof mark))
    return 0;
  return memcmp(mark, "XSLM", sizeof mark) == 0 ? LINK_HEADER : 0;
}

static void add_run(GArray *runs, uint64_t at, uint64_t length, uint64_t place) {
  ContentRun run = {at, length, place};
  ContentRun *last = runs->len > 0 ? &g_array_index(runs, ContentRun, runs->len - 1) : NULL;
  if (last != NULL && last->content_offset + last->length == at &&
      last->media_offset + last->length == place)
    last->length += length;
  else
    g_array_append_val(runs, run);
}

GArray *xfs_content_runs(Xfs *xfs, const XfsInode *inode, GError **error) {
  g_autoptr(GArray) extents = xfs_extents(xfs, inode, error);
  GArray *runs = g_array_new(FALSE, FALSE, sizeof(ContentRun));
  uint64_t block = xfs->block_bytes, header = header_of(xfs, inode, extents);
  for (guint i = 0; i < extents->len; i++) {
    const XfsExtent *extent = &g_array_index(extents, XfsExtent, i);
    uint64_t step = header > 0 ? 1 : extent->n_blocks, at;
    for (uint64_t j = 0; j < extent->n_blocks; j += step) {
      if (!g_uint64_checked_mul(&at, extent->file_block + j, block - header) || at >= inode->size)
        break;
      uint64_t length = MIN(step * (block - header), inode->size - at);
      if (!extent->is_unwritten)
        add_run(runs, at, length, extent->place + j * block + header);
    }
  }
  return runs;
}
