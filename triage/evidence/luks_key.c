/* SPDX-License-Identifier: Apache-2.0 */
/* luks_key.c - from a passphrase to the volume's key: the slot's key is derived, the stripes are
 * decrypted and merged, and the header's digest says whether that is it. */
#include "base/limits.h"
#include "evidence/image_format.h"
#include "evidence/luks.h"
#include <gcrypt.h>
#include <string.h>

enum { AREA_SECTOR = 512, HASH_MAX = 64 };

void luks_warm_up(void) {
  gcry_check_version(NULL);
  gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
  gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static bool take(uint64_t *left, uint64_t cost) {
  if (cost > *left)
    return false;
  *left -= cost;
  return true;
}

static bool derive_argon2(const LuksKdf *kdf, const void *secret, size_t n_secret, uint8_t *out,
                          size_t n_out) {
  const unsigned long params[] = {n_out, kdf->rounds, kdf->memory_kib, kdf->lanes};
  gcry_kdf_hd_t handle;
  if (gcry_kdf_open(&handle, GCRY_KDF_ARGON2,
                    kdf->kind == LUKS_ARGON2I ? GCRY_KDF_ARGON2I : GCRY_KDF_ARGON2ID, params,
                    G_N_ELEMENTS(params), secret, n_secret, kdf->salt, kdf->n_salt, NULL, 0, NULL,
                    0) != 0)
    return false;
  bool ok = gcry_kdf_compute(handle, NULL) == 0 && gcry_kdf_final(handle, n_out, out) == 0;
  gcry_kdf_close(handle);
  return ok;
}

static LuksAnswer derive(const LuksKdf *kdf, const void *secret, size_t n_secret, uint8_t *out,
                         size_t n_out, LuksBudget *budget) {
  if (kdf->kind == LUKS_PBKDF2) {
    size_t n_hash = MAX(1, gcry_md_get_algo_dlen(kdf->hash));
    if (!take(&budget->rounds, (uint64_t)kdf->rounds * ((n_out + n_hash - 1) / n_hash)))
      return LUKS_TOO_COSTLY;
    return gcry_kdf_derive(secret, n_secret, GCRY_KDF_PBKDF2, kdf->hash, kdf->salt, kdf->n_salt,
                           kdf->rounds, n_out, out) == 0
               ? LUKS_OPEN
               : LUKS_WRONG;
  }
  if (kdf->memory_kib > LIMIT_ARGON_MEMORY / KIB ||
      !take(&budget->argon_kib, (uint64_t)kdf->memory_kib * kdf->rounds))
    return LUKS_TOO_COSTLY;
  return derive_argon2(kdf, secret, n_secret, out, n_out) ? LUKS_OPEN : LUKS_WRONG;
}

/* Each piece of the block becomes the digest of its number and itself. */
static void diffuse(int hash, uint8_t *block, size_t n) {
  size_t n_hash = gcry_md_get_algo_dlen(hash);
  uint8_t piece[4 + HASH_MAX], digest[HASH_MAX];
  for (size_t at = 0; at < n; at += n_hash) {
    size_t length = MIN(n_hash, n - at), number = at / n_hash;
    for (int i = 0; i < 4; i++)
      piece[i] = (uint8_t)(number >> (24 - 8 * i));
    memcpy(piece + 4, block + at, length);
    gcry_md_hash_buffer(hash, digest, piece, 4 + length);
    memcpy(block + at, digest, length);
  }
}

static void merge(const LuksSlot *slot, const uint8_t *stripes, uint8_t *key) {
  memset(key, 0, slot->key_bytes);
  for (uint32_t i = 0; i < slot->stripes; i++) {
    for (size_t k = 0; k < slot->key_bytes; k++)
      key[k] ^= stripes[i * slot->key_bytes + k];
    if (i + 1 < slot->stripes)
      diffuse(slot->hash, key, slot->key_bytes);
  }
}

LuksAnswer luks_try(const DerivedBase *base, const Luks *luks, const LuksSlot *slot,
                    const char *passphrase, LuksBudget *budget, uint8_t *key) {
  uint8_t area_key[CIPHER_KEY_MAX], digest[LUKS_DIGEST_MAX];
  size_t n =
      ((size_t)slot->stripes * slot->key_bytes + AREA_SECTOR - 1) / AREA_SECTOR * AREA_SECTOR;
  LuksAnswer answer =
      derive(&slot->kdf, passphrase, strlen(passphrase), area_key, slot->area_key_bytes, budget);
  if (answer != LUKS_OPEN)
    return answer;
  g_autoptr(SectorCipher) cipher =
      sector_cipher_new(slot->method, area_key, slot->area_key_bytes, AREA_SECTOR, NULL);
  if (cipher == NULL)
    return LUKS_WRONG;
  g_autofree uint8_t *stripes = g_malloc0(n);
  image_read(base->base, base->offset + slot->area, stripes, n);
  if (!sector_cipher_decrypt(cipher, 0, stripes, n))
    return LUKS_WRONG;
  merge(slot, stripes, key);
  const LuksDigest *expected = &luks->digests[slot->digest];
  answer = derive(&expected->kdf, key, slot->key_bytes, digest, expected->n, budget);
  return answer != LUKS_OPEN || memcmp(digest, expected->value, expected->n) == 0 ? answer
                                                                                  : LUKS_WRONG;
}
