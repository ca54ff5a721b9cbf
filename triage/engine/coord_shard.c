/* SPDX-License-Identifier: Apache-2.0 */
/* coord_shard.c - who examines what, without talk between the shards: each comes to the same answer
 * from what the evidence is. Small exhibits go whole to the shard that has least; what is more than
 * a shard's part is divided by objects. */
#include "engine/coord_private.h"

enum { SHARDS_MAX = 10000 };

bool shard_parse(const char *text, uint32_t *shard, uint32_t *shards) {
  char *slash = NULL, *end = NULL;
  guint64 k = g_ascii_strtoull(text, &slash, 10);
  guint64 n = slash != NULL && *slash == '/' ? g_ascii_strtoull(slash + 1, &end, 10) : 0;
  if (!g_ascii_isdigit(*text) || end == NULL || *end != '\0' || !g_ascii_isdigit(slash[1]) ||
      n < 1 || n > SHARDS_MAX || k < 1 || k > n)
    return false;
  *shard = (uint32_t)k;
  *shards = (uint32_t)n;
  return true;
}

uint32_t shard_of_whole(uint32_t shards, uint32_t no) {
  return (no - 1) % shards + 1;
}

typedef struct {
  uint32_t no;
  uint64_t bytes;
} Load;

static int compare_loads(gconstpointer a, gconstpointer b) {
  const Load *x = a, *y = b;
  if (x->bytes != y->bytes)
    return x->bytes > y->bytes ? -1 : 1;
  return (x->no > y->no) - (x->no < y->no);
}

uint32_t shard_owner(const ScanOptions *options, const GPtrArray *probes, uint32_t no) {
  const uint32_t shards = options->shards;
  g_autoptr(GArray) loads = g_array_new(FALSE, FALSE, sizeof(Load));
  uint64_t total = 0;
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = probes->pdata[i];
    /* Opening costs something too; a directory's bytes are not known yet. */
    Load load = {i + 1, MIN(probe->media_bytes, INT64_MAX / SHARDS_MAX) / 4096 + 256};
    total += load.bytes;
    g_array_append_val(loads, load);
  }
  g_array_sort(loads, compare_loads);
  g_autofree uint64_t *sums = g_new0(uint64_t, shards);
  for (guint i = 0; i < loads->len; i++) {
    const Load *load = &g_array_index(loads, Load, i);
    const Probe *probe = probes->pdata[load->no - 1];
    bool is_split = probe->error == NULL && (probes->len == 1 || load->bytes > total / shards);
    uint32_t least = 0;
    for (uint32_t k = 1; k < shards; k++)
      least = sums[k] < sums[least] ? k : least;
    if (load->no == no)
      return is_split ? 0 : least + 1;
    for (uint32_t k = 0; k < shards && is_split; k++)
      sums[k] += load->bytes / shards;
    sums[least] += is_split ? 0 : load->bytes;
  }
  return 1; /* not reached: every number is of a load */
}
