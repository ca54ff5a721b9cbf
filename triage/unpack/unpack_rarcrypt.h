/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rarcrypt.h - keys out of passwords as RAR makes them, and AES in the way it uses it. Knows
 * no headers. */
#pragma once
#include "unpack/unpack_private.h"
#include <openssl/evp.h>

enum { RAR_BLOCK = 16, RAR5_SALT = 16, RAR5_CHECK = 8, RAR3_SALT = 8 };

typedef struct {
  uint8_t key[32]; /* RAR 5: AES-256; RAR 3: AES-128 */
  uint8_t iv[RAR_BLOCK];
  uint8_t hash_key[32]; /* RAR 5: for checksums that must not tell the content */
} RarKey;

/* What RAR 5 says of a key: 2^cycles rounds over password and salt. */
typedef struct {
  uint8_t salt[RAR5_SALT], check[RAR5_CHECK];
  uint8_t cycles;
} Rar5Secret;

/* Keys tried for one archive; rounds are bounded over all of them. */
typedef struct _RarKeys RarKeys;
RarKeys *rar_keys_new(Unpack *unpack);
void rar_keys_free(RarKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RarKeys, rar_keys_free)
/* True where passwords were left untried, because keys would have taken too many rounds. */
bool rar_keys_spent(const RarKeys *keys);

/* (transfer none): the key of the first password that fits, NULL where none does. */
const RarKey *rar5_key(RarKeys *keys, const Rar5Secret *secret);
/* A checksum as it stands in the header of an encrypted member. */
uint32_t rar5_mac_of_crc(const RarKey *key, uint32_t crc);

/* Of RAR 3, by the password's place in the list; nothing tells whether it fits. NULL: no such key
 * can be had. salt: NULL where there is none. */
const RarKey *rar3_key(RarKeys *keys, guint password, const uint8_t *salt);

/* The encrypted data of one member, which goes on from volume to volume: a volume may end within a
 * block of the cipher. */
typedef struct {
  EVP_CIPHER_CTX *aes;
  uint8_t last[RAR_BLOCK]; /* block of the cipher text, or the first vector */
  uint8_t pending[RAR_BLOCK];
  unsigned n_pending;
} RarStream;
void rar_stream_clear(RarStream *stream);
bool rar_stream_start(RarStream *stream, const uint8_t *key, unsigned n_key, const uint8_t *iv);
/* Bytes that come out when n more get in. */
uint64_t rar_stream_size(const RarStream *stream, uint64_t n);
/* Appends what data gives, want bytes of it at most. */
bool rar_stream_decrypt(Unpack *unpack, RarStream *stream, const uint8_t *data, uint64_t n,
                        uint64_t want, ContentBuilder *out, GError **error);
/* The five plain bytes that data would give from byte at on; the stream stays where it is. */
bool rar_stream_peek(const RarStream *stream, const uint8_t *key, unsigned n_key,
                     const uint8_t *data, uint64_t n, uint64_t at, uint8_t *five);
/* Decrypts into memory: n is a multiple of RAR_BLOCK. */
bool rar_decrypt_block(const uint8_t *key, unsigned n_key, const uint8_t *iv, const uint8_t *data,
                       size_t n, uint8_t *out);
