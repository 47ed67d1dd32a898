/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/reader.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "hunt/finding.h"
#include "hunt/open.h"
#include "normalise/inner.h"

enum {
    FLUSH_AT = 128 * 1024,
    FLUSH_NSEC = 2 * 1000 * 1000, /* a finding waits no longer when others follow: a record that
                                     brings the decoder down takes little with it */
    PROGRESS_EVERY = 1024 * 1024, /* bytes read between two reports */
    REASON_MAX = 240,
};

struct reader {
    const struct reader_context *ctx;
    struct channel *channel;
    struct router *router;
    struct line_writer lines;
    struct buf out; /* frames on their way */
    struct buf line;
    struct buf tuple;
    struct buf name;      /* of the source at hand */
    struct slice *values; /* CORRELATOR_FIELDS_MAX */
    struct inner_reader *inner;
    nsec flushed;   /* when, monotonic */
    bool streaming; /* input that trickles: send at once */
    /* Of the unit. */
    uint64_t position, bytes, events, last_record, untimed, sources, reported;
    uint64_t unknown_before; /* the engine's count when the unit began */
    /* Of the source at hand. */
    bool is_syslog;
    uint64_t began_at; /* of `bytes` */
    uint64_t bad_records, bad_offset, bad_record;
    const char *bad_reason;
};

static int flush(struct reader *r)
{
    r->flushed = clock_monotonic(r->ctx->clock);
    int result = channel_send(r->channel, buf_slice(&r->out), -1);
    buf_clear(&r->out);
    return result;
}

/* ---- matches ----------------------------------------------------------------------------- */

static void send_tuple(struct reader *r, struct event *ev, const struct sigma_rule *rule, nsec time)
{
    struct correlator_wants wants;
    correlator_wants(r->ctx->correlator, rule->index, &wants);
    if (!wants.wanted) return;
    for (uint32_t i = 0; i < wants.n_fields; i++)
        if (!engine_field(r->ctx->engine, ev, rule, wants.fields[i], &r->values[i]))
            r->values[i] = SLICE_NONE;
    struct correlator_tuple tuple = {
        .rule = rule->index, .time = time, .values = r->values, .n_values = wants.n_fields};
    buf_clear(&r->tuple);
    correlator_tuple_write(&r->tuple, &tuple);
    if (buf_failed(&r->tuple)) return;
    size_t begin = r->out.len;
    message_tuple_write(&r->out, &(struct message_tuple){.record = ev->record,
                                                         .source = buf_slice(&r->name),
                                                         .body = buf_slice(&r->tuple)});
    (void)finding_is_whole(&r->out, begin);
}

static bool in_time(const struct reader_context *ctx, nsec time)
{
    if (ctx->from != TIME_NONE && time < ctx->from) return false;
    return ctx->to == TIME_NONE || time <= ctx->to;
}

static void on_hits(struct reader *r, struct event *ev, const struct engine_result *result)
{
    const struct reader_context *ctx = r->ctx;
    nsec time = router_event_time(r->router, ev);
    if (time == TIME_NONE) r->untimed++;
    else if (!in_time(ctx, time)) return;
    line_event(&r->lines, ev, time, router_event_host(r->router, ev), buf_slice(&r->name));
    for (uint32_t i = 0; i < result->n_hits; i++) {
        const struct engine_hit *hit = &result->hits[i];
        if (ctx->correlator) send_tuple(r, ev, hit->rule, time);
        if (!hit->rule->silent && hit->rule->doc->level >= ctx->min_level)
            finding_write(&r->lines, hit, &r->line, &r->out);
    }
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct reader *r = ctx;
    if (record > r->last_record) r->last_record = record;
    if (r->bad_records++ > 0) return;
    r->bad_offset = offset;
    r->bad_record = record;
    r->bad_reason = reason;
}

static int on_emit(void *ctx, struct event *ev)
{
    struct reader *r = ctx;
    struct engine_result result;
    int error = r->is_syslog ? inner_read_message(r->inner, ev, false) : 0;
    r->events++;
    if (ev->record > r->last_record) r->last_record = ev->record;
    if (__builtin_expect((ev->flags & EVENT_CUT) != 0, 0))
        on_bad(r, r->bytes - r->began_at, ev->record,
               "it has too many values, only the first were kept");
    if (error == 0) error = engine_match(r->ctx->engine, ev, &result);
    if (__builtin_expect(error != 0, 0)) return error;
    if (__builtin_expect(result.n_hits > 0, 0)) {
        on_hits(r, ev, &result);
        if (r->out.len >= FLUSH_AT || clock_monotonic(r->ctx->clock) - r->flushed >= FLUSH_NSEC)
            error = flush(r);
    }
    engine_housekeep(r->ctx->engine);
    return error;
}

/* ---- the unit ---------------------------------------------------------------------------- */

static void send_bad(struct reader *r, const struct message_bad *bad)
{
    size_t begin = r->out.len;
    message_bad_write(&r->out, bad);
    (void)finding_is_whole(&r->out, begin);
}

static void on_begin(void *ctx, struct slice name, const struct decoder_ops *format)
{
    struct reader *r = ctx;
    log_write(LOG_SOURCE_OPENED, LOG_NUMBER("worker", getpid()), LOG_TEXT("source", name),
              LOG_TEXT("format", slice_of(format->name)));
    buf_clear(&r->name);
    buf_put(&r->name, name);
    r->sources++;
    r->began_at = r->bytes;
    r->bad_records = 0;
    r->is_syslog = format == &decoder_syslog;
}

static void on_end(void *ctx)
{
    struct reader *r = ctx;
    if (r->bad_records == 0) return;
    send_bad(r, &(struct message_bad){.source = buf_slice(&r->name),
                                      .reason = slice_of(r->bad_reason),
                                      .records = r->bad_records,
                                      .offset = r->bad_offset,
                                      .record = r->bad_record});
}

static void on_unreadable(void *ctx, struct slice name, struct slice reason)
{
    struct reader *r = ctx;
    send_bad(r, &(struct message_bad){.source = name, .reason = slice_until(reason, REASON_MAX)});
}

/* Events of any unit so far whose log source nothing told. */
static uint64_t count_unknown(const struct reader *r)
{
    struct engine_stats stats;
    engine_get_stats(r->ctx->engine, &stats);
    return stats.unknown_logsource;
}

static int on_progress(void *ctx, uint64_t position, uint64_t bytes)
{
    struct reader *r = ctx;
    r->position = position;
    r->bytes = bytes;
    if (!r->streaming && position - r->reported < PROGRESS_EVERY && r->out.len < FLUSH_AT) return 0;
    r->reported = position;
    message_progress_write(
        &r->out, &(struct message_progress){.position = position,
                                            .bytes = bytes,
                                            .events = r->events,
                                            .last_record = r->last_record,
                                            .untimed = r->untimed,
                                            .unknown = count_unknown(r) - r->unknown_before});
    return flush(r);
}

static int read_unit(struct reader *r, const struct message_unit *unit, int fd)
{
    const struct open_events events = {.ctx = r,
                                       .begin = on_begin,
                                       .end = on_end,
                                       .unreadable = on_unreadable,
                                       .progress = on_progress,
                                       .emit = on_emit,
                                       .bad = on_bad};
    const struct open_input in = {
        .fd = fd, .regular = unit->regular, .size = unit->size, .name = unit->name};
    struct keys *keys = engine_keys(r->ctx->engine);
    struct open_split split = {.cut = CUT_NONE};
    if (unit->cut == CUT_NONE) {
        int result = open_file(&in, keys, &events, READER_SPLIT_FROM, &split);
        if (result == 0 && split.cut != CUT_NONE)
            message_split_write(&r->out,
                                &(struct message_split){.format = slice_of(split.ops->name),
                                                        .cut = (uint8_t)split.cut});
        return result;
    }
    split = (struct open_split){(enum cut)unit->cut, decoder_by_name(unit->format)};
    if (unit->cut > CUT_LAST_ || !split.ops || unit->begin > unit->end) return ERR_CORRUPT;
    return open_range(&in, keys, &events, &split, unit->begin, unit->end);
}

static uint64_t peak_rss(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss < 0) return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}

static int do_unit(struct reader *r, struct slice payload)
{
    struct message_unit unit;
    int fd = channel_take_fd(r->channel);
    if (message_unit_read(payload, &unit) != 0 || fd < 0) return ERR_CORRUPT;
    r->position = r->bytes = r->events = r->last_record = 0;
    r->untimed = r->sources = r->reported = 0;
    r->unknown_before = count_unknown(r);
    r->streaming = !unit.regular;
    int result = read_unit(r, &unit, fd);
    (void)close(fd);
    if (result != 0) return result;
    message_end_write(&r->out,
                      &(struct message_end){.position = r->position,
                                            .bytes = r->bytes,
                                            .events = r->events,
                                            .last_record = r->last_record,
                                            .untimed = r->untimed,
                                            .unknown = count_unknown(r) - r->unknown_before,
                                            .sources = r->sources,
                                            .rss = peak_rss()});
    return flush(r);
}

static void log_engine(const struct engine *engine)
{
    struct engine_stats stats;
    engine_get_stats(engine, &stats);
    log_write(LOG_PLANS_COMPILED, LOG_NUMBER("worker", getpid()), LOG_NUMBER("plans", stats.plans),
              LOG_NUMBER("bytes", stats.plan_bytes), LOG_NUMBER("events", stats.events));
}

int reader_run(void *ctx, struct channel *channel)
{
    struct reader r = {.ctx = ctx, .channel = channel};
    r.router = engine_router(r.ctx->engine);
    buf_init(&r.out, FLUSH_AT + 3 * (size_t)MESSAGE_MAX);
    buf_init(&r.line, MESSAGE_TEXT_MAX * 2);
    buf_init(&r.tuple, MESSAGE_TEXT_MAX);
    buf_init(&r.name, MESSAGE_UNIT_MAX * 2);
    r.values = calloc(CORRELATOR_FIELDS_MAX, sizeof *r.values);
    r.inner = inner_reader_new(engine_keys(r.ctx->engine));
    int result = r.values && r.inner
                     ? line_writer_init(&r.lines, r.ctx->engine, r.ctx->format, r.ctx->n_rules)
                     : ERR_NOMEM;
    while (result == 0) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        if (got == 0) result = channel_fill(channel);
        else if (got > 0 && frame.type == MESSAGE_UNIT) result = do_unit(&r, frame.payload);
        else result = ERR_CORRUPT;
    }
    log_engine(r.ctx->engine);
    if (result == ERR_STOPPED) return 0;
    return result == ERR_NOMEM ? READER_NOMEM : READER_CONFUSED;
}
