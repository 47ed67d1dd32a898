/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_write.h"
#include "base/time.h"
#include "web/call.h"
#include "web/header.h"
#include "web/run.h"

/*
 * A cookie that only this host over TLS gets, that no script reads, and that goes with no request
 * of another site (RFC 6265bis, 4.1.3). It has no Max-Age: what ends it is the session's end.
 */
#define COOKIE_FORM API_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict"

/* The browser that was sent to the identity provider is the one that comes back. */
#define STATE_COOKIE "__Host-vaka-login"
#define STATE_FORM   STATE_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600"

static void put_must(struct buf *out, unsigned must)
{
    static const char *const words[] = {
        [0] = NULL, [MUST_CHANGE_PASSWORD] = "change_password", [MUST_ENROL] = "enrol"};
    json_write_key(out, "must");
    if (must < sizeof words / sizeof *words && words[must])
        json_write_string(out, slice_of(words[must]));
    else buf_puts(out, "null");
}

/* `proof` is the session's, of which its mark is made. */
static void put_session(struct api_call *c, const struct api_principal *p, struct slice proof)
{
    struct buf *out = &c->out;
    char mark[API_MARK_TEXT + 1];
    buf_clear(out);
    buf_puts(out, "{\"needs_code\":false");
    json_write_member_u64(out, "id", p->user);
    json_write_member_string(out, "name", p->name);
    json_write_member_string(out, "shown", p->shown);
    json_write_member_u64(out, "tenant", p->tenant);
    json_write_key(out, "rights");
    rights_write(out, p->rights);
    put_must(out, p->must);
    json_write_key(out, "token");
    buf_puts(out, p->token ? "true" : "false");
    json_write_key(out, "veiled");
    buf_puts(out, p->veiled ? "true" : "false");
    json_write_key(out, "expires");
    buf_putc(out, '"');
    time_write_rfc3339(out, p->expires * NSEC_PER_SEC);
    buf_putc(out, '"');
    json_write_key(out, "csrf");
    api_mark_write(c->api->options.secret, "csrf", proof, mark);
    if (p->token) buf_puts(out, "null");
    else json_write_string(out, slice_of(mark));
    buf_puts(out, "}\n");
}

static void put_needs_code(struct api_call *c, const struct api_principal *p)
{
    buf_clear(&c->out);
    buf_puts(&c->out, "{\"needs_code\":true");
    json_write_member_string(&c->out, "secret", p->secret);
    buf_puts(&c->out, "}\n");
}

static void put_elsewhere(struct api_call *c, const struct api_principal *p)
{
    buf_clear(&c->out);
    buf_putc(&c->out, '{');
    json_write_member_string(&c->out, "url", p->where);
    buf_puts(&c->out, "}\n");
    api_header(c, MHD_HTTP_HEADER_SET_COOKIE, STATE_FORM, SLICE_FMT(p->secret));
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_logged_in(struct api_call *c, const struct api_principal *p)
{
    switch (p->status) {
    case PRINCIPAL_KNOWN:
        put_session(c, p, p->secret);
        api_header(c, MHD_HTTP_HEADER_SET_COOKIE, COOKIE_FORM, SLICE_FMT(p->secret));
        api_answer(c, MHD_HTTP_OK, API_JSON);
        return;
    case PRINCIPAL_NEEDS_CODE:
        put_needs_code(c, p);
        api_answer(c, MHD_HTTP_OK, API_JSON);
        return;
    case PRINCIPAL_WAIT:
        api_refuse_for(c, API_PROBLEM_RATE, p->wait);
        return;
    case PRINCIPAL_BUSY:
    case PRINCIPAL_BROKEN:
        api_refuse_for(c, API_PROBLEM_BUSY, p->wait);
        return;
    case PRINCIPAL_ELSEWHERE:
        put_elsewhere(c, p);
        return;
    case PRINCIPAL_REFUSED:
        break;
    }
    api_refuse(c, API_PROBLEM_UNAUTHORIZED, NULL);
}

static void claim(struct api_call *c, const struct api_claim *m)
{
    if (c->api->options.out.claim(c->api->options.out.ctx, c->id, m) != 0)
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_LOGIN);
}

static void forget(struct buf *text)
{
    if (text->ptr) explicit_bzero(text->ptr, text->cap);
    buf_done(text);
}

void api_login(struct api_call *c)
{
    struct buf name, password, code;
    buf_init(&name, ACCOUNT_NAME_MAX + 1);
    buf_init(&password, PASSWORD_MAX + 1);
    buf_init(&code, CODE_MAX + 1);
    if (api_body_text(c, "name", 1, ACCOUNT_NAME_MAX, &name) &&
        api_body_text(c, "password", 1, PASSWORD_MAX, &password) &&
        api_body_text(c, "code", 0, CODE_MAX, &code))
        claim(c, &(struct api_claim){.kind = CLAIM_PASSWORD,
                                     .tenant = TENANT_ANY,
                                     .address = slice_of(c->from),
                                     .name = buf_slice(&name),
                                     .secret = buf_slice(&password),
                                     .code = buf_slice(&code)});
    forget(&name);
    forget(&password);
    forget(&code);
}

void api_login_code(struct api_call *c)
{
    struct buf secret, code;
    buf_init(&secret, API_PROOF_MAX);
    buf_init(&code, CODE_MAX + 1);
    if (api_body_text(c, "secret", 1, API_PROOF_MAX - 1, &secret) &&
        api_body_text(c, "code", 1, CODE_MAX, &code))
        claim(c, &(struct api_claim){.kind = CLAIM_CODE,
                                     .tenant = TENANT_ANY,
                                     .address = slice_of(c->from),
                                     .secret = buf_slice(&secret),
                                     .code = buf_slice(&code)});
    forget(&secret);
    forget(&code);
}

void api_session(struct api_call *c)
{
    put_session(c, c->who, slice_make(c->proof, c->proof_len));
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_login_elsewhere(struct api_call *c)
{
    claim(c, &(struct api_claim){
                 .kind = CLAIM_ELSEWHERE, .tenant = TENANT_ANY, .address = slice_of(c->from)});
}

void api_login_return(struct api_call *c)
{
    struct buf state, code;
    buf_init(&state, SECRET_TEXT + 64);
    buf_init(&code, FOREIGN_CODE_MAX + 1);
    if (!api_body_text(c, "state", 1, 64, &state) ||
        !api_body_text(c, "code", 1, FOREIGN_CODE_MAX, &code)) {
        forget(&state);
        forget(&code);
        return;
    }
    struct slice begun;
    if (!header_cookie(api_request_header(c, MHD_HTTP_HEADER_COOKIE), SLICE(STATE_COOKIE),
                       &begun) ||
        !slice_eq(begun, buf_slice(&state)))
        api_refuse(c, API_PROBLEM_UNAUTHORIZED, NULL);
    else
        claim(c, &(struct api_claim){.kind = CLAIM_RETURN,
                                     .tenant = TENANT_ANY,
                                     .address = slice_of(c->from),
                                     .name = buf_slice(&state),
                                     .secret = buf_slice(&code)});
    forget(&state);
    forget(&code);
}

void api_login_ways(struct api_call *c)
{
    buf_printf(&c->out, "{\"elsewhere\":%s}\n", c->api->options.elsewhere ? "true" : "false");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
