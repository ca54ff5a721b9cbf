/* SPDX-License-Identifier: Apache-2.0 */
/* ground.c - the grounds. A new one needs a row here and a paragraph in the manual. */
#include "assess/ground.h"
#include "assess/assess.h"
#include <string.h>

static const GroundRow ROWS[] = {
    /* for */
    {"approved-digest", WEIGHT_FOR, "the site has approved this very content by its SHA-256",
     "another site's approval list was given", "an approved script was a bad one from the start"},
    {"site-relay", WEIGHT_FOR, "it sends by a relay that the site states as its own",
     "the profile names an old relay", "the relay also takes mail to the outside"},
    {"inferred-relay", WEIGHT_FOR, "it sends by a host that the evidence shows as the site's",
     "the evidence does not name its own domain", "the evidence was prepared to show it"},
    {"local-relay", WEIGHT_FOR, "it hands its mail to the machine's own mail service",
     "no such service runs", "that service may send anywhere"},
    {"site-recipients", WEIGHT_FOR, "all its recipients are of the site's mail domains",
     "a domain is missing in the profile", "the mailbox forwards to the outside"},
    {"corroborated", WEIGHT_FOR, "the same evidence shows what runs it",
     "the job is run from elsewhere", "whoever controls the machine can make a task too"},
    {"product-directory", WEIGHT_FOR,
     "a product's own configuration in the same evidence names its directory",
     "the configuration lies elsewhere", "whoever may write to the directory can add a script"},
    {"report-directory", WEIGHT_FOR, "it lies in a directory that the site states for its reports",
     "reports are kept elsewhere", "anybody who may write there: never sufficient alone"},
    {"product-place", WEIGHT_FOR, "it lies where the product keeps such scripts",
     "the product was installed elsewhere", "anybody may choose a place: never sufficient alone"},
    {"mail-store", WEIGHT_FOR, "the text stands in a user's mail store, which is not run",
     "a store of an unknown kind", "the mail itself may be hostile"},
    {"library", WEIGHT_FOR, "no script: the string stands in the library that defines it",
     "the library lies in an unusual place", "a program took the library's name and place"},
    {"rule-file", WEIGHT_FOR, "no script: the text is a file of detection rules",
     "rules in an unknown language", "text hidden between rules"},
    {"mention", WEIGHT_FOR, "no script: documentation or a log names the class",
     "documentation in an unusual place", "a script in a language that is not read"},
    /* caps */
    {"no-corroboration", WEIGHT_CAP, "nothing in the evidence shows what runs it",
     "the task is on another machine or was imaged apart", "none: it only holds back"},
    {"runs-program", WEIGHT_CAP, "it also runs other programs", "backup scripts run robocopy",
     "the program does the harm"},
    {"open-attachment", WEIGHT_CAP, "what it attaches is decided at run time",
     "reports bear the day in their names", "the file is chosen by others"},
    {"no-recipients", WEIGHT_CAP, "its recipients do not stand in the text",
     "they are defaults of the machine", "they come from elsewhere"},
    {"converted-view", WEIGHT_CAP, "the text was converted before it was read",
     "Windows writes UTF-16", "none: it only holds back"},
    {"in-container", WEIGHT_CAP, "it lies inside a container", "backups hold whole trees",
     "none: it only holds back"},
    /* doubts */
    {"unread-parts", WEIGHT_DOUBT, "part of the text cannot be read with certainty",
     "short or unusual texts, several languages in one", "what is read wrongly with certainty"},
    {"dynamic-code", WEIGHT_DOUBT, "it makes code or field names at run time",
     "frameworks and shared include files", "a way to do so that is not listed"},
    {"other-channel", WEIGHT_DOUBT, "it can send by other ways than this mail",
     "a report that also fetches a page", "a way that is not listed"},
    {"unknown-server", WEIGHT_DOUBT, "its mail server does not stand in plain form in the text",
     "settings read from a file", "none: it only holds back"},
    {"unlisted-server", WEIGHT_DOUBT,
     "its mail server looks internal but the site does not state it",
     "the site profile is incomplete", "none: it only holds back"},
    {"foreign-server", WEIGHT_DOUBT, "nothing shows that its mail server is the site's",
     "no site profile was given", "none: it only holds back"},
    {"unknown-recipients", WEIGHT_DOUBT, "its recipients do not stand in plain form in the text",
     "recipients read from a file or a form", "none: it only holds back"},
    {"unlisted-recipients", WEIGHT_DOUBT,
     "a recipient's domain looks like the site's but is not stated",
     "the site profile is incomplete", "none: it only holds back"},
    {"foreign-recipients", WEIGHT_DOUBT, "nothing shows that its recipients are of the site",
     "customers and suppliers get reports too", "none: it only holds back"},
    {"foreign-sender", WEIGHT_DOUBT, "its sender is not of the site",
     "a vendor's script keeps the vendor's sender", "senders are easily made up"},
    {"deleted-task", WEIGHT_DOUBT,
     "a task that ran it was deleted, nothing later than two days from its making being recorded "
     "of "
     "it, and the scheduler does not run it now",
     "a job that ran for long on a machine that records no access",
     "the task's file was overwritten"},
    {"user-place", WEIGHT_DOUBT, "it lies where every user can write", "a user's own script",
     "a place that is writable by mistake"},
    {"archive-attached", WEIGHT_DOUBT, "it attaches an archive", "zipped reports",
     "an archive under another name"},
    {"file-loop", WEIGHT_DOUBT, "it attaches files that it finds by itself", "batches of reports",
     "a loop written in an unknown way"},
    /* against */
    {"outside-server", WEIGHT_AGAINST, "it sends by a server outside the site",
     "the site uses a provider that its profile leaves out",
     "harm done through the site's own relay"},
    {"freemail-server", WEIGHT_AGAINST, "it sends by a public mail provider",
     "a small site without a relay", "a provider that is not listed"},
    {"freemail-named", WEIGHT_AGAINST,
     "its server is chosen at run time, and it names that of a public mail provider",
     "a program that offers several providers", "a name in pieces"},
    {"outside-recipients", WEIGHT_AGAINST, "it mails files to recipients outside the site",
     "reports to customers", "the site's own mailbox that forwards"},
    {"freemail-recipients", WEIGHT_AGAINST, "it mails to a mailbox of a public provider",
     "an employee's private mailbox", "a provider that is not listed"},
    {"hidden-recipients", WEIGHT_AGAINST, "it sends hidden copies (BCC) outside the site",
     "an archive service gets copies", "a copy made by the relay"},
    {"outside-credentials", WEIGHT_AGAINST,
     "it signs in to a server outside with a password in the text", "a small site without a relay",
     "a password read from elsewhere"},
    {"sensitive-attachment", WEIGHT_AGAINST, "it attaches what no report holds",
     "a backup of settings", "a copy under another name"},
    {"archive-outside", WEIGHT_AGAINST, "it sends archives or found files outside",
     "deliveries to customers", "an archive under another name"},
    {"deleted", WEIGHT_AGAINST, "it was deleted", "tidying up, updates", "what was overwritten"},
    {"stream", WEIGHT_AGAINST, "it hides in a named stream", "programs that keep notes in streams",
     "copied on without the stream"},
    {"temporary-place", WEIGHT_AGAINST, "it lies in a temporary, hidden or discarded place",
     "installers and updates", "another place that nobody looks at"},
    {"encoded", WEIGHT_AGAINST, "its text was encoded or broken up",
     "vendors that protect their code", "an encoding that is not read"},
    {"system-name", WEIGHT_AGAINST,
     "it bears the name of a file of the system, none of which mails",
     "an administrator who chose such a name", "a name that is not listed"},
    {"timestomped", WEIGHT_AGAINST,
     "the two records of its times contradict each other: they were set to hide when it came",
     "a clock that was set back by days, a backup that restored whole seconds",
     "tools that set both records, or times with a fraction"},
    {"short-lived-task", WEIGHT_AGAINST,
     "a task to run it was made within two days of the last that is recorded of it, and it is gone",
     "a script and its job made together and removed much later",
     "deletions long after: a file system does not record them"},
    {"namesake", WEIGHT_AGAINST,
     "it bears the name of a script that a job runs elsewhere, but sends by a server outside",
     "common names", "a look-alike under another name"},
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

static gint compare_ranks(gconstpointer a, gconstpointer b) {
  const VerdictGround *x = a, *y = b;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

GArray *ground_list(const GPtrArray *grounds) {
  static const char *const weights[] = {"for", "cap", "doubt", "against"};
  GArray *list = g_array_new(FALSE, TRUE, sizeof(VerdictGround));
  g_array_set_clear_func(list, verdict_ground_clear);
  for (guint i = 0; i < grounds->len; i++) {
    const Ground *ground = grounds->pdata[i];
    const GroundRow *row = ground->row;
    bool has_detail = *ground->detail != '\0';
    VerdictGround out = {row->id, weights[row->weight],
                         g_strdup_printf("%s%s%s%s", row->text, has_detail ? " (" : "",
                                         ground->detail, has_detail ? ")" : ""),
                         (guint)((WEIGHT_AGAINST - row->weight) * G_N_ELEMENTS(ROWS)) +
                             (guint)(row - ROWS)};
    g_array_append_val(list, out);
  }
  g_array_sort(list, compare_ranks);
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
