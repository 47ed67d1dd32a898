/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/warming.h"

#include "normalise/record_decoder.h"

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct engine *e = ctx;
    struct engine_result found;
    (void)number;
    int error = engine_match(e, ev, &found);
    engine_housekeep(e);
    return error;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)ctx, (void)number, (void)reason;
}

static int meet(struct record_decoder *d, const struct record_sink *sink, const struct product *p)
{
    int error = 0;
    for (uint32_t i = 0; i < p->n_samples && error == 0; i++) {
        const struct record record = {.raw = p->samples[i].record, .format = RECORD_TEXT};
        if (record.raw.len <= RECORD_MAX) error = record_decoder_one(d, &record, sink);
    }
    return error;
}

int warming_run(struct matcher *m, const struct products *products)
{
    const struct record_sink sink = {
        .ctx = m->engine, .event = on_event, .undecodable = on_undecodable};
    struct record_decoder *d = record_decoder_new(engine_keys(m->engine));
    if (!d) return ERR_NOMEM;
    int error = 0;
    for (uint32_t i = 0; i < products_count(products) && error == 0; i++)
        error = meet(d, &sink, products_at(products, i));
    record_decoder_free(d);
    return error;
}
