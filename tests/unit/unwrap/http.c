/* SPDX-License-Identifier: EUPL-1.2 */
/* NDJSON, _bulk and Splunk's HEC. */
#include "unwrapped.h"

/* ---- NDJSON ------------------------------------------------------------------------------- */

TEST(ndjson_lines)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_NDJSON, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(&t, "{\"a\":1}\r\n\n  {\"b\":\"\xff\"} \n{\"c\":3}",
                    "0 json {\"a\":1}\n1 json {\"b\":\"\\xff\"}\n2 json {\"c\":3}\n", 200,
                    "{\"taken\":3,\"refused\":0,\"errors\":[]}");
    UNWRAPPED_CHECK(
        &t, "{\"a\":1}\nnot json\n[1]\n{\"open\":\n{\"b\":2}\n",
        "0 json {\"a\":1}\n4 json {\"b\":2}\n", 200,
        "{\"taken\":2,\"refused\":3,\"errors\":[{\"line\":2,\"reason\":\"not a JSON object\"},"
        "{\"line\":3,\"reason\":\"not a JSON object\"},"
        "{\"line\":4,\"reason\":\"not a JSON object\"}]}");
    CHECK_INT(t.answer.refused[UNWRAP_NOT_OBJECT], 3);
    CHECK_INT(t.answer.taken, 2);
    CHECK_SLICE(slice_of(t.answer.content_type), "application/json");
    UNWRAPPED_CHECK(
        &t, "nothing", "", 400,
        "{\"taken\":0,\"refused\":1,\"errors\":[{\"line\":1,\"reason\":\"not a JSON object\"}]}");
    UNWRAPPED_CHECK(&t, "", "", 200, "{\"taken\":0,\"refused\":0,\"errors\":[]}");
    UNWRAPPED_CHECK(&t, "\xEF\xBB\xBF{\n \"pretty\": [\n]\n}\n",
                    "0 json {\\x0a \"pretty\": [\\x0a]\\x0a}\n", 200,
                    "{\"taken\":1,\"refused\":0,\"errors\":[]}");
    unwrapped_done(&t);
}

TEST(ndjson_array)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_NDJSON, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(&t, " [ {\"a\":\"]\"} , {\"b\":[{}]} ] ",
                    "0 json {\"a\":\"]\"}\n1 json {\"b\":[{}]}\n", 200,
                    "{\"taken\":2,\"refused\":0,\"errors\":[]}");
    UNWRAPPED_CHECK(&t, "[]", "", 200, "{\"taken\":0,\"refused\":0,\"errors\":[]}");
    UNWRAPPED_CHECK(
        &t, "[{\"a\":1},7,{\"b\":2},{\"c\":", "0 json {\"a\":1}\n2 json {\"b\":2}\n", 200,
        "{\"taken\":2,\"refused\":2,\"errors\":[{\"item\":2,\"reason\":\"not a JSON object\"},"
        "{\"item\":4,\"reason\":\"not what the format asks for\"}]}");
    unwrapped_done(&t);
}

TEST(limits_refuse_single_records)
{
    struct unwrap_options options = unwrap_options_default();
    options.records_max = 3;
    options.errors_max = 1;
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_NDJSON, &options, BATCH_MAX);
    struct buf body;
    buf_init(&body, 4 * RECORD_MAX);
    buf_puts(&body, "{\"a\":1}\n{\"x\":\"");
    for (size_t i = 0; i < RECORD_MAX; i++) buf_putc(&body, 'x');
    buf_puts(&body, "\"}\n{\"b\":2}\n{\"c\":3}\n{\"d\":4}\n");
    unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&body),
                       "0 json {\"a\":1}\n2 json {\"b\":2}\n", 200,
                       "{\"taken\":2,\"refused\":3,\"errors\":[{\"line\":2,\"reason\":"
                       "\"larger than a record may be\"}]}");
    CHECK_INT(t.answer.refused[UNWRAP_TOO_LARGE], 1);
    CHECK_INT(t.answer.refused[UNWRAP_TOO_MANY], 2);
    buf_done(&body);
    unwrapped_done(&t);
}

TEST(a_large_body_becomes_several_batches)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_NDJSON, NULL, 250);
    t.batches = true;
    UNWRAPPED_CHECK(
        &t, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n{\"a\":5}\n",
        "0 json {\"a\":1}\n1 json {\"a\":2}\n--\n2 json {\"a\":3}\n3 json {\"a\":4}\n--\n"
        "4 json {\"a\":5}\n--\n",
        200, "{\"taken\":5,\"refused\":0,\"errors\":[]}");
    t.refuse_batch = ERR_STOPPED;
    CHECK_INT(unwrapped_run(&t, SLICE("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")), ERR_STOPPED);
    unwrapped_done(&t);
}

/* ---- _bulk -------------------------------------------------------------------------------- */

TEST(bulk_items_have_a_status_each)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_BULK, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(
        &t,
        "{\"index\":{\"_index\":\"test\",\"_id\":\"1\"}}\n{\"field1\":\"value1\"}\n"
        "{\"delete\":{\"_index\":\"test\",\"_id\":\"2\"}}\n"
        "{\"create\":{\"_index\":\"test\",\"_id\":\"3\"}}\n{\"field1\":\"value3\"}\n"
        "{\"update\":{\"_id\":\"1\",\"_index\":\"test\"}}\n{\"doc\":{\"field2\":\"value2\"}}\n",
        "0 bulk {\"field1\":\"value1\"} < {\"index\":{\"_index\":\"test\",\"_id\":\"1\"}}\n"
        "2 bulk {\"field1\":\"value3\"} < {\"create\":{\"_index\":\"test\",\"_id\":\"3\"}}\n",
        200,
        "{\"took\":0,\"errors\":true,\"items\":["
        "{\"index\":{\"_index\":\"test\",\"_id\":\"1\",\"_version\":1,\"result\":\"created\","
        "\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,"
        "\"status\":201}},"
        "{\"delete\":{\"_index\":\"test\",\"_id\":\"2\",\"status\":400,\"error\":{\"type\":"
        "\"illegal_argument_exception\",\"reason\":\"an action that keeps no new record\"}}},"
        "{\"create\":{\"_index\":\"test\",\"_id\":\"3\",\"_version\":1,\"result\":\"created\","
        "\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":2,\"_primary_term\":1,"
        "\"status\":201}},"
        "{\"update\":{\"_index\":\"test\",\"_id\":\"1\",\"status\":400,\"error\":{\"type\":"
        "\"illegal_argument_exception\",\"reason\":\"an action that keeps no new record\"}}}]}");
    CHECK_SLICE(slice_of(t.answer.header), "X-Elastic-Product: Elasticsearch");
    CHECK_INT(t.answer.refused[UNWRAP_BAD_ACTION], 2);
    unwrapped_done(&t);
}

/* As Beats and Logstash send: no _id, the index in the path, the last line without its end. */
TEST(bulk_without_names)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_BULK, NULL, BATCH_MAX);
    t.container.target = SLICE("logs-\"x\"");
    UNWRAPPED_CHECK(
        &t, "{\"create\":{}}\n{\"a\":1}\n\n{\"create\":{}}\r\n not an object \r\n",
        "0 bulk {\"a\":1} < {\"create\":{}}\n", 200,
        "{\"took\":0,\"errors\":true,\"items\":["
        "{\"create\":{\"_index\":\"logs-\\\"x\\\"\",\"_id\":\"000000006553f100-0\","
        "\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,"
        "\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,\"status\":201}},"
        "{\"create\":{\"_index\":\"logs-\\\"x\\\"\",\"_id\":\"000000006553f100-1\","
        "\"status\":400,\"error\":{\"type\":\"document_parsing_exception\",\"reason\":"
        "\"not a JSON object\"}}}]}");
    unwrapped_done(&t);
}

TEST(bulk_without_structure_is_refused_whole)
{
    static const char *const bodies[] = {
        "{\"create\":{}}\n{\"a\":1}\n{\"a\":2}\n",
        "{\"create\":{}}\n{\"a\":1}\nnonsense\n",
        "{\"create\":{}}\n{\"a\":1}\n{\"create\":{}}\n",
        "{\"create\":{}}\n{\"a\":1}\n{\"drop\":{}}\n{}\n",
        "{\"create\":{}}\n{\"a\":1}\n{\"create\":{},\"index\":{}}\n{}\n",
        "{\"create\":{}}\n{\"a\":1}\n{\"create\":1}\n{}\n",
    };
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_BULK, NULL, BATCH_MAX);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        unwrapped_check_at(
            __FILE__, __LINE__, &t, slice_of(bodies[i]), "", 400,
            "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":"
            "\"Malformed action/metadata line [3]\"}],\"type\":\"illegal_argument_exception\","
            "\"reason\":\"Malformed action/metadata line [3]\"},\"status\":400}");
    UNWRAPPED_CHECK(
        &t, " \n", "", 400,
        "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":"
        "\"request body is required\"}],\"type\":\"illegal_argument_exception\","
        "\"reason\":\"request body is required\"},\"status\":400}");
    unwrapped_done(&t);
}

TEST(bulk_answers_are_bounded)
{
    struct unwrap_options options = unwrap_options_default();
    options.records_max = 2;
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_BULK, &options, BATCH_MAX);
    UNWRAPPED_CHECK(
        &t, "{\"delete\":{}}\n{\"delete\":{}}\n{\"delete\":{}}\n", "", 413,
        "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":"
        "\"more records than one request may hold\"}],\"type\":\"illegal_argument_exception\","
        "\"reason\":\"more records than one request may hold\"},\"status\":413}");
    /* A name that Elasticsearch would refuse is not said again. */
    struct buf body;
    buf_init(&body, 4096);
    buf_puts(&body, "{\"delete\":{\"_id\":\"");
    for (int i = 0; i < 600; i++) buf_putc(&body, 'x');
    buf_puts(&body, "\",\"_index\":7}}\n");
    unwrapped_check_at(
        __FILE__, __LINE__, &t, buf_slice(&body), "", 200,
        "{\"took\":0,\"errors\":true,\"items\":[{\"delete\":{\"_index\":7,\"_id\":"
        "\"000000006553f100-0\",\"status\":400,\"error\":{\"type\":"
        "\"illegal_argument_exception\",\"reason\":\"an action that keeps no new record\"}}}]}");
    buf_done(&body);
    t.container.kind = CONTAINER_HEC_ACK;
    t.container.query = SLICE("channel=FE0ECFAD-13D5-401B-847D-77833BD77131");
    UNWRAPPED_CHECK(&t, "{\"acks\":[1,2]}", "", 200, "{\"acks\":{\"1\":false,\"2\":false}}");
    UNWRAPPED_CHECK(&t, "{\"acks\":[1,2,3]}", "", 400,
                    "{\"text\":\"Invalid data format\",\"code\":6}");
    unwrapped_done(&t);
}

/* ---- HEC ---------------------------------------------------------------------------------- */

TEST(hec_events_stand_one_behind_the_other)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_HEC, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(&t,
                    "{\"event\":\"Pony 1 has left the barn\",\"time\":1}{\"event\":{\"a\":\"}\"}}\n"
                    "{\"event\":3,\"fields\":{\"roles\":[\"a\",\"b\"],\"n\":1}}",
                    "0 hec {\"event\":\"Pony 1 has left the barn\",\"time\":1}\n"
                    "1 hec {\"event\":{\"a\":\"}\"}}\n"
                    "2 hec {\"event\":3,\"fields\":{\"roles\":[\"a\",\"b\"],\"n\":1}}\n",
                    200, "{\"text\":\"Success\",\"code\":0}");
    UNWRAPPED_CHECK(&t, "[{\"event\":1},{\"event\":2}]",
                    "0 hec {\"event\":1}\n1 hec {\"event\":2}\n", 200,
                    "{\"text\":\"Success\",\"code\":0}");
    unwrapped_done(&t);
}

TEST(hec_names_the_first_bad_event_and_takes_the_good_ones)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_HEC, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(
        &t, "{\"event\":1}{\"time\":2}{\"event\":\"\"}{\"event\":4}",
        "0 hec {\"event\":1}\n3 hec {\"event\":4}\n", 400,
        "{\"text\":\"Event field is required\",\"code\":12,\"invalid-event-number\":1}");
    CHECK_INT(t.answer.refused[UNWRAP_NO_EVENT], 1);
    CHECK_INT(t.answer.refused[UNWRAP_BLANK_EVENT], 1);
    UNWRAPPED_CHECK(
        &t, "{\"event\":\"\"}", "", 400,
        "{\"text\":\"Event field cannot be blank\",\"code\":13,\"invalid-event-number\":0}");
    UNWRAPPED_CHECK(
        &t, "{\"event\":null}", "", 400,
        "{\"text\":\"Event field is required\",\"code\":12,\"invalid-event-number\":0}");
    UNWRAPPED_CHECK(
        &t,
        "{\"event\":1,\"fields\":{\"a\":{\"b\":1}}}{\"event\":1,\"fields\":{\"a\":[[1]]}}"
        "{\"event\":1,\"fields\":7}",
        "", 400,
        "{\"text\":\"Error in handling indexed fields\",\"code\":15,\"invalid-event-number\":0}");
    CHECK_INT(t.answer.refused[UNWRAP_BAD_FIELDS], 3);
    UNWRAPPED_CHECK(&t, "{\"event\":1} nonsense {\"event\":2}", "0 hec {\"event\":1}\n", 400,
                    "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}");
    UNWRAPPED_CHECK(&t, " ", "", 400, "{\"text\":\"No data\",\"code\":5}");
    unwrapped_done(&t);
}

TEST(hec_raw_lines_carry_the_query)
{
    struct unwrapped t;
    struct unwrap_options options = unwrap_options_default();
    options.records_max = 2;
    unwrapped_init(&t, CONTAINER_HEC_RAW, &options, BATCH_MAX);
    t.container.query = SLICE("host=h&sourcetype=syslog");
    UNWRAPPED_CHECK(&t, "one\r\n\n{\"event\":2}\n",
                    "0 hec one < ?host=h&sourcetype=syslog\n"
                    "1 hec {\"event\":2} < ?host=h&sourcetype=syslog\n",
                    200, "{\"text\":\"Success\",\"code\":0}");
    t.container.query = SLICE_NONE;
    UNWRAPPED_CHECK(&t, "one", "0 hec one < ?\n", 200, "{\"text\":\"Success\",\"code\":0}");
    UNWRAPPED_CHECK(&t, "\n\n", "", 400, "{\"text\":\"No data\",\"code\":5}");
    UNWRAPPED_CHECK(&t, "one\ntwo\nthree", "0 hec one < ?\n1 hec two < ?\n", 400,
                    "{\"text\":\"Invalid data format\",\"code\":6}");
    unwrapped_done(&t);
}

TEST(hec_acknowledges_by_number_when_asked_with_a_channel)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_HEC, NULL, BATCH_MAX);
    t.container.query = SLICE("channel=FE0ECFAD-13D5-401B-847D-77833BD77131");
    UNWRAPPED_CHECK(&t, "{\"event\":1}", "0 hec {\"event\":1}\n", 200,
                    "{\"text\":\"Success\",\"code\":0,\"ackId\":0}");
    t.container.query = SLICE("x=1&channel=fe0ecfad-13d5-401b-847d-77833bd77131");
    UNWRAPPED_CHECK(&t, "{\"event\":1}", "0 hec {\"event\":1}\n", 200,
                    "{\"text\":\"Success\",\"code\":0,\"ackId\":1}");
    t.container.kind = CONTAINER_HEC_ACK;
    UNWRAPPED_CHECK(&t, "{\"acks\": [1, 2,4]}", "", 200,
                    "{\"acks\":{\"1\":true,\"2\":false,\"4\":false}}");
    UNWRAPPED_CHECK(&t, "{\"acks\": [1, \"3\"]}", "", 400,
                    "{\"text\":\"Invalid data format\",\"code\":6}");
    UNWRAPPED_CHECK(&t, "", "", 400, "{\"text\":\"No data\",\"code\":5}");
    t.container.query = SLICE_NONE;
    UNWRAPPED_CHECK(&t, "{\"acks\":[1]}", "", 400,
                    "{\"text\":\"Data channel is missing\",\"code\":10}");
    t.container.query = SLICE("channel=not-a-guid");
    UNWRAPPED_CHECK(&t, "{\"acks\":[1]}", "", 400,
                    "{\"text\":\"Invalid data channel\",\"code\":11}");
    t.container.kind = CONTAINER_HEC_RAW;
    UNWRAPPED_CHECK(&t, "x", "", 400, "{\"text\":\"Invalid data channel\",\"code\":11}");
    unwrapped_done(&t);
}

/* A number is given when the records are durable: until then, and when they never are, there is
 * none to be asked for. */
TEST(hec_gives_no_number_for_what_is_not_stored)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_HEC, NULL, BATCH_MAX);
    t.container.query = SLICE("channel=FE0ECFAD-13D5-401B-847D-77833BD77131");
    t.unsafe = true;
    CHECK_INT(unwrapped_run(&t, SLICE("{\"event\":1}")), 0);
    CHECK(t.answer.numbered);
    t.unsafe = false;
    t.container.kind = CONTAINER_HEC_ACK;
    UNWRAPPED_CHECK(&t, "{\"acks\":[0]}", "", 200, "{\"acks\":{\"0\":false}}");
    t.container.kind = CONTAINER_HEC_RAW;
    UNWRAPPED_CHECK(&t, "x", "0 hec x < ?channel=FE0ECFAD-13D5-401B-847D-77833BD77131\n", 200,
                    "{\"text\":\"Success\",\"code\":0,\"ackId\":0}");
    t.container.kind = CONTAINER_HEC_ACK;
    UNWRAPPED_CHECK(&t, "{\"acks\":[0,1]}", "", 200, "{\"acks\":{\"0\":true,\"1\":false}}");
    unwrapped_done(&t);
}
