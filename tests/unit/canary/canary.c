/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/canary.h"

#include "base/json_read.h"
#include "test.h"

enum { ALL_OF_IT = 1023 };
#define S NSEC_PER_SEC

static const struct canary_options options = {.every = 30 * S, .within = 12 * S};

/* What each says of a probe that went through. */
enum { SAYS_ITSELF = CANARY_OPENED | CANARY_STORED | CANARY_UNWRAPPED };
static const uint32_t says[CANARY_WITNESS_COUNT] = {
    [CANARY_BY_ITSELF] = SAYS_ITSELF,
    [CANARY_BY_DETECT] = CANARY_MATCHED | CANARY_CORRELATED,
    [CANARY_BY_TRIAGE] = CANARY_KEPT | CANARY_HANDED,
    [CANARY_BY_ONCALL] = CANARY_ATTEMPTED,
    [CANARY_BY_NOTIFY] = CANARY_ASKED | CANARY_WOULD_SEND,
};

/* All that is seen but `without`, and who does not answer (-1: everybody does). */
static void see(struct canary *c, uint32_t without, int silent)
{
    for (unsigned who = 0; who < CANARY_WITNESS_COUNT; who++)
        if ((int)who != silent) canary_saw(c, c->number, who, says[who] & ~without, SLICE_NONE);
}

TEST(what_was_seen_by_all_is_proven)
{
    struct canary c;
    canary_init(&c, &options, 41);
    CHECK(canary_is_due(&c, 100 * S));
    CHECK_INT(canary_begin(&c, 100 * S, 1000 * S), 42);
    CHECK(!canary_is_due(&c, 200 * S));
    CHECK(!canary_judge(&c, 101 * S, 1001 * S));
    see(&c, 0, -1);
    CHECK(canary_judge(&c, 101 * S, 1001 * S));
    CHECK_INT(c.broken, CANARY_NOTHING);
    CHECK_INT(c.since, 1001 * S);
    CHECK_INT(c.took, S);
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++) CHECK_INT(c.proven[i], 1000 * S);
    CHECK(!canary_is_due(&c, 129 * S) && canary_is_due(&c, 130 * S));
}

TEST(a_probe_that_fails_once_is_repeated_and_breaks_nothing)
{
    struct canary c;
    canary_init(&c, &options, 0);
    (void)canary_begin(&c, 0 + S, S);
    see(&c, CANARY_ASKED | CANARY_WOULD_SEND, -1);
    CHECK(!canary_judge(&c, 12 * S, 12 * S));
    CHECK(!canary_judge(&c, 13 * S, 13 * S));
    CHECK_INT(c.failed, 1);
    CHECK(canary_is_due(&c, 13 * S));
    (void)canary_begin(&c, 13 * S, 13 * S);
    see(&c, 0, -1);
    CHECK(canary_judge(&c, 14 * S, 14 * S));
    CHECK_INT(c.broken, CANARY_NOTHING);
    CHECK(!canary_is_due(&c, 15 * S));
}

/* Fails two probes; the stage that is named. */
static unsigned break_by(uint32_t without, int silent)
{
    struct canary c;
    canary_init(&c, &options, 0);
    (void)canary_begin(&c, S, S);
    see(&c, 0, -1);
    CHECK(canary_judge(&c, S, S));
    for (nsec now = 31 * S; now < 50 * S; now += 12 * S) {
        CHECK(canary_is_due(&c, now));
        (void)canary_begin(&c, now, now);
        see(&c, without, silent);
        bool changed = canary_judge(&c, now + 12 * S, now + 12 * S);
        CHECK(changed == (now > 31 * S));
    }
    CHECK(c.broken == CANARY_NOTHING || (c.n_changes == 2 && c.changes[1].stage == c.broken &&
                                         c.changes[1].text[0] && c.since == 55 * S));
    return c.broken;
}

TEST(the_first_stage_that_breaks_is_named)
{
    static const struct {
        uint32_t without;
        int silent;
        enum canary_stage broken;
    } cases[] = {
        {ALL_OF_IT, -1, CANARY_COLLECT},
        {ALL_OF_IT & ~(unsigned)(CANARY_OPENED | CANARY_STORED), -1, CANARY_UNWRAP},
        {ALL_OF_IT & ~(unsigned)CANARY_OPENED, -1, CANARY_STORE},
        {CANARY_UNWRAPPED | CANARY_CORRELATED | CANARY_KEPT, CANARY_BY_DETECT, CANARY_UNWRAP},
        {ALL_OF_IT & ~(unsigned)SAYS_ITSELF, -1, CANARY_ENGINE},
        {ALL_OF_IT & ~(unsigned)SAYS_ITSELF, CANARY_BY_DETECT, CANARY_CORRELATE},
        {CANARY_CORRELATED | CANARY_KEPT | CANARY_HANDED | CANARY_ATTEMPTED, -1, CANARY_CORRELATE},
        {CANARY_KEPT | CANARY_HANDED | CANARY_ATTEMPTED | CANARY_ASKED | CANARY_WOULD_SEND, -1,
         CANARY_TRIAGE},
        {CANARY_ATTEMPTED, CANARY_BY_TRIAGE, CANARY_TRIAGE},
        {CANARY_HANDED | CANARY_ATTEMPTED, -1, CANARY_TRIAGE},
        {CANARY_HANDED | CANARY_ATTEMPTED, CANARY_BY_ONCALL, CANARY_ONCALL},
        {CANARY_ATTEMPTED | CANARY_ASKED | CANARY_WOULD_SEND, -1, CANARY_ONCALL},
        {CANARY_ASKED | CANARY_WOULD_SEND, CANARY_BY_ONCALL, CANARY_ONCALL},
        {0, CANARY_BY_NOTIFY, CANARY_NOTIFY},
        {CANARY_WOULD_SEND, -1, CANARY_PROVIDER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (break_by(cases[i].without, cases[i].silent) != cases[i].broken)
            test_fail(__FILE__, __LINE__, "case %zu: %s", i,
                      canary_stage_name(break_by(cases[i].without, cases[i].silent)));
}

TEST(a_stage_behind_takes_the_place_of_the_one_that_got_well)
{
    static const uint32_t without[] = {0,
                                       CANARY_STORED,
                                       CANARY_STORED,
                                       CANARY_MATCHED,
                                       CANARY_STORED,
                                       CANARY_MATCHED,
                                       CANARY_MATCHED};
    static const enum canary_stage named[] = {CANARY_NOTHING, CANARY_NOTHING, CANARY_STORE,
                                              CANARY_STORE,   CANARY_STORE,   CANARY_STORE,
                                              CANARY_ENGINE};
    struct canary c;
    canary_init(&c, &options, 0);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        (void)canary_begin(&c, S, S);
        see(&c, without[i], -1);
        (void)canary_judge(&c, 20 * S, 20 * S);
        CHECK_INT(c.broken, named[i]);
    }
}

TEST(what_is_said_of_another_probe_or_later_is_nothing)
{
    struct canary c;
    canary_init(&c, &options, 0);
    (void)canary_begin(&c, S, S);
    canary_saw(&c, 2, CANARY_BY_ITSELF, CANARY_OPENED, SLICE_NONE);
    CHECK_INT(c.sights, 0);
    CHECK(!canary_judge(&c, 20 * S, 20 * S));
    canary_saw(&c, 1, CANARY_BY_ITSELF, CANARY_OPENED, SLICE_NONE);
    CHECK_INT(c.sights, 0);
}

TEST(whose_words_say_what_is_wrong)
{
    struct canary c;
    char much[2 * CANARY_TEXT_MAX];
    memset(much, 'x', sizeof much);
    canary_init(&c, &options, 0);
    (void)canary_begin(&c, S, S);
    see(&c, CANARY_WOULD_SEND, -1);
    CHECK_SLICE(canary_why(&c, CANARY_PROVIDER), "a provider would not send");
    canary_saw(&c, 1, CANARY_BY_NOTIFY, CANARY_ASKED, SLICE("elks: 401"));
    CHECK_SLICE(canary_why(&c, CANARY_PROVIDER), "elks: 401");
    canary_saw(&c, 1, CANARY_BY_NOTIFY, CANARY_ASKED, slice_make(much, sizeof much));
    CHECK_INT(canary_why(&c, CANARY_PROVIDER).len, CANARY_TEXT_MAX - 1);
    CHECK_INT(canary_why(&c, CANARY_NOTHING).len, 0);
}

/* One after the other until `n` verdicts have changed. */
static void live(struct canary *c, unsigned n)
{
    for (nsec now = S; n > 0; now += 30 * S) {
        (void)canary_begin(c, now, now);
        see(c, c->n_changes % 2 ? CANARY_KEPT : 0, -1);
        n -= canary_judge(c, now + 12 * S, now + 12 * S);
    }
}

TEST(verdicts_are_remembered_within_a_bound)
{
    struct canary c;
    canary_init(&c, &options, 0);
    live(&c, 2);
    CHECK_INT(c.n_changes, 2);
    CHECK_INT(c.changes[0].stage, CANARY_NOTHING);
    CHECK_INT(c.changes[1].stage, CANARY_TRIAGE);
    canary_init(&c, &options, 0);
    for (int i = 0; i < 130; i++) {
        c.since = i + 1;
        c.broken = i % 2 ? CANARY_NOTHING : CANARY_STORE;
        c.doubt = i % 2 ? CANARY_TRIAGE : CANARY_NOTHING;
        (void)canary_begin(&c, S, i);
        see(&c, i % 2 ? CANARY_KEPT : 0, -1);
        CHECK(canary_judge(&c, 100 * S, i));
    }
    CHECK_INT(c.n_changes, CANARY_CHANGES_MAX);
    CHECK_INT(c.changes[CANARY_CHANGES_MAX - 1].at, 129);
    CHECK_INT(c.changes[0].at, 130 - CANARY_CHANGES_MAX);
}

static bool rewrite(const struct canary *c, struct canary *back, nsec now)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    canary_write(&text, c);
    CHECK(json_is_object(buf_slice(&text)));
    canary_init(back, &options, 0);
    int error = canary_read(back, buf_slice(&text), now);
    buf_done(&text);
    return error == 0;
}

TEST(what_was_known_survives_a_start)
{
    struct canary c, back;
    canary_init(&c, &options, 7);
    (void)canary_begin(&c, S, 1000 * S);
    see(&c, 0, -1);
    CHECK(canary_judge(&c, 2 * S, 1001 * S));
    CHECK(rewrite(&c, &back, 1010 * S));
    CHECK(back.number == 8 && back.since == 1001 * S && back.broken == CANARY_NOTHING);
    CHECK(back.n_changes == 1 && back.changes[0].at == 1001 * S && back.proven[3] == 1000 * S);
    CHECK(!back.running && canary_is_due(&back, 0));
    /* Nobody knows how it was meanwhile. */
    CHECK(rewrite(&c, &back, 1054 * S));
    CHECK(back.since == 0 && back.n_changes == 1);
    CHECK(rewrite(&c, &back, 10 * S));
    CHECK_INT(back.since, 0);
}

TEST(what_is_broken_stays_so_over_a_start)
{
    struct canary c, back;
    canary_init(&c, &options, 0);
    live(&c, 2);
    nsec since = c.since;
    CHECK(rewrite(&c, &back, 5000 * S));
    CHECK(back.broken == CANARY_TRIAGE && back.since == since);
    CHECK_SLICE(slice_of(back.changes[1].text), "an alert is not kept, or not handed over");
}

TEST(what_it_did_not_write_is_not_read)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"number\":1}",
        "{\"number\":-1,\"broken\":\"nothing\",\"since\":0}",
        "{\"number\":1,\"broken\":\"nobody\",\"since\":0,\"proven\":{},\"changes\":[]}",
        "{\"number\":1,\"broken\":\"nothing\",\"since\":0,\"proven\":{},\"changes\":[]}",
    };
    struct canary c;
    canary_init(&c, &options, 9);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_INT(canary_read(&c, slice_of(wrong[i]), S), ERR_SYNTAX);
    CHECK_INT(c.number, 9);
}

TEST(the_way_ends_where_nobody_can_be_paged)
{
    struct canary c;
    canary_init(&c, &options, 0);
    (void)canary_begin(&c, S, S);
    see(&c, CANARY_ASKED | CANARY_WOULD_SEND | CANARY_ATTEMPTED, -1);
    CHECK(!canary_judge(&c, S, S));
    canary_saw(&c, 1, CANARY_BY_ONCALL, CANARY_UNSET, SLICE_NONE);
    CHECK(canary_judge(&c, S, S));
    CHECK(c.unset && c.broken == CANARY_NOTHING && c.proven[CANARY_TRIAGE] == S &&
          c.proven[CANARY_ONCALL] == 0);
}
