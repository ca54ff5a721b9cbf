/* SPDX-License-Identifier: Apache-2.0 */
/* reports_out.c - buffered writing. */
#include "reports/reports_out.h"
#include "base/digest.h"
#include "base/io.h"
#include <errno.h>
#include <string.h>

enum { FLUSH_AT = 256 * 1024 };

void out_init(Out *out, int fd) {
  out->fd = fd;
  out->problem = 0;
  out->buffer = g_string_sized_new(FLUSH_AT + 4096);
}

static void flush(Out *out) {
  if (out->problem == 0 && out->buffer->len > 0 &&
      !io_write_all(out->fd, out->buffer->str, out->buffer->len))
    out->problem = errno;
  g_string_truncate(out->buffer, 0);
}

void out_text(Out *out, const char *text) {
  g_string_append(out->buffer, text);
  if (out->buffer->len > FLUSH_AT)
    flush(out);
}

void out_format(Out *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_string_append_vprintf(out->buffer, format, arguments);
  va_end(arguments);
  if (out->buffer->len > FLUSH_AT)
    flush(out);
}

bool out_finish(Out *out, GError **error) {
  flush(out);
  g_string_free(out->buffer, TRUE);
  return out->problem == 0 ||
         triage_fail(error, TRIAGE_REASON_INTERNAL, "%s", g_strerror(out->problem));
}

char *report_values(const HitRow *hit, const char *const *names) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < hit->n_indicators; i++) {
    const IndicatorRecord *indicator = &hit->indicators[i];
    if (!g_strv_contains(names, indicator->name) ||
        !g_hash_table_add(seen, (gpointer)indicator->value))
      continue;
    if (text->len > 0)
      g_string_append(text, "; ");
    g_string_append(text, indicator->value);
  }
  return g_string_free(text, FALSE);
}

char *report_whole_path(const HitRow *hit) {
  return *hit->member != '\0' ? g_strconcat(hit->path, "!/", hit->member, NULL)
                              : g_strdup(hit->path);
}

guint report_events(const HitRow *hit, ReportEvent out[REPORT_EVENTS]) {
  const ReportEvent all[REPORT_EVENTS] = {{&hit->created, "Creation Time"},
                                          {&hit->modified, "Content Modification Time"},
                                          {&hit->changed, "Metadata Modification Time"},
                                          {&hit->accessed, "Last Access Time"}};
  guint n = 0;
  for (guint i = 0; i < REPORT_EVENTS; i++)
    if (all[i].time->is_set && !all[i].time->is_local)
      out[n++] = all[i];
  return n;
}

char *report_event_message(const HitRow *hit, const char *path) {
  return g_strdup_printf("%s: %s matches %s (%s)", hit->evidence, path, hit->rule, hit->verdict);
}

bool report_time(const TriageTime *time, char *out, gsize size) {
  triage_time_format(time, out, size);
  return strlen(out) > 4 && strspn(out, "0123456789") == 4 && strncmp(out, "0000", 4) != 0;
}

static void hex_bytes(const char *hex, guint8 *out, gsize n) {
  for (gsize i = 0; i < n; hex++) {
    if (*hex == '-')
      continue;
    int high = g_ascii_xdigit_value(hex[0]), low = g_ascii_xdigit_value(hex[1]);
    out[i++] = (guint8)(high << 4 | low);
    hex++;
  }
}

char *report_uuid(const char *name_space, const char *name) {
  enum { UUID_BYTES = 16 };
  guint8 uuid[UUID_BYTES];
  hex_bytes(name_space, uuid, UUID_BYTES);
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA1);
  digester_update(digester, uuid, UUID_BYTES);
  digester_update(digester, name, strlen(name));
  Digests digests;
  digester_finish(digester, &digests);
  hex_bytes(digests.sha1, uuid, UUID_BYTES);
  uuid[6] = (guint8)((uuid[6] & 0x0F) | 0x50);
  uuid[8] = (guint8)((uuid[8] & 0x3F) | 0x80);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < UUID_BYTES; i++)
    g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                           uuid[i]);
  return g_string_free(text, FALSE);
}
