/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_smell.c - which views a window of bytes may give, told in one pass over it: 64 bytes at a
 * time are sorted into kinds, and only at a byte that an encoding is told by is anything asked. */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_triples.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum { WIDE_LEAST_BYTES = 16 };

typedef struct {
  const uint8_t *data, *end;
  const Content *content; /* of which data is a part, at byte from; NULL: not known */
  uint64_t from;
  unsigned open, found;     /* kinds still looked for, and met */
  const uint8_t *shift_end; /* what UTF-7 passes over ends here */
  unsigned n_slashes, n_percents;
  uint64_t n_letters;      /* in a row, right before the bytes at hand */
  const uint8_t *list_end; /* no list of numbers reaches before it */
} Pass;

static bool is_open(const Pass *pass, Smell kind) {
  return (pass->open & SMELL_BIT(kind)) != 0;
}

static void meet(Pass *pass, Smell kind) {
  pass->found |= pass->open & SMELL_BIT(kind);
  pass->open &= ~SMELL_BIT(kind);
}

/* ---- wide text: zeros beside ASCII, in words of eight bytes ---- */

static void look_at_zeros(Pass *pass, uint64_t zeros, uint64_t high) {
  if (is_open(pass, SMELL_UTF16) && bits_wide_words(zeros, high) != 0)
    meet(pass, SMELL_UTF16);
  if (is_open(pass, SMELL_UTF32) && bits_wider_words(zeros, high) != 0)
    meet(pass, SMELL_UTF32);
}

/* ---- base64: runs of its letters ---- */

static void meet_run(Pass *pass, const uint8_t *start) {
  meet(pass, SMELL_BASE64);
  if (is_open(pass, SMELL_COMMAND) && base64_is_command(pass->data, (uint64_t)(start - pass->data)))
    meet(pass, SMELL_COMMAND);
}

/* Of n letters from start on, where it is known what stands behind them: most are no line. */
static void look_at_line(Pass *pass, const uint8_t *start, uint64_t n, bool is_whole) {
  if (is_whole && (n >= BASE64_LEAST || n % 4 != 0 ||
                   (start[n] != '\r' && start[n] != '\n' && start[n] != '\\')))
    return;
  if (base64_is_lines(pass->data, (uint64_t)(start - pass->data),
                      (uint64_t)(pass->end - pass->data)))
    meet(pass, SMELL_LINES);
}

static void look_at_lines(Pass *pass, const uint8_t *p, uint64_t letters, uint64_t n_first) {
  uint64_t n = pass->n_letters;
  if (n > 0 && n < BASE64_LINE_LEAST && n + n_first >= BASE64_LINE_LEAST)
    look_at_line(pass, p - n, n + n_first, n_first < BITS_BYTES && p + n_first < pass->end);
  uint64_t starts = bits_line_runs(letters) & ~(letters << 1 | (n > 0));
  for (; starts != 0; starts &= starts - 1) {
    unsigned at = (unsigned)__builtin_ctzll(starts);
    uint64_t behind = ~letters >> at << at;
    uint64_t stop = behind == 0 ? BITS_BYTES : (uint64_t)__builtin_ctzll(behind);
    look_at_line(pass, p + at, stop - at, stop < BITS_BYTES && p + stop < pass->end);
  }
}

static void look_at_letters(Pass *pass, const uint8_t *p, uint64_t letters) {
  uint64_t n = pass->n_letters, others = ~letters;
  uint64_t n_first = others == 0 ? BITS_BYTES : (uint64_t)__builtin_ctzll(others);
  if (n > 0 && n < BASE64_LEAST && n + n_first >= BASE64_LEAST)
    meet_run(pass, p - n);
  uint64_t starts = bits_long_runs(letters) & ~(letters << 1 | (n > 0));
  for (; starts != 0; starts &= starts - 1)
    meet_run(pass, p + __builtin_ctzll(starts));
  if (is_open(pass, SMELL_LINES))
    look_at_lines(pass, p, letters, n_first);
  pass->n_letters = others == 0 ? n + BITS_BYTES : (uint64_t)__builtin_clzll(others);
}

/* The same, first telling words: of sixteen letters in a row most blocks have none. */
static inline void look_at_words(Pass *pass, const uint8_t *p, uint64_t letters) {
  if (bits_line_runs(letters) != 0 ||
      pass->n_letters + (uint64_t)__builtin_ctzll(~letters) >= BASE64_LINE_LEAST)
    look_at_letters(pass, p, letters);
  else
    pass->n_letters = (uint64_t)__builtin_clzll(~letters);
}

/* ---- all that a single byte announces ---- */

static void look_at_plus(Pass *pass, const uint8_t *p) {
  size_t scanned;
  if (!is_open(pass, SMELL_UTF7) || p < pass->shift_end)
    return;
  if (utf7_at(pass->data, pass->end, p, &scanned))
    meet(pass, SMELL_UTF7);
  pass->shift_end = p + scanned;
}

static void look_at_escape(Pass *pass, const uint8_t *p, unsigned *n) {
  if (!is_open(pass, SMELL_ESCAPES))
    return;
  *n += escape_at(pass->data, pass->end, p);
  if (*n >= ESCAPES_WANTED)
    meet(pass, SMELL_ESCAPES);
}

static void look_at_comma(Pass *pass, const uint8_t *p) {
  if (!is_open(pass, SMELL_CODES) || p <= pass->list_end || !g_ascii_isdigit(p[-1]))
    return;
  if (codes_at(pass->list_end, pass->end, p, &pass->list_end))
    meet(pass, SMELL_CODES);
}

static void look_at_joint(Pass *pass, const uint8_t *p) {
  if (is_open(pass, SMELL_FOLDED) && fold_at(pass->data, pass->end, p))
    meet(pass, SMELL_FOLDED);
}

static void look_at_mark(Pass *pass, const uint8_t *p) {
  switch (*p) {
  case '+':
    look_at_plus(pass, p);
    look_at_joint(pass, p);
    break;
  case '&':
    if (is_open(pass, SMELL_ENTITIES) && entity_at(pass->data, pass->end, p))
      meet(pass, SMELL_ENTITIES);
    look_at_joint(pass, p);
    break;
  case '\\':
    look_at_escape(pass, p, &pass->n_slashes);
    break;
  case '%':
    look_at_escape(pass, p, &pass->n_percents);
    break;
  case '~':
    if (is_open(pass, SMELL_VBE) && vbe_at(pass->data, pass->end, p))
      meet(pass, SMELL_VBE);
    break;
  case '^':
  case '`':
    if (is_open(pass, SMELL_SHELL) && shell_at(pass->data, pass->end, p))
      meet(pass, SMELL_SHELL);
    break;
  case ',':
    look_at_comma(pass, p);
    break;
  case '"':
  case '\'':
  case '(':
  case '[':
    look_at_joint(pass, p);
    break;
  default:
    break;
  }
}

static const unsigned WIDE_KINDS = SMELL_BIT(SMELL_UTF16) | SMELL_BIT(SMELL_UTF32),
                      LETTER_KINDS = SMELL_BIT(SMELL_BASE64) | SMELL_BIT(SMELL_COMMAND) |
                                     SMELL_BIT(SMELL_LINES),
                      MARK_KINDS = ~(SMELL_BIT(SMELL_LINES) | SMELL_BIT(SMELL_UTF16) |
                                     SMELL_BIT(SMELL_UTF32) | SMELL_BIT(SMELL_BASE64) |
                                     SMELL_BIT(SMELL_COMMAND));

static void look_at_block(Pass *pass, const uint8_t *p, const ByteKinds *kinds) {
  if (kinds->zeros != 0 && (pass->open & WIDE_KINDS) != 0)
    look_at_zeros(pass, kinds->zeros, kinds->high);
  if ((pass->open & LETTER_KINDS) != 0)
    look_at_letters(pass, p, kinds->letters);
  if ((pass->open & MARK_KINDS) != 0)
    for (uint64_t marks = kinds->marks; marks != 0; marks &= marks - 1)
      look_at_mark(pass, p + __builtin_ctzll(marks));
}

/* The last bytes, fewer than a block; words that are not whole count as others. */
static void look_at_rest(Pass *pass, const uint8_t *p) {
  uint8_t bytes[BITS_BYTES] = {0};
  size_t n = (size_t)(pass->end - p);
  memcpy(bytes, p, n);
  ByteKinds kinds = bits_kinds(bytes);
  uint64_t words = (UINT64_C(1) << (n & ~(size_t)7)) - 1;
  kinds.zeros &= words;
  kinds.high |= ~words;
  look_at_block(pass, p, &kinds);
}

/* From 64 zeros at p on to what else comes, past what a hole holds; whole blocks. */
static const uint8_t *pass_hole(const Pass *pass, const uint8_t *p) {
  uint64_t at = pass->from + (uint64_t)(p - pass->data), hole, end;
  if (pass->content == NULL || !content_next_hole(pass->content, at, &hole, &end) || hole != at)
    return p;
  uint64_t n = MIN(end - at, (uint64_t)(pass->end - p)) / BITS_BYTES;
  return n > 0 ? p + (n - 1) * BITS_BYTES : p;
}

static unsigned finish(Pass *pass, const uint8_t *p) {
  const uint8_t *data = pass->data;
  for (; pass->open != 0 && pass->end - p >= BITS_BYTES; p += BITS_BYTES) {
    const ByteKinds kinds = bits_kinds(p);
    if (kinds.zeros == UINT64_MAX)
      p = pass_hole(pass, p);
    look_at_block(pass, p, &kinds);
  }
  if (pass->open != 0 && p < pass->end)
    look_at_rest(pass, p);
  /* A short text may have its only word off the grid, or in a mark's company. */
  if (pass->end - data >= WIDE_LEAST_BYTES &&
      ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 0xFE && data[1] == 0xFF)))
    meet(pass, SMELL_UTF16);
  return pass->found;
}

#ifdef TRIPLES_TARGET
static unsigned open_columns(const Pass *pass) {
  return (is_open(pass, SMELL_UTF7) ? TRIPLES_OF_UTF7 : 0u) |
         (is_open(pass, SMELL_ESCAPES) ? TRIPLES_OF_ESCAPES : 0u) |
         (is_open(pass, SMELL_ENTITIES) ? TRIPLES_OF_ENTITIES : 0u) |
         (is_open(pass, SMELL_FOLDED) ? TRIPLES_OF_FOLDED : 0u) |
         (is_open(pass, SMELL_CODES) ? TRIPLES_OF_CODES : 0u) |
         (is_open(pass, SMELL_SHELL) ? TRIPLES_OF_SHELL : 0u) |
         (is_open(pass, SMELL_VBE) ? TRIPLES_OF_VBE : 0u);
}

/* A triple begins with its mark, but a function's is the parenthesis at its end, and a number's and
 * a word's the one behind it. */
static void look_at_triples(Pass *pass, const uint8_t *p, uint64_t triples) {
  for (; triples != 0; triples &= triples - 1) {
    const uint8_t *at = p + __builtin_ctzll(triples);
    look_at_mark(pass, g_ascii_isdigit(at[0]) ? at + 1 : at);
    if (at[1] == '^' || at[1] == '`')
      look_at_mark(pass, at + 1);
    if (at[2] == '(')
      look_at_mark(pass, at + 2);
  }
}

/* Passes over all blocks but the last. Returns where it came to. One function for each kind of
 * registers, as what works on them is built into it. */
#define LOOK_AT_BLOCKS(NAME, TARGET, KINDS)                                                        \
  TARGET static const uint8_t *NAME(Pass *pass) {                                                  \
    const uint8_t *p = pass->data;                                                                 \
    unsigned open = pass->open, columns = open_columns(pass);                                      \
    for (; open != 0 && pass->end - p >= BITS_BYTES + TRIPLE_AHEAD; p += BITS_BYTES) {             \
      const ByteKinds kinds = KINDS(p, columns);                                                   \
      if (kinds.zeros == UINT64_MAX)                                                               \
        p = pass_hole(pass, p);                                                                    \
      look_at_kinds(pass, p, &kinds);                                                              \
      if (pass->open == open)                                                                      \
        continue;                                                                                  \
      open = pass->open;                                                                           \
      columns = open_columns(pass);                                                                \
    }                                                                                              \
    return p;                                                                                      \
  }

static inline void look_at_kinds(Pass *pass, const uint8_t *p, const ByteKinds *kinds) {
  if (kinds->zeros != 0 && (pass->open & WIDE_KINDS) != 0)
    look_at_zeros(pass, kinds->zeros, kinds->high);
  if ((pass->open & LETTER_KINDS) != 0)
    look_at_words(pass, p, kinds->letters);
  if (kinds->marks != 0)
    look_at_triples(pass, p, kinds->marks);
}

LOOK_AT_BLOCKS(look_at_blocks, TRIPLES_TARGET, triples_kinds)
LOOK_AT_BLOCKS(look_at_blocks_wide, TRIPLES_WIDE_TARGET, triples_wide_kinds)

static unsigned smell(Pass *pass, unsigned most) {
  const uint8_t *p = pass->data;
  if (most >= 64 && triples_can_wide())
    p = look_at_blocks_wide(pass);
  else if (most >= 32 && triples_can())
    p = look_at_blocks(pass);
  return finish(pass, p);
}
#else
static unsigned smell(Pass *pass, unsigned most) {
  (void)most;
  return finish(pass, pass->data);
}
#endif

static Pass pass_over(const uint8_t *data, uint64_t size, unsigned wanted) {
  return (Pass){
      .data = data, .end = data + size, .open = wanted, .shift_end = data, .list_end = data};
}

unsigned views_smell_by(unsigned most, const uint8_t *data, uint64_t size, unsigned wanted) {
  Pass pass = pass_over(data, size, wanted);
  return smell(&pass, most);
}

unsigned views_smell(const uint8_t *data, uint64_t size, unsigned wanted) {
  return views_smell_by(UINT_MAX, data, size, wanted);
}

unsigned views_smell_of(const Content *content, uint64_t from, uint64_t size, unsigned wanted) {
  Pass pass = pass_over(content_data(content) + from, size, wanted);
  pass.content = content;
  pass.from = from;
  return smell(&pass, UINT_MAX);
}
