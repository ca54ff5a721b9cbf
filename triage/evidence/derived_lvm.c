/* SPDX-License-Identifier: Apache-2.0 */
/* derived_lvm.c - the logical volumes of Linux' LVM2: physical volumes of one evidence put together
 * by the identifiers of their groups. What lacks, what is damaged and what is of a kind that cannot
 * be put together has a row each; its bytes are examined with their physical volumes. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/derived_private.h"
#include "evidence/lvm.h"
#include <string.h>

#define AS_BYTES "; its bytes are examined as they are, without names"

/* One physical volume that is here. */
typedef struct {
  LvmLabel label;
  bool is_readable;
  LvmText *text; /* NULL: it holds none, or none that is sound */
  GString *trouble;
} Member;

typedef struct {
  const GArray *bases; /* DerivedBase */
  const DerivedSink *sink;
  Member *members;
  GPtrArray *groups; /* LvmGroup* */
} Join;

static const DerivedBase *base_of(const Join *join, guint index) {
  return &g_array_index(join->bases, DerivedBase, index);
}

static void give_gap(const Join *join, guint index, uint64_t size, TriageReason reason,
                     const char *format, ...) G_GNUC_PRINTF(5, 6);
static void give_gap(const Join *join, guint index, uint64_t size, TriageReason reason,
                     const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *detail = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  join->sink->gap(join->sink->user, index, size, reason, detail);
}

/* ---- reading what is there ---- */

static void read_members(Join *join) {
  for (guint i = 0; i < join->bases->len; i++) {
    Member *member = &join->members[i];
    const DerivedBase *base = base_of(join, i);
    g_autoptr(GError) error = NULL;
    member->trouble = g_string_new(NULL);
    member->is_readable = lvm_label_read(base, &member->label, &error);
    if (!member->is_readable) {
      give_gap(join, i, base->length, TRIAGE_REASON_CORRUPT, "%s" AS_BYTES, error->message);
      continue;
    }
    member->text = lvm_metadata_read(base, &member->label, member->trouble);
    if (member->label.has_bad_checksum)
      give_gap(join, i, LVM_SECTOR, TRIAGE_REASON_BAD_CHECKSUM,
               "the label of the LVM2 physical volume %s has a wrong checksum; it was read "
               "nevertheless",
               member->label.uuid);
  }
}

/* A description whose checksum is right before one that was only found. */
static bool is_better(const LvmText *text, const LvmText *than) {
  return than == NULL || (than->is_older && !text->is_older) ||
         (than->is_older == text->is_older && text->seqno > than->seqno);
}

static void tell_description(const Join *join, guint index, const LvmText *used) {
  const Member *member = &join->members[index];
  if (member->trouble->len == 0)
    return;
  g_autofree char *name =
      used != NULL ? text_printable(used->group->name, strlen(used->group->name)) : NULL;
  if (used == NULL)
    give_gap(join, index, base_of(join, index)->length, TRIAGE_REASON_CORRUPT,
             "the LVM2 physical volume %s: %s, and no other description of its group was "
             "found" AS_BYTES,
             member->label.uuid, member->trouble->str);
  else
    give_gap(join, index, 0, TRIAGE_REASON_BAD_CHECKSUM,
             "the LVM2 physical volume %s: %s; %s of the group %s (number %llu of its changes) "
             "was used in its stead%s",
             member->label.uuid, member->trouble->str,
             used->is_older ? "an earlier description" : "another copy of the description", name,
             (unsigned long long)used->seqno,
             used->is_older ? ": volumes that were made or changed later are not as it says" : "");
}

/* The groups that the members describe, each by its best description. */
static void make_groups(Join *join) {
  for (guint i = 0; i < join->bases->len; i++) {
    const LvmText *best = join->members[i].text;
    bool is_first = best != NULL;
    for (guint k = 0; best != NULL && k < join->bases->len; k++) {
      const LvmText *other = join->members[k].text;
      if (other == NULL || strcmp(other->uuid, best->uuid) != 0)
        continue;
      is_first = is_first && k >= i;
      best = is_better(other, best) ? other : best;
    }
    if (!is_first)
      continue;
    g_autoptr(GError) error = NULL;
    LvmGroup *group = lvm_group_new(best, &error);
    if (group != NULL) {
      group->media = base_of(join, i)->media;
      g_ptr_array_add(join->groups, group);
      continue;
    }
    for (guint k = i; k < join->bases->len; k++)
      if (join->members[k].text != NULL && strcmp(join->members[k].text->uuid, best->uuid) == 0) {
        give_gap(join, k, base_of(join, k)->length, TRIAGE_REASON_CORRUPT,
                 "an LVM2 physical volume whose description of the group cannot be understood: "
                 "%s" AS_BYTES,
                 error->message);
        join->members[k].is_readable = false;
      }
  }
}

/* ---- putting together ---- */

static const LvmText *text_of(const Join *join, const LvmGroup *group) {
  const LvmText *best = NULL;
  for (guint i = 0; i < join->bases->len; i++) {
    const LvmText *text = join->members[i].text;
    if (text != NULL && strcmp(text->uuid, group->uuid) == 0 && is_better(text, best))
      best = text;
  }
  return best;
}

static void join_member(Join *join, guint index) {
  Member *member = &join->members[index];
  const DerivedBase *base = base_of(join, index);
  for (guint i = 0; i < join->groups->len; i++) {
    LvmGroup *group = join->groups->pdata[i];
    LvmPhysical *physical = lvm_group_find(group, member->label.uuid);
    if (physical == NULL)
      continue;
    tell_description(join, index, text_of(join, group));
    if (physical->is_here) {
      give_gap(join, index, base->length, TRIAGE_REASON_CORRUPT,
               "an LVM2 physical volume with the identifier %s, which another one in this evidence "
               "has too: that one was taken for the group %s" AS_BYTES,
               member->label.uuid, group->name);
      return;
    }
    physical->is_here = true;
    physical->base = *base;
    physical->base.passwords = NULL;
    physical->index = index;
    return;
  }
  if (member->text != NULL || member->trouble->len == 0)
    give_gap(join, index, base->length, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
             "an LVM2 physical volume (%s) %s" AS_BYTES, member->label.uuid,
             member->text != NULL
                 ? "that the newest description of its group does not name: it was taken out"
                 : "that no group in this evidence names: it belongs to none, or the others of "
                   "its group are elsewhere");
  else
    tell_description(join, index, NULL);
}

static guint first_member(const LvmGroup *group) {
  guint first = G_MAXUINT;
  for (guint i = 0; i < group->physical->len; i++) {
    const LvmPhysical *physical = group->physical->pdata[i];
    if (physical->is_here)
      first = MIN(first, physical->index);
  }
  return first;
}

/* Physical volumes that the description names and that are not here. */
static void tell_missing(const Join *join, const LvmGroup *group) {
  guint first = first_member(group), n = 0;
  for (guint i = 0; i < group->physical->len; i++) {
    const LvmPhysical *physical = group->physical->pdata[i];
    if (physical->is_here)
      continue;
    if (n++ == LIMIT_LVM_ROWS) {
      give_gap(join, first, 0, TRIAGE_REASON_MISSING_SEGMENT,
               "further physical volumes of the group %s are not here either and are not listed "
               "one by one",
               group->name);
      return;
    }
    give_gap(join, first, physical->extents * group->extent_bytes, TRIAGE_REASON_MISSING_SEGMENT,
             "the physical volume %s (%s, last seen as %s) of the LVM2 group %s is not in this "
             "evidence: it may lie in another image of the case",
             physical->name, physical->uuid,
             physical->device != NULL ? physical->device : "an unknown device", group->name);
  }
}

/* ---- its volumes ---- */

typedef struct {
  LvmGroup *group;
  const LvmLogical *logical;
} Logical;

static void logical_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  const Logical *state = image->state;
  lvm_map_read(state->group, state->logical, offset, buffer, n, image->is_passing);
}

static void logical_close(Image *image) {
  Logical *state = image->state;
  lvm_group_unref(state->group);
  g_free(state);
}

static const ImageFormat LOGICAL_FORMAT = {
    .row = {.stage = "volume", .name = "lvm2"}, .read = logical_read, .close = logical_close};

static Image *logical_image(LvmGroup *group, const LvmLogical *logical, Ranges *lacking) {
  Logical *state = g_new0(Logical, 1);
  state->group = group;
  state->logical = logical;
  group->references++;
  Image *image = derived_image_of(&LOGICAL_FORMAT, logical->extents * group->extent_bytes, state);
  for (guint i = 0; lacking != NULL && i < ranges_n(lacking); i++) {
    const Range *range = ranges_get(lacking, i);
    image_know_damage(image, range->start, range->end - range->start,
                      TRIAGE_REASON_MISSING_SEGMENT);
  }
  return image;
}

static void tell_lacking(const LvmGroup *group, const LvmLogical *logical, DerivedVolume *volume,
                         TriageReason reason) {
  uint64_t size = logical->extents * group->extent_bytes, lost = ranges_total(volume->lacking);
  g_autoptr(GString) where = g_string_new(NULL);
  for (guint i = 0; i < MIN(ranges_n(volume->lacking), 8); i++) {
    const Range *range = ranges_get(volume->lacking, i);
    g_string_append_printf(where, "%s%llu-%llu", i > 0 ? ", " : "",
                           (unsigned long long)range->start, (unsigned long long)range->end);
  }
  triage_fail(&volume->problem, reason,
              "of the logical volume %s/%s %llu of %llu bytes lie on %s and read as zero: bytes "
              "%s%s of it%s%s",
              group->name, logical->name, (unsigned long long)lost, (unsigned long long)size,
              reason == TRIAGE_REASON_TRUNCATED ? "a part of its physical volume that is cut off"
                                                : "physical volumes that are not here",
              where->str, ranges_n(volume->lacking) > 8 ? ", ..." : "",
              logical->note != NULL ? "; " : "", logical->note != NULL ? logical->note : "");
}

/* False where nothing of it is here, and where it is in too many pieces: why says so. */
static bool hand_over(const Join *join, LvmGroup *group, LvmLogical *logical) {
  g_autoptr(GArray) pieces = lvm_map_pieces(group, logical);
  if (pieces == NULL) {
    logical->reason = TRIAGE_REASON_SIZE_LIMIT;
    logical->why = g_strdup_printf("the volumes of its group are made of more than %u pieces",
                                   LIMIT_LVM_PIECES);
    return false;
  }
  const LvmPiece *first = NULL, *lack = NULL;
  DerivedVolume volume = {.lacking = ranges_new()};
  for (guint i = 0; i < pieces->len; i++) {
    const LvmPiece *piece = &g_array_index(pieces, LvmPiece, i);
    if (piece->physical != NULL) {
      first = first == NULL ? piece : first;
      continue;
    }
    ranges_add(volume.lacking, piece->logical, piece->logical + piece->length);
    lack = lack == NULL ? piece : lack;
  }
  if (first == NULL) {
    ranges_free(volume.lacking);
    return false;
  }
  if (lack != NULL)
    tell_lacking(group, logical, &volume, lack->reason);
  else if (logical->note != NULL)
    triage_fail(&volume.problem, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                "the logical volume %s/%s: %s", group->name, logical->name, logical->note);
  volume.image = logical_image(group, logical, volume.lacking);
  volume.description =
      g_strdup_printf("logical volume %s of the LVM2 group %s", logical->name, group->name);
  if (!join->sink->found(join->sink->user, first->physical->index, &volume))
    return true;
  for (guint i = 0; i < pieces->len; i++) {
    const LvmPiece *piece = &g_array_index(pieces, LvmPiece, i);
    if (piece->physical != NULL) {
      uint64_t place = piece->physical->base.offset + piece->place;
      join->sink->inside(join->sink->user, piece->physical->index, place, place + piece->length);
    }
  }
  return true;
}

static void open_group(const Join *join, LvmGroup *group) {
  guint first = first_member(group), n_rows = 0, n_more = 0;
  if (first == G_MAXUINT)
    return;
  lvm_map_settle(group);
  tell_missing(join, group);
  for (guint i = 0; i < group->logical->len; i++) {
    LvmLogical *logical = group->logical->pdata[i];
    uint64_t size = logical->extents * group->extent_bytes;
    if (!logical->is_visible || (logical->why == NULL && hand_over(join, group, logical)))
      continue;
    if (n_rows++ >= LIMIT_LVM_ROWS)
      n_more++;
    else if (logical->why != NULL)
      give_gap(join, first, size, logical->reason,
               "the logical volume %s/%s of LVM2 cannot be put together: %s" AS_BYTES, group->name,
               logical->name, logical->why);
    else
      give_gap(join, first, size, TRIAGE_REASON_MISSING_SEGMENT,
               "no segment of the logical volume %s/%s of LVM2 is whole in this evidence; what is "
               "here of it is examined as it is, without names",
               group->name, logical->name);
  }
  if (n_more > 0)
    give_gap(join, first, 0, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
             "%u further logical volumes of the LVM2 group %s cannot be put together and are not "
             "listed one by one",
             n_more, group->name);
}

static void lvm_join(const GArray *bases, const DerivedSink *sink) {
  Join join = {.bases = bases,
               .sink = sink,
               .members = g_new0(Member, bases->len),
               .groups = g_ptr_array_new_with_free_func((GDestroyNotify)lvm_group_unref)};
  read_members(&join);
  make_groups(&join);
  for (guint i = 0; i < bases->len; i++)
    if (join.members[i].is_readable)
      join_member(&join, i);
  for (guint i = 0; i < join.groups->len; i++)
    open_group(&join, join.groups->pdata[i]);
  for (guint i = 0; i < bases->len; i++) {
    lvm_text_free(join.members[i].text);
    if (join.members[i].trouble != NULL)
      g_string_free(join.members[i].trouble, TRUE);
  }
  g_free(join.members);
  g_ptr_array_unref(join.groups);
}

const DerivedKind DERIVED_LVM = {
    .row = {.stage = "volume",
            .name = "lvm2",
            .title = "Logical Volume Manager",
            .spec = "LVM2's text format of metadata, version 1",
            .library = "",
            .limitations =
                "volumes that are thin, snapshots' own, RAID 4, 5 and 6, VDO or in pools are "
                "listed and examined without names; of cached ones what the slow device holds is "
                "read; physical volumes of one image are put together, not those of several",
            .available = true},
    .probe = lvm_probe,
    .join = lvm_join,
};
