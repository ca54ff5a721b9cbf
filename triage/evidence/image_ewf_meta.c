/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf_meta.c - what an E01 set says about itself: the media's shape, who acquired it when and
 * with what, the digests stored at the end, sectors that could not be read then. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/image_ewf.h"
#include "triage/time.h"
#include <stdio.h>
#include <string.h>

gboolean ewf_volume_read(Image *image, Ewf *ewf, const uint8_t *data, size_t n, GError **error) {
  bool smart = n < sizeof ewf->volume;
  size_t checked = smart ? 90 : sizeof ewf->volume - 4;
  bool sum_holds = ewf_sum_holds(data, checked, data + checked);
  uint64_t n_sectors = smart ? image_le32(data + 16) : image_le64(data + 16);
  uint32_t sectors_per_chunk = image_le32(data + 8), sector_bytes = image_le32(data + 12);
  uint64_t chunk_bytes = (uint64_t)sectors_per_chunk * sector_bytes, size;
  if (sector_bytes == 0 || sector_bytes > 65536 || chunk_bytes == 0 ||
      chunk_bytes > LIMIT_EWF_CHUNK_BYTES ||
      !g_uint64_checked_mul(&size, n_sectors, sector_bytes) || size > INT64_MAX - chunk_bytes)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "The volume section claims %" G_GUINT64_FORMAT
                       " sectors of %u bytes in chunks "
                       "of %u sectors, which cannot be%s.",
                       n_sectors, sector_bytes, sectors_per_chunk,
                       sum_holds ? "" : "; its checksum does not hold");
  if (size == 0) /* acquired from a stream: the sectors were not counted */
    size = image_le32(data + 4) * chunk_bytes;
  if (!sum_holds)
    image_add_problem(image,
                      "The checksum of the volume section does not hold: the size of the media "
                      "and of its chunks may be wrong.");
  ewf->has_volume = true;
  ewf->smart = smart;
  ewf->chunk_bytes = (uint32_t)chunk_bytes;
  ewf->n_chunks = size / chunk_bytes + (size % chunk_bytes != 0);
  ewf->n_volume = (uint32_t)MIN(n, sizeof ewf->volume);
  memcpy(ewf->volume, data, ewf->n_volume);
  image->info.size = size;
  image->info.sector_bytes = sector_bytes;
  return TRUE;
}

/* The inflated data of a header section (transfer full), at most LIMIT_EWF_HEADER_BYTES. */
static GByteArray *inflate_place(Image *image, const EwfPlace *place) {
  if (place->length == 0 || place->length > LIMIT_EWF_HEADER_BYTES)
    return NULL;
  g_autofree uint8_t *packed = g_malloc((size_t)place->length);
  if (!ewf_pread(image, place->segment, packed, (size_t)place->length, place->offset))
    return NULL;
  g_autoptr(GByteArray) out = g_byte_array_new();
  z_stream stream = {.next_in = packed, .avail_in = (uInt)place->length};
  if (inflateInit(&stream) != Z_OK)
    return NULL;
  uint8_t buffer[16384];
  int result = Z_OK;
  while (result == Z_OK && out->len < LIMIT_EWF_HEADER_BYTES) {
    stream.next_out = buffer;
    stream.avail_out = sizeof buffer;
    result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_OK || result == Z_STREAM_END)
      g_byte_array_append(out, buffer, (guint)(sizeof buffer - stream.avail_out));
    if (result == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)
      break;
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END ? g_steal_pointer(&out) : NULL;
}

/* UTF-16LE to UTF-8; half a pair becomes U+FFFD (transfer full). */
static char *from_utf16(const uint8_t *bytes, guint n) {
  GString *out = g_string_sized_new(n);
  guint i = n >= 2 && image_le16(bytes) == 0xfeff ? 2 : 0;
  while (i + 1 < n) {
    gunichar c = image_le16(bytes + i);
    i += 2;
    if (c >= 0xd800 && c < 0xdc00 && i + 1 < n && (image_le16(bytes + i) & 0xfc00) == 0xdc00) {
      c = 0x10000 + ((c & 0x3ff) << 10) + (image_le16(bytes + i) & 0x3ffu);
      i += 2;
    }
    if (c == 0)
      continue;
    g_string_append_unichar(out, (c & 0xfffff800) == 0xd800 ? 0xfffd : c);
  }
  return g_string_free(out, FALSE);
}

/* A date as the container has it: seconds since 1970 (header2), or six numbers in the local time of
 * the acquiring machine (header). What is neither stays as it is. */
static void add_date(Image *image, const char *name, const char *value) {
  char text[64], *end = NULL;
  gint64 seconds = g_ascii_strtoll(value, &end, 10);
  if (*value != '\0' && *end == '\0' && seconds > 0) {
    TriageTime time = {.seconds = seconds, .is_set = true};
    triage_time_format(&time, text, sizeof text);
    image_add_property(image, name, text, strlen(text));
    return;
  }
  g_auto(GStrv) parts = g_strsplit(value, " ", 7);
  guint64 numbers[6];
  guint n = 0;
  while (n < 6 && parts[n] != NULL &&
         g_ascii_string_to_unsigned(parts[n], 10, 0, 9999, &numbers[n], NULL))
    n++;
  if (n == 6 && parts[6] == NULL) {
    g_snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u (local time, zone not recorded)",
               (guint)numbers[0], (guint)numbers[1], (guint)numbers[2], (guint)numbers[3],
               (guint)numbers[4], (guint)numbers[5]);
    image_add_property(image, name, text, strlen(text));
    return;
  }
  image_add_property(image, name, value, strlen(value));
}

static void add_value(Image *image, const char *key, const char *value) {
  static const struct {
    const char *key, *name;
  } names[] = {{"c", "Case number"},
               {"n", "Evidence number"},
               {"a", "Description"},
               {"e", "Examiner"},
               {"t", "Notes"},
               {"av", "Software version"},
               {"ov", "Operating system"},
               {"md", "Model"},
               {"sn", "Serial number"},
               {"l", "Device label"},
               {"pid", "Process identifier"},
               {"ext", "Extents"},
               {"r", "Compression"}};
  if (strcmp(key, "m") == 0) {
    add_date(image, "Acquisition date", value);
  } else if (strcmp(key, "u") == 0) {
    add_date(image, "System date", value);
  } else if (strcmp(key, "p") == 0) {
    if (*value != '\0' && strcmp(value, "0") != 0)
      image_add_property(image, "Password", "set (a digest of it is stored; data is not encrypted)",
                         52);
  } else {
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
      if (strcmp(key, names[i].key) == 0)
        image_add_property(image, names[i].name, value, strlen(value));
  }
}

/* "1\nmain\nc\tn\ta ...\n<values>\n": the values stand under their keys. */
static bool header_parse(Image *image, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", 16);
  for (guint i = 0; lines[i] != NULL; i++)
    g_strchomp(lines[i]);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (strcmp(lines[i], "main") != 0 || lines[i + 1] == NULL || lines[i + 2] == NULL)
      continue;
    g_auto(GStrv) keys = g_strsplit(lines[i + 1], "\t", 64);
    g_auto(GStrv) values = g_strsplit(lines[i + 2], "\t", 64);
    for (guint k = 0; keys[k] != NULL && values[k] != NULL; k++)
      add_value(image, keys[k], values[k]);
    return true;
  }
  return false;
}

/* The values of the best copy: header2 (Unicode, times with a zone) before header. The copies that
 * are not used are inflated too, for a damaged one is worth a word. */
static void headers_read(Image *image, const Ewf *ewf) {
  g_autofree char *best = NULL;
  bool best_utf16 = false;
  for (guint i = 0; i < ewf->n_headers; i++) {
    g_autoptr(GByteArray) bytes = inflate_place(image, &ewf->headers[i]);
    if (bytes == NULL) {
      image_add_problem(
          image, "%s: a copy of the acquisition data (byte %" G_GUINT64_FORMAT ") is damaged.",
          image_files_shown(image->files, ewf->headers[i].segment), ewf->headers[i].offset);
      continue;
    }
    bool utf16 = ewf->header_utf16[i];
    if (best != NULL && (best_utf16 || !utf16))
      continue;
    g_free(best);
    best = utf16 ? from_utf16(bytes->data, bytes->len) : g_strndup((char *)bytes->data, bytes->len);
    best_utf16 = utf16;
  }
  if (best == NULL || !header_parse(image, best))
    image_add_problem(image, "The acquisition data (header section) cannot be read.");
}

static void media_properties(Image *image, const Ewf *ewf) {
  const uint8_t *volume = ewf->volume;
  if (!ewf->smart) {
    static const struct {
      uint8_t code;
      const char *name;
    } types[] = {{0, "removable disk"},
                 {1, "fixed disk"},
                 {3, "optical disk"},
                 {14, "logical files"},
                 {16, "memory"}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
      if (volume[0] == types[i].code)
        image_add_property(image, "Media type", types[i].name, strlen(types[i].name));
    const char *scope = volume[36] & 2 ? "yes" : "no";
    image_add_property(image, "Physical device", scope, strlen(scope));
    if (volume[36] & 12) {
      const char *blocker = volume[36] & 4 ? "FastBloc" : "Tableau";
      image_add_property(image, "Write blocker", blocker, strlen(blocker));
    }
  }
  image_add_property_number(image, "Bytes per sector", image_le32(volume + 12));
  image_add_property_number(image, "Sectors",
                            ewf->smart ? image_le32(volume + 16) : image_le64(volume + 16));
  image_add_property_number(image, "Sectors per chunk", image_le32(volume + 8));
  if (!ewf->smart) {
    image_add_property_number(image, "Error granularity (sectors)", image_le32(volume + 56));
    g_autofree char *identifier = text_hex(volume + 64, 16);
    if (strspn(identifier, "0") != 32)
      image_add_property(image, "Set identifier", identifier, 32);
  }
}

static void take_digest(char *out, size_t out_size, const uint8_t *bytes, size_t n) {
  g_autofree char *hex = text_hex(bytes, n);
  if (strspn(hex, "0") != 2 * n)
    g_strlcpy(out, hex, out_size);
}

static void digests_read(Image *image, const Ewf *ewf) {
  uint8_t data[80];
  if (ewf->hash.length >= 36 && ewf_pread(image, ewf->hash.segment, data, 36, ewf->hash.offset)) {
    if (ewf_sum_holds(data, 32, data + 32))
      take_digest(image->info.stored_md5, sizeof image->info.stored_md5, data, 16);
    else
      image_add_problem(image, "The stored MD5 is damaged (its checksum does not hold).");
  }
  if (ewf->digest.length >= 80 &&
      ewf_pread(image, ewf->digest.segment, data, 80, ewf->digest.offset)) {
    if (ewf_sum_holds(data, 76, data + 76)) {
      if (image->info.stored_md5[0] == '\0')
        take_digest(image->info.stored_md5, sizeof image->info.stored_md5, data, 16);
      take_digest(image->info.stored_sha1, sizeof image->info.stored_sha1, data + 16, 20);
    } else {
      image_add_problem(image, "The stored SHA-1 is damaged (its checksum does not hold).");
    }
  }
}

/* Sectors the acquiring tool could not read: the container holds something else in their place. */
static void errors_read(Image *image, const Ewf *ewf) {
  uint8_t head[520];
  if (ewf->error2.length < sizeof head ||
      !ewf_pread(image, ewf->error2.segment, head, sizeof head, ewf->error2.offset))
    return;
  uint64_t n = image_le32(head);
  if (!ewf_sum_holds(head, 516, head + 516) || n > (ewf->error2.length - sizeof head) / 8) {
    image_add_problem(image, "The list of sectors unreadable at acquisition is damaged.");
    return;
  }
  if (n == 0)
    return;
  image_add_property_number(image, "Acquisition errors", n);
  uint64_t first = 0;
  for (uint64_t i = 0; i < n && i < LIMIT_EWF_ERRORS; i++) {
    uint8_t entry[8];
    if (!ewf_pread(image, ewf->error2.segment, entry, sizeof entry,
                   ewf->error2.offset + sizeof head + 8 * i))
      return;
    char text[64];
    int length =
        g_snprintf(text, sizeof text, "sectors %u to %" G_GUINT64_FORMAT, image_le32(entry),
                   (uint64_t)image_le32(entry) + MAX(image_le32(entry + 4), 1) - 1);
    image_add_property(image, "Acquisition error", text, (size_t)length);
    first = i == 0 ? image_le32(entry) : first;
  }
  image_add_problem(image,
                    "%" G_GUINT64_FORMAT
                    " stretches of sectors could not be read when the image was "
                    "made (the first from sector %" G_GUINT64_FORMAT
                    "); what stands there is not the disk's content.",
                    n, first);
}

void ewf_meta_read(Image *image, Ewf *ewf) {
  headers_read(image, ewf);
  media_properties(image, ewf);
  digests_read(image, ewf);
  errors_read(image, ewf);
}
