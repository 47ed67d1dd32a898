/* SPDX-License-Identifier: EUPL-1.2 */
#include "house.h"

static bool has(const struct buf *text, const char *part)
{
    return slice_find(buf_slice(text), slice_of(part)) != SIZE_MAX;
}

/* The n-th line of the log, from 0; from the end when n is below 0. */
static struct slice line_of(const struct house *h, int n)
{
    struct slice rest = buf_slice(&h->log), line = SLICE_NONE;
    int lines = 0;
    for (size_t i = 0; i < rest.len; i++) lines += rest.ptr[i] == '\n';
    for (int i = n < 0 ? lines + n : n; i >= 0; i--) (void)slice_split(rest, '\n', &line, &rest);
    return line;
}

/* When the n-th question was asked, seconds since noon. */
static int64_t asked_at(const struct house *h, int n)
{
    struct slice word, rest;
    int64_t at = INT64_MIN;
    (void)slice_split(line_of(h, n), ' ', &word, &rest);
    REQUIRE(slice_to_i64(word, &at));
    return at;
}

static int lines_of(const struct house *h)
{
    int lines = 0;
    for (size_t i = 0; i < h->log.len; i++) lines += h->log.ptr[i] == '\n';
    return lines;
}

#define GRAPH "entra-sign-in tenant=t client=c secret=/s"
#define M365  "m365-management tenant=t client=c secret=/s content=Audit.General"

/* ---- clouds ------------------------------------------------------------------------------ */

static bool is_token(struct slice url)
{
    return slice_find(url, SLICE("/oauth2/")) != SIZE_MAX;
}

static void empty(struct house *h, struct slice url)
{
    if (!is_token(url)) buf_puts(&h->body, h->source.kind == PULL_M365 ? "[]" : "{\"value\":[]}");
}

static void unreachable(struct house *h, struct slice url)
{
    (void)url;
    h->answer = (struct dial_answer){.why = "it cannot be reached"};
}

/* ---- time -------------------------------------------------------------------------------- */

TEST(spans_catch_up_and_then_overlap)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH " begin=7d every=5min", empty) == 0);
    run(&h, HOUR);
    /* Longer and longer spans, up to now. */
    CHECK(slice_find(line_of(&h, 0), SLICE("ge%202026-11-19T12%3A00%3A00Z%20and")) != SIZE_MAX);
    CHECK(slice_find(line_of(&h, 0), SLICE("le%202026-11-19T13%3A00%3A00Z")) != SIZE_MAX);
    CHECK(slice_find(line_of(&h, 1), SLICE("ge%202026-11-19T12%3A45%3A00Z%20and")) != SIZE_MAX);
    CHECK(slice_find(line_of(&h, 1), SLICE("le%202026-11-19T15%3A00%3A00Z")) != SIZE_MAX);
    CHECK_INT(asked_at(&h, 10), 0);
    /* Then every five minutes, a quarter of an hour over what was asked before. */
    CHECK_INT(asked_at(&h, -1), 3600);
    CHECK_INT(asked_at(&h, -2), 3300);
    CHECK(slice_find(line_of(&h, -1), SLICE("ge%202026-11-26T12%3A40%3A00Z%20and")) != SIZE_MAX);
    CHECK(slice_find(line_of(&h, -1), SLICE("le%202026-11-26T13%3A00%3A00Z")) != SIZE_MAX);
    CHECK_INT(puller_cursor(&h.puller), NOON + HOUR);
    CHECK_INT(h.puller.stats.failures, 0);
    /* One token lasts an hour, less what it is renewed in advance. */
    CHECK_INT(h.tokens, 2);
    CHECK_INT(h.alarms.len, 0);
    house_done(&h);
}

TEST(what_is_not_kept_any_more_is_told)
{
    static struct house h;
    REQUIRE(house_init(&h, M365, empty) == 0);
    h.puller.feeds[0].seen.cursor = NOON - 9 * DAY;
    run(&h, MINUTE);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-gap ");
    CHECK_INT(h.puller.stats.gaps, 1);
    CHECK(slice_find(line_of(&h, 0), SLICE("startTime=2026-11-19T12%3A10%3A00")) != SIZE_MAX);
    /* No span of the Activity API is as long as a day. */
    for (int i = 0; i < lines_of(&h); i++) {
        struct slice line = line_of(&h, i), from, to, rest;
        nsec a, b;
        from = slice_from(line, slice_find(line, SLICE("startTime=")) + 10);
        (void)slice_split(from, '&', &from, &rest);
        to = slice_from(line, slice_find(line, SLICE("endTime=")) + 8);
        char text[2][32];
        for (int j = 0; j < 2; j++) {
            struct slice t = j ? to : from;
            REQUIRE(t.len == 23);
            (void)snprintf(text[j], sizeof text[j], "%.13s:%.2s:%.2s", t.ptr, t.ptr + 16,
                           t.ptr + 21);
        }
        REQUIRE(time_parse(slice_of(text[0]), 0, &a) && time_parse(slice_of(text[1]), 0, &b));
        CHECK(a < b && b - a <= 23 * HOUR);
    }
    CHECK_INT(puller_cursor(&h.puller), NOON);
    house_done(&h);
}

TEST(a_clock_that_goes_back_loses_nothing)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH " every=1min", empty) == 0);
    run(&h, 10 * MINUTE);
    h.time.realtime -= 2 * HOUR;
    run(&h, 10 * MINUTE);
    CHECK_INT(puller_cursor(&h.puller), NOON + 10 * MINUTE);
    h.time.realtime += 3 * HOUR;
    run(&h, 10 * MINUTE);
    CHECK_INT(puller_cursor(&h.puller), h.time.realtime);
    CHECK_INT(h.puller.stats.gaps, 0);
    house_done(&h);
}

/* ---- pauses ------------------------------------------------------------------------------ */

TEST(pauses_grow_and_people_are_told_once)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH, unreachable) == 0);
    run(&h, 10 * MINUTE);
    CHECK_INT(h.alarms.len, 0);
    CHECK_SLICE(slice_of(puller_state(&h.puller)), "failing");
    CHECK_SLICE(slice_of(h.puller.why), "it cannot be reached");
    run(&h, 10 * HOUR);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-failing ");
    /* Once in 2.5 to 5 minutes, in the end. */
    unsigned before = h.requests;
    run(&h, 10 * HOUR);
    CHECK(h.requests - before >= 120 && h.requests - before <= 240);
    CHECK(h.puller.unreachable);
    h.cloud = empty;
    run(&h, 10 * MINUTE);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-failing cloud-back ");
    CHECK_SLICE(slice_of(puller_state(&h.puller)), "waiting");
    CHECK_SLICE(slice_of(h.puller.why), "");
    house_done(&h);
}

static void throttles_first(struct house *h, struct slice url)
{
    if (is_token(url)) return;
    h->pages++;
    if (h->pages <= 2) {
        h->answer = (struct dial_answer){.status = h->pages == 1 ? 429 : 503,
                                         .retry_after = 40 * NSEC_PER_SEC};
    } else if (h->pages == 3) {
        h->answer.status = 403;
        buf_puts(&h->body, "{\"error\":{\"code\":\"AF429\",\"message\":\"Too many requests.\"}}");
    } else {
        empty(h, url);
    }
}

TEST(who_says_wait_is_waited_for)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH " every=1h begin=30min", throttles_first) == 0);
    run(&h, 10 * MINUTE);
    CHECK(asked_at(&h, 1) >= 40 && asked_at(&h, 1) <= 42);
    CHECK(asked_at(&h, 2) >= asked_at(&h, 1) + 40);
    /* AF429 comes without a time: a pause of ours. */
    CHECK(asked_at(&h, 3) > asked_at(&h, 2));
    CHECK_INT(h.puller.stats.throttled, 3);
    CHECK_INT(h.puller.stats.failures, 0);
    CHECK_INT(h.puller.throttled_till, 0);
    CHECK_INT(h.alarms.len, 0);
    house_done(&h);
}

static void always_throttles(struct house *h, struct slice url)
{
    if (!is_token(url)) h->answer = (struct dial_answer){.status = 429, .retry_after = 2 * HOUR};
}

/* Nobody makes us wait for more than an hour, and when it goes on people hear of it. */
TEST(who_says_wait_for_ever_is_told_of)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH, always_throttles) == 0);
    run(&h, 30 * MINUTE);
    CHECK_SLICE(slice_of(puller_state(&h.puller)), "throttled");
    CHECK_INT(h.alarms.len, 0);
    run(&h, 5 * HOUR);
    CHECK(lines_of(&h) >= 5 && lines_of(&h) <= 7);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-failing ");
    house_done(&h);
}

static void refuses_tokens(struct house *h, struct slice url)
{
    if (!is_token(url)) {
        h->answer.status = 401;
        buf_puts(&h->body, "{\"error\":{\"code\":\"InvalidAuthenticationToken\"}}");
    }
}

TEST(a_refused_token_is_renewed_once_at_once)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH, refuses_tokens) == 0);
    run(&h, 0);
    CHECK_INT(h.tokens, 2);
    CHECK_INT(h.puller.stats.failures, 1);
    CHECK(has(&h.alarms, "cloud-failing "));
    house_done(&h);
}

/* ---- records ----------------------------------------------------------------------------- */

/* 12,000 sign-ins in the last ten minutes; pages of 500. */
static void busy(struct house *h, struct slice url)
{
    enum { ALL = 12000 };
    if (is_token(url)) return;
    uint64_t at = 0;
    size_t skip_at = slice_find(url, SLICE("&skip="));
    if (skip_at != SIZE_MAX) REQUIRE(slice_to_u64(slice_from(url, skip_at + 6), &at));
    h->pages++;
    buf_puts(&h->body, "{\"value\":[");
    for (uint64_t i = at; i < at + 500 && i < ALL; i++)
        buf_printf(&h->body,
                   "%s{\"id\":\"s-%llu\",\"createdDateTime\":\"2026-11-26T11:5%llu:00Z\"}",
                   i > at ? "," : "", (unsigned long long)i, (unsigned long long)(i % 10));
    buf_puts(&h->body, "]");
    if (at + 500 < ALL)
        buf_printf(&h->body, ",\"@odata.nextLink\":\"https://graph.microsoft.com/x?&skip=%llu\"",
                   (unsigned long long)at + 500);
    buf_puts(&h->body, "}");
}

/* More than can be remembered are all stored, once; what was forgotten is not asked for again. */
TEST(more_than_is_remembered_comes_once)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH " begin=30min every=1min", busy) == 0);
    run(&h, 0);
    CHECK_INT(h.records, 12000);
    CHECK_INT(h.pages, 24);
    CHECK_INT(h.puller.feeds[0].seen.floor, NOON);
    CHECK(h.puller.feeds[0].span < HOUR);
    h.cloud = empty;
    run(&h, MINUTE);
    CHECK(slice_find(line_of(&h, -1), SLICE("ge%202026-11-26T12%3A00%3A00Z")) != SIZE_MAX);
    CHECK_INT(h.records, 12000);
    house_done(&h);
}

static void one_page(struct house *h, struct slice url)
{
    if (is_token(url)) return;
    buf_puts(&h->body, "{\"value\":[{\"id\":\"a\",\"createdDateTime\":\"2026-11-26T11:50:00Z\"},7,"
                       "{\"id\":\"a\",\"createdDateTime\":\"2026-11-26T11:50:00Z\"},"
                       "{\"createdDateTime\":\"2026-11-26T11:50:00Z\"}]}");
}

/* The store refuses, then takes: nothing is lost, and nothing is told as taken before. */
TEST(what_is_not_stored_is_sent_again)
{
    static struct house h;
    REQUIRE(house_init(&h, GRAPH " begin=30min every=1h", one_page) == 0);
    h.refuses = true;
    run(&h, 10 * MINUTE);
    CHECK_INT(h.records, 0);
    CHECK_INT(h.puller.feeds[0].seen.n, 0);
    CHECK_INT(h.puller.feeds[0].seen.cursor, NOON - 30 * MINUTE);
    CHECK_INT(h.pages + h.tokens, 1);
    h.refuses = false;
    run(&h, 10 * MINUTE);
    CHECK_INT(h.records, 2);
    CHECK_SLICE(slice_of(h.kept[0]), "a#0");
    CHECK_SLICE(slice_of(h.kept[1]), "#0");
    CHECK(h.puller.feeds[0].seen.cursor >= NOON);
    CHECK_INT(h.puller.stats.records, 2);
    house_done(&h);
}

/* ---- content ----------------------------------------------------------------------------- */

static void three_contents(struct house *h, struct slice url)
{
    if (is_token(url)) return;
    size_t blob = slice_find(url, SLICE("/audit/"));
    if (blob == SIZE_MAX) {
        h->pages++;
        struct slice start = slice_from(url, slice_find(url, SLICE("startTime=")) + 10);
        if (slice_cmp(slice_until(start, 23), SLICE("2026-11-26T11%3A50%3A00")) > 0) {
            buf_puts(&h->body, "[]");
            return;
        }
        buf_puts(&h->body, "[");
        for (int i = 0; i < 3; i++)
            buf_printf(&h->body,
                       "%s{\"contentId\":\"c%d\",\"contentCreated\":\"2026-11-26T11:50:00Z\","
                       "\"contentUri\":\"https://manage.office.com/api/audit/c%d\"}",
                       i ? "," : "", i, i);
        buf_puts(&h->body, "]");
        return;
    }
    h->others++;
    if (slice_ends_with(url, SLICE("c1"))) {
        h->answer.status = 500;
        return;
    }
    buf_puts(&h->body, "[{\"Id\":\"x\"},{\"Id\":\"y\"}]");
}

/* One that fails holds up nothing, and is given up after an hour of trying. */
TEST(content_that_fails_is_tried_for_an_hour)
{
    static struct house h;
    REQUIRE(house_init(&h, M365 " begin=30min every=1min", three_contents) == 0);
    run(&h, MINUTE / 2);
    CHECK_INT(h.records, 4);
    CHECK_INT(h.puller.stats.given_up, 0);
    CHECK_INT(h.puller.feeds[0].seen.cursor, NOON - 30 * MINUTE);
    run(&h, 50 * MINUTE);
    CHECK_INT(h.puller.stats.given_up, 0);
    CHECK_INT(h.alarms.len, 0);
    run(&h, 30 * MINUTE);
    CHECK_INT(h.puller.stats.given_up, 1);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-content-lost ");
    CHECK(h.puller.feeds[0].seen.cursor > NOON + HOUR);
    CHECK_INT(h.records, 4);
    CHECK_SLICE(slice_of(h.kept[3]), "c2#1");
    unsigned others = h.others;
    run(&h, 10 * MINUTE);
    CHECK_INT(h.others, others);
    house_done(&h);
}

static void all_contents_fail(struct house *h, struct slice url)
{
    three_contents(h, url);
    if (slice_find(url, SLICE("/audit/")) != SIZE_MAX)
        h->answer = (struct dial_answer){.status = 503};
}

/* When all fail, it is not theirs: the pauses grow, and nothing is given up in the first hour. */
TEST(an_outage_of_content_is_waited_for)
{
    static struct house h;
    REQUIRE(house_init(&h, M365 " begin=30min every=1min", all_contents_fail) == 0);
    run(&h, 50 * MINUTE);
    CHECK_INT(h.puller.stats.given_up, 0);
    CHECK(h.others < 100);
    h.cloud = three_contents;
    run(&h, 10 * MINUTE);
    CHECK_INT(h.records, 4);
    house_done(&h);
}

static void no_subscription(struct house *h, struct slice url)
{
    if (is_token(url)) return;
    if (slice_find(url, SLICE("/subscriptions/start?")) != SIZE_MAX) {
        h->others++;
        return;
    }
    h->answer.status = 400;
    buf_puts(&h->body, "{\"error\":{\"code\":\"AF20022\",\"message\":\"No subscription found\"}}");
}

/* It is ordered, and not more than once in a quarter of an hour. */
TEST(subscriptions_are_ordered_now_and_then)
{
    static struct house h;
    REQUIRE(house_init(&h, M365, no_subscription) == 0);
    run(&h, MINUTE);
    CHECK_INT(h.others, 1);
    run(&h, HOUR);
    CHECK(h.others >= 3 && h.others <= 5);
    CHECK_SLICE(buf_slice(&h.alarms), "cloud-failing ");
    house_done(&h);
}
