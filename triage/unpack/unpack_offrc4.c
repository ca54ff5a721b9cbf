/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_offrc4.c - see unpack_offrc4.h; after [MS-OFFCRYPTO] 2.3.5 and 2.3.6, [MS-XLS] 2.2.10 and
 * [MS-DOC] 2.2.6. RC4 is here because libcrypto 3 has it in a module that the locked-in worker
 * could not load. */
#include "unpack/unpack_offrc4.h"
#include "unpack/unpack_bytes.h"
#include <openssl/evp.h>
#include <string.h>

enum {
  SHORT_KEY = 5, /* 40 bits */
  KEY_MAX = 16,
  ALGORITHM_RC4 = 0x6801,
  WORKBOOK_BLOCK = 1024,
  DOCUMENT_BLOCK = 512,
  RECORD_HEAD = 4,
  RECORD_FILE_PASS = 0x2F,
  RECORD_SHEET = 0x85 /* its first four bytes are plain */
};

/* ---- RC4 ---- */

typedef struct {
  uint8_t s[256], i, j;
} Rc4;

static void rc4_init(Rc4 *rc4, const uint8_t *key, size_t n) {
  uint8_t j = 0;
  rc4->i = rc4->j = 0;
  for (unsigned i = 0; i < 256; i++)
    rc4->s[i] = (uint8_t)i;
  for (unsigned i = 0; i < 256; i++) {
    uint8_t here = rc4->s[i];
    j = (uint8_t)(j + here + key[i % n]);
    rc4->s[i] = rc4->s[j];
    rc4->s[j] = here;
  }
}

static void rc4_run(Rc4 *rc4, const uint8_t *in, size_t n, uint8_t *out) {
  for (size_t k = 0; k < n; k++) {
    uint8_t a = rc4->s[++rc4->i];
    rc4->j = (uint8_t)(rc4->j + a);
    uint8_t b = rc4->s[rc4->j];
    rc4->s[rc4->i] = b;
    rc4->s[rc4->j] = a;
    out[k] = in[k] ^ rc4->s[(uint8_t)(a + b)];
  }
}

/* ---- keys ---- */

static bool make_base(OfficeRc4 *secret, const char *password) {
  glong n_units = 0;
  g_autofree gunichar2 *units = g_utf8_to_utf16(password, -1, NULL, &n_units, NULL);
  uint8_t digest[EVP_MAX_MD_SIZE];
  g_autoptr(GByteArray) seed = g_byte_array_new();
  if (units == NULL || n_units > 255)
    return false;
  if (secret->is_capi) {
    g_byte_array_append(seed, secret->salt, OFFRC4_SALT);
    g_byte_array_append(seed, (const guint8 *)units, (guint)n_units * 2);
  } else {
    EVP_Digest(units, (size_t)n_units * 2, digest, NULL, EVP_md5(), NULL);
    for (unsigned i = 0; i < 16; i++) {
      g_byte_array_append(seed, digest, SHORT_KEY);
      g_byte_array_append(seed, secret->salt, OFFRC4_SALT);
    }
  }
  EVP_Digest(seed->data, seed->len, digest, NULL, secret->is_capi ? EVP_sha1() : EVP_md5(), NULL);
  memcpy(secret->base, digest, OFFRC4_HASH);
  return true;
}

static void start_block(const OfficeRc4 *secret, uint32_t block, Rc4 *rc4) {
  uint8_t seed[OFFRC4_HASH + 4], digest[EVP_MAX_MD_SIZE];
  size_t n = secret->is_capi ? OFFRC4_HASH : SHORT_KEY;
  memcpy(seed, secret->base, n);
  for (unsigned i = 0; i < 4; i++)
    seed[n + i] = (uint8_t)(block >> 8 * i);
  EVP_Digest(seed, n + 4, digest, NULL, secret->is_capi ? EVP_sha1() : EVP_md5(), NULL);
  if (secret->is_capi && secret->n_key == SHORT_KEY)
    memset(digest + SHORT_KEY, 0, KEY_MAX - SHORT_KEY);
  rc4_init(rc4, digest, secret->n_key == SHORT_KEY ? KEY_MAX : secret->n_key);
}

static bool does_fit(OfficeRc4 *secret, const char *password) {
  uint8_t verifier[16], hash[OFFRC4_HASH], digest[EVP_MAX_MD_SIZE];
  size_t n = secret->is_capi ? OFFRC4_HASH : 16;
  Rc4 rc4;
  if (!make_base(secret, password))
    return false;
  start_block(secret, 0, &rc4);
  rc4_run(&rc4, secret->verifier, sizeof verifier, verifier);
  rc4_run(&rc4, secret->verifier_hash, n, hash);
  EVP_Digest(verifier, sizeof verifier, digest, NULL, secret->is_capi ? EVP_sha1() : EVP_md5(),
             NULL);
  return memcmp(hash, digest, n) == 0;
}

/* ---- the description of the cipher ---- */

static bool read_secret(OfficeRc4 *secret, const uint8_t *p, uint64_t n) {
  enum { OLD_BYTES = 52, HEAD = 12, HEADER_LEAST = 32, VERIFIER_BYTES = 60 };
  if (n < OLD_BYTES)
    return false;
  uint16_t major = bytes_le16(p), minor = bytes_le16(p + 2);
  *secret = (OfficeRc4){.n_key = SHORT_KEY};
  if (major == 1 && minor == 1) {
    memcpy(secret->salt, p + 4, OFFRC4_SALT);
    memcpy(secret->verifier, p + 20, 16);
    memcpy(secret->verifier_hash, p + 36, 16);
    return true;
  }
  uint64_t n_header = bytes_le32(p + 8), at = HEAD + n_header;
  if (major < 2 || major > 4 || minor != 2 || n_header < HEADER_LEAST || at > n ||
      n - at < VERIFIER_BYTES || bytes_le32(p + HEAD + 8) != ALGORITHM_RC4)
    return false;
  uint32_t bits = bytes_le32(p + HEAD + 16);
  secret->is_capi = true;
  secret->n_key = bits == 0 ? SHORT_KEY : bits / 8;
  memcpy(secret->salt, p + at + 4, OFFRC4_SALT);
  memcpy(secret->verifier, p + at + 20, 16);
  memcpy(secret->verifier_hash, p + at + 40, OFFRC4_HASH);
  return secret->n_key >= SHORT_KEY && secret->n_key <= KEY_MAX;
}

bool offrc4_open(OfficeRc4 *secret, Unpack *unpack, const uint8_t *data, uint64_t size,
                 GError **error) {
  const GPtrArray *passwords = unpack->options->passwords;
  if (!read_secret(secret, data, size))
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                       "not with RC4: decrypt it and examine the result");
  if (does_fit(secret, "VelvetSweatshop")) /* Excel tries it itself */
    return true;
  for (guint i = 0; passwords != NULL && i < passwords->len; i++)
    if (does_fit(secret, passwords->pdata[i]))
      return true;
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "no password given fits; passwords to try may be given with --password-file");
}

const uint8_t *offrc4_file_pass(const uint8_t *data, uint64_t size, uint64_t *n) {
  enum { RECORDS = 8, KIND_RC4 = 1 };
  uint64_t at = 0;
  for (unsigned i = 0; i < RECORDS && size - at >= RECORD_HEAD; i++) {
    uint64_t length = bytes_le16(data + at + 2);
    if (length > size - at - RECORD_HEAD)
      break;
    if (bytes_le16(data + at) == RECORD_FILE_PASS && length >= 2 &&
        bytes_le16(data + at + RECORD_HEAD) == KIND_RC4) {
      *n = length - 2;
      return data + at + RECORD_HEAD + 2;
    }
    at += RECORD_HEAD + length;
  }
  return NULL;
}

/* ---- streams ---- */

/* Where in a workbook's records the walk is. */
typedef struct {
  const uint8_t *data;
  uint64_t size, plain_until, record_end;
  bool is_on; /* behind FilePass */
} Records;

static uint64_t plain_bytes(Records *records, uint64_t at, uint64_t length) {
  static const uint16_t PLAIN[] = {0x0809, 0x0194, 0x0195, 0x00E1, 0x0196, 0x0138};
  uint16_t kind = bytes_le16(records->data + at);
  if (!records->is_on) {
    records->is_on = kind == RECORD_FILE_PASS;
    return length;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(PLAIN); i++)
    if (kind == PLAIN[i])
      return length;
  return kind == RECORD_SHEET ? MIN(length, 4) : 0;
}

static bool is_plain(Records *records, uint64_t at) {
  if (at >= records->record_end) {
    uint64_t left = records->size - at;
    uint64_t length = left >= RECORD_HEAD ? bytes_le16(records->data + at + 2) : left;
    records->record_end = at + (left >= RECORD_HEAD ? RECORD_HEAD : 0) + length;
    records->plain_until =
        left >= RECORD_HEAD ? at + RECORD_HEAD + plain_bytes(records, at, length) : records->size;
  }
  return at < records->plain_until;
}

bool offrc4_decrypt(const OfficeRc4 *secret, Unpack *unpack, OfficeRc4Kind kind, uint64_t plain,
                    const Content *stream, Intake *intake, GError **error) {
  const uint8_t *data = content_data(stream);
  uint64_t size = content_size(stream);
  Records records = {.data = data, .size = size};
  size_t step = kind == OFFRC4_WORKBOOK ? WORKBOOK_BLOCK : DOCUMENT_BLOCK;
  uint8_t out[WORKBOOK_BLOCK];
  Rc4 rc4;
  for (uint64_t at = 0; at < size; at += step) {
    size_t n = (size_t)MIN(size - at, step);
    start_block(secret, (uint32_t)(at / step), &rc4);
    rc4_run(&rc4, data + at, n, out);
    for (size_t i = 0; i < n; i++)
      if (kind == OFFRC4_WORKBOOK ? is_plain(&records, at + i) : at + i < plain)
        out[i] = data[at + i];
    if (!intake_append(intake, out, n, error) || !unpack_alive(unpack, n))
      return false;
  }
  return true;
}
