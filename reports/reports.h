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
  bool is_foreign;       /* another program makes it: its bytes are held by the manifest alone */
  bool is_for_many;      /* written by every scan of more than one piece of evidence */
  bool (*write)(Store *store, int fd, GError **error);
} ReportWriter;

const ReportWriter *const *report_writers(size_t *n);

/* False with error (usage) where a name is none of a format; NULL: all default ones. */
bool reports_check_formats(const char *const *formats, GError **error);
/* Renders the named formats (NULL: all default ones; "entries" where meta "entries" is set) into
 * dir, each through a temporary file, fsync and rename, so that a reader never sees half a report;
 * then manifest.json and manifest.sha256 over every file of the case, which are always written. A
 * write that fails (full disk) names the file and what to do. */
bool reports_render(Store *store, const char *dir, const char *const *formats, GError **error);

/* ---- triage verify ---- */
enum { MANIFEST_BYTES_MAX = 1 << 20 };
/* SHA-256 of a file of dir in lower-case hex; sha256 has 65 bytes. */
bool reports_digest_file(const char *dir, const char *name, char *sha256, GError **error);
int reports_compare_names(gconstpointer a, gconstpointer b); /* for arrays of char * */
/* Holds every file of dir against manifest.sha256: adds one sentence (transfer full) for each that
 * has changed, is missing, or is not in it. False with error where there is no manifest to go by.
 */
bool reports_check_manifest(const char *dir, GPtrArray *problems, GError **error);
/* Holds the action log against its own chain and against what manifest.json knows of it; one
 * sentence naming the first line that breaks. False where the case was made without a log. */
bool reports_check_log(const char *dir, GPtrArray *problems);
/* Renders every format that dir holds again into the directory scratch, compares, removes it; one
 * sentence for each that differs. */
bool reports_check_rendered(Store *store, const char *dir, const char *scratch, GPtrArray *problems,
                            GError **error);
