/* SPDX-License-Identifier: EUPL-1.2 */
/* A book in a folder of the test's own, and an account with hashes that cost next to nothing. */
#ifndef VAKA_TESTS_ACCOUNT_FIXTURE_H
#define VAKA_TESTS_ACCOUNT_FIXTURE_H

#include <sodium.h>
#include <stdlib.h>

#include "account/account.h"
#include "base/json_read.h"
#include "test.h"

enum { MEMORY = 64 * 1024, IDLE = 3600, LONGEST = 12 * 3600, NOW = 1790000000 };
#define ADDRESS SLICE("10.1.2.3")

static const struct strongbox_key fixture_key = {{7}};

struct fixture {
    struct account *account;
    struct account_moment at;
    struct buf out;
};

static inline void fixture_open(struct fixture *f, const char *name)
{
    struct book *book = NULL;
    struct diag diag = {0};
    struct account_settings settings = {.idle = IDLE, .longest = LONGEST, .memory = MEMORY};
    test_write(name, "");
    if (book_open(test_path(name), &fixture_key, &book, &diag) != 0)
        test_fail(__FILE__, __LINE__, "%s", diag.message);
    REQUIRE(book && secret_start());
    f->account = calloc(1, sizeof *f->account);
    REQUIRE(f->account && account_init(f->account, book, &settings, 1) == 0);
    f->at = (struct account_moment){.now = NOW, .monotonic = 1000 * NSEC_PER_SEC};
    buf_init(&f->out, MANAGE_ANSWER_MAX);
}

static inline void fixture_close(struct fixture *f)
{
    account_done(f->account);
    free(f->account);
    buf_done(&f->out);
}

static inline void fixture_pass(struct fixture *f, int64_t seconds)
{
    f->at.now += seconds;
    f->at.monotonic += seconds * NSEC_PER_SEC;
}

/* As hasher.h does it in a process of its own. */
static inline struct account_hashed fixture_hash(const struct account_job *job)
{
    struct account_hashed hashed = {.right = true};
    if (job->hash[0])
        hashed.right = password_verify(job->hash, slice_make(job->old.text, job->old.len));
    if (hashed.right && job->fresh.len)
        REQUIRE(password_hash(slice_make(job->fresh.text, job->fresh.len), MEMORY, hashed.fresh) ==
                0);
    return hashed;
}

__attribute__((noinline)) static struct account_principal
fixture_claim(struct fixture *f, const struct account_claim *claim)
{
    struct account_principal who;
    struct account_job job;
    if (account_claim_begin(f->account, claim, f->at, &job, &who)) {
        struct account_hashed hashed = fixture_hash(&job);
        account_claim_end(f->account, claim, f->at, &job, &hashed, &who);
    }
    return who;
}

static inline struct account_principal fixture_login(struct fixture *f, const char *name,
                                                     const char *password, const char *code)
{
    return fixture_claim(f, &(struct account_claim){.kind = CLAIM_PASSWORD,
                                                    .tenant = TENANT_ANY,
                                                    .address = ADDRESS,
                                                    .name = slice_of(name),
                                                    .secret = slice_of(password),
                                                    .code = slice_of(code)});
}

static inline struct account_principal fixture_prove(struct fixture *f, const char *secret,
                                                     uint32_t tenant)
{
    bool token = slice_starts_with(slice_of(secret), SLICE(API_TOKEN_PREFIX));
    return fixture_claim(f, &(struct account_claim){.kind = token ? CLAIM_TOKEN : CLAIM_SESSION,
                                                    .tenant = tenant,
                                                    .address = ADDRESS,
                                                    .secret = slice_of(secret)});
}

/* The status; the answer is f->out. `proof` NULL: from the command line of this machine. */
__attribute__((noinline)) static unsigned fixture_do(struct fixture *f, const char *proof,
                                                     enum account_action action, const char *body)
{
    struct account_job job;
    unsigned status = 0;
    const struct account_order order = {.action = action,
                                        .local = proof == NULL,
                                        .uid = 1000,
                                        .tenant = TENANT_ANY,
                                        .proof = slice_of(proof),
                                        .address = ADDRESS,
                                        .body = slice_of(body)};
    if (account_manage_begin(f->account, &order, f->at, &job, &status, &f->out)) {
        struct account_hashed hashed = fixture_hash(&job);
        account_manage_end(f->account, &order, f->at, &job, &hashed, &status, &f->out);
    }
    return status;
}

static inline struct slice fixture_member(const struct fixture *f, const char *name)
{
    struct slice value = SLICE_NONE, inside;
    (void)json_find_member(buf_slice(&f->out), name, NULL, &value);
    return json_string_inside(value, &inside) ? inside : value;
}

#endif
