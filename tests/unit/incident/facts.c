/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/facts.h"

#include <stdlib.h>

#include "base/time.h"
#include "test.h"

static struct facts *read(const char *line)
{
    struct facts *f = calloc(1, sizeof *f);
    REQUIRE(f != NULL);
    facts_init(f);
    REQUIRE(facts_read(f, slice_of(line)) == 0);
    return f;
}

static void done(struct facts *f)
{
    facts_done(f);
    free(f);
}

static const struct fact *named(const struct facts *f, const char *text)
{
    for (uint32_t i = 0; i < f->n_names; i++)
        if (slice_eq(f->names[i].text, slice_of(text))) return &f->names[i];
    return NULL;
}

static bool spoken(const struct facts *f, const char *text)
{
    for (uint32_t i = 0; i < f->n_mentions; i++)
        if (slice_eq(f->mentions[i].text, slice_of(text))) return true;
    return false;
}

TEST(an_alert_of_a_record)
{
    struct facts *f = read(
        "{\"time\":\"2026-12-24T00:00:01.500Z\",\"rule\":{\"id\":\"r-1\",\"title\":\"T\",\"level\":"
        "\"high\","
        "\"tags\":[\"attack.impact\",\"attack.t1490\",\"attack.lateral-movement\",\"cve.2021\","
        "\"attack.g0016\"]},\"host\":\"DC01.x.example\",\"entities\":{\"user.name\":[\"X\\\\anna\"]"
        ","
        "\"source.ip\":[\"192.0.2.9\"],\"process.pid\":[\"77\"]},"
        "\"source\":{\"file\":\"a.log\",\"record\":7},\"event\":{\"Message\":\"by X\\\\bosse, "
        "dc01.\"}}\n");
    CHECK_SLICE(f->rule, "r-1");
    CHECK_SLICE(f->title, "T");
    CHECK_INT(f->level, LEVEL_HIGH);
    CHECK_INT(f->time, INT64_C(1798070401500) * NSEC_PER_MSEC);
    CHECK_INT(f->n_tactics, 2);
    CHECK_SLICE(f->tactics[1], "lateral-movement");
    CHECK_INT(f->n_names, 5);
    CHECK_INT(named(f, "dc01.x.example")->kind, NAME_FULL);
    CHECK_SLICE(named(f, "dc01")->full, "dc01.x.example");
    REQUIRE(named(f, "anna") && named(f, "192.0.2.9") && named(f, "dc01"));
    CHECK_INT(named(f, "anna")->kind, NAME_USER);
    CHECK(named(f, "record 7 \"a.log\"") != NULL);
    /* Somebody came from elsewhere: the computer only tells of him. */
    CHECK(named(f, "dc01")->bystander);
    CHECK(!named(f, "anna")->bystander);
    CHECK(spoken(f, "bosse"));
    CHECK(!spoken(f, "anna"));
    done(f);
}

TEST(what_is_done_by_one_hand_at_once_is_a_name_when_the_rule_is_sure)
{
    static const char form[] = "{\"rule\":{\"title\":\"T\",\"level\":\"%s\",\"tags\":["
                               "\"attack.impact\",\"attack.T1486\",\"attack.t1561.002\","
                               "\"attack.t1490\",\"attack.g0016\"]},\"host\":\"pc1\"}";
    char line[512];
    (void)snprintf(line, sizeof line, form, "high");
    struct facts *f = read(line);
    CHECK_INT(f->n_names, 3);
    REQUIRE(named(f, "data encrypted (t1486)") && named(f, "disks wiped (t1561)"));
    CHECK_INT(named(f, "data encrypted (t1486)")->kind, NAME_DEED);
    CHECK(!named(f, "data encrypted (t1486)")->bystander);
    CHECK_INT(f->n_tactics, 1);
    done(f);
    (void)snprintf(line, sizeof line, form, "medium");
    f = read(line);
    CHECK_INT(f->n_names, 1);
    done(f);
}

TEST(a_computer_is_meant_itself_when_something_runs_in_it)
{
    static const char *const entities[] = {"\"process.name\":[\"e.exe\"]",
                                           "\"file.path\":[\"D:\\\\x\"]", "\"user.name\":[\"bo\"]"};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        char line[512];
        (void)snprintf(line, sizeof line,
                       "{\"rule\":{\"title\":\"T\"},\"host\":\"pc1\",\"entities\":{%s%s}}",
                       entities[i], i < 2 ? ",\"source.ip\":[\"192.0.2.9\"]" : "");
        struct facts *f = read(line);
        REQUIRE(named(f, "pc1"));
        CHECK(!named(f, "pc1")->bystander);
        done(f);
    }
}

TEST(a_correlation)
{
    struct facts *f =
        read("{\"time\":null,\"received\":\"1970-01-01T00:00:02Z\",\"rule\":{\"id\":null,\"title\":"
             "\"Many\","
             "\"level\":\"medium\",\"tags\":[]},\"host\":null,\"source\":null,\"event\":null,"
             "\"correlation\":{\"group\":{\"session\":\"abc-1\",\"who\":\"bo@x.example\"},"
             "\"records\":[{\"record\":3},{\"record\":9}]}}");
    CHECK_SLICE(f->rule, "Many"); /* without an id */
    CHECK_INT(f->time, 2 * NSEC_PER_SEC);
    CHECK_INT(f->n_names, 4);
    CHECK(named(f, "abc-1") && named(f, "bo") && named(f, "record 3") && named(f, "record 9"));
    done(f);
}

TEST(what_is_no_alert)
{
    static const char *const lines[] = {"",
                                        "x",
                                        "[]",
                                        "{}",
                                        "{\"rule\":1}",
                                        "{\"rule\":{}}",
                                        "{\"rule\":{\"title\":\"T\"}",
                                        "{\"rule\":{\"title\":7}}"};
    struct facts *f = calloc(1, sizeof *f);
    REQUIRE(f != NULL);
    facts_init(f);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK_INT(facts_read(f, slice_of(lines[i])), ERR_SYNTAX);
    done(f);
}

TEST(what_is_odd_is_passed_over)
{
    struct facts *f =
        read("{\"rule\":{\"title\":\"T\",\"level\":\"worst\",\"tags\":7,\"id\":8},\"host\":9,"
             "\"time\":\"soon\",\"entities\":[],\"source\":[],\"event\":3,"
             "\"correlation\":{\"group\":[],\"records\":{}}}");
    CHECK_INT(f->level, LEVEL_NONE);
    CHECK_INT(f->time, TIME_NONE);
    CHECK_INT(f->n_names + f->n_mentions + f->n_tactics, 0);
    done(f);
}

TEST(more_names_than_there_is_room_for)
{
    struct buf line;
    buf_init(&line, 1024 * 1024);
    buf_puts(&line, "{\"rule\":{\"title\":\"T\"},\"entities\":{\"user.name\":[");
    for (int i = 0; i < 3 * FACTS_NAMES_MAX; i++)
        buf_printf(&line, "%s\"user%d\"", i ? "," : "", i);
    buf_puts(&line, "]},\"event\":{\"m\":\"");
    for (int i = 0; i < 3 * FACTS_MENTIONS_MAX; i++) buf_printf(&line, "word%d ", i);
    buf_puts(&line, "\"}}");
    buf_putc(&line, '\0');
    struct facts *f = read(line.ptr);
    CHECK_INT(f->n_names, FACTS_NAMES_MAX);
    CHECK_INT(f->n_mentions, FACTS_MENTIONS_MAX);
    done(f);
    buf_done(&line);
}
