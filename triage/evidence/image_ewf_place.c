/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf_place.c - where in the media the chunks of each table lie. A table does not say so
 * itself: it follows the one before it. Up to the first gap the places are counted from the start;
 * after the last gap they are counted back from the end, where the end is there. What lies between
 * is known damage before anything was read. */
#include "evidence/image_ewf.h"

static EwfTable *table_at(Ewf *ewf, guint index) {
  return &g_array_index(ewf->tables, EwfTable, index);
}

static bool is_gap(const EwfTable *table) {
  return table->gap || table->header_bad;
}

static void place(Ewf *ewf, guint index, uint64_t first_chunk) {
  EwfTable *table = table_at(ewf, index);
  table->first_chunk = first_chunk;
  table->placed = true;
}

static void know_chunks(Image *image, const Ewf *ewf, uint64_t from, uint64_t to,
                        TriageReason reason) {
  if (from >= to)
    return;
  uint64_t start = from * ewf->chunk_bytes; /* both are below 2^63, see ewf_volume_read */
  uint64_t end = MIN(to * ewf->chunk_bytes, image->info.size);
  image_know_damage(image, start, end - start, reason);
}

/* Counts the tables after the last gap back from the end; returns the first chunk they reach. */
static uint64_t place_from_end(Ewf *ewf, guint after_gap, uint64_t reached) {
  uint64_t n_tail = 0;
  for (guint i = after_gap; i < ewf->tables->len; i++)
    n_tail += table_at(ewf, i)->n_chunks;
  if (n_tail == 0 || n_tail > ewf->n_chunks || ewf->n_chunks - n_tail < reached)
    return ewf->n_chunks;
  uint64_t first = ewf->n_chunks - n_tail;
  for (guint i = after_gap; i < ewf->tables->len; i++) {
    place(ewf, i, first);
    first += table_at(ewf, i)->n_chunks;
  }
  return ewf->n_chunks - n_tail;
}

void ewf_place_tables(Image *image, Ewf *ewf) {
  guint n = ewf->tables->len, first_gap = 0, last_gap = n;
  uint64_t reached = 0, resumed = ewf->n_chunks;
  for (; first_gap < n && !is_gap(table_at(ewf, first_gap)); first_gap++) {
    place(ewf, first_gap, reached);
    reached += table_at(ewf, first_gap)->n_chunks;
  }
  for (guint i = first_gap; i < n; i++)
    if (is_gap(table_at(ewf, i)))
      last_gap = i;
  if (first_gap < n && last_gap + 1 < n && ewf->done)
    resumed = place_from_end(ewf, last_gap + 1, reached);
  if (first_gap < n) {
    const EwfTable *gap = table_at(ewf, first_gap);
    know_chunks(image, ewf, reached, resumed, gap->gap ? gap->reason : TRIAGE_REASON_CORRUPT);
    if (resumed < ewf->n_chunks)
      image_add_problem(image,
                        "The chunks after the gap were placed by counting back from the end of the "
                        "media (chunk %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ").",
                        resumed, ewf->n_chunks);
  } else if (reached < ewf->n_chunks) {
    image_add_problem(image,
                      "The container claims %" G_GUINT64_FORMAT
                      " chunks, its tables hold %" G_GUINT64_FORMAT "; the rest reads as zero.",
                      ewf->n_chunks, reached);
    know_chunks(image, ewf, reached, ewf->n_chunks, TRIAGE_REASON_CORRUPT);
  }
  if (reached > ewf->n_chunks)
    image_add_problem(image,
                      "The tables hold %" G_GUINT64_FORMAT " chunks, %" G_GUINT64_FORMAT
                      " more than the media has room for; these are not read.",
                      reached, reached - ewf->n_chunks);
  for (guint i = 0; i < n; i++)
    if (table_at(ewf, i)->placed)
      g_array_append_val(ewf->placed, i);
}
