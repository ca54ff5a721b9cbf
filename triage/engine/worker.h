/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - the inside of triage-worker: one process, one thread, one piece of evidence.
 * Everything it learns goes to the coordinator as messages; it writes no file but its unlinked
 * spool. */
#pragma once
#include "base/digest.h"
#include "base/known.h"
#include "base/secret.h"
#include "engine/proto.h"
#include "engine/proto_ring.h"
#include "engine/worker_fds.h"
#include "evidence/damage.h"
#include "evidence/image.h"
#include "evidence/tree.h"
#include "evidence/volume.h"
#include "scan/scan.h"
#include "unpack/unpack.h"

typedef enum { EVIDENCE_IMAGE, EVIDENCE_FILE, EVIDENCE_DIRECTORY } EvidenceKind;

typedef struct {
  int fd;
  GByteArray *out;       /* messages not yet written */
  ObjectPacker *objects; /* of a walk, not yet told */
  CleanPacker *clean;    /* examined, not yet told */
  WorkerCell *cell;
  gint64 flushed_at; /* monotonic microseconds */
  ProtoReader *reader;
  uint32_t flags, timeout_seconds;
  Scanner *scanner;
  UnpackOptions unpack;
  EvidenceKind kind;
  Image *image; /* NULL for a directory */
  VolumeSet *volumes;
  GPtrArray *volume_gaps;      /* packed gaps of volumes, until the evidence is described */
  GPtrArray *volume_passwords; /* char*, owned by unpack.passwords */
  uint64_t chunks_told;        /* of image_chunks_read */
  Ring ring;                   /* holds NULL: none */
  Digester *digester;          /* role digest: of the stripes so far; NULL: none yet */
  DamageList damage;           /* role digest: of them */
  int tree_fd;                 /* directory evidence, else -1 */
  VolumeCare care;
  uint32_t areas; /* AREAS_ bits: what is examined */
  KnownIndex known[WORKER_KNOWN_MAX];
  uint32_t n_known;
  bool is_sweeper; /* role sweep: opens the image alone, no volume */
  bool has_wanted; /* EXTRACT: the content of member number wanted is handed over */
  uint32_t wanted;
  char *last_secret, last_secret_digest[SECRET_DIGEST];
  char *fault, *fault_name; /* TRIAGE_TEST_FAULT=kind:name, for tests of the coordinator alone */
} Worker;

/* Queues a message, behind what has been gathered (objects of a walk, clean ones), and writes out
 * what has gathered, at once or by size and age. Never returns where the coordinator is gone: a
 * worker without one has nothing to do. */
void worker_send(Worker *worker, MessageType type, GVariant *message);
void worker_flush(Worker *worker);
/* Queues an object of a walk. */
void worker_send_object(Worker *worker, const Object *object);
/* Queues the result of an object about which nothing was said, with its gaps. */
void worker_send_clean(Worker *worker, const CleanObject *object, const CleanGap *gaps,
                       guint n_gaps);
void worker_fail(Worker *worker, const GError *error);
/* Text for a message: printable UTF-8 of bounded length. (transfer full) */
char *worker_text(const char *text);

/* Locks the process in: it can read exactly files and below dir_fd (or -1), and the spool; nothing
 * else. Missing protections are appended to missing as sentences. */
void worker_lock_in(GPtrArray *files, int dir_fd, GPtrArray *missing);

bool worker_open_evidence(Worker *worker, GPtrArray *segments, GError **error);
void worker_describe_evidence(Worker *worker, GPtrArray *segments);
void worker_enumerate(Worker *worker, GVariant *job);
void worker_tell_chunks(Worker *worker);
void worker_scan(Worker *worker, GVariant *job);
/* UnpackOptions.walk_image; user is the worker. */
void worker_walk_image(void *user, Content *content, const char *shown, const ImageSink *sink);
void worker_extract(Worker *worker, GVariant *job);
/* Blocks for the next message; NULL at the end of the stream. (transfer full) */
GVariant *worker_receive(Worker *worker, MessageType *type);
/* Role pack: files into the archive that is open as the spool. */
bool worker_pack(Worker *worker, GError **error);
void worker_digest(Worker *worker, GVariant *job);
/* Damage of the media, and its digests, as the answer to DIGEST or the last HASH. */
void worker_send_digests(Worker *worker, const Digests *digests, GArray *damage);
/* Sends what the evidence is, without its volumes. */
void worker_send_evidence(Worker *worker, GPtrArray *segments);
/* Role sweep: one stripe of the media into the ring; role digest: its digests out of it. */
void worker_inflate(Worker *worker, GVariant *job);
void worker_hash(Worker *worker, GVariant *job);
/* The image reads from the ring what stands there. */
void worker_use_ring(Worker *worker);
void worker_formats(Worker *worker);
void worker_test_fault(Worker *worker, const char *name);
