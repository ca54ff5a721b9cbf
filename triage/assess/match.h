/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - whose is a host or a mail address: compared as mail software would read it, so that
 * what only looks like the site's is not taken for it. Also globs and the case's own facts. */
#pragma once
#include "assess/profile.h"

/* In order of trust: of several, the last one counts. */
typedef enum {
  PARTY_NONE,     /* none is named */
  PARTY_SITE,     /* the site stated it */
  PARTY_INFERRED, /* the site stated nothing; the evidence implies it */
  PARTY_LOCAL,    /* the machine itself */
  PARTY_UNLISTED, /* looks like the site's, which did not state it */
  PARTY_UNKNOWN,  /* made at run time, or written so that it cannot be told */
  PARTY_OUTSIDE,
  PARTY_FREEMAIL, /* a public mail provider */
} Party;

/* What the evidence says of the site by itself. */
typedef struct {
  GHashTable *mail_domains, *account_domains; /* folded names */
} Inferred;
void inferred_init(Inferred *inferred, const GPtrArray *facts);
void inferred_clear(Inferred *inferred);

/* host, also with a port, is on the list or in one of its ranges. */
bool host_is_listed(const HostList *hosts, const char *host);

bool site_is_stated(const ProfileSet *set);
Party party_of_host(const ProfileSet *set, const Inferred *inferred, const char *host);
/* The last in order of trust of all addresses in text; *n counts them. */
Party party_of_addresses(const ProfileSet *set, const Inferred *inferred, const char *text,
                         guint *n);
