/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/reach.h"

#include "canary/drill.h"
#include "test.h"

static const char oncall[] =
    "{\"plan\":true,\"proof\":{\"person\":\"bo\",\"next_at\":1798102800,\"ways\":["
    "{\"provider\":\"elks\",\"channel\":\"sms\",\"state\":\"proven\",\"asked_at\":1798016400,"
    "\"asked\":\"anna\",\"proven_at\":1798016404,\"reached\":\"anna\",\"detail\":\"\"},"
    "{\"provider\":\"own\",\"channel\":\"mail\",\"state\":\"failed\",\"asked_at\":1798016400,"
    "\"asked\":\"bo\",\"proven_at\":1797930002,\"reached\":\"anna\",\"detail\":\"no \\\"way\\\"\"},"
    "{\"provider\":\"elks\",\"channel\":\"voice\",\"state\":\"never\",\"asked_at\":0,"
    "\"asked\":\"\",\"proven_at\":0,\"reached\":\"\",\"detail\":\"\"}]}}";

TEST(who_was_reached_last_is_found_among_all_ways)
{
    struct reach r;
    struct json_parts it;
    struct reach_way way;
    size_t n = 0;
    REQUIRE(reach_read(slice_of(oncall), &r));
    CHECK_SLICE(r.person, "bo");
    CHECK_INT(r.next, 1798102800 * NSEC_PER_SEC);
    CHECK_SLICE(r.last.reached, "anna");
    CHECK_SLICE(r.last.channel, "sms");
    CHECK_INT(r.last.reached_at, 1798016404 * NSEC_PER_SEC);
    json_parts_init(&it, r.ways);
    while (reach_next(&it, &way)) n++;
    CHECK_INT(n, 3);
}

TEST(without_a_proof_there_is_nothing)
{
    struct reach r;
    CHECK(!reach_read(SLICE_NONE, &r));
    CHECK(!reach_read(SLICE("{}"), &r));
    CHECK(!reach_read(SLICE("{\"proof\":{\"person\":\"\",\"next_at\":0,\"ways\":[]}}"), &r));
    CHECK(!reach_read(SLICE("{\"proof\":{\"person\":\"anna\"}}"), &r));
    CHECK(!reach_read(SLICE("{\"proof\":null}"), &r));
    struct buf out;
    buf_init(&out, 4096);
    reach_write(&out, SLICE("{}"));
    CHECK_SLICE(buf_slice(&out), "null");
    buf_done(&out);
}

TEST(it_is_written_with_times_that_people_read_and_null_for_what_is_not)
{
    struct buf out;
    buf_init(&out, 4096);
    reach_write(&out, slice_of(oncall));
    CHECK_SLICE(
        buf_slice(&out),
        "{\"person\":\"bo\",\"next_at\":\"2026-12-24T09:00:00.000Z\",\"reached\":{\"person\":"
        "\"anna\","
        "\"at\":\"2026-12-23T09:00:04.000Z\",\"provider\":\"elks\",\"channel\":\"sms\"},\"ways\":["
        "{\"provider\":\"elks\",\"channel\":\"sms\",\"state\":\"proven\",\"asked\":\"anna\","
        "\"asked_at\":\"2026-12-23T09:00:00.000Z\",\"reached\":\"anna\","
        "\"proven_at\":\"2026-12-23T09:00:04.000Z\",\"detail\":null},"
        "{\"provider\":\"own\",\"channel\":\"mail\",\"state\":\"failed\",\"asked\":\"bo\","
        "\"asked_at\":\"2026-12-23T09:00:00.000Z\",\"reached\":\"anna\","
        "\"proven_at\":\"2026-12-22T09:00:02.000Z\",\"detail\":\"no \\\"way\\\"\"},"
        "{\"provider\":\"elks\",\"channel\":\"voice\",\"state\":\"never\",\"asked\":null,"
        "\"asked_at\":null,\"reached\":null,\"proven_at\":null,\"detail\":null}]}");
    buf_done(&out);
}

TEST(drills_are_written_with_times_that_people_read)
{
    struct buf out;
    struct slice about, rest;
    buf_init(&out, 4096);
    drills_write(&out,
                 SLICE("{\"folder\":\"/r\",\"scenarios\":[\"a\"],\"running\":true,\"planned\":0,"
                       "\"planned_scenario\":\"\",\"runs\":[{\"id\":3,\"scenario\":\"a\","
                       "\"by\":\"anna\",\"speed\":60,\"begun\":1798016404000000001,\"ended\":0,"
                       "\"records\":4,\"sent\":2,\"left_out\":0,\"why\":\"\"}]}"));
    about = json_member(buf_slice(&out), "about");
    CHECK(slice_starts_with(about, SLICE("[{\"scenario\":\"julnatt\",\"sv\":\"Leverantörskonto ")));
    rest = slice_from(buf_slice(&out), (size_t)(about.ptr + about.len - buf_slice(&out).ptr));
    CHECK_SLICE(rest, ",\"planned\":null,\"planned_scenario\":null,\"runs\":[{\"id\":3,"
                      "\"scenario\":\"a\",\"by\":\"anna\","
                      "\"speed\":60,\"begun\":\"2026-12-23T09:00:04.000000001Z\",\"ended\":null,"
                      "\"records\":4,\"sent\":2,\"left_out\":0,\"why\":\"\"}]}");
    buf_clear(&out);
    drills_write(&out, SLICE("null"));
    CHECK_SLICE(buf_slice(&out), "null");
    buf_done(&out);
}
