/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - the volumes of an image and the file systems on them (libtsk), opened over Image.
 * Every partition becomes a Volume; one that cannot be opened becomes a gap with the reason. */
#pragma once
#include "evidence/image.h"
#include "evidence/object.h"
#include "evidence/ranges.h"
#include <glib.h>
#include <tsk/libtsk.h>

typedef struct {
  uint32_t no;             /* from 1; 0 where the image has no volume system */
  uint64_t offset, length; /* bytes in the media */
  uint64_t lacking;        /* bytes of it that are not in this evidence: listed, not examined */
  char fs_type[32];  /* TSK's name in lower case: "ntfs", "fat16", "ext4", "apfs"; empty: none */
  char *description; /* the partition table's words */
  TSK_FS_TYPE_ENUM tsk_type;
  bool is_outside;     /* volume 0: what lies in no partition */
  bool is_derived;     /* made from a stretch of the media at offset: see volume_read */
  const char *root;    /* of a snapshot: the name its paths begin with; NULL: none */
  uint64_t pool_block; /* APFS: the volume's block in its container, else 0 */
} Volume;

typedef struct _VolumeSet VolumeSet;

/* How much of an image is opened: less where opening more has cost a worker its life. What is left
 * out becomes a gap. */
typedef enum {
  VOLUMES_ALL,
  VOLUMES_PLAIN, /* none made from others: encrypted and logical volumes, shadow copies */
  VOLUMES_NONE,  /* no partition and no file system: the media as one volume of bytes */
  VOLUMES_LAST = VOLUMES_NONE
} VolumeCare;

/* Lists the volumes of an image: DOS, GPT (and what else libtsk reads), file systems found in the
 * space outside them, and as volume 0 what lies in none of them; or the whole image as volume 0.
 * Tries each candidate type where detection is ambiguous. Gaps (unknown or encrypted file system,
 * partition past the end, damaged table) go to sink->gap with the volume's number. Encrypted
 * volumes are opened with passwords (char*; NULL: none); logical volumes and shadow copies become
 * volumes after the others. Deterministic. Never NULL: a set without any file system has n == 0.
 * (transfer full) */
VolumeSet *volume_set_new(Image *image, const GPtrArray *passwords, VolumeCare care,
                          const WalkSink *sink);
void volume_set_free(VolumeSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VolumeSet, volume_set_free)
guint volume_set_n(const VolumeSet *set);
const Volume *volume_set_get(const VolumeSet *set, guint index);  /* (transfer none) */
const Volume *volume_set_find(const VolumeSet *set, uint32_t no); /* NULL: none */

/* True where any volume holds a file system triage can walk. */
bool volume_set_has_filesystem(const VolumeSet *set);

/* True where the image shows signs of being a disk at all: a volume system, a file system, or the
 * signature of one that cannot be read (btrfs, LUKS, BitLocker). False: it may be any single file.
 */
bool volume_set_is_disk(const VolumeSet *set);

/* The stretch of the media whose bytes are examined with this volume: the volume, or its file
 * system where that reaches further, as far as the media goes; others receives what of it belongs
 * to another volume (a file system before a volume without one, a lower number before a higher).
 * Returns what bytes are there that belong to no file system. */
AreaClass volume_area(const VolumeSet *set, uint32_t no, uint64_t *start, uint64_t *end,
                      Ranges *others);

/* Fills n bytes from a place of the volume's address space: of the media; of a derived volume its
 * own bytes, counted from volume->offset. */
void volume_read(VolumeSet *set, uint32_t no, uint64_t place, void *buffer, size_t n);

/* Places of the volume that are examined with another one: a logical volume inside it, the live
 * volume of a shadow copy. NULL: none. (transfer none) */
Ranges *volume_elsewhere(const VolumeSet *set, uint32_t no);

/* The volume's file system, opened once and kept. NULL with error. (transfer none) */
TSK_FS_INFO *volume_open_fs(VolumeSet *set, uint32_t no, GError **error);
/* The same where it is XFS, which libtsk does not read; NULL: it is not. (transfer none) */
struct _Xfs *volume_xfs(const VolumeSet *set, uint32_t no);
Image *volume_set_image(VolumeSet *set);
/* The image that the file system's bytes stand in as they are, its own at fs->offset; NULL where
 * libtsk has a layer of its own between them (a pool). (transfer none) */
Image *volume_fs_image(const VolumeSet *set, uint32_t no);

/* Before something is read of which the damage is to be told: image_damage_reset, and where the
 * image is damaged, throws away what libtsk has cached of it. Else whether a bad stretch counts
 * would hang on what this worker happened to read before. */
void volume_set_forget_damage(VolumeSet *set);

const Row *const *volume_rows(size_t *n); /* volume systems and file systems */
