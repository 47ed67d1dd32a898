/* SPDX-License-Identifier: EUPL-1.2 */
/* What people do with incidents. */
#include "fixture.h"

/* The number of the last change of that kind. */
static unsigned long long last(const struct office *o, const char *kind)
{
    int64_t number = 0;
    CHECK_INT(db_get(state_db(o->state), "SELECT max(number) FROM change WHERE kind = ?1",
                     DB_WITH(db_text(slice_of(kind))), &number),
              0);
    return (unsigned long long)number;
}

static int64_t changes(const struct office *o)
{
    int64_t n = 0;
    CHECK_INT(db_get(state_db(o->state), "SELECT count(*) FROM change", DB_ALONE, &n), 0);
    return n;
}

TEST(who_acknowledges_has_it)
{
    struct office o;
    open_office(&o, "ack.db");
    (void)alert(&o, "a", "anna");
    o.now += MINUTE;
    CHECK(act(&o, "ack", "{\"incident\":1}"));
    CHECK_SLICE(member(&o, "acked"), "\"2026-12-23T21:48:00.000Z\"");
    CHECK_SLICE(member(&o, "assignee"), "\"anna (uid 1000)\"");
    CHECK_SLICE(member(&o, "state"), "\"acknowledged\"");
    CHECK(!act(&o, "ack", "{\"incident\":1}") && o.status == DESK_CONFLICT);
    CHECK(act(&o, "assign", "{\"incident\":1,\"to\":\"bo\"}"));
    CHECK_SLICE(member(&o, "assignee"), "\"bo\"");
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu,\"protected\":false}",
              last(&o, "assign")));
    CHECK_SLICE(member(&o, "assignee"), "\"anna (uid 1000)\"");
    CHECK(act(&o, "assign", "{\"incident\":1,\"to\":null}"));
    CHECK_SLICE(member(&o, "assignee"), "null");
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "ack")));
    CHECK_SLICE(member(&o, "acked"), "null");
    CHECK(!act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "ack")));
    CHECK(o.status == DESK_CONFLICT && says(&o, "undone already"));
    close_office(&o);
}

TEST(what_is_wrong_is_named_and_nothing_is_changed)
{
    static const struct {
        const char *kind, *body, *member;
        enum desk_status status;
    } wrong[] = {
        {"nothing", "{}", "kind", DESK_UNKNOWN},
        {"ack", "[1]", "", DESK_INVALID},
        {"ack", "{\"incident\":1", "", DESK_INVALID},
        {"ack", "{}", "incident", DESK_INVALID},
        {"ack", "{\"incident\":\"1\"}", "incident", DESK_INVALID},
        {"ack", "{\"incident\":0}", "incident", DESK_INVALID},
        {"ack", "{\"incident\":9}", "incident", DESK_NOT_FOUND},
        {"ack", "{\"incident\":1,\"more\":1}", "", DESK_INVALID},
        {"ack", "{\"incident\":1,\"at\":\"2027-01-01T00:00:00Z\"}", "at", DESK_INVALID},
        {"ack", "{\"incident\":1,\"at\":\"soon\"}", "at", DESK_INVALID},
        {"ack", "{\"incident\":1,\"version\":999}", "version", DESK_CONFLICT},
        {"assign", "{\"incident\":1}", "to", DESK_INVALID},
        {"note", "{\"incident\":1,\"text\":\"x\"}", "protected", DESK_PROTECTED},
        {"note", "{\"incident\":1,\"protected\":true,\"text\":\"x\"}", "protected", DESK_PROTECTED},
        {"note", "{\"incident\":1,\"protected\":false,\"text\":\" \"}", "text", DESK_INVALID},
        {"close", "{\"incident\":1,\"protected\":false,\"why\":\"x\",\"disposition\":\"bad\"}",
         "disposition", DESK_INVALID},
        {"close", "{\"incident\":1,\"protected\":false,\"disposition\":\"benign\"}", "why",
         DESK_INVALID},
        {"reopen", "{\"incident\":1,\"protected\":false,\"why\":\"x\"}", "incident", DESK_CONFLICT},
        {"merge", "{\"incident\":1,\"protected\":false,\"with\":1}", "with", DESK_CONFLICT},
        {"merge", "{\"incident\":1,\"protected\":false,\"with\":7}", "with", DESK_NOT_FOUND},
        {"split", "{\"incident\":1,\"protected\":false,\"alerts\":[]}", "alerts", DESK_INVALID},
        {"split", "{\"incident\":1,\"protected\":false,\"alerts\":[9]}", "alerts", DESK_NOT_FOUND},
        {"split", "{\"incident\":1,\"protected\":false,\"alerts\":[1]}", "alerts", DESK_CONFLICT},
        {"undo", "{\"incident\":1,\"protected\":false,\"change\":1}", "change", DESK_CONFLICT},
        {"undo", "{\"incident\":1,\"protected\":false,\"change\":77}", "change", DESK_NOT_FOUND},
        {"task_done", "{\"incident\":1,\"task\":1}", "task", DESK_NOT_FOUND},
        {"report", "{\"incident\":1,\"protected\":false,\"clock\":\"a b\"}", "clock", DESK_INVALID},
    };
    struct office o;
    open_office(&o, "wrong.db");
    (void)alert(&o, "a", "anna");
    REQUIRE(look(&o, 1));
    char before[8192];
    (void)snprintf(before, sizeof before, "%.*s", SLICE_FMT(buf_slice(&o.out)));
    int64_t n = changes(&o);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!act(&o, wrong[i].kind, "%s", wrong[i].body));
        if (o.status != wrong[i].status)
            test_fail(__FILE__, __LINE__, "%s: status %d, %.*s", wrong[i].body, (int)o.status,
                      SLICE_FMT(buf_slice(&o.out)));
        struct slice named = SLICE_NONE;
        CHECK(json_string_inside(member(&o, "member"), &named));
        CHECK_SLICE(named, wrong[i].member);
    }
    CHECK_INT(changes(&o), n);
    REQUIRE(look(&o, 1));
    CHECK_SLICE(buf_slice(&o.out), before);
    close_office(&o);
}

TEST(nothing_is_written_before_it_may_be_here)
{
    struct office o;
    open_office(&o, "protect.db");
    (void)alert(&o, "a", "anna");
    CHECK(!act(&o, "note", "{\"incident\":1,\"text\":\"secret\"}"));
    CHECK(o.status == DESK_PROTECTED && says(&o, "säkerhetsskydd?"));
    CHECK(act(&o, "protect", "{\"incident\":1,\"concerns\":true}"));
    CHECK_SLICE(member(&o, "protected"), "true");
    CHECK(!act(&o, "note", "{\"incident\":1,\"protected\":false,\"text\":\"secret\"}"));
    CHECK(o.status == DESK_PROTECTED && says(&o, "säkerhetsskyddschef"));
    CHECK(act(&o, "protect", "{\"incident\":1,\"concerns\":false}"));
    CHECK(act(&o, "note", "{\"incident\":1,\"text\":\"public\"}"));
    int64_t secret = -1;
    CHECK(db_get(state_db(o.state), "SELECT count(*) FROM change WHERE body LIKE '%secret%'",
                 DB_ALONE, &secret) == 0 &&
          secret == 0);
    close_office(&o);
}

TEST(closing_and_reopening_keep_what_was_said)
{
    struct office o;
    open_office(&o, "close.db");
    (void)alert(&o, "a", "anna");
    o.now += HOUR;
    CHECK(act(&o, "close",
              "{\"incident\":1,\"protected\":false,\"disposition\":\"false_positive\","
              "\"why\":\"a \\\"test\\\"\"}"));
    CHECK_SLICE(member(&o, "closed"), "\"2026-12-23T22:47:00.000Z\"");
    CHECK_SLICE(member(&o, "triaged"), "\"2026-12-23T22:47:00.000Z\"");
    CHECK_SLICE(member(&o, "why"), "\"a \\\"test\\\"\"");
    CHECK(!act(&o, "assign", "{\"incident\":1,\"to\":\"bo\"}") && o.status == DESK_CONFLICT);
    o.now += HOUR;
    CHECK_INT(alert(&o, "a", "anna"), 2);
    CHECK(act(&o, "reopen", "{\"incident\":1,\"why\":\"it was none\"}"));
    CHECK_SLICE(member(&o, "closed"), "null");
    CHECK_SLICE(member(&o, "disposition"), "null");
    CHECK_INT(alert(&o, "b", "anna"), 2);
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "reopen")));
    CHECK_SLICE(member(&o, "closed"), "\"2026-12-23T22:47:00.000Z\"");
    CHECK_SLICE(member(&o, "disposition"), "\"false_positive\"");
    CHECK_SLICE(member(&o, "why"), "\"a \\\"test\\\"\"");
    close_office(&o);
}

TEST(merging_loses_nothing_and_is_undone)
{
    struct office o;
    open_office(&o, "merge.db");
    (void)alert(&o, "a", "anna");
    (void)alert(&o, "b", "bo");
    (void)alert(&o, "c", "cia");
    CHECK(act(&o, "note", "{\"incident\":3,\"protected\":false,\"text\":\"of cia\"}"));
    CHECK(act(&o, "merge", "{\"incident\":2,\"protected\":false,\"with\":3}"));
    unsigned long long inner = last(&o, "merge");
    CHECK(act(&o, "merge", "{\"incident\":1,\"protected\":false,\"with\":2,\"why\":\"one\"}"));
    CHECK_SLICE(member(&o, "alerts"), "3");
    CHECK_SLICE(member(&o, "parts"), "[2,3]");
    CHECK(!act(&o, "ack", "{\"incident\":3}") && says(&o, "part of incident 1"));
    CHECK_INT(alert(&o, "d", "cia"), 1);
    const struct desk_view view = view_of(&o);
    struct desk_page page = {.limit = 100};
    buf_clear(&o.out);
    CHECK_INT(desk_write_log(&view, 1, &page, &o.out), 0);
    CHECK(says(&o, "of cia") && page.next[0] == '\0');
    CHECK(!act(&o, "undo", "{\"incident\":1,\"change\":%llu}", inner) && o.status == DESK_CONFLICT);
    open_again(&o);
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "merge")));
    CHECK_SLICE(member(&o, "alerts"), "2");
    CHECK_SLICE(member(&o, "parts"), "[]");
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "alerts"), "2");
    CHECK_SLICE(member(&o, "parts"), "[3]");
    CHECK_SLICE(member(&o, "state"), "\"new\"");
    /* And what names both does not join them again. */
    CHECK_INT(alert(&o, "e", "bo\",\"anna"), 1);
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "state"), "\"new\"");
    close_office(&o);
}

TEST(what_is_split_off_takes_its_names_along)
{
    struct office o;
    open_office(&o, "split.db");
    (void)alert(&o, "a", "anna");
    (void)alert(&o, "b", "anna\",\"bo");
    (void)alert(&o, "b", "bo\",\"cia");
    CHECK(
        act(&o, "split", "{\"incident\":1,\"protected\":false,\"alerts\":[3],\"why\":\"other\"}"));
    CHECK_SLICE(member(&o, "id"), "2");
    CHECK_SLICE(member(&o, "alerts"), "1");
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "alerts"), "2");
    CHECK(says(&o, "\"anna\"") && says(&o, "\"bo\"") && !says(&o, "\"cia\""));
    CHECK_INT(alert(&o, "c", "cia"), 2);
    CHECK_INT(alert(&o, "c", "bo"), 1);
    open_again(&o);
    CHECK_INT(alert(&o, "d", "cia"), 2);
    CHECK_INT(alert(&o, "e", "cia\",\"anna"), 1);
    REQUIRE(look(&o, 2));
    CHECK_SLICE(member(&o, "part_of"), "null");
    CHECK(act(&o, "undo", "{\"incident\":1,\"change\":%llu}", last(&o, "split")));
    CHECK_SLICE(member(&o, "parts"), "[2]");
    CHECK_SLICE(member(&o, "alerts"), "7");
    close_office(&o);
}

TEST(clocks_of_the_law_run)
{
    struct office o;
    open_office(&o, "clocks.db");
    (void)alert(&o, "a", "anna");
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "clocks"), "[]");
    o.now += HOUR;
    CHECK(act(&o, "aware", "{\"incident\":1,\"at\":\"2026-12-23T22:00:00Z\"}"));
    CHECK(says(&o, "\"clock\":\"upplysning\"") && says(&o, "\"due\":\"2026-12-24T22:00:00.000Z\""));
    CHECK(says(&o, "\"due\":\"2026-12-26T22:00:00.000Z\"") && !says(&o, "slutrapport"));
    CHECK(says(&o, "\"left_s\":83580")); /* a day less 47 minutes */
    CHECK(act(&o, "significant",
              "{\"incident\":1,\"protected\":false,\"value\":false,\"why\":\"4 h limited\"}"));
    CHECK_SLICE(member(&o, "clocks"), "[]");
    CHECK(act(&o, "significant", "{\"incident\":1,\"value\":true,\"why\":\"8 h\"}"));
    CHECK(says(&o, "\"due\":\"2026-12-24T22:00:00.000Z\""));
    o.now += 48 * HOUR;
    CHECK(
        act(&o, "report", "{\"incident\":1,\"clock\":\"incidentanmalan\",\"reference\":\"C-1\"}"));
    CHECK(says(&o, "\"left_s\":-89220"));
    CHECK(says(&o, "\"reference\":\"C-1\"") && says(&o, "\"due\":\"2027-01-25T22:47:00.000Z\""));
    CHECK(!act(&o, "report", "{\"incident\":1,\"clock\":\"incidentanmalan\"}"));
    CHECK_INT(o.status, DESK_CONFLICT);
    CHECK(act(&o, "breach", "{\"incident\":1,\"value\":true,\"why\":\"names\"}"));
    CHECK(says(&o, "\"clock\":\"imy\"") && says(&o, "\"due\":\"2026-12-28T22:47:00.000Z\""));
    close_office(&o);
}

TEST(tasks_are_done_once)
{
    struct office o;
    open_office(&o, "task.db");
    (void)alert(&o, "a", "anna");
    CHECK(
        act(&o, "task", "{\"incident\":1,\"protected\":false,\"text\":\"call\",\"owner\":\"bo\"}"));
    CHECK(says(&o, "\"owner\":\"bo\"") && says(&o, "\"done\":null"));
    CHECK(act(&o, "task_done", "{\"incident\":1,\"task\":1}"));
    CHECK(says(&o, "\"done_by\":\"anna (uid 1000)\""));
    CHECK(!act(&o, "task_done", "{\"incident\":1,\"task\":1}"));
    close_office(&o);
}

TEST(the_log_cannot_be_changed)
{
    struct office o;
    open_office(&o, "log.db");
    (void)alert(&o, "a", "anna");
    CHECK(act(&o, "note", "{\"incident\":1,\"protected\":false,\"text\":\"first\"}"));
    unsigned long long first = last(&o, "note");
    CHECK(act(&o, "note", "{\"incident\":1,\"text\":\"better\",\"instead\":%llu}", first));
    CHECK(!act(&o, "note", "{\"incident\":1,\"text\":\"x\",\"instead\":%llu}", first - 1));
    CHECK(db_script(state_db(o.state), "UPDATE change SET why = 'x'") != 0);
    CHECK(db_script(state_db(o.state), "DELETE FROM change") != 0);
    CHECK(changes(&o) == 3);
    close_office(&o);
}

/* A note with a key; of what, is another text. */
static enum desk_status note_once(struct office *o, const char *once, const char *asked)
{
    const struct desk_request request = {
        .actor = SLICE("anna"),
        .kind = SLICE("note"),
        .body = SLICE("{\"incident\":1,\"protected\":false,\"text\":\"x\"}"),
        .now = o->now,
        .once = slice_of(once),
        .asked = slice_of(asked)};
    buf_clear(&o->out);
    REQUIRE(state_begin(o->state) == 0);
    REQUIRE(desk_act(o->desk, &request, &o->out, &o->status) == 0);
    REQUIRE(state_commit(o->state) == 0);
    return o->status;
}

TEST(what_has_a_key_is_done_once)
{
    struct office o;
    open_office(&o, "once.db");
    (void)alert(&o, "a", "anna");
    int64_t before = changes(&o);
    CHECK_INT(note_once(&o, "k1", "a note"), DESK_DONE);
    open_again(&o);
    CHECK_INT(note_once(&o, "k1", "a note"), DESK_AGAIN);
    CHECK_SLICE(member(&o, "id"), "1");
    CHECK_INT(note_once(&o, "k1", "another note"), DESK_REUSED);
    CHECK(changes(&o) == before + 1);
    CHECK_INT(note_once(&o, "k2", "a note"), DESK_DONE);
    CHECK_INT(note_once(&o, "", ""), DESK_DONE);
    CHECK_INT(note_once(&o, "", ""), DESK_DONE);
    CHECK(changes(&o) == before + 4);
    close_office(&o);
}

/* So many incidents of the rule that are closed; one for each person. */
static void close_many(struct office *o, unsigned n, const char *disposition)
{
    for (unsigned i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "p%u-%llu", i, (unsigned long long)o->seq);
        unsigned long long id = alert(o, "noisy", name);
        o->now += HOUR;
        CHECK(act(o, "close",
                  "{\"incident\":%llu,\"protected\":false,\"disposition\":\"%s\",\"why\":\"x\"}",
                  id, disposition));
    }
}

static const char *score_of_next(struct office *o, const char *name)
{
    static char text[16];
    CHECK(look(o, alert(o, "noisy", name)));
    CHECK(slice_copy(member(o, "score"), text, sizeof text));
    return text;
}

TEST(a_rule_that_was_mostly_wrong_counts_less)
{
    struct office o;
    open_office(&o, "doubt.db");
    close_many(&o, 4, "false_positive");
    CHECK_SLICE(slice_of(score_of_next(&o, "x1")), "70");
    close_many(&o, 1, "benign");
    CHECK_SLICE(slice_of(score_of_next(&o, "x2")), "55");
    CHECK(slice_find(buf_slice(&o.out), SLICE("\"earlier\":{\"closed\":5,\"no_attack\":5}")) !=
          SIZE_MAX);
    close_many(&o, 3, "true_positive");
    CHECK_SLICE(slice_of(score_of_next(&o, "x3")), "65");
    close_many(&o, 2, "true_positive");
    CHECK_SLICE(slice_of(score_of_next(&o, "x4")), "70");
    close_office(&o);
}

TEST(an_act_has_a_right)
{
    enum account_right right;
    CHECK(desk_act_right(SLICE("close"), &right) && right == RIGHT_INCIDENTS_WRITE);
    CHECK(!desk_act_right(SLICE("clos"), &right));
}

TEST(assets_are_names_of_one_another_and_count)
{
    struct office o;
    struct desk_page page = {.limit = 10};
    open_office(&o, "assets.db");
    (void)alert(&o, "a", "10.0.0.2"); /* a user who is called so: not the address */
    CHECK(act(&o, "assets",
              "{\"assets\":[{\"host\":\"EWS01.x\",\"addresses\":\"10.0.0.2  10.0.0.3\","
              "\"service\":\"vatten\",\"owner\":\"Anna\",\"importance\":\"critical\"},"
              "{\"addresses\":\"10.0.0.9\",\"shared\":true}]}"));
    CHECK_SLICE(buf_slice(&o.out), "{\"assets\":2,\"removed\":0}");
    CHECK(!act(&o, "assets", "{\"assets\":[{\"host\":\"ab\"},{\"addresses\":\"x\"}]}"));
    CHECK(o.status == DESK_INVALID && says(&o, "asset 2: addresses"));
    CHECK(!act(&o, "assets", "{\"assets\":[{\"service\":\"a\"}]}") && says(&o, "asset 1"));
    const struct desk_view view = view_of(&o);
    buf_clear(&o.out);
    CHECK_INT(desk_write_assets(&view, SLICE("10.0.0.3"), &page, &o.out), 0);
    CHECK(says(&o, "\"host\":\"EWS01.x\",\"addresses\":[\"10.0.0.2\",\"10.0.0.3\"]"));
    CHECK(says(&o, "\"importance\":\"critical\",\"shared\":false,\"incidents\":1"));
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "score"), "80"); /* high and two steps of importance */
    CHECK(says(&o, "\"impact\":[{\"host\":\"EWS01.x\""));
    open_again(&o);
    CHECK_INT(alert(&o, "b", "10.0.0.3"), 2);
    CHECK_INT(alert(&o, "b", "ews01"), 2);
    CHECK(act(&o, "assets", "{\"assets\":[{\"host\":\"pc1\"}],\"replace\":true}"));
    CHECK_SLICE(buf_slice(&o.out), "{\"assets\":1,\"removed\":2}");
    REQUIRE(look(&o, 1));
    CHECK_SLICE(member(&o, "impact"), "[]");
    CHECK_SLICE(member(&o, "importance"), "0");
    close_office(&o);
}

TEST(what_is_suppressed_is_kept_and_counted_but_no_incident)
{
    struct office o;
    struct desk_page page = {.limit = 10};
    open_office(&o, "suppress.db");
    CHECK(!act(&o, "suppress",
               "{\"rule\":\"a\",\"owner\":\"bo\",\"why\":\"x\","
               "\"expires\":\"2026-12-23T21:46:00Z\"}"));
    CHECK(!act(&o, "suppress",
               "{\"rule\":\"a\",\"owner\":\"bo\",\"why\":\"x\","
               "\"expires\":\"2028-12-23T21:46:00Z\"}"));
    CHECK(!act(&o, "suppress",
               "{\"owner\":\"bo\",\"why\":\"x\",\"expires\":\"2026-12-24T21:47:00Z\"}"));
    CHECK(act(&o, "suppress",
              "{\"rule\":\"a\",\"name\":\"X\\\\Anna\",\"owner\":\"bo\","
              "\"why\":\"scanner\",\"expires\":\"2026-12-24T21:47:00Z\"}"));
    CHECK(says(&o, "\"name\":\"anna\""));
    CHECK(says(&o, "\"suppression\":1"));
    CHECK_INT(alert_at(&o, "a", "high", "anna", HOUR), 0);
    o.now += 1;
    CHECK_INT(alert_at(&o, "a", "high", "anna", HOUR), 0);
    CHECK_INT(alert(&o, "a", "bo"), 1);
    CHECK_INT(alert(&o, "b", "anna"), 2);
    const struct desk_view view = view_of(&o);
    buf_clear(&o.out);
    CHECK_INT(desk_write_suppressions(&view, &page, &o.out), 0);
    CHECK(says(&o, "\"state\":\"active\",\"alerts\":1,\"records\":2"));
    open_again(&o);
    CHECK_INT(alert(&o, "a", "anna"), 0);
    /* What is over swallows nothing, also not what is alike. */
    o.now += 25 * HOUR;
    CHECK_INT(alert_at(&o, "a", "high", "anna", 48 * HOUR), 3);
    o.now = NIGHT + MINUTE;
    CHECK(act(&o, "unsuppress", "{\"suppression\":1}"));
    CHECK(!act(&o, "unsuppress", "{\"suppression\":1}") && o.status == DESK_NOT_FOUND);
    CHECK(alert(&o, "a", "anna") > 0);
    close_office(&o);
}

TEST(an_organisation_has_a_name)
{
    struct office o;
    open_office(&o, "organisation.db");
    const struct desk_view view = view_of(&o);
    CHECK_INT(desk_write_organisation(&view, &o.out), 0);
    CHECK(says(&o, "{\"name\":null}"));
    CHECK(!act(&o, "organisation", "{}") && o.status == DESK_INVALID);
    CHECK(!act(&o, "organisation", "{\"name\":7}") && o.status == DESK_INVALID);
    CHECK(act(&o, "organisation", "{\"name\":\"Ekby kommun\"}"));
    CHECK(act(&o, "organisation", "{\"name\":\"Ekby och Alby\"}"));
    buf_clear(&o.out);
    CHECK_INT(desk_write_organisation(&view, &o.out), 0);
    CHECK(says(&o, "{\"name\":\"Ekby och Alby\"}"));
    close_office(&o);
}

TEST(evidence_is_a_reference_with_who_took_it)
{
    struct office o;
    open_office(&o, "evidence.db");
    (void)alert(&o, "a", "anna");
    CHECK(act(&o, "evidence",
              "{\"incident\":1,\"protected\":false,\"first\":0,\"last\":17,\"text\":\"the logon\","
              "\"sha256\":\"%064d\"}",
              0));
    CHECK(says(&o, "\"first\":0,\"last\":17") && says(&o, "\"taken_by\":\"anna (uid 1000)\""));
    CHECK(!act(&o, "evidence", "{\"incident\":1,\"first\":2,\"last\":1,\"text\":\"x\"}"));
    CHECK(says(&o, "\"member\":\"last\""));
    CHECK(!act(&o, "evidence",
               "{\"incident\":1,\"first\":2,\"last\":2,\"text\":\"x\",\"sha256\":\"AB\"}"));
    CHECK(says(&o, "\"member\":\"sha256\""));
    close_office(&o);
}
