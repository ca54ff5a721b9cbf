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

/* One object of a batch, as it lies in memory: both ends run on the same machine. */
typedef struct {
  uint64_t seq, meta_addr, size, first_byte;
  uint32_t volume, attr_type, attr_id, flags, dir;
  uint32_t name_length, attr_name_length; /* NO_TEXT: none */
  uint32_t path_length;
  uint8_t kind, state, meta_length, n_times;
  uint8_t unused[4];
} WireObject;
G_STATIC_ASSERT(sizeof(WireObject) == 72);

enum { NO_TEXT = UINT32_MAX };
enum { TIMES_MAX = 8 };

static WireTime wire_of(const TriageTime *time) {
  return (WireTime){.seconds = time->seconds,
                    .nanoseconds = time->nanoseconds,
                    .digits = time->digits,
                    .flags = (uint8_t)((time->is_set ? 1 : 0) | (time->is_local ? 2 : 0) |
                                       (time->is_date ? 4 : 0)),
                    .source = time->source};
}

static bool take_time(const WireTime *wire, TriageTime *out) {
  *out = (TriageTime){.seconds = wire->seconds,
                      .nanoseconds = wire->nanoseconds,
                      .digits = wire->digits,
                      .is_set = (wire->flags & 1) != 0,
                      .is_local = (wire->flags & 2) != 0,
                      .is_date = (wire->flags & 4) != 0,
                      .source = wire->source};
  return wire->digits <= 9 && wire->flags <= 7 && wire->source <= TIME_SOURCE_LAST &&
         wire->nanoseconds < 1000000000u;
}

/* Four times, and those of NTFS's $FILE_NAME where one of them is set. */
static gsize count_times(const TriageTime *const times[TIMES_MAX]) {
  for (gsize i = 4; i < TIMES_MAX; i++)
    if (times[i]->is_set)
      return TIMES_MAX;
  return 4;
}

GVariant *proto_pack_both_times(const TriageTime *const times[8]) {
  WireTime wire[TIMES_MAX];
  gsize n = count_times(times);
  for (gsize i = 0; i < n; i++)
    wire[i] = wire_of(times[i]);
  return g_variant_new_fixed_array(G_VARIANT_TYPE("(xuyyy)"), wire, n, sizeof *wire);
}

bool proto_take_both_times(GVariant *message, TriageTime *const out[8]) {
  gsize n;
  const WireTime *wire = g_variant_get_fixed_array(message, &n, sizeof *wire);
  bool ok = n == 4 || n == TIMES_MAX;
  for (gsize i = 0; ok && i < n; i++)
    ok = take_time(&wire[i], out[i]);
  return ok;
}

/* ---- objects, many at a time ---- */

struct _ObjectPacker {
  GArray *numbers; /* WireObject */
  GArray *times;   /* WireTime */
  GByteArray *texts;
};

ObjectPacker *object_packer_new(void) {
  ObjectPacker *packer = g_new0(ObjectPacker, 1);
  packer->numbers = g_array_new(FALSE, FALSE, sizeof(WireObject));
  packer->times = g_array_new(FALSE, FALSE, sizeof(WireTime));
  packer->texts = g_byte_array_new();
  return packer;
}

void object_packer_free(ObjectPacker *packer) {
  if (packer == NULL)
    return;
  g_array_unref(packer->numbers);
  g_array_unref(packer->times);
  g_byte_array_unref(packer->texts);
  g_free(packer);
}

guint object_packer_n(const ObjectPacker *packer) {
  return packer->numbers->len;
}

gsize object_packer_size(const ObjectPacker *packer) {
  return packer->numbers->len * sizeof(WireObject) + packer->times->len * sizeof(WireTime) +
         packer->texts->len;
}

static uint32_t add_text(ObjectPacker *packer, const void *bytes, gsize n) {
  if (n > 0)
    g_byte_array_append(packer->texts, bytes, (guint)n);
  return (uint32_t)n;
}

static uint32_t add_bytes(ObjectPacker *packer, GBytes *bytes) {
  gsize n;
  if (bytes == NULL)
    return NO_TEXT;
  gconstpointer p = g_bytes_get_data(bytes, &n);
  return add_text(packer, p, n);
}

void object_packer_add(ObjectPacker *packer, const Object *object, const void *path, gsize n_path) {
  const TriageTime *const times[] = {
      &object->created,      &object->modified,      &object->changed,      &object->accessed,
      &object->name_created, &object->name_modified, &object->name_changed, &object->name_accessed};
  WireObject wire = {.seq = object->seq,
                     .meta_addr = object->meta_addr,
                     .size = object->size,
                     .first_byte = object->first_byte,
                     .volume = object->volume,
                     .attr_type = object->attr_type,
                     .attr_id = object->attr_id,
                     .flags = object->flags,
                     .dir = object->dir,
                     .kind = (uint8_t)object->kind,
                     .state = (uint8_t)object->state,
                     .n_times = (uint8_t)count_times(times)};
  for (gsize i = 0; i < wire.n_times; i++) {
    WireTime time = wire_of(times[i]);
    g_array_append_val(packer->times, time);
  }
  wire.meta_length = (uint8_t)add_text(packer, object->meta, strlen(object->meta));
  wire.name_length = add_bytes(packer, object->name);
  wire.attr_name_length = add_bytes(packer, object->attr_name);
  wire.path_length = add_text(packer, path, n_path);
  g_array_append_val(packer->numbers, wire);
}

static GVariant *piece(const void *bytes, gsize n) {
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, n, 1);
}

GVariant *object_packer_end(ObjectPacker *packer) {
  GVariant *message = g_variant_new(
      "(@ay@ay@ay)", piece(packer->numbers->data, packer->numbers->len * sizeof(WireObject)),
      piece(packer->times->data, packer->times->len * sizeof(WireTime)),
      piece(packer->texts->data, packer->texts->len));
  g_array_set_size(packer->numbers, 0);
  g_array_set_size(packer->times, 0);
  g_byte_array_set_size(packer->texts, 0);
  return message;
}

struct _ObjectBatch {
  GVariant *held[3];                      /* whose memory the pointers below go into */
  const uint8_t *numbers, *times, *texts; /* nowhere aligned */
  gsize n, n_times, n_texts;              /* not yet taken */
  bool is_cut;                            /* in the midst of an object or a time */
};

ObjectBatch *object_batch_new(GVariant *objects) {
  ObjectBatch *batch = g_new0(ObjectBatch, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(batch->held); i++)
    batch->held[i] = g_variant_get_child_value(objects, i);
  gsize n, n_times;
  batch->numbers = g_variant_get_fixed_array(batch->held[0], &n, 1);
  batch->times = g_variant_get_fixed_array(batch->held[1], &n_times, 1);
  batch->texts = g_variant_get_fixed_array(batch->held[2], &batch->n_texts, 1);
  batch->n = n / sizeof(WireObject);
  batch->n_times = n_times / sizeof(WireTime);
  batch->is_cut = n % sizeof(WireObject) != 0 || n_times % sizeof(WireTime) != 0;
  return batch;
}

void object_batch_free(ObjectBatch *batch) {
  if (batch == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS(batch->held); i++)
    g_variant_unref(batch->held[i]);
  g_free(batch);
}

guint object_batch_n(const ObjectBatch *batch) {
  return (guint)batch->n;
}

static bool take_numbers(const WireObject *wire, Object *out) {
  out->seq = wire->seq;
  out->meta_addr = wire->meta_addr;
  out->size = wire->size;
  out->first_byte = wire->first_byte;
  out->volume = wire->volume;
  out->attr_type = wire->attr_type;
  out->attr_id = wire->attr_id;
  out->flags = wire->flags;
  out->dir = wire->dir;
  out->kind = (ObjectKind)wire->kind;
  out->state = (ObjectState)wire->state;
  return wire->kind <= OBJECT_KIND_LAST && wire->state <= STATE_LAST && out->size <= INT64_MAX &&
         out->first_byte <= INT64_MAX && out->seq <= INT64_MAX && out->meta_addr <= INT64_MAX;
}

static bool take_object_times(ObjectBatch *batch, gsize n, Object *out) {
  TriageTime *const times[TIMES_MAX] = {&out->created,      &out->modified,     &out->changed,
                                        &out->accessed,     &out->name_created, &out->name_modified,
                                        &out->name_changed, &out->name_accessed};
  if ((n != 4 && n != TIMES_MAX) || n > batch->n_times)
    return false;
  bool ok = true;
  for (gsize i = 0; i < n; i++) {
    WireTime wire;
    memcpy(&wire, batch->times + i * sizeof wire, sizeof wire);
    ok = ok && take_time(&wire, times[i]);
  }
  batch->times += n * sizeof(WireTime);
  batch->n_times -= n;
  return ok;
}

/* The next length bytes of the texts; NULL where there are fewer. */
static const char *take_text(ObjectBatch *batch, gsize length) {
  if (length > batch->n_texts)
    return NULL;
  const uint8_t *text = batch->texts;
  batch->texts += length;
  batch->n_texts -= length;
  return text != NULL ? (const char *)text : "";
}

static bool take_component(ObjectBatch *batch, uint32_t length, GBytes **out) {
  if (length == NO_TEXT)
    return true;
  const char *text = length <= LIMIT_NAME_BYTES ? take_text(batch, length) : NULL;
  if (text != NULL)
    *out = g_bytes_new(text, length);
  return text != NULL;
}

static const char *take_fields(ObjectBatch *batch, Object *out, ObjectPath *path) {
  WireObject wire;
  memcpy(&wire, batch->numbers, sizeof wire);
  batch->numbers += sizeof wire;
  batch->n--;
  if (!take_numbers(&wire, out))
    return "object";
  if (!take_object_times(batch, wire.n_times, out))
    return "time";
  const char *meta =
      wire.meta_length < sizeof out->meta ? take_text(batch, wire.meta_length) : NULL;
  if (meta == NULL)
    return "metadata address";
  memcpy(out->meta, meta, wire.meta_length);
  if (strlen(out->meta) != wire.meta_length || !text_is_printable(out->meta))
    return "metadata address";
  if (!take_component(batch, wire.name_length, &out->name) ||
      !take_component(batch, wire.attr_name_length, &out->attr_name))
    return "name";
  path->n = wire.path_length;
  path->bytes = take_text(batch, wire.path_length);
  if (path->bytes == NULL)
    return "path";
  /* What is left over behind the last one belongs to none. */
  return batch->n == 0 && (batch->n_times > 0 || batch->n_texts > 0) ? "batch of objects" : NULL;
}

bool object_batch_next(ObjectBatch *batch, Object *out, ObjectPath *path, GError **error) {
  memset(out, 0, sizeof *out);
  if (batch->is_cut) {
    batch->is_cut = false;
    batch->n = 0;
    return broken(error, "batch of objects");
  }
  if (batch->n == 0)
    return false;
  ObjectPath unwanted;
  const char *wrong = take_fields(batch, out, path != NULL ? path : &unwanted);
  if (wrong == NULL)
    return true;
  proto_object_clear(out);
  broken(error, wrong);
  return false;
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

char *proto_detail(const char *detail) {
  g_autofree char *cut = g_strndup(detail != NULL ? detail : "", LIMIT_TEXT_BYTES);
  return g_utf8_make_valid(cut, -1);
}

GVariant *proto_pack_gap(const Gap *gap, const char *member) {
  g_autofree char *valid = proto_detail(gap->detail);
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
