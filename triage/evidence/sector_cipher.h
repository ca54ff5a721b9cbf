/* SPDX-License-Identifier: Apache-2.0 */
/* sector_cipher.h - sectors as Linux' dm-crypt encrypts them, named as it names the method
 * ("aes-xts-plain64"). Knows no format. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CIPHER_KEY_MAX = 512 };

typedef struct _SectorCipher SectorCipher;

/* NULL with error: encrypted, for the method or its key length is not known. (transfer full) */
SectorCipher *sector_cipher_new(const char *method, const uint8_t *key, size_t n_key,
                                size_t sector_bytes, GError **error);
void sector_cipher_free(SectorCipher *cipher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SectorCipher, sector_cipher_free)
/* Decrypts whole sectors in place; first counts 512 bytes from where the counting starts. */
bool sector_cipher_decrypt(SectorCipher *cipher, uint64_t first, uint8_t *bytes, size_t n);
