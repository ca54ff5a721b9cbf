/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_mail.h - what mailboxes (unpack_mbox.c) and mails (unpack_mime.c, the one file that knows
 * gmime) say to each other. */
#pragma once
#include "unpack/unpack_private.h"

/* The first byte of the body of the mail or part at data[from, end): behind the first empty line;
 * from where what is there is no header, end where it is header alone. */
uint64_t mail_body(const uint8_t *data, uint64_t from, uint64_t end);

/* Registers gmime's types and loads what it loads lazily, before the lock-in. */
void mime_warm_up(void);

/* When the mail at data says it was sent; not set where it does not. */
TriageTime mime_date(const uint8_t *data, uint64_t size);

void unpack_mime_open(Unpack *unpack, const Unpacker *self, Container *container);
void unpack_mbox_open(Unpack *unpack, const Unpacker *self, Container *container);
