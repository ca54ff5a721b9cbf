/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_known.h - probes by content: which bytes surely begin which container. Opens nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Bytes a container's own header claims, which may be more than are there; 0: it does not say. */
uint64_t extent_7z(const uint8_t *data, uint64_t size);
uint64_t extent_cab(const uint8_t *data, uint64_t size);
uint64_t extent_iso(const uint8_t *data, uint64_t size);
/* Of all frames, one behind the other; 0 where one is not whole. */
uint64_t extent_zstd(const uint8_t *data, uint64_t size);

typedef bool Probe(const uint8_t *data, uint64_t size);
Probe probe_zip, probe_7z, probe_tar, probe_cpio, probe_ar, probe_cab, probe_rar, probe_rar5,
    probe_lha, probe_iso, probe_xar, probe_warc, probe_rpm;
Probe probe_gzip, probe_zlib, probe_bzip2, probe_xz, probe_lzma, probe_lzip, probe_zstd, probe_lz4,
    probe_compress, probe_uu;
Probe probe_wim, probe_squashfs, probe_ole2, probe_pst, probe_sqlite, probe_arj, probe_alz,
    probe_egg, probe_dmg, probe_image, probe_volume, probe_stuffit, probe_ace, probe_zoo, probe_chm,
    probe_lzop, probe_lrzip, probe_grzip, probe_romfs, probe_cramfs, probe_ishield,
    probe_encrypted_volume, probe_old_rar, probe_mime, probe_mbox, probe_rtf, probe_pdf, probe_lzfu,
    probe_activemime, probe_officexml;
