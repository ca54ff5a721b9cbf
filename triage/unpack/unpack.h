/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h - an object's bytes to the members or views inside them, recursively, within budgets.
 * One const row per format; adding one is a new file and a row in unpack_table.c. Knows nothing of
 * the evidence, of rules or of processes: what it finds goes to a sink. */
#pragma once
#include "base/content.h"
#include "base/part_name.h"
#include "base/row.h"
#include "triage/error.h"
#include "triage/time.h"
#include <glib.h>

/* Where an object stands inside its container, from the evidence's object inwards. Names are the
 * raw bytes of the archive: they may be hostile ("../../x", "/etc/passwd") and are only ever shown.
 * What has no name is "(unnamed N)". A tar or cpio inside a compressed stream has no step of its
 * own for the stream ("a.tgz!/b.vbs"); any other stream is one member, "(gunzip)". */
typedef struct _MemberPath MemberPath;
struct _MemberPath {
  const MemberPath *parent; /* NULL: the evidence's own object */
  GBytes *name;     /* raw bytes of this step ("a/b.vbs", "(gunzip)"); NULL for the object */
  const char *view; /* "raw", or what the bytes were turned into ("utf-16le"), step by step
                       ("base64+utf-16le"); valid during the call */
  uint32_t depth;   /* 0: the object itself */
};

/* Which bytes of a member a view's bytes came from. */
typedef struct _ViewMap ViewMap;

typedef struct {
  const MemberPath *path;
  Content *content; /* (transfer none) during the call */
  uint64_t size;    /* claimed size; content may be shorter where error is set */
  TriageTime created, modified, changed, accessed;
  /* Of a file of NTFS in a disk image inside an object: those of its $FILE_NAME. */
  TriageTime name_created, name_modified, name_changed, name_accessed;
  const ViewMap *map;  /* of a view of the member handed out last before it; NULL: a member */
  const GError *error; /* NULL: complete; else why content is partial (its code is the reason) */
} Member;

typedef struct {
  void *user;
  /* Every object and member, the top one (depth 0) first; scanned here. False stops all. A view of
   * a member's text follows it with the same path and another view name. Directories are not handed
   * out; a hard link is empty (its content came under its first name), a symbolic link's content is
   * its target. Where error is set, no gap follows: the row is the caller's to write. A member of
   * which no byte could be read is a gap only. */
  bool (*member)(void *user, const Member *member);
  /* What could not be examined inside the object; path may be that of a container. examined: bytes
   * of path's own content that were scanned as they are. detail is printable. False stops all. */
  bool (*gap)(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
              TriageReason reason, const char *detail);
  /* Called often, with the bytes read or unpacked since the last call, and only when there are
   * some: a library that loops stays silent. May be NULL. False stops all. */
  bool (*alive)(void *user, uint64_t bytes);
} UnpackSink;

/* Where the files of a disk image inside an object go to. Each returns false to stop. */
typedef struct {
  void *user;
  /* A file: its raw path inside the image; member's path is filled in by the receiver. */
  bool (*file)(void *user, GBytes *path, Member *member);
  /* What could not be read; path NULL: the image itself. */
  bool (*gap)(void *user, GBytes *path, uint64_t size, uint64_t examined, TriageReason reason,
              const char *detail);
  bool (*alive)(void *user, uint64_t bytes);
  /* Bytes that may still be read: what one file takes, the next has not. */
  uint64_t (*room)(void *user);
} ImageSink;

typedef struct {
  /* Walks content as a disk image, shown being its printable name. NULL: images inside objects are
   * listed, not opened. */
  void (*walk_image)(void *user, Content *content, const char *shown, const ImageSink *sink);
  void *image_user;
  uint32_t max_depth;    /* held to LIMIT_DEPTH_MAX */
  uint64_t max_expanded; /* bytes expanded from one top object, all levels together */
  GPtrArray *passwords;  /* char*, tried on encrypted members; may be NULL */
  Spool *spool;
} UnpackOptions;

/* Objects that lie beside the top one and by their names are parts of one archive with it. */
typedef struct {
  PartKind kind;
  guint n, self; /* parts in order, without a hole; which of them the object is. 0: it is a later
                    part of an archive and missing lacks */
  const char *missing;                                   /* printable name */
  Content *(*read)(void *user, guint i, GError **error); /* (transfer full); NULL with error */
  void *user;
} UnpackSet;

/* Examines one object: hands it to sink->member, then all that is inside it. Returns false where a
 * sink call did. */
bool unpack_object(const UnpackOptions *options, const UnpackSink *sink, const Member *top);
/* The same for a part of a set, whose parts together are opened with the part that leads them. */
bool unpack_object_of_set(const UnpackOptions *options, const UnpackSink *sink, const Member *top,
                          const UnpackSet *set);

/* Hands out one object and its views, and what those carry, but opens no container of its own
 * bytes: for tables, in which containers belong to other objects or lie in pieces. */
bool unpack_views(const UnpackOptions *options, const UnpackSink *sink, const Member *top);

/* Of bytes that no entry covers. */
typedef struct {
  uint64_t border; /* the first byte of content that begins a sector of the media */
  uint64_t own;    /* archives that begin behind are the next area's */
  uint64_t reach;  /* bytes behind content that are free as well */
  /* n bytes from at on, of content and what is behind it (transfer full); NULL: they are not to be
   * had. May be NULL. */
  Content *(*read)(void *user, uint64_t at, uint64_t n);
  void *user;
} AreaPlace;
/* The same for an area, and archives that begin where a sector does: "(carved at OFFSET)". */
bool unpack_area(const UnpackOptions *options, const UnpackSink *sink, const Member *top,
                 const AreaPlace *place);

/* True where some available unpacker is sure, by magic at the beginning, that these bytes are its
 * container; *format_name (may be NULL) is its row's name, static. Not for iso9660, which is an
 * image first, nor for archives behind other bytes: unpack_object finds those all the same. */
bool unpack_recognises(const uint8_t *data, uint64_t size, const char **format_name);

/* Opens what libraries load lazily (character set converters), before the worker locks itself in,
 * and sets the process's LC_CTYPE to C.UTF-8 and TZ to UTC: libarchive converts names and DOS times
 * by them, and the result must not depend on the machine. */
void unpack_warm_up(void);

const char *unpack_mail_version(void);     /* of gmime, static */
const char *unpack_registry_version(void); /* of libregf, static */
const char *unpack_evtx_version(void);     /* of libevtx, static */
const char *unpack_pst_version(void);      /* of libpff, static */
const char *unpack_sqlite_version(void);   /* static */

/* Which bytes [from, end) of the member the view's bytes [offset, offset + length) were made from;
 * false where that is not known. */
bool unpack_view_place(const ViewMap *map, uint64_t offset, uint64_t length, uint64_t *from,
                       uint64_t *end);

const Row *const *unpack_rows(size_t *n);
const Row *const *unpack_view_rows(size_t *n);
