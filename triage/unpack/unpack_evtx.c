/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_evtx.c - Windows event logs by libevtx: the texts of each record, in UTF-8, and script
 * blocks of PowerShell (event 4104), which it cuts into several records, in one piece. */
#include "base/keyhash.h"
#include "unpack/unpack_bfio.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <libevtx.h>
#include <string.h>

enum {
  BASE_BYTES = 4096,
  CHUNK_BYTES = 65536,
  N_CHUNKS_AT = 42,
  EVENT_SCRIPT_BLOCK = 4104,
  FIRST_BYTES = 32,    /* records with less text are left to the file's own bytes */
  STRINGS_MAX = 65536, /* of one record */
  NAMED_MAX = 16       /* records named one by one */
};
#define STRING_MAX (1 * MIB)

/* One record's part of a script block: what stands in the strings of event 4104, in this order. */
enum { STRING_NUMBER, STRING_TOTAL, STRING_TEXT, STRING_ID, STRINGS_OF_BLOCK };
typedef struct {
  const char *id; /* of the block */
  uint64_t number, total, record;
  int index;
  bool is_recovered;
} Part;

typedef struct {
  Unpack *unpack;
  Container *container;
  BfioSource source;
  libbfio_handle_t *handle;
  libevtx_file_t *file;
  GArray *parts;   /* Part */
  GHashTable *ids; /* owns their texts */
  uint64_t n_failed;
  bool is_over; /* a limit was met, and told */
} Log;

static void record_free(libevtx_record_t *record) {
  if (record != NULL)
    libevtx_record_free(&record, NULL);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libevtx_record_t, record_free)

bool probe_evtx(const uint8_t *data, uint64_t size) {
  enum { MAJOR_AT = 38, BLOCK_AT = 40 };
  return size >= BASE_BYTES && memcmp(data, "ElfFile", 8) == 0 &&
         bytes_le16(data + MAJOR_AT) == 3 && bytes_le16(data + BLOCK_AT) == BASE_BYTES;
}

/* One record of many that could not be had costs one row, not one for each. */
static void fail(Log *log, const char *what, libevtx_error_t **error) {
  char text[512] = "libevtx gives no reason";
  if (*error != NULL)
    libevtx_error_sprint(*error, text, sizeof text);
  libevtx_error_free(error);
  text[sizeof text - 1] = '\0';
  char *colon = strstr(text, ": ");
  g_autofree char *valid = g_utf8_make_valid(colon != NULL ? colon + 2 : text, -1);
  if (log->n_failed++ == 0)
    unpack_damage(log->unpack, log->container, TRIAGE_REASON_CORRUPT,
                  "%s of the event log cannot be read: %s; more such records are not listed one by "
                  "one; its bytes were scanned as they are, in UTF-16 too",
                  what, g_strstrip(valid));
}

static bool is_within_limits(Log *log) {
  if (log->unpack->is_stopped || log->is_over)
    return false;
  if (log->container->n_members < LIMIT_MEMBERS && log->parts->len < LIMIT_MEMBERS &&
      unpack_budget(log->unpack) > 0)
    return true;
  log->is_over = true;
  unpack_damage(log->unpack, log->container, TRIAGE_REASON_SIZE_LIMIT,
                "what follows the first %" G_GUINT64_FORMAT
                " records of the event log was not unpacked: the limit of %u records, or "
                "--max-expanded, is used up",
                log->container->n_members, LIMIT_MEMBERS);
  return false;
}

static libevtx_record_t *take_record(Log *log, int i, bool is_recovered, libevtx_error_t **error) {
  libevtx_record_t *record = NULL;
  int status = is_recovered
                   ? libevtx_file_get_recovered_record_by_index(log->file, i, &record, error)
                   : libevtx_file_get_record_by_index(log->file, i, &record, error);
  return status == 1 ? record : NULL;
}

/* (transfer full); NULL where the library does not give it. */
static char *take_string(libevtx_record_t *record, int i, libevtx_error_t **error) {
  size_t n = 0;
  if (libevtx_record_get_utf8_string_size(record, i, &n, error) != 1 || n > STRING_MAX)
    return NULL;
  char *text = g_malloc0(n + 1);
  if (n > 0 && libevtx_record_get_utf8_string(record, i, (uint8_t *)text, n, error) != 1)
    g_clear_pointer(&text, g_free);
  return text;
}

static uint64_t number_of(libevtx_record_t *record) {
  uint64_t number = 0;
  return libevtx_record_get_identifier(record, &number, NULL) == 1 ? number : 0;
}

static TriageTime time_of(libevtx_record_t *record) {
  uint64_t ticks = 0;
  if (libevtx_record_get_written_time(record, &ticks, NULL) != 1)
    ticks = 0;
  return triage_time_of_filetime(ticks, TIME_EVENT_LOG);
}

/* Hands text out under that name; why: what is missing, may be NULL. */
static void give(Log *log, const char *name, const GString *text, TriageTime written,
                 const GError *why) {
  Intake intake;
  g_autoptr(GError) limit = NULL, trouble = NULL;
  g_autoptr(GBytes) raw = g_bytes_new(name, MIN(strlen(name), LIMIT_NAME_BYTES));
  intake_init(&intake, log->unpack, log->container);
  intake_append(&intake, text->str, text->len, &limit);
  g_autoptr(Content) content = intake_finish(&intake, &trouble);
  if (!unpack_alive(log->unpack, text->len))
    return;
  const GError *error = content == NULL ? trouble : limit != NULL ? limit : why;
  if (content == NULL || (content_size(content) == 0 && error != NULL)) {
    const MemberPath path = {log->container->path, raw, "raw", log->container->path->depth + 1};
    unpack_gap(log->unpack, &path, text->len, 0, triage_error_reason(error), "%s", error->message);
    return;
  }
  Member member = {.content = content, .size = text->len, .modified = written, .error = error};
  unpack_member(log->unpack, log->container, raw, &member);
}

/* ---- one record ---- */

static void hand_out(Log *log, libevtx_record_t *record, uint32_t event, bool is_recovered) {
  libevtx_error_t *error = NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  int n = 0;
  if (libevtx_record_get_number_of_strings(record, &n, &error) != 1)
    n = -1;
  for (int i = 0; i < MIN(n, STRINGS_MAX); i++) {
    g_autofree char *string = take_string(record, i, &error);
    if (string == NULL)
      n = -1;
    else if (text->len < STRING_MAX)
      g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", string);
  }
  if (n < 0 || n > STRINGS_MAX || text->len >= STRING_MAX)
    fail(log, "the texts of a record", &error);
  if (text->len < FIRST_BYTES)
    return;
  g_autofree char *name =
      g_strdup_printf("record %" G_GUINT64_FORMAT " (event %u%s)", number_of(record), event,
                      is_recovered ? ", recovered" : "");
  give(log, name, text, time_of(record), NULL);
}

/* ---- script blocks ---- */

static bool read_number(const char *text, uint64_t *number) {
  return text != NULL && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32, number, NULL);
}

/* Is the record part of a script block? It is then kept for later. */
static bool is_part(Log *log, libevtx_record_t *record, int index, bool is_recovered) {
  int n = 0;
  Part part = {.index = index, .is_recovered = is_recovered, .record = number_of(record)};
  if (libevtx_record_get_number_of_strings(record, &n, NULL) != 1 || n < STRINGS_OF_BLOCK)
    return false;
  g_autofree char *number = take_string(record, STRING_NUMBER, NULL);
  g_autofree char *total = take_string(record, STRING_TOTAL, NULL);
  g_autofree char *id = take_string(record, STRING_ID, NULL);
  if (!read_number(number, &part.number) || !read_number(total, &part.total) ||
      part.number > part.total || id == NULL || *id == '\0')
    return false;
  part.id = g_hash_table_lookup(log->ids, id);
  if (part.id == NULL) {
    part.id = id;
    g_hash_table_add(log->ids, g_steal_pointer(&id));
  }
  g_array_append_val(log->parts, part);
  return true;
}

static gint by_block(gconstpointer a, gconstpointer b) {
  const Part *x = a, *y = b;
  int by_id = strcmp(x->id, y->id);
  if (by_id != 0)
    return by_id;
  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  if (x->is_recovered != y->is_recovered)
    return x->is_recovered ? 1 : -1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static void name_records(GString *name, const Part *const *used, guint n) {
  bool is_run = n > 2;
  for (guint i = 1; i < n; i++)
    is_run = is_run && used[i]->record == used[i - 1]->record + 1;
  g_string_append(name, n > 1 ? " (records " : " (record ");
  if (is_run)
    g_string_append_printf(name, "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, used[0]->record,
                           used[n - 1]->record);
  for (guint i = 0; !is_run && i < MIN(n, NAMED_MAX); i++)
    g_string_append_printf(name, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", used[i]->record);
  g_string_append(name, !is_run && n > NAMED_MAX ? ", ...)" : ")");
}

/* Appends the text of the part; hands its record out alone where there was such a part before. */
static bool add_part(Log *log, const Part *part, bool is_again, GString *text,
                     TriageTime *written) {
  libevtx_error_t *error = NULL;
  g_autoptr(libevtx_record_t) record = take_record(log, part->index, part->is_recovered, &error);
  g_autofree char *string =
      record != NULL && !is_again ? take_string(record, STRING_TEXT, &error) : NULL;
  if (is_again && record != NULL) {
    hand_out(log, record, EVENT_SCRIPT_BLOCK, part->is_recovered);
    return false;
  }
  if (string == NULL) {
    fail(log, "a part of a script block", &error);
    return false;
  }
  if (!written->is_set)
    *written = time_of(record);
  g_string_append(text, string);
  return true;
}

static void give_block(Log *log, const Part *parts, guint n) {
  g_autoptr(GString) text = g_string_new(NULL), name = g_string_new("script block ");
  g_autoptr(GPtrArray) used = g_ptr_array_new();
  g_autoptr(GError) error = NULL;
  TriageTime written = {0};
  const Part *last = NULL;
  for (guint i = 0; i < n && is_within_limits(log) && text->len < unpack_budget(log->unpack); i++)
    if (add_part(log, &parts[i], last != NULL && last->number == parts[i].number, text, &written))
      g_ptr_array_add(used, (gpointer)(last = &parts[i]));
  if (used->len == 0)
    return;
  g_string_append(name, parts->id);
  name_records(name, (const Part *const *)used->pdata, used->len);
  if (used->len < parts[n - 1].total)
    triage_fail(&error, TRIAGE_REASON_TRUNCATED,
                "%u of the %" G_GUINT64_FORMAT
                " parts of this script block are in the event log; they were joined",
                used->len, parts[n - 1].total);
  give(log, name->str, text, written, error);
}

static void give_blocks(Log *log) {
  g_array_sort(log->parts, by_block);
  const Part *parts = (const Part *)(const void *)log->parts->data;
  for (guint i = 0, n; i < log->parts->len && is_within_limits(log); i += n) {
    for (n = 1; i + n < log->parts->len && strcmp(parts[i].id, parts[i + n].id) == 0;)
      n++;
    give_block(log, parts + i, n);
  }
}

/* ---- the file ---- */

static void open_records(Log *log, bool is_recovered) {
  libevtx_error_t *error = NULL;
  int n = 0;
  if ((is_recovered ? libevtx_file_get_number_of_recovered_records(log->file, &n, &error)
                    : libevtx_file_get_number_of_records(log->file, &n, &error)) != 1)
    fail(log, "the number of records", &error);
  for (int i = 0; i < n && is_within_limits(log); i++) {
    uint32_t event = 0;
    g_autoptr(libevtx_record_t) record = take_record(log, i, is_recovered, &error);
    if (record == NULL || libevtx_record_get_event_identifier(record, &event, &error) != 1)
      fail(log, is_recovered ? "a recovered record" : "a record", &error);
    else if (event != EVENT_SCRIPT_BLOCK || !is_part(log, record, i, is_recovered))
      hand_out(log, record, event, is_recovered);
  }
}

static void check_extent(Log *log) {
  const uint8_t *data = content_data(log->container->content);
  uint64_t size = content_size(log->container->content), end = BASE_BYTES;
  uint64_t claimed = BASE_BYTES + (uint64_t)CHUNK_BYTES * bytes_le16(data + N_CHUNKS_AT);
  if (claimed > size)
    unpack_damage(log->unpack, log->container, TRIAGE_REASON_TRUNCATED,
                  "the event log claims %" G_GUINT64_FORMAT " bytes and %" G_GUINT64_FORMAT
                  " are there: it is cut off; what could be unpacked was",
                  claimed, size);
  /* A log that was not closed has more chunks than its header knows of. */
  while (end < size && size - end >= 8 && memcmp(data + end, "ElfChnk", 8) == 0)
    end += CHUNK_BYTES;
  log->container->end = MIN(MAX(claimed, end), size);
}

void unpack_evtx_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
  g_autoptr(GHashTable) ids = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  Log log = {.unpack = unpack, .container = container, .parts = parts, .ids = ids};
  libevtx_error_t *error = NULL;
  (void)self;
  check_extent(&log);
  if (!bfio_source_open(&log.source, unpack, container->content, LIMIT_EVTX_READS, &log.handle,
                        &error) ||
      libevtx_file_initialize(&log.file, &error) != 1 ||
      libevtx_file_open_file_io_handle(log.file, log.handle, LIBEVTX_OPEN_READ, &error) != 1) {
    fail(&log, "the header", &error);
  } else {
    open_records(&log, false);
    open_records(&log, true);
    give_blocks(&log);
    if (!container->is_damaged && libevtx_file_is_corrupted(log.file, NULL) == 1)
      unpack_damage(unpack, container, TRIAGE_REASON_CORRUPT,
                    "the event log's checksums or headers do not hold: records were recovered "
                    "where libevtx found any; its bytes were scanned as they are, in UTF-16 too");
  }
  if (log.file != NULL)
    libevtx_file_free(&log.file, NULL);
  if (log.handle != NULL)
    libbfio_handle_free(&log.handle, NULL);
  libevtx_error_free(&error);
}

const char *unpack_evtx_version(void) {
  return libevtx_get_version();
}
