/* SPDX-License-Identifier: Apache-2.0 */
/* html_timeline.c - when the hit files were created and modified, beside the snapshots of the
 * volumes and the runs and starts that scheduled tasks record. A picture to begin with: every time
 * stands with its hit, to the precision of its source. */
#include "reports/html_parts.h"
#include "reports/html_svg.h"
#include <string.h>

enum { BAR = 48, GAP = 16, TOP = 12, LANE = 26, TICKS = 9, SETTLED = 40, EVENTS = 200 };
enum { STAMP = 19 }; /* "2024-03-01T12:00:00" */
static const int64_t DAY = 86400;

typedef struct {
  int64_t at;
  bool is_snapshot;
  char *title;
} Event;

typedef struct {
  int64_t from, to; /* to: after the last bin */
  int64_t each;     /* seconds of a bin */
} Scale;

static void event_clear(gpointer event) {
  g_free(((Event *)event)->title);
}

/* The first RFC 3339 time at or after text; 0: none. */
static int64_t find_time(const char *text) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  for (const char *p = text; strlen(p) >= STAMP; p++) {
    if (!g_ascii_isdigit(*p) || (p > text && g_ascii_isdigit(p[-1])) || p[4] != '-' || p[10] != 'T')
      continue;
    g_autofree char *stamp = g_strndup(p, STAMP);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(stamp, utc);
    return time != NULL ? g_date_time_to_unix(time) : 0;
  }
  return 0;
}

static void add_event(GArray *events, int64_t at, bool is_snapshot, const char *title) {
  if (at == 0 || events->len >= EVENTS)
    return;
  Event event = {at, is_snapshot, html_clip(title, 300)};
  g_array_append_val(events, event);
}

/* A task of Windows records the start of its schedule or its last run, in the machine's own time.
 */
typedef struct {
  const HtmlCase *page;
  GArray *events;
} Taking;

static bool take_fact(void *user, const FactRow *fact) {
  Taking *taking = user;
  if (html_case_evidence(taking->page, fact->evidence_no) == NULL ||
      (strcmp(fact->kind, "task") != 0 && strcmp(fact->kind, "disabled-task") != 0))
    return true;
  g_autofree char *title = g_strdup_printf("%s: %s; %s", fact->path, fact->target, fact->detail);
  add_event(taking->events, find_time(fact->detail), false, title);
  return true;
}

static GArray *events_of(HtmlCase *page) {
  GArray *events = g_array_new(FALSE, FALSE, sizeof(Event));
  g_array_set_clear_func(events, event_clear);
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    for (guint j = 0; j < info->volumes->len; j++) {
      const char *what = g_array_index(info->volumes, VolumeRecord, j).description;
      const char *made = strstr(what, "shadow copy") != NULL ? strstr(what, ", made ") : NULL;
      if (made != NULL)
        add_event(events, find_time(made), true, what);
    }
  }
  /* Tasks are shown beside the verdicts that they bear out: the picture goes without them where
   * they cannot be read. */
  Taking taking = {page, events};
  (void)store_each_fact(page->store, take_fact, &taking, NULL);
  return events;
}

/* ---- the scale ---- */
static int compare_times(gconstpointer a, gconstpointer b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static GArray *times_of(const HtmlCase *page, const GArray *events) {
  GArray *times = g_array_new(FALSE, FALSE, sizeof(int64_t));
  for (guint i = 0; i < page->marks.hits->len; i++) {
    const HitMark *mark = &g_array_index(page->marks.hits, HitMark, i);
    if (mark->has_created)
      g_array_append_val(times, mark->created);
    if (mark->has_modified)
      g_array_append_val(times, mark->modified);
  }
  for (guint i = 0; i < events->len; i++)
    g_array_append_val(times, g_array_index(events, Event, i).at);
  g_array_sort(times, compare_times);
  return times;
}

/* All of the times; of many, without the first and last hundredth: one wrong clock would press the
 * rest into a line. The picture says how many lie outside. */
static void set_scale(const GArray *times, Scale *scale) {
  guint cut = times->len >= SETTLED ? times->len / 100 : 0;
  int64_t from = g_array_index(times, int64_t, cut);
  int64_t to = g_array_index(times, int64_t, times->len - 1 - cut);
  int64_t margin = MAX((to - from) / 40, DAY / 2);
  scale->each = MAX((to - from + 2 * margin) / SVG_BINS, 1) + 1;
  scale->from = from - margin;
  scale->to = scale->from + scale->each * SVG_BINS;
}

static int bin_of(const Scale *scale, int64_t at) {
  return at < scale->from || at >= scale->to ? -1 : (int)((at - scale->from) / scale->each);
}

static char *format_time(int64_t at, const char *format) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at);
  char *text = time != NULL ? g_date_time_format(time, format) : NULL;
  return text != NULL ? text : g_strdup("");
}

/* ---- drawing ---- */
typedef struct {
  int months; /* 0: seconds count */
  int64_t seconds;
  const char *format;
} Step;
#define DAYS(n) (INT64_C(86400) * (n))
static const Step STEPS[] = {{0, INT64_C(3600), "%Y-%m-%d %H:%M"},
                             {0, INT64_C(21600), "%Y-%m-%d %H:%M"},
                             {0, DAYS(1), "%Y-%m-%d"},
                             {0, DAYS(7), "%Y-%m-%d"},
                             {1, DAYS(30), "%Y-%m"},
                             {3, DAYS(91), "%Y-%m"},
                             {12, DAYS(365), "%Y"},
                             {60, DAYS(1826), "%Y"},
                             {120, DAYS(3652), "%Y"},
                             {600, DAYS(18262), "%Y"},
                             {1200, DAYS(36525), "%Y"}};

static int64_t next_tick(const Step *step, int64_t at) {
  if (step->months == 0)
    return (at / step->seconds + (at >= 0 || at % step->seconds == 0)) * step->seconds;
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at);
  if (time == NULL)
    return INT64_MAX;
  int month = g_date_time_get_year(time) * 12 + g_date_time_get_month(time) - 1;
  month = (month / step->months + 1) * step->months;
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) tick = g_date_time_new(utc, month / 12, month % 12 + 1, 1, 0, 0, 0);
  return tick != NULL ? g_date_time_to_unix(tick) : INT64_MAX;
}

static void draw_axis(Out *out, const Scale *scale, guint bottom) {
  const Step *step = STEPS;
  while (step + 1 < STEPS + G_N_ELEMENTS(STEPS) &&
         (scale->to - scale->from) / step->seconds >= TICKS)
    step++;
  svg_rect(out, "s-axis", SVG_LEFT, bottom, SVG_RIGHT - SVG_LEFT, 1, "");
  for (int64_t at = next_tick(step, scale->from); at < scale->to; at = next_tick(step, at)) {
    guint x = SVG_LEFT + (guint)bin_of(scale, at) * SVG_BIN;
    g_autofree char *text = format_time(at, step->format);
    svg_rect(out, "s-tick", x, TOP, 1, bottom - TOP + 5, "");
    if (x + 40 < SVG_RIGHT)
      svg_text(out, "s-under", x, bottom + 19, "middle", text);
  }
}

typedef struct {
  uint64_t of[SVG_BINS][VERDICTS], any[SVG_BINS], highest, before, after;
} Histogram;

static void count_times(const HtmlCase *page, const Scale *scale, bool is_created,
                        Histogram *histogram) {
  memset(histogram, 0, sizeof *histogram);
  for (guint i = 0; i < page->marks.hits->len; i++) {
    const HitMark *mark = &g_array_index(page->marks.hits, HitMark, i);
    if (!(is_created ? mark->has_created : mark->has_modified))
      continue;
    int64_t at = is_created ? mark->created : mark->modified;
    int bin = bin_of(scale, at);
    if (bin < 0) {
      *(at < scale->from ? &histogram->before : &histogram->after) += 1;
      continue;
    }
    /* Bars are three bins wide, so that one file can be seen. */
    bin -= bin % 3;
    histogram->of[bin][mark->verdict]++;
    histogram->any[bin]++;
    histogram->highest = MAX(histogram->highest, histogram->any[bin]);
  }
}

static void draw_bars(Out *out, const Scale *scale, const Histogram *histogram, const char *name,
                      guint top) {
  g_autofree char *highest = html_number(histogram->highest);
  g_autofree char *scale_text = g_strdup_printf("highest bar: %s", highest);
  svg_text(out, "s-name", 0, top + 14, "start", name);
  svg_text(out, "s-under", 0, top + 29, "start", scale_text);
  g_autofree char *outside =
      g_strdup_printf("%llu before, %llu after", (unsigned long long)histogram->before,
                      (unsigned long long)histogram->after);
  if (histogram->before + histogram->after > 0)
    svg_text(out, "s-under", 0, top + 43, "start", outside);
  for (guint bin = 0; bin < SVG_BINS; bin++) {
    guint bottom = top + BAR;
    g_autofree char *day = format_time(scale->from + scale->each * (int64_t)bin, "%Y-%m-%d");
    for (guint v = VERDICTS; v-- > 0;) {
      uint64_t n = histogram->of[bin][v];
      if (n == 0)
        continue;
      guint height = (guint)MAX(n * BAR / histogram->highest, 2);
      height = MIN(height, bottom - top);
      bottom -= height;
      g_autofree char *css = g_strconcat("s-", VERDICT_WORDS[v].id, NULL);
      g_autofree char *title = g_strdup_printf("%s, from %s on: %llu %s", name, day,
                                               (unsigned long long)n, VERDICT_WORDS[v].title);
      svg_rect(out, css, SVG_LEFT + bin * SVG_BIN, bottom, 5, height, title);
    }
  }
  svg_rect(out, "s-axis", SVG_LEFT, top + BAR, SVG_RIGHT - SVG_LEFT, 1, "");
}

static guint draw_events(Out *out, const Scale *scale, const GArray *events, bool snapshots,
                         guint top) {
  guint n = 0;
  for (guint i = 0; i < events->len; i++)
    n += g_array_index(events, Event, i).is_snapshot == snapshots;
  if (n == 0)
    return top;
  svg_text(out, "s-name", 0, top + 14, "start", snapshots ? "Snapshots" : "Scheduled tasks");
  svg_rect(out, "s-lane", SVG_LEFT, top + 8, SVG_RIGHT - SVG_LEFT, 2, "");
  for (guint i = 0; i < events->len; i++) {
    const Event *event = &g_array_index(events, Event, i);
    int bin = bin_of(scale, event->at);
    if (event->is_snapshot == snapshots && bin >= 0)
      svg_diamond(out, snapshots ? "s-snapshot" : "s-task", SVG_LEFT + (guint)bin * SVG_BIN,
                  top + 9, event->title);
  }
  return top + LANE;
}

static void draw(Out *out, const HtmlCase *page, const Scale *scale, const GArray *events) {
  guint lanes = 0;
  for (int snapshots = 0; snapshots < 2; snapshots++)
    for (guint i = 0; i < events->len; i++)
      if (g_array_index(events, Event, i).is_snapshot == (snapshots != 0)) {
        lanes++;
        break;
      }
  guint bottom = TOP + 2 * (BAR + GAP) + lanes * LANE;
  g_autofree Histogram *histogram = g_new0(Histogram, 1);
  svg_open(out, "timeline-svg", bottom + 28, "Times of the hit files",
           "Bars: how many hit files were modified and created when, by verdict. Diamonds: when "
           "snapshots were made and tasks began or last ran.");
  draw_axis(out, scale, bottom);
  count_times(page, scale, false, histogram);
  draw_bars(out, scale, histogram, "Modified", TOP);
  count_times(page, scale, true, histogram);
  draw_bars(out, scale, histogram, "Created", TOP + BAR + GAP);
  guint top = draw_events(out, scale, events, true, TOP + 2 * (BAR + GAP));
  draw_events(out, scale, events, false, top);
  svg_close(out);
}

void html_timeline(Out *out, HtmlCase *page) {
  g_autoptr(GArray) events = events_of(page);
  g_autoptr(GArray) times = times_of(page, events);
  if (page->n_hits == 0 || times->len == 0)
    return;
  Scale scale;
  set_scale(times, &scale);
  g_autofree char *first = format_time(g_array_index(times, int64_t, 0), "%Y-%m-%d");
  g_autofree char *last = format_time(g_array_index(times, int64_t, times->len - 1), "%Y-%m-%d");
  html_markup(out, "<h3 id=\"timeline\">When</h3>\n");
  html_legend(out, page);
  html_markup(out, "</p>\n");
  draw(out, page, &scale, events);
  html_markup(out,
              "<p class=\"note\">Times in UTC, as the file systems and containers record them, "
              "from ");
  html_text(out, first);
  html_markup(out, " to ");
  html_text(out, last);
  html_markup(out,
              ". A clock that was wrong, or a program that sets times, shows here as it stands "
              "in the evidence; times of an unknown zone (FAT, some archives) and those of "
              "tasks are drawn as if they were UTC.");
  if (page->marks.more_hits > 0) {
    html_markup(out, " ");
    html_count(out, page->marks.more_hits, "hit is", "hits are");
    html_markup(out, " not drawn.");
  }
  html_markup(out, "</p>\n");
}
