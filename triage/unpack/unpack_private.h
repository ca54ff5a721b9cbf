/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_private.h - what the unpackers share: the state of one top object, a container being
 * opened, and how a member gets out of it. Not for other modules. */
#pragma once
#include "base/limits.h"
#include "unpack/unpack.h"
#include <archive.h>

typedef struct _HeldParts HeldParts;

/* One top object: budgets over all its levels. */
typedef struct {
  const UnpackOptions *options;
  const UnpackSink *sink;
  uint64_t top_size;
  uint64_t expanded; /* bytes unpacked so far, all levels */
  uint32_t max_depth;
  const MemberPath *growing; /* a stream of that path which ends too early sets wants_more and is
                                handed out again, with more bytes of it; NULL: none */
  bool wants_more;
  bool is_stopped;   /* a sink call returned false: everything returns */
  GHashTable *given; /* digests of the members of the container at hand, where one of its views is
                        opened after it; else NULL */
  bool is_again;     /* it is: what the container gave is not given again */
  HeldParts *held;   /* members that may be parts of an archive; NULL: none are held */
  bool is_joined;    /* the container to be opened next was put together from several files */
  void *inflater;    /* of unpack_deflate.c; NULL: none yet */
} Unpack;

/* One container while it is open. */
typedef struct {
  Content *content;       /* (transfer none) */
  const MemberPath *path; /* of the object that is, or holds, the container */
  uint64_t free_bytes;    /* of members that are mere copies of expanded, already paid bytes */
  uint64_t n_members;     /* handed out */
  uint64_t end;           /* out: first byte of content behind the container */
  bool is_encrypted;      /* what fails in it fails for that */
  bool has_source;        /* its unpacker finds the VBA source in its members */
  bool is_joined;         /* put together from several files */
  bool is_damaged;        /* out: some of it could not be read, and a gap says so */
} Container;

typedef enum {
  TIMES_UTC,
  TIMES_LOCAL, /* DOS times */
  TIMES_LHA,   /* by the header level */
  TIMES_ZIP,   /* by the entry's extra fields */
} TimeKind;

typedef struct _Unpacker Unpacker;
struct _Unpacker {
  Row row;
  /* True where the bytes at data surely begin such a container. Cheap, never follows an offset it
   * has not checked. */
  bool (*probe)(const uint8_t *data, uint64_t size);
  /* Hands out what is inside; what cannot be is a gap. NULL where not available. */
  void (*open)(Unpack *unpack, const Unpacker *self, Container *container);
  int (*format)(struct archive *); /* libarchive's, exactly one */
  int (*filter)(struct archive *);
  TimeKind times;
  const char *step; /* name of a stream's one member: "(gunzip)" */
  uint64_t (*extent)(const uint8_t *data, uint64_t size); /* as its header claims; 0: not said */
  bool is_in_stream; /* a tar in a gzip: its members follow without the stream's step */
  bool is_text;      /* no number in it says where its parts lie */
  bool is_evidence;  /* unpack_recognises answers for it */
  const char *gap;   /* not available: what the coverage row says */
  /* Does what was unpacked fit the sum that the archive keeps of the member whose header libarchive
   * began to read at byte at? NULL: libarchive compares it, or the format has none. */
  bool (*check)(const Content *archive, uint64_t at, const Content *member, GError **error);
};

/* unpack.c */
/* Says once what could not be examined. examined: bytes of the object that were. */
void unpack_gap(Unpack *unpack, const MemberPath *path, uint64_t size, uint64_t examined,
                TriageReason reason, const char *format, ...) G_GNUC_PRINTF(6, 7);
/* Like it, of the container itself, which is then damaged. */
void unpack_damage(Unpack *unpack, Container *container, TriageReason reason, const char *format,
                   ...) G_GNUC_PRINTF(4, 5);
/* Examines a member of the container, named by raw bytes: member's path is filled in here. */
void unpack_member(Unpack *unpack, Container *container, GBytes *name, Member *member);
/* Hands out what a member's bytes were turned into (the path tells which view), and the views of
 * its text. It is not opened. */
void unpack_view(Unpack *unpack, const Member *member);
/* Opens content as row's container: for what no magic tells, but a name. */
void unpack_open_row(Unpack *unpack, const Unpacker *row, Content *content, const MemberPath *path);
/* Opens size bytes of content at from as row's container. Returns the byte behind it. */
uint64_t unpack_open_part(Unpack *unpack, const Unpacker *row, Content *content,
                          const MemberPath *path, uint64_t from, uint64_t size);
/* Opens what content is, or holds. Returns false where nothing was recognised. */
bool unpack_open(Unpack *unpack, Content *content, const MemberPath *path);
bool unpack_alive(Unpack *unpack, uint64_t bytes);
/* Bytes of the object's budget still there. */
uint64_t unpack_budget(const Unpack *unpack);
/* Opens the member's bytes, as part of set where it is one (may be NULL), then what its views
 * showed; looks for VBA source in what was not recognised, unless that is someone else's to find.
 */
typedef struct _ViewFound ViewFound;
void unpack_open_all(Unpack *unpack, const Member *member, const ViewFound *found,
                     const UnpackSet *set, bool has_source);

/* unpack_intake.c - collects the bytes of one member within all limits. */
typedef struct {
  Unpack *unpack;
  Container *container;
  ContentBuilder *builder;
  uint64_t max;                   /* of the object's budget */
  uint64_t data_left, holes_left; /* until the ratio limit */
} Intake;
void intake_init(Intake *intake, Unpack *unpack, Container *container);
/* False with error where a limit was met; what fitted is kept. */
bool intake_append(Intake *intake, const void *bytes, size_t n, GError **error);
/* True where n bytes more meet no limit. */
bool intake_has_room(const Intake *intake, uint64_t n);
/* Room for n bytes more, to be filled and then counted by intake_filled (0: given back). NULL where
 * a limit or their number forbids it. */
uint8_t *intake_room(Intake *intake, uint64_t n);
void intake_filled(Intake *intake, uint64_t n);
/* Fills up with zeros to size bytes in all. */
bool intake_zeros_to(Intake *intake, uint64_t size, GError **error);
uint64_t intake_size(const Intake *intake);
Content *intake_finish(Intake *intake, GError **error); /* (transfer full) */
/* Examines what was collected as a member of the container; error says why it is not all of it.
 * What has no byte and an error is a gap. */
void intake_hand_out(Intake *intake, GBytes *name, uint64_t claimed, const GError *error);

/* unpack_archive.c */
typedef struct {
  uint64_t n_entries; /* headers seen, directories too */
  uint64_t n_failed;  /* headers that could not be read, the archive going on */
  uint64_t consumed;  /* bytes of the content read as the container */
  bool is_dead;       /* gave up before the end */
} WalkResult;
/* Name and times (in member) of entry number i, from an index libarchive does not show. */
typedef struct {
  void *user;
  void (*entry)(void *user, uint64_t i, GBytes **name, Member *member);
  /* Of the entry just named, content libarchive is not asked for (transfer full), may be NULL. True
   * where it is so; error says why it is not all. */
  bool (*content)(void *user, Unpack *unpack, Container *container, bool is_file, Content **content,
                  GError **error);
  bool is_remnant; /* the end of this piece is no archive's end: no complaint about it */
} WalkHooks;
void archive_walk(Unpack *unpack, const Unpacker *self, Container *container,
                  int (*format)(struct archive *), const WalkHooks *hooks, WalkResult *result);
void unpack_archive_open(Unpack *unpack, const Unpacker *self, Container *container);
/* Opens whole, which was written anew from the container for libarchive to read, in its place; end:
 * of the container in its own bytes. behind (may be NULL) is called with whole as container. */
void unpack_archive_open_rebuilt(Unpack *unpack, const Unpacker *self, Container *container,
                                 Content *whole, uint64_t end,
                                 void (*behind)(Unpack *, Container *));

/* unpack_reader.c - content as libarchive's input. */
typedef struct _Reader Reader;
Reader *reader_open(Unpack *unpack, Content *content, int (*format)(struct archive *),
                    int (*filter)(struct archive *), GError **error);
struct archive *reader_archive(Reader *reader);
/* archive_read_next_header(); and what must be called before a name of an entry is asked for. A
 * name that fits no character set makes libarchive end the process where errno says ENOMEM, though
 * that be from an allocation long before. */
int reader_next(Reader *reader, struct archive_entry **entry);
void reader_forget_errno(void);
/* Something came out of libarchive: what it reads from now on is not an endless loop. */
void reader_progress(Reader *reader);
void reader_free(Reader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_free)
/* The reason and printable text of libarchive's last error (transfer full). */
char *reader_error(Reader *reader, TriageReason *reason);

/* unpack_deflate.c: what is packed in one piece, sound to its last byte and not large, in half of
 * zlib's time. All else is zlib's, which tells what is wrong with it and keeps what there is. */
typedef enum { DEFLATE_RAW, DEFLATE_GZIP } DeflateKind;
/* Takes in the length bytes that data of size bytes is packed from. False, and nothing is taken in,
 * where that is not exactly so or a limit would be met. */
bool unpack_inflate_at_once(Unpack *unpack, DeflateKind kind, const uint8_t *data, uint64_t size,
                            uint64_t length, Intake *intake);
uint32_t unpack_crc32(const uint8_t *data, uint64_t size);
void unpack_inflater_free(Unpack *unpack);

/* unpack_stream.c */
void unpack_stream_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_gzip_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_zlib_open(Unpack *unpack, const Unpacker *self, Container *container);
/* Hands out what the container's stream was unpacked to; error says why it is not all of it. */
void unpack_stream_hand_out(Unpack *unpack, const Unpacker *self, Container *container,
                            Intake *intake, const GError *error);
/* unpack_xz.c */
void unpack_xz_open(Unpack *unpack, const Unpacker *self, Container *container);
/* Inflates one deflate stream, in what zlib's windowBits says; *position is the byte behind it.
 * False with error where it is not whole. */
bool unpack_inflate_bits(Unpack *unpack, int bits, const uint8_t *data, uint64_t size,
                         uint64_t *position, Intake *intake, GError **error);
/* Inflates a raw deflate stream; false with error where it is not whole. */
bool unpack_inflate_raw(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                        GError **error);
void unpack_rpm_open(Unpack *unpack, const Unpacker *self, Container *container);

/* unpack_cab.c */
void unpack_cab_open(Unpack *unpack, const Unpacker *self, Container *container);

/* unpack_rar3.c, unpack_rar5.c */
void unpack_rar3_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_rar5_open(Unpack *unpack, const Unpacker *self, Container *container);

bool rar3_check(const Content *archive, uint64_t at, const Content *member, GError **error);
bool rar5_check(const Content *archive, uint64_t at, const Content *member, GError **error);

/* unpack_cpio.c */
void unpack_cpio_open(Unpack *unpack, const Unpacker *self, Container *container);
bool cpio_check(const Content *archive, uint64_t at, const Content *member, GError **error);

/* unpack_sum.c */
bool warc_check(const Content *archive, uint64_t at, const Content *member, GError **error);
/* Fails where crc is not that of the bytes. */
bool unpack_check_crc(uint32_t crc, const Content *member, GError **error);

/* unpack_7z.c */
void unpack_7z_open(Unpack *unpack, const Unpacker *self, Container *container);

/* unpack_zip.c */
void unpack_zip_open(Unpack *unpack, const Unpacker *self, Container *container);
/* True where a zip ends in data: *start its first byte, *end the byte behind it. */
bool zip_find(const uint8_t *data, uint64_t size, uint64_t *start, uint64_t *end);

/* True where a writer's local header begins data. */
bool zip_begins(const uint8_t *data, uint64_t size);

/* unpack_reach.c: bytes of the archive that begins data; more than size where it does not end
 * there, or REACH_BEYOND where they are to tell how many. size: it ends there, breaks off, or does
 * not say. */
#define REACH_BEYOND UINT64_MAX
uint64_t unpack_reach(const Unpacker *row, const uint8_t *data, uint64_t size);
/* True where the header of a compound file, or of the first cabinet of a set, makes sense. */
bool unpack_ole2_begins(const uint8_t *data, uint64_t size);
bool unpack_cab_begins(const uint8_t *data, uint64_t size);

/* unpack_carve.c: opens the archives that begin at borders of sectors in the bytes of an area. */
void unpack_carve(Unpack *unpack, const Member *top, const AreaPlace *place);

/* unpack_zip_plain.c */
typedef struct {
  const uint8_t *local;  /* the local header */
  uint64_t left;         /* bytes from there to the end */
  uint64_t packed, size; /* as the directory claims, and the rest */
  uint32_t crc;
  uint16_t method, flags;
} ZipPlain;
/* The member's content where it is stored or deflated, sound, and both its headers say the same
 * (transfer full); else NULL. */
Content *unpack_zip_plain(Unpack *unpack, Container *container, const ZipPlain *plain);

/* unpack_zipcrypto.c */
typedef struct {
  const uint8_t *data; /* encrypted: its head of 12 bytes, then the packed member */
  uint64_t size;
  uint32_t crc;          /* of the content */
  uint16_t method, time; /* stored or deflated; DOS time of the local header */
} ZipSecret;
/* Content under the first password that gives the right CRC (transfer full); where a limit was met
 * error is set too. NULL with error: none does. */
Content *unpack_zip_decrypt(Unpack *unpack, Container *container, const ZipSecret *secret,
                            GError **error);

/* unpack_ole2.c */
void unpack_ole2_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_ole1.c */
void unpack_ole_package_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_ppt_objects_open(Unpack *unpack, const Unpacker *self, Container *container);
/* Hands out the object that an OLE 1.0 header introduces ([MS-OLEDS] 2.2). False: none does. */
bool unpack_ole1_object(Unpack *unpack, Container *container, Content *content, const char *name);
/* unpack_rtf.c */
void unpack_rtf_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_lzfu_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_officexml.c */
void unpack_officexml_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_activemime_open(Unpack *unpack, const Unpacker *self, Container *container);

/* unpack_image.c */
void unpack_image_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_pdf.c */
void unpack_pdf_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_registry.c */
bool probe_registry(const uint8_t *data, uint64_t size);
void unpack_registry_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_evtx.c */
bool probe_evtx(const uint8_t *data, uint64_t size);
void unpack_evtx_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_sqlite.c */
void unpack_sqlite_open(Unpack *unpack, const Unpacker *self, Container *container);
/* unpack_pst.c */
void unpack_pst_open(Unpack *unpack, const Unpacker *self, Container *container);

/* unpack_stream.c: zlib data (RFC 1950) at the beginning of data; a bad checksum is an error. */
bool unpack_inflate_zlib(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                         GError **error);

/* unpack_view.c: hands out all views of the member. What containers they showed is opened after
 * the member itself (transfer full). */
ViewFound *unpack_member_views(Unpack *unpack, const Member *member);
void view_found_open(Unpack *unpack, const Member *member, const ViewFound *found);
bool view_found_any(const ViewFound *found);
void view_found_free(ViewFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewFound, view_found_free)

/* unpack_table.c */
const Unpacker *const *unpack_table(size_t *n);
const Unpacker *unpack_row(const char *name);
/* Where inside data, from byte from on, a container lies that a program or picture carries. */
const Unpacker *unpack_find_carried(const uint8_t *data, uint64_t size, uint64_t from,
                                    uint64_t *at);
/* The row of the archive whose sound header begins data, of those that are carried. */
const Unpacker *unpack_carried_here(const uint8_t *data, uint64_t size);
bool unpack_may_carry(const uint8_t *data, uint64_t size);
