/* SPDX-License-Identifier: Apache-2.0 */
/* proto_ring.h - memory in which stretches of the media stand that were taken out of their
 * container (an E01's chunks are slow to inflate) once for all: for the digests and for the
 * objects. One process writes a stretch ("stripe"), the others read it; the coordinator says which
 * stripe each place ("window") holds and never looks at the bytes. Readers hold no lock: they copy,
 * and then ask whether the window still holds what it did. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_STRIPE_BYTES (UINT64_C(4) << 20)
enum { RING_WINDOWS_MAX = 500 };

typedef struct {
  uint64_t *holds; /* of each window: the number of its stripe, from 1; 0: none or half of one */
  uint8_t *bytes;  /* NULL for the coordinator */
  uint32_t n_windows;
} Ring;

/* A file without a name for so many windows, whose size cannot be changed any more; its pages take
 * memory once they are written. -1 with errno. */
int ring_create(uint32_t n_windows);
typedef enum { RING_STATE, RING_READ, RING_WRITE } RingAccess; /* STATE: which stripes, no bytes */
/* Maps what ring_create has made; false where that fails or fd is something else. The mapping stays
 * when fd is closed. */
bool ring_map(Ring *ring, int fd, RingAccess access);
void ring_unmap(Ring *ring);

/* The coordinator: window of stripe holds it from now on, or nothing (before it is written). */
void ring_put(Ring *ring, uint64_t stripe);
void ring_clear(Ring *ring, uint64_t stripe);
/* Where the bytes of a stripe belong; who writes or has been told that nobody does may use it. */
uint8_t *ring_place(const Ring *ring, uint64_t stripe);
/* Copies n media bytes from offset; false where one of them is not there or went meanwhile: then
 * buffer holds anything. */
bool ring_copy(const Ring *ring, uint64_t offset, uint8_t *buffer, size_t n);
