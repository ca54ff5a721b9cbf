/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_mime.c - one mail to its parts. The ranges of parts are found here, by their boundaries,
 * so that a nested message stays the very bytes it was sent as, and nothing recurses on evidence's
 * behalf; gmime reads headers (character sets, continued parameters) and undoes the encodings. */
#include "unpack/unpack_mail.h"
#include <gmime/gmime.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeObject, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeParser, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)

enum { STEP_BYTES = 64 * 1024, ASIDE_BYTES = 64 };

/* One mail while it is open. */
typedef struct {
  Unpack *unpack;
  Container *container;
  const uint8_t *data;
  uint64_t n_parts;
  bool is_full; /* the limit of parts was met, and said */
} Mail;

typedef struct {
  uint64_t from, end;
} Range;

void mime_warm_up(void) {
  g_mime_init();
  /* Types register and converters load at their first use. */
  static const char SAMPLE[] = "Content-Type: multipart/mixed; boundary=\"b\"\n"
                               "Content-Disposition: attachment; filename*=utf-8''a%20b\n"
                               "Subject: =?iso-8859-1?q?=E4?= =?windows-1252?q?=80?=\n\n";
  g_autoptr(GMimeStream) stream = g_mime_stream_mem_new_with_buffer(SAMPLE, sizeof SAMPLE - 1);
  g_autoptr(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
  g_autoptr(GMimeObject) object = g_mime_parser_construct_part(parser, NULL);
  g_autofree char *subject = g_mime_utils_header_decode_text(NULL, "=?iso-8859-1?q?=E4?=");
  (void)subject;
  (void)object;
}

const char *unpack_mail_version(void) {
  return G_STRINGIFY(GMIME_MAJOR_VERSION) "." G_STRINGIFY(GMIME_MINOR_VERSION) "." G_STRINGIFY(
      GMIME_MICRO_VERSION);
}

/* The header block of range as gmime sees it; the body is left out, whatever its size. */
static GMimeObject *parse_header(const uint8_t *data, Range range, uint64_t body) {
  size_t n = (size_t)MIN(body - range.from, LIMIT_MAIL_HEADER_BYTES);
  g_autoptr(GMimeStream) stream =
      g_mime_stream_mem_new_with_buffer((const char *)data + range.from, n);
  g_autoptr(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
  return g_mime_parser_construct_part(parser, NULL);
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype) {
  GMimeContentType *content_type = object != NULL ? g_mime_object_get_content_type(object) : NULL;
  return content_type != NULL && g_mime_content_type_is_type(content_type, type, subtype);
}

static bool is_message(GMimeObject *object) {
  return is_type(object, "message", "rfc822") || is_type(object, "message", "global") ||
         is_type(object, "message", "news");
}

static GMimeContentEncoding encoding_of(GMimeObject *object) {
  const char *value =
      object != NULL ? g_mime_object_get_header(object, "Content-Transfer-Encoding") : NULL;
  return value != NULL ? g_mime_content_encoding_from_string(value)
                       : GMIME_CONTENT_ENCODING_DEFAULT;
}

static bool is_packed(GMimeContentEncoding encoding) {
  return encoding == GMIME_CONTENT_ENCODING_BASE64 ||
         encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
         encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

static TriageTime take_date(GMimeObject *object, const char *header) {
  TriageTime time = {0};
  const char *text = object != NULL ? g_mime_object_get_header(object, header) : NULL;
  g_autoptr(GDateTime) date = text != NULL ? g_mime_utils_header_decode_date(text) : NULL;
  if (date != NULL) {
    time.seconds = g_date_time_to_unix(date);
    time.is_set = true;
    time.source = TIME_MAIL;
  }
  return time;
}

static GBytes *name_of(GMimeObject *object, const char *number) {
  g_autofree char *name = NULL;
  const char *given = NULL;
  if (object != NULL) {
    given = g_mime_object_get_content_disposition_parameter(object, "filename");
    if (given == NULL || *given == '\0')
      given = g_mime_object_get_content_type_parameter(object, "name");
  }
  name = given != NULL && *given != '\0' ? g_strdup(given) : g_strconcat("part-", number, NULL);
  size_t n = strlen(name);
  return g_bytes_new_take(g_steal_pointer(&name), n);
}

/* Where the lines of a uuencoded file begin. */
static uint64_t skip_uu_begin(const uint8_t *data, Range range) {
  uint64_t at = range.from;
  while (at < range.end) {
    const uint8_t *eol = memchr(data + at, '\n', range.end - at);
    uint64_t next = eol != NULL ? (uint64_t)(eol - data) + 1 : range.end;
    if (next - at > 10 && memcmp(data + at, "begin ", 6) == 0)
      return next;
    at = next;
  }
  return range.from;
}

static Content *decode(Mail *mail, Range range, GMimeContentEncoding encoding, GError **error) {
  GMimeEncoding state;
  Intake intake;
  g_mime_encoding_init_decode(&state, encoding);
  if (encoding == GMIME_CONTENT_ENCODING_UUENCODE) {
    range.from = skip_uu_begin(mail->data, range);
    state.state |= GMIME_UUDECODE_STATE_BEGIN;
  }
  intake_init(&intake, mail->unpack, mail->container);
  g_autofree char *out = g_malloc(g_mime_encoding_outlen(&state, STEP_BYTES) + 64);
  bool is_in = true;
  for (uint64_t at = range.from; is_in && at < range.end; at += STEP_BYTES) {
    size_t n_in = (size_t)MIN(STEP_BYTES, range.end - at);
    const char *in = (const char *)mail->data + at;
    size_t n_out = at + n_in == range.end ? g_mime_encoding_flush(&state, in, n_in, out)
                                          : g_mime_encoding_step(&state, in, n_in, out);
    is_in = unpack_alive(mail->unpack, n_in) && intake_append(&intake, out, n_out, error);
  }
  GError *trouble = NULL;
  Content *content = intake_finish(&intake, &trouble);
  if (trouble != NULL && (error == NULL || *error == NULL))
    g_propagate_error(error, trouble);
  else
    g_clear_error(&trouble);
  return content;
}

static void hand_out(Mail *mail, GMimeObject *object, GBytes *name, Range body) {
  GMimeContentEncoding encoding = encoding_of(object);
  g_autoptr(GError) error = NULL;
  g_autoptr(Content) content = NULL;
  if (is_packed(encoding))
    content = decode(mail, body, encoding, &error);
  else
    content = content_new_part(mail->container->content, body.from, body.end - body.from);
  if (mail->unpack->is_stopped)
    return;
  if (error != NULL && (content == NULL || content_size(content) == 0)) {
    unpack_damage(mail->unpack, mail->container, triage_error_reason(error),
                  "a part of this mail could not be decoded: %s", error->message);
    return;
  }
  if (content == NULL)
    return; /* never without an error */
  Member member = {.content = content, .size = content_size(content), .error = error};
  if (is_message(object)) {
    Range whole = {0, content_size(content)};
    uint64_t inner = mail_body(content_data(content), whole.from, whole.end);
    g_autoptr(GMimeObject) header = parse_header(content_data(content), whole, inner);
    member.modified = take_date(header, "Date");
  }
  unpack_member(mail->unpack, mail->container, name, &member);
}

/* Text before the first and behind the last boundary belongs to no part; mail programs write a
 * sentence there. */
static void hand_out_aside(Mail *mail, const char *what, Range range) {
  if (range.end - range.from <= ASIDE_BYTES || mail->unpack->is_stopped)
    return;
  g_autoptr(Content) content =
      content_new_part(mail->container->content, range.from, range.end - range.from);
  g_autoptr(GBytes) name = g_bytes_new_static(what, strlen(what));
  Member member = {.content = content, .size = content_size(content)};
  unpack_member(mail->unpack, mail->container, name, &member);
}

typedef enum { LINE_NONE, LINE_PART, LINE_LAST } LineKind;

/* The next boundary line of range: *from its first byte (with the line break before it, which is
 * not the part's), *next the byte behind it. */
static LineKind find_boundary(const uint8_t *data, Range range, const GString *mark, uint64_t *from,
                              uint64_t *next) {
  uint64_t at = range.from;
  while (at < range.end) {
    const uint8_t *p = memmem(data + at, range.end - at, mark->str, mark->len);
    if (p == NULL)
      return LINE_NONE;
    uint64_t start = (uint64_t)(p - data), end = start + mark->len;
    at = end;
    if (start > range.from && data[start - 1] != '\n')
      continue;
    bool is_last = range.end - end >= 2 && data[end] == '-' && data[end + 1] == '-';
    if (is_last)
      end += 2;
    while (end < range.end && (data[end] == ' ' || data[end] == '\t' || data[end] == '\r'))
      end++;
    if (end < range.end && data[end] != '\n' && !is_last)
      continue;
    *next = end < range.end && data[end] == '\n' ? end + 1 : end;
    if (start > range.from)
      start--;
    if (start > range.from && data[start] == '\n' && data[start - 1] == '\r')
      start--;
    *from = start;
    return is_last ? LINE_LAST : LINE_PART;
  }
  return LINE_NONE;
}

static bool count_part(Mail *mail) {
  if (mail->n_parts++ < LIMIT_MAIL_PARTS)
    return !mail->unpack->is_stopped;
  if (!mail->is_full)
    unpack_damage(
        mail->unpack, mail->container, TRIAGE_REASON_SIZE_LIMIT,
        "a mail of more than %u parts: those behind were scanned as they are, not decoded",
        LIMIT_MAIL_PARTS);
  mail->is_full = true;
  return false;
}

static void walk_entity(Mail *mail, Range range, const char *number, unsigned depth);

static void walk_multipart(Mail *mail, Range body, const char *boundary, const char *number,
                           unsigned depth) {
  g_autoptr(GString) mark = g_string_new("--");
  g_string_append(mark, boundary);
  uint64_t from = 0, next = 0;
  LineKind kind = find_boundary(mail->data, body, mark, &from, &next);
  hand_out_aside(mail, "(preamble)",
                 (Range){body.from, kind == LINE_NONE ? body.end : MAX(from, body.from)});
  for (unsigned i = 1; kind == LINE_PART && count_part(mail); i++) {
    Range rest = {next, body.end};
    Range part = {next, body.end};
    kind = find_boundary(mail->data, rest, mark, &from, &next);
    if (kind != LINE_NONE)
      part.end = MAX(from, part.from);
    g_autofree char *inner =
        *number != '\0' ? g_strdup_printf("%s.%u", number, i) : g_strdup_printf("%u", i);
    walk_entity(mail, part, inner, depth + 1);
  }
  if (kind == LINE_LAST)
    hand_out_aside(mail, "(epilogue)", (Range){next, body.end});
  else if (kind == LINE_NONE && !mail->container->is_damaged && !mail->unpack->is_stopped)
    unpack_damage(mail->unpack, mail->container, TRIAGE_REASON_TRUNCATED,
                  "the mail ends before its last boundary; what is there was examined");
}

/* One part with its header, or the whole mail (number ""). */
static void walk_entity(Mail *mail, Range range, const char *number, unsigned depth) {
  uint64_t at = mail_body(mail->data, range.from, range.end);
  Range body = {at, range.end};
  g_autoptr(GMimeObject) object = parse_header(mail->data, range, at);
  const char *boundary = is_type(object, "multipart", "*")
                             ? g_mime_object_get_content_type_parameter(object, "boundary")
                             : NULL;
  if (boundary != NULL && *boundary != '\0' && depth < LIMIT_MIME_DEPTH) {
    walk_multipart(mail, body, boundary, number, depth);
    return;
  }
  if (boundary != NULL && depth >= LIMIT_MIME_DEPTH)
    unpack_damage(mail->unpack, mail->container, TRIAGE_REASON_DEPTH_LIMIT,
                  "a mail of parts inside parts more than %u deep: the innermost were scanned as "
                  "they are",
                  LIMIT_MIME_DEPTH);
  g_autoptr(GBytes) name = name_of(object, *number != '\0' ? number : "1");
  hand_out(mail, object, name, body);
}

void unpack_mime_open(Unpack *unpack, const Unpacker *self, Container *container) {
  (void)self;
  Mail mail = {unpack, container, content_data(container->content), 0, false};
  walk_entity(&mail, (Range){0, content_size(container->content)}, "", 0);
}

TriageTime mime_date(const uint8_t *data, uint64_t size) {
  Range range = {0, size};
  g_autoptr(GMimeObject) object = parse_header(data, range, mail_body(data, 0, size));
  return take_date(object, "Date");
}
