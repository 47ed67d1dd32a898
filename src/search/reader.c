/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/reader.h"

#include <stdlib.h>

#include "normalise/record_decoder.h"
#include "normalise/verbatim.h"
#include "search/columns.h"
#include "search/counting.h"

enum {
    OUT_SEND = 1024 * 1024,
    FOUND_MAX = 256 * 1024 * 1024, /* rows of one run of records */
    DECODE_ALL = 4,                /* above one in so many records */
};

struct reader {
    const struct search_begin *begin;
    const struct query *query;
    struct channel *channel;
    struct matcher matcher;
    struct engine *engine; /* the matcher's */
    struct record_decoder *decoder;
    struct columns *columns;
    struct groups *groups; /* NULL: rows are told */
    struct counting counting;
    struct buf out;
    struct search_sum sum;
    /* Rows of the run at hand; `ends` tells where each ends, as size_t. */
    struct buf found, ends;
    struct buf row;
    /* The batch at hand. */
    uint64_t first;
    uint64_t chosen[BATCH_RECORDS_MAX / 64];
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
        if (columns_need_record(r->columns)) batch_iter_find(&r->iter, number, &r->record);
        columns_fill(r->columns, ev, found.route, &r->record, r->first + number, cells);
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

/* Of the records those that the filter may hold for, by their bytes; how many. */
static uint32_t choose(struct reader *r, const struct scan_batch *b)
{
    const struct needles *needles = &r->begin->needles;
    uint32_t n = 0, words = (b->batch->n + 63) / 64;
    memset(r->chosen, 0, words * sizeof *r->chosen);
    verbatim_mark(b->batch, needles->at, needles->n, r->chosen);
    for (uint32_t i = 0; i < words; i++) n += (uint32_t)__builtin_popcountll(r->chosen[i]);
    return n;
}

static int search_batch(void *ctx, const struct scan_batch *b)
{
    struct reader *r = ctx;
    const struct record_sink sink = {.ctx = r, .event = on_event, .undecodable = on_undecodable};
    const struct scan_begin *begin = r->begin->scan;
    struct record_choice choice = {.from = begin->from, .to = begin->to};
    bool whole = b->earliest >= begin->from && b->latest < begin->to;
    uint32_t n = 0, may = r->begin->needles.n ? choose(r, b) : b->batch->n;
    r->sum.records += b->to - b->from;
    if (may == 0) return 0;
    matcher_set_now(&r->matcher, b->latest);
    r->first = b->first;
    batch_iter_init(&r->iter, b->batch);
    /* Many are decoded faster together. */
    if (whole && may > b->batch->n / DECODE_ALL)
        return record_decoder_batch(r->decoder, b->batch, b->from, b->to, &sink);
    if (r->begin->needles.n) choice.bits = r->chosen;
    return record_decoder_some(r->decoder, b->batch, b->from, b->to, &choice, &sink, &n);
}

/* Only an index that is current knows what products make of the records. */
static int note_unindexed(struct reader *r, const struct scan_segment *at, uint32_t group,
                          int error)
{
    if (error) r->sum.unindexed += segment_group_blocks(at->segment, group);
    return error == ERR_UNSUPPORTED ? 0 : error;
}

static int may_have(void *ctx, const struct scan_segment *at, uint32_t group, uint64_t *ret)
{
    struct reader *r = ctx;
    int error = index_asks_beside(r->begin->asks, at->segment, at->io, at->beside,
                                  r->begin->version, group, ret);
    return note_unindexed(r, at, group, error);
}

/* Units are no larger than groups. */
static int enter_group(struct reader *r, const struct scan_segment *at, uint32_t group)
{
    struct index_file file;
    int error = index_file_beside(&file, at->segment, at->io, at->beside, r->begin->version);
    if (error) {
        r->counting.looked = true;
        return note_unindexed(r, at, group, error);
    }
    error = counting_enter(&r->counting, &file, group);
    index_file_done(&file);
    return error;
}

static int is_known(void *ctx, const struct scan_segment *at, uint32_t number,
                    const struct segment_block *block)
{
    struct reader *r = ctx;
    struct counted counted;
    int error = 0;
    if (!r->groups || !r->counting.query) return 0;
    if (counting_wants(&r->counting)) error = enter_group(r, at, number / FILTER_BLOCKS);
    if (error) return error;
    int got = counting_add(&r->counting, number % FILTER_BLOCKS, r->groups, &counted);
    if (got != 1) return got;
    r->sum.records += block->n;
    r->sum.events += counted.events;
    r->sum.matches += counted.events;
    r->sum.undecodable += counted.undecodable;
    return 1;
}

static int begin_unit(void *ctx)
{
    struct reader *r = ctx;
    counting_leave(&r->counting);
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

static int reader_init(struct reader *r)
{
    buf_init(&r->out, FOUND_MAX);
    buf_init(&r->found, FOUND_MAX);
    buf_init(&r->ends, FOUND_MAX);
    buf_init(&r->row, SEARCH_TEXT_MAX);
    counting_init(&r->counting, r->query);
    if (rows_only_groups(r->query)) {
        r->groups = rows_groups(r->query, r->begin->zone, r->begin->memory);
        if (!r->groups) return ERR_NOMEM;
    }
    int error = matcher_init(&r->matcher, r->begin->rules, &(struct engine_options){0});
    if (error) return error;
    r->engine = r->matcher.engine;
    r->columns = columns_new(r->query, r->engine, r->begin->rules->set->rules[0]);
    r->decoder = record_decoder_new(engine_keys(r->engine));
    return r->columns && r->decoder ? 0 : ERR_NOMEM;
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
                                               .unit_end = end_unit,
                                               .may = begin->asks ? may_have : NULL,
                                               .known = is_known});
}
