/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_sum.c - sums of members that libarchive does not look at: CRC-32, the block digests of web
 * archives. */
#include "base/digest.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <string.h>

bool unpack_check_crc(uint32_t crc, const Content *member, GError **error) {
  uint32_t got = unpack_crc32(content_data(member), content_size(member));
  return got == crc || triage_fail(error, TRIAGE_REASON_BAD_CHECKSUM,
                                   "the archive says CRC %08x, what came out has %08x: the member "
                                   "is damaged; what came out was examined",
                                   crc, got);
}

/* ---- web archives ---- */

/* The value of a field of the header at data, whose lines end before n; NULL where it has none. */
static char *field(const uint8_t *data, size_t n, const char *name) {
  size_t length = strlen(name);
  for (const uint8_t *p = data, *line_end; (line_end = memchr(p, '\n', n)) != NULL;
       p = line_end + 1) {
    size_t line = (size_t)(line_end - p);
    n -= line + 1;
    if (line > length && p[length] == ':' &&
        g_ascii_strncasecmp((const char *)p, name, length) == 0)
      return g_strstrip(g_strndup((const char *)p + length + 1, line - length - 1));
  }
  return NULL;
}

/* In the 32 letters of RFC 4648, without its padding. */
static char *base32(const char *hex) {
  static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  GString *out = g_string_new("");
  uint32_t bits = 0;
  unsigned n_bits = 0;
  for (; *hex != '\0'; hex++) {
    bits = bits << 4 | ((uint32_t)g_ascii_xdigit_value(*hex) & 15);
    n_bits += 4;
    if (n_bits < 5)
      continue;
    n_bits -= 5;
    g_string_append_c(out, LETTERS[bits >> n_bits & 31]);
  }
  if (n_bits > 0)
    g_string_append_c(out, LETTERS[bits << (5 - n_bits) & 31]);
  return g_string_free(out, FALSE);
}

/* The digest of the bytes that text names by "sha1:" or the like, in hexadecimal; NULL: no kind
 * that is known. *value is what text says it is. */
static char *digest_as(const char *text, const uint8_t *data, uint64_t n, const char **value) {
  static const struct {
    const char *word;
    DigestSet set;
  } KINDS[] = {{"sha1:", DIGEST_SHA1},
               {"sha-1:", DIGEST_SHA1},
               {"sha256:", DIGEST_SHA256},
               {"sha-256:", DIGEST_SHA256},
               {"md5:", DIGEST_MD5}};
  for (size_t i = 0; i < G_N_ELEMENTS(KINDS); i++) {
    if (g_ascii_strncasecmp(text, KINDS[i].word, strlen(KINDS[i].word)) != 0)
      continue;
    Digests got;
    digest_bytes(KINDS[i].set, data, (size_t)n, &got);
    *value = text + strlen(KINDS[i].word);
    return g_strdup(KINDS[i].set == DIGEST_SHA1     ? got.sha1
                    : KINDS[i].set == DIGEST_SHA256 ? got.sha256
                                                    : got.md5);
  }
  return NULL;
}

/* WARC-Block-Digest: in base 32 as a rule, sometimes hexadecimal; of the record's bytes as they
 * stand in the archive. */
bool warc_check(const Content *archive, uint64_t at, const Content *member, GError **error) {
  const uint8_t *data = content_data(archive);
  uint64_t size = content_size(archive);
  (void)member;
  if (at >= size || !probe_warc(data + at, size - at))
    return true;
  const uint8_t *end = memmem(data + at, (size_t)MIN(size - at, LIMIT_NAME_BYTES), "\r\n\r\n", 4);
  if (end == NULL)
    return true;
  size_t n_head = (size_t)(end - (data + at)) + 2;
  g_autofree char *digest = field(data + at, n_head, "WARC-Block-Digest");
  g_autofree char *length = field(data + at, n_head, "Content-Length");
  uint64_t from = at + n_head + 2, n = 0;
  if (digest == NULL || length == NULL ||
      !g_ascii_string_to_unsigned(length, 10, 0, size - from, &n, NULL))
    return true;
  const char *value;
  g_autofree char *got = digest_as(digest, data + from, n, &value);
  if (got == NULL)
    return true;
  g_autofree char *letters = base32(got);
  size_t n_letters = strlen(letters);
  return g_ascii_strcasecmp(value, got) == 0 ||
         (g_ascii_strncasecmp(value, letters, n_letters) == 0 &&
          strspn(value + n_letters, "=") == strlen(value + n_letters)) ||
         triage_fail(error, TRIAGE_REASON_BAD_CHECKSUM,
                     "the record's digest is not that of its bytes: the record is damaged; its "
                     "bytes were examined");
}
