/* SPDX-License-Identifier: Apache-2.0 */
/* coord_seal.c - the seals of a case as files beside its manifest: made, imported, checked. */
#include "engine/coord_seal.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include "reports/reports.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEALED "manifest.sha256"
#define SIGNATURE "manifest.p7s"
#define REQUEST "manifest.tsq"
#define REPLY "manifest.tsr"

static GBytes *read_part(const char *dir, const char *name, GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return io_read_file(path, LIMIT_SEAL_BYTES, error);
}

static bool has_part(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return access(path, F_OK) == 0;
}

static bool write_part(const char *dir, const char *name, GBytes *bytes, GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  g_autofree char *shown = text_printable(path, strlen(path));
  gsize n;
  gconstpointer data = g_bytes_get_data(bytes, &n);
  auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0 && io_write_all(fd, data, n) && fsync(fd) == 0 && rename(temporary, path) == 0)
    return true;
  triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", shown, g_strerror(errno));
  unlink(temporary);
  return false;
}

static bool sign(const char *dir, const SealKey *key, GBytes *manifest, GError **error) {
  g_autoptr(GBytes) signature = seal_sign(key, manifest, error);
  g_auto(SealFindings) found = {0};
  return signature != NULL && write_part(dir, SIGNATURE, signature, error) &&
         seal_check_signature(signature, manifest, NULL, 0, &found, error) &&
         case_log(dir, "manifest-signed",
                  (const char *const[]){"signer", found.signer != NULL ? found.signer : "", NULL},
                  error);
}

static bool request(const char *dir, GBytes *manifest, GError **error) {
  g_autoptr(GBytes) made = seal_request(manifest, error);
  return made != NULL && write_part(dir, REQUEST, made, error) &&
         case_log(dir, "time-stamp-requested", NULL, error);
}

static bool import(const char *dir, const char *file, GBytes *manifest, GError **error) {
  g_autofree char *shown = text_printable(file, strlen(file));
  g_autoptr(GError) problem = NULL;
  g_autoptr(GBytes) reply = io_read_file(file, LIMIT_SEAL_BYTES, &problem);
  if (reply == NULL)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s", problem->message);
  g_autoptr(GBytes) asked = has_part(dir, REQUEST) ? read_part(dir, REQUEST, error) : NULL;
  g_auto(SealFindings) found = {0};
  if (asked == NULL && has_part(dir, REQUEST))
    return false;
  if (!seal_check_reply(reply, asked, manifest, NULL, &found, &problem))
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no answer to this case's request: %s",
                       shown, problem->message);
  return write_part(dir, REPLY, reply, error) &&
         case_log(dir, "time-stamp-imported",
                  (const char *const[]){"time", found.when != NULL ? found.when : "", NULL}, error);
}

bool seal_case(const char *dir, const SealOptions *options, const SealKey *key, GError **error) {
  g_autoptr(GBytes) manifest = read_part(dir, SEALED, error);
  g_autofree char *shown = text_printable(dir, strlen(dir));
  /* The stamp answers the request that is there: under another one it would not hold. */
  if (options->wants_stamp && has_part(dir, REPLY))
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s: its manifest bears a time stamp already; 'triage report' writes a new "
                       "one, which can be stamped anew",
                       shown);
  return manifest != NULL && (key == NULL || sign(dir, key, manifest, error)) &&
         (!options->wants_stamp || request(dir, manifest, error)) &&
         (options->reply_file == NULL || import(dir, options->reply_file, manifest, error));
}

static void say(GPtrArray *to, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(GPtrArray *to, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(to, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

/* The time of a stamp that holds and that somebody vouches for; 0: there is none. */
static gint64 check_stamp(const char *dir, GBytes *manifest, const char *trusted,
                          GPtrArray *problems, GPtrArray *notes) {
  if (!has_part(dir, REPLY)) {
    if (trusted != NULL)
      say(problems, REPLY ": is not there: the manifest bears no time stamp");
    return 0;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) reply = read_part(dir, REPLY, &error);
  g_autoptr(GBytes) asked = has_part(dir, REQUEST) ? read_part(dir, REQUEST, NULL) : NULL;
  g_auto(SealFindings) found = {0};
  if (reply == NULL || !seal_check_reply(reply, asked, manifest, trusted, &found, &error)) {
    say(problems, REPLY ": the time stamp does not hold: %s", error->message);
    return 0;
  }
  say(notes, "%s: a time stamp of %s over the manifest%s", trusted != NULL ? "holds" : "found",
      found.when != NULL ? found.when : "(unknown time)",
      trusted != NULL ? "" : "; nobody vouches for it (--verify-timestamp)");
  return trusted != NULL ? found.unix_time : 0;
}

static void check_signature(const char *dir, GBytes *manifest, const char *trusted, gint64 at,
                            GPtrArray *problems, GPtrArray *notes) {
  if (!has_part(dir, SIGNATURE)) {
    if (trusted != NULL)
      say(problems, SIGNATURE ": is not there: the manifest is not signed");
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) signature = read_part(dir, SIGNATURE, &error);
  g_auto(SealFindings) found = {0};
  if (signature == NULL ||
      !seal_check_signature(signature, manifest, trusted, at, &found, &error)) {
    say(problems, SIGNATURE ": the signature does not hold: %s", error->message);
    return;
  }
  say(notes, "%s: a signature of %s over the manifest%s", trusted != NULL ? "holds" : "found",
      found.signer != NULL ? found.signer : "(unknown)",
      trusted != NULL ? "" : "; nobody vouches for the signer (--verify-signature)");
}

void seal_check_case(const char *dir, const SealTrust *trust, GPtrArray *problems,
                     GPtrArray *notes) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) manifest = read_part(dir, SEALED, &error);
  if (manifest == NULL) {
    say(problems, "%s", error->message);
    return;
  }
  gint64 at = check_stamp(dir, manifest, trust->authorities, problems, notes);
  check_signature(dir, manifest, trust->signers, at, problems, notes);
}
