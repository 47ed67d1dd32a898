/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the process that knows who may do what answers: claims (claim.h) and actions (action.h).
 * Passwords are hashed elsewhere (hasher.h), because that takes long: both come in two parts, and
 * the first says whether a job stands between them.
 */
#ifndef VAKA_ACCOUNT_ACCOUNT_H
#define VAKA_ACCOUNT_ACCOUNT_H

#include "account/action.h"
#include "account/body.h"
#include "account/book.h"
#include "account/throttle.h"

enum {
    VEILED_MAX = 64,
    VOUCHED_MAX = 256,
    HALF_SESSION = 300,    /* s, in which the code of the app has to come */
    HALF_TRIES = 5,        /* codes that may be wrong meanwhile */
    SEEN_EVERY = 60,       /* s: how exactly it is kept when a session or token was used last */
    GIVEN_FOR = 72 * 3600, /* s that a password is good that was given to somebody */
    MANAGE_BODY_MAX = 16 * 1024,
    MANAGE_ANSWER_MAX = 4 * 1024 * 1024,
};

struct account_settings {
    int64_t idle, longest; /* s: how long a session lasts unseen, and at most */
    int64_t fresh; /* s that a login by the identity provider counts as a factor shown again */
    bool app_required;
    uint32_t veiled[VEILED_MAX]; /* tenants whose staff has pseudonyms */
    unsigned n_veiled;
    size_t memory; /* of a hash, bytes */
    bool refuses_stolen;
    int stolen; /* stolen.h; borrowed */
    /* What members of a group of the identity provider are. */
    const char *groups; /* the claim that has them */
    struct account_vouched {
        struct slice group;
        uint32_t tenant;
        unsigned role;
    } vouched[VOUCHED_MAX];
    unsigned n_vouched;
};

struct account {
    struct book *book;
    struct account_settings settings;
    struct throttle names, addresses;
    char nobody[PASSWORD_HASH_MAX]; /* what the password of who does not exist is compared with */
    struct veil_key veil;
    struct body body; /* of the action at hand */
};

/* `book` is the account's from now on. secret_start() was called. ERR_NOMEM. */
int account_init(struct account *a, struct book *book, const struct account_settings *settings,
                 uint64_t seed) MUST_USE;
void account_done(struct account *a);

/* What is to be done before the second part; a password without bytes is none. */
struct account_job {
    char hash[PASSWORD_HASH_MAX];
    struct account_password {
        size_t len;
        char text[PASSWORD_MAX];
    } old,      /* compared with the hash */
        fresh;  /* to be hashed, when that was right */
    bool given; /* fresh was made up here, and is to be told */
};
/* At most PASSWORD_MAX bytes. */
void account_set_password(struct account_password *ret, struct slice text);

struct account_hashed {
    bool right, failed; /* failed: there was no memory for it */
    char fresh[PASSWORD_HASH_MAX];
};

/* When something is asked. */
struct account_moment {
    int64_t now; /* s since 1970 */
    nsec monotonic;
};

/* ---- claims ---- */

/* As say_claim; borrowed. */
struct account_claim {
    unsigned kind;
    uint32_t tenant;
    struct slice address, name, secret, code;
};

/* As say_principal. */
struct account_principal {
    enum principal_status status;
    uint8_t must;
    bool token, veiled; /* veiled: he is to be shown pseudonyms of people, see veil.h */
    uint32_t wait, tenant;
    uint64_t user, rights, session;
    int64_t expires;
    char name[ACCOUNT_NAME_MAX + 1], shown[SHOWN_MAX + 1];
    char secret[SECRET_TEXT + 1];
    struct slice where; /* borrowed */
};

/* Whether a job is to be done, upon which account_claim_end() answers. */
bool account_claim_begin(struct account *a, const struct account_claim *claim,
                         struct account_moment at, struct account_job *ret_job,
                         struct account_principal *ret);
void account_claim_end(struct account *a, const struct account_claim *claim,
                       struct account_moment at, const struct account_job *job,
                       const struct account_hashed *hashed, struct account_principal *ret);
/*
 * The identity provider vouches for who a token's claims (a JSON object) say it is: he is an
 * account from now on, with the roles of his groups, and begins a session.
 */
void account_vouch(struct account *a, const struct account_claim *claim, struct slice claims,
                   struct account_moment at, struct account_principal *ret);
/* "GROUP=ROLE" or "GROUP=ROLE@TENANT"; borrows from the text. */
bool account_vouched_read(struct slice text, struct account_vouched *ret);
/* A session begins for that user; in a transaction. */
int account_begin_session(struct account *a, const struct account_claim *claim,
                          const struct book_user *user, int64_t now,
                          struct account_principal *ret) MUST_USE;
/* Whose session or token it is; also of actions. */
void account_prove(struct account *a, struct slice secret, uint32_t tenant, int64_t now,
                   struct account_principal *ret);

/* ---- actions ---- */

/* As say_manage; borrowed. */
struct account_order {
    unsigned action;
    bool local; /* from this machine's command line: `uid` is known, and may do everything */
    uint32_t uid, tenant;
    struct slice proof, address, body;
};

/* Whether a job is to be done; else *ret_status and the body are the answer. `out` is cleared. */
bool account_manage_begin(struct account *a, const struct account_order *order,
                          struct account_moment at, struct account_job *ret_job,
                          unsigned *ret_status, struct buf *out);
void account_manage_end(struct account *a, const struct account_order *order,
                        struct account_moment at, const struct account_job *job,
                        const struct account_hashed *hashed, unsigned *ret_status, struct buf *out);

/* Sessions that have ended by themselves are forgotten; now and then. 0, or as book.h. */
int account_tidy(struct account *a, int64_t now) MUST_USE;

#endif
