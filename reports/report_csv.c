/* SPDX-License-Identifier: Apache-2.0 */
/* report_csv.c - hits.csv, coverage.csv, entries.csv (RFC 4180 by libcsv). */
#include "base/keyhash.h"
#include "base/timestomp.h"
#include "reports/report_writers.h"
#include "reports/table_out.h"
#include <string.h>

static void add_values(Table *table, const HitRow *hit, const char *const *names) {
  g_autofree char *text = report_values(hit, names);
  table_field(table, text);
}

/* The records that the row's times come from, each once. */
static void add_sources(Table *table, const HitRow *hit) {
  const TriageTime *times[] = {&hit->created, &hit->modified, &hit->changed, &hit->accessed};
  g_autoptr(GString) words = g_string_new(NULL);
  unsigned seen = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
    const char *word = times[i]->is_set ? triage_time_source_name(times[i]->source) : "";
    if (*word != '\0' && (seen >> times[i]->source & 1) == 0)
      g_string_append_printf(words, "%s%s", words->len > 0 ? ";" : "", word);
    seen |= 1u << times[i]->source;
  }
  table_field(table, words->str);
}

static bool put_hit(void *user, const HitRow *hit) {
  Table *table = user;
  table_field(table, hit->hit_id);
  table_field(table, hit->evidence);
  table_number(table, true, hit->volume);
  table_number(table, true, hit->volume_offset);
  table_field(table, hit->fs_type);
  table_field(table, hit->path);
  table_field(table, hit->member);
  table_field(table, hit->view);
  table_field(table, hit->meta);
  table_field(table, hit->state);
  table_number(table, true, hit->size);
  table_field(table, hit->digests.sha256);
  table_field(table, hit->digests.sha1);
  table_field(table, hit->digests.md5);
  table_time(table, &hit->created);
  table_time(table, &hit->modified);
  table_time(table, &hit->changed);
  table_time(table, &hit->accessed);
  table_field(table, hit->rule);
  table_field(table, hit->strings);
  table_number(table, true, hit->match_count);
  table_number(table, hit->has_first_offset, hit->first_offset);
  table_number(table, hit->has_image_offset, hit->image_offset);
  table_field(table, hit->verdict);
  table_field(table, hit->scenario);
  table_field(table, hit->profile);
  table_field(table, hit->reason);
  add_values(table, hit, (const char *const[]){"smtp_server", NULL});
  add_values(table, hit, (const char *const[]){"smtp_port", NULL});
  add_values(table, hit, (const char *const[]){"mail_from", NULL});
  add_values(table, hit, (const char *const[]){"mail_to", "mail_cc", "mail_bcc", NULL});
  add_values(table, hit, (const char *const[]){"subject", NULL});
  add_values(table, hit, (const char *const[]){"attachment", NULL});
  table_field(table, hit->excerpt);
  table_field(table, hit->rule_namespace);
  table_field(table, hit->also_views);
  add_sources(table, hit);
  table_time(table, &hit->name_created);
  table_time(table, &hit->name_modified);
  table_time(table, &hit->name_changed);
  table_time(table, &hit->name_accessed);
  table_field(table, !hit->has_name_times ? "" : timestomp_is(hit->timestomp) ? "yes" : "no");
  table_field(table, hit->fuzzy);
  table_end_row(table);
  return table->out.problem == 0;
}

bool report_write_hits(Store *store, int fd, GError **error) {
  Table table;
  table_begin(
      &table, fd,
      "hit_id,evidence,volume,volume_offset,fs_type,path,member,view,meta_addr,state,size,sha256,"
      "sha1,md5,created,modified,changed,accessed,rule,strings,match_count,first_offset,"
      "image_offset,verdict,scenario,profile,reason,smtp_server,smtp_port,mail_from,mail_to,"
      "subject,attachments,excerpt,rule_namespace,also_views,times_kind,name_created,name_modified,"
      "name_changed,name_accessed,timestomped,ssdeep");
  return table_finish(&table, store_each_hit(store, put_hit, &table, error), error);
}

static bool put_gap(void *user, const GapRow *gap) {
  Table *table = user;
  table_field(table, gap->evidence);
  table_number(table, true, gap->volume);
  table_number(table, true, gap->volume_offset);
  table_field(table, gap->fs_type);
  table_field(table, gap->path);
  table_field(table, gap->member);
  table_field(table, gap->meta);
  table_field(table, gap->state);
  table_number(table, gap->has_size, gap->size);
  table_number(table, gap->has_size, gap->examined);
  table_field(table, gap->reason);
  table_field(table, gap->detail);
  table_end_row(table);
  return table->out.problem == 0;
}

bool report_write_coverage(Store *store, int fd, GError **error) {
  Table table;
  table_begin(
      &table, fd,
      "evidence,volume,volume_offset,fs_type,path,member,meta_addr,state,size,examined_bytes,"
      "reason,detail");
  return table_finish(&table, store_each_gap(store, put_gap, &table, error), error);
}

static bool put_entry(void *user, const EntryRow *entry) {
  Table *table = user;
  table_field(table, entry->evidence);
  table_number(table, true, entry->volume);
  table_number(table, true, entry->volume_offset);
  table_field(table, entry->fs_type);
  table_field(table, entry->path);
  table_field(table, entry->member);
  table_field(table, entry->view);
  table_field(table, entry->meta);
  table_field(table, entry->kind);
  table_field(table, entry->state);
  table_number(table, true, entry->size);
  table_field(table, entry->is_examined ? "yes" : "no");
  table_number(table, entry->first_byte > 0, entry->first_byte);
  table_field(table, entry->digests.sha256);
  table_field(table, entry->digests.sha1);
  table_field(table, entry->digests.md5);
  table_time(table, &entry->created);
  table_time(table, &entry->modified);
  table_time(table, &entry->changed);
  table_time(table, &entry->accessed);
  table_end_row(table);
  return table->out.problem == 0;
}

bool report_write_entries(Store *store, int fd, GError **error) {
  Table table;
  table_begin(
      &table, fd,
      "evidence,volume,volume_offset,fs_type,path,member,view,meta_addr,kind,state,size,examined,"
      "first_byte,sha256,sha1,md5,created,modified,changed,accessed");
  return table_finish(&table, store_each_entry(store, put_entry, &table, error), error);
}

/* One row for each time of each hit; times of unknown zone stay out. */
static bool put_event(void *user, const HitRow *hit) {
  Table *table = user;
  ReportEvent events[REPORT_EVENTS];
  guint n = report_events(hit, events);
  g_autofree char *path = report_whole_path(hit);
  g_autofree char *message = report_event_message(hit, path);
  for (guint i = 0; i < n; i++) {
    table_field(table, message);
    table_time(table, events[i].time);
    table_field(table, events[i].description);
    table_field(table, hit->hit_id);
    table_field(table, hit->evidence);
    table_field(table, path);
    table_field(table, hit->meta);
    table_field(table, hit->digests.sha256);
    table_field(table, hit->rule);
    table_field(table, hit->verdict);
    table_field(table, hit->reason);
    add_values(table, hit, (const char *const[]){"smtp_server", NULL});
    add_values(table, hit, (const char *const[]){"mail_to", "mail_cc", "mail_bcc", NULL});
    table_end_row(table);
  }
  return table->out.problem == 0;
}

bool report_write_timesketch_csv(Store *store, int fd, GError **error) {
  Table table;
  table_begin(
      &table, fd,
      "message,datetime,timestamp_desc,hit_id,evidence,path,inode,sha256_hash,yara_match,verdict,"
      "reason,smtp_server,mail_to");
  return table_finish(&table, store_each_hit(store, put_event, &table, error), error);
}

/* ---- notes.csv: the noted hits, in the order of hits.csv ---- */
typedef struct {
  Table table;
  GHashTable *notes; /* hit_id -> char *[2]: tag, text */
} Noted;

static bool take_note(void *user, const NoteRecord *note) {
  const char *const pair[] = {note->tag, note->text, NULL};
  g_hash_table_insert(user, g_strdup(note->hit_id), g_strdupv((char **)pair));
  return true;
}

static bool put_noted(void *user, const HitRow *hit) {
  Noted *noted = user;
  char **note = g_hash_table_lookup(noted->notes, hit->hit_id);
  if (note == NULL)
    return true;
  const char *const cells[] = {hit->hit_id, note[0],     note[1],      hit->evidence,
                               hit->path,   hit->member, hit->verdict, hit->digests.sha256};
  for (gsize i = 0; i < G_N_ELEMENTS(cells); i++)
    table_field(&noted->table, cells[i]);
  table_end_row(&noted->table);
  return noted->table.out.problem == 0;
}

bool report_write_notes(Store *store, int fd, GError **error) {
  g_autoptr(GHashTable) notes =
      g_hash_table_new_full(keyhash_str, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
  Noted noted = {.notes = notes};
  table_begin(&noted.table, fd, "hit_id,tag,note,evidence,path,member,verdict,sha256");
  return table_finish(&noted.table,
                      store_each_note(store, take_note, notes, error) &&
                          store_each_hit(store, put_noted, &noted, error),
                      error);
}
