/* SPDX-License-Identifier: Apache-2.0 */
/* coord_lock.c - the lock is a record lock of an open file description: it ends with its process,
 * however that ends, and NFS carries it between machines. Where a network's file system does not,
 * the file says who wrote it, and its time when that was last alive. */
#include "engine/coord_lock.h"
#include "base/io.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "triage/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Without a sign of life for so long, a holder on another machine is taken to be gone. */
enum { SILENCE_SECONDS = 60 };
/* Two machines that sign at the same moment see each other's name within so long. */
enum { SETTLE_MICROSECONDS = 500000 };

struct _CaseLock {
  int fd;
  char *path;
};

typedef struct {
  char *host, *pid, *since;
  gint64 silent_seconds; /* by the clock of the file system */
} Holder;

static void holder_clear(Holder *holder) {
  g_clear_pointer(&holder->host, g_free);
  g_clear_pointer(&holder->pid, g_free);
  g_clear_pointer(&holder->since, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Holder, holder_clear)

/* The lines of the file: host, process, since. False where nobody has signed it. */
static bool read_holder(int fd, Holder *holder) {
  char text[512];
  ssize_t n = io_pread(fd, text, sizeof text - 1, 0);
  if (n <= 0)
    return false;
  text[n] = '\0';
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  if (g_strv_length(lines) < 4)
    return false;
  holder->host = text_printable(lines[0], strlen(lines[0]));
  holder->pid = text_printable(lines[1], strlen(lines[1]));
  holder->since = text_printable(lines[2], strlen(lines[2]));
  return true;
}

static char *describe(const Holder *holder) {
  return g_strdup_printf("process %s on host %s, since %s", holder->pid, holder->host,
                         holder->since);
}

/* True where processes of other machines may write here, and the kernel's lock may not tell. */
static bool is_shared(int fd) {
  static const uint32_t SHARED[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x00c36400,
                                    0x0bd00bd0, 0x65735546, 0x01021997, 0x47504653, 0x19830326};
  struct statfs status;
  if (getenv("TRIAGE_TEST_SHARED_DIRECTORY") != NULL)
    return true;
  if (fstatfs(fd, &status) != 0)
    return true;
  for (gsize i = 0; i < G_N_ELEMENTS(SHARED); i++)
    if ((uint32_t)status.f_type == SHARED[i])
      return true;
  return false;
}

static char *host_name(void) {
  struct utsname name;
  return g_strdup(uname(&name) == 0 ? name.nodename : "unknown");
}

/* How long ago the file was last touched: both times are the file server's. */
static gint64 silence_of(const char *dir, int fd) {
  struct stat then, now;
  g_autofree char *path = g_build_filename(dir, ".clock-XXXXXX", NULL);
  auto_fd probe = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
  if (probe < 0 || fstat(fd, &then) != 0)
    return 0;
  bool ok = io_write_all(probe, ".", 1) && fstat(probe, &now) == 0;
  unlink(path);
  return ok ? now.st_mtime - then.st_mtime : 0;
}

static gboolean is_held(GError **error, const char *dir, const Holder *holder, const char *advice) {
  g_autofree char *shown = text_printable(dir, strlen(dir));
  g_autofree char *who = holder->host != NULL ? describe(holder) : g_strdup("another process");
  return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is being written by triage: %s; %s", shown,
                     who, advice);
}

/* The kernel has given the lock; on a shared file system that may be the word of this machine
 * alone. */
static bool check_others(const char *dir, int fd, GError **error) {
  g_auto(Holder) holder = {0};
  g_autofree char *here = host_name();
  if (!is_shared(fd) || !read_holder(fd, &holder) || strcmp(holder.host, here) == 0)
    return true;
  gint64 silent = silence_of(dir, fd);
  if (silent >= SILENCE_SECONDS)
    return true;
  g_autofree char *advice =
      g_strdup_printf("its last sign of life is %lld seconds old; wait for it to end, or %d "
                      "seconds after it was killed",
                      (long long)silent, SILENCE_SECONDS);
  return is_held(error, dir, &holder, advice);
}

static bool sign(int fd) {
  g_autofree char *host = host_name(), *now = case_now();
  g_autofree char *text = g_strdup_printf("%s\n%ld\n%s\n", host, (long)getpid(), now);
  return ftruncate(fd, 0) == 0 && io_write_all(fd, text, strlen(text));
}

static int set_lock(int fd, int command, short type, struct flock *lock) {
  *lock = (struct flock){.l_type = type, .l_whence = SEEK_SET};
  return fcntl(fd, command, lock);
}

/* The file may have been removed by its last holder between opening and locking. */
static bool is_in_place(int fd, const char *path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

/* SQLite needs locks too: without them nothing would keep two writers apart. */
static int refuse_unlocked(const char *dir, const char *path, int fd, int problem, GError **error) {
  g_autofree char *shown = text_printable(dir, strlen(dir));
  g_auto(Holder) holder = {0};
  if (!read_holder(fd, &holder))
    unlink(path); /* made just now */
  triage_fail(
      error, TRIAGE_REASON_USAGE,
      "%s: the file system locks no files (%s), which the case's database needs; name a case "
      "directory elsewhere, or have it mounted with locks (NFS: a server with lockd, or "
      "nolock where one machine alone writes)",
      shown, g_strerror(problem));
  return -1;
}

/* Where the kernel's lock may be the word of this machine alone, another may have taken the case in
 * the same moment: the file bears the name of whoever signed it last. */
static bool is_settled(const char *dir, const char *path, int fd, GError **error) {
  if (!is_shared(fd))
    return true;
  if (fdatasync(fd) == 0)
    g_usleep(SETTLE_MICROSECONDS);
  auto_fd again = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  g_auto(Holder) holder = {0};
  g_autofree char *host = host_name(), *pid = g_strdup_printf("%ld", (long)getpid());
  if (again >= 0 && read_holder(again, &holder) && strcmp(holder.host, host) == 0 &&
      strcmp(holder.pid, pid) == 0)
    return true;
  return is_held(error, dir, &holder, "it came at the same moment; wait for it to end");
}

/* 1: taken, 0: the file was removed meanwhile, -1: error. */
static int try_take(const char *dir, const char *path, int fd, GError **error) {
  struct flock lock;
  if (set_lock(fd, F_OFD_SETLK, F_WRLCK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES)
      return refuse_unlocked(dir, path, fd, errno, error);
    g_auto(Holder) holder = {0};
    read_holder(fd, &holder);
    is_held(error, dir, &holder, "wait for it to end, or end it, then run again");
    return -1;
  }
  if (!is_in_place(fd, path))
    return 0;
  return check_others(dir, fd, error) ? 1 : -1;
}

CaseLock *case_lock_take(const char *dir, GError **error) {
  g_autofree char *path = g_build_filename(dir, ".lock", NULL);
  for (;;) {
    auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int taken = fd >= 0 ? try_take(dir, path, fd, error) : -1;
    if (taken == 1 && (!sign(fd) || !is_settled(dir, path, fd, error)))
      taken = -1;
    if (taken < 0) {
      if (error != NULL && *error == NULL) {
        g_autofree char *shown = text_printable(dir, strlen(dir));
        triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be written: %s", shown,
                    g_strerror(errno));
      }
      return NULL;
    }
    if (taken == 0)
      continue;
    CaseLock *lock = g_new0(CaseLock, 1);
    lock->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the same open file, which holds the lock */
    lock->path = g_steal_pointer(&path);
    return lock;
  }
}

void case_lock_touch(CaseLock *lock) {
  if (lock != NULL)
    futimens(lock->fd, NULL);
}

void case_lock_free(CaseLock *lock) {
  if (lock == NULL)
    return;
  unlink(lock->path); /* while it is held: who waits for it finds a new file */
  close(lock->fd);
  g_free(lock->path);
  g_free(lock);
}

void case_lock_leave(CaseLock *lock) {
  close(lock->fd);
  g_free(lock->path);
  g_free(lock);
}

char *case_lock_holder(const char *dir) {
  g_autofree char *path = g_build_filename(dir, ".lock", NULL);
  auto_fd fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  struct flock lock;
  g_auto(Holder) holder = {0};
  if (fd < 0 || !read_holder(fd, &holder))
    return NULL;
  bool is_locked = set_lock(fd, F_OFD_GETLK, F_WRLCK, &lock) == 0 && lock.l_type != F_UNLCK;
  g_autofree char *here = host_name();
  if (!is_locked && is_shared(fd) && strcmp(holder.host, here) != 0)
    is_locked = silence_of(dir, fd) < SILENCE_SECONDS;
  return is_locked ? describe(&holder) : NULL;
}
