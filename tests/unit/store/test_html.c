/* SPDX-License-Identifier: Apache-2.0 */
/* test_html.c - report.html over a store full of hostile names: nothing of the evidence becomes
 * markup, every hit and gap is counted, what is left out is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include "reports/html_out.h"
#include "reports/reports.h"
#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Spelt as numbers, so that this file does not mislead its own readers. */
static const char RIGHT_TO_LEFT[] = {'g',        'n',        'p', '.', (char)0xe2,
                                     (char)0x80, (char)0xae, 's', 0};

/* Names and texts as an attacker would choose them; the bytes of the evidence. */
static const char *const HOSTILE[] = {
    "<script>alert(1)</script>",
    "</pre></bdi><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' style='position:fixed",
    "--></style></script><svg onload=alert(1)>",
    "]]><iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "=cmd|'/C calc'!A0",
    "@SUM(1+9)*cmd",
    "\x1b[2J\x1b]0;owned\x07",
    RIGHT_TO_LEFT,
    "zero\xe2\x80\x8bwidth\xef\xbb\xbf",
    "line\nbreak\r\ttab",
    "\xff\xfe\xc3(bad utf-8",
    "&lt;b&gt; &#60;script&#62;",
    "&amp;&quot;&#x3c;",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "\xc2\x9bm C1",
    "\xe2\x80\xa8line separator",
    "%s%n%x%llu",
};

static char *directory(void) {
  char *dir = g_dir_make_tmp("triage-html-XXXXXX", NULL);
  assert_non_null(dir);
  return dir;
}

static void remove_directory(const char *dir) {
  static const char *const FILES[] = {"case.db", "report.html", "case.db-journal"};
  for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++) {
    g_autofree char *path = g_build_filename(dir, FILES[i], NULL);
    g_unlink(path);
  }
  g_rmdir(dir);
}

#define OK(call)                                                                                   \
  do {                                                                                             \
    g_autoptr(GError) problem = NULL;                                                              \
    GError **error = &problem;                                                                     \
    if (!(call))                                                                                   \
      fail_msg("%s: %s", #call, problem != NULL ? problem->message : "no error");                  \
  } while (0)

static Store *new_store(const char *dir, const char *digest_status) {
  Store *store = store_create(dir, NULL);
  assert_non_null(store);
  EvidenceRecord evidence = {.no = 1,
                             .name = "disk.E01",
                             .path = "disk.E01",
                             .kind = "image",
                             .format = "ewf",
                             .media_bytes = 1 << 20,
                             .sector_bytes = 512,
                             .stored_md5 = "00000000000000000000000000000000",
                             .stored_sha1 = "",
                             .md5 = "11111111111111111111111111111111",
                             .sha1 = "",
                             .sha256 = "",
                             .digest_status = digest_status};
  VolumeRecord volume = {1, 1, 65536, 1 << 19, "fat16", "FAT16", true};
  OK(store_begin(store, error));
  OK(store_put_evidence(store, &evidence, error));
  OK(store_put_volume(store, &volume, error));
  OK(store_put_meta(store, "status", "complete", error));
  OK(store_put_meta(store, "areas", "allocated and deleted entries", error));
  return store;
}

static void put_object(Store *store, uint64_t seq, const char *name, const char *text) {
  Object object = {.seq = seq,
                   .volume = 1,
                   .kind = OBJECT_FILE,
                   .state = seq % 2 == 0 ? STATE_ALLOCATED : STATE_DELETED,
                   .size = 100,
                   .modified = {.seconds = 1700000000, .is_set = true, .is_local = true},
                   .name = g_bytes_new(name, strlen(name))};
  g_snprintf(object.meta, sizeof object.meta, "%llu", (unsigned long long)seq);
  OK(store_put_object(store, 1, &object, error));
  Digests digests = {.md5 = "", .sha1 = ""};
  g_snprintf(digests.sha256, sizeof digests.sha256, "%064llx", (unsigned long long)seq);
  ResultRecord result = {1, 1, seq, 100, 0, &digests};
  OK(store_put_result(store, &result, error));
  MemberRecord member = {.no = 0, .member = "", .view = "raw", .size = 100, .digests = digests};
  OK(store_put_member(store, 1, 1, seq, &member, error));
  g_autoptr(GBytes) bytes = g_bytes_new(text, MIN(strlen(text), 64));
  MatchRecord match = {"$c1", 3, 11, bytes};
  IndicatorRecord indicators[] = {{"smtp_server", text, 3}, {"mail_to", text, 9}};
  HitRecord hit = {.member_no = 0,
                   .rule_namespace = "default",
                   .rule = "network_smtp_vb",
                   .strings = "$c1",
                   .match_count = 1,
                   .excerpt = text,
                   .matches = &match,
                   .n_matches = 1,
                   .indicators = indicators,
                   .n_indicators = G_N_ELEMENTS(indicators)};
  OK(store_put_hit(store, 1, 1, seq, &hit, error));
  g_bytes_unref(object.name);
}

static void put_gap(Store *store, const char *detail) {
  Gap gap = {.seq = GAP_NO_OBJECT, .volume = 1, .reason = TRIAGE_REASON_CORRUPT, .detail = detail};
  OK(store_put_gap(store, 1, &gap, detail, error));
}

typedef struct {
  Store *store;
  const char *text;
  guint n;
} Verdicts;

static bool judge(void *user, const HitRow *hit) {
  Verdicts *verdicts = user;
  static const char *const NAMES[] = {"suspicious", "unexplained", "likely-benign", "known-benign"};
  const char *grounds[] = {verdicts->text, NULL};
  OK(store_put_verdict(verdicts->store, hit->rowid, NAMES[verdicts->n++ % 4], verdicts->text,
                       verdicts->text, verdicts->text, grounds, error));
  return true;
}

static char *render(Store *store, const char *dir) {
  g_autofree char *path = g_build_filename(dir, "report.html", NULL);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  size_t n;
  const ReportWriter *const *writers = report_writers(&n);
  for (size_t i = 0; i < n; i++)
    if (strcmp(writers[i]->row.name, "html") == 0)
      OK(writers[i]->write(store, fd, error));
  close(fd);
  char *text = NULL;
  assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return text;
}

/* ---- every tag and attribute of the page is one that the page's own code writes ---- */
static bool is_one_of(const char *const *list, const char *word) {
  return g_strv_contains(list, word);
}

static void check_attributes(const char *attributes) {
  static const char *const ALLOWED[] = {
      "class",       "id",          "href",    "aria-label", "aria-labelledby",
      "aria-hidden", "role",        "scope",   "open",       "title",
      "type",        "hidden",      "dir",     "lang",       "charset",
      "http-equiv",  "name",        "content", "colspan",    "tabindex",
      "viewBox",     "x",           "y",       "width",      "height",
      "d",           "text-anchor", NULL};
  for (const char *p = attributes; *p != '\0';) {
    p += strspn(p, " \n");
    gsize n = strcspn(p, "= ");
    g_autofree char *name = g_strndup(p, n);
    if (n == 0)
      break;
    if (!is_one_of(ALLOWED, name))
      fail_msg("attribute '%s' in '%.200s'", name, attributes);
    p += n;
    if (*p != '=')
      continue;
    assert_int_equal(p[1], '"');
    const char *end = strchr(p + 2, '"');
    assert_non_null(end);
    if (strcmp(name, "href") == 0)
      assert_int_equal(p[2], '#');
    p = end + 1;
  }
}

static void check_markup(const char *html) {
  static const char *const ALLOWED[] = {
      "html",    "head",    "meta",   "title",   "style",   "body",   "a",        "header", "p",
      "h1",      "h2",      "h3",     "h4",      "h5",      "span",   "div",      "nav",    "ul",
      "ol",      "li",      "main",   "table",   "thead",   "tbody",  "tr",       "th",     "td",
      "section", "bdi",     "strong", "code",    "pre",     "mark",   "br",       "dl",     "dt",
      "dd",      "details", "footer", "summary", "article", "script", "noscript", "svg",    "rect",
      "text",    "path",    "desc",   "kbd",     NULL};
  const char *p = strstr(html, "<html");
  assert_non_null(p);
  guint scripts = 0;
  while ((p = strchr(p, '<')) != NULL) {
    gsize closing = p[1] == '/' ? 1 : 0;
    gsize n = strcspn(p + 1 + closing, " \n>");
    g_autofree char *name = g_strndup(p + 1 + closing, n);
    if (!is_one_of(ALLOWED, name))
      fail_msg("tag '%s' in '%.200s'", name, p);
    const char *end = strchr(p, '>');
    assert_non_null(end);
    const char *from = p + 1 + closing + n;
    g_autofree char *attributes = g_strndup(from, (gsize)(end - from));
    check_attributes(attributes);
    p = end;
    if (closing == 0 && strcmp(name, "script") == 0) {
      p = strstr(p, "</script>"); /* the first one ends it, whatever it stands in */
      assert_non_null(p);
      scripts++;
    }
  }
  assert_true(scripts >= 3); /* the first one, the data, the page's */
  for (const guchar *byte = (const guchar *)html; *byte != '\0'; byte++)
    assert_true(*byte == '\n' || *byte >= 0x20);
  assert_null(strstr(html, RIGHT_TO_LEFT + 4));
  assert_null(strstr(html, "\xe2\x80\x8b"));
  assert_true(g_utf8_validate(html, -1, NULL));
}

static gsize occurrences(const char *html, const char *what) {
  gsize n = 0;
  for (const char *p = html; (p = strstr(p, what)) != NULL; p++)
    n++;
  return n;
}

static void test_hostile_texts_are_harmless(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  for (gsize i = 0; i < G_N_ELEMENTS(HOSTILE); i++) {
    put_object(store, i, HOSTILE[i], HOSTILE[i]);
    put_gap(store, HOSTILE[i]);
    OK(store_put_evidence_property(store, 1, HOSTILE[i], HOSTILE[i], error));
    OK(store_put_evidence_file(store, 1, HOSTILE[i], 7, error));
    static const char *const KEYS[] = {"case_number", "examiner", "notes", "command_line",
                                       "options",     "sandbox",  "host",  "libraries"};
    for (gsize k = 0; k < G_N_ELEMENTS(KEYS); k++)
      OK(store_put_meta(store, KEYS[k], HOSTILE[i], error));
    Verdicts verdicts = {store, HOSTILE[i], 0};
    OK(store_each_hit(store, judge, &verdicts, error));
    g_autofree char *html = render(store, dir);
    check_markup(html);
    assert_int_equal(occurrences(html, "<article"), i + 1);
  }
  g_autofree char *html = render(store, dir);
  assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  assert_non_null(strstr(html, "gnp.\\xe2\\x80\\xaes"));
  assert_non_null(strstr(html, "local time, zone not recorded"));
  store_free(store);
  remove_directory(dir);
}

static void test_policy_names_the_styles(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  OK(store_put_meta(store, "case_number", "A-1 \"</style>\\ }", error));
  g_autofree char *html = render(store, dir);
  assert_non_null(strstr(html, "default-src 'none'; style-src 'sha256-"));
  assert_null(strstr(html, "unsafe"));
  guint n = 0;
  static const char *const OPEN[] = {"<style>", "<script>"}, *const CLOSE[] = {"</style>",
                                                                               "</script>"};
  for (guint k = 0; k < 2; k++)
    for (const char *p = html; (p = strstr(p, OPEN[k])) != NULL; n++) {
      p += strlen(OPEN[k]);
      const char *end = strstr(p, CLOSE[k]);
      assert_non_null(end);
      g_autofree char *text = g_strndup(p, (gsize)(end - p));
      g_autofree char *hash = html_csp_hash(text);
      assert_non_null(strstr(html, hash));
    }
  assert_int_equal(n, 4);
  store_free(store);
  remove_directory(dir);
}

/* The block of that name, inflated. */
static char *data_block(const char *html, const char *name) {
  g_autofree char *tag = g_strdup_printf("<script type=\"text/plain\" id=\"%s\">", name);
  const char *from = strstr(html, tag);
  assert_non_null(from);
  from += strlen(tag);
  const char *end = strstr(from, "</script>");
  assert_non_null(end);
  g_autofree char *base64 = g_strndup(from, (gsize)(end - from));
  gsize n;
  g_autofree guchar *packed = g_base64_decode(base64, &n);
  uLongf size = 1 << 20;
  char *text = g_malloc0(size);
  size--;
  assert_int_equal(uncompress((Bytef *)text, &size, packed, n), Z_OK);
  return text;
}

/* The data hold every hit, whatever its name: no text of it can end its row or its field. */
static void test_data_block(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  for (gsize i = 0; i < G_N_ELEMENTS(HOSTILE); i++)
    put_object(store, i, HOSTILE[i], HOSTILE[i]);
  g_autofree char *html = render(store, dir);
  g_autofree char *index = data_block(html, "hits-data");
  json_t *root = json_loads(index, JSON_REJECT_DUPLICATES, NULL);
  assert_int_equal(json_integer_value(json_object_get(root, "hits")), G_N_ELEMENTS(HOSTILE));
  assert_int_equal(json_integer_value(json_object_get(root, "contents")), G_N_ELEMENTS(HOSTILE));
  assert_int_equal(json_array_size(json_object_get(root, "h_content")), G_N_ELEMENTS(HOSTILE));
  static const struct {
    const char *block;
    guint fields;
  } COLUMNS[] = {{"about-0", 9}, {"text-0", 1},   {"name-0", 2},
                 {"id-0", 1},    {"place-0", 11}, {"hand-0", 1}};
  for (gsize i = 0; i < G_N_ELEMENTS(COLUMNS); i++) {
    g_autofree char *text = data_block(html, COLUMNS[i].block);
    g_auto(GStrv) rows = g_strsplit(text, "\n", -1);
    assert_int_equal(g_strv_length(rows), G_N_ELEMENTS(HOSTILE) + 1); /* the last is empty */
    for (gsize row = 0; row < G_N_ELEMENTS(HOSTILE); row++) {
      g_auto(GStrv) fields = g_strsplit(rows[row], "\t", -1);
      if (*rows[row] != '\0')
        assert_int_equal(g_strv_length(fields), COLUMNS[i].fields);
    }
  }
  json_decref(root);
  store_free(store);
  remove_directory(dir);
}

static void test_long_names_are_clipped_and_say_so(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  g_autofree char *fits = g_strnfill(4000, 'n'), *longer = g_strnfill(60000, 'm');
  put_object(store, 0, fits, "text");
  put_object(store, 1, longer, "text");
  g_autofree char *html = render(store, dir);
  check_markup(html);
  assert_non_null(strstr(html, fits));
  assert_null(strstr(html, longer));
  assert_non_null(strstr(html, "bytes left out here"));
  assert_true(strlen(html) < 300000);
  store_free(store);
  remove_directory(dir);
}

static void test_cap_is_stated_and_all_is_counted(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  for (guint i = 0; i < 2345; i++) {
    g_autofree char *name = g_strdup_printf("s%u.vbs", i);
    put_object(store, i, name, "text");
    put_gap(store, "damaged");
  }
  Verdicts verdicts = {store, "reason", 0};
  OK(store_each_hit(store, judge, &verdicts, error));
  g_autofree char *html = render(store, dir);
  assert_int_equal(occurrences(html, "<article"), 2000);
  assert_non_null(strstr(html, "Of 2,345 hits the first 2,000 by verdict are on this page; the "
                               "other 345 stand in hits.csv"));
  /* 587 suspicious, 586 of each other verdict: the last ones are those left out. */
  assert_non_null(strstr(html, "<strong>241 of 586 hits of this verdict are shown"));
  assert_non_null(strstr(html, "2,000 of 2,345 rows are shown here"));
  assert_non_null(strstr(html, "587 suspicious, 586 unexplained, 586 likely benign, 586 known"));
  store_free(store);
  remove_directory(dir);
}

static void test_integrity_comes_first(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "mismatch");
  g_autofree char *html = render(store, dir);
  const char *alert = strstr(html, "does not match the digest stored with it");
  assert_non_null(alert);
  assert_true(alert < strstr(html, "What was examined"));
  assert_non_null(strstr(html, "unallocated space"));
  store_free(store);
  remove_directory(dir);
}

static void test_incomplete_is_never_called_complete(void **state) {
  (void)state;
  g_autofree char *dir = directory();
  Store *store = new_store(dir, "match");
  OK(store_put_meta(store, "status", "stopped", error));
  g_autofree char *stopped = render(store, dir);
  assert_null(strstr(stopped, "was examined in full"));
  assert_null(strstr(stopped, "seen was left out"));
  put_gap(store, "damaged");
  g_autofree char *html = render(store, dir);
  assert_non_null(strstr(html, "The run did not end."));
  assert_non_null(strstr(html, "what they hold is unknown"));
  assert_null(strstr(html, "was examined in full"));
  assert_null(strstr(html, "seen was left out"));
  g_autofree char *lower = g_ascii_strdown(html, -1);
  assert_null(strstr(lower, " clean "));
  store_free(store);
  remove_directory(dir);
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    uint64_t number;
    const char *text;
  } CASES[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
  for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
    g_autofree char *text = html_number(CASES[i].number);
    assert_string_equal(text, CASES[i].text);
  }
  g_autofree char *clipped = html_clip("a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4z", 5);
  assert_true(g_utf8_validate(clipped, -1, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile_texts_are_harmless),
                                     cmocka_unit_test(test_policy_names_the_styles),
                                     cmocka_unit_test(test_data_block),
                                     cmocka_unit_test(test_long_names_are_clipped_and_say_so),
                                     cmocka_unit_test(test_cap_is_stated_and_all_is_counted),
                                     cmocka_unit_test(test_integrity_comes_first),
                                     cmocka_unit_test(test_incomplete_is_never_called_complete),
                                     cmocka_unit_test(test_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
