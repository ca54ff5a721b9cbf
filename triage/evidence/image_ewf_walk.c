/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf_walk.c - the section chain of every segment of an E01 set: which tables there are, what
 * the set claims to hold, where a segment is cut. libewf walks the same chain but keeps silent
 * about what it does not find. Reads descriptors and table headers; chunk data only where a table
 * was cut off. */
#include "base/limits.h"
#include "evidence/image_ewf.h"
#include <string.h>

typedef struct {
  guint segment;
  uint64_t at, next;     /* the descriptor; the next section */
  uint64_t data, n_data; /* what follows the descriptor and lies in the file */
  char type[17];
  bool sum_holds;
} Section;

bool ewf_pread(Image *image, guint segment, void *buffer, size_t n, uint64_t offset) {
  return image_files_pread(image->files, segment, buffer, n, offset) == (ssize_t)n;
}

bool ewf_sum_holds(const uint8_t *bytes, size_t n, const uint8_t *stored) {
  return adler32_z(1, bytes, n) == image_le32(stored);
}

static void add_gap(Ewf *ewf, TriageReason reason) {
  guint n = ewf->tables->len;
  if (n > 0 && g_array_index(ewf->tables, EwfTable, n - 1).gap)
    return; /* the first reason stands */
  EwfTable gap = {.gap = true, .reason = reason};
  g_array_append_val(ewf->tables, gap);
}

/* Header and entries of a table section; false where the header cannot be trusted. */
static bool table_header(Image *image, const Section *section, EwfTable *table) {
  uint8_t head[EWF_TABLE_HEADER];
  if (section->n_data < sizeof head ||
      !ewf_pread(image, section->segment, head, sizeof head, section->data))
    return false;
  table->segment = section->segment;
  table->start = section->at;
  table->end = section->next;
  table->entries = section->data + EWF_TABLE_HEADER;
  table->n_chunks = image_le32(head);
  table->base = image_le64(head + 8);
  uint64_t room = (section->n_data - EWF_TABLE_HEADER) / 4;
  return ewf_sum_holds(head, 20, head + 20) && table->n_chunks <= room &&
         table->n_chunks <= LIMIT_EWF_TABLE_ENTRIES && table->base <= INT64_MAX - UINT32_MAX;
}

static void take_table(Image *image, Ewf *ewf, const Section *section) {
  EwfTable table = {.segment = section->segment, .start = section->at, .end = section->next};
  if (!table_header(image, section, &table)) {
    table.header_bad = true;
    table.n_chunks = 0;
    image_add_problem(image,
                      "%s: the chunk table at byte %" G_GUINT64_FORMAT
                      " is damaged; its second copy is used where there is one.",
                      image_files_shown(image->files, section->segment), section->at);
  }
  if (table.header_bad || table.n_chunks > 0)
    g_array_append_val(ewf->tables, table);
}

static void take_table2(Image *image, Ewf *ewf, const Section *section) {
  EwfTable copy = {0};
  if (!table_header(image, section, &copy)) {
    image_add_problem(
        image, "%s: the second copy of a chunk table at byte %" G_GUINT64_FORMAT " is damaged.",
        image_files_shown(image->files, section->segment), section->at);
    return;
  }
  guint n = ewf->tables->len;
  EwfTable *first = n > 0 ? &g_array_index(ewf->tables, EwfTable, n - 1) : NULL;
  bool follows = first != NULL && !first->gap && first->segment == section->segment &&
                 first->end == section->at;
  if (follows && first->header_bad) {
    copy.start = first->start;
    *first = copy;
  } else if (follows && first->n_chunks == copy.n_chunks && first->base == copy.base) {
    first->backup = copy.entries;
  } else if (!follows && copy.n_chunks > 0) {
    g_array_append_val(ewf->tables, copy); /* the table before it could not be recognised */
  }
}

/* The copy of the volume section in a later segment tells another set identifier; where the writing
 * tool left that empty (ewfacquire), another number of chunks or sectors. */
static bool is_foreign(const Ewf *ewf, const uint8_t *data, size_t n) {
  static const uint8_t none[16];
  if (n < sizeof ewf->volume || ewf->smart || !ewf_sum_holds(data, n - 4, data + n - 4) ||
      !ewf_sum_holds(ewf->volume, n - 4, ewf->volume + n - 4))
    return false; /* too little to go by */
  const uint8_t *own = ewf->volume;
  if (memcmp(own + 64, none, 16) != 0 && memcmp(data + 64, none, 16) != 0)
    return memcmp(own + 64, data + 64, 16) != 0;
  return memcmp(own + 4, data + 4, 20) != 0;
}

/* The first volume section counts. False where the segment is of another set. */
static bool take_volume(Image *image, Ewf *ewf, const Section *section) {
  uint8_t data[sizeof ewf->volume];
  size_t n = (size_t)MIN(section->n_data, (uint64_t)sizeof data);
  if (n < 94 || !ewf_pread(image, section->segment, data, n, section->data))
    return true;
  if (ewf->has_volume) {
    if (!ewf->smart && n == sizeof data && !ewf_sum_holds(data, n - 4, data + n - 4))
      image_add_problem(image, "%s: the copy of the media's description is damaged.",
                        image_files_shown(image->files, section->segment));
    return !is_foreign(ewf, data, n);
  }
  g_autoptr(GError) error = NULL;
  if (!ewf_volume_read(image, ewf, data, n, &error))
    image_add_problem(image, "%s", error->message);
  return true;
}

static void take_place(EwfPlace *place, const Section *section) {
  if (place->length == 0)
    *place = (EwfPlace){section->segment, section->data, section->n_data};
}

static bool is(const Section *section, const char *type) {
  return strcmp(section->type, type) == 0;
}

static void take_header(Ewf *ewf, const Section *section) {
  if (ewf->n_headers == G_N_ELEMENTS(ewf->headers))
    return;
  ewf->header_utf16[ewf->n_headers] = is(section, "header2");
  take_place(&ewf->headers[ewf->n_headers++], section);
}

/* False where the segment turns out to belong to another set. */
static bool take_section(Image *image, Ewf *ewf, const Section *section) {
  if (is(section, "table"))
    take_table(image, ewf, section);
  else if (is(section, "table2"))
    take_table2(image, ewf, section);
  else if (is(section, "volume") || is(section, "disk") || is(section, "data"))
    return take_volume(image, ewf, section);
  else if (is(section, "header") || is(section, "header2"))
    take_header(ewf, section);
  else if (is(section, "hash"))
    take_place(&ewf->hash, section);
  else if (is(section, "digest"))
    take_place(&ewf->digest, section);
  else if (is(section, "error2"))
    take_place(&ewf->error2, section);
  return true;
}

static bool known_type(const Section *section) {
  static const char *const types[] = {"header",  "header2", "volume", "disk",      "data",
                                      "sectors", "table",   "table2", "hash",      "digest",
                                      "error2",  "session", "next",   "done",      "xheader",
                                      "xhash",   "ltree",   "ltypes", "incomplete"};
  for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
    if (is(section, types[i]))
      return true;
  return false;
}

/* Reads the descriptor at section->at. False where there is none to go by. */
static bool section_read(Image *image, Section *section) {
  uint8_t raw[EWF_SECTION];
  if (!ewf_pread(image, section->segment, raw, sizeof raw, section->at))
    return false;
  memcpy(section->type, raw, 16);
  section->type[16] = '\0';
  section->next = image_le64(raw + 16);
  section->sum_holds = ewf_sum_holds(raw, 72, raw + 72);
  uint64_t size = image_le64(raw + 24), by_size;
  bool last = is(section, "next") || is(section, "done");
  bool next_good = last || section->next >= section->at + EWF_SECTION;
  if (!next_good && size >= EWF_SECTION && g_uint64_checked_add(&by_size, section->at, size)) {
    section->next = by_size; /* the length says the same in another way */
    next_good = true;
  }
  section->data = section->at + EWF_SECTION;
  uint64_t file_size = image_files_size(image->files, section->segment);
  uint64_t end = MIN(section->next, file_size);
  section->n_data = end > section->data ? end - section->data : 0;
  return known_type(section) ? next_good : section->sum_holds && next_good;
}

static void cut(Image *image, Ewf *ewf, guint segment, uint64_t at) {
  uint64_t size = image_files_size(image->files, segment);
  bool truncated = at >= size || size - at < EWF_SECTION;
  image_add_problem(image,
                    truncated ? "%s: is cut: its sections go on at byte %" G_GUINT64_FORMAT
                                " but the file ends at byte %" G_GUINT64_FORMAT "."
                              : "%s: the section at byte %" G_GUINT64_FORMAT
                                " is damaged, and what follows it in the %" G_GUINT64_FORMAT
                                " bytes of the file cannot be found.",
                    image_files_shown(image->files, segment), at, size);
  add_gap(ewf, truncated ? TRIAGE_REASON_TRUNCATED : TRIAGE_REASON_CORRUPT);
}

static void walk_segment(Image *image, Ewf *ewf, guint segment) {
  guint n_tables = ewf->tables->len;
  uint64_t untabled = 0; /* where the chunks of a sectors section begin, until its table comes */
  const char *shown = image_files_shown(image->files, segment);
  ewf->done = false;
  for (Section section = {.segment = segment, .at = EWF_FILE_HEADER};; section.at = section.next) {
    if (++ewf->n_sections > LIMIT_EWF_SECTIONS || !section_read(image, &section)) {
      if (untabled != 0)
        ewf_salvage(image, ewf, segment, untabled,
                    MIN(section.at, image_files_size(image->files, segment)));
      cut(image, ewf, segment, section.at);
      return;
    }
    if (is(&section, "sectors"))
      untabled = section.data;
    else if (is(&section, "table") || is(&section, "table2"))
      untabled = 0;
    if (!section.sum_holds)
      image_add_problem(image,
                        "%s: the checksum of the section \"%s\" at byte %" G_GUINT64_FORMAT
                        " does not hold.",
                        shown, section.type, section.at);
    if (is(&section, "done") || is(&section, "next")) {
      ewf->done = is(&section, "done");
      return;
    }
    if (!take_section(image, ewf, &section)) {
      image_add_problem(
          image, "%s: belongs to another set (its identifier differs) and is left out.", shown);
      g_array_set_size(ewf->tables, n_tables);
      add_gap(ewf, TRIAGE_REASON_MISSING_SEGMENT);
      return;
    }
  }
}

/* The number a segment gives itself, 0 where it is no segment. */
static guint segment_number(Image *image, guint index) {
  uint8_t head[EWF_FILE_HEADER];
  if (!image_files_present(image->files, index) || !ewf_pread(image, index, head, sizeof head, 0) ||
      memcmp(head, "EVF\x09\x0d\x0a\xff\x00", 8) != 0)
    return 0;
  return image_le16(head + 9);
}

/* For each number from 1 the file that holds it (G_MAXUINT: none). A file keeps the place its own
 * header gives it; where two claim the same place, the one that is named so has it. */
static GArray *segment_order(Image *image) {
  guint n = image_files_n(image->files), highest = 0;
  g_autofree guint *numbers = g_new0(guint, n);
  for (guint i = 0; i < n; i++) {
    numbers[i] = segment_number(image, i);
    highest = MAX(highest, MAX(numbers[i], i + 1));
  }
  GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(guint), highest);
  const guint none = G_MAXUINT;
  for (guint i = 0; i < highest; i++)
    g_array_append_val(order, none);
  for (guint i = 0; i < n; i++)
    if (numbers[i] == i + 1)
      g_array_index(order, guint, i) = i;
  for (guint i = 0; i < n; i++) {
    if (numbers[i] == i + 1 || !image_files_present(image->files, i))
      continue;
    guint *slot = numbers[i] > 0 ? &g_array_index(order, guint, numbers[i] - 1) : NULL;
    bool placed = slot != NULL && *slot == none;
    if (placed)
      *slot = i;
    image_add_problem(image,
                      slot == NULL ? "%s: does not begin as an E01 segment (number %u expected).%s"
                                   : "%s: stands at place %u of the set, but its header gives it "
                                     "another number%s.",
                      image_files_shown(image->files, i), i + 1,
                      slot == NULL ? ""
                      : placed     ? ", which is used"
                                   : ", which is taken: left out");
  }
  return order;
}

static void note_absent(Image *image, Ewf *ewf, guint place) {
  bool there = place < image_files_n(image->files) && image_files_present(image->files, place);
  TriageReason reason = there ? TRIAGE_REASON_CORRUPT
                        : place < image_files_n(image->files)
                            ? image_files_reason(image->files, place)
                            : TRIAGE_REASON_MISSING_SEGMENT;
  if (!there)
    image_add_problem(image, "Segment %u of the set is %s.", place + 1,
                      reason == TRIAGE_REASON_READ_ERROR ? "not readable" : "missing");
  add_gap(ewf, reason);
}

void ewf_walk(Image *image, Ewf *ewf) {
  g_autoptr(GArray) order = segment_order(image);
  for (guint place = 0; place < order->len; place++) {
    guint segment = g_array_index(order, guint, place);
    if (segment == G_MAXUINT) {
      note_absent(image, ewf, place);
      ewf->done = false;
      continue;
    }
    walk_segment(image, ewf, segment);
    if (ewf->done && place + 1 < order->len) {
      image_add_problem(image, "%s: says it is the last segment, but others follow.",
                        image_files_shown(image->files, segment));
    } else if (!ewf->done && place + 1 == order->len) {
      guint n = ewf->tables->len;
      if (n == 0 || !g_array_index(ewf->tables, EwfTable, n - 1).gap)
        image_add_problem(image, "%s: is not the last segment of its set; later ones are missing.",
                          image_files_shown(image->files, segment));
      add_gap(ewf, TRIAGE_REASON_MISSING_SEGMENT);
    }
  }
}
