/* SPDX-License-Identifier: EUPL-1.2 */
/* A search as it goes on: lines of JSON, which another process makes. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/when.h"
#include "web/call.h"
#include "web/run.h"

enum { QUERY_MAX = 64 * 1024, TIME_MAX = 64, VERSION_MAX = 64 };

/* Lines that the client has are told to be taken: more may come. */
static void more(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    if (c->owed && c->searches) out->taken(out->ctx, c->id, c->owed);
    c->owed = 0;
}

void api_search_found(struct api_call *c, struct slice lines)
{
    api_stream_put(c, lines);
    c->owed += lines.len;
    if (c->state == CALL_WAITING) api_stream(c, api_answer_type(c->endpoint->kind), more);
    else api_stream_wake(c);
}

static void refuse(struct api_call *c, unsigned status, struct slice why)
{
    char text[320];
    (void)snprintf(text, sizeof text, "%.*s", (int)(why.len < 300 ? why.len : 300), why.ptr);
    if (status == 400) api_refuse_member(c, "query", text);
    else if (status == 404) api_refuse(c, API_PROBLEM_NOT_FOUND, text);
    else if (status == 429) api_refuse_busy(c, API_PROBLEM_RATE, text);
    else api_refuse_busy(c, API_PROBLEM_BUSY, text);
}

void api_search_finished(struct api_call *c, unsigned status, struct slice text)
{
    bool begun = c->state != CALL_WAITING;
    c->searches = false;
    if (!begun && status != 200) {
        refuse(c, status, text);
        return;
    }
    if (status == 200) {
        api_stream_put(c, text);
    } else {
        struct buf end;
        buf_init(&end, 4096);
        buf_puts(&end, "{\"end\":{\"how\":\"failed\",\"detail\":");
        json_write_string(&end, slice_until(text, 512));
        buf_puts(&end, "}}\n");
        api_stream_put(c, buf_slice(&end));
        buf_done(&end);
    }
    c->ended = true;
    if (begun) api_stream_wake(c);
    else api_stream(c, api_answer_type(c->endpoint->kind), more);
}

#define NO_TIME "not a point in time, such as 2026-12-23T21:47:00Z or -7d"

static bool parse_time(const struct api_call *c, struct slice text, bool end_of_day, nsec *ret)
{
    const struct when when = {.now = clock_realtime(&c->api->options.clock)};
    return text.len == 0 || when_parse(text, &when, end_of_day, ret);
}

/* Of the body; false: refused. */
static bool read_time(struct api_call *c, const char *member, bool end_of_day, nsec *ret)
{
    struct buf text;
    buf_init(&text, TIME_MAX + 1);
    bool good = api_body_text(c, member, 0, TIME_MAX, &text);
    if (good && !parse_time(c, buf_slice(&text), end_of_day, ret)) {
        api_refuse_member(c, member, NO_TIME);
        good = false;
    }
    buf_done(&text);
    return good;
}

/* The same of a parameter. */
static bool take_time(struct api_call *c, const char *name, bool end_of_day, nsec *ret)
{
    struct slice text = SLICE_NONE;
    (void)api_target_find(&c->target, name, &text);
    if (parse_time(c, text, end_of_day, ret)) return true;
    api_refuse_parameter(c, name, NO_TIME);
    return false;
}

void api_find_begin(struct api_call *c, const struct api_find *m)
{
    const struct api_out *out = &c->api->options.out;
    if (out->find(out->ctx, c->id, m) != 0) {
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
        return;
    }
    c->searches = true;
    api_wait(c, WAIT_SEARCH);
}

static bool read_purpose(struct api_call *c, struct buf *ret)
{
    if (!api_body_text(c, "purpose", 0, API_PURPOSE_MAX, ret)) return false;
    if (ret->len) return true;
    struct slice purpose;
    if (!api_purpose(c, &purpose)) return false;
    buf_put(ret, purpose);
    return true;
}

static struct api_find find_by(const struct api_call *c, enum api_find_kind what)
{
    return (struct api_find){.what = what,
                             .tenant = c->tenant,
                             .user = c->user,
                             .name = c->who->name,
                             .from = INT64_MIN,
                             .to = INT64_MAX};
}

/* With the times and the purpose of the body. */
static void begin(struct api_call *c, enum api_find_kind what, struct slice query)
{
    struct api_find m = find_by(c, what);
    struct buf purpose;
    buf_init(&purpose, API_PURPOSE_MAX + 1);
    if (read_purpose(c, &purpose) && read_time(c, "from", false, &m.from) &&
        read_time(c, "to", true, &m.to)) {
        m.query = query;
        m.purpose = buf_slice(&purpose);
        if (m.from < m.to) api_find_begin(c, &m);
        else api_refuse_member(c, "to", "not after `from`");
    }
    buf_done(&purpose);
}

/* `member` of the body is the text that is looked for, or tried. */
static void begin_with(struct api_call *c, enum api_find_kind what, const char *member)
{
    struct buf query;
    buf_init(&query, QUERY_MAX + 1);
    if (api_body_text(c, member, 1, QUERY_MAX, &query)) begin(c, what, buf_slice(&query));
    buf_done(&query);
}

void api_search(struct api_call *c)
{
    begin_with(c, API_FIND_RECORDS, "query");
}

/* By the public keys that the process that signs tells. */
void api_verify(struct api_call *c)
{
    struct api_find m = find_by(c, API_FIND_VERIFY);
    struct buf status, keys;
    struct slice value;
    m.said = SLICE("store");
    if (!api_is_first_tenants(c) || !api_purpose(c, &m.purpose)) return;
    buf_init(&status, API_ANSWER_MAX);
    buf_init(&keys, QUERY_MAX);
    c->api->options.out.status(c->api->options.out.ctx, &status);
    bool known = json_find_member(slice_trim(buf_slice(&status)), "processes", NULL, &value) &&
                 json_find_member(value, "sign", NULL, &value) && json_is_object(value) &&
                 json_find_member(value, "keys", NULL, &value) && json_string_text(value, &keys);
    m.query = buf_slice(&keys);
    if (known && keys.len) api_find_begin(c, &m);
    else api_refuse_busy(c, API_PROBLEM_BUSY, "the public key of the log is not known yet");
    buf_done(&status);
    buf_done(&keys);
}

void api_rules_try(struct api_call *c)
{
    if (json_member(buf_slice(&c->body), "text").len) begin_with(c, API_FIND_TRIAL, "text");
    else begin(c, API_FIND_TRIAL, SLICE_NONE);
}

void api_rules_check(struct api_call *c)
{
    begin_with(c, API_FIND_CHECK, "text");
}

void api_rules_draft(struct api_call *c)
{
    begin_with(c, API_FIND_DRAFT, "query");
}

void api_audit(struct api_call *c)
{
    struct api_find m = find_by(c, API_FIND_AUDIT);
    if (!api_purpose(c, &m.purpose) || !take_time(c, "from", false, &m.from) ||
        !take_time(c, "to", true, &m.to))
        return;
    if (m.from < m.to) api_find_begin(c, &m);
    else api_refuse_parameter(c, "to", "not after `from`");
}

/* ---- evidence, and rules that were imported ------------------------------------------------ */

static bool read_number(struct api_call *c, const char *member, uint64_t *ret)
{
    struct slice value = json_member(buf_slice(&c->body), member);
    if (value.len == 0 || (slice_to_u64(value, ret) && *ret <= INT64_MAX)) return true;
    api_refuse_member(c, member, "not the number of a record");
    return false;
}

/* What proves something has every byte as it came, and so the names of people. */
void api_evidence(struct api_call *c)
{
    char query[64];
    struct buf reason;
    uint64_t first = UINT64_MAX, last;
    struct api_find m = find_by(c, API_FIND_EVIDENCE);
    if (!api_is_first_tenants(c) || !read_number(c, "first", &first)) return;
    last = first;
    if (first == UINT64_MAX) {
        api_refuse_member(c, "first", "missing");
        return;
    }
    if (!read_number(c, "last", &last)) return;
    if (last < first || last - first >= API_EVIDENCE_MAX) {
        api_refuse_member(c, "last", "not at `first` or up to 9,999 behind it");
        return;
    }
    if (c->veiled) {
        api_refuse(c, API_PROBLEM_FORBIDDEN,
                   "evidence has records as they came: not where names are pseudonyms");
        return;
    }
    int n = snprintf(query, sizeof query, "%llu..%llu", (unsigned long long)first,
                     (unsigned long long)last);
    m.query = slice_make(query, (size_t)n);
    buf_init(&reason, API_PURPOSE_MAX + 1);
    if (api_body_text(c, "reason", 1, API_PURPOSE_MAX, &reason)) {
        m.purpose = buf_slice(&reason);
        api_find_begin(c, &m);
    }
    buf_done(&reason);
}

void api_version_try(struct api_call *c)
{
    struct buf version, query;
    buf_init(&version, VERSION_MAX + 1);
    buf_init(&query, QUERY_MAX);
    if (api_body_text(c, "version", 0, VERSION_MAX, &version)) {
        buf_put(&query, c->match.values[0]);
        if (version.len) buf_putc(&query, ' ');
        buf_put(&query, buf_slice(&version));
        begin(c, API_FIND_VERSION, buf_slice(&query));
    }
    buf_done(&version);
    buf_done(&query);
}
