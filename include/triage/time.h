/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - a point in time as evidence records it, with the precision it is stored in. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Which record of the evidence a time was read from. Written to case.db: append only. */
typedef enum {
  TIME_UNSTATED,
  TIME_NTFS_STANDARD, /* $STANDARD_INFORMATION */
  TIME_NTFS_NAME,     /* $FILE_NAME */
  TIME_FAT,           /* local time */
  TIME_EXFAT,         /* local time; its offset from UTC is not read */
  TIME_FILE_SYSTEM,   /* any other file system's entry */
  TIME_DIRECTORY,     /* the file system of the machine triage runs on */
  TIME_ZIP_DOS,       /* local time */
  TIME_ZIP_UNIX,      /* extra field 0x5455 */
  TIME_ZIP_NTFS,      /* extra field 0x000a */
  TIME_ZIP_OLD_UNIX,  /* extra field 0x5855 */
  TIME_ARCHIVE_DOS,   /* local time: cabinets, RAR, LHA */
  TIME_ARCHIVE_UTC,   /* tar, cpio, 7z, ... */
  TIME_OLE,           /* directory entry of an OLE2 file */
  TIME_MAIL,          /* Date of a mail: its sender's word */
  TIME_OUTLOOK,       /* Outlook data file */
  TIME_REGISTRY,      /* last write of a registry key */
  TIME_EVENT_LOG,     /* an event log's record written */
  TIME_SOURCE_LAST = TIME_EVENT_LOG
} TriageTimeSource;

typedef struct {
  int64_t seconds;      /* since 1970-01-01T00:00:00Z; may be negative */
  uint32_t nanoseconds; /* 0..999999999 */
  uint8_t digits;       /* fraction digits the source stores: 0, 2 (10 ms), 7 (NTFS), 9 (ext4) */
  bool is_set : 1;      /* false: the source has no such time (never shown as 1970) */
  bool is_local : 1;    /* true: local time of unknown zone (FAT, DOS archives), shown as read */
  bool is_date : 1;     /* true: the source keeps the day alone (FAT, accessed) */
  uint8_t source;       /* TriageTimeSource */
} TriageTime;

/* Writes RFC 3339 ("2024-03-01T12:00:00.1234567Z"; without "Z" where local; the day alone where
 * nothing else is kept) into out, empty if not set. size >= 48. */
void triage_time_format(const TriageTime *time, char *out, unsigned long size);

/* A FILETIME: 100 ns since 1601, UTC. 0 is no time. */
TriageTime triage_time_of_filetime(uint64_t ticks, TriageTimeSource source);

/* The source in one word ("ntfs-standard-information"), "" where it is not stated. Static. */
const char *triage_time_source_name(unsigned source);
