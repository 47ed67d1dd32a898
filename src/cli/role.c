/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka role: what roles may do, and who has them. */
#include "base/text.h"
#include "cli/accounts.h"

static const struct cli_option list_options[] = {
    {'f', "format", "table|json", "What is printed: a table, or one JSON object a role.",
     OPTION_CHOICE(struct accounts, json)},
};

static const struct cli_option grant_options[] = {OPTION_SETTINGS(struct accounts), OPTION_TENANT,
                                                  OPTION_REASON};

/* ---- the matrix, which is part of the program -------------------------------------------- */

static void print(struct buf *out)
{
    (void)fwrite(out->ptr, 1, out->len, stdout);
    buf_done(out);
}

static void put_json(struct buf *out, unsigned role)
{
    buf_printf(out, "{\"name\":\"%s\",\"text\":\"%s\",\"rights\":", rights_role_name(role),
               rights_role_text(role));
    rights_write(out, rights_of_role(role));
    buf_puts(out, "}\n");
}

static void put_matrix(struct buf *out)
{
    text_put_padded(out, SLICE("right"), 18);
    for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT; role++)
        buf_printf(out, " %s", rights_role_name(role));
    buf_putc(out, '\n');
    for (unsigned right = 0; right < RIGHT_COUNT; right++) {
        text_put_padded(out, slice_of(right_name(right)), 18);
        for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT; role++) {
            bool has = rights_of_role(role) & right_bit(right);
            buf_putc(out, ' ');
            text_put_padded(out, has ? SLICE("x") : SLICE("-"), strlen(rights_role_name(role)));
        }
        buf_printf(out, "  %s\n", right_text(right));
    }
}

static int list_run(const struct invocation *in)
{
    const struct accounts *a = in->ctx;
    struct buf out;
    if (in->n_operands) return cli_usage("role list takes no operands");
    buf_init(&out, 64 * 1024);
    if (!a->json) put_matrix(&out);
    for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT && a->json; role++) put_json(&out, role);
    print(&out);
    return EXIT_RAN;
}

static int show_run(const struct invocation *in)
{
    const struct accounts *a = in->ctx;
    struct buf out;
    if (in->n_operands != 1) return cli_usage("role show wants the name of a role");
    unsigned role = rights_role_find(slice_of(in->operands[0]));
    if (role == ACCOUNT_ROLE_COUNT)
        return cli_usage("there is no role '%s'; there are: " ACCOUNTS_ROLES, in->operands[0]);
    buf_init(&out, 64 * 1024);
    if (a->json) put_json(&out, role);
    else buf_printf(&out, "%s: %s\n", rights_role_name(role), rights_role_text(role));
    for (unsigned right = 0; right < RIGHT_COUNT && !a->json; right++)
        if (rights_of_role(role) & right_bit(right))
            buf_printf(&out, "  %-18s %s\n", right_name(right), right_text(right));
    print(&out);
    return EXIT_RAN;
}

/* ---- who has them ------------------------------------------------------------------------ */

static int change(const struct invocation *in, enum account_action action)
{
    struct accounts *a = in->ctx;
    if (in->n_operands != 2) return cli_usage("%s wants an account and a role", in->command->name);
    accounts_begin(a, in->operands[0]);
    accounts_put(a, "role", in->operands[1]);
    accounts_put_number(a, "tenant", a->tenant);
    return accounts_finish(a, action, NULL);
}

static int grant_run(const struct invocation *in)
{
    return change(in, ACTION_ROLE_GRANT);
}

static int revoke_run(const struct invocation *in)
{
    return change(in, ACTION_ROLE_REVOKE);
}

ACCOUNTS_COMMAND(
    role_list, "role list", "", "list roles and what they may do",
    "The permission matrix: a line a right, a column a role. It is part of the program, and the "
    "same for every front.",
    list_options, NULL, list_run);
ACCOUNTS_COMMAND(role_show, "role show", "ROLE", "show what one role may do",
                 "The rights of viewer, analyst, responder, on-call, admin or auditor.",
                 list_options, NULL, show_run);
ACCOUNTS_COMMAND(role_grant, "role grant", "NAME ROLE", "give an account a role",
                 "In one tenant. His sessions end, so that he has the role from his next login on.",
                 grant_options, NULL, grant_run);
ACCOUNTS_COMMAND(
    role_revoke, "role revoke", "NAME ROLE", "take a role from an account",
    "In one tenant. His sessions end, and his tokens lose what the role allowed. The last admin "
    "of a tenant stays.",
    grant_options, NULL, revoke_run);
