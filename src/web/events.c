/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Server-sent events (WHATWG HTML, 9.2): alerts and changes of incidents by their numbers, read
 * from the database when somebody says that there are new ones. A stream begins with the id of what
 * was there before, so that a client that has heard nothing yet can go on behind it as well. Who
 * listens is asked anew who he is after LISTEN_FOR: the stream ends then, and browsers come back by
 * themselves with the id they had last.
 */
#include "base/json_read.h"
#include "state/reader.h"
#include "web/alert.h"
#include "web/call.h"
#include "web/run.h"

enum { EVENTS_AT_ONCE = 64, BEAT_EVERY = 15, LISTEN_FOR = 300 /* s */ };

/* Where it is, in both: alerts and changes of incidents. */
static void put_id(struct api_call *c)
{
    buf_printf(&c->out, "id: %llu.%llu\n", (unsigned long long)c->position,
               (unsigned long long)c->change);
}

static bool put_event(void *ctx, const struct state_alert *a)
{
    struct api_call *c = ctx;
    c->position = a->id;
    put_id(c);
    buf_puts(&c->out, "event: alert\ndata: ");
    api_put_alert(&c->out, a);
    buf_puts(&c->out, "\n\n");
    return true;
}

/* Each as it is now; several changes of one are one event. */
static int put_incidents(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    struct json_parts parts;
    struct slice name, news, incident, number;
    struct buf text;
    uint64_t last = c->change;
    buf_init(&text, API_ANSWER_MAX);
    int error = desk_write_news(&view, c->change, EVENTS_AT_ONCE, &text, &last);
    if (error == 0) {
        json_parts_init(&parts, buf_slice(&text));
        while (json_parts_next(&parts, &name, &news)) {
            if (!json_find_member(news, "number", NULL, &number) ||
                !slice_to_u64(number, &c->change) ||
                !json_find_member(news, "incident", NULL, &incident))
                continue;
            put_id(c);
            buf_puts(&c->out, "event: incident\ndata: ");
            buf_put(&c->out, incident);
            buf_puts(&c->out, "\n\n");
        }
        c->change = last;
    }
    buf_done(&text);
    return error;
}

static void more(struct api_call *c)
{
    struct state_page page = {.tenant = c->tenant, .after = c->position, .limit = EVENTS_AT_ONCE};
    struct db *db = api_db(c->api);
    bool incidents = (c->rights & right_bit(RIGHT_INCIDENTS_READ)) != 0;
    int error = db ? state_read_newer(db, &page, put_event, c) : ERR_IO;
    if (error == 0 && incidents) error = put_incidents(c);
    if (error) api_db_drop(c->api);
    if (error) c->ended = true;
    if (c->out.len) c->spoke = clock_monotonic(&c->api->options.clock);
}

/* A comment now and then shows both ends that the other is there. */
static void on_tick(struct api_call *c, nsec now)
{
    if (now - c->begun > LISTEN_FOR * NSEC_PER_SEC) c->ended = true;
    if (c->suspended && now - c->spoke >= BEAT_EVERY * NSEC_PER_SEC) {
        buf_puts(&c->out, ": beat\n\n");
        c->spoke = now;
    }
    api_stream_wake(c);
}

/* "12.345"; without it what is there now. False: refused. */
static bool read_position(struct api_call *c)
{
    struct slice last = api_request_header(c, "Last-Event-ID"), alert, change;
    uint64_t position, number;
    if (last.len == 0) return true;
    if (slice_split(last, '.', &alert, &change) && slice_to_u64(alert, &position) &&
        slice_to_u64(change, &number) && position <= INT64_MAX && number <= INT64_MAX) {
        c->position = position;
        c->change = number;
        return true;
    }
    api_refuse(c, API_PROBLEM_MALFORMED, "Last-Event-ID is no id of an event");
    return false;
}

void api_events(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    if (c->api->n_listeners >= API_LISTENERS_MAX) {
        api_refuse_for(c, API_PROBLEM_BUSY, 5);
        return;
    }
    if (!view.db || state_read_last(view.db, &c->position) != 0 ||
        desk_last_change(&view, &c->change) != 0) {
        api_db_failed(c);
        return;
    }
    if (!read_position(c)) return;
    c->api->n_listeners++;
    c->listens = true;
    c->tick = on_tick;
    put_id(c);
    buf_puts(&c->out, "retry: 1000\n\n");
    api_stream(c, "text/event-stream", more);
}
