/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/attempt.h"

#include "base/json_write.h"

enum { LOGGED_FIRST = 5 };

/* An attacker has a whole network of IPv6 where he has an address: 64 bits of it are one place. */
static struct slice place_of(struct slice address)
{
    unsigned colons = 0;
    for (size_t i = 0; i < address.len; i++) {
        if (address.ptr[i] != ':') continue;
        if (i > 0 && address.ptr[i - 1] == ':') break;
        if (++colons == 4) return slice_until(address, i);
    }
    return address;
}

uint32_t attempt_wait(struct account *a, const struct attempt *t)
{
    nsec by_name = throttle_wait(&a->names, t->name, t->at.monotonic);
    nsec by_address = throttle_wait(&a->addresses, place_of(t->address), t->at.monotonic);
    nsec wait = by_name > by_address ? by_name : by_address;
    return (uint32_t)((wait + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

void attempt_charge(struct account *a, const struct attempt *t)
{
    throttle_charge(&a->names, t->name, t->at.monotonic);
    throttle_charge(&a->addresses, place_of(t->address), t->at.monotonic);
}

void attempt_refund(struct account *a, const struct attempt *t)
{
    throttle_refund(&a->names, t->name);
    throttle_refund(&a->addresses, place_of(t->address));
}

/* A line of the log with one figure. */
static int tell(struct account *a, const struct attempt *t, struct slice what, struct slice name,
                const char *figure, int64_t value)
{
    struct buf detail;
    buf_init(&detail, 128);
    buf_putc(&detail, '{');
    json_write_key(&detail, figure);
    json_write_i64(&detail, value);
    buf_putc(&detail, '}');
    int error = buf_error(&detail);
    if (error == 0)
        error = book_log(a->book, &(struct book_entry){.time = t->at.now,
                                                       .actor = name,
                                                       .what = what,
                                                       .subject = name,
                                                       .address = t->address,
                                                       .detail = buf_slice(&detail)});
    buf_done(&detail);
    return error;
}

int attempt_log(struct account *a, const struct attempt *t, const char *what, bool known)
{
    uint32_t n = throttle_count(&a->names, t->name, t->at.monotonic);
    if (n > LOGGED_FIRST && (n & (n - 1)) != 0) return 0;
    return tell(a, t, slice_of(what), known ? t->name : SLICE_NONE, "attempts", n);
}

int attempt_code(struct account *a, const struct attempt *t, struct book_user *user,
                 struct slice code)
{
    struct secret_hash hash;
    const int64_t drift = user->app_clock.drift;
    enum totp_verdict verdict =
        user->app_lost ? TOTP_WRONG : totp_check(&user->app, t->at.now, code, &user->app_clock);
    if (verdict != TOTP_WRONG) {
        int error = book_put_user(a->book, user);
        if (error == 0 && user->app_clock.drift != drift)
            error = tell(a, t, SLICE("app.clock"), slice_of(user->name), "seconds",
                         user->app_clock.drift * TOTP_STEP);
        return error ? error : verdict == TOTP_TAKEN ? 0 : ERR_NOT_FOUND;
    }
    return recovery_hash(code, &hash) ? book_use_recovery(a->book, user->id, &hash) : ERR_NOT_FOUND;
}
