/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/time.h"
#include "pull/internal.h"
#include "pull/url.h"

/* 24 hours are the most, and whole 24 hours were seen to be refused. */
#define SPAN_LEAST MINUTE
#define SPAN_MOST  (23 * HOUR)
/* How far back may be asked: 7 days of content, 30 days of Graph; with a margin for clocks. */
#define KEPT_CONTENT (7 * DAY - 10 * MINUTE)
#define KEPT_GRAPH   (30 * DAY - 10 * MINUTE)

static nsec whole_seconds(nsec t)
{
    return t - t % NSEC_PER_SEC;
}

static void tell_gap(struct puller *p, nsec from, nsec to)
{
    struct buf out;
    p->stats.gaps++;
    buf_init(&out, 256);
    buf_puts(&out, "what came from ");
    time_write_rfc3339(&out, from);
    buf_puts(&out, " to ");
    time_write_rfc3339(&out, to);
    buf_puts(&out, " is not kept there any more");
    buf_putc(&out, '\0');
    if (!buf_failed(&out)) pause_tell(p, "cloud-gap", out.ptr);
    buf_done(&out);
}

void span_tell_moved(struct puller *p)
{
    if (p->options.out.moved) p->options.out.moved(p->options.out.ctx, p, p->at);
}

/* Where it begins is kept at once, so that after another start it does not begin later. */
static void begin_feed(struct puller *p, nsec from)
{
    struct seen *seen = &puller_feed(p)->seen;
    seen->cursor = seen->floor = from;
    span_tell_moved(p);
}

/* The next span of the feed at hand, into p->from and p->to. False: it has no length yet. */
static bool choose_span(struct puller *p)
{
    const struct pull_source *s = puller_source(p);
    struct puller_feed *f = puller_feed(p);
    nsec now = clock_realtime(&p->options.clock);
    nsec oldest = now - (s->kind == PULL_M365 ? KEPT_CONTENT : KEPT_GRAPH);
    if (!f->seen.cursor) begin_feed(p, now - s->begin > oldest ? now - s->begin : oldest);
    if (f->seen.cursor < oldest) {
        tell_gap(p, f->seen.cursor, oldest);
        begin_feed(p, oldest);
    }
    nsec cursor = f->seen.cursor, from = seen_from(&f->seen, s->late);
    p->whole = f->span >= now - cursor;
    p->from = whole_seconds(from > oldest ? from : oldest);
    p->to = whole_seconds(p->whole ? now : cursor + f->span);
    return p->to > p->from;
}

void span_first_page(struct puller *p)
{
    const struct url_span span = {p->from, p->to};
    url_page(&p->url, puller_source(p), puller_feed(p)->content, &span, p->top);
    p->pages = 0;
    p->skipped = false;
    p->step = PULLER_PAGE;
}

static void span_leave(struct puller *p)
{
    struct puller_feed *f = puller_feed(p);
    if (p->whole) f->next = puller_now(p) + puller_source(p)->every;
    p->at = (p->at + 1) % p->n_feeds;
    p->step = PULLER_OPEN;
}

void span_close(struct puller *p)
{
    const struct pull_source *s = puller_source(p);
    struct puller_feed *f = puller_feed(p);
    nsec most = SPAN_MOST - s->late;
    if (p->skipped) {
        p->whole = true;
        span_leave(p);
        return;
    }
    seen_move(&f->seen, p->to, s->late);
    span_tell_moved(p);
    if (p->taken > SEEN_MAX / 4 && f->span > SPAN_LEAST) f->span /= 2;
    else if (p->taken < SEEN_MAX / 32 && f->span < most) f->span *= 2;
    if (f->span > most) f->span = most;
    span_leave(p);
}

bool span_open(struct puller *p)
{
    nsec now = puller_now(p), next = INT64_MAX;
    for (unsigned i = 0; i < p->n_feeds; i++) {
        struct puller_feed *f = puller_feed(p);
        if (f->next <= now) {
            p->taken = 0;
            if (choose_span(p)) {
                span_first_page(p);
                return true;
            }
            f->next = now + puller_source(p)->every;
        }
        if (f->next < next) next = f->next;
        p->at = (p->at + 1) % p->n_feeds;
    }
    dial_call_release(&p->call);
    buf_done(&p->page);
    buf_init(&p->page, PULLER_BODY_MAX);
    pause_till(p, next);
    return false;
}
