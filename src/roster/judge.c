/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/internal.h"

enum { DAYS_AHEAD = 60 };

/* ---- what pages -------------------------------------------------------------------------- */

static bool is_service(struct slice wanted, struct slice service)
{
    if (wanted.len == 0 || wanted.ptr[wanted.len - 1] != '*')
        return slice_eq_nocase(wanted, service);
    wanted.len--;
    return service.len >= wanted.len && slice_eq_nocase(wanted, slice_until(service, wanted.len));
}

static bool speaks_of(const struct roster *r, const struct roster_rule *rule,
                      const struct roster_question *q, nsec at)
{
    bool tenant = rule->n_tenants == 0, service = rule->n_services == 0;
    if (q->level < rule->level) return false;
    if (rule->exercise >= 0 && (rule->exercise == 1) != q->exercise) return false;
    for (uint32_t i = 0; i < rule->n_tenants && !tenant; i++)
        tenant = rule->tenants[i] == q->tenant;
    for (uint32_t i = 0; i < rule->n_services && !service; i++)
        service = is_service(rule->services[i], q->service);
    return tenant && service && roster_is_when(r, rule->when, at);
}

/* That time of the next day on which people work; without any, it does not wait. */
static nsec next_working(const struct roster *r, nsec time_of_day, nsec at)
{
    int64_t today = calendar_day_of(r->zone, at);
    for (int64_t day = today; day < today + DAYS_AHEAD; day++) {
        nsec time = calendar_time(r->zone, day, time_of_day);
        if (time > at && !calendar_is_free(r->calendar, day)) return time;
    }
    return at;
}

static nsec next_office(const struct roster *r, nsec at)
{
    nsec end = at + DAYS_AHEAD * CALENDAR_DAY;
    for (nsec t = at; t < end; t = hours_next_edge(&r->office, r->calendar, r->zone, t))
        if (roster_is_office(r, t)) return t;
    return at;
}

void roster_judge(const struct roster *r, const struct roster_question *q, nsec at,
                  struct roster_verdict *ret)
{
    *ret = (struct roster_verdict){.what = ROSTER_PAGE, .policy = &r->policies[0]};
    for (uint32_t i = 0; i < r->n_rules; i++) {
        const struct roster_rule *rule = &r->rules[i];
        if (!speaks_of(r, rule, q, at)) continue;
        ret->what = rule->what;
        ret->line = rule->line;
        ret->policy = rule->what == ROSTER_NEVER ? NULL : &r->policies[rule->policy];
        if (rule->what != ROSTER_WAIT) return;
        ret->until = rule->until_office ? next_office(r, at) : next_working(r, rule->until, at);
        if (ret->until <= at) ret->what = ROSTER_PAGE;
        return;
    }
}

/* ---- whom -------------------------------------------------------------------------------- */

struct reaching {
    struct roster_reached *reached;
    uint32_t n;
};

static void reach(struct reaching *to, const struct roster_person *person, bool shadow)
{
    for (uint32_t i = 0; i < to->n && person; i++) {
        if (to->reached[i].person != person) continue;
        to->reached[i].shadow &= shadow;
        return;
    }
    if (!person || to->n == ROSTER_PEOPLE_MAX) return;
    to->reached[to->n++] = (struct roster_reached){.person = person, .shadow = shadow};
}

static void reach_everybody(struct reaching *to, const struct roster *r,
                            const struct roster_team *team)
{
    for (uint32_t i = 0; i < team->n; i++) {
        const struct roster_rotation *rotation = &team->rotations[i];
        for (uint32_t k = 0; k < rotation->n; k++)
            reach(to, &r->people[rotation->order[k]], rotation->shadow);
    }
}

static void reach_oncall(struct reaching *to, const struct roster *r,
                         const struct roster_team *team, nsec at)
{
    struct roster_shift shift;
    roster_who(r, team, at, &shift);
    reach(to, shift.person, false);
    reach(to, roster_shadow(r, team, at), true);
}

uint32_t roster_targets(const struct roster *r, const struct roster_step *step, nsec at,
                        struct roster_reached ret[ROSTER_PEOPLE_MAX])
{
    struct reaching to = {.reached = ret};
    for (uint32_t i = 0; i < step->n; i++) {
        const struct roster_target *t = &step->targets[i];
        const struct roster_team *team = roster_team(r, t->id);
        if (t->aim == ROSTER_AIM_PERSON) reach(&to, roster_person(r, t->id), false);
        else if (team && t->aim == ROSTER_AIM_EVERYBODY) reach_everybody(&to, r, team);
        else if (team) reach_oncall(&to, r, team, at);
    }
    return to.n;
}
