/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zip.h - the times of a zip's member: DOS local time always, and what extra fields give in
 * UTC. libarchive does not say which it took, and leaves the NTFS field out. */
#pragma once
#include "unpack/unpack.h"

typedef struct {
  TriageTime dos;                         /* local */
  TriageTime created, modified, accessed; /* of extra fields; not set where there is none */
} ZipTimes;

void zip_times_of_dos(uint16_t date, uint16_t time, ZipTimes *times);
/* Takes what n bytes of extra fields give; what they do not stays. A field of 100 ns goes before
 * one of seconds. */
void zip_times_of_extra(const uint8_t *extra, uint64_t n, ZipTimes *times);
void zip_times_give(const ZipTimes *times, Member *member);
