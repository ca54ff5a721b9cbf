/* SPDX-License-Identifier: Apache-2.0 */
/* area_read.c - the bytes of areas: stretches of the media, and the slack of entries; and which
 * blocks of a deleted entry are in use again. */
#include "base/limits.h"
#include "evidence/walk_private.h"
#include <string.h>

bool area_block_in_use(TSK_FS_INFO *fs, uint64_t block) {
  return (fs->block_getflags(fs, (TSK_DADDR_T)block) & TSK_FS_BLOCK_FLAG_ALLOC) != 0;
}

void area_overwritten(TSK_FS_INFO *fs, const TSK_FS_ATTR *attr, Ranges *out) {
  uint64_t block = fs->block_size;
  /* Of compressed content one lost block costs the whole unit it was compressed with. */
  uint64_t unit = (attr->flags & TSK_FS_ATTR_COMP) != 0 ? MAX(attr->nrd.compsize, 1u) : 1;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0 ||
        run->addr > fs->last_block || run->offset > INT64_MAX / block / 2)
      continue;
    uint64_t length = MIN(run->len, fs->last_block - run->addr + 1);
    for (uint64_t i = 0; i < length; i++) {
      if (!area_block_in_use(fs, run->addr + i))
        continue;
      uint64_t first = (run->offset + i) / unit * unit;
      uint64_t start = first * block, end = (first + unit) * block, skip = attr->nrd.skiplen;
      ranges_add(out, start > skip ? start - skip : 0, end > skip ? end - skip : 0);
    }
  }
}

static void take_damage(VolumeSet *set, WalkContent *out) {
  GArray *damage = image_damage(volume_set_image(set));
  out->damage = g_array_sized_new(FALSE, FALSE, sizeof(Damage), damage->len);
  g_array_append_vals(out->damage, damage->data, damage->len);
}

static bool append_stretch(VolumeSet *set, uint32_t no, WalkContent *out, ContentBuilder *builder,
                           uint64_t start, uint64_t end) {
  enum { STEP = 1024 * 1024 };
  ContentRun run = {content_builder_size(builder), 0, start};
  bool ok = true;
  for (uint64_t at = start; ok && at < end;) {
    size_t n = (size_t)MIN(STEP, end - at);
    volume_read(set, no, at, content_builder_lend(builder, n), n);
    ok = content_builder_keep(builder, n, &out->error);
    at += n;
  }
  run.length = content_builder_size(builder) - run.content_offset;
  g_array_append_val(out->runs, run);
  return ok;
}

/* Runs of slack: the same arithmetic as the walk's, but that blocks of a deleted entry which are in
 * use again are another's. */
static void append_slack(VolumeSet *set, const Volume *volume, TSK_FS_FILE *file,
                         const TSK_FS_ATTR *attr, ContentBuilder *builder, WalkContent *out) {
  TSK_FS_INFO *fs = file->fs_info;
  uint64_t block = fs->block_size;
  uint64_t cut = (uint64_t)MAX(MIN(attr->size, attr->nrd.initsize), 0) + attr->nrd.skiplen;
  bool is_live = (file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0;
  guint n = 0;
  for (const TSK_FS_ATTR_RUN *run = attr->nrd.run; run != NULL && n < LIMIT_RUNS_PER_ATTR;
       run = run->next, n++) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0 ||
        run->addr > fs->last_block || run->offset > INT64_MAX / block / 2)
      continue;
    uint64_t length = MIN(run->len, fs->last_block - run->addr + 1), from = run->offset * block;
    if (from + length * block <= cut)
      continue;
    uint64_t inside = from < cut ? cut - from : 0, at = run->addr * block + inside;
    uint64_t end = (run->addr + length) * block;
    while (at < end) {
      /* As far as it is the entry's. */
      uint64_t stop = is_live ? end : at;
      while (stop < end && !area_block_in_use(fs, stop / block))
        stop = MIN(end, (stop / block + 1) * block);
      if (stop > at && !append_stretch(set, volume->no, out, builder, volume->offset + at,
                                       volume->offset + stop))
        return;
      uint64_t lost = stop < end ? (stop / block + 1) * block - stop : 0;
      out->overwritten += lost;
      at = stop + lost;
    }
  }
}

static void read_slack(VolumeSet *set, const Object *object, ContentBuilder *builder,
                       WalkContent *out) {
  const Volume *volume = volume_set_find(set, object->volume);
  TSK_FS_INFO *fs = volume_open_fs(set, object->volume, &out->error);
  if (fs == NULL)
    return;
  tsk_error_reset();
  TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, object->meta_addr);
  if (file != NULL && file->meta != NULL)
    extents_load(file);
  const TSK_FS_ATTR *attr =
      file == NULL || file->meta == NULL ? NULL
      : object->attr_type == 0
          ? tsk_fs_file_attr_get(file)
          : tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)object->attr_type,
                                      (uint16_t)object->attr_id, 1);
  image_damage_reset(volume_set_image(set)); /* damage of the entry itself is told by the walk */
  if (attr == NULL || (attr->flags & TSK_FS_ATTR_NONRES) == 0) {
    g_autofree char *why = walk_tsk_error();
    triage_fail(&out->error, TRIAGE_REASON_CORRUPT, "the slack cannot be found: %s",
                *why != '\0' ? why : "the attribute has no blocks");
  } else {
    append_slack(set, volume, file, attr, builder, out);
  }
  if (file != NULL)
    tsk_fs_file_close(file);
}

void area_read(VolumeSet *set, const Object *object, Spool *spool, WalkContent *out) {
  memset(out, 0, sizeof *out);
  out->runs = g_array_new(FALSE, FALSE, sizeof(ContentRun));
  ContentBuilder *builder = content_builder_new(spool, LIMIT_OBJECT_BYTES);
  volume_set_forget_damage(set);
  bool is_slack = object->meta[0] != '\0'; /* of an entry */
  if (is_slack && volume_xfs(set, object->volume) != NULL) {
    append_stretch(set, object->volume, out, builder, object->first_byte,
                   object->first_byte + MIN(object->size, LIMIT_AREA_BYTES));
  } else if (is_slack) {
    read_slack(set, object, builder, out);
  } else {
    uint64_t length = MIN(object->size + MIN(object->attr_id, LIMIT_AREA_OVERLAP),
                          LIMIT_AREA_BYTES + LIMIT_AREA_OVERLAP);
    append_stretch(set, object->volume, out, builder, object->first_byte,
                   object->first_byte + length);
    out->reach = object->size + object->attr_id - MIN(length, object->size + object->attr_id);
  }
  GError *error = NULL;
  out->content = content_builder_finish(builder, &error);
  if (out->content == NULL) {
    out->content = content_new_copy("", 0);
    g_clear_error(&out->error);
    out->error = error;
  }
  /* Of slack all later runs begin with a block. */
  if (out->runs->len > 0)
    out->border = (512 - g_array_index(out->runs, ContentRun, 0).media_offset % 512) % 512;
  /* The bytes of a derived volume lie in no one place of the media. */
  const Volume *volume = volume_set_find(set, object->volume);
  if (volume != NULL && volume->is_derived)
    g_clear_pointer(&out->runs, g_array_unref);
  out->own = MIN(is_slack ? UINT64_MAX : object->size, content_size(out->content));
  take_damage(set, out);
}

Content *area_read_on(VolumeSet *set, const Object *object, uint64_t at, uint64_t n, Spool *spool) {
  WalkContent out = {.runs = g_array_new(FALSE, FALSE, sizeof(ContentRun))};
  ContentBuilder *builder = content_builder_new(spool, n);
  bool is_read = append_stretch(set, object->volume, &out, builder, object->first_byte + at,
                                object->first_byte + at + n);
  out.content = content_builder_finish(builder, is_read ? &out.error : NULL);
  Content *content = is_read && out.content != NULL ? content_ref(out.content) : NULL;
  walk_content_clear(&out);
  return content;
}
