/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/roster.h"

#include "roster/internal.h"

const struct roster_person *roster_person(const struct roster *r, struct slice id)
{
    for (uint32_t i = 0; i < r->n_people; i++)
        if (slice_eq(r->people[i].id, id)) return &r->people[i];
    return NULL;
}

const struct roster_person *roster_person_of(const struct roster *r, struct slice user)
{
    for (uint32_t i = 0; i < r->n_people && user.len; i++)
        if (slice_eq(r->people[i].user, user)) return &r->people[i];
    return NULL;
}

const struct roster_team *roster_team(const struct roster *r, struct slice id)
{
    for (uint32_t i = 0; i < r->n_teams; i++)
        if (slice_eq(r->teams[i].id, id)) return &r->teams[i];
    return NULL;
}

const struct roster_policy *roster_policy(const struct roster *r, struct slice id)
{
    for (uint32_t i = 0; i < r->n_policies; i++)
        if (slice_eq(r->policies[i].id, id)) return &r->policies[i];
    return NULL;
}

nsec roster_proof_next(const struct roster *r, nsec after)
{
    if (!r->proof.person.len) return INT64_MAX;
    int64_t day = calendar_day_of(r->zone, after);
    while (calendar_time(r->zone, day, r->proof.time) <= after) day++;
    return calendar_time(r->zone, day, r->proof.time);
}

void roster_write_time(const struct roster *r, nsec time, struct buf *out)
{
    struct civil_time c;
    time_to_civil(time + zone_offset(r->zone, time) * NSEC_PER_SEC, &c);
    buf_printf(out, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
}

/* ---- hours ------------------------------------------------------------------------------- */

bool roster_is_office(const struct roster *r, nsec at)
{
    return hours_hold(&r->office, r->calendar, r->zone, at);
}

bool roster_is_when(const struct roster *r, enum roster_when when, nsec at)
{
    return when == ROSTER_ALWAYS || roster_is_office(r, at) == (when == ROSTER_OFFICE);
}

bool roster_covers(const struct roster *r, const struct roster_team *team, nsec at)
{
    return roster_is_when(r, team->cover, at);
}

bool roster_contact_open(const struct roster *r, const struct roster_contact *contact, nsec at)
{
    return roster_is_when(r, contact->when, at);
}

/* ---- changes ----------------------------------------------------------------------------- */

int roster_change(struct roster *r, const struct roster_change *change)
{
    struct roster_change_kept kept = {.id = change->id,
                                      .kind = change->kind,
                                      .team = roster_team(r, change->team),
                                      .person = roster_person(r, change->person),
                                      .instead = roster_person(r, change->instead),
                                      .from = change->from,
                                      .until = change->until};
    if (change->from >= change->until) return ERR_INVALID;
    if (change->kind != ROSTER_ABSENCE && !kept.team) return ERR_NOT_FOUND;
    if (change->kind != ROSTER_TEMPORARY && !kept.person) return ERR_NOT_FOUND;
    if (change->instead.len && !kept.instead) return ERR_NOT_FOUND;
    if (r->n_changes == ROSTER_CHANGES_MAX) return ERR_LIMIT;
    if (!r->changes) r->changes = arena_zalloc(&r->arena, ROSTER_CHANGES_MAX, sizeof *r->changes);
    if (!r->changes) return arena_error(&r->arena);
    r->changes[r->n_changes++] = kept;
    return 0;
}

static bool holds(const struct roster_change_kept *c, nsec at)
{
    return at >= c->from && at < c->until;
}

static bool is_absent(const struct roster *r, const struct roster_person *person, nsec at)
{
    for (uint32_t i = 0; i < r->n_changes; i++) {
        const struct roster_change_kept *c = &r->changes[i];
        if (c->kind == ROSTER_ABSENCE && c->person == person && holds(c, at)) return true;
    }
    return false;
}

static bool is_temporary(const struct roster *r, const struct roster_team *team, nsec at)
{
    for (uint32_t i = 0; i < r->n_changes; i++) {
        const struct roster_change_kept *c = &r->changes[i];
        if (c->kind == ROSTER_TEMPORARY && c->team == team && holds(c, at)) return true;
    }
    return false;
}

/* ---- rotations --------------------------------------------------------------------------- */

static nsec start_of(const struct roster *r, const struct roster_rotation *rotation, int64_t turn)
{
    return zone_from_local(r->zone, rotation->start + turn * rotation->period);
}

/* Which turn it is; negative before the first. A clock that is turned back or forth moves the
 * beginning of a turn, so it is told by when turns begin. */
static int64_t turn_at(const struct roster *r, const struct roster_rotation *rotation, nsec at)
{
    nsec local = at + zone_offset(r->zone, at) * NSEC_PER_SEC - rotation->start;
    int64_t turn = local / rotation->period - (local % rotation->period < 0);
    while (start_of(r, rotation, turn) > at) turn--;
    while (start_of(r, rotation, turn + 1) <= at) turn++;
    return turn;
}

static bool rotation_holds(const struct roster *r, const struct roster_rotation *rotation, nsec at)
{
    if (at >= rotation->until) return false;
    if (rotation->hours) return hours_hold(rotation->hours, r->calendar, r->zone, at);
    return roster_is_when(r, rotation->when, at);
}

/* Whose turn it is, *ret_planned, and who takes it because he is not there; NULL: nobody. */
static const struct roster_person *take_turn(const struct roster *r,
                                             const struct roster_rotation *rotation, nsec at,
                                             const struct roster_person **ret_planned)
{
    int64_t turn = rotation_holds(r, rotation, at) ? turn_at(r, rotation, at) : -1;
    *ret_planned = NULL;
    if (turn < 0) return NULL;
    *ret_planned = &r->people[rotation->order[turn % rotation->n]];
    for (uint32_t i = 0; i < rotation->n; i++) {
        const struct roster_person *person = &r->people[rotation->order[(turn + i) % rotation->n]];
        if (!is_absent(r, person, at)) return person;
    }
    return NULL;
}

/* ---- edges ------------------------------------------------------------------------------- */

static void take_later(nsec edge, nsec at, nsec *until)
{
    if (edge > at && edge < *until) *until = edge;
}

static void rotation_edge(const struct roster *r, const struct roster_rotation *rotation, nsec at,
                          nsec *until)
{
    int64_t turn = turn_at(r, rotation, at);
    nsec first = start_of(r, rotation, 0);
    if (at >= rotation->until) return;
    take_later(turn < 0 ? first : start_of(r, rotation, turn + 1), at, until);
    take_later(rotation->until, at, until);
    if (rotation->hours)
        take_later(hours_next_edge(rotation->hours, r->calendar, r->zone, at), at, until);
    else if (rotation->when != ROSTER_ALWAYS)
        take_later(hours_next_edge(&r->office, r->calendar, r->zone, at), at, until);
}

void rotation_turn(const struct roster *r, const struct roster_rotation *rotation, nsec at,
                   struct roster_shift *ret)
{
    *ret = (struct roster_shift){.from = at, .until = INT64_MAX, .rotation = rotation->name};
    rotation_edge(r, rotation, at, &ret->until);
    (void)take_turn(r, rotation, at, &ret->planned);
    ret->person = ret->planned;
}

/* The next time at which who is on call in the team may be somebody else. */
static nsec next_edge(const struct roster *r, const struct roster_team *team, nsec at)
{
    nsec until = INT64_MAX;
    for (uint32_t i = 0; i < team->n; i++) rotation_edge(r, &team->rotations[i], at, &until);
    for (uint32_t i = 0; i < r->n_changes; i++) {
        const struct roster_change_kept *c = &r->changes[i];
        if (c->team && c->team != team) continue;
        take_later(c->from, at, &until);
        take_later(c->until, at, &until);
    }
    return until;
}

/* ---- who --------------------------------------------------------------------------------- */

/* The last rotation that has anybody goes before the others. */
static void from_rotations(const struct roster *r, const struct roster_team *team, nsec at,
                           struct roster_shift *ret)
{
    for (uint32_t i = team->n; i-- > 0;) {
        const struct roster_person *planned, *person;
        if (team->rotations[i].shadow) continue;
        person = take_turn(r, &team->rotations[i], at, &planned);
        if (!ret->planned) ret->planned = planned;
        if (!person) continue;
        ret->person = person;
        ret->rotation = team->rotations[i].name;
        return;
    }
}

/* One after the other, as they were made: one may hand on what an earlier one gave. */
static void apply_overrides(const struct roster *r, const struct roster_team *team, nsec at,
                            struct roster_shift *ret)
{
    for (uint32_t i = 0; i < r->n_changes; i++) {
        const struct roster_change_kept *c = &r->changes[i];
        if (c->kind != ROSTER_OVERRIDE || c->team != team || !holds(c, at)) continue;
        bool instead =
            c->instead && c->instead != ret->person && (ret->change || c->instead != ret->planned);
        if (instead || is_absent(r, c->person, at)) continue;
        ret->person = c->person;
        ret->change = c->id;
    }
}

void roster_who(const struct roster *r, const struct roster_team *team, nsec at,
                struct roster_shift *ret)
{
    *ret = (struct roster_shift){.from = at, .until = next_edge(r, team, at)};
    from_rotations(r, team, at, ret);
    if (is_temporary(r, team, at)) {
        ret->person = NULL;
        ret->rotation = SLICE_NONE;
    }
    apply_overrides(r, team, at, ret);
    if (ret->change) ret->rotation = SLICE_NONE;
}

const struct roster_person *roster_shadow(const struct roster *r, const struct roster_team *team,
                                          nsec at)
{
    for (uint32_t i = team->n; i-- > 0;) {
        const struct roster_person *planned, *person;
        if (!team->rotations[i].shadow) continue;
        person = take_turn(r, &team->rotations[i], at, &planned);
        if (person) return person;
    }
    return NULL;
}
