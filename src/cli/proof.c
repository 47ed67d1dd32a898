/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/proof.h"

#include "base/json_read.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/ask.h"

enum { DETAIL_SHOWN = 200 };

static void put_when(struct buf *out, const char *before, uint64_t seconds)
{
    buf_puts(out, before);
    if (seconds) time_write_rfc3339(out, (nsec)seconds * NSEC_PER_SEC);
    else buf_puts(out, "never");
}

static void put_way(struct buf *out, struct slice way, struct slice state)
{
    const struct slice detail = json_member_text(way, "detail");
    text_put_visible(out, json_member_text(way, "channel"), DETAIL_SHOWN);
    buf_puts(out, " by ");
    text_put_visible(out, json_member_text(way, "provider"), DETAIL_SHOWN);
    if (slice_eq(state, SLICE("failed"))) {
        put_when(out, ": NOT PROVEN ", json_member_u64(way, "asked_at"));
        if (detail.len) {
            buf_puts(out, ", ");
            text_put_visible(out, detail, DETAIL_SHOWN);
        }
        put_when(out, "; proven last ", json_member_u64(way, "proven_at"));
    } else if (slice_eq(state, SLICE("never"))) {
        buf_puts(out,
                 ": not proven, the person of the proof has no such contact, or it was not yet");
    } else {
        put_when(out, ": proven ", json_member_u64(way, "proven_at"));
        if (slice_eq(state, SLICE("waits"))) buf_puts(out, "; one is under way");
    }
    buf_putc(out, '\n');
}

void proof_put(struct buf *out, struct slice oncall, const char *margin, bool all)
{
    struct json_parts it;
    struct slice name, way;
    const struct slice proof = json_member(oncall, "proof"), ways = json_member(proof, "ways");
    if (!json_member_text(proof, "person").len || ways.len <= 2 || ways.ptr[0] != '[') return;
    json_parts_init(&it, ways);
    while (json_parts_next(&it, &name, &way)) {
        const struct slice state = json_member_text(way, "state");
        if (!all && !slice_eq(state, SLICE("failed")) && !slice_eq(state, SLICE("never"))) continue;
        buf_puts(out, margin);
        put_way(out, way, state);
    }
}
