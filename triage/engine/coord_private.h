/* SPDX-License-Identifier: Apache-2.0 */
/* coord_private.h - the inside of the coordinator. */
#pragma once
#include "assess/assess.h"
#include "engine/coord.h"
#include "engine/coord_exhibits.h"
#include "engine/coord_lock.h"
#include "engine/coord_seal.h"
#include "engine/proto.h"
#include "engine/worker_fds.h"
#include "store/store.h"
#include <sys/types.h>

/* ---- inputs ---- */
typedef struct {
  char *name_space, *name, *sha256;
  GBytes *text;
} RuleInput;
/* Reads rule files; NULL specs: the shipped rule. (transfer full) RuleInput* */
GPtrArray *inputs_read_rules(char **specs, GError **error);
/* One password a line, then the usual ones; path may be NULL. (transfer full) GBytes* */
GPtrArray *inputs_read_passwords(const char *path, GError **error);
ProfileSet *inputs_read_profiles(char **site_files, GError **error);

/* ---- worker processes ---- */
typedef struct {
  pid_t pid;
  int fd, stderr_fd;
  ProtoReader *reader;
  GString *stderr_text; /* the first bytes of what it complained about */
  WorkerCell *cell;     /* shared with it */
  int patience;         /* seconds within which it has to take what it is sent */
  bool is_fresh;        /* has done no job yet */
  bool is_ready;        /* has answered SETUP */
} Process;

typedef struct {
  const char *role;           /* "examine", "sweep", "digest", "rules", "formats", "pack" */
  const char *evidence;       /* path, or "" */
  const GPtrArray *rules;     /* RuleInput* */
  const GPtrArray *passwords; /* GBytes* */
  const ScanOptions *options; /* NULL: defaults */
  uint32_t care;              /* how much less of an image is opened: VolumeCare of the worker */
  const GPtrArray *known;     /* KnownList*; NULL: none */
  int spool_fd;               /* taken over; -1: none */
  const int *ring_fd;         /* as proto_ring.h has it; NULL: none */
} ProcessSetup;

Process *process_new(const ProcessSetup *setup, GError **error);
/* Ends it at once and reaps it. */
void process_free(Process *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Process, process_free)
/* One that does not listen in time is ended. */
bool process_send(Process *process, MessageType type, GVariant *message, GError **error);
/* Waits for the next message at most timeout seconds: for the commands that have one worker. */
GVariant *process_receive(Process *process, int timeout_seconds, MessageType *type, GError **error);
/* Why a process that ended has ended: out-of-memory where it said so, else worker-crash; the
 * sentence is the same in every run (no pids, no addresses). (transfer full) */
char *process_end(Process *process, TriageReason *reason);
/* True where it waits in a call of the kernel, as for evidence that does not answer, and does not
 * compute. Takes a moment: for a process that is about to be ended. */
bool process_is_waiting(const Process *process);
/* What a worker's ERROR says, as an error of its reason; its text is made printable: the worker may
 * have been captured. Returns false so that callers can return its result. */
gboolean process_take_error(GVariant *message, GError **error);

/* ---- versions of everything linked, of both programs ---- */
/* Begins to ask a worker, which takes a moment. (transfer full) */
Process *versions_ask(GError **error);
/* Lines "name version", sorted. (transfer full); error may be NULL. asked is what versions_ask
 * gave; NULL: there is no worker, and its libraries lack. To formats (may be NULL) a line is added
 * for each row of the worker's tables: stage, name, title and limitations, tabs between. */
char *versions_text(Process *asked, GString *formats, GError **error);

/* ---- archives in several files ---- */
typedef struct _PartIndex PartIndex;
/* Of a volume; of its objects it knows nothing until it has read them. (transfer full) */
PartIndex *part_index_new(Store *store, uint32_t evidence, uint32_t volume, bool is_directory);
/* The walk tells of an object. True where its name is that of a part: it can be handed out when all
 * names are known. */
bool part_index_add(PartIndex *index, const Object *object);
/* Once, after the walk: what was added is all, or the names are read from the store. */
bool part_index_read(PartIndex *index, GError **error);
void part_index_free(PartIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PartIndex, part_index_free)
/* Objects (Object*) as a worker is told of them: PROTO_JOBS. */
GVariant *part_index_jobs(const PartIndex *index, const GPtrArray *objects);

/* ---- what a probe found out ---- */
typedef struct {
  char *path, *shown; /* as it is, and printable */
  char *state;        /* case_file_state when it was probed */
} ProbeFile;

typedef struct {
  uint32_t no;
  uint64_t offset, length;
  char *fs_type, *description;
} ProbeVolume;

typedef struct {
  char *member, *detail;
  Gap gap; /* detail points to the field above */
} StoredGap;
StoredGap *stored_gap_new(const Gap *gap, const char *member);
void stored_gap_free(StoredGap *stored);

typedef struct {
  char *path, *name; /* as given; unique printable */
  char *kind, *format, *stored_md5, *stored_sha1;
  uint64_t media_bytes, sector_bytes;
  GPtrArray *volumes;    /* ProbeVolume* */
  GPtrArray *gaps;       /* StoredGap* of the evidence and of volumes as a whole */
  GPtrArray *properties; /* char*: name, value, name, value ... */
  GPtrArray *problems;   /* char* */
  GPtrArray *segments;   /* char*: printable path */
  GArray *segment_bytes; /* uint64_t */
  GPtrArray *files;      /* ProbeFile*: those the evidence is made of */
  char **sandbox_missing;
  char *prefilter; /* how it works, or why it does not; NULL: no rules */
  uint32_t n_rules;
  uint32_t care; /* the workers of this evidence are to be given */
  GError *error; /* could not be opened at all */
} Probe;
/* Asks a worker what this is. NULL with error where rules are wrong (usage) or nothing can run;
 * evidence that cannot be opened gives a probe with its error. (transfer full) */
Probe *probe_new(const ProcessSetup *setup, GError **error);
void probe_free(Probe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Probe, probe_free)

/* ---- progress ---- */
typedef struct {
  bool is_shown;
  bool has_line;
  gint64 started, shown_at;
  const char *phase; /* evidence at hand */
  const char *doing; /* "listing" ...; NULL: not told */
  uint64_t in_hand;  /* bytes done of objects that are not finished */
  uint64_t bytes, bytes_total, objects, objects_total, hits;
} Progress;
void progress_show(Progress *progress, bool now);
void progress_clear(Progress *progress); /* before any other line goes to standard error */

/* ---- a run ---- */
typedef struct _VolumeWork VolumeWork;

/* Messages about one object, kept until its END: all of them or none come into the store. */
typedef struct {
  Object *object;
  GPtrArray *messages; /* GVariant* */
  GArray *types;       /* MessageType */
  gsize bytes;
} ObjectBuffer;

typedef struct _Sweep Sweep;

typedef enum {
  JOB_NONE,
  JOB_ENUMERATE,
  JOB_SCAN,
  JOB_DIGEST,
  JOB_INFLATE, /* of a sweep: a stripe goes into the ring */
  JOB_HASH,    /* of a sweep: a stripe in the ring goes into the digests */
  JOB_LAST = JOB_HASH
} JobKind;

typedef struct {
  Process *process;
  JobKind job;
  VolumeWork *volume;
  gint64 deadline;      /* monotonic microseconds; 0: none */
  GQueue *batch;        /* Object*: handed out, not told of */
  guint handed;         /* how many the job had */
  guint reached;        /* the place of the last of them that the worker was seen at */
  ObjectBuffer current; /* object NULL: none */
  gint64 begun;         /* when that was seen */
  uint64_t work;        /* its bytes, and those the worker told of since */
  uint32_t step_pass;   /* last STEP */
  uint64_t step_address;
  bool has_step;
  bool is_retry;   /* the object in hand has cost a worker already */
  GPtrArray *gaps; /* StoredGap* of a digest job */
  uint32_t start_failures;
  bool is_for_sweep; /* it is given nothing else */
  Process *parked;   /* its worker, while process is one of the sweep's; NULL: it is not */
  uint64_t stripe; /* of a job of the sweep; of JOB_SCAN the first one it reads, UINT64_MAX: none */
} Slot;

struct _VolumeWork {
  uint32_t no;
  enum { VOLUME_PENDING, VOLUME_BUSY, VOLUME_READY, VOLUME_DONE } state;
  GArray *skips; /* (uty) as SkipPlace */
  bool is_careful;
  bool is_ended;     /* the entries are given up at the last of the skips */
  GArray *order;     /* WorkPlace, those to be examined next; NULL: not asked for yet */
  guint order_at;    /* the first that is not in page yet */
  bool is_exhausted; /* no more behind those of page */
  GArray *behind;    /* WorkPlace, those before what the ring held when order was asked for */
  guint behind_at;
  GQueue *late;     /* Object*, the same of those that were kept in memory */
  GQueue *page;     /* Object* read from the store, not handed out */
  guint n_returned; /* of page, at its front: handed out to a worker that was lost */
  uint64_t max_seq; /* of the walk, for checks */
  uint64_t bytes;   /* of the objects listed so far, as progress knows them */
  PartIndex *parts;
  bool is_early;       /* objects are handed out while the walk still runs */
  GPtrArray *early;    /* Object*: for the page, when it is empty and these are a group */
  GPtrArray *kept;     /* Object*: listed, and not handed out yet; NULL: the store alone has them */
  GHashTable *in_hand; /* seq: of objects in order that are handed out already; NULL: none */
  struct {
    uint64_t objects, bytes, hits;
  } examined_early; /* while the walk ran */
};

typedef struct {
  uint32_t pass;
  uint64_t address;
  TriageReason reason;
} SkipPlace;

typedef struct {
  const ScanOptions *options;
  CaseLock *lock; /* NULL: a scratch copy, which is nobody else's */
  Store *store;
  GPtrArray *rules, *passwords;
  GPtrArray *known;      /* KnownList* */
  ExhibitList *exhibits; /* NULL: evidence was named one by one */
  ProfileSet *profiles;
  SealKey *seal_key; /* NULL: not to be signed */
  int signal_fd;
  Progress progress;
  uint64_t pending_rows; /* written since the last commit */
  gint64 committed_at;
  bool is_evidence_lost;              /* the error at hand is that of one piece of evidence */
  uint64_t retries;                   /* objects examined again after losing a worker */
  uint64_t chunks_read[JOB_LAST + 1]; /* of containers in chunks, by what for */
  /* of the evidence at hand */
  uint32_t evidence;
  bool is_split; /* its objects are divided among shards */
  Probe *probe;
  uint64_t n_chunks;  /* that its container has, once a worker has said so */
  GPtrArray *volumes; /* VolumeWork* */
  GQueue *retry;      /* RetryObject* */
  Slot *slots;
  guint n_slots;
  enum { DIGEST_NOT_WANTED, DIGEST_WANTED, DIGEST_BUSY, DIGEST_DONE } digest_state;
  guint digest_attempts;
  Sweep *sweep; /* NULL: the evidence is read by each worker for itself */
  char *digest_sha256, *digest_sha1, *digest_md5, *digest_status;
  GPtrArray *digest_gaps; /* StoredGap* */
} Run;

typedef struct {
  Object *object;
  VolumeWork *volume;
} RetryObject;

/* The worker tells of the next object of its job: takes it out; NULL: it is another one. */
Object *slot_begin(Slot *slot, uint64_t seq);
/* Takes one message of a scan job for the slot's current object. */
bool scan_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error);
/* Writes what is known of the current object to the store; reason and detail (NULL: complete)
 * become a gap. */
bool scan_commit(Run *run, Slot *slot, const TriageReason *reason, const char *detail,
                 GError **error);
void object_buffer_clear(ObjectBuffer *buffer);
/* Takes one message of an enumeration. */
bool enumerate_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error);
bool enumerate_start(Run *run, Slot *slot, VolumeWork *volume, GError **error);
/* The worker was lost in an enumeration: plans another try, or gives the volume up with a gap. */
bool enumerate_lost(Run *run, VolumeWork *volume, bool has_step, uint32_t pass, uint64_t address,
                    TriageReason reason, const char *detail, GError **error);
/* Examines one piece of evidence from probe to the last object. */
bool run_evidence(Run *run, GError **error);
/* Writes the gaps the probe found for one volume. */
bool enumerate_put_gaps(Run *run, uint32_t volume, GError **error);
/* Writes the rows of the evidence at hand, with its digests as far as they are known. */
bool run_put_evidence(Run *run, GError **error);
/* Writes the row of a volume. */
bool run_put_volume(Run *run, const VolumeWork *volume, bool is_enumerated, GError **error);
/* Commits now and then. */
bool run_tick(Run *run, GError **error);
bool assess_case(Run *run, GError **error);
/* What evidence is told by when a case is gone on with. (transfer full) */
char *resume_identity(const Probe *probe);
/* Fails (usage) where evidence is another than the case was begun with. */
bool resume_check(Run *run, const GPtrArray *probes, GError **error);
/* Before the evidence at hand is examined: forgets what is to be tried again. */
bool resume_evidence(Run *run, GError **error);
/* Which shard examines evidence number no alone; 0: all do, each its part. */
uint32_t shard_owner(const ScanOptions *options, const GPtrArray *probes, uint32_t no);
/* Which shard of a divided piece of evidence reads all of it, for its digest. */
uint32_t shard_of_whole(uint32_t shards, uint32_t no);
/* Says what was found, and what was not; the exit status. */
int run_summarise(Run *run, GError **error);
/* Asks what each piece of evidence is; fails where none can be opened. (transfer full) Probe* */
GPtrArray *run_probe_all(Run *run, GError **error);
/* Reads the list, rules, passwords, profiles, known files and key that the options name. */
bool run_read_inputs(Run *run, ScanOptions *options, GError **error);
/* Examines all evidence, or what the store says is still to do. */
bool run_examine(Run *run, GPtrArray *probes, GError **error);
/* ---- the action log of a case; a scratch copy keeps none ---- */
bool case_log(const char *dir, const char *event, const char *const *fields, GError **error);
bool run_log(const Run *run, const char *event, const char *const *fields, GError **error);
/* Writes --metrics; is_running: evidence is being examined. */
void run_put_metrics(const Run *run, bool is_running);
bool run_log_begin(const Run *run, bool is_resumed, GError **error);
bool run_log_evidence(const Run *run, GError **error); /* of the evidence at hand */
bool run_log_evidence_end(const Run *run, GError **error);
bool run_log_commit(const Run *run, GError **error);
bool run_log_lost(const Run *run, const char *job, const Object *object, TriageReason reason,
                  const char *detail, GError **error);
/* A descriptor that becomes readable when the run is to stop (SIGINT, SIGTERM, SIGHUP). */
int run_open_signals(void);
void run_clear(Run *run); /* frees what the run owns, not itself */
