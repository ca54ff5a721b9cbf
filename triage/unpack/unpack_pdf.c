/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_pdf.c - what the compressed streams of a PDF hold: embedded files, scripts, objects packed
 * into streams. Streams are found one after the other by their keywords, not by the cross-reference
 * table, which a hostile or damaged file gets wrong. No library: the ones in C++ are no C, and
 * poppler and mupdf are under licences that do not fit. */
#include "unpack/unpack_pdf.h"
#include "base/text.h"
#include <string.h>

enum { FILTERS = 8, NUMBER_MOST = 1 << 24 };

typedef struct {
  uint64_t at; /* of its data */
  uint64_t n;
  PdfStep steps[FILTERS];
  unsigned n_steps;
  char *unread;     /* (transfer full): why the stream is not unpacked to the end */
  bool is_picture;  /* says its dictionary */
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

static const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
  while (p < end && *p <= ' ')
    p++;
  return p;
}

/* The byte behind the name and space; NULL: the name is not there. */
static const uint8_t *find_key(const uint8_t *from, const uint8_t *end, const char *name) {
  for (const uint8_t *p = from; (p = find(p, end, name)) != NULL; p++)
    if (is_name(p, end, name))
      return skip_space(p + strlen(name), end);
  return NULL;
}

static const struct {
  const char *name;
  PdfFilter filter;
  bool is_picture;
} FILTER_NAMES[] = {{"/FlateDecode", PDF_FLATE, false},    {"/Fl", PDF_FLATE, false},
                    {"/LZWDecode", PDF_LZW, false},        {"/LZW", PDF_LZW, false},
                    {"/ASCIIHexDecode", PDF_HEX, false},   {"/AHx", PDF_HEX, false},
                    {"/ASCII85Decode", PDF_85, false},     {"/A85", PDF_85, false},
                    {"/RunLengthDecode", PDF_RUNS, false}, {"/RL", PDF_RUNS, false},
                    {"/DCTDecode", PDF_OTHER, true},       {"/DCT", PDF_OTHER, true},
                    {"/JPXDecode", PDF_OTHER, true},       {"/JBIG2Decode", PDF_OTHER, true},
                    {"/CCITTFaxDecode", PDF_OTHER, true},  {"/CCF", PDF_OTHER, true}};

static void not_read(PdfStream *stream, char *why) {
  if (stream->unread == NULL)
    stream->unread = why;
  else
    g_free(why);
}

static void add_filter(PdfStream *stream, const uint8_t *p, const uint8_t *end) {
  enum { SHOWN = 40 };
  PdfStep step = {.filter = PDF_OTHER, .predictor = 1, .columns = 1, .colors = 1, .bits = 8};
  if (stream->n_steps == FILTERS) {
    not_read(stream, g_strdup_printf("has more than %u filters", FILTERS));
    return;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(FILTER_NAMES); i++) {
    if (is_name(p, end, FILTER_NAMES[i].name)) {
      step.filter = FILTER_NAMES[i].filter;
      step.is_picture = FILTER_NAMES[i].is_picture;
    }
  }
  stream->steps[stream->n_steps++] = step;
  if (step.filter != PDF_OTHER)
    return;
  size_t n = 1;
  while (p + n < end && n < SHOWN && !is_delimiter(p[n]))
    n++;
  g_autofree char *name = text_printable(p + 1, n - 1);
  not_read(stream, g_strdup_printf("went through the filter %s, which is not read", name));
}

/* The names behind /Filter: one, or a list of them. */
static void read_filters(PdfStream *stream, const uint8_t *dictionary, const uint8_t *end) {
  const uint8_t *p = find_key(dictionary, end, "/Filter");
  if (p == NULL) {
    p = find_key(dictionary, end, "/F"); /* may be a file's name as well */
    if (p == NULL || p == end || (*p != '/' && *p != '['))
      return;
  }
  bool is_list = p < end && *p == '[';
  p += is_list;
  while ((p = skip_space(p, end)) < end && *p != ']') {
    if (*p != '/') {
      not_read(stream, g_strdup("names its filter in another object, which is not looked up"));
      return;
    }
    add_filter(stream, p, end);
    if (!is_list)
      return;
    for (p++; p < end && !is_delimiter(*p);)
      p++;
  }
}

static void read_number(const uint8_t *from, const uint8_t *end, const char *key, uint32_t *value) {
  const uint8_t *p = find_key(from, end, key);
  if (p == NULL || p == end || !g_ascii_isdigit(*p))
    return;
  for (*value = 0; p < end && g_ascii_isdigit(*p) && *value < NUMBER_MOST; p++)
    *value = *value * 10 + (uint32_t)(*p - '0');
}

/* Parameters of the filters, in their order; "null" for one that has none. */
static void read_parameters(PdfStream *stream, const uint8_t *dictionary, const uint8_t *end) {
  const uint8_t *p = find_key(dictionary, end, "/DecodeParms");
  if (p == NULL)
    p = find_key(dictionary, end, "/DP");
  if (p == NULL || p == end)
    return;
  bool is_list = *p == '[';
  p = skip_space(p + is_list, end);
  for (unsigned i = 0; i < stream->n_steps && p < end && *p != ']'; i++) {
    PdfStep *step = &stream->steps[i];
    uint32_t is_early = 1;
    if (is_name(p, end, "null")) {
      p += 4;
    } else if (end - p >= 2 && p[0] == '<' && p[1] == '<') {
      const uint8_t *stop = find(p, end, ">>");
      stop = stop != NULL ? stop : end;
      read_number(p, stop, "/Predictor", &step->predictor);
      read_number(p, stop, "/Columns", &step->columns);
      read_number(p, stop, "/Colors", &step->colors);
      read_number(p, stop, "/BitsPerComponent", &step->bits);
      read_number(p, stop, "/EarlyChange", &is_early);
      step->is_late = is_early == 0;
      p = stop < end ? stop + 2 : end;
    } else {
      not_read(stream, g_strdup("keeps the parameters of its filter in another object, which is "
                                "not looked up"));
      return;
    }
    if (!is_list)
      return;
    p = skip_space(p, end);
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

/* Names may be written with numbers for letters: "/Fl#61teDecode". */
static GByteArray *plain_names(const uint8_t *p, const uint8_t *end) {
  GByteArray *out = g_byte_array_sized_new((guint)(end - p));
  for (; p < end; p++) {
    bool is_number = *p == '#' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]);
    uint8_t byte =
        is_number
            ? (uint8_t)(g_ascii_xdigit_value((char)p[1]) * 16 + g_ascii_xdigit_value((char)p[2]))
            : *p;
    g_byte_array_append(out, &byte, 1);
    p += is_number ? 2 : 0;
  }
  return out;
}

/* The dictionary between from, the end of the stream before, and the keyword at p; and the object's
 * number. */
static void read_dictionary(PdfStream *stream, const uint8_t *start, const uint8_t *from,
                            const uint8_t *p) {
  const uint8_t *object = NULL;
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
  g_autoptr(GByteArray) names = plain_names(from, p);
  const uint8_t *first = names->data, *end = names->data + names->len;
  read_filters(stream, first, end);
  read_parameters(stream, first, end);
  stream->is_embedded = find(first, end, "/EmbeddedFile") != NULL;
  stream->is_picture =
      find_key(first, end, "/Image") != NULL ||
      (find_key(first, end, "/Width") != NULL && find_key(first, end, "/Height") != NULL);
}

/* The next stream from *p on, which is set behind it. */
static bool next_stream(const uint8_t *start, const uint8_t *end, const uint8_t **p,
                        PdfStream *stream) {
  const uint8_t *from = *p;
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
    read_dictionary(stream, start, from, word);
    stream->n = (uint64_t)((stop != NULL ? stop : end) - data);
    *p = stop != NULL ? stop + 9 : end;
    return true;
  }
  return false;
}

/* Undoes one step. NULL where nothing is left to go on with: what came of it was handed out. */
static Content *undo_step(Unpack *unpack, Container *container, const PdfStep *step,
                          const Content *packed, GBytes *name, bool is_last) {
  g_autoptr(GError) error = NULL;
  bool has_predictor =
      step->predictor > 1 && (step->filter == PDF_FLATE || step->filter == PDF_LZW);
  g_autoptr(Content) decoded = NULL;
  const uint8_t *data = content_data(packed);
  uint64_t n = content_size(packed);
  for (int is_second = 0; is_second <= has_predictor; is_second++) {
    Intake intake;
    intake_init(&intake, unpack, container);
    bool is_whole = is_second ? pdf_unpredict(unpack, step, data, n, &intake, &error)
                              : pdf_decode(unpack, step, data, n, &intake, &error);
    if (!is_whole || (is_last && is_second == has_predictor)) {
      intake_hand_out(&intake, name, 0, error);
      return NULL;
    }
    Content *next = intake_finish(&intake, &error);
    if (next == NULL) {
      unpack_damage(unpack, container, triage_error_reason(error), "%s", error->message);
      return NULL;
    }
    g_clear_pointer(&decoded, content_unref);
    decoded = next;
    data = content_data(next);
    n = content_size(next);
  }
  return g_steal_pointer(&decoded);
}

/* Its last filters are not read. The dots of a picture are no text. */
static void report_unread(Unpack *unpack, Container *container, const PdfStream *stream,
                          GBytes *name) {
  for (unsigned i = 0; i < stream->n_steps; i++)
    if (stream->steps[i].filter == PDF_OTHER && stream->steps[i].is_picture && stream->is_picture)
      return;
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  unpack_gap(unpack, &path, stream->n, stream->n, TRIAGE_REASON_UNSUPPORTED_FORMAT,
             "the stream %s: its bytes were scanned as they are", stream->unread);
}

static void open_stream(Unpack *unpack, Container *container, const PdfStream *stream) {
  g_autofree char *text = g_strdup_printf("(object %" G_GUINT64_FORMAT " at %" G_GUINT64_FORMAT ")",
                                          stream->object, stream->at);
  g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
  g_autoptr(Content) packed = content_new_part(container->content, stream->at, stream->n);
  unsigned n_steps = 0;
  while (n_steps < stream->n_steps && stream->steps[n_steps].filter != PDF_OTHER)
    n_steps++;
  if (stream->unread != NULL)
    report_unread(unpack, container, stream, name);
  if (n_steps == 0 && stream->is_embedded && !unpack->is_stopped) {
    /* A file as it is: what is in it may be a container. */
    Member member = {.content = packed, .size = stream->n};
    unpack_member(unpack, container, name, &member);
  }
  for (unsigned i = 0; i < n_steps && !unpack->is_stopped; i++) {
    Content *next = undo_step(unpack, container, &stream->steps[i], packed, name, i + 1 == n_steps);
    if (next == NULL)
      return;
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
      g_free(stream.unread);
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "streams behind the first %u of the PDF were not unpacked", n);
      return;
    }
    open_stream(unpack, container, &stream);
    g_free(stream.unread);
  }
}
