/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_base64.c - base64 blocks anywhere: text becomes the view, containers become members, short
 * blocks that decode to neither (names, hashes) are left alone. PowerShell's -EncodedCommand, which
 * is UTF-16 in base64, is a view of its own. */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_triples.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum {
  HEAD_BYTES = 512,
  FIRST_BYTES = 18,
  INDENT_BYTES = 64,
  LONG_CHARACTERS = 1024, /* of a block that is scanned whatever it decodes to */
  COMMAND_BYTES = 4 * 1024 * 1024,
  OUT_BYTES = 3 * 1024,
  TELL_BYTES = 64 * 1024
};

static inline bool is_letter(uint8_t c) {
  static const bool LETTERS[256] = {
      ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['+'] = true, ['/'] = true};
  return LETTERS[c];
}

static uint64_t run_end(const uint8_t *data, uint64_t at, uint64_t size) {
  while (at < size && is_letter(data[at]))
    at++;
  return at;
}

/* Of whole 64 bytes from *at on: true where a run of enough letters begins, *at is its first byte.
 * Else *at is where fewer than 64 are left, or the beginning of a run that may go on there. */
static inline bool find_start(const uint8_t *data, uint64_t size, uint64_t *at,
                              uint64_t (*letters)(const uint8_t *p)) {
  while (size - *at >= BITS_BYTES) {
    uint64_t bits = letters(data + *at), runs = bits_long_runs(bits);
    if (runs != 0) {
      *at += (uint64_t)__builtin_ctzll(runs);
      return true;
    }
    /* What the 64 end in is looked at again, from its beginning. */
    *at += BITS_BYTES - (bits >> 63 != 0 ? (uint64_t)__builtin_clzll(~bits) : 0);
  }
  return false;
}

#ifdef TRIPLES_TARGET
TRIPLES_TARGET static bool find_start_fast(const uint8_t *data, uint64_t size, uint64_t *at) {
  return find_start(data, size, at, triples_letters64);
}

static bool find_long(const uint8_t *data, uint64_t size, uint64_t *at) {
  return triples_can() ? find_start_fast(data, size, at) : find_start(data, size, at, bits_letters);
}
#else
static bool find_long(const uint8_t *data, uint64_t size, uint64_t *at) {
  return find_start(data, size, at, bits_letters);
}
#endif

/* The next run of enough characters, beginning at or behind from. */
static bool find_run(const uint8_t *data, uint64_t size, uint64_t from, uint64_t *start,
                     uint64_t *end) {
  /* No letter stands before at, or it is from: a run that begins there begins there. */
  uint64_t at = from;
  if (find_long(data, size, &at)) {
    *start = at;
    *end = run_end(data, at + BASE64_LEAST, size);
    return true;
  }
  while (at < size) {
    uint64_t stop = run_end(data, at, size);
    if (stop - at >= BASE64_LEAST) {
      *start = at;
      *end = stop;
      return true;
    }
    at = stop + 1;
  }
  return false;
}

/* Where the next line begins behind the break at at, which may be written \r\n or \n in a string;
 * 0 where no break is. */
static uint64_t skip_break(const uint8_t *data, uint64_t at, uint64_t size) {
  if (size - at > 2 && data[at] == '\\' && data[at + 1] == 'r' && data[at + 2] == '\\')
    at += 2;
  if (size - at > 2 && data[at] == '\\' && data[at + 1] == 'n')
    return at + 2;
  if (at < size && data[at] == '\r')
    at++;
  if (at >= size || data[at] != '\n')
    return 0;
  at++;
  uint64_t limit = MIN(size, at + INDENT_BYTES);
  while (at < limit && (data[at] == ' ' || data[at] == '\t'))
    at++;
  return at;
}

static bool is_line_end(const uint8_t *data, uint64_t at, uint64_t size, bool is_written) {
  return at == size || data[at] == '\r' || data[at] == '\n' || data[at] == '=' ||
         (is_written && (data[at] == '\\' || data[at] == '"' || data[at] == '\''));
}

static uint64_t padding_end(const uint8_t *data, uint64_t at, uint64_t size) {
  if (at >= size || data[at] != '=')
    return at;
  return at + (size - at > 1 && data[at + 1] == '=' ? 2 : 1);
}

/* Where the block that begins with the run [start, end) ends: further lines that are base64 alone,
 * and the padding. What breaks are written behind is whole lines: else it is other text. */
static uint64_t block_end(const uint8_t *data, uint64_t start, uint64_t end, uint64_t size) {
  for (;;) {
    bool is_written = end < size && data[end] == '\\';
    uint64_t at = is_written && (end - start) % 4 != 0 ? 0 : skip_break(data, end, size);
    if (at == 0)
      return padding_end(data, end, size);
    uint64_t line = run_end(data, at, size);
    if (line == at || (line - at < BASE64_LEAST && !is_line_end(data, line, size, is_written)))
      return end;
    start = at;
    end = line;
  }
}

/* The same of a block in lines as long as the first, [start, end), but the last. */
static uint64_t lines_end(const uint8_t *data, uint64_t start, uint64_t end, uint64_t size) {
  uint64_t length = end - start, at;
  while ((at = skip_break(data, end, size)) != 0) {
    uint64_t line = run_end(data, at, MIN(size, at + length + 1)), n = line - at;
    if (n == 0 || n > length || !is_line_end(data, line, size, true))
      return end;
    end = line;
    if (n < length)
      break;
  }
  return padding_end(data, end, size);
}

bool base64_is_lines(const uint8_t *data, uint64_t start, uint64_t size) {
  uint64_t end = run_end(data, start, MIN(size, start + BASE64_LEAST)), n = end - start;
  uint64_t at =
      n >= BASE64_LINE_LEAST && n < BASE64_LEAST && n % 4 == 0 ? skip_break(data, end, size) : 0;
  if (at == 0)
    return false;
  uint64_t line = run_end(data, at, MIN(size, at + n + 1)), n_second = line - at;
  return n_second <= n && n + n_second >= BASE64_LEAST && is_line_end(data, line, size, true);
}

/* Whole groups of four letters, as many as stand there and fit. */
static size_t decode_groups(const uint8_t *data, uint64_t *at, uint64_t end, uint8_t *out,
                            size_t max) {
  size_t n = 0;
  uint64_t i = *at;
  for (; end - i >= 4 && max - n >= 3; i += 4) {
    int a = base64_value(data[i]), b = base64_value(data[i + 1]), c = base64_value(data[i + 2]),
        d = base64_value(data[i + 3]);
    if ((a | b | c | d) < 0)
      break;
    out[n++] = (uint8_t)(a << 2 | b >> 4);
    out[n++] = (uint8_t)(b << 4 | c >> 2);
    out[n++] = (uint8_t)(c << 6 | d);
  }
  *at = i;
  return n;
}

/* Decodes from *at on until max bytes are out; *at is then the first byte not used. */
static size_t decode(const uint8_t *data, uint64_t *at, uint64_t end, uint8_t *out, size_t max) {
  size_t n = 0;
  uint32_t bits = 0;
  unsigned n_bits = 0;
  for (;;) {
    if (n_bits == 0)
      n += decode_groups(data, at, end, out + n, max - n);
    if (*at >= end || n >= max)
      return n;
    uint8_t c = data[(*at)++];
    int value = base64_value(c);
    if (value < 0) {
      *at += c == '\\' && *at < end ? 1 : 0; /* the letter of a line break that is written */
      continue;
    }
    bits = bits << 6 | (uint32_t)value;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      out[n++] = (uint8_t)(bits >> n_bits);
    }
  }
}

static size_t count_plain(const uint8_t *p, size_t n) {
  static const uint8_t PLAIN[256] = {[0x20 ... 0x7E] = 1, ['\t'] = 1, ['\n'] = 1, ['\r'] = 1};
  size_t n_plain = 0;
  for (size_t i = 0; i < n; i++)
    n_plain += PLAIN[p[i]];
  return n_plain;
}

static bool is_text(const uint8_t *p, size_t n) {
  return n > 0 && count_plain(p, n) * 20 >= n * 17;
}

static bool is_wide_text(const uint8_t *p, size_t n) {
  size_t n_zeros = 0;
  for (size_t i = 1; i < n; i += 2)
    n_zeros += p[i] == 0;
  if (n_zeros * 2 < n / 2) /* the cheaper half of what utf16le_text asks for */
    return false;
  g_autoptr(GString) text = g_string_new(NULL);
  return utf16le_text(p, n, text) && is_text((const uint8_t *)text->str, text->len);
}

/* What tells containers, side by side: each block is shown to all, and the rows lie far apart. */
typedef bool Probe(const uint8_t *data, uint64_t size);
typedef struct {
  Probe **probes;
  size_t n;
} Probes;

static void probes_init(Probes *probes) {
  size_t n;
  const Unpacker *const *rows = unpack_table(&n);
  *probes = (Probes){g_new(Probe *, n), 0};
  for (size_t i = 0; i < n; i++)
    if (rows[i]->probe != NULL)
      probes->probes[probes->n++] = rows[i]->probe;
}

static void probes_clear(Probes *probes) {
  g_free(probes->probes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Probes, probes_clear)

static bool is_container(const Probes *probes, const uint8_t *data, uint64_t size) {
  for (size_t i = 0; i < probes->n; i++)
    if (probes->probes[i](data, size))
      return true;
  return unpack_may_carry(data, size);
}

typedef enum { BLOCK_NOTHING, BLOCK_TEXT, BLOCK_CONTAINER, BLOCK_PACKED } BlockKind;

/* False where the first 18 bytes at that are neither kind of text, as half of them tell: of 18, two
 * may be other characters, and of UTF-16 that short, in which each takes two bytes or more of
 * UTF-8, none. */
static bool may_be_text(const uint8_t *data, uint64_t at, uint64_t end) {
  uint8_t first[FIRST_BYTES / 2];
  size_t n = decode(data, &at, end, first, sizeof first);
  return n < sizeof first || first[1] == 0 || count_plain(first, n) + 3 > n;
}

static bool begins_text(const uint8_t *data, uint64_t at, uint64_t end) {
  uint8_t head[FIRST_BYTES];
  if (!may_be_text(data, at, end))
    return false;
  size_t n = decode(data, &at, end, head, sizeof head);
  return is_text(head, n) || is_wide_text(head, n);
}

/* Of a block that decodes to nothing known. */
static BlockKind kind_of_other(uint64_t start, uint64_t end) {
  return end - start >= LONG_CHARACTERS ? BLOCK_TEXT : BLOCK_NOTHING;
}

/* What the block is. It may begin behind up to three letters that only look like its own. */
static BlockKind look_at_block(const Probes *probes, const uint8_t *data, uint64_t *start,
                               uint64_t end, Packed *packed) {
  uint8_t head[HEAD_BYTES];
  for (unsigned skip = 0; skip < 4; skip++) {
    uint64_t at = *start + skip;
    /* Most blocks are names or hashes: no text, and no container, begins like them. */
    if (skip > 0 && !begins_text(data, at, end))
      continue;
    size_t n = decode(data, &at, end, head, sizeof head);
    if (skip == 0 && n >= 16 && is_container(probes, head, n))
      return BLOCK_CONTAINER;
    if (skip == 0)
      *packed = packed_kind(head, n);
    if (is_text(head, n) || is_wide_text(head, n)) {
      *start += skip;
      return BLOCK_TEXT;
    }
  }
  return *packed != PACKED_NOT ? BLOCK_PACKED : kind_of_other(*start, end);
}

static Content *decode_all(ViewBuilder *builder, uint64_t start, uint64_t end) {
  Unpack *unpack = builder->unpack;
  g_autoptr(ContentBuilder) out =
      content_builder_new(unpack->options->spool, unpack_budget(unpack));
  g_autofree uint8_t *bytes = g_malloc(OUT_BYTES);
  g_autoptr(GError) error = NULL;
  bool is_in = true;
  for (uint64_t at = start; is_in && at < end;) {
    size_t n = decode(builder->data, &at, end, bytes, OUT_BYTES);
    is_in = content_builder_append(out, bytes, n, &error);
  }
  unpack->expanded += MIN(content_builder_size(out), unpack_budget(unpack));
  if (error != NULL && builder->error == NULL)
    builder->error = g_steal_pointer(&error);
  g_autoptr(GError) trouble = NULL;
  return content_builder_finish(g_steal_pointer(&out), &trouble);
}

static bool put_block(ViewBuilder *builder, uint64_t start, uint64_t end) {
  g_autofree uint8_t *bytes = g_malloc(OUT_BYTES);
  for (uint64_t at = start; at < end;) {
    uint64_t from = at;
    size_t n = decode(builder->data, &at, end, bytes, OUT_BYTES);
    if (n > 0 && !view_put(builder, from, at, bytes, n, false))
      return false;
  }
  return true;
}

bool base64_is_command(const uint8_t *data, uint64_t start) {
  static const char NAME[] = "encodedcommand";
  uint64_t at = start, floor = start > 64 ? start - 64 : 0;
  while (at > floor && (data[at - 1] == ' ' || data[at - 1] == '"' || data[at - 1] == '\'' ||
                        data[at - 1] == '\t' || data[at - 1] == ':'))
    at--;
  uint64_t end = at;
  while (at > floor && g_ascii_isalpha(data[at - 1]))
    at--;
  uint64_t n = end - at;
  if (end == start || n == 0 || n >= sizeof NAME || at == 0 ||
      (data[at - 1] != '-' && data[at - 1] != '/'))
    return false;
  return g_ascii_strncasecmp((const char *)data + at, NAME, n) == 0 ||
         (n == 2 && g_ascii_strncasecmp((const char *)data + at, "ec", 2) == 0);
}

/* The command as UTF-8; NULL where it is none. */
static GString *take_command(const uint8_t *data, uint64_t start, uint64_t end) {
  if (end - start > COMMAND_BYTES || !base64_is_command(data, start))
    return NULL;
  g_autofree uint8_t *bytes = g_malloc((size_t)(end - start));
  uint64_t at = start;
  size_t n = decode(data, &at, end, bytes, (size_t)(end - start));
  GString *text = g_string_new(NULL);
  if (utf16le_text(bytes, n, text))
    return text;
  g_string_free(text, TRUE);
  return NULL;
}

/* A mail's blocks are its parts: they are decoded there, under their names. */
static bool is_mail(const ViewBuilder *builder) {
  return probe_mime(builder->data, builder->size) || probe_mbox(builder->data, builder->size);
}

/* Has what the block inflates to examined. False where it does not inflate. */
static bool carry_packed(ViewBuilder *builder, Packed packed, uint64_t start, uint64_t end) {
  g_autoptr(Content) block = decode_all(builder, start, end);
  Content *content = block != NULL ? packed_inflate(builder, packed, block) : NULL;
  if (content == NULL)
    return false;
  view_carry(builder, packed == PACKED_ZLIB ? "zlib" : "deflate", start, content);
  return true;
}

/* False where a limit was met. */
static bool take_block(ViewBuilder *builder, const Probes *probes, uint64_t start, uint64_t end) {
  Packed packed = PACKED_NOT;
  BlockKind kind = look_at_block(probes, builder->data, &start, end, &packed);
  if (kind == BLOCK_PACKED && !carry_packed(builder, packed, start, end))
    kind = kind_of_other(start, end);
  if (kind == BLOCK_CONTAINER) {
    Content *content = decode_all(builder, start, end);
    if (content != NULL)
      view_carry(builder, "base64", start, content);
  } else if (kind == BLOCK_TEXT && !put_block(builder, start, end)) {
    return false;
  }
  return builder->error == NULL;
}

void base64_lines_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data;
  uint64_t size = builder->size, at = from;
  if (is_mail(builder))
    return;
  g_auto(Probes) probes;
  probes_init(&probes);
  if (from > 0 && is_letter(data[from - 1])) /* the rest of a line that is no line */
    at = run_end(data, from, size);
  for (uint64_t untold = at; at < size;) {
    uint64_t end = run_end(data, at, size);
    if (base64_is_lines(data, at, size)) {
      end = lines_end(data, at, end, size);
      if (!take_block(builder, &probes, at, end))
        return;
    }
    at = end + 1;
    if (at - untold < TELL_BYTES)
      continue;
    if (!unpack_alive(builder->unpack, at - untold))
      return;
    untold = at;
  }
}

void base64_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data;
  uint64_t start, end;
  if (is_mail(builder))
    return;
  g_auto(Probes) probes;
  probes_init(&probes);
  uint64_t untold = 0;
  for (uint64_t at = from; find_run(data, builder->size, at, &start, &end); at = end) {
    end = block_end(data, start, end, builder->size);
    GString *command = take_command(data, start, end);
    if (command != NULL) {
      g_string_free(command, TRUE);
      continue;
    }
    if (!take_block(builder, &probes, start, end))
      return;
    untold += end - start;
    if (untold < TELL_BYTES) /* most blocks are short, and telling asks for the time */
      continue;
    if (!unpack_alive(builder->unpack, untold))
      return;
    untold = 0;
  }
}

void powershell_make(ViewBuilder *builder, uint64_t from) {
  uint64_t start, end;
  for (uint64_t at = from; find_run(builder->data, builder->size, at, &start, &end); at = end) {
    end = block_end(builder->data, start, end, builder->size);
    GString *command = take_command(builder->data, start, end);
    if (command == NULL)
      continue;
    bool is_in = view_put(builder, start, end, command->str, command->len, true);
    g_string_free(command, TRUE);
    if (!is_in)
      return;
  }
}
