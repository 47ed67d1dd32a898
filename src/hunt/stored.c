/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/stored.h"

#include <stdlib.h>

#include "hunt/finding.h"

enum {
    UNIT_BLOCKS = 8,
    HELD_MAX = 64 * 1024 * 1024,
    TURN_MS = 100, /* ^C is heard so late at most */
};

/* ---- a reader's process ------------------------------------------------------------------ */

struct reader {
    const struct stored_spec *spec;
    struct matching_begin begin;
    struct matching matching;
    struct line_writer lines;
    struct buf line;
};

static int on_event(void *ctx, struct event *ev, const struct engine_result *found,
                    const struct record *record, uint64_t seq)
{
    struct reader *r = ctx;
    struct router *router = engine_router(r->matching.engine);
    if (found->n_hits == 0) return 0;
    line_record(&r->lines, ev, router_event_time(router, ev), router_event_host(router, ev), record,
                seq);
    for (uint32_t i = 0; i < found->n_hits; i++) {
        const struct engine_hit *hit = &found->hits[i];
        if (!hit->rule->silent && hit->rule->doc->level >= r->spec->min_level)
            finding_write(&r->lines, hit, &r->line, &r->matching.out);
    }
    return 0;
}

static int run_reader(const struct stored_spec *spec, struct passing *passing,
                      const struct scan_begin *begin, struct channel *channel)
{
    /* The process ends with this: the kernel takes all of it back. */
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return 1;
    const struct matching_work work = {.ctx = r, .event = on_event};
    r->spec = spec;
    r->begin = spec->matching;
    r->begin.scan = begin;
    r->begin.passing = passing;
    buf_init(&r->line, 2 * MESSAGE_TEXT_MAX);
    if (matching_init(&r->matching, &r->begin, &work, channel) != 0 ||
        line_writer_init(&r->lines, r->matching.engine, spec->format,
                         r->begin.rules->set->n_rules) != 0)
        return 1;
    return matching_run(&r->matching);
}

/* ---- its parent -------------------------------------------------------------------------- */

struct stored {
    const struct stored_spec *spec;
    struct passing passing;
    struct stored_totals *totals;
    struct scan *scan;
    struct loop_deferred turn;
};

static int on_reader(void *ctx, const struct scan_begin *begin, struct channel *channel)
{
    struct stored *s = ctx;
    return run_reader(s->spec, &s->passing, begin, channel);
}

static int open_beside(void *ctx, uint64_t begin)
{
    const struct stored *s = ctx;
    return passing_beside(&s->passing, begin);
}

static int take_alert(const struct stored *s, struct slice payload)
{
    struct message_alert m;
    if (message_alert_read(payload, &m) != 0 || m.splice != MESSAGE_IN_PLACE ||
        m.rule >= s->spec->matching.rules->set->n_rules)
        return ERR_CORRUPT;
    s->spec->alert(s->spec->ctx, &m, m.record);
    return 0;
}

static int take_tuple(const struct stored *s, struct slice payload)
{
    struct noise_tuple m;
    if (noise_tuple_read(payload, &m) != 0) return ERR_CORRUPT;
    s->spec->tuple(s->spec->ctx,
                   &(struct message_tuple){.record = m.seq, .source = SLICE(""), .body = m.body},
                   m.seq);
    return 0;
}

static int take_sum(const struct stored *s, struct slice payload)
{
    struct noise_sum m;
    if (noise_sum_read(payload, &m) != 0) return ERR_CORRUPT;
    s->totals->records += m.records;
    s->totals->events += m.events;
    s->totals->unknown += m.unknown;
    s->totals->undecodable += m.undecodable;
    return 0;
}

static int take(void *ctx, const struct frame *frame)
{
    switch (frame->type) {
    case MESSAGE_ALERT:
        return take_alert(ctx, frame->payload);
    case NOISE_TUPLE:
        return take_tuple(ctx, frame->payload);
    case NOISE_SUM:
        return take_sum(ctx, frame->payload);
    default:
        return ERR_CORRUPT;
    }
}

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    const struct stored *s = ctx;
    s->spec->damage(s->spec->ctx, kind, seq);
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    struct stored *s = ctx;
    s->totals->scan = *progress;
    return s->spec->tick(s->spec->ctx, s->totals);
}

static void on_turn(void *ctx)
{
    struct stored *s = ctx;
    int error = scan_turn(s->scan, TURN_MS);
    if (error || scan_is_done(s->scan)) loop_stop(s->spec->loop, error);
    else loop_defer(s->spec->loop, &s->turn);
}

static int run(struct stored *s, struct diag *diag)
{
    const struct stored_spec *spec = s->spec;
    const struct scan_options options = {.store = spec->store,
                                         .from = spec->from,
                                         .to = spec->to,
                                         .jobs = spec->jobs,
                                         .blocks = UNIT_BLOCKS,
                                         .clock = spec->clock,
                                         .silence = spec->silence,
                                         .null_fd = spec->null_fd,
                                         .max_payload = MESSAGE_MAX,
                                         .held_max = HELD_MAX,
                                         .run = on_reader,
                                         .ctx = s,
                                         .beside = s->passing.asks ? open_beside : NULL,
                                         .take = take,
                                         .damage = on_damage,
                                         .tick = on_tick};
    int error = scan_open(&options, &s->scan, diag);
    if (error) return error;
    s->turn = (struct loop_deferred){.call = on_turn, .ctx = s};
    loop_defer(spec->loop, &s->turn);
    error = loop_run(spec->loop);
    loop_defer_cancel(spec->loop, &s->turn);
    scan_close(s->scan, &s->totals->scan);
    return error;
}

int stored_run(const struct stored_spec *spec, struct stored_totals *ret, struct diag *diag)
{
    struct stored s = {.spec = spec, .totals = ret};
    *ret = (struct stored_totals){0};
    if (passing_init(&s.passing, spec->matching.rules, spec->store) != 0)
        return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
    int error = run(&s, diag);
    passing_done(&s.passing);
    return error;
}
