/* SPDX-License-Identifier: EUPL-1.2 */
#include "house.h"

TEST(an_attempt_is_made_once_however_often_it_is_asked_for)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    ask_for(&h, 7);
    CHECK_INT(h.begun, 1);
    logs(&h, "");
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    ask_for(&h, 7);
    CHECK_INT(h.begun, 1);
    logs(&h, "1:7 accepted s1\n");
    /* Another who asks has numbers of his own, and another text is another attempt. */
    struct notify_message m = sms(7);
    senders_send(h.senders, 2, &m);
    CHECK_INT(h.begun, 2);
    m.body = SLICE("another");
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, 3);
    end(&h);
}

TEST(what_has_grown_since_it_was_asked_for_is_not_told_twice)
{
    struct house h;
    begin(&h);
    struct notify_message m = sms(7);
    m.made = NOON;
    senders_send(h.senders, 1, &m);
    m.body = SLICE("two incidents");
    m.code = SLICE("");
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, 1);
    /* The same number in a database that was restored from a copy. */
    m.made = NOON + 1;
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, 2);
    end(&h);
}

TEST(what_finds_no_place_in_time_is_left_to_others)
{
    struct house h;
    begin(&h);
    for (uint64_t i = 1; i <= LINE_CALLS + 1; i++) {
        struct notify_message m = sms(i);
        m.latest = h.time.monotonic + NOTIFY_WAIT_MOST;
        senders_send(h.senders, 1, &m);
    }
    CHECK_INT(h.begun, LINE_CALLS);
    pass(&h, NOTIFY_WAIT_MOST + 1);
    answer("/a1/sms", &(struct dial_answer){.why = "x", .sent = true});
    logs(&h, "1:1 unknown \n1:5 retry \n");
    CHECK_INT(h.begun, LINE_CALLS);
    end(&h);
}

TEST(one_that_hangs_keeps_nobody_else_waiting)
{
    struct house h;
    begin(&h);
    for (uint64_t i = 1; i <= LINE_CALLS + LINE_WAITING; i++) ask_for(&h, i);
    CHECK_INT(h.begun, LINE_CALLS);
    logs(&h, "");
    ask_for(&h, 9999);
    logs(&h, "1:9999 retry \n");
    struct notify_message m = sms(5000);
    m.provider = SLICE("push");
    m.channel = NOTIFY_PUSH;
    m.address = SLICE("topic");
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, LINE_CALLS + 1);
    take_well("push.example", "{\"id\":\"p\"}");
    logs(&h, "1:5000 accepted p\n");
    CHECK_INT(senders_busy(h.senders), LINE_CALLS + LINE_WAITING);
    answer("/a1/sms", &(struct dial_answer){.why = "no answer in time"});
    logs(&h, "1:1 retry \n");
    CHECK_INT(h.begun, LINE_CALLS + 2);
    end(&h);
}

TEST(what_has_waited_too_long_is_not_sent)
{
    struct house h;
    begin(&h);
    for (uint64_t i = 1; i <= LINE_CALLS + 2; i++) ask_for(&h, i);
    h.time.realtime += 700 * NSEC_PER_SEC;
    answer("/a1/sms", &(struct dial_answer){.why = "x", .sent = true});
    logs(&h, "1:1 unknown \n1:5 refused \n1:6 refused \n");
    CHECK_INT(h.begun, LINE_CALLS);
    end(&h);
}

TEST(what_cannot_be_sent_is_refused_at_once)
{
    struct house h;
    begin(&h);
    struct notify_message m = sms(1);
    m.provider = SLICE("nobody");
    senders_send(h.senders, 1, &m);
    m = sms(2);
    m.channel = NOTIFY_MAIL;
    senders_send(h.senders, 1, &m);
    m = sms(3);
    m.address = SLICE("0701234567");
    senders_send(h.senders, 1, &m);
    m = sms(4);
    m.channel = 99;
    senders_send(h.senders, 1, &m);
    logs(&h, "1:1 refused \n1:2 refused \n1:3 refused \n1:4 refused \n");
    CHECK_INT(h.begun, 0);
    end(&h);
}

TEST(delivery_and_replies_are_found_by_asking)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    pass(&h, 3 * NSEC_PER_SEC);
    REQUIRE(find("/a1/sms?limit=100") && !find("/a1/sms?limit=100")->post);
    take_well("/a1/sms?limit=100", "{\"data\":[{\"id\":\"r1\",\"direction\":\"incoming\",\"from\":"
                                   "\"+4670\",\"message\":\"E K\\u0037\"},"
                                   "{\"id\":\"s1\",\"status\":\"delivered\"}]}");
    logs(&h, "sms sms r1 +4670: E K7\n1:7 delivered s1\n");
    /* The same again tells nothing, and answers are waited for until it expires. */
    pass(&h, 4 * NSEC_PER_SEC);
    take_well("/a1/sms?limit=100", "{\"data\":[{\"id\":\"r1\",\"direction\":\"incoming\",\"from\":"
                                   "\"+4670\",\"message\":\"E K7\"},"
                                   "{\"id\":\"s1\",\"status\":\"delivered\"}]}");
    logs(&h, "");
    /* Who was not there hears it again. */
    senders_repeat(h.senders);
    logs(&h, "sms sms r1 +4670: E K7\n");
    h.time.realtime += 700 * NSEC_PER_SEC;
    pass(&h, 30 * 60 * NSEC_PER_SEC);
    CHECK(!find("limit=100"));
    end(&h);
}

TEST(further_pages_are_asked_for_what_is_followed)
{
    struct house h;
    begin(&h);
    senders_follow(h.senders, 1, 7, NOTIFY_SMS, SLICE("sms"), SLICE("s1"),
                   NOON / NSEC_PER_SEC + 600);
    pass(&h, 3 * NSEC_PER_SEC);
    take_well("limit=100",
              "{\"data\":[{\"id\":\"s9\",\"status\":\"sent\"}],\"next\":\"2026-11-26T12\"}");
    REQUIRE(find("start=2026-11-26T12"));
    take_well("start=",
              "{\"data\":[{\"id\":\"s1\",\"status\":\"failed\"}],\"next\":\"2026-11-25\"}");
    CHECK(!find("start="));
    logs(&h, "1:7 refused s1\n");
    end(&h);
}

static unsigned tell(struct house *h, const char *secret, const char *body)
{
    struct buf out;
    buf_init(&out, 1024);
    unsigned status =
        senders_told(h->senders, SLICE("sms"), slice_of(secret), slice_of(body), &out);
    buf_done(&out);
    return status;
}

TEST(callbacks_prove_themselves_and_tell_once)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    REQUIRE(strstr(find("/a1/sms")->body, "whendelivered=https%3A%2F%2Fvaka.example%2Fapi%2Fv1%2F"
                                          "callbacks%2Fsms%2Fc4llback-0123456789"));
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    CHECK_INT(tell(&h, "c4llbacj-0123456789", "id=s1&status=delivered"), 404);
    CHECK_INT(tell(&h, "", "id=s1&status=delivered"), 404);
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=sent"), 204);
    logs(&h, "");
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=delivered"), 204);
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=delivered"), 204);
    logs(&h, "1:7 delivered s1\n");
    for (int i = 0; i < 2; i++)
        CHECK_INT(tell(&h, "c4llback-0123456789",
                       "direction=incoming&id=r1&from=%2B46&message=K7+%C3%A5"),
                  204);
    logs(&h, "sms sms r1 +46: K7 å\n");
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=1"), 200);
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=failed&why=noinput"), 200);
    logs(&h, "voice sms c1 : 1\n");
    CHECK_INT(tell(&h, "c4llback-0123456789", "nothing"), 400);
    end(&h);
}

TEST(a_key_that_comes_before_its_call_waits_for_it)
{
    struct house h;
    begin(&h);
    struct notify_message m = sms(7);
    m.channel = NOTIFY_VOICE;
    m.spoken_sv = SLICE("larm");
    m.spoken_en = SLICE("alarm");
    senders_send(h.senders, 1, &m);
    CHECK(strstr(find("/a1/calls")->body, "en_US%2Falarm")); /* what its voice can read */
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=1"), 200);
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c2&result=2"), 200);
    logs(&h, "");
    take_well("/a1/calls", "{\"id\":\"c1\"}");
    /* The other is of a call that an earlier process made. */
    logs(&h, "1:7 accepted c1\nvoice sms c1 : 1\nvoice sms c2 : 2\n");
    end(&h);
}

TEST(a_provider_says_how_it_is)
{
    struct house h;
    struct buf out;
    begin(&h);
    buf_init(&out, 16 * 1024);
    senders_write(h.senders, &out);
    CHECK(strstr(out.ptr, "\"name\":\"lost\"") && strstr(out.ptr, "\"state\":\"unknown host\""));
    CHECK(strstr(out.ptr, "\"channels\":[\"sms\",\"voice\"]"));
    ask_for(&h, 1);
    answer("/a1/sms", &(struct dial_answer){.status = 503, .body = SLICE("later")});
    buf_clear(&out);
    senders_write(h.senders, &out);
    buf_putc(&out, '\0');
    CHECK(strstr(out.ptr, "\"state\":\"failing\"") &&
          strstr(out.ptr, "\"failure\":\"503: later\""));
    buf_done(&out);
    end(&h);
}
