/* SPDX-License-Identifier: Apache-2.0 */
/* walk_read.c - the content of one object, read forward in large steps; holes are not read. Plain
 * runs of blocks are read from the image, each in one piece; all else (compressed, resident, not
 * initialised, odd) through tsk_fs_attr_read. libtsk's own walk of a file stops at long holes
 * (traps). */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/walk_private.h"
#include "evidence/wof.h"
#include <string.h>

enum { STEP = 1024 * 1024, MAX_FAILURES = 256 };

void walk_content_clear(WalkContent *content) {
  g_clear_pointer(&content->content, content_unref);
  g_clear_pointer(&content->runs, g_array_unref);
  g_clear_pointer(&content->shifts, g_array_unref);
  g_clear_pointer(&content->damage, g_array_unref);
  g_clear_error(&content->error);
}

typedef struct {
  VolumeSet *set;
  const Volume *volume;
  TSK_FS_INFO *fs;
  const TSK_FS_ATTR *attr;
  ContentBuilder *builder;
  WalkContent *out;
  uint64_t lost;              /* bytes that libtsk could not read */
  uint64_t pending;           /* the last of them: appended as zeros only if something follows */
  uint64_t skipped;           /* bytes of holes that were left out */
  bool is_short;              /* holes are to be shortened */
  Image *image;               /* NULL: the bytes cannot be read past libtsk */
  const TSK_FS_ATTR_RUN *run; /* the first that ends behind what was read so far */
  Ranges taken;               /* of a deleted entry: stretches whose blocks are in use again */
  guint failures;
} Reader;

/* Of an ext4 file libtsk calls what lies between its extents a filler. */
static const unsigned HOLES = TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER;

static uint64_t hole_at(const Reader *reader, uint64_t offset) {
  const TSK_FS_ATTR *attr = reader->attr;
  if ((attr->flags & TSK_FS_ATTR_NONRES) == 0 || (attr->flags & TSK_FS_ATTR_COMP) != 0 ||
      attr->r != NULL)
    return 0;
  uint64_t block = reader->fs->block_size, place = offset + attr->nrd.skiplen;
  /* What was never written is not read: libtsk would give zeros for it. */
  if (offset >= (uint64_t)MAX(attr->nrd.initsize, 0))
    return UINT64_MAX - offset;
  const TSK_FS_ATTR_RUN *run = reader->image != NULL ? reader->run : attr->nrd.run;
  for (; run != NULL; run = run->next) {
    uint64_t start = run->offset * block, length = run->len * block;
    if (place < start || place - start >= length)
      continue;
    return (run->flags & HOLES) != 0 ? start + length - place : 0;
  }
  return 0;
}

/* Blocks in use again hold another file's content: they must not pass for the deleted one's. */
static void blank_taken(Reader *reader, uint64_t offset, uint8_t *buffer, size_t n) {
  uint64_t at = offset, end;
  for (; ranges_next_filled(&reader->taken, &at, offset + n, &end); at = end)
    memset(buffer + (at - offset), 0, (size_t)(end - at));
}

static bool append_bytes(Reader *reader, const void *bytes, size_t n) {
  uint64_t zeros = reader->pending;
  reader->pending = 0;
  return (zeros == 0 ||
          content_builder_append_zeros(reader->builder, zeros, &reader->out->error)) &&
         content_builder_append(reader->builder, bytes, n, &reader->out->error);
}

/* One step that libtsk refuses is tried again block by block: one bad address must not cost the
 * rest. */
static bool append_blocks(Reader *reader, uint64_t offset, size_t n) {
  size_t block = MAX(reader->fs->block_size, 512u);
  g_autofree uint8_t *buffer = g_malloc(block);
  for (size_t done = 0; done < n; done += block) {
    size_t want = MIN(block, n - done);
    ssize_t got = tsk_fs_attr_read(reader->attr, (TSK_OFF_T)(offset + done), (char *)buffer, want,
                                   TSK_FS_FILE_READ_FLAG_NONE);
    if (got == (ssize_t)want) {
      reader->failures = 0;
      blank_taken(reader, offset + done, buffer, want);
      if (!append_bytes(reader, buffer, want))
        return false;
      continue;
    }
    reader->lost += want;
    reader->pending += want;
    if (++reader->failures > MAX_FAILURES)
      return triage_fail(&reader->out->error, TRIAGE_REASON_CORRUPT,
                         "the content cannot be read from byte %llu on: its block addresses lie "
                         "outside the file system",
                         (unsigned long long)(offset + done + want - reader->pending));
  }
  return true;
}

static bool append_hole(Reader *reader, uint64_t length) {
  uint64_t kept = reader->is_short ? MIN(length, LIMIT_HOLE_KEPT) : length;
  if (!append_bytes(reader, "", 0) ||
      !content_builder_append_zeros(reader->builder, kept, &reader->out->error))
    return false;
  if (kept == length)
    return true;
  reader->skipped += length - kept;
  if (reader->out->shifts == NULL)
    reader->out->shifts = g_array_new(FALSE, FALSE, sizeof(ContentShift));
  ContentShift shift = {content_builder_size(reader->builder), reader->skipped};
  g_array_append_val(reader->out->shifts, shift);
  return true;
}

static Image *find_image(const Reader *reader) {
  const TSK_FS_INFO *fs = reader->fs;
  const TSK_FS_ATTR *attr = reader->attr;
  bool is_plain = (attr->flags & TSK_FS_ATTR_NONRES) != 0 &&
                  (attr->flags & TSK_FS_ATTR_COMP) == 0 && attr->r == NULL &&
                  attr->nrd.skiplen == 0 && attr->nrd.initsize > 0 && fs->block_pre_size == 0 &&
                  fs->block_post_size == 0 && (fs->flags & TSK_FS_INFO_FLAG_ENCRYPTED) == 0;
  return is_plain ? volume_fs_image(reader->set, reader->volume->no) : NULL;
}

/* How many bytes from offset on lie in one piece in the image, at *place; 0: libtsk is to be asked.
 * The same run as libtsk's: the first that ends behind offset. */
static uint64_t piece_at(Reader *reader, uint64_t offset, uint64_t *place) {
  const TSK_FS_INFO *fs = reader->fs;
  uint64_t size = fs->block_size, block = offset / size;
  if (reader->image == NULL || offset >= (uint64_t)reader->attr->nrd.initsize)
    return 0;
  while (reader->run != NULL && reader->run->offset + reader->run->len <= block)
    reader->run = reader->run->next; /* offsets only grow */
  const TSK_FS_ATTR_RUN *run = reader->run;
  if (run == NULL || run->offset > block || run->flags != TSK_FS_ATTR_RUN_FLAG_NONE ||
      run->addr > fs->last_block_act || run->len > fs->last_block_act - run->addr + 1)
    return 0;
  uint64_t inside = offset - run->offset * size, length, end;
  if (!g_uint64_checked_mul(place, run->addr, size) ||
      !g_uint64_checked_mul(&length, run->len, size) ||
      !g_uint64_checked_add(place, *place, (uint64_t)fs->offset + inside) ||
      !g_uint64_checked_add(&end, *place, length - inside) || end > image_size(reader->image))
    return 0;
  return MIN(length - inside, (uint64_t)reader->attr->nrd.initsize - offset);
}

static bool append_step(Reader *reader, uint64_t offset, uint64_t size, uint64_t *taken) {
  uint64_t place, piece = piece_at(reader, offset, &place);
  if (piece > 0) {
    *taken = MIN(MIN(piece, STEP), size - offset);
    if (!append_bytes(reader, "", 0))
      return false;
    uint8_t *bytes = content_builder_lend(reader->builder, (size_t)*taken);
    image_read_passing(reader->image, place, bytes, (size_t)*taken);
    blank_taken(reader, offset, bytes, (size_t)*taken);
    return content_builder_keep(reader->builder, (size_t)*taken, &reader->out->error);
  }
  uint64_t hole = hole_at(reader, offset);
  if (hole > 0) {
    *taken = MIN(hole, size - offset);
    return append_hole(reader, *taken);
  }
  size_t n = (size_t)MIN(STEP, size - offset);
  *taken = n;
  if (reader->pending > 0)
    return append_blocks(reader, offset, n);
  uint8_t *bytes = content_builder_lend(reader->builder, n);
  tsk_error_reset();
  ssize_t got = tsk_fs_attr_read(reader->attr, (TSK_OFF_T)offset, (char *)bytes, n,
                                 TSK_FS_FILE_READ_FLAG_NONE);
  bool is_read = got == (ssize_t)n;
  if (is_read)
    blank_taken(reader, offset, bytes, n);
  return content_builder_keep(reader->builder, is_read ? n : 0, &reader->out->error) &&
         (is_read || append_blocks(reader, offset, n));
}

static void read_all(Reader *reader, uint64_t size) {
  reader->image = find_image(reader);
  reader->run = reader->attr->nrd.run;
  content_builder_expect(reader->builder, size);
  uint64_t taken;
  for (uint64_t offset = 0; offset < size; offset += taken)
    if (!append_step(reader, offset, size, &taken))
      return;
  if (reader->lost > 0)
    triage_fail(&reader->out->error, TRIAGE_REASON_CORRUPT,
                "%llu bytes of the content cannot be read (their block addresses lie outside the "
                "file system); %s",
                (unsigned long long)reader->lost,
                reader->pending == reader->lost ? "the content ends before them"
                                                : "they stand as zero");
}

/* Runs as places in what was read: holes before them may be shorter than they are. */
static void shift_runs(WalkContent *out) {
  const GArray *shifts = out->shifts;
  uint64_t skipped = 0;
  guint next = 0;
  for (guint i = 0; shifts != NULL && out->runs != NULL && i < out->runs->len; i++) {
    ContentRun *run = &g_array_index(out->runs, ContentRun, i);
    for (; next < shifts->len; next++) {
      const ContentShift *shift = &g_array_index(shifts, ContentShift, next);
      if (run->content_offset < shift->content_offset + shift->skipped)
        break;
      skipped = shift->skipped;
    }
    run->content_offset -= skipped;
  }
}

static void tell_short(const Reader *reader) {
  WalkContent *out = reader->out;
  if (reader->skipped == 0)
    return;
  g_autofree char *text = g_strdup_printf(
      "%llu bytes in %u hole(s), which hold nothing, were left out: each was read as %llu zero "
      "bytes, and the digests are of that",
      (unsigned long long)reader->skipped, out->shifts->len, (unsigned long long)LIMIT_HOLE_KEPT);
  if (out->error == NULL)
    triage_fail(&out->error, TRIAGE_REASON_SIZE_LIMIT, "%s; all that is stored was examined", text);
  else /* one row says both */
    g_prefix_error(&out->error, "%s; ", text);
}

static void take_runs(const Reader *reader, uint64_t size) {
  const TSK_FS_ATTR *attr = reader->attr;
  if ((attr->flags & TSK_FS_ATTR_NONRES) == 0 ||
      (attr->flags & (TSK_FS_ATTR_COMP | TSK_FS_ATTR_ENC)) != 0 || attr->r != NULL ||
      reader->volume->is_derived)
    return;
  GArray *runs = g_array_new(FALSE, FALSE, sizeof(ContentRun));
  uint64_t block = reader->fs->block_size, skip = attr->nrd.skiplen;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && runs->len < LIMIT_RUNS_PER_ATTR;
       run = run->next) {
    uint64_t start, length, media, end;
    if ((run->flags & ~(unsigned)TSK_FS_ATTR_RUN_FLAG_NONE) != 0 ||
        !g_uint64_checked_mul(&start, run->offset, block) ||
        !g_uint64_checked_mul(&length, run->len, block) ||
        !g_uint64_checked_mul(&media, run->addr, block) ||
        !g_uint64_checked_add(&media, media, reader->volume->offset) ||
        !g_uint64_checked_add(&end, start, length) || end <= skip)
      continue;
    uint64_t cut = start < skip ? skip - start : 0;
    ContentRun entry = {start + cut - skip, length - cut, media + cut};
    if (entry.content_offset >= size)
      break;
    ContentRun *last = runs->len > 0 ? &g_array_index(runs, ContentRun, runs->len - 1) : NULL;
    if (last != NULL && last->content_offset + last->length == entry.content_offset &&
        last->media_offset + last->length == entry.media_offset)
      last->length += entry.length;
    else
      g_array_append_val(runs, entry);
  }
  reader->out->runs = runs;
}

static const TSK_FS_ATTR *find_attr(TSK_FS_FILE *file, const Object *object) {
  if (object->attr_type == 0)
    return tsk_fs_file_attr_get(file);
  return tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)object->attr_type,
                                   (uint16_t)object->attr_id, 1);
}

/* What blocks of a deleted entry are in use again; true where that is all of them. */
static bool find_taken(Reader *reader, const TSK_FS_FILE *file, uint64_t size) {
  if ((file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0 ||
      (reader->attr->flags & TSK_FS_ATTR_NONRES) == 0)
    return false;
  area_overwritten(reader->fs, reader->attr, &reader->taken);
  uint64_t at = 0, end, lost = 0;
  for (; ranges_next_filled(&reader->taken, &at, size, &end); at = end)
    lost += end - at;
  reader->out->overwritten = lost;
  return size > 0 && lost == size;
}

static void tell_taken(Reader *reader, uint64_t size) {
  WalkContent *out = reader->out;
  if (out->overwritten > 0 && out->error == NULL)
    triage_fail(&out->error, TRIAGE_REASON_OVERWRITTEN,
                "%llu of the deleted entry's %llu bytes lie in blocks that are in use again; they "
                "are examined where they belong now%s",
                (unsigned long long)out->overwritten, (unsigned long long)size,
                out->overwritten < size ? " and stand as zero here" : "");
  else if (out->overwritten > 0) /* one row says both */
    g_prefix_error(
        &out->error,
        "%llu bytes of the deleted entry lie in blocks that are in use again and stand as "
        "zero here; ",
        (unsigned long long)out->overwritten);
}

/* Of a deleted entry one block in use again may cost any chunk: none is taken then. */
static void read_wof(Reader *reader, TSK_FS_FILE *file, const Wof *wof, uint64_t size) {
  uint64_t n = wof->stream->size > 0 ? (uint64_t)wof->stream->size : 0;
  reader->attr = wof->stream; /* whose blocks count from here on */
  find_taken(reader, file, n);
  if (reader->out->overwritten > 0)
    triage_fail(&reader->out->error, TRIAGE_REASON_OVERWRITTEN,
                "%llu bytes of the deleted entry's compressed content (WOF) lie in blocks that are "
                "in use again; it is not unpacked",
                (unsigned long long)reader->out->overwritten);
  else
    wof_read(wof, size, reader->builder, &reader->out->error);
  reader->out->overwritten = 0;
}

static void read_attr(Reader *reader, TSK_FS_FILE *file, const Object *object, Spool *spool) {
  WalkContent *out = reader->out;
  tsk_error_reset();
  reader->attr = find_attr(file, object);
  if (reader->attr == NULL) {
    g_autofree char *why = walk_tsk_error();
    if (object->size > 0)
      triage_fail(&out->error, TRIAGE_REASON_CORRUPT, "the content cannot be found: %s",
                  *why != '\0' ? why : "no such attribute");
    return;
  }
  uint64_t size = reader->attr->size > 0 ? (uint64_t)reader->attr->size : 0;
  reader->builder = content_builder_new(spool, LIMIT_OBJECT_BYTES);
  reader->is_short = (object->flags & OBJECT_SHORT_HOLES) != 0;
  Wof wof = {0};
  if (TSK_FS_TYPE_ISNTFS(reader->fs->ftype))
    wof = wof_find(file);
  if (wof_is_content(&wof, reader->attr)) {
    read_wof(reader, file, &wof, size);
  } else {
    take_runs(reader, size);
    if (!find_taken(reader, file, size))
      read_all(reader, size);
    shift_runs(out);
    tell_taken(reader, size);
    tell_short(reader);
  }
  GError *error = NULL;
  out->content = content_builder_finish(reader->builder, &error);
  if (error != NULL) {
    g_clear_error(&out->error);
    out->error = error;
  }
  if (out->error == NULL && (reader->attr->flags & TSK_FS_ATTR_ENC) != 0)
    triage_fail(&out->error, TRIAGE_REASON_ENCRYPTED,
                "the content is encrypted by the file system (EFS); only the encrypted bytes were "
                "examined");
}

/* Where the attribute's blocks lie on the media; nothing where that is not told by its runs. */
static void find_places(const Reader *reader, Ranges *places) {
  const TSK_FS_ATTR *attr = reader->attr;
  if (reader->fs == NULL || attr == NULL || (attr->flags & TSK_FS_ATTR_NONRES) == 0 ||
      attr->r != NULL || reader->volume->is_derived)
    return;
  uint64_t block = reader->fs->block_size;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL; run = run->next) {
    uint64_t start, end;
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0)
      continue;
    if (g_uint64_checked_add(&end, run->addr, run->len) &&
        g_uint64_checked_mul(&start, run->addr, block) && g_uint64_checked_mul(&end, end, block) &&
        g_uint64_checked_add(&start, start, reader->volume->offset) &&
        g_uint64_checked_add(&end, end, reader->volume->offset))
      ranges_add(places, start, end);
  }
}

/* libtsk reads ahead: of the damage met, what lies in the attribute's own blocks. */
static void take_damage(const Reader *reader) {
  GArray *damage = image_damage(volume_set_image(reader->set));
  if (damage->len == 0)
    return;
  g_auto(Ranges) places;
  ranges_init(&places);
  find_places(reader, &places);
  GArray *own = g_array_sized_new(FALSE, FALSE, sizeof(Damage), damage->len);
  for (guint i = 0; i < damage->len; i++) {
    const Damage *met = &g_array_index(damage, Damage, i);
    uint64_t at = met->offset, stop = met->offset + met->length, end;
    if (ranges_n(&places) == 0)
      g_array_append_val(own, *met);
    for (; ranges_next_filled(&places, &at, stop, &end); at = end) {
      Damage part = {at, end - at, met->reason};
      g_array_append_val(own, part);
    }
  }
  reader->out->damage = own;
}

void walk_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out) {
  memset(out, 0, sizeof *out);
  Reader reader = {.set = set, .volume = volume_set_find(set, object->volume), .out = out};
  ranges_init(&reader.taken);
  volume_set_forget_damage(set);
  bool is_xfs = volume_xfs(set, object->volume) != NULL;
  if (is_xfs)
    xfs_read(set, object, spool, out);
  else
    reader.fs = volume_open_fs(set, object->volume, &out->error);
  TSK_FS_FILE *file = NULL;
  if (reader.fs != NULL) {
    tsk_error_reset();
    file = tsk_fs_file_open_meta(reader.fs, NULL, object->meta_addr);
    if (file == NULL || file->meta == NULL) {
      g_autofree char *why = walk_tsk_error();
      triage_fail(&out->error, TRIAGE_REASON_CORRUPT, "the metadata cannot be read: %s", why);
    } else if (object->kind == OBJECT_LINK && file->meta->link != NULL) {
      out->content = content_new_copy(file->meta->link, strlen(file->meta->link));
      reader.attr = tsk_fs_file_attr_get(file);
      if (reader.attr != NULL)
        take_runs(&reader, content_size(out->content));
    } else {
      extents_load(file);
      read_attr(&reader, file, object, spool);
    }
  }
  take_damage(&reader); /* before the attribute goes */
  if (file != NULL)
    tsk_fs_file_close(file);
  if (out->content == NULL)
    out->content = content_new_copy("", 0);
  ranges_clear(&reader.taken);
}
