/* SPDX-License-Identifier: Apache-2.0 */
/* test_fuzzy.c - digests and scores against Debian's ssdeep on texts of a family and on edges;
 * groups against a plain search over all pairs, in any order. */
#include "base/fuzzy_group.h"
#include "base/secret.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAMILIES = 8, CHILDREN = 8, EDGES = 24, ALL = FAMILIES * CHILDREN + EDGES };

static GString *words(GRand *random, guint n) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < n; i++) {
    guint which = (guint)g_rand_int_range(random, 0, 200);
    g_string_append_printf(text, "%x%c%u ", which * 2654435761u, 'a' + which % 26, which);
  }
  return text;
}

static GPtrArray *make_texts(void) {
  static const guint SIZES[FAMILIES] = {4, 12, 40, 80, 150, 400, 900, 4000};
  static const guint EDGE[EDGES / 4] = {0, 1, 7, 191, 193, 5000};
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  GPtrArray *texts = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  for (guint f = 0; f < FAMILIES; f++) {
    GString *parent = words(random, SIZES[f]);
    for (guint c = 0; c < CHILDREN; c++) {
      GString *child = g_string_new(parent->str);
      for (guint k = 0; k < c * c; k++) {
        GString *more = words(random, 1);
        gssize at = g_rand_int_range(random, 0, (gint32)child->len);
        g_string_erase(child, at, MIN(3, (gssize)child->len - at));
        g_string_insert(child, at, more->str);
        g_string_free(more, TRUE);
      }
      g_ptr_array_add(texts, g_string_free_to_bytes(child));
    }
    g_string_free(parent, TRUE);
  }
  for (guint e = 0; e < EDGES; e++) {
    guint n = EDGE[e / 4];
    guint8 *bytes = g_malloc0(n + 1);
    for (guint i = 0; i < n && e % 4 > 0; i++)
      bytes[i] = e % 4 == 1 ? 'a' : e % 4 == 2 ? (guint8)g_rand_int(random) : "abcabcd"[i % 7];
    g_ptr_array_add(texts, g_bytes_new_take(bytes, n));
  }
  return texts;
}

static void digest_of(const GPtrArray *texts, guint i, char out[FUZZY_TEXT]) {
  gsize n;
  gconstpointer bytes = g_bytes_get_data(texts->pdata[i], &n);
  fuzzy_digest(bytes != NULL ? bytes : (const uint8_t *)"", n, out);
}

static void like_ssdeep(void **state) {
  (void)state;
  if (system("command -v ssdeep >/dev/null") != 0) {
    print_message("SKIPPED: no ssdeep to compare with\n");
    return;
  }
  g_autofree char *dir = g_dir_make_tmp("triage-fuzzy-XXXXXX", NULL);
  g_autoptr(GPtrArray) texts = make_texts();
  assert_int_equal(texts->len, ALL);
  for (guint i = 0; i < ALL; i++) {
    g_autofree char *path = g_strdup_printf("%s/%03u", dir, i);
    gsize n;
    gconstpointer bytes = g_bytes_get_data(texts->pdata[i], &n);
    assert_true(g_file_set_contents(path, bytes != NULL ? bytes : "", (gssize)n, NULL));
  }
  g_autofree char *command =
      g_strdup_printf("cd %s && ssdeep -s -b [0-9]* > list 2>/dev/null; tail -n +2 list; ssdeep -s "
                      "-x -a -c list list 2>/dev/null; rm -r %s",
                      dir, dir);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  char line[512];
  guint digests = 0, scores = 0, alike = 0;
  while (fgets(line, sizeof line, pipe) != NULL) {
    guint a, b, score;
    const char *quote = strstr(line, ",\"");
    if (*line != '"' && quote != NULL && sscanf(quote, ",\"%u", &a) == 1) {
      char own[FUZZY_TEXT];
      digest_of(texts, a, own);
      assert_int_equal(strlen(own), quote - line);
      assert_memory_equal(own, line, strlen(own));
      digests++;
    } else if (sscanf(line, "\"%u\",\"%u\",%u", &a, &b, &score) == 3) {
      char one[FUZZY_TEXT], other[FUZZY_TEXT];
      Fuzzy x, y;
      digest_of(texts, a, one);
      digest_of(texts, b, other);
      assert_true(fuzzy_parse(one, &x) && fuzzy_parse(other, &y));
      assert_int_equal(fuzzy_compare(&x, &y), score);
      scores++;
      alike += score > 0 ? 1 : 0;
    }
  }
  pclose(pipe);
  assert_int_equal(digests, ALL);
  assert_true(scores >= ALL * (ALL - 1) / 2 && alike > ALL);
}

static guint find(const guint *parents, guint i) {
  while (parents[i] != i)
    i = parents[i];
  return i;
}

static void groups(void **state) {
  (void)state;
  enum { N = 400 };
  g_autoptr(GRand) random = g_rand_new_with_seed(11);
  g_autoptr(GPtrArray) texts = make_texts();
  Fuzzy *all = g_new(Fuzzy, N);
  for (guint i = 0; i < N; i++) {
    char text[FUZZY_TEXT];
    GString *more = words(random, 1);
    gsize n;
    gconstpointer bytes = g_bytes_get_data(texts->pdata[i % (FAMILIES * CHILDREN)], &n);
    g_string_append_len(more, bytes, (gssize)n);
    fuzzy_digest((const uint8_t *)more->str, more->len, text);
    g_string_free(more, TRUE);
    assert_true(fuzzy_parse(text, &all[i]));
  }
  for (guint least = 40; least <= 100; least += 15) {
    guint parents[N], n_groups = 0;
    for (guint i = 0; i < N; i++) {
      parents[i] = i;
      for (guint j = 0; j < i; j++)
        if (fuzzy_compare(&all[i], &all[j]) >= least) {
          guint a = find(parents, i), b = find(parents, j);
          parents[MAX(a, b)] = MIN(a, b);
        }
    }
    g_autofree guint *got = fuzzy_group(all, N, least);
    for (guint i = 0; i < N; i++) {
      assert_int_equal(got[i], find(parents, i));
      n_groups += got[i] == i ? 1 : 0;
    }
    assert_true(n_groups > 1 && n_groups < N);
    /* the other way round: the same groups */
    Fuzzy *turned = g_new(Fuzzy, N);
    for (guint i = 0; i < N; i++)
      turned[i] = all[N - 1 - i];
    g_autofree guint *again = fuzzy_group(turned, N, least);
    for (guint i = 0; i < N; i++)
      for (guint j = 0; j < i; j++)
        assert_int_equal(got[i] == got[j], again[N - 1 - i] == again[N - 1 - j]);
    g_free(turned);
  }
  g_free(all);
}

static void hostile_digests(void **state) {
  (void)state;
  static const char *const WRONG[] = {"",
                                      "3",
                                      "3:",
                                      "3:a",
                                      ":a:b",
                                      "2:a:b",
                                      "3:a b:c",
                                      "3:a:b:c",
                                      "99999999999:a:b",
                                      "-3:a:b",
                                      "3:a:\xff",
                                      "3:a:b\n",
                                      "18446744073709551619:a:b"};
  Fuzzy fuzzy;
  for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++)
    assert_false(fuzzy_parse(WRONG[i], &fuzzy));
  g_autofree char *letters = g_strnfill(FUZZY_PART + 1, 'x');
  g_autofree char *too_long = g_strdup_printf("3:%s:x", letters);
  assert_false(fuzzy_parse(too_long, &fuzzy));
  assert_true(fuzzy_parse("3:aaaaaa:", &fuzzy));
  assert_int_equal(fuzzy.n[0], 3);
}

static void secrets(void **state) {
  (void)state;
  char one[SECRET_DIGEST], same[SECRET_DIGEST], other[SECRET_DIGEST];
  secret_digest("s3cret", one);
  secret_digest("s3cret", same);
  secret_digest("s3cret ", other);
  assert_string_equal(one, same);
  assert_string_not_equal(one, other);
  g_autofree char *both = g_strconcat(one, ";", other, NULL);
  g_autofree char *cut = g_strndup(both, strlen(both) - 1);
  g_autofree char *open = g_strconcat(one, ";", NULL);
  g_autofree char *many = g_strconcat(both, ";", both, ";", one, NULL);
  assert_true(secrets_are_digests("") && secrets_are_digests(one) && secrets_are_digests(both));
  assert_false(secrets_are_digests(cut) || secrets_are_digests(open) || secrets_are_digests(many));
  assert_false(secrets_are_digests("s3cret") || secrets_are_digests(";"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(like_ssdeep), cmocka_unit_test(groups),
                                     cmocka_unit_test(hostile_digests), cmocka_unit_test(secrets)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
