/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/log_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

#define ORIGIN "vaka.example/1"

static struct signing_seal seal; /* off until a test says otherwise */

static void open_key(struct log_key *k, const char *folder, int want)
{
    struct diag diag = {0};
    test_write("here", "");
    CHECK_INT(log_key_open(k, test_path(folder), SLICE(ORIGIN), &seal, &diag), want);
    CHECK_INT(diag.message[0] != '\0', want != 0);
}

static int sign(struct log_key *k, const char *origin, uint64_t size, uint8_t root)
{
    struct buf text, lines;
    struct sha256 hash = {.bytes = {root}};
    buf_init(&text, CHECKPOINT_MAX);
    buf_init(&lines, CHECKPOINT_MAX);
    checkpoint_write(&text, slice_of(origin), size, &hash);
    int error = log_key_sign(k, buf_slice(&text), size, &lines);
    CHECK((error == 0) == (lines.len > 0));
    if (error == 0) {
        struct checkpoint c;
        buf_put(&text, buf_slice(&lines));
        REQUIRE(checkpoint_parse(buf_slice(&text), &c) == 0);
        CHECK_INT(checkpoint_verify(&c, &k->signer.key, NULL), 0);
    }
    buf_done(&text);
    buf_done(&lines);
    return error;
}

TEST(nothing_goes_back_also_after_a_start)
{
    struct log_key k;
    open_key(&k, "a", 0);
    CHECK(!k.any);
    CHECK_INT(sign(&k, ORIGIN, 0, 9), 0);
    CHECK_INT(sign(&k, ORIGIN, 5, 1), 0);
    CHECK_INT(sign(&k, ORIGIN, 5, 1), 0);
    CHECK_INT(sign(&k, ORIGIN, 5, 2), ERR_CORRUPT);
    CHECK_INT(sign(&k, ORIGIN, 4, 1), ERR_CORRUPT);
    CHECK_INT(sign(&k, "other.example/1", 6, 1), ERR_CORRUPT);
    log_key_close(&k);
    open_key(&k, "a", 0);
    CHECK_INT(k.size, 5);
    CHECK_INT(sign(&k, ORIGIN, 4, 1), ERR_CORRUPT);
    CHECK_INT(sign(&k, ORIGIN, 5, 2), ERR_CORRUPT);
    CHECK_INT(sign(&k, ORIGIN, 6, 2), 0);
    log_key_close(&k);
}

TEST(a_tombstone_is_of_what_was_signed)
{
    static const char body[] = ORIGIN "/tombstone\n0\n5\n"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                      "2026-01-02T03:04:05.000Z\nolder than 5d\n";
    struct log_key k;
    struct buf out;
    buf_init(&out, CHECKPOINT_MAX);
    open_key(&k, "b", 0);
    CHECK_INT(sign(&k, ORIGIN, 4, 1), 0);
    CHECK_INT(log_key_sign_tombstone(&k, slice_of(body), &out), ERR_CORRUPT);
    CHECK_INT(sign(&k, ORIGIN, 5, 1), 0);
    CHECK_INT(log_key_sign_tombstone(&k, slice_of(body), &out), 0);
    CHECK(out.len > 0);
    log_key_close(&k);
    buf_done(&out);
}

TEST(a_key_that_was_replaced_signs_nothing)
{
    struct log_key k;
    open_key(&k, "c", 0);
    CHECK_INT(sign(&k, ORIGIN, 1, 1), 0);
    REQUIRE(unlink(test_path("c/log.key")) == 0);
    CHECK_INT(sign(&k, ORIGIN, 2, 1), ERR_STOPPED);
    log_key_close(&k);
}

TEST(what_was_signed_last_has_to_be_ours)
{
    struct log_key k;
    open_key(&k, "d", 0);
    CHECK_INT(sign(&k, ORIGIN, 1, 1), 0);
    log_key_close(&k);
    REQUIRE(unlink(test_path("d/log.key")) == 0);
    open_key(&k, "d", ERR_CORRUPT);
    REQUIRE(unlink(test_path("d/log.signed")) == 0);
    open_key(&k, "d", 0);
    CHECK(!k.any);
    log_key_close(&k);
}

static struct buf read_file(const char *name)
{
    struct buf text;
    buf_init(&text, 8192);
    REQUIRE(file_read(test_path(name), &text, NULL) == 0);
    return text;
}

/* One that lay there as it is, too; and nothing of it stays. */
TEST(a_key_lies_sealed_when_it_is_said_so)
{
    struct log_key k;
    struct checkpoint_key key;
    struct diag diag = {0};
    open_key(&k, "e", 0);
    key = k.signer.key;
    CHECK_INT(sign(&k, ORIGIN, 5, 1), 0);
    log_key_close(&k);
    struct buf plain = read_file("e/log.key");
    seal = (struct signing_seal){.on = true, .key = {{1}}};
    open_key(&k, "e", 0);
    CHECK(memcmp(&key, &k.signer.key, sizeof key) == 0);
    CHECK_INT(sign(&k, ORIGIN, 6, 1), 0);
    log_key_close(&k);
    struct buf sealed = read_file("e/log.key");
    CHECK(slice_starts_with(buf_slice(&sealed), SLICE(STRONGBOX_WORD)));
    CHECK(slice_find(buf_slice(&sealed), slice_trim(buf_slice(&plain))) == SIZE_MAX);
    CHECK(access(test_path("e/log.key.old"), F_OK) != 0 &&
          access(test_path("e/log.key.new"), F_OK) != 0);
    /* As it is, at the next start. */
    open_key(&k, "e", 0);
    log_key_close(&k);
    struct buf again = read_file("e/log.key");
    CHECK(slice_eq(buf_slice(&sealed), buf_slice(&again)));
    /* Another key, and none. */
    seal.key.bytes[0] = 2;
    open_key(&k, "e", ERR_ACCESS);
    seal.on = false;
    open_key(&k, "e", ERR_ACCESS);
    /* One that takes its place is sealed as well. */
    seal = (struct signing_seal){.on = true, .key = {{1}}};
    REQUIRE(mkdir(test_path("store"), 0700) == 0 || errno == EEXIST);
    CHECK_INT(log_key_rotate(test_path("e"), test_path("store"), 1790000000, &seal, &diag), 0);
    buf_done(&again);
    again = read_file("e/log.key");
    CHECK(slice_starts_with(buf_slice(&again), SLICE(STRONGBOX_WORD)));
    open_key(&k, "e", 0);
    CHECK(memcmp(&key, &k.signer.key, sizeof key) != 0);
    log_key_close(&k);
    seal.on = false;
    buf_done(&plain);
    buf_done(&sealed);
    buf_done(&again);
}

/* Between any two of its steps: the key is there, and comes to lie there sealed. */
TEST(an_end_while_a_key_is_sealed_loses_nothing)
{
    struct log_key k;
    struct checkpoint_key key;
    open_key(&k, "f", 0);
    key = k.signer.key;
    log_key_close(&k);
    test_write("f/log.key.new", "half");
    REQUIRE(link(test_path("f/log.key"), test_path("f/log.key.old")) == 0);
    seal = (struct signing_seal){.on = true, .key = {{1}}};
    open_key(&k, "f", 0);
    CHECK(memcmp(&key, &k.signer.key, sizeof key) == 0);
    log_key_close(&k);
    struct buf sealed = read_file("f/log.key");
    CHECK(slice_starts_with(buf_slice(&sealed), SLICE(STRONGBOX_WORD)));
    buf_done(&sealed);
    /* The old one, which was not overwritten yet. */
    test_write("f/log.key.old", "name+id+secret");
    open_key(&k, "f", 0);
    CHECK(access(test_path("f/log.key.old"), F_OK) != 0);
    log_key_close(&k);
    seal.on = false;
}
