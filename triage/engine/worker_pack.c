/* SPDX-License-Identifier: Apache-2.0 */
/* worker_pack.c - role "pack": writes what the coordinator hands over into an encrypted zip. The
 * password keeps a virus scanner and a careless double click away from the content; it is no
 * secret. */
#include "base/limits.h"
#include "engine/worker.h"
#include <archive.h>
#include <archive_entry.h>

typedef struct {
  struct archive *archive;
  bool has_entry;
} Pack;

static bool failed(const Pack *pack, GError **error) {
  const char *why = archive_error_string(pack->archive);
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "the archive cannot be written: %s",
                     why != NULL ? why : "unknown cause");
}

static bool pack_open(Pack *pack, GError **error) {
  pack->archive = archive_write_new();
  return (archive_write_set_format_zip(pack->archive) == ARCHIVE_OK &&
          archive_write_set_options(pack->archive, "zip:encryption=aes256") == ARCHIVE_OK &&
          archive_write_set_passphrase(pack->archive, WORKER_PACK_PASSWORD) == ARCHIVE_OK &&
          archive_write_open_fd(pack->archive, WORKER_SPOOL_FD) == ARCHIVE_OK) ||
         failed(pack, error);
}

static bool pack_entry(Pack *pack, GVariant *message, GError **error) {
  const char *name;
  gint64 modified;
  g_variant_get(message, "(&sx)", &name, &modified);
  struct archive_entry *entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0400);
  archive_entry_set_mtime(entry, modified, 0);
  bool ok = archive_write_header(pack->archive, entry) == ARCHIVE_OK || failed(pack, error);
  archive_entry_free(entry);
  pack->has_entry = ok;
  return ok;
}

static bool pack_bytes(Pack *pack, GVariant *message, GError **error) {
  gsize n;
  gconstpointer bytes = g_variant_get_fixed_array(message, &n, 1);
  return !pack->has_entry || n == 0 ||
         archive_write_data(pack->archive, bytes, n) == (la_ssize_t)n || failed(pack, error);
}

bool worker_pack(Worker *worker, GError **error) {
  Pack pack = {0};
  bool ok = pack_open(&pack, error), done = false;
  while (ok && !done) {
    MessageType type;
    g_autoptr(GVariant) message = worker_receive(worker, &type);
    if (message == NULL) {
      ok = triage_fail(error, TRIAGE_REASON_INTERNAL, "the archive was given up");
    } else if (type == MSG_PACK_ENTRY) {
      ok = pack_entry(&pack, message, error);
    } else if (type == MSG_PACK_BYTES) {
      ok = pack_bytes(&pack, message, error);
    } else {
      done = true;
    }
  }
  if (ok && archive_write_close(pack.archive) != ARCHIVE_OK)
    ok = failed(&pack, error);
  archive_write_free(pack.archive);
  return ok;
}
