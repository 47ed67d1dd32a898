/* SPDX-License-Identifier: EUPL-1.2 */
/* What belongs to the city, in the database and in memory. */
#include "base/ip.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "desk/internal.h"

static struct asset asset_of(const struct db_rows *rows)
{
    return (struct asset){.host = db_get_text(rows, 0),
                          .addresses = db_get_text(rows, 1),
                          .importance = (enum asset_importance)db_get_number(rows, 2),
                          .shared = db_get_number(rows, 3) != 0};
}

int desk_load_assets(struct desk *d)
{
    int error = 0;
    struct db_rows rows = db_select(
        d->db, "SELECT host, addresses, importance, shared FROM asset WHERE tenant = 0 ORDER BY id",
        DB_ALONE);
    assets_clear(d->assets);
    while (error == 0 && db_next(&rows)) {
        const struct asset asset = asset_of(&rows);
        error = assets_add(d->assets, &asset);
    }
    int ended = db_end(&rows);
    return error ? error : ended;
}

/* ---- putting them there ------------------------------------------------------------------- */

struct putting {
    struct desk *d;
    struct act *act;
    struct buf text;
    uint64_t n, number; /* number: that those which are put now have */
};

/* Each name leads to one asset: the last that has it. */
static int put_names(struct putting *p, const struct asset_name *names, uint32_t n, uint64_t id)
{
    int error = db_run(p->d->db, "DELETE FROM asset_name WHERE asset = ?1", DB_WITH(db_u64(id)));
    for (uint32_t i = 0; i < n && error == 0; i++)
        error =
            db_run(p->d->db,
                   "INSERT INTO asset_name (tenant, name, asset) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (tenant, name) DO UPDATE SET asset = ?3",
                   DB_WITH(db_number(p->act->request->tenant), db_text(names[i].text), db_u64(id)));
    return error;
}

static int put_asset(struct putting *p, const struct asset *a)
{
    struct asset_name names[ASSET_NAMES_MAX];
    int64_t id = 0;
    buf_clear(&p->text);
    uint32_t n = asset_names(a, &p->text, names);
    if (buf_failed(&p->text)) return buf_error(&p->text);
    if (n == 0)
        return act_refuse(p->act, DESK_INVALID, "assets",
                          "asset %llu has no name that says who it is", (unsigned long long)p->n);
    int error =
        db_get(p->d->db,
               "INSERT INTO asset (tenant, name, host, addresses, service, owner,"
               " importance, shared, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
               " ON CONFLICT (tenant, name) DO UPDATE SET host = ?3, addresses = ?4,"
               " service = ?5, owner = ?6, importance = ?7, shared = ?8, changed = ?9"
               " RETURNING id",
               DB_WITH(db_number(p->act->request->tenant), db_text(names[0].text), db_text(a->host),
                       db_text(a->addresses), db_text(a->service), db_text(a->owner),
                       db_number(a->importance), db_number(a->shared), db_u64(p->number)),
               &id);
    return error ? error : put_names(p, names, n, (uint64_t)id);
}

/* One blank between addresses, which are such. */
static struct slice read_addresses(struct body *b)
{
    struct slice rest = body_text(b, "addresses", ASSET_CELL_MAX, false), word;
    buf_clear(&b->text);
    while ((word = slice_next_word(&rest)).len > 0) {
        if (!ip_is(word)) body_wrong(b, "addresses", "there is something that is no address");
        if (b->text.len) buf_putc(&b->text, ' ');
        buf_put(&b->text, word);
    }
    return b->member ? SLICE_NONE : arena_dup(&b->texts, buf_slice(&b->text));
}

/* What is wrong with one of them is said with its number in the list. */
static int read_and_put(struct putting *p, struct slice object)
{
    struct body b;
    body_init(&b, object);
    struct asset asset = {.host = body_text(&b, "host", ASSET_CELL_MAX, false),
                          .addresses = read_addresses(&b),
                          .service = body_text(&b, "service", ASSET_CELL_MAX, false),
                          .owner = body_text(&b, "owner", ASSET_CELL_MAX, false),
                          .importance = ASSET_NORMAL};
    struct slice importance = body_text(&b, "importance", DESK_WORD_MAX, false);
    asset.shared = body_bool(&b, "shared", false) == 1;
    if (!b.member && importance.len && !asset_importance_parse(importance, &asset.importance))
        body_wrong(&b, "importance", "this is none of low, normal, high, critical");
    p->n++;
    bool good = body_end(&b);
    int error = body_error(&b);
    if (error == 0 && good) error = put_asset(p, &asset);
    else if (error == 0)
        act_refuse(p->act, DESK_INVALID, "assets", "asset %llu: %s: %s", (unsigned long long)p->n,
                   b.member, b.message);
    body_done(&b);
    return error;
}

static int remove_others(struct desk *d, const struct act *a, uint64_t number, uint64_t *ret)
{
    const struct db_value values[] = {db_number(a->request->tenant), db_u64(number)};
    int error = db_run(d->db,
                       "DELETE FROM asset_name WHERE asset IN (SELECT id FROM asset"
                       " WHERE tenant = ?1 AND changed != ?2)",
                       values, 2);
    if (error == 0)
        error = db_run(d->db, "DELETE FROM asset WHERE tenant = ?1 AND changed != ?2", values, 2);
    *ret = error ? 0 : db_changed(d->db);
    return error;
}

/* Those that matter most, by what is known now. */
static int judge_open(struct desk *d, const struct act *a)
{
    uint64_t ids[DESK_JUDGED_MAX];
    size_t n = 0;
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id FROM incident WHERE tenant = ?1 AND open = 1"
                  " ORDER BY score DESC, id DESC LIMIT ?2",
                  DB_WITH(db_number(a->request->tenant), db_number(DESK_JUDGED_MAX)));
    while (n < DESK_JUDGED_MAX && db_next(&rows)) ids[n++] = (uint64_t)db_get_number(&rows, 0);
    int error = db_end(&rows);
    for (size_t i = 0; i < n && error == 0; i++) {
        error = desk_row_judge(d, ids[i]);
        if (error == 0)
            error = db_run(d->db, "UPDATE incident SET changed = ?2 WHERE id = ?1",
                           DB_WITH(db_u64(ids[i]), db_u64(++d->number)));
    }
    return error;
}

int desk_act_assets(struct desk *d, struct act *a)
{
    struct putting p = {.d = d, .act = a, .number = ++d->number};
    struct slice list = body_list(&a->body, "assets"), name, object;
    bool replace = body_bool(&a->body, "replace", false) == 1;
    uint64_t removed = 0;
    struct json_parts it;
    int error = 0;
    if (!body_end(&a->body)) return 0;
    buf_init(&p.text, ASSET_NAMES_MAX * 4 * ASSET_CELL_MAX);
    json_parts_init(&it, list);
    while (error == 0 && a->status == DESK_DONE && json_parts_next(&it, &name, &object))
        error = p.n == ASSETS_MAX
                    ? act_refuse(a, DESK_INVALID, "assets", "these are more than %d", ASSETS_MAX)
                    : read_and_put(&p, object);
    buf_done(&p.text);
    if (error || a->status != DESK_DONE) return error;
    if (replace) error = remove_others(d, a, p.number, &removed);
    if (error == 0) error = desk_load_assets(d);
    if (error == 0) error = judge_open(d, a);
    json_write_member_u64(&a->log, "assets", p.n);
    json_write_member_u64(&a->log, "removed", removed);
    return error;
}
