/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/call.h"
#include "web/header.h"
#include "web/run.h"

void api_manage(struct api_call *c)
{
    struct api_manage m = {.action = c->endpoint->action,
                           .tenant = c->tenant,
                           .proof = slice_make(c->proof, c->proof_len),
                           .address = slice_of(c->from)};
    struct buf body;
    buf_init(&body, API_BODY_MAX + API_TARGET_MAX);
    if (api_compose(c, &body)) {
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
            i != API_PROBLEM_PARAMETER && i != API_PROBLEM_CURSOR && i != API_PROBLEM_PROTECTED &&
            i != API_PROBLEM_CROSS_SITE)
            return i;
    return API_PROBLEM_BUSY;
}

/* {"detail":"…","member":"name"} */
static void refuse(struct api_call *c, unsigned status, struct slice body)
{
    char detail[320] = "", member[64];
    (void)api_json_text(body, "detail", detail, sizeof detail);
    if (status == 400 && api_json_text(body, "member", member, sizeof member))
        api_refuse_member(c, member, detail);
    else api_refuse(c, problem_of(status), detail);
}

void api_account_answered(struct api_call *c, unsigned status, struct slice body)
{
    if (status >= 400) {
        refuse(c, status, body);
        return;
    }
    if (c->endpoint->action == ACTION_OWN_LOGOUT)
        api_header(c, MHD_HTTP_HEADER_SET_COOKIE,
                   API_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    buf_put(&c->out, body);
    api_answer(c, status, API_JSON);
}
