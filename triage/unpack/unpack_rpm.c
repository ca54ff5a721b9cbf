/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rpm.c - an RPM package: lead, signature, header, and behind them a compressed cpio, which
 * is opened as if it stood alone. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>

/* The byte behind the header at at, or 0. */
static uint64_t header_end(const uint8_t *data, uint64_t size, uint64_t at) {
  if (at > size || size - at < 16 || memcmp(data + at, "\x8E\xAD\xE8\1", 4) != 0)
    return 0;
  uint64_t length = 16 + 16 * (uint64_t)bytes_be32(data + at + 8) + bytes_be32(data + at + 12);
  return length <= size - at ? at + length : 0;
}

void unpack_rpm_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  uint64_t signature = header_end(data, size, 96);
  uint64_t payload = signature > 0 ? header_end(data, size, (signature + 7) & ~UINT64_C(7)) : 0;
  (void)self;
  if (payload == 0 || payload == size) {
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "the rpm's headers are cut off or damaged: its payload cannot be found");
    return;
  }
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
