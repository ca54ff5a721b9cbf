/* SPDX-License-Identifier: Apache-2.0 */
/* table_out.c - quoting is libcsv's. */
#include "reports/table_out.h"
#include <csv.h>
#include <string.h>

void table_field(Table *table, const char *text) {
  if (table->row->len > 0)
    g_string_append_c(table->row, ',');
  /* A cell that begins like a formula would be run by a spreadsheet. */
  static const char *const STARTS[] = {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"};
  g_autofree char *guarded = NULL;
  for (gsize i = 0; guarded == NULL && i < G_N_ELEMENTS(STARTS); i++)
    if (g_str_has_prefix(text, STARTS[i]))
      guarded = g_strconcat("'", text, NULL);
  const char *cell = guarded != NULL ? guarded : text;
  gsize n = strlen(cell);
  if (n == 0 || strpbrk(cell, ",\"\r\n") == NULL) {
    /* Quotes only where they are needed; an empty first cell still counts as written. */
    g_string_append(table->row, n > 0 || table->row->len > 0 ? cell : "\"\"");
    return;
  }
  gsize size = 2 * n + 2, old = table->row->len;
  g_string_set_size(table->row, old + size);
  gsize written = csv_write(table->row->str + old, size, cell, n);
  g_string_set_size(table->row, old + MIN(written, size));
}

void table_number(Table *table, bool has, uint64_t number) {
  char text[24] = "";
  if (has)
    g_snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  table_field(table, text);
}

void table_time(Table *table, const TriageTime *time) {
  char text[64];
  triage_time_format(time, text, sizeof text);
  table_field(table, text);
}

void table_end_row(Table *table) {
  g_string_append(table->row, "\r\n");
  out_text(&table->out, table->row->str);
  g_string_truncate(table->row, 0);
}

static void head(Table *table, const char *names) {
  out_text(&table->out, names);
  out_text(&table->out, "\r\n");
}

void table_begin(Table *table, int fd, const char *names) {
  out_init(&table->out, fd);
  table->row = g_string_new(NULL);
  head(table, names);
}

bool table_finish(Table *table, bool ok, GError **error) {
  g_string_free(table->row, TRUE);
  GError *problem = NULL;
  bool written = out_finish(&table->out, &problem);
  if (ok && !written)
    g_propagate_error(error, g_steal_pointer(&problem));
  g_clear_error(&problem);
  return ok && written;
}
