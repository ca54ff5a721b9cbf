/* SPDX-License-Identifier: Apache-2.0 */
/* proto_ring.c - stretches of the media shared between processes: one page that says which, and the
 * windows behind it. */
#include "engine/proto_ring.h"
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096 };
G_STATIC_ASSERT(RING_WINDOWS_MAX * sizeof(uint64_t) <= HEAD_BYTES);

int ring_create(uint32_t n_windows) {
  g_assert(n_windows > 0 && n_windows <= RING_WINDOWS_MAX);
  int fd = memfd_create("triage-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  /* A reader would lose its life where the file became shorter. */
  if (fd >= 0 && ftruncate(fd, HEAD_BYTES + (off_t)(n_windows * RING_STRIPE_BYTES)) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  int problem = errno;
  if (fd >= 0)
    close(fd);
  errno = problem;
  return -1;
}

bool ring_map(Ring *ring, int fd, RingAccess access) {
  struct stat status;
  if (fstat(fd, &status) != 0 || status.st_size <= HEAD_BYTES)
    return false;
  uint64_t n_windows = ((uint64_t)status.st_size - HEAD_BYTES) / RING_STRIPE_BYTES;
  if (n_windows == 0 || n_windows > RING_WINDOWS_MAX)
    return false;
  size_t n = HEAD_BYTES + (access == RING_STATE ? 0 : (size_t)(n_windows * RING_STRIPE_BYTES));
  void *start = mmap(NULL, n, PROT_READ | (access == RING_READ ? 0 : PROT_WRITE),
                     MAP_SHARED | MAP_POPULATE, fd, 0);
  if (start == MAP_FAILED)
    return false;
  ring->holds = start;
  ring->bytes = access == RING_STATE ? NULL : (uint8_t *)start + HEAD_BYTES;
  ring->n_windows = (uint32_t)n_windows;
  return true;
}

void ring_unmap(Ring *ring) {
  if (ring->holds != NULL)
    munmap(ring->holds,
           HEAD_BYTES + (ring->bytes != NULL ? (size_t)(ring->n_windows * RING_STRIPE_BYTES) : 0));
  ring->holds = NULL;
  ring->bytes = NULL;
}

static uint64_t *holds_of(const Ring *ring, uint64_t stripe) {
  return &ring->holds[stripe % ring->n_windows];
}

void ring_put(Ring *ring, uint64_t stripe) {
  __atomic_store_n(holds_of(ring, stripe), stripe + 1, __ATOMIC_SEQ_CST);
}

void ring_clear(Ring *ring, uint64_t stripe) {
  __atomic_store_n(holds_of(ring, stripe), 0, __ATOMIC_SEQ_CST);
}

uint8_t *ring_place(const Ring *ring, uint64_t stripe) {
  return ring->bytes + stripe % ring->n_windows * RING_STRIPE_BYTES;
}

bool ring_copy(const Ring *ring, uint64_t offset, uint8_t *buffer, size_t n) {
  while (n > 0) {
    uint64_t stripe = offset / RING_STRIPE_BYTES, inside = offset % RING_STRIPE_BYTES;
    size_t part = (size_t)MIN((uint64_t)n, RING_STRIPE_BYTES - inside);
    const uint64_t *holds = holds_of(ring, stripe);
    if (__atomic_load_n(holds, __ATOMIC_ACQUIRE) != stripe + 1)
      return false;
    memcpy(buffer, ring_place(ring, stripe) + inside, part);
    /* It is cleared before it is written again: who saw one new byte sees that, too. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(holds, __ATOMIC_RELAXED) != stripe + 1)
      return false;
    offset += part, buffer += part, n -= part;
  }
  return true;
}
