/* SPDX-License-Identifier: Apache-2.0 */
/* image_fixture.h - what the tests of image*.c share: a folder of their own, files, whole reads,
 * and the one demand on every damaged image: a byte that differs from the original is called
 * damaged. */
#pragma once
#include "evidence/image.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline int fixture_setup(void **state) {
  *state = g_dir_make_tmp("triage-image-XXXXXX", NULL);
  return *state != NULL ? 0 : -1;
}

static inline int fixture_teardown(void **state) {
  char rm[] = "rm", force[] = "-rf";
  char *argv[] = {rm, force, *state, NULL};
  g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free(*state);
  return 0;
}

/* Runs a line of shell in the folder, without its output; whether it went well. */
static inline bool fixture_run(const char *folder, const char *command) {
  char shell[] = "/bin/sh", dash_c[] = "-c";
  char *argv[] = {shell, dash_c, (char *)command, NULL};
  int status = -1;
  return g_spawn_sync(folder, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, NULL, NULL, &status, NULL) &&
         status == 0;
}

static inline char *fixture_write(const char *folder, const char *name, const void *bytes,
                                  size_t n) {
  char *path = g_build_filename(folder, name, NULL);
  assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  return path;
}

static inline GBytes *fixture_load(const char *path) {
  char *bytes = NULL;
  gsize n = 0;
  if (!g_file_get_contents(path, &bytes, &n, NULL))
    fail_msg("cannot read %s", path);
  return g_bytes_new_take(bytes, n);
}

/* Pseudo-random words, stretches of zeros, stretches of text: compressible and not. */
static inline uint8_t *fixture_media(size_t n, uint32_t seed) {
  uint8_t *media = g_malloc0(n);
  uint32_t x = seed;
  for (size_t i = 0; i < n; i++) {
    x = x * 1664525u + 1013904223u;
    size_t kind = i / 40000 % 4;
    if (kind == 0 || kind == 3)
      media[i] = (uint8_t)(x >> 24);
    else if (kind == 1)
      media[i] = (uint8_t) "Set objMessage = CreateObject(\"CDO.Message\")\r\n"[i % 46];
  }
  return media;
}

static inline Image *fixture_open(const char *path, GError **error) {
  g_autoptr(GPtrArray) segments = image_segments(path, error);
  return segments != NULL ? image_open(segments, error) : NULL;
}

static inline Image *fixture_open_good(const char *path) {
  g_autoptr(GError) error = NULL;
  Image *image = fixture_open(path, &error);
  if (image == NULL)
    fail_msg("%s: %s", path, error->message);
  return image;
}

static inline void fixture_refused(const char *path, TriageReason reason) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Image) image = fixture_open(path, &error);
  if (image != NULL)
    fail_msg("%s was opened", path);
  if (triage_error_reason(error) != reason)
    fail_msg("%s: %s instead of %s: %s", path, triage_reason_name(triage_error_reason(error)),
             triage_reason_name(reason), error->message);
}

static inline uint8_t *fixture_read(Image *image, size_t n, size_t step) {
  uint8_t *out = g_malloc(n + 1);
  memset(out, 0xAA, n + 1);
  for (size_t at = 0; at < n; at += step)
    image_read(image, at, out + at, MIN(step, n - at));
  assert_int_equal(out[n], 0xAA);
  return out;
}

static inline bool fixture_covers(const GArray *damage, uint64_t offset) {
  for (guint i = 0; i < damage->len; i++) {
    const Damage *one = &g_array_index(damage, Damage, i);
    if (one->offset <= offset && offset - one->offset < one->length)
      return true;
  }
  return false;
}

/* Bytes that differ from the media without being called damaged. */
static inline size_t fixture_silent(const GArray *damage, const uint8_t *out, const uint8_t *media,
                                    size_t n) {
  size_t silent = 0;
  for (size_t at = 0; at < n; at += 4096) {
    size_t part = MIN(n - at, 4096);
    if (memcmp(out + at, media + at, part) == 0)
      continue;
    for (size_t i = at; i < at + part; i++)
      if (out[i] != media[i] && !fixture_covers(damage, i))
        silent++;
  }
  return silent;
}

static inline uint64_t fixture_damaged(const GArray *damage, TriageReason reason) {
  uint64_t n = 0;
  for (guint i = 0; i < damage->len; i++)
    if (g_array_index(damage, Damage, i).reason == reason)
      n += g_array_index(damage, Damage, i).length;
  return n;
}

static inline void fixture_equal(const char *path, const char *format, const uint8_t *media,
                                 size_t n) {
  static const size_t steps[] = {1 << 20, 65536, 4096, 1000};
  for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
    g_autoptr(Image) image = fixture_open_good(path);
    assert_string_equal(image_info(image)->format, format);
    assert_int_equal(image_size(image), n);
    g_autofree uint8_t *out = fixture_read(image, n, steps[i]);
    assert_memory_equal(out, media, n);
    assert_int_equal(image_damage_all(image)->len, 0);
  }
}
