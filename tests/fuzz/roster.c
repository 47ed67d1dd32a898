/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Plans of who is on call. What is refused names a place. What is read has an answer for any
 * moment: shifts without a hole, a verdict with a policy, steps that reach each person once; its
 * policies are the same when they are written and read again, and its shifts are a calendar.
 */
#include "roster/ics.h"
#include "target.h"

#define START                                                                                      \
    (INT64_C(1774396800) * NSEC_PER_SEC) /* 2026-03-25, four days before the clocks change */

static void check_schedule(const struct roster *r, const struct roster_team *team)
{
    struct roster_shifts shifts = {0};
    struct arena arena;
    arena_init(&arena, 64 * 1024 * 1024);
    nsec at = START, end = START + 6 * CALENDAR_DAY;
    HOLDS(roster_schedule(r, team, START, end, &arena, &shifts) == 0);
    for (uint32_t i = 0; i < shifts.n; i++) {
        HOLDS(shifts.items[i].from == at && shifts.items[i].until > at);
        at = shifts.items[i].until;
    }
    HOLDS(at == end);
    for (uint32_t i = 0; i < team->n; i++)
        HOLDS(roster_lane(r, &team->rotations[i], START, end, &arena, &shifts) == 0);
    arena_done(&arena);
}

static void check_policy(const struct roster *r, const struct roster_policy *policy)
{
    struct roster_reached reached[ROSTER_PEOPLE_MAX];
    struct roster_policy again;
    struct arena arena;
    struct buf first, second;
    struct diag diag;
    for (uint32_t i = 0; i < policy->n; i++) {
        uint32_t n = roster_targets(r, &policy->steps[i], START, reached);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t m = 0; m < k; m++) HOLDS(reached[k].person != reached[m].person);
    }
    arena_init(&arena, 8 * 1024 * 1024);
    buf_init(&first, 1024 * 1024);
    buf_init(&second, 1024 * 1024);
    roster_policy_write(policy, &first);
    HOLDS(!buf_failed(&first));
    HOLDS(roster_policy_read(buf_slice(&first), &arena, &again, &diag) == 0);
    roster_policy_write(&again, &second);
    HOLDS(slice_eq(buf_slice(&first), buf_slice(&second)));
    buf_done(&first);
    buf_done(&second);
    arena_done(&arena);
}

static void check_verdicts(const struct roster *r)
{
    for (unsigned level = 1; level <= 5; level++)
        for (nsec at = START; at < START + 3 * CALENDAR_DAY; at += 5 * CALENDAR_HOUR) {
            const struct roster_question q = {
                .tenant = level % 2, .service = SLICE("skola"), .level = level};
            struct roster_verdict v;
            roster_judge(r, &q, at, &v);
            HOLDS((v.policy == NULL) == (v.what == ROSTER_NEVER));
            HOLDS(v.what != ROSTER_WAIT || v.until > at);
        }
}

static void check_roster(const struct roster *r)
{
    struct buf out;
    HOLDS(r->n_people > 0 && r->n_policies > 0);
    for (uint32_t i = 0; i < r->n_teams && i < 4; i++) check_schedule(r, &r->teams[i]);
    for (uint32_t i = 0; i < r->n_policies; i++) check_policy(r, &r->policies[i]);
    check_verdicts(r);
    buf_init(&out, 4 * 1024 * 1024);
    HOLDS(ics_write(r, r->n_teams ? &r->teams[0] : NULL, NULL, START, START + 2 * CALENDAR_DAY,
                    START, &out) == 0 ||
          buf_failed(&out) || r->n_teams == 0);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct calendar *calendar = NULL;
    struct roster *roster = NULL;
    struct diag diag = {0};
    if (size > 64 * 1024) return 0;
    HOLDS(calendar_new(SLICE_NONE, NULL, START, &calendar, &diag) == 0);
    int error = roster_read(slice_make(data, size), "plan", calendar, &roster, &diag);
    if (error == 0) check_roster(roster);
    else HOLDS(error == ERR_NOMEM || (diag.line > 0 && diag.message[0]));
    roster_free(roster);
    calendar_free(calendar);
    return 0;
}
