/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * OpenTelemetry log records (opentelemetry-proto 1.x, logs/v1/logs.proto, common/v1/common.proto),
 * as protobuf and as proto3's JSON; the context is the ResourceLogs around the record, in the same
 * encoding, with one ScopeLogs and without records.
 *
 *   @timestamp             when it happened, or when the collector saw it
 *   log.level              severity text
 *   event.severity         severity number
 *   trace.id, span.id      hexadecimal
 *   event.name             event name
 *   scope.name, scope.version
 *   NAME                   an attribute of the record or of the resource; maps give NAME.KEY
 *
 * A body that is a map gives its members as fields; any other that is no text is `message`. Bytes
 * are hexadecimal; of JSON, where they come as base64, they stay that.
 */
#include <inttypes.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/protobuf.h"
#include "base/time.h"
#include "normalise/json_slow.h"
#include "normalise/record_forms.h"

enum { DEPTH_MAX = 16 }; /* values in values */

static void add_time(struct event *ev, uint64_t happened, uint64_t seen)
{
    uint64_t t = happened ? happened : seen;
    if (t > 0 && t <= INT64_MAX) form_add_time(ev, "@timestamp", (nsec)t);
}

static void add_severity(struct event *ev, uint64_t number)
{
    if (number > 0 && number <= 24) form_printf(ev, "event.severity", "%u", (unsigned)number);
}

/* A number's text with its type; the arena's. */
static void add_number(struct event *ev, key_id key, const char *text)
{
    if (text) event_add(ev, key, VALUE_NUMBER, slice_of(text));
    else ev->flags |= EVENT_CUT;
}

/* ---- protobuf ----------------------------------------------------------------------------- */

enum {
    RECORD_TIME = 1,
    RECORD_SEVERITY = 2,
    RECORD_SEVERITY_TEXT = 3,
    RECORD_BODY = 5,
    RECORD_ATTRIBUTES = 6,
    RECORD_TRACE_ID = 9,
    RECORD_SPAN_ID = 10,
    RECORD_OBSERVED = 11,
    RECORD_EVENT_NAME = 12,
    VALUE_TEXT = 1,
    VALUE_TRUTH = 2,
    VALUE_INT = 3,
    VALUE_DOUBLE = 4,
    VALUE_ARRAY = 5,
    VALUE_MAP = 6,
    VALUE_BYTES = 7,
};

/* The last field with this id that is bytes; empty without. */
static struct slice bytes_of(struct slice message, uint32_t id)
{
    struct proto_field f;
    struct slice found = SLICE_NONE;
    while (proto_next(&message, &f) == 1)
        if (f.id == id && f.type == PROTO_BYTES) found = f.bytes;
    return found;
}

static void add_proto_value(struct event *ev, key_id key, struct slice any, unsigned depth);

/* KeyValue, members of a map: 1 key, 2 value. */
static void add_proto_pair(struct event *ev, key_id parent, struct slice pair, unsigned depth)
{
    if (ev->flags & EVENT_CUT) return;
    add_proto_value(ev, keys_intern(ev->keys, parent, bytes_of(pair, 1)), bytes_of(pair, 2), depth);
}

/* What is repeated as field 1 of a list or map. */
static void add_proto_list(struct event *ev, key_id key, struct slice list, bool map,
                           unsigned depth)
{
    struct proto_field f;
    if (depth == DEPTH_MAX) {
        ev->flags |= EVENT_CUT;
        return;
    }
    if (list.len == 0) event_add(ev, key, VALUE_NULL, SLICE("null"));
    while (proto_next(&list, &f) == 1) {
        if (f.id != 1 || f.type != PROTO_BYTES) continue;
        if (map) add_proto_pair(ev, key, f.bytes, depth + 1);
        else add_proto_value(ev, key, f.bytes, depth + 1);
    }
}

static void add_proto_number(struct event *ev, key_id key, const struct proto_field *f)
{
    double d;
    memcpy(&d, &f->number, sizeof d);
    if (f->id == VALUE_INT && f->type == PROTO_VARINT)
        add_number(ev, key, arena_printf(ev->arena, "%" PRId64, (int64_t)f->number));
    else if (f->type == PROTO_FIXED64) add_number(ev, key, arena_printf(ev->arena, "%.17g", d));
    else ev->flags |= EVENT_DAMAGED;
}

/* AnyValue: one of its fields is there. */
static void add_proto_value(struct event *ev, key_id key, struct slice any, unsigned depth)
{
    struct proto_field f, last = {0};
    int rc;
    while ((rc = proto_next(&any, &f)) == 1)
        if (f.id <= VALUE_BYTES) last = f;
    if (rc != 0) ev->flags |= EVENT_DAMAGED;
    bool bytes = last.type == PROTO_BYTES;
    if (last.id == 0) event_add(ev, key, VALUE_NULL, SLICE("null"));
    else if (last.id == VALUE_TRUTH && last.type == PROTO_VARINT)
        event_add(ev, key, VALUE_BOOL, last.number ? SLICE("true") : SLICE("false"));
    else if (last.id == VALUE_INT || last.id == VALUE_DOUBLE) add_proto_number(ev, key, &last);
    else if (!bytes) ev->flags |= EVENT_DAMAGED;
    else if (last.id == VALUE_TEXT) event_add(ev, key, VALUE_STRING, last.bytes);
    else if (last.id == VALUE_BYTES) form_add_hex(ev, key, last.bytes);
    else add_proto_list(ev, key, last.bytes, last.id == VALUE_MAP, depth);
}

static void add_proto_body(struct event *ev, struct slice any, struct slice *ret_text)
{
    struct proto_field f;
    struct slice rest = any;
    if (proto_next(&rest, &f) == 1 && rest.len == 0 && f.type == PROTO_BYTES) {
        if (f.id == VALUE_TEXT) {
            *ret_text = f.bytes;
            return;
        }
        if (f.id == VALUE_MAP) {
            add_proto_list(ev, KEY_ROOT, f.bytes, true, 0);
            return;
        }
    }
    add_proto_value(ev, keys_intern_path(ev->keys, SLICE("message")), any, 0);
}

/* Resource: 1 attributes. InstrumentationScope: 1 name, 2 version. */
static void add_proto_context(struct event *ev, struct slice context)
{
    struct slice resource = bytes_of(context, 1), scope = bytes_of(bytes_of(context, 2), 1);
    struct slice name = bytes_of(scope, 1), version = bytes_of(scope, 2);
    struct proto_field f;
    while (proto_next(&resource, &f) == 1)
        if (f.id == 1 && f.type == PROTO_BYTES) add_proto_pair(ev, KEY_ROOT, f.bytes, 0);
    if (name.len) event_add_named(ev, SLICE("scope.name"), VALUE_STRING, name);
    if (version.len) event_add_named(ev, SLICE("scope.version"), VALUE_STRING, version);
}

static void add_proto_bytes(struct event *ev, const struct proto_field *f, struct slice *ret_text)
{
    struct slice b = f->bytes;
    if (b.len == 0 && f->id != RECORD_BODY) return;
    switch (f->id) {
    case RECORD_SEVERITY_TEXT:
        event_add_named(ev, SLICE("log.level"), VALUE_STRING, b);
        break;
    case RECORD_BODY:
        add_proto_body(ev, b, ret_text);
        break;
    case RECORD_ATTRIBUTES:
        add_proto_pair(ev, KEY_ROOT, b, 0);
        break;
    case RECORD_TRACE_ID:
        form_add_hex(ev, keys_intern_path(ev->keys, SLICE("trace.id")), b);
        break;
    case RECORD_SPAN_ID:
        form_add_hex(ev, keys_intern_path(ev->keys, SLICE("span.id")), b);
        break;
    case RECORD_EVENT_NAME:
        event_add_named(ev, SLICE("event.name"), VALUE_STRING, b);
        break;
    default:
        break;
    }
}

const char *otlp_read_proto(const struct record *r, struct event *ev, struct slice *ret_text)
{
    struct slice rest = r->raw;
    struct proto_field f;
    uint64_t happened = 0, seen = 0;
    int rc;
    *ret_text = SLICE_NONE;
    while ((rc = proto_next(&rest, &f)) == 1) {
        if (f.type == PROTO_BYTES) add_proto_bytes(ev, &f, ret_text);
        else if (f.id == RECORD_TIME && f.type == PROTO_FIXED64) happened = f.number;
        else if (f.id == RECORD_OBSERVED && f.type == PROTO_FIXED64) seen = f.number;
        else if (f.id == RECORD_SEVERITY && f.type == PROTO_VARINT) add_severity(ev, f.number);
    }
    if (rc != 0 && rest.len == r->raw.len) return "not a LogRecord";
    if (rc != 0) ev->flags |= EVENT_DAMAGED;
    add_time(ev, happened, seen);
    add_proto_context(ev, r->context);
    return NULL;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void add_json_value(struct event *ev, key_id key, struct slice any, unsigned depth);

static void add_json_pair(struct event *ev, key_id parent, struct slice pair, unsigned depth)
{
    struct slice name, value;
    if ((ev->flags & EVENT_CUT) || !json_find_member(pair, "key", NULL, &name) ||
        !json_string_inside(name, &name))
        return;
    if (!json_find_member(pair, "value", NULL, &value)) value = SLICE("{}");
    add_json_value(ev, json_key(ev, parent, name), value, depth);
}

/* {"values":[…]} of a list or map. */
static void add_json_list(struct event *ev, key_id key, struct slice list, bool map, unsigned depth)
{
    struct json_parts it;
    struct slice values, name, value;
    if (depth == DEPTH_MAX) {
        ev->flags |= EVENT_CUT;
        return;
    }
    bool some = false;
    if (json_find_member(list, "values", NULL, &values) && values.ptr[0] == '[') {
        for (json_parts_init(&it, values); json_parts_next(&it, &name, &value); some = true) {
            if (map) add_json_pair(ev, key, value, depth + 1);
            else add_json_value(ev, key, value, depth + 1);
        }
    }
    if (!some) event_add(ev, key, VALUE_NULL, SLICE("null"));
}

/* Which of AnyValue's members this is, as the numbers of its fields; 0: none. */
static unsigned any_member(struct slice name)
{
    static const struct {
        const char *camel, *plain;
    } names[] = {
        [VALUE_TEXT] = {"stringValue", "string_value"},
        [VALUE_TRUTH] = {"boolValue", "bool_value"},
        [VALUE_INT] = {"intValue", "int_value"},
        [VALUE_DOUBLE] = {"doubleValue", "double_value"},
        [VALUE_ARRAY] = {"arrayValue", "array_value"},
        [VALUE_MAP] = {"kvlistValue", "kvlist_value"},
        [VALUE_BYTES] = {"bytesValue", "bytes_value"},
    };
    for (unsigned i = VALUE_TEXT; i <= VALUE_BYTES; i++)
        if (slice_eq(name, slice_of(names[i].camel)) || slice_eq(name, slice_of(names[i].plain)))
            return i;
    return 0;
}

/* A value that JSON has itself; 64-bit numbers come as strings. */
static void add_json_plain(struct event *ev, key_id key, unsigned member, struct slice value)
{
    struct slice inside;
    bool string = json_string_inside(value, &inside);
    bool number = (member == VALUE_INT || member == VALUE_DOUBLE);
    if (number && json_is_number(string ? inside : value))
        event_add(ev, key, VALUE_NUMBER, string ? inside : value);
    else if (string) event_add(ev, key, VALUE_JSON_STRING, inside);
    else if (slice_eq(value, SLICE("true")) || slice_eq(value, SLICE("false")))
        event_add(ev, key, VALUE_BOOL, value);
    else event_add(ev, key, VALUE_STRING, value);
}

/* The member of an AnyValue that is there; 0 without one. */
static unsigned json_any(struct slice any, struct slice *ret_value)
{
    struct json_parts it;
    struct slice name;
    if (any.ptr[0] != '{') return 0;
    for (json_parts_init(&it, any); json_parts_next(&it, &name, ret_value);) {
        unsigned member = any_member(name);
        if (member && !slice_eq(*ret_value, SLICE("null"))) return member;
    }
    return 0;
}

static void add_json_value(struct event *ev, key_id key, struct slice any, unsigned depth)
{
    struct slice value;
    unsigned member = json_any(any, &value);
    if (member == 0) event_add(ev, key, VALUE_NULL, SLICE("null"));
    else if (member == VALUE_ARRAY || member == VALUE_MAP)
        add_json_list(ev, key, value, member == VALUE_MAP, depth);
    else add_json_plain(ev, key, member, value);
}

static void add_json_body(struct event *ev, struct slice any, struct slice *ret_text)
{
    struct slice value, inside;
    unsigned member = json_any(any, &value);
    if (member == VALUE_TEXT && json_string_inside(value, &inside)) {
        struct event_field f = {.value = inside, .type = VALUE_JSON_STRING};
        *ret_text = event_text(ev, &f);
    } else if (member == VALUE_MAP) {
        add_json_list(ev, KEY_ROOT, value, true, 0);
    } else {
        add_json_value(ev, keys_intern_path(ev->keys, SLICE("message")), any, 0);
    }
}

static void add_json_pairs(struct event *ev, struct slice object)
{
    struct json_parts it;
    struct slice list, name, pair;
    if (!json_find_member(object, "attributes", NULL, &list) || list.ptr[0] != '[') return;
    for (json_parts_init(&it, list); json_parts_next(&it, &name, &pair);)
        add_json_pair(ev, KEY_ROOT, pair, 0);
}

/* A member that is text and not empty, under another name. */
static void add_json_text(struct event *ev, struct slice object, const char *camel,
                          const char *plain, struct slice as)
{
    struct slice value, inside;
    if (json_find_member(object, camel, plain, &value) && json_string_inside(value, &inside) &&
        inside.len)
        event_add_named(ev, as, VALUE_JSON_STRING, inside);
}

/* A number, or a string of its digits; 0 without. */
static uint64_t json_number(struct slice object, const char *camel, const char *plain)
{
    struct slice value;
    uint64_t n = 0;
    if (!json_find_member(object, camel, plain, &value)) return 0;
    (void)json_string_inside(value, &value);
    return slice_to_u64(value, &n) ? n : 0;
}

static void add_json_context(struct event *ev, struct slice context)
{
    struct slice resource, list, name, scope;
    struct json_parts it;
    if (!json_is_object(context)) return;
    if (json_find_member(context, "resource", NULL, &resource)) add_json_pairs(ev, resource);
    if (!json_find_member(context, "scopeLogs", "scope_logs", &list) || list.ptr[0] != '[') return;
    json_parts_init(&it, list);
    if (!json_parts_next(&it, &name, &scope) || !json_find_member(scope, "scope", NULL, &scope))
        return;
    add_json_text(ev, scope, "name", NULL, SLICE("scope.name"));
    add_json_text(ev, scope, "version", NULL, SLICE("scope.version"));
}

const char *otlp_read_json(const struct record *r, struct event *ev, struct slice *ret_text)
{
    struct slice object = slice_trim(r->raw), body;
    *ret_text = SLICE_NONE;
    if (!json_is_object(object)) return "not a LogRecord";
    add_json_text(ev, object, "severityText", "severity_text", SLICE("log.level"));
    add_severity(ev, json_number(object, "severityNumber", "severity_number"));
    if (json_find_member(object, "body", NULL, &body)) add_json_body(ev, body, ret_text);
    add_json_pairs(ev, object);
    add_json_text(ev, object, "traceId", "trace_id", SLICE("trace.id"));
    add_json_text(ev, object, "spanId", "span_id", SLICE("span.id"));
    add_json_text(ev, object, "eventName", "event_name", SLICE("event.name"));
    add_time(ev, json_number(object, "timeUnixNano", "time_unix_nano"),
             json_number(object, "observedTimeUnixNano", "observed_time_unix_nano"));
    add_json_context(ev, r->context);
    return NULL;
}
