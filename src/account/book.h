/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who there is: people, their roles by tenant, sessions, tokens, and the log of all that was done
 * to them, in one SQLite file with one writer. Of secrets there are hashes, but for the key of an
 * app, which is sealed (strongbox.h). The log is only ever added to: triggers of the schema refuse
 * the rest.
 *
 * Times are in seconds since 1970; 0 is never. Where nothing else is said, functions return 0,
 * ERR_NOT_FOUND (there is no such row), ERR_INVALID (there is one of that name already), or ERR_IO,
 * ERR_LIMIT, ERR_NOMEM; after these three book_rollback() leaves what was committed.
 */
#ifndef VAKA_ACCOUNT_BOOK_H
#define VAKA_ACCOUNT_BOOK_H

#include "account/password.h"
#include "account/strongbox.h"

enum {
    SHOWN_MAX = 128, /* bytes of the name that people see */
    LABEL_MAX = 64,
    REASON_MAX = 1024,
    SUBJECT_MAX = 255, /* OpenID Connect Core 1.0, 2 */
    BOOK_VERSION = 2,
};

struct book;

/* Opens or makes the file, as sql_open() does; `key` is copied. */
int book_open(const char *path, const struct strongbox_key *key, struct book **ret,
              struct diag *diag) MUST_USE;
/* What was not committed is dropped. May be NULL. */
void book_close(struct book *b);

/* Changes are made between these two; book_commit() returns when they are durable. */
int book_begin(struct book *b) MUST_USE;
int book_commit(struct book *b) MUST_USE;
void book_rollback(struct book *b);

/* ---- people ---- */

struct book_user {
    uint64_t id;
    char name[ACCOUNT_NAME_MAX + 1]; /* letters and digits of ASCII, and . _ - @ */
    char shown[SHOWN_MAX + 1];
    char password[PASSWORD_HASH_MAX]; /* empty: nobody can log in with one */
    char subject[SUBJECT_MAX + 1];    /* what the identity provider calls him; empty: it does not */
    int64_t made, disabled;
    int64_t given; /* until when a password that was given to him is good; 0: it is his own */
    bool has_app, enrolling; /* enrolling: a code of the key in `next_app` is waited for */
    bool app_lost;           /* there is one, and it was sealed with another key: no code is good */
    struct totp_secret app, next_app;
    struct totp_clock app_clock, next_clock;
};

int book_find_user(struct book *b, struct slice name, struct book_user *ret) MUST_USE;
int book_get_user(struct book *b, uint64_t id, struct book_user *ret) MUST_USE;
/* Without an app. *ret_id: its number, which no other ever has. */
int book_add_user(struct book *b, const struct book_user *user, uint64_t *ret_id) MUST_USE;
/* Whom the identity provider calls so. */
int book_find_subject(struct book *b, struct slice subject, struct book_user *ret) MUST_USE;
/* Everything but id, name, subject and made. */
int book_put_user(struct book *b, const struct book_user *user) MUST_USE;
/* With roles, sessions, tokens and recovery codes. */
int book_remove_user(struct book *b, uint64_t id) MUST_USE;
/* How many have an app that is lost. */
int book_count_lost(struct book *b, uint64_t *ret) MUST_USE;
/* By name, until `each` returns false; that must not ask the book for users. */
int book_users(struct book *b, bool (*each)(void *ctx, const struct book_user *user),
               void *ctx) MUST_USE;

/* ---- roles ---- */

/* Bit N: the role N of rights.h. */
int book_roles(struct book *b, uint64_t user, uint32_t tenant, uint32_t *ret_roles) MUST_USE;
int book_grant(struct book *b, uint64_t user, uint32_t tenant, unsigned role) MUST_USE;
int book_revoke(struct book *b, uint64_t user, uint32_t tenant, unsigned role) MUST_USE;
/* Where he has a role, in order, until `each` returns false. */
int book_tenants(struct book *b, uint64_t user,
                 bool (*each)(void *ctx, uint32_t tenant, uint32_t roles), void *ctx) MUST_USE;
/* Of people who may log in, how many are admins of that tenant. */
int book_count_admins(struct book *b, uint32_t tenant, uint64_t *ret) MUST_USE;

/* ---- recovery codes ---- */

/* In place of those before. */
int book_set_recovery(struct book *b, uint64_t user, const struct secret_hash *codes,
                      unsigned n) MUST_USE;
/* It is gone then. */
int book_use_recovery(struct book *b, uint64_t user, const struct secret_hash *code) MUST_USE;
int book_count_recovery(struct book *b, uint64_t user, uint64_t *ret) MUST_USE;

/* ---- sessions ---- */

struct book_session {
    uint64_t id, user;
    struct secret_hash hash;
    bool half;      /* the code of the app has yet to come */
    uint32_t tries; /* of a half one: codes that were wrong */
    int64_t made, seen;
    char address[ADDRESS_MAX + 1];
    char name[ACCOUNT_NAME_MAX + 1]; /* the user's; of book_sessions() */
};

int book_add_session(struct book *b, const struct book_session *session, uint64_t *ret_id) MUST_USE;
int book_find_session(struct book *b, const struct secret_hash *hash,
                      struct book_session *ret) MUST_USE;
int book_get_session(struct book *b, uint64_t id, struct book_session *ret) MUST_USE;
/* seen and tries. */
int book_put_session(struct book *b, const struct book_session *session) MUST_USE;
int book_end_session(struct book *b, uint64_t id) MUST_USE;
/* All of one user but that one; 0: all. */
int book_end_sessions(struct book *b, uint64_t user, uint64_t but) MUST_USE;
/* Those that were not seen after `idle`, did not begin after `made`, or are half and did not after
 * `half`.
 */
int book_forget_sessions(struct book *b, int64_t idle, int64_t made, int64_t half) MUST_USE;
/* Of one user, or of all with 0, that are whole, until `each` returns false. */
int book_sessions(struct book *b, uint64_t user,
                  bool (*each)(void *ctx, const struct book_session *session), void *ctx) MUST_USE;

/* ---- tokens ---- */

struct book_token {
    uint64_t id, user, rights;
    uint32_t tenant;
    struct secret_hash hash;
    int64_t made, expires, used;
    char label[LABEL_MAX + 1];
    char name[ACCOUNT_NAME_MAX + 1]; /* the user's; of book_tokens() */
};

int book_add_token(struct book *b, const struct book_token *token, uint64_t *ret_id) MUST_USE;
int book_find_token(struct book *b, const struct secret_hash *hash,
                    struct book_token *ret) MUST_USE;
int book_get_token(struct book *b, uint64_t id, struct book_token *ret) MUST_USE;
int book_use_token(struct book *b, uint64_t id, int64_t now) MUST_USE;
int book_end_token(struct book *b, uint64_t id) MUST_USE;
/* All of one user. */
int book_end_tokens(struct book *b, uint64_t user) MUST_USE;
/* As book_sessions(). */
int book_tokens(struct book *b, uint64_t user,
                bool (*each)(void *ctx, const struct book_token *token), void *ctx) MUST_USE;

/* ---- pseudonyms: see veil.h ---- */

struct veil_key {
    uint8_t bytes[32];
};
int book_veil_key(struct book *b, struct veil_key *ret) MUST_USE;
/* Nothing happens when it is there. */
int book_keep_name(struct book *b, uint32_t tenant, struct slice pseudonym,
                   struct slice name) MUST_USE;
/* Appends the name. */
int book_find_name(struct book *b, uint32_t tenant, struct slice pseudonym,
                   struct buf *out) MUST_USE;
/* Those behind a pseudonym, in order, at most `limit`, until `each` returns false. */
int book_names(struct book *b, uint32_t tenant, struct slice after, uint32_t limit,
               bool (*each)(void *ctx, struct slice pseudonym, struct slice name),
               void *ctx) MUST_USE;
/* Until when that user sees the name; in place of what was there. */
int book_lift(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym,
              int64_t until) MUST_USE;
int book_lifted(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym,
                int64_t *ret_until) MUST_USE;

/* ---- the log ---- */

struct book_entry {
    uint64_t id; /* grows */
    int64_t time;
    uint32_t tenant;
    struct slice actor;   /* "anna", or "uid 0" of the machine; empty: nobody is known */
    struct slice what;    /* "user.add" */
    struct slice subject; /* whom or what it is about */
    struct slice address, reason;
    struct slice detail; /* a JSON object, or empty */
};

int book_log(struct book *b, const struct book_entry *entry) MUST_USE;
/* Those with an id above `after`, in order, at most `limit`; with a name, of whom it is the actor
 * or the subject. */
int book_entries(struct book *b, uint64_t after, uint32_t limit, struct slice name,
                 bool (*each)(void *ctx, const struct book_entry *entry), void *ctx) MUST_USE;

#endif
