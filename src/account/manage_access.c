/* SPDX-License-Identifier: EUPL-1.2 */
/* Sessions, tokens and the log: of others, and one's own. */
#include <sodium.h>

#include "account/manage.h"
#include "account/show.h"
#include "base/json_write.h"
#include "base/utf8.h"

enum {
    TOKEN_LONGEST = 400 * 24 * 3600, /* s: a year, and time to change it */
    LOG_PAGE = 200,
    LOG_PAGE_MAX = 1000,
};

/* ---- of whom ----------------------------------------------------------------------------- */

/* The user of that number, as manage_find() does it. */
static int find_owner(struct manage *m, uint64_t id, bool change, const char *what)
{
    struct book_user user;
    int error = book_get_user(m->account->book, id, &user);
    struct body_value *name = &m->account->body.values[MEMBER_NAME];
    if (error) return error;
    name->len = strlen(user.name);
    memcpy(name->text, user.name, name->len);
    error = manage_find(m, change, &user);
    return error == MANAGE_UNKNOWN ? manage_refuse(m, MANAGE_UNKNOWN, "id", what) : error;
}

static bool is_listed(struct manage *m, uint64_t user)
{
    uint32_t roles = 0;
    if (m->order->local || user == m->who.user) return true;
    return book_roles(m->account->book, user, m->tenant, &roles) == 0 && roles != 0;
}

static bool list_session(void *ctx, const struct book_session *session)
{
    struct manage *m = ctx;
    if (is_listed(m, session->user)) show_session(m->out, session);
    return !buf_failed(m->out);
}

static bool list_token(void *ctx, const struct book_token *token)
{
    struct manage *m = ctx;
    if (is_listed(m, token->user)) show_token(m->out, token);
    return !buf_failed(m->out);
}

/* 0: of all. */
static int named_user(struct manage *m, uint64_t *ret_id)
{
    struct book_user user = {.id = 0};
    int error = manage_has(m, MEMBER_NAME) ? manage_find(m, false, &user) : 0;
    if (error == 0) *ret_id = user.id;
    return error;
}

/* ---- sessions ---------------------------------------------------------------------------- */

static int list_sessions(struct manage *m, uint64_t user)
{
    buf_puts(m->out, "{\"sessions\":[");
    int error = book_sessions(m->account->book, user, list_session, m);
    buf_puts(m->out, "]}");
    return error;
}

int manage_session_list(struct manage *m)
{
    uint64_t user;
    int error = named_user(m, &user);
    return error ? error : list_sessions(m, user);
}

int manage_own_session_list(struct manage *m)
{
    return list_sessions(m, m->who.user);
}

static int end_session(struct manage *m, bool own)
{
    static const char none[] = "there is no such session";
    struct book_session session;
    int error = book_get_session(m->account->book, manage_number(m, MEMBER_ID), &session);
    if (error == ERR_NOT_FOUND || (error == 0 && own && session.user != m->who.user))
        return manage_refuse(m, MANAGE_UNKNOWN, "id", none);
    if (error == 0 && !own) error = find_owner(m, session.user, true, none);
    if (error == 0) error = book_end_session(m->account->book, session.id);
    return error ? error : manage_log(m, slice_of(session.name));
}

int manage_session_end(struct manage *m)
{
    return end_session(m, false);
}

int manage_own_session_end(struct manage *m)
{
    return end_session(m, true);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static int log_token(struct manage *m, const struct book_token *token, struct slice owner)
{
    struct buf detail;
    buf_init(&detail, 4096);
    buf_putc(&detail, '{');
    json_write_member_u64(&detail, "token", token->id);
    json_write_member_string(&detail, "label", slice_of(token->label));
    json_write_key(&detail, "rights");
    rights_write(&detail, token->rights);
    json_write_member_u64(&detail, "expires", (uint64_t)token->expires);
    buf_putc(&detail, '}');
    return manage_log_with(m, owner, &detail);
}

static int check_token(struct manage *m, const struct book_user *owner, struct book_token *token)
{
    struct slice label = manage_text(m, MEMBER_LABEL);
    uint32_t roles = 0;
    int error = book_roles(m->account->book, owner->id, token->tenant, &roles);
    if (error) return error;
    if (!utf8_valid(label) || !slice_copy(label, token->label, sizeof token->label))
        return manage_refuse(m, MANAGE_WRONG, "label", "1 to 64 bytes of UTF-8 are wanted");
    if (token->rights == 0)
        return manage_refuse(m, MANAGE_WRONG, "rights", "a token needs a right");
    if (token->rights & ~rights_of_roles(roles))
        return manage_refuse(m, MANAGE_WRONG, "rights",
                             "a token cannot have rights that its owner has not");
    if (token->expires <= m->at.now || token->expires > m->at.now + TOKEN_LONGEST)
        return manage_refuse(m, MANAGE_WRONG, "expires",
                             "a token ends within 400 days, as seconds since 1970 say it");
    return 0;
}

static int add_token(struct manage *m, const struct book_user *owner)
{
    char secret[sizeof API_TOKEN_PREFIX + SECRET_TEXT] = API_TOKEN_PREFIX;
    struct book_token token = {.user = owner->id,
                               .tenant = m->tenant,
                               .rights = manage_number(m, MEMBER_RIGHTS),
                               .made = m->at.now,
                               .expires = (int64_t)manage_number(m, MEMBER_EXPIRES)};
    int error = check_token(m, owner, &token);
    if (error) return error;
    secret_make(secret + sizeof API_TOKEN_PREFIX - 1);
    secret_hash(slice_of(secret), &token.hash);
    error = book_add_token(m->account->book, &token, &token.id);
    if (error == 0) error = log_token(m, &token, slice_of(owner->name));
    buf_putc(m->out, '{');
    json_write_member_u64(m->out, "id", token.id);
    json_write_member_string(m->out, "token", slice_of(secret));
    json_write_member_u64(m->out, "expires", (uint64_t)token.expires);
    buf_putc(m->out, '}');
    sodium_memzero(secret, sizeof secret);
    return error;
}

/* In the name of another, who may do more than the one who asks: nobody gets rights by that. */
int manage_token_add(struct manage *m)
{
    struct book_user user;
    int error = manage_find(m, true, &user);
    if (error) return error;
    if (!m->order->local && (manage_number(m, MEMBER_RIGHTS) & ~m->who.rights) != 0)
        return manage_refuse(m, MANAGE_FORBIDDEN, "rights",
                             "you cannot give rights that you have not");
    return add_token(m, &user);
}

int manage_own_token_add(struct manage *m)
{
    struct book_user user;
    if (m->who.must)
        return manage_refuse(m, MANAGE_FORBIDDEN, NULL, "change your password or add an app first");
    int error = book_get_user(m->account->book, m->who.user, &user);
    return error ? error : add_token(m, &user);
}

static int list_tokens(struct manage *m, uint64_t user)
{
    buf_puts(m->out, "{\"tokens\":[");
    int error = book_tokens(m->account->book, user, list_token, m);
    buf_puts(m->out, "]}");
    return error;
}

int manage_token_list(struct manage *m)
{
    uint64_t user;
    int error = named_user(m, &user);
    return error ? error : list_tokens(m, user);
}

int manage_own_token_list(struct manage *m)
{
    return list_tokens(m, m->who.user);
}

static int end_token(struct manage *m, bool own)
{
    static const char none[] = "there is no such token";
    struct book_token token;
    int error = book_get_token(m->account->book, manage_number(m, MEMBER_ID), &token);
    if (error == ERR_NOT_FOUND || (error == 0 && own && token.user != m->who.user))
        return manage_refuse(m, MANAGE_UNKNOWN, "id", none);
    if (error == 0 && !own) error = find_owner(m, token.user, true, none);
    if (error == 0) error = book_end_token(m->account->book, token.id);
    return error ? error : log_token(m, &token, slice_of(token.name));
}

int manage_token_revoke(struct manage *m)
{
    return end_token(m, false);
}

int manage_own_token_revoke(struct manage *m)
{
    return end_token(m, true);
}

/* ---- the log ----------------------------------------------------------------------------- */

static bool list_entry(void *ctx, const struct book_entry *entry)
{
    struct manage *m = ctx;
    if (m->order->local || entry->tenant == m->tenant) show_entry(m->out, entry);
    return !buf_failed(m->out);
}

int manage_log_list(struct manage *m)
{
    uint64_t limit = manage_has(m, MEMBER_LIMIT) ? manage_number(m, MEMBER_LIMIT) : LOG_PAGE;
    if (limit == 0 || limit > LOG_PAGE_MAX)
        return manage_refuse(m, MANAGE_WRONG, "limit", "1 to 1000 is wanted");
    buf_puts(m->out, "{\"log\":[");
    int error = book_entries(m->account->book, manage_number(m, MEMBER_AFTER), (uint32_t)limit,
                             manage_text(m, MEMBER_NAME), list_entry, m);
    buf_puts(m->out, "]}");
    return error;
}
