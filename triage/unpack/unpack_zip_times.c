/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zip_times.c - see unpack_zip.h. Fields as APPNOTE.TXT 4.5 and Info-ZIP's list describe
 * them. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_zip.h"

enum {
  FIELD_NTFS = 0x000A,
  FIELD_UNIX = 0x5455,
  FIELD_OLD_UNIX = 0x5855,
  NTFS_TIMES = 1, /* the tag inside the NTFS field */
};

static TriageTime of_unix(const uint8_t *p, TriageTimeSource source) {
  return (TriageTime){.seconds = (int32_t)bytes_le32(p), .is_set = true, .source = (uint8_t)source};
}

void zip_times_of_dos(uint16_t date, uint16_t time, ZipTimes *times) {
  unsigned month = date >> 5 & 15, day = date & 31;
  unsigned hour = time >> 11, minute = time >> 5 & 63, second = (time & 31) * 2u;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
    return;
  g_autoptr(GDateTime) when = g_date_time_new_utc(1980 + (date >> 9), (gint)month, (gint)day,
                                                  (gint)hour, (gint)minute, second);
  if (when == NULL)
    return; /* the 31st of February */
  times->dos = (TriageTime){.seconds = g_date_time_to_unix(when),
                            .is_set = true,
                            .is_local = true,
                            .source = TIME_ZIP_DOS};
}

static void take(TriageTime *into, TriageTime time) {
  if (time.is_set && (time.digits > 0 || into->digits == 0))
    *into = time;
}

static void take_ntfs(const uint8_t *p, uint64_t n, ZipTimes *times) {
  for (uint64_t at = 4; at + 4 <= n;) {
    uint64_t tag = bytes_le16(p + at), length = bytes_le16(p + at + 2);
    at += 4;
    if (length > n - at)
      return;
    if (tag == NTFS_TIMES && length >= 24) {
      take(&times->modified, triage_time_of_filetime(bytes_le64(p + at), TIME_ZIP_NTFS));
      take(&times->accessed, triage_time_of_filetime(bytes_le64(p + at + 8), TIME_ZIP_NTFS));
      take(&times->created, triage_time_of_filetime(bytes_le64(p + at + 16), TIME_ZIP_NTFS));
    }
    at += length;
  }
}

/* Modified, accessed, created, as the flags say; the central directory keeps the first alone,
 * whatever its flags. */
static void take_unix(const uint8_t *p, uint64_t n, ZipTimes *times) {
  TriageTime *const into[] = {&times->modified, &times->accessed, &times->created};
  uint64_t at = 1;
  for (unsigned i = 0; n > 0 && i < G_N_ELEMENTS(into) && at + 4 <= n; i++) {
    if ((p[0] >> i & 1) == 0)
      continue;
    take(into[i], of_unix(p + at, TIME_ZIP_UNIX));
    at += 4;
  }
}

void zip_times_of_extra(const uint8_t *extra, uint64_t n, ZipTimes *times) {
  while (n >= 4) {
    uint64_t id = bytes_le16(extra), length = bytes_le16(extra + 2);
    extra += 4;
    n -= 4;
    if (length > n)
      return;
    if (id == FIELD_NTFS) {
      take_ntfs(extra, length, times);
    } else if (id == FIELD_UNIX) {
      take_unix(extra, length, times);
    } else if (id == FIELD_OLD_UNIX && length >= 8) {
      take(&times->accessed, of_unix(extra, TIME_ZIP_OLD_UNIX));
      take(&times->modified, of_unix(extra + 4, TIME_ZIP_OLD_UNIX));
    }
    extra += length;
    n -= length;
  }
}

void zip_times_give(const ZipTimes *times, Member *member) {
  member->created = times->created;
  member->modified = times->modified.is_set ? times->modified : times->dos;
  member->accessed = times->accessed;
}
