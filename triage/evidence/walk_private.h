/* SPDX-License-Identifier: Apache-2.0 */
/* walk_private.h - what the parts of the walk share. */
#pragma once
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
} PendingDir;

typedef struct {
  VolumeSet *set;
  const Volume *volume;
  TSK_FS_INFO *fs;
  const WalkSkip *skips;
  guint n_skips;
  const WalkSink *sink;
  GHashTable *objects; /* AttrKey -> seq + 1 */
  GHashTable *entries; /* metadata addresses that a name led to */
  GHashTable *dirs;    /* metadata addresses of directories read or queued */
  GQueue *pending;     /* PendingDir* */
  GArray *taken;       /* TakenName */
  uint64_t seq;
  uint32_t n_dirs;
  uint32_t unnamed_dir; /* number of /$Unnamed, 0: not made yet */
  bool stopped;         /* the sink does not want more */
} Walk;

/* Emits all objects of one entry under one name; below says where it was found. file->meta may be
 * NULL. */
void entry_emit(Walk *walk, const PendingDir *below, TSK_FS_FILE *file, GBytes *name,
                bool is_name_deleted);
/* True where an NTFS entry holds an attribute with content. */
bool entry_has_content(const Walk *walk, TSK_FS_FILE *file);
/* Emits a gap about a directory or metadata entry; text of libtsk is appended. */
void walk_gap(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
              TriageReason reason, const char *detail);
/* After a read: reports damage met since the last image_damage_reset; true where there was some. */
bool walk_report_damage(Walk *walk, uint64_t seq, uint32_t dir, bool has_dir, uint64_t meta_addr,
                        const char *what);
/* The reason a place is to be left out, or -1. */
int walk_skip_reason(const Walk *walk, uint32_t pass, uint64_t address);
/* What libtsk says went wrong last, printable; "" where nothing. (transfer full) */
char *walk_tsk_error(void);
