/* SPDX-License-Identifier: Apache-2.0 */
/* test_sqlite.c - databases that SQLite's own program writes: a value cut up by pages comes out in
 * one piece, whatever the table is; damaged and hostile ones end, and say so. */
#include "unpack_mutate.h"

static const char WORD[] = "CreateObject(\"CDO.Message\")";

static Found *unpack_database(const char *sql) {
  g_autofree char *path = scratch_path("script.sql");
  assert_true(g_file_set_contents(path, sql, -1, NULL));
  run("rm -f out.db* && sqlite3 out.db < script.sql");
  g_autofree char *database = scratch_path("out.db");
  return unpack_file(database, NULL);
}

static guint count_in(GBytes *where) {
  gsize n;
  const char *bytes = g_bytes_get_data(where, &n), *end = bytes + n;
  guint count = 0;
  for (const char *p = bytes; (p = memmem(p, (gsize)(end - p), WORD, sizeof WORD - 1)) != NULL; p++)
    count++;
  return count;
}

/* Pieces are counted from a value's end, of 4092 or 508 bytes: where the word stands one ends in
 * it, and the file's bytes do not hold it. */
static void test_cut_values(void **state) {
  static const char *const TABLES[] = {
      "CREATE TABLE t(i, a TEXT)",
      "CREATE TABLE t(i PRIMARY KEY, a TEXT) WITHOUT ROWID",
      "PRAGMA page_size = 512; CREATE TABLE t(i, a TEXT)",
      "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(i, a TEXT)",
      "PRAGMA journal_mode = WAL; CREATE TABLE t(i, a TEXT)",
  };
  enum { N_ROWS = 60 };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(TABLES); i++) {
    g_autofree char *sql = g_strdup_printf(
        "%s; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "INSERT INTO t SELECT i, printf('%%.*c', 28 * i, 'x') || '%s' || printf('%%.*c', 4080 - i "
        "%% 5 "
        "* 6, 'y') FROM n;",
        TABLES[i], N_ROWS, WORD);
    g_autoptr(Found) found = unpack_database(sql);
    guint n_members = 0;
    for (guint k = 1; k < found->seen->len; k++) {
      const Seen *seen = found->seen->pdata[k];
      n_members += seen->depth == 1 && strcmp(seen->view, "raw") == 0 && count_in(seen->bytes) == 1;
    }
    const Seen *whole = found->seen->pdata[0];
    if (n_members != N_ROWS || found->gaps->len > 0)
      fail_msg("%s: %u values of %d come out, %u gaps", TABLES[i], n_members, N_ROWS,
               found->gaps->len);
    assert_non_null(whole->bytes);
    assert_true(count_in(whole->bytes) <= N_ROWS - 2);
  }
}

/* What stands whole in the file is not given twice; views, virtual tables and names in the way. */
static void test_tables(void **state) {
  (void)state;
  g_autoptr(Found) found = unpack_database(
      "CREATE TABLE \"odd \"\" name\"(a, b BLOB); INSERT INTO \"odd \"\" name\" "
      "VALUES('short', zeroblob(9000)); CREATE VIEW v AS SELECT * FROM \"odd \"\" name\";"
      "CREATE VIRTUAL TABLE f USING fts5(t); INSERT INTO f VALUES(printf('%.*c', 9000, 'z'));"
      "CREATE TABLE s(a); INSERT INTO s VALUES('a value of a row that fits a page');");
  const Seen *blob = find_seen(found, "odd \" name/1/b", "raw");
  assert_non_null(blob);
  assert_int_equal(blob->got, 9000);
  assert_null(find_seen(found, "odd \" name/1/a", "raw"));
  assert_null(find_seen(found, "s/1/a", "raw"));
  assert_non_null(find_seen(found, "f_content/1/c0", "raw"));
  assert_int_equal(found->gaps->len, 0);
}

/* What SQLite takes for a table is one, whatever stands in its list of tables. */
static void test_hidden(void **state) {
  (void)state;
  g_autoptr(Found) upper = unpack_database(
      "CREATE TABLE t(a); INSERT INTO t VALUES(printf('%.*c', 9000, 'z'));"
      "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET type = 'TABLE' WHERE name = 't';");
  assert_non_null(find_seen(upper, "t/1/a", "raw"));
  assert_int_equal(upper->gaps->len, 0);
  /* Bytes reserved in each page leave less of it to a record. */
  g_autoptr(Found) reserved =
      unpack_database(".filectrl reserve_bytes 255\nPRAGMA page_size = 1024; VACUUM;\n"
                      "CREATE TABLE t(a TEXT PRIMARY KEY) WITHOUT ROWID;"
                      "INSERT INTO t VALUES(printf('%.*c', 180, 'z'));");
  assert_non_null(find_seen(reserved, "t/1/a", "raw"));
}

static void test_damaged(void **state) {
  (void)state;
  g_autoptr(Found) found = unpack_database(
      "PRAGMA page_size = 512; CREATE TABLE t(a, b); CREATE INDEX i ON t(b);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO t "
      "SELECT printf('%.*c', 50 * i, 'x'), i FROM n;");
  assert_true(found->seen->len > 5);
  g_autofree char *path = scratch_path("out.db");
  g_autoptr(GBytes) bytes = io_read_file(path, MIB, NULL);
  gsize n;
  const void *data = g_bytes_get_data(bytes, &n);
  unpack_mutated(data, n, 4711);
  /* A column that its schema makes up, of more bytes than a value may have. */
  g_autoptr(Found) hostile = unpack_database(
      "CREATE TABLE t(a, b AS (zeroblob(900000000)) VIRTUAL); INSERT INTO t(a) VALUES(1);");
  assert_non_null(find_gap(hostile, "", TRIAGE_REASON_SIZE_LIMIT));
}

/* Each page of a table names the next one sixty times: it would have more rows than anybody can
 * read. */
static void test_endless(void **state) {
  enum { PAGE = 512, LEVELS = 12, CELLS = 60, CELL = 5, HEAD = 12, COUNT_AT = 28 };
  (void)state;
  run("rm -f out.db && sqlite3 out.db \"PRAGMA page_size = 512; CREATE TABLE t(a); INSERT INTO t "
      "VALUES(1);\"");
  g_autofree char *path = scratch_path("out.db");
  g_autoptr(GBytes) bytes = io_read_file(path, MIB, NULL);
  gsize n;
  const guint8 *data = g_bytes_get_data(bytes, &n);
  assert_int_equal(n, 2 * PAGE);
  g_autoptr(GByteArray) database = g_byte_array_new();
  g_byte_array_append(database, data, PAGE);
  database->data[COUNT_AT + 3] = LEVELS + 2;
  for (guint level = 0; level < LEVELS; level++) {
    guint8 page[PAGE] = {5, 0, 0, 0, CELLS, 0, 0, 0, 0, 0, 0, (guint8)(level + 3)};
    for (guint i = 0; i < CELLS; i++) {
      guint at = PAGE - CELL * (i + 1);
      page[HEAD + 2 * i] = (guint8)(at >> 8);
      page[HEAD + 2 * i + 1] = (guint8)at;
      page[at + 3] = (guint8)(level + 3);
      page[at + 4] = 1;
    }
    page[5] = (PAGE - CELL * CELLS) >> 8;
    page[6] = (PAGE - CELL * CELLS) & 255;
    g_byte_array_append(database, page, PAGE);
  }
  g_byte_array_append(database, data + PAGE, PAGE);
  g_autoptr(Found) found = unpack_bytes(database->data, database->len, NULL);
  assert_non_null(find_gap(found, "", TRIAGE_REASON_SIZE_LIMIT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cut_values), cmocka_unit_test(test_tables),
      cmocka_unit_test(test_hidden),     cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_endless),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
