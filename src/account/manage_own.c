/* SPDX-License-Identifier: EUPL-1.2 */
/* What people do to their own accounts. */
#include "account/manage.h"

#include <sodium.h>

#include "account/show.h"
#include "base/json_write.h"

static int get_own(struct manage *m, struct book_user *ret)
{
    return book_get_user(m->account->book, m->who.user, ret);
}

/* Who has a session by other means may not find out its password by trying. */
int manage_own_check_job(struct manage *m, struct account_job *job)
{
    struct book_user user;
    struct account *a = m->account;
    struct slice password = manage_text(m, MEMBER_PASSWORD), fresh = manage_text(m, MEMBER_NEW);
    int error = get_own(m, &user);
    if (error) return error;
    if (password.len > PASSWORD_MAX)
        return manage_refuse(m, MANAGE_WRONG, "password", "this is not your password");
    if (m->action == ACTION_OWN_PASSWORD)
        error = manage_check_fresh(m, "new", fresh, slice_of(user.name));
    if (error) return error;
    if (throttle_wait(&a->names, slice_of(user.name), m->at.monotonic) > 0)
        return manage_refuse(m, MANAGE_TOO_MANY, "password", "too many wrong passwords: wait");
    throttle_charge(&a->names, slice_of(user.name), m->at.monotonic);
    memcpy(job->hash, user.password, sizeof job->hash);
    account_set_password(&job->old, password);
    account_set_password(&job->fresh, fresh);
    return 0;
}

/* The job is done: was it right, and is it still the password? */
static int check_password(struct manage *m, struct book_user *ret)
{
    int error = get_own(m, ret);
    if (error) return error;
    if (!m->hashed->right || strcmp(ret->password, m->job->hash) != 0)
        return manage_refuse(m, MANAGE_FORBIDDEN, "password", "this is not your password");
    throttle_pardon(&m->account->names, slice_of(ret->name));
    return 0;
}

int manage_own_show(struct manage *m)
{
    struct book_user user;
    int error = get_own(m, &user);
    buf_puts(m->out, "{\"user\":");
    if (error == 0) error = show_user(m->out, m->account->book, &user);
    json_write_member_u64(m->out, "tenant", m->tenant);
    json_write_key(m->out, "rights");
    rights_write(m->out, m->who.rights);
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
    int error = check_password(m, &user);
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
    int error = check_password(m, &user);
    if (error) return error;
    user.enrolling = true;
    totp_make(&user.next_app);
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

int manage_own_totp_end(struct manage *m)
{
    struct book_user user;
    int64_t step;
    int error = get_own(m, &user);
    if (error) return error;
    if (!user.enrolling)
        return manage_refuse(m, MANAGE_CONFLICT, NULL, "no app is waited for: begin first");
    if (!totp_check(&user.next_app, m->at.now, 0, manage_text(m, MEMBER_CODE), &step))
        return manage_refuse(m, MANAGE_WRONG, "code",
                             "this is not the code that the app shows now");
    user.app = user.next_app;
    user.app_step = step;
    user.has_app = true;
    user.enrolling = false;
    error = book_put_user(m->account->book, &user);
    if (error == 0) error = renew_recovery(m, user.id);
    if (error == 0) error = book_end_sessions(m->account->book, user.id, m->who.session);
    return error ? error : manage_log(m, slice_of(user.name));
}

/* ---- sessions ---------------------------------------------------------------------------- */

int manage_own_logout(struct manage *m)
{
    struct book *book = m->account->book;
    int error = manage_number(m, MEMBER_ALL) ? book_end_sessions(book, m->who.user, 0)
                                             : book_end_session(book, m->who.session);
    return error ? error : manage_log(m, slice_of(m->who.name));
}
