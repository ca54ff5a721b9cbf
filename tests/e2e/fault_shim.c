/* SPDX-License-Identifier: Apache-2.0 */
/* fault_shim.c - preloaded into triage and its workers: one fault at one place, so that a run can
 * be stopped where a seed says. FAULT_PATH: part of the names of the files it is about. FAULT_KIND:
 * count (writes the number of calls to FAULT_COUNT at the end), kill (SIGKILL at the call), full
 * (writes fail from the call on: ENOSPC), eio (reads of sectors fail, by FAULT_SEED and FAULT_PPM).
 * hang (a read that holds byte FAULT_AT never returns). FAULT_PROGRAM: the program it is for.
 * FAULT_AT: the number of the call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static const char *kind, *path;
static unsigned long at, seed, ppm, calls;
static char program[32];

static unsigned long number(const char *name) {
  const char *text = getenv(name);
  return text != NULL ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void) {
  const char *wanted = getenv("FAULT_PROGRAM");
  kind = getenv("FAULT_KIND");
  path = getenv("FAULT_PATH");
  at = number("FAULT_AT");
  seed = number("FAULT_SEED");
  ppm = number("FAULT_PPM");
  snprintf(program, sizeof program, "%s", program_invocation_short_name);
  if (path == NULL || (wanted != NULL && strcmp(wanted, program) != 0))
    kind = NULL;
}

__attribute__((destructor)) static void end(void) {
  const char *file = getenv("FAULT_COUNT");
  if (kind == NULL || file == NULL || strcmp(kind, "count") != 0)
    return;
  char text[32];
  int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int n = snprintf(text, sizeof text, "%lu\n", calls);
  if (fd >= 0 && write(fd, text, (size_t)n) == n)
    close(fd);
}

static bool is_about(int fd) {
  char link[64], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, target, sizeof target - 1);
  if (n < 0)
    return false;
  target[n] = '\0';
  return strstr(target, path) != NULL;
}

static bool write_fails(int fd) {
  if (kind == NULL || strcmp(kind, "eio") == 0 || strcmp(kind, "hang") == 0 || !is_about(fd))
    return false;
  calls++;
  if (strcmp(kind, "kill") == 0 && calls == at)
    kill(getpid(), SIGKILL);
  if (strcmp(kind, "full") != 0 || calls < at)
    return false;
  errno = ENOSPC;
  return true;
}

static bool read_fails(int fd, off_t offset, size_t n) {
  if (kind != NULL && strcmp(kind, "hang") == 0 && offset >= 0 && (unsigned long)offset <= at &&
      at - (unsigned long)offset < n && is_about(fd))
    for (;;)
      sleep(1000);
  if (kind == NULL || strcmp(kind, "eio") != 0 || offset < 0 || !is_about(fd))
    return false;
  for (unsigned long s = (unsigned long)offset >> 12;
       n > 0 && s <= ((unsigned long)offset + n - 1) >> 12; s++) {
    unsigned long h = (s + seed * 7919) * 0x9E3779B97F4A7C15UL;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9UL;
    h ^= h >> 32;
    if (h % 1000000 < ppm) {
      errno = EIO;
      return true;
    }
  }
  return false;
}

#define REAL(name, type) type real = (type)dlsym(RTLD_NEXT, name)
typedef ssize_t (*PreadCall)(int, void *, size_t, off_t);
typedef ssize_t (*PwriteCall)(int, const void *, size_t, off_t);
typedef ssize_t (*ReadCall)(int, void *, size_t);
typedef ssize_t (*WriteCall)(int, const void *, size_t);

ssize_t pread64(int fd, void *bytes, size_t n, off_t offset) {
  REAL("pread64", PreadCall);
  return read_fails(fd, offset, n) ? -1 : real(fd, bytes, n, offset);
}
ssize_t pread(int fd, void *bytes, size_t n, off_t offset) {
  return pread64(fd, bytes, n, offset);
}
ssize_t __pread64_chk(int fd, void *bytes, size_t n, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t n, off_t offset, size_t room) {
  (void)room;
  return pread64(fd, bytes, n, offset);
}
ssize_t read(int fd, void *bytes, size_t n) {
  REAL("read", ReadCall);
  return read_fails(fd, lseek(fd, 0, SEEK_CUR), n) ? -1 : real(fd, bytes, n);
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t offset) {
  REAL("pwrite64", PwriteCall);
  return write_fails(fd) ? -1 : real(fd, bytes, n, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset) {
  return pwrite64(fd, bytes, n, offset);
}
ssize_t write(int fd, const void *bytes, size_t n) {
  REAL("write", WriteCall);
  return write_fails(fd) ? -1 : real(fd, bytes, n);
}
