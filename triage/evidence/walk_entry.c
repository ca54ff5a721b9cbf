/* SPDX-License-Identifier: Apache-2.0 */
/* walk_entry.c - the objects of one metadata entry: its attributes, with state, size and the place
 * of their first byte. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/walk_private.h"
#include "evidence/wof.h"
#include <string.h>

static ObjectKind kind_of(const TSK_FS_META *meta) {
  switch (meta->type) {
  case TSK_FS_META_TYPE_DIR:
  case TSK_FS_META_TYPE_VIRT_DIR:
    return OBJECT_DIR;
  case TSK_FS_META_TYPE_LNK:
    return OBJECT_LINK;
  case TSK_FS_META_TYPE_VIRT:
    return OBJECT_VIRTUAL;
  case TSK_FS_META_TYPE_FIFO:
  case TSK_FS_META_TYPE_CHR:
  case TSK_FS_META_TYPE_BLK:
  case TSK_FS_META_TYPE_SOCK:
  case TSK_FS_META_TYPE_WHT:
  case TSK_FS_META_TYPE_SHAD:
    return OBJECT_OTHER;
  default:
    return OBJECT_FILE;
  }
}

static uint32_t attr_flags(const TSK_FS_ATTR *attr) {
  uint32_t flags = 0;
  if ((attr->flags & TSK_FS_ATTR_RES) != 0)
    flags |= OBJECT_RESIDENT;
  if ((attr->flags & TSK_FS_ATTR_COMP) != 0)
    flags |= OBJECT_COMPRESSED;
  if ((attr->flags & TSK_FS_ATTR_ENC) != 0)
    flags |= OBJECT_ENCRYPTED;
  if ((attr->flags & TSK_FS_ATTR_SPARSE) != 0)
    flags |= OBJECT_SPARSE;
  return flags;
}

/* Where the attribute begins in the media; *is_hole where it has size but no block at all (NTFS
 * $BadClus:$Bad spans the volume and stores nothing). */
static uint64_t first_byte_of(const Walk *walk, const TSK_FS_ATTR *attr, bool *is_hole) {
  *is_hole = false;
  if ((attr->flags & TSK_FS_ATTR_NONRES) == 0)
    return 0;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++) {
    uint64_t bytes, place;
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0)
      continue;
    if (!g_uint64_checked_mul(&bytes, run->addr, walk->fs->block_size) ||
        !g_uint64_checked_add(&place, bytes, walk->volume->offset) || place > INT64_MAX)
      return 0;
    return place;
  }
  *is_hole =
      attr->size > 0 && (attr->nrd.run != NULL ||
                         (attr->type == TSK_FS_ATTR_TYPE_NTFS_DATA && attr->nrd.initsize == 0));
  return 0;
}

static bool is_index_of_dir(const TSK_FS_ATTR *attr) {
  return attr->type == TSK_FS_ATTR_TYPE_NTFS_IDXROOT && attr->name != NULL &&
         strcmp(attr->name, "$I30") == 0;
}

/* Emits one object, or one more name of an object that is known already. stored: where its bytes
 * are kept. */
static void emit_stored(Walk *walk, Object *object, const TSK_FS_ATTR *attr,
                        const TSK_FS_ATTR *stored, bool is_plain) {
  AttrKey key = {object->meta_addr, object->attr_type, object->attr_id};
  const uint64_t *known = g_hash_table_lookup(walk->objects, &key);
  bool by_key = object->meta[0] != '\0';
  if (by_key && known != NULL) {
    ObjectName name = {.seq = *known,
                       .dir = object->dir,
                       .state = object->state,
                       .flags = object->flags & OBJECT_REALLOCATED,
                       .name = object->name};
    walk->stopped = walk->stopped || !walk->sink->name(walk->sink->user, &name);
    return;
  }
  g_autoptr(GBytes) attr_name = NULL;
  if (attr != NULL && attr->name != NULL && !is_plain) {
    attr_name = g_bytes_new(attr->name, strnlen(attr->name, attr->name_size));
    object->attr_name = attr_name;
    object->flags |= OBJECT_NAMED_STREAM;
  }
  object->seq = walk->seq++;
  bool is_claim_ok = areas_claim(walk, object, attr);
  if (!is_claim_ok || !areas_is_new(walk, object, stored))
    object->flags |= OBJECT_NO_CONTENT;
  if (by_key)
    g_hash_table_insert(walk->objects, g_memdup2(&key, sizeof key),
                        g_memdup2(&object->seq, sizeof object->seq));
  walk->stopped = walk->stopped || !walk->sink->object(walk->sink->user, object);
  if (!is_claim_ok)
    walk_gap(
        walk, object->seq, 0, false, object->meta_addr, TRIAGE_REASON_SIZE_LIMIT,
        "this entry, or the entries of the volume together, lay claim to many times its size; the "
        "blocks this one names are examined with other entries or as blocks of no entry");
  areas_take(walk, object, attr);
  object->attr_name = NULL;
}

static void emit(Walk *walk, Object *object, const TSK_FS_ATTR *attr, bool is_plain) {
  emit_stored(walk, object, attr, attr, is_plain);
}

static void emit_attr(Walk *walk, const Object *base, const TSK_FS_ATTR *attr,
                      const TSK_FS_ATTR *stored, bool with_id) {
  Object object = *base;
  bool is_hole;
  object.attr_type = (uint32_t)attr->type;
  object.attr_id = attr->id;
  object.flags |= attr_flags(attr);
  object.size = attr->size > 0 ? (uint64_t)attr->size : 0;
  object.first_byte = first_byte_of(walk, stored, &is_hole);
  if (stored != attr)
    object.flags |= OBJECT_COMPRESSED;
  else if (is_hole)
    object.flags |= OBJECT_SPARSE | OBJECT_NO_CONTENT;
  if (with_id)
    g_snprintf(object.meta, sizeof object.meta, "%llu-%u-%u", (unsigned long long)object.meta_addr,
               object.attr_type, object.attr_id);
  bool is_index = is_index_of_dir(attr);
  if (is_index)
    object.flags |= OBJECT_NO_CONTENT;
  else if (object.kind == OBJECT_DIR)
    object.kind = OBJECT_FILE; /* a stream of a directory is content like any other */
  emit_stored(walk, &object, attr, stored, is_index);
}

/* The attributes of an NTFS entry that hold what somebody may have put there. Standard information,
 * names, security descriptors and bitmaps are the file system's own. */
static bool is_content(const TSK_FS_ATTR *attr) {
  switch (attr->type) {
  case TSK_FS_ATTR_TYPE_NTFS_DATA:
  case TSK_FS_ATTR_TYPE_NTFS_IDXROOT:
  case TSK_FS_ATTR_TYPE_NTFS_REPARSE:
  case TSK_FS_ATTR_TYPE_NTFS_EA:
  case TSK_FS_ATTR_TYPE_NTFS_LOG:
    return true;
  default:
    return false;
  }
}

bool entry_has_content(const Walk *walk, TSK_FS_FILE *file) {
  int n = TSK_FS_TYPE_ISNTFS(walk->fs->ftype)
              ? MIN(tsk_fs_file_attr_getsize(file), (int)LIMIT_ATTRS_PER_ENTRY)
              : 0;
  for (int i = 0; i < n; i++) {
    const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
    if (attr != NULL && is_content(attr) && attr->size > 0)
      return true;
  }
  return false;
}

/* The unnamed data that was just sent is a hole: what should fill it is not on this volume. */
static void tell_wof(Walk *walk, const Wof *wof, uint64_t seq, uint64_t meta_addr) {
  if (!wof->is_lost && !wof->is_in_wim)
    return;
  walk_gap(walk, seq, 0, false, meta_addr,
           wof->is_lost ? TRIAGE_REASON_CORRUPT : TRIAGE_REASON_UNSUPPORTED_FORMAT,
           wof->is_lost ? "the file is compressed by WOF, and its stream WofCompressedData is not "
                          "there: the content is lost"
                        : "the file's content lies in a WIM file (WIMBoot), which may be examined "
                          "as an archive, and is not put in its place");
}

static bool emit_ntfs(Walk *walk, const Object *base, TSK_FS_FILE *file) {
  bool any = false;
  Wof wof = wof_find(file);
  int n = MIN(tsk_fs_file_attr_getsize(file), (int)LIMIT_ATTRS_PER_ENTRY);
  for (int i = 0; i < n && !walk->stopped; i++) {
    const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
    if (attr == NULL || !is_content(attr))
      continue;
    any = true;
    uint64_t seq = walk->seq;
    emit_attr(walk, base, attr, wof_is_content(&wof, attr) ? wof.stream : attr, true);
    bool is_first_name = walk->seq > seq;
    if (is_first_name && attr->type == TSK_FS_ATTR_TYPE_NTFS_DATA && attr->name == NULL &&
        attr->size > 0)
      tell_wof(walk, &wof, seq, file->meta->addr);
  }
  return any;
}

/* HFS+ and APFS: data fork, resource fork, extended attributes. */
static bool emit_forks(Walk *walk, const Object *base, TSK_FS_FILE *file) {
  bool any = false;
  int n = MIN(tsk_fs_file_attr_getsize(file), (int)LIMIT_ATTRS_PER_ENTRY);
  for (int i = 0; i < n && !walk->stopped; i++) {
    const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
    if (attr == NULL || attr->type == TSK_FS_ATTR_TYPE_HFS_COMP_REC)
      continue;
    bool is_data =
        attr->type == TSK_FS_ATTR_TYPE_HFS_DATA || attr->type == TSK_FS_ATTR_TYPE_HFS_DEFAULT;
    Object object = *base;
    bool is_hole;
    object.attr_type = (uint32_t)attr->type;
    object.attr_id = attr->id;
    object.flags |= attr_flags(attr);
    object.size = attr->size > 0 ? (uint64_t)attr->size : 0;
    object.first_byte = first_byte_of(walk, attr, &is_hole);
    if (is_hole)
      object.flags |= OBJECT_SPARSE | OBJECT_NO_CONTENT;
    if (object.kind == OBJECT_DIR)
      object.kind = OBJECT_FILE;
    emit(walk, &object, attr, is_data);
    any = any || is_data;
  }
  return any;
}

/* Before libtsk follows the block map of an ext2, ext3 or UFS inode, which costs as much as its
 * size says, whatever is stored: a few bytes can claim days of it. */
static bool is_map_affordable(Walk *walk, const TSK_FS_META *meta) {
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  if ((!TSK_FS_TYPE_ISEXT(type) && !TSK_FS_TYPE_ISFFS(type)) ||
      meta->content_type == TSK_FS_META_CONTENT_TYPE_EXT4_EXTENTS)
    return true;
  uint64_t blocks = (uint64_t)MAX(meta->size, 0) / walk->fs->block_size;
  uint64_t allowed = LIMIT_MAPPED_BLOCKS + 8 * (walk->fs->last_block + 1);
  if (blocks > allowed - walk->mapped)
    return false;
  walk->mapped += blocks;
  return true;
}

static void emit_unmapped(Walk *walk, Object *object, TriageReason reason, const char *detail) {
  uint64_t seq = walk->seq;
  object->flags |= OBJECT_NO_CONTENT;
  emit(walk, object, NULL, true);
  if (walk->seq == seq || walk->stopped)
    return;
  Gap gap = {.seq = seq,
             .volume = walk->volume->no,
             .state = object->state,
             .size = object->size,
             .reason = reason,
             .detail = detail};
  g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
  walk->stopped = !walk->sink->gap(walk->sink->user, &gap);
}

static void emit_default(Walk *walk, const Object *base, TSK_FS_FILE *file) {
  Object object = *base;
  bool is_hole = false;
  const TSK_FS_META *meta = file->meta;
  const TSK_FS_ATTR *attr = NULL;
  object.size = meta->size > 0 ? (uint64_t)meta->size : 0;
  if (object.kind == OBJECT_LINK) {
    object.size = meta->link != NULL ? strlen(meta->link) : 0;
    attr = tsk_fs_file_attr_get(file);
  }
  if (object.kind == OBJECT_FILE && !is_map_affordable(walk, meta)) {
    emit_unmapped(walk, &object, TRIAGE_REASON_SIZE_LIMIT,
                  "this entry, or the entries of the volume together, claim many times more blocks "
                  "than the volume has: their list is not followed, and the blocks are examined as "
                  "blocks of no entry");
    return;
  }
  if (object.kind == OBJECT_FILE && !extents_are_tree(walk->fs, meta)) {
    emit_unmapped(walk, &object, TRIAGE_REASON_CORRUPT,
                  "the content cannot be found: the entry's extents are no tree; the blocks it may "
                  "have had are examined as blocks of no entry");
    return;
  }
  if (object.kind == OBJECT_FILE || object.kind == OBJECT_VIRTUAL) {
    extents_load(file);
    attr = tsk_fs_file_attr_get(file);
    if (attr != NULL) {
      object.attr_type = (uint32_t)attr->type;
      object.attr_id = attr->id;
      object.flags |= attr_flags(attr);
      object.first_byte = first_byte_of(walk, attr, &is_hole);
    }
  } else if (object.kind != OBJECT_LINK) {
    object.flags |= OBJECT_NO_CONTENT;
  }
  if (is_hole)
    object.flags |= OBJECT_SPARSE | OBJECT_NO_CONTENT;
  emit(walk, &object, attr, true);
}

/* A name without metadata: nothing can be read, and that is said. */
static void emit_name(Walk *walk, Object *object) {
  object->kind = OBJECT_NAME;
  object->flags |= OBJECT_NO_CONTENT;
  object->seq = walk->seq++;
  walk->stopped = walk->stopped || !walk->sink->object(walk->sink->user, object);
  bool is_live = object->state == STATE_ALLOCATED;
  walk_gap(walk, object->seq, 0, false, object->meta_addr,
           is_live ? TRIAGE_REASON_CORRUPT : TRIAGE_REASON_OVERWRITTEN,
           is_live ? "the directory names this entry, but its metadata cannot be read"
                   : "only the deleted name is left; its metadata entry is gone or in other use");
}

/* An inode of no type that a name in use leads to: a zeroed stretch of the table, no file. */
static bool is_hollow(const Walk *walk, const TSK_FS_FILE *file, bool is_name_deleted) {
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  return (TSK_FS_TYPE_ISEXT(type) || TSK_FS_TYPE_ISFFS(type)) && file->name != NULL &&
         !is_name_deleted && file->meta->type == TSK_FS_META_TYPE_UNDEF;
}

void entry_emit(Walk *walk, const PendingDir *below, TSK_FS_FILE *file, GBytes *name,
                bool is_name_deleted) {
  const TSK_FS_META *meta = file->meta;
  uint64_t address = meta != NULL ? meta->addr : file->name != NULL ? file->name->meta_addr : 0;
  Object object = {.volume = walk->volume->no,
                   .meta_addr = MIN(address, INT64_MAX),
                   .kind = OBJECT_FILE,
                   .state = STATE_ALLOCATED,
                   .dir = below->dir,
                   .name = name};
  if (is_name_deleted || (meta != NULL && (meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0))
    object.state = below->is_orphan ? STATE_ORPHAN : STATE_DELETED;
  g_snprintf(object.meta, sizeof object.meta, "%llu", (unsigned long long)object.meta_addr);
  if (meta == NULL) {
    emit_name(walk, &object);
    return;
  }
  walk->is_live = (meta->flags & TSK_FS_META_FLAG_ALLOC) != 0;
  image_damage_reset(volume_set_image(walk->set));
  object.kind = kind_of(meta);
  entry_times(walk->fs, file, &object);
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  uint64_t first_seq = walk->seq;
  bool is_root = file->name == NULL && meta->addr == walk->fs->root_inum;
  bool any = false;
  if (TSK_FS_TYPE_ISNTFS(type))
    any = emit_ntfs(walk, &object, file) || is_root;
  else if ((TSK_FS_TYPE_ISHFS(type) || TSK_FS_TYPE_ISAPFS(type)) && object.kind == OBJECT_FILE)
    any = emit_forks(walk, &object, file);
  if (!any)
    emit_default(walk, &object, file);
  uint64_t seq = walk->seq > first_seq ? first_seq : GAP_NO_OBJECT;
  if (!walk_report_damage(walk, seq, below->dir, walk->seq == first_seq, address,
                          "part of the entry's metadata") &&
      is_hollow(walk, file, is_name_deleted))
    walk_gap(walk, seq, below->dir, walk->seq == first_seq, address, TRIAGE_REASON_CORRUPT,
             "the directory names this entry, but its metadata says nothing of it, not even what "
             "it is; the blocks it may have had are examined as blocks of no entry");
}
