/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/manage.h"

#include <sodium.h>

#include "account/name.h"
#include "account/stolen.h"
#include "base/json_write.h"

static const struct {
    int (*job)(struct manage *m, struct account_job *job); /* NULL: there is none */
    int (*run)(struct manage *m);
} doings[ACTION_COUNT] = {
    [ACTION_USER_ADD] = {manage_password_job, manage_user_add},
    [ACTION_USER_LIST] = {NULL, manage_user_list},
    [ACTION_USER_SHOW] = {NULL, manage_user_show},
    [ACTION_USER_DISABLE] = {NULL, manage_user_disable},
    [ACTION_USER_ENABLE] = {NULL, manage_user_enable},
    [ACTION_USER_REMOVE] = {NULL, manage_user_remove},
    [ACTION_USER_PASSWORD] = {manage_password_job, manage_user_password},
    [ACTION_USER_TOTP] = {NULL, manage_user_totp},
    [ACTION_USER_UNLOCK] = {NULL, manage_user_unlock},
    [ACTION_ROLE_LIST] = {NULL, manage_role_list},
    [ACTION_ROLE_GRANT] = {NULL, manage_role_grant},
    [ACTION_ROLE_REVOKE] = {NULL, manage_role_revoke},
    [ACTION_TOKEN_ADD] = {NULL, manage_token_add},
    [ACTION_TOKEN_LIST] = {NULL, manage_token_list},
    [ACTION_TOKEN_REVOKE] = {NULL, manage_token_revoke},
    [ACTION_SESSION_LIST] = {NULL, manage_session_list},
    [ACTION_SESSION_END] = {NULL, manage_session_end},
    [ACTION_LOG_LIST] = {NULL, manage_log_list},
    [ACTION_OWN_SHOW] = {NULL, manage_own_show},
    [ACTION_OWN_PASSWORD] = {manage_own_job, manage_own_password},
    [ACTION_OWN_TOTP_BEGIN] = {manage_own_job, manage_own_totp_begin},
    [ACTION_OWN_TOTP_END] = {NULL, manage_own_totp_end},
    [ACTION_OWN_LOGOUT] = {NULL, manage_own_logout},
    [ACTION_OWN_TOKEN_ADD] = {NULL, manage_own_token_add},
    [ACTION_OWN_TOKEN_LIST] = {NULL, manage_own_token_list},
    [ACTION_OWN_TOKEN_REVOKE] = {NULL, manage_own_token_revoke},
    [ACTION_OWN_SESSION_LIST] = {NULL, manage_own_session_list},
    [ACTION_OWN_SESSION_END] = {manage_own_job, manage_own_session_end},
    [ACTION_PSEUDONYM_LIFT] = {NULL, manage_pseudonym_lift},
    [ACTION_OWN_SESSIONS_END] = {manage_own_job, manage_own_sessions_end},
};

int manage_refuse(struct manage *m, unsigned status, const char *member, const char *detail)
{
    buf_clear(m->out);
    buf_putc(m->out, '{');
    json_write_member_string(m->out, "detail", slice_of(detail));
    if (member) json_write_member_string(m->out, "member", slice_of(member));
    buf_putc(m->out, '}');
    return (int)status;
}

int manage_check_fresh(struct manage *m, const char *member, struct slice fresh, struct slice name)
{
    const struct account_settings *settings = &m->account->settings;
    const char *why;
    bool stolen = false;
    if (password_check(fresh, name, &why) != 0) return manage_refuse(m, MANAGE_WRONG, member, why);
    if (settings->refuses_stolen && stolen_has(settings->stolen, fresh, &stolen) != 0)
        return manage_refuse(m, MANAGE_BUSY, member, "the list of stolen passwords cannot be read");
    return stolen
               ? manage_refuse(m, MANAGE_WRONG, member,
                               "this one was stolen somewhere: it is on a list that attackers have")
               : 0;
}

static int log_entry(struct manage *m, struct slice subject, struct slice detail)
{
    return book_log(m->account->book,
                    &(struct book_entry){.time = m->at.now,
                                         .tenant = m->tenant,
                                         .actor = slice_of(m->actor),
                                         .what = slice_of(action_name(m->action)),
                                         .subject = subject,
                                         .address = slice_until(m->order->address, ADDRESS_MAX),
                                         .reason = manage_text(m, MEMBER_REASON),
                                         .detail = detail});
}

int manage_log(struct manage *m, struct slice subject)
{
    return log_entry(m, subject, SLICE_NONE);
}

int manage_log_with(struct manage *m, struct slice subject, struct buf *detail)
{
    int error = buf_error(detail);
    if (error == 0) error = log_entry(m, subject, buf_slice(detail));
    buf_done(detail);
    return error;
}

/* ---- whom it is about -------------------------------------------------------------------- */

enum { TENANTS_MAX = 64 };

struct tenants {
    uint32_t list[TENANTS_MAX];
    unsigned n;
};

static bool add_tenant(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct tenants *t = ctx;
    (void)roles;
    t->list[t->n++] = tenant;
    return t->n < TENANTS_MAX;
}

/* Of the tenants where he has a role: whether the right is had in this one, and in all of them. Who
 * has roles in more than can be looked at is out of reach. */
static int find_reach(struct manage *m, const struct book_user *user, bool *ret_here, bool *ret_all)
{
    struct tenants tenants = {.n = 0};
    uint64_t right = right_bit(action_right(m->action));
    int error = book_tenants(m->account->book, user->id, add_tenant, &tenants);
    *ret_here = false;
    *ret_all = tenants.n < TENANTS_MAX;
    for (unsigned i = 0; i < tenants.n && error == 0; i++) {
        uint32_t roles = 0;
        error = book_roles(m->account->book, m->who.user, tenants.list[i], &roles);
        bool has = (rights_of_roles(roles) & right) != 0;
        *ret_here |= has && tenants.list[i] == m->tenant;
        *ret_all &= has;
    }
    return error;
}

int manage_find(struct manage *m, bool change, struct book_user *ret)
{
    char name[ACCOUNT_NAME_MAX + 1];
    bool here, all;
    int error = name_read(manage_text(m, MEMBER_NAME), name)
                    ? book_find_user(m->account->book, slice_of(name), ret)
                    : ERR_NOT_FOUND;
    if (error == ERR_NOT_FOUND)
        return manage_refuse(m, MANAGE_UNKNOWN, "name", "there is no such account");
    if (error || m->order->local) return error;
    error = find_reach(m, ret, &here, &all);
    if (error) return error;
    if (!here) return manage_refuse(m, MANAGE_UNKNOWN, "name", "there is no such account");
    if (!change || all) return 0;
    return manage_refuse(m, MANAGE_FORBIDDEN, "name",
                         "the account has roles where you do not manage accounts");
}

/* ---- who wants it ------------------------------------------------------------------------ */

static int know_local(struct manage *m)
{
    m->who = (struct account_principal){.status = PRINCIPAL_KNOWN, .rights = UINT64_MAX};
    (void)snprintf(m->actor, sizeof m->actor, "uid %u", m->order->uid);
    if (action_right(m->action) != RIGHT_OWN) return 0;
    return manage_refuse(m, MANAGE_WRONG, NULL, "this is for who is logged in");
}

static int know_remote(struct manage *m)
{
    account_prove(m->account, m->order->proof, m->order->tenant, m->at.now, &m->who);
    if (m->who.status == PRINCIPAL_BROKEN) return ERR_IO;
    if (m->who.status != PRINCIPAL_KNOWN)
        return manage_refuse(m, MANAGE_UNPROVED, NULL, "the session or token is not good any more");
    memcpy(m->actor, m->who.name, sizeof m->actor);
    m->tenant = m->who.tenant;
    /* A stolen token must not become an account, or another token. */
    if (m->who.token && action_right(m->action) == RIGHT_OWN && m->action != ACTION_OWN_SHOW)
        return manage_refuse(m, MANAGE_FORBIDDEN, NULL, "a token cannot do this, a session can");
    return 0;
}

static int check_right(struct manage *m)
{
    unsigned right = action_right(m->action);
    uint64_t tenant = manage_number(m, MEMBER_TENANT);
    if (manage_has(m, MEMBER_TENANT)) {
        if (tenant >= TENANT_ANY)
            return manage_refuse(m, MANAGE_WRONG, "tenant", "there is no such tenant");
        if (!m->order->local && right != RIGHT_OWN && tenant != m->tenant)
            return manage_refuse(m, MANAGE_FORBIDDEN, "tenant",
                                 "what is asked for is about another tenant than you are in");
        m->tenant = (uint32_t)tenant;
    }
    if (right == RIGHT_OWN || (m->who.rights & right_bit(right))) return 0;
    return manage_refuse(m, MANAGE_FORBIDDEN, NULL, "you do not have the right to do this");
}

static int read_order(struct manage *m)
{
    struct slice member;
    const char *why;
    char name[64];
    int error = body_read(&m->account->body, m->action, m->order->body, &member, &why);
    if (error == 0) return 0;
    bool named = slice_copy(member, name, sizeof name);
    return manage_refuse(m, MANAGE_WRONG, named ? name : NULL, why);
}

/* 0, or what stands against it. */
static int enter(struct manage *m, struct account *a, const struct account_order *order,
                 struct account_moment at, struct buf *out)
{
    *m = (struct manage){.account = a, .order = order, .at = at, .out = out};
    buf_clear(out);
    if (order->action >= ACTION_COUNT)
        return manage_refuse(m, MANAGE_UNKNOWN, NULL, "this version knows no such action");
    m->action = order->action;
    if (order->local && order->tenant != TENANT_ANY) m->tenant = order->tenant;
    int error = order->local ? know_local(m) : know_remote(m);
    if (error == 0) error = read_order(m);
    return error ? error : check_right(m);
}

/* ---- the two parts ----------------------------------------------------------------------- */

static unsigned conclude(struct manage *m, int result)
{
    if (result == 0) {
        if (m->out->len == 0) buf_puts(m->out, "{}");
        if (!buf_failed(m->out)) return MANAGE_DONE;
        return (unsigned)manage_refuse(m, MANAGE_BROKEN, NULL, "the answer is too long");
    }
    if (result > 0) return (unsigned)result;
    return (unsigned)manage_refuse(m, MANAGE_BROKEN, NULL,
                                   result == ERR_LIMIT ? "the disk is full"
                                                       : "the database cannot be read or written");
}

static unsigned run(struct manage *m)
{
    struct book *book = m->account->book;
    int result = book_begin(book);
    if (result == 0) result = doings[m->action].run(m);
    bool keeps = result == 0 || (result > 0 && m->kept);
    int error = keeps ? book_commit(book) : 0;
    if (error || !keeps) book_rollback(book);
    return conclude(m, error ? error : result);
}

bool account_manage_begin(struct account *a, const struct account_order *order,
                          struct account_moment at, struct account_job *ret_job,
                          unsigned *ret_status, struct buf *out)
{
    struct manage m;
    sodium_memzero(ret_job, sizeof *ret_job);
    int result = enter(&m, a, order, at, out);
    bool job = result == 0 && doings[m.action].job;
    if (job) result = doings[m.action].job(&m, ret_job);
    bool waits = job && result == 0;
    if (!waits) *ret_status = result ? conclude(&m, result) : run(&m);
    body_clear(&a->body);
    return waits;
}

void account_manage_end(struct account *a, const struct account_order *order,
                        struct account_moment at, const struct account_job *job,
                        const struct account_hashed *hashed, unsigned *ret_status, struct buf *out)
{
    struct manage m;
    int result = enter(&m, a, order, at, out);
    m.job = job;
    m.hashed = hashed;
    if (result == 0 && action_right(m.action) == RIGHT_OWN) result = manage_own_check(&m);
    if (result == 0 && hashed->failed)
        result = manage_refuse(&m, MANAGE_BUSY, NULL,
                               "too many passwords wait to be hashed, or there is no memory");
    *ret_status = result ? conclude(&m, result) : run(&m);
    body_clear(&a->body);
}
