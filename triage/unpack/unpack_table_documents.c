/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_table_documents.c - the rows of office documents and what they carry; their order among
 * all others stands in unpack_table.c. */
#include "unpack/unpack_known.h"
#include "unpack/unpack_table.h"

const Unpacker UNPACKER_OLE2 = {
    .row =
        {.stage = "unpacker",
         .name = "ole2",
         .title = "OLE2 compound file (doc, xls, ppt, msi, msg, vbaProject.bin) with VBA source",
         .spec = "MS-CFB, MS-OVBA, MS-OXMSG",
         .library = "libcrypto",
         .limitations =
             "of encrypted documents docx, xlsx, pptx and their kin (AES, Office 2007 and later) "
             "and doc and xls (RC4) are decrypted where a password fits, Excel's own default "
             "among them; ppt and XOR obfuscation stay closed and are listed; VBA source in all "
             "of them is plain and shown; of a VBA project the source is shown, compiled "
             "code is scanned as it is; sectors in no stream are scanned as "
             "part of the file and for VBA source only",
         .available = true},
    .probe = probe_ole2,
    .open = unpack_ole2_open,
    .is_evidence = true,
};

const Unpacker UNPACKER_OLE_PACKAGE = {
    .row = {.stage = "unpacker",
            .name = "ole-package",
            .title = "File embedded in a document (OLE 1.0 package)",
            .spec = "MS-OLEDS",
            .library = "",
            .limitations = "known by its stream's or class's name, not by content; links have no "
                           "content to unpack",
            .available = true},
    .open = unpack_ole_package_open,
};

const Unpacker UNPACKER_PPT_OBJECTS = {
    .row = {.stage = "unpacker",
            .name = "ppt-objects",
            .title = "Objects and VBA project of a PowerPoint 97-2003 stream",
            .spec = "MS-PPT 2.10.34",
            .library = "zlib",
            .limitations = "known by its stream's name, not by content",
            .available = true},
    .open = unpack_ppt_objects_open,
};

const Unpacker UNPACKER_RTF = {
    .row = {.stage = "unpacker",
            .name = "rtf",
            .title = "Objects in a Rich Text Format document",
            .spec = "RTF 1.9.1",
            .library = "",
            .limitations = "objects, data stores and themes are decoded, pictures are not",
            .available = true},
    .probe = probe_rtf,
    .open = unpack_rtf_open,
    .is_text = true,
    .is_evidence = true,
};

const Unpacker UNPACKER_LZFU = {
    .row = {.stage = "unpacker",
            .name = "compressed-rtf",
            .title = "Compressed RTF of Outlook messages",
            .spec = "MS-OXRTFCP",
            .library = "",
            .limitations = "the checksum is not verified",
            .available = true},
    .probe = probe_lzfu,
    .open = unpack_lzfu_open,
    .is_evidence = true,
    .step = "(rtf)",
};

const Unpacker UNPACKER_OFFICE_XML = {
    .row = {.stage = "unpacker",
            .name = "office-xml",
            .title = "Office document as one XML file (flat OPC, Word 2003, flat OpenDocument)",
            .spec = "ECMA-376 part 2, WordprocessingML 2003, OpenDocument 1.2",
            .library = "",
            .limitations = "parts in base64 under the usual namespace prefixes are decoded; the "
                           "XML is scanned as it is",
            .available = true},
    .probe = probe_officexml,
    .open = unpack_officexml_open,
    .is_text = true,
    .is_evidence = true,
};

const Unpacker UNPACKER_ACTIVEMIME = {
    .row = {.stage = "unpacker",
            .name = "activemime",
            .title = "ActiveMime wrapper of a VBA project (editdata.mso)",
            .spec = "as Office writes it",
            .library = "zlib",
            .limitations = "the wrapper's own fields are not read",
            .available = true},
    .probe = probe_activemime,
    .open = unpack_activemime_open,
    .is_text = true,
    .is_evidence = true,
    .step = "(activemime)",
};

const Unpacker UNPACKER_PST = {
    .row =
        {.stage = "unpacker",
         .name = "pst",
         .title = "Outlook data file (pst, ost)",
         .spec = "MS-PST, libpff's documentation",
         .library = "libpff",
         .limitations =
             "of an item the headers, bodies and attachments are shown, its other properties are "
             "scanned with the file's bytes; created is the time sent, modified the time "
             "delivered; files of Windows 10 Mail (4k pages) and passwords are libpff's affair",
         .available = true},
    .probe = probe_pst,
    .open = unpack_pst_open,
    .is_evidence = true,
};

const Unpacker UNPACKER_REGISTRY = {
    .row = {.stage = "unpacker",
            .name = "registry",
            .title = "Values of a registry hive",
            .spec = "libregf's documentation",
            .library = "libregf",
            .limitations = "values of at least 32 bytes, named by their keys, texts in UTF-8; "
                           "shorter ones, deleted keys and transaction logs are scanned as the "
                           "bytes of their files, in UTF-16 too",
            .available = true},
    .probe = probe_registry,
    .open = unpack_registry_open,
    .is_evidence = true,
};

const Unpacker UNPACKER_EVTX = {
    .row = {.stage = "unpacker",
            .name = "evtx",
            .title = "Windows event log: texts of its records, PowerShell's script blocks joined",
            .spec = "libevtx's documentation",
            .library = "libevtx",
            .limitations = "records with at least 32 bytes of text, recovered ones too; shorter "
                           "ones are scanned as the bytes of the file, in UTF-16; texts that lie "
                           "in the providers' programs are not put in",
            .available = true},
    .probe = probe_evtx,
    .open = unpack_evtx_open,
    .is_evidence = true,
};

const Unpacker UNPACKER_SQLITE = {
    .row = {.stage = "unpacker",
            .name = "sqlite",
            .title = "SQLite database: values of rows longer than a page",
            .spec = "SQLite database file format, version 3",
            .library = "libsqlite3",
            .limitations = "shorter rows, deleted ones and what only a write-ahead log or journal "
                           "beside the file holds are scanned as bytes",
            .available = true},
    .probe = probe_sqlite,
    .open = unpack_sqlite_open,
    .is_evidence = true,
};

const Unpacker UNPACKER_PDF = {
    .row = {.stage = "unpacker",
            .name = "pdf",
            .title = "Streams of a PDF (embedded files, scripts, packed objects)",
            .spec = "ISO 32000-1, 7.3.8 and 7.4",
            .library = "zlib",
            .limitations = "pictures are scanned as they are packed; what other filters hide, or "
                           "ones that another object names, is listed; strings are scanned as "
                           "they are written; encrypted files stay closed",
            .available = true},
    .probe = probe_pdf,
    .open = unpack_pdf_open,
    .is_text = true,
    .is_evidence = true,
};
