/* SPDX-License-Identifier: Apache-2.0 */
/* worker_sandbox.c - the lock-in: resource limits, no_new_privs, Landlock (which files) and seccomp
 * (which calls). All work unprivileged; what the kernel lacks is named and the others still hold.
 */
#include "base/limits.h"
#include "engine/worker.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void miss(GPtrArray *missing, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void miss(GPtrArray *missing, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(missing, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

static void limit(int resource, rlim_t value) {
  struct rlimit wanted = {value, value};
  (void)setrlimit(resource, &wanted);
}

static void set_limits(void) {
  limit(RLIMIT_CORE, 0); /* evidence must not lie about in core files */
  limit(RLIMIT_NOFILE, 4096);
#ifndef TRIAGE_SANITIZE
  /* Private memory alone: large content is mapped from the spool and must not count. */
  limit(RLIMIT_DATA, LIMIT_WORKER_DATA_BYTES);
  limit(RLIMIT_NPROC, 0);
#endif
}

static bool allow_path(int ruleset, int path_fd, uint64_t access) {
  struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = path_fd};
  return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

static void restrict_files(GPtrArray *files, int dir_fd, GPtrArray *missing) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) {
    miss(missing, "Landlock is not offered by this kernel: a worker's files are limited by seccomp "
                  "alone");
    return;
  }
  /* Every access of ABI 1; later ABIs add rename across directories and truncate. */
  uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (abi >= 2)
    all |= UINT64_C(1) << 13; /* REFER */
  if (abi >= 3)
    all |= UINT64_C(1) << 14; /* TRUNCATE; open descriptors such as the spool keep theirs */
  struct landlock_ruleset_attr attributes = {.handled_access_fs = all};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  bool ok = ruleset >= 0;
  for (guint i = 0; ok && i < files->len; i++) {
    if (files->pdata[i] == NULL)
      continue;
    int fd = open(files->pdata[i], O_PATH | O_CLOEXEC);
    if (fd < 0)
      continue; /* the reader will say so */
    ok = allow_path(ruleset, fd, LANDLOCK_ACCESS_FS_READ_FILE);
    close(fd);
  }
  if (ok && dir_fd >= 0)
    ok = allow_path(ruleset, dir_fd, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
#ifdef TRIAGE_SANITIZE
  /* The sanitizers read /proc/self/maps when they report. */
  int proc = open("/proc", O_PATH | O_CLOEXEC);
  ok = ok && allow_path(ruleset, proc, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  close(proc);
#endif
  ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  if (!ok)
    miss(missing, "Landlock could not be switched on: %s", g_strerror(errno));
  if (ruleset >= 0)
    close(ruleset);
}

static const int PLAIN_CALLS[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(fstatfs),
    SCMP_SYS(getdents64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(getcwd),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(fadvise64),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(futex),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
};

/* One call with one condition on one argument. */
static int allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition) {
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition);
}

static int add_rules(scmp_filter_ctx filter) {
  int rc = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(PLAIN_CALLS); i++)
    rc |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, PLAIN_CALLS[i], 0, NULL);
  /* Opening is for reading: every flag that writes, creates or truncates must be clear. */
  const uint64_t writing =
      O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
  rc |= allow_if(filter, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
  rc |= allow_if(filter, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writing, 0));
  /* No memory may become code. */
  rc |= allow_if(filter, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  rc |= allow_if(filter, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  rc |= allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0));
  rc |= allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0));
  rc |= allow_if(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0));
  /* glibc asks for its limits; the pointer to new ones must be NULL. */
  rc |= allow_if(filter, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0, 0));
  /* abort() and a crash handler signal the process itself alone. */
  rc |= allow_if(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
  return rc;
}

static void restrict_calls(GPtrArray *missing) {
#ifdef TRIAGE_SANITIZE
  (void)add_rules; /* compiled in every build */
  miss(missing, "seccomp is off in a build with sanitizers");
#else
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == NULL || add_rules(filter) != 0 || seccomp_load(filter) != 0)
    miss(missing, "seccomp could not be switched on: %s", g_strerror(errno));
  seccomp_release(filter);
#endif
}

void worker_lock_in(GPtrArray *files, int dir_fd, GPtrArray *missing) {
  set_limits();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    miss(missing, "no_new_privs could not be set: %s", g_strerror(errno));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    miss(missing, "the worker could not be made undumpable: %s", g_strerror(errno));
  restrict_files(files, dir_fd, missing);
  restrict_calls(missing);
}
