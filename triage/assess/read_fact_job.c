/* SPDX-License-Identifier: Apache-2.0 */
/* read_fact_job.c - legacy .job files of the Task Scheduler ([MS-TSCH] 2.4): 68 bytes of fixed
 * length, then texts of UTF-16LE, each behind the number of its units with the closing NUL. */
#include "assess/read_fact.h"
#include <string.h>

enum {
  FIXED_BYTES = 68,
  NAME_AT = FIXED_BYTES + 2, /* behind the count of running instances */
  STATUS_DISABLED = 0x41302,
  FLAG_DISABLED = 0x4
};

typedef struct {
  const uint8_t *data;
  size_t n, at;
} Cursor;

static uint32_t u16_at(const uint8_t *data, size_t at) {
  return data[at] | (uint32_t)data[at + 1] << 8;
}

static uint32_t u32_at(const uint8_t *data, size_t at) {
  return u16_at(data, at) | u16_at(data, at + 2) << 16;
}

bool fact_is_job(const uint8_t *data, uint64_t n) {
  static const uint16_t products[] = {0x0400, 0x0500, 0x0501, 0x0502, 0x0600,
                                      0x0601, 0x0602, 0x0603, 0x0a00};
  if (n < NAME_AT + 2 || u16_at(data, 2) != 1 || u16_at(data, 20) != NAME_AT)
    return false;
  for (guint i = 0; i < G_N_ELEMENTS(products); i++)
    if (u16_at(data, 0) == products[i])
      return true;
  return false;
}

/* The next text (transfer full); NULL where the bytes end before it does or it is no text. */
static char *next_text(Cursor *cursor) {
  if (cursor->n - cursor->at < 2)
    return NULL;
  size_t bytes = (size_t)u16_at(cursor->data, cursor->at) * 2;
  cursor->at += 2;
  if (cursor->n - cursor->at < bytes)
    return NULL;
  const uint8_t *text = cursor->data + cursor->at;
  cursor->at += bytes;
  while (bytes >= 2 && u16_at(text, bytes - 2) == 0)
    bytes -= 2;
  char *out = g_convert((const char *)text, (gssize)bytes, "UTF-8", "UTF-16LE", NULL, NULL, NULL);
  return out; /* a NUL within ends it, as it does for the scheduler */
}

/* A SYSTEMTIME in the machine's own zone; all zero where the task never ran. */
static char *last_run(const uint8_t *data) {
  uint32_t year = u16_at(data, 52), month = u16_at(data, 54), day = u16_at(data, 58);
  uint32_t hour = u16_at(data, 60), minute = u16_at(data, 62), second = u16_at(data, 64);
  if (year < 1980 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
      minute > 59 || second > 59)
    return g_strdup("last run not recorded");
  return g_strdup_printf("last run %04u-%02u-%02u %02u:%02u:%02u (the machine's time)", year, month,
                         day, hour, minute, second);
}

void fact_read_job(GPtrArray *facts, const uint8_t *data, size_t n) {
  Cursor cursor = {data, n, NAME_AT};
  g_autofree char *command = next_text(&cursor);
  g_autofree char *arguments = command != NULL ? next_text(&cursor) : NULL;
  g_autofree char *directory = arguments != NULL ? next_text(&cursor) : NULL;
  g_autofree char *author = directory != NULL ? next_text(&cursor) : NULL;
  if (author == NULL || *command == '\0')
    return;
  bool is_disabled = u32_at(data, 44) == STATUS_DISABLED || (u32_at(data, 48) & FLAG_DISABLED) != 0;
  g_autofree char *target = fact_command(command, arguments, directory);
  g_autofree char *ran = last_run(data);
  g_autofree char *detail = g_strdup_printf("author %s; %s", author, ran);
  fact_add(facts, is_disabled ? "disabled-task" : "task", target, detail);
}
