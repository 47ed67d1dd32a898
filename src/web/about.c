/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "canary/awake.h"
#include "canary/drill.h"
#include "canary/said.h"
#include "web/alert.h"
#include "web/call.h"
#include "web/openapi.h"
#include "web/run.h"

bool api_is_first_tenants(struct api_call *c)
{
    if (c->tenant == 0) return true;
    api_refuse(c, API_PROBLEM_FORBIDDEN, "this is the first tenant's");
    return false;
}

void api_status(struct api_call *c)
{
    if (!api_is_first_tenants(c)) return;
    c->api->options.out.status(c->api->options.out.ctx, &c->out);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

/* A member of a member … of what status() tells; null without one. */
static void put_report(struct buf *out, const char *key, struct slice status, const char *process,
                       const char *member)
{
    struct slice found = SLICE_NONE, processes;
    bool there = json_find_member(status, "processes", NULL, &processes) &&
                 json_find_member(processes, process, NULL, &found) &&
                 (!member || (found.len > 4 && json_find_member(found, member, NULL, &found)));
    json_write_key(out, key);
    buf_put(out, there ? found : SLICE("null"));
}

void api_awake(struct api_call *c)
{
    struct buf status;
    struct awake a;
    if (!api_is_first_tenants(c)) return;
    buf_init(&status, API_ANSWER_MAX);
    c->api->options.out.status(c->api->options.out.ctx, &status);
    const struct slice processes = json_member(slice_trim(buf_slice(&status)), "processes");
    awake_read(json_member(processes, "canary"), json_member(processes, "oncall"),
               clock_realtime(&c->api->options.clock), &a);
    awake_write(&c->out, &a);
    buf_putc(&c->out, '\n');
    buf_done(&status);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

struct part {
    const char *key, *process, *member;
};

/* Parts of what processes say, in one object. */
static void tell_parts(struct api_call *c, const struct part *parts, size_t n)
{
    struct buf status;
    if (!api_is_first_tenants(c)) return;
    buf_init(&status, API_ANSWER_MAX);
    c->api->options.out.status(c->api->options.out.ctx, &status);
    buf_putc(&c->out, '{');
    for (size_t i = 0; i < n; i++)
        put_report(&c->out, parts[i].key, slice_trim(buf_slice(&status)), parts[i].process,
                   parts[i].member);
    buf_puts(&c->out, "}\n");
    buf_done(&status);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_sources(struct api_call *c)
{
    static const struct part parts[] = {{"sources", "triage", "sources"},
                                        {"received", "collect", "sources"},
                                        {"pull", "pull", NULL}};
    tell_parts(c, parts, sizeof parts / sizeof *parts);
}

/* What the canary's process says of drills; empty: nothing. `status` is the caller's, and holds it.
 */
static struct slice read_drills(const struct api_call *c, struct buf *status)
{
    c->api->options.out.status(c->api->options.out.ctx, status);
    const struct slice processes = json_member(slice_trim(buf_slice(status)), "processes");
    return json_member(json_member(processes, "canary"), "drills");
}

void api_drills(struct api_call *c)
{
    struct buf status;
    if (!api_is_first_tenants(c)) return;
    buf_init(&status, API_ANSWER_MAX);
    buf_puts(&c->out, "{\"drills\":");
    drills_write(&c->out, read_drills(c, &status));
    buf_puts(&c->out, "}\n");
    buf_done(&status);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

static void tell_drill(struct api_call *c, struct slice run)
{
    const struct desk_view view = api_view(c);
    struct drill_report report;
    if (!view.db) {
        api_db_failed(c);
        return;
    }
    int error = drill_report_read(&report, &view, run);
    if (error == 0) drill_report_write(&c->out, &report);
    drill_report_done(&report);
    buf_putc(&c->out, '\n');
    if (error) api_db_failed(c);
    else api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_drill(struct api_call *c)
{
    struct slice name = c->match.values[0], run = SLICE_NONE;
    struct buf status;
    uint64_t id = 0;
    if (!api_is_first_tenants(c)) return;
    buf_init(&status, API_ANSWER_MAX);
    bool newest = slice_eq(name, SLICE("last"));
    if (newest || (slice_to_u64(name, &id) && id > 0))
        run = drill_find_run(read_drills(c, &status), id);
    if (run.len) tell_drill(c, run);
    else api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    buf_done(&status);
}

void api_drill_run(struct api_call *c)
{
    if (api_is_first_tenants(c)) api_do(c, API_DEED_DRILLS, SLICE("drill_run"));
}

void api_drill_stop(struct api_call *c)
{
    if (api_is_first_tenants(c)) api_do(c, API_DEED_DRILLS, SLICE("drill_stop"));
}

void api_store(struct api_call *c)
{
    static const struct part parts[] = {
        {"store", "store", NULL},     {"seal", "seal", NULL},   {"sign", "sign", NULL},
        {"witness", "witness", NULL}, {"index", "index", NULL}, {"verified", "search", "verified"}};
    tell_parts(c, parts, sizeof parts / sizeof *parts);
}

static void tell_document(struct api_call *c, enum api_document document)
{
    if (!api_is_first_tenants(c)) return;
    buf_put(&c->out, c->api->options.documents[document]);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_settings(struct api_call *c)
{
    tell_document(c, API_DOCUMENT_SETTINGS);
}

void api_products(struct api_call *c)
{
    tell_document(c, API_DOCUMENT_PRODUCTS);
}

void api_indicators(struct api_call *c)
{
    tell_document(c, API_DOCUMENT_INDICATORS);
}

void api_exceptions(struct api_call *c)
{
    tell_document(c, API_DOCUMENT_EXCEPTIONS);
}

void api_coverage(struct api_call *c)
{
    tell_document(c, API_DOCUMENT_COVERAGE);
}

void api_openapi(struct api_call *c)
{
    openapi_write(&c->out);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
