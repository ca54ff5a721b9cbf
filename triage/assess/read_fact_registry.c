/* SPDX-License-Identifier: Apache-2.0 */
/* read_fact_registry.c - the Task Scheduler's cache in the hive SOFTWARE, as the unpacker hands its
 * values out: Schedule/TaskCache/Tasks/{GUID}/Actions says what the task runs, DynamicInfo beside
 * it when it was registered and last ran. Neither is documented by its maker: what does not look as
 * known is left. */
#include "assess/read_fact.h"
#include "base/text.h"
#include "triage/time.h"
#include <string.h>

enum {
  ACTION_EXEC = 0x6666,
  LAST_VERSION = 3, /* the first has no context, the third has flags behind each program */
  MOST_ACTIONS = 32,
  DYNAMIC_SHORT = 28, /* Windows 7 */
  DYNAMIC_LONG = 36
};

typedef struct {
  const uint8_t *data;
  size_t n, at;
  bool is_over; /* it ended before it should */
} Cursor;

static uint32_t take_le(Cursor *cursor, size_t n) {
  uint32_t value = 0;
  if (cursor->n - cursor->at < n)
    cursor->is_over = true;
  else
    for (size_t i = 0; i < n; i++)
      value |= (uint32_t)cursor->data[cursor->at++] << 8 * i;
  return value;
}

/* A text of UTF-16LE behind its length in bytes. (transfer full), NULL where it is none. */
static char *take_text(Cursor *cursor) {
  size_t n = take_le(cursor, 4);
  if (cursor->is_over || n % 2 != 0 || n > cursor->n - cursor->at) {
    cursor->is_over = true;
    return NULL;
  }
  const uint8_t *text = cursor->data + cursor->at;
  cursor->at += n;
  return g_convert((const char *)text, (gssize)n, "UTF-8", "UTF-16LE", NULL, NULL, NULL);
}

void fact_read_task_actions(GPtrArray *facts, const uint8_t *data, size_t n) {
  Cursor cursor = {data, n, 0, false};
  uint32_t version = take_le(&cursor, 2);
  if (version < 1 || version > LAST_VERSION)
    return;
  g_autofree char *account = version > 1 ? take_text(&cursor) : NULL;
  for (unsigned i = 0; i < MOST_ACTIONS && !cursor.is_over && cursor.at < n; i++) {
    if (take_le(&cursor, 2) != ACTION_EXEC)
      return;                   /* of another kind, whose length is not known */
    g_free(take_text(&cursor)); /* its identifier */
    g_autofree char *program = take_text(&cursor);
    g_autofree char *arguments = take_text(&cursor);
    g_autofree char *directory = take_text(&cursor);
    if (version == LAST_VERSION)
      take_le(&cursor, 2);
    if (cursor.is_over || program == NULL || arguments == NULL || directory == NULL)
      return;
    g_autofree char *target = fact_command(program, arguments, directory);
    g_autofree char *detail =
        account != NULL && *account != '\0' ? g_strdup_printf("runs as %s", account) : g_strdup("");
    fact_add(facts, "registry-task", target, detail);
  }
}

static void append_time(GString *out, const char *label, const uint8_t *bytes) {
  uint64_t ticks = 0;
  for (int i = 7; i >= 0; i--)
    ticks = ticks << 8 | bytes[i];
  TriageTime time = triage_time_of_filetime(ticks, TIME_REGISTRY);
  char text[64];
  triage_time_format(&time, text, sizeof text);
  if (ticks <= INT64_MAX && time.is_set)
    g_string_append_printf(out, "%s%s %s", out->len > 0 ? "; " : "", label, text);
}

void fact_read_task_times(GPtrArray *facts, const char *path, const uint8_t *data, size_t n) {
  enum { VERSION = 3, REGISTERED_AT = 4, RUN_AT = 12 };
  if ((n != DYNAMIC_SHORT && n != DYNAMIC_LONG) || data[0] != VERSION || data[1] != 0)
    return;
  g_autoptr(GString) detail = g_string_new(NULL);
  append_time(detail, "registered", data + REGISTERED_AT);
  append_time(detail, "last run", data + RUN_AT);
  g_autofree char *key = g_path_get_dirname(path);
  g_autofree char *task = g_path_get_basename(key);
  if (detail->len > 0)
    fact_add(facts, "registry-task-times", task, detail->str);
}
