/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What comes to the canary and the watchdog from others, as any bytes: heartbeats, answers of RELP,
 * the canary's own state. A heartbeat that is taken is what its key signed, to the byte.
 */
#include "canary/canary.h"
#include "canary/relp.h"
#include "target.h"
#include "watchdog/heartbeat.h"

static void check_heartbeat(struct slice in)
{
    const uint8_t seeds[2][CHECKPOINT_SEED] = {{1}, {2}};
    struct checkpoint_signer from, to;
    struct heartbeat beat;
    struct buf again;
    HOLDS(checkpoint_signer_init(&from, SLICE("a/vaka"), CHECKPOINT_LOG, seeds[0]) == 0);
    HOLDS(checkpoint_signer_init(&to, SLICE("b/watchdog"), CHECKPOINT_LOG, seeds[1]) == 0);
    if (heartbeat_read(in, &from.key, &to.key, &beat) != 0) return;
    buf_init(&again, 2 * HEARTBEAT_MAX);
    heartbeat_write(&again, &beat, &from, &to.key);
    HOLDS(slice_starts_with(in, buf_slice(&again)));
    buf_done(&again);
}

static void check_relp(struct slice in)
{
    struct relp_sender s;
    struct buf out, got;
    buf_init(&out, 4096);
    buf_init(&got, in.len + 1);
    relp_sender_open(&s, &out);
    relp_sender_record(&s, SLICE("x"), &out);
    buf_put(&got, in);
    int error = relp_sender_read(&s, &got);
    HOLDS(s.answered <= s.sent && (error == 0 || error == ERR_CORRUPT));
    buf_done(&out);
    buf_done(&got);
}

static void check_state(struct slice in)
{
    static const struct canary_options options = {.every = NSEC_PER_SEC, .within = NSEC_PER_SEC};
    struct canary c, back;
    struct buf out;
    canary_init(&c, &options, 7);
    if (canary_read(&c, in, 0) != 0) {
        HOLDS(c.number == 7);
        return;
    }
    buf_init(&out, 256 * 1024);
    canary_write(&out, &c);
    canary_init(&back, &options, 7);
    HOLDS(canary_read(&back, buf_slice(&out), 0) == 0 && back.number == c.number &&
          back.n_changes == c.n_changes && back.broken == c.broken);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    check_heartbeat(in);
    check_relp(in);
    check_state(in);
    return 0;
}
