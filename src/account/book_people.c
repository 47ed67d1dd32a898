/* SPDX-License-Identifier: EUPL-1.2 */
/* People, what they may do where, and the codes that take the place of an app. */
#include "account/book_rows.h"
#include "account/rights.h"

#define USER_COLUMNS                                                                               \
    "id, name, shown, password, made, disabled, given, app, next_app, subject, app_last,"          \
    " app_drift, app_near, app_near_at, next_near, next_near_at FROM user"

/* ---- people ------------------------------------------------------------------------------ */

static void read_user(const struct book *b, const struct db_rows *rows, struct book_user *ret)
{
    *ret = (struct book_user){
        .id = (uint64_t)db_get_number(rows, 0),
        .made = db_get_number(rows, 4),
        .disabled = db_get_number(rows, 5),
        .given = db_get_number(rows, 6),
        .app_clock = {.last = db_get_number(rows, 10),
                      .drift = db_get_number(rows, 11),
                      .near = db_get_number(rows, 12),
                      .near_at = db_get_number(rows, 13)},
        .next_clock = {.near = db_get_number(rows, 14), .near_at = db_get_number(rows, 15)}};
    book_copy_text(rows, 1, ret->name, sizeof ret->name);
    book_copy_text(rows, 2, ret->shown, sizeof ret->shown);
    book_copy_text(rows, 3, ret->password, sizeof ret->password);
    book_copy_text(rows, 9, ret->subject, sizeof ret->subject);
    struct slice app = db_get_blob(rows, 7);
    ret->has_app = app.len > 0;
    ret->app_lost = ret->has_app && !strongbox_take(&b->key, app, &ret->app);
    ret->enrolling = strongbox_take(&b->key, db_get_blob(rows, 8), &ret->next_app);
}

static int one_user(const struct book *b, struct db_rows rows, struct book_user *ret)
{
    int error = book_first(&rows);
    if (error) return error;
    read_user(b, &rows, ret);
    return db_end(&rows);
}

int book_find_user(struct book *b, struct slice name, struct book_user *ret)
{
    return one_user(
        b, db_select(b->db, "SELECT " USER_COLUMNS " WHERE name = ?1", DB_WITH(db_text(name))),
        ret);
}

int book_find_subject(struct book *b, struct slice subject, struct book_user *ret)
{
    return one_user(
        b,
        db_select(b->db, "SELECT " USER_COLUMNS " WHERE subject = ?1", DB_WITH(db_text(subject))),
        ret);
}

int book_get_user(struct book *b, uint64_t id, struct book_user *ret)
{
    return one_user(
        b, db_select(b->db, "SELECT " USER_COLUMNS " WHERE id = ?1", DB_WITH(db_u64(id))), ret);
}

struct sealed_app {
    uint8_t bytes[TOTP_SECRET + STRONGBOX_MORE];
};

/* Borrows from *space. */
static struct db_value app_of(const struct book *b, bool any, const struct totp_secret *app,
                              struct sealed_app *space)
{
    if (!any) return (struct db_value){.kind = DB_NOTHING};
    strongbox_put(&b->key, app, space->bytes);
    return db_blob(slice_make(space->bytes, sizeof space->bytes));
}

int book_add_user(struct book *b, const struct book_user *u, uint64_t *ret_id)
{
    return book_insert(b,
                       "INSERT INTO user (name, shown, password, made, disabled, given, subject)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                       DB_WITH(db_text(slice_of(u->name)), db_text(slice_of(u->shown)),
                               db_text(slice_of(u->password)), db_number(u->made),
                               db_number(u->disabled), db_number(u->given),
                               db_text_or_null(slice_of(u->subject))),
                       ret_id);
}

/* An app that is lost stays as it is: its key may come back. */
int book_put_user(struct book *b, const struct book_user *u)
{
    struct sealed_app app, next;
    const struct totp_clock *clock = &u->app_clock;
    bool lost = u->has_app && u->app_lost;
    return book_change(
        b,
        "UPDATE user SET shown = ?2, password = ?3, disabled = ?4, given = ?5,"
        " app = CASE WHEN ?6 THEN app ELSE ?7 END, app_last = ?8, app_drift = ?9, app_near = ?10,"
        " app_near_at = ?11, next_app = ?12, next_near = ?13, next_near_at = ?14 WHERE id = ?1",
        DB_WITH(db_u64(u->id), db_text(slice_of(u->shown)), db_text(slice_of(u->password)),
                db_number(u->disabled), db_number(u->given), db_number(lost),
                app_of(b, u->has_app && !lost, &u->app, &app), db_number(clock->last),
                db_number(clock->drift), db_number(clock->near), db_number(clock->near_at),
                app_of(b, u->enrolling, &u->next_app, &next), db_number(u->next_clock.near),
                db_number(u->next_clock.near_at)));
}

int book_remove_user(struct book *b, uint64_t id)
{
    return book_change(b, "DELETE FROM user WHERE id = ?1", DB_WITH(db_u64(id)));
}

int book_users(struct book *b, bool (*each)(void *ctx, const struct book_user *user), void *ctx)
{
    struct db_rows rows = db_select(b->db, "SELECT " USER_COLUMNS " ORDER BY name", DB_ALONE);
    struct book_user user;
    bool more = true;
    while (more && db_next(&rows)) {
        read_user(b, &rows, &user);
        more = each(ctx, &user);
    }
    return db_end(&rows);
}

static bool count_lost(void *ctx, const struct book_user *user)
{
    *(uint64_t *)ctx += user->has_app && user->app_lost;
    return true;
}

int book_count_lost(struct book *b, uint64_t *ret)
{
    uint64_t n = 0;
    int error = book_users(b, count_lost, &n);
    if (error == 0) *ret = n;
    return error;
}

/* ---- roles ------------------------------------------------------------------------------- */

int book_tenants(struct book *b, uint64_t user,
                 bool (*each)(void *ctx, uint32_t tenant, uint32_t roles), void *ctx)
{
    struct db_rows rows =
        db_select(b->db, "SELECT tenant, role FROM role WHERE user = ?1 ORDER BY tenant",
                  DB_WITH(db_u64(user)));
    uint32_t tenant = 0, roles = 0;
    bool any = false, more = true;
    while (more && db_next(&rows)) {
        uint32_t next = (uint32_t)db_get_number(&rows, 0);
        unsigned role = rights_role_find(db_get_text(&rows, 1));
        if (any && next != tenant) {
            more = each(ctx, tenant, roles);
            roles = 0;
        }
        any = true;
        tenant = next;
        /* One of a later version allows nothing. */
        if (role < ACCOUNT_ROLE_COUNT) roles |= UINT32_C(1) << role;
    }
    int error = db_end(&rows);
    if (error == 0 && any && more) (void)each(ctx, tenant, roles);
    return error;
}

struct wanted {
    uint32_t tenant, roles;
};

static bool take_roles(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct wanted *w = ctx;
    if (tenant == w->tenant) w->roles = roles;
    return tenant < w->tenant;
}

int book_roles(struct book *b, uint64_t user, uint32_t tenant, uint32_t *ret_roles)
{
    struct wanted wanted = {.tenant = tenant};
    int error = book_tenants(b, user, take_roles, &wanted);
    if (error == 0) *ret_roles = wanted.roles;
    return error;
}

int book_grant(struct book *b, uint64_t user, uint32_t tenant, unsigned role)
{
    return db_run(
        b->db, "INSERT OR IGNORE INTO role (user, tenant, role) VALUES (?1, ?2, ?3)",
        DB_WITH(db_u64(user), db_number(tenant), db_text(slice_of(rights_role_name(role)))));
}

int book_revoke(struct book *b, uint64_t user, uint32_t tenant, unsigned role)
{
    return book_change(
        b, "DELETE FROM role WHERE user = ?1 AND tenant = ?2 AND role = ?3",
        DB_WITH(db_u64(user), db_number(tenant), db_text(slice_of(rights_role_name(role)))));
}

static int count(struct db_rows rows, uint64_t *ret)
{
    int error = book_first(&rows);
    if (error) return error;
    *ret = (uint64_t)db_get_number(&rows, 0);
    return db_end(&rows);
}

int book_count_admins(struct book *b, uint32_t tenant, uint64_t *ret)
{
    return count(db_select(b->db,
                           "SELECT count(*) FROM role JOIN user ON user.id = user"
                           " WHERE tenant = ?1 AND role = 'admin' AND disabled = 0",
                           DB_WITH(db_number(tenant))),
                 ret);
}

/* ---- recovery codes ---------------------------------------------------------------------- */

int book_set_recovery(struct book *b, uint64_t user, const struct secret_hash *codes, unsigned n)
{
    int error = db_run(b->db, "DELETE FROM recovery WHERE user = ?1", DB_WITH(db_u64(user)));
    for (unsigned i = 0; i < n && error == 0; i++)
        error = db_run(b->db, "INSERT INTO recovery (user, hash) VALUES (?1, ?2)",
                       DB_WITH(db_u64(user), book_hash(&codes[i])));
    return error;
}

int book_use_recovery(struct book *b, uint64_t user, const struct secret_hash *code)
{
    return book_change(b, "DELETE FROM recovery WHERE user = ?1 AND hash = ?2",
                       DB_WITH(db_u64(user), book_hash(code)));
}

int book_count_recovery(struct book *b, uint64_t user, uint64_t *ret)
{
    return count(
        db_select(b->db, "SELECT count(*) FROM recovery WHERE user = ?1", DB_WITH(db_u64(user))),
        ret);
}
