/* SPDX-License-Identifier: Apache-2.0 */
/* walk_extent.c - whether the extents of an ext4 inode are a tree at all, and its runs where libtsk
 * cannot put them together. libtsk follows a block that is its own child until it gives up, and
 * each time keeps some 70 KiB: an orphan storm of a hundred thousand such inodes costs the worker
 * its memory; one child under many parents costs it days. A sound tree of more than one leaf it
 * refuses ("No filler entry for 0": it takes each block of the tree for the first of them), and of
 * an extent that was never written it takes the mark for a part of the length. */
#include "base/keyhash.h"
#include "base/limits.h"
#include "evidence/image_format.h"
#include "evidence/walk_private.h"

enum { HEAD = 12, ENTRY = 12, MAGIC = 0xf30a, DEEPEST = 5, ROOT_BYTES = 60, WRITTEN_MAX = 32768 };

/* libtsk exports these without a header of its own. */
TSK_FS_ATTRLIST *tsk_fs_attrlist_alloc(void);
TSK_FS_ATTR *tsk_fs_attrlist_getnew(TSK_FS_ATTRLIST *list, TSK_FS_ATTR_FLAG_ENUM flags);
TSK_FS_ATTR_RUN *tsk_fs_attr_run_alloc(void);
uint8_t tsk_fs_attr_set_run(TSK_FS_FILE *file, TSK_FS_ATTR *attr, TSK_FS_ATTR_RUN *run,
                            const char *name, TSK_FS_ATTR_TYPE_ENUM type, uint16_t id,
                            TSK_OFF_T size, TSK_OFF_T initsize, TSK_OFF_T allocsize,
                            TSK_FS_ATTR_FLAG_ENUM flags, uint32_t compsize);

typedef struct {
  uint64_t block;
  uint16_t depth;
} Node;

typedef struct {
  TSK_FS_INFO *fs;
  GHashTable *seen; /* blocks that are nodes */
  GArray *pending;  /* Node */
  GArray *runs;     /* TSK_FS_ATTR_RUN in order, without gaps; NULL: not asked for */
  uint64_t end;     /* the first block of the content that no run covers yet */
} Tree;

/* The children of one node; false where one is no block, or a node already. */
static bool take_children(Tree *tree, const uint8_t *node, guint n, uint16_t depth) {
  for (guint i = n; i-- > 0;) { /* the first is taken from the end first */
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

static bool add_run(Tree *tree, uint64_t addr, uint64_t length, TSK_FS_ATTR_RUN_FLAG_ENUM flags) {
  if (tree->runs->len >= LIMIT_RUNS_PER_ATTR)
    return false;
  TSK_FS_ATTR_RUN run = {.offset = tree->end, .addr = addr, .len = length, .flags = flags};
  g_array_append_val(tree->runs, run);
  tree->end += length;
  return true;
}

static bool add_hole(Tree *tree, uint64_t until) {
  return until <= tree->end || add_run(tree, 0, until - tree->end, TSK_FS_ATTR_RUN_FLAG_SPARSE);
}

/* The extents of a leaf; false where they are not in order. What was reserved and never written
 * reads as zeros: a hole, whose blocks are examined as blocks of no entry. */
static bool take_extents(Tree *tree, const uint8_t *node, guint n) {
  for (guint i = 0; i < n; i++) {
    const uint8_t *entry = node + HEAD + (size_t)i * ENTRY;
    uint64_t first = image_le32(entry), length = image_le16(entry + 4);
    uint64_t addr = image_le32(entry + 8) | (uint64_t)image_le16(entry + 6) << 32;
    bool is_written = length <= WRITTEN_MAX;
    if (length == 0 || first < tree->end || !add_hole(tree, first) ||
        !(is_written ? add_run(tree, addr, length, TSK_FS_ATTR_RUN_FLAG_NONE)
                     : add_hole(tree, first + length - WRITTEN_MAX)))
      return false;
  }
  return true;
}

/* False where it is no node of that depth. */
static bool take_node(Tree *tree, const uint8_t *node, size_t size, uint16_t depth) {
  guint n = image_le16(node + 2);
  if (image_le16(node) != MAGIC || image_le16(node + 6) != depth || n > (size - HEAD) / ENTRY)
    return false;
  if (depth > 0)
    return take_children(tree, node, n, depth);
  return tree->runs == NULL || take_extents(tree, node, n);
}

static bool has_extents(const TSK_FS_INFO *fs, const TSK_FS_META *meta) {
  const uint8_t *root = meta->content_ptr;
  return TSK_FS_TYPE_ISEXT(fs->ftype) &&
         meta->content_type == TSK_FS_META_CONTENT_TYPE_EXT4_EXTENTS && root != NULL &&
         meta->content_len >= ROOT_BYTES && image_le16(root) == MAGIC;
}

static bool take_tree(Tree *tree, const uint8_t *root) {
  TSK_FS_INFO *fs = tree->fs;
  tree->seen = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  tree->pending = g_array_new(FALSE, FALSE, sizeof(Node));
  g_autofree char *buffer = g_malloc(fs->block_size);
  uint16_t depth = image_le16(root + 6);
  bool ok = depth <= DEEPEST && take_node(tree, root, ROOT_BYTES, depth);
  while (ok && tree->pending->len > 0) {
    Node next = g_array_index(tree->pending, Node, tree->pending->len - 1);
    g_array_set_size(tree->pending, tree->pending->len - 1);
    ok = tsk_fs_read_block(fs, next.block, buffer, fs->block_size) == (ssize_t)fs->block_size &&
         take_node(tree, (const uint8_t *)buffer, fs->block_size, next.depth);
  }
  g_array_unref(tree->pending);
  g_hash_table_unref(tree->seen);
  return ok;
}

bool extents_are_tree(TSK_FS_INFO *fs, const TSK_FS_META *meta) {
  const uint8_t *root = meta->content_ptr;
  if (!has_extents(fs, meta) || image_le16(root + 6) == 0)
    return true; /* nothing to follow */
  Tree tree = {.fs = fs};
  return take_tree(&tree, root);
}

bool extents_are_ours(const TSK_FS_INFO *fs, const TSK_FS_META *meta) {
  const uint8_t *root = meta->content_ptr;
  if (!has_extents(fs, meta))
    return false;
  bool is_ours = image_le16(root + 6) > 0;
  guint n = MIN(image_le16(root + 2), (ROOT_BYTES - HEAD) / ENTRY);
  for (guint i = 0; i < n && !is_ours; i++)
    is_ours = image_le16(root + HEAD + (size_t)i * ENTRY + 4) > WRITTEN_MAX;
  return is_ours;
}

/* The runs as libtsk keeps them. (transfer full) */
static TSK_FS_ATTR_RUN *link_runs(const GArray *runs) {
  TSK_FS_ATTR_RUN *first = NULL;
  for (guint i = runs->len; i-- > 0;) {
    TSK_FS_ATTR_RUN *run = tsk_fs_attr_run_alloc();
    if (run == NULL)
      g_error("out of memory");
    *run = g_array_index(runs, TSK_FS_ATTR_RUN, i);
    run->next = first;
    first = run;
  }
  return first;
}

bool extents_load(TSK_FS_FILE *file) {
  TSK_FS_META *meta = file->meta;
  TSK_FS_INFO *fs = file->fs_info;
  if (meta->attr != NULL || meta->attr_state != TSK_FS_META_ATTR_EMPTY || meta->size < 0 ||
      meta->size > INT64_MAX - (TSK_OFF_T)fs->block_size || !extents_are_ours(fs, meta))
    return false;
  uint64_t blocks = ((uint64_t)meta->size + fs->block_size - 1) / fs->block_size;
  Tree tree = {.fs = fs, .runs = g_array_new(FALSE, FALSE, sizeof(TSK_FS_ATTR_RUN))};
  bool ok = take_tree(&tree, meta->content_ptr) && add_hole(&tree, blocks);
  if (ok) {
    meta->attr = tsk_fs_attrlist_alloc();
    TSK_FS_ATTR *attr = tsk_fs_attrlist_getnew(meta->attr, TSK_FS_ATTR_NONRES);
    ok = attr != NULL &&
         tsk_fs_attr_set_run(file, attr, link_runs(tree.runs), NULL, TSK_FS_ATTR_TYPE_DEFAULT,
                             TSK_FS_ATTR_ID_DEFAULT, meta->size, meta->size,
                             (TSK_OFF_T)(blocks * fs->block_size), 0, 0) == 0;
    meta->attr_state = ok ? TSK_FS_META_ATTR_STUDIED : TSK_FS_META_ATTR_ERROR;
  }
  g_array_unref(tree.runs);
  return ok;
}

static uint8_t load_for_dir(TSK_FS_FILE *file) {
  return extents_load(file) || file->meta->attr_state == TSK_FS_META_ATTR_STUDIED ? 0 : 1;
}

TSK_FS_DIR *extents_open_dir(TSK_FS_INFO *fs, uint64_t address, GArray **order) {
  uint8_t (*usual)(TSK_FS_FILE *) = fs->load_attrs;
  fs->load_attrs = load_for_dir;
  TSK_FS_DIR *dir = walk_open_dir(fs, address, order);
  fs->load_attrs = usual;
  return dir;
}
