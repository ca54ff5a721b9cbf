/* SPDX-License-Identifier: Apache-2.0 */
/* test_proto.c - a captured worker may send any bytes: nothing but well-formed messages of its own
 * direction comes through, and every field is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include "base/limits.h"
#include "engine/proto.h"
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static GVariant *through(const void *bytes, size_t n, MessageType *type, GError **error) {
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  assert_int_equal(write(ends[0], bytes, n), (ssize_t)n);
  close(ends[0]);
  g_autoptr(ProtoReader) reader = proto_reader_new(true);
  while (proto_reader_fill(reader, ends[1]) == 1)
    continue;
  close(ends[1]);
  return proto_reader_next(reader, type, error);
}

static Object sample_object(void) {
  Object object = {
      .seq = 7,
      .volume = 2,
      .meta_addr = 128,
      .attr_type = 128,
      .attr_id = 3,
      .meta = "128-128-3",
      .kind = OBJECT_FILE,
      .state = STATE_DELETED,
      .flags = OBJECT_NAMED_STREAM,
      .size = 4096,
      .first_byte = 1 << 20,
      .modified = {.seconds = -5, .nanoseconds = 7, .digits = 7, .is_set = true},
      .accessed =
          {.seconds = 8, .is_set = true, .is_local = true, .is_date = true, .source = TIME_FAT},
      .name_created =
          {.seconds = 9, .nanoseconds = 100, .digits = 7, .is_set = true, .source = TIME_NTFS_NAME},
      .dir = 9,
      .name = g_bytes_new_static("a\xff\n", 3),
      .attr_name = g_bytes_new_static("x/y", 3)};
  return object;
}

static GVariant *pack_object(const Object *object) {
  g_autoptr(ObjectPacker) packer = object_packer_new();
  object_packer_add(packer, object, "p", 1);
  return object_packer_end(packer);
}

static bool take_object(GVariant *message, Object *out, GError **error) {
  g_autoptr(ObjectBatch) batch = object_batch_new(message);
  return object_batch_next(batch, out, NULL, error);
}

static void test_object_comes_back(void **state) {
  (void)state;
  Object object = sample_object(), back;
  g_autoptr(GByteArray) frame = g_byte_array_new();
  proto_append(frame, MSG_OBJECTS, pack_object(&object));
  MessageType type;
  g_autoptr(GError) error = NULL;
  g_autoptr(GVariant) message = through(frame->data, frame->len, &type, &error);
  assert_non_null(message);
  assert_int_equal(type, MSG_OBJECTS);
  assert_true(take_object(message, &back, &error));
  assert_int_equal(back.seq, 7);
  assert_string_equal(back.meta, "128-128-3");
  assert_int_equal(back.modified.seconds, -5);
  assert_true(back.accessed.is_date && back.accessed.is_local);
  assert_int_equal(back.accessed.source, TIME_FAT);
  assert_int_equal(back.name_created.nanoseconds, 100);
  assert_int_equal(back.name_created.source, TIME_NTFS_NAME);
  assert_false(back.name_modified.is_set);
  assert_true(g_bytes_equal(back.name, object.name));
  assert_true(g_bytes_equal(back.attr_name, object.attr_name));
  proto_object_clear(&back);
  proto_object_clear(&object);
}

static void test_every_cut_and_every_flip_is_survived(void **state) {
  (void)state;
  Object object = sample_object();
  g_autoptr(GByteArray) frame = g_byte_array_new();
  proto_append(frame, MSG_OBJECTS, pack_object(&object));
  for (guint n = 0; n < frame->len; n++) {
    MessageType type;
    g_autoptr(GError) error = NULL;
    assert_null(through(frame->data, n, &type, &error));
  }
  for (guint bit = 0; bit < frame->len * 8; bit++) {
    g_autofree guint8 *copy = g_memdup2(frame->data, frame->len);
    copy[bit / 8] ^= (guint8)(1 << bit % 8);
    MessageType type;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) message = through(copy, frame->len, &type, &error);
    Object back;
    if (message != NULL && type == MSG_OBJECTS && take_object(message, &back, &error)) {
      assert_true(back.kind <= OBJECT_KIND_LAST && back.state <= STATE_LAST);
      proto_object_clear(&back);
    }
  }
  proto_object_clear(&object);
}

static void refuse_frame(uint32_t length, uint16_t kind) {
  guint8 head[6];
  memcpy(head, &length, 4);
  memcpy(head + 4, &kind, 2);
  MessageType type;
  g_autoptr(GError) error = NULL;
  assert_null(through(head, sizeof head, &type, &error));
  assert_non_null(error);
}

static void test_wrong_frames_are_refused(void **state) {
  (void)state;
  refuse_frame(0, MSG_OBJECTS);
  refuse_frame((uint32_t)LIMIT_FRAME_BYTES + 1, MSG_OBJECTS);
  refuse_frame(UINT32_MAX, MSG_OBJECTS);
  refuse_frame(10, 0);
  refuse_frame(10, MSG_LAST + 1);
  refuse_frame(10, MSG_SCAN); /* only the coordinator says that */
}

static void refuse_object(Object *object, const char *why) {
  g_autoptr(GVariant) message = g_variant_ref_sink(pack_object(object));
  Object back;
  g_autoptr(GError) error = NULL;
  if (take_object(message, &back, &error))
    fail_msg("accepted: %s", why);
  assert_int_equal(triage_error_reason(error), TRIAGE_REASON_WORKER_CRASH);
}

static void test_wrong_fields_are_refused(void **state) {
  (void)state;
  Object good = sample_object(), bad = good;
  bad.kind = (ObjectKind)(OBJECT_KIND_LAST + 1);
  refuse_object(&bad, "kind");
  bad = good;
  bad.state = (ObjectState)99;
  refuse_object(&bad, "state");
  bad = good;
  bad.size = UINT64_MAX;
  refuse_object(&bad, "size");
  bad = good;
  bad.modified.digits = 10;
  refuse_object(&bad, "digits");
  bad = good;
  bad.name = g_bytes_new_take(g_malloc0(LIMIT_NAME_BYTES + 1), LIMIT_NAME_BYTES + 1);
  refuse_object(&bad, "an endless name");
  g_bytes_unref(bad.name);
  bad = good;
  g_strlcpy(bad.meta, "1\033[31m", sizeof bad.meta);
  refuse_object(&bad, "terminal codes");
  proto_object_clear(&good);
}

static void test_cut_objects_are_refused(void **state) {
  (void)state;
  Object object = sample_object();
  g_autoptr(GVariant) whole = g_variant_ref_sink(pack_object(&object));
  static const gsize CUTS[][2] = {{0, 1}, {0, 71}, {0, 72}, {1, 1}, {1, 16}, {2, 1}};
  for (gsize i = 0; i < G_N_ELEMENTS(CUTS); i++) {
    GVariant *children[3];
    for (gsize c = 0; c < 3; c++) {
      g_autoptr(GVariant) child = g_variant_get_child_value(whole, c);
      gsize n;
      gconstpointer bytes = g_variant_get_fixed_array(child, &n, 1);
      children[c] = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes,
                                              n - (CUTS[i][0] == c ? CUTS[i][1] : 0), 1);
    }
    g_autoptr(GVariant) message = g_variant_ref_sink(g_variant_new_tuple(children, 3));
    Object back;
    g_autoptr(GError) error = NULL;
    if (take_object(message, &back, &error))
      fail_msg("cut %zu was taken", (size_t)i);
    assert_true(error != NULL || (CUTS[i][0] == 0 && CUTS[i][1] == 72)); /* none is no wrong one */
  }
  proto_object_clear(&object);
}

static void test_directories_cannot_loop(void **state) {
  (void)state;
  ObjectDir dir = {.no = 5, .parent = 5, .name = g_bytes_new_static("d", 1)}, back;
  g_autoptr(GVariant) message = g_variant_ref_sink(proto_pack_dir(&dir));
  g_autoptr(GError) error = NULL;
  assert_false(proto_take_dir(message, &back, &error));
  g_bytes_unref(dir.name);
}

static void test_gap_texts_must_be_printable(void **state) {
  (void)state;
  Gap gap = {.seq = 1, .reason = TRIAGE_REASON_CORRUPT, .detail = "a\033[2J"}, back;
  g_autoptr(GVariant) message = g_variant_ref_sink(proto_pack_gap(&gap, "m"));
  const char *member;
  g_autoptr(GError) error = NULL;
  assert_false(proto_take_gap(message, &back, &member, &error));
  gap.detail = "plain";
  gap.reason = (TriageReason)(TRIAGE_REASON_LAST + 1);
  g_autoptr(GVariant) second = g_variant_ref_sink(proto_pack_gap(&gap, "m"));
  g_clear_error(&error);
  assert_false(proto_take_gap(second, &back, &member, &error));
}

static GVariant *pack_clean(void) {
  static const CleanGap GAPS[] = {
      {100, 50, TRIAGE_REASON_CORRUPT, "a chunk is damaged", ""},
      {7, 0, TRIAGE_REASON_ENCRYPTED, "no password fits", "in.zip!/\xc3\xa9"},
      {0, 0, TRIAGE_REASON_DEPTH_LIMIT, "", ""},
  };
  g_autoptr(CleanPacker) packer = clean_packer_new();
  clean_packer_add(packer, &(CleanObject){4, 4096, 0}, NULL, 0);
  clean_packer_add(packer, &(CleanObject){5, 100, 2}, GAPS, 2);
  clean_packer_add(packer, &(CleanObject){6, 0, 0}, &GAPS[2], 1);
  assert_int_equal(clean_packer_n(packer), 3);
  return g_variant_ref_sink(clean_packer_end(packer));
}

static void test_clean_objects(void **state) {
  (void)state;
  g_autoptr(GVariant) packed = pack_clean();
  g_autoptr(GByteArray) frame = g_byte_array_new();
  proto_append(frame, MSG_CLEAN, packed);
  MessageType type;
  g_autoptr(GError) error = NULL;
  g_autoptr(GVariant) message = through(frame->data, frame->len, &type, &error);
  assert_non_null(message);
  g_autoptr(CleanBatch) batch = clean_batch_new(message);
  assert_int_equal(clean_batch_n(batch), 3);
  CleanObject clean;
  const CleanGap *gaps;
  guint n;
  assert_true(clean_batch_next(batch, &clean, &gaps, &n, &error));
  assert_true(clean.seq == 4 && clean.examined == 4096 && clean.members == 0 && n == 0);
  assert_true(clean_batch_next(batch, &clean, &gaps, &n, &error));
  assert_true(clean.seq == 5 && clean.examined == 100 && clean.members == 2 && n == 2);
  assert_true(gaps[0].size == 100 && gaps[0].examined == 50 &&
              gaps[0].reason == TRIAGE_REASON_CORRUPT);
  assert_string_equal(gaps[0].detail, "a chunk is damaged");
  assert_string_equal(gaps[0].member, "");
  assert_string_equal(gaps[1].member, "in.zip!/\xc3\xa9");
  assert_true(clean_batch_next(batch, &clean, &gaps, &n, &error));
  assert_true(clean.seq == 6 && n == 1);
  assert_false(clean_batch_next(batch, &clean, &gaps, &n, &error));
  assert_null(error);
}

/* One number or byte of the message is another: the object it stands for, and all behind it, are
 * not taken. */
typedef struct {
  gsize array, at; /* of which child, which byte */
  guint8 value;
} Change;

static void test_wrong_clean_objects(void **state) {
  (void)state;
  static const Change CHANGES[] = {
      {0, 15, 0xff},      /* bytes examined: more than there can be */
      {0, 23, 0xff},      /* members */
      {0, 32 + 24, 3},    /* gaps: one of the next object's, whose own then lack */
      {0, 32 + 24, 1},    /* and one too few */
      {0, 64 + 24, 0},    /* the last object's: one is left over */
      {1, 7, 0xff},       /* size */
      {1, 15, 0xff},      /* bytes examined */
      {1, 16, 0},         /* length of a detail: no room for its NUL */
      {1, 16, 18},        /* without its NUL */
      {1, 16, 20},        /* with a byte of the next text */
      {1, 19, 0x7f},      /* beyond the texts */
      {1, 24, 0xff},      /* reason */
      {2, 0, 0x1b},       /* a detail that is not printable */
      {2, 1, 0},          /* that ends early */
      {2, 20 + 17 + 9, 1} /* a member that is not UTF-8 */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(CHANGES); i++) {
    g_autoptr(GVariant) packed = pack_clean();
    GVariant *children[3];
    for (gsize c = 0; c < 3; c++) {
      g_autoptr(GVariant) child = g_variant_get_child_value(packed, c);
      g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(child);
      gsize size;
      guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), size = g_bytes_get_size(bytes));
      assert_true(CHANGES[i].array != c || CHANGES[i].at < size);
      if (CHANGES[i].array == c)
        copy[CHANGES[i].at] = CHANGES[i].value;
      g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);
      children[c] = g_variant_new_from_bytes(g_variant_get_type(child), changed, FALSE);
    }
    g_autoptr(GVariant) message = g_variant_ref_sink(g_variant_new_tuple(children, 3));
    g_autoptr(CleanBatch) batch = clean_batch_new(message);
    g_autoptr(GError) error = NULL;
    CleanObject clean;
    const CleanGap *gaps;
    guint n;
    while (clean_batch_next(batch, &clean, &gaps, &n, &error))
      continue;
    if (error == NULL)
      fail_msg("change %zu was taken", (size_t)i);
    assert_false(clean_batch_next(batch, &clean, &gaps, &n, NULL));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_object_comes_back),
      cmocka_unit_test(test_every_cut_and_every_flip_is_survived),
      cmocka_unit_test(test_wrong_frames_are_refused),
      cmocka_unit_test(test_wrong_fields_are_refused),
      cmocka_unit_test(test_cut_objects_are_refused),
      cmocka_unit_test(test_directories_cannot_loop),
      cmocka_unit_test(test_gap_texts_must_be_printable),
      cmocka_unit_test(test_clean_objects),
      cmocka_unit_test(test_wrong_clean_objects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
