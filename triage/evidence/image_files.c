/* SPDX-License-Identifier: Apache-2.0 */
/* image_files.c - the files an image consists of, opened read-only, few at a time: a set of
 * thousands of segments must not use up the descriptors. Knows no formats. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/image_format.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const char *name; /* NULL: a hole in the set */
  char *shown;
  uint64_t size;
  uint64_t used; /* clock of the last use */
  int fd;
  bool present;
} File;

struct _ImageFiles {
  GArray *files; /* File */
  uint64_t clock;
  guint n_open;
  Content *content; /* of the only file; NULL: files are files */
};

static File *file_at(const ImageFiles *files, guint index) {
  return &g_array_index(files->files, File, index);
}

static void close_oldest(ImageFiles *files) {
  File *oldest = NULL;
  for (guint i = 0; i < files->files->len; i++) {
    File *file = file_at(files, i);
    if (file->fd >= 0 && (oldest == NULL || file->used < oldest->used))
      oldest = file;
  }
  if (oldest == NULL)
    return;
  io_auto_close(&oldest->fd);
  files->n_open--;
}

static gboolean file_open(ImageFiles *files, File *file, GError **error) {
  file->used = ++files->clock;
  if (file->fd >= 0)
    return TRUE;
  if (files->n_open >= LIMIT_IMAGE_OPEN_FILES)
    close_oldest(files);
  file->fd = io_open_read(file->name, error);
  if (file->fd < 0)
    return FALSE;
  files->n_open++;
  return TRUE;
}

/* The size of a regular file or block device; anything else (fifo, terminal, folder) is no image.
 */
static gboolean file_measure(File *file, GError **error) {
  struct stat status;
  off_t end = -1;
  if (fstat(file->fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)))
    end = lseek(file->fd, 0, SEEK_END);
  if (end < 0)
    return triage_fail(error, TRIAGE_REASON_UNREADABLE,
                       "%s: is neither a regular file nor a block device", file->shown);
  file->size = (uint64_t)end;
  file->present = true;
  return TRUE;
}

static char *shown_name(const char *name) {
  const char *slash = strrchr(name, '/');
  const char *base = slash != NULL ? slash + 1 : name;
  return text_printable(base, strlen(base));
}

ImageFiles *image_files_new(const GPtrArray *names, GError **error) {
  g_autoptr(ImageFiles) files = g_new0(ImageFiles, 1);
  files->files = g_array_new(FALSE, TRUE, sizeof(File));
  g_autoptr(GError) first_error = NULL;
  guint n_present = 0;
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index(names, i);
    File added = {.name = name, .fd = -1};
    added.shown = name != NULL ? shown_name(name) : g_strdup("(missing segment)");
    g_array_append_val(files->files, added);
    File *file = file_at(files, i);
    if (name == NULL)
      continue;
    GError **failure = first_error == NULL ? &first_error : NULL;
    if (file_open(files, file, failure) && file_measure(file, failure))
      n_present++;
  }
  if (n_present > 0)
    return g_steal_pointer(&files);
  if (first_error != NULL)
    g_propagate_error(error, g_steal_pointer(&first_error));
  else
    triage_fail(error, TRIAGE_REASON_USAGE, "No file of the image was named");
  return NULL;
}

ImageFiles *image_files_new_content(Content *content, const char *shown) {
  ImageFiles *files = g_new0(ImageFiles, 1);
  files->files = g_array_new(FALSE, TRUE, sizeof(File));
  files->content = content_ref(content);
  File file = {.name = "",
               .shown = g_strdup(shown),
               .size = content_size(content),
               .fd = -1,
               .present = true};
  g_array_append_val(files->files, file);
  return files;
}

Content *image_files_content(const ImageFiles *files) {
  return files->content;
}

void image_files_free(ImageFiles *files) {
  if (files == NULL)
    return;
  for (guint i = 0; i < files->files->len; i++) {
    io_auto_close(&file_at(files, i)->fd);
    g_free(file_at(files, i)->shown);
  }
  g_array_unref(files->files);
  g_clear_pointer(&files->content, content_unref);
  g_free(files);
}

guint image_files_n(const ImageFiles *files) {
  return files->files->len;
}

bool image_files_present(const ImageFiles *files, guint index) {
  return file_at(files, index)->present;
}

uint64_t image_files_size(const ImageFiles *files, guint index) {
  return file_at(files, index)->size;
}

const char *image_files_shown(const ImageFiles *files, guint index) {
  return file_at(files, index)->shown;
}

TriageReason image_files_reason(const ImageFiles *files, guint index) {
  return file_at(files, index)->name == NULL ? TRIAGE_REASON_MISSING_SEGMENT
                                             : TRIAGE_REASON_READ_ERROR;
}

ssize_t image_files_pread(ImageFiles *files, guint index, void *buffer, size_t n, uint64_t offset) {
  File *file = file_at(files, index);
  if (files->content != NULL) {
    size_t take = offset < file->size ? (size_t)MIN((uint64_t)n, file->size - offset) : 0;
    if (take > 0)
      memcpy(buffer, content_data(files->content) + offset, take);
    return (ssize_t)take;
  }
  if (!file->present || !file_open(files, file, NULL)) {
    errno = EIO;
    return -1;
  }
  if (offset > INT64_MAX - n)
    return 0;
  return io_pread(file->fd, buffer, n, offset);
}
