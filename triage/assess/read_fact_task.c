/* SPDX-License-Identifier: Apache-2.0 */
/* read_fact_task.c - Task Scheduler 2.0 XML ([MS-TSCH]) by libxml2's reader: no entities, no
 * network, no DTD; depth and size are bounded. */
#include "assess/read_fact.h"
#include "base/limits.h"
#include <libxml/xmlreader.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_NODES = 100000 };

typedef struct {
  GString *command, *arguments, *directory, *author, *user, *start, *registered;
  bool is_disabled;
  GPtrArray *targets; /* char* */
} Task;

static void keep(GString *into, const char *value) {
  g_string_truncate(into, 0);
  g_string_append_len(into, value, (gssize)strnlen(value, LIMIT_FACT_BYTES / 4));
}

static void take_text(Task *task, const char *parent, const char *element, const char *value) {
  if (strcmp(element, "Command") == 0)
    keep(task->command, value);
  else if (strcmp(element, "Arguments") == 0)
    keep(task->arguments, value);
  else if (strcmp(element, "WorkingDirectory") == 0)
    keep(task->directory, value);
  else if (strcmp(element, "Date") == 0 && strcmp(parent, "RegistrationInfo") == 0)
    keep(task->registered, value);
  else if (strcmp(element, "Author") == 0)
    keep(task->author, value);
  else if (strcmp(element, "UserId") == 0)
    keep(task->user, value);
  else if (strcmp(element, "StartBoundary") == 0 && task->start->len == 0)
    keep(task->start, value);
  else if (strcmp(element, "Enabled") == 0 && strcmp(parent, "Settings") == 0)
    task->is_disabled = g_ascii_strcasecmp(value, "false") == 0;
}

static void end_exec(Task *task) {
  if (task->command->len > 0 && task->targets->len < MAX_FACTS)
    g_ptr_array_add(task->targets,
                    fact_command(task->command->str, task->arguments->str, task->directory->str));
  g_string_truncate(task->command, 0);
  g_string_truncate(task->arguments, 0);
  g_string_truncate(task->directory, 0);
}

static void walk(Task *task, xmlTextReaderPtr reader) {
  const char *names[MAX_DEPTH + 1] = {""};
  for (guint n = 0; n < MAX_NODES && xmlTextReaderRead(reader) == 1; n++) {
    int depth = xmlTextReaderDepth(reader), type = xmlTextReaderNodeType(reader);
    if (depth < 0 || depth >= MAX_DEPTH)
      continue;
    const char *name = (const char *)xmlTextReaderConstLocalName(reader);
    if (type == XML_READER_TYPE_ELEMENT) {
      if (depth == 0 && strcmp(name, "Task") != 0)
        return;
      names[depth] = name; /* of the reader's dictionary: lives as long as the reader */
    } else if (type == XML_READER_TYPE_END_ELEMENT && strcmp(name, "Exec") == 0) {
      end_exec(task);
    } else if ((type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA) && depth >= 1) {
      const char *value = (const char *)xmlTextReaderConstValue(reader);
      take_text(task, depth >= 2 ? names[depth - 2] : "", names[depth - 1],
                value != NULL ? value : "");
    }
  }
}

static void quiet(void *user, const char *message, xmlParserSeverities severity,
                  xmlTextReaderLocatorPtr where) {
  (void)user, (void)message, (void)severity, (void)where;
}

void fact_read_task(GPtrArray *facts, const uint8_t *data, size_t n) {
  xmlTextReaderPtr reader = xmlReaderForMemory((const char *)data, (int)n, NULL, NULL,
                                               XML_PARSE_NONET | XML_PARSE_NOERROR |
                                                   XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
  if (reader == NULL)
    return;
  xmlTextReaderSetErrorHandler(reader, quiet, NULL);
  Task task = {g_string_new(NULL),
               g_string_new(NULL),
               g_string_new(NULL),
               g_string_new(NULL),
               g_string_new(NULL),
               g_string_new(NULL),
               g_string_new(NULL),
               false,
               g_ptr_array_new_with_free_func(g_free)};
  walk(&task, reader);
  bool is_dated = task.registered->len > 0;
  /* first: what stands behind may be anybody's text (assess reads the date) */
  g_autofree char *detail =
      g_strdup_printf("%s%s%sauthor %s; runs as %s; starts %s", is_dated ? "registered " : "",
                      task.registered->str, is_dated ? "; " : "", task.author->str, task.user->str,
                      task.start->len > 0 ? task.start->str : "on an event");
  for (guint i = 0; i < task.targets->len; i++)
    fact_add(facts, task.is_disabled ? "disabled-task" : "task", task.targets->pdata[i], detail);
  /* The domain that the machine's accounts are of: DOMAIN\user. */
  const GString *accounts[] = {task.author, task.user};
  for (guint i = 0; i < G_N_ELEMENTS(accounts); i++) {
    const char *slash = strchr(accounts[i]->str, '\\');
    if (task.targets->len > 0 && slash != NULL && slash != accounts[i]->str) {
      g_autofree char *domain = g_strndup(accounts[i]->str, (gsize)(slash - accounts[i]->str));
      fact_add(facts, "account-domain", domain, "");
      break;
    }
  }
  GString *texts[] = {task.command, task.arguments, task.directory, task.author,
                      task.user,    task.start,     task.registered};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_string_free(texts[i], TRUE);
  g_ptr_array_unref(task.targets);
  xmlFreeTextReader(reader);
}
