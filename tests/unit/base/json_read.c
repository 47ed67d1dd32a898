/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"

#include "base/buf.h"
#include "test.h"

static int read_first(const char *text, struct slice *ret)
{
    struct slice s = slice_of(text);
    return json_read_value(s, json_skip_blank(s, 0), ret);
}

TEST(a_value_ends_where_its_structure_does)
{
    static const char *const values[] = {
        "{}",
        "[]",
        "{ }",
        "[ ]",
        "null",
        "-1.5e3",
        "\"\"",
        "\"a\\\"b\\\\\"",
        "\"\\\\\\\"\"",
        "{\"a\":1}",
        "{ \"a\" : [ 1 , { \"b\" : \"}\" } , [] ] , \"c\" : false }",
        "[\"]\",{\"[\":\"{\"}]",
        "{\"a\":\"raw \x01 \xff\nbytes\"}",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[128];
        struct slice got;
        for (int k = 0; k < 3; k++) {
            static const char *const behind[] = {"", " ", ",1"};
            (void)snprintf(text, sizeof text, " \t%s%s", values[i], behind[k]);
            CHECK_INT(read_first(text, &got), 0);
            CHECK_SLICE(got, values[i]);
        }
        /* Every beginning of it is cut off, except a number's. */
        for (size_t n = 0; n < strlen(values[i]); n++) {
            if (values[i][0] != '{' && values[i][0] != '[' && values[i][0] != '"') continue;
            CHECK_INT(json_read_value(slice_make(values[i], n), 0, &got), ERR_TRUNCATED);
        }
    }
}

TEST(what_is_no_json_is_refused)
{
    static const char *const bad[] = {
        "}",           "]",         ",",           ":",          "{1:2}",
        "{\"a\"}",     "{\"a\" 1}", "{\"a\":}",    "{\"a\":1,}", "{,}",
        "[,]",         "[1,]",      "[1 2]",       "{\"a\":1]",  "[1}",
        "nul",         "01",        "+1",          "tru e",      "{\"a\":1 \"b\":2}",
        "{\"a\":tru}", "[1:2]",     "{\"a\":1:2}", "'a'",        "NaN",
        "{a:1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct slice got;
        if (read_first(bad[i], &got) != ERR_SYNTAX)
            test_fail(__FILE__, __LINE__, "%s was not refused", bad[i]);
    }
}

TEST(depth_is_bounded)
{
    struct buf b;
    struct slice got;
    buf_init(&b, 1024);
    for (int depth = JSON_READ_DEPTH_MAX; depth <= JSON_READ_DEPTH_MAX + 1; depth++) {
        buf_clear(&b);
        for (int i = 0; i < depth; i++) buf_puts(&b, i % 2 ? "[" : "{\"a\":");
        buf_puts(&b, "1");
        for (int i = depth - 1; i >= 0; i--) buf_puts(&b, i % 2 ? "]" : "}");
        CHECK_INT(json_read_value(buf_slice(&b), 0, &got),
                  depth > JSON_READ_DEPTH_MAX ? ERR_LIMIT : 0);
    }
    buf_done(&b);
}

TEST(parts_of_containers)
{
    struct json_parts it;
    struct slice name, value;
    json_parts_init(&it, SLICE("{ \"a\" : 1 ,\"b\\\"c\":[1,2], \"d\":{\"e\":\"}\"} }"));
    REQUIRE(json_parts_next(&it, &name, &value));
    CHECK_SLICE(name, "a");
    CHECK_SLICE(value, "1");
    REQUIRE(json_parts_next(&it, &name, &value));
    CHECK_SLICE(name, "b\\\"c");
    CHECK_SLICE(value, "[1,2]");
    REQUIRE(json_parts_next(&it, &name, &value));
    CHECK_SLICE(name, "d");
    CHECK_SLICE(value, "{\"e\":\"}\"}");
    CHECK(!json_parts_next(&it, &name, &value));
    json_parts_init(&it, SLICE("[ \"x\" , null]"));
    REQUIRE(json_parts_next(&it, &name, &value));
    CHECK_INT(name.len, 0);
    CHECK_SLICE(value, "\"x\"");
    REQUIRE(json_parts_next(&it, &name, &value));
    CHECK_SLICE(value, "null");
    CHECK(!json_parts_next(&it, &name, &value));
    json_parts_init(&it, SLICE("{ }"));
    CHECK(!json_parts_next(&it, &name, &value));
}

TEST(members_are_found_by_either_name)
{
    struct slice value, inside;
    struct slice object = SLICE("{\"x\":{\"a_b\":0},\"a_b\":\"first\",\"aB\":2}");
    REQUIRE(json_find_member(object, "aB", "a_b", &value));
    CHECK_SLICE(value, "\"first\"");
    REQUIRE(json_string_inside(value, &inside));
    CHECK_SLICE(inside, "first");
    CHECK(!json_find_member(object, "a", NULL, &value));
    CHECK(!json_find_member(SLICE("[1]"), "a", NULL, &value));
    CHECK(!json_find_member(SLICE_NONE, "a", NULL, &value));
    CHECK(!json_string_inside(SLICE("1"), &inside));
}

TEST(a_whole_object)
{
    CHECK(json_is_object(SLICE(" {\"a\":1} \r\n")));
    CHECK(!json_is_object(SLICE("{\"a\":1} x")));
    CHECK(!json_is_object(SLICE("[]")));
    CHECK(!json_is_object(SLICE("")));
    CHECK(!json_is_object(SLICE("{\"a\":")));
}

static void check_text(const char *json, const char *text)
{
    struct buf out;
    buf_init(&out, 64);
    bool good = json_string_text(slice_of(json), &out);
    CHECK(good == (text != NULL));
    if (good) CHECK_SLICE(buf_slice(&out), text);
    buf_done(&out);
}

TEST(a_string_means_its_text)
{
    check_text("\"\"", "");
    check_text("\"a b\"", "a b");
    check_text("\"https:\\/\\/x?a\\u0026b\"", "https://x?a&b");
    check_text("\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\b\f\n\r\t");
    check_text("\"\\u00e5\\uD83D\\ude00!\"", "\u00e5\U0001F600!");
    check_text("\"\\ud83d \\ude00 \\ud83d\\u0041\"", "\ufffd \ufffd \ufffdA");
    check_text("\"\\x\"", NULL);
    check_text("\"\\u12\"", NULL);
    check_text("\"\\u12g4\"", NULL);
    check_text("1", NULL);
}

TEST(a_member_is_what_it_is_or_nothing)
{
    const struct slice object =
        SLICE("{\"n\":17,\"t\":\"a\\\"b\",\"f\":1.5,\"o\":{\"n\":2},\"z\":null}");
    CHECK_SLICE(json_member(object, "o"), "{\"n\":2}");
    CHECK_SLICE(json_member(object, "z"), "null");
    CHECK_INT(json_member(object, "none").len, 0);
    CHECK_SLICE(json_member_text(object, "t"), "a\\\"b");
    CHECK_INT(json_member_text(object, "n").len, 0);
    CHECK_INT(json_member_text(object, "none").len, 0);
    CHECK_INT(json_member_u64(object, "n"), 17);
    CHECK_INT(json_member_u64(object, "f"), 0);
    CHECK_INT(json_member_u64(object, "t"), 0);
    CHECK_INT(json_member_u64(object, "none"), 0);
}
