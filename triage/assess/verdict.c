/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - from a hit's checked fields to a verdict: first everything that speaks for or against
 * is written down as grounds, then the grounds decide. */
#include "assess/corroborate.h"
#include "assess/ground.h"
#include "assess/match.h"
#include <string.h>

typedef struct {
  const ProfileSet *set;
  const HitView *hit;
  Inferred inferred;
  const char *content;
  bool acts, is_live; /* live: allocated, not a stream */
  Party server, sender, recipients, hidden;
  guint n_recipients, n_attachments;
  bool has_password;
  const char *named; /* a public provider's server that a string names */
  GPtrArray *grounds;
  Verdict *out;
} Judge;

const char *verdict_name(VerdictKind verdict) {
  static const char *const names[] = {"known-benign", "likely-benign", "unexplained", "suspicious"};
  return names[verdict];
}

void verdict_clear(Verdict *verdict) {
  g_free(verdict->scenario);
  g_free(verdict->profile);
  g_free(verdict->reason);
  g_clear_pointer(&verdict->corroboration, g_ptr_array_unref);
  g_clear_pointer(&verdict->grounds, g_array_unref);
}

static void add(Judge *judge, const char *id, const char *detail) {
  ground_add(judge->grounds, id, detail);
}

/* Paths in values are printable: each backslash stands doubled. */
static char *with_slashes(const char *text) {
  g_auto(GStrv) parts = g_strsplit(text, "\\\\", 0);
  return g_strjoinv("/", parts);
}

/* The host of an address or a share, printable; NULL where value is none. (transfer full) */
static char *host_of(const char *value) {
  g_autofree char *low = g_ascii_strdown(value, -1);
  const char *host = strstr(low, "://");
  if (host == NULL && g_str_has_prefix(low, "\\\\\\\\"))
    host = low + 1; /* a share: the three bytes skipped below are the other backslashes */
  if (host == NULL || g_str_has_prefix(low, "file:///"))
    return NULL;
  return g_strndup(host + 3, strcspn(host + 3, "/\\?#"));
}

static bool is_service_host(const ProfileSet *set, const char *host) {
  return host_is_listed(&set->monitoring_hosts, host) || host_is_listed(&set->backup_hosts, host);
}

/* What is fetched from an address may tell that address something: only the site's own are fine. */
static void judge_fetched(Judge *judge, const char *value) {
  g_autofree char *name = host_of(value);
  if (name == NULL || is_service_host(judge->set, name))
    return;
  Party party = party_of_host(judge->set, &judge->inferred, name);
  if (party >= PARTY_UNKNOWN || (party == PARTY_UNLISTED && strchr(name, '.') != NULL))
    add(judge, "other-channel", value);
}

static void judge_attachment(Judge *judge, const char *value) {
  const ProfileSet *set = judge->set;
  judge->n_attachments++;
  judge_fetched(judge, value);
  if (g_str_has_prefix(value, "= "))
    add(judge, "open-attachment", value + 2);
  g_autofree char *path = with_slashes(value);
  g_autofree char *low = g_ascii_strdown(path, -1);
  const char *slash = strrchr(low, '/'), *name = slash != NULL ? slash + 1 : low;
  if (profile_matches(set->sensitive_files, low) || profile_matches(set->sensitive_files, name))
    add(judge, "sensitive-attachment", value);
  for (guint i = 0; i < set->archive_suffixes->len; i++)
    if (strstr(name, set->archive_suffixes->pdata[i]) != NULL)
      add(judge, "archive-attached", value);
}

static void judge_server(Judge *judge, const char *value, bool is_pickup) {
  static const char *const ids[] = {
      [PARTY_SITE] = "site-relay",         [PARTY_INFERRED] = "inferred-relay",
      [PARTY_LOCAL] = "local-relay",       [PARTY_UNLISTED] = "unlisted-server",
      [PARTY_UNKNOWN] = "unknown-server",  [PARTY_OUTSIDE] = "foreign-server",
      [PARTY_FREEMAIL] = "freemail-server"};
  Party party = g_str_has_prefix(value, "= ") ? PARTY_UNKNOWN
                                              : party_of_host(judge->set, &judge->inferred, value);
  if (is_pickup && g_ascii_isalpha(value[0]) && value[1] == ':')
    party = PARTY_LOCAL; /* a folder of the machine */
  judge->server = MAX(judge->server, party);
  bool is_outside = party == PARTY_OUTSIDE && site_is_stated(judge->set);
  add(judge, is_outside ? "outside-server" : ids[party], value);
}

static void judge_recipients(Judge *judge, const char *value, bool is_hidden) {
  static const char *const ids[] = {[PARTY_UNLISTED] = "unlisted-recipients",
                                    [PARTY_UNKNOWN] = "unknown-recipients",
                                    [PARTY_OUTSIDE] = "foreign-recipients",
                                    [PARTY_FREEMAIL] = "freemail-recipients"};
  Party party = party_of_addresses(judge->set, &judge->inferred, value, &judge->n_recipients);
  judge->recipients = MAX(judge->recipients, party);
  if (is_hidden)
    judge->hidden = MAX(judge->hidden, party);
  if (party >= PARTY_UNLISTED)
    add(judge, ids[party], value);
  if (is_hidden && party >= PARTY_OUTSIDE &&
      (party == PARTY_FREEMAIL || site_is_stated(judge->set)))
    add(judge, "hidden-recipients", value);
}

/* The domain of a plain address: monitoring and backups send as root@their-host. */
static const char *domain_of(const char *address) {
  const char *at = strchr(address, '@');
  return at != NULL && strpbrk(at + 1, "@,;<> ") == NULL ? at + 1 : "";
}

static void judge_sender(Judge *judge, const char *value) {
  guint n = 0;
  Party party = is_service_host(judge->set, domain_of(value))
                    ? PARTY_SITE
                    : party_of_addresses(judge->set, &judge->inferred, value, &n);
  judge->sender = MAX(judge->sender, party);
  if (party >= PARTY_UNLISTED)
    add(judge, "foreign-sender", value);
}

static void judge_indicator(Judge *judge, const Indicator *indicator) {
  const char *name = indicator->name, *value = indicator->value;
  if (strcmp(name, "content") == 0)
    judge->content = value;
  else if (strcmp(name, "acts") == 0)
    judge->acts = true;
  else if (strcmp(name, "unsure") == 0)
    add(judge, "unread-parts", "");
  else if (strcmp(name, "smtp_server") == 0 || strcmp(name, "pickup") == 0)
    judge_server(judge, value, *name == 'p');
  else if (strcmp(name, "mail_from") == 0)
    judge_sender(judge, value);
  else if (strcmp(name, "mail_to") == 0 || strcmp(name, "mail_cc") == 0 ||
           strcmp(name, "mail_bcc") == 0)
    judge_recipients(judge, value, strcmp(name, "mail_bcc") == 0);
  else if (strcmp(name, "attachment") == 0)
    judge_attachment(judge, value);
  else if (strcmp(name, "body_source") == 0)
    judge_fetched(judge, value);
  else if (strcmp(name, "sendusing") == 0 && strcmp(value, "2") != 0)
    judge->server = MAX(judge->server, PARTY_LOCAL); /* by the machine's own service */
  else if (strcmp(name, "dynamic") == 0)
    add(judge, "dynamic-code", value);
  else if (strcmp(name, "other_channel") == 0)
    add(judge, "other-channel", value);
  else if (strcmp(name, "runs_program") == 0)
    add(judge, "runs-program", value);
  else if (strcmp(name, "names_server") == 0 &&
           party_of_host(judge->set, &judge->inferred, value) == PARTY_FREEMAIL)
    judge->named = value;
  else if (strcmp(name, "password_present") == 0)
    judge->has_password = true;
}

/* What several indicators say together. */
static void judge_whole(Judge *judge) {
  bool has_loop = false;
  for (guint i = 0; i < judge->hit->indicators->len; i++) {
    const Indicator *indicator = judge->hit->indicators->pdata[i];
    has_loop = has_loop || strcmp(indicator->name, "file_loop") == 0;
  }
  bool is_out = judge->server >= PARTY_OUTSIDE || judge->recipients >= PARTY_OUTSIDE;
  bool is_far = judge->server == PARTY_FREEMAIL || judge->recipients == PARTY_FREEMAIL ||
                site_is_stated(judge->set);
  if (has_loop && judge->n_attachments > 0)
    add(judge, "file-loop", "");
  if (is_out && is_far && judge->n_attachments > 0 && judge->recipients >= PARTY_OUTSIDE)
    add(judge, "outside-recipients", "");
  if (is_out && is_far &&
      (ground_has(judge->grounds, "archive-attached") || ground_has(judge->grounds, "file-loop")))
    add(judge, "archive-outside", "");
  if (judge->named != NULL && judge->server == PARTY_UNKNOWN)
    add(judge, "freemail-named", judge->named);
  if (judge->has_password && judge->server >= PARTY_OUTSIDE)
    add(judge, "outside-credentials", "");
  if (judge->server == PARTY_NONE && judge->acts)
    judge->server = PARTY_LOCAL;
}

/* The last name of the hit's own path: that of the member, where it is one. */
static const char *last_name(const HitView *hit) {
  const char *path = *hit->member != '\0' ? hit->member : hit->path, *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* Views made from one another stand as steps: "base64+utf-16le". */
static bool is_encoded(const ProfileSet *set, const char *view) {
  g_auto(GStrv) steps = g_strsplit(view, "+", 0);
  bool is = false;
  for (guint i = 0; steps[i] != NULL; i++)
    is = is || profile_matches(set->encoded_views, steps[i]);
  return is;
}

static void judge_place(Judge *judge) {
  const HitView *hit = judge->hit;
  bool is_allocated = strcmp(hit->state, "allocated") == 0;
  judge->is_live = is_allocated && !hit->is_named_stream;
  if (!is_allocated)
    add(judge, "deleted", hit->state);
  if (hit->is_named_stream)
    add(judge, "stream", "");
  if (hit->is_timestomped)
    add(judge, "timestomped", "");
  if (profile_matches(judge->set->temporary, hit->path))
    add(judge, "temporary-place", hit->path);
  else if (profile_matches(judge->set->user_places, hit->path))
    add(judge, "user-place", "");
  if (is_encoded(judge->set, hit->view))
    add(judge, "encoded", hit->view);
  else if (strcmp(hit->view, "raw") != 0)
    add(judge, "converted-view", hit->view);
  if (*hit->member != '\0')
    add(judge, "in-container", "");
  if (judge->acts && strcmp(judge->content, "program") != 0 &&
      profile_matches(judge->set->system_names, last_name(hit)))
    add(judge, "system-name", last_name(hit));
}

static void judge_tasks(Judge *judge) {
  const FactRef *task = corroborate_short_lived(judge->set, judge->hit);
  if (task != NULL && judge->acts)
    add(judge, "short-lived-task", task->path);
  task = judge->is_live && judge->acts ? corroborate_deleted_task(judge->set, judge->hit) : NULL;
  if (task != NULL)
    add(judge, "deleted-task", task->path);
}

static void conclude(Judge *judge, VerdictKind verdict, const char *scenario, const char *profile,
                     char *reason) {
  judge->out->verdict = verdict;
  judge->out->scenario = g_strdup(scenario);
  judge->out->profile = g_strdup(profile);
  judge->out->reason = reason;
}

/* Content that no script interpreter runs. True where that decides. */
static bool conclude_without_script(Judge *judge) {
  const HitView *hit = judge->hit;
  if (profile_matches(judge->set->system_tables, hit->path) && *hit->member == '\0') {
    conclude(judge, VERDICT_UNEXPLAINED, "", "",
             g_strdup("A table or memory file of the system itself holds copies of other files' "
                      "text; the files are listed on their own where they still exist."));
    return true;
  }
  if (judge->acts)
    return false;
  const char *ground = NULL;
  if (judge->is_live && !hit->is_timestomped && *hit->member == '\0') {
    if (strcmp(judge->content, "rules") == 0)
      ground = "rule-file";
    else if (strcmp(judge->content, "program") == 0 &&
             profile_matches(judge->set->libraries, hit->path))
      ground = "library";
    else if (strcmp(judge->content, "text") == 0 && !ground_has(judge->grounds, "unread-parts") &&
             profile_matches(judge->set->mention_places, hit->path))
      ground = "mention";
  }
  if (ground != NULL) {
    add(judge, ground, "");
    g_autofree char *why = ground_sentence(judge->grounds, WEIGHT_FOR, 1);
    conclude(judge, VERDICT_LIKELY_BENIGN, "", "", g_strdup_printf("Likely benign: %s.", why));
    return true;
  }
  g_autofree char *place = ground_sentence(judge->grounds, WEIGHT_AGAINST, 3);
  conclude(
      judge, VERDICT_UNEXPLAINED, "", "",
      g_strdup_printf("No statement that builds or sends a mail was read in this content (%s)%s%s.",
                      judge->content, *place != '\0' ? "; " : "", place));
  return true;
}

/* The script works for one of the hosts that the site states for such a purpose: it sends in its
 * name or takes from it what it mails. */
static bool is_for_host(const HostList *hosts, const Indicator *indicator) {
  if (strcmp(indicator->name, "mail_from") == 0)
    return host_is_listed(hosts, domain_of(indicator->value));
  if (strcmp(indicator->name, "attachment") != 0 && strcmp(indicator->name, "body_source") != 0)
    return false;
  g_autofree char *host = host_of(indicator->value);
  return host != NULL && host_is_listed(hosts, host);
}

static bool has_hint(const Judge *judge, const Profile *profile) {
  static const HostList nobody = {0};
  bool is_health = strcmp(profile->scenario, "health-check") == 0;
  bool is_backup = strcmp(profile->scenario, "backup-notification") == 0;
  const HostList *hosts = is_health   ? &judge->set->monitoring_hosts
                          : is_backup ? &judge->set->backup_hosts
                                      : &nobody;
  if (profile_matches(profile->hint_paths, judge->hit->path))
    return true;
  for (guint i = 0; i < judge->hit->indicators->len; i++) {
    const Indicator *indicator = judge->hit->indicators->pdata[i];
    if (hosts != &nobody && is_for_host(hosts, indicator))
      return true;
    if (strcmp(indicator->name, "subject") != 0 && strcmp(indicator->name, "attachment") != 0)
      continue;
    g_autofree char *low = g_ascii_strdown(indicator->value, -1);
    for (guint k = 0; k < profile->hint_words->len; k++)
      if (strstr(low, profile->hint_words->pdata[k]) != NULL)
        return true;
  }
  return false;
}

/* The directory that the site states for its reports and the script lies in or below; NULL where
 * it does not, or the profile is for something else. */
static const char *report_directory(const Judge *judge, const Profile *profile) {
  const GPtrArray *directories = judge->set->report_directories;
  if (strcmp(profile->scenario, "scheduled-report") != 0)
    return NULL;
  for (guint i = 0; i < directories->len; i++) {
    const char *directory = directories->pdata[i];
    size_t n = strlen(directory);
    if (g_ascii_strncasecmp(judge->hit->path, directory, n) == 0 && judge->hit->path[n] == '/')
      return directory;
  }
  return NULL;
}

static char *corroboration_text(const HitView *hit, const FactRef *fact, bool is_product) {
  bool is_cache = strcmp(fact->kind, "registry-task") == 0;
  const char *times = is_cache ? corroborate_task_times(hit, fact) : NULL;
  bool has_detail = *fact->detail != '\0';
  g_autofree char *detail = g_strconcat(fact->detail, has_detail && times != NULL ? "; " : "",
                                        times != NULL ? times : "", NULL);
  return g_strdup_printf("%s of %s, SHA-256 %s: %s %s %s%s%s%s", fact->path, fact->evidence,
                         *fact->sha256 != '\0' ? fact->sha256 : "not known", fact->kind,
                         is_product ? "is" : "runs", fact->target, *detail != '\0' ? " (" : "",
                         detail, *detail != '\0' ? ")" : "");
}

static char *store_text(const FactRef *fact) {
  return g_strdup_printf("%s of %s, SHA-256 %s: is a mail store (%s)", fact->path, fact->evidence,
                         *fact->sha256 != '\0' ? fact->sha256 : "not known", fact->target);
}

static bool holds_content(const Judge *judge, const Profile *profile) {
  bool server = judge->server == PARTY_SITE || judge->server == PARTY_INFERRED ||
                (profile->takes_local_server && judge->server == PARTY_LOCAL);
  bool recipients = judge->recipients == PARTY_SITE || judge->recipients == PARTY_INFERRED ||
                    (!profile->needs_recipients && judge->n_recipients == 0);
  return server && recipients && judge->sender <= PARTY_INFERRED;
}

/* The verdict that a script profile gives; UNEXPLAINED where it does not hold. */
static VerdictKind try_profile(Judge *judge, const Profile *profile, Corroboration *by) {
  *by = (Corroboration){NULL, NULL, false};
  if (profile->content != CONTENT_SCRIPT || !holds_content(judge, profile))
    return VERDICT_UNEXPLAINED;
  bool hint = has_hint(judge, profile);
  if (profile->needs_hint && !hint)
    return VERDICT_UNEXPLAINED;
  if (!corroborate(judge->set, profile, judge->hit, by)) {
    bool is_stated = judge->server == PARTY_SITE && judge->recipients == PARTY_SITE;
    bool is_remote = judge->server != PARTY_LOCAL;
    if (is_stated && report_directory(judge, profile) != NULL)
      return VERDICT_LIKELY_BENIGN;
    return profile->is_likely_without && is_remote && (is_stated || !profile->needs_stated_relay)
               ? VERDICT_LIKELY_BENIGN
               : VERDICT_UNEXPLAINED;
  }
  bool is_known = judge->server == PARTY_SITE && judge->recipients == PARTY_SITE &&
                  judge->n_recipients > 0 && judge->sender <= PARTY_SITE &&
                  ground_count(judge->grounds, WEIGHT_CAP) == 0;
  return is_known ? VERDICT_KNOWN_BENIGN : VERDICT_LIKELY_BENIGN;
}

static void conclude_by_profile(Judge *judge, const Profile *profile, VerdictKind verdict,
                                const Corroboration *by) {
  if (judge->recipients == PARTY_SITE || judge->recipients == PARTY_INFERRED)
    add(judge, "site-recipients", "");
  if (judge->server == PARTY_LOCAL)
    add(judge, "local-relay", "");
  if (judge->n_recipients == 0)
    add(judge, "no-recipients", "");
  const char *directory = report_directory(judge, profile);
  if (directory != NULL)
    add(judge, "report-directory", directory);
  if (by->fact != NULL) {
    g_ptr_array_add(judge->out->corroboration,
                    corroboration_text(judge->hit, by->fact, by->is_product));
    if (by->through != NULL)
      g_ptr_array_add(judge->out->corroboration,
                      corroboration_text(judge->hit, by->through, false));
    const FactRef *cache = corroborate_task_cache(judge->set, judge->hit);
    if (cache != NULL && cache != by->fact)
      g_ptr_array_add(judge->out->corroboration, corroboration_text(judge->hit, cache, false));
    add(judge, by->is_product ? "product-directory" : "corroborated", by->fact->path);
  } else {
    add(judge, "no-corroboration", "");
    if (profile_matches(profile->hint_paths, judge->hit->path))
      add(judge, "product-place", "");
  }
  g_autofree char *why = ground_sentence(judge->grounds, WEIGHT_FOR, 5);
  g_autofree char *cap = ground_sentence(judge->grounds, WEIGHT_CAP, 3);
  bool has_cap = verdict == VERDICT_LIKELY_BENIGN && *cap != '\0';
  conclude(judge, verdict, profile->scenario, profile->id,
           g_strdup_printf("%s: %s%s%s.", profile->title, why, has_cap ? "; but " : "",
                           has_cap ? cap : ""));
}

static bool is_plain_view(const char *view) {
  static const char *const views[] = {"raw", "utf-16le", "utf-16be", "entities", "mime"};
  for (guint i = 0; i < G_N_ELEMENTS(views); i++)
    if (strcmp(views[i], view) == 0)
      return true;
  return false;
}

/* A user's mail: told by the store's own content and place; never more than likely. What a mail
 * quotes may still lead outside: then nothing is explained. */
static bool conclude_mail_store(Judge *judge) {
  const FactRef *store = corroborate_mail_store(judge->hit);
  bool is_outside = judge->server == PARTY_FREEMAIL || judge->recipients == PARTY_FREEMAIL ||
                    (site_is_stated(judge->set) && judge->server == PARTY_OUTSIDE);
  if (store == NULL || !judge->is_live || judge->hit->is_timestomped ||
      !is_plain_view(judge->hit->view))
    return false;
  for (guint i = 0; i < judge->set->profiles->len; i++) {
    const Profile *profile = judge->set->profiles->pdata[i];
    if (profile->content != CONTENT_MAIL_STORE ||
        !profile_matches(profile->hint_paths, judge->hit->path))
      continue;
    add(judge, "mail-store", store->target);
    if (is_outside) {
      conclude(
          judge, VERDICT_UNEXPLAINED, "", "",
          g_strdup_printf("A user's mail (%s) quotes a script that mails outside.", store->target));
      return true;
    }
    g_ptr_array_add(judge->out->corroboration, store_text(store));
    conclude(judge, VERDICT_LIKELY_BENIGN, profile->scenario, profile->id,
             g_strdup_printf("%s: the text stands in a mail store (%s), which is read, not run.",
                             profile->title, store->target));
    return true;
  }
  return false;
}

static void conclude_script(Judge *judge) {
  guint against = ground_count(judge->grounds, WEIGHT_AGAINST);
  const FactRef *namesake = NULL;
  if (judge->server >= PARTY_UNLISTED || judge->recipients >= PARTY_UNLISTED)
    namesake = corroborate_namesake(judge->set, judge->hit);
  if (namesake != NULL && judge->server >= PARTY_OUTSIDE)
    add(judge, "namesake", namesake->path);
  if (against > 0 || ground_has(judge->grounds, "namesake")) {
    g_autofree char *why = ground_sentence(judge->grounds, WEIGHT_AGAINST, 6);
    conclude(judge, VERDICT_SUSPICIOUS, "", "", g_strdup_printf("Suspicious: %s.", why));
    return;
  }
  bool has_doubt = ground_count(judge->grounds, WEIGHT_DOUBT) > 0;
  for (guint i = 0; !has_doubt && judge->is_live && i < judge->set->profiles->len; i++) {
    Corroboration by;
    const Profile *profile = judge->set->profiles->pdata[i];
    VerdictKind verdict = try_profile(judge, profile, &by);
    if (verdict == VERDICT_UNEXPLAINED)
      continue;
    conclude_by_profile(judge, profile, verdict, &by);
    return;
  }
  g_autofree char *why = ground_sentence(judge->grounds, WEIGHT_DOUBT, 4);
  conclude(judge, VERDICT_UNEXPLAINED, "", "",
           *why != '\0' ? g_strdup_printf("Not explained: %s.", why)
                        : g_strdup("Not explained: a script that mails, and no benign profile "
                                   "holds for it."));
}

static bool conclude_approved(Judge *judge) {
  const Approval *approval = g_hash_table_lookup(judge->set->approved, judge->hit->sha256);
  if (approval == NULL)
    return false;
  add(judge, "approved-digest", approval->note);
  if (judge->hit->is_timestomped) {
    /* What it does is approved; that somebody set its times to hide when it came is not. */
    g_autofree char *against = ground_sentence(judge->grounds, WEIGHT_AGAINST, 3);
    conclude(judge, VERDICT_SUSPICIOUS, approval->scenario, "approved",
             g_strdup_printf("Suspicious, though the site has approved this very content: %s.",
                             against));
    return true;
  }
  g_autofree char *why = ground_sentence(judge->grounds, WEIGHT_FOR, 1);
  conclude(judge, VERDICT_KNOWN_BENIGN, approval->scenario, "approved",
           g_strdup_printf("Known: %s.", why));
  return true;
}

void assess_hit(const ProfileSet *set, const HitView *hit, Verdict *out) {
  *out = (Verdict){.verdict = VERDICT_UNEXPLAINED,
                   .corroboration = g_ptr_array_new_with_free_func(g_free)};
  Judge judge = {
      .set = set, .hit = hit, .content = "unknown", .out = out, .grounds = ground_list_new()};
  inferred_init(&judge.inferred, hit->facts);
  for (guint i = 0; i < hit->indicators->len; i++)
    judge_indicator(&judge, hit->indicators->pdata[i]);
  judge_whole(&judge);
  judge_place(&judge);
  judge_tasks(&judge);
  if (!conclude_approved(&judge) && !conclude_mail_store(&judge) &&
      !conclude_without_script(&judge))
    conclude_script(&judge);
  out->grounds = ground_list(judge.grounds);
  inferred_clear(&judge.inferred);
  g_ptr_array_unref(judge.grounds);
}
