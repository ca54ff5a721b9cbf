/* SPDX-License-Identifier: Apache-2.0 */
/* Mail and mailboxes: make_mail.py makes the fixtures, by Python's library. */
#include "unpack_mutate.h"

static const char SCRIPT[] = "Set m = CreateObject(\"CDO.Message\")\r\nm.Send\r\n";

static int setup(void **state) {
  if (scratch_setup(state) != 0)
    return -1;
  put_file("a.vbs", SCRIPT, sizeof SCRIPT - 1);
  run_script("make_mail.py");
  return 0;
}

static Found *open_made(const char *name) {
  g_autofree char *path = scratch_path(name);
  return unpack_file(path, NULL);
}

static void assert_script(const Found *found, const char *path) {
  if (!seen_is(find_seen(found, path, "raw"), SCRIPT, sizeof SCRIPT - 1)) {
    print_found(found);
    fail_msg("%s did not come out", path);
  }
  assert_int_equal(found->gaps->len, 0);
}

static void test_encodings(void **state) {
  (void)state;
  g_autoptr(Found) base64 = open_made("b64.eml");
  assert_script(base64, "x.vbs");
  assert_non_null(find_seen(base64, "part-1", "raw"));
  g_autoptr(Found) quoted = open_made("qp.eml");
  assert_script(quoted, "q.vbs");
  g_autoptr(Found) uu = open_made("uu.eml");
  assert_script(uu, "q.vbs");
  g_autoptr(Found) plain = open_made("plain.eml"); /* its bytes are the mail's: no second copy */
  assert_int_equal(plain->seen->len, 1);
}

static void test_nesting(void **state) {
  (void)state;
  g_autoptr(Found) zip = open_made("zip.eml");
  assert_script(zip, "a.zip!/in.vbs");
  g_autoptr(Found) forwarded = open_made("fwd.eml");
  assert_script(forwarded, "part-2!/x.vbs");
  const Seen *message = find_seen(forwarded, "part-2", "raw");
  assert_int_equal(message->modified.seconds, 1709625600);
  g_autofree char *path = scratch_path("b64.eml");
  g_autoptr(GBytes) whole = read_all(path);
  gsize n;
  const void *bytes = g_bytes_get_data(whole, &n);
  assert_true(message->got <= n); /* but for the last line break, the very bytes */
  assert_memory_equal(g_bytes_get_data(message->bytes, NULL), bytes, message->got);
  g_autoptr(Found) alternative = open_made("alt.eml");
  assert_script(alternative, "x.vbs");
  assert_non_null(find_seen(alternative, "part-1.1", "raw"));
  assert_non_null(find_seen(alternative, "part-1.2", "utf-16le"));
  g_autoptr(Found) named = open_made("name.eml");
  assert_script(named, "B\xC3\xBCro \xE4\xB8\xAD.vbs");
}

static void test_mailbox(void **state) {
  (void)state;
  g_autoptr(Found) found = open_made("box");
  assert_script(found, "message-1!/x0.vbs");
  assert_script(found, "message-3!/x2.vbs");
  assert_null(find_seen(found, "message-4", "raw")); /* "From there" separates nothing */
  assert_int_equal(find_seen(found, "message-2", "raw")->modified.seconds, 1709625600);
}

static void test_truncated(void **state) {
  (void)state;
  g_autofree char *path = scratch_path("b64.eml");
  g_autoptr(GBytes) whole = read_all(path);
  gsize n;
  const void *bytes = g_bytes_get_data(whole, &n);
  g_autoptr(Found) found = unpack_bytes(bytes, n - 30, NULL);
  assert_non_null(find_gap(found, "", TRIAGE_REASON_TRUNCATED));
  const Seen *seen = find_seen(found, "x.vbs", "raw");
  assert_non_null(seen);
  assert_true(seen->got > 10 && seen->got < sizeof SCRIPT - 1);
  assert_memory_equal(g_bytes_get_data(seen->bytes, NULL), SCRIPT, seen->got);
}

/* Multiparts nested without end, and parts without end: said, not followed. */
static void test_limits(void **state) {
  (void)state;
  g_autoptr(GString) deep = g_string_new("From: a@example.com\n");
  for (unsigned i = 0; i < 5000; i++)
    g_string_append_printf(deep, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
  g_string_append(deep, "\nCDO.Message\n");
  g_autoptr(Found) found = unpack_bytes(deep->str, deep->len, NULL);
  assert_non_null(find_gap(found, "", TRIAGE_REASON_DEPTH_LIMIT));
  g_autoptr(GString) many = g_string_new("From: a@example.com\nContent-Type: multipart/mixed; "
                                         "boundary=b\n\n");
  for (unsigned i = 0; i <= LIMIT_MAIL_PARTS; i++)
    g_string_append(many, "--b\n\nx\n");
  g_string_append(many, "--b--\n");
  g_autoptr(Found) counted = unpack_bytes(many->str, many->len, NULL);
  assert_int_equal(counted->seen->len, 1 + LIMIT_MAIL_PARTS);
  assert_non_null(find_gap(counted, "", TRIAGE_REASON_SIZE_LIMIT));
  Options options = DEFAULTS;
  options.max_expanded = 20;
  g_autofree char *path = scratch_path("b64.eml");
  g_autoptr(Found) budget = unpack_file(path, &options);
  assert_int_equal(find_seen(budget, "x.vbs", "raw")->reason, TRIAGE_REASON_SIZE_LIMIT);
}

/* Texts that begin like a mail and are none. */
static void test_no_mail(void **state) {
  static const char *const TEXTS[] = {
      "Date: today\nSubject: notes\n\nContent-Transfer-Encoding: base64\n\nQ0RP\n",
      "From here on all is text, base64 or not, and no header field follows it\nQ0RP\n",
      "name: value\nContent: multipart/mixed\n\nSubject: x\n\nQ0RPLk1lc3NhZ2U=\n"};
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
    g_autoptr(Found) found = unpack_bytes(TEXTS[i], strlen(TEXTS[i]), NULL);
    assert_int_equal(found->seen->len, 1);
    assert_int_equal(found->gaps->len, 0);
  }
}

static void test_mutated(void **state) {
  static const char *const NAMES[] = {"b64.eml", "fwd.eml", "alt.eml", "box"};
  (void)state;
  for (guint32 i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    g_autofree char *path = scratch_path(NAMES[i]);
    g_autoptr(GBytes) whole = read_all(path);
    gsize n;
    const void *bytes = g_bytes_get_data(whole, &n);
    unpack_mutated(bytes, n, 20240305 + i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encodings), cmocka_unit_test(test_nesting),
      cmocka_unit_test(test_mailbox),   cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_limits),    cmocka_unit_test(test_no_mail),
      cmocka_unit_test(test_mutated),
  };
  return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
