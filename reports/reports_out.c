/* SPDX-License-Identifier: Apache-2.0 */
/* reports_out.c - buffered writing. */
#include "reports/reports_out.h"
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
