/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/body.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

void body_init(struct body *b, struct slice text)
{
    *b = (struct body){.object = slice_trim(text)};
    arena_init(&b->texts, 4 * (size_t)BODY_MAX);
    buf_init(&b->text, BODY_MAX);
    if (!json_is_object(b->object)) body_wrong(b, "", "this is no JSON object");
}

void body_done(struct body *b)
{
    arena_done(&b->texts);
    buf_done(&b->text);
}

void body_wrong(struct body *b, const char *member, const char *fmt, ...)
{
    va_list ap;
    if (b->member) return;
    b->member = member;
    va_start(ap, fmt);
    (void)vsnprintf(b->message, sizeof b->message, fmt, ap);
    va_end(ap);
}

/* False: it is not there, or null, or something was wrong before. */
static bool take(struct body *b, const char *name, bool must, struct slice *ret)
{
    if (b->member) return false;
    ASSERT(b->n_taken < sizeof b->taken / sizeof *b->taken);
    b->taken[b->n_taken++] = name;
    if (json_find_member(b->object, name, NULL, ret) && !slice_eq(*ret, SLICE("null"))) return true;
    if (must) body_wrong(b, name, "this member is missing");
    return false;
}

bool body_has(struct body *b, const char *name)
{
    struct slice value;
    return !b->member && json_find_member(b->object, name, NULL, &value);
}

struct slice body_text(struct body *b, const char *name, size_t max, bool must)
{
    struct slice value;
    if (!take(b, name, must, &value)) return SLICE_NONE;
    buf_clear(&b->text);
    bool is_text = json_string_text(value, &b->text);
    b->no_memory |= b->text.no_memory;
    if (!is_text || !utf8_valid(buf_slice(&b->text))) {
        body_wrong(b, name, "this is no text");
        return SLICE_NONE;
    }
    struct slice text = slice_trim(buf_slice(&b->text));
    if (must && text.len == 0) body_wrong(b, name, "this text is empty");
    if (text.len > max) body_wrong(b, name, "this text is longer than %zu bytes", max);
    if (slice_find_byte(text, '\0') != SIZE_MAX) body_wrong(b, name, "there is a NUL in this text");
    if (b->member) return SLICE_NONE;
    text = arena_dup(&b->texts, text);
    if (arena_failed(&b->texts)) body_wrong(b, name, "this is too much at once");
    return text;
}

static uint64_t number_from(struct body *b, const char *name, uint64_t least, bool must)
{
    struct slice value;
    uint64_t n = 0;
    if (!take(b, name, must, &value)) return 0;
    if (!slice_to_u64(value, &n) || n < least || n > INT64_MAX)
        body_wrong(b, name, "this is no number from %llu", (unsigned long long)least);
    return b->member ? 0 : n;
}

uint64_t body_number(struct body *b, const char *name, bool must)
{
    return number_from(b, name, 1, must);
}

uint64_t body_sequence(struct body *b, const char *name)
{
    return number_from(b, name, 0, true);
}

int body_bool(struct body *b, const char *name, bool must)
{
    struct slice value;
    if (!take(b, name, must, &value)) return -1;
    if (slice_eq(value, SLICE("true"))) return 1;
    if (!slice_eq(value, SLICE("false"))) body_wrong(b, name, "this is neither true nor false");
    return 0;
}

nsec body_time_to_come(struct body *b, const char *name, nsec now)
{
    nsec time = 0;
    struct slice text = body_text(b, name, 64, true);
    if (b->member) return 0;
    if (!time_parse(text, 0, &time) || time == TIME_NONE)
        body_wrong(b, name, "this is no point in time such as 2026-12-23T21:47:00+01:00");
    else if (time <= now) body_wrong(b, name, "this is not later than now");
    return time;
}

nsec body_time(struct body *b, const char *name, nsec now)
{
    nsec time = now;
    struct slice text = body_text(b, name, 64, false);
    if (text.len == 0) return now;
    if (!time_parse(text, 0, &time) || time == TIME_NONE)
        body_wrong(b, name, "this is no point in time such as 2026-12-23T21:47:00+01:00");
    else if (time > now) body_wrong(b, name, "this is later than now");
    return time;
}

struct slice body_list(struct body *b, const char *name)
{
    struct slice list;
    if (!take(b, name, true, &list)) return SLICE_NONE;
    if (list.ptr[0] != '[') body_wrong(b, name, "this is no list");
    return b->member ? SLICE_NONE : list;
}

uint32_t body_numbers(struct body *b, const char *name, uint64_t *ret, uint32_t max)
{
    struct slice list = body_list(b, name), member, value;
    struct json_parts it;
    uint32_t n = 0;
    if (list.len == 0) return 0;
    json_parts_init(&it, list);
    while (!b->member && json_parts_next(&it, &member, &value)) {
        if (n == max) body_wrong(b, name, "these are more than %u", max);
        else if (!slice_to_u64(value, &ret[n]) || ret[n] == 0 || ret[n] > INT64_MAX)
            body_wrong(b, name, "one of these is no number from 1");
        else n++;
    }
    if (n == 0) body_wrong(b, name, "this list is empty");
    return b->member ? 0 : n;
}

bool body_end(struct body *b)
{
    struct slice name, value;
    struct json_parts it;
    if (b->member) return false;
    json_parts_init(&it, b->object);
    while (!b->member && json_parts_next(&it, &name, &value)) {
        bool known = false;
        for (uint32_t i = 0; i < b->n_taken && !known; i++)
            known = slice_eq(name, slice_of(b->taken[i]));
        struct slice shown = slice_until(name, 60);
        if (!known) body_wrong(b, "", "there is no member '%.*s' here", SLICE_FMT(shown));
    }
    return !b->member;
}
