/* SPDX-License-Identifier: Apache-2.0 */
/* worker_evidence.c - what the evidence is, the walk of its volumes, and its digest. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/worker.h"
#include <string.h>
#include <sys/stat.h>

static bool send_gap(void *user, const Gap *gap);

/* A name that no file system allows is the mark of damage or of an attack on other tools. */
static void check_name(Worker *worker, GBytes *name, Gap gap) {
  gsize n;
  const char *p = name != NULL ? g_bytes_get_data(name, &n) : NULL;
  if (p == NULL || memchr(p, '/', n) == NULL)
    return;
  gap.reason = TRIAGE_REASON_CORRUPT;
  gap.examined = gap.size;
  gap.detail = "the name on the disk holds a '/', shown as \\x2f: the directory is damaged or was "
               "made to mislead; the content is examined all the same";
  send_gap(worker, &gap);
}

static bool send_dir(void *user, const ObjectDir *dir) {
  worker_send(user, MSG_DIR, proto_pack_dir(dir));
  Gap gap = {.seq = GAP_NO_OBJECT, .dir = dir->no, .has_dir = true, .state = STATE_ALLOCATED};
  check_name(user, dir->name, gap);
  return true;
}
/* What the examiner left out is listed all the same. */
static bool is_wanted(const Worker *worker, ObjectState state) {
  static const uint32_t BITS[] = {AREAS_ALLOCATED, AREAS_DELETED, AREAS_ORPHAN, AREAS_SLACK,
                                  AREAS_UNALLOCATED};
  return (worker->areas & BITS[state]) != 0;
}

static bool send_object(void *user, const Object *object) {
  Worker *worker = user;
  Object listed = *object;
  if (object->kind != OBJECT_AREA && !is_wanted(worker, object->state))
    listed.flags |= OBJECT_NO_CONTENT;
  worker_send_object(worker, &listed);
  Gap gap = {.seq = object->seq, .state = object->state, .size = object->size};
  g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
  check_name(user, object->name, gap);
  return true;
}
static bool send_name(void *user, const ObjectName *name) {
  worker_send(user, MSG_NAME, proto_pack_name(name));
  Gap gap = {.seq = name->seq, .state = name->state};
  check_name(user, name->name, gap);
  return true;
}
static GVariant *pack_gap(const Gap *gap) {
  Gap copy = *gap;
  g_autofree char *detail = worker_text(gap->detail);
  copy.detail = detail;
  return proto_pack_gap(&copy, "");
}
static bool send_gap(void *user, const Gap *gap) {
  worker_send(user, MSG_GAP, pack_gap(gap));
  return true;
}
static bool keep_gap(void *user, const Gap *gap) {
  Worker *worker = user;
  g_ptr_array_add(worker->volume_gaps, g_variant_ref_sink(pack_gap(gap)));
  return true;
}
static bool send_step(void *user, uint32_t pass, uint64_t address) {
  worker_send(user, MSG_STEP, g_variant_new("(ut)", pass, address));
  worker_flush(user);
  worker_test_fault(user, "(walk)");
  return true;
}
static void send_account(void *user, const char *what, uint64_t bytes) {
  worker_send(user, MSG_ACCOUNT, g_variant_new("(st)", what, bytes));
}
static void send_alive(void *user) {
  worker_send(user, MSG_STEP, g_variant_new("(ut)", (guint32)WALK_PASS_AREAS, UINT64_C(0)));
}

/* A single file that is no disk image: its own magic says archive, one cut into x.7z.001 ... too,
 * or no volume and no file system is on it. A container of disk images (E01 ...) is always an
 * image. */
static bool is_single_file(Worker *worker) {
  const ImageInfo *info = image_info(worker->image);
  if (strcmp(info->format, "raw") != 0 && strcmp(info->format, "split-raw") != 0)
    return false;
  g_autofree uint8_t *head = g_malloc0(64 * KIB);
  uint64_t n = MIN(64 * KIB, image_size(worker->image));
  image_read(worker->image, 0, head, (size_t)n);
  const char *format = NULL;
  return unpack_recognises(head, n, &format) && strcmp(format, "iso9660") != 0;
}

/* Opens them, which may mean trying passwords, once: what cannot be read is kept until it is asked
 * for. */
static VolumeSet *open_volumes(Worker *worker) {
  g_clear_pointer(&worker->volume_gaps, g_ptr_array_unref);
  worker->volume_gaps = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
  WalkSink sink = {.user = worker, .gap = keep_gap};
  if (worker->care < VOLUMES_PLAIN)
    worker_test_fault(worker, "(derived volumes)");
  if (worker->care < VOLUMES_NONE)
    worker_test_fault(worker, "(volumes)");
  return volume_set_new(worker->image, worker->volume_passwords, worker->care, &sink);
}

bool worker_open_evidence(Worker *worker, GPtrArray *segments, GError **error) {
  if (worker->kind == EVIDENCE_DIRECTORY)
    return true;
  worker->image = image_open(segments, error);
  if (worker->image == NULL)
    return false;
  if (worker->is_sweeper)
    return true;
  worker_use_ring(worker);
  if (is_single_file(worker)) {
    worker->kind = EVIDENCE_FILE;
    return true;
  }
  worker->volumes = open_volumes(worker);
  if (strcmp(image_info(worker->image)->format, "raw") == 0 &&
      !volume_set_is_disk(worker->volumes)) {
    g_clear_pointer(&worker->volumes, volume_set_free);
    worker->kind = EVIDENCE_FILE;
  }
  return true;
}

static void send_damage(Worker *worker, const Damage *damage) {
  g_autofree char *detail = g_strdup_printf(
      "bytes %llu to %llu of the media cannot be had; they read as zero",
      (unsigned long long)damage->offset, (unsigned long long)(damage->offset + damage->length));
  Gap gap = {.seq = GAP_NO_OBJECT,
             .state = STATE_ALLOCATED,
             .size = damage->length,
             .reason = damage->reason,
             .detail = detail};
  send_gap(worker, &gap);
}

static GVariant *pack_segments(const Worker *worker, GPtrArray *segments) {
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayt)"));
  for (guint i = 0; i < segments->len; i++) {
    const char *path = segments->pdata[i];
    struct stat status;
    if (path == NULL || stat(path, &status) != 0)
      continue;
    g_autoptr(GBytes) bytes = g_bytes_new(path, strlen(path));
    g_variant_builder_add(&builder, "(@ayt)", proto_bytes(bytes), (guint64)status.st_size);
  }
  if (g_strcmp0(worker->fault, "stray") == 0) {
    g_autoptr(GBytes) stray = g_bytes_new(worker->fault_name, strlen(worker->fault_name));
    g_variant_builder_add(&builder, "(@ayt)", proto_bytes(stray), (guint64)1);
  }
  return g_variant_builder_end(&builder);
}

void worker_send_evidence(Worker *worker, GPtrArray *segments) {
  static const char *const KINDS[] = {"image", "file", "directory"};
  const ImageInfo *info = worker->image != NULL ? image_info(worker->image) : NULL;
  GVariantBuilder properties, problems;
  g_variant_builder_init(&properties, G_VARIANT_TYPE("a(ss)"));
  g_variant_builder_init(&problems, G_VARIANT_TYPE("as"));
  for (guint i = 0; info != NULL && i < info->properties->len; i++) {
    const ImageProperty *property = info->properties->pdata[i];
    g_autofree char *name = worker_text(property->name), *value = worker_text(property->value);
    g_variant_builder_add(&properties, "(ss)", name, value);
  }
  for (guint i = 0; info != NULL && i < info->problems->len; i++) {
    g_autofree char *text = worker_text(info->problems->pdata[i]);
    g_variant_builder_add(&problems, "s", text);
  }
  worker_send(worker, MSG_EVIDENCE,
              g_variant_new(
                  "(sstussa(ss)as@a(ayt)u)", KINDS[worker->kind], info != NULL ? info->format : "",
                  info != NULL ? info->size : 0, info != NULL ? info->sector_bytes : 0,
                  info != NULL ? info->stored_md5 : "", info != NULL ? info->stored_sha1 : "",
                  &properties, &problems, pack_segments(worker, segments),
                  worker->scanner != NULL ? scanner_n_rules(worker->scanner) : 0));
}

void worker_describe_evidence(Worker *worker, GPtrArray *segments) {
  for (guint i = 0; worker->volumes != NULL && i < worker->volume_gaps->len; i++)
    worker_send(worker, MSG_GAP, worker->volume_gaps->pdata[i]);
  for (guint i = 0; worker->volumes != NULL && i < volume_set_n(worker->volumes); i++) {
    const Volume *volume = volume_set_get(worker->volumes, i);
    g_autofree char *type = worker_text(volume->fs_type);
    g_autofree char *description = worker_text(volume->description);
    worker_send(
        worker, MSG_VOLUME,
        g_variant_new("(uttss)", volume->no, volume->offset, volume->length, type, description));
  }
  if (worker->image != NULL) {
    GArray *damage = image_damage_all(worker->image);
    for (guint i = 0; i < damage->len; i++)
      send_damage(worker, &g_array_index(damage, Damage, i));
  }
  worker_send_evidence(worker, segments);
}

static void enumerate_whole(Worker *worker) {
  Object object = {
      .kind = OBJECT_WHOLE, .state = STATE_ALLOCATED, .size = image_size(worker->image)};
  worker_send_object(worker, &object);
}

void worker_tell_chunks(Worker *worker) {
  uint32_t bytes = worker->image != NULL ? image_info(worker->image)->chunk_bytes : 0;
  if (bytes == 0)
    return;
  uint64_t size = image_size(worker->image), read = image_chunks_read(worker->image);
  worker_send(worker, MSG_CHUNKS,
              g_variant_new("(tt)", (guint64)(size / bytes + (size % bytes != 0)),
                            (guint64)(read - worker->chunks_told)));
  worker->chunks_told = read;
}

/* For tests: the walk fails at an object. */
static bool send_object_or_fall(void *user, const Object *object) {
  g_autofree char *name = g_strdup_printf("(object %llu)", (unsigned long long)object->seq);
  worker_test_fault(user, name);
  return send_object(user, object);
}

void worker_enumerate(Worker *worker, GVariant *job) {
  uint32_t volume, pass;
  uint64_t address;
  guchar reason;
  GVariantIter *iter;
  g_variant_get(job, "(ua(uty))", &volume, &iter);
  g_autoptr(GArray) skips = g_array_new(FALSE, TRUE, sizeof(WalkSkip));
  while (g_variant_iter_next(iter, "(uty)", &pass, &address, &reason)) {
    WalkSkip skip = {pass, address, (TriageReason)reason};
    g_array_append_val(skips, skip);
  }
  g_variant_iter_free(iter);
  /* A first skip of pass OPEN is no place, but the wish to hear of every step. */
  bool careful = skips->len > 0;
  if (!careful)
    worker_test_fault(worker, "(walk)");
  WalkSink sink = {.user = worker,
                   .dir = send_dir,
                   .object = worker->fault != NULL && !careful ? send_object_or_fall : send_object,
                   .name = send_name,
                   .gap = send_gap,
                   .step = careful ? send_step : NULL,
                   .account = send_account,
                   .alive = send_alive,
                   .areas = worker->areas};
  g_autoptr(GError) error = NULL;
  bool ok = true;
  if (worker->kind == EVIDENCE_DIRECTORY)
    ok = tree_walk(worker->tree_fd, &sink, &error);
  else if (worker->kind == EVIDENCE_FILE)
    enumerate_whole(worker);
  else
    ok = walk_volume(worker->volumes, volume, (const WalkSkip *)skips->data, skips->len, &sink,
                     &error);
  worker_tell_chunks(worker);
  if (ok)
    worker_send(worker, MSG_DONE, g_variant_new("(b)", TRUE));
  else
    worker_fail(worker, error);
}

void worker_digest(Worker *worker, GVariant *job) {
  enum { STEP = 1024 * 1024 };
  g_autofree uint8_t *buffer = g_malloc(STEP);
  uint32_t set;
  g_variant_get(job, "(u)", &set);
  g_autoptr(Digester) digester = digester_new((DigestSet)(set & DIGEST_ALL));
  uint64_t size = worker->image != NULL ? image_size(worker->image) : 0;
  for (uint64_t offset = 0; offset < size; offset += STEP) {
    size_t n = (size_t)MIN(STEP, size - offset);
    image_read_passing(worker->image, offset, buffer, n);
    digester_update(digester, buffer, n);
    if (offset % (16 * (uint64_t)STEP) == 0)
      worker_send(worker, MSG_PROGRESS, g_variant_new("(t)", offset));
  }
  Digests digests;
  digester_finish(digester, &digests);
  worker_tell_chunks(worker);
  worker_send_digests(worker, &digests,
                      worker->image != NULL ? image_damage_all(worker->image) : NULL);
}

void worker_send_digests(Worker *worker, const Digests *digests, GArray *damage) {
  for (guint i = 0; damage != NULL && i < damage->len; i++)
    send_damage(worker, &g_array_index(damage, Damage, i));
  worker_send(worker, MSG_DIGEST_DONE,
              g_variant_new("(sssb)", digests->sha256, digests->sha1, digests->md5,
                            (gboolean)(damage != NULL && damage->len > 0)));
}
