/* SPDX-License-Identifier: Apache-2.0 */
/* test_prefilter.c - what the prefilter proves of rules, what it must not, and that it never stops
 * content that libyara finds something in: random rules on random bytes. */
#include "base/limits.h"
#include "scan/gain.h"
#include "scan/prefilter.h"
#include "scan/search.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static YR_RULES *compile(const char *text) {
  YR_COMPILER *compiler;
  YR_RULES *rules = NULL;
  assert_int_equal(yr_compiler_create(&compiler), ERROR_SUCCESS);
  yr_compiler_define_string_variable(compiler, "filename", "");
  yr_compiler_define_integer_variable(compiler, "depth", 0);
  if (yr_compiler_add_string(compiler, text, NULL) == 0)
    assert_int_equal(yr_compiler_get_rules(compiler, &rules), ERROR_SUCCESS);
  yr_compiler_destroy(compiler);
  return rules;
}

static bool is_proved(const char *text) {
  YR_RULES *rules = compile(text);
  if (rules == NULL)
    fail_msg("does not compile: %s", text);
  Prefilter *prefilter = prefilter_new(rules);
  bool is_on = prefilter_is_on(prefilter);
  prefilter_free(prefilter);
  yr_rules_destroy(rules);
  return is_on;
}

#define STRINGS                                                                                    \
  "strings: $a = \"alpha\" $b = \"bravo\" nocase wide ascii $c1 = { 63 68 ?? 72 6C [2-9] 69 65 }"  \
  " $c2 = /delta[0-9]{2,4}/ $_ = \"xray\" xor(1-9) $_e = \"echo echo\" base64 "

static char *rule_text(const char *condition) {
  return g_strconcat("import \"pe\" import \"math\" import \"hash\" rule r { " STRINGS
                     "condition: for all of them : (#>=0) and (",
                     condition, ") }", NULL);
}

/* True of content that has none of the strings, or nobody knows. */
static const char *const TRICKY[] = {
    "not $a",
    "#a == 0",
    "#a < 1",
    "#a <= 0 and #b != 1",
    "0 == #a",
    "none of them",
    "none of ($c*)",
    "0 of them",
    "not any of them",
    "not all of them",
    "not (2 of ($a,$b))",
    "not ($a and $b)",
    "filesize > 10",
    "filesize < 10KB and not $a",
    "$a or filesize > 3",
    "$a or not $b",
    "not (#a > 2)",
    "not (#a in (0..100) > 1)",
    "#a in (0..filesize) == 0",
    "not $a at 0",
    "not ($a in (0..10))",
    "not defined @a",
    "not (@a[1] > 3)",
    "not (@a < @b)",
    "not (!a[1] == 5)",
    "not defined !a[1]",
    "for all of them : (# < 5)",
    "for any of ($a,$b) : (# == 0)",
    "for none of them : ($)",
    "for none of ($a,$b) : (@ > 3)",
    "for any i in (0..5) : (uint8(i) == 0x41)",
    "for any i in (1,2,3) : (i > 2 - #a)",
    "for all s in pe.sections : (s.name != \"x\")",
    "uint16(0) == 0x5A4D",
    "pe.is_pe or $a",
    "not pe.is_pe",
    "math.entropy(0, filesize) >= 0",
    "hash.md5(0, 0) == \"d41d8cd98f00b204e9800998ecf8427e\" or $b",
    "filename == \"\"",
    "filename matches /^$/",
    "depth == 0",
    "depth < 3 or all of them",
    "#a + 1 == 1",
    "#a - 1 < 0",
    "(#a + #b) * 2 < 3",
    "#a * 5 == 0",
    "(#a | 1) == 1",
    "(~#a & 1) == 1",
    "(1 << #a) == 1",
    "#a % 2 == 0",
    "1 + #a \\ 2 == 1",
    "-#a == 0",
    "entrypoint >= 0 or not defined entrypoint",
    "true",
    "not false",
    "#a == #b",
    "#a of them",
    "(#a) of ($c*)",
    "any of ($a) or none of ($b)",
    "2 of them or #a < 5",
    "filesize of them",
    "(depth) of them",
    "not 50% of them",
};

static void tricky_conditions_are_not_proved(void **state) {
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(TRICKY); i++) {
    g_autofree char *text = rule_text(TRICKY[i]);
    if (is_proved(text))
      fail_msg("taken for proved: %s", TRICKY[i]);
  }
}

static void conditions_that_need_strings_are_proved(void **state) {
  (void)state;
  static const char *const CONDITIONS[] = {
      "any of them",
      "all of them",
      "2 of ($c*)",
      "50% of them",
      "$a",
      "$a and not $b",
      "$a and filesize < 10KB",
      "filesize < 10KB and $a",
      "uint16(0) == 0x5A4D and ($a or $b)",
      "(uint16(0) == 0x5A4D or uint32(0) == 0x464C457F) and (filesize < 3MB or pe.is_pe) and $c1",
      "pe.is_pe and pe.number_of_sections > 2 and 1 of ($c*)",
      "#a > 2",
      "#a >= 1 or #b == 3",
      "#a in (0..100) > 0",
      "#a in (0..filesize) >= 2",
      "$a at 0",
      "$a in (0..filesize)",
      "@a[1] < 100",
      "@a > 5",
      "@a < @b",
      "!c2[1] > 6",
      "any of ($a,$b) in (0..100)",
      "for any of them : (# > 2)",
      "for any of ($a,$b) : ($ at 0)",
      "for all of ($c*) : ($ in (0..500))",
      "for 2 of them : ($)",
      "for any i in (0..5) : (uint8(i) == 0x41) and $a",
      "for any s in pe.sections : (s.name == \".text\") and #b > 0",
      "for any i in (1..#a) : (@a[i] > 64)",
      "for all i in (1..#a) : (@a[i] > 4)", /* libyara 4.2: false of an empty range */
      "for 2 i in (1..#a) : (@a[i] + !a[i] < filesize)",
      "$a and for all i in (1..#a) : (@a[i] > 4)",
      "not (not $a)",
      "math.entropy(0, filesize) > 7 and $a",
      "filename matches /x/ and $a",
      "defined @a and filesize > 3",
      "($a or $b) and ($c1 or $c2) or all of them",
      "false",
  };
  if (search_library() == NULL)
    skip();
  for (size_t i = 0; i < G_N_ELEMENTS(CONDITIONS); i++) {
    g_autofree char *text = rule_text(CONDITIONS[i]);
    if (!is_proved(text))
      fail_msg("not proved: %s", CONDITIONS[i]);
  }
}

static void strings_without_fixed_bytes_are_not_proved(void **state) {
  (void)state;
  assert_false(is_proved("rule r { strings: $a = /[a-z]+/ condition: $a }"));
  assert_false(is_proved("rule r { strings: $a = /.{3}/ $b = \"bravo\" condition: $a and $b }"));
  assert_false(is_proved("rule r { strings: $a = { ?? ?? [4] ?? } condition: $a }"));
  if (search_library() == NULL)
    skip();
  assert_true(is_proved("rule r { strings: $a = /[a-z]+@evil/ condition: $a }"));
  assert_true(is_proved("rule r { strings: $a = { 01 02 [300-] 05 06 } condition: $a }"));
}

static void rules_that_hang_on_others(void **state) {
  (void)state;
  const char *strings = "{ strings: $a = \"alpha\" condition: $a }";
  g_autofree char *by_name = g_strdup_printf("rule a %s rule b { condition: not a }", strings);
  g_autofree char *needs =
      g_strdup_printf("rule a %s rule b { condition: a and filesize > 2 }", strings);
  g_autofree char *hidden = g_strdup_printf("private rule p { condition: filesize > 2 } rule a { "
                                            "strings: $a = \"alpha\" condition: $a and p }");
  g_autofree char *shown =
      g_strdup_printf("private rule p { condition: filesize > 2 } rule a { condition: p }");
  g_autofree char *of =
      g_strdup_printf("rule a1 %s rule a2 %s rule b { condition: any of (a*) }", strings, strings);
  g_autofree char *none =
      g_strdup_printf("rule a1 %s rule a2 %s rule b { condition: none of (a*) }", strings, strings);
  g_autofree char *global =
      g_strdup_printf("global rule g { condition: filesize > 2 } rule a %s", strings);
  assert_false(is_proved(by_name));
  assert_false(is_proved(shown));
  assert_false(is_proved(none));
  assert_false(is_proved(global));
  if (search_library() == NULL)
    skip();
  assert_true(is_proved(needs));
  assert_true(is_proved(hidden));
  assert_true(is_proved(of));
}

/* ---- random rules on random bytes ---- */

typedef struct {
  const char *string; /* as a rule has it */
  const char *bytes;  /* something it matches */
  size_t n;
} Piece;

#define PIECE(STRING, BYTES)                                                                       \
  { STRING, BYTES, sizeof BYTES - 1 }

static const Piece PIECES[] = {
    PIECE("\"alpha\"", "alpha"),
    PIECE("\"alpha\" nocase", "aLpHa"),
    PIECE("\"bravo\" wide", "b\0r\0a\0v\0o\0"),
    PIECE("\"bravo\" wide nocase", "B\0r\0A\0v\0o\0"),
    PIECE("\"bravo\" wide ascii nocase", "BRAVo"),
    PIECE("\"cc\"", "cc"),
    PIECE("\"d\" fullword", " d "),
    PIECE("\"echo\" fullword nocase", "-ECHO-"),
    PIECE("\"xray\" xor", "}wd|"),
    PIECE("\"xray\" xor(4-6)", "}wd|"),
    PIECE("\"xray\" xor wide", "}\5w\5d\5|\5"),
    PIECE("\"foxtrot golf\" base64", "Zm94dHJvdCBnb2xm"),
    PIECE("\"foxtrot golf\" base64wide", "Z\0m\0"
                                         "9\0"
                                         "4\0d\0H\0J\0v\0d\0C\0B\0n\0b\0"
                                         "2\0x\0m\0"),
    PIECE("{ 01 02 03 }", "\1\2\3"),
    PIECE("{ 01 ?2 03 }", "\1\x42\3"),
    PIECE("{ 11 22 ?? 33 [1-4] 44 }", "\x11\x22\x99\x33..\x44"),
    PIECE("{ 11 22 [250-300] 33 44 }", "\x11\x22"),
    PIECE("{ ( 0A 0B | 0C 0D 0E ) 0F }", "\xC\xD\xE\xF"),
    PIECE("/hot(el|ly)/", "hotel"),
    PIECE("/hot(el|ly)/i wide", "h\0O\0t\0L\0Y\0"),
    PIECE("/[a-c]india+/", "bindiaaa"),
    PIECE("/^kilo/", "kilo"),
    PIECE("/lima$/", "lima"),
    PIECE("/a\\x00\\x01b/", "a\0\1b"),
    PIECE("/mike.november/s", "mike\nnovember"),
    PIECE("/(osc|pap)ar?/", "papa"),
    PIECE("\"\\x00\\x01\\x02\\x03\\x04\"", "\0\1\2\3\4"),
    PIECE("\"aaaa\"", "aaaaaa"),
};

static guint pick(GRand *rand, guint n) {
  return (guint)g_rand_int_range(rand, 0, (gint32)n);
}

static void add_condition(GRand *rand, GString *out, guint n_strings, guint depth) {
  char id = (char)('a' + pick(rand, n_strings)), other = (char)('a' + pick(rand, n_strings));
  static const char *const SIMPLE[] = {
      "filesize > 20", "uint8(0) == 0x61",      "uint16(0) < 0x4040", "any of them",
      "all of them",   "none of them",          "2 of them",          "for any of them : (# > 1)",
      "60% of them",   "any of them in (0..30)"};
  static const char *const OPERATORS[] = {"==", "!=", "<", "<=", ">", ">="};
  const char *operator= OPERATORS[pick(rand, 6)];
  int number = (int)pick(rand, 4) - 1;
  switch (pick(rand, depth > 0 ? 14 : 10)) {
  case 0:
    g_string_append(out, SIMPLE[pick(rand, G_N_ELEMENTS(SIMPLE))]);
    break;
  case 1:
    g_string_append_printf(out, "#%c %s %d", id, operator, number);
    break;
  case 2:
    g_string_append_printf(out, "#%c %s #%c", id, operator, other);
    break;
  case 3:
    g_string_append_printf(out, "@%c[%d] %s %u", id, MAX(number, 1), operator, pick(rand, 50));
    break;
  case 4:
    g_string_append_printf(out, "$%c at %u", id, pick(rand, 20));
    break;
  case 5:
    g_string_append_printf(out, "for all i in (1..#%c) : (@%c[i] %s 9)", id, id, operator);
    break;
  case 6:
    g_string_append_printf(out, "#%c in (0..40) %s %d", id, operator, number);
    break;
  case 7:
    g_string_append_printf(out, "%u of ($%c, $%c)", pick(rand, 3), id, other);
    break;
  case 8:
    g_string_append_printf(out, "!%c[1] %s 3 + %d", id, operator, number);
    break;
  case 9:
    g_string_append_printf(out, "$%c", id);
    break;
  case 10:
    g_string_append(out, pick(rand, 2) ? "not (" : "defined (");
    add_condition(rand, out, n_strings, depth - 1);
    g_string_append_c(out, ')');
    break;
  default:
    g_string_append_c(out, '(');
    add_condition(rand, out, n_strings, depth - 1);
    g_string_append(out, pick(rand, 2) ? ") and (" : ") or (");
    add_condition(rand, out, n_strings, depth - 1);
    g_string_append_c(out, ')');
    break;
  }
}

static char *random_rule(GRand *rand, guint n_rules) {
  g_autoptr(GString) out = g_string_new(NULL);
  for (guint r = 0; r < n_rules; r++) {
    static const char *const KINDS[] = {"", "", "", "private ", "global "};
    guint n_strings = 1 + pick(rand, 4);
    g_string_append_printf(out, "%srule r%u { strings: ", KINDS[pick(rand, n_rules > 1 ? 5 : 1)],
                           r);
    for (guint i = 0; i < n_strings; i++)
      g_string_append_printf(out, "$%c = %s ", 'a' + (int)i,
                             PIECES[pick(rand, G_N_ELEMENTS(PIECES))].string);
    g_string_append(out, "condition: ");
    if (r > 0 && pick(rand, 3) == 0)
      g_string_append_printf(out, "%sr%u and ", pick(rand, 2) ? "not " : "", pick(rand, r));
    g_string_append(out, "for all of them : (# >= 0) and (");
    add_condition(rand, out, n_strings, 3);
    g_string_append(out, ") }\n");
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

static GByteArray *random_bytes(GRand *rand) {
  static const uint8_t NOISE[] = {'a', 'c', 'd', ' ', '\n', 0, 1, 2, 0x11, 0x22, 0x33, 'x'};
  GByteArray *out = g_byte_array_new();
  for (guint i = pick(rand, 5); i > 0; i--) {
    for (guint k = pick(rand, 12); k > 0; k--)
      g_byte_array_append(out, &NOISE[pick(rand, sizeof NOISE)], 1);
    if (pick(rand, 6) == 0)
      for (guint k = 250; k > 0; k--)
        g_byte_array_append(out, (const uint8_t *)"-", 1);
    const Piece *piece = &PIECES[pick(rand, G_N_ELEMENTS(PIECES))];
    size_t n = pick(rand, 4) == 0 ? pick(rand, (guint)piece->n + 1) : piece->n;
    if (pick(rand, 3) > 0)
      g_byte_array_append(out, (const uint8_t *)piece->bytes, (guint)n);
  }
  return out;
}

static int on_event(YR_SCAN_CONTEXT *context, int message, void *data, void *user) {
  (void)context, (void)data;
  *(guint *)user += message == CALLBACK_MSG_RULE_MATCHING;
  return CALLBACK_CONTINUE;
}

typedef struct {
  guint n_on, n_off, n_stopped, n_true;
} Tally;

static bool may_match_bytes(Prefilter *prefilter, const uint8_t *bytes, size_t n) {
  g_autoptr(Content) content = content_new_copy(bytes, n);
  return prefilter_may_match(prefilter, content);
}

static void hold_against_libyara(GRand *rand, YR_RULES *rules, const char *text, Tally *tally) {
  g_autoptr(Prefilter) prefilter = prefilter_new(rules);
  tally->n_on += prefilter_is_on(prefilter);
  tally->n_off += !prefilter_is_on(prefilter);
  for (guint k = 0; k < 24; k++) {
    guint n_true = 0;
    g_autoptr(GByteArray) bytes = random_bytes(rand);
    int rc = yr_rules_scan_mem(rules, bytes->data != NULL ? bytes->data : (const uint8_t *)"",
                               bytes->len, 0, on_event, &n_true, 60);
    bool may_match = may_match_bytes(prefilter, bytes->data, bytes->len);
    if ((n_true > 0 || rc != ERROR_SUCCESS) && !may_match) {
      g_autofree char *hex = g_strescape((const char *)bytes->data, NULL);
      fail_msg("%u rule(s) true of %u bytes (%s) that were stopped; rules:\n%s", n_true, bytes->len,
               hex, text);
    }
    tally->n_stopped += !may_match;
    tally->n_true += n_true > 0;
  }
}

static void nothing_true_is_stopped(void **state) {
  (void)state;
  const char *wanted = g_getenv("TRIAGE_PREFILTER_RULES"), *seed = g_getenv("TRIAGE_SEED");
  guint n = wanted != NULL ? (guint)g_ascii_strtoull(wanted, NULL, 10) : 1000;
  GRand *rand = g_rand_new_with_seed(seed != NULL ? (guint32)g_ascii_strtoull(seed, NULL, 10) : 17);
  Tally tally = {0};
  for (guint i = 0; i < n; i++) {
    g_autofree char *text = random_rule(rand, 1 + (i % 3 == 0 ? pick(rand, 4) : 0));
    YR_RULES *rules = compile(text);
    if (rules == NULL) /* some combinations libyara refuses */
      continue;
    hold_against_libyara(rand, rules, text, &tally);
    yr_rules_destroy(rules);
  }
  g_rand_free(rand);
  print_message("%u rule sets proved, %u not; %u contents stopped, %u with true rules\n",
                tally.n_on, tally.n_off, tally.n_stopped, tally.n_true);
  assert_true(tally.n_true > n);
  if (search_library() != NULL) {
    assert_true(tally.n_on > n / 5);
    assert_true(tally.n_stopped > n);
  }
}

/* A string that is not searched for, because the rule needs another one too, may match a million
 * times: libyara complains, so such content must get to it. */
static void a_million_matches_are_not_missed(void **state) {
  (void)state;
  YR_RULES *rules =
      compile("rule r { strings: $a = \"ab\" $b = \"bravo bravo\" condition: $a and $b }");
  g_autoptr(Prefilter) prefilter = prefilter_new(rules);
  const size_t n = 2 * (size_t)(YR_MAX_STRING_MATCHES + 10);
  g_autofree uint8_t *bytes = g_malloc(n);
  for (size_t i = 0; i < n; i++)
    bytes[i] = i % 2 == 0 ? 'a' : 'b';
  assert_true(may_match_bytes(prefilter, bytes, n));
  if (search_library() != NULL)
    assert_false(may_match_bytes(prefilter, bytes, n / 2));
  yr_rules_destroy(rules);
}

/* Holes are not searched, but what lies at their ends is, and strings of zeros are in them. */
static void what_lies_beside_a_hole_is_found(void **state) {
  (void)state;
  static const char *const RULES[] = {"rule r { strings: $a = \"bravo\" condition: $a }",
                                      "rule r { strings: $a = { 00 00 62 72 } condition: $a }",
                                      "rule r { strings: $a = { 76 6F 00 00 } condition: $a }",
                                      "rule r { strings: $a = { 00 00 00 00 00 } condition: $a }"};
  for (guint i = 0; i < G_N_ELEMENTS(RULES); i++) {
    YR_RULES *rules = compile(RULES[i]);
    g_autoptr(Prefilter) prefilter = prefilter_new(rules);
    for (guint k = 0; k < 2; k++) {
      ContentBuilder *builder = content_builder_new(NULL, 8 * MIB);
      content_builder_append_zeros(builder, MIB, NULL);
      content_builder_append(builder, k == 0 ? "bravo" : "alpha", 5, NULL);
      content_builder_append_zeros(builder, MIB, NULL);
      g_autoptr(Content) content = content_builder_finish(builder, NULL);
      if (k == 0 || i == 3 || search_library() == NULL)
        assert_true(prefilter_may_match(prefilter, content));
      else
        assert_false(prefilter_may_match(prefilter, content));
    }
    yr_rules_destroy(rules);
  }
}

/* A string with so many ways through that libyara gives up: that must not get lost, nor depend on
 * whether the prefilter rests. */
static void what_libyara_gives_up_on_is_not_missed(void **state) {
  (void)state;
  static const char STEPS[] = "[0-190] 02 [0-190] 02 [0-190] 02 [0-190] 02 [0-190] 02 [0-190] 02";
  g_autofree char *text = g_strdup_printf("rule r { strings: $a = \"bravo bravo\" "
                                          "$h = { AA BB CC DD %s [0-190] ( 03 | 04 05 ) } "
                                          "condition: $a and $h }",
                                          STEPS);
  YR_RULES *rules = compile(text);
  assert_non_null(rules);
  g_autoptr(Prefilter) prefilter = prefilter_new(rules);
  static const uint8_t START[] = {0xAA, 0xBB, 0xCC, 0xDD};
  uint8_t bytes[3000];
  guint n_true = 0;
  memset(bytes, 2, sizeof bytes);
  memcpy(bytes, START, sizeof START);
  assert_int_equal(yr_rules_scan_mem(rules, bytes, sizeof bytes, 0, on_event, &n_true, 60),
                   ERROR_TOO_MANY_RE_FIBERS);
  assert_true(may_match_bytes(prefilter, bytes, sizeof bytes));
  yr_rules_destroy(rules);
}

/* Where it stops nothing it rests, tries again, rests longer; where it stops all it never does. */
static void what_gains_nothing_rests(void **state) {
  (void)state;
  Gain useless, useful, with_a_giant;
  gain_init(&useless);
  gain_init(&useful);
  gain_init(&with_a_giant);
  guint n_useless = 0, n_useful = 0;
  for (guint i = 0; i < 4096; i++) {
    if (gain_is_worth(&useless, MIB)) {
      n_useless++;
      gain_tried(&useless, MIB, false);
    }
    if (gain_is_worth(&useful, MIB)) {
      n_useful++;
      gain_tried(&useful, MIB, i % 4 == 0);
    }
  }
  assert_in_range(n_useless, 64, 200);
  assert_int_equal(n_useful, 4096);
  for (guint i = 0; i < 4096; i++) {
    assert_true(gain_is_worth(&with_a_giant, i == 8 ? GIB : KIB));
    gain_tried(&with_a_giant, i == 8 ? GIB : KIB, i != 8);
  }
}

static int set_up(void **state) {
  (void)state;
  return yr_initialize();
}

static int tear_down(void **state) {
  (void)state;
  return yr_finalize();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tricky_conditions_are_not_proved),
      cmocka_unit_test(conditions_that_need_strings_are_proved),
      cmocka_unit_test(strings_without_fixed_bytes_are_not_proved),
      cmocka_unit_test(rules_that_hang_on_others),
      cmocka_unit_test(nothing_true_is_stopped),
      cmocka_unit_test(what_lies_beside_a_hole_is_found),
      cmocka_unit_test(a_million_matches_are_not_missed),
      cmocka_unit_test(what_libyara_gives_up_on_is_not_missed),
      cmocka_unit_test(what_gains_nothing_rests),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
