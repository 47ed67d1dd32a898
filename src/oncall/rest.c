/* SPDX-License-Identifier: EUPL-1.2 */
/* Who acknowledges at night was disturbed: the roster counts the rest that is owed for it. */
#include "base/json_write.h"
#include "base/time.h"
#include "oncall/internal.h"
#include "roster/rows.h"

#define AGAIN_AFTER (60 * 60 * NSEC_PER_SEC)

static const struct roster_person *find_person(const struct oncall *o, struct slice name)
{
    const struct roster_person *p = roster_person(o->roster, name);
    return p ? p : roster_person_of(o->roster, name);
}

/* Reachable, and elsewhere: who has jour works anyway. */
static bool is_on_call(const struct oncall *o, const struct roster_person *person)
{
    struct roster_shift shift;
    for (uint32_t i = 0; i < o->roster->n_teams; i++) {
        const struct roster_team *team = &o->roster->teams[i];
        roster_who(o->roster, team, o->t.real, &shift);
        if (team->duty == ROSTER_BEREDSKAP && shift.person == person) return true;
    }
    return false;
}

static int find_open(struct oncall *o, struct slice person, int64_t *ret)
{
    *ret = 0;
    return db_get(o->db,
                  "SELECT coalesce(max(id), 0) FROM roster_disturbance WHERE person = ?1"
                  " AND ends IS NULL AND dropped IS NULL",
                  DB_WITH(db_text(person)), ret);
}

/* As people write it down; what the roster refuses changes nothing. */
static int write_down(struct oncall *o, struct slice person, struct slice actor, bool ends)
{
    enum roster_status status;
    struct buf body, answer;
    buf_init(&body, 1024);
    buf_init(&answer, 64 * 1024);
    buf_putc(&body, '{');
    json_write_member_string(&body, "person", person);
    if (ends) {
        json_write_key(&body, "until");
        buf_putc(&body, '"');
        time_write_rfc3339(&body, o->t.real);
        buf_putc(&body, '"');
    }
    buf_putc(&body, '}');
    const struct roster_request request = {
        .actor = actor, .kind = SLICE("disturbance"), .body = buf_slice(&body), .now = o->t.real};
    int error = buf_error(&body);
    if (error == 0) error = roster_act(o->db, o->calendar, &request, &answer, &status);
    buf_done(&body);
    buf_done(&answer);
    return error;
}

/* One that was written down by hand is ended by hand. */
static int is_ours(struct oncall *o, int64_t id, int64_t *ret)
{
    *ret = 0;
    return db_get(o->db, "SELECT count(*) FROM deadline WHERE kind = ?1 AND id = ?2",
                  DB_WITH(db_number(DEADLINE_REST), db_number(id)), ret);
}

int rest_disturb(struct oncall *o, struct slice person, struct slice actor)
{
    int64_t open = 0, ours = 1;
    if (!o->out.limits.disturbed || !o->roster || roster_is_office(o->roster, o->t.real)) return 0;
    const struct roster_person *p = find_person(o, person);
    if (!p || !is_on_call(o, p)) return 0;
    int error = find_open(o, p->id, &open);
    if (error == 0 && open) error = is_ours(o, open, &ours);
    if (error == 0 && !open) error = write_down(o, p->id, actor, false);
    if (error == 0 && !open) error = find_open(o, p->id, &open);
    if (error || !open || !ours) return error;
    return deadline_set(o, DEADLINE_REST, (uint64_t)open, o->now + o->out.limits.disturbed);
}

int rest_due(struct oncall *o, uint64_t disturbance)
{
    int64_t open = 0;
    struct slice person = SLICE_NONE;
    struct db_rows rows = db_select(o->db,
                                    "SELECT person FROM roster_disturbance WHERE id = ?1"
                                    " AND ends IS NULL AND dropped IS NULL",
                                    DB_WITH(db_u64(disturbance)));
    if (db_next(&rows)) person = keep(o, db_get_text(&rows, 0));
    int error = db_end(&rows);
    if (error || !person.len) return error;
    error = write_down(o, person, SLICE("vaka"), true);
    if (error == 0) error = find_open(o, person, &open);
    /* A clock that was set back: it would end before it began. */
    if (error == 0 && open)
        return deadline_set(o, DEADLINE_REST, disturbance, o->now + AGAIN_AFTER);
    return error ? error : news_when_awake(o); /* he is told of the rest that he is owed */
}
