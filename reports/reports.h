/* SPDX-License-Identifier: Apache-2.0 */
/* reports.h - the files of a case directory, rendered from the store alone. One const row for each
 * format in reports_table.c; all rows are sorted by stable keys, none holds a time of the run
 * except report.html and manifest.json. */
#pragma once
#include "base/row.h"
#include "store/store.h"

typedef struct {
  Row row;
  const char *file_name; /* "hits.csv" */
  bool is_default;       /* written by every scan */
  bool (*write)(Store *store, int fd, GError **error);
} ReportWriter;

const ReportWriter *const *report_writers(size_t *n);

/* Renders the named formats (NULL: all default ones; "entries" where meta "entries" is set) into
 * dir, each through a temporary file, fsync and rename, so that a reader never sees half a report;
 * then manifest.json and manifest.sha256 over every file of the case, which are always written. A
 * write that fails (full disk) names the file and what to do. */
bool reports_render(Store *store, const char *dir, const char *const *formats, GError **error);
