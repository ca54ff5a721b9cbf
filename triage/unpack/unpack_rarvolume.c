/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rarvolume.c - of a RAR archive in several parts: which part a file is, and whether another
 * follows. libarchive ends without a word where the next part lacks between two members. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_parts.h"
#include <string.h>
#include <zlib.h>

enum { TAIL_BYTES = 64, PADDING_MAX = 64 * 1024 };

/* Behind the last byte that is not padding. */
static uint64_t padded_end(const uint8_t *data, uint64_t size) {
  uint64_t end = size, lowest = size > PADDING_MAX ? size - PADDING_MAX : 0;
  while (end > lowest && data[end - 1] == 0)
    end--;
  return end;
}

static bool is_block_sound(const uint8_t *p, uint64_t left) {
  uint16_t length = bytes_le16(p + 5);
  return length >= 7 && length <= left &&
         (crc32(0, p + 2, (uInt)length - 2) & 0xFFFF) == bytes_le16(p);
}

static void read_old(const uint8_t *data, uint64_t size, RarVolume *volume) {
  if (size < 20 || data[9] != 0x73)
    return;
  uint16_t flags = bytes_le16(data + 10);
  volume->is_volume = (flags & 0x0001) != 0;
  volume->is_first = (flags & 0x0100) != 0;
  uint64_t end = padded_end(data, size);
  for (uint64_t at = end > TAIL_BYTES ? end - TAIL_BYTES : 7; at + 7 <= size && at < end; at++) {
    if (data[at + 2] != 0x7B || !is_block_sound(data + at, size - at))
      continue;
    volume->is_closed = true;
    volume->has_next = (bytes_le16(data + at + 3) & 0x0001) != 0;
  }
}

static uint64_t take_number(const uint8_t **p, const uint8_t *end) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && *p < end; shift += 7) {
    uint8_t byte = *(*p)++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return value;
  }
  *p = end;
  return 0;
}

static void read_new(const uint8_t *data, uint64_t size, RarVolume *volume) {
  const uint8_t *p = data + 8 + 4, *stop = data + MIN(size, 64 * KIB);
  if (size < 16)
    return;
  uint64_t length = take_number(&p, stop);
  if (length > (uint64_t)(stop - p))
    return;
  const uint8_t *end = p + length;
  uint64_t type = take_number(&p, end), flags = take_number(&p, end);
  if ((flags & 1) != 0)
    take_number(&p, end);
  uint64_t archive = type == 1 ? take_number(&p, end) : 0;
  volume->is_secret = type == 4;
  volume->is_volume = (archive & 1) != 0;
  volume->is_first = (archive & 2) == 0;
  volume->has_number = volume->is_volume;
  volume->number = (archive & 2) != 0 ? take_number(&p, end) : 0;
  /* The end header is eight bytes, its checksum among them: either of two. */
  static const uint8_t NEXT[8] = {0x8B, 0x47, 0x51, 0x26, 3, 5, 4, 1};
  static const uint8_t LAST[8] = {0x1D, 0x77, 0x56, 0x51, 3, 5, 4, 0};
  uint64_t behind = padded_end(data, size);
  if (behind >= 8 && memcmp(data + behind - 8, NEXT, 8) == 0)
    volume->is_closed = volume->has_next = true;
  else if (behind >= 7 && behind < size && memcmp(data + behind - 7, LAST, 8) == 0)
    volume->is_closed = true;
}

bool rar_volume_read(const uint8_t *data, uint64_t size, RarVolume *volume) {
  *volume = (RarVolume){0};
  if (probe_rar(data, size))
    read_old(data, size, volume);
  else if (probe_rar5(data, size))
    read_new(data, size, volume);
  else
    return false;
  return true;
}

void rar_volume_check(Unpack *unpack, Container *container) {
  RarVolume volume;
  if (!rar_volume_read(content_data(container->content), content_size(container->content),
                       &volume) ||
      !volume.is_volume)
    return;
  if (!volume.is_first)
    unpack_damage(
        unpack, container, TRIAGE_REASON_MISSING_SEGMENT,
        "a later part of a RAR archive, without the parts before it: a member that begins "
        "there was not unpacked; members that lie in this part alone were" PARTS_NAME_DIRECTORY);
  if (volume.has_next)
    unpack_damage(unpack, container, TRIAGE_REASON_MISSING_SEGMENT,
                  "the RAR archive goes on in another part that does not lie beside it: what lies "
                  "there was not unpacked" PARTS_NAME_DIRECTORY);
}
