/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_image.c - a disk image inside an object (a virtual machine's disk in a backup): its files
 * are members of it. How an image is read is the evidence stage's business; here its files meet the
 * budgets of all members. */
#include "base/text.h"
#include "unpack/unpack_private.h"

typedef struct {
  Unpack *unpack;
  Container *container;
} ImageWalk;

static bool on_file(void *user, GBytes *path, Member *member) {
  ImageWalk *walk = user;
  Unpack *unpack = walk->unpack;
  if (walk->container->n_members >= LIMIT_MEMBERS) {
    unpack_damage(unpack, walk->container, TRIAGE_REASON_SIZE_LIMIT,
                  "files behind the first %u of the image were not examined", LIMIT_MEMBERS);
    return false;
  }
  unpack->expanded += MIN(content_size(member->content), unpack_budget(unpack));
  unpack_member(unpack, walk->container, path, member);
  return !unpack->is_stopped;
}

static bool on_gap(void *user, GBytes *path, uint64_t size, uint64_t examined, TriageReason reason,
                   const char *detail) {
  ImageWalk *walk = user;
  const MemberPath *container = walk->container->path;
  const MemberPath inner = {container, path, "raw", container->depth + 1};
  if (path != NULL)
    unpack_gap(walk->unpack, &inner, size, examined, reason, "%s", detail);
  else
    unpack_damage(walk->unpack, walk->container, reason, "%s", detail);
  return !walk->unpack->is_stopped;
}

static bool on_alive(void *user, uint64_t bytes) {
  return unpack_alive(((ImageWalk *)user)->unpack, bytes);
}

static uint64_t room(void *user) {
  return unpack_budget(((ImageWalk *)user)->unpack);
}

void unpack_image_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const UnpackOptions *options = unpack->options;
  gsize n = 0;
  const char *name =
      container->path->name != NULL ? g_bytes_get_data(container->path->name, &n) : NULL;
  g_autofree char *shown = name != NULL ? text_printable(name, n) : g_strdup("the object");
  if (options->walk_image == NULL) {
    uint64_t size = content_size(container->content);
    unpack_gap(unpack, container->path, size, size, TRIAGE_REASON_UNSUPPORTED_FORMAT,
               "a %s inside another object is not opened here; its bytes were scanned as they are",
               self->row.name);
    return;
  }
  ImageWalk walk = {unpack, container};
  const ImageSink sink = {&walk, on_file, on_gap, on_alive, room};
  options->walk_image(options->image_user, container->content, shown, &sink);
}
