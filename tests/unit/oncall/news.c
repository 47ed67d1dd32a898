/* SPDX-License-Identifier: EUPL-1.2 */
/* People are told of their shifts: by mail first, never by a call, until somebody has taken it. */
#include "fixture.h"

/* From anna's week to bo, a day; NIGHT is a Wednesday. */
#define OVERRIDE                                                                                   \
    "{\"team\":\"soc\",\"person\":\"%s\",\"from\":\"2026-12-25T00:00:00Z\","                       \
    "\"until\":\"2026-12-26T00:00:00Z\",\"force\":true,\"why\":\"a test\"}"

static void give_to(struct watch *w, const char *person)
{
    char body[256];
    (void)snprintf(body, sizeof body, OVERRIDE, person);
    CHECK(act(w, "anna.a", "override", body));
    pass(w, NSEC_PER_SEC);
}

TEST(both_hear_of_a_shift_that_is_another_ones)
{
    struct watch *w = begin_watch("both.db");
    CHECK_SENT(w, "");
    give_to(w, "cia");
    REQUIRE(w->n_sent == 2);
    CHECK(strstr(w->sent[0].body, "Inte längre ditt: soc, fre 2026-12-25 01:00") != NULL);
    CHECK(strstr(w->sent[1].body, "New: soc, Fri 2026-12-25 01:00") != NULL);
    CHECK_INT(w->sent[0].page, 0);
    became(w, 0, NOTIFY_ACCEPTED);
    became(w, 1, NOTIFY_DELIVERED);
    CHECK_SENT(w, "sms elks +46700000001, mail own cia@example.se");
    pass(w, 48 * HOUR);
    CHECK_SENT(w, "");
    end_watch(w);
}

TEST(one_way_after_the_other_is_tried_and_again_an_hour_later)
{
    struct watch *w = begin_watch("ways.db");
    give_to(w, "bo");
    REQUIRE(w->n_sent == 2);
    became(w, 0, NOTIFY_ACCEPTED);
    became(w, 1, NOTIFY_REFUSED);
    pass(w, NSEC_PER_SEC);
    CHECK_SENT(w, "sms elks +46700000001, sms elks +46700000002, sms other +46700000002");
    /* Of this one nothing is heard: an hour later the first one is asked again. */
    pass(w, HOUR - MINUTE);
    CHECK_SENT(w, "");
    pass(w, 2 * MINUTE);
    CHECK_SENT(w, "sms elks +46700000002, sms other +46700000002");
    start_again(w);
    pass(w, HOUR);
    CHECK_SENT(w, "sms elks +46700000002, sms other +46700000002");
    pass(w, 400 * HOUR);
    CHECK(w->n_sent < 64);
    w->n_sent = 0;
    pass(w, 48 * HOUR);
    CHECK_SENT(w, "");
    end_watch(w);
}

TEST(nothing_is_tried_while_nobody_is_there_to_send)
{
    struct watch *w = begin_watch("nobody.db");
    CHECK_INT(oncall_senders(w->oncall, false, w->t), 0);
    give_to(w, "bo");
    pass(w, 30 * HOUR);
    CHECK_SENT(w, "");
    CHECK_INT(oncall_senders(w->oncall, true, w->t), 0);
    pass(w, 2 * MINUTE);
    CHECK_SENT(w, "sms elks +46700000001, sms elks +46700000002, sms other +46700000001, "
                  "sms other +46700000002");
    end_watch(w);
}

TEST(once_a_week_each_is_told_of_his_shifts)
{
    struct watch *w = begin_watch("digest.db");
    char text[sizeof plan];
    memcpy(text, plan, sizeof plan);
    char *never = strstr(text, "digest: never\n");
    REQUIRE(never != NULL);
    memcpy(never, "#            \n", 14);
    load_plan(w, text);
    pass(w, 11 * HOUR); /* Thursday, 09:47 */
    CHECK_SENT(w, "");
    pass(w, HOUR);
    REQUIRE(w->n_sent == 2);
    CHECK(strstr(w->sent[0].body, "soc, tors 2026-12-24 10:00") != NULL);
    /* The first one took it after all. */
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "sms elks +46700000001, sms other +46700000001");
    pass(w, 6 * 24 * HOUR);
    CHECK_SENT(w, "");
    pass(w, 24 * HOUR);
    CHECK_SENT(w, "sms elks +46700000001, sms other +46700000001");
    end_watch(w);
}
