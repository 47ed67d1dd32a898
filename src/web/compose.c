/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "web/call.h"
#include "web/header.h"

bool api_json_text(struct slice object, const char *member, char *ret, size_t size)
{
    struct slice value;
    struct buf text;
    buf_init(&text, size);
    bool good = json_find_member(object, member, NULL, &value) && json_string_text(value, &text) &&
                !buf_failed(&text) && slice_copy(buf_slice(&text), ret, size);
    buf_done(&text);
    return good;
}

/* Members whose values are numbers; in paths and parameters everything is text. */
static bool is_number(struct slice name, struct slice value)
{
    static const char *const numbers[] = {"id",       "after",       "limit",
                                          "incident", "suppression", "page"};
    uint64_t n;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (slice_eq(name, slice_of(numbers[i]))) return slice_to_u64(value, &n);
    return false;
}

static void put_member(struct buf *out, struct slice name, struct slice value)
{
    if (out->len > 1) buf_putc(out, ',');
    json_write_string(out, name);
    buf_putc(out, ':');
    if (is_number(name, value)) buf_put(out, value);
    else json_write_string(out, value);
}

/* Of things that have versions; else empty. */
static struct slice get_match(const struct api_call *c)
{
    bool versioned = c->match.n > 0 && slice_eq(c->match.names[0], SLICE("incident"));
    return versioned ? api_request_header(c, MHD_HTTP_HEADER_IF_MATCH) : SLICE_NONE;
}

static bool put_version(struct api_call *c, struct buf *out)
{
    struct slice match = get_match(c);
    uint64_t version;
    if (match.len == 0) return true;
    if (header_version(match, &version)) {
        buf_printf(out, ",\"version\":%llu", (unsigned long long)version);
        return true;
    }
    api_refuse(c, API_PROBLEM_CHANGED, "If-Match is no ETag of it");
    return false;
}

static bool is_said(const struct api_call *c, struct slice name)
{
    bool versioned = get_match(c).len > 0;
    for (uint32_t i = 0; i < c->match.n; i++)
        if (slice_eq(name, c->match.names[i])) return true;
    return versioned && slice_eq(name, SLICE("version"));
}

static bool put_body(struct api_call *c, struct buf *out)
{
    struct json_parts parts;
    struct slice name, value;
    json_parts_init(&parts, slice_trim(buf_slice(&c->body)));
    while (json_parts_next(&parts, &name, &value)) {
        if (is_said(c, name)) {
            api_refuse(c, API_PROBLEM_BODY, "a member says again what stands elsewhere");
            return false;
        }
        buf_puts(out, out->len > 1 ? ",\"" : "\"");
        buf_put(out, name);
        buf_puts(out, "\":");
        buf_put(out, value);
    }
    return true;
}

bool api_compose(struct api_call *c, struct buf *out)
{
    buf_putc(out, '{');
    for (uint32_t i = 0; i < c->match.n; i++)
        put_member(out, c->match.names[i], c->match.values[i]);
    for (uint32_t i = 0; i < c->target.n_query; i++)
        put_member(out, c->target.query[i].name, c->target.query[i].value);
    if (!put_version(c, out) || (c->endpoint->body && !c->files && !put_body(c, out))) return false;
    buf_putc(out, '}');
    if (!buf_failed(out)) return true;
    api_refuse(c, API_PROBLEM_TOO_LARGE, NULL);
    return false;
}
