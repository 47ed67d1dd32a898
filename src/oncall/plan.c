/* SPDX-License-Identifier: EUPL-1.2 */
/* What the room asks of the plan: does it page, and whom. */
#include "base/json_write.h"
#include "detect/sigma/doc.h"
#include "oncall/internal.h"
#include "roster/rows.h"

/* Who was on call lately counts for who may be now. */
#define CHANGES_SINCE (60 * INT64_C(24) * 3600 * NSEC_PER_SEC)

int plan_load(struct oncall *o, struct diag *diag)
{
    struct roster *roster = NULL;
    uint64_t plan = 0;
    if (!o->calendar) {
        int error = calendar_new(o->out.holidays, "oncall.holidays", o->t.real, &o->calendar, diag);
        if (error) return error;
    }
    int error = roster_load(o->db, o->calendar, o->t.real - CHANGES_SINCE, &roster, &plan, diag);
    if (error) return error;
    roster_free(o->roster);
    o->roster = roster;
    return 0;
}

void plan_drop(struct oncall *o)
{
    roster_free(o->roster);
    calendar_free(o->calendar);
}

void plan_judge(struct oncall *o, const struct subject *s, bool asked, struct verdict *ret)
{
    struct roster_verdict v;
    const struct roster_question q = {.tenant = s->tenant,
                                      .service = s->service,
                                      .level = s->level,
                                      .exercise = (s->marks & ONCALL_EXERCISE) != 0};
    struct roster_question worst = q;
    *ret = (struct verdict){.kind = VERDICT_UNPLANNED};
    if (!o->roster || o->roster->n_policies == 0) return;
    roster_judge(o->roster, &q, o->t.real, &v);
    ret->policy = v.policy;
    ret->until = v.until;
    ret->kind = v.what == ROSTER_PAGE   ? VERDICT_PAGE
                : v.what == ROSTER_WAIT ? VERDICT_WAIT
                                        : VERDICT_NEVER;
    if (!asked) return;
    worst.level = LEVEL_CRITICAL;
    if (!ret->policy) roster_judge(o->roster, &worst, o->t.real, &v);
    ret->kind = VERDICT_PAGE;
    ret->policy = v.policy ? v.policy : &o->roster->policies[0];
}

/* ---- people ------------------------------------------------------------------------------ */

static struct slice write_contacts(struct oncall *o, const struct roster_person *p, bool all)
{
    buf_clear(&o->more);
    buf_putc(&o->more, '[');
    for (uint32_t i = 0; i < p->n_contacts; i++) {
        const struct roster_contact *c = &p->contacts[i];
        if (!all && !roster_contact_open(o->roster, c, o->t.real)) continue;
        buf_puts(&o->more, o->more.len > 1 ? ",{" : "{");
        json_write_member_u64(&o->more, "channel", c->channel);
        json_write_member_string(&o->more, "address", c->address);
        json_write_member_u64(&o->more, "after", (uint64_t)(c->after / NSEC_PER_SEC));
        buf_putc(&o->more, '}');
    }
    buf_putc(&o->more, ']');
    return keep(o, buf_slice(&o->more));
}

static void add_person(struct oncall *o, const struct roster_person *p, bool shadow, bool all,
                       struct persons *ret)
{
    ret->of[ret->n++] = (struct person){.id = keep(o, p->id),
                                        .name = keep(o, p->name),
                                        .english = p->english,
                                        .shadow = shadow,
                                        .contacts = write_contacts(o, p, all)};
}

static int begin(struct oncall *o, struct persons *ret)
{
    *ret = (struct persons){.of = arena_zalloc(&o->scratch, ROSTER_PEOPLE_MAX, sizeof *ret->of)};
    return arena_error(&o->scratch);
}

int plan_find(struct oncall *o, const struct roster_step *step, struct persons *ret)
{
    struct roster_reached *reached = arena_zalloc(&o->scratch, ROSTER_PEOPLE_MAX, sizeof *reached);
    int error = begin(o, ret);
    if (error || !o->roster || !reached) return error;
    uint32_t n = roster_targets(o->roster, step, o->t.real, reached);
    for (uint32_t i = 0; i < n; i++)
        add_person(o, reached[i].person, reached[i].shadow, false, ret);
    return arena_error(&o->scratch);
}

int plan_everybody(struct oncall *o, struct persons *ret)
{
    int error = begin(o, ret);
    if (error || !o->roster) return error;
    for (uint32_t i = 0; i < o->roster->n_people; i++)
        add_person(o, &o->roster->people[i], false, false, ret);
    return arena_error(&o->scratch);
}

int plan_person(struct oncall *o, struct slice id, bool all, struct persons *ret)
{
    int error = begin(o, ret);
    if (error || !o->roster) return error;
    const struct roster_person *p = roster_person(o->roster, id);
    if (!p) p = roster_person_of(o->roster, id);
    if (p) add_person(o, p, false, all, ret);
    return arena_error(&o->scratch);
}

void plan_gaps(struct oncall *o, unsigned *ret_empty, unsigned *ret_unreachable)
{
    struct roster_shift shift;
    *ret_empty = *ret_unreachable = 0;
    if (!o->roster) return;
    for (uint32_t i = 0; i < o->roster->n_teams; i++) {
        const struct roster_team *team = &o->roster->teams[i];
        roster_who(o->roster, team, o->t.real, &shift);
        *ret_empty += !shift.person && roster_covers(o->roster, team, o->t.real);
    }
    for (uint32_t i = 0; i < o->roster->n_people; i++)
        *ret_unreachable += o->roster->people[i].n_contacts == 0;
}
