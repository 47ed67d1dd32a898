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
    TOTP_DRIFT_MAX = 4, /* steps that an app's clock may be off, either way */
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
 * What is known of the clock of an app, in steps. Codes of one step alone are taken, so that none
 * is good for longer than 30 s (ASVS 5.0, 6.5.5), and clocks that are off are learned (RFC 6238,
 * 6): who types two codes in a row, each in its step by a clock that is off by as many steps, shows
 * that it is his app that goes wrong, and not he who was late.
 */
struct totp_clock {
    int64_t last;  /* step of the code that was taken last: none before it is, nor it again */
    int64_t drift; /* the app is that far ahead of us */
    int64_t near, near_at; /* step of the last code that was of another, and which it was here */
};

enum totp_verdict {
    TOTP_WRONG,
    TOTP_OFF, /* a code of another step, which was not taken; the next one may be */
    TOTP_TAKEN,
};

/*
 * Looks at a code at `now` (s since 1970), and keeps in *clock what it says of that, also when it
 * is TOTP_OFF. Takes as long whichever it is.
 */
enum totp_verdict totp_check(const struct totp_secret *secret, int64_t now, struct slice code,
                             struct totp_clock *clock) MUST_USE;

/* "abcdef-ghjkmn-…" */
void recovery_make(char ret[static RECOVERY_TEXT + 1]);
/* Of what a person typed, whatever its case and what is between; false: it cannot be one. */
bool recovery_hash(struct slice text, struct secret_hash *ret);

#endif
