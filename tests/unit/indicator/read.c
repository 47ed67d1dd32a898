/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/read.h"

#include "test.h"

static const nsec now = 1790000000 * NSEC_PER_SEC; /* 2026-09-21 */

static int read_with(const char *text, const struct indicators_options *options,
                     struct indicators *ret, struct diag *diag)
{
    *diag = (struct diag){0};
    return indicators_read(slice_of(text), options, ret, diag);
}

static void read_list(const char *text, struct indicators *ret)
{
    const struct indicators_options options = {.file = "f", .now = now};
    struct diag diag;
    int error = read_with(text, &options, ret, &diag);
    if (error) test_fail(__FILE__, __LINE__, "%s", diag.message);
    REQUIRE(error == 0);
}

static const struct listed_value *find(const struct indicators *in, enum listed_kind kind,
                                       const char *value)
{
    return in->lists[kind] ? listed_find(in->lists[kind], slice_of(value)) : NULL;
}

static void check_told(const struct indicators *in, uint32_t i, uint32_t line, uint32_t column,
                       const char *part)
{
    REQUIRE(i < in->n_told);
    CHECK_INT(in->told[i].line, line);
    CHECK_INT(in->told[i].column, column);
    if (slice_find(slice_of(in->told[i].message), slice_of(part)) == SIZE_MAX)
        test_fail(__FILE__, __LINE__, "%s", in->told[i].message);
}

TEST(columns_may_stand_in_any_order)
{
    struct indicators in;
    read_list("\xef\xbb\xbf"
              "Comment,x,Value,expires,TYPE,source\r\n"
              "\"a, \"\"b\"\"\nsecond\",1,evil[.]example,2026-12-31,domain,CERT\r\n"
              ",2,198.51.100.7,,,\r\n",
              &in);
    CHECK_INT(in.n, 2);
    CHECK_INT(in.refused, 0);
    const struct listed_value *v = find(&in, LISTED_DOMAIN, "evil.example");
    REQUIRE(v != NULL);
    CHECK_SLICE(v->description, "a, \"b\"\nsecond");
    CHECK_SLICE(v->source, "CERT");
    CHECK(v->expires == 1798761600 * NSEC_PER_SEC); /* the end of the day */
    CHECK(in.ends == v->expires);
    v = find(&in, LISTED_ADDRESS, "198.51.100.7");
    REQUIRE(v != NULL);
    CHECK_INT(v->expires, 0);
    indicators_done(&in);
}

TEST(semicolons_and_tabs)
{
    struct indicators in;
    read_list("type;value;description\nip;198.51.100.7;a,b\n", &in);
    CHECK_SLICE(find(&in, LISTED_ADDRESS, "198.51.100.7")->description, "a,b");
    indicators_done(&in);
    read_list("indicator\tioc_type\n198.51.100.7\tip\n", &in);
    CHECK_INT(in.n, 1);
    indicators_done(&in);
}

TEST(what_a_spreadsheet_writes_as_utf16)
{
    static const char text[] = "value\tdescription\r\n198.51.100.7\ta\r\n";
    char wide[2 * sizeof text + 2] = "\xff\xfe";
    struct indicators in;
    struct diag diag = {0};
    const struct indicators_options options = {.file = "f", .now = now};
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        wide[2 + 2 * i] = text[i];
        wide[3 + 2 * i] = '\0';
    }
    REQUIRE(indicators_read(slice_make(wide, 2 * sizeof text), &options, &in, &diag) == 0);
    CHECK_INT(in.n, 1);
    CHECK_SLICE(find(&in, LISTED_ADDRESS, "198.51.100.7")->description, "a");
    indicators_done(&in);
}

TEST(a_value_a_line)
{
    struct indicators in;
    read_list("# a feed\n\nevil.example # seen in May\n  198.51.100.7  \r\n"
              "hxxp://b[.]example/x\nEVIL.example\nnothing at all\n10.0.0.1",
              &in);
    CHECK_INT(in.n, 3);
    CHECK_INT(in.doubled, 1);
    CHECK_INT(in.refused, 2);
    CHECK(find(&in, LISTED_URL, "b.example/x") != NULL);
    check_told(&in, 0, 7, 1, "`nothing at all`: this is no address");
    check_told(&in, 1, 8, 1, "private");
    indicators_done(&in);
}

TEST(misp_exports)
{
    struct indicators in;
    read_list("uuid,event_id,category,type,value,comment,to_ids,date\n"
              "u,1,c,domain|ip,evil.example|198.51.100.7,both,1,d\n"
              "u,1,c,filename|sha256,"
              "a.exe|0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef,,1,d\n"
              "u,1,c,ip-dst|port,198.51.100.8|443,,1,d\n"
              "u,1,c,mutex,Global\\x,,1,d\n"
              "u,1,c,domain,good.example,,0,d\n",
              &in);
    CHECK_INT(in.n, 4);
    CHECK_INT(in.refused, 2);
    CHECK_SLICE(find(&in, LISTED_DOMAIN, "evil.example")->description, "both");
    CHECK(find(&in, LISTED_ADDRESS, "198.51.100.7") != NULL);
    CHECK(find(&in, LISTED_ADDRESS, "198.51.100.8") != NULL);
    CHECK(in.lists[LISTED_HASH] != NULL);
    check_told(&in, 0, 5, 13, "type");
    check_told(&in, 1, 6, 14, "to_ids");
    indicators_done(&in);
}

TEST(refusals_have_their_place_and_hide_nothing)
{
    struct indicators in;
    read_list("value,type,expires\n"
              "evil.example,ip,\n"
              "\"open,ip,\n"
              "198.51.100.7,ip,soon\n"
              ",ip,\n"
              "198.51.100.9,ip,2026-01-01\n"
              "åäö,198.51.100.8\n"
              "198.51.100.8,ip,\n",
              &in);
    CHECK_INT(in.n, 1);
    CHECK_INT(in.ended, 1);
    CHECK_INT(in.refused, 5);
    check_told(&in, 0, 2, 1, "`evil.example`: this is no address");
    check_told(&in, 1, 3, 1, "");
    check_told(&in, 2, 4, 17, "`soon`: this is no point in time");
    check_told(&in, 3, 5, 1, "no value");
    check_told(&in, 4, 7, 1, "type");
    CHECK(find(&in, LISTED_ADDRESS, "198.51.100.8") != NULL);
    indicators_done(&in);
}

TEST(more_refusals_than_are_told)
{
    struct indicators in;
    struct buf text;
    buf_init(&text, 4096);
    buf_puts(&text, "value\n198.51.100.7\n");
    for (unsigned i = 0; i < 50; i++) buf_puts(&text, "no one\n");
    buf_putc(&text, '\0');
    read_list(text.ptr, &in);
    buf_done(&text);
    CHECK_INT(in.refused, 50);
    CHECK_INT(in.n_told, INDICATORS_TOLD_MAX);
    indicators_done(&in);
}

TEST(what_is_no_list)
{
    static const char *const cases[][2] = {
        {"", "nothing"}, {"# only this\n", "nothing"}, {"type,description\nip,x\n", "`value`"}};
    const struct indicators_options options = {.file = "f", .now = now};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct indicators in;
        struct diag diag;
        CHECK(read_with(cases[i][0], &options, &in, &diag) == ERR_INVALID);
        CHECK(slice_find(slice_of(diag.message), slice_of(cases[i][1])) != SIZE_MAX);
    }
}

TEST(force_takes_what_is_too_general)
{
    const struct indicators_options options = {
        .file = "f", .now = now, .force = true, .expires = now + NSEC_PER_SEC};
    struct indicators in;
    struct diag diag;
    REQUIRE(read_with("value,to_ids\n10.0.0.0/8,0\nlocalhost,1\n", &options, &in, &diag) == 0);
    CHECK_INT(in.n, 2);
    CHECK(in.ends == options.expires);
    CHECK(find(&in, LISTED_ADDRESS, "10.9.9.9") != NULL);
    indicators_done(&in);
}

TEST(what_is_written_is_read_as_the_same)
{
    const struct indicators_options options = {.file = "f", .now = now, .kept = true};
    struct indicators in, again;
    struct buf first, second;
    struct diag diag;
    read_list("value,description,source,expires\n"
              "evil.example,\"a \"\"b\"\",\nc\",\"x;y\",2026-12-31T10:00:00Z\n"
              "198.51.100.0/24,,,\nhttp://evil.example/a\"b,-1,=2,\n"
              "0123456789ABCDEF0123456789abcdef,,,\neve@evil.example,,,\n",
              &in);
    CHECK_INT(in.n, 5);
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    indicators_write(&first, &in);
    REQUIRE(indicators_read(buf_slice(&first), &options, &again, &diag) == 0);
    indicators_write(&second, &again);
    CHECK_INT(again.n, 5);
    CHECK(slice_eq(buf_slice(&first), buf_slice(&second)));
    indicators_done(&again);
    indicators_done(&in);
    buf_done(&second);
    buf_done(&first);
}
