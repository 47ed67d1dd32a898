/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/scenario.h"

#include "base/time.h"
#include "test.h"

#define S NSEC_PER_SEC

TEST(times_of_lines_are_found_where_they_stand)
{
    static const struct {
        const char *line;
        nsec at; /* s */
    } cases[] = {
        {"{\"@timestamp\": \"2026-12-23T21:47:00Z\", \"x\": 1}", 1798062420},
        {"{\"EventTime\": \"2026-12-23T22:47:00+01:00\"}", 1798062420},
        {"{\"CreationTime\": \"2026-12-23T21:47:00\", \"Id\": \"e71e062b\"}", 1798062420},
        {"<166>2026-12-23T21:47:00.000Z esx03 hostd[2098814]: USER root", 1798062420},
        {"<134> 01/05/2027:17:05:53 GMT ns1 0-PPE-0 : default", 1799168753},
        {"<189>date=2026-12-23 time=22:47:00 eventtime=1798062420000000000 tz=\"+0100\"",
         1798062420},
        {"2026-99-99T99:99:99Z then 2026-12-23T21:47:00Z", 1798062420},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(scenario_time(slice_of(cases[i].line)), cases[i].at * S);
    CHECK_INT(scenario_time(SLICE("Dec 23 22:47:00 host x: y")), TIME_NONE);
    CHECK_INT(scenario_time(SLICE("")), TIME_NONE);
    CHECK_INT(scenario_time(SLICE("2026-12-23T21:4")), TIME_NONE);
}

TEST(files_are_one_recording_in_the_order_of_time)
{
    struct scenario s;
    REQUIRE(scenario_init(&s) == 0);
    CHECK_INT(scenario_finish(&s), ERR_NOT_FOUND);
    CHECK_INT(scenario_add(&s, SLICE("b.ndjson"),
                           SLICE("{\"t\":\"2026-12-23T21:47:10Z\"}\n{\"t\":1}\n\n"
                                 "{\"t\":\"2026-12-23T21:47:40Z\"}")),
              0);
    CHECK_INT(scenario_add(&s, SLICE("a.log"),
                           SLICE("<13>first\n<13>2026-12-23T21:47:00Z one\n"
                                 "<13>two\n")),
              0);
    CHECK_INT(scenario_add(&s, SLICE("zeek.log"), SLICE("#fields\tts\n1\n")), 0);
    CHECK_INT(scenario_add(&s, SLICE("README.md"), SLICE("text\n")), 0);
    CHECK_INT(scenario_add(&s, SLICE("never.log"), SLICE("no time\n")), 0);
    CHECK_INT(scenario_finish(&s), 0);
    CHECK(s.n == 6 && s.left_out == 3);
    CHECK_SLICE(s.records[0].line, "<13>first");
    CHECK_SLICE(s.records[2].line, "<13>two");
    CHECK_SLICE(s.records[4].line, "{\"t\":1}");
    CHECK(!s.records[2].body && s.records[3].body);
    CHECK_INT(s.records[5].at - s.records[0].at, 40 * S);
    scenario_done(&s);
}

TEST(pauses_are_shorter_at_a_higher_pace)
{
    struct scenario s;
    REQUIRE(scenario_init(&s) == 0);
    CHECK_INT(scenario_add(&s, SLICE("a.log"),
                           SLICE("<13>2026-12-23T21:00:00Z one\n"
                                 "<13>2026-12-23T22:00:00Z two\n")),
              0);
    CHECK_INT(scenario_finish(&s), 0);
    CHECK_INT(scenario_due(&s, 0, 600), 0);
    CHECK_INT(scenario_due(&s, 1, 600), 6 * S);
    CHECK_INT(scenario_due(&s, 1, 1), 3600 * S);
    scenario_done(&s);
}
