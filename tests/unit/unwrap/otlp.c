/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/protobuf.h"
#include "unwrapped.h"

static const char success_json[] = "{\"partialSuccess\":{}}";

TEST(json_records_keep_resource_and_scope_as_context)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_OTLP_LOGS, NULL, BATCH_MAX);
    t.container.content_type = SLICE("application/json; charset=utf-8");
    /* Shortened from opentelemetry-proto's examples/logs.json. */
    UNWRAPPED_CHECK(
        &t,
        " {\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
        "{\"stringValue\":\"my.service\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"my.library\"},"
        "\"logRecords\":[{\"severityNumber\":10,\"body\":{\"stringValue\":\"one\"}},{\"body\":{}}]}"
        ","
        "{\"log_records\":[{\"a\":1}]}],\"schemaUrl\":\"u\"},{\"scope_logs\":[{\"logRecords\":[{"
        "\"b\":2},7]}]}]}",
        "0 otlp-json {\"severityNumber\":10,\"body\":{\"stringValue\":\"one\"}} < "
        "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"my."
        "service\"}}]},"
        "\"schemaUrl\":\"u\",\"scopeLogs\":[{\"scope\":{\"name\":\"my.library\"}}]}\n"
        "1 otlp-json {\"body\":{}} < "
        "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"my."
        "service\"}}]},"
        "\"schemaUrl\":\"u\",\"scopeLogs\":[{\"scope\":{\"name\":\"my.library\"}}]}\n"
        "2 otlp-json {\"a\":1} < "
        "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"my."
        "service\"}}]},"
        "\"schemaUrl\":\"u\",\"scopeLogs\":[{}]}\n"
        "3 otlp-json {\"b\":2} < {\"scopeLogs\":[{}]}\n",
        200,
        "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\",\"errorMessage\":\"not a JSON "
        "object\"}}");
    CHECK_SLICE(slice_of(t.answer.content_type), "application/json");
    UNWRAPPED_CHECK(&t, "{}", "", 200, success_json);
    UNWRAPPED_CHECK(&t, "{\"resourceLogs\":[7,{\"scopeLogs\":[7]},{\"scopeLogs\":{}}]}", "", 200,
                    success_json);
    UNWRAPPED_CHECK(&t, "{\"resourceLogs\":[", "", 400,
                    "{\"code\":3,\"message\":\"not an ExportLogsServiceRequest\"}");
    t.container.content_type = SLICE("text/plain");
    UNWRAPPED_CHECK(&t, "{}", "", 415,
                    "\\x08\\x03\\x122OTLP is application/x-protobuf or application/json");
    unwrapped_done(&t);
}

/* resource {7: "res"}, scopes with two and one records, a schema URL behind them. */
static void put_request(struct buf *out)
{
    struct buf scope, logs;
    buf_init(&scope, 1024);
    buf_init(&logs, 1024);
    proto_put_bytes(&logs, 1, SLICE("res"));
    proto_put_bytes(&scope, 1, SLICE("lib"));
    proto_put_bytes(&scope, 2, SLICE("record one"));
    proto_put_bytes(&scope, 2, SLICE(""));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    buf_clear(&scope);
    proto_put_bytes(&scope, 2, SLICE("\xff"));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    proto_put_bytes(&logs, 3, SLICE("url"));
    proto_put_bytes(out, 1, buf_slice(&logs));
    proto_put_number(out, 9, 300); /* of a later version */
    buf_done(&scope);
    buf_done(&logs);
}

TEST(proto_records_are_their_bytes)
{
    struct unwrapped t;
    struct buf request;
    buf_init(&request, 4096);
    put_request(&request);
    unwrapped_init(&t, CONTAINER_OTLP_LOGS, NULL, BATCH_MAX);
    t.container.content_type = SLICE("application/x-protobuf");
    unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&request),
                       "0 otlp record one < \\x0a\\x03res\\x1a\\x03url\\x12\\x05\\x0a\\x03lib\n"
                       "1 otlp  < \\x0a\\x03res\\x1a\\x03url\\x12\\x05\\x0a\\x03lib\n"
                       "2 otlp \\xff < \\x0a\\x03res\\x1a\\x03url\\x12\\x00\n",
                       200, "");
    CHECK_SLICE(slice_of(t.answer.content_type), "application/x-protobuf");
    UNWRAPPED_CHECK(&t, "", "", 200, "");
    /* Every beginning is either whole up to there or refused before a record is taken. */
    for (size_t n = 1; n < request.len; n++) {
        CHECK_INT(unwrapped_run(&t, slice_make(request.ptr, n)), 0);
        CHECK_INT(t.answer.status, n == request.len - 3 ? 200 : 400);
        CHECK_INT(t.answer.taken, n == request.len - 3 ? 3 : 0);
    }
    buf_done(&request);
    unwrapped_done(&t);
}

TEST(contexts_and_records_that_are_too_large)
{
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_OTLP_LOGS, NULL, BATCH_MAX);
    struct buf big, scope, logs, request;
    buf_init(&big, 4 * RECORD_MAX);
    buf_init(&scope, 4 * RECORD_MAX);
    buf_init(&logs, 4 * RECORD_MAX);
    buf_init(&request, 4 * RECORD_MAX);
    for (size_t i = 0; i <= RECORD_MAX; i++) buf_putc(&big, 'x');
    proto_put_bytes(&scope, 2, SLICE("small"));
    proto_put_bytes(&scope, 2, buf_slice(&big));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    proto_put_bytes(&request, 1, buf_slice(&logs));
    buf_clear(&logs);
    buf_clear(&scope);
    proto_put_bytes(&logs, 1, slice_make(big.ptr, RECORD_TEXT_MAX));
    proto_put_bytes(&scope, 2, SLICE("small"));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    proto_put_bytes(&request, 1, buf_slice(&logs));
    /* A scope that is too large, and one beside it. */
    buf_clear(&logs);
    buf_clear(&scope);
    proto_put_bytes(&scope, 1, slice_make(big.ptr, RECORD_TEXT_MAX));
    proto_put_bytes(&scope, 2, SLICE("lost"));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    buf_clear(&scope);
    proto_put_bytes(&scope, 2, SLICE("kept"));
    proto_put_bytes(&logs, 2, buf_slice(&scope));
    proto_put_bytes(&request, 1, buf_slice(&logs));
    t.container.content_type = SLICE("application/x-protobuf");
    unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&request),
                       "0 otlp small < \\x12\\x00\n4 otlp kept < \\x12\\x00\n", 200,
                       "\\x0a\\x1f\\x08\\x03\\x12\\x1blarger than a record may be");
    CHECK_INT(t.answer.refused[UNWRAP_TOO_LARGE], 3);
    buf_done(&big);
    buf_done(&scope);
    buf_done(&logs);
    buf_done(&request);
    unwrapped_done(&t);
}
