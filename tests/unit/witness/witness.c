/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/witness.h"

#include <fcntl.h>
#include <unistd.h>

#include "test.h"

/* A witness in a folder of its own, and the log it knows; another log has the same key's name. */
struct house {
    struct store_io io;
    struct checkpoint_signer signer, log, impostor;
    struct witness witness;
    struct buf out;
    struct witness_answer answer;
    int folder;
};

static void signer_of(struct checkpoint_signer *s, const char *name, enum checkpoint_key_type type,
                      uint8_t seed)
{
    uint8_t bytes[CHECKPOINT_SEED] = {seed};
    REQUIRE(checkpoint_signer_init(s, slice_of(name), type, bytes) == 0);
}

static void house_open(struct house *h, const char *name)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/x", name);
    test_write(inside, "");
    h->folder = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(h->folder >= 0);
    h->io = store_io_system(h->folder);
    signer_of(&h->signer, "witness.example/w", CHECKPOINT_WITNESS, 1);
    signer_of(&h->log, "city.example/vaka", CHECKPOINT_LOG, 2);
    signer_of(&h->impostor, "city.example/vaka", CHECKPOINT_LOG, 3);
    h->witness =
        (struct witness){.io = &h->io, .signer = &h->signer, .logs = &h->log.key, .n_logs = 1};
    buf_init(&h->out, WITNESS_ANSWER_MAX);
}

static void house_close(struct house *h)
{
    buf_done(&h->out);
    (void)close(h->folder);
}

/* The tree of `n` leaves, those from `changed` on being others. */
static void range_of(struct tree_range *ret, uint64_t begin, uint64_t end, uint64_t changed)
{
    struct sha256 leaves[64];
    for (uint64_t i = begin; i < end; i++) {
        uint64_t leaf[2] = {i, i >= changed};
        sha256_many(&(struct sha256_message){SLICE(""), slice_make(leaf, sizeof leaf)}, 1,
                    &leaves[i - begin]);
    }
    tree_range_of_leaves(ret, begin, leaves, (size_t)(end - begin), NULL);
}

static void note_of(struct buf *out, const struct checkpoint_signer *log, uint64_t size,
                    uint64_t changed)
{
    struct tree_range tree;
    range_of(&tree, 0, size, changed);
    struct sha256 root = tree_range_root(&tree);
    checkpoint_write(out, slice_of(log->key.name), size, &root);
    checkpoint_sign(out, slice_until(buf_slice(out), out->len - 1), log, 0);
}

/* Asks with the proof that a log with these leaves can give. */
static enum witness_status ask_as(struct house *h, const struct checkpoint_signer *log,
                                  uint64_t old, uint64_t size, uint64_t changed)
{
    struct buf note, request;
    static struct tree_range before, since;
    static struct tree_proof proof;
    proof.n = 0;
    buf_init(&note, CHECKPOINT_MAX);
    buf_init(&request, WITNESS_REQUEST_MAX);
    note_of(&note, log, size, changed);
    if (old <= size) {
        range_of(&before, 0, old, changed);
        range_of(&since, old, size, changed);
        REQUIRE(tree_prove_growth(&before, &since, &proof) == 0);
    }
    witness_request_write(&request, old, &proof, buf_slice(&note));
    buf_clear(&h->out);
    witness_add(&h->witness, buf_slice(&request), 1000, &h->out, &h->answer);
    if (h->answer.status == WITNESS_SIGNED) {
        struct checkpoint c;
        uint64_t time;
        buf_put(&note, buf_slice(&h->out));
        REQUIRE(checkpoint_parse(buf_slice(&note), &c) == 0);
        CHECK_INT(checkpoint_verify(&c, &h->signer.key, &time), 0);
        CHECK_INT(time, 1000);
    }
    buf_done(&note);
    buf_done(&request);
    return h->answer.status;
}

static enum witness_status ask(struct house *h, uint64_t old, uint64_t size)
{
    return ask_as(h, &h->log, old, size, UINT64_MAX);
}

static int look(void *ctx, const char *name)
{
    bool *found = ctx;
    *found |= slice_starts_with(slice_of(name), SLICE("fork-"));
    return 0;
}

static bool has_fork(const struct house *h)
{
    bool found = false;
    REQUIRE(h->io.list(h->io.ctx, look, &found) == 0);
    return found;
}

TEST(a_key_that_has_ended_gets_no_signature)
{
    struct house h;
    struct checkpoint_key keys[2];
    struct checkpoint last;
    struct buf note;
    house_open(&h, "ended");
    buf_init(&note, CHECKPOINT_MAX);
    CHECK_INT(ask(&h, 0, 5), WITNESS_SIGNED);
    note_of(&note, &h.log, 9, UINT64_MAX);
    REQUIRE(checkpoint_parse(buf_slice(&note), &last) == 0);
    keys[0] = h.impostor.key; /* has become the one in use */
    keys[1] = h.log.key;
    checkpoint_key_end(&keys[1], &h.log, &last, 1);
    h.witness.logs = keys;
    h.witness.n_logs = 2;
    CHECK_INT(ask(&h, 5, 17), WITNESS_UNSIGNED);
    CHECK_INT(ask(&h, 5, 7), WITNESS_UNSIGNED);
    CHECK_INT(ask_as(&h, &h.impostor, 5, 17, UINT64_MAX), WITNESS_SIGNED);
    CHECK_INT(ask(&h, 17, 20), WITNESS_UNSIGNED);
    buf_done(&note);
    house_close(&h);
}

TEST(what_goes_on_is_signed_and_remembered)
{
    struct house h;
    house_open(&h, "on");
    CHECK_INT(ask(&h, 0, 0), WITNESS_SIGNED);
    CHECK_INT(ask(&h, 0, 5), WITNESS_SIGNED);
    CHECK_INT(ask(&h, 5, 5), WITNESS_SIGNED);
    CHECK_INT(ask(&h, 5, 17), WITNESS_SIGNED);
    CHECK_INT(ask(&h, 17, 40), WITNESS_SIGNED);
    CHECK_INT(h.answer.size, 40);
    CHECK(!has_fork(&h));
    house_close(&h);
}

TEST(who_does_not_know_the_size_is_told)
{
    struct house h;
    house_open(&h, "size");
    REQUIRE(ask(&h, 0, 5) == WITNESS_SIGNED);
    CHECK_INT(ask(&h, 0, 9), WITNESS_CONFLICT);
    CHECK_SLICE(buf_slice(&h.out), "5\n");
    CHECK_INT(ask(&h, 6, 9), WITNESS_CONFLICT);
    CHECK_INT(ask(&h, 9, 5), WITNESS_MALFORMED);
    CHECK(!h.answer.forked);
    CHECK_INT(ask(&h, 5, 9), WITNESS_SIGNED);
    house_close(&h);
}

TEST(a_log_does_not_go_back)
{
    struct house h;
    house_open(&h, "back");
    REQUIRE(ask(&h, 0, 20) == WITNESS_SIGNED);
    CHECK_INT(ask(&h, 0, 10), WITNESS_CONFLICT);
    CHECK_SLICE(buf_slice(&h.out), "20\n");
    CHECK_INT(ask(&h, 10, 10), WITNESS_CONFLICT);
    CHECK_INT(ask(&h, 20, 10), WITNESS_MALFORMED);
    house_close(&h);
}

TEST(a_rewritten_log_is_not_signed_and_kept_as_proof)
{
    struct house h;
    house_open(&h, "same");
    REQUIRE(ask(&h, 0, 20) == WITNESS_SIGNED);
    CHECK_INT(ask_as(&h, &h.log, 20, 20, 13), WITNESS_CONFLICT);
    CHECK(h.answer.forked);
    CHECK(has_fork(&h));
    CHECK_INT(ask(&h, 20, 21), WITNESS_SIGNED);
    house_close(&h);
    house_open(&h, "longer");
    REQUIRE(ask(&h, 0, 20) == WITNESS_SIGNED);
    CHECK_INT(ask_as(&h, &h.log, 20, 30, 13), WITNESS_UNPROVED);
    CHECK(h.answer.forked);
    CHECK(has_fork(&h));
    /* What is behind the known size may be anything. */
    CHECK_INT(ask_as(&h, &h.log, 20, 30, 20), WITNESS_SIGNED);
    house_close(&h);
}

TEST(only_known_logs_with_their_own_key_are_signed)
{
    struct house h;
    struct checkpoint_signer other;
    house_open(&h, "keys");
    signer_of(&other, "other.example/vaka", CHECKPOINT_LOG, 4);
    CHECK_INT(ask_as(&h, &other, 0, 5, UINT64_MAX), WITNESS_UNKNOWN);
    CHECK_INT(ask_as(&h, &h.impostor, 0, 5, UINT64_MAX), WITNESS_UNSIGNED);
    struct checkpoint_key both[] = {h.impostor.key, h.log.key};
    h.witness.logs = both;
    h.witness.n_logs = 2;
    CHECK_INT(ask(&h, 0, 5), WITNESS_SIGNED);
    CHECK_INT(ask_as(&h, &h.impostor, 5, 6, UINT64_MAX), WITNESS_SIGNED);
    house_close(&h);
}

TEST(state_that_is_not_its_own_is_not_believed)
{
    struct house h;
    house_open(&h, "state");
    REQUIRE(ask(&h, 0, 20) == WITNESS_SIGNED);
    signer_of(&h.signer, "witness.example/w", CHECKPOINT_WITNESS, 9);
    CHECK_INT(ask(&h, 20, 21), WITNESS_FAILED);
    CHECK_INT(h.out.len, 0);
    house_close(&h);
}

static int no_sync(void *ctx, int file)
{
    (void)ctx;
    (void)file;
    return ERR_IO;
}

static int no_names(void *ctx)
{
    (void)ctx;
    return ERR_IO;
}

TEST(what_is_not_durable_is_not_signed)
{
    struct house h;
    house_open(&h, "durable");
    struct store_io good = h.io;
    h.io.sync_data = no_sync;
    CHECK_INT(ask(&h, 0, 20), WITNESS_FAILED);
    CHECK_INT(h.out.len, 0);
    h.io = good;
    h.io.sync_names = no_names;
    CHECK_INT(ask(&h, 0, 20), WITNESS_FAILED);
    CHECK_INT(h.out.len, 0);
    house_close(&h);
}
