/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_reach.c - how far an archive reaches of which the beginning was found among other bytes:
 * as its headers say, from one to the next. Opens nothing. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <string.h>
#include <zlib.h>

enum { SECTOR = 512, END_RECORDS = 16, END_RECORD_BYTES = 22, LOCAL_BYTES = 30 };

/* ---- zip ---- */

/* The end of the zip that begins data, by the end record that leads back to there (a zip stored in
 * it has its own). One that lost it may reach to the next whole zip. 0: no end is there. */
static uint64_t zip_end(const uint8_t *data, uint64_t size) {
  uint64_t at = 4, start, end;
  for (unsigned i = 0; i < END_RECORDS && size - at >= END_RECORD_BYTES; i++) {
    const uint8_t *found = memmem(data + at, size - at, "PK\5\6", 4);
    if (found == NULL || size - (uint64_t)(found - data) < END_RECORD_BYTES)
      break;
    at = (uint64_t)(found - data) + END_RECORD_BYTES;
    uint64_t comment = bytes_le16(found + 20);
    if (!zip_find(data, at + MIN(comment, size - at), &start, &end))
      continue;
    if (start == 0)
      return end;
    if (start % SECTOR == 0)
      return start;
  }
  return 0;
}

/* The byte behind the deflated data at at; size where it goes on there, 0 where it breaks off. */
static uint64_t deflated_end(const uint8_t *data, uint64_t size, uint64_t at) {
  enum { OUT_BYTES = 64 * 1024 };
  z_stream stream = {0};
  if (inflateInit2(&stream, -15) != Z_OK)
    return 0;
  g_autofree uint8_t *out = g_malloc(OUT_BYTES);
  stream.next_in = (Bytef *)(data + at); /* zlib's old interface: it only reads */
  stream.avail_in = (uInt)MIN(size - at, UINT32_MAX);
  int status = Z_OK;
  while (status == Z_OK && stream.total_out / LIMIT_RATIO <= LIMIT_RATIO_FROM / LIMIT_RATIO) {
    stream.next_out = out;
    stream.avail_out = OUT_BYTES;
    status = inflate(&stream, Z_NO_FLUSH);
  }
  uint64_t end = status == Z_STREAM_END                    ? at + stream.total_in
                 : status == Z_BUF_ERROR || status == Z_OK ? size
                                                           : 0;
  inflateEnd(&stream);
  return end;
}

/* Behind the member whose local header is at at; size where more bytes must tell, 0: it breaks. */
static uint64_t member_end(const uint8_t *data, uint64_t size, uint64_t at) {
  enum { DESCRIBED = 8, ENCRYPTED = 1, DEFLATED = 8, DESCRIPTOR_MOST = 24 };
  if (size - at < LOCAL_BYTES)
    return size;
  const uint8_t *p = data + at;
  unsigned flags = bytes_le16(p + 6);
  uint32_t packed = bytes_le32(p + 18);
  uint64_t from = at + LOCAL_BYTES + bytes_le16(p + 26) + bytes_le16(p + 28);
  if (from >= size)
    return size;
  if ((flags & DESCRIBED) == 0 && packed != UINT32_MAX)
    return MIN(from + packed, size);
  if (bytes_le16(p + 8) != DEFLATED || (flags & ENCRYPTED) != 0)
    return size;
  uint64_t end = deflated_end(data, size, from);
  for (uint64_t i = 0; end > 0 && i <= DESCRIPTOR_MOST && size - end > i + 4; i++)
    if (memcmp(data + end + i, "PK\3\4", 4) == 0 || memcmp(data + end + i, "PK\1\2", 4) == 0)
      return end + i;
  return end > 0 && size - end <= DESCRIPTOR_MOST + 4 ? size : 0;
}

static uint64_t zip_reach(const uint8_t *data, uint64_t size) {
  uint64_t end = zip_end(data, size), at = 0;
  if (end > 0)
    return end;
  while (size - at >= 4 && memcmp(data + at, "PK\3\4", 4) == 0) {
    uint64_t next = member_end(data, size, at);
    if (next == 0)
      return size;
    at = next;
  }
  /* Broken off where neither a member nor the directory follows. */
  return size - at < 4 || memcmp(data + at, "PK\1\2", 4) == 0 ? REACH_BEYOND : size;
}

/* ---- rar ---- */

static uint64_t rar_reach(const uint8_t *data, uint64_t size) {
  enum { MAIN = 0x73, FIRST = 0x72, LAST = 0x7B, FILE_HEAD = 0x74, SERVICE = 0x7A, HIGH_AT = 32 };
  enum { SECRET = 0x0080, HAS_DATA = 0x8000, IS_LARGE = 0x0100, LEAST = 7 };
  for (uint64_t at = LEAST; size - at >= LEAST + 4;) {
    const uint8_t *p = data + at;
    unsigned type = p[2], flags = bytes_le16(p + 3);
    uint64_t n = bytes_le16(p + 5);
    if (n < LEAST || type < FIRST || type > LAST)
      return size;
    if (type == MAIN && (flags & SECRET) != 0)
      return REACH_BEYOND;
    bool is_file = type == FILE_HEAD || type == SERVICE;
    if (is_file || (flags & HAS_DATA) != 0)
      n += bytes_le32(p + 7);
    if (is_file && (flags & IS_LARGE) != 0) {
      if (size - at < HIGH_AT + 4)
        return REACH_BEYOND;
      n += (uint64_t)bytes_le32(p + HIGH_AT) << 32;
    }
    if (type == LAST)
      return MIN(at + n, size);
    if (n > size - at)
      return REACH_BEYOND;
    at += n;
  }
  return REACH_BEYOND;
}

static uint64_t take_number(const uint8_t *data, uint64_t size, uint64_t *at) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && *at < size; shift += 7) {
    uint8_t byte = data[(*at)++];
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      break;
  }
  return value;
}

static uint64_t rar5_reach(const uint8_t *data, uint64_t size) {
  enum { MARK = 8, SUM = 4, LEAST = 16, SECRET = 4, LAST = 5, TYPES = 5, HEAD_MOST = 1 << 21 };
  for (uint64_t at = MARK; size - at >= LEAST;) {
    uint64_t p = at + SUM, n = take_number(data, size, &p);
    if (n == 0 || n > HEAD_MOST)
      return size;
    uint64_t head_end = p + n;
    if (head_end > size)
      return REACH_BEYOND;
    uint64_t type = take_number(data, head_end, &p), flags = take_number(data, head_end, &p);
    if (type == 0 || type > TYPES)
      return size;
    if ((flags & 1) != 0)
      take_number(data, head_end, &p);
    uint64_t packed = (flags & 2) != 0 ? take_number(data, head_end, &p) : 0;
    if (type == LAST)
      return head_end;
    if (type == SECRET || packed > size - head_end)
      return REACH_BEYOND;
    at = head_end + packed;
  }
  return REACH_BEYOND;
}

/* ---- OLE2 ---- */

/* By the last sector in use of its allocation table, or by all that the table has room for. */
static uint64_t ole2_reach(const uint8_t *data, uint64_t size) {
  enum { IN_HEADER = 109, FAT_AT = 76 };
  uint64_t sector = UINT64_C(1) << bytes_le16(data + 30), per_sector = sector / 4;
  uint64_t n_fat = bytes_le32(data + 44), room = (n_fat * per_sector + 1) * sector;
  if (n_fat > IN_HEADER || room > size + per_sector * sector)
    return room;
  for (uint64_t i = n_fat; i > 0; i--) {
    uint64_t at = (bytes_le32(data + FAT_AT + 4 * (i - 1)) + UINT64_C(1)) * sector;
    if (at > size || size - at < sector)
      return MIN(room, at + sector);
    for (uint64_t k = per_sector; k > 0; k--)
      if (bytes_le32(data + at + 4 * (k - 1)) != UINT32_MAX)
        return ((i - 1) * per_sector + k + 1) * sector;
  }
  return size;
}

bool unpack_ole2_begins(const uint8_t *data, uint64_t size) {
  return probe_ole2(data, size) && bytes_le16(data + 28) == 0xFFFE &&
         (bytes_le16(data + 30) == 9 || bytes_le16(data + 30) == 12) &&
         bytes_le16(data + 32) == 6 && bytes_le32(data + 44) > 0 &&
         bytes_le32(data + 44) <= UINT32_MAX / 4096;
}

bool unpack_cab_begins(const uint8_t *data, uint64_t size) {
  return probe_cab(data, size) && data[24] == 3 && bytes_le32(data + 8) >= 36 &&
         bytes_le32(data + 12) == 0 && bytes_le32(data + 20) == 0 &&
         bytes_le32(data + 16) < bytes_le32(data + 8) && bytes_le16(data + 26) > 0;
}

uint64_t unpack_reach(const Unpacker *row, const uint8_t *data, uint64_t size) {
  static const struct {
    const char *name;
    uint64_t (*reach)(const uint8_t *data, uint64_t size);
  } ROWS[] = {{"zip", zip_reach},   {"rar", rar_reach},  {"rar5", rar5_reach},
              {"ole2", ole2_reach}, {"7zip", extent_7z}, {"cab", extent_cab}};
  for (size_t i = 0; i < G_N_ELEMENTS(ROWS); i++)
    if (strcmp(row->row.name, ROWS[i].name) == 0) {
      uint64_t n = ROWS[i].reach(data, size);
      return n > 0 ? n : size;
    }
  return size;
}
