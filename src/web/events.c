/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Server-sent events (WHATWG HTML, 9.2): alerts by their id, read from the database when somebody
 * says that there are new ones. Who listens is asked anew who he is after API_LISTEN_TIME: the
 * stream ends then, and browsers come back by themselves with the id they had last.
 */
#include "base/json_write.h"
#include "state/reader.h"
#include "web/alert.h"
#include "web/call.h"
#include "web/run.h"

enum { EVENTS_AT_ONCE = 64, BEAT_EVERY = 15, LISTEN_FOR = 300 /* s */ };

static bool put_event(void *ctx, const struct state_alert *a)
{
    struct api_call *c = ctx;
    buf_printf(&c->out, "id: %llu\nevent: alert\ndata: ", (unsigned long long)a->id);
    api_put_alert(&c->out, a);
    buf_puts(&c->out, "\n\n");
    c->position = a->id;
    return true;
}

static void more(struct api_call *c)
{
    struct state_page page = {.tenant = c->tenant, .after = c->position, .limit = EVENTS_AT_ONCE};
    struct db *db = api_db(c->api);
    if (!db || state_read_newer(db, &page, put_event, c) != 0) c->ended = true;
    if (c->out.len) c->spoke = clock_monotonic(&c->api->options.clock);
}

/* A comment now and then shows both ends that the other is there. */
static void on_tick(struct api_call *c, nsec now)
{
    if (now - c->begun > LISTEN_FOR * NSEC_PER_SEC) c->ended = true;
    else if (now - c->spoke < BEAT_EVERY * NSEC_PER_SEC) return;
    if (c->suspended) {
        buf_puts(&c->out, ": beat\n\n");
        c->spoke = now;
    }
    api_stream_wake(c);
}

static bool read_position(struct api_call *c, uint64_t *ret)
{
    struct slice last = api_request_header(c, "Last-Event-ID");
    if (last.len == 0 || (slice_to_u64(last, ret) && *ret <= INT64_MAX)) return true;
    api_refuse(c, API_PROBLEM_MALFORMED, "Last-Event-ID is no id of an event");
    return false;
}

void api_events(struct api_call *c)
{
    struct db *db = api_db(c->api);
    uint64_t last = 0;
    if (c->api->n_listeners >= API_LISTENERS_MAX || !db || state_read_last(db, &last) != 0) {
        api_refuse_for(c, API_PROBLEM_BUSY, 5);
        return;
    }
    if (!read_position(c, &last)) return;
    c->api->n_listeners++;
    c->listens = true;
    c->position = last;
    c->tick = on_tick;
    buf_puts(&c->out, "retry: 1000\n\n");
    api_stream(c, "text/event-stream", more);
}
