/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzy.c - see fuzzy.h. A rolling sum over seven bytes ends a piece wherever it is one less than a
 * multiple of the block; each piece gives a letter, six bits of its FNV hash. */
#include "base/fuzzy.h"
#include <string.h>

enum { BLOCK_MIN = 3, HASH_START = 0x28021967, HASH_PRIME = 0x01000193 };
static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

typedef struct {
  uint8_t window[FUZZY_WINDOW];
  uint32_t sum, weighted, shifted, at;
} Rolling;

static uint32_t roll(Rolling *rolling, uint8_t byte) {
  uint8_t *oldest = &rolling->window[rolling->at];
  rolling->weighted += FUZZY_WINDOW * (uint32_t)byte - rolling->sum;
  rolling->sum += (uint32_t)byte - *oldest;
  rolling->shifted = rolling->shifted << 5 ^ byte;
  *oldest = byte;
  rolling->at = (rolling->at + 1) % FUZZY_WINDOW;
  return rolling->sum + rolling->weighted + rolling->shifted;
}

/* The letters of one part: the last stands for all that no room is left for. */
typedef struct {
  char *letters;
  gsize n, max;
  uint32_t hash;
  char overflow; /* what the last place holds so far */
} Part;

static void part_add(Part *part, bool ends) {
  if (!ends)
    return;
  char letter = LETTERS[part->hash & 63];
  if (part->n + 1 < part->max) {
    part->letters[part->n++] = letter;
    part->hash = HASH_START;
  } else {
    part->overflow = letter;
  }
}

static void part_end(Part *part, uint32_t rolled) {
  if (rolled != 0)
    part->letters[part->n++] = LETTERS[part->hash & 63];
  else if (part->overflow != '\0')
    part->letters[part->n++] = part->overflow;
  part->letters[part->n] = '\0';
}

/* Both parts at one size of block; how many pieces the first has. */
static gsize digest_at(const uint8_t *bytes, gsize n, uint32_t block, char *first, char *second) {
  Rolling rolling = {.at = 0};
  Part parts[2] = {{first, 0, FUZZY_PART, HASH_START, '\0'},
                   {second, 0, FUZZY_PART / 2, HASH_START, '\0'}};
  uint32_t rolled = 0;
  for (gsize i = 0; i < n; i++) {
    parts[0].hash = (parts[0].hash * HASH_PRIME) ^ bytes[i];
    parts[1].hash = (parts[1].hash * HASH_PRIME) ^ bytes[i];
    rolled = roll(&rolling, bytes[i]);
    bool ends = rolled % block == block - 1;
    part_add(&parts[0], ends);
    part_add(&parts[1], ends && rolled % (2 * block) == 2 * block - 1);
  }
  gsize pieces = parts[0].n;
  part_end(&parts[0], rolled);
  part_end(&parts[1], rolled);
  return pieces;
}

void fuzzy_digest(const uint8_t *bytes, gsize n, char out[FUZZY_TEXT]) {
  char first[FUZZY_PART + 1], second[FUZZY_PART + 1];
  uint32_t block = BLOCK_MIN;
  while ((uint64_t)block * FUZZY_PART < n && block < UINT32_C(1) << 30)
    block *= 2;
  while (digest_at(bytes, n, block, first, second) < FUZZY_PART / 2 && block > BLOCK_MIN)
    block /= 2;
  g_snprintf(out, FUZZY_TEXT, "%u:%s:%s", block, first, second);
}

static bool take_part(const char *text, gsize length, Fuzzy *out, gsize which) {
  out->n[which] = 0;
  for (gsize i = 0; i < length; i++) {
    if (strchr(LETTERS, text[i]) == NULL)
      return false;
    bool is_run =
        i >= 3 && text[i] == text[i - 1] && text[i] == text[i - 2] && text[i] == text[i - 3];
    if (!is_run)
      out->part[which][out->n[which]++] = text[i];
  }
  return true;
}

bool fuzzy_parse(const char *text, Fuzzy *out) {
  memset(out, 0, sizeof *out);
  gsize digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 10 || text[digits] != ':')
    return false;
  uint64_t block = g_ascii_strtoull(text, NULL, 10);
  const char *first = text + digits + 1, *colon = strchr(first, ':');
  gsize second = colon != NULL ? strlen(colon + 1) : 0;
  if (colon == NULL || block < BLOCK_MIN || block > UINT32_C(1) << 31 ||
      (gsize)(colon - first) > FUZZY_PART || second > FUZZY_PART)
    return false;
  out->block = (uint32_t)block;
  return take_part(first, (gsize)(colon - first), out, 0) && take_part(colon + 1, second, out, 1);
}

typedef struct {
  const char *letters;
  guint n;
} Letters;

/* Where each letter stands in a part: a bit for each place. */
typedef struct {
  uint64_t of[128];
} Places;
G_STATIC_ASSERT(FUZZY_PART <= 64);

static void places_find(const Letters *letters, Places *out) {
  memset(out, 0, sizeof *out);
  for (guint i = 0; i < letters->n; i++)
    out->of[letters->letters[i] & 127] |= UINT64_C(1) << i;
}

/* Without seven letters in a row that both have, likeness is chance. A bit of runs[k] says that the
 * k + 1 letters up to that place are those up to the place in b. */
static bool has_common_run(const Places *a, const Letters *b) {
  uint64_t runs[FUZZY_WINDOW] = {0};
  for (guint j = 0; j < b->n; j++) {
    uint64_t met = a->of[b->letters[j] & 127];
    for (guint k = FUZZY_WINDOW - 1; k > 0; k--)
      runs[k] = runs[k - 1] << 1 & met;
    runs[0] = met;
    if (runs[FUZZY_WINDOW - 1] != 0)
      return true;
  }
  return false;
}

/* Letters to take out and put in to make one of the other: all but the longest common subsequence,
 * which is found for all places of a at once (Hyyro 2004). */
static guint edit_distance(const Places *a, guint n, const Letters *b) {
  uint64_t rest = UINT64_MAX, all = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
  for (guint j = 0; j < b->n; j++) {
    uint64_t met = rest & a->of[b->letters[j] & 127];
    rest = (rest + met) | (rest - met);
  }
  return n + b->n - 2 * (guint)__builtin_popcountll(~rest & all);
}

static guint score(const Letters *a, const Letters *b, uint64_t block) {
  Places places;
  places_find(a, &places);
  if (a->n + b->n == 0 || !has_common_run(&places, b))
    return 0;
  guint points = edit_distance(&places, a->n, b) * FUZZY_PART / (a->n + b->n);
  points = 100 - 100 * points / FUZZY_PART;
  /* Of a short text few letters agree by chance: it is not to score like a long one. */
  if (block >= (uint64_t)(99 + FUZZY_WINDOW) / FUZZY_WINDOW * BLOCK_MIN)
    return points;
  return MIN(points, (guint)(block / BLOCK_MIN) * MIN(a->n, b->n));
}

static bool is_same_part(const Fuzzy *a, const Fuzzy *b, gsize which) {
  return a->n[which] == b->n[which] && memcmp(a->part[which], b->part[which], a->n[which]) == 0;
}

guint fuzzy_compare(const Fuzzy *a, const Fuzzy *b) {
  if (b->block < a->block) {
    const Fuzzy *other = a;
    a = b;
    b = other;
  }
  Letters of_a[2] = {{a->part[0], a->n[0]}, {a->part[1], a->n[1]}};
  Letters of_b[2] = {{b->part[0], b->n[0]}, {b->part[1], b->n[1]}};
  if (a->block == b->block) {
    if (is_same_part(a, b, 0) && is_same_part(a, b, 1))
      return 100;
    guint first = score(&of_a[0], &of_b[0], a->block);
    guint second = score(&of_a[1], &of_b[1], 2 * (uint64_t)a->block);
    return MAX(first, second);
  }
  return (uint64_t)a->block * 2 == b->block ? score(&of_a[1], &of_b[0], b->block) : 0;
}
