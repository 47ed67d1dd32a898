/* SPDX-License-Identifier: EUPL-1.2 */
/* What has to hold, whatever happens. Nothing here asks the rooms: it looks at their databases. */
#include "state/db.h"
#include "state/state.h"
#include "world.h"

int64_t ask_desk(struct world *w, const char *sql, const struct db_value *values, size_t n)
{
    int64_t value = 0;
    return db_get(state_db(w->state), sql, values, n, &value) ? -1 : value;
}

int64_t ask_oncall(struct world *w, const char *sql, const struct db_value *values, size_t n)
{
    int64_t value = 0;
    return db_get(w->db, sql, values, n, &value) ? -1 : value;
}

static const struct {
    const char *what, *sql;
} of_oncall[] = {
    {"an open page has no deadline",
     "SELECT count(*) FROM page p WHERE p.ended IS NULL AND NOT EXISTS (SELECT 1 FROM deadline d"
     " WHERE d.kind = 1 AND d.id = p.id)"},
    {"a step was begun twice",
     "SELECT count(*) FROM (SELECT 1 FROM step GROUP BY page, step, turn HAVING count(*) > 1)"},
    {"two steps of a page run",
     "SELECT count(*) FROM (SELECT 1 FROM step WHERE ended IS NULL GROUP BY page HAVING count(*) >"
     " 1)"},
    {"an incident is paged and on no list", "SELECT count(*) FROM subject s WHERE s.state = 2 AND "
                                            "NOT EXISTS (SELECT 1 FROM page_incident i"
                                            " JOIN page p ON p.id = i.page WHERE i.page = s.page "
                                            "AND i.subject = s.id AND i.settled IS NULL"
                                            " AND i.moved IS NULL AND p.ended IS NULL)"},
    {"a way was tried twice in the proof of a day",
     "SELECT count(*) FROM (SELECT 1 FROM attempt a JOIN notice n ON n.id = a.notice JOIN page p ON"
     " p.id = n.page WHERE p.marks = 12 GROUP BY n.page, a.provider, a.channel, a.address"
     " HAVING count(*) > 1)"},
    {"a disturbance goes on and nobody will end it",
     "SELECT count(*) FROM roster_disturbance r WHERE r.ends IS NULL AND NOT EXISTS"
     " (SELECT 1 FROM deadline d WHERE d.kind = 9 AND d.id = r.id)"},
    {"an incident waits and has no deadline",
     "SELECT count(*) FROM subject s WHERE s.state = 1 AND NOT EXISTS (SELECT 1 FROM deadline d"
     " WHERE d.kind = 0 AND d.id = s.id)"},
    {"an incident was taken and not judged", "SELECT count(*) FROM subject WHERE state = 0"},
    {"a list of a page has a hole",
     "SELECT count(*) FROM (SELECT count(*) AS n, max(number) AS m FROM page_incident GROUP BY page"
     " HAVING n <> m)"},
};

/* What was once said of when somebody was told stays so. */
static void check_times(struct world *w)
{
    struct db_rows rows = db_select(state_db(w->state),
                                    "SELECT id, notified FROM incident WHERE notified IS NOT NULL"
                                    " AND id < 8192",
                                    DB_ALONE);
    while (db_next(&rows)) {
        const int64_t id = db_get_number(&rows, 0), notified = db_get_number(&rows, 1);
        if (!w->notified[id]) w->notified[id] = notified;
        else if (w->notified[id] != notified)
            wrong(w, "the time at which somebody was told of incident %lld is another one",
                  (long long)id);
    }
    if (db_end(&rows) != 0) wrong(w, "the database of triage cannot be read");
}

/* Told, loud, or in somebody's hands, in time: steps of a policy take at most an hour. */
static void check_told(struct world *w, nsec patience, int level)
{
    int64_t id =
        ask_desk(w,
                 "SELECT coalesce(min(i.id), 0) FROM incident i WHERE i.open = 1 AND i.acked IS"
                 " NULL AND i.notified IS NULL AND i.level >= ?1 AND i.detected < ?2 AND NOT"
                 " EXISTS (SELECT 1 FROM incident p JOIN change c ON c.incident = p.id WHERE"
                 " p.root = i.id AND c.kind IN ('page_loud', 'notified', 'ack'))",
                 DB_WITH(db_number(level), db_number(real_now(w) - patience)));
    if (id) wrong(w, "nobody was told of incident %lld", (long long)id);
}

/* Triage knows of what is loud. */
static void check_loud(struct world *w)
{
    int64_t incident = 0;
    struct db_rows rows = db_select(
        w->db,
        "SELECT s.incident FROM page p JOIN page_incident i ON i.page = p.id JOIN subject s"
        " ON s.id = i.subject WHERE p.ended IS NULL AND p.state = 1 AND p.loud < ?1 AND"
        " i.settled IS NULL AND i.moved IS NULL",
        DB_WITH(db_number(real_now(w) - 3 * HOUR)));
    while (db_next(&rows)) {
        incident = db_get_number(&rows, 0);
        if (ask_desk(w, "SELECT count(*) FROM change WHERE incident = ?1 AND kind = 'page_loud'",
                     DB_WITH(db_number(incident))) == 0)
            wrong(w, "the page of incident %lld is loud, and nobody hears it", (long long)incident);
    }
    if (db_end(&rows) != 0) wrong(w, "the database of oncall cannot be read");
}

void check_now(struct world *w)
{
    for (size_t i = 0; i < sizeof of_oncall / sizeof *of_oncall; i++)
        if (ask_oncall(w, of_oncall[i].sql, DB_ALONE)) wrong(w, "%s", of_oncall[i].what);
    check_times(w);
    check_loud(w);
    check_told(w, 3 * HOUR, 4);
}

/* Once a day, whatever ended meanwhile: not much more, not much less. A clock that jumps by a day
 * has that day twice, or not at all. */
static void check_proofs(struct world *w)
{
    const int64_t days = (real_now(w) - w->start) / DAY;
    const int64_t n = ask_oncall(w, "SELECT count(*) FROM page WHERE marks = 12", DB_ALONE);
    w->f.proofs += (uint64_t)n;
    const int64_t off = 4 + 3 * (int64_t)w->f.jumps;
    if (n < days - off || n > days + off)
        wrong(w, "ways were proven %lld times in %lld days", (long long)n, (long long)days);
}

/* Everybody could do everything for long: what matters is in somebody's hands, or loud. */
void check_end(struct world *w)
{
    check_now(w);
    check_told(w, HOUR, 3);
    int64_t id = ask_desk(
        w,
        "SELECT coalesce(min(i.id), 0) FROM incident i WHERE i.open = 1 AND i.acked IS NULL"
        " AND i.level >= 3 AND NOT EXISTS (SELECT 1 FROM incident p JOIN change c ON c.incident ="
        " p.id WHERE p.root = i.id AND c.kind = 'page_loud')",
        DB_ALONE);
    if (id) wrong(w, "incident %lld ended neither in somebody's hands nor loud", (long long)id);
    if (ask_desk(w, "SELECT count(*) FROM handover", DB_ALONE))
        wrong(w, "something was never taken over by oncall");
    if (ask_oncall(w, "SELECT count(*) FROM told", DB_ALONE))
        wrong(w, "something was never noted by triage");
    if (ask_oncall(w, "SELECT count(*) FROM attempt WHERE state IN (0, 1)", DB_ALONE))
        wrong(w, "an attempt was left");
    if (ask_oncall(w,
                   "SELECT count(*) FROM attempt a JOIN notice n ON n.id = a.notice WHERE"
                   " (SELECT count(*) FROM notice m JOIN attempt b ON b.notice = m.id WHERE"
                   " m.person = n.person AND m.made > a.made - 1200000000000 AND b.made > a.made -"
                   " 600000000000 AND b.made <= a.made) > 15",
                   DB_ALONE))
        wrong(w, "somebody was told more often than the limit is");
    check_proofs(w);
    w->f.disturbed += (uint64_t)ask_oncall(w, "SELECT count(*) FROM roster_disturbance", DB_ALONE);
    w->f.incidents += (uint64_t)ask_desk(w, "SELECT count(*) FROM incident", DB_ALONE);
    w->f.pages += (uint64_t)ask_oncall(w, "SELECT count(*) FROM page", DB_ALONE);
    w->f.steps += (uint64_t)ask_oncall(w, "SELECT count(*) FROM step", DB_ALONE);
}
