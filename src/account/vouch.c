/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * People for whom the identity provider vouches. It says who they are and in which groups, at each
 * login; what that means here the settings say. An account that was made here is never theirs,
 * whatever the provider calls them.
 */
#include <stdio.h>

#include "account/account.h"
#include "account/name.h"
#include "base/json_read.h"

enum { CLAIM_TEXT_MAX = 1024 };

bool account_vouched_read(struct slice text, struct account_vouched *ret)
{
    struct slice role, tenant;
    uint64_t number = 0;
    size_t at = slice_find_last_byte(text, '=');
    if (at == SIZE_MAX || at == 0) return false;
    bool said = slice_split(slice_from(text, at + 1), '@', &role, &tenant);
    if (said && (!slice_to_u64(tenant, &number) || number >= TENANT_ANY)) return false;
    *ret = (struct account_vouched){
        .group = slice_until(text, at), .tenant = (uint32_t)number, .role = rights_role_find(role)};
    return ret->role < ACCOUNT_ROLE_COUNT;
}

/* ---- claims ------------------------------------------------------------------------------ */

/* `scratch` has its memory already: that there is none must not look like a group that was left. */
static bool is_group(struct buf *scratch, struct slice value, struct slice group)
{
    buf_clear(scratch);
    return json_string_text(value, scratch) && !buf_failed(scratch) &&
           slice_eq(buf_slice(scratch), group);
}

static bool is_member(struct buf *scratch, struct slice groups, struct slice group)
{
    struct json_parts it;
    struct slice name, part;
    if (groups.len == 0 || groups.ptr[0] != '[') return is_group(scratch, groups, group);
    json_parts_init(&it, groups);
    while (json_parts_next(&it, &name, &part))
        if (is_group(scratch, part, group)) return true;
    return false;
}

/* False: it is not there, or longer. */
static bool text_of(struct buf *scratch, struct slice claims, const char *name, char *ret,
                    size_t size)
{
    struct slice value;
    buf_clear(scratch);
    return json_find_member(claims, name, NULL, &value) && json_string_text(value, scratch) &&
           !buf_failed(scratch) && slice_find_byte(buf_slice(scratch), '\0') == SIZE_MAX &&
           slice_copy(buf_slice(scratch), ret, size);
}

/* By what he is known to people, else by a number of ours. */
static void name_user(struct buf *scratch, struct slice claims, struct book_user *user)
{
    static const char *const members[] = {"preferred_username", "email", "sub"};
    char text[SUBJECT_MAX + 1];
    bool named = false;
    for (size_t i = 0; i < sizeof members / sizeof *members && !named; i++)
        named = text_of(scratch, claims, members[i], text, sizeof text) &&
                name_read(slice_of(text), user->name);
    if (!named) user->name[0] = '\0';
    if (!text_of(scratch, claims, "name", user->shown, sizeof user->shown))
        memcpy(user->shown, user->name, sizeof user->name);
}

/* ---- roles ------------------------------------------------------------------------------- */

struct had {
    struct account *account;
    uint64_t user;
    struct slice groups;
    struct buf *scratch;
    uint32_t tenants[VOUCHED_MAX], roles[VOUCHED_MAX];
    unsigned n, wanted;
    bool changed;
};

static bool take_had(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct had *h = ctx;
    h->tenants[h->n] = tenant;
    h->roles[h->n++] = roles;
    return h->n < VOUCHED_MAX;
}

static bool is_wanted(const struct had *h, uint32_t tenant, unsigned role)
{
    const struct account_settings *s = &h->account->settings;
    for (unsigned i = 0; i < s->n_vouched; i++)
        if (s->vouched[i].tenant == tenant && s->vouched[i].role == role &&
            is_member(h->scratch, h->groups, s->vouched[i].group))
            return true;
    return false;
}

static int revoke_rest(struct had *h)
{
    int error = 0;
    for (unsigned i = 0; i < h->n; i++)
        for (unsigned role = 0; role < ACCOUNT_ROLE_COUNT && error == 0; role++) {
            if (!(h->roles[i] >> role & 1) || is_wanted(h, h->tenants[i], role)) continue;
            error = book_revoke(h->account->book, h->user, h->tenants[i], role);
            h->changed = true;
        }
    return error;
}

static int grant_wanted(struct had *h)
{
    const struct account_settings *s = &h->account->settings;
    int error = 0;
    for (unsigned i = 0; i < s->n_vouched && error == 0; i++) {
        uint32_t roles = 0;
        if (!is_member(h->scratch, h->groups, s->vouched[i].group)) continue;
        h->wanted++;
        error = book_roles(h->account->book, h->user, s->vouched[i].tenant, &roles);
        if (error || roles >> s->vouched[i].role & 1) continue;
        error = book_grant(h->account->book, h->user, s->vouched[i].tenant, s->vouched[i].role);
        h->changed = true;
    }
    return error;
}

static int tell(struct account *a, const struct account_claim *claim, const char *what,
                struct slice name, struct slice reason, int64_t now)
{
    return book_log(a->book, &(struct book_entry){.time = now,
                                                  .actor = SLICE("identity provider"),
                                                  .what = slice_of(what),
                                                  .subject = name,
                                                  .address = claim->address,
                                                  .reason = reason});
}

/* ERR_NOT_FOUND: he has no role here. */
static int set_roles(struct had *h, const struct account_claim *claim, const struct book_user *user,
                     int64_t now)
{
    struct book *book = h->account->book;
    int error = book_tenants(book, h->user, take_had, h);
    if (error == 0) error = revoke_rest(h);
    if (error == 0) error = grant_wanted(h);
    if (error == 0 && h->changed) error = book_end_sessions(book, h->user, 0);
    if (error == 0 && h->changed)
        error = tell(h->account, claim, "user.roles", slice_of(user->name), SLICE_NONE, now);
    return error ? error : h->wanted ? 0 : ERR_NOT_FOUND;
}

/* ---- people ------------------------------------------------------------------------------ */

static bool has_group(const struct account *a, struct buf *scratch, struct slice groups)
{
    for (unsigned i = 0; i < a->settings.n_vouched; i++)
        if (is_member(scratch, groups, a->settings.vouched[i].group)) return true;
    return false;
}

/* Who is new and would have no role is not added: ERR_NOT_FOUND, as for who has no name.
 * ERR_INVALID: an account of that name is another's. */
static int find_or_add(const struct had *h, const struct account_claim *claim, struct slice claims,
                       int64_t now, struct book_user *user)
{
    struct book_user known = {.made = now};
    struct account *a = h->account;
    if (!text_of(h->scratch, claims, "sub", known.subject, sizeof known.subject))
        return ERR_NOT_FOUND;
    int error = book_find_subject(a->book, slice_of(known.subject), user);
    if (error != ERR_NOT_FOUND) return error;
    name_user(h->scratch, claims, &known);
    *user = known;
    if (!known.name[0] || !has_group(a, h->scratch, h->groups)) return ERR_NOT_FOUND;
    error = book_add_user(a->book, user, &user->id);
    return error ? error : tell(a, claim, "user.add", slice_of(user->name), SLICE_NONE, now);
}

static const char *why_not(int error, const struct book_user *user)
{
    if (error == ERR_INVALID) return "an account of this name was made here";
    if (error == ERR_NOT_FOUND) return "he has no name or no group that is known here";
    return error == 0 && user->disabled ? "the account is disabled" : NULL;
}

static int vouch(struct account *a, const struct account_claim *claim, struct slice claims,
                 int64_t now, struct buf *scratch, struct account_principal *ret)
{
    struct book_user user = {.id = 0};
    struct had had = {.account = a, .scratch = scratch};
    (void)json_find_member(claims, a->settings.groups, NULL, &had.groups);
    int error = find_or_add(&had, claim, claims, now, &user);
    had.user = user.id;
    if (error == 0) error = set_roles(&had, claim, &user, now);
    const char *why = why_not(error, &user);
    if (why) return tell(a, claim, "login.refused", slice_of(user.name), slice_of(why), now);
    return error ? error : account_begin_session(a, claim, &user, now, ret);
}

void account_vouch(struct account *a, const struct account_claim *claim, struct slice claims,
                   struct account_moment at, struct account_principal *ret)
{
    struct buf scratch;
    buf_init(&scratch, CLAIM_TEXT_MAX);
    *ret = (struct account_principal){.status = PRINCIPAL_REFUSED};
    int error = buf_reserve(&scratch, CLAIM_TEXT_MAX) ? book_begin(a->book) : ERR_NOMEM;
    if (error == 0) error = vouch(a, claim, claims, at.now, &scratch, ret);
    if (error == 0) error = book_commit(a->book);
    buf_done(&scratch);
    if (error == 0) return;
    book_rollback(a->book);
    *ret = (struct account_principal){.status = PRINCIPAL_BROKEN};
}
