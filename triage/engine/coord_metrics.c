/* SPDX-License-Identifier: Apache-2.0 */
/* coord_metrics.c - how far a run is, in the text form of Prometheus, for a collector of text
 * files: a reader sees the old file or the new one, never half of one. */
#include "base/io.h"
#include "engine/coord_private.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A label's value: backslash, quote and line feed are escaped. */
static void append_label(GString *text, const char *value) {
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == '\\' || *p == '"')
      g_string_append_c(text, '\\');
    if (*p == '\n')
      g_string_append(text, "\\n");
    else
      g_string_append_c(text, *p);
  }
}

static void append_metric(GString *text, const char *name, const char *help, uint64_t value) {
  g_string_append_printf(text, "# HELP triage_%s %s\n# TYPE triage_%s gauge\ntriage_%s %llu\n",
                         name, help, name, name, (unsigned long long)value);
}

void run_put_metrics(const Run *run, bool is_running) {
  const Progress *progress = &run->progress;
  const char *path = run->options->metrics;
  if (path == NULL)
    return;
  g_autoptr(GString) text = g_string_new(NULL);
  append_metric(text, "running", "1 while the run examines evidence", is_running);
  append_metric(text, "evidence_pieces", "Pieces of evidence of the case",
                g_strv_length(run->options->evidence));
  append_metric(text, "objects_examined", "Objects examined by this run", progress->objects);
  append_metric(text, "bytes_examined", "Bytes of these objects", progress->bytes);
  append_metric(text, "bytes_known", "Bytes of all objects listed so far", progress->bytes_total);
  append_metric(text, "hits", "Hits found by this run", progress->hits);
  append_metric(text, "workers_lost", "Objects examined again after losing a worker", run->retries);
  append_metric(text, "chunks", "Chunks that the container of the evidence at hand has",
                run->n_chunks);
  append_metric(text, "chunks_read_listing", "Chunks unpacked to open evidence and list objects",
                run->chunks_read[JOB_ENUMERATE]);
  append_metric(text, "chunks_read_objects", "Chunks unpacked to examine objects alone",
                run->chunks_read[JOB_SCAN]);
  append_metric(text, "chunks_read_digests",
                "Chunks unpacked for digests of evidence, and for objects with them",
                run->chunks_read[JOB_DIGEST] + run->chunks_read[JOB_INFLATE]);
  append_metric(text, "updated_seconds", "When this file was written, seconds since 1970",
                (uint64_t)(g_get_real_time() / G_USEC_PER_SEC));
  g_string_append(text, "# HELP triage_evidence The piece of evidence at hand, its number\n"
                        "# TYPE triage_evidence gauge\ntriage_evidence{name=\"");
  append_label(text, run->probe != NULL ? run->probe->name : "");
  g_string_append_printf(text, "\"} %u\n", run->evidence);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || !io_write_all(fd, text->str, text->len) || rename(temporary, path) != 0)
    unlink(temporary); /* a collector's want of a number does not stop an examination */
}
