/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/search.h"

#include <unistd.h>

#include "index/maker.h"
#include "normalise/verbatim.h"
#include "search/reader.h"

enum {
    UNIT_BLOCKS = FILTER_BLOCKS, /* those of one group of filters */
    HELD_MAX = 64 * 1024 * 1024,
    ENDS = 1, /* what take() and tick() end a scan with */
};

struct search {
    const struct search_options *options;
    struct search_result *result;
    struct search_begin begin;
    struct rows *rows;
    nsec since;
    uint64_t taken; /* rows, each of an event that matches */
    int indexes;    /* their folder; -1: there is none, or nothing that they can be asked */
};

static int run_reader(void *ctx, const struct scan_begin *begin, struct channel *channel)
{
    struct search *s = ctx;
    s->begin.scan = begin;
    return search_reader_run(&s->begin, channel);
}

static int take_row(struct search *s, struct slice payload)
{
    struct search_row row;
    struct cell cells[QUERY_COLUMNS_MAX];
    if (search_row_read(payload, &row) != 0 ||
        !cells_read(row.cells, cells, s->options->query->n_columns))
        return ERR_CORRUPT;
    s->taken++;
    int error = rows_push(s->rows, cells);
    if (error || !rows_full(s->rows)) return error;
    s->result->end = SEARCH_ENOUGH;
    return ENDS;
}

static int take_sum(struct search *s, struct slice payload)
{
    struct search_sum sum;
    struct search_progress *p = &s->result->progress;
    if (search_sum_read(payload, &sum) != 0) return ERR_CORRUPT;
    p->records += sum.records;
    p->events += sum.events;
    p->matches += sum.matches;
    p->undecodable += sum.undecodable;
    p->unindexed += sum.unindexed;
    return 0;
}

static int take(void *ctx, const struct frame *frame)
{
    struct search *s = ctx;
    struct search_piece piece;
    switch (frame->type) {
    case SEARCH_ROW:
        return take_row(s, frame->payload);
    case SEARCH_PIECE:
        return search_piece_read(frame->payload, &piece) || !rows_only_groups(s->options->query)
                   ? ERR_CORRUPT
                   : rows_merge(s->rows, piece.bytes);
    case SEARCH_SUM:
        return take_sum(s, frame->payload);
    default:
        return ERR_CORRUPT;
    }
}

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    const struct search *s = ctx;
    s->options->damage(s->options->ctx, kind, seq);
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    struct search *s = ctx;
    struct search_progress *p = &s->result->progress;
    p->scan = *progress;
    p->elapsed = clock_monotonic(s->options->clock) - s->since;
    s->result->end = SEARCH_WHOLE;
    if (!s->options->tick(s->options->ctx, p)) s->result->end = SEARCH_ENDED;
    else if (p->elapsed > s->options->time) s->result->end = SEARCH_TIME;
    return s->result->end == SEARCH_WHOLE ? 0 : ENDS;
}

static int open_index(void *ctx, uint64_t begin)
{
    const struct search *s = ctx;
    return index_folder_file(s->indexes, begin);
}

static int prepare_indexes(struct search *s)
{
    const struct search_options *o = s->options;
    s->begin.asks = index_asks_new(o->query->filter);
    if (!s->begin.asks) return ERR_NOMEM;
    if (index_asks_nothing(s->begin.asks) && o->query->filter->kind != EXPR_TRUE) return 0;
    s->begin.version = index_version(o->rules);
    s->indexes = index_folder_open(o->store);
    return 0;
}

static void done_indexes(struct search *s)
{
    if (s->indexes >= 0) (void)close(s->indexes);
    index_asks_free(s->begin.asks);
}

static bool is_copied(void *ctx, struct slice field)
{
    return products_copied(ctx, field);
}

int search_needles(const struct ruleset *rules, const struct query *query, struct needles *ret)
{
    struct products_copies *copies = products_copies_new(rules->products, verbatim_is_plain);
    if (!copies) return ERR_NOMEM;
    needles_find(
        query->filter,
        &(struct needles_world){.ctx = copies, .plain = verbatim_is_plain, .copied = is_copied},
        ret);
    products_copies_free(copies);
    return 0;
}

static int scan(struct search *s, struct diag *diag)
{
    const struct search_options *o = s->options;
    return scan_run(&(struct scan_options){.store = o->store,
                                           .from = o->from,
                                           .to = o->to,
                                           .jobs = o->jobs,
                                           .blocks = UNIT_BLOCKS,
                                           .newest_first = true,
                                           .clock = o->clock,
                                           .null_fd = o->null_fd,
                                           .silence = o->silence,
                                           .max_payload = SEARCH_PAYLOAD_MAX,
                                           .held_max = HELD_MAX,
                                           .run = run_reader,
                                           .ctx = s,
                                           .take = take,
                                           .damage = on_damage,
                                           .beside = open_index,
                                           .tick = on_tick},
                    &s->result->progress.scan, diag);
}

int search_run(const struct search_options *options, struct search_result *ret, struct diag *diag)
{
    uint32_t jobs = options->jobs ? options->jobs : 1;
    struct search s = {.options = options, .result = ret, .indexes = -1};
    *ret = (struct search_result){.end = SEARCH_WHOLE};
    diag->message[0] = '\0';
    s.begin = (struct search_begin){.rules = options->rules,
                                    .query = options->query,
                                    .zone = options->zone,
                                    .memory = options->memory / 2 / jobs};
    s.since = clock_monotonic(options->clock);
    s.rows = rows_new(&(struct rows_options){.query = options->query,
                                             .zone = options->zone,
                                             .memory = options->memory / 2,
                                             .ctx = options->ctx,
                                             .row = options->row});
    int error =
        s.rows ? search_needles(options->rules, options->query, &s.begin.needles) : ERR_NOMEM;
    if (error == 0) error = prepare_indexes(&s);
    if (error == 0) error = scan(&s, diag);
    if (error == ENDS) error = 0;
    if (error == 0) error = rows_finish(s.rows);
    /* Where there is enough of them their unit has not finished. */
    if (ret->progress.matches < s.taken) ret->progress.matches = s.taken;
    if (s.rows) rows_get_cut(s.rows, &ret->cut);
    ret->progress.elapsed = clock_monotonic(options->clock) - s.since;
    rows_free(s.rows);
    done_indexes(&s);
    if (error < 0 && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
