/* SPDX-License-Identifier: Apache-2.0 */
/* io.h - file descriptors: whole reads and writes, closing on scope exit. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

void io_auto_close(int *fd);
#define auto_fd __attribute__((cleanup(io_auto_close))) int

/* Opens path read-only, O_CLOEXEC | O_NOATIME where permitted. Returns the descriptor or -1 with
 * error (reason unreadable). */
int io_open_read(const char *path, GError **error);

/* Reads n bytes at offset; short only at the end of the file. Returns bytes read or -1 (errno). */
ssize_t io_pread(int fd, void *buffer, size_t n, uint64_t offset);

/* Reads a whole file of at most max bytes (transfer full); error reason unreadable or size-limit.
 */
GBytes *io_read_file(const char *path, uint64_t max, GError **error);

/* Writes all n bytes; false with errno set. */
bool io_write_all(int fd, const void *bytes, size_t n);
