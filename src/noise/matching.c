/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/matching.h"

#include <stdlib.h>

enum {
    OUT_SEND = 256 * 1024,
    OUT_MAX = 256 * 1024 * 1024, /* of one block */
};

int matching_send(struct matching *m)
{
    int error = buf_error(&m->out);
    if (error == 0 && m->out.len) error = channel_send(m->channel, buf_slice(&m->out), -1);
    buf_clear(&m->out);
    return error;
}

/* ---- events ------------------------------------------------------------------------------ */

static void tell_tuple(struct matching *m, struct event *ev, const struct sigma_rule *rule,
                       uint64_t seq)
{
    struct correlator_wants wants;
    correlator_wants(m->begin->correlator, rule->index, &wants);
    if (!wants.wanted) return;
    for (uint32_t i = 0; i < wants.n_fields; i++)
        if (!engine_field(m->engine, ev, rule, wants.fields[i], &m->wanted[i]))
            m->wanted[i] = SLICE_NONE;
    buf_clear(&m->tuple);
    /* Windows run on the time of receipt, as they do on watch. */
    correlator_tuple_write(&m->tuple, &(struct correlator_tuple){.rule = rule->index,
                                                                 .time = m->record.received,
                                                                 .ref = seq,
                                                                 .values = m->wanted,
                                                                 .n_values = wants.n_fields});
    if (!buf_failed(&m->tuple))
        noise_tuple_write(&m->out, &(struct noise_tuple){.seq = seq, .body = buf_slice(&m->tuple)});
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct matching *m = ctx;
    struct engine_result found = {0};
    uint64_t seq = m->first + number;
    int error = 0;
    m->sum.events++;
    if (m->begin->routes_only) found.route = engine_route(m->engine, ev);
    else error = engine_match(m->engine, ev, &found);
    scan_step(m->begin->scan);
    if (error == 0 && found.route) m->sum.unknown += found.route->n_labels == 0;
    if (error == 0 && found.n_hits) batch_iter_find(&m->iter, number, &m->record);
    for (uint32_t i = 0; i < found.n_hits && m->begin->correlator && error == 0; i++)
        tell_tuple(m, ev, found.hits[i].rule, seq);
    if (error == 0) error = m->work->event(m->work->ctx, ev, &found, &m->record, seq);
    engine_housekeep(m->engine);
    return error;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct matching *m = ctx;
    (void)number;
    (void)reason;
    m->sum.undecodable++;
}

/* ---- records ----------------------------------------------------------------------------- */

static void widen(struct matching *m, nsec earliest, nsec latest)
{
    if (earliest < m->sum.first) m->sum.first = earliest;
    if (latest > m->sum.last) m->sum.last = latest;
}

/* Of a batch that has records of other times as well. */
static int match_some(struct matching *m, const struct scan_batch *b,
                      const struct record_sink *sink)
{
    const struct scan_begin *scan = m->begin->scan;
    const struct record_choice choice = {.from = scan->from, .to = scan->to};
    uint32_t some = 0;
    int error = record_decoder_some(m->decoder, b->batch, b->from, b->to, &choice, sink, &some);
    m->sum.records += some;
    if (some)
        widen(m, b->earliest < scan->from ? scan->from : b->earliest,
              b->latest >= scan->to ? scan->to - 1 : b->latest);
    return error;
}

static int match_batch(void *ctx, const struct scan_batch *b)
{
    struct matching *m = ctx;
    const struct record_sink sink = {.ctx = m, .event = on_event, .undecodable = on_undecodable};
    const struct scan_begin *scan = m->begin->scan;
    matcher_set_now(&m->matcher, b->latest);
    m->first = b->first;
    batch_iter_init(&m->iter, b->batch);
    if (b->earliest < scan->from || b->latest >= scan->to) return match_some(m, b, &sink);
    m->sum.records += b->to - b->from;
    widen(m, b->earliest, b->latest);
    return record_decoder_batch(m->decoder, b->batch, b->from, b->to, &sink);
}

static int may_have(void *ctx, const struct scan_segment *at, uint32_t group, uint64_t *ret)
{
    const struct matching *m = ctx;
    return passing_may(m->begin->passing, at, group, ret);
}

static int flush(void *ctx)
{
    struct matching *m = ctx;
    return m->out.len > OUT_SEND ? matching_send(m) : buf_error(&m->out);
}

static int begin_unit(void *ctx)
{
    struct matching *m = ctx;
    m->sum = (struct noise_sum){.first = INT64_MAX, .last = INT64_MIN};
    if (m->work->unit_begin) m->work->unit_begin(m->work->ctx);
    return 0;
}

static int end_unit(void *ctx)
{
    struct matching *m = ctx;
    if (m->work->unit_end) m->work->unit_end(m->work->ctx);
    noise_sum_write(&m->out, &m->sum);
    return matching_send(m);
}

/* ---- the process ------------------------------------------------------------------------- */

int matching_init(struct matching *m, const struct matching_begin *begin,
                  const struct matching_work *work, struct channel *channel)
{
    *m = (struct matching){.begin = begin, .work = work, .channel = channel};
    buf_init(&m->out, OUT_MAX);
    buf_init(&m->tuple, NOISE_TEXT_MAX);
    m->wanted = calloc(CORRELATOR_FIELDS_MAX, sizeof *m->wanted);
    if (!m->wanted) return ERR_NOMEM;
    int error = matcher_init(&m->matcher, begin->rules,
                             &(struct engine_options){.any_logsource = begin->any_logsource});
    if (error) return error;
    m->engine = m->matcher.engine;
    m->decoder = record_decoder_new(engine_keys(m->engine));
    return m->decoder ? 0 : ERR_NOMEM;
}

int matching_run(struct matching *m)
{
    return scan_reader_run(m->begin->scan, m->channel,
                           &(struct scan_work){.ctx = m,
                                               .batch = match_batch,
                                               .flush = flush,
                                               .unit_begin = begin_unit,
                                               .unit_end = end_unit,
                                               .may = m->begin->passing->asks ? may_have : NULL});
}
