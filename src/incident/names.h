/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whom and what alerts name, as it is compared: `BJORKVIK\Anna`, `anna@bjorkvik.example` and `ANNA`
 * are one user. What many have in common (taxonomy/shared.tsv) is nobody.
 */
#ifndef VAKA_INCIDENT_NAMES_H
#define VAKA_INCIDENT_NAMES_H

#include "base/buf.h"

/* id, word */
#define NAME_KINDS(X)                                                                              \
    X(USER, "user")                                                                                \
    X(ADDRESS, "address")                                                                          \
    X(HOST, "host")                                                                                \
    X(HASH, "hash")                                                                                \
    X(COMMAND, "command")                                                                          \
    X(RECORD, "record") /* which of them: what tells of the same record tells of the same */       \
    X(VALUE, "value")   /* anything that alerts are grouped by: a session, a mailbox */            \
    X(DEED, "deed")     /* what was done (taxonomy/deeds.tsv): joins for minutes, not for a day */ \
    X(FULL, "full name") /* of a computer, with its domain: tells two of one first label apart */

enum name_kind {
#define X(id, word) NAME_##id,
    NAME_KINDS(X)
#undef X
        NAME_KIND_COUNT,
};

enum {
    NAME_MAX_BYTES = 1024, /* longer ones are compared by their beginning */
    NAME_COMMAND_MIN = 60, /* bytes of a command line that is hardly written twice by chance */
    NAME_LEAST = 2,        /* bytes of any other */
};

const char *name_kind_word(enum name_kind kind);

/*
 * Appends the name as it is compared and returns its kind: in lower case; of a user without the
 * domain before or behind it, and a host when it is the account of a machine (it ends with $); of a
 * host what stands before the first dot; of a value a user or an address when it looks like one.
 * Appends nothing for what joins nothing. Overflow is out's.
 */
enum name_kind name_write(struct buf *out, enum name_kind kind, struct slice text);
/* The whole name of a computer in lower case; nothing when it has no domain, or is nobody's. */
void name_write_full(struct buf *out, struct slice text);
/*
 * Appends what a technique of ATT&CK ("t1486", "t1561.002") does to a city, "data encrypted
 * (t1486)"; nothing for all that is not one of taxonomy/deeds.tsv.
 */
void name_write_deed(struct buf *out, struct slice technique);
/* name_write() of what a person says without telling what it is: with a domain it is a user. */
void name_write_said(struct buf *out, struct slice text);

#endif
