/* SPDX-License-Identifier: EUPL-1.2 */
/* What people do to their own accounts. */
#include "account/manage.h"

#include <sodium.h>

#include "account/attempt.h"
#include "account/show.h"
#include "base/json_write.h"

static int get_own(struct manage *m, struct book_user *ret)
{
    return book_get_user(m->account->book, m->who.user, ret);
}

/* ---- a factor, shown again --------------------------------------------------------------- */

/* Who has a session by other means may neither keep it, nor find out the password by trying. */
static struct attempt attempt_of(const struct manage *m)
{
    return (struct attempt){.name = slice_of(m->who.name),
                            .address = slice_until(m->order->address, ADDRESS_MAX),
                            .at = m->at};
}

/* Who comes from the identity provider has nothing to show here, but that he came just now. */
static int check_foreign(struct manage *m)
{
    struct book_session session;
    if (m->action == ACTION_OWN_PASSWORD || m->action == ACTION_OWN_TOTP_BEGIN)
        return manage_refuse(m, MANAGE_CONFLICT, "password",
                             "the account has no password here: the identity provider has it");
    int error = book_get_session(m->account->book, m->who.session, &session);
    if (error) return error;
    if (m->at.now - session.made < m->account->settings.fresh) return 0;
    return manage_refuse(m, MANAGE_FORBIDDEN, NULL,
                         "log in again: your session did not begin just now");
}

/* That there is one thing that can be looked at. */
static int check_shown(struct manage *m, const struct book_user *user)
{
    bool code = manage_has(m, MEMBER_CODE);
    if (manage_has(m, MEMBER_PASSWORD) == code)
        return manage_refuse(m, MANAGE_WRONG, "password",
                             "your password is wanted, or a code of your app");
    if (code && !user->has_app)
        return manage_refuse(m, MANAGE_WRONG, "code", "you have no app: your password is wanted");
    if (code && manage_text(m, MEMBER_CODE).len > CODE_MAX)
        return manage_refuse(m, MANAGE_WRONG, "code", "this is no code");
    if (manage_text(m, MEMBER_PASSWORD).len > PASSWORD_MAX)
        return manage_refuse(m, MANAGE_WRONG, "password", "this is not your password");
    return 0;
}

int manage_own_job(struct manage *m, struct account_job *job)
{
    struct book_user user;
    const struct attempt attempt = attempt_of(m);
    struct slice fresh = manage_text(m, MEMBER_NEW);
    int error = get_own(m, &user);
    if (error) return error;
    if (!user.password[0]) return check_foreign(m);
    error = check_shown(m, &user);
    if (error) return error;
    if (m->action == ACTION_OWN_PASSWORD)
        error = manage_check_fresh(m, "new", fresh, slice_of(user.name));
    if (error) return error;
    if (attempt_wait(m->account, &attempt) > 0)
        return manage_refuse(m, MANAGE_TOO_MANY, NULL, "too many wrong passwords and codes: wait");
    attempt_charge(m->account, &attempt);
    if (manage_has(m, MEMBER_CODE)) return 0;
    memcpy(job->hash, user.password, sizeof job->hash);
    account_set_password(&job->old, manage_text(m, MEMBER_PASSWORD));
    account_set_password(&job->fresh, fresh);
    return 0;
}

/* The job is done: was it right, and is it still the password? ERR_NOT_FOUND: no. */
static int take_factor(struct manage *m, struct book_user *user)
{
    const struct attempt attempt = attempt_of(m);
    if (manage_has(m, MEMBER_CODE))
        return user->has_app ? attempt_code(m->account, &attempt, user, manage_text(m, MEMBER_CODE))
                             : ERR_NOT_FOUND;
    return m->hashed->right && strcmp(user->password, m->job->hash) == 0 ? 0 : ERR_NOT_FOUND;
}

int manage_own_check(struct manage *m)
{
    struct book_user user;
    struct account *a = m->account;
    const struct attempt attempt = attempt_of(m);
    int error = get_own(m, &user);
    if (error || !user.password[0]) return error;
    if (m->hashed->failed) {
        attempt_refund(a, &attempt);
        return 0;
    }
    error = book_begin(a->book);
    if (error == 0) error = take_factor(m, &user);
    bool wrong = error == ERR_NOT_FOUND;
    if (wrong) error = attempt_log(a, &attempt, "own.refused", true);
    if (error == 0) error = book_commit(a->book);
    if (error) {
        book_rollback(a->book);
        return error;
    }
    if (wrong)
        return manage_refuse(m, MANAGE_FORBIDDEN, NULL,
                             manage_has(m, MEMBER_CODE) ? "this is no code of your app"
                                                        : "this is not your password");
    attempt_refund(a, &attempt);
    throttle_pardon(&a->names, attempt.name);
    return 0;
}

/* ---- the account ------------------------------------------------------------------------- */

int manage_own_show(struct manage *m)
{
    struct book_user user;
    int error = get_own(m, &user);
    buf_puts(m->out, "{\"user\":");
    if (error == 0) error = show_user(m->out, m->account->book, &user);
    json_write_member_u64(m->out, "tenant", m->tenant);
    json_write_key(m->out, "rights");
    rights_write(m->out, m->who.rights);
    json_write_key(m->out, "may");
    show_rights(m->out, m->who.rights);
    json_write_key(m->out, "must");
    buf_puts(m->out, m->who.must & MUST_CHANGE_PASSWORD ? "\"change-password\""
                     : m->who.must & MUST_ENROL         ? "\"enrol\""
                                                        : "null");
    json_write_member_u64(m->out, "expires", (uint64_t)m->who.expires);
    buf_putc(m->out, '}');
    return error;
}

int manage_own_password(struct manage *m)
{
    struct book_user user;
    int error = get_own(m, &user);
    if (error) return error;
    memcpy(user.password, m->hashed->fresh, sizeof user.password);
    user.given = 0;
    error = book_put_user(m->account->book, &user);
    if (error == 0) error = book_end_sessions(m->account->book, user.id, m->who.session);
    return error ? error : manage_log(m, slice_of(user.name));
}

/* ---- the app ----------------------------------------------------------------------------- */

int manage_own_totp_begin(struct manage *m)
{
    struct book_user user;
    int error = get_own(m, &user);
    if (error) return error;
    user.enrolling = true;
    totp_make(&user.next_app);
    user.next_clock = (struct totp_clock){0};
    error = book_put_user(m->account->book, &user);
    if (error == 0) error = manage_log(m, slice_of(user.name));
    buf_puts(m->out, "{\"secret\":\"");
    totp_write_secret(m->out, &user.next_app);
    buf_puts(m->out, "\",\"uri\":\"");
    totp_write_uri(m->out, &user.next_app, slice_of(user.name));
    buf_puts(m->out, "\"}");
    return error;
}

static int renew_recovery(struct manage *m, uint64_t user)
{
    struct secret_hash hashes[RECOVERY_CODES];
    char code[RECOVERY_TEXT + 1];
    bool good = true;
    buf_puts(m->out, "{\"recovery\":[");
    for (unsigned i = 0; i < RECOVERY_CODES; i++) {
        recovery_make(code);
        good &= recovery_hash(slice_of(code), &hashes[i]);
        buf_printf(m->out, "%s\"%s\"", i ? "," : "", code);
    }
    buf_puts(m->out, "]}");
    sodium_memzero(code, sizeof code);
    ASSERT(good);
    return book_set_recovery(m->account->book, user, hashes, RECOVERY_CODES);
}

/* Typed late, or the clock of the phone is off: the next code tells. */
static int keep_off(struct manage *m, const struct book_user *user)
{
    int error = book_put_user(m->account->book, user);
    if (error) return error;
    m->kept = true;
    return manage_refuse(m, MANAGE_WRONG, "code",
                         "this code has run out, or the app's clock is off: type the next one");
}

int manage_own_totp_end(struct manage *m)
{
    struct book_user user;
    int error = get_own(m, &user);
    if (error) return error;
    if (!user.enrolling)
        return manage_refuse(m, MANAGE_CONFLICT, NULL, "no app is waited for: begin first");
    enum totp_verdict verdict =
        totp_check(&user.next_app, m->at.now, manage_text(m, MEMBER_CODE), &user.next_clock);
    if (verdict == TOTP_OFF) return keep_off(m, &user);
    if (verdict == TOTP_WRONG)
        return manage_refuse(m, MANAGE_WRONG, "code",
                             "this is not the code that the app shows now");
    user.app = user.next_app;
    user.app_clock = user.next_clock;
    user.has_app = true;
    user.app_lost = false;
    user.enrolling = false;
    error = book_put_user(m->account->book, &user);
    if (error == 0) error = renew_recovery(m, user.id);
    if (error == 0) error = book_end_sessions(m->account->book, user.id, m->who.session);
    return error ? error : manage_log(m, slice_of(user.name));
}

/* ---- sessions ---------------------------------------------------------------------------- */

int manage_own_logout(struct manage *m)
{
    int error = book_end_session(m->account->book, m->who.session);
    return error ? error : manage_log(m, slice_of(m->who.name));
}

int manage_own_sessions_end(struct manage *m)
{
    int error = book_end_sessions(m->account->book, m->who.user, m->who.session);
    return error ? error : manage_log(m, slice_of(m->who.name));
}
