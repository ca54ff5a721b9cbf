/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - several digests of the same bytes in one pass. */
#include "base/digest.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <string.h>

enum { N_DIGESTS = 3 };

struct _Digester {
  DigestSet set;
  EVP_MD_CTX *contexts[N_DIGESTS]; /* NULL: not asked for, or refused by a FIPS policy */
};

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
  return digester;
}

void digester_update(Digester *digester, const void *bytes, size_t n) {
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
