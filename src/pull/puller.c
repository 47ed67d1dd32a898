/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/puller.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/time.h"
#include "pull/answer.h"
#include "pull/explain.h"
#include "pull/url.h"

enum {
    BATCH_TARGET = 1024 * 1024,
    PAGES_MAX = 10 * 1000, /* of one span: more is a circle */
    TOP = 500,
    TOP_ALERTS = 100,
    CONTENT_TRIES = 12,
    CONTENTS_FAILED = 3,
    SOURCE_MAX = 4096,
    DELIVERY_MAX = 2 * ANSWER_ID_MAX,
};
#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Pauses after failures. */
#define WAIT_LEAST NSEC_PER_SEC
#define WAIT_MOST  (5 * MINUTE)
#define WAIT_TOLD  HOUR /* the longest that somebody may make us wait */
#define TELL_AFTER (15 * MINUTE)
/* Spans: 24 hours are the most, and whole 24 hours were seen to be refused. */
#define SPAN_FIRST HOUR
#define SPAN_LEAST MINUTE
#define SPAN_MOST  (23 * HOUR)
/* How far back may be asked: 7 days of content, 30 days of Graph; with a margin for clocks. */
#define KEPT_CONTENT (7 * DAY - 10 * MINUTE)
#define KEPT_GRAPH   (30 * DAY - 10 * MINUTE)
/* Content that cannot be fetched is given up after so many tries in so much time. */
#define CONTENT_TIME HOUR
/* "Wait 15 minutes between subscriptions/start." */
#define SUBSCRIBE_EVERY (15 * MINUTE)

static void proceed(void *ctx);

static const struct pull_source *source_of(const struct puller *p)
{
    return p->options.source;
}

static nsec monotonic(const struct puller *p)
{
    return clock_monotonic(&p->options.clock);
}

static struct puller_feed *feed_of(struct puller *p)
{
    return &p->feeds[p->at];
}

/* ---- pauses ------------------------------------------------------------------------------ */

static uint64_t random_below(struct puller *p, nsec most)
{
    p->options.seed = hash_mix(p->options.seed, (uint64_t)monotonic(p));
    return most > 0 ? p->options.seed % (uint64_t)most : 0;
}

/* Calls proceed() then; without a timer, at once. */
static void wait_till(struct puller *p, nsec then)
{
    nsec now = monotonic(p);
    if (p->stopped) return;
    if (loop_timer_set(p->options.loop, &p->timer, then > now ? then - now : 0, 0) != 0)
        loop_defer(p->options.loop, &p->go_on);
}

static void tell(struct puller *p, const char *event, const char *text)
{
    char out[PULLER_WHY_MAX + 512];
    const struct pull_source *s = source_of(p);
    (void)snprintf(out, sizeof out, "%s of %s: %s", pull_kind_name(s->kind), s->tenant, text);
    if (p->options.out.alarm) p->options.out.alarm(p->options.out.ctx, p, event, slice_of(out));
}

static void conclude_check(struct puller *p)
{
    p->stopped = true;
    p->options.checked(p->options.out.ctx, p);
}

/*
 * What is said in p->why has kept it from going on. What waiting does not help against is told at
 * once, the rest when it lasts.
 */
static void pause_after(struct puller *p, bool hopeless)
{
    nsec now = monotonic(p), most = WAIT_LEAST;
    p->stats.failures++;
    if (p->options.checked) {
        conclude_check(p);
        return;
    }
    unsigned times = p->failures > p->outages ? p->failures : p->outages;
    for (unsigned i = 0; i < times && most < WAIT_MOST; i++) most *= 2;
    if (most > WAIT_MOST) most = WAIT_MOST;
    p->failures++;
    if (!p->failing_since) p->failing_since = now;
    if (!p->late && (hopeless || now - p->failing_since >= TELL_AFTER)) {
        p->late = true;
        tell(p, "cloud-failing", p->why);
    }
    p->not_till = now + most / 2 + (nsec)random_below(p, most / 2);
    wait_till(p, p->not_till);
}

static void fail(struct puller *p, const char *why)
{
    (void)snprintf(p->why, sizeof p->why, "%s", why);
    pause_after(p, false);
}

static void say_refused(struct puller *p, const char *what, const struct web_answer *a,
                        const struct answer_error *error)
{
    struct buf out;
    const char *permission = pull_permission(source_of(p)->kind, feed_of(p)->content);
    buf_init(&out, 2048);
    buf_printf(&out, "%s: ", what);
    explain_refusal(&out, permission, a->status, error);
    (void)snprintf(p->why, sizeof p->why, "%.*s", SLICE_FMT(buf_slice(&out)));
    buf_done(&out);
}

static void fail_refused(struct puller *p, const char *what, const struct web_answer *a,
                         const struct answer_error *error)
{
    say_refused(p, what, a, error);
    pause_after(p, a->status < 500);
}

static void throttle(struct puller *p, nsec told)
{
    nsec least = told ? told : WAIT_LEAST << (p->failures < 8 ? p->failures : 8);
    if (least > WAIT_TOLD) least = WAIT_TOLD;
    nsec wait = least + (nsec)random_below(p, NSEC_PER_SEC / 2);
    p->stats.throttled++;
    p->failures++;
    if (p->options.checked) {
        (void)snprintf(p->why, sizeof p->why, "it says that it is asked too often");
        conclude_check(p);
        return;
    }
    p->throttled_till = clock_realtime(&p->options.clock) + wait;
    p->not_till = monotonic(p) + wait;
    wait_till(p, p->not_till);
}

static void succeed(struct puller *p)
{
    p->failures = 0;
    p->failing_since = 0;
    p->throttled_till = 0;
    p->renewed = false;
    p->succeeded = clock_realtime(&p->options.clock);
    if (p->n_refused == 0) p->why[0] = '\0';
    if (!p->late) return;
    p->late = false;
    tell(p, "cloud-back", "it answers again");
}

/* ---- spans ------------------------------------------------------------------------------- */

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
    if (!buf_failed(&out)) tell(p, "cloud-gap", out.ptr);
    buf_done(&out);
}

static void tell_moved(struct puller *p)
{
    if (p->options.out.moved) p->options.out.moved(p->options.out.ctx, p, p->at);
}

/* Where it begins is kept at once, so that a start in between does not begin later. */
static void begin_feed(struct puller *p, nsec from)
{
    struct seen *seen = &feed_of(p)->seen;
    seen->cursor = seen->floor = from;
    tell_moved(p);
}

/* The next span of the feed at hand, into p->from and p->to. False: it has no length yet. */
static bool choose_span(struct puller *p)
{
    const struct pull_source *s = source_of(p);
    struct puller_feed *f = feed_of(p);
    nsec now = clock_realtime(&p->options.clock);
    if (!f->seen.cursor) begin_feed(p, now - s->begin);
    nsec oldest = now - (s->kind == PULL_M365 ? KEPT_CONTENT : KEPT_GRAPH);
    nsec cursor = f->seen.cursor, from = seen_from(&f->seen, s->late);
    if (cursor < oldest) tell_gap(p, cursor, oldest);
    if (from < oldest) from = oldest;
    nsec begin = cursor > from ? cursor : from;
    p->whole = f->span >= now - begin;
    p->from = whole_seconds(from);
    p->to = whole_seconds(p->whole ? now : begin + f->span);
    return p->to > p->from;
}

static void first_page(struct puller *p)
{
    const struct url_span span = {p->from, p->to};
    url_page(&p->url, source_of(p), feed_of(p)->content, &span, p->top);
    p->pages = 0;
    p->skipped = false;
    p->step = PULLER_PAGE;
}

static void leave_feed(struct puller *p)
{
    struct puller_feed *f = feed_of(p);
    if (p->whole) f->next = monotonic(p) + source_of(p)->every;
    p->at = (p->at + 1) % p->n_feeds;
    p->step = PULLER_OPEN;
}

/* All of a span is stored, unless something was skipped. */
static void close_span(struct puller *p)
{
    const struct pull_source *s = source_of(p);
    struct puller_feed *f = feed_of(p);
    nsec most = SPAN_MOST - s->late;
    if (p->skipped) {
        p->whole = true;
        leave_feed(p);
        return;
    }
    seen_move(&f->seen, p->to, s->late);
    tell_moved(p);
    if (p->taken > SEEN_MAX / 4 && f->span > SPAN_LEAST) f->span /= 2;
    else if (p->taken < SEEN_MAX / 32 && f->span < most) f->span *= 2;
    if (f->span > most) f->span = most;
    leave_feed(p);
}

/* A feed whose time has come, the others in turn; waits when there is none. */
static bool open_span(struct puller *p)
{
    nsec now = monotonic(p), next = INT64_MAX;
    for (unsigned i = 0; i < p->n_feeds; i++) {
        struct puller_feed *f = feed_of(p);
        if (f->next <= now) {
            p->taken = 0;
            if (choose_span(p)) {
                first_page(p);
                return true;
            }
            f->next = now + source_of(p)->every;
        }
        if (f->next < next) next = f->next;
        p->at = (p->at + 1) % p->n_feeds;
    }
    web_call_release(&p->call);
    buf_done(&p->page);
    buf_init(&p->page, PULLER_BODY_MAX);
    wait_till(p, next);
    return false;
}

/* ---- batches ----------------------------------------------------------------------------- */

/* What of a record is known from its place in the answer. */
struct found {
    struct slice raw, delivery;
    uint64_t ordinal;
    struct seen_item item;
    bool known; /* has an id */
};

/* A page may have a record twice. */
static bool is_pending(const struct puller *p, struct seen_id id)
{
    for (uint32_t i = 0; i < p->n_pending; i++)
        if (p->pending[i].id.a == id.a && p->pending[i].id.b == id.b) return true;
    return false;
}

/* Records of Graph: the id is the delivery; of alerts, with the time of the change. False: it is
 * passed over. */
static bool find_record(struct puller *p, struct slice raw, struct buf *delivery, struct found *ret)
{
    const struct pull_source *s = source_of(p);
    struct answer_item item;
    *ret = (struct found){.raw = raw};
    if (raw.ptr[0] != '{') {
        p->stats.odd++;
        return false;
    }
    if (s->kind == PULL_M365) {
        ret->delivery = buf_slice(&p->id);
        ret->ordinal = p->ordinal++;
        return true;
    }
    answer_item_read(s->kind, raw, &item);
    buf_clear(delivery);
    buf_put(delivery, item.id);
    if (s->kind == PULL_ALERTS && item.time != TIME_NONE) {
        buf_putc(delivery, '@');
        time_write_rfc3339(delivery, item.time);
    }
    ret->known = item.id.len > 0;
    if (!ret->known) {
        p->stats.odd++;
        return true;
    }
    ret->delivery = buf_slice(delivery);
    ret->item =
        (struct seen_item){item.time == TIME_NONE ? p->to : item.time, seen_id_of(ret->delivery)};
    if (!seen_has(&feed_of(p)->seen, ret->item.id) && !is_pending(p, ret->item.id)) return true;
    p->repeats++;
    return false;
}

static bool add_pending(struct puller *p, const struct seen_item *item)
{
    if (p->n_pending == p->max_pending) {
        uint32_t max = p->max_pending ? 2 * p->max_pending : 256;
        struct seen_item *grown = realloc(p->pending, max * sizeof *grown);
        if (!grown) return false;
        p->pending = grown;
        p->max_pending = max;
    }
    p->pending[p->n_pending++] = *item;
    return true;
}

static int add_record(struct puller *p, const struct found *f, nsec received)
{
    bool cut = f->raw.len > RECORD_MAX;
    return batch_writer_add(
        &p->writer,
        &(struct record){.raw = slice_until(f->raw, RECORD_MAX),
                         .source = buf_slice(&p->source),
                         .delivery = f->delivery,
                         .received = received,
                         .ordinal = f->ordinal,
                         .format = RECORD_JSON,
                         .flags = (uint8_t)(RECORD_AUTHENTICATED | (cut ? RECORD_CUT : 0))});
}

/* Fills the writer from `records` as far as it goes. */
static int fill_batch(struct puller *p)
{
    struct buf delivery;
    struct slice name, raw;
    nsec received = clock_realtime(&p->options.clock);
    int error = 0;
    buf_init(&delivery, DELIVERY_MAX);
    for (struct json_parts at = p->records; json_parts_next(&at, &name, &raw); p->records = at) {
        struct found found;
        uint64_t ordinal = p->ordinal;
        bool wanted = find_record(p, raw, &delivery, &found);
        error = buf_error(&delivery);
        if (error == 0 && !wanted) continue;
        if (error == 0) error = add_record(p, &found, received);
        if (error == 0 && found.known && !add_pending(p, &found.item)) error = ERR_NOMEM;
        if (error == 0) continue;
        p->ordinal = ordinal;
        break;
    }
    buf_done(&delivery);
    return error == ERR_LIMIT && p->writer.n > 0 ? 0 : error;
}

static void take_back(struct puller *p)
{
    batch_writer_clear(&p->writer);
    p->records = p->before;
    p->ordinal = p->ordinal_before;
    p->n_pending = 0;
    p->repeats = 0;
}

/* The next batch of p->records; false: there is none left. */
static bool send_batch(struct puller *p)
{
    p->before = p->records;
    p->ordinal_before = p->ordinal;
    p->n_pending = p->repeats = 0;
    int error = fill_batch(p);
    if (error == 0 && p->writer.n == 0) {
        p->stats.repeats += p->repeats;
        return false;
    }
    p->n_batch = p->writer.n;
    buf_clear(&p->batch);
    if (error == 0) batch_writer_finish(&p->writer, &p->batch);
    if (error == 0) error = buf_error(&p->batch);
    p->storing = error == 0;
    if (error == 0) error = p->options.out.batch(p->options.out.ctx, p, buf_slice(&p->batch));
    if (error) {
        p->storing = false;
        take_back(p);
        fail(p, "what came cannot be stored now");
    }
    return true;
}

static void remember(struct puller *p, const struct seen_item *item)
{
    /* One that is not remembered comes again at worst. */
    (void)!seen_add(&feed_of(p)->seen, item->id, item->time);
    p->taken++;
}

void puller_stored(struct puller *p, bool stored)
{
    ASSERT(p->storing);
    p->storing = false;
    if (!stored) {
        take_back(p);
        if (!p->stopped) fail(p, "what came was not stored");
        return;
    }
    for (uint32_t i = 0; i < p->n_pending; i++) remember(p, &p->pending[i]);
    p->stats.records += p->n_batch;
    p->stats.repeats += p->repeats;
    if (p->n_pending) tell_moved(p);
    p->n_pending = p->repeats = 0;
    if (!p->stopped) loop_defer(p->options.loop, &p->go_on);
}

/* ---- content ----------------------------------------------------------------------------- */

/* What is known of content that failed before; else, when it `begins`, a place for it: the one with
 * the fewest tries. May be NULL. */
static struct puller_stuck *stuck_of(struct puller_feed *f, struct seen_id id, bool begins)
{
    struct puller_stuck *least = &f->stuck[0];
    for (size_t i = 0; i < PULLER_STUCK_MAX; i++) {
        struct puller_stuck *s = &f->stuck[i];
        if (s->tries && s->id.a == id.a && s->id.b == id.b) return s;
        if (s->tries < least->tries) least = s;
    }
    if (!begins) return NULL;
    *least = (struct puller_stuck){.id = id};
    return least;
}

/* All records of a content are stored, or will never be. */
static void close_content(struct puller *p)
{
    const struct seen_item item = {p->content_time, seen_id_of(buf_slice(&p->id))};
    struct puller_stuck *stuck = stuck_of(feed_of(p), item.id, false);
    if (stuck) stuck->tries = 0;
    remember(p, &item);
    tell_moved(p);
    p->step = PULLER_ITEMS;
}

static void lose_content(struct puller *p, const char *why, uint64_t *counter)
{
    char text[PULLER_WHY_MAX + 128];
    nsec now = monotonic(p);
    (*counter)++;
    if (!p->told_lost || now - p->told_lost > HOUR) {
        p->told_lost = now;
        (void)snprintf(text, sizeof text, "content %.*s is left out: %s",
                       SLICE_FMT(slice_until(buf_slice(&p->id), 100)), why);
        tell(p, "cloud-content-lost", text);
    }
    close_content(p);
}

/* Whether it is time to go on without the content at hand for good. */
static bool is_hopeless(struct puller *p, bool unreadable)
{
    struct puller_stuck *stuck = stuck_of(feed_of(p), seen_id_of(buf_slice(&p->id)), true);
    nsec now = monotonic(p);
    if (stuck->tries++ == 0) stuck->since = now;
    return stuck->tries >= CONTENT_TRIES && (unreadable || now - stuck->since >= CONTENT_TIME);
}

/* p->why says what is wrong with it. When many fail in a row it is not theirs. */
static void fail_content(struct puller *p, bool unreadable)
{
    p->skipped = true;
    if (is_hopeless(p, unreadable)) {
        lose_content(p, p->why, &p->stats.given_up);
    } else if (++p->failed_contents < CONTENTS_FAILED) {
        p->stats.failures++;
        p->step = PULLER_ITEMS;
    } else {
        p->failed_contents = 0;
        p->outages++;
        p->step = PULLER_OPEN;
        pause_after(p, false);
    }
}

/* The next item whose content was not taken; false: the page has none left. */
static bool next_content(struct puller *p)
{
    struct slice name, raw;
    while (json_parts_next(&p->items, &name, &raw)) {
        struct answer_item item;
        answer_item_read(PULL_M365, raw, &item);
        if (seen_has(&feed_of(p)->seen, seen_id_of(item.id))) {
            p->stats.repeats++;
            continue;
        }
        buf_clear(&p->id);
        buf_put(&p->id, item.id);
        buf_clear(&p->url);
        bool good = item.id.len > 0 && json_string_text(item.uri, &p->url) &&
                    url_is_own(buf_slice(&p->url), source_of(p));
        buf_putc(&p->url, '\0');
        if (buf_failed(&p->id) || buf_error(&p->url) == ERR_NOMEM) {
            p->skipped = true;
            continue;
        }
        if (!good || buf_failed(&p->url)) {
            p->stats.odd++;
            continue;
        }
        p->content_time = item.time == TIME_NONE ? p->to : item.time;
        p->step = PULLER_CONTENT;
        return true;
    }
    return false;
}

/* ---- pages ------------------------------------------------------------------------------- */

/* Where the span goes on behind a page, or its end. */
static void close_page(struct puller *p)
{
    if (p->next.len == 0) {
        close_span(p);
    } else if (++p->pages > PAGES_MAX || !url_is_own(buf_slice(&p->next), source_of(p))) {
        p->step = PULLER_OPEN;
        fail(p, "its next page is none of its own, or one of too many");
    } else {
        buf_clear(&p->url);
        buf_put(&p->url, buf_slice(&p->next));
        buf_putc(&p->url, '\0');
        p->step = PULLER_PAGE;
    }
}

/* Without an answer that can be read the same is asked again, and a page that is too large in
 * smaller ones. */
static void page_failed(struct puller *p, const struct web_answer *a)
{
    if (a->too_large && p->top > 1) {
        p->top = p->top / 4 + 1;
        first_page(p);
    }
    fail(p, a->why);
}

static void accept_feed(struct puller *p)
{
    struct puller_feed *f = feed_of(p);
    if (!f->refused) return;
    f->refused = false;
    p->n_refused--;
    tell(p, "cloud-back", "it answers again");
}

static void take_page(struct puller *p, const struct web_answer *a)
{
    struct answer_page page = {.next = &p->next};
    bool m365 = source_of(p)->kind == PULL_M365;
    int error = answer_page_read(source_of(p)->kind, a->body, &page);
    if (m365) buf_put(&p->next, a->next);
    if (error == 0) error = buf_error(&p->next);
    if (error) {
        fail(p, "its answer is not what its documentation says");
        return;
    }
    accept_feed(p);
    succeed(p);
    json_parts_init(&p->items, page.items);
    p->step = PULLER_ITEMS;
    if (!m365) {
        p->records = p->items;
        p->step = PULLER_RECORDS;
        return;
    }
    /* The page stays while the call fetches its content: the buffers change places. */
    struct buf kept = p->page;
    p->page = p->call.body;
    p->call.body = kept;
    buf_clear(&p->call.body);
}

static void take_content(struct puller *p, const struct web_answer *a)
{
    struct slice body = slice_trim(a->body), whole;
    bool good = body.len && body.ptr[0] == '[' && json_read_value(body, 0, &whole) == 0 &&
                whole.len == body.len;
    if (!good) {
        (void)snprintf(p->why, sizeof p->why, "content is not what its documentation says");
        fail_content(p, true);
        return;
    }
    p->failed_contents = p->outages = 0;
    succeed(p);
    json_parts_init(&p->records, whole);
    p->ordinal = 0;
    p->step = PULLER_RECORDS;
}

static void take_token(struct puller *p, const struct web_answer *a)
{
    nsec life;
    int error = answer_token(a->body, &p->token, &life);
    buf_putc(&p->token, '\0');
    if (error || buf_failed(&p->token)) {
        fail(p, "the answer to the request for a token has none that can be used");
        return;
    }
    nsec margin = life / 5 < 5 * MINUTE ? life / 5 : 5 * MINUTE;
    p->token_till = monotonic(p) + life - margin;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static bool is_subscribed_already(const struct answer_error *error)
{
    return explain_has_code(error, "AF20024");
}

/* The feed is not ordered yet, or was disabled: that is done, but not too often. */
static bool needs_subscription(struct puller *p, const struct answer_error *error)
{
    struct puller_feed *f = feed_of(p);
    nsec now = monotonic(p);
    if (!explain_has_code(error, "AF20022") && !explain_has_code(error, "AF20023")) return false;
    if (f->subscribed && now - f->subscribed < SUBSCRIBE_EVERY) return false;
    f->subscribed = now;
    p->step = PULLER_SUBSCRIBE;
    return true;
}

/* A span, or a place in it, is not accepted: it is begun anew when the others had their turn. */
static void refuse_feed(struct puller *p, const char *what, const struct web_answer *a,
                        const struct answer_error *error)
{
    struct puller_feed *f = feed_of(p);
    say_refused(p, what, a, error);
    if (p->options.checked) {
        conclude_check(p);
        return;
    }
    p->stats.failures++;
    if (!f->refused) {
        p->n_refused++;
        tell(p, "cloud-failing", p->why);
    }
    f->refused = true;
    f->next = monotonic(p) + WAIT_MOST / 2 + (nsec)random_below(p, WAIT_MOST / 2);
    p->at = (p->at + 1) % p->n_feeds;
    p->step = PULLER_OPEN;
}

static void refuse_content(struct puller *p, const struct web_answer *a,
                           const struct answer_error *error)
{
    bool gone = a->status == 404 || a->status == 410 || explain_has_code(error, "AF20050") ||
                explain_has_code(error, "AF20051");
    if (gone) {
        lose_content(p, "it is not there any more", &p->stats.expired);
    } else {
        say_refused(p, "no content", a, error);
        fail_content(p, false);
    }
}

/* An answer that is none of success, nor one that says to wait. */
static void take_refusal(struct puller *p, const struct web_answer *a)
{
    struct answer_error error;
    answer_error_read(a->body, &error);
    if (p->asking_token) {
        fail_refused(p, "no token", a, &error);
    } else if (a->status == 401) {
        p->token_till = 0;
        if (p->renewed) fail_refused(p, "the token is refused", a, &error);
        p->renewed = true;
    } else if (p->asked == PULLER_CONTENT) {
        refuse_content(p, a, &error);
    } else if (a->status >= 500) {
        fail_refused(p, "no answer", a, &error);
    } else if (p->asked == PULLER_SUBSCRIBE) {
        if (is_subscribed_already(&error)) p->step = PULLER_PAGE;
        else refuse_feed(p, "no subscription", a, &error);
    } else if (p->pages > 0) {
        /* Links do not last for ever. */
        p->step = PULLER_OPEN;
        say_refused(p, "no next page", a, &error);
        pause_after(p, false);
    } else if (p->options.checked || !needs_subscription(p, &error)) {
        refuse_feed(p, "no records", a, &error);
    }
}

static bool says_wait(const struct web_answer *a)
{
    struct answer_error error;
    if (a->status == 429 || (a->status == 503 && a->retry_after)) return true;
    if (a->status < 400) return false;
    answer_error_read(a->body, &error);
    return explain_has_code(&error, "AF429");
}

static void take_nothing(struct puller *p, const struct web_answer *a)
{
    bool content = !p->asking_token && p->asked == PULLER_CONTENT;
    if (content && a->too_large) {
        lose_content(p, a->why, &p->stats.given_up);
    } else if (content) {
        (void)snprintf(p->why, sizeof p->why, "%s", a->why);
        fail_content(p, false);
    } else if (!p->asking_token && p->asked == PULLER_PAGE) {
        page_failed(p, a);
    } else {
        fail(p, a->why);
    }
}

static void take_answer(struct puller *p, const struct web_answer *a)
{
    p->unreachable = a->why && a->status == 0;
    if (a->why) take_nothing(p, a);
    else if (says_wait(a)) throttle(p, a->retry_after);
    else if (a->status < 200 || a->status >= 300) take_refusal(p, a);
    else if (p->asking_token) take_token(p, a);
    else if (p->options.checked) conclude_check(p);
    else if (p->asked == PULLER_PAGE) take_page(p, a);
    else if (p->asked == PULLER_CONTENT) take_content(p, a);
    else p->step = PULLER_PAGE;
}

static void on_answer(void *ctx, const struct web_answer *answer)
{
    struct puller *p = ctx;
    if (p->stopped) return;
    take_answer(p, answer);
    if (!p->stopped) loop_defer(p->options.loop, &p->go_on);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void begin(struct puller *p, const struct web_request *request)
{
    p->stats.requests++;
    if (web_call_begin(&p->call, request) != 0) fail(p, "out of memory");
}

static void ask_token(struct puller *p)
{
    struct buf url;
    if (p->options.secret.len == 0) {
        (void)snprintf(p->why, sizeof p->why, "%s", p->options.why);
        pause_after(p, true);
        return;
    }
    p->asking_token = true;
    buf_init(&url, PULLER_URL_MAX);
    url_token(&url, source_of(p));
    url_token_form(&p->form, source_of(p), p->options.secret);
    if (buf_failed(&url) || buf_failed(&p->form)) fail(p, "out of memory");
    else
        begin(p, &(struct web_request){.url = url.ptr,
                                       .post = true,
                                       .form = buf_slice(&p->form),
                                       .timeout = source_of(p)->timeout});
    buf_done(&url);
    if (p->form.ptr) explicit_bzero(p->form.ptr, p->form.cap);
}

static void ask(struct puller *p)
{
    struct buf url;
    if (p->token_till <= monotonic(p)) {
        ask_token(p);
        return;
    }
    p->asking_token = false;
    p->asked = p->step;
    buf_init(&url, PULLER_URL_MAX);
    if (p->step == PULLER_SUBSCRIBE) url_subscribe(&url, source_of(p), feed_of(p)->content);
    else buf_put(&url, buf_slice(&p->url));
    if (buf_failed(&url) || buf_failed(&p->url)) {
        p->step = PULLER_OPEN;
        fail(p, "an address is too long, or there is no memory for it");
    } else {
        begin(p, &(struct web_request){.url = url.ptr,
                                       .token = p->token.ptr,
                                       .post = p->step == PULLER_SUBSCRIBE,
                                       .timeout = source_of(p)->timeout});
    }
    buf_done(&url);
}

/* One step of those that need nobody else; false: somebody has to answer, or it is not the time. */
static bool step(struct puller *p)
{
    switch (p->step) {
    case PULLER_OPEN:
        return open_span(p);
    case PULLER_PAGE:
    case PULLER_SUBSCRIBE:
    case PULLER_CONTENT:
        ask(p);
        return false;
    case PULLER_ITEMS:
        if (!next_content(p)) close_page(p);
        return true;
    case PULLER_RECORDS:
        if (send_batch(p)) return false;
        if (source_of(p)->kind == PULL_M365) close_content(p);
        else close_page(p);
        return true;
    }
    return false;
}

static void proceed(void *ctx)
{
    struct puller *p = ctx;
    loop_timer_stop(p->options.loop, &p->timer);
    while (!p->stopped && !p->call.busy && !p->storing) {
        if (p->not_till > monotonic(p)) {
            wait_till(p, p->not_till);
            return;
        }
        if (!step(p)) return;
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static void init_feeds(struct puller *p)
{
    const struct pull_source *s = source_of(p);
    p->n_feeds = pull_source_feeds(s);
    for (unsigned i = 0; i < p->n_feeds; i++) {
        seen_init(&p->feeds[i].seen);
        p->feeds[i].span = SPAN_FIRST;
        p->feeds[i].content = pull_source_content(s, i);
    }
}

int puller_init(struct puller *p, const struct puller_options *options)
{
    struct buf identity;
    *p = (struct puller){.options = *options};
    const struct pull_source *s = options->source;
    p->top = s->kind == PULL_ALERTS ? TOP_ALERTS : TOP;
    buf_init(&p->token, ANSWER_TOKEN_MAX + 1);
    buf_init(&p->url, PULLER_URL_MAX);
    buf_init(&p->form, PULLER_URL_MAX * 2);
    buf_init(&p->page, PULLER_BODY_MAX);
    buf_init(&p->next, PULLER_URL_MAX - 1);
    buf_init(&p->id, ANSWER_ID_MAX);
    buf_init(&p->source, SOURCE_MAX);
    buf_init(&p->batch, BATCH_MAX);
    batch_writer_init(&p->writer, 0, BATCH_TARGET);
    p->timer = (struct loop_timer){.due = proceed, .ctx = p};
    p->go_on = (struct loop_deferred){.call = proceed, .ctx = p};
    init_feeds(p);
    buf_init(&identity, 2 * PULL_ID_MAX);
    buf_printf(&identity, "%s/%s", s->tenant, s->client);
    record_source_write(&p->source,
                        &(struct record_source){.input = SLICE(PULL_INPUT),
                                                .listener = slice_of(pull_kind_name(s->kind)),
                                                .identity = buf_slice(&identity)});
    buf_done(&identity);
    int error = buf_error(&p->source);
    if (error == 0) error = web_call_init(&p->call, options->web, PULLER_BODY_MAX);
    p->call.done = on_answer;
    p->call.ctx = p;
    return error;
}

void puller_done(struct puller *p)
{
    puller_stop(p);
    loop_defer_cancel(p->options.loop, &p->go_on);
    web_call_done(&p->call);
    for (unsigned i = 0; i < p->n_feeds; i++) seen_done(&p->feeds[i].seen);
    if (p->token.ptr) explicit_bzero(p->token.ptr, p->token.cap);
    struct buf *const bufs[] = {&p->token, &p->url, &p->form,   &p->page,
                                &p->next,  &p->id,  &p->source, &p->batch};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_done(bufs[i]);
    batch_writer_done(&p->writer);
    free(p->pending);
    p->pending = NULL;
}

void puller_start(struct puller *p)
{
    if (p->options.checked) {
        url_check(&p->url, source_of(p), clock_realtime(&p->options.clock));
        p->step = PULLER_PAGE;
    }
    loop_defer(p->options.loop, &p->go_on);
}

void puller_stop(struct puller *p)
{
    p->stopped = true;
    loop_timer_stop(p->options.loop, &p->timer);
    web_call_cancel(&p->call);
}

const char *puller_state(const struct puller *p)
{
    if (p->storing) return "storing";
    if (p->throttled_till) return "throttled";
    if (p->failing_since || p->n_refused) return "failing";
    return p->call.busy ? "asking" : "waiting";
}

nsec puller_cursor(const struct puller *p)
{
    nsec least = INT64_MAX;
    for (unsigned i = 0; i < p->n_feeds; i++)
        if (p->feeds[i].seen.cursor < least) least = p->feeds[i].seen.cursor;
    return p->n_feeds ? least : 0;
}
