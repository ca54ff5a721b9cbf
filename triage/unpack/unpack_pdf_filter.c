/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_pdf_filter.c - filters of PDF streams after ISO 32000-1, 7.4. LZW by our own hands: the
 * libraries read it in files of other formats only, with codes that lie the other way round. */
#include "unpack/unpack_pdf.h"
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 16 * 1024 };

typedef struct {
  Unpack *unpack;
  Intake *intake;
  size_t n;
  uint8_t bytes[BUFFER_BYTES];
} Out;

static bool flush(Out *out, GError **error) {
  size_t n = out->n;
  out->n = 0;
  return n == 0 ||
         (unpack_alive(out->unpack, n) && intake_append(out->intake, out->bytes, n, error));
}

static bool put(Out *out, const uint8_t *bytes, size_t n, GError **error) {
  while (n > 0) {
    size_t take = MIN(n, BUFFER_BYTES - out->n);
    memcpy(out->bytes + out->n, bytes, take);
    out->n += take;
    bytes += take;
    n -= take;
    if (out->n == BUFFER_BYTES && !flush(out, error))
      return false;
  }
  return true;
}

static bool fail_end(const char *filter, GError **error) {
  return triage_fail(error, TRIAGE_REASON_TRUNCATED,
                     "the stream ends before the end mark of its filter %s", filter);
}

static bool read_hex(Out *out, const uint8_t *p, const uint8_t *end, GError **error) {
  int high = -1;
  for (; p < end && *p != '>'; p++) {
    int digit = g_ascii_xdigit_value((char)*p);
    if (digit < 0)
      continue;
    uint8_t byte = (uint8_t)(high * 16 + digit);
    if (high >= 0 && !put(out, &byte, 1, error))
      return false;
    high = high >= 0 ? -1 : digit;
  }
  uint8_t last = (uint8_t)(high * 16);
  return high < 0 || put(out, &last, 1, error);
}

static bool read_85(Out *out, const uint8_t *p, const uint8_t *end, GError **error) {
  uint32_t group = 0;
  unsigned n = 0;
  for (; p < end && *p != '~'; p++) {
    static const uint8_t ZEROS[4] = {0};
    if (*p == 'z' && n == 0) {
      if (!put(out, ZEROS, 4, error))
        return false;
      continue;
    }
    if (*p < '!' || *p > 'u')
      continue;
    group = group * 85 + (*p - (uint32_t)'!');
    if (++n < 5)
      continue;
    const uint8_t bytes[4] = {(uint8_t)(group >> 24), (uint8_t)(group >> 16), (uint8_t)(group >> 8),
                              (uint8_t)group};
    if (!put(out, bytes, 4, error))
      return false;
    group = n = 0;
  }
  for (unsigned i = n; n > 1 && i < 5; i++)
    group = group * 85 + 84;
  const uint8_t rest[3] = {(uint8_t)(group >> 24), (uint8_t)(group >> 16), (uint8_t)(group >> 8)};
  return n < 2 || put(out, rest, n - 1, error);
}

static bool read_runs(Out *out, const uint8_t *p, const uint8_t *end, GError **error) {
  enum { END = 128, REPEATS = 257 };
  while (p < end && *p != END) {
    unsigned code = *p++;
    if (code < END) {
      size_t n = MIN((size_t)code + 1, (size_t)(end - p));
      if (!put(out, p, n, error))
        return false;
      p += n;
    } else if (p < end) {
      uint8_t run[END];
      memset(run, *p++, REPEATS - code);
      if (!put(out, run, REPEATS - code, error))
        return false;
    }
  }
  return p < end || fail_end("RunLengthDecode", error);
}

/* ---- LZW ---- */

enum { CLEAR = 256, STOP = 257, FIRST = 258, CODES = 4096, NO_CODE = CODES };

/* A string is another one and a byte behind it. */
typedef struct {
  uint16_t before[CODES], length[CODES];
  uint8_t first[CODES], last[CODES];
  unsigned next;
} Strings;

static void strings_add(Strings *strings, unsigned before, uint8_t last) {
  unsigned code = strings->next++;
  strings->before[code] = (uint16_t)before;
  strings->length[code] = (uint16_t)(strings->length[before] + 1);
  strings->first[code] = strings->first[before];
  strings->last[code] = last;
}

static Strings *strings_new(void) {
  Strings *strings = g_new(Strings, 1);
  for (unsigned i = 0; i < FIRST; i++) {
    strings->first[i] = strings->last[i] = (uint8_t)i;
    strings->length[i] = 1;
    strings->before[i] = 0;
  }
  strings->next = FIRST;
  return strings;
}

static bool put_string(Out *out, const Strings *strings, unsigned code, GError **error) {
  uint8_t text[CODES];
  size_t n = strings->length[code];
  for (size_t i = n; i > 0; i--) {
    text[i - 1] = strings->last[code];
    code = strings->before[code];
  }
  return put(out, text, n, error);
}

/* Writes what code stands for behind the code before. False where it can stand for nothing. */
static bool take_code(Out *out, Strings *strings, unsigned code, unsigned before, GError **error) {
  bool is_new = code == strings->next && before != NO_CODE;
  if (code >= strings->next && !is_new)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "LZW: code %u stands for nothing at byte %" G_GUINT64_FORMAT
                       " of what was unpacked",
                       code, intake_size(out->intake) + out->n);
  if (before != NO_CODE && strings->next < CODES)
    strings_add(strings, before, strings->first[is_new ? before : code]);
  return put_string(out, strings, code, error);
}

static bool read_lzw(Out *out, const uint8_t *p, const uint8_t *end, bool is_late, GError **error) {
  enum { BITS_LEAST = 9, BITS_MOST = 12 };
  g_autofree Strings *strings = strings_new();
  unsigned before = NO_CODE, width = BITS_LEAST, n_bits = 0;
  uint32_t bits = 0;
  for (;;) {
    for (; n_bits < width && p < end; n_bits += 8)
      bits = bits << 8 | *p++;
    if (n_bits < width)
      return fail_end("LZWDecode", error);
    n_bits -= width;
    unsigned code = bits >> n_bits & ((1u << width) - 1);
    if (code == STOP)
      return true;
    if (code == CLEAR) {
      strings->next = FIRST;
      before = NO_CODE;
    } else if (take_code(out, strings, code, before, error)) {
      before = code;
    } else {
      return false;
    }
    for (width = BITS_LEAST; width < BITS_MOST && strings->next + !is_late >= 1u << width;)
      width++;
  }
}

static bool read_filter(Out *out, const PdfStep *step, const uint8_t *p, const uint8_t *end,
                        GError **error) {
  switch (step->filter) {
  case PDF_LZW:
    return read_lzw(out, p, end, step->is_late, error);
  case PDF_HEX:
    return read_hex(out, p, end, error);
  case PDF_85:
    return read_85(out, p, end, error);
  case PDF_RUNS:
    return read_runs(out, p, end, error);
  case PDF_FLATE:
  case PDF_OTHER:
    break;
  }
  g_assert_not_reached();
}

/* What came before damage is kept. */
static bool end_with(Out *out, bool is_whole, GError **error) {
  return is_whole ? flush(out, error) : (flush(out, NULL), false);
}

bool pdf_decode(Unpack *unpack, const PdfStep *step, const uint8_t *data, uint64_t n,
                Intake *intake, GError **error) {
  if (step->filter == PDF_FLATE)
    return unpack_inflate_zlib(unpack, data, n, intake, error);
  g_autofree Out *out = g_new(Out, 1);
  out->unpack = unpack;
  out->intake = intake;
  out->n = 0;
  return end_with(out, read_filter(out, step, data, data + n, error), error);
}

/* ---- predictors ---- */

static uint8_t paeth(int left, int up, int corner) {
  int by_left = abs(up - corner), by_up = abs(left - corner), both = abs(left + up - 2 * corner);
  if (by_left <= by_up && by_left <= both)
    return (uint8_t)left;
  return (uint8_t)(by_up <= both ? up : corner);
}

/* The row above is in above, its successor comes to lie in row; n bytes, sample bytes each. */
static void undo_png(unsigned kind, uint8_t *row, const uint8_t *above, size_t n, size_t sample) {
  for (size_t i = 0; i < n; i++) {
    uint8_t left = i < sample ? 0 : row[i - sample], corner = i < sample ? 0 : above[i - sample];
    uint8_t guess = kind == 1   ? left
                    : kind == 2 ? above[i]
                    : kind == 3 ? (uint8_t)((left + above[i]) / 2)
                    : kind == 4 ? paeth(left, above[i], corner)
                                : 0;
    row[i] = (uint8_t)(row[i] + guess);
  }
}

bool pdf_unpredict(Unpack *unpack, const PdfStep *step, const uint8_t *data, uint64_t n,
                   Intake *intake, GError **error) {
  enum { TIFF = 2, PNG = 10, COLORS_MOST = 32, BITS_MOST = 16 };
  bool is_png = step->predictor >= PNG;
  if ((!is_png && (step->predictor != TIFF || step->bits != 8)) || step->colors > COLORS_MOST ||
      step->bits > BITS_MOST)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "the stream's predictor %u (%u colours of %u bits) is not read",
                       step->predictor, step->colors, step->bits);
  size_t sample = MAX(step->colors * step->bits / 8, 1);
  uint64_t length = ((uint64_t)step->columns * step->colors * step->bits + 7) / 8;
  size_t width = (size_t)MAX(MIN(length, n), 1);
  g_autofree uint8_t *row = g_malloc(width), *above = g_malloc0(width);
  g_autofree Out *out = g_new(Out, 1);
  out->unpack = unpack;
  out->intake = intake;
  out->n = 0;
  for (uint64_t at = 0; at + is_png < n;) {
    unsigned kind = is_png ? data[at++] : 1;
    size_t take = (size_t)MIN(width, n - at);
    memcpy(row, data + at, take);
    undo_png(kind, row, above, take, sample);
    if (!put(out, row, take, error))
      return false;
    uint8_t *swap = above;
    above = row;
    row = swap;
    at += take;
  }
  return flush(out, error);
}
