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

TEST(a_text_is_sealed_into_a_word)
{
    const struct strongbox_key key = {{1}}, other = {{2}};
    struct buf word, text;
    REQUIRE(secret_start());
    buf_init(&word, 4096);
    buf_init(&text, 4096);
    strongbox_write(&key, SLICE("what nobody reads"), &word);
    CHECK(slice_starts_with(buf_slice(&word), SLICE(STRONGBOX_WORD)));
    CHECK(slice_find_byte(buf_slice(&word), ' ') == SIZE_MAX);
    CHECK_INT(strongbox_unwrite(&key, buf_slice(&word), &text), 0);
    CHECK_SLICE(buf_slice(&text), "what nobody reads");
    buf_clear(&text);
    CHECK_INT(strongbox_unwrite(&other, buf_slice(&word), &text), ERR_CORRUPT);
    CHECK_INT(strongbox_unwrite(&key, slice_until(buf_slice(&word), word.len - 4), &text),
              ERR_CORRUPT);
    CHECK_INT(strongbox_unwrite(&key, SLICE(STRONGBOX_WORD "AAAA"), &text), ERR_CORRUPT);
    CHECK_INT(strongbox_unwrite(&key, SLICE(STRONGBOX_WORD "!"), &text), ERR_SYNTAX);
    CHECK_INT(strongbox_unwrite(&key, SLICE("a word"), &text), ERR_SYNTAX);
    CHECK_INT(text.len, 0);
    buf_done(&text);
    buf_done(&word);
}
