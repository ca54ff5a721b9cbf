/* SPDX-License-Identifier: Apache-2.0 */
/* walk_times.c - the times of one metadata entry, with the precision and the zone their file system
 * keeps. Those of NTFS are read from the attributes themselves: libtsk cuts them to 32 bits, so
 * that a time that was set before 1970 or behind 2106 would be shown as another one. */
#include "base/limits.h"
#include "evidence/walk_private.h"
#include <string.h>

enum {
  STANDARD_BYTES = 32, /* $STANDARD_INFORMATION: its four times come first */
  NAME_TIMES_AT = 8,   /* $FILE_NAME: behind the reference to the parent */
  NAME_LENGTH_AT = 64, /* in UTF-16 units */
  NAME_SPACE_AT = 65,
  NAME_AT = 66,
  NAME_SPACE_DOS = 2 /* a second name (8.3) of the same entry */
};

static TriageTime time_of(time_t seconds, uint32_t nanoseconds, uint8_t digits,
                          TriageTimeSource source) {
  TriageTime time = {.seconds = seconds,
                     .nanoseconds = nanoseconds % 1000000000u,
                     .digits = digits,
                     .is_set = seconds != 0 || nanoseconds != 0,
                     .is_local = source == TIME_FAT || source == TIME_EXFAT,
                     .source = (uint8_t)source};
  return time;
}

static uint64_t le64_at(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--)
    value = value << 8 | bytes[i];
  return value;
}

/* Created, modified, changed, accessed, as both attributes keep them. */
static void take_four(const uint8_t *bytes, TriageTimeSource source, TriageTime *const out[4]) {
  for (size_t i = 0; i < 4; i++)
    *out[i] = triage_time_of_filetime(le64_at(bytes + 8 * i), source);
}

/* The bytes of a resident attribute of at least so many; NULL where it is none. */
static const uint8_t *resident_bytes(const TSK_FS_ATTR *attr, size_t least, size_t *n) {
  if ((attr->flags & TSK_FS_ATTR_RES) == 0 || attr->rd.buf == NULL ||
      attr->size < (TSK_OFF_T)least || attr->rd.buf_size < least)
    return NULL;
  *n = MIN(attr->rd.buf_size, (size_t)attr->size);
  return attr->rd.buf;
}

static bool is_name(const uint8_t *bytes, size_t n, GBytes *name) {
  size_t units = bytes[NAME_LENGTH_AT];
  if (name == NULL || NAME_AT + 2 * units > n)
    return false;
  gunichar2 wide[256];
  for (size_t i = 0; i < units; i++)
    wide[i] = (gunichar2)(bytes[NAME_AT + 2 * i] | bytes[NAME_AT + 2 * i + 1] << 8);
  g_autofree char *text = g_utf16_to_utf8(wide, (glong)units, NULL, NULL, NULL);
  gsize length;
  const char *wanted = g_bytes_get_data(name, &length);
  return text != NULL && strlen(text) == length && memcmp(text, wanted, length) == 0;
}

/* An entry has as many $FILE_NAME attributes as names: the one of the name at hand, else the first
 * that is no 8.3 name beside a long one. */
static void take_ntfs(TSK_FS_FILE *file, Object *object) {
  TriageTime *const standard[] = {&object->created, &object->modified, &object->changed,
                                  &object->accessed};
  TriageTime *const named[] = {&object->name_created, &object->name_modified, &object->name_changed,
                               &object->name_accessed};
  bool has_standard = false, has_name = false, is_exact = false;
  int n = MIN(tsk_fs_file_attr_getsize(file), (int)LIMIT_ATTRS_PER_ENTRY);
  for (int i = 0; i < n && !(has_standard && is_exact); i++) {
    const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
    size_t size = 0;
    const uint8_t *bytes = NULL;
    if (attr != NULL && attr->type == TSK_FS_ATTR_TYPE_NTFS_SI && !has_standard) {
      bytes = resident_bytes(attr, STANDARD_BYTES, &size);
      has_standard = bytes != NULL;
      if (bytes != NULL)
        take_four(bytes, TIME_NTFS_STANDARD, standard);
    } else if (attr != NULL && attr->type == TSK_FS_ATTR_TYPE_NTFS_FNAME) {
      bytes = resident_bytes(attr, NAME_AT, &size);
      if (bytes == NULL || is_exact)
        continue;
      is_exact = is_name(bytes, size, object->name);
      bool is_first = !has_name && bytes[NAME_SPACE_AT] != NAME_SPACE_DOS;
      if (is_exact || is_first)
        take_four(bytes + NAME_TIMES_AT, TIME_NTFS_NAME, named);
      has_name = has_name || is_first;
    }
  }
}

/* FAT keeps local time without a zone; workers run in UTC, so libtsk hands it through unchanged. Of
 * the last access it keeps the day. */
void entry_times(const TSK_FS_INFO *fs, TSK_FS_FILE *file, Object *object) {
  const TSK_FS_META *meta = file->meta;
  TSK_FS_TYPE_ENUM type = fs->ftype;
  if (TSK_FS_TYPE_ISNTFS(type)) {
    take_ntfs(file, object);
    return;
  }
  bool is_fat = TSK_FS_TYPE_ISFAT(type);
  TriageTimeSource source = type == TSK_FS_TYPE_EXFAT ? TIME_EXFAT
                            : is_fat                  ? TIME_FAT
                                                      : TIME_FILE_SYSTEM;
  uint8_t digits =
      type == TSK_FS_TYPE_EXT4 || type == TSK_FS_TYPE_APFS || type == TSK_FS_TYPE_FFS2 ? 9 : 0;
  object->modified = time_of(meta->mtime, meta->mtime_nano, digits, source);
  object->accessed = time_of(meta->atime, meta->atime_nano, digits, source);
  object->accessed.is_date = source == TIME_FAT;
  object->changed = time_of(meta->ctime, meta->ctime_nano, digits, source);
  object->created = time_of(meta->crtime, meta->crtime_nano, is_fat ? 2 : digits, source);
}
