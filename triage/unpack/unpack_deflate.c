/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_deflate.c - deflated data whose packed and unpacked sizes are known, at once. Knows no
 * container. */
#include "unpack/unpack_private.h"
#include <zlib.h>
#ifdef TRIAGE_HAVE_LIBDEFLATE
#include <libdeflate.h>

enum { RATIO_MAX = 1032 };

static bool inflate_into(Unpack *unpack, DeflateKind kind, const uint8_t *data, uint64_t size,
                         uint8_t *out, uint64_t length) {
  size_t used = 0, made = 0;
  if (unpack->inflater == NULL)
    unpack->inflater = libdeflate_alloc_decompressor();
  if (unpack->inflater == NULL)
    return false;
  enum libdeflate_result result =
      kind == DEFLATE_GZIP
          ? libdeflate_gzip_decompress_ex(unpack->inflater, data, size, out, length, &used, &made)
          : libdeflate_deflate_decompress_ex(unpack->inflater, data, size, out, length, &used,
                                             &made);
  return result == LIBDEFLATE_SUCCESS && used == size && made == length;
}

bool unpack_inflate_at_once(Unpack *unpack, DeflateKind kind, const uint8_t *data, uint64_t size,
                            uint64_t length, Intake *intake) {
  if (size > LIMIT_AT_ONCE_BYTES || length > LIMIT_AT_ONCE_BYTES || length > size * RATIO_MAX ||
      !intake_has_room(intake, length))
    return false;
  uint8_t *out = intake_room(intake, length);
  if (out != NULL) {
    bool is_whole = inflate_into(unpack, kind, data, size, out, length);
    intake_filled(intake, is_whole ? length : 0);
    return is_whole;
  }
  g_autofree uint8_t *buffer = g_try_malloc(length);
  return buffer != NULL && inflate_into(unpack, kind, data, size, buffer, length) &&
         intake_append(intake, buffer, length, NULL);
}

uint32_t unpack_crc32(const uint8_t *data, uint64_t size) {
  return libdeflate_crc32(0, data, size);
}

void unpack_inflater_free(Unpack *unpack) {
  libdeflate_free_decompressor(unpack->inflater);
  unpack->inflater = NULL;
}
#else
bool unpack_inflate_at_once(Unpack *unpack, DeflateKind kind, const uint8_t *data, uint64_t size,
                            uint64_t length, Intake *intake) {
  (void)unpack, (void)kind, (void)data, (void)size, (void)length, (void)intake;
  return false;
}

uint32_t unpack_crc32(const uint8_t *data, uint64_t size) {
  return (uint32_t)crc32_z(0, data, size);
}

void unpack_inflater_free(Unpack *unpack) {
  (void)unpack;
}
#endif
