/* SPDX-License-Identifier: Apache-2.0 */
/* table_out.h - a table as RFC 4180 wants it, cell by cell; a cell that a spreadsheet would take
 * for a formula gets ' before it. */
#pragma once
#include "reports/reports_out.h"

typedef struct {
  Out out;
  GString *row;
} Table;

void table_begin(Table *table, int fd, const char *names); /* names: the header row */
void table_field(Table *table, const char *text);
void table_number(Table *table, bool has, uint64_t number); /* has: else the cell is empty */
void table_time(Table *table, const TriageTime *time);
void table_end_row(Table *table);
/* Writes the rest and frees; ok: what was done before. */
bool table_finish(Table *table, bool ok, GError **error);
