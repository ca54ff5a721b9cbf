/* SPDX-License-Identifier: Apache-2.0 */
/* coord_areas.c - the words of --areas. */
#include "engine/coord.h"
#include "evidence/object.h"
#include <string.h>

static const struct {
  const char *word;
  uint32_t bit;
} WORDS[] = {
    {"allocated", AREAS_ALLOCATED}, {"deleted", AREAS_DELETED},         {"orphan", AREAS_ORPHAN},
    {"slack", AREAS_SLACK},         {"unallocated", AREAS_UNALLOCATED}, {"gaps", AREAS_GAPS},
};

bool areas_parse(const char *list, uint32_t *areas) {
  *areas = 0;
  g_auto(GStrv) words = g_strsplit(list, ",", -1);
  for (guint i = 0; words[i] != NULL; i++) {
    uint32_t bit = strcmp(words[i], "all") == 0 ? AREAS_ALL : 0;
    for (gsize j = 0; j < G_N_ELEMENTS(WORDS); j++)
      if (strcmp(words[i], WORDS[j].word) == 0)
        bit = WORDS[j].bit;
    if (bit == 0)
      return false;
    *areas |= bit;
  }
  return *areas != 0;
}

char *areas_format(uint32_t areas) {
  GString *text = g_string_new(NULL);
  for (gsize j = 0; j < G_N_ELEMENTS(WORDS); j++)
    if ((areas & WORDS[j].bit) != 0)
      g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", WORDS[j].word);
  return g_string_free(text, FALSE);
}
