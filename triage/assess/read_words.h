/* SPDX-License-Identifier: Apache-2.0 */
/* read_words.h - the words of mail scripts: which property, field or call tells what, and which
 * words mean that the text does not say all. Letters are compared without case. */
#pragma once
#include "assess/read_lex.h"

/* The indicator that a word stands for, or NULL. */
const char *word_field(const char *word); /* of .../cdo/configuration/, and cdoXxx without "cdo" */
const char *word_property(const char *word); /* of a message, and of its header fields */
const char *word_call(const char *word);     /* methods that take a value */
/* The indicator that a whole field key (a URL or URN) stands for, or NULL. *is_odd: it looks like a
 * field and is none. */
const char *word_key(const char *key, bool *is_odd);

typedef enum {
  WORD_DYNAMIC, /* makes code, names or objects at run time */
  WORD_CHANNEL, /* another way out than CDO */
  WORD_LOOP,    /* goes through files */
  WORD_RUN,     /* starts a program, as a method */
  WORD_PROGRAM, /* an interpreter that a command line starts */
  WORD_MODULE   /* a Python module that neither sends nor hides anything */
} WordKind;
bool word_is(WordKind kind, const char *word);

/* Whether the text can be a program of its language at all: a text that two languages could run
 * might hide from one what it shows the other. */
bool language_is_possible(const Lexed *lexed);
