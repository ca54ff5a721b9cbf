/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_bfio.c - see unpack_bfio.h. */
#include "unpack/unpack_bfio.h"
#include <string.h>

static ssize_t source_read(intptr_t *handle, uint8_t *buffer, size_t size,
                           libbfio_error_t **error) {
  BfioSource *source = (BfioSource *)(void *)handle;
  (void)error;
  uint64_t n = source->position < source->size ? source->size - source->position : 0;
  n = MIN(n, size);
  if (n > source->left)
    return -1;
  source->left -= n;
  memcpy(buffer, source->data + (n > 0 ? source->position : 0), (size_t)n);
  source->position += n;
  if (source->position > source->told) {
    uint64_t fresh = source->position - source->told;
    source->told = source->position;
    if (!unpack_alive(source->unpack, fresh))
      return -1;
  }
  return (ssize_t)n;
}

static off64_t source_seek(intptr_t *handle, off64_t offset, int whence, libbfio_error_t **error) {
  BfioSource *source = (BfioSource *)(void *)handle;
  int64_t base = whence == SEEK_SET   ? 0
                 : whence == SEEK_CUR ? (int64_t)source->position
                                      : (int64_t)source->size,
          target;
  (void)error;
  if (source->unpack->is_stopped || __builtin_add_overflow(base, (int64_t)offset, &target) ||
      target < 0)
    return -1;
  source->position = (uint64_t)target;
  return target;
}

static int source_open(intptr_t *handle, int flags, libbfio_error_t **error) {
  (void)handle;
  (void)error;
  return (flags & LIBBFIO_ACCESS_FLAG_WRITE) == 0 ? 1 : -1;
}

static int source_yes(intptr_t *handle, libbfio_error_t **error) {
  (void)handle;
  (void)error;
  return 1;
}

static int source_close(intptr_t *handle, libbfio_error_t **error) {
  (void)handle;
  (void)error;
  return 0;
}

static int source_size(intptr_t *handle, size64_t *size, libbfio_error_t **error) {
  (void)error;
  *size = ((BfioSource *)(void *)handle)->size;
  return 1;
}

bool bfio_source_open(BfioSource *source, Unpack *unpack, Content *content, uint64_t reads,
                      libbfio_handle_t **handle, libbfio_error_t **error) {
  uint64_t size = content_size(content);
  *source = (BfioSource){.unpack = unpack,
                         .data = content_data(content),
                         .size = size,
                         .left = MAX(size, MIB) * reads};
  return libbfio_handle_initialize(
             handle, (intptr_t *)(void *)source, NULL, NULL, source_open, source_close, source_read,
             NULL, source_seek, source_yes, source_yes, source_size,
             LIBBFIO_FLAG_IO_HANDLE_NON_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_REFERENCE,
             error) == 1;
}
