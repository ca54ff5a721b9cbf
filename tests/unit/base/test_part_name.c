/* SPDX-License-Identifier: Apache-2.0 */
/* test_part_name.c - names of parts: which set, which place in it, and the name of another part. */
#include "base/part_name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants these above first */
#include <cmocka.h>

static const struct {
  const char *name, *set, *third; /* what part 2 of the set is called */
  PartKind kind;
  uint32_t number;
  bool is_sure;
} PARTS[] = {
    {"x.part1.rar", "p x", "x.part3.rar", PART_RAR, 0, false},
    {"D/X.Part012.RAR", "p d/x", "D/X.Part003.RAR", PART_RAR, 11, false},
    {"x.rar", "r x", "x.r01", PART_RAR, 0, false},
    {"x.r00", "r x", "x.r01", PART_RAR, 1, false},
    {"x.s05", "r x", "x.r01", PART_RAR, 106, false},
    {"x.part0.rar", "r x.part0", "x.part0.r01", PART_RAR, 0, false},
    {"x.zip", "z x", "x.z03", PART_ZIP, PART_LAST, false},
    {"x.z01", "z x", "x.z03", PART_ZIP, 0, true},
    {"x.7z.001", ". x.7z", "x.7z.003", PART_SPLIT, 0, true},
    {"x.tar.gz.0010", ". x.tar.gz", "x.tar.gz.0003", PART_SPLIT, 9, true},
    {"log.002", ". log", "log.003", PART_SPLIT, 1, false},
};
static const char *const OTHERS[] = {"",          "x",     ".rar",  ".zip",   "x.000",
                                     "x.12",      "x.z00", "x.q01", "x.r001", "x.1234567890",
                                     "x.rar.txt", "001"};

static void test_parts(void **state) {
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(PARTS); i++) {
    PartName part;
    size_t n = strlen(PARTS[i].name);
    if (!part_name_parse(PARTS[i].name, n, &part))
      fail_msg("%s is no part", PARTS[i].name);
    assert_string_equal(part.set, PARTS[i].set);
    assert_int_equal(part.kind, PARTS[i].kind);
    assert_int_equal(part.number, PARTS[i].number);
    g_free(part.set);
    g_autofree char *third = part_name_of(PARTS[i].name, n, 2);
    assert_string_equal(third, PARTS[i].third);
    if (part_name_is_sure(PARTS[i].name, n) != PARTS[i].is_sure)
      fail_msg("%s: sure or not?", PARTS[i].name);
  }
}

static void test_others(void **state) {
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
    PartName part;
    if (part_name_parse(OTHERS[i], strlen(OTHERS[i]), &part))
      fail_msg("%s is taken for a part", OTHERS[i]);
  }
  PartName part;
  assert_false(part_name_parse("\0\0", 2, &part));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
