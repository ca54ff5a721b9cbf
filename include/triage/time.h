/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - a point in time as evidence records it, with the precision it is stored in. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t seconds;      /* since 1970-01-01T00:00:00Z; may be negative */
  uint32_t nanoseconds; /* 0..999999999 */
  uint8_t digits;       /* fraction digits the source stores: 0, 2 (10 ms), 7 (NTFS), 9 (ext4) */
  bool is_set;          /* false: the source has no such time (never shown as 1970) */
  bool is_local;        /* true: local time of unknown zone (FAT, DOS archives), shown as read */
} TriageTime;

/* Writes RFC 3339 ("2024-03-01T12:00:00.1234567Z") into out, empty if not set. size >= 48. */
void triage_time_format(const TriageTime *time, char *out, unsigned long size);
