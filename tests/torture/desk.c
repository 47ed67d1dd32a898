/* SPDX-License-Identifier: EUPL-1.2 */
/* Alerts put into incidents, and what is done to these, while memory runs out. */
#include "desk/desk.h"
#include "base/json_read.h"
#include "base/time.h"
#include "desk/read.h"
#include "incident/assets.h"
#include "state/db.h"
#include "torture.h"

static const char *const lines[] = {
    "{\"rule\":{\"id\":\"a\",\"title\":\"Event log cleared\",\"level\":\"high\",\"tags\":"
    "[\"attack.impact\"],\"respond\":{\"sv\":\"Sp\xc3\xa4rra.\",\"en\":\"Block.\"}},\"host\":"
    "\"pc1\","
    "\"entities\":{\"user.name\":[\"anna\"],\"source.ip\":[\"10.0.0.1\"]},\"event\":{\"m\":\"x\"}}",
    "{\"rule\":{\"id\":\"b\",\"title\":\"B\",\"level\":\"low\"},\"entities\":{\"user.name\":"
    "[\"bo\"]}}",
    "{\"rule\":{\"id\":\"c\",\"title\":\"C\",\"level\":\"critical\"},\"entities\":{\"user.name\":"
    "[\"anna\",\"bo\"]}}",
};

static const struct {
    const char *kind, *body;
} acts[] = {
    {"protect", "{\"incident\":1,\"concerns\":false}"},
    {"note", "{\"incident\":1,\"text\":\"called \\\"her\\\"\"}"},
    {"task", "{\"incident\":1,\"text\":\"call\",\"owner\":\"bo\"}"},
    {"split", "{\"incident\":1,\"alerts\":[3],\"why\":\"x\"}"},
    {"merge", "{\"incident\":1,\"with\":3}"},
    {"aware", "{\"incident\":1}"},
    {"assets", "{\"assets\":[{\"host\":\"pc1\",\"addresses\":\"10.0.0.1\",\"service\":\"s\"}]}"},
    {"suppress", "{\"name\":\"eve\",\"owner\":\"a\",\"why\":\"x\",\"expires\":\"1970-01-02\"}"},
    {"close", "{\"incident\":1,\"disposition\":\"benign\",\"why\":\"x\"}"},
    {"close", "{\"incident\":1}"},
};

static int add_alerts(struct state *state, struct desk *desk)
{
    int error = state_begin(state);
    for (size_t i = 0; i < sizeof lines / sizeof *lines && error == 0; i++) {
        const struct state_alert alert = {.seq = i,
                                          .last_seq = i,
                                          .count = 1,
                                          .level = 4,
                                          .time = 1,
                                          .received = 2,
                                          .last_received = 2,
                                          .rule = slice_of(&"abc"[i]),
                                          .title = SLICE("Event log cleared"),
                                          .line = slice_of(lines[i])};
        bool is_new;
        error = desk_add_alert(desk, &alert, -1, 2, &is_new);
    }
    return error ? error : state_commit(state);
}

static int do_acts(struct state *state, struct desk *desk, struct buf *out)
{
    int error = state_begin(state);
    for (size_t i = 0; i < sizeof acts / sizeof *acts && error == 0; i++) {
        const struct desk_request request = {.actor = SLICE("anna"),
                                             .kind = slice_of(acts[i].kind),
                                             .body = slice_of(acts[i].body),
                                             .now = 3};
        enum desk_status status;
        error = desk_act(desk, &request, out, &status);
        buf_printf(out, "\n%d\n", (int)status);
    }
    return error ? error : state_commit(state);
}

static int read_all(struct state *state, struct buf *out)
{
    const struct desk_view view = {.db = state_db(state), .now = 4};
    struct desk_page page = {.limit = 10};
    bool found;
    int error = desk_write_incidents(&view, &(struct desk_filter){.state = DESK_ANY}, &page, out);
    if (error == 0) error = desk_write_incident(&view, 1, out, &found);
    if (error == 0) error = desk_write_alerts(&view, 1, &page, out);
    if (error == 0) error = desk_write_log(&view, 1, &page, out);
    if (error == 0) error = desk_write_assets(&view, SLICE_NONE, &page, out);
    return error ? error : buf_error(out);
}

static int work(void *ctx, struct buf *out)
{
    struct state *state = NULL;
    struct desk *desk = NULL;
    struct diag diag;
    (void)ctx;
    int error = state_open(":memory:", &state, &diag);
    if (error == 0) error = desk_open(state, 1, 1, &desk);
    if (error == 0) error = add_alerts(state, desk);
    if (error == 0) error = do_acts(state, desk, out);
    if (error == 0) error = read_all(state, out);
    desk_close(desk);
    state_close(state);
    return error;
}

TEST(what_is_done_at_the_desk_is_done_whole_or_told)
{
    torture_run(&(struct torture){.run = work});
}

static int put_asset(void *ctx, const struct asset *a)
{
    struct assets *assets = ctx;
    return assets_add(assets, a);
}

static int read_assets(void *ctx, struct buf *out)
{
    static const char text[] = "host,address,owner\npc1,10.0.0.1,\"a \"\"b\"\"\"\npc2,,\n";
    struct assets *assets;
    struct diag diag = {0};
    (void)ctx;
    int error = assets_new(1, &assets);
    if (error) return error;
    error = assets_read(slice_of(text), "a.csv", put_asset, assets, &diag);
    assets_free(assets);
    buf_puts(out, "read");
    return error;
}

TEST(assets_are_read_whole_or_not_at_all)
{
    torture_run(&(struct torture){.run = read_assets});
}
