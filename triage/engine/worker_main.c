/* SPDX-License-Identifier: Apache-2.0 */
/* worker_main.c - the life of a worker: SETUP, everything that needs files, the lock-in, then jobs.
 */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/worker.h"
#include "evidence/luks.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void worker_flush(Worker *worker) {
  if (worker->out->len > 0 && !io_write_all(worker->fd, worker->out->data, worker->out->len))
    _exit(0);
  g_byte_array_set_size(worker->out, 0);
  worker->flushed_at = g_get_monotonic_time();
}

enum { GATHERED_MAX = 512, GATHERED_BYTES_MAX = 64 * KIB };

static void send_gathered(Worker *worker) {
  if (object_packer_n(worker->objects) > 0)
    proto_append(worker->out, MSG_OBJECTS, object_packer_end(worker->objects));
  if (clean_packer_n(worker->clean) > 0)
    proto_append(worker->out, MSG_CLEAN, clean_packer_end(worker->clean));
}

void worker_send(Worker *worker, MessageType type, GVariant *message) {
  /* A directory is told by its number: it may come before what was gathered. */
  if (type != MSG_DIR)
    send_gathered(worker);
  proto_append(worker->out, type, message);
  if (worker->out->len > 64 * KIB || g_get_monotonic_time() - worker->flushed_at > 200000)
    worker_flush(worker);
}

void worker_send_object(Worker *worker, const Object *object) {
  object_packer_add(worker->objects, object, NULL, 0);
  if (object_packer_n(worker->objects) < GATHERED_MAX &&
      object_packer_size(worker->objects) < GATHERED_BYTES_MAX)
    return;
  send_gathered(worker);
  worker_flush(worker);
}

void worker_send_clean(Worker *worker, const CleanObject *object, const CleanGap *gaps,
                       guint n_gaps) {
  clean_packer_add(worker->clean, object, gaps, n_gaps);
  if (clean_packer_n(worker->clean) >= GATHERED_MAX ||
      clean_packer_size(worker->clean) >= GATHERED_BYTES_MAX)
    send_gathered(worker);
}

char *worker_text(const char *text) {
  g_autofree char *cut = g_strndup(text != NULL ? text : "", LIMIT_TEXT_BYTES);
  g_autofree char *valid = g_utf8_make_valid(cut, -1);
  return text_is_printable(valid) ? g_steal_pointer(&valid) : text_printable(valid, strlen(valid));
}

void worker_fail(Worker *worker, const GError *error) {
  g_autofree char *text = worker_text(error != NULL ? error->message : "unknown cause");
  worker_send(worker, MSG_ERROR, g_variant_new("(ys)", (guchar)triage_error_reason(error), text));
  worker_flush(worker);
}

void worker_test_fault(Worker *worker, const char *name) {
  if (worker->fault == NULL || strstr(name, worker->fault_name) == NULL)
    return;
  worker_flush(worker);
  if (strcmp(worker->fault, "segv") == 0)
    raise(SIGSEGV), raise(SIGKILL);
  if (strcmp(worker->fault, "kill") == 0)
    abort();
  if (strcmp(worker->fault, "lie") == 0) { /* and says that it was at the next object */
    __atomic_add_fetch(&worker->cell->place, 1, __ATOMIC_RELEASE);
    raise(SIGKILL);
  }
  if (strcmp(worker->fault, "memory") == 0)
    for (;;)
      memset(g_malloc(64 * MIB), 1, 64 * MIB);
  if (strcmp(worker->fault, "garbage") == 0 && io_write_all(worker->fd, "garbage garbage", 15))
    _exit(0);
  for (volatile int i = 0; strcmp(worker->fault, "hang") == 0; i++)
    continue;
}

GVariant *worker_receive(Worker *worker, MessageType *type) {
  for (;;) {
    g_autoptr(GError) error = NULL;
    GVariant *message = proto_reader_next(worker->reader, type, &error);
    if (message != NULL || error != NULL)
      return message;
    if (proto_reader_fill(worker->reader, worker->fd) != 1)
      return NULL;
  }
}

static void send_proof(Worker *worker, const char *rule, const char *sentence) {
  g_autofree char *name = worker_text(rule), *what = worker_text(sentence);
  worker_send(worker, MSG_RULE_PROOF, g_variant_new("(ss)", name, what));
}

/* Compiles the rules; every error and warning goes to the coordinator. */
static bool set_up_rules(Worker *worker, GVariantIter *rules) {
  g_autoptr(GArray) files = g_array_new(FALSE, TRUE, sizeof(RuleFile));
  const char *name_space, *name;
  GVariant *text;
  while (g_variant_iter_loop(rules, "(&s&s@ay)", &name_space, &name, &text)) {
    RuleFile file = {g_strdup(name_space), g_strdup(name), proto_take_bytes(text)};
    g_array_append_val(files, file);
  }
  if (files->len == 0)
    return true;
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)rule_message_free);
  g_autoptr(GError) error = NULL;
  worker->scanner = scanner_new((const RuleFile *)files->data, files->len, messages, &error);
  for (guint i = 0; i < messages->len; i++) {
    const RuleMessage *message = messages->pdata[i];
    g_autofree char *file = worker_text(message->file), *what = worker_text(message->message);
    worker_send(worker, MSG_RULE_MESSAGE,
                g_variant_new("(subs)", file, (guint32)MAX(message->line, 0),
                              (gboolean)message->is_warning, what));
  }
  for (guint i = 0; i < files->len; i++) {
    RuleFile *file = &g_array_index(files, RuleFile, i);
    g_free(file->rule_namespace);
    g_free(file->name);
    g_bytes_unref(file->text);
  }
  if (worker->scanner == NULL) {
    worker_fail(worker, error);
    return false;
  }
  scanner_warm_up(worker->scanner);
  if ((worker->flags & WORKER_NO_PREFILTER) == 0)
    scanner_use_prefilter(worker->scanner);
  send_proof(worker, "", scanner_prefilter_state(worker->scanner));
  return true;
}

/* Role rules: what the prefilter makes of each rule. */
static void explain_rules(Worker *worker) {
  for (guint i = 0; worker->scanner != NULL && i < scanner_n_rules(worker->scanner); i++) {
    const char *rule;
    g_autofree char *proof = scanner_explain_rule(worker->scanner, i, &rule);
    send_proof(worker, rule, proof);
  }
}

static bool is_plain(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* What the evidence consists of, before the lock-in: names alone. */
static GPtrArray *find_segments(Worker *worker, const char *path, GError **error) {
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
    worker->kind = EVIDENCE_DIRECTORY;
    worker->tree_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (worker->tree_fd < 0) {
      g_autofree char *shown = text_printable(path, strlen(path));
      triage_fail(error, TRIAGE_REASON_UNREADABLE, "%s: the directory cannot be opened: %s", shown,
                  g_strerror(errno));
      return NULL;
    }
    return g_ptr_array_new_with_free_func(g_free);
  }
  bool has_no_links = (worker->flags & WORKER_NO_LINKS) != 0;
  if (has_no_links && !is_plain(path)) {
    triage_fail(error, TRIAGE_REASON_UNREADABLE, "the evidence is no regular file");
    return NULL;
  }
  GPtrArray *segments = image_segments(path, error);
  for (guint i = 0; segments != NULL && has_no_links && i < segments->len; i++)
    if (segments->pdata[i] != NULL && !is_plain(segments->pdata[i]))
      g_clear_pointer(&segments->pdata[i], g_free);
  return segments;
}

static void lock_in(Worker *worker, GPtrArray *segments) {
  g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
  worker_lock_in(segments, worker->tree_fd, missing);
  g_ptr_array_add(missing, NULL);
  worker_send(worker, MSG_SANDBOX, g_variant_new_strv((const char *const *)missing->pdata, -1));
}

static void run_jobs(Worker *worker) {
  MessageType type;
  for (;;) {
    g_autoptr(GVariant) job = worker_receive(worker, &type);
    if (job == NULL)
      return;
    if (type == MSG_ENUMERATE)
      worker_enumerate(worker, job);
    else if (type == MSG_SCAN)
      worker_scan(worker, job);
    else if (type == MSG_EXTRACT)
      worker_extract(worker, job);
    else if (type == MSG_DIGEST)
      worker_digest(worker, job);
    else if (type == MSG_INFLATE)
      worker_inflate(worker, job);
    else if (type == MSG_HASH)
      worker_hash(worker, job);
    worker_flush(worker);
  }
}

static int examine(Worker *worker, const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) segments = find_segments(worker, path, &error);
  if (segments == NULL) {
    worker_fail(worker, error);
    return 0;
  }
  if (!worker->is_sweeper) {
    unpack_warm_up();
    luks_warm_up();
  }
  lock_in(worker, segments);
  worker_flush(worker);
  if (!worker_open_evidence(worker, segments, &error)) {
    worker_fail(worker, error);
    return 0;
  }
  if (worker->is_sweeper)
    worker_send_evidence(worker, segments);
  else
    worker_describe_evidence(worker, segments);
  worker_flush(worker);
  run_jobs(worker);
  return 0;
}

/* Needs no file at all. */
static int hash(Worker *worker) {
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  Digests digests;
  digest_bytes(DIGEST_ALL, "", 0, &digests); /* libcrypto reads its settings */
  lock_in(worker, none);
  worker_flush(worker);
  run_jobs(worker);
  return 0;
}

/* Needs no file but the archive, which is open already. */
static int pack(Worker *worker) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  unpack_warm_up();
  worker_lock_in(none, -1, missing);
  if (worker_pack(worker, &error))
    worker_send(worker, MSG_DONE, g_variant_new("(b)", TRUE));
  else
    worker_fail(worker, error);
  worker_flush(worker);
  return 0;
}

static void take_passwords(Worker *worker, GVariant *list) {
  worker->unpack.passwords = g_ptr_array_new_with_free_func(g_free);
  GVariantIter iter;
  GVariant *item;
  g_variant_iter_init(&iter, list);
  while (g_variant_iter_loop(&iter, "@ay", &item)) {
    gsize n;
    const char *p = g_variant_get_fixed_array(item, &n, 1);
    g_ptr_array_add(worker->unpack.passwords, g_strndup(p != NULL ? p : "", n));
  }
  /* A volume takes a second for each: there only what the examiner gave is tried. */
  guint n_given = worker->unpack.passwords->len;
  n_given -= MIN(n_given, PROTO_USUAL_PASSWORDS);
  worker->volume_passwords = g_ptr_array_new();
  for (guint i = 0; i < n_given; i++)
    g_ptr_array_add(worker->volume_passwords, worker->unpack.passwords->pdata[i]);
}

static void take_known(Worker *worker) {
  uint32_t n = MIN(worker->flags >> WORKER_KNOWN_SHIFT, WORKER_KNOWN_MAX);
  for (uint32_t i = 0; i < n; i++) {
    int fd = WORKER_KNOWN_FD + (int)i;
    struct stat status;
    if (fstat(fd, &status) == 0 &&
        known_open(&worker->known[worker->n_known], fd, (uint64_t)status.st_size))
      worker->n_known++;
  }
}

static void take_test_fault(Worker *worker) {
  const char *fault = getenv("TRIAGE_TEST_FAULT");
  const char *colon = fault != NULL ? strchr(fault, ':') : NULL;
  if (colon == NULL)
    return;
  worker->fault = g_strndup(fault, (gsize)(colon - fault));
  worker->fault_name = g_strdup(colon + 1);
}

/* The page that this process and the coordinator share. */
static bool map_cell(Worker *worker) {
  void *page =
      mmap(NULL, sizeof *worker->cell, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_CELL_FD, 0);
  worker->cell = page != MAP_FAILED ? page : NULL;
  close(WORKER_CELL_FD);
  return worker->cell != NULL;
}

/* Memory of an object's content stays for the next one's: given back and taken again, each of its
 * pages would be cleared by the kernel once more. */
static void keep_memory(void) {
  (void)mallopt(M_MMAP_THRESHOLD, (int)LIMIT_HEAP_OBJECT);
  (void)mallopt(M_TRIM_THRESHOLD, 2 * (int)LIMIT_HEAP_OBJECT);
}

/* Before the lock-in; without it the container is read as if nobody had read it before. */
static void take_ring(Worker *worker, RingAccess access) {
  if ((worker->flags & WORKER_HAS_RING) == 0)
    return;
  ring_map(&worker->ring, WORKER_RING_FD, access);
  close(WORKER_RING_FD);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1) {
    fputs("triage-worker is started by triage; run 'triage --help' instead.\n", stderr);
    return 2;
  }
  keep_memory();
  setlocale(LC_ALL, "C.UTF-8");
  tzset();
  Worker worker = {.fd = WORKER_FD,
                   .tree_fd = -1,
                   .out = g_byte_array_new(),
                   .objects = object_packer_new(),
                   .clean = clean_packer_new(),
                   .reader = proto_reader_new(false)};
  take_test_fault(&worker);
  MessageType type;
  g_autoptr(GVariant) setup = worker_receive(&worker, &type);
  if (setup == NULL || type != MSG_SETUP || !map_cell(&worker)) {
    fputs("triage-worker is started by triage; run 'triage --help' instead.\n", stderr);
    return 2;
  }
  const char *role;
  g_autoptr(GVariant) path = NULL, passwords = NULL;
  GVariantIter *rules;
  g_variant_get(setup, "(&s@ayutuua(ssay)@aay)", &role, &path, &worker.unpack.max_depth,
                &worker.unpack.max_expanded, &worker.timeout_seconds, &worker.flags, &rules,
                &passwords);
  worker.care = (VolumeCare)(worker.flags >> WORKER_CARE_SHIFT & WORKER_CARE_MASK);
  worker.areas = worker.flags >> WORKER_AREAS_SHIFT & AREAS_ALL;
  take_known(&worker);
  take_passwords(&worker, passwords);
  worker.is_sweeper = strcmp(role, "sweep") == 0;
  bool is_digester = strcmp(role, "digest") == 0;
  take_ring(&worker, worker.is_sweeper ? RING_WRITE : RING_READ);
  if ((worker.is_sweeper || is_digester) && worker.ring.bytes == NULL)
    return 0; /* nobody is to wait for it: the digests come the other way */
  worker.unpack.walk_image = worker_walk_image;
  worker.unpack.image_user = &worker;
  worker.unpack.spool = spool_new((worker.flags & WORKER_HAS_SPOOL) != 0 ? WORKER_SPOOL_FD : -1);
  bool ok = set_up_rules(&worker, rules);
  g_variant_iter_free(rules);
  if (!ok)
    return 0;
  if (worker.is_sweeper || strcmp(role, "examine") == 0) {
    g_autoptr(GBytes) raw = proto_take_bytes(path);
    g_autofree char *name = g_strndup(g_bytes_get_data(raw, NULL), g_bytes_get_size(raw));
    return examine(&worker, name);
  }
  if (strcmp(role, "pack") == 0)
    return pack(&worker);
  if (is_digester)
    return hash(&worker);
  if (strcmp(role, "formats") == 0)
    worker_formats(&worker);
  if (strcmp(role, "rules") == 0)
    explain_rules(&worker);
  worker_send(&worker, MSG_DONE, g_variant_new("(b)", TRUE));
  worker_flush(&worker);
  return 0;
}
