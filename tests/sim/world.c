/* SPDX-License-Identifier: EUPL-1.2 */
/* One world: events in the order of time, from one seed. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_write.h"
#include "base/time.h"
#include "state/db.h"
#include "state/state.h"

uint64_t pick(struct world *w, uint64_t below)
{
    w->random = w->random * 6364136223846793005U + 1442695040888963407U;
    return below ? hash_mix(w->random, 0x9e3779b97f4a7c15U) % below : 0;
}

bool chance(struct world *w, unsigned percent)
{
    return pick(w, 100) < percent;
}

nsec real_now(const struct world *w)
{
    return w->mono + w->offset;
}

struct oncall_time time_now(const struct world *w)
{
    return (struct oncall_time){.real = real_now(w), .monotonic = w->mono};
}

void wrong(struct world *w, const char *fmt, ...)
{
    va_list ap;
    if (w->wrong) return;
    va_start(ap, fmt);
    (void)vsnprintf(w->wrong_text, sizeof w->wrong_text, fmt, ap);
    va_end(ap);
    w->wrong = w->wrong_text;
}

/* ---- the heap ---------------------------------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

struct event *push(struct world *w, nsec after, enum event_kind kind)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 1024;
        w->heap = realloc(w->heap, w->cap * sizeof *w->heap);
        if (!w->heap) abort();
    }
    struct event e = {.at = w->mono + after, .order = ++w->order, .kind = kind};
    size_t at = w->n++;
    for (; at > 0 && is_before(&e, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = e;
    return &w->heap[at];
}

static void pop(struct world *w, struct event *ret)
{
    *ret = w->heap[0];
    const struct event last = w->heap[--w->n];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < w->n; at = child) {
        if (child + 1 < w->n && is_before(&w->heap[child + 1], &w->heap[child])) child++;
        if (!is_before(&w->heap[child], &last)) break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = last;
}

/* ---- what happens ------------------------------------------------------------------------ */

static void begin_incident(struct world *w, nsec after, bool may_grow)
{
    static const unsigned levels[] = {2, 3, 3, 4, 4, 4, 5, 5};
    struct event *e = push(w, after, EVENT_ALERT);
    e->a = pick(w, 40);
    e->b = w->next_user++;
    e->x = levels[pick(w, 8)];
    e->y = may_grow && chance(w, 40) ? (unsigned)pick(w, 6) : 0;
}

static void do_storm(struct world *w)
{
    const uint64_t n = 10 + pick(w, 80);
    w->f.storms++;
    for (uint64_t i = 0; i < n; i++) begin_incident(w, (nsec)pick(w, 600) * SECOND, false);
}

static void do_outage(struct world *w, const struct event *e)
{
    w->down[e->x] = e->y == 0;
    w->f.outages += e->y == 0;
    if (e->y) return;
    const unsigned provider = e->x;
    struct event *end = push(w, (nsec)(1 + pick(w, 8 * 3600)) * SECOND, EVENT_OUTAGE);
    end->x = provider;
    end->y = 1;
}

static void do_jump(struct world *w)
{
    static const nsec sizes[] = {SECOND, MINUTE, HOUR, 26 * HOUR};
    const nsec by = sizes[pick(w, 4)];
    w->f.jumps++;
    w->offset += chance(w, 50) ? by : -by;
}

static void do_plan(struct world *w)
{
    struct buf body;
    buf_init(&body, 64 * 1024);
    buf_puts(&body, "{\"text\":");
    json_write_string(&body, slice_of(sim_plan));
    buf_puts(&body, ",\"force\":true,\"why\":\"sim\"}");
    buf_putc(&body, '\0');
    if (!oncall_do(w, "admin", "plan", body.ptr)) push(w, MINUTE, EVENT_PLAN);
    buf_done(&body);
}

/* Whether both ends of its channel are those that it was sent between. */
static bool is_lost(const struct world *w, const struct event *e, enum process from,
                    enum process to)
{
    return e->from != w->epoch[from] || e->to != w->epoch[to] || !w->up[to];
}

static void do_message(struct world *w, const struct event *e)
{
    switch ((int)e->kind) {
    case EVENT_HANDOVER:
    case EVENT_SETTLED:
        if (!is_lost(w, e, TRIAGE, ONCALL)) oncall_handover(w, e, e->kind == EVENT_SETTLED);
        return;
    case EVENT_NOTED:
        if (!is_lost(w, e, TRIAGE, ONCALL)) oncall_noted_by(w, e);
        return;
    case EVENT_TAKEN:
        if (!is_lost(w, e, ONCALL, TRIAGE)) triage_taken(w, e);
        return;
    case EVENT_PAGED:
        if (!is_lost(w, e, ONCALL, TRIAGE)) triage_paged(w, e);
        return;
    case EVENT_SEND:
        if (!is_lost(w, e, ONCALL, NOTIFY)) notify_send(w, e);
        return;
    case EVENT_SENT:
        if (!is_lost(w, e, NOTIFY, ONCALL)) oncall_heard(w, e);
        return;
    default:
        /* Told until it was heard. */
        if (w->up[ONCALL] && w->up[NOTIFY]) {
            oncall_reply(w, e);
        } else {
            struct event *again = push(w, 10 * SECOND, EVENT_ANSWERED);
            again->x = e->x;
            memcpy(again->text, e->text, sizeof e->text);
            memcpy(again->more, e->more, sizeof e->more);
        }
    }
}

static void print_event(const struct world *w, const struct event *e)
{
    static const char *const kinds[] = {"alert",   "storm",    "start",   "wake",   "handover",
                                        "settled", "taken",    "paged",   "noted",  "send",
                                        "sent",    "answered", "arrives", "answer", "worker",
                                        "outage",  "kill",     "jump",    "plan",   "look"};
    char time[40];
    struct buf text = {.ptr = time, .cap = sizeof time, .max = sizeof time};
    time_write_rfc3339(&text, real_now(w));
    fprintf(stderr, "%.*s %s a=%llu b=%llu x=%u y=%u %s %s\n", (int)text.len, time, kinds[e->kind],
            (unsigned long long)e->a, (unsigned long long)e->b, e->x, e->y, e->text, e->more);
}

static void happen(struct world *w, const struct event *e)
{
    if (w->verbose) print_event(w, e);
    switch (e->kind) {
    case EVENT_ALERT:
        triage_alert(w, e);
        return;
    case EVENT_STORM:
        do_storm(w);
        return;
    case EVENT_START:
        process_start(w, (enum process)e->x);
        return;
    case EVENT_WAKE:
        oncall_wake(w, e);
        return;
    case EVENT_ARRIVES:
        person_receives(w, e);
        return;
    case EVENT_ANSWER:
        person_answers(w, e);
        return;
    case EVENT_WORKER:
        worker_looks(w);
        return;
    case EVENT_OUTAGE:
        do_outage(w, e);
        return;
    case EVENT_KILL:
        process_end(w, NOTIFY);
        return;
    case EVENT_JUMP:
        do_jump(w);
        return;
    case EVENT_PLAN:
        do_plan(w);
        return;
    case EVENT_LOOK:
        check_now(w);
        return;
    default:
        do_message(w, e);
    }
}

static void run_until(struct world *w, nsec until)
{
    while (w->n > 0 && w->heap[0].at <= until && !w->wrong) {
        struct event e;
        pop(w, &e);
        w->mono = e.at;
        happen(w, &e);
    }
    w->mono = until;
}

/* ---- weeks ------------------------------------------------------------------------------- */

static nsec sometime(struct world *w)
{
    return (nsec)pick(w, WEEK / SECOND) * SECOND;
}

static void plan_week(struct world *w)
{
    static const unsigned moods[] = {95, 80, 50, 10, 0};
    for (unsigned n = (unsigned)pick(w, 9); n > 0; n--) begin_incident(w, sometime(w), true);
    if (chance(w, 4)) push(w, sometime(w), EVENT_STORM);
    for (unsigned n = (unsigned)pick(w, 3); n > 0; n--)
        push(w, sometime(w), EVENT_OUTAGE)->x = (unsigned)pick(w, PROVIDERS);
    for (unsigned n = (unsigned)pick(w, 3); n > 0; n--) push(w, sometime(w), EVENT_KILL);
    if (chance(w, 5)) push(w, sometime(w), EVENT_JUMP);
    if (chance(w, 10)) push(w, sometime(w), EVENT_PLAN);
    for (nsec day = 0; day < WEEK; day += DAY) {
        push(w, day + 9 * HOUR, EVENT_WORKER);
        push(w, day + 3 * HOUR, EVENT_LOOK);
    }
    for (unsigned i = 0; i < PEOPLE; i++) w->mood[i] = moods[pick(w, 5)];
    w->f.weeks++;
}

/* Any week of some years: leap days, both nights in which clocks change, holidays. */
static nsec some_start(struct world *w)
{
    const struct civil_time first = {.year = 2024, .month = 1, .day = 1};
    return time_from_civil(&first) + (nsec)pick(w, 52 * 6) * WEEK + (nsec)pick(w, 7) * DAY;
}

static int open_databases(struct world *w, const char *bug)
{
    struct diag diag;
    const struct bug *b = bug ? bug_find(bug) : NULL;
    int error = state_open(":memory:", &w->state, &diag);
    if (error == 0) error = db_open(":memory:", oncall_migrations, ONCALL_VERSION, &w->db, &diag);
    if (error == 0 && b) error = db_script(b->in_triage ? state_db(w->state) : w->db, b->trigger);
    return error;
}

static void begin_world(struct world *w, uint64_t seed, const char *bug)
{
    w->random = seed * 2654435761U + 12345;
    w->offset = some_start(w);
    w->start = w->offset;
    w->mono = SECOND;
    w->made = calloc(ATTEMPTS_MAX, sizeof *w->made);
    w->messages = calloc(MESSAGES_MAX, sizeof *w->messages);
    w->notified = calloc(8192, sizeof *w->notified);
    if (!w->made || !w->messages || !w->notified) abort();
    if (open_databases(w, bug) != 0) wrong(w, "the databases cannot be made");
    for (unsigned p = 0; p < PROCESSES && !w->wrong; p++) process_start(w, (enum process)p);
    if (!w->wrong) do_plan(w);
}

static void end_world(struct world *w)
{
    desk_close(w->desk);
    oncall_close(w->oncall);
    state_close(w->state);
    db_close(w->db);
    free(w->heap);
    free(w->made);
    free(w->messages);
    free(w->notified);
}

/* Nothing new, nothing fails, nobody works: what was begun comes to its end. */
static void calm_down(struct world *w)
{
    w->calm = true;
    fault_arm(0);
    for (unsigned i = 0; i < PROVIDERS; i++) w->down[i] = false;
    run_until(w, w->mono + 8 * DAY);
    for (unsigned p = 0; p < PROCESSES && !w->wrong; p++) process_start(w, (enum process)p);
    run_until(w, w->mono + 4 * HOUR);
}

bool world_run(struct world *w, uint64_t seed, unsigned weeks, const char *bug)
{
    *w = (struct world){.f = w->f, .verbose = w->verbose};
    begin_world(w, seed, bug);
    for (unsigned i = 0; i < weeks && !w->wrong; i++) {
        plan_week(w);
        run_until(w, w->mono + WEEK);
    }
    if (!w->wrong) calm_down(w);
    if (!w->wrong) check_end(w);
    end_world(w);
    return !w->wrong;
}
