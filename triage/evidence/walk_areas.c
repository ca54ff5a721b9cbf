/* SPDX-License-Identifier: Apache-2.0 */
/* walk_areas.c - what no entry stands for. While entries are walked, the blocks their content
 * covers are gathered; what is left of the volume afterwards becomes objects of its own, so that
 * every byte of it belongs to exactly one object: an entry's content, its slack, a free block, a
 * block of the file system's own, or what lies behind the file system. */
#include "base/limits.h"
#include "evidence/walk_private.h"
#include "evidence/xfs.h"
#include <string.h>
#include <tsk/fs/tsk_ntfs.h>

#define CLAIM_FACTOR 8 /* entries may claim the volume so many times over */

typedef struct {
  const char *dir;
  ObjectState state;
  uint32_t area; /* AREAS_ bit that selects it */
} ClassRow;

static const ClassRow CLASSES[AREA_CLASS_LAST + 1] = {
    [AREA_UNALLOCATED] = {"$Unallocated", STATE_UNALLOCATED, AREAS_UNALLOCATED},
    [AREA_METADATA] = {"$Metadata", STATE_ALLOCATED, AREAS_ALLOCATED},
    [AREA_VOLUME_SLACK] = {"$VolumeSlack", STATE_SLACK, AREAS_SLACK},
    [AREA_UNKNOWN] = {"$Unknown", STATE_UNALLOCATED, AREAS_UNALLOCATED},
    [AREA_GAP] = {"$Unpartitioned", STATE_UNALLOCATED, AREAS_GAPS},
};

static bool is_nonresident(const TSK_FS_ATTR *attr) {
  return attr != NULL && (attr->flags & TSK_FS_ATTR_NONRES) != 0;
}

/* A run that stands for blocks of the volume, as bytes of the media; clipped to the volume. */
static bool run_place(const Walk *walk, const TSK_FS_ATTR_RUN *run, uint64_t *start,
                      uint64_t *end) {
  uint64_t block = walk->fs->block_size;
  if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0 ||
      run->addr > walk->fs->last_block || run->len == 0)
    return false;
  uint64_t n = MIN(run->len, walk->fs->last_block - run->addr + 1);
  *start = walk->volume->offset + run->addr * block;
  *end = *start + n * block;
  return true;
}

/* A few sparse files are read as they are. Claims of more zeros than a day can read are met by
 * reading less of each hole, in the order of the walk: what is left out holds nothing. */
static void claim_holes(Walk *walk, Object *object, uint64_t stored) {
  uint64_t holes = object->size > stored ? object->size - stored : 0;
  if ((object->flags & OBJECT_COMPRESSED) != 0 || holes <= LIMIT_HOLE_BYTES)
    return;
  if (object->size > LIMIT_OBJECT_BYTES || holes > LIMIT_VOLUME_HOLES - walk->holes)
    object->flags |= OBJECT_SHORT_HOLES;
  else
    walk->holes += holes;
}

bool areas_claim(Walk *walk, Object *object, const TSK_FS_ATTR *attr) {
  if (!is_nonresident(attr) || (object->flags & OBJECT_NO_CONTENT) != 0)
    return true;
  uint64_t size = (walk->fs->last_block + 1) * walk->fs->block_size, own = 0, start, end;
  uint64_t *claimed = &walk->claimed[walk->is_live];
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++)
    if (run_place(walk, run, &start, &end))
      own += MIN(end - start, INT64_MAX / 4 - MIN(own, INT64_MAX / 4));
  if (own > size || *claimed / CLAIM_FACTOR > size)
    return false;
  *claimed += own;
  claim_holes(walk, object, own);
  return true;
}

/* True where a stretch lies wholly in the set. */
static bool is_within(Ranges *ranges, uint64_t start, uint64_t end) {
  uint64_t at = start, hole_end;
  return !ranges_next_hole(ranges, &at, end, &hole_end);
}

/* An NTFS entry's record, where resident content lies, may have changed. */
static bool is_record_same(const Walk *walk, Ranges *same, uint64_t entry) {
  const NTFS_INFO *ntfs = (const NTFS_INFO *)walk->fs;
  uint64_t block = walk->fs->block_size, place = entry * ntfs->mft_rsize_b;
  const TSK_FS_ATTR_RUN *run = ntfs->mft_data != NULL ? ntfs->mft_data->nrd.run : NULL;
  for (guint n = 0; run != NULL && n < LIMIT_RUNS_PER_ATTR; run = run->next, n++) {
    if (place < run->offset * block || place >= (run->offset + run->len) * block)
      continue;
    uint64_t at = walk->volume->offset + run->addr * block + place - run->offset * block;
    return is_within(same, at, at + ntfs->mft_rsize_b);
  }
  return false;
}

Ranges *areas_kept(VolumeSet *set, const Volume *snapshot) {
  for (guint i = 0; i < volume_set_n(set); i++) {
    const Volume *live = volume_set_get(set, i);
    if (live->root != NULL || live->pool_block != snapshot->pool_block ||
        live->offset != snapshot->offset || live->no == snapshot->no)
      continue;
    g_auto(Ranges) dead;
    ranges_init(&dead);
    Ranges *kept = ranges_new();
    walk_collect(set, live->no, kept, &dead);
    return kept;
  }
  return NULL;
}

bool areas_is_new(const Walk *walk, const Object *object, const TSK_FS_ATTR *attr) {
  bool is_ntfs = TSK_FS_TYPE_ISNTFS(walk->fs->ftype), has_place = false;
  Ranges *same = walk->kept;
  if (walk->root_dir != 0 && is_ntfs)
    same = volume_elsewhere(walk->set, walk->volume->no);
  if (same == NULL)
    return true;
  uint64_t start, end;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = is_nonresident(attr) ? attr->nrd.run : NULL;
       run != NULL && n < LIMIT_RUNS_PER_ATTR; run = run->next, n++)
    if (run_place(walk, run, &start, &end)) {
      has_place = true;
      if (!is_within(same, start, end))
        return true;
    }
  if (!is_ntfs) /* what lies in the catalogue itself is small */
    return !has_place;
  return !is_nonresident(attr) && !is_record_same(walk, same, object->meta_addr);
}

/* Of a deleted entry only what is still free counts: the rest belongs to whoever uses it now. */
static void cover_dead(Walk *walk, uint64_t start, uint64_t end) {
  uint64_t block = walk->fs->block_size;
  for (uint64_t place = start; place < end; place += block)
    if (!area_block_in_use(walk->fs, (place - walk->volume->offset) / block))
      ranges_add(&walk->dead, place, place + block);
}

static void cover(Walk *walk, uint64_t start, uint64_t end) {
  if (walk->is_live)
    ranges_add(&walk->live, start, end);
  else
    cover_dead(walk, start, end);
}

/* Bytes that the runs hold and a read of the content does not give, and where the first lies. */
static uint64_t slack_of(const Walk *walk, const TSK_FS_ATTR *attr, uint64_t *first) {
  if ((attr->flags & TSK_FS_ATTR_COMP) != 0 || attr->r != NULL)
    return 0;
  uint64_t block = walk->fs->block_size, total = 0, start, end;
  uint64_t cut = (uint64_t)MAX(MIN(attr->size, attr->nrd.initsize), 0) + attr->nrd.skiplen;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++) {
    uint64_t from, to;
    if (!run_place(walk, run, &start, &end) || !g_uint64_checked_mul(&from, run->offset, block) ||
        !g_uint64_checked_add(&to, from, end - start) || to <= cut)
      continue;
    uint64_t inside = from < cut ? cut - from : 0;
    if (total == 0)
      *first = start + inside;
    total += end - start - inside;
  }
  return total;
}

static void send_slack(Walk *walk, const Object *object, const TSK_FS_ATTR *attr) {
  Object slack = *object;
  slack.size = slack_of(walk, attr, &slack.first_byte);
  if (slack.size == 0 || walk->stopped)
    return;
  slack.kind = OBJECT_AREA;
  slack.state = STATE_SLACK;
  slack.flags = object->flags & OBJECT_NAMED_STREAM;
  slack.seq = walk->seq++;
  walk->stopped = !walk->sink->object(walk->sink->user, &slack);
}

void areas_take(Walk *walk, const Object *object, const TSK_FS_ATTR *attr) {
  if (TSK_FS_TYPE_ISEXT(walk->fs->ftype) &&
      ((object->flags & OBJECT_RESIDENT) != 0 ||
       (object->kind == OBJECT_LINK && !is_nonresident(attr)))) {
    Range places[2];
    guint n = inline_places(walk->fs, object->meta_addr, places);
    for (guint i = 0; i < n; i++)
      ranges_add(walk->is_live ? &walk->live : &walk->dead, walk->volume->offset + places[i].start,
                 walk->volume->offset + places[i].end);
  }
  if (!is_nonresident(attr) || (object->flags & OBJECT_NO_CONTENT) != 0)
    return;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++) {
    uint64_t start, end;
    if (run_place(walk, run, &start, &end))
      cover(walk, start, end);
  }
  if ((walk->sink->areas & AREAS_SLACK) != 0)
    send_slack(walk, object, attr);
}

static uint32_t class_dir(Walk *walk, AreaClass class) {
  if (walk->area_dirs[class] == 0) {
    const char *text = CLASSES[class].dir;
    g_autoptr(GBytes) name = g_bytes_new_static(text, strlen(text));
    ObjectDir dir = {.no = ++walk->n_dirs, .parent = walk->root_dir, .name = name};
    walk->area_dirs[class] = dir.no;
    walk->stopped = walk->stopped || !walk->sink->dir(walk->sink->user, &dir);
  }
  return walk->area_dirs[class];
}

/* The name says where it lies: in blocks of the file system where there is one, else in sectors of
 * 512 bytes from the start of the volume (of the disk, for a gap). */
static GBytes *area_name(const Walk *walk, AreaClass class, uint64_t start, uint64_t end) {
  bool in_blocks = class == AREA_UNALLOCATED || class == AREA_METADATA;
  uint64_t unit = in_blocks ? walk->fs->block_size : 512, base = walk->volume->offset;
  char *text = (start - base) % unit == 0
                   ? g_strdup_printf("%llu-%llu", (unsigned long long)((start - base) / unit),
                                     (unsigned long long)((end - base - 1) / unit))
                   : g_strdup_printf("byte %llu-%llu", (unsigned long long)(start - base),
                                     (unsigned long long)(end - base - 1));
  return g_bytes_new_take(text, strlen(text));
}

/* A stretch becomes objects of bounded size. Each is examined with the first bytes of the next, so
 * that a match across the border is found whole, once: with the object it begins in. */
static void send_area(Walk *walk, AreaClass class, uint64_t start, uint64_t end) {
  const ClassRow *row = &CLASSES[class];
  walk->area_bytes[class] += end - start;
  if ((walk->sink->areas & row->area) == 0)
    return;
  for (uint64_t at = start, next; at < end && !walk->stopped; at = next) {
    next = MIN(end, at + LIMIT_AREA_BYTES);
    g_autoptr(GBytes) name = area_name(walk, class, at, next);
    Object object = {.volume = walk->volume->no,
                     .attr_type = class,
                     .attr_id = (uint32_t)MIN(end - next, LIMIT_CARVED_REACH),
                     .kind = OBJECT_AREA,
                     .state = row->state,
                     .size = next - at,
                     .first_byte = at,
                     .dir = class_dir(walk, class),
                     .name = name};
    if (walk->seq >= LIMIT_VOLUME_OBJECTS) {
      Gap gap = {.seq = GAP_NO_OBJECT,
                 .volume = walk->volume->no,
                 .state = row->state,
                 .size = end - at,
                 .reason = TRIAGE_REASON_SIZE_LIMIT,
                 .detail = "the volume has more areas than are listed"};
      walk->stopped = !walk->sink->gap(walk->sink->user, &gap);
      return;
    }
    object.seq = walk->seq++;
    walk->stopped = walk->stopped || !walk->sink->object(walk->sink->user, &object);
  }
}

/* Free blocks: what deleted entries cover is examined as theirs. */
static void send_class(Walk *walk, AreaClass class, uint64_t start, uint64_t end) {
  uint64_t at = start, hole_end;
  walk->free_bytes += class == AREA_UNALLOCATED ? end - start : 0;
  while (class == AREA_UNALLOCATED && ranges_next_hole(&walk->dead, &at, end, &hole_end)) {
    send_area(walk, class, at, hole_end);
    at = hole_end;
  }
  if (class != AREA_UNALLOCATED)
    send_area(walk, class, start, end);
}

/* One stretch that no entry in use covers, cut up by what the file system says of each block. */
static void send_hole(Walk *walk, uint64_t start, uint64_t end) {
  enum { ALIVE_EVERY = 1 << 20 };
  uint64_t block = walk->fs->block_size, base = walk->volume->offset, open_from = start;
  AreaClass open_class = AREA_UNALLOCATED;
  for (uint64_t place = start; place < end && !walk->stopped;) {
    uint64_t number = (place - base) / block;
    AreaClass class = area_block_in_use(walk->fs, number) ? AREA_METADATA : AREA_UNALLOCATED;
    if (place > open_from && class != open_class) {
      send_class(walk, open_class, open_from, place);
      open_from = place;
    }
    open_class = class;
    place = MIN(end, base + (number + 1) * block);
    if (number % ALIVE_EVERY == 0 && walk->sink->alive != NULL)
      walk->sink->alive(walk->sink->user);
  }
  if (open_from < end)
    send_class(walk, open_class, open_from, end);
}

/* Where asking the file system costs the worker its life, the blocks are examined all the same. */
static bool may_ask(Walk *walk) {
  int reason = walk_skip_reason(walk, WALK_PASS_AREAS, 0);
  if (reason < 0) {
    walk->stopped =
        walk->sink->step != NULL && !walk->sink->step(walk->sink->user, WALK_PASS_AREAS, 0);
    return true;
  }
  Gap gap = {.seq = GAP_NO_OBJECT,
             .volume = walk->volume->no,
             .reason = (TriageReason)reason,
             .detail = "asking which blocks are in use costs the worker its life, twice: what no "
                       "entry covers is examined without saying which it is"};
  walk->stopped = !walk->sink->gap(walk->sink->user, &gap);
  return false;
}

/* The volumes of one container share its blocks: its areas are what none of them covers. */
static void collect_others(Walk *walk) {
  for (guint i = 0; walk->volume->pool_block != 0 && i < volume_set_n(walk->set); i++) {
    const Volume *other = volume_set_get(walk->set, i);
    if (other->no != walk->volume->no && other->pool_block != 0 &&
        other->offset == walk->volume->offset)
      walk_collect(walk->set, other->no, &walk->live, &walk->dead);
  }
}

/* Bytes of a stretch that are in the set. */
static uint64_t filled(Ranges *ranges, uint64_t start, uint64_t end) {
  uint64_t total = 0, stop;
  for (uint64_t at = start; ranges_next_filled(ranges, &at, end, &stop); at = stop)
    total += stop - at;
  return total;
}

static void tell(const Walk *walk, const char *what, uint64_t bytes) {
  if (walk->sink->account != NULL && bytes > 0)
    walk->sink->account(walk->sink->user, what, bytes);
}

/* What entries in use cover was gathered; what deleted ones do is what is left of the free blocks.
 */
static void give_account(Walk *walk, uint64_t others, uint64_t covered, uint64_t free_bytes) {
  uint64_t size = image_size(volume_set_image(walk->set)), end, start = walk->volume->offset;
  const char *const WORDS[AREA_CLASS_LAST + 1] = {
      [AREA_UNALLOCATED] = "unallocated blocks",
      [AREA_METADATA] = "blocks of the file system's own",
      [AREA_VOLUME_SLACK] = "behind the file system",
      [AREA_UNKNOWN] =
          walk->volume->fs_type[0] != '\0' ? "blocks of no entry, free or not" : "no file system",
      [AREA_GAP] = "in no partition",
  };
  tell(walk, "entries in use, with their slack", covered - others);
  tell(walk, "deleted entries, with their slack", free_bytes - walk->area_bytes[AREA_UNALLOCATED]);
  for (int i = 1; i <= AREA_CLASS_LAST; i++)
    tell(walk, WORDS[i], walk->area_bytes[i]);
  tell(walk, "examined with another volume", others - MIN(others, walk->volume->lacking));
  tell(walk, "not in this evidence, listed", walk->volume->lacking);
  if (!walk->volume->is_derived && g_uint64_checked_add(&end, start, walk->volume->length) &&
      end > size)
    tell(walk, "beyond the end of the media, listed", end - MAX(start, size));
}

void areas_emit(Walk *walk) {
  uint64_t start, end, hole_end;
  if (walk->stopped || (walk->sink->areas & AREAS_ALL) == 0)
    return;
  g_auto(Ranges) others;
  ranges_init(&others);
  AreaClass outside = volume_area(walk->set, walk->volume->no, &start, &end, &others);
  for (guint i = 0; i < ranges_n(&others); i++)
    ranges_add(&walk->live, ranges_get(&others, i)->start, ranges_get(&others, i)->end);
  uint64_t fs_end = start;
  /* Blocks in use of entries that are not known are not the file system's own. */
  bool knows_blocks = walk->fs != NULL && !walk->is_ended && may_ask(walk);
  if (walk->fs != NULL) {
    uint64_t blocks = walk->fs->last_block_act + 1;
    fs_end = MIN(end, walk->volume->offset + blocks * walk->fs->block_size);
    collect_others(walk);
  }
  const Xfs *xfs = volume_xfs(walk->set, walk->volume->no);
  if (xfs != NULL)
    fs_end = MIN(end, walk->volume->offset + xfs_size(xfs));
  volume_set_forget_damage(walk->set);
  for (uint64_t at = start; !walk->stopped && ranges_next_hole(&walk->live, &at, fs_end, &hole_end);
       at = hole_end)
    if (knows_blocks)
      send_hole(walk, at, hole_end);
    else
      send_area(walk, AREA_UNKNOWN, at, hole_end);
  walk_report_damage(walk, GAP_NO_OBJECT, 0, false, 0, "the list of blocks in use");
  for (uint64_t at = fs_end; !walk->stopped && ranges_next_hole(&walk->live, &at, end, &hole_end);
       at = hole_end)
    send_area(walk, outside, at, hole_end);
  give_account(walk, filled(&others, start, end), filled(&walk->live, start, end),
               walk->free_bytes);
}
