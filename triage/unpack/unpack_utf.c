/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_utf.c - UTF-16 and UTF-32 as UTF-8: whole texts with or without a mark, and runs of text
 * inside other data (page files, registry hives, programs), at any alignment. By hand, because
 * converters stop at the first byte that is not text. */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum {
  SAMPLE_BYTES = 64 * 1024,
  LEAST_BYTES = 16,
  LEAST_CHARACTERS = 8,
  OUT_BYTES = 4096,
  BLOCK_UNITS = 64
};

static uint16_t unit_at(const uint8_t *p, bool is_big) {
  return (uint16_t)(is_big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* The blocks that hold the world's running text: all but half of the code points are none of it. */
static bool is_text_unit(uint16_t unit) {
  if (unit < 0x20)
    return unit == '\t' || unit == '\n' || unit == '\r';
  return (unit < 0x0800 && unit != 0x7F) || (unit >= 0x0900 && unit <= 0x0DFF) ||
         (unit >= 0x1E00 && unit <= 0x206F) || (unit >= 0x20A0 && unit <= 0x214F) ||
         (unit >= 0x3000 && unit <= 0x30FF) || (unit >= 0x4E00 && unit <= 0x9FFF) ||
         (unit >= 0xAC00 && unit <= 0xD7A3) || (unit >= 0xFF00 && unit <= 0xFFEF);
}

static bool is_plain(uint8_t c) {
  return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\n' || c == '\r';
}

static bool is_text_or_half(uint16_t unit) {
  return is_text_unit(unit) || (unit >= 0xD83C && unit <= 0xD83E) ||
         (unit >= 0xDC00 && unit <= 0xDFFF);
}

/* Counts in a whole block of units; without a branch, so that the compiler takes many at once. */
static void count_block(const uint8_t *data, bool is_big, uint64_t *n_text, uint64_t *n_plain) {
  uint16_t texts = 0, plains = 0, units[BLOCK_UNITS];
  memcpy(units, data, sizeof units);
  for (unsigned i = 0; i < BLOCK_UNITS; i++) {
    uint16_t little = GUINT16_FROM_LE(units[i]);
    units[i] = is_big ? (uint16_t)(little << 8 | little >> 8) : little;
  }
#define IN(LOW, HIGH) (uint16_t)((uint16_t)(c - (LOW)) <= (uint16_t)((HIGH) - (LOW)))
  for (unsigned i = 0; i < BLOCK_UNITS; i++) {
    uint16_t c = units[i];
    uint16_t plain = IN(0x20, 0x7E) | IN('\t', '\n') | IN('\r', '\r');
    texts += plain | IN(0x80, 0x07FF) | IN(0x0900, 0x0DFF) | IN(0x1E00, 0x206F) |
             IN(0x20A0, 0x214F) | IN(0x3000, 0x30FF) | IN(0x4E00, 0x9FFF) | IN(0xAC00, 0xD7A3) |
             IN(0xFF00, 0xFFEF) | IN(0xD83C, 0xD83E) | IN(0xDC00, 0xDFFF);
    plains += plain;
  }
#undef IN
  *n_text += texts;
  *n_plain += plains;
}

/* Nearly all of the sample text; without a mark half of it plain ASCII too. */
static bool looks_like(const uint8_t *data, uint64_t size, bool is_big, bool has_mark) {
  uint64_t n_units = MIN(size, SAMPLE_BYTES) / 2, n_plain = 0, n_text = 0, i = has_mark ? 1 : 0;
  /* With more others than these, or so few plain ones left, the sample is no text: enough seen. */
  uint64_t n_others_max = (n_units - has_mark) / 10, n_wide_max = has_mark ? n_units : n_units / 2;
  if (i == 0 && n_units > 0) { /* the second half of a character cannot stand first */
    uint16_t unit = unit_at(data, is_big);
    n_text += is_text_or_half(unit) && (unit < 0xDC00 || unit > 0xDFFF);
    n_plain += is_text_unit(unit) && unit < 0x7F;
    i++;
  }
  for (; n_units - i >= BLOCK_UNITS; i += BLOCK_UNITS) {
    if (i - has_mark - n_text > n_others_max || i - n_plain > n_wide_max + has_mark)
      return false;
    count_block(data + 2 * i, is_big, &n_text, &n_plain);
  }
  for (; i < n_units; i++) {
    uint16_t unit = unit_at(data + 2 * i, is_big);
    n_text += is_text_or_half(unit);
    n_plain += is_text_unit(unit) && unit < 0x7F;
  }
  return n_text * 10 >= (n_units - has_mark) * 9 && (has_mark || n_plain * 2 >= n_units);
}

size_t utf8_put(uint8_t *out, uint32_t c) {
  if (c < 0x80) {
    out[0] = (uint8_t)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (uint8_t)(0xC0 | c >> 6);
    out[1] = (uint8_t)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (uint8_t)(0xF0 | c >> 18);
  out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
  out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
  out[3] = (uint8_t)(0x80 | (c & 0x3F));
  return 4;
}

/* The character at p, of 2 or 4 bytes; a lone surrogate stands as U+FFFD. */
static uint32_t take_character(const uint8_t **p, const uint8_t *end, bool is_big) {
  uint32_t c = unit_at(*p, is_big);
  *p += 2;
  if (c < 0xD800 || c > 0xDFFF)
    return c;
  if (c < 0xDC00 && end - *p >= 2) {
    uint32_t low = unit_at(*p, is_big);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      *p += 2;
      return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  return 0xFFFD;
}

/* Puts data[from, end) as UTF-8, in pieces whose characters are all of one length, so that each
 * byte has its place. */
static bool put_utf16(ViewBuilder *builder, uint64_t from, uint64_t end, bool is_big) {
  const uint8_t *stop = builder->data + end, *p = builder->data + from;
  uint8_t out[OUT_BYTES + 4];
  while (stop - p >= 2) {
    const uint8_t *start = p, *next = p;
    size_t n = utf8_put(out, take_character(&next, stop, is_big)), length = n;
    p = next;
    while (stop - p >= 2 && n <= OUT_BYTES - 4) {
      next = p;
      size_t more = utf8_put(out + n, take_character(&next, stop, is_big));
      if (more != length)
        break;
      n += more;
      p = next;
    }
    if (!view_put(builder, (uint64_t)(start - builder->data), (uint64_t)(p - builder->data), out, n,
                  false))
      return false;
  }
  return true;
}

bool utf16le_text(const uint8_t *data, size_t n, GString *out) {
  const uint8_t *p = data, *end = data + (n & ~(size_t)1);
  if (n < 8 || !looks_like(data, n, false, false))
    return false;
  while (p < end) {
    uint8_t buffer[4];
    size_t length = utf8_put(buffer, take_character(&p, end, false));
    g_string_append_len(out, (const char *)buffer, (gssize)length);
  }
  return true;
}

/* ---- runs inside other data ---- */

#define EVEN UINT64_C(0x00FF00FF00FF00FF)
#define TOPS UINT64_C(0x0080008000800080)

/* Four bytes of ASCII, each beside a zero: 1 where the even bytes of the word are the ASCII ones, 2
 * where the odd ones are, 0 where neither. */
static inline unsigned wide_word(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  word = GUINT64_FROM_LE(word);
  uint64_t even = word & EVEN, odd = word >> 8 & EVEN;
  if ((even == 0) == (odd == 0))
    return 0;
  uint64_t half = even | odd;
  return (half & TOPS) == 0 && ((half + (TOPS - (TOPS >> 7))) & TOPS) == TOPS ? (odd == 0 ? 1 : 2)
                                                                              : 0;
}

typedef uint64_t WordFinder(uint64_t zeros, uint64_t high);

/* Of the places at, at + 8 and so on the first with a word that is looked for, or one less than 64
 * bytes before the end. */
static inline uint64_t next_word(const ViewBuilder *builder, uint64_t at, WordFinder *find) {
  uint64_t hole, end;
  while (builder->size - at >= BITS_BYTES) {
    const ByteKinds kinds = bits_zeros_and_high(builder->data + at);
    uint64_t word = kinds.zeros != 0 ? find(kinds.zeros, kinds.high) : 0;
    if (word != 0)
      return at + (uint64_t)__builtin_ctzll(word) / 8 * 8;
    at += BITS_BYTES;
    if (kinds.zeros == UINT64_MAX && content_next_hole(builder->content, at, &hole, &end) &&
        hole == at)
      at += (end - at) / 8 * 8;
  }
  return at;
}

typedef struct {
  uint64_t from, end; /* whole units; an odd byte behind them is a character too */
  bool is_big;
} Run;

static uint64_t text_end(const uint8_t *data, uint64_t from, uint64_t size, bool is_big) {
  uint64_t at = from;
  while (size - at >= 2 && is_text_unit(unit_at(data + at, is_big)))
    at += 2;
  return at;
}

/* The run around a word of four characters at first, not reaching before floor. Which of its two
 * readings is right shows at its ends: little-endian text ends in a zero, big-endian begins with
 * one; where both do, the longer one is taken. */
static bool take_run(const uint8_t *data, uint64_t size, uint64_t floor, uint64_t first, Run *run) {
  uint64_t start = first, last = first;
  while (start >= floor + 2 && is_plain(data[start - 2]) && data[start - 1] == 0)
    start -= 2;
  while (size - last > 2 && data[last + 1] == 0 && is_plain(data[last + 2]))
    last += 2;
  if (!is_plain(data[first]) || last - start < UINT64_C(2) * (LEAST_CHARACTERS - 1))
    return false;
  bool is_little = last + 1 < size && data[last + 1] == 0;
  bool is_big = start > floor && data[start - 1] == 0;
  uint64_t little_end = is_little ? text_end(data, start, size, false) : 0;
  uint64_t big_end = is_big ? text_end(data, start - 1, size, true) : 0;
  run->is_big = big_end > little_end + 1 || !is_little;
  run->from = run->is_big && is_big ? start - 1 : start;
  run->end = run->is_big ? big_end : little_end;
  /* Beside other bytes at both ends, one of them is no part of it: which one cannot be told, and
   * both stay. The last has but its half of a unit. */
  if (!is_little && !is_big) {
    run->is_big = false;
    run->end = last + 1;
  }
  return run->end > run->from;
}

static bool put_run(ViewBuilder *builder, const Run *run) {
  bool has_half = (run->end - run->from) % 2 != 0;
  return put_utf16(builder, run->from, run->end - has_half, run->is_big) &&
         (!has_half ||
          view_put(builder, run->end - 1, run->end, builder->data + run->end - 1, 1, false));
}

static void put_runs(ViewBuilder *builder, uint64_t from, bool is_big) {
  const uint8_t *data = builder->data;
  uint64_t size = builder->size, floor = from;
  for (uint64_t at = next_word(builder, from, bits_wide_words); size - at >= 8;
       at = next_word(builder, at, bits_wide_words)) {
    unsigned kind = wide_word(data + at);
    Run run;
    if (kind == 0 || !take_run(data, size, floor, at + kind - 1, &run)) {
      at += 8;
      continue;
    }
    if (run.is_big == is_big && !put_run(builder, &run))
      return;
    floor = run.end;
    at = MAX(at + 8, run.end);
    if (size < at)
      return;
  }
}

static void utf16_make(ViewBuilder *builder, uint64_t from, bool is_big) {
  const uint8_t *data = builder->data;
  uint64_t size = builder->size;
  if (size < LEAST_BYTES)
    return;
  bool is_little_mark = data[0] == 0xFF && data[1] == 0xFE;
  bool is_big_mark = data[0] == 0xFE && data[1] == 0xFF;
  bool is_little = !is_big_mark && looks_like(data, size, false, is_little_mark);
  bool is_whole_big = !is_little && !is_little_mark && looks_like(data, size, true, is_big_mark);
  if (!is_little && !is_whole_big) {
    put_runs(builder, from, is_big);
  } else if (is_big == is_whole_big) {
    unsigned skip = is_little_mark || is_big_mark ? 2 : 0;
    put_utf16(builder, skip, size & ~UINT64_C(1), is_big);
  }
}

void utf16le_make(ViewBuilder *builder, uint64_t from) {
  utf16_make(builder, from, false);
}

void utf16be_make(ViewBuilder *builder, uint64_t from) {
  utf16_make(builder, from, true);
}

/* ---- UTF-32 ---- */

/* Two characters of ASCII, each with three zeros: 1 + the first one's place, 0 where not. */
static inline unsigned wider_word(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  word = GUINT64_FROM_LE(word);
  uint32_t low = (uint32_t)word, high = (uint32_t)(word >> 32), both = low | high;
  if (low == 0 || high == 0 || (both & 0x80808080) != 0)
    return 0;
  for (unsigned i = 0; i < 4; i++)
    if ((both & ~(UINT32_C(0xFF) << (8 * i))) == 0)
      return 1 + i;
  return 0;
}

/* Characters four bytes apart from at on; those of other alphabets end the run. */
static uint64_t wider_end(const uint8_t *data, uint64_t at, uint64_t size) {
  static const uint8_t ZEROS[3] = {0};
  uint64_t end = at;
  while (end < size && is_plain(data[end]) && size - end > 3 &&
         memcmp(data + end + 1, ZEROS, 3) == 0)
    end += 4;
  if (end < size && is_plain(data[end]) && end > at)
    end += 4; /* the last of big-endian text has nothing behind it */
  return MIN(end, size);
}

void utf32_make(ViewBuilder *builder, uint64_t from) {
  static const uint8_t ZEROS[3] = {0};
  const uint8_t *data = builder->data;
  uint64_t size = builder->size, floor = from;
  for (uint64_t at = from; at < size && size - at >= 8;) {
    at = next_word(builder, at, bits_wider_words);
    if (size - at < 8)
      return;
    unsigned kind = wider_word(data + at);
    uint64_t start = at + (kind != 0 ? kind - 1 : 0);
    while (kind != 0 && start >= floor + 4 && is_plain(data[start - 4]) &&
           memcmp(data + start - 3, ZEROS, 3) == 0)
      start -= 4;
    uint64_t end = kind != 0 ? wider_end(data, start, size) : start;
    if (end - start < (uint64_t)4 * LEAST_CHARACTERS) {
      at += 8;
      continue;
    }
    g_autofree uint8_t *out = g_malloc(OUT_BYTES);
    for (uint64_t i = start; i < end;) {
      size_t n = 0;
      uint64_t piece = i;
      for (; i < end && n < OUT_BYTES; i += 4)
        out[n++] = data[i];
      if (!view_put(builder, piece, MIN(i, end), out, n, false))
        return;
    }
    floor = end;
    at = MAX(at + 8, end);
  }
}
