/* SPDX-License-Identifier: Apache-2.0 */
/* proto_object.c - objects, directories, names and gaps as messages. Every field taken from a
 * worker is checked here: it may have been captured by the evidence it reads. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/proto.h"
#include <string.h>

static gboolean broken(GError **error, const char *what) {
  return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong %s", what);
}

GVariant *proto_bytes(GBytes *bytes) {
  gsize n = 0;
  gconstpointer p = bytes != NULL ? g_bytes_get_data(bytes, &n) : NULL;
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, p, n, 1);
}

GBytes *proto_take_bytes(GVariant *ay) {
  gsize n;
  gconstpointer p = g_variant_get_fixed_array(ay, &n, 1);
  return g_bytes_new(p, n);
}

static GVariant *maybe_bytes(GBytes *bytes) {
  return g_variant_new_maybe(G_VARIANT_TYPE_BYTESTRING, bytes != NULL ? proto_bytes(bytes) : NULL);
}

static GBytes *take_maybe(GVariant *may) {
  g_autoptr(GVariant) inner = g_variant_get_maybe(may);
  return inner != NULL ? proto_take_bytes(inner) : NULL;
}

/* One path component. Any bytes may stand on a disk, '/' too: names are shown (a '/' as \x2f),
 * never used as a path. */
static bool is_component(GBytes *name) {
  return name == NULL || g_bytes_get_size(name) <= LIMIT_NAME_BYTES;
}

/* As GVariant lays out "(xuyyy)"; unused bytes are zero, or the message is not in normal form. */
typedef struct {
  int64_t seconds;
  uint32_t nanoseconds;
  uint8_t digits, flags, source, unused;
} WireTime;
G_STATIC_ASSERT(sizeof(WireTime) == 16);

/* As GVariant lays out "(ttttuuuuuyy)". */
typedef struct {
  uint64_t seq, meta_addr, size, first_byte;
  uint32_t volume, attr_type, attr_id, flags, dir;
  uint8_t kind, state, unused[2];
} WireNumbers;
G_STATIC_ASSERT(sizeof(WireNumbers) == 56);

enum { TIMES_MAX = 8 };

GVariant *proto_pack_times(const TriageTime *const *times, gsize n) {
  WireTime wire[TIMES_MAX] = {{0}};
  n = MIN(n, TIMES_MAX);
  for (gsize i = 0; i < n; i++) {
    const TriageTime *time = times[i];
    wire[i] = (WireTime){.seconds = time->seconds,
                         .nanoseconds = time->nanoseconds,
                         .digits = time->digits,
                         .flags = (uint8_t)((time->is_set ? 1 : 0) | (time->is_local ? 2 : 0) |
                                            (time->is_date ? 4 : 0)),
                         .source = time->source};
  }
  return g_variant_new_fixed_array(G_VARIANT_TYPE("(xuyyy)"), wire, n, sizeof *wire);
}

bool proto_take_times(GVariant *message, TriageTime *const *out, gsize n) {
  gsize have;
  const WireTime *wire = g_variant_get_fixed_array(message, &have, sizeof *wire);
  if (have != n)
    return false;
  for (gsize i = 0; i < n; i++) {
    *out[i] = (TriageTime){.seconds = wire[i].seconds,
                           .nanoseconds = wire[i].nanoseconds,
                           .digits = wire[i].digits,
                           .is_set = (wire[i].flags & 1) != 0,
                           .is_local = (wire[i].flags & 2) != 0,
                           .is_date = (wire[i].flags & 4) != 0,
                           .source = wire[i].source};
    if (wire[i].digits > 9 || wire[i].flags > 7 || wire[i].source > TIME_SOURCE_LAST ||
        wire[i].nanoseconds >= 1000000000u)
      return false;
  }
  return true;
}

GVariant *proto_pack_both_times(const TriageTime *const times[8]) {
  gsize n = 4; /* only NTFS has the others */
  for (gsize i = 4; i < TIMES_MAX; i++)
    if (times[i]->is_set)
      n = TIMES_MAX;
  return proto_pack_times(times, n);
}

bool proto_take_both_times(GVariant *message, TriageTime *const out[8]) {
  return proto_take_times(message, out, g_variant_n_children(message) == 4 ? 4 : TIMES_MAX);
}

static GVariant *pack_object_times(const Object *object) {
  return proto_pack_both_times(
      (const TriageTime *const[]){&object->created, &object->modified, &object->changed,
                                  &object->accessed, &object->name_created, &object->name_modified,
                                  &object->name_changed, &object->name_accessed});
}

static bool take_object_times(GVariant *message, Object *out) {
  TriageTime *const times[TIMES_MAX] = {&out->created,      &out->modified,     &out->changed,
                                        &out->accessed,     &out->name_created, &out->name_modified,
                                        &out->name_changed, &out->name_accessed};
  return proto_take_both_times(message, times);
}

GVariant *proto_pack_object(const Object *object, const GBytes *raw_path) {
  const WireNumbers numbers = {.seq = object->seq,
                               .meta_addr = object->meta_addr,
                               .size = object->size,
                               .first_byte = object->first_byte,
                               .volume = object->volume,
                               .attr_type = object->attr_type,
                               .attr_id = object->attr_id,
                               .flags = object->flags,
                               .dir = object->dir,
                               .kind = (uint8_t)object->kind,
                               .state = (uint8_t)object->state};
  return g_variant_new(
      "(@" PROTO_NUMBERS "s@" PROTO_TIMES "@may@may@ay)",
      g_variant_new_fixed_array(G_VARIANT_TYPE("(ttttuuuuuyy)"), &numbers, 1, sizeof numbers),
      object->meta, pack_object_times(object), maybe_bytes(object->name),
      maybe_bytes(object->attr_name), proto_bytes((GBytes *)raw_path));
}

static bool take_numbers(GVariant *message, Object *out) {
  gsize n;
  const WireNumbers *numbers = g_variant_get_fixed_array(message, &n, sizeof *numbers);
  if (n != 1)
    return false;
  out->seq = numbers->seq;
  out->meta_addr = numbers->meta_addr;
  out->size = numbers->size;
  out->first_byte = numbers->first_byte;
  out->volume = numbers->volume;
  out->attr_type = numbers->attr_type;
  out->attr_id = numbers->attr_id;
  out->flags = numbers->flags;
  out->dir = numbers->dir;
  out->kind = (ObjectKind)numbers->kind;
  out->state = (ObjectState)numbers->state;
  return numbers->kind <= OBJECT_KIND_LAST && numbers->state <= STATE_LAST &&
         out->size <= INT64_MAX && out->first_byte <= INT64_MAX && out->seq <= INT64_MAX &&
         out->meta_addr <= INT64_MAX;
}

bool proto_take_object(GVariant *message, Object *out, GBytes **raw_path, GError **error) {
  memset(out, 0, sizeof *out);
  const char *meta;
  g_autoptr(GVariant) numbers = NULL, times = NULL, name = NULL, attr_name = NULL, path = NULL;
  g_variant_get(message, "(@" PROTO_NUMBERS "&s@" PROTO_TIMES "@may@may@ay)", &numbers, &meta,
                &times, &name, &attr_name, &path);
  if (!take_numbers(numbers, out))
    return broken(error, "object");
  if (strlen(meta) >= sizeof out->meta || !text_is_printable(meta))
    return broken(error, "metadata address");
  g_strlcpy(out->meta, meta, sizeof out->meta);
  if (!take_object_times(times, out))
    return broken(error, "time");
  out->name = take_maybe(name);
  out->attr_name = take_maybe(attr_name);
  if (!is_component(out->name) || !is_component(out->attr_name)) {
    proto_object_clear(out);
    return broken(error, "name");
  }
  if (raw_path != NULL)
    *raw_path = proto_take_bytes(path);
  return true;
}

void proto_object_clear(Object *object) {
  g_clear_pointer(&object->name, g_bytes_unref);
  g_clear_pointer(&object->attr_name, g_bytes_unref);
}

GVariant *proto_pack_dir(const ObjectDir *dir) {
  return g_variant_new("(uu@ay)", dir->no, dir->parent, proto_bytes(dir->name));
}

bool proto_take_dir(GVariant *message, ObjectDir *out, GError **error) {
  g_autoptr(GVariant) name = NULL;
  g_variant_get(message, "(uu@ay)", &out->no, &out->parent, &name);
  out->name = proto_take_bytes(name);
  /* A parent comes before its children: no loops, by construction. */
  if (out->no == 0 || out->parent >= out->no || !is_component(out->name)) {
    g_clear_pointer(&out->name, g_bytes_unref);
    return broken(error, "directory");
  }
  return true;
}

GVariant *proto_pack_name(const ObjectName *name) {
  return g_variant_new("(tuyu@ay)", name->seq, name->dir, (guchar)name->state, name->flags,
                       proto_bytes(name->name));
}

bool proto_take_name(GVariant *message, ObjectName *out, GError **error) {
  g_autoptr(GVariant) name = NULL;
  guchar state;
  g_variant_get(message, "(tuyu@ay)", &out->seq, &out->dir, &state, &out->flags, &name);
  out->state = (ObjectState)state;
  out->name = proto_take_bytes(name);
  if (state > STATE_LAST || out->seq > INT64_MAX || !is_component(out->name)) {
    g_clear_pointer(&out->name, g_bytes_unref);
    return broken(error, "name");
  }
  return true;
}

GVariant *proto_pack_gap(const Gap *gap, const char *member) {
  g_autofree char *detail = g_strndup(gap->detail != NULL ? gap->detail : "", LIMIT_TEXT_BYTES);
  g_autofree char *valid = g_utf8_make_valid(detail, -1);
  return g_variant_new(PROTO_GAP, gap->seq, gap->volume, gap->dir, (gboolean)gap->has_dir,
                       gap->meta, (guchar)gap->state, gap->size, gap->examined, (guchar)gap->reason,
                       valid, member != NULL ? member : "");
}

bool proto_take_gap(GVariant *message, Gap *out, const char **member, GError **error) {
  memset(out, 0, sizeof *out);
  gboolean has_dir;
  guchar state, reason;
  const char *meta;
  g_variant_get(message, "(tuub&sytty&s&s)", &out->seq, &out->volume, &out->dir, &has_dir, &meta,
                &state, &out->size, &out->examined, &reason, &out->detail, member);
  out->has_dir = has_dir;
  if (strlen(meta) >= sizeof out->meta || !text_is_printable(meta))
    return broken(error, "metadata address");
  g_strlcpy(out->meta, meta, sizeof out->meta);
  out->state = (ObjectState)state;
  out->reason = (TriageReason)reason;
  if (state > STATE_LAST || reason > TRIAGE_REASON_LAST ||
      (out->seq > INT64_MAX && out->seq != GAP_NO_OBJECT) || out->size > INT64_MAX ||
      out->examined > INT64_MAX)
    return broken(error, "gap");
  if (strlen(*member) > LIMIT_PATH_BYTES || !text_is_printable(*member) ||
      !text_is_printable(out->detail))
    return broken(error, "text");
  return true;
}
