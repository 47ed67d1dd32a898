/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

#define CHECK_ZEEK(in, want) TRACE_CHECK(&decoder_zeek, in, want)

#define HEAD                                                                                       \
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"                \
    "#path\tdns\n#open\t2024-04-12-19-29-12\n"

TEST(zeek_values_by_type)
{
    CHECK_ZEEK(HEAD "#fields\tts\tid.orig_h\tid.orig_p\tAA\trejected\tquery\trtt\n"
                    "#types\ttime\taddr\tport\tbool\tbool\tstring\tinterval\n"
                    "1521911720.865716\t10.47.1.100\t41772\tF\tT\tT\t0.000870\n"
                    "#close\t2024-04-12-19-34-07\n",
               "1|_path=dns|ts:=1521911720.865716|id.orig_h=10.47.1.100|id.orig_p:=41772|AA?=false"
               "|rejected?=true|query=T|rtt:=0.000870\n");
}

TEST(zeek_unset_is_absent_and_empty_is_empty)
{
    CHECK_ZEEK(HEAD "#fields\ta\tb\tc\td\n#types\tstring\tstring\tcount\tset[string]\n"
                    "-\t(empty)\t-\t-\n\t\\x2d\t0\t(empty)\n",
               "1|_path=dns|b=\n2|_path=dns|a=|b=-|c:=0|d=\n");
}

TEST(zeek_sets_and_vectors)
{
    CHECK_ZEEK(HEAD "#fields\ta\tb\tc\td\n"
                    "#types\tset[string]\tvector[interval]\ttable[bool]\tvector[string]\n"
                    "x,y\\x2cz,-\t2230.000000,41830.000000\tT,F\tone\n",
               "1|_path=dns|a=x|a=y,z|b:=2230.000000|b:=41830.000000|c?=true|c?=false|d=one\n");
    /* Without #types everything is text and nothing is split. */
    CHECK_ZEEK("#fields\ta\tb\nx,y\tT\n", "1|a=x,y|b=T\n");
}

TEST(zeek_escapes)
{
    CHECK_ZEEK("#fields\ta\tb\n\\\\\\\\h\\\\C$\t\\xe5\\xE4.\n\\x\\x1\\xzz\\q\\\ty\\x41\\\n",
               "1|a=\\\\h\\C$|b=\xe5\xe4.\n2|a=\\x\\x1\\xzz\\q\\|b=yA\\\n");
}

TEST(zeek_nul_in_a_value)
{
    struct trace t;
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_zeek, SLICE("#fields\ta\n\\x00.\n"), 0, 0), 0);
    CHECK(slice_eq(buf_slice(&t.text), SLICE("1|a=\0.\n")));
    trace_done(&t);
}

TEST(zeek_headers_change_in_the_stream)
{
    CHECK_ZEEK("#separator \\x09\n#set_separator\t;\n#unset_field\tNONE\n#path\tone\n"
               "#fields\ta\n#types\tset[string]\nx;y\nNONE\n#close\tx\n"
               "#separator \\x7c\n#path|two\n#fields|a|b\n#types|string|bool\np|T\n"
               "#fields|c\nq\n-\n",
               "1|_path=one|a=x|a=y\n2|_path=one\n3|_path=two|a=p|b?=true\n4|_path=two|c=q\n"
               "5|_path=two\n");
    /* A new log forgets the fields of the one before. */
    CHECK_ZEEK("#fields\ta\n1\n#separator \\x09\n2\n#fields\tb\n3\n",
               "1|a=1\nbad 28 #2 no #fields before the record\n3|b=3\n");
}

TEST(zeek_path_column_wins)
{
    CHECK_ZEEK("#path\tx\n#fields\t_path\ta\ny\tz\n", "1|_path=y|a=z\n");
}

TEST(zeek_ragged)
{
    CHECK_ZEEK("#fields\ta\tb\n1\n1\t2\t3\t\\x34\t-\n\t\n\n",
               "1|a=1\n2|a=1|b=2|extra=3|extra=4\n3|a=|b=\n");
}

TEST(zeek_odd_headers)
{
    CHECK_ZEEK("#separator \\x09\n#fields\ta\n1\tx\n#\n#fields\n#unknown\tq\n2\n",
               "1|a=1|extra=x\n2|a=2\n");
    /* A separator of two bytes; one of none: the whole line is one value. */
    CHECK_ZEEK("#separator ::\n#fields::a::b\n1::2:3\n", "1|a=1|b=2:3\n");
    CHECK_ZEEK("#separator \n#fieldsa\tb\n1\t2\n", "1|a\tb=1\t2\n");
    CHECK_ZEEK("a\tb\n", "bad 0 #1 no #fields before the record\n");
}

TEST(zeek_more_members_than_an_event_holds)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 8 << 20);
    buf_puts(&in, "#fields\ta\tb\n#types\tset[string]\tstring\n");
    for (int i = 0; i < 100000; i++) buf_puts(&in, "\\x41,");
    buf_puts(&in, "\tz\nx\ty\n");
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_zeek, buf_slice(&in), 0, 0), 0);
    CHECK(slice_starts_with(buf_slice(&t.text), SLICE("1~|a=A|a=A|")));
    CHECK(slice_ends_with(buf_slice(&t.text), SLICE("\n2|a=x|b=y\n")));
    trace_done(&t);
    buf_done(&in);
}

TEST(zeek_keys_may_be_cleared_between_records)
{
    struct trace t;
    const struct decoder_out out = {.ctx = &t, .emit = trace_emit, .bad = trace_bad};
    trace_init(&t, false);
    struct decoder *d = decoder_zeek.open(&out, t.keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_zeek.feed(d, SLICE("#path\tp\n#fields\ta\tb\n1\t2\n")), 0);
    keys_clear(t.keys);
    (void)keys_intern_path(t.keys, SLICE("something.else"));
    CHECK_INT(decoder_zeek.feed(d, SLICE("3\t4\n")), 0);
    CHECK_INT(decoder_zeek.finish(d), 0);
    decoder_zeek.close(d);
    CHECK_SLICE(buf_slice(&t.text), "1|_path=p|a=1|b=2\n2|_path=p|a=3|b=4\n");
    trace_done(&t);
}
