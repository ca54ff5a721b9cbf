/* SPDX-License-Identifier: Apache-2.0 */
/* lzx.c - the decoder: blocks with Huffman codes of their own for literals and matches, for long
 * lengths and for the low bits of offsets; then calls of x86 code are made relative again. */
#include "evidence/lzx.h"
#include <string.h>

enum {
  LITERALS = 256,
  N_SLOTS = 30, /* of offsets, for a window of 32 KiB */
  N_MAIN = LITERALS + N_SLOTS * 8,
  N_LENGTHS = 249,
  N_ALIGNED = 8,
  N_PRECODE = 20,
  LONGEST = 16,
  LOOK = 9,
  LONG_LENGTH = 7,
  MATCH_MIN = 2,
  BLOCK_VERBATIM = 1,
  BLOCK_ALIGNED = 2,
  BLOCK_STORED = 3,
  CALLS_TAIL = 10,
  CALLS_SIZE = 12000000, /* the size of file that WIM pretends */
};

typedef struct {
  uint16_t look[1 << LOOK]; /* symbol << 4 | length of short codes; 0: longer or none */
  uint16_t symbols[N_MAIN]; /* in the order of their codes */
  uint16_t count[LONGEST + 1];
} Code;

struct _LzxRoom {
  Code main, lengths, aligned, precode;
  uint8_t main_bits[N_MAIN], length_bits[N_LENGTHS];
};

typedef struct {
  const uint8_t *bytes;
  size_t n, at;
  uint64_t bits; /* the next ones, from the top */
  unsigned count;
} Stream;

typedef struct {
  Stream stream;
  uint8_t *out;
  size_t done, n_out;
  uint32_t recent[3];
  LzxRoom *room;
} Lzx;

size_t lzx_room_bytes(void) {
  return sizeof(LzxRoom);
}

/* Behind the end stand zeros: the last word may be looked at before it is needed. */
static void fill(Stream *stream, unsigned n) {
  while (stream->count < n) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 2; i++, stream->at++)
      if (stream->at < stream->n)
        word |= (uint64_t)stream->bytes[stream->at] << (8 * i);
    stream->bits |= word << (48 - stream->count);
    stream->count += 16;
  }
}

static uint32_t take(Stream *stream, unsigned n) {
  if (n == 0)
    return 0;
  fill(stream, n);
  uint32_t value = (uint32_t)(stream->bits >> (64 - n));
  stream->bits <<= n;
  stream->count -= n;
  return value;
}

static bool is_past_end(const Stream *stream) {
  return stream->at > stream->n + 4;
}

/* False where the lengths ask for more codes than there are. */
static bool make_code(Code *code, const uint8_t *bits, size_t n) {
  uint16_t next[LONGEST + 2] = {0};
  memset(code->count, 0, sizeof code->count);
  memset(code->look, 0, sizeof code->look);
  for (size_t i = 0; i < n; i++)
    code->count[bits[i]]++;
  code->count[0] = 0;
  uint32_t left = 1;
  for (unsigned length = 1; length <= LONGEST; length++) {
    left *= 2;
    if (code->count[length] > left)
      return false;
    left -= code->count[length];
    next[length + 1] = (uint16_t)(next[length] + code->count[length]);
  }
  for (size_t i = 0; i < n; i++)
    if (bits[i] != 0)
      code->symbols[next[bits[i]]++] = (uint16_t)i;
  size_t at = 0, index = 0;
  for (unsigned length = 1; length <= LOOK; length++)
    for (unsigned i = 0; i < code->count[length]; i++, index++)
      for (size_t k = 0; k < (size_t)1 << (LOOK - length); k++)
        code->look[at++] = (uint16_t)(code->symbols[index] << 4 | length);
  return true;
}

/* The next symbol; -1: no code begins so. */
static int decode(Stream *stream, const Code *code) {
  fill(stream, LONGEST);
  uint16_t entry = code->look[stream->bits >> (64 - LOOK)];
  if (entry != 0) {
    take(stream, entry & 15u);
    return entry >> 4;
  }
  uint32_t value = 0, first = 0, index = 0;
  for (unsigned length = 1; length <= LONGEST; length++) {
    value = (uint32_t)(stream->bits >> (64 - length));
    if (value - first < code->count[length]) {
      take(stream, length);
      return code->symbols[index + value - first];
    }
    index += code->count[length];
    first = (first + code->count[length]) * 2;
  }
  return -1;
}

/* Lengths are told as differences to those of the block before, themselves in a code. */
static bool read_lengths(Lzx *lzx, uint8_t *bits, size_t n) {
  Stream *stream = &lzx->stream;
  Code *code = &lzx->room->precode;
  uint8_t own[N_PRECODE];
  for (size_t i = 0; i < N_PRECODE; i++)
    own[i] = (uint8_t)take(stream, 4);
  if (!make_code(code, own, N_PRECODE))
    return false;
  for (size_t i = 0; i < n;) {
    int symbol = decode(stream, code);
    size_t run = 1;
    if (symbol == 17)
      run = 4 + take(stream, 4);
    else if (symbol == 18)
      run = 20 + take(stream, 5);
    else if (symbol == 19) {
      run = 4 + take(stream, 1);
      symbol = decode(stream, code);
      if (symbol > LONGEST)
        return false;
    }
    if (symbol < 0 || is_past_end(stream))
      return false;
    uint8_t value = symbol > LONGEST ? 0 : (uint8_t)((bits[i] + 17 - symbol) % 17);
    for (; run > 0 && i < n; run--)
      bits[i++] = value;
  }
  return true;
}

static bool read_codes(Lzx *lzx, uint32_t kind) {
  LzxRoom *room = lzx->room;
  uint8_t aligned[N_ALIGNED];
  for (size_t i = 0; kind == BLOCK_ALIGNED && i < N_ALIGNED; i++)
    aligned[i] = (uint8_t)take(&lzx->stream, 3);
  return (kind != BLOCK_ALIGNED || make_code(&room->aligned, aligned, N_ALIGNED)) &&
         read_lengths(lzx, room->main_bits, LITERALS) &&
         read_lengths(lzx, room->main_bits + LITERALS, N_MAIN - LITERALS) &&
         make_code(&room->main, room->main_bits, N_MAIN) &&
         read_lengths(lzx, room->length_bits, N_LENGTHS) &&
         make_code(&room->lengths, room->length_bits, N_LENGTHS);
}

/* How far back a match lies; the last three are kept. 0: damaged. */
static uint32_t read_offset(Lzx *lzx, unsigned slot, bool is_aligned) {
  Stream *stream = &lzx->stream;
  if (slot < 3) {
    uint32_t offset = lzx->recent[slot];
    lzx->recent[slot] = lzx->recent[0];
    return lzx->recent[0] = offset;
  }
  unsigned n_bits = slot < 4 ? 0 : slot / 2 - 1;
  uint32_t base = slot < 4 ? slot : (uint32_t)(2 + slot % 2) << n_bits, low;
  if (is_aligned && n_bits >= 3) {
    low = take(stream, n_bits - 3) << 3;
    int symbol = decode(stream, &lzx->room->aligned);
    if (symbol < 0)
      return 0;
    low |= (uint32_t)symbol;
  } else {
    low = take(stream, n_bits);
  }
  lzx->recent[2] = lzx->recent[1];
  lzx->recent[1] = lzx->recent[0];
  return lzx->recent[0] = base + low - 2;
}

static bool read_block(Lzx *lzx, size_t end, bool is_aligned) {
  while (lzx->done < end) {
    int symbol = decode(&lzx->stream, &lzx->room->main);
    if (symbol < 0 || is_past_end(&lzx->stream))
      return false;
    if (symbol < LITERALS) {
      lzx->out[lzx->done++] = (uint8_t)symbol;
      continue;
    }
    size_t length = (size_t)(symbol - LITERALS) % 8;
    if (length == LONG_LENGTH) {
      int more = decode(&lzx->stream, &lzx->room->lengths);
      if (more < 0)
        return false;
      length += (size_t)more;
    }
    length += MATCH_MIN;
    uint32_t back = read_offset(lzx, (unsigned)(symbol - LITERALS) / 8, is_aligned);
    if (back == 0 || back > lzx->done || length > end - lzx->done)
      return false;
    for (size_t i = 0; i < length; i++, lzx->done++)
      lzx->out[lzx->done] = lzx->out[lzx->done - back];
  }
  return true;
}

/* Bytes as they are begin with the next word, behind three offsets. */
static bool copy_block(Lzx *lzx, size_t end) {
  Stream *stream = &lzx->stream;
  enum { OFFSETS = 12 };
  size_t bit = stream->at * 8 - stream->count, at = (bit / 16 + 1) * 2, n = end - lzx->done;
  if (at > stream->n || stream->n - at < OFFSETS || n > stream->n - at - OFFSETS)
    return false;
  for (size_t i = 0; i < 3; i++) {
    const uint8_t *p = stream->bytes + at + i * 4;
    lzx->recent[i] =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  }
  memcpy(lzx->out + lzx->done, stream->bytes + at + OFFSETS, n);
  lzx->done = end;
  stream->at = at + OFFSETS + n + n % 2;
  stream->bits = 0;
  stream->count = 0;
  return true;
}

/* Targets of calls were made absolute, so that they repeat. */
static void undo_calls(uint8_t *out, size_t n) {
  for (size_t i = 0; i + CALLS_TAIL < n; i++) {
    if (out[i] != 0xe8)
      continue;
    uint8_t *p = out + i + 1;
    uint32_t value =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    int64_t target = (int32_t)value, place = (int64_t)i;
    if (target >= 0 && target < CALLS_SIZE)
      value = (uint32_t)(target - place);
    else if (target < 0 && target >= -place)
      value = (uint32_t)(target + CALLS_SIZE);
    for (unsigned k = 0; k < 4; k++)
      p[k] = (uint8_t)(value >> (8 * k));
    i += 4;
  }
}

bool lzx_unpack(const uint8_t *packed, size_t n, uint8_t *out, size_t n_out, LzxRoom *room) {
  Lzx lzx = {.stream = {.bytes = packed, .n = n},
             .out = out,
             .n_out = n_out,
             .recent = {1, 1, 1},
             .room = room};
  if (n_out > LZX_CHUNK)
    return false;
  memset(room->main_bits, 0, sizeof room->main_bits);
  memset(room->length_bits, 0, sizeof room->length_bits);
  while (lzx.done < n_out) {
    uint32_t kind = take(&lzx.stream, 3);
    size_t size = take(&lzx.stream, 1) == 1 ? LZX_CHUNK : take(&lzx.stream, 16);
    size_t end = lzx.done + size;
    if (size == 0 || end > n_out)
      return false;
    bool ok = kind == BLOCK_STORED
                  ? copy_block(&lzx, end)
                  : (kind == BLOCK_VERBATIM || kind == BLOCK_ALIGNED) && read_codes(&lzx, kind) &&
                        read_block(&lzx, end, kind == BLOCK_ALIGNED);
    if (!ok)
      return false;
  }
  undo_calls(out, n_out);
  return true;
}
