/* SPDX-License-Identifier: Apache-2.0 */
/* test_evtx.c - Windows event logs, written by a generator of our own from the format's description
 * and held against two independent readers: script blocks come out in one piece, records that were
 * removed or lie in damaged chunks too. */
#include "unpack_mutate.h"

#define ID_A "5f0ae4a2-0000-4000-8000-00000000000a"
#define ID_B "5f0ae4a2-0000-4000-8000-00000000000b"

/* Two blocks whose records are mixed, as those of two sessions are, and other events. */
static const char MAKE[] =
    "PYTHONPATH=${TRIAGE_SOURCE:-.}/tests/unit/unpack python3 - <<'PY'\n"
    "from make_evtx import event_log, script_block\n"
    "a = ('Set m = CreateObject(\"CDO.Message\") <a>&\\u00e4\\r\\n' * 3000)[:60001]\n"
    "b = ('$o = New-Object -ComObject CDO.Message\\n' * 90)\n"
    "A, B = script_block('" ID_A "', a, 10000), script_block('" ID_B "', b, 1000)\n"
    "other = [{'event': 400, 'provider': 'PowerShell', 'data': [['', 'HostApplication=' + 'x' * "
    "100], "
    "['', 'second'], ['', '']]}, {'event': 4624, 'data': [['Name', 'short']]}]\n"
    "mixed = other + [r for i in range(7) for r in A[i:i + 1] + B[i:i + 1]]\n"
    "open('mixed.evtx', 'wb').write(event_log(mixed))\n"
    "open('lost.evtx', 'wb').write(event_log(A[:2] + A[3:] + B))\n"
    "for name, text in (('a', a), ('b', b)):\n"
    "    open(name + '.txt', 'w', encoding='utf-8', newline='').write(text)\n"
    "PY\ntrue";

static Found *unpack_scratch(const char *name) {
  g_autofree char *path = scratch_path(name);
  return unpack_file(path, NULL);
}

static void assert_text(const Found *found, const char *member, const char *file) {
  g_autofree char *path = scratch_path(file);
  g_autoptr(GBytes) wanted = read_all(path);
  gsize n;
  const void *bytes = g_bytes_get_data(wanted, &n);
  if (!seen_is(find_seen(found, member, "raw"), bytes, n)) {
    print_found(found);
    fail_msg("%s is not there, or not the text of %s", member, file);
  }
}

static void test_blocks(void **state) {
  (void)state;
  run(MAKE);
  g_autoptr(Found) found = unpack_scratch("mixed.evtx");
  assert_text(found, "script block " ID_A " (records 3, 5, 7, 9, 11, 12, 13)", "a.txt");
  assert_text(found, "script block " ID_B " (records 4, 6, 8, 10)", "b.txt");
  const Seen *other = find_seen(found, "record 1 (event 400)", "raw");
  assert_non_null(other);
  assert_true(seen_is(other, "HostApplication=", 16) || other->got == 16 + 100 + 1 + 6 + 1);
  assert_int_equal(other->modified.seconds, 1704067201);
  assert_int_equal(other->modified.source, TIME_EVENT_LOG);
  assert_null(find_seen(found, "record 2 (event 4624)", "raw")); /* left to the file's bytes */
  assert_int_equal(found->gaps->len, 0);
}

/* The texts that python-evtx and evtxexport read, which know of no script blocks. */
static void test_readers(void **state) {
  (void)state;
  run(MAKE);
  if (system("command -v evtx_dump.py >/dev/null && command -v evtxexport >/dev/null") != 0) {
    print_message("SKIPPED: no evtx_dump.py or no evtxexport\n");
    skip();
  }
  run("evtx_dump.py mixed.evtx >dump.xml && evtxexport mixed.evtx >export.txt && "
      "python3 - <<'PY'\n"
      "import re, xml.etree.ElementTree as tree\n"
      "parts = {}\n"
      "text = open('dump.xml', encoding='utf-8', newline='').read()\n"
      "text = text.split('?>', 1)[1].replace('\\r', '&#13;')\n"
      "for event in tree.fromstring(text):\n"
      "    data = {d.get('Name'): d.text for d in event.iter() if d.tag.endswith('}Data')}\n"
      "    if 'ScriptBlockId' in data:\n"
      "        parts.setdefault(data['ScriptBlockId'], {})[int(data['MessageNumber'])] = "
      "data['ScriptBlockText']\n"
      "for id, name in (('" ID_A "', 'a'), ('" ID_B "', 'b')):\n"
      "    joined = ''.join(t for _, t in sorted(parts[id].items()))\n"
      "    assert joined == open(name + '.txt', encoding='utf-8', newline='').read(), name\n"
      "numbers = re.findall(r'Event number\\s*: (\\d+)', open('export.txt', "
      "encoding='utf-8').read())\n"
      "assert numbers == [str(i) for i in range(1, 14)], numbers\n"
      "PY\ntrue");
}

static void test_lost_part(void **state) {
  (void)state;
  run(MAKE);
  g_autoptr(Found) found = unpack_scratch("lost.evtx");
  const Seen *seen = find_seen(found, "script block " ID_A " (records 1 to 6)", "raw");
  assert_non_null(seen);
  assert_non_null(seen->error);
  assert_int_equal(seen->reason, TRIAGE_REASON_TRUNCATED);
  assert_non_null(strstr(seen->error, "6 of the 7 parts"));
  assert_text(found, "script block " ID_B " (records 7 to 10)", "b.txt");
}

/* What an intruder does to a log: its first record is no longer counted. And what a disk does. */
static void test_damage(void **state) {
  (void)state;
  run(MAKE);
  run("python3 - <<'PY'\n"
      "import struct, zlib\n"
      "whole = open('mixed.evtx', 'rb').read()\n"
      "def write(name, change):\n"
      "    log = bytearray(whole)\n"
      "    change(log)\n"
      "    open(name, 'wb').write(log)\n"
      "def uncount(log):\n"
      "    at, places = 4096 + 512, []\n"
      "    while log[at:at + 4] == b'**\\0\\0':\n"
      "        places.append(at - 4096)\n"
      "        at += struct.unpack_from('<I', log, at + 4)[0]\n"
      "    struct.pack_into('<Q', log, 4096 + 16, 3)\n"
      "    struct.pack_into('<Q', log, 4096 + 32, 3)\n"
      "    struct.pack_into('<II', log, 4096 + 44, places[2], places[3])\n"
      "    struct.pack_into('<I', log, 4096 + 52, zlib.crc32(log[4608:4096 + places[3]]))\n"
      "    struct.pack_into('<I', log, 4096 + 124, zlib.crc32(log[4096:4216] + log[4224:4608]))\n"
      "def head(log):\n"
      "    log[4096:4104] = b'XXXXXXXX'\n"
      "write('uncounted.evtx', uncount)\n"
      "write('head.evtx', head)\n"
      "PY\ntrue");
  g_autoptr(Found) uncounted = unpack_scratch("uncounted.evtx");
  assert_text(uncounted, "script block " ID_A " (records 3, 5, 7, 9, 11, 12, 13)", "a.txt");
  assert_text(uncounted, "script block " ID_B " (records 4, 6, 8, 10)", "b.txt");
  g_autoptr(Found) head = unpack_scratch("head.evtx");
  assert_text(head, "script block " ID_A " (records 3, 5, 7, 9, 11, 12, 13)", "a.txt");
  assert_non_null(find_seen(head, "record 1 (event 400, recovered)", "raw"));
  assert_non_null(find_gap(head, "", TRIAGE_REASON_CORRUPT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_readers),
      cmocka_unit_test(test_lost_part),
      cmocka_unit_test(test_damage),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
