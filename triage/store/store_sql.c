/* SPDX-License-Identifier: Apache-2.0 */
/* store_sql.c - every table of case.db and the statements that run once for each row. Values reach
 * SQLite as parameters alone. Unsigned 64-bit values are kept as the same bits, signed. */
#include "store/store_private.h"

/* A time is two columns: seconds since 1970 (NULL: none) and nanoseconds + digits << 32 +
 * is_local << 40. Names are the bytes of the evidence. object.status: 0 to be examined, 1 examined,
 * 2 nothing to examine. gap.seq is 2^63 - 1 where the row is about no object. */
#define TIME_COLUMNS                                                                               \
  "created INTEGER, created_part INTEGER, modified INTEGER, modified_part INTEGER, "               \
  "changed INTEGER, changed_part INTEGER, accessed INTEGER, accessed_part INTEGER, "
#define KEY_COLUMNS "evidence INTEGER NOT NULL, volume INTEGER NOT NULL, seq INTEGER NOT NULL, "

const char STORE_SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE input_file(no INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, "
    " sha256 TEXT NOT NULL, size INTEGER NOT NULL, UNIQUE(kind, name, sha256)) STRICT;"
    "CREATE TABLE evidence(no INTEGER PRIMARY KEY CHECK(no > 0), name TEXT NOT NULL UNIQUE, "
    " path TEXT NOT NULL, kind TEXT NOT NULL CHECK(kind IN ('image', 'file', 'directory')), "
    " format TEXT NOT NULL, media_bytes INTEGER NOT NULL, sector_bytes INTEGER NOT NULL, "
    " stored_md5 TEXT NOT NULL, stored_sha1 TEXT NOT NULL, md5 TEXT NOT NULL, "
    " sha1 TEXT NOT NULL, sha256 TEXT NOT NULL, digest_status TEXT NOT NULL CHECK(digest_status "
    " IN ('', 'match', 'mismatch', 'absent', 'not computed', 'incomplete'))) STRICT;"
    "CREATE TABLE evidence_property(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, "
    " name TEXT NOT NULL, value TEXT NOT NULL, UNIQUE(evidence, name, value)) STRICT;"
    "CREATE TABLE evidence_file(no INTEGER PRIMARY KEY, evidence INTEGER NOT NULL, "
    " path TEXT NOT NULL, size INTEGER NOT NULL, UNIQUE(evidence, path)) STRICT;"
    "CREATE TABLE volume(evidence INTEGER NOT NULL, no INTEGER NOT NULL, offset INTEGER NOT NULL, "
    " length INTEGER NOT NULL, fs_type TEXT NOT NULL, description TEXT NOT NULL, "
    " is_enumerated INTEGER NOT NULL, PRIMARY KEY(evidence, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE dir(evidence INTEGER NOT NULL, volume INTEGER NOT NULL, no INTEGER NOT NULL, "
    " parent INTEGER NOT NULL, name BLOB NOT NULL, PRIMARY KEY(evidence, volume, no)) "
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE object(" KEY_COLUMNS
    " meta_addr INTEGER NOT NULL, attr_type INTEGER NOT NULL, attr_id INTEGER NOT NULL, "
    " meta TEXT NOT NULL, kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 6), "
    " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), flags INTEGER NOT NULL, "
    " size INTEGER NOT NULL, first_byte INTEGER NOT NULL, " TIME_COLUMNS
    " dir INTEGER NOT NULL, name BLOB, attr_name BLOB, "
    " status INTEGER NOT NULL CHECK(status BETWEEN 0 AND 2), "
    " examined_bytes INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0, "
    " sha256 TEXT, sha1 TEXT, md5 TEXT, "
    " PRIMARY KEY(evidence, volume, seq)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX object_pending ON object(evidence, volume, first_byte, seq) WHERE status = 0;"
    "CREATE TABLE name(no INTEGER PRIMARY KEY, " KEY_COLUMNS
    " dir INTEGER NOT NULL, state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), "
    " flags INTEGER NOT NULL, name BLOB NOT NULL) STRICT;"
    "CREATE INDEX name_object ON name(evidence, volume, seq);"
    "CREATE TABLE member(" KEY_COLUMNS
    " no INTEGER NOT NULL, member TEXT NOT NULL, view TEXT NOT NULL, size INTEGER NOT NULL, "
    " sha256 TEXT, sha1 TEXT, md5 TEXT, " TIME_COLUMNS
    " PRIMARY KEY(evidence, volume, seq, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE hit(id INTEGER PRIMARY KEY, " KEY_COLUMNS
    " member_no INTEGER NOT NULL, namespace TEXT NOT NULL, rule TEXT NOT NULL, "
    " strings TEXT NOT NULL, match_count INTEGER NOT NULL, first_offset INTEGER, "
    " image_offset INTEGER, excerpt TEXT NOT NULL, verdict TEXT NOT NULL DEFAULT '', "
    " scenario TEXT NOT NULL DEFAULT '', profile TEXT NOT NULL DEFAULT '', "
    " reason TEXT NOT NULL DEFAULT '', "
    " UNIQUE(evidence, volume, seq, member_no, namespace, rule)) STRICT;"
    "CREATE TABLE match(hit INTEGER NOT NULL, no INTEGER NOT NULL, identifier TEXT NOT NULL, "
    " offset INTEGER NOT NULL, length INTEGER NOT NULL, bytes BLOB NOT NULL, "
    " PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE indicator(hit INTEGER NOT NULL, no INTEGER NOT NULL, name TEXT NOT NULL, "
    " value TEXT NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE corroboration(hit INTEGER NOT NULL, no INTEGER NOT NULL, value TEXT NOT NULL, "
    " PRIMARY KEY(hit, no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE fact(no INTEGER PRIMARY KEY, " KEY_COLUMNS
    " member_no INTEGER NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, "
    " detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX fact_object ON fact(evidence, volume, seq);"
    "CREATE TABLE gap(no INTEGER PRIMARY KEY, " KEY_COLUMNS
    " dir INTEGER, meta TEXT NOT NULL, state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4), "
    " size INTEGER NOT NULL, examined INTEGER NOT NULL, reason TEXT NOT NULL, "
    " detail TEXT NOT NULL, member TEXT NOT NULL) STRICT;"
    "CREATE INDEX gap_object ON gap(evidence, volume, seq);";

const char *const STORE_SQL[SQL_LAST + 1] = {
    [SQL_PUT_META] = "INSERT INTO meta(key, value) VALUES(?1, ?2) "
                     "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    [SQL_GET_META] = "SELECT value FROM meta WHERE key = ?1",
    [SQL_PUT_INPUT_FILE] =
        "INSERT OR IGNORE INTO input_file(kind, name, sha256, size) VALUES(?1, ?2, ?3, ?4)",
    [SQL_PUT_EVIDENCE] =
        "INSERT INTO evidence(no, name, path, kind, format, media_bytes, sector_bytes, stored_md5, "
        "stored_sha1, md5, sha1, sha256, digest_status) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
        "ON CONFLICT(no) DO UPDATE SET name = excluded.name, path = excluded.path, "
        "kind = excluded.kind, format = excluded.format, media_bytes = excluded.media_bytes, "
        "sector_bytes = excluded.sector_bytes, stored_md5 = excluded.stored_md5, "
        "stored_sha1 = excluded.stored_sha1, md5 = excluded.md5, sha1 = excluded.sha1, "
        "sha256 = excluded.sha256, digest_status = excluded.digest_status",
    [SQL_PUT_EVIDENCE_PROPERTY] =
        "INSERT OR IGNORE INTO evidence_property(evidence, name, value) VALUES(?1, ?2, ?3)",
    [SQL_PUT_EVIDENCE_FILE] = "INSERT INTO evidence_file(evidence, path, size) VALUES(?1, ?2, ?3) "
                              "ON CONFLICT(evidence, path) DO UPDATE SET size = excluded.size",
    [SQL_PUT_VOLUME] =
        "INSERT INTO volume(evidence, no, offset, length, fs_type, description, is_enumerated) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(evidence, no) DO UPDATE SET "
        "offset = excluded.offset, length = excluded.length, fs_type = excluded.fs_type, "
        "description = excluded.description, is_enumerated = excluded.is_enumerated",
    [SQL_PUT_DIR] =
        "INSERT INTO dir(evidence, volume, no, parent, name) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_PUT_OBJECT] =
        "INSERT INTO object(evidence, volume, seq, meta_addr, attr_type, attr_id, meta, kind, "
        "state, flags, size, first_byte, created, created_part, modified, modified_part, changed, "
        "changed_part, accessed, accessed_part, dir, name, attr_name, status) VALUES(?1, ?2, ?3, "
        "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, "
        "?23, ?24)",
    [SQL_PUT_NAME] = "INSERT INTO name(evidence, volume, seq, dir, state, flags, name) "
                     "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_HAS_OBJECT] = "SELECT 1 FROM object WHERE evidence = ?1 AND volume = ?2 AND seq = ?3",
    [SQL_HAS_VOLUME_GAP] =
        "SELECT 1 FROM gap WHERE evidence = ?1 AND volume = ?2 AND seq = ?3 AND dir IS ?4 AND "
        "meta = ?5 AND state = ?6 AND size = ?7 AND examined = ?8 AND reason = ?9 AND "
        "detail = ?10 AND member = ?11",
    [SQL_PUT_GAP] = "INSERT INTO gap(evidence, volume, seq, dir, meta, state, size, examined, "
                    "reason, detail, member) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_PENDING] = "SELECT " OBJECT_COLUMNS " FROM object o INDEXED BY object_pending "
                    "WHERE o.evidence = ?1 AND o.volume = ?2 AND o.status = 0 AND "
                    "(o.first_byte, o.seq) > (?3, ?4) ORDER BY o.first_byte, o.seq LIMIT ?5",
    [SQL_COUNT_WORK] = "SELECT count(*), sum_u64(size) FROM object INDEXED BY object_pending "
                       "WHERE evidence = ?1 AND volume = ?2 AND status = 0",
    [SQL_PUT_RESULT] =
        "UPDATE object SET status = 1, examined_bytes = ?4, members = ?5, sha256 = ?6, sha1 = ?7, "
        "md5 = ?8 WHERE evidence = ?1 AND volume = ?2 AND seq = ?3 AND status <> 1",
    [SQL_PUT_MEMBER] =
        "INSERT INTO member(evidence, volume, seq, no, member, view, size, sha256, sha1, md5, "
        "created, created_part, modified, modified_part, changed, changed_part, accessed, "
        "accessed_part) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
        "?16, ?17, ?18)",
    [SQL_HAS_MEMBER] =
        "SELECT 1 FROM member WHERE evidence = ?1 AND volume = ?2 AND seq = ?3 AND no = ?4",
    [SQL_PUT_HIT] = "INSERT INTO hit(evidence, volume, seq, member_no, namespace, rule, strings, "
                    "match_count, first_offset, image_offset, excerpt) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_PUT_MATCH] = "INSERT INTO match(hit, no, identifier, offset, length, bytes) "
                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_PUT_INDICATOR] =
        "INSERT INTO indicator(hit, no, name, value, offset) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_PUT_FACT] = "INSERT INTO fact(evidence, volume, seq, member_no, kind, target, detail) "
                     "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_PUT_VERDICT] = "UPDATE hit SET verdict = ?2, scenario = ?3, profile = ?4, reason = ?5 "
                        "WHERE id = ?1",
    [SQL_CLEAR_CORROBORATION] = "DELETE FROM corroboration WHERE hit = ?1",
    [SQL_PUT_CORROBORATION] = "INSERT INTO corroboration(hit, no, value) VALUES(?1, ?2, ?3)",
    [SQL_GET_DIR] =
        "SELECT parent, name FROM dir WHERE evidence = ?1 AND volume = ?2 AND no = ?3",
    [SQL_GET_EVIDENCE_NAME] = "SELECT name FROM evidence WHERE no = ?1",
    [SQL_GET_VOLUME] = "SELECT offset, fs_type FROM volume WHERE evidence = ?1 AND no = ?2",
};

#define OF_VOLUME "WHERE evidence = ?1 AND volume = ?2"
#define OF_HITS "WHERE hit IN (SELECT id FROM hit " OF_VOLUME ")"

const char *const STORE_CLEAR_VOLUME[] = {
    "DELETE FROM match " OF_HITS,
    "DELETE FROM indicator " OF_HITS,
    "DELETE FROM corroboration " OF_HITS,
    "DELETE FROM hit " OF_VOLUME,
    "DELETE FROM member " OF_VOLUME,
    "DELETE FROM fact " OF_VOLUME,
    "DELETE FROM gap " OF_VOLUME,
    "DELETE FROM name " OF_VOLUME,
    "DELETE FROM object " OF_VOLUME,
    "DELETE FROM dir " OF_VOLUME,
    "UPDATE volume SET is_enumerated = 0 WHERE evidence = ?1 AND no = ?2",
    NULL,
};
