/* SPDX-License-Identifier: Apache-2.0 */
/* worker_image.c - a disk image that came out of another object, walked as evidence is: entries,
 * deleted ones, named streams. What no entry stands for (slack, unallocated space) is found in the
 * image's own bytes, which are scanned as they are. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/worker.h"
#include <string.h>

typedef struct {
  uint32_t parent;
  GBytes *name;
} Dir;

/* One volume of the image while it is walked. */
typedef struct {
  Worker *worker;
  const ImageSink *sink;
  VolumeSet *volumes;
  const Volume *volume;
  GArray *dirs;       /* Dir, number n at n - 1 */
  GPtrArray *objects; /* Object* with content to read */
  GBytes *last;       /* path of the last entry, whose gaps follow it */
  uint64_t last_seq;
  bool is_partial;
  bool is_stopped;
} Nested;

static void dir_clear(gpointer dir) {
  g_bytes_unref(((Dir *)dir)->name);
}

static void nested_object_free(gpointer object) {
  proto_object_clear(object);
  g_free(object);
}

static bool take_dir(void *user, const ObjectDir *dir) {
  Nested *nested = user;
  Dir kept = {dir->parent, g_bytes_ref(dir->name)};
  g_array_append_val(nested->dirs, kept);
  return nested->sink->alive(nested->sink->user, 4096);
}

static void append_bytes(GByteArray *path, GBytes *bytes) {
  gsize n;
  gconstpointer p = g_bytes_get_data(bytes, &n);
  if (n > 0)
    g_byte_array_append(path, p, (guint)n);
}

/* "/dir/name:stream" in raw bytes; what is deleted lies below "(deleted)", and of several volumes
 * each below its own name. */
static GBytes *path_of(const Nested *nested, const Object *object, uint32_t dir) {
  g_autoptr(GPtrArray) steps = g_ptr_array_new();
  for (uint32_t no = dir; no != 0 && no <= nested->dirs->len && steps->len < LIMIT_NESTED_STEPS;) {
    const Dir *step = &g_array_index(nested->dirs, Dir, no - 1);
    g_ptr_array_add(steps, step->name);
    no = step->parent;
  }
  GByteArray *path = g_byte_array_new();
  if (nested->volume->no != 0) {
    g_autofree char *volume = g_strdup_printf("(volume %u)/", nested->volume->no);
    g_byte_array_append(path, (const guint8 *)volume, (guint)strlen(volume));
  }
  if (object != NULL && object->state == STATE_DELETED)
    g_byte_array_append(path, (const guint8 *)"(deleted)/", 10);
  for (guint i = steps->len; i > 0; i--) {
    append_bytes(path, steps->pdata[i - 1]);
    g_byte_array_append(path, (const guint8 *)"/", 1);
  }
  if (object != NULL && object->name != NULL)
    append_bytes(path, object->name);
  if (object != NULL && object->attr_name != NULL) {
    g_byte_array_append(path, (const guint8 *)":", 1);
    append_bytes(path, object->attr_name);
  }
  return g_byte_array_free_to_bytes(path);
}

static bool take_object(void *user, const Object *object) {
  Nested *nested = user;
  g_clear_pointer(&nested->last, g_bytes_unref);
  nested->last = path_of(nested, object, object->dir);
  nested->last_seq = object->seq;
  bool has_content = (object->flags & OBJECT_NO_CONTENT) == 0 &&
                     (object->kind == OBJECT_FILE || object->kind == OBJECT_LINK ||
                      object->kind == OBJECT_VIRTUAL);
  if (!has_content)
    return true;
  if (nested->objects->len >= LIMIT_NESTED_OBJECTS) {
    nested->is_partial = true;
    return false;
  }
  Object *kept = g_memdup2(object, sizeof *object);
  if (kept->name != NULL)
    g_bytes_ref(kept->name);
  if (kept->attr_name != NULL)
    g_bytes_ref(kept->attr_name);
  g_ptr_array_add(nested->objects, kept);
  return nested->sink->alive(nested->sink->user, 4096);
}

static bool take_name(void *user, const ObjectName *name) {
  (void)user, (void)name; /* a hard link: the content comes under its first name */
  return true;
}

static bool take_gap(void *user, const Gap *gap) {
  Nested *nested = user;
  if (gap->seq != GAP_NO_OBJECT && gap->reason == TRIAGE_REASON_OVERWRITTEN)
    return true; /* the blocks are the image's own bytes */
  g_autoptr(GBytes) dir = gap->has_dir ? path_of(nested, NULL, gap->dir) : NULL;
  bool is_last = gap->seq != GAP_NO_OBJECT && gap->seq == nested->last_seq;
  return nested->sink->gap(nested->sink->user, is_last ? nested->last : dir, gap->size,
                           gap->examined, gap->reason, gap->detail);
}

static bool take_step(void *user, uint32_t pass, uint64_t address) {
  (void)pass, (void)address;
  const Nested *nested = user;
  return nested->sink->alive(nested->sink->user, 512);
}

static void read_object(Nested *nested, const Object *object) {
  g_autoptr(GBytes) path = path_of(nested, object, object->dir);
  const ImageSink *sink = nested->sink;
  if (object->size > sink->room(sink->user)) {
    nested->is_stopped = !sink->gap(sink->user, path, object->size, 0, TRIAGE_REASON_SIZE_LIMIT,
                                    "larger than what is left of the object's budget; "
                                    "--max-expanded sets the budget");
    return;
  }
  WalkContent content;
  walk_read(nested->volumes, object, nested->worker->unpack.spool, &content);
  Member member = {.content = content.content,
                   .size = object->size,
                   .created = object->created,
                   .modified = object->modified,
                   .changed = object->changed,
                   .accessed = object->accessed,
                   .name_created = object->name_created,
                   .name_modified = object->name_modified,
                   .name_changed = object->name_changed,
                   .name_accessed = object->name_accessed,
                   .error = content.error};
  bool is_lost = content.error != NULL && content_size(content.content) == 0;
  if (is_lost)
    nested->is_stopped = !sink->gap(sink->user, path, object->size, 0,
                                    triage_error_reason(content.error), content.error->message);
  else
    nested->is_stopped = !sink->file(sink->user, path, &member);
  walk_content_clear(&content);
}

static void walk_nested(Nested *nested) {
  const WalkSink sink = {.user = nested,
                         .dir = take_dir,
                         .object = take_object,
                         .name = take_name,
                         .gap = take_gap,
                         .step = take_step};
  g_autoptr(GError) error = NULL;
  bool is_whole = walk_volume(nested->volumes, nested->volume->no, NULL, 0, &sink, &error);
  if (!is_whole && nested->is_partial)
    nested->sink->gap(nested->sink->user, NULL, nested->volume->length, 0, TRIAGE_REASON_SIZE_LIMIT,
                      "the image holds more files than are taken from one inside an object; those "
                      "behind were not examined");
  else if (!is_whole) /* where the receiver has had enough, it takes this no more */
    nested->sink->gap(nested->sink->user, NULL, nested->volume->length, 0,
                      triage_error_reason(error), error->message);
  for (guint i = 0; i < nested->objects->len && !nested->is_stopped; i++)
    read_object(nested, nested->objects->pdata[i]);
}

static bool take_volume_gap(void *user, const Gap *gap) {
  Nested *nested = user;
  return nested->sink->gap(nested->sink->user, NULL, gap->size, gap->size, gap->reason,
                           gap->detail);
}

static void tell_damage(Nested *nested, Image *image) {
  GArray *damage = image_damage_all(image);
  for (guint i = 0; i < damage->len; i++) {
    const Damage *one = &g_array_index(damage, Damage, i);
    g_autofree char *detail = g_strdup_printf(
        "bytes %llu to %llu of the image inside cannot be had; they read as zero",
        (unsigned long long)one->offset, (unsigned long long)(one->offset + one->length));
    nested->sink->gap(nested->sink->user, NULL, one->length, 0, one->reason, detail);
  }
}

void worker_walk_image(void *user, Content *content, const char *shown, const ImageSink *sink) {
  Worker *worker = user;
  uint64_t size = content_size(content);
  g_autoptr(GError) error = NULL;
  g_autoptr(Image) image = image_open_content(content, shown, &error);
  if (image == NULL) {
    sink->gap(sink->user, NULL, size, size, triage_error_reason(error), error->message);
    return;
  }
  Nested nested = {.worker = worker, .sink = sink};
  const WalkSink volume_sink = {.user = &nested, .gap = take_volume_gap};
  g_autoptr(VolumeSet) volumes =
      volume_set_new(image, worker->volume_passwords, worker->care, &volume_sink);
  nested.volumes = volumes;
  for (guint i = 0; i < volume_set_n(volumes) && !nested.is_stopped; i++) {
    nested.volume = volume_set_get(volumes, i);
    if (*nested.volume->fs_type == '\0')
      continue; /* said when the volumes were listed */
    nested.dirs = g_array_new(FALSE, FALSE, sizeof(Dir));
    g_array_set_clear_func(nested.dirs, dir_clear);
    nested.objects = g_ptr_array_new_with_free_func(nested_object_free);
    walk_nested(&nested);
    g_array_unref(nested.dirs);
    g_ptr_array_unref(nested.objects);
    g_clear_pointer(&nested.last, g_bytes_unref);
  }
  tell_damage(&nested, image);
}
