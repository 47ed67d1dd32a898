/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/events.h"

#include "normalise/decoder.h"
#include "normalise/inner.h"

struct matching {
    struct engine *engine;
    struct inner_reader *inner; /* of syslog; else NULL */
    void *ctx;
    int (*match)(void *ctx, struct event *ev, const struct engine_result *result);
    bool bad;
};

static int on_emit(void *ctx, struct event *ev)
{
    struct matching *m = ctx;
    struct engine_result result;
    int error = m->inner ? inner_read_message(m->inner, ev, false) : 0;
    if (error == 0) error = engine_match(m->engine, ev, &result);
    if (error == 0) error = m->match(m->ctx, ev, &result);
    engine_housekeep(m->engine);
    return error;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct matching *m = ctx;
    (void)offset;
    (void)record;
    (void)reason;
    m->bad = true;
}

int events_match(struct engine *engine, struct slice text, void *ctx,
                 int (*match)(void *ctx, struct event *ev, const struct engine_result *result))
{
    struct matching m = {.engine = engine, .ctx = ctx, .match = match};
    const struct decoder_out out = {.ctx = &m, .emit = on_emit, .bad = on_bad};
    const struct decoder_ops *ops =
        decoder_sniff(slice_until(text, 64 * 1024), text.len <= 64 * 1024);
    if (!ops) return ERR_UNSUPPORTED;
    struct decoder *d = ops->open(&out, engine_keys(engine));
    bool is_syslog = ops == &decoder_syslog;
    m.inner = is_syslog ? inner_reader_new(engine_keys(engine)) : NULL;
    int result = d && (m.inner || !is_syslog) ? ops->feed(d, text) : ERR_NOMEM;
    if (result == 0) result = ops->finish(d);
    if (d) ops->close(d);
    inner_reader_free(m.inner);
    return result == 0 && m.bad ? ERR_CORRUPT : result;
}
