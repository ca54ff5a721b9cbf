/* SPDX-License-Identifier: Apache-2.0 */
/* worker_fds.h - what both ends know of a worker from its start: descriptor numbers, SETUP
 * flags and the page they share. */
#pragma once
#include <stdint.h>

#define WORKER_PACK_PASSWORD "infected" /* of the archives of triage extract */

enum {
  WORKER_FD = 3,
  WORKER_SPOOL_FD,
  WORKER_CELL_FD,
  WORKER_RING_FD,
  WORKER_KNOWN_FD,
  WORKER_KNOWN_MAX = 8
};
/* The page that a worker and the coordinator share; only the worker writes while it has a job. */
typedef struct {
  uint64_t place; /* in its job, of the object that is being examined, from 1; read where the worker
                   * is lost */
  uint64_t stripe; /* the last one it asked the ring for, from 1: a hint */
} WorkerCell;

enum { WORKER_HASH_ALL = 1, WORKER_ENTRIES = 2, WORKER_HAS_SPOOL = 4, WORKER_NO_PREFILTER = 8 };
enum { WORKER_NO_LINKS = 64 }; /* a file of the evidence that is a symbolic link is missing */
enum { WORKER_HAS_RING = 128 };
enum { WORKER_CARE_SHIFT = 4, WORKER_CARE_MASK = 3 }; /* VolumeCare */
enum { WORKER_AREAS_SHIFT = 8 };  /* from this bit on: the AREAS_ bits of evidence/object.h */
enum { WORKER_KNOWN_SHIFT = 16 }; /* from this bit on: how many lists of known files */
