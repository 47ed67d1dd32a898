/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/when.h"

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
        bool good = when_parse(slice_of(cases[i].text), NOW, cases[i].end_of_day, &t);
        if (good != (cases[i].want != TIME_NONE) || t != cases[i].want)
            test_fail(__FILE__, __LINE__, "%s: %d, %lld", cases[i].text, good, (long long)t);
    }
}
