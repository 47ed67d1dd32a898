/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The router's inside: router.c finds the route of what holds, router_facts.c collects that from an
 * event's fields, router_looks.c adds what can only be seen in the look of a text, and
 * router_event.c says when, where and about whom an event is.
 */
#ifndef VAKA_DETECT_ROUTER_STATE_H
#define VAKA_DETECT_ROUTER_STATE_H

#include "detect/taxonomy.h"
#include "detect/taxonomy_model.h"

enum {
    EXPLICIT_MAX = 1024,
    EXPLICIT_LEN_MAX = 64,
    RANKS_MAX = TAXONOMY_TIMES_MAX * 2 + 1,
    N_EXPLICIT = 3,
    MEMO_FACTS = 4,
    LOOK_TEXTS_MAX = 8,
    LOOK_EMPTY = 256, /* in place of a first byte */
};

struct router {
    const struct taxonomy *t;
    struct keys *keys;
    uint32_t generation;
    uint16_t *roles;                                 /* by key */
    uint8_t *time_ranks, *host_ranks, *entity_ranks; /* by key */
    uint32_t cap_roles;

    struct slot *slots;
    struct memo *memos; /* by slot */
    uint32_t n_slots;
    uint32_t format_slot; /* or UINT32_MAX */
    const char *format;   /* the event's before, and its facts; NULL: none */
    uint32_t format_facts[MEMO_FACTS], n_format_facts;
    struct prefix *prefixes; /* grouped by slot */
    struct look *looks;      /* by ascending facts */
    uint32_t n_looks, n_look_words;
    struct look_when *look_whens;
    uint64_t *looks_by_byte; /* bits of those that fit texts with this first byte */
    struct look_text {
        uint32_t slot, first;     /* its first byte, or LOOK_EMPTY */
        struct slice text;        /* without blanks around it */
    } look_texts[LOOK_TEXTS_MAX]; /* of this event */
    uint32_t n_look_texts;
    struct shape_match match; /* large: not on the stack, where each call would clear it */
    struct equal_entry *equals;
    uint32_t equals_mask;

    uint32_t n_words; /* of facts */
    uint64_t *key;    /* facts of this event, then one word of explicit names */
    struct event_field *stand_ins[TAXONOMY_STAND_INS_MAX]; /* this event's, by the list; or NULL */
    uint32_t noted[MEMO_FACTS];                            /* facts of the value at hand */
    uint32_t n_noted;
    uint64_t *rows; /* a row: the words of its key, then of router_looks_list() */
    const struct taxonomy_route **row_route; /* NULL: empty */
    uint32_t n_rows, last_row;               /* the event's before */

    char explicit_text[EXPLICIT_MAX][EXPLICIT_LEN_MAX];
    uint8_t explicit_len[EXPLICIT_MAX]; /* number 0 is "none" */
    uint32_t n_explicit;
    uint16_t explicit_index[EXPLICIT_MAX * 2]; /* hash table of numbers */

    struct route_box **routes;
    uint32_t n_routes, n_explicit_routes;
    const struct taxonomy_route *unknown;
    bool crowded; /* an event had none, for there are too many, or no memory */

    struct taxonomy_label *scratch; /* labels of the event at hand */

    struct slice time_names[RANKS_MAX]; /* every field of the time list once */
    uint32_t n_time_names;
    uint8_t timestamp; /* @timestamp's place in time_names */
    struct {
        uint8_t first, second; /* index into time_names; second: 0xff when it stands alone */
    } times[TAXONOMY_TIMES_MAX];
    nsec now;
};

/* Makes the tables by key cover every key there is. */
void router_cover_keys(struct router *r);

/* False: out of memory; what was made is freed by _done(). */
bool router_facts_init(struct router *r) MUST_USE;
void router_facts_done(struct router *r);
/* The explicit names, and what numbers they have. */
void router_facts_forget(struct router *r);
/* Into r->key, with the texts to be looked at kept. False: the explicit names are full. */
bool router_facts_collect(struct router *r, struct event *ev) MUST_USE;

/* As with facts. */
bool router_looks_init(struct router *r) MUST_USE;
void router_looks_done(struct router *r);
/* Keeps a text of the event that is to be looked at. */
void router_looks_keep(struct router *r, uint32_t slot, struct slice text);
/*
 * Those that may matter when the other facts are as they are and the event is known as this: bits
 * of those that do in any case, then of those that do when one before them holds.
 */
void router_looks_list(const struct router *r, const struct taxonomy_route *known, uint64_t *ret);
/* Of those listed. Whether one of them holds. */
bool router_looks_collect(struct router *r, const struct taxonomy_route *known,
                          const uint64_t *listed);

void router_event_init(struct router *r);
void router_event_done(struct router *r);

static inline bool router_fact_holds(const struct router *r, uint32_t fact)
{
    return r->key[fact >> 6] >> (fact & 63) & 1;
}

static inline void router_set_fact(struct router *r, uint32_t fact)
{
    r->key[fact >> 6] |= UINT64_C(1) << (fact & 63);
}

#endif
