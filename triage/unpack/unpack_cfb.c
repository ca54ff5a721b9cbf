/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_cfb.c - OLE2 compound files after [MS-CFB]. Every chain is followed at most as many steps
 * as the file has sectors, the directory tree with a stack of its own. */
#include "unpack/unpack_cfb.h"
#include "unpack/unpack_bytes.h"
#include <string.h>

enum { HEADER_FAT = 109, HEADER_BYTES = 512, ENTRY_BYTES = 128, READ_BYTES = 1 << 20 };
static const uint32_t LAST_SECTOR = 0xFFFFFFFA; /* above: marks, not sectors */
static const uint32_t END_OF_CHAIN = 0xFFFFFFFE;

static uint64_t sector_offset(const Cfb *cfb, uint32_t sector) {
  return ((uint64_t)sector + 1) * cfb->sector_bytes;
}

/* Entry number i of a table that lies in the given sectors. */
static uint32_t table_at(const Cfb *cfb, const GArray *sectors, uint32_t i) {
  uint32_t per_sector = cfb->sector_bytes / 4;
  if (i / per_sector >= sectors->len)
    return CFB_NONE;
  uint64_t at = sector_offset(cfb, g_array_index(sectors, uint32_t, i / per_sector)) +
                4 * (uint64_t)(i % per_sector);
  return at + 4 <= cfb->size ? bytes_le32(cfb->data + at) : CFB_NONE;
}

/* The sectors of a chain, up to most of them. */
static GArray *chain(Cfb *cfb, uint32_t start, uint64_t most) {
  GArray *sectors = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  uint32_t sector = start;
  while (sector < cfb->n_sectors && sectors->len < most) {
    if (sectors->len >= cfb->n_sectors) {
      cfb->is_loop = true;
      return sectors;
    }
    g_array_append_val(sectors, sector);
    sector = table_at(cfb, cfb->fat, sector);
  }
  if (sectors->len < most && sector >= cfb->n_sectors && sector <= LAST_SECTOR)
    cfb->is_cut = true;
  return sectors;
}

/* The allocation table's own sectors: 109 in the header, the others in a chain of their own. */
static void read_difat(Cfb *cfb) {
  uint32_t next = bytes_le32(cfb->data + 68), per_sector = cfb->sector_bytes / 4;
  uint32_t n_fat = bytes_le32(cfb->data + 44);
  for (unsigned i = 0; i < HEADER_FAT; i++) {
    uint32_t sector = bytes_le32(cfb->data + 76 + 4 * (size_t)i);
    if (sector <= LAST_SECTOR && cfb->fat->len < n_fat)
      g_array_append_val(cfb->fat, sector);
  }
  for (uint32_t n = 0; next < cfb->n_sectors && cfb->fat->len < n_fat; n++) {
    uint64_t at = sector_offset(cfb, next);
    if (n >= cfb->n_sectors) {
      cfb->is_loop = true;
      return;
    }
    if (cfb->size - at < cfb->sector_bytes)
      break;
    for (uint32_t i = 0; i + 1 < per_sector && cfb->fat->len < n_fat; i++) {
      uint32_t sector = bytes_le32(cfb->data + at + 4 * (uint64_t)i);
      if (sector <= LAST_SECTOR)
        g_array_append_val(cfb->fat, sector);
    }
    next = bytes_le32(cfb->data + at + cfb->sector_bytes - 4);
  }
  if (cfb->fat->len < n_fat)
    cfb->is_cut = true;
}

static void read_directory(Cfb *cfb, uint32_t start) {
  g_autoptr(GArray) sectors = chain(cfb, start, UINT32_MAX);
  bool is_small = cfb->sector_bytes == 512;
  for (guint i = 0; i < sectors->len; i++) {
    uint64_t at = sector_offset(cfb, g_array_index(sectors, uint32_t, i));
    for (uint64_t end = at + cfb->sector_bytes; at < end; at += ENTRY_BYTES) {
      if (cfb->size - MIN(at, cfb->size) < ENTRY_BYTES)
        return;
      if (cfb->entries->len >= LIMIT_OLE_ENTRIES) {
        cfb->is_over = true;
        return;
      }
      const uint8_t *p = cfb->data + at;
      CfbEntry entry = {.at = at,
                        .size = is_small ? bytes_le32(p + 120) : bytes_le64(p + 120),
                        .start = bytes_le32(p + 116),
                        .parent = CFB_NONE,
                        .type = p[66]};
      g_array_append_val(cfb->entries, entry);
    }
  }
}

typedef struct {
  uint32_t entry, parent;
} Step;

static void push(const Cfb *cfb, GArray *steps, uint32_t entry, uint32_t parent) {
  Step step = {entry, parent};
  if (entry < cfb->entries->len && !g_array_index(cfb->entries, CfbEntry, entry).is_linked)
    g_array_append_val(steps, step);
}

/* Which entry lies in which storage. */
static void link_entries(Cfb *cfb) {
  g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(Step));
  push(cfb, steps, 0, CFB_NONE);
  while (steps->len > 0) {
    Step step = g_array_index(steps, Step, steps->len - 1);
    g_array_set_size(steps, steps->len - 1);
    CfbEntry *entry = &g_array_index(cfb->entries, CfbEntry, step.entry);
    if (entry->is_linked)
      continue;
    entry->is_linked = true;
    entry->parent = step.parent;
    const uint8_t *p = cfb->data + entry->at;
    if (step.entry != 0) {
      push(cfb, steps, bytes_le32(p + 68), step.parent);
      push(cfb, steps, bytes_le32(p + 72), step.parent);
    }
    if (entry->type != CFB_STREAM)
      push(cfb, steps, bytes_le32(p + 76), step.entry);
  }
}

static bool is_installer(const Cfb *cfb) {
  static const uint8_t TAIL[] = {0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};
  const uint8_t *p = cfb->data + g_array_index(cfb->entries, CfbEntry, 0).at + 80;
  return (p[0] == 0x82 || p[0] == 0x84 || p[0] == 0x86) && memcmp(p + 1, TAIL, sizeof TAIL) == 0;
}

bool cfb_open(Cfb *cfb, Unpack *unpack, const Content *content, GError **error) {
  const uint8_t *data = content_data(content);
  uint64_t size = content_size(content);
  memset(cfb, 0, sizeof *cfb);
  cfb->fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  cfb->mini_fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  cfb->mini_stream = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  cfb->entries = g_array_new(FALSE, FALSE, sizeof(CfbEntry));
  if (size < HEADER_BYTES)
    return triage_fail(error, TRIAGE_REASON_TRUNCATED,
                       "the OLE2 file ends within its header, after %" G_GUINT64_FORMAT " bytes",
                       size);
  unsigned shift = bytes_le16(data + 30), mini_shift = bytes_le16(data + 32);
  if (shift < 7 || shift > 16 || mini_shift < 4 || mini_shift > shift)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "the OLE2 file's header gives impossible sector sizes (2^%u and 2^%u)",
                       shift, mini_shift);
  cfb->unpack = unpack;
  cfb->data = data;
  cfb->size = size;
  cfb->sector_bytes = UINT32_C(1) << shift;
  cfb->mini_bytes = UINT32_C(1) << mini_shift;
  cfb->mini_cutoff = bytes_le32(data + 56);
  uint64_t n_sectors = (size + cfb->sector_bytes - 1) / cfb->sector_bytes - 1;
  cfb->n_sectors = (uint32_t)MIN(n_sectors, LAST_SECTOR);
  cfb->allowance = MAX(size, MIB) * LIMIT_OLE_SHARED;
  read_difat(cfb);
  read_directory(cfb, bytes_le32(data + 48));
  if (cfb->entries->len == 0)
    return triage_fail(error, cfb->is_cut ? TRIAGE_REASON_TRUNCATED : TRIAGE_REASON_CORRUPT,
                       "the OLE2 file's directory cannot be found");
  link_entries(cfb);
  cfb->is_msi = is_installer(cfb);
  const CfbEntry *root = &g_array_index(cfb->entries, CfbEntry, 0);
  g_array_unref(cfb->mini_fat);
  g_array_unref(cfb->mini_stream);
  cfb->mini_fat = chain(cfb, bytes_le32(data + 60), UINT32_MAX);
  cfb->mini_stream = chain(cfb, root->start, root->size / cfb->sector_bytes + 1);
  cfb->mini_stream_bytes = (uint64_t)cfb->mini_stream->len * cfb->sector_bytes;
  return true;
}

void cfb_clear(Cfb *cfb) {
  g_clear_pointer(&cfb->fat, g_array_unref);
  g_clear_pointer(&cfb->mini_fat, g_array_unref);
  g_clear_pointer(&cfb->mini_stream, g_array_unref);
  g_clear_pointer(&cfb->entries, g_array_unref);
}

/* Half of a surrogate pair is put as the three bytes it would have: no valid UTF-8, so it is shown
 * escaped. */
static void append_unit(GString *out, uint32_t c) {
  if (c < 0x80) {
    g_string_append_c(out, (char)c);
  } else if (c < 0x800) {
    g_string_append_c(out, (char)(0xC0 | c >> 6));
    g_string_append_c(out, (char)(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    g_string_append_c(out, (char)(0xE0 | c >> 12));
    g_string_append_c(out, (char)(0x80 | (c >> 6 & 0x3F)));
    g_string_append_c(out, (char)(0x80 | (c & 0x3F)));
  } else {
    g_string_append_unichar(out, c);
  }
}

/* Windows Installer packs two letters into one unit of a range no name is written in. */
static bool append_packed(GString *out, uint32_t c) {
  static const char LETTERS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
  if (c == 0x4840)
    g_string_append_c(out, '!');
  else if (c >= 0x4800 && c < 0x4840)
    g_string_append_c(out, LETTERS[c - 0x4800]);
  else if (c >= 0x3800 && c < 0x4800)
    g_string_append_printf(out, "%c%c", LETTERS[(c - 0x3800) & 0x3F], LETTERS[(c - 0x3800) >> 6]);
  else
    return false;
  return true;
}

/* Units of the name, without its terminator. */
static unsigned name_units(const uint8_t *p) {
  unsigned n = bytes_le16(p + 64) / 2;
  n = MIN(n, 32);
  while (n > 0 && bytes_le16(p + 2 * (size_t)(n - 1)) == 0)
    n--;
  return n;
}

static void append_units(GString *out, const uint8_t *p, uint64_t n, bool is_packed) {
  for (uint64_t i = 0; i < n; i++) {
    uint32_t c = bytes_le16(p + 2 * i);
    if (c == 0)
      return;
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < n) {
      uint32_t low = bytes_le16(p + 2 * (i + 1));
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        i++;
      }
    }
    if (!is_packed || !append_packed(out, c))
      append_unit(out, c);
  }
}

void cfb_append_utf16(GString *out, const uint8_t *p, uint64_t n_units) {
  append_units(out, p, n_units, false);
}

void cfb_append_name(const Cfb *cfb, const CfbEntry *entry, GString *out) {
  const uint8_t *p = cfb->data + entry->at;
  append_units(out, p, name_units(p), cfb->is_msi);
}

bool cfb_is_named(const Cfb *cfb, const CfbEntry *entry, const char *name) {
  const uint8_t *p = cfb->data + entry->at;
  unsigned n = name_units(p);
  if (n != strlen(name))
    return false;
  for (unsigned i = 0; i < n; i++) {
    uint32_t c = bytes_le16(p + 2 * (size_t)i);
    if (c >= 0x80 || g_ascii_tolower((char)c) != g_ascii_tolower(name[i]))
      return false;
  }
  return true;
}

GBytes *cfb_path(const Cfb *cfb, uint32_t entry) {
  uint32_t steps[LIMIT_OLE_DEPTH];
  unsigned n = 0;
  uint32_t at = entry;
  while (n < LIMIT_OLE_DEPTH && at != CFB_NONE && at != 0) {
    steps[n++] = at;
    at = g_array_index(cfb->entries, CfbEntry, at).parent;
  }
  GString *out = g_string_new(at != CFB_NONE && at != 0 ? "..." : NULL);
  if (!g_array_index(cfb->entries, CfbEntry, entry).is_linked)
    g_string_append(out, "(unlinked)");
  while (n > 0) {
    if (out->len > 0)
      g_string_append_c(out, '/');
    gsize before = out->len;
    cfb_append_name(cfb, &g_array_index(cfb->entries, CfbEntry, steps[--n]), out);
    if (out->len == before)
      g_string_append_printf(out, "(unnamed %u)", steps[n]);
  }
  return g_string_free_to_bytes(out);
}

TriageTime cfb_time(const Cfb *cfb, const CfbEntry *entry, bool is_modified) {
  uint64_t ticks = bytes_le64(cfb->data + entry->at + (is_modified ? 108 : 100));
  return triage_time_of_filetime(ticks, TIME_OLE);
}

/* Where a sector or mini sector lies: bytes there, up to its end or the file's. 0: nowhere. */
static uint64_t locate(const Cfb *cfb, bool is_mini, uint32_t sector, uint64_t *offset) {
  uint64_t n = cfb->sector_bytes;
  if (is_mini) {
    uint64_t at = (uint64_t)sector * cfb->mini_bytes;
    if (at >= cfb->mini_stream_bytes)
      return 0;
    *offset = sector_offset(
                  cfb, g_array_index(cfb->mini_stream, uint32_t, (guint)(at / cfb->sector_bytes))) +
              at % cfb->sector_bytes;
    n = cfb->mini_bytes;
  } else {
    if (sector >= cfb->n_sectors)
      return 0;
    *offset = sector_offset(cfb, sector);
  }
  return *offset < cfb->size ? MIN(n, cfb->size - *offset) : 0;
}

static bool append_run(Cfb *cfb, Intake *intake, GArray *places, uint64_t offset, uint64_t n,
                       GError **error) {
  CfbPlace place = {intake_size(intake), offset, n};
  if (places != NULL && n > 0)
    g_array_append_val(places, place);
  if (n > cfb->allowance)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                       "the streams of this OLE2 file share their sectors, and together are more "
                       "than %u times its size: what follows was not unpacked",
                       LIMIT_OLE_SHARED);
  cfb->allowance -= n;
  while (n > 0) {
    size_t take = (size_t)MIN(n, READ_BYTES);
    if (!unpack_alive(cfb->unpack, take) || !intake_append(intake, cfb->data + offset, take, error))
      return false;
    offset += take;
    n -= take;
  }
  return true;
}

static bool fail_chain(const Cfb *cfb, uint32_t sector, uint64_t got, uint64_t size,
                       GError **error) {
  bool is_outside = sector <= LAST_SECTOR;
  return triage_fail(error, is_outside ? TRIAGE_REASON_TRUNCATED : TRIAGE_REASON_CORRUPT,
                     "the stream claims %" G_GUINT64_FORMAT " bytes and its chain of sectors %s "
                     "after %" G_GUINT64_FORMAT,
                     size,
                     is_outside                                     ? "leads out of the file"
                     : sector == END_OF_CHAIN || cfb->fat->len == 0 ? "ends"
                                                                    : "breaks off",
                     got);
}

bool cfb_read(Cfb *cfb, const CfbEntry *entry, Intake *intake, GArray *places, GError **error) {
  bool is_mini = entry->size < cfb->mini_cutoff;
  const GArray *table = is_mini ? cfb->mini_fat : cfb->fat;
  uint64_t left = entry->size, run = 0, run_at = 0, n_steps = 0;
  uint64_t most = is_mini ? cfb->mini_stream_bytes / cfb->mini_bytes : cfb->n_sectors;
  uint32_t sector = entry->start;
  while (left > 0) {
    uint64_t offset = 0, n = MIN(left, locate(cfb, is_mini, sector, &offset));
    bool is_loop = n_steps++ >= most && n > 0;
    if (n == 0 || is_loop || run == 0 || offset != run_at + run) {
      if (!append_run(cfb, intake, places, run_at, run, error))
        return false;
      run_at = offset;
      run = 0;
    }
    if (is_loop)
      return triage_fail(error, TRIAGE_REASON_CORRUPT,
                         "the stream's chain of sectors runs in a circle");
    if (n == 0)
      return fail_chain(cfb, sector, entry->size - left, entry->size, error);
    run += n;
    left -= n;
    if (left > 0 && n < (is_mini ? cfb->mini_bytes : cfb->sector_bytes))
      sector = LAST_SECTOR; /* the file ends within this sector */
    else
      sector = table_at(cfb, table, sector);
  }
  return append_run(cfb, intake, places, run_at, run, error);
}

uint64_t cfb_end(const Cfb *cfb) {
  uint64_t per_sector = cfb->sector_bytes / 4, n = cfb->fat->len * per_sector;
  for (uint32_t i = (uint32_t)MIN(n, cfb->n_sectors); i > 0; i--)
    if (table_at(cfb, cfb->fat, i - 1) != CFB_NONE)
      return MIN(sector_offset(cfb, i), cfb->size);
  return cfb->size;
}
