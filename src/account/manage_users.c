/* SPDX-License-Identifier: EUPL-1.2 */
/* Accounts of others, and their roles. */
#include "account/manage.h"

#include "account/name.h"
#include "account/show.h"
#include "base/json_write.h"
#include "base/utf8.h"

/* ---- passwords --------------------------------------------------------------------------- */

/* Its name is not looked at here: a password is as good whoever it is for. */
int manage_password_job(struct manage *m, struct account_job *job)
{
    struct slice password = manage_text(m, MEMBER_PASSWORD);
    if (!manage_has(m, MEMBER_PASSWORD)) {
        char made_up[RECOVERY_TEXT + 1];
        recovery_make(made_up);
        account_set_password(&job->fresh, slice_of(made_up));
        job->given = true;
        return 0;
    }
    int error = manage_check_fresh(m, "password", password, manage_text(m, MEMBER_NAME));
    if (error) return error;
    account_set_password(&job->fresh, password);
    return 0;
}

/* What somebody else knows is good for a while only; but who sits at this machine may be him. */
static void take_password(struct manage *m, struct book_user *user)
{
    memcpy(user->password, m->hashed->fresh, sizeof user->password);
    user->given = m->job->given || !m->order->local ? m->at.now + GIVEN_FOR : 0;
}

static void tell_password(struct manage *m, const struct book_user *user)
{
    buf_putc(m->out, '{');
    json_write_member_string(m->out, "name", slice_of(user->name));
    if (m->job->given)
        json_write_member_string(m->out, "password",
                                 slice_make(m->job->fresh.text, m->job->fresh.len));
    if (user->given) json_write_member_u64(m->out, "good_until", (uint64_t)user->given);
    buf_putc(m->out, '}');
}

/* ---- to make, change and remove them ----------------------------------------------------- */

static int grant_all(struct manage *m, uint64_t user, uint64_t roles)
{
    int error = 0;
    for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT && error == 0; role++)
        if (roles >> role & 1) error = book_grant(m->account->book, user, m->tenant, role);
    return error;
}

static int log_roles(struct manage *m, const struct book_user *user, uint64_t roles)
{
    struct buf detail;
    buf_init(&detail, 1024);
    buf_putc(&detail, '{');
    json_write_key(&detail, "roles");
    rights_write_roles(&detail, (uint32_t)roles);
    buf_putc(&detail, '}');
    return manage_log_with(m, slice_of(user->name), &detail);
}

/* What it is called, and what people see. */
static int name_user(struct manage *m, struct book_user *user)
{
    struct slice shown = manage_text(m, MEMBER_SHOWN);
    if (!name_read(manage_text(m, MEMBER_NAME), user->name))
        return manage_refuse(m, MANAGE_WRONG, "name",
                             "a name has up to 64 letters and digits of ASCII, and . _ - @");
    if (!utf8_valid(shown) || (shown.len && !slice_copy(shown, user->shown, sizeof user->shown)))
        return manage_refuse(m, MANAGE_WRONG, "shown", "at most 128 bytes of UTF-8 are wanted");
    if (!shown.len) memcpy(user->shown, user->name, sizeof user->name);
    return 0;
}

int manage_user_add(struct manage *m)
{
    struct book_user user = {.made = m->at.now};
    uint64_t roles = manage_number(m, MEMBER_ROLES);
    int error = name_user(m, &user);
    if (error) return error;
    /* Who made it could not see it again. */
    if (!roles && !m->order->local)
        return manage_refuse(m, MANAGE_WRONG, "roles", "an account needs a role");
    take_password(m, &user);
    error = book_add_user(m->account->book, &user, &user.id);
    if (error == ERR_INVALID)
        return manage_refuse(m, MANAGE_CONFLICT, "name", "there is an account of this name");
    if (error == 0) error = grant_all(m, user.id, roles);
    if (error == 0) error = log_roles(m, &user, roles);
    if (error == 0) tell_password(m, &user);
    return error;
}

int manage_user_password(struct manage *m)
{
    struct book_user user;
    int error = manage_find(m, true, &user);
    if (error) return error;
    if (user.subject[0])
        return manage_refuse(m, MANAGE_CONFLICT, "name",
                             "this account logs in by the identity provider");
    take_password(m, &user);
    error = book_put_user(m->account->book, &user);
    if (error == 0) error = book_end_sessions(m->account->book, user.id, 0);
    /* Who had the account before may have made them. */
    if (error == 0) error = book_end_tokens(m->account->book, user.id);
    if (error == 0) error = manage_log(m, slice_of(user.name));
    if (error == 0) throttle_pardon(&m->account->names, slice_of(user.name));
    if (error == 0) tell_password(m, &user);
    return error;
}

/* Where he is an admin before something is done to him; there has to be one behind it. */
struct admin_of {
    uint32_t tenants[64];
    unsigned n;
};

static bool add_admin(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct admin_of *a = ctx;
    if (roles >> ACCOUNT_ROLE_ADMIN & 1) a->tenants[a->n++] = tenant;
    return a->n < sizeof a->tenants / sizeof *a->tenants;
}

static int check_admins(struct manage *m, const struct admin_of *before)
{
    int error = 0;
    uint64_t n = 1;
    for (unsigned i = 0; i < before->n && error == 0 && n > 0; i++)
        error = book_count_admins(m->account->book, before->tenants[i], &n);
    if (error || n > 0) return error;
    return manage_refuse(m, MANAGE_CONFLICT, NULL,
                         "this is the last admin: make another one first");
}

static int able(struct manage *m, bool enabled)
{
    struct book_user user;
    struct admin_of before = {.n = 0};
    struct book *book = m->account->book;
    int error = manage_find(m, true, &user);
    if (error) return error;
    error = user.disabled ? 0 : book_tenants(book, user.id, add_admin, &before);
    user.disabled = enabled ? 0 : m->at.now;
    if (error == 0) error = book_put_user(book, &user);
    if (error == 0) error = book_end_sessions(book, user.id, 0);
    if (error == 0) error = check_admins(m, &before);
    return error ? error : manage_log(m, slice_of(user.name));
}

int manage_user_disable(struct manage *m)
{
    return able(m, false);
}

int manage_user_enable(struct manage *m)
{
    return able(m, true);
}

int manage_user_remove(struct manage *m)
{
    struct book_user user;
    struct admin_of before = {.n = 0};
    struct book *book = m->account->book;
    int error = manage_find(m, true, &user);
    if (error) return error;
    error = user.disabled ? 0 : book_tenants(book, user.id, add_admin, &before);
    if (error == 0) error = book_remove_user(book, user.id);
    if (error == 0) error = check_admins(m, &before);
    return error ? error : manage_log(m, slice_of(user.name));
}

/* The phone is lost, and the codes for that, too. */
int manage_user_totp(struct manage *m)
{
    struct book_user user;
    struct book *book = m->account->book;
    int error = manage_find(m, true, &user);
    if (error) return error;
    user.has_app = user.enrolling = false;
    user.app_clock = (struct totp_clock){0};
    error = book_put_user(book, &user);
    if (error == 0) error = book_set_recovery(book, user.id, NULL, 0);
    if (error == 0) error = book_end_sessions(book, user.id, 0);
    return error ? error : manage_log(m, slice_of(user.name));
}

int manage_user_unlock(struct manage *m)
{
    struct book_user user;
    int error = manage_find(m, true, &user);
    if (error) return error;
    throttle_pardon(&m->account->names, slice_of(user.name));
    return manage_log(m, slice_of(user.name));
}

/* ---- roles ------------------------------------------------------------------------------- */

int manage_role_list(struct manage *m)
{
    show_roles(m->out);
    return 0;
}

int manage_role_grant(struct manage *m)
{
    struct book_user user;
    uint64_t roles = manage_number(m, MEMBER_ROLE);
    int error = manage_find(m, true, &user);
    if (error) return error;
    error = grant_all(m, user.id, roles);
    if (error == 0) error = book_end_sessions(m->account->book, user.id, m->who.session);
    return error ? error : log_roles(m, &user, roles);
}

int manage_role_revoke(struct manage *m)
{
    struct book_user user;
    struct admin_of before = {.n = 0};
    struct book *book = m->account->book;
    uint64_t roles = manage_number(m, MEMBER_ROLE);
    int error = manage_find(m, true, &user);
    if (error) return error;
    error = user.disabled ? 0 : book_tenants(book, user.id, add_admin, &before);
    for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT && error == 0; role++)
        if (roles >> role & 1) error = book_revoke(book, user.id, m->tenant, role);
    if (error == ERR_NOT_FOUND)
        return manage_refuse(m, MANAGE_CONFLICT, "role", "the account does not have this role");
    if (error == 0) error = book_end_sessions(book, user.id, 0);
    if (error == 0) error = check_admins(m, &before);
    return error ? error : log_roles(m, &user, roles);
}

/* ---- to see them ------------------------------------------------------------------------- */

int manage_user_show(struct manage *m)
{
    struct book_user user;
    int error = manage_find(m, false, &user);
    return error ? error : show_user(m->out, m->account->book, &user);
}

static bool add_id(void *ctx, const struct book_user *user)
{
    struct buf *ids = ctx;
    buf_put(ids, slice_make(&user->id, sizeof user->id));
    return !buf_failed(ids);
}

static int show_if_here(struct manage *m, uint64_t id, bool *first)
{
    struct book_user user;
    uint32_t roles = 0;
    int error = book_get_user(m->account->book, id, &user);
    if (error == 0 && !m->order->local) error = book_roles(m->account->book, id, m->tenant, &roles);
    if (error || (!m->order->local && !roles)) return error;
    if (!*first) buf_putc(m->out, ',');
    *first = false;
    return show_user(m->out, m->account->book, &user);
}

int manage_user_list(struct manage *m)
{
    struct buf ids;
    bool first = true;
    buf_init(&ids, 1024 * 1024);
    int error = book_users(m->account->book, add_id, &ids);
    if (error == 0) error = buf_error(&ids);
    buf_puts(m->out, "{\"users\":[");
    for (size_t at = 0; at < ids.len && error == 0; at += sizeof(uint64_t)) {
        uint64_t id;
        memcpy(&id, ids.ptr + at, sizeof id);
        error = show_if_here(m, id, &first);
    }
    buf_puts(m->out, "]}");
    buf_done(&ids);
    return error;
}
