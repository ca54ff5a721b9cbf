/* SPDX-License-Identifier: Apache-2.0 */
/* image_vhd.c - Virtual PC / Hyper-V virtual hard disks (VHD, VHDX), read through libvhdi. A fixed
 * VHD is a raw disk with 512 bytes behind it, and often called .dd: the footer is looked for at the
 * end. */
#include "evidence/image_format.h"
#define HAVE_LIBBFIO 1 /* libvhdi's header then declares how to open a libbfio handle */
#include <libbfio.h>
#include <libvhdi.h>
#include <string.h>

enum { VHD_FOOTER = 512, VHD_FIXED = 2, VHD_DIFFERENTIAL = 4 };

static const uint8_t *start_copy(const ImagePeek *peek) {
  return peek->n_head >= VHD_FOOTER && memcmp(peek->head, "conectix", 8) == 0 ? peek->head : NULL;
}

/* The footer's own checksum: the one's complement of the sum of its bytes without itself. */
static bool footer_holds(const uint8_t *footer) {
  uint32_t sum = 0;
  for (int i = 0; i < VHD_FOOTER; i++)
    if (i < 64 || i >= 68)
      sum += footer[i];
  return ~sum == image_be32(footer + 64);
}

static const uint8_t *end_copy(const ImagePeek *peek) {
  if (peek->n_tail < VHD_FOOTER)
    return NULL;
  const uint8_t *footer = peek->tail + peek->n_tail - VHD_FOOTER;
  return memcmp(footer, "conectix", 8) == 0 && footer_holds(footer) ? footer : NULL;
}

static bool vhd_probe(const ImagePeek *peek) {
  return start_copy(peek) != NULL || end_copy(peek) != NULL;
}

static const char *kind_of(const Image *image) {
  return image->format == &IMAGE_VHDX ? "VHDX" : "VHD";
}

static gboolean vhd_fail(Image *image, GError **error, libvhdi_error_t **failure,
                         const char *what) {
  char text[1024] = "";
  libvhdi_error_sprint(*failure, text, sizeof text);
  libvhdi_error_free(failure);
  g_autofree char *detail = image_yal_text(text);
  return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s: the %s cannot be read (%s: %s)",
                     image_files_shown(image->files, 0), kind_of(image), what, detail);
}

static gboolean vhd_describe(Image *image, libvhdi_file_t *file, GError **error) {
  libvhdi_error_t *failure = NULL;
  size64_t size = 0;
  uint32_t type = 0, sector = 0;
  if (libvhdi_file_get_media_size(file, &size, &failure) != 1)
    return vhd_fail(image, error, &failure, "size");
  if (libvhdi_file_get_disk_type(file, &type, &failure) != 1)
    return vhd_fail(image, error, &failure, "type");
  if (size > INT64_MAX)
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s: claims more than 2^63 bytes",
                       image_files_shown(image->files, 0));
  if (type == VHD_DIFFERENTIAL)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: is a differencing %s that holds only what has changed since its "
                       "parent; merge it with the parent and examine the result",
                       image_files_shown(image->files, 0), kind_of(image));
  if (libvhdi_file_get_bytes_per_sector(file, &sector, &failure) == 1 && sector >= 512)
    image->info.sector_bytes = sector;
  else
    libvhdi_error_free(&failure);
  image->info.size = size;
  const char *kind = type == VHD_FIXED ? "fixed" : "dynamic";
  image_add_property(image, "Disk type", kind, strlen(kind));
  return TRUE;
}

/* From its file, or from the content it is inside another object. */
static bool vhd_open_file(Image *image, libvhdi_file_t *file, libvhdi_error_t **failure) {
  Content *content = image_files_content(image->files);
  if (content == NULL)
    return libvhdi_file_open(file, g_ptr_array_index(image->names, 0), LIBVHDI_OPEN_READ,
                             failure) == 1;
  libbfio_handle_t *memory = NULL;
  /* The range is only read: the handle is opened for nothing else. */
  bool ok = libbfio_memory_range_initialize(&memory, failure) == 1 &&
            libbfio_memory_range_set(memory, (uint8_t *)content_data(content),
                                     (size_t)content_size(content), failure) == 1 &&
            libvhdi_file_open_file_io_handle(file, memory, LIBVHDI_OPEN_READ, failure) == 1;
  image->memory = memory;
  return ok;
}

static gboolean vhd_open(Image *image, GError **error) {
  uint8_t start[8], magic[8] = "conectix";
  uint64_t file_size = image_files_size(image->files, 0);
  if (image_files_n(image->files) != 1)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: a %s in several files cannot be read; join them first",
                       image_files_shown(image->files, 0), kind_of(image));
  libvhdi_file_t *file = NULL;
  libvhdi_error_t *failure = NULL;
  if (libvhdi_file_initialize(&file, &failure) != 1)
    return vhd_fail(image, error, &failure, "start");
  image->state = file;
  if (!vhd_open_file(image, file, &failure)) {
    bool dynamic =
        image_files_pread(image->files, 0, start, 8, 0) == 8 && memcmp(start, magic, 8) == 0;
    bool footer = file_size >= VHD_FOOTER &&
                  image_files_pread(image->files, 0, start, 8, file_size - VHD_FOOTER) == 8 &&
                  memcmp(start, magic, 8) == 0;
    if (dynamic && !footer) {
      libvhdi_error_free(&failure);
      return triage_fail(error, TRIAGE_REASON_TRUNCATED,
                         "%s: is a dynamic VHD whose end is missing (no footer in the last 512 of "
                         "its %" G_GUINT64_FORMAT " bytes); get a complete copy",
                         image_files_shown(image->files, 0), file_size);
    }
    return vhd_fail(image, error, &failure, "open");
  }
  return vhd_describe(image, file, error);
}

static ssize_t vhd_read_at(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  libvhdi_error_t *failure = NULL;
  ssize_t got = libvhdi_file_read_buffer_at_offset(handle, buffer, n, (off64_t)offset, &failure);
  libvhdi_error_free(&failure);
  return got;
}

static void vhd_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  image_yal_read(image, vhd_read_at, image->state, offset, buffer, n);
}

static void vhd_close(Image *image) {
  libvhdi_file_t *file = image->state;
  if (file == NULL)
    return;
  libvhdi_file_close(file, NULL);
  libvhdi_file_free(&file, NULL);
  libbfio_handle_t *memory = image->memory;
  if (memory != NULL)
    libbfio_handle_free(&memory, NULL);
  image->memory = NULL;
}

/* ---- VHDX ---- */

enum {
  VHDX_HEADER = 64,
  VHDX_FIRST = 65536,
  VHDX_SECOND = 131072,
  VHDX_SEQUENCE = 8,
  VHDX_LOG = 48
};

static bool vhdx_probe(const ImagePeek *peek) {
  return peek->n_head >= 8 && memcmp(peek->head, "vhdxfile", 8) == 0;
}

/* The newer of the two headers; false where there is none. */
static bool vhdx_header(Image *image, uint8_t header[VHDX_HEADER]) {
  static const uint64_t PLACES[] = {VHDX_FIRST, VHDX_SECOND};
  bool any = false;
  for (gsize i = 0; i < G_N_ELEMENTS(PLACES); i++) {
    uint8_t found[VHDX_HEADER];
    if (image_files_pread(image->files, 0, found, sizeof found, PLACES[i]) !=
            (ssize_t)sizeof found ||
        memcmp(found, "head", 4) != 0 ||
        (any && image_le64(found + VHDX_SEQUENCE) <= image_le64(header + VHDX_SEQUENCE)))
      continue;
    memcpy(header, found, sizeof found);
    any = true;
  }
  return any;
}

static gboolean vhdx_open(Image *image, GError **error) {
  static const uint8_t NO_LOG[16] = {0};
  uint8_t header[VHDX_HEADER];
  if (vhdx_header(image, header) && memcmp(header + VHDX_LOG, NO_LOG, sizeof NO_LOG) != 0)
    image_add_problem(image,
                      "%s: was not closed properly: its log holds changes that are not played "
                      "back, so parts of the disk may be older than they were.",
                      image_files_shown(image->files, 0));
  return vhd_open(image, error);
}

const ImageFormat IMAGE_VHDX = {
    .row = {.stage = "image",
            .name = "vhdx",
            .title = "Hyper-V virtual hard disk (VHDX, fixed and dynamic)",
            .spec = "MS-VHDX",
            .library = "libvhdi",
            .limitations = "a differencing disk is refused: its parent is not looked for; the log "
                           "of one not closed properly is not played back, which is said",
            .available = true},
    .probe = vhdx_probe,
    .open = vhdx_open,
    .read = vhd_read,
    .close = vhd_close,
};

const ImageFormat IMAGE_VHD = {
    .row = {.stage = "image",
            .name = "vhd",
            .title = "Virtual hard disk (VHD, fixed and dynamic)",
            .spec = "Microsoft Virtual Hard Disk Image Format Specification",
            .library = "libvhdi",
            .limitations = "a differencing disk is refused: its parent is not looked for",
            .available = true},
    .probe = vhd_probe,
    .open = vhd_open,
    .read = vhd_read,
    .close = vhd_close,
};
