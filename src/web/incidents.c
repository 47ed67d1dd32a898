/* SPDX-License-Identifier: EUPL-1.2 */
/* Incidents, assets and suppressions: read from the database, worked on by the process that writes
 * it. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "desk/desk.h"
#include "desk/read.h"
#include "web/alert.h"
#include "web/call.h"
#include "web/run.h"

struct desk_view api_view(const struct api_call *c)
{
    return (struct desk_view){
        .db = api_db(c->api), .tenant = c->tenant, .now = clock_realtime(&c->api->options.clock)};
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool read_id(struct api_call *c, uint64_t *ret)
{
    if (slice_to_u64(c->match.values[0], ret) && *ret > 0 && *ret <= INT64_MAX) return true;
    api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    return false;
}

/* What a page says that was written behind the head of the answer. */
static void end_page(struct api_call *c, const struct desk_page *page, int error)
{
    if (error == ERR_INVALID) {
        api_refuse_cursor(c);
    } else if (error) {
        api_db_failed(c);
    } else {
        if (page->next[0]) api_put_next_place(c, slice_of(page->next));
        buf_puts(&c->out, "}\n");
        api_answer(c, MHD_HTTP_OK, API_JSON);
    }
}

static void read_filter(const struct api_call *c, struct desk_filter *ret)
{
    struct slice text;
    *ret = (struct desk_filter){.state = DESK_OPEN, .level = api_level(c)};
    if (api_target_find(&c->target, "state", &text))
        ret->state = slice_eq(text, SLICE("closed")) ? DESK_CLOSED
                     : slice_eq(text, SLICE("any"))  ? DESK_ANY
                                                     : DESK_OPEN;
    (void)api_target_find(&c->target, "assignee", &ret->assignee);
    (void)api_target_find(&c->target, "entity", &ret->name);
}

void api_incidents(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    char space[API_PLACE_MAX];
    struct desk_page page = {.limit = api_limit(c)};
    struct desk_filter filter;
    if (!api_cursor_place(c, space, &page.after)) return;
    read_filter(c, &filter);
    buf_puts(&c->out, "{\"incidents\":");
    end_page(c, &page, view.db ? desk_write_incidents(&view, &filter, &page, &c->out) : ERR_IO);
}

void api_queue(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    if (!view.db || desk_write_queue(&view, &c->out) != 0) {
        api_db_failed(c);
        return;
    }
    buf_putc(&c->out, '\n');
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_noise(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    buf_puts(&c->out, "{\"noise\":");
    if (!view.db || desk_write_noise(&view, &c->out) != 0) {
        api_db_failed(c);
        return;
    }
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_organisation(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    if (!view.db || desk_write_organisation(&view, &c->out) != 0) {
        api_db_failed(c);
        return;
    }
    buf_putc(&c->out, '\n');
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

/* "version.changed": what the next change is to name, and what differs when anything does. */
static void put_tag(struct api_call *c)
{
    struct slice version, changed, body = slice_trim(buf_slice(&c->out));
    if (json_find_member(body, "version", NULL, &version) &&
        json_find_member(body, "changed", NULL, &changed) && version.len + changed.len < 48)
        (void)snprintf(c->tag, sizeof c->tag, "\"%.*s.%.*s\"", SLICE_FMT(version),
                       SLICE_FMT(changed));
}

void api_incident(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    bool found = false;
    uint64_t id;
    if (!read_id(c, &id)) return;
    if (!view.db || desk_write_incident(&view, id, &c->out, &found) != 0) {
        api_db_failed(c);
    } else if (!found) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    } else {
        put_tag(c);
        buf_putc(&c->out, '\n');
        api_answer(c, MHD_HTTP_OK, API_JSON);
    }
}

typedef int write_fn(const struct desk_view *v, uint64_t id, struct desk_page *page,
                     struct buf *out);

/* A list of something of one incident, which has to be there. */
static void list_of(struct api_call *c, const char *name, write_fn *write)
{
    const struct desk_view view = api_view(c);
    char space[API_PLACE_MAX];
    struct desk_page page = {.limit = api_limit(c)};
    bool found = false;
    uint64_t id;
    if (!read_id(c, &id) || !api_cursor_place(c, space, &page.after)) return;
    if (!view.db || desk_write_incident(&view, id, &c->out, &found) != 0) {
        api_db_failed(c);
        return;
    }
    buf_clear(&c->out);
    if (!found) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
        return;
    }
    buf_printf(&c->out, "{\"%s\":", name);
    end_page(c, &page, write(&view, id, &page, &c->out));
}

static int write_similar(const struct desk_view *v, uint64_t id, struct desk_page *page,
                         struct buf *out)
{
    page->next[0] = '\0';
    return desk_write_similar(v, id, out);
}

void api_incident_alerts(struct api_call *c)
{
    list_of(c, "alerts", desk_write_alerts);
}

void api_incident_log(struct api_call *c)
{
    list_of(c, "log", desk_write_log);
}

void api_incident_similar(struct api_call *c)
{
    list_of(c, "similar", write_similar);
}

void api_assets(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    char space[API_PLACE_MAX];
    struct desk_page page = {.limit = api_limit(c)};
    struct slice name = SLICE_NONE;
    if (!api_cursor_place(c, space, &page.after)) return;
    (void)api_target_find(&c->target, "entity", &name);
    buf_puts(&c->out, "{\"assets\":");
    end_page(c, &page, view.db ? desk_write_assets(&view, name, &page, &c->out) : ERR_IO);
}

void api_suppressions(struct api_call *c)
{
    const struct desk_view view = api_view(c);
    char space[API_PLACE_MAX];
    struct desk_page page = {.limit = api_limit(c)};
    if (!api_cursor_place(c, space, &page.after)) return;
    buf_puts(&c->out, "{\"suppressions\":");
    end_page(c, &page, view.db ? desk_write_suppressions(&view, &page, &c->out) : ERR_IO);
}

/* ---- acts -------------------------------------------------------------------------------- */

void api_do(struct api_call *c, enum api_deed_to to, struct slice kind)
{
    const struct api_out *out = &c->api->options.out;
    struct buf body;
    buf_init(&body, API_BODY_MAX + API_TARGET_MAX);
    if (api_compose(c, &body)) {
        const struct api_deed m = {.to = to,
                                   .tenant = c->tenant,
                                   .actor = c->who->name,
                                   .kind = kind,
                                   .body = buf_slice(&body),
                                   .file = c->files ? buf_slice(&c->body) : SLICE_NONE,
                                   .once = slice_of(c->once_key),
                                   .asked = slice_of(c->once_asked)};
        if (out->act(out->ctx, c->id, &m) != 0) api_refuse_for(c, API_PROBLEM_BUSY, 1);
        else api_wait(c, WAIT_ACT);
        c->deed = to;
    }
    buf_done(&body);
}

static void act(struct api_call *c, struct slice kind)
{
    uint64_t id;
    if (c->match.n == 0 || read_id(c, &id)) api_do(c, API_DEED_DESK, kind);
}

/* The path ends with its name. */
void api_act(struct api_call *c)
{
    act(c, c->target.segments[c->target.n_segments - 1]);
}

/* What the row of the table says; only the first tenant has a library and a store. */
void api_deed(struct api_call *c)
{
    if (api_is_first_tenants(c)) api_do(c, c->endpoint->to, slice_of(c->endpoint->deed));
}

void api_suppress(struct api_call *c)
{
    act(c, SLICE("suppress"));
}

void api_unsuppress(struct api_call *c)
{
    act(c, SLICE("unsuppress"));
}

static enum api_problem problem_of(const struct api_call *c, unsigned status)
{
    bool versioned = api_request_header(c, MHD_HTTP_HEADER_IF_MATCH).len > 0;
    switch (status) {
    case DESK_NOT_FOUND:
    case DESK_UNKNOWN:
        return API_PROBLEM_NOT_FOUND;
    case DESK_CONFLICT:
        return versioned ? API_PROBLEM_CHANGED : API_PROBLEM_CONFLICT;
    case DESK_PROTECTED:
        return API_PROBLEM_PROTECTED;
    case DESK_REUSED:
        return API_PROBLEM_KEY_REUSED;
    default:
        return API_PROBLEM_BODY;
    }
}

/* {"member":"why","message":"…","sv":"…"} */
static void refuse(struct api_call *c, unsigned status, struct slice body)
{
    struct slice language = api_request_header(c, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
    bool swedish = slice_starts_with(language, SLICE("sv"));
    char text[320], member[64];
    struct slice breaches;
    bool said = swedish && api_json_text(body, "sv", text, sizeof text);
    if (!said && !api_json_text(body, "message", text, sizeof text)) text[0] = '\0';
    if (status == DESK_INVALID && api_json_text(body, "member", member, sizeof member))
        api_refuse_member(c, member, text);
    else if (json_find_member(body, "breaches", NULL, &breaches))
        api_refuse_breaches(c, text, breaches);
    else if (status == DESK_BUSY) api_refuse_busy(c, API_PROBLEM_BUSY, text);
    else api_refuse(c, problem_of(c, status), text);
}

void api_acted_on(struct api_call *c, unsigned status, struct slice body)
{
    if (status != DESK_DONE && status != DESK_AGAIN) {
        refuse(c, status, body);
        return;
    }
    if (status == DESK_AGAIN) api_header(c, "Idempotency-Replayed", "true");
    buf_put(&c->out, slice_trim(body));
    put_tag(c);
    if (c->tag[0]) api_header(c, MHD_HTTP_HEADER_ETAG, "%s", c->tag);
    buf_putc(&c->out, '\n');
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
