/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who a client says it is. Every way that is wrong ends in the same answer, and costs about the
 * same: a name that does not exist is compared with a hash, too.
 */
#include <sodium.h>

#include "account/attempt.h"
#include "account/name.h"

enum { FREE_BY_NAME = 5, FREE_BY_ADDRESS = 20 };
#define DELAY_LEAST NSEC_PER_SEC
#define DELAY_MOST  (15 * 60 * NSEC_PER_SEC)

int account_init(struct account *a, struct book *book, const struct account_settings *settings,
                 uint64_t seed)
{
    char secret[SECRET_TEXT + 1];
    a->book = book;
    a->settings = *settings;
    throttle_init(&a->names, seed, FREE_BY_NAME, DELAY_LEAST, DELAY_MOST);
    throttle_init(&a->addresses, seed, FREE_BY_ADDRESS, DELAY_LEAST, DELAY_MOST);
    secret_make(secret);
    int error = book_veil_key(book, &a->veil);
    return error ? error : password_hash(slice_of(secret), settings->memory, a->nobody);
}

void account_done(struct account *a)
{
    body_clear(&a->body);
    book_close(a->book);
}

void account_set_password(struct account_password *ret, struct slice text)
{
    ASSERT(text.len <= sizeof ret->text);
    ret->len = text.len;
    if (text.len) memcpy(ret->text, text.ptr, text.len);
}

static bool has_to_wait(struct account *a, const struct attempt *t, struct account_principal *ret)
{
    uint32_t wait = attempt_wait(a, t);
    if (wait == 0) return false;
    ret->status = PRINCIPAL_WAIT;
    ret->wait = wait;
    return true;
}

static void broken(struct account *a, struct account_principal *ret)
{
    book_rollback(a->book);
    *ret = (struct account_principal){.status = PRINCIPAL_BROKEN};
}

/* ---- what is proved ---------------------------------------------------------------------- */

struct first_tenant {
    uint32_t tenant;
    bool any;
};

static bool take_first(void *ctx, uint32_t tenant, uint32_t roles)
{
    *(struct first_tenant *)ctx = (struct first_tenant){.tenant = tenant, .any = true};
    return roles == 0;
}

/* The rights of his roles in that tenant; none before what he must do first. */
static int set_rights(struct account *a, const struct book_user *user, uint32_t tenant,
                      struct account_principal *ret)
{
    struct first_tenant first = {.tenant = 0};
    uint32_t roles = 0;
    int error = 0;
    if (tenant == TENANT_ANY) {
        error = book_tenants(a->book, user->id, take_first, &first);
        tenant = first.tenant;
    }
    if (error == 0) error = book_roles(a->book, user->id, tenant, &roles);
    if (error) return error;
    ret->status = PRINCIPAL_KNOWN;
    ret->tenant = tenant;
    ret->user = user->id;
    ret->rights = rights_of_roles(roles);
    for (unsigned i = 0; i < a->settings.n_veiled; i++)
        ret->veiled |= a->settings.veiled[i] == tenant;
    memcpy(ret->name, user->name, sizeof ret->name);
    memcpy(ret->shown, user->shown, sizeof ret->shown);
    return 0;
}

static void set_duties(struct account *a, const struct book_user *user,
                       struct account_principal *ret)
{
    if (user->given) ret->must |= MUST_CHANGE_PASSWORD;
    else if (a->settings.app_required && !user->has_app && !user->subject[0])
        ret->must |= MUST_ENROL;
    if (ret->must) ret->rights = 0;
}

static int64_t end_of(const struct account *a, const struct book_session *s)
{
    int64_t idle = s->seen + a->settings.idle, longest = s->made + a->settings.longest;
    if (s->half) return s->made + HALF_SESSION;
    return idle < longest ? idle : longest;
}

static int prove_session(struct account *a, const struct secret_hash *hash, uint32_t tenant,
                         int64_t now, struct account_principal *ret)
{
    struct book_session session;
    struct book_user user;
    int error = book_find_session(a->book, hash, &session);
    if (error) return error;
    if (!secret_same(hash, &session.hash) || session.half || now >= end_of(a, &session))
        return ERR_NOT_FOUND;
    error = book_get_user(a->book, session.user, &user);
    if (error) return error;
    if (user.disabled) return ERR_NOT_FOUND;
    if (now - session.seen >= SEEN_EVERY) {
        session.seen = now;
        error = book_put_session(a->book, &session);
    }
    if (error == 0) error = set_rights(a, &user, tenant, ret);
    ret->session = session.id;
    ret->expires = end_of(a, &session);
    if (error == 0) set_duties(a, &user, ret);
    return error;
}

/* It is of one tenant, and never worth more than its owner is. */
static int prove_token(struct account *a, const struct secret_hash *hash, uint32_t tenant,
                       int64_t now, struct account_principal *ret)
{
    struct book_token token;
    struct book_user user;
    int error = book_find_token(a->book, hash, &token);
    if (error) return error;
    if (!secret_same(hash, &token.hash) || now >= token.expires) return ERR_NOT_FOUND;
    error = book_get_user(a->book, token.user, &user);
    if (error) return error;
    if (user.disabled) return ERR_NOT_FOUND;
    if (now - token.used >= SEEN_EVERY) error = book_use_token(a->book, token.id, now);
    if (error == 0) error = set_rights(a, &user, token.tenant, ret);
    ret->rights &= tenant == TENANT_ANY || tenant == token.tenant ? token.rights : 0;
    ret->tenant = tenant == TENANT_ANY ? token.tenant : tenant;
    ret->token = true;
    ret->session = token.id;
    ret->expires = token.expires;
    return error;
}

void account_prove(struct account *a, struct slice secret, uint32_t tenant, int64_t now,
                   struct account_principal *ret)
{
    struct secret_hash hash;
    bool token = slice_starts_with(secret, SLICE(API_TOKEN_PREFIX));
    *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
    if (secret.len != SECRET_TEXT + (token ? sizeof API_TOKEN_PREFIX - 1 : 0)) return;
    secret_hash(secret, &hash);
    int error =
        token ? prove_token(a, &hash, tenant, now, ret) : prove_session(a, &hash, tenant, now, ret);
    if (error == ERR_NOT_FOUND) *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
    else if (error) broken(a, ret);
}

/* ---- a new session ----------------------------------------------------------------------- */

static int add_session(struct account *a, const struct account_claim *claim,
                       const struct book_user *user, bool half, int64_t now,
                       struct account_principal *ret)
{
    struct book_session session = {.user = user->id, .half = half, .made = now, .seen = now};
    secret_make(ret->secret);
    secret_hash(slice_of(ret->secret), &session.hash);
    (void)slice_copy(slice_until(claim->address, ADDRESS_MAX), session.address,
                     sizeof session.address);
    int error = book_add_session(a->book, &session, &session.id);
    ret->session = session.id;
    ret->expires = end_of(a, &session);
    return error;
}

int account_begin_session(struct account *a, const struct account_claim *claim,
                          const struct book_user *user, int64_t now, struct account_principal *ret)
{
    int error = set_rights(a, user, claim->tenant, ret);
    if (error == 0) error = add_session(a, claim, user, false, now, ret);
    if (error == 0)
        error = book_log(a->book, &(struct book_entry){.time = now,
                                                       .actor = slice_of(user->name),
                                                       .what = SLICE("login"),
                                                       .subject = slice_of(user->name),
                                                       .address = claim->address});
    set_duties(a, user, ret);
    return error;
}

/* ---- passwords --------------------------------------------------------------------------- */

static const char refused_login[] = "login.refused";

static struct attempt attempt_of(const struct account_claim *claim, struct slice name,
                                 struct account_moment at)
{
    return (struct attempt){.name = name, .address = claim->address, .at = at};
}

static bool fits(const struct account_claim *c)
{
    return c->name.len <= ACCOUNT_NAME_MAX && c->secret.len <= PASSWORD_MAX &&
           c->code.len <= CODE_MAX && c->address.len <= ADDRESS_MAX;
}

/* 0, or ERR_NOT_FOUND: nobody can log in as that with a password. */
static int find_user(struct account *a, struct slice name, int64_t now, struct book_user *ret)
{
    int error = book_find_user(a->book, name, ret);
    if (error) return error;
    bool expired = ret->given && now >= ret->given;
    return ret->disabled || expired || !ret->password[0] ? ERR_NOT_FOUND : 0;
}

static bool password_begin(struct account *a, const struct account_claim *claim, struct slice name,
                           struct account_moment at, struct account_job *job,
                           struct account_principal *ret)
{
    struct book_user user;
    const struct attempt attempt = attempt_of(claim, name, at);
    if (has_to_wait(a, &attempt, ret)) return false;
    int error = find_user(a, name, at.now, &user);
    if (error && error != ERR_NOT_FOUND) {
        broken(a, ret);
        return false;
    }
    attempt_charge(a, &attempt);
    memcpy(job->hash, error ? a->nobody : user.password, sizeof job->hash);
    account_set_password(&job->old, claim->secret);
    if (password_is_dated(job->hash, a->settings.memory))
        account_set_password(&job->fresh, claim->secret);
    return true;
}

/* The password was right. ERR_NOT_FOUND: the code is not. */
static int password_is_right(struct account *a, const struct account_claim *claim,
                             const struct attempt *attempt, struct book_user *user,
                             const struct account_hashed *hashed, struct account_principal *ret)
{
    int error = 0;
    if (hashed->fresh[0]) {
        memcpy(user->password, hashed->fresh, sizeof user->password);
        error = book_put_user(a->book, user);
    }
    if (error == 0 && user->has_app && claim->code.len == 0) {
        error = add_session(a, claim, user, true, attempt->at.now, ret);
        ret->status = PRINCIPAL_NEEDS_CODE;
        return error;
    }
    if (error == 0 && user->has_app) error = attempt_code(a, attempt, user, claim->code);
    return error ? error : account_begin_session(a, claim, user, attempt->at.now, ret);
}

static void password_end(struct account *a, const struct account_claim *claim, struct slice name,
                         struct account_moment at, const struct account_job *job,
                         const struct account_hashed *hashed, struct account_principal *ret)
{
    struct book_user user;
    const struct attempt attempt = attempt_of(claim, name, at);
    if (hashed->failed) {
        attempt_refund(a, &attempt);
        *ret = (struct account_principal){.status = PRINCIPAL_BUSY, .wait = 1};
        return;
    }
    int error = book_begin(a->book);
    int found = error ? error : find_user(a, name, at.now, &user);
    bool right = found == 0 && hashed->right && strcmp(user.password, job->hash) == 0;
    if (error == 0 && found && found != ERR_NOT_FOUND) error = found;
    if (error == 0)
        error = right ? password_is_right(a, claim, &attempt, &user, hashed, ret) : ERR_NOT_FOUND;
    bool refused = error == ERR_NOT_FOUND;
    if (refused) error = attempt_log(a, &attempt, refused_login, found == 0);
    if (error == 0) error = book_commit(a->book);
    if (error) {
        broken(a, ret);
        return;
    }
    if (refused) {
        *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
        return;
    }
    attempt_refund(a, &attempt);
    if (ret->status == PRINCIPAL_KNOWN) throttle_pardon(&a->names, name);
}

/* ---- codes ------------------------------------------------------------------------------- */

static int half_session(struct account *a, struct slice secret, int64_t now,
                        struct book_session *ret_session, struct book_user *ret_user)
{
    struct secret_hash hash;
    secret_hash(secret, &hash);
    int error = book_find_session(a->book, &hash, ret_session);
    if (error) return error;
    if (!ret_session->half || now >= end_of(a, ret_session)) return ERR_NOT_FOUND;
    error = book_get_user(a->book, ret_session->user, ret_user);
    return error ? error : ret_user->disabled || !ret_user->has_app ? ERR_NOT_FOUND : 0;
}

static int count_try(struct account *a, struct book_session *session)
{
    session->tries++;
    return session->tries < HALF_TRIES ? book_put_session(a->book, session)
                                       : book_end_session(a->book, session->id);
}

/* 0: *ret says how it went. */
static int code_is_taken(struct account *a, const struct account_claim *claim,
                         const struct attempt *attempt, struct book_session *session,
                         struct book_user *user, struct account_principal *ret)
{
    int error = attempt_code(a, attempt, user, claim->code);
    if (error == 0) error = book_end_session(a->book, session->id);
    if (error == 0) return account_begin_session(a, claim, user, attempt->at.now, ret);
    if (error != ERR_NOT_FOUND) return error;
    error = count_try(a, session);
    return error ? error : attempt_log(a, attempt, refused_login, true);
}

static void code_claim(struct account *a, const struct account_claim *claim,
                       struct account_moment at, struct account_principal *ret)
{
    struct book_session session;
    struct book_user user;
    int error = half_session(a, claim->secret, at.now, &session, &user);
    if (error == ERR_NOT_FOUND) return;
    const struct attempt attempt = attempt_of(claim, slice_of(error ? "" : user.name), at);
    if (error == 0 && has_to_wait(a, &attempt, ret)) return;
    if (error == 0) {
        attempt_charge(a, &attempt);
        error = book_begin(a->book);
    }
    if (error == 0) error = code_is_taken(a, claim, &attempt, &session, &user, ret);
    if (error == 0) error = book_commit(a->book);
    if (error) {
        broken(a, ret);
        return;
    }
    if (ret->status != PRINCIPAL_KNOWN) return;
    attempt_refund(a, &attempt);
    throttle_pardon(&a->names, attempt.name);
}

/* ---- claims ------------------------------------------------------------------------------ */

/* One that can be nobody's counts as well, by what there is of it. */
static struct slice name_of(const struct account_claim *claim, char ret[ACCOUNT_NAME_MAX + 1])
{
    return name_read(claim->name, ret) ? slice_of(ret) : claim->name;
}

bool account_claim_begin(struct account *a, const struct account_claim *claim,
                         struct account_moment at, struct account_job *ret_job,
                         struct account_principal *ret)
{
    char name[ACCOUNT_NAME_MAX + 1];
    *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
    sodium_memzero(ret_job, sizeof *ret_job);
    if (!fits(claim)) return false;
    switch (claim->kind) {
    case CLAIM_PASSWORD:
        return password_begin(a, claim, name_of(claim, name), at, ret_job, ret);
    case CLAIM_CODE:
        code_claim(a, claim, at, ret);
        return false;
    case CLAIM_SESSION:
    case CLAIM_TOKEN:
        account_prove(a, claim->secret, claim->tenant, at.now, ret);
        if (ret->status == PRINCIPAL_KNOWN && ret->token != (claim->kind == CLAIM_TOKEN))
            *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
        return false;
    default:
        return false;
    }
}

void account_claim_end(struct account *a, const struct account_claim *claim,
                       struct account_moment at, const struct account_job *job,
                       const struct account_hashed *hashed, struct account_principal *ret)
{
    char name[ACCOUNT_NAME_MAX + 1];
    *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
    password_end(a, claim, name_of(claim, name), at, job, hashed, ret);
}

int account_tidy(struct account *a, int64_t now)
{
    return book_forget_sessions(a->book, now - a->settings.idle, now - a->settings.longest,
                                now - HALF_SESSION);
}
