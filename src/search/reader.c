/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/reader.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "normalise/record_decoder.h"

enum {
    OUT_SEND = 1024 * 1024,
    FOUND_MAX = 256 * 1024 * 1024, /* rows of one run of records */
};

/* Which columns a path is, is not known yet; no path is all of them. */
static const uint64_t unknown_mask = UINT64_MAX;

/* Which columns an event's path is, for the routes that had events: a bit for each column. */
struct masks {
    uint64_t *of_key;
    uint32_t cap;
};

struct reader {
    const struct search_begin *begin;
    const struct query *query;
    const struct sigma_rule *rule;
    struct channel *channel;
    struct matcher matcher;
    struct engine *engine; /* the matcher's */
    struct record_decoder *decoder;
    struct groups *groups; /* NULL: rows are told */
    struct buf out;
    struct search_sum sum;
    /* Rows of the run at hand; `ends` tells where each ends, as size_t. */
    struct buf found, ends;
    struct buf row, event;
    /* Columns that are fields, in the order of the query. */
    struct slice fields[QUERY_COLUMNS_MAX];
    uint32_t field_column[QUERY_COLUMNS_MAX], n_fields;
    bool needs_record;
    struct masks *masks; /* by route id */
    uint32_t generation;
    /* The batch at hand. */
    uint64_t first;
    struct batch_iter iter;
    struct record record;
};

static int send_out(struct reader *r)
{
    int error = buf_error(&r->out);
    if (error == 0 && r->out.len) error = channel_send(r->channel, buf_slice(&r->out), -1);
    buf_clear(&r->out);
    return error;
}

/* ---- columns ----------------------------------------------------------------------------- */

static void forget_masks(struct reader *r)
{
    for (uint32_t i = 0; i < TAXONOMY_ROUTES_MAX; i++)
        for (uint32_t k = 0; k < r->masks[i].cap; k++) r->masks[i].of_key[k] = unknown_mask;
}

static uint64_t mask_of(struct reader *r, const struct taxonomy_route *route, key_id key)
{
    struct keys *keys = engine_keys(r->engine);
    if (r->generation != keys_generation(keys)) {
        r->generation = keys_generation(keys);
        forget_masks(r);
    }
    struct masks *m = &r->masks[route->id];
    if (key >= m->cap) {
        uint32_t cap = keys_count(keys) + 256;
        uint64_t *grown = reallocarray(m->of_key, cap, sizeof *grown);
        ASSERT(grown);
        for (uint32_t k = m->cap; k < cap; k++) grown[k] = unknown_mask;
        *m = (struct masks){grown, cap};
    }
    if (m->of_key[key] == unknown_mask)
        m->of_key[key] = engine_path_is(r->engine, r->rule, r->fields, r->n_fields, key);
    return m->of_key[key];
}

static struct cell value_cell(struct event *ev, struct event_field *f)
{
    return (struct cell){event_text(ev, f), f->type == VALUE_NUMBER ? CELL_NUMBER : CELL_TEXT};
}

/* Values of the same field become a list. `lists` has room for what the cells hold then. */
static void add_value(struct event *ev, struct cell *cell, struct event_field *f)
{
    struct cell value = value_cell(ev, f);
    struct buf list;
    if (cell->kind == CELL_NONE) {
        *cell = value;
        return;
    }
    buf_init(&list, FOUND_MAX);
    if (cell->kind == CELL_LIST) buf_put(&list, cell->text);
    else cell_write(&list, cell);
    cell_write(&list, &value);
    struct slice copy = arena_dup(ev->arena, buf_slice(&list));
    if (copy.ptr) *cell = (struct cell){copy, CELL_LIST};
    buf_done(&list);
}

static void fill_fields(struct reader *r, struct event *ev, const struct taxonomy_route *route,
                        struct cell *cells)
{
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        if (f->type == VALUE_NULL) continue;
        uint64_t mask = mask_of(r, route, f->key);
        for (uint32_t k = 0; mask; k++, mask >>= 1)
            if (mask & 1) add_value(ev, &cells[r->field_column[k]], f);
    }
}

static struct cell number_cell(struct event *ev, int64_t n, enum cell_kind kind)
{
    const char *text = arena_printf(ev->arena, "%lld", (long long)n);
    return (struct cell){slice_of(text), text ? kind : CELL_NONE};
}

static struct cell json_cell(struct reader *r, struct event *ev, enum cell_kind kind)
{
    buf_clear(&r->event);
    event_write_fields(ev, &r->event);
    struct slice copy = arena_dup(ev->arena, buf_slice(&r->event));
    return (struct cell){copy, copy.ptr && !buf_failed(&r->event) ? kind : CELL_NONE};
}

/* Of records that are no text it is what is understood of them. */
static struct cell raw_cell(struct reader *r, struct event *ev)
{
    if (slice_find_byte(ev->raw, '\0') == SIZE_MAX && utf8_valid(ev->raw))
        return (struct cell){ev->raw, CELL_TEXT};
    return json_cell(r, ev, CELL_TEXT);
}

static struct cell source_cell(struct event *ev, struct slice source)
{
    struct record_source s;
    record_source_read(source, &s);
    struct slice who = s.identity.len ? s.identity : s.address;
    const char *text =
        who.len ? arena_printf(ev->arena, "%.*s %.*s", SLICE_FMT(s.listener), SLICE_FMT(who))
                : arena_printf(ev->arena, "%.*s", SLICE_FMT(s.listener));
    return (struct cell){slice_of(text), text ? CELL_TEXT : CELL_NONE};
}

static struct cell place_cell(struct reader *r, struct event *ev, enum query_place place,
                              uint64_t seq)
{
    struct router *router = engine_router(r->engine);
    nsec time;
    struct slice host;
    switch (place) {
    case QUERY_TIME:
        time = router_event_time(router, ev);
        return number_cell(ev, time == TIME_NONE ? r->record.received : time, CELL_TIME);
    case QUERY_RECEIVED:
        return number_cell(ev, r->record.received, CELL_TIME);
    case QUERY_SEQ:
        return number_cell(ev, (int64_t)seq, CELL_NUMBER);
    case QUERY_HOST:
        host = router_event_host(router, ev);
        return (struct cell){host, host.len ? CELL_TEXT : CELL_NONE};
    case QUERY_SOURCE:
        return source_cell(ev, r->record.source);
    case QUERY_RAW:
        return raw_cell(r, ev);
    case QUERY_EVENT:
        return json_cell(r, ev, CELL_JSON);
    case QUERY_FIELD:
        break;
    }
    return (struct cell){SLICE_NONE, CELL_NONE};
}

static void fill(struct reader *r, struct event *ev, const struct taxonomy_route *route,
                 uint64_t seq, struct cell *cells)
{
    for (uint32_t i = 0; i < r->query->n_columns; i++) {
        cells[i] = (struct cell){SLICE_NONE, CELL_NONE};
        if (r->query->columns[i].place != QUERY_FIELD)
            cells[i] = place_cell(r, ev, r->query->columns[i].place, seq);
    }
    if (r->n_fields) fill_fields(r, ev, route, cells);
}

/* ---- rows -------------------------------------------------------------------------------- */

static void keep_row(struct reader *r, const struct cell *cells)
{
    buf_clear(&r->row);
    for (uint32_t i = 0; i < r->query->n_columns; i++) cell_write(&r->row, &cells[i]);
    buf_put(&r->found, buf_slice(&r->row));
    size_t end = r->found.len;
    buf_put(&r->ends, slice_make(&end, sizeof end));
}

static void tell_row(struct reader *r, size_t number)
{
    size_t ends[2] = {0, 0};
    memcpy(&ends[1], r->ends.ptr + number * sizeof *ends, sizeof *ends);
    if (number) memcpy(&ends[0], r->ends.ptr + (number - 1) * sizeof *ends, sizeof *ends);
    search_row_write(&r->out, &(struct search_row){
                                  .cells = slice_make(r->found.ptr + ends[0], ends[1] - ends[0])});
}

static int tell_piece(void *ctx, struct slice bytes)
{
    struct reader *r = ctx;
    search_piece_write(&r->out, &(struct search_piece){.bytes = bytes});
    return r->out.len > OUT_SEND ? send_out(r) : buf_error(&r->out);
}

static int flush(void *ctx)
{
    struct reader *r = ctx;
    size_t n = r->ends.len / sizeof(size_t);
    int error = buf_error(&r->found) ? buf_error(&r->found) : buf_error(&r->ends);
    for (size_t i = 0; i < n && error == 0; i++) {
        tell_row(r, r->begin->scan->newest_first ? n - 1 - i : i);
        if (r->out.len > OUT_SEND) error = send_out(r);
    }
    buf_clear(&r->found);
    buf_clear(&r->ends);
    if (error == 0 && r->groups && groups_full(r->groups))
        error = groups_split(r->groups, r, tell_piece);
    return error ? error : send_out(r);
}

/* ---- records ----------------------------------------------------------------------------- */

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct reader *r = ctx;
    struct engine_result found;
    struct cell cells[QUERY_COLUMNS_MAX];
    r->sum.events++;
    int error = engine_match(r->engine, ev, &found);
    scan_step(r->begin->scan);
    if (error == 0 && found.n_hits) {
        r->sum.matches++;
        if (r->needs_record) batch_iter_find(&r->iter, number, &r->record);
        fill(r, ev, found.route, r->first + number, cells);
        if (r->groups) groups_add(r->groups, cells);
        else keep_row(r, cells);
    }
    engine_housekeep(r->engine);
    return error;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct reader *r = ctx;
    (void)number;
    (void)reason;
    r->sum.undecodable++;
}

static int search_batch(void *ctx, const struct scan_batch *b)
{
    struct reader *r = ctx;
    const struct record_sink sink = {.ctx = r, .event = on_event, .undecodable = on_undecodable};
    const struct scan_begin *begin = r->begin->scan;
    uint32_t n = b->to - b->from;
    matcher_set_now(&r->matcher, b->latest);
    r->first = b->first;
    batch_iter_init(&r->iter, b->batch);
    int error;
    if (b->earliest >= begin->from && b->latest < begin->to) {
        error = record_decoder_batch(r->decoder, b->batch, b->from, b->to, &sink);
    } else {
        n = 0;
        error = record_decoder_between(r->decoder, b->batch, b->from, b->to, begin->from, begin->to,
                                       &sink, &n);
    }
    r->sum.records += n;
    return error;
}

static int begin_unit(void *ctx)
{
    struct reader *r = ctx;
    r->sum = (struct search_sum){0};
    return 0;
}

static int end_unit(void *ctx)
{
    struct reader *r = ctx;
    int error = r->groups ? groups_split(r->groups, r, tell_piece) : 0;
    search_sum_write(&r->out, &r->sum);
    return error ? error : send_out(r);
}

/* ---- the process ------------------------------------------------------------------------- */

static int init_columns(struct reader *r)
{
    const struct query *q = r->query;
    for (uint32_t i = 0; i < q->n_columns; i++) {
        enum query_place place = q->columns[i].place;
        r->needs_record |= place == QUERY_TIME || place == QUERY_RECEIVED || place == QUERY_SOURCE;
        if (place != QUERY_FIELD) continue;
        r->fields[r->n_fields] = q->columns[i].name;
        r->field_column[r->n_fields++] = i;
    }
    r->masks = calloc(TAXONOMY_ROUTES_MAX, sizeof *r->masks);
    return r->masks ? 0 : ERR_NOMEM;
}

static int reader_init(struct reader *r)
{
    buf_init(&r->out, FOUND_MAX);
    buf_init(&r->found, FOUND_MAX);
    buf_init(&r->ends, FOUND_MAX);
    buf_init(&r->row, SEARCH_TEXT_MAX);
    buf_init(&r->event, SEARCH_TEXT_MAX / 2);
    r->rule = r->begin->rules->set->rules[0];
    int error = init_columns(r);
    if (error) return error;
    if (rows_only_groups(r->query)) {
        r->groups = rows_groups(r->query, r->begin->zone, r->begin->memory);
        if (!r->groups) return ERR_NOMEM;
    }
    error = matcher_init(&r->matcher, r->begin->rules, &(struct engine_options){0});
    if (error) return error;
    r->engine = r->matcher.engine;
    r->decoder = record_decoder_new(engine_keys(r->engine));
    return r->decoder ? 0 : ERR_NOMEM;
}

int search_reader_run(const struct search_begin *begin, struct channel *channel)
{
    /* The process ends with this: the kernel takes all of it back. */
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return 1;
    r->begin = begin;
    r->query = begin->query;
    r->channel = channel;
    if (reader_init(r) != 0) return 1;
    return scan_reader_run(begin->scan, channel,
                           &(struct scan_work){.ctx = r,
                                               .batch = search_batch,
                                               .flush = flush,
                                               .unit_begin = begin_unit,
                                               .unit_end = end_unit});
}
