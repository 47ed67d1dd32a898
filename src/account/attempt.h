/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Attempts at passwords and codes, at a login and when somebody who has a session is to show a
 * factor again: each is counted by the name and by where it comes from before it is looked at, and
 * given back when it was right.
 */
#ifndef VAKA_ACCOUNT_ATTEMPT_H
#define VAKA_ACCOUNT_ATTEMPT_H

#include "account/account.h"

struct attempt {
    struct slice name, address; /* borrowed; the address as the front says it */
    struct account_moment at;
};

/* How many s from now on nothing is looked at; 0: it may be. */
uint32_t attempt_wait(struct account *a, const struct attempt *t);
void attempt_charge(struct account *a, const struct attempt *t);
/* It was right, or could not be looked at. */
void attempt_refund(struct account *a, const struct attempt *t);
/*
 * A line of the log; in a transaction. Who guesses fills no disk: of many in a row the first are
 * told, and then those at powers of two. What people type for a name may be their password: only
 * that of one who exists (`known`) is kept.
 */
int attempt_log(struct account *a, const struct attempt *t, const char *what, bool known) MUST_USE;

/* A code of the app, or one for when it is lost; what was used, and what it says of the app's
 * clock, is kept in `user` and the book. ERR_NOT_FOUND: it is none that is taken. In a transaction,
 * which is to be committed then as well. */
int attempt_code(struct account *a, const struct attempt *t, struct book_user *user,
                 struct slice code) MUST_USE;

#endif
