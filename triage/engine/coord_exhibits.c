/* SPDX-License-Identifier: Apache-2.0 */
/* coord_exhibits.c - reads the list; profiles that several exhibits name are loaded once. */
#include "engine/coord_exhibits.h"
#include "base/text.h"
#include "engine/coord_csv.h"
#include "engine/coord_private.h"
#include <string.h>

enum { EXHIBITS_MAX = 100000 };
enum { COLUMN_PATH, COLUMN_NUMBER, COLUMN_NOTES, COLUMN_PROFILE, COLUMNS };

typedef struct {
  const char *shown;
  char **benign;
  ExhibitList *list;
  int column[COLUMNS]; /* -1: it has none */
} Reading;

static void exhibit_free(Exhibit *exhibit) {
  g_free(exhibit->path);
  g_free(exhibit->number);
  g_free(exhibit->notes);
  g_free(exhibit->profile);
  g_free(exhibit);
}

ExhibitList *exhibit_list_new(void) {
  ExhibitList *list = g_new0(ExhibitList, 1);
  list->exhibits = g_ptr_array_new_with_free_func((GDestroyNotify)exhibit_free);
  list->sets = g_ptr_array_new_with_free_func((GDestroyNotify)profile_set_free);
  list->files = g_ptr_array_new_with_free_func(g_free);
  return list;
}

void exhibit_list_free(ExhibitList *list) {
  if (list == NULL)
    return;
  g_ptr_array_unref(list->exhibits);
  g_ptr_array_unref(list->sets);
  g_ptr_array_unref(list->files);
  g_free(list);
}

/* "Evidence number" and "evidence_number" are the same column. */
static bool is_title(const char *field, const char *title) {
  g_autofree char *name = g_ascii_strdown(field, -1);
  g_strdelimit(g_strstrip(name), " -", '_');
  return strcmp(name, title) == 0;
}

static bool take_header(Reading *reading, const GPtrArray *fields, GError **error) {
  static const char *const TITLES[COLUMNS] = {"path", "evidence_number", "notes", "site_profile"};
  for (guint i = 0; i < fields->len; i++) {
    const char *field = fields->pdata[i];
    if (i == 0 && g_str_has_prefix(field, "\xef\xbb\xbf"))
      field += 3;
    gsize column = 0;
    while (column < COLUMNS && !is_title(field, TITLES[column]))
      column++;
    if (column == COLUMNS) {
      g_autofree char *name = text_printable(field, strlen(field));
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s: has a column '%s'; its first row may name path, evidence_number, "
                         "notes and site_profile",
                         reading->shown, name);
    }
    reading->column[column] = (int)i;
  }
  return reading->column[COLUMN_PATH] >= 0 ||
         triage_fail(error, TRIAGE_REASON_USAGE, "%s: its first row names no column path",
                     reading->shown);
}

static char *field_of(const Reading *reading, const GPtrArray *fields, int column) {
  int at = reading->column[column];
  bool has = at >= 0 && (guint)at < fields->len;
  return g_strstrip(g_strdup(has ? fields->pdata[at] : ""));
}

static bool find_profiles(ExhibitList *list, char **benign, Exhibit *exhibit, GError **error) {
  if (*exhibit->profile == '\0')
    return true;
  for (guint i = 0; i < list->files->len && exhibit->profiles == NULL; i++)
    if (strcmp(list->files->pdata[i], exhibit->profile) == 0)
      exhibit->profiles = list->sets->pdata[i];
  if (exhibit->profiles != NULL)
    return true;
  g_autoptr(GPtrArray) files = g_ptr_array_new();
  for (guint i = 0; benign != NULL && benign[i] != NULL; i++)
    g_ptr_array_add(files, benign[i]);
  g_ptr_array_add(files, exhibit->profile);
  g_ptr_array_add(files, NULL);
  ProfileSet *set = inputs_read_profiles((char **)files->pdata, error);
  if (set == NULL)
    return false;
  g_ptr_array_add(list->sets, set);
  g_ptr_array_add(list->files, g_strdup(exhibit->profile));
  exhibit->profiles = set;
  return true;
}

bool exhibit_list_add(ExhibitList *list, const char *path, const char *profile, char **benign,
                      GError **error) {
  Exhibit *exhibit = g_new0(Exhibit, 1);
  exhibit->path = g_strdup(path);
  exhibit->number = g_strdup("");
  exhibit->notes = g_strdup("");
  exhibit->profile = g_strdup(profile);
  g_ptr_array_add(list->exhibits, exhibit);
  return find_profiles(list, benign, exhibit, error);
}

static bool take_row(void *user, const GPtrArray *fields, uint64_t number, GError **error) {
  Reading *reading = user;
  if (number == 1)
    return take_header(reading, fields, error);
  Exhibit *exhibit = g_new0(Exhibit, 1);
  exhibit->path = field_of(reading, fields, COLUMN_PATH);
  exhibit->number = field_of(reading, fields, COLUMN_NUMBER);
  exhibit->notes = field_of(reading, fields, COLUMN_NOTES);
  exhibit->profile = field_of(reading, fields, COLUMN_PROFILE);
  g_ptr_array_add(reading->list->exhibits, exhibit);
  if (*exhibit->path == '\0')
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: row %llu names no path", reading->shown,
                       (unsigned long long)number);
  if (reading->list->exhibits->len > EXHIBITS_MAX)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: has more than %d rows", reading->shown,
                       EXHIBITS_MAX);
  return find_profiles(reading->list, reading->benign, exhibit, error);
}

ExhibitList *exhibit_list_read(const char *path, char **benign, GError **error) {
  g_autofree char *shown = text_printable(path, strlen(path));
  g_autoptr(ExhibitList) list = exhibit_list_new();
  Reading reading = {shown, benign, list, {-1, -1, -1, -1}};
  if (!csv_read(path, true, take_row, &reading, error))
    return NULL;
  if (list->exhibits->len > 0)
    return g_steal_pointer(&list);
  triage_fail(error, TRIAGE_REASON_USAGE, "%s: lists no evidence", shown);
  return NULL;
}

char **exhibit_list_paths(const ExhibitList *list) {
  char **paths = g_new0(char *, (gsize)list->exhibits->len + 1);
  for (guint i = 0; i < list->exhibits->len; i++)
    paths[i] = g_strdup(((const Exhibit *)list->exhibits->pdata[i])->path);
  return paths;
}

const ProfileSet *exhibit_list_profiles(const ExhibitList *list, guint no, const ProfileSet *all) {
  if (list == NULL || no == 0 || no > list->exhibits->len)
    return all;
  const Exhibit *exhibit = list->exhibits->pdata[no - 1];
  return exhibit->profiles != NULL ? exhibit->profiles : all;
}
