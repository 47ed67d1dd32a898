/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

#define CHECK_CSV(in, want) TRACE_CHECK(&decoder_csv, in, want)

TEST(csv_header_and_rows)
{
    CHECK_CSV("a,b,c\n1,2,3\r\n4,,6", "1|a=1|b=2|c=3\n2|a=4|b=|c=6\n");
    CHECK_CSV("a;b\n1,5;2\n", "1|a=1,5|b=2\n");
    CHECK_CSV("a\tb\n1\t2 x\n", "1|a=1|b=2 x\n");
    CHECK_CSV("a|b\n1|2\n", "1|a=1|b=2\n");
}

TEST(csv_header_names)
{
    CHECK_CSV(" a , \"b c\" ,,\"d \"\"x\"\"\"\n1,2,3,4\n", "1|a=1|b c=2|col3=3|d \"x\"=4\n");
    CHECK_CSV("\"a\",\"b,b\"\n1,2\n", "1|a=1|b,b=2\n");
    CHECK_CSV("\xEF\xBB\xBF\"a\",b\n1,2\n", "1|a=1|b=2\n");
    CHECK_CSV("a,a\n1,2\n", "1|a=1|a=2\n");
    CHECK_CSV("only\nvalue\n", "1|only=value\n");
    /* The commas inside quotes do not choose the delimiter. */
    CHECK_CSV("\"a,,,,\";b\n1;2\n", "1|a,,,,=1|b=2\n");
    CHECK_CSV("a,b", "");
    CHECK_CSV("", "");
}

TEST(csv_preambles)
{
    CHECK_CSV("sep=;\na,b;c\n1;2\n", "1|a,b=1|c=2\n");
    CHECK_CSV("#TYPE System.Object\n\"a\",\"b\"\n\"1\",\"2\"\n#TYPE x,y\n",
              "1|a=1|b=2\n2|a=#TYPE x|b=y\n");
    CHECK_CSV("\n\na,b\n\n1,2\n \n3,4\n\n", "1|a=1|b=2\n2|a=3|b=4\n");
}

TEST(csv_quotes)
{
    CHECK_CSV("a,b\n\"x, \"\"y\"\"\",\"\"\n", "1|a=x, \"y\"|b=\n");
    CHECK_CSV("a,b\n\"\"\"\",\"\"\"\"\"\"\n", "1|a=\"|b=\"\"\n");
    CHECK_CSV("a,b\n\"line 1\r\nline 2\n\n4\",z\n", "1|a=line 1\r\nline 2\n\n4|b=z\n");
    CHECK_CSV("a,b\n\"x\ny\",\"p\nq\"\n1,2", "1|a=x\ny|b=p\nq\n2|a=1|b=2\n");
    /* A quote that is not the first character is text; text behind the closing one is kept. */
    CHECK_CSV("a,b\nx\"y\"z,5\" disk\n", "1|a=x\"y\"z|b=5\" disk\n");
    CHECK_CSV("a,b\n\"x\"y,\"p\"\"q\"r\"s\n", "1|a=xy|b=p\"qr\"s\n");
    CHECK_CSV("a,b\n \"x\",y\n", "1|a= \"x\"|b=y\n");
    CHECK_CSV("\"a\nb\",c\n1,2\n", "1|a\nb=1|c=2\n");
}

TEST(csv_ragged_rows)
{
    CHECK_CSV("a,b,c\n1\n1,2\n1,2,3,4,\"5,5\"\n,,,\n",
              "1|a=1\n2|a=1|b=2\n3|a=1|b=2|c=3|extra=4|extra=5,5\n4|a=|b=|c=|extra=\n");
}

TEST(csv_an_open_quote_hides_nothing)
{
    CHECK_CSV("a,b\n1,\"open\n2,evil\n3,y\n", "1!|a=1|b=open\n2!|a=2|b=evil\n3!|a=3|b=y\n");
    CHECK_CSV("a,b\n1,\"", "1!|a=1|b=\n");
    CHECK_CSV("a,b\n\"\n\n\"\"\n", "1!|a=\n2!|a=\n");
    CHECK_CSV("a,\"b\n1,2\n", "1!|a=1|b=2\n");
}

static void put_rows(struct buf *in, unsigned n)
{
    for (unsigned i = 0; i < n; i++) buf_printf(in, "row %08u,%064u\n", i, i);
}

TEST(csv_an_endless_quoted_value_is_read_line_by_line)
{
    struct trace t;
    struct buf in;
    enum { ROWS = 200000 };
    buf_init(&in, 64 << 20);
    buf_puts(&in, "a,b\n1,\"open\n");
    put_rows(&in, ROWS);
    for (size_t piece = 0; piece < 200000; piece += 65536) {
        trace_init(&t, false);
        CHECK_INT(trace_run(&t, &decoder_csv, buf_slice(&in), 0, piece), 0);
        CHECK_INT(t.events, 1 + ROWS);
        CHECK_INT(t.bad, 0);
        CHECK(slice_starts_with(buf_slice(&t.text), SLICE("1!|a=1|b=open\n2!|a=row 00000000|b=")));
        CHECK(slice_find(buf_slice(&t.text), SLICE("\n200001|a=row 00199999|")) != SIZE_MAX);
        trace_done(&t);
    }
    buf_done(&in);
}

TEST(csv_a_long_line_ends_an_open_record)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 64 << 20);
    buf_puts(&in, "a,b\n1,\"open\n");
    for (int i = 0; i < DECODER_RECORD_MAX / 8 + 1; i++) buf_puts(&in, "xxxxxxxx");
    buf_puts(&in, "\n3,4\n");
    for (size_t piece = 0; piece < 200000; piece += 65536) {
        trace_init(&t, false);
        CHECK_INT(trace_run(&t, &decoder_csv, buf_slice(&in), 0, piece), 0);
        CHECK_SLICE(buf_slice(&t.text), "1!|a=1|b=open\nbad 12 #2 line too long\n3|a=3|b=4\n");
        trace_done(&t);
    }
    buf_done(&in);
}

TEST(csv_more_columns_than_are_named)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 8 << 20);
    for (int i = 0; i < 1100; i++) buf_printf(&in, "%sc%d", i ? "," : "", i);
    for (int row = 0; row < 2; row++)
        for (int i = 0; i < 20000; i++) buf_printf(&in, "%s%d", i ? "," : "\n", i);
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_csv, buf_slice(&in), 0, 0), 0);
    CHECK_INT(t.events, 2);
    CHECK(slice_find(buf_slice(&t.text), SLICE("|c1023=1023|extra=1024|")) != SIZE_MAX);
    CHECK(slice_find(buf_slice(&t.text), SLICE("\n2~|c0=0|")) != SIZE_MAX);
    trace_done(&t);
    buf_done(&in);
}

TEST(csv_raw_is_the_record_with_its_inner_line_ends)
{
    struct trace t;
    trace_init(&t, true);
    CHECK_INT(trace_run(&t, &decoder_csv, SLICE("a,b\r\n\"x\r\ny\",z\r\n1,2\r\n"), 0, 0), 0);
    CHECK_SLICE(buf_slice(&t.text), "1|a=x\r\ny|b=z|raw \"x\r\ny\",z\n2|a=1|b=2|raw 1,2\n");
    trace_done(&t);
}

TEST(csv_utf16_with_mark)
{
    CHECK_CSV("\xFF\xFE"
              "a\0,\0b\0\r\0\n\0\xE5\0,\0\"\0x\0\n\0\"\0\"\0\"\0\r\0\n\0",
              "1|a=\xC3\xA5|b=x\n\"\n");
}

TEST(csv_keys_may_be_cleared_between_records)
{
    struct trace t;
    const struct decoder_out out = {.ctx = &t, .emit = trace_emit, .bad = trace_bad};
    trace_init(&t, false);
    struct decoder *d = decoder_csv.open(&out, t.keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_csv.feed(d, SLICE("a,b\n1,2\n")), 0);
    keys_clear(t.keys);
    (void)keys_intern_path(t.keys, SLICE("something.else"));
    CHECK_INT(decoder_csv.feed(d, SLICE("3,4,5\n")), 0);
    CHECK_INT(decoder_csv.finish(d), 0);
    decoder_csv.close(d);
    CHECK_SLICE(buf_slice(&t.text), "1|a=1|b=2\n2|a=3|b=4|extra=5\n");
    trace_done(&t);
}

struct steady {
    uint64_t events, mallocs;
    uint32_t cap;
};

static int steady_emit(void *ctx, struct event *ev)
{
    struct steady *s = ctx;
    if (s->events++ == 2) {
        s->mallocs = arena_mallocs(ev->arena);
        s->cap = ev->cap_fields;
    }
    if (s->events > 2) {
        CHECK_INT(arena_mallocs(ev->arena), s->mallocs);
        CHECK_INT(ev->cap_fields, s->cap);
    }
    return 0;
}

TEST(csv_takes_no_memory_in_the_steady_state)
{
    struct steady s = {0};
    struct keys *keys = keys_new();
    REQUIRE(keys != NULL);
    const struct decoder_out out = {.ctx = &s, .emit = steady_emit, .bad = trace_bad};
    struct decoder *d = decoder_csv.open(&out, keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_csv.feed(d, SLICE("a,b\n")), 0);
    for (int i = 0; i < 2000; i++)
        CHECK_INT(decoder_csv.feed(d, SLICE("\"x \"\"1\"\"\",2\n\"\"\"3\"\"")), 0);
    CHECK_INT(decoder_csv.finish(d), 0);
    CHECK(s.events >= 2000);
    decoder_csv.close(d);
    keys_free(keys);
}
