/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/drill.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "canary/said.h"
#include "library/files.h"

enum { INCIDENTS_MAX = 4 * 1024 * 1024 };
/* Incidents of a drill are those that are found until so long behind its end. */
#define AFTERWARDS (600 * NSEC_PER_SEC)
#define DAY        (24 * 3600 * NSEC_PER_SEC)

static const struct {
    const char *member, *name; /* of an incident, of the report */
} steps[DRILL_STEP_COUNT] = {
    [DRILL_DETECTED] = {"detected", "detected"},
    [DRILL_PAGED] = {"notified", "paged"},
    [DRILL_ACKNOWLEDGED] = {"acked", "acknowledged"},
    [DRILL_CONTAINED] = {"contained", "contained"},
};

const char *drill_step_name(enum drill_step step)
{
    return steps[step].name;
}

/* ---- what the canary says ---------------------------------------------------------------- */

struct slice drill_find_run(struct slice drills, uint64_t id)
{
    struct slice runs = json_member(drills, "runs"), name, run, found = SLICE_NONE;
    struct json_parts it;
    if (runs.len == 0 || runs.ptr[0] != '[') return SLICE_NONE;
    json_parts_init(&it, runs);
    while (json_parts_next(&it, &name, &run))
        if (id == 0 || json_member_u64(run, "id") == id) found = run;
    return found;
}

/* ---- what it came to --------------------------------------------------------------------- */

struct recording {
    struct slice name, begins, sv, en;
};

/* The next one of taxonomy/drills.tsv, whose rest is `text`. */
static bool recording_next(struct slice *text, struct recording *ret)
{
    struct slice line;
    while (text->len > 0) {
        (void)slice_split(*text, '\n', &line, text);
        if (slice_split(line, '\t', &ret->name, &line) &&
            slice_split(line, '\t', &ret->begins, &line) &&
            slice_split(line, '\t', &ret->sv, &ret->en))
            return true;
    }
    return false;
}

/* When the attack begins in the recording; `first`, where that is not known. */
static nsec attack_of(struct slice name, nsec first)
{
    struct slice text = SLICE_NONE;
    struct recording r;
    nsec time;
    (void)library_file_find(SLICE("taxonomy/drills.tsv"), &text);
    while (recording_next(&text, &r))
        if (slice_eq(r.name, name) && time_parse(r.begins, 0, &time)) return time;
    return first;
}

static nsec time_of(struct slice incident, const char *member)
{
    nsec time;
    return time_parse(json_member_text(incident, member), 0, &time) ? time : TIME_NONE;
}

/* The first of all incidents. */
static nsec first_of(const struct drill_report *p, const char *member)
{
    struct slice name, incident;
    struct json_parts it;
    nsec first = TIME_NONE;
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) {
        nsec time = time_of(incident, member);
        if (time != TIME_NONE && (first == TIME_NONE || time < first)) first = time;
    }
    return first;
}

/* The event that gave the attack away, and when it came. */
static void find_first(const struct drill_report *p, nsec *ret_event, nsec *ret_received)
{
    struct slice name, incident;
    struct json_parts it;
    *ret_event = *ret_received = TIME_NONE;
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) {
        nsec received = time_of(incident, "first_received");
        if (received == TIME_NONE || (*ret_received != TIME_NONE && received >= *ret_received))
            continue;
        *ret_received = received;
        *ret_event = time_of(incident, "first_event");
    }
    if (*ret_event == TIME_NONE) *ret_event = *ret_received;
}

int drill_report_read(struct drill_report *p, const struct desk_view *view, struct slice run)
{
    nsec event, received;
    *p = (struct drill_report){.run = run,
                               .begun = (nsec)json_member_u64(run, "begun"),
                               .ended = (nsec)json_member_u64(run, "ended")};
    buf_init(&p->incidents, INCIDENTS_MAX);
    nsec until = p->ended ? p->ended : view->now;
    int error = desk_write_exercises(view, p->begun, until + AFTERWARDS, &p->incidents);
    find_first(p, &event, &received);
    p->attack = attack_of(json_member_text(run, "scenario"), event);
    /* On the clock of the recording: what it took since that event came. */
    for (size_t i = 0; i < DRILL_STEP_COUNT; i++) {
        nsec at = first_of(p, steps[i].member);
        bool known = at != TIME_NONE && event != TIME_NONE;
        p->steps[i].at = at;
        p->steps[i].recorded = known ? event + (at - received) : at;
    }
    return error;
}

void drill_report_done(struct drill_report *p)
{
    buf_done(&p->incidents);
}

double drill_report_after(const struct drill_report *p, enum drill_step step)
{
    return (double)(p->steps[step].recorded - p->attack) / (double)NSEC_PER_SEC;
}

static void put_steps(struct buf *out, const struct drill_report *p)
{
    for (unsigned i = 0; i < DRILL_STEP_COUNT; i++) {
        json_write_key(out, steps[i].name);
        if (p->steps[i].at == TIME_NONE) {
            buf_puts(out, "null");
            continue;
        }
        buf_putc(out, '{');
        said_put_time(out, "at", p->steps[i].at);
        said_put_time(out, "recorded", p->steps[i].recorded);
        json_write_key(out, "after_s");
        buf_printf(out, "%.1f}", drill_report_after(p, i));
    }
}

void drill_report_write(struct buf *out, const struct drill_report *p)
{
    static const char *const numbers[] = {"speed", "records", "sent", "left_out"};
    buf_putc(out, '{');
    json_write_member_u64(out, "id", json_member_u64(p->run, "id"));
    json_write_member_string(out, "scenario", json_member_text(p->run, "scenario"));
    json_write_member_string(out, "by", json_member_text(p->run, "by"));
    said_put_time(out, "begun", p->begun);
    said_put_time(out, "ended", p->ended);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_write_member_u64(out, numbers[i], json_member_u64(p->run, numbers[i]));
    json_write_member_string(out, "why", json_member_text(p->run, "why"));
    said_put_time(out, "attack_begins", p->attack);
    put_steps(out, p);
    json_write_key(out, "incidents");
    buf_put(out, p->incidents.len ? buf_slice(&p->incidents) : SLICE("[]"));
    buf_putc(out, '}');
}

/* ---- all of them ------------------------------------------------------------------------- */

static void put_run(struct buf *out, struct slice run)
{
    static const char *const numbers[] = {"records", "sent", "left_out"};
    buf_putc(out, '{');
    json_write_member_u64(out, "id", json_member_u64(run, "id"));
    json_write_key(out, "scenario");
    buf_put(out, json_member(run, "scenario"));
    json_write_key(out, "by");
    buf_put(out, json_member(run, "by"));
    json_write_member_u64(out, "speed", json_member_u64(run, "speed"));
    said_put_time(out, "begun", (nsec)json_member_u64(run, "begun"));
    said_put_time(out, "ended", (nsec)json_member_u64(run, "ended"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_write_member_u64(out, numbers[i], json_member_u64(run, numbers[i]));
    json_write_key(out, "why");
    buf_put(out, json_member(run, "why"));
    buf_putc(out, '}');
}

/* What the recordings are, of those that Vaka brings. */
static void put_about(struct buf *out)
{
    struct slice text = SLICE_NONE;
    struct recording r;
    (void)library_file_find(SLICE("taxonomy/drills.tsv"), &text);
    json_write_key(out, "about");
    buf_putc(out, '[');
    for (bool more = false; recording_next(&text, &r); more = true) {
        buf_puts(out, more ? ",{" : "{");
        json_write_member_string(out, "scenario", r.name);
        json_write_member_string(out, "sv", r.sv);
        json_write_member_string(out, "en", r.en);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

void drills_write(struct buf *out, struct slice drills)
{
    static const char *const as_they_are[] = {"folder", "scenarios", "running"};
    const struct slice runs = json_member(drills, "runs");
    struct slice name, run;
    struct json_parts it;
    if (runs.len == 0 || runs.ptr[0] != '[') {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    for (size_t i = 0; i < sizeof as_they_are / sizeof *as_they_are; i++) {
        json_write_key(out, as_they_are[i]);
        buf_put(out, json_member(drills, as_they_are[i]));
    }
    put_about(out);
    said_put_time(out, "planned", (nsec)json_member_u64(drills, "planned"));
    said_put_text(out, "planned_scenario", json_member_text(drills, "planned_scenario"));
    json_write_key(out, "runs");
    buf_putc(out, '[');
    json_parts_init(&it, runs);
    for (bool more = false; json_parts_next(&it, &name, &run); more = true) {
        if (more) buf_putc(out, ',');
        put_run(out, run);
    }
    buf_puts(out, "]}");
}

/* ---- when the next begins ---------------------------------------------------------------- */

bool drill_is_due(nsec every, nsec last, nsec now)
{
    return every > 0 && (now - last >= every || last - now > DAY);
}
