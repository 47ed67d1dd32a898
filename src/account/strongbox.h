/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Keys of apps are needed as they are, so no hash of them will do. They are kept sealed
 * (libsodium's secretbox: XSalsa20 and Poly1305) under a key in a file of its own: who gets hold of
 * the database alone has none of them.
 */
#ifndef VAKA_ACCOUNT_STRONGBOX_H
#define VAKA_ACCOUNT_STRONGBOX_H

#include "account/totp.h"

enum {
    STRONGBOX_KEY = 32,
    STRONGBOX_MORE = 24 + 16, /* bytes of the nonce, which is random, and of the mark */
};

struct strongbox_key {
    uint8_t bytes[STRONGBOX_KEY];
};

/*
 * 64 hexadecimal digits: the only word of a file that only its owner may read. diag says what is
 * wrong: as file_read_secret(), ERR_SYNTAX when it is something else.
 */
int strongbox_read(const char *path, struct strongbox_key *ret, struct diag *diag) MUST_USE;
/* The same of FOLDER/accounts.key, which is made when it is not there; ERR_IO as well. */
int strongbox_open(const char *folder, struct strongbox_key *ret, struct diag *diag) MUST_USE;

/* secret_start() was called for these. */

/* Appends a text as a word: STRONGBOX_WORD and base64 of what is sealed. */
#define STRONGBOX_WORD "vaka-sealed-1:"
void strongbox_write(const struct strongbox_key *key, struct slice text, struct buf *out);
/* Appends the text behind such a word. ERR_SYNTAX: it is none; ERR_CORRUPT: it was not sealed with
 * that key, or is damaged; ERR_LIMIT, ERR_NOMEM. */
int strongbox_unwrite(const struct strongbox_key *key, struct slice word, struct buf *out) MUST_USE;

void strongbox_put(const struct strongbox_key *key, const struct totp_secret *secret,
                   uint8_t ret[static TOTP_SECRET + STRONGBOX_MORE]);
/* False: it was not sealed with that key, or is damaged. */
bool strongbox_take(const struct strongbox_key *key, struct slice sealed, struct totp_secret *ret);

#endif
