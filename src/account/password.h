/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Passwords: which ones are good enough, and Argon2id (RFC 9106) of them, as libsodium writes it:
 * "$argon2id$v=19$m=…,t=…,p=1$salt$hash". What it cost is in there, so that a dearer one can take
 * its place when the password is seen the next time.
 */
#ifndef VAKA_ACCOUNT_PASSWORD_H
#define VAKA_ACCOUNT_PASSWORD_H

#include "account/claim.h"
#include "base/error.h"

enum { PASSWORD_HASH_MAX = 128, PASSWORD_PASSES = 3 };

/*
 * Whether a person may have it: PASSWORD_MIN characters of UTF-8, and not mostly of words,
 * sequences and years that everybody tries first, his own name among them (common.tbl). No rule
 * about kinds of characters: they make passwords that are forgotten, not better ones (NIST SP
 * 800-63B, 3.1.1.2). ERR_INVALID: *ret_why says it, a constant sentence.
 */
int password_check(struct slice password, struct slice name, const char **ret_why) MUST_USE;

/* With that much memory, in bytes; some 50 ms for 64 MiB. ERR_NOMEM. */
int password_hash(struct slice password, size_t memory, char ret[PASSWORD_HASH_MAX]) MUST_USE;
/* Takes as long as it took to make, whether it is right or not; false as well for a hash that is
 * none. */
bool password_verify(const char *hash, struct slice password);
/* Whether it was made with less or more than that. */
bool password_is_dated(const char *hash, size_t memory);

#endif
