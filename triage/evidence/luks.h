/* SPDX-License-Identifier: Apache-2.0 */
/* luks.h - what a LUKS header says, version 1 or 2, and the volume's key by a passphrase. Reads
 * through the base image; every number is the evidence's own until it is checked.
 *
 * Why not libluksde: Debian's 20200205 reads version 1 alone, and writes past its buffer on keys of
 * more than 32 bytes. Why not libcryptsetup: it opens files and devices, not what lies in an E01.
 */
#pragma once
#include "evidence/derived.h"
#include "evidence/sector_cipher.h"

enum { LUKS_SLOTS_MAX = 32, LUKS_SALT_MAX = 128, LUKS_DIGEST_MAX = 64, LUKS_METHOD_MAX = 64 };

typedef enum { LUKS_PBKDF2, LUKS_ARGON2I, LUKS_ARGON2ID } LuksKdfKind;
typedef struct {
  LuksKdfKind kind;
  int hash; /* libgcrypt's number; PBKDF2 alone */
  uint32_t rounds, memory_kib, lanes;
  uint8_t salt[LUKS_SALT_MAX];
  size_t n_salt;
} LuksKdf;

typedef struct {
  LuksKdf kdf;
  char method[LUKS_METHOD_MAX]; /* of the area that holds the key in stripes */
  uint64_t area, area_bytes;    /* counted from the start of the volume */
  size_t key_bytes, area_key_bytes;
  uint32_t stripes;
  int hash; /* of the stripes */
  guint digest;
} LuksSlot;

typedef struct {
  LuksKdf kdf;
  uint8_t value[LUKS_DIGEST_MAX];
  size_t n;
} LuksDigest;

typedef struct {
  unsigned version;
  char method[LUKS_METHOD_MAX];
  uint64_t start, length; /* of the encrypted data; length 0: to the end */
  uint64_t tweak;
  size_t sector_bytes;
  LuksSlot slots[LUKS_SLOTS_MAX];
  guint n_slots, n_unreadable; /* slots of a kind that is not known are counted alone */
  LuksDigest digests[LUKS_SLOTS_MAX];
  guint n_digests;
  char tokens[256]; /* what else may open it, printable */
} Luks;

/* What trying may still cost. */
typedef struct {
  uint64_t rounds, argon_kib;
} LuksBudget;
typedef enum { LUKS_OPEN, LUKS_WRONG, LUKS_TOO_COSTLY } LuksAnswer;

/* Before the worker is locked in: libgcrypt looks at the machine once. */
void luks_warm_up(void);
/* The first byte of a header that is there, or of its copy. */
bool luks_probe(const DerivedBase *base);
/* False with error: truncated, corrupt, or encrypted in a way that is not known. */
bool luks_read_header(const DerivedBase *base, Luks *luks, GError **error);
/* Tries one passphrase on one slot; key has room for CIPHER_KEY_MAX. */
LuksAnswer luks_try(const DerivedBase *base, const Luks *luks, const LuksSlot *slot,
                    const char *passphrase, LuksBudget *budget, uint8_t *key);
