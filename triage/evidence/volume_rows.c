/* SPDX-License-Identifier: Apache-2.0 */
/* volume_rows.c - the table of volume systems and file systems libtsk reads, for 'triage formats'.
 */
#include "evidence/derived.h"
#include "evidence/volume.h"

#define VOLUME(name, title, limits)                                                                \
  { "volume", name, title, "tsk_vs_open", "libtsk", limits, true, NULL }
#define SYSTEM(name, title, limits)                                                                \
  { "filesystem", name, title, "tsk_fs_open_img", "libtsk", limits, true, NULL }
#define MISSING(stage, name, title, why)                                                           \
  { stage, name, title, "", "", "not read", false, why }

static const Row ROWS[] = {
    VOLUME("dos", "DOS partition table with extended partitions",
           "lost partitions are looked for at the start of gaps and at whole MiB, also where every "
           "entry was deleted or the first sector was wiped"),
    VOLUME("gpt", "GUID partition table",
           "attributes and GUIDs are not reported; the copy at the end serves where the first is "
           "damaged"),
    VOLUME("mac", "Apple partition map", "none known"),
    VOLUME(
        "bsd", "BSD disk label",
        "a label inside a partition is not followed: its file systems are found where they begin "
        "with the partition"),
    VOLUME("sun", "Sun volume table of contents", "none known"),
    SYSTEM("ntfs", "NTFS", "slack of compressed files is not told apart"),
    SYSTEM("fat", "FAT12, FAT16, FAT32", "times are local times of unknown zone"),
    SYSTEM("exfat", "exFAT", "times are local times of unknown zone"),
    SYSTEM("ext", "ext2, ext3, ext4", "encrypted directories show encrypted names"),
    SYSTEM("hfs", "HFS+", "deleted entries are not recovered"),
    SYSTEM("iso9660", "ISO 9660 with Joliet and Rock Ridge", "no UDF"),
    SYSTEM("ufs", "UFS1, UFS2", "not tested with deleted entries"),
    SYSTEM("yaffs2", "YAFFS2", "recognised by libtsk's heuristics alone"),
    {"filesystem", "apfs", "APFS through its container", "tsk_pool_open_img_sing", "libtsk",
     "of snapshots, what the live volume still holds is examined there alone; encrypted volumes "
     "are "
     "not read",
     true, NULL},
    {"filesystem", "xfs", "XFS (versions 4 and 5)", "XFS Algorithms and Data Structures", "",
     "entries in use alone have names; deleted ones, extended attributes, free blocks and the file "
     "system's own are examined as bytes and not told apart; the log is not replayed; the realtime "
     "section is not read",
     true, NULL},
    MISSING("filesystem", "btrfs", "btrfs", "no library in Debian reads it"),
    MISSING("filesystem", "refs", "ReFS", "no library in Debian reads it"),
    MISSING("filesystem", "udf", "UDF", "no library in Debian reads it"),
};

const Row *const *volume_rows(size_t *n) {
  enum { N_DERIVED_MAX = 8 };
  static const Row *rows[G_N_ELEMENTS(ROWS) + N_DERIVED_MAX]; /* the same values every time */
  size_t n_kinds;
  const DerivedKind *const *kinds = derived_kinds(&n_kinds);
  for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
    rows[i] = &ROWS[i];
  for (size_t i = 0; i < MIN(n_kinds, N_DERIVED_MAX); i++)
    rows[G_N_ELEMENTS(ROWS) + i] = &kinds[i]->row;
  *n = G_N_ELEMENTS(ROWS) + MIN(n_kinds, N_DERIVED_MAX);
  return rows;
}
