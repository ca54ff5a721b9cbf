/* SPDX-License-Identifier: Apache-2.0 */
/* coord_extract.c - copies the objects of hits out of the evidence: one worker reads them as the
 * scan did, another packs them. Nothing is named by the evidence: files are called after their
 * hits. */
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "engine/worker_fds.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *id, *path, *member, *view, *sha256;
  char *extracted; /* SHA-256 of what was written, NULL: nothing was */
  Object object;
  uint32_t evidence, member_no;
  int64_t modified;
} Wanted;

typedef struct {
  const ExtractOptions *options;
  Store *store;
  GPtrArray *wanted;   /* Wanted*, in the order of the case */
  GPtrArray *evidence; /* char*: path of each piece, in order */
  GPtrArray *kinds;    /* char* */
  GPtrArray *passwords;
  ScanOptions limits; /* those of the scan: member numbers depend on them */
  Process *pack;
  PartIndex *parts; /* of the volume last asked about */
  uint32_t parts_evidence, parts_volume;
} Extraction;

static void wanted_free(Wanted *wanted) {
  g_free(wanted->id);
  g_free(wanted->path);
  g_free(wanted->member);
  g_free(wanted->view);
  g_free(wanted->sha256);
  g_free(wanted->extracted);
  proto_object_clear(&wanted->object);
  g_free(wanted);
}

static bool take_hit(void *user, const HitRow *row) {
  Extraction *extraction = user;
  if (!g_strv_contains((const char *const *)extraction->options->hits, row->hit_id))
    return true;
  Wanted *wanted = g_new0(Wanted, 1);
  wanted->id = g_strdup(row->hit_id);
  wanted->path = g_strdup(row->path);
  wanted->member = g_strdup(row->member);
  wanted->view = g_strdup(row->view);
  wanted->sha256 = g_strdup(row->digests.sha256);
  wanted->evidence = row->evidence_no;
  wanted->member_no = row->member_no;
  wanted->modified = row->modified.is_set ? row->modified.seconds : 0;
  wanted->object = *row->object;
  if (wanted->object.name != NULL)
    g_bytes_ref(wanted->object.name);
  if (wanted->object.attr_name != NULL)
    g_bytes_ref(wanted->object.attr_name);
  g_ptr_array_add(extraction->wanted, wanted);
  return true;
}

static bool take_evidence(void *user, const EvidenceRecord *record) {
  Extraction *extraction = user;
  g_ptr_array_add(extraction->evidence,
                  g_strdup(case_evidence_path(extraction->options->evidence, record)));
  g_ptr_array_add(extraction->kinds, g_strdup(record->kind));
  return true;
}

static bool find_hits(Extraction *extraction, GError **error) {
  case_recorded_limits(extraction->store, &extraction->limits);
  extraction->passwords = inputs_read_passwords(extraction->options->password_file, error);
  if (extraction->passwords == NULL ||
      !store_each_evidence(extraction->store, take_evidence, extraction, error) ||
      !store_each_hit(extraction->store, take_hit, extraction, error))
    return false;
  for (char **id = extraction->options->hits; *id != NULL; id++) {
    bool found = false;
    for (guint i = 0; i < extraction->wanted->len; i++)
      found = found || strcmp(((Wanted *)extraction->wanted->pdata[i])->id, *id) == 0;
    if (!found) {
      g_autofree char *shown = text_printable(*id, strlen(*id));
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s: is no hit of this case; the first column of hits.csv names them",
                         shown);
    }
  }
  return true;
}

static bool begin_entry(Extraction *extraction, const char *name, int64_t modified,
                        GError **error) {
  return process_send(extraction->pack, MSG_PACK_ENTRY, g_variant_new("(sx)", name, modified),
                      error);
}

static bool send_bytes(Extraction *extraction, const void *bytes, gsize n, GError **error) {
  return process_send(extraction->pack, MSG_PACK_BYTES,
                      g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, n, 1), error);
}

/* Takes the worker's answers until it is done with the object; its findings are not needed. */
static bool relay(Extraction *extraction, Process *process, Wanted *wanted, GError **error) {
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA256);
  bool any = false;
  for (;;) {
    MessageType type;
    g_autoptr(GVariant) message =
        process_receive(process, LIMIT_TIMEOUT_SECONDS_DEFAULT, &type, error);
    if (message == NULL)
      return false;
    if (type == MSG_DONE)
      break;
    if (type != MSG_CONTENT)
      continue;
    gsize n;
    gconstpointer bytes = g_variant_get_fixed_array(message, &n, 1);
    any = true;
    if (n == 0)
      continue;
    digester_update(digester, bytes, n);
    if (!send_bytes(extraction, bytes, n, error))
      return false;
  }
  Digests digests;
  digester_finish(digester, &digests);
  if (any)
    wanted->extracted = g_strdup(digests.sha256);
  return true;
}

static Process *open_evidence(Extraction *extraction, uint32_t no, GError **error) {
  ProcessSetup setup = {.role = "examine",
                        .evidence = extraction->evidence->pdata[no - 1],
                        .passwords = extraction->passwords,
                        .options = &extraction->limits,
                        .spool_fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  g_autoptr(Process) process = process_new(&setup, error);
  for (MessageType type = MSG_SETUP; process != NULL && type != MSG_EVIDENCE;) {
    g_autoptr(GVariant) message =
        process_receive(process, LIMIT_TIMEOUT_SECONDS_DEFAULT, &type, error);
    if (message == NULL)
      return NULL;
    if (type == MSG_ERROR) {
      process_take_error(message, error);
      return NULL;
    }
  }
  return g_steal_pointer(&process);
}

/* What the scan was told of parts beside the object, again. */
static bool find_parts(Extraction *extraction, const Wanted *wanted, GError **error) {
  if (extraction->parts != NULL && extraction->parts_evidence == wanted->evidence &&
      extraction->parts_volume == wanted->object.volume)
    return true;
  g_clear_pointer(&extraction->parts, part_index_free);
  extraction->parts_evidence = wanted->evidence;
  extraction->parts_volume = wanted->object.volume;
  const char *kind = extraction->kinds->pdata[wanted->evidence - 1];
  extraction->parts = part_index_new(extraction->store, wanted->evidence, wanted->object.volume,
                                     strcmp(kind, "directory") == 0);
  return part_index_read(extraction->parts, error);
}

static bool extract_one(Extraction *extraction, Process *process, Wanted *wanted, GError **error) {
  g_autofree char *name = g_strconcat(wanted->id, ".bin", NULL);
  if (!find_parts(extraction, wanted, error) ||
      !begin_entry(extraction, name, wanted->modified, error))
    return false;
  g_autoptr(GPtrArray) one = g_ptr_array_new();
  g_ptr_array_add(one, &wanted->object);
  return process_send(process, MSG_EXTRACT,
                      g_variant_new("(u@" PROTO_JOBS ")", wanted->member_no,
                                    part_index_jobs(extraction->parts, one)),
                      error) &&
         relay(extraction, process, wanted, error);
}

/* A worker that is lost costs the object it was on; the next one gets a new worker. */
static bool extract_all(Extraction *extraction, GError **error) {
  g_autoptr(Process) process = NULL;
  uint32_t open_no = 0;
  for (guint i = 0; i < extraction->wanted->len; i++) {
    Wanted *wanted = extraction->wanted->pdata[i];
    if (process == NULL || open_no != wanted->evidence) {
      g_clear_pointer(&process, process_free);
      process = open_evidence(extraction, wanted->evidence, error);
      open_no = wanted->evidence;
      if (process == NULL)
        return false;
    }
    GError *problem = NULL;
    if (extract_one(extraction, process, wanted, &problem))
      continue;
    if (triage_error_reason(problem) == TRIAGE_REASON_INTERNAL) {
      g_propagate_error(error, problem);
      return false;
    }
    g_printerr("triage extract: %s: %s\n", wanted->id, problem->message);
    g_error_free(problem);
    g_clear_pointer(&process, process_free);
  }
  return true;
}

static bool add_index(Extraction *extraction, guint *n_bad, GError **error) {
  g_autoptr(GString) text = g_string_new(
      "hit_id\tfile\tevidence\tpath\tmember\tview\tsha256_recorded\tsha256_here\tstate\n");
  for (guint i = 0; i < extraction->wanted->len; i++) {
    const Wanted *wanted = extraction->wanted->pdata[i];
    const char *here = wanted->extracted != NULL ? wanted->extracted : "";
    const char *state = *here == '\0'                       ? "not extracted"
                        : strcmp(here, wanted->sha256) == 0 ? "as recorded"
                                                            : "DIFFERS from what the case records";
    *n_bad += strcmp(state, "as recorded") != 0;
    /* Printable texts hold no tab. */
    g_string_append_printf(text, "%s\t%s.bin\t%u\t%s\t%s\t%s\t%s\t%s\t%s\n", wanted->id, wanted->id,
                           wanted->evidence, wanted->path, wanted->member, wanted->view,
                           wanted->sha256, here, state);
    if (strcmp(state, "as recorded") != 0)
      g_printerr("triage extract: %s: %s\n", wanted->id, state);
  }
  return begin_entry(extraction, "index.tsv", 0, error) &&
         send_bytes(extraction, text->str, text->len, error);
}

static bool finish_pack(Extraction *extraction, GError **error) {
  if (!process_send(extraction->pack, MSG_PACK_END, g_variant_new("(b)", TRUE), error))
    return false;
  for (;;) {
    MessageType type;
    g_autoptr(GVariant) message =
        process_receive(extraction->pack, LIMIT_TIMEOUT_SECONDS_DEFAULT, &type, error);
    if (message == NULL)
      return false;
    if (type == MSG_DONE)
      return true;
    if (type == MSG_ERROR)
      return process_take_error(message, error);
  }
}

static bool extract_into(Extraction *extraction, int fd, guint *n_bad, GError **error) {
  ProcessSetup setup = {.role = "pack", .evidence = "", .spool_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)};
  extraction->pack = process_new(&setup, error);
  return extraction->pack != NULL && extract_all(extraction, error) &&
         add_index(extraction, n_bad, error) && finish_pack(extraction, error) &&
         (fsync(fd) == 0 || triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: %s",
                                        extraction->options->output, g_strerror(errno)));
}

static bool extract(Extraction *extraction, guint *n_bad, GError **error) {
  const char *output = extraction->options->output;
  g_autofree char *shown = text_printable(output, strlen(output));
  int fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be created: %s", shown,
                       g_strerror(errno));
  bool ok = extract_into(extraction, fd, n_bad, error);
  close(fd);
  if (!ok)
    unlink(output); /* half an archive is none */
  return ok;
}

int coord_extract(const ExtractOptions *options) {
  g_autoptr(GError) error = NULL;
  Extraction extraction = {.options = options,
                           .wanted = g_ptr_array_new_with_free_func((GDestroyNotify)wanted_free),
                           .evidence = g_ptr_array_new_with_free_func(g_free),
                           .kinds = g_ptr_array_new_with_free_func(g_free)};
  guint n_bad = 0;
  extraction.store = store_open(options->case_dir, false, &error);
  bool ok = extraction.store != NULL && find_hits(&extraction, &error) &&
            extract(&extraction, &n_bad, &error);
  int status = n_bad > 0 ? EXIT_INCOMPLETE : EXIT_COMPLETE;
  if (!ok) {
    g_printerr("triage extract: %s\n", error->message);
    status = triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
  } else {
    g_print("%u object(s) written; the password is \"%s\"\n", extraction.wanted->len - n_bad,
            WORKER_PACK_PASSWORD);
  }
  g_clear_pointer(&extraction.pack, process_free);
  g_clear_pointer(&extraction.parts, part_index_free);
  store_free(extraction.store);
  g_ptr_array_unref(extraction.wanted);
  g_ptr_array_unref(extraction.evidence);
  g_ptr_array_unref(extraction.kinds);
  g_clear_pointer(&extraction.passwords, g_ptr_array_unref);
  return status;
}
