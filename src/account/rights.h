/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may do what: the permission matrix. What is not in this table cannot be allowed, and nothing
 * is allowed otherwise: a front asks for a right by its name here, and a role is a column.
 */
#ifndef VAKA_ACCOUNT_RIGHTS_H
#define VAKA_ACCOUNT_RIGHTS_H

#include "base/buf.h"

/* id, name, what it is for; in the order of the columns below. */
#define ACCOUNT_ROLES(X)                                                                           \
    X(VIEWER, "viewer", "sees what was found")                                                     \
    X(ANALYST, "analyst", "works on incidents, searches, writes rules")                            \
    X(RESPONDER, "responder", "works on incidents, searches, stops attacks")                       \
    X(ONCALL, "on-call", "is woken, and works on what woke him")                                   \
    X(ADMIN, "admin", "accounts, settings and assets; reads no records")                           \
    X(AUDITOR, "auditor", "sees who did what, and changes nothing")

/*
 * id, name, viewer, analyst, responder, on-call, admin, auditor, what it allows. Added at the end:
 * its place is its bit, and tokens keep their bits.
 */
#define ACCOUNT_RIGHTS(X)                                                                          \
    X(ALERTS_READ, "alerts.read", 1, 1, 1, 1, 0, 1, "see alerts")                                  \
    X(INCIDENTS_READ, "incidents.read", 1, 1, 1, 1, 0, 1, "see incidents")                         \
    X(INCIDENTS_WRITE, "incidents.write", 0, 1, 1, 1, 0, 0, "work on incidents")                   \
    X(RESPOND, "respond", 0, 0, 1, 0, 0, 0, "act against an attack")                               \
    X(SEARCH, "search", 0, 1, 1, 1, 0, 0, "search and read the records")                           \
    X(EXPORT, "export", 0, 1, 1, 0, 0, 0, "take records and evidence out")                         \
    X(RULES_READ, "rules.read", 1, 1, 1, 1, 1, 1, "see rules and indicators")                      \
    X(RULES_WRITE, "rules.write", 0, 1, 0, 0, 0, 0, "change rules, exceptions, indicators")        \
    X(ASSETS_READ, "assets.read", 1, 1, 1, 1, 1, 1, "see assets and services")                     \
    X(ASSETS_WRITE, "assets.write", 0, 1, 0, 0, 1, 0, "change assets and services")                \
    X(STATUS_READ, "status.read", 1, 1, 1, 1, 1, 1, "see how Vaka and its sources are")            \
    X(HOLDS_WRITE, "holds.write", 0, 0, 1, 0, 1, 0, "keep records longer")                         \
    X(USERS_READ, "users.read", 0, 0, 0, 0, 1, 1, "see accounts, roles and tokens")                \
    X(USERS_MANAGE, "users.manage", 0, 0, 0, 0, 1, 0, "change accounts and roles")                 \
    X(TOKENS_MANAGE, "tokens.manage", 0, 0, 0, 0, 1, 0, "make and end tokens of others")           \
    X(AUDIT_READ, "audit.read", 0, 0, 0, 0, 0, 1, "see who looked and who changed")                \
    X(CONFIG_READ, "config.read", 0, 0, 0, 0, 1, 1, "see settings")                                \
    X(CONFIG_WRITE, "config.write", 0, 0, 0, 0, 1, 0, "change settings, reload")                   \
    X(PSEUDONYMS_LIFT, "pseudonyms.lift", 0, 0, 1, 1, 0, 0, "see who a pseudonym is, with reason") \
    X(ONCALL_READ, "oncall.read", 1, 1, 1, 1, 1, 1, "see who is on call, and pages")               \
    X(ONCALL_WRITE, "oncall.write", 0, 1, 1, 1, 1, 0, "change shifts, answer pages")               \
    X(DRILLS_RUN, "drills.run", 0, 0, 1, 0, 1, 0, "begin and end drills, which page people")

enum account_role {
#define X(id, name, what) ACCOUNT_ROLE_##id,
    ACCOUNT_ROLES(X)
#undef X
        ACCOUNT_ROLE_COUNT,
};

enum account_right {
#define X(id, name, v, a, r, o, m, u, what) RIGHT_##id,
    ACCOUNT_RIGHTS(X)
#undef X
        RIGHT_COUNT,
};
_Static_assert(RIGHT_COUNT <= 63, "rights are bits of one number that is kept in a signed column");

/* The bit of a right in a set of them. */
static inline uint64_t right_bit(enum account_right right)
{
    return UINT64_C(1) << right;
}

const char *right_name(enum account_right right);
const char *right_text(enum account_right right); /* what it allows */
/* RIGHT_COUNT: there is none of that name. */
enum account_right right_find(struct slice name);

const char *rights_role_name(enum account_role role);
const char *rights_role_text(enum account_role role);
/* ACCOUNT_ROLE_COUNT: there is none of that name. */
enum account_role rights_role_find(struct slice name);
/* The rights of one role. */
uint64_t rights_of_role(enum account_role role);
/* Those of a set of roles: bit N is role N. */
uint64_t rights_of_roles(uint32_t roles);

/* ["alerts.read",…] */
void rights_write(struct buf *out, uint64_t rights);
/* ["analyst",…] of a set of roles. */
void rights_write_roles(struct buf *out, uint32_t roles);

#endif
