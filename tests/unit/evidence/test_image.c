/* SPDX-License-Identifier: Apache-2.0 */
/* test_image.c - raw and split images, names of segments, read errors, VHD, VMDK, QCOW, refusals.
 */
#include "image_fixture.h"
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A disk with bad sectors: the test's own pread, which fails where asked to. */
static struct {
  bool on;
  uint64_t from, to;
} bad;

ssize_t pread64(int fd, void *buffer, size_t n, off64_t offset) {
  if (bad.on && (uint64_t)offset < bad.to && (uint64_t)offset + n > bad.from) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, buffer, n, offset);
}

static void raw_is_read_and_past_its_end_is_truncated(void **state) {
  g_autofree uint8_t *media = fixture_media(100000, 1);
  g_autofree char *path = fixture_write(*state, "a.dd", media, 100000);
  fixture_equal(path, "raw", media, 100000);
  g_autoptr(Image) image = fixture_open_good(path);
  uint8_t out[300];
  image_read(image, 99900, out, sizeof out);
  assert_memory_equal(out, media + 99900, 100);
  for (size_t i = 100; i < sizeof out; i++)
    assert_int_equal(out[i], 0);
  GArray *damage = image_damage(image);
  assert_int_equal(damage->len, 1);
  assert_int_equal(g_array_index(damage, Damage, 0).offset, 100000);
  assert_int_equal(g_array_index(damage, Damage, 0).length, 200);
  assert_int_equal(g_array_index(damage, Damage, 0).reason, TRIAGE_REASON_TRUNCATED);
  assert_int_equal(image_damage_all(image)->len, 0);
  image_damage_reset(image);
  assert_int_equal(image_damage(image)->len, 0);
  image_read(image, UINT64_MAX - 10, out, 10);
  assert_int_equal(image_damage(image)->len, 1);
}

static void a_bad_sector_costs_only_itself(void **state) {
  g_autofree uint8_t *media = fixture_media(300000, 2);
  g_autofree char *path = fixture_write(*state, "b.dd", media, 300000);
  g_autoptr(Image) image = fixture_open_good(path);
  bad.on = true, bad.from = 150000, bad.to = 150001;
  g_autofree uint8_t *out = fixture_read(image, 300000, 300000);
  bad.on = false;
  GArray *damage = image_damage(image);
  assert_int_equal(damage->len, 1);
  assert_int_equal(g_array_index(damage, Damage, 0).offset, 149504);
  assert_int_equal(g_array_index(damage, Damage, 0).length, 512);
  assert_int_equal(g_array_index(damage, Damage, 0).reason, TRIAGE_REASON_READ_ERROR);
  assert_int_equal(fixture_silent(damage, out, media, 300000), 0);
  assert_true(memcmp(out, media, 149504) == 0 && memcmp(out + 150016, media + 150016, 149984) == 0);
  assert_int_equal(out[149504], 0);
}

static void damage_lists_stay_small_and_separate(void **state) {
  g_autofree uint8_t *media = fixture_media(1 << 20, 3);
  g_autofree char *path = fixture_write(*state, "c.dd", media, 1 << 20);
  g_autoptr(Image) image = fixture_open_good(path);
  bad.on = true, bad.from = 0x10000, bad.to = 0x20000;
  uint8_t out[512];
  for (int round = 0; round < 20; round++)
    for (uint64_t at = 0x20000; at > 0x10000; at -= 1024) /* backwards, every other sector */
      image_read(image, at - 512, out, 512);
  bad.on = false;
  GArray *damage = image_damage(image);
  assert_int_equal(damage->len, 64);
  for (guint i = 0; i < damage->len; i++)
    assert_int_equal(g_array_index(damage, Damage, i).offset, 0x10000 + 512 + 1024 * i);
}

static void empty_and_odd_files_are_refused(void **state) {
  g_autofree char *empty = fixture_write(*state, "empty.dd", "", 0);
  fixture_refused(empty, TRIAGE_REASON_TRUNCATED);
  fixture_refused(*state, TRIAGE_REASON_UNREADABLE);
  fixture_refused("/dev/null", TRIAGE_REASON_UNREADABLE);
  fixture_refused("does-not-exist.dd", TRIAGE_REASON_UNREADABLE);
}

static void write_parts(const char *folder, const char *const *names, const uint8_t *media,
                        size_t each, size_t n) {
  for (size_t i = 0; i * each < n; i++)
    g_free(fixture_write(folder, names[i], media + i * each, MIN(each, n - i * each)));
}

static void split_sets_are_found_by_name(void **state) {
  static const char *const sets[][3] = {{"s.001", "s.002", "s.003"},
                                        {"t.000", "t.001", "t.002"},
                                        {"u.raw.000", "u.raw.001", "u.raw.002"},
                                        {"v.dd.01", "v.dd.02", "v.dd.03"},
                                        {"w.aa", "w.ab", "w.ac"},
                                        {"x.aaa", "x.aab", "x.aac"},
                                        {"xaa", "xab", "xac"},
                                        {"y.part1", "y.part2", "y.part3"},
                                        {"z_part01", "z_part02", "z_part03"},
                                        {"q.00001", "q.00002", "q.00003"}};
  g_autofree uint8_t *media = fixture_media(250000, 4);
  for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
    write_parts(*state, sets[i], media, 100000, 250000);
    g_autofree char *path = g_build_filename(*state, sets[i][0], NULL);
    fixture_equal(path, "split-raw", media, 250000);
    g_autofree char *second = g_build_filename(*state, sets[i][1], NULL);
    if (sets[i][0][strlen(sets[i][0]) - 1] != 'a') /* x.ab may be a file like any other */
      fixture_refused(second, TRIAGE_REASON_USAGE);
  }
  g_free(fixture_write(*state, "s.999", "stray", 5));
  g_autofree char *path = g_build_filename(*state, "s.001", NULL);
  fixture_equal(path, "split-raw", media, 250000);
}

static void a_hole_in_a_split_set_keeps_places(void **state) {
  static const char *const names[] = {"h.001", "h.002", "h.003", "h.004"};
  g_autofree uint8_t *media = fixture_media(350000, 5);
  write_parts(*state, names, media, 100000, 350000);
  g_autofree char *first = g_build_filename(*state, names[0], NULL);
  g_autofree char *second = g_build_filename(*state, names[1], NULL);
  assert_int_equal(g_unlink(second), 0);
  g_autoptr(GPtrArray) segments = image_segments(first, NULL);
  assert_int_equal(segments->len, 4);
  assert_null(g_ptr_array_index(segments, 1));
  g_autoptr(Image) image = fixture_open_good(first);
  assert_int_equal(image_size(image), 350000);
  GArray *known = image_damage_all(image);
  assert_int_equal(known->len, 1);
  assert_int_equal(fixture_damaged(known, TRIAGE_REASON_MISSING_SEGMENT), 100000);
  g_autofree uint8_t *out = fixture_read(image, 350000, 7777);
  assert_int_equal(fixture_silent(known, out, media, 350000), 0);
  assert_int_equal(fixture_damaged(image_damage(image), TRIAGE_REASON_MISSING_SEGMENT), 100000);
  assert_int_equal(image_info(image)->problems->len, 1);
  /* A middle one that was cut keeps what follows in place too. */
  g_free(fixture_write(*state, names[1], media + 100000, 30000));
  g_autoptr(Image) cut = fixture_open_good(first);
  g_autofree uint8_t *again = fixture_read(cut, 350000, 65536);
  assert_int_equal(fixture_damaged(image_damage_all(cut), TRIAGE_REASON_TRUNCATED), 70000);
  assert_int_equal(fixture_silent(image_damage_all(cut), again, media, 350000), 0);
}

static void put_be(uint8_t *p, uint64_t value, int n) {
  for (int i = 0; i < n; i++)
    p[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

static void vhd_footer(uint8_t *footer, uint64_t size) {
  memset(footer, 0, 512);
  memcpy(footer, "conectix", 8);
  put_be(footer + 8, 2, 4);
  put_be(footer + 12, 0x10000, 4);
  put_be(footer + 16, UINT64_MAX, 8);
  memcpy(footer + 28, "win ", 4);
  put_be(footer + 40, size, 8);
  put_be(footer + 48, size, 8);
  put_be(footer + 60, 2, 4); /* fixed */
  uint32_t sum = 0;
  for (int i = 0; i < 512; i++)
    sum += footer[i];
  put_be(footer + 64, ~sum, 4);
}

static void a_dd_may_be_a_fixed_vhd(void **state) {
  size_t n = 1 << 20;
  g_autofree uint8_t *media = g_malloc(n + 512);
  g_autofree uint8_t *part = fixture_media(n, 6);
  memcpy(media, part, n);
  vhd_footer(media + n, n);
  g_autofree char *path = fixture_write(*state, "fixed.dd", media, n + 512);
  fixture_equal(path, "vhd", media, n);
  media[n + 100] ^= 1; /* the footer's checksum does not hold: a disk that happens to end so */
  g_autofree char *other = fixture_write(*state, "raw.dd", media, n + 512);
  fixture_equal(other, "raw", media, n + 512);
}

static uint8_t *qcow_make(uint32_t version, uint64_t flags, uint64_t features, uint64_t backing) {
  enum { C = 65536 };
  uint8_t *q = g_malloc0(6 * C);
  memcpy(q, "QFI\xfb", 4);
  put_be(q + 4, version, 4), put_be(q + 8, backing, 8), put_be(q + 20, 16, 4);
  put_be(q + 24, 4 * C, 8), put_be(q + 36, 1, 4), put_be(q + 40, C, 8);
  put_be(q + 72, features, 8), put_be(q + 96, 4, 4), put_be(q + 100, 104, 4);
  uint64_t used = UINT64_C(1) << 63;
  put_be(q + C, used | 2 * C, 8);
  put_be(q + 2 * C, used | 3 * C, 8), put_be(q + 2 * C + 8, used | flags | 4 * C, 8);
  put_be(q + 2 * C + 24, used | 5 * C, 8);
  memset(q + 3 * C, 'A', C), memset(q + 4 * C, 'B', C), memset(q + 5 * C, 'C', C);
  return q;
}

static void qcow_clusters_are_what_the_disk_shows(void **state) {
  enum { C = 65536 };
  g_autofree uint8_t *media = g_malloc0(4 * C);
  memset(media, 'A', C), memset(media + C, 'B', C), memset(media + 3 * C, 'C', C);
  g_autofree uint8_t *two = qcow_make(2, 0, 0, 0);
  g_autofree char *path = fixture_write(*state, "two.qcow2", two, 6 * C);
  fixture_equal(path, "qcow", media, 4 * C);
  /* Cut within a cluster: libqcow 20201213 hands out heap bytes here. */
  g_autofree char *cut = fixture_write(*state, "cut.qcow2", two, 5 * C + 1000);
  g_autoptr(Image) image = fixture_open_good(cut);
  g_autofree uint8_t *out = fixture_read(image, 4 * C, 10000);
  assert_int_equal(fixture_damaged(image_damage_all(image), TRIAGE_REASON_TRUNCATED), C - 1000);
  assert_int_equal(fixture_silent(image_damage_all(image), out, media, 4 * C), 0);
  assert_int_equal(out[4 * C - 1], 0);
  /* A zeroed cluster shows zeros, not its old content (libqcow shows that). */
  g_autofree uint8_t *zeroed = qcow_make(3, 1, 0, 0);
  g_autofree char *three = fixture_write(*state, "zeroed.qcow2", zeroed, 6 * C);
  memset(media + C, 0, C);
  fixture_equal(three, "qcow", media, 4 * C);
  g_autofree uint8_t *backed = qcow_make(3, 0, 0, 512);
  g_autofree char *back = fixture_write(*state, "back.qcow2", backed, 6 * C);
  fixture_refused(back, TRIAGE_REASON_UNSUPPORTED_FORMAT);
  g_autofree uint8_t *newer = qcow_make(3, 0, 4, 0);
  g_autofree char *feature = fixture_write(*state, "newer.qcow2", newer, 6 * C);
  fixture_refused(feature, TRIAGE_REASON_UNSUPPORTED_FORMAT);
}

static char *vmdk_descriptor(const char *folder, const char *name, const char *parent,
                             const char *first) {
  g_autofree char *text = g_strdup_printf(
      "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=%s\n"
      "createType=\"twoGbMaxExtentFlat\"\n\n# Extent description\n"
      "RW 2048 FLAT \"%s\" 0\nRW 2048 FLAT \"d-f002.vmdk\" 0\n\n# The Disk Data Base\n#DDB\n"
      "ddb.virtualHWVersion = \"4\"\nddb.adapterType = \"ide\"\n",
      parent, first);
  return fixture_write(folder, name, text, strlen(text));
}

static void vmdk_extents_lie_beside_the_descriptor(void **state) {
  static const char *const names[] = {"d-f001.vmdk", "d-f002.vmdk"};
  size_t n = 2 << 20;
  g_autofree uint8_t *media = fixture_media(n, 7);
  write_parts(*state, names, media, 1 << 20, n);
  g_autofree char *path = vmdk_descriptor(*state, "d.vmdk", "ffffffff", "d-f001.vmdk");
  g_autoptr(GPtrArray) segments = image_segments(path, NULL);
  assert_int_equal(segments->len, 3);
  fixture_equal(path, "vmdk", media, n);
  g_autofree char *snapshot = vmdk_descriptor(*state, "s.vmdk", "11111111", "d-f001.vmdk");
  fixture_refused(snapshot, TRIAGE_REASON_UNSUPPORTED_FORMAT);
  g_autofree char *gone = vmdk_descriptor(*state, "g.vmdk", "ffffffff", "d-f009.vmdk");
  fixture_refused(gone, TRIAGE_REASON_MISSING_SEGMENT);
  g_autofree char *out = fixture_write(*state, "outside.bin", media, 1 << 20);
  g_autofree char *inner = g_build_filename(*state, "inner", NULL);
  assert_int_equal(g_mkdir(inner, 0700), 0);
  write_parts(inner, names, media, 1 << 20, n);
  g_autofree char *evil = vmdk_descriptor(inner, "e.vmdk", "ffffffff", "../outside.bin");
  fixture_refused(evil, TRIAGE_REASON_MISSING_SEGMENT);
  g_autofree char *absolute = vmdk_descriptor(inner, "a.vmdk", "ffffffff", out);
  fixture_refused(absolute, TRIAGE_REASON_MISSING_SEGMENT);
}

static void unsupported_formats_are_refused_by_name(void **state) {
  static const struct {
    const char *name, *magic;
    size_t n, at;
  } cases[] = {{"a.Ex01", "EVF2\r\n\x81\x00", 8, 0},
               {"b.Lx01", "LEF2\r\n\x81\x00", 8, 0},
               {"c.L01", "LVF\x09\r\n\xff\x00", 8, 0},
               {"e.afm", "AFF11\r\n\x00", 8, 0},
               {"f.vdi", "\x7f\x10\xda\xbe", 4, 64},
               {"g.hds", "WithoutFreeSpace", 16, 0},
               {"j.qed", "QED\x00\x00\x00\x01\x00", 8, 0},
               {"h.sparseimage", "sprs", 4, 0},
               {"i.dmg", "koly\x00\x00\x00\x04\x00\x00\x02\x00", 12, 4096 - 512}};
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    uint8_t bytes[4096] = {0};
    memcpy(bytes + cases[i].at, cases[i].magic, cases[i].n);
    g_autofree char *path = fixture_write(*state, cases[i].name, bytes, sizeof bytes);
    fixture_refused(path, TRIAGE_REASON_UNSUPPORTED_FORMAT);
  }
}

static void rows_say_what_they_cannot_do(void **state) {
  (void)state;
  size_t n = 0;
  const Row *const *rows = image_rows(&n);
  assert_true(n >= 10);
  for (size_t i = 0; i < n; i++) {
    assert_string_equal(rows[i]->stage, "image");
    assert_true(*rows[i]->limitations != '\0' && *rows[i]->title != '\0' && *rows[i]->spec != '\0');
    assert_true(rows[i]->available || *rows[i]->why_not != '\0');
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(rows[i]->name, rows[k]->name);
  }
}

static uint8_t *real_media(const char *base, const char *name, size_t *n) {
  g_autofree char *path = g_build_filename(base, "real", name, NULL);
  g_autoptr(Image) image = fixture_open_good(path);
  *n = image_size(image);
  uint8_t *out = fixture_read(image, *n, 1 << 20);
  assert_int_equal(image_damage_all(image)->len, 0);
  return out;
}

/* The same ext2 file system in six containers, made by others. */
static void public_images_hold_the_same_disk(void **state) {
  (void)state;
  const char *base = g_getenv("TRIAGE_EVIDENCE");
  if (base == NULL) {
    print_message("SKIPPED: public images: TRIAGE_EVIDENCE is not set\n");
    skip();
  }
  static const char *const same[] = {"dfvfs/ext2.E01", "dfvfs/ext2.split.E01", "dfvfs/ext2.vmdk",
                                     "dfvfs/ext2.qcow2", "dfvfs/ext2.vhd"};
  size_t n = 0, other_n = 0;
  g_autofree uint8_t *media = real_media(base, "dfvfs/ext2.splitraw.000", &n);
  assert_int_equal(n, 4194304);
  for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
    g_autofree uint8_t *other = real_media(base, same[i], &other_n);
    assert_true(other_n >= n); /* a VHD is rounded up to its geometry */
    assert_memory_equal(other, media, n);
    for (size_t k = n; k < other_n; k++)
      assert_int_equal(other[k], 0);
  }
  g_autofree char *child = g_build_filename(base, "real", "dfvfs/image-differential.vhd", NULL);
  fixture_refused(child, TRIAGE_REASON_UNSUPPORTED_FORMAT);
}

/* A dynamic VHD and a sparse VMDK cut short: refused, or what is lost is said. */
static void cut_containers_lose_nothing_silently(void **state) {
  const char *base = g_getenv("TRIAGE_EVIDENCE");
  if (base == NULL) {
    print_message("SKIPPED: cut containers: TRIAGE_EVIDENCE is not set\n");
    skip();
  }
  static const char *const names[] = {"dfvfs/ext2.vmdk", "dfvfs/ext2.vhd", "dfvfs/ext2.qcow2"};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    size_t n = 0, n_damaged = 0;
    g_autofree uint8_t *media = real_media(base, names[i], &n);
    g_autofree char *path = g_build_filename(base, "real", names[i], NULL);
    g_autoptr(GBytes) file = fixture_load(path);
    g_autofree char *own = g_path_get_basename(path);
    for (size_t k = 1; k < 20; k++) {
      g_autofree char *cut =
          fixture_write(*state, own, g_bytes_get_data(file, NULL), g_bytes_get_size(file) * k / 20);
      g_autoptr(GError) error = NULL;
      g_autoptr(Image) image = fixture_open(cut, &error);
      n_damaged += image == NULL;
      if (image == NULL)
        continue;
      assert_int_equal(image_size(image), n);
      g_autofree uint8_t *out = fixture_read(image, n, 65536);
      assert_int_equal(fixture_silent(image_damage_all(image), out, media, n), 0);
      n_damaged += image_damage_all(image)->len > 0;
    }
    assert_true(n_damaged > 10);
  }
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
      T(raw_is_read_and_past_its_end_is_truncated),
      T(a_bad_sector_costs_only_itself),
      T(damage_lists_stay_small_and_separate),
      T(empty_and_odd_files_are_refused),
      T(split_sets_are_found_by_name),
      T(a_hole_in_a_split_set_keeps_places),
      T(a_dd_may_be_a_fixed_vhd),
      T(qcow_clusters_are_what_the_disk_shows),
      T(vmdk_extents_lie_beside_the_descriptor),
      T(unsupported_formats_are_refused_by_name),
      T(rows_say_what_they_cannot_do),
      T(public_images_hold_the_same_disk),
      T(cut_containers_lose_nothing_silently),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
