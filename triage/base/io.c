/* SPDX-License-Identifier: Apache-2.0 */
/* io.c - whole reads and writes on descriptors. */
#include "base/io.h"
#include "base/text.h"
#include "triage/error.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void io_auto_close(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

int io_open_read(const char *path, GError **error) {
  /* O_NOATIME leaves the access time of the evidence alone; only its owner and root may ask for it.
   * O_NONBLOCK: opening a fifo must not wait for ever. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  if (fd < 0 && errno == EPERM)
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    g_autofree char *shown = text_printable(path, strlen(path));
    triage_fail(error, TRIAGE_REASON_UNREADABLE, "%s: cannot be opened for reading: %s", shown,
                g_strerror(errno));
  }
  return fd;
}

ssize_t io_pread(int fd, void *buffer, size_t n, uint64_t offset) {
  size_t done = 0;
  while (done < n) {
    ssize_t got = pread(fd, (char *)buffer + done, n - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

GBytes *io_read_file(const char *path, uint64_t max, GError **error) {
  auto_fd fd = io_open_read(path, error);
  if (fd < 0)
    return NULL;
  g_autofree char *shown = text_printable(path, strlen(path));
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    triage_fail(error, TRIAGE_REASON_UNREADABLE, "%s: is not a regular file", shown);
    return NULL;
  }
  if ((uint64_t)status.st_size > max) {
    triage_fail(error, TRIAGE_REASON_SIZE_LIMIT, "%s: %lld bytes are more than the %llu allowed",
                shown, (long long)status.st_size, (unsigned long long)max);
    return NULL;
  }
  g_autofree char *buffer = g_malloc((size_t)status.st_size + 1);
  ssize_t got = io_pread(fd, buffer, (size_t)status.st_size, 0);
  if (got < 0) {
    triage_fail(error, TRIAGE_REASON_UNREADABLE, "%s: cannot be read: %s", shown,
                g_strerror(errno));
    return NULL;
  }
  return g_bytes_new_take(g_steal_pointer(&buffer), (gsize)got);
}

bool io_write_all(int fd, const void *bytes, size_t n) {
  const char *p = bytes;
  while (n > 0) {
    ssize_t written = write(fd, p, n);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    p += written;
    n -= (size_t)written;
  }
  return true;
}
