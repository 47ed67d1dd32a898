/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/proof.h"

#include "base/text.h"
#include "base/time.h"
#include "canary/reach.h"

enum { TEXT_SHOWN = 200 };

static void put_text(struct buf *out, const char *before, struct slice text)
{
    buf_puts(out, before);
    (void)text_put_visible(out, text, TEXT_SHOWN);
}

static void put_when(struct buf *out, const char *before, nsec time)
{
    buf_puts(out, before);
    if (time) time_write_rfc3339(out, time);
    else buf_puts(out, "never");
}

static void put_last(struct buf *out, const struct reach *r)
{
    if (r->last.reached_at) {
        put_text(out, "", r->last.reached.len ? r->last.reached : SLICE("somebody"));
        put_when(out, " was reached ", r->last.reached_at);
        put_text(out, ", ", r->last.channel);
        put_text(out, " by ", r->last.provider);
    } else {
        put_text(out, "the daily proof has not reached ", r->person);
    }
    if (r->next) put_when(out, "; the next proof ", r->next);
    buf_putc(out, '\n');
}

static void put_way(struct buf *out, const struct reach_way *way)
{
    put_text(out, "", way->channel);
    put_text(out, " by ", way->provider);
    if (slice_eq(way->state, SLICE("failed"))) {
        put_when(out, ": NOT PROVEN ", way->asked_at);
        if (way->asked_whom.len) put_text(out, ", ", way->asked_whom);
        if (way->detail.len) put_text(out, ", ", way->detail);
        put_when(out, "; proven last ", way->reached_at);
    } else if (slice_eq(way->state, SLICE("never"))) {
        buf_puts(out,
                 ": not proven, the person of the proof has no such contact, or it was not yet");
    } else {
        put_when(out, ": proven ", way->reached_at);
        if (way->reached.len) put_text(out, ", ", way->reached);
        if (slice_eq(way->state, SLICE("waits"))) buf_puts(out, "; one is under way");
    }
    buf_putc(out, '\n');
}

void proof_put(struct buf *out, struct slice oncall, const char *margin, bool all)
{
    struct reach r;
    struct json_parts it;
    struct reach_way way;
    if (!reach_read(oncall, &r)) return;
    if (all) {
        buf_puts(out, margin);
        put_last(out, &r);
    }
    json_parts_init(&it, r.ways);
    while (reach_next(&it, &way)) {
        if (!all && !slice_eq(way.state, SLICE("failed")) && !slice_eq(way.state, SLICE("never")))
            continue;
        buf_puts(out, margin);
        put_way(out, &way);
    }
}
