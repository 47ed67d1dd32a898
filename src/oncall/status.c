/* SPDX-License-Identifier: EUPL-1.2 */
/* How it is: for vaka status, /metrics and the watchdog. */
#include "base/json_write.h"
#include "oncall/internal.h"

static int put_count(struct oncall *o, struct buf *out, const char *name, const char *statement,
                     const struct db_value *values, size_t n)
{
    int64_t count = 0;
    int error = db_get(o->db, statement, values, n, &count);
    json_write_member_u64(out, name, (uint64_t)count);
    return error;
}

static void put_plan(struct oncall *o, struct buf *out)
{
    unsigned empty = 0, unreachable = 0;
    plan_gaps(o, &empty, &unreachable);
    json_write_key(out, "plan");
    buf_puts(out, o->roster ? "true" : "false");
    json_write_member_u64(out, "empty_shifts", empty);
    json_write_member_u64(out, "unreachable_people", unreachable);
    json_write_member_u64(out, "providers", o->n_providers);
}

int oncall_write_status(struct oncall *o, struct buf *out)
{
    put_plan(o, out);
    int error =
        put_count(o, out, "pages_open", "SELECT count(*) FROM page WHERE ended IS NULL", DB_ALONE);
    if (error == 0)
        error = put_count(o, out, "pages_loud",
                          "SELECT count(*) FROM page WHERE ended IS NULL AND state = ?1",
                          DB_WITH(db_number(PAGE_LOUD)));
    if (error == 0)
        error = put_count(o, out, "undelivered",
                          "SELECT count(*) FROM notice n JOIN page p ON p.id = n.page"
                          " WHERE p.ended IS NULL AND n.state = ?1",
                          DB_WITH(db_number(NOTICE_FAILED)));
    if (error == 0)
        error = put_count(o, out, "waiting",
                          "SELECT count(*) FROM deadline d JOIN notice n ON n.id = d.id WHERE"
                          " d.kind = ?1 AND n.state = ?2 AND n.made + n.after * ?3 <= ?4",
                          DB_WITH(db_number(DEADLINE_NOTICE), db_number(NOTICE_WAITS),
                                  db_number(NSEC_PER_SEC), db_number(o->now)));
    if (error == 0)
        error =
            put_count(o, out, "wait_for_morning", "SELECT count(*) FROM subject WHERE state = ?1",
                      DB_WITH(db_number(SUBJECT_WAITS)));
    if (error == 0)
        error = put_count(o, out, "unplanned", "SELECT count(*) FROM subject WHERE state = ?1",
                          DB_WITH(db_number(SUBJECT_UNPLANNED)));
    if (error == 0) error = proof_write(o, out);
    json_write_member_u64(out, "pages", o->pages);
    json_write_member_u64(out, "acknowledged", o->acks);
    json_write_member_u64(out, "attempts", o->attempts);
    json_write_member_u64(out, "not_told", o->failures);
    json_write_member_u64(out, "held_back", o->held_back);
    return error ? error : buf_error(out);
}
