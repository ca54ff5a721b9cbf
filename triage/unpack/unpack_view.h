/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_view.h - views: what a member's bytes say once an encoding is undone. One row and one file
 * for each; they look at content alone, anywhere in it, and chain. */
#pragma once
#include "unpack/unpack_private.h"

/* Of the base64 alphabet: 0 to 63, -1 where not of it. */
static inline int base64_value(uint8_t c) {
  static const uint8_t PLACES[256] = {
      ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
      ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
      ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
      ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
      ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
      ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
      ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
      ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
      ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
      ['/'] = 64};
  return PLACES[c] - 1;
}

/* True where data[from, end) stands in text: most of the bytes around it are ASCII and none is a
 * control character. What a few letters say means something there alone: in programs and pictures,
 * any three bytes turn up by chance. */
bool view_is_in_text(const uint8_t *data, uint64_t size, uint64_t from, uint64_t end);

/* Bytes of a view and where they came from. */
typedef struct {
  uint64_t at, length;
  uint64_t from, from_length;
  bool is_whole; /* no byte of it has a place of its own: all come from all */
} ViewSegment;

struct _ViewMap {
  const ViewMap *parent; /* of the view that this one was made from; NULL: the member's bytes */
  GArray *segments;      /* ViewSegment, by at */
  bool is_coarse;        /* too many to keep: places are not known */
};

/* A container found inside a view's text: examined as a member, once the views are done. */
typedef struct {
  char *name;
  Content *content;
} Carried;

typedef struct {
  Unpack *unpack;
  const Content *content;
  const uint8_t *data; /* of content */
  uint64_t size;
  uint64_t context;    /* bytes of unchanged text kept around what was converted */
  ContentBuilder *out; /* NULL until something was converted */
  uint64_t done;       /* of data: what lies before is converted, copied or left out */
  GArray *segments;
  bool is_coarse;
  GPtrArray *carried; /* Carried* */
  GError *error;      /* a limit was met; what fitted is kept */
} ViewBuilder;

/* Says that data[from, end) reads as these bytes; calls come in ascending order, and neighbours
 * join without a break. False where a limit was met: the view ends there. */
bool view_put(ViewBuilder *builder, uint64_t from, uint64_t end, const void *bytes, size_t n,
              bool is_whole);
/* True where data, or its first few hundred bytes, begins like a container. */
bool view_begins_container(const uint8_t *data, uint64_t size);
/* Says that a container came out at byte at. (transfer full) */
void view_carry(ViewBuilder *builder, const char *kind, uint64_t at, Content *content);

/* What data may hold that a view converts; a false alarm costs one call of make. */
typedef enum {
  SMELL_UTF16,
  SMELL_UTF32,
  SMELL_VBE,
  SMELL_COMMAND, /* a base64 block that is PowerShell's */
  SMELL_BASE64,
  SMELL_LINES, /* base64 in lines shorter than a block may be */
  SMELL_CODES,
  SMELL_UTF7,
  SMELL_ENTITIES,
  SMELL_ESCAPES,
  SMELL_FOLDED,
  SMELL_SHELL,
  SMELLS
} Smell;
#define SMELL_BIT(KIND) (1u << (KIND))

/* unpack_smell.c: of the wanted kinds (bits) those that data smells of. Runs over every byte of the
 * evidence, window by window. */
unsigned views_smell(const uint8_t *data, uint64_t size, unsigned wanted);
/* The same of bytes [from, from + size) of content, whose holes are passed over unread. */
unsigned views_smell_of(const Content *content, uint64_t from, uint64_t size, unsigned wanted);
/* The same on a processor that has registers of at most so many bytes (16, 32 with AVX2, 64 with
 * AVX-512). */
unsigned views_smell_by(unsigned most, const uint8_t *data, uint64_t size, unsigned wanted);

typedef struct {
  Row row;
  Smell smell;
  /* Converts what it finds from byte from on; nothing before it smells. Linear in the size. */
  void (*make)(ViewBuilder *builder, uint64_t from);
  uint64_t context;
} View;

const View *const *view_table(size_t *n);

/* unpack_utf.c */
void utf16le_make(ViewBuilder *builder, uint64_t from);
void utf16be_make(ViewBuilder *builder, uint64_t from);
void utf32_make(ViewBuilder *builder, uint64_t from);
/* Appends little-endian UTF-16 as UTF-8; false where less than nine tenths of it are text. */
bool utf16le_text(const uint8_t *data, size_t n, GString *out);
size_t utf8_put(uint8_t *out, uint32_t c);

/* unpack_vbe.c */
/* True where a script's mark lies around the '~' at p. */
bool vbe_at(const uint8_t *data, const uint8_t *end, const uint8_t *p);
void vbe_make(ViewBuilder *builder, uint64_t from);

/* unpack_base64.c */
/* True where the block at start is the value of -EncodedCommand, or of what PowerShell takes for
 * it. */
bool base64_is_command(const uint8_t *data, uint64_t start);
/* True where the run of letters at start is the first line of a block in short lines. */
bool base64_is_lines(const uint8_t *data, uint64_t start, uint64_t size);
void base64_lines_make(ViewBuilder *builder, uint64_t from);
void base64_make(ViewBuilder *builder, uint64_t from);
void powershell_make(ViewBuilder *builder, uint64_t from);

/* unpack_codes.c */
/* True where the comma at p, with a digit before it, stands in a list of numbers that a view makes
 * bytes of. No list reaches before floor; *stop is where to look on, and the next one's floor. */
bool codes_at(const uint8_t *floor, const uint8_t *end, const uint8_t *p, const uint8_t **stop);
void codes_make(ViewBuilder *builder, uint64_t from);

/* unpack_base64_deflate.c: what PowerShell's DeflateStream reads, which has no mark. */
typedef enum { PACKED_NOT, PACKED_ZLIB, PACKED_RAW } Packed;
/* What the first n bytes of a block, all of it or 512, begin like. */
Packed packed_kind(const uint8_t *head, size_t n);
/* What block inflates to; NULL where it does not, with builder->error where a limit was met. */
Content *packed_inflate(ViewBuilder *builder, Packed kind, Content *block);

/* unpack_escape.c */
/* True where something stands at p ('+', '&', a backslash or '%') that means more than itself. */
bool utf7_at(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t *scanned);
bool entity_at(const uint8_t *data, const uint8_t *end, const uint8_t *p);
/* What an escape at p counts towards ESCAPES_WANTED: one alone may be part of a path or a format.
 */
enum { ESCAPES_WANTED = 3 };
unsigned escape_at(const uint8_t *data, const uint8_t *end, const uint8_t *p);
void utf7_make(ViewBuilder *builder, uint64_t from);
void entities_make(ViewBuilder *builder, uint64_t from);
void escapes_make(ViewBuilder *builder, uint64_t from);

/* unpack_shell.c */
/* True where the caret or backtick at p is one that a shell does not read. */
bool shell_at(const uint8_t *data, const uint8_t *end, const uint8_t *p);
void shell_make(ViewBuilder *builder, uint64_t from);

/* unpack_fold.c */
/* True where the quote, bracket or operator at p stands in something that folds. */
bool fold_at(const uint8_t *data, const uint8_t *end, const uint8_t *p);
void fold_make(ViewBuilder *builder, uint64_t from);
