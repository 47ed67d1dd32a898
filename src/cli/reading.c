/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/reading.h"

int reading_init(struct reading *r, const struct settings *settings)
{
    struct config config;
    struct diag diag;
    *r = (struct reading){0};
    int status = settings_load(settings, &config, NULL);
    if (status == 0 && ruleset_load_without_rules(&r->rules, &config, &diag)) {
        cli_diag(&diag, "");
        status = EXIT_USAGE;
    }
    config_done(&config);
    if (status) return status;
    if (matcher_init(&r->matcher, &r->rules, &(struct engine_options){.read_all = true}) == 0)
        r->decoder = record_decoder_new(engine_keys(r->matcher.engine));
    if (r->decoder) return 0;
    cli_say("%s", error_text(ERR_NOMEM));
    return EXIT_UNREADABLE;
}

void reading_done(struct reading *r)
{
    record_decoder_free(r->decoder);
    if (r->matcher.engine) matcher_done(&r->matcher);
    if (r->rules.set) ruleset_done(&r->rules);
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct reading *r = ctx;
    struct engine_result result;
    (void)number;
    r->events++;
    int error = engine_match(r->matcher.engine, ev, &result);
    if (error == 0) r->event(r->ctx, ev, result.route);
    engine_housekeep(r->matcher.engine);
    return error;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct reading *r = ctx;
    (void)number;
    r->reason = reason;
}

int reading_take(struct reading *r, struct slice raw, void *ctx,
                 void (*event)(void *ctx, struct event *ev, const struct taxonomy_route *route))
{
    const struct record record = {.raw = raw, .format = RECORD_TEXT};
    const struct record_sink sink = {.ctx = r, .event = on_event, .undecodable = on_undecodable};
    if (raw.len > RECORD_MAX) return ERR_LIMIT;
    r->ctx = ctx;
    r->event = event;
    r->events = 0;
    r->reason = NULL;
    return record_decoder_one(r->decoder, &record, &sink);
}
