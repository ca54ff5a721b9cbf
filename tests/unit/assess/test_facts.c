/* SPDX-License-Identifier: Apache-2.0 */
/* test_facts.c - what files say that a machine runs, and that hostile ones say nothing. */
#include "assess_test.h"

static void expect(const char *path, const void *data, size_t size, const char *const *wanted) {
  GPtrArray *facts = facts_read(path, data, size);
  guint n = 0;
  for (guint i = 0; wanted[i] != NULL; i += 2, n++) {
    const Fact *fact = facts != NULL && n < facts->len ? facts->pdata[n] : NULL;
    if (fact == NULL || strcmp(fact->kind, wanted[i]) != 0 ||
        strcmp(fact->target, wanted[i + 1]) != 0)
      fail_msg("%s: %s %s, not %s %s", path, fact != NULL ? fact->kind : "none",
               fact != NULL ? fact->target : "", wanted[i], wanted[i + 1]);
  }
  if (facts != NULL) {
    assert_int_equal(facts->len, n);
    g_ptr_array_unref(facts);
  }
}

static void expect_text(const char *path, const char *text, const char *const *wanted) {
  expect(path, text, strlen(text), wanted);
}

#define TASK(settings, actions)                                                                    \
  "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\" "                          \
  "xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n"                           \
  "<RegistrationInfo><Author>CORP\\adm</Author></RegistrationInfo>" settings                       \
  "<Actions Context=\"Author\">" actions "</Actions></Task>\r\n"
#define EXEC(command, arguments)                                                                   \
  "<Exec><Command>" command "</Command><Arguments>" arguments "</Arguments></Exec>"

static void test_task(void **state) {
  (void)state;
  static const char text[] = TASK("", EXEC("cscript.exe", "//B \"C:\\S\\n.vbs\""));
  gsize n;
  g_autofree char *wide = g_convert(text, -1, "UTF-16", "UTF-8", NULL, &n, NULL);
  const char *const wanted[] = {"task", "cscript.exe //B \"C:\\\\S\\\\n.vbs\"", "account-domain",
                                "CORP", NULL};
  expect("/Windows/System32/Tasks/n", wide, n, wanted);
  static const char disabled[] =
      "<Task><Settings><Enabled>false</Enabled></Settings><Actions>" EXEC("a.vbs", "")
          EXEC("b.vbs", "") "</Actions></Task>";
  expect_text("/x", disabled,
              (const char *const[]){"disabled-task", "a.vbs ", "disabled-task", "b.vbs ", NULL});
}

/* A .job as the scheduler writes it, up to the triggers, which are not read. */
static GByteArray *job(const char *const *texts, uint16_t file_version, uint32_t status) {
  GByteArray *out = g_byte_array_new();
  uint8_t fixed[70] = {0x01, 0x05};
  fixed[2] = (uint8_t)file_version;
  fixed[20] = 70;
  for (guint i = 0; i < 4; i++)
    fixed[44 + i] = (uint8_t)(status >> (8 * i));
  static const uint8_t ran[16] = {0xe8, 0x07, 6, 0, 1, 0, 3, 0, 7, 0, 5, 0, 9, 0, 0, 0};
  memcpy(fixed + 52, ran, sizeof ran);
  g_byte_array_append(out, fixed, sizeof fixed);
  for (guint i = 0; texts[i] != NULL; i++) {
    size_t n = *texts[i] != '\0' ? strlen(texts[i]) + 1 : 0;
    const uint8_t count[2] = {(uint8_t)n, (uint8_t)(n >> 8)};
    g_byte_array_append(out, count, 2);
    for (size_t k = 0; k < n; k++)
      g_byte_array_append(out, (const uint8_t[]){(uint8_t)texts[i][k], 0}, 2);
  }
  return out;
}

static void test_job(void **state) {
  (void)state;
  const char *const none[] = {NULL};
  const char *const texts[] = {"C:\\My Scripts\\n.vbs", "/q", "C:\\S", "adm", "note", NULL};
  const char *const path = "/WINDOWS/Tasks/Report.job";
  g_autoptr(GByteArray) good = job(texts, 1, 0x41300);
  expect(path, good->data, good->len,
         (const char *const[]){"task", "\"C:\\\\My Scripts\\\\n.vbs\" /q in C:\\\\S", NULL});
  g_autoptr(GPtrArray) facts = facts_read(path, good->data, good->len);
  const Fact *fact = facts->pdata[0];
  assert_string_equal(fact->detail,
                      "author adm; last run 2024-06-03 07:05:09 (the machine's time)");
  g_autoptr(GByteArray) disabled = job(texts, 1, 0x41302);
  expect(
      path, disabled->data, disabled->len,
      (const char *const[]){"disabled-task", "\"C:\\\\My Scripts\\\\n.vbs\" /q in C:\\\\S", NULL});
  g_autoptr(GByteArray) other = job(texts, 2, 0x41300);
  expect(path, other->data, other->len, none);
  /* cut off anywhere before the author's end it says nothing, and nothing is read behind it */
  size_t end = good->len - 2 - 2 * sizeof "note";
  for (size_t n = 1; n < end; n++) {
    g_autofree uint8_t *cut = g_memdup2(good->data, n);
    expect(path, cut, n, none);
  }
}

#define TASKS "/W/config/SOFTWARE!/M/Schedule/TaskCache/Tasks/{A}/"

static void put_text(GByteArray *out, const char *text) {
  guint32 n = (guint32)strlen(text) * 2;
  g_byte_array_append(out, (const uint8_t[]){(uint8_t)n, 0, 0, 0}, 4);
  for (const char *at = text; *at != '\0'; at++)
    g_byte_array_append(out, (const uint8_t[]){(uint8_t)*at, 0}, 2);
}

static void test_task_cache(void **state) {
  (void)state;
  const char *const none[] = {NULL};
  for (uint8_t version = 1; version <= 3; version++) {
    g_autoptr(GByteArray) actions = g_byte_array_new();
    g_byte_array_append(actions, (const uint8_t[]){version, 0}, 2);
    if (version > 1)
      put_text(actions, "Author");
    const char *const programs[] = {"cscript.exe", "C:\\S\\b.vbs"};
    for (int i = 0; i < 2; i++) {
      g_byte_array_append(actions, (const uint8_t[]){0x66, 0x66}, 2);
      put_text(actions, "");
      put_text(actions, programs[i]);
      put_text(actions, i == 0 ? "C:\\S\\a.vbs" : "");
      put_text(actions, "");
      if (version == 3)
        g_byte_array_append(actions, (const uint8_t[]){0, 0}, 2);
    }
    expect(TASKS "Actions", actions->data, actions->len,
           (const char *const[]){"registry-task", "cscript.exe C:\\\\S\\\\a.vbs", "registry-task",
                                 "C:\\\\S\\\\b.vbs ", NULL});
    expect("/elsewhere/Actions", actions->data, actions->len, none);
    for (guint n = 1; n < actions->len; n++) { /* cut: one program less, nothing else */
      g_autofree uint8_t *cut = g_memdup2(actions->data, n);
      g_autoptr(GPtrArray) facts = facts_read(TASKS "Actions", cut, n);
      assert_true(facts == NULL || facts->len < 2);
    }
  }
  /* the libyal project gives this as an example: registered in 2006 and launched in 2008 */
  static const uint8_t info[] = {0x03, 0x00, 0x00, 0x00, 0x16, 0x6f, 0x4a, 0x0f, 0x7f, 0xfe,
                                 0xc6, 0x01, 0x66, 0xb7, 0x6c, 0x0d, 0x6b, 0x4c, 0xc9, 0x01,
                                 0x2b, 0x04, 0x07, 0x80, 0x00, 0x00, 0x00, 0x00};
  expect(TASKS "DynamicInfo", info, sizeof info,
         (const char *const[]){"registry-task-times", "{A}", NULL});
  expect(TASKS "DynamicInfo", info, sizeof info - 1, none);
  g_autoptr(GPtrArray) facts = facts_read(TASKS "DynamicInfo", info, sizeof info);
  const Fact *fact = facts->pdata[0];
  assert_string_equal(fact->detail, "registered 2006-11-02T13:01:49.7475862Z; last run "
                                    "2008-11-22T06:25:02.7210086Z");
}

/* One that Windows 7 wrote, of the plaso project's test data. */
static void test_real_job(void **state) {
  (void)state;
  const char *evidence = g_getenv("TRIAGE_EVIDENCE");
  g_autofree char *file = g_build_filename(evidence != NULL ? evidence : "/nonexistent",
                                           "real/plaso/wintask.job", NULL);
  g_autofree char *data = NULL;
  gsize n;
  if (!g_file_get_contents(file, &data, &n, NULL)) {
    g_clear_pointer(&file, g_free); /* skip() jumps over the cleanup */
    print_message("no real .job here\n");
    skip();
  }
  g_autoptr(GPtrArray) facts = facts_read("/Windows/Tasks/x.job", (const uint8_t *)data, n);
  assert_int_equal(facts->len, 1);
  const Fact *fact = facts->pdata[0];
  assert_string_equal(fact->target,
                      "\"C:\\\\Program Files (x86)\\\\Google\\\\Update\\\\GoogleUpdate.exe\" /ua "
                      "/installsource scheduler");
  assert_string_equal(fact->detail,
                      "author Brian; last run 2013-08-24 12:42:00 (the machine's time)");
}

static void test_hostile_task(void **state) {
  (void)state;
  const char *const none[] = {NULL};
  /* entities are not resolved, nothing is fetched */
  expect_text("/x",
              "<!DOCTYPE Task [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<Task><Actions><Exec>"
              "<Command>&e;</Command></Exec></Actions></Task>",
              none);
  expect_text("/x", "<Task><Actions><Exec><Command>a.vbs", none);
  g_autoptr(GString) deep = g_string_new("<Task>");
  for (guint i = 0; i < 20000; i++)
    g_string_append(deep, "<a>");
  expect_text("/x", deep->str, none);
  g_autoptr(GString) bomb = g_string_new("<!DOCTYPE Task [<!ENTITY a0 \"aaaaaaaaaa\">");
  for (guint i = 1; i < 12; i++)
    g_string_append_printf(bomb, "<!ENTITY a%u \"&a%u;&a%u;&a%u;&a%u;&a%u;&a%u;&a%u;&a%u;\">", i,
                           i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
  g_string_append(bomb, "]><Task><Actions><Exec><Command>&a11;</Command></Exec></Actions></Task>");
  expect_text("/x", bomb->str, none);
}

static void test_cron(void **state) {
  (void)state;
  expect_text("/etc/cron.d/mail",
              "# 1 2 * * * root /x/comment.vbs\nMAILTO=ops@corp.example\nPATH=/usr/bin\n"
              "15 2 * * * svc /usr/bin/run /srv/n.vbs%input\n@daily root /srv/o.vbs\n",
              (const char *const[]){"mail-domain", "corp.example", "cron",
                                    "/usr/bin/run /srv/n.vbs", "cron", "/srv/o.vbs", NULL});
  expect_text("/var/spool/cron/crontabs/jdoe", "15 2 * * * /srv/n.vbs\n",
              (const char *const[]){"cron", "/srv/n.vbs", NULL});
  expect_text("/srv/n.txt", "15 2 * * * root /srv/n.vbs\n", (const char *const[]){NULL});
  expect_text("/etc/cron.daily/mail", "#!/bin/sh\n/usr/bin/run /srv/n.vbs\nexit 0\n",
              (const char *const[]){"cron", "/usr/bin/run /srv/n.vbs", NULL});
}

static void test_services(void **state) {
  (void)state;
  expect_text("/etc/systemd/system/m.service",
              "[Unit]\nDescription=Mail\n[Service]\nExecStart=-/usr/bin/run /srv/n.vbs\n",
              (const char *const[]){"systemd", "/usr/bin/run /srv/n.vbs", NULL});
  expect_text("/usr/local/nagios/etc/objects/commands.cfg",
              "define command {\n  command_name x\n  command_line /usr/bin/run /n/y.vbs\n}\n",
              (const char *const[]){"monitoring", "/usr/bin/run /n/y.vbs", NULL});
  expect_text("/Program Files/NSClient++/nsclient.ini",
              "[/settings/external scripts/scripts]\nmail = cscript scripts\\m.vbs\n[/x]\na = b\n",
              (const char *const[]){"monitoring", "cscript scripts\\\\m.vbs", NULL});
  expect_text("/etc/zabbix/zabbix_server.conf", "AlertScriptsPath=/usr/lib/zabbix/alertscripts\n",
              (const char *const[]){"monitoring-directory", "/usr/lib/zabbix/alertscripts", NULL});
  expect_text("/etc/nagios4/resource.cfg", "$USER1$=/usr/lib/nagios/plugins\n$USER2$=x\n",
              (const char *const[]){"monitoring-directory", "/usr/lib/nagios/plugins", NULL});
  expect_text("/etc/icinga2/constants.conf", "const PluginDir = \"/usr/lib/nagios/plugins\"\n",
              (const char *const[]){"monitoring-directory", "/usr/lib/nagios/plugins", NULL});
  expect_text("/Program Files/NSClient++/nsclient.ini",
              "[/settings/external scripts]\nscript path = scripts\\\ntimeout = 60\n"
              "[/settings/NRPE/server]\nscript path = other\n",
              (const char *const[]){"monitoring-directory", "scripts\\\\", NULL});
  /* commented out, empty, or made of variables: names none */
  expect_text("/etc/zabbix/zabbix_server.conf",
              "# AlertScriptsPath=/a\nExternalScripts=\nAlertScriptsPath=${datadir}/zabbix\n",
              (const char *const[]){NULL});
}

static void test_batch(void **state) {
  (void)state;
  expect_text(
      "/Scripts/Run.BAT",
      "@echo off\r\nrem cscript C:\\a.vbs\r\n:: cscript C:\\b.vbs\r\n"
      "echo cscript C:\\c.vbs\r\nif exist C:\\d.vbs del C:\\d.vbs\r\n"
      "copy C:\\e.vbs D:\\\r\nset x=C:\\f.vbs\r\n"
      "@cscript.exe //nologo \"%~dp0g.vbs\"\r\n\"C:\\Windows\\System32\\wscript.exe\" h.vbs\r\n"
      "C:\\i.wsf\r\ncscript\r\n",
      (const char *const[]){"batch", "cscript.exe //nologo \"%~dp0g.vbs\"", "batch",
                            "\"C:\\\\Windows\\\\System32\\\\wscript.exe\" h.vbs", "batch",
                            "C:\\\\i.wsf", NULL});
  expect_text("/Scripts/run.txt", "cscript C:\\g.vbs\r\n", (const char *const[]){NULL});
}

static void test_mailbox(void **state) {
  (void)state;
  g_autoptr(GString) box = g_string_new(NULL);
  for (guint i = 0; i < 4; i++)
    g_string_append_printf(box,
                           "From - Mon Jun  3 10:00:00 2024\nFrom: a%u@x.test\n"
                           "To: b@corp.example\nSubject: x\nMessage-ID: <%u@x>\n\ntext\n",
                           i, i);
  expect_text("/home/jdoe/mail/Inbox", box->str,
              (const char *const[]){"mail-store", "mbox", "mail-domain", "corp.example", NULL});
  expect_text("/home/jdoe/n.vbs", "From - here\nm.To = \"x\"\n", (const char *const[]){NULL});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_task),         cmocka_unit_test(test_job),
      cmocka_unit_test(test_task_cache),   cmocka_unit_test(test_real_job),
      cmocka_unit_test(test_hostile_task), cmocka_unit_test(test_cron),
      cmocka_unit_test(test_services),     cmocka_unit_test(test_batch),
      cmocka_unit_test(test_mailbox)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
