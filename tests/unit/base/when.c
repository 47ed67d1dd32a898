/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/when.h"

#include "test.h"

/* 2026-12-23T21:47:00Z */
#define NOW (INT64_C(1798062420) * NSEC_PER_SEC)
#define DAY (86400 * NSEC_PER_SEC)

TEST(points_and_spans)
{
    static const struct {
        const char *text;
        bool end_of_day;
        nsec want; /* TIME_NONE: refused */
    } cases[] = {
        {"now", false, NOW},
        {"-0s", false, NOW},
        {"-90s", false, NOW - 90 * NSEC_PER_SEC},
        {"-15m", true, NOW - 900 * NSEC_PER_SEC},
        {"-24h", false, NOW - DAY},
        {"-7d", false, NOW - 7 * DAY},
        {"-2w", false, NOW - 14 * DAY},
        {"2026-12-23", false, NOW - NOW % DAY},
        {"2026-12-23", true, NOW - NOW % DAY + DAY - 1},
        {"2026-12-23T21:47:00Z", true, NOW},
        {"2026-12-23T22:47:00+01:00", false, NOW},
        {"2026-12-23 21:47:00", false, NOW},
        {"1798062420", false, NOW},
        {"now-24h", false, NOW - DAY},
        {"now-0s", false, NOW},
        {"now-", false, TIME_NONE},
        {"now24h", false, TIME_NONE},
        {"now2026-12-23", false, TIME_NONE},
        {"", false, TIME_NONE},
        {"-", false, TIME_NONE},
        {"-d", false, TIME_NONE},
        {"-7", false, TIME_NONE},
        {"-7x", false, TIME_NONE},
        {"-7D", false, TIME_NONE},
        {"--7d", false, TIME_NONE},
        {"-+7d", false, TIME_NONE},
        {"-1.5h", false, TIME_NONE},
        {"-7 d", false, TIME_NONE},
        {"7d", false, TIME_NONE},
        {"Now", false, TIME_NONE},
        {"yesterday", false, TIME_NONE},
        {"2026-02-30", false, TIME_NONE},
        {"2026-13-01", false, TIME_NONE},
        {"-99999999999999999999d", false, TIME_NONE},
        {"-9223372036854775807s", false, TIME_NONE},
        {"-15250284452472w", false, TIME_NONE},
        {"-1000000w", false, TIME_NONE}, /* before 1678 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nsec t = TIME_NONE;
        bool good = when_parse(slice_of(cases[i].text), &(struct when){.now = NOW},
                               cases[i].end_of_day, &t);
        if (good != (cases[i].want != TIME_NONE) || t != cases[i].want)
            test_fail(__FILE__, __LINE__, "%s: %d, %lld", cases[i].text, good, (long long)t);
    }
}

TEST(spans)
{
    nsec t = 0;
    CHECK(when_parse_span(SLICE("5m"), &t) && t == 300 * NSEC_PER_SEC);
    CHECK(when_parse_span(SLICE("1w"), &t) && t == 7 * DAY);
    CHECK(!when_parse_span(SLICE("0s"), &t));
    CHECK(!when_parse_span(SLICE("-5m"), &t));
    CHECK(!when_parse_span(SLICE("m"), &t));
    CHECK(!when_parse_span(SLICE("5"), &t));
    CHECK(!when_parse_span(SLICE(""), &t));
    CHECK(t == 7 * DAY);
}

TEST(times_without_a_zone_are_of_the_zone_that_is_handed_in)
{
    struct zone zone;
    struct diag diag;
    const struct when when = {.now = NOW, .zone = &zone};
    nsec t = TIME_NONE;
    REQUIRE(zone_read(&zone, "Europe/Stockholm", NOW, &diag) == 0);
    static const struct {
        const char *text, *utc;
    } cases[] = {
        {"2026-12-23 22:47", "2026-12-23T21:47:00Z"},
        {"2026-07-01 03:00:00", "2026-07-01T01:00:00Z"},
        {"2026-12-23", "2026-12-22T23:00:00Z"},
        {"2026-12-23T21:47:00Z", "2026-12-23T21:47:00Z"},
        {"2026-12-23T21:47:00+05:00", "2026-12-23T16:47:00Z"},
        {"1798062420", "2026-12-23T21:47:00Z"},
        {"2026-10-25 02:30", "2026-10-25T01:30:00Z"}, /* there twice */
        {"2026-03-29 02:30", "2026-03-29T01:30:00Z"}, /* not there */
        {"2026-10-25 01:59:59", "2026-10-24T23:59:59Z"},
        {"2026-10-25 03:00", "2026-10-25T02:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nsec want;
        REQUIRE(time_parse(slice_of(cases[i].utc), 0, &want));
        if (!when_parse(slice_of(cases[i].text), &when, false, &t) || t != want)
            test_fail(__FILE__, __LINE__, "%s: %lld, not %lld", cases[i].text, (long long)t,
                      (long long)want);
    }
}
