/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Accounts while memory runs out: what was answered with success is in the book, whole, with its
 * line of the log; and nobody loses a role because there was no memory to read his groups.
 */
#include "account/account.h"

#include "account/veil.h"
#include "torture.h"

enum { NOW = 1790000000 };
static const struct account_moment at = {.now = NOW, .monotonic = NSEC_PER_SEC};

/* ERR_IO: it was refused. */
static int act(struct account *a, enum account_action action, const char *body, struct buf *out)
{
    struct account_job job;
    struct account_hashed hashed = {.right = true, .fresh = "$argon2id$none"};
    struct buf answer;
    unsigned status;
    const struct account_order order = {
        .action = action, .local = true, .tenant = 0, .body = slice_of(body)};
    buf_init(&answer, MANAGE_ANSWER_MAX);
    if (account_manage_begin(a, &order, at, &job, &status, &answer))
        account_manage_end(a, &order, at, &job, &hashed, &status, &answer);
    /* Whose password was made up is told another one each time. */
    if (status == 200 && action != ACTION_USER_ADD) buf_put(out, buf_slice(&answer));
    buf_done(&answer);
    return status == 200 ? 0 : ERR_IO;
}

static int vouch(struct account *a, const char *claims, struct buf *out)
{
    struct account_principal who;
    account_vouch(a, &(struct account_claim){.kind = CLAIM_RETURN, .tenant = TENANT_ANY},
                  slice_of(claims), at, &who);
    buf_printf(out, "%llx\n", (unsigned long long)who.rights);
    return who.status == PRINCIPAL_KNOWN ? 0 : ERR_IO;
}

static int work(struct account *a, struct buf *out)
{
    static const char groups[] = "{\"sub\":\"9\",\"email\":\"eva\",\"groups\":[\"s\\u006fc\"]}";
    int error = act(a, ACTION_USER_ADD, "{\"name\":\"anna\",\"roles\":[\"admin\"]}", out);
    if (error == 0)
        error = act(a, ACTION_ROLE_GRANT, "{\"name\":\"anna\",\"role\":\"viewer\"}", out);
    if (error == 0) error = vouch(a, groups, out);
    if (error == 0) error = vouch(a, groups, out);
    if (error == 0) error = account_veil(a, 1, 0, SLICE("[]"), NOW, out);
    if (error == 0) error = act(a, ACTION_USER_LIST, "", out);
    if (error == 0) error = act(a, ACTION_LOG_LIST, "", out);
    return error ? error : buf_error(out);
}

static int run(void *ctx, struct buf *out)
{
    struct account *a = ctx;
    struct book *book;
    struct diag diag;
    int error = book_open(":memory:", &(struct strongbox_key){{7}}, &book, &diag);
    if (error) return error;
    a->book = book;
    a->settings.groups = "groups";
    a->settings.n_vouched = 1;
    if (!account_vouched_read(SLICE("soc=analyst"), &a->settings.vouched[0])) error = ERR_INVALID;
    throttle_init(&a->names, 1, 5, NSEC_PER_SEC, 900 * NSEC_PER_SEC);
    if (error == 0) error = work(a, out);
    book_close(book);
    return error;
}

TEST(what_is_done_to_accounts_is_done_whole)
{
    static struct account account;
    REQUIRE(secret_start());
    account.settings.longest = account.settings.idle = 3600;
    torture_run(&(struct torture){.run = run, .ctx = &account});
}
