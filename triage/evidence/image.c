/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the front of the image formats: the table, detection by content, clipped reads and the
 * damage they met. Knows the formats by their rows alone. */
#include "evidence/image.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/image_format.h"
#include <errno.h>
#include <string.h>

static bool head_is(const ImagePeek *peek, const char *magic, size_t n) {
  return peek->n_head >= n && memcmp(peek->head, magic, n) == 0;
}

static bool probe_ewf2(const ImagePeek *peek) {
  return head_is(peek, "EVF2\r\n\x81", 8) || head_is(peek, "LEF2\r\n\x81", 8);
}

static bool probe_lvf(const ImagePeek *peek) {
  return head_is(peek, "LVF\x09\r\n\xff", 8);
}

static bool probe_afm(const ImagePeek *peek) {
  return head_is(peek, "AFF1", 4) || head_is(peek, "AFF\r\n", 5);
}

static bool probe_aff4(const ImagePeek *peek) {
  /* A zip whose comment or first member names the volume; the comment of the archive is "aff4://".
   */
  return head_is(peek, "PK\x03\x04", 4) &&
         (memmem(peek->head, MIN(peek->n_head, (size_t)512), "container.description", 21) != NULL ||
          memmem(peek->head, MIN(peek->n_head, (size_t)512), "aff4%3A", 7) != NULL ||
          memmem(peek->tail, peek->n_tail, "aff4://", 7) != NULL);
}

static bool probe_vdi(const ImagePeek *peek) {
  return peek->n_head >= 68 && memcmp(peek->head + 64, "\x7f\x10\xda\xbe", 4) == 0;
}

static bool probe_dmg(const ImagePeek *peek) {
  /* The trailer states its version and its own length: four letters alone would be too little. */
  const uint8_t *trailer = peek->tail + peek->n_tail - 512;
  return peek->n_tail >= 512 && memcmp(trailer, "koly", 4) == 0 && image_be32(trailer + 8) == 512;
}

static bool probe_sparseimage(const ImagePeek *peek) {
  return head_is(peek, "sprs", 4);
}

static bool probe_parallels(const ImagePeek *peek) {
  return head_is(peek, "WithoutFreeSpace", 16) || head_is(peek, "WithouFreSpacExt", 16);
}

static bool probe_qed(const ImagePeek *peek) {
  uint32_t cluster = peek->n_head >= 64 ? image_le32(peek->head + 4) : 0;
  return head_is(peek, "QED\0", 4) && cluster >= 4096 && (cluster & (cluster - 1)) == 0;
}

#define REFUSED(name_, title_, spec_, probe_, why_)                                                \
  {                                                                                                \
    .row = {.stage = "image",                                                                      \
            .name = name_,                                                                         \
            .title = title_,                                                                       \
            .spec = spec_,                                                                         \
            .library = "",                                                                         \
            .limitations = "recognised and refused by name; convert it first",                     \
            .available = false,                                                                    \
            .why_not = why_},                                                                      \
    .probe = probe_                                                                                \
  }

static const ImageFormat IMAGE_EWF2 =
    REFUSED("ewf2", "Expert Witness Compression Format 2 (Ex01, Lx01)", "signatures EVF2, LEF2",
            probe_ewf2, "no reader for version 2 in Debian 12 (libewf 20140813 reads version 1)");
static const ImageFormat IMAGE_LVF =
    REFUSED("l01", "EnCase logical evidence file (L01)", "signature LVF", probe_lvf,
            "holds files instead of a disk; export it to a folder and examine that");
static const ImageFormat IMAGE_AFM =
    REFUSED("afm", "Advanced Forensic Format in several files or older (AFD, AFM)", "signature AFF",
            probe_afm, "only AFF 1.0 in one file is read; join it with affconvert");
static const ImageFormat IMAGE_AFF4 =
    REFUSED("aff4", "Advanced Forensic Format 4", "zip with an aff4:// volume", probe_aff4,
            "no C library in Debian 12");
static const ImageFormat IMAGE_VDI = REFUSED("vdi", "VirtualBox disk image", "signature 0xBEDA107F",
                                             probe_vdi, "no C library in Debian 12");
static const ImageFormat IMAGE_DMG =
    REFUSED("dmg", "Apple disk image (UDIF)", "trailer koly", probe_dmg, "no library in Debian 12");
static const ImageFormat IMAGE_SPARSE =
    REFUSED("sparseimage", "Apple sparse disk image", "signature sprs", probe_sparseimage,
            "no library in Debian 12");
static const ImageFormat IMAGE_PARALLELS =
    REFUSED("parallels", "Parallels hard disk", "signature WithoutFreeSpace", probe_parallels,
            "no library in Debian 12");

static const ImageFormat IMAGE_QED =
    REFUSED("qed", "QEMU enhanced disk", "signature QED", probe_qed, "no library in Debian 12");

/* Order is priority: a strong signature before a weak one, raw last. */
static const ImageFormat *const FORMATS[] = {
    &IMAGE_EWF,    &IMAGE_EWF2,      &IMAGE_LVF,  &IMAGE_AFF,       &IMAGE_AFM, &IMAGE_AFF4,
    &IMAGE_VMDK,   &IMAGE_QCOW,      &IMAGE_VHDX, &IMAGE_VHD,       &IMAGE_VDI, &IMAGE_DMG,
    &IMAGE_SPARSE, &IMAGE_PARALLELS, &IMAGE_QED,  &IMAGE_SPLIT_RAW, &IMAGE_RAW};

static const Row *const ROWS[] = {
    &IMAGE_EWF.row,       &IMAGE_EWF2.row, &IMAGE_LVF.row,    &IMAGE_AFF.row,       &IMAGE_AFM.row,
    &IMAGE_AFF4.row,      &IMAGE_VMDK.row, &IMAGE_QCOW.row,   &IMAGE_VHDX.row,      &IMAGE_VHD.row,
    &IMAGE_VDI.row,       &IMAGE_DMG.row,  &IMAGE_SPARSE.row, &IMAGE_PARALLELS.row, &IMAGE_QED.row,
    &IMAGE_SPLIT_RAW.row, &IMAGE_RAW.row};
G_STATIC_ASSERT(G_N_ELEMENTS(FORMATS) == G_N_ELEMENTS(ROWS));

const Row *const *image_rows(size_t *n) {
  *n = G_N_ELEMENTS(ROWS);
  return ROWS;
}

static void property_free(gpointer data) {
  ImageProperty *property = data;
  g_free(property->name);
  g_free(property->value);
  g_free(property);
}

static Image *image_new(const GPtrArray *segments) {
  Image *image = g_new0(Image, 1);
  image->names = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < segments->len; i++)
    g_ptr_array_add(image->names, g_strdup(g_ptr_array_index(segments, i)));
  image->info.sector_bytes = 512;
  image->info.properties = g_ptr_array_new_with_free_func(property_free);
  image->info.problems = g_ptr_array_new_with_free_func(g_free);
  damage_list_init(&image->recent);
  damage_list_init(&image->all);
  return image;
}

static void image_close_format(Image *image) {
  if (image->format != NULL && image->format->close != NULL)
    image->format->close(image);
  image->format = NULL;
  image->state = NULL;
}

void image_free(Image *image) {
  if (image == NULL)
    return;
  image_close_format(image);
  image_files_free(image->files);
  g_ptr_array_unref(image->names);
  g_ptr_array_unref(image->info.properties);
  g_ptr_array_unref(image->info.problems);
  damage_list_clear(&image->recent);
  damage_list_clear(&image->all);
  g_free(image);
}

static guint first_present(const ImageFiles *files) {
  guint i = 0;
  while (!image_files_present(files, i))
    i++;
  return i;
}

/* Bad sectors at both of its ends do not make an image unreadable: only a file that gives nothing
 * anywhere is refused. */
static bool is_readable_within(Image *image, guint first, uint64_t size) {
  enum { PLACES = 64 };
  uint8_t sector[512];
  for (uint64_t i = 1; i < PLACES && size / PLACES >= sizeof sector; i++)
    if (image_files_pread(image->files, first, sector, sizeof sector, size / PLACES * i) > 0)
      return true;
  return false;
}

static gboolean take_peek(Image *image, ImagePeek *peek, GError **error) {
  guint first = first_present(image->files);
  guint last = image_files_n(image->files) - 1;
  while (!image_files_present(image->files, last))
    last--;
  peek->size = image_files_size(image->files, first);
  ssize_t got = image_files_pread(image->files, first, peek->head, sizeof peek->head, 0);
  if (got < 0) /* a bad sector may lie in the first 64 KiB and yet leave the signature */
    got = image_files_pread(image->files, first, peek->head, 512, 0);
  int failure = errno;
  peek->n_head = got > 0 ? (size_t)got : 0;
  uint64_t end = image_files_size(image->files, last);
  size_t wanted = (size_t)MIN(end, (uint64_t)sizeof peek->tail);
  ssize_t n_tail = image_files_pread(image->files, last, peek->tail, wanted, end - wanted);
  if (n_tail < 0 && wanted > 512) {
    wanted = 512;
    n_tail = image_files_pread(image->files, last, peek->tail, wanted, end - wanted);
  }
  peek->n_tail = n_tail > 0 ? (size_t)n_tail : 0;
  if (peek->size == 0)
    return triage_fail(error, TRIAGE_REASON_TRUNCATED, "%s: is empty (0 bytes)",
                       image_files_shown(image->files, first));
  if (got < 0 && peek->n_tail == 0 && !is_readable_within(image, first, peek->size))
    return triage_fail(error, TRIAGE_REASON_UNREADABLE, "%s: cannot be read: %s",
                       image_files_shown(image->files, first), g_strerror(failure));
  return TRUE;
}

static gboolean open_as(Image *image, const ImageFormat *format, GError **error) {
  image->format = format;
  image->info.format = format->row.name;
  if (format->open(image, error))
    return TRUE;
  image_close_format(image);
  return FALSE;
}

/* A file called .E01 that does not begin as one may be damaged at its very start: say so. */
static void note_odd_name(Image *image) {
  const char *shown = image_files_shown(image->files, first_present(image->files));
  const char *dot = strrchr(shown, '.');
  if (dot == NULL)
    return;
  if (g_ascii_strcasecmp(dot, ".e01") == 0 || g_ascii_strcasecmp(dot, ".vmdk") == 0 ||
      g_ascii_strcasecmp(dot, ".vhd") == 0 || g_ascii_strcasecmp(dot, ".qcow2") == 0)
    image_add_problem(image,
                      "%s: has no signature of the format its name tells; it is read as raw bytes.",
                      shown);
}

static gboolean open_raw(Image *image, GError **error) {
  bool split = image_files_n(image->files) > 1;
  if (!open_as(image, split ? &IMAGE_SPLIT_RAW : &IMAGE_RAW, error))
    return FALSE;
  note_odd_name(image);
  return TRUE;
}

static gboolean open_detected(Image *image, const ImagePeek *peek, GError **error) {
  const ImageFormat *format = NULL;
  for (size_t i = 0; format == NULL; i++)
    if (FORMATS[i]->probe(peek))
      format = FORMATS[i]; /* raw takes anything: the search ends */
  if (format == &IMAGE_RAW)
    return open_raw(image, error);
  if (format->open == NULL)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT, "%s: %s is not supported: %s",
                       image_files_shown(image->files, first_present(image->files)),
                       format->row.title, format->row.why_not);
  g_autoptr(GError) failure = NULL;
  if (open_as(image, format, &failure))
    return TRUE;
  if (!format->raw_if_open_fails) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
  }
  image->info.size = 0;
  image->info.sector_bytes = 512;
  g_ptr_array_set_size(image->info.properties, 0);
  image_add_problem(image, "%s. It is read as raw bytes instead.", failure->message);
  return open_raw(image, error);
}

/* Takes over image. */
static Image *open_files(Image *taken, GError **error) {
  g_autoptr(Image) image = taken;
  image->info.n_segments = image_files_n(image->files);
  g_autofree ImagePeek *peek = g_new0(ImagePeek, 1);
  if (!take_peek(image, peek, error) || !open_detected(image, peek, error))
    return NULL;
  return g_steal_pointer(&image);
}

Image *image_open(GPtrArray *segments, GError **error) {
  if (segments->len == 0 || segments->len > LIMIT_IMAGE_SEGMENTS) {
    triage_fail(error, TRIAGE_REASON_USAGE, "An image of %u segments cannot be opened",
                segments->len);
    return NULL;
  }
  g_autoptr(Image) image = image_new(segments);
  image->files = image_files_new(image->names, error);
  return image->files != NULL ? open_files(g_steal_pointer(&image), error) : NULL;
}

Image *image_open_content(Content *content, const char *shown, GError **error) {
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  Image *image = image_new(none);
  image->files = image_files_new_content(content, shown);
  return open_files(image, error);
}
const ImageInfo *image_info(const Image *image) {
  return &image->info;
}

uint64_t image_size(const Image *image) {
  return image->info.size;
}

void image_read(Image *image, uint64_t offset, void *buffer, size_t n) {
  uint64_t size = image->info.size;
  size_t inside = offset < size ? (size_t)MIN((uint64_t)n, size - offset) : 0;
  if (inside > 0)
    image->format->read(image, offset, buffer, inside);
  if (inside < n) {
    memset((uint8_t *)buffer + inside, 0, n - inside);
    /* Not damage of the container: the asker looked past its end. */
    damage_list_add(&image->recent, offset + inside, n - inside, TRIAGE_REASON_TRUNCATED);
  }
}

void image_read_passing(Image *image, uint64_t offset, void *buffer, size_t n) {
  image->is_passing = true;
  image_read(image, offset, buffer, n);
  image->is_passing = false;
}

void image_use_shared(Image *image, ImageShared shared, void *user) {
  image->shared = shared;
  image->shared_user = user;
}

bool image_take_shared(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  return image->shared != NULL && image->shared(image->shared_user, offset, buffer, n);
}

uint64_t image_chunks_read(const Image *image) {
  return image->n_chunks_read;
}

void image_damage_reset(Image *image) {
  g_array_set_size(image->recent.ranges, 0);
  image->recent.merged = 0;
}

bool image_is_damaged(const Image *image) {
  return image->all.ranges->len > 0;
}

GArray *image_damage(Image *image) {
  return damage_list_get(&image->recent);
}

GArray *image_damage_all(Image *image) {
  return damage_list_get(&image->all);
}

void image_note_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason) {
  damage_list_add(&image->recent, offset, length, reason);
  damage_list_add(&image->all, offset, length, reason);
}

void image_tell_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason) {
  damage_list_add(&image->recent, offset, length, reason);
}

void image_know_damage(Image *image, uint64_t offset, uint64_t length, TriageReason reason) {
  damage_list_add(&image->all, offset, length, reason);
}

void image_add_problem(Image *image, const char *format, ...) {
  GPtrArray *problems = image->info.problems;
  if (problems->len >= LIMIT_IMAGE_PROBLEMS)
    return;
  if (problems->len == LIMIT_IMAGE_PROBLEMS - 1) {
    g_ptr_array_add(problems, g_strdup("Further problems of this container are not listed."));
    return;
  }
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  for (guint i = 0; i < problems->len; i++)
    if (strcmp(g_ptr_array_index(problems, i), text) == 0)
      return; /* met again */
  g_ptr_array_add(problems, g_steal_pointer(&text));
}

void image_add_property(Image *image, const char *name, const void *value, size_t n) {
  GPtrArray *properties = image->info.properties;
  if (n == 0 || properties->len >= LIMIT_IMAGE_PROPERTIES)
    return;
  ImageProperty *property = g_new0(ImageProperty, 1);
  property->name = g_strdup(name);
  property->value = text_printable(value, n);
  g_ptr_array_add(properties, property);
}

void image_add_property_number(Image *image, const char *name, uint64_t value) {
  char text[32];
  int n = g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
  image_add_property(image, name, text, (size_t)n);
}
