/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the case store (SQLite, case.db): the one source of truth. The coordinator writes it,
 * report writers read it alone. Parses no evidence: everything in it was checked when it arrived.
 * All text is UTF-8 made printable before it comes here, except names, which are kept as the bytes
 * of the evidence and made printable when read. */
#pragma once
#include "base/digest.h"
#include "evidence/object.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _Store Store;

/* Creates DIR/case.db in an existing directory; fails where it exists. (transfer full) */
Store *store_create(const char *dir, GError **error);
/* Opens an existing case; fails with one sentence where it is none or of another schema version. */
Store *store_open(const char *dir, bool writable, GError **error);
void store_free(Store *store); /* rolls back what was not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* From now on hits, gaps, evidence, volumes and totals are given of this piece of evidence alone;
 * 0: of all. */
void store_set_scope(Store *store, uint32_t evidence);
uint32_t store_scope(const Store *store);

/* One transaction at a time. A failed write (disk full) is an INTERNAL error that says so. */
bool store_begin(Store *store, GError **error);
bool store_commit(Store *store, GError **error);
void store_rollback(Store *store);
/* Makes case.db final on the disk: nothing of it is pending in another file. Before it is digested
 * for the manifest; nothing is written to it after. */
bool store_settle(Store *store, GError **error);

/* ---- facts about the run: key -> text. Keys used: "tool_version", "build" (lines of
 * commit, compiler and flags), "libraries" (lines "name
 * version"), "command_line", "started", "ended" (RFC 3339 UTC), "run_seconds", "host", "examiner",
 * "case_number", "evidence_number", "notes", "timezone", "areas", "digest", "options" (lines
 * "name value"), "status" ("running", "complete", "stopped"), "sandbox" (one sentence for each
 * protection that was missing), "formats" (lines of stage, name, title and limitations, tabs
 * between: what the workers read), "entries" ("1": entries.csv was asked for). ---- */
bool store_put_meta(Store *store, const char *key, const char *value, GError **error);
char *store_get_meta(Store *store, const char *key); /* (transfer full), NULL: not set */

/* A rule or profile file used: kind is "rules" or "profile". */
typedef struct {
  const char *kind, *name, *sha256;
  uint64_t size;
} InputFile;
bool store_put_input_file(Store *store, const InputFile *file, GError **error);

/* ---- evidence ---- */
typedef struct {
  uint32_t no;        /* from 1, in command line order */
  const char *name;   /* unique, printable: basename, "#2" appended to a repeated one */
  const char *path;   /* as given, printable */
  const char *kind;   /* "image", "file", "directory" */
  const char *format; /* image format row name, "" otherwise */
  uint64_t media_bytes, sector_bytes;
  const char *stored_md5, *stored_sha1; /* of the container, "" where none */
  const char *md5, *sha1, *sha256;      /* computed over the media, "" where not computed */
  const char *digest_status; /* "match", "mismatch", "absent" (nothing stored), "not computed",
                                "incomplete" (unreadable stretches); "" before it is known */
} EvidenceRecord;
bool store_put_evidence(Store *store, const EvidenceRecord *evidence,
                        GError **error); /* or replace */
bool store_put_evidence_property(Store *store, uint32_t evidence, const char *name,
                                 const char *value, GError **error); /* order kept */
bool store_put_evidence_file(Store *store, uint32_t evidence, const char *path, uint64_t size,
                             GError **error);

typedef struct {
  uint32_t evidence, no;
  uint64_t offset, length; /* bytes */
  const char *fs_type, *description;
  bool is_enumerated; /* its walk has ended: its objects are complete */
} VolumeRecord;
bool store_put_volume(Store *store, const VolumeRecord *volume, GError **error); /* or replace */

/* How many bytes of a volume are of one kind of place; all kinds together are the volume. */
bool store_put_account(Store *store, uint32_t evidence, uint32_t volume, const char *what,
                       uint64_t bytes, GError **error);
bool store_each_account(Store *store,
                        bool (*row)(void *user, uint32_t evidence, uint32_t volume,
                                    const char *what, uint64_t bytes),
                        void *user, GError **error); /* by evidence, volume, order of arrival */

/* True where that volume's row says that its walk has ended. */
bool store_is_enumerated(Store *store, uint32_t evidence, uint32_t volume);

/* ---- the walk: object.volume, dir.no ... count within (evidence, volume) ---- */
bool store_put_dir(Store *store, uint32_t evidence, uint32_t volume, const ObjectDir *dir,
                   GError **error);
bool store_put_object(Store *store, uint32_t evidence, const Object *object, GError **error);
bool store_put_name(Store *store, uint32_t evidence, uint32_t volume, const ObjectName *name,
                    GError **error);
/* Forgets all of one volume (dirs, objects, names, gaps, results): before its walk starts again. */
bool store_clear_volume(Store *store, uint32_t evidence, uint32_t volume, GError **error);

/* member: printable way inside the object (steps joined by !/), "" for the object itself. */
bool store_put_gap(Store *store, uint32_t evidence, const Gap *gap, const char *member,
                   GError **error);
/* The same of what the walk of gap->volume told of: it goes when the volume is walked again, not
 * when an object is examined again. */
bool store_put_walk_gap(Store *store, uint32_t evidence, const Gap *gap, GError **error);

/* ---- work: objects not yet examined, in the order of the disk ---- */
typedef struct {
  uint64_t first_byte, seq;
} WorkPlace;
/* The first max objects of (evidence, volume) without a result and without OBJECT_NO_CONTENT, in
 * order of (first_byte, seq), behind the given place (NULL: from the start). WorkPlace. (transfer
 * full) */
GArray *store_work_order(Store *store, uint32_t evidence, uint32_t volume, const WorkPlace *after,
                         guint max, GError **error);
/* (transfer full); NULL: there is none. */
Object *store_get_object(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq);
/* Each file of a volume that has a name, is no named stream and can be read, by seq. */
bool store_each_file_name(Store *store, uint32_t evidence, uint32_t volume,
                          bool (*row)(void *user, uint64_t seq, uint32_t dir, ObjectState state,
                                      GBytes *name),
                          void *user, GError **error);
void object_free(Object *object); /* frees one from store_get_object, or any copied object */
bool store_count_work(Store *store, uint32_t evidence, uint32_t volume, uint64_t *objects,
                      uint64_t *bytes, GError **error); /* still pending */
/* The full path of an object's (first) name, printable, '/'-separated, :stream appended. */
char *store_object_path(Store *store, uint32_t evidence, const Object *object);
/* The same as raw bytes without a leading '/' and without a stream's name: how a file below a
 * directory is opened again. */
GBytes *store_object_raw_path(Store *store, uint32_t evidence, const Object *object);

/* ---- results: what a worker found in one object, committed together ---- */
typedef struct {
  const char *identifier;
  uint64_t offset, length;
  GBytes *bytes;
} MatchRecord;
typedef struct {
  const char *name, *value;
  uint64_t offset;
} IndicatorRecord;

typedef struct {
  uint32_t no;        /* within the object: 0 the object itself, then in order of unpacking */
  const char *member; /* printable, "" for 0 */
  const char *view;   /* "raw", ... */
  uint64_t size;      /* bytes examined of this member */
  Digests digests;
  TriageTime created, modified, changed, accessed;
  TriageTime name_created, name_modified, name_changed, name_accessed; /* of NTFS inside */
} MemberRecord;

typedef struct {
  uint32_t member_no;
  const char *rule_namespace, *rule;
  const char *strings; /* sorted, joined by ; */
  uint64_t match_count;
  bool has_first_offset;
  uint64_t first_offset;
  bool has_image_offset;
  uint64_t image_offset;
  const char *excerpt; /* printable */
  const char *fuzzy;   /* of the text that was scanned, as base/fuzzy.h spells it; "" for none */
  const char *secrets; /* base/secret.h of each password in it, joined by ; */
  const MatchRecord *matches;
  guint n_matches;
  const IndicatorRecord *indicators;
  guint n_indicators;
} HitRecord;

typedef struct {
  uint32_t member_no;
  const char *kind, *target, *detail;
} FactRecord;

/* The result of one object, once: it was examined. Member rows are stored for
 * hits always, for all where entries were asked for. */
typedef struct {
  uint32_t evidence, volume;
  uint64_t seq;
  uint64_t examined_bytes, members;
  const Digests *digests; /* of the object itself; NULL where not computed */
} ResultRecord;
bool store_put_result(Store *store, const ResultRecord *result, GError **error);
bool store_put_member(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                      const MemberRecord *member, GError **error);
bool store_put_hit(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                   const HitRecord *hit, GError **error);
/* Says that a hit put before was met again, at the same place, in another view of its member. */
bool store_add_view(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                    uint32_t member_no, const char *rule_namespace, const char *rule,
                    const char *view, GError **error);
bool store_put_fact(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq,
                    const FactRecord *fact, GError **error);

/* ---- reading, for verdicts and reports. Rows come in the stable order: evidence, volume, seq,
 * name (first name first, then the others in order of path), member no, rule. A callback returning
 * false stops. Everything is (transfer none), valid during the call. ---- */
typedef struct {
  const char *hit_id; /* "H-" and 16 hex: SHA-256 of evidence, volume offset, path, meta address,
                         member, view, namespace and rule, so that it stays the same */
  int64_t rowid;      /* for store_put_verdict; the same for all names of one hit */
  const char *evidence;
  uint32_t evidence_no, volume;
  uint64_t volume_offset, seq;
  uint32_t member_no;   /* within the object, as in MemberRecord */
  const Object *object; /* as store_get_object gives it */
  const char *fs_type, *path, *member, *view, *meta, *state;
  bool is_named_stream, is_reallocated;
  bool has_name_times; /* name_created ...: of NTFS's $FILE_NAME; of the object's own entry, or of
                          the member where that is a file of NTFS too */
  unsigned timestomp;  /* what its two records of times say together: bits of base/timestomp.h */
  uint64_t size;       /* of the member, or of the object itself */
  Digests digests;
  TriageTime created, modified, changed, accessed; /* of the member, or of the object itself */
  TriageTime object_created, object_modified, object_changed, object_accessed;
  TriageTime name_created, name_modified, name_changed, name_accessed;
  const char *rule_namespace, *rule, *strings;
  uint64_t match_count;
  bool has_first_offset, has_image_offset;
  uint64_t first_offset, image_offset;
  const char *verdict, *scenario, *profile, *reason; /* "" before assessment */
  const char *excerpt;
  const char *also_views; /* in which the same was met, joined by ; */
  const char *fuzzy;      /* of the text that was scanned; "" for none */
  const char *secrets;    /* to be compared, never to be shown: joined by ; */
  const MatchRecord *matches;
  guint n_matches;
  const IndicatorRecord *indicators;
  guint n_indicators;
  const char *const *corroboration; /* NULL-terminated */
} HitRow;
bool store_each_hit(Store *store, bool (*row)(void *user, const HitRow *hit), void *user,
                    GError **error);
bool store_put_verdict(Store *store, int64_t hit_rowid, const char *verdict, const char *scenario,
                       const char *profile, const char *reason, const char *const *corroboration,
                       GError **error);

/* What a verdict rests on: a ground's identifier, its weight in a word, what it says. */
typedef struct {
  const char *id, *weight, *text;
  guint rank; /* its place in the documented list of grounds, which they are given in; unique */
} GroundRecord;
/* Takes the place of the grounds that the hit had. */
bool store_put_grounds(Store *store, int64_t hit_rowid, const GroundRecord *grounds, guint n,
                       GError **error);
bool store_each_ground(Store *store, int64_t hit_rowid,
                       bool (*row)(void *user, const GroundRecord *ground), void *user,
                       GError **error);

/* What a person has noted on a hit: of no influence on any result. */
typedef struct {
  const char *hit_id, *tag, *text;
} NoteRecord;
/* Takes the place of the note that the hit had; an empty one removes it. */
bool store_put_note(Store *store, const NoteRecord *note, GError **error);
bool store_each_note(Store *store, bool (*row)(void *user, const NoteRecord *note), void *user,
                     GError **error); /* by hit_id */

typedef struct {
  const char *evidence;
  uint32_t evidence_no, volume;
  uint64_t volume_offset;
  const char *fs_type, *path, *member, *meta, *state;
  bool has_size, has_place;
  uint64_t size, examined, first_byte; /* of the evidence, where has_place */
  const char *reason, *detail;
} GapRow;
/* Sorted by evidence, volume, seq (rows without an object last), path, member, reason, detail. */
bool store_each_gap(Store *store, bool (*row)(void *user, const GapRow *gap), void *user,
                    GError **error);

/* One row for each (name, object) and each stored member: entries.csv. */
typedef struct {
  const char *evidence;
  uint32_t evidence_no, volume;
  uint64_t volume_offset;
  const char *fs_type, *path, *member, *view, *meta, *state, *kind; /* kind: "file", "dir" ... */
  bool is_reallocated;
  uint64_t size;
  bool is_examined;
  uint64_t first_byte;
  Digests digests;
  TriageTime created, modified, changed, accessed;
} EntryRow;
bool store_each_entry(Store *store, bool (*row)(void *user, const EntryRow *entry), void *user,
                      GError **error);

typedef struct {
  const char *evidence;
  uint32_t evidence_no, volume;
  const char *path, *member, *sha256, *kind, *target, *detail;
  bool is_live;                                    /* the object is allocated and no named stream */
  TriageTime created, modified, changed, accessed; /* of the object */
} FactRow;
bool store_each_fact(Store *store, bool (*row)(void *user, const FactRow *fact), void *user,
                     GError **error);

bool store_each_evidence(Store *store, bool (*row)(void *user, const EvidenceRecord *evidence),
                         void *user, GError **error);
bool store_each_evidence_property(Store *store, uint32_t evidence,
                                  bool (*row)(void *user, const char *name, const char *value),
                                  void *user, GError **error);
bool store_each_evidence_file(Store *store, uint32_t evidence,
                              bool (*row)(void *user, const char *path, uint64_t size), void *user,
                              GError **error);
bool store_each_volume(Store *store, bool (*row)(void *user, const VolumeRecord *volume),
                       void *user, GError **error);
bool store_each_input_file(Store *store, bool (*row)(void *user, const InputFile *file), void *user,
                           GError **error);

/* What a page over all evidence tells of each, in order of number. */
enum { STORE_VERDICTS = 4 };
typedef struct {
  uint32_t no;
  uint64_t objects, objects_pending, gaps;
  uint64_t hits[STORE_VERDICTS + 1]; /* rows of hits.csv: suspicious, unexplained, likely-benign,
                                        known-benign, and those without a verdict */
  bool is_finished;
} ExhibitTotals;
/* (transfer full) ExhibitTotals */
GArray *store_exhibits(Store *store, GError **error);

/* Totals for the summary: of one volume, or of everything with evidence 0. */
typedef struct {
  uint64_t objects, objects_examined, objects_without_content, bytes, bytes_examined, members;
  uint64_t hits, gaps; /* rows of hits.csv, rows of coverage.csv */
} StoreTotals;
bool store_totals(Store *store, uint32_t evidence, uint32_t volume, StoreTotals *out,
                  GError **error);

/* ---- a second look (triage verify) ---- */
/* Makes dir/case.db a copy of the case in which the objects with hits, and nothing else, are still
 * to be examined. The case itself is only read. */
bool store_copy_for_verify(Store *store, const char *dir, GError **error);
/* The hits (their HitRow.rowid) that the examined copy in dir does not hold with the same member,
 * digest, matches, offsets and excerpt, ascending. (transfer full) int64_t */
GArray *store_hits_not_found_again(Store *store, const char *dir, GError **error);
