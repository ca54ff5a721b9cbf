/* SPDX-License-Identifier: Apache-2.0 */
/* test_ring.c - shared stripes of the media: given where they are whole and in their place, and by
 * no means changed by who reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include "base/io.h"
#include "engine/proto_ring.h"
#include <cmocka.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_copy(void **state) {
  (void)state;
  auto_fd fd = ring_create(2);
  Ring coordinator = {0}, writer = {0}, reader = {0};
  assert_true(fd >= 0 && ring_map(&coordinator, fd, RING_STATE) &&
              ring_map(&writer, fd, RING_WRITE) && ring_map(&reader, fd, RING_READ));
  assert_null(coordinator.bytes);
  assert_int_equal(reader.n_windows, 2);
  uint8_t got[8];
  assert_false(ring_copy(&reader, 0, got, sizeof got));
  memset(ring_place(&writer, 4), 'a', RING_STRIPE_BYTES);
  memset(ring_place(&writer, 5), 'b', RING_STRIPE_BYTES);
  assert_false(ring_copy(&reader, 4 * RING_STRIPE_BYTES, got, sizeof got)); /* nobody has said so */
  ring_put(&coordinator, 4);
  assert_true(ring_copy(&reader, 5 * RING_STRIPE_BYTES - 8, got, 8));
  assert_memory_equal(got, "aaaaaaaa", 8);
  assert_false(ring_copy(&reader, 5 * RING_STRIPE_BYTES - 4, got, 8)); /* half of it is not there */
  assert_false(ring_copy(&reader, 2 * RING_STRIPE_BYTES, got, 8));     /* the same window */
  ring_put(&coordinator, 5);
  assert_true(ring_copy(&reader, 5 * RING_STRIPE_BYTES - 4, got, 8));
  assert_memory_equal(got, "aaaabbbb", 8);
  ring_clear(&coordinator, 6); /* it is about to be written where stripe 4 stands */
  assert_false(ring_copy(&reader, 5 * RING_STRIPE_BYTES - 4, got, 8));
  assert_true(ring_copy(&reader, 5 * RING_STRIPE_BYTES, got, 8));
  ring_unmap(&coordinator);
  ring_unmap(&writer);
  ring_unmap(&reader);
}

static void test_reader_cannot_write(void **state) {
  (void)state;
  auto_fd fd = ring_create(1);
  g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", fd);
  auto_fd reading = open(name, O_RDONLY | O_CLOEXEC);
  Ring ring = {0};
  assert_true(reading >= 0 && ring_map(&ring, reading, RING_READ));
  assert_int_equal(mprotect(ring.holds, 4096, PROT_READ | PROT_WRITE), -1);
  ring_unmap(&ring);
  assert_false(ring_map(&ring, reading, RING_WRITE));
  assert_int_equal(write(reading, "x", 1), -1);
  assert_int_equal(ftruncate(fd, 0), -1);
}

static void test_no_ring(void **state) {
  (void)state;
  Ring ring = {0};
  auto_fd empty = memfd_create("empty", MFD_CLOEXEC);
  assert_false(ring_map(&ring, empty, RING_READ));
  assert_int_equal(ftruncate(empty, 4096 + 100), 0);
  assert_false(ring_map(&ring, empty, RING_READ));
  ring_unmap(&ring);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy),
                                     cmocka_unit_test(test_reader_cannot_write),
                                     cmocka_unit_test(test_no_ring)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
