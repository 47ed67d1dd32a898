/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/record_decoder.h"

#include "base/le.h"
#include "normalise/decoder.h"
#include "record_trace.h"

#define ADD(t, format, raw) record_trace_add(t, format, SLICE(raw), SLICE_NONE)

TEST(json_records_map_to_their_numbers)
{
    struct record_trace t;
    record_trace_init(&t);
    ADD(&t, RECORD_JSON, "{\"a\":1}");
    ADD(&t, RECORD_JSON, " {\"a\":{\"b\":\"x\\u00e5\"}} ");
    ADD(&t, RECORD_JSON, "");
    ADD(&t, RECORD_JSON, "no object");
    ADD(&t, RECORD_JSON, "{\n \"pretty\": true\n}");
    ADD(&t, RECORD_JSON, "{\"Records\":[{\"c\":1},{\"c\":2}]}");
    ADD(&t, RECORD_BULK, "{\"d\":\"bad \xff byte\"}");
    ADD(&t, RECORD_BEATS, "{\"e\":null}");
    ADD(&t, RECORD_JSON, "\xEF\xBB\xBF{\"f\":1}");
    RECORD_TRACE_CHECK(&t, "0 json|a:=1\n"
                           "1 json|a.b=x\xc3\xa5\n"
                           "2 undecodable: nothing is in it\n"
                           "3 undecodable: not a JSON object\n"
                           "4 json|pretty?=true\n"
                           "5 json|c:=1\n5 json|c:=2\n"
                           "6 json!|d=bad \xff byte\n"
                           "7 json|e=null\n"
                           "8 json|f:=1\n");
    record_trace_done(&t);
}

/* One sender's record must not hide what another one sent. */
TEST(a_broken_json_record_takes_nothing_of_the_next)
{
    static const char *const broken[] = {
        "{\"x\":[",
        "{\"x\":[{",
        "{\"Records\":[",
        "{\"x\":{\"y\":",
        "[[[",
        "{\"x\":\"open",
        "{\"x\":\"\\",
        "{",
        "\"",
        "{\"x\":[1,",
        "{\"value\":[{\"v\":1}",
        "]}",
        "\xef\xbb\xbf",
        "\xff\xfe",
        "\x1e",
    };
    struct record_trace t;
    record_trace_init(&t);
    t.no_formats = true;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        for (int clean = 0; clean < 2; clean++) {
            /* With a byte that is not UTF-8 all lines are read one by one. */
            record_trace_add(&t, RECORD_JSON, slice_of(broken[i]), SLICE_NONE);
            ADD(&t, RECORD_JSON, "{\"a\":1}");
            ADD(&t, RECORD_JSON, "]}]}");
            if (!clean) ADD(&t, RECORD_JSON, "{\"b\":\"\xff\"}");
            CHECK_INT(record_trace_run(&t, 0, UINT32_MAX), 0);
            struct slice text = buf_slice(&t.text);
            if (slice_find(text, SLICE("\n1 |a:=1\n")) == SIZE_MAX)
                test_fail(__FILE__, __LINE__, "%s: %.*s", broken[i], SLICE_FMT(text));
            CHECK(clean || slice_find(text, SLICE("3 !|b=\xff\n")) != SIZE_MAX);
            buf_clear(&t.text);
        }
    }
    record_trace_done(&t);
}

TEST(long_json_records_are_read_across_windows)
{
    enum { LONG = 300 * 1024, N = 400 };
    struct record_trace t;
    record_trace_init(&t);
    struct buf raw;
    buf_init(&raw, RECORD_MAX);
    for (int i = 0; i < N; i++) {
        buf_clear(&raw);
        buf_printf(&raw, "{\"n\":%d,\"x\":\"", i);
        size_t want = i == 7 ? LONG : (size_t)i * 10;
        for (size_t k = 0; k < want; k++) buf_putc(&raw, 'x');
        buf_puts(&raw, "\"}");
        record_trace_add(&t, RECORD_JSON, buf_slice(&raw), SLICE_NONE);
    }
    CHECK_INT(record_trace_run(&t, 0, UINT32_MAX), 0);
    CHECK_INT(t.events, N);
    struct slice rest = buf_slice(&t.text), line;
    for (int i = 0; i < N; i++) {
        char want[64];
        int n = snprintf(want, sizeof want, "%d json|n:=%d|x=", i, i);
        CHECK(slice_split(rest, '\n', &line, &rest));
        CHECK(slice_starts_with(line, slice_make(want, (size_t)n)));
        CHECK_INT(line.len - (size_t)n, i == 7 ? LONG : i * 10);
    }
    buf_done(&raw);
    record_trace_done(&t);
}

TEST(text_is_decoded_by_its_look)
{
    struct record_trace t;
    record_trace_init(&t);
    ADD(&t, RECORD_TEXT, "{\"a\":1}");
    ADD(&t, RECORD_TEXT, "Oct 11 22:14:15 h su: failed");
    ADD(&t, RECORD_TEXT, "type=LOGIN msg=audit(1.5:2): pid=7");
    ADD(&t, RECORD_TEXT, "type=words and more");
    ADD(&t, RECORD_TEXT, "{not json} at all");
    ADD(&t, RECORD_TEXT, "\t ");
    ADD(&t, RECORD_TEXT, "  {\"b\":2}");
    RECORD_TRACE_CHECK(&t,
                       "0 json|a:=1\n"
                       "1 syslog|timestamp=Oct 11 22:14:15|hostname=h|program=su|message=failed\n"
                       "2 auditd|type=LOGIN|audit.timestamp=1.5|audit.sequence=2|pid=7\n"
                       "3 syslog|message=type=words and more\n"
                       "4 syslog|message={not json} at all\n"
                       "5 undecodable: nothing is in it\n"
                       "6 json|b:=2\n");
    record_trace_done(&t);
}

/* A whole record, as lines of a file are cut at the byte of LF, and a text behind a header. */
TEST(utf16_is_read_as_text)
{
    struct record_trace t;
    record_trace_init(&t);
    ADD(&t, RECORD_TEXT,
        "\xFF\xFE<\0"
        "3\0"
        "4\0>\0x\0:\0 \0\xE5\0\r\0");
    ADD(&t, RECORD_TEXT,
        "\0<\0"
        "3\0"
        "4\0>\0y\0:\0 \0o\0\r");
    ADD(&t, RECORD_SYSLOG,
        "<\0"
        "3\0"
        "4\0>\0z\0:\0 \0o\0n\0");
    ADD(&t, RECORD_JSON,
        "{\0\"\0a\0\"\0:\0"
        "1\0}\0");
    ADD(&t, RECORD_JSON, "{\"b\":2}");
    ADD(&t, RECORD_SYSLOG, "<34>x: \xFF\xFEo\0k\0");
    ADD(&t, RECORD_SYSLOG, "<34>Oct 11 22:14:15 h x: a\0b\0c\0d\0\xE5\0");
    RECORD_TRACE_CHECK(&t, "0 syslog|priority=34|facility=4|severity=2|program=x|message=\xc3\xa5\n"
                           "1 syslog|priority=34|facility=4|severity=2|program=y|message=o\n"
                           "2 syslog|priority=34|facility=4|severity=2|program=z|message=on\n"
                           "3 json|a:=1\n"
                           "4 json|b:=2\n"
                           "5 syslog|priority=34|facility=4|severity=2|program=x|message=ok\n"
                           "6 syslog|priority=34|facility=4|severity=2|timestamp=Oct 11 22:14:15"
                           "|hostname=h|program=x|message=abcd\xc3\xa5\n");
    record_trace_done(&t);
}

TEST(syslog_records_are_one_event_whatever_they_hold)
{
    struct record_trace t;
    record_trace_init(&t);
    ADD(&t, RECORD_SYSLOG, "<34>Oct 11 22:14:15 h su: one\n<34>Oct 11 22:14:16 h su: two\n");
    ADD(&t, RECORD_SYSLOG, "\xEF\xBB\xBF<34>x: bom\r\n");
    ADD(&t, RECORD_SYSLOG, "\xff\xfe<34>x: mark");
    ADD(&t, RECORD_SYSLOG, "<34>x: nul\0");
    ADD(&t, RECORD_SYSLOG, "\n");
    RECORD_TRACE_CHECK(&t, "0 syslog|priority=34|facility=4|severity=2|timestamp=Oct 11 22:14:15"
                           "|hostname=h|program=su|message=one\n<34>Oct 11 22:14:16 h su: two\n"
                           "1 syslog|priority=34|facility=4|severity=2|program=x|message=bom\n"
                           "2 syslog|message=\xff\xfe<34>x: mark\n"
                           "3 syslog|priority=34|facility=4|severity=2|program=x|message=nul\n"
                           "4 undecodable: nothing is in it\n");
    record_trace_done(&t);
}

TEST(audit_events_have_lines)
{
    struct record_trace t;
    record_trace_init(&t);
    ADD(&t, RECORD_AUDITD, "type=CWD msg=audit(1.5:2): cwd=\"/\"\r\ntype=EOE msg=audit(1.5:2): \n");
    ADD(&t, RECORD_AUDITD, "type=CWD msg=oops");
    RECORD_TRACE_CHECK(&t, "0 auditd|type=CWD|audit.timestamp=1.5|audit.sequence=2|cwd=/\n"
                           "0 auditd|type=EOE|audit.timestamp=1.5|audit.sequence=2\n"
                           "1 undecodable: not an audit record\n");
    record_trace_done(&t);
}

TEST(w3c_records_have_their_fields_as_context)
{
    struct record_trace t;
    record_trace_init(&t);
    record_trace_add(&t, RECORD_W3C, SLICE("1 2"), SLICE("#Fields: a b\n"));
    record_trace_add(&t, RECORD_W3C, SLICE("3\t4\r"), SLICE("#Fields: a b\n"));
    record_trace_add(&t, RECORD_W3C, SLICE("5 6"), SLICE("#Fields: a b\n"));
    record_trace_add(&t, RECORD_W3C, SLICE("7,-,8"), SLICE("#Fields: c,d"));
    record_trace_add(&t, RECORD_W3C, SLICE("#Fields: x"), SLICE("#Fields: a b\n"));
    record_trace_add(&t, RECORD_W3C, SLICE("9 9"), SLICE("#Fields: a b\n"));
    record_trace_add(&t, RECORD_W3C, SLICE("9"), SLICE_NONE);
    RECORD_TRACE_CHECK(&t, "0 w3c|a=1|b=2\n"
                           "1 w3c|a=3|b=4\n"
                           "2 w3c|a=5|b=6\n"
                           "3 w3c|c=7|extra=8\n"
                           "4 undecodable: a header where a record should be\n"
                           "5 w3c|a=9|b=9\n"
                           "6 undecodable: no #Fields before the record\n");
    record_trace_done(&t);
}

TEST(csv_records_have_their_header_as_context)
{
    struct record_trace t;
    record_trace_init(&t);
    record_trace_add(&t, RECORD_CSV, SLICE("1;\"two\nlines\""), SLICE("a;b"));
    record_trace_add(&t, RECORD_CSV, SLICE("3;\"open"), SLICE("a;b"));
    record_trace_add(&t, RECORD_CSV, SLICE("4,5\r"), SLICE("sep=,\nc,d\n"));
    record_trace_add(&t, RECORD_CSV, SLICE("6;7"), SLICE("a;b"));
    record_trace_add(&t, RECORD_CSV, SLICE("8"), SLICE_NONE);
    record_trace_add(&t, RECORD_CSV, SLICE("9"), SLICE("\"open,x"));
    record_trace_add(&t, RECORD_CSV, SLICE(" "), SLICE("a;b"));
    RECORD_TRACE_CHECK(&t, "0 csv|a=1|b=two\nlines\n"
                           "1 csv!|a=3|b=open\n"
                           "2 csv|c=4|d=5\n"
                           "3 csv|a=6|b=7\n"
                           "4 undecodable: no header names its columns\n"
                           "5 undecodable: no header names its columns\n"
                           "6 undecodable: nothing is in it\n");
    record_trace_done(&t);
}

TEST(zeek_records_have_their_headers_as_context)
{
    struct record_trace t;
    record_trace_init(&t);
    struct slice conn =
        SLICE("#separator \\x09\n#path\tconn\n#fields\tts\tuid\n#types\ttime\tstring");
    struct slice dns = SLICE("#separator \\x09\n#path\tdns\n#fields\tquery\n");
    record_trace_add(&t, RECORD_ZEEK, SLICE("1.5\tC1"), conn);
    record_trace_add(&t, RECORD_ZEEK, SLICE("#fields\tuid\tts"), conn);
    record_trace_add(&t, RECORD_ZEEK, SLICE("2.5\tC2"), conn);
    record_trace_add(&t, RECORD_ZEEK, SLICE("evil.example"), dns);
    record_trace_add(&t, RECORD_ZEEK, SLICE("x"), SLICE_NONE);
    RECORD_TRACE_CHECK(&t, "0 zeek|_path=conn|ts:=1.5|uid=C1\n"
                           "1 undecodable: a header where a record should be\n"
                           "2 zeek|_path=conn|ts:=2.5|uid=C2\n"
                           "3 zeek|_path=dns|query=evil.example\n"
                           "4 undecodable: no #fields before the record\n");
    record_trace_done(&t);
}

TEST(a_range_of_a_batch)
{
    struct record_trace t;
    record_trace_init(&t);
    for (int i = 0; i < 3; i++) {
        ADD(&t, RECORD_JSON, "{\"a\":1}");
        ADD(&t, RECORD_JSON, "{\"b\":2}");
        ADD(&t, RECORD_SYSLOG, "<34>x: y");
    }
    CHECK_INT(record_trace_run(&t, 1, 4), 0);
    CHECK_SLICE(buf_slice(&t.text),
                "1 json|b:=2\n"
                "2 syslog|priority=34|facility=4|severity=2|program=x|message=y\n"
                "3 json|a:=1\n");
    record_trace_done(&t);
}

TEST(some_of_a_batch)
{
    struct record_trace t;
    struct batch b;
    uint32_t n = 0;
    const uint64_t bits = 0x1d; /* 0, 2, 3, 4 */
    const struct record_choice all = {.from = INT64_MIN, .to = INT64_MAX},
                               late = {.from = 2, .to = 4};
    struct record_choice some = all;
    some.bits = &bits;
    record_trace_init(&t);
    for (int i = 0; i < 5; i++) {
        char raw[16];
        int len = snprintf(raw, sizeof raw, "{\"a\":%d}", i);
        const struct record r = {
            .raw = slice_make(raw, (size_t)len), .received = i, .format = RECORD_JSON};
        REQUIRE(batch_writer_add(&t.batch, &r) == 0);
    }
    batch_writer_finish(&t.batch, &t.bytes);
    REQUIRE(batch_open(buf_slice(&t.bytes), &b) == 0);
    const struct record_sink sink = record_trace_sink(&t);
    CHECK_INT(record_decoder_some(t.decoder, &b, 1, 4, &some, &sink, &n), 0);
    CHECK_SLICE(buf_slice(&t.text), "2 json|a:=2\n3 json|a:=3\n");
    CHECK_INT(n, 2);
    buf_clear(&t.text);
    CHECK_INT(record_decoder_some(t.decoder, &b, 0, UINT32_MAX, &late, &sink, &n), 0);
    CHECK_SLICE(buf_slice(&t.text), "2 json|a:=2\n3 json|a:=3\n");
    CHECK_INT(n, 4);
    t.stop_after = t.events + 2;
    CHECK_INT(record_decoder_some(t.decoder, &b, 0, UINT32_MAX, &all, &sink, &n), ERR_STOPPED);
    CHECK_INT(n, 6);
    record_trace_done(&t);
}

TEST(the_sink_ends_it)
{
    struct record_trace t;
    record_trace_init(&t);
    t.stop_after = 2;
    ADD(&t, RECORD_JSON, "{\"a\":1}");
    ADD(&t, RECORD_JSON, "");
    ADD(&t, RECORD_JSON, "{\"b\":2}");
    ADD(&t, RECORD_JSON, "{\"c\":3}");
    CHECK_INT(record_trace_run(&t, 0, UINT32_MAX), ERR_STOPPED);
    CHECK_SLICE(buf_slice(&t.text), "0 json|a:=1\n1 undecodable: nothing is in it\n");
    record_trace_done(&t);
}

TEST(the_key_table_may_be_cleared_between_events)
{
    struct record_trace t;
    record_trace_init(&t);
    t.forgetful = true;
    for (int i = 0; i < 2; i++) {
        ADD(&t, RECORD_JSON,
            "{\"a\":1,\"b\":\"a name long enough for the predictor, in a record\"}");
        record_trace_add(&t, RECORD_CSV, SLICE("x;y"), SLICE("f;g"));
        ADD(&t, RECORD_SYSLOG, "<34>x: y");
    }
    RECORD_TRACE_CHECK(
        &t, "0 json|a:=1|b=a name long enough for the predictor, in a record\n1 csv|f=x|g=y\n"
            "2 syslog|priority=34|facility=4|severity=2|program=x|message=y\n"
            "3 json|a:=1|b=a name long enough for the predictor, in a record\n4 csv|f=x|g=y\n"
            "5 syslog|priority=34|facility=4|severity=2|program=x|message=y\n");
    record_trace_done(&t);
}

TEST(one_record_by_itself)
{
    struct record_trace t;
    record_trace_init(&t);
    const struct record_sink sink = record_trace_sink(&t);
    struct record r = {.raw = SLICE("{\"a\":1}"), .format = RECORD_JSON};
    CHECK_INT(record_decoder_one(t.decoder, &r, &sink), 0);
    r.raw = SLICE("");
    CHECK_INT(record_decoder_one(t.decoder, &r, &sink), 0);
    CHECK_SLICE(buf_slice(&t.text), "0 json|a:=1\n0 undecodable: nothing is in it\n");
    record_trace_done(&t);
}

/* ---- EVTX --------------------------------------------------------------------------------- */

static int trace_source(void *ctx, struct event *ev)
{
    ev->record = 1;
    return record_trace_event(ctx, 0, ev);
}

static void ignore(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx, (void)offset, (void)record, (void)reason;
}

/* All whole records of the file's first chunk, each with the chunk as its context. */
TEST(evtx_records_are_read_alone_as_in_their_file)
{
    enum { FILE_HEADER = 4096, CHUNK = 65536, CHUNK_HEADER = 512 };
    char path[4096];
    size_t len;
    if (!test_corpus()) SKIP("no VAKA_CORPUS");
    (void)snprintf(path, sizeof path, "%s/evtx-parser-samples/%s", test_corpus(),
                   "new-user-security.evtx");
    char *file = test_read_file(path, &len);
    REQUIRE(len >= FILE_HEADER + CHUNK);
    struct record_trace source, records;
    record_trace_init(&source);
    record_trace_init(&records);
    const struct decoder_out out = {.ctx = &source, .emit = trace_source, .bad = ignore};
    struct decoder *d = decoder_evtx.open(&out, source.keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_evtx.feed(d, slice_make(file, FILE_HEADER + CHUNK)), 0);
    decoder_evtx.close(d);

    struct slice chunk = slice_make(file + FILE_HEADER, CHUNK);
    const struct record_sink sink = record_trace_sink(&records);
    size_t used = le32(chunk.ptr + 48), size;
    for (size_t at = CHUNK_HEADER; at < used; at += size) {
        size = le32(chunk.ptr + at + 4);
        struct record r = {
            .raw = slice_make(chunk.ptr + at, size), .context = chunk, .format = RECORD_EVTX};
        REQUIRE(record_decoder_one(records.decoder, &r, &sink) == 0);
    }
    CHECK(source.events > 1);
    CHECK_INT(records.events, source.events);
    CHECK(slice_eq(buf_slice(&records.text), buf_slice(&source.text)));
    record_trace_done(&source);
    record_trace_done(&records);
    free(file);
}

TEST(evtx_records_without_their_chunk)
{
    struct record_trace t;
    record_trace_init(&t);
    char record[32] = "**\0\0\x20\0\0\0";
    record[28] = 32;
    record_trace_add(&t, RECORD_EVTX, slice_make(record, sizeof record), SLICE_NONE);
    record_trace_add(&t, RECORD_EVTX, slice_make(record, 31), slice_make(record, sizeof record));
    RECORD_TRACE_CHECK(&t, "0 undecodable: its chunk is missing\n"
                           "1 undecodable: not an event record\n");
    record_trace_done(&t);
}
