/* SPDX-License-Identifier: Apache-2.0 */
/* digest_woven.h - private to digest.c: MD5 and SHA-256 of the same bytes as one stream of
 * instructions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t md5[4], sha256[8];
  uint64_t n;       /* bytes so far */
  uint8_t part[64]; /* the last n % 64 of them */
} WovenDigest;

/* False: this processor has no instructions for SHA-256, and the others must not be called. */
bool woven_digest_can(void);
void woven_digest_init(WovenDigest *digest);
void woven_digest_update(WovenDigest *digest, const uint8_t *bytes, size_t n);
void woven_digest_finish(WovenDigest *digest, uint8_t md5[16], uint8_t sha256[32]);
