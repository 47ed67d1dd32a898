/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/time.h"

#include "test.h"

static struct buf out;

static struct slice show(nsec t)
{
    buf_done(&out);
    buf_init(&out, 100);
    time_write_rfc3339(&out, t);
    return buf_slice(&out);
}

TEST(time_parse_forms)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"2026-12-23T21:47:00.123Z", "2026-12-23T21:47:00.123Z"},
        {"2026-12-23 21:47:00", "2026-12-23T21:47:00.000Z"},
        {"2026-12-23 21:47", "2026-12-23T21:47:00.000Z"},
        {"2026-12-23T21:47Z", "2026-12-23T21:47:00.000Z"},
        {"2026-12-23", "2026-12-23T00:00:00.000Z"},
        {"2026-12-23T21:47:00,5Z", "2026-12-23T21:47:00.500Z"},
        {"2026-12-23T21:47:00.1234567Z", "2026-12-23T21:47:00.123456700Z"},
        {"2026-12-23T21:47:00.123456789+00:00", "2026-12-23T21:47:00.123456789Z"},
        {"2026-12-23T21:47:00+01:00", "2026-12-23T20:47:00.000Z"},
        {"2026-12-23T21:47:00+0530", "2026-12-23T16:17:00.000Z"},
        {"2026-12-23T21:47:00-08", "2026-12-24T05:47:00.000Z"},
        {"2026-12-23 21:47:00.000001 +0100", "2026-12-23T20:47:00.000001Z"},
        {"2026-12-23 21:47:00 UTC", "2026-12-23T21:47:00.000Z"},
        {"2026/01/02 03:04:05", "2026-01-02T03:04:05.000Z"},
        {"02/Jan/2026:03:04:05 +0100", "2026-01-02T02:04:05.000Z"},
        {"Mon Jan  2 03:04:05 2026", "2026-01-02T03:04:05.000Z"},
        {"Fri Jan 12 03:04:05 2026", "2026-01-12T03:04:05.000Z"},
        {"Jan  2 03:04:05", "2025-01-02T03:04:05.000Z"},
        {"June  8 00:21:09", "2025-06-08T00:21:09.000Z"},
        {"Sept 30 2026 00:21:09", "2026-09-30T00:21:09.000Z"},
        {"02/January/2026:03:04:05 +0100", "2026-01-02T02:04:05.000Z"},
        {"Feb 12 03:04:05.250", "2025-02-12T03:04:05.250Z"},
        {"Feb 2 03:04:05", "2025-02-02T03:04:05.000Z"},
        {"Feb  2 2026 03:04:05", "2026-02-02T03:04:05.000Z"},
        {"Feb 12 2026 03:04:05.250 UTC", "2026-02-12T03:04:05.250Z"},
        {"Feb 2 2026 03:04:05 CET", "2026-02-02T02:04:05.000Z"},
        {"Jul 12 03:04:05.250 CEST", "2025-07-12T01:04:05.250Z"},
        {"Jul 12 03:04:05 2026 +0200", "2026-07-12T01:04:05.000Z"},
        {"2026 Mar  1 03:04:05 EET", "2026-03-01T01:04:05.000Z"},
        {"2026 Mar 31 03:04:05.5", "2026-03-31T03:04:05.500Z"},
        {"2026-07-23 21:47:00 CEST", "2026-07-23T19:47:00.000Z"},
        {" 1700000000 ", "2023-11-14T22:13:20.000Z"},
        {"1700000000.123456", "2023-11-14T22:13:20.123456Z"},
        {"1700000000123", "2023-11-14T22:13:20.123Z"},
        {"1700000000123456", "2023-11-14T22:13:20.123456Z"},
        {"1700000000123456789", "2023-11-14T22:13:20.123456789Z"},
        {"100000000", "1973-03-03T09:46:40.000Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        {"1678-01-01T00:00:00Z", "1678-01-01T00:00:00.000Z"},
        {"2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775807Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nsec t = TIME_NONE;
        if (!time_parse(slice_of(cases[i].text), 2025, &t))
            test_fail(__FILE__, __LINE__, "refused: %s", cases[i].text);
        else CHECK_SLICE(show(t), cases[i].want);
    }
}

TEST(time_parse_refuses)
{
    static const char *const cases[] = {
        "",
        " ",
        "x",
        "2026-13-01",
        "2026-00-01",
        "2026-02-30",
        "1900-02-29",
        "2026-1-1",
        "2026-12-23T24:00:00Z",
        "2026-12-23T21:60:00Z",
        "2026-12-23T21:47:61Z",
        "2026-12-23T21:47:00.Z",
        "2026-12-23T21:47:00.1234567890Z",
        "2026-12-23T21:47:00+1",
        "2026-12-23T21:47:00+24:00",
        "2026-12-23T21:47:00 ",
        "2026-12-23T21:47:00Zx",
        "2026-12-23T",
        "2026-12-23x",
        "2026-12/23",
        "1677-01-01",
        "2263-01-01",
        "2262-04-11T23:47:16.854775808Z",
        "9999999999999999999",
        "99999999999999999999",
        "1700000000.",
        "1700000000.x",
        "1700000000123.5",
        "-1",
        "1e9",
        "Jan 2 03:04",
        "Foo  2 03:04:05",
        "Ju  2 03:04:05",
        "Junes 2 03:04:05",
        "Jan 32 03:04:05",
        "02/Jan/2026",
        "02/Jan/2026:03:04:05 x",
        "Mon Jan  2 03:04:05 26",
        "Jan  2 2026 03:04:05 2026",
        "Jan  2 2026 03:04:05 CST",
        "2026 Mon Jan  2 03:04:05",
        "2026 Mar 31",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nsec t = 42;
        struct slice s = slice_of(cases[i]);
        if (s.len > 1 && s.ptr[s.len - 1] == ' ') continue; /* blanks around are dropped */
        if (time_parse(s, 2025, &t)) test_fail(__FILE__, __LINE__, "accepted: %s", cases[i]);
        CHECK_INT(t, 42);
    }
    nsec t;
    CHECK(!time_parse(SLICE("Jan  2 03:04:05"), 0, &t));
    CHECK(time_parse(SLICE("Mon Jan  2 03:04:05 2026"), 0, &t));
}

static void check_written(const char *text, const char *want)
{
    struct civil_time c;
    char got[64] = "no";
    if (time_parse_civil(slice_of(text), &c))
        snprintf(got, sizeof got, "%d-%02d-%02d %02d:%02d:%02d.%09d", c.year, c.month, c.day,
                 c.hour, c.minute, c.second, c.nsec);
    if (strcmp(got, want) != 0) test_fail(__FILE__, __LINE__, "%s is %s, not %s", text, got, want);
}

TEST(time_as_it_is_written)
{
    check_written("2026-12-31T23:47:00Z", "2026-12-31 23:47:00.000000000");
    check_written("2026-12-31T23:47:00.5-08:00", "2026-12-31 23:47:00.500000000");
    check_written("2026-01-01 00:10+0530", "2026-01-01 00:10:00.000000000");
    check_written("02/Jan/2026:03:04:05 +0100", "2026-01-02 03:04:05.000000000");
    check_written("Fri Jan  2 03:04:05 2026", "2026-01-02 03:04:05.000000000");
    check_written("1767323045", "2026-01-02 03:04:05.000000000");
    check_written("Jan  2 03:04:05", "no");
    check_written("soon", "no");
    check_written("2262-04-11T23:47:16+00:00", "2262-04-11 23:47:16.000000000");
    check_written("2262-04-11T23:47:17+00:01", "no");
}

TEST(time_civil_round_trip_of_every_day)
{
    struct civil_time c = {.year = 1678, .month = 1, .day = 1, .hour = 23, .nsec = 999999999};
    nsec t = time_from_civil(&c);
    REQUIRE(t != TIME_NONE);
    for (int n = 0; n < 213400; n++) {
        struct civil_time back;
        time_to_civil(t, &back);
        if (time_from_civil(&back) != t || back.hour != 23 || back.nsec != 999999999) {
            test_fail(__FILE__, __LINE__, "day %d", n);
            break;
        }
        if (n == 213399) CHECK_INT(back.year, 2262);
        t += 86400 * NSEC_PER_SEC;
    }
}

TEST(time_extremes)
{
    CHECK_SLICE(show(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
    CHECK_SLICE(show(INT64_MIN + 1), "1677-09-21T00:12:43.145224193Z");
    CHECK_SLICE(show(-1), "1969-12-31T23:59:59.999999999Z");
    CHECK_INT(show(TIME_NONE).len, 0);
    struct civil_time c = {.year = 2262, .month = 4, .day = 12};
    CHECK(time_from_civil(&c) == TIME_NONE);
}

TEST(time_iso_weeks)
{
    static const struct {
        int year, month, day;
        unsigned week;
    } cases[] = {
        {2026, 1, 1, 1},  {2025, 12, 29, 1},  {2025, 12, 28, 52}, {2021, 1, 3, 53},
        {2021, 1, 4, 1},  {2020, 12, 31, 53}, {2016, 1, 3, 53},   {2008, 12, 29, 1},
        {2027, 1, 1, 53}, {2024, 12, 30, 1},  {2023, 1, 1, 52},   {2026, 12, 23, 52},
        {1970, 1, 1, 1},  {1969, 12, 29, 1},  {1900, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct civil_time c = {.year = cases[i].year, .month = cases[i].month, .day = cases[i].day};
        if (time_iso_week(&c) != cases[i].week)
            test_fail(__FILE__, __LINE__, "%d-%d-%d is week %u, not %u", c.year, c.month, c.day,
                      time_iso_week(&c), cases[i].week);
    }
}
