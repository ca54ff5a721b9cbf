/* SPDX-License-Identifier: Apache-2.0 */
/* report_pdf.c - report.pdf: the page without its script, printed by the Chromium that is
 * installed, as a child process in a directory of its own. It is given text of ours alone, escaped
 * as everywhere. */
#include "base/io.h"
#include "reports/report_writers.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS_MAX = 600, PDF_BYTES_MAX = 1 << 30, NAP_MS = 20, KEPT_OPEN = 8 };

static char *find_browser(void) {
  static const char *const NAMES[] = {"chromium", "chromium-browser", "google-chrome"};
  for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    char *path = g_find_program_in_path(NAMES[i]);
    if (path != NULL)
      return path;
  }
  return NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

static bool write_page(Store *store, const char *path, GError **error) {
  auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  return (fd >= 0 ||
          triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: %s", path, g_strerror(errno))) &&
         report_write_paper(store, fd, error);
}

/* Between fork and exec: async-signal-safe calls alone. A group of its own, so that all of the
 * browser's processes can be ended. */
static void become_browser(const char *path, char *const *arguments, char *const *environment) {
  setpgid(0, 0);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++)
    dup2(nothing, fd);
  execve(path, arguments, environment);
  _exit(127);
}

static bool wait_for(pid_t child, GError **error) {
  const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
  for (int i = 0; i < SECONDS_MAX * (1000 / NAP_MS); i++) {
    int status;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      kill(-child, SIGKILL); /* what it may have left */
      return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
             triage_fail(error, TRIAGE_REASON_INTERNAL, "Chromium ended with an error");
    }
    if (ended < 0 && errno != EINTR)
      return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
    nanosleep(&nap, NULL);
  }
  kill(-child, SIGKILL);
  waitpid(child, NULL, 0);
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "Chromium did not end within %d seconds",
                     SECONDS_MAX);
}

static bool print(const char *browser, const char *dir, GError **error) {
  g_autofree char *profile = g_strdup_printf("--user-data-dir=%s/profile", dir);
  g_autofree char *to = g_strdup_printf("--print-to-pdf=%s/report.pdf", dir);
  g_autofree char *page = g_strdup_printf("file://%s/report.html", dir);
  char *arguments[] = {(char *)browser, (char *)"--headless", (char *)"--disable-gpu",
                       (char *)"--no-first-run", (char *)"--disable-background-networking",
                       (char *)"--disable-component-update", (char *)"--disable-sync",
                       (char *)"--disable-extensions",
                       (char *)"--host-resolver-rules=MAP * ~NOTFOUND",
                       (char *)"--no-pdf-header-footer", profile, to, page,
                       /* Its sandbox does not start for root; the page holds nothing to run. */
                       geteuid() == 0 ? (char *)"--no-sandbox" : NULL, NULL};
  g_auto(GStrv) environment = g_get_environ();
  environment = g_environ_setenv(environment, "TZ", "UTC", TRUE);
  environment = g_environ_setenv(environment, "HOME", dir, TRUE);
  pid_t child = fork();
  if (child == 0)
    become_browser(browser, arguments, environment);
  return child > 0 ? wait_for(child, error)
                   : triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
}

/* 14 digits of the end of the run. (transfer full) */
static char *stamp_of(Store *store) {
  g_autofree char *ended = store_get_meta(store, "ended");
  GString *stamp = g_string_new(NULL);
  for (const char *p = ended != NULL ? ended : ""; *p != '\0' && stamp->len < 14; p++)
    if (g_ascii_isdigit(*p))
      g_string_append_c(stamp, *p);
  return g_string_free(stamp, FALSE);
}

/* The case is of the end of its run, whenever it is printed: same case, same bytes. */
static void set_dates(char *pdf, gsize n, const char *stamp) {
  if (strlen(stamp) != 14)
    return;
  static const char *const KEYS[] = {"/CreationDate (D:", "/ModDate (D:"};
  for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++)
    for (char *at = pdf; (at = memmem(at, n - (gsize)(at - pdf), KEYS[i], strlen(KEYS[i])));) {
      at += strlen(KEYS[i]);
      for (gsize j = 0; at < pdf + n && j < 14 && g_ascii_isdigit(*at); j++)
        *at++ = stamp[j];
    }
}

static bool copy(const char *dir, const char *stamp, int fd, GError **error) {
  g_autofree char *path = g_build_filename(dir, "report.pdf", NULL);
  g_autoptr(GBytes) bytes = io_read_file(path, PDF_BYTES_MAX, error);
  if (bytes == NULL)
    return false;
  gsize n;
  g_autofree char *pdf = g_memdup2(g_bytes_get_data(bytes, &n), g_bytes_get_size(bytes));
  n = g_bytes_get_size(bytes);
  if (n < 5 || memcmp(pdf, "%PDF-", 5) != 0)
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "Chromium wrote no PDF");
  set_dates(pdf, n, stamp);
  return io_write_all(fd, pdf, n) ||
         triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(errno));
}

bool report_write_pdf(Store *store, int fd, GError **error) {
  g_autofree char *browser = find_browser();
  if (browser == NULL)
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "report.pdf: Chromium, which prints it, is not installed; install it, or "
                       "print report.html with any browser");
  g_autofree char *dir = g_dir_make_tmp("triage-pdf-XXXXXX", error);
  if (dir == NULL)
    return false;
  g_autofree char *page = g_build_filename(dir, "report.html", NULL);
  g_autofree char *stamp = stamp_of(store);
  bool ok =
      write_page(store, page, error) && print(browser, dir, error) && copy(dir, stamp, fd, error);
  nftw(dir, remove_one, KEPT_OPEN, FTW_DEPTH | FTW_PHYS);
  return ok;
}
