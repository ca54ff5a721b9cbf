/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rarcrypt.c - see unpack_rarcrypt.h. RAR 5: PBKDF2 with HMAC-SHA256, AES-256. RAR 3: SHA-1
 * over password and salt again and again, AES-128. */
#include "unpack/unpack_rarcrypt.h"
#include "base/keyhash.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
  CYCLES_MAX = 24,
  HASH_ROUNDS = 16, /* more than the key's, for the key of checksums */
  CHECK_ROUNDS = 32,
  RAR3_ROUNDS = 0x40000,
  RAR3_PASSWORD_MAX = 28, /* characters; RAR's own SHA-1 is none where more are hashed at once */
  STEP_BYTES = 64 * 1024
};

struct _RarKeys {
  Unpack *unpack;
  GHashTable *known; /* GBytes of what was asked for to RarKey, or to NULL where none fits */
  uint64_t rounds_left;
  bool is_spent;
};

RarKeys *rar_keys_new(Unpack *unpack) {
  RarKeys *keys = g_new0(RarKeys, 1);
  keys->unpack = unpack;
  keys->known =
      g_hash_table_new_full(keyhash_bytes, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
  keys->rounds_left = LIMIT_PASSWORD_ROUNDS;
  return keys;
}

void rar_keys_free(RarKeys *keys) {
  if (keys == NULL)
    return;
  g_hash_table_unref(keys->known);
  g_free(keys);
}

bool rar_keys_spent(const RarKeys *keys) {
  return keys->is_spent;
}

static bool spend(RarKeys *keys, uint64_t rounds) {
  if (rounds > keys->rounds_left)
    keys->is_spent = true;
  else
    keys->rounds_left -= rounds;
  return !keys->is_spent && unpack_alive(keys->unpack, MIB);
}

/* ---- RAR 5 ---- */

static bool derive(RarKeys *keys, const char *password, const Rar5Secret *secret, unsigned more,
                   uint8_t *out) {
  int rounds = (1 << secret->cycles) + (int)more;
  return spend(keys, (uint64_t)rounds) &&
         PKCS5_PBKDF2_HMAC(password, (int)strlen(password), secret->salt, RAR5_SALT, rounds,
                           EVP_sha256(), 32, out) == 1;
}

static bool does_fit(RarKeys *keys, const char *password, const Rar5Secret *secret) {
  uint8_t value[32], check[RAR5_CHECK] = {0};
  if (!derive(keys, password, secret, CHECK_ROUNDS, value))
    return false;
  for (size_t i = 0; i < sizeof value; i++)
    check[i % RAR5_CHECK] ^= value[i];
  return memcmp(check, secret->check, RAR5_CHECK) == 0;
}

const RarKey *rar5_key(RarKeys *keys, const Rar5Secret *secret) {
  const GPtrArray *passwords = keys->unpack->options->passwords;
  g_autoptr(GBytes) asked = g_bytes_new(secret, sizeof *secret);
  gpointer known = NULL;
  if (g_hash_table_lookup_extended(keys->known, asked, NULL, &known))
    return known;
  RarKey *key = NULL;
  for (guint i = 0; passwords != NULL && i < passwords->len && key == NULL; i++) {
    const char *password = passwords->pdata[i];
    if (keys->is_spent || keys->unpack->is_stopped || secret->cycles > CYCLES_MAX)
      break;
    if (!does_fit(keys, password, secret))
      continue;
    key = g_new0(RarKey, 1);
    if (!derive(keys, password, secret, 0, key->key) ||
        !derive(keys, password, secret, HASH_ROUNDS, key->hash_key))
      g_clear_pointer(&key, g_free);
  }
  g_hash_table_insert(keys->known, g_steal_pointer(&asked), key);
  return key;
}

uint32_t rar5_mac_of_crc(const RarKey *key, uint32_t crc) {
  uint8_t raw[4], digest[EVP_MAX_MD_SIZE] = {0};
  unsigned n = 0;
  uint32_t mac = 0;
  for (unsigned i = 0; i < 4; i++)
    raw[i] = (uint8_t)(crc >> 8 * i);
  HMAC(EVP_sha256(), key->hash_key, sizeof key->hash_key, raw, sizeof raw, digest, &n);
  for (unsigned i = 0; i < n; i++)
    mac ^= (uint32_t)digest[i] << 8 * (i & 3);
  return mac;
}

/* ---- RAR 3 ---- */

static bool derive3(RarKeys *keys, const uint8_t *seed, size_t n, RarKey *key) {
  uint8_t digest[20];
  EVP_MD_CTX *sum = EVP_MD_CTX_new(), *so_far = EVP_MD_CTX_new();
  bool ok = spend(keys, RAR3_ROUNDS);
  EVP_DigestInit_ex(sum, EVP_sha1(), NULL);
  for (uint32_t i = 0; ok && i < RAR3_ROUNDS; i++) {
    uint8_t counter[3] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
    EVP_DigestUpdate(sum, seed, n);
    EVP_DigestUpdate(sum, counter, sizeof counter);
    if (i % (RAR3_ROUNDS / RAR_BLOCK) == 0) {
      EVP_MD_CTX_copy_ex(so_far, sum);
      EVP_DigestFinal_ex(so_far, digest, NULL);
      key->iv[i / (RAR3_ROUNDS / RAR_BLOCK)] = digest[19];
    }
  }
  EVP_DigestFinal_ex(sum, digest, NULL);
  for (unsigned i = 0; i < 16; i++)
    key->key[i] = digest[i / 4 * 4 + 3 - i % 4];
  EVP_MD_CTX_free(sum);
  EVP_MD_CTX_free(so_far);
  return ok;
}

const RarKey *rar3_key(RarKeys *keys, guint password, const uint8_t *salt) {
  const char *text = keys->unpack->options->passwords->pdata[password];
  uint8_t asked[sizeof password + 1 + RAR3_SALT] = {0}, seed[2 * RAR3_PASSWORD_MAX + RAR3_SALT];
  glong n_units = 0;
  gpointer known = NULL;
  memcpy(asked, &password, sizeof password);
  asked[sizeof password] = salt != NULL;
  if (salt != NULL)
    memcpy(asked + sizeof password + 1, salt, RAR3_SALT);
  g_autoptr(GBytes) name = g_bytes_new(asked, sizeof asked);
  if (g_hash_table_lookup_extended(keys->known, name, NULL, &known))
    return known;
  g_autofree gunichar2 *units = g_utf8_to_utf16(text, -1, NULL, &n_units, NULL);
  if (units == NULL || n_units == 0 || n_units > RAR3_PASSWORD_MAX || keys->is_spent)
    return NULL;
  size_t n = 2 * (size_t)n_units;
  memcpy(seed, units, n);
  if (salt != NULL)
    memcpy(seed + n, salt, RAR3_SALT);
  RarKey *key = g_new0(RarKey, 1);
  if (!derive3(keys, seed, n + (salt != NULL ? RAR3_SALT : 0), key))
    g_clear_pointer(&key, g_free);
  g_hash_table_insert(keys->known, g_steal_pointer(&name), key);
  return key;
}

/* ---- AES ---- */

static EVP_CIPHER_CTX *start(const uint8_t *key, unsigned n_key, const uint8_t *iv) {
  EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
  if (EVP_DecryptInit_ex(aes, n_key == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc(), NULL, key, iv) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(aes, 0) != 1)
    g_clear_pointer(&aes, EVP_CIPHER_CTX_free);
  return aes;
}

bool rar_decrypt_block(const uint8_t *key, unsigned n_key, const uint8_t *iv, const uint8_t *data,
                       size_t n, uint8_t *out) {
  int got = 0;
  EVP_CIPHER_CTX *aes = start(key, n_key, iv);
  bool ok = aes != NULL && EVP_DecryptUpdate(aes, out, &got, data, (int)n) == 1 && got == (int)n;
  EVP_CIPHER_CTX_free(aes);
  return ok;
}

void rar_stream_clear(RarStream *stream) {
  EVP_CIPHER_CTX_free(stream->aes);
  *stream = (RarStream){0};
}

bool rar_stream_start(RarStream *stream, const uint8_t *key, unsigned n_key, const uint8_t *iv) {
  rar_stream_clear(stream);
  stream->aes = start(key, n_key, iv);
  memcpy(stream->last, iv, RAR_BLOCK);
  return stream->aes != NULL;
}

uint64_t rar_stream_size(const RarStream *stream, uint64_t n) {
  return (stream->n_pending + n) & ~(uint64_t)(RAR_BLOCK - 1);
}

/* Bytes [at, at + n) of what is still to come, the last block before it. */
static void take_cipher(const RarStream *stream, const uint8_t *data, uint64_t at, size_t n,
                        uint8_t *out) {
  for (size_t i = 0; i < n; i++, at++)
    out[i] = at < RAR_BLOCK                       ? stream->last[at]
             : at < RAR_BLOCK + stream->n_pending ? stream->pending[at - RAR_BLOCK]
                                                  : data[at - RAR_BLOCK - stream->n_pending];
}

bool rar_stream_decrypt(Unpack *unpack, RarStream *stream, const uint8_t *data, uint64_t n,
                        uint64_t want, ContentBuilder *out, GError **error) {
  g_autofree uint8_t *packed = g_malloc(STEP_BYTES), *plain = g_malloc(STEP_BYTES);
  uint64_t size = rar_stream_size(stream, n), all = stream->n_pending + n;
  uint8_t last[RAR_BLOCK], pending[RAR_BLOCK] = {0};
  for (uint64_t at = 0; at < size;) {
    int step = (int)MIN(size - at, STEP_BYTES), got = 0;
    take_cipher(stream, data, RAR_BLOCK + at, (size_t)step, packed);
    if (stream->aes == NULL || EVP_DecryptUpdate(stream->aes, plain, &got, packed, step) != 1 ||
        got != step)
      return triage_fail(error, TRIAGE_REASON_CORRUPT, "a member of it cannot be decrypted");
    if (!content_builder_append(out, plain, (size_t)MIN((uint64_t)step, want), error) ||
        !unpack_alive(unpack, (uint64_t)step))
      return false;
    want -= MIN((uint64_t)step, want);
    at += (uint64_t)step;
  }
  take_cipher(stream, data, size, RAR_BLOCK, last);
  take_cipher(stream, data, RAR_BLOCK + size, (size_t)(all - size), pending);
  memcpy(stream->last, last, RAR_BLOCK);
  memcpy(stream->pending, pending, RAR_BLOCK);
  stream->n_pending = (unsigned)(all - size);
  return true;
}

bool rar_stream_peek(const RarStream *stream, const uint8_t *key, unsigned n_key,
                     const uint8_t *data, uint64_t n, uint64_t at, uint8_t *five) {
  uint8_t packed[3 * RAR_BLOCK], plain[2 * RAR_BLOCK];
  uint64_t size = rar_stream_size(stream, n), from = at & ~(uint64_t)(RAR_BLOCK - 1);
  if (from >= size || size - at < 5)
    return false;
  size_t take = (size_t)MIN(sizeof plain, size - from);
  take_cipher(stream, data, from, take + RAR_BLOCK, packed);
  if (!rar_decrypt_block(key, n_key, packed, packed + RAR_BLOCK, take, plain))
    return false;
  memcpy(five, plain + (at - from), 5);
  return true;
}
