/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "web/call.h"
#include "web/run.h"

/* Members whose values are numbers; in paths and parameters everything is text. */
static bool is_number(struct slice name, struct slice value)
{
    static const char *const numbers[] = {"id", "after", "limit"};
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

/* What stands in the path and in parameters, and what the body says; the path is what it is about.
 */
static bool write_body(struct api_call *c, struct buf *out)
{
    struct json_parts parts;
    struct slice name, value;
    buf_putc(out, '{');
    for (uint32_t i = 0; i < c->match.n; i++)
        put_member(out, c->match.names[i], c->match.values[i]);
    for (uint32_t i = 0; i < c->target.n_query; i++)
        put_member(out, c->target.query[i].name, c->target.query[i].value);
    if (c->endpoint->body) {
        json_parts_init(&parts, slice_trim(buf_slice(&c->body)));
        while (json_parts_next(&parts, &name, &value)) {
            for (uint32_t i = 0; i < c->match.n; i++)
                if (slice_eq(name, c->match.names[i])) return false;
            buf_puts(out, out->len > 1 ? ",\"" : "\"");
            buf_put(out, name);
            buf_puts(out, "\":");
            buf_put(out, value);
        }
    }
    buf_putc(out, '}');
    return !buf_failed(out);
}

void api_manage(struct api_call *c)
{
    struct api_manage m = {.action = c->endpoint->action,
                           .tenant = c->tenant,
                           .proof = slice_make(c->proof, c->proof_len),
                           .address = slice_of(c->conn->address)};
    struct buf body;
    buf_init(&body, API_BODY_MAX + API_TARGET_MAX);
    if (!write_body(c, &body)) {
        api_refuse(c, API_PROBLEM_BODY, "a member says again what the path says");
    } else {
        m.body = buf_slice(&body);
        if (c->api->options.out.manage(c->api->options.out.ctx, c->id, &m) != 0)
            api_refuse_for(c, API_PROBLEM_BUSY, 1);
        else api_wait(c, WAIT_ACCOUNT);
    }
    if (body.ptr) explicit_bzero(body.ptr, body.cap);
    buf_done(&body);
}

static enum api_problem problem_of(unsigned status)
{
    for (unsigned i = 0; i < API_PROBLEM_COUNT; i++)
        if (api_problem_status(i) == status && i != API_PROBLEM_MALFORMED &&
            i != API_PROBLEM_PARAMETER && i != API_PROBLEM_CURSOR && i != API_PROBLEM_CROSS_SITE)
            return i;
    return API_PROBLEM_BUSY;
}

/* NUL-terminated; empty when there is none. */
static void read_text(struct slice body, const char *member, struct buf *out)
{
    struct slice value;
    if (json_find_member(body, member, NULL, &value) && !json_string_text(value, out))
        buf_clear(out);
    buf_putc(out, '\0');
}

/* {"detail":"…","member":"name"} */
static void refuse(struct api_call *c, unsigned status, struct slice body)
{
    struct buf detail, member;
    buf_init(&detail, 1024);
    buf_init(&member, 128);
    read_text(body, "detail", &detail);
    read_text(body, "member", &member);
    const char *text = buf_failed(&detail) ? "" : detail.ptr;
    if (status == 400 && member.len > 1 && !buf_failed(&member))
        api_refuse_member(c, member.ptr, text);
    else api_refuse(c, problem_of(status), text);
    buf_done(&detail);
    buf_done(&member);
}

void api_account_answered(struct api_call *c, unsigned status, struct slice body)
{
    if (status >= 400) {
        refuse(c, status, body);
        return;
    }
    if (c->endpoint->action == ACTION_OWN_LOGOUT)
        api_header(c, MHD_HTTP_HEADER_SET_COOKIE,
                   "__Host-vaka=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    buf_put(&c->out, body);
    api_answer(c, status, API_JSON);
}
