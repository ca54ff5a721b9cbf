/* SPDX-License-Identifier: Apache-2.0 */
/* coord_process.c - one worker process: started, spoken to, ended. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_known.h"
#include "engine/coord_private.h"
#include "engine/worker_fds.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDERR_KEPT = 4096 };

/* Between fork and exec: async-signal-safe calls alone. */
static void become_worker(const char *path, char **environment, int fd, int stderr_fd, int spool_fd,
                          int cell_fd, const ProcessSetup *setup, pid_t parent) {
  char *arguments[] = {(char *)"triage-worker", NULL};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1); /* the coordinator died in between */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  /* Out of the way first: a descriptor may be one of the wanted numbers already. */
  int high_fd = fcntl(fd, F_DUPFD_CLOEXEC, 64), high_err = fcntl(stderr_fd, F_DUPFD_CLOEXEC, 64);
  int high_spool = spool_fd >= 0 ? fcntl(spool_fd, F_DUPFD_CLOEXEC, 64) : -1;
  int high_cell = fcntl(cell_fd, F_DUPFD_CLOEXEC, 64);
  int high_ring = setup->ring_fd != NULL ? fcntl(*setup->ring_fd, F_DUPFD_CLOEXEC, 64) : -1;
  const GPtrArray *known = setup->known;
  int high_known[WORKER_KNOWN_MAX];
  guint n_known = known != NULL ? MIN(known->len, WORKER_KNOWN_MAX) : 0;
  for (guint i = 0; i < n_known; i++)
    high_known[i] = fcntl(((const KnownList *)known->pdata[i])->fd, F_DUPFD_CLOEXEC, 64);
  dup2(nothing, 0);
  dup2(nothing, 1);
  dup2(high_err, 2);
  dup2(high_fd, WORKER_FD);
  if (high_spool >= 0)
    dup2(high_spool, WORKER_SPOOL_FD);
  dup2(high_cell, WORKER_CELL_FD);
  if (high_ring >= 0)
    dup2(high_ring, WORKER_RING_FD);
  for (guint i = 0; i < n_known; i++)
    dup2(high_known[i], WORKER_KNOWN_FD + (int)i);
  execve(path, arguments, environment);
  _exit(127);
}

static char **worker_environment(void) {
  char **environment = g_get_environ();
  environment = g_environ_setenv(environment, "TZ", "UTC", TRUE);
  environment = g_environ_setenv(environment, "LC_ALL", "C.UTF-8", TRUE);
  return environment;
}

static GVariant *pack_setup(const ProcessSetup *setup) {
  GVariantBuilder rules, passwords;
  g_variant_builder_init(&rules, G_VARIANT_TYPE("a(ssay)"));
  for (guint i = 0; setup->rules != NULL && i < setup->rules->len; i++) {
    const RuleInput *input = setup->rules->pdata[i];
    g_variant_builder_add(&rules, "(ss@ay)", input->name_space, input->name,
                          proto_bytes(input->text));
  }
  g_variant_builder_init(&passwords, G_VARIANT_TYPE("aay"));
  for (guint i = 0; setup->passwords != NULL && i < setup->passwords->len; i++)
    g_variant_builder_add(&passwords, "@ay", proto_bytes(setup->passwords->pdata[i]));
  const ScanOptions *options = setup->options;
  uint32_t flags = setup->spool_fd >= 0 ? WORKER_HAS_SPOOL : 0;
  flags |= setup->ring_fd != NULL ? WORKER_HAS_RING : 0;
  if (options != NULL)
    flags |= (options->hash_all ? WORKER_HASH_ALL : 0) | (options->entries ? WORKER_ENTRIES : 0) |
             (options->no_prefilter ? WORKER_NO_PREFILTER : 0) |
             (options->no_links ? WORKER_NO_LINKS : 0);
  flags |= setup->care << WORKER_CARE_SHIFT;
  flags |= (options != NULL ? options->areas : AREAS_ALL) << WORKER_AREAS_SHIFT;
  flags |= (setup->known != NULL ? MIN(setup->known->len, WORKER_KNOWN_MAX) : 0)
           << WORKER_KNOWN_SHIFT;
  g_autoptr(GBytes) path = g_bytes_new(setup->evidence, strlen(setup->evidence));
  return g_variant_new("(s@ayutuua(ssay)aay)", setup->role, proto_bytes(path),
                       options != NULL ? (guint32)options->max_depth : LIMIT_DEPTH_DEFAULT,
                       options != NULL ? (guint64)options->max_expanded : LIMIT_EXPANDED_DEFAULT,
                       options != NULL ? (guint32)options->timeout_seconds
                                       : LIMIT_TIMEOUT_SECONDS_DEFAULT,
                       flags, &rules, &passwords);
}

/* The page both see. Sealed: a worker that cut the file short would cost the coordinator its life.
 */
static int open_cell(Process *process, GError **error) {
  int fd = memfd_create("triage-cell", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  void *page = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof *process->cell) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    page = mmap(NULL, sizeof *process->cell, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) {
    process->cell = page;
    return fd;
  }
  triage_fail(error, TRIAGE_REASON_INTERNAL, "no memory to share with a worker: %s",
              g_strerror(errno));
  if (fd >= 0)
    close(fd);
  return -1;
}

static bool start(Process *process, const ProcessSetup *setup, const char *path, int spool_fd,
                  GError **error) {
  int sockets[2], pipes[2];
  auto_fd cell_fd = open_cell(process, error);
  if (cell_fd < 0)
    return false;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "no channel to a worker: %s",
                       g_strerror(errno));
  auto_fd theirs = sockets[1];
  process->fd = sockets[0];
  if (pipe2(pipes, O_CLOEXEC) != 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "no channel to a worker: %s",
                       g_strerror(errno));
  auto_fd complaints = pipes[1];
  process->stderr_fd = pipes[0];
  g_auto(GStrv) environment = worker_environment();
  pid_t parent = getpid();
  process->pid = fork();
  if (process->pid == 0)
    become_worker(path, environment, theirs, complaints, spool_fd, cell_fd, setup, parent);
  if (process->pid < 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "no worker process: %s", g_strerror(errno));
  fcntl(process->stderr_fd, F_SETFL, O_NONBLOCK);
  return true;
}

Process *process_new(const ProcessSetup *setup, GError **error) {
  auto_fd spool_fd = setup->spool_fd;
  g_autofree char *path = coord_find("triage-worker", error);
  if (path == NULL)
    return NULL;
  g_autoptr(Process) process = g_new0(Process, 1);
  process->fd = process->stderr_fd = -1;
  process->reader = proto_reader_new(true);
  process->stderr_text = g_string_new(NULL);
  bool is_told = setup->options != NULL && setup->options->timeout_seconds > 0;
  process->patience =
      is_told ? setup->options->timeout_seconds : (int)LIMIT_TIMEOUT_SECONDS_DEFAULT;
  process->is_fresh = true;
  if (!start(process, setup, path, spool_fd, error) ||
      !process_send(process, MSG_SETUP, pack_setup(setup), error))
    return NULL;
  return g_steal_pointer(&process);
}

static void drain_stderr(Process *process) {
  char buffer[1024];
  for (;;) {
    ssize_t n = read(process->stderr_fd, buffer, sizeof buffer);
    if (n <= 0)
      return;
    if (process->stderr_text->len < STDERR_KEPT)
      g_string_append_len(process->stderr_text, buffer, n);
  }
}

void process_free(Process *process) {
  if (process == NULL)
    return;
  if (process->pid > 0) {
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
      continue;
  }
  if (process->cell != NULL)
    munmap(process->cell, sizeof *process->cell);
  if (process->fd >= 0)
    close(process->fd);
  if (process->stderr_fd >= 0)
    close(process->stderr_fd);
  proto_reader_free(process->reader);
  g_string_free(process->stderr_text, TRUE);
  g_free(process);
}

/* It may have been captured, and never read: nobody is to wait for that without end. */
static bool send_in_time(Process *process, const uint8_t *bytes, gsize n) {
  gint64 end = g_get_monotonic_time() + (gint64)process->patience * G_USEC_PER_SEC;
  while (n > 0) {
    ssize_t sent = send(process->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      bytes += sent;
      n -= (gsize)sent;
      continue;
    }
    gint64 left = (end - g_get_monotonic_time()) / 1000;
    struct pollfd waiting = {.fd = process->fd, .events = POLLOUT};
    if (sent < 0 && errno != EINTR && errno != EAGAIN)
      return false;
    if (left <= 0) {
      errno = ETIMEDOUT;
      return false;
    }
    poll(&waiting, 1, (int)MIN(left, 1000));
  }
  return true;
}

bool process_send(Process *process, MessageType type, GVariant *message, GError **error) {
  g_autoptr(GByteArray) frame = g_byte_array_new();
  proto_append(frame, type, message);
  if (send_in_time(process, frame->data, frame->len))
    return true;
  int problem = errno;
  if (process->pid > 0)
    kill(process->pid, SIGKILL); /* seen where its channel is read */
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "a message cannot be sent to a worker: %s",
                     g_strerror(problem));
}

GVariant *process_receive(Process *process, int timeout_seconds, MessageType *type,
                          GError **error) {
  gint64 end = g_get_monotonic_time() + (gint64)timeout_seconds * G_USEC_PER_SEC;
  for (;;) {
    GError *broken = NULL;
    GVariant *message = proto_reader_next(process->reader, type, &broken);
    if (message != NULL)
      return message;
    if (broken != NULL) {
      g_propagate_error(error, broken);
      return NULL;
    }
    gint64 left = (end - g_get_monotonic_time()) / 1000;
    struct pollfd waiting = {.fd = process->fd, .events = POLLIN};
    drain_stderr(process);
    if (left <= 0 || poll(&waiting, 1, (int)MIN(left, 1000)) < 0) {
      if (left > 0 && errno == EINTR)
        continue;
      triage_fail(error, TRIAGE_REASON_TIMEOUT, "no answer within %d seconds", timeout_seconds);
      return NULL;
    }
    if (waiting.revents != 0 && proto_reader_fill(process->reader, process->fd) == 0) {
      TriageReason reason;
      g_autofree char *text = process_end(process, &reason);
      triage_fail(error, reason, "%s", text);
      return NULL;
    }
  }
}

static char state_of(pid_t pid) {
  g_autofree char *path = g_strdup_printf("/proc/%ld/stat", (long)pid), *text = NULL;
  const char *name_end = g_file_get_contents(path, &text, NULL, NULL) ? strrchr(text, ')') : NULL;
  return name_end != NULL && name_end[1] == ' ' ? name_end[2] : 'R';
}

bool process_is_waiting(const Process *process) {
  enum { LOOKS = 5, BETWEEN = 10000 };
  guint waits = 0;
  for (guint i = 0; i < LOOKS; i++) {
    waits += state_of(process->pid) != 'R' ? 1 : 0;
    g_usleep(BETWEEN);
  }
  return waits > LOOKS / 2;
}

gboolean process_take_error(GVariant *message, GError **error) {
  guchar reason;
  const char *text;
  g_variant_get(message, "(y&s)", &reason, &text);
  g_autofree char *shown =
      text_is_printable(text) ? g_strdup(text) : text_printable(text, strlen(text));
  return triage_fail(error, (TriageReason)MIN(reason, TRIAGE_REASON_INTERNAL), "%s", shown);
}

/* libtsk is C++, the rest is C: both say so when memory ends, in these words. */
static bool is_out_of_memory(const char *text) {
  return strstr(text, "failed to allocate") != NULL || strstr(text, "bad_alloc") != NULL ||
         strstr(text, "out of memory") != NULL || strstr(text, "out-of-memory") != NULL;
}

char *process_end(Process *process, TriageReason *reason) {
  int status = 0;
  drain_stderr(process);
  if (process->pid > 0) {
    kill(process->pid, SIGKILL); /* it may only have closed its end */
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
      continue;
    process->pid = -1;
  }
  drain_stderr(process);
  if (is_out_of_memory(process->stderr_text->str)) {
    *reason = TRIAGE_REASON_OUT_OF_MEMORY;
    return g_strdup_printf("the worker needed more than its %llu MiB of memory",
                           (unsigned long long)(LIMIT_WORKER_DATA_BYTES / MIB));
  }
  *reason = TRIAGE_REASON_WORKER_CRASH;
  if (WIFSIGNALED(status))
    return g_strdup_printf("the worker was ended by signal %d (%s)", WTERMSIG(status),
                           sigabbrev_np(WTERMSIG(status)) != NULL ? sigabbrev_np(WTERMSIG(status))
                                                                  : "unknown");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return g_strdup("triage-worker could not be started");
  return g_strdup_printf("the worker ended with status %d",
                         WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}
