/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_table.c - the one table of unpackers. Order is the order in which a polyglot's containers
 * are opened. Programs as filters (lzop, lrzip, grzip in libarchive) stay out: a worker starts
 * none. mtree stays out: it names files of the host. */
#include "unpack/unpack_table.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_mail.h"
#include "unpack/unpack_private.h"
#include <string.h>

#ifdef TRIAGE_HAVE_LIBDEFLATE
#define GZIP_LIBRARY "zlib, libdeflate"
#else
#define GZIP_LIBRARY "zlib"
#endif

static const Unpacker ZIP = {
    .row = {.stage = "unpacker",
            .name = "zip",
            .title = "ZIP archive (jar, docx, apk, ...)",
            .spec = "APPNOTE.TXT 6.3",
            .library = "libarchive + own directory reader",
            .limitations =
                "parts (.z01 ... .zip, .zip.001 ...) are joined where they lie side by side under "
                "their names, zip64 ones only as .zip.001; strong encryption of PKWARE's own kind "
                "is not opened; the third time of field 0x5455 is called creation, as specified: "
                "some writers keep the inode's change there",
            .available = true},
    .probe = probe_zip,
    .open = unpack_zip_open,
    .times = TIMES_ZIP,
    .is_evidence = true,
};

static const Unpacker SEVENZIP = {
    .row = {.stage = "unpacker",
            .name = "7zip",
            .title = "7-Zip archive",
            .spec = "7zFormat.txt",
            .library = "libarchive, liblzma, libcrypto",
            .limitations =
                "of encrypted archives those with different passwords inside are listed, not "
                "opened; PPMd archives end behind their first member; parts (.7z.001 ...) are "
                "joined where "
                "they lie side by side under their names",
            .available = true},
    .probe = probe_7z,
    .open = unpack_7z_open,
    .format = archive_read_support_format_7zip,
    .extent = extent_7z,
    .is_evidence = true,
};

static const Unpacker TAR = {
    .row = {.stage = "unpacker",
            .name = "tar",
            .title = "tar archive (v7, ustar, GNU, pax)",
            .spec = "POSIX.1-2017 pax",
            .library = "libarchive",
            .limitations = "names in other character sets than UTF-8 stand as their bytes; of a "
                           "tar inside a compressed stream the members are scanned, not its "
                           "headers (names, extended attributes)",
            .available = true},
    .probe = probe_tar,
    .open = unpack_archive_open,
    .format = archive_read_support_format_tar,
    .is_in_stream = true,
    .is_evidence = true,
};

static const Unpacker CPIO = {
    .row = {.stage = "unpacker",
            .name = "cpio",
            .title = "cpio archive (binary, odc, newc, crc)",
            .spec = "POSIX.1-1990",
            .library = "libarchive",
            .limitations = "none known beyond those of libarchive 3.6",
            .available = true},
    .probe = probe_cpio,
    .open = unpack_cpio_open,
    .format = archive_read_support_format_cpio,
    .check = cpio_check,
    .is_in_stream = true,
    .is_evidence = true,
};

static const Unpacker AR = {
    .row = {.stage = "unpacker",
            .name = "ar",
            .title = "ar archive (deb, static library)",
            .spec = "SVR4, GNU and BSD ar",
            .library = "libarchive",
            .limitations =
                "an archive cut exactly between two members cannot be told from a whole one",
            .available = true},
    .probe = probe_ar,
    .open = unpack_archive_open,
    .format = archive_read_support_format_ar,
    .is_evidence = true,
};

static const Unpacker CAB = {
    .row = {.stage = "unpacker",
            .name = "cab",
            .title = "Microsoft cabinet",
            .spec = "MS-CAB",
            .library = "libarchive",
            .limitations = "cabinets of a set are not joined: which ones lack is listed; Quantum "
                           "compression is not read",
            .available = true},
    .probe = probe_cab,
    .open = unpack_cab_open,
    .format = archive_read_support_format_cab,
    .extent = extent_cab,
    .times = TIMES_LOCAL,
    .is_evidence = true,
};

static const Unpacker RAR = {
    .row = {.stage = "unpacker",
            .name = "rar",
            .title = "RAR archive, versions 1.5 to 4",
            .spec = "unrar's technote.txt",
            .library = "libarchive, libcrypto",
            .limitations =
                "members encrypted before version 2.9, or with passwords of more than 28 letters, "
                "are listed, not opened; of solid archives the first member is unpacked; volumes "
                "are joined where they lie side by side under their names; some compression "
                "filters are not supported",
            .available = true},
    .probe = probe_rar,
    .open = unpack_rar3_open,
    .format = archive_read_support_format_rar,
    .check = rar3_check,
    .times = TIMES_LOCAL,
    .is_evidence = true,
};

static const Unpacker RAR5 = {
    .row = {.stage = "unpacker",
            .name = "rar5",
            .title = "RAR archive, version 5",
            .spec = "RAR 5.0 archive format",
            .library = "libarchive, libcrypto",
            .limitations =
                "of encrypted members those without a value to check passwords by are listed, not "
                "opened, and BLAKE2 sums made to hide the content are not verified; volumes are "
                "joined where they lie side by "
                "side under their names",
            .available = true},
    .probe = probe_rar5,
    .open = unpack_rar5_open,
    .format = archive_read_support_format_rar5,
    .check = rar5_check,
    .is_evidence = true,
};

static const Unpacker LHA = {
    .row = {.stage = "unpacker",
            .name = "lha",
            .title = "LHA/LZH archive",
            .spec = "header levels 0 to 3",
            .library = "libarchive",
            .limitations = "methods lh1 to lh3, lzs and lz4 are listed, not unpacked",
            .available = true},
    .probe = probe_lha,
    .open = unpack_archive_open,
    .format = archive_read_support_format_lha,
    .times = TIMES_LHA,
    .is_evidence = true,
};

static const Unpacker ISO = {
    .row = {.stage = "unpacker",
            .name = "iso9660",
            .title = "ISO 9660 image inside an object",
            .spec = "ECMA-119, Joliet, Rock Ridge",
            .library = "libarchive",
            .limitations =
                "opened as an archive: no deleted entries, no unallocated areas; UDF-only images "
                "are not read; name the image as evidence of its own for these",
            .available = true},
    .probe = probe_iso,
    .open = unpack_archive_open,
    .format = archive_read_support_format_iso9660,
    .extent = extent_iso,
};

static const Unpacker XAR = {
    .row = {.stage = "unpacker",
            .name = "xar",
            .title = "xar archive (macOS pkg)",
            .spec = "xar wiki",
            .library = "libarchive",
            .limitations = "none known beyond those of libarchive 3.6",
            .available = true},
    .probe = probe_xar,
    .open = unpack_archive_open,
    .format = archive_read_support_format_xar,
    .is_evidence = true,
};

static const Unpacker WARC = {
    .row =
        {.stage = "unpacker",
         .name = "warc",
         .title = "Web archive",
         .spec = "ISO 28500",
         .library = "libarchive",
         .limitations =
             "only response and resource records are unpacked; the bytes of all others are scanned "
             "as they are; of digests those of blocks by SHA-1, SHA-256 and MD5 are compared; "
             "libarchive 3.6 adds "
             "the 4 bytes that part records to a member's content",
         .available = true},
    .probe = probe_warc,
    .open = unpack_archive_open,
    .format = archive_read_support_format_warc,
    .check = warc_check,
    .is_text = true,
    .is_evidence = true,
};

static const Unpacker RPM = {
    .row = {.stage = "unpacker",
            .name = "rpm",
            .title = "RPM package",
            .spec = "rpm 3 to 6: lead, signature and header",
            .library = "",
            .limitations = "the header's tags are scanned as they are; of its sums the MD5 of "
                           "header and payload is compared, or where it has none the SHA-256",
            .available = true},
    .probe = probe_rpm,
    .open = unpack_rpm_open,
    .step = "(rpm)",
    .is_evidence = true,
};

static const Unpacker GZIP = {
    .row = {.stage = "unpacker",
            .name = "gzip",
            .title = "gzip stream",
            .spec = "RFC 1952",
            .library = GZIP_LIBRARY,
            .limitations = "none known",
            .available = true},
    .probe = probe_gzip,
    .open = unpack_gzip_open,
    .step = "(gunzip)",
    .is_evidence = true,
};

static const Unpacker ZLIB = {
    .row = {.stage = "unpacker",
            .name = "zlib",
            .title = "zlib stream",
            .spec = "RFC 1950",
            .library = "zlib",
            .limitations = "at the beginning of an object only, and with the usual window of "
                           "32 KiB; streams that need a dictionary are scanned as they are",
            .available = true},
    .probe = probe_zlib,
    .open = unpack_zlib_open,
    .step = "(inflate)",
    .is_evidence = true,
};

static const Unpacker BZIP2 = {
    .row = {.stage = "unpacker",
            .name = "bzip2",
            .title = "bzip2 stream",
            .spec = "bzip2 1.0",
            .library = "libarchive",
            .limitations = "none known",
            .available = true},
    .probe = probe_bzip2,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_bzip2,
    .step = "(bunzip2)",
    .is_evidence = true,
};

static const Unpacker XZ = {
    .row = {.stage = "unpacker",
            .name = "xz",
            .title = "xz stream",
            .spec = "The .xz File Format 1.1",
            .library = "liblzma",
            .limitations = "none known",
            .available = true},
    .probe = probe_xz,
    .open = unpack_xz_open,
    .step = "(unxz)",
    .is_evidence = true,
};

static const Unpacker LZMA = {
    .row = {.stage = "unpacker",
            .name = "lzma",
            .title = "lzma stream",
            .spec = "LZMA alone",
            .library = "libarchive",
            .limitations =
                "has no magic and no checksum: recognised with the default properties only",
            .available = true},
    .probe = probe_lzma,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_lzma,
    .step = "(unlzma)",
    .is_evidence = true,
};

static const Unpacker LZIP = {
    .row = {.stage = "unpacker",
            .name = "lzip",
            .title = "lzip stream",
            .spec = "lzip manual",
            .library = "libarchive",
            .limitations = "none known",
            .available = true},
    .probe = probe_lzip,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_lzip,
    .step = "(unlzip)",
    .is_evidence = true,
};

static const Unpacker ZSTD = {
    .row = {.stage = "unpacker",
            .name = "zstd",
            .title = "Zstandard stream",
            .spec = "RFC 8878",
            .library = "libarchive",
            .limitations = "frames that need a dictionary cannot be read",
            .available = true},
    .probe = probe_zstd,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_zstd,
    .extent = extent_zstd,
    .step = "(unzstd)",
    .is_evidence = true,
};

static const Unpacker LZ4 = {
    .row = {.stage = "unpacker",
            .name = "lz4",
            .title = "LZ4 stream",
            .spec = "LZ4 Frame Format 1.6",
            .library = "libarchive",
            .limitations = "frames that need a dictionary cannot be read",
            .available = true},
    .probe = probe_lz4,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_lz4,
    .step = "(unlz4)",
    .is_evidence = true,
};

static const Unpacker COMPRESS = {
    .row = {.stage = "unpacker",
            .name = "compress",
            .title = "compress stream (.Z)",
            .spec = "LZW, ncompress",
            .library = "libarchive",
            .limitations = "the format has no end mark and no checksum: a cut stream cannot be "
                           "told from a whole one",
            .available = true},
    .probe = probe_compress,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_compress,
    .step = "(uncompress)",
    .is_evidence = true,
};

static const Unpacker UU = {
    .row = {.stage = "unpacker",
            .name = "uu",
            .title = "uuencoded file",
            .spec = "POSIX uuencode",
            .library = "libarchive",
            .limitations = "recognised at the beginning of an object only",
            .available = true},
    .probe = probe_uu,
    .open = unpack_stream_open,
    .filter = archive_read_support_filter_uu,
    .step = "(uudecode)",
    .is_text = true,
    .is_evidence = true,
};

static const Unpacker MIME = {
    .row = {.stage = "unpacker",
            .name = "mime",
            .title = "Mail with parts (eml)",
            .spec = "RFC 2045 to 2047, 2231, 5322",
            .library = "gmime (headers, encodings)",
            .limitations = "message/partial is not joined, winmail.dat (TNEF) and S/MIME are "
                           "scanned as they are; a part's bytes are its content in its own "
                           "character set",
            .available = true},
    .probe = probe_mime,
    .open = unpack_mime_open,
    .is_text = true,
    .is_evidence = true,
};

static const Unpacker MBOX = {
    .row = {.stage = "unpacker",
            .name = "mbox",
            .title = "Mailbox (mbox, Thunderbird)",
            .spec = "RFC 4155",
            .library = "",
            .limitations = "lines quoted as \">From \" stay quoted",
            .available = true},
    .probe = probe_mbox,
    .open = unpack_mbox_open,
    .is_text = true,
    .is_evidence = true,
};

#define KNOWN(NAME, WORD, TITLE, SPEC, PROBE, GAP)                                                 \
  static const Unpacker NAME = {.row = {.stage = "unpacker",                                       \
                                        .name = WORD,                                              \
                                        .title = TITLE,                                            \
                                        .spec = SPEC,                                              \
                                        .library = "",                                             \
                                        .limitations = "recognised and listed, not unpacked",      \
                                        .available = false,                                        \
                                        .why_not = GAP},                                           \
                                .probe = PROBE,                                                    \
                                .gap = GAP}

KNOWN(WIM, "wim", "Windows imaging format", "MS-WIM", probe_wim,
      "WIM images are not unpacked in this version: its bytes were scanned as they are; unpack it "
      "with 7z and examine the result");
KNOWN(SQUASHFS, "squashfs", "SquashFS image", "squashfs 1 to 4", probe_squashfs,
      "SquashFS images are not unpacked in this version: its bytes were scanned as they are; "
      "unpack it with unsquashfs and examine the result");
#define IMAGE(NAME, WORD, TITLE, SPEC, PROBE)                                                      \
  static const Unpacker NAME = {                                                                   \
      .row = {.stage = "unpacker",                                                                 \
              .name = WORD,                                                                        \
              .title = TITLE,                                                                      \
              .spec = SPEC,                                                                        \
              .library = "as evidence of its own",                                                 \
              .limitations =                                                                       \
                  "one file alone: later segments and extents beside it are not found; "           \
                  "slack and unallocated space are searched as bytes of the image",                \
              .available = true},                                                                  \
      .probe = PROBE,                                                                              \
      .open = unpack_image_open}

IMAGE(DISKIMAGE, "disk-image", "Disk image file inside an object (E01, VHD, QCOW)",
      "the formats' own magic", probe_image);
IMAGE(VOLUME, "raw-image", "Raw disk or volume inside an object", "boot sectors and superblocks",
      probe_volume);
KNOWN(DMG, "dmg", "Apple disk image", "koly trailer", probe_dmg,
      "Apple disk images are not unpacked in this version: its bytes were scanned as they are; "
      "unpack it with 7z and examine the result");
KNOWN(ENCRYPTED, "encrypted-volume", "LUKS or BitLocker volume inside an object",
      "LUKS 1 and 2, BitLocker", probe_encrypted_volume,
      "an encrypted volume inside an object is not opened: its bytes were scanned as they are; "
      "decrypt it and examine the result");
KNOWN(ARJ, "arj", "ARJ archive", "ARJ technote", probe_arj,
      "ARJ archives are not unpacked in this version: its bytes were scanned as they are; unpack "
      "it with 7z and examine the result");
KNOWN(OLDRAR, "rar1", "RAR archive, version 1.3 or older", "RE~^", probe_old_rar,
      "RAR archives this old are not unpacked: its bytes were scanned as they are");
KNOWN(ALZ, "alz", "ALZip archive", "ALZ", probe_alz,
      "ALZ archives are not unpacked in this version: its bytes were scanned as they are");
KNOWN(EGG, "egg", "ALZip EGG archive", "EGG", probe_egg,
      "EGG archives are not unpacked in this version: its bytes were scanned as they are");
KNOWN(ACE, "ace", "ACE archive", "ACE", probe_ace,
      "ACE archives are not unpacked in this version: its bytes were scanned as they are");
KNOWN(ZOO, "zoo", "Zoo archive", "Zoo", probe_zoo,
      "Zoo archives are not unpacked in this version: its bytes were scanned as they are");
KNOWN(STUFFIT, "stuffit", "StuffIt archive", "SIT, StuffIt 5", probe_stuffit,
      "StuffIt archives are not unpacked in this version: its bytes were scanned as they are");
KNOWN(CHM, "chm", "Compiled HTML help", "ITSF", probe_chm,
      "compiled help files are not unpacked in this version: its bytes were scanned as they are; "
      "unpack it with 7z and examine the result");
KNOWN(
    ISHIELD, "installshield", "InstallShield cabinet", "ISc(", probe_ishield,
    "InstallShield cabinets are not unpacked in this version: its bytes were scanned as they are");
KNOWN(LZOP, "lzop", "lzop stream", "lzop", probe_lzop,
      "lzop streams are not unpacked in this version: its bytes were scanned as they are; unpack "
      "it with lzop -d and examine the result");
KNOWN(LRZIP, "lrzip", "lrzip stream", "lrzip", probe_lrzip,
      "lrzip streams are not unpacked in this version: its bytes were scanned as they are; unpack "
      "it with lrzip -d and examine the result");
KNOWN(GRZIP, "grzip", "grzip stream", "GRZipII", probe_grzip,
      "grzip streams are not unpacked in this version: its bytes were scanned as they are");
KNOWN(CRAMFS, "cramfs", "cramfs image", "Linux cramfs", probe_cramfs,
      "cramfs images are not unpacked in this version: its bytes were scanned as they are; unpack "
      "it with 7z and examine the result");
KNOWN(ROMFS, "romfs", "romfs image", "Linux romfs", probe_romfs,
      "romfs images are not unpacked in this version: files are stored plain in it and its bytes "
      "were scanned as they are");

static const Unpacker *const TABLE[] = {&ZIP,
                                        &SEVENZIP,
                                        &TAR,
                                        &CPIO,
                                        &AR,
                                        &CAB,
                                        &RAR,
                                        &RAR5,
                                        &LHA,
                                        &ISO,
                                        &XAR,
                                        &WARC,
                                        &RPM,
                                        &GZIP,
                                        &ZLIB,
                                        &BZIP2,
                                        &XZ,
                                        &LZMA,
                                        &LZIP,
                                        &ZSTD,
                                        &LZ4,
                                        &COMPRESS,
                                        &UU,
                                        &UNPACKER_OLE2,
                                        &UNPACKER_OLE_PACKAGE,
                                        &UNPACKER_PPT_OBJECTS,
                                        &UNPACKER_RTF,
                                        &UNPACKER_LZFU,
                                        &UNPACKER_OFFICE_XML,
                                        &UNPACKER_ACTIVEMIME,
                                        &UNPACKER_PST,
                                        &UNPACKER_REGISTRY,
                                        &UNPACKER_EVTX,
                                        &UNPACKER_SQLITE,
                                        &UNPACKER_PDF,
                                        &MIME,
                                        &MBOX,
                                        &WIM,
                                        &SQUASHFS,
                                        &DISKIMAGE,
                                        &VOLUME,
                                        &DMG,
                                        &ENCRYPTED,
                                        &ARJ,
                                        &OLDRAR,
                                        &ALZ,
                                        &EGG,
                                        &ACE,
                                        &ZOO,
                                        &STUFFIT,
                                        &CHM,
                                        &ISHIELD,
                                        &LZOP,
                                        &LRZIP,
                                        &GRZIP,
                                        &CRAMFS,
                                        &ROMFS};

const Unpacker *const *unpack_table(size_t *n) {
  *n = G_N_ELEMENTS(TABLE);
  return TABLE;
}

const Unpacker *unpack_row(const char *name) {
  for (size_t i = 0; i < G_N_ELEMENTS(TABLE); i++)
    if (strcmp(TABLE[i]->row.name, name) == 0)
      return TABLE[i];
  g_assert_not_reached();
}

/* Row is an unpacker's first field: the same pointers, seen from outside. */
const Row *const *unpack_rows(size_t *n) {
  G_STATIC_ASSERT(G_STRUCT_OFFSET(Unpacker, row) == 0);
  *n = G_N_ELEMENTS(TABLE);
  return (const Row *const *)(const void *)TABLE;
}
