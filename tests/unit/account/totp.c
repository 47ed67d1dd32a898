/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/totp.h"

#include <liboath/oath.h>

#include "test.h"

/* RFC 6238, appendix B: SHA-1, of which these are the last six digits. */
static const struct totp_secret of_rfc = {"12345678901234567890"};

TEST(codes_are_those_of_the_rfc)
{
    static const struct {
        int64_t now;
        const char *code;
    } rows[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct totp_clock clock = {0};
        CHECK_INT(totp_check(&of_rfc, rows[i].now, slice_of(rows[i].code), &clock), TOTP_TAKEN);
        CHECK_INT(clock.last, rows[i].now / TOTP_STEP);
        CHECK_INT(clock.drift, 0);
    }
}

/* The code that the app, which is so many s ahead, shows when it is `now` here. */
static enum totp_verdict type(int64_t now, int64_t ahead, struct totp_clock *clock)
{
    char code[TOTP_DIGITS + 1];
    REQUIRE(oath_totp_generate((const char *)of_rfc.bytes, sizeof of_rfc.bytes,
                               (time_t)(now + ahead), TOTP_STEP, 0, TOTP_DIGITS, code) == OATH_OK);
    return totp_check(&of_rfc, now, slice_of(code), clock);
}

enum { BEGIN = 1111111110 }; /* of a step; its code is 050471 */

TEST(a_code_is_good_for_the_30_seconds_of_its_step)
{
    for (int64_t now = BEGIN - 200; now < BEGIN + 200; now++) {
        struct totp_clock clock = {0};
        bool within = now >= BEGIN && now < BEGIN + TOTP_STEP;
        CHECK(within == (totp_check(&of_rfc, now, SLICE("050471"), &clock) == TOTP_TAKEN));
        /* A clock that is off, and known to be: 30 s as well, and others. */
        clock = (struct totp_clock){.drift = -2};
        within = now >= BEGIN + 2 * TOTP_STEP && now < BEGIN + 3 * TOTP_STEP;
        CHECK(within == (totp_check(&of_rfc, now, SLICE("050471"), &clock) == TOTP_TAKEN));
    }
}

TEST(a_code_is_good_once_and_none_before_it)
{
    struct totp_clock clock = {0};
    CHECK_INT(type(BEGIN, 0, &clock), TOTP_TAKEN);
    CHECK_INT(type(BEGIN + 1, 0, &clock), TOTP_WRONG);
    CHECK_INT(type(BEGIN + 1, -TOTP_STEP, &clock), TOTP_WRONG);
    CHECK_INT(type(BEGIN + TOTP_STEP, 0, &clock), TOTP_TAKEN);
}

TEST(a_clock_that_is_off_is_learned_by_two_codes_in_a_row)
{
    for (int64_t ahead = -TOTP_DRIFT_MAX; ahead <= TOTP_DRIFT_MAX; ahead++) {
        struct totp_clock clock = {0};
        if (ahead == 0) continue;
        CHECK_INT(type(BEGIN, ahead * TOTP_STEP, &clock), TOTP_OFF);
        /* Neither the same again, nor what he mistyped in between. */
        CHECK_INT(type(BEGIN + 20, ahead * TOTP_STEP, &clock), TOTP_OFF);
        CHECK_INT(totp_check(&of_rfc, BEGIN + 29, SLICE("000000"), &clock), TOTP_WRONG);
        CHECK_INT(type(BEGIN + 31, ahead * TOTP_STEP, &clock), TOTP_TAKEN);
        CHECK_INT(clock.drift, ahead);
        CHECK_INT(type(BEGIN + 59, ahead * TOTP_STEP, &clock), TOTP_WRONG);
        CHECK_INT(type(BEGIN + 3600, ahead * TOTP_STEP, &clock), TOTP_TAKEN);
        /* And when it is set right. */
        CHECK_INT(type(BEGIN + 7200, 0, &clock), TOTP_OFF);
        CHECK_INT(type(BEGIN + 7230, 0, &clock), TOTP_TAKEN);
        CHECK_INT(clock.drift, 0);
    }
}

TEST(what_is_no_two_codes_in_a_row_is_not_taken)
{
    struct totp_clock clock = {0};
    /* Too far off. */
    for (int i = 0; i < 10; i++)
        CHECK_INT(type(BEGIN + i * TOTP_STEP, (TOTP_DRIFT_MAX + 1) * TOTP_STEP, &clock),
                  TOTP_WRONG);
    /* Off by another, and one left out. */
    CHECK_INT(type(BEGIN, TOTP_STEP, &clock), TOTP_OFF);
    CHECK_INT(type(BEGIN + TOTP_STEP, 2 * TOTP_STEP, &clock), TOTP_OFF);
    CHECK_INT(type(BEGIN + 3 * TOTP_STEP, 2 * TOTP_STEP, &clock), TOTP_OFF);
    CHECK_INT(clock.drift, 0);
    CHECK_INT(clock.last, 0);
    /* Who was late, and then is not, has a clock that is right. */
    CHECK_INT(type(BEGIN + 600, -TOTP_STEP, &clock), TOTP_OFF);
    CHECK_INT(type(BEGIN + 605, 0, &clock), TOTP_TAKEN);
    CHECK_INT(clock.drift, 0);
}

TEST(what_is_no_code_is_refused)
{
    struct totp_clock clock = {0};
    static const char *const bad[] = {"", "05047", "0504711", "05047\n", " 50471", "050472"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(totp_check(&of_rfc, BEGIN, slice_of(bad[i]), &clock), TOTP_WRONG);
    CHECK_INT(clock.last, 0);
}

TEST(an_app_is_told_the_secret)
{
    struct buf out;
    buf_init(&out, 1024);
    totp_write_uri(&out, &of_rfc, SLICE("anna@example.se"));
    CHECK_SLICE(buf_slice(&out), "otpauth://totp/Vaka:anna%40example.se?secret="
                                 "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vaka");
    buf_done(&out);
}

TEST(recovery_codes_are_read_as_people_write_them)
{
    char code[RECOVERY_TEXT + 1], loud[2 * RECOVERY_TEXT + 1] = "";
    struct secret_hash kept, typed;
    REQUIRE(secret_start());
    recovery_make(code);
    REQUIRE(strlen(code) == RECOVERY_TEXT);
    REQUIRE(recovery_hash(slice_of(code), &kept));
    for (size_t i = 0; i < RECOVERY_TEXT; i++)
        loud[i] = (char)(code[i] == '-' ? ' ' : code[i] >= 'a' ? code[i] & ~0x20 : code[i]);
    REQUIRE(recovery_hash(slice_of(loud), &typed));
    CHECK(secret_same(&kept, &typed));
    CHECK(!recovery_hash(slice_make(code, RECOVERY_TEXT - 1), &typed));
    CHECK(!recovery_hash(SLICE_NONE, &typed));
    loud[RECOVERY_TEXT] = 'x';
    CHECK(!recovery_hash(slice_make(loud, RECOVERY_TEXT + 1), &typed));
}
