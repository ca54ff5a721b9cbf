/* SPDX-License-Identifier: Apache-2.0 */
/* xpress.c - the decoder: 512 code lengths of four bits, then a stream of bits in words of 16, with
 * the bytes of long matches between the words. */
#include "evidence/xpress.h"
#include <string.h>

enum { N_SYMBOLS = 512, LENGTHS = N_SYMBOLS / 2, LITERALS = 256, LONG = 15, MATCH_MIN = 3 };

typedef struct {
  const uint8_t *bytes;
  size_t n, at;
  uint32_t bits; /* the next ones, from the top */
  int extra;     /* of them, beyond 16 */
} Stream;

/* Behind the end stand zeros: the last words may be looked at before they are needed. */
static uint32_t next_bytes(Stream *stream, size_t n) {
  uint32_t value = 0;
  for (size_t i = 0; i < n; i++, stream->at++)
    if (stream->at < stream->n)
      value |= (uint32_t)stream->bytes[stream->at] << (8 * i);
  return value;
}

static void drop(Stream *stream, uint32_t n) {
  stream->bits <<= n;
  stream->extra -= (int)n;
  if (stream->extra < 0) {
    stream->bits |= next_bytes(stream, 2) << -stream->extra;
    stream->extra += 16;
  }
}

/* Each entry: symbol and length of the code that begins with these bits; 0: none does. */
static bool fill_table(const uint8_t *lengths, uint16_t *table) {
  size_t at = 0;
  memset(table, 0, XPRESS_TABLE * sizeof *table);
  for (uint32_t length = 1; length <= XPRESS_LOOK; length++)
    for (uint32_t symbol = 0; symbol < N_SYMBOLS; symbol++) {
      if ((lengths[symbol / 2] >> (symbol % 2 * 4) & 15u) != length)
        continue;
      size_t n = (size_t)1 << (XPRESS_LOOK - length);
      if (n > XPRESS_TABLE - at)
        return false;
      for (size_t i = 0; i < n; i++)
        table[at++] = (uint16_t)(symbol << 4 | length);
    }
  return at > 0;
}

static size_t match_length(Stream *stream, uint32_t symbol) {
  uint32_t length = symbol % 16;
  if (length == LONG) {
    length = next_bytes(stream, 1);
    if (length < 255) {
      length += LONG;
    } else {
      length = next_bytes(stream, 2);
      if (length == 0)
        length = next_bytes(stream, 4);
    }
  }
  return (size_t)length + MATCH_MIN;
}

bool xpress_unpack(const uint8_t *packed, size_t n, uint8_t *out, size_t n_out,
                   uint16_t table[XPRESS_TABLE]) {
  if (n < LENGTHS || !fill_table(packed, table))
    return false;
  Stream stream = {.bytes = packed, .n = n, .at = LENGTHS, .extra = 16};
  stream.bits = next_bytes(&stream, 2) << 16;
  stream.bits |= next_bytes(&stream, 2);
  for (size_t done = 0; done < n_out;) {
    uint16_t code = table[stream.bits >> (32 - XPRESS_LOOK)];
    if (code == 0 || stream.at > n + 4)
      return false;
    drop(&stream, code % 16u);
    uint32_t symbol = (uint32_t)code >> 4;
    if (symbol < LITERALS) {
      out[done++] = (uint8_t)symbol;
      continue;
    }
    size_t length = match_length(&stream, symbol);
    uint32_t n_bits = (symbol - LITERALS) / 16;
    size_t back = ((size_t)1 << n_bits) | (n_bits > 0 ? stream.bits >> (32 - n_bits) : 0);
    drop(&stream, n_bits);
    if (back > done || length > n_out - done)
      return false;
    for (size_t i = 0; i < length; i++, done++)
      out[done] = out[done - back];
  }
  return true;
}
