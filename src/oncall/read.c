/* SPDX-License-Identifier: EUPL-1.2 */
#include "oncall/read.h"

#include "oncall/internal.h"

/* What a list has of a page `p`. */
#define PAGE_MEMBERS                                                                               \
    "'id', p.id, 'state', CASE p.state WHEN 0 THEN 'open' WHEN 1 THEN 'loud' WHEN 2 THEN"          \
    " 'acknowledged' ELSE 'over' END, 'policy', json_text(p.policy), 'level', CASE p.level"        \
    " WHEN 5 THEN 'critical' WHEN 4 THEN 'high' WHEN 3 THEN 'medium' WHEN 2 THEN 'low'"            \
    " WHEN 1 THEN 'informational' END, 'exercise', json(iif(p.marks & 1, 'true', 'false')),"       \
    " 'test', json(iif(p.marks & 4, 'true', 'false')), 'begun', rfc3339(p.begun),"                 \
    " 'notified', rfc3339((SELECT min(notified) FROM page_incident WHERE page = p.id)),"           \
    " 'loud', rfc3339(p.loud), 'ended', rfc3339(p.ended), 'ended_by', json_text(p.ended_by),"      \
    " 'steps', p.steps, 'outage', json(iif(EXISTS (SELECT 1 FROM page_incident i JOIN subject s"   \
    " ON s.id = i.subject WHERE i.page = p.id AND s.origin = 1), 'true', 'false')),"               \
    " 'incidents', (SELECT json_group_array(s.incident) FROM page_incident i JOIN subject s"       \
    " ON s.id = i.subject WHERE i.page = p.id AND s.origin = 0)"

#define PAGE_PARTS                                                                                 \
    " 'told', (SELECT json_group_array(json_object('step', n.step, 'person', json_text(n.person)," \
    " 'name', json_text(n.name), 'state', CASE n.state WHEN 0 THEN 'waits' WHEN 1 THEN 'trying'"   \
    " WHEN 2 THEN 'taken' WHEN 3 THEN 'delivered' WHEN 4 THEN 'failed' ELSE 'over' END,"           \
    " 'acked', rfc3339(n.acked), 'attempts', (SELECT json_group_array(json_object('id', a.id,"     \
    " 'channel', CASE a.channel WHEN 1 THEN 'mail' WHEN 2 THEN 'sms' WHEN 3 THEN 'voice' WHEN 4"   \
    " THEN 'webhook' WHEN 5 THEN 'teams' WHEN 6 THEN 'push' END, 'provider',"                      \
    " json_text(a.provider), 'address', json_text('…' || substr(a.address, -4)), 'state',"       \
    " CASE a.state WHEN 0 THEN 'queued' WHEN 1 THEN 'sending' WHEN 2 THEN 'accepted' WHEN 3 THEN"  \
    " 'delivered' WHEN 4 THEN 'retry' WHEN 5 THEN 'refused' WHEN 6 THEN 'unknown' WHEN 7 THEN"     \
    " 'late' ELSE 'dropped' END, 'made', rfc3339(a.made), 'accepted', rfc3339(a.accepted),"        \
    " 'detail', json_text(a.detail))) FROM attempt a WHERE a.notice = n.id)))"                     \
    " FROM notice n WHERE n.page = p.id),"                                                         \
    " 'history', (SELECT json_group_array(json_object('time', rfc3339(e.time), 'kind', e.kind,"    \
    " 'who', json_text(e.who), 'text', json_text(e.text))) FROM (SELECT * FROM event"              \
    " WHERE page = p.id ORDER BY number DESC LIMIT 200) e)"

int oncall_write_pages(const struct oncall_view *view, struct oncall_query *query, struct buf *out)
{
    const uint32_t limit = query->limit < 1                  ? 1
                           : query->limit > ONCALL_PAGES_MAX ? ONCALL_PAGES_MAX
                                                             : query->limit;
    uint64_t last = 0;
    uint32_t n = 0;
    struct db_rows rows =
        db_select(view->db,
                  "SELECT json_object(" PAGE_MEMBERS "), p.id FROM page p WHERE p.tenant = ?1"
                  " AND p.id < ?2 AND p.marks <> ?3 AND (?4 = 0 OR p.ended IS NULL)"
                  " AND (?6 = 0 OR p.id IN (SELECT i.page FROM subject s JOIN page_incident i"
                  " ON i.subject = s.id WHERE s.origin = 0 AND s.tenant = ?1 AND s.incident = ?6))"
                  " ORDER BY p.id DESC LIMIT ?5",
                  DB_WITH(db_number(view->tenant),
                          query->before ? db_u64(query->before) : db_number(INT64_MAX),
                          db_number(ONCALL_CANARY), db_number(query->open), db_number(limit + 1),
                          db_u64(query->incident)));
    query->next = 0;
    buf_putc(out, '[');
    while (db_next(&rows) && !query->next) {
        if (n++ == limit) {
            query->next = last;
        } else {
            if (n > 1) buf_putc(out, ',');
            buf_put(out, db_get_text(&rows, 0));
            last = (uint64_t)db_get_number(&rows, 1);
        }
    }
    buf_putc(out, ']');
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

static int write_one(struct db_rows *rows, struct buf *out, bool *ret_found)
{
    *ret_found = db_next(rows);
    if (*ret_found) buf_put(out, db_get_text(rows, 0));
    int error = db_end(rows);
    return error ? error : buf_error(out);
}

int oncall_write_page(const struct oncall_view *view, uint64_t id, struct buf *out, bool *ret_found)
{
    struct db_rows rows =
        db_select(view->db,
                  "SELECT json_object(" PAGE_MEMBERS "," PAGE_PARTS ") FROM page p"
                  " WHERE p.id = ?1 AND p.tenant = ?2 AND p.marks <> ?3",
                  DB_WITH(db_u64(id), db_number(view->tenant), db_number(ONCALL_CANARY)));
    return write_one(&rows, out, ret_found);
}

int oncall_write_summary(struct db *db, uint64_t id, struct buf *out)
{
    bool found;
    struct db_rows rows = db_select(db,
                                    "SELECT json_object(" PAGE_MEMBERS ") FROM page p"
                                    " WHERE p.id = ?1",
                                    DB_WITH(db_u64(id)));
    return write_one(&rows, out, &found);
}
