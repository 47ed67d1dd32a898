/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/puller.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "pull/explain.h"
#include "pull/internal.h"
#include "pull/url.h"

enum {
    BATCH_TARGET = 1024 * 1024,
    PAGES_MAX = 10 * 1000, /* of one span: more is a circle */
    TOP = 500,
    TOP_ALERTS = 100,
    CONTENT_TRIES = 12,
    CONTENTS_FAILED = 3,
    SOURCE_MAX = 4096,
};
/* Content that cannot be fetched is given up after so many tries in so much time. */
#define CONTENT_TIME HOUR
/* "Wait 15 minutes between subscriptions/start." */
#define SUBSCRIBE_EVERY (15 * MINUTE)

static void proceed(void *ctx);

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
    struct puller_stuck *stuck = stuck_of(puller_feed(p), item.id, false);
    if (stuck) stuck->tries = 0;
    fetched_remember(p, &item);
    span_tell_moved(p);
    p->step = PULLER_ITEMS;
}

static void lose_content(struct puller *p, const char *why, uint64_t *counter)
{
    char text[PULLER_WHY_MAX + 128];
    nsec now = puller_now(p);
    (*counter)++;
    if (!p->told_lost || now - p->told_lost > HOUR) {
        p->told_lost = now;
        (void)snprintf(text, sizeof text, "content %.*s is left out: %s",
                       SLICE_FMT(slice_until(buf_slice(&p->id), 100)), why);
        pause_tell(p, "cloud-content-lost", text);
    }
    close_content(p);
}

/* Whether it is time to go on without the content at hand for good. */
static bool is_hopeless(struct puller *p, bool unreadable)
{
    struct puller_stuck *stuck = stuck_of(puller_feed(p), seen_id_of(buf_slice(&p->id)), true);
    nsec now = puller_now(p);
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
        pause_after_failure(p, false);
    }
}

/* The next item whose content was not taken; false: the page has none left. */
static bool next_content(struct puller *p)
{
    struct slice name, raw;
    while (json_parts_next(&p->items, &name, &raw)) {
        struct answer_item item;
        answer_item_read(PULL_M365, raw, &item);
        if (seen_has(&puller_feed(p)->seen, seen_id_of(item.id))) {
            p->stats.repeats++;
            continue;
        }
        buf_clear(&p->id);
        buf_put(&p->id, item.id);
        buf_clear(&p->url);
        bool good = item.id.len > 0 && json_string_text(item.uri, &p->url) &&
                    url_is_own(buf_slice(&p->url), puller_source(p));
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
        span_close(p);
    } else if (++p->pages > PAGES_MAX || !url_is_own(buf_slice(&p->next), puller_source(p))) {
        p->step = PULLER_OPEN;
        pause_failed(p, "its next page is none of its own, or one of too many");
    } else {
        buf_clear(&p->url);
        buf_put(&p->url, buf_slice(&p->next));
        buf_putc(&p->url, '\0');
        p->step = PULLER_PAGE;
    }
}

/* Without an answer that can be read the same is asked again, and a page that is too large in
 * smaller ones. */
static void page_failed(struct puller *p, const struct dial_answer *a)
{
    if (a->too_large && p->top > 1) {
        p->top = p->top / 4 + 1;
        span_first_page(p);
    }
    pause_failed(p, a->why);
}

static void accept_feed(struct puller *p)
{
    struct puller_feed *f = puller_feed(p);
    if (!f->refused) return;
    f->refused = false;
    p->n_refused--;
    pause_tell(p, "cloud-back", "it answers again");
}

static void take_page(struct puller *p, const struct dial_answer *a)
{
    struct answer_page page = {.next = &p->next};
    bool m365 = puller_source(p)->kind == PULL_M365;
    int error = answer_page_read(puller_source(p)->kind, a->body, &page);
    if (m365) buf_put(&p->next, a->next);
    if (error == 0) error = buf_error(&p->next);
    if (error) {
        pause_failed(p, "its answer is not what its documentation says");
        return;
    }
    accept_feed(p);
    pause_end(p);
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

static void take_content(struct puller *p, const struct dial_answer *a)
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
    pause_end(p);
    json_parts_init(&p->records, whole);
    p->ordinal = 0;
    p->step = PULLER_RECORDS;
}

static void take_token(struct puller *p, const struct dial_answer *a)
{
    nsec life;
    int error = answer_token(a->body, &p->token, &life);
    buf_putc(&p->token, '\0');
    if (error || buf_failed(&p->token)) {
        pause_failed(p, "the answer to the request for a token has none that can be used");
        return;
    }
    nsec margin = life / 5 < 5 * MINUTE ? life / 5 : 5 * MINUTE;
    p->token_till = puller_now(p) + life - margin;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static bool is_subscribed_already(const struct answer_error *error)
{
    return explain_has_code(error, "AF20024");
}

/* The feed is not ordered yet, or was disabled: that is done, but not too often. */
static bool needs_subscription(struct puller *p, const struct answer_error *error)
{
    struct puller_feed *f = puller_feed(p);
    nsec now = puller_now(p);
    if (!explain_has_code(error, "AF20022") && !explain_has_code(error, "AF20023")) return false;
    if (f->subscribed && now - f->subscribed < SUBSCRIBE_EVERY) return false;
    f->subscribed = now;
    p->step = PULLER_SUBSCRIBE;
    return true;
}

/* A span, or a place in it, is not accepted: it is begun anew when the others had their turn. */
static void refuse_feed(struct puller *p, const char *what, const struct dial_answer *a,
                        const struct answer_error *error)
{
    struct puller_feed *f = puller_feed(p);
    pause_say(p, what, a, error);
    if (p->options.checked) {
        pause_for_good(p);
        return;
    }
    p->stats.failures++;
    if (!f->refused) {
        p->n_refused++;
        pause_tell(p, "cloud-failing", p->why);
    }
    f->refused = true;
    f->next = puller_now(p) + pause_long(p);
    p->at = (p->at + 1) % p->n_feeds;
    p->step = PULLER_OPEN;
}

static void refuse_content(struct puller *p, const struct dial_answer *a,
                           const struct answer_error *error)
{
    bool gone = a->status == 404 || a->status == 410 || explain_has_code(error, "AF20050") ||
                explain_has_code(error, "AF20051");
    if (gone) {
        lose_content(p, "it is not there any more", &p->stats.expired);
    } else {
        pause_say(p, "no content", a, error);
        fail_content(p, false);
    }
}

/* An answer that is none of success, nor one that says to wait. */
static void take_refusal(struct puller *p, const struct dial_answer *a)
{
    struct answer_error error;
    answer_error_read(a->body, &error);
    if (p->asking_token) {
        pause_refused(p, "no token", a, &error);
    } else if (a->status == 401) {
        p->token_till = 0;
        if (p->renewed) pause_refused(p, "the token is refused", a, &error);
        p->renewed = true;
    } else if (p->asked == PULLER_CONTENT) {
        refuse_content(p, a, &error);
    } else if (a->status >= 500) {
        pause_refused(p, "no answer", a, &error);
    } else if (p->asked == PULLER_SUBSCRIBE) {
        if (is_subscribed_already(&error)) p->step = PULLER_PAGE;
        else refuse_feed(p, "no subscription", a, &error);
    } else if (p->pages > 0) {
        /* Links do not last for ever. */
        p->step = PULLER_OPEN;
        pause_say(p, "no next page", a, &error);
        pause_after_failure(p, false);
    } else if (p->options.checked || !needs_subscription(p, &error)) {
        refuse_feed(p, "no records", a, &error);
    }
}

static bool says_wait(const struct dial_answer *a)
{
    struct answer_error error;
    if (a->status == 429 || (a->status == 503 && a->retry_after)) return true;
    if (a->status < 400) return false;
    answer_error_read(a->body, &error);
    return explain_has_code(&error, "AF429");
}

static void take_nothing(struct puller *p, const struct dial_answer *a)
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
        pause_failed(p, a->why);
    }
}

static void take_answer(struct puller *p, const struct dial_answer *a)
{
    p->unreachable = a->why && a->status == 0;
    if (a->why) take_nothing(p, a);
    else if (says_wait(a)) pause_throttled(p, a->retry_after);
    else if (a->status < 200 || a->status >= 300) take_refusal(p, a);
    else if (p->asking_token) take_token(p, a);
    else if (p->options.checked) pause_for_good(p);
    else if (p->asked == PULLER_PAGE) take_page(p, a);
    else if (p->asked == PULLER_CONTENT) take_content(p, a);
    else p->step = PULLER_PAGE;
}

static void on_answer(void *ctx, const struct dial_answer *answer)
{
    struct puller *p = ctx;
    if (p->stopped) return;
    take_answer(p, answer);
    if (!p->stopped) loop_defer(p->options.loop, &p->go_on);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void begin(struct puller *p, const struct dial_request *request)
{
    p->stats.requests++;
    if (dial_call_begin(&p->call, request) != 0) pause_failed(p, "out of memory");
}

static void ask_token(struct puller *p)
{
    struct buf url;
    if (p->options.secret.len == 0) {
        (void)snprintf(p->why, sizeof p->why, "%s", p->options.why);
        pause_after_failure(p, true);
        return;
    }
    p->asking_token = true;
    buf_init(&url, PULLER_URL_MAX);
    url_token(&url, puller_source(p));
    url_token_form(&p->form, puller_source(p), p->options.secret);
    if (buf_failed(&url) || buf_failed(&p->form)) pause_failed(p, "out of memory");
    else
        begin(p, &(struct dial_request){.url = url.ptr,
                                        .post = true,
                                        .body = buf_slice(&p->form),
                                        .timeout = puller_source(p)->timeout});
    buf_done(&url);
    if (p->form.ptr) explicit_bzero(p->form.ptr, p->form.cap);
}

static void ask(struct puller *p)
{
    struct buf url;
    if (p->token_till <= puller_now(p)) {
        ask_token(p);
        return;
    }
    p->asking_token = false;
    p->asked = p->step;
    buf_init(&url, PULLER_URL_MAX);
    if (p->step == PULLER_SUBSCRIBE) url_subscribe(&url, puller_source(p), puller_feed(p)->content);
    else buf_put(&url, buf_slice(&p->url));
    if (buf_failed(&url) || buf_failed(&p->url)) {
        p->step = PULLER_OPEN;
        pause_failed(p, "an address is too long, or there is no memory for it");
    } else {
        begin(p, &(struct dial_request){.url = url.ptr,
                                        .token = p->token.ptr,
                                        .post = p->step == PULLER_SUBSCRIBE,
                                        .timeout = puller_source(p)->timeout});
    }
    buf_done(&url);
}

/* One step of those that need nobody else; false: somebody has to answer, or it is not the time. */
static bool step(struct puller *p)
{
    switch (p->step) {
    case PULLER_OPEN:
        return span_open(p);
    case PULLER_PAGE:
    case PULLER_SUBSCRIBE:
    case PULLER_CONTENT:
        ask(p);
        return false;
    case PULLER_ITEMS:
        if (!next_content(p)) close_page(p);
        return true;
    case PULLER_RECORDS:
        if (fetched_send(p)) return false;
        if (puller_source(p)->kind == PULL_M365) close_content(p);
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
        if (p->not_till > puller_now(p)) {
            pause_till(p, p->not_till);
            return;
        }
        if (!step(p)) return;
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static void init_feeds(struct puller *p)
{
    const struct pull_source *s = puller_source(p);
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
    if (error == 0) error = dial_call_init(&p->call, options->dial, PULLER_BODY_MAX);
    p->call.done = on_answer;
    p->call.ctx = p;
    return error;
}

void puller_done(struct puller *p)
{
    puller_stop(p);
    loop_defer_cancel(p->options.loop, &p->go_on);
    dial_call_done(&p->call);
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
        url_check(&p->url, puller_source(p), clock_realtime(&p->options.clock));
        p->step = PULLER_PAGE;
    }
    loop_defer(p->options.loop, &p->go_on);
}

void puller_stored(struct puller *p, bool stored)
{
    ASSERT(p->storing);
    p->storing = false;
    if (stored) fetched_stored(p);
    else fetched_take_back(p);
    if (p->stopped) return;
    if (stored) loop_defer(p->options.loop, &p->go_on);
    else pause_failed(p, "what came was not stored");
}

void puller_stop(struct puller *p)
{
    p->stopped = true;
    loop_timer_stop(p->options.loop, &p->timer);
    dial_call_cancel(&p->call);
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
