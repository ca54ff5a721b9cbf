/* SPDX-License-Identifier: Apache-2.0 */
/* Views: scripts encoded by make_views.py come out, their near-misses and plain text do not; places
 * lead back; limits are told; damage does no harm. */
#include "unpack/unpack_view.h"
#include "unpack_mutate.h"

static const char WANTED[] = "CDO.Message";

static int setup(void **state) {
  if (scratch_setup(state) != 0)
    return -1;
  run_script("make_views.py");
  return 0;
}

static bool shows(const Seen *seen) {
  gsize n = 0;
  const void *bytes = seen->bytes != NULL ? g_bytes_get_data(seen->bytes, &n) : NULL;
  return bytes != NULL && memmem(bytes, n, WANTED, sizeof WANTED - 1) != NULL;
}

static const Seen *shown_in(const Found *found, const char *view) {
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    if (shows(seen) && (view == NULL || strcmp(seen->view, view) == 0))
      return seen;
  }
  return NULL;
}

/* Each row of the table, tab-separated: file, view. */
static void each_case(void (*check)(const char *name, const char *view)) {
  g_autofree char *path = scratch_path("views.tsv");
  g_autofree char *table = NULL;
  assert_true(g_file_get_contents(path, &table, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
  guint n = 0;
  for (; lines[n] != NULL && *lines[n] != '\0'; n++) {
    g_auto(GStrv) fields = g_strsplit(lines[n], "\t", 2);
    check(fields[0], fields[1]);
  }
  assert_true(n >= 120);
}

static void check_shown(const char *name, const char *view) {
  g_autofree char *path = scratch_path(name);
  g_autoptr(Found) found = unpack_file(path, NULL);
  bool is_hit = g_str_has_prefix(name, "hit");
  if (is_hit ? shown_in(found, view) == NULL : shown_in(found, NULL) != NULL) {
    print_found(found);
    fail_msg("%s: %s by the view %s", name, is_hit ? "not shown" : "shown", view);
  }
  assert_int_equal(found->gaps->len, 0);
}

static void test_encodings(void **state) {
  (void)state;
  each_case(check_shown);
}

/* What Microsoft's own encoder wrote. */
static void test_real_vbe(void **state) {
  static const char ENCODED[] = "<%#@~^IAAAAA==~U+.7+MR?1Db2Y:kh+KEO~{PFZT!Z!!,DwoAAA==^#~@%>";
  static const char PLAIN[] = " Server.ScriptTimeout = 1000000 ";
  (void)state;
  g_autoptr(Found) found = unpack_bytes(ENCODED, sizeof ENCODED - 1, NULL);
  assert_true(seen_is(find_seen(found, "", "vbe"), PLAIN, sizeof PLAIN - 1));
}

/* The line is as long as one of uuencoded data that begins with its letter. */
static void test_capitals(void **state) {
  static const char BATCH[] = "@ECHO OFF\r\nCD TEMP\r\n"
                              "CSCRIPT A.VBS CDO.ME^SSAGE MAIL.CORP.EXAMPLE:2525\r\nCD ..\r\n";
  static const char PLAIN[] = "@ECHO OFF\r\nCD TEMP\r\n"
                              "CSCRIPT A.VBS CDO.MESSAGE MAIL.CORP.EXAMPLE:2525\r\nCD ..\r\n";
  (void)state;
  g_autoptr(Found) found = unpack_bytes(BATCH, sizeof BATCH - 1, NULL);
  assert_true(seen_is(find_seen(found, "", "shell"), PLAIN, sizeof PLAIN - 1));
}

/* Ordinary text and bytes have no views. */
static void test_nothing(void **state) {
  static const char *const TEXTS[] = {
      "Set m = CreateObject(\"CDO.Message\")\r\nm.Send\r\n",
      "See http://example.com/a?b=1&c=2 and https://example.com/%20x &amp; more &quot;text&quot;.",
      "1 + 2 - 3, a-b, C++ - and +1-800-555; x = a + \"b\"; f(\"a\", \"b\"); print('a', 'b')",
      "d41d8cd98f00b204e9800998ecf8427e da39a3ee5e6b4b0d3255bfef95601890afd80709  empty",
      "AnInternationaly\nAnotherPlainWord\nOne/More/Of/"
      "These\nInternationalization\nTwentyLettersLongOne\n",
      "C:\\nothing\\now\\of/any/meaning1\\nor\\relevance1234567\\nothing",
      "com/example/verylongpackagename/AnotherVeryLongClassNameWithoutAnyMeaning.java",
      "#@~^ is a mark, and ^#~@ its end; \\new \\xyz 100% 50%of",
      "Call `CreateObject`s of `CDO`, ``quoted``text'', `a`, x^n + e^{ab}; [^&]+ and ^word$, sed "
      "s^a^b^",
      "a=1; b=\"$c\"; echo \"$HOME/x\" \"$a\" '$a$b' ${x}y -f (x) 10-f",
      "echo \"CDO\" >> file; echo $x >> y && echo `date` ^ `uname`",
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
    g_autoptr(Found) found = unpack_bytes(TEXTS[i], strlen(TEXTS[i]), NULL);
    if (found->seen->len != 1) {
      print_found(found);
      fail_msg("text %zu has views", i);
    }
  }
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  g_autofree guint32 *noise = g_new(guint32, MIB);
  for (guint i = 0; i < MIB; i++)
    noise[i] = g_rand_int(random);
  g_autoptr(Found) found = unpack_bytes(noise, 4 * MIB, NULL);
  assert_int_equal(found->seen->len, 1);
}

typedef struct {
  GArray *places; /* guint64 from, end */
  const char *view;
} Places;

static bool take_places(void *user, const Member *member) {
  Places *places = user;
  const uint8_t *data = content_data(member->content);
  const uint8_t *p = memmem(data, content_size(member->content), WANTED, sizeof WANTED - 1);
  if (p == NULL || strcmp(member->path->view, places->view) != 0)
    return true;
  uint64_t pair[2];
  assert_true(
      unpack_view_place(member->map, (uint64_t)(p - data), sizeof WANTED - 1, &pair[0], &pair[1]));
  g_array_append_vals(places->places, pair, 2);
  return true;
}

static void assert_place(const char *text, size_t n, const char *view, uint64_t from,
                         uint64_t end) {
  g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  Places places = {array, view};
  g_autoptr(Content) content = content_new_copy(text, n);
  UnpackOptions options = {.max_depth = 16, .max_expanded = GIB};
  UnpackSink sink = {.user = &places, .member = take_places};
  MemberPath path = {NULL, NULL, "raw", 0};
  Member top = {.path = &path, .content = content, .size = n};
  assert_true(unpack_views(&options, &sink, &top));
  assert_int_equal(array->len, 2);
  assert_int_equal(g_array_index(array, uint64_t, 0), from);
  assert_int_equal(g_array_index(array, uint64_t, 1), end);
}

/* Bytes of a view know where they came from, through all the views before it. */
static void test_places(void **state) {
  static const char JOINED[] = "x = \"q\"\r\ny = CreateObject(\"CDO\" & \".Message\") : z";
  static const char BESIDE[] = "y = \"CDO.Message\" ' and \"x\" & \"y\"";
  (void)state;
  assert_place(JOINED, sizeof JOINED - 1, "folded", 26, 44);
  assert_place(BESIDE, sizeof BESIDE - 1, "folded", 5, 16);
  g_autoptr(GString) wide = g_string_new(NULL);
  for (size_t i = 0; i < sizeof JOINED - 1; i++) {
    g_string_append_c(wide, JOINED[i]);
    g_string_append_c(wide, '\0');
  }
  assert_place(wide->str, wide->len, "utf-16le+folded", 52, 88);
  static const char COMMAND[] = "powershell -e QwBEAE8ALgBNAGUAcwBzAGEAZwBlACAAIAAgACAA";
  assert_place(COMMAND, sizeof COMMAND - 1, "powershell", 14, sizeof COMMAND - 1);
}

static void assert_lists(const char *text, guint n_views, const char *wanted) {
  g_autoptr(Found) found = unpack_bytes(text, strlen(text), NULL);
  const Seen *seen = find_seen(found, "", "codes");
  if (found->seen->len != 1 + n_views ||
      (wanted != NULL && !seen_is(seen, wanted, strlen(wanted)))) {
    print_found(found);
    fail_msg("%s", text);
  }
}

/* Lists of numbers that are text, in the base that is meant, or in both; no others. */
static void test_codes(void **state) {
  static const char TABLE[] = "t = {3, 200, 17, 4, 99, 250, 31, 7, 2, 1, 0, 9, 128, 255}";
  (void)state;
  assert_lists("67,68,79,46,77,101,115,115,97,103,101", 1, "CDO.Message");
  assert_lists("67,68,79,46,77,101,115,115,97", 0, NULL);
  assert_lists("43,44,4f,2e,4d,65,73,73,61,67,65", 1, "CDO.Message");
  assert_lists("52,53,54,55,56,57,65,66,67,68", 1, "456789ABCD\nRSTUVWefgh");
  assert_lists("0x43,0x44,0x4f,0x2e,0x4d,0x65,0x73,0x73,0x61,0x67,0x65", 1, "CDO.Message");
  assert_lists("67,68,79,8217,77,101,115,115,97,103,101", 1, "CDO\xE2\x80\x99Message");
  assert_lists(TABLE, 0, NULL);
  assert_lists("1,000 and 67.5, 68.5, 79.5, 46.5, 77.5, 101.5, 115.5, 115.5, 97.5, 103.5", 0, NULL);
}

/* A zip written as numbers is opened. */
static void test_carried_codes(void **state) {
  (void)state;
  run("printf 'm = \"CDO.Message\"' > n.vbs; rm -f n.zip; zip -q n.zip n.vbs; (printf '$b = '; "
      "od -An -v -tu1 n.zip | tr -s ' \\n' ',' | sed 's/^,//;s/,$//') > n.ps1");
  g_autofree char *path = scratch_path("n.ps1");
  g_autoptr(Found) found = unpack_file(path, NULL);
  assert_true(shows(find_seen(found, "(codes@5)!/n.vbs", "raw")));
}

/* A container in base64 is a member under its own step, and is opened. */
static void test_carried(void **state) {
  (void)state;
  run("printf 'm = \"CDO.Message\"' > c.vbs; rm -f c.zip; zip -q c.zip c.vbs; "
      "(printf '<html>data:application/zip;base64,'; base64 -w 0 c.zip; echo '\"') > c.html");
  g_autofree char *path = scratch_path("c.html");
  g_autoptr(Found) found = unpack_file(path, NULL);
  assert_non_null(find_seen(found, "(base64@34)!/c.vbs", "raw"));
  assert_true(shows(find_seen(found, "(base64@34)!/c.vbs", "raw")));
}

/* Up to three letters before a block, and as many odd bytes in its beginning as text may have. */
static void test_behind_letters(void **state) {
  static const char ODD[] = "\x01 a\xFF is here, CDO.Message";
  static const char WIDE[] = "C\0D\0O\0.\0M\0e\0s\0s\0a\0g\0e\0 \0x\0";
  (void)state;
  for (unsigned n = 0; n < 4; n++) {
    g_autofree char *odd = g_base64_encode((const guchar *)ODD, sizeof ODD - 1);
    g_autofree char *text = g_strdup_printf("x = \"%.*s%s\"", n, "wxy", odd);
    g_autoptr(Found) found = unpack_bytes(text, strlen(text), NULL);
    assert_true(shows(find_seen(found, "", "base64")));
    g_autofree char *wide = g_base64_encode((const guchar *)WIDE, sizeof WIDE - 1);
    g_autofree char *wide_text = g_strdup_printf("x = \"%.*s%s\"", n, "wxy", wide);
    g_autoptr(Found) found_wide = unpack_bytes(wide_text, strlen(wide_text), NULL);
    assert_non_null(find_seen(found_wide, "", "base64+utf-16le"));
    assert_true(shows(find_seen(found_wide, "", "base64+utf-16le")));
  }
}

static void test_limits(void **state) {
  (void)state;
  g_autoptr(GString) text = g_string_new("CDO.Message is what this hides, and well it does.");
  for (unsigned i = 0; i < LIMIT_VIEW_CHAIN + 2; i++) {
    g_autofree char *inner = g_base64_encode((const guchar *)text->str, text->len);
    g_string_assign(text, inner);
  }
  g_autoptr(Found) found = unpack_bytes(text->str, text->len, NULL);
  assert_null(shown_in(found, NULL));
  assert_non_null(find_gap(found, "", TRIAGE_REASON_DEPTH_LIMIT));
  Options options = DEFAULTS;
  options.max_expanded = 40;
  g_autofree char *path = scratch_path("hit.0");
  g_autoptr(Found) budget = unpack_file(path, &options);
  const Seen *seen = find_seen(budget, "", "utf-16le");
  assert_int_equal(seen->got, 40);
  assert_int_equal(seen->reason, TRIAGE_REASON_SIZE_LIMIT);
}

/* Text that costs the square of its length where one is careless. */
static void test_hostile(void **state) {
  static const char *const PATTERNS[] = {
      "((((((((((",
      "\"a\"&",
      "Chr(",
      "Replace(\"a\",",
      "StrReverse(",
      "''",
      "'\"",
      "+A",
      "+AGE",
      "&#x41;&",
      "#@~^AAAAAA==",
      "\\x41\\",
      "%41%",
      "[char]",
      "1+(",
      "A\n",
      "AAAA=",
      "QUJDREVGR0hJSktM\n",
      "QUJDREVGR0hJSktMTU5P\\n",
      "QUJDREVGR0hJSktMTU5PUUJDREVGR0hJSktMTU5P\\n",
      "Chr(1+-",
      "\"\" & _\r\n",
      "a\0",
      "Chr(65)&",
      "Array(",
      "\"x\".replace(\"x\",\"xx\")",
      "&amp;\"",
      "'&''((((((((((((((((((((((((((((((((((((((",
      "[string]::join('',(",
      "('a','a',",
      "a=a&\"x\":",
      "a=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\":a=a&a&a&a:b=a&a&a:",
      "a=\"x\":b=\"y\":a=a&b:b=b&a:",
      "Replace(a&a&\"x\",",
      "a+=\"x\";b+=a;",
      "1,",
      "1 ,\"",
      "10,20,30,40,50,60,70,80,90,10,20;",
      "a=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\";a=\"$a$a\";b=\"$a$b\";",
      "\"$a$a$a$a$a\"",
      "'a'-f(",
      "('a','b'-join",
      "abcdef`",
      "echo abc^def ",
      "echo abc^def>>b&\n",
      "echo ^\n",
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
    size_t n = i == 19 ? 2 : strlen(PATTERNS[i]);
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len < 400000)
      g_string_append_len(text, PATTERNS[i], (gssize)n);
    gint64 begun = g_get_monotonic_time();
    g_autoptr(Found) found = unpack_bytes(text->str, text->len, NULL);
    assert_non_null(found);
    gint64 took = g_get_monotonic_time() - begun;
    if (getenv("TRIAGE_TEST_SLOW") != NULL)
      print_message("%6ld ms %s\n", (long)(took / 1000), PATTERNS[i]);
    if (took > 20 * G_USEC_PER_SEC)
      fail_msg("%s over and over took %ld ms", PATTERNS[i], (long)(took / 1000));
  }
}

static guint32 seed = 1;

static void check_mutated(const char *name, const char *view) {
  static GHashTable *done;
  (void)view;
  if (done == NULL)
    done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *path = scratch_path(name);
  g_autoptr(GBytes) whole = read_all(path);
  gsize n;
  const void *bytes = g_bytes_get_data(whole, &n);
  if (!g_str_has_prefix(name, "hit") || n > 8192 || !g_hash_table_add(done, g_strdup(view)))
    return;
  unpack_mutated(bytes, n, seed++);
}

static void test_mutated(void **state) {
  (void)state;
  each_case(check_mutated);
}

static void test_rows(void **state) {
  size_t n;
  const Row *const *rows = unpack_view_rows(&n);
  (void)state;
  assert_true(n >= 10);
  for (size_t i = 0; i < n; i++) {
    assert_string_equal(rows[i]->stage, "view");
    assert_true(strlen(rows[i]->name) > 0 && strlen(rows[i]->limitations) > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encodings),      cmocka_unit_test(test_real_vbe),
      cmocka_unit_test(test_capitals),       cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_places),         cmocka_unit_test(test_carried),
      cmocka_unit_test(test_limits),         cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_mutated),        cmocka_unit_test(test_codes),
      cmocka_unit_test(test_carried_codes),  cmocka_unit_test(test_rows),
      cmocka_unit_test(test_behind_letters),
  };
  return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
