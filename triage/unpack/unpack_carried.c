/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_carried.c - archives that a program (self-extracting archive, installer) or a picture
 * carries. Only headers whose checksum holds count: programs that read archives hold their magic.
 */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <string.h>
#include <zlib.h>

static bool is_rar(const uint8_t *p, uint64_t n) {
  if (n < 7 + 13 || memcmp(p, "Rar!\x1A\x07\0", 7) != 0)
    return false;
  uint16_t length = bytes_le16(p + 12);
  return p[9] == 0x73 && length >= 13 && length <= n - 7 &&
         (crc32(0, p + 9, 11) & 0xFFFF) == bytes_le16(p + 7);
}

static bool is_rar5(const uint8_t *p, uint64_t n) {
  if (n < 8 + 12 || memcmp(p, "Rar!\x1A\x07\1\0", 8) != 0 || p[12] >= 0x80)
    return false;
  uint32_t length = p[12] + 1u;
  return length <= n - 12 && crc32(0, p + 12, length) == bytes_le32(p + 8);
}

static bool is_7z(const uint8_t *p, uint64_t n) {
  return n >= 32 && probe_7z(p, n) && crc32(0, p + 12, 20) == bytes_le32(p + 8);
}

static bool is_cab(const uint8_t *p, uint64_t n) {
  return probe_cab(p, n) && p[24] == 3 && bytes_le32(p + 8) >= 36 && bytes_le32(p + 8) <= n &&
         bytes_le32(p + 12) == 0 && bytes_le32(p + 20) == 0 &&
         bytes_le32(p + 16) < bytes_le32(p + 8) && bytes_le16(p + 26) > 0;
}

static bool is_arj(const uint8_t *p, uint64_t n) {
  return probe_arj(p, n);
}

static const struct {
  const char *row;
  bool (*is_sure)(const uint8_t *p, uint64_t n); /* the magic and what follows it */
} CARRIED[] = {
    {"rar", is_rar}, {"rar5", is_rar5}, {"7zip", is_7z}, {"cab", is_cab}, {"arj", is_arj},
};

/* What their magics begin with. */
static const uint8_t BEGINNINGS[4][2] = {{'R', 'a'}, {'7', 'z'}, {'M', 'S'}, {0x60, 0xEA}};

const Unpacker *unpack_carried_here(const uint8_t *data, uint64_t size) {
  for (size_t i = 0; i < G_N_ELEMENTS(CARRIED); i++)
    if (CARRIED[i].is_sure(data, size))
      return unpack_row(CARRIED[i].row);
  return NULL;
}

bool unpack_may_carry(const uint8_t *data, uint64_t size) {
  if (size < 64)
    return false;
  return memcmp(data, "MZ", 2) == 0 ||
         memcmp(data,
                "\x7F"
                "ELF",
                4) == 0 ||
         memcmp(data, "\x89PNG", 4) == 0 || memcmp(data, "\xFF\xD8\xFF", 3) == 0 ||
         memcmp(data, "GIF8", 4) == 0 || memcmp(data, "BM", 2) == 0 ||
         memcmp(data, "%PDF-", 5) == 0;
}

/* The first place from at on, and before end, that may begin a magic; end where there is none. */
static uint64_t next_beginning(const uint8_t *data, uint64_t at, uint64_t end) {
  for (; end - at > BITS_BYTES; at += BITS_BYTES) {
    uint64_t bits = bits_pairs4(data + at, BEGINNINGS);
    if (bits != 0)
      return at + (uint64_t)__builtin_ctzll(bits);
  }
  for (; end - at > 1; at++)
    for (size_t i = 0; i < G_N_ELEMENTS(BEGINNINGS); i++)
      if (memcmp(data + at, BEGINNINGS[i], sizeof BEGINNINGS[i]) == 0)
        return at;
  return end;
}

const Unpacker *unpack_find_carried(const uint8_t *data, uint64_t size, uint64_t from,
                                    uint64_t *at) {
  for (*at = from; (*at = next_beginning(data, *at, size)) < size; (*at)++) {
    const Unpacker *row = unpack_carried_here(data + *at, size - *at);
    if (row != NULL)
      return row;
  }
  return NULL;
}
