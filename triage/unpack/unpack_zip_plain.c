/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zip_plain.c - the content of a zip's member of which nothing is in doubt: in a third of
 * the time libarchive takes. All others are libarchive's, and what it says of them counts. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>

enum {
  LOCAL_BYTES = 30,
  DESCRIPTOR_BYTES = 16,
  STORED = 0,
  DEFLATED = 8,
  FLAG_DESCRIPTOR = 0x8,
  FLAGS_KNOWN = 0x80E /* how well it was packed, a descriptor behind it, a name in UTF-8 */
};

/* CRC, packed size and size, as they follow one another in every header. */
static bool has_numbers(const uint8_t *p, const ZipPlain *plain) {
  return bytes_le32(p) == plain->crc && bytes_le32(p + 4) == plain->packed &&
         bytes_le32(p + 8) == plain->size;
}

/* A writer that did not know them yet leaves zeros and writes them behind the data. */
static bool has_descriptor(const ZipPlain *plain, const uint8_t *end, uint64_t left) {
  static const uint8_t ZEROS[12];
  const uint8_t *numbers = plain->local + 14;
  return left >= DESCRIPTOR_BYTES && memcmp(end, "PK\7\10", 4) == 0 &&
         has_numbers(end + 4, plain) &&
         (memcmp(numbers, ZEROS, sizeof ZEROS) == 0 || has_numbers(numbers, plain));
}

/* The packed bytes; NULL where the headers leave anything open. */
static const uint8_t *packed_bytes(const ZipPlain *plain) {
  const uint8_t *p = plain->local;
  if (plain->left < LOCAL_BYTES || memcmp(p, "PK\3\4", 4) != 0 ||
      bytes_le16(p + 6) != plain->flags || (plain->flags & ~FLAGS_KNOWN) != 0 ||
      bytes_le16(p + 8) != plain->method || plain->packed >= UINT32_MAX ||
      plain->size >= UINT32_MAX)
    return NULL;
  uint64_t head = LOCAL_BYTES + (uint64_t)bytes_le16(p + 26) + bytes_le16(p + 28);
  if (head > plain->left || plain->packed > plain->left - head)
    return NULL;
  bool is_sure =
      (plain->flags & FLAG_DESCRIPTOR) == 0
          ? has_numbers(p + 14, plain)
          : plain->method == DEFLATED &&
                has_descriptor(plain, p + head + plain->packed, plain->left - head - plain->packed);
  return is_sure ? p + head : NULL;
}

static bool take(Unpack *unpack, const ZipPlain *plain, const uint8_t *packed, Intake *intake) {
  if (plain->method == DEFLATED)
    return unpack_inflate_at_once(unpack, DEFLATE_RAW, packed, plain->packed, plain->size, intake);
  return plain->method == STORED && plain->packed == plain->size &&
         intake_has_room(intake, plain->size) && intake_append(intake, packed, plain->size, NULL);
}

Content *unpack_zip_plain(Unpack *unpack, Container *container, const ZipPlain *plain) {
  const uint8_t *packed = packed_bytes(plain);
  if (packed == NULL)
    return NULL;
  uint64_t expanded = unpack->expanded, is_free = container->free_bytes;
  Intake intake;
  intake_init(&intake, unpack, container);
  bool is_in = take(unpack, plain, packed, &intake);
  g_autoptr(Content) content = intake_finish(&intake, NULL);
  if (is_in && content != NULL &&
      unpack_crc32(content_data(content), content_size(content)) == plain->crc) {
    unpack_alive(unpack, plain->packed + plain->size);
    return g_steal_pointer(&content);
  }
  unpack->expanded = expanded; /* it is asked for again, and paid then */
  container->free_bytes = is_free;
  return NULL;
}
