/* SPDX-License-Identifier: Apache-2.0 */
/* volume_mbr.c - the four entries of a DOS partition table that libtsk gives up on as a whole: it
 * does so where one of them, or the chain of logical partitions, leads past the end of a cut image.
 * The entries themselves still say what lies where. */
#include "evidence/volume_private.h"
#include <string.h>

enum { SECTOR = 512, TABLE = 446, ENTRY = 16, N_ENTRIES = 4 };

static uint32_t le32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool is_extended(uint8_t type) {
  return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A boot sector of a file system ends in the same two bytes. */
static bool is_table(const uint8_t *sector) {
  if (sector[510] != 0x55 || sector[511] != 0xaa || memcmp(sector + 3, "NTFS    ", 8) == 0 ||
      memcmp(sector + 3, "EXFAT   ", 8) == 0 || memcmp(sector + 54, "FAT", 3) == 0 ||
      memcmp(sector + 82, "FAT", 3) == 0)
    return false;
  bool any = false;
  for (int i = 0; i < N_ENTRIES; i++) {
    const uint8_t *entry = sector + TABLE + (size_t)i * ENTRY;
    if (entry[0] != 0x00 && entry[0] != 0x80)
      return false;
    bool is_used = entry[4] != 0;
    if (is_used && (le32(entry + 8) == 0 || le32(entry + 12) == 0))
      return false;
    any = any || is_used;
  }
  return any;
}

bool volume_mbr_parts(Image *image, GArray *parts) {
  uint8_t sector[SECTOR];
  if (image_size(image) < SECTOR)
    return false;
  image_read(image, 0, sector, SECTOR);
  if (!is_table(sector))
    return false;
  for (int i = 0; i < N_ENTRIES; i++) {
    const uint8_t *entry = sector + TABLE + (size_t)i * ENTRY;
    if (entry[4] == 0)
      continue;
    Volume volume = {.offset = (uint64_t)le32(entry + 8) * SECTOR,
                     .length = (uint64_t)le32(entry + 12) * SECTOR};
    volume.description = g_strdup_printf(
        "entry %d of a damaged DOS table (0x%02x)%s", i + 1, entry[4],
        is_extended(entry[4]) ? ": extended, its logical partitions are not listed" : "");
    g_array_append_val(parts, volume);
  }
  return true;
}

bool volume_mbr_is_empty(Image *image) {
  uint8_t sector[SECTOR];
  if (image_size(image) < SECTOR)
    return false;
  image_read(image, 0, sector, SECTOR);
  bool any = false, is_wiped = true;
  for (size_t i = 1; i < SECTOR; i++)
    is_wiped = is_wiped && sector[i] == sector[0];
  if (is_wiped)
    return true;
  for (size_t i = TABLE; i < TABLE + (size_t)N_ENTRIES * ENTRY; i++)
    any = any || sector[i] != 0;
  return !any && sector[510] == 0x55 && sector[511] == 0xaa;
}
