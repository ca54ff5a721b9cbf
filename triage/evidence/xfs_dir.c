/* SPDX-License-Identifier: Apache-2.0 */
/* xfs_dir.c - the names of an XFS directory: in the inode, or in blocks. Of those only the ones
 * with names are read, one by one: a damaged block costs its own names, a damaged index none. */
#include "base/limits.h"
#include "evidence/xfs_private.h"
#include <string.h>

enum { ALIGN = 8, UNUSED = 0xffff, HEADER_OLD = 16, HEADER = 64, TAIL = 8, LEAF_ENTRY = 8 };
/* Bytes; behind it lie the index and the list of free room. */
#define NAMES_END (UINT64_C(1) << 35)

typedef struct {
  Xfs *xfs;
  xfs_name found;
  void *user;
  uint64_t lost; /* blocks, or parts of them */
  bool stopped;
} Reader;

static void take_name(Reader *reader, uint64_t number, const uint8_t *name, size_t n) {
  bool is_self = n == 1 && name[0] == '.', is_parent = n == 2 && memcmp(name, "..", 2) == 0;
  if (!is_self && !is_parent)
    reader->stopped = !reader->found(reader->user, number, name, n);
}

/* In the inode: a count, the parent, and names with numbers of four or eight bytes. */
static void take_short(Reader *reader, const XfsInode *inode) {
  const uint8_t *fork = inode->fork;
  size_t end = (size_t)MIN(inode->size, inode->n_fork);
  size_t n_number = end > 1 && fork[1] > 0 ? 8 : 4, at = 2 + n_number;
  for (guint left = end > 1 ? fork[0] : 0; left > 0 && !reader->stopped; left--) {
    size_t n = at < end ? fork[at] : 0, whole = 3 + n + (reader->xfs->has_types ? 1 : 0) + n_number;
    if (n == 0 || whole > end - at) {
      reader->lost++;
      return;
    }
    const uint8_t *number = fork + at + whole - n_number;
    take_name(reader, n_number == 8 ? image_be64(number) : image_be32(number), fork + at + 3, n);
    at += whole;
  }
}

/* Where the names of a block end, and where they begin; false where it is no such block. */
static bool bounds_of(const Xfs *xfs, const uint8_t *block, size_t *at, size_t *end) {
  bool is_single = memcmp(block, xfs->is_v5 ? "XDB3" : "XD2B", 4) == 0;
  bool is_data = memcmp(block, xfs->is_v5 ? "XDD3" : "XD2D", 4) == 0;
  *at = xfs->is_v5 ? HEADER : HEADER_OLD;
  *end = xfs->dir_bytes;
  if (is_single) { /* the only block holds its index too */
    uint64_t n = image_be32(block + xfs->dir_bytes - TAIL);
    if (n > (*end - *at - TAIL) / LEAF_ENTRY)
      return false;
    *end -= TAIL + (size_t)n * LEAF_ENTRY;
  }
  return is_single || is_data;
}

static void take_block(Reader *reader, const uint8_t *block) {
  size_t at, end;
  if (!bounds_of(reader->xfs, block, &at, &end)) {
    reader->lost++;
    return;
  }
  while (at < end && !reader->stopped) {
    const uint8_t *entry = block + at;
    size_t left = end - at, whole = 0;
    if (left >= ALIGN && xfs_be16(entry) == UNUSED) {
      whole = xfs_be16(entry + 2);
    } else if (left >= 16 && entry[8] > 0) {
      size_t used = 8 + 1 + entry[8] + (reader->xfs->has_types ? 1 : 0) + 2;
      whole = (used + ALIGN - 1) / ALIGN * ALIGN;
      if (whole <= left)
        take_name(reader, image_be64(entry), entry + 9, entry[8]);
    }
    if (whole == 0 || whole % ALIGN != 0 || whole > left) {
      reader->lost++;
      return;
    }
    at += whole;
  }
}

/* Directory blocks may be larger than those of the file system, and their parts lie apart. */
static void take_blocks(Reader *reader, const GArray *extents) {
  Xfs *xfs = reader->xfs;
  uint64_t per_block = xfs->dir_bytes / xfs->block_bytes, filled = 0;
  g_autofree uint8_t *block = g_malloc0(xfs->dir_bytes);
  for (guint i = 0; i < extents->len; i++) {
    const XfsExtent *extent = &g_array_index(extents, XfsExtent, i);
    for (uint64_t j = 0; j < extent->n_blocks && !reader->stopped; j++) {
      uint64_t number = extent->file_block + j, part = number % per_block;
      if (number >= NAMES_END / xfs->block_bytes)
        break;
      if (part != filled) { /* one of its parts is missing */
        reader->lost++;
        filled = 0;
        if (part != 0)
          continue;
      }
      if (!xfs_pread(xfs, extent->place + j * xfs->block_bytes, block + part * xfs->block_bytes,
                     xfs->block_bytes)) {
        reader->lost++;
        filled = 0;
        continue;
      }
      filled = part + 1;
      if (filled < per_block)
        continue;
      take_block(reader, block);
      filled = 0;
    }
  }
  reader->lost += filled > 0 && !reader->stopped ? 1 : 0; /* the last one's other parts lack */
}

gboolean xfs_dir_read(Xfs *xfs, const XfsInode *inode, xfs_name found, void *user, GError **error) {
  Reader reader = {.xfs = xfs, .found = found, .user = user};
  g_autoptr(GError) failure = NULL;
  if (inode->format == XFS_FORMAT_LOCAL) {
    take_short(&reader, inode);
  } else {
    g_autoptr(GArray) extents = xfs_extents(xfs, inode, &failure);
    take_blocks(&reader, extents);
  }
  if (reader.lost > 0)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "%llu part(s) of the directory are damaged; what their names led to is "
                       "examined as bytes without names",
                       (unsigned long long)reader.lost);
  if (failure != NULL)
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "of the directory %s", failure->message);
  return TRUE;
}
