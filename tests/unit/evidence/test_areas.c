/* SPDX-License-Identifier: Apache-2.0 */
/* test_areas.c - byte ranges; and the accounting: of every image here, each byte of the media is
 * read with at least one object, and no byte with two areas. With file names as arguments: those
 * images alone. */
#include "base/limits.h"
#include "evidence/walk_private.h"
#include "image_fixture.h"
#include "walk_fixture.h"

/* libtsk loses the parts of a partition table that it gives up on. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:tsk_vs_part_add\n";
}

/* ---- ranges ---- */

static void test_ranges_random(void **state) {
  (void)state;
  enum { N = 4000 };
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  for (guint round = 0; round < 40; round++) {
    uint8_t expected[N] = {0};
    g_auto(Ranges) ranges;
    ranges_init(&ranges);
    guint n = (guint)g_rand_int_range(rand, 0, 3000);
    for (guint i = 0; i < n; i++) {
      uint64_t start = (uint64_t)g_rand_int_range(rand, 0, N);
      uint64_t length = (uint64_t)g_rand_int_range(rand, 0, round < 20 ? 3 : 40);
      uint64_t end = MIN(N, start + length);
      ranges_add(&ranges, start, end);
      if (end > start)
        memset(expected + start, 1, end - start);
    }
    uint64_t total = 0;
    for (guint i = 0; i < N; i++)
      total += expected[i];
    assert_int_equal(ranges_total(&ranges), total);
    uint64_t at = 0, end;
    for (uint64_t place = 0; ranges_next_hole(&ranges, &at, N, &end); place = at = end)
      for (; place < end; place++)
        assert_int_equal(expected[place], place < at);
    at = 0;
    for (uint64_t place = 0; ranges_next_filled(&ranges, &at, N, &end); place = at = end)
      for (; place < end; place++)
        assert_int_equal(expected[place], place >= at);
  }
}

static void test_ranges_stay_few(void **state) {
  (void)state;
  g_auto(Ranges) ranges;
  ranges_init(&ranges);
  for (uint64_t i = 0; i < 1000000; i++)
    ranges_add(&ranges, i % 100 * 10, i % 100 * 10 + 5);
  assert_true(ranges.list->len <= 4096);
  assert_int_equal(ranges_n(&ranges), 100);
}

/* ---- accounting ---- */

typedef struct {
  GPtrArray *objects; /* Object* */
  guint n_gaps;
  uint64_t account; /* bytes told of the volume at hand */
} Seen;

static bool take_object(void *user, const Object *object) {
  Seen *seen = user;
  if ((object->flags & OBJECT_NO_CONTENT) == 0) {
    Object *copy = g_memdup2(object, sizeof *object);
    copy->name = copy->attr_name = NULL;
    g_ptr_array_add(seen->objects, copy);
  }
  return true;
}
static void take_account(void *user, const char *what, uint64_t bytes) {
  assert_true(*what != '\0' && bytes > 0);
  ((Seen *)user)->account += bytes;
}
static bool take_gap(void *user, const Gap *gap) {
  (void)gap;
  ((Seen *)user)->n_gaps++;
  return true;
}

/* Compressed content lies in no one place: what was read for it are all blocks of its runs. */
static void add_compressed(VolumeSet *set, const Object *object, Ranges *read) {
  TSK_FS_INFO *fs = volume_open_fs(set, object->volume, NULL);
  TSK_FS_FILE *file = fs != NULL ? tsk_fs_file_open_meta(fs, NULL, object->meta_addr) : NULL;
  if (file == NULL)
    return;
  const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_type(
      file, (TSK_FS_ATTR_TYPE_ENUM)object->attr_type, (uint16_t)object->attr_id, 1);
  uint64_t base = volume_set_find(set, object->volume)->offset;
  if (attr != NULL && (attr->flags & TSK_FS_ATTR_NONRES) != 0)
    for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL; run = run->next)
      if ((run->flags & TSK_FS_ATTR_RUN_FLAG_SPARSE) == 0)
        ranges_add(read, base + run->addr * fs->block_size,
                   base + (run->addr + run->len) * fs->block_size);
  tsk_fs_file_close(file);
}

static void add_read(VolumeSet *set, const Object *object, Spool *spool, Ranges *read,
                     uint64_t *area_bytes, Ranges *areas) {
  WalkContent content;
  bool is_area = object->kind == OBJECT_AREA;
  if (is_area)
    area_read(set, object, spool, &content);
  else
    walk_read(set, object, spool, &content);
  if (content.runs == NULL)
    add_compressed(set, object, read);
  for (guint i = 0; content.runs != NULL && i < content.runs->len; i++) {
    ContentRun run = g_array_index(content.runs, ContentRun, i);
    uint64_t own = is_area ? content.own : content_size(content.content);
    if (run.content_offset + run.length > own)
      run.length = own > run.content_offset ? own - run.content_offset : 0;
    ranges_add(read, run.media_offset, run.media_offset + run.length);
    if (!is_area || object->meta[0] != '\0')
      continue; /* two deleted entries may claim the same blocks, and their slack */
    *area_bytes += run.length;
    ranges_add(areas, run.media_offset, run.media_offset + run.length);
  }
  walk_content_clear(&content);
}

static void check_image(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Image) image = fixture_open(path, &error);
  if (image == NULL) {
    print_message("%s: %s\n", path, error->message);
    return;
  }
  Seen seen = {g_ptr_array_new_with_free_func(g_free), 0, 0};
  WalkSink sink = {.user = &seen,
                   .dir = walk_take_dir,
                   .object = take_object,
                   .name = walk_take_name,
                   .gap = take_gap,
                   .account = take_account,
                   .areas = AREAS_ALL};
  g_autoptr(VolumeSet) set = volume_set_new(image, NULL, VOLUMES_ALL, &sink);
  g_autofree char *name = g_build_filename(g_get_tmp_dir(), "triage-spool-XXXXXX", NULL);
  g_autoptr(Spool) spool = spool_new(g_mkstemp(name));
  g_unlink(name);
  g_auto(Ranges) read, areas;
  ranges_init(&read);
  ranges_init(&areas);
  uint64_t area_bytes = 0, size = image_size(image);
  for (guint i = 0; i < volume_set_n(set); i++) {
    const Volume *volume = volume_set_get(set, i);
    g_auto(Ranges) others;
    ranges_init(&others);
    uint64_t start, end;
    volume_area(set, volume->no, &start, &end, &others);
    seen.account = 0;
    assert_true(walk_volume(set, volume->no, NULL, 0, &sink, NULL));
    assert_int_equal(seen.account, end - start);
  }
  for (guint i = 0; i < seen.objects->len; i++) {
    const Object *object = seen.objects->pdata[i];
    if (!volume_set_find(set, object->volume)->is_derived)
      add_read(set, object, spool, &read, &area_bytes, &areas);
  }
  for (guint i = 0; i < volume_set_n(set); i++) {
    const Volume *volume = volume_set_get(set, i);
    Ranges *elsewhere = volume_elsewhere(set, volume->no);
    for (guint j = 0; !volume->is_derived && elsewhere != NULL && j < ranges_n(elsewhere); j++)
      ranges_add(&read, ranges_get(elsewhere, j)->start, ranges_get(elsewhere, j)->end);
  }
  /* inline content is what the inode table's areas leave out */
  for (guint i = 0; i < seen.objects->len; i++) {
    const Object *object = seen.objects->pdata[i];
    const Volume *volume = volume_set_find(set, object->volume);
    Range places[2];
    guint n = TSK_FS_TYPE_ISEXT(volume->tsk_type) && object->kind != OBJECT_AREA
                  ? inline_places(volume_open_fs(set, volume->no, NULL), object->meta_addr, places)
                  : 0;
    for (guint j = 0; j < n; j++)
      ranges_add(&read, volume->offset + places[j].start, volume->offset + places[j].end);
  }
  uint64_t at = 0, end, missing = 0;
  for (; ranges_next_hole(&read, &at, size, &end); at = end) {
    if (missing == 0)
      print_error("%s: bytes %llu-%llu are read with no object\n", path, (unsigned long long)at,
                  (unsigned long long)end);
    missing += end - at;
  }
  print_message("%s: %u volume(s), %u objects, %llu bytes in areas, %llu of %llu not read\n", path,
                volume_set_n(set), seen.objects->len, (unsigned long long)area_bytes,
                (unsigned long long)missing, (unsigned long long)size);
  g_ptr_array_unref(seen.objects);
  assert_int_equal(missing, 0);
  assert_int_equal(area_bytes, ranges_total(&areas));
}

/* ---- generated images ---- */

static void test_generated(void **state) {
  static const char TREE[] =
      "mkdir -p tree/a/b && head -c 300000 /dev/urandom >tree/a/noise && "
      "echo small >tree/a/b/small && head -c 5000 /dev/zero >tree/five && ln -s a/b tree/link && "
      "truncate -s 900000 tree/hole && echo tail >>tree/hole";
  static const char *const COMMANDS[] = {
      "truncate -s 8M ext4.dd && mke2fs -q -t ext4 -F -O inline_data -I 256 -d tree ext4.dd",
      "truncate -s 4M ext2.dd && mke2fs -q -t ext2 -b 1024 -F -d tree ext2.dd && "
      "printf 'rm /five\\nrm /a/noise\\nwrite five new\\n' | debugfs -w ext2.dd",
      "truncate -s 3M fat.dd && mkfs.vfat -F 12 fat.dd && mcopy -s -i fat.dd tree/a tree/five :: "
      "&& mdel -i fat.dd ::five && mcopy -i fat.dd tree/a/b/small ::",
      "truncate -s 9000001 ntfs.dd && mkntfs -q -F -f -p 0 ntfs.dd && "
      "ntfscp ntfs.dd tree/a/noise noise && ntfscp ntfs.dd tree/five five",
      "truncate -s 20M disk.dd && printf 'label: dos\\nstart=2048,size=16384,type=83\\n"
      "start=24576,size=4096,type=6\\n' | sfdisk -q disk.dd && "
      "dd if=ext4.dd of=disk.dd bs=1M seek=1 conv=notrunc && "
      "dd if=ext2.dd of=disk.dd bs=1M seek=15 conv=notrunc",
  };
  static const char *const NAMES[] = {"ext4.dd", "ext2.dd", "fat.dd", "ntfs.dd", "disk.dd"};
  const char *folder = *state;
  assert_true(fixture_run(folder, TREE));
  for (gsize i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
    if (!fixture_run(folder, COMMANDS[i])) {
      print_message("SKIPPED %s: its tools are missing\n", NAMES[i]);
      continue;
    }
    g_autofree char *path = g_build_filename(folder, NAMES[i], NULL);
    check_image(path);
  }
}

static void test_shared(void **state) {
  (void)state;
  const char *evidence = g_getenv("TRIAGE_EVIDENCE");
  static const char *const IMAGES[] = {"srv01.E01", "nas01.001",  "usb01.dd",
                                       "card01.dd", "floppy.img", "media01.iso"};
  if (evidence == NULL) {
    print_message("SKIPPED: TRIAGE_EVIDENCE names no unpacked test evidence\n");
    skip();
  }
  for (gsize i = 0; i < G_N_ELEMENTS(IMAGES); i++) {
    g_autofree char *path = g_build_filename(evidence, "truth", IMAGES[i], NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
      check_image(path);
  }
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    check_image(argv[i]);
  if (argc > 1)
    return 0;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranges_random),
      cmocka_unit_test(test_ranges_stay_few),
      cmocka_unit_test_setup_teardown(test_generated, fixture_setup, fixture_teardown),
      cmocka_unit_test(test_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
