/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rar5.c - RAR 5 archives. libarchive unpacks them; it takes encrypted members for damaged
 * ones, so the headers are looked through for encryption first. */
#include "unpack/unpack_private.h"
#include <string.h>

enum { SIGNATURE_BYTES = 8, HEADER_FILE = 2, HEADER_SERVICE = 3, HEADER_CRYPT = 4, HEADER_END = 5 };

typedef struct {
  const uint8_t *p, *end;
  bool is_bad;
} Cursor;

static uint64_t take_number(Cursor *cursor) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && cursor->p < cursor->end; shift += 7) {
    uint8_t byte = *cursor->p++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return value;
  }
  cursor->is_bad = true;
  return 0;
}

/* Does the extra area of a file's header hold an encryption record? */
static bool is_crypt_extra(Cursor extra) {
  while (extra.p < extra.end && !extra.is_bad) {
    uint64_t n = take_number(&extra);
    if (extra.is_bad || n == 0 || n > (uint64_t)(extra.end - extra.p))
      return false;
    const uint8_t *next = extra.p + n;
    if (take_number(&extra) == 1)
      return true;
    extra.p = next;
  }
  return false;
}

/* True where headers or members are encrypted. Stops at the first header that is not sound. */
static bool is_encrypted(const uint8_t *data, uint64_t size) {
  Cursor cursor = {data + MIN(size, SIGNATURE_BYTES), data + size, false};
  while (cursor.end - cursor.p > 7) {
    cursor.p += 4; /* checksum */
    uint64_t n = take_number(&cursor);
    if (cursor.is_bad || n == 0 || n > (uint64_t)(cursor.end - cursor.p))
      return false;
    Cursor header = {cursor.p, cursor.p + n, false};
    uint64_t type = take_number(&header), flags = take_number(&header);
    uint64_t n_extra = (flags & 1) != 0 ? take_number(&header) : 0;
    uint64_t n_data = (flags & 2) != 0 ? take_number(&header) : 0;
    if (header.is_bad || n_extra > n || type == HEADER_END)
      return false;
    Cursor extra = {header.end - n_extra, header.end, false};
    if (type == HEADER_CRYPT ||
        ((type == HEADER_FILE || type == HEADER_SERVICE) && is_crypt_extra(extra)))
      return true;
    if (n_data > (uint64_t)(cursor.end - header.end))
      return false;
    cursor.p = header.end + n_data;
  }
  return false;
}

void unpack_rar5_open(Unpack *unpack, const Unpacker *self, Container *container) {
  container->is_encrypted =
      is_encrypted(content_data(container->content), content_size(container->content));
  if (container->is_encrypted)
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "members of the rar5 are encrypted: decrypt it and examine the result; what is "
                  "not encrypted was unpacked");
  unpack_archive_open(unpack, self, container);
}
