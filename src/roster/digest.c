/* SPDX-License-Identifier: EUPL-1.2 */
/* Once a week each is told of the shifts that he has. */
#include "roster/compose.h"
#include "roster/rows.h"

enum { ARENA_MAX = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 };
#define AHEAD (14 * CALENDAR_DAY)

/* The next time behind `after` that the plan has. */
static nsec next_time(const struct roster *r, nsec after)
{
    int64_t day = calendar_day_of(r->zone, after);
    while (calendar_weekday(day) != r->digest.weekday ||
           calendar_time(r->zone, day, r->digest.time) <= after)
        day++;
    return calendar_time(r->zone, day, r->digest.time);
}

static int tell(struct db *db, const struct roster *r, const struct roster_person *person, nsec now)
{
    struct arena arena;
    struct buf subject, text;
    bool any = false;
    arena_init(&arena, ARENA_MAX);
    buf_init(&subject, 256);
    buf_init(&text, TEXT_MAX);
    int error = compose_digest(r, person, now, now + AHEAD, &arena, &subject, &text, &any);
    if (error == 0) error = buf_failed(&text) ? buf_error(&text) : buf_error(&subject);
    if (error == 0 && any)
        error = roster_message_add(db, person->id, buf_slice(&subject), buf_slice(&text), now);
    buf_done(&subject);
    buf_done(&text);
    arena_done(&arena);
    return error;
}

static int keep(struct db *db, nsec last)
{
    return db_run(db, "INSERT OR REPLACE INTO roster_digest (one, last) VALUES (1, ?1)",
                  DB_WITH(db_time(last)));
}

int roster_digest_due(struct db *db, const struct roster *r, nsec now, nsec *ret_next)
{
    int64_t last = INT64_MIN;
    *ret_next = INT64_MAX;
    if (r->digest.never) return 0;
    int error = db_get(db, "SELECT last FROM roster_digest", DB_ALONE, &last);
    if (error) return error;
    /* With the first plan there is nothing that was missed. */
    bool due = last != INT64_MIN && next_time(r, last) <= now;
    for (uint32_t i = 0; due && i < r->n_people && error == 0; i++)
        error = tell(db, r, &r->people[i], now);
    if (error == 0 && (due || last == INT64_MIN)) error = keep(db, now);
    if (error == 0) *ret_next = next_time(r, due || last == INT64_MIN ? now : last);
    return error;
}
