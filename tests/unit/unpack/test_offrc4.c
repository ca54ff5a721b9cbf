/* SPDX-License-Identifier: Apache-2.0 */
/* test_offrc4.c - doc and xls encrypted with RC4: real ones of Office's making and others made here
 * in every key length; msoffcrypto-tool opens them too, and must show the same streams. */
#include "unpack_mutate.h"

static Found *unpack_with(const char *path, const char *passwords) {
  Options options = DEFAULTS;
  options.password = passwords;
  return unpack_file(path, &options);
}

/* password NULL: Excel's own, which needs none. shown: a word that only the plain stream has. */
static const struct {
  const char *file, *password, *stream, *shown;
} REAL[] = {
    {"clamav/other_scanfiles/ole2_encryption/password.fat.doc", "password", "WordDocument", NULL},
    {"clamav/other_scanfiles/ole2_encryption/password.ministream.doc", "password", "WordDocument",
     NULL},
    {"clamav/other_scanfiles/ole2_encryption/password.fat.xls", "password", "Workbook", NULL},
    {"clamav/other_scanfiles/ole2_encryption/password.ministream.xls", "password", "Workbook",
     NULL},
    {"oletools/encrypted/autostart-encrypt-standardpassword.xls", NULL, "Workbook", NULL},
    {"oletools/encrypted/dde-test-encrypt-standardpassword.xls", NULL, "Workbook", "cmd"},
};

/* msoffcrypto-tool blanks the description of the cipher, and the flag that there is one. */
static void compare(const char *path, const char *password, const char *stream, const Seen *seen) {
  enum { BLANKED = 300 };
  g_autofree char *command = g_strdup_printf(
      "msoffcrypto-tool -p '%s' '%s' plain.ole && "
      "$(head -1 $(command -v msoffcrypto-tool) | cut -c3-) -c 'import olefile, sys; "
      "sys.stdout.buffer.write(olefile.OleFileIO(\"plain.ole\").openstream(\"%s\").read())' "
      ">plain.stream",
      password != NULL ? password : "VelvetSweatshop", path, stream);
  run(command);
  g_autofree char *name = scratch_path("plain.stream");
  g_autoptr(GBytes) plain = read_all(name);
  gsize n, got;
  const uint8_t *wanted = g_bytes_get_data(plain, &n);
  const uint8_t *bytes = g_bytes_get_data(seen->bytes, &got);
  guint n_other = 0;
  if (n != got)
    fail_msg("%s: %zu bytes, msoffcrypto-tool has %zu", path, got, n);
  for (gsize i = 0; i < n; i++)
    n_other += wanted[i] != bytes[i];
  if (n_other > BLANKED)
    fail_msg("%s: %u of %zu bytes are others than msoffcrypto-tool's", path, n_other, n);
}

static bool has_tool(void) {
  return system("command -v msoffcrypto-tool >/dev/null") == 0;
}

static void test_real(void **state) {
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(REAL); i++) {
    g_autofree char *name = g_strconcat("real/", REAL[i].file, NULL);
    g_autofree char *path = evidence_path(name);
    if (path == NULL) {
      g_clear_pointer(&name, g_free); /* skip() jumps over the cleanup */
      print_message("SKIPPED: TRIAGE_EVIDENCE is not set\n");
      skip();
    }
    g_autofree char *list =
        g_strdup_printf("wrong\n%s", REAL[i].password != NULL ? REAL[i].password : "other");
    g_autofree char *member = g_strconcat(REAL[i].stream, "!/(decrypted)", NULL);
    g_autoptr(Found) found = unpack_with(path, list);
    const Seen *seen = find_seen(found, member, "raw");
    if (seen == NULL || seen->error != NULL || found->gaps->len > 0) {
      print_found(found);
      fail_msg("%s stays closed", REAL[i].file);
    }
    if (REAL[i].shown != NULL)
      assert_non_null(memmem(g_bytes_get_data(seen->bytes, NULL), seen->got, REAL[i].shown,
                             strlen(REAL[i].shown)));
    if (has_tool())
      compare(path, REAL[i].password, REAL[i].stream, seen);
    if (REAL[i].password == NULL)
      continue;
    g_autoptr(Found) shut = unpack_with(path, "wrong");
    assert_null(find_seen(shut, member, "raw"));
    assert_non_null(find_gap(shut, REAL[i].stream, TRIAGE_REASON_ENCRYPTED));
  }
}

static void assert_plain(const Found *found, const char *member, const char *file) {
  gsize n;
  g_autofree char *path = scratch_path(file);
  g_autoptr(GBytes) wanted = read_all(path);
  const void *bytes = g_bytes_get_data(wanted, &n);
  if (!seen_is(find_seen(found, member, "raw"), bytes, n)) {
    print_found(found);
    fail_msg("%s is not %s", member, file);
  }
}

static void test_made(void **state) {
  static const char *const BITS[] = {"0", "40", "128"};
  (void)state;
  run("for i in $(seq 1500); do echo \"line $i: CreateObject(\\\"CDO.Message\\\")\"; done "
      ">payload.vbs");
  g_autofree char *book = scratch_path("workbook.xls"), *document = scratch_path("document.doc");
  for (size_t i = 0; i < G_N_ELEMENTS(BITS); i++) {
    g_autofree char *command = g_strdup_printf(
        "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_offrc4.py payload.vbs geheim %s",
        BITS[i]);
    run(command);
    g_autoptr(Found) xls = unpack_with(book, "wrong\ngeheim");
    assert_plain(xls, "Workbook!/(decrypted)", "workbook.plain");
    g_autoptr(Found) doc = unpack_with(document, "geheim");
    assert_plain(doc, "WordDocument!/(decrypted)", "document.plain");
    assert_plain(doc, "1Table!/(decrypted)", "table.plain");
    if (has_tool()) {
      compare(book, "geheim", "Workbook", find_seen(xls, "Workbook!/(decrypted)", "raw"));
      compare(document, "geheim", "WordDocument",
              find_seen(doc, "WordDocument!/(decrypted)", "raw"));
    }
    gsize n;
    g_autoptr(GBytes) bytes = read_all(i % 2 == 0 ? book : document);
    const void *data = g_bytes_get_data(bytes, &n);
    unpack_mutated(data, n, 99 + (guint32)i);
  }
}

/* XOR obfuscation is not RC4: listed. */
static void test_other(void **state) {
  (void)state;
  run("printf 'text text text' >payload.vbs && "
      "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_offrc4.py payload.vbs geheim 0 && "
      "python3 - <<'PY'\n"
      "data = bytearray(open('workbook.xls', 'rb').read())\n"
      "at = data.find(b'\\x2f\\x00\\x36\\x00')\n"
      "data[at + 4] = 0\n"
      "open('workbook.xls', 'wb').write(data)\n"
      "PY\ntrue");
  g_autofree char *book = scratch_path("workbook.xls");
  g_autoptr(Found) found = unpack_with(book, "geheim");
  assert_non_null(find_gap(found, "Workbook", TRIAGE_REASON_ENCRYPTED));
  assert_null(find_seen(found, "Workbook!/(decrypted)", "raw"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_real),
      cmocka_unit_test(test_made),
      cmocka_unit_test(test_other),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
