/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_7zheader.h - of a 7z archive as much of the header as its encryption needs: packed streams
 * and coders. libarchive reads the rest, of an archive from which the encryption was taken. */
#pragma once
#include "unpack/unpack_private.h"

enum {
  SZ_CODERS_MAX = 32,
  SZ_PROPS_MAX = 64,
  SZ_FOLDERS_MAX = 65536, /* kept; an archive that is not solid has one for each member */
  SZ_METHOD_COPY = 0,
  SZ_METHOD_LZMA = 0x030101,
  SZ_METHOD_LZMA2 = 0x21,
  SZ_METHOD_AES = 0x06F10701
};

typedef struct {
  uint32_t method; /* id of up to four bytes; 0xFFFFFFFF: a longer one */
  uint8_t id[15], n_id;
  uint32_t n_in, n_out;
  uint8_t props[SZ_PROPS_MAX];
  uint32_t n_props;
  bool has_props;
} SzCoder;

typedef struct {
  SzCoder coders[SZ_CODERS_MAX];
  uint32_t n_coders, n_in, n_out;
  uint32_t bind_in[SZ_CODERS_MAX], bind_out[SZ_CODERS_MAX], n_binds;
  uint32_t packed[SZ_CODERS_MAX], n_packed; /* in-stream of each packed stream */
  uint64_t sizes[SZ_CODERS_MAX];            /* of each out-stream */
  uint32_t first_pack;                      /* its first one among the archive's packed streams */
} SzFolder;

typedef struct {
  uint64_t pack_pos;         /* behind the 32 bytes that begin the archive */
  GArray *packs;             /* uint64_t: sizes of the packed streams */
  GPtrArray *folders;        /* SzFolder*, of the first SZ_FOLDERS_MAX */
  uint64_t n_folders;        /* as many as there are */
  uint64_t n_secret;         /* of them encrypted */
  const uint8_t *rest, *end; /* what follows the sizes: digests, substreams, names */
} SzStreams;

/* Reads the streams of a header: what stands behind its first byte, or a whole encoded header.
 * False where it is damaged or larger than any real one. Where folders lacks some it cannot be
 * written anew. */
bool sz_read_streams(SzStreams *streams, const uint8_t *data, uint64_t size);
void sz_streams_clear(SzStreams *streams);
/* The first AES coder of the folder, or -1. */
int sz_find_aes(const SzFolder *folder);
/* Takes the coder out; what it gave is now packed stream *pack of *size bytes. False where it
 * does not read a packed stream. */
bool sz_remove_coder(SzFolder *folder, int coder, uint32_t *pack, uint64_t *size);
/* Appends a header of these streams, with what follows them. */
void sz_write_header(const SzStreams *streams, GByteArray *out);
/* CRC of folder 0 by the digests that follow the sizes; false where there is none. */
bool sz_first_digest(const SzStreams *streams, uint32_t *crc);
