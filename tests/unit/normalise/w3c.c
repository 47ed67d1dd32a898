/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

#define CHECK_W3C(in, want) TRACE_CHECK(&decoder_w3c, in, want)

TEST(w3c_columns_of_iis)
{
    CHECK_W3C("#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n"
              "#Date: 2026-11-26 06:00:00\r\n"
              "#Fields: date time s-ip cs-uri-stem cs-uri-query cs(User-Agent)\r\n"
              "2026-11-26 06:41:09 192.0.2.80 / - Mozilla/5.0+(X)\r\n",
              "1|date=2026-11-26|time=06:41:09|s-ip=192.0.2.80|cs-uri-stem=/"
              "|cs(User-Agent)=Mozilla/5.0+(X)\n");
}

TEST(w3c_directives_count_from_where_they_stand)
{
    CHECK_W3C("#Fields: a b\n1 2\n#Software: x\n#Fields: c\n3\n", "1|a=1|b=2\n2|c=3\n");
    CHECK_W3C("1 2\n#Fields: a\n3\n", "bad 0 #1 no #Fields before the record\n2|a=3\n");
    CHECK_W3C("#Fields:\n1\n#fields: a\n\n \n", "1|extra=1\n");
}

TEST(w3c_separators)
{
    CHECK_W3C("#Fields: a,b,c\nx y,,\"1, \"\"2\"\"\"\n", "1|a=x y|c=1, \"2\"\n");
    CHECK_W3C("#Fields: a  b c\nx   y z  \n", "1|a=x|b=y|c=z\n");
    CHECK_W3C("#Fields:\ta\tb\nx y\t-\n", "1|a=x y\n");
    /* Names between blanks, values between tabs: as the first record has it. */
    CHECK_W3C("#Fields: a b c\nx y\t\tz\n1\t2\t3\n", "1|a=x y|c=z\n2|a=1|b=2|c=3\n");
    CHECK_W3C("#Fields: a b c\nx y z\n1\t2\t3 4\n", "1|a=x|b=y|c=z\n2|a=1\t2\t3|b=4\n");
    CHECK_W3C("#Fields: a b c\nx\ty z\n", "1|a=x\ty|b=z\n");
}

TEST(w3c_ragged_and_open)
{
    CHECK_W3C("#Fields: a b\n1\n1 2 3 - 4\n", "1|a=1\n2|a=1|b=2|extra=3|extra=4\n");
    CHECK_W3C("#Fields: a b\n1 \"2 3\n4 5\n", "1!|a=1|b=2 3\n2|a=4|b=5\n");
}

TEST(w3c_keys_may_be_cleared_between_records)
{
    struct trace t;
    const struct decoder_out out = {.ctx = &t, .emit = trace_emit, .bad = trace_bad};
    trace_init(&t, false);
    struct decoder *d = decoder_w3c.open(&out, t.keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_w3c.feed(d, SLICE("#Fields: a b\n1 2\n")), 0);
    keys_clear(t.keys);
    (void)keys_intern_path(t.keys, SLICE("something.else"));
    CHECK_INT(decoder_w3c.feed(d, SLICE("3 4\n")), 0);
    CHECK_INT(decoder_w3c.finish(d), 0);
    decoder_w3c.close(d);
    CHECK_SLICE(buf_slice(&t.text), "1|a=1|b=2\n2|a=3|b=4\n");
    trace_done(&t);
}
