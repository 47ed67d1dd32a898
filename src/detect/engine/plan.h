/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A plan: everything one kind of event has to be compared with. It is compiled from the rules that
 * apply to a route and says, per field, which literals to look for; per literal, which truths that
 * sets; per truth, which rules may now hold; and per rule, a small branching program over truths.
 *
 *   value ──literal set──► needles ──postings──► truths (bits) ──triggers──► rules ──program──► hit
 *
 * A truth stands for one atom, or for a whole list of alternatives (`Image|endswith: [a, b, c,
 * d]`). Atoms that no literal can prove (regular expressions, networks, null …) are `lazy`:
 * computed when a program asks, at most once per event.
 *
 * Triggers: for every rule a set of truths is chosen of which at least one must hold for the rule
 * to hold, as rare as possible. Rules without such a set (they only negate) are run on every event.
 *
 * A plan is immutable once built, except key_map, which the engine extends as new paths appear.
 */
#ifndef VAKA_DETECT_ENGINE_PLAN_H
#define VAKA_DETECT_ENGINE_PLAN_H

#include "detect/engine/literals.h"
#include "detect/sigma/regex.h"
#include "detect/sigma/set.h"
#include "detect/taxonomy.h"
#include "event/keys.h"

enum {
    PROGRAM_ACCEPT = UINT32_MAX,
    PROGRAM_REJECT = UINT32_MAX - 1,
    PROGRAM_LAZY = 1u << 31, /* in insn.truth: index of a lazy atom instead of a bit */
    GROUP_MIN = 4,           /* alternatives of this number on become one truth */
    FIELD_NAMES_MAX = 8,
};

struct plan_insn {
    uint32_t truth;
    uint32_t if_true, if_false; /* index of an instruction, or PROGRAM_* */
};

struct plan_lazy {
    const struct sigma_atom *atom;
    uint32_t field;      /* index of the plan field whose values it asks; UINT32_MAX: all values */
    uint32_t ref;        /* ATOM_FIELDREF: the other field */
    struct regex *regex; /* ATOM_REGEX: owned */
};

struct plan_numeric { /* a number in a rule also equals a JSON number written differently */
    double value;
    uint32_t needle;
};

/* One place rules look at: a set of event paths that mean the same here. */
struct plan_field {
    struct slice names[FIELD_NAMES_MAX];
    uint32_t n_names;
    struct literal_set *folded, *cased; /* NULL: nothing to look for */
    struct plan_numeric *numerics;
    uint32_t n_numerics;
    bool odd_numerics;  /* some of them are no plain integers: an integer may equal them, too */
    uint32_t any_truth; /* truth of "has a value at all", or UINT32_MAX */
    bool keep_values;   /* lazy atoms ask for its values */
};

struct plan_atom {                 /* where an atom looks; a slot of an open-addressing table */
    const struct sigma_atom *atom; /* NULL: empty */
    uint32_t field;
};

struct plan_list { /* a run in one of the plan's index arrays */
    uint32_t at, n;
};

struct plan {
    uint64_t signature;
    const struct taxonomy *taxonomy; /* NULL: names as they are */
    const struct sigma_rule **rules;
    uint32_t *entry; /* per rule: first instruction or PROGRAM_* */
    /*
     * Rules that mean the same, as packs of rules that were copied from each other hold them, are
     * run once: per rule the next one with its program, UINT32_MAX behind the last. Only the first
     * of them has triggers.
     */
    uint32_t *twin;
    uint32_t n_rules;
    struct plan_insn *code;
    uint32_t n_code;
    struct plan_lazy *lazy;
    uint32_t n_lazy;
    struct plan_field *fields; /* fields[0] is the one that stands for every value (keywords) */
    uint32_t n_fields;
    bool keywords; /* fields[0] has something to look for */
    /*
     * The literals of fields[0] of which one must be in a value for a keyword to wake a rule; NULL:
     * all are looked for in every event. Rules that something else woke ask for them as well.
     */
    struct literal_set *waking;
    bool *asks_keywords; /* per rule */
    uint32_t n_needles, n_truths;
    struct plan_list *posting; /* per needle: truths in index[] */
    struct plan_list *trigger; /* per truth: rules in index[] */
    struct plan_list always;   /* rules in index[] */
    uint32_t *index;
    struct plan_atom *atoms;
    uint32_t atoms_mask;
    size_t bytes;
    struct arena arena; /* holds the arrays above */
    /* by key id: index into key_lists of the fields to feed, 0 = none; UINT32_MAX = not looked up
     */
    uint32_t *key_map;
    uint32_t key_cap, key_generation;
    uint32_t *key_lists; /* runs: count, field, field … */
    uint32_t n_key_lists, cap_key_lists;
};

struct plan_source {
    const struct sigma_rule *const *rules; /* those that apply, in rule order */
    uint32_t n_rules;
    const struct taxonomy_route *route; /* NULL: names as they are */
    uint64_t signature;
};

/* Written in the only way in which an integer is that is not negative and has few digits. */
static inline bool plan_is_plain_integer(struct slice s)
{
    if (s.len == 0 || s.len > 15 || (s.ptr[0] == '0' && s.len > 1)) return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

/* The plan field an atom of one of the plan's rules looks at, or UINT32_MAX. */
uint32_t plan_field_of(const struct plan *p, const struct sigma_atom *atom);

/* NULL when out of memory. Rules and taxonomy outlive the plan. */
struct plan *plan_new(const struct plan_source *source);
void plan_free(struct plan *p);

#endif
