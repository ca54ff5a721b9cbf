/* SPDX-License-Identifier: Apache-2.0 */
/* test_grounds.c - every ground says what it means and how it misleads, in the code and in the
 * manual; an unknown one is none. */
#include "assess/ground.h"
#include "assess_test.h"

static void test_manual(void **state) {
  (void)state;
  const char *source = g_getenv("TRIAGE_SOURCE");
  g_autofree char *file =
      g_build_filename(source != NULL ? source : ".", "triage/cli/triage.1.scd", NULL);
  g_autofree char *page = NULL;
  size_t n;
  assert_true(g_file_get_contents(file, &page, NULL, NULL));
  const GroundRow *rows = ground_rows(&n);
  assert_true(n > 0);
  for (size_t i = 0; i < n; i++) {
    g_autofree char *heading = g_strdup_printf("\n*%s*\n", rows[i].id);
    if (strstr(page, heading) == NULL)
      fail_msg("the manual does not name the ground %s", rows[i].id);
    assert_true(strlen(rows[i].text) > 10 && strlen(rows[i].false_positive) > 5 &&
                strlen(rows[i].false_negative) > 5);
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(rows[i].id, rows[k].id);
  }
}

static void test_list(void **state) {
  (void)state;
  g_autoptr(GPtrArray) grounds = ground_list_new();
  ground_add(grounds, "site-relay", "a");
  ground_add(grounds, "deleted", "orphan");
  ground_add(grounds, "site-relay", "b");
  ground_add(grounds, "site-relay", "b");
  assert_int_equal(grounds->len, 2);
  assert_int_equal(ground_count(grounds, WEIGHT_AGAINST), 1);
  g_autofree char *text = ground_sentence(grounds, WEIGHT_FOR, 3);
  assert_string_equal(text, "it sends by a relay that the site states as its own (a, b)");
  g_autoptr(GArray) list = ground_list(grounds);
  assert_string_equal(g_array_index(list, VerdictGround, 0).weight, "against");
  assert_true(g_array_index(list, VerdictGround, 0).rank <
              g_array_index(list, VerdictGround, 1).rank);
  const char *alarm, *ease;
  assert_true(verdict_ground_risk("deleted", &alarm, &ease));
  assert_false(verdict_ground_risk("tea", &alarm, &ease));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_manual), cmocka_unit_test(test_list)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
