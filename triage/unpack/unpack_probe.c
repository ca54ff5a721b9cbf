/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_probe.c - probes of the containers that are opened. A magic of less than four bytes is
 * backed by checks of the header's fields, so that plain files are not taken for archives. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include <string.h>
#include <zlib.h>

static bool has(const uint8_t *data, uint64_t size, uint64_t at, const char *magic, size_t n) {
  return size >= n && at <= size - n && memcmp(data + at, magic, n) == 0;
}

bool probe_zip(const uint8_t *data, uint64_t size) {
  if (size < 22)
    return false;
  return has(data, size, 0, "PK\3\4", 4) || has(data, size, 0, "PK\5\6", 4) ||
         has(data, size, 0, "PK\7\10PK\3\4", 8) || has(data, size, 0, "PK00PK\3\4", 8);
}

bool probe_7z(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "7z\xBC\xAF\x27\x1C", 6);
}

/* An octal or blank field of a tar header; base-256 numbers count as fine. */
static bool is_octal(const uint8_t *p, unsigned n) {
  bool is_any = false;
  if ((p[0] & 0x80) != 0)
    return true;
  for (unsigned i = 0; i < n; i++) {
    if (p[i] >= '0' && p[i] <= '7')
      is_any = true;
    else if (p[i] != ' ' && p[i] != 0)
      return false;
  }
  return is_any;
}

static bool is_tar_checksum(const uint8_t *data) {
  uint32_t stored = 0;
  uint32_t sum = 8 * ' ';
  int32_t signed_sum = 8 * ' ';
  bool is_any = false;
  for (unsigned i = 148; i < 156; i++) {
    if (data[i] >= '0' && data[i] <= '7') {
      stored = stored * 8 + (data[i] - '0');
      is_any = true;
    } else if (is_any || data[i] != ' ') {
      break;
    }
  }
  for (unsigned i = 0; i < 512; i++) {
    if (i >= 148 && i < 156)
      continue;
    sum += data[i];
    signed_sum += (int8_t)data[i];
  }
  return is_any && (stored == sum || (int32_t)stored == signed_sum);
}

uint64_t extent_7z(const uint8_t *data, uint64_t size) {
  uint64_t end;
  if (size < 32 || __builtin_add_overflow(bytes_le64(data + 12), bytes_le64(data + 20), &end) ||
      __builtin_add_overflow(end, 32, &end))
    return 0;
  return end;
}

bool probe_tar(const uint8_t *data, uint64_t size) {
  if (size < 512)
    return false;
  if (has(data, size, 257, "ustar\0", 6) || has(data, size, 257, "ustar ", 6))
    return true;
  /* The sum last: most files fail at the fields. */
  return data[0] != 0 && is_octal(data + 100, 8) && is_octal(data + 124, 12) &&
         is_tar_checksum(data);
}

/* A few of the digits may be damaged. */
static bool is_hex(const uint8_t *p, unsigned n) {
  enum { DAMAGED_MAX = 4 };
  unsigned n_other = 0;
  for (unsigned i = 0; i < n; i++)
    n_other += !((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f') ||
                 (p[i] >= 'A' && p[i] <= 'F'));
  return n_other <= DAMAGED_MAX;
}

/* The old binary header has two bytes of magic: its name must end where it says and its mode be a
 * file's. */
static bool is_binary_cpio(const uint8_t *data, uint64_t size, bool is_big) {
#define FIELD(i)                                                                                   \
  (is_big ? (uint32_t)(data[(size_t)2 * (i)] << 8 | data[(size_t)2 * (i) + 1])                     \
          : bytes_le16(data + (size_t)2 * (i)))
  if (size < 28 || FIELD(0) != 0x71C7)
    return false;
  uint32_t type = FIELD(3) >> 12, n_name = FIELD(10);
#undef FIELD
  bool is_type =
      type == 1 || type == 2 || type == 4 || type == 6 || type == 8 || type == 10 || type == 12;
  return (is_type || type == 0) && n_name >= 2 && n_name <= 4096 && size - 26 >= n_name &&
         data[26] != 0 && data[26 + n_name - 1] == 0 &&
         memchr(data + 26, 0, n_name) == data + 26 + n_name - 1;
}

bool probe_cpio(const uint8_t *data, uint64_t size) {
  if (size >= 76 && (has(data, size, 0, "070707", 6) || has(data, size, 0, "070727", 6)))
    return is_hex(data + 6, 53);
  if (size >= 110 && (has(data, size, 0, "070701", 6) || has(data, size, 0, "070702", 6)))
    return is_hex(data + 6, 104);
  return is_binary_cpio(data, size, false) || is_binary_cpio(data, size, true);
}

bool probe_ar(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "!<arch>\n", 8) && size >= 8 + 60;
}

bool probe_cab(const uint8_t *data, uint64_t size) {
  return size >= 36 && has(data, size, 0, "MSCF\0\0\0\0", 8) && (data[25] == 1 || data[24] == 3);
}

uint64_t extent_cab(const uint8_t *data, uint64_t size) {
  return size >= 12 ? bytes_le32(data + 8) : 0;
}

bool probe_rar(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "Rar!\x1A\x07\0", 7);
}

bool probe_rar5(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "Rar!\x1A\x07\1\0", 8);
}

bool probe_lha(const uint8_t *data, uint64_t size) {
  if (size < 22 || data[2] != '-' || data[6] != '-' || data[20] > 3)
    return false;
  if (data[3] == 'l' && data[4] == 'h')
    return (data[5] >= '0' && data[5] <= '9') || data[5] == 'd' || data[5] == 'x';
  return data[3] == 'l' && data[4] == 'z' && (data[5] == 's' || data[5] == '4' || data[5] == '5');
}

bool probe_iso(const uint8_t *data, uint64_t size) {
  return size >= 32768 + 2048 && has(data, size, 32769, "CD001", 5) && data[32768] <= 3;
}

/* Of the volume, by its primary descriptor. */
uint64_t extent_iso(const uint8_t *data, uint64_t size) {
  if (size < 32768 + 2048 || data[32768] != 1)
    return 0;
  return (uint64_t)bytes_le32(data + 32768 + 80) * bytes_le16(data + 32768 + 128);
}

bool probe_xar(const uint8_t *data, uint64_t size) {
  return size >= 28 && has(data, size, 0, "xar!", 4) && data[4] == 0 && data[5] >= 28 &&
         data[5] <= 64 && data[6] == 0;
}

bool probe_warc(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "WARC/0.", 7) || has(data, size, 0, "WARC/1.", 7);
}

bool probe_rpm(const uint8_t *data, uint64_t size) {
  return size >= 96 + 16 && has(data, size, 0, "\xED\xAB\xEE\xDB", 4) &&
         has(data, size, 96, "\x8E\xAD\xE8", 3);
}

bool probe_gzip(const uint8_t *data, uint64_t size) {
  return size >= 18 && has(data, size, 0, "\x1F\x8B\x08", 3) && (data[3] & 0xE0) == 0;
}

/* Two bytes are too few, so the data must also unpack: to its end and with its sum, or as far as
 * is looked or there is. Of what is damaged behind, noise gives 512 bytes once in ten thousand. */
bool probe_zlib(const uint8_t *data, uint64_t size) {
  enum { LOOKED_AT = 16 * 1024, LEAST = 64, LEAST_DAMAGED = 512, OUT_BYTES = 4096 };
  if (size < 8 || data[0] != 0x78 ||
      (data[1] != 0x01 && data[1] != 0x5E && data[1] != 0x9C && data[1] != 0xDA))
    return false;
  uint8_t out[OUT_BYTES];
  z_stream stream = {.next_in = (Bytef *)data, /* zlib's old interface: it only reads */
                     .avail_in = (uInt)(size < LOOKED_AT ? size : LOOKED_AT)};
  if (inflateInit(&stream) != Z_OK)
    return false;
  int status = Z_OK;
  while (status == Z_OK && stream.total_out < UINT64_C(16) * LOOKED_AT) {
    stream.next_out = out;
    stream.avail_out = sizeof out;
    status = inflate(&stream, Z_NO_FLUSH);
  }
  uint64_t n = stream.total_out;
  inflateEnd(&stream);
  return status == Z_STREAM_END || n >= LEAST_DAMAGED ||
         ((status == Z_OK || status == Z_BUF_ERROR) && n >= LEAST);
}

bool probe_bzip2(const uint8_t *data, uint64_t size) {
  if (size < 14 || !has(data, size, 0, "BZh", 3) || data[3] < '1' || data[3] > '9')
    return false;
  return has(data, size, 4, "\x31\x41\x59\x26\x53\x59", 6) ||
         has(data, size, 4, "\x17\x72\x45\x38\x50\x90", 6);
}

bool probe_xz(const uint8_t *data, uint64_t size) {
  return size >= 12 && has(data, size, 0,
                           "\xFD"
                           "7zXZ\0",
                           6);
}

/* lzma has no magic: properties (the default ones unless the size is "unknown"), a dictionary size
 * of a shape encoders write, a size below 256 GiB or "unknown", and the range coder's first byte.
 */
bool probe_lzma(const uint8_t *data, uint64_t size) {
  if (size < 19 || data[0] > 224 || data[13] != 0)
    return false;
  uint32_t dictionary = bytes_le32(data + 1);
  uint64_t expanded = bytes_le64(data + 5);
  bool is_shape = false;
  for (unsigned i = 12; i < 31 && !is_shape; i++)
    is_shape = dictionary == UINT32_C(1) << i || dictionary == UINT32_C(3) << (i - 1);
  return is_shape &&
         (expanded == UINT64_MAX || (data[0] == 0x5D && expanded > 0 && expanded >> 38 == 0));
}

bool probe_lzip(const uint8_t *data, uint64_t size) {
  return size >= 26 && has(data, size, 0, "LZIP", 4) && data[4] <= 1;
}

/* Frames to be skipped may stand first; they are the same in zstd and lz4. */
static uint64_t skip_frames(const uint8_t *data, uint64_t size) {
  uint64_t at = 0;
  while (size - at >= 8 && (bytes_le32(data + at) & 0xFFFFFFF0) == 0x184D2A50) {
    uint64_t n = bytes_le32(data + at + 4);
    if (n > size - at - 8)
      return 0;
    at += 8 + n;
  }
  return at;
}

bool probe_zstd(const uint8_t *data, uint64_t size) {
  return size >= 8 && has(data, size, skip_frames(data, size), "\x28\xB5\x2F\xFD", 4);
}

/* The byte behind the frame at at: its header, blocks and sum; 0 where it is not whole. */
static uint64_t zstd_frame_end(const uint8_t *data, uint64_t size, uint64_t at) {
  static const uint8_t DICTIONARY[] = {0, 1, 2, 4}, LENGTH[] = {0, 2, 4, 8};
  if (size - at < 5)
    return 0;
  uint8_t flags = data[at + 4];
  bool is_single = (flags & 0x20) != 0, is_last = false;
  at += 5 + (uint64_t)!is_single + DICTIONARY[flags & 3] + LENGTH[flags >> 6] +
        (uint64_t)(is_single && flags >> 6 == 0);
  while (!is_last) {
    if (at > size || size - at < 3)
      return 0;
    uint32_t block = bytes_le16(data + at) | (uint32_t)data[at + 2] << 16;
    unsigned kind = block >> 1 & 3;
    is_last = (block & 1) != 0;
    if (kind == 3)
      return 0;
    at += 3 + (uint64_t)(kind == 1 ? 1 : block >> 3);
  }
  at += (flags & 4) != 0 ? 4 : 0;
  return at <= size ? at : 0;
}

uint64_t extent_zstd(const uint8_t *data, uint64_t size) {
  uint64_t end = 0;
  for (uint64_t at = skip_frames(data, size); has(data, size, at, "\x28\xB5\x2F\xFD", 4);) {
    end = zstd_frame_end(data, size, at);
    if (end == 0)
      return 0;
    at = end + skip_frames(data + end, size - end);
  }
  return end;
}

bool probe_lz4(const uint8_t *data, uint64_t size) {
  if (size < 8)
    return false;
  uint64_t at = skip_frames(data, size);
  return has(data, size, at, "\x04\x22\x4D\x18", 4) || has(data, size, at, "\x02\x21\x4C\x18", 4);
}

bool probe_compress(const uint8_t *data, uint64_t size) {
  return size >= 4 && data[0] == 0x1F && data[1] == 0x9D && (data[2] & 0x60) == 0 &&
         (data[2] & 0x1F) >= 9 && (data[2] & 0x1F) <= 16;
}

bool probe_uu(const uint8_t *data, uint64_t size) {
  uint64_t at = has(data, size, 0, "begin-base64 ", 13) ? 13
                : has(data, size, 0, "begin ", 6)       ? 6
                                                        : 0;
  if (at == 0 || size - at < 8)
    return false;
  for (unsigned i = 0; i < 3; i++)
    if (data[at + i] < '0' || data[at + i] > '7')
      return false;
  return data[at + 3] == ' ' || (data[at + 3] >= '0' && data[at + 3] <= '7' && data[at + 4] == ' ');
}
