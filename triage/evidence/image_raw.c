/* SPDX-License-Identifier: Apache-2.0 */
/* image_raw.c - a disk image that is the disk's bytes, in one file or cut into several. A segment
 * that is not there, or shorter than its fellows, leaves a hole: what follows keeps its place. */
#include "evidence/image_format.h"
#include <string.h>

enum { RETRY_BYTES = 4096, SECTOR_BYTES = 512 };

typedef struct {
  uint64_t start;      /* in the media */
  uint64_t present;    /* bytes that are there */
  uint64_t length;     /* bytes that ought to be there */
  TriageReason reason; /* for the rest */
} Part;

static bool probe_never(const ImagePeek *peek) {
  (void)peek;
  return false;
}

static bool probe_always(const ImagePeek *peek) {
  (void)peek;
  return true;
}

/* The size every segment but the last was cut to, 0 where they do not agree: then nothing can be
 * said about what is lost. */
static uint64_t common_size(const ImageFiles *files) {
  guint n = image_files_n(files), n_full = 0, n_present = 0;
  uint64_t largest = 0;
  for (guint i = 0; i < n; i++)
    largest = MAX(largest, image_files_size(files, i));
  for (guint i = 0; i + 1 < n; i++) {
    n_present += image_files_present(files, i);
    n_full += image_files_present(files, i) && image_files_size(files, i) == largest;
  }
  return n_full > 0 && 2 * n_full >= n_present ? largest : 0;
}

static void add_part(Image *image, GArray *parts, guint index, uint64_t common) {
  const ImageFiles *files = image->files;
  bool last = index + 1 == image_files_n(files), present = image_files_present(files, index);
  uint64_t size = image_files_size(files, index);
  Part part = {.start = image->info.size, .present = size, .length = size};
  const char *name = image_files_shown(files, index);
  if (!present) {
    part.length = common;
    part.reason = image_files_reason(files, index);
    image_add_problem(image,
                      "Segment %u of %u is %s; %" G_GUINT64_FORMAT
                      " bytes from byte %" G_GUINT64_FORMAT " of the disk read as zero%s.",
                      index + 1, image_files_n(files),
                      part.reason == TRIAGE_REASON_READ_ERROR ? "not readable" : "missing",
                      part.length, part.start,
                      common == 0 ? ", and where the later segments belong is not known" : "");
  } else if (!last && common != 0 && size < common) {
    part.length = common;
    part.reason = TRIAGE_REASON_TRUNCATED;
    image_add_problem(image,
                      "Segment %u of %u (%s) has %" G_GUINT64_FORMAT
                      " bytes where the others have %" G_GUINT64_FORMAT "; the rest reads as zero.",
                      index + 1, image_files_n(files), name, size, common);
  } else if (!last && common == 0) {
    image_add_problem(
        image,
        "Segment %u of %u (%s) differs in size from the others; it may be cut, and what "
        "follows may be displaced.",
        index + 1, image_files_n(files), name);
  }
  image_know_damage(image, part.start + part.present, part.length - part.present, part.reason);
  image->info.size += part.length;
  g_array_append_val(parts, part);
}

static gboolean raw_open(Image *image, GError **error) {
  GArray *parts = g_array_new(FALSE, TRUE, sizeof(Part));
  image->state = parts;
  uint64_t common = common_size(image->files);
  for (guint i = 0; i < image_files_n(image->files); i++) {
    if (image->info.size > INT64_MAX - common - image_files_size(image->files, i))
      return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s: the segments add up to more than 2^63",
                         image_files_shown(image->files, i));
    add_part(image, parts, i, common);
  }
  return TRUE;
}

/* Reads within one file; what fails is asked for again in ever smaller pieces, so that one bad
 * sector costs no more than itself. */
static void read_file(Image *image, guint index, uint64_t in_file, uint64_t offset, uint8_t *buffer,
                      size_t n) {
  ssize_t got = image_files_pread(image->files, index, buffer, n, in_file);
  if (got >= 0) {
    if ((size_t)got < n) { /* the file has shrunk since it was opened */
      memset(buffer + got, 0, n - (size_t)got);
      image_note_damage(image, offset + (uint64_t)got, n - (size_t)got, TRIAGE_REASON_TRUNCATED);
    }
    return;
  }
  size_t piece = n > RETRY_BYTES ? RETRY_BYTES : SECTOR_BYTES;
  if (n <= SECTOR_BYTES) {
    memset(buffer, 0, n);
    image_note_damage(image, offset, n, TRIAGE_REASON_READ_ERROR);
    return;
  }
  while (n > 0) {
    size_t part = MIN(n, piece - (size_t)(in_file % piece));
    read_file(image, index, in_file, offset, buffer, part);
    in_file += part, offset += part, buffer += part, n -= part;
  }
}

static void raw_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  const GArray *parts = image->state;
  guint low = 0, high = parts->len;
  while (high - low > 1) { /* the last part that starts at or before offset */
    guint middle = low + (high - low) / 2;
    if (g_array_index(parts, Part, middle).start <= offset)
      low = middle;
    else
      high = middle;
  }
  for (; n > 0 && low < parts->len; low++) {
    const Part *part = &g_array_index(parts, Part, low);
    uint64_t at = offset - part->start;
    size_t here = at < part->present ? (size_t)MIN(n, part->present - at) : 0;
    if (here > 0)
      read_file(image, low, at, offset, buffer, here);
    at += here, offset += here, buffer += here, n -= here;
    size_t lost = at < part->length ? (size_t)MIN(n, part->length - at) : 0;
    memset(buffer, 0, lost);
    image_note_damage(image, offset, lost, part->reason);
    offset += lost, buffer += lost, n -= lost;
  }
}

static void raw_close(Image *image) {
  if (image->state != NULL)
    g_array_unref(image->state);
}

const ImageFormat IMAGE_RAW = {
    .row = {.stage = "image",
            .name = "raw",
            .title = "Raw disk image (dd)",
            .spec = "the bytes of the disk as they are",
            .library = "",
            .limitations = "no stored digest or acquisition data: damage before the copy was made "
                           "cannot be seen",
            .available = true},
    .probe = probe_always,
    .open = raw_open,
    .read = raw_read,
    .close = raw_close,
};

const ImageFormat IMAGE_SPLIT_RAW = {
    .row = {.stage = "image",
            .name = "split-raw",
            .title = "Raw disk image in segments (.001 .002, .000 .001, .aa .ab, part1 part2)",
            .spec = "the segments joined in the order of their names",
            .library = "",
            .limitations = "a missing last segment cannot be noticed: nothing says how many there "
                           "were; a missing middle one is taken to be as long as the others",
            .available = true},
    .probe = probe_never, /* chosen by the number of files */
    .open = raw_open,
    .read = raw_read,
    .close = raw_close,
};
