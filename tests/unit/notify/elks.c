/* SPDX-License-Identifier: EUPL-1.2 */
/* Answers as the documentation of 46elks shows them. */
#include "base/json_read.h"
#include "notify/internal.h"
#include "test.h"

TEST(an_sms_is_read)
{
    struct elks_item item;
    REQUIRE(elks_item_read(SLICE("{\"id\":\"s17\",\"direction\":\"incoming\",\"from\":\"+4670\","
                                 "\"message\":\"E k7\\u00e5\",\"cost\":3500}"),
                           &item));
    CHECK_SLICE(item.id, "s17");
    CHECK_SLICE(item.direction, "incoming");
    CHECK_SLICE(item.message, "E k7\\u00e5");
    CHECK_INT(item.digits.len, 0);
    CHECK(!elks_item_read(SLICE("{\"direction\":\"incoming\"}"), &item));
    CHECK(!elks_item_read(SLICE("{\"id\":17}"), &item));
    CHECK(!elks_item_read(SLICE("[\"id\"]"), &item));
}

TEST(the_last_key_of_a_menu_counts)
{
    struct elks_item item;
    REQUIRE(
        elks_item_read(SLICE("{\"id\":\"c1\",\"state\":\"success\",\"actions\":[{\"play\":\"x\","
                             "\"result\":\"9\"},{\"ivr\":\"m\",\"result\":\"failed\"},"
                             "{\"ivr\":\"m\",\"result\":\"1\"},{\"ivr\":\"m\"},7]}"),
                       &item));
    CHECK_SLICE(item.digits, "1");
    CHECK_SLICE(item.state, "success");
    REQUIRE(elks_item_read(SLICE("{\"id\":\"c1\",\"actions\":{\"ivr\":\"m\"}}"), &item));
    CHECK_INT(item.digits.len, 0);
}

TEST(a_list_says_where_it_goes_on)
{
    struct slice items, next;
    CHECK(elks_list_read(SLICE("{\"data\":[{}],\"next\":\"2017\"}"), &items, &next));
    CHECK_SLICE(items, "[{}]");
    CHECK_SLICE(next, "\"2017\"");
    CHECK(elks_list_read(SLICE("{\"data\":[]}"), &items, &next));
    CHECK_INT(next.len, 0);
    CHECK(!elks_list_read(SLICE("{\"data\":{}}"), &items, &next));
    CHECK(!elks_list_read(SLICE("oops"), &items, &next));
}

TEST(states_are_outcomes)
{
    CHECK_INT(elks_outcome(NOTIFY_SMS, SLICE("delivered")), NOTIFY_DELIVERED);
    CHECK_INT(elks_outcome(NOTIFY_SMS, SLICE("failed")), NOTIFY_REFUSED);
    CHECK_INT(elks_outcome(NOTIFY_SMS, SLICE("sent")), 0);
    CHECK_INT(elks_outcome(NOTIFY_VOICE, SLICE("success")), NOTIFY_DELIVERED);
    CHECK_INT(elks_outcome(NOTIFY_VOICE, SLICE("ongoing")), 0);
    CHECK_INT(elks_outcome(NOTIFY_VOICE, SLICE("busy")), NOTIFY_REFUSED);
}

static enum notify_outcome judged(const struct dial_answer *a)
{
    struct verdict v = {0};
    judge_http(a, &v);
    return v.outcome;
}

TEST(answers_of_http_are_outcomes)
{
    static const struct {
        unsigned status;
        enum notify_outcome outcome;
    } rows[] = {{200, NOTIFY_ACCEPTED}, {204, NOTIFY_ACCEPTED}, {302, NOTIFY_REFUSED},
                {400, NOTIFY_REFUSED},  {401, NOTIFY_REFUSED},  {403, NOTIFY_REFUSED},
                {408, NOTIFY_RETRY},    {429, NOTIFY_RETRY},    {503, NOTIFY_RETRY},
                {500, NOTIFY_UNKNOWN},  {502, NOTIFY_UNKNOWN},  {504, NOTIFY_UNKNOWN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_INT(judged(&(struct dial_answer){.status = rows[i].status}), rows[i].outcome);
    CHECK_INT(judged(&(struct dial_answer){.why = "x"}), NOTIFY_RETRY);
    CHECK_INT(judged(&(struct dial_answer){.why = "x", .sent = true}), NOTIFY_UNKNOWN);
    CHECK_INT(judged(&(struct dial_answer){.why = "x", .refused = true}), NOTIFY_REFUSED);
}

TEST(what_a_provider_says_is_shown_without_its_controls)
{
    struct verdict v = {0};
    judge_http(&(struct dial_answer){.status = 403, .body = SLICE("Not \x1b[31menough\ncredits\n")},
               &v);
    CHECK(slice_find_byte(slice_of(v.detail), '\x1b') == SIZE_MAX);
    CHECK(slice_find_byte(slice_of(v.detail), '\n') == SIZE_MAX);
    CHECK(slice_starts_with(slice_of(v.detail), SLICE("403: Not ")));
}
