/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka token: API tokens of accounts. Tokens of who sends logs are lines of listen.tokens. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/accounts.h"
#include "cli/secret.h"
#include "config/value.h"

enum { O_RIGHT = OPTION_LONG };

static const struct cli_option add_options[] = {
    OPTION_SETTINGS(struct accounts),
    {O_RIGHT, "right", "RIGHT",
     "What it may do, such as alerts.read; may be repeated. 'vaka role list' has them.",
     OPTION_CALL},
    {'l', "label", "TEXT", "What it is for.", OPTION_TEXT(struct accounts, label)},
    {'e', "expires", "TIME", "How long it is good, such as 90d; at most 400d.",
     OPTION_TEXT(struct accounts, expires)},
    OPTION_TENANT,
    OPTION_REASON,
    OPTION_JSON,
};

static const struct cli_option list_options[] = {OPTION_SETTINGS(struct accounts), OPTION_JSON};

static const struct cli_option revoke_options[] = {OPTION_SETTINGS(struct accounts), OPTION_REASON};

static int take_right(void *ctx, int letter, const char *value)
{
    struct accounts *a = ctx;
    (void)letter;
    unsigned right = right_find(slice_of(value));
    if (right == RIGHT_COUNT)
        return cli_usage("there is no right '%s'; 'vaka role list' has them", value);
    a->rights |= right_bit(right);
    return 0;
}

static void tell_token(const struct accounts *a)
{
    struct buf out;
    struct slice answer = buf_slice(&a->answer);
    buf_init(&out, 1024);
    buf_printf(&out, "id         %u\ntoken      ", (unsigned)json_member_u64(answer, "id"));
    (void)text_put_visible(&out, json_member_text(answer, "token"), 256);
    buf_puts(&out, "\ngood until ");
    accounts_put_time(&out, json_member(answer, "expires"), 0);
    buf_putc(&out, '\n');
    (void)fwrite(out.ptr, 1, out.len, stdout);
    secret_done(&out);
}

static int add_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    const struct clock clock = clock_system();
    uint64_t good = 0;
    if (in->n_operands != 1) return cli_usage("token add wants the name of an account");
    if (!a->label) return cli_usage("token add wants to know what it is for (--label)");
    if (!a->rights) return cli_usage("token add wants what it may do (--right)");
    if (!a->expires || !value_parse(slice_of(a->expires), value_durations, &good))
        return cli_usage("token add wants how long it is good, such as --expires 90d");
    accounts_begin(a, in->operands[0]);
    accounts_put(a, "label", a->label);
    json_write_key(&a->body, "rights");
    rights_write(&a->body, a->rights);
    accounts_put_number(a, "expires",
                        (uint64_t)clock_realtime(&clock) / NSEC_PER_SEC + good / NSEC_PER_SEC);
    accounts_put_number(a, "tenant", a->tenant);
    return accounts_finish(a, ACTION_TOKEN_ADD, tell_token);
}

static void put_token(struct buf *out, struct slice token)
{
    buf_printf(out, "%-6u ", (unsigned)json_member_u64(token, "id"));
    text_put_padded(out, json_member_text(token, "name"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(token, "label"), 20);
    buf_puts(out, " until ");
    accounts_put_time(out, json_member(token, "expires"), 20);
    buf_puts(out, " used ");
    accounts_put_time(out, json_member(token, "used"), 20);
    buf_putc(out, ' ');
    accounts_put_names(out, json_member(token, "rights"), 0);
}

static void tell_tokens(const struct accounts *a)
{
    accounts_print_rows(a, "tokens", put_token);
}

static int list_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    if (in->n_operands > 1) return cli_usage("token list takes one account, or none");
    accounts_begin(a, in->n_operands ? in->operands[0] : NULL);
    return accounts_finish(a, ACTION_TOKEN_LIST, tell_tokens);
}

static int revoke_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    uint64_t id;
    if (in->n_operands != 1 || !slice_to_u64(slice_of(in->operands[0]), &id))
        return cli_usage("token revoke wants the id of a token, as 'vaka token list' has it");
    accounts_begin(a, NULL);
    accounts_put_number(a, "id", id);
    return accounts_finish(a, ACTION_TOKEN_REVOKE, NULL);
}

ACCOUNTS_COMMAND(
    token_add, "token add", "NAME", "make an API token of an account",
    "Prints it once; it is not kept. It may do what is said here, as long as its account may, in "
    "one tenant. Tokens of who sends logs are others: they are lines of the file that "
    "listen.tokens names.",
    add_options, take_right, add_run);
ACCOUNTS_COMMAND(
    token_list, "token list", "[NAME]", "list API tokens",
    "Their ids, accounts, labels, when they end and were used last, and rights; not themselves.",
    list_options, take_right, list_run);
ACCOUNTS_COMMAND(token_revoke, "token revoke", "ID", "end an API token", "At once.", revoke_options,
                 take_right, revoke_run);
