/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Codes of an app on a phone (TOTP, RFC 6238: HMAC-SHA-1, 30 s, six digits, as every app has it),
 * and codes for when the phone is lost.
 */
#ifndef VAKA_ACCOUNT_TOTP_H
#define VAKA_ACCOUNT_TOTP_H

#include "account/secret.h"
#include "base/buf.h"

enum {
    TOTP_SECRET = 20, /* bytes: as many as the hash has (RFC 4226, 4) */
    TOTP_STEP = 30,   /* s */
    TOTP_DIGITS = 6,
    RECOVERY_CODES = 10,
    RECOVERY_SYMBOLS = 24,                /* of 5 bits: 120 */
    RECOVERY_TEXT = RECOVERY_SYMBOLS + 3, /* with what is between groups of six */
};

struct totp_secret {
    uint8_t bytes[TOTP_SECRET];
};

void totp_make(struct totp_secret *ret);
/* What an app reads: otpauth://totp/Vaka:NAME?secret=…&issuer=Vaka. */
void totp_write_uri(struct buf *out, const struct totp_secret *secret, struct slice name);
/* The secret as a person types it: base32. */
void totp_write_secret(struct buf *out, const struct totp_secret *secret);

/*
 * Whether it is the code of the step `now` (s since 1970) is in, or of the one before or behind it,
 * clocks being what they are; and of a step behind `last`, the one of the code that was taken last:
 * none is taken twice. *ret_step is its step. Takes as long whichever it is.
 */
bool totp_check(const struct totp_secret *secret, int64_t now, int64_t last, struct slice code,
                int64_t *ret_step);

/* "abcdef-ghjkmn-…" */
void recovery_make(char ret[static RECOVERY_TEXT + 1]);
/* Of what a person typed, whatever its case and what is between; false: it cannot be one. */
bool recovery_hash(struct slice text, struct secret_hash *ret);

#endif
