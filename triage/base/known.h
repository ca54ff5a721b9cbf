/* SPDX-License-Identifier: Apache-2.0 */
/* known.h - a list of digests as a file that can be searched where it lies: sorted, read by the
 * block, so that hundreds of millions cost no memory. Knows neither what a list is of nor how it
 * came to be. */
#pragma once
#include "base/digest.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { KNOWN_KINDS = 3, KNOWN_NAME_BYTES = 256 };

/* Kind k: SHA-256, SHA-1, MD5; and the bytes of each. */
extern const uint8_t KNOWN_BYTES[KNOWN_KINDS];

typedef struct {
  int fd; /* not owned */
  uint64_t count[KNOWN_KINDS], offset[KNOWN_KINDS];
  char source_sha256[65];      /* of the list it was made from */
  char name[KNOWN_NAME_BYTES]; /* of that list, printable */
} KnownIndex;

/* The first bytes of such a file, which everything else is told by. */
#define KNOWN_MAGIC "triage known 1\n"
enum { KNOWN_HEAD_BYTES = 512 };

/* Reads and checks the head of fd, a file of size bytes. False where it is none, or is cut. */
bool known_open(KnownIndex *index, int fd, uint64_t size);
/* The head as it stands in the file. */
void known_pack_head(const KnownIndex *index, uint8_t head[KNOWN_HEAD_BYTES]);
DigestSet known_kinds(const KnownIndex *index); /* that it holds any of */
/* The word of the digest that is in the list ("SHA-256"), NULL: none is. A list that cannot be read
 * knows nothing. (transfer none), static. */
const char *known_find(const KnownIndex *index, const Digests *digests);
