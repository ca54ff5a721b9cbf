/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_test.h - runs unpack_object over a file and keeps what it hands out, as text and bytes. */
#pragma once
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "unpack/unpack.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct {
  char *path, *view, *error;
  uint64_t size, got;
  uint32_t depth;
  TriageReason reason;
  TriageTime modified;
  GBytes *bytes; /* of members up to 1 MiB */
} Seen;

typedef struct {
  char *path, *detail;
  TriageReason reason;
  uint64_t size, examined;
} Gap;

typedef struct {
  GPtrArray *seen, *gaps;
  guint stop_after; /* members; 0: never */
  uint64_t alive;
} Found;

typedef struct {
  uint32_t max_depth;
  uint64_t max_expanded;
  const char *password; /* or several, one a line */
} Options;

static inline void seen_free(gpointer pointer) {
  Seen *seen = pointer;
  g_free(seen->path);
  g_free(seen->view);
  g_free(seen->error);
  g_clear_pointer(&seen->bytes, g_bytes_unref);
  g_free(seen);
}

static inline void gap_free(gpointer pointer) {
  Gap *gap = pointer;
  g_free(gap->path);
  g_free(gap->detail);
  g_free(gap);
}

static inline void found_free(Found *found) {
  g_ptr_array_unref(found->seen);
  g_ptr_array_unref(found->gaps);
  g_free(found);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Found, found_free)

static inline void append_path(const MemberPath *path, GString *out) {
  if (path->parent != NULL)
    append_path(path->parent, out);
  if (path->name == NULL)
    return;
  gsize n;
  const void *bytes = g_bytes_get_data(path->name, &n);
  if (out->len > 0)
    g_string_append(out, "!/");
  text_append_printable(out, bytes, n);
}

static inline char *path_text(const MemberPath *path) {
  GString *out = g_string_new("");
  append_path(path, out);
  return g_string_free(out, FALSE);
}

static inline bool on_member(void *user, const Member *member) {
  Found *found = user;
  Seen *seen = g_new0(Seen, 1);
  seen->path = path_text(member->path);
  seen->view = g_strdup(member->path->view);
  seen->depth = member->path->depth;
  seen->size = member->size;
  seen->got = content_size(member->content);
  seen->modified = member->modified;
  if (member->error != NULL) {
    seen->error = g_strdup(member->error->message);
    seen->reason = triage_error_reason(member->error);
  }
  if (seen->got <= MIB)
    seen->bytes = g_bytes_new(content_data(member->content), seen->got);
  g_ptr_array_add(found->seen, seen);
  return found->stop_after == 0 || found->seen->len < found->stop_after;
}

static inline bool on_gap(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
                          TriageReason reason, const char *detail) {
  Found *found = user;
  Gap *gap = g_new0(Gap, 1);
  gap->path = path_text(path);
  gap->detail = g_strdup(detail);
  gap->reason = reason;
  gap->size = size;
  gap->examined = examined;
  g_ptr_array_add(found->gaps, gap);
  return true;
}

static inline bool on_alive(void *user, uint64_t bytes) {
  ((Found *)user)->alive += bytes;
  return true;
}

static inline bool unpack_into(Found *found, const void *bytes, size_t n, const Options *options) {
  char name[] = "/tmp/triage-spool-XXXXXX";
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  unlink(name);
  g_autoptr(Spool) spool = spool_new(fd);
  g_autoptr(Content) content = content_new_copy(bytes, n);
  g_autoptr(GPtrArray) passwords = g_ptr_array_new();
  g_auto(GStrv) lines = g_strsplit(options->password != NULL ? options->password : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_ptr_array_add(passwords, *line);
  UnpackOptions unpack_options = {.max_depth = options->max_depth,
                                  .max_expanded = options->max_expanded,
                                  .passwords = passwords,
                                  .spool = spool};
  UnpackSink sink = {found, on_member, on_gap, on_alive};
  MemberPath path = {NULL, NULL, "raw", 0};
  Member top = {.path = &path, .content = content, .size = n};
  return unpack_object(&unpack_options, &sink, &top);
}

static const Options DEFAULTS = {LIMIT_DEPTH_DEFAULT, LIMIT_EXPANDED_DEFAULT, NULL};

static inline Found *found_new(void) {
  Found *found = g_new0(Found, 1);
  found->seen = g_ptr_array_new_with_free_func(seen_free);
  found->gaps = g_ptr_array_new_with_free_func(gap_free);
  return found;
}

static inline Found *unpack_bytes(const void *bytes, size_t n, const Options *options) {
  Found *found = found_new();
  assert_true(unpack_into(found, bytes, n, options != NULL ? options : &DEFAULTS));
  return found;
}

static inline GBytes *read_all(const char *path) {
  g_autoptr(GError) error = NULL;
  GBytes *bytes = io_read_file(path, 64 * MIB, &error);
  if (bytes == NULL)
    fail_msg("%s: %s", path, error->message);
  return bytes;
}

static inline Found *unpack_file(const char *path, const Options *options) {
  g_autoptr(GBytes) bytes = read_all(path);
  gsize n;
  const void *data = g_bytes_get_data(bytes, &n);
  return unpack_bytes(data, n, options);
}

/* The first of that path and view, or NULL. */
static inline const Seen *find_seen(const Found *found, const char *path, const char *view) {
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    if (strcmp(seen->path, path) == 0 && strcmp(seen->view, view) == 0)
      return seen;
  }
  return NULL;
}

static inline const Gap *find_gap(const Found *found, const char *path, TriageReason reason) {
  for (guint i = 0; i < found->gaps->len; i++) {
    const Gap *gap = found->gaps->pdata[i];
    if (strcmp(gap->path, path) == 0 && gap->reason == reason)
      return gap;
  }
  return NULL;
}

static inline bool seen_is(const Seen *seen, const void *bytes, size_t n) {
  gsize have;
  if (seen == NULL || seen->bytes == NULL)
    return false;
  const void *data = g_bytes_get_data(seen->bytes, &have);
  return have == n && memcmp(data, bytes, n) == 0;
}

static inline void print_found(const Found *found) {
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    print_message("  member %s [%s] %lu of %lu %s\n", seen->path, seen->view,
                  (unsigned long)seen->got, (unsigned long)seen->size,
                  seen->error != NULL ? seen->error : "");
  }
  for (guint i = 0; i < found->gaps->len; i++) {
    const Gap *gap = found->gaps->pdata[i];
    print_message("  gap %s: %s: %s\n", gap->path, triage_reason_name(gap->reason), gap->detail);
  }
}

/* A scratch directory for the whole program, and commands run in it. */
static char scratch[64];

static inline int scratch_setup(void **state) {
  (void)state;
  unpack_warm_up();
  g_strlcpy(scratch, "/tmp/triage-unpack-XXXXXX", sizeof scratch);
  return mkdtemp(scratch) == NULL ? -1 : 0;
}

static inline int scratch_teardown(void **state) {
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  (void)state;
  return system(command);
}

static inline char *scratch_path(const char *name) {
  return g_build_filename(scratch, name, NULL);
}

static inline void put_file(const char *name, const void *bytes, size_t n) {
  g_autofree char *path = scratch_path(name);
  assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

static inline void run(const char *command) {
  g_autofree char *line = g_strdup_printf("cd '%s' && { %s; } >log 2>&1", scratch, command);
  if (system(line) != 0)
    fail_msg("failed: %s (log in %s)", command, scratch);
}

/* A file of the evidence set, or NULL where TRIAGE_EVIDENCE is not set. */
static inline char *evidence_path(const char *name) {
  const char *root = getenv("TRIAGE_EVIDENCE");
  return root != NULL ? g_build_filename(root, name, NULL) : NULL;
}
