/* SPDX-License-Identifier: Apache-2.0 */
/* image_aff.c - Advanced Forensic Format in one file (AFF 1.0): named segments, of which "page0",
 * "page1" ... hold the media, compressed or as it is.
 *
 * Why not libafflib: Debian's 3.7.20 locks the file it reads, which a worker may not, and gives
 * zeros for a page that is not there without a word. */
#include "base/limits.h"
#include "evidence/image_format.h"
#include <string.h>
#include <zlib.h>

enum {
  FILE_HEADER = 8,
  HEAD = 16, /* of a segment: mark, lengths of name and data, argument */
  TAIL = 8,
  NAME_MAX_BYTES = 64,
  PAGE_MAX = 64 * 1024 * 1024,
  FLAG_PACKED = 1,
  METHOD_MASK = 0xf0,
  METHOD_ZLIB = 0,
  METHOD_ZERO = 0x30,
};

typedef struct {
  uint64_t at; /* of the data in the file; 0: no such page */
  uint32_t length, argument;
  bool is_bad; /* known not to unpack: not tried again */
  TriageReason reason;
} Page;

typedef struct {
  GArray *pages; /* Page by number */
  uint64_t page_bytes;
  uint8_t *page, *packed; /* one page, and as stored */
  uint64_t in_page;       /* its number, UINT64_MAX: none */
  bool is_encrypted;
} Aff;

static bool aff_probe(const ImagePeek *peek) {
  return peek->n_head >= FILE_HEADER && memcmp(peek->head, "AFF10\r\n", 7) == 0;
}

static bool read_exact(Image *image, void *buffer, size_t n, uint64_t offset) {
  return image_files_pread(image->files, 0, buffer, n, offset) == (ssize_t)n;
}

/* "page12", or "seg12" of the first versions. */
static bool page_number(const char *name, uint64_t *number) {
  const char *digits = g_str_has_prefix(name, "page")  ? name + 4
                       : g_str_has_prefix(name, "seg") ? name + 3
                                                       : "";
  char *end = NULL;
  *number = g_ascii_strtoull(digits, &end, 10);
  return g_ascii_isdigit(*digits) && *end == '\0' && *number <= INT64_MAX / PAGE_MAX;
}

static void take_page(Aff *aff, uint64_t number, const Page *page) {
  if (number >= LIMIT_AFF_SEGMENTS)
    return;
  if (number >= aff->pages->len)
    g_array_set_size(aff->pages, (guint)number + 1);
  Page *known = &g_array_index(aff->pages, Page, number);
  if (known->at == 0)
    *known = *page;
}

/* What a segment says of the acquisition. */
static void take_text(Image *image, const char *name, const uint8_t *bytes, size_t n) {
  static const char *const TEXTS[][2] = {{"case_num", "Case number"},
                                         {"acquisition_date", "Acquisition date"},
                                         {"acquisition_device", "Acquisition device"},
                                         {"acquisition_notes", "Notes"},
                                         {"acquisition_commandline", "Acquisition command"},
                                         {"device_model", "Model"},
                                         {"device_sn", "Serial number"},
                                         {"afflib_version", "Acquisition software"}};
  for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++)
    if (strcmp(name, TEXTS[i][0]) == 0)
      image_add_property(image, TEXTS[i][1], bytes, n);
  bool is_md5 = strcmp(name, "md5") == 0 && n == 16, is_sha1 = strcmp(name, "sha1") == 0 && n == 20;
  for (size_t i = 0; (is_md5 || is_sha1) && i < n; i++)
    g_snprintf((is_md5 ? image->info.stored_md5 : image->info.stored_sha1) + 2 * i, 3, "%02x",
               bytes[i]);
}

static void take_segment(Image *image, Aff *aff, const char *name, const Page *segment) {
  uint8_t bytes[1024];
  size_t n = MIN(segment->length, sizeof bytes);
  uint64_t number;
  if (page_number(name, &number))
    take_page(aff, number, segment);
  else if (strstr(name, "/aes256") != NULL || g_str_has_prefix(name, "affkey"))
    aff->is_encrypted = true;
  else if (strcmp(name, "pagesize") == 0 || strcmp(name, "segsize") == 0)
    aff->page_bytes = segment->argument;
  else if (!read_exact(image, bytes, n, segment->at))
    return;                                          /* the walk meets it too */
  else if (strcmp(name, "imagesize") == 0 && n == 8) /* low word first */
    image->info.size = (uint64_t)image_be32(bytes + 4) << 32 | image_be32(bytes);
  else
    take_text(image, name, bytes, n);
}

/* All segments, one behind the other; false where they break off. */
static bool walk_segments(Image *image, Aff *aff) {
  uint64_t end = image_files_size(image->files, 0), at = FILE_HEADER;
  for (guint n = 0; at < end; n++) {
    uint8_t head[HEAD], tail[TAIL];
    char name[NAME_MAX_BYTES + 1] = "";
    if (n >= LIMIT_AFF_SEGMENTS || !read_exact(image, head, sizeof head, at) ||
        memcmp(head, "AFF\0", 4) != 0)
      return false;
    uint32_t n_name = image_be32(head + 4);
    Page segment = {.at = at + HEAD + n_name,
                    .length = image_be32(head + 8),
                    .argument = image_be32(head + 12)};
    uint64_t past = segment.at + segment.length;
    if (past + TAIL > end || !read_exact(image, tail, sizeof tail, past) ||
        memcmp(tail, "ATT\0", 4) != 0 || image_be32(tail + 4) != past + TAIL - at)
      return false;
    if (n_name > 0 && n_name <= NAME_MAX_BYTES && read_exact(image, name, n_name, at + HEAD))
      take_segment(image, aff, name, &segment);
    at = past + TAIL;
  }
  return true;
}

static void know_missing(Image *image, const Aff *aff, TriageReason reason) {
  uint64_t n = image->info.size / aff->page_bytes + (image->info.size % aff->page_bytes != 0);
  uint64_t missing = 0;
  for (uint64_t i = 0; i < MIN(n, aff->pages->len); i++)
    if (g_array_index(aff->pages, Page, i).at == 0) {
      missing++;
      image_know_damage(image, i * aff->page_bytes,
                        MIN(aff->page_bytes, image->info.size - i * aff->page_bytes), reason);
    }
  if (n > aff->pages->len) {
    missing += n - aff->pages->len;
    image_know_damage(image, aff->pages->len * aff->page_bytes,
                      image->info.size - aff->pages->len * aff->page_bytes, reason);
  }
  if (missing > 0)
    image_add_problem(image,
                      "%" G_GUINT64_FORMAT " of the AFF image's %" G_GUINT64_FORMAT
                      " pages are not there.",
                      missing, n);
}

static gboolean aff_open(Image *image, GError **error) {
  const char *shown = image_files_shown(image->files, 0);
  if (image_files_n(image->files) != 1)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: an AFF image in several files cannot be read", shown);
  Aff *aff = g_new0(Aff, 1);
  image->state = aff;
  aff->pages = g_array_new(FALSE, TRUE, sizeof(Page));
  aff->in_page = UINT64_MAX;
  bool is_whole = walk_segments(image, aff);
  if (aff->is_encrypted)
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED, "%s: the AFF image is encrypted", shown);
  if (image->info.size == 0 || image->info.size > INT64_MAX || aff->page_bytes < 512 ||
      aff->page_bytes > PAGE_MAX)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "%s: the AFF image does not say its size and that of its pages", shown);
  aff->page = g_malloc(aff->page_bytes);
  aff->packed = g_malloc(aff->page_bytes);
  if (!is_whole)
    image_add_problem(image, "%s: the AFF image's segments break off.", shown);
  know_missing(image, aff, is_whole ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TRUNCATED);
  return TRUE;
}

/* Brings a page into aff->page; false with the reason. */
static bool load(Image *image, Aff *aff, uint64_t number, const Page *page, TriageReason *reason) {
  if (aff->in_page == number)
    return true;
  aff->in_page = UINT64_MAX;
  *reason = TRIAGE_REASON_READ_ERROR;
  if (page == NULL || page->at == 0)
    return false;
  uint64_t want = MIN(aff->page_bytes, image->info.size - number * aff->page_bytes);
  bool is_packed = (page->argument & FLAG_PACKED) != 0;
  uint32_t method = page->argument & METHOD_MASK;
  if (is_packed && method == METHOD_ZERO) {
    memset(aff->page, 0, aff->page_bytes);
    aff->in_page = number;
    return true;
  }
  *reason = TRIAGE_REASON_CORRUPT;
  uint8_t *into = is_packed ? aff->packed : aff->page;
  if (page->length > aff->page_bytes)
    return false;
  if (is_packed && method != METHOD_ZLIB) {
    *reason = TRIAGE_REASON_UNSUPPORTED_FORMAT;
    return false;
  }
  uLongf n = page->length;
  if (!read_exact(image, into, page->length, page->at)) {
    *reason = TRIAGE_REASON_READ_ERROR;
    return false;
  }
  if (is_packed) {
    n = aff->page_bytes;
    if (uncompress(aff->page, &n, aff->packed, page->length) != Z_OK)
      return false;
  }
  if (n < want)
    return false;
  aff->in_page = number;
  return true;
}

static bool load_once(Image *image, Aff *aff, uint64_t number, TriageReason *reason) {
  Page *pages = (Page *)(void *)aff->pages->data;
  Page *page = pages != NULL && number < aff->pages->len ? &pages[number] : NULL;
  if (page != NULL && page->is_bad) {
    *reason = page->reason;
    return false;
  }
  bool ok = load(image, aff, number, page, reason);
  if (page != NULL && !ok) {
    page->is_bad = true;
    page->reason = *reason;
  }
  return ok;
}

static void aff_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  Aff *aff = image->state;
  while (n > 0) {
    uint64_t inside = offset % aff->page_bytes;
    size_t part = (size_t)MIN((uint64_t)n, aff->page_bytes - inside);
    TriageReason reason = TRIAGE_REASON_CORRUPT;
    if (load_once(image, aff, offset / aff->page_bytes, &reason)) {
      memcpy(buffer, aff->page + inside, part);
    } else {
      memset(buffer, 0, part);
      image_note_damage(image, offset, part, reason);
    }
    offset += part, buffer += part, n -= part;
  }
}

static void aff_close(Image *image) {
  Aff *aff = image->state;
  if (aff == NULL)
    return;
  g_array_unref(aff->pages);
  g_free(aff->page);
  g_free(aff->packed);
  g_free(aff);
}

const ImageFormat IMAGE_AFF = {
    .row = {.stage = "image",
            .name = "aff",
            .title = "Advanced Forensic Format (AFF)",
            .spec = "AFF 1.0, as libafflib 3.7 writes it",
            .library = "zlib",
            .limitations = "one file, stored or zlib: AFD, AFM and encrypted ones are refused, "
                           "pages packed with LZMA are listed; what the image marks as bad sectors "
                           "is examined as it marks them",
            .available = true},
    .probe = aff_probe,
    .open = aff_open,
    .read = aff_read,
    .close = aff_close,
};
