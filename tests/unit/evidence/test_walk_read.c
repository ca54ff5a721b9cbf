/* SPDX-License-Identifier: Apache-2.0 */
/* test_walk_read.c - content is read from the image by the runs of its blocks: of every object it
 * is what libtsk reads, whatever holes, fragments and ends of initialised data there are; and in
 * the order of the disk each chunk of an E01 is taken out once. */
#include "image_fixture.h"
#include "walk_fixture.h"

static void equals_libtsk(VolumeSet *set, const Object *object, const WalkContent *content) {
  TSK_FS_INFO *fs = volume_open_fs(set, object->volume, NULL);
  TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, object->meta_addr);
  assert_non_null(file);
  const TSK_FS_ATTR *attr =
      object->attr_type == 0
          ? tsk_fs_file_attr_get(file)
          : tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)object->attr_type,
                                      (uint16_t)object->attr_id, 1);
  uint64_t n = content_size(content->content);
  assert_int_equal(n, attr != NULL ? attr->size : 0);
  g_autofree char *buffer = g_malloc0(n + 1);
  for (uint64_t at = 0; at < n; at += 10000) { /* not in steps of blocks */
    size_t want = (size_t)MIN(10000, n - at);
    assert_int_equal(
        tsk_fs_attr_read(attr, (TSK_OFF_T)at, buffer + at, want, TSK_FS_FILE_READ_FLAG_NONE), want);
  }
  if (memcmp(buffer, content_data(content->content), n) != 0)
    fail_msg("%s differs", object->meta);
  tsk_fs_file_close(file);
}

/* Reads all objects; how many were compared. */
static guint check(const char *path, bool is_compared, uint64_t *chunks) {
  g_autoptr(Image) image = fixture_open_good(path);
  g_autoptr(GArray) objects = g_array_new(FALSE, FALSE, sizeof(Object));
  const WalkSink sink = walk_sink_of(objects);
  g_autoptr(VolumeSet) set = volume_set_new(image, NULL, VOLUMES_ALL, &sink);
  walk_list(set, objects);
  uint64_t before = image_chunks_read(image);
  guint n = 0;
  for (guint i = 0; i < objects->len; i++) {
    const Object *object = &g_array_index(objects, Object, i);
    WalkContent content;
    walk_read(set, object, NULL, &content);
    if (is_compared && content.error == NULL && content.overwritten == 0) {
      equals_libtsk(set, object, &content);
      n++;
    }
    walk_content_clear(&content);
  }
  *chunks = image_chunks_read(image) - before;
  return n;
}

static void content_is_what_libtsk_reads(void **state) {
  static const char TREE[] =
      "mkdir -p tree/a/b && head -c 3000000 /dev/urandom >tree/a/noise && echo s >tree/a/b/small "
      "&& "
      "for i in $(seq 60); do head -c $((i * 911)) /dev/urandom >tree/a/b/f$i; done && "
      "truncate -s 3000000 tree/hole && echo tail >>tree/hole && "
      "printf x | dd of=tree/holes bs=1 seek=1500000 && printf y | dd of=tree/holes bs=1 seek=9000";
  static const struct {
    const char *name, *command;
    guint least;
  } images[] = {
      {"ext4.dd", "truncate -s 12M ext4.dd && mke2fs -q -t ext4 -F -d tree ext4.dd", 64},
      /* fragmented: what is written last lies where every other file was */
      {"ext2.dd",
       "truncate -s 6M ext2.dd && mke2fs -q -t ext2 -b 1024 -F -d tree ext2.dd && "
       "for i in $(seq 2 2 60); do echo rm /a/b/f$i; done | debugfs -w ext2.dd && "
       "head -c 900000 /dev/urandom >late && echo write late late | debugfs -w ext2.dd",
       35},
      {"fat.dd",
       "truncate -s 6M fat.dd && mkfs.vfat -F 12 fat.dd && mcopy -s -i fat.dd tree/a ::", 62},
      {"ntfs.dd",
       "truncate -s 12M ntfs.dd && mkntfs -q -F -f -c 512 -p 0 ntfs.dd && "
       "for f in a/noise a/b/f60 a/b/f7 holes; do ntfscp -f ntfs.dd tree/$f $(basename $f) || "
       "exit 1; done",
       4},
  };
  assert_true(fixture_run(*state, TREE));
  for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
    if (!fixture_run(*state, images[i].command)) {
      print_message("SKIPPED %s: its tools are missing\n", images[i].name);
      continue;
    }
    uint64_t chunks;
    g_autofree char *path = g_build_filename(*state, images[i].name, NULL);
    guint n = check(path, true, &chunks);
    if (n < images[i].least)
      fail_msg("%s: %u objects compared", images[i].name, n);
  }
}

static void chunks_are_taken_out_once(void **state) {
  if (!fixture_run(*state,
                   "mkdir big && for i in $(seq 400); do head -c $((i * 97)) /dev/urandom >big/$i; "
                   "done && truncate -s 24M b.dd && mke2fs -q -t ext4 -F -d big b.dd && "
                   "ewfacquire -u -q -t b -f encase6 -c deflate:fast -S 1GiB $PWD/b.dd")) {
    print_message("SKIPPED: mke2fs or ewfacquire is missing\n");
    skip();
  }
  uint64_t chunks;
  g_autofree char *path = g_build_filename(*state, "b.E01", NULL);
  check(path, false, &chunks);
  /* What was unpacked for the list of objects need not be again. */
  assert_true(chunks > 0 && chunks <= 24 * 1024 / 32);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(content_is_what_libtsk_reads, fixture_setup,
                                      fixture_teardown),
      cmocka_unit_test_setup_teardown(chunks_are_taken_out_once, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
