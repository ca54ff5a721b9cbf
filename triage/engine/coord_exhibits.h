/* SPDX-License-Identifier: Apache-2.0 */
/* coord_exhibits.h - the list of evidence of a case: what each piece is called, and which site's
 * profile it is judged by. */
#pragma once
#include "assess/assess.h"
#include <glib.h>

typedef struct {
  char *path, *number, *notes; /* "" where not given */
  char *profile;               /* file, "" where it has none of its own */
  const ProfileSet *profiles;  /* owned by the list; NULL: those of the whole case */
} Exhibit;

typedef struct {
  GPtrArray *exhibits; /* Exhibit* */
  GPtrArray *sets;     /* ProfileSet*, one for each file named */
  GPtrArray *files;    /* char*: those files, in the same order */
} ExhibitList;

/* CSV with a header row: path, and as wanted evidence_number, notes, site_profile, in any order. A
 * profile holds beside those of benign (the case's own). Fails (usage) with the row.
 * (transfer full) */
ExhibitList *exhibit_list_read(const char *path, char **benign, GError **error);
void exhibit_list_free(ExhibitList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExhibitList, exhibit_list_free)

/* A list without a file: exhibits are added in order of number; profile may be "". */
ExhibitList *exhibit_list_new(void); /* (transfer full) */
bool exhibit_list_add(ExhibitList *list, const char *path, const char *profile, char **benign,
                      GError **error);

/* The paths, NULL-terminated. (transfer full) */
char **exhibit_list_paths(const ExhibitList *list);
/* The profiles that evidence number no is judged by; all: those of the whole case. */
const ProfileSet *exhibit_list_profiles(const ExhibitList *list, guint no, const ProfileSet *all);
