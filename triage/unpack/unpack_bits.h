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

enum { BITS_BYTES = 64 };

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

/* Bit i: p[i] is of the base64 alphabet. */
static inline uint64_t bits_letters(const uint8_t *p) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < 4; i++) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * i));
    bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(bits_letters16(v)) << (16 * i);
  }
  return bits;
}

/* Bit i: p[i] is one of four bytes. */
static inline uint64_t bits_any4(const uint8_t *p, const uint8_t *bytes) {
  uint64_t bits = 0;
  const __m128i a = _mm_set1_epi8((char)bytes[0]), b = _mm_set1_epi8((char)bytes[1]),
                c = _mm_set1_epi8((char)bytes[2]), d = _mm_set1_epi8((char)bytes[3]);
  for (unsigned i = 0; i < 4; i++) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * i));
    __m128i is_any = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, a), _mm_cmpeq_epi8(v, b)),
                                  _mm_or_si128(_mm_cmpeq_epi8(v, c), _mm_cmpeq_epi8(v, d)));
    bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(is_any) << (16 * i);
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

static inline uint64_t bits_any4(const uint8_t *p, const uint8_t *bytes) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < BITS_BYTES; i++)
    bits |= (uint64_t)(p[i] == bytes[0] || p[i] == bytes[1] || p[i] == bytes[2] || p[i] == bytes[3])
            << i;
  return bits;
}
#endif
