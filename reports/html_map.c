/* SPDX-License-Identifier: Apache-2.0 */
/* html_map.c - a map of each image: a strip for all of it and one for each volume, with where hits
 * lie and where what was not fully examined begins. */
#include "reports/html_parts.h"
#include "reports/html_svg.h"
#include <string.h>

enum { IMAGES = 6, STRIPS = 16, HEIGHT = 50, TOP = 8 }; /* strips of one image */

typedef struct {
  uint64_t from, bytes; /* of the evidence */
  const char *name;
  const VolumeRecord *volume; /* NULL: all of the evidence */
} Strip;

typedef struct {
  uint64_t hits[VERDICTS];
  bool has_gap;
} Bin;

static char *short_bytes(uint64_t bytes) {
  static const char *const NAMES[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  guint unit = 0;
  uint64_t tenths = 0;
  while (bytes >= 1024 && unit + 1 < G_N_ELEMENTS(NAMES)) {
    tenths = bytes % 1024 * 10 / 1024;
    bytes /= 1024;
    unit++;
  }
  if (tenths == 0)
    return g_strdup_printf("%llu %s", (unsigned long long)bytes, NAMES[unit]);
  return g_strdup_printf("%llu.%llu %s", (unsigned long long)bytes, (unsigned long long)tenths,
                         NAMES[unit]);
}

static uint64_t bin_bytes(const Strip *strip) {
  return MAX((strip->bytes + SVG_BINS - 1) / SVG_BINS, 1);
}

static void fill(const HtmlCase *page, uint32_t evidence, const Strip *strip, Bin *bins) {
  uint64_t each = bin_bytes(strip), end = strip->from + strip->bytes;
  for (guint i = 0; i < page->marks.hits->len; i++) {
    const HitMark *mark = &g_array_index(page->marks.hits, HitMark, i);
    if (mark->evidence == evidence && mark->first_byte > 0 && mark->first_byte >= strip->from &&
        mark->first_byte < end)
      bins[(mark->first_byte - strip->from) / each].hits[mark->verdict]++;
  }
  for (guint i = 0; i < page->marks.gaps->len; i++) {
    const GapMark *mark = &g_array_index(page->marks.gaps, GapMark, i);
    uint64_t to =
        mark->size < UINT64_MAX - mark->first_byte ? mark->first_byte + mark->size : UINT64_MAX;
    uint64_t from = MAX(mark->first_byte, strip->from);
    to = MIN(MAX(to, mark->first_byte + 1), end);
    for (uint64_t at = from; mark->evidence == evidence && at < to; at += each)
      bins[(at - strip->from) / each].has_gap = true;
    if (mark->evidence == evidence && from < to)
      bins[(to - 1 - strip->from) / each].has_gap = true;
  }
}

static char *bin_title(const Strip *strip, const Bin *bin, guint number) {
  uint64_t from = strip->from + number * bin_bytes(strip);
  GString *title = g_string_new("from byte ");
  g_autofree char *at = html_number(from);
  g_string_append(title, at);
  for (guint i = 0; i < VERDICTS; i++) {
    if (bin->hits[i] == 0)
      continue;
    g_autofree char *n = html_number(bin->hits[i]);
    g_autofree char *word = g_ascii_strdown(VERDICT_WORDS[i].title, -1);
    g_string_append_printf(title, ", %s %s", n, word);
  }
  return g_string_free(title, FALSE);
}

static void draw_bins(Out *out, const Strip *strip, const Bin *bins, guint y) {
  for (guint i = 0; i < SVG_BINS; i++) {
    guint x = SVG_LEFT + i * SVG_BIN;
    uint64_t any = 0;
    guint worst = VERDICTS;
    for (guint v = VERDICTS; v-- > 0;) {
      any += bins[i].hits[v];
      worst = bins[i].hits[v] > 0 ? v : worst;
    }
    if (any > 0) {
      g_autofree char *title = bin_title(strip, &bins[i], i);
      g_autofree char *css = g_strconcat("s-", VERDICT_WORDS[worst].id, NULL);
      svg_rect(out, css, x, y, 3, 20, title);
    }
    guint run = 0;
    while (i + run < SVG_BINS && bins[i + run].has_gap && (i == 0 || !bins[i - 1].has_gap))
      run++;
    if (run > 0)
      svg_rect(out, "s-gaps", x, y + 24, MAX(run * SVG_BIN, 3), 8, "not fully examined");
  }
}

static void draw_strip(Out *out, const HtmlCase *page, const EvidenceInfo *info, const Strip *strip,
                       guint y) {
  const guint width = SVG_RIGHT - SVG_LEFT;
  g_autofree char *first = short_bytes(strip->from);
  g_autofree char *last = short_bytes(strip->from + strip->bytes);
  g_autofree char *range = g_strdup_printf("%s to %s", first, last);
  svg_text(out, "s-name", 0, y + 13, "start", strip->name);
  svg_text(out, "s-under", 0, y + 29, "start", range);
  svg_rect(out, "s-strip", SVG_LEFT, y, width, 20, "");
  svg_rect(out, "s-lane", SVG_LEFT, y + 24, width, 8, "");
  for (guint i = 0; strip->volume == NULL && i < info->volumes->len; i++) {
    const VolumeRecord *volume = &g_array_index(info->volumes, VolumeRecord, i);
    if (volume->no == 0 || volume->offset >= strip->bytes)
      continue;
    uint64_t each = bin_bytes(strip), n = MIN(volume->length, strip->bytes - volume->offset);
    guint from = (guint)(volume->offset / each), bins = (guint)(n / each);
    g_autofree char *title = g_strdup_printf("volume %u", volume->no);
    svg_rect(out, "s-volume", SVG_LEFT + from * SVG_BIN, y, MAX(bins * SVG_BIN, 2), 20, title);
  }
  g_autofree Bin *bins = g_new0(Bin, SVG_BINS);
  fill(page, info->record.no, strip, bins);
  draw_bins(out, strip, bins, y);
}

static guint strips_of(const EvidenceInfo *info, Strip *strips, char **names) {
  guint n = 0;
  strips[n++] = (Strip){0, info->record.media_bytes, "all of it", NULL};
  for (guint i = 0; i < info->volumes->len && n < STRIPS; i++) {
    const VolumeRecord *volume = &g_array_index(info->volumes, VolumeRecord, i);
    if (volume->no == 0 || volume->length == 0 || volume->offset >= info->record.media_bytes ||
        volume->length > info->record.media_bytes - volume->offset)
      continue;
    names[n] = g_strdup_printf("volume %u, %.12s", volume->no,
                               *volume->fs_type != '\0' ? volume->fs_type : "not read");
    strips[n] = (Strip){volume->offset, volume->length, names[n], volume};
    n++;
  }
  return n;
}

static void draw_image(Out *out, const HtmlCase *page, const EvidenceInfo *info) {
  Strip strips[STRIPS];
  char *names[STRIPS] = {NULL};
  guint n = strips_of(info, strips, names);
  g_autofree char *id = g_strdup_printf("map-%u", info->record.no);
  g_autofree char *clipped = html_clip(info->record.name, 200);
  g_autofree char *title = g_strdup_printf("Map of %s", clipped);
  html_markup(out, "<h4>");
  html_text(out, title);
  html_markup(out, "</h4>\n");
  svg_open(out, id, TOP + n * HEIGHT, title,
           "Strips from the first to the last byte. Marks in the strip: hits, in the colour of the "
           "gravest verdict. Below it: what was not fully examined.");
  for (guint i = 0; i < n; i++)
    draw_strip(out, page, info, &strips[i], TOP + i * HEIGHT);
  svg_close(out);
  for (guint i = 0; i < n; i++)
    g_free(names[i]);
}

static uint64_t hits_nowhere(const HtmlCase *page) {
  uint64_t n = page->marks.more_hits;
  for (guint i = 0; i < page->marks.hits->len; i++)
    n += g_array_index(page->marks.hits, HitMark, i).first_byte == 0;
  return n;
}

void html_legend(Out *out, const HtmlCase *page) {
  html_markup(out, "<p class=\"legend\">");
  for (guint i = 0; i < VERDICTS; i++) {
    if (page->hits_of[i] == 0)
      continue;
    html_markup(out, "<span class=\"swatch l-");
    html_text(out, VERDICT_WORDS[i].id);
    html_markup(out, "\"></span>");
    html_text(out, VERDICT_WORDS[i].title);
    html_markup(out, " ");
  }
}

void html_map(Out *out, HtmlCase *page) {
  guint images = 0, drawn = 0;
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    images += strcmp(info->record.kind, "image") == 0 && info->record.media_bytes > 0;
  }
  if (images == 0)
    return;
  html_markup(out, "<h3 id=\"map\">Where on the evidence</h3>\n");
  html_legend(out, page);
  html_markup(out, "<span class=\"swatch l-gaps\"></span>Not fully examined</p>\n");
  for (guint i = 0; i < page->evidence->len && drawn < IMAGES; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    if (strcmp(info->record.kind, "image") != 0 || info->record.media_bytes == 0)
      continue;
    draw_image(out, page, info);
    drawn++;
  }
  html_markup(out, "<p class=\"note\">A hit is drawn at its first match, or at the first block of "
                   "its file; what was not fully examined, as one stretch from its first block on. "
                   "Without a place on the disk: ");
  html_count(out, hits_nowhere(page), "hit", "hits");
  html_markup(out, " (resident in metadata), ");
  html_count(out, page->marks.gaps_nowhere, "row of coverage", "rows of coverage");
  html_markup(out, ".");
  if (drawn < images)
    html_format(out, " %u of %u images are drawn.", drawn, images);
  html_markup(out, "</p>\n");
}
