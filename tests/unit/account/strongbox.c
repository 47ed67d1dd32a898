/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/strongbox.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

TEST(what_was_sealed_comes_back_and_nothing_else)
{
    const struct strongbox_key key = {{1}}, other = {{2}};
    struct totp_secret secret, back;
    uint8_t sealed[TOTP_SECRET + STRONGBOX_MORE], again[sizeof sealed];
    REQUIRE(secret_start());
    totp_make(&secret);
    strongbox_put(&key, &secret, sealed);
    strongbox_put(&key, &secret, again);
    CHECK(memcmp(sealed, again, sizeof sealed) != 0);
    CHECK(strongbox_take(&key, slice_make(sealed, sizeof sealed), &back));
    CHECK(memcmp(&secret, &back, sizeof back) == 0);
    CHECK(!strongbox_take(&other, slice_make(sealed, sizeof sealed), &back));
    CHECK(!strongbox_take(&key, slice_make(sealed, sizeof sealed - 1), &back));
    CHECK(!strongbox_take(&key, slice_make(secret.bytes, sizeof secret.bytes), &back));
    CHECK(!strongbox_take(&key, SLICE_NONE, &back));
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        CHECK(!strongbox_take(&key, slice_make(sealed, sizeof sealed), &back));
        sealed[i] ^= 1;
    }
}

TEST(its_key_is_made_once_and_is_its_owners)
{
    struct strongbox_key one, two;
    struct diag diag = {0};
    struct stat st;
    char path[512];
    REQUIRE(secret_start());
    test_write("box", "");
    (void)unlink(test_path("box"));
    REQUIRE(mkdir(test_path("box"), 0700) == 0);
    (void)snprintf(path, sizeof path, "%s/accounts.key", test_path("box"));
    CHECK_INT(strongbox_open(test_path("box"), &one, &diag), 0);
    CHECK_INT(strongbox_open(test_path("box"), &two, &diag), 0);
    CHECK(memcmp(&one, &two, sizeof one) == 0);
    CHECK_INT(strongbox_read(path, &two, &diag), 0);
    CHECK(memcmp(&one, &two, sizeof one) == 0);
    REQUIRE(stat(path, &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    REQUIRE(chmod(path, 0640) == 0);
    CHECK_INT(strongbox_open(test_path("box"), &two, &diag), ERR_ACCESS);
    (void)unlink(path);
    CHECK_INT(strongbox_read(path, &two, &diag), ERR_NOT_FOUND);
    (void)rmdir(test_path("box"));
}

TEST(what_is_no_key_is_not_taken_for_one)
{
    static const char *const texts[] = {
        "",
        "00",
        "a key",
        "0000000000000000000000000000000000000000000000000000000000000000 x",
        "000000000000000000000000000000000000000000000000000000000000000g",
        "00000000000000000000000000000000000000000000000000000000000000000"};
    struct strongbox_key key;
    struct diag diag = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        test_write("nokey", texts[i]);
        REQUIRE(chmod(test_path("nokey"), 0600) == 0);
        CHECK_INT(strongbox_read(test_path("nokey"), &key, &diag), ERR_SYNTAX);
    }
}
