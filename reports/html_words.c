/* SPDX-License-Identifier: Apache-2.0 */
/* html_words.c - see html_words.h. */
#include "reports/html_words.h"
#include <string.h>

const VerdictWords VERDICT_WORDS[VERDICTS] = {
    {"suspicious", "suspicious", "Suspicious", "▲",
     "Recorded facts speak against it: each of these needs a person's examination first."},
    {"unexplained", "unexplained", "Unexplained", "?",
     "Nothing in the evidence and no benign profile explains it. This is not an accusation: a "
     "person "
     "has to look at it."},
    {"likely-benign", "likely-benign", "Likely benign", "◐",
     "A benign profile fits what the script does, but the same evidence does not confirm it."},
    {"known-benign", "known-benign", "Known benign", "✓",
     "A benign profile fits, and the same evidence shows what runs it, or the site has approved "
     "exactly this content by its digest. It stays listed."},
    {"", "not-assessed", "Not assessed", "–",
     "The run did not come to assessing these: treat them as unexplained."},
};

guint verdict_index(const char *name) {
  guint i = 0;
  while (i + 1 < VERDICTS && strcmp(VERDICT_WORDS[i].name, name) != 0)
    i++;
  return i;
}

const ReasonWords REASON_WORDS[REASONS] = {
    {"encrypted", "encrypted content", "The content is encrypted and no given password opens it."},
    {"corrupt", "damaged content",
     "The structure is damaged; what lies behind the damage is unknown."},
    {"unreadable", "unreadable content", "The content could not be read at all."},
    {"truncated", "cut-off content", "The content ends before its own records say it should."},
    {"unsupported-filesystem", "unsupported file systems",
     "The volume's file system is not read by this version: none of its files was seen."},
    {"unsupported-format", "unsupported formats",
     "The format is not unpacked by this version. Its bytes were scanned as they stand; text that "
     "is "
     "compressed or encoded inside it was not seen."},
    {"depth-limit", "nesting limit", "Nested deeper than the limit of this run."},
    {"size-limit", "size limit", "Larger than the limit of this run; the first part was examined."},
    {"ratio-limit", "expansion limit",
     "Expands to so much more than its packed size that it was stopped (decompression bomb)."},
    {"bad-checksum", "wrong checksums", "A checksum of the container or archive does not match."},
    {"missing-segment", "missing segments", "A segment file of the image is not there."},
    {"read-error", "read errors", "The medium or file gave a read error."},
    {"timeout", "time limit", "Took longer than the time limit, also when tried alone again."},
    {"worker-crash", "crashed examinations",
     "The examining process ended abnormally on it, also when tried alone again."},
    {"out-of-memory", "memory limit", "Needed more memory than the limit of this run."},
    {"match-limit", "match limit",
     "More matches than are kept one by one: all are counted, not all are listed."},
    {"known-file", "known files left out",
     "On the list of known files given to this run: not scanned."},
    {"overwritten", "overwritten content",
     "A deleted entry whose content belongs to another file now, or is gone."},
    {"", "other reasons", "A reason that this version of the report does not know."},
};

guint reason_index(const char *name) {
  guint i = 0;
  while (i + 1 < REASONS && strcmp(REASON_WORDS[i].name, name) != 0)
    i++;
  return i;
}

static const char *const INDICATORS[][2] = {{"smtp_server", "Mail server"},
                                            {"smtp_port", "Port"},
                                            {"mail_from", "Sender"},
                                            {"mail_to", "Recipient"},
                                            {"mail_cc", "Copy to"},
                                            {"mail_bcc", "Blind copy to"},
                                            {"subject", "Subject"},
                                            {"attachment", "Attachment"},
                                            {"sendusing", "Way of sending"},
                                            {"auth", "Authentication"},
                                            {"user", "User name"},
                                            {"password_present", "Password in the text"},
                                            {"reply_to", "Reply to"},
                                            {"body", "Text of the mail"},
                                            {"body_source", "Text read from"},
                                            {"pickup", "Pickup folder"},
                                            {"ssl", "Encrypted connection"},
                                            {"content", "Kind of content"},
                                            {"language", "Language"},
                                            {"acts", "Builds or sends a mail"},
                                            {"unsure", "Not certain how to read"},
                                            {"dynamic", "Put together while it runs"},
                                            {"other_channel", "Another way out"},
                                            {"runs_program", "Runs a program"},
                                            {"file_loop", "Goes through files"},
                                            {"names_server", "Names a server"}};

const char *const (*indicator_titles(gsize *n))[2] {
  *n = G_N_ELEMENTS(INDICATORS);
  return INDICATORS;
}

const char *indicator_title(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(INDICATORS); i++)
    if (strcmp(INDICATORS[i][0], name) == 0)
      return INDICATORS[i][1];
  return name;
}

const char *scenario_title(const char *name) {
  static const char *const TITLES[][2] = {{"scheduled-report", "scheduled report"},
                                          {"user-mail", "mail of a user"},
                                          {"backup-notification", "backup notification"},
                                          {"health-check", "health check"},
                                          {"internal-relay", "internal relay"}};
  for (gsize i = 0; i < G_N_ELEMENTS(TITLES); i++)
    if (strcmp(TITLES[i][0], name) == 0)
      return TITLES[i][1];
  return name;
}

const GistWords HTML_GIST[HTML_GIST_PARTS] = {
    {"through ", (const char *const[]){"smtp_server", NULL}},
    {"to ", (const char *const[]){"mail_to", "mail_cc", "mail_bcc", NULL}},
    {"with ", (const char *const[]){"attachment", NULL}}};

const char *const WEIGHT_WORDS[WEIGHTS][2] = {
    {"against", "Against it"},
    {"doubt", "What nothing explains"},
    {"for", "For it"},
    {"cap", "What a firmer verdict would need to be otherwise"}};

const GlossaryWords GLOSSARY[] = {
    {"Allocated", "The file system lists the file as present."},
    {"CDO",
     "Collaboration Data Objects, a Microsoft library that scripts use to send mail over SMTP."},
    {"Container, member", "An archive or mail that holds other files; a member is one of these. "
                          "Steps into containers are "
                          "joined by !/ in a path."},
    {"Corroboration",
     "Another object of the same evidence that supports a verdict: a scheduled task, a cron entry, "
     "the product installed beside the script."},
    {"Coverage", "What was and was not examined. Nothing that was left out is dropped silently."},
    {"Deleted", "The name or its metadata is marked unused, but can still be read."},
    {"Digest",
     "A number computed from all bytes of a content (MD5, SHA-1, SHA-256). Equal SHA-256 digests "
     "mean equal content; MD5 and SHA-1 are given for comparison with older records only."},
    {"Hit", "One object in which one rule matched, under one of its names; one row of hits.csv."},
    {"Indicator",
     "What the script's text says it would do: server, sender, recipients, attachments."},
    {"Metadata address",
     "The number of a file's record in its file system (inode, MFT entry), as the "
     "Sleuth Kit prints it."},
    {"Named stream",
     "A second content of a file on NTFS, written path:stream; not shown by Explorer."},
    {"Object",
     "One content of the evidence: a file, a named stream, a deleted file, a whole image."},
    {"Orphan", "A deleted file whose folder is not known any more."},
    {"Profile",
     "A description of a known, harmless use, with what must be present for it to hold."},
    {"UTC",
     "Coordinated Universal Time. All times are UTC as the file system records them, except where "
     "\"local time, zone not recorded\" stands beside them (FAT and some archives)."},
    {"View", "What the bytes were turned into before the rule matched: raw (as they are), utf-16le "
             "(converted text), and so on."},
};
const gsize GLOSSARY_LENGTH = G_N_ELEMENTS(GLOSSARY);
