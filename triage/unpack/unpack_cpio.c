/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_cpio.c - cpio archives, which libarchive unpacks: it compares no sums, and steps over what
 * is no header to the next one, without a word where that is the trailer. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>

enum { NEW_BYTES = 110, OLD_BYTES = 76, BINARY_BYTES = 26, MAGIC_BYTES = 6 };

/* n digits of that base; false where they are none. */
static bool take_digits(const uint8_t *p, unsigned n, unsigned base, uint64_t *value) {
  *value = 0;
  for (unsigned i = 0; i < n; i++) {
    int digit = g_ascii_xdigit_value((char)p[i]);
    if (digit < 0 || (unsigned)digit >= base)
      return false;
    *value = *value * base + (unsigned)digit;
  }
  return true;
}

typedef struct {
  uint64_t head, name, size; /* bytes of each */
  unsigned padding;          /* name and content end at multiples of it */
} Header;

static bool read_new(const uint8_t *p, Header *header) {
  uint64_t field;
  *header = (Header){.head = NEW_BYTES, .padding = 4};
  for (unsigned at = MAGIC_BYTES; at < NEW_BYTES; at += 8)
    if (!take_digits(p + at, 8, 16, &field))
      return false;
  take_digits(p + 54, 8, 16, &header->size);
  take_digits(p + 94, 8, 16, &header->name);
  return true;
}

static bool read_old(const uint8_t *p, Header *header) {
  uint64_t field;
  *header = (Header){.head = OLD_BYTES, .padding = 1};
  for (unsigned at = MAGIC_BYTES; at + 6 <= OLD_BYTES; at += at == 48 ? 11 : 6)
    if (!take_digits(p + at, at == 48 ? 11 : 6, 8, &field))
      return false;
  return take_digits(p + 59, 6, 8, &header->name) && take_digits(p + 65, 11, 8, &header->size);
}

static bool read_binary(const uint8_t *p, Header *header) {
  bool is_little = bytes_le16(p) == 070707;
  uint32_t words[3];
  for (size_t i = 0; i < 3; i++)
    words[i] =
        is_little ? bytes_le16(p + 20 + 2 * i) : (uint32_t)p[20 + 2 * i] << 8 | p[21 + 2 * i];
  *header = (Header){.head = BINARY_BYTES,
                     .name = words[0],
                     .size = (uint64_t)words[1] << 16 | words[2],
                     .padding = 2};
  return is_little || ((uint32_t)p[0] << 8 | p[1]) == 070707;
}

/* False where no sound header lies at p. */
static bool read_header(const uint8_t *p, uint64_t left, Header *header) {
  if (left >= NEW_BYTES &&
      (memcmp(p, "070701", MAGIC_BYTES) == 0 || memcmp(p, "070702", MAGIC_BYTES) == 0))
    return read_new(p, header);
  if (left >= OLD_BYTES && memcmp(p, "070707", MAGIC_BYTES) == 0)
    return read_old(p, header);
  return left >= BINARY_BYTES && read_binary(p, header);
}

static uint64_t padded(uint64_t n, unsigned padding) {
  return (n + padding - 1) / padding * padding;
}

/* Does header follow header up to the trailer? *at: where one lacks. */
static bool is_sound(const uint8_t *data, uint64_t size, uint64_t *at) {
  static const char TRAILER[] = "TRAILER!!!";
  Header header;
  while (*at < size && read_header(data + *at, size - *at, &header)) {
    uint64_t left = size - *at;
    if (header.name > left - header.head)
      return false;
    if (header.name >= sizeof TRAILER &&
        memcmp(data + *at + header.head, TRAILER, sizeof TRAILER) == 0)
      return true;
    uint64_t n =
        padded(header.head + header.name, header.padding) + padded(header.size, header.padding);
    if (n > left)
      return false;
    *at += n;
  }
  return false;
}

void unpack_cpio_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t at = 0, size = content_size(container->content);
  bool is_afio = size >= MAGIC_BYTES && memcmp(data, "070727", MAGIC_BYTES) == 0;
  unpack_archive_open(unpack, self, container);
  if (!is_afio && !unpack->is_stopped && !is_sound(data, size, &at) && !container->is_damaged)
    unpack_damage(unpack, container, TRIAGE_REASON_CORRUPT,
                  "the cpio has no sound header at byte %" G_GUINT64_FORMAT
                  ", where one must lie: members may be missing",
                  at);
}

/* The crc variant: the sum of the member's bytes, in hexadecimal digits; 0 of links. */
bool cpio_check(const Content *archive, uint64_t at, const Content *member, GError **error) {
  enum { SUM_AT = 102, SUM_DIGITS = 8 };
  const uint8_t *data = content_data(archive);
  uint64_t wanted = 0;
  uint32_t got = 0;
  if (at > content_size(archive) || content_size(archive) - at < NEW_BYTES ||
      memcmp(data + at, "070702", MAGIC_BYTES) != 0 ||
      !take_digits(data + at + SUM_AT, SUM_DIGITS, 16, &wanted) || wanted == 0)
    return true;
  for (uint64_t i = 0; i < content_size(member); i++)
    got += content_data(member)[i];
  return got == wanted ||
         triage_fail(error, TRIAGE_REASON_BAD_CHECKSUM,
                     "the archive says sum %08x, what came out has %08x: the member is damaged; "
                     "what came out was examined",
                     (unsigned)wanted, got);
}
