/* SPDX-License-Identifier: Apache-2.0 */
/* report_dfxml.c - the hit objects as Digital Forensics XML 1.1.0. Facts of the run (times,
 * machine, command line) stay in manifest.json, so that two runs give the same bytes. */
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <string.h>

typedef struct {
  Out out;
  bool in_volumes; /* first the volumes, then what lies in none: the schema's order */
  bool is_open;    /* a volume is */
  uint32_t evidence, volume;
  char *last; /* identity of the object written last: hits of several rules are one */
} Dfxml;

static void put_text(Out *out, const char *text) {
  g_autofree char *escaped = g_markup_escape_text(text, -1);
  out_text(out, escaped);
}

static void element(Out *out, const char *name, const char *text) {
  if (*text == '\0')
    return;
  out_format(out, "    <%s>", name);
  put_text(out, text);
  out_format(out, "</%s>\n", name);
}

static void number(Out *out, const char *name, uint64_t value) {
  out_format(out, "    <%s>%llu</%s>\n", name, (unsigned long long)value, name);
}

/* xs:dateTime may leave the zone open, as FAT does; a day alone it cannot say. */
static void put_time(Out *out, const char *name, const TriageTime *time) {
  char text[64];
  if (!time->is_date && report_time(time, text, sizeof text))
    element(out, name, text);
}

static void digest(Out *out, const char *type, const char *hex) {
  if (*hex != '\0')
    out_format(out, "    <hashdigest type=\"%s\">%s</hashdigest>\n", type, hex);
}

static void put_name(Out *out, const HitRow *hit) {
  g_autofree char *path = report_whole_path(hit);
  bool is_raw = strcmp(hit->view, "raw") == 0;
  g_autofree char *name = is_raw ? g_strdup(path) : g_strdup_printf("%s [%s]", path, hit->view);
  element(out, "filename", name);
}

static void put_state(Out *out, const HitRow *hit) {
  bool is_allocated = strcmp(hit->state, "allocated") == 0;
  out_text(out, is_allocated ? "    <alloc>1</alloc>\n" : "    <unalloc>1</unalloc>\n");
  if (strcmp(hit->state, "orphan") == 0)
    out_text(out, "    <orphan>1</orphan>\n");
  uint64_t inode = g_ascii_strtoull(hit->meta, NULL, 10);
  if (g_ascii_isdigit(hit->meta[0]))
    number(out, "inode", inode);
}

static void put_place(Out *out, const HitRow *hit) {
  if (!hit->has_image_offset || !hit->has_first_offset || hit->n_matches == 0)
    return;
  out_format(out,
             "    <byte_runs><byte_run file_offset=\"%llu\" img_offset=\"%llu\" len=\"%llu\"/>"
             "</byte_runs>\n",
             (unsigned long long)hit->first_offset, (unsigned long long)hit->image_offset,
             (unsigned long long)hit->matches[0].length);
}

static void put_object(Out *out, const HitRow *hit) {
  bool is_area = strcmp(hit->state, "slack") == 0 || strcmp(hit->state, "unallocated") == 0;
  out_text(out, "  <fileobject>\n");
  put_name(out, hit);
  if (hit->volume > 0)
    number(out, "partition", hit->volume);
  element(out, "id", hit->hit_id);
  element(out, "name_type", is_area ? "v" : "r");
  number(out, "filesize", hit->size);
  put_state(out, hit);
  put_time(out, "mtime", &hit->modified);
  put_time(out, "ctime", &hit->changed);
  put_time(out, "atime", &hit->accessed);
  put_time(out, "crtime", &hit->created);
  put_place(out, hit);
  digest(out, "md5", hit->digests.md5);
  digest(out, "sha1", hit->digests.sha1);
  digest(out, "sha256", hit->digests.sha256);
  out_text(out, "  </fileobject>\n");
}

static void close_volume(Dfxml *dfxml) {
  if (dfxml->is_open)
    out_text(&dfxml->out, "  </volume>\n");
  dfxml->is_open = false;
}

static void open_volume(Dfxml *dfxml, const HitRow *hit) {
  if (dfxml->is_open && dfxml->evidence == hit->evidence_no && dfxml->volume == hit->volume)
    return;
  close_volume(dfxml);
  dfxml->is_open = true;
  dfxml->evidence = hit->evidence_no;
  dfxml->volume = hit->volume;
  out_format(&dfxml->out, "  <volume offset=\"%llu\">\n", (unsigned long long)hit->volume_offset);
  if (hit->volume_offset > 0)
    number(&dfxml->out, "partition_offset", hit->volume_offset);
  element(&dfxml->out, "ftype_str", hit->fs_type);
}

static bool put_hit(void *user, const HitRow *hit) {
  Dfxml *dfxml = user;
  if ((hit->volume > 0) != dfxml->in_volumes)
    return true;
  g_autofree char *id =
      g_strdup_printf("%u/%u/%llu/%s/%s/%s", hit->evidence_no, hit->volume,
                      (unsigned long long)hit->seq, hit->path, hit->member, hit->view);
  if (g_strcmp0(dfxml->last, id) == 0)
    return true;
  g_free(dfxml->last);
  dfxml->last = g_steal_pointer(&id);
  if (dfxml->in_volumes)
    open_volume(dfxml, hit);
  put_object(&dfxml->out, hit);
  return dfxml->out.problem == 0;
}

static bool put_source(void *user, const EvidenceRecord *evidence) {
  element(user, "image_filename", evidence->name);
  return true;
}

bool report_write_dfxml(Store *store, int fd, GError **error) {
  Dfxml dfxml = {.in_volumes = true};
  Out *out = &dfxml.out;
  out_init(out, fd);
  g_autofree char *version = store_get_meta(store, "tool_version");
  out_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<dfxml xmlns=\"http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML\" "
                "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" version=\"1.1.0\">\n"
                "  <metadata><dc:type>Hits of triage</dc:type></metadata>\n"
                "  <creator>\n    <program>triage</program>\n");
  element(out, "version", version != NULL ? version : "");
  out_text(out, "  </creator>\n  <source>\n");
  bool ok = store_each_evidence(store, put_source, out, error);
  out_text(out, "  </source>\n");
  ok = ok && store_each_hit(store, put_hit, &dfxml, error);
  close_volume(&dfxml);
  dfxml.in_volumes = false;
  ok = ok && store_each_hit(store, put_hit, &dfxml, error);
  out_text(out, "</dfxml>\n");
  g_free(dfxml.last);
  return out_finish(out, ok ? error : NULL) && ok;
}
