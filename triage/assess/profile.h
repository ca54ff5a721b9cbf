/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - benign profiles and site facts as loaded from YAML, for the coordinator's judging
 * files alone. Everything in them is the user's word, nothing comes from evidence. */
#pragma once
#include "assess/assess.h"

typedef enum { CONTENT_SCRIPT, CONTENT_MAIL_STORE } ProfileContent;

typedef struct {
  GPtrArray *kinds;  /* char*: kinds of facts, any one */
  GPtrArray *stores; /* char*: globs of places where such a fact counts */
  bool is_product;   /* the fact names a directory that a product runs all scripts of */
} CorroborationRule;

typedef struct {
  char *id, *scenario, *title;
  guint rank; /* where several hold, the lowest speaks */
  ProfileContent content;
  bool needs_recipients, takes_local_server, needs_hint;
  bool is_likely_without;  /* likely-benign also where nothing corroborates */
  bool needs_stated_relay; /* and then only where the site itself stated the relay */
  GPtrArray *hint_paths, *hint_words;
  GPtrArray *corroboration; /* CorroborationRule* */
} Profile;

typedef struct {
  bool is_v6;
  uint8_t address[16];
  guint bits;
} Network;

typedef struct {
  GPtrArray *names; /* char*: folded */
  GArray *networks; /* Network */
} HostList;

typedef struct {
  char *scenario, *note;
} Approval;

struct _ProfileSet {
  GPtrArray *profiles; /* Profile*, by rank and id */
  GPtrArray *files;    /* char*: name, sha256, name, sha256 ... */
  /* the site's own facts */
  GPtrArray *domains; /* char*: "corp.example" or "*.corp.example" */
  HostList relays, monitoring_hosts, backup_hosts;
  GPtrArray *report_directories; /* char*: "/Reports", without the drive */
  GHashTable *approved;          /* sha256 -> Approval */
  /* what speaks against, shipped */
  GPtrArray *freemail, *temporary, *user_places, *system_tables, *encoded_views, *sensitive_files,
      *archive_suffixes, *libraries, *mention_places, *no_runners, *system_names;
};

/* A '*' glob over text; folds ASCII case. The pattern's parts are tried once each. */
bool profile_glob(const char *pattern, const char *text);
bool profile_matches(const GPtrArray *patterns, const char *text);
