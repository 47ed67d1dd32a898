/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * OpenTelemetry logs over HTTP (OTLP specification 1.x, "OTLP/HTTP"; opentelemetry-proto,
 * collector/logs/v1/logs_service.proto and logs/v1/logs.proto):
 *
 *     ExportLogsServiceRequest  1 resource_logs*
 *     ResourceLogs              1 resource · 2 scope_logs* · 3 schema_url
 *     ScopeLogs                 1 scope · 2 log_records* · 3 schema_url
 *
 * Each LogRecord is a record, its bytes untouched. Its context is the ResourceLogs around it with
 * one ScopeLogs inside, both without records. A request that cannot be taken apart is refused whole
 * with a Status (google/rpc/status.proto); records that cannot be kept are counted in
 * partial_success. The answer is in the request's own encoding.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/protobuf.h"
#include "unwrap/internal.h"

enum {
    FIELD_RESOURCE_LOGS = 1,
    FIELD_SCOPE_LOGS = 2,
    FIELD_LOG_RECORDS = 2,
    STATUS_CODE = 1,
    STATUS_MESSAGE = 2,
    STATUS_INVALID_ARGUMENT = 3,
    PARTIAL_SUCCESS = 1,
    PARTIAL_REJECTED = 1,
    PARTIAL_MESSAGE = 2,
};

static const char type_json[] = "application/json", type_proto[] = "application/x-protobuf";

static bool is_json(const struct job *j)
{
    return content_type_is(j->c->content_type, slice_of(type_json));
}

void otlp_answer_error(struct job *j, unsigned status, const char *text)
{
    struct buf *out = &j->a->body;
    bool json = is_json(j);
    j->a->status = status;
    j->a->content_type = json ? type_json : type_proto;
    buf_clear(out);
    if (json) {
        buf_printf(out, "{\"code\":%d,\"message\":", (int)STATUS_INVALID_ARGUMENT);
        json_write_string(out, slice_of(text));
        buf_putc(out, '}');
    } else {
        proto_put_number(out, STATUS_CODE, STATUS_INVALID_ARGUMENT);
        proto_put_bytes(out, STATUS_MESSAGE, slice_of(text));
    }
}

static void answer_success(struct job *j)
{
    struct buf *out = &j->a->body;
    uint64_t refused = job_refused(j);
    char text[96] = "";
    for (int i = 0; i < UNWRAP_REASON_COUNT && text[0] == '\0'; i++)
        if (j->a->refused[i])
            (void)snprintf(text, sizeof text, "%s", unwrap_reason_text((enum unwrap_reason)i));
    j->a->status = 200;
    j->a->content_type = is_json(j) ? type_json : type_proto;
    if (is_json(j)) {
        buf_puts(out, "{\"partialSuccess\":{");
        if (refused) {
            /* 64-bit numbers are strings in proto3's JSON. */
            buf_printf(out, "\"rejectedLogRecords\":\"%llu\",\"errorMessage\":",
                       (unsigned long long)refused);
            json_write_string(out, slice_of(text));
        }
        buf_puts(out, "}}");
    } else if (refused) {
        char room[160];
        struct buf part = {.ptr = room, .cap = sizeof room, .max = sizeof room}; /* never grows */
        proto_put_number(&part, PARTIAL_REJECTED, refused);
        proto_put_bytes(&part, PARTIAL_MESSAGE, slice_of(text));
        proto_put_bytes(out, PARTIAL_SUCCESS, buf_slice(&part));
    }
}

static int take(struct job *j, enum record_format format, struct slice raw, struct slice context)
{
    enum unwrap_reason reason;
    int rc = job_add(j, format, raw, context, &reason);
    return rc == JOB_REFUSED ? 0 : rc;
}

/* ---- protobuf ----------------------------------------------------------------------------- */

/* Appends the fields of a message but for `without`. Damage was found before. */
static void put_others(struct buf *out, struct slice message, uint32_t without)
{
    struct proto_field f;
    while (proto_next(&message, &f) == 1)
        if (f.id != without) buf_put(out, f.whole);
}

/* The next message field `id`; 1, 0 at the end, or an error. */
static int next_part(struct slice *message, uint32_t id, struct slice *ret)
{
    struct proto_field f;
    int rc;
    do rc = proto_next(message, &f);
    while (rc == 1 && (f.id != id || f.type != PROTO_BYTES));
    if (rc == 1) *ret = f.bytes;
    return rc;
}

/* Whether all messages down to the log records can be taken apart. */
static bool is_readable(struct slice request)
{
    struct slice resource, scope, record;
    int rc, inner, innermost;
    while ((rc = next_part(&request, FIELD_RESOURCE_LOGS, &resource)) == 1) {
        while ((inner = next_part(&resource, FIELD_SCOPE_LOGS, &scope)) == 1) {
            while ((innermost = next_part(&scope, FIELD_LOG_RECORDS, &record)) == 1) continue;
            if (innermost != 0) return false;
        }
        if (inner != 0) return false;
    }
    return rc == 0;
}

/*
 * What all scopes of a resource share lies at the front of the context and is put together once;
 * each scope adds its own behind it. `shared` is its length.
 */
enum { SHARED_TOO_LARGE = -1 };

static int shared_part(const struct buf *context, ssize_t *ret_shared)
{
    if (buf_error(context) == ERR_NOMEM) return ERR_NOMEM;
    *ret_shared = buf_failed(context) ? SHARED_TOO_LARGE : (ssize_t)context->len;
    return 0;
}

/* Forgets the scope before. */
static void begin_scope(struct buf *context, ssize_t shared)
{
    if (shared == SHARED_TOO_LARGE) return; /* it stays failed */
    buf_clear(context);
    context->len = (size_t)shared;
}

/* The whole; one that is too large has its length only: its records are refused. */
static int end_scope(const struct buf *context, struct slice *ret)
{
    if (buf_error(context) == ERR_NOMEM) return ERR_NOMEM;
    *ret = buf_failed(context) ? slice_make("", RECORD_TEXT_MAX + 1) : buf_slice(context);
    return 0;
}

static int proto_context(struct job *j, ssize_t shared, struct slice scope, struct slice *ret)
{
    struct buf *context = &j->u->context, *part = &j->u->scratch;
    buf_clear(part);
    put_others(part, scope, FIELD_LOG_RECORDS);
    if (buf_error(part) == ERR_NOMEM) return ERR_NOMEM;
    begin_scope(context, shared);
    if (buf_failed(part)) context->failed = true;
    else proto_put_bytes(context, FIELD_SCOPE_LOGS, buf_slice(part));
    return end_scope(context, ret);
}

static int take_proto_scope(struct job *j, ssize_t shared, struct slice scope)
{
    struct slice context, record;
    int rc = proto_context(j, shared, scope, &context);
    while (rc == 0 && next_part(&scope, FIELD_LOG_RECORDS, &record) == 1)
        rc = take(j, RECORD_OTLP_PROTO, record, context);
    return rc;
}

static int take_proto(struct job *j)
{
    struct slice request = j->body, resource, scope;
    ssize_t shared;
    int rc = 0;
    while (rc == 0 && next_part(&request, FIELD_RESOURCE_LOGS, &resource) == 1) {
        buf_clear(&j->u->context);
        put_others(&j->u->context, resource, FIELD_SCOPE_LOGS);
        rc = shared_part(&j->u->context, &shared);
        while (rc == 0 && next_part(&resource, FIELD_SCOPE_LOGS, &scope) == 1)
            rc = take_proto_scope(j, shared, scope);
    }
    return rc;
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* Proto3's JSON has names in lowerCamelCase; its readers take the original names as well. */
struct list_name {
    const char *camel, *plain;
};
static const struct list_name resource_logs = {"resourceLogs", "resource_logs"},
                              scope_logs = {"scopeLogs", "scope_logs"},
                              log_records = {"logRecords", "log_records"};

/* Begins to go through the list of that name; false without one. */
static bool begin_list(struct slice object, struct list_name name, struct json_parts *ret)
{
    struct slice list;
    if (!json_find_member(object, name.camel, name.plain, &list) || list.ptr[0] != '[')
        return false;
    json_parts_init(ret, list);
    return true;
}

/* Appends the members of an object but for the list. */
static void put_other_members(struct buf *out, struct slice object, struct list_name without)
{
    struct json_parts it;
    struct slice name, value;
    if (object.ptr[0] != '{') return;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &name, &value)) {
        if (slice_eq(name, slice_of(without.camel)) || slice_eq(name, slice_of(without.plain)))
            continue;
        buf_putc(out, '"');
        buf_put(out, name);
        buf_puts(out, "\":");
        buf_put(out, value);
        buf_putc(out, ',');
    }
}

static int json_context(struct job *j, ssize_t shared, struct slice scope, struct slice *ret)
{
    struct buf *context = &j->u->context;
    begin_scope(context, shared);
    put_other_members(context, scope, log_records);
    if (!buf_failed(context) && context->ptr[context->len - 1] == ',') context->len--;
    buf_puts(context, "}]}");
    return end_scope(context, ret);
}

static int take_json_scope(struct job *j, ssize_t shared, struct slice scope)
{
    struct json_parts records;
    struct slice name, record, context;
    if (!begin_list(scope, log_records, &records)) return 0;
    int rc = json_context(j, shared, scope, &context);
    while (rc == 0 && json_parts_next(&records, &name, &record)) {
        if (record.ptr[0] == '{') rc = take(j, RECORD_OTLP_JSON, record, context);
        else job_refuse(j, UNWRAP_NOT_OBJECT);
    }
    return rc;
}

static int take_json_resource(struct job *j, struct slice resource)
{
    struct buf *context = &j->u->context;
    struct json_parts scopes;
    struct slice name, scope;
    ssize_t shared;
    if (!begin_list(resource, scope_logs, &scopes)) return 0;
    buf_clear(context);
    buf_putc(context, '{');
    put_other_members(context, resource, scope_logs);
    buf_puts(context, "\"scopeLogs\":[{");
    int rc = shared_part(context, &shared);
    while (rc == 0 && json_parts_next(&scopes, &name, &scope))
        rc = take_json_scope(j, shared, scope);
    return rc;
}

static int take_json(struct job *j)
{
    struct json_parts resources;
    struct slice name, resource;
    int rc = 0;
    if (!begin_list(slice_trim(j->body), resource_logs, &resources)) return 0;
    while (rc == 0 && json_parts_next(&resources, &name, &resource))
        rc = take_json_resource(j, resource);
    return rc;
}

int otlp_unwrap(struct job *j)
{
    bool json = is_json(j);
    if (!json && !content_type_is(j->c->content_type, slice_of(type_proto))) {
        otlp_answer_error(j, 415, "OTLP is application/x-protobuf or application/json");
        return 0;
    }
    if (json ? !json_is_object(j->body) : !is_readable(j->body)) {
        otlp_answer_error(j, 400, "not an ExportLogsServiceRequest");
        return 0;
    }
    int rc = json ? take_json(j) : take_proto(j);
    if (rc == 0) answer_success(j);
    return rc;
}
