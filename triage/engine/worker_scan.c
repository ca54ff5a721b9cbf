/* SPDX-License-Identifier: Apache-2.0 */
/* worker_scan.c - one object: read, unpack, scan, and say what was found and what could not be. */
#include "assess/assess.h"
#include "base/fuzzy.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/worker.h"
#include "engine/worker_said.h"
#include "engine/worker_views.h"
#include <string.h>
#include <unistd.h>

enum { AREA_AROUND = 16 * 1024 }; /* bytes before and behind a match that tell what it is about */

/* One object under examination. */
typedef struct {
  Worker *worker;
  const Object *object;
  const char *path;     /* as facts_read wants it: printable */
  const GArray *runs;   /* of the object's own bytes */
  const GArray *shifts; /* of them, to their places in the object; NULL: none */
  uint64_t own;         /* of an area: the bytes that are its own, the rest is the next one's */
  uint32_t n_members;   /* and views: the numbers of rows */
  uint32_t n_views;
  SeenHits *seen;   /* of the member at hand */
  Content *content; /* its bytes, (transfer none): what a view was made from */
  uint64_t work;    /* bytes to come, not yet told as PROGRESS */
  Said said;
  Digests top_digests;
} Scan;

static char *member_text(const MemberPath *path) {
  GString *out = g_string_new(NULL);
  for (const MemberPath *step = path; step != NULL; step = step->parent) {
    if (step->name == NULL)
      continue;
    gsize n;
    const char *bytes = g_bytes_get_data(step->name, &n);
    g_autofree char *text = text_printable(bytes, n);
    if (out->len > 0)
      g_string_prepend(out, "!/");
    g_string_prepend(out, text);
    if (out->len > LIMIT_PATH_BYTES / 2)
      break; /* deeper names only get longer; the inner ones tell where it is */
  }
  return g_string_free(out, FALSE);
}

static void send_gap(Scan *scan, const char *member, uint64_t size, uint64_t examined,
                     TriageReason reason, const char *detail) {
  said_gap(&scan->said, member, size, examined, reason, detail);
}

/* The media offset of content bytes [offset, offset + length), where they lie in one place. */
static bool find_place(const Scan *scan, const MemberPath *path, uint64_t offset, uint64_t length,
                       uint64_t *place) {
  if (path->depth != 0 || strcmp(path->view, "raw") != 0 || scan->runs == NULL)
    return false;
  for (guint i = 0; i < scan->runs->len; i++) {
    const ContentRun *run = &g_array_index(scan->runs, ContentRun, i);
    if (offset < run->content_offset || offset - run->content_offset >= run->length)
      continue;
    uint64_t inside = offset - run->content_offset;
    *place = run->media_offset + inside;
    return length <= run->length - inside;
  }
  return false;
}

/* Where a byte of a member lies: in the object's own bytes holes may have been shortened. */
static uint64_t object_offset(const Scan *scan, const MemberPath *path, uint64_t offset) {
  uint64_t skipped = 0;
  bool is_own = scan->shifts != NULL && path->depth == 0 && strcmp(path->view, "raw") == 0;
  for (guint i = 0; is_own && i < scan->shifts->len; i++) {
    const ContentShift *shift = &g_array_index(scan->shifts, ContentShift, i);
    if (offset < shift->content_offset)
      break;
    skipped = shift->skipped;
  }
  return offset + skipped;
}

static char *excerpt_of(const Content *content, uint64_t offset) {
  const uint64_t before = LIMIT_EXCERPT_BYTES / 4;
  uint64_t size = content_size(content), start = offset > before ? offset - before : 0;
  uint64_t n = start < size ? MIN(LIMIT_EXCERPT_BYTES, size - start) : 0;
  return text_printable(content_data(content) + (n > 0 ? start : 0), (size_t)n);
}

static GVariant *pack_matches(const Scan *scan, const MemberPath *path, const GPtrArray *matches) {
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sttay)"));
  for (guint i = 0; i < matches->len; i++) {
    const ScanMatch *match = matches->pdata[i];
    g_variant_builder_add(&builder, "(stt@ay)", match->identifier,
                          object_offset(scan, path, match->offset), match->length,
                          proto_bytes(match->bytes));
  }
  return g_variant_builder_end(&builder);
}

static GVariant *pack_indicators(const Scan *scan, const MemberPath *path,
                                 const GPtrArray *indicators) {
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sst)"));
  for (guint i = 0; i < indicators->len; i++) {
    const Indicator *indicator = indicators->pdata[i];
    g_autofree char *value = worker_text(indicator->value);
    g_variant_builder_add(&builder, "(sst)", indicator->name, value,
                          object_offset(scan, path, indicator->offset));
  }
  return g_variant_builder_end(&builder);
}

/* What tells one password from another, of each in the text: made slowly, so the last is kept. */
static char *secret_list(Worker *worker, const GPtrArray *indicators) {
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < indicators->len && list->len < LIMIT_SECRETS; i++) {
    const char *secret = ((const Indicator *)indicators->pdata[i])->secret;
    if (secret == NULL || *secret == '\0')
      continue;
    if (g_strcmp0(worker->last_secret, secret) != 0) {
      g_free(worker->last_secret);
      worker->last_secret = g_strdup(secret);
      secret_digest(secret, worker->last_secret_digest);
    }
    if (!g_ptr_array_find_with_equal_func(list, worker->last_secret_digest, g_str_equal, NULL))
      g_ptr_array_add(list, g_strdup(worker->last_secret_digest));
  }
  g_ptr_array_add(list, NULL);
  return g_strjoinv(";", (char **)list->pdata);
}

static void send_hit(Scan *scan, const Member *member, uint32_t no, const ScanHit *hit,
                     const GPtrArray *indicators, const char *fuzzy) {
  uint64_t place = 0, length = 0;
  bool has_first = hit->first_offset != UINT64_MAX;
  for (guint i = 0; i < hit->matches->len; i++) {
    const ScanMatch *match = hit->matches->pdata[i];
    if (match->offset == hit->first_offset)
      length = MAX(length, match->length);
  }
  bool has_place = has_first && find_place(scan, member->path, hit->first_offset, length, &place);
  g_autofree char *excerpt =
      has_first ? excerpt_of(member->content, hit->first_offset) : g_strdup("");
  indicators_blot(indicators, excerpt);
  g_autofree char *secrets = secret_list(scan->worker, indicators);
  GVariantBuilder identifiers;
  g_variant_builder_init(&identifiers, G_VARIANT_TYPE("as"));
  for (guint i = 0; i < hit->identifiers->len; i++)
    g_variant_builder_add(&identifiers, "s", hit->identifiers->pdata[i]);
  said_message(&scan->said, MSG_HIT,
               g_variant_new("(ussasttbts@a(sttay)@a(sst)ss)", no, hit->rule_namespace, hit->rule,
                             &identifiers, hit->match_count,
                             has_first ? object_offset(scan, member->path, hit->first_offset)
                                       : hit->first_offset,
                             (gboolean)has_place, has_place ? place : 0, excerpt,
                             pack_matches(scan, member->path, hit->matches),
                             pack_indicators(scan, member->path, indicators), fuzzy, secrets));
}

static void send_member(Scan *scan, const Member *member, uint64_t size, uint32_t no,
                        const char *text, const Digests *digests) {
  const TriageTime *const times[] = {
      &member->created,      &member->modified,      &member->changed,      &member->accessed,
      &member->name_created, &member->name_modified, &member->name_changed, &member->name_accessed};
  said_message(&scan->said, MSG_MEMBER,
               g_variant_new("(usstsss@" PROTO_TIMES ")", no, text, member->path->view, size,
                             digests->sha256, digests->sha1, digests->md5,
                             proto_pack_both_times(times)));
}

static void tell_work(Scan *scan, uint64_t bytes) {
  scan->work += bytes;
  if (scan->work >= 4 * MIB || g_get_monotonic_time() - scan->worker->flushed_at > 200000) {
    said_message(&scan->said, MSG_PROGRESS, g_variant_new("(t)", scan->work));
    worker_flush(scan->worker);
    scan->work = 0;
  }
}

/* What of a member's bytes is not the next area's. */
static uint64_t own_of(const Scan *scan, const Member *member) {
  return member->path->depth == 0 ? scan->own : UINT64_MAX;
}

static GPtrArray *scan_content(Scan *scan, const Member *member, const char *text) {
  uint64_t size = content_size(member->content);
  GError *error = NULL;
  uint32_t seconds = scan->worker->timeout_seconds + (uint32_t)(size / LIMIT_BYTES_PER_SECOND);
  GPtrArray *hits =
      scanner_scan_own(scan->worker->scanner, member->content,
                       member->map == NULL ? own_of(scan, member) : UINT64_MAX, seconds, &error);
  if (error != NULL) {
    /* How far libyara had come is not known: only match-limit has seen all bytes. */
    TriageReason reason = triage_error_reason(error);
    send_gap(scan, text, size, reason == TRIAGE_REASON_MATCH_LIMIT ? size : 0, reason,
             error->message);
    g_error_free(error);
  }
  return hits;
}

static void send_facts(Scan *scan, const Member *member, uint32_t no, GPtrArray *facts) {
  (void)member;
  for (guint i = 0; facts != NULL && i < facts->len; i++) {
    const Fact *fact = facts->pdata[i];
    g_autofree char *target = worker_text(fact->target), *detail = worker_text(fact->detail);
    said_message(&scan->said, MSG_FACT, g_variant_new("(usss)", no, fact->kind, target, detail));
  }
}

static void send_hits(Scan *scan, const Member *member, uint32_t no, const GPtrArray *hits) {
  uint64_t size = content_size(member->content);
  bool is_area = scan->object->kind == OBJECT_AREA;
  g_autoptr(GPtrArray) indicators =
      is_area ? NULL : indicators_read(content_data(member->content), size);
  char fuzzy[FUZZY_TEXT] = "";
  if (!is_area && size <= LIMIT_FUZZY_BYTES) /* an area is what many files have left */
    fuzzy_digest(content_data(member->content), size, fuzzy);
  for (guint i = 0; i < hits->len; i++) {
    const ScanHit *hit = hits->pdata[i];
    if (is_area) {
      /* Many files may have left something here: only what stands around the match speaks of it. */
      uint64_t first = hit->first_offset < size ? hit->first_offset : 0;
      uint64_t from = first > AREA_AROUND ? first - AREA_AROUND : 0;
      uint64_t n = MIN(size - from, 2 * (uint64_t)AREA_AROUND);
      g_clear_pointer(&indicators, g_ptr_array_unref);
      indicators = indicators_read(content_data(member->content) + from, n);
      for (guint j = 0; j < indicators->len; j++)
        ((Indicator *)indicators->pdata[j])->offset += from;
    }
    send_hit(scan, member, no, hit, indicators, fuzzy);
  }
}

static void send_content(Worker *worker, const uint8_t *bytes, uint64_t size) {
  const uint64_t step = 256 * KIB;
  uint64_t at = 0;
  do { /* an empty member is handed over too */
    gsize n = (gsize)MIN(step, size - at);
    worker_send(worker, MSG_CONTENT,
                g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes + at, n, 1));
    at += n;
  } while (at < size);
}

/* Leaves in hits what is a row of its own; rows of the member that show the rest get the view's
 * name beside theirs. */
static void drop_seen(Scan *scan, const Member *member, uint32_t no, GPtrArray *hits) {
  for (guint i = 0; i < hits->len;) {
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    SeenKind kind =
        seen_hits_look(scan->seen, hits->pdata[i], no, member->map, own_of(scan, member), rows);
    for (guint k = 0; kind == SEEN_ALSO && k < rows->len; k++) {
      const SeenHit *row = rows->pdata[k];
      said_message(
          &scan->said, MSG_ALSO,
          g_variant_new("(usss)", row->no, row->rule_namespace, row->rule, member->path->view));
    }
    if (kind == SEEN_NEW)
      i++;
    else
      g_ptr_array_remove_index(hits, i);
  }
}

/* A view comes right behind its member. Its row has the member's digests and times: it is that
 * file which lies there, and which lists of known files name. */
static void on_view(Scan *scan, const Member *member) {
  uint32_t no = scan->n_members++;
  scan->n_views++;
  g_autofree char *text = member_text(member->path);
  tell_work(scan, MAX(content_size(member->content), 64 * KIB));
  if (scan->worker->has_wanted) {
    if (no == scan->worker->wanted)
      send_content(scan->worker, content_data(scan->content),
                   MIN(content_size(scan->content), own_of(scan, member)));
    return;
  }
  g_autoptr(GPtrArray) hits = scan_content(scan, member, text);
  drop_seen(scan, member, no, hits);
  if (hits->len > 0) {
    uint64_t size = MIN(content_size(scan->content), own_of(scan, member));
    Digests digests;
    digest_bytes(DIGEST_ALL, content_data(scan->content), size, &digests);
    send_member(scan, member, size, no, text, &digests);
    send_hits(scan, member, no, hits);
  }
  if (member->error != NULL)
    send_gap(scan, text, content_size(scan->content), 0, triage_error_reason(member->error),
             member->error->message);
}

static bool on_member(void *user, const Member *member) {
  Scan *scan = user;
  if (member->map != NULL) {
    on_view(scan, member);
    return !scan->worker->has_wanted || scan->n_members <= scan->worker->wanted;
  }
  scan->content = member->content;
  seen_hits_clear(scan->seen);
  bool is_area = scan->object->kind == OBJECT_AREA;
  uint64_t size = MIN(content_size(member->content), own_of(scan, member));
  uint32_t no = scan->n_members++;
  g_autofree char *text = member_text(member->path);
  if (scan->worker->fault != NULL && *text != '\0') {
    said_now(&scan->said);
    worker_test_fault(scan->worker, text);
  }
  tell_work(scan, MAX(size, 64 * KIB));
  if (scan->worker->has_wanted) {
    if (no == scan->worker->wanted)
      send_content(scan->worker, content_data(member->content), size);
    return no != scan->worker->wanted; /* what comes behind it is not wanted */
  }
  bool is_raw = strcmp(member->path->view, "raw") == 0;
  g_autoptr(GPtrArray) hits = scan_content(scan, member, text);
  g_autofree char *fact_path =
      *text != '\0' ? g_strconcat(scan->path, "!/", text, NULL) : g_strdup(scan->path);
  g_autoptr(GPtrArray) facts =
      is_raw && !is_area ? facts_read(fact_path, content_data(member->content), size) : NULL;
  bool has_facts = facts != NULL && facts->len > 0;
  Digests digests = {.sha256 = ""};
  bool wants_row = hits->len > 0 || has_facts || (scan->worker->flags & WORKER_ENTRIES) != 0;
  if (hits->len > 0 || has_facts || (scan->worker->flags & WORKER_HASH_ALL) != 0)
    digest_bytes(DIGEST_ALL, content_data(member->content), size, &digests);
  if (no == 0)
    scan->top_digests = digests;
  if (wants_row)
    send_member(scan, member, size, no, text, &digests);
  drop_seen(scan, member, no, hits); /* nothing was seen before: remembers them */
  if (hits->len > 0)
    send_hits(scan, member, no, hits);
  send_facts(scan, member, no, facts);
  /* The object's own read error is reported by scan_object with the media's offsets. */
  if (member->error != NULL && member->path->depth > 0)
    send_gap(scan, text, member->size, size, triage_error_reason(member->error),
             member->error->message);
  return true;
}

static bool on_gap(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
                   TriageReason reason, const char *detail) {
  g_autofree char *text = member_text(path);
  send_gap(user, text, size, examined, reason, detail);
  return true;
}

static bool on_alive(void *user, uint64_t bytes) {
  tell_work(user, bytes);
  return true;
}

static void read_whole(Worker *worker, const Object *object, WalkContent *out) {
  enum { STEP = 1024 * 1024 };
  memset(out, 0, sizeof *out);
  ContentBuilder *builder = content_builder_new(worker->unpack.spool, LIMIT_OBJECT_BYTES);
  content_builder_expect(builder, object->size);
  image_damage_reset(worker->image);
  bool ok = true;
  for (uint64_t offset = 0; ok && offset < object->size; offset += STEP) {
    size_t n = (size_t)MIN(STEP, object->size - offset);
    image_read(worker->image, offset, content_builder_lend(builder, n), n);
    ok = content_builder_keep(builder, n, &out->error);
  }
  GError *error = NULL;
  out->content = content_builder_finish(builder, &error);
  if (out->content == NULL) {
    out->content = content_new_copy("", 0);
    g_clear_error(&out->error);
    out->error = error;
  }
  out->runs = g_array_new(FALSE, FALSE, sizeof(ContentRun));
  ContentRun run = {0, content_size(out->content), 0};
  g_array_append_val(out->runs, run);
  GArray *damage = image_damage(worker->image);
  out->damage = g_array_sized_new(FALSE, FALSE, sizeof(Damage), damage->len);
  g_array_append_vals(out->damage, damage->data, damage->len);
}

/* One row for each reason of damage within the object: how much, and where the first lies. */
static void report_damage(Scan *scan, const WalkContent *content) {
  uint64_t size = content_size(content->content);
  for (int reason = 0; content->damage != NULL && reason <= (int)TRIAGE_REASON_LAST; reason++) {
    uint64_t lost = 0;
    g_autoptr(GString) where = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; i < content->damage->len; i++) {
      const Damage *damage = &g_array_index(content->damage, Damage, i);
      if ((int)damage->reason != reason)
        continue;
      lost += damage->length;
      if (n++ < 8)
        g_string_append_printf(where, "%s%llu-%llu", n > 1 ? ", " : "",
                               (unsigned long long)damage->offset,
                               (unsigned long long)(damage->offset + damage->length));
    }
    if (n == 0)
      continue;
    g_autofree char *detail = g_strdup_printf(
        "%u stretch(es) that the object is read from cannot be had and read as zero: bytes %s%s", n,
        where->str, n > 8 ? ", ..." : "");
    send_gap(scan, "", MAX(scan->object->size, size), size > lost ? size - lost : 0,
             (TriageReason)reason, detail);
  }
}

/* The tables of NTFS itself ($MFT, $LogFile ...) hold whole small files, cut up by fixups: what
 * looks like an archive in them is examined as a file of its own, so they are scanned as they are.
 */
static bool is_table(const Worker *worker, const Object *object) {
  const Volume *volume =
      worker->kind == EVIDENCE_IMAGE ? volume_set_find(worker->volumes, object->volume) : NULL;
  return volume != NULL && TSK_FS_TYPE_ISNTFS(volume->tsk_type) && object->meta_addr < 16 &&
         object->attr_name == NULL;
}

/* A file whose whole content is in a list is left as it is, and said to be. What shares its bytes
 * with others (areas), or could not be read to the last byte, is no file that a list speaks of. */
static bool is_known(Scan *scan, const WalkContent *content) {
  Worker *worker = scan->worker;
  bool is_damaged = content->error != NULL || (content->damage != NULL && content->damage->len > 0);
  if (worker->n_known == 0 || worker->has_wanted || is_damaged || content->overwritten > 0 ||
      scan->object->kind == OBJECT_AREA || content_size(content->content) != scan->object->size ||
      scan->object->size == 0)
    return false;
  unsigned set = (worker->flags & WORKER_HASH_ALL) != 0 ? DIGEST_ALL : 0;
  for (uint32_t i = 0; i < worker->n_known; i++)
    set |= known_kinds(&worker->known[i]);
  Digests digests = {.sha256 = ""};
  digest_bytes((DigestSet)set, content_data(content->content), scan->object->size, &digests);
  for (uint32_t i = 0; i < worker->n_known; i++) {
    const char *word = known_find(&worker->known[i], &digests);
    if (word == NULL)
      continue;
    g_autofree char *detail =
        g_strdup_printf("its %s is in the list of known files %s", word, worker->known[i].name);
    send_gap(scan, "", scan->object->size, 0, TRIAGE_REASON_KNOWN_FILE, detail);
    if ((worker->flags & WORKER_HASH_ALL) != 0)
      scan->top_digests = digests;
    return true;
  }
  return false;
}

static void read_object(Worker *worker, const Object *object, const char *path, WalkContent *out) {
  if (worker->kind == EVIDENCE_DIRECTORY)
    tree_read(worker->tree_fd, object, path, worker->unpack.spool, out);
  else if (worker->kind == EVIDENCE_FILE)
    read_whole(worker, object, out);
  else if (object->kind == OBJECT_AREA)
    area_read(worker->volumes, object, worker->unpack.spool, out);
  else
    walk_read(worker->volumes, object, worker->unpack.spool, out);
}

/* The parts of an archive beside the object, as the coordinator names them. */
typedef struct {
  Object object;
  char *path;
} PartFile;

typedef struct {
  Worker *worker;
  GArray *objects; /* PartFile */
  bool has_lead_alone;
} PartReader;

static void part_file_clear(gpointer pointer) {
  PartFile *file = pointer;
  proto_object_clear(&file->object);
  g_free(file->path);
}

static void read_parts(PartReader *reader, GVariant *parts) {
  g_autoptr(ObjectBatch) batch = object_batch_new(parts);
  PartFile file;
  for (ObjectPath path; object_batch_next(batch, &file.object, &path, NULL);) {
    file.path = g_strndup(path.bytes, path.n);
    g_array_append_val(reader->objects, file);
  }
}

static Content *read_part(void *user, guint i, GError **error) {
  PartReader *reader = user;
  guint place = reader->has_lead_alone ? 0 : i;
  if (place >= reader->objects->len) {
    triage_fail(error, TRIAGE_REASON_INTERNAL, "a part that was not told of");
    return NULL;
  }
  const PartFile *file = &g_array_index(reader->objects, PartFile, place);
  WalkContent content;
  read_object(reader->worker, &file->object, file->path, &content);
  Content *whole = content_ref(content.content);
  if (content.error != NULL)
    g_propagate_error(error, g_steal_pointer(&content.error));
  walk_content_clear(&content);
  return whole;
}

/* What was said of the object is for want of room, and not of it: the coordinator forgets it when
 * it ends this worker, or gives the object to another one. */
static void stop_for_room(Worker *worker) {
  g_autoptr(GError) error = NULL;
  MessageType type;
  triage_fail(&error, TRIAGE_REASON_INTERNAL, "no room for content in the case directory");
  worker_fail(worker, error);
  while (worker_receive(worker, &type) != NULL)
    continue;
  _exit(0);
}

static void say_end(Scan *scan, uint64_t size) {
  said_end(&scan->said, size, MAX(scan->n_members, 1) - 1 - scan->n_views, &scan->top_digests);
}

static Content *read_area_on(void *user, uint64_t at, uint64_t n) {
  const Scan *scan = user;
  return area_read_on(scan->worker->volumes, scan->object, at, n, scan->worker->unpack.spool);
}

static void scan_object(Worker *worker, const Object *object, const char *path,
                        const UnpackSet *set) {
  g_autofree char *shown =
      worker->kind == EVIDENCE_DIRECTORY ? g_strconcat("/", path, NULL) : g_strdup(path);
  worker_test_fault(worker, path);
  WalkContent content;
  read_object(worker, object, path, &content);
  g_autoptr(SeenHits) seen = seen_hits_new();
  Scan scan = {.worker = worker,
               .said = {.worker = worker, .object = object},
               .object = object,
               .seen = seen,
               .path = shown,
               .runs = content.runs,
               .shifts = content.shifts,
               .own = object->kind == OBJECT_AREA ? content.own : UINT64_MAX};
  report_damage(&scan, &content);
  uint64_t size = MIN(content_size(content.content), scan.own);
  if (content.error != NULL)
    send_gap(&scan, "", object->size, size - MIN(size, content.overwritten),
             triage_error_reason(content.error), content.error->message);
  MemberPath top = {.view = "raw"};
  Member member = {.path = &top,
                   .content = content.content,
                   .size = object->size,
                   .created = object->created,
                   .modified = object->modified,
                   .changed = object->changed,
                   .accessed = object->accessed,
                   .error = content.error};
  const AreaPlace place = {content.border, scan.own, content.reach, read_area_on, &scan};
  UnpackSink sink = {&scan, on_member, on_gap, on_alive};
  /* A part of an archive is more than its own bytes: a list cannot know it. */
  if ((set == NULL || set->n < 2) && is_known(&scan, &content))
    size = 0;
  else if (object->kind == OBJECT_AREA)
    unpack_area(&worker->unpack, &sink, &member, &place);
  else if (is_table(worker, object))
    unpack_views(&worker->unpack, &sink, &member);
  else
    unpack_object_of_set(&worker->unpack, &sink, &member, set);
  if (spool_is_full(worker->unpack.spool))
    stop_for_room(worker);
  say_end(&scan, size);
  walk_content_clear(&content);
}

/* The parts of an archive that the object at place is one of; what the job says of none leaves set
 * alone. */
static bool find_set(GVariant *sets, guint *next, guint place, PartReader *reader, UnpackSet *set) {
  if (*next >= g_variant_n_children(sets))
    return false;
  g_autoptr(GVariant) item = g_variant_get_child_value(sets, *next);
  uint32_t of;
  guchar kind;
  g_variant_get_child(item, 0, "u", &of);
  if (of != place)
    return false;
  (*next)++;
  g_variant_get_child(item, 1, "y", &kind);
  g_variant_get_child(item, 2, "u", &set->self);
  g_variant_get_child(item, 3, "u", &set->n);
  g_variant_get_child(item, 4, "&s",
                      &set->missing); /* lives as long as sets, which holds the item */
  g_autoptr(GVariant) parts = g_variant_get_child_value(item, 5);
  read_parts(reader, parts);
  set->kind = (PartKind)kind;
  reader->has_lead_alone = set->self != part_lead(set->kind, set->n);
  return true;
}

static void scan_jobs(Worker *worker, GVariant *jobs) {
  g_autoptr(GVariant) objects = g_variant_get_child_value(jobs, 0);
  g_autoptr(GVariant) sets = g_variant_get_child_value(jobs, 1);
  g_autoptr(ObjectBatch) batch = object_batch_new(objects);
  ObjectPath path;
  guint place = 0, next = 0;
  for (Object object; object_batch_next(batch, &object, &path, NULL); place++) {
    PartReader reader = {worker, g_array_new(FALSE, TRUE, sizeof(PartFile)), false};
    g_array_set_clear_func(reader.objects, part_file_clear);
    UnpackSet set = {.read = read_part, .user = &reader};
    bool has_set = find_set(sets, &next, place, &reader, &set);
    g_autofree char *name = g_strndup(path.bytes, path.n);
    __atomic_store_n(&worker->cell->place, (uint64_t)place + 1, __ATOMIC_RELEASE);
    scan_object(worker, &object, name, has_set ? &set : NULL);
    proto_object_clear(&object);
    g_array_unref(reader.objects);
  }
}

void worker_scan(Worker *worker, GVariant *job) {
  scan_jobs(worker, job);
  worker_tell_chunks(worker);
  worker_send(worker, MSG_DONE, g_variant_new("(b)", TRUE));
}

void worker_extract(Worker *worker, GVariant *job) {
  g_autoptr(GVariant) item = g_variant_get_child_value(job, 1);
  g_variant_get_child(job, 0, "u", &worker->wanted);
  worker->has_wanted = true;
  scan_jobs(worker, item);
  worker->has_wanted = false;
  worker_send(worker, MSG_DONE, g_variant_new("(b)", TRUE));
}
