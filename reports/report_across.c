/* SPDX-License-Identifier: Apache-2.0 */
/* report_across.c - the comparison as files: within one case, or of many in a directory of its own.
 */
#include "base/io.h"
#include "reports/across_out.h"
#include "reports/report_writers.h"
#include "reports/reports.h"
#include "triage/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef bool (*Writer)(const AcrossReport *report, int fd, GError **error);

static bool write_case(Store *store, Writer writer, int fd, GError **error) {
  g_autoptr(Across) across = across_new(error);
  if (across == NULL || !across_add_case(across, store, "", "", error) ||
      !across_group(across, ACROSS_LEAST, error))
    return false;
  const AcrossReport report = {across, ACROSS_LEAST, true};
  return writer(&report, fd, error);
}

bool report_write_across(Store *store, int fd, GError **error) {
  return write_case(store, across_write_html, fd, error);
}

bool report_write_across_csv(Store *store, int fd, GError **error) {
  return write_case(store, across_write_csv, fd, error);
}

typedef struct {
  const AcrossReport *report;
  const char *dir;
  GString *sums;
} Output;

static bool write_sums(const Output *output, int fd, GError **error) {
  return io_write_all(fd, output->sums->str, output->sums->len) ||
         triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
}

/* writer NULL: the list of digests. */
static bool write_one(const Output *output, const char *name, Writer writer, GError **error) {
  g_autofree char *path = g_build_filename(output->dir, name, NULL);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  GError *problem = NULL;
  bool ok = fd >= 0;
  if (ok)
    ok = writer != NULL ? writer(output->report, fd, &problem) : write_sums(output, fd, &problem);
  if (problem == NULL && (!ok || fsync(fd) != 0 || rename(temporary, path) != 0))
    ok = triage_fail(&problem, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
  if (!ok) {
    unlink(temporary);
    triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", path, problem->message);
    g_clear_error(&problem);
    return false;
  }
  char sha256[65];
  if (writer != NULL && !reports_digest_file(output->dir, name, sha256, error))
    return false;
  if (writer != NULL)
    g_string_append_printf(output->sums, "%s  %s\n", sha256, name);
  return true;
}

bool across_write(const AcrossReport *report, const char *dir, GError **error) {
  g_autoptr(GString) sums = g_string_new(NULL);
  const Output output = {report, dir, sums};
  return write_one(&output, "across.csv", across_write_csv, error) &&
         write_one(&output, "across.html", across_write_html, error) &&
         write_one(&output, "across.sha256", NULL, error);
}
