/* SPDX-License-Identifier: EUPL-1.2 */
/* What the two halves of plan building share: truths (truths.c) and programs (plan.c). */
#ifndef VAKA_DETECT_ENGINE_BUILD_H
#define VAKA_DETECT_ENGINE_BUILD_H

#include "detect/engine/plan.h"

/* A growable array of T, for building only. */
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *at;                                                                                     \
        uint32_t n, cap;                                                                           \
    }

/* Doubles the room; memory failure ends the process (a plan is small and its input was bounded). */
void *vec_grow(void *at, uint32_t *cap, size_t size);
#define VEC_PUSH(v, ...)                                                                           \
    ((v).n == (v).cap ? (void)((v).at = vec_grow((v).at, &(v).cap, sizeof *(v).at)) : (void)0,     \
     (void)((v).at[(v).n++] = __VA_ARGS__))

/* Several values per 64-bit hash; the caller compares what the candidates stand for. */
struct hash_index {
    struct hash_slot {
        uint64_t hash;
        uint32_t value; /* + 1; 0 is empty */
    } * slots;
    uint32_t cap, n;
};
/* The next candidate for `hash`, or UINT32_MAX; *pos starts at UINT32_MAX. */
uint32_t hash_index_next(const struct hash_index *ix, uint64_t hash, uint32_t *pos);
void hash_index_add(struct hash_index *ix, uint64_t hash, uint32_t value);

/* Something to look for in one field. */
struct needle {
    struct slice text;
    const struct sigma_atom *atom; /* whose glob decides; NULL when the literal alone does */
    const struct listed *listed;   /* instead of a text; NULL: it is one */
    enum anchor anchor;
    uint32_t field;
    bool cased;
    double frequency;
};

/* A truth: proved by any of its needles, or (n == 0) by its field having a value. */
struct truth {
    uint32_t needles_at, n; /* in truth_needles */
    double frequency;
};

struct plan_builder {
    struct plan *plan;
    const struct taxonomy_route *route;
    VEC(struct plan_field) fields;
    VEC(struct needle) needles;
    VEC(struct truth) truths;
    VEC(uint32_t) truth_needles;
    VEC(struct plan_lazy) lazy;
    VEC(struct plan_insn) code;
    VEC(uint32_t) index;
    VEC(struct plan_atom) atoms;
    struct hash_index field_index, needle_index, truth_index, lazy_index;
};

/* How an atom is decided: `truth` is a bit or PROGRAM_LAZY | index; `guard` is implied by it. */
struct decided {
    uint32_t truth;
    uint32_t guard; /* a bit that holds whenever the lazy truth does, or UINT32_MAX */
};

/* A list, a string or keyword with a literal in it: some needle is necessary and sufficient. */
bool atom_has_needle(const struct sigma_atom *atom);
struct decided build_atom(struct plan_builder *b, const struct sigma_rule *rule,
                          const struct sigma_atom *atom);
/* One truth for "any of these", all atom_has_needle(). */
uint32_t build_any_of(struct plan_builder *b, const struct sigma_rule *rule,
                      const struct sigma_expr *const *atoms, uint32_t n);

#endif
