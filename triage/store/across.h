/* SPDX-License-Identifier: Apache-2.0 */
/* across.h - what the hits of one or many cases have in common: the same content, similar content,
 * the same server, recipient, user name, password. Reads stores, writes none: what it gathers
 * stands in a nameless database that spills to the directory for temporary files, so that a million
 * hits need no more memory than a thousand. */
#pragma once
#include "store/store.h"

typedef enum {
  ACROSS_CONTENT,
  ACROSS_SIMILAR,
  ACROSS_SERVER,
  ACROSS_RECIPIENT,
  ACROSS_USER,
  ACROSS_PASSWORD,
  ACROSS_KINDS
} AcrossKind;

enum { ACROSS_LEAST = 80 }; /* the score from which contents are similar, if nothing else is said */

typedef struct _Across Across;
Across *across_new(GError **error); /* (transfer full) */
void across_free(Across *across);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Across, across_free)

/* Takes all hits of a case, whose exhibits are told apart by label; exhibits of the same media
 * digest are one. What comes first has the lower numbers: callers keep one order. */
bool across_add_case(Across *across, Store *store, const char *label, const char *seal,
                     GError **error);
/* Forms the groups: once, after the last case. least: the score from which contents are similar. */
bool across_group(Across *across, guint least, GError **error);

typedef struct {
  guint no;
  const char *label, *number; /* "" where none was given */
  const char *seal;           /* SHA-256 of its manifest.sha256, "" where it is not told */
  uint64_t exhibits, hits;
} AcrossCase;
bool across_each_case(Across *across, bool (*row)(void *user, const AcrossCase *item), void *user,
                      GError **error);

typedef struct {
  guint no, same_as; /* same_as: of the first exhibit with the same media digest, else no */
  const char *case_label, *name, *number, *sha256;
  uint64_t hits;
} AcrossExhibit;
bool across_each_exhibit(Across *across, bool (*row)(void *user, const AcrossExhibit *item),
                         void *user, GError **error);

enum { ACROSS_VERDICTS = 4 }; /* as ExhibitTotals orders them */
typedef struct {
  guint no; /* from 1: more exhibits first, then what was seen first */
  AcrossKind kind;
  const char *value; /* of a password: its number among the passwords, never what it is */
  const char *users; /* of a password: the user names that it stands with, joined by "; " */
  uint64_t exhibits, cases, objects, contents;
  uint64_t verdicts[ACROSS_VERDICTS]; /* rows of hits.csv */
  bool has_first;
  int64_t first, last; /* nanoseconds since 1970 */
} AcrossGroup;
/* kind: ACROSS_KINDS for all. Ends when row returns false. */
bool across_each_group(Across *across, AcrossKind kind,
                       bool (*row)(void *user, const AcrossGroup *group), void *user,
                       GError **error);
uint64_t across_count_groups(Across *across, AcrossKind kind);

typedef struct {
  const char *case_label, *case_number, *evidence, *evidence_number;
  guint case_no, exhibit, evidence_no;
  const char *hit_id, *path, *member, *view, *state, *sha256, *fuzzy, *rule, *verdict, *scenario;
  uint64_t size;
  guint score; /* of similar contents: with the one that names the group */
  bool has_first;
  int64_t first, last;                /* nanoseconds since 1970 */
  const char *first_kind, *last_kind; /* "modified (ntfs-standard-information)" */
} AcrossMember;
/* By first seen, then in the order of the cases. Ends when row returns false. */
bool across_each_member(Across *across, const AcrossGroup *group,
                        bool (*row)(void *user, const AcrossMember *member), void *user,
                        GError **error);

/* Each exhibit of a group once, with the first time it was seen there; those without one are left
 * out. In order of time. */
bool across_each_first(Across *across, const AcrossGroup *group,
                       bool (*row)(void *user, const char *evidence, int64_t first), void *user,
                       GError **error);

/* How many different fuzzy digests were too many to be held against the others. */
uint64_t across_not_compared(const Across *across);
/* A time as RFC 3339, UTC. */
void across_time(int64_t nanoseconds, char *out, gsize size);
