/* SPDX-License-Identifier: EUPL-1.2 */
/* Rows of incidents, and the log. */
#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"

int desk_row_load(struct desk *d, uint64_t id, struct desk_row *ret, bool *ret_found)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id, root, part_of, version, tenant, open, closed, protected, begun"
                  " FROM incident WHERE id = ?1",
                  DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found)
        *ret =
            (struct desk_row){.id = (uint64_t)db_get_number(&rows, 0),
                              .root = (uint64_t)db_get_number(&rows, 1),
                              .part_of = (uint64_t)db_get_number(&rows, 2),
                              .version = (uint64_t)db_get_number(&rows, 3),
                              .tenant = (uint32_t)db_get_number(&rows, 4),
                              .open = db_get_number(&rows, 5) == 1,
                              .closed = !db_is_null(&rows, 6),
                              .protected = db_is_null(&rows, 7) ? -1 : (int)db_get_number(&rows, 7),
                              .begun = db_get_number(&rows, 8)};
    return db_end(&rows);
}

int desk_row_tell(struct desk *d, uint64_t id)
{
    struct grouping_group group = {.id = id};
    struct db_rows rows = db_select(
        d->db, "SELECT part_of, closed, apart FROM incident WHERE id = ?1", DB_WITH(db_u64(id)));
    if (db_next(&rows)) {
        group.into = (uint64_t)db_get_number(&rows, 0);
        group.closed = !db_is_null(&rows, 1);
        group.apart = db_get_number(&rows, 2) != 0;
    }
    int error = db_end(&rows);
    if (error == 0) grouping_restore(d->grouping, &group);
    return error;
}

int desk_row_sum(struct desk *d, uint64_t root)
{
    return db_run(d->db,
                  "UPDATE incident SET (all_alerts, all_records, all_first, all_last) ="
                  " (SELECT sum(alerts), sum(records), min(first), max(last)"
                  " FROM incident WHERE root = ?1) WHERE id = ?1",
                  DB_WITH(db_u64(root)));
}

/* ---- parts ------------------------------------------------------------------------------- */

/*
 * Rules that are new to it, with no alerts of its own: so that one look at its own rows tells
 * whether a rule is new to all of it.
 */
static int join_rules(struct desk *d, uint64_t id, uint64_t into, bool *ret_new)
{
    int error = db_run(d->db,
                       "INSERT OR IGNORE INTO incident_rule (incident, rule, first_alert, alerts,"
                       " records, level, tactics, title, title_sv, respond_sv, respond_en)"
                       " SELECT ?2, rule, first_alert, 0, 0, level, tactics, title, title_sv,"
                       " respond_sv, respond_en FROM incident_rule WHERE incident = ?1",
                       DB_WITH(db_u64(id), db_u64(into)));
    *ret_new = error == 0 && db_changed(d->db) > 0;
    return error;
}

static int join_numbers(struct desk *d, uint64_t id, uint64_t into)
{
    return db_run(
        d->db,
        "UPDATE incident SET (all_alerts, all_records, all_first, all_last) ="
        " (SELECT incident.all_alerts + o.all_alerts, incident.all_records + o.all_records,"
        " min(coalesce(incident.all_first, o.all_first), coalesce(o.all_first,"
        " incident.all_first)), max(coalesce(incident.all_last, o.all_last),"
        " coalesce(o.all_last, incident.all_last)) FROM incident o WHERE o.id = ?1)"
        " WHERE id = ?2",
        DB_WITH(db_u64(id), db_u64(into)));
}

int desk_row_join(struct desk *d, uint64_t id, uint64_t into, bool *ret_new_rule)
{
    int error = db_run(d->db, "UPDATE incident SET root = ?2 WHERE root = ?1",
                       DB_WITH(db_u64(id), db_u64(into)));
    if (error) return error;
    error =
        db_run(d->db, "UPDATE incident SET part_of = ?2, open = NULL, changed = ?3 WHERE id = ?1",
               DB_WITH(db_u64(id), db_u64(into), db_u64(++d->number)));
    if (error == 0) error = desk_row_tell(d, id);
    if (error == 0) error = join_numbers(d, id, into);
    if (error == 0) error = desk_hand_settled(d, id, HANDOVER_MERGED, into, DESK_VAKA);
    return error ? error : join_rules(d, id, into, ret_new_rule);
}

int desk_row_part(struct desk *d, uint64_t id, uint64_t from)
{
    int error = db_run(d->db,
                       "UPDATE incident SET part_of = NULL, open = 1, apart = 1, changed = ?2"
                       " WHERE id = ?1",
                       DB_WITH(db_u64(id), db_u64(++d->number)));
    if (error) return error;
    error = db_run(d->db,
                   "WITH RECURSIVE below (id) AS (SELECT ?1 UNION"
                   " SELECT i.id FROM incident i JOIN below b ON i.part_of = b.id"
                   " WHERE i.root = ?2)"
                   " UPDATE incident SET root = ?1 WHERE id IN below",
                   DB_WITH(db_u64(id), db_u64(from)));
    const uint64_t both[] = {id, from};
    for (size_t i = 0; i < 2 && error == 0; i++) {
        error = desk_row_tell(d, both[i]);
        if (error == 0) error = desk_row_sum(d, both[i]);
        if (error == 0) error = desk_row_judge(d, both[i]);
    }
    return error;
}

/* ---- what is said of it ------------------------------------------------------------------ */

static uint32_t split_tactics(struct slice text, struct slice ret[FACTS_TACTICS_MAX])
{
    uint32_t n = 0;
    while (text.len > 0 && n < FACTS_TACTICS_MAX) (void)slice_split(text, ' ', &ret[n++], &text);
    return n;
}

/* Rules, the one that matters most first: its texts go to d->sv and d->en. */
static int judge_rules(struct desk *d, uint64_t root, struct score *score,
                       struct desk_plain plain[2])
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT r.rule, r.level, r.tactics, r.title, r.title_sv, r.respond_sv,"
                  " r.respond_en FROM incident i JOIN incident_rule r ON r.incident = i.id"
                  " WHERE i.root = ?1 AND r.alerts > 0 ORDER BY r.level DESC, r.first_alert",
                  DB_WITH(db_u64(root)));
    uint64_t n = 0;
    for (; db_next(&rows); n++) {
        struct slice tactics[FACTS_TACTICS_MAX];
        uint32_t n_tactics = split_tactics(db_get_text(&rows, 2), tactics);
        score_add_rule(score, db_get_text(&rows, 0), (enum sigma_level)db_get_number(&rows, 1),
                       tactics, n_tactics);
        if (n) continue;
        struct slice sv = db_get_text(&rows, 4);
        struct buf *const out[] = {[DESK_SV] = &d->sv, [DESK_EN] = &d->en};
        const struct slice titles[] = {
            [DESK_SV] = sv.len ? sv : db_get_text(&rows, 3), [DESK_EN] = db_get_text(&rows, 3)};
        for (int i = 0; i < 2; i++) {
            buf_clear(out[i]);
            buf_put(out[i], titles[i]);
            buf_put(out[i], db_get_text(&rows, 5 + i));
            plain[i].title = slice_until(buf_slice(out[i]), titles[i].len);
            plain[i].respond = slice_from(buf_slice(out[i]), titles[i].len);
            plain[i].own = slice_starts_with(db_get_text(&rows, 0), SLICE("vaka."));
        }
    }
    for (int i = 0; i < 2; i++) plain[i].more_rules = n ? n - 1 : 0;
    int error = db_end(&rows);
    return d->sv.no_memory || d->en.no_memory ? ERR_NOMEM : error;
}

/* Of the rules that matter most the one that was right most often counts. */
static int judge_doubt(struct desk *d, uint64_t root, struct score *score)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT" DESK_EARLIER(
                      "m.rule", "m.tenant") " FROM (SELECT DISTINCT r.rule, i.tenant"
                                            " FROM incident i JOIN incident_rule r ON r.incident = "
                                            "i.id WHERE i.root = ?1"
                                            " AND r.alerts > 0 AND r.level = ?2 LIMIT 20) m",
                  DB_WITH(db_u64(root), db_number(score->level)));
    for (bool first = true; db_next(&rows); first = false) {
        unsigned doubt =
            score_doubt((uint64_t)db_get_number(&rows, 0), (uint64_t)db_get_number(&rows, 1));
        if (first || doubt < score->doubt) score->doubt = doubt;
    }
    return db_end(&rows);
}

static int count_names(struct desk *d, uint64_t root, uint64_t *ret)
{
    int64_t n = 0;
    int error = db_get(
        d->db,
        "SELECT count(*) FROM incident i JOIN incident_name n ON n.incident = i.id"
        " WHERE i.root = ?1 AND n.alerts > 0 AND n.kind IN (?2, ?3, ?4)",
        DB_WITH(db_u64(root), db_number(NAME_USER), db_number(NAME_HOST), db_number(NAME_ADDRESS)),
        &n);
    *ret = (uint64_t)n;
    return error;
}

/* People first, then computers, then addresses; bystanders last. d->text has them. */
static int judge_names(struct desk *d, uint64_t root, struct desk_plain *plain)
{
    const size_t most = sizeof plain->names / sizeof *plain->names;
    struct db_rows rows = db_select(
        d->db,
        "SELECT n.kind, n.name FROM" DESK_NAMES "WHERE n.kind IN (?2, ?3, ?4) GROUP BY n.name"
        " ORDER BY min(n.bystander), CASE n.kind WHEN ?2 THEN 0 WHEN ?3 THEN "
        "1 ELSE 2 END,"
        " sum(n.alerts) DESC, n.name LIMIT ?5",
        DB_WITH(db_u64(root), db_number(NAME_USER), db_number(NAME_HOST), db_number(NAME_ADDRESS),
                db_number((int64_t)most)));
    size_t ends[sizeof plain->names / sizeof *plain->names], begin = 0;
    uint32_t n = 0;
    buf_clear(&d->text);
    for (; n < most && db_next(&rows); n++) {
        plain->names[n].kind = (enum name_kind)db_get_number(&rows, 0);
        buf_put(&d->text, db_get_text(&rows, 1));
        ends[n] = d->text.len;
    }
    for (uint32_t i = 0; i < n; begin = ends[i++])
        plain->names[i].text = slice_make(d->text.ptr + begin, ends[i] - begin);
    plain->n_names = n;
    int error = db_end(&rows);
    if (error == 0) error = count_names(d, root, &plain->more_names);
    plain->more_names -= plain->more_names < n ? plain->more_names : n;
    return error ? error : buf_error(&d->text);
}

/* The most important asset that it names, in steps above normal. */
static int judge_assets(struct desk *d, uint64_t root, unsigned *ret)
{
    int64_t most = ASSET_NORMAL;
    int error = db_get(d->db,
                       "SELECT coalesce(max(a.importance), ?2) FROM incident i"
                       " JOIN incident_name n ON n.incident = i.id"
                       " JOIN asset_name m ON m.tenant = i.tenant AND m.name = n.name"
                       " JOIN asset a ON a.id = m.asset WHERE i.root = ?1 AND n.alerts > 0"
                       " AND n.bystander = 0",
                       DB_WITH(db_u64(root), db_number(ASSET_NORMAL)), &most);
    *ret = most > ASSET_NORMAL ? (unsigned)(most - ASSET_NORMAL) : 0;
    return error;
}

static void put_about(struct buf *out, const struct desk_plain *p)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < p->n_names; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_write_member_string(out, "kind", slice_of(name_kind_word(p->names[i].kind)));
        json_write_member_string(out, "name", p->names[i].text);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

int desk_row_judge(struct desk *d, uint64_t root)
{
    struct score score = {0};
    struct desk_plain plain[2] = {0};
    struct buf sentences[2], about;
    int error = judge_rules(d, root, &score, plain);
    if (error == 0) error = judge_doubt(d, root, &score);
    if (error == 0) error = judge_assets(d, root, &score.importance);
    if (error == 0) error = judge_names(d, root, &plain[DESK_SV]);
    if (error) return error;
    plain[DESK_SV].score = score_value(&score);
    plain[DESK_SV].tactics = score.n_tactics;
    memcpy(plain[DESK_EN].names, plain[DESK_SV].names, sizeof plain->names);
    plain[DESK_EN].n_names = plain[DESK_SV].n_names;
    plain[DESK_EN].more_names = plain[DESK_SV].more_names;
    plain[DESK_EN].score = plain[DESK_SV].score;
    plain[DESK_EN].tactics = plain[DESK_SV].tactics;
    for (int i = 0; i < 2; i++) {
        buf_init(&sentences[i], DESK_PLAIN_MAX);
        desk_plain_write(&sentences[i], &plain[i], (enum desk_language)i);
    }
    buf_init(&about, DESK_ABOUT_MAX);
    put_about(&about, &plain[DESK_SV]);
    bool no_memory =
        sentences[DESK_SV].no_memory || sentences[DESK_EN].no_memory || about.no_memory;
    error = no_memory
                ? ERR_NOMEM
                : db_run(d->db,
                         "UPDATE incident SET level = ?2, score = ?3, sv = ?4, en = ?5,"
                         " judged = all_alerts, importance = ?6, about = ?7 WHERE id = ?1",
                         DB_WITH(db_u64(root), db_number(score.level), db_number(plain->score),
                                 db_text(buf_slice(&sentences[DESK_SV])),
                                 db_text(buf_slice(&sentences[DESK_EN])),
                                 db_number(score.importance), db_text(buf_slice(&about))));
    buf_done(&about);
    for (int i = 0; i < 2; i++) buf_done(&sentences[i]);
    return error ? error : desk_hand_over(d, root);
}

/* ---- the log ----------------------------------------------------------------------------- */

int desk_log(struct desk *d, const struct desk_change *c)
{
    const uint64_t number = ++d->number;
    int error =
        db_run(d->db,
               "INSERT INTO change (number, tenant, incident, time, actor, kind, why, body,"
               " once, asked) VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
               DB_WITH(db_u64(number), db_number(c->tenant), db_u64(c->incident), db_number(c->now),
                       db_text(c->actor), db_text(c->kind), db_text_or_null(c->why),
                       db_text(c->body), db_text_or_null(c->once), db_text_or_null(c->asked)));
    if (error || !c->incident) return error;
    return db_run(d->db, "UPDATE incident SET version = ?2, changed = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(c->incident), db_u64(number)));
}
