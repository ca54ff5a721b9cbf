/* SPDX-License-Identifier: Apache-2.0 */
/* walk_private.h - what the parts of the walk share. */
#pragma once
#include "evidence/ranges.h"
#include "evidence/walk.h"

/* Identity of an object: an attribute of a metadata entry. */
typedef struct {
  uint64_t meta_addr;
  uint32_t attr_type, attr_id;
} AttrKey;

/* A deleted name whose metadata another file has taken over: settled when all names are known. */
typedef struct {
  uint64_t meta_addr;
  uint32_t dir;
  bool is_orphan;
  GBytes *name;
} TakenName;

typedef struct {
  uint64_t meta_addr;
  uint32_t dir;
  bool is_orphan; /* below $OrphanFiles */
  bool is_deleted;
  bool is_ours; /* see extents_are_ours */
} PendingDir;

typedef struct {
  VolumeSet *set;
  const Volume *volume;
  TSK_FS_INFO *fs;
  const WalkSkip *skips;
  guint n_skips;
  const WalkSink *sink;
  GHashTable *objects;  /* AttrKey -> seq + 1 */
  GHashTable *entries;  /* metadata addresses that a name led to */
  GHashTable *dirs;     /* metadata addresses of directories read or queued */
  GHashTable *clusters; /* FAT: first clusters of directories in use, read or queued */
  GQueue *pending;      /* PendingDir* */
  GArray *taken;        /* TakenName */
  GArray *named;        /* uint64_t: entries that a name leads to, for libtsk; see tell_named */
  uint64_t seq;
  uint32_t n_dirs;
  uint32_t root_dir;    /* of a snapshot: the directory that names it; else 0 */
  Ranges *kept;         /* of an APFS snapshot: what the live volume's entries cover; else NULL */
  uint32_t unnamed_dir; /* number of /$Unnamed, 0: not made yet */
  bool stopped;         /* the sink does not want more */
  bool is_ended;        /* the entries were given up: those that lie beyond are not known */
  /* for the areas, see walk_areas.c; bytes of the media */
  bool is_live;        /* the entry at hand is in use */
  Ranges live, dead;   /* what the content of entries in use, and of deleted ones, covers */
  uint64_t claimed[2]; /* bytes that deleted entries, and those in use, lay claim to */
  uint64_t holes;      /* bytes of their holes that are read as the zeros they are */
  uint64_t mapped;     /* blocks that the sizes of inodes with block maps claim */
  uint64_t free_bytes; /* of blocks not in use, deleted entries' included */
  uint64_t area_bytes[AREA_CLASS_LAST + 1]; /* of each class, selected or not */
  uint32_t area_dirs[AREA_CLASS_LAST + 1];  /* directory of each class, 0: not made yet */
} Walk;

/* Emits all objects of one entry under one name; below says where it was found. file->meta may be
 * NULL. */
void entry_emit(Walk *walk, const PendingDir *below, TSK_FS_FILE *file, GBytes *name,
                bool is_name_deleted);
/* walk_times.c: the times of an entry; object->name tells which of its names is meant. */
void entry_times(const TSK_FS_INFO *fs, TSK_FS_FILE *file, Object *object);
/* True where an NTFS entry holds an attribute with content. */
bool entry_has_content(const Walk *walk, TSK_FS_FILE *file);
/* Emits a gap about a directory or metadata entry; text of libtsk is appended. */
void walk_gap(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
              TriageReason reason, const char *detail);
/* After a read: reports damage met since the last image_damage_reset; true where there was some. */
bool walk_report_damage(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
                        const char *what);
/* Before a place is looked at; false: the sink does not want more. */
bool walk_step(Walk *walk, uint32_t pass, uint64_t address);
/* Emits the gap for a place that is left out. */
void walk_gap_for_skip(Walk *walk, uint32_t dir, bool has_dir, uint64_t address, int reason);
/* False where the set has it already. */
bool walk_remember(GHashTable *set, uint64_t address);
/* The reason a place is to be left out, or -1. */
int walk_skip_reason(const Walk *walk, uint32_t pass, uint64_t address);
/* What libtsk says went wrong last, printable; "" where nothing. (transfer full) */
char *walk_tsk_error(void);

/* ---- walk_xfs.c: the same for a file system that libtsk does not read ---- */
void xfs_walk(Walk *walk);
void xfs_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out);

/* ---- walk_areas.c ---- */
/* Before an object is sent: false where it, or the entries of the volume together, claim more than
 * can be there; its content is then left out. Sets OBJECT_SHORT_HOLES. */
bool areas_claim(Walk *walk, Object *object, const TSK_FS_ATTR *attr);
/* False where the object lies where the live volume has the same bytes (a shadow copy). */
bool areas_is_new(const Walk *walk, const Object *object, const TSK_FS_ATTR *attr);
/* What the entries of an APFS snapshot's live volume cover. (transfer full), NULL: none found. */
Ranges *areas_kept(VolumeSet *set, const Volume *snapshot);
/* After it was sent: remembers what its content covers, and sends its slack. attr may be NULL. */
void areas_take(Walk *walk, const Object *object, const TSK_FS_ATTR *attr);
/* Sends everything the entries do not cover. */
void areas_emit(Walk *walk);
/* Walks another volume without telling anybody, for what its entries cover. */
void walk_collect(VolumeSet *set, uint32_t no, Ranges *live, Ranges *dead);
/* ---- walk_inline.c: where an ext inode keeps content within itself. At most two stretches, bytes
 * of the file system; returns how many. */
guint inline_places(TSK_FS_INFO *fs, uint64_t inode, Range places[2]);
/* ---- walk_extent.c: false where an ext4 inode's extents lead back to themselves or to no extents.
 */
bool extents_are_tree(TSK_FS_INFO *fs, const TSK_FS_META *meta);
/* True where libtsk cannot put the extents together, or not rightly. */
bool extents_are_ours(const TSK_FS_INFO *fs, const TSK_FS_META *meta);
/* Before an attribute is asked for: gives the file its runs where extents_are_ours. False where
 * that is not so or they are not sound: libtsk is left to it. */
bool extents_load(TSK_FS_FILE *file);
/* walk_open_dir for a directory for which extents_are_ours. (transfer full) */
TSK_FS_DIR *extents_open_dir(TSK_FS_INFO *fs, uint64_t address, GArray **order);
/* ---- area_read.c ---- */
/* True where a block is in use: what a deleted entry says of it is no longer true. */
bool area_block_in_use(TSK_FS_INFO *fs, uint64_t block);
/* The stretches of a deleted entry's content whose blocks are in use again, as offsets in the
 * content. */
void area_overwritten(TSK_FS_INFO *fs, const TSK_FS_ATTR *attr, Ranges *out);
/* Opens a directory as tsk_fs_dir_open_meta does; order gets the places of its names (size_t), each
 * once, in the order to take them. NULL: it cannot be opened. */
TSK_FS_DIR *walk_open_dir(TSK_FS_INFO *fs, uint64_t address, GArray **order);
