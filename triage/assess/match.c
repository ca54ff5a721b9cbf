/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - hosts, addresses, domains. Names are compared whole and exactly (ASCII case aside);
 * addresses of hosts only in the one form that everybody reads alike. */
#include "assess/match.h"
#include "base/keyhash.h"
#include <arpa/inet.h>
#include <string.h>

bool profile_glob(const char *pattern, const char *text) {
  const char *star = NULL, *again = NULL;
  while (*text != '\0') {
    if (*pattern == '*') {
      star = pattern++;
      again = text;
    } else if (g_ascii_tolower(*pattern) == g_ascii_tolower(*text)) {
      pattern++;
      text++;
    } else if (star != NULL) {
      pattern = star + 1;
      text = ++again;
    } else {
      return false;
    }
  }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

bool profile_matches(const GPtrArray *patterns, const char *text) {
  for (guint i = 0; i < patterns->len; i++)
    if (profile_glob(patterns->pdata[i], text))
      return true;
  return false;
}

void inferred_init(Inferred *inferred, const GPtrArray *facts) {
  static const char *const nobody[] = {"nt authority", "builtin", "workgroup", "nt service", "."};
  inferred->mail_domains = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  inferred->account_domains = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  for (guint i = 0; facts != NULL && i < facts->len; i++) {
    const FactRef *fact = facts->pdata[i];
    bool is_mail = strcmp(fact->kind, "mail-domain") == 0;
    if (!fact->is_live || (!is_mail && strcmp(fact->kind, "account-domain") != 0))
      continue;
    char *name = g_ascii_strdown(fact->target, -1);
    bool is_nobody = false;
    for (guint k = 0; k < G_N_ELEMENTS(nobody); k++)
      is_nobody = is_nobody || strcmp(name, nobody[k]) == 0;
    if (is_nobody || *name == '\0')
      g_free(name);
    else
      g_hash_table_add(is_mail ? inferred->mail_domains : inferred->account_domains, name);
  }
}

void inferred_clear(Inferred *inferred) {
  g_clear_pointer(&inferred->mail_domains, g_hash_table_unref);
  g_clear_pointer(&inferred->account_domains, g_hash_table_unref);
}

bool site_is_stated(const ProfileSet *set) {
  return set->domains->len + set->relays.names->len + set->relays.networks->len > 0;
}

static bool is_same_or_below(const char *name, const char *domain) {
  size_t n = strlen(name), m = strlen(domain);
  return strcmp(name, domain) == 0 ||
         (n > m && name[n - m - 1] == '.' && strcmp(name + n - m, domain) == 0);
}

static bool is_freemail(const ProfileSet *set, const char *name) {
  for (guint i = 0; i < set->freemail->len; i++)
    if (is_same_or_below(name, set->freemail->pdata[i]))
      return true;
  return false;
}

/* A mail domain: as stated, or below a "*." one. */
static bool is_site_domain(const ProfileSet *set, const char *domain) {
  for (guint i = 0; i < set->domains->len; i++) {
    const char *stated = set->domains->pdata[i];
    bool is_wide = g_str_has_prefix(stated, "*.");
    if (is_wide ? is_same_or_below(domain, stated + 2) && strcmp(domain, stated + 2) != 0
                : strcmp(domain, stated) == 0)
      return true;
  }
  return false;
}

static bool is_below_site(const ProfileSet *set, const char *host) {
  for (guint i = 0; i < set->domains->len; i++) {
    const char *stated = set->domains->pdata[i];
    if (is_same_or_below(host, g_str_has_prefix(stated, "*.") ? stated + 2 : stated))
      return true;
  }
  return false;
}

/* The evidence names the domain, or the accounts of the machine are of DOMAIN and this is DOMAIN.x.
 * Two labels at least: "corp" alone says nothing. */
static bool is_inferred_domain(const Inferred *inferred, const char *name) {
  for (const char *at = name; at != NULL && strchr(at, '.') != NULL;) {
    if (g_hash_table_contains(inferred->mail_domains, at))
      return true;
    const char *dot = strchr(at, '.');
    g_autofree char *label = g_strndup(at, (gsize)(dot - at));
    /* corp.example, not corp.example.evil.test: nothing but one label or a country pair behind it
     */
    const char *rest = dot + 1, *second = strchr(rest, '.');
    bool is_short = second == NULL || (strchr(second + 1, '.') == NULL && strlen(second + 1) == 2 &&
                                       second - rest <= 3);
    if (is_short && g_hash_table_contains(inferred->account_domains, label))
      return true;
    at = rest;
  }
  return false;
}

static bool is_name(const char *text) {
  if (*text == '\0' || strlen(text) > 253 || *text == '.' || *text == '-')
    return false;
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_' && (*at != '.' || at[1] == '.'))
      return false;
  return true;
}

/* Digits and dots, or 0x: an address in some form, though not in the plain one. */
static bool is_numeric(const char *text) {
  const char *last = strrchr(text, '.');
  last = last != NULL ? last + 1 : text;
  bool is_hex = g_ascii_strncasecmp(last, "0x", 2) == 0;
  return is_hex || (*last != '\0' && strspn(last, "0123456789") == strlen(last));
}

static bool is_in_network(const Network *network, bool is_v6, const uint8_t *address) {
  if (network->is_v6 != is_v6)
    return false;
  guint whole = network->bits / 8, rest = network->bits % 8;
  if (memcmp(network->address, address, whole) != 0)
    return false;
  uint8_t mask = (uint8_t)(0xff00u >> rest);
  return rest == 0 || ((network->address[whole] ^ address[whole]) & mask) == 0;
}

static bool is_in_networks(const GArray *networks, bool is_v6, const uint8_t *address) {
  for (guint i = 0; i < networks->len; i++)
    if (is_in_network(&g_array_index(networks, Network, i), is_v6, address))
      return true;
  return false;
}

static bool is_private(bool is_v6, const uint8_t *a) {
  if (is_v6)
    return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
  return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
         (a[0] == 169 && a[1] == 254);
}

static Party party_of_ip(const ProfileSet *set, bool is_v6, const uint8_t *address) {
  static const uint8_t loopback[16] = {[15] = 1};
  if (is_in_networks(set->relays.networks, is_v6, address))
    return PARTY_SITE;
  if (is_v6 ? memcmp(address, loopback, 16) == 0 : address[0] == 127)
    return PARTY_LOCAL;
  if (is_private(is_v6, address))
    return site_is_stated(set) ? PARTY_UNLISTED : PARTY_INFERRED;
  return PARTY_OUTSIDE;
}

static bool is_in(const GPtrArray *names, const char *name) {
  for (guint i = 0; i < names->len; i++)
    if (strcmp(names->pdata[i], name) == 0)
      return true;
  return false;
}

static bool looks_internal(const char *name) {
  static const char *const suffixes[] = {".local", ".lan",       ".internal",   ".intranet",
                                         ".intra", ".home.arpa", ".localdomain"};
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
    if (g_str_has_suffix(name, suffixes[i]))
      return true;
  return strchr(name, '.') == NULL;
}

bool host_is_listed(const HostList *hosts, const char *host) {
  g_autofree char *name = g_strstrip(g_ascii_strdown(host, -1));
  uint8_t address[16];
  char *colon = strchr(name, ':');
  if (colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1))
    *colon = '\0';
  if (inet_pton(AF_INET6, name, address) == 1)
    return is_in_networks(hosts->networks, true, address);
  if (inet_pton(AF_INET, name, address) == 1)
    return is_in_networks(hosts->networks, false, address);
  return is_in(hosts->names, name);
}

Party party_of_host(const ProfileSet *set, const Inferred *inferred, const char *host) {
  g_autofree char *name = g_strstrip(g_ascii_strdown(host, -1));
  uint8_t address[16];
  size_t n = strlen(name);
  if (n > 2 && name[0] == '[' && name[n - 1] == ']') {
    memmove(name, name + 1, n - 2);
    name[n - 2] = '\0';
  }
  if (strchr(name, ':') != NULL && inet_pton(AF_INET6, name, address) == 1)
    return party_of_ip(set, true, address);
  char *colon = strchr(name, ':');
  if (colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1))
    *colon = '\0';
  n = strlen(name);
  if (n > 1 && name[n - 1] == '.')
    name[n - 1] = '\0';
  if (!is_name(name))
    return PARTY_UNKNOWN;
  if (inet_pton(AF_INET, name, address) == 1)
    return party_of_ip(set, false, address);
  if (is_numeric(name))
    return PARTY_UNKNOWN;
  if (is_in(set->relays.names, name))
    return PARTY_SITE;
  if (strcmp(name, "localhost") == 0)
    return PARTY_LOCAL;
  if (is_freemail(set, name))
    return PARTY_FREEMAIL;
  if (set->relays.names->len + set->relays.networks->len > 0)
    return is_below_site(set, name) || looks_internal(name) ? PARTY_UNLISTED : PARTY_OUTSIDE;
  if (site_is_stated(set))
    return is_below_site(set, name) ? PARTY_INFERRED
           : looks_internal(name)   ? PARTY_UNLISTED
                                    : PARTY_OUTSIDE;
  return is_inferred_domain(inferred, name) || looks_internal(name) ? PARTY_INFERRED
                                                                    : PARTY_OUTSIDE;
}

static Party party_of_domain(const ProfileSet *set, const Inferred *inferred, const char *domain) {
  if (!is_name(domain) || is_numeric(domain))
    return PARTY_UNKNOWN;
  if (is_site_domain(set, domain))
    return PARTY_SITE;
  if (is_freemail(set, domain))
    return PARTY_FREEMAIL;
  if (site_is_stated(set))
    return is_below_site(set, domain) ? PARTY_UNLISTED : PARTY_OUTSIDE;
  bool is_internal = strchr(domain, '.') != NULL && looks_internal(domain);
  return is_inferred_domain(inferred, domain) || is_internal ? PARTY_INFERRED : PARTY_OUTSIDE;
}

/* One address, bare or as Name <address>. What mail software may route on elsewhere (%, !, quotes,
 * a second @) is not told. */
static Party party_of_address(const ProfileSet *set, const Inferred *inferred, const char *text) {
  g_autofree char *address = g_strstrip(g_ascii_strdown(text, -1));
  char *open = strchr(address, '<'), *close = strchr(address, '>');
  if (open != NULL || close != NULL) {
    bool is_plain = open != NULL && close != NULL && close > open && close[1] == '\0' &&
                    memchr(address, '@', (size_t)(open - address)) == NULL &&
                    strchr(open + 1, '<') == NULL;
    if (!is_plain)
      return PARTY_UNKNOWN;
    *close = '\0';
    memmove(address, open + 1, strlen(open + 1) + 1);
    g_strstrip(address);
  }
  char *at = strchr(address, '@');
  if (at == NULL || at == address)
    return PARTY_UNKNOWN;
  for (const char *p = address; p < at; p++)
    if (!g_ascii_isalnum(*p) && strchr("._+-=", *p) == NULL)
      return PARTY_UNKNOWN;
  return party_of_domain(set, inferred, at + 1);
}

Party party_of_addresses(const ProfileSet *set, const Inferred *inferred, const char *text,
                         guint *n) {
  Party worst = PARTY_NONE;
  if (g_str_has_prefix(text, "= ")) {
    (*n)++;
    return PARTY_UNKNOWN;
  }
  g_auto(GStrv) parts = g_strsplit_set(text, ",;", 0);
  for (guint i = 0; parts[i] != NULL; i++) {
    if (*g_strstrip(parts[i]) == '\0')
      continue;
    (*n)++;
    worst = MAX(worst, party_of_address(set, inferred, parts[i]));
  }
  return worst;
}
