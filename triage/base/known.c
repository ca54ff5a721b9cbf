/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - head: magic, three counts, three offsets (little-endian), source's SHA-256, name. Then
 * the digests of each kind, sorted, without gaps. */
#include "base/known.h"
#include "base/io.h"
#include "base/text.h"
#include <string.h>

const uint8_t KNOWN_BYTES[KNOWN_KINDS] = {32, 20, 16};
static const DigestSet SETS[KNOWN_KINDS] = {DIGEST_SHA256, DIGEST_SHA1, DIGEST_MD5};
static const char *const WORDS[KNOWN_KINDS] = {"SHA-256", "SHA-1", "MD5"};

enum { COUNTS_AT = 16, OFFSETS_AT = 40, SHA256_AT = 64, NAME_AT = 128 };

static uint64_t take_number(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return GUINT64_FROM_LE(value);
}

static void put_number(uint8_t *bytes, uint64_t value) {
  value = GUINT64_TO_LE(value);
  memcpy(bytes, &value, sizeof value);
}

bool known_open(KnownIndex *index, int fd, uint64_t size) {
  uint8_t head[KNOWN_HEAD_BYTES];
  memset(index, 0, sizeof *index);
  if (io_pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
      memcmp(head, KNOWN_MAGIC, sizeof KNOWN_MAGIC) != 0)
    return false;
  index->fd = fd;
  uint64_t end = sizeof head;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    index->count[kind] = take_number(head + COUNTS_AT + 8 * kind);
    index->offset[kind] = take_number(head + OFFSETS_AT + 8 * kind);
    uint64_t left = size > end ? size - end : 0;
    if (index->offset[kind] != end || index->count[kind] > left / KNOWN_BYTES[kind])
      return false;
    end += index->count[kind] * KNOWN_BYTES[kind];
  }
  memcpy(index->source_sha256, head + SHA256_AT, 64);
  memcpy(index->name, head + NAME_AT, KNOWN_NAME_BYTES - 1);
  return end == size && text_is_printable(index->name) && text_is_printable(index->source_sha256);
}

void known_pack_head(const KnownIndex *index, uint8_t head[KNOWN_HEAD_BYTES]) {
  memset(head, 0, KNOWN_HEAD_BYTES);
  memcpy(head, KNOWN_MAGIC, sizeof KNOWN_MAGIC);
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    put_number(head + COUNTS_AT + 8 * kind, index->count[kind]);
    put_number(head + OFFSETS_AT + 8 * kind, index->offset[kind]);
  }
  memcpy(head + SHA256_AT, index->source_sha256, strlen(index->source_sha256));
  memcpy(head + NAME_AT, index->name, strlen(index->name));
}

DigestSet known_kinds(const KnownIndex *index) {
  unsigned set = 0;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++)
    set |= index->count[kind] > 0 ? SETS[kind] : 0;
  return (DigestSet)set;
}

static bool take_hex(const char *hex, uint8_t *bytes, gsize n) {
  if (strlen(hex) != 2 * n)
    return false;
  for (gsize i = 0; i < n; i++) {
    int high = g_ascii_xdigit_value(hex[2 * i]), low = g_ascii_xdigit_value(hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    bytes[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

/* By halves until one block holds what is left, then within the block. */
static bool is_in(const KnownIndex *index, gsize kind, const uint8_t *wanted) {
  enum { BLOCK = 4096 };
  const gsize bytes = KNOWN_BYTES[kind];
  uint64_t from = 0, end = index->count[kind];
  uint8_t block[BLOCK];
  while ((end - from) * bytes > sizeof block) {
    uint64_t middle = from + (end - from) / 2;
    if (io_pread(index->fd, block, bytes, index->offset[kind] + middle * bytes) != (ssize_t)bytes)
      return false;
    int order = memcmp(wanted, block, bytes);
    if (order == 0)
      return true;
    if (order < 0)
      end = middle;
    else
      from = middle + 1;
  }
  gsize n = (gsize)(end - from) * bytes;
  if (io_pread(index->fd, block, n, index->offset[kind] + from * bytes) != (ssize_t)n)
    return false;
  for (gsize at = 0; at < n; at += bytes)
    if (memcmp(wanted, block + at, bytes) == 0)
      return true;
  return false;
}

const char *known_find(const KnownIndex *index, const Digests *digests) {
  const char *const texts[KNOWN_KINDS] = {digests->sha256, digests->sha1, digests->md5};
  uint8_t wanted[32];
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++)
    if (index->count[kind] > 0 && take_hex(texts[kind], wanted, KNOWN_BYTES[kind]) &&
        is_in(index, kind, wanted))
      return WORDS[kind];
  return NULL;
}
