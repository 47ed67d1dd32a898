/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* The key and the note that golang.org/x/mod/sumdb/note documents. */
#define PETER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NOTE                                                                                       \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"

static struct checkpoint_signer signer(const char *name, enum checkpoint_key_type type,
                                       uint8_t seed)
{
    struct checkpoint_signer s;
    uint8_t bytes[CHECKPOINT_SEED];
    memset(bytes, seed, sizeof bytes);
    REQUIRE(checkpoint_signer_init(&s, slice_of(name), type, bytes) == 0);
    return s;
}

/* Origin vaka.example/7, size 1234567, signed by the log (seed 1) and a witness (seed 2, time 99).
 */
static void write_note(struct buf *out)
{
    struct sha256 root = {.bytes = {1, 2, 3}};
    struct checkpoint_signer log = signer("vaka.example/7", CHECKPOINT_LOG, 1);
    struct checkpoint_signer witness = signer("witness.example", CHECKPOINT_WITNESS, 2);
    buf_init(out, CHECKPOINT_MAX);
    checkpoint_write(out, SLICE("vaka.example/7"), 1234567, &root);
    struct buf body;
    buf_init(&body, CHECKPOINT_MAX);
    buf_put(&body, slice_until(buf_slice(out), out->len - 1));
    checkpoint_sign(out, buf_slice(&body), &log, 0);
    checkpoint_sign(out, buf_slice(&body), &witness, 99);
    REQUIRE(!buf_failed(out));
    buf_done(&body);
}

TEST(key_of_the_published_example)
{
    struct checkpoint_key key;
    struct buf out;
    REQUIRE(checkpoint_key_read(SLICE(PETER), &key) == 0);
    CHECK_SLICE(slice_of(key.name), "PeterNeumann");
    buf_init(&out, 1024);
    checkpoint_key_write(&out, &key);
    CHECK_SLICE(buf_slice(&out), PETER);
    buf_done(&out);
    struct checkpoint note = {
        .body = SLICE(NOTE),
        .signatures = SLICE("\xe2\x80\x94 PeterNeumann "
                            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
                            "ngotpRZb6KE6RyyBwJnAM=\n")};
    CHECK_INT(checkpoint_verify(&note, &key, NULL), 0);
    note.body = SLICE("If you think.\n");
    CHECK_INT(checkpoint_verify(&note, &key, NULL), ERR_CORRUPT);
}

TEST(checkpoints_are_read_as_written)
{
    struct buf out;
    struct checkpoint c;
    uint64_t time = 1;
    write_note(&out);
    REQUIRE(checkpoint_parse(buf_slice(&out), &c) == 0);
    CHECK_SLICE(c.origin, "vaka.example/7");
    CHECK_INT(c.size, 1234567);
    CHECK_INT(c.root.bytes[2], 3);
    CHECK_SLICE(c.body, "vaka.example/7\n1234567\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    struct checkpoint_signer log = signer("vaka.example/7", CHECKPOINT_LOG, 1);
    struct checkpoint_signer witness = signer("witness.example", CHECKPOINT_WITNESS, 2);
    CHECK_INT(checkpoint_verify(&c, &log.key, &time), 0);
    CHECK_INT(time, 0);
    CHECK_INT(checkpoint_verify(&c, &witness.key, &time), 0);
    CHECK_INT(time, 99);
    /* The same name with another key, another name with the same key. */
    struct checkpoint_signer other = signer("vaka.example/7", CHECKPOINT_LOG, 3);
    CHECK_INT(checkpoint_verify(&c, &other.key, NULL), ERR_NOT_FOUND);
    other = signer("vaka.example/8", CHECKPOINT_LOG, 1);
    CHECK_INT(checkpoint_verify(&c, &other.key, NULL), ERR_NOT_FOUND);
    other = signer("vaka.example/7", CHECKPOINT_WITNESS, 1);
    CHECK_INT(checkpoint_verify(&c, &other.key, NULL), ERR_NOT_FOUND);
    buf_done(&out);
}

/* No byte of body, name or signature can be another one. */
TEST(a_changed_checkpoint_is_not_verified)
{
    struct buf out;
    struct checkpoint c;
    struct checkpoint_signer log = signer("vaka.example/7", CHECKPOINT_LOG, 1);
    struct checkpoint_signer witness = signer("witness.example", CHECKPOINT_WITNESS, 2);
    write_note(&out);
    for (size_t i = 0; i < out.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            out.ptr[i] = (char)(out.ptr[i] ^ (1 << bit));
            if (checkpoint_parse(buf_slice(&out), &c) == 0)
                CHECK(checkpoint_verify(&c, &log.key, NULL) != 0 ||
                      checkpoint_verify(&c, &witness.key, NULL) != 0);
            out.ptr[i] = (char)(out.ptr[i] ^ (1 << bit));
        }
    for (size_t n = 0; n < out.len; n++)
        if (checkpoint_parse(slice_until(buf_slice(&out), n), &c) == 0)
            CHECK(checkpoint_verify(&c, &witness.key, NULL) == ERR_NOT_FOUND);
    buf_done(&out);
}

TEST(what_is_no_checkpoint_is_refused)
{
#define ROOT "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SIG  "\xe2\x80\x94 a AAAA\n"
    static const char *const bad[] = {
        "",
        "o\n1\n" ROOT "\n",
        "o\n1\n" ROOT "\n\n",
        "\n1\n" ROOT "\n\n" SIG,
        "o\n01\n" ROOT "\n\n" SIG,
        "o\n-1\n" ROOT "\n\n" SIG,
        "o\n18446744073709551616\n" ROOT "\n\n" SIG,
        "o\n1\nAQID\n\n" SIG,
        "o\n1\n" ROOT " \n\n" SIG,
        "o\r\n1\n" ROOT "\n\n" SIG,
        "o\n1\n" ROOT "\n\n- a AAAA\n",
        "o\n1\n" ROOT "\n\n\xe2\x80\x94 a+b AAAA\n",
        "o\n1\n" ROOT "\n\n\xe2\x80\x94 a\n",
        "o\n1\n" ROOT "\n\n\xe2\x80\x94 a AAAA",
        "o\n1\nAQIDAAAAAA\xc6\xbe"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" SIG,
        "o\xff\n1\n" ROOT "\n\n" SIG,
    };
    struct checkpoint c;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (checkpoint_parse(slice_of(bad[i]), &c) != ERR_SYNTAX)
            test_fail(__FILE__, __LINE__, "checkpoint %zu is taken", i);
    CHECK_INT(checkpoint_parse(SLICE("o\n1\n" ROOT "\nextension\n\n" SIG), &c), 0);
}

TEST(keys_that_are_none)
{
    static const char *const bad[] = {
        "",
        "a",
        "a+00000000",
        "a+00000000+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumannx+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ",
    };
    struct checkpoint_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(checkpoint_key_read(slice_of(bad[i]), &key), ERR_SYNTAX);
    struct checkpoint_signer s;
    uint8_t seed[CHECKPOINT_SEED] = {0};
    CHECK_INT(checkpoint_signer_init(&s, SLICE("a b"), CHECKPOINT_LOG, seed), ERR_INVALID);
    CHECK_INT(checkpoint_signer_init(&s, SLICE(""), CHECKPOINT_LOG, seed), ERR_INVALID);
}

static int verified(const struct checkpoint_signer *s, const struct checkpoint_key *key,
                    uint64_t size, uint8_t root)
{
    struct buf note;
    struct checkpoint c;
    struct sha256 hash = {.bytes = {root}};
    buf_init(&note, CHECKPOINT_MAX);
    checkpoint_write(&note, slice_of(s->key.name), size, &hash);
    checkpoint_sign(&note, slice_until(buf_slice(&note), note.len - 1), s, 0);
    REQUIRE(checkpoint_parse(buf_slice(&note), &c) == 0);
    int answer = checkpoint_verify(&c, key, NULL);
    buf_done(&note);
    return answer;
}

TEST(an_ended_key_is_believed_until_its_end)
{
    struct checkpoint_signer s = signer("vaka.example/7", CHECKPOINT_LOG, 5);
    struct checkpoint_signer other = signer("vaka.example/7", CHECKPOINT_LOG, 6);
    struct checkpoint last = {.size = 100, .root = {.bytes = {7}}};
    struct checkpoint_key key = s.key, back;
    struct buf text, again;
    checkpoint_key_end(&key, &s, &last, 1786957200);
    CHECK_INT(verified(&s, &key, 99, 1), 0);
    CHECK_INT(verified(&s, &key, 100, 7), 0);
    CHECK_INT(verified(&s, &key, 100, 8), ERR_INVALID);
    CHECK_INT(verified(&s, &key, 101, 7), ERR_INVALID);
    CHECK_INT(verified(&other, &key, 101, 7), ERR_NOT_FOUND);
    CHECK_INT(verified(&s, &s.key, 101, 7), 0);
    buf_init(&text, CHECKPOINT_KEY_TEXT);
    buf_init(&again, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&text, &key);
    REQUIRE(checkpoint_key_read(buf_slice(&text), &back) == 0);
    CHECK(back.ended && back.end.size == 100 && back.end.time == 1786957200);
    checkpoint_key_write(&again, &back);
    CHECK(slice_eq(buf_slice(&again), buf_slice(&text)));
    /* None but itself says when. */
    for (size_t i = 0; i < text.len; i++) {
        text.ptr[i] ^= 1;
        CHECK(checkpoint_key_read(buf_slice(&text), &back) != 0);
        text.ptr[i] ^= 1;
        if (i > slice_find_byte(buf_slice(&text), ' '))
            CHECK(checkpoint_key_read(slice_until(buf_slice(&text), i), &back) != 0);
    }
    buf_done(&text);
    buf_done(&again);
}

TEST(secret_keys_are_their_owners)
{
    struct checkpoint_signer s = signer("vaka.example/7", CHECKPOINT_LOG, 5), back;
    struct buf text;
    buf_init(&text, 1024);
    checkpoint_signer_write(&text, &s);
    buf_putc(&text, '\n');
    test_write_bytes("key", buf_slice(&text));
    const char *path = test_path("key");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE(fchmod(fd, 0640) == 0);
    CHECK_INT(checkpoint_signer_read(fd, &back), ERR_ACCESS);
    REQUIRE(fchmod(fd, 0604) == 0);
    CHECK_INT(checkpoint_signer_read(fd, &back), ERR_ACCESS);
    REQUIRE(fchmod(fd, 0600) == 0);
    REQUIRE(checkpoint_signer_read(fd, &back) == 0);
    CHECK(memcmp(&back, &s, sizeof s) == 0);
    checkpoint_signer_done(&back);
    CHECK_INT(back.secret[0], 0);
    (void)close(fd);
    test_write("key", PETER "\n"); /* a public one */
    fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0 && fchmod(fd, 0600) == 0);
    CHECK_INT(checkpoint_signer_read(fd, &back), ERR_SYNTAX);
    (void)close(fd);
    buf_done(&text);
}

TEST(the_newest_checkpoint_is_replaced_as_a_whole)
{
    test_write("folder/x", "");
    int fd = open(test_path("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    struct store_io io = store_io_system(fd);
    size_t len;
    REQUIRE(checkpoint_store(&io, SLICE("one"), 1, false) == 0);
    REQUIRE(checkpoint_store(&io, SLICE("second"), 2, true) == 0);
    REQUIRE(checkpoint_store(&io, SLICE("3"), 3, false) == 0);
    char *text = test_read_file(test_path("folder/checkpoint"), &len);
    CHECK_SLICE(slice_make(text, len), "3");
    free(text);
    text = test_read_file(test_path("folder/checkpoint-00000000000000000002"), &len);
    CHECK_SLICE(slice_make(text, len), "second");
    free(text);
    CHECK(access(test_path("folder/checkpoint-00000000000000000003"), F_OK) != 0);
    CHECK(access(test_path("folder/checkpoint.new"), F_OK) != 0);
    (void)close(fd);
}
