/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/totp.h"

#include <liboath/oath.h>
#include <sodium.h>

void totp_make(struct totp_secret *ret)
{
    randombytes_buf(ret->bytes, sizeof ret->bytes);
}

/* RFC 4648, 6; 20 bytes are 32 characters without padding. */
void totp_write_secret(struct buf *out, const struct totp_secret *secret)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    _Static_assert(TOTP_SECRET % 5 == 0, "no padding");
    for (size_t i = 0; i < TOTP_SECRET; i += 5) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 5; k++) bits = bits << 8 | secret->bytes[i + k];
        for (unsigned shift = 40; shift > 0; shift -= 5)
            buf_putc(out, letters[bits >> (shift - 5) & 31]);
    }
}

/* Names are letters, digits and . _ - @ alone: none of them needs an escape but the last. */
void totp_write_uri(struct buf *out, const struct totp_secret *secret, struct slice name)
{
    buf_puts(out, "otpauth://totp/Vaka:");
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '@') buf_puts(out, "%40");
        else buf_putc(out, name.ptr[i]);
    buf_puts(out, "?secret=");
    totp_write_secret(out, secret);
    buf_puts(out, "&issuer=Vaka");
}

/* How many steps from `here` the code is away, and behind the last one that was taken. */
static bool find_step(const struct totp_secret *secret, int64_t here, struct slice code,
                      const struct totp_clock *clock, int64_t *ret_away)
{
    bool found = false;
    for (int64_t away = -TOTP_DRIFT_MAX; away <= TOTP_DRIFT_MAX; away++) {
        char want[TOTP_DIGITS + 1];
        if (oath_totp_generate((const char *)secret->bytes, sizeof secret->bytes,
                               (time_t)((here + away) * TOTP_STEP), TOTP_STEP, 0, TOTP_DIGITS,
                               want) != OATH_OK)
            return false;
        bool same = sodium_memcmp(want, code.ptr, TOTP_DIGITS) == 0;
        sodium_memzero(want, sizeof want);
        if (!same || here + away <= clock->last || (found && *ret_away == clock->drift)) continue;
        found = true;
        *ret_away = away;
    }
    return found;
}

enum totp_verdict totp_check(const struct totp_secret *secret, int64_t now, struct slice code,
                             struct totp_clock *clock)
{
    const int64_t here = now / TOTP_STEP;
    int64_t away;
    if (code.len != TOTP_DIGITS || !slice_is_plain(code, "")) return TOTP_WRONG;
    if (!find_step(secret, here, code, clock, &away)) return TOTP_WRONG;
    bool in_a_row = clock->near_at == here - 1 && clock->near == here - 1 + away;
    if (away != clock->drift && !in_a_row) {
        clock->near = here + away;
        clock->near_at = here;
        return TOTP_OFF;
    }
    *clock = (struct totp_clock){.last = here + away, .drift = away};
    return TOTP_TAKEN;
}

void recovery_make(char ret[static RECOVERY_TEXT + 1])
{
    char *at = ret;
    for (unsigned group = 0; group < 4; group++) {
        if (group) *at++ = '-';
        secret_make_word(at, 6);
        at += 6;
    }
}

bool recovery_hash(struct slice text, struct secret_hash *ret)
{
    char plain[RECOVERY_SYMBOLS];
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '-' || c == ' ') continue;
        if (n == sizeof plain) return false;
        plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (n != sizeof plain) return false;
    secret_hash(slice_make(plain, n), ret);
    sodium_memzero(plain, sizeof plain);
    return true;
}
