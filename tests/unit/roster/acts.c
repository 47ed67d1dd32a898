/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "roster/rows.h"
#include "test.h"

static const char *const migrations[] = {roster_schema};

static const char plan[] =
    "zone: Europe/Stockholm\n"
    "people:\n"
    "  - {id: anna, user: anna.a, name: Anna}\n"
    "  - {id: bo, user: bo.b, name: Bo}\n"
    "  - {id: cia, language: en}\n"
    "teams:\n"
    "  - {id: soc, rotations: [{order: [anna, bo, cia], since: 2026-01-05}]}\n"
    "policies: [{id: p, steps: [{targets: [{oncall: soc}]}]}]\n"
    "rest: {weekly_standby: true}\n";

struct fixture {
    struct db *db;
    struct calendar *calendar;
    struct buf out;
    nsec now;
};

static nsec at(const char *text)
{
    nsec time = 0;
    if (!time_parse(slice_of(text), 0, &time)) test_fail(__FILE__, __LINE__, "%s", text);
    return time;
}

static enum roster_status act(struct fixture *f, const char *kind, const char *body)
{
    const struct roster_request request = {
        .actor = SLICE("anna.a"), .kind = slice_of(kind), .body = slice_of(body), .now = f->now};
    enum roster_status status = ROSTER_UNKNOWN;
    buf_clear(&f->out);
    CHECK_INT(roster_act(f->db, f->calendar, &request, &f->out, &status), 0);
    buf_putc(&f->out, '\0');
    return status;
}

static bool says(const struct fixture *f, const char *text)
{
    bool found = strstr(f->out.ptr, text) != NULL;
    if (!found) printf("# %s\n", f->out.ptr);
    return found;
}

static enum roster_status act_plan(struct fixture *f, const char *text)
{
    struct buf body;
    buf_init(&body, 64 * 1024);
    buf_puts(&body, "{\"text\":");
    json_write_string(&body, slice_of(text));
    buf_puts(&body, "}");
    buf_putc(&body, '\0');
    enum roster_status status = act(f, "plan", body.ptr);
    buf_done(&body);
    return status;
}

static void begin(struct fixture *f)
{
    struct diag diag = {0};
    *f = (struct fixture){.now = at("2026-01-06T12:00:00Z")};
    buf_init(&f->out, 1024 * 1024);
    REQUIRE(db_open(test_path("oncall.db"), migrations, 1, &f->db, &diag) == 0);
    REQUIRE(calendar_new(SLICE_NONE, NULL, f->now, &f->calendar, &diag) == 0);
    CHECK_INT(act(f, "override", "{}"), ROSTER_CONFLICT);
    CHECK(says(f, "no plan"));
    CHECK_INT(act_plan(f, plan), ROSTER_DONE);
}

static void end(struct fixture *f)
{
    db_close(f->db);
    calendar_free(f->calendar);
    buf_done(&f->out);
    (void)remove(test_path("oncall.db"));
    (void)remove(test_path("oncall.db-wal"));
    (void)remove(test_path("oncall.db-shm"));
}

static void check_who(struct fixture *f, const char *time, const char *person)
{
    struct roster *roster;
    struct roster_shift shift;
    struct diag diag;
    uint64_t number;
    REQUIRE(roster_load(f->db, f->calendar, 0, &roster, &number, &diag) == 0);
    roster_who(roster, &roster->teams[0], at(time), &shift);
    CHECK_SLICE(shift.person ? shift.person->id : SLICE("nobody"), person);
    roster_free(roster);
}

/* How many messages wait for him, and whether one of them has that in it. */
static int messages(struct fixture *f, const char *person, const char *text)
{
    int64_t n = 0;
    CHECK_INT(db_get(f->db,
                     "SELECT count(*) FROM roster_message WHERE done IS NULL AND person = ?1"
                     " AND instr(text, ?2)",
                     DB_WITH(db_text(slice_of(person)), db_text(slice_of(text))), &n),
              0);
    return (int)n;
}

TEST(a_plan_that_is_wrong_changes_nothing)
{
    struct fixture f;
    begin(&f);
    CHECK_INT(act_plan(&f, "people: []\n"), ROSTER_INVALID);
    CHECK(says(&f, "line 1"));
    check_who(&f, "2026-01-06T12:00:00Z", "anna");
    CHECK_INT(act(&f, "plan", "{\"text\":3}"), ROSTER_INVALID);
    CHECK_INT(act(&f, "nothing", "{}"), ROSTER_UNKNOWN);
    end(&f);
}

TEST(an_override_is_told_to_both_and_can_be_dropped)
{
    struct fixture f;
    begin(&f);
    CHECK_INT(act(&f, "override",
                  "{\"team\":\"soc\",\"person\":\"cia\",\"from\":\"2026-01-08T00:00:00Z\","
                  "\"until\":\"2026-01-09T00:00:00Z\"}"),
              ROSTER_DONE);
    CHECK(says(&f, "\"change\":1,"));
    CHECK(says(&f, "\"person\":\"cia\",\"from\":\"2026-01-08T00:00:00.000Z\",\"until\":"
                   "\"2026-01-09T00:00:00.000Z\",\"gained\":true"));
    check_who(&f, "2026-01-08T12:00:00Z", "cia");
    check_who(&f, "2026-01-09T00:00:00Z", "anna");
    CHECK_INT(messages(&f, "anna", "Inte längre ditt: soc, tors 2026-01-08 01:00"), 1);
    CHECK_INT(messages(&f, "cia", "New: soc, Thu 2026-01-08 01:00"), 1);
    CHECK_INT(act(&f, "drop", "{\"change\":1}"), ROSTER_DONE);
    check_who(&f, "2026-01-08T12:00:00Z", "anna");
    CHECK_INT(messages(&f, "anna", "Nytt pass: soc, tors 2026-01-08 01:00"), 1);
    CHECK_INT(act(&f, "drop", "{\"change\":1}"), ROSTER_NOT_FOUND);
    struct arena arena;
    struct roster_message message;
    arena_init(&arena, 64 * 1024);
    CHECK_INT(roster_message_load(f.db, 1, &arena, &message), 0);
    CHECK(message.id == 1 && message.tried == 0 && message.text.len > 0);
    CHECK_INT(roster_message_done(f.db, 1, f.now), 0);
    CHECK_INT(roster_message_load(f.db, 1, &arena, &message), 0);
    CHECK(message.id == 0);
    arena_done(&arena);
    end(&f);
}

TEST(members_are_checked)
{
    struct fixture f;
    begin(&f);
#define SPAN "\"from\":\"2026-01-08T00:00:00Z\",\"until\":\"2026-01-09T00:00:00Z\""
    CHECK_INT(act(&f, "override", "{\"team\":\"x\",\"person\":\"cia\"," SPAN "}"),
              ROSTER_NOT_FOUND);
    CHECK_INT(act(&f, "override", "{\"team\":\"soc\",\"person\":\"x\"," SPAN "}"),
              ROSTER_NOT_FOUND);
    CHECK_INT(act(&f, "override", "{\"team\":\"soc\",\"person\":\"cia\"," SPAN ",\"x\":1}"),
              ROSTER_INVALID);
    CHECK_INT(act(&f, "override",
                  "{\"team\":\"soc\",\"person\":\"cia\",\"from\":\"2026-01-08T00:00:00Z\","
                  "\"until\":\"2026-01-08T00:00:00Z\"}"),
              ROSTER_INVALID);
    CHECK(says(&f, "ends before"));
    CHECK_INT(act(&f, "override",
                  "{\"team\":\"soc\",\"person\":\"cia\",\"from\":\"2026-01-01T00:00:00Z\","
                  "\"until\":\"2026-01-02T00:00:00Z\"}"),
              ROSTER_INVALID);
    CHECK(says(&f, "over already"));
    /* without a person it is who asks */
    CHECK_INT(act(&f, "absence", "{" SPAN "}"), ROSTER_DONE);
    check_who(&f, "2026-01-08T12:00:00Z", "bo");
    end(&f);
}

TEST(a_swap_is_two_changes_that_are_dropped_as_one)
{
    struct fixture f;
    begin(&f);
    CHECK_INT(act(&f, "swap",
                  "{\"team\":\"soc\",\"person\":\"anna\",\"from\":\"2026-01-10T00:00:00Z\","
                  "\"until\":\"2026-01-11T00:00:00Z\",\"with\":\"bo\","
                  "\"with_from\":\"2026-01-17T00:00:00Z\","
                  "\"with_until\":\"2026-01-18T00:00:00Z\"}"),
              ROSTER_DONE);
    check_who(&f, "2026-01-10T12:00:00Z", "bo");
    check_who(&f, "2026-01-17T12:00:00Z", "anna");
    CHECK_INT(act(&f, "drop", "{\"change\":2}"), ROSTER_DONE);
    check_who(&f, "2026-01-10T12:00:00Z", "anna");
    check_who(&f, "2026-01-17T12:00:00Z", "bo");
    end(&f);
}

TEST(a_temporary_schedule_is_all_there_is_in_its_time)
{
    struct fixture f;
    begin(&f);
#define WEEKEND                                                                                    \
    "{\"team\":\"soc\",\"from\":\"2026-01-10T00:00:00Z\",\"until\":\"2026-01-12T00:00:00Z\","      \
    "\"shifts\":["
    CHECK_INT(act(&f, "temporary",
                  WEEKEND "{\"person\":\"bo\",\"from\":\"2026-01-10T00:00:00Z\","
                          "\"until\":\"2026-01-11T00:00:00Z\"}]}"),
              ROSTER_DONE);
    check_who(&f, "2026-01-09T23:59:00Z", "anna");
    check_who(&f, "2026-01-10T12:00:00Z", "bo");
    check_who(&f, "2026-01-11T12:00:00Z", "nobody");
    CHECK_INT(act(&f, "temporary", WEEKEND "]}"), ROSTER_INVALID);
    CHECK_INT(act(&f, "temporary",
                  WEEKEND "{\"person\":\"bo\",\"from\":\"2026-01-10T00:00:00Z\","
                          "\"until\":\"2026-01-13T00:00:00Z\"}]}"),
              ROSTER_INVALID);
    CHECK_INT(act(&f, "drop", "{\"change\":1}"), ROSTER_DONE);
    check_who(&f, "2026-01-11T12:00:00Z", "anna");
    end(&f);
}

TEST(a_breach_is_named_and_saved_only_when_it_is_forced)
{
    struct fixture f;
    begin(&f);
    static const char jour[] =
        "zone: Europe/Stockholm\npeople: [{id: anna}, {id: bo, work: none}]\n"
        "teams: [{id: soc, duty: jour, rotations: [{order: [bo], since: 2026-01-05, hours: "
        "['mon-sun 20:00-06:00']}]}]\n"
        "policies: [{id: p, steps: [{targets: [{oncall: soc}]}]}]\n";
    CHECK_INT(act_plan(&f, jour), ROSTER_CONFLICT);
    CHECK(says(&f, "\"rule\":\"jour\",\"person\":\"bo\""));
    check_who(&f, "2026-01-06T12:00:00Z", "anna");
    static const char night[] =
        "{\"team\":\"soc\",\"person\":\"anna\",\"from\":\"2026-01-07T19:00:00Z\","
        "\"until\":\"2026-01-08T05:00:00Z\"%s}";
    char body[512];
    static const char few[] = "zone: Europe/Stockholm\npeople: [{id: anna}, {id: bo, work: none}]\n"
                              "teams: [{id: soc, duty: jour}]\n"
                              "policies: [{id: p, steps: [{targets: [{oncall: soc}]}]}]\n";
    CHECK_INT(act_plan(&f, few), ROSTER_DONE);
    (void)snprintf(body, sizeof body, night, "");
    CHECK_INT(act(&f, "override", body), ROSTER_CONFLICT);
    CHECK(says(&f, "anna: daily rest 3 h, at least 11 h"));
    (void)snprintf(body, sizeof body, night, ",\"force\":true");
    CHECK_INT(act(&f, "override", body), ROSTER_INVALID);
    CHECK(says(&f, "says why"));
    (void)snprintf(body, sizeof body, night, ",\"force\":true,\"why\":\"ingen annan\"");
    CHECK_INT(act(&f, "override", body), ROSTER_DONE);
    CHECK(says(&f, "\"rule\":\"daily-rest\""));
    check_who(&f, "2026-01-07T22:00:00Z", "anna");
    end(&f);
}

TEST(a_disturbance_ends_with_the_rest_that_is_owed)
{
    struct fixture f;
    begin(&f);
    f.now = at("2026-01-08T05:00:00Z");
    CHECK_INT(act(&f, "disturbance", "{\"until\":\"2026-01-08T03:00:00Z\"}"), ROSTER_CONFLICT);
    CHECK_INT(act(&f, "disturbance", "{\"from\":\"2026-01-08T01:00:00Z\"}"), ROSTER_DONE);
    CHECK_INT(act(&f, "disturbance", "{}"), ROSTER_CONFLICT);
    CHECK_INT(act(&f, "disturbance", "{\"until\":\"2026-01-08T03:00:00Z\"}"), ROSTER_DONE);
    /* 17:00 to 02:00 is nine hours of rest in a row: two are owed */
    CHECK(says(&f, "\"owed\":120,\"days\":1,\"at_once\":false"));
    CHECK_INT(messages(&f, "anna", "tidigast"), 1);
    CHECK_INT(act(&f, "undisturbed", "{\"disturbance\":1}"), ROSTER_DONE);
    CHECK_INT(act(&f, "undisturbed", "{\"disturbance\":1}"), ROSTER_NOT_FOUND);
    CHECK_INT(act(&f, "disturbance", "{\"from\":\"2026-01-09T01:00:00Z\"}"), ROSTER_INVALID);
    end(&f);
}

/* The plan says nothing of it: Thursdays at ten. 2026-01-06 is a Tuesday. */
TEST(once_a_week_each_is_told_of_his_shifts)
{
    struct fixture f;
    struct roster *roster;
    struct diag diag;
    uint64_t number;
    nsec next = 0, thursday = at("2026-01-08T09:00:00Z");
    begin(&f);
    REQUIRE(roster_load(f.db, f.calendar, 0, &roster, &number, &diag) == 0);
    CHECK_INT(roster_digest_due(f.db, roster, f.now, &next), 0);
    CHECK(next == thursday);
    CHECK_INT(roster_digest_due(f.db, roster, thursday - 1, &next), 0);
    CHECK_INT(messages(&f, "anna", ""), 0);
    CHECK(next == thursday);
    /* It comes late, and once. */
    for (int i = 0; i < 2; i++) {
        CHECK_INT(roster_digest_due(f.db, roster, thursday + 9 * CALENDAR_DAY, &next), 0);
        CHECK(next == thursday + 14 * CALENDAR_DAY);
    }
    CHECK_INT(messages(&f, "bo", "soc, lör 2026-01-17 10:00 – mån 2026-01-19 08:00"), 1);
    CHECK_INT(messages(&f, "cia", "soc, Mon 2026-01-19 08:00"), 1);
    CHECK_INT(messages(&f, "anna", ""), 1);
    roster_free(roster);
    end(&f);
}

TEST(every_act_has_a_right)
{
    enum account_right right;
    CHECK(roster_act_right(SLICE("plan"), &right) && right == RIGHT_CONFIG_WRITE);
    CHECK(roster_act_right(SLICE("swap"), &right) && right == RIGHT_ONCALL_WRITE);
    CHECK(!roster_act_right(SLICE("ack"), &right));
}
