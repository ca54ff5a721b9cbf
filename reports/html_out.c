/* SPDX-License-Identifier: Apache-2.0 */
/* html_out.c - everything is escaped here, once. */
#include "reports/html_out.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

extern const char page_css[];

static void put_escaped(Out *out, const char *text) {
  for (;;) {
    gsize n = strcspn(text, "&<>\"'");
    if (n > 0)
      g_string_append_len(out->buffer, text, (gssize)n);
    const char *reference = NULL;
    switch (text[n]) {
    case '&':
      reference = "&amp;";
      break;
    case '<':
      reference = "&lt;";
      break;
    case '>':
      reference = "&gt;";
      break;
    case '"':
      reference = "&quot;";
      break;
    case '\'':
      reference = "&#39;";
      break;
    default:
      out_text(out, ""); /* gives a full buffer the chance to be written */
      return;
    }
    out_text(out, reference);
    text += n + 1;
  }
}

void html_text(Out *out, const char *text) {
  if (text_is_printable(text)) {
    put_escaped(out, text);
    return;
  }
  /* Texts of the store are printable already; one that is not must not get through. */
  g_autofree char *shown = text_printable(text, strlen(text));
  put_escaped(out, shown);
}

void html_text_lines(Out *out, const char *lines) {
  g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
  for (guint i = 0; each[i] != NULL; i++) {
    html_text(out, each[i]);
    if (each[i + 1] != NULL)
      html_markup(out, "\n");
  }
}

void html_format(Out *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  html_text(out, text);
}

char *html_clip(const char *text, gsize max) {
  gsize n = strlen(text);
  if (n <= max)
    return g_strdup(text);
  const char *tail = text + n - max / 2;
  while ((*tail & 0xC0) == 0x80)
    tail++;
  gsize head = max / 2;
  while (head > 0 && (text[head] & 0xC0) == 0x80)
    head--;
  return g_strdup_printf("%.*s [... %" G_GSIZE_FORMAT " bytes left out here ...] %s", (int)head,
                         text, (gsize)(tail - text) - head, tail);
}

void html_name(Out *out, const char *name) {
  g_autofree char *clipped = html_clip(name, HTML_NAME_BYTES);
  html_markup(out, "<bdi>");
  html_text(out, clipped);
  html_markup(out, "</bdi>");
}

void html_code(Out *out, const char *text) {
  html_markup(out, "<code>");
  html_text(out, text);
  html_markup(out, "</code>");
}

char *html_number(uint64_t number) {
  g_autofree char *digits = g_strdup_printf("%llu", (unsigned long long)number);
  gsize n = strlen(digits);
  GString *text = g_string_new(NULL);
  for (gsize i = 0; i < n; i++) {
    if (i > 0 && (n - i) % 3 == 0)
      g_string_append_c(text, ',');
    g_string_append_c(text, digits[i]);
  }
  return g_string_free(text, FALSE);
}

void html_put_number(Out *out, uint64_t number) {
  g_autofree char *text = html_number(number);
  html_text(out, text);
}

void html_count(Out *out, uint64_t number, const char *one, const char *many) {
  html_put_number(out, number);
  html_format(out, " %s", number == 1 ? one : many);
}

void html_bytes(Out *out, uint64_t bytes) {
  static const struct {
    uint64_t unit;
    const char *name;
  } UNITS[] = {{TIB, "TiB"}, {GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}};
  for (gsize i = 0; i < G_N_ELEMENTS(UNITS); i++) {
    if (bytes < UNITS[i].unit)
      continue;
    uint64_t tenths = bytes / UNITS[i].unit * 10 + bytes % UNITS[i].unit * 10 / UNITS[i].unit;
    html_format(out, "%llu.%u %s (", (unsigned long long)(tenths / 10), (unsigned)(tenths % 10),
                UNITS[i].name);
    html_put_number(out, bytes);
    html_markup(out, " bytes)");
    return;
  }
  html_count(out, bytes, "byte", "bytes");
}

void html_row(Out *out, const char *label, const char *text, bool must) {
  if (!must && *text == '\0')
    return;
  html_markup(out, "<tr><th scope=\"row\">");
  html_text(out, label);
  html_markup(out, "</th><td>");
  if (*text == '\0')
    html_markup(out, "<span class=\"none\">not given</span>");
  else
    html_name(out, text);
  html_markup(out, "</td></tr>\n");
}

void html_time(Out *out, const TriageTime *time) {
  char text[64];
  triage_time_format(time, text, sizeof text);
  if (*text == '\0') {
    html_markup(out, "<span class=\"none\" title=\"the source has no such time\">none</span>");
    return;
  }
  char *t = strchr(text, 'T');
  if (t != NULL)
    *t = ' ';
  gsize n = strlen(text);
  if (n > 0 && text[n - 1] == 'Z')
    text[n - 1] = '\0';
  html_text(out, text);
  if (time->is_date)
    html_markup(out, " <span class=\"zone local\">day alone, zone not recorded</span>");
  else if (time->is_local)
    html_markup(out, " <span class=\"zone local\">local time, zone not recorded</span>");
  else
    html_markup(out, " <span class=\"zone\">UTC</span>");
}

char *html_csp_hash(const char *text) {
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(checksum, (const guchar *)text, -1);
  guint8 digest[32];
  gsize n = sizeof digest;
  g_checksum_get_digest(checksum, digest, &n);
  g_autofree char *base64 = g_base64_encode(digest, n);
  return g_strdup_printf("sha256-%s", base64);
}

static void put_source(Out *out, const char *text) {
  g_autofree char *hash = html_csp_hash(text);
  html_markup(out, " '");
  html_text(out, hash);
  html_markup(out, "'");
}

void html_head(Out *out, const char *title, const char *own_css, const char *const *scripts) {
  html_markup(out,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
              "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src");
  put_source(out, page_css);
  put_source(out, own_css);
  if (scripts != NULL)
    html_markup(out, "; script-src");
  for (; scripts != NULL && *scripts != NULL; scripts++)
    put_source(out, *scripts);
  html_markup(out,
              "; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" "
              "content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, "
              "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
  html_text(out, title);
  html_markup(out, "</title>\n<style>");
  out_text(out, page_css);
  html_markup(out, "</style>\n<style>");
  out_text(out, own_css);
  html_markup(out, "</style>\n");
}
