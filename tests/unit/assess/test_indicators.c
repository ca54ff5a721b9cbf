/* SPDX-License-Identifier: Apache-2.0 */
/* test_indicators.c - what scripts of each language say, at the right offsets, and what a comment
 * or an unknown value must not become. */
#include "assess_test.h"
#include "base/limits.h"
#include <time.h>

#define SCHEMA "http://schemas.microsoft.com/cdo/configuration/"

static void expect(const char *text, const char *const *wanted) {
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  for (guint i = 0; wanted[i] != NULL; i += 2) {
    guint seen = 0;
    for (guint k = 0; k < i; k += 2)
      seen += strcmp(wanted[k], wanted[i]) == 0 ? 1 : 0;
    const char *value = test_value(indicators, wanted[i], seen);
    if (value == NULL || strcmp(value, wanted[i + 1]) != 0)
      fail_msg("%s is %s, not %s, in:\n%s", wanted[i], value != NULL ? value : "missing",
               wanted[i + 1], text);
  }
  for (guint i = 0; i < indicators->len; i++) {
    const Indicator *indicator = indicators->pdata[i];
    assert_true(indicator->offset <= strlen(text));
    assert_true(indicator->offset >= (i > 0 ? ((Indicator *)indicators->pdata[i - 1])->offset : 0));
  }
}

static void test_vbscript(void **state) {
  (void)state;
  expect("' m.To = \"wrong@x.test\"\r\n"
         "Rem m.To = \"wrong@x.test\"\r\n"
         "Option Explicit\r\nConst RELAY = \"mail.corp.example\"\r\n"
         "Const Base = \"" SCHEMA "\"\r\n"
         "Dim m: Set m = CreateObject(\"CDO.Message\")\r\n"
         "With m.Configuration.Fields\r\n"
         "  .Item(Base & \"sendusing\") = cdoSendUsingPort\r\n"
         "  .Item(Base & \"smtpserver\").Value = RELAY\r\n"
         "  .Item(cdoSMTPServerPort) = 25\r\n"
         "  .Item(cdoSMTPAuthenticate) = cdoBasic\r\n"
         "  .Item(cdoSendUserName) = \"svc\"\r\n"
         "  .Item(cdoSendPassword) = \"hunter2\"\r\n  .Update\r\nEnd With\r\n"
         "m.From = \"a@corp.example\"\r\nm.To = \"b@\" & \"corp.example\"\r\n"
         "m.Bcc = GetBcc()\r\nm.Subject = \"Report \" & Date\r\n"
         "folder = \"D:\\out\\\" : m.AddAttachment folder & \"x.csv\"\r\nm.Send\r\n",
         (const char *const[]){"language",
                               "vbscript",
                               "smtp_server",
                               "mail.corp.example",
                               "sendusing",
                               "2",
                               "smtp_port",
                               "25",
                               "auth",
                               "1",
                               "user",
                               "svc",
                               "password_present",
                               "yes",
                               "mail_from",
                               "a@corp.example",
                               "mail_to",
                               "b@corp.example",
                               "mail_bcc",
                               "= GetBcc()",
                               "subject",
                               "= \"Report \" & Date",
                               "attachment",
                               "D:\\\\out\\\\x.csv",
                               NULL});
}

static void test_no_password(void **state) {
  (void)state;
  const char *text = "Set f = CreateObject(\"CDO.Configuration\").Fields\n"
                     "f(\"" SCHEMA "sendpassword\") = \"hunter2\"\n";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  assert_string_equal(test_value(indicators, "password_present", 0), "yes");
  for (guint i = 0; i < indicators->len; i++)
    assert_null(strstr(((Indicator *)indicators->pdata[i])->value, "hunter2"));
}

static void test_blot(void **state) {
  (void)state;
  const char *text = "Set f = CreateObject(\"CDO.Configuration\").Fields\npw = \"hunter2\"\n"
                     "f(\"" SCHEMA "sendpassword\") = pw\n";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  g_autofree char *whole = g_strdup("pw = \\\"hunter2\\\" is hunter");
  indicators_blot(indicators, whole);
  assert_string_equal(whole, "pw = \\\"*******\\\" is ******");
  g_autofree char *cut = g_strdup("nter2 and hun");
  indicators_blot(indicators, cut);
  assert_string_equal(cut, "***** and hun");
}

static void test_offset(void **state) {
  (void)state;
  const char *text = "Set m = CreateObject(\"CDO.Message\")\nm.To = \"b@corp.example\"\n";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  for (guint i = 0; i < indicators->len; i++) {
    const Indicator *indicator = indicators->pdata[i];
    if (strcmp(indicator->name, "mail_to") == 0)
      assert_int_equal(indicator->offset, strstr(text, "\"b@") - text);
  }
}

static void test_languages(void **state) {
  (void)state;
  expect("// m.To = 'wrong@x.test'\nvar m = new ActiveXObject('CDO.Message');\n"
         "var f = m.Configuration.Fields;\n/* m.To = 'wrong@x.test'; */\n"
         "f.Item('" SCHEMA "smtpserver') = 'mail.corp.example';\n"
         "m.To = 'b@' + 'corp.example'; m['From'] = \"a@corp.example\";\nm.Send();\n",
         (const char *const[]){"language", "jscript", "smtp_server", "mail.corp.example", "mail_to",
                               "b@corp.example", "mail_from", "a@corp.example", NULL});
  expect("# $m.To = 'wrong@x.test'\n$relay = 'mail.corp.example'\n"
         "$m = New-Object -ComObject CDO.Message\n"
         "$m.Configuration.Fields.Item(\"" SCHEMA "smtpserver\") = $relay\n"
         "$m.To = \"b@corp.example\"\n$m.Subject = \"On $env:COMPUTERNAME\"\n$m.Send()\n",
         (const char *const[]){"language", "powershell", "smtp_server", "mail.corp.example",
                               "mail_to", "b@corp.example", "subject", "= \"On $env:COMPUTERNAME\"",
                               NULL});
  expect("import win32com.client\n# m.To = 'wrong@x.test'\n"
         "m = win32com.client.Dispatch('CDO.Message')\n"
         "m.Configuration.Fields.Item('" SCHEMA "smtpserver').Value = 'mail.corp.example'\n"
         "m.To = 'b@corp.example'\nm.AddAttachment(r'D:\\out\\x.csv')\nm.Send()\n",
         (const char *const[]){"language", "python", "smtp_server", "mail.corp.example", "mail_to",
                               "b@corp.example", NULL});
  expect("DECLARE @hr int, @m int, @to varchar(99) = 'b@corp.example'\n-- 'wrong@x.test'\n"
         "EXEC @hr = sp_OACreate 'CDO.Message', @m OUT\n"
         "EXEC @hr = sp_OASetProperty @m, 'Configuration.Fields(\"" SCHEMA
         "smtpserver\").Value', 'mail.corp.example'\n"
         "EXEC @hr = sp_OASetProperty @m, 'To', @to\n"
         "EXEC @hr = sp_OAMethod @m, 'AddAttachment', NULL, 'D:\\out\\x.csv'\n"
         "EXEC @hr = sp_OAMethod @m, 'Send', NULL\n",
         (const char *const[]){"language", "sql", "smtp_server", "mail.corp.example", "mail_to",
                               "b@corp.example", "attachment", "D:\\\\out\\\\x.csv", NULL});
  expect("<html>text</html>\n<%@ Language=VBScript %>\n<%\n' m.To = \"wrong@x.test\"\n"
         "Set m = Server.CreateObject(\"CDO.Message\")\nm.To = Request.Form(\"to\")\n"
         "m.From = \"web@corp.example\"\n%>\n<p>m.To = \"wrong@x.test\"</p>\n",
         (const char *const[]){"mail_to", "= Request.Form(\"to\")", "mail_from", "web@corp.example",
                               NULL});
  expect(
      "<job><script language=\"JScript\"><![CDATA[\nvar m = WScript.CreateObject('CDO.Message');\n"
      "m.To = 'b@corp.example';\n]]></script></job>\n",
      (const char *const[]){"mail_to", "b@corp.example", NULL});
  expect("@echo off\r\nrem echo m.To = \"wrong@x.test\"\r\n"
         "echo Set m = CreateObject(\"CDO.Message\") > x.vbs\r\n"
         "echo m.To = \"b@corp.example\" >> x.vbs\r\ncscript x.vbs\r\n",
         (const char *const[]){"unsure", "part", "mail_to", "b@corp.example", NULL});
}

/* A value is told only where one statement gives it. */
static void test_unresolved(void **state) {
  (void)state;
  expect(
      "Set m = CreateObject(\"CDO.Message\")\nt = \"a@corp.example\"\nIf x Then t = \"b@x.test\"\n"
      "m.To = t\n",
      (const char *const[]){"mail_to", "= t", NULL});
  expect("Set m = CreateObject(\"CDO.Message\")\nt = \"a@corp.example\"\nChange t\nm.To = t\n"
         "Sub Change(s)\ns = \"b@x.test\"\nEnd Sub\n",
         (const char *const[]){"mail_to", "= t", NULL});
  expect("Set m = CreateObject(\"CDO.Message\")\nExecute x\nm.To = \"a@corp.example\"\n",
         (const char *const[]){"dynamic", "Execute", NULL});
  expect("Set f = CreateObject(\"CDO.Configuration\").Fields\nf(k) = \"x\"\n",
         (const char *const[]){"dynamic", "= k", NULL});
  expect("a = b\nb = a\nSet m = CreateObject(\"CDO.Message\")\nm.To = a\n",
         (const char *const[]){"mail_to", "= a", NULL});
}

/* Text that is not text throughout may hide something: it is read in parts, and says so. */
static void test_binary(void **state) {
  (void)state;
  static const char text[] =
      "\0\1\2Set m = CreateObject(\"CDO.Message\")\nm.To = \"b@x.test\"\n\0\3";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, sizeof text - 1);
  assert_string_equal(test_value(indicators, "content", 0), "binary");
  assert_string_equal(test_value(indicators, "unsure", 0), "part");
  assert_string_equal(test_value(indicators, "mail_to", 0), "b@x.test");
}

static void test_limits(void **state) {
  (void)state;
  g_autoptr(GString) text = g_string_new("Set m = CreateObject(\"CDO.Message\")\n");
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf(text, "m.To = \"a%u@corp.example\"\n", i);
  g_autoptr(GPtrArray) many = indicators_read((const uint8_t *)text->str, text->len);
  assert_true(many->len <= LIMIT_INDICATORS);
  assert_string_equal(test_value(many, "unsure", 0), "part");
  /* nothing quadratic: one long line */
  static const char *const pieces[] = {"a=",       "(",     "m.To=\"", "f(",      "'",
                                       "Execute ", "a&",    "\"a\"&",  "If a=",   "[",
                                       "/",        "echo ", "<%",      "<script "};
  for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
    g_string_assign(text, "Set m = CreateObject(\"CDO.Message\")\n");
    while (text->len < 128 * KIB)
      g_string_append(text, pieces[i]);
    clock_t start = clock(); /* processor time: the machine may be busy */
    g_autoptr(GPtrArray) some = indicators_read((const uint8_t *)text->str, text->len);
    assert_true(some->len <= LIMIT_INDICATORS);
    if (clock() - start > 20 * CLOCKS_PER_SEC)
      fail_msg("%s takes too long", pieces[i]);
  }
}

static void test_garbage(void **state) {
  (void)state;
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  static const char words[] =
      "cdo.message=\"'();&+[]<%>\n\r _Setm.To,$#@/*-`{}:Execute\\\0\xe2\x80";
  for (guint n = 0; n < 2000; n++) {
    uint8_t bytes[300];
    guint size = (guint)g_rand_int_range(random, 0, sizeof bytes);
    for (guint i = 0; i < size; i++)
      bytes[i] = (uint8_t)words[g_rand_int_range(random, 0, sizeof words)];
    g_autofree uint8_t *copy = g_memdup2(bytes, size); /* so that a read past its end is seen */
    g_autoptr(GPtrArray) indicators = indicators_read(copy, size);
    assert_non_null(indicators);
  }
}

/* with (m) { ... }: what stands bare in it is told, and a variable of such a name before it is not.
 */
static void test_with(void **state) {
  (void)state;
  static const char text[] =
      "To = \"nobody@corp.example\";\nvar m = new ActiveXObject(\"CDO.Message\");\nwith (m)\n{\n"
      "To = \"a@corp.example\"; From = host;\nAddAttachment(\"C:\\\\x.zip\");\nvar Bcc = "
      "1;\nSend();\n}\n";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  assert_string_equal(test_value(indicators, "mail_to", 0), "a@corp.example");
  assert_null(test_value(indicators, "mail_to", 1));
  assert_string_equal(test_value(indicators, "mail_from", 0), "= host");
  assert_string_equal(test_value(indicators, "attachment", 0), "C:\\\\x.zip");
  assert_null(test_value(indicators, "mail_bcc", 0));
  assert_non_null(test_value(indicators, "dynamic", 0));
}

/* As a real script has it: the password is blotted, the server is none that CDO would take. */
static void test_spaced_keys(void **state) {
  (void)state;
  static const char text[] =
      "Set m = CreateObject(\"CDO.Message\")\ns = "
      "\"http://schemas.microsoft.com/cdo/configuration/\"\n"
      "m.Configuration(s & \"sendpassword \") = \"hunter2-secret\"\n"
      "m.Configuration(s & \"smtpserver \") = \"mail.corp.example\"\nm.Send\n";
  g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)text, strlen(text));
  assert_string_equal(test_value(indicators, "password_present", 0), "yes");
  assert_null(test_value(indicators, "smtp_server", 0));
  g_autofree char *excerpt = g_strdup(text);
  indicators_blot(indicators, excerpt);
  assert_null(strstr(excerpt, "hunter2"));
}

/* A password that reaches the message by a parameter is blotted where it stands. */
static void test_parameter_password(void **state) {
  (void)state;
  static const char *const texts[] = {
      "post(\"u\", \"hunter2-secret\", 25);\nfunction post(user, pass, port) {\n"
      "var m = new ActiveXObject(\"CDO.Message\");\n"
      "m.Configuration.Fields(\"http://schemas.microsoft.com/cdo/configuration/sendpassword\") = "
      "pass;\n"
      "m.Send();\n}\n",
      "Sub Post(pass, port)\nSet m = CreateObject(\"CDO.Message\")\n"
      "m.Configuration.Fields(\"http://schemas.microsoft.com/cdo/configuration/sendpassword\") = "
      "pass\n"
      "m.Send\nEnd Sub\nPost \"hunter2-secret\", 25\n"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GPtrArray) indicators = indicators_read((const uint8_t *)texts[i], strlen(texts[i]));
    g_autofree char *excerpt = g_strdup(texts[i]);
    indicators_blot(indicators, excerpt);
    if (strstr(excerpt, "hunter2") != NULL || strstr(excerpt, "25") == NULL)
      fail_msg("%s", excerpt);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parameter_password),
                                     cmocka_unit_test(test_spaced_keys),
                                     cmocka_unit_test(test_with),
                                     cmocka_unit_test(test_vbscript),
                                     cmocka_unit_test(test_no_password),
                                     cmocka_unit_test(test_offset),
                                     cmocka_unit_test(test_blot),
                                     cmocka_unit_test(test_languages),
                                     cmocka_unit_test(test_unresolved),
                                     cmocka_unit_test(test_binary),
                                     cmocka_unit_test(test_limits),
                                     cmocka_unit_test(test_garbage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
