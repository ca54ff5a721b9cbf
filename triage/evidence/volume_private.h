/* SPDX-License-Identifier: Apache-2.0 */
/* volume_private.h - what the parts of the volume list share. */
#pragma once
#include "evidence/volume.h"
#include "evidence/xfs.h"

/* A place that looks like the start of a file system, with room bytes to the next volume. Returns
 * the first byte behind the volume made of it, or the offset itself where there is none. */
typedef uint64_t (*volume_found)(void *user, uint64_t offset, uint64_t room);
/* Looks through the space outside the volumes. */
void volume_probe_gaps(VolumeSet *set, volume_found found, void *user);

/* Appends the partitions (Volume) of a DOS table that libtsk cannot load. False: there is none. */
bool volume_mbr_parts(Image *image, GArray *parts);
/* A DOS table all of whose entries were deleted, or a first sector that was wiped. */
bool volume_mbr_is_empty(Image *image);

/* libtsk's image with ours behind it: the first field must be theirs. */
typedef struct {
  TSK_IMG_INFO tsk;
  Image *image;
} Bridge;

typedef struct {
  Volume public;
  TSK_FS_INFO *fs; /* opened on demand */
  Xfs *xfs;
  TSK_IMG_INFO *pool_image;
  const TSK_POOL_INFO *pool; /* shared by the volumes of one container; owned by the set */
  Image *derived;            /* NULL: the set's image */
  Bridge *bridge;            /* over derived */
  char *root;
  Ranges *elsewhere;
  bool is_refused; /* no file system: what it is instead is found out last */
} Slot;

struct _VolumeSet {
  Image *image;
  Bridge *bridge;
  GPtrArray *slots; /* Slot* */
  GPtrArray *pools; /* const TSK_POOL_INFO* */
  const GPtrArray *passwords;
  bool is_disk;
};

/* (transfer none) */
Slot *volume_add_slot(VolumeSet *set, uint32_t no, uint64_t offset, uint64_t length,
                      const char *description);
uint32_t volume_next_no(const VolumeSet *set); /* the number after the highest */
Bridge *volume_bridge_new(Image *image);       /* (transfer full) */
/* Detection refuses where two types are possible: then each candidate is tried, and the one whose
 * root directory can be read best is it (traps: images that look like NTFS and ext at once). NULL:
 * none. (transfer full) */
TSK_FS_INFO *volume_open_best(TSK_IMG_INFO *tsk, uint64_t offset);
/* Says what a volume is that no file system driver takes. */
void volume_refuse(VolumeSet *set, Slot *slot, const WalkSink *sink);
/* True where a slot without a file system has the signature of what volumes are made from. */
bool volume_is_derived_from(const VolumeSet *set, const Slot *slot);
/* What volumes without a file system are instead, and what more is in those with one. A logical
 * volume may lie in an encrypted one, or the other way round: volumes found on the way are looked
 * at too, and what belongs together is put together when all that is there is known. */
void volume_settle(VolumeSet *set, VolumeCare care, const WalkSink *sink);
void volume_give_gap(const WalkSink *sink, const Volume *volume, uint64_t size, TriageReason reason,
                     const char *detail);
void volume_name_fs(Slot *slot, TSK_FS_TYPE_ENUM type);
/* Opens the slot as an APFS container: its volumes, the first in the slot itself, then their
 * snapshots. False: it is none. */
bool volume_add_pool(VolumeSet *set, Slot *container, uint32_t *next_no, const WalkSink *sink);
