/* SPDX-License-Identifier: Apache-2.0 */
/* proto.h - what coordinator and worker say to each other: frames of a length, a type and one
 * GVariant in normal form. The table in proto.c gives each message its one type string; anything
 * else is a broken worker. Knows no evidence, no store. */
#pragma once
#include "evidence/object.h"
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* The last passwords of every SETUP: those under which samples are passed on. */
#define PROTO_USUAL_PASSWORDS 3u

typedef enum {
  /* coordinator to worker */
  MSG_SETUP = 1,  /* role, evidence and rules: the first and only once */
  MSG_ENUMERATE,  /* walk one volume */
  MSG_SCAN,       /* examine these objects, in this order */
  MSG_DIGEST,     /* read the whole media for the digests of a DigestSet */
  MSG_INFLATE,    /* role sweep: put a stripe of the media into the ring */
  MSG_HASH,       /* role digest: the next stripe of the media is in the ring */
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
  MSG_OBJECTS,
  MSG_NAME,
  MSG_GAP,
  MSG_ACCOUNT,  /* how many bytes of the volume are of one kind */
  MSG_STEP,     /* the walk is about to touch this place */
  MSG_CLEAN,    /* objects about which there is nothing to say but that they were examined, and what
                   of them could not be */
  MSG_BEGIN,    /* what follows is about this object, the next one of the job */
  MSG_PROGRESS, /* bytes done: a sign of life */
  MSG_CHUNKS,   /* before a job's end, of a container in chunks: how many it has, and how many were
                   taken out of it since this was said last */
  MSG_INFLATED, /* the stripe is in the ring, sound or not, with the damage met */
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
/* Any number of objects, as three pieces of memory, whose every number is checked when it is taken:
 * of each seq, metadata address, size, first
 * byte; volume, attribute's type and number, flags, directory, lengths of name and attribute's name
 * (the highest number: none) and path; kind, state, length of the metadata address's text, number
 * of times (four, or eight with those of NTFS's $FILE_NAME). Then the times of all, then the texts
 * of all: metadata address, name, attribute's name, path. */
#define PROTO_OBJECTS "(ayayay)"
/* Objects to examine; and of each that by its name is part of one archive with others beside it:
 * which of the objects, kind (PartKind), its own place among the parts, how many they are, the name
 * that lacks, and the parts: all where it leads them (part_lead), else the leading one. */
#define PROTO_JOBS "(" PROTO_OBJECTS "a(uyuus" PROTO_OBJECTS "))"
/* Stretches of the media that cannot be had: offset, length, reason. */
#define PROTO_DAMAGE "a(tty)"
/* Any number of examined objects: seq, bytes examined, members, number of gaps. Then the gaps of
 * all: size, bytes examined, lengths of detail and member, reason. Then these texts of all. */
#define PROTO_CLEAN "(a(tttu)a(ttuuy)ay)"
#define PROTO_GAP "(tuubsyttyss)" /* ..., reason, detail, member */

typedef struct _ProtoReader ProtoReader;

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
/* Four times, and those of NTFS's $FILE_NAME where one of them is set. */
GVariant *proto_pack_both_times(const TriageTime *const times[8]);
bool proto_take_both_times(GVariant *message, TriageTime *const out[8]);

/* An object that was examined and gave nothing, as MSG_CLEAN holds it. */
typedef struct {
  uint64_t seq, examined, members;
} CleanObject;
/* What of it could not be examined: a Gap, but for what the coordinator knows of the object. */
typedef struct {
  uint64_t size, examined;
  TriageReason reason;
  const char *detail, *member; /* printable */
} CleanGap;

/* Gathers objects for a PROTO_CLEAN. */
typedef struct _CleanPacker CleanPacker;
CleanPacker *clean_packer_new(void);
void clean_packer_free(CleanPacker *packer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CleanPacker, clean_packer_free)
void clean_packer_add(CleanPacker *packer, const CleanObject *object, const CleanGap *gaps,
                      guint n_gaps);
guint clean_packer_n(const CleanPacker *packer);
gsize clean_packer_size(const CleanPacker *packer); /* bytes gathered */
GVariant *clean_packer_end(CleanPacker *packer);    /* floating; the packer is empty again */

/* Reads a PROTO_CLEAN. */
typedef struct _CleanBatch CleanBatch;
CleanBatch *clean_batch_new(GVariant *message);
void clean_batch_free(CleanBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CleanBatch, clean_batch_free)
guint clean_batch_n(const CleanBatch *batch); /* not yet taken */
/* The next one; its gaps are (transfer none), valid until the next call. false: no more, or *error
 * is set and nothing more can be taken. */
bool clean_batch_next(CleanBatch *batch, CleanObject *out, const CleanGap **gaps, guint *n_gaps,
                      GError **error);

/* Gathers objects for a PROTO_OBJECTS. */
typedef struct _ObjectPacker ObjectPacker;
ObjectPacker *object_packer_new(void);
void object_packer_free(ObjectPacker *packer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectPacker, object_packer_free)
/* path: how the object is to be opened or called, n_path bytes (0: not told). */
void object_packer_add(ObjectPacker *packer, const Object *object, const void *path, gsize n_path);
guint object_packer_n(const ObjectPacker *packer);
gsize object_packer_size(const ObjectPacker *packer); /* bytes gathered */
GVariant *object_packer_end(ObjectPacker *packer);    /* floating; the packer is empty again */

typedef struct {
  const char *bytes; /* no NUL behind them; valid as long as the batch */
  gsize n;
} ObjectPath;

/* Reads a PROTO_OBJECTS. */
typedef struct _ObjectBatch ObjectBatch;
ObjectBatch *object_batch_new(GVariant *objects);
void object_batch_free(ObjectBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectBatch, object_batch_free)
guint object_batch_n(const ObjectBatch *batch); /* not yet taken */
/* The next one (path may be NULL), to be cleared by the caller. false: no more, or *error is set
 * and nothing more can be taken. */
bool object_batch_next(ObjectBatch *batch, Object *out, ObjectPath *path, GError **error);
void proto_object_clear(Object *object);
GVariant *proto_pack_dir(const ObjectDir *dir);
bool proto_take_dir(GVariant *message, ObjectDir *out, GError **error);
GVariant *proto_pack_name(const ObjectName *name);
bool proto_take_name(GVariant *message, ObjectName *out, GError **error);
/* A detail as a message has it: of bounded length. (transfer full) */
char *proto_detail(const char *detail);
GVariant *proto_pack_gap(const Gap *gap, const char *member);
/* detail and member are (transfer none) into message. */
bool proto_take_gap(GVariant *message, Gap *out, const char **member, GError **error);
GVariant *proto_bytes(GBytes *bytes); /* "ay", NULL: empty */
GBytes *proto_take_bytes(GVariant *ay);
