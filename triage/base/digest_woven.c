/* SPDX-License-Identifier: Apache-2.0 */
/* digest_woven.c - MD5 (RFC 1321) and SHA-256 (FIPS 180-4) of the same bytes, four steps of each in
 * turn.
 *
 * Why not libcrypto: MD5 is one chain in which each instruction waits for the one before it, so
 * that most of the processor idles, and a library that computes one digest after the other cannot
 * use that. SHA-256's own instructions find room in these gaps: both together take less time than
 * libcrypto's MD5 alone (0.67 of both one after the other). What an E01 stores is MD5, so each scan
 * of one needs both. The tests compare with libcrypto. */
#include "base/digest_woven.h"
#include <string.h>

enum { BLOCK = 64 };

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define SHA_CODE __attribute__((target("sha,sse4.1")))

/* Keeps the compiler from adding up in another order: what is known early is to be added first, as
 * the rest waits for the step before. */
#define IN_THIS_ORDER(value) __asm__("" : "+r"(value))

static const uint32_t MD5_ADDED[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const uint8_t MD5_TURN[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
static const uint8_t MD5_WORD_FACTOR[4] = {1, 5, 3, 7}, MD5_WORD_FIRST[4] = {0, 1, 5, 0};

static const uint32_t SHA256_ADDED[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool woven_digest_can(void) {
  unsigned a, b, c, d, b7;
  return __get_cpuid_count(7, 0, &a, &b7, &c, &d) != 0 && (b7 & bit_SHA) != 0 &&
         __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
}

/* The states are passed as values, so that they stay in registers. */
typedef struct {
  uint32_t a, b, c, d;
} Md5;

typedef struct {
  __m128i abef, cdgh;
} Sha256;

/* One step: b is what the step before made, known last. The step is a constant in each call. */
INLINE uint32_t md5_step(int step, uint32_t a, uint32_t b, uint32_t c, uint32_t d,
                         const uint8_t *block) {
  int round = step / 16, turn = MD5_TURN[round][step % 4];
  int word = (MD5_WORD_FACTOR[round] * step + MD5_WORD_FIRST[round]) % 16;
  uint32_t sum, other = round == 1 ? ~d & c : c ^ d;
  memcpy(&sum, block + (ptrdiff_t)4 * word, 4); /* little-endian, as this processor is */
  sum += a + MD5_ADDED[step];
  if (round == 1) /* no bit is in both halves of the choice, so they can be added apart */
    sum += other;
  IN_THIS_ORDER(sum);
  IN_THIS_ORDER(other);
  sum += round == 0 ? d ^ (b & other) : round == 1 ? d & b : round == 2 ? b ^ other : c ^ (b | ~d);
  return (sum << turn | sum >> (32 - turn)) + b;
}

/* Steps 4 * group to 4 * group + 3; the group is a constant in each call. */
INLINE Md5 md5_steps(int group, Md5 s, const uint8_t *block) {
  s.a = md5_step(4 * group, s.a, s.b, s.c, s.d, block);
  s.d = md5_step(4 * group + 1, s.d, s.a, s.b, s.c, block);
  s.c = md5_step(4 * group + 2, s.c, s.d, s.a, s.b, block);
  s.b = md5_step(4 * group + 3, s.b, s.c, s.d, s.a, block);
  return s;
}

/* Rounds 4 * group to 4 * group + 3. now: the words of these rounds, become those sixteen later. */
INLINE SHA_CODE Sha256 sha256_rounds(int group, Sha256 s, __m128i *now, __m128i next, __m128i far,
                                     __m128i last) {
  __m128i sum = _mm_add_epi32(*now, _mm_load_si128((const __m128i *)SHA256_ADDED + group));
  s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, sum);
  if (group < 12) {
    __m128i half = _mm_add_epi32(_mm_sha256msg1_epu32(*now, next), _mm_alignr_epi8(last, far, 4));
    *now = _mm_sha256msg2_epu32(half, last);
  }
  s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(sum, 0x0e));
  return s;
}

INLINE SHA_CODE __m128i big_endian(const uint8_t *bytes) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), order);
}

#define FOUR_OF_EACH(group, now, next, far, last)                                                  \
  md5 = md5_steps(group, md5, bytes);                                                              \
  sha = sha256_rounds(group, sha, &(now), next, far, last)

#define SIXTEEN_OF_EACH(round)                                                                     \
  FOUR_OF_EACH(4 * (round), w0, w1, w2, w3);                                                       \
  FOUR_OF_EACH(4 * (round) + 1, w1, w2, w3, w0);                                                   \
  FOUR_OF_EACH(4 * (round) + 2, w2, w3, w0, w1);                                                   \
  FOUR_OF_EACH(4 * (round) + 3, w3, w0, w1, w2)

SHA_CODE static void add_blocks(WovenDigest *digest, const uint8_t *bytes, size_t n_blocks) {
  Md5 md5 = {digest->md5[0], digest->md5[1], digest->md5[2], digest->md5[3]};
  __m128i abcd = _mm_loadu_si128((const __m128i *)digest->sha256);
  __m128i efgh = _mm_loadu_si128((const __m128i *)(digest->sha256 + 4));
  abcd = _mm_shuffle_epi32(abcd, 0xb1);
  efgh = _mm_shuffle_epi32(efgh, 0x1b);
  Sha256 sha = {_mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xf0)};
  for (; n_blocks > 0; n_blocks--, bytes += BLOCK) {
    Md5 md5_before = md5;
    Sha256 sha_before = sha;
    __m128i w0 = big_endian(bytes), w1 = big_endian(bytes + 16);
    __m128i w2 = big_endian(bytes + 32), w3 = big_endian(bytes + 48);
    SIXTEEN_OF_EACH(0);
    SIXTEEN_OF_EACH(1);
    SIXTEEN_OF_EACH(2);
    SIXTEEN_OF_EACH(3);
    md5 = (Md5){md5.a + md5_before.a, md5.b + md5_before.b, md5.c + md5_before.c,
                md5.d + md5_before.d};
    sha = (Sha256){_mm_add_epi32(sha.abef, sha_before.abef),
                   _mm_add_epi32(sha.cdgh, sha_before.cdgh)};
  }
  memcpy(digest->md5, &md5, sizeof digest->md5);
  abcd = _mm_shuffle_epi32(sha.abef, 0x1b);
  efgh = _mm_shuffle_epi32(sha.cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)digest->sha256, _mm_blend_epi16(abcd, efgh, 0xf0));
  _mm_storeu_si128((__m128i *)(digest->sha256 + 4), _mm_alignr_epi8(efgh, abcd, 8));
}
#else
bool woven_digest_can(void) {
  return false;
}

static void add_blocks(WovenDigest *digest, const uint8_t *bytes, size_t n_blocks) {
  (void)digest, (void)bytes, (void)n_blocks;
}
#endif

void woven_digest_init(WovenDigest *digest) {
  *digest = (WovenDigest){.md5 = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
                          .sha256 = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void woven_digest_update(WovenDigest *digest, const uint8_t *bytes, size_t n) {
  size_t kept = (size_t)(digest->n % BLOCK);
  if (n == 0) /* bytes may be NULL then */
    return;
  digest->n += n;
  if (kept > 0) {
    size_t more = n < BLOCK - kept ? n : BLOCK - kept;
    memcpy(digest->part + kept, bytes, more);
    if (kept + more < BLOCK)
      return;
    add_blocks(digest, digest->part, 1);
    bytes += more, n -= more;
  }
  add_blocks(digest, bytes, n / BLOCK);
  memcpy(digest->part, bytes + n / BLOCK * BLOCK, n % BLOCK);
}

/* Both end with a bit, zeros, and the length in bits at the end of a block; they differ in how that
 * is written. */
void woven_digest_finish(WovenDigest *digest, uint8_t md5[16], uint8_t sha256[32]) {
  uint8_t end[2 * BLOCK] = {0};
  size_t kept = (size_t)(digest->n % BLOCK), n_blocks = kept + 9 > BLOCK ? 2 : 1;
  uint64_t bits = digest->n * 8;
  memcpy(end, digest->part, kept);
  end[kept] = 0x80;
  WovenDigest other = *digest;
  for (size_t i = 0; i < 8; i++)
    end[n_blocks * BLOCK - 8 + i] = (uint8_t)(bits >> 8 * i);
  add_blocks(digest, end, n_blocks);
  for (size_t i = 0; i < 8; i++)
    end[n_blocks * BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
  add_blocks(&other, end, n_blocks);
  for (size_t i = 0; i < 16; i++)
    md5[i] = (uint8_t)(digest->md5[i / 4] >> i % 4 * 8);
  for (size_t i = 0; i < 32; i++)
    sha256[i] = (uint8_t)(other.sha256[i / 4] >> (3 - i % 4) * 8);
}
