/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/record_decoder.h"

#include <stdlib.h>

#include "base/utf8.h"

#include "normalise/decoder.h"
#include "normalise/inner.h"
#include "normalise/record_forms.h"

/* The decoders of sources that read records as well. */
enum way {
    WAY_JSON,
    WAY_SYSLOG,
    WAY_AUDITD,
    WAY_CSV,
    WAY_ZEEK,
    WAY_W3C,
    WAY_EVTX,
    N_WAYS,
    WAY_FORM = N_WAYS, /* a form of record_forms.h */
    WAY_UTF16,         /* text that is not UTF-8 yet: then it is one of the others */
};

enum { ARENA_MAX = 8 * RECORD_MAX };

struct record_decoder {
    struct decoder *ways[N_WAYS];
    struct buf headers[N_WAYS]; /* the context that each of them has */
    bool known[N_WAYS];         /* it has some */
    struct buf utf8;            /* the record at hand, when it was UTF-16 */
    struct arena arena;
    struct event ev; /* of a form */
    struct inner_reader *inner;
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
        (void)batch_iter_next_raw(&d->it, &d->at); /* JSON needs no context */
        d->number++;
        begin_record(d);
    }
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)record;
    struct record_decoder *d = ctx;
    if (d->run) go_to(d, d->run + offset);
    if (!d->reason) d->reason = reason;
}

/* ---- which way ---------------------------------------------------------------------------- */

static enum way way_of_bytes(const struct record *r)
{
    static const enum way of_text[INNER_KINDS] = {
        [INNER_JSON] = WAY_JSON, [INNER_SYSLOG] = WAY_SYSLOG, [INNER_AUDITD] = WAY_AUDITD};
    switch ((enum record_format)r->format) {
    case RECORD_TEXT:
        return of_text[inner_look(r->raw)];
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
    case RECORD_W3C:
        return WAY_W3C;
    case RECORD_AUDITD:
        return WAY_AUDITD;
    case RECORD_EVTX:
        return WAY_EVTX;
    default:
        return WAY_FORM;
    }
}

static bool is_utf16(const struct record *r)
{
    size_t mark;
    bool text = r->format == RECORD_TEXT || r->format == RECORD_SYSLOG || r->format == RECORD_JSON;
    return text && utf16_look(r->raw, &mark) != UTF16_NONE;
}

static enum way way_of(const struct record *r)
{
    return is_utf16(r) ? WAY_UTF16 : way_of_bytes(r);
}

/* ---- events ------------------------------------------------------------------------------- */

static bool is_shipped(const struct record *r)
{
    return r->format == RECORD_BULK || r->format == RECORD_BEATS;
}

static bool has_message(const struct record *r)
{
    return r->format == RECORD_SYSLOG || r->format == RECORD_TEXT || is_shipped(r);
}

static int emit(struct record_decoder *d, struct event *ev)
{
    d->events++;
    ev->record = (uint64_t)d->number + 1;
    return d->sink->event(d->sink->ctx, d->number, ev);
}

static int on_event(void *ctx, struct event *ev)
{
    struct record_decoder *d = ctx;
    if (d->run) go_to(d, ev->raw.ptr);
    int rc = has_message(&d->at) ? inner_read_message(d->inner, ev, is_shipped(&d->at)) : 0;
    return rc == 0 ? emit(d, ev) : rc;
}

/* ---- forms -------------------------------------------------------------------------------- */

/* *ret_text: what is a log line itself, or empty. NULL, or why nothing was read. */
static const char *read_form(const struct record *r, struct event *ev, struct slice *ret_text)
{
    *ret_text = SLICE_NONE;
    switch ((enum record_format)r->format) {
    case RECORD_HEC:
        ev->format = "hec";
        return hec_read(r, ev, ret_text);
    case RECORD_OTLP_PROTO:
        ev->format = "otlp";
        return otlp_read_proto(r, ev, ret_text);
    case RECORD_OTLP_JSON:
        ev->format = "otlp";
        return otlp_read_json(r, ev, ret_text);
    case RECORD_JOURNAL:
        ev->format = "journal";
        return journal_read(r, ev);
    case RECORD_NETFLOW5:
    case RECORD_NETFLOW9:
    case RECORD_IPFIX:
        ev->format = "netflow";
        return flow_read(r, ev);
    default:
        return "no decoder knows this format";
    }
}

static int decode_form(struct record_decoder *d)
{
    struct event *ev = &d->ev;
    struct slice text;
    event_reset(ev);
    ev->raw = d->at.raw;
    d->reason = read_form(&d->at, ev, &text);
    if (d->reason) return 0;
    bool read = false;
    int rc = text.len ? inner_read_text(d->inner, ev, text, &read) : 0;
    if (rc != 0) return rc;
    if (text.len && !read) event_add(ev, inner_message_key(d->inner, ev->keys), VALUE_STRING, text);
    if (d->at.format == RECORD_HEC) hec_read_envelope(&d->at, ev);
    return ev->n_fields ? emit(d, ev) : 0;
}

/* ---- one record --------------------------------------------------------------------------- */

/* Makes the decoder know the record's context. */
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

/* What the record says as UTF-8; it is read in its place. */
static int convert_record(struct record_decoder *d)
{
    buf_clear(&d->utf8);
    char *text = buf_reserve(&d->utf8, d->at.raw.len / 2 * 3 + UTF16_TAIL);
    if (!text) return buf_error(&d->utf8);
    d->at.raw = slice_make(text, utf16_text(d->at.raw, text));
    return 0;
}

static int decode_record(struct record_decoder *d, enum way way)
{
    begin_record(d);
    d->run = NULL;
    int rc = way == WAY_UTF16 ? convert_record(d) : 0;
    if (rc != 0) return rc;
    if (way == WAY_UTF16) way = way_of_bytes(&d->at);
    if (way == WAY_FORM) {
        rc = decode_form(d);
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
static bool is_json_line(const struct record *r, enum way way)
{
    return !(r->flags & RECORD_HAS_LF) && way == WAY_JSON;
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
        enum way way = way_of(&d->at);
        if (!is_json_line(&d->at, way)) {
            rc = decode_record(d, way);
            continue;
        }
        struct batch_iter ahead = d->it;
        struct record r = d->at;
        struct slice last = r.raw;
        for (d->run_end = d->number + 1; d->run_end < end; d->run_end++) {
            (void)batch_iter_next_raw(&ahead, &r);
            if (!is_json_line(&r, way_of(&r))) break;
            last = r.raw;
        }
        rc = decode_run(d, last);
    }
    return rc;
}

static bool is_chosen(const struct record_choice *c, uint32_t number)
{
    return !c->bits || c->bits[number / 64] >> number % 64 & 1;
}

int record_decoder_some(struct record_decoder *d, const struct batch *batch, uint32_t first,
                        uint32_t end, const struct record_choice *choice,
                        const struct record_sink *sink, uint32_t *ret_n)
{
    struct batch_iter it;
    int rc = 0;
    d->sink = sink;
    batch_iter_init(&it, batch);
    if (end > batch->n) end = batch->n;
    for (d->number = 0; d->number < end && rc == 0; d->number++) {
        if (d->number < first || !is_chosen(choice, d->number)) {
            (void)batch_iter_next_raw(&it, &d->at);
            continue;
        }
        (void)batch_iter_next(&it, &d->at);
        if (d->at.received < choice->from || d->at.received >= choice->to) continue;
        ++*ret_n;
        rc = decode_record(d, way_of(&d->at));
    }
    return rc;
}

int record_decoder_one(struct record_decoder *d, const struct record *record,
                       const struct record_sink *sink)
{
    d->sink = sink;
    d->number = 0;
    d->at = *record;
    return decode_record(d, way_of(&d->at));
}

/* ---- the decoder -------------------------------------------------------------------------- */

void record_decoder_free(struct record_decoder *d)
{
    if (!d) return;
    for (int i = 0; i < N_WAYS; i++) {
        if (d->ways[i]) d->ways[i]->ops->close(d->ways[i]);
        buf_done(&d->headers[i]);
    }
    inner_reader_free(d->inner);
    buf_done(&d->utf8);
    event_done(&d->ev);
    arena_done(&d->arena);
    free(d);
}

struct record_decoder *record_decoder_new(struct keys *keys)
{
    static const struct decoder_ops *const ops[N_WAYS] = {
        [WAY_JSON] = &decoder_json, [WAY_SYSLOG] = &decoder_syslog, [WAY_AUDITD] = &decoder_auditd,
        [WAY_CSV] = &decoder_csv,   [WAY_ZEEK] = &decoder_zeek,     [WAY_W3C] = &decoder_w3c,
        [WAY_EVTX] = &decoder_evtx,
    };
    struct record_decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    buf_init(&d->utf8, RECORD_MAX / 2 * 3 + UTF16_TAIL);
    arena_init(&d->arena, ARENA_MAX);
    event_init(&d->ev, keys, &d->arena);
    const struct decoder_out out = {.ctx = d, .emit = on_event, .bad = on_bad};
    d->inner = inner_reader_new(keys);
    bool whole = d->inner != NULL;
    for (int i = 0; i < N_WAYS; i++) {
        buf_init(&d->headers[i], RECORD_TEXT_MAX);
        d->ways[i] = ops[i]->open(&out, keys);
        whole = whole && d->ways[i];
    }
    if (whole) return d;
    record_decoder_free(d);
    return NULL;
}
