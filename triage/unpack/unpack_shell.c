/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_shell.c - scripts as cmd and PowerShell read them: marks that mean nothing within a word
 * removed (c^d^o, Mes`sage), and what a batch file's echo writes into another file as it comes to
 * stand there. */
#include "unpack/unpack_bits.h"
#include "unpack/unpack_fold.h"
#include "unpack/unpack_view.h"
#include <string.h>

/* LINE_BYTES: cmd takes no longer line. WORD_BYTES: of a word that is looked at on either side of
 * its mark, fewer than what the windows of a smell overlap by. */
enum { LINE_BYTES = 8192, WORD_BYTES = 32, LEAST_LETTERS = 6, CODE_SPAN_MARKS = 2 };

/* True where [from, stop) stands in text. */
static bool is_in_text(const uint8_t *data, const uint8_t *end, const uint8_t *from,
                       const uint8_t *stop) {
  return view_is_in_text(data, (uint64_t)(end - data), (uint64_t)(from - data),
                         (uint64_t)(stop - data));
}

static bool is_of_word(uint8_t c, uint8_t mark) {
  return g_ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || c == mark;
}

/* True where the mark at p stands between two letters of a word long enough to mean something: x^n
 * is a formula, and `word`s the plural of some code in a text. Around the whole word there is text:
 * in programs some mark is between letters by chance. */
static bool is_in_word(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  if (p == data || end - p < 2 || !g_ascii_isalpha(p[-1]) || !g_ascii_isalpha(p[1]))
    return false;
  const uint8_t *from = p, *stop = p + 1;
  while (from > data && p - from < WORD_BYTES && is_of_word(from[-1], *p))
    from--;
  while (stop < end && stop - p < WORD_BYTES && is_of_word(*stop, *p))
    stop++;
  unsigned n_letters = 0, n_marks = 0;
  for (const uint8_t *at = from; at < stop; at++) {
    n_letters += g_ascii_isalpha(*at);
    n_marks += *at == *p;
  }
  return n_letters >= LEAST_LETTERS && (*from != '`' || n_marks != CODE_SPAN_MARKS) &&
         is_in_text(data, end, from, stop);
}

/* The beginning of the line that ends at or behind p, or NULL where that is further than any line
 * asked for. */
static const uint8_t *line_start(const uint8_t *data, const uint8_t *p) {
  enum { START_BYTES = 256 };
  const uint8_t *floor = p - data > START_BYTES ? p - START_BYTES : data;
  const uint8_t *before = memrchr(floor, '\n', (size_t)(p - floor));
  return before != NULL ? before + 1 : floor == data ? data : NULL;
}

/* True where the line could be uuencoded: its first byte tells how long it is, and no letter is a
 * small one. */
static bool is_uu_line(const uint8_t *line, const uint8_t *end) {
  size_t n = 1 + (((size_t)(*line - ' ') & 0x3F) + 2) / 3 * 4;
  if ((size_t)(end - line) < n || (line + n < end && line[n] != '\r' && line[n] != '\n'))
    return false;
  for (size_t i = 0; i < n; i++)
    if (line[i] < ' ' || line[i] > '`')
      return false;
  return true;
}

/* True where p stands in uuencoded data. One line in sixty of a batch file in capitals could be of
 * it: the one before has to be, or the head of the file. */
static bool is_in_uu(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  const uint8_t *line = line_start(data, p);
  if (line == NULL || line == data || !is_uu_line(line, end))
    return false;
  const uint8_t *before = line_start(data, line - 1);
  return before != NULL &&
         (is_uu_line(before, end) || (end - before > 6 && memcmp(before, "begin ", 6) == 0));
}

/* "a" ^& "b": what batch files write so that & comes to stand in a script. */
static bool is_joint(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  if (p == data || end - p < 3 || p[1] != '&')
    return false;
  uint8_t before = p[-1], behind = p[2];
  return (before == ' ' || before == '"' || before == ')' || g_ascii_isalnum(before)) &&
         (behind == ' ' || behind == '"' || g_ascii_isalnum(behind));
}

/* Length of the caret at p and the line break behind it, where the word goes on; else 0. */
static size_t take_break(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  size_t n = end - p > 1 && p[1] == '\r' ? 2 : 1;
  if (p == data || !g_ascii_isalpha(p[-1]) || (size_t)(end - p) < n + 2 || p[n] != '\n' ||
      !g_ascii_isalpha(p[n + 1]))
    return 0;
  return n + 1;
}

/* Bytes at p ('^' or a backtick) that are not read as what they are; 0 where they are. */
static size_t take_mark(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  if (is_in_word(data, end, p))
    return is_in_uu(data, end, p) ? 0 : 1;
  size_t n = *p != '^' ? 0 : is_joint(data, end, p) ? 1 : take_break(data, end, p);
  return n > 0 && is_in_text(data, end, p, p + 1) && !is_in_uu(data, end, p) ? n : 0;
}

bool shell_at(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  return take_mark(data, end, p) > 0;
}

static const uint8_t *find_mark(const uint8_t *p, const uint8_t *stop) {
  static const uint8_t MARKS[4] = {'^', '`', '^', '`'};
  for (; stop - p >= BITS_BYTES; p += BITS_BYTES) {
    uint64_t bits = bits_any4(p, MARKS);
    if (bits != 0)
      return p + __builtin_ctzll(bits);
  }
  while (p < stop && *p != '^' && *p != '`')
    p++;
  return p;
}

static bool put_marks(ViewBuilder *builder, const uint8_t *p, const uint8_t *stop) {
  const uint8_t *data = builder->data, *end = data + builder->size;
  while ((p = find_mark(p, stop)) < stop) {
    size_t n = take_mark(data, end, p);
    uint64_t at = (uint64_t)(p - data);
    if (n > 0 && !view_put(builder, at, at + n, "", 0, true))
      return false;
    p += MAX(n, 1);
  }
  return true;
}

/* The next echo of the line, or NULL; *text is where its text begins. */
static const uint8_t *find_echo(const uint8_t *line, const uint8_t *stop, const uint8_t **text) {
  for (const uint8_t *p = line; stop - p > 5; p++) {
    if ((*p | 0x20) != 'e' || (p > line && (is_of_word(p[-1], '$') || p[-1] == '/')))
      continue;
    const uint8_t *behind = fold_word(p, stop, "echo");
    if (behind == NULL || strchr(" \t.(:", *behind) == NULL || *behind == '\0')
      continue;
    *text = behind + 1;
    return p;
  }
  return NULL;
}

/* Reads what echo writes. Returns where the command ends; is_kept: it goes into a file. */
static const uint8_t *take_echo(const uint8_t *p, const uint8_t *stop, GString *text,
                                bool *is_kept) {
  bool is_quoted = false;
  for (; p < stop && *p != '\r' && *p != '\n'; p++) {
    is_quoted ^= *p == '"';
    if (!is_quoted && (*p == '>' || *p == '&' || *p == '|'))
      break;
    if (!is_quoted && *p == '^' && stop - p > 1 && p[1] != '\r' && p[1] != '\n')
      p++;
    g_string_append_c(text, (char)*p);
  }
  *is_kept = p < stop && *p == '>';
  while (p < stop && *p != '\r' && *p != '\n' && *p != '&' && *p != '|')
    p++;
  return p;
}

/* A line that echo writes something with: that stands for it, one line for each. */
static bool put_line(ViewBuilder *builder, GString *text, const uint8_t *p, const uint8_t *stop) {
  const uint8_t *start = p, *echo, *from;
  bool may_write = stop - start <= LINE_BYTES && memchr(p, '>', (size_t)(stop - p)) != NULL;
  while (may_write && (echo = find_echo(p, stop, &from)) != NULL) {
    bool is_kept;
    g_string_truncate(text, 0);
    const uint8_t *next = take_echo(from, stop, text, &is_kept);
    bool is_prefixed = memchr(start, '>', (size_t)(echo - start)) != NULL; /* >>x.vbs echo ... */
    uint64_t at = (uint64_t)(echo - builder->data), behind = (uint64_t)(next - builder->data);
    if (!is_kept && !is_prefixed) {
      if (!put_marks(builder, p, next))
        return false;
    } else {
      while (next < stop && (*next == '&' || *next == '|'))
        next++;
      if (next - builder->data > (ptrdiff_t)behind)
        g_string_append_c(text, '\n');
      behind = (uint64_t)(next - builder->data);
      g_string_prepend_c(text, '\n');
      if (!put_marks(builder, p, echo) ||
          !view_put(builder, at, behind, text->str, text->len, true))
        return false;
    }
    p = next;
  }
  return put_marks(builder, p, stop);
}

void shell_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *data = builder->data, *end = data + builder->size, *p = data + from;
  /* A line that began before the window is read from its beginning. */
  const uint8_t *floor = from > LINE_BYTES ? p - LINE_BYTES : data;
  const uint8_t *before = memrchr(floor, '\n', (size_t)(p - floor));
  p = before != NULL ? before + 1 : floor == data ? data : p;
  g_autoptr(GString) text = g_string_new(NULL);
  while (p < end) {
    const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));
    stop = stop != NULL ? stop + 1 : end;
    if (!put_line(builder, text, p, stop))
      return;
    p = stop;
  }
}
