/* SPDX-License-Identifier: EUPL-1.2 */
/* From an incident to a person who has it. */
#include "fixture.h"

static int64_t ask(struct watch *w, const char *sql)
{
    int64_t value = -1;
    CHECK_INT(db_get(w->db, sql, DB_ALONE, &value), 0);
    return value;
}

TEST(a_page_goes_step_by_step_until_it_is_loud)
{
    struct watch *w = begin_watch("steps.db");
    hand(w, 1, LEVEL_CRITICAL, "journal", HANDOVER_NEW);
    CHECK(strstr(w->sent[0].body, "Vaka: incident 1, kritisk, journal. https://v.se/ack/"));
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "sms elks +46700000001");
    CHECK_SLICE(slice_of(w->paged), "1 notified anna");
    pass(w, 2 * MINUTE);
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "voice elks +46700000001");
    pass(w, 2 * MINUTE);
    CHECK_SENT(w, "");
    pass(w, 1 * MINUTE);
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "sms elks +46700000002");
    pass(w, 5 * MINUTE);
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "mail own cia@example.se");
    CHECK_PAGE(w, 1, "open");
    pass(w, 5 * MINUTE); /* everybody */
    for (size_t i = 0; i < w->n_sent; i++) became(w, i, NOTIFY_ACCEPTED);
    CHECK_SENT(w, "sms elks +46700000001, sms elks +46700000002, mail own cia@example.se");
    CHECK_PAGE(w, 1, "open");
    pass(w, 5 * MINUTE);
    CHECK_PAGE(w, 1, "loud");
    CHECK_SLICE(slice_of(w->paged), "1 notified anna, 1 escalated , 1 escalated , 1 escalated , "
                                    "1 exhausted ");
    CHECK_SLICE(slice_of(w->alarms), "page-loud");
    end_watch(w);
}

TEST(nobody_on_call_and_nobody_to_be_reached_are_passed_over_at_once)
{
    struct watch *w = begin_watch("empty.db");
    hand(w, 1, LEVEL_HIGH, "skola", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000002");
    CHECK_SLICE(slice_of(w->alarms), "page-nobody-on-call");
    CHECK_SLICE(slice_of(w->paged), "1 escalated , 1 escalated ");
    end_watch(w);
}

TEST(a_provider_that_fails_is_passed_over)
{
    struct watch *w = begin_watch("provider.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_RETRY);
    CHECK_SENT(w, "sms elks +46700000001, sms other +46700000001");
    pass(w, 28 * NSEC_PER_SEC); /* nothing is heard: the voice contact need not wait any more */
    CHECK_SENT(w, "voice elks +46700000001");
    pass(w, 28 * NSEC_PER_SEC); /* nobody could be told: the step is over, 56 s from its begin */
    CHECK(strstr(sent(w), "sms other +46700000002")); /* elks has failed too often */
    end_watch(w);
}

TEST(who_cannot_be_told_is_tried_again_later_and_later)
{
    static const char alone[] =
        "zone: Europe/Stockholm\n"
        "digest: never\n"
        "people: [{id: cia, name: Cia, contacts: [{channel: mail, address: cia@example.se}]}]\n"
        "policies: [{id: p, steps: [{targets: [{person: cia}], wait: 30m}]}]\n"
        "rules: [{page: p}]\n";
    struct watch *w = begin_watch("backoff.db");
    load_plan(w, alone);
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    for (unsigned second = 0; second < 25 * 60; second++) {
        for (size_t k = 0; k < w->n_sent; k++) became(w, k, NOTIFY_RETRY);
        w->n_sent = 0;
        pass(w, NSEC_PER_SEC);
    }
    CHECK_INT(ask(w, "SELECT count(*) FROM attempt WHERE notice = 1"), 8);
    CHECK_INT(ask(w,
                  "SELECT count(*) FROM attempt a JOIN attempt b ON b.notice = a.notice"
                  " AND b.pass = a.pass + 1 WHERE a.notice = 1 AND (b.made - a.made) / 1000000000"
                  " BETWEEN min(5 << a.pass, 300) AND min(5 << a.pass, 300) + 2"),
              7);
    CHECK_PAGE(w, 1, "loud");
    end_watch(w);
}

TEST(what_was_found_is_said_by_providers_of_ones_own_alone)
{
    struct watch *w = begin_watch("own.db");
    hand(w, 1, LEVEL_HIGH, "vatten", HANDOVER_NEW);
    pass(w, 11 * MINUTE);
    size_t own = 0, others = 0;
    for (size_t i = 0; i < w->n_sent; i++) {
        const bool said = strstr(w->sent[i].body, "title") || strstr(w->sent[i].body, "titel");
        const bool is_own = strcmp(w->sent[i].provider, "own") == 0;
        CHECK(said == is_own);
        own += is_own;
        others += !is_own;
    }
    CHECK(own > 0 && others > 2);
    end_watch(w);
}

TEST(all_that_comes_within_the_window_is_one_page)
{
    struct watch *w = begin_watch("bundle.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    w->n_sent = 0;
    for (uint64_t i = 2; i <= 40; i++) hand(w, i, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "");
    pass(w, 2 * MINUTE);
    CHECK(strstr(w->sent[w->n_sent - 1].body, "40 incidenter, hög: 1, 2, 3") ||
          strstr(w->sent[0].body, "40 incidenter, hög: 1, 2, 3"));
    CHECK_SENT(w, "sms elks +46700000001, voice elks +46700000001");
    /* What is worse is told at once. */
    hand(w, 41, LEVEL_CRITICAL, "", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000001");
    CHECK_PAGE(w, 1, "open");
    CHECK_PAGE(w, 2, "none");
    pass(w, 8 * MINUTE);
    hand(w, 42, LEVEL_CRITICAL, "", HANDOVER_NEW);
    CHECK_PAGE(w, 2, "open");
    end_watch(w);
}

/* Each house has people of its own by day, and one person for both at night. */
static const char houses[] =
    "zone: Europe/Stockholm\n"
    "digest: never\n"
    "people:\n"
    "  - {id: anna, name: Anna, contacts: [{channel: sms, address: '+46700000001'}]}\n"
    "  - {id: bo, name: Bo, contacts: [{channel: sms, address: '+46700000002'}]}\n"
    "  - {id: cia, name: Cia, contacts: [{channel: sms, address: '+46700000003'}]}\n"
    "teams:\n"
    "  - {id: night, cover: oncall, rotations: [{order: [cia], since: 2026-01-05, hours: "
    "oncall}]}\n"
    "policies:\n"
    "  - {id: first, steps: [{targets: [{person: anna}], wait: 5m}]}\n"
    "  - {id: second, steps: [{targets: [{person: bo}], wait: 5m}]}\n"
    "  - {id: nights, steps: [{targets: [{oncall: night}], wait: 5m}]}\n"
    "rules:\n"
    "  - {hours: oncall, page: nights}\n"
    "  - {tenants: [1], page: first}\n"
    "  - {tenants: [2], page: second}\n";

TEST(several_houses_share_a_night)
{
    struct watch *w = begin_watch("houses.db");
    load_plan(w, houses);
    /* Incidents of two houses may have one number, and are a page each. */
    hand_of(w, 1, 7, LEVEL_HIGH, "", HANDOVER_NEW);
    hand_of(w, 2, 7, LEVEL_HIGH, "", HANDOVER_NEW);
    REQUIRE(w->n_sent == 2);
    const struct oncall_answered m = {.channel = NOTIFY_SMS,
                                      .provider = SLICE("elks"),
                                      .reference = SLICE("in-1"),
                                      .from = SLICE("+46700000003"),
                                      .text = slice_of(w->sent[0].code)};
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK_INT(ask(w, "SELECT tenant FROM page WHERE ended IS NOT NULL"), 1);
    CHECK_INT(ask(w, "SELECT tenant FROM page WHERE ended IS NULL"), 2);
    CHECK_SENT(w, "sms elks +46700000003, sms elks +46700000003");
    pass(w, 11 * HOUR + 30 * MINUTE); /* 10:17 of Christmas Eve: it is still on-call's */
    (void)sent(w);
    hand_of(w, 1, 8, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000003");
    w->t.real += 5 * 24 * HOUR; /* Tuesday the 29th */
    hand_of(w, 1, 9, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000001");
    hand_of(w, 2, 9, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000002");
    end_watch(w);
}

TEST(who_answers_has_what_he_was_told_of)
{
    struct watch *w = begin_watch("ack.db");
    char reply[32];
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    hand(w, 2, LEVEL_HIGH, "", HANDOVER_NEW);
    (void)snprintf(reply, sizeof reply, "ja %s", w->sent[0].code);
    const struct oncall_answered m = {.channel = NOTIFY_SMS,
                                      .provider = SLICE("elks"),
                                      .reference = SLICE("in-1"),
                                      .from = SLICE("+46700000009"),
                                      .text = slice_of(reply)};
    w->n_sent = 0;
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK_PAGE(w, 1, "acknowledged");
    CHECK_SLICE(slice_of(w->paged), "1 notified anna, 1 acked Anna");
    /* The one that nobody was told of is a page of its own. */
    CHECK_PAGE(w, 2, "open");
    CHECK_SENT(w, "sms elks +46700000001");
    /* The same answer again, and the code again, change nothing. */
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK_PAGE(w, 2, "open");
    end_watch(w);
}

TEST(a_key_acknowledges_the_call_it_was_pressed_in)
{
    struct watch *w = begin_watch("key.db");
    char reference[32];
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    pass(w, 2 * MINUTE);
    became(w, 1, NOTIFY_ACCEPTED);
    (void)snprintf(reference, sizeof reference, "ref-%llu", (unsigned long long)w->sent[1].attempt);
    struct oncall_answered m = {.channel = NOTIFY_VOICE,
                                .provider = SLICE("elks"),
                                .reference = slice_of(reference),
                                .text = SLICE("7")};
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK_PAGE(w, 1, "open");
    m.text = SLICE("2");
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK(strstr(sent(w), "sms elks +46700000002"));
    m.text = SLICE("1");
    CHECK_INT(oncall_take_answered(w->oncall, &m, w->t), 0);
    CHECK_PAGE(w, 1, "acknowledged");
    end_watch(w);
}

TEST(a_code_is_of_one_page_and_works_once)
{
    struct watch *w = begin_watch("code.db");
    char body[64];
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\",\"do\":\"show\"}", w->sent[0].code);
    CHECK(act(w, "web", "answer", body));
    CHECK(slice_find(buf_slice(&w->out), SLICE("\"answer\":\"shown\"")) != SIZE_MAX);
    CHECK_PAGE(w, 1, "open");
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\",\"do\":\"ack\"}", w->sent[0].code);
    CHECK(act(w, "web", "answer", body));
    CHECK(slice_find(buf_slice(&w->out), SLICE("\"answer\":\"acknowledged\"")) != SIZE_MAX);
    CHECK(act(w, "web", "answer", body));
    CHECK(slice_find(buf_slice(&w->out), SLICE("\"answer\":\"used\"")) != SIZE_MAX);
    for (int i = 0; i < 11; i++)
        CHECK(act(w, "web", "answer", "{\"code\":\"AAAAAAAA\",\"from\":\"192.0.2.1\"}"));
    CHECK(slice_find(buf_slice(&w->out), SLICE("\"answer\":\"too-many\"")) != SIZE_MAX);
    CHECK(act(w, "web", "answer", "{\"code\":\"AAAAAAAA\",\"from\":\"192.0.2.2\"}"));
    CHECK(slice_find(buf_slice(&w->out), SLICE("\"answer\":\"wrong\"")) != SIZE_MAX);
    end_watch(w);
}

TEST(what_is_not_urgent_waits_until_morning)
{
    struct watch *w = begin_watch("morning.db");
    hand(w, 1, LEVEL_MEDIUM, "", HANDOVER_NEW);
    hand(w, 2, LEVEL_LOW, "", HANDOVER_NEW);
    pass(w, 8 * HOUR);
    CHECK_SENT(w, "");
    start_again(w);
    pass(w, 2 * HOUR); /* Christmas Eve is free, but 07:00 is 07:00 */
    CHECK(w->n_sent > 0 || w->t.real > 0);
    pass(w, 8 * 24 * HOUR);
    CHECK(w->n_sent > 0);
    CHECK_PAGE(w, 1, "loud");
    CHECK_PAGE(w, 2, "none");
    end_watch(w);
}

TEST(what_became_worse_pages_again)
{
    struct watch *w = begin_watch("raised.db");
    hand(w, 1, LEVEL_MEDIUM, "", HANDOVER_NEW);
    CHECK_SENT(w, "");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_RAISED);
    CHECK_SENT(w, "sms elks +46700000001");
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":1}"));
    CHECK_PAGE(w, 1, "acknowledged");
    hand(w, 1, LEVEL_CRITICAL, "", HANDOVER_RAISED);
    CHECK_PAGE(w, 2, "open");
    hand(w, 2, LEVEL_LOW, "", HANDOVER_ASKED);
    CHECK_PAGE(w, 2, "open");
    end_watch(w);
}

TEST(what_people_do_in_the_queue_ends_the_page)
{
    struct watch *w = begin_watch("queue.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    hand(w, 2, LEVEL_HIGH, "", HANDOVER_NEW);
    settle(w, 1, HANDOVER_ACKED, 0);
    CHECK_PAGE(w, 1, "open");
    settle(w, 2, HANDOVER_CLOSED, 0);
    CHECK_PAGE(w, 1, "over");
    hand(w, 3, LEVEL_HIGH, "", HANDOVER_NEW);
    settle(w, 3, HANDOVER_MERGED, 4); /* nobody was told of 4 yet */
    CHECK_PAGE(w, 2, "open");
    settle(w, 4, HANDOVER_ACKED, 0);
    CHECK_PAGE(w, 2, "acknowledged");
    w->n_sent = 0;
    pass(w, 24 * HOUR);
    for (size_t i = 0; i < w->n_sent; i++) CHECK_INT(w->sent[i].page, 0); /* the rest she is owed */
    end_watch(w);
}

TEST(everyone_is_waited_for_where_the_policy_says_so)
{
    struct watch *w = begin_watch("everyone.db");
    hand(w, 1, LEVEL_HIGH, "alla", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    became(w, 1, NOTIFY_ACCEPTED);
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":1}"));
    CHECK_PAGE(w, 1, "open");
    CHECK(act(w, "bo.b", "page_ack", "{\"page\":1}"));
    CHECK_PAGE(w, 1, "acknowledged");
    end_watch(w);
}

TEST(the_same_handover_again_changes_nothing)
{
    struct watch *w = begin_watch("again.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "sms elks +46700000001");
    w->handovers--;
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_SENT(w, "");
    /* But the number of a database that was restored may be that of another. */
    w->handovers--;
    hand(w, 7, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK(slice_find(slice_of(page_state(w, 1)), SLICE("open")) != SIZE_MAX);
    CHECK(slice_find(buf_slice(&w->out), SLICE("[1,7]")) != SIZE_MAX);
    end_watch(w);
}

TEST(after_an_end_it_goes_on_and_asks_for_the_same_attempts)
{
    struct watch *w = begin_watch("end.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    const uint64_t attempt = w->sent[0].attempt;
    w->n_sent = 0;
    start_again(w);
    CHECK(w->n_sent == 1 && w->sent[0].attempt == attempt);
    became(w, 0, NOTIFY_ACCEPTED);
    w->n_sent = 0;
    start_again(w);
    CHECK_SENT(w, "");
    CHECK_SLICE(slice_of(w->paged), "1 notified anna, 1 notified anna"); /* until it is noted */
    CHECK_INT(oncall_take_noted(w->oncall, 1, w->t), 0);
    w->paged[0] = '\0';
    start_again(w);
    CHECK_SLICE(slice_of(w->paged), "");
    pass(w, 2 * MINUTE);
    became(w, 0, NOTIFY_ACCEPTED);
    pass(w, 3 * MINUTE);
    CHECK_SENT(w, "voice elks +46700000001, sms elks +46700000002");
    end_watch(w);
}

TEST(a_clock_that_jumps_delays_nothing)
{
    struct watch *w = begin_watch("jump.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    w->n_sent = 0;
    w->t.real -= 10 * HOUR;
    start_again(w);
    pass(w, 2 * MINUTE);
    became(w, 0, NOTIFY_ACCEPTED);
    pass(w, 3 * MINUTE);
    CHECK_SENT(w, "voice elks +46700000001, sms elks +46700000002");
    w->t.real += 30 * 24 * HOUR;
    pass(w, 0);
    CHECK(w->n_sent > 0);
    end_watch(w);
}

TEST(nobody_there_to_send_holds_attempts_and_not_the_page)
{
    struct watch *w = begin_watch("senders.db");
    CHECK_INT(oncall_senders(w->oncall, false, w->t), 0);
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    pass(w, 6 * MINUTE);
    CHECK_SENT(w, "");
    CHECK_INT(oncall_senders(w->oncall, true, w->t), 0);
    CHECK_SENT(w, "sms elks +46700000001, voice elks +46700000001, sms elks +46700000002");
    end_watch(w);
}

TEST(without_a_plan_it_waits_for_one)
{
    struct watch *w = begin_watch("plan.db");
    close_room(w);
    w->path = test_path("no-plan.db");
    open_room(w);
    connect_all(w);
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    pass(w, HOUR);
    CHECK_SENT(w, "");
    load_plan(w, plan);
    CHECK_SENT(w, "sms elks +46700000001");
    end_watch(w);
}

static const char *status_of(struct watch *w)
{
    buf_clear(&w->out);
    buf_putc(&w->out, '{');
    CHECK_INT(oncall_status(w->oncall, w->t, &w->out), 0);
    buf_putc(&w->out, '\0');
    return w->out.ptr;
}

#define CHECK_SAID(watch, part) CHECK(strstr(status_of(watch), part) != NULL)

TEST(too_much_is_held_back_and_not_lost)
{
    struct watch *w = begin_watch("limit.db");
    size_t told = 0;
    for (uint64_t i = 1; i <= 40; i++) {
        hand(w, i, LEVEL_HIGH, "", HANDOVER_NEW);
        for (size_t k = 0; k < w->n_sent; k++) became(w, k, NOTIFY_DELIVERED);
        told += w->n_sent;
        w->n_sent = 0;
        char body[64];
        (void)snprintf(body, sizeof body, "{\"page\":%llu}", (unsigned long long)i);
        CHECK(act(w, "bo.b", "page_escalate", body));
        for (size_t k = 0; k < w->n_sent; k++) became(w, k, NOTIFY_DELIVERED);
        told += w->n_sent;
        w->n_sent = 0;
        if (i == 40) CHECK_SAID(w, "\"waiting\":2,"); /* Anna's and Bo's */
        settle(w, i, i == 40 ? HANDOVER_NOT_SETTLED : HANDOVER_ACKED, 0);
        if (i == 39) CHECK(told <= 31);
    }
    end_watch(w);
}

TEST(as_many_messages_as_may_be_hold_back_no_call)
{
    struct watch *w = begin_watch("channel.db");
    w->limits.per_channel = 1;
    start_again(w);
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    pass(w, 2 * MINUTE);
    REQUIRE(w->n_sent == 2);
    CHECK(w->sent[0].channel == NOTIFY_SMS && w->sent[1].channel == NOTIFY_VOICE);
    CHECK(strcmp(w->sent[0].provider, w->sent[1].provider) == 0);
    CHECK(act(w, "bo.b", "page_escalate", "{\"page\":1}"));
    for (size_t i = 2; i < w->n_sent; i++)
        CHECK(strcmp(w->sent[i].provider, w->sent[0].provider) != 0);
    end_watch(w);
}

TEST(a_message_fits_two_segments_whatever_it_is_about)
{
    struct watch *w = begin_watch("sms.db");
    struct sms_size size;
    hand(w, 1, LEVEL_HIGH, "a service with a name – much too long to be said in a message at night",
         HANDOVER_NEW);
    sms_measure(slice_of(w->sent[0].body), &size);
    CHECK(size.segments > 0 && size.segments <= 2 && !strstr(w->sent[0].body, "service"));
    became(w, 0, NOTIFY_ACCEPTED);
    for (uint64_t i = 1000000; i < 1000040; i++) hand(w, i, LEVEL_HIGH, "", HANDOVER_NEW);
    pass(w, 2 * MINUTE);
    for (size_t i = 0; i < w->n_sent; i++) {
        if (w->sent[i].channel != NOTIFY_SMS) continue;
        sms_measure(slice_of(w->sent[i].body), &size);
        CHECK(size.segments <= 2 && !size.wide);
    }
    end_watch(w);
}

TEST(an_exercise_and_a_test_are_marked)
{
    struct watch *w = begin_watch("exercise.db");
    const struct oncall_page m = {.id = 1,
                                  .incident = 1,
                                  .level = LEVEL_HIGH,
                                  .why = HANDOVER_NEW,
                                  .marks = ONCALL_EXERCISE,
                                  .detected = NIGHT};
    CHECK_INT(oncall_take_page(w->oncall, &m, w->t), 0);
    CHECK(w->sent[0].marks == NOTIFY_EXERCISE && strstr(w->sent[0].body, "ÖVNING. Vaka:"));
    w->n_sent = 0;
    CHECK(act(w, "bo.b", "page_test", "{\"person\":\"anna\"}"));
    CHECK(strstr(w->sent[0].body, "Det här är ett prov"));
    CHECK_SENT(w, "sms elks +46700000001, voice elks +46700000001");
    pass(w, 10 * MINUTE);
    CHECK_PAGE(w, 2, "over");
    CHECK(!act(w, "bo.b", "page_test", "{\"person\":\"nobody\"}"));
    end_watch(w);
}

TEST(a_canary_wakes_nobody_and_asks_every_provider)
{
    struct watch *w = begin_watch("canary.db");
    struct oncall_canary seen = {0};
    for (uint64_t number = 100; number < 120; number++) {
        const struct oncall_page m = {.id = number,
                                      .incident = number,
                                      .level = LEVEL_CRITICAL,
                                      .why = HANDOVER_NEW,
                                      .marks = ONCALL_CANARY,
                                      .detected = NIGHT};
        w->n_sent = 0;
        CHECK_INT(oncall_take_page(w->oncall, &m, w->t), 0);
        CHECK(w->n_sent == 3 && w->sent[0].marks == NOTIFY_DRY);
        for (size_t i = 0; i < 3; i++) became(w, i, NOTIFY_ACCEPTED);
    }
    CHECK_SLICE(slice_of(w->sent[0].code), "119");
    CHECK_INT(oncall_ask_canary(w->oncall, 119, &seen), 0);
    CHECK(seen.attempted && !seen.unset && !seen.loud);
    CHECK_INT(oncall_ask_canary(w->oncall, 101, &seen), 0);
    CHECK(!seen.attempted);
    CHECK_SLICE(slice_of(w->paged), "");
    end_watch(w);
}

#define DISTURBED "SELECT count(*) FROM roster_disturbance WHERE person = 'anna'"

TEST(who_acknowledges_at_night_was_disturbed)
{
    struct watch *w = begin_watch("disturbed.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":1}"));
    CHECK_INT(ask(w, DISTURBED " AND ends IS NULL"), 1);
    /* It goes on while she has more to do, and is one. */
    pass(w, 50 * MINUTE);
    hand(w, 2, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":2}"));
    pass(w, 50 * MINUTE);
    CHECK_INT(ask(w, DISTURBED " AND ends IS NULL"), 1);
    w->n_sent = 0;
    pass(w, 11 * MINUTE);
    CHECK_INT(ask(w, "SELECT (ends - begins) / 60000000000 FROM roster_disturbance"), 110);
    /* Nobody is woken to hear of the rest that he is owed. */
    CHECK_SENT(w, "");
    pass(w, 7 * HOUR);
    CHECK(strstr(sent(w), "sms elks +46700000001"));
    end_watch(w);
}

TEST(only_who_is_on_call_is_disturbed_and_not_in_office_hours)
{
    struct watch *w = begin_watch("undisturbed.db");
    hand(w, 1, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK(act(w, "bo.b", "page_ack", "{\"page\":1}"));
    CHECK_INT(ask(w, "SELECT count(*) FROM roster_disturbance"), 0);
    /* What she ends herself is over. */
    hand(w, 2, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":2}"));
    pass(w, 10 * MINUTE);
    CHECK(act(w, "anna.a", "disturbance",
              "{\"person\":\"anna\",\"until\":\"2026-12-23T21:52:00Z\"}"));
    pass(w, 2 * HOUR);
    CHECK_INT(ask(w, "SELECT (ends - begins) / 60000000000 FROM roster_disturbance"), 5);
    w->t.real += 5 * 24 * HOUR + 12 * HOUR; /* Tuesday the 29th, noon */
    hand(w, 3, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK(act(w, "anna.a", "page_ack", "{\"page\":3}"));
    CHECK_INT(ask(w, DISTURBED), 1);
    end_watch(w);
}

static void load_proof(struct watch *w, const char *line)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s\n%s", line, plan);
    load_plan(w, text);
}

/* What vaka status says of a way. */
static const char *way_state(struct watch *w, const char *provider, const char *channel)
{
    static char text[32];
    char way[80];
    struct slice value = SLICE("none");
    const char *said = status_of(w);
    (void)snprintf(way, sizeof way, "{\"provider\":\"%s\",\"channel\":\"%s\",\"state\":\"",
                   provider, channel);
    const char *at = strstr(said, way);
    if (at) value = slice_until(slice_of(at + strlen(way)), 31);
    (void)slice_split(value, '"', &value, &(struct slice){0});
    copy_text(text, sizeof text, value);
    return text;
}

#define CHECK_WAY(watch, provider, channel, want)                                                  \
    CHECK_SLICE(slice_of(way_state(watch, provider, channel)), want)

TEST(every_way_is_proven_once_a_day)
{
    struct watch *w = begin_watch("proof.db");
    load_proof(w, "proof: anna 10:00");
    CHECK_WAY(w, "elks", "sms", "never");
    pass(w, 11 * HOUR);
    CHECK_SENT(w, "");
    pass(w, 13 * MINUTE + 1);
    /* Each provider by itself, whatever becomes of the other, and calls as well. */
    CHECK_SAID(w, "\"asked\":\"\",\"proven_at\":0");
    REQUIRE(w->n_sent == 3);
    CHECK(strstr(w->sent[0].body, "dagliga prov") && !w->sent[0].code[0]);
    became(w, 0, NOTIFY_ACCEPTED);
    became(w, 1, NOTIFY_REFUSED);
    became(w, 2, NOTIFY_ACCEPTED);
    CHECK_WAY(w, "elks", "sms", "waits"); /* until the phone has it */
    became(w, 0, NOTIFY_DELIVERED);
    CHECK_WAY(w, "elks", "sms", "proven");
    CHECK_WAY(w, "other", "sms", "failed");
    CHECK_WAY(w, "elks", "voice", "waits");
    CHECK_WAY(w, "own", "mail", "never"); /* she has no address */
    CHECK_SENT(w, "sms elks +46700000001, sms other +46700000001, voice elks +46700000001");
    pass(w, 31 * MINUTE);
    CHECK_WAY(w, "elks", "voice", "failed"); /* nobody took the call */
    CHECK_SAID(w, "\"asked\":\"anna\",\"proven_at\":0,\"reached\":\"\"");
    CHECK_SLICE(slice_of(w->alarms), "way-not-proven");
    CHECK_SENT(w, "");
    /* An end of the process is no second proof, and a day later there is another. */
    start_again(w);
    pass(w, 12 * HOUR);
    CHECK_SENT(w, "");
    pass(w, 12 * HOUR);
    CHECK_INT(w->n_sent, 3);
    w->n_sent = 0;
    load_proof(w, "proof: never");
    pass(w, 48 * HOUR);
    CHECK_SENT(w, "");
    end_watch(w);
}

static void outage(struct watch *w, uint64_t number)
{
    const struct oncall_page m = {.canary = true,
                                  .id = number,
                                  .incident = number,
                                  .level = LEVEL_CRITICAL,
                                  .why = HANDOVER_NEW,
                                  .detected = w->t.real,
                                  .title = SLICE("{}")};
    CHECK_INT(oncall_take_page(w->oncall, &m, w->t), 0);
}

TEST(that_the_watch_is_broken_waits_behind_no_incident)
{
    struct watch *w = begin_watch("outage.db");
    hand(w, 1, LEVEL_CRITICAL, "", HANDOVER_NEW);
    became(w, 0, NOTIFY_ACCEPTED);
    w->n_sent = 0;
    outage(w, 1);
    REQUIRE(w->n_sent == 1);
    CHECK(strstr(w->sent[0].body, "bevakningen är bruten"));
    CHECK_INT(w->sent[0].page, 2);
    became(w, 0, NOTIFY_ACCEPTED);
    /* Nor is an incident hidden behind it. */
    hand(w, 2, LEVEL_CRITICAL, "", HANDOVER_NEW);
    CHECK_INT(ask(w, "SELECT page FROM subject WHERE origin = 0 AND incident = 2"), 1);
    end_watch(w);
}

TEST(who_had_all_that_he_may_get_hears_that_the_watch_is_broken)
{
    struct watch *w = begin_watch("full.db");
    for (unsigned i = 0; i < 15; i++) {
        char body[32];
        hand(w, i + 1, LEVEL_HIGH, "", HANDOVER_NEW);
        (void)snprintf(body, sizeof body, "{\"page\":%u}", i + 1);
        became(w, i, NOTIFY_ACCEPTED);
        CHECK(act(w, "root", "page_ack", body));
    }
    CHECK_INT(w->n_sent, 15);
    hand(w, 16, LEVEL_HIGH, "", HANDOVER_NEW);
    CHECK_INT(w->n_sent, 15); /* it waits */
    outage(w, 1);
    REQUIRE(w->n_sent == 16);
    CHECK(strstr(w->sent[15].body, "bevakningen är bruten"));
    end_watch(w);
}
