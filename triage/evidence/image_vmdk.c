/* SPDX-License-Identifier: Apache-2.0 */
/* image_vmdk.c - VMware virtual disk (VMDK), read through libvmdk: one sparse file, or a text
 * descriptor with extent files beside it. The descriptor is evidence: an extent it names is opened
 * only where it is one of the segments. */
#include "base/text.h"
#include "evidence/image_format.h"
#include <libvmdk.h>
#include <string.h>

static bool vmdk_probe(const ImagePeek *peek) {
  return peek->n_head >= 21 &&
         (memcmp(peek->head, "KDMV", 4) == 0 || memcmp(peek->head, "COWD", 4) == 0 ||
          memcmp(peek->head, "# Disk DescriptorFile", 21) == 0);
}

static gboolean vmdk_fail(Image *image, GError **error, libvmdk_error_t **failure,
                          const char *what) {
  char text[1024] = "";
  libvmdk_error_sprint(*failure, text, sizeof text);
  libvmdk_error_free(failure);
  g_autofree char *detail = image_yal_text(text);
  return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s: the VMDK cannot be read (%s: %s)",
                     image_files_shown(image->files, 0), what, detail);
}

static bool is_segment(const Image *image, const char *name) {
  for (guint i = 0; i < image->names->len; i++) {
    const char *path = g_ptr_array_index(image->names, i);
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path != NULL && strcmp(slash != NULL ? slash + 1 : path, name) == 0)
      return image_files_present(image->files, i);
  }
  return false;
}

static gboolean extent_check(Image *image, libvmdk_extent_descriptor_t *extent, GError **error) {
  char name[4096] = "";
  int type = 0;
  size_t n = 0;
  const char *shown = image_files_shown(image->files, 0);
  libvmdk_extent_descriptor_get_type(extent, &type, NULL);
  if (type == LIBVMDK_EXTENT_TYPE_ZERO)
    return TRUE;
  if (libvmdk_extent_descriptor_get_utf8_filename_size(extent, &n, NULL) != 1 || n == 0 ||
      n > sizeof name ||
      libvmdk_extent_descriptor_get_utf8_filename(extent, (uint8_t *)name, n, NULL) != 1)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "%s: the descriptor names an extent without a usable file name", shown);
  if (is_segment(image, name))
    return TRUE;
  g_autofree char *printable = text_printable(name, strlen(name));
  return triage_fail(
      error, TRIAGE_REASON_MISSING_SEGMENT,
      "%s: the extent file %s named in the descriptor is not beside it; put all files "
      "of the disk into one folder under their own names",
      shown, printable);
}

static gboolean extents_check(Image *image, libvmdk_handle_t *handle, GError **error) {
  libvmdk_error_t *failure = NULL;
  int n = 0;
  if (libvmdk_handle_get_number_of_extents(handle, &n, &failure) != 1)
    return vmdk_fail(image, error, &failure, "extents");
  for (int i = 0; i < n; i++) {
    libvmdk_extent_descriptor_t *extent = NULL;
    if (libvmdk_handle_get_extent_descriptor(handle, i, &extent, &failure) != 1)
      return vmdk_fail(image, error, &failure, "extent");
    gboolean good = extent_check(image, extent, error);
    libvmdk_extent_descriptor_free(&extent, NULL);
    if (!good)
      return FALSE;
  }
  return TRUE;
}

static gboolean parent_check(Image *image, libvmdk_handle_t *handle, GError **error) {
  uint32_t parent = UINT32_MAX;
  if (libvmdk_handle_get_parent_content_identifier(handle, &parent, NULL) == 1 &&
      parent != UINT32_MAX)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: is a snapshot that holds only what has changed since its parent disk; "
                       "merge it with the parent and examine the result",
                       image_files_shown(image->files, 0));
  return TRUE;
}

static gboolean vmdk_open(Image *image, GError **error) {
  libvmdk_handle_t *handle = NULL;
  libvmdk_error_t *failure = NULL;
  size64_t size = 0;
  if (image_files_content(image->files) != NULL)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: a VMDK inside another object cannot be opened; name it as evidence of "
                       "its own",
                       image_files_shown(image->files, 0));
  if (libvmdk_handle_initialize(&handle, &failure) != 1)
    return vmdk_fail(image, error, &failure, "start");
  image->state = handle;
  if (libvmdk_handle_open(handle, g_ptr_array_index(image->names, 0), LIBVMDK_OPEN_READ,
                          &failure) != 1)
    return vmdk_fail(image, error, &failure, "open");
  if (!parent_check(image, handle, error) || !extents_check(image, handle, error))
    return FALSE;
  if (libvmdk_handle_open_extent_data_files(handle, &failure) != 1)
    return vmdk_fail(image, error, &failure, "extent files");
  if (libvmdk_handle_get_media_size(handle, &size, &failure) != 1)
    return vmdk_fail(image, error, &failure, "size");
  if (size > INT64_MAX)
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s: claims more than 2^63 bytes",
                       image_files_shown(image->files, 0));
  image->info.size = size;
  return TRUE;
}

static ssize_t vmdk_read_at(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  libvmdk_error_t *failure = NULL;
  ssize_t got = libvmdk_handle_read_buffer_at_offset(handle, buffer, n, (off64_t)offset, &failure);
  libvmdk_error_free(&failure);
  return got;
}

static void vmdk_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  image_yal_read(image, vmdk_read_at, image->state, offset, buffer, n);
}

static void vmdk_close(Image *image) {
  libvmdk_handle_t *handle = image->state;
  if (handle == NULL)
    return;
  libvmdk_handle_close(handle, NULL);
  libvmdk_handle_free(&handle, NULL);
}

const ImageFormat IMAGE_VMDK = {
    .row = {.stage = "image",
            .name = "vmdk",
            .title = "VMware virtual disk (VMDK)",
            .spec = "VMware Virtual Disk Format 5.0",
            .library = "libvmdk",
            .limitations = "a snapshot is refused: its parent is not looked for; extent files must "
                           "lie beside the descriptor under their own names",
            .available = true},
    .probe = vmdk_probe,
    .open = vmdk_open,
    .read = vmdk_read,
    .close = vmdk_close,
};
