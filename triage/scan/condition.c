/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c - the bytecode of conditions, executed on values that may be unknown. Paths part at
 * jumps whose condition is not known and join where they meet, the lowest address first, so loops
 * run as they do in libyara. Whatever is not on the list of instructions ends the proof. */
#include "scan/condition.h"
#include "scan/condition_value.h"
#include <string.h>

/* The list below is that of 4.2, whose instructions have other meanings in other versions. */
#define IS_KNOWN_VERSION (YR_MAJOR_VERSION == 4 && YR_MINOR_VERSION == 2)

enum {
  STEPS_MAX = 20000,   /* instructions of one proof */
  ROUNDS_PRECISE = 64, /* of a loop, until its values are taken for unknown */
  ENUM_MAX = 256,      /* items of one enumeration */
};

typedef struct {
  uint32_t start, end; /* of the rule's code behind INIT_RULE; 0, 0: not found */
} Span;

struct _Conditions {
  const YR_RULES *rules;
  const uint8_t *code;
  uint32_t size;
  Span *spans; /* by rule number */
};

/* ---- where the code is ---- */

static bool fits(uint32_t at, uint32_t n, uint32_t end) {
  return at <= end && n <= end - at;
}

static uint64_t argument(const uint8_t *p) {
  uint64_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

static uint32_t short_argument(const uint8_t *p) {
  uint32_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

/* Where a jump at address at leads to; false where that is outside of [start, end). */
static bool jump_target(const uint8_t *code, uint32_t at, uint32_t start, uint32_t end,
                        uint32_t *target) {
  int64_t to = (int64_t)at + (int32_t)short_argument(code + at + 1);
  if (to < (int64_t)start || to >= (int64_t)end)
    return false;
  *target = (uint32_t)to;
  return true;
}

static bool find_spans(Conditions *c) {
  for (uint32_t at = 0; at < c->size;) {
    uint32_t next;
    switch (c->code[at]) {
    case OP_HALT:
      return true;
    case OP_IMPORT:
      at += 9;
      break;
    case OP_INIT_RULE: {
      if (!fits(at, 9, c->size) || !jump_target(c->code, at, at + 9, c->size, &next))
        return false;
      uint32_t rule = short_argument(c->code + at + 5);
      if (rule >= c->rules->num_rules || c->spans[rule].end != 0)
        return false;
      c->spans[rule] = (Span){at + 9, next};
      at = next;
      break;
    }
    default:
      return false;
    }
  }
  return false;
}

Conditions *conditions_new(const YR_RULES *rules) {
  const YR_ARENA *arena = rules->arena;
  if (!IS_KNOWN_VERSION || arena == NULL || arena->num_buffers != YR_NUM_SECTIONS ||
      arena->buffers[YR_CODE_SECTION].data != rules->code_start ||
      arena->buffers[YR_CODE_SECTION].used > G_MAXINT32)
    return NULL;
  Conditions *c = g_new0(Conditions, 1);
  c->rules = rules;
  c->code = rules->code_start;
  c->size = (uint32_t)arena->buffers[YR_CODE_SECTION].used;
  c->spans = g_new0(Span, rules->num_rules + 1);
  if (!find_spans(c))
    g_clear_pointer(&c, conditions_free);
  return c;
}

void conditions_free(Conditions *conditions) {
  if (conditions == NULL)
    return;
  g_free(conditions->spans);
  g_free(conditions);
}

/* ---- one proof ---- */

typedef struct {
  const Conditions *c;
  const bool *absent, *is_false;
  Span span;
  State **pending; /* by address: paths that are about to come there */
  State **seen;    /* by address: of loops that take long, all that was ever there */
  guint *rounds;
  State *state;        /* of the path at hand */
  uint32_t at, lowest; /* lowest: no path is to come to what lies before it, from the start */
  unsigned n_steps;
  bool has_failed; /* the proof: nothing is known */
} Proof;

static Value pop(Proof *proof) {
  GArray *stack = proof->state->stack;
  if (stack->len == 0) {
    proof->has_failed = true;
    return ANY;
  }
  Value value = g_array_index(stack, Value, stack->len - 1);
  g_array_set_size(stack, stack->len - 1);
  return value;
}

static void push(Proof *proof, Value value) {
  if (proof->state->stack->len >= STACK_MAX)
    proof->has_failed = true;
  else
    g_array_append_val(proof->state->stack, value);
}

static Value *memory_at(Proof *proof, uint64_t i) {
  if (i >= MEMORY_MAX) {
    proof->has_failed = true;
    i = 0;
  }
  return &proof->state->memory[i];
}

/* The path goes on at address to, with top in place of the top of its stack. */
static void go_on(Proof *proof, uint32_t to, const Value *top) {
  if (to < proof->span.start || to >= proof->span.end) {
    proof->has_failed = true;
    return;
  }
  State *state = state_copy(proof->state);
  if (top != NULL && state->stack->len > 0)
    g_array_index(state->stack, Value, state->stack->len - 1) = *top;
  State **place = &proof->pending[to - proof->span.start];
  proof->lowest = MIN(proof->lowest, to - proof->span.start);
  bool ignored = false;
  if (*place == NULL)
    *place = state;
  else {
    proof->has_failed = proof->has_failed || !state_join(*place, state, &ignored);
    state_free(state);
  }
}

/* True where no match of the string can be: value is its address in libyara's table. */
static bool is_absent(Proof *proof, Value value) {
  const YR_RULES *rules = proof->c->rules;
  uintptr_t base = (uintptr_t)rules->strings_table, at = (uintptr_t)value.number;
  if (value.kind != VALUE_KNOWN || at < base || (at - base) % sizeof(YR_STRING) != 0 ||
      (at - base) / sizeof(YR_STRING) >= rules->num_strings) {
    proof->has_failed = true;
    return false;
  }
  return proof->absent[(at - base) / sizeof(YR_STRING)];
}

/* "2 of ($a, $b)": the items lie on the stack above an undefined value, that above the number. */
static void step_of(Proof *proof, bool is_rules, bool is_percent) {
  uint64_t found = 0, count = 0;
  for (;;) {
    Value item = pop(proof);
    if (proof->has_failed)
      return;
    if (is_nothing(item))
      break;
    if (is_rules && !is_bit(item)) {
      proof->has_failed = true;
      return;
    }
    count++;
    found += is_rules ? !is_false(item) : !is_absent(proof, item);
  }
  push(proof, value_of_quantifier(pop(proof), found, count, is_percent));
}

static void step_string(Proof *proof, uint8_t code) {
  bool absent = is_absent(proof, pop(proof));
  if (code == OP_FOUND || code == OP_COUNT) {
    push(proof, absent ? known(0) : code == OP_FOUND ? BOOL : ANY);
    return;
  }
  bool has_range = code == OP_FOUND_IN || code == OP_COUNT_IN;
  bool is_sure = is_defined(pop(proof));
  is_sure = (!has_range || is_defined(pop(proof))) && is_sure;
  bool is_place = code == OP_OFFSET || code == OP_LENGTH;
  push(proof, !absent ? ANY : is_place ? UNDEFINED : is_sure ? known(0) : FALSY);
}

static void step_integer(Proof *proof, uint8_t code) {
  if (code == OP_INT_MINUS) {
    Value value = pop(proof);
    push(proof, is_nothing(value) ? UNDEFINED : ANY);
    return;
  }
  Value b = pop(proof), a = pop(proof);
  bool is_known = a.kind == VALUE_KNOWN && b.kind == VALUE_KNOWN;
  if (code <= OP_INT_GE)
    push(proof, value_compare(code, a, b));
  else if (is_nothing(a) || is_nothing(b))
    push(proof, UNDEFINED);
  else if (is_known && code == OP_INT_ADD)
    push(proof, known(a.number + b.number));
  else if (is_known && code == OP_INT_SUB)
    push(proof, known(a.number - b.number));
  else
    push(proof, ANY);
}

static Value known_if(bool is_no, bool is_yes) {
  return is_no ? known(0) : is_yes ? known(1) : BOOL;
}

static void step_logic(Proof *proof, uint8_t code) {
  Value b = pop(proof);
  if (code == OP_NOT) {
    push(proof, value_not(b));
    return;
  }
  if (code == OP_DEFINED) {
    push(proof, known_if(is_nothing(b), is_defined(b)));
    return;
  }
  Value a = pop(proof);
  if (code == OP_AND)
    push(proof, known_if(is_false(a) || is_false(b), is_true(a) && is_true(b)));
  else
    push(proof, known_if(is_false(a) && is_false(b), is_true(a) || is_true(b)));
}

static void step_memory(Proof *proof, uint8_t code, uint64_t i) {
  Value *memory = memory_at(proof, i), top;
  switch (code) {
  case OP_CLEAR_M:
    *memory = known(0);
    break;
  case OP_INCR_M:
    *memory = memory->kind == VALUE_KNOWN ? known(memory->number + 1) : ANY;
    break;
  case OP_ADD_M:
    top = pop(proof);
    if (!is_nothing(top))
      *memory = memory->kind == VALUE_KNOWN && top.kind == VALUE_KNOWN
                    ? known(memory->number + top.number)
                    : ANY;
    break;
  case OP_PUSH_M:
    push(proof, *memory);
    break;
  case OP_POP_M:
    *memory = pop(proof);
    break;
  case OP_SET_M:
    top = pop(proof);
    push(proof, top);
    if (!is_nothing(top))
      *memory = is_defined(top) ? top : ANY;
    break;
  default: /* OP_SWAPUNDEF */
    top = pop(proof);
    push(proof, is_nothing(top) ? *memory : is_defined(top) ? top : ANY);
    break;
  }
}

/* A flag that says whether there is no item any more, then the item (key and value). */
static void step_next(Proof *proof) {
  Value iterator = pop(proof);
  push(proof, iterator);
  if (iterator.kind != VALUE_ITERATOR && iterator.kind != VALUE_DICT_ITERATOR)
    proof->has_failed = true;
  bool is_empty = iterator.kind == VALUE_ITERATOR && iterator.number == ITERATOR_EMPTY;
  push(proof, is_empty ? known(1) : ANY);
  push(proof, is_empty ? UNDEFINED : ANY);
  if (iterator.kind == VALUE_DICT_ITERATOR)
    push(proof, ANY);
}

static bool is_empty_range(Value first, Value last) {
  return is_nothing(first) || is_nothing(last) ||
         (first.kind == VALUE_KNOWN && last.kind == VALUE_KNOWN &&
          (int64_t)first.number > (int64_t)last.number);
}

static void step_iterator(Proof *proof, uint8_t code) {
  Value n = pop(proof);
  uint64_t number = 0;
  if (code == OP_ITER_START_INT_RANGE)
    number = is_empty_range(pop(proof), n) ? ITERATOR_EMPTY : 0;
  if (code == OP_ITER_START_INT_ENUM) {
    if (n.kind != VALUE_KNOWN || n.number > ENUM_MAX)
      proof->has_failed = true;
    for (uint64_t i = 0; !proof->has_failed && i < n.number; i++)
      pop(proof);
  }
  push(proof, (Value){code == OP_ITER_START_DICT ? VALUE_DICT_ITERATOR : VALUE_ITERATOR, number});
}

/* Where the value does not tell, both ways are gone. What is known of the value on a way is kept
 * where it stays on the stack. */
static void step_jump(Proof *proof, uint8_t code) {
  uint32_t to;
  if (!jump_target(proof->c->code, proof->at, proof->span.start, proof->span.end, &to)) {
    proof->has_failed = true;
    return;
  }
  bool stays = code == OP_JFALSE || code == OP_JTRUE || code == OP_JZ || code == OP_JNUNDEF;
  Value b = pop(proof), a = code == OP_JL_P || code == OP_JLE_P ? pop(proof) : ANY;
  if (stays)
    push(proof, b);
  Ways ways = value_ways(code, a, b);
  if (ways.may_jump)
    go_on(proof, to, stays ? &ways.jumped : NULL);
  if (ways.may_pass)
    go_on(proof, proof->at + 5, stays ? &ways.passed : NULL);
}

/* n values are taken, one nobody knows is left: modules, sizes, bytes of the content, texts. */
static void step_unknown(Proof *proof, unsigned n) {
  while (n-- > 0)
    pop(proof);
  push(proof, ANY);
}

static void step_call(Proof *proof, uint64_t format) {
  const YR_ARENA_BUFFER *pool = &proof->c->rules->arena->buffers[YR_SZ_POOL];
  uintptr_t base = (uintptr_t)pool->data, at = (uintptr_t)format;
  const char *text =
      at >= base && at - base < pool->used ? (const char *)pool->data + (at - base) : NULL;
  if (text == NULL || memchr(text, '\0', pool->used - (at - base)) == NULL)
    proof->has_failed = true;
  else
    step_unknown(proof, 1 + (unsigned)strlen(text));
}

static void step_to_double(Proof *proof, uint64_t depth) {
  GArray *stack = proof->state->stack;
  if (depth == 0 || depth > stack->len)
    proof->has_failed = true;
  else
    g_array_index(stack, Value, stack->len - depth) = ANY;
}

static Value rule_value(const Proof *proof, uint64_t rule) {
  return rule < proof->c->rules->num_rules && proof->is_false[rule] ? known(0) : BOOL;
}

/* Instructions that have an argument of eight bytes. */
static bool step_long(Proof *proof, uint8_t code, uint64_t value) {
  switch (code) {
  case OP_PUSH:
    push(proof, known(value));
    return true;
  case OP_CLEAR_M:
  case OP_INCR_M:
  case OP_ADD_M:
  case OP_PUSH_M:
  case OP_POP_M:
  case OP_SET_M:
  case OP_SWAPUNDEF:
    step_memory(proof, code, value);
    return true;
  case OP_PUSH_RULE:
    push(proof, rule_value(proof, value));
    return true;
  case OP_OF:
  case OP_OF_PERCENT:
    if (value != OF_STRING_SET && value != OF_RULE_SET)
      proof->has_failed = true;
    else
      step_of(proof, value == OF_RULE_SET, code == OP_OF_PERCENT);
    return true;
  case OP_OBJ_LOAD:
    step_unknown(proof, 0);
    return true;
  case OP_OBJ_FIELD:
    step_unknown(proof, 1);
    return true;
  case OP_CALL:
    step_call(proof, value);
    return true;
  case OP_INT_TO_DBL:
    step_to_double(proof, value);
    return true;
  default:
    return false;
  }
}

/* Of two values, with a result that is not followed. */
static bool is_operator(uint8_t code) {
  static const uint8_t CODES[] = {OP_BITWISE_AND, OP_BITWISE_OR, OP_BITWISE_XOR, OP_SHL,
                                  OP_SHR,         OP_MOD,        OP_MATCHES,     OP_CONTAINS,
                                  OP_STARTSWITH,  OP_ENDSWITH,   OP_ICONTAINS,   OP_ISTARTSWITH,
                                  OP_IENDSWITH,   OP_IEQUALS,    OP_INDEX_ARRAY, OP_LOOKUP_DICT};
  return memchr(CODES, code, sizeof CODES) != NULL || IS_STR_OP(code) ||
         (IS_DBL_OP(code) && code != OP_DBL_MINUS);
}

/* Instructions without argument. */
static bool step_short(Proof *proof, uint8_t code) {
  if (is_operator(code)) {
    step_unknown(proof, 2);
    return true;
  }
  switch (code) {
  case OP_NOP:
    return true;
  case OP_POP:
    pop(proof);
    return true;
  case OP_PUSH_U:
    push(proof, UNDEFINED);
    return true;
  case OP_AND:
  case OP_OR:
  case OP_NOT:
  case OP_DEFINED:
    step_logic(proof, code);
    return true;
  case OP_FOUND:
  case OP_FOUND_AT:
  case OP_FOUND_IN:
  case OP_COUNT:
  case OP_COUNT_IN:
  case OP_OFFSET:
  case OP_LENGTH:
    step_string(proof, code);
    return true;
  case OP_OF_FOUND_IN:
    pop(proof);
    pop(proof);
    step_of(proof, false, false);
    return true;
  case OP_FILESIZE:
  case OP_ENTRYPOINT:
    step_unknown(proof, 0);
    return true;
  case OP_BITWISE_NOT:
  case OP_STR_TO_BOOL:
  case OP_OBJ_VALUE:
  case OP_DBL_MINUS:
    step_unknown(proof, 1);
    return true;
  case OP_ITER_NEXT:
    step_next(proof);
    return true;
  case OP_ITER_START_ARRAY:
  case OP_ITER_START_DICT:
  case OP_ITER_START_INT_RANGE:
  case OP_ITER_START_INT_ENUM:
    step_iterator(proof, code);
    return true;
  default:
    if (code >= OP_READ_INT && code <= OP_UINT32BE)
      step_unknown(proof, 1);
    else if (IS_INT_OP(code))
      step_integer(proof, code);
    else
      return false;
    return true;
  }
}

static bool is_jump(uint8_t code) {
  return code == OP_JFALSE || code == OP_JFALSE_P || code == OP_JTRUE || code == OP_JTRUE_P ||
         code == OP_JZ || code == OP_JZ_P || code == OP_JNUNDEF || code == OP_JUNDEF_P ||
         code == OP_JL_P || code == OP_JLE_P;
}

/* A number of one, two or four bytes; 0: the instruction is none of those. */
static unsigned push_bytes(uint8_t code) {
  return code == OP_PUSH_8 ? 1 : code == OP_PUSH_16 ? 2 : code == OP_PUSH_32 ? 4 : 0;
}

/* One instruction of the path at hand. False where the path ends or parts here. */
static bool step(Proof *proof) {
  const uint8_t *p = proof->c->code + proof->at;
  uint32_t left = proof->span.end - proof->at, length = 1;
  if (is_jump(*p)) {
    if (left < 5)
      proof->has_failed = true;
    else
      step_jump(proof, *p);
    return false;
  }
  if (*p == OP_MATCH_RULE) {
    /* The way ends here: it must leave something false, and nothing else. */
    proof->has_failed = !is_false(pop(proof)) || proof->has_failed || proof->state->stack->len > 0;
    return false;
  }
  unsigned n = push_bytes(*p);
  if (n > 0 && left > n) {
    uint64_t number = 0;
    for (unsigned i = 0; i < n; i++)
      number |= (uint64_t)p[1 + i] << (8 * i);
    push(proof, known(number));
    length = 1 + n;
  } else if (left >= 9 && step_long(proof, *p, argument(p + 1))) {
    length = 9;
  } else if (!step_short(proof, *p)) {
    proof->has_failed = true;
  }
  proof->at += length;
  return true;
}

/* Of a loop that goes round and round without an end in sight: all that was ever there is joined,
 * until nothing new comes. False where nothing did. */
static bool is_news(Proof *proof, uint32_t i) {
  if (++proof->rounds[i] < ROUNDS_PRECISE)
    return true;
  bool is_wider = proof->seen[i] == NULL;
  if (is_wider)
    proof->seen[i] = state_copy(proof->state);
  else if (!state_join(proof->seen[i], proof->state, &is_wider))
    proof->has_failed = true;
  state_free(proof->state);
  proof->state = state_copy(proof->seen[i]);
  return is_wider;
}

/* The path that has come furthest back, up to where it ends, parts, or meets another one. */
static void run_path(Proof *proof) {
  uint32_t i = proof->lowest;
  proof->at = proof->span.start + i;
  proof->state = g_steal_pointer(&proof->pending[i]);
  while (!proof->has_failed && is_news(proof, i)) {
    if (proof->n_steps++ == STEPS_MAX)
      proof->has_failed = true;
    if (proof->has_failed || !step(proof))
      break;
    i = proof->at - proof->span.start;
    if (proof->at >= proof->span.end || proof->pending[i] != NULL) {
      go_on(proof, proof->at, NULL);
      break;
    }
  }
  g_clear_pointer(&proof->state, state_free);
}

static void run(Proof *proof) {
  uint32_t size = proof->span.end - proof->span.start;
  proof->pending[0] = state_new();
  while (!proof->has_failed && proof->lowest < size) {
    if (proof->pending[proof->lowest] != NULL)
      run_path(proof);
    else
      proof->lowest++;
  }
}

bool condition_is_false(const Conditions *conditions, uint32_t rule, const bool *absent,
                        const bool *is_false_rule) {
  Proof proof = {.c = conditions,
                 .absent = absent,
                 .is_false = is_false_rule,
                 .span = conditions->spans[rule]};
  if (proof.span.end <= proof.span.start)
    return false;
  uint32_t size = proof.span.end - proof.span.start;
  proof.pending = g_new0(State *, size);
  proof.seen = g_new0(State *, size);
  proof.rounds = g_new0(guint, size);
  run(&proof);
  for (uint32_t i = 0; i < size; i++) {
    state_free(proof.pending[i]);
    state_free(proof.seen[i]);
  }
  g_free(proof.pending);
  g_free(proof.seen);
  g_free(proof.rounds);
  return !proof.has_failed;
}
