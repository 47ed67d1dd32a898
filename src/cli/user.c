/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka user: who may use the API and the console. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/accounts.h"
#include "cli/secret.h"

enum { O_ROLE = OPTION_LONG };

/* ---- passwords --------------------------------------------------------------------------- */

#define OPTION_PASSWORDS                                                                           \
    {0, "stdin", NULL, "Read the password from the first line of standard input.",                 \
     OPTION_FLAG(struct accounts, from_stdin)},                                                    \
    {                                                                                              \
        0, "invite", NULL,                                                                         \
            "Make a password up and print it once: it is good for three days, and has to be "      \
            "changed at the first login.",                                                         \
            OPTION_FLAG(struct accounts, invite)                                                   \
    }

static int put_password(struct accounts *a)
{
    struct buf password;
    if (a->invite && a->from_stdin) return cli_usage("either --stdin or --invite");
    if (a->invite) return 0;
    buf_init(&password, 4096);
    int status = secret_read(a->from_stdin, &password);
    if (status == 0) json_write_member_string(&a->body, "password", buf_slice(&password));
    secret_done(&password);
    return status;
}

static void tell_password(const struct accounts *a)
{
    struct buf out;
    struct slice answer = buf_slice(&a->answer), password = json_member_text(answer, "password");
    if (!password.len) return;
    buf_init(&out, 1024);
    buf_puts(&out, "password   ");
    (void)text_put_visible(&out, password, 256);
    buf_puts(&out, "\ngood until ");
    accounts_put_time(&out, json_member(answer, "good_until"), 0);
    buf_puts(&out, "\n");
    (void)fwrite(out.ptr, 1, out.len, stdout);
    secret_done(&out);
}

/* ---- what the commands do ---------------------------------------------------------------- */

static int one_name(const struct invocation *in)
{
    return in->n_operands == 1 ? 0
                               : cli_usage("%s wants the name of an account", in->command->name);
}

static int with_password(const struct invocation *in, enum account_action action)
{
    struct accounts *a = in->ctx;
    int status = one_name(in);
    if (status) return status;
    accounts_begin(a, in->operands[0]);
    if (action == ACTION_USER_ADD) {
        accounts_put(a, "shown", a->shown);
        json_write_key(&a->body, "roles");
        rights_write_roles(&a->body, (uint32_t)a->roles);
        accounts_put_number(a, "tenant", a->tenant);
    }
    status = put_password(a);
    if (status == 0) return accounts_finish(a, action, tell_password);
    accounts_done(a);
    return status;
}

static int plainly(const struct invocation *in, enum account_action action)
{
    struct accounts *a = in->ctx;
    int status = one_name(in);
    if (status) return status;
    accounts_begin(a, in->operands[0]);
    return accounts_finish(a, action, NULL);
}

static int add_run(const struct invocation *in)
{
    return with_password(in, ACTION_USER_ADD);
}

static int password_run(const struct invocation *in)
{
    return with_password(in, ACTION_USER_PASSWORD);
}

static int disable_run(const struct invocation *in)
{
    return plainly(in, ACTION_USER_DISABLE);
}

static int enable_run(const struct invocation *in)
{
    return plainly(in, ACTION_USER_ENABLE);
}

static int remove_run(const struct invocation *in)
{
    return plainly(in, ACTION_USER_REMOVE);
}

static int totp_run(const struct invocation *in)
{
    return plainly(in, ACTION_USER_TOTP);
}

static int unlock_run(const struct invocation *in)
{
    return plainly(in, ACTION_USER_UNLOCK);
}

/* ---- what is printed --------------------------------------------------------------------- */

static void put_roles(struct buf *out, struct slice user)
{
    struct json_parts it;
    struct slice name, part;
    bool any = false;
    json_parts_init(&it, json_member(user, "roles"));
    while (json_parts_next(&it, &name, &part)) {
        buf_puts(out, any ? "; " : "");
        any = true;
        if (json_member_u64(part, "tenant"))
            buf_printf(out, "tenant %u: ", (unsigned)json_member_u64(part, "tenant"));
        accounts_put_names(out, json_member(part, "roles"), 0);
    }
}

static bool is(struct slice user, const char *member)
{
    return slice_eq(json_member(user, member), SLICE("true"));
}

static void put_user(struct buf *out, struct slice user)
{
    bool disabled = !slice_eq(json_member(user, "disabled"), SLICE("null"));
    text_put_padded(out, json_member_text(user, "name"), 20);
    buf_putc(out, ' ');
    text_put_padded(out,
                    slice_of(disabled                    ? "disabled"
                             : is(user, "elsewhere")     ? "elsewhere"
                             : !is(user, "own_password") ? "invited"
                             : is(user, "app")           ? "app"
                                                         : "password"),
                    9);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(user, "shown"), 24);
    buf_putc(out, ' ');
    put_roles(out, user);
}

static void tell_users(const struct accounts *a)
{
    accounts_print_rows(a, "users", put_user);
}

static int list_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    if (in->n_operands) return cli_usage("user list takes no operands");
    accounts_begin(a, NULL);
    return accounts_finish(a, ACTION_USER_LIST, tell_users);
}

static void tell_user(const struct accounts *a)
{
    struct slice user = buf_slice(&a->answer);
    struct buf out;
    buf_init(&out, 64 * 1024);
    buf_puts(&out, "name           ");
    (void)text_put_visible(&out, json_member_text(user, "name"), SIZE_MAX);
    buf_puts(&out, "\nshown as       ");
    (void)text_put_visible(&out, json_member_text(user, "shown"), SIZE_MAX);
    buf_puts(&out, "\nroles          ");
    put_roles(&out, user);
    buf_puts(&out, "\nmade           ");
    accounts_put_time(&out, json_member(user, "made"), 0);
    buf_puts(&out, "\ndisabled       ");
    accounts_put_time(&out, json_member(user, "disabled"), 0);
    buf_printf(&out, "\npassword       %s\napp            %s\nrecovery codes %u\n",
               is(user, "elsewhere")      ? "the identity provider's"
               : is(user, "own_password") ? "his own"
                                          : "was given to him, has to be changed",
               is(user, "app") ? "yes" : "no", (unsigned)json_member_u64(user, "recovery_codes"));
    (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
}

static int show_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    int status = one_name(in);
    if (status) return status;
    accounts_begin(a, in->operands[0]);
    return accounts_finish(a, ACTION_USER_SHOW, tell_user);
}

static void put_entry(struct buf *out, struct slice entry)
{
    buf_printf(out, "%-6u ", (unsigned)json_member_u64(entry, "id"));
    accounts_put_time(out, json_member(entry, "time"), 24);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(entry, "actor"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(entry, "what"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(entry, "subject"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(entry, "address"), 16);
    buf_putc(out, ' ');
    (void)text_put_visible(out, json_member_text(entry, "reason"), SIZE_MAX);
}

static void tell_log(const struct accounts *a)
{
    accounts_print_rows(a, "log", put_entry);
}

static int log_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    if (in->n_operands > 1) return cli_usage("user log takes one name, or none");
    accounts_begin(a, in->n_operands ? in->operands[0] : NULL);
    accounts_put_number(a, "after", a->after);
    if (a->last) accounts_put_number(a, "limit", a->last);
    return accounts_finish(a, ACTION_LOG_LIST, tell_log);
}

static void tell_name(const struct accounts *a)
{
    struct buf out;
    buf_init(&out, 8192);
    (void)text_put_visible(&out, json_member_text(buf_slice(&a->answer), "name"), SIZE_MAX);
    buf_putc(&out, '\n');
    (void)fwrite(out.ptr, 1, out.len, stdout);
    secret_done(&out);
}

/* Who it is, once: nobody's view of the API changes by it. */
static int lift_run(const struct invocation *in)
{
    struct accounts *a = in->ctx;
    if (in->n_operands != 1) return cli_usage("user lift wants a pseudonym");
    if (!a->reason) return cli_usage("user lift wants a --reason");
    accounts_begin(a, NULL);
    accounts_put(a, "pseudonym", in->operands[0]);
    accounts_put_number(a, "tenant", a->tenant);
    return accounts_finish(a, ACTION_PSEUDONYM_LIFT, tell_name);
}

/* ---- options ----------------------------------------------------------------------------- */

static int take_role(void *ctx, int letter, const char *value)
{
    struct accounts *a = ctx;
    (void)letter;
    a->roles |= UINT64_C(1) << rights_role_find(slice_of(value));
    return 0;
}

static const struct cli_option add_options[] = {
    OPTION_SETTINGS(struct accounts),
    {O_ROLE, "role", ACCOUNTS_ROLES,
     "A role of the account; may be repeated. 'vaka role list' has what each may do.", OPTION_CALL},
    {'s', "shown", "TEXT", "What people see for the name, such as 'Anna Lind'.",
     OPTION_TEXT(struct accounts, shown)},
    OPTION_TENANT,
    OPTION_PASSWORDS,
    OPTION_REASON,
    OPTION_JSON,
};

static const struct cli_option password_options[] = {OPTION_SETTINGS(struct accounts),
                                                     OPTION_PASSWORDS, OPTION_REASON, OPTION_JSON};

static const struct cli_option plain_options[] = {OPTION_SETTINGS(struct accounts), OPTION_REASON};

static const struct cli_option lift_options[] = {OPTION_SETTINGS(struct accounts), OPTION_TENANT,
                                                 OPTION_REASON, OPTION_JSON};

static const struct cli_option show_options[] = {OPTION_SETTINGS(struct accounts), OPTION_JSON};

static const struct cli_option log_options[] = {
    OPTION_SETTINGS(struct accounts),
    {0, "after", "ID", "Only entries with a higher id than this.",
     OPTION_NUMBER(struct accounts, after, 0, INT64_MAX)},
    {'n', "last", "N", "At most N entries; default: 200.",
     OPTION_NUMBER(struct accounts, last, 1, 1000)},
    OPTION_JSON,
};

ACCOUNTS_COMMAND(
    user_add, "user add", "NAME", "make an account for the API and the console",
    "The account is there at once, also of a vaka serve that runs; its password is asked for at "
    "the terminal, or see --stdin and --invite. A password has at least 12 characters, and is "
    "none of those that are tried first. Root and the user of vaka serve may do this.",
    add_options, take_role, add_run);
ACCOUNTS_COMMAND(
    user_list, "user list", "", "list accounts",
    "Name, how he logs in (password, app, elsewhere, invited, disabled), what people see, roles.",
    show_options, take_role, list_run);
ACCOUNTS_COMMAND(user_show, "user show", "NAME", "show an account",
                 "What is known of it, but for secrets.", show_options, take_role, show_run);
ACCOUNTS_COMMAND(
    user_disable, "user disable", "NAME", "keep somebody out",
    "His sessions end, his tokens are worth nothing, until 'vaka user enable'. The last admin "
    "of a tenant stays.",
    plain_options, take_role, disable_run);
ACCOUNTS_COMMAND(user_enable, "user enable", "NAME", "let somebody in again",
                 "Undoes 'vaka user disable'.", plain_options, take_role, enable_run);
ACCOUNTS_COMMAND(
    user_password, "user password", "NAME", "give an account another password",
    "For who has forgotten it, or when somebody else has it. His sessions and API tokens end, and "
    "what made him wait is forgotten.",
    password_options, take_role, password_run);
ACCOUNTS_COMMAND(
    user_totp, "user totp", "NAME", "take the app with codes off an account",
    "For who has lost the telephone and the recovery codes. His sessions end; where accounts.app "
    "says so, he has to add another one at his next login.",
    plain_options, take_role, totp_run);
ACCOUNTS_COMMAND(user_unlock, "user unlock", "NAME", "let somebody try again at once",
                 "Forgets the wrong passwords for which he would have to wait.", plain_options,
                 take_role, unlock_run);
ACCOUNTS_COMMAND(
    user_remove, "user remove", "NAME", "remove an account",
    "With its roles, sessions and tokens; the log of what it did stays. The last admin of a "
    "tenant stays.",
    plain_options, take_role, remove_run);
ACCOUNTS_COMMAND(
    user_log, "user log", "[NAME]", "show what was done to accounts, and who logged in",
    "When, who, what, to whom, from where, and why; of one account, or of all. It is only ever "
    "added to.",
    log_options, take_role, log_run);
ACCOUNTS_COMMAND(
    user_lift, "user lift", "PSEUDONYM", "say who a pseudonym is",
    "Where accounts.pseudonyms has names of staff shown as person-0123456789ab. It wants a "
    "--reason, and the log of accounts ('vaka user log') keeps who asked, when and why.",
    lift_options, take_role, lift_run);
