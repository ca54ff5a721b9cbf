/* SPDX-License-Identifier: Apache-2.0 */
/* coord_csv.h - tables that the examiner hands in, row by row. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One row: its fields as texts, and its number in the file, from 1. False with error stops. */
typedef bool (*CsvRow)(void *user, const GPtrArray *fields, uint64_t number, GError **error);

/* Reads a CSV file (RFC 4180, to the letter where is_strict; empty lines are left out). False with
 * error (usage) where it cannot be read, breaks the format, or a row was refused. */
bool csv_read(const char *path, bool is_strict, CsvRow row, void *user, GError **error);
