/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_triples.h - the kinds of 64 bytes (unpack_bits.h) with AVX2 or AVX-512, and of the bytes
 * that encodings are told by only those whose two neighbours behind them leave it possible: in text
 * most quotes and parentheses are none of them. Which processor has it is asked at run time. */
#pragma once
#include "unpack/unpack_bits.h"
#if defined(__SSE2__) && defined(__GNUC__)
#include <immintrin.h>
#define TRIPLES_TARGET __attribute__((target("avx2")))
#define TRIPLES_WIDE_TARGET __attribute__((target("avx512f,avx512bw")))

enum { TRIPLE_AHEAD = 2, TRIPLE_SETS = 2 };

/* A kind of triple is a column: for each of its three bytes a set of low and one of high halves
 * (bit n: n is of it). A set of halves may let in a byte too many, never one too few.
 *
 * Of set 0:
 * - + and A to L, UTF-7: the first letter of what is no high character; a letter;
 * - a backslash and one of / x u or a digit; any byte;
 * - % and 2 to 7 or u; a hexadecimal digit;
 * - a letter and a backtick; a letter;
 * - & and a letter; a letter;
 * - & and #; a digit or x;
 * - [ and c, s, a quote, a blank or a comment, of [char], [string] and lists; any byte;
 * - any byte of ASCII and ^, of VBE's mark and of words broken up; any byte.
 *
 * Of set 1:
 * - a quote and one of & + - . / $ (joints, -replace, -f, .replace, .split, .concat, comments and
 *   variables in a literal); a blank, a quote, ( [ { a letter or *;
 * - & or + and a blank; a quote or $;
 * - a quote and a blank; a blank, a comment or one of & + -;
 * - ( and a quote, [, a blank or a comment, of lists; any byte;
 * - a quote and a blank, _ or a backtick; _, a backtick, a space or line break;
 * - a digit and a comma, of lists of numbers; any byte;
 * - the last two letters of a function that folds, or one and $; (
 * - & or + and a quote or $; any byte */
#define HALF_OF(SET, N, BIT) ((((SET) >> (N)) & 1u) << (BIT))
#define HALF(N, A, B, C, D, E, F, G, H)                                                            \
  (uint8_t)(HALF_OF(A, N, 0) | HALF_OF(B, N, 1) | HALF_OF(C, N, 2) | HALF_OF(D, N, 3) |            \
            HALF_OF(E, N, 4) | HALF_OF(F, N, 5) | HALF_OF(G, N, 6) | HALF_OF(H, N, 7))
#define HALVES(...)                                                                                \
  {                                                                                                \
    HALF(0, __VA_ARGS__), HALF(1, __VA_ARGS__), HALF(2, __VA_ARGS__), HALF(3, __VA_ARGS__),        \
        HALF(4, __VA_ARGS__), HALF(5, __VA_ARGS__), HALF(6, __VA_ARGS__), HALF(7, __VA_ARGS__),    \
        HALF(8, __VA_ARGS__), HALF(9, __VA_ARGS__), HALF(10, __VA_ARGS__), HALF(11, __VA_ARGS__),  \
        HALF(12, __VA_ARGS__), HALF(13, __VA_ARGS__), HALF(14, __VA_ARGS__), HALF(15, __VA_ARGS__) \
  }

/* [set][byte][0 low, 1 high] */
static const uint8_t TRIPLE_HALVES[TRIPLE_SETS][3][2][16] = {
    {{HALVES(0x0800, 0x1000, 0x0020, 0xFFFF, 0x0040, 0x0040, 0x0800, 0xFFFF),
      HALVES(0x0004, 0x0020, 0x0004, 0x00F0, 0x0004, 0x0004, 0x0020, 0x00FC)},
     {HALVES(0x1FFE, 0x81FF, 0x00FC, 0x0001, 0xFFFF, 0x0008, 0xA68D, 0x4000),
      HALVES(0x0010, 0x008C, 0x0088, 0x0040, 0x00F0, 0x0004, 0x00F5, 0x0020)},
     {HALVES(0xFFFF, 0xFFFF, 0x03FF, 0xFFFF, 0xFFFF, 0x03FF, 0xFFFF, 0xFFFF),
      HALVES(0x00FC, 0xFFFF, 0x0058, 0x00F0, 0x00F0, 0x00A8, 0xFFFF, 0xFFFF)}},
    {{HALVES(0x0084, 0x0840, 0x0084, 0x0100, 0x0084, 0x03FF, 0xC3BF, 0x0840),
      HALVES(0x0004, 0x0004, 0x0004, 0x0004, 0x0004, 0x0008, 0x00F0, 0x0004)},
     {HALVES(0xE850, 0x0201, 0x2601, 0xAE85, 0xA601, 0x1000, 0x70B4, 0x0094),
      HALVES(0x0004, 0x0005, 0x0005, 0x0065, 0x0065, 0x0004, 0x00F4, 0x0004)},
     {HALVES(0xFFFF, 0x0094, 0xAE41, 0xFFFF, 0xA401, 0xFFFF, 0x0100, 0xFFFF),
      HALVES(0x00F5, 0x0004, 0x0005, 0x00FF, 0x0065, 0x00FF, 0x0004, 0x00FF)}}};

/* Columns of each set whose third byte may be one above ASCII too, for which no table is asked. */
enum { TRIPLE_ANY_THIRD_OF_0 = 0xC2, TRIPLE_ANY_THIRD_OF_1 = 0xA8 };
/* The columns, set 1 above set 0, that tell of a view. */
enum {
  TRIPLES_OF_UTF7 = 0x01,
  TRIPLES_OF_ESCAPES = 0x06,
  TRIPLES_OF_ENTITIES = 0x30,
  TRIPLES_OF_FOLDED = 0xDF40,
  TRIPLES_OF_CODES = 0x2000,
  TRIPLES_OF_VBE = 0x80,
  TRIPLES_OF_SHELL = 0x88
};

static inline bool triples_can(void) {
  return __builtin_cpu_supports("avx2") != 0;
}

TRIPLES_TARGET static inline __m256i triples_load(const uint8_t *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

TRIPLES_TARGET static inline __m256i triples_halves(const uint8_t *halves) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)halves));
}

/* The columns of a set that the byte may be in; of a byte above ASCII none, by what a shuffle does
 * with it. */
TRIPLES_TARGET static inline __m256i triples_class(unsigned set, unsigned byte, __m256i v,
                                                   __m256i high) {
  return _mm256_and_si256(_mm256_shuffle_epi8(triples_halves(TRIPLE_HALVES[set][byte][0]), v),
                          _mm256_shuffle_epi8(triples_halves(TRIPLE_HALVES[set][byte][1]), high));
}

TRIPLES_TARGET static inline __m256i triples_high(__m256i v) {
  return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0F));
}

/* Bit i: a triple of a column that is open begins at p[i]. Reads p[0] to p[33]. */
TRIPLES_TARGET static inline uint32_t triples_at(const uint8_t *p, __m256i v, unsigned open) {
  const __m256i second = triples_load(p + 1), third = triples_load(p + 2);
  const __m256i high = triples_high(v), second_high = triples_high(second),
                third_high = triples_high(third);
  __m256i a =
      _mm256_and_si256(triples_class(0, 0, v, high), triples_class(0, 1, second, second_high));
  a = _mm256_and_si256(a, _mm256_or_si256(triples_class(0, 2, third, third_high),
                                          _mm256_set1_epi8((char)TRIPLE_ANY_THIRD_OF_0)));
  __m256i b =
      _mm256_and_si256(triples_class(1, 0, v, high), triples_class(1, 1, second, second_high));
  b = _mm256_and_si256(b, _mm256_or_si256(triples_class(1, 2, third, third_high),
                                          _mm256_set1_epi8((char)TRIPLE_ANY_THIRD_OF_1)));
  a = _mm256_and_si256(a, _mm256_set1_epi8((char)(open & 0xFF)));
  b = _mm256_and_si256(b, _mm256_set1_epi8((char)(open >> 8)));
  const __m256i none = _mm256_cmpeq_epi8(_mm256_or_si256(a, b), _mm256_setzero_si256());
  return ~(uint32_t)_mm256_movemask_epi8(none);
}

TRIPLES_TARGET static inline uint32_t triples_letters(__m256i v) {
  const __m256i lower = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
  const __m256i letter =
      _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(0x80 + 26)),
                        _mm256_add_epi8(lower, _mm256_set1_epi8((char)(0x80 - 'a'))));
  const __m256i digit = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(0x80 + 11)),
                                          _mm256_add_epi8(v, _mm256_set1_epi8((char)(0x80 - '/'))));
  const __m256i plus = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('+'));
  return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(letter, digit), plus));
}

#define TRIPLES_JOIN(LOW, HIGH) ((uint64_t)(uint32_t)(LOW) | (uint64_t)(uint32_t)(HIGH) << 32)

/* As bits_letters. */
TRIPLES_TARGET static inline uint64_t triples_letters64(const uint8_t *p) {
  return TRIPLES_JOIN(triples_letters(triples_load(p)), triples_letters(triples_load(p + 32)));
}

/* As bits_kinds; its marks are where triples of open columns begin. Reads p[0] to
 * p[BITS_BYTES + TRIPLE_AHEAD - 1]. */
TRIPLES_TARGET static inline ByteKinds triples_kinds(const uint8_t *p, unsigned open) {
  const __m256i low = triples_load(p), high = triples_load(p + 32), zero = _mm256_setzero_si256();
  return (ByteKinds){.zeros = TRIPLES_JOIN(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero)),
                                           _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero))),
                     .high = TRIPLES_JOIN(_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)),
                     .letters = TRIPLES_JOIN(triples_letters(low), triples_letters(high)),
                     .marks =
                         TRIPLES_JOIN(triples_at(p, low, open), triples_at(p + 32, high, open))};
}

/* ---- the same in registers of 64 bytes ---- */

static inline bool triples_can_wide(void) {
  return __builtin_cpu_supports("avx512bw") != 0;
}

TRIPLES_WIDE_TARGET static inline __m512i triples_wide_load(const uint8_t *p) {
  return _mm512_loadu_si512((const void *)p);
}

TRIPLES_WIDE_TARGET static inline __m512i triples_wide_class(unsigned set, unsigned byte, __m512i v,
                                                             __m512i high) {
  const __m512i low_halves = _mm512_broadcast_i32x4(
      _mm_loadu_si128((const __m128i *)(const void *)TRIPLE_HALVES[set][byte][0]));
  const __m512i high_halves = _mm512_broadcast_i32x4(
      _mm_loadu_si128((const __m128i *)(const void *)TRIPLE_HALVES[set][byte][1]));
  return _mm512_and_si512(_mm512_shuffle_epi8(low_halves, v),
                          _mm512_shuffle_epi8(high_halves, high));
}

TRIPLES_WIDE_TARGET static inline __m512i triples_wide_high(__m512i v) {
  return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(0x0F));
}

TRIPLES_WIDE_TARGET static inline uint64_t triples_wide_at(const uint8_t *p, __m512i v,
                                                           unsigned open) {
  const __m512i second = triples_wide_load(p + 1), third = triples_wide_load(p + 2);
  const __m512i high = triples_wide_high(v), second_high = triples_wide_high(second),
                third_high = triples_wide_high(third);
  __m512i a = _mm512_and_si512(triples_wide_class(0, 0, v, high),
                               triples_wide_class(0, 1, second, second_high));
  a = _mm512_and_si512(a, _mm512_or_si512(triples_wide_class(0, 2, third, third_high),
                                          _mm512_set1_epi8((char)TRIPLE_ANY_THIRD_OF_0)));
  __m512i b = _mm512_and_si512(triples_wide_class(1, 0, v, high),
                               triples_wide_class(1, 1, second, second_high));
  b = _mm512_and_si512(b, _mm512_or_si512(triples_wide_class(1, 2, third, third_high),
                                          _mm512_set1_epi8((char)TRIPLE_ANY_THIRD_OF_1)));
  return _mm512_test_epi8_mask(a, _mm512_set1_epi8((char)(open & 0xFF))) |
         _mm512_test_epi8_mask(b, _mm512_set1_epi8((char)(open >> 8)));
}

TRIPLES_WIDE_TARGET static inline uint64_t triples_wide_letters(__m512i v) {
  const __m512i lower = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
  return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(lower, _mm512_set1_epi8('a')),
                                _mm512_set1_epi8(26)) |
         _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8('/')), _mm512_set1_epi8(11)) |
         _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('+'));
}

/* As triples_kinds. */
TRIPLES_WIDE_TARGET static inline ByteKinds triples_wide_kinds(const uint8_t *p, unsigned open) {
  const __m512i v = triples_wide_load(p);
  return (ByteKinds){.zeros = _mm512_testn_epi8_mask(v, v),
                     .high = _mm512_movepi8_mask(v),
                     .letters = triples_wide_letters(v),
                     .marks = triples_wide_at(p, v, open)};
}
#endif
