/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - MD5, SHA-1 and SHA-256 in one pass (libcrypto EVP). */
#pragma once
#include <glib.h>
#include <stdint.h>

typedef enum { DIGEST_SHA256 = 1, DIGEST_SHA1 = 2, DIGEST_MD5 = 4, DIGEST_ALL = 7 } DigestSet;

typedef struct {
  char sha256[65], sha1[41], md5[33]; /* lower-case hex; empty where not asked for */
} Digests;

typedef struct _Digester Digester;
Digester *digester_new(DigestSet set); /* (transfer full) */
void digester_update(Digester *digester, const void *bytes, size_t n);
void digester_finish(Digester *digester, Digests *out); /* once; then only free */
void digester_free(Digester *digester);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Digester, digester_free)

/* All digests of set over n bytes. */
void digest_bytes(DigestSet set, const void *bytes, size_t n, Digests *out);
