/* SPDX-License-Identifier: EUPL-1.2 */
/* Containers and single records, while memory runs out. */
#include "normalise/record_decoder.h"
#include "torture.h"
#include "unwrap/unwrap.h"

static const char *const asserts[] = {"keys.c:", "auditd.c:intern", NULL};
static const char *const losses[] = {" cut", "undecodable", NULL};

/* ---- containers --------------------------------------------------------------------------- */

struct body {
    enum container_kind kind;
    const char *content_type;
    struct slice bodies[3]; /* one after the other; an empty one is none */
};

static int put_records(void *ctx, struct batch_writer *writer)
{
    struct buf *out = ctx, bytes;
    buf_init(&bytes, BATCH_MAX);
    batch_writer_finish(writer, &bytes);
    int result = buf_error(&bytes);
    buf_put(out, buf_slice(&bytes));
    buf_done(&bytes);
    return result;
}

static int unwrap_all(struct unwrap *u, const struct body *b, struct unwrap_sink *sink,
                      struct unwrap_answer *answer)
{
    int result = 0;
    for (size_t i = 0; i < 3 && result == 0; i++) {
        struct container c = {.kind = b->kind,
                              .content_type = slice_of(b->content_type),
                              .query = SLICE("host=h"),
                              .body = b->bodies[i],
                              .source = SLICE("s")};
        if (b->bodies[i].len == 0) continue;
        result = unwrap_container(u, &c, sink, answer);
        if (result == 0) buf_put(sink->ctx, buf_slice(&answer->body));
    }
    return result ? result : put_records(sink->ctx, sink->writer);
}

static int unwrap_body(void *ctx, struct buf *out)
{
    struct unwrap_options options = unwrap_options_default();
    struct unwrap *u = unwrap_new(&options);
    struct batch_writer writer;
    struct unwrap_answer answer;
    batch_writer_init(&writer, 0, 4096);
    unwrap_answer_init(&answer);
    struct unwrap_sink sink = {.writer = &writer, .full = put_records, .ctx = out};
    int result = u ? unwrap_all(u, ctx, &sink, &answer) : ERR_NOMEM;
    unwrap_answer_done(&answer);
    batch_writer_done(&writer);
    unwrap_free(u);
    return result;
}

#define TORTURE_BODY(...)                                                                          \
    torture_run(&(struct torture){.run = unwrap_body, .ctx = &(struct body){__VA_ARGS__}})

TEST(container_lines)
{
    TORTURE_BODY(CONTAINER_NDJSON, "",
                 {SLICE("{\"a\":1}\nno\n{\"b\":2}\n"), SLICE("[{\"a\":1},7]")});
}

TEST(container_bulk)
{
    TORTURE_BODY(
        CONTAINER_BULK, "",
        {SLICE("{\"create\":{}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"1\"}}\n"), SLICE("no\n")});
}

TEST(container_hec)
{
    TORTURE_BODY(CONTAINER_HEC, "", {SLICE("{\"event\":1}{\"time\":2}")});
    TORTURE_BODY(CONTAINER_HEC_RAW, "", {SLICE("one\ntwo\n")});
}

TEST(container_otlp)
{
    TORTURE_BODY(CONTAINER_OTLP_LOGS, "application/json",
                 {SLICE("{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"logRecords\":[{"
                        "\"a\":1},7]}]}]}")});
    TORTURE_BODY(CONTAINER_OTLP_LOGS, "application/x-protobuf",
                 {SLICE("\x0a\x0c\x0a\x03res\x12\x05\x12\x01x\x12\x00"), SLICE("\xff")});
}

TEST(container_flows)
{
#define HEADER "\0\x09\0\1\0\0\0\0\x65\x53\xf1\0\0\0\0"
    TORTURE_BODY(CONTAINER_FLOW, "",
                 {SLICE(HEADER "\0\0\0\0\1\1\4\0\x08"
                               "ABCD"),
                  SLICE(HEADER "\1\0\0\0\1\0\0\0\x10\1\4\0\2\0\7\0\2\0\x0b\0\2\1\4\0\x08"
                               "EFGH"),
                  SLICE(HEADER "\2\0\0\0\1\0\0\0\x0c\1\4\0\1\0\7\0\2\1\4\0\x08"
                               "IJKL")});
#undef HEADER
}

/* ---- records ------------------------------------------------------------------------------ */

static int put_event(void *ctx, uint32_t number, struct event *ev)
{
    struct buf *out = ctx;
    buf_printf(out, "%u", number);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        buf_putc(out, '|');
        buf_put(out, keys_name(ev->keys, ev->fields[i].key));
        buf_putc(out, '=');
        buf_put(out, event_text(ev, &ev->fields[i]));
    }
    buf_puts(out, ev->flags & EVENT_CUT ? " cut\n" : "\n");
    return 0;
}

static void put_undecodable(void *ctx, uint32_t number, const char *reason)
{
    buf_printf(ctx, "%u undecodable: %s\n", number, reason);
}

static int decode_batch(void *ctx, struct buf *out)
{
    const struct record_sink sink = {
        .ctx = out, .event = put_event, .undecodable = put_undecodable};
    struct keys *keys = keys_new();
    struct record_decoder *d = keys ? record_decoder_new(keys) : NULL;
    int result = d ? record_decoder_batch(d, ctx, 0, UINT32_MAX, &sink) : ERR_NOMEM;
    record_decoder_free(d);
    if (keys) keys_free(keys);
    return result;
}

TEST(records)
{
    static const struct record records[] = {
        {.raw = {"{\"a\":\"\\u00e5\"}", 14}, .format = RECORD_JSON},
        {.raw = {"{\"b\":[1", 7}, .format = RECORD_JSON},
        {.raw = {"{\"c\":\"raw \x01\"}", 13}, .format = RECORD_JSON},
        {.raw = {"{\"message\":\"<34>su[1]: \\\"x\\\"\"}", 30}, .format = RECORD_BEATS},
        {.raw = {"<34>1 - h a - - [x y=\"\\\"\"] m", 28}, .format = RECORD_SYSLOG},
        {.raw = {"type=CWD msg=audit(1.5:2): cwd=2F746D70", 39}, .format = RECORD_AUDITD},
        {.raw = {"1,\"a\"\"b\"", 8}, .context = {"x,y", 3}, .format = RECORD_CSV},
        {.raw = {"1\tx\\x09", 7}, .context = {"#fields\ta\tb", 11}, .format = RECORD_ZEEK},
        {.raw = {"{\"event\":\"\\u00e5\",\"host\":\"h\"}", 29}, .format = RECORD_HEC},
        {.raw = {"line", 4}, .context = {"?host=a%20b", 11}, .format = RECORD_HEC},
        {.raw = {"\x10\x09\x4a\x02\xab\xcd\x2a\x02\x18\x07", 10}, .format = RECORD_OTLP_PROTO},
        {.raw = {"{\"severityNumber\":9,\"body\":{\"stringValue\":\"\\n\"}}", 48},
         .format = RECORD_OTLP_JSON},
        {.raw = {"_COMM=x\nMESSAGE=y\n", 18}, .format = RECORD_JOURNAL},
        {.raw = {"ABCD", 4},
         .context = {"\0\x0a\0\x20\x65\x53\xf1\0\0\0\0\0\0\0\0\7\0\2\1\4\0\2\0\7\0\2\0\x0b\0\2",
                     30},
         .format = RECORD_IPFIX},
    };
    struct batch_writer w;
    struct buf bytes;
    struct batch batch;
    batch_writer_init(&w, 0, BATCH_MAX);
    buf_init(&bytes, BATCH_MAX);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        REQUIRE(batch_writer_add(&w, &records[i]) == 0);
    batch_writer_finish(&w, &bytes);
    REQUIRE(batch_open(buf_slice(&bytes), &batch) == 0);
    torture_run(&(struct torture){
        .run = decode_batch, .ctx = &batch, .asserts = asserts, .told_by = losses});
    batch_writer_done(&w);
    buf_done(&bytes);
}
