/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/reach.h"

#include "base/json_write.h"

bool reach_next(struct json_parts *it, struct reach_way *ret)
{
    struct slice name, way;
    if (!json_parts_next(it, &name, &way)) return false;
    *ret = (struct reach_way){.provider = json_member_text(way, "provider"),
                              .channel = json_member_text(way, "channel"),
                              .state = json_member_text(way, "state"),
                              .asked_whom = json_member_text(way, "asked"),
                              .reached = json_member_text(way, "reached"),
                              .detail = json_member_text(way, "detail"),
                              .asked_at = said_seconds(way, "asked_at"),
                              .reached_at = said_seconds(way, "proven_at")};
    return true;
}

bool reach_read(struct slice oncall, struct reach *ret)
{
    struct json_parts it;
    struct reach_way way;
    const struct slice proof = json_member(oncall, "proof");
    struct reach r = {.person = json_member_text(proof, "person"),
                      .next = said_seconds(proof, "next_at"),
                      .ways = json_member(proof, "ways")};
    if (r.person.len == 0 || r.ways.len == 0 || r.ways.ptr[0] != '[') return false;
    json_parts_init(&it, r.ways);
    while (reach_next(&it, &way))
        if (way.reached_at > r.last.reached_at) r.last = way;
    *ret = r;
    return true;
}

static void put_last(struct buf *out, const struct reach_way *last)
{
    json_write_key(out, "reached");
    if (last->reached_at == 0) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    said_put_text(out, "person", last->reached);
    said_put_time(out, "at", last->reached_at);
    said_put_text(out, "provider", last->provider);
    said_put_text(out, "channel", last->channel);
    buf_putc(out, '}');
}

static void put_way(struct buf *out, const struct reach_way *way)
{
    buf_putc(out, '{');
    said_put_text(out, "provider", way->provider);
    said_put_text(out, "channel", way->channel);
    said_put_text(out, "state", way->state);
    said_put_text(out, "asked", way->asked_whom);
    said_put_time(out, "asked_at", way->asked_at);
    said_put_text(out, "reached", way->reached);
    said_put_time(out, "proven_at", way->reached_at);
    said_put_text(out, "detail", way->detail);
    buf_putc(out, '}');
}

void reach_write(struct buf *out, struct slice oncall)
{
    struct reach r;
    struct json_parts it;
    struct reach_way way;
    if (!reach_read(oncall, &r)) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    said_put_text(out, "person", r.person);
    said_put_time(out, "next_at", r.next);
    put_last(out, &r.last);
    json_write_key(out, "ways");
    buf_putc(out, '[');
    json_parts_init(&it, r.ways);
    for (bool more = false; reach_next(&it, &way); more = true) {
        if (more) buf_putc(out, ',');
        put_way(out, &way);
    }
    buf_puts(out, "]}");
}
