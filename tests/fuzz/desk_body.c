/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as what is to be done to an incident: the answer is JSON, and the numbers fit. */
#include "base/json_read.h"
#include "base/time.h"
#include "desk/desk.h"
#include "desk/read.h"
#include "state/db.h"
#include "target.h"

static void add_alert(struct state *state, struct desk *desk)
{
    const struct state_alert alert = {
        .count = 1,
        .level = 4,
        .time = 1,
        .received = 2,
        .last_received = 2,
        .rule = SLICE("r"),
        .title = SLICE("T"),
        .line = SLICE("{\"rule\":{\"id\":\"r\",\"title\":\"T\",\"level\":\"high\"},\"entities\":"
                      "{\"user.name\":[\"anna\"]}}")};
    bool is_new;
    HOLDS(desk_add_alert(desk, &alert, -1, 2, &is_new) == 0 && is_new);
}

static void check(struct state *state)
{
    int64_t wrong = 1;
    HOLDS(db_get(state_db(state),
                 "SELECT count(*) FROM incident i WHERE i.alerts != (SELECT count(*) FROM alert a"
                 " WHERE a.incident = i.id)",
                 DB_ALONE, &wrong) == 0);
    HOLDS(wrong == 0);
}

/* A line is the name of an act and, behind a blank, its body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size), line;
    struct state *state;
    struct desk *desk;
    struct buf out;
    struct diag diag;
    HOLDS(state_open(":memory:", &state, &diag) == 0);
    HOLDS(desk_open(state, 1, 1, &desk) == 0);
    buf_init(&out, DESK_BODY_MAX);
    HOLDS(state_begin(state) == 0);
    for (int i = 0; i < 3; i++) add_alert(state, desk);
    for (int i = 0; i < 16 && rest.len > 0; i++) {
        struct desk_request request = {.actor = SLICE("a"), .now = 3};
        enum desk_status status;
        (void)slice_split(rest, '\n', &line, &rest);
        (void)slice_split(line, ' ', &request.kind, &request.body);
        buf_clear(&out);
        HOLDS(desk_act(desk, &request, &out, &status) == 0);
        HOLDS(json_is_object(buf_slice(&out)));
    }
    check(state);
    HOLDS(state_commit(state) == 0);
    desk_close(desk);
    state_close(state);
    buf_done(&out);
    return 0;
}
