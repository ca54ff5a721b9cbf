/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - several digests of the same bytes in one pass: by libcrypto, but for MD5 and SHA-256
 * together where the processor computes both at once. */
#include "base/digest.h"
#include "base/digest_woven.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

enum { N_DIGESTS = 3 };

struct _Digester {
  DigestSet set;
  EVP_MD_CTX *contexts[N_DIGESTS]; /* NULL: woven, not asked for, or refused by a FIPS policy */
  bool is_woven;
  WovenDigest woven;
};

/* Asked before each use: a digest of a report must not hang on how one compiler or processor takes
 * our instructions. Three blocks, so that a state is carried on. */
static bool woven_is_as_libcrypto(void) {
  static const char TEXT[150] = "MD5 and SHA-256 of these bytes, once by libcrypto";
  unsigned char md5[16], sha256[32], md5_there[EVP_MAX_MD_SIZE], sha256_there[EVP_MAX_MD_SIZE];
  WovenDigest woven;
  woven_digest_init(&woven);
  woven_digest_update(&woven, (const uint8_t *)TEXT, sizeof TEXT);
  woven_digest_finish(&woven, md5, sha256);
  return EVP_Digest(TEXT, sizeof TEXT, md5_there, NULL, EVP_md5(), NULL) == 1 &&
         EVP_Digest(TEXT, sizeof TEXT, sha256_there, NULL, EVP_sha256(), NULL) == 1 &&
         memcmp(md5, md5_there, sizeof md5) == 0 &&
         memcmp(sha256, sha256_there, sizeof sha256) == 0;
}

/* MD5 and SHA-256 have been granted: they may be computed together. */
static void weave(Digester *digester) {
  if (digester->contexts[0] == NULL || digester->contexts[2] == NULL || !woven_digest_can() ||
      !woven_is_as_libcrypto())
    return;
  g_clear_pointer(&digester->contexts[0], EVP_MD_CTX_free);
  g_clear_pointer(&digester->contexts[2], EVP_MD_CTX_free);
  woven_digest_init(&digester->woven);
  digester->is_woven = true;
}

Digester *digester_new(DigestSet set) {
  Digester *digester = g_new0(Digester, 1);
  digester->set = set;
  const EVP_MD *kinds[N_DIGESTS] = {EVP_sha256(), EVP_sha1(), EVP_md5()};
  for (int i = 0; i < N_DIGESTS; i++) {
    if (!(set & (DigestSet)(1 << i)))
      continue;
    digester->contexts[i] = EVP_MD_CTX_new();
    if (digester->contexts[i] == NULL ||
        EVP_DigestInit_ex(digester->contexts[i], kinds[i], NULL) != 1)
      g_clear_pointer(&digester->contexts[i], EVP_MD_CTX_free);
  }
  weave(digester);
  return digester;
}

void digester_update(Digester *digester, const void *bytes, size_t n) {
  if (digester->is_woven)
    woven_digest_update(&digester->woven, bytes, n);
  for (int i = 0; i < N_DIGESTS; i++)
    if (digester->contexts[i] != NULL)
      EVP_DigestUpdate(digester->contexts[i], bytes, n);
}

void digester_finish(Digester *digester, Digests *out) {
  memset(out, 0, sizeof *out);
  char *texts[N_DIGESTS] = {out->sha256, out->sha1, out->md5};
  for (int i = 0; i < N_DIGESTS; i++) {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (digester->contexts[i] == NULL ||
        EVP_DigestFinal_ex(digester->contexts[i], value, &length) != 1)
      continue;
    g_autofree char *hex = text_hex(value, length);
    memcpy(texts[i], hex, 2 * length + 1);
  }
  if (digester->is_woven) {
    unsigned char md5[16], sha256[32];
    woven_digest_finish(&digester->woven, md5, sha256);
    g_autofree char *md5_hex = text_hex(md5, sizeof md5);
    g_autofree char *sha256_hex = text_hex(sha256, sizeof sha256);
    memcpy(out->md5, md5_hex, sizeof out->md5);
    memcpy(out->sha256, sha256_hex, sizeof out->sha256);
  }
}

void digester_free(Digester *digester) {
  if (digester == NULL)
    return;
  for (int i = 0; i < N_DIGESTS; i++)
    EVP_MD_CTX_free(digester->contexts[i]);
  g_free(digester);
}

void digest_bytes(DigestSet set, const void *bytes, size_t n, Digests *out) {
  g_autoptr(Digester) digester = digester_new(set);
  digester_update(digester, bytes, n);
  digester_finish(digester, out);
}
