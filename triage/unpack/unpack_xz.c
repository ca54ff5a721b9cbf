/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_xz.c - xz by liblzma itself, one stream after the other: libarchive takes what follows the
 * last of them for damage of the whole, and loses what it had unpacked. */
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <lzma.h>

enum { OUT_BYTES = 256 * 1024 };

static bool fail_code(lzma_ret code, uint64_t at, GError **error) {
  static const struct {
    lzma_ret code;
    TriageReason reason;
    const char *text;
  } CODES[] = {
      {LZMA_BUF_ERROR, TRIAGE_REASON_TRUNCATED, "the packed data ends too early"},
      {LZMA_FORMAT_ERROR, TRIAGE_REASON_CORRUPT, "no header of a stream"},
      {LZMA_OPTIONS_ERROR, TRIAGE_REASON_UNSUPPORTED_FORMAT, "options that liblzma does not know"},
      {LZMA_MEMLIMIT_ERROR, TRIAGE_REASON_OUT_OF_MEMORY,
       "its dictionary is larger than may be held in memory"},
      {LZMA_MEM_ERROR, TRIAGE_REASON_OUT_OF_MEMORY, "no memory"},
  };
  TriageReason reason = TRIAGE_REASON_CORRUPT;
  const char *text = "damaged data, or a sum that does not fit";
  for (size_t i = 0; i < G_N_ELEMENTS(CODES); i++) {
    if (CODES[i].code == code) {
      reason = CODES[i].reason;
      text = CODES[i].text;
    }
  }
  return triage_fail(error, reason, "xz: %s at byte %" G_GUINT64_FORMAT " of the packed data", text,
                     at);
}

/* Unpacks one stream; *position is the byte behind it. */
static bool read_one(Unpack *unpack, lzma_stream *stream, const uint8_t *data, uint64_t size,
                     uint64_t *position, Intake *intake, GError **error) {
  g_autofree uint8_t *out = g_malloc(OUT_BYTES);
  lzma_ret code = lzma_stream_decoder(stream, LIMIT_XZ_MEMORY, 0);
  while (code == LZMA_OK) {
    size_t n_in = (size_t)MIN(size - *position, OUT_BYTES);
    stream->next_in = data + *position;
    stream->avail_in = n_in;
    stream->next_out = out;
    stream->avail_out = OUT_BYTES;
    code = lzma_code(stream, LZMA_RUN);
    size_t n_out = OUT_BYTES - stream->avail_out, taken = n_in - stream->avail_in;
    *position += taken;
    if (!unpack_alive(unpack, taken + n_out) || !intake_append(intake, out, n_out, error))
      return false;
    if (code == LZMA_OK && taken + n_out == 0)
      code = LZMA_BUF_ERROR;
  }
  return code == LZMA_STREAM_END || fail_code(code, *position, error);
}

/* All streams, with the padding between them. */
static bool read_all(Unpack *unpack, const uint8_t *data, uint64_t size, uint64_t *end,
                     Intake *intake, GError **error) {
  enum { PADDING = 4 };
  lzma_stream stream = LZMA_STREAM_INIT;
  uint64_t at = 0;
  bool is_whole = true;
  while (is_whole && probe_xz(data + at, size - at)) {
    is_whole = read_one(unpack, &stream, data, size, &at, intake, error);
    *end = at;
    while (size - at >= PADDING && data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 0 &&
           data[at + 3] == 0)
      at += PADDING;
  }
  lzma_end(&stream);
  return is_whole;
}

void unpack_xz_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GError) error = NULL;
  uint64_t size = content_size(container->content), end = size;
  Intake intake;
  intake_init(&intake, unpack, container);
  bool is_whole = read_all(unpack, content_data(container->content), size, &end, &intake, &error);
  container->end = is_whole ? end : size;
  unpack_stream_hand_out(unpack, self, container, &intake, error);
}
