/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_escape.c - single characters written in other ways: UTF-7, HTML and XML entities, the
 * escapes of script strings (\x43, %43). The text around them stays. */
#include "unpack/unpack_view.h"
#include <string.h>

/* True where n bytes at p stand in text. */
static bool is_in_text(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t n) {
  uint64_t at = (uint64_t)(p - data);
  return view_is_in_text(data, (uint64_t)(end - data), at, at + n);
}

enum { ENTITY_BYTES = 12, SHIFT_BYTES = 8192, SHIFT_SURE_BYTES = 64 };

static bool is_graph(uint32_t c) {
  return c > 0x20 && c < 0x7F;
}

static const uint8_t *find_byte(const uint8_t *p, const uint8_t *end, uint8_t c) {
  return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

/* ---- UTF-7: +base64 of UTF-16BE- ---- */

/* Length of the shifted sequence at p with its marks, 0 where there is none; its text goes to out,
 * where that is wanted. It must say at least one character of ASCII, and nothing odd. *scanned is
 * where to look on: a sequence that goes wrong late is passed over whole, as decoders do. */
static size_t take_shift(const uint8_t *p, const uint8_t *end, GString *out, size_t *scanned) {
  uint32_t bits = 0, n_bits = 0, n_plain = 0, n = 0;
  const uint8_t *at = p + 1, *limit = end - p > SHIFT_BYTES ? p + SHIFT_BYTES : end;
  uint8_t bytes[4];
  *scanned = 1;
  for (; at < limit && base64_value(*at) >= 0; at++) {
    if (at - p > SHIFT_SURE_BYTES)
      *scanned = (size_t)(at - p);
    bits = bits << 6 | (uint32_t)base64_value(*at);
    n_bits += 6;
    if (n_bits < 16)
      continue;
    n_bits -= 16;
    uint32_t c = bits >> n_bits & 0xFFFF;
    n++;
    n_plain += is_graph(c);
    if (c == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (n == 1 && c >= 0x3000))
      return 0;
    if (out != NULL)
      g_string_append_len(out, (const char *)bytes, (gssize)utf8_put(bytes, c));
  }
  if (at >= limit || *at != '-' || n_plain == 0 || n_bits >= 6 ||
      (bits & ((UINT32_C(1) << n_bits) - 1)) != 0)
    return 0;
  *scanned = (size_t)(at + 1 - p);
  return *scanned;
}

bool utf7_at(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t *scanned) {
  size_t n = take_shift(p, end, NULL, scanned);
  return n > 0 && is_in_text(data, end, p, n);
}

void utf7_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data, *end = data + builder->size, *p = data + from;
  g_autoptr(GString) text = g_string_new(NULL);
  while ((p = find_byte(p, end, '+')) != NULL) {
    g_string_truncate(text, 0);
    size_t scanned, n = take_shift(p, end, text, &scanned);
    uint64_t at = (uint64_t)(p - data);
    if (n > 0 && is_in_text(data, end, p, n) &&
        !view_put(builder, at, at + n, text->str, text->len, true))
      return;
    p += scanned;
  }
}

/* ---- entities ---- */

static const struct {
  const char *name;
  char c;
} ENTITIES[] = {
    {"quot", '"'},     {"amp", '&'},    {"apos", '\''},  {"lt", '<'},     {"gt", '>'},
    {"period", '.'},   {"sol", '/'},    {"colon", ':'},  {"lpar", '('},   {"rpar", ')'},
    {"plus", '+'},     {"comma", ','},  {"equals", '='}, {"semi", ';'},   {"num", '#'},
    {"dollar", '$'},   {"percnt", '%'}, {"ast", '*'},    {"excl", '!'},   {"quest", '?'},
    {"commat", '@'},   {"lsqb", '['},   {"rsqb", ']'},   {"lbrack", '['}, {"rbrack", ']'},
    {"bsol", '\\'},    {"Hat", '^'},    {"lowbar", '_'}, {"lcub", '{'},   {"rcub", '}'},
    {"lbrace", '{'},   {"rbrace", '}'}, {"verbar", '|'}, {"vert", '|'},   {"Tab", '\t'},
    {"NewLine", '\n'}, {"grave", '`'},  {"nbsp", ' '}};

static int hex_value(uint8_t c) {
  return g_ascii_isxdigit(c) ? g_ascii_xdigit_value((char)c) : -1;
}

/* Length of the number of that base at p; value is held below 2^24. */
static size_t take_number(const uint8_t *p, const uint8_t *end, int base, uint32_t *value) {
  const uint8_t *at = p;
  *value = 0;
  for (; at < end && at - p < 8 && hex_value(*at) >= 0 && hex_value(*at) < base; at++)
    *value = *value < 0x100000 ? *value * (uint32_t)base + (uint32_t)hex_value(*at) : *value;
  return (size_t)(at - p);
}

/* Length of the entity at p ('&'), 0 where there is none. */
static size_t take_entity(const uint8_t *p, const uint8_t *end, uint32_t *c) {
  const uint8_t *at = p + 1;
  if (end - p < 4 || (*at != '#' && !g_ascii_isalpha(*at)))
    return 0;
  if (*at == '#') {
    bool is_hex = at[1] == 'x' || at[1] == 'X';
    at += is_hex ? 2 : 1;
    size_t n = take_number(at, end, is_hex ? 16 : 10, c);
    at += n;
    if (n == 0 || *c == 0 || *c > 0x10FFFF || (*c >= 0xD800 && *c <= 0xDFFF))
      return 0;
    return (size_t)(at - p) + (at < end && *at == ';' ? 1 : 0);
  }
  const uint8_t *stop = find_byte(at, end - p > ENTITY_BYTES ? p + ENTITY_BYTES : end, ';');
  for (size_t i = 0; stop != NULL && i < G_N_ELEMENTS(ENTITIES); i++) {
    size_t n = strlen(ENTITIES[i].name);
    if ((size_t)(stop - at) == n && memcmp(at, ENTITIES[i].name, n) == 0) {
      *c = (uint8_t)ENTITIES[i].c;
      return n + 2;
    }
  }
  return 0;
}

static const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '_' || *p == '\r' || *p == '\n'))
    p++;
  return p;
}

/* "&amp;" and quotes are everywhere in pages; they hide something where they join strings. */
static bool is_joint(const uint8_t *data, const uint8_t *p, size_t n, uint32_t c,
                     const uint8_t *end) {
  uint32_t next_c = 0;
  const uint8_t *limit = end - p > 64 ? p + 64 : end;
  const uint8_t *next = skip_blank(p + n, limit);
  if (c == '"' || c == '\'') {
    size_t length = next < end && *next == '&' ? take_entity(next, end, &next_c) : 0;
    bool is_amp = length > 0 && next_c == '&';
    if (!is_amp && (next >= end || *next != '+'))
      return false;
    next = skip_blank(next + (is_amp ? length : 1), limit);
    return next < end && (*next == '&' || g_ascii_isalpha(*next));
  }
  if (c != '&')
    return false;
  const uint8_t *before = p;
  while (before > data && (before[-1] == ' ' || before[-1] == '\t'))
    before--;
  return before > data && (before[-1] == '"' || before[-1] == ')') && next < end &&
         (*next == '"' || g_ascii_isalpha(*next));
}

static bool hides(const uint8_t *data, const uint8_t *p, size_t n, uint32_t c, const uint8_t *end) {
  if (c == '"' || c == '\'' || c == '&')
    return is_joint(data, p, n, c, end);
  return is_graph(c) && c != '<' && c != '>';
}

bool entity_at(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  uint32_t c = 0;
  size_t n = take_entity(p, end, &c);
  return n > 0 && hides(data, p, n, c, end) && is_in_text(data, end, p, n);
}

void entities_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data, *end = data + builder->size, *p = data + from;
  uint8_t bytes[4];
  uint32_t c = 0;
  while ((p = find_byte(p, end, '&')) != NULL) {
    size_t n = take_entity(p, end, &c);
    uint64_t at = (uint64_t)(p - data);
    if (n > 0 && is_in_text(data, end, p, n) &&
        !view_put(builder, at, at + n, bytes, utf8_put(bytes, c), true))
      return;
    p += MAX(n, 1);
  }
}

/* ---- escapes ---- */

static bool take_hex(const uint8_t *p, const uint8_t *end, unsigned digits, uint32_t *c) {
  uint32_t value = 0;
  if (end - p < (ptrdiff_t)digits)
    return false;
  for (unsigned i = 0; i < digits; i++) {
    if (hex_value(p[i]) < 0)
      return false;
    value = value << 4 | (uint32_t)hex_value(p[i]);
  }
  *c = value;
  return value != 0 && (value < 0xD800 || value > 0xDFFF);
}

/* \101, \56: what three digits of eight, or two, say where it is a letter or a sign. */
static size_t take_octal(const uint8_t *p, const uint8_t *end, uint32_t *c) {
  size_t n = 0;
  *c = 0;
  while (n < 3 && n < (size_t)(end - p) && p[n] >= '0' && p[n] <= '7')
    *c = *c * 8 + (uint32_t)(p[n++] - '0');
  return n >= 2 && is_graph(*c) ? n + 1 : 0;
}

/* The rest of \u{43} behind its bracket. */
static size_t take_braced(const uint8_t *p, const uint8_t *end, uint32_t *c) {
  size_t n = take_number(p, end, 16, c);
  bool is_whole = n > 0 && n < (size_t)(end - p) && p[n] == '}' && *c != 0 && *c <= 0x10FFFF;
  return is_whole && (*c < 0xD800 || *c > 0xDFFF) ? n + 4 : 0;
}

/* Length of the escape at p ('\\' or '%'), 0 where there is none. */
static size_t take_escape(const uint8_t *p, const uint8_t *end, uint32_t *c) {
  if (end - p < 2)
    return 0;
  if (*p == '%') {
    if (p[1] == 'u')
      return take_hex(p + 2, end, 4, c) ? 6 : 0;
    return take_hex(p + 1, end, 2, c) ? 3 : 0;
  }
  *c = '/';
  if (p[1] == '/')
    return 2;
  if (p[1] == 'x')
    return take_hex(p + 2, end, 2, c) ? 4 : 0;
  if (p[1] != 'u')
    return take_octal(p + 1, end, c);
  if (end - p > 3 && p[2] == '{')
    return take_braced(p + 3, end, c);
  return take_hex(p + 2, end, 4, c) ? 6 : 0;
}

/* The next of the two characters that begin an escape; each is looked for once. */
typedef struct {
  const uint8_t *slash, *percent, *end;
} Next;

static const uint8_t *next_escape(Next *next, const uint8_t *p) {
  if (next->slash != NULL && next->slash < p)
    next->slash = find_byte(p, next->end, '\\');
  if (next->percent != NULL && next->percent < p)
    next->percent = find_byte(p, next->end, '%');
  if (next->slash == NULL || (next->percent != NULL && next->percent < next->slash))
    return next->percent;
  return next->slash;
}

static bool is_word(uint32_t c) {
  return c == '.' || (c < 0x80 && g_ascii_isalnum((char)c));
}

unsigned escape_at(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  uint32_t c = 0;
  size_t n = take_escape(p, end, &c);
  if (n == 0 || !is_graph(c) || !is_in_text(data, end, p, n))
    return 0;
  /* Nothing but a wish to hide writes letters so; %6d is a letter too, but beside none. */
  bool is_beside = (p > data && is_word(p[-1])) || (p + n < end && is_word(p[n]));
  return is_word(c) && is_beside ? ESCAPES_WANTED : 1;
}

void escapes_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data, *end = data + builder->size, *p = data + from;
  Next next = {find_byte(p, end, '\\'), find_byte(p, end, '%'), end};
  uint8_t bytes[4];
  uint32_t c = 0;
  while ((p = next_escape(&next, p)) != NULL) {
    size_t n = take_escape(p, end, &c);
    uint64_t at = (uint64_t)(p - data);
    if (n > 0 && is_in_text(data, end, p, n) &&
        !view_put(builder, at, at + n, bytes, utf8_put(bytes, c), true))
      return;
    p += MAX(n, 1);
  }
}
