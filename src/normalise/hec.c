/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records of Splunk's HTTP event collector ("Format events for HTTP Event Collector"): an object
 * with `event` and what is known of it, or a line whose context is ? and the query.
 *
 *   time, host, source, sourcetype, index   as sent, where the event has no field of that name
 *   NAME                                     a member of `fields`
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "normalise/json_slow.h"
#include "normalise/lines.h"
#include "normalise/record_forms.h"

static const char *const envelope[] = {"time", "host", "source", "sourcetype", "index"};
enum { N_ENVELOPE = sizeof envelope / sizeof *envelope };

static bool is_line(const struct record *r)
{
    return r->context.len > 0;
}

const char *hec_read(const struct record *r, struct event *ev, struct slice *ret_text)
{
    struct slice object = slice_trim(r->raw), event, inside;
    *ret_text = object;
    if (is_line(r)) return object.len ? NULL : "nothing is in it";
    if (!json_is_object(object)) return "not a JSON object";
    if (!json_find_member(object, "event", NULL, &event)) return "the event is missing";
    *ret_text = event;
    if (json_string_inside(event, &inside)) {
        struct event_field f = {.value = inside, .type = VALUE_JSON_STRING};
        *ret_text = event_text(ev, &f);
    }
    return NULL;
}

/* ---- beside the event --------------------------------------------------------------------- */

static void add_value(struct event *ev, key_id key, struct slice value)
{
    struct slice inside;
    enum value_type type = VALUE_STRING;
    if (json_string_inside(value, &inside)) {
        type = VALUE_JSON_STRING;
        value = inside;
    } else if (slice_eq(value, SLICE("null"))) {
        type = VALUE_NULL;
    } else if (slice_eq(value, SLICE("true")) || slice_eq(value, SLICE("false"))) {
        type = VALUE_BOOL;
    } else if (json_is_number(value)) {
        type = VALUE_NUMBER;
    }
    event_add(ev, key, type, value);
}

/* Indexed fields: plain values or lists of them. */
static void add_fields(struct event *ev, struct slice fields)
{
    struct json_parts it, list;
    struct slice name, value, one, none;
    if (fields.ptr[0] != '{') return;
    for (json_parts_init(&it, fields); json_parts_next(&it, &name, &value);) {
        if (ev->flags & EVENT_CUT) return;
        key_id key = json_key(ev, KEY_ROOT, name);
        if (value.ptr[0] != '[') {
            add_value(ev, key, value);
            continue;
        }
        for (json_parts_init(&list, value); json_parts_next(&list, &none, &one);)
            add_value(ev, key, one);
    }
}

/* %XX and + of a query's value; the arena's, or as it stands when that is full. */
static struct slice query_text(struct event *ev, struct slice s)
{
    char *dst = arena_alloc(ev->arena, s.len);
    if (!dst) return s;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && s.len - i > 2 && hex_value(s.ptr[i + 1]) >= 0 &&
                   hex_value(s.ptr[i + 2]) >= 0) {
            c = (char)(hex_value(s.ptr[i + 1]) << 4 | hex_value(s.ptr[i + 2]));
            i += 2;
        }
        dst[n++] = c;
    }
    return slice_make(dst, n);
}

/* Whether the name is one of the envelope's, and is met for the first time. */
static bool is_new(struct slice name, bool seen[N_ENVELOPE])
{
    for (size_t i = 0; i < N_ENVELOPE; i++) {
        if (!slice_eq(name, slice_of(envelope[i]))) continue;
        bool before = seen[i];
        seen[i] = true;
        return !before;
    }
    return false;
}

static void add_query(struct event *ev, struct slice query)
{
    bool seen[N_ENVELOPE] = {false};
    struct slice pair, name, value;
    query = slice_from(query, 1);
    while (query.len) {
        (void)slice_split(query, '&', &pair, &query);
        (void)slice_split(pair, '=', &name, &value);
        if (is_new(name, seen) && !event_find(ev, name))
            event_add_named(ev, name, VALUE_STRING, query_text(ev, value));
    }
}

void hec_read_envelope(const struct record *r, struct event *ev)
{
    if (is_line(r)) {
        add_query(ev, r->context);
        return;
    }
    bool seen[N_ENVELOPE] = {false};
    struct json_parts it;
    struct slice name, value;
    for (json_parts_init(&it, slice_trim(r->raw)); json_parts_next(&it, &name, &value);) {
        if (slice_eq(name, SLICE("fields"))) add_fields(ev, value);
        if (is_new(name, seen) && !event_find(ev, name))
            add_value(ev, keys_intern_path(ev->keys, name), value);
    }
}
