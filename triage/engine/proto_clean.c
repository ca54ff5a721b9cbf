/* SPDX-License-Identifier: Apache-2.0 */
/* proto_clean.c - examined objects of which there is little to say, many in one message: as for the
 * objects of a walk, numbers and texts are one piece of memory each. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/proto.h"
#include <string.h>

/* As GVariant lays out "(tttu)"; unused bytes are zero, or the message is not in normal form. */
typedef struct {
  uint64_t seq, examined, members;
  uint32_t n_gaps;
  uint8_t unused[4];
} WireClean;
G_STATIC_ASSERT(sizeof(WireClean) == 32);

/* As GVariant lays out "(ttuuy)". The lengths count the NUL behind each text. */
typedef struct {
  uint64_t size, examined;
  uint32_t detail_length, member_length;
  uint8_t reason;
  uint8_t unused[7];
} WireGap;
G_STATIC_ASSERT(sizeof(WireGap) == 32);

struct _CleanPacker {
  GArray *numbers; /* WireClean */
  GArray *gaps;    /* WireGap */
  GByteArray *texts;
};

CleanPacker *clean_packer_new(void) {
  CleanPacker *packer = g_new0(CleanPacker, 1);
  packer->numbers = g_array_new(FALSE, FALSE, sizeof(WireClean));
  packer->gaps = g_array_new(FALSE, FALSE, sizeof(WireGap));
  packer->texts = g_byte_array_new();
  return packer;
}

void clean_packer_free(CleanPacker *packer) {
  if (packer == NULL)
    return;
  g_array_unref(packer->numbers);
  g_array_unref(packer->gaps);
  g_byte_array_unref(packer->texts);
  g_free(packer);
}

guint clean_packer_n(const CleanPacker *packer) {
  return packer->numbers->len;
}

gsize clean_packer_size(const CleanPacker *packer) {
  return packer->numbers->len * sizeof(WireClean) + packer->gaps->len * sizeof(WireGap) +
         packer->texts->len;
}

static uint32_t add_text(CleanPacker *packer, const char *text) {
  guint n = (guint)strlen(text) + 1;
  g_byte_array_append(packer->texts, (const guint8 *)text, n);
  return n;
}

void clean_packer_add(CleanPacker *packer, const CleanObject *object, const CleanGap *gaps,
                      guint n_gaps) {
  WireClean wire = {.seq = object->seq,
                    .examined = object->examined,
                    .members = object->members,
                    .n_gaps = n_gaps};
  g_array_append_val(packer->numbers, wire);
  for (guint i = 0; i < n_gaps; i++) {
    WireGap gap = {
        .size = gaps[i].size, .examined = gaps[i].examined, .reason = (uint8_t)gaps[i].reason};
    gap.detail_length = add_text(packer, gaps[i].detail);
    gap.member_length = add_text(packer, gaps[i].member);
    g_array_append_val(packer->gaps, gap);
  }
}

GVariant *clean_packer_end(CleanPacker *packer) {
  GVariant *message = g_variant_new(
      "(@a(tttu)@a(ttuuy)@ay)",
      g_variant_new_fixed_array(G_VARIANT_TYPE("(tttu)"), packer->numbers->data,
                                packer->numbers->len, sizeof(WireClean)),
      g_variant_new_fixed_array(G_VARIANT_TYPE("(ttuuy)"), packer->gaps->data, packer->gaps->len,
                                sizeof(WireGap)),
      g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, packer->texts->data, packer->texts->len, 1));
  g_array_set_size(packer->numbers, 0);
  g_array_set_size(packer->gaps, 0);
  g_byte_array_set_size(packer->texts, 0);
  return message;
}

struct _CleanBatch {
  GVariant *held[3]; /* whose memory the pointers below go into */
  const WireClean *numbers;
  const WireGap *gaps;
  const char *texts;
  gsize n, n_gaps, n_texts; /* not yet taken */
  GArray *of_object;        /* CleanGap: of the object taken last */
};

CleanBatch *clean_batch_new(GVariant *message) {
  CleanBatch *batch = g_new0(CleanBatch, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(batch->held); i++)
    batch->held[i] = g_variant_get_child_value(message, i);
  batch->numbers = g_variant_get_fixed_array(batch->held[0], &batch->n, sizeof *batch->numbers);
  batch->gaps = g_variant_get_fixed_array(batch->held[1], &batch->n_gaps, sizeof *batch->gaps);
  batch->texts = g_variant_get_fixed_array(batch->held[2], &batch->n_texts, 1);
  batch->of_object = g_array_new(FALSE, FALSE, sizeof(CleanGap));
  return batch;
}

void clean_batch_free(CleanBatch *batch) {
  if (batch == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS(batch->held); i++)
    g_variant_unref(batch->held[i]);
  g_array_unref(batch->of_object);
  g_free(batch);
}

guint clean_batch_n(const CleanBatch *batch) {
  return (guint)batch->n;
}

/* The next text, of length bytes with its NUL; NULL where it is none or not printable. */
static const char *take_text(CleanBatch *batch, gsize length) {
  if (length == 0 || length > batch->n_texts)
    return NULL;
  const char *text = batch->texts;
  batch->texts += length;
  batch->n_texts -= length;
  return memchr(text, '\0', length) == text + length - 1 && text_is_printable(text) ? text : NULL;
}

static bool take_gap(CleanBatch *batch) {
  if (batch->n_gaps == 0)
    return false;
  const WireGap *wire = batch->gaps++;
  batch->n_gaps--;
  CleanGap gap = {
      .size = wire->size, .examined = wire->examined, .reason = (TriageReason)wire->reason};
  gap.detail = take_text(batch, wire->detail_length);
  gap.member = take_text(batch, wire->member_length);
  g_array_append_val(batch->of_object, gap);
  return gap.detail != NULL && gap.member != NULL && wire->reason <= TRIAGE_REASON_LAST &&
         wire->size <= INT64_MAX && wire->examined <= INT64_MAX &&
         wire->member_length <= LIMIT_PATH_BYTES + 1;
}

static bool take_fields(CleanBatch *batch, CleanObject *out) {
  const WireClean *wire = batch->numbers++;
  batch->n--;
  *out = (CleanObject){wire->seq, wire->examined, wire->members};
  g_array_set_size(batch->of_object, 0);
  for (uint32_t i = 0; i < wire->n_gaps; i++)
    if (!take_gap(batch))
      return false;
  /* What is left over behind the last one belongs to none. */
  bool is_rest = batch->n == 0 && (batch->n_gaps > 0 || batch->n_texts > 0);
  return !is_rest && wire->examined <= INT64_MAX && wire->members <= INT64_MAX;
}

bool clean_batch_next(CleanBatch *batch, CleanObject *out, const CleanGap **gaps, guint *n_gaps,
                      GError **error) {
  if (batch->n == 0)
    return false;
  if (!take_fields(batch, out)) {
    batch->n = 0;
    return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong list of objects");
  }
  *gaps = (const CleanGap *)batch->of_object->data;
  *n_gaps = batch->of_object->len;
  return true;
}
