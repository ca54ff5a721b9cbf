/* SPDX-License-Identifier: Apache-2.0 */
/* sector_cipher.c - the ciphers are libgcrypt's; what is here is how sectors are numbered. */
#include "evidence/sector_cipher.h"
#include "triage/error.h"
#include <gcrypt.h>
#include <string.h>

enum { IV_BYTES = 16, UNIT = 512 };
typedef enum { IV_NULL, IV_PLAIN, IV_PLAIN64, IV_PLAIN64BE, IV_ESSIV } IvKind;

struct _SectorCipher {
  gcry_cipher_hd_t data, numbers; /* numbers: of ESSIV, else NULL */
  IvKind iv;
  size_t sector_bytes;
};

/* libgcrypt's number of a cipher by its name and the bytes of one key; 0: it is not read. */
static int find_cipher(const char *name, size_t n_key) {
  if (strcmp(name, "aes") != 0)
    return 0;
  return n_key == 16   ? GCRY_CIPHER_AES128
         : n_key == 24 ? GCRY_CIPHER_AES192
         : n_key == 32 ? GCRY_CIPHER_AES256
                       : 0;
}

/* ESSIV: numbers are encrypted with the digest of the key. */
static bool set_essiv(SectorCipher *cipher, const char *name, const char *hash, const uint8_t *key,
                      size_t n_key) {
  uint8_t digest[64];
  int md = gcry_md_map_name(hash);
  size_t n = md != 0 ? gcry_md_get_algo_dlen(md) : 0;
  int id = n > 0 && n <= sizeof digest ? find_cipher(name, n) : 0;
  if (id == 0)
    return false;
  gcry_md_hash_buffer(md, digest, key, n_key);
  return gcry_cipher_open(&cipher->numbers, id, GCRY_CIPHER_MODE_ECB, 0) == 0 &&
         gcry_cipher_setkey(cipher->numbers, digest, n) == 0;
}

static bool set_iv(SectorCipher *cipher, const char *name, const char *iv, const uint8_t *key,
                   size_t n_key) {
  static const char *const NAMES[] = {"null", "plain", "plain64", "plain64be"};
  for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
    if (strcmp(iv, NAMES[i]) == 0) {
      cipher->iv = (IvKind)i;
      return true;
    }
  cipher->iv = IV_ESSIV;
  return g_str_has_prefix(iv, "essiv:") &&
         set_essiv(cipher, name, iv + strlen("essiv:"), key, n_key);
}

SectorCipher *sector_cipher_new(const char *method, const uint8_t *key, size_t n_key,
                                size_t sector_bytes, GError **error) {
  g_autoptr(SectorCipher) cipher = g_new0(SectorCipher, 1);
  cipher->sector_bytes = sector_bytes;
  g_auto(GStrv) parts = g_strsplit(method, "-", 3); /* cipher, mode, numbering */
  bool is_xts = g_strv_length(parts) == 3 && strcmp(parts[1], "xts") == 0;
  bool is_cbc = g_strv_length(parts) == 3 && strcmp(parts[1], "cbc") == 0;
  int id = is_xts   ? (n_key % 2 == 0 ? find_cipher(parts[0], n_key / 2) : 0)
           : is_cbc ? find_cipher(parts[0], n_key)
                    : 0;
  if (id == 0 ||
      gcry_cipher_open(&cipher->data, id, is_xts ? GCRY_CIPHER_MODE_XTS : GCRY_CIPHER_MODE_CBC,
                       0) != 0 ||
      gcry_cipher_setkey(cipher->data, key, n_key) != 0 ||
      !set_iv(cipher, parts[0], parts[2], key, n_key)) {
    triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                "its cipher cannot be read: %.64s with a key of %zu bytes", method, n_key);
    return NULL;
  }
  return g_steal_pointer(&cipher);
}

void sector_cipher_free(SectorCipher *cipher) {
  if (cipher == NULL)
    return;
  gcry_cipher_close(cipher->data);
  gcry_cipher_close(cipher->numbers);
  g_free(cipher);
}

static bool make_iv(SectorCipher *cipher, uint64_t number, uint8_t iv[IV_BYTES]) {
  memset(iv, 0, IV_BYTES);
  if (cipher->iv == IV_NULL)
    return true;
  if (cipher->iv == IV_PLAIN)
    number &= UINT32_MAX;
  for (int i = 0; i < 8; i++)
    iv[cipher->iv == IV_PLAIN64BE ? IV_BYTES - 1 - i : i] = (uint8_t)(number >> (8 * i));
  return cipher->iv != IV_ESSIV || gcry_cipher_encrypt(cipher->numbers, iv, IV_BYTES, NULL, 0) == 0;
}

bool sector_cipher_decrypt(SectorCipher *cipher, uint64_t first, uint8_t *bytes, size_t n) {
  for (size_t at = 0; at + cipher->sector_bytes <= n; at += cipher->sector_bytes) {
    uint8_t iv[IV_BYTES];
    if (!make_iv(cipher, first + at / UNIT, iv) || gcry_cipher_reset(cipher->data) != 0 ||
        gcry_cipher_setiv(cipher->data, iv, IV_BYTES) != 0 ||
        gcry_cipher_decrypt(cipher->data, bytes + at, cipher->sector_bytes, NULL, 0) != 0)
      return false;
  }
  return true;
}
