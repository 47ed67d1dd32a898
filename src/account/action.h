/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What can be done to accounts, by the command line (whose user the kernel vouches for) or by a
 * front that hands on the secret of who asks: the body is one JSON object, the answer a status as
 * HTTP has them and one JSON object; when the status is 400 or above it has the member "detail",
 * and "member" when one of the body is wrong.
 */
#ifndef VAKA_ACCOUNT_ACTION_H
#define VAKA_ACCOUNT_ACTION_H

#include "account/rights.h"

/*
 * id, name, the right it needs (in the tenant it is about; OWN: none, it is about who asks), the
 * members of its body, which body.h has; those with ? may be left out. Every body may have
 * "reason", which the log keeps. In the answers times are seconds since 1970, secrets are there
 * once.
 *
 * The number of a line is what goes over channels: new ones at the end.
 */
#define ACCOUNT_ACTIONS(X)                                                                         \
    X(USER_ADD, "user.add", USERS_MANAGE, "name shown? password? roles? tenant?")                  \
    X(USER_LIST, "user.list", USERS_READ, "")                                                      \
    X(USER_SHOW, "user.show", USERS_READ, "name")                                                  \
    X(USER_DISABLE, "user.disable", USERS_MANAGE, "name")                                          \
    X(USER_ENABLE, "user.enable", USERS_MANAGE, "name")                                            \
    X(USER_REMOVE, "user.remove", USERS_MANAGE, "name")                                            \
    X(USER_PASSWORD, "user.password", USERS_MANAGE, "name password?")                              \
    X(USER_TOTP, "user.totp", USERS_MANAGE, "name")                                                \
    X(USER_UNLOCK, "user.unlock", USERS_MANAGE, "name")                                            \
    X(ROLE_LIST, "role.list", USERS_READ, "")                                                      \
    X(ROLE_GRANT, "role.grant", USERS_MANAGE, "name role tenant?")                                 \
    X(ROLE_REVOKE, "role.revoke", USERS_MANAGE, "name role tenant?")                               \
    X(TOKEN_ADD, "token.add", TOKENS_MANAGE, "name label rights expires tenant?")                  \
    X(TOKEN_LIST, "token.list", USERS_READ, "name?")                                               \
    X(TOKEN_REVOKE, "token.revoke", TOKENS_MANAGE, "id")                                           \
    X(SESSION_LIST, "session.list", USERS_READ, "name?")                                           \
    X(SESSION_END, "session.end", USERS_MANAGE, "id")                                              \
    X(LOG_LIST, "log.list", AUDIT_READ, "after? limit? name?")                                     \
    X(OWN_SHOW, "own.show", OWN, "")                                                               \
    X(OWN_PASSWORD, "own.password", OWN, "password new")                                           \
    X(OWN_TOTP_BEGIN, "own.totp.begin", OWN, "password")                                           \
    X(OWN_TOTP_END, "own.totp.end", OWN, "code")                                                   \
    X(OWN_LOGOUT, "own.logout", OWN, "")                                                           \
    X(OWN_TOKEN_ADD, "own.token.add", OWN, "label rights expires tenant?")                         \
    X(OWN_TOKEN_LIST, "own.token.list", OWN, "")                                                   \
    X(OWN_TOKEN_REVOKE, "own.token.revoke", OWN, "id")                                             \
    X(OWN_SESSION_LIST, "own.session.list", OWN, "")                                               \
    X(OWN_SESSION_END, "own.session.end", OWN, "id password? code?")                               \
    X(PSEUDONYM_LIFT, "pseudonym.lift", PSEUDONYMS_LIFT, "pseudonym reason minutes? tenant?")      \
    X(OWN_SESSIONS_END, "own.sessions.end", OWN, "password? code?")

enum account_action {
#define X(id, name, right, members) ACTION_##id,
    ACCOUNT_ACTIONS(X)
#undef X
        ACTION_COUNT,
};

enum { RIGHT_OWN = RIGHT_COUNT };

const char *action_name(enum account_action action);
/* RIGHT_OWN: none. */
unsigned action_right(enum account_action action);
/* The members of its body, as above. */
const char *action_members(enum account_action action);
/* ACTION_COUNT: there is none of that name. */
enum account_action action_find(struct slice name);

#endif
