/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rtf.c - objects in RTF, which are written as hexadecimal digits, and the compressed RTF of
 * Outlook ([MS-OXRTFCP]). Reads as Word does, which takes far more than the specification allows.
 */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>

enum { BUFFER_BYTES = 16 * 1024 };

typedef struct {
  Intake *intake;
  uint8_t buffer[BUFFER_BYTES];
  unsigned n;
  int high; /* first digit of a byte; -1: none */
  GError **error;
  bool is_full;
} Hex;

static void flush(Hex *hex) {
  if (!hex->is_full && hex->n > 0)
    hex->is_full = !unpack_alive(hex->intake->unpack, hex->n) ||
                   !intake_append(hex->intake, hex->buffer, hex->n, hex->error);
  hex->n = 0;
}

static void put_digit(Hex *hex, int digit) {
  if (hex->high < 0) {
    hex->high = digit;
    return;
  }
  hex->buffer[hex->n++] = (uint8_t)(hex->high << 4 | digit);
  hex->high = -1;
  if (hex->n == BUFFER_BYTES)
    flush(hex);
}

/* A control word or symbol at p (the backslash). Returns the byte behind it; \bin's data go in. */
static const uint8_t *skip_control(Hex *hex, const uint8_t *p, const uint8_t *end) {
  const uint8_t *word = ++p;
  if (p == end)
    return end;
  if (!g_ascii_isalpha(*p))
    return *p == '\'' && end - p >= 3 ? p + 3 : p + 1;
  while (p < end && g_ascii_isalpha(*p))
    p++;
  bool is_bin = p - word == 3 && memcmp(word, "bin", 3) == 0;
  bool is_negative = p < end && *p == '-';
  uint64_t number = 0;
  p += is_negative;
  for (; p < end && g_ascii_isdigit(*p); p++)
    number = MIN(number * 10 + (uint64_t)(*p - '0'), UINT32_MAX);
  if (p < end && *p == ' ')
    p++;
  if (!is_bin || is_negative)
    return p;
  uint64_t n = MIN(number, (uint64_t)(end - p));
  flush(hex);
  hex->high = -1;
  if (!hex->is_full && n > 0)
    hex->is_full = !intake_append(hex->intake, p, n, hex->error);
  return p + n;
}

/* The digits from p to the end of their group. */
static const uint8_t *read_digits(Hex *hex, const uint8_t *p, const uint8_t *end) {
  uint64_t depth = 0;
  while (p < end && !hex->is_full) {
    int digit = g_ascii_xdigit_value((char)*p);
    if (digit >= 0) {
      put_digit(hex, digit);
      p++;
    } else if (*p == '\\') {
      p = skip_control(hex, p, end);
    } else if (*p == '}' && depth-- == 0) {
      break;
    } else {
      depth += *p == '{';
      p++;
    }
  }
  flush(hex);
  return p;
}

static const uint8_t *open_object(Unpack *unpack, Container *container, const uint8_t *p,
                                  const uint8_t *end, unsigned number) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) trouble = NULL;
  g_autofree char *name = g_strdup_printf("(object %u)", number);
  g_autofree Hex *hex = g_new0(Hex, 1);
  Intake intake;
  intake_init(&intake, unpack, container);
  hex->intake = &intake;
  hex->error = &error;
  hex->high = -1;
  p = read_digits(hex, p, end);
  if (intake_size(&intake) == 0 && error == NULL) {
    content_unref(intake_finish(&intake, NULL));
    return p; /* a word without data */
  }
  g_autoptr(GBytes) step = g_bytes_new(name, strlen(name));
  Content *content = error == NULL ? intake_finish(&intake, &trouble) : NULL;
  if (error != NULL)
    intake_hand_out(&intake, step, 0, error);
  else if (content == NULL)
    unpack_damage(unpack, container, triage_error_reason(trouble), "%s", trouble->message);
  else if (!unpack_ole1_object(unpack, container, content, name)) {
    Member member = {.content = content, .size = content_size(content)};
    unpack_member(unpack, container, step, &member);
  }
  content_unref(content);
  return p;
}

/* The nearest of the words that digits follow; NULL: none. *p is set behind it. */
static bool find_word(const uint8_t **p, const uint8_t *end) {
  static const char *const WORDS[] = {"objdata", "datastore", "themedata"};
  while ((*p = memchr(*p, '\\', (size_t)(end - *p))) != NULL) {
    ++*p;
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
      size_t n = strlen(WORDS[i]);
      if ((size_t)(end - *p) > n && memcmp(*p, WORDS[i], n) == 0 && !g_ascii_isalpha((*p)[n])) {
        *p += n;
        return true;
      }
    }
  }
  return false;
}

void unpack_rtf_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *p = content_data(container->content);
  const uint8_t *end = p + content_size(container->content);
  (void)self;
  for (unsigned number = 1; !unpack->is_stopped && find_word(&p, end); number++) {
    /* A number right behind the word is its parameter, not data. */
    while (p < end && (g_ascii_isdigit(*p) || *p == '-'))
      p++;
    if (number > LIMIT_EMBEDDED || unpack_budget(unpack) == 0) {
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "objects behind the first %u of the RTF were not unpacked", number - 1);
      return;
    }
    p = open_object(unpack, container, p, end, number);
  }
}

/* The text every dictionary begins with. */
static const char LZFU_START[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
enum { LZFU_DICTIONARY = 4096 };

typedef struct {
  uint8_t dictionary[LZFU_DICTIONARY];
  unsigned at;
  uint64_t left; /* bytes still to come out */
} Lzfu;

/* Puts out one byte, or as many as a reference says. *p stands behind what was read. False at the
 * end mark, or where the data end. */
static bool take_token(Lzfu *lzfu, Hex *out, bool is_literal, const uint8_t **p,
                       const uint8_t *end) {
  unsigned from = 0, length = 1;
  uint8_t byte = 0;
  if (end - *p < (is_literal ? 1 : 2))
    return false;
  if (is_literal) {
    byte = *(*p)++;
  } else {
    from = (unsigned)((*p)[0] << 4 | (*p)[1] >> 4);
    length = ((*p)[1] & 0x0Fu) + 2;
    *p += 2;
    if (from == lzfu->at)
      return false;
  }
  for (; length > 0 && lzfu->left > 0; length--, lzfu->left--) {
    if (!is_literal)
      byte = lzfu->dictionary[from++ % LZFU_DICTIONARY];
    lzfu->dictionary[lzfu->at] = byte;
    lzfu->at = (lzfu->at + 1) % LZFU_DICTIONARY;
    out->buffer[out->n++] = byte;
    if (out->n == BUFFER_BYTES)
      flush(out);
  }
  return true;
}

/* False with error where less than size bytes come out. */
static bool read_lzfu(Hex *out, const uint8_t *p, const uint8_t *end, uint64_t size) {
  Lzfu lzfu = {.at = sizeof LZFU_START - 1, .left = size};
  bool is_more = true;
  memcpy(lzfu.dictionary, LZFU_START, lzfu.at);
  while (p < end && lzfu.left > 0 && is_more && !out->is_full) {
    unsigned flags = *p++;
    for (unsigned bit = 0; bit < 8 && lzfu.left > 0 && is_more && !out->is_full; bit++) {
      is_more = take_token(&lzfu, out, (flags & 1) == 0, &p, end);
      flags >>= 1;
    }
  }
  flush(out);
  return !out->is_full &&
         (lzfu.left == 0 || triage_fail(out->error, TRIAGE_REASON_TRUNCATED,
                                        "the compressed RTF ends before its claimed size"));
}

void unpack_lzfu_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  g_autoptr(GError) error = NULL;
  g_autofree Hex *out = g_new0(Hex, 1);
  Intake intake;
  intake_init(&intake, unpack, container);
  out->intake = &intake;
  out->error = &error;
  uint64_t expanded = bytes_le32(data + 4);
  if (memcmp(data + 8, "MELA", 4) == 0)
    intake_append(&intake, data + 16, MIN(expanded, size - 16), &error);
  else
    read_lzfu(out, data + 16, data + size, expanded);
  g_autoptr(GBytes) name = g_bytes_new_static(self->step, strlen(self->step));
  intake_hand_out(&intake, name, expanded, error);
}
