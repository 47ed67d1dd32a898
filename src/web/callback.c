/* SPDX-License-Identifier: EUPL-1.2 */
/* What providers of messages tell by themselves: the process that has their secrets reads it. */
#include "web/call.h"
#include "web/run.h"

static struct slice value_of(const struct api_call *c, const char *name)
{
    for (uint32_t i = 0; i < c->match.n; i++)
        if (slice_eq(c->match.names[i], slice_of(name))) return c->match.values[i];
    return SLICE_NONE;
}

void api_callback(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    const struct api_told told = {.provider = value_of(c, "provider"),
                                  .secret = value_of(c, "secret"),
                                  .body = buf_slice(&c->body)};
    if (out->told(out->ctx, c->id, &told) != 0) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_TOLD);
}

/* A provider takes a body for the text of a reply: there is none, when nothing is to be said. */
void api_callback_answered(struct api_call *c, unsigned status, struct slice body)
{
    if (status == 404) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else if (status >= 500) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else if (status >= 400) api_refuse(c, API_PROBLEM_MALFORMED, NULL);
    else {
        buf_clear(&c->out);
        buf_put(&c->out, body);
        api_answer(c, MHD_HTTP_OK, API_JSON);
    }
}

void api_providers(struct api_call *c)
{
    const struct api *w = c->api;
    buf_puts(&c->out, "{\"providers\":");
    if (w->providers.len) buf_put(&c->out, buf_slice(&w->providers));
    else buf_puts(&c->out, "[]");
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
