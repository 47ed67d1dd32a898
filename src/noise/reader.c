/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/reader.h"

#include <stdlib.h>

#include "alert/entity.h"
#include "base/hash.h"
#include "noise/matching.h"

enum {
    OUT_SEND = 1024 * 1024,
    RUNS_MAX = 8192,    /* slots; half of them are used */
    VALUES_MAX = 16384, /* the same */
    VALUE_LEN_MAX = 200,
    TEXTS_MAX = 16 * 1024 * 1024,
    DETAILS = 6,
};

/* One rule about one entity, while no pause is longer than `alike`. */
struct run {
    uint64_t key; /* 0: free */
    struct noise_run m;
};

struct counted {
    uint64_t key; /* 0: free */
    uint32_t rule;
    uint64_t count;
    struct slice field, value; /* in texts */
};

struct reader {
    const struct noise_begin *begin;
    struct matching matching;
    struct router *router; /* its engine's */
    struct buf entity;
    struct run *runs;
    struct counted *values;
    uint32_t n_runs, n_values;
    struct arena texts;
    uint32_t *hits;                     /* of each rule in the unit */
    uint64_t *routes;                   /* events of each route in the unit */
    const struct taxonomy_route **seen; /* by id: every route so far */
    uint32_t n_routes;
    char *data; /* a bit for each rule */
    size_t data_len;
    bool data_changed;
    struct slice host, user; /* of the event at hand */
};

/* ---- runs -------------------------------------------------------------------------------- */

static void send_runs(struct reader *r)
{
    for (uint32_t i = 0; i < RUNS_MAX; i++)
        if (r->runs[i].key) noise_run_write(&r->matching.out, &r->runs[i].m);
    memset(r->runs, 0, RUNS_MAX * sizeof *r->runs);
    r->n_runs = 0;
}

static struct run *find_run(struct reader *r, uint32_t rule, uint64_t entity)
{
    uint64_t key = hash_mix(entity, rule + 1u) | 1;
    uint32_t at = (uint32_t)key % RUNS_MAX;
    while (r->runs[at].key && r->runs[at].key != key) at = (at + 1) % RUNS_MAX;
    if (!r->runs[at].key) r->n_runs++;
    r->runs[at].key = key;
    return &r->runs[at];
}

static void count_run(struct reader *r, const struct noise_run *hit)
{
    if (r->n_runs >= RUNS_MAX / 2) send_runs(r);
    struct run *run = find_run(r, hit->rule, hit->entity);
    bool apart = run->m.seq < r->begin->known && hit->seq >= r->begin->known;
    bool goes_on = run->m.count && hit->first - run->m.last <= r->begin->alike && !apart;
    if (run->m.count && !goes_on) noise_run_write(&r->matching.out, &run->m);
    if (!goes_on) {
        run->m = *hit;
        return;
    }
    run->m.count++;
    if (hit->last > run->m.last) run->m.last = hit->last;
}

/* ---- values ------------------------------------------------------------------------------ */

static void send_values(struct reader *r)
{
    for (uint32_t i = 0; i < VALUES_MAX; i++) {
        const struct counted *v = &r->values[i];
        if (v->key)
            noise_value_write(&r->matching.out, &(struct noise_value){.rule = v->rule,
                                                                      .count = v->count,
                                                                      .field = v->field,
                                                                      .value = v->value});
    }
    memset(r->values, 0, VALUES_MAX * sizeof *r->values);
    r->n_values = 0;
    arena_reset(&r->texts);
}

static void count_value(struct reader *r, uint32_t rule, struct slice field, struct slice value,
                        uint64_t weight)
{
    if (value.len == 0) return;
    value = slice_until(value, VALUE_LEN_MAX);
    if (r->n_values >= VALUES_MAX / 2) send_values(r);
    uint64_t key = hash_mix(hash_mix(hash64(field), hash64(value)), rule + 1u) | 1;
    uint32_t at = (uint32_t)key % VALUES_MAX;
    while (r->values[at].key && r->values[at].key != key) at = (at + 1) % VALUES_MAX;
    struct counted *v = &r->values[at];
    if (!v->key) {
        *v = (struct counted){.key = key,
                              .rule = rule,
                              .field = arena_dup(&r->texts, field),
                              .value = arena_dup(&r->texts, value)};
        r->n_values++;
    }
    v->count += weight;
}

static void count_values(struct reader *r, struct event *ev, const struct engine_hit *hit,
                         struct slice host, struct slice user)
{
    struct engine_detail details[DETAILS];
    uint32_t rule = hit->rule->index, n = r->hits[rule]++;
    if (n >= READER_DETAILED && n % READER_SAMPLE != 0) return;
    uint64_t weight = n >= READER_DETAILED ? READER_SAMPLE : 1;
    count_value(r, rule, SLICE("(host)"), host, weight);
    count_value(r, rule, SLICE("(user)"), user, weight);
    uint32_t found = engine_details(r->matching.engine, ev, hit, details, DETAILS);
    for (uint32_t i = 0; i < found; i++)
        count_value(r, rule, details[i].field, details[i].value, weight);
}

/* ---- sources ----------------------------------------------------------------------------- */

/* A route that was not seen before: which rules it is data for. */
static void learn_route(struct reader *r, const struct taxonomy_route *route)
{
    const struct sigma_set *set = r->begin->matching.rules->set;
    r->seen[route->id] = route;
    if (route->id >= r->n_routes) r->n_routes = route->id + 1;
    for (uint32_t i = 0; i < set->n_rules; i++) {
        if (!taxonomy_says(route, &set->rules[i]->logsource)) continue;
        r->data[i / 8] = (char)(r->data[i / 8] | 1 << i % 8);
        r->data_changed = true;
    }
}

static void count_route(struct reader *r, const struct taxonomy_route *route)
{
    if (!route || route->id >= TAXONOMY_ROUTES_MAX) return;
    if (!r->seen[route->id]) learn_route(r, route);
    r->routes[route->id]++;
}

static void send_sources(struct reader *r)
{
    for (uint32_t i = 0; i < r->n_routes; i++) {
        const struct taxonomy_route *route = r->seen[i];
        for (uint32_t k = 0; route && r->routes[i] && k < route->n_labels; k++)
            noise_source_write(&r->matching.out,
                               &(struct noise_source){.events = r->routes[i],
                                                      .product = route->labels[k].product,
                                                      .category = route->labels[k].category,
                                                      .service = route->labels[k].service});
        r->routes[i] = 0;
    }
    if (r->data_changed)
        noise_data_write(&r->matching.out,
                         &(struct noise_data){.bits = slice_make(r->data, r->data_len)});
    r->data_changed = false;
}

/* ---- records ----------------------------------------------------------------------------- */

static void on_hit(struct reader *r, struct event *ev, const struct engine_hit *hit,
                   const struct record *record, uint64_t seq)
{
    struct slice host = r->host, user = r->user;
    if (hit->rule->silent) return;
    count_run(r, &(struct noise_run){.rule = hit->rule->index,
                                     .entity = hash64(buf_slice(&r->entity)),
                                     .host = host.len ? hash64(host) : 0,
                                     .user = user.len ? hash64(user) : 0,
                                     .first = record->received,
                                     .last = record->received,
                                     .count = 1,
                                     .seq = seq});
    count_values(r, ev, hit, host, user);
}

/* Whom and what the event at hand is about. */
static void find_entity(struct reader *r, struct event *ev, const struct record *record)
{
    struct taxonomy_entity_value entities[TAXONOMY_ENTITY_VALUES_MAX];
    uint32_t n = router_event_entities(r->router, ev, entities);
    r->host = router_event_host(r->router, ev);
    r->user = entity_user(entities, n);
    entity_write(&r->entity, entities, n, r->host, record->source);
}

static int on_event(void *ctx, struct event *ev, const struct engine_result *found,
                    const struct record *record, uint64_t seq)
{
    struct reader *r = ctx;
    count_route(r, found->route);
    if (found->n_hits) find_entity(r, ev, record);
    for (uint32_t i = 0; i < found->n_hits; i++) on_hit(r, ev, &found->hits[i], record, seq);
    return r->matching.out.len > OUT_SEND ? matching_send(&r->matching) : 0;
}

static void begin_unit(void *ctx)
{
    struct reader *r = ctx;
    memset(r->hits, 0, (r->begin->matching.rules->set->n_rules + 1u) * sizeof *r->hits);
}

static void end_unit(void *ctx)
{
    struct reader *r = ctx;
    send_runs(r);
    send_values(r);
    send_sources(r);
}

/* ---- the process ------------------------------------------------------------------------- */

static int reader_init(struct reader *r)
{
    size_t n = r->begin->matching.rules->set->n_rules + 1u;
    r->router = engine_router(r->matching.engine);
    buf_init(&r->entity, ENTITY_MAX);
    arena_init(&r->texts, TEXTS_MAX);
    r->runs = calloc(RUNS_MAX, sizeof *r->runs);
    r->values = calloc(VALUES_MAX, sizeof *r->values);
    r->hits = calloc(n, sizeof *r->hits);
    r->routes = calloc(TAXONOMY_ROUTES_MAX, sizeof *r->routes);
    r->seen = calloc(TAXONOMY_ROUTES_MAX, sizeof(struct taxonomy_route *));
    r->data_len = (n + 7) / 8;
    r->data = calloc(1, r->data_len);
    return r->runs && r->values && r->hits && r->routes && r->seen && r->data ? 0 : ERR_NOMEM;
}

int noise_reader_run(const struct noise_begin *begin, struct channel *channel)
{
    /* The process ends with this: the kernel takes all of it back. */
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return 1;
    const struct matching_work work = {
        .ctx = r, .event = on_event, .unit_begin = begin_unit, .unit_end = end_unit};
    r->begin = begin;
    if (matching_init(&r->matching, &begin->matching, &work, channel) != 0 || reader_init(r) != 0)
        return 1;
    return matching_run(&r->matching);
}
