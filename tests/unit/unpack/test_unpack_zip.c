/* SPDX-License-Identifier: Apache-2.0 */
/* What is special in zip: a directory that lies, members it does not list, bytes before it, cut
 * ends, encryption, raw names. */
#include "unpack_test.h"

static const char SCRIPT[] = "Set m = CreateObject(\"CDO.Message\")\r\n";
enum { N_SCRIPT = sizeof SCRIPT - 1 };

static void put16(GByteArray *out, unsigned value) {
  guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};
  g_byte_array_append(out, bytes, 2);
}

static void put32(GByteArray *out, guint32 value) {
  put16(out, value & 0xFFFF);
  put16(out, value >> 16);
}

static guint32 crc_of(const char *text, size_t n) {
  guint32 crc = 0xFFFFFFFF;
  for (size_t i = 0; i < n; i++) {
    crc ^= (guint8)text[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
  }
  return ~crc;
}

/* A stored member's local header and data. */
static guint put_local(GByteArray *out, const char *name) {
  guint at = out->len;
  put32(out, 0x04034B50);
  put16(out, 20), put16(out, 0), put16(out, 0), put16(out, 0), put16(out, 0x5821);
  put32(out, crc_of(SCRIPT, N_SCRIPT)), put32(out, N_SCRIPT), put32(out, N_SCRIPT);
  put16(out, (unsigned)strlen(name)), put16(out, 0);
  g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
  g_byte_array_append(out, (const guint8 *)SCRIPT, N_SCRIPT);
  return at;
}

static void put_central(GByteArray *out, const char *name, guint local) {
  put32(out, 0x02014B50);
  put16(out, 20), put16(out, 20), put16(out, 0), put16(out, 0), put16(out, 0), put16(out, 0x5821);
  put32(out, crc_of(SCRIPT, N_SCRIPT)), put32(out, N_SCRIPT), put32(out, N_SCRIPT);
  put16(out, (unsigned)strlen(name)), put16(out, 0), put16(out, 0), put16(out, 0), put16(out, 0);
  put32(out, 0), put32(out, local);
  g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
}

static void put_end(GByteArray *out, unsigned n, guint central, guint comment) {
  guint size = out->len - central;
  put32(out, 0x06054B50);
  put16(out, 0), put16(out, 0), put16(out, n), put16(out, n);
  put32(out, size), put32(out, central), put16(out, comment);
  for (guint i = 0; i < comment; i++)
    g_byte_array_append(out, (const guint8 *)"c", 1);
}

static void assert_script(const Found *found, const char *path) {
  if (!seen_is(find_seen(found, path, "raw"), SCRIPT, N_SCRIPT)) {
    print_found(found);
    fail_msg("%s did not come out", path);
  }
}

static void test_60000(void **state) {
  g_autoptr(GByteArray) zip = g_byte_array_new();
  (void)state;
  put_local(zip, "one");
  guint central = zip->len;
  for (int i = 0; i < 60000; i++) {
    char name[16];
    snprintf(name, sizeof name, "f%05d", i);
    put_central(zip, name, 0);
  }
  put_end(zip, 60000, central, 0);
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
  const Gap *gap = find_gap(found, "", TRIAGE_REASON_CORRUPT);
  assert_int_equal(found->seen->len, 2);
  assert_non_null(gap);
  assert_non_null(strstr(gap->detail, "60000"));
}

/* A member between two others that the directory does not list, and one before all. */
static void test_hidden(void **state) {
  g_autoptr(GByteArray) zip = g_byte_array_new();
  (void)state;
  put_local(zip, "before");
  guint a = put_local(zip, "a");
  put_local(zip, "between");
  guint b = put_local(zip, "b");
  put_local(zip, "after");
  guint central = zip->len;
  put_central(zip, "a", a);
  put_central(zip, "b", b);
  put_end(zip, 2, central, 0);
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
  static const char *const NAMES[] = {"before", "a", "between", "b", "after"};
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
    assert_script(found, NAMES[i]);
  assert_int_equal(found->seen->len, 6);
  assert_int_equal(found->gaps->len, 0);
}

/* The header of the first member, by whose bytes the zip is known, is damaged: it is one by its
 * directory. */
static void test_first_header(void **state) {
  g_autoptr(GByteArray) zip = g_byte_array_new();
  (void)state;
  guint a = put_local(zip, "a"), b = put_local(zip, "b"), central = zip->len;
  put_central(zip, "a", a);
  put_central(zip, "b", b);
  put_end(zip, 2, central, 0);
  zip->data[0] = 'X';
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
  assert_script(found, "b");
  assert_non_null(find_gap(found, "a", TRIAGE_REASON_CORRUPT));
}

/* The directory leads nowhere for one member; the others come out. */
static void test_dangling(void **state) {
  g_autoptr(GByteArray) zip = g_byte_array_new();
  (void)state;
  guint a = put_local(zip, "a");
  guint central = zip->len;
  put_central(zip, "a", a);
  put_central(zip, "gone", 7);
  put_end(zip, 2, central, 0);
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
  assert_script(found, "a");
  assert_non_null(find_gap(found, "gone", TRIAGE_REASON_CORRUPT));
}

static void test_prefix_and_comment(void **state) {
  (void)state;
  for (int is_adjusted = 0; is_adjusted < 2; is_adjusted++) {
    g_autoptr(GByteArray) zip = g_byte_array_new();
    for (int i = 0; i < 5000; i++)
      g_byte_array_append(zip, (const guint8 *)"prefix, ", 8);
    guint shift = is_adjusted ? 0 : zip->len;
    guint a = put_local(zip, "a");
    guint central = zip->len;
    put_central(zip, "a", a - shift);
    guint size = zip->len - central;
    put_end(zip, 1, central, 40000); /* libarchive looks back 16 KiB only */
    guint8 *end = zip->data + central + size;
    guint stored = central - shift;
    for (int i = 0; i < 4; i++)
      end[16 + i] = (guint8)(stored >> (8 * i));
    g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
    assert_script(found, "a");
    assert_int_equal(found->gaps->len, 0);
  }
}

static void test_cut(void **state) {
  g_autoptr(GByteArray) zip = g_byte_array_new();
  (void)state;
  put_local(zip, "a");
  put_local(zip, "b");
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len - 10, NULL);
  const Seen *half = find_seen(found, "b", "raw");
  assert_script(found, "a");
  assert_non_null(find_gap(found, "", TRIAGE_REASON_TRUNCATED));
  assert_true(half != NULL ? half->error != NULL
                           : find_gap(found, "b", TRIAGE_REASON_TRUNCATED) != NULL);
}

static void test_raw_names(void **state) {
  static const char *const NAMES[] = {"../../x", "/abs", "e\xCC\x81.vbs", "\201ber.vbs", "a\\b\n"};
  g_autoptr(GByteArray) zip = g_byte_array_new();
  guint at[G_N_ELEMENTS(NAMES)];
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
    at[i] = put_local(zip, NAMES[i]);
  guint central = zip->len;
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    guint entry = zip->len;
    put_central(zip, NAMES[i], at[i]);
    if (i == 2) { /* flagged as UTF-8: libarchive would compose the letter */
      zip->data[entry + 9] |= 8;
      zip->data[at[i] + 7] |= 8;
    }
  }
  put_end(zip, G_N_ELEMENTS(NAMES), central, 0);
  g_autoptr(Found) found = unpack_bytes(zip->data, zip->len, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    g_autofree char *shown = text_printable(NAMES[i], strlen(NAMES[i]));
    assert_script(found, shown);
  }
  assert_true(((const Seen *)found->seen->pdata[1])->modified.is_local); /* DOS time only */
}

static void check_encrypted(const char *command, bool is_listed) {
  Options options = DEFAULTS;
  put_file("a.vbs", SCRIPT, N_SCRIPT);
  run(command);
  g_autofree char *path = scratch_path("e");
  g_autoptr(Found) locked = unpack_file(path, NULL);
  assert_non_null(find_gap(locked, is_listed ? "a.vbs" : "", TRIAGE_REASON_ENCRYPTED));
  assert_null(find_seen(locked, "a.vbs", "raw"));
  options.password = "wrong";
  g_autoptr(Found) wrong = unpack_file(path, &options);
  assert_non_null(find_gap(wrong, is_listed ? "a.vbs" : "", TRIAGE_REASON_ENCRYPTED));
  options.password = "s3cret!";
  g_autoptr(Found) open = unpack_file(path, &options);
  if (strstr(command, "7z a -bd -mhe") == NULL && strstr(command, "e.7z") == NULL) {
    assert_script(open, "a.vbs");
    assert_int_equal(open->gaps->len, 0);
  }
}

static void test_encrypted(void **state) {
  (void)state;
  check_encrypted("rm -f e e.zip; zip -q -P 's3cret!' e.zip a.vbs; mv e.zip e", true);
  check_encrypted("rm -f e e.zip; 7z a -bd -tzip -mem=AES256 -p's3cret!' e.zip a.vbs; mv e.zip e",
                  true);
  check_encrypted("rm -f e e.7z; 7z a -bd -p's3cret!' e.7z a.vbs; mv e.7z e", true);
  check_encrypted("rm -f e e.7z; 7z a -bd -mhe -p's3cret!' e.7z a.vbs; mv e.7z e", false);
}

/* One password in 256 passes the old encryption's check: the right one must be found among many. */
static void test_many_passwords(void **state) {
  g_autoptr(GString) list = g_string_new(NULL);
  (void)state;
  for (int i = 0; i < 3000; i++)
    g_string_append_printf(list, "wrong%d\n", i);
  g_autofree char *wrong = g_strdup(list->str);
  g_string_append(list, "s3cret!");
  put_file("a.vbs", SCRIPT, N_SCRIPT);
  run("rm -f e.zip; zip -q -0 -P 's3cret!' e.zip a.vbs; cp a.vbs b.vbs; zip -q -P 's3cret!' e.zip "
      "b.vbs");
  g_autofree char *path = scratch_path("e.zip");
  Options options = DEFAULTS;
  options.password = list->str;
  g_autoptr(Found) open = unpack_file(path, &options);
  assert_script(open, "a.vbs");
  assert_script(open, "b.vbs");
  assert_int_equal(open->gaps->len, 0);
  options.password = wrong;
  g_autoptr(Found) closed = unpack_file(path, &options);
  assert_int_equal(closed->seen->len, 1);
  const Gap *gap = find_gap(closed, "b.vbs", TRIAGE_REASON_ENCRYPTED);
  assert_non_null(gap);
  assert_int_equal(gap->size, N_SCRIPT);
}

static void test_split(void **state) {
  (void)state;
  run("rm -f p.z*; head -c 300000 /dev/urandom > r; echo 'of the last part' > t; zip -q -s 64k "
      "p.zip r t");
  g_autofree char *last = scratch_path("p.zip");
  g_autoptr(Found) found = unpack_file(last, NULL);
  assert_non_null(find_gap(found, "", TRIAGE_REASON_MISSING_SEGMENT));
  assert_true(seen_is(find_seen(found, "t", "raw"), "of the last part\n", 17));
  g_autofree char *first = scratch_path("p.z01");
  g_autoptr(Found) begin = unpack_file(first, NULL);
  assert_true(begin->gaps->len > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_60000),
      cmocka_unit_test(test_hidden),
      cmocka_unit_test(test_dangling),
      cmocka_unit_test(test_first_header),
      cmocka_unit_test(test_prefix_and_comment),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_raw_names),
      cmocka_unit_test(test_encrypted),
      cmocka_unit_test(test_many_passwords),
      cmocka_unit_test(test_split),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
