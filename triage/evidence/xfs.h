/* SPDX-License-Identifier: Apache-2.0 */
/* xfs.h - an XFS file system (versions 4 and 5) in a stretch of an image: its inodes, directories
 * and where content lies. Knows nothing of walks.
 *
 * Why not libfsxfs: Debian's 20201117 gives up directories that have grown a tree (a thousand names
 * are enough), hangs on damaged ones, reads times since 2020 (bigtime) as of 1999, and does not say
 * where content lies, without which the same bytes would be found twice. */
#pragma once
#include "evidence/image.h"
#include "triage/time.h"
#include <stdbool.h>

typedef struct _Xfs Xfs;

/* NULL without error: there is no XFS. NULL with error: one that cannot be read (features that are
 * not known, a superblock that makes no sense). (transfer full) */
Xfs *xfs_open(Image *image, uint64_t offset, uint64_t length, GError **error);
void xfs_free(Xfs *xfs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Xfs, xfs_free)

uint64_t xfs_size(const Xfs *xfs); /* bytes the file system spans */
uint32_t xfs_block_bytes(const Xfs *xfs);
uint64_t xfs_root(const Xfs *xfs); /* inode of the root directory */
/* Inodes in use that names should lead to, as the superblock counts them. */
uint64_t xfs_claimed_inodes(const Xfs *xfs);

enum { XFS_INODE_MAX = 2048 };
typedef struct {
  uint16_t mode;
  uint8_t format;
  bool is_realtime;
  uint64_t number, size, blocks; /* blocks: of content and of what describes it */
  uint64_t n_extents;
  TriageTime created, modified, changed, accessed;
  uint64_t place; /* of the fork: what describes the content, or the content; from the start */
  uint32_t n_fork;
  uint8_t fork[XFS_INODE_MAX];
} XfsInode;
/* False where the number leads outside, or to no inode. */
bool xfs_inode_read(Xfs *xfs, uint64_t number, XfsInode *inode);
/* The content lies in the inode: the first size bytes of its fork. */
bool xfs_inode_is_inline(const XfsInode *inode);

/* Where the content of a file or link lies: ContentRun by content offset, with places counted from
 * the volume's start; what lies between them is a hole. (transfer full), never NULL; error: some
 * of it leads outside or cannot be read. */
GArray *xfs_content_runs(Xfs *xfs, const XfsInode *inode, GError **error);

/* name: raw bytes without '.' and '..'. Returns false to stop. */
typedef bool (*xfs_name)(void *user, uint64_t number, const uint8_t *name, size_t n);
/* Hands over all names of a directory. False with error: parts of it cannot be read. */
gboolean xfs_dir_read(Xfs *xfs, const XfsInode *inode, xfs_name found, void *user, GError **error);
