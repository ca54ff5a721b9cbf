/* SPDX-License-Identifier: Apache-2.0 */
/* proto.h - what coordinator and worker say to each other: frames of a length, a type and one
 * GVariant in normal form. The table in proto.c gives each message its one type string; anything
 * else is a broken worker. Knows no evidence, no store. */
#pragma once
#include "evidence/object.h"
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
  /* coordinator to worker */
  MSG_SETUP = 1,  /* role, evidence and rules: the first and only once */
  MSG_ENUMERATE,  /* walk one volume */
  MSG_SCAN,       /* examine these objects, in this order */
  MSG_DIGEST,     /* read the whole media for the digests of a DigestSet */
  MSG_EXTRACT,    /* examine one object and hand over the content of one of its members */
  MSG_PACK_ENTRY, /* role pack: a file begins: name, modification time in seconds since 1970 */
  MSG_PACK_BYTES, /* role pack: the next bytes of it */
  MSG_PACK_END,   /* role pack: no more files; answered by DONE */
  /* worker to coordinator */
  MSG_SANDBOX,      /* one sentence for each protection that is missing; sent after the lock-in */
  MSG_ROW,          /* role formats: one table row */
  MSG_VERSION,      /* role formats: one library */
  MSG_RULE_MESSAGE, /* role rules: one error or warning */
  MSG_RULE_PROOF,   /* what the prefilter makes of a rule (role rules), or of all: name "" */
  MSG_EVIDENCE,     /* what the evidence is; the last answer to SETUP for the other roles */
  MSG_VOLUME,
  MSG_DIR,
  MSG_OBJECT,
  MSG_NAME,
  MSG_GAP,
  MSG_ACCOUNT,  /* how many bytes of the volume are of one kind */
  MSG_STEP,     /* the walk is about to touch this place */
  MSG_BEGIN,    /* the scan of this object begins */
  MSG_PROGRESS, /* bytes done: a sign of life */
  MSG_MEMBER,
  MSG_HIT,
  MSG_FACT,
  MSG_CONTENT,     /* the next bytes of the member that EXTRACT names */
  MSG_ALSO,        /* a hit sent before was met again in another view */
  MSG_END,         /* the object is done */
  MSG_DIGEST_DONE, /* digests of the media */
  MSG_DONE,        /* the job is done (formats, rules, enumeration, batch) */
  MSG_ERROR,       /* the job cannot be done: reason and sentence */
  MSG_LAST = MSG_ERROR
} MessageType;

/* Fields of the messages, in the order of their type strings. */
/* Any number of times: seconds, nanoseconds, digits, flags (1 set, 2 local, 4 date alone), source.
 * Of fixed size, as the numbers of an object are: taken and given as one piece of memory. */
#define PROTO_TIMES "a(xuyyy)"
#define PROTO_NUMBERS "a(ttttuuuuuyy)"
/* numbers (one element), metadata address, times (four, and four of NTFS's $FILE_NAME where any of
 * them is set), name, attribute's name, raw path */
#define PROTO_OBJECT "(" PROTO_NUMBERS "s" PROTO_TIMES "maymayay)"
/* An object to examine and the objects beside it that by their names are parts of one archive with
 * it: kind (PartKind), its own place among them, the name that lacks, and they (none: no part). */
#define PROTO_JOB "(" PROTO_OBJECT "yusa" PROTO_OBJECT ")"
#define PROTO_GAP "(tuubsyttyss)" /* ..., reason, detail, member */

typedef struct _ProtoReader ProtoReader;

/* Sends one message; message is sunk. false with errno-based error. */
bool proto_send(int fd, MessageType type, GVariant *message, GError **error);

/* Appends one framed message to out (for a batching writer); message is sunk. */
void proto_append(GByteArray *out, MessageType type, GVariant *message);

ProtoReader *proto_reader_new(bool from_worker);
void proto_reader_free(ProtoReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProtoReader, proto_reader_free)

/* Reads what fd has. 1: got bytes, 0: end of stream, -1: would block, -2: error. */
int proto_reader_fill(ProtoReader *reader, int fd);

/* The next whole message (transfer full) or NULL: *error set where the stream is broken (too long,
 * unknown type, wrong direction, not in normal form), else more bytes are needed. */
GVariant *proto_reader_next(ProtoReader *reader, MessageType *type, GError **error);

/* Plain data to and from messages. The take functions check every field (enums in range, printable
 * texts, bounded names) and return false with error where one is wrong; GBytes made are
 * owned by the struct (see proto_*_clear). */
GVariant *proto_pack_times(const TriageTime *const *times, gsize n);
/* Takes n times; false where the message has another number of them or one is wrong. */
bool proto_take_times(GVariant *message, TriageTime *const *out, gsize n);
/* Four times, and those of NTFS's $FILE_NAME where one of them is set. */
GVariant *proto_pack_both_times(const TriageTime *const times[8]);
bool proto_take_both_times(GVariant *message, TriageTime *const out[8]);
GVariant *proto_pack_object(const Object *object, const GBytes *raw_path);
bool proto_take_object(GVariant *message, Object *out, GBytes **raw_path, GError **error);
void proto_object_clear(Object *object);
GVariant *proto_pack_dir(const ObjectDir *dir);
bool proto_take_dir(GVariant *message, ObjectDir *out, GError **error);
GVariant *proto_pack_name(const ObjectName *name);
bool proto_take_name(GVariant *message, ObjectName *out, GError **error);
GVariant *proto_pack_gap(const Gap *gap, const char *member);
/* detail and member are (transfer none) into message. */
bool proto_take_gap(GVariant *message, Gap *out, const char **member, GError **error);
GVariant *proto_bytes(GBytes *bytes); /* "ay", NULL: empty */
GBytes *proto_take_bytes(GVariant *ay);
