/* SPDX-License-Identifier: Apache-2.0 */
/* object.h - what the evidence stage hands on: objects (an entry's attribute, a whole file), the
 * directories and names that lead to them, and gaps (what could not be examined, and why).
 * Plain data; depends on base alone. */
#pragma once
#include "triage/error.h"
#include "triage/time.h"
#include <glib.h>
#include <stdint.h>

typedef enum {
  OBJECT_FILE,    /* content of a regular file, or of one of its attributes / named streams */
  OBJECT_DIR,     /* a directory: its names are read in the walk, no content is scanned */
  OBJECT_LINK,    /* a symbolic link: content is the target text */
  OBJECT_OTHER,   /* device, socket, fifo: an entry without content */
  OBJECT_VIRTUAL, /* made by the file system driver ($MBR, $FAT1, $OrphanFiles) */
  OBJECT_NAME,    /* a name without metadata of its own (overwritten, or inode gone) */
  OBJECT_WHOLE,   /* the whole evidence as one file (single file, archive) */
  OBJECT_AREA,    /* bytes no entry stands for: slack of one, unallocated blocks ... (AreaClass) */
  OBJECT_KIND_LAST = OBJECT_AREA
} ObjectKind;

/* The parts of a walk, of which a worker tells where it is (MSG_STEP). */
enum { WALK_PASS_OPEN = 0, WALK_PASS_NAMES = 1, WALK_PASS_METADATA = 2, WALK_PASS_AREAS = 3 };
/* Set in the pass of a skip: the entries are given up at that place, the areas are emitted. */
enum { WALK_ENDS = 0x100 };

typedef enum {
  STATE_ALLOCATED,
  STATE_DELETED,
  STATE_ORPHAN,
  STATE_SLACK,
  STATE_UNALLOCATED,
  STATE_LAST = STATE_UNALLOCATED
} ObjectState;

/* What an object of kind OBJECT_AREA is: its attr_type, but for the slack of an entry (state slack
 * with a meta_addr), which is named by the entry's own meta_addr, attr_type and attr_id. All others
 * are the size bytes at first_byte of the media; attr_id bytes like them follow, of which the first
 * are examined with them. */
typedef enum {
  AREA_UNALLOCATED = 1, /* blocks the file system calls free and no deleted entry claims */
  AREA_METADATA,        /* blocks in use that no entry's content covers */
  AREA_VOLUME_SLACK,    /* of the volume, behind its file system */
  AREA_UNKNOWN,         /* of a volume without a file system that can be read */
  AREA_GAP,             /* of the disk, in no partition */
  AREA_CLASS_LAST = AREA_GAP
} AreaClass;

/* What is to be examined (--areas), as bits. */
enum {
  AREAS_ALLOCATED = 1,
  AREAS_DELETED = 2,
  AREAS_ORPHAN = 4,
  AREAS_SLACK = 8,
  AREAS_UNALLOCATED = 16,
  AREAS_GAPS = 32,
  AREAS_ALL = 63
};

/* The word used in hits.csv ("allocated"). (transfer none) */
const char *object_state_name(ObjectState state);

enum {                        /* Object.flags */
       OBJECT_RESIDENT = 1,   /* content lies in the metadata (NTFS resident, ext4 inline) */
       OBJECT_COMPRESSED = 2, /* by the file system */
       OBJECT_ENCRYPTED = 4,  /* by the file system (EFS) */
       OBJECT_SPARSE = 8,
       OBJECT_NAMED_STREAM = 16, /* attr_name belongs to the path as path:attr_name */
       OBJECT_REALLOCATED =
           32, /* the name is deleted and its metadata belongs to another file now */
       OBJECT_NO_CONTENT = 64,   /* nothing to read: never handed to a scan */
       OBJECT_SHORT_HOLES = 128, /* so large by its holes that each is read as few zeros */
};

typedef struct {
  uint64_t seq;       /* place in the walk of its volume, from 0; the stable sort key */
  uint32_t volume;    /* Volume.no */
  uint64_t meta_addr; /* inode, MFT entry */
  uint32_t attr_type, attr_id;
  char meta[64]; /* as TSK prints it: "12" or "128-128-3"; empty where there is none */
  ObjectKind kind;
  ObjectState state;
  uint32_t flags;
  uint64_t size;       /* logical bytes */
  uint64_t first_byte; /* evidence offset of the first block, 0 where resident: the order of work */
  TriageTime created, modified, changed, accessed; /* of NTFS: $STANDARD_INFORMATION */
  TriageTime name_created, name_modified, name_changed, name_accessed; /* NTFS: $FILE_NAME */
  uint32_t dir;      /* directory number of the name, 0: the root */
  GBytes *name;      /* raw bytes of the last path component (no '/'); NULL: no name */
  GBytes *attr_name; /* raw bytes, NULL: unnamed */
} Object;

/* A directory of the walk: number (from 1; 0 is the root), its parent's number, its own name. */
typedef struct {
  uint32_t no, parent;
  GBytes *name;
} ObjectDir;

/* One more name (hard link) of the object seq. */
typedef struct {
  uint64_t seq;
  uint32_t dir;
  ObjectState state;
  uint32_t flags; /* OBJECT_REALLOCATED */
  GBytes *name;
} ObjectName;

#define GAP_NO_OBJECT UINT64_MAX
/* What could not be fully examined. */
typedef struct {
  uint64_t seq;    /* object it belongs to, or GAP_NO_OBJECT: the volume or evidence itself */
  uint32_t volume; /* Volume.no, 0: the evidence */
  uint32_t dir;    /* with GAP_NO_OBJECT and has_dir: the directory concerned */
  bool has_dir;
  char meta[64]; /* metadata address where known, else empty */
  ObjectState state;
  uint64_t size, examined; /* bytes of what the row is about; 0 and 0 where unknown */
  TriageReason reason;
  const char *detail; /* one sentence with offsets */
} Gap;

/* Where a walk reports to. Each returns false to stop the walk (the receiver has failed). */
typedef struct {
  void *user;
  bool (*dir)(void *user, const ObjectDir *dir);
  bool (*object)(void *user, const Object *object);
  bool (*name)(void *user, const ObjectName *name);
  bool (*gap)(void *user, const Gap *gap);
  bool (*step)(void *user, uint32_t pass, uint64_t address); /* NULL: not wanted; see walk.h */
  /* NULL: not wanted. Once for each kind of place a byte of the volume's stretch can have, at the
   * end of its walk: the bytes given sum up to the stretch. */
  void (*account)(void *user, const char *what, uint64_t bytes);
  void (*alive)(void *user); /* NULL: not wanted; called now and then where nothing else is */
  uint32_t areas;            /* AREAS_ bits: of slack, unallocated and gaps, which to emit */
} WalkSink;
