/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people and fronts say about accounts, as any bytes: the first byte is an action, the rest
 * its body, a name, a password, a code, or an answer of the process that hashes.
 */
#include "account/hasher.h"
#include "account/name.h"
#include "target.h"

static void check_body(unsigned action, struct slice text)
{
    static struct body body;
    struct slice member;
    const char *why = NULL;
    if (body_read(&body, action, text, &member, &why) != 0) {
        HOLDS(why && *why);
        return;
    }
    for (unsigned at = 0; at < MEMBER_COUNT; at++) {
        HOLDS(body.values[at].len <= BODY_TEXT_MAX);
        HOLDS(slice_find_byte(body_text(&body, at), '\0') == SIZE_MAX);
        HOLDS(body_has(&body, at) || (body.values[at].len == 0 && body.values[at].number == 0));
    }
    HOLDS(body.values[MEMBER_RIGHTS].number < right_bit(RIGHT_COUNT));
    HOLDS(body.values[MEMBER_ROLES].number < UINT64_C(1) << ACCOUNT_ROLE_COUNT);
}

static void check_name(struct slice text)
{
    char name[ACCOUNT_NAME_MAX + 1], again[ACCOUNT_NAME_MAX + 1];
    if (!name_read(text, name)) return;
    HOLDS(strlen(name) == text.len && text.len > 0);
    HOLDS(name_read(slice_of(name), again) && strcmp(name, again) == 0);
}

static void check_password(struct slice text)
{
    const char *why = NULL;
    if (password_check(text, slice_until(text, 3), &why) == 0)
        HOLDS(text.len >= PASSWORD_MIN && text.len <= PASSWORD_MAX);
    else HOLDS(why && *why);
}

static void check_codes(struct slice text)
{
    static const struct totp_secret app = {"12345678901234567890"};
    struct secret_hash hash;
    struct totp_clock clock = {0};
    if (recovery_hash(text, &hash)) HOLDS(text.len >= RECOVERY_SYMBOLS);
    if (totp_check(&app, 1234567890, text, &clock) == TOTP_TAKEN)
        HOLDS(text.len == TOTP_DIGITS && clock.last > 0);
}

static void check_answer(uint8_t type, struct slice text)
{
    struct account_hashed hashed;
    const struct frame frame = {.type = type, .payload = text};
    if (hasher_answer(&frame, &hashed) == 0) HOLDS(strlen(hashed.fresh) < PASSWORD_HASH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice text = slice_make(data + 1, size - 1);
    check_body(data[0] % ACTION_COUNT, text);
    check_name(text);
    check_password(text);
    check_codes(text);
    check_answer(data[0], text);
    return 0;
}
