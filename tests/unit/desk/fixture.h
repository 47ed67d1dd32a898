/* SPDX-License-Identifier: EUPL-1.2 */
/* A desk on a database of its own, with alerts that are made up. */
#ifndef VAKA_TESTS_DESK_FIXTURE_H
#define VAKA_TESTS_DESK_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/time.h"
#include "base/utf8.h"
#include "desk/desk.h"
#include "desk/read.h"
#include "detect/sigma/doc.h"
#include "state/db.h"
#include "test.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define NIGHT  INT64_C(1798062420000000000) /* 2026-12-23T21:47:00Z */

struct office {
    const char *path;
    struct state *state;
    struct desk *desk;
    nsec now;
    uint64_t seq;
    unsigned marks; /* of alerts to come */
    struct buf out;
    enum desk_status status;
};

static inline void open_office(struct office *o, const char *name)
{
    struct diag diag;
    *o = (struct office){.path = test_path(name), .now = NIGHT};
    buf_init(&o->out, 16 * 1024 * 1024);
    REQUIRE(state_open(o->path, &o->state, &diag) == 0);
    REQUIRE(desk_open(o->state, 7, o->now, &o->desk) == 0);
}

static inline void close_desk(struct office *o)
{
    desk_close(o->desk);
    state_close(o->state);
    o->desk = NULL;
    o->state = NULL;
}

static inline void close_office(struct office *o)
{
    close_desk(o);
    buf_done(&o->out);
}

/* As after an end: only what was committed is there. */
static inline void open_again(struct office *o)
{
    struct diag diag;
    close_desk(o);
    REQUIRE(state_open(o->path, &o->state, &diag) == 0);
    REQUIRE(desk_open(o->state, 8, o->now, &o->desk) == 0);
}

/* An alert of a rule about a user (NULL: nobody), at o->now; the incident that it is in. */
static inline uint64_t alert_at(struct office *o, const char *rule, const char *level,
                                const char *user, nsec alike)
{
    char line[1024], time[40];
    struct buf text = {.ptr = time, .cap = sizeof time, .max = sizeof time};
    bool is_new = false;
    uint64_t id = 0, incident = 0, suppression = 0;
    enum sigma_level number = LEVEL_NONE;
    time_write_rfc3339(&text, o->now);
    int n = snprintf(line, sizeof line,
                     "{\"time\":\"%.*s\",\"rule\":{\"id\":\"%s\",\"title\":\"Rule %s\","
                     "\"level\":\"%s\",\"tags\":[\"attack.%s\"],\"respond\":{\"sv\":\"Spärra.\","
                     "\"en\":\"Block.\"}},\"host\":null,\"entities\":{%s%s%s},\"event\":{}}\n",
                     (int)text.len, text.ptr, rule, rule, level, rule,
                     user ? "\"user.name\":[\"" : "", user ? user : "", user ? "\"]" : "");
    REQUIRE(n > 0 && (size_t)n < sizeof line);
    (void)sigma_level_parse(slice_of(level), &number);
    const struct state_alert a = {.seq = o->seq,
                                  .last_seq = o->seq,
                                  .count = 1,
                                  .level = number,
                                  .time = o->now,
                                  .received = o->now,
                                  .last_received = o->now,
                                  .marks = o->marks,
                                  .rule = slice_of(rule),
                                  .title = slice_of(rule),
                                  .entity = slice_of(user ? user : ""),
                                  .line = slice_make(line, (size_t)n)};
    o->seq++;
    REQUIRE(state_begin(o->state) == 0);
    REQUIRE(desk_add_alert(o->desk, &a, alike, o->now, &is_new) == 0);
    REQUIRE(state_commit(o->state) == 0);
    REQUIRE(state_find_alike(o->state, &a, 0, &id, &incident, &suppression) == 0);
    return incident;
}

static inline uint64_t alert(struct office *o, const char *rule, const char *user)
{
    return alert_at(o, rule, "high", user, -1);
}

/* What is done, with what is said in o->out; whether it was. */
static inline bool act(struct office *o, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool act(struct office *o, const char *kind, const char *fmt, ...)
{
    char body[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(body, sizeof body, fmt, ap);
    va_end(ap);
    REQUIRE(n > 0 && (size_t)n < sizeof body);
    const struct desk_request request = {.actor = SLICE("anna (uid 1000)"),
                                         .kind = slice_of(kind),
                                         .body = slice_make(body, (size_t)n),
                                         .now = o->now};
    buf_clear(&o->out);
    REQUIRE(state_begin(o->state) == 0);
    REQUIRE(desk_act(o->desk, &request, &o->out, &o->status) == 0);
    REQUIRE(state_commit(o->state) == 0);
    return o->status == DESK_DONE;
}

static inline struct desk_view view_of(const struct office *o)
{
    return (struct desk_view){.db = state_db(o->state), .now = o->now};
}

/* The incident as it is now, in o->out; false: there is none. */
static inline bool look(struct office *o, uint64_t id)
{
    const struct desk_view view = view_of(o);
    bool found = false;
    buf_clear(&o->out);
    REQUIRE(desk_write_incident(&view, id, &o->out, &found) == 0);
    if (found) CHECK(json_is_object(buf_slice(&o->out)));
    return found;
}

/* The text of a member of what is in o->out. */
static inline struct slice member(const struct office *o, const char *name)
{
    struct slice value;
    if (!json_find_member(buf_slice(&o->out), name, NULL, &value)) return SLICE("(none)");
    return value;
}

static inline bool says(const struct office *o, const char *text)
{
    return slice_find(buf_slice(&o->out), slice_of(text)) != SIZE_MAX;
}

#endif
