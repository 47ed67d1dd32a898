/* SPDX-License-Identifier: EUPL-1.2 */
/* When and where an event is, and about whom. */
#include <stdlib.h>

#include "detect/router_state.h"

enum {
    RANK_NEW = 0xff,  /* a key not looked at yet */
    NO_SECOND = 0xff, /* a time stands in one field */
};

static uint8_t time_name(struct router *r, struct slice name)
{
    uint32_t i = 0;
    while (i < r->n_time_names && !slice_eq(r->time_names[i], name)) i++;
    if (i == r->n_time_names) r->time_names[r->n_time_names++] = name;
    return (uint8_t)i;
}

void router_event_init(struct router *r)
{
    for (uint32_t i = 0; i < r->t->times.n; i++) {
        const struct taxonomy_time *time = &r->t->times.at[i];
        r->times[i].first = time_name(r, time->first);
        r->times[i].second = time->second.len ? time_name(r, time->second) : NO_SECOND;
    }
    r->timestamp = time_name(r, SLICE("@timestamp"));
}

void router_event_done(struct router *r)
{
    free(r->time_ranks);
    free(r->host_ranks);
    free(r->entity_ranks);
}

void router_set_now(struct router *r, nsec now)
{
    r->now = now;
}

/* ---- when and where ---- */

/* Ranks are 1 + the place in the list; 0: not in it. */
static uint8_t find_time_rank(struct router *r, key_id key)
{
    struct slice name = taxonomy_plain_name(r->t, keys_name(r->keys, key));
    uint32_t rank = 0;
    for (uint32_t i = 0; i < r->n_time_names && !rank; i++)
        if (slice_eq(r->time_names[i], name)) rank = i + 1;
    return r->time_ranks[key] = (uint8_t)rank;
}

static uint8_t find_host_rank(struct router *r, key_id key)
{
    struct slice name = taxonomy_plain_name(r->t, keys_name(r->keys, key));
    uint32_t rank = 0;
    for (uint32_t i = 0; i < r->t->hosts.n && !rank; i++)
        if (slice_eq(r->t->hosts.at[i], name)) rank = i + 1;
    return r->host_ranks[key] = (uint8_t)rank;
}

nsec router_event_time(struct router *r, struct event *ev)
{
    struct event_field *found[RANKS_MAX] = {NULL};
    router_cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        uint8_t rank = r->time_ranks[ev->fields[i].key];
        if (rank == RANK_NEW) rank = find_time_rank(r, ev->fields[i].key);
        if (!rank || ev->fields[i].type == VALUE_NULL) continue;
        nsec t;
        /* What a product's file says the time is counts; other names it found in a text rank. */
        if (ev->fields[i].derived && rank == r->timestamp + 1 &&
            time_parse_near(ev->fields[i].value, r->now, &t))
            return t;
        if (!found[rank - 1]) found[rank - 1] = &ev->fields[i];
    }
    for (uint32_t i = 0; i < r->t->times.n; i++) {
        nsec t;
        struct event_field *first = found[r->times[i].first], *second = NULL;
        bool is_joined = r->times[i].second != NO_SECOND;
        if (is_joined) second = found[r->times[i].second];
        if (!first || (is_joined && !second)) continue;
        struct slice text = event_text(ev, first);
        char both[80];
        if (is_joined) {
            struct slice rest = event_text(ev, second);
            if (text.len > 39 || rest.len > 39) continue;
            memcpy(both, text.ptr, text.len);
            both[text.len] = ' ';
            memcpy(both + text.len + 1, rest.ptr, rest.len);
            text = slice_make(both, text.len + 1 + rest.len);
        }
        if (text.len && time_parse_near(text, r->now, &t)) return t;
    }
    return TIME_NONE;
}

struct slice router_event_host(struct router *r, struct event *ev)
{
    struct event_field *best = NULL;
    uint32_t best_rank = UINT32_MAX;
    router_cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint8_t rank = r->host_ranks[f->key];
        if (rank == RANK_NEW) rank = find_host_rank(r, f->key);
        if (!rank || rank >= best_rank || f->type == VALUE_NULL || f->value.len == 0) continue;
        best = f;
        best_rank = rank;
    }
    return best ? event_text(ev, best) : SLICE_NONE;
}

/* ---- whom and what ---- */

/* 1 + the place among the fields of all entities; 0: not there. */
static uint8_t find_entity_rank(struct router *r, key_id key)
{
    struct slice path = keys_name(r->keys, key), name = taxonomy_plain_name(r->t, path);
    uint32_t rank = 0, found = 0;
    for (uint32_t i = 0; i < r->t->entities.n && !found; i++) {
        const struct taxonomy_entity *e = &r->t->entities.at[i];
        for (uint32_t k = 0; k < e->n_fields && !found; k++) {
            rank++;
            if (slice_eq(e->fields[k], name) || slice_eq(e->fields[k], path)) found = rank;
        }
    }
    return r->entity_ranks[key] = (uint8_t)found;
}

/* A dash is how many records say "nobody". */
static bool is_value(struct slice s)
{
    return s.len > 0 && !(s.len == 1 && s.ptr[0] == '-');
}

static bool is_about(const struct router *r, struct slice name)
{
    for (uint32_t i = 0; i < r->t->about.n; i++)
        if (slice_eq(r->t->about.at[i], name)) return true;
    return false;
}

uint32_t router_event_entities(struct router *r, struct event *ev,
                               struct taxonomy_entity_value ret[TAXONOMY_ENTITY_VALUES_MAX])
{
    uint32_t first[TAXONOMY_ENTITY_FIELDS_MAX + 1] = {0}; /* 1 + the field's place, by rank */
    router_cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint8_t rank = r->entity_ranks[f->key];
        if (rank == RANK_NEW) rank = find_entity_rank(r, f->key);
        if (rank && !first[rank] && f->type != VALUE_NULL && is_value(event_text(ev, f)))
            first[rank] = i + 1;
    }
    uint32_t n = 0, rank = 1;
    for (uint32_t i = 0; i < r->t->entities.n; i++) {
        const struct taxonomy_entity *e = &r->t->entities.at[i];
        uint32_t best = 0;
        for (uint32_t k = 0; k < e->n_fields && !best; k++)
            if (first[rank + k]) best = rank + k;
        rank += e->n_fields;
        if (!best) continue;
        key_id key = ev->fields[first[best] - 1].key;
        for (uint32_t f = first[best] - 1; f < ev->n_fields && n < TAXONOMY_ENTITY_VALUES_MAX; f++)
            if (ev->fields[f].key == key && ev->fields[f].type != VALUE_NULL)
                ret[n++] = (struct taxonomy_entity_value){e->name, event_text(ev, &ev->fields[f]),
                                                          is_about(r, e->name)};
    }
    return n;
}
