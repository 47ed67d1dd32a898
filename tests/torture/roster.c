/* SPDX-License-Identifier: EUPL-1.2 */
/* Plans, what is changed of them, and everything that is shown of them, while memory runs out. */
#include "roster/ics.h"
#include "roster/rows.h"
#include "roster/show.h"
#include "torture.h"

#define START (INT64_C(1767700800) * NSEC_PER_SEC) /* 2026-01-06T12:00:00Z */

static const char *const migrations[] = {roster_schema};

static const struct {
    const char *kind, *body;
} acts[] = {
    {"plan",
     "{\"text\":\"{zone: Europe/Stockholm, people: [{id: anna, user: anna, contacts: [{channel: "
     "sms,"
     " address: '+46701740601'}]}, {id: bo, language: en}, {id: cia}], teams: [{id: soc, rotations:"
     " [{order: [anna, bo], since: 2026-01-05}, {order: [cia], since: 2026-01-05, shadow: true}]},"
     " {id: jour, duty: jour}], policies: [{id: p, steps: [{targets: [{oncall: soc}]}]}],"
     " rules: [{level: high, page: p}], rest: {weekly_standby: true}}\"}"},
    {"override", "{\"team\":\"soc\",\"person\":\"cia\",\"from\":\"2026-01-08T00:00:00Z\","
                 "\"until\":\"2026-01-09T00:00:00Z\"}"},
    {"override", "{\"team\":\"jour\",\"person\":\"bo\",\"from\":\"2026-01-12T19:00:00Z\","
                 "\"until\":\"2026-01-13T05:00:00Z\"}"},
    {"swap",
     "{\"team\":\"soc\",\"from\":\"2026-01-10T00:00:00Z\",\"until\":\"2026-01-11T00:00:00Z\","
     "\"with\":\"bo\",\"with_from\":\"2026-01-17T00:00:00Z\","
     "\"with_until\":\"2026-01-18T00:00:00Z\"}"},
    {"temporary",
     "{\"team\":\"soc\",\"from\":\"2026-01-20T00:00:00Z\",\"until\":\"2026-01-21T00:00:00Z\","
     "\"shifts\":[{\"person\":\"bo\",\"from\":\"2026-01-20T00:00:00Z\","
     "\"until\":\"2026-01-20T12:00:00Z\"}]}"},
    {"absence", "{\"from\":\"2026-01-22T00:00:00Z\",\"until\":\"2026-01-23T00:00:00Z\"}"},
    {"disturbance", "{\"from\":\"2026-01-06T01:00:00Z\",\"until\":\"2026-01-06T02:00:00Z\"}"},
    {"drop", "{\"change\":1}"},
};

static int do_acts(struct db *db, struct calendar *calendar, struct buf *out)
{
    int error = db_script(db, "BEGIN");
    for (size_t i = 0; i < sizeof acts / sizeof *acts && error == 0; i++) {
        const struct roster_request request = {.actor = SLICE("anna"),
                                               .kind = slice_of(acts[i].kind),
                                               .body = slice_of(acts[i].body),
                                               .now = START};
        enum roster_status status;
        error = roster_act(db, calendar, &request, out, &status);
        buf_printf(out, "\n%d\n", (int)status);
    }
    return error ? error : db_script(db, "COMMIT");
}

static int show_all(struct db *db, const struct roster *r, struct buf *out)
{
    nsec until = START + 28 * CALENDAR_DAY, next;
    show_who(r, START, out);
    int error = show_schedule(r, START, until, out);
    if (error == 0) error = show_check(r, START, until, out);
    if (error == 0) error = show_fairness(r, START, until, out);
    if (error == 0) error = show_person(r, &r->people[0], START, until, out);
    if (error == 0) error = ics_write(r, NULL, NULL, START, until, START, out);
    if (error == 0) error = show_plan(db, out);
    if (error == 0) error = show_changes(db, 0, out);
    if (error == 0) error = show_disturbances(db, 0, out);
    if (error == 0) error = show_rest(db, r, START, out);
    if (error == 0) error = roster_digest_due(db, r, START, &next);
    if (error == 0) error = roster_digest_due(db, r, next, &next);
    return error ? error : buf_error(out);
}

static int work(void *ctx, struct buf *out)
{
    struct calendar *calendar = NULL;
    struct roster *roster = NULL;
    struct db *db = NULL;
    struct diag diag = {0};
    int64_t messages = 0;
    uint64_t plan;
    (void)ctx;
    int error = db_open(":memory:", migrations, 1, &db, &diag);
    if (error == 0) error = calendar_new(SLICE_NONE, NULL, START, &calendar, &diag);
    if (error == 0) error = do_acts(db, calendar, out);
    if (error == 0) error = roster_load(db, calendar, 0, &roster, &plan, &diag);
    if (error == 0) error = show_all(db, roster, out);
    if (error == 0) error = db_get(db, "SELECT count(*) FROM roster_message", DB_ALONE, &messages);
    buf_printf(out, "\n%lld messages\n", (long long)messages);
    roster_free(roster);
    calendar_free(calendar);
    db_close(db);
    return error;
}

TEST(a_plan_is_changed_whole_or_told)
{
    torture_run(&(struct torture){.run = work});
}
