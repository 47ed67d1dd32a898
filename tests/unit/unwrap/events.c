/* SPDX-License-Identifier: EUPL-1.2 */
/* From what a sender sends to the event that rules read: both rooms, one behind the other. */
#include "normalise/record_decoder.h"

#include "unwrapped.h"

struct chain {
    struct unwrapped t;
    struct keys *keys;
    struct record_decoder *decoder;
    struct buf events;
};

/* The fields that are asked for, of every event; a missing one is -. */
static const char *const shown[] = {
    "source.ip", "destination.port",        "network.transport", "network.bytes", "program",
    "message",   "winlog.event_data.Image", "service.name",      "sourcetype"};

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct chain *c = ctx;
    buf_printf(&c->events, "%u", number);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct event_field *f = event_find(ev, slice_of(shown[i]));
        if (!f) continue;
        buf_printf(&c->events, " %s=", shown[i]);
        buf_put(&c->events, event_text(ev, f));
    }
    buf_putc(&c->events, '\n');
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct chain *c = ctx;
    buf_printf(&c->events, "%u undecodable: %s\n", number, reason);
}

static int decode_batch(void *ctx, struct batch_writer *writer)
{
    struct chain *c = ctx;
    const struct record_sink sink = {.ctx = c, .event = on_event, .undecodable = on_undecodable};
    struct batch batch;
    buf_clear(&c->t.bytes);
    batch_writer_finish(writer, &c->t.bytes);
    REQUIRE(batch_open(buf_slice(&c->t.bytes), &batch) == 0);
    return record_decoder_batch(c->decoder, &batch, 0, UINT32_MAX, &sink);
}

static void check_at(const char *file, int line, enum container_kind kind, const char *content_type,
                     struct slice body, const char *want)
{
    struct chain c = {.keys = keys_new()};
    REQUIRE(c.keys != NULL);
    c.decoder = record_decoder_new(c.keys);
    REQUIRE(c.decoder != NULL);
    buf_init(&c.events, 1 << 20);
    unwrapped_init(&c.t, kind, NULL, BATCH_MAX);
    c.t.container.content_type = slice_of(content_type);
    c.t.container.query = SLICE("sourcetype=raw");
    c.t.container.body = body;
    const struct unwrap_sink sink = {.writer = &c.t.writer, .full = decode_batch, .ctx = &c};
    CHECK_INT(unwrap_container(c.t.unwrap, &c.t.container, &sink, &c.t.answer), 0);
    CHECK_INT(decode_batch(&c, &c.t.writer), 0);
    if (!slice_eq(buf_slice(&c.events), slice_of(want)))
        test_fail(file, line, "got\n%.*s--- not\n%s---", SLICE_FMT(buf_slice(&c.events)), want);
    buf_done(&c.events);
    record_decoder_free(c.decoder);
    keys_free(c.keys);
    unwrapped_done(&c.t);
}
#define CHECK_CHAIN(kind, content_type, body, want)                                                \
    check_at(__FILE__, __LINE__, kind, content_type, SLICE(body), want)

TEST(bulk)
{
    CHECK_CHAIN(CONTAINER_BULK, "",
                "{\"create\":{\"_index\":\"winlogbeat\"}}\n"
                "{\"winlog\":{\"event_data\":{\"Image\":\"C:\\\\x.exe\"}},\"message\":\"Process "
                "Create:\"}\n"
                "{\"create\":{\"_index\":\"filebeat\"}}\n{\"message\":\"Oct 11 22:14:15 h sshd[7]: "
                "Failed\"}\n",
                "0 message=Process Create: winlog.event_data.Image=C:\\x.exe\n"
                "1 program=sshd message=Oct 11 22:14:15 h sshd[7]: Failed\n");
}

TEST(hec)
{
    CHECK_CHAIN(
        CONTAINER_HEC, "",
        "{\"event\":\"<34>su: x\",\"sourcetype\":\"syslog\"}{\"event\":{\"program\":\"p\"}}",
        "0 program=su message=x sourcetype=syslog\n1 program=p\n");
    CHECK_CHAIN(CONTAINER_HEC_RAW, "", "Oct 11 22:14:15 h su: one\nwords\n",
                "0 program=su message=one sourcetype=raw\n1 message=words sourcetype=raw\n");
}

TEST(otlp)
{
    CHECK_CHAIN(CONTAINER_OTLP_LOGS, "application/json",
                "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                "\"value\":{\"stringValue\":\"s\"}}]},"
                "\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"a\"}},{\"body\":{"
                "\"stringValue\":\"b\"}}]}]}]}",
                "0 message=a service.name=s\n1 message=b service.name=s\n");
    CHECK_CHAIN(CONTAINER_OTLP_LOGS, "application/x-protobuf",
                "\x0a\x24\x0a\x17\x0a\x15\x0a\x0cservice."
                "name\x12\x05\x0a\x03svc\x12\x09\x12\x07\x2a\x05\x0a\x03one",
                "0 message=one service.name=svc\n");
}

TEST(flow)
{
    CHECK_CHAIN(
        CONTAINER_FLOW, "",
        "\0\x09\0\1\0\0\0\0\x65\x53\xf1\0\0\0\0\0\0\0\0\1"
        "\0\0\0\x18\1\4\0\4\0\x08\0\4\0\x0b\0\2\0\4\0\1\0\1\0\4"
        "\1\4\0\x10\x0a\0\0\1\0\x35\x11\0\0\4\0\0",
        "0 source.ip=10.0.0.1 destination.port=53 network.transport=udp network.bytes=1024\n");
}
