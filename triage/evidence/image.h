/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - a piece of evidence as a read-only array of bytes (the media), whatever container it
 * came in. Reading never fails: bytes that cannot be had read as zero AND are recorded as damage,
 * so that one bad sector costs only what lies on it. May know image libraries; knows nothing of
 * volumes or files. */
#pragma once
#include "base/content.h"
#include "base/row.h"
#include "triage/error.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _Image Image;

/* A stretch of media that could not be read, with the reason (read-error, bad-checksum,
 * missing-segment, truncated, corrupt). */
typedef struct {
  uint64_t offset, length;
  TriageReason reason;
} Damage;

typedef struct {
  char *name, *value; /* "Case number", "Acquisition date" ... as recorded in the container */
} ImageProperty;

typedef struct {
  const char *format;    /* row name: "raw", "split-raw", "ewf", "vhd", "vmdk", "qcow" */
  uint64_t size;         /* media bytes */
  uint32_t sector_bytes; /* 512 unless the container says otherwise */
  uint32_t n_segments;
  uint32_t chunk_bytes;                 /* the container is packed in pieces of so much media */
  GPtrArray *properties;                /* ImageProperty*, in the container's order */
  char stored_md5[33], stored_sha1[41]; /* lower-case hex, empty where the container has none */
  GPtrArray *problems; /* char*: sentences about the container as a whole, see image_damage_all */
} ImageInfo;

/* The names of all files that make up the image whose first segment is path: looks at names and at
 * the first bytes alone, parses nothing; called before the worker locks itself in. A raw set with a
 * hole keeps a NULL at the missing place. (transfer full) char*; reason unreadable or usage. */
GPtrArray *image_segments(const char *path, GError **error);

/* Opens the image over exactly these files, read-only, after the lock-in. Detects the format by
 * content. Fails (unreadable, corrupt, truncated, unsupported-format) only where nothing at all can
 * be read; what is missing in part becomes damage. (transfer full) */
Image *image_open(GPtrArray *segments, GError **error);
/* The same over bytes that came out of another object; shown is its printable name for messages.
 * What consists of several files cannot be opened so. (transfer full) */
Image *image_open_content(Content *content, const char *shown, GError **error);
void image_free(Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

const ImageInfo *image_info(const Image *image); /* (transfer none) */
uint64_t image_size(const Image *image);

/* Fills buffer with n bytes from offset. What cannot be read is zero and recorded as damage; what
 * lies past the end of the media is zero and recorded as truncated. */
void image_read(Image *image, uint64_t offset, void *buffer, size_t n);
/* The same for content, which is read forward and not again: it does not drive out of the cache
 * what is (tables of the file system). */
void image_read_passing(Image *image, uint64_t offset, void *buffer, size_t n);
/* Where bytes of the media stand that somebody has taken out of the container already: fills buffer
 * with n of them from offset, or returns false. What it gives is believed; it gives none that are
 * damaged. For containers in chunks alone. */
typedef bool (*ImageShared)(void *user, uint64_t offset, uint8_t *buffer, size_t n);
void image_use_shared(Image *image, ImageShared shared, void *user);
/* How many pieces of chunk_bytes were taken out of the container so far, each as often as it was.
 */
uint64_t image_chunks_read(const Image *image);

/* Damage met by image_read since the last reset: merged, sorted, (transfer none), Damage. A stretch
 * met again after a reset is recorded again. */
void image_damage_reset(Image *image);
/* Whether any damage is known so far (image_damage_all is not empty). */
bool image_is_damaged(const Image *image);
GArray *image_damage(Image *image);

/* All damage known of the container without reading it through (missing segments, truncated
 * tables) plus all that reading has met so far: merged, sorted (transfer none). Of an E01 the whole
 * chunk counts as soon as a part of it was read. Reads past the end of the media are not in it.
 * Valid until the next call on this image, as is image_damage's. */
GArray *image_damage_all(Image *image);

/* The rows of the table, for 'triage formats'. (transfer none) */
const Row *const *image_rows(size_t *n);
