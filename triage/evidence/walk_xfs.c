/* SPDX-License-Identifier: Apache-2.0 */
/* walk_xfs.c - the walk of an XFS file system: its directories, breadth first. What names do not
 * lead to (deleted entries, extended attributes, free blocks) stays for the areas. */
#include "base/limits.h"
#include "evidence/walk_private.h"
#include "evidence/xfs.h"
#include <string.h>
#include <sys/stat.h>

static ObjectKind kind_of(uint16_t mode) {
  return S_ISREG(mode)   ? OBJECT_FILE
         : S_ISDIR(mode) ? OBJECT_DIR
         : S_ISLNK(mode) ? OBJECT_LINK
                         : OBJECT_OTHER;
}

static bool send(Walk *walk, Object *object) {
  object->seq = walk->seq++;
  walk->stopped = walk->stopped || !walk->sink->object(walk->sink->user, object);
  return !walk->stopped;
}

/* The rest of the last block. */
static void send_slack(Walk *walk, const Object *object, uint64_t start) {
  uint64_t block = xfs_block_bytes(volume_xfs(walk->set, walk->volume->no));
  uint64_t inside = (start - walk->volume->offset) % block;
  if (inside == 0)
    return;
  ranges_add(&walk->live, start, start + block - inside);
  if ((walk->sink->areas & AREAS_SLACK) == 0)
    return;
  Object slack = *object;
  slack.kind = OBJECT_AREA;
  slack.state = STATE_SLACK;
  slack.size = block - inside;
  slack.first_byte = start;
  send(walk, &slack);
}

/* Sends an entry that has content, and what of its last block is left. */
static void take_content(Walk *walk, Xfs *xfs, const XfsInode *inode, Object *object) {
  g_autoptr(GArray) runs = NULL;
  uint64_t base = walk->volume->offset;
  if (xfs_inode_is_inline(inode)) {
    ranges_add(&walk->live, base + inode->place, base + inode->place + inode->size);
    object->flags |= OBJECT_RESIDENT;
  } else if (!inode->is_realtime) { /* reading it says what is wrong with it */
    g_autoptr(GError) error = NULL;
    runs = xfs_content_runs(xfs, inode, &error);
    if (runs->len == 0 && inode->size > 0 && error == NULL)
      object->flags |= OBJECT_SPARSE | OBJECT_NO_CONTENT;
  }
  if (runs != NULL && runs->len > 0)
    object->first_byte = base + g_array_index(runs, ContentRun, 0).media_offset;
  if (!send(walk, object))
    return;
  for (guint i = 0; runs != NULL && i < runs->len; i++) {
    const ContentRun *run = &g_array_index(runs, ContentRun, i);
    uint64_t start = base + run->media_offset;
    ranges_add(&walk->live, start, start + run->length);
    if (i == runs->len - 1 && run->content_offset + run->length == inode->size)
      send_slack(walk, object, start + run->length);
  }
}

typedef struct {
  Walk *walk;
  Xfs *xfs;
  const PendingDir *below;
  uint64_t n;
} Names;

static void take_dir(Walk *walk, const Object *object) {
  if (!walk_remember(walk->dirs, object->meta_addr))
    return;
  ObjectDir dir = {.no = ++walk->n_dirs, .parent = object->dir, .name = object->name};
  walk->stopped = !walk->sink->dir(walk->sink->user, &dir);
  PendingDir *pending = g_new0(PendingDir, 1);
  pending->meta_addr = object->meta_addr;
  pending->dir = dir.no;
  g_queue_push_tail(walk->pending, pending);
}

static void take_entry(const Names *names, uint64_t number, GBytes *name) {
  Walk *walk = names->walk;
  XfsInode inode;
  AttrKey key = {number, 0, 0};
  const uint64_t *known = g_hash_table_lookup(walk->objects, &key);
  if (known != NULL) {
    ObjectName further = {.seq = *known, .dir = names->below->dir, .name = name};
    walk->stopped = !walk->sink->name(walk->sink->user, &further);
    return;
  }
  bool is_read = xfs_inode_read(names->xfs, number, &inode);
  uint64_t seq = walk->seq;
  Object object = {.volume = walk->volume->no,
                   .meta_addr = MIN(number, INT64_MAX),
                   .kind = is_read ? kind_of(inode.mode) : OBJECT_NAME,
                   .state = STATE_ALLOCATED,
                   .dir = names->below->dir,
                   .name = name};
  g_snprintf(object.meta, sizeof object.meta, "%llu", (unsigned long long)number);
  g_hash_table_insert(walk->objects, g_memdup2(&key, sizeof key), g_memdup2(&seq, sizeof seq));
  walk_remember(walk->entries, number);
  if (!is_read) {
    object.flags |= OBJECT_NO_CONTENT;
    if (send(walk, &object))
      walk_gap(walk, seq, 0, false, number, TRIAGE_REASON_CORRUPT,
               "the directory names this entry, but its metadata cannot be read");
    return;
  }
  object.size = object.kind == OBJECT_DIR ? 0 : inode.size;
  object.created = inode.created;
  object.modified = inode.modified;
  object.changed = inode.changed;
  object.accessed = inode.accessed;
  if (object.kind == OBJECT_FILE || object.kind == OBJECT_LINK) {
    take_content(walk, names->xfs, &inode, &object);
    return;
  }
  object.flags |= OBJECT_NO_CONTENT;
  if (send(walk, &object) && object.kind == OBJECT_DIR)
    take_dir(walk, &object);
}

static bool take_name(void *user, uint64_t number, const uint8_t *bytes, size_t n) {
  Names *names = user;
  Walk *walk = names->walk;
  if (names->n++ >= LIMIT_DIR_ENTRIES) {
    walk_gap(walk, GAP_NO_OBJECT, names->below->dir, true, names->below->meta_addr,
             TRIAGE_REASON_SIZE_LIMIT, "the directory holds more names than are taken from one");
    return false;
  }
  g_autoptr(GBytes) name = g_bytes_new(bytes, n);
  image_damage_reset(volume_set_image(walk->set));
  take_entry(names, number, name);
  walk_report_damage(walk, GAP_NO_OBJECT, names->below->dir, true, number,
                     "an entry of the directory");
  return !walk->stopped;
}

static void read_dir(Walk *walk, Xfs *xfs, const PendingDir *pending) {
  int reason = walk_skip_reason(walk, WALK_PASS_NAMES, pending->meta_addr);
  if (reason >= 0) {
    walk_gap_for_skip(walk, pending->dir, true, pending->meta_addr, reason);
    return;
  }
  if (!walk_step(walk, WALK_PASS_NAMES, pending->meta_addr))
    return;
  image_damage_reset(volume_set_image(walk->set));
  XfsInode inode;
  Names names = {walk, xfs, pending, 0};
  g_autoptr(GError) error = NULL;
  if (!xfs_inode_read(xfs, pending->meta_addr, &inode) || !S_ISDIR(inode.mode))
    triage_fail(&error, TRIAGE_REASON_CORRUPT,
                "the directory's inode cannot be read; what it led to is examined as bytes without "
                "names");
  else
    xfs_dir_read(xfs, &inode, take_name, &names, &error);
  walk_report_damage(walk, GAP_NO_OBJECT, pending->dir, true, pending->meta_addr, "the directory");
  if (error != NULL && !walk->stopped)
    walk_gap(walk, GAP_NO_OBJECT, pending->dir, true, pending->meta_addr,
             triage_error_reason(error), error->message);
}

/* What the file system claims against what was seen. */
static void check_claim(Walk *walk, const Xfs *xfs) {
  uint64_t seen = g_hash_table_size(walk->entries), claimed = xfs_claimed_inodes(xfs);
  if (walk->stopped || seen >= claimed)
    return;
  g_autofree char *detail = g_strdup_printf(
      "the superblock counts %llu entries in use, names lead to %llu of them; the content of the "
      "others is examined as bytes without names",
      (unsigned long long)claimed, (unsigned long long)seen);
  Gap gap = {.seq = GAP_NO_OBJECT,
             .volume = walk->volume->no,
             .reason = TRIAGE_REASON_CORRUPT,
             .detail = detail};
  walk->stopped = !walk->sink->gap(walk->sink->user, &gap);
}

void xfs_walk(Walk *walk) {
  Xfs *xfs = volume_xfs(walk->set, walk->volume->no);
  PendingDir *first = g_new0(PendingDir, 1);
  first->meta_addr = xfs_root(xfs);
  first->dir = walk->root_dir;
  walk->is_live = true;
  walk_remember(walk->entries, first->meta_addr);
  walk_remember(walk->dirs, first->meta_addr);
  g_queue_push_tail(walk->pending, first);
  while (!g_queue_is_empty(walk->pending) && !walk->stopped) {
    g_autofree PendingDir *dir = g_queue_pop_head(walk->pending);
    read_dir(walk, xfs, dir);
  }
  check_claim(walk, xfs);
}

/* ---- content ---- */

static bool append_run(VolumeSet *set, const Object *object, ContentBuilder *builder,
                       const ContentRun *run, GError **error) {
  enum { STEP = 1024 * 1024 };
  g_autofree uint8_t *buffer = g_malloc(STEP);
  uint64_t base = volume_set_find(set, object->volume)->offset;
  uint64_t hole = run->content_offset - content_builder_size(builder);
  bool ok = hole == 0 || content_builder_append_zeros(builder, hole, error);
  for (uint64_t done = 0; ok && done < run->length;) {
    size_t n = (size_t)MIN(STEP, run->length - done);
    volume_read(set, object->volume, base + run->media_offset + done, buffer, n);
    ok = content_builder_append(builder, buffer, n, error);
    done += n;
  }
  return ok;
}

static void read_runs(VolumeSet *set, const Object *object, uint64_t size, GArray *runs,
                      Spool *spool, WalkContent *out) {
  const Volume *volume = volume_set_find(set, object->volume);
  ContentBuilder *builder = content_builder_new(spool, LIMIT_OBJECT_BYTES);
  image_damage_reset(volume_set_image(set)); /* damage of the inode is told by the walk */
  g_autoptr(GError) failure = NULL;
  bool ok = true;
  for (guint i = 0; ok && i < runs->len; i++) {
    ContentRun *run = &g_array_index(runs, ContentRun, i);
    ok = append_run(set, object, builder, run, &failure);
    run->media_offset += volume->offset;
  }
  if (ok && content_builder_size(builder) < size)
    content_builder_append_zeros(builder, size - content_builder_size(builder), &failure);
  GError *error = NULL;
  out->content = content_builder_finish(builder, &error);
  if (error != NULL || failure != NULL) {
    g_clear_error(&out->error);
    out->error = error != NULL ? error : g_steal_pointer(&failure);
  }
  if (!volume->is_derived) /* the bytes of a derived volume lie in no one place of the media */
    out->runs = g_array_ref(runs);
}

void xfs_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out) {
  Xfs *xfs = volume_xfs(set, object->volume);
  const Volume *volume = volume_set_find(set, object->volume);
  XfsInode inode;
  if (!xfs_inode_read(xfs, object->meta_addr, &inode)) {
    triage_fail(&out->error, TRIAGE_REASON_CORRUPT, "the metadata cannot be read");
  } else if (inode.is_realtime) {
    triage_fail(&out->error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                "the content lies in the realtime section of the XFS file system, which cannot be "
                "read");
  } else if (xfs_inode_is_inline(&inode)) {
    ContentRun run = {0, inode.size, volume->offset + inode.place};
    out->content = content_new_copy(inode.fork, inode.size);
    out->runs = volume->is_derived ? NULL : g_array_new(FALSE, FALSE, sizeof run);
    if (out->runs != NULL)
      g_array_append_val(out->runs, run);
  } else {
    g_autoptr(GArray) runs = xfs_content_runs(xfs, &inode, &out->error);
    read_runs(set, object, inode.size, runs, spool, out);
  }
}
