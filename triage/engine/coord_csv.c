/* SPDX-License-Identifier: Apache-2.0 */
/* coord_csv.c - libcsv, with bounds. */
#include "engine/coord_csv.h"
#include "base/io.h"
#include "base/text.h"
#include "triage/error.h"
#include <csv.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_MAX = 256, STEP = 256 * 1024 };

typedef struct {
  CsvRow row;
  void *user;
  GPtrArray *fields;
  uint64_t number;
  bool is_too_wide, is_refused;
  GError **error;
} Reading;

static void take_field(void *bytes, size_t n, void *user) {
  Reading *reading = user;
  if (reading->fields->len < FIELDS_MAX)
    g_ptr_array_add(reading->fields, g_strndup(bytes != NULL ? bytes : "", n));
  else
    reading->is_too_wide = true;
}

static void take_row(int end, void *user) {
  Reading *reading = user;
  (void)end;
  reading->number++;
  if (!reading->is_refused && !reading->is_too_wide)
    reading->is_refused =
        !reading->row(reading->user, reading->fields, reading->number, reading->error);
  g_ptr_array_set_size(reading->fields, 0);
}

static bool parse(struct csv_parser *parser, int fd, Reading *reading, const char **why) {
  g_autofree char *buffer = g_malloc(STEP);
  uint64_t at = 0;
  for (;;) {
    ssize_t n = io_pread(fd, buffer, STEP, at);
    if (n < 0) {
      *why = g_strerror(errno);
      return false;
    }
    if (n == 0)
      break;
    at += (uint64_t)n;
    if (csv_parse(parser, buffer, (size_t)n, take_field, take_row, reading) != (size_t)n)
      *why = csv_strerror(csv_error(parser));
    else if (reading->is_too_wide)
      *why = "a row has too many fields";
    if (*why != NULL || reading->is_refused)
      return false;
  }
  if (csv_fini(parser, take_field, take_row, reading) != 0)
    *why = csv_strerror(csv_error(parser));
  return *why == NULL && !reading->is_refused;
}

bool csv_read(const char *path, bool is_strict, CsvRow row, void *user, GError **error) {
  g_autofree char *shown = text_printable(path, strlen(path));
  auto_fd fd = io_open_read(path, NULL);
  if (fd < 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be opened: %s", shown,
                       g_strerror(errno));
  struct csv_parser parser;
  if (csv_init(&parser, is_strict ? CSV_STRICT | CSV_STRICT_FINI : 0) != 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "no room to read %s", shown);
  g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
  Reading reading = {row, user, fields, 0, false, false, error};
  const char *why = NULL;
  bool ok = parse(&parser, fd, &reading, &why);
  csv_free(&parser);
  if (why != NULL)
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: row %llu: %s", shown,
                (unsigned long long)reading.number + 1, why);
  return ok;
}
