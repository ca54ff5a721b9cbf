/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - PBKDF2 with a constant salt: the same password gives the same digest in every case. */
#include "base/secret.h"
#include "base/limits.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <string.h>

enum { ROUNDS = 4096, BYTES = (SECRET_DIGEST - 1) / 2 };

void secret_digest(const char *secret, char out[SECRET_DIGEST]) {
  static const unsigned char SALT[] = "triage: the same password?";
  unsigned char digest[BYTES] = {0};
  g_autofree char *hex = NULL;
  if (PKCS5_PBKDF2_HMAC(secret, (int)MIN(strlen(secret), 4096), SALT, sizeof SALT - 1, ROUNDS,
                        EVP_sha256(), BYTES, digest) == 1)
    hex = text_hex(digest, BYTES);
  g_strlcpy(out, hex != NULL ? hex : "", SECRET_DIGEST);
}

bool secrets_are_digests(const char *list) {
  enum { EACH = SECRET_DIGEST - 1 };
  for (guint i = 0; *list != '\0'; i++, list += EACH) {
    if (i > 0 && *list++ != ';')
      return false;
    if (i >= LIMIT_SECRETS || strspn(list, "0123456789abcdef") != EACH)
      return false;
  }
  return true;
}
