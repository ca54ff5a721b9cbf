/* SPDX-License-Identifier: Apache-2.0 */
/* worker_formats.c - what this build can read, for 'triage formats' and 'triage --version'. */
#include "engine/worker.h"
#include <archive.h>
#ifdef TRIAGE_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#include <gcrypt.h>
#include <libbde.h>
#include <libvhdi.h>
#include <libvmdk.h>
#include <libvshadow.h>
#include <libxml/xmlversion.h>
#include <seccomp.h>
#include <tsk/libtsk.h>
#include <yara.h>
#include <zlib.h>

static void send_rows(Worker *worker, const Row *const *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const Row *row = rows[i];
    worker_send(worker, MSG_ROW,
                g_variant_new("(ssssssbs)", row->stage, row->name, row->title, row->spec,
                              row->library, row->limitations, (gboolean)row->available,
                              row->why_not != NULL ? row->why_not : ""));
  }
}

static void send_version(Worker *worker, const char *name, const char *version) {
  worker_send(worker, MSG_VERSION, g_variant_new("(ss)", name, version));
}

void worker_formats(Worker *worker) {
  size_t n;
  const Row *const *rows = image_rows(&n);
  send_rows(worker, rows, n);
  rows = volume_rows(&n);
  send_rows(worker, rows, n);
  rows = unpack_rows(&n);
  send_rows(worker, rows, n);
  rows = unpack_view_rows(&n);
  send_rows(worker, rows, n);
  send_version(worker, "libarchive", archive_version_details());
  send_version(worker, "gmime", unpack_mail_version());
  const struct scmp_version *seccomp = seccomp_version();
  g_autofree char *text =
      g_strdup_printf("%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro);
  send_version(worker, "libseccomp", text);
  send_version(worker, "libsqlite3 (worker)", unpack_sqlite_version());
  send_version(worker, "libpff", unpack_pst_version());
  send_version(worker, "libregf", unpack_registry_version());
  send_version(worker, "libevtx", unpack_evtx_version());
  send_version(worker, "libtsk", tsk_version_get_str());
  send_version(worker, "libbde", libbde_get_version());
  send_version(worker, "libgcrypt", gcry_check_version(NULL));
  send_version(worker, "libvhdi", libvhdi_get_version());
  send_version(worker, "libvshadow", libvshadow_get_version());
  send_version(worker, "libvmdk", libvmdk_get_version());
  send_version(worker, "libxml2", LIBXML_DOTTED_VERSION);
  send_version(worker, "libyara", YR_VERSION);
  if (scanner_search_library() != NULL)
    send_version(worker, "hyperscan", scanner_search_library());
#ifdef TRIAGE_HAVE_LIBDEFLATE
  send_version(worker, "libdeflate", LIBDEFLATE_VERSION_STRING);
#endif
  send_version(worker, "zlib", zlibVersion());
}
