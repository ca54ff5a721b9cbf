/* SPDX-License-Identifier: Apache-2.0 */
/* lvm.h - Linux' Logical Volume Manager 2: physical volumes (PV) that belong to a volume group
 * (VG), whose extents make up its logical volumes (LV). What stands on the media is read by
 * lvm_header.c, what it says is taken by lvm_group.c, where an LV's bytes lie is found by
 * lvm_map.c. Private to derived_lvm.c and they. */
#pragma once
#include "evidence/derived.h"
#include "evidence/lvm_text.h"

enum { LVM_SECTOR = 512, LVM_UUID = 32 };

/* ---- what stands on a physical volume ---- */

typedef struct {
  char uuid[LVM_UUID + 1];
  Range areas[16]; /* of metadata, in the base */
  guint n_areas;
  bool has_bad_checksum;
} LvmLabel;

/* A description of a group as it was found. */
typedef struct {
  LvmNode *root;
  const LvmNode *group; /* in root; its name is the group's */
  char uuid[LVM_UUID + 1];
  uint64_t seqno;
  bool is_older; /* an older copy, or one that may be: its checksum is not known */
} LvmText;

bool lvm_probe(const DerivedBase *base);
/* False with error: corrupt. */
bool lvm_label_read(const DerivedBase *base, LvmLabel *label, GError **error);
/* The newest description in the metadata areas; NULL: none. What is damaged is appended to trouble,
 * as a sentence without its end; NULL and no trouble: the volume holds no description. (transfer
 * full) */
LvmText *lvm_metadata_read(const DerivedBase *base, const LvmLabel *label, GString *trouble);
void lvm_text_free(LvmText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LvmText, lvm_text_free)
/* The 32 characters of an identifier written with or without dashes. False: it is none. */
bool lvm_uuid_take(const char *text, size_t n, char *out);

/* ---- what a description says ---- */

typedef struct {
  char *name, *device; /* device: where it was seen last; may be NULL */
  char uuid[LVM_UUID + 1];
  uint64_t start;   /* of the first extent, in bytes */
  uint64_t extents; /* their number */
  bool is_here;
  DerivedBase base; /* where is_here */
  guint index;      /* of base among those that were joined */
} LvmPhysical;

/* What one stripe, or one copy of it, lies on. */
typedef struct {
  bool is_logical;
  guint index; /* into the group's physical or logical volumes */
  uint64_t extent;
} LvmArea;

typedef struct {
  uint64_t start, count; /* extents */
  guint columns, copies; /* areas[column * copies + copy]; 0 columns: it has no bytes at all */
  uint64_t stripe_bytes; /* where there are several columns */
  GArray *areas;         /* LvmArea */
} LvmSegment;

typedef struct {
  char *name;
  uint64_t extents;
  GArray *segments; /* LvmSegment, one behind the other */
  bool is_visible;  /* or hidden, and yet no part of another */
  bool is_rebuilding, is_part;
  guint depth; /* of parts inside it, once it was checked; 0: not yet */
  TriageReason reason;
  char *why;  /* it cannot be read; NULL: it can */
  char *note; /* it can, but not all is told by that; NULL: nothing */
} LvmLogical;

typedef struct {
  char *name;
  char uuid[LVM_UUID + 1];
  uint64_t seqno, extent_bytes;
  GPtrArray *physical; /* LvmPhysical* */
  GPtrArray *logical;  /* LvmLogical* */
  Image *media;        /* told of reads that go into what lacks */
  guint n_pieces;      /* that were looked at so far */
  guint references;
} LvmGroup;

/* NULL with error. (transfer full) */
LvmGroup *lvm_group_new(const LvmText *text, GError **error);
void lvm_group_unref(LvmGroup *group);
LvmPhysical *lvm_group_find(const LvmGroup *group, const char *uuid); /* NULL: none */

/* ---- where the bytes are ---- */

typedef struct {
  uint64_t logical, length; /* of the LV; of several columns one covers many stripes of logical */
  const LvmPhysical *physical; /* NULL: the bytes lack */
  uint64_t place;              /* in physical's base */
  TriageReason reason;         /* they lack for */
} LvmPiece;

/* To be called when the physical volumes that are here are known: a copy that is whole is preferred
 * from then on. */
void lvm_map_settle(LvmGroup *group);
/* All pieces of a logical volume that can be read; NULL: the group's are too many. (transfer full)
 * LvmPiece */
GArray *lvm_map_pieces(LvmGroup *group, const LvmLogical *logical);
/* Fills n bytes; what lacks is zero, and told as damage of the media. */
void lvm_map_read(const LvmGroup *group, const LvmLogical *logical, uint64_t offset,
                  uint8_t *buffer, size_t n, bool is_passing);
