/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_text.h - the configuration text in which LVM2 keeps a volume group: sections, numbers,
 * strings and flat lists of them. Knows nothing of what they mean. Texts come from evidence. */
#pragma once
#include "triage/error.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { LVM_SECTION, LVM_LIST, LVM_NUMBER, LVM_STRING } LvmNodeKind;

typedef struct _LvmNode {
  LvmNodeKind kind;
  char *name;                   /* NULL in a list */
  uint64_t number;              /* LVM_NUMBER */
  char *text;                   /* LVM_STRING: bytes of evidence */
  GPtrArray *children;          /* LvmNode*; of sections and lists, in the text's order */
  GHashTable *children_by_name; /* of sections */
} LvmNode;

/* The whole text as one section, up to a first zero byte. NULL with error (corrupt, size-limit).
 * (transfer full) */
LvmNode *lvm_text_parse(const char *text, size_t n, GError **error);
void lvm_node_free(LvmNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LvmNode, lvm_node_free)

guint lvm_node_n(const LvmNode *node); /* children */
const LvmNode *lvm_node_at(const LvmNode *node, guint index);
/* Of a section; NULL: it has none of that name and kind. (transfer none) */
const LvmNode *lvm_node_get(const LvmNode *section, const char *name, LvmNodeKind kind);
const char *lvm_node_text(const LvmNode *section, const char *name); /* NULL: none */
bool lvm_node_number(const LvmNode *section, const char *name, uint64_t *out);
/* True where a list of strings holds one. */
bool lvm_node_has(const LvmNode *section, const char *list, const char *text);
