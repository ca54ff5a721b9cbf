/* SPDX-License-Identifier: Apache-2.0 */
/* coord_watch_folder.c - see coord_watch.h. */
#include "base/keyhash.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "engine/coord_watch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void file_clear_answer(WatchFile *file) {
  g_clear_pointer(&file->missing, g_free);
  g_clear_pointer(&file->signature, g_free);
  if (file->parts != NULL)
    g_ptr_array_set_size(file->parts, 0);
  file->is_asked = file->is_later = file->is_done = file->is_said = false;
  file->retry_at = 0;
}

static void file_free(WatchFile *file) {
  file_clear_answer(file);
  g_ptr_array_unref(file->parts);
  g_free(file->name);
  g_free(file->shown);
  g_free(file);
}

void watch_folder_init(WatchFolder *folder, const WatchOptions *options) {
  *folder = (WatchFolder){
      .options = options,
      .files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free),
      .told = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL),
  };
}

void watch_folder_clear(WatchFolder *folder) {
  g_clear_pointer(&folder->files, g_ptr_array_unref);
  g_clear_pointer(&folder->told, g_hash_table_unref);
}

char *watch_folder_path(const WatchFolder *folder, const char *name) {
  return g_build_filename(folder->options->folder, name, NULL);
}

static void tell_once(WatchFolder *folder, const char *name, const char *what) {
  if (g_hash_table_contains(folder->told, name))
    return;
  g_autofree char *shown = text_printable(name, strlen(name));
  g_printerr("triage watch: %s: %s\n", shown, what);
  g_hash_table_add(folder->told, g_strdup(name));
}

static gint compare_files(gconstpointer a, gconstpointer b) {
  return strcmp((*(WatchFile *const *)a)->name, (*(WatchFile *const *)b)->name);
}

static WatchFile *find(const WatchFolder *folder, const char *name) {
  guint low = 0, high = folder->files->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    WatchFile *file = folder->files->pdata[middle];
    int order = strcmp(file->name, name);
    if (order == 0)
      return file;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static uint64_t hash_of(const WatchFile *file) {
  g_autofree char *text =
      g_strdup_printf("%llu %llu %lld %s", (unsigned long long)file->size,
                      (unsigned long long)file->inode, (long long)file->modified, file->name);
  Digests digests;
  digest_bytes(DIGEST_SHA256, text, strlen(text), &digests);
  char head[17];
  g_strlcpy(head, digests.sha256, sizeof head);
  return g_ascii_strtoull(head, NULL, 16);
}

static WatchFile *file_new(const char *name, const struct stat *status, gint64 now) {
  WatchFile *file = g_new0(WatchFile, 1);
  file->name = g_strdup(name);
  file->shown = text_printable(name, strlen(name));
  file->size = (uint64_t)status->st_size;
  file->inode = status->st_ino;
  file->modified = status->st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + status->st_mtim.tv_nsec;
  file->changed = status->st_ctim.tv_sec;
  file->since = now;
  file->parts = g_ptr_array_new_with_free_func(g_free);
  file->hash = hash_of(file);
  return file;
}

/* NULL: cannot be read now. (transfer full) */
static GPtrArray *list(WatchFolder *folder) {
  DIR *dir = opendir(folder->options->folder);
  if (dir == NULL)
    return NULL;
  gint64 now = g_get_monotonic_time();
  GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
  const struct dirent *entry;
  errno = 0;
  while ((entry = readdir(dir)) != NULL) {
    struct stat status;
    if (*entry->d_name == '.' ||
        fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (S_ISREG(status.st_mode))
      g_ptr_array_add(files, file_new(entry->d_name, &status, now));
    else
      tell_once(folder, entry->d_name, "is no regular file and is left alone");
    errno = 0;
  }
  bool is_whole = errno == 0;
  closedir(dir);
  if (!is_whole)
    g_clear_pointer(&files, g_ptr_array_unref);
  return files;
}

/* What is known of a file that has not changed is kept. */
static void take_over(WatchFolder *folder, GPtrArray *files) {
  g_ptr_array_sort(files, compare_files);
  for (guint i = 0; i < files->len; i++) {
    WatchFile *now = files->pdata[i], *before = find(folder, now->name);
    if (before == NULL || before->hash != now->hash)
      continue;
    /* The older takes the newer's place: the array that owned it is freed below. */
    before->changed = now->changed;
    WatchFile swap = *before;
    *before = *now;
    *now = swap;
  }
  g_ptr_array_unref(folder->files);
  folder->files = files;
}

static bool has_suffix(const char *name, const char *const *suffixes) {
  for (gsize i = 0; suffixes[i] != NULL; i++) {
    gsize n = strlen(name), length = strlen(suffixes[i]);
    if (n > length && g_ascii_strcasecmp(name + n - length, suffixes[i]) == 0)
      return true;
  }
  return false;
}

/* Names under which copying tools write what is not whole yet; and the marks that it is. */
static bool is_unfinished(const char *name) {
  static const char *const SUFFIXES[] = {".part",       ".partial",  ".tmp", ".done",
                                         ".crdownload", ".filepart", NULL};
  return has_suffix(name, SUFFIXES);
}

/* Bytes of the name that all segments of an image share. */
static gsize stem_length(const char *name) {
  const char *dot = strrchr(name, '.');
  gsize n = dot != NULL && dot != name ? (gsize)(dot - name) : strlen(name);
  gsize end = n;
  while (end > 0 && g_ascii_isdigit(name[end - 1]))
    end--;
  if (dot == NULL && end == n && n > 2)
    end = n - 2; /* xaa, xab ... */
  return end;
}

/* What an imager or a person writes beside an image: its digests, its log. */
static bool is_companion(const WatchFolder *folder, const WatchFile *file) {
  static const char *const SUFFIXES[] = {".md5", ".sha1", ".sha256", ".sha512", ".txt",
                                         ".log", ".csv",  ".xml",    NULL};
  if (!has_suffix(file->name, SUFFIXES))
    return false;
  const char *dot = strrchr(file->name, '.');
  gsize n = (gsize)(dot - file->name);
  for (guint i = 0; i < folder->files->len; i++) {
    const WatchFile *other = folder->files->pdata[i];
    if (strncmp(other->name, file->name, n) == 0 && !has_suffix(other->name, SUFFIXES) &&
        !is_unfinished(other->name) && (other->name[n] == '\0' || other->name[n] == '.'))
      return true;
  }
  return false;
}

static bool has_marker(const WatchFolder *folder, const WatchFile *file) {
  g_autofree char *name = g_strconcat(file->name, ".done", NULL);
  return find(folder, name) != NULL;
}

static bool is_settled(const WatchFolder *folder, const WatchFile *file) {
  return g_get_monotonic_time() - file->since >= (gint64)folder->options->settle * G_USEC_PER_SEC;
}

/* Changes with each file that may be part of the same image. */
static uint64_t stamp_of(const WatchFolder *folder, const WatchFile *file) {
  gsize n = stem_length(file->name);
  uint64_t stamp = 0;
  for (guint i = 0; i < folder->files->len; i++) {
    const WatchFile *other = folder->files->pdata[i];
    if (strncmp(other->name, file->name, n) == 0)
      stamp += other->hash;
  }
  return stamp;
}

char *watch_signature(const char *recorded) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_auto(GStrv) lines = g_strsplit(recorded, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 5); /* size, modified, changed, accessed */
    if (g_strv_length(fields) < 5)
      continue;
    const char *slash = strrchr(fields[4], '/');
    g_string_append_printf(out, "%s\t%s\t%s\n", fields[0], fields[1],
                           slash != NULL ? slash + 1 : fields[4]);
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

static void take_parts(WatchFile *file, const char *path, const Probe *probe) {
  g_autoptr(GString) states = g_string_new(NULL);
  for (guint i = 0; i < probe->files->len; i++) {
    const ProbeFile *part = probe->files->pdata[i];
    g_string_append_printf(states, "%s\t%s\n", part->state, part->shown);
    g_ptr_array_add(file->parts, g_path_get_basename(part->path));
  }
  if (file->parts->len == 0) {
    g_autofree char *state = case_file_state(path);
    g_string_append_printf(states, "%s\t%s\n", state, file->shown);
    g_ptr_array_add(file->parts, g_strdup(file->name));
  }
  file->signature = watch_signature(states->str);
}

static bool is_lack(TriageReason reason) {
  return reason == TRIAGE_REASON_MISSING_SEGMENT || reason == TRIAGE_REASON_TRUNCATED;
}

/* What the image lacks of a whole one. */
static void take_lack(WatchFile *file, const Probe *probe) {
  if (probe->error != NULL && is_lack(triage_error_reason(probe->error)))
    file->missing = g_strdup(probe->error->message);
  for (guint i = 0; i < probe->gaps->len && file->missing == NULL; i++) {
    const StoredGap *gap = probe->gaps->pdata[i];
    if (is_lack(gap->gap.reason))
      file->missing = g_strdup_printf("%s: %s", triage_reason_name(gap->gap.reason), gap->detail);
  }
}

static bool ask(const WatchFolder *folder, WatchFile *file, GError **error) {
  g_autofree char *path = watch_folder_path(folder, file->name);
  ProcessSetup setup = {
      .role = "examine", .evidence = path, .options = folder->options->scan, .spool_fd = -1};
  GError *problem = NULL;
  g_autoptr(Probe) probe = probe_new(&setup, &problem);
  file_clear_answer(file);
  if (probe == NULL && triage_error_reason(problem) != TRIAGE_REASON_USAGE) {
    g_propagate_error(error, problem);
    return false;
  }
  file->is_asked = true;
  file->is_later = probe == NULL;
  g_clear_error(&problem);
  if (probe != NULL) {
    take_parts(file, path, probe);
    take_lack(file, probe);
  }
  return true;
}

bool watch_folder_look(WatchFolder *folder, GError **error) {
  GPtrArray *files = list(folder);
  if (files == NULL) {
    if (!folder->is_gone)
      g_printerr("triage watch: the folder cannot be read: %s; waiting for it\n",
                 g_strerror(errno));
    folder->is_gone = true;
    return true;
  }
  folder->is_gone = false;
  take_over(folder, files);
  for (guint i = 0; i < folder->files->len; i++) {
    WatchFile *file = folder->files->pdata[i];
    uint64_t stamp = stamp_of(folder, file);
    if (is_unfinished(file->name) || (!is_settled(folder, file) && !has_marker(folder, file)) ||
        (file->is_asked && file->stamp == stamp))
      continue;
    if (!ask(folder, file, error))
      return false;
    file->stamp = stamp;
  }
  return true;
}

/* Of any image but that of the file itself. */
static bool is_part_of_other(const GHashTable *owned, const WatchFile *file) {
  return file->is_later || g_hash_table_contains((GHashTable *)owned, file->name);
}

static GHashTable *owned_parts(const WatchFolder *folder) {
  GHashTable *owned = g_hash_table_new(keyhash_str, g_str_equal);
  for (guint i = 0; i < folder->files->len; i++) {
    const WatchFile *file = folder->files->pdata[i];
    for (guint k = 0; k < file->parts->len; k++)
      if (strcmp(file->parts->pdata[k], file->name) != 0)
        g_hash_table_add(owned, file->parts->pdata[k]);
  }
  return owned;
}

static bool is_patient(const WatchFolder *folder, const WatchFile *file) {
  gint64 latest = 0;
  for (guint i = 0; i < file->parts->len; i++) {
    const WatchFile *part = find(folder, file->parts->pdata[i]);
    latest = MAX(latest, part != NULL ? part->changed : 0);
  }
  return g_get_real_time() / G_USEC_PER_SEC - latest < folder->options->patience;
}

static bool is_ready(const WatchFolder *folder, WatchFile *file) {
  if (has_marker(folder, file))
    return true;
  if (folder->options->needs_marker)
    return false;
  for (guint i = 0; i < file->parts->len; i++) {
    const WatchFile *part = find(folder, file->parts->pdata[i]);
    if (part != NULL && !is_settled(folder, part))
      return false;
  }
  bool waits = file->missing != NULL && is_patient(folder, file);
  if (waits && !file->is_said)
    g_printerr("triage watch: %s: is not whole and waits (%s); a file %s.done beside it has it "
               "examined as it is\n",
               file->shown, file->missing, file->shown);
  file->is_said = file->is_said || waits;
  return !waits;
}

/* An image, as far as that is known, that is not done. */
static bool is_open(WatchFolder *folder, const GHashTable *owned, const WatchFile *file) {
  if (file->is_done || is_unfinished(file->name) || is_part_of_other(owned, file))
    return false;
  if (!is_companion(folder, file))
    return true;
  tell_once(folder, file->name, "goes with an image and is left alone");
  return false;
}

WatchFile *watch_folder_next(WatchFolder *folder) {
  g_autoptr(GHashTable) owned = owned_parts(folder);
  gint64 now = g_get_monotonic_time();
  for (guint i = 0; i < folder->files->len; i++) {
    WatchFile *file = folder->files->pdata[i];
    if (file->is_asked && file->retry_at <= now && is_open(folder, owned, file) &&
        is_ready(folder, file))
      return file;
  }
  return NULL;
}

guint watch_folder_waiting(const WatchFolder *folder) {
  g_autoptr(GHashTable) owned = owned_parts(folder);
  guint n = 0;
  for (guint i = 0; i < folder->files->len; i++)
    n += is_open((WatchFolder *)folder, owned, folder->files->pdata[i]);
  return n;
}
