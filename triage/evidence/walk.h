/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h - every entry of a file system, by our own iterative walk (libtsk's stops silently at 128
 * levels and drops a subtree on a read error), and the content of one object. */
#pragma once
#include "base/content.h"
#include "evidence/volume.h"

/* Places to leave out because they crashed or hung a worker before. */
typedef struct {
  uint32_t pass;       /* WALK_PASS_..., WALK_ENDS */
  uint64_t address;    /* metadata address */
  TriageReason reason; /* worker-crash, timeout or out-of-memory: becomes a gap */
} WalkSkip;

/* Walks volume no: first all directories (names), then all metadata in address order, then the
 * areas that no entry's content covers; emits dirs, objects (seq from 0 in emission order), further
 * names, gaps. A volume without a file system has areas alone. sink->step, where set, is called
 * before each directory, each metadata entry and the areas. The same image gives the same sequence.
 * Returns false with error where there is no such volume, or the sink stopped. */
bool walk_volume(VolumeSet *set, uint32_t no, const WalkSkip *skips, guint n_skips,
                 const WalkSink *sink, GError **error);

/* One run of an object's content in the media. */
typedef struct {
  uint64_t content_offset, length, media_offset;
} ContentRun;

/* From content_offset on, a byte's place in the object is so much higher: before it, a hole of a
 * sparse file was read as LIMIT_HOLE_KEPT zeros (OBJECT_SHORT_HOLES). */
typedef struct {
  uint64_t content_offset, skipped;
} ContentShift;

typedef struct {
  Content *content; /* (transfer full); what could be read, at least empty */
  GArray *runs;     /* ContentRun, ascending; NULL or gaps between them: in no one place */
  GArray *shifts;   /* ContentShift, ascending; NULL: none */
  GArray *damage;   /* Damage met by this read, NULL: none. Bytes there read as zero */
  uint64_t
      overwritten; /* of a deleted entry: bytes in blocks that are in use again, read as zero */
  uint64_t own;    /* of an area: how many bytes are its own; the rest is the next one's */
  uint64_t border; /* of an area: the first byte that begins a sector of the media */
  uint64_t reach;  /* of an area: bytes behind content that are areas like it */
  GError *error;   /* NULL: all of size was read; else reason and sentence */
} WalkContent;
void walk_content_clear(WalkContent *content);

/* Reads the content of an object named by (volume, meta_addr, attr_type, attr_id), at most
 * LIMIT_OBJECT_BYTES. Always gives content; failures stand in out->error. */
void walk_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out);

/* Reads an object of kind OBJECT_AREA (slack included). Always gives content. */
void area_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out);
/* n bytes from byte at of the area on, beyond its end too (transfer full); NULL: no room for them.
 */
Content *area_read_on(VolumeSet *set, const Object *object, uint64_t at, uint64_t n, Spool *spool);
