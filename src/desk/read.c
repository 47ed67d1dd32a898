/* SPDX-License-Identifier: EUPL-1.2 */
#include "desk/read.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "desk/clocks.h"
#include "desk/internal.h"
#include "state/db.h"

/* Plain words: in one line, and the first sentence apart from what is behind it. */
#define PLAIN                                                                                      \
    " 'plain', json_object('sv', json_text(replace(i.sv, char(10), ' ')),"                         \
    " 'en', json_text(replace(i.en, char(10), ' '))), 'plain_parts', json_object("                 \
    "'sv', json_array(json_text(substr(i.sv, 1, instr(i.sv || char(10), char(10)) - 1)),"          \
    " json_text(substr(i.sv, instr(i.sv || char(10), char(10)) + 1))),"                            \
    " 'en', json_array(json_text(substr(i.en, 1, instr(i.en || char(10), char(10)) - 1)),"         \
    " json_text(substr(i.en, instr(i.en || char(10), char(10)) + 1)))),"

/* What a list has of an incident `i`. */
#define INCIDENT_MEMBERS                                                                           \
    "'id', i.id, 'state', CASE WHEN i.part_of IS NOT NULL THEN 'merged' WHEN i.closed IS NOT NULL" \
    " THEN 'closed' WHEN i.contained IS NOT NULL THEN 'contained' WHEN i.triaged IS NOT NULL"      \
    " THEN 'triaged' WHEN i.acked IS NOT NULL THEN 'acknowledged' ELSE 'new' END,"                 \
    " 'part_of', i.part_of, 'follows', i.follows, 'score', i.score, 'level', CASE i.level"         \
    " WHEN 5 THEN 'critical' WHEN 4 THEN 'high' WHEN 3 THEN 'medium' WHEN 2 THEN 'low'"            \
    " WHEN 1 THEN 'informational' END, 'importance', i.importance," PLAIN                          \
    " 'about', json(i.about),"                                                                     \
    " 'alerts', i.all_alerts, 'records', i.all_records,"                                           \
    " 'first_activity', rfc3339(i.all_first), 'last_activity', rfc3339(i.all_last),"               \
    " 'detected', rfc3339(i.detected), 'notified', rfc3339(i.notified),"                           \
    " 'acked', rfc3339(i.acked), 'triaged', rfc3339(i.triaged),"                                   \
    " 'contained', rfc3339(i.contained), 'closed', rfc3339(i.closed),"                             \
    " 'assignee', json_text(i.assignee), 'disposition', i.disposition, 'why', json_text(i.why),"   \
    " 'protected', json(CASE i.protected WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE 'null' END)," \
    " 'exercise', json(iif(i.marks & 1, 'true', 'false')),"                                        \
    " 'version', i.version, 'changed', i.changed"

#define JUDGED(name)                                                                               \
    " '" #name "', CASE WHEN i." #name "_at IS NULL THEN NULL ELSE json_object('value',"           \
    " json(iif(i." #name ", 'true', 'false')), 'at', rfc3339(i." #name "_at), 'by',"               \
    " json_text(i." #name "_by)) END"

/* ---- pages ------------------------------------------------------------------------------- */

/* Up to two numbers with a dot between them. */
static int read_cursor(const struct desk_page *page, int64_t *ret_first, int64_t *ret_second)
{
    struct slice first, second;
    if (page->after.len == 0) return 0;
    bool two = slice_split(page->after, '.', &first, &second);
    bool good = slice_to_i64(first, ret_first) &&
                (ret_second ? two && slice_to_i64(second, ret_second) : !two);
    return good ? 0 : ERR_INVALID;
}

static uint32_t limit_of(const struct desk_page *page)
{
    return page->limit < 1 ? 1 : page->limit > DESK_PAGE_MAX ? DESK_PAGE_MAX : page->limit;
}

static void put_comma(struct buf *out)
{
    if (out->len && out->ptr[out->len - 1] != '[') buf_putc(out, ',');
}

/*
 * Rows of a page: the first column is a JSON value, the next ones are what the cursor is made of.
 * The statement was asked for one row more than the page has.
 */
static int put_page(struct db_rows *rows, struct desk_page *page, int numbers, struct buf *out)
{
    uint32_t n = 0, limit = limit_of(page);
    int64_t last[2] = {0};
    page->next[0] = '\0';
    buf_putc(out, '[');
    while (db_next(rows)) {
        if (n++ == limit) {
            (void)snprintf(page->next, sizeof page->next,
                           numbers == 2 ? "%" PRId64 ".%" PRId64 : "%" PRId64, last[0], last[1]);
            break;
        }
        put_comma(out);
        buf_put(out, db_get_text(rows, 0));
        for (int i = 0; i < numbers; i++) last[i] = db_get_number(rows, i + 1);
    }
    buf_putc(out, ']');
    int error = db_end(rows);
    return error ? error : buf_error(out);
}

/* ---- lists ------------------------------------------------------------------------------- */

int desk_write_incidents(const struct desk_view *v, const struct desk_filter *filter,
                         struct desk_page *page, struct buf *out)
{
    static const char *const open[] = {
        [DESK_OPEN] = "[1]", [DESK_CLOSED] = "[0]", [DESK_ANY] = "[0,1]"};
    int64_t score = INT64_MAX, id = INT64_MAX;
    int error = read_cursor(page, &score, &id);
    if (error) return error;
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object(" INCIDENT_MEMBERS "), i.score, i.id FROM incident i"
        " WHERE i.tenant = ?1 AND i.open IN (SELECT value FROM json_each(?2))"
        " AND (i.score, i.id) < (?3, ?4) AND i.level >= ?5"
        " AND (?6 IS NULL OR i.assignee = ?6)"
        " AND (?7 IS NULL OR i.id IN (SELECT p.root FROM incident_name n"
        " JOIN incident p ON p.id = n.incident WHERE n.tenant = ?1 AND n.name = ?7"
        " AND n.bystander = 0 AND n.alerts > 0))"
        " ORDER BY i.score DESC, i.id DESC LIMIT ?8",
        DB_WITH(db_number(v->tenant), db_text(slice_of(open[filter->state])), db_number(score),
                db_number(id), db_number(filter->level), db_text_or_null(filter->assignee),
                db_text_or_null(filter->name), db_number(limit_of(page) + 1)));
    return put_page(&rows, page, 2, out);
}

enum { LEVELS = LEVEL_CRITICAL + 1 };

static void put_counts(struct buf *out, const char *key, const int64_t counts[LEVELS])
{
    json_write_key(out, key);
    buf_putc(out, '{');
    for (unsigned level = LEVEL_INFORMATIONAL; level < LEVELS; level++)
        json_write_member_u64(out, sigma_level_name(level), (uint64_t)counts[level]);
    buf_putc(out, '}');
}

int desk_write_queue(const struct desk_view *v, struct buf *out)
{
    int64_t open[LEVELS] = {0}, new[LEVELS] = {0};
    struct db_rows rows =
        db_select(v->db,
                  "SELECT level, count(*), sum(acked IS NULL) FROM incident WHERE tenant = ?1"
                  " AND open = 1 GROUP BY level",
                  DB_WITH(db_number(v->tenant)));
    while (db_next(&rows)) {
        int64_t level = db_get_number(&rows, 0);
        if (level < LEVEL_INFORMATIONAL || level >= LEVELS) level = LEVEL_INFORMATIONAL;
        open[level] += db_get_number(&rows, 1);
        new[level] += db_get_number(&rows, 2);
    }
    buf_putc(out, '{');
    put_counts(out, "open", open);
    put_counts(out, "new", new);
    buf_putc(out, '}');
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

int desk_write_alerts(const struct desk_view *v, uint64_t id, struct desk_page *page,
                      struct buf *out)
{
    int64_t after = 0;
    int error = read_cursor(page, &after, NULL);
    if (error) return error;
    struct db_rows rows = db_select(
        v->db,
        "SELECT '{\"id\":' || a.id || ',\"count\":' || a.count || ',\"last_seen\":\"' ||"
        " rfc3339(a.last_received) || '\",\"alert\":' || trim(a.line, char(10)) || '}', a.id FROM ("
        " SELECT a.id FROM incident i JOIN alert a ON a.incident = i.id WHERE i.tenant = ?1"
        " AND i.root = ?2 AND a.id > ?3 ORDER BY a.id LIMIT ?4) w JOIN alert a ON a.id = w.id"
        " ORDER BY a.id",
        DB_WITH(db_number(v->tenant), db_u64(id), db_number(after), db_number(limit_of(page) + 1)));
    return put_page(&rows, page, 1, out);
}

int desk_write_exercises(const struct desk_view *v, nsec from, nsec to, struct buf *out)
{
    struct desk_page page = {.limit = DESK_PAGE_MAX};
    struct db_rows rows =
        db_select(v->db,
                  "SELECT json_object(" INCIDENT_MEMBERS ", 'first_event', rfc3339(f.time),"
                  " 'first_received', rfc3339(f.received)), i.id FROM incident i"
                  " LEFT JOIN alert f ON f.id = (SELECT a.id FROM incident p JOIN alert a"
                  " ON a.incident = p.id WHERE p.root = i.id ORDER BY a.received, a.id LIMIT 1)"
                  " WHERE i.tenant = ?1 AND i.part_of IS NULL AND i.marks & 1"
                  " AND i.detected >= ?2 AND i.detected < ?3 ORDER BY i.id LIMIT ?4",
                  DB_WITH(db_number(v->tenant), db_number(from), db_number(to),
                          db_number(limit_of(&page) + 1)));
    return put_page(&rows, &page, 1, out);
}

#define CHANGE_OBJECT                                                                              \
    "json_object('number', c.number, 'incident', c.incident, 'time', rfc3339(c.time),"             \
    " 'actor', json_text(c.actor), 'kind', c.kind, 'why', json_text(c.why), 'body', json(c.body))"

int desk_write_log(const struct desk_view *v, uint64_t id, struct desk_page *page, struct buf *out)
{
    int64_t after = 0;
    int error = read_cursor(page, &after, NULL);
    if (error) return error;
    struct db_rows rows = db_select(
        v->db,
        "SELECT " CHANGE_OBJECT ", c.number FROM incident i JOIN change c ON c.incident = i.id"
        " WHERE i.tenant = ?1 AND i.root = ?2 AND c.number > ?3 ORDER BY c.number LIMIT ?4",
        DB_WITH(db_number(v->tenant), db_u64(id), db_number(after), db_number(limit_of(page) + 1)));
    return put_page(&rows, page, 1, out);
}

int desk_write_similar(const struct desk_view *v, uint64_t id, struct buf *out)
{
    struct desk_page page = {.limit = 20};
    /* Who is named by more than a hundred others says nothing; a deed of another day as little. */
    struct db_rows rows = db_select(
        v->db,
        "WITH mine (name, kind) AS (SELECT n.name, min(n.kind) FROM" DESK_NAMES
        "WHERE n.tenant = ?2 AND n.bystander = 0 AND n.kind NOT IN (?3, ?4) GROUP BY n.name LIMIT "
        "200),"
        " hits (root, name, kind) AS (SELECT DISTINCT p.root, m.name, m.kind FROM mine m"
        " JOIN incident_name n"
        " ON n.tenant = ?2 AND n.name = m.name AND n.bystander = 0 AND n.alerts > 0"
        " JOIN incident p ON p.id = n.incident WHERE p.root != ?1),"
        " rare (name) AS (SELECT name FROM hits GROUP BY name HAVING count(*) <= 100)"
        " SELECT json_object('common', (SELECT "
        "json_group_array(json_object('kind', " DESK_KIND_WORD(
            "c.kind") ", 'name', json_text(c.name))) FROM (SELECT h.name, h.kind"
                      " FROM hits h JOIN rare USING (name) WHERE h.root = i.id ORDER BY h.name) "
                      "c), " INCIDENT_MEMBERS ") FROM ("
                      " SELECT h.root, count(*) AS n FROM hits h JOIN rare USING (name) GROUP BY "
                      "h.root"
                      " ORDER BY n DESC, h.root DESC LIMIT 20) s JOIN incident i ON i.id = s.root"
                      " ORDER BY s.n DESC, i.id DESC",
        DB_WITH(db_u64(id), db_number(v->tenant), db_number(NAME_DEED), db_number(NAME_FULL)));
    return put_page(&rows, &page, 0, out);
}

int desk_write_news(const struct desk_view *v, uint64_t after, uint32_t limit, struct buf *out,
                    uint64_t *ret_last)
{
    struct desk_page page = {.limit = limit};
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object('number', i.changed, 'incident', json_object(" INCIDENT_MEMBERS ")),"
        " i.changed FROM incident i WHERE i.tenant = ?1 AND i.changed > ?2"
        " ORDER BY i.changed LIMIT ?3",
        DB_WITH(db_number(v->tenant), db_u64(after), db_number(limit_of(&page))));
    *ret_last = after;
    buf_putc(out, '[');
    while (db_next(&rows)) {
        put_comma(out);
        buf_put(out, db_get_text(&rows, 0));
        *ret_last = (uint64_t)db_get_number(&rows, 1);
    }
    buf_putc(out, ']');
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

#define ASSET_MEMBERS                                                                              \
    "'host', json_text(a.host), 'addresses', json(CASE a.addresses WHEN '' THEN '[]' ELSE '[\"' "  \
    "||"                                                                                           \
    " replace(a.addresses, ' ', '\",\"') || '\"]' END), 'service', json_text(a.service), 'owner'," \
    " json_text(a.owner), 'importance', CASE a.importance WHEN 0 THEN 'low' WHEN 1 THEN 'normal'"  \
    " WHEN 2 THEN 'high' ELSE 'critical' END, 'shared', json(iif(a.shared, 'true', 'false'))"

int desk_write_assets(const struct desk_view *v, struct slice name, struct desk_page *page,
                      struct buf *out)
{
    int64_t after = 0;
    int error = read_cursor(page, &after, NULL);
    if (error) return error;
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object(" ASSET_MEMBERS ", 'incidents', (SELECT count(DISTINCT i.root)"
        " FROM asset_name m JOIN incident_name n ON n.tenant = m.tenant AND n.name = m.name"
        " AND n.bystander = 0 AND n.alerts > 0 JOIN incident i ON i.id = n.incident"
        " JOIN incident r ON r.id = i.root AND r.open = 1 WHERE m.asset = a.id)), a.id"
        " FROM asset a WHERE a.tenant = ?1 AND a.id > ?2 AND (?3 IS NULL OR a.id IN (SELECT asset"
        " FROM asset_name WHERE tenant = ?1 AND name = ?3)) ORDER BY a.id LIMIT ?4",
        DB_WITH(db_number(v->tenant), db_number(after), db_text_or_null(name),
                db_number(limit_of(page) + 1)));
    return put_page(&rows, page, 1, out);
}

int desk_write_suppressions(const struct desk_view *v, struct desk_page *page, struct buf *out)
{
    int64_t before = INT64_MAX;
    int error = read_cursor(page, &before, NULL);
    if (error) return error;
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object('id', s.id, 'rule', json_text(s.rule), 'name', json_text(s.name),"
        " 'owner', json_text(s.owner), 'why', json_text(s.why), 'made', rfc3339(s.made), 'made_by',"
        " json_text(s.made_by), 'expires', rfc3339(s.expires), 'ended', rfc3339(s.ended),"
        " 'ended_by', json_text(s.ended_by), 'state', CASE WHEN s.ended IS NOT NULL THEN 'ended'"
        " WHEN s.expires <= ?3 THEN 'expired' ELSE 'active' END, 'alerts', s.alerts, 'records',"
        " s.records, 'last', rfc3339(s.last)), s.id FROM suppression s"
        " WHERE s.tenant = ?1 AND s.id < ?2 ORDER BY s.id DESC LIMIT ?4",
        DB_WITH(db_number(v->tenant), db_number(before), db_number(v->now),
                db_number(limit_of(page) + 1)));
    return put_page(&rows, page, 1, out);
}

int desk_write_noise(const struct desk_view *v, struct buf *out)
{
    struct desk_page page = {.limit = UINT32_MAX};
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object('rule', json_text(rule), 'week', sum(iif(day > ?2 - 7, alerts,"
        " 0)), 'month', sum(alerts), 'records', sum(records), 'suppressed',"
        " sum(suppressed), 'last', rfc3339(max(last))) FROM rule_day"
        " WHERE tenant = ?1 AND day > ?2 - 30 GROUP BY rule ORDER BY sum(alerts) DESC",
        DB_WITH(db_number(v->tenant), db_number(v->now / (86400 * NSEC_PER_SEC))));
    return put_page(&rows, &page, 0, out);
}

int desk_write_organisation(const struct desk_view *v, struct buf *out)
{
    struct db_rows rows = db_select(
        v->db, "SELECT json_object('name', (SELECT name FROM organisation WHERE tenant = ?1))",
        DB_WITH(db_number(v->tenant)));
    while (db_next(&rows)) buf_put(out, db_get_text(&rows, 0));
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

int desk_last_change(const struct desk_view *v, uint64_t *ret)
{
    int64_t number = 0;
    int error = db_get(v->db, "SELECT coalesce(max(changed), 0) FROM incident WHERE tenant = ?1",
                       DB_WITH(db_number(v->tenant)), &number);
    *ret = (uint64_t)number;
    return error;
}

/* ---- one incident ------------------------------------------------------------------------ */

/* ,"name":[…] of rows whose first column is a JSON value. */
static int put_list(const struct desk_view *v, const char *name, const char *statement, uint64_t id,
                    struct buf *out)
{
    struct desk_page page = {.limit = DESK_PAGE_MAX};
    struct db_rows rows = db_select(v->db, statement, DB_WITH(db_u64(id)));
    json_write_key(out, name);
    return put_page(&rows, &page, 0, out);
}

/* When each clock begins, or TIME_NONE. */
struct begins {
    nsec incident, breach;
};

static int load_begins(const struct desk_view *v, uint64_t id, struct begins *ret)
{
    struct db_rows rows =
        db_select(v->db,
                  "SELECT CASE WHEN significant = 0 THEN NULL WHEN significant = 1 THEN"
                  " min(coalesce(aware, significant_at), significant_at) ELSE aware END,"
                  " iif(breach = 1, breach_at, NULL) FROM incident WHERE id = ?1",
                  DB_WITH(db_u64(id)));
    *ret = (struct begins){TIME_NONE, TIME_NONE};
    if (db_next(&rows)) *ret = (struct begins){db_get_time(&rows, 0), db_get_time(&rows, 1)};
    return db_end(&rows);
}

/* When the report of a clock was sent, and under which reference; TIME_NONE: it was not. */
static int load_report(const struct desk_view *v, uint64_t id, struct slice clock, nsec *ret,
                       struct buf *reference)
{
    struct db_rows rows =
        db_select(v->db,
                  "SELECT json_extract(c.body, '$.at'), json_extract(c.body, '$.reference')"
                  " FROM incident i JOIN change c ON c.incident = i.id WHERE i.root = ?1"
                  " AND c.kind = 'report' AND json_extract(c.body, '$.clock') = ?2"
                  " ORDER BY c.number LIMIT 1",
                  DB_WITH(db_u64(id), db_text(clock)));
    *ret = TIME_NONE;
    if (db_next(&rows)) {
        (void)time_parse(db_get_text(&rows, 0), 0, ret);
        buf_clear(reference);
        buf_put(reference, db_get_text(&rows, 1));
    }
    return db_end(&rows);
}

static void put_time(struct buf *out, const char *name, nsec time)
{
    json_write_key(out, name);
    buf_puts(out, time == TIME_NONE ? "null" : "\"");
    time_write_rfc3339(out, time);
    if (time != TIME_NONE) buf_putc(out, '"');
}

static void put_clock(const struct desk_view *v, const struct desk_clock *clock, nsec begin,
                      nsec sent, struct slice reference, struct buf *out)
{
    nsec due = desk_clocks_due(clock, begin), at = sent == TIME_NONE ? v->now : sent;
    put_comma(out);
    buf_putc(out, '{');
    json_write_member_string(out, "clock", clock->key);
    json_write_member_string(out, "sv", clock->sv);
    json_write_member_string(out, "en", clock->en);
    json_write_member_string(out, "law", clock->law);
    put_time(out, "begins", begin);
    put_time(out, "due", due);
    json_write_key(out, "left_s");
    json_write_i64(out, (due - at) / NSEC_PER_SEC);
    put_time(out, "sent", sent);
    json_write_key(out, "reference");
    if (reference.len) json_write_string(out, reference);
    else buf_puts(out, "null");
    buf_putc(out, '}');
}

static int begin_of(const struct desk_view *v, uint64_t id, const struct begins *begins,
                    struct slice from, struct buf *scratch, nsec *ret)
{
    const struct slice report = SLICE("report.");
    *ret = slice_eq(from, SLICE("incident")) ? begins->incident
           : slice_eq(from, SLICE("breach")) ? begins->breach
                                             : TIME_NONE;
    if (!slice_starts_with(from, report)) return 0;
    return load_report(v, id, slice_from(from, report.len), ret, scratch);
}

static int put_clocks(const struct desk_view *v, uint64_t id, struct buf *out)
{
    struct slice rest = v->clocks.len ? v->clocks : desk_clocks_text();
    struct desk_clock clock;
    struct begins begins;
    struct buf reference;
    uint32_t line = 0;
    int error = load_begins(v, id, &begins), got = 0;
    buf_init(&reference, 4096);
    json_write_key(out, "clocks");
    buf_putc(out, '[');
    while (error == 0 && (got = desk_clocks_next(&rest, &line, &clock)) > 0) {
        nsec begin, sent = TIME_NONE;
        error = begin_of(v, id, &begins, clock.begins, &reference, &begin);
        buf_clear(&reference);
        if (error == 0) error = load_report(v, id, clock.key, &sent, &reference);
        if (error == 0 && begin != TIME_NONE)
            put_clock(v, &clock, begin, sent, buf_slice(&reference), out);
    }
    buf_putc(out, ']');
    buf_done(&reference);
    return error ? error : got;
}

static int put_kinds(struct buf *out, struct db_rows *rows)
{
    json_write_key(out, "names");
    buf_putc(out, '[');
    while (db_next(rows)) {
        put_comma(out);
        buf_putc(out, '{');
        json_write_member_string(out, "kind",
                                 slice_of(name_kind_word((enum name_kind)db_get_number(rows, 0))));
        json_write_member_string(out, "name", db_get_text(rows, 1));
        json_write_member_u64(out, "alerts", (uint64_t)db_get_number(rows, 2));
        buf_puts(out, db_get_number(rows, 3) ? ",\"bystander\":true}" : ",\"bystander\":false}");
    }
    buf_putc(out, ']');
    return db_end(rows);
}

/* Those most is said of. */
static int put_names(const struct desk_view *v, uint64_t id, struct buf *out)
{
    struct db_rows rows =
        db_select(v->db,
                  "SELECT n.kind, n.name, sum(n.alerts), min(n.bystander) FROM" DESK_NAMES
                  "WHERE n.kind NOT IN (?2, ?3, ?4, ?5) GROUP BY n.name ORDER "
                  "BY min(n.bystander), sum(n.alerts) DESC,"
                  " n.name LIMIT 100",
                  DB_WITH(db_u64(id), db_number(NAME_COMMAND), db_number(NAME_RECORD),
                          db_number(NAME_DEED), db_number(NAME_FULL)));
    return put_kinds(out, &rows);
}

static int put_parts(const struct desk_view *v, uint64_t id, struct buf *out)
{
    int error = put_names(v, id, out);
    if (error == 0)
        error = put_list(
            v, "rules",
            "SELECT json_object('id', json_text(r.rule), 'title', json_text(r.title),"
            " 'title_sv', json_text(nullif(r.title_sv, '')), 'alerts', sum(r.alerts),"
            " 'records', sum(r.records), 'respond', json_object('sv',"
            " json_text(r.respond_sv), 'en', json_text(r.respond_en)), 'earlier',"
            " (SELECT json_object('closed', closed, 'no_attack', no_attack) FROM"
            " (SELECT" DESK_EARLIER_COUNT(
                "count(*)", "r.rule",
                "i.tenant") " AS closed," DESK_EARLIER_COUNT(DESK_NO_ATTACK, "r.rule",
                                                             "i.tenant") " AS no_attack)))"
                                                                         " FROM incident i JOIN "
                                                                         "incident_rule r ON "
                                                                         "r.incident = i.id"
                                                                         " WHERE i.root = ?1 AND "
                                                                         "r.alerts > 0 GROUP BY "
                                                                         "r.rule"
                                                                         " ORDER BY max(r.level) "
                                                                         "DESC, min(r.first_alert)",
            id, out);
    if (error == 0)
        error = put_list(v, "impact",
                         "SELECT json_object(" ASSET_MEMBERS ", 'alerts', sum(n.alerts))"
                         " FROM" DESK_NAMES
                         "JOIN asset_name m ON m.tenant = n.tenant AND m.name = n.name"
                         " JOIN asset a ON a.id = m.asset WHERE n.bystander = 0 GROUP BY a.id "
                         "ORDER BY a.importance DESC, a.name"
                         " LIMIT 100",
                         id, out);
    if (error == 0)
        error = put_list(v, "parts",
                         "SELECT i.id FROM incident i WHERE i.root = ?1 AND i.id != ?1"
                         " ORDER BY i.id",
                         id, out);
    if (error == 0)
        error = put_list(v, "tasks",
                         "SELECT json_object('id', t.id, 'text', json_text(t.text), 'owner',"
                         " json_text(t.owner), 'made', rfc3339(t.made), 'done', rfc3339(t.done),"
                         " 'done_by', json_text(t.done_by)) FROM incident i"
                         " JOIN task t ON t.incident = i.id WHERE i.root = ?1 ORDER BY t.id",
                         id, out);
    if (error == 0)
        error =
            put_list(v, "evidence",
                     "SELECT json_object('id', e.id, 'first', e.first, 'last', e.last, 'sha256',"
                     " e.sha256, 'text', json_text(e.text), 'taken', rfc3339(e.taken),"
                     " 'taken_by', json_text(e.taken_by)) FROM incident i"
                     " JOIN evidence e ON e.incident = i.id WHERE i.root = ?1 ORDER BY e.id",
                     id, out);
    return error ? error : put_clocks(v, id, out);
}

int desk_write_incident(const struct desk_view *v, uint64_t id, struct buf *out, bool *ret_found)
{
    struct db_rows rows = db_select(
        v->db,
        "SELECT json_object(" INCIDENT_MEMBERS ", 'aware', CASE WHEN i.aware IS NULL THEN NULL ELSE"
        " json_object('at', rfc3339(i.aware), 'by', json_text(i.aware_by)) END," JUDGED(
            significant) "," JUDGED(breach) ") FROM incident i WHERE i.tenant = ?1 AND i.id = ?2",
        DB_WITH(db_number(v->tenant), db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found) {
        struct slice object = db_get_text(&rows, 0);
        buf_put(out, slice_until(object, object.len - 1));
    }
    int error = db_end(&rows);
    if (error || !*ret_found) return error;
    error = put_parts(v, id, out);
    buf_putc(out, '}');
    return error ? error : buf_error(out);
}
