/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/people.h"

#include "test.h"

#define CHECK_TEXT(got, want) CHECK_SLICE(slice_of(got), want)

static struct people *fresh(void)
{
    struct people *p = NULL;
    REQUIRE(people_new(7, &p) == 0);
    return p;
}

static struct slice cover(void *ctx, int name)
{
    (void)ctx;
    (void)name;
    return SLICE("P");
}

static struct slice leave(void *ctx, int name)
{
    (void)ctx;
    (void)name;
    return SLICE_NONE;
}

static const char *shown(struct people *p, const char *text)
{
    static char copy[4096];
    struct buf out;
    buf_init(&out, sizeof copy);
    people_rewrite(p, slice_of(text), cover, NULL, &out);
    CHECK(slice_copy(buf_slice(&out), copy, sizeof copy));
    buf_done(&out);
    return copy;
}

static const char *learned(const char *text)
{
    struct people *p = fresh();
    CHECK_INT(people_learn(p, slice_of(text)), 0);
    const char *found = shown(p, text);
    people_free(p);
    return found;
}

TEST(fields_have_names_and_they_are_told_wherever_they_stand)
{
    CHECK_TEXT(
        learned("{\"event\":{\"user\":{\"name\":\"BJORKVIK\\\\Anna\"},\"x\":\"by ANNA, annas\"}}"),
        "{\"event\":{\"user\":{\"name\":\"BJORKVIK\\\\P\"},\"x\":\"by P, annas\"}}");
    CHECK_TEXT(learned("{\"row\":{\"TargetUserName\":\"\\u00e5sa\",\"m\":\"\xc3\x85SA!\"}}"),
               "{\"row\":{\"TargetUserName\":\"P\",\"m\":\"P!\"}}");
    CHECK_TEXT(
        learned("{\"alerts\":[{\"entity\":\"dc1\\tbo\\t10.0.0.1\",\"title\":\"bo-10.0.0.1\"}]}"),
        "{\"alerts\":[{\"entity\":\"dc1\\tP\\t10.0.0.1\",\"title\":\"P-10.0.0.1\"}]}");
    CHECK_TEXT(
        learned("{\"about\":[{\"kind\":\"user\",\"name\":\"eva berg\"}],\"en\":\"user Eva Berg\"}"),
        "{\"about\":[{\"kind\":\"user\",\"name\":\"P\"}],\"en\":\"user P\"}");
}

TEST(texts_have_names)
{
    CHECK_TEXT(learned("{\"row\":{\"_raw\":\"<d Name='TargetUserName'>bosse</d> bosse\"}}"),
               "{\"row\":{\"_raw\":\"<d Name='TargetUserName'>P</d> P\"}}");
    CHECK_TEXT(learned("{\"row\":{\"_raw\":\"Accepted password for bosse from 10.0.0.1\"}}"),
               "{\"row\":{\"_raw\":\"Accepted password for P from 10.0.0.1\"}}");
    CHECK_TEXT(learned("{\"row\":{\"_raw\":\"acct=\\\"bosse\\\" C:\\\\Users\\\\kalle\\\\x\"}}"),
               "{\"row\":{\"_raw\":\"acct=\\\"P\\\" C:\\\\Users\\\\P\\\\x\"}}");
    CHECK_TEXT(learned("{\"row\":{\"_raw\":\"{\\\"user.name\\\": \\\"bosse\\\"}\"}}"),
               "{\"row\":{\"_raw\":\"{\\\"user.name\\\": \\\"P\\\"}\"}}");
    CHECK_TEXT(learned("{\"row\":{\"_raw\":\"to bo.ek@kommun.example, info\"}}"),
               "{\"row\":{\"_raw\":\"to P, info\"}}");
}

TEST(nobody_is_told_and_nothing_of_ours_is_hidden)
{
    static const char *const same[] = {
        "{\"row\":{\"user.name\":\"SYSTEM\",\"x\":\"system\"}}",
        "{\"row\":{\"TargetUserName\":\"DC01$\",\"x\":\"dc01\"}}",
        "{\"row\":{\"user.name\":\"1000\",\"x\":\"1000\"}}",
        "{\"row\":{\"SubjectUserSid\":\"S-1-5-18\",\"user_agent\":\"curl\"}}",
        "{\"row\":{}} {\"row\"",
        "no object",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) CHECK_TEXT(learned(same[i]), same[i]);
    CHECK_TEXT(
        learned("{\"level\":\"high\",\"assignee\":\"high\",\"found\":{\"level\":\"high\","
                "\"user\":\"high\"}}"),
        "{\"level\":\"high\",\"assignee\":\"high\",\"found\":{\"level\":\"P\",\"user\":\"P\"}}");
}

TEST(streams_are_lines_and_events)
{
    CHECK_TEXT(learned("id: 1.2\nevent: alert\ndata: {\"found\":{\"user\":\"cia\"}}\n\n: beat\n\n"),
               "id: 1.2\nevent: alert\ndata: {\"found\":{\"user\":\"P\"}}\n\n: beat\n\n");
    CHECK_TEXT(learned("{\"columns\":[\"user\"]}\n{\"row\":{\"user\":\"cia\"}}\n"),
               "{\"columns\":[\"user\"]}\n{\"row\":{\"user\":\"P\"}}\n");
}

TEST(the_longest_name_counts)
{
    struct people *p = fresh();
    CHECK(people_add(p, SLICE("anna")) != PEOPLE_NONE);
    CHECK(people_add(p, SLICE("anna berg")) != PEOPLE_NONE);
    CHECK(people_add(p, SLICE("an")) != PEOPLE_NONE);
    CHECK_INT(people_add(p, SLICE("anna")), people_add(p, SLICE("anna")));
    CHECK_INT(people_add(p, SLICE("1234")), PEOPLE_NONE);
    CHECK_INT(people_add(p, SLICE("--")), PEOPLE_NONE);
    CHECK_TEXT(shown(p, "{\"a\":\"Anna Berg and Anna\",\"b\":\"an\",\"c\":\"an apple, annan\"}"),
               "{\"a\":\"P and P\",\"b\":\"P\",\"c\":\"P apple, annan\"}");
    people_free(p);
}

TEST(pseudonyms_lead_back)
{
    struct people *p = fresh();
    int anna = people_add(p, SLICE("anna"));
    people_set_pseudonym(p, anna, SLICE("person-0123456789ab"));
    CHECK_SLICE(people_find_pseudonym(p, SLICE("person-0123456789ab")), "anna");
    CHECK(people_find_pseudonym(p, SLICE("person-0123456789ac")).len == 0);
    people_free(p);
}

TEST(what_is_left_is_as_it_came)
{
    struct people *p = fresh();
    struct buf out;
    static const char text[] = "{ \"a\" : [1, null ,{\"user\":\"eva\"}] }\n";
    buf_init(&out, 256);
    CHECK_INT(people_learn(p, slice_of("{\"row\":{\"user\":\"eva\"}}")), 0);
    people_rewrite(p, slice_of(text), leave, NULL, &out);
    CHECK_SLICE(buf_slice(&out), "{\"a\":[1,null,{\"user\":\"eva\"}]}\n");
    buf_done(&out);
    people_free(p);
}
