/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>

#include "base/hash.h"
#include "pull/explain.h"
#include "pull/internal.h"

#define WAIT_LEAST NSEC_PER_SEC
#define WAIT_MOST  (5 * MINUTE)
#define WAIT_TOLD  HOUR /* the longest that somebody may make us wait */
#define TELL_AFTER (15 * MINUTE)

static uint64_t pause_random(struct puller *p, nsec most)
{
    p->options.seed = hash_mix(p->options.seed, (uint64_t)puller_now(p));
    return most > 0 ? p->options.seed % (uint64_t)most : 0;
}

/* Without a timer, at once. */
void pause_till(struct puller *p, nsec then)
{
    nsec now = puller_now(p);
    if (p->stopped) return;
    if (loop_timer_set(p->options.loop, &p->timer, then > now ? then - now : 0, 0) != 0)
        loop_defer(p->options.loop, &p->go_on);
}

void pause_tell(struct puller *p, const char *event, const char *text)
{
    char out[PULLER_WHY_MAX + 512];
    const struct pull_source *s = puller_source(p);
    (void)snprintf(out, sizeof out, "%s of %s: %s", pull_kind_name(s->kind), s->tenant, text);
    if (p->options.out.alarm) p->options.out.alarm(p->options.out.ctx, p, event, slice_of(out));
}

void pause_for_good(struct puller *p)
{
    p->stopped = true;
    p->options.checked(p->options.out.ctx, p);
}

/* Once, when nothing has gone well for so long. */
static void tell_late(struct puller *p, nsec after)
{
    nsec now = puller_now(p);
    if (!p->failing_since) p->failing_since = now;
    if (p->late || now - p->failing_since < after) return;
    p->late = true;
    pause_tell(p, "cloud-failing", p->why);
}

void pause_after_failure(struct puller *p, bool hopeless)
{
    nsec now = puller_now(p), most = WAIT_LEAST;
    p->stats.failures++;
    p->throttled_till = 0;
    if (p->options.checked) {
        pause_for_good(p);
        return;
    }
    unsigned times = p->failures > p->outages ? p->failures : p->outages;
    for (unsigned i = 0; i < times && most < WAIT_MOST; i++) most *= 2;
    if (most > WAIT_MOST) most = WAIT_MOST;
    p->failures++;
    tell_late(p, hopeless ? 0 : TELL_AFTER);
    p->not_till = now + most / 2 + (nsec)pause_random(p, most / 2);
    pause_till(p, p->not_till);
}

void pause_failed(struct puller *p, const char *why)
{
    (void)snprintf(p->why, sizeof p->why, "%s", why);
    pause_after_failure(p, false);
}

void pause_say(struct puller *p, const char *what, const struct dial_answer *a,
               const struct answer_error *error)
{
    struct buf out;
    /* A token needs none. */
    const char *permission =
        p->asking_token ? NULL : pull_permission(puller_source(p)->kind, puller_feed(p)->content);
    buf_init(&out, 2048);
    buf_printf(&out, "%s: ", what);
    explain_refusal(&out, permission, a->status, error);
    (void)snprintf(p->why, sizeof p->why, "%.*s", SLICE_FMT(buf_slice(&out)));
    buf_done(&out);
}

void pause_refused(struct puller *p, const char *what, const struct dial_answer *a,
                   const struct answer_error *error)
{
    pause_say(p, what, a, error);
    pause_after_failure(p, a->status < 500);
}

void pause_throttled(struct puller *p, nsec told)
{
    nsec least = told ? told : WAIT_LEAST << (p->failures < 8 ? p->failures : 8);
    if (least > WAIT_TOLD) least = WAIT_TOLD;
    nsec wait = least + (nsec)pause_random(p, NSEC_PER_SEC / 2);
    p->stats.throttled++;
    p->failures++;
    (void)snprintf(p->why, sizeof p->why, "it says that it is asked too often");
    if (p->options.checked) {
        pause_for_good(p);
        return;
    }
    tell_late(p, WAIT_TOLD);
    p->throttled_till = clock_realtime(&p->options.clock) + wait;
    p->not_till = puller_now(p) + wait;
    pause_till(p, p->not_till);
}

void pause_end(struct puller *p)
{
    p->failures = 0;
    p->failing_since = 0;
    p->throttled_till = 0;
    p->renewed = false;
    p->succeeded = clock_realtime(&p->options.clock);
    if (p->n_refused == 0) p->why[0] = '\0';
    if (!p->late) return;
    p->late = false;
    pause_tell(p, "cloud-back", "it answers again");
}

nsec pause_long(struct puller *p)
{
    return WAIT_MOST / 2 + (nsec)pause_random(p, WAIT_MOST / 2);
}
