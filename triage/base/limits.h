/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - every maximum of the product, by name. Reaching one is a coverage row, never silence.
 */
#pragma once
#include <stdint.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

/* messages between coordinator and workers */
#define LIMIT_FRAME_BYTES (16 * MIB) /* one message */
#define LIMIT_TEXT_BYTES (4 * KIB)   /* a detail or log text in a message */

/* names and directories */
#define LIMIT_NAME_BYTES (64 * KIB)     /* one name (file systems allow 255 characters) */
#define LIMIT_PATH_BYTES (4 * MIB)      /* one whole path, as printed */
#define LIMIT_DIR_ENTRIES 10000000u     /* names in one directory */
#define LIMIT_VOLUME_OBJECTS 200000000u /* objects of one volume */
#define LIMIT_MAPPED_BLOCKS                                                                        \
  (UINT64_C(1) << 26)                   /* of a volume's block maps, beyond its own blocks */
#define LIMIT_ATTRS_PER_ENTRY 4096u     /* attributes of one entry */
#define LIMIT_VOLUMES 1024u             /* volumes of one piece of evidence */
#define LIMIT_ENUM_SKIPS 64u            /* places of one volume given up after crashing a worker */
#define LIMIT_SHADOW_COPIES 512u        /* of one volume (Windows keeps at most 512) */
#define LIMIT_APFS_SNAPSHOTS 256u       /* of one APFS volume */
#define LIMIT_PARTITION_PROBES 2048u    /* places of one gap looked at for a lost file system */
#define LIMIT_LVM_TEXT_BYTES (16 * MIB) /* description of one LVM2 volume group */
#define LIMIT_LVM_AREA_BYTES (64 * MIB) /* of a metadata area looked through for older ones */
#define LIMIT_LVM_OLDER 16u             /* of them tried */
#define LIMIT_LVM_AREAS 16u             /* metadata areas of one physical volume */
#define LIMIT_LVM_NODES 500000u         /* values of one description */
#define LIMIT_LVM_DEPTH 8u              /* sections inside each other; real ones: 4 */
#define LIMIT_LVM_NAME_BYTES 255u       /* one name */
#define LIMIT_LVM_NESTING 16u           /* logical volumes made of others */
#define LIMIT_LVM_PIECES 4000000u       /* of all logical volumes of a group, looked at */
#define LIMIT_LVM_ROWS 1024u            /* volumes of one group listed one by one */

/* disk images */
#define LIMIT_IMAGE_SEGMENTS 65536u /* files of one image */
#define LIMIT_IMAGE_OPEN_FILES 64u  /* of them open at a time */
#define LIMIT_IMAGE_DAMAGE 1000000u /* damaged stretches kept apart; then neighbours are joined */
#define LIMIT_IMAGE_PROBLEMS 64u    /* sentences about one container */
#define LIMIT_IMAGE_PROPERTIES 256u /* acquisition properties of one container */
#define LIMIT_IMAGE_DESCRIPTOR (64 * KIB)           /* text descriptor of a VMDK */
#define LIMIT_AFF_SEGMENTS 4000000u                 /* named parts of one AFF file, and its pages */
#define LIMIT_EWF_SECTIONS 4000000u                 /* sections of one E01 set */
#define LIMIT_EWF_HEADER_BYTES (1 * MIB)            /* one header section, inflated */
#define LIMIT_EWF_CHUNK_BYTES (64 * MIB)            /* one chunk, inflated */
#define LIMIT_EWF_TABLE_ENTRIES (UINT32_C(1) << 24) /* chunks of one table */
#define LIMIT_EWF_CACHE_BYTES (64 * MIB)    /* inflated chunks kept: the tables of a file system */
#define LIMIT_EWF_PASSING_BYTES (256 * KIB) /* the same for what is read forward and not again */
#define LIMIT_EWF_TABLE_BYTES (32 * MIB)    /* chunk tables kept */
#define LIMIT_EWF_ERRORS 64u                /* acquisition errors listed one by one */

/* content */
#define LIMIT_HEAP_CONTENT (8 * MIB)   /* larger content is spooled to an unlinked file */
#define LIMIT_HEAP_OBJECT (32 * MIB)   /* but of the object itself, whose size is known */
#define LIMIT_SPOOL_MAPPED (512 * MIB) /* whose pages are mapped at once */
#define LIMIT_OBJECT_BYTES (64 * GIB)  /* of one object; the rest is size-limit */
#define LIMIT_HOLE_NOTED (64 * KIB)    /* holes from this length on need not be read */
#define LIMIT_HOLES_NOTED 4096u        /* of one object; those behind are read */
#define LIMIT_HOLE_MAPPED (1 * MIB)    /* holes from this length on take no memory when read */
#define LIMIT_RUNS_PER_ATTR 4000000u   /* block runs of one attribute */
#define LIMIT_VOLUME_HOLES                                                                         \
  (256 * GIB)                         /* holes of sparse files of one volume, read as the zeros    \
                                       */
#define LIMIT_HOLE_KEPT (64 * KIB)    /* that they are; of each hole beyond, so many */
#define LIMIT_AREA_BYTES (1 * MIB)    /* of one object made of blocks that no entry covers */
#define LIMIT_AREA_OVERLAP (64 * KIB) /* of the next one, for matches across the border */

/* unpacking */
#define LIMIT_DEPTH_DEFAULT 16u           /* containers inside containers */
#define LIMIT_EXPANDED_DEFAULT (16 * GIB) /* bytes unpacked from one object of the evidence */
#define LIMIT_RATIO 1000u                 /* expanded : packed, looked at above LIMIT_RATIO_FROM */
#define LIMIT_RATIO_FROM (64 * MIB)
#define LIMIT_AT_ONCE_BYTES (32 * MIB)   /* deflated, unpacked in one step; longer ones in many */
#define LIMIT_HOLE_BYTES (1 * GIB)       /* holes of one sparse object that are always read */
#define LIMIT_NESTED_OBJECTS 1000000u    /* files of one volume of an image inside an object */
#define LIMIT_NESTED_STEPS 4096u         /* directories in the path of one of them */
#define LIMIT_MEMBERS 10000000u          /* members of one archive */
#define LIMIT_DEPTH_MAX 128u             /* of --max-depth: each level holds a library open */
#define LIMIT_PARTS 10000u               /* parts of one archive in several files */
#define LIMIT_PASSWORD_ROUNDS 100000000u /* of key derivation for one encrypted container */
#define LIMIT_VOLUME_ROUNDS                                                                        \
  (UINT32_C(1) << 26) /* the same for one encrypted volume, which every worker opens */
#define LIMIT_ARGON_MEMORY                                                                         \
  (1 * GIB) /* of one key derivation of LUKS2, the most that cryptsetup takes by itself */
#define LIMIT_ARGON_TOTAL                                                                          \
  (32 * GIB) /* filled for one volume: some seconds for each default one                           \
              */
#define LIMIT_LUKS_HEADER_BYTES (4 * MIB) /* one copy of a LUKS2 header */
#define LIMIT_APPENDED 256u               /* containers one behind the other in one object */
#define LIMIT_XZ_MEMORY (1 * GIB)         /* one xz stream, most of it the dictionary */
#define LIMIT_CARVED 2048u                /* archives tried in one area: one for each sector */
#define LIMIT_CARVED_REACH (64 * MIB)     /* behind one area, of an archive that begins in it */
#define LIMIT_CARVED_GROWN (128 * MIB)    /* read there for all archives of one area */
#define LIMIT_CARVED_WAITING 256u         /* rows of damage kept back until one has a member */
#define LIMIT_CARVED_READS 16u            /* bytes they reach over : bytes of the area */

/* views */
#define LIMIT_VIEW_CHAIN 6u                     /* encodings one inside the other */
#define LIMIT_VIEWS_PER_MEMBER 64u              /* ways in which one member is read */
#define LIMIT_VIEW_SEGMENTS (UINT32_C(1) << 20) /* places kept of one view; then it has none */
#define LIMIT_VIEW_CARRIED 10000u               /* containers in encoded blocks of one member */
#define LIMIT_VIEW_WHOLE (1 * MIB)   /* texts up to this are kept whole around what was converted */
#define LIMIT_VIEW_CONTEXT (4 * KIB) /* of larger ones so much */
#define LIMIT_FOLD_DEPTH 16u         /* calls inside calls of one constant expression */
#define LIMIT_FOLD_PARTS 65536u      /* constants of one list */
#define LIMIT_FOLD_REPEATS 4096      /* of one letter, by String() and Space() */
#define LIMIT_FOLD_NAMES 4096u       /* variables of one script that are followed, */
#define LIMIT_FOLD_NAME_BYTES (32 * KIB) /* while they hold no more than this */
#define LIMIT_FOLD_GROWTH 16u       /* bytes they stand for : bytes of the script; then none is */
#define LIMIT_FOLD_BYTES (16 * MIB) /* one constant string; a longer one is folded in pieces */

/* mail */
#define LIMIT_MAIL_HEADER_BYTES (1 * MIB) /* of one mail or part, looked at as header */
#define LIMIT_MAIL_PARTS 100000u          /* parts of one mail */
#define LIMIT_MIME_DEPTH 64u              /* multiparts inside multiparts of one mail */

/* documents */
#define LIMIT_OLE_ENTRIES 4000000u      /* directory entries of one OLE2 file */
#define LIMIT_OLE_DEPTH 64u             /* storages in storages shown in a name; deeper: "..." */
#define LIMIT_OLE_SHARED 8u             /* bytes of all streams : bytes of their OLE2 file */
#define LIMIT_VBA_PROJECTS 1024u        /* VBA projects of one OLE2 file */
#define LIMIT_VBA_MODULES 65536u        /* modules of one object */
#define LIMIT_VBA_DIR_BYTES (16 * MIB)  /* one project's directory */
#define LIMIT_VBA_BYTES (256 * MIB)     /* source of all modules of one object */
#define LIMIT_PST_ITEMS 50000000u       /* messages and other items of one Outlook data file */
#define LIMIT_PST_DEPTH 64u             /* folders in folders, messages in messages */
#define LIMIT_PST_READS 256u            /* bytes read : bytes of an Outlook data file */
#define LIMIT_PST_BODY_BYTES (64 * MIB) /* one body or the headers of one message */
#define LIMIT_REGISTRY_KEYS 10000000u   /* keys of one registry hive */
#define LIMIT_REGISTRY_DEPTH 512u       /* keys in keys, as Windows allows */
#define LIMIT_REGISTRY_READS 256u       /* bytes read : bytes of a hive */
#define LIMIT_EVTX_READS 256u           /* bytes read : bytes of an event log */
#define LIMIT_PDF_STREAMS 1000000u      /* streams of one PDF */
#define LIMIT_EMBEDDED 65536u           /* objects embedded in one document or stream */

/* scanning */
#define LIMIT_NEEDLES 16384u    /* byte sequences searched for before libyara is asked; else none */
#define LIMIT_MATCHES_KEPT 200u /* matches of one rule kept in full; all are counted */
#define LIMIT_MATCH_BYTES 64u   /* bytes of one match kept */
#define LIMIT_EXCERPT_BYTES 512u     /* text around the first match */
#define LIMIT_INDICATORS 256u        /* indicators of one hit */
#define LIMIT_INDICATOR_BYTES 2048u  /* one indicator's value */
#define LIMIT_FUZZY_BYTES (16 * MIB) /* a larger hit has no fuzzy digest */
#define LIMIT_FUZZY_GROUPED 200000u  /* different ones that are held against each other */
#define LIMIT_SECRETS 4u             /* passwords of one hit told apart */
#define LIMIT_FACT_BYTES (8 * KIB)   /* one corroborating fact's text */
#define LIMIT_SCRIPT_BYTES                                                                         \
  (1 * MIB)                         /* text read as one script; of more, the parts that name CDO   \
                                     */
#define LIMIT_SCRIPT_STRETCHES 256u /* such parts of one object */
#define LIMIT_STRETCH_BYTES (64 * KIB) /* one of them */
#define LIMIT_PROFILE_BYTES (4 * MIB)  /* one benign profile file */
#define LIMIT_PROFILE_DEPTH 32u        /* of its YAML */
#define LIMIT_RULE_BYTES (64 * MIB)    /* one rule file */

/* the action log */
#define LIMIT_LOG_VALUE_BYTES (16 * KIB) /* of one value of a line; then it is cut and says so */
#define LIMIT_LOG_LINE_BYTES (1 * MIB)   /* a longer line is none of the log's own */
#define LIMIT_LOG_BYTES (1 * GIB)        /* a log that is checked */

/* seals of a case */
#define LIMIT_SEAL_BYTES (1 * MIB) /* a key, a certificate list, a signature, a time stamp */

/* time and memory of a worker */
#define LIMIT_TIMEOUT_SECONDS_DEFAULT 120u /* without progress, per object */
#define LIMIT_BYTES_PER_SECOND                                                                     \
  (2 * MIB)                               /* an object's timeout grows with its size at this rate  \
                                           */
#define LIMIT_WORKER_DATA_BYTES (2 * GIB) /* private memory of one worker (RLIMIT_DATA) */
