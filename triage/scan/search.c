/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - the search for any of many byte sequences. */
#include "scan/search.h"
#include "base/limits.h"

#ifdef TRIAGE_HAVE_HYPERSCAN
#include <hs.h>

enum { PIECE_BYTES = 1024 * 1024 * 1024 }; /* of one call, which counts in 32 bits */

struct _Search {
  hs_database_t *database;
  hs_scratch_t *scratch;
  uint64_t shortest, longest;
  bool has_zeros; /* a needle is all zeros: it may lie in a hole */
};

static bool is_zeros(const Needle *needle) {
  for (uint32_t i = 0; i < needle->n; i++)
    if (needle->bytes[i] != 0)
      return false;
  return true;
}

static Search *compile(const GPtrArray *needles) {
  g_autofree const char **texts = g_new0(const char *, needles->len);
  g_autofree size_t *lengths = g_new0(size_t, needles->len);
  g_autofree unsigned *flags = g_new0(unsigned, needles->len);
  /* A number for each: with the same for all the compilation takes a hundred times as long. */
  g_autofree unsigned *numbers = g_new0(unsigned, needles->len);
  Search *search = g_new0(Search, 1);
  search->shortest = G_MAXUINT64;
  for (guint i = 0; i < needles->len; i++) {
    const Needle *needle = needles->pdata[i];
    texts[i] = (const char *)needle->bytes;
    lengths[i] = needle->n;
    numbers[i] = i;
    flags[i] = needle->is_caseless ? HS_FLAG_CASELESS : 0;
    search->shortest = MIN(search->shortest, needle->n);
    search->longest = MAX(search->longest, needle->n);
    search->has_zeros = search->has_zeros || is_zeros(needle);
  }
  hs_compile_error_t *error = NULL;
  if (hs_compile_lit_multi(texts, flags, numbers, lengths, needles->len, HS_MODE_BLOCK, NULL,
                           &search->database, &error) != HS_SUCCESS ||
      hs_alloc_scratch(search->database, &search->scratch) != HS_SUCCESS)
    g_clear_pointer(&search, search_free);
  if (error != NULL)
    hs_free_compile_error(error);
  return search;
}

Search *search_new(const GPtrArray *needles, const char **why) {
  if (hs_valid_platform() != HS_SUCCESS) {
    *why = "the processor is too old for Hyperscan";
    return NULL;
  }
  Search *search = needles->len > 0 ? compile(needles) : NULL;
  if (search == NULL)
    *why = "Hyperscan does not take these byte sequences";
  return search;
}

void search_free(Search *search) {
  if (search == NULL)
    return;
  hs_free_scratch(search->scratch);
  hs_free_database(search->database);
  g_free(search);
}

static int on_found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *user) {
  (void)id, (void)from, (void)to, (void)flags;
  *(bool *)user = true;
  return 1; /* one is enough */
}

static bool finds_in(Search *search, const uint8_t *data, uint64_t size) {
  bool is_found = false;
  for (uint64_t at = 0; at < size && size - at >= search->shortest; at += PIECE_BYTES) {
    /* Each piece reaches into the next by what may lie on their border. */
    uint64_t n = MIN(size - at, PIECE_BYTES + search->longest - 1);
    hs_error_t rc = hs_scan(search->database, (const char *)data + at, (unsigned)n, 0,
                            search->scratch, on_found, &is_found);
    if (is_found || rc != HS_SUCCESS)
      return true;
  }
  return false;
}

bool search_finds(Search *search, const Content *content) {
  const uint8_t *data = content_data(content);
  uint64_t end;
  if (search->has_zeros)
    return finds_in(search, data, content_size(content));
  for (uint64_t at = 0; content_next_filled(content, search->longest - 1, &at, &end); at = end)
    if (finds_in(search, data + at, end - at))
      return true;
  return false;
}

const char *search_library(void) {
  return hs_version();
}
#else
struct _Search {
  int nothing;
};

Search *search_new(const GPtrArray *needles, const char **why) {
  (void)needles;
  *why = "this build has neither Hyperscan nor Vectorscan";
  return NULL;
}

void search_free(Search *search) {
  g_free(search);
}

bool search_finds(Search *search, const Content *content) {
  (void)search, (void)content;
  return true;
}

const char *search_library(void) {
  return NULL;
}
#endif
