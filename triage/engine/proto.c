/* SPDX-License-Identifier: Apache-2.0 */
/* proto.c - framing. A frame is a 32-bit length of what follows, a 16-bit type, and the serialised
 * GVariant, all in the machine's byte order: both ends run on the same machine. */
#include "engine/proto.h"
#include "base/limits.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const char *signature;
  bool from_worker;
} MessageKind;

static const MessageKind KINDS[MSG_LAST + 1] = {
    /* role, evidence path, max depth, max expanded, timeout s, flags, rules (ns, name, text),
     * passwords */
    [MSG_SETUP] = {"(sayutuua(ssay)aay)", false},
    [MSG_ENUMERATE] = {"(ua(uty))", false},
    [MSG_SCAN] = {PROTO_JOBS, false},
    [MSG_DIGEST] = {"(u)", false},
    /* stripe */
    [MSG_INFLATE] = {"(t)", false},
    /* digests (a DigestSet), stripe, its bytes, whether it is the last one, its damage */
    [MSG_HASH] = {"(uttb" PROTO_DAMAGE ")", false},
    [MSG_EXTRACT] = {"(u" PROTO_JOBS ")", false},
    [MSG_PACK_ENTRY] = {"(sx)", false},
    [MSG_PACK_BYTES] = {"ay", false},
    [MSG_PACK_END] = {"(b)", false},
    [MSG_SANDBOX] = {"as", true},
    /* stage, name, title, spec, library, limitations, available, why not */
    [MSG_ROW] = {"(ssssssbs)", true},
    [MSG_VERSION] = {"(ss)", true},
    [MSG_RULE_MESSAGE] = {"(subs)", true},
    /* rule, sentence */
    [MSG_RULE_PROOF] = {"(ss)", true},
    /* kind, format, size, sector bytes, md5, sha1, properties, problems, segments (path, bytes),
     * number of rules */
    [MSG_EVIDENCE] = {"(sstussa(ss)asa(ayt)u)", true},
    [MSG_VOLUME] = {"(uttss)", true},
    [MSG_DIR] = {"(uuay)", true},
    [MSG_OBJECTS] = {PROTO_OBJECTS, true},
    [MSG_NAME] = {"(tuyuay)", true},
    [MSG_GAP] = {PROTO_GAP, true},
    [MSG_ACCOUNT] = {"(st)", true},
    [MSG_STEP] = {"(ut)", true},
    [MSG_CLEAN] = {PROTO_CLEAN, true},
    [MSG_BEGIN] = {"(t)", true},
    [MSG_PROGRESS] = {"(t)", true},
    [MSG_CHUNKS] = {"(tt)", true},
    /* all of it could be had, damage met or known */
    [MSG_INFLATED] = {"(b" PROTO_DAMAGE ")", true},
    /* no, member, view, size, sha256, sha1, md5, times */
    [MSG_MEMBER] = {"(usstsss" PROTO_TIMES ")", true},
    /* member no, namespace, rule, identifiers, count, first offset, has and image offset, excerpt,
     * matches, indicators, fuzzy digest, digests of passwords */
    [MSG_HIT] = {"(ussasttbtsa(sttay)a(sst)ss)", true},
    [MSG_FACT] = {"(usss)", true},
    [MSG_CONTENT] = {"ay", true},
    /* member no, namespace, rule, view */
    [MSG_ALSO] = {"(usss)", true},
    [MSG_END] = {"(tttsss)", true},
    [MSG_DIGEST_DONE] = {"(sssb)", true},
    [MSG_DONE] = {"(b)", true},
    [MSG_ERROR] = {"(ys)", true},
};

enum { HEAD = 6 };

struct _ProtoReader {
  GByteArray *buffer;
  gsize start; /* first unread byte of buffer */
  bool from_worker;
};

void proto_append(GByteArray *out, MessageType type, GVariant *message) {
  g_autoptr(GVariant) held = g_variant_ref_sink(message);
  g_assert(g_variant_is_of_type(held, G_VARIANT_TYPE(KINDS[type].signature)));
  gsize size = g_variant_get_size(held);
  uint32_t length = (uint32_t)(size + 2);
  uint16_t short_type = (uint16_t)type;
  g_byte_array_append(out, (const guint8 *)&length, 4);
  g_byte_array_append(out, (const guint8 *)&short_type, 2);
  if (size > 0)
    g_byte_array_append(out, g_variant_get_data(held), (guint)size);
}

ProtoReader *proto_reader_new(bool from_worker) {
  ProtoReader *reader = g_new0(ProtoReader, 1);
  reader->buffer = g_byte_array_new();
  reader->from_worker = from_worker;
  return reader;
}

void proto_reader_free(ProtoReader *reader) {
  if (reader == NULL)
    return;
  g_byte_array_free(reader->buffer, TRUE);
  g_free(reader);
}

int proto_reader_fill(ProtoReader *reader, int fd) {
  if (reader->start > 0) {
    g_byte_array_remove_range(reader->buffer, 0, (guint)reader->start);
    reader->start = 0;
  }
  enum { STEP = 256 * 1024 };
  guint old = reader->buffer->len;
  g_byte_array_set_size(reader->buffer, old + STEP);
  ssize_t got;
  do
    got = read(fd, reader->buffer->data + old, STEP);
  while (got < 0 && errno == EINTR);
  int problem = errno;
  g_byte_array_set_size(reader->buffer, old + (guint)MAX(got, 0));
  if (got > 0)
    return 1;
  if (got == 0)
    return 0;
  return problem == EAGAIN || problem == EWOULDBLOCK ? -1 : problem == ECONNRESET ? 0 : -2;
}

GVariant *proto_reader_next(ProtoReader *reader, MessageType *type, GError **error) {
  gsize have = reader->buffer->len - reader->start;
  if (have < HEAD)
    return NULL;
  const guint8 *head = reader->buffer->data + reader->start;
  uint32_t length;
  uint16_t short_type;
  memcpy(&length, head, 4);
  memcpy(&short_type, head + 4, 2);
  /* What the coordinator sends (rules, jobs) is its own: neither bounded nor walked through. */
  bool limited = reader->from_worker;
  if (length < 2 || (limited && length > LIMIT_FRAME_BYTES)) {
    triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a message of %u bytes breaks the protocol",
                length);
    return NULL;
  }
  if (short_type < MSG_SETUP || short_type > MSG_LAST || KINDS[short_type].signature == NULL ||
      KINDS[short_type].from_worker != reader->from_worker) {
    triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a message of type %u breaks the protocol",
                short_type);
    return NULL;
  }
  if (have - 4 < length)
    return NULL;
  /* A copy of its own is aligned as GVariant needs it. */
  g_autoptr(GBytes) bytes = g_bytes_new(head + HEAD, length - 2);
  g_autoptr(GVariant) message = g_variant_ref_sink(
      g_variant_new_from_bytes(G_VARIANT_TYPE(KINDS[short_type].signature), bytes, !limited));
  reader->start += 4 + (gsize)length;
  if (!g_variant_is_normal_form(message)) {
    triage_fail(error, TRIAGE_REASON_WORKER_CRASH,
                "a malformed message of type %u breaks the "
                "protocol",
                short_type);
    return NULL;
  }
  *type = (MessageType)short_type;
  return g_steal_pointer(&message);
}
