/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a front (web) says about who is asking, and what it is told. The front keeps nothing: it
 * hands on what the client sent, with the client's address, for every request, and gets the rights
 * that this proves, in the tenant it asks for. It never gets a hash, a key, or a right of a person
 * whose secret it was not given.
 */
#ifndef VAKA_ACCOUNT_CLAIM_H
#define VAKA_ACCOUNT_CLAIM_H

#include "base/slice.h"

/* say_claim.kind; which of name, secret and code it reads. */
enum claim_kind {
    /* name, secret: the password, code: of the app, a recovery code, or empty. Begins a session. */
    CLAIM_PASSWORD = 1,
    /* secret: of PRINCIPAL_NEEDS_CODE, code: of the app, or a recovery code. Begins a session. */
    CLAIM_CODE = 2,
    CLAIM_SESSION = 3, /* secret: of the session, as it was given when it began */
    CLAIM_TOKEN = 4,   /* secret: an API token, "vaka_…" */
    /* Somebody wants to log in by the identity provider: the answer is PRINCIPAL_ELSEWHERE. */
    CLAIM_ELSEWHERE = 5,
    /* He has come back: name: the state, which the front has seen to be that browser's, secret: the
     * code. Begins a session. */
    CLAIM_RETURN = 6,
};

/* say_principal.status */
enum principal_status {
    PRINCIPAL_KNOWN = 1,
    /* The password is right, and the account has an app: `secret` is for CLAIM_CODE, and is worth
     * nothing else; until `expires`. */
    PRINCIPAL_NEEDS_CODE = 2,
    /* Wrong, ended, expired, or there is no such account: which of them nobody is told. */
    PRINCIPAL_REFUSED = 3,
    /* Too many wrong ones for the account (whether it exists or not) or from the address: nothing
     * was looked at; `wait` seconds (Retry-After). */
    PRINCIPAL_WAIT = 4,
    /* More passwords wait to be checked than is good; again in `wait` seconds. */
    PRINCIPAL_BUSY = 5,
    /* The process that knows cannot know now: its disk fails, or is full. */
    PRINCIPAL_BROKEN = 6,
    /* The browser is to go to the URL `where`, and `secret` is the state that it brings back: the
     * front binds it to the browser (a cookie) until then. */
    PRINCIPAL_ELSEWHERE = 7,
};

/* say_principal.must: before anything else; until then `rights` is 0, and only actions of
 * one's own (action.h) are taken. */
enum principal_must {
    MUST_CHANGE_PASSWORD = 1, /* the one he has was given to him */
    MUST_ENROL = 2,           /* the settings want an app of everybody */
};

/* say_claim.tenant: where the user has a role, the first of them. */
#define TENANT_ANY UINT32_MAX

/* Bytes; longer ones are refused unread. */
enum {
    ACCOUNT_NAME_MAX = 64,
    PASSWORD_MIN = 12, /* characters */
    PASSWORD_MAX = 256,
    CODE_MAX = 32,
    FOREIGN_CODE_MAX = 4096, /* of CLAIM_RETURN */
    ADDRESS_MAX = 64,
    SECRET_BYTES = 32,                        /* of sessions and tokens, random */
    SECRET_TEXT = (SECRET_BYTES * 4 + 2) / 3, /* in base64url without padding */
};
#define API_TOKEN_PREFIX "vaka_"

#endif
