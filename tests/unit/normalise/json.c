/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>

#include "base/json_write.h"
#include "normalise/decoder.h"
#include "test.h"

/*
 * What came out, as text: for each event `#record`, ` damaged` and ` cut` when so flagged, and one
 * ` path=type:value` per field (s string, n number, b bool, z null); for each report
 * `!record@offset reason`.
 */
struct seen {
    struct buf text;
    uint64_t last_record;
    int events, reports, stop_after;
    bool quiet;
};

static char type_letter(enum value_type type)
{
    switch (type) {
    case VALUE_NUMBER:
        return 'n';
    case VALUE_BOOL:
        return 'b';
    case VALUE_NULL:
        return 'z';
    case VALUE_STRING:
    case VALUE_JSON_STRING:
        break;
    }
    return 's';
}

static int on_event(void *ctx, struct event *ev)
{
    struct seen *s = ctx;
    s->events++;
    CHECK(ev->record > s->last_record);
    s->last_record = ev->record;
    CHECK(!(ev->flags & EVENT_DAMAGED) == !!(ev->flags & EVENT_RAW_IS_JSON));
    CHECK_SLICE(slice_of(ev->format), "json");
    if (!s->quiet) {
        buf_printf(&s->text, "#%d", (int)ev->record);
        if (ev->flags & EVENT_DAMAGED) buf_puts(&s->text, " damaged");
        if (ev->flags & EVENT_CUT) buf_puts(&s->text, " cut");
        for (uint32_t i = 0; i < ev->n_fields; i++) {
            buf_putc(&s->text, ' ');
            buf_put(&s->text, keys_name(ev->keys, ev->fields[i].key));
            buf_putc(&s->text, '=');
            buf_putc(&s->text, type_letter(ev->fields[i].type));
            buf_putc(&s->text, ':');
            buf_put(&s->text, event_text(ev, &ev->fields[i]));
        }
        buf_putc(&s->text, '\n');
    }
    return s->events == s->stop_after ? ERR_STOPPED : 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct seen *s = ctx;
    s->reports++;
    if (!s->quiet) buf_printf(&s->text, "!%d@%d %s\n", (int)record, (int)offset, reason);
    if (record > s->last_record) s->last_record = record;
}

static void seen_init(struct seen *s)
{
    *s = (struct seen){0};
    buf_init(&s->text, 64 << 20);
}

/* In pieces of at most `piece` bytes, the first of `first`; each in memory of its own. */
static void decode(struct seen *s, struct slice text, size_t first, size_t piece)
{
    struct keys *keys = keys_new();
    struct decoder_out out = {.ctx = s, .emit = on_event, .bad = on_bad};
    struct decoder *d = decoder_json.open(&out, keys);
    REQUIRE(d && keys);
    for (size_t at = 0, n = first; at < text.len; at += n, n = piece) {
        if (n > text.len - at) n = text.len - at;
        char *copy = malloc(n + 1);
        REQUIRE(copy);
        memcpy(copy, text.ptr + at, n);
        CHECK_INT(decoder_json.feed(d, slice_make(copy, n)), 0);
        free(copy);
    }
    CHECK_INT(decoder_json.finish(d), 0);
    decoder_json.close(d);
    keys_free(keys);
}

/* Decodes whole, split in two at every place, and byte by byte: always the same. */
static void check_all_splits(int line, struct slice text, const char *want)
{
    struct seen whole;
    seen_init(&whole);
    decode(&whole, text, text.len, text.len);
    if (want && !slice_eq(buf_slice(&whole.text), slice_of(want)))
        test_fail(__FILE__, line, "got\n%.*s# not\n%s", SLICE_FMT(whole.text), want);
    for (size_t first = 0; first <= text.len + 1; first++) {
        struct seen split;
        seen_init(&split);
        if (first == text.len + 1) decode(&split, text, 1, 1);
        else if (first) decode(&split, text, first, text.len);
        else decode(&split, text, 3, 3);
        if (!slice_eq(buf_slice(&whole.text), buf_slice(&split.text)))
            test_fail(__FILE__, line, "split at %zu:\n%.*s# not\n%.*s", first,
                      SLICE_FMT(split.text), SLICE_FMT(whole.text));
        buf_done(&split.text);
    }
    buf_done(&whole.text);
}

#define CHECK_JSON(text, want) check_all_splits(__LINE__, SLICE(text), want)

TEST(json_lines)
{
    CHECK_JSON("", "");
    CHECK_JSON(" \r\n\n", "");
    CHECK_JSON("{}", "#1\n");
    CHECK_JSON("{\"a\":\"x\"}\n{\"a\":\"y\"}\r\n{\"a\":\"z\"}", "#1 a=s:x\n#2 a=s:y\n#3 a=s:z\n");
    CHECK_JSON("\xEF\xBB\xBF{\"a\":1}\n{\"b\":2}\n", "#1 a=n:1\n#2 b=n:2\n");
    CHECK_JSON("\x1e{\"a\":1}\n\x1e{\"a\":2}\n", "#1 a=n:1\n#2 a=n:2\n");
    CHECK_JSON(" {\t\"a\" : \"x\" ,\r\"b\": true\t} \n", "#1 a=s:x b=b:true\n");
}

TEST(json_values)
{
    CHECK_JSON("{\"a\":\"\",\"b\":-1.5e3,\"c\":true,\"d\":false,\"e\":null,\"f\":0}\n",
               "#1 a=s: b=n:-1.5e3 c=b:true d=b:false e=z:null f=n:0\n");
    CHECK_JSON("{\"a\":1e400,\"b\":123456789012345678901234567890}\n",
               "#1 a=n:1e400 b=n:123456789012345678901234567890\n");
    CHECK_JSON("{\"a\":\"C:\\\\x\\\"y\\\"\",\"b\":\"\\u00e5\\ud83d\\ude00\\ud83d\"}\n",
               "#1 a=s:C:\\x\"y\" b=s:\xC3\xA5\xF0\x9F\x98\x80\xEF\xBF\xBD\n");
    CHECK_JSON("{\"a\":\"ends in \\\\\",\"b\":\"{[,:]}\"}\n", "#1 a=s:ends in \\ b=s:{[,:]}\n");
}

TEST(json_paths)
{
    CHECK_JSON("{\"a\":{\"b\":{\"c\":1},\"d\":2},\"e\":3}\n", "#1 a.b.c=n:1 a.d=n:2 e=n:3\n");
    CHECK_JSON("{\"a\":[1,\"x\",[2,[3]],{\"b\":4},{\"b\":5,\"c\":[6]}],\"d\":7}\n",
               "#1 a=n:1 a=s:x a=n:2 a=n:3 a.b=n:4 a.b=n:5 a.c=n:6 d=n:7\n");
    CHECK_JSON("{\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":{ },\"e\":[ ]}\n",
               "#1 a=z:null b=z:null c=z:null c=z:null d=z:null e=z:null\n");
    CHECK_JSON("{\"a.b\":1,\"a\":{\"b\":2}}\n", "#1 a.b=n:1 a.b=n:2\n");
    CHECK_JSON("{\"a\":1,\"a\":2}\n{\"a\":3,\"a\":4}\n", "#1 a=n:1 a=n:2\n#2 a=n:3 a=n:4\n");
    CHECK_JSON("{\"\\u0061\\\"b\":1,\"\\\\\":2}\n", "#1 a\"b=n:1 \\=n:2\n");
    CHECK_JSON("{\"TargetResources\":[{\"ModifiedProperties\":[{\"NewValue\":\"x\"},"
               "{\"NewValue\":\"y\"}]}]}\n",
               "#1 TargetResources.ModifiedProperties.NewValue=s:x "
               "TargetResources.ModifiedProperties.NewValue=s:y\n");
}

/* The predictor must not answer with a name that only looks like the one expected. */
TEST(json_names_that_resemble_each_other)
{
    CHECK_JSON("{\"a\":1,\"ab\":2,\"abc\":3}\n{\"a\":1,\"ab\":2,\"abd\":3}\n"
               "{\"a\":1,\"abc\":2,\"ab\":3}\n{\"ab\":1,\"a\":2}\n{\"a\" :1,\"ab\"\t: 2}\n",
               "#1 a=n:1 ab=n:2 abc=n:3\n#2 a=n:1 ab=n:2 abd=n:3\n#3 a=n:1 abc=n:2 ab=n:3\n"
               "#4 ab=n:1 a=n:2\n#5 a=n:1 ab=n:2\n");
    CHECK_JSON("{\"x\":{\"a\":1},\"a\":2}\n{\"y\":{\"a\":1},\"a\":2}\n{\"x.a\":1,\"a\":2}\n"
               "{\"x\":{\"a\":1,\"b\":2}}\n{\"x.a\":1,\"b\":2}\n",
               "#1 x.a=n:1 a=n:2\n#2 y.a=n:1 a=n:2\n#3 x.a=n:1 a=n:2\n#4 x.a=n:1 x.b=n:2\n"
               "#5 x.a=n:1 b=n:2\n");
    char text[4096], want[4096];
    int t = 0, w = 0;
    for (int len = 1; len < 60; len++) {
        t += snprintf(text + t, sizeof text - (size_t)t, "{\"%0*d\":%d}\n", len, 7, len);
        w += snprintf(want + w, sizeof want - (size_t)w, "#%d %0*d=n:%d\n", len, len, 7, len);
    }
    struct seen s;
    seen_init(&s);
    decode(&s, slice_make(text, (size_t)t), (size_t)t, 1);
    CHECK_SLICE(buf_slice(&s.text), want);
    buf_done(&s.text);
}

TEST(json_objects_over_many_lines)
{
    CHECK_JSON("{\n  \"a\": {\n    \"b\": [\n      1,\n      {\n \"c\": 2 }\n    ]\n  }\n}\n"
               "{\n  \"a\": 3\n}\n",
               "#1 a.b=n:1 a.b.c=n:2\n#2 a=n:3\n");
    CHECK_JSON("{\n\"a\":\n{\n\"b\":\n[\n{\n\"c\":1\n},\n{\n\"c\":2\n}\n]\n}\n}\n{\n}\n",
               "#1 a.b.c=n:1 a.b.c=n:2\n#2\n");
    CHECK_JSON("{\"a\":1}{\"a\":2} {\"a\":3}", "#1 a=n:1\n#2 a=n:2\n#3 a=n:3\n");
}

TEST(json_arrays_of_objects)
{
    CHECK_JSON("[{\"a\":1},{\"a\":2}]", "#1 a=n:1\n#2 a=n:2\n");
    CHECK_JSON("[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": [2]\n  }\n]\n", "#1 a=n:1\n#2 a=n:2\n");
    CHECK_JSON("[]\n[{\"a\":1}]\n[[{\"a\":2}]]\n{\"a\":3}\n", "#1 a=n:1\n#2 a=n:2\n#3 a=n:3\n");
    CHECK_JSON("[1,{\"a\":1},\"x\",{\"a\":2}]\n",
               "!1@1 not a JSON object\n#2 a=n:1\n!3@11 not a JSON object\n#4 a=n:2\n");
    CHECK_JSON("[{\"a\":1},", "#1 a=n:1\n!0@9 the list of records is cut off\n");
    CHECK_JSON("{\"a\":1},\n{\"a\":2},\n", "#1 a=n:1\n#2 a=n:2\n");
}

TEST(json_lists_of_records)
{
    CHECK_JSON("{\"Records\":[{\"a\":1},{\"a\":{\"b\":2}}]}\n{\"a\":3}\n",
               "#1 a=n:1\n#2 a.b=n:2\n#3 a=n:3\n");
    CHECK_JSON("{\n \"Records\" : [\n {\"a\":1},\n {\"a\":2}\n ]\n}\n", "#1 a=n:1\n#2 a=n:2\n");
    CHECK_JSON("{\"Records\":[{\"a\":1}],\"Image\":\"evil\"}\n{\"b\":1}\n",
               "#1 a=n:1\n#2 damaged Image=s:evil\n#3 b=n:1\n");
    CHECK_JSON(
        "{\"@odata.context\":\"x\",\"value\":[{\"a\":1},{\"a\":2}],\"count\":2}\n{\"b\":1}\n",
        "#1 a=n:1\n#2 a=n:2\n#3 b=n:1\n");
    CHECK_JSON("{\"records\":[{\"a\":1},{\"a\":2}]}\n{\"b\":1}\n",
               "#1 a=n:1\n#2 a=n:2\n#3 b=n:1\n");
    CHECK_JSON("{\"events\":[{\"a\":1}]}{\"events\":[{\"a\":2}],\"nextToken\":\"t\"}",
               "#1 a=n:1\n#2 a=n:2\n");
    CHECK_JSON("{\"Records\":[{\"a\":1},{\"a\":2}", "#1 a=n:1\n#2 a=n:2\n"
                                                    "!0@27 the list of records is cut off\n");
    CHECK_JSON("{\"value\":[{\"a\":1},{\"value\":[{\"b\":2}]}]}\n", "#1 a=n:1\n#2 value.b=n:2\n");
}

/* A field must never vanish because its record looks a bit like a list. */
TEST(json_records_that_hold_a_list_of_objects)
{
    CHECK_JSON("{\"EventID\":1,\"events\":[{\"a\":1}]}\n", "#1 EventID=n:1 events.a=n:1\n");
    CHECK_JSON("{\"events\":[{\"a\":1}],\"Image\":\"x\"}\n", "#1 events.a=n:1 Image=s:x\n");
    CHECK_JSON("{\"records\":[{\"a\":1}],\"Image\":\"x\"}\n", "#1 records.a=n:1 Image=s:x\n");
    CHECK_JSON("{\"Image\":\"x\",\"Records\":[{\"a\":1}]}\n", "#1 Image=s:x Records.a=n:1\n");
    CHECK_JSON("{\"value\":[1,{\"a\":1}]}\n", "#1 value=n:1 value.a=n:1\n");
    CHECK_JSON("{\"value\":[]}\n{\"Records\":[]}\n{\"Records\":{\"a\":1}}\n",
               "#1 value=z:null\n#2 Records=z:null\n#3 Records.a=n:1\n");
    CHECK_JSON("{\"x\":{\"Records\":[{\"a\":1}]}}\n", "#1 x.Records.a=n:1\n");
    CHECK_JSON("{\"value\":[{\"a\":1}],\"events\":[{\"b\":2}]}\n", "#1 value.a=n:1 events.b=n:2\n");
}

TEST(json_odd_bytes_hide_nothing)
{
    CHECK_JSON("{\"a\":\"r\xE4ksm\xF6rg\xE5s\",\"Image\":\"evil\"}\n{\"b\":1}\n",
               "#1 damaged a=s:r\xE4ksm\xF6rg\xE5s Image=s:evil\n#2 b=n:1\n");
    CHECK_JSON("{\"a\":\"x\x01y\tz\",\"Image\":\"evil\"}\n",
               "#1 damaged a=s:x\x01y\tz Image=s:evil\n");
    CHECK_JSON("{\"a\":\"line\nbreak\",\"Image\":\"evil\"}\n{\"b\":1}\n",
               "#1 damaged a=s:line\nbreak Image=s:evil\n#2 b=n:1\n");
    CHECK_JSON("{\"a\":\"{\n{\n\",\"Image\":\"evil\"}\n", "#1 damaged a=s:{\n{\n Image=s:evil\n");
    CHECK_JSON("{\"a\":1,}\n{\"a\":[1,],\"Image\":\"evil\"}\n{,\"a\":1,,\"b\":2}\n",
               "#1 damaged a=n:1\n#2 damaged a=n:1 Image=s:evil\n#3 damaged a=n:1 b=n:2\n");
    CHECK_JSON("{\"a\":\\x,\"Image\":\"evil\"}\n{\"a\":NaN,\"Image\":\"evil\"}\n"
               "{\"a\":007,\"b\":+1,\"c\":.5,\"d\":True,\"Image\":\"evil\"}\n",
               "#1 damaged a=s:\\x Image=s:evil\n#2 damaged a=s:NaN Image=s:evil\n"
               "#3 damaged a=s:007 b=s:+1 c=s:.5 d=s:True Image=s:evil\n");
    CHECK_JSON("{\"a\" \"x\",\"Image\":\"evil\"}\n{\"a\":\"x\" \"Image\":\"evil\"}\n"
               "{\"a\":,\"Image\":\"evil\"}\n{\"a\",\"Image\":\"evil\"}\n",
               "#1 damaged a=s:x Image=s:evil\n#2 damaged a=s:x Image=s:evil\n"
               "#3 damaged a=z:null Image=s:evil\n#4 damaged a=z:null Image=s:evil\n");
    CHECK_JSON("{\"a\":\"say \"hi\" now\",\"Image\":\"evil\"}\n",
               "#1 damaged a=s:say \"hi\" now Image=s:evil\n");
    CHECK_JSON("{a:1,'b':'x',\"Image\":\"evil\"}\n", "#1 damaged a=n:1 'b'=s:'x' Image=s:evil\n");
    CHECK_JSON("{\"a\":[1 2}],\"Image\":\"evil\"}\n",
               "#1 damaged a=n:1 a=n:2\n!2@12 not a JSON object\n");
    CHECK_JSON("{\"a\":{\"b\":1],\"Image\":\"evil\"}\n", "#1 damaged a.b=n:1 Image=s:evil\n");
    CHECK_JSON("{\"a\":\"\xED\xA0\x80\xC0\xAF\",\"Image\":\"evil\"}\n",
               "#1 damaged a=s:\xED\xA0\x80\xC0\xAF Image=s:evil\n");
    CHECK_JSON("{\"a\":\"\\ud800\\q\\u12\",\"Image\":\"evil\"}\n",
               "#1 a=s:\xEF\xBF\xBD\\q\\u12 Image=s:evil\n");
}

TEST(json_nul_bytes)
{
    CHECK_JSON("{\"a\":\"x\0y\",\"Image\":\"evil\"}\n", NULL);
    CHECK_JSON("\0\0\0{\"a\":1}\n\0\n{\"a\":2}\n",
               "!1@0 not a JSON object\n#2 a=n:1\n!3@11 not a JSON object\n#4 a=n:2\n");
    struct seen s;
    seen_init(&s);
    decode(&s, SLICE("{\"a\":\"x\0y\",\"b\":\0,\"Image\":\"evil\"}\n"), 100, 100);
    CHECK(slice_find(buf_slice(&s.text), SLICE(" a=s:x\0y ")) != SIZE_MAX);
    CHECK(slice_find(buf_slice(&s.text), SLICE(" Image=s:evil\n")) != SIZE_MAX);
    buf_done(&s.text);
}

TEST(json_cut_off_records_end_at_their_line)
{
    CHECK_JSON("{\"Image\":\"evil\",\"b\":\"x\n{\"c\":1}\n",
               "#1 damaged Image=s:evil b=s:x\n!1@0 record is cut off\n#2 c=n:1\n");
    CHECK_JSON("{\"Image\":\"evil\",\"b\":\n{\"c\":1}\n{\"d\":2}\n",
               "#1 damaged Image=s:evil b=z:null\n!1@0 record is cut off\n#2 c=n:1\n#3 d=n:2\n");
    CHECK_JSON("{\"Image\":\"evil\",\n{\"c\":1}\n",
               "#1 damaged Image=s:evil\n!1@0 record is cut off\n#2 c=n:1\n");
    CHECK_JSON("{\"Image\":\"evil\",\"b\":[1,\n{\"c\":1}\n{\"d\":2}\n",
               "#1 damaged Image=s:evil b=n:1\n!1@0 record is cut off\n#2 c=n:1\n#3 d=n:2\n");
    CHECK_JSON("{\"Image\":\"evil\",\"b\n{\"c\":1}\n",
               "#1 damaged Image=s:evil b=z:null\n!1@0 record is cut off\n#2 c=n:1\n");
    CHECK_JSON("{\"Image\":\"evil\",\"b\":12", "#1 damaged Image=s:evil b=n:12\n"
                                               "!1@0 record is cut off\n");
    CHECK_JSON("{\"Image\":\"evil\",\"b\":\"12\\", "#1 damaged Image=s:evil b=s:12\\\n"
                                                   "!1@0 record is cut off\n");
    CHECK_JSON("{\"a\":1}\n{", "#1 a=n:1\n!2@8 record is cut off\n");
    CHECK_JSON("{\n{\n{\n{\"a\":1}\n", "!1@0 record is cut off\n!2@2 record is cut off\n"
                                       "!3@4 record is cut off\n#4 a=n:1\n");
}

TEST(json_lines_that_are_no_objects)
{
    CHECK_JSON("hello {\"a\":1}\n{\"a\":2}\n", "!1@0 not a JSON object\n#2 a=n:2\n");
    CHECK_JSON("{\"a\":1} x {\"a\":2}\n\"s\"\n42\n{\"a\":3}\n",
               "#1 a=n:1\n!2@8 not a JSON object\n#3 a=n:2\n!4@18 not a JSON object\n"
               "!5@22 not a JSON object\n#6 a=n:3\n");
    CHECK_JSON("{\"a\":1}}\n]\n{\"a\":2}\n",
               "#1 a=n:1\n!2@7 not a JSON object\n!3@9 not a JSON object\n#4 a=n:2\n");
    CHECK_JSON("x\" \n{\"a\":2}\n\"\n{\"a\":3}\n", "!1@0 not a JSON object\n#2 a=n:2\n"
                                                   "!3@12 not a JSON object\n#4 a=n:3\n");
}

TEST(json_damage_stays_local_in_long_input)
{
    struct buf text;
    struct seen a, b;
    buf_init(&text, 64 << 20);
    seen_init(&a);
    seen_init(&b);
    enum { N = 4000 };
    int damaged = 0;
    for (int i = 0; i < N; i++) {
        static const char *const odd[] = {
            "\"x\":\"\xE5\",\"e\":1}\n",
            "\"e\":1,\"x\":\"cut\n",
            "\"e\":1,\"x\":\n",
            "\"e\":1,\"x\":[\n",
            ",\"e\":1}\n",
            "\"x\":\"\\\",\"e\":1}\n",
            "\"e\":1\n",
        };
        bool is_odd = i % 97 == 96;
        damaged += is_odd;
        buf_printf(&text, "{\"i\":%d,", i);
        buf_puts(&text, is_odd ? odd[(i / 97) % 7] : "\"pad\":\"pppppppp\",\"e\":1}\n");
    }
    decode(&a, buf_slice(&text), 1 << 20, 1 << 20);
    decode(&b, buf_slice(&text), 777, 1013);
    CHECK(slice_eq(buf_slice(&a.text), buf_slice(&b.text)));
    CHECK_INT(a.events, N);
    for (int i = 0; i < N; i++) {
        char want[40];
        (void)snprintf(want, sizeof want, " i=n:%d ", i);
        if (slice_find(buf_slice(&a.text), slice_of(want)) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "record %d is missing", i);
    }
    CHECK(damaged > 40);
    buf_done(&text);
    buf_done(&a.text);
    buf_done(&b.text);
}

/* Text long enough for windows, in every shape, against small pieces. */
TEST(json_shapes_give_the_same_events)
{
    static const char *const shapes[][3] = {
        {"", "\n", ""},
        {"[", ",", "]"},
        {"[\n", ",\n", "\n]\n"},
        {"", "", ""},
        {"{\"Records\":[", ",", "]}"},
        {"{\"value\":[", ",", "]}"},
    };
    struct seen first;
    seen_init(&first);
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
        struct buf text;
        struct seen large, small;
        buf_init(&text, 64 << 20);
        seen_init(&large);
        seen_init(&small);
        buf_puts(&text, shapes[shape][0]);
        for (int i = 0; i < 6000; i++) {
            if (i) buf_puts(&text, shapes[shape][1]);
            buf_printf(&text, "{\"i\":%d,\"s\":\"},{\\\"x\\\":[%d\",\"o\":{\"a\":[{\"b\":%d},{}]}}",
                       i, i * 7, i % 3);
        }
        buf_puts(&text, shapes[shape][2]);
        decode(&large, buf_slice(&text), text.len, text.len);
        decode(&small, buf_slice(&text), 100, 4099);
        CHECK_INT(large.events, 6000);
        CHECK_INT(large.reports, 0);
        CHECK(slice_eq(buf_slice(&large.text), buf_slice(&small.text)));
        if (shape == 0) buf_put(&first.text, buf_slice(&large.text));
        CHECK(slice_eq(buf_slice(&large.text), buf_slice(&first.text)));
        buf_done(&large.text);
        buf_done(&small.text);
        buf_done(&text);
    }
    buf_done(&first.text);
}

static void repeat(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) buf_puts(b, s);
}

TEST(json_depth)
{
    struct buf text;
    buf_init(&text, 16 << 20);
    for (int depth = 60; depth < 70; depth++) {
        for (int odd = 0; odd < 2; odd++) {
            struct seen s;
            seen_init(&s);
            buf_clear(&text);
            repeat(&text, "{\"a\":", (size_t)depth);
            buf_puts(&text, "1");
            repeat(&text, "}", (size_t)depth - 1);
            buf_puts(&text, odd ? ",,\"b\":2}\n" : ",\"b\":2}\n");
            decode(&s, buf_slice(&text), text.len, 1);
            CHECK(slice_ends_with(buf_slice(&s.text), SLICE(" b=n:2\n")));
            bool deep = depth > 64;
            CHECK(slice_starts_with(buf_slice(&s.text), SLICE("#1 damaged")) == (deep || odd));
            CHECK((slice_find(buf_slice(&s.text), SLICE("=s:{\"a\":")) != SIZE_MAX) == deep);
            buf_done(&s.text);
        }
    }
    static const char *const opens[] = {"[", "{\"a\":", "{\"a\":["};
    static const char *const closes[] = {"]", "}", "]}"};
    for (int kind = 0; kind < 3; kind++) {
        for (int closed = 0; closed < 2; closed++) {
            struct seen s;
            seen_init(&s);
            s.quiet = true;
            buf_clear(&text);
            buf_puts(&text, "{\"x\":1,\"deep\":");
            size_t n = kind == 0 ? 1000000 : 500000;
            repeat(&text, opens[kind], n);
            if (closed) {
                buf_puts(&text, "1");
                repeat(&text, closes[kind], n);
                buf_puts(&text, "}");
            }
            buf_puts(&text, "\n{\"ok\":1}\n");
            decode(&s, buf_slice(&text), text.len, 65536);
            CHECK_INT(s.events, 2);
            CHECK_INT(s.reports, !closed);
            buf_done(&s.text);
        }
    }
    buf_done(&text);
}

TEST(json_long_records_are_reported_and_skipped)
{
    static const char *const tails[] = {"\"}\n", "\n", "\",\"b\":{\n"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        for (size_t piece = 4096; piece <= 16 << 20; piece *= 64) {
            struct buf text;
            struct seen s;
            buf_init(&text, 32 << 20);
            seen_init(&s);
            buf_puts(&text, "{\"a\":1}\n{\"a\":\"");
            repeat(&text, "0123456789abcdef", DECODER_RECORD_MAX / 16 * 3);
            buf_puts(&text, tails[i]);
            buf_puts(&text, "{\"a\":2}\n");
            decode(&s, buf_slice(&text), piece, piece);
            CHECK_SLICE(buf_slice(&s.text), "#1 a=n:1\n!2@8 record is too long\n#3 a=n:2\n");
            buf_done(&s.text);
            buf_done(&text);
        }
    }
}

TEST(json_record_of_exactly_the_limit)
{
    struct buf text;
    buf_init(&text, 32 << 20);
    for (size_t over = 0; over < 2; over++) {
        for (size_t piece = 65536; piece <= 16 << 20; piece *= 256) {
            struct seen s;
            seen_init(&s);
            s.quiet = true;
            buf_clear(&text);
            buf_puts(&text, "{\"a\":\"");
            while (text.len < DECODER_RECORD_MAX + over - 2) buf_putc(&text, 'x');
            buf_puts(&text, "\"}\n{\"a\":2}\n");
            decode(&s, buf_slice(&text), piece, piece);
            CHECK_INT(s.events, over ? 1 : 2);
            CHECK_INT(s.reports, over);
            buf_done(&s.text);
        }
    }
    buf_done(&text);
}

TEST(json_list_longer_than_a_record)
{
    static const char *const starts[] = {"{\"Records\":[", "{\"value\":[", "["};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t piece = 5000; piece <= 16 << 20; piece *= 64) {
            struct buf text;
            struct seen s;
            buf_init(&text, 32 << 20);
            seen_init(&s);
            s.quiet = true;
            buf_puts(&text, starts[i]);
            int n = 0;
            for (; text.len < DECODER_RECORD_MAX * 2; n++)
                buf_printf(&text, "%s{\"i\":%d,\"pad\":\"%0100d\"}", n ? "," : "", n, 0);
            buf_puts(&text, starts[i][0] == '{' ? "],\"count\":1}\n{\"a\":1}" : "]\n{\"a\":1}");
            decode(&s, buf_slice(&text), piece, piece);
            CHECK_INT(s.events, n + 1);
            CHECK_INT(s.reports, 0);
            buf_done(&s.text);
            buf_done(&text);
        }
    }
}

/* Inputs made to be read over and over; what takes more than time in proportion to its length meets
 * the time limit of the suite. */
TEST(json_hostile_repetition_is_linear)
{
    static const char *const units[] = {
        "{\"a\":\n",
        "{\"a\":[\n",
        "{\"a\":[{\n",
        "{\n",
        "[\n",
        "{\"a\":\"\n",
        "{\"value\":[{}]}\n",
        "{\"a\":\"\xFF\"}\n",
        "x\n",
        "{\"Records\":[{\"a\":1}\n",
        "{\"a\":\"x\",\"",
        "\"a\" ",
        "{\"a\":{},},{",
        "{\"a\":\"b\"\n",
        "[1,",
        "{},]",
        "{\"a\":\"\\",
        "{\"a\":\"x\" \"y\" ",
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct buf text;
        struct seen s;
        buf_init(&text, 16 << 20);
        seen_init(&s);
        s.quiet = true;
        while (text.len < test_less(6 << 20)) buf_puts(&text, units[i]);
        decode(&s, buf_slice(&text), 1 << 20, 1 << 20);
        buf_done(&s.text);
        buf_done(&text);
    }
}

TEST(json_names_without_end)
{
    struct buf text;
    struct seen s;
    buf_init(&text, 16 << 20);
    seen_init(&s);
    s.quiet = true;
    buf_putc(&text, '{');
    for (int i = 0; i < 100000; i++) buf_printf(&text, "\"n%d\":%d,", i, i);
    buf_puts(&text, "\"last\":1}\n{\"a\":1}\n");
    decode(&s, buf_slice(&text), text.len, 1);
    CHECK_INT(s.events, 2);
    buf_done(&s.text);
    buf_done(&text);
}

TEST(json_emit_may_stop_and_clear_keys)
{
    struct seen s;
    seen_init(&s);
    s.stop_after = 2;
    struct keys *keys = keys_new();
    struct decoder_out out = {.ctx = &s, .emit = on_event};
    struct decoder *d = decoder_json.open(&out, keys);
    REQUIRE(d);
    CHECK_INT(decoder_json.feed(d, SLICE("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")), ERR_STOPPED);
    CHECK_INT(s.events, 2);
    decoder_json.close(d);
    buf_done(&s.text);
    keys_free(keys);
}

static int clear_keys(void *ctx, struct event *ev)
{
    struct buf *out = ctx;
    CHECK_INT(ev->n_fields, 2);
    for (uint32_t i = 0; i < ev->n_fields; i++)
        buf_put(out, keys_name(ev->keys, ev->fields[i].key));
    keys_clear(ev->keys);
    return 0;
}

TEST(json_follows_a_clearing_of_the_keys)
{
    struct buf text;
    buf_init(&text, 1000);
    struct keys *keys = keys_new();
    struct decoder_out out = {.ctx = &text, .emit = clear_keys};
    struct decoder *d = decoder_json.open(&out, keys);
    REQUIRE(d);
    CHECK_INT(
        decoder_json.feed(d, SLICE("{\"a\":1,\"b\":2}\n{\"b\":1,\"a\":2}\n{\"c\":1,\"b\":2}\n")),
        0);
    CHECK_INT(decoder_json.finish(d), 0);
    CHECK_SLICE(buf_slice(&text), "abbacb");
    decoder_json.close(d);
    buf_done(&text);
    keys_free(keys);
}

TEST(json_sniff)
{
    CHECK(decoder_json.sniff(SLICE("{\"a\":1}"), true) >= 90);
    CHECK(decoder_json.sniff(SLICE("\xEF\xBB\xBF \r\n{\n \"a\""), false) >= 90);
    CHECK(decoder_json.sniff(SLICE("[\n {"), false) >= 90);
    CHECK(decoder_json.sniff(SLICE("[[{"), false) >= 90);
    CHECK_INT(decoder_json.sniff(SLICE("[2026-01-01] x"), false), 0);
    CHECK_INT(decoder_json.sniff(SLICE("<134>1 {\"a\":1}"), false), 0);
    CHECK_INT(decoder_json.sniff(SLICE(""), true), 0);
}

/* Real events: the walker and the tolerant reader (told apart by a stray comma) agree. */
TEST(json_walker_and_tolerant_reader_agree_on_real_events)
{
    if (!test_corpus()) SKIP("VAKA_CORPUS is not set");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/sigma-regression", test_corpus());
    char command[5000];
    (void)snprintf(command, sizeof command,
                   "find '%s' -name '*.json' -print0 | sort -z | xargs -0 cat", path);
    FILE *f = popen(command, "re");
    REQUIRE(f);
    struct buf text, odd;
    buf_init(&text, 64 << 20);
    buf_init(&odd, 64 << 20);
    for (char *p; (p = buf_reserve(&text, 65536));) {
        size_t n = fread(p, 1, 65536, f);
        if (n == 0) break;
        text.len += n;
    }
    (void)pclose(f);
    if (text.len == 0) SKIP("no events in the corpus");
    for (size_t i = 0; i < text.len; i++) {
        buf_putc(&odd, text.ptr[i]);
        if (text.ptr[i] == '{' && (i == 0 || text.ptr[i - 1] == '\n')) buf_putc(&odd, ',');
    }
    struct seen a, b;
    seen_init(&a);
    seen_init(&b);
    decode(&a, buf_slice(&text), 65536, 65536);
    decode(&b, buf_slice(&odd), 65536, 65536);
    CHECK(a.events > 50);
    CHECK_INT(a.events, b.events);
    CHECK_INT(a.reports, 0);
    const char *p = a.text.ptr, *q = b.text.ptr, *end = q + b.text.len;
    struct buf plain; /* b's text without the mark */
    buf_init(&plain, 128 << 20);
    while (q < end) {
        if (end - q > 8 && memcmp(q, " damaged", 8) == 0) q += 8;
        buf_putc(&plain, *q++);
    }
    CHECK(slice_eq(slice_make(p, a.text.len), buf_slice(&plain)));
    printf("# %d events, %zu bytes\n", a.events, text.len);
    buf_done(&plain);
    buf_done(&a.text);
    buf_done(&b.text);
    buf_done(&text);
    buf_done(&odd);
}
