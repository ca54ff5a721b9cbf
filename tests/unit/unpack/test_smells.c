/* SPDX-License-Identifier: Apache-2.0 */
/* test_smells.c - the one pass that tells which views a window may give, held against each
 * encoding's own look at every byte, on random bytes with pieces of all encodings between; and the
 * pass that finds archives in programs, held against a look at every byte. */
#include "base/limits.h"
#include "unpack/unpack_private.h"
#include "unpack/unpack_view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <zlib.h>

static bool is_ascii(uint8_t c) {
  return c != 0 && c < 0x80;
}

/* Words of eight bytes on the grid: four characters each beside a zero, or two beside three. */
static bool is_wide(const uint8_t *data, size_t n, size_t step) {
  for (size_t at = 0; n - at >= 8; at += 8)
    for (size_t place = 0; place < step; place++) {
      bool is_all = true;
      for (size_t i = 0; i < 8; i++)
        is_all = is_all && (i % step == place ? is_ascii(data[at + i]) : data[at + i] == 0);
      if (is_all)
        return true;
    }
  return step == 2 && n >= 16 &&
         (memcmp(data, "\xFF\xFE", 2) == 0 || memcmp(data, "\xFE\xFF", 2) == 0);
}

static unsigned base64_kinds(const uint8_t *data, size_t n) {
  unsigned kinds = 0;
  for (size_t at = 0; at < n; at++)
    if ((at == 0 || base64_value(data[at - 1]) < 0) && base64_is_lines(data, at, n))
      kinds |= SMELL_BIT(SMELL_LINES);
  for (size_t at = 0, end; at < n; at = end + 1) {
    for (end = at; end < n && base64_value(data[end]) >= 0;)
      end++;
    if (end - at >= 24)
      kinds |=
          SMELL_BIT(SMELL_BASE64) | (base64_is_command(data, at) ? SMELL_BIT(SMELL_COMMAND) : 0);
  }
  return kinds;
}

static bool is_utf7(const uint8_t *data, const uint8_t *end) {
  size_t scanned;
  for (const uint8_t *p = data; p < end; p += *p == '+' ? scanned : 1)
    if (*p == '+' && utf7_at(data, end, p, &scanned))
      return true;
  return false;
}

static unsigned count_escapes(const uint8_t *data, const uint8_t *end, uint8_t start) {
  unsigned n = 0;
  for (const uint8_t *p = data; p < end; p++)
    n += *p == start ? escape_at(data, end, p) : 0;
  return n;
}

static bool has_list(const uint8_t *data, const uint8_t *end) {
  const uint8_t *floor = data;
  for (const uint8_t *p = data; p < end; p++)
    if (*p == ',' && p > floor && g_ascii_isdigit(p[-1]) && codes_at(floor, end, p, &floor))
      return true;
  return false;
}

static unsigned wanted_of(const uint8_t *data, size_t n) {
  const uint8_t *end = data + n;
  unsigned kinds = base64_kinds(data, n);
  kinds |= is_wide(data, n, 2) ? SMELL_BIT(SMELL_UTF16) : 0;
  kinds |= is_wide(data, n, 4) ? SMELL_BIT(SMELL_UTF32) : 0;
  kinds |= is_utf7(data, end) ? SMELL_BIT(SMELL_UTF7) : 0;
  kinds |= has_list(data, end) ? SMELL_BIT(SMELL_CODES) : 0;
  if (count_escapes(data, end, '\\') >= 3 || count_escapes(data, end, '%') >= 3)
    kinds |= SMELL_BIT(SMELL_ESCAPES);
  for (const uint8_t *p = data; p < end; p++) {
    if (*p == '~' && vbe_at(data, end, p))
      kinds |= SMELL_BIT(SMELL_VBE);
    if ((*p == '^' || *p == '`') && shell_at(data, end, p))
      kinds |= SMELL_BIT(SMELL_SHELL);
    if (*p == '&' && entity_at(data, end, p))
      kinds |= SMELL_BIT(SMELL_ENTITIES);
    if (strchr("\"'([&+", *p) != NULL && *p != 0 && fold_at(data, end, p))
      kinds |= SMELL_BIT(SMELL_FOLDED);
  }
  return kinds;
}

#define PIECE(TEXT)                                                                                \
  { TEXT, sizeof(TEXT) - 1 }
static const struct {
  const char *text;
  size_t n;
} PIECES[] = {PIECE("C\0D\0O\0.\0M\0"),
              PIECE("\0C\0D\0O\0.\0M\0"),
              PIECE("C\0\0\0D\0\0\0O\0\0\0"),
              PIECE("\0\0C\0\0\0D\0\0\0O"),
              PIECE("#@~^AAAAAA==abc"),
              PIECE("powershell -enc QQBCAEMARABFAEYARwBIAEkA "),
              PIECE("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="),
              PIECE("QUJDREVGR0hJSktM\nTU5PUFFSU1RVVldY\n"),
              PIECE("QUJDREVGR0hJSktMUFFS\\r\\nTU5PUFFSU1RVVldYWVoK\\n"),
              PIECE("QUJDREVGR0hJSktM\r\nTU5PUFFS\r\n"),
              PIECE("/usr/share/doc/nothing/of/that/kind"),
              PIECE("67,68,79,46,77,101,115,115,97,103,101,"),
              PIECE("0x43, 0x44, 0x4F, 0x2E, 0x4D, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65"),
              PIECE("1,2,3,4,5,6,7,8,9,10,11,12,13"),
              PIECE("text +AGEAYg- text "),
              PIECE("x+ADwAcwBjAHIAaQBwAHQA"),
              PIECE("some &#67; text "),
              PIECE("\" &amp; \"x"),
              PIECE(" \\x43\\x44\\u0045 "),
              PIECE(" %43%44%45 "),
              PIECE(" \"CDO\" & \".Message\" "),
              PIECE(" Chr(67) "),
              PIECE(" [char]67 "),
              PIECE("'abc'.replace('a','b')"),
              PIECE(" c^d^o^.m^e^s "),
              PIECE("CDO.Mes`sage"),
              PIECE("\"CDO\" ^& \"x"),
              PIECE("\xFF\xFE"),
              PIECE("plain words, nothing more ")};

static void add_piece(GRand *rand, GByteArray *bytes) {
  guint8 fill = (guint8)g_rand_int_range(rand, 0, 4);
  switch (g_rand_int_range(rand, 0, 4)) {
  case 0:
    for (gint i = g_rand_int_range(rand, 0, 90); i > 0; i--) {
      guint8 c = fill == 0   ? (guint8)g_rand_int_range(rand, 0, 256)
                 : fill == 1 ? 0
                 : fill == 2 ? (guint8)g_rand_int_range(rand, 'a', 'z')
                             : ' ';
      g_byte_array_append(bytes, &c, 1);
    }
    break;
  default: {
    gint i = g_rand_int_range(rand, 0, G_N_ELEMENTS(PIECES));
    size_t n = PIECES[i].n;
    if (g_rand_int_range(rand, 0, 4) == 0) /* cut short */
      n = (size_t)g_rand_int_range(rand, 0, (gint)n);
    g_byte_array_append(bytes, (const guint8 *)PIECES[i].text, (guint)n);
  }
  }
}

static void one_pass_tells_what_each_tells(void **state) {
  (void)state;
  GRand *rand = g_rand_new_with_seed(3);
  guint n_met[SMELLS] = {0};
  for (guint round = 0; round < 20000; round++) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (gint i = g_rand_int_range(rand, 1, 5); i > 0; i--)
      add_piece(rand, bytes);
    /* Of its own, so that a sanitizer sees a byte too many. */
    g_autofree uint8_t *data = g_malloc(bytes->len + 1);
    if (bytes->len > 0)
      memcpy(data, bytes->data, bytes->len);
    g_autofree uint8_t *tight = g_memdup2(data, bytes->len);
    unsigned wanted = wanted_of(data, bytes->len), all = SMELL_BIT(SMELLS) - 1;
    assert_int_equal(views_smell(tight != NULL ? tight : data, bytes->len, all), wanted);
    for (unsigned most = 16; most < 64; most *= 2)
      assert_int_equal(views_smell_by(most, tight != NULL ? tight : data, bytes->len, all), wanted);
    for (unsigned i = 0; i < SMELLS; i++) {
      n_met[i] += (wanted & SMELL_BIT(i)) != 0;
      assert_int_equal(views_smell(tight != NULL ? tight : data, bytes->len, SMELL_BIT(i)),
                       wanted & SMELL_BIT(i));
    }
  }
  g_rand_free(rand);
  for (unsigned i = 0; i < SMELLS; i++)
    assert_in_range(n_met[i], 100, 19000);
}

/* Marks and what stands beside them, put together at random, so that nearly every encoding turns up
 * nearly everywhere; long enough for several blocks. */
static void marks_anywhere_are_seen(void **state) {
  static const char *const BITS[] = {
      "\"",           "'",        "&",    "+",      "-replace", ".replace", ".split(", " ",
      "\t",           "\r\n",     "\n",   "_",      "`",        "(",        "[char]",  "[Char",
      "Chr",          "r$(",      "ChrW", "lcase$", "UCASE",    "trim(",    "Join(",   "eval(",
      "cstr",         "Replace(", "ape(", "%43",    "%u00",     "%u0043",   "\\x4",    "\\u00",
      "\\u0043",      "\\/",      "&#6",  "&#x43;", "&lt;",     "&co",      "+AG",     "+AGEAYg-",
      "#@~^AAAAAA==", "==",       "#@~",  "x",      "A",        "7",        ")",       ";",
      "word",         "\xC3\xA9"};
  static const char *const LISTS[] = {"-join ",
                                      "@(",
                                      "[\"a\"",
                                      "('b'",
                                      ",\"c\"",
                                      "])",
                                      ".join('')",
                                      ".concat(",
                                      "\" /* c */ & \"x",
                                      "-join (\"\xC3\xA9\",\"b\")",
                                      "-join (`\n'a','b')",
                                      "-join(_\n'a','b')",
                                      "-join (/**/'a','b')",
                                      "['a'].join('')",
                                      "[/**/'a'].join('')",
                                      "[_\n'a'].join('')",
                                      "[`\n'a'].join('')",
                                      "[\n'a'].join('')",
                                      "-f ",
                                      "/* c */",
                                      "/*",
                                      "[`\n'",
                                      "(`\n'",
                                      "(/**/'",
                                      "[string]::",
                                      "join('',",
                                      "[char[]]",
                                      "(67,68)",
                                      "atob(",
                                      "ring(",
                                      "space(",
                                      "nent(",
                                      "CreateObject(",
                                      "execute(",
                                      "word & \"",
                                      "$",
                                      "a + $b",
                                      "67,68,79,46,77,101,115",
                                      ",97,103,101,67,68",
                                      ", ",
                                      "\\103",
                                      "\\u{43}",
                                      "^",
                                      "po^wer",
                                      "\"$a$b",
                                      "\"${a}.",
                                      "\"$(a",
                                      "\"$($a)x",
                                      "-f(",
                                      "'-f'",
                                      "-ireplace'",
                                      "New`Ob`ject",
                                      "`word`s",
                                      " ^& ",
                                      "word^\r\nword",
                                      "QUJDREVGR0hJSktM",
                                      "\nQUJDREVGR0hJ",
                                      "\\nQUJDREVGR0hJSktM"};
  (void)state;
  GRand *rand = g_rand_new_with_seed(5);
  guint n_met[SMELLS] = {0};
  for (guint round = 0; round < 200000; round++) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (gint i = g_rand_int_range(rand, 1, round % 4 == 0 ? 12 : 3); i > 0; i--) {
      for (gint k = g_rand_int_range(rand, 0, 40); k > 0; k--)
        g_string_append_c(text, (char)g_rand_int_range(rand, 'k', 'p'));
      for (gint k = g_rand_int_range(rand, 0, 5); k > 0; k--)
        g_string_append(text, g_rand_boolean(rand)
                                  ? BITS[g_rand_int_range(rand, 0, G_N_ELEMENTS(BITS))]
                                  : LISTS[g_rand_int_range(rand, 0, G_N_ELEMENTS(LISTS))]);
    }
    if (text->len == 0)
      continue;
    g_autofree uint8_t *data = g_memdup2(text->str, text->len);
    unsigned wanted = wanted_of(data, text->len);
    for (unsigned i = 0; i < SMELLS; i++) {
      n_met[i] += (wanted & SMELL_BIT(i)) != 0;
      assert_int_equal(views_smell(data, text->len, SMELL_BIT(i)), wanted & SMELL_BIT(i));
    }
    assert_int_equal(views_smell(data, text->len, SMELL_BIT(SMELLS) - 1), wanted);
  }
  g_rand_free(rand);
  assert_in_range(n_met[SMELL_VBE], 20, 199000);
  for (unsigned i = SMELL_BASE64; i < SMELLS; i++)
    assert_in_range(n_met[i], 100, 199000);
}

/* Pieces of encodings at the ends of holes: their content smells as the same bytes do. */
static void holes_smell_of_nothing(void **state) {
  static const char *const ENDS[] = {"\\x41\\x42\\x43", "C\0D\0O\0.\0M\0",      "AAAABBBBCCCCDDDD",
                                     "\" & \"",         "EEEEFFFFGGGGHHHHIIII", "&#x43;"};
  static const size_t LENGTHS[] = {12, 10, 16, 5, 20, 6};
  GRand *rand = g_rand_new_with_seed(11);
  unsigned n_holes = 0, n_found = 0;
  (void)state;
  for (unsigned round = 0; round < 300; round++) {
    ContentBuilder *builder = content_builder_new(NULL, 4 * MIB);
    for (unsigned i = 0; i < 4; i++) {
      size_t kind = (size_t)g_rand_int_range(rand, 0, G_N_ELEMENTS(ENDS));
      assert_true(content_builder_append(builder, ENDS[kind], LENGTHS[kind], NULL));
      uint64_t hole = LIMIT_HOLE_NOTED + (uint64_t)g_rand_int_range(rand, -200, 200);
      assert_true(content_builder_append_zeros(builder, hole, NULL));
    }
    assert_true(content_builder_append(builder, ENDS[round % 6], LENGTHS[round % 6], NULL));
    g_autoptr(Content) content = content_builder_finish(builder, NULL);
    uint64_t from = (uint64_t)g_rand_int_range(rand, 0, 70000);
    uint64_t n = content_size(content) - from, hole_from, hole_end;
    unsigned all = SMELL_BIT(SMELLS) - 1;
    unsigned wanted = views_smell_by(16, content_data(content) + from, n, all);
    assert_int_equal(views_smell_of(content, from, n, all), wanted);
    n_holes += content_next_hole(content, from, &hole_from, &hole_end);
    n_found += wanted != 0;
  }
  g_rand_free(rand);
  assert_in_range(n_holes, 200, 300);
  assert_in_range(n_found, 50, 250);
}

static void put_le(uint8_t *p, uint32_t value, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    p[i] = (uint8_t)(value >> (8 * i));
}

enum { HEADERS = 5, HEADER_BYTES = 44 };

/* Headers whose checksums hold, of all archives that a program may carry. */
static void make_headers(uint8_t headers[HEADERS][HEADER_BYTES]) {
  memset(headers, 0, (size_t)HEADERS * HEADER_BYTES);
  memcpy(headers[0], "Rar!\x1A\x07\0\0\0\x73\0\0\x0D\0", 14);
  put_le(headers[0] + 7, (uint32_t)crc32(0, headers[0] + 9, 11) & 0xFFFF, 2);
  memcpy(headers[1], "Rar!\x1A\x07\1\0\0\0\0\0\x05\x01\0\0\0\0", 18);
  put_le(headers[1] + 8, (uint32_t)crc32(0, headers[1] + 12, 6), 4);
  memcpy(headers[2], "7z\xBC\xAF\x27\x1C\0\4", 8);
  put_le(headers[2] + 8, (uint32_t)crc32(0, headers[2] + 12, 20), 4);
  memcpy(headers[3], "MSCF\0\0\0\0\x28\0\0\0", 12);
  headers[3][16] = 0x24;
  headers[3][24] = 3;
  headers[3][25] = headers[3][26] = 1;
  memcpy(headers[4], "\x60\xEA\x22\0", 4);
  put_le(headers[4] + 38, (uint32_t)crc32(0, headers[4] + 4, 34), 4);
}

static void carried_are_found_where_each_is(void **state) {
  static const char *const ROWS[HEADERS] = {"rar", "rar5", "7zip", "cab", "arj"};
  static const char LURES[] = "Rar!7z\xBC\xAFMSCF\0\x60\xEARa7MS\x60";
  uint8_t headers[HEADERS][HEADER_BYTES];
  unsigned n_met[HEADERS + 1] = {0};
  GRand *rand = g_rand_new_with_seed(7);
  (void)state;
  make_headers(headers);
  for (unsigned round = 0; round < 20000; round++) {
    size_t n = (size_t)g_rand_int_range(rand, 1, 400);
    g_autofree uint8_t *data = g_malloc(n);
    for (size_t i = 0; i < n; i++)
      data[i] = round % 2 == 0 ? (uint8_t)LURES[g_rand_int_range(rand, 0, sizeof LURES)]
                               : (uint8_t)g_rand_int(rand);
    for (gint k = g_rand_int_range(rand, 0, 4); k > 0; k--) {
      size_t at = (size_t)g_rand_int_range(rand, 0, (gint32)n);
      memcpy(data + at, headers[g_rand_int_range(rand, 0, HEADERS)], MIN(HEADER_BYTES, n - at));
    }
    uint64_t from = (uint64_t)g_rand_int_range(rand, 0, (gint32)n), wanted_at = from, at = 0;
    const Unpacker *wanted = NULL;
    while (wanted_at < n && (wanted = unpack_carried_here(data + wanted_at, n - wanted_at)) == NULL)
      wanted_at++;
    assert_ptr_equal(unpack_find_carried(data, n, from, &at), wanted);
    assert_int_equal(at, wanted_at);
    unsigned kind = 0;
    while (kind < HEADERS && wanted != unpack_row(ROWS[kind]))
      kind++;
    n_met[kind]++;
  }
  g_rand_free(rand);
  for (unsigned i = 0; i <= HEADERS; i++)
    assert_in_range(n_met[i], 500, 19000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_pass_tells_what_each_tells), cmocka_unit_test(marks_anywhere_are_seen),
      cmocka_unit_test(holes_smell_of_nothing), cmocka_unit_test(carried_are_found_where_each_is)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
