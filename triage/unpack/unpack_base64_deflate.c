/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_base64_deflate.c - what a base64 block decodes to, inflated where it is deflated and
 * nothing around it says so: raw, as .NET's DeflateStream has it, or zlib. */
#include "unpack/unpack_view.h"
#include <zlib.h>

enum {
  LEAST_BYTES = 16, /* that must come out */
  HEAD_BYTES = 512, /* and what is packed in fewer must come out as text */
  OUT_BYTES = 1024,
  REST_BYTES = 2 /* that may follow: letters that were none of the block's */
};

static int window_bits(Packed kind) {
  return kind == PACKED_ZLIB ? 15 : -15;
}

/* Hardly anything else inflates that far. */
static bool begins_packed(Packed kind, const uint8_t *head, size_t n) {
  uint8_t out[OUT_BYTES];
  z_stream stream = {.next_in = (Bytef *)head, /* zlib's old interface: it only reads */
                     .avail_in = (uInt)n,
                     .next_out = out,
                     .avail_out = OUT_BYTES};
  if (inflateInit2(&stream, window_bits(kind)) != Z_OK)
    return false;
  int status = inflate(&stream, Z_SYNC_FLUSH);
  size_t n_out = OUT_BYTES - stream.avail_out, rest = stream.avail_in;
  inflateEnd(&stream);
  if (n_out < LEAST_BYTES)
    return false;
  if (status == Z_STREAM_END)
    return kind == PACKED_ZLIB || rest <= REST_BYTES;
  return status == Z_OK && (n == HEAD_BYTES || stream.avail_out == 0);
}

Packed packed_kind(const uint8_t *head, size_t n) {
  enum { METHOD = 8, WINDOW_MAX = 7, PRESET = 0x20, BLOCK_TYPE = 3 };
  if (n < LEAST_BYTES)
    return PACKED_NOT;
  bool is_zlib = (head[0] & 15) == METHOD && head[0] >> 4 <= WINDOW_MAX &&
                 (head[0] * 256u + head[1]) % 31 == 0 && (head[1] & PRESET) == 0;
  if (is_zlib && begins_packed(PACKED_ZLIB, head, n))
    return PACKED_ZLIB;
  bool is_block = (head[0] >> 1 & BLOCK_TYPE) != BLOCK_TYPE; /* pictures begin like none */
  return is_block && begins_packed(PACKED_RAW, head, n) ? PACKED_RAW : PACKED_NOT;
}

/* Names and hashes that happen to inflate give noise. */
static bool is_plain(const Content *content) {
  const uint8_t *data = content_data(content);
  uint64_t size = content_size(content), n_plain = 0;
  for (uint64_t i = 0; i < size; i++)
    n_plain += data[i] == 0 || data[i] == '\t' || data[i] == '\n' || data[i] == '\r' ||
               (data[i] >= 0x20 && data[i] < 0x7F);
  return n_plain * 20 >= size * 17;
}

static bool is_limit(const GError *error) {
  TriageReason reason = triage_error_reason(error);
  return reason == TRIAGE_REASON_SIZE_LIMIT || reason == TRIAGE_REASON_RATIO_LIMIT;
}

Content *packed_inflate(ViewBuilder *builder, Packed kind, Content *block) {
  uint64_t size = content_size(block), position;
  Container container = {.content = block};
  Intake intake;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) trouble = NULL;
  intake_init(&intake, builder->unpack, &container);
  bool is_whole = unpack_inflate_bits(builder->unpack, window_bits(kind), content_data(block), size,
                                      &position, &intake, &error);
  g_autoptr(Content) content = intake_finish(&intake, &trouble);
  if (content == NULL || content_size(content) < LEAST_BYTES)
    return NULL;
  if (!is_whole) {
    if (error == NULL || !is_limit(error))
      return NULL;
    if (builder->error == NULL)
      builder->error = g_steal_pointer(&error);
    return g_steal_pointer(&content);
  }
  if (kind == PACKED_RAW &&
      (size - position > REST_BYTES || (size < HEAD_BYTES && !is_plain(content))))
    return NULL;
  return g_steal_pointer(&content);
}
