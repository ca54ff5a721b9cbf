/* SPDX-License-Identifier: Apache-2.0 */
/* assess_test.h - a hit as the engine would hand it over, made from a script's text. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include "assess/assess.h"
#include <cmocka.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* The shipped profiles and one site file's text; NULL: no site. */
static inline ProfileSet *test_profiles(const char *site) {
  const char *source = g_getenv("TRIAGE_SOURCE");
  g_autofree char *dir = g_build_filename(source != NULL ? source : ".", "rules/benign", NULL);
  g_autofree char *file = NULL;
  GError *error = NULL;
  const char *files[2] = {NULL, NULL};
  if (site != NULL) {
    int fd = g_file_open_tmp("site-XXXXXX.yaml", &file, NULL);
    assert_true(fd >= 0);
    assert_true(g_file_set_contents(file, site, -1, NULL));
    g_close(fd, NULL);
    files[0] = file;
  }
  ProfileSet *set = profile_set_load(dir, files, &error);
  if (set == NULL)
    fail_msg("%s", error->message);
  if (file != NULL)
    g_remove(file);
  return set;
}

typedef struct {
  const char *path, *member, *view, *state, *sha256;
  bool is_named_stream, is_timestomped;
  int64_t last;
  const GPtrArray *facts;
} TestPlace;

static inline void test_assess(const ProfileSet *set, const TestPlace *place, const char *text,
                               Verdict *out) {
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  HitView hit = {.evidence = "disk",
                 .volume = 1,
                 .path = place->path,
                 .member = place->member != NULL ? place->member : "",
                 .view = place->view != NULL ? place->view : "raw",
                 .state = place->state != NULL ? place->state : "allocated",
                 .sha256 = place->sha256 != NULL ? place->sha256 : "",
                 .rule = "network_smtp_vb",
                 .is_named_stream = place->is_named_stream,
                 .is_timestomped = place->is_timestomped,
                 .last = place->last,
                 .indicators = indicators,
                 .facts = place->facts,
                 .excerpt = ""};
  assess_hit(set, &hit, out);
  assert_non_null(out->reason);
  assert_true(*out->reason != '\0');
}

/* The value of the nth indicator of a name; NULL where there are fewer. */
static inline const char *test_value(const GPtrArray *indicators, const char *name, guint n) {
  for (guint i = 0; i < indicators->len; i++) {
    const Indicator *indicator = indicators->pdata[i];
    if (strcmp(indicator->name, name) == 0 && n-- == 0)
      return indicator->value;
  }
  return NULL;
}
