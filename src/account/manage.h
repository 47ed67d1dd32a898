/* SPDX-License-Identifier: EUPL-1.2 */
/* An action while it is done: who wants it, with what, and the answer. Of manage*.c. */
#ifndef VAKA_ACCOUNT_MANAGE_H
#define VAKA_ACCOUNT_MANAGE_H

#include "account/account.h"

/* As HTTP has them (RFC 9110, 15; RFC 6585). */
enum {
    MANAGE_DONE = 200,
    MANAGE_WRONG = 400,
    MANAGE_UNPROVED = 401,
    MANAGE_FORBIDDEN = 403,
    MANAGE_UNKNOWN = 404,
    MANAGE_CONFLICT = 409,
    MANAGE_TOO_MANY = 429,
    MANAGE_BROKEN = 500,
    MANAGE_BUSY = 503,
};

struct manage {
    struct account *account;
    const struct account_order *order;
    struct account_moment at;
    enum account_action action;
    struct account_principal who; /* with all rights, and no user, when it is local */
    char actor[ACCOUNT_NAME_MAX + 1];
    uint32_t tenant;               /* it is about */
    const struct account_job *job; /* in the second part */
    const struct account_hashed *hashed;
    struct buf *out;
    bool kept; /* what was written stays, although it was refused */
};

/* Those that do it give 0, an error of the book, or a status from 400 on; the body is written
 * then. manage_refuse() writes it; `member` may be NULL. */
int manage_refuse(struct manage *m, unsigned status, const char *member, const char *detail);

/* Refuses a password that nobody may have: 0, or what manage_refuse() gives. `name`: whose it is to
 * be, where that is known. */
int manage_check_fresh(struct manage *m, const char *member, struct slice fresh,
                       struct slice name) MUST_USE;

/* A line of the log about this action. */
int manage_log(struct manage *m, struct slice subject) MUST_USE;
/* The same with a JSON object, which is given back. */
int manage_log_with(struct manage *m, struct slice subject, struct buf *detail) MUST_USE;

/* Whom `name` of the body means, if the one who asks may know him: who has no role in a tenant of
 * his does not exist. `change`: and if he may change him: with every role that he has. */
int manage_find(struct manage *m, bool change, struct book_user *ret) MUST_USE;

static inline struct slice manage_text(const struct manage *m, enum body_member member)
{
    return body_text(&m->account->body, member);
}
static inline bool manage_has(const struct manage *m, enum body_member member)
{
    return body_has(&m->account->body, member);
}
static inline uint64_t manage_number(const struct manage *m, enum body_member member)
{
    return m->account->body.values[member].number;
}

/* ---- what can be done; those with _job are the first part ---- */

int manage_password_job(struct manage *m, struct account_job *job);
int manage_user_add(struct manage *m);
int manage_user_list(struct manage *m);
int manage_user_show(struct manage *m);
int manage_user_disable(struct manage *m);
int manage_user_enable(struct manage *m);
int manage_user_remove(struct manage *m);
int manage_user_password(struct manage *m);
int manage_user_totp(struct manage *m);
int manage_user_unlock(struct manage *m);
int manage_role_list(struct manage *m);
int manage_role_grant(struct manage *m);
int manage_role_revoke(struct manage *m);
int manage_token_add(struct manage *m);
int manage_token_list(struct manage *m);
int manage_token_revoke(struct manage *m);
int manage_session_list(struct manage *m);
int manage_session_end(struct manage *m);
int manage_log_list(struct manage *m);

/* Of what is asked for with a factor shown again: the password, a code of the app, or with an
 * account of the identity provider that the session has only begun. */
int manage_own_job(struct manage *m, struct account_job *job);
/* Whether it was right, before the action and in a transaction of its own: a code is used, and
 * what was wrong is in the log, whatever becomes of the rest. */
int manage_own_check(struct manage *m);
int manage_own_show(struct manage *m);
int manage_own_password(struct manage *m);
int manage_own_totp_begin(struct manage *m);
int manage_own_totp_end(struct manage *m);
int manage_own_logout(struct manage *m);
int manage_own_token_add(struct manage *m);
int manage_own_token_list(struct manage *m);
int manage_own_token_revoke(struct manage *m);
int manage_own_session_list(struct manage *m);
int manage_own_session_end(struct manage *m);
int manage_own_sessions_end(struct manage *m);

int manage_pseudonym_lift(struct manage *m);

#endif
