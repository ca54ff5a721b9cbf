/* SPDX-License-Identifier: Apache-2.0 */
/* image_format.h - private to image*.c: one const row per image format, and what the formats share
 * (the segment files, the damage lists, the texts). Knows nothing of volumes. */
#pragma once
#include "evidence/damage.h"
#include "evidence/image.h"
#include <stdbool.h>
#include <sys/types.h>

/* The files of an image by number, opened read-only on demand, few at a time. */
typedef struct _ImageFiles ImageFiles;
/* Looks at every file once. A name that is NULL or cannot be opened is absent; fails only where no
 * file at all is present. The names must outlive the files. (transfer full) */
ImageFiles *image_files_new(const GPtrArray *names, GError **error);
/* One file that is content already (an image inside an object). Keeps a reference. (transfer full)
 */
ImageFiles *image_files_new_content(Content *content, const char *shown);
/* The content of such a file, NULL where the files are files. (transfer none) */
Content *image_files_content(const ImageFiles *files);
void image_files_free(ImageFiles *files);
guint image_files_n(const ImageFiles *files);
bool image_files_present(const ImageFiles *files, guint index);
uint64_t image_files_size(const ImageFiles *files, guint index); /* 0 where absent */
/* Printable name of the file without its folders. (transfer none) */
const char *image_files_shown(const ImageFiles *files, guint index);
/* The reason an absent file is absent: missing-segment, or read-error where it is there but cannot
 * be opened. */
TriageReason image_files_reason(const ImageFiles *files, guint index);
/* As io_pread; -1 with errno where the file cannot be opened. */
ssize_t image_files_pread(ImageFiles *files, guint index, void *buffer, size_t n, uint64_t offset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageFiles, image_files_free)

/* What a probe may look at: the first and the last bytes of the first file that is present. */
enum { IMAGE_PEEK_BYTES = 65536, IMAGE_PEEK_TAIL = 1024 };
typedef struct {
  uint8_t head[IMAGE_PEEK_BYTES];
  size_t n_head;
  uint8_t tail[IMAGE_PEEK_TAIL];
  size_t n_tail;
  uint64_t size;
} ImagePeek;

typedef struct {
  Row row;
  /* True where the content is this format. */
  bool (*probe)(const ImagePeek *peek);
  /* Fills image->info and image->state. NULL: the format is known but not supported. */
  gboolean (*open)(Image *image, GError **error);
  /* Fills n bytes within the media (the caller has clipped them); notes damage. */
  void (*read)(Image *image, uint64_t offset, uint8_t *buffer, size_t n);
  void (*close)(Image *image);
  /* The raw bytes are worth reading where open fails: the probe is not certain. */
  bool raw_if_open_fails;
} ImageFormat;

struct _Image {
  const ImageFormat *format;
  GPtrArray *names;  /* char* or NULL, as handed to image_open */
  ImageFiles *files; /* over names */
  ImageInfo info;
  void *state;       /* the format's own */
  void *memory;      /* a library's handle over the content, where it needs one */
  DamageList recent; /* since the last reset */
  DamageList all;    /* known up front, and met so far */
  bool is_passing;   /* the read at hand: see image_read_passing */
  uint64_t n_chunks_read;
  ImageShared shared; /* NULL: none */
  void *shared_user;
};

extern const ImageFormat IMAGE_AFF, IMAGE_EWF, IMAGE_VHD, IMAGE_VHDX, IMAGE_VMDK, IMAGE_QCOW,
    IMAGE_RAW, IMAGE_SPLIT_RAW;

/* Damage met by a read: recorded as recent and as known. */
void image_note_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason);
/* What a read met that is not the container's fault: recorded as recent alone. */
void image_tell_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason);
/* Damage known without a read. */
void image_know_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason);
/* As ImageShared; false where nothing is shared. */
bool image_take_shared(Image *image, uint64_t offset, uint8_t *buffer, size_t n);
/* Adds a sentence to info.problems (at most LIMIT_IMAGE_PROBLEMS; the last says that more follow).
 */
void image_add_problem(Image *image, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Adds a property; value is n bytes of evidence made printable; empty values are left out. */
void image_add_property(Image *image, const char *name, const void *value, size_t n);
void image_add_property_number(Image *image, const char *name, uint64_t value);

/* The first line of a libyal error text made printable and short (transfer full). */
char *image_yal_text(const char *text);
/* Reads through a libyal handle: read(handle, buffer, n, offset) returns the bytes read, or -1;
 * what it refuses is asked for again in smaller pieces, and noted as damage where that fails too.
 */
typedef ssize_t (*ImageYalRead)(void *handle, uint8_t *buffer, size_t n, uint64_t offset);
void image_yal_read(Image *image, ImageYalRead read, void *handle, uint64_t offset, uint8_t *buffer,
                    size_t n);

static inline uint16_t image_le16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t image_le32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t image_le64(const uint8_t *p) {
  return (uint64_t)image_le32(p) | (uint64_t)image_le32(p + 4) << 32;
}
static inline uint16_t image_be16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t image_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline uint64_t image_be64(const uint8_t *p) {
  return (uint64_t)image_be32(p) << 32 | (uint64_t)image_be32(p + 4);
}
