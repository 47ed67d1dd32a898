/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What becomes of records, as text to compare:
 *
 *   0 json|name=value|name=value     number in the batch and format; `!` behind it: damaged
 *   1 undecodable: reason
 *
 * A number is name:=value, a bool name?=value. Values are decoded.
 */
#ifndef VAKA_TESTS_NORMALISE_RECORD_TRACE_H
#define VAKA_TESTS_NORMALISE_RECORD_TRACE_H

#include "normalise/record_decoder.h"
#include "test.h"

struct record_trace {
    struct keys *keys;
    struct record_decoder *decoder;
    struct batch_writer batch;
    struct buf bytes, text;
    bool forgetful;  /* clear the key table after each event */
    bool no_formats; /* do not write them */
    int stop_after;  /* refuse this event, from 1; 0: none */
    int events;
};

static inline void record_trace_init(struct record_trace *t)
{
    *t = (struct record_trace){.keys = keys_new()};
    REQUIRE(t->keys != NULL);
    t->decoder = record_decoder_new(t->keys);
    REQUIRE(t->decoder != NULL);
    batch_writer_init(&t->batch, 1, BATCH_MAX);
    buf_init(&t->bytes, BATCH_MAX);
    buf_init(&t->text, 16 * 1024 * 1024);
}

static inline void record_trace_done(struct record_trace *t)
{
    record_decoder_free(t->decoder);
    keys_free(t->keys);
    batch_writer_done(&t->batch);
    buf_done(&t->bytes);
    buf_done(&t->text);
}

static inline void record_trace_add(struct record_trace *t, enum record_format format,
                                    struct slice raw, struct slice context)
{
    struct record r = {.raw = raw, .context = context, .format = (uint8_t)format};
    REQUIRE(batch_writer_add(&t->batch, &r) == 0);
}

static inline int record_trace_event(void *ctx, uint32_t number, struct event *ev)
{
    struct record_trace *t = ctx;
    if (++t->events == t->stop_after) return ERR_STOPPED;
    CHECK_INT(ev->record, number + UINT64_C(1));
    buf_printf(&t->text, "%u %s%s", number, t->no_formats ? "" : ev->format,
               ev->flags & EVENT_DAMAGED ? "!" : "");
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        buf_putc(&t->text, '|');
        buf_put(&t->text, keys_name(ev->keys, f->key));
        if (f->type == VALUE_NUMBER) buf_putc(&t->text, ':');
        if (f->type == VALUE_BOOL) buf_putc(&t->text, '?');
        buf_putc(&t->text, '=');
        buf_put(&t->text, event_text(ev, f));
    }
    buf_putc(&t->text, '\n');
    if (t->forgetful) keys_clear(t->keys);
    return 0;
}

static inline void record_trace_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct record_trace *t = ctx;
    buf_printf(&t->text, "%u undecodable: %s\n", number, reason);
}

static inline struct record_sink record_trace_sink(struct record_trace *t)
{
    return (struct record_sink){
        .ctx = t, .event = record_trace_event, .undecodable = record_trace_undecodable};
}

/* Finishes the batch and decodes records [first, end) of it. */
static inline int record_trace_run(struct record_trace *t, uint32_t first, uint32_t end)
{
    struct batch b;
    buf_clear(&t->bytes);
    batch_writer_finish(&t->batch, &t->bytes);
    REQUIRE(batch_open(buf_slice(&t->bytes), &b) == 0);
    const struct record_sink sink = record_trace_sink(t);
    return record_decoder_batch(t->decoder, &b, first, end, &sink);
}

/* What all records added so far give, as one batch. */
#define RECORD_TRACE_CHECK(t, want)                                                                \
    do {                                                                                           \
        CHECK_INT(record_trace_run(t, 0, UINT32_MAX), 0);                                          \
        CHECK_SLICE(buf_slice(&(t)->text), want);                                                  \
        buf_clear(&(t)->text);                                                                     \
    } while (0)

#endif
