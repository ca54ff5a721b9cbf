/* SPDX-License-Identifier: Apache-2.0 */
/* coord_known.c - tells the forms of lists apart and feeds their digests to the sorter: of a row
 * that has several, the strongest alone. */
#include "engine/coord_known.h"
#include "base/io.h"
#include "base/text.h"
#include "engine/coord.h"
#include "engine/coord_csv.h"
#include "engine/coord_known_sort.h"
#include "store/known_rds.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 65536 };

void known_list_free(KnownList *list) {
  if (list == NULL)
    return;
  io_auto_close(&list->fd);
  g_free(list->name);
  g_free(list->sha256);
  g_free(list);
}

typedef struct {
  const char *shown;
  KnownSorter *sorter;
  int column[KNOWN_KINDS]; /* of a table, by kind; -1: it has none */
  guint columns;
} Intake;

static gboolean refuse(const Intake *intake, uint64_t line, GError **error) {
  return triage_fail(error, TRIAGE_REASON_USAGE,
                     "%s:%llu: is no SHA-256, SHA-1 or MD5; a list of known files holds one a "
                     "line, or is one of NSRL or hashdeep",
                     intake->shown, (unsigned long long)line);
}

/* A digest that must be one; error stays NULL where it is none. */
static bool add(const Intake *intake, const char *hex, gsize length, uint64_t line,
                GError **error) {
  GError *problem = NULL;
  if (known_sorter_add(intake->sorter, hex, length, &problem))
    return true;
  if (problem == NULL)
    return refuse(intake, line, error);
  g_propagate_error(error, problem);
  return false;
}

static int kind_of_title(const char *title) {
  static const char *const TITLES[][3] = {
      {"SHA-256", "SHA256", "SHA_256"}, {"SHA-1", "SHA1", "SHA_1"}, {"MD5", "MD-5", "MD_5"}};
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++)
    for (gsize i = 0; i < G_N_ELEMENTS(TITLES[kind]); i++)
      if (g_ascii_strcasecmp(title, TITLES[kind][i]) == 0)
        return (int)kind;
  return -1;
}

static bool take_titles(Intake *intake, const GPtrArray *fields) {
  bool any = false;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++)
    intake->column[kind] = -1;
  for (guint i = 0; i < fields->len; i++) {
    int kind = kind_of_title(fields->pdata[i]);
    if (kind >= 0)
      intake->column[kind] = (int)i;
    any = any || kind >= 0;
  }
  intake->columns = fields->len;
  return any;
}

static bool take_fields(const Intake *intake, const GPtrArray *fields, uint64_t line,
                        GError **error) {
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    int column = intake->column[kind];
    if (column >= 0 && (guint)column < fields->len && *(char *)fields->pdata[column] != '\0')
      return add(intake, fields->pdata[column], strlen(fields->pdata[column]), line, error);
  }
  return refuse(intake, line, error);
}

static bool take_csv_row(void *user, const GPtrArray *fields, uint64_t number, GError **error) {
  Intake *intake = user;
  if (number == 1)
    return take_titles(intake, fields) || refuse(intake, number, error);
  return take_fields(intake, fields, number, error);
}

static bool take_hex(void *user, const char *hex, GError **error) {
  return add(user, hex, strlen(hex), 0, error);
}

/* "%%%% size,md5,sha256,filename" tells what the lines hold; names come last. */
static bool take_hashdeep(Intake *intake, const char *line, uint64_t number, GError **error) {
  bool is_title = g_str_has_prefix(line, "%%%% ");
  if (!is_title && (*line == '#' || *line == '%'))
    return true;
  g_auto(GStrv) parts =
      g_strsplit(line + (is_title ? 5 : 0), ",", is_title ? -1 : (int)MAX(intake->columns, 1));
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  for (guint i = 0; parts[i] != NULL; i++)
    g_ptr_array_add(fields, parts[i]);
  if (is_title)
    return take_titles(intake, fields) || g_str_has_prefix(line + 5, "HASHDEEP") ||
           refuse(intake, number, error);
  return take_fields(intake, fields, number, error);
}

/* The first word; what follows is a name. */
static bool take_plain(Intake *intake, const char *line, uint64_t number, GError **error) {
  if (number == 1 && g_str_has_prefix(line, "\xef\xbb\xbf"))
    line += 3;
  line += strspn(line, " \t\\"); /* sha256sum marks an escaped name with a backslash */
  if (*line == '\0' || *line == '#')
    return true;
  gsize length = strspn(line, "0123456789abcdefABCDEF");
  if (line[length] != '\0' && strchr(" \t,;", line[length]) == NULL)
    return refuse(intake, number, error);
  return add(intake, line, length, number, error);
}

static bool read_lines(Intake *intake, const char *path, bool is_hashdeep, GError **error) {
  FILE *file = fopen(path, "re");
  g_autofree char *line = g_malloc(LINE_BYTES);
  bool ok = file != NULL || triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be opened: %s",
                                        intake->shown, g_strerror(errno));
  for (uint64_t number = 1; ok && fgets(line, LINE_BYTES, file) != NULL; number++) {
    gsize n = strcspn(line, "\r\n");
    if (line[n] == '\0' && n + 1 == LINE_BYTES)
      ok = refuse(intake, number, error);
    line[n] = '\0';
    ok = ok && (is_hashdeep ? take_hashdeep(intake, line, number, error)
                            : take_plain(intake, line, number, error));
  }
  if (ok && ferror(file))
    ok = triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be read", intake->shown);
  if (file != NULL)
    fclose(file);
  return ok;
}

static bool feed(Intake *intake, const char *path, const char *start, GError **error) {
  if (memcmp(start, "SQLite format 3", 16) == 0)
    return known_rds_each(path, take_hex, intake, error);
  if (g_str_has_prefix(start, "%%%% "))
    return read_lines(intake, path, true, error);
  g_auto(GStrv) words = g_strsplit_set(start, ",\r\n", 2);
  g_autofree char *first = g_strdup(words[0] != NULL ? words[0] : "");
  g_strdelimit(first, "\"", ' ');
  if (kind_of_title(g_strstrip(first)) >= 0)
    return csv_read(path, false, take_csv_row, intake, error);
  return read_lines(intake, path, false, error);
}

static bool make_index(KnownList *list, const char *path, const char *dir, const char *start,
                       GError **error) {
  g_autoptr(KnownSorter) sorter = known_sorter_new(dir);
  Intake intake = {.shown = list->name, .sorter = sorter};
  io_auto_close(&list->fd); /* of the list */
  list->fd = known_temporary(dir, error);
  g_autofree char *base = g_path_get_basename(path);
  g_autofree char *shown = text_printable(base, strlen(base));
  g_strlcpy(list->index.name, shown, MIN(sizeof list->index.name, 128));
  g_strlcpy(list->index.source_sha256, list->sha256, sizeof list->index.source_sha256);
  return list->fd >= 0 && feed(&intake, path, start, error) &&
         known_sorter_finish(sorter, list->fd, &list->index, error);
}

static bool digest_list(KnownList *list, GError **error) {
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA256);
  g_autofree char *buffer = g_malloc(1 << 20);
  ssize_t n;
  while ((n = io_pread(list->fd, buffer, 1 << 20, list->size)) > 0) {
    digester_update(digester, buffer, (size_t)n);
    list->size += (uint64_t)n;
  }
  Digests digests;
  digester_finish(digester, &digests);
  list->sha256 = g_strdup(digests.sha256);
  return n == 0 || triage_fail(error, TRIAGE_REASON_USAGE, "%s: cannot be read: %s", list->name,
                               g_strerror(errno));
}

static KnownList *list_open(const char *path, const char *dir, GError **error) {
  g_autoptr(KnownList) list = g_new0(KnownList, 1);
  list->name = text_printable(path, strlen(path));
  list->fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  char start[512] = "";
  if (list->fd < 0 || fstat(list->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no list of known files that can be opened%s%s",
                list->name, list->fd < 0 ? ": " : "", list->fd < 0 ? g_strerror(errno) : "");
    return NULL;
  }
  if (!digest_list(list, error) || io_pread(list->fd, start, sizeof start - 1, 0) < 0)
    return NULL;
  list->is_ready_made = memcmp(start, KNOWN_MAGIC, sizeof KNOWN_MAGIC) == 0;
  if (!list->is_ready_made)
    return make_index(list, path, dir, start, error) ? g_steal_pointer(&list) : NULL;
  if (known_open(&list->index, list->fd, list->size))
    return g_steal_pointer(&list);
  triage_fail(error, TRIAGE_REASON_USAGE,
              "%s: is a damaged index of known files; make it again with 'triage index-known'",
              list->name);
  return NULL;
}

GPtrArray *known_lists_open(char **paths, const char *dir, GError **error) {
  g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)known_list_free);
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++) {
    KnownList *list = list_open(paths[i], dir, error);
    if (list == NULL)
      return NULL;
    g_ptr_array_add(lists, list);
  }
  return g_steal_pointer(&lists);
}

int coord_index_known(const char *path, const char *output) {
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_path_get_dirname(output);
  g_autofree char *temporary = g_strconcat(output, ".part", NULL);
  g_autoptr(KnownList) list = list_open(path, dir, &error);
  auto_fd fd = list != NULL ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
  uint64_t at = 0;
  g_autofree char *buffer = g_malloc(1 << 20);
  ssize_t n = -1;
  while (fd >= 0 && (n = io_pread(list->fd, buffer, 1 << 20, at)) > 0 &&
         io_write_all(fd, buffer, (size_t)n))
    at += (uint64_t)n;
  if (list != NULL && (n != 0 || fsync(fd) != 0 || rename(temporary, output) != 0)) {
    triage_fail(&error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", output,
                g_strerror(errno));
    unlink(temporary);
  }
  if (error != NULL) {
    g_printerr("triage index-known: %s\n", error->message);
    return triage_error_reason(error) == TRIAGE_REASON_USAGE ? EXIT_UNUSABLE : EXIT_STOPPED;
  }
  g_print("%llu SHA-256, %llu SHA-1, %llu MD5\n", (unsigned long long)list->index.count[0],
          (unsigned long long)list->index.count[1], (unsigned long long)list->index.count[2]);
  return EXIT_COMPLETE;
}
