/* SPDX-License-Identifier: Apache-2.0 */
/* part_name.c - see part_name.h. */
#include "base/part_name.h"
#include "base/limits.h"
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 5 };

/* The digits that end text, as a number; how many there are. */
static unsigned tail_number(const char *text, size_t n, uint32_t *value) {
  unsigned n_digits = 0;
  while (n_digits < n && n_digits <= DIGITS_MAX && g_ascii_isdigit(text[n - n_digits - 1]))
    n_digits++;
  *value = 0;
  for (size_t i = n - n_digits; i < n; i++)
    *value = *value * 10 + (uint32_t)(text[i] - '0');
  return n_digits;
}

static bool ends_with(const char *text, size_t n, const char *end) {
  size_t length = strlen(end);
  return n > length && g_ascii_strncasecmp(text + n - length, end, length) == 0;
}

/* Bytes of the name before what tells the part; *form is one letter for how it tells it. */
static size_t split(const char *name, size_t n, PartName *part, char *form) {
  uint32_t value;
  unsigned n_digits = tail_number(name, n, &value);
  if (ends_with(name, n, ".rar")) {
    n_digits = tail_number(name, n - 4, &value);
    *part = (PartName){.kind = PART_RAR};
    *form = 'r';
    if (n_digits == 0 || n_digits > DIGITS_MAX || value == 0 ||
        !ends_with(name, n - 4 - n_digits, ".part"))
      return n - 4;
    part->number = value - 1;
    *form = 'p';
    return n - 4 - n_digits - 5;
  }
  if (ends_with(name, n, ".zip")) {
    *part = (PartName){.kind = PART_ZIP, .number = PART_LAST};
    *form = 'z';
    return n - 4;
  }
  if (n_digits < 2 || n_digits > DIGITS_MAX || n < n_digits + 2)
    return 0;
  const char *letter = name + n - n_digits - 1;
  *form = (char)g_ascii_tolower(*letter);
  if (*form == '.' && n_digits >= 3 && value > 0) {
    *part = (PartName){.kind = PART_SPLIT, .number = value - 1};
    return n - n_digits - 1;
  }
  if (n < n_digits + 3 || letter[-1] != '.')
    return 0;
  size_t base = n - n_digits - 2;
  if (*form == 'z' && value > 0) {
    *part = (PartName){.kind = PART_ZIP, .number = value - 1};
    return base;
  }
  if (n_digits != 2 || *form < 'r' || *form > 'y')
    return 0;
  *part = (PartName){.kind = PART_RAR, .number = 1 + 100 * (uint32_t)(*form - 'r') + value};
  *form = 'r';
  return base;
}

bool part_name_parse(const void *name, size_t n, PartName *part) {
  char form = 0;
  size_t base = n > 0 && n <= LIMIT_NAME_BYTES ? split(name, n, part, &form) : 0;
  if (base == 0 || (part->number != PART_LAST && part->number >= LIMIT_PARTS))
    return false;
  g_autofree char *folded = g_ascii_strdown(name, (gssize)base);
  part->set = g_strdup_printf("%c %s", form, folded);
  return true;
}

char *part_name_of(const void *name, size_t n, uint32_t number) {
  PartName part;
  char form = 0;
  const char *text = name;
  size_t base = split(text, n, &part, &form);
  uint32_t value;
  if (base == 0)
    return g_strndup(text, n);
  g_autofree char *before = g_strndup(text, base);
  switch (form) {
  case 'p':
    return g_strdup_printf("%s%.5s%0*u%s", before, text + base,
                           (int)tail_number(text, n - 4, &value), number + 1, text + n - 4);
  case 'r':
    return number == 0 ? g_strdup_printf("%s.rar", before)
                       : g_strdup_printf("%s.%c%02u", before, 'r' + (int)((number - 1) / 100 % 8),
                                         (number - 1) % 100);
  case 'z':
    if (number == PART_LAST)
      return g_strdup_printf("%s.zip", before);
    return g_strdup_printf("%s.z%02u", before, number + 1);
  default:
    return g_strdup_printf("%s.%0*u", before, (int)tail_number(text, n, &value), number + 1);
  }
}

bool part_name_is_sure(const void *name, size_t n) {
  static const char *const ENDS[] = {".7z",  ".zip", ".rar", ".tar", ".tgz", ".gz",
                                     ".bz2", ".xz",  ".iso", ".cab", ".arj", ".zst"};
  PartName part;
  char form = 0;
  size_t base = split(name, n, &part, &form);
  if (base == 0 || form != '.')
    return base > 0 && part.kind == PART_ZIP && part.number != PART_LAST;
  for (size_t i = 0; i < G_N_ELEMENTS(ENDS); i++)
    if (ends_with(name, base, ENDS[i]))
      return true;
  return false;
}
