/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_table.h - rows of the one table that stand in files beside it. */
#pragma once
#include "unpack/unpack_private.h"

/* unpack_table_documents.c */
extern const Unpacker UNPACKER_OLE2, UNPACKER_OLE_PACKAGE, UNPACKER_PPT_OBJECTS, UNPACKER_RTF,
    UNPACKER_LZFU, UNPACKER_OFFICE_XML, UNPACKER_ACTIVEMIME, UNPACKER_PST, UNPACKER_REGISTRY,
    UNPACKER_EVTX, UNPACKER_SQLITE, UNPACKER_PDF;
