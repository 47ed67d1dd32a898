/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The parts of the correlator among themselves: plan.c turns rules into plans, group.c keeps the
 * groups and the memory, count.c, distinct.c and temporal.c each keep one kind of state,
 * correlate.c moves time and events.
 */
#ifndef VAKA_DETECT_CORRELATE_INTERNAL_H
#define VAKA_DETECT_CORRELATE_INTERNAL_H

#include "detect/correlate/correlate.h"

struct corr_plan;
struct group;

/* One correlation that reads a source, and where in the source's values its fields are. */
struct corr_use {
    struct corr_plan *plan;
    uint32_t place;        /* which of its rules the source is, duplicates left out */
    const uint32_t *index; /* group-by, then counted fields, then carried ones */
};

/* Something correlations refer to: a rule, or another correlation. */
struct corr_source {
    struct slice *fields;
    uint32_t n_fields, cap_fields;
    struct corr_use *uses;
    uint32_t n_uses, cap_uses;
};

enum corr_kind {
    KIND_COUNT,
    KIND_SUM,
    KIND_AVG,
    KIND_QUANTILE,
    KIND_DISTINCT,
    KIND_TEMPORAL,
    KIND_ORDERED,
};

struct corr_plan {
    const struct sigma_corr_rule *rule;
    const struct sigma_correlation *corr;
    uint32_t index;
    enum corr_kind kind;
    bool sliding;
    bool refused;
    uint64_t need;      /* sliding counts: fires when reached */
    uint32_t n_places;  /* distinct rules */
    uint32_t *place_of; /* position in corr->rules → place */
    uint32_t width;     /* KIND_ORDERED: cells per length */
    double percentile;
    struct slice *carry; /* fields that parents want and group-by does not give */
    uint32_t n_carry;
    struct corr_source out;        /* what parents want of a firing */
    const uint32_t *out_from;      /* per out field: group-by index, or n_group_by + carry index */
    struct group *oldest, *newest; /* its groups by last touch */
};

/* A running sum with its rounding error (Neumaier), so that what is added can be taken away. */
struct exact_sum {
    double sum, error;
};

struct sample {
    nsec time;
    uint64_t ref;
    double weight;
};

struct samples {
    struct sample *ring;
    uint32_t cap, head, n; /* cap is a power of two */
    uint32_t removed;      /* since the sum was last taken anew */
};

struct quantile {
    double *values;
    uint32_t n, cap;
    uint64_t seen;
};

struct member {
    uint64_t hash;
    nsec time;
    uint64_t ref;
    char *key;
    uint32_t len;
    uint32_t older, newer;
};

/* Values by the time they were last seen; a list through an array, found by a hash table. */
struct distinct {
    struct member *members;
    uint32_t *slots;                 /* index + 1; 0 is free */
    uint32_t cap, n;                 /* of members; slots has 2 * cap */
    uint32_t oldest, newest, unused; /* unused: list of free members through `newer` */
};

struct temporal_place {
    nsec newest;
    uint64_t ref;
};

struct ordered;

struct evidence {
    uint64_t refs[CORRELATOR_REFS_MAX];
    uint32_t n;
};

enum { HEAP_NONE = UINT32_MAX, MEMBER_NONE = UINT32_MAX };

struct group {
    uint64_t hash;
    uint64_t serial; /* order of creation */
    struct corr_plan *plan;
    struct group *older, *newer;
    nsec first, last;
    uint64_t last_ref;
    nsec fired;
    nsec due;         /* when in the heap: the last moment of the window */
    uint32_t heap_at; /* HEAP_NONE: a sliding group that has not fired */
    bool held;        /* has fired */
    bool approximate;
    struct exact_sum total; /* COUNT, SUM, AVG */
    uint64_t n_events;
    struct evidence *evidence; /* closing and fired groups */
    char *carried;             /* closing groups with parents: u16 length + bytes each */
    size_t carried_size;
    union {
        struct samples samples;
        struct quantile quantile;
        struct distinct distinct;
        struct temporal_place *places;
        struct ordered *ordered;
    } u;
    uint32_t key_len, shown_len;
    char text[]; /* key, then the values as first seen, u16 length + bytes each */
};

/* What is being fed to one correlation. */
struct corr_event {
    nsec time;
    nsec late; /* how much older it was */
    uint64_t ref;
    const struct slice *values;
};

struct chained {
    struct chained *next;
    const struct corr_plan *plan;
    nsec time;
    uint64_t ref;
    struct slice values[];
};

struct slot {
    uint64_t hash;
    struct group *group;
};

struct correlator {
    struct correlator_out out;
    struct correlator_stats stats;
    size_t max_bytes;
    bool at_once;
    uint64_t seed;
    nsec now;
    struct arena arena; /* plans */
    struct corr_source *rules;
    uint32_t n_rules;
    struct corr_plan *plans;
    uint32_t n_plans;
    char *key;            /* folded group-by values of the event at hand */
    char *value;          /* folded counted values */
    struct slice *shown;  /* group values of a firing to report */
    struct slice *firing; /* fields of a firing as an event */
    struct slot *slots;
    uint32_t n_slots; /* power of two */
    uint32_t n_groups;
    struct group **heap; /* by (due, plan, serial); room for as many as slots */
    uint32_t n_heap;
    struct group *busy; /* never evicted */
    struct chained *first_chained, *last_chained;
};

static inline nsec nsec_add(nsec a, nsec b)
{
    nsec r;
    if (!__builtin_add_overflow(a, b, &r)) return r;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

static inline nsec nsec_sub(nsec a, nsec b)
{
    nsec r;
    if (!__builtin_sub_overflow(a, b, &r)) return r;
    return b < 0 ? INT64_MAX : INT64_MIN;
}

/* plan.c */
int plan_build(struct correlator *c, const struct sigma_set *set) MUST_USE;
bool plan_bounds_hold(const struct corr_plan *plan, double count);

/* group.c. Memory that counts against max_bytes; taking it may evict any group but c->busy. */
void *mem_take(struct correlator *c, size_t size) MUST_USE;
/* Moves to a new size; NULL leaves the old one as it was. */
void *mem_resize(struct correlator *c, void *old, size_t old_size, size_t size) MUST_USE;
void mem_give(struct correlator *c, void *p, size_t size);
/* Finds or makes the group of c->key; NULL when there is no memory for it. */
struct group *group_get(struct correlator *c, struct corr_plan *plan, size_t key_len,
                        const struct corr_event *ev, const struct corr_use *use);
void group_touch(struct group *g);
void group_drop(struct correlator *c, struct group *g);
void group_schedule(struct correlator *c, struct group *g, nsec due);
/* Reads the next `u16 length + bytes`. */
struct slice group_next_text(const char **pos);
size_t group_put_text(char *dst, struct slice text); /* cuts at CORRELATOR_SHOWN_MAX; 2 + length */
void group_add_ref(struct group *g, uint64_t ref);
bool group_take_evidence(struct correlator *c, struct group *g) MUST_USE;

/* count.c */
void sum_add(struct exact_sum *s, double v);
static inline double sum_value(const struct exact_sum *s)
{
    return s->sum + s->error;
}
bool samples_add(struct correlator *c, struct group *g, const struct corr_event *ev, double weight);
/* Drops what is older than `since`. */
void samples_expire(struct group *g, nsec since);
void samples_done(struct correlator *c, struct group *g);
bool quantile_add(struct correlator *c, struct group *g, double value);
double quantile_value(struct group *g, double percentile);
void quantile_done(struct correlator *c, struct group *g);

/* distinct.c */
void distinct_init(struct distinct *d);
bool distinct_add(struct correlator *c, struct group *g, const struct corr_event *ev,
                  struct slice key);
void distinct_expire(struct correlator *c, struct group *g, nsec since);
void distinct_done(struct correlator *c, struct group *g);

/* temporal.c; `ret_first` is where the shortest window that makes it true begins. */
bool temporal_init(struct correlator *c, struct group *g) MUST_USE;
void temporal_add(struct group *g, uint32_t place, const struct corr_event *ev);
bool temporal_fires(struct group *g, nsec now, nsec *ret_first);
/* Whether it holds for the events from `first` on, and what it counts. */
bool temporal_holds(struct group *g, nsec first, double *ret_count);
void temporal_evidence(struct group *g, nsec first);
void temporal_done(struct correlator *c, struct group *g);

/* correlate.c: hands the firing of a group that is held to the caller, unless it was told at once.
 */
void correlator_report_held(struct correlator *c, struct group *g);

#endif
