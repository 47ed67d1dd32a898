/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Names of staff as pseudonyms: "person-" and twelve digits, the same for one name in one tenant,
 * whatever its case. Without the key, which never leaves the process that has the accounts, nobody
 * can try out names. What each stands for is kept, so that who has the right may be told: one of
 * them, with a reason, for a while.
 */
#ifndef VAKA_ACCOUNT_VEIL_H
#define VAKA_ACCOUNT_VEIL_H

#include "account/account.h"

enum {
    PSEUDONYM_TEXT = 7 + 12,
    VEIL_NAMES_MAX = 1000,
    LIFT_MINUTES = 60,
    LIFT_MINUTES_MAX = 8 * 60, /* a shift */
};

/* With a NUL behind it. */
void veil_name(const struct veil_key *key, uint32_t tenant, struct slice name,
               char ret[static PSEUDONYM_TEXT + 1]);

/*
 * Appends what that user is shown of names, a JSON array of texts, as many in the same order.
 * ERR_INVALID: they are none, or more than VEIL_NAMES_MAX; ERR_LIMIT, ERR_NOMEM, ERR_IO.
 */
int account_veil(struct account *a, uint64_t user, uint32_t tenant, struct slice names, int64_t now,
                 struct buf *out) MUST_USE;

/*
 * Appends ["person-…","anna",…]: names of the tenant that were veiled ever, by pseudonyms, those
 * behind `after`, at most VEIL_NAMES_MAX. ERR_LIMIT, ERR_NOMEM, ERR_IO.
 */
int account_names(struct account *a, uint32_t tenant, struct slice after, struct buf *out) MUST_USE;

#endif
