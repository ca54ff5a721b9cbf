/* SPDX-License-Identifier: Apache-2.0 */
/* html_hand.c - commands of other tools that come to the same content and the same match. Names in
 * them are quoted for a shell; the commands name files as they are called, without their folder. */
#include "reports/html_parts.h"
#include <string.h>

/* Printable names spell bytes as $'...' of bash does, so such a name can be given as it stands. */
static char *quote(const char *name) {
  if (strchr(name, '\\') == NULL) {
    bool plain = *name != '\0' && *name != '-';
    for (const char *p = name; plain && *p != '\0'; p++)
      plain = g_ascii_isalnum(*p) || strchr("._-/+,:@", *p) != NULL;
    return plain ? g_strdup(name) : g_shell_quote(name);
  }
  GString *text = g_string_new("$'");
  for (const char *p = name; *p != '\0'; p++) {
    if (*p == '\'')
      g_string_append_c(text, '\\');
    g_string_append_c(text, *p);
  }
  g_string_append_c(text, '\'');
  return g_string_free(text, FALSE);
}

static char *image_name(const EvidenceInfo *info) {
  g_autofree char *name =
      g_path_get_basename(info->files->len > 0 ? info->files->pdata[0] : info->record.path);
  g_autofree char *safe = *name == '-' ? g_strconcat("./", name, NULL) : g_strdup(name);
  return quote(safe);
}

static const char *rule_file(const HtmlCase *page) {
  for (guint i = 0; i < page->inputs->len; i++) {
    const InputFile *file = &g_array_index(page->inputs, InputFile, i);
    if (strcmp(file->kind, "rules") == 0)
      return file->name;
  }
  return "RULES";
}

/* One command, on a line of its own. */
static void G_GNUC_PRINTF(2, 3) command(GString *lines, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_string_append_vprintf(lines, format, arguments);
  va_end(arguments);
  g_string_append_c(lines, '\n');
}

/* Bytes of the media that are one stretch of known place: free blocks, gaps. */
static void take_stretch(GString *lines, const char *image, const HitRow *hit) {
  if (hit->has_image_offset && hit->has_first_offset && hit->image_offset >= hit->first_offset)
    command(lines, "img_cat %s | tail -c +%llu | head -c %llu > object.bin", image,
            (unsigned long long)(hit->image_offset - hit->first_offset) + 1,
            (unsigned long long)hit->size);
  else
    command(lines,
            "# the area's path names its blocks (sectors, where there is no file system); its "
            "volume starts at byte %llu",
            (unsigned long long)hit->volume_offset);
}

static void take_out(GString *lines, const EvidenceInfo *info, const HitRow *hit) {
  g_autofree char *image = image_name(info);
  uint64_t sector = info->record.sector_bytes > 0 ? info->record.sector_bytes : 512;
  bool is_image = strcmp(info->record.kind, "image") == 0;
  if (is_image && *hit->meta != '\0') {
    bool is_slack = strcmp(hit->state, "slack") == 0;
    g_autofree char *unit =
        sector == 512 ? g_strdup("") : g_strdup_printf("-b %llu ", (unsigned long long)sector);
    g_autofree char *tail = is_slack && *hit->member == '\0'
                                ? g_strdup_printf(" | tail -c %llu", (unsigned long long)hit->size)
                                : g_strdup("");
    command(lines, "icat %s%s-o %llu %s %s%s > object.bin", is_slack ? "-s " : "", unit,
            (unsigned long long)(hit->volume_offset / sector), image, hit->meta, tail);
    return;
  }
  if (is_image) {
    take_stretch(lines, image, hit);
    return;
  }
  if (strcmp(info->record.kind, "directory") == 0) {
    g_autofree char *path = g_strconcat(".", hit->path, NULL);
    g_autofree char *quoted = quote(path);
    command(lines, "(cd %s && cat %s) > object.bin", image, quoted);
    return;
  }
  command(lines, "cat %s > object.bin", image);
}

static void match_again(GString *lines, const HtmlCase *page, const HitRow *hit,
                        const char *object) {
  g_autofree char *rules = quote(rule_file(page));
  command(lines, "sha256sum %s    # %s", object,
          *hit->digests.sha256 != '\0' ? hit->digests.sha256 : "no digest recorded");
  command(lines, "yara -s %s %s", rules, object);
}

/* A mail's parts and an Office file's streams need programs of their own: the digest tells whether
 * these have come to the right bytes. */
static void unpack(GString *lines, const HtmlCase *page, const HitRow *hit, bool is_raw) {
  g_auto(GStrv) steps = g_strsplit(hit->member, "!/", -1);
  g_autofree char *from = g_strdup("object.bin");
  for (guint i = 0; steps[i] != NULL; i++) {
    g_autofree char *quoted = quote(steps[i]);
    g_autofree char *to = g_strdup_printf("member%u.bin", i + 1);
    /* A step in brackets is a compressed stream, which has no members. */
    if (*steps[i] == '(')
      command(lines, "bsdcat %s > %s", from, to);
    else
      command(lines, "bsdtar -xOf %s -- %s > %s || bsdcat %s > %s", from, quoted, to, from, to);
    g_free(from);
    from = g_steal_pointer(&to);
  }
  if (is_raw)
    match_again(lines, page, hit, from);
}

char *html_hand_commands(const HtmlCase *page, const HitRow *hit) {
  const EvidenceInfo *info = html_case_evidence(page, hit->evidence_no);
  GString *lines = g_string_new(NULL);
  if (info == NULL)
    return g_string_free(lines, FALSE);
  take_out(lines, info, hit);
  bool is_raw = strcmp(hit->view, "raw") == 0;
  if (*hit->member == '\0' && is_raw)
    match_again(lines, page, hit, "object.bin");
  if (*hit->member != '\0')
    unpack(lines, page, hit, is_raw);
  if (!is_raw)
    command(lines, "# the rule matched the content turned into '%s'; its digest: %s", hit->view,
            *hit->digests.sha256 != '\0' ? hit->digests.sha256 : "not recorded");
  if (hit->has_image_offset && hit->n_matches > 0) {
    g_autofree char *image = image_name(info);
    command(lines, "img_cat %s | tail -c +%llu | head -c %llu | xxd    # %s in the evidence", image,
            (unsigned long long)hit->image_offset + 1,
            (unsigned long long)MIN(hit->matches[0].length, 64), hit->matches[0].identifier);
  }
  return g_string_free(lines, FALSE);
}

void html_by_hand(Out *out, HtmlCase *page, const HitRow *hit) {
  g_autofree char *commands = html_hand_commands(page, hit);
  if (*commands == '\0')
    return;
  html_markup(out, "<div class=\"hand\"><h5>Check it by hand</h5>\n<pre class=\"commands\">");
  html_text_lines(out, commands);
  html_markup(out, "</pre></div>\n");
}
