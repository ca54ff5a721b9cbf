/* SPDX-License-Identifier: Apache-2.0 */
/* html_case.c - two passes over the hits and over the gaps: one counts, one keeps what is shown. */
#include "reports/html_case.h"
#include "base/keyhash.h"
#include <string.h>

static const char *keep(HtmlCase *page, const char *text) {
  return g_string_chunk_insert_const(page->texts, text);
}

static const char *keep_name(HtmlCase *page, const char *name) {
  g_autofree char *clipped = html_clip(name, HTML_NAME_BYTES);
  return g_string_chunk_insert_const(page->texts, clipped);
}

const char *html_case_meta(HtmlCase *page, const char *key) {
  g_autofree char *value = store_get_meta(page->store, key);
  return keep(page, value != NULL ? value : "");
}

const EvidenceInfo *html_case_evidence(const HtmlCase *page, uint32_t no) {
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    if (info->record.no == no)
      return info;
  }
  return NULL;
}

uint64_t html_case_pending(const HtmlCase *page) {
  uint64_t done = page->totals.objects_examined + page->totals.objects_without_content;
  return page->totals.objects > done ? page->totals.objects - done : 0;
}

bool html_case_is_complete(HtmlCase *page) {
  return page->n_gaps == 0 && html_case_pending(page) == 0 &&
         strcmp(html_case_meta(page, "status"), "complete") == 0;
}

/* ---- first pass over the hits ---- */
typedef struct {
  HtmlCase *page;
  Digester *digester;
  GHashTable *seen; /* verdict digit and digest */
} Counting;

static void feed(Digester *digester, const char *text) {
  digester_update(digester, text, strlen(text) + 1);
}

typedef struct {
  GString *text;
  guint rank;
} Grounds;

static bool take_ground(void *user, const GroundRecord *ground) {
  Grounds *grounds = user;
  GString *text = grounds->text;
  if (text->len > 0)
    g_string_append(text, HTML_ITEM);
  else
    grounds->rank = ground->rank;
  g_string_append_printf(text, "%s" HTML_PART "%s" HTML_PART "%s", ground->weight, ground->id,
                         ground->text);
  return true;
}

char *html_case_grounds(HtmlCase *page, const HitRow *hit, guint *rank) {
  Grounds grounds = {g_string_new(NULL), HTML_NO_RANK};
  g_autoptr(GError) error = NULL;
  if (!store_each_ground(page->store, hit->rowid, take_ground, &grounds, &error) &&
      page->problem == NULL)
    page->problem = g_steal_pointer(&error);
  *rank = MIN(grounds.rank, HTML_NO_RANK);
  return g_string_free(grounds.text, FALSE);
}

/* Hits are one group where everything that is said once for all of them is equal. */
static char *group_key(const HitRow *hit, const char *grounds) {
  GString *key = g_string_new(hit->verdict);
  g_autofree char *size = g_strdup_printf("%llu", (unsigned long long)hit->size);
  const char *parts[] = {*hit->digests.sha256 != '\0' ? hit->digests.sha256 : hit->hit_id,
                         hit->view,
                         hit->rule_namespace,
                         hit->rule,
                         hit->scenario,
                         hit->profile,
                         hit->reason,
                         grounds,
                         size};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    g_string_append_printf(key, "\n%s", parts[i]);
  for (guint i = 0; hit->corroboration[i] != NULL; i++)
    g_string_append_printf(key, "\n%s", hit->corroboration[i]);
  return g_string_free(key, FALSE);
}

/* The commands as one row of a column: the digest, which cannot be packed, stands there already. */
static char *data_hand(const HtmlCase *page, const HitRow *hit) {
  g_autofree char *commands = html_hand_commands(page, hit);
  g_strdelimit(commands, "\n", *HTML_ITEM);
  if (*hit->digests.sha256 == '\0')
    return g_steal_pointer(&commands);
  g_auto(GStrv) parts = g_strsplit(commands, hit->digests.sha256, -1);
  return g_strjoinv(HTML_PART, parts);
}

static bool count_hit(void *user, const HitRow *hit) {
  Counting *counting = user;
  HtmlCase *page = counting->page;
  guint verdict = verdict_index(hit->verdict);
  page->n_hits++;
  page->hits_of[verdict]++;
  page->n_deleted += strcmp(hit->state, "deleted") == 0 || strcmp(hit->state, "orphan") == 0;
  page->n_in_areas += strcmp(hit->state, "slack") == 0 || strcmp(hit->state, "unallocated") == 0;
  page->n_in_containers += *hit->member != '\0';
  page->n_streams += hit->is_named_stream;
  page->has_local_times |= hit->created.is_local || hit->modified.is_local ||
                           hit->object_created.is_local || hit->object_modified.is_local;
  char *key = g_strdup_printf("%u%s", verdict,
                              *hit->digests.sha256 != '\0' ? hit->digests.sha256 : hit->hit_id);
  page->contents_of[verdict] += g_hash_table_add(counting->seen, key);
  if (g_hash_table_contains(page->notes, hit->hit_id))
    g_ptr_array_add(page->noted, g_strdup(hit->hit_id));
  html_marks_add_hit(&page->marks, hit, verdict);
  guint rank;
  g_autofree char *grounds = html_case_grounds(page, hit, &rank);
  g_autofree char *group = group_key(hit, grounds);
  g_autofree char *hand = data_hand(page, hit);
  html_data_add(page->data, hit, group, grounds, rank, hand);
  feed(counting->digester, hit->hit_id);
  feed(counting->digester, hit->digests.sha256);
  feed(counting->digester, hit->verdict);
  feed(counting->digester, hit->reason);
  return page->problem == NULL;
}

static uint64_t volume_bytes(const HtmlCase *page, const GapRow *gap) {
  const EvidenceInfo *info = html_case_evidence(page, gap->evidence_no);
  for (guint i = 0; info != NULL && i < info->volumes->len; i++) {
    const VolumeRecord *volume = &g_array_index(info->volumes, VolumeRecord, i);
    if (volume->no == gap->volume)
      return volume->length;
  }
  return 0;
}

/* Of each reason the first are kept: how many of them are shown is known when all are counted. */
static void keep_gap(HtmlCase *page, const GapRow *gap) {
  GArray *rows = page->gap_rows_of[reason_index(gap->reason)];
  if (rows->len >= HTML_GAPS)
    return;
  GapRow copy = *gap;
  const char **texts[] = {&copy.evidence, &copy.fs_type, &copy.meta,
                          &copy.state,    &copy.reason,  &copy.detail};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    *texts[i] = keep(page, *texts[i]);
  copy.path = keep_name(page, gap->path);
  copy.member = keep_name(page, gap->member);
  g_array_append_val(rows, copy);
}

static void cut_gaps(HtmlCase *page) {
  guint kinds = 0;
  for (guint i = 0; i < REASONS; i++)
    kinds += page->gaps_of[i] > 0;
  for (guint i = 0; i < REASONS; i++) {
    GArray *rows = page->gap_rows_of[i];
    g_array_set_size(rows, MIN(rows->len, HTML_GAPS / MAX(kinds, 1)));
  }
}

static bool count_gap(void *user, const GapRow *gap) {
  Counting *counting = user;
  keep_gap(counting->page, gap);
  counting->page->n_gaps++;
  counting->page->gaps_of[reason_index(gap->reason)]++;
  html_marks_add_gap(&counting->page->marks, gap, volume_bytes(counting->page, gap));
  feed(counting->digester, gap->path);
  feed(counting->digester, gap->reason);
  feed(counting->digester, gap->detail);
  return true;
}

static bool count(HtmlCase *page, GError **error) {
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA256);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  Counting counting = {page, digester, seen};
  for (guint i = 0; i < page->evidence->len; i++) {
    const EvidenceInfo *info = page->evidence->pdata[i];
    feed(digester, info->record.name);
    feed(digester, info->record.sha256);
  }
  if (!store_each_hit(page->store, count_hit, &counting, error) ||
      !store_each_gap(page->store, count_gap, &counting, error))
    return false;
  if (page->problem != NULL) {
    g_propagate_error(error, g_steal_pointer(&page->problem));
    return false;
  }
  html_data_finish(page->data);
  cut_gaps(page);
  Digests digests;
  digester_finish(digester, &digests);
  page->report_id = g_strdup_printf("R-%.16s", digests.sha256);
  uint64_t room = HTML_HITS;
  for (guint i = 0; i < VERDICTS; i++) {
    page->shown_of[i] = MIN(room, page->hits_of[i]);
    room -= page->shown_of[i];
  }
  return true;
}

/* ---- second pass: what is shown ---- */
static void copy_details(HtmlCase *page, const HitRow *hit, HitRow *copy) {
  copy->n_matches = MIN(hit->n_matches, HTML_MARKS);
  copy->n_indicators = MIN(hit->n_indicators, HTML_INDICATORS);
  MatchRecord *matches = g_new0(MatchRecord, copy->n_matches);
  for (guint i = 0; i < copy->n_matches; i++) {
    matches[i] = hit->matches[i];
    matches[i].identifier = keep(page, matches[i].identifier);
    g_bytes_ref(matches[i].bytes);
  }
  copy->matches = matches;
  IndicatorRecord *indicators = g_new0(IndicatorRecord, copy->n_indicators);
  for (guint i = 0; i < copy->n_indicators; i++)
    indicators[i] =
        (IndicatorRecord){keep(page, hit->indicators[i].name),
                          keep_name(page, hit->indicators[i].value), hit->indicators[i].offset};
  copy->indicators = indicators;
  guint n = g_strv_length((char **)hit->corroboration);
  const char **corroboration = g_new0(const char *, n + 1);
  for (guint i = 0; i < n; i++)
    corroboration[i] = keep_name(page, hit->corroboration[i]);
  copy->corroboration = corroboration;
}

static ShownHit *copy_hit(HtmlCase *page, const HitRow *hit, const char *grounds) {
  ShownHit *shown = g_new(ShownHit, 1);
  shown->row = *hit;
  shown->all_matches = hit->n_matches;
  shown->all_indicators = hit->n_indicators;
  shown->grounds = keep(page, grounds);
  shown->first_byte = hit->object->first_byte;
  shown->row.object = NULL; /* lives as long as the reading of its row */
  HitRow *copy = &shown->row;
  const char **texts[] = {&copy->hit_id, &copy->evidence,       &copy->fs_type,   &copy->view,
                          &copy->meta,   &copy->rule_namespace, &copy->rule,      &copy->strings,
                          &copy->state,  &copy->verdict,        &copy->profile,   &copy->scenario,
                          &copy->reason, &copy->excerpt,        &copy->also_views};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    *texts[i] = keep(page, *texts[i]);
  copy->path = keep_name(page, hit->path);
  copy->member = keep_name(page, hit->member);
  copy_details(page, hit, copy);
  return shown;
}

static void shown_free(ShownHit *shown) {
  const HitRow *hit = &shown->row;
  for (guint i = 0; i < hit->n_matches; i++)
    g_bytes_unref(hit->matches[i].bytes);
  g_free((gpointer)hit->matches);
  g_free((gpointer)hit->indicators);
  g_free((gpointer)hit->corroboration);
  g_free(shown);
}

static void group_free(HitGroup *group) {
  g_ptr_array_unref(group->hits);
  g_free(group);
}

typedef struct {
  HtmlCase *page;
  GHashTable *groups; /* key -> HitGroup* */
  uint64_t taken_of[VERDICTS], left;
} Keeping;

static bool keep_hit(void *user, const HitRow *hit) {
  Keeping *keeping = user;
  guint verdict = verdict_index(hit->verdict);
  if (keeping->taken_of[verdict] == keeping->page->shown_of[verdict])
    return keeping->left > 0;
  keeping->taken_of[verdict]++;
  keeping->left--;
  guint rank;
  g_autofree char *grounds = html_case_grounds(keeping->page, hit, &rank);
  char *key = group_key(hit, grounds);
  HitGroup *group = g_hash_table_lookup(keeping->groups, key);
  if (group == NULL) {
    group = g_new0(HitGroup, 1);
    group->hits = g_ptr_array_new_with_free_func((GDestroyNotify)shown_free);
    group->rank = rank;
    group->no = keeping->page->groups_of[verdict]->len;
    g_ptr_array_add(keeping->page->groups_of[verdict], group);
    g_hash_table_insert(keeping->groups, key, group);
  } else {
    g_free(key);
  }
  g_ptr_array_add(group->hits, copy_hit(keeping->page, hit, grounds));
  return keeping->left > 0;
}

/* The gravest ground first, in the order of the documented list; then as they lie. */
static gint compare_groups(gconstpointer a, gconstpointer b) {
  const HitGroup *x = *(const HitGroup *const *)a, *y = *(const HitGroup *const *)b;
  return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                            : (x->no > y->no) - (x->no < y->no);
}

static bool keep_rows(HtmlCase *page, GError **error) {
  g_autoptr(GHashTable) groups = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  Keeping keeping = {.page = page, .groups = groups, .left = MIN(page->n_hits, HTML_HITS)};
  if (keeping.left > 0 && !store_each_hit(page->store, keep_hit, &keeping, error))
    return false;
  for (guint i = 0; i < VERDICTS; i++)
    g_ptr_array_sort(page->groups_of[i], compare_groups);
  return true;
}

/* ---- evidence and inputs ---- */
static void evidence_free(EvidenceInfo *info) {
  g_array_unref(info->volumes);
  g_ptr_array_unref(info->properties);
  g_ptr_array_unref(info->files);
  g_array_unref(info->file_bytes);
  g_free(info);
}

static bool keep_evidence(void *user, const EvidenceRecord *evidence) {
  HtmlCase *page = user;
  EvidenceInfo *info = g_new0(EvidenceInfo, 1);
  info->record = *evidence;
  EvidenceRecord *r = &info->record;
  const char **texts[] = {&r->name,        &r->path, &r->kind, &r->format, &r->stored_md5,
                          &r->stored_sha1, &r->md5,  &r->sha1, &r->sha256, &r->digest_status};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    *texts[i] = keep(page, *texts[i]);
  info->volumes = g_array_new(FALSE, FALSE, sizeof(VolumeRecord));
  info->properties = g_ptr_array_new();
  info->files = g_ptr_array_new();
  info->file_bytes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  g_ptr_array_add(page->evidence, info);
  return true;
}

typedef struct {
  HtmlCase *page;
  EvidenceInfo *info;
} Filling;

static bool keep_volume(void *user, const VolumeRecord *volume) {
  HtmlCase *page = user;
  for (guint i = 0; i < page->evidence->len; i++) {
    EvidenceInfo *info = page->evidence->pdata[i];
    if (info->record.no != volume->evidence)
      continue;
    VolumeRecord copy = *volume;
    copy.fs_type = keep(page, volume->fs_type);
    copy.description = keep(page, volume->description);
    g_array_append_val(info->volumes, copy);
  }
  return true;
}

static bool keep_property(void *user, const char *name, const char *value) {
  Filling *filling = user;
  g_ptr_array_add(filling->info->properties, (gpointer)keep(filling->page, name));
  g_ptr_array_add(filling->info->properties, (gpointer)keep(filling->page, value));
  return true;
}

static bool keep_file(void *user, const char *path, uint64_t size) {
  Filling *filling = user;
  g_ptr_array_add(filling->info->files, (gpointer)keep(filling->page, path));
  g_array_append_val(filling->info->file_bytes, size);
  return true;
}

static bool keep_input(void *user, const InputFile *file) {
  HtmlCase *page = user;
  InputFile copy = {keep(page, file->kind), keep(page, file->name), keep(page, file->sha256),
                    file->size};
  g_array_append_val(page->inputs, copy);
  return true;
}

static void add_totals(StoreTotals *sum, const StoreTotals *more) {
  sum->objects += more->objects;
  sum->objects_examined += more->objects_examined;
  sum->objects_without_content += more->objects_without_content;
  sum->bytes += more->bytes;
  sum->bytes_examined += more->bytes_examined;
  sum->members += more->members;
  sum->hits += more->hits;
  sum->gaps += more->gaps;
}

static bool sum_volumes(HtmlCase *page, EvidenceInfo *info, GError **error) {
  bool has_zero = false;
  for (guint i = 0; i <= info->volumes->len; i++) {
    uint32_t no = i < info->volumes->len ? g_array_index(info->volumes, VolumeRecord, i).no : 0;
    has_zero = has_zero || (i < info->volumes->len && no == 0);
    StoreTotals totals;
    if (i == info->volumes->len && has_zero)
      break;
    if (!store_totals(page->store, info->record.no, no, &totals, error))
      return false;
    add_totals(&info->totals, &totals);
  }
  return true;
}

static bool read_evidence(HtmlCase *page, GError **error) {
  if (!store_each_evidence(page->store, keep_evidence, page, error) ||
      !store_each_volume(page->store, keep_volume, page, error) ||
      !store_each_input_file(page->store, keep_input, page, error) ||
      !store_totals(page->store, 0, 0, &page->totals, error))
    return false;
  for (guint i = 0; i < page->evidence->len; i++) {
    Filling filling = {page, page->evidence->pdata[i]};
    uint32_t no = filling.info->record.no;
    if (!store_each_evidence_property(page->store, no, keep_property, &filling, error) ||
        !store_each_evidence_file(page->store, no, keep_file, &filling, error) ||
        !sum_volumes(page, filling.info, error))
      return false;
  }
  return true;
}

HtmlCase *html_case_read(Store *store, GError **error) {
  g_autoptr(HtmlCase) page = g_new0(HtmlCase, 1);
  page->store = store;
  page->data = html_data_new();
  html_marks_init(&page->marks);
  page->texts = g_string_chunk_new(65536);
  page->evidence = g_ptr_array_new_with_free_func((GDestroyNotify)evidence_free);
  page->inputs = g_array_new(FALSE, FALSE, sizeof(InputFile));
  for (guint i = 0; i < VERDICTS; i++)
    page->groups_of[i] = g_ptr_array_new_with_free_func((GDestroyNotify)group_free);
  for (guint i = 0; i < REASONS; i++)
    page->gap_rows_of[i] = g_array_new(FALSE, FALSE, sizeof(GapRow));
  if (!read_evidence(page, error) || !html_notes_read(page, error) || !count(page, error) ||
      !keep_rows(page, error))
    return NULL;
  return g_steal_pointer(&page);
}

void html_case_free(HtmlCase *page) {
  if (page == NULL)
    return;
  for (guint i = 0; i < VERDICTS; i++)
    g_ptr_array_unref(page->groups_of[i]);
  for (guint i = 0; i < REASONS; i++)
    g_array_unref(page->gap_rows_of[i]);
  html_data_free(page->data);
  html_marks_clear(&page->marks);
  g_clear_pointer(&page->notes, g_hash_table_unref);
  g_clear_pointer(&page->noted, g_ptr_array_unref);
  g_ptr_array_unref(page->evidence);
  g_array_unref(page->inputs);
  g_string_chunk_free(page->texts);
  g_clear_error(&page->problem);
  g_free(page->report_id);
  g_free(page);
}
