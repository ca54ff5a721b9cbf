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

GVariant *proto_pack_time(const TriageTime *time) {
  return g_variant_new(
      PROTO_TIME, time->seconds, time->nanoseconds, time->digits,
      (guchar)((time->is_set ? 1 : 0) | (time->is_local ? 2 : 0) | (time->is_date ? 4 : 0)),
      (guchar)time->source);
}

bool proto_take_time(GVariant *message, TriageTime *out) {
  guchar digits, flags;
  g_variant_get(message, PROTO_TIME, &out->seconds, &out->nanoseconds, &digits, &flags,
                &out->source);
  out->digits = digits;
  out->is_set = (flags & 1) != 0;
  out->is_local = (flags & 2) != 0;
  out->is_date = (flags & 4) != 0;
  return digits <= 9 && flags <= 7 && out->source <= TIME_SOURCE_LAST &&
         out->nanoseconds < 1000000000u;
}

#define FOUR_TIMES "(@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME ")"

/* Only NTFS has them. */
static GVariant *pack_name_times(const Object *object) {
  bool has = object->name_created.is_set || object->name_modified.is_set ||
             object->name_changed.is_set || object->name_accessed.is_set;
  GVariant *four = has ? g_variant_new(FOUR_TIMES, proto_pack_time(&object->name_created),
                                       proto_pack_time(&object->name_modified),
                                       proto_pack_time(&object->name_changed),
                                       proto_pack_time(&object->name_accessed))
                       : NULL;
  return g_variant_new_maybe(G_VARIANT_TYPE("(" PROTO_TIME PROTO_TIME PROTO_TIME PROTO_TIME ")"),
                             four);
}

static bool take_name_times(GVariant *may, Object *out) {
  g_autoptr(GVariant) four = g_variant_get_maybe(may);
  TriageTime *const times[] = {&out->name_created, &out->name_modified, &out->name_changed,
                               &out->name_accessed};
  bool ok = true;
  for (gsize i = 0; four != NULL && i < G_N_ELEMENTS(times); i++) {
    g_autoptr(GVariant) child = g_variant_get_child_value(four, i);
    ok = proto_take_time(child, times[i]) && ok;
  }
  return ok;
}

GVariant *proto_pack_object(const Object *object, const GBytes *raw_path) {
  return g_variant_new(
      "(tutuusyyutt@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME "@*u@may@may@ay)",
      object->seq, object->volume, object->meta_addr, object->attr_type, object->attr_id,
      object->meta, (guchar)object->kind, (guchar)object->state, object->flags, object->size,
      object->first_byte, proto_pack_time(&object->created), proto_pack_time(&object->modified),
      proto_pack_time(&object->changed), proto_pack_time(&object->accessed),
      pack_name_times(object), object->dir, maybe_bytes(object->name),
      maybe_bytes(object->attr_name), proto_bytes((GBytes *)raw_path));
}

bool proto_take_object(GVariant *message, Object *out, GBytes **raw_path, GError **error) {
  memset(out, 0, sizeof *out);
  const char *meta;
  guchar kind, state;
  g_autoptr(GVariant) created = NULL, modified = NULL, changed = NULL, accessed = NULL;
  g_autoptr(GVariant) name_times = NULL, name = NULL, attr_name = NULL, path = NULL;
  g_variant_get(message,
                "(tutuu&syyutt@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME "@" PROTO_TIME
                "@*u@may@may@ay)",
                &out->seq, &out->volume, &out->meta_addr, &out->attr_type, &out->attr_id, &meta,
                &kind, &state, &out->flags, &out->size, &out->first_byte, &created, &modified,
                &changed, &accessed, &name_times, &out->dir, &name, &attr_name, &path);
  if (strlen(meta) >= sizeof out->meta || !text_is_printable(meta))
    return broken(error, "metadata address");
  g_strlcpy(out->meta, meta, sizeof out->meta);
  out->kind = (ObjectKind)kind;
  out->state = (ObjectState)state;
  if (kind > OBJECT_KIND_LAST || state > STATE_LAST)
    return broken(error, "object kind");
  if (!proto_take_time(created, &out->created) || !proto_take_time(modified, &out->modified) ||
      !proto_take_time(changed, &out->changed) || !proto_take_time(accessed, &out->accessed) ||
      !take_name_times(name_times, out))
    return broken(error, "time");
  if (out->size > INT64_MAX || out->first_byte > INT64_MAX || out->seq > INT64_MAX ||
      out->meta_addr > INT64_MAX)
    return broken(error, "number");
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
