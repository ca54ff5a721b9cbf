/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_header.c - label, header and metadata areas of an LVM2 physical volume, as pvcreate(8) and
 * LVM2's format_text write them. A metadata area begins with a sector that leads to the current
 * description of the group; behind it lie, in a circle, the older ones too. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include "evidence/lvm.h"
#include <string.h>
#include <zlib.h>

enum {
  LABEL_SECTORS = 4,
  LABEL_SUMMED = 20, /* the checksum is of what is behind it */
  LABEL_HEADER = 20, /* field: where the PV's header begins */
  PV_LOCATIONS = 40, /* of 16 bytes: data areas, a zero one, metadata areas, a zero one */
  LOCATION = 16,
  AREA_HEADER = 512,
  AREA_SUMMED = 4,
  AREA_LOCATION = 40, /* the current description; behind it one that was about to be */
  LOCATION_IGNORED = 1,
};
static const char AREA_MAGIC[16] = {' ', 'L', 'V', 'M', '2', ' ', 'x', '[',
                                    '5', 'A', '%', 'r', '0', 'N', '*', '>'};

G_STATIC_ASSERT(G_N_ELEMENTS(((LvmLabel *)NULL)->areas) == LIMIT_LVM_AREAS);

/* LVM2's CRC-32 begins with a number of its own and is not inverted. */
static uint32_t checksum(uint32_t before, const uint8_t *bytes, size_t n) {
  return ~(uint32_t)crc32(~before, bytes, (uInt)n);
}
static const uint32_t CHECKSUM_START = 0xf597a6cf;

bool lvm_uuid_take(const char *text, size_t n, char *out) {
  size_t taken = 0;
  for (size_t i = 0; i < n; i++) {
    char c = text[i];
    if (c == '-')
      continue;
    if (taken == LVM_UUID || (!g_ascii_isalnum(c) && c != '!' && c != '#'))
      return false;
    out[taken++] = c;
  }
  out[taken] = '\0';
  return taken == LVM_UUID;
}

/* ---- the label ---- */

static bool is_label(const DerivedBase *base, uint64_t at) {
  return derived_has(base, at, "LABELONE", 8) && derived_has(base, at + 24, "LVM2 001", 8) &&
         base->length - at >= LVM_SECTOR;
}

bool lvm_probe(const DerivedBase *base) {
  for (uint64_t i = 0; i < LABEL_SECTORS; i++)
    if (is_label(base, i * LVM_SECTOR))
      return true;
  return false;
}

static bool take_label(const DerivedBase *base, uint64_t at, LvmLabel *label) {
  uint8_t sector[LVM_SECTOR];
  image_read(base->base, base->offset + at, sector, sizeof sector);
  size_t header = image_le32(sector + LABEL_HEADER);
  memset(label, 0, sizeof *label);
  label->has_bad_checksum = checksum(CHECKSUM_START, sector + LABEL_SUMMED,
                                     sizeof sector - LABEL_SUMMED) != image_le32(sector + 16) ||
                            image_le64(sector + 8) != at / LVM_SECTOR;
  if (header > sizeof sector - PV_LOCATIONS ||
      !lvm_uuid_take((const char *)sector + header, LVM_UUID, label->uuid))
    return false;
  bool is_metadata = false;
  for (size_t p = header + PV_LOCATIONS; p <= sizeof sector - LOCATION; p += LOCATION) {
    uint64_t offset = image_le64(sector + p), size = image_le64(sector + p + 8), end;
    if (offset == 0 && is_metadata)
      return true;
    if (offset == 0)
      is_metadata = true;
    else if (is_metadata && label->n_areas < LIMIT_LVM_AREAS && size > AREA_HEADER &&
             g_uint64_checked_add(&end, offset, size) && offset < base->length)
      label->areas[label->n_areas++] = (Range){offset, MIN(end, base->length)};
  }
  return is_metadata;
}

bool lvm_label_read(const DerivedBase *base, LvmLabel *label, GError **error) {
  bool is_taken = false;
  for (uint64_t i = 0; i < LABEL_SECTORS; i++) {
    LvmLabel one;
    uint64_t at = i * LVM_SECTOR;
    if (!is_label(base, at) || !take_label(base, at, &one))
      continue;
    if (!is_taken || (label->has_bad_checksum && !one.has_bad_checksum))
      *label = one;
    is_taken = true;
  }
  return is_taken || triage_fail(error, TRIAGE_REASON_CORRUPT,
                                 "an LVM2 physical volume whose header is damaged");
}

/* ---- descriptions ---- */

void lvm_text_free(LvmText *text) {
  if (text == NULL)
    return;
  lvm_node_free(text->root);
  g_free(text);
}

/* What stands in a circle behind the area's header, from a place on. */
static void read_circle(const DerivedBase *base, const Range *area, uint64_t at, uint8_t *out,
                        size_t n) {
  uint64_t size = area->end - area->start;
  size_t before = (size_t)MIN((uint64_t)n, size - at);
  image_read(base->base, base->offset + area->start + at, out, before);
  if (before < n)
    image_read(base->base, base->offset + area->start + AREA_HEADER, out + before, n - before);
}

/* One section that is the group, and the marks the writer puts behind it. */
static LvmText *take_text(const char *bytes, size_t n, GError **error) {
  g_autoptr(LvmText) text = g_new0(LvmText, 1);
  text->root = lvm_text_parse(bytes, n, error);
  if (text->root == NULL)
    return NULL;
  uint64_t version = 0;
  for (guint i = 0; i < lvm_node_n(text->root) && text->group == NULL; i++) {
    const LvmNode *node = lvm_node_at(text->root, i);
    text->group = node->kind == LVM_SECTION ? node : NULL;
  }
  const char *contents = lvm_node_text(text->root, "contents");
  const char *uuid = lvm_node_text(text->group, "id");
  if (contents == NULL || strcmp(contents, "Text Format Volume Group") != 0 ||
      !lvm_node_number(text->root, "version", &version) || version != 1 || uuid == NULL ||
      !lvm_uuid_take(uuid, strlen(uuid), text->uuid) ||
      !lvm_node_number(text->group, "seqno", &text->seqno)) {
    triage_fail(error, TRIAGE_REASON_CORRUPT, "it is not a group of version 1");
    return NULL;
  }
  return g_steal_pointer(&text);
}

typedef enum { CURRENT_NONE, CURRENT_DAMAGED, CURRENT_TAKEN } Current;

/* The description that the area's first sector leads to. */
static Current read_current(const DerivedBase *base, const Range *area, LvmText **text,
                            GError **error) {
  uint8_t head[AREA_HEADER];
  uint64_t size = area->end - area->start, stated;
  image_read(base->base, base->offset + area->start, head, sizeof head);
  if (memcmp(head + 4, AREA_MAGIC, sizeof AREA_MAGIC) != 0 ||
      checksum(CHECKSUM_START, head + AREA_SUMMED, sizeof head - AREA_SUMMED) != image_le32(head)) {
    triage_fail(error, TRIAGE_REASON_CORRUPT, "its header is damaged");
    return CURRENT_DAMAGED;
  }
  uint64_t at = image_le64(head + AREA_LOCATION), n = image_le64(head + AREA_LOCATION + 8);
  if (at == 0 || n == 0 || (image_le32(head + AREA_LOCATION + 20) & LOCATION_IGNORED) != 0)
    return CURRENT_NONE;
  stated = image_le64(head + 32);
  if (image_le64(head + 24) != area->start || stated > size || at < AREA_HEADER || at >= stated ||
      n > stated - AREA_HEADER || n > LIMIT_LVM_TEXT_BYTES) {
    triage_fail(error, TRIAGE_REASON_CORRUPT, "its header leads nowhere");
    return CURRENT_DAMAGED;
  }
  Range circle = {area->start, area->start + stated};
  g_autofree uint8_t *bytes = g_malloc0((size_t)n);
  read_circle(base, &circle, at, bytes, (size_t)n);
  if (checksum(CHECKSUM_START, bytes, (size_t)n) != image_le32(head + AREA_LOCATION + 16)) {
    triage_fail(error, TRIAGE_REASON_CORRUPT, "the checksum of its description is wrong");
    return CURRENT_DAMAGED;
  }
  *text = take_text((const char *)bytes, (size_t)n, error);
  return *text != NULL ? CURRENT_TAKEN : CURRENT_DAMAGED;
}

/* ---- older copies ---- */

typedef struct {
  uint64_t at, seqno;
} Older;

static gint compare_older(gconstpointer a, gconstpointer b) {
  const Older *x = a, *y = b;
  return x->seqno != y->seqno ? (x->seqno > y->seqno ? -1 : 1) : (x->at > y->at) - (x->at < y->at);
}

/* A sector that a description begins in: "name {", soon after it the first two values. */
static bool is_start(const uint8_t *sector, uint64_t *seqno) {
  char head[LVM_SECTOR + 1];
  memcpy(head, sector, LVM_SECTOR);
  head[LVM_SECTOR] = '\0';
  const char *bracket = strstr(head, " {\n"), *mark = strstr(head, "\nseqno = ");
  if (bracket == NULL || mark == NULL || bracket == head || bracket > mark ||
      strcspn(head, " \n") != (size_t)(bracket - head))
    return false;
  *seqno = g_ascii_strtoull(mark + 9, NULL, 10);
  return true;
}

/* The newest complete description in an area. */
static LvmText *find_older(const DerivedBase *base, const Range *area) {
  uint64_t size = MIN(area->end - area->start, LIMIT_LVM_AREA_BYTES) / LVM_SECTOR * LVM_SECTOR;
  g_autofree uint8_t *bytes = g_malloc0((size_t)size);
  g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(Older));
  image_read(base->base, base->offset + area->start, bytes, (size_t)size);
  for (uint64_t at = AREA_HEADER; at < size; at += LVM_SECTOR) {
    Older one = {.at = at};
    if (is_start(bytes + at, &one.seqno))
      g_array_append_val(starts, one);
  }
  g_array_sort(starts, compare_older);
  for (guint i = 0; i < MIN(starts->len, LIMIT_LVM_OLDER); i++) {
    uint64_t at = g_array_index(starts, Older, i).at;
    size_t n = (size_t)MIN(size - AREA_HEADER, LIMIT_LVM_TEXT_BYTES);
    g_autofree uint8_t *whole = g_malloc0(n);
    size_t before = (size_t)MIN((uint64_t)n, size - at);
    memcpy(whole, bytes + at, before);
    memcpy(whole + before, bytes + AREA_HEADER, n - before);
    LvmText *text = take_text((const char *)whole, n, NULL);
    if (text != NULL) {
      text->is_older = true;
      return text;
    }
  }
  return NULL;
}

static void take_newer(LvmText **best, LvmText *text) {
  if (text == NULL)
    return;
  bool is_better = *best == NULL || text->seqno > (*best)->seqno;
  lvm_text_free(is_better ? *best : text);
  *best = is_better ? text : *best;
}

LvmText *lvm_metadata_read(const DerivedBase *base, const LvmLabel *label, GString *trouble) {
  g_autoptr(LvmText) best = NULL;
  bool is_damaged = false;
  for (guint i = 0; i < label->n_areas; i++) {
    g_autoptr(GError) error = NULL;
    LvmText *text = NULL;
    if (read_current(base, &label->areas[i], &text, &error) == CURRENT_DAMAGED) {
      g_string_append_printf(trouble, "%smetadata area %u of %u is damaged (%s)",
                             trouble->len > 0 ? "; " : "", i + 1, label->n_areas, error->message);
      is_damaged = true;
    }
    take_newer(&best, text);
  }
  for (guint i = 0; i < label->n_areas && is_damaged && best == NULL; i++)
    take_newer(&best, find_older(base, &label->areas[i]));
  return g_steal_pointer(&best);
}
