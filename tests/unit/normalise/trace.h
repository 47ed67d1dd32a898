/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a decoder makes of some bytes, as text to compare:
 *
 *   1|name=value|name=value       record number; `!` behind it: damaged, `~`: cut
 *   bad 12 #3 reason              byte offset and record number
 *
 * A number is name:=value, a bool name?=value. trace_check() feeds the input whole, byte by byte
 * and cut in two at every position, and wants the same each time.
 */
#ifndef VAKA_TESTS_NORMALISE_TRACE_H
#define VAKA_TESTS_NORMALISE_TRACE_H

#include "base/buf.h"
#include "normalise/decoder.h"
#include "test.h"

struct trace {
    struct buf text;
    struct keys *keys;
    bool with_raw;
    uint64_t events, bad;
    uint64_t stop_after; /* refuse this event; 0: none */
};

enum { TRACE_MAX = 64 * 1024 * 1024 };

static inline int trace_emit(void *ctx, struct event *ev)
{
    struct trace *t = ctx;
    t->events++;
    if (t->events == t->stop_after) return ERR_STOPPED;
    buf_printf(&t->text, "%llu%s%s", (unsigned long long)ev->record,
               ev->flags & EVENT_DAMAGED ? "!" : "", ev->flags & EVENT_CUT ? "~" : "");
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        buf_putc(&t->text, '|');
        buf_put(&t->text, keys_name(ev->keys, f->key));
        if (f->type == VALUE_NUMBER) buf_putc(&t->text, ':');
        if (f->type == VALUE_BOOL) buf_putc(&t->text, '?');
        buf_putc(&t->text, '=');
        buf_put(&t->text, f->value);
    }
    if (t->with_raw) {
        buf_puts(&t->text, "|raw ");
        buf_put(&t->text, ev->raw);
    }
    buf_putc(&t->text, '\n');
    return 0;
}

static inline void trace_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct trace *t = ctx;
    t->bad++;
    buf_printf(&t->text, "bad %llu #%llu %s\n", (unsigned long long)offset,
               (unsigned long long)record, reason);
}

static inline void trace_init(struct trace *t, bool with_raw)
{
    *t = (struct trace){.keys = keys_new(), .with_raw = with_raw};
    REQUIRE(t->keys != NULL);
    buf_init(&t->text, TRACE_MAX);
}

static inline void trace_done(struct trace *t)
{
    buf_done(&t->text);
    keys_free(t->keys);
}

/* Feeds first[0..cut), then the rest in pieces of `piece` bytes (0: in one). */
static inline int trace_run(struct trace *t, const struct decoder_ops *ops, struct slice in,
                            size_t cut, size_t piece)
{
    const struct decoder_out out = {.ctx = t, .emit = trace_emit, .bad = trace_bad};
    struct decoder *d = ops->open(&out, t->keys);
    REQUIRE(d != NULL);
    int rc = ops->feed(d, slice_until(in, cut));
    struct slice rest = slice_from(in, cut);
    while (rc == 0 && rest.len) {
        size_t n = piece && piece < rest.len ? piece : rest.len;
        /* A copy of its own, so that a slice kept over two pieces is seen by the sanitizer. */
        char *copy = malloc(n);
        REQUIRE(copy != NULL);
        memcpy(copy, rest.ptr, n);
        rc = ops->feed(d, slice_make(copy, n));
        free(copy);
        rest = slice_from(rest, n);
    }
    if (rc == 0) rc = ops->finish(d);
    ops->close(d);
    return rc;
}

static inline void trace_check_at(const char *file, int line, const struct decoder_ops *ops,
                                  struct slice in, const char *want)
{
    struct trace t, whole, cut;
    trace_init(&t, false);
    if (trace_run(&t, ops, in, 0, 0) != 0 || !slice_eq(buf_slice(&t.text), slice_of(want)))
        test_fail(file, line, "got\n%.*s--- not\n%s---", SLICE_FMT(buf_slice(&t.text)), want);
    trace_done(&t);

    trace_init(&whole, true);
    (void)trace_run(&whole, ops, in, 0, 0);
    for (size_t i = 0; i <= in.len; i++) {
        trace_init(&cut, true);
        /* The last round feeds byte by byte. */
        (void)trace_run(&cut, ops, in, i == in.len ? 0 : i, i == in.len ? 1 : 0);
        if (!slice_eq(buf_slice(&cut.text), buf_slice(&whole.text)))
            test_fail(file, line, "cut at %zu gives\n%.*s--- whole gives\n%.*s---", i,
                      SLICE_FMT(buf_slice(&cut.text)), SLICE_FMT(buf_slice(&whole.text)));
        trace_done(&cut);
    }
    trace_done(&whole);
}

#define TRACE_CHECK(ops, in, want) trace_check_at(__FILE__, __LINE__, ops, SLICE(in), want)

#endif
