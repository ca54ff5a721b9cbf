/* SPDX-License-Identifier: Apache-2.0 */
/* walk_extent.c - whether the extents of an ext4 inode are a tree at all. libtsk follows a block
 * that is its own child until it gives up, and each time keeps some 70 KiB: an orphan storm of a
 * hundred thousand such inodes costs the worker its memory; one child under many parents costs it
 * days. */
#include "base/keyhash.h"
#include "evidence/image_format.h"
#include "evidence/walk_private.h"

enum { HEAD = 12, ENTRY = 12, MAGIC = 0xf30a, DEEPEST = 5, ROOT_BYTES = 60 };

typedef struct {
  uint64_t block;
  uint16_t depth;
} Node;

typedef struct {
  TSK_FS_INFO *fs;
  GHashTable *seen; /* blocks that are nodes */
  GArray *pending;  /* Node */
} Tree;

/* The children of one node; false where one is no block, or a node already. */
static bool take_children(Tree *tree, const uint8_t *node, guint n, uint16_t depth) {
  for (guint i = 0; i < n; i++) {
    const uint8_t *entry = node + HEAD + (size_t)i * ENTRY;
    Node child = {image_le32(entry + 4) | (uint64_t)image_le16(entry + 8) << 32,
                  (uint16_t)(depth - 1)};
    if (child.block == 0 || child.block > tree->fs->last_block_act ||
        !walk_remember(tree->seen, child.block))
      return false;
    g_array_append_val(tree->pending, child);
  }
  return true;
}

/* False where it is no node of that depth. */
static bool take_node(Tree *tree, const uint8_t *node, size_t size, uint16_t depth) {
  guint n = image_le16(node + 2);
  if (image_le16(node) != MAGIC || image_le16(node + 6) != depth || n > (size - HEAD) / ENTRY)
    return false;
  return depth == 0 || take_children(tree, node, n, depth);
}

bool extents_are_tree(TSK_FS_INFO *fs, const TSK_FS_META *meta) {
  const uint8_t *root = meta->content_ptr;
  if (!TSK_FS_TYPE_ISEXT(fs->ftype) ||
      meta->content_type != TSK_FS_META_CONTENT_TYPE_EXT4_EXTENTS || root == NULL ||
      meta->content_len < ROOT_BYTES || image_le16(root) != MAGIC || image_le16(root + 6) == 0)
    return true; /* nothing to follow */
  Tree tree = {.fs = fs,
               .seen = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL),
               .pending = g_array_new(FALSE, FALSE, sizeof(Node))};
  g_autofree char *buffer = g_malloc(fs->block_size);
  uint16_t depth = image_le16(root + 6);
  bool ok = depth <= DEEPEST && take_node(&tree, root, ROOT_BYTES, depth);
  while (ok && tree.pending->len > 0) {
    Node next = g_array_index(tree.pending, Node, tree.pending->len - 1);
    g_array_set_size(tree.pending, tree.pending->len - 1);
    ok = tsk_fs_read_block(fs, next.block, buffer, fs->block_size) == (ssize_t)fs->block_size &&
         take_node(&tree, (const uint8_t *)buffer, fs->block_size, next.depth);
  }
  g_array_unref(tree.pending);
  g_hash_table_unref(tree.seen);
  return ok;
}
