/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - all directories first, each read once, then the metadata no name led to. Own and
 * iterative: libtsk's walk stops without a word at 128 levels and drops what a read error hides. */
#include "base/keyhash.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/walk_private.h"
#include <string.h>

static guint hash_key(gconstpointer pointer) {
  const AttrKey *key = pointer;
  uint64_t rest = ((uint64_t)key->attr_type << 32) | key->attr_id;
  return keyhash_uint64(&key->meta_addr) * 31 + keyhash_uint64(&rest);
}

static gboolean equal_keys(gconstpointer a, gconstpointer b) {
  const AttrKey *x = a, *y = b;
  return x->meta_addr == y->meta_addr && x->attr_type == y->attr_type && x->attr_id == y->attr_id;
}

char *walk_tsk_error(void) {
  const char *text = tsk_error_get_errno() != 0 ? tsk_error_get() : NULL;
  return text != NULL ? text_printable(text, strlen(text)) : g_strdup("");
}

int walk_skip_reason(const Walk *walk, uint32_t pass, uint64_t address) {
  for (guint i = 0; i < walk->n_skips; i++)
    if (walk->skips[i].pass == pass && walk->skips[i].address == address)
      return (int)walk->skips[i].reason;
  return -1;
}

void walk_gap(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
              TriageReason reason, const char *detail) {
  Gap gap = {.seq = seq,
             .volume = walk->volume->no,
             .dir = dir,
             .has_dir = has_dir,
             .reason = reason,
             .detail = detail};
  g_snprintf(gap.meta, sizeof gap.meta, "%llu", (unsigned long long)meta_addr);
  walk->stopped = walk->stopped || !walk->sink->gap(walk->sink->user, &gap);
}

bool walk_report_damage(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
                        const char *what) {
  GArray *damage = image_damage(volume_set_image(walk->set));
  if (damage->len == 0)
    return false;
  const Damage *first = &g_array_index(damage, Damage, 0);
  g_autofree char *detail = g_strdup_printf("%s lies on a stretch that cannot be had (bytes "
                                            "%llu-%llu of the media%s); what stood there is "
                                            "not known",
                                            what, (unsigned long long)first->offset,
                                            (unsigned long long)(first->offset + first->length),
                                            damage->len > 1 ? " and others" : "");
  walk_gap(walk, seq, dir, has_dir, meta_addr, first->reason, detail);
  volume_set_forget_damage(walk->set);
  return true;
}

/* Too many places cost a worker its life: what no entry so far covers is examined as bytes. */
static void end_entries(Walk *walk, TriageReason reason) {
  guint n = 0;
  for (guint i = 0; i < walk->n_skips; i++)
    n += walk->skips[i].pass != WALK_PASS_OPEN;
  g_autofree char *detail = g_strdup_printf(
      "the walk of the volume was given up after %u place(s) that cost a worker its life: its "
      "entries beyond that point are not known; what none of those before covers was examined as "
      "bytes, without names",
      n);
  Gap gap = {.seq = GAP_NO_OBJECT, .volume = walk->volume->no, .reason = reason, .detail = detail};
  walk->sink->gap(walk->sink->user, &gap);
  walk->is_ended = walk->stopped = true;
}

bool walk_step(Walk *walk, uint32_t pass, uint64_t address) {
  int reason = walk_skip_reason(walk, pass | WALK_ENDS, address);
  if (reason >= 0)
    end_entries(walk, (TriageReason)reason);
  else if (walk->sink->step != NULL && !walk->sink->step(walk->sink->user, pass, address))
    walk->stopped = true;
  return !walk->stopped;
}

void walk_gap_for_skip(Walk *walk, uint32_t dir, bool has_dir, uint64_t address, int reason) {
  walk_gap(walk, GAP_NO_OBJECT, dir, has_dir, address, (TriageReason)reason,
           has_dir
               ? "reading this directory costs the worker its life, twice: it was left out"
               : "reading this metadata entry costs the worker its life, twice: it was left out");
}

bool walk_remember(GHashTable *set, uint64_t address) {
  if (g_hash_table_contains(set, &address))
    return false;
  g_hash_table_add(set, g_memdup2(&address, sizeof address));
  return true;
}

/* FAT and exFAT know a directory by the place of its name: names that lead to the same blocks would
 * be read again for each of them, in a circle for ever more. */
static bool is_read_elsewhere(Walk *walk, const TSK_FS_FILE *file) {
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  const TSK_FS_META *meta = file->meta;
  if ((!TSK_FS_TYPE_ISFAT(type) && type != TSK_FS_TYPE_EXFAT) || meta == NULL ||
      meta->content_ptr == NULL || meta->content_len < sizeof(TSK_DADDR_T))
    return false;
  uint64_t cluster = *(const TSK_DADDR_T *)meta->content_ptr;
  return cluster != 0 && !walk_remember(walk->clusters, cluster);
}

/* A name that stands for a directory becomes one of the walk, once. libtsk's own rule for deleted
 * names: one that points to a live directory belongs to that one. */
static void queue_dir(Walk *walk, const PendingDir *below, const TSK_FS_FILE *file, GBytes *name) {
  const TSK_FS_NAME *entry = file->name;
  bool is_dir = TSK_FS_IS_DIR_NAME(entry->type) ||
                (file->meta != NULL && (file->meta->type == TSK_FS_META_TYPE_DIR ||
                                        file->meta->type == TSK_FS_META_TYPE_VIRT_DIR));
  bool is_deleted = (entry->flags & TSK_FS_NAME_FLAG_UNALLOC) != 0;
  if (!is_dir ||
      (is_deleted && (file->meta == NULL || (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) == 0)))
    return;
  if (!walk_remember(walk->dirs, entry->meta_addr))
    return;
  ObjectDir dir = {.no = ++walk->n_dirs, .parent = below->dir, .name = name};
  walk->stopped = walk->stopped || !walk->sink->dir(walk->sink->user, &dir);
  if (!is_deleted && is_read_elsewhere(walk, file)) {
    walk_gap(walk, GAP_NO_OBJECT, dir.no, true, entry->meta_addr, TRIAGE_REASON_CORRUPT,
             "the blocks of this directory are those of another one, where its names are listed");
    return;
  }
  PendingDir *pending = g_new0(PendingDir, 1);
  pending->meta_addr = entry->meta_addr;
  pending->dir = dir.no;
  pending->is_deleted = is_deleted;
  pending->is_ours = file->meta != NULL && extents_are_ours(walk->fs, file->meta);
  pending->is_orphan = below->is_orphan || entry->meta_addr == TSK_FS_ORPHANDIR_INUM(walk->fs);
  g_queue_push_tail(walk->pending, pending);
}

/* libtsk leaves the metadata out of deleted NTFS names (the entry's sequence number went up when it
 * was deleted) and of orphans. An entry not in use is still theirs; one in use is another file's.
 */
static void load_meta(Walk *walk, TSK_FS_FILE *file) {
  if (file->meta != NULL || file->name->meta_addr < walk->fs->first_inum ||
      file->name->meta_addr > walk->fs->last_inum)
    return;
  tsk_error_reset();
  TSK_FS_FILE *loaded = tsk_fs_file_open_meta(walk->fs, NULL, file->name->meta_addr);
  if (loaded == NULL)
    return;
  if (loaded->meta != NULL && loaded->meta->type != TSK_FS_META_TYPE_UNDEF) {
    file->meta = loaded->meta;
    loaded->meta = NULL;
  }
  tsk_fs_file_close(loaded);
}

static int by_address(gconstpointer a, gconstpointer b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* libtsk walks all names once more before it looks for orphans, to know which entries not in use
 * have one. This walk has seen them: its list spares the other. Sorted, as libtsk's list is looked
 * through from its largest on for each entry added; the root is never an orphan, and an empty list
 * counts as none. */
static void tell_named(Walk *walk) {
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  if (!TSK_FS_TYPE_ISNTFS(type) && !TSK_FS_TYPE_ISEXT(type) && !TSK_FS_TYPE_ISFFS(type))
    return;
  g_array_append_val(walk->named, walk->fs->root_inum);
  g_array_sort(walk->named, by_address);
  for (guint i = 0; i < walk->named->len; i++)
    tsk_list_add(&walk->fs->list_inum_named, g_array_index(walk->named, uint64_t, i));
  g_array_set_size(walk->named, 0);
}

static void take_name(Walk *walk, const PendingDir *below, TSK_FS_FILE *file) {
  const TSK_FS_NAME *entry = file->name;
  size_t n =
      entry->name != NULL ? strnlen(entry->name, MIN(entry->name_size, LIMIT_NAME_BYTES)) : 0;
  g_autoptr(GBytes) name = g_bytes_new(entry->name, n);
  bool is_self = n == 1 && entry->name[0] == '.',
       is_parent = n == 2 && memcmp(entry->name, "..", 2) == 0;
  if (is_self || is_parent)
    return;
  bool is_deleted = (entry->flags & TSK_FS_NAME_FLAG_UNALLOC) != 0;
  load_meta(walk, file);
  if (file->meta != NULL && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0)
    g_array_append_val(walk->named, file->meta->addr);
  if (is_deleted && file->meta != NULL && (file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0) {
    TakenName taken = {entry->meta_addr, below->dir, below->is_orphan, g_bytes_ref(name)};
    g_array_append_val(walk->taken, taken);
    return;
  }
  if (file->meta != NULL)
    walk_remember(walk->entries, file->meta->addr);
  entry_emit(walk, below, file, name, is_deleted);
  queue_dir(walk, below, file, name);
}

static void read_dir(Walk *walk, const PendingDir *pending) {
  int reason = walk_skip_reason(walk, WALK_PASS_NAMES, pending->meta_addr);
  if (reason >= 0) {
    walk_gap_for_skip(walk, pending->dir, true, pending->meta_addr, reason);
    return;
  }
  if (!walk_step(walk, WALK_PASS_NAMES, pending->meta_addr))
    return;
  volume_set_forget_damage(walk->set);
  tsk_error_reset();
  g_autoptr(GArray) order = NULL;
  TSK_FS_DIR *dir = pending->is_ours ? extents_open_dir(walk->fs, pending->meta_addr, &order)
                                     : walk_open_dir(walk->fs, pending->meta_addr, &order);
  bool is_damaged = walk_report_damage(walk, GAP_NO_OBJECT, pending->dir, true, pending->meta_addr,
                                       "the directory");
  /* A small NTFS directory has no index allocation: libtsk leaves that behind as an error. */
  if (tsk_error_get_errno() == TSK_ERR_FS_ATTR_NOTFOUND)
    tsk_error_reset();
  g_autofree char *problem = walk_tsk_error();
  /* A deleted directory's blocks often belong to others now: libtsk's complaint is no loss. */
  if (!is_damaged && !pending->is_deleted && (dir == NULL || *problem != '\0')) {
    g_autofree char *detail =
        g_strdup_printf("the directory cannot be read to its end: %s", problem);
    walk_gap(walk, GAP_NO_OBJECT, pending->dir, true, pending->meta_addr, TRIAGE_REASON_CORRUPT,
             detail);
  }
  size_t n = order != NULL ? order->len : 0;
  for (size_t i = 0; i < n && !walk->stopped; i++) {
    if (i >= LIMIT_DIR_ENTRIES) {
      walk_gap(walk, GAP_NO_OBJECT, pending->dir, true, pending->meta_addr,
               TRIAGE_REASON_SIZE_LIMIT, "the directory holds more names than are taken from one");
      break;
    }
    tsk_error_reset();
    TSK_FS_FILE *file = tsk_fs_dir_get(dir, g_array_index(order, size_t, i));
    if (file == NULL)
      continue;
    if (file->name != NULL)
      take_name(walk, pending, file);
    tsk_fs_file_close(file);
  }
  if (dir != NULL)
    tsk_fs_dir_close(dir);
}

static void walk_names(Walk *walk) {
  /* The root's own streams have no name to lead to them. */
  PendingDir top = {.meta_addr = walk->fs->root_inum, .dir = walk->root_dir};
  TSK_FS_FILE *root = tsk_fs_file_open_meta(walk->fs, NULL, walk->fs->root_inum);
  if (root != NULL && TSK_FS_TYPE_ISNTFS(walk->fs->ftype)) {
    g_autoptr(GBytes) name = g_bytes_new_static("", 0);
    entry_emit(walk, &top, root, name, false);
  }
  top.is_ours = root != NULL && root->meta != NULL && extents_are_ours(walk->fs, root->meta);
  if (root != NULL)
    tsk_fs_file_close(root);
  walk_remember(walk->entries, walk->fs->root_inum);
  walk_remember(walk->dirs, walk->fs->root_inum);
  PendingDir *first = g_new0(PendingDir, 1);
  *first = top;
  g_queue_push_tail(walk->pending, first);
  /* $OrphanFiles is a name of the root directory; breadth first would reach it before the depths of
   * the tree, so it waits. */
  PendingDir *orphans = NULL;
  for (;;) {
    PendingDir *dir = g_queue_pop_head(walk->pending);
    if (dir == NULL)
      dir = g_steal_pointer(&orphans);
    else if (dir->meta_addr == TSK_FS_ORPHANDIR_INUM(walk->fs) && orphans == NULL &&
             !g_queue_is_empty(walk->pending)) {
      orphans = dir;
      continue;
    }
    if (dir == NULL || walk->stopped) {
      g_free(dir);
      break;
    }
    if (dir->meta_addr == TSK_FS_ORPHANDIR_INUM(walk->fs))
      tell_named(walk);
    read_dir(walk, dir);
    g_free(dir);
  }
  g_free(orphans);
}

static uint32_t unnamed_dir(Walk *walk) {
  if (walk->unnamed_dir == 0) {
    g_autoptr(GBytes) name = g_bytes_new_static("$Unnamed", 8);
    ObjectDir dir = {.no = ++walk->n_dirs, .parent = walk->root_dir, .name = name};
    walk->unnamed_dir = dir.no;
    walk->stopped = walk->stopped || !walk->sink->dir(walk->sink->user, &dir);
  }
  return walk->unnamed_dir;
}

/* Deleted names whose metadata is in use: where a live name leads there too, the content is that
 * file's and was examined as such; else (a file unlinked while open) the content is still its own.
 */
static void settle_taken(Walk *walk) {
  for (guint i = 0; i < walk->taken->len && !walk->stopped; i++) {
    TakenName *taken = &g_array_index(walk->taken, TakenName, i);
    PendingDir below = {.dir = taken->dir, .is_orphan = taken->is_orphan};
    if (!g_hash_table_contains(walk->entries, &taken->meta_addr)) {
      TSK_FS_FILE *file = tsk_fs_file_open_meta(walk->fs, NULL, taken->meta_addr);
      if (file != NULL) {
        walk_remember(walk->entries, taken->meta_addr);
        entry_emit(walk, &below, file, taken->name, true);
        tsk_fs_file_close(file);
        continue;
      }
    }
    Object object = {.seq = walk->seq++,
                     .volume = walk->volume->no,
                     .meta_addr = taken->meta_addr,
                     .kind = OBJECT_NAME,
                     .state = taken->is_orphan ? STATE_ORPHAN : STATE_DELETED,
                     .flags = OBJECT_REALLOCATED | OBJECT_NO_CONTENT,
                     .dir = taken->dir,
                     .name = taken->name};
    g_snprintf(object.meta, sizeof object.meta, "%llu", (unsigned long long)taken->meta_addr);
    walk->stopped = walk->stopped || !walk->sink->object(walk->sink->user, &object);
    walk_gap(walk, object.seq, 0, false, taken->meta_addr, TRIAGE_REASON_OVERWRITTEN,
             "the deleted name's metadata entry belongs to another file now, whose content is "
             "examined under its own name; what this name once stood for cannot be had");
  }
}

/* ext and UFS reserve the first entries; their addresses are no files (resize inode: sparse blocks
 * of group descriptors). */
static bool is_reserved(const Walk *walk, uint64_t address) {
  return TSK_FS_TYPE_ISEXT(walk->fs->ftype) && address < 11 && address != 8;
}

static void take_unnamed(Walk *walk, uint64_t address) {
  volume_set_forget_damage(walk->set);
  tsk_error_reset();
  TSK_FS_FILE *file = tsk_fs_file_open_meta(walk->fs, NULL, address);
  walk_report_damage(walk, GAP_NO_OBJECT, 0, false, address, "a metadata entry");
  if (file == NULL)
    return;
  const TSK_FS_META *meta = file->meta;
  bool is_live = meta != NULL && (meta->flags & TSK_FS_META_FLAG_ALLOC) != 0;
  bool was_used = meta != NULL && (meta->flags & TSK_FS_META_FLAG_USED) != 0 &&
                  (meta->size > 0 || entry_has_content(walk, file));
  if (meta != NULL && meta->type != TSK_FS_META_TYPE_UNDEF && (is_live || was_used) &&
      !is_reserved(walk, address)) {
    g_autofree char *text = g_strdup_printf("entry-%llu", (unsigned long long)address);
    g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
    PendingDir below = {.dir = unnamed_dir(walk), .is_orphan = !is_live};
    entry_emit(walk, &below, file, name, !is_live);
  }
  tsk_fs_file_close(file);
}

/* Only where metadata has a table of its own: FAT, exFAT, ISO 9660 keep it in the directories. */
static void walk_metadata(Walk *walk) {
  TSK_FS_TYPE_ENUM type = walk->fs->ftype;
  if (!TSK_FS_TYPE_ISNTFS(type) && !TSK_FS_TYPE_ISEXT(type) && !TSK_FS_TYPE_ISFFS(type))
    return;
  for (uint64_t address = walk->fs->first_inum; address < walk->fs->last_inum && !walk->stopped;
       address++) {
    if (walk->seq >= LIMIT_VOLUME_OBJECTS) {
      walk_gap(walk, GAP_NO_OBJECT, 0, false, address, TRIAGE_REASON_SIZE_LIMIT,
               "the volume holds more entries than are taken from one; those without a name from "
               "this metadata address on are left out");
      break;
    }
    if (g_hash_table_contains(walk->entries, &address))
      continue;
    int reason = walk_skip_reason(walk, WALK_PASS_METADATA, address);
    if (reason >= 0)
      walk_gap_for_skip(walk, 0, false, address, reason);
    else if (walk_step(walk, WALK_PASS_METADATA, address))
      take_unnamed(walk, address);
  }
}

static void walk_clear(Walk *walk) {
  for (guint i = 0; i < walk->taken->len; i++)
    g_bytes_unref(g_array_index(walk->taken, TakenName, i).name);
  g_array_unref(walk->taken);
  g_array_unref(walk->named);
  g_queue_free_full(walk->pending, g_free);
  g_hash_table_unref(walk->objects);
  g_hash_table_unref(walk->entries);
  g_hash_table_unref(walk->dirs);
  g_hash_table_unref(walk->clusters);
  ranges_clear(&walk->live);
  ranges_clear(&walk->dead);
  ranges_free(walk->kept);
}

static void walk_init(Walk *walk) {
  walk->objects = g_hash_table_new_full(hash_key, equal_keys, g_free, g_free);
  walk->entries = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  walk->dirs = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  walk->clusters = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  walk->pending = g_queue_new();
  walk->taken = g_array_new(FALSE, FALSE, sizeof(TakenName));
  walk->named = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  ranges_init(&walk->live);
  ranges_init(&walk->dead);
}

static void walk_entries(Walk *walk) {
  walk_names(walk);
  settle_taken(walk);
  walk_metadata(walk);
}

/* Of an image that ends within its file system; of a partition the volumes' own row says so. */
static void tell_cut(Walk *walk) {
  const TSK_FS_INFO *fs = walk->fs;
  uint64_t size = image_size(volume_set_image(walk->set)), end;
  if (fs->last_block_act >= fs->last_block || walk->volume->is_derived ||
      !g_uint64_checked_add(&end, walk->volume->offset, walk->volume->length) || end > size)
    return;
  Gap gap = {.seq = GAP_NO_OBJECT,
             .volume = walk->volume->no,
             .reason = TRIAGE_REASON_TRUNCATED,
             .detail = "the file system reaches beyond the end of the media; it is examined as far "
                       "as it goes"};
  if (!g_uint64_checked_mul(&gap.size, fs->last_block - fs->last_block_act, fs->block_size))
    gap.size = 0;
  walk->stopped = walk->stopped || !walk->sink->gap(walk->sink->user, &gap);
}

bool walk_volume(VolumeSet *set, uint32_t no, const WalkSkip *skips, guint n_skips,
                 const WalkSink *sink, GError **error) {
  Walk walk = {.set = set,
               .volume = volume_set_find(set, no),
               .fs = volume_open_fs(set, no, NULL),
               .skips = skips,
               .n_skips = n_skips,
               .sink = sink};
  if (walk.volume == NULL)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "the evidence has no volume %u", no);
  walk_init(&walk);
  if (walk.volume->root != NULL) {
    g_autoptr(GBytes) name = g_bytes_new(walk.volume->root, strlen(walk.volume->root));
    ObjectDir dir = {.no = ++walk.n_dirs, .parent = 0, .name = name};
    walk.root_dir = dir.no;
    walk.stopped = !sink->dir(sink->user, &dir);
    walk.kept = walk.volume->pool_block != 0 ? areas_kept(set, walk.volume) : NULL;
  }
  if (walk.fs != NULL) {
    tell_cut(&walk);
    walk_entries(&walk);
  } else if (volume_xfs(set, no) != NULL) {
    xfs_walk(&walk);
  }
  walk.stopped = walk.stopped && !walk.is_ended;
  areas_emit(&walk);
  bool ok = !walk.stopped;
  walk_clear(&walk);
  return ok || triage_fail(error, TRIAGE_REASON_INTERNAL, "the walk was stopped");
}

static bool ignore_dir(void *user, const ObjectDir *dir) {
  (void)user, (void)dir;
  return true;
}
static bool ignore_object(void *user, const Object *object) {
  (void)user, (void)object;
  return true;
}
static bool ignore_name(void *user, const ObjectName *name) {
  (void)user, (void)name;
  return true;
}
static bool ignore_gap(void *user, const Gap *gap) {
  (void)user, (void)gap;
  return true;
}

void walk_collect(VolumeSet *set, uint32_t no, Ranges *live, Ranges *dead) {
  static const WalkSink SILENT = {
      .dir = ignore_dir, .object = ignore_object, .name = ignore_name, .gap = ignore_gap};
  Walk walk = {.set = set,
               .volume = volume_set_find(set, no),
               .fs = volume_open_fs(set, no, NULL),
               .sink = &SILENT};
  if (walk.fs == NULL)
    return;
  walk_init(&walk);
  walk_entries(&walk);
  for (guint i = 0; i < ranges_n(&walk.live); i++)
    ranges_add(live, ranges_get(&walk.live, i)->start, ranges_get(&walk.live, i)->end);
  for (guint i = 0; i < ranges_n(&walk.dead); i++)
    ranges_add(dead, ranges_get(&walk.dead, i)->start, ranges_get(&walk.dead, i)->end);
  walk_clear(&walk);
}
