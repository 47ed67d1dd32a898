/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What sessions and tokens are known by: 32 random bytes as base64url, of which only the SHA-256 is
 * kept. They cannot be guessed, so that one round of a fast hash is enough.
 */
#ifndef VAKA_ACCOUNT_SECRET_H
#define VAKA_ACCOUNT_SECRET_H

#include "account/claim.h"

enum { SECRET_HASH = 32 };

struct secret_hash {
    uint8_t bytes[SECRET_HASH];
};

/* A new one, with a NUL behind it. secret_start() was called before, once in a process and before
 * its sandbox: false, when the machine has no randomness. */
bool secret_start(void);
void secret_make(char ret[static SECRET_TEXT + 1]);
void secret_hash(struct slice text, struct secret_hash *ret);
/* Takes as long whichever byte is another. */
bool secret_same(const struct secret_hash *a, const struct secret_hash *b);

/* Letters and digits that nobody takes for others, n of them and a NUL: 5 bits each. */
void secret_make_word(char *ret, size_t n);

#endif
