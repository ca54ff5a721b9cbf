/* SPDX-License-Identifier: Apache-2.0 */
/* volume_signature.c - marks of encrypted volumes and of file systems libtsk cannot read. */
#include "evidence/volume_signature.h"
#include "base/limits.h"
#include "evidence/image_format.h"
#include <string.h>

#define LATER "; its bytes are examined as they are, without names"
#define DAMAGED " that is too damaged to be opened" LATER
#define SIGNATURE(offset, bytes, reason, detail)                                                   \
  { offset, bytes, sizeof(bytes) - 1, reason, detail }
#define NAMED(offset, bytes, name)                                                                 \
  SIGNATURE(offset, bytes, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, name LATER)

#define EXT_UNKNOWN "an ext file system with features libtsk does not know, or a damaged one"

static const Signature SIGNATURES[] = {
    SIGNATURE(3, "-FVE-FS-", TRIAGE_REASON_ENCRYPTED, "a BitLocker volume" LATER),
    SIGNATURE(3, "MSWIN4.1-FVE", TRIAGE_REASON_ENCRYPTED, "a BitLocker To Go volume" LATER),
    SIGNATURE(0, "LUKS\xba\xbe", TRIAGE_REASON_ENCRYPTED, "a LUKS volume" LATER),
    SIGNATURE(512, "LABELONE", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "an LVM2 physical volume" LATER),
    SIGNATURE(0, "LABELONE", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "an LVM2 physical volume" LATER),
    SIGNATURE(65600, "_BHRfS_M", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a btrfs file system" LATER),
    SIGNATURE(0, "XFSB", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "an XFS file system" LATER),
    SIGNATURE(3, "ReFS\0\0\0\0", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a ReFS file system" LATER),
    SIGNATURE(4086, "SWAPSPACE2", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "Linux swap space; its pages are examined as they are"),
    SIGNATURE(4086, "SWAP-SPACE", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "Linux swap space; its pages are examined as they are"),
    SIGNATURE(1024, "\x10\x20\xf5\xf2", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "an F2FS file system" LATER),
    SIGNATURE(32768, "JFS1", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a JFS file system" LATER),
    SIGNATURE(65588, "ReIsEr", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "a ReiserFS file system" LATER),
    SIGNATURE(32, "NXSB", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "an APFS container that libtsk cannot open" LATER),
    SIGNATURE(0, "hsqs", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a squashfs file system" LATER),
    SIGNATURE(0, "\x45\x3d\xcd\x28", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "a cramfs file system" LATER),
    SIGNATURE(32769, "NSR02", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a UDF file system" LATER),
    SIGNATURE(34817, "NSR02", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a UDF file system" LATER),
    SIGNATURE(36865, "NSR02", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a UDF file system" LATER),
    SIGNATURE(34817, "NSR03", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a UDF file system" LATER),
    SIGNATURE(36865, "NSR03", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM, "a UDF file system" LATER),
    SIGNATURE(4096, "\xfc\x4e\x2b\xa9", TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
              "a Linux software RAID member" LATER),
    NAMED(0, "\xfc\x4e\x2b\xa9", "a Linux software RAID member"),
    NAMED(1024, "\xe2\xe1\xf5\xe0", "an EROFS file system"),
    NAMED(0, "-rom1fs-", "a romfs file system"),
    NAMED(1024, "\2\0\0\0\0\0\x34\x34", "a NILFS2 file system"),
    NAMED(16404, "\0\0\0\7version", "a ZFS pool member"),
    NAMED(4120, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
          "a bcachefs file system"),
    NAMED(4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
          "a bcache device"),
    NAMED(65536, "\x01\x16\x19\x70", "a GFS2 file system"),
    NAMED(8192, "OCFSV2", "an OCFS2 file system"),
    NAMED(1048576, "\x0d\xd0\x01\xc0", "a VMFS volume"),
    NAMED(0, "dmvdo001", "a VDO volume"),
    NAMED(1080, "\x53\xef\1\0\1\0\0\0", EXT_UNKNOWN),
    NAMED(1080, "\x53\xef\0\0\1\0\0\0", EXT_UNKNOWN),
    NAMED(3072, "PRIVHEAD", "a Windows dynamic disk (LDM)"),
    SIGNATURE(3, "NTFS    ", TRIAGE_REASON_CORRUPT, "an NTFS file system" DAMAGED),
    SIGNATURE(3, "EXFAT   ", TRIAGE_REASON_CORRUPT, "an exFAT file system" DAMAGED),
    SIGNATURE(54, "FAT12   ", TRIAGE_REASON_CORRUPT, "a FAT12 file system" DAMAGED),
    SIGNATURE(54, "FAT16   ", TRIAGE_REASON_CORRUPT, "a FAT16 file system" DAMAGED),
    SIGNATURE(82, "FAT32   ", TRIAGE_REASON_CORRUPT, "a FAT32 file system" DAMAGED),
    SIGNATURE(32769, "CD001", TRIAGE_REASON_CORRUPT, "an ISO 9660 file system" DAMAGED),
    SIGNATURE(1024, "H+\0\4", TRIAGE_REASON_CORRUPT, "an HFS+ file system" DAMAGED),
    SIGNATURE(1024, "HX\0\5", TRIAGE_REASON_CORRUPT, "an HFSX file system" DAMAGED),
    SIGNATURE(0, "encrcdsa", TRIAGE_REASON_ENCRYPTED, "an encrypted Apple disk image" LATER),
};

static const Signature HFS = NAMED(1024, "BD", "an HFS (Mac OS Standard) file system"),
                       MFS = NAMED(1024, "\xd2\xd7", "an MFS (Macintosh 400K) file system");

/* Two bytes are too few for a mark: the volume's block behind them must make sense. */
static const Signature *find_old_mac(Image *image, uint64_t offset, uint64_t length) {
  enum { AT = 1024, BYTES = 64, N_BLOCKS = 18, BLOCK_BYTES = 20, NAME = 36, NAME_MOST = 27 };
  uint8_t p[BYTES];
  uint64_t size = image_size(image), place;
  if (length < AT + BYTES || !g_uint64_checked_add(&place, offset, AT) || place >= size ||
      size - place < BYTES)
    return NULL;
  image_read(image, place, p, sizeof p);
  uint32_t block = image_be32(p + BLOCK_BYTES),
           n_blocks = (uint32_t)p[N_BLOCKS] << 8 | p[N_BLOCKS + 1];
  if (block == 0 || block % 512 != 0 || n_blocks == 0 || (uint64_t)n_blocks * block > length ||
      p[NAME] == 0 || p[NAME] > NAME_MOST)
    return NULL;
  return memcmp(p, HFS.bytes, HFS.n) == 0 ? &HFS : memcmp(p, MFS.bytes, MFS.n) == 0 ? &MFS : NULL;
}

const Signature *signature_find(Image *image, uint64_t offset, uint64_t length) {
  uint64_t size = image_size(image);
  for (gsize i = 0; i < G_N_ELEMENTS(SIGNATURES); i++) {
    const Signature *signature = &SIGNATURES[i];
    uint64_t place;
    char found[16];
    if (signature->offset + signature->n > length ||
        !g_uint64_checked_add(&place, offset, signature->offset) || place >= size ||
        signature->n > sizeof found || signature->n > size - place)
      continue;
    image_read(image, place, found, signature->n);
    if (memcmp(found, signature->bytes, signature->n) == 0)
      return signature;
  }
  return find_old_mac(image, offset, length);
}

bool signature_is_empty(Image *image, uint64_t offset, uint64_t length) {
  uint64_t size = image_size(image);
  uint64_t n = offset < size ? MIN(MIN(length, 64 * KIB), size - offset) : 0;
  g_autofree char *bytes = g_malloc0(64 * KIB);
  image_read(image, offset, bytes, (size_t)n);
  for (uint64_t i = 0; i < n; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

bool signature_is_iso9660(Image *image) {
  char found[5];
  if (image_size(image) < 32769 + sizeof found)
    return false;
  image_read(image, 32769, found, sizeof found);
  return memcmp(found, "CD001", sizeof found) == 0;
}
