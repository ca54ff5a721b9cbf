/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_bits.h - which of 64 bytes are of a kind, as one word: with the vector instructions every
 * x86-64 has, byte by byte elsewhere. What runs over every byte of the evidence is built on it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Letters of a base64 block, and of a line of one that is broken into short lines. */
enum { BITS_BYTES = 64, BASE64_LEAST = 24, BASE64_LINE_LEAST = 16 };

/* Of 64 bytes: which are zero, have their highest bit set, are of the base64 alphabet, and are one
 * of ~ + & \\ % " ' ( [ , ^ ` that other encodings are told by. */
typedef struct {
  uint64_t zeros, high, letters, marks;
} ByteKinds;

/* Of 64 letters or none: bit i is left where the 24 from there on are letters. */
static inline uint64_t bits_long_runs(uint64_t bits) {
  bits &= bits >> 1;
  bits &= bits >> 2;
  bits &= bits >> 4;
  uint64_t eight = bits;
  bits &= bits >> 8;
  return bits & eight >> 16;
}

/* The same of 16. */
static inline uint64_t bits_line_runs(uint64_t bits) {
  bits &= bits >> 1;
  bits &= bits >> 2;
  bits &= bits >> 4;
  return bits & bits >> 8;
}

#define BITS_TOPS UINT64_C(0x8080808080808080) /* of each byte the highest bit */

/* The highest bit of each byte that is not zero. */
static inline uint64_t bits_used_bytes(uint64_t bits) {
  return (((bits & ~BITS_TOPS) + ~BITS_TOPS) | bits) & BITS_TOPS;
}

/* Of eight words, of which the zeros and high bits are given, the highest bit of the byte of each
 * that is UTF-16 of ASCII: four bytes each beside a zero. */
static inline uint64_t bits_wide_words(uint64_t zeros, uint64_t high) {
  return BITS_TOPS & ~(bits_used_bytes((zeros ^ 0xAAAAAAAAAAAAAAAA) | high) &
                       bits_used_bytes((zeros ^ 0x5555555555555555) | high));
}

/* The same of UTF-32: two bytes, each beside three zeros, at the same place. */
static inline uint64_t bits_wider_words(uint64_t zeros, uint64_t high) {
  const uint64_t halves = 0x0F0F0F0F0F0F0F0F, ones = 0x0101010101010101;
  uint64_t text = ~zeros, half = text & halves;
  uint64_t more_than_one = half & ((half | BITS_TOPS) - ones);
  uint64_t wrong = ((text ^ text >> 4) & halves) | more_than_one | high;
  return bits_used_bytes(half) & ~bits_used_bytes(wrong);
}

#ifdef __SSE2__
static inline __m128i bits_letters16(__m128i v) {
  /* A range test by signed comparison: x is in [low, low + n) where x - low - 128 < n - 128. */
  const __m128i lower = _mm_or_si128(v, _mm_set1_epi8(0x20));
  const __m128i letter = _mm_cmplt_epi8(_mm_add_epi8(lower, _mm_set1_epi8((char)(0x80 - 'a'))),
                                        _mm_set1_epi8((char)(0x80 + 26)));
  /* '/' stands right before '0' */
  const __m128i digit = _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - '/'))),
                                       _mm_set1_epi8((char)(0x80 + 11)));
  return _mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(v, _mm_set1_epi8('+')));
}

/* 64 bytes as four pieces, and what is asked of each as one word; written out, as compilers do not
 * unroll it by themselves. */
typedef struct {
  __m128i a, b, c, d;
} Bits64;

static inline __m128i bits_load16(const uint8_t *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline Bits64 bits_load(const uint8_t *p) {
  return (Bits64){bits_load16(p), bits_load16(p + 16), bits_load16(p + 32), bits_load16(p + 48)};
}

static inline uint64_t bits_join(__m128i a, __m128i b, __m128i c, __m128i d) {
  uint32_t low = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
  uint32_t high = (uint32_t)_mm_movemask_epi8(c) | (uint32_t)_mm_movemask_epi8(d) << 16;
  return low | (uint64_t)high << 32;
}
#define BITS_OF(KIND, V) bits_join(KIND((V).a), KIND((V).b), KIND((V).c), KIND((V).d))

/* Bit i: p[i] is of the base64 alphabet. */
static inline uint64_t bits_letters(const uint8_t *p) {
  const Bits64 v = bits_load(p);
  return BITS_OF(bits_letters16, v);
}

static inline __m128i bits_marks16(__m128i v) {
  /* % & ' ( stand side by side, and so do [ and \\ */
  const __m128i four = _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - '%'))),
                                      _mm_set1_epi8((char)(0x80 + 4)));
  const __m128i two = _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - '['))),
                                     _mm_set1_epi8((char)(0x80 + 2)));
  const __m128i other = _mm_or_si128(
      _mm_cmpeq_epi8(v, _mm_set1_epi8('~')),
      _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('+')), _mm_cmpeq_epi8(v, _mm_set1_epi8('"'))));
  const __m128i comma = _mm_cmpeq_epi8(v, _mm_set1_epi8(','));
  const __m128i shell =
      _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('^')), _mm_cmpeq_epi8(v, _mm_set1_epi8('`')));
  return _mm_or_si128(_mm_or_si128(_mm_or_si128(four, two), shell), _mm_or_si128(other, comma));
}

static inline __m128i bits_zeros16(__m128i v) {
  return _mm_cmpeq_epi8(v, _mm_setzero_si128());
}

static inline ByteKinds bits_zeros_and_high(const uint8_t *p) {
  const Bits64 v = bits_load(p);
  return (ByteKinds){.zeros = BITS_OF(bits_zeros16, v), .high = bits_join(v.a, v.b, v.c, v.d)};
}

static inline ByteKinds bits_kinds(const uint8_t *p) {
  const Bits64 v = bits_load(p);
  ByteKinds kinds = bits_zeros_and_high(p);
  kinds.letters = BITS_OF(bits_letters16, v);
  kinds.marks = BITS_OF(bits_marks16, v);
  return kinds;
}

static inline __m128i bits_joints16(__m128i v) {
  return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('&')), _mm_cmpeq_epi8(v, _mm_set1_epi8('+')));
}

/* Bit i: p[i] is & or +. */
static inline uint64_t bits_joints(const uint8_t *p) {
  const Bits64 v = bits_load(p);
  return BITS_OF(bits_joints16, v);
}

/* Bit i: p[i] is one of four bytes. */
static inline uint64_t bits_any4(const uint8_t *p, const uint8_t *bytes) {
  const Bits64 v = bits_load(p);
  const __m128i a = _mm_set1_epi8((char)bytes[0]), b = _mm_set1_epi8((char)bytes[1]),
                c = _mm_set1_epi8((char)bytes[2]), d = _mm_set1_epi8((char)bytes[3]);
#define IS_ANY(X)                                                                                  \
  _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(X, a), _mm_cmpeq_epi8(X, b)),                           \
               _mm_or_si128(_mm_cmpeq_epi8(X, c), _mm_cmpeq_epi8(X, d)))
  return BITS_OF(IS_ANY, v);
#undef IS_ANY
}

/* Bit i: p[i] and p[i + 1] are one of four pairs. Reads p[0] to p[BITS_BYTES]. */
static inline uint64_t bits_pairs4(const uint8_t *p, const uint8_t (*pairs)[2]) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i += 16) {
    const __m128i first = bits_load16(p + i), second = bits_load16(p + i + 1);
#define IS_PAIR(N)                                                                                 \
  _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8((char)pairs[N][0])),                           \
                _mm_cmpeq_epi8(second, _mm_set1_epi8((char)pairs[N][1])))
    const __m128i any =
        _mm_or_si128(_mm_or_si128(IS_PAIR(0), IS_PAIR(1)), _mm_or_si128(IS_PAIR(2), IS_PAIR(3)));
#undef IS_PAIR
    bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << i;
  }
  return bits;
}
#else
static inline uint64_t bits_letters(const uint8_t *p) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i++) {
    uint8_t lower = p[i] | 0x20;
    bits |=
        (uint64_t)((lower >= 'a' && lower <= 'z') || (p[i] >= '/' && p[i] <= '9') || p[i] == '+')
        << i;
  }
  return bits;
}

static inline uint64_t bits_joints(const uint8_t *p) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i++)
    bits |= (uint64_t)(p[i] == '&' || p[i] == '+') << i;
  return bits;
}

static inline uint64_t bits_any4(const uint8_t *p, const uint8_t *bytes) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i++)
    bits |= (uint64_t)(p[i] == bytes[0] || p[i] == bytes[1] || p[i] == bytes[2] || p[i] == bytes[3])
            << i;
  return bits;
}

static inline uint64_t bits_pairs4(const uint8_t *p, const uint8_t (*pairs)[2]) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i++)
    for (unsigned n = 0; n < 4; n++)
      bits |= (uint64_t)(p[i] == pairs[n][0] && p[i + 1] == pairs[n][1]) << i;
  return bits;
}

static inline bool bits_is_mark(uint8_t c) {
  return c == '~' || c == '+' || c == '"' || (c >= '%' && c <= '(') || c == ',' || c == '[' ||
         c == '\\' || c == '^' || c == '`';
}

static inline ByteKinds bits_zeros_and_high(const uint8_t *p) {
  ByteKinds kinds = {0, 0, 0, 0};
  for (unsigned i = 0; i < BITS_BYTES; i++) {
    kinds.zeros |= (uint64_t)(p[i] == 0) << i;
    kinds.high |= (uint64_t)(p[i] >> 7) << i;
  }
  return kinds;
}

static inline ByteKinds bits_kinds(const uint8_t *p) {
  ByteKinds kinds = bits_zeros_and_high(p);
  kinds.letters = bits_letters(p);
  for (unsigned i = 0; i < BITS_BYTES; i++)
    kinds.marks |= (uint64_t)bits_is_mark(p[i]) << i;
  return kinds;
}
#endif
