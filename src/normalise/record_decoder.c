/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/record_decoder.h"

#include <stdlib.h>

#include "normalise/decoder.h"

/* The decoders of sources that read records as well. */
enum way { WAY_JSON, WAY_SYSLOG, WAY_AUDITD, WAY_CSV, WAY_ZEEK, N_WAYS };

struct record_decoder {
    struct decoder *ways[N_WAYS];
    struct buf headers[N_WAYS]; /* the header lines that each of them has */
    bool known[N_WAYS];         /* it has some */
    /* Of the call. */
    const struct record_sink *sink;
    struct batch_iter it; /* behind the record at hand */
    uint32_t number;      /* of the record at hand */
    struct record at;
    const char *run;    /* where the lines of a run begin; NULL: one record */
    uint32_t run_end;   /* the number behind the run */
    uint32_t events;    /* of the record at hand */
    const char *reason; /* what was said about it first, or NULL */
};

/* ---- which record is it ------------------------------------------------------------------- */

static void begin_record(struct record_decoder *d)
{
    d->events = 0;
    d->reason = NULL;
}

static void end_record(struct record_decoder *d)
{
    if (d->events == 0)
        d->sink->undecodable(d->sink->ctx, d->number, d->reason ? d->reason : "nothing is in it");
}

/* Goes on in a run to the record that has this place; those passed by had no event. */
static void go_to(struct record_decoder *d, const char *place)
{
    while (place > d->at.raw.ptr + d->at.raw.len && d->number + 1 < d->run_end) {
        end_record(d);
        (void)batch_iter_next(&d->it, &d->at);
        d->number++;
        begin_record(d);
    }
}

static int on_event(void *ctx, struct event *ev)
{
    struct record_decoder *d = ctx;
    if (d->run) go_to(d, ev->raw.ptr);
    d->events++;
    ev->record = (uint64_t)d->number + 1;
    return d->sink->event(d->sink->ctx, d->number, ev);
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)record;
    struct record_decoder *d = ctx;
    if (d->run) go_to(d, d->run + offset);
    if (!d->reason) d->reason = reason;
}

/* ---- which way ---------------------------------------------------------------------------- */

enum { JSON_SURELY = 90 }; /* {" or the like */

/* What a line of unknown form is: any text is a line at least, and those are syslog's. */
static enum way look(struct slice raw)
{
    if (decoder_json.sniff(raw, true) >= JSON_SURELY) return WAY_JSON;
    if (!slice_starts_with(raw, SLICE("type=")) && !slice_starts_with(raw, SLICE("node=")))
        return WAY_SYSLOG;
    return decoder_auditd.sniff(raw, true) > 0 ? WAY_AUDITD : WAY_SYSLOG;
}

/* N_WAYS: none. */
static enum way way_of(const struct record *r)
{
    switch ((enum record_format)r->format) {
    case RECORD_TEXT:
        return look(r->raw);
    case RECORD_SYSLOG:
        return WAY_SYSLOG;
    case RECORD_JSON:
    case RECORD_BULK:
    case RECORD_BEATS:
        return WAY_JSON;
    case RECORD_CSV:
        return WAY_CSV;
    case RECORD_ZEEK:
        return WAY_ZEEK;
    case RECORD_AUDITD:
        return WAY_AUDITD;
    default:
        return N_WAYS;
    }
}

/* Makes the decoder know the header lines that are the record's context. */
static int set_header(struct record_decoder *d, enum way way, struct slice context)
{
    struct buf *known = &d->headers[way];
    if (d->known[way] && slice_eq(buf_slice(known), context)) return 0;
    d->known[way] = false;
    buf_clear(known);
    buf_put(known, context);
    if (buf_failed(known)) return buf_error(known);
    int rc = d->ways[way]->ops->header(d->ways[way], context);
    d->known[way] = rc == 0;
    return rc;
}

static int decode_record(struct record_decoder *d)
{
    enum way way = way_of(&d->at);
    begin_record(d);
    d->run = NULL;
    int rc = 0;
    if (way == N_WAYS) {
        d->reason = "no decoder knows this format";
    } else {
        const struct decoder_ops *ops = d->ways[way]->ops;
        if (ops->header) rc = set_header(d, way, d->at.context);
        if (rc == 0) rc = ops->record(d->ways[way], d->at.raw);
    }
    if (rc == 0) end_record(d);
    return rc;
}

/* ---- a batch ------------------------------------------------------------------------------ */

/* One line that the index of many lines can hold. */
static bool is_json_line(const struct record *r)
{
    return !(r->flags & RECORD_HAS_LF) && way_of(r) == WAY_JSON;
}

/* The record at hand and those behind it are JSON lines up to run_end; the last one is `last`. */
static int decode_run(struct record_decoder *d, struct slice last)
{
    struct decoder *json = d->ways[WAY_JSON];
    const char *begin = d->at.raw.ptr;
    begin_record(d);
    d->run = begin;
    int rc = json->ops->records(json, slice_make(begin, (size_t)(last.ptr - begin) + last.len + 1));
    if (rc != 0) return rc;
    go_to(d, last.ptr);
    end_record(d);
    return 0;
}

int record_decoder_batch(struct record_decoder *d, const struct batch *batch, uint32_t first,
                         uint32_t end, const struct record_sink *sink)
{
    if (end > batch->n) end = batch->n;
    d->sink = sink;
    batch_iter_init(&d->it, batch);
    int rc = 0;
    for (d->number = 0; d->number < end && rc == 0; d->number++) {
        (void)batch_iter_next(&d->it, &d->at);
        if (d->number < first) continue;
        if (!is_json_line(&d->at)) {
            rc = decode_record(d);
            continue;
        }
        struct batch_iter ahead = d->it;
        struct record r = d->at;
        struct slice last = r.raw;
        for (d->run_end = d->number + 1; d->run_end < end; d->run_end++) {
            (void)batch_iter_next(&ahead, &r);
            if (!is_json_line(&r)) break;
            last = r.raw;
        }
        rc = decode_run(d, last);
    }
    return rc;
}

int record_decoder_one(struct record_decoder *d, const struct record *record,
                       const struct record_sink *sink)
{
    d->sink = sink;
    d->number = 0;
    d->at = *record;
    return decode_record(d);
}

/* ---- the decoder -------------------------------------------------------------------------- */

void record_decoder_free(struct record_decoder *d)
{
    if (!d) return;
    for (int i = 0; i < N_WAYS; i++) {
        if (d->ways[i]) d->ways[i]->ops->close(d->ways[i]);
        buf_done(&d->headers[i]);
    }
    free(d);
}

struct record_decoder *record_decoder_new(struct keys *keys)
{
    static const struct decoder_ops *const ops[N_WAYS] = {
        [WAY_JSON] = &decoder_json, [WAY_SYSLOG] = &decoder_syslog, [WAY_AUDITD] = &decoder_auditd,
        [WAY_CSV] = &decoder_csv,   [WAY_ZEEK] = &decoder_zeek,
    };
    struct record_decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    const struct decoder_out out = {.ctx = d, .emit = on_event, .bad = on_bad};
    bool whole = true;
    for (int i = 0; i < N_WAYS; i++) {
        buf_init(&d->headers[i], RECORD_TEXT_MAX);
        d->ways[i] = ops[i]->open(&out, keys);
        whole = whole && d->ways[i];
    }
    if (whole) return d;
    record_decoder_free(d);
    return NULL;
}
