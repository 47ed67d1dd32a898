/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/call.h"
#include "web/openapi.h"
#include "web/run.h"

void api_status(struct api_call *c)
{
    /* The machine, and who sends, are the first tenant's. */
    if (c->tenant != 0) {
        api_refuse(c, API_PROBLEM_FORBIDDEN, "this is the first tenant's");
        return;
    }
    c->api->options.out.status(c->api->options.out.ctx, &c->out);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_openapi(struct api_call *c)
{
    openapi_write(&c->out);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
