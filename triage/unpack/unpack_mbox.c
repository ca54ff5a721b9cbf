/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_mbox.c - what a mail looks like, and a mailbox to its messages. Each is a member of its
 * own, the very bytes of the mailbox. */
#include "unpack/unpack_known.h"
#include "unpack/unpack_mail.h"
#include <string.h>
#include <strings.h>

enum { FIELD_NAME_MAX = 76, FIELDS_LOOKED_AT = 256 };

/* Length of the header field's name at p, 0 where there is none. */
static size_t field_name(const uint8_t *p, uint64_t n) {
  size_t i = 0;
  while (i < n && i < FIELD_NAME_MAX && (g_ascii_isalnum(p[i]) || p[i] == '-' || p[i] == '_'))
    i++;
  return i > 0 && i < n && p[i] == ':' ? i : 0;
}

static uint64_t next_line(const uint8_t *data, uint64_t at, uint64_t end) {
  const uint8_t *eol = memchr(data + at, '\n', end - at);
  return eol != NULL ? (uint64_t)(eol - data) + 1 : end;
}

static bool is_empty_line(const uint8_t *data, uint64_t at, uint64_t end) {
  return data[at] == '\n' || (end - at >= 2 && data[at] == '\r' && data[at + 1] == '\n');
}

uint64_t mail_body(const uint8_t *data, uint64_t from, uint64_t end) {
  uint64_t at = from;
  bool is_first = true;
  while (at < end) {
    if (is_empty_line(data, at, end))
      return next_line(data, at, end);
    bool is_field = field_name(data + at, end - at) > 0 || data[at] == ' ' || data[at] == '\t';
    bool is_mark = is_first && (memcmp(data + at, "From ", MIN(5, end - at)) == 0 ||
                                memcmp(data + at, ">From ", MIN(6, end - at)) == 0);
    if (!is_field && !is_mark)
      return is_first ? from : at; /* some mails lack the empty line */
    is_first = false;
    at = next_line(data, at, end);
  }
  return end;
}

static bool starts_field(const uint8_t *data, uint64_t at, uint64_t end, const char *name) {
  size_t n = strlen(name);
  return end - at > n && strncasecmp((const char *)data + at, name, n) == 0;
}

static bool line_has(const uint8_t *data, uint64_t at, uint64_t end, const char *word) {
  size_t n = strlen(word);
  for (uint64_t i = at; end - i >= n; i++)
    if (strncasecmp((const char *)data + i, word, n) == 0)
      return true;
  return false;
}

typedef struct {
  unsigned n_mail; /* fields only mails have */
  bool is_coded;   /* parts, or a body in an encoding */
} Header;

/* Looks at the header fields from at on. */
static Header look_at_header(const uint8_t *data, uint64_t at, uint64_t end) {
  static const char *const NAMES[] = {
      "From:",         "To:",          "Subject:",      "Date:",
      "Received:",     "Return-Path:", "MIME-Version:", "Message-ID:",
      "Delivered-To:", "Reply-To:",    "Cc:",           "X-Mozilla-Status:"};
  Header header = {0};
  end = MIN(end, at + LIMIT_MAIL_HEADER_BYTES);
  for (unsigned i = 0; at < end && i < FIELDS_LOOKED_AT && !is_empty_line(data, at, end); i++) {
    uint64_t next = next_line(data, at, end);
    while (next < end && (data[next] == ' ' || data[next] == '\t'))
      next = next_line(data, next, end);
    if (field_name(data + at, end - at) == 0)
      break;
    for (size_t k = 0; k < G_N_ELEMENTS(NAMES); k++)
      header.n_mail += starts_field(data, at, end, NAMES[k]);
    if (starts_field(data, at, end, "Content-Type:"))
      header.is_coded = header.is_coded || line_has(data, at, next, "multipart/") ||
                        line_has(data, at, next, "message/");
    if (starts_field(data, at, end, "Content-Transfer-Encoding:"))
      header.is_coded = header.is_coded || line_has(data, at, next, "base64") ||
                        line_has(data, at, next, "quoted-printable") ||
                        line_has(data, at, next, "uue");
    at = next;
  }
  return header;
}

/* True where a mailbox's separator stands at at: a "From " line with a header field in the next. */
static bool is_separator(const uint8_t *data, uint64_t at, uint64_t end) {
  if (end - at < 10 || memcmp(data + at, "From ", 5) != 0)
    return false;
  uint64_t next = next_line(data, at, end);
  return next < end && next - at < 1024 &&
         (field_name(data + next, end - next) > 0 ||
          memcmp(data + next, ">From ", MIN(6, end - next)) == 0);
}

bool probe_mbox(const uint8_t *data, uint64_t size) {
  if (size < 32 || !is_separator(data, 0, size))
    return false;
  return look_at_header(data, next_line(data, 0, size), size).n_mail > 0;
}

/* A mail whose parts are to be taken apart; one that is plain text is examined as it is. */
bool probe_mime(const uint8_t *data, uint64_t size) {
  if (size < 32 || !g_ascii_isalpha(data[0]) || field_name(data, size) == 0)
    return false;
  Header header = look_at_header(data, 0, size);
  return header.is_coded && (header.n_mail > 0 || starts_field(data, 0, size, "Content-"));
}

static void hand_out(Unpack *unpack, Container *container, uint64_t from, uint64_t end) {
  const uint8_t *data = content_data(container->content);
  uint64_t head = next_line(data, from, end); /* the separator is the mailbox's, not the mail's */
  g_autoptr(Content) content = content_new_part(container->content, head, end - head);
  g_autofree char *text = g_strdup_printf("message-%" G_GUINT64_FORMAT, container->n_members + 1);
  g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
  Member member = {.content = content,
                   .size = end - head,
                   .modified = mime_date(content_data(content), end - head)};
  unpack_member(unpack, container, name, &member);
}

void unpack_mbox_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content), from = 0, at = 0;
  (void)self;
  while (!unpack->is_stopped) {
    const uint8_t *p = memmem(data + at, size - at, "\nFrom ", 6);
    uint64_t next = p != NULL ? (uint64_t)(p - data) + 1 : size;
    at = next;
    if (p != NULL && !is_separator(data, next, size))
      continue;
    if (container->n_members >= LIMIT_MEMBERS) {
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "more than %u messages: those behind were scanned as they are", LIMIT_MEMBERS);
      return;
    }
    if (!unpack_alive(unpack, next - from))
      return;
    hand_out(unpack, container, from, next);
    from = next;
    if (p == NULL)
      return;
  }
}
