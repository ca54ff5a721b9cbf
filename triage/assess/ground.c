/* SPDX-License-Identifier: Apache-2.0 */
/* ground.c - the grounds. A new one needs a row here and a paragraph in the manual. */
#include "assess/ground.h"
#include "assess/assess.h"
#include <string.h>

static const GroundRow ROWS[] = {
    /* for */
    {"approved-digest", WEIGHT_FOR, "the site has approved this very content by its SHA-256",
     "none: the content is the approved one", "an approved script was itself a bad one"},
    {"site-relay", WEIGHT_FOR, "it sends by a relay that the site states as its own",
     "the relay also accepts mail to the outside", "-"},
    {"inferred-relay", WEIGHT_FOR, "it sends by a host that the evidence shows as the site's",
     "the evidence was prepared to show it", "-"},
    {"local-relay", WEIGHT_FOR, "it hands its mail to the machine's own mail service",
     "that service may be set up to send anywhere", "-"},
    {"site-recipients", WEIGHT_FOR, "all its recipients are of the site's mail domains",
     "the mailbox may forward", "-"},
    {"corroborated", WEIGHT_FOR, "the same evidence shows what runs it",
     "whoever controls the machine can make a task too", "the job is run from elsewhere"},
    {"product-place", WEIGHT_FOR, "it lies where the product keeps such scripts",
     "anybody may choose a place: never sufficient alone", "-"},
    {"mail-store", WEIGHT_FOR, "the text stands in a user's mail store, which is not run",
     "the mail itself may be hostile", "-"},
    {"library", WEIGHT_FOR, "no script: the string stands in the library that defines it",
     "a program may take the library's name and place", "-"},
    {"rule-file", WEIGHT_FOR, "no script: the text is a file of detection rules",
     "hidden between rules", "-"},
    {"mention", WEIGHT_FOR, "no script: documentation or a log names the class",
     "a script in a language that is not read", "-"},
    /* caps */
    {"no-corroboration", WEIGHT_CAP, "nothing in the evidence shows what runs it", "-", "-"},
    {"runs-program", WEIGHT_CAP, "it also runs other programs", "robocopy and the like", "-"},
    {"open-attachment", WEIGHT_CAP, "what it attaches is decided at run time", "dated reports",
     "-"},
    {"no-recipients", WEIGHT_CAP, "its recipients do not stand in the text", "-", "-"},
    {"converted-view", WEIGHT_CAP, "the text was converted before it was read", "-", "-"},
    {"in-container", WEIGHT_CAP, "it lies inside a container", "-", "-"},
    /* doubts */
    {"unread-parts", WEIGHT_DOUBT, "part of the text cannot be read with certainty",
     "unusual style", "-"},
    {"dynamic-code", WEIGHT_DOUBT, "it makes code or field names at run time", "frameworks", "-"},
    {"other-channel", WEIGHT_DOUBT, "it can send by other ways than this mail",
     "a report that also fetches a page", "-"},
    {"unknown-server", WEIGHT_DOUBT, "its mail server does not stand in plain form in the text",
     "settings read from a file", "-"},
    {"unlisted-server", WEIGHT_DOUBT,
     "its mail server looks internal but the site does not state it",
     "the site profile is incomplete", "-"},
    {"foreign-server", WEIGHT_DOUBT, "nothing shows that its mail server is the site's",
     "no site profile was given", "-"},
    {"unknown-recipients", WEIGHT_DOUBT, "its recipients do not stand in plain form in the text",
     "recipients read from a file", "-"},
    {"unlisted-recipients", WEIGHT_DOUBT,
     "a recipient's domain looks like the site's but is not stated", "incomplete site profile",
     "-"},
    {"foreign-recipients", WEIGHT_DOUBT, "nothing shows that its recipients are of the site",
     "customers and suppliers get reports too", "-"},
    {"foreign-sender", WEIGHT_DOUBT, "its sender is not of the site", "a service's own address",
     "-"},
    {"user-place", WEIGHT_DOUBT, "it lies where every user can write", "a user's own script", "-"},
    {"archive-attached", WEIGHT_DOUBT, "it attaches an archive", "zipped reports", "-"},
    {"file-loop", WEIGHT_DOUBT, "it attaches files that it finds by itself", "batches of reports",
     "-"},
    /* against */
    {"outside-server", WEIGHT_AGAINST, "it sends by a server outside the site", "-", "-"},
    {"freemail-server", WEIGHT_AGAINST, "it sends by a public mail provider",
     "a small site without a relay", "a provider that is not listed"},
    {"outside-recipients", WEIGHT_AGAINST, "it mails files to recipients outside the site",
     "reports to customers", "-"},
    {"freemail-recipients", WEIGHT_AGAINST, "it mails to a mailbox of a public provider",
     "an employee's private mailbox", "a provider that is not listed"},
    {"hidden-recipients", WEIGHT_AGAINST, "it sends hidden copies (BCC) outside the site", "-",
     "-"},
    {"outside-credentials", WEIGHT_AGAINST,
     "it signs in to a server outside with a password in the text", "-", "-"},
    {"sensitive-attachment", WEIGHT_AGAINST, "it attaches what no report holds",
     "a backup of settings", "renamed copies"},
    {"archive-outside", WEIGHT_AGAINST, "it sends archives or found files outside", "-", "-"},
    {"deleted", WEIGHT_AGAINST, "it was deleted", "tidying up", "-"},
    {"stream", WEIGHT_AGAINST, "it hides in a named stream", "-", "-"},
    {"temporary-place", WEIGHT_AGAINST, "it lies in a temporary, hidden or discarded place",
     "installers", "-"},
    {"encoded", WEIGHT_AGAINST, "its text was encoded or broken up", "vendors protecting code",
     "-"},
    {"namesake", WEIGHT_AGAINST,
     "it bears the name of a script that a job runs elsewhere, but does something else", "-", "-"},
};

const GroundRow *ground_rows(size_t *n) {
  *n = G_N_ELEMENTS(ROWS);
  return ROWS;
}

static void ground_free(gpointer data) {
  Ground *ground = data;
  g_free(ground->detail);
  g_free(ground);
}

GPtrArray *ground_list_new(void) {
  return g_ptr_array_new_with_free_func(ground_free);
}

static Ground *find(const GPtrArray *grounds, const char *id) {
  for (guint i = 0; i < grounds->len; i++) {
    Ground *ground = grounds->pdata[i];
    if (strcmp(ground->row->id, id) == 0)
      return ground;
  }
  return NULL;
}

bool ground_has(const GPtrArray *grounds, const char *id) {
  return find(grounds, id) != NULL;
}

static char *shortened(const char *detail) {
  enum { MOST = 160 };
  if (strlen(detail) <= MOST)
    return g_strdup(detail);
  const char *end = g_utf8_find_prev_char(detail, detail + MOST);
  return g_strdup_printf("%.*s...", end != NULL ? (int)(end - detail) : 0, detail);
}

void ground_add(GPtrArray *grounds, const char *id, const char *detail) {
  g_autofree char *text = shortened(detail);
  Ground *ground = find(grounds, id);
  if (ground != NULL) {
    if (*text == '\0' || strstr(ground->detail, text) != NULL || strlen(ground->detail) > 120)
      return;
    char *joined = g_strconcat(ground->detail, *ground->detail != '\0' ? ", " : "", text, NULL);
    g_free(ground->detail);
    ground->detail = joined;
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
    if (strcmp(ROWS[i].id, id) != 0)
      continue;
    ground = g_new0(Ground, 1);
    ground->row = &ROWS[i];
    ground->detail = g_steal_pointer(&text);
    g_ptr_array_add(grounds, ground);
    return;
  }
  g_assert_not_reached();
}

guint ground_count(const GPtrArray *grounds, Weight weight) {
  guint n = 0;
  for (guint i = 0; i < grounds->len; i++)
    n += ((const Ground *)grounds->pdata[i])->row->weight == weight ? 1 : 0;
  return n;
}

char *ground_sentence(const GPtrArray *grounds, Weight weight, guint max) {
  GString *out = g_string_new(NULL);
  guint n = 0;
  for (guint i = 0; i < grounds->len && n < max; i++) {
    const Ground *ground = grounds->pdata[i];
    if (ground->row->weight != weight)
      continue;
    g_string_append_printf(out, "%s%s", n > 0 ? "; " : "", ground->row->text);
    if (*ground->detail != '\0')
      g_string_append_printf(out, " (%s)", ground->detail);
    n++;
  }
  return g_string_free(out, FALSE);
}

static void verdict_ground_clear(gpointer data) {
  g_free(((VerdictGround *)data)->text);
}

GArray *ground_list(const GPtrArray *grounds) {
  static const char *const weights[] = {"for", "cap", "doubt", "against"};
  GArray *list = g_array_new(FALSE, TRUE, sizeof(VerdictGround));
  g_array_set_clear_func(list, verdict_ground_clear);
  for (guint i = 0; i < grounds->len; i++) {
    const Ground *ground = grounds->pdata[i];
    bool has_detail = *ground->detail != '\0';
    VerdictGround out = {ground->row->id, weights[ground->row->weight],
                         g_strdup_printf("%s%s%s%s", ground->row->text, has_detail ? " (" : "",
                                         ground->detail, has_detail ? ")" : "")};
    g_array_append_val(list, out);
  }
  return list;
}

bool verdict_ground_risk(const char *id, const char **false_positive, const char **false_negative) {
  for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
    if (strcmp(ROWS[i].id, id) != 0)
      continue;
    *false_positive = ROWS[i].false_positive;
    *false_negative = ROWS[i].false_negative;
    return true;
  }
  return false;
}
