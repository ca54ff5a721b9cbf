/* SPDX-License-Identifier: Apache-2.0 */
/* html_excerpt.c - the text around the first match and the same as bytes, matches marked by their
 * place: the store keeps the excerpt printable, which spells each of its bytes. */
#include "base/limits.h"
#include "reports/html_parts.h"
#include <string.h>

enum { LINE = 16, LINES_BEFORE = 1, LINES = 7 }; /* of bytes shown: hits.jsonl has all */

typedef struct {
  guint text, length; /* where in the excerpt it is spelled */
  guint8 bytes[4], n; /* what it stands for */
  bool is_escape;     /* \xHH or as in C */
  uint64_t offset;    /* in the content */
  bool is_marked;
} Unit;

static void read_unit(const char *at, Unit *unit) {
  unit->is_escape = at[0] == '\\' && at[1] != '\0';
  if (!unit->is_escape) {
    unit->length = (guint)(g_utf8_next_char(at) - at);
    unit->n = (guint8)MIN(unit->length, sizeof unit->bytes);
    memcpy(unit->bytes, at, unit->n);
    return;
  }
  unit->n = 1;
  unit->length = 2;
  if (at[1] == 'x' && g_ascii_isxdigit(at[2]) && g_ascii_isxdigit(at[3])) {
    unit->length = 4;
    unit->bytes[0] = (guint8)(g_ascii_xdigit_value(at[2]) * 16 + g_ascii_xdigit_value(at[3]));
  } else {
    unit->bytes[0] = at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' : (guint8)at[1];
  }
}

static bool is_matched(const HitRow *hit, uint64_t offset) {
  for (guint i = 0; i < hit->n_matches; i++)
    if (offset >= hit->matches[i].offset &&
        offset - hit->matches[i].offset < hit->matches[i].length)
      return true;
  return false;
}

/* Unit, in the order of the excerpt. (transfer full) */
static GArray *units_of(const HitRow *hit) {
  const uint64_t before = LIMIT_EXCERPT_BYTES / 4;
  uint64_t offset = hit->first_offset > before ? hit->first_offset - before : 0;
  GArray *units = g_array_new(FALSE, FALSE, sizeof(Unit));
  for (const char *at = hit->excerpt; *at != '\0';) {
    Unit unit = {.text = (guint)(at - hit->excerpt), .offset = offset};
    read_unit(at, &unit);
    unit.is_marked = is_matched(hit, offset);
    g_array_append_val(units, unit);
    offset += unit.n;
    at += unit.length;
  }
  return units;
}

static void put_span(Out *out, const char *text, gsize n, bool is_marked, bool is_soft) {
  g_autofree char *piece = g_strndup(text, n);
  if (is_marked)
    html_markup(out, "<mark>");
  else if (is_soft)
    html_markup(out, "<span class=\"esc\">");
  html_text(out, piece);
  if (is_marked)
    html_markup(out, "</mark>");
  else if (is_soft)
    html_markup(out, "</span>");
}

static void put_text(Out *out, const HitRow *hit, const GArray *units) {
  html_markup(out, "<h5>Text around the first match</h5>\n<pre class=\"excerpt\" dir=\"ltr\">");
  for (guint i = 0; i < units->len;) {
    const Unit *first = &g_array_index(units, Unit, i);
    gsize n = 0;
    bool ends_line = false;
    for (; i < units->len && !ends_line; i++) {
      const Unit *unit = &g_array_index(units, Unit, i);
      if (unit->is_marked != first->is_marked ||
          (!first->is_marked && unit->is_escape != first->is_escape))
        break;
      n += unit->length;
      ends_line = unit->is_escape && unit->bytes[0] == '\n';
    }
    put_span(out, hit->excerpt + first->text, n, first->is_marked, first->is_escape);
    if (ends_line)
      html_markup(out, "\n");
  }
  html_markup(out, "</pre>\n");
}

/* ---- bytes ---- */
typedef struct {
  guint8 value;
  bool is_marked;
} Byte;

/* count bytes from the first of bytes on, which stands at place lead of its line. */
static void put_line(Out *out, uint64_t offset, guint lead, const Byte *bytes, guint count) {
  html_format(out, "%08llx  %*s", (unsigned long long)offset, (int)(lead * 3), "");
  for (int is_text = 0; is_text < 2; is_text++) {
    for (guint i = 0; i < count;) {
      char piece[LINE * 3 + 1];
      gsize n = 0;
      bool is_marked = bytes[i].is_marked;
      for (; i < count && bytes[i].is_marked == is_marked; i++) {
        guint8 value = bytes[i].value;
        if (is_text)
          piece[n++] = (char)(value >= 0x20 && value < 0x7F ? value : '.');
        else
          n += (gsize)g_snprintf(piece + n, sizeof piece - n, "%02x ", value);
      }
      put_span(out, piece, n, is_marked, false);
    }
    if (!is_text)
      html_format(out, "%*s %*s", (int)((LINE - lead - count) * 3), "", (int)lead, "");
  }
  html_markup(out, "\n");
}

static void put_hex(Out *out, const HitRow *hit, const GArray *units) {
  if (units->len == 0)
    return;
  g_autoptr(GArray) bytes = g_array_new(FALSE, FALSE, sizeof(Byte));
  for (guint i = 0; i < units->len; i++) {
    const Unit *unit = &g_array_index(units, Unit, i);
    for (guint j = 0; j < unit->n; j++) {
      Byte byte = {unit->bytes[j], unit->is_marked};
      g_array_append_val(bytes, byte);
    }
  }
  uint64_t start = g_array_index(units, Unit, 0).offset, end = start + bytes->len;
  uint64_t line = hit->first_offset / LINE;
  line = line > LINES_BEFORE ? line - LINES_BEFORE : 0;
  html_markup(
      out,
      "<h5>The same as bytes, with offsets in the content</h5>\n<pre class=\"hex\" tabindex=\"0\" "
      "dir=\"ltr\">");
  for (guint i = 0; i < LINES && line * LINE < end; i++, line++) {
    uint64_t from = MAX(line * LINE, start), to = MIN((line + 1) * LINE, end);
    if (from < to)
      put_line(out, line * LINE, (guint)(from - line * LINE),
               &g_array_index(bytes, Byte, from - start), (guint)(to - from));
  }
  html_markup(out, "</pre>\n");
  for (guint i = 0; i < hit->n_indicators; i++)
    if (strcmp(hit->indicators[i].name, "password_present") == 0) {
      html_markup(out, "<p class=\"note\">The password of the text is blotted out here: * stands "
                       "for it, and bytes behind it may stand a little further on.</p>\n");
      break;
    }
}

void html_excerpt(Out *out, const HitRow *hit) {
  g_autoptr(GArray) units = units_of(hit);
  put_text(out, hit, units);
  put_hex(out, hit, units);
}
