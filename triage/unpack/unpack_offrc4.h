/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_offrc4.h - streams of binary Office documents (97 to 2003) encrypted with RC4. Knows no
 * compound file. */
#pragma once
#include "unpack/unpack_private.h"

enum { OFFRC4_SALT = 16, OFFRC4_HASH = 20 };

typedef struct {
  uint8_t salt[OFFRC4_SALT], verifier[16], verifier_hash[OFFRC4_HASH];
  uint8_t base[OFFRC4_HASH]; /* of all blocks' keys, under the password that fits */
  unsigned n_key;            /* bytes; 5 where export rules held */
  bool is_capi;              /* SHA-1; else MD5 */
} OfficeRc4;

/* What lies encrypted in a stream. */
typedef enum {
  OFFRC4_WORKBOOK, /* records' contents behind FilePass */
  OFFRC4_TEXT,     /* all but the first bytes of WordDocument */
  OFFRC4_TABLE,    /* all but the description of the cipher */
  OFFRC4_DATA,
} OfficeRc4Kind;

/* Reads the description of the cipher, which begins with its version, and finds the password. False
 * with error where the cipher is another, or no password fits. */
bool offrc4_open(OfficeRc4 *secret, Unpack *unpack, const uint8_t *data, uint64_t size,
                 GError **error);
/* The description in a workbook's FilePass record; NULL: it has none, or not of RC4. */
const uint8_t *offrc4_file_pass(const uint8_t *data, uint64_t size, uint64_t *n);
/* Appends the stream in plain. plain: bytes at its beginning that are so already. */
bool offrc4_decrypt(const OfficeRc4 *secret, Unpack *unpack, OfficeRc4Kind kind, uint64_t plain,
                    const Content *stream, Intake *intake, GError **error);
