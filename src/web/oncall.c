/* SPDX-License-Identifier: EUPL-1.2 */
/* Who is on call: read from oncall's database, changed by the process that writes it. */
#include "base/when.h"
#include "roster/rows.h"
#include "roster/show.h"
#include "state/db.h"
#include "web/call.h"
#include "web/run.h"

#define SINCE    (800 * CALENDAR_DAY) /* changes of so long ago may be asked for */
#define SPAN_MAX (400 * CALENDAR_DAY)
#define WEEKS(n) ((n)*7 * CALENDAR_DAY)

/* ---- what is read ------------------------------------------------------------------------ */

/* Opened for one answer: who asks for it asks seldom. */
struct reading {
    struct api_call *call;
    struct calendar *calendar;
    struct db *db;
    struct roster *roster;
    nsec now, from, until;
};

static bool open_roster(struct reading *r)
{
    const struct api_options *options = &r->call->api->options;
    struct diag diag = {0};
    uint64_t plan;
    int error = calendar_new(options->holidays, "oncall.holidays", r->now, &r->calendar, &diag);
    if (error == 0) error = db_open_reader(options->oncall, &r->db, &diag);
    if (error == 0)
        error = roster_load(r->db, r->calendar, r->now - SINCE, &r->roster, &plan, &diag);
    if (error) api_refuse_for(r->call, API_PROBLEM_BUSY, 1);
    else if (!r->roster) api_refuse(r->call, API_PROBLEM_NOT_FOUND, "there is no plan yet");
    return error == 0 && r->roster;
}

/* False: refused. */
static bool read_time(struct reading *r, const char *name, bool end_of_day, nsec *ret)
{
    const struct when when = {.now = r->now, .zone = r->roster->zone};
    struct slice text;
    if (!api_target_find(&r->call->target, name, &text)) return true;
    if (when_parse(text, &when, end_of_day, ret) && roster_is_time(*ret)) return true;
    api_refuse_parameter(r->call, name,
                         "this is no point in time such as 2026-12-23T21:47:00+01:00");
    return false;
}

static bool read_span(struct reading *r, nsec span)
{
    r->from = r->now;
    if (!read_time(r, "from", false, &r->from)) return false;
    r->until = r->from + span;
    if (!read_time(r, "to", true, &r->until)) return false;
    if (r->until > r->from && r->until - r->from <= SPAN_MAX) return true;
    api_refuse_parameter(r->call, "to", "it is behind `from`, and at most 400 days");
    return false;
}

static void finish(struct reading *r, bool good, int error)
{
    roster_free(r->roster);
    db_close(r->db);
    calendar_free(r->calendar);
    if (!good) return;
    buf_putc(&r->call->out, '\n');
    if (error || buf_failed(&r->call->out)) api_refuse_for(r->call, API_PROBLEM_BUSY, 1);
    else api_answer(r->call, MHD_HTTP_OK, API_JSON);
}

static struct reading begin(struct api_call *c)
{
    return (struct reading){.call = c, .now = clock_realtime(&c->api->options.clock)};
}

void api_oncall_who(struct api_call *c)
{
    struct reading r = begin(c);
    nsec at = r.now;
    bool good = open_roster(&r) && read_time(&r, "at", false, &at);
    if (good) show_who(r.roster, at, &c->out);
    finish(&r, good, 0);
}

/* What is shown of a span of time; the default one is so long. */
static void show_span(struct api_call *c, nsec span,
                      int (*show)(const struct roster *r, nsec from, nsec until, struct buf *out))
{
    struct reading r = begin(c);
    bool good = open_roster(&r) && read_span(&r, span);
    finish(&r, good, good ? show(r.roster, r.from, r.until, &c->out) : 0);
}

void api_oncall_schedule(struct api_call *c)
{
    show_span(c, WEEKS(4), show_schedule);
}

void api_oncall_check(struct api_call *c)
{
    show_span(c, WEEKS(26), show_check);
}

void api_oncall_fairness(struct api_call *c)
{
    show_span(c, WEEKS(52), show_fairness);
}

static int show_rests(const struct reading *r, struct buf *out)
{
    buf_puts(out, "{\"rest\":");
    int error = show_rest(r->db, r->roster, r->now, out);
    buf_puts(out, ",\"disturbances\":");
    if (error == 0) error = show_disturbances(r->db, r->now - 60 * CALENDAR_DAY, out);
    buf_putc(out, '}');
    return error;
}

void api_oncall_rest(struct api_call *c)
{
    struct reading r = begin(c);
    bool good = open_roster(&r);
    finish(&r, good, good ? show_rests(&r, &c->out) : 0);
}

static int show_all_changes(const struct reading *r, struct buf *out)
{
    buf_puts(out, "{\"changes\":");
    int error = show_changes(r->db, r->from, out);
    buf_putc(out, '}');
    return error;
}

void api_oncall_changes(struct api_call *c)
{
    struct reading r = begin(c);
    r.from = r.now;
    bool good = open_roster(&r) && read_time(&r, "from", false, &r.from);
    finish(&r, good, good ? show_all_changes(&r, &c->out) : 0);
}

void api_oncall_plan(struct api_call *c)
{
    struct reading r = begin(c);
    bool good = open_roster(&r);
    finish(&r, good, good ? show_plan(r.db, &c->out) : 0);
}

/* Who asks, as the plan has him. */
void api_oncall_me(struct api_call *c)
{
    struct reading r = begin(c);
    bool good = open_roster(&r) && read_span(&r, WEEKS(8));
    const struct roster_person *person = good ? roster_person_of(r.roster, c->who->name) : NULL;
    if (good && !person)
        api_refuse(c, API_PROBLEM_NOT_FOUND, "the plan does not have this account");
    good = good && person;
    finish(&r, good, good ? show_person(r.roster, person, r.from, r.until, &c->out) : 0);
}

/* ---- acts -------------------------------------------------------------------------------- */

/* The path ends with its name. */
void api_oncall_act(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    const struct api_deed m = {.tenant = c->tenant,
                               .actor = c->who->name,
                               .kind = c->target.segments[c->target.n_segments - 1],
                               .body = slice_trim(buf_slice(&c->body))};
    if (out->oncall(out->ctx, c->id, &m) != 0) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_ONCALL);
}
