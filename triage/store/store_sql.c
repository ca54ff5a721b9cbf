/* SPDX-License-Identifier: Apache-2.0 */
/* store_sql.c - the tables of case.db and the statements that run once for each row. Values reach
 * SQLite as parameters alone. Unsigned 64-bit values are kept as the same bits, signed. */
#include "store/store_private.h"

/* A time is two columns: seconds since 1970 (NULL: none) and nanoseconds + digits << 32 + is_local
 * << 40 + is_date << 41 + source << 48. name_...: of NTFS's $FILE_NAME. object is what the walk
 * saw; its work: 0 to be examined, 1 nothing to examine, 2 another shard's to examine. result has a
 * row for each object that was examined: a row of its own is short, where the object's would have
 * to be written anew. gap.seq is NULL where the row is about no object; gap.is_walk: the walk of
 * the volume told of it, not the examination. */
#define TIMES                                                                                      \
  "created INTEGER, created_part INTEGER, modified INTEGER, modified_part INTEGER, "               \
  "changed INTEGER, changed_part INTEGER, accessed INTEGER, accessed_part INTEGER, "
#define NAME_TIMES                                                                                 \
  "name_created INTEGER, name_created_part INTEGER, name_modified INTEGER, name_modified_part "    \
  "INTEGER, name_changed INTEGER, name_changed_part INTEGER, name_accessed INTEGER, "              \
  "name_accessed_part INTEGER, "
#define KEY "evidence INTEGER NOT NULL, volume INTEGER NOT NULL, seq INTEGER NOT NULL, "

const char STORE_SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE input_file(no INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, "
    " sha256 TEXT NOT NULL, size INTEGER NOT NULL) STRICT;"
    "CREATE TABLE evidence(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, path TEXT NOT NULL, "
    " kind TEXT NOT NULL, format TEXT NOT NULL, media_bytes INTEGER NOT NULL, "
    " sector_bytes INTEGER NOT NULL, stored_md5 TEXT NOT NULL, stored_sha1 TEXT NOT NULL, "
    " md5 TEXT NOT NULL, sha1 TEXT NOT NULL, sha256 TEXT NOT NULL, digest_status TEXT NOT NULL) "
    " STRICT;"
    "CREATE TABLE evidence_property(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, "
    " name TEXT NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE evidence_file(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, "
    " path TEXT NOT NULL, size INTEGER NOT NULL) STRICT;"
    "CREATE TABLE volume(evidence INTEGER NOT NULL, no INTEGER NOT NULL, offset INTEGER NOT NULL, "
    " length INTEGER NOT NULL, fs_type TEXT NOT NULL, description TEXT NOT NULL, "
    " is_enumerated INTEGER NOT NULL, PRIMARY KEY(evidence, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE account(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, "
    " volume INTEGER NOT NULL, what TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;"
    "CREATE TABLE dir(evidence INTEGER NOT NULL, volume INTEGER NOT NULL, no INTEGER NOT NULL, "
    " parent INTEGER NOT NULL, name BLOB NOT NULL, PRIMARY KEY(evidence, volume, no)) "
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE object(" KEY "meta_addr INTEGER NOT NULL, attr_type INTEGER NOT NULL, "
    " attr_id INTEGER NOT NULL, meta TEXT NOT NULL, kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND "
    " 7), state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), flags INTEGER NOT NULL, "
    " size INTEGER NOT NULL, first_byte INTEGER NOT NULL, " TIMES NAME_TIMES
    " dir INTEGER NOT NULL, name BLOB, attr_name BLOB, "
    " work INTEGER NOT NULL CHECK(work BETWEEN 0 AND 2), "
    " PRIMARY KEY(evidence, volume, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE result(" KEY "examined_bytes INTEGER NOT NULL, members INTEGER NOT NULL, "
    " sha256 TEXT, sha1 TEXT, md5 TEXT, PRIMARY KEY(evidence, volume, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE name(no INTEGER PRIMARY KEY, " KEY "dir INTEGER NOT NULL, "
    " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), flags INTEGER NOT NULL, "
    " name BLOB NOT NULL) STRICT;"
    "CREATE INDEX name_object ON name(evidence, volume, seq);"
    "CREATE TABLE member(" KEY "no INTEGER NOT NULL, member TEXT NOT NULL, view TEXT NOT NULL, "
    " size INTEGER NOT NULL, sha256 TEXT, sha1 TEXT, md5 TEXT, " TIMES NAME_TIMES
    " PRIMARY KEY(evidence, volume, seq, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE hit(id INTEGER PRIMARY KEY, " KEY "member_no INTEGER NOT NULL, "
    " namespace TEXT NOT NULL, rule TEXT NOT NULL, strings TEXT NOT NULL, "
    " match_count INTEGER NOT NULL, first_offset INTEGER, image_offset INTEGER, "
    " excerpt TEXT NOT NULL, verdict TEXT NOT NULL DEFAULT '', scenario TEXT NOT NULL DEFAULT '', "
    " profile TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', "
    " also_views TEXT NOT NULL DEFAULT '', fuzzy TEXT NOT NULL DEFAULT '', "
    " secrets TEXT NOT NULL DEFAULT '', "
    " UNIQUE(evidence, volume, seq, member_no, namespace, rule)) STRICT;"
    "CREATE TABLE match(hit INTEGER NOT NULL, no INTEGER NOT NULL, identifier TEXT NOT NULL, "
    " offset INTEGER NOT NULL, length INTEGER NOT NULL, bytes BLOB NOT NULL, "
    " PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE indicator(hit INTEGER NOT NULL, no INTEGER NOT NULL, name TEXT NOT NULL, "
    " value TEXT NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE corroboration(hit INTEGER NOT NULL, no INTEGER NOT NULL, value TEXT NOT NULL, "
    " PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE ground(hit INTEGER NOT NULL, no INTEGER NOT NULL, id TEXT NOT NULL, "
    " weight TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE note(hit_id TEXT PRIMARY KEY, tag TEXT NOT NULL, value TEXT NOT NULL) STRICT, "
    " WITHOUT ROWID;"
    "CREATE TABLE fact(no INTEGER PRIMARY KEY, " KEY "member_no INTEGER NOT NULL, "
    " kind TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX fact_object ON fact(evidence, volume, seq);"
    "CREATE TABLE gap(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, volume INTEGER NOT NULL, "
    " seq INTEGER, dir INTEGER, meta TEXT NOT NULL, "
    " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), size INTEGER NOT NULL, "
    " examined INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, member TEXT NOT NULL, "
    " is_walk INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX gap_object ON gap(evidence, volume, seq);";

#define OBJECT_COLUMNS                                                                             \
  "seq, volume, meta_addr, attr_type, attr_id, meta, kind, state, flags, size, first_byte, "       \
  "created, created_part, modified, modified_part, changed, changed_part, accessed, "              \
  "accessed_part, name_created, name_created_part, name_modified, name_modified_part, "            \
  "name_changed, name_changed_part, name_accessed, name_accessed_part, dir, name, attr_name"

#define IS_PENDING                                                                                 \
  "o.evidence = ? AND o.volume = ? AND o.work = 0 AND NOT EXISTS (SELECT 1 FROM result r WHERE "   \
  "r.evidence = o.evidence AND r.volume = o.volume AND r.seq = o.seq)"

const char *const STORE_SQL[SQL_LAST + 1] = {
    [SQL_PUT_META] = "INSERT OR REPLACE INTO meta VALUES(?, ?)",
    [SQL_GET_META] = "SELECT value FROM meta WHERE key = ?",
    [SQL_PUT_INPUT_FILE] = "INSERT INTO input_file(kind, name, sha256, size) VALUES(?, ?, ?, ?)",
    [SQL_PUT_EVIDENCE] =
        "INSERT OR REPLACE INTO evidence VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_PROPERTY] = "INSERT INTO evidence_property(evidence, name, value) VALUES(?, ?, ?)",
    [SQL_PUT_FILE] = "INSERT INTO evidence_file(evidence, path, size) VALUES(?, ?, ?)",
    [SQL_PUT_VOLUME] = "INSERT OR REPLACE INTO volume VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_ACCOUNT] = "INSERT INTO account(evidence, volume, what, bytes) VALUES(?, ?, ?, ?)",
    [SQL_IS_ENUMERATED] = "SELECT is_enumerated FROM volume WHERE evidence = ? AND no = ?",
    [SQL_PUT_DIR] = "INSERT INTO dir VALUES(?, ?, ?, ?, ?)",
    [SQL_PUT_OBJECT] =
        "INSERT INTO object(evidence, " OBJECT_COLUMNS ", work) VALUES(?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_NAME] = "INSERT INTO name(evidence, volume, seq, dir, state, flags, name) "
                     "VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_GAP] = "INSERT INTO gap(evidence, volume, seq, dir, meta, state, size, examined, "
                    "reason, detail, member, is_walk) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PENDING] = "SELECT o.first_byte, o.seq FROM object o WHERE " IS_PENDING,
    [SQL_COUNT_WORK] =
        "SELECT count(*), coalesce(sum(min(o.size, 1 << 40)), 0) FROM object o WHERE " IS_PENDING,
    [SQL_PUT_RESULT] = "INSERT INTO result VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_MEMBER] = "INSERT INTO member VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                       "?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_HIT] = "INSERT INTO hit(evidence, volume, seq, member_no, namespace, rule, strings, "
                    "match_count, first_offset, image_offset, excerpt, fuzzy, secrets) "
                    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_MATCH] = "INSERT INTO match VALUES(?, ?, ?, ?, ?, ?)",
    [SQL_PUT_INDICATOR] = "INSERT INTO indicator VALUES(?, ?, ?, ?, ?)",
    [SQL_ADD_VIEW] = "UPDATE hit SET also_views = CASE also_views WHEN '' THEN ?1 ELSE also_views "
                     "|| ';' || ?1 END WHERE evidence = ?2 AND volume = ?3 AND seq = ?4 AND "
                     "member_no = ?5 AND namespace = ?6 AND rule = ?7",
    [SQL_PUT_FACT] = "INSERT INTO fact(evidence, volume, seq, member_no, kind, target, detail) "
                     "VALUES(?, ?, ?, ?, ?, ?, ?)",
    [SQL_PUT_VERDICT] =
        "UPDATE hit SET verdict = ?2, scenario = ?3, profile = ?4, reason = ?5 WHERE id = ?1",
    [SQL_CLEAR_CORROBORATION] = "DELETE FROM corroboration WHERE hit = ?",
    [SQL_PUT_CORROBORATION] = "INSERT INTO corroboration VALUES(?, ?, ?)",
    [SQL_CLEAR_GROUNDS] = "DELETE FROM ground WHERE hit = ?",
    [SQL_PUT_GROUND] = "INSERT INTO ground VALUES(?, ?, ?, ?, ?)",
    [SQL_GET_GROUNDS] = "SELECT id, weight, value, no FROM ground WHERE hit = ? ORDER BY no",
    [SQL_GET_OBJECT] =
        "SELECT " OBJECT_COLUMNS " FROM object WHERE evidence = ? AND volume = ? AND "
        "seq = ?",
    /* Files (kind 0) that no flag says cannot be read (64), not the slack of one (state 3); a name
     * that may be a part's ends in .rar, .zip or two digits. */
    [SQL_EACH_FILE_NAME] =
        "SELECT seq, dir, state, name FROM object WHERE evidence = ? AND volume = ? AND kind = 0 "
        "AND state <> 3 AND flags & 64 = 0 AND attr_name IS NULL AND "
        "(CAST(substr(name, -2) AS TEXT) GLOB '[0-9][0-9]' OR "
        "CAST(substr(name, -4) AS TEXT) LIKE '.rar' OR CAST(substr(name, -4) AS TEXT) LIKE '.zip') "
        "ORDER BY seq",
    [SQL_GET_NAMES] =
        "SELECT dir, state, flags, name FROM name WHERE evidence = ? AND volume = ? AND seq = ?",
    [SQL_GET_MATCHES] =
        "SELECT identifier, offset, length, bytes FROM match WHERE hit = ? ORDER BY no",
    [SQL_GET_INDICATORS] = "SELECT name, value, offset FROM indicator WHERE hit = ? ORDER BY no",
    [SQL_GET_CORROBORATION] = "SELECT value FROM corroboration WHERE hit = ? ORDER BY no",
    [SQL_PUT_NOTE] = "INSERT OR REPLACE INTO note VALUES(?, ?, ?)",
    [SQL_DROP_NOTE] = "DELETE FROM note WHERE hit_id = ?",
    [SQL_GET_NOTES] = "SELECT hit_id, tag, value FROM note ORDER BY hit_id",
    [SQL_GET_DIR] = "SELECT parent, name FROM dir WHERE evidence = ? AND volume = ? AND no = ?",
};
