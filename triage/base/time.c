/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - RFC 3339 out of seconds since 1970, for any year a file system can state. */
#include "triage/time.h"
#include <stdio.h>
#include <string.h>

/* Civil date of a day number since 1970-01-01 in the proleptic Gregorian calendar: counts eras of
 * 400 years (146097 days) from 0000-03-01, so that it needs no table and no time_t range. */
static void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  unsigned of_era = (unsigned)(days - era * 146097);
  unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted = (5 * of_year + 2) / 153;
  *day = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = (int64_t)year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

void triage_time_format(const TriageTime *time, char *out, unsigned long size) {
  if (size == 0)
    return;
  out[0] = '\0';
  if (!time->is_set)
    return;
  int64_t days = time->seconds / 86400, rest = time->seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    days--;
  }
  int64_t year;
  unsigned month, day;
  civil_from_days(days, &year, &month, &day);
  if (time->is_date) {
    snprintf(out, size, "%04lld-%02u-%02u", (long long)year, month, day);
    return;
  }
  char fraction[12] = "";
  if (time->digits > 0 && time->digits <= 9) {
    char nine[16];
    snprintf(nine, sizeof nine, "%09u", time->nanoseconds % 1000000000u);
    nine[time->digits] = '\0';
    snprintf(fraction, sizeof fraction, ".%.9s", nine);
  }
  /* A time of unknown zone has no offset: RFC 3339 cannot say it, ISO 8601 does by leaving it out.
   */
  snprintf(out, size, "%04lld-%02u-%02uT%02d:%02d:%02d%s%s", (long long)year, month, day,
           (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60), fraction,
           time->is_local ? "" : "Z");
}

TriageTime triage_time_of_filetime(uint64_t ticks, TriageTimeSource source) {
  if (ticks == 0)
    return (TriageTime){0};
  return (TriageTime){.seconds = (int64_t)(ticks / 10000000) - INT64_C(11644473600),
                      .nanoseconds = (uint32_t)(ticks % 10000000) * 100,
                      .digits = 7,
                      .is_set = true,
                      .source = (uint8_t)source};
}

const char *triage_time_source_name(unsigned source) {
  static const char *const names[TIME_SOURCE_LAST + 1] = {
      [TIME_UNSTATED] = "",
      [TIME_NTFS_STANDARD] = "ntfs-standard-information",
      [TIME_NTFS_NAME] = "ntfs-file-name",
      [TIME_FAT] = "fat-local",
      [TIME_EXFAT] = "exfat-local",
      [TIME_FILE_SYSTEM] = "file-system-utc",
      [TIME_DIRECTORY] = "directory-utc",
      [TIME_ZIP_DOS] = "zip-dos-local",
      [TIME_ZIP_UNIX] = "zip-unix-utc",
      [TIME_ZIP_NTFS] = "zip-ntfs-utc",
      [TIME_ZIP_OLD_UNIX] = "zip-old-unix-utc",
      [TIME_ARCHIVE_DOS] = "archive-dos-local",
      [TIME_ARCHIVE_UTC] = "archive-utc",
      [TIME_OLE] = "ole-utc",
      [TIME_MAIL] = "mail-date",
      [TIME_OUTLOOK] = "outlook-utc",
      [TIME_REGISTRY] = "registry-key-utc",
      [TIME_EVENT_LOG] = "event-log-utc",
  };
  return source <= TIME_SOURCE_LAST ? names[source] : "";
}
