/* SPDX-License-Identifier: EUPL-1.2 */
/* The bodies of actions: one JSON object with the members that action.h allows, read into values.
 */
#ifndef VAKA_ACCOUNT_BODY_H
#define VAKA_ACCOUNT_BODY_H

#include "account/action.h"

enum { BODY_TEXT_MAX = 1024 }; /* bytes of any text */

/* id, name, what it is; roles and rights are arrays of names, or one of them. */
#define BODY_MEMBERS(X)                                                                            \
    X(NAME, "name", TEXT)                                                                          \
    X(SHOWN, "shown", TEXT)                                                                        \
    X(PASSWORD, "password", TEXT)                                                                  \
    X(NEW, "new", TEXT)                                                                            \
    X(CODE, "code", TEXT)                                                                          \
    X(LABEL, "label", TEXT)                                                                        \
    X(PSEUDONYM, "pseudonym", TEXT)                                                                \
    X(REASON, "reason", TEXT)                                                                      \
    X(ROLE, "role", ROLES)                                                                         \
    X(ROLES, "roles", ROLES)                                                                       \
    X(RIGHTS, "rights", RIGHTS)                                                                    \
    X(TENANT, "tenant", NUMBER)                                                                    \
    X(ID, "id", NUMBER)                                                                            \
    X(AFTER, "after", NUMBER)                                                                      \
    X(LIMIT, "limit", NUMBER)                                                                      \
    X(EXPIRES, "expires", NUMBER)                                                                  \
    X(MINUTES, "minutes", NUMBER)

enum body_member {
#define X(id, name, kind) MEMBER_##id,
    BODY_MEMBERS(X)
#undef X
        MEMBER_COUNT,
};

struct body {
    struct body_value {
        bool given;
        uint64_t number; /* of roles and rights their bits */
        size_t len;
        char text[BODY_TEXT_MAX];
    } values[MEMBER_COUNT];
};

/*
 * ERR_INVALID: it is no object, a member is unknown to the action, there twice, missing or not what
 * it has to be; *ret_member is its name (of the body when unknown: borrowed), empty when it is all
 * of it, *ret_why a constant sentence.
 */
int body_read(struct body *b, enum account_action action, struct slice text,
              struct slice *ret_member, const char **ret_why) MUST_USE;
/* Overwrites what it had, passwords among that. */
void body_clear(struct body *b);

const char *body_member_name(enum body_member member);
static inline struct slice body_text(const struct body *b, enum body_member member)
{
    return (struct slice){b->values[member].text, b->values[member].len};
}
static inline bool body_has(const struct body *b, enum body_member member)
{
    return b->values[member].given;
}

#endif
