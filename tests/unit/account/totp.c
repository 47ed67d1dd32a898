/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/totp.h"

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
        int64_t step = -1;
        CHECK(totp_check(&of_rfc, rows[i].now, 0, slice_of(rows[i].code), &step));
        CHECK_INT(step, rows[i].now / TOTP_STEP);
    }
}

TEST(a_code_is_good_for_the_step_before_and_behind_and_not_twice)
{
    int64_t step = -1;
    const int64_t at = 1111111111; /* 050471; the step before has 081804 */
    CHECK(totp_check(&of_rfc, at + TOTP_STEP, 0, SLICE("050471"), &step));
    CHECK(totp_check(&of_rfc, at - TOTP_STEP, 0, SLICE("050471"), &step));
    CHECK_INT(step, at / TOTP_STEP);
    CHECK(!totp_check(&of_rfc, at + 2 * TOTP_STEP, 0, SLICE("050471"), &step));
    CHECK(!totp_check(&of_rfc, at - 2 * TOTP_STEP, 0, SLICE("050471"), &step));
    CHECK(!totp_check(&of_rfc, at, at / TOTP_STEP, SLICE("050471"), &step));
    /* Nor one before the last that was taken. */
    CHECK(!totp_check(&of_rfc, at, at / TOTP_STEP, SLICE("081804"), &step));
}

TEST(what_is_no_code_is_refused)
{
    int64_t step = -1;
    static const char *const bad[] = {"", "05047", "0504711", "05047\n", " 50471", "050472"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!totp_check(&of_rfc, 1111111111, 0, slice_of(bad[i]), &step));
    CHECK_INT(step, -1);
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
