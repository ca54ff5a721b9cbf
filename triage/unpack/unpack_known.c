/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_known.c - probes of containers that are recognised and not opened in this version, so that
 * none is passed over in silence. Only magic that is sure: each one found is a coverage row. */
#include "unpack/unpack_known.h"
#include "unpack/unpack_bytes.h"
#include <string.h>
#include <strings.h>
#include <zlib.h>

static bool has(const uint8_t *data, uint64_t size, uint64_t at, const char *magic, size_t n) {
  return size >= n && at <= size - n && memcmp(data + at, magic, n) == 0;
}

bool probe_wim(const uint8_t *data, uint64_t size) {
  return size >= 208 &&
         (has(data, size, 0, "MSWIM\0\0\0", 8) || has(data, size, 0, "WLPWM\0\0\0", 8));
}

bool probe_squashfs(const uint8_t *data, uint64_t size) {
  if (size < 96)
    return false;
  if (has(data, size, 0, "hsqs", 4))
    return data[28] >= 1 && data[28] <= 4 && data[29] == 0;
  return has(data, size, 0, "sqsh", 4) && data[28] == 0 && data[29] >= 1 && data[29] <= 4;
}

bool probe_ole2(const uint8_t *data, uint64_t size) {
  return size >= 512 && has(data, size, 0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
}

bool probe_pst(const uint8_t *data, uint64_t size) {
  return size >= 512 && has(data, size, 0, "!BDN", 4) &&
         (has(data, size, 8, "SM", 2) || has(data, size, 8, "AB", 2) ||
          has(data, size, 8, "SO", 2));
}

bool probe_arj(const uint8_t *data, uint64_t size) {
  if (size < 10 || data[0] != 0x60 || data[1] != 0xEA)
    return false;
  uint16_t n = bytes_le16(data + 2);
  return n >= 30 && n <= 2600 && size - 8 >= n && crc32(0, data + 4, n) == bytes_le32(data + 4 + n);
}

bool probe_alz(const uint8_t *data, uint64_t size) {
  return size >= 16 && has(data, size, 0, "ALZ\1", 4) && has(data, size, 8, "BLZ\1", 4);
}

bool probe_egg(const uint8_t *data, uint64_t size) {
  return size >= 14 && has(data, size, 0, "EGGA\0\1", 6);
}

bool probe_dmg(const uint8_t *data, uint64_t size) {
  return size >= 1024 && has(data, size, size - 512, "koly\0\0\0\4\0\0\2\0", 12);
}

bool probe_image(const uint8_t *data, uint64_t size) {
  if (size < 512)
    return false;
  return has(data, size, 0, "EVF\x09\x0D\x0A\xFF\0", 8) ||
         has(data, size, 0, "EVF2\x0D\x0A\x81\0", 8) ||
         has(data, size, 0, "LVF\x09\x0D\x0A\xFF\0", 8) ||
         (has(data, size, 0, "KDMV", 4) && data[4] >= 1 && data[4] <= 3 && data[5] == 0) ||
         has(data, size, 0, "COWD\1\0\0\0", 8) || has(data, size, 0, "# Disk DescriptorFile", 21) ||
         has(data, size, 0, "conectix", 8) || has(data, size, size - 512, "conectix", 8) ||
         has(data, size, 0, "vhdxfile", 8) || has(data, size, 0, "QFI\xFB\0\0\0", 7) ||
         has(data, size, 64, "\x7F\x10\xDA\xBE", 4) || has(data, size, 0, "AFF10\r\n\0", 8) ||
         has(data, size, 0, "sprs\0\0\0", 7) || has(data, size, 0, "WithoutFreeSpace", 16) ||
         has(data, size, 0, "WithouFreSpacExt", 16) ||
         has(data, size, 0, "LEF2\x0D\x0A\x81\0", 8) ||
         (has(data, size, 0, "QED\0", 4) && bytes_le32(data + 4) >= 4096 &&
          bytes_le32(data + 4) % 4096 == 0);
}

/* A boot sector with the fields of a FAT or NTFS volume that is mostly there: not the 8 KiB copy
 * every NTFS volume keeps of its own ($Boot). */
static bool is_boot_volume(const uint8_t *data, uint64_t size) {
  if (data[510] != 0x55 || data[511] != 0xAA)
    return false;
  if (has(data, size, 3, "EXFAT   ", 8))
    return bytes_le64(data + 72) <= UINT64_MAX / 512 && size / 2 >= bytes_le64(data + 72) * 256;
  uint32_t bytes = bytes_le16(data + 11);
  if (bytes != 512 && bytes != 1024 && bytes != 2048 && bytes != 4096)
    return false;
  uint64_t sectors = 0;
  if (has(data, size, 3, "NTFS    ", 8))
    sectors = bytes_le64(data + 40);
  else if (has(data, size, 54, "FAT12   ", 8) || has(data, size, 54, "FAT16   ", 8) ||
           has(data, size, 82, "FAT32   ", 8))
    sectors = bytes_le16(data + 19) != 0 ? bytes_le16(data + 19) : bytes_le32(data + 32);
  return sectors > 0 && size / bytes >= sectors / 2;
}

/* A partition table whose first partition lies inside. */
static bool is_dos_disk(const uint8_t *data, uint64_t size) {
  if (data[510] != 0x55 || data[511] != 0xAA)
    return false;
  unsigned n_used = 0;
  for (unsigned i = 0; i < 4; i++) {
    const uint8_t *p = data + 446 + (size_t)16 * i;
    uint64_t start = bytes_le32(p + 8), length = bytes_le32(p + 12);
    if ((p[0] & 0x7F) != 0)
      return false;
    if (p[4] == 0 && start == 0 && length == 0)
      continue;
    if (p[4] == 0 || start == 0 || length == 0 || start + length > size / 512)
      return false;
    n_used++;
  }
  return n_used > 0;
}

/* HFS or MFS, as old Macintoshes wrote them: the block of the volume makes sense. */
static bool is_old_mac(const uint8_t *data, uint64_t size) {
  const uint8_t *p = data + 1024;
  uint32_t block = bytes_be32(p + 20), n_blocks = (uint32_t)p[18] << 8 | p[19];
  return (has(data, size, 1024, "BD", 2) || has(data, size, 1024, "\xD2\xD7", 2)) && block != 0 &&
         block % 512 == 0 && n_blocks > 0 && (uint64_t)n_blocks * block <= size && p[36] > 0 &&
         p[36] <= 27;
}

bool probe_volume(const uint8_t *data, uint64_t size) {
  if (size < UINT64_C(64) * 1024)
    return false;
  bool is_bsd = has(data, size, 512, "\x57\x45\x56\x82", 4) &&
                has(data, size, 512 + 132, "\x57\x45\x56\x82", 4);
  if (has(data, size, 512, "EFI PART", 8) || is_boot_volume(data, size) ||
      is_dos_disk(data, size) || is_bsd || is_old_mac(data, size))
    return true;
  bool is_ext = has(data, size, 1080, "\x53\xEF", 2) && bytes_le32(data + 1024 + 24) <= 6 &&
                bytes_le32(data + 1024 + 4) > 0 && bytes_le16(data + 1024 + 88) >= 128 &&
                size / 1024 / 2 >= bytes_le32(data + 1024 + 4) >> 1;
  bool is_hfs = (has(data, size, 1024, "H+\0\4", 4) || has(data, size, 1024, "HX\0\5", 4));
  bool is_apfs = has(data, size, 32, "NXSB", 4) && bytes_le32(data + 36) >= 4096;
  bool is_xfs = has(data, size, 0, "XFSB\0\0", 6);
  bool is_btrfs = has(data, size, 0x10040, "_BHRfS_M", 8);
  return is_ext || is_hfs || is_apfs || is_xfs || is_btrfs;
}

bool probe_encrypted_volume(const uint8_t *data, uint64_t size) {
  return size >= 4096 &&
         (has(data, size, 0, "LUKS\xBA\xBE\0", 7) || has(data, size, 3, "-FVE-FS-", 8));
}

bool probe_stuffit(const uint8_t *data, uint64_t size) {
  return size >= 22 && (has(data, size, 0, "StuffIt (c)1997-", 16) ||
                        (has(data, size, 0, "SIT!", 4) && has(data, size, 10, "rLau", 4)) ||
                        has(data, size, 0, "StuffIt!", 8));
}

bool probe_ace(const uint8_t *data, uint64_t size) {
  return size >= 14 && has(data, size, 7, "**ACE**", 7);
}

bool probe_zoo(const uint8_t *data, uint64_t size) {
  return size >= 34 && has(data, size, 20, "\xDC\xA7\xC4\xFD", 4);
}

bool probe_chm(const uint8_t *data, uint64_t size) {
  return size >= 96 && has(data, size, 0, "ITSF", 4) && data[4] >= 2 && data[4] <= 4 &&
         data[5] == 0;
}

bool probe_lzop(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "\x89LZO\0\r\n\x1A\n", 9);
}

bool probe_lrzip(const uint8_t *data, uint64_t size) {
  return size >= 24 && has(data, size, 0, "LRZI", 4) && data[4] == 0;
}

bool probe_grzip(const uint8_t *data, uint64_t size) {
  return has(data, size, 0, "GRZipII\0\2\4:)", 12);
}

bool probe_romfs(const uint8_t *data, uint64_t size) {
  return size >= 32 && has(data, size, 0, "-rom1fs-", 8);
}

bool probe_cramfs(const uint8_t *data, uint64_t size) {
  return size >= 76 && has(data, size, 16, "Compressed ROMFS", 16) &&
         (has(data, size, 0, "\x45\x3D\xCD\x28", 4) || has(data, size, 0, "\x28\xCD\x3D\x45", 4));
}

bool probe_ishield(const uint8_t *data, uint64_t size) {
  return size >= 64 && (has(data, size, 0, "ISc(", 4) || has(data, size, 0, "\x13\x5D\x65\x8C", 4));
}

bool probe_old_rar(const uint8_t *data, uint64_t size) {
  return size >= 20 && has(data, size, 0, "RE~^", 4);
}

bool probe_rtf(const uint8_t *data, uint64_t size) {
  return size >= 16 && has(data, size, 0, "{\\rt", 4); /* Word asks for no more */
}

bool probe_lzfu(const uint8_t *data, uint64_t size) {
  return size >= 17 && (has(data, size, 8, "LZFu", 4) || has(data, size, 8, "MELA", 4)) &&
         bytes_le32(data) >= 12 && bytes_le32(data + 4) / 16 <= bytes_le32(data);
}

bool probe_activemime(const uint8_t *data, uint64_t size) {
  return size > 64 && has(data, size, 0, "ActiveMime\0\0\1\xF0", 14);
}

/* XML whose first elements belong to an Office document. */
bool probe_officexml(const uint8_t *data, uint64_t size) {
  static const char *const MARKS[] = {"schemas.microsoft.com/office/2006/xmlPackage",
                                      "schemas.microsoft.com/office/word/2003/wordml",
                                      "<office:document"};
  uint64_t at = has(data, size, 0, "\xEF\xBB\xBF", 3) ? 3 : 0;
  size_t n = size < 8192 ? (size_t)size : 8192;
  if (!has(data, size, at, "<", 1))
    return false;
  for (size_t i = 0; i < sizeof MARKS / sizeof MARKS[0]; i++)
    if (memmem(data, n, MARKS[i], strlen(MARKS[i])) != NULL)
      return true;
  return false;
}

bool probe_pdf(const uint8_t *data, uint64_t size) {
  return size >= 32 && has(data, size, 0, "%PDF-", 5);
}
