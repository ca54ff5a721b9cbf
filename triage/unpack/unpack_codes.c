/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_codes.c - bytes and characters written as lists of numbers: Array(67,68,79), 0x43,0x44,
 * hex:43,00,44,00 of a registry file. A list may go on over lines; whether its numbers are decimal
 * or hexadecimal is told by what they look like, and where both may be meant both are read. */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum {
  LEAST_NUMBERS = 10,
  LONG_NUMBERS = 1024, /* a list that is scanned whatever it says */
  CHUNK_NUMBERS = 64,  /* so many are held to be text, or not, at a time */
  DIGITS = 6,
  BEFORE_BYTES = 256, /* a list with more before a comma was met there */
  HEAD_BYTES = 512,
  OUT_BYTES = 1024,
  TELL_BYTES = 64 * 1024
};

typedef enum { BASE_DECIMAL, BASE_HEX, BASES } Base;

/* One number as it stands; is_own: with a mark that it is hexadecimal. */
typedef struct {
  uint32_t decimal, hex;
  unsigned n_digits;
  bool has_letters, is_own;
} Number;

/* What so many numbers would be in one reading. */
typedef struct {
  unsigned n, n_plain, n_words, n_zeros, n_wide;
  bool is_text; /* some chunk was */
} Reading;

typedef struct {
  const uint8_t *start, *end;
  uint64_t n;
  Reading readings[BASES];
  bool is_decimal, is_hex; /* told by digits, marks or the word before the list; hex weighs more */
} List;

static const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n' || *p == '\\' ||
                     *p == '_' || *p == '`'))
    p++;
  return p;
}

/* Of a hexadecimal digit 1 and its value, 0 of others. */
static const uint8_t DIGIT[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

/* The number at p. Returns the byte behind it, NULL where there is none. */
static inline const uint8_t *take_number(const uint8_t *p, const uint8_t *end, Number *number) {
  uint32_t decimal = 0, hex = 0, most = 0;
  number->is_own =
      end - p > 2 && (p[0] == '0' || p[0] == '&') && ((p[1] | 0x20) == 'x' || (p[1] | 0x20) == 'h');
  p += number->is_own ? 2 : 0;
  const uint8_t *start = p, *limit = end - p > DIGITS ? p + DIGITS : end;
  for (; p < limit && DIGIT[*p] != 0; p++) {
    uint32_t value = DIGIT[*p] - 1u;
    hex = hex << 4 | value;
    decimal = decimal * 10 + value;
    most = MAX(most, value);
  }
  number->hex = hex;
  number->decimal = decimal;
  number->n_digits = (unsigned)(p - start);
  number->has_letters = most > 9;
  return p == start || (p < end && DIGIT[*p] != 0) ? NULL : p;
}

static uint32_t value_of(const Number *number, Base base) {
  return number->is_own || base == BASE_HEX ? number->hex : number->decimal;
}

static void judge(Reading *reading) {
  unsigned n_others = reading->n - reading->n_zeros;
  reading->is_text |= reading->n_wide == 0 && reading->n_zeros * 9 <= reading->n * 5 &&
                      reading->n_plain * 20 >= n_others * 17 &&
                      reading->n_words * 8 >= n_others * 5 && n_others >= LEAST_NUMBERS / 2;
}

static void count(Reading *reading, uint32_t value) {
  if (reading->n == CHUNK_NUMBERS) {
    judge(reading);
    *reading = (Reading){.is_text = reading->is_text};
  }
  enum { PLAIN = 1, WORD = 2 };
  static const uint8_t KINDS[256] = {['\t'] = PLAIN,        ['\n'] = PLAIN,
                                     ['\r'] = PLAIN,        [' '] = PLAIN | WORD,
                                     ['!' ... '-'] = PLAIN, ['.'] = PLAIN | WORD,
                                     ['/'] = PLAIN,         ['0' ... '9'] = PLAIN | WORD,
                                     [':' ... '@'] = PLAIN, ['A' ... 'Z'] = PLAIN | WORD,
                                     ['[' ... '`'] = PLAIN, ['a' ... 'z'] = PLAIN | WORD,
                                     ['{' ... '~'] = PLAIN};
  uint8_t kind = value > 0xFF ? 0 : KINDS[value];
  reading->n++;
  reading->n_zeros += value == 0;
  reading->n_wide += value > 0xFFFF;
  reading->n_words += kind >> 1;
  reading->n_plain += kind & PLAIN;
}

/* True where the list at p is a registry file's: hex:, hex(2): */
static bool is_behind_hex(const uint8_t *floor, const uint8_t *p) {
  const uint8_t *from = p - floor > 8 ? p - 8 : floor;
  return p > from && p[-1] == ':' && memmem(from, (size_t)(p - from), "hex", 3) != NULL;
}

/* Reads numbers and commas from p on. False where fewer than enough stand there; list->end is
 * behind what was read all the same. */
static bool take_list(const uint8_t *floor, const uint8_t *p, const uint8_t *end, List *list) {
  Number number;
  bool has_bare = false;
  *list = (List){.start = p, .end = p, .is_hex = is_behind_hex(floor, p)};
  for (const uint8_t *at = p; (at = take_number(at, end, &number)) != NULL;) {
    list->n++;
    list->end = at;
    list->is_hex |= number.has_letters && !number.is_own;
    list->is_decimal |= number.n_digits != 2 && !number.is_own;
    has_bare |= !number.is_own;
    count(&list->readings[BASE_DECIMAL], value_of(&number, BASE_DECIMAL));
    count(&list->readings[BASE_HEX], value_of(&number, BASE_HEX));
    at = skip_blank(at, end);
    if (at >= end || *at != ',')
      break;
    at = skip_blank(at + 1, end);
  }
  list->is_hex |= !has_bare;
  for (unsigned i = 0; i < BASES; i++)
    judge(&list->readings[i]);
  return list->n >= LEAST_NUMBERS;
}

static bool may_precede(uint8_t c) {
  return g_ascii_isxdigit(c) || c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
         c == '\\' || c == '_' || c == '`' || (c | 0x20) == 'x' || (c | 0x20) == 'h' || c == '&';
}

/* True where two numbers stand behind the comma at p: of most that is not so. */
static bool goes_on(const uint8_t *p, const uint8_t *end) {
  Number number;
  const uint8_t *next = end - p > 2 && p[1] == ' ' ? p + 2 : p + 1;
  if (next >= end || (g_ascii_isalpha(*next) && !g_ascii_isxdigit(*next)))
    return false;
  for (unsigned i = 0; i < 2; i++) {
    if (p >= end || *p != ',')
      return false;
    p = take_number(skip_blank(p + 1, end), end, &number);
    if (p == NULL)
      return false;
    p = skip_blank(p, end);
  }
  return true;
}

/* The list that the comma at p stands in; false where it is none. list->end is where to look on. */
static bool list_around(const uint8_t *floor, const uint8_t *end, const uint8_t *p, List *list) {
  const uint8_t *start = p;
  list->end = p + 1;
  if (!goes_on(p, end))
    return false;
  while (start > floor && p - start < BEFORE_BYTES && may_precede(start[-1]))
    start--;
  while (start < p) {
    start = skip_blank(start, p);
    bool is_list = take_list(floor, start, end, list);
    if (list->end > p)
      return is_list;
    /* What was read ends before the comma; the next may begin behind it. */
    start = MAX(list->end, start + 1);
    while (start < p && g_ascii_isxdigit(start[-1]) && g_ascii_isxdigit(*start))
      start++;
  }
  list->end = p + 1;
  return false;
}

static bool reads_as(const List *list, Base base) {
  bool is_other = base == BASE_HEX ? !list->is_hex && list->is_decimal : list->is_hex;
  return !is_other && (list->readings[base].is_text || list->n >= LONG_NUMBERS);
}

/* The number behind the one at p, or the list's end. */
static const uint8_t *next_number(const List *list, const uint8_t *p, Number *number) {
  p = skip_blank(take_number(p, list->end, number), list->end);
  return p < list->end ? skip_blank(p + 1, list->end) : p;
}

/* The first bytes of a list. */
static size_t head_of(const List *list, Base base, uint8_t *head) {
  size_t n = 0;
  Number number;
  for (const uint8_t *at = list->start; n < HEAD_BYTES && at < list->end;) {
    at = next_number(list, at, &number);
    if (value_of(&number, base) > 0xFF)
      break;
    head[n++] = (uint8_t)value_of(&number, base);
  }
  return n;
}

static Base base_of(const List *list) {
  return list->is_hex || !list->is_decimal ? BASE_HEX : BASE_DECIMAL;
}

static bool is_container(const List *list) {
  uint8_t head[HEAD_BYTES];
  size_t n = head_of(list, base_of(list), head);
  return view_begins_container(head, n);
}

static bool is_wanted(const List *list) {
  return reads_as(list, BASE_DECIMAL) || reads_as(list, BASE_HEX) || is_container(list);
}

bool codes_at(const uint8_t *floor, const uint8_t *end, const uint8_t *p, const uint8_t **stop) {
  List list;
  bool is_list = list_around(floor, end, p, &list);
  *stop = list.end;
  return is_list && is_wanted(&list);
}

static size_t put_value(uint8_t *out, uint32_t value) {
  if (value > 0xFF)
    return value <= 0x10FFFF ? utf8_put(out, value) : 0;
  *out = (uint8_t)value;
  return 1;
}

/* Puts the list's bytes in pieces whose numbers are all of one width, so that each has its place.
 */
static bool put_list(ViewBuilder *builder, const List *list, Base base) {
  uint8_t out[OUT_BYTES + 4];
  const uint8_t *at = list->start, *from = at, *data = builder->data;
  size_t n = 0;
  ptrdiff_t width = 0;
  Number number;
  while (at < list->end) {
    const uint8_t *next = next_number(list, at, &number);
    uint32_t value = value_of(&number, base);
    if (n > 0 && (next - at != width || value > 0xFF || n >= OUT_BYTES)) {
      if (!view_put(builder, (uint64_t)(from - data), (uint64_t)(at - data), out, n, false))
        return false;
      n = 0;
    }
    if (n == 0) {
      from = at;
      width = value > 0xFF ? 0 : next - at; /* a wide one stands alone */
    }
    n += put_value(out + n, value);
    at = next;
  }
  return view_put(builder, (uint64_t)(from - data), (uint64_t)(at - data), out, n, false);
}

/* The second reading of a list that was put already. */
static bool put_again(ViewBuilder *builder, const List *list, Base base) {
  g_autoptr(GString) text = g_string_new("\n");
  Number number;
  for (const uint8_t *at = list->start; at < list->end;) {
    uint8_t bytes[4];
    at = next_number(list, at, &number);
    g_string_append_len(text, (const char *)bytes,
                        (gssize)put_value(bytes, value_of(&number, base)));
  }
  return view_put(builder, (uint64_t)(list->start - builder->data),
                  (uint64_t)(list->end - builder->data), text->str, text->len, true);
}

static void carry(ViewBuilder *builder, const List *list) {
  Unpack *unpack = builder->unpack;
  g_autoptr(ContentBuilder) out =
      content_builder_new(unpack->options->spool, unpack_budget(unpack));
  g_autoptr(GError) error = NULL, trouble = NULL;
  Number number;
  uint8_t bytes[OUT_BYTES];
  size_t n = 0;
  for (const uint8_t *at = list->start; at < list->end && error == NULL;) {
    at = next_number(list, at, &number);
    bytes[n++] = (uint8_t)value_of(&number, base_of(list));
    if (n == sizeof bytes || at == list->end) {
      content_builder_append(out, bytes, n, &error);
      n = 0;
    }
  }
  unpack->expanded += MIN(content_builder_size(out), unpack_budget(unpack));
  if (error != NULL && builder->error == NULL)
    builder->error = g_steal_pointer(&error);
  Content *content = content_builder_finish(g_steal_pointer(&out), &trouble);
  if (content != NULL)
    view_carry(builder, "codes", (uint64_t)(list->start - builder->data), content);
}

/* False where a limit was met. */
static bool put(ViewBuilder *builder, const List *list) {
  bool is_decimal = reads_as(list, BASE_DECIMAL), is_hex = reads_as(list, BASE_HEX);
  if (is_container(list)) {
    carry(builder, list);
    return builder->error == NULL;
  }
  bool is_in = !is_decimal || put_list(builder, list, BASE_DECIMAL);
  if (is_in && is_hex)
    is_in = (is_decimal ? put_again : put_list)(builder, list, BASE_HEX);
  return is_in;
}

void codes_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data, *end = data + builder->size, *floor = data + from;
  uint64_t untold = 0;
  List list;
  for (const uint8_t *p = floor; p < end && (p = memchr(p, ',', (size_t)(end - p))) != NULL;) {
    bool is_list = p > floor && g_ascii_isdigit(p[-1]) && list_around(floor, end, p, &list);
    if (!is_list) {
      p++;
      continue;
    }
    if (is_wanted(&list) && !put(builder, &list))
      return;
    untold += (uint64_t)(list.end - list.start);
    p = floor = list.end;
    if (untold < TELL_BYTES)
      continue;
    if (!unpack_alive(builder->unpack, untold))
      return;
    untold = 0;
  }
}
