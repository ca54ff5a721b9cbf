/* SPDX-License-Identifier: Apache-2.0 */
/* coord_watch.c - an intake folder: each image is examined by a child process, into a case of its
 * own. Nothing is kept beside the cases: what a case records of its files tells whether an image
 * that lies in the folder is done, to be gone on with, or new. */
#include "engine/coord_watch.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RETRY_SECONDS = 600, NAME_BYTES = 80, CASES_OF_A_NAME = 10000, TOUCH_MS = 10000 };

typedef struct {
  const WatchOptions *options;
  WatchFolder folder;
  CaseLock *lock; /* of the directory of the cases: one watcher each */
  int signal_fd;
  bool is_stopped, was_interrupted; /* by a signal; with a case in work */
  bool is_incomplete;               /* something could not be fully examined */
} Watch;

typedef enum { CASE_NEW, CASE_BEGUN, CASE_FINISHED, CASE_UNKNOWN } CaseState;

/* A name for a directory: the image's own where that is harmless, else made so and told apart. */
static char *case_name(const WatchFile *file) {
  static const char HARMLESS[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  g_autofree char *name = g_strndup(file->name, NAME_BYTES);
  g_strcanon(name, HARMLESS, '_');
  if (*name == '-')
    *name = '_';
  if (strcmp(name, file->name) == 0)
    return g_steal_pointer(&name);
  Digests digests;
  digest_bytes(DIGEST_SHA256, file->name, strlen(file->name), &digests);
  return g_strdup_printf("%s-%.8s", name, digests.sha256);
}

/* What a directory is to the image: its case, or (CASE_UNKNOWN without error) that of another. */
static CaseState state_of(const char *dir, const WatchFile *file, GError **error) {
  struct stat status;
  g_autofree char *database = g_build_filename(dir, "case.db", NULL);
  g_autofree char *manifest = g_build_filename(dir, "manifest.sha256", NULL);
  if (lstat(dir, &status) != 0)
    return CASE_NEW;
  if (access(database, F_OK) != 0)
    return CASE_BEGUN; /* killed before it could make one */
  g_autoptr(Store) store = store_open(dir, false, error);
  if (store == NULL)
    return CASE_UNKNOWN;
  g_autofree char *files = store_get_meta(store, "evidence_1_files");
  g_autofree char *state = store_get_meta(store, "status");
  if (files == NULL)
    return CASE_BEGUN;
  g_autofree char *signature = watch_signature(files);
  if (strcmp(signature, file->signature) != 0)
    return CASE_UNKNOWN;
  /* The manifest is written last. */
  return state != NULL && strcmp(state, "complete") == 0 && access(manifest, F_OK) == 0
             ? CASE_FINISHED
             : CASE_BEGUN;
}

/* The image's case; an image that has changed since gets another. (transfer full) NULL with error.
 */
static char *find_case(const Watch *watch, const WatchFile *file, CaseState *state,
                       GError **error) {
  g_autofree char *name = case_name(file);
  for (guint n = 1; n <= CASES_OF_A_NAME; n++) {
    g_autofree char *numbered = n == 1 ? g_strdup(name) : g_strdup_printf("%s-%u", name, n);
    g_autofree char *dir = g_build_filename(watch->options->scan->output, numbered, NULL);
    GError *problem = NULL;
    *state = state_of(dir, file, &problem);
    if (problem != NULL) {
      g_propagate_error(error, problem);
      return NULL;
    }
    if (*state != CASE_UNKNOWN)
      return g_steal_pointer(&dir);
  }
  triage_fail(error, TRIAGE_REASON_USAGE, "there are %d cases of that name already",
              CASES_OF_A_NAME);
  return NULL;
}

/* The child: a scan as any other. Ends with its parent, which is then gone on with. */
static void scan_in_child(Watch *watch, const char *dir, const WatchFile *file, bool is_begun,
                          pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(EXIT_STOPPED);
  case_lock_leave(watch->lock);
  close(watch->signal_fd);
  ScanOptions options = *watch->options->scan;
  g_autofree char *path = watch_folder_path(&watch->folder, file->name);
  char *evidence[] = {path, NULL};
  options.output = (char *)dir;
  options.evidence = evidence;
  options.resume = is_begun;
  int status = coord_scan(&options);
  fflush(NULL);
  _exit(status);
}

/* Waits until fd (-1: none) is readable or the time is over (-1: never). True: fd is. A signal is
 * noted in either case. */
static bool wait_for(Watch *watch, int fd, int timeout_ms) {
  gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
  for (;;) {
    gint64 left = timeout_ms < 0 ? TOUCH_MS : (end - g_get_monotonic_time()) / 1000 + 1;
    struct pollfd waiting[] = {{.fd = fd, .events = POLLIN},
                               {.fd = watch->is_stopped ? -1 : watch->signal_fd, .events = POLLIN}};
    poll(waiting, 2, (int)CLAMP(left, 0, TOUCH_MS));
    case_lock_touch(watch->lock);
    if (waiting[0].revents != 0)
      return true;
    if (waiting[1].revents != 0) {
      watch->is_stopped = true;
      return false;
    }
    if (timeout_ms >= 0 && g_get_monotonic_time() >= end)
      return false;
  }
}

/* The exit status of the scan. */
static int scan(Watch *watch, const char *dir, const WatchFile *file, bool is_begun) {
  pid_t parent = getpid(), pid = fork();
  if (pid == 0)
    scan_in_child(watch, dir, file, is_begun, parent);
  int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
  if (pid < 0)
    return EXIT_STOPPED;
  while (fd >= 0 && !wait_for(watch, fd, -1))
    kill(pid, SIGTERM); /* it ends cleanly, and is gone on with at the next start */
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (fd >= 0)
    close(fd);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_STOPPED;
}

static void say(const WatchFile *file, const char *dir, const char *what) {
  g_autofree char *shown = text_printable(dir, strlen(dir));
  g_printerr("triage watch: %s: %s (%s)\n", file->shown, what, shown);
}

static void take_status(Watch *watch, WatchFile *file, const char *dir, int status) {
  watch->is_incomplete = watch->is_incomplete || status != EXIT_COMPLETE;
  file->is_done = status != EXIT_STOPPED;
  if (status == EXIT_COMPLETE) {
    say(file, dir, "examined");
  } else if (status == EXIT_INCOMPLETE) {
    say(file, dir, "examined, but not all of it; see coverage.csv");
  } else if (status == EXIT_UNUSABLE) {
    say(file, dir, "CANNOT be examined; tried again when it changes, or at the next start");
  } else if (watch->is_stopped) {
    say(file, dir, "stopped; gone on with at the next start");
    watch->was_interrupted = true;
  } else {
    say(file, dir, "FAILED part-way; tried again in ten minutes");
    file->retry_at = g_get_monotonic_time() + (gint64)RETRY_SECONDS * G_USEC_PER_SEC;
  }
}

/* True: it took a scan, and so its time. */
static bool examine(Watch *watch, WatchFile *file) {
  g_autoptr(GError) error = NULL;
  CaseState state;
  g_autofree char *dir = find_case(watch, file, &state, &error);
  if (dir == NULL) {
    g_printerr("triage watch: %s: %s; left alone until that is moved away\n", file->shown,
               error != NULL ? error->message : "its case cannot be told");
    watch->is_incomplete = file->is_done = true;
    return false;
  }
  if (state == CASE_FINISHED) {
    file->is_done = true;
    return false;
  }
  g_autofree char *holder = state == CASE_BEGUN ? case_lock_holder(dir) : NULL;
  if (holder != NULL) {
    say(file, dir, "is being examined by another process; waiting for that");
    watch->is_incomplete = true;
    file->retry_at = g_get_monotonic_time() + (gint64)watch->options->interval * G_USEC_PER_SEC;
    return false;
  }
  if (!watch->options->scan->quiet)
    say(file, dir, state == CASE_BEGUN ? "going on with it" : "begun");
  take_status(watch, file, dir, scan(watch, dir, file, state == CASE_BEGUN));
  return true;
}

/* False: a signal, or nothing can run. */
static bool examine_all(Watch *watch) {
  g_autoptr(GError) error = NULL;
  while (!watch->is_stopped) {
    if (!watch_folder_look(&watch->folder, &error)) {
      g_printerr("triage watch: %s\n", error->message);
      watch->is_incomplete = true;
      return !watch->options->is_once;
    }
    WatchFile *file = NULL;
    bool has_scanned = false;
    while (!has_scanned && (file = watch_folder_next(&watch->folder)) != NULL)
      has_scanned = examine(watch, file);
    if (file == NULL)
      return true;
  }
  return false;
}

static int run(Watch *watch) {
  const WatchOptions *options = watch->options;
  bool goes_on = examine_all(watch);
  if (goes_on && options->is_once && options->settle > 0) {
    wait_for(watch, -1, options->settle * 1000);
    examine_all(watch);
  }
  while (goes_on && !options->is_once && !watch->is_stopped) {
    wait_for(watch, -1, options->interval * 1000);
    goes_on = watch->is_stopped || examine_all(watch);
  }
  if (watch->is_stopped)
    return watch->was_interrupted ? EXIT_STOPPED : EXIT_COMPLETE;
  guint waiting = watch_folder_waiting(&watch->folder);
  if (waiting > 0)
    g_printerr("triage watch: %u of the folder's files are not examined yet\n", waiting);
  return watch->is_incomplete || waiting > 0 ? EXIT_INCOMPLETE : EXIT_COMPLETE;
}

static bool prepare(Watch *watch, GError **error) {
  const char *cases = watch->options->scan->output, *path = watch->options->folder;
  struct stat status;
  g_autofree char *shown = text_printable(path, strlen(path));
  if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode) || access(path, R_OK | X_OK) != 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no folder that can be read", shown);
  g_autofree char *shown_cases = text_printable(cases, strlen(cases));
  if (mkdir(cases, 0700) != 0 && errno != EEXIST)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be created: %s", shown_cases,
                       g_strerror(errno));
  watch->lock = case_lock_take(cases, error);
  return watch->lock != NULL;
}

int coord_watch(const WatchOptions *options) {
  Watch watch = {.options = options, .signal_fd = run_open_signals()};
  g_autoptr(GError) error = NULL;
  int status = EXIT_UNUSABLE;
  watch_folder_init(&watch.folder, options);
  if (prepare(&watch, &error))
    status = run(&watch);
  else
    g_printerr("triage watch: %s\n", error->message);
  watch_folder_clear(&watch.folder);
  g_clear_pointer(&watch.lock, case_lock_free);
  close(watch.signal_fd);
  return status;
}
