/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/chain.h"

#include "base/arena.h"

/* A reference is the number of the source's name and the number of the record in it. */
enum { RECORD_BITS = 40, NAMES_MAX = 1 << 24 };
#define RECORD_MASK ((UINT64_C(1) << RECORD_BITS) - 1)

struct kept {
    nsec time;
    uint64_t seq, ref;
    size_t at, len; /* in bodies */
};

struct chain {
    struct correlator *correlator;
    void *ctx;
    chain_firing firing;
    chain_refused refused;
    struct arena names_arena;
    struct slice *names;
    uint32_t n_names, cap_names;
    struct buf bodies;
    struct kept *kept;
    size_t n_kept, cap_kept;
    uint64_t seq;
    uint32_t spills;
    uint64_t lost;
    size_t sort_max;
    struct slice values[CORRELATOR_FIELDS_MAX];
};

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct chain *c = ctx;
    struct line_ref refs[CORRELATOR_REFS_MAX];
    struct correlator_firing copy = *f;
    if (f->rule->silent) return;
    if (copy.n_refs > CORRELATOR_REFS_MAX) copy.n_refs = CORRELATOR_REFS_MAX;
    for (uint32_t i = 0; i < copy.n_refs; i++) {
        uint64_t name = f->refs[i] >> RECORD_BITS;
        refs[i] = (struct line_ref){.source = name < c->n_names ? c->names[name] : SLICE("?"),
                                    .record = f->refs[i] & RECORD_MASK};
    }
    c->firing(c->ctx, &copy, refs);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct chain *c = ctx;
    c->refused(c->ctx, rule, why);
}

struct chain *chain_new(const struct sigma_set *set, const struct chain_options *options, void *ctx,
                        chain_firing firing, chain_refused refused)
{
    struct chain *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->ctx = ctx;
    c->firing = firing;
    c->refused = refused;
    arena_init(&c->names_arena, CHAIN_NAMES_MAX);
    c->sort_max = options->sort_max;
    buf_init(&c->bodies, c->sort_max);
    const struct correlator_options of_state = {.max_bytes = options->state_max,
                                                .seed = options->seed};
    const struct correlator_out out = {.ctx = c, .firing = on_firing, .refused = on_refused};
    c->correlator = correlator_new(set, &of_state, &out);
    if (c->correlator) return c;
    chain_free(c);
    return NULL;
}

void chain_free(struct chain *c)
{
    if (!c) return;
    if (c->correlator) correlator_free(c->correlator);
    arena_done(&c->names_arena);
    buf_done(&c->bodies);
    free(c->names);
    free(c->kept);
    free(c);
}

const struct correlator *chain_correlator(const struct chain *c)
{
    return c->correlator;
}

/* Tuples come source by source, so the name is the last one or a new one. */
static uint64_t name_index(struct chain *c, struct slice name)
{
    if (c->n_names > 0 && slice_eq(c->names[c->n_names - 1], name)) return c->n_names - 1;
    if (c->n_names == c->cap_names && c->n_names < NAMES_MAX) {
        uint32_t cap = c->cap_names ? c->cap_names * 2 : 64;
        struct slice *names = realloc(c->names, cap * sizeof *names);
        if (names) {
            c->names = names;
            c->cap_names = cap;
        }
    }
    struct slice copy = arena_dup(&c->names_arena, name);
    if (c->n_names == c->cap_names || !copy.ptr) return NAMES_MAX - 1;
    c->names[c->n_names] = copy;
    return c->n_names++;
}

static int compare_kept(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Gives the oldest n to the correlator and closes the gap. */
static void give(struct chain *c, size_t n)
{
    if (c->n_kept == 0) return;
    qsort(c->kept, c->n_kept, sizeof *c->kept, compare_kept);
    for (size_t i = 0; i < n; i++) {
        struct correlator_tuple tuple;
        struct slice body = slice_make(c->bodies.ptr + c->kept[i].at, c->kept[i].len);
        if (correlator_tuple_read(body, c->values, CORRELATOR_FIELDS_MAX, &tuple) != 0) continue;
        tuple.ref = c->kept[i].ref;
        /* Checked when it came; what is refused here is counted by nobody and means nothing. */
        if (correlator_push(c->correlator, &tuple) != 0) continue;
    }
    struct buf rest;
    buf_init(&rest, c->sort_max);
    size_t left = c->n_kept - n;
    for (size_t i = 0; i < left; i++) {
        struct kept k = c->kept[n + i];
        struct slice body = slice_make(c->bodies.ptr + k.at, k.len);
        k.at = rest.len;
        buf_put(&rest, body);
        if (buf_failed(&rest)) {
            c->lost += left - i;
            left = i;
            break;
        }
        c->kept[i] = k;
    }
    c->n_kept = left;
    buf_done(&c->bodies);
    c->bodies = rest;
}

void chain_add(struct chain *c, const struct message_tuple *m, uint64_t record)
{
    struct correlator_tuple tuple;
    if (correlator_tuple_read(m->body, c->values, CORRELATOR_FIELDS_MAX, &tuple) != 0) return;
    if (record > RECORD_MASK) record = RECORD_MASK;
    size_t used = c->bodies.len + c->n_kept * sizeof *c->kept;
    if (c->n_kept > 1 && (used > c->sort_max || m->body.len > c->sort_max - used)) {
        c->spills++;
        give(c, c->n_kept / 2);
    }
    if (c->n_kept == c->cap_kept) {
        size_t cap = c->cap_kept ? c->cap_kept * 2 : 256;
        struct kept *kept = realloc(c->kept, cap * sizeof *kept);
        if (!kept) {
            c->lost++;
            return;
        }
        c->kept = kept;
        c->cap_kept = cap;
    }
    size_t at = c->bodies.len;
    buf_put(&c->bodies, m->body);
    if (buf_failed(&c->bodies)) {
        c->bodies.failed = false;
        c->lost++;
        return;
    }
    c->kept[c->n_kept++] = (struct kept){.time = tuple.time,
                                         .seq = c->seq++,
                                         .ref = name_index(c, m->source) << RECORD_BITS | record,
                                         .at = at,
                                         .len = m->body.len};
}

void chain_finish(struct chain *c)
{
    give(c, c->n_kept);
    correlator_finish(c->correlator);
}

uint32_t chain_spills(const struct chain *c)
{
    return c->spills;
}

uint64_t chain_lost(const struct chain *c)
{
    return c->lost;
}

void chain_get_stats(const struct chain *c, struct correlator_stats *ret)
{
    correlator_get_stats(c->correlator, ret);
}
