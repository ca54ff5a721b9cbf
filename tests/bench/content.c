/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - the content stage alone: the same files matched with and without the prefilter, in
 * turn, in one process. Prints the processor time of every round's middle and the ratio pair by
 * pair; fails where the hits differ. */
#include "base/limits.h"
#include "scan/scan.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { ROUNDS_MAX = 101 };

static GPtrArray *files; /* nftw has no room for a pointer of its own */
static uint64_t n_bytes, n_bytes_max;

static int take_file(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)place;
  g_autofree char *data = NULL;
  gsize n = 0;
  if (kind != FTW_F || !S_ISREG(status->st_mode) ||
      n_bytes + (uint64_t)status->st_size > n_bytes_max ||
      !g_file_get_contents(path, &data, &n, NULL))
    return 0;
  g_ptr_array_add(files, content_new_copy(data, n));
  n_bytes += n;
  return 0;
}

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds for all files; hits is a digest of what was found. */
static double run(Scanner *scanner, GString *hits) {
  double start = processor_seconds();
  for (guint i = 0; i < files->len; i++) {
    GPtrArray *found = scanner_scan(scanner, files->pdata[i], 600, NULL);
    for (guint k = 0; k < found->len; k++) {
      const ScanHit *hit = found->pdata[k];
      g_string_append_printf(hits, "%u %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", i,
                             hit->rule, hit->match_count, hit->first_offset);
    }
    g_ptr_array_unref(found);
  }
  return processor_seconds() - start;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double middle(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  return values[n / 2];
}

static Scanner *compile(const char *path, bool has_prefilter, double *seconds) {
  g_autoptr(GError) error = NULL;
  RuleFile file = {(char *)"default", (char *)path, NULL};
  g_autofree char *text = NULL;
  gsize n = 0;
  if (!g_file_get_contents(path, &text, &n, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return NULL;
  }
  file.text = g_bytes_new_static(text, n);
  double start = processor_seconds();
  Scanner *scanner = scanner_new(&file, 1, NULL, &error);
  if (scanner != NULL && has_prefilter)
    scanner_use_prefilter(scanner);
  *seconds = processor_seconds() - start;
  if (scanner == NULL)
    fprintf(stderr, "%s\n", error->message);
  g_bytes_unref(file.text);
  return scanner;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: content_bench ROUNDS MEGABYTES RULES DIRECTORY...\n");
    return 2;
  }
  int rounds = CLAMP((int)g_ascii_strtoll(argv[1], NULL, 10), 1, ROUNDS_MAX);
  n_bytes_max = g_ascii_strtoull(argv[2], NULL, 10) * 1000000;
  files = g_ptr_array_new_with_free_func((GDestroyNotify)content_unref);
  for (int i = 4; i < argc; i++)
    nftw(argv[i], take_file, 32, FTW_PHYS);
  double with_start, without_start, with[ROUNDS_MAX], without[ROUNDS_MAX], ratios[ROUNDS_MAX];
  Scanner *scanner = compile(argv[3], true, &with_start);
  Scanner *plain = compile(argv[3], false, &without_start);
  if (scanner == NULL || plain == NULL)
    return 2;
  bool is_same = true;
  for (int i = -1; i < rounds; i++) { /* the first round warms up */
    g_autoptr(GString) found = g_string_new(NULL), wanted = g_string_new(NULL);
    double a = run(scanner, found), b = run(plain, wanted);
    is_same = is_same && g_string_equal(found, wanted);
    if (i < 0)
      continue;
    with[i] = a;
    without[i] = b;
    ratios[i] = b / a;
  }
  double x = middle(with, rounds), y = middle(without, rounds), ratio = middle(ratios, rounds);
  printf("%s: %u rules, prefilter %s\n", argv[3], scanner_n_rules(scanner),
         scanner_prefilter_state(scanner));
  printf("  %u files, %.0f MB, %d rounds in turn, processor seconds\n", files->len,
         (double)n_bytes / 1e6, rounds);
  printf("  start     with %.3f  without %.3f\n", with_start, without_start);
  printf("  content   with %.3f (%.0f MB/s)  libyara alone %.3f (%.0f MB/s)\n", x,
         (double)n_bytes / 1e6 / x, y, (double)n_bytes / 1e6 / y);
  printf("  libyara alone / with: %.2f (%.2f to %.2f), hits %s\n", ratio, ratios[0],
         ratios[rounds - 1], is_same ? "identical" : "DIFFER");
  scanner_free(scanner);
  scanner_free(plain);
  g_ptr_array_unref(files);
  return is_same ? 0 : 1;
}
