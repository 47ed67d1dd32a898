/* SPDX-License-Identifier: EUPL-1.2 */
/* Alerts become parts of incidents. */
#include "fixture.h"

TEST(an_alert_has_its_incident)
{
    struct office o;
    open_office(&o, "one.db");
    uint64_t first = alert(&o, "persistence", "anna");
    CHECK(first == 1 && alert(&o, "impact", "anna") == 1 && alert(&o, "impact", "bo") == 2);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "state"), "\"new\"");
    CHECK_SLICE(member(&o, "alerts"), "2");
    CHECK_SLICE(member(&o, "score"), "80"); /* high, two tactics, two rules */
    CHECK_SLICE(member(&o, "first_activity"), "\"2026-12-23T21:47:00.000Z\"");
    CHECK_SLICE(member(&o, "detected"), "\"2026-12-23T21:47:00.000Z\"");
    CHECK_SLICE(member(&o, "acked"), "null");
    CHECK(says(&o, "\"sv\":\"persistence och en regel till: användaren anna. Troligen ett angrepp "
                   "(2 steg i ett angrepp). Gör först: Spärra.\""));
    CHECK(says(&o,
               "\"en\":\"persistence and one more rule: user anna. Likely an attack (2 steps of "
               "an attack). Do first: Block.\""));
    CHECK(!look(&o, 3));
    close_office(&o);
}

TEST(what_is_alike_is_counted_in_its_incident)
{
    struct office o;
    open_office(&o, "alike.db");
    CHECK_INT(alert_at(&o, "impact", "low", "anna", MINUTE), 1);
    o.now += 1;
    CHECK_INT(alert_at(&o, "impact", "low", "anna", MINUTE), 1);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "alerts"), "1");
    CHECK_SLICE(member(&o, "records"), "2");
    CHECK_SLICE(member(&o, "last_activity"), "\"2026-12-23T21:47:00.000000001Z\"");
    /* But not in a closed one. */
    CHECK(act(&o, "close",
              "{\"incident\":1,\"protected\":false,\"disposition\":\"benign\",\"why\":\"x\"}"));
    CHECK_INT(alert_at(&o, "impact", "low", "anna", MINUTE), 2);
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "follows"), "1");
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "records"), "2");
    close_office(&o);
}

TEST(what_it_knew_is_known_after_a_start)
{
    struct office o;
    open_office(&o, "again.db");
    CHECK_INT(alert(&o, "a", "anna"), 1);
    CHECK_INT(alert(&o, "b", "bo"), 2);
    for (int i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        (void)alert(&o, "noisy", name);
    }
    CHECK_INT(alert(&o, "noisy", NULL), 3);
    open_again(&o);
    CHECK_INT(alert(&o, "c", "anna"), 1);
    CHECK_INT(alert(&o, "d", "user2"), 3);
    CHECK_INT(alert(&o, "noisy", NULL), 3);
    o.now += 23 * HOUR;
    open_again(&o);
    CHECK_INT(alert(&o, "b", "bo"), 2);
    o.now += 25 * HOUR;
    open_again(&o);
    CHECK(alert(&o, "b", "bo") > 3);
    close_office(&o);
}

TEST(a_burst_is_one_incident)
{
    struct office o;
    int64_t rows = 0;
    open_office(&o, "burst.db");
    for (int i = 0; i < 50; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        (void)alert(&o, "noisy", name);
    }
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "alerts"), "50");
    CHECK_SLICE(member(&o, "parts"), "[2,3,4]");
    CHECK(db_get(state_db(o.state), "SELECT count(*) FROM incident WHERE open = 1", DB_ALONE,
                 &rows) == 0 &&
          rows == 1);
    close_office(&o);
}

TEST(one_alert_can_join_two_incidents)
{
    struct office o;
    open_office(&o, "join.db");
    CHECK_INT(alert(&o, "a", "anna"), 1);
    CHECK_INT(alert(&o, "b", "bo"), 2);
    CHECK_INT(alert(&o, "c", "anna\",\"bo"), 1);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "alerts"), "3");
    CHECK_SLICE(member(&o, "parts"), "[2]");
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "state"), "\"merged\"");
    CHECK_SLICE(member(&o, "part_of"), "1");
    close_office(&o);
}

TEST(alerts_of_an_older_version_get_their_incidents)
{
    struct office o;
    int64_t without = -1;
    open_office(&o, "older.db");
    (void)alert(&o, "a", "anna");
    (void)alert(&o, "b", "anna");
    (void)alert(&o, "b", "bo");
    REQUIRE(db_script(state_db(o.state),
                      "UPDATE alert SET incident = NULL; DELETE FROM incident;"
                      "DELETE FROM incident_rule; DELETE FROM incident_name;") == 0);
    open_again(&o);
    CHECK(db_get(state_db(o.state), "SELECT count(*) FROM alert WHERE incident IS NULL", DB_ALONE,
                 &without) == 0 &&
          without == 0);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "alerts"), "2");
    CHECK(look(&o, 2) && !look(&o, 3));
    close_office(&o);
}

static struct state_alert odd_alert(struct slice rule)
{
    return (struct state_alert){.count = 1,
                                .level = 4,
                                .time = TIME_NONE,
                                .received = NIGHT,
                                .rule = rule,
                                .title = SLICE("T"),
                                .line = SLICE("{}")};
}

TEST(a_line_that_is_no_alert_has_an_incident_too)
{
    struct office o;
    bool is_new = false;
    const struct state_alert odd = odd_alert(SLICE("r"));
    open_office(&o, "odd.db");
    REQUIRE(state_begin(o.state) == 0);
    CHECK_INT(desk_add_alert(o.desk, &odd, 0, o.now, &is_new), 0);
    REQUIRE(state_commit(o.state) == 0);
    CHECK(is_new && look(&o, 1));
    CHECK_SLICE(member(&o, "level"), "\"high\"");
    CHECK(says(&o, "T. Troligen ett angrepp. Gör först: Läs larmen"));
    close_office(&o);
}

TEST(what_vaka_says_about_itself_is_called_no_attack)
{
    struct office o;
    bool is_new = false;
    const struct state_alert own = odd_alert(SLICE("vaka.role-ended"));
    open_office(&o, "own-line.db");
    REQUIRE(state_begin(o.state) == 0);
    CHECK_INT(desk_add_alert(o.desk, &own, 0, o.now, &is_new), 0);
    REQUIRE(state_commit(o.state) == 0);
    REQUIRE(look(&o, 1));
    CHECK(says(&o, "T. Något i vakan behöver ses över av en människa. Gör först: Kör vaka awake"));
    close_office(&o);
}

TEST(a_title_is_said_in_swedish)
{
    struct office o;
    bool is_new = false;
    const struct state_alert a = {.count = 1,
                                  .level = 4,
                                  .time = TIME_NONE,
                                  .received = NIGHT,
                                  .rule = SLICE("r"),
                                  .title = SLICE("Event log cleared"),
                                  .line = SLICE("{}")};
    open_office(&o, "title.db");
    REQUIRE(state_begin(o.state) == 0);
    CHECK_INT(desk_add_alert(o.desk, &a, 0, o.now, &is_new), 0);
    REQUIRE(state_commit(o.state) == 0);
    REQUIRE(look(&o, 1));
    CHECK(says(&o, "\"sv\":\"En händelselogg tömdes. "));
    CHECK(says(&o, "\"en\":\"Event log cleared. "));
    CHECK(says(&o, "\"title_sv\":\"En händelselogg tömdes\""));
    close_office(&o);
}

TEST(an_exercise_stays_apart_from_what_happens)
{
    struct office o;
    open_office(&o, "exercise.db");
    CHECK_INT(alert(&o, "impact", "anna"), 1);
    o.marks = 1;
    CHECK_INT(alert(&o, "impact", "anna"), 2);
    CHECK_INT(alert(&o, "persistence", "anna"), 2);
    open_again(&o);
    CHECK_INT(alert(&o, "discovery", "anna"), 2);
    o.marks = 0;
    CHECK_INT(alert(&o, "persistence", "anna"), 1);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "exercise"), "false");
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "exercise"), "true");
    CHECK_SLICE(member(&o, "alerts"), "3");
    close_office(&o);
}
