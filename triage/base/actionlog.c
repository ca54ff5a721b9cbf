/* SPDX-License-Identifier: Apache-2.0 */
/* actionlog.c - a line is
 *   {"previous":"64 hex","number":N,"time":"...","event":"...",...,"digest":"64 hex"}
 * previous is the digest of the line before (64 zeros: none), digest the SHA-256 of all that stands
 * before it in the line. The two places are fixed, so that checking needs no JSON. */
#include "base/actionlog.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "triage/error.h"
#include "triage/time.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "{\"previous\":\""
#define NUMBER "\",\"number\":"
#define TAIL ",\"digest\":\""
enum { HEX = 64, HEAD_BYTES = sizeof HEAD - 1, TAIL_BYTES = sizeof TAIL - 1 + HEX + 2 };

static bool fail(GError **error, const char *path, const char *why) {
  g_autofree char *shown = text_printable(path, strlen(path));
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: %s", shown, why);
}

static void append_text(GString *line, const char *text) {
  gsize n = strlen(text);
  bool is_short = n <= LIMIT_LOG_VALUE_BYTES;
  g_autofree char *made = is_short && text_is_printable(text)
                              ? NULL
                              : text_printable(text, MIN(n, LIMIT_LOG_VALUE_BYTES));
  g_string_append_c(line, '"');
  for (const char *p = made != NULL ? made : text; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(line, '\\');
    if (*p == '<')
      g_string_append(line, "\\u003c");
    else
      g_string_append_c(line, *p);
  }
  g_string_append(line, is_short ? "\"" : " (cut)\"");
}

static char *make_line(const char *previous, uint64_t number, const char *event,
                       const char *const *fields) {
  char when[64];
  gint64 now = g_get_real_time();
  TriageTime time = {.seconds = now / G_USEC_PER_SEC,
                     .nanoseconds = (uint32_t)(now % G_USEC_PER_SEC) * 1000,
                     .digits = 6,
                     .is_set = true};
  triage_time_format(&time, when, sizeof when);
  GString *line = g_string_new(NULL);
  g_string_append_printf(line, HEAD "%s" NUMBER "%llu,\"time\":\"%s\",\"event\":", previous,
                         (unsigned long long)number, when);
  append_text(line, event);
  for (guint i = 0; fields != NULL && fields[i] != NULL && fields[i + 1] != NULL; i += 2) {
    g_string_append_c(line, ',');
    append_text(line, fields[i]);
    g_string_append_c(line, ':');
    append_text(line, fields[i + 1]);
  }
  Digests digests;
  digest_bytes(DIGEST_SHA256, line->str, line->len, &digests);
  g_string_append_printf(line, TAIL "%s\"}\n", digests.sha256);
  return g_string_free(line, FALSE);
}

/* The line's own number; its digests where they ought to stand. False: it is none of ours. */
static bool read_line(const char *line, gsize n, uint64_t *number, const char **previous,
                      const char **digest) {
  if (n < HEAD_BYTES + HEX + TAIL_BYTES || memcmp(line, HEAD, HEAD_BYTES) != 0 ||
      memcmp(line + HEAD_BYTES + HEX, NUMBER, sizeof NUMBER - 1) != 0 ||
      memcmp(line + n - TAIL_BYTES, TAIL, sizeof TAIL - 1) != 0 ||
      memcmp(line + n - 2, "\"}", 2) != 0)
    return false;
  *previous = line + HEAD_BYTES;
  *digest = line + n - HEX - 2;
  *number = g_ascii_strtoull(line + HEAD_BYTES + HEX + sizeof NUMBER - 1, NULL, 10);
  return true;
}

/* The last whole line of an open log, for the next one; torn: bytes behind it. */
static bool read_end(int fd, uint64_t size, char *previous, uint64_t *number, uint64_t *torn) {
  g_autofree char *end = g_malloc(LIMIT_LOG_LINE_BYTES + 1);
  uint64_t from = size > LIMIT_LOG_LINE_BYTES ? size - LIMIT_LOG_LINE_BYTES : 0;
  ssize_t n = io_pread(fd, end, (size_t)(size - from), from);
  if (n < 0)
    return false;
  const char *stop = memrchr(end, '\n', (size_t)n);
  *torn = (uint64_t)n - (stop != NULL ? (uint64_t)(stop + 1 - end) : 0);
  g_strlcpy(previous, NO_DIGEST, HEX + 1);
  *number = 0;
  if (stop == NULL)
    return from == 0;
  const char *before = memrchr(end, '\n', (size_t)(stop - end));
  const char *start = before != NULL ? before + 1 : end, *last, *digest;
  /* A line that is none of ours is left to the check; the chain goes on from zeros. */
  if (read_line(start, (gsize)(stop - start), number, &last, &digest))
    memcpy(previous, digest, HEX);
  return true;
}

static bool append(int fd, const char *path, uint64_t size, const char *line, GError **error) {
  errno = 0;
  if (pwrite(fd, line, strlen(line), (off_t)size) == (ssize_t)strlen(line))
    return true;
  int problem = errno != 0 ? errno : ENOSPC;
  (void)!ftruncate(fd, (off_t)size); /* half a line would look like a broken one */
  return fail(error, path, g_strerror(problem));
}

static bool append_event(int fd, const char *path, uint64_t *size, char *previous, uint64_t *number,
                         const char *event, const char *const *fields, GError **error) {
  g_autofree char *line = make_line(previous, ++*number, event, fields);
  if (!append(fd, path, *size, line, error))
    return false;
  gsize n = strlen(line);
  *size += n;
  memcpy(previous, line + n - 1 - HEX - 2, HEX);
  return true;
}

bool action_log_write(const char *path, const char *event, const char *const *fields,
                      GError **error) {
  auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status;
  char previous[HEX + 1];
  uint64_t number, torn;
  /* Where locks are not to be had (some network's file systems) the case's own lock must do. */
  if (fd >= 0)
    (void)flock(fd, LOCK_EX);
  if (fd < 0 || fstat(fd, &status) != 0 ||
      !read_end(fd, (uint64_t)status.st_size, previous, &number, &torn))
    return fail(error, path, g_strerror(errno));
  uint64_t size = (uint64_t)status.st_size - torn;
  g_autofree char *bytes = g_strdup_printf("%llu", (unsigned long long)torn);
  if (torn > 0 && ftruncate(fd, (off_t)size) != 0)
    return fail(error, path, g_strerror(errno));
  return (torn == 0 || append_event(fd, path, &size, previous, &number, "log-unfinished-line-cut",
                                    (const char *const[]){"bytes", bytes, NULL}, error)) &&
         append_event(fd, path, &size, previous, &number, event, fields, error);
}

/* What is wrong with the line that is to follow number and previous; NULL: nothing. */
static const char *find_fault(const char *line, gsize n, uint64_t number, const char *previous) {
  uint64_t own;
  const char *stated, *digest;
  if (!read_line(line, n, &own, &stated, &digest))
    return "is no line of this log";
  Digests digests;
  digest_bytes(DIGEST_SHA256, line, n - TAIL_BYTES, &digests);
  if (memcmp(digests.sha256, digest, HEX) != 0)
    return "has changed: its digest is another one";
  if (memcmp(stated, previous, HEX) != 0 || own != number)
    return "does not follow from the line before it";
  return NULL;
}

bool action_log_check(const char *path, uint64_t pinned, ActionLogState *state, GError **error) {
  *state = (ActionLogState){0};
  g_autoptr(GBytes) bytes = io_read_file(path, LIMIT_LOG_BYTES, error);
  if (bytes == NULL)
    return false;
  gsize n;
  const char *text = g_bytes_get_data(bytes, &n);
  if (text == NULL)
    text = "";
  Digests digests;
  digest_bytes(DIGEST_SHA256, text, (size_t)MIN(pinned, n), &digests);
  g_strlcpy(state->sha256, digests.sha256, sizeof state->sha256);
  char previous[HEX + 1] = NO_DIGEST;
  for (const char *p = text, *end; state->bytes < n; p = end + 1) {
    end = memchr(p, '\n', n - state->bytes);
    const char *fault = end == NULL ? "is not finished"
                                    : find_fault(p, (gsize)(end - p), state->lines + 1, previous);
    if (fault != NULL) {
      state->broken_line = state->lines + 1;
      state->why = g_strdup(fault);
      return true;
    }
    memcpy(previous, end - HEX - 2, HEX);
    state->lines++;
    state->bytes += (uint64_t)(end + 1 - p);
  }
  return true;
}

void action_log_state_clear(ActionLogState *state) {
  g_clear_pointer(&state->why, g_free);
}
