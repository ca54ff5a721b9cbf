/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_cfb.h - the structure of an OLE2 compound file: its directory and the bytes of its
 * streams. Knows no document. Own code instead of libgsf: Debian's 1.14.50 recurses once for each
 * sibling and dies on a 13 MB file of them, sees no entry outside the tree and nothing of a file
 * with one damaged table. */
#pragma once
#include "unpack/unpack_private.h"

enum { CFB_STORAGE = 1, CFB_STREAM = 2, CFB_ROOT = 5 };
#define CFB_NONE UINT32_C(0xFFFFFFFF)

typedef struct {
  uint64_t at;     /* of the 128 bytes of the entry, in the content */
  uint64_t size;   /* as claimed */
  uint32_t start;  /* first sector */
  uint32_t parent; /* entry; CFB_NONE: in no storage that the root leads to */
  uint8_t type;
  bool is_linked; /* the root leads to it */
} CfbEntry;

/* A stretch of a stream that lies in one piece. */
typedef struct {
  uint64_t offset, content_offset, length;
} CfbPlace;

typedef struct {
  Unpack *unpack;
  const uint8_t *data;
  uint64_t size;
  uint64_t allowance; /* bytes of streams still to be read */
  uint32_t sector_bytes, mini_bytes, mini_cutoff, n_sectors;
  GArray *fat, *mini_fat, *mini_stream; /* uint32_t: their sectors, in order */
  GArray *entries;                      /* CfbEntry, as numbered in the file */
  uint64_t mini_stream_bytes;
  bool is_msi;  /* names are packed */
  bool is_loop; /* a table's chain runs in circles */
  bool is_cut;  /* a table's chain leads out of the file */
  bool is_over; /* more entries than LIMIT_OLE_ENTRIES */
} Cfb;

/* Reads the tables of content (which must stay). False where not even a directory is there. */
bool cfb_open(Cfb *cfb, Unpack *unpack, const Content *content, GError **error);
void cfb_clear(Cfb *cfb);
/* UTF-8 of the entry's path from the root (transfer full); lone surrogates are no valid UTF-8. */
GBytes *cfb_path(const Cfb *cfb, uint32_t entry);
/* The entry's own name, appended. */
void cfb_append_name(const Cfb *cfb, const CfbEntry *entry, GString *out);
/* Text of UTF-16LE units, up to a zero, appended as UTF-8. */
void cfb_append_utf16(GString *out, const uint8_t *p, uint64_t n_units);
/* The entry's name is the ASCII text name, in any case. */
bool cfb_is_named(const Cfb *cfb, const CfbEntry *entry, const char *name);
TriageTime cfb_time(const Cfb *cfb, const CfbEntry *entry, bool is_modified);
/* Reads a stream; places (CfbPlace, may be NULL) tells where it lies. False with error where it is
 * not all there: what is was appended. */
bool cfb_read(Cfb *cfb, const CfbEntry *entry, Intake *intake, GArray *places, GError **error);
/* unpack_offcrypt.c: decrypts the stream EncryptedPackage by what EncryptionInfo says, under the
 * first password that fits. False with error where none does, or it is not all. */
bool office_decrypt(Unpack *unpack, const Content *info, const Content *package, Intake *intake,
                    GError **error);
/* The byte behind the last sector in use. */
uint64_t cfb_end(const Cfb *cfb);
