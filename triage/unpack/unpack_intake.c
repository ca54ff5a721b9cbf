/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_intake.c - the bytes of one member on their way in, held to every budget. */
#include "unpack/unpack_private.h"

/* The ratio is held against the smaller of the container and the top object: a bomb in a zip in a
 * zip is as small as the outermost. */
static uint64_t ratio_limit(const Unpack *unpack, const Container *container) {
  uint64_t packed = MIN(unpack->top_size, content_size(container->content)), limit;
  if (!g_uint64_checked_mul(&limit, packed, LIMIT_RATIO))
    return G_MAXUINT64;
  return MAX(limit, LIMIT_RATIO_FROM);
}

void intake_init(Intake *intake, Unpack *unpack, Container *container) {
  uint64_t budget;
  if (!g_uint64_checked_add(&budget, unpack_budget(unpack), container->free_bytes))
    budget = G_MAXUINT64;
  intake->unpack = unpack;
  intake->container = container;
  intake->max = MIN(budget, LIMIT_OBJECT_BYTES);
  intake->data_left = ratio_limit(unpack, container);
  intake->holes_left = MAX(intake->data_left, LIMIT_HOLE_BYTES);
  intake->builder = content_builder_new(unpack->options->spool, intake->max);
}

uint64_t intake_size(const Intake *intake) {
  return content_builder_size(intake->builder);
}

static void charge(Intake *intake, uint64_t n) {
  uint64_t is_free = MIN(n, intake->container->free_bytes);
  intake->container->free_bytes -= is_free;
  n -= is_free;
  intake->unpack->expanded += MIN(n, unpack_budget(intake->unpack));
}

/* Charges what got in; tells a limit of ours from trouble with the spool. */
static bool settle(Intake *intake, uint64_t before, bool is_in, GError *trouble, GError **error) {
  charge(intake, intake_size(intake) - before);
  if (is_in)
    return true;
  if (intake_size(intake) < intake->max) {
    g_propagate_error(error, trouble);
    return false;
  }
  g_clear_error(&trouble);
  return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                     "the object's budget of %" G_GUINT64_FORMAT
                     " unpacked bytes is used up here; the first %" G_GUINT64_FORMAT
                     " bytes of this member were examined; --max-expanded sets the budget",
                     intake->unpack->options->max_expanded, intake_size(intake));
}

static bool fail_ratio(const Intake *intake, GError **error) {
  return triage_fail(error, TRIAGE_REASON_RATIO_LIMIT,
                     "expands to more than %u times its packed size: a decompression bomb; the "
                     "first %" G_GUINT64_FORMAT " bytes were examined",
                     LIMIT_RATIO, intake_size(intake));
}

bool intake_append(Intake *intake, const void *bytes, size_t n, GError **error) {
  uint64_t before = intake_size(intake);
  size_t take = (size_t)MIN(n, intake->data_left);
  GError *trouble = NULL;
  intake->data_left -= take;
  bool is_in = content_builder_append(intake->builder, bytes, take, &trouble);
  if (!settle(intake, before, is_in, trouble, error))
    return false;
  return take == n || fail_ratio(intake, error);
}

bool intake_has_room(const Intake *intake, uint64_t n) {
  return n <= intake->data_left && n <= intake->max - intake_size(intake);
}

uint8_t *intake_room(Intake *intake, uint64_t n) {
  return intake_has_room(intake, n) ? content_builder_room(intake->builder, n) : NULL;
}

void intake_filled(Intake *intake, uint64_t n) {
  content_builder_filled(intake->builder, n);
  intake->data_left -= n;
  charge(intake, n);
}

/* Holes of sparse files: disk images in a tar have long ones and are no bombs, up to a point. */
bool intake_zeros_to(Intake *intake, uint64_t size, GError **error) {
  uint64_t before = intake_size(intake), n = size > before ? size - before : 0;
  uint64_t take = MIN(n, intake->holes_left);
  GError *trouble = NULL;
  if (n == 0)
    return true;
  intake->holes_left -= take;
  bool is_in = content_builder_append_zeros(intake->builder, take, &trouble);
  if (!settle(intake, before, is_in, trouble, error))
    return false;
  return take == n || fail_ratio(intake, error);
}

Content *intake_finish(Intake *intake, GError **error) {
  return content_builder_finish(g_steal_pointer(&intake->builder), error);
}

void intake_hand_out(Intake *intake, GBytes *name, uint64_t claimed, const GError *error) {
  Unpack *unpack = intake->unpack;
  Container *container = intake->container;
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  g_autoptr(GError) trouble = NULL;
  g_autoptr(Content) content = intake_finish(intake, &trouble);
  if (unpack->is_stopped)
    return;
  uint64_t got = content != NULL ? content_size(content) : 0;
  const GError *why = content == NULL ? trouble : error;
  if (got == 0 && why != NULL) {
    container->n_members++;
    unpack_gap(unpack, &path, claimed, 0, triage_error_reason(why), "%s", why->message);
    return;
  }
  Member member = {.content = content, .size = MAX(claimed, got), .error = error};
  unpack_member(unpack, container, name, &member);
}
