/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rpm.c - an RPM package: lead, signature, header, and behind them a compressed cpio, which
 * is opened as if it stood alone. */
#include "base/digest.h"
#include "base/text.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>

enum { LEAD = 96 };

/* The byte behind the header at at, or 0. */
static uint64_t header_end(const uint8_t *data, uint64_t size, uint64_t at) {
  if (at > size || size - at < 16 || memcmp(data + at, "\x8E\xAD\xE8\1", 4) != 0)
    return 0;
  uint64_t length = 16 + 16 * (uint64_t)bytes_be32(data + at + 8) + bytes_be32(data + at + 12);
  return length <= size - at ? at + length : 0;
}

/* The value of a tag of the header at at: n bytes at least; NULL where it has none. */
static const uint8_t *find_tag(const uint8_t *data, uint64_t at, uint64_t end, uint32_t tag,
                               uint32_t n) {
  enum { HEAD = 16, ENTRY = 16 };
  uint64_t n_entries = bytes_be32(data + at + 8), store = at + HEAD + ENTRY * n_entries;
  if (store > end)
    return NULL;
  for (uint64_t i = 0; i < n_entries; i++) {
    const uint8_t *entry = data + at + HEAD + ENTRY * i;
    uint64_t offset = bytes_be32(entry + 8);
    if (bytes_be32(entry) == tag && offset <= end - store && end - store - offset >= n)
      return data + store + offset;
  }
  return NULL;
}

static void report_sum(Unpack *unpack, Container *container, const char *what) {
  unpack_damage(unpack, container, TRIAGE_REASON_BAD_CHECKSUM,
                "the rpm's own %s is not that of its bytes: it is damaged; what could be unpacked "
                "was examined",
                what);
}

static bool is_sha256(const uint8_t *text, const uint8_t *data, uint64_t n) {
  Digests got;
  digest_bytes(DIGEST_SHA256, data, (size_t)n, &got);
  return g_ascii_strncasecmp((const char *)text, got.sha256, strlen(got.sha256)) == 0;
}

/* The signature's SHA-256 of the header, and the header's of the payload. */
static void check_later_sums(Unpack *unpack, Container *container, uint64_t signature_end,
                             uint64_t payload) {
  enum { HEADER_SUM = 273, PAYLOAD_SUM = 5092, PAYLOAD_KIND = 5093, KIND_SHA256 = 8, DIGITS = 64 };
  const uint8_t *data = content_data(container->content);
  uint64_t header = (signature_end + 7) & ~UINT64_C(7);
  const uint8_t *sum = find_tag(data, LEAD, signature_end, HEADER_SUM, DIGITS);
  if (sum != NULL && !is_sha256(sum, data + header, payload - header))
    report_sum(unpack, container, "SHA-256 sum of its header");
  const uint8_t *kind = find_tag(data, header, payload, PAYLOAD_KIND, 4);
  sum = find_tag(data, header, payload, PAYLOAD_SUM, DIGITS);
  if (sum != NULL && kind != NULL && bytes_be32(kind) == KIND_SHA256 &&
      !is_sha256(sum, data + payload, content_size(container->content) - payload))
    report_sum(unpack, container, "SHA-256 sum of its payload");
}

/* The signature's MD5 sum of header and payload, which needs no key, or what came after it. */
static void check_sums(Unpack *unpack, Container *container, uint64_t signature_end,
                       uint64_t payload) {
  enum { SIZE = 1000, MD5 = 1004, MD5_BYTES = 16 };
  const uint8_t *data = content_data(container->content);
  uint64_t from = (signature_end + 7) & ~UINT64_C(7), n = content_size(container->content) - from;
  const uint8_t *size = find_tag(data, LEAD, signature_end, SIZE, 4);
  const uint8_t *sum = find_tag(data, LEAD, signature_end, MD5, MD5_BYTES);
  Digests got;
  if (size != NULL && bytes_be32(size) > n)
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "the rpm claims %u bytes behind its signature and %" G_GUINT64_FORMAT
                  " are there",
                  bytes_be32(size), n);
  if (sum == NULL)
    check_later_sums(unpack, container, signature_end, payload);
  if (size == NULL || sum == NULL || bytes_be32(size) > n)
    return;
  digest_bytes(DIGEST_MD5, data + from, bytes_be32(size), &got);
  g_autofree char *wanted = text_hex(sum, MD5_BYTES);
  if (strcmp(wanted, got.md5) != 0)
    report_sum(unpack, container, "MD5 sum");
}

void unpack_rpm_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  uint64_t signature = header_end(data, size, LEAD);
  uint64_t payload = signature > 0 ? header_end(data, size, (signature + 7) & ~UINT64_C(7)) : 0;
  (void)self;
  if (payload == 0 || payload == size) {
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "the rpm's headers are cut off or damaged: its payload cannot be found");
    return;
  }
  check_sums(unpack, container, signature, payload);
  g_autoptr(Content) part = content_new_part(container->content, payload, size - payload);
  /* A level of its own, or packages in packages would nest without end; the name stays. */
  MemberPath path = *container->path;
  path.depth++;
  if (!unpack_open(unpack, part, &path) && !unpack->is_stopped)
    unpack_damage(unpack, container, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                  "the rpm's payload at byte %" G_GUINT64_FORMAT
                  " is compressed in a way this version does not know",
                  payload);
}
