/* SPDX-License-Identifier: Apache-2.0 */
/* Office documents: what make_office.py built by independent code comes out whole; what is damaged
 * or hostile is reported, ends, and costs no other. Real documents: modules as olevba lists them.
 */
#include "unpack_test.h"

static GBytes *payload;

static int setup(void **state) {
  GString *text = g_string_new("Set message = CreateObject(\"CDO.Message\")\r\n");
  if (scratch_setup(state) != 0)
    return -1;
  for (int i = 0; i < 400; i++)
    g_string_append_printf(text, "line %d of a script {with braces}\r\n", i);
  put_file("payload.vbs", text->str, text->len);
  payload = g_string_free_to_bytes(text);
  const char *source = getenv("TRIAGE_SOURCE");
  g_autofree char *command = g_strdup_printf("python3 '%s/tests/unit/unpack/make_office.py'",
                                             source != NULL ? source : ".");
  run(command);
  return 0;
}

static int teardown(void **state) {
  g_bytes_unref(payload);
  return scratch_teardown(state);
}

static GBytes *fixture(const char *name) {
  g_autofree char *path = scratch_path(name);
  return read_all(path);
}

static Found *unpack_fixture(const char *name) {
  g_autofree char *path = scratch_path(name);
  return unpack_file(path, NULL);
}

static void assert_holds(const Found *found, const char *path, const char *view, GBytes *wanted) {
  gsize n;
  const void *bytes = g_bytes_get_data(wanted, &n);
  if (!seen_is(find_seen(found, path, view), bytes, n)) {
    print_found(found);
    fail_msg("%s [%s] is not there, or not the same", path, view);
  }
}

static guint count_view(const Found *found, const char *view) {
  guint n = 0;
  for (guint i = 0; i < found->seen->len; i++)
    n += strcmp(((const Seen *)found->seen->pdata[i])->view, view) == 0;
  return n;
}

static void assert_no_gaps(const Found *found) {
  if (found->gaps->len > 0)
    print_found(found);
  assert_int_equal(found->gaps->len, 0);
}

static void test_project(void **state) {
  g_autoptr(GBytes) source = fixture("source");
  g_autoptr(GBytes) odd = fixture("odd");
  g_autoptr(Found) found = unpack_fixture("vbaProject.bin");
  (void)state;
  assert_holds(found, "VBA/Module1", "vba", source);
  assert_holds(found, "VBA/Odd", "vba", odd); /* known by the project's directory alone */
  assert_int_equal(count_view(found, "vba"), 2);
  assert_non_null(find_seen(found, "VBA/Module1", "raw"));
  assert_non_null(find_seen(found, "VBA/dir", "raw"));
  assert_no_gaps(found);
  const Seen *module = find_seen(found, "VBA/Module1", "raw");
  assert_true(module->modified.is_set);
  assert_int_equal(module->modified.digits, 7);
}

static void test_document(void **state) {
  g_autoptr(GBytes) source = fixture("source");
  g_autoptr(Found) found = unpack_fixture("macro.doc");
  (void)state;
  assert_holds(found, "Macros/VBA/Module1", "vba", source);
  assert_holds(found, "ObjectPool/_1/\\x01Ole10Native!/payload.vbs", "raw", payload);
  assert_int_equal(count_view(found, "vba"), 2);
  assert_no_gaps(found);
}

/* Without directory, or without anything: by the signature, once. */
static void test_damaged_project(void **state) {
  static const char *const FILES[] = {"damaged.bin", "headless.bin"};
  g_autoptr(GBytes) source = fixture("source");
  gsize n;
  const void *bytes = g_bytes_get_data(source, &n);
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    g_autoptr(Found) found = unpack_fixture(FILES[i]);
    guint n_right = 0;
    for (guint k = 0; k < found->seen->len; k++) {
      const Seen *seen = found->seen->pdata[k];
      n_right += strcmp(seen->view, "vba") == 0 && seen_is(seen, bytes, n) &&
                 g_str_has_prefix(seen->path, "(carved at ") &&
                 g_str_has_suffix(seen->path, ")/Module1");
    }
    if (n_right != 1)
      print_found(found);
    assert_int_equal(n_right, 1);
  }
  g_autoptr(Found) found = unpack_fixture("unlinked.bin");
  assert_holds(found, "(unlinked)/Module1", "vba", source);
  assert_int_equal(count_view(found, "vba"), 1);
}

static void test_names(void **state) {
  g_autoptr(Found) found = unpack_fixture("installer.msi");
  g_autoptr(Found) mail = unpack_fixture("mail.msg");
  (void)state;
  assert_non_null(find_seen(found, "!Binary", "raw"));
  assert_holds(found, "Binary.Script", "raw", payload);
  assert_holds(mail, "__attach_version1.0_#00000000/payload.vbs", "raw", payload);
  assert_non_null(find_seen(mail, "__substg1.0_1000001F (body)", "utf-16le"));
  const Seen *rtf = find_seen(mail, "__substg1.0_10090102 (rtf body)!/(rtf)", "raw");
  assert_non_null(rtf);
  assert_null(rtf->error);
  assert_no_gaps(mail);
}

static void test_presentation(void **state) {
  g_autoptr(GBytes) source = fixture("source");
  g_autoptr(Found) found = unpack_fixture("slides.ppt");
  (void)state;
  assert_holds(found, "PowerPoint Document!/(object 1)!/VBA/Module1", "vba", source);
  assert_holds(found, "PowerPoint Document!/(object 2)!/VBA/Module1", "vba", source);
  assert_int_equal(count_view(found, "vba"), 4);
  assert_no_gaps(found);
}

static void test_rtf(void **state) {
  g_autoptr(GBytes) source = fixture("source");
  g_autoptr(Found) found = unpack_fixture("object.rtf");
  (void)state;
  assert_holds(found, "(object 1) Package!/payload.vbs", "raw", payload);
  assert_holds(found, "(object 2) Word.Document.8!/VBA/Module1", "vba", source);
  assert_no_gaps(found);
}

static void test_xml(void **state) {
  g_autoptr(GBytes) source = fixture("source");
  g_autoptr(Found) flat = unpack_fixture("flat.xml");
  g_autoptr(Found) old = unpack_fixture("word2003.xml");
  (void)state;
  assert_holds(flat, "word/payload.vbs", "raw", payload);
  assert_holds(flat, "word/vbaProject.bin!/VBA/Module1", "vba", source);
  assert_holds(old, "editdata.mso!/(activemime)!/VBA/Module1", "vba", source);
  assert_no_gaps(flat);
  assert_no_gaps(old);
}

static void test_pdf(void **state) {
  g_autoptr(Found) found = unpack_fixture("payload.pdf");
  static const char SCRIPT[] = "app.alert(\"CDO.Message\")";
  guint n_payload = 0, n_script = 0, n_streams = 0;
  gsize n;
  const void *bytes = g_bytes_get_data(payload, &n);
  (void)state;
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    n_payload += g_str_has_prefix(seen->path, "(object 7 at ") && seen_is(seen, bytes, n);
    n_script +=
        g_str_has_prefix(seen->path, "(object 8 at ") && seen_is(seen, SCRIPT, sizeof SCRIPT - 1);
    n_streams += g_str_has_prefix(seen->path, "(object ") && strcmp(seen->view, "raw") == 0;
  }
  assert_int_equal(n_payload, 1);
  assert_int_equal(n_script, 1);
  assert_int_equal(n_streams, 2); /* the picture stays closed */
  assert_no_gaps(found);
}

/* The bytes of the one stream of that object; an empty string: it was not unpacked. */
static const Seen *pdf_object(const Found *found, unsigned number) {
  g_autofree char *prefix = g_strdup_printf("(object %u at ", number);
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    if (g_str_has_prefix(seen->path, prefix) && strcmp(seen->view, "raw") == 0)
      return seen;
  }
  return NULL;
}

static const Gap *pdf_gap(const Found *found, unsigned number, const char *text) {
  g_autofree char *prefix = g_strdup_printf("(object %u at ", number);
  for (guint i = 0; i < found->gaps->len; i++) {
    const Gap *gap = found->gaps->pdata[i];
    if (g_str_has_prefix(gap->path, prefix) && strstr(gap->detail, text) != NULL)
      return gap;
  }
  return NULL;
}

static void test_pdf_filters(void **state) {
  g_autoptr(Found) found = unpack_fixture("filters.pdf");
  static const uint8_t EXAMPLE[] = {45, 45, 45, 45, 45, 65, 45, 45, 45, 66}; /* of ISO 32000-1 */
  gsize n;
  const void *bytes = g_bytes_get_data(payload, &n);
  (void)state;
  for (unsigned number = 1; number <= 7; number++) {
    bool is_example = number == 3;
    if (!seen_is(pdf_object(found, number), is_example ? EXAMPLE : bytes,
                 is_example ? sizeof EXAMPLE : n)) {
      print_found(found);
      fail_msg("object %u", number);
    }
  }
  assert_no_gaps(found);
}

/* What a filter hides that is not read is said, but for the dots of pictures. */
static void test_pdf_unread(void **state) {
  g_autoptr(Found) found = unpack_fixture("unread.pdf");
  gsize n;
  const void *bytes = g_bytes_get_data(payload, &n);
  (void)state;
  print_found(found);
  const Gap *gap = pdf_gap(found, 1, "filter JBIG2Decode");
  assert_non_null(gap);
  assert_int_equal(gap->reason, TRIAGE_REASON_UNSUPPORTED_FORMAT);
  assert_null(pdf_gap(found, 2, ""));
  assert_non_null(pdf_gap(found, 3, "filter Crypt"));
  assert_true(seen_is(pdf_object(found, 3), bytes, n)); /* as far as it is read */
  assert_non_null(pdf_gap(found, 4, "in another object"));
  const Seen *cut = pdf_object(found, 5);
  assert_non_null(cut);
  assert_int_equal(cut->reason, TRIAGE_REASON_TRUNCATED);
  /* The line end behind it may have been read as one code more. */
  assert_true(cut->got > n / 2 && cut->got < n);
  assert_memory_equal(g_bytes_get_data(cut->bytes, NULL), bytes, cut->got - 40);
  assert_non_null(pdf_gap(found, 6, "parameters"));
  assert_non_null(pdf_gap(found, 7, "predictor 2"));
  assert_int_equal(found->gaps->len, 5);
}

static void test_pdf_twice(void **state) {
  g_autoptr(Found) found = unpack_fixture("twice.pdf");
  guint n_streams = 0, n_views = 0;
  (void)state;
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    n_streams += g_str_has_prefix(seen->path, "(object ") && strcmp(seen->view, "raw") == 0;
    n_views += *seen->path == '\0' && strcmp(seen->view, "raw") != 0;
  }
  assert_int_equal(n_streams, 2);
  assert_true(n_views >= 1);
}

static void test_encrypted(void **state) {
  g_autoptr(Found) found = unpack_fixture("encrypted.docx");
  (void)state;
  const Gap *gap = find_gap(found, "EncryptedPackage", TRIAGE_REASON_ENCRYPTED);
  assert_non_null(gap);
  assert_int_equal(gap->size, 600);
}

static void test_decrypted(void **state) {
  static const struct {
    const char *file, *password;
  } DOCUMENTS[] = {
      {"agile.docm", "infected\ngeheim\303\244"}, /* SHA-512, AES-256 */
      {"agile1.docm", ""},                        /* the password Office tries itself */
      {"standard.docm", "infected"},
  };
  g_autoptr(GBytes) package = fixture("package.docm");
  g_autoptr(GBytes) source = fixture("source");
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(DOCUMENTS); i++) {
    Options options = DEFAULTS;
    options.password = DOCUMENTS[i].password;
    g_autofree char *path = scratch_path(DOCUMENTS[i].file);
    g_autoptr(Found) found = unpack_file(path, &options);
    assert_holds(found, "EncryptedPackage!/(decrypted)", "raw", package);
    assert_holds(found, "EncryptedPackage!/(decrypted)!/word/vbaProject.bin!/VBA/Module1", "vba",
                 source);
    assert_no_gaps(found);
  }
  g_autoptr(Found) closed = unpack_fixture("agile.docm");
  assert_non_null(find_gap(closed, "EncryptedPackage", TRIAGE_REASON_ENCRYPTED));
  assert_null(find_seen(closed, "EncryptedPackage!/(decrypted)", "raw"));
}

static void test_hostile(void **state) {
  (void)state;
  g_autoptr(Found) circle = unpack_fixture("circle.ole");
  const Seen *loop = find_seen(circle, "loop", "raw");
  assert_non_null(loop);
  assert_int_equal(loop->reason, TRIAGE_REASON_CORRUPT);
  assert_true(loop->got <= 64 * KIB);
  g_autoptr(Found) shared = unpack_fixture("shared.ole");
  assert_non_null(find_seen(shared, "s00001", "raw"));
  uint64_t sum = 0;
  bool is_told = false;
  for (guint i = 1; i < shared->seen->len; i++) {
    const Seen *seen = shared->seen->pdata[i];
    sum += strcmp(seen->view, "raw") == 0 ? seen->got : 0;
  }
  for (guint i = 0; i < shared->gaps->len; i++)
    is_told = is_told || ((const Gap *)shared->gaps->pdata[i])->reason == TRIAGE_REASON_SIZE_LIMIT;
  assert_true(sum <= LIMIT_OLE_SHARED * MIB);
  assert_true(is_told);
  g_autoptr(Found) siblings = unpack_fixture("siblings.ole");
  assert_true(siblings->seen->len >= 100000 - 1);
  g_autoptr(Found) deep = unpack_fixture("deep.ole");
  const Seen *leaf = NULL;
  for (guint i = 1; i < deep->seen->len; i++) {
    const Seen *seen = deep->seen->pdata[i];
    leaf = strcmp(seen->view, "raw") == 0 ? seen : leaf;
  }
  assert_non_null(leaf);
  assert_true(g_str_has_prefix(leaf->path, ".../d/d/") && g_str_has_suffix(leaf->path, "/leaf"));
  assert_true(seen_is(leaf, "hello", 5));
}

/* More modules than one object may give: the rest is a row, not silence. */
static void test_many_modules(void **state) {
  g_autoptr(Found) found = unpack_fixture("modules.bin");
  (void)state;
  assert_non_null(find_gap(found, "", TRIAGE_REASON_SIZE_LIMIT));
}

static void test_cut(void **state) {
  static const char *const FILES[] = {"macro.doc",    "slides.ppt",  "object.rtf",
                                      "flat.xml",     "mail.msg",    "rtf.lzfu",
                                      "editdata.mso", "package.bin", "package.rtf"};
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    g_autoptr(GBytes) bytes = fixture(FILES[i]);
    gsize n;
    const guint8 *data = g_bytes_get_data(bytes, &n);
    for (unsigned tenths = 3; tenths <= 9; tenths += 3) {
      g_autoptr(Found) found = unpack_bytes(data, n / 10 * tenths, NULL);
      bool is_told = found->gaps->len > 0;
      for (guint k = 0; k < found->seen->len; k++)
        is_told = is_told || ((const Seen *)found->seen->pdata[k])->error != NULL;
      if (!is_told) {
        print_found(found);
        fail_msg("%s cut to %u tenths: no word about it", FILES[i], tenths);
      }
    }
  }
}

/* Modules of real documents, as oletools names them, and a word of each. */
static const struct {
  const char *file, *path, *word;
} REAL[] = {
    {"real/oletools/olevba/sample_with_vba.ppt", "PowerPoint Document!/(object 1)!/VBA/Module1",
     "Sub"},
    {"real/oletools/encrypted/autostart-encrypt-standardpassword.xls",
     "_VBA_PROJECT_CUR/VBA/Modul1", "Attribute VB_Name = \"Modul1\""},
    {"real/oletools/encrypted/autostart-encrypt-standardpassword.xls",
     "_VBA_PROJECT_CUR/VBA/DieseArbeitsmappe", "Attribute VB_Name = \"DieseArbeitsmappe\""},
    {"real/oletools/oleform/oleform-PR314.docm", "word/vbaProject.bin!/VBA/NewMacros",
     "Attribute VB_Name = \"NewMacros\""},
    {"real/oletools/oleform/oleform-PR314.docm", "word/vbaProject.bin!/VBA/UserFormTEST1",
     "Attribute VB_Name = \"UserFormTEST1\""},
    {"truth/loose/old_plant.doc", "Macros/VBA/Module1", "Attribute VB_Name = \"Module1\""},
};

static void test_real(void **state) {
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(REAL); i++) {
    g_autofree char *path = evidence_path(REAL[i].file);
    if (path == NULL) {
      print_message("SKIPPED: TRIAGE_EVIDENCE is not set\n");
      skip();
    }
    g_autoptr(Found) found = unpack_file(path, NULL);
    const Seen *seen = find_seen(found, REAL[i].path, "vba");
    if (seen == NULL)
      print_found(found);
    assert_non_null(seen);
    assert_null(seen->error);
    gsize n;
    const char *text = g_bytes_get_data(seen->bytes, &n);
    assert_non_null(memmem(text, n, REAL[i].word, strlen(REAL[i].word)));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_project),      cmocka_unit_test(test_document),
      cmocka_unit_test(test_names),        cmocka_unit_test(test_damaged_project),
      cmocka_unit_test(test_pdf),          cmocka_unit_test(test_pdf_twice),
      cmocka_unit_test(test_pdf_filters),  cmocka_unit_test(test_pdf_unread),
      cmocka_unit_test(test_rtf),          cmocka_unit_test(test_presentation),
      cmocka_unit_test(test_xml),          cmocka_unit_test(test_encrypted),
      cmocka_unit_test(test_decrypted),    cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_many_modules), cmocka_unit_test(test_cut),
      cmocka_unit_test(test_real),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
