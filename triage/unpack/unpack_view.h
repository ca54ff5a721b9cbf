/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_view.h - views: what a member's bytes say once an encoding is undone. One row and one file
 * for each; they look at content alone, anywhere in it, and chain. */
#pragma once
#include "unpack/unpack_private.h"

/* Of the base64 alphabet: 0 to 63, -1 where not of it. */
static inline int base64_value(uint8_t c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
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
  const uint8_t *data;
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
/* Says that a container came out at byte at. (transfer full) */
void view_carry(ViewBuilder *builder, const char *kind, uint64_t at, Content *content);

typedef struct {
  Row row;
  /* True where data may hold what the view converts. Runs over every byte of the evidence, window
   * by window, so it must be fast; a false alarm costs one call of make. */
  bool (*smells)(const uint8_t *data, uint64_t size);
  /* Converts what it finds from byte from on; nothing before it smells. Linear in the size. */
  void (*make)(ViewBuilder *builder, uint64_t from);
  uint64_t context;
} View;

const View *const *view_table(size_t *n);

/* unpack_utf.c */
bool utf16_smells(const uint8_t *data, uint64_t size);
bool utf32_smells(const uint8_t *data, uint64_t size);
void utf16le_make(ViewBuilder *builder, uint64_t from);
void utf16be_make(ViewBuilder *builder, uint64_t from);
void utf32_make(ViewBuilder *builder, uint64_t from);
/* Appends little-endian UTF-16 as UTF-8; false where less than nine tenths of it are text. */
bool utf16le_text(const uint8_t *data, size_t n, GString *out);
size_t utf8_put(uint8_t *out, uint32_t c);

/* unpack_vbe.c */
bool vbe_smells(const uint8_t *data, uint64_t size);
void vbe_make(ViewBuilder *builder, uint64_t from);

/* unpack_base64.c */
bool base64_smells(const uint8_t *data, uint64_t size);
void base64_make(ViewBuilder *builder, uint64_t from);
void powershell_make(ViewBuilder *builder, uint64_t from);

/* unpack_escape.c */
bool utf7_smells(const uint8_t *data, uint64_t size);
void utf7_make(ViewBuilder *builder, uint64_t from);
bool entities_smells(const uint8_t *data, uint64_t size);
void entities_make(ViewBuilder *builder, uint64_t from);
bool escapes_smells(const uint8_t *data, uint64_t size);
void escapes_make(ViewBuilder *builder, uint64_t from);

/* unpack_fold.c */
bool fold_smells(const uint8_t *data, uint64_t size);
void fold_make(ViewBuilder *builder, uint64_t from);
