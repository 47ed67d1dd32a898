/* SPDX-License-Identifier: EUPL-1.2 */
/* Pages: read from oncall's database, taken and escalated by the process that writes it. */
#include <inttypes.h>
#include <stdio.h>

#include "oncall/read.h"
#include "web/call.h"
#include "web/run.h"

enum { BODY_ROOM = 64 * 1024, KIND_ROOM = 64 };

/* Opened for one answer: who asks for it asks seldom. False: refused. */
static bool open_pages(struct api_call *c, struct oncall_view *ret)
{
    struct diag diag = {0};
    *ret = (struct oncall_view){.tenant = c->tenant};
    if (db_open_reader(c->api->options.oncall, &ret->db, &diag) == 0) return true;
    api_refuse_for(c, API_PROBLEM_BUSY, 1);
    return false;
}

void api_pages(struct api_call *c)
{
    char space[API_PLACE_MAX], next[24];
    struct oncall_view view;
    struct slice place = SLICE_NONE, state, incident;
    struct oncall_query query = {.limit = api_limit(c), .open = true};
    if (api_target_find(&c->target, "state", &state)) query.open = slice_eq(state, SLICE("open"));
    /* A number: the table says so. */
    if (api_target_find(&c->target, "incident", &incident))
        (void)slice_to_u64(incident, &query.incident);
    if (!api_cursor_place(c, space, &place)) return;
    if (place.len && !slice_to_u64(place, &query.before)) {
        api_refuse_cursor(c);
        return;
    }
    if (!open_pages(c, &view)) return;
    buf_puts(&c->out, "{\"pages\":");
    int error = oncall_write_pages(&view, &query, &c->out);
    db_close(view.db);
    if (error) {
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
        return;
    }
    (void)snprintf(next, sizeof next, "%" PRIu64, query.next);
    if (query.next) api_put_next_place(c, slice_of(next));
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_page(struct api_call *c)
{
    struct oncall_view view;
    bool found = false;
    uint64_t id;
    if (!slice_to_u64(c->match.values[0], &id) || id > INT64_MAX) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
        return;
    }
    if (!open_pages(c, &view)) return;
    int error = oncall_write_page(&view, id, &c->out, &found);
    db_close(view.db);
    buf_putc(&c->out, '\n');
    if (error || buf_failed(&c->out)) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else if (!found) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else api_answer(c, MHD_HTTP_OK, API_JSON);
}

/* The act is page_ and what the path ends with; the page's number stands in it. */
void api_page_act(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    char kind[KIND_ROOM];
    struct buf body;
    buf_init(&body, BODY_ROOM);
    (void)snprintf(kind, sizeof kind, "page_%.*s",
                   SLICE_FMT(slice_until(c->target.segments[c->target.n_segments - 1], 32)));
    if (api_compose(c, &body)) {
        const struct api_deed m = {.tenant = c->tenant,
                                   .actor = c->who->name,
                                   .kind = slice_of(kind),
                                   .body = buf_slice(&body)};
        if (out->oncall(out->ctx, c->id, &m) != 0) api_refuse_for(c, API_PROBLEM_BUSY, 1);
        else api_wait(c, WAIT_ONCALL);
    }
    buf_done(&body);
}
