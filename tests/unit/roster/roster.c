/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/roster.h"

#include "base/when.h"
#include "test.h"

static const char plan[] =
    "zone: Europe/Stockholm\n"
    "office_hours: ['mon-fri 08:00-16:30', 'half 08:00-12:00']\n"
    "people:\n"
    "  - {id: anna, name: Anna A, user: a, contacts: [{channel: sms, address: '+46701234567'}]}\n"
    "  - {id: bo, contacts: [{channel: mail, address: bo@example.se, hours: office}]}\n"
    "  - {id: cia, language: en}\n"
    "  - {id: dan, work: none}\n"
    "teams:\n"
    "  - id: soc\n"
    "    rotations:\n"
    "      - {name: week, order: [anna, bo, cia], every: week, handoff: monday 08:00,\n"
    "         since: 2026-01-01}\n"
    "      - {name: nights, order: [dan], every: day, handoff: '08:00', since: 2026-02-01,\n"
    "         until: 2026-02-03 08:00, hours: ['mon-sun 20:00-06:00']}\n"
    "      - {name: learner, order: [dan], since: 2026-03-01, shadow: true}\n"
    "policies:\n"
    "  - id: day\n"
    "    steps:\n"
    "      - {targets: [{oncall: soc}, {person: anna}], wait: 5m}\n"
    "      - {targets: [{everybody: soc}], wait: 10m}\n"
    "    fallback: [{person: dan}]\n"
    "    repeat: 1\n"
    "  - {id: night, everyone_must_ack: true, steps: [{targets: [{person: bo}]}]}\n"
    "rules:\n"
    "  - {exercise: true, page: night}\n"
    "  - {services: [skola*], never: true}\n"
    "  - {level: high, page: day}\n"
    "  - {tenants: [2, 3], hours: oncall, page: night}\n"
    "  - {level: medium, hours: oncall, wait_until: '07:00', page: day}\n"
    "  - {level: low, hours: oncall, wait_until: office, page: day}\n"
    "  - {hours: oncall, never: true}\n";

static struct calendar *calendar;
static struct roster *roster;

static nsec at(const char *text)
{
    const struct when when = {.zone = roster->zone};
    nsec t = 0;
    if (!when_parse(slice_of(text), &when, false, &t)) test_fail(__FILE__, __LINE__, "%s", text);
    return t;
}

static void begin(void)
{
    struct diag diag = {0};
    nsec now = INT64_C(1767225600) * NSEC_PER_SEC; /* 2026-01-01T00:00:00Z */
    REQUIRE(calendar_new(SLICE_NONE, NULL, now, &calendar, &diag) == 0);
    int error = roster_read(slice_of(plan), "plan.yml", calendar, &roster, &diag);
    if (error)
        test_fail(__FILE__, (int)diag.line, "%u:%u %s", diag.line, diag.column, diag.message);
    REQUIRE(error == 0);
}

static void end(void)
{
    roster_free(roster);
    calendar_free(calendar);
}

static struct slice who(const char *time)
{
    struct roster_shift shift;
    roster_who(roster, roster_team(roster, SLICE("soc")), at(time), &shift);
    return shift.person ? shift.person->id : SLICE_NONE;
}

TEST(turns_change_at_the_handoff)
{
    begin();
    CHECK_SLICE(who("2026-01-05T07:59:59"), "");
    CHECK_SLICE(who("2026-01-05T08:00:00"), "anna");
    CHECK_SLICE(who("2026-01-12T07:59:59"), "anna");
    CHECK_SLICE(who("2026-01-12T08:00:00"), "bo");
    CHECK_SLICE(who("2026-01-26T08:00:00"), "anna");
    /* the clock has been put forward */
    CHECK_SLICE(who("2026-03-30T07:59:59"), "cia");
    CHECK_SLICE(who("2026-03-30T08:00:00"), "anna");
    end();
}

/* For how long nobody else has it from then on, in minutes. */
static int64_t minutes_from(size_t team, const char *time)
{
    struct roster_shift shift;
    roster_who(roster, &roster->teams[team], at(time), &shift);
    return (shift.until - at(time)) / (60 * NSEC_PER_SEC);
}

TEST(a_night_in_which_the_clock_changes_is_an_hour_shorter_or_longer)
{
    static const char nights[] =
        "zone: Europe/Stockholm\n"
        "people: [{id: a, name: A}, {id: b, name: B}]\n"
        "teams:\n"
        "  - {id: soc, rotations: [{order: [a, b], every: 12 hours, handoff: '08:00',"
        " since: 2026-03-01}]}\n"
        "  - {id: late, rotations: [{order: [a, b], every: day, handoff: '02:30',"
        " since: 2026-03-01}]}\n"
        "policies: [{id: p, steps: [{targets: [{oncall: soc}], wait: 5m}]}]\n"
        "rules: [{page: p}]\n";
    struct diag diag = {0};
    REQUIRE(calendar_new(SLICE_NONE, NULL, INT64_C(1767225600) * NSEC_PER_SEC, &calendar, &diag) ==
            0);
    REQUIRE(roster_read(slice_of(nights), "nights.yml", calendar, &roster, &diag) == 0);
    CHECK_INT(minutes_from(0, "2026-03-27T20:00"), 12 * 60);
    CHECK_INT(minutes_from(0, "2026-03-28T20:00"), 11 * 60);
    CHECK_INT(minutes_from(0, "2026-10-24T20:00"), 13 * 60);
    CHECK_INT(minutes_from(0, "2026-10-25T20:00"), 12 * 60);
    CHECK_SLICE(who("2026-03-28T23:00"), "b");
    CHECK_SLICE(who("2026-03-29T23:00"), "b");
    CHECK_SLICE(who("2026-10-25T07:59:59"), "b");
    CHECK_SLICE(who("2026-10-25T08:00"), "a");
    /* A handoff in the hour that is left out, and in the one that is there twice. */
    CHECK_INT(minutes_from(1, "2026-03-28T02:30"), 24 * 60);
    CHECK_INT(minutes_from(1, "2026-03-29T03:30"), 23 * 60);
    CHECK_INT(minutes_from(1, "2026-10-24T02:30"), 25 * 60);
    CHECK_INT(minutes_from(1, "2026-10-25T01:30:00Z"), 24 * 60);
    end();
}

TEST(a_later_rotation_goes_before_an_earlier_one_in_its_hours)
{
    begin();
    CHECK_SLICE(who("2026-02-01T19:59:59"), "anna");
    CHECK_SLICE(who("2026-02-01T20:00:00"), "dan");
    CHECK_SLICE(who("2026-02-02T05:59:59"), "dan");
    CHECK_SLICE(who("2026-02-02T06:00:00"), "anna");
    CHECK_SLICE(who("2026-02-03T20:00:00"), "bo");
    struct roster_shift shift;
    roster_who(roster, &roster->teams[0], at("2026-02-01T12:00:00"), &shift);
    CHECK(shift.until == at("2026-02-01T20:00:00"));
    CHECK(roster_shadow(roster, &roster->teams[0], at("2026-02-20T12:00:00")) == NULL);
    CHECK(roster_shadow(roster, &roster->teams[0], at("2026-03-20T12:00:00")) != NULL);
    end();
}

static void change(uint64_t id, enum roster_change_kind kind, const char *person,
                   const char *instead, const char *from, const char *until)
{
    const struct roster_change c = {.id = id,
                                    .kind = kind,
                                    .team = SLICE("soc"),
                                    .person = slice_of(person),
                                    .instead = slice_of(instead),
                                    .from = at(from),
                                    .until = at(until)};
    CHECK_INT(roster_change(roster, &c), 0);
}

TEST(changes_go_before_rotations_and_later_ones_before_earlier_ones)
{
    begin();
    change(1, ROSTER_OVERRIDE, "cia", "", "2026-01-06", "2026-01-07");
    change(2, ROSTER_OVERRIDE, "bo", "anna", "2026-01-06", "2026-01-08");
    change(3, ROSTER_ABSENCE, "bo", "", "2026-01-07T12:00", "2026-01-20");
    change(4, ROSTER_TEMPORARY, "", "", "2026-02-10", "2026-02-11");
    change(5, ROSTER_OVERRIDE, "dan", "", "2026-02-10T10:00", "2026-02-10T11:00");
    CHECK_SLICE(who("2026-01-06T10:00:00"), "cia");
    CHECK_SLICE(who("2026-01-07T10:00:00"), "bo");
    CHECK_SLICE(who("2026-01-07T13:00:00"), "anna");
    CHECK_SLICE(who("2026-01-13T13:00:00"), "cia");
    CHECK_SLICE(who("2026-02-10T09:59:00"), "");
    CHECK_SLICE(who("2026-02-10T10:00:00"), "dan");
    CHECK_SLICE(who("2026-02-10T11:00:00"), "");
    end();
}

TEST(who_covers_somebody_away_is_found_by_whom_it_is_for)
{
    begin();
    change(1, ROSTER_ABSENCE, "anna", "", "2026-01-05", "2026-01-12");
    CHECK_SLICE(who("2026-01-06T10:00:00"), "bo");
    change(2, ROSTER_OVERRIDE, "dan", "anna", "2026-01-05", "2026-01-12");
    CHECK_SLICE(who("2026-01-06T10:00:00"), "dan");
    end();
}

static struct roster_verdict judge(uint32_t tenant, const char *service, unsigned level,
                                   bool exercise, const char *time)
{
    const struct roster_question q = {
        .tenant = tenant, .service = slice_of(service), .level = level, .exercise = exercise};
    struct roster_verdict verdict;
    roster_judge(roster, &q, at(time), &verdict);
    return verdict;
}

TEST(the_first_rule_that_speaks_of_it_decides)
{
    begin();
    const char *saturday = "2026-01-10T22:00", *monday = "2026-01-12T10:00";
    struct roster_verdict v = judge(1, "vatten", 4, false, saturday);
    CHECK(v.what == ROSTER_PAGE && slice_eq(v.policy->id, SLICE("day")));
    v = judge(1, "vatten", 1, true, saturday);
    CHECK(v.what == ROSTER_PAGE && slice_eq(v.policy->id, SLICE("night")));
    CHECK_INT(judge(1, "Skola-wifi", 5, false, monday).what, ROSTER_NEVER);
    v = judge(2, "vatten", 1, false, saturday);
    CHECK(v.what == ROSTER_PAGE && slice_eq(v.policy->id, SLICE("night")));
    v = judge(1, "vatten", 3, false, saturday);
    CHECK(v.what == ROSTER_WAIT && v.until == at("2026-01-12T07:00"));
    v = judge(1, "vatten", 2, false, saturday);
    CHECK(v.what == ROSTER_WAIT && v.until == at("2026-01-12T08:00"));
    CHECK_INT(judge(1, "vatten", 1, false, saturday).what, ROSTER_NEVER);
    /* no rule speaks of it: it pages */
    v = judge(1, "vatten", 1, false, monday);
    CHECK(v.what == ROSTER_PAGE && v.line == 0 && v.policy == &roster->policies[0]);
    /* Epiphany is a Tuesday, and its eve a half day */
    v = judge(1, "vatten", 2, false, "2026-01-05T12:30");
    CHECK(v.what == ROSTER_WAIT && v.until == at("2026-01-07T08:00"));
    end();
}

TEST(targets_are_each_told_once)
{
    begin();
    struct roster_reached reached[ROSTER_PEOPLE_MAX];
    const struct roster_policy *day = roster_policy(roster, SLICE("day"));
    CHECK_INT(roster_targets(roster, &day->steps[0], at("2026-01-06"), reached), 1);
    CHECK_INT(roster_targets(roster, &day->steps[0], at("2026-01-13"), reached), 2);
    CHECK_SLICE(reached[0].person->id, "bo");
    CHECK_SLICE(reached[1].person->id, "anna");
    CHECK_INT(roster_targets(roster, &day->steps[1], at("2026-01-06"), reached), 4);
    CHECK_INT(roster_targets(roster, &day->follow, at("2026-01-06"), reached), 1);
    CHECK_INT(roster_targets(roster, &day->steps[0], at("2026-03-18"), reached), 3);
    CHECK(reached[1].shadow && slice_eq(reached[1].person->id, SLICE("dan")));
    CHECK(!roster_contact_open(roster, &roster->people[1].contacts[0], at("2026-01-06T10:00")));
    CHECK(roster_contact_open(roster, &roster->people[1].contacts[0], at("2026-01-07T10:00")));
    end();
}

TEST(a_policy_is_the_same_when_it_is_read_back)
{
    begin();
    struct buf first, second;
    struct arena arena;
    struct diag diag;
    struct roster_policy policy;
    buf_init(&first, 4096);
    buf_init(&second, 4096);
    arena_init(&arena, 1024 * 1024);
    roster_policy_write(&roster->policies[0], &first);
    REQUIRE(roster_policy_read(buf_slice(&first), &arena, &policy, &diag) == 0);
    roster_policy_write(&policy, &second);
    CHECK(first.len > 50 && slice_eq(buf_slice(&first), buf_slice(&second)));
    CHECK_INT(policy.repeat, 1);
    buf_done(&first);
    buf_done(&second);
    arena_done(&arena);
    end();
}

static void refuse(const char *text, uint32_t line, const char *why)
{
    struct diag diag = {0};
    struct roster *none = NULL;
    CHECK(roster_read(slice_of(text), "plan.yml", calendar, &none, &diag) != 0);
    CHECK_INT(diag.line, line);
    if (!strstr(diag.message, why)) test_fail(__FILE__, __LINE__, "'%s': %s", why, diag.message);
    roster_free(none);
}

TEST(what_is_wrong_is_refused_with_its_line)
{
    begin();
#define ONE    "people: [{id: a}]\n"
#define POLICY "policies: [{id: p, steps: [{targets: [{person: a}]}]}]\n"
    refuse("", 1, "empty");
    refuse("people: []\n", 1, "needs `people`");
    refuse(ONE, 1, "needs `policies`");
    refuse(ONE "peple: []\n", 2, "did you mean `people`");
    refuse("zone: Europe/Nowhere\n" ONE POLICY, 1, "no time zone");
    refuse("people:\n  - {id: a}\n  - {id: a}\n" POLICY, 3, "two people");
    refuse("people:\n  - {id: a b}\n" POLICY, 2, "an id has");
    refuse("people:\n  - id: a\n    contacts:\n      - {channel: sms, address: '0701'}\n", 4,
           "a number is");
    refuse("people:\n  - id: a\n    contacts:\n      - {channel: fax, address: '0701'}\n", 4,
           "is none of mail, sms");
    refuse(ONE "policies: [{id: p, steps: [{targets: [{person: b}]}]}]\n", 2, "none of `people`");
    refuse(ONE "policies: [{id: p, steps: [{targets: [{oncall: b}]}]}]\n", 2, "none of `teams`");
    refuse(ONE "policies: [{id: p, steps: []}]\n", 2, "needs `steps`");
    refuse(ONE POLICY "rules:\n  - {level: high, page: q}\n", 4, "none of `policies`");
    refuse(ONE POLICY "rules:\n  - {level: hgh, page: p}\n", 4, "did you mean `high`");
    refuse(ONE POLICY "rules:\n  - {level: high}\n", 4, "page: POLICY");
    refuse(ONE "teams:\n  - id: t\n    rotations:\n      - {order: [b], since: 2026-01-01}\n", 5,
           "none of `people`");
    refuse(ONE "teams:\n  - id: t\n    rotations:\n      - {order: [a]}\n", 5, "`since`");
    refuse(ONE "office_hours: [mon-fri 08:00]\n", 2, "hours are such as");
    refuse(ONE "office_hours: [abc 08:00-09:00]\n", 2, "a day is mon");
    refuse(ONE POLICY "proof: a\n", 3, "such as `anna 10:00`");
    refuse(ONE POLICY "proof: a 24:00\n", 3, "such as `anna 10:00`");
    refuse(ONE POLICY "proof: b 10:00\n", 3, "nobody `b`");
    end();
}
