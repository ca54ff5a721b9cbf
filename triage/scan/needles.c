/* SPDX-License-Identifier: Apache-2.0 */
/* needles.c - what must be there where a string matches. */
#include "scan/needles.h"
#include <string.h>

enum {
  NEEDLE_MAX_BYTES = 48, /* a longer text is searched for by its beginning */
  NEEDLES_MAX = 1024,    /* of one string; one with more may as well match anywhere */
};

static void add_needle(StringNeedles *string, const uint8_t *bytes, uint32_t n, bool is_caseless) {
  for (guint i = 0; i < string->list->len; i++) {
    const Needle *other = &g_array_index(string->list, Needle, i);
    if (other->n == n && other->is_caseless == is_caseless && memcmp(other->bytes, bytes, n) == 0)
      return;
  }
  Needle needle = {g_memdup2(bytes, n), n, is_caseless};
  g_array_append_val(string->list, needle);
}

static void clear_needles(StringNeedles *string) {
  for (guint i = 0; i < string->list->len; i++)
    g_free(g_array_index(string->list, Needle, i).bytes);
  g_array_set_size(string->list, 0);
}

/* ---- texts ---- */

/* Verified byte by byte wherever it matches. */
static bool is_text(const YR_STRING *string) {
  const uint32_t other = STRING_FLAGS_XOR | STRING_FLAGS_BASE64 | STRING_FLAGS_BASE64_WIDE |
                         STRING_FLAGS_CHAIN_PART | STRING_FLAGS_CHAIN_TAIL;
  return STRING_IS_LITERAL(string) && (string->flags & other) == 0 && string->length > 0 &&
         string->string != NULL && (STRING_IS_ASCII(string) || STRING_IS_WIDE(string));
}

/* The least distance of two places where the text can stand. */
static uint64_t spacing_of(const uint8_t *text, uint32_t n, bool is_caseless) {
  for (uint32_t shift = 1; shift < n; shift++) {
    uint32_t i = 0;
    while (i + shift < n &&
           (is_caseless ? g_ascii_tolower((char)text[i]) == g_ascii_tolower((char)text[i + shift])
                        : text[i] == text[i + shift]))
      i++;
    if (i + shift == n)
      return shift;
  }
  return n;
}

static void take_text(StringNeedles *out, const YR_STRING *string) {
  uint32_t n = (uint32_t)string->length;
  bool is_caseless = STRING_IS_NO_CASE(string);
  out->is_text = true;
  out->spacing = spacing_of(string->string, n, is_caseless);
  if (STRING_IS_ASCII(string))
    add_needle(out, string->string, MIN(n, NEEDLE_MAX_BYTES), is_caseless);
  if (!STRING_IS_WIDE(string))
    return;
  uint8_t wide[NEEDLE_MAX_BYTES] = {0};
  n = MIN(n, NEEDLE_MAX_BYTES / 2);
  for (uint32_t i = 0; i < n; i++)
    wide[(size_t)2 * i] = string->string[i];
  add_needle(out, wide, 2 * n, is_caseless);
  /* Both forms together may stand closer than either of them. */
  if (STRING_IS_ASCII(string))
    out->spacing = MAX(out->spacing / 2, 1);
}

/* ---- the automaton ---- */

typedef struct {
  const YR_RULES *rules;
  Needles *needles;
  uint32_t n_slots, n_matches;
  bool *is_anywhere; /* by string: found without a byte */
  bool is_wrong;
} Walk;

/* What libyara looks for in order to find a string ends at this state: path tells how it got there.
 */
static void take_matches(Walk *walk, uint32_t state, const uint8_t *path, uint32_t depth) {
  uint32_t first = walk->rules->ac_match_table[state], n = 0;
  if (first == 0 || first > walk->n_matches) {
    walk->is_wrong = walk->is_wrong || first != 0;
    return;
  }
  for (const YR_AC_MATCH *match = &walk->rules->ac_match_pool[first - 1]; match != NULL;
       match = match->next) {
    uintptr_t offset = (uintptr_t)match->string - (uintptr_t)walk->rules->strings_table;
    if (offset / sizeof(YR_STRING) >= walk->needles->n || n++ > walk->n_matches) {
      walk->is_wrong = true;
      return;
    }
    uint32_t i = (uint32_t)(offset / sizeof(YR_STRING));
    StringNeedles *string = &walk->needles->strings[i];
    if (depth == 0 || string->list->len >= NEEDLES_MAX)
      walk->is_anywhere[i] = true;
    else if (!string->is_text && !walk->is_anywhere[i])
      add_needle(string, path, depth, STRING_IS_NO_CASE(match->string));
  }
}

static void walk_state(Walk *walk, uint32_t state, uint8_t *path, uint32_t depth) {
  if (depth > YR_MAX_ATOM_LENGTH || state + 257 > walk->n_slots) {
    walk->is_wrong = true;
    return;
  }
  take_matches(walk, state, path, depth);
  for (uint32_t c = 0; c < 256 && !walk->is_wrong; c++) {
    YR_AC_TRANSITION transition = walk->rules->ac_transition_table[state + c + 1];
    if (YR_AC_INVALID_TRANSITION(transition, c + 1))
      continue;
    if (depth == YR_MAX_ATOM_LENGTH) {
      walk->is_wrong = true;
      return;
    }
    path[depth] = (uint8_t)c;
    walk_state(walk, YR_AC_NEXT_STATE(transition), path, depth + 1);
  }
}

static void fold_case(StringNeedles *string) {
  g_autoptr(GArray) old = string->list;
  string->list = g_array_new(FALSE, FALSE, sizeof(Needle));
  for (guint i = 0; i < old->len; i++) {
    Needle *needle = &g_array_index(old, Needle, i);
    for (uint32_t k = 0; k < needle->n && needle->is_caseless; k++)
      needle->bytes[k] = (uint8_t)g_ascii_tolower((char)needle->bytes[k]);
    add_needle(string, needle->bytes, needle->n, needle->is_caseless);
    g_free(needle->bytes);
  }
}

/* False where one needle is inside of the other. */
static bool is_needed(const StringNeedles *string, guint i) {
  const Needle *needle = &g_array_index(string->list, Needle, i);
  for (guint k = 0; k < string->list->len; k++) {
    const Needle *other = &g_array_index(string->list, Needle, k);
    if (other->n < needle->n && memmem(needle->bytes, needle->n, other->bytes, other->n) != NULL)
      return false;
  }
  return true;
}

/* Each state lists the matches of its own ending too: "xabc" where "abc" does. */
static void drop_longer(StringNeedles *string) {
  for (guint i = 0; i < string->list->len;) {
    if (is_needed(string, i)) {
      i++;
      continue;
    }
    g_free(g_array_index(string->list, Needle, i).bytes);
    g_array_remove_index(string->list, i);
  }
}

static bool walk_automaton(const YR_RULES *rules, Needles *needles) {
  const YR_ARENA_BUFFER *buffers = rules->arena->buffers;
  g_autofree bool *is_anywhere = g_new0(bool, needles->n + 1);
  Walk walk = {
      .rules = rules,
      .needles = needles,
      .n_slots = (uint32_t)(MIN(buffers[YR_AC_TRANSITION_TABLE].used / sizeof(YR_AC_TRANSITION),
                                buffers[YR_AC_STATE_MATCHES_TABLE].used / sizeof(uint32_t))),
      .n_matches = (uint32_t)(buffers[YR_AC_STATE_MATCHES_POOL].used / sizeof(YR_AC_MATCH)),
      .is_anywhere = is_anywhere};
  uint8_t path[YR_MAX_ATOM_LENGTH];
  walk_state(&walk, YR_AC_ROOT_STATE, path, 0);
  for (uint32_t i = 0; i < needles->n; i++) {
    if (is_anywhere[i])
      clear_needles(&needles->strings[i]);
    fold_case(&needles->strings[i]);
    drop_longer(&needles->strings[i]);
  }
  return !walk.is_wrong;
}

Needles *needles_new(const YR_RULES *rules) {
  const YR_ARENA *arena = rules->arena;
  if (arena == NULL || arena->num_buffers != YR_NUM_SECTIONS ||
      (const void *)arena->buffers[YR_AC_TRANSITION_TABLE].data != rules->ac_transition_table ||
      (const void *)arena->buffers[YR_AC_STATE_MATCHES_TABLE].data != rules->ac_match_table)
    return NULL;
  Needles *needles = g_new0(Needles, 1);
  needles->n = rules->num_strings;
  needles->strings = g_new0(StringNeedles, needles->n + 1);
  for (uint32_t i = 0; i < needles->n; i++) {
    StringNeedles *string = &needles->strings[i];
    string->list = g_array_new(FALSE, FALSE, sizeof(Needle));
    string->spacing = 1;
    if (is_text(&rules->strings_table[i]))
      take_text(string, &rules->strings_table[i]);
  }
  if (!walk_automaton(rules, needles))
    g_clear_pointer(&needles, needles_free);
  return needles;
}

void needles_free(Needles *needles) {
  if (needles == NULL)
    return;
  for (uint32_t i = 0; i < needles->n; i++) {
    clear_needles(&needles->strings[i]);
    g_array_unref(needles->strings[i].list);
  }
  g_free(needles->strings);
  g_free(needles);
}
