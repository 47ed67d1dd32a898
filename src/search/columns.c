/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/columns.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "query/fields.h"

enum { EVENT_MAX = 32 * 1024 * 1024 };

struct columns {
    const struct query *query;
    struct engine *engine;
    /* Columns that are fields, in the order of the query. */
    struct slice names[QUERY_COLUMNS_MAX];
    uint32_t column[QUERY_COLUMNS_MAX], n_fields;
    struct fields *fields;
    bool need_record;
    struct buf text;
};

struct columns *columns_new(const struct query *query, struct engine *engine,
                            const struct sigma_rule *rule)
{
    struct columns *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    *c = (struct columns){.query = query, .engine = engine};
    buf_init(&c->text, EVENT_MAX);
    for (uint32_t i = 0; i < query->n_columns; i++) {
        enum query_place place = query->columns[i].place;
        c->need_record |= place == QUERY_TIME || place == QUERY_RECEIVED || place == QUERY_SOURCE;
        if (place != QUERY_FIELD) continue;
        c->names[c->n_fields] = query->columns[i].name;
        c->column[c->n_fields++] = i;
    }
    c->fields = fields_new(c->names, c->n_fields, engine, rule);
    if (c->fields) return c;
    free(c);
    return NULL;
}

void columns_free(struct columns *c)
{
    if (!c) return;
    fields_free(c->fields);
    buf_done(&c->text);
    free(c);
}

bool columns_need_record(const struct columns *c)
{
    return c->need_record;
}

/* ---- what is no field -------------------------------------------------------------------- */

static struct cell number_cell(struct event *ev, int64_t n, enum cell_kind kind)
{
    const char *text = arena_printf(ev->arena, "%lld", (long long)n);
    return (struct cell){slice_of(text), text ? kind : CELL_NONE};
}

static struct cell fields_cell(struct columns *c, struct event *ev, enum cell_kind kind)
{
    buf_clear(&c->text);
    event_write_fields(ev, &c->text);
    struct slice copy = arena_dup(ev->arena, buf_slice(&c->text));
    return (struct cell){copy, copy.ptr && !buf_failed(&c->text) ? kind : CELL_NONE};
}

/* Of records that are no text it is what is understood of them. */
static struct cell raw_cell(struct columns *c, struct event *ev)
{
    if (slice_find_byte(ev->raw, '\0') == SIZE_MAX && utf8_valid(ev->raw))
        return (struct cell){ev->raw, CELL_TEXT};
    return fields_cell(c, ev, CELL_TEXT);
}

/* Who sent it, as it is known: an identity that was proved, else the address. */
static struct cell source_cell(struct event *ev, struct slice source)
{
    struct record_source s;
    record_source_read(source, &s);
    struct slice who = s.identity.len ? s.identity : s.address;
    const char *text = arena_printf(ev->arena, "%.*s%s%.*s", SLICE_FMT(s.listener),
                                    s.listener.len && who.len ? " " : "", SLICE_FMT(who));
    return (struct cell){slice_of(text), text ? CELL_TEXT : CELL_NONE};
}

static struct cell place_cell(struct columns *c, struct event *ev, enum query_place place,
                              const struct record *record, uint64_t seq)
{
    struct router *router = engine_router(c->engine);
    nsec time;
    struct slice host;
    switch (place) {
    case QUERY_TIME:
        time = router_event_time(router, ev);
        return number_cell(ev, time == TIME_NONE ? record->received : time, CELL_TIME);
    case QUERY_RECEIVED:
        return number_cell(ev, record->received, CELL_TIME);
    case QUERY_SEQ:
        return number_cell(ev, (int64_t)seq, CELL_NUMBER);
    case QUERY_HOST:
        host = router_event_host(router, ev);
        return (struct cell){host, host.len ? CELL_TEXT : CELL_NONE};
    case QUERY_SOURCE:
        return source_cell(ev, record->source);
    case QUERY_RAW:
        return raw_cell(c, ev);
    case QUERY_EVENT:
        return fields_cell(c, ev, CELL_JSON);
    case QUERY_FIELD:
        break;
    }
    return (struct cell){SLICE_NONE, CELL_NONE};
}

static void fill_fields(struct columns *c, struct event *ev, const struct taxonomy_route *route,
                        struct cell *ret)
{
    struct cell cells[FIELDS_MAX];
    (void)fields_fill(c->fields, ev, route, cells);
    for (uint32_t i = 0; i < c->n_fields; i++) ret[c->column[i]] = cells[i];
}

void columns_fill(struct columns *c, struct event *ev, const struct taxonomy_route *route,
                  const struct record *record, uint64_t seq, struct cell *ret)
{
    for (uint32_t i = 0; i < c->query->n_columns; i++) {
        enum query_place place = c->query->columns[i].place;
        ret[i] = (struct cell){SLICE_NONE, CELL_NONE};
        if (place != QUERY_FIELD) ret[i] = place_cell(c, ev, place, record, seq);
    }
    if (c->n_fields) fill_fields(c, ev, route, ret);
}
