/* SPDX-License-Identifier: Apache-2.0 */
/* test_lvm.c - LVM2's text of metadata, and groups made of it: where each byte comes from, what
 * does not hold together (loops, extents used twice), and seeded mutants of all that, with the
 * checksums made right again. TRIAGE_LVM_MUTANTS: how many. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include "evidence/lvm.h"
#include "image_fixture.h"
#include <zlib.h>

enum { PV_BYTES = 256 << 10, AREA = 4096, AREA_BYTES = 28 << 10, START = 32 << 10, EXTENT = 4096 };
#define HEAD                                                                                       \
  "vg {\nid = \"HHHHHH-bbbb-cccc-dddd-eeee-ffff-gggggg\"\nseqno = 3\nextent_size = 8\n"            \
  "physical_volumes {\n"                                                                           \
  "pv0 {\nid = \"AAAAAA-bbbb-cccc-dddd-eeee-ffff-gggggg\"\npe_start = 64\npe_count = 56\n}\n"      \
  "pv1 {\nid = \"BBBBBB-bbbb-cccc-dddd-eeee-ffff-gggggg\"\npe_start = 64\npe_count = 56\n}\n}\n"   \
  "logical_volumes {\n"
#define TAIL "}\n}\ncontents = \"Text Format Volume Group\"\nversion = 1\n"
#define LV(name, segments) name " {\nstatus = [\"READ\", \"VISIBLE\"]\n" segments "}\n"
#define HIDDEN(name, segments) name " {\nstatus = [\"READ\"]\n" segments "}\n"
#define SEGMENT(n, start, count, rest)                                                             \
  "segment" #n " {\nstart_extent = " #start "\nextent_count = " #count "\n" rest "\n}\n"
#define ON(name, extent)                                                                           \
  "type = \"striped\"\nstripe_count = 1\nstripes = [\"" name "\", " #extent "]"

static void put(uint8_t *at, const void *bytes, size_t n) {
  memcpy(at, bytes, n);
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++)
    at[i] = (uint8_t)(value >> 8 * i);
}

static void put64(uint8_t *at, uint64_t value) {
  put32(at, (uint32_t)value);
  put32(at + 4, (uint32_t)(value >> 32));
}

static uint32_t sum(const uint8_t *bytes, size_t n) {
  return ~(uint32_t)crc32(~0xf597a6cfU, bytes, (uInt)n);
}

/* Both checksums of headers, as they should be. */
static void seal(uint8_t *pv) {
  put32(pv + 512 + 16, sum(pv + 512 + 20, 492));
  put32(pv + AREA, sum(pv + AREA + 4, 508));
}

/* A physical volume; each extent is full of its own number. */
static void make_pv(uint8_t *pv, char id, const char *text, uint64_t text_at) {
  size_t n = strlen(text) + 1, before = MIN(n, (size_t)(AREA_BYTES - text_at));
  uint8_t *label = pv + 512, *area = pv + AREA;
  memset(pv, 0, PV_BYTES);
  put(label, "LABELONE", 8);
  put64(label + 8, 1);
  put32(label + 20, 32);
  put(label + 24, "LVM2 001", 8);
  memset(label + 32, id, 6);
  put(label + 38, "bbbbccccddddeeeeffffgggggg", 26);
  put64(label + 64, PV_BYTES);
  put64(label + 72, START);
  put64(label + 72 + 32, AREA);
  put64(label + 72 + 40, AREA_BYTES);
  put(area + 4, " LVM2 x[5A%r0N*>", 16);
  put32(area + 20, 1);
  put64(area + 24, AREA);
  put64(area + 32, AREA_BYTES);
  put64(area + 40, text_at);
  put64(area + 48, n);
  put32(area + 56, sum((const uint8_t *)text, n));
  put(area + text_at, text, before);
  put(area + 512, text + before, n - before);
  for (guint i = 0; i < 56; i++)
    memset(pv + START + i * (size_t)EXTENT, (id - 'A') * 64 + (int)i + 1, EXTENT);
  seal(pv);
}

typedef struct {
  GString *found;   /* "name:first bytes of its extents" */
  GString *gaps;    /* what rows say */
  Ranges inside[2]; /* of each base */
  uint64_t bytes;   /* of all volumes */
  const DerivedBase *bases;
} Seen;

static bool on_found(void *user, guint from, DerivedVolume *volume) {
  Seen *seen = user;
  uint64_t size = image_size(volume->image), lacking = ranges_total(volume->lacking);
  assert_true(from < 2 && lacking <= size);
  seen->bytes += size - lacking;
  /* "logical volume NAME of ..." */
  g_string_append_printf(seen->found, "%s:", volume->description + strlen("logical volume "));
  for (uint64_t at = 0; at < size && at < 64 * (uint64_t)EXTENT; at += EXTENT) {
    uint8_t byte, piece[700];
    image_read(volume->image, at, &byte, 1);
    image_read(volume->image, at > 300 ? at - 300 : 0, piece, sizeof piece);
    g_string_append_printf(seen->found, " %u", byte);
  }
  g_string_append_c(seen->found, '\n');
  if (volume->problem != NULL)
    g_string_append_printf(seen->gaps, "%s\n", volume->problem->message);
  image_free(volume->image);
  ranges_free(volume->lacking);
  g_clear_error(&volume->problem);
  g_free(volume->description);
  return true;
}

static void on_inside(void *user, guint base, uint64_t start, uint64_t end) {
  Seen *seen = user;
  assert_true(base < 2 && start <= end && start >= seen->bases[base].offset &&
              end <= seen->bases[base].offset + seen->bases[base].length);
  ranges_add(&seen->inside[base], start, end);
}

static void on_gap(void *user, guint base, uint64_t size, TriageReason reason, const char *detail) {
  Seen *seen = user;
  (void)size;
  assert_true(base < 2 && reason <= TRIAGE_REASON_LAST && *detail != '\0');
  g_string_append_printf(seen->gaps, "%s\n", detail);
}

/* Joins the physical volumes that stand one behind the other. */
static void join(const uint8_t *pvs, guint n, Seen *seen) {
  g_autoptr(Content) content = content_new_copy(pvs, n * (size_t)PV_BYTES);
  g_autoptr(Image) image = image_open_content(content, "test", NULL);
  g_autoptr(GArray) bases = g_array_new(FALSE, TRUE, sizeof(DerivedBase));
  assert_non_null(image);
  memset(seen, 0, sizeof *seen);
  seen->found = g_string_new(NULL);
  seen->gaps = g_string_new(NULL);
  for (guint i = 0; i < n; i++) {
    ranges_init(&seen->inside[i]);
    DerivedBase base = {
        .base = image, .offset = i * (uint64_t)PV_BYTES, .length = PV_BYTES, .media = image};
    if (DERIVED_LVM.probe(&base))
      g_array_append_val(bases, base);
  }
  seen->bases = (const DerivedBase *)(void *)bases->data;
  const DerivedSink sink = {seen, on_found, on_inside, on_gap};
  if (bases->len > 0)
    DERIVED_LVM.join(bases, &sink);
  /* Nothing is taken out of the physical volumes that no volume shows. */
  uint64_t inside = 0;
  for (guint i = 0; i < n; i++)
    inside += ranges_total(&seen->inside[i]);
  assert_true(inside <= seen->bytes);
  for (guint i = 0; i < n; i++)
    ranges_clear(&seen->inside[i]);
}

static void seen_clear(Seen *seen) {
  g_string_free(seen->found, TRUE);
  g_string_free(seen->gaps, TRUE);
}

static void expect(const char *text, guint n, const char *found, const char *gap) {
  g_autofree uint8_t *pvs = g_malloc(2 * (size_t)PV_BYTES);
  Seen seen;
  make_pv(pvs, 'A', text, 512);
  make_pv(pvs + PV_BYTES, 'B', text, AREA_BYTES - 100); /* it goes on at the circle's start */
  join(pvs, n, &seen);
  assert_string_equal(seen.found->str, found);
  if (gap == NULL)
    assert_string_equal(seen.gaps->str, "");
  else if (strstr(seen.gaps->str, gap) == NULL)
    fail_msg("no '%s' in: %s", gap, seen.gaps->str);
  seen_clear(&seen);
}

static void test_segments(void **state) {
  (void)state;
  expect(HEAD LV("root", SEGMENT(1, 0, 2, ON("pv0", 4)) SEGMENT(2, 2, 1, ON("pv1", 0))) TAIL, 2,
         "root of the LVM2 group vg: 5 6 65\n", NULL);
  expect(HEAD LV("s", SEGMENT(1, 0, 4,
                              "type = \"striped\"\nstripe_size = 8\nstripes = [\"pv0\", "
                              "0, \"pv1\", 8]")) TAIL,
         2, "s of the LVM2 group vg: 1 73 2 74\n", NULL);
  expect(
      HEAD LV("r", SEGMENT(1, 0, 2, "type = \"raid1\"\nraids = [\"m0\", \"d0\", \"m1\", \"d1\"]"))
          HIDDEN("d0", SEGMENT(1, 0, 2, ON("pv1", 1))) HIDDEN("d1", SEGMENT(1, 0, 2, ON("pv0", 9)))
              HIDDEN("m0", SEGMENT(1, 0, 1, ON("pv0", 30)))
                  HIDDEN("m1", SEGMENT(1, 0, 1, ON("pv0", 31))) TAIL,
      1, "r of the LVM2 group vg: 10 11\n", "is not in this evidence");
  expect(HEAD LV("a", SEGMENT(1, 0, 1, ON("pv0", 0)) SEGMENT(2, 1, 1, ON("pv1", 1))) TAIL, 1,
         "a of the LVM2 group vg: 1 0\n", "4096 of 8192 bytes lie on physical volumes");
}

static void test_unsound(void **state) {
  (void)state;
  expect(HEAD LV("a", SEGMENT(1, 0, 2, ON("b", 0))) LV("b", SEGMENT(1, 0, 2, ON("a", 0))) TAIL, 2,
         "", "made of itself");
  expect(HEAD LV("a", SEGMENT(1, 0, 2, ON("a", 0))) TAIL, 2, "", "made of itself");
  expect(HEAD LV("a", SEGMENT(1, 0, 2, ON("pv0", 0))) LV("b", SEGMENT(1, 0, 2, ON("pv0", 1))) TAIL,
         2, "a of the LVM2 group vg: 1 2\n", "used a second time");
  expect(HEAD LV("a", SEGMENT(1, 0, 2, ON("pv0", 55))) TAIL, 2, "", "behind the end");
  expect(HEAD LV("a", SEGMENT(1, 1, 2, ON("pv0", 5))) TAIL, 2, "", "leave gaps");
  expect(HEAD LV("a", SEGMENT(1, 0, 9223372036854775807, "type = \"error\"")) TAIL, 2, "",
         "no place or type");
  expect(HEAD LV("a", SEGMENT(1, 0, 18014398509481983, "type = \"error\"")) TAIL, 2, "",
         "larger than any medium");
  expect(
      HEAD LV("a", SEGMENT(1, 0, 1, ON("pv0", 0)))
          LV("b", SEGMENT(1, 0, 1, ON("pv0", 1)) SEGMENT(2, 1, 1000000000000, "type = \"error\""))
              TAIL,
      2,
      "a of the LVM2 group vg: 1\nb of the LVM2 group vg: 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
      "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
      "lie on physical volumes");
  expect(HEAD LV("a", SEGMENT(1, 0, 2, "type = \"raid6\"\nraids = [\"x\", \"y\"]")) TAIL, 2, "",
         "type raid6");
}

/* Stripes on stripes, so that no extent begins where those below do: as many pieces as bytes,
 * looked at for each copy: without a limit this takes hours and more memory than there is. */
static void test_pieces(void **state) {
  (void)state;
  enum { COLUMNS = 4000, EXTENTS = COLUMNS * 1000 };
  g_autoptr(GString) text = g_string_new("vg {\nid = \"HHHHHH-bbbb-cccc-dddd-eeee-ffff-gggggg\"\n"
                                         "seqno = 3\nextent_size = 8\nphysical_volumes {\n");
  g_string_append_printf(text,
                         "pv0 {\nid = \"AAAAAA-bbbb-cccc-dddd-eeee-ffff-gggggg\"\n"
                         "pe_start = 64\npe_count = %d\n}\n}\nlogical_volumes {\n",
                         EXTENTS);
  g_string_append_printf(text,
                         "a {\nstatus = [\"READ\"]\nsegment1 {\nstart_extent = 0\n"
                         "extent_count = %d\ntype = \"striped\"\nstripe_size = 1\nstripes = [",
                         EXTENTS);
  for (int i = 0; i < COLUMNS; i++)
    g_string_append_printf(text, "%s\"pv0\", %d", i > 0 ? ", " : "", i * (EXTENTS / COLUMNS));
  g_string_append(text, "]\n}\n}\nb {\nstatus = [\"READ\", \"VISIBLE\"]\n");
  for (int i = 0; i < 8000; i++)
    g_string_append_printf(text,
                           "s%d {\nstart_extent = %d\nextent_count = 100\ntype = \"mirror\"\n"
                           "mirrors = [\"a\", %d, \"a\", %d]\n}\n",
                           i, i * 100, i * 200, i * 200 + 100);
  g_string_append(text, "}\n" TAIL);
  g_autoptr(GError) error = NULL;
  g_autoptr(LvmText) own = g_new0(LvmText, 1);
  own->root = lvm_text_parse(text->str, text->len, &error);
  assert_non_null(own->root);
  own->group = lvm_node_at(own->root, 0);
  LvmGroup *group = lvm_group_new(own, &error);
  assert_non_null(group);
  lvm_map_settle(group);
  assert_null(lvm_map_pieces(group, group->logical->pdata[1]));
  lvm_group_unref(group);
}

static void test_text(void **state) {
  (void)state;
  static const char *const BAD[] = {
      "a {",     "a = ",         "a = [1 2]",
      "a = [1,", "a = \"x",      "= 1",
      "a }",     "a = 1\na = 2", "a { b { c { d { e { f { g { h {}}}}}}}}",
      "a"};
  for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
    g_autoptr(GError) error = NULL;
    assert_null(lvm_text_parse(BAD[i], strlen(BAD[i]), &error));
    assert_non_null(error);
  }
  static const char GOOD[] = "# x\na{b=7 c=\"q\\\"\\\\}\" d=[\"one\",'two\"',3] e=-1.5\n}\0{{{";
  g_autoptr(LvmNode) root = lvm_text_parse(GOOD, sizeof GOOD, NULL);
  const LvmNode *a = lvm_node_get(root, "a", LVM_SECTION);
  uint64_t number = 0;
  assert_non_null(a);
  assert_true(lvm_node_number(a, "b", &number) && number == 7);
  assert_string_equal(lvm_node_text(a, "c"), "q\"\\}");
  assert_string_equal(lvm_node_text(a, "e"), "-1.5");
  assert_true(lvm_node_has(a, "d", "two\"") && !lvm_node_has(a, "d", "3"));
  g_autoptr(GString) many = g_string_new("a = [1");
  for (guint i = 0; i < LIMIT_LVM_NODES; i++)
    g_string_append(many, ",1");
  g_string_append(many, "]");
  g_autoptr(GError) error = NULL;
  assert_null(lvm_text_parse(many->str, many->len, &error));
  assert_int_equal(triage_error_reason(error), TRIAGE_REASON_SIZE_LIMIT);
}

/* Bytes changed in the text, in the headers, or values of the text exchanged for others. */
static void mutate(GRand *rand, GString *text) {
  static const char *const WORDS[] = {"0",
                                      "1",
                                      "18446744073709551615",
                                      "9007199254740992",
                                      "pv0",
                                      "pv1",
                                      "a",
                                      "b",
                                      "raid1",
                                      "raid10",
                                      "striped",
                                      "error",
                                      "cache",
                                      "mirror",
                                      "thin",
                                      "}"};
  for (gint i = g_rand_int_range(rand, 1, 5); i > 0; i--) {
    gsize at = (gsize)g_rand_int_range(rand, 0, (gint)text->len);
    if (g_rand_boolean(rand)) {
      text->str[at] = (char)g_rand_int_range(rand, 1, 256);
      continue;
    }
    while (at < text->len && !g_ascii_isalnum(text->str[at]))
      at++;
    gsize end = at;
    while (end < text->len && g_ascii_isalnum(text->str[end]))
      end++;
    g_string_erase(text, (gssize)at, (gssize)(end - at));
    g_string_insert(text, (gssize)at, WORDS[g_rand_int_range(rand, 0, (gint)G_N_ELEMENTS(WORDS))]);
  }
}

static void test_mutants(void **state) {
  (void)state;
  static const char TEXT[] =
      HEAD LV("a", SEGMENT(1, 0, 2, ON("pv0", 4)) SEGMENT(2, 2, 2, ON("b", 1)))
          HIDDEN("b", SEGMENT(1, 0, 4,
                              "type = \"striped\"\nstripe_size = 4\nstripes = [\"pv0\", 0, "
                              "\"pv1\", 8]"))
              LV("r", SEGMENT(1, 0, 4,
                              "type = \"raid10\"\nstripe_size = 8\nraids = [\"b\", \"c\", "
                              "\"b\", \"d\", \"b\", \"e\", \"b\", \"f\"]"))
                  HIDDEN("c", SEGMENT(1, 0, 2, ON("pv0", 20)))
                      HIDDEN("d", SEGMENT(1, 0, 2, ON("pv1", 20)))
                          HIDDEN("e", SEGMENT(1, 0, 2, ON("pv0", 22)))
                              HIDDEN("f", SEGMENT(1, 0, 2, ON("pv1", 22))) TAIL;
  const char *wish = g_getenv("TRIAGE_LVM_MUTANTS");
  guint n = wish != NULL ? (guint)g_ascii_strtoull(wish, NULL, 10) : 1500, n_found = 0;
  g_autoptr(GRand) rand = g_rand_new_with_seed(11);
  g_autofree uint8_t *pvs = g_malloc(2 * (size_t)PV_BYTES);
  for (guint i = 0; i < n; i++) {
    g_autoptr(GString) text = g_string_new(TEXT);
    Seen seen;
    if (i % 4 != 0)
      mutate(rand, text);
    make_pv(pvs, 'A', text->str, 512);
    make_pv(pvs + PV_BYTES, 'B', i % 2 == 0 ? TEXT : text->str, 1024);
    for (gint k = i % 4 == 0 ? g_rand_int_range(rand, 1, 4) : 0; k > 0; k--) {
      guint at = g_rand_boolean(rand) ? 512 : AREA;
      pvs[at + (guint)g_rand_int_range(rand, 4, 130)] = (uint8_t)g_rand_int_range(rand, 0, 256);
    }
    if (i % 8 != 0)
      seal(pvs);
    join(pvs, 2, &seen);
    n_found += seen.found->len > 0;
    assert_true(seen.bytes <= 4 * (uint64_t)PV_BYTES);
    if (seen.found->len == 0 && seen.gaps->len == 0)
      fail_msg("mutant %u: nothing was found and nothing said: %s", i, text->str);
    seen_clear(&seen);
  }
  assert_true(n_found > n / 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_segments),
                                     cmocka_unit_test(test_unsound), cmocka_unit_test(test_pieces),
                                     cmocka_unit_test(test_mutants)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
