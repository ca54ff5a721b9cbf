/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_pdf.c - what the compressed streams of a PDF hold: embedded files, scripts, objects packed
 * into streams. Streams are found one after the other by their keywords, not by the cross-reference
 * table, which a hostile or damaged file gets wrong. No library: the ones in C++ are no C, and
 * poppler and mupdf are under licences that do not fit. */
#include "unpack/unpack_private.h"
#include <string.h>

enum { DICTIONARY_BYTES = 4096, FILTERS = 4, BUFFER_BYTES = 16 * 1024 };

typedef enum { FILTER_FLATE, FILTER_HEX, FILTER_85 } Filter;

typedef struct {
  uint64_t at; /* of its data */
  uint64_t n;
  Filter filters[FILTERS];
  unsigned n_filters;
  bool is_opaque;   /* a filter is an image's, or not known: scanned as it is */
  bool is_embedded; /* a file */
  uint64_t object;
} PdfStream;

static const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *text) {
  return from < end ? memmem(from, (size_t)(end - from), text, strlen(text)) : NULL;
}

static bool is_delimiter(uint8_t c) {
  return c <= ' ' || strchr("/[]<>()%{}", c) != NULL;
}

/* Does the name stand at p, whole? */
static bool is_name(const uint8_t *p, const uint8_t *end, const char *name) {
  size_t n = strlen(name);
  return (size_t)(end - p) >= n && memcmp(p, name, n) == 0 && (p + n == end || is_delimiter(p[n]));
}

static void add_filter(PdfStream *stream, const uint8_t *p, const uint8_t *end) {
  static const struct {
    const char *name;
    Filter filter;
  } NAMES[] = {{"/FlateDecode", FILTER_FLATE},  {"/Fl", FILTER_FLATE},
               {"/ASCIIHexDecode", FILTER_HEX}, {"/AHx", FILTER_HEX},
               {"/ASCII85Decode", FILTER_85},   {"/A85", FILTER_85}};
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    if (is_name(p, end, NAMES[i].name) && stream->n_filters < FILTERS) {
      stream->filters[stream->n_filters++] = NAMES[i].filter;
      return;
    }
  }
  stream->is_opaque = true;
}

/* The names behind /Filter: one, or a list of them. */
static void read_filters(PdfStream *stream, const uint8_t *dictionary, const uint8_t *end) {
  const uint8_t *p = find(dictionary, end, "/Filter");
  if (p == NULL)
    p = find(dictionary, end, "/F ");
  if (p == NULL)
    return;
  for (p++; p < end && !is_delimiter(*p); p++)
    continue;
  while (p < end && *p <= ' ')
    p++;
  bool is_list = p < end && *p == '[';
  p += is_list;
  while (p < end && *p != ']') {
    if (*p == '/') {
      add_filter(stream, p, end);
      if (!is_list)
        return;
    } else if (!is_list) {
      stream->is_opaque = true; /* the name stands in another object */
      return;
    }
    p++;
  }
}

static uint64_t number_before(const uint8_t *start, const uint8_t *p) {
  uint64_t value = 0, scale = 1;
  while (p > start && p[-1] <= ' ')
    p--;
  for (; p > start && g_ascii_isdigit(p[-1]) && scale < 1000000000; p--, scale *= 10)
    value += (uint64_t)(p[-1] - '0') * scale;
  return value;
}

/* The dictionary before the keyword at p, and the object's number. */
static void read_dictionary(PdfStream *stream, const uint8_t *start, const uint8_t *p) {
  const uint8_t *from = p - MIN((size_t)(p - start), DICTIONARY_BYTES), *object = NULL;
  for (const uint8_t *q = from; (q = find(q, p, "obj")) != NULL; q += 3)
    if (q == start || q[-1] != 'd') /* not endobj */
      object = q;
  if (object != NULL) {
    const uint8_t *q = object;
    while (q > start && q[-1] <= ' ')
      q--;
    while (q > start && g_ascii_isdigit(q[-1])) /* the generation */
      q--;
    stream->object = number_before(start, q);
    from = object + 3;
  }
  read_filters(stream, from, p);
  stream->is_embedded = find(from, p, "/EmbeddedFile") != NULL;
}

/* The next stream from *p on, which is set behind it. */
static bool next_stream(const uint8_t *start, const uint8_t *end, const uint8_t **p,
                        PdfStream *stream) {
  while ((*p = find(*p, end, "stream")) != NULL) {
    const uint8_t *word = *p;
    const uint8_t *data = word + 6;
    *p = data;
    if (word == start || (word[-1] != '>' && word[-1] > ' ') || data == end ||
        (*data != '\r' && *data != '\n'))
      continue;
    data += *data == '\r' && end - data > 1 && data[1] == '\n' ? 2 : 1;
    const uint8_t *stop = find(data, end, "endstream");
    *stream = (PdfStream){.at = (uint64_t)(data - start)};
    read_dictionary(stream, start, word);
    stream->n = (uint64_t)((stop != NULL ? stop : end) - data);
    *p = stop != NULL ? stop + 9 : end;
    return true;
  }
  return false;
}

typedef struct {
  uint8_t bytes[BUFFER_BYTES];
  size_t n;
} Buffer;

static bool put(Unpack *unpack, Buffer *out, Intake *intake, const uint8_t *bytes, size_t n,
                GError **error) {
  if (out->n + n > BUFFER_BYTES) {
    if (!unpack_alive(unpack, out->n) || !intake_append(intake, out->bytes, out->n, error))
      return false;
    out->n = 0;
  }
  memcpy(out->bytes + out->n, bytes, n);
  out->n += n;
  return true;
}

static bool read_hex(Unpack *unpack, Buffer *out, const uint8_t *p, const uint8_t *end,
                     Intake *intake, GError **error) {
  int high = -1;
  for (; p < end && *p != '>'; p++) {
    int digit = g_ascii_xdigit_value((char)*p);
    if (digit < 0)
      continue;
    uint8_t byte = (uint8_t)(high * 16 + digit);
    if (high >= 0 && !put(unpack, out, intake, &byte, 1, error))
      return false;
    high = high >= 0 ? -1 : digit;
  }
  return true;
}

static bool read_85(Unpack *unpack, Buffer *out, const uint8_t *p, const uint8_t *end,
                    Intake *intake, GError **error) {
  uint32_t group = 0;
  unsigned n = 0;
  for (; p < end && *p != '~'; p++) {
    static const uint8_t ZEROS[4] = {0};
    if (*p == 'z' && n == 0) {
      if (!put(unpack, out, intake, ZEROS, 4, error))
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
    if (!put(unpack, out, intake, bytes, 4, error))
      return false;
    group = n = 0;
  }
  for (unsigned i = n; n > 1 && i < 5; i++)
    group = group * 85 + 84;
  const uint8_t rest[3] = {(uint8_t)(group >> 24), (uint8_t)(group >> 16), (uint8_t)(group >> 8)};
  return n < 2 || put(unpack, out, intake, rest, n - 1, error);
}

static bool decode(Unpack *unpack, Filter filter, const uint8_t *data, uint64_t n, Intake *intake,
                   GError **error) {
  if (filter == FILTER_FLATE)
    return unpack_inflate_zlib(unpack, data, n, intake, error);
  g_autofree Buffer *out = g_new(Buffer, 1);
  out->n = 0;
  bool is_done = filter == FILTER_HEX ? read_hex(unpack, out, data, data + n, intake, error)
                                      : read_85(unpack, out, data, data + n, intake, error);
  return is_done && intake_append(intake, out->bytes, out->n, error);
}

static void open_stream(Unpack *unpack, Container *container, const PdfStream *stream) {
  g_autofree char *text = g_strdup_printf("(object %" G_GUINT64_FORMAT " at %" G_GUINT64_FORMAT ")",
                                          stream->object, stream->at);
  g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
  g_autoptr(Content) packed = content_new_part(container->content, stream->at, stream->n);
  g_autoptr(GError) error = NULL;
  if (stream->n_filters == 0) { /* a file as it is: what is in it may be a container */
    Member member = {.content = packed, .size = stream->n};
    unpack_member(unpack, container, name, &member);
    return;
  }
  for (unsigned i = 0; i < stream->n_filters && !unpack->is_stopped; i++) {
    Intake intake;
    intake_init(&intake, unpack, container);
    bool is_whole = decode(unpack, stream->filters[i], content_data(packed), content_size(packed),
                           &intake, &error);
    if (i + 1 == stream->n_filters || !is_whole) {
      intake_hand_out(&intake, name, 0, error);
      return;
    }
    Content *next = intake_finish(&intake, &error);
    if (next == NULL) {
      unpack_damage(unpack, container, triage_error_reason(error), "%s", error->message);
      return;
    }
    content_unref(packed);
    packed = next;
  }
}

/* The byte behind the last end mark; 0: there is none. */
static uint64_t end_mark(const uint8_t *start, const uint8_t *end) {
  const uint8_t *last = NULL;
  for (const uint8_t *p = start; (p = find(p, end, "%%EOF")) != NULL; p += 5)
    last = p;
  return last != NULL ? (uint64_t)(last - start) + 5 : 0;
}

void unpack_pdf_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *start = content_data(container->content), *p = start;
  const uint8_t *end = start + content_size(container->content);
  PdfStream stream;
  uint64_t mark = end_mark(start, end);
  (void)self;
  if (mark > 0)
    container->end = mark;
  else
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "the PDF has no end mark: it is cut off; streams that are there were unpacked");
  if (find(start, end, "/Encrypt") != NULL) {
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "the PDF is encrypted; its streams were scanned as they are: decrypt it and "
                  "examine the result");
    return;
  }
  for (unsigned n = 0; !unpack->is_stopped && next_stream(start, end, &p, &stream); n++) {
    if (n >= LIMIT_PDF_STREAMS || unpack_budget(unpack) == 0) {
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "streams behind the first %u of the PDF were not unpacked", n);
      return;
    }
    if (!stream.is_opaque && (stream.n_filters > 0 || stream.is_embedded))
      open_stream(unpack, container, &stream);
  }
}
