/* SPDX-License-Identifier: EUPL-1.2 */
/* What people do: checked here, applied by the act's own function, written down here. */
#include <stdarg.h>

#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"
#include "desk/read.h"

enum to { NO_INCIDENT = 0, OPEN = 1, CLOSED = 2, ANY = OPEN | CLOSED };
enum text { NO_TEXT, TEXT };

static const struct desk_act_kind {
    const char *name;
    enum account_right right;
    enum to to;
    enum text text;
    int (*run)(struct desk *d, struct act *a);
    desk_undo_fn *undo;
} kinds[] = {
#define X(name, right, to, text, undo) {#name, RIGHT_##right, to, text, desk_act_##name, undo},
    DESK_ACTS(X)
#undef X
};

static const struct desk_act_kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(name, slice_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

bool desk_act_right(struct slice kind, enum account_right *ret)
{
    const struct desk_act_kind *k = find_kind(kind);
    if (k) *ret = k->right;
    return k != NULL;
}

int act_refuse(struct act *a, enum desk_status status, const char *member, const char *fmt, ...)
{
    va_list ap;
    if (a->status != DESK_DONE) return 0;
    a->status = status;
    a->body.member = member;
    va_start(ap, fmt);
    (void)vsnprintf(a->body.message, sizeof a->body.message, fmt, ap);
    va_end(ap);
    return 0;
}

void act_log_text(struct act *a, const char *name, struct slice text)
{
    json_write_key(&a->log, name);
    if (text.len) json_write_string(&a->log, text);
    else buf_puts(&a->log, "null");
}

void act_log_time(struct act *a, const char *name, nsec time)
{
    json_write_key(&a->log, name);
    buf_putc(&a->log, '"');
    time_write_rfc3339(&a->log, time);
    buf_putc(&a->log, '"');
}

/* ---- before it --------------------------------------------------------------------------- */

static int load_incident(struct desk *d, struct act *a, const struct desk_act_kind *kind)
{
    bool found;
    uint64_t id = body_number(&a->body, "incident", true);
    uint64_t version = body_number(&a->body, "version", false);
    if (a->body.member) return 0;
    int error = desk_row_load(d, id, &a->row, &found);
    if (error) return error;
    if (!found || a->row.tenant != a->request->tenant)
        return act_refuse(a, DESK_NOT_FOUND, "incident", "there is no incident %llu",
                          (unsigned long long)id);
    if (version && version != a->row.version)
        return act_refuse(a, DESK_CONFLICT, "version",
                          "the incident has changed since: it is at %llu",
                          (unsigned long long)a->row.version);
    if (a->row.part_of)
        return act_refuse(a, DESK_CONFLICT, "incident", "it is part of incident %llu",
                          (unsigned long long)a->row.root);
    if (!(kind->to & (a->row.closed ? CLOSED : OPEN)))
        return act_refuse(a, DESK_CONFLICT, "incident", "the incident is %s",
                          a->row.closed ? "closed" : "open");
    return 0;
}

static void refuse_protected(struct act *a, const char *key)
{
    struct slice en = desk_plain_text(key, DESK_EN);
    a->plain = desk_plain_text(key, DESK_SV);
    act_refuse(a, DESK_PROTECTED, "protected", "%.*s", SLICE_FMT(en));
}

/* Nothing that people say is written down before it was said that it may be here. */
static int check_protected(struct desk *d, struct act *a, const struct desk_act_kind *kind)
{
    if (kind->text == NO_TEXT || a->body.member || a->status != DESK_DONE) return 0;
    int said = body_bool(&a->body, "protected", false);
    if (said >= 0 && a->row.protected < 0) a->row.protected = said;
    if (a->row.protected < 0) refuse_protected(a, "ask-protected");
    else if (a->row.protected) refuse_protected(a, "protected");
    else if (said == 0) return desk_set_protected(d, a, 0);
    return 0;
}

/* ---- behind it --------------------------------------------------------------------------- */

static int write_log(struct desk *d, struct act *a)
{
    buf_putc(&a->log, '}');
    if (buf_failed(&a->log)) return buf_error(&a->log);
    const struct desk_change change = {.tenant = a->request->tenant,
                                       .incident = a->row.id,
                                       .now = a->request->now,
                                       .actor = a->request->actor,
                                       .kind = a->request->kind,
                                       .why = a->why,
                                       .body = buf_slice(&a->log),
                                       .once = a->request->once,
                                       .asked = a->request->asked};
    return desk_log(d, &change);
}

static void write_refusal(const struct act *a, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "member", slice_of(a->body.member));
    json_write_member_string(out, "message", slice_of(a->body.message));
    if (a->plain.len) json_write_member_string(out, "sv", a->plain);
    buf_putc(out, '}');
}

static int show(struct desk *d, const struct desk_request *request, uint64_t incident,
                struct slice body, struct buf *out)
{
    const struct desk_view view = {.db = d->db, .tenant = request->tenant, .now = request->now};
    bool found;
    if (incident) return desk_write_incident(&view, incident, out, &found);
    buf_put(out, body);
    return buf_error(out);
}

static int run(struct desk *d, struct act *a, const struct desk_act_kind *kind, struct buf *out)
{
    int error = kind->to == NO_INCIDENT ? 0 : load_incident(d, a, kind);
    if (error == 0) error = check_protected(d, a, kind);
    if (error == 0 && a->status == DESK_DONE && !a->body.member) {
        a->show = a->row.id;
        error = kind->run(d, a);
    }
    if (error == 0) error = body_error(&a->body);
    if (error == 0 && a->body.member && a->status == DESK_DONE) a->status = DESK_INVALID;
    if (error || a->status != DESK_DONE) return error;
    error = write_log(d, a);
    return error ? error : show(d, a->request, a->show, buf_slice(&a->log), out);
}

/* What was done with that key; *ret_incident is the incident it was done to, or 0. */
static int find_done(struct desk *d, const struct desk_request *request, enum desk_status *ret,
                     uint64_t *ret_incident, struct buf *ret_body)
{
    struct db_rows rows = db_select(
        d->db,
        "SELECT c.asked = ?2, coalesce(i.root, 0), c.body FROM change c LEFT JOIN incident i"
        " ON i.id = c.incident WHERE c.once = ?1",
        DB_WITH(db_text(request->once), db_text(request->asked)));
    if (db_next(&rows)) {
        *ret = db_get_number(&rows, 0) ? DESK_AGAIN : DESK_REUSED;
        *ret_incident = (uint64_t)db_get_number(&rows, 1);
        buf_put(ret_body, db_get_text(&rows, 2));
    }
    return db_end(&rows);
}

/* It is told as it is now. *ret stays DESK_DONE when there is nothing to repeat. */
static int repeat(struct desk *d, const struct desk_request *request, struct buf *out,
                  enum desk_status *ret)
{
    struct buf body;
    uint64_t incident = 0;
    *ret = DESK_DONE;
    if (request->once.len == 0) return 0;
    buf_init(&body, 2 * (size_t)DESK_BODY_MAX);
    int error = find_done(d, request, ret, &incident, &body);
    if (error == 0 && *ret == DESK_AGAIN) error = show(d, request, incident, buf_slice(&body), out);
    buf_done(&body);
    if (*ret == DESK_REUSED)
        buf_puts(out, "{\"member\":null,\"message\":\"the key was used for another request\"}");
    return error;
}

int desk_act(struct desk *d, const struct desk_request *request, struct buf *out,
             enum desk_status *ret)
{
    int repeated = repeat(d, request, out, ret);
    if (repeated || *ret != DESK_DONE) return repeated;

    const struct desk_act_kind *kind = find_kind(request->kind);
    struct act a = {.request = request};
    body_init(&a.body, request->body);
    buf_init(&a.log, 2 * (size_t)DESK_BODY_MAX);
    buf_putc(&a.log, '{');
    int error = db_script(d->db, "SAVEPOINT act");
    if (error == 0 && !kind) act_refuse(&a, DESK_UNKNOWN, "kind", "there is no such act");
    if (error == 0 && kind) error = run(d, &a, kind, out);
    if (error == 0 && a.status != DESK_DONE) {
        error = db_script(d->db, "ROLLBACK TO act");
        write_refusal(&a, out);
    }
    if (error == 0) error = db_script(d->db, "RELEASE act");
    *ret = a.status;
    buf_done(&a.log);
    body_done(&a.body);
    return error;
}

/* ---- undoing ----------------------------------------------------------------------------- */

struct undone {
    struct slice kind, body;
    uint64_t incident;
};

/* The change, of the incident or of a part of it. */
static int find_change(struct desk *d, struct act *a, uint64_t number, struct undone *ret)
{
    struct db_rows rows = db_select(d->db,
                                    "SELECT c.kind, c.body, c.incident FROM change c"
                                    " JOIN incident i ON i.id = c.incident"
                                    " WHERE c.number = ?1 AND i.root = ?2",
                                    DB_WITH(db_u64(number), db_u64(a->row.id)));
    if (db_next(&rows)) {
        ret->kind = arena_dup(&a->body.texts, db_get_text(&rows, 0));
        ret->body = arena_dup(&a->body.texts, db_get_text(&rows, 1));
        ret->incident = (uint64_t)db_get_number(&rows, 2);
    }
    int error = db_end(&rows);
    return error ? error : arena_error(&a->body.texts);
}

static int was_undone(struct desk *d, const struct act *a, uint64_t number, int64_t *ret)
{
    *ret = 0;
    return db_get(d->db,
                  "SELECT count(*) FROM change WHERE incident = ?1 AND kind = 'undo'"
                  " AND json_extract(body, '$.change') = ?2",
                  DB_WITH(db_u64(a->row.id), db_u64(number)), ret);
}

int desk_act_undo(struct desk *d, struct act *a)
{
    struct undone change = {0};
    int64_t undone = 0;
    uint64_t number = body_number(&a->body, "change", true);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, false);
    if (!body_end(&a->body)) return 0;
    int error = find_change(d, a, number, &change);
    if (error == 0) error = was_undone(d, a, number, &undone);
    if (error) return error;
    const struct desk_act_kind *kind = find_kind(change.kind);
    if (!change.incident)
        return act_refuse(a, DESK_NOT_FOUND, "change", "the incident has no change %llu",
                          (unsigned long long)number);
    if (!kind || !kind->undo)
        return act_refuse(a, DESK_CONFLICT, "change", "this cannot be undone: %.*s",
                          SLICE_FMT(change.kind));
    if (undone) return act_refuse(a, DESK_CONFLICT, "change", "this was undone already");
    if (change.incident != a->row.id)
        return act_refuse(a, DESK_CONFLICT, "change",
                          "this was done to incident %llu, which is part of this one",
                          (unsigned long long)change.incident);
    json_write_member_u64(&a->log, "change", number);
    json_write_member_string(&a->log, "kind", change.kind);
    return kind->undo(d, a, change.body);
}
