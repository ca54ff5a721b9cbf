/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_offcrypt.c - encrypted OOXML documents ([MS-OFFCRYPTO] 2.3.4): Agile encryption of Office
 * 2010 and later, Standard encryption of Office 2007. What an examiner's list of passwords opens,
 * and what Office opens by itself: documents that are merely write-protected have a known password.
 */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_cfb.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum {
  HASH_MAX = EVP_MAX_MD_SIZE,
  SEGMENT_BYTES = 4096,
  STANDARD_SPINS = 50000,
  SPINS_MAX = 10000000, /* by the specification */
  ALIVE_SPINS = 20000,
  FIELD_MAX = 64 /* bytes of a salt, a key or a verifier */
};

typedef struct {
  uint8_t bytes[FIELD_MAX];
  size_t n;
} Field;

typedef struct {
  bool is_agile;
  const EVP_MD *hash;     /* of password and verifier */
  const EVP_MD *ivs_hash; /* of the package's segments */
  unsigned key_bits, package_key_bits;
  uint32_t spins;
  Field salt, package_salt, verifier, verifier_hash, key;
} Cipher;

static bool fail_cipher(GError **error, const char *why) {
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED, "the document inside is encrypted, %s", why);
}

/* ---- what EncryptionInfo says ---- */

/* The text of an attribute within an element; NULL where there is none. (transfer full) */
static char *attribute(const char *element, const char *end, const char *name) {
  size_t n = strlen(name);
  for (const char *p = element; p < end && (p = memmem(p, (size_t)(end - p), name, n)) != NULL;
       p += n) {
    const char *value = p + n + 2;
    if (p == element || !g_ascii_isspace(p[-1]) || value > end || memcmp(p + n, "=\"", 2) != 0)
      continue;
    const char *stop = memchr(value, '"', (size_t)(end - value));
    return stop != NULL ? g_strndup(value, (gsize)(stop - value)) : NULL;
  }
  return NULL;
}

static unsigned number(const char *element, const char *end, const char *name) {
  g_autofree char *text = attribute(element, end, name);
  guint64 value = text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0;
  return value <= UINT32_MAX ? (unsigned)value : 0;
}

static bool is_text(const char *element, const char *end, const char *name, const char *expected) {
  g_autofree char *text = attribute(element, end, name);
  return text != NULL && strcmp(text, expected) == 0;
}

static void read_field(const char *element, const char *end, const char *name, Field *field) {
  g_autofree char *text = attribute(element, end, name);
  gsize n = 0;
  g_autofree guchar *bytes = text != NULL && *text != '\0' ? g_base64_decode(text, &n) : NULL;
  field->n = n <= FIELD_MAX ? n : 0;
  if (bytes != NULL && field->n > 0)
    memcpy(field->bytes, bytes, field->n);
}

static const EVP_MD *read_hash(const char *element, const char *end) {
  static const struct {
    const char *name;
    const EVP_MD *(*get)(void);
  } HASHES[] = {
      {"SHA1", EVP_sha1}, {"SHA256", EVP_sha256}, {"SHA384", EVP_sha384}, {"SHA512", EVP_sha512}};
  g_autofree char *name = attribute(element, end, "hashAlgorithm");
  for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(HASHES); i++)
    if (strcmp(name, HASHES[i].name) == 0)
      return HASHES[i].get();
  return NULL;
}

static const char *find_element(const char *text, size_t n, const char *tag, const char **end) {
  const char *start = memmem(text, n, tag, strlen(tag));
  if (start == NULL)
    return NULL;
  *end = memchr(start, '>', n - (size_t)(start - text));
  return *end != NULL ? start : NULL;
}

static bool is_aes_cbc(const char *element, const char *end) {
  return is_text(element, end, "cipherAlgorithm", "AES") &&
         is_text(element, end, "cipherChaining", "ChainingModeCBC") &&
         number(element, end, "blockSize") == 16;
}

static bool read_agile(const char *text, size_t n, Cipher *cipher, GError **error) {
  const char *data_end, *key_end;
  const char *data = find_element(text, n, "<keyData", &data_end);
  const char *key = find_element(text, n, "encryptedKey ", &key_end);
  if (data == NULL || key == NULL || !is_aes_cbc(data, data_end) || !is_aes_cbc(key, key_end))
    return fail_cipher(error, "by another cipher than AES in CBC mode or without a password");
  cipher->is_agile = true;
  cipher->hash = read_hash(key, key_end);
  cipher->ivs_hash = read_hash(data, data_end);
  cipher->key_bits = number(key, key_end, "keyBits");
  cipher->package_key_bits = number(data, data_end, "keyBits");
  cipher->spins = number(key, key_end, "spinCount");
  read_field(data, data_end, "saltValue", &cipher->package_salt);
  read_field(key, key_end, "saltValue", &cipher->salt);
  read_field(key, key_end, "encryptedVerifierHashInput", &cipher->verifier);
  read_field(key, key_end, "encryptedVerifierHashValue", &cipher->verifier_hash);
  read_field(key, key_end, "encryptedKeyValue", &cipher->key);
  if (cipher->hash == NULL || cipher->ivs_hash == NULL || cipher->spins > SPINS_MAX ||
      cipher->salt.n == 0 || cipher->package_salt.n == 0 || cipher->verifier.n == 0 ||
      cipher->verifier.n % 16 != 0 || cipher->verifier_hash.n % 16 != 0 ||
      cipher->verifier_hash.n < (size_t)EVP_MD_get_size(cipher->hash) || cipher->key.n % 16 != 0 ||
      cipher->key.n < cipher->package_key_bits / 8)
    return fail_cipher(error, "and the description of its cipher is damaged");
  return true;
}

static bool read_standard(const uint8_t *data, uint64_t size, Cipher *cipher, GError **error) {
  uint64_t header = size >= 12 ? bytes_le32(data + 8) : 0, at = 12 + header;
  if (header < 32 || at > size || size - at < 4 + 16 + 16 + 4 + 32)
    return fail_cipher(error, "and the description of its cipher is damaged");
  uint32_t algorithm = bytes_le32(data + 12 + 8);
  if (algorithm < 0x660E || algorithm > 0x6610 || bytes_le32(data + at) != 16)
    return fail_cipher(error, "by another cipher than AES");
  const uint8_t *p = data + at + 4;
  cipher->hash = cipher->ivs_hash = EVP_sha1();
  cipher->key_bits = cipher->package_key_bits = 128 + 64 * (algorithm - 0x660E);
  cipher->spins = STANDARD_SPINS;
  cipher->salt.n = cipher->verifier.n = 16;
  cipher->verifier_hash.n = 32;
  memcpy(cipher->salt.bytes, p, 16);
  memcpy(cipher->verifier.bytes, p + 16, 16);
  memcpy(cipher->verifier_hash.bytes, p + 36, 32);
  return true;
}

static bool read_info(const uint8_t *data, uint64_t size, Cipher *cipher, GError **error) {
  uint16_t major = size >= 8 ? bytes_le16(data) : 0, minor = size >= 8 ? bytes_le16(data + 2) : 0;
  if (major == 4 && minor == 4 ? !read_agile((const char *)data + 8, size - 8, cipher, error)
      : major >= 2 && major <= 4 && minor == 2
          ? !read_standard(data, size, cipher, error)
          : !fail_cipher(error, "in a way that is not known here"))
    return false;
  unsigned bits = cipher->key_bits, package_bits = cipher->package_key_bits;
  return ((bits == 128 || bits == 192 || bits == 256) &&
          (package_bits == 128 || package_bits == 192 || package_bits == 256)) ||
         fail_cipher(error, "with a key of an odd length");
}

/* ---- keys ---- */

typedef struct {
  Unpack *unpack;
  const Cipher *cipher;
  EVP_MD_CTX *digest;
  EVP_CIPHER_CTX *aes;
} Office;

/* Of a and b, one behind the other; out may be one of them. */
static void hash2(Office *office, const EVP_MD *hash, const void *a, size_t n_a, const void *b,
                  size_t n_b, uint8_t *out) {
  EVP_DigestInit_ex(office->digest, hash, NULL);
  EVP_DigestUpdate(office->digest, a, n_a);
  EVP_DigestUpdate(office->digest, b, n_b);
  EVP_DigestFinal_ex(office->digest, out, NULL);
}

/* Whole blocks alone; iv NULL: each block by itself. */
static bool decrypt(Office *office, const uint8_t *key, unsigned key_bits, const uint8_t *iv,
                    const uint8_t *in, size_t n, uint8_t *out) {
  const EVP_CIPHER *kind;
  int done = 0;
  if (iv != NULL)
    kind = key_bits == 128   ? EVP_aes_128_cbc()
           : key_bits == 192 ? EVP_aes_192_cbc()
                             : EVP_aes_256_cbc();
  else
    kind = key_bits == 128   ? EVP_aes_128_ecb()
           : key_bits == 192 ? EVP_aes_192_ecb()
                             : EVP_aes_256_ecb();
  return EVP_DecryptInit_ex(office->aes, kind, NULL, key, iv) == 1 &&
         EVP_CIPHER_CTX_set_padding(office->aes, 0) == 1 &&
         EVP_DecryptUpdate(office->aes, out, &done, in, (int)n) == 1 && done == (int)n;
}

/* The password's hash, over and over. False where the run was stopped. */
static bool spin(Office *office, const gunichar2 *password, size_t n_units, uint8_t *hash) {
  const Cipher *cipher = office->cipher;
  size_t n = (size_t)EVP_MD_get_size(cipher->hash);
  uint8_t counter[4];
  hash2(office, cipher->hash, cipher->salt.bytes, cipher->salt.n, password, n_units * 2, hash);
  for (uint32_t i = 0; i < cipher->spins; i++) {
    for (unsigned k = 0; k < 4; k++)
      counter[k] = (uint8_t)(i >> 8 * k);
    hash2(office, cipher->hash, counter, 4, hash, n, hash);
    if (i % ALIVE_SPINS == ALIVE_SPINS - 1 &&
        !unpack_alive(office->unpack, ALIVE_SPINS * UINT64_C(128)))
      return false;
  }
  return true;
}

static void agile_key(Office *office, const uint8_t *hash, const uint8_t *block, uint8_t *key) {
  size_t n = (size_t)EVP_MD_get_size(office->cipher->hash);
  hash2(office, office->cipher->hash, hash, n, block, 8, key);
  for (size_t i = n; i < HASH_MAX; i++)
    key[i] = 0x36;
}

/* True where the hash is that of the right password; key: the package's. */
static bool try_agile(Office *office, const uint8_t *hash, uint8_t *key) {
  static const uint8_t INPUT[8] = {0xFE, 0xA7, 0xD2, 0x76, 0x3B, 0x4B, 0x9E, 0x79};
  static const uint8_t VALUE[8] = {0xD7, 0xAA, 0x0F, 0x6D, 0x30, 0x61, 0x34, 0x4E};
  static const uint8_t KEY[8] = {0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6};
  const Cipher *cipher = office->cipher;
  uint8_t own[HASH_MAX] = {0}, input[FIELD_MAX], value[FIELD_MAX], iv[16], expected[HASH_MAX];
  for (size_t i = 0; i < sizeof iv; i++)
    iv[i] = i < cipher->salt.n ? cipher->salt.bytes[i] : 0x36;
  agile_key(office, hash, INPUT, own);
  if (!decrypt(office, own, cipher->key_bits, iv, cipher->verifier.bytes, cipher->verifier.n,
               input))
    return false;
  agile_key(office, hash, VALUE, own);
  if (!decrypt(office, own, cipher->key_bits, iv, cipher->verifier_hash.bytes,
               cipher->verifier_hash.n, value))
    return false;
  hash2(office, cipher->hash, input, MIN(cipher->verifier.n, cipher->salt.n), "", 0, expected);
  if (CRYPTO_memcmp(expected, value, (size_t)EVP_MD_get_size(cipher->hash)) != 0)
    return false;
  agile_key(office, hash, KEY, own);
  return decrypt(office, own, cipher->key_bits, iv, cipher->key.bytes, cipher->key.n, key);
}

static bool try_standard(Office *office, const uint8_t *hash, uint8_t *key) {
  const Cipher *cipher = office->cipher;
  uint8_t block[64], final[HASH_MAX], halves[40], input[16], value[32];
  uint8_t expected[HASH_MAX];
  hash2(office, cipher->hash, hash, 20, "\0\0\0\0", 4, final);
  for (unsigned half = 0; half < 2; half++) {
    memset(block, half == 0 ? 0x36 : 0x5C, sizeof block);
    for (unsigned i = 0; i < 20; i++)
      block[i] ^= final[i];
    hash2(office, cipher->hash, block, sizeof block, "", 0, expected);
    memcpy(halves + (size_t)20 * half, expected, 20);
  }
  memcpy(key, halves, cipher->key_bits / 8);
  if (!decrypt(office, key, cipher->key_bits, NULL, cipher->verifier.bytes, 16, input) ||
      !decrypt(office, key, cipher->key_bits, NULL, cipher->verifier_hash.bytes, 32, value))
    return false;
  hash2(office, cipher->hash, input, 16, "", 0, expected);
  return CRYPTO_memcmp(expected, value, 20) == 0;
}

static bool try_password(Office *office, const char *password, uint8_t *key) {
  uint8_t hash[HASH_MAX] = {0};
  glong n_units = 0;
  g_autofree gunichar2 *units = g_utf8_to_utf16(password, -1, NULL, &n_units, NULL);
  if (units == NULL || n_units > 255 || !spin(office, units, (size_t)n_units, hash))
    return false;
  return office->cipher->is_agile ? try_agile(office, hash, key) : try_standard(office, hash, key);
}

/* Office tries the first one itself. False with error where none fits. */
static bool find_key(Office *office, uint8_t *key, GError **error) {
  const GPtrArray *passwords = office->unpack->options->passwords;
  guint n = passwords != NULL ? passwords->len : 0;
  uint64_t left = LIMIT_PASSWORD_ROUNDS;
  if (try_password(office, "VelvetSweatshop", key))
    return true;
  for (guint i = 0; i < n && !office->unpack->is_stopped; i++) {
    uint64_t cost = MAX(office->cipher->spins, 1);
    if (cost > left)
      return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                         "the document inside is encrypted; only the first %u of %u passwords were "
                         "tried, because each takes %u rounds",
                         i, n, office->cipher->spins);
    left -= cost;
    if (try_password(office, passwords->pdata[i], key))
      return true;
  }
  return fail_cipher(error, "and no password given fits; passwords to try may be given with "
                            "--password-file");
}

/* ---- the package ---- */

static bool decrypt_package(Office *office, const uint8_t *key, const uint8_t *data, uint64_t size,
                            Intake *intake, GError **error) {
  const Cipher *cipher = office->cipher;
  uint64_t claimed = size >= 8 ? bytes_le64(data) : 0, at = 8;
  uint8_t out[SEGMENT_BYTES], iv[HASH_MAX] = {0}, counter[4];
  for (uint32_t i = 0; at < size && intake_size(intake) < claimed; i++) {
    size_t n = (size_t)MIN(size - at, SEGMENT_BYTES) & ~(size_t)15;
    for (unsigned k = 0; k < 4; k++)
      counter[k] = (uint8_t)(i >> 8 * k);
    hash2(office, cipher->ivs_hash, cipher->package_salt.bytes, cipher->package_salt.n, counter, 4,
          iv);
    if (n == 0 || !decrypt(office, key, cipher->package_key_bits, cipher->is_agile ? iv : NULL,
                           data + at, n, out))
      break;
    at += n;
    if (!intake_append(intake, out, (size_t)MIN(n, claimed - intake_size(intake)), error) ||
        !unpack_alive(office->unpack, n))
      return false;
  }
  return intake_size(intake) == claimed ||
         triage_fail(error, TRIAGE_REASON_TRUNCATED,
                     "the encrypted document claims %" G_GUINT64_FORMAT " bytes and is cut off",
                     claimed);
}

bool office_decrypt(Unpack *unpack, const Content *info, const Content *package, Intake *intake,
                    GError **error) {
  Cipher cipher = {0};
  uint8_t key[FIELD_MAX] = {0};
  if (!read_info(content_data(info), content_size(info), &cipher, error))
    return false;
  Office office = {unpack, &cipher, EVP_MD_CTX_new(), EVP_CIPHER_CTX_new()};
  bool ok = find_key(&office, key, error) && decrypt_package(&office, key, content_data(package),
                                                             content_size(package), intake, error);
  EVP_MD_CTX_free(office.digest);
  EVP_CIPHER_CTX_free(office.aes);
  return ok;
}
