/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - walks and reads a directory of the examiner's machine. */
#include "evidence/tree.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  uint32_t no;
  char *path; /* relative, "." for the root */
} Pending;

typedef struct {
  int root;
  const WalkSink *sink;
  GQueue *pending; /* Pending* */
  uint32_t n_dirs;
  uint64_t seq;
} Tree;

static void pending_free(Pending *pending) {
  g_free(pending->path);
  g_free(pending);
}

static int open_below(int root, const char *path, int flags) {
  int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | flags);
  if (fd < 0 && errno == EPERM)
    fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags);
  return fd;
}

static bool give_gap(Tree *tree, uint64_t seq, uint32_t dir, TriageReason reason,
                     const char *detail) {
  Gap gap = {.seq = seq,
             .dir = dir,
             .has_dir = seq == GAP_NO_OBJECT,
             .state = STATE_ALLOCATED,
             .reason = reason,
             .detail = detail};
  return tree->sink->gap(tree->sink->user, &gap);
}

static TriageTime time_of(struct timespec when) {
  TriageTime time = {.seconds = when.tv_sec,
                     .nanoseconds = (uint32_t)when.tv_nsec,
                     .digits = 9,
                     .is_set = true,
                     .source = TIME_DIRECTORY};
  return time;
}

static int compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *read_names(int fd, int *problem) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  DIR *stream = fdopendir(fd);
  if (stream == NULL) {
    *problem = errno;
    close(fd);
    return names;
  }
  errno = 0;
  for (struct dirent *entry; (entry = readdir(stream)) != NULL; errno = 0)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      g_ptr_array_add(names, g_strdup(entry->d_name));
  *problem = errno;
  closedir(stream);
  g_ptr_array_sort(names, compare_names);
  return names;
}

static void fill_object(Object *object, const struct stat *status) {
  object->size =
      S_ISREG(status->st_mode) || S_ISLNK(status->st_mode) ? (uint64_t)status->st_size : 0;
  object->modified = time_of(status->st_mtim);
  object->changed = time_of(status->st_ctim);
  object->accessed = time_of(status->st_atim);
  object->kind = S_ISREG(status->st_mode)   ? OBJECT_FILE
                 : S_ISDIR(status->st_mode) ? OBJECT_DIR
                 : S_ISLNK(status->st_mode) ? OBJECT_LINK
                                            : OBJECT_OTHER;
  if (object->kind == OBJECT_DIR || object->kind == OBJECT_OTHER)
    object->flags |= OBJECT_NO_CONTENT;
}

/* Queues a subdirectory; one whose path the system cannot open any more is a gap. */
static bool add_dir(Tree *tree, const Pending *parent, const char *name, GBytes *raw) {
  ObjectDir dir = {.no = ++tree->n_dirs, .parent = parent->no, .name = raw};
  if (!tree->sink->dir(tree->sink->user, &dir))
    return false;
  Pending *child = g_new0(Pending, 1);
  child->no = dir.no;
  child->path =
      strcmp(parent->path, ".") == 0 ? g_strdup(name) : g_strconcat(parent->path, "/", name, NULL);
  if (strlen(child->path) >= PATH_MAX) {
    pending_free(child);
    return give_gap(tree, GAP_NO_OBJECT, dir.no, TRIAGE_REASON_DEPTH_LIMIT,
                    "the directory lies deeper than 4,095 bytes of path, which the system cannot "
                    "open; name a directory further down as evidence of its own");
  }
  g_queue_push_tail(tree->pending, child);
  return true;
}

static bool walk_entry(Tree *tree, const Pending *dir, const char *name) {
  g_autofree char *path =
      strcmp(dir->path, ".") == 0 ? g_strdup(name) : g_strconcat(dir->path, "/", name, NULL);
  struct stat status;
  bool is_known = fstatat(tree->root, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
  int problem = errno;
  g_autoptr(GBytes) raw = g_bytes_new(name, strlen(name));
  Object object = {.seq = tree->seq++, .dir = dir->no, .name = raw, .kind = OBJECT_OTHER};
  if (is_known)
    fill_object(&object, &status);
  else
    object.flags = OBJECT_NO_CONTENT;
  if (!tree->sink->object(tree->sink->user, &object))
    return false;
  if (!is_known) {
    g_autofree char *detail =
        g_strdup_printf("the entry cannot be examined: %s", g_strerror(problem));
    return give_gap(tree, object.seq, 0, TRIAGE_REASON_UNREADABLE, detail);
  }
  return object.kind != OBJECT_DIR || add_dir(tree, dir, name, raw);
}

static bool walk_dir(Tree *tree, const Pending *dir) {
  if (tree->sink->step != NULL && !tree->sink->step(tree->sink->user, WALK_PASS_NAMES, dir->no))
    return false;
  int fd = open_below(tree->root, dir->path, O_DIRECTORY);
  int problem = errno;
  g_autoptr(GPtrArray) names = NULL;
  if (fd >= 0)
    names = read_names(fd, &problem);
  if (fd < 0 || problem != 0) {
    g_autofree char *detail =
        g_strdup_printf("the directory cannot be read to its end: %s", g_strerror(problem));
    if (!give_gap(tree, GAP_NO_OBJECT, dir->no, TRIAGE_REASON_UNREADABLE, detail))
      return false;
  }
  for (guint i = 0; names != NULL && i < names->len; i++)
    if (!walk_entry(tree, dir, names->pdata[i]))
      return false;
  return true;
}

bool tree_walk(int root_fd, const WalkSink *sink, GError **error) {
  Tree tree = {.root = root_fd, .sink = sink, .pending = g_queue_new()};
  Pending *root = g_new0(Pending, 1);
  root->path = g_strdup(".");
  g_queue_push_tail(tree.pending, root);
  bool ok = true;
  while (ok && !g_queue_is_empty(tree.pending)) {
    Pending *dir = g_queue_pop_head(tree.pending);
    ok = walk_dir(&tree, dir);
    pending_free(dir);
  }
  g_queue_free_full(tree.pending, (GDestroyNotify)pending_free);
  return ok || triage_fail(error, TRIAGE_REASON_INTERNAL, "the walk was stopped");
}

static void read_file(int fd, const Object *object, ContentBuilder *builder, WalkContent *out) {
  enum { STEP = 1024 * 1024 };
  g_autofree char *buffer = g_malloc(STEP);
  uint64_t offset = 0;
  while (offset < object->size) {
    size_t want = (size_t)MIN(STEP, object->size - offset);
    ssize_t got = io_pread(fd, buffer, want, offset);
    if (got < 0 && want > 512) {
      /* One bad sector must not cost the rest of the file. */
      for (size_t done = 0; done < want; done += 512) {
        size_t piece = MIN(512, want - done);
        if (io_pread(fd, buffer + done, piece, offset + done) == (ssize_t)piece)
          continue;
        memset(buffer + done, 0, piece);
        Damage damage = {offset + done, piece, TRIAGE_REASON_READ_ERROR};
        g_array_append_val(out->damage, damage);
      }
      got = (ssize_t)want;
    }
    if (got <= 0) {
      triage_fail(&out->error, got < 0 ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TRUNCATED,
                  "the file ends at byte %llu, before its stated size", (unsigned long long)offset);
      return;
    }
    if (!content_builder_append(builder, buffer, (size_t)got, &out->error))
      return;
    offset += (uint64_t)got;
  }
  struct stat now;
  if (fstat(fd, &now) == 0 && S_ISREG(now.st_mode) && (uint64_t)now.st_size > object->size)
    triage_fail(
        &out->error, TRIAGE_REASON_TRUNCATED,
        "the file has grown since it was listed: its first %llu of now %llu bytes were read",
        (unsigned long long)object->size, (unsigned long long)now.st_size);
}

void tree_read(int root_fd, const Object *object, const char *path, Spool *spool,
               WalkContent *out) {
  memset(out, 0, sizeof *out);
  out->damage = g_array_new(FALSE, FALSE, sizeof(Damage));
  if (object->kind == OBJECT_LINK) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(root_fd, path, target, sizeof target);
    if (n < 0)
      triage_fail(&out->error, TRIAGE_REASON_UNREADABLE, "the link cannot be read: %s",
                  g_strerror(errno));
    out->content = content_new_copy(target, n < 0 ? 0 : (size_t)n);
    return;
  }
  auto_fd fd = open_below(root_fd, path, 0);
  if (fd < 0) {
    triage_fail(&out->error, TRIAGE_REASON_UNREADABLE, "the file cannot be opened: %s",
                g_strerror(errno));
    out->content = content_new_copy("", 0);
    return;
  }
  ContentBuilder *builder = content_builder_new(spool, LIMIT_OBJECT_BYTES);
  read_file(fd, object, builder, out);
  GError *finish_error = NULL;
  out->content = content_builder_finish(builder, &finish_error);
  if (out->content == NULL) {
    out->content = content_new_copy("", 0);
    g_clear_error(&out->error);
    out->error = finish_error;
  }
}
