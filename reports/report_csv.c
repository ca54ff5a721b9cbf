/* SPDX-License-Identifier: Apache-2.0 */
/* report_csv.c - hits.csv, coverage.csv, entries.csv (RFC 4180 by libcsv). */
#include "base/keyhash.h"
#include "base/timestomp.h"
#include "reports/report_writers.h"
#include "reports/reports_out.h"
#include <csv.h>
#include <string.h>

typedef struct {
  Out out;
  GString *row;
} Table;

static void add_field(Table *table, const char *text) {
  if (table->row->len > 0)
    g_string_append_c(table->row, ',');
  /* A cell that begins like a formula would be run by a spreadsheet. */
  static const char *const STARTS[] = {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"};
  g_autofree char *guarded = NULL;
  for (gsize i = 0; guarded == NULL && i < G_N_ELEMENTS(STARTS); i++)
    if (g_str_has_prefix(text, STARTS[i]))
      guarded = g_strconcat("'", text, NULL);
  const char *cell = guarded != NULL ? guarded : text;
  gsize n = strlen(cell);
  if (n == 0 || strpbrk(cell, ",\"\r\n") == NULL) {
    /* Quotes only where they are needed; an empty first cell still counts as written. */
    g_string_append(table->row, n > 0 || table->row->len > 0 ? cell : "\"\"");
    return;
  }
  gsize size = 2 * n + 2, old = table->row->len;
  g_string_set_size(table->row, old + size);
  gsize written = csv_write(table->row->str + old, size, cell, n);
  g_string_set_size(table->row, old + MIN(written, size));
}

static void add_number(Table *table, bool has, uint64_t number) {
  char text[24] = "";
  if (has)
    g_snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  add_field(table, text);
}

static void add_time(Table *table, const TriageTime *time) {
  char text[64];
  triage_time_format(time, text, sizeof text);
  add_field(table, text);
}

static void end_row(Table *table) {
  g_string_append(table->row, "\r\n");
  out_text(&table->out, table->row->str);
  g_string_truncate(table->row, 0);
}

static void head(Table *table, const char *names) {
  out_text(&table->out, names);
  out_text(&table->out, "\r\n");
}

static void begin(Table *table, int fd, const char *names) {
  out_init(&table->out, fd);
  table->row = g_string_new(NULL);
  head(table, names);
}

static bool finish(Table *table, bool ok, GError **error) {
  g_string_free(table->row, TRUE);
  GError *problem = NULL;
  bool written = out_finish(&table->out, &problem);
  if (ok && !written)
    g_propagate_error(error, g_steal_pointer(&problem));
  g_clear_error(&problem);
  return ok && written;
}

static void add_values(Table *table, const HitRow *hit, const char *const *names) {
  g_autofree char *text = report_values(hit, names);
  add_field(table, text);
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
  add_field(table, words->str);
}

static bool put_hit(void *user, const HitRow *hit) {
  Table *table = user;
  add_field(table, hit->hit_id);
  add_field(table, hit->evidence);
  add_number(table, true, hit->volume);
  add_number(table, true, hit->volume_offset);
  add_field(table, hit->fs_type);
  add_field(table, hit->path);
  add_field(table, hit->member);
  add_field(table, hit->view);
  add_field(table, hit->meta);
  add_field(table, hit->state);
  add_number(table, true, hit->size);
  add_field(table, hit->digests.sha256);
  add_field(table, hit->digests.sha1);
  add_field(table, hit->digests.md5);
  add_time(table, &hit->created);
  add_time(table, &hit->modified);
  add_time(table, &hit->changed);
  add_time(table, &hit->accessed);
  add_field(table, hit->rule);
  add_field(table, hit->strings);
  add_number(table, true, hit->match_count);
  add_number(table, hit->has_first_offset, hit->first_offset);
  add_number(table, hit->has_image_offset, hit->image_offset);
  add_field(table, hit->verdict);
  add_field(table, hit->scenario);
  add_field(table, hit->profile);
  add_field(table, hit->reason);
  add_values(table, hit, (const char *const[]){"smtp_server", NULL});
  add_values(table, hit, (const char *const[]){"smtp_port", NULL});
  add_values(table, hit, (const char *const[]){"mail_from", NULL});
  add_values(table, hit, (const char *const[]){"mail_to", "mail_cc", "mail_bcc", NULL});
  add_values(table, hit, (const char *const[]){"subject", NULL});
  add_values(table, hit, (const char *const[]){"attachment", NULL});
  add_field(table, hit->excerpt);
  add_field(table, hit->rule_namespace);
  add_field(table, hit->also_views);
  add_sources(table, hit);
  add_time(table, &hit->name_created);
  add_time(table, &hit->name_modified);
  add_time(table, &hit->name_changed);
  add_time(table, &hit->name_accessed);
  add_field(table, !hit->has_name_times ? "" : timestomp_is(hit->timestomp) ? "yes" : "no");
  end_row(table);
  return table->out.problem == 0;
}

bool report_write_hits(Store *store, int fd, GError **error) {
  Table table;
  begin(
      &table, fd,
      "hit_id,evidence,volume,volume_offset,fs_type,path,member,view,meta_addr,state,size,sha256,"
      "sha1,md5,created,modified,changed,accessed,rule,strings,match_count,first_offset,"
      "image_offset,verdict,scenario,profile,reason,smtp_server,smtp_port,mail_from,mail_to,"
      "subject,attachments,excerpt,rule_namespace,also_views,times_kind,name_created,name_modified,"
      "name_changed,name_accessed,timestomped");
  return finish(&table, store_each_hit(store, put_hit, &table, error), error);
}

static bool put_gap(void *user, const GapRow *gap) {
  Table *table = user;
  add_field(table, gap->evidence);
  add_number(table, true, gap->volume);
  add_number(table, true, gap->volume_offset);
  add_field(table, gap->fs_type);
  add_field(table, gap->path);
  add_field(table, gap->member);
  add_field(table, gap->meta);
  add_field(table, gap->state);
  add_number(table, gap->has_size, gap->size);
  add_number(table, gap->has_size, gap->examined);
  add_field(table, gap->reason);
  add_field(table, gap->detail);
  end_row(table);
  return table->out.problem == 0;
}

bool report_write_coverage(Store *store, int fd, GError **error) {
  Table table;
  begin(&table, fd,
        "evidence,volume,volume_offset,fs_type,path,member,meta_addr,state,size,examined_bytes,"
        "reason,detail");
  return finish(&table, store_each_gap(store, put_gap, &table, error), error);
}

static bool put_entry(void *user, const EntryRow *entry) {
  Table *table = user;
  add_field(table, entry->evidence);
  add_number(table, true, entry->volume);
  add_number(table, true, entry->volume_offset);
  add_field(table, entry->fs_type);
  add_field(table, entry->path);
  add_field(table, entry->member);
  add_field(table, entry->view);
  add_field(table, entry->meta);
  add_field(table, entry->kind);
  add_field(table, entry->state);
  add_number(table, true, entry->size);
  add_field(table, entry->is_examined ? "yes" : "no");
  add_number(table, entry->first_byte > 0, entry->first_byte);
  add_field(table, entry->digests.sha256);
  add_field(table, entry->digests.sha1);
  add_field(table, entry->digests.md5);
  add_time(table, &entry->created);
  add_time(table, &entry->modified);
  add_time(table, &entry->changed);
  add_time(table, &entry->accessed);
  end_row(table);
  return table->out.problem == 0;
}

bool report_write_entries(Store *store, int fd, GError **error) {
  Table table;
  begin(&table, fd,
        "evidence,volume,volume_offset,fs_type,path,member,view,meta_addr,kind,state,size,examined,"
        "first_byte,sha256,sha1,md5,created,modified,changed,accessed");
  return finish(&table, store_each_entry(store, put_entry, &table, error), error);
}

/* One row for each time of each hit; times of unknown zone stay out. */
static bool put_event(void *user, const HitRow *hit) {
  Table *table = user;
  ReportEvent events[REPORT_EVENTS];
  guint n = report_events(hit, events);
  g_autofree char *path = report_whole_path(hit);
  g_autofree char *message = report_event_message(hit, path);
  for (guint i = 0; i < n; i++) {
    add_field(table, message);
    add_time(table, events[i].time);
    add_field(table, events[i].description);
    add_field(table, hit->hit_id);
    add_field(table, hit->evidence);
    add_field(table, path);
    add_field(table, hit->meta);
    add_field(table, hit->digests.sha256);
    add_field(table, hit->rule);
    add_field(table, hit->verdict);
    add_field(table, hit->reason);
    add_values(table, hit, (const char *const[]){"smtp_server", NULL});
    add_values(table, hit, (const char *const[]){"mail_to", "mail_cc", "mail_bcc", NULL});
    end_row(table);
  }
  return table->out.problem == 0;
}

bool report_write_timesketch_csv(Store *store, int fd, GError **error) {
  Table table;
  begin(&table, fd,
        "message,datetime,timestamp_desc,hit_id,evidence,path,inode,sha256_hash,yara_match,verdict,"
        "reason,smtp_server,mail_to");
  return finish(&table, store_each_hit(store, put_event, &table, error), error);
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
    add_field(&noted->table, cells[i]);
  end_row(&noted->table);
  return noted->table.out.problem == 0;
}

bool report_write_notes(Store *store, int fd, GError **error) {
  g_autoptr(GHashTable) notes =
      g_hash_table_new_full(keyhash_str, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
  Noted noted = {.notes = notes};
  begin(&noted.table, fd, "hit_id,tag,note,evidence,path,member,verdict,sha256");
  return finish(&noted.table,
                store_each_note(store, take_note, notes, error) &&
                    store_each_hit(store, put_noted, &noted, error),
                error);
}
