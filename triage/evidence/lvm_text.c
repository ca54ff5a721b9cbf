/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_text.c - a tokenizer and parser of LVM2's configuration text (lvm.conf(5) describes the
 * syntax), as strict as the text's writer: no paths, no lists in lists, no name twice. */
#include "evidence/lvm_text.h"
#include "base/keyhash.h"
#include "base/limits.h"
#include <string.h>

typedef struct {
  const char *at, *end, *start;
  guint n_nodes, depth;
} Parser;

void lvm_node_free(LvmNode *node) {
  if (node == NULL)
    return;
  g_clear_pointer(&node->children_by_name, g_hash_table_unref);
  g_clear_pointer(&node->children, g_ptr_array_unref);
  g_free(node->name);
  g_free(node->text);
  g_free(node);
}

static LvmNode *node_new(LvmNodeKind kind) {
  LvmNode *node = g_new0(LvmNode, 1);
  node->kind = kind;
  if (kind == LVM_SECTION || kind == LVM_LIST)
    node->children = g_ptr_array_new_with_free_func((GDestroyNotify)lvm_node_free);
  if (kind == LVM_SECTION)
    node->children_by_name = g_hash_table_new(keyhash_str, g_str_equal);
  return node;
}

static bool broken(const Parser *parser, const char *what, GError **error) {
  return triage_fail(error, TRIAGE_REASON_CORRUPT, "%s at byte %zu of the text", what,
                     (size_t)(parser->at - parser->start));
}

static void skip_space(Parser *parser) {
  while (parser->at < parser->end) {
    if (*parser->at == '#')
      while (parser->at < parser->end && *parser->at != '\n')
        parser->at++;
    else if (strchr(" \t\r\n", *parser->at) != NULL)
      parser->at++;
    else
      return;
  }
}

static bool take(Parser *parser, char wanted) {
  skip_space(parser);
  if (parser->at == parser->end || *parser->at != wanted)
    return false;
  parser->at++;
  return true;
}

/* Bytes up to one that ends a word. NULL: none. (transfer full) */
static char *take_word(Parser *parser) {
  const char *first = parser->at;
  while (parser->at < parser->end && strchr(" \t\r\n#=,{}[]\"'", *parser->at) == NULL)
    parser->at++;
  size_t n = (size_t)(parser->at - first);
  return n > 0 && n <= LIMIT_LVM_NAME_BYTES ? g_strndup(first, n) : NULL;
}

static char *take_quoted(Parser *parser) {
  char quote = *parser->at++;
  g_autoptr(GString) out = g_string_new(NULL);
  for (; parser->at < parser->end; parser->at++) {
    char c = *parser->at;
    if (c == quote) {
      parser->at++;
      return g_string_free(g_steal_pointer(&out), FALSE);
    }
    if (c == '\\' && quote == '"' && parser->end - parser->at > 1)
      c = *++parser->at;
    g_string_append_c(out, c);
  }
  return NULL;
}

static LvmNode *take_scalar(Parser *parser, GError **error) {
  skip_space(parser);
  bool is_quoted = parser->at < parser->end && (*parser->at == '"' || *parser->at == '\'');
  g_autofree char *text = is_quoted ? take_quoted(parser) : take_word(parser);
  if (text == NULL) {
    broken(parser, "no value", error);
    return NULL;
  }
  uint64_t number;
  bool is_number = !is_quoted && g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, &number, NULL);
  LvmNode *node = node_new(is_number ? LVM_NUMBER : LVM_STRING);
  if (is_number)
    node->number = number;
  else
    node->text = g_steal_pointer(&text);
  return node;
}

static bool count_node(Parser *parser, GError **error) {
  return ++parser->n_nodes <= LIMIT_LVM_NODES ||
         triage_fail(error, TRIAGE_REASON_SIZE_LIMIT, "the text holds more than %u values",
                     LIMIT_LVM_NODES);
}

static LvmNode *take_value(Parser *parser, GError **error) {
  if (!take(parser, '['))
    return take_scalar(parser, error);
  g_autoptr(LvmNode) list = node_new(LVM_LIST);
  bool is_first = true;
  while (!take(parser, ']')) {
    if (!is_first && !take(parser, ',')) {
      broken(parser, "no comma in a list", error);
      return NULL;
    }
    LvmNode *value = count_node(parser, error) ? take_scalar(parser, error) : NULL;
    if (value == NULL)
      return NULL;
    g_ptr_array_add(list->children, value);
    is_first = false;
  }
  return g_steal_pointer(&list);
}

static bool take_section(Parser *parser, LvmNode *section, GError **error);

static LvmNode *take_named(Parser *parser, char *name, GError **error) {
  LvmNode *node;
  if (take(parser, '{')) {
    node = node_new(LVM_SECTION);
    if (!take_section(parser, node, error))
      g_clear_pointer(&node, lvm_node_free);
  } else if (take(parser, '=')) {
    node = take_value(parser, error);
  } else {
    broken(parser, "neither a value nor a section", error);
    node = NULL;
  }
  if (node != NULL)
    node->name = g_strdup(name);
  return node;
}

/* Up to its closing bracket, or to the end of the text where it is the outermost. */
static bool take_section(Parser *parser, LvmNode *section, GError **error) {
  if (++parser->depth > LIMIT_LVM_DEPTH)
    return triage_fail(error, TRIAGE_REASON_DEPTH_LIMIT, "sections are nested more than %u deep",
                       LIMIT_LVM_DEPTH);
  for (;;) {
    skip_space(parser);
    if (parser->at == parser->end) {
      parser->depth--;
      return parser->depth == 0 || broken(parser, "the text ends within a section", error);
    }
    if (parser->depth > 1 && take(parser, '}')) {
      parser->depth--;
      return true;
    }
    g_autofree char *name = take_word(parser);
    if (name == NULL)
      return broken(parser, "no name", error);
    LvmNode *node = count_node(parser, error) ? take_named(parser, name, error) : NULL;
    if (node == NULL)
      return false;
    g_ptr_array_add(section->children, node);
    if (!g_hash_table_insert(section->children_by_name, node->name, node))
      return broken(parser, "a name twice in one section", error);
  }
}

LvmNode *lvm_text_parse(const char *text, size_t n, GError **error) {
  Parser parser = {.at = text, .start = text, .end = text + strnlen(text, n)};
  g_autoptr(LvmNode) root = node_new(LVM_SECTION);
  return take_section(&parser, root, error) ? g_steal_pointer(&root) : NULL;
}

guint lvm_node_n(const LvmNode *node) {
  return node != NULL && node->children != NULL ? node->children->len : 0;
}

const LvmNode *lvm_node_at(const LvmNode *node, guint index) {
  return node->children->pdata[index];
}

const LvmNode *lvm_node_get(const LvmNode *section, const char *name, LvmNodeKind kind) {
  if (section == NULL || section->kind != LVM_SECTION)
    return NULL;
  const LvmNode *node = g_hash_table_lookup(section->children_by_name, name);
  return node != NULL && node->kind == kind ? node : NULL;
}

const char *lvm_node_text(const LvmNode *section, const char *name) {
  const LvmNode *node = lvm_node_get(section, name, LVM_STRING);
  return node != NULL ? node->text : NULL;
}

bool lvm_node_number(const LvmNode *section, const char *name, uint64_t *out) {
  const LvmNode *node = lvm_node_get(section, name, LVM_NUMBER);
  if (node != NULL)
    *out = node->number;
  return node != NULL;
}

bool lvm_node_has(const LvmNode *section, const char *list, const char *text) {
  const LvmNode *node = lvm_node_get(section, list, LVM_LIST);
  for (guint i = 0; i < lvm_node_n(node); i++) {
    const LvmNode *one = lvm_node_at(node, i);
    if (one->kind == LVM_STRING && strcmp(one->text, text) == 0)
      return true;
  }
  return false;
}
