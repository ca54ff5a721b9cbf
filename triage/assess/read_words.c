/* SPDX-License-Identifier: Apache-2.0 */
/* read_words.c - word lists. */
#include "assess/read_words.h"
#include <string.h>

typedef struct {
  const char *word, *name;
} Pair;

static const Pair FIELDS[] = {{"smtpserver", "smtp_server"},
                              {"smtpserverport", "smtp_port"},
                              {"sendusing", "sendusing"},
                              {"sendusingmethod", "sendusing"},
                              {"smtpauthenticate", "auth"},
                              {"sendusername", "user"},
                              {"sendpassword", "password_present"},
                              {"smtpusessl", "ssl"},
                              {"smtpserverpickupdirectory", "pickup"},
                              {"sendemailaddress", "mail_from"},
                              {"httpserverurl", "smtp_server"},
                              {"urlproxyserver", "smtp_server"}};

static const Pair PROPERTIES[] = {
    {"from", "mail_from"},     {"sender", "mail_from"},     {"to", "mail_to"},
    {"cc", "mail_cc"},         {"bcc", "mail_bcc"},         {"subject", "subject"},
    {"textbody", "body"},      {"htmlbody", "body"},        {"replyto", "reply_to"},
    {"reply-to", "reply_to"},  {"textdescription", "body"}, {"htmldescription", "body"},
    {"recipients", "mail_to"}, {"newsgroups", "mail_to"}};

static const Pair CALLS[] = {{"addattachment", "attachment"},
                             {"addrelatedbodypart", "attachment"},
                             {"createmhtmlbody", "body_source"},
                             {"addrecipient", "mail_to"},
                             {"addcc", "mail_cc"},
                             {"addbcc", "mail_bcc"}};

/* One string each: words between blanks. */
static const char *const WORDS[] = {
    [WORD_DYNAMIC] =
        " execute executeglobal eval invoke-expression iex callbyname scriptcontrol sp_executesql "
        "setattr getattr __setattr__ __import__ exec compile importlib scriptblock invoke-command "
        "xp_cmdshell executestatement invokemember encodedcommand frombase64string b64decode "
        "addcode importnode new-alias set-alias execscript settimeout setinterval getref "
        "import-module add-type set-variable insertadjacenthtml innerhtml outerhtml _oleobj_ "
        "globals locals vars fromcharcode unescape addtype reflection assembly ",
    [WORD_CHANNEL] =
        " xmlhttp winhttprequest serverxmlhttp webclient invoke-webrequest invoke-restmethod iwr "
        "smtpclient send-mailmessage smtplib urllib urllib2 requests ftplib socket tcpclient "
        "cdonts "
        "mailsender jmail bitstransfer start-bitstransfer httplib curl wget ftp sftp tftp "
        "bitsadmin "
        "certutil msxml2 winhttp mapi sp_send_dbmail xp_sendmail httpwebrequest blat sendemail "
        "internetexplorer ",
    [WORD_LOOP] = " getfolder get-childitem gci listdir glob walk scandir subfolders ",
    [WORD_RUN] = " run shellexecute start-process popen subprocess createprocess ",
    [WORD_PROGRAM] = " powershell pwsh mshta rundll32 regsvr32 cscript cmd msbuild installutil ",
    [WORD_MODULE] = " win32com client pythoncom pywintypes os sys time datetime glob shutil csv "
                    "logging re json math string locale argparse configparser decimal io path "
                    "collections itertools functools pathlib calendar traceback platform getpass "
                    "constants dispatch win32timezone openpyxl xlrd xlwt pandas numpy pyodbc "
                    "sqlite3 tempfile zipfile "};

static const char *find_pair(const Pair *pairs, size_t n, const char *word) {
  for (size_t i = 0; i < n; i++)
    if (g_ascii_strcasecmp(pairs[i].word, word) == 0)
      return pairs[i].name;
  return NULL;
}

const char *word_field(const char *word) {
  return find_pair(FIELDS, G_N_ELEMENTS(FIELDS), word);
}

const char *word_property(const char *word) {
  return find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), word);
}

const char *word_call(const char *word) {
  return find_pair(CALLS, G_N_ELEMENTS(CALLS), word);
}

const char *word_key(const char *key, bool *is_odd) {
  static const char configuration[] = "http://schemas.microsoft.com/cdo/configuration/";
  static const char *const headers[] = {"urn:schemas:mailheader:", "urn:schemas:httpmail:"};
  g_autofree char *folded = g_ascii_strdown(key, -1);
  *is_odd = false;
  if (g_str_has_prefix(folded, configuration))
    return word_field(folded + strlen(configuration));
  for (guint i = 0; i < G_N_ELEMENTS(headers); i++)
    if (g_str_has_prefix(folded, headers[i]))
      return word_property(folded + strlen(headers[i]));
  *is_odd = strstr(folded, "/cdo/") != NULL || strstr(folded, "mailheader:") != NULL ||
            strstr(folded, "httpmail:") != NULL;
  return word_property(folded);
}

bool word_is(WordKind kind, const char *word) {
  char text[64];
  if (strlen(word) > sizeof text - 3 || *word == '\0' || strchr(word, ' ') != NULL)
    return false;
  g_snprintf(text, sizeof text, " %s ", word);
  g_autofree char *folded = g_ascii_strdown(text, -1);
  return strstr(WORDS[kind], folded) != NULL;
}
