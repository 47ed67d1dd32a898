/* SPDX-License-Identifier: EUPL-1.2 */
/* Records inside of envelopes, and forms that no source has as a whole. */
#include "normalise/record_forms.h"

#include "base/protobuf.h"
#include "record_trace.h"

/* What one record gives; `source` is where it came from. */
static void check_at(const char *file, int line, enum record_format format, struct slice raw,
                     struct slice context, const char *want)
{
    struct record_trace t;
    record_trace_init(&t);
    const struct record_sink sink = record_trace_sink(&t);
    struct record r = {.raw = raw,
                       .context = context,
                       .source = SLICE("flow\tdefault\t\t192.0.2.9"),
                       .format = (uint8_t)format};
    for (int i = 0; i < 2; i++) {
        buf_clear(&t.text);
        int rc = record_decoder_one(t.decoder, &r, &sink);
        if (rc != 0 || !slice_eq(buf_slice(&t.text), slice_of(want)))
            test_fail(file, line, "got\n%.*s--- not\n%s---", SLICE_FMT(buf_slice(&t.text)), want);
        keys_clear(t.keys);
    }
    record_trace_done(&t);
}
#define CHECK_FORM(format, raw, context, want)                                                     \
    check_at(__FILE__, __LINE__, format, SLICE(raw), SLICE(context), want)

/* ---- messages that are records ------------------------------------------------------------ */

TEST(syslog_messages_that_are_json_or_audit_records)
{
    CHECK_FORM(
        RECORD_SYSLOG, "<13>Feb  5 17:32:18 h suricata[7]: {\"event_type\":\"dns\",\"n\":1}", "",
        "0 syslog|priority=13|facility=1|severity=5|timestamp=Feb  5 17:32:18|hostname=h"
        "|program=suricata|pid=7|message={\"event_type\":\"dns\",\"n\":1}|event_type=dns|n:=1\n");
    CHECK_FORM(
        RECORD_SYSLOG, "<13>app: @cee: {\"a\":\"b\"}", "",
        "0 syslog|priority=13|facility=1|severity=5|program=app|message=@cee: {\"a\":\"b\"}|a=b\n");
    CHECK_FORM(
        RECORD_TEXT, "Feb  5 17:32:18 h audispd: node=n type=CWD msg=audit(1.5:2): cwd=\"/\"", "",
        "0 syslog|timestamp=Feb  5 17:32:18|hostname=h|program=audispd"
        "|message=node=n type=CWD msg=audit(1.5:2): cwd=\"/\"|type=CWD|node=n|audit.timestamp=1.5"
        "|audit.sequence=2|cwd=/\n");
    /* Not a record: nothing is added. */
    CHECK_FORM(
        RECORD_SYSLOG, "<13>app: Feb  5 17:32:18 h su: x", "",
        "0 syslog|priority=13|facility=1|severity=5|program=app|message=Feb  5 17:32:18 h su: x\n");
}

TEST(messages_of_names_and_values)
{
    /* As FortiGate writes them; FortiMail puts commas between. */
    CHECK_FORM(RECORD_SYSLOG, "<189>date=2019-05-10 time=11:37:47 devid=\"FG\\\" 1\" msg='' x=", "",
               "0 syslog|priority=189|facility=23|severity=5"
               "|message=date=2019-05-10 time=11:37:47 devid=\"FG\\\" 1\" msg='' x="
               "|date=2019-05-10|time=11:37:47|devid=FG\\\" 1|msg=|x=\n");
    CHECK_FORM(RECORD_TEXT, "date=2023-02-06,time=18:06, user=a,b,ui=mail", "",
               "0 syslog|message=date=2023-02-06,time=18:06, user=a,b,ui=mail"
               "|date=2023-02-06|time=18:06|user=a,b|ui=mail\n");
    CHECK_FORM(RECORD_HEC, "{\"event\":\"a=1 b=2 c=3\"}", "", "0 hec|a=1|b=2|c=3\n");
    CHECK_FORM(RECORD_BEATS, "{\"message\":\"a=1 b=2 c=\\\"3\\\"\"}", "",
               "0 json|message=a=1 b=2 c=\"3\"|a=1|b=2|c=3\n");
    /* Words, too few, an open quote, something behind a quote. */
    static const char *const others[] = {"a=1 b=2 c=3 and words", "a=1 b=2",  "a=1 b=2 c=\"3",
                                         "a=1 b=2 c=\"3\"x",      "=1 =2 =3", "a=1 b=2 c3"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "0 syslog|message=%s\n", others[i]);
        check_at(__FILE__, __LINE__, RECORD_TEXT, slice_of(others[i]), SLICE_NONE, want);
    }
}

TEST(shipped_messages_that_are_log_lines)
{
    CHECK_FORM(RECORD_BEATS,
               "{\"message\":\"Feb  5 17:32:18 h sshd[7]: Failed "
               "\\\"x\\\"\",\"agent\":{\"type\":\"filebeat\"}}",
               "",
               "0 json|message=Feb  5 17:32:18 h sshd[7]: Failed \"x\"|agent.type=filebeat"
               "|timestamp=Feb  5 17:32:18|hostname=h|program=sshd|pid=7|message=Failed \"x\"\n");
    CHECK_FORM(RECORD_BULK, "{\"message\":\"{\\\"a\\\":{\\\"b\\\":1}}\"}", "{\"create\":{}}",
               "0 json|message={\"a\":{\"b\":1}}|a.b:=1\n");
    /* A time alone says nothing of a host. */
    CHECK_FORM(RECORD_BEATS, "{\"message\":\"2026-01-01T00:00:00Z ERROR it failed\"}", "",
               "0 json|message=2026-01-01T00:00:00Z ERROR it failed\n");
    /* What is posted as JSON stays what it is, as in a file. */
    CHECK_FORM(RECORD_JSON, "{\"message\":\"<34>su: x\"}", "", "0 json|message=<34>su: x\n");
}

/* ---- HEC ---------------------------------------------------------------------------------- */

TEST(hec_objects)
{
    CHECK_FORM(
        RECORD_HEC,
        "{\"time\":1426279439.5,\"host\":\"localhost\",\"source\":\"s\",\"sourcetype\":\"t\","
        "\"index\":\"main\","
        "\"event\":{\"a\":{\"b\":\"\\u00e5\"},\"host\":\"own\"},\"fields\":{\"f\":[\"x\",2],\"g."
        "h\":true,\"i\":null}}",
        "",
        "0 hec|a.b=\xc3\xa5|host=own|time:=1426279439.5|source=s|sourcetype=t|index=main|f=x|f:=2"
        "|g.h?=true|i=null\n");
    CHECK_FORM(
        RECORD_HEC, "{\"event\":\"<34>Oct 11 22:14:15 h su: \\u00e5\",\"host\":\"x\"}", "",
        "0 hec|priority=34|facility=4|severity=2|timestamp=Oct 11 22:14:15|hostname=h|program=su"
        "|message=\xc3\xa5|host=x\n");
    CHECK_FORM(RECORD_HEC, "{\"event\":\"{\\\"EventID\\\":4624}\",\"time\":\"1\",\"time\":\"2\"}",
               "", "0 hec|EventID:=4624|time=1\n");
    CHECK_FORM(RECORD_HEC, "{\"event\":\"just words\"}", "", "0 hec|message=just words\n");
    CHECK_FORM(RECORD_HEC, "{\"event\":42,\"host\":\"h\"}", "", "0 hec|message=42|host=h\n");
    CHECK_FORM(RECORD_HEC, "{\"time\":1}", "", "0 undecodable: the event is missing\n");
    CHECK_FORM(RECORD_HEC, "{\"event\":", "", "0 undecodable: not a JSON object\n");
}

TEST(hec_lines)
{
    CHECK_FORM(
        RECORD_HEC, "type=LOGIN msg=audit(1.5:2): pid=7", "?host=a%20b+c&x=y&sourcetype=%zz&host=d",
        "0 hec|type=LOGIN|audit.timestamp=1.5|audit.sequence=2|pid=7|host=a b c|sourcetype=%zz\n");
    CHECK_FORM(RECORD_HEC, "{\"host\":\"own\",\"a\":1}", "?host=h", "0 hec|host=own|a:=1\n");
    CHECK_FORM(RECORD_HEC, "just words", "?", "0 hec|message=just words\n");
    CHECK_FORM(RECORD_HEC, " ", "?", "0 undecodable: nothing is in it\n");
}

/* ---- OTLP --------------------------------------------------------------------------------- */

static const char otlp_events[] =
    "0 otlp|log.level=Information|event.severity=10|string.attribute=some "
    "string|boolean.attribute?=true"
    "|int.attribute:=-10|double.attribute:=637.5|array.attribute=many|array.attribute:=2"
    "|map.attribute.some.key=some value|empty=null|trace.id=5b8efff798038103d269b633813fc60c"
    "|span.id=eee19b7ec3c1b174|event.name=e|@timestamp=2018-12-13T14:51:00.300Z|service.name=my."
    "service"
    "|scope.name=my.library|scope.version=1.0.0|message=Example log record\n";

/* After the example in opentelemetry-proto, examples/logs.json. */
TEST(otlp_json)
{
    CHECK_FORM(
        RECORD_OTLP_JSON,
        "{\"timeUnixNano\":\"1544712660300000000\",\"observedTimeUnixNano\":"
        "\"1544712660300000001\","
        "\"severityNumber\":10,\"severityText\":\"Information\",\"traceId\":"
        "\"5b8efff798038103d269b633813fc60c\","
        "\"spanId\":\"eee19b7ec3c1b174\",\"eventName\":\"e\",\"body\":{\"stringValue\":\"Example "
        "log record\"},"
        "\"attributes\":[{\"key\":\"string.attribute\",\"value\":{\"stringValue\":\"some "
        "string\"}},"
        "{\"key\":\"boolean.attribute\",\"value\":{\"boolValue\":true}},"
        "{\"key\":\"int.attribute\",\"value\":{\"intValue\":\"-10\"}},"
        "{\"key\":\"double.attribute\",\"value\":{\"doubleValue\":637.5}},"
        "{\"key\":\"array.attribute\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":"
        "\"many\"},{\"intValue\":2}]}}},"
        "{\"key\":\"map.attribute\",\"value\":{\"kvlistValue\":{\"values\":[{\"key\":\"some.key\","
        "\"value\":"
        "{\"stringValue\":\"some value\"}}]}}},{\"key\":\"empty\",\"value\":{}},{\"nokey\":1},7]}",
        "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"my."
        "service\"}}]},"
        "\"scopeLogs\":[{\"scope\":{\"name\":\"my.library\",\"version\":\"1.0.0\"}}]}",
        otlp_events);
}

static void put_value(struct buf *out, uint32_t id, struct slice text)
{
    struct buf any;
    buf_init(&any, 1024);
    proto_put_bytes(&any, 1, text);
    proto_put_bytes(out, id, buf_slice(&any));
    buf_done(&any);
}

/* A KeyValue as field `id` whose AnyValue is given as bytes. */
static void put_pair(struct buf *out, uint32_t id, const char *key, struct slice any)
{
    struct buf pair;
    buf_init(&pair, 1024);
    proto_put_bytes(&pair, 1, slice_of(key));
    proto_put_bytes(&pair, 2, any);
    proto_put_bytes(out, id, buf_slice(&pair));
    buf_done(&pair);
}

static void put_context(struct buf *out)
{
    struct buf part, scope;
    buf_init(&part, 1024);
    buf_init(&scope, 1024);
    put_pair(&part, 1, "service.name", SLICE("\x0a\x0amy.service"));
    proto_put_bytes(out, 1, buf_slice(&part));
    buf_clear(&part);
    proto_put_bytes(&part, 1, SLICE("my.library"));
    proto_put_bytes(&part, 2, SLICE("1.0.0"));
    proto_put_bytes(&scope, 1, buf_slice(&part));
    proto_put_bytes(out, 2, buf_slice(&scope));
    buf_done(&part);
    buf_done(&scope);
}

/* The same record as above. */
static void put_log_record(struct buf *out)
{
    proto_put_bytes(out, 3, SLICE("Information"));
    proto_put_number(out, 2, 10);
    put_value(out, 5, SLICE("Example log record"));
    put_pair(out, 6, "string.attribute", SLICE("\x0a\x0bsome string"));
    put_pair(out, 6, "boolean.attribute", SLICE("\x10\x01"));
    put_pair(out, 6, "int.attribute", SLICE("\x18\xf6\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    put_pair(out, 6, "double.attribute", SLICE("\x21\0\0\0\0\0\xec\x83\x40"));
    put_pair(out, 6, "array.attribute", SLICE("\x2a\x0c\x0a\x06\x0a\x04many\x0a\x02\x18\x02"));
    put_pair(out, 6, "map.attribute",
             SLICE("\x32\x1a\x0a\x18\x0a\x08some.key\x12\x0c\x0a\x0asome value"));
    put_pair(out, 6, "empty", SLICE(""));
    proto_put_bytes(out, 9,
                    SLICE("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"));
    proto_put_bytes(out, 10, SLICE("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74"));
    proto_put_bytes(out, 12, SLICE("e"));
    buf_put(out, SLICE("\x09\x00\xeb\x3a\xf5\xfa\xeb\x6f\x15")); /* time, fixed64 */
    buf_put(out, SLICE("\x59\x01\xeb\x3a\xf5\xfa\xeb\x6f\x15")); /* observed */
}

TEST(otlp_proto_says_the_same)
{
    struct buf raw, context;
    buf_init(&raw, 4096);
    buf_init(&context, 4096);
    put_log_record(&raw);
    put_context(&context);
    check_at(__FILE__, __LINE__, RECORD_OTLP_PROTO, buf_slice(&raw), buf_slice(&context),
             otlp_events);
    buf_done(&raw);
    buf_done(&context);
}

TEST(otlp_bodies)
{
    CHECK_FORM(RECORD_OTLP_PROTO, "\x2a\x1e\x0a\x1cOct 11 22:14:15 h su: failed", "",
               "0 otlp|timestamp=Oct 11 22:14:15|hostname=h|program=su|message=failed\n");
    CHECK_FORM(RECORD_OTLP_PROTO, "\x2a\x0d\x32\x0b\x0a\x09\x0a\x01k\x12\x04\x0a\x02vv", "",
               "0 otlp|k=vv\n");
    CHECK_FORM(RECORD_OTLP_PROTO, "\x2a\x04\x3a\x02\xab\x01", "", "0 otlp|message=ab01\n");
    CHECK_FORM(RECORD_OTLP_JSON, "{\"body\":{\"stringValue\":\"{\\\"a\\\":1}\"}}", "",
               "0 otlp|a:=1\n");
    CHECK_FORM(RECORD_OTLP_JSON,
               "{\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"channel\",\"value\":{"
               "\"stringValue\":\"Security\"}},"
               "{\"key\":\"event_data\",\"value\":{\"kvlistValue\":{\"values\":[{\"key\":\"Image\","
               "\"value\":"
               "{\"stringValue\":\"x\"}}]}}}]}}}",
               "", "0 otlp|channel=Security|event_data.Image=x\n");
    CHECK_FORM(RECORD_OTLP_JSON, "{\"body\":{\"intValue\":7}}", "", "0 otlp|message:=7\n");
}

TEST(otlp_damage)
{
    CHECK_FORM(RECORD_OTLP_PROTO, "", "", "0 undecodable: nothing is in it\n");
    CHECK_FORM(RECORD_OTLP_PROTO, "\xff", "", "0 undecodable: not a LogRecord\n");
    CHECK_FORM(RECORD_OTLP_PROTO, "\x1a\x01x\x2a\x7f", "\x0a\x7f", "0 otlp!|log.level=x\n");
    CHECK_FORM(RECORD_OTLP_JSON, "{", "", "0 undecodable: not a LogRecord\n");
    CHECK_FORM(RECORD_OTLP_JSON, "{}", "{\"resource\":7", "0 undecodable: nothing is in it\n");
    CHECK_FORM(RECORD_OTLP_JSON, "{\"severityText\":\"x\"}", "{\"resource\":7,\"scopeLogs\":[7]}",
               "0 otlp|log.level=x\n");
}

/* ---- journal ------------------------------------------------------------------------------ */

TEST(journal_entries)
{
    CHECK_FORM(RECORD_JOURNAL,
               "__REALTIME_TIMESTAMP=1342540861416351\n_HOSTNAME=h\nSYSLOG_IDENTIFIER=sshd\n_COMM="
               "sshd-x\n_PID=7\n"
               "PRIORITY=6\nSYSLOG_FACILITY=10\nMESSAGE\n\x07\0\0\0\0\0\0\0a=b\n\ncd\nEMPTY=\n",
               "",
               "0 "
               "journal|__REALTIME_TIMESTAMP=1342540861416351|_HOSTNAME=h|SYSLOG_IDENTIFIER=sshd|_"
               "COMM=sshd-x"
               "|_PID=7|PRIORITY=6|severity=6|SYSLOG_FACILITY=10|facility=10|MESSAGE=a=b\n\ncd|"
               "EMPTY=|pid=7\n");
    CHECK_FORM(RECORD_JOURNAL, "_COMM=cron\nMESSAGE=x", "",
               "0 journal|_COMM=cron|MESSAGE=x|program=cron\n");
    CHECK_FORM(RECORD_JOURNAL, "MESSAGE=x\nBROKEN\n\xff\xff\xff\xff\xff\xff\xff\xffy\n", "",
               "0 journal!|MESSAGE=x\n");
    CHECK_FORM(RECORD_JOURNAL, "BROKEN", "",
               "0 undecodable: no field of a journal entry is in it\n");
    CHECK_FORM(RECORD_JOURNAL, "", "", "0 undecodable: no field of a journal entry is in it\n");
}

/* ---- flows -------------------------------------------------------------------------------- */

TEST(netflow5)
{
    /* Up for 100 s at 1700000000.5; the flow lasted from second 90 to 95. */
    CHECK_FORM(
        RECORD_NETFLOW5,
        "\x0a\0\0\1\xc0\0\2\2\0\0\0\0\0\3\0\4\0\0\0\x0a\0\0\3\xe8\0\1\x5f\x90\0\1\x73\x18"
        "\xd4\x31\0\x35\0\x1b\x11\0\xfd\xe8\xfd\xe9\x18\x10\0\0",
        "\0\5\0\1\0\1\x86\xa0\x65\x53\xf1\0\x1d\xcd\x65\0\0\0\0\7\1\2\0\0",
        "0 "
        "netflow|@timestamp=2023-11-14T22:13:20.500Z|netflow.type=netflow_flow|netflow.exporter."
        "version=5"
        "|netflow.exporter.source_id=258|observer.ip=192.0.2.9"
        "|netflow.source_ipv4_address=10.0.0.1|source.ip=10.0.0.1|network.type=ipv4"
        "|netflow.destination_ipv4_address=192.0.2.2|destination.ip=192.0.2.2"
        "|netflow.ip_next_hop_ipv4_address=0.0.0.0|netflow.ingress_interface:=3|netflow.egress_"
        "interface:=4"
        "|netflow.packet_delta_count:=10|netflow.octet_delta_count:=1000"
        "|netflow.flow_start_sys_up_time:=90000|netflow.flow_end_sys_up_time:=95000"
        "|netflow.source_transport_port:=54321|source.port:=54321"
        "|netflow.destination_transport_port:=53|destination.port:=53|netflow.tcp_control_bits:=27"
        "|netflow.protocol_identifier:=17|network.iana_number=17|network.transport=udp"
        "|netflow.ip_class_of_service:=0|netflow.bgp_source_as_number:=65000|source.as.number:="
        "65000"
        "|netflow.bgp_destination_as_number:=65001|destination.as.number:=65001"
        "|netflow.source_ipv4_prefix_length:=24|netflow.destination_ipv4_prefix_length:=16"
        "|source.bytes=1000|source.packets=10|network.bytes=1000|network.packets=10"
        "|event.start=2023-11-14T22:13:10.500Z|event.end=2023-11-14T22:13:15.500Z|event.duration="
        "5000000000\n");
    CHECK_FORM(RECORD_NETFLOW5, "x", "\0\5", "0 undecodable: its packet header is missing\n");
    CHECK_FORM(RECORD_NETFLOW5, "x",
               "\0\5\0\1\0\1\x86\xa0\x65\x53\xf1\0\x1d\xcd\x65\0\0\0\0\7\1\2\0\0",
               "0 undecodable: the record ends too early\n");
}

#define V9_HEADER    "\0\x09\0\1\0\1\x86\xa0\x65\x53\xf1\0\0\0\0\0\0\0\0\5"
#define IPFIX_HEADER "\0\x0a\0\x40\x65\x53\xf1\0\0\0\0\0\0\0\0\7"

TEST(netflow9)
{
    CHECK_FORM(
        RECORD_NETFLOW9,
        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\0\x1b\x21\xaa\xbb\xcc\x07\xd0\0\0if0\0\xab",
        V9_HEADER "\0\0\1\x04\0\x07\0\x1b\0\x10\0\x3d\0\1\0\x38\0\6\0\x01\0\2\0\x17\0\2\0\x52\0\4"
                  "\x27\x0f\0\1",
        "0 "
        "netflow|@timestamp=2023-11-14T22:13:20.000Z|netflow.type=netflow_flow|netflow.exporter."
        "version=9"
        "|netflow.exporter.source_id=5|observer.ip=192.0.2.9|netflow.source_ipv6_address=2001:db8::"
        "1"
        "|source.ip=2001:db8::1|network.type=ipv6|netflow.flow_direction:=1|network.direction="
        "outbound"
        "|netflow.source_mac_address=00-1B-21-AA-BB-CC|source.mac=00-1B-21-AA-BB-CC"
        "|netflow.octet_delta_count:=2000|netflow.post_octet_delta_count:=0|netflow.interface_name="
        "if0"
        "|netflow.element_9999:=171|source.bytes=2000|network.bytes=2000\n");
    /* Options: scope field 1 (the exporter), sampling interval. */
    CHECK_FORM(RECORD_NETFLOW9, "\0\0\0\5\0\0\0\x64",
               V9_HEADER "\0\1\1\1\0\4\0\4\0\x90\0\4\0\x22\0\4",
               "0 netflow|@timestamp=2023-11-14T22:13:20.000Z|netflow.type=netflow_options"
               "|netflow.exporter.version=9|netflow.exporter.source_id=5|observer.ip=192.0.2.9"
               "|netflow.exporting_process_id:=5|netflow.sampling_interval:=100\n");
}

TEST(ipfix)
{
    /* Both directions, NTP times, an enterprise's field, text, a list, the reverse, a truth. */
    CHECK_FORM(
        RECORD_IPFIX,
        "\0\0\0\0\0\0\0\x0a\0\x05\xe8\xfd\xf0\x80\x80\0\0\0\xe8\xfd\xf0\x81\0\0\0\0\xff\x04web\0\2"
        "\xab\xcd\0\0\0\x09\x01",
        IPFIX_HEADER "\0\2\x01\x2c\0\x09\0\xe7\0\x08\0\xe8\0\2\0\x9a\0\x08\0\x9b\0\x08\x80\x0c\0\1"
                     "\0\0\0\x09\0\x52\xff\xff"
                     "\x01\x23\xff\xff\x80\1\0\4\0\0\x72\x79\x01\x14\0\1",
        "0 "
        "netflow|@timestamp=2023-11-14T22:13:20.000Z|netflow.type=netflow_flow|netflow.exporter."
        "version=10"
        "|netflow.exporter.source_id=7|observer.ip=192.0.2.9|netflow.initiator_octets:=10"
        "|netflow.responder_octets:=5|netflow.flow_start_microseconds=2023-11-14T13:11:28.500Z"
        "|netflow.flow_end_microseconds=2023-11-14T13:11:29.000Z|netflow.element_9_12:=255"
        "|netflow.interface_name=web|netflow.basic_list=abcd|netflow.reverse_octet_delta_count:=9"
        "|netflow.data_records_reliability?=true|source.bytes=10|destination.bytes=5|network.bytes="
        "15"
        "|event.start=2023-11-14T13:11:28.500Z|event.end=2023-11-14T13:11:29.000Z|event.duration="
        "500000000\n");
    /* Lengths that are not the element's: an address of three bytes, a number of nine, a float of
     * two. */
    CHECK_FORM(
        RECORD_IPFIX, "\1\2\3\0\0\0\0\0\0\0\0\1\x0a\x0b\0",
        IPFIX_HEADER "\0\2\x01\x2c\0\x04\0\x08\0\3\0\x01\0\x09\x01\x40\0\2\0\x07\0\1",
        "0 "
        "netflow|@timestamp=2023-11-14T22:13:20.000Z|netflow.type=netflow_flow|netflow.exporter."
        "version=10"
        "|netflow.exporter.source_id=7|observer.ip=192.0.2.9|netflow.source_ipv4_address=010203"
        "|network.type=ipv4|netflow.octet_delta_count=000000000000000001"
        "|netflow.absolute_error=0a0b|netflow.source_transport_port:=0|source.port:=0\n");
    CHECK_FORM(RECORD_IPFIX, "xx", IPFIX_HEADER "\0\2\x01\x2c\0\x02\0\x08\0\4",
               "0 undecodable: its template cannot be read\n");
    CHECK_FORM(RECORD_IPFIX, "xx", IPFIX_HEADER "\1\0\x01\x2c\0\x01\0\x08\0\4",
               "0 undecodable: its template cannot be read\n");
    CHECK_FORM(RECORD_IPFIX, "xx", IPFIX_HEADER,
               "0 undecodable: its header and template are missing\n");
    CHECK_FORM(RECORD_IPFIX, "xx", IPFIX_HEADER "\0\2\x01\x2c\0\x01\0\x08\0\4",
               "0 undecodable: the record ends too early\n");
}

/* ---- name=value pairs --------------------------------------------------------------------- */

/* name=value|… of the pairs, or "no" when the text is none. */
static void check_pairs(const char *text, const char *want)
{
    struct keys *keys = keys_new();
    struct arena arena;
    struct event ev;
    struct buf got;
    REQUIRE(keys);
    arena_init(&arena, 65536);
    event_init(&ev, keys, &arena);
    buf_init(&got, 65536);
    if (!kv_read(slice_of(text), &ev)) buf_puts(&got, "no");
    for (uint32_t i = 0; i < ev.n_fields; i++) {
        struct slice name = keys_name(keys, ev.fields[i].key), value = ev.fields[i].value;
        buf_printf(&got, "%s%.*s=%.*s", i ? "|" : "", SLICE_FMT(name), SLICE_FMT(value));
    }
    if (!slice_eq(buf_slice(&got), slice_of(want)))
        test_fail(__FILE__, __LINE__, "%s: %.*s", text, SLICE_FMT(buf_slice(&got)));
    buf_done(&got);
    event_done(&ev);
    arena_done(&arena);
    keys_free(keys);
}

TEST(pairs)
{
    check_pairs("a=1 b=2 c=3", "a=1|b=2|c=3");
    check_pairs(" a=1\tb=\"x y\"  c='z' ", "a=1|b=x y|c=z");
    check_pairs("a=1,b=2, c=x,y", "a=1|b=2|c=x,y");
    check_pairs("a=,b=\"\" c=", "a=|b=|c=");
    check_pairs("a=\"x\\\"y\" b=\"z\\\\\" c=\"\\\\\\\"\"", "a=x\\\"y|b=z\\\\|c=\\\\\\\"");
    check_pairs("a=1 b=2", "no");              /* too few */
    check_pairs("a=1 b=2 c=3 and more", "no"); /* words */
    check_pairs("a=1 b=2 c=\"open", "no");
    check_pairs("a=1 b=2 c=\"open\\\"", "no");
    check_pairs("a=1 b=\"2\"c=3", "no");
    check_pairs("a=1 b=2 =3", "no");
}

/* More than are kept while it is not known whether all of the text is pairs. */
TEST(many_pairs)
{
    char text[2048], want[2048];
    size_t n = 0, m = 0;
    for (int i = 0; i < 100; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "n%d=%d ", i, i);
        m += (size_t)snprintf(want + m, sizeof want - m, "%sn%d=%d", i ? "|" : "", i, i);
    }
    check_pairs(text, want);
    (void)snprintf(text + n, sizeof text - n, "word");
    check_pairs(text, "no");
}
