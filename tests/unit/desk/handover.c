/* SPDX-License-Identifier: EUPL-1.2 */
/* What is handed over to be paged for, and what comes back. */
#include "desk/handover.h"

#include "fixture.h"

struct seen {
    char text[1024];
    size_t n;
    uint64_t last;
};

static bool see(void *ctx, const struct desk_handover *h)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    if (h->how)
        (void)snprintf(seen->text + len, sizeof seen->text - len, "%s%llu settled %u into %llu",
                       seen->n ? ", " : "", (unsigned long long)h->incident, h->how,
                       (unsigned long long)h->into);
    else
        (void)snprintf(seen->text + len, sizeof seen->text - len, "%s%llu level %u why %u",
                       seen->n ? ", " : "", (unsigned long long)h->incident, h->level, h->why);
    seen->last = h->id;
    seen->n++;
    return true;
}

/* All of it, which is taken. */
static const char *hand_over(struct office *o)
{
    static struct seen seen;
    seen = (struct seen){.n = 0};
    CHECK_INT(desk_handovers(o->desk, 0, see, &seen), 0);
    CHECK_INT(state_begin(o->state), 0);
    for (uint64_t id = 1; id <= seen.last; id++) CHECK_INT(desk_handed_over(o->desk, id), 0);
    CHECK_INT(state_commit(o->state), 0);
    return seen.text;
}

/* The number of the last change of that kind. */
static unsigned long long last(const struct office *o, const char *kind)
{
    int64_t number = 0;
    CHECK_INT(db_get(state_db(o->state), "SELECT max(number) FROM change WHERE kind = ?1",
                     DB_WITH(db_text(slice_of(kind))), &number),
              0);
    return (unsigned long long)number;
}

#define CHECK_HANDED(office, want) CHECK_SLICE(slice_of(hand_over(office)), want)

TEST(what_is_new_or_worse_is_handed_over_and_more_of_it_is_not)
{
    struct office o;
    open_office(&o, "handed.db");
    (void)alert_at(&o, "a", "medium", "anna", -1);
    CHECK_HANDED(&o, "1 level 3 why 1");
    for (int i = 0; i < 20; i++) (void)alert_at(&o, "a", "medium", "anna", -1);
    CHECK_HANDED(&o, "");
    (void)alert_at(&o, "b", "low", "anna", -1);
    CHECK_HANDED(&o, "");
    (void)alert_at(&o, "c", "critical", "anna", -1);
    CHECK_HANDED(&o, "1 level 5 why 2");
    close_office(&o);
}

TEST(it_waits_until_it_is_taken)
{
    struct office o;
    struct seen seen = {.n = 0};
    open_office(&o, "waits.db");
    (void)alert(&o, "a", "anna");
    CHECK_INT(desk_handovers(o.desk, 0, see, &seen), 0);
    open_again(&o);
    CHECK_HANDED(&o, "1 level 4 why 1");
    open_again(&o);
    CHECK_HANDED(&o, "");
    close_office(&o);
}

TEST(what_people_do_settles_it)
{
    struct office o;
    open_office(&o, "settled.db");
    (void)alert(&o, "a", "anna");
    (void)alert(&o, "a", "bo");
    (void)alert(&o, "a", "cy");
    CHECK_HANDED(&o, "1 level 4 why 1, 2 level 4 why 1, 3 level 4 why 1");
    CHECK(act(&o, "ack", "{\"incident\":1}"));
    CHECK_HANDED(&o, "1 settled 1 into 0");
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu,\"protected\":false}", last(&o, "ack")));
    CHECK_HANDED(&o, "1 level 4 why 3");
    CHECK(act(&o, "merge", "{\"incident\":2,\"with\":3,\"protected\":false}"));
    CHECK_HANDED(&o, "3 settled 3 into 2");
    CHECK(act(&o, "close", "{\"incident\":2,\"disposition\":\"benign\",\"why\":\"x\"}"));
    CHECK_HANDED(&o, "2 settled 2 into 0");
    CHECK(act(&o, "reopen", "{\"incident\":2,\"why\":\"x\"}"));
    CHECK_HANDED(&o, "2 level 4 why 3");
    close_office(&o);
}

TEST(what_is_apart_again_waits_for_somebody_again)
{
    struct office o;
    open_office(&o, "apart.db");
    (void)alert(&o, "a", "anna");
    (void)alert(&o, "a", "bo");
    CHECK(act(&o, "merge", "{\"incident\":1,\"with\":2,\"protected\":false}"));
    (void)hand_over(&o);
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "merge")));
    CHECK_HANDED(&o, "2 level 4 why 1");
    close_office(&o);
}

/* A notice of a page that nobody took must not become the next page. */
TEST(what_vaka_says_of_its_pages_is_not_paged_for)
{
    struct office o;
    open_office(&o, "own.db");
    (void)alert(&o, "vaka.page-loud", "oncall");
    (void)alert(&o, "vaka.canary-broken", "canary");
    CHECK_HANDED(&o, "");
    (void)alert(&o, "vaka.role-ended", "seal");
    CHECK_HANDED(&o, "3 level 4 why 1");
    close_office(&o);
}

static void paged(struct office *o, uint64_t id, unsigned what, nsec time, const char *who)
{
    const struct desk_paged m = {
        .id = id, .incident = 1, .what = what, .time = time, .who = slice_of(who)};
    REQUIRE(state_begin(o->state) == 0);
    CHECK_INT(desk_take_paged(o->desk, &m, o->now), 0);
    REQUIRE(state_commit(o->state) == 0);
}

TEST(what_became_of_a_page_is_in_the_log_once_and_overwrites_nothing)
{
    struct office o;
    int64_t lines = 0;
    open_office(&o, "paged.db");
    (void)alert(&o, "a", "anna");
    paged(&o, 1, PAGED_NOTIFIED, NIGHT + MINUTE, "Bo");
    paged(&o, 1, PAGED_NOTIFIED, NIGHT + MINUTE, "Bo");
    paged(&o, 2, PAGED_NOTIFIED, NIGHT + 2 * MINUTE, "Cy");
    paged(&o, 3, PAGED_ACKED, NIGHT + 3 * MINUTE, "Cy");
    paged(&o, 1, PAGED_ACKED, NIGHT + 4 * MINUTE, "of a new file");
    paged(&o, 9, 77, NIGHT, "nobody");
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "notified"), "\"2026-12-23T21:48:00.000Z\"");
    CHECK_SLICE(member(&o, "acked"), "\"2026-12-23T21:50:00.000Z\"");
    CHECK_SLICE(member(&o, "assignee"), "\"Cy\"");
    CHECK_INT(db_get(state_db(o.state),
                     "SELECT count(*) FROM change WHERE kind IN"
                     " ('notified', 'ack')",
                     DB_ALONE, &lines),
              0);
    CHECK_INT(lines, 4);
    close_office(&o);
}

TEST(of_canaries_the_newest_alone_waits)
{
    struct office o;
    open_office(&o, "canary.db");
    REQUIRE(state_begin(o.state) == 0);
    CHECK_INT(desk_hand_canary(o.desk, 7, NIGHT), 0);
    CHECK_INT(desk_hand_canary(o.desk, 8, NIGHT), 0);
    REQUIRE(state_commit(o.state) == 0);
    CHECK_HANDED(&o, "8 level 5 why 1");
    close_office(&o);
}
