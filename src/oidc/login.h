/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Logins by an identity provider: OpenID Connect's authorization code flow (Core 1.0, 3.1) with
 * PKCE (RFC 7636, S256). The browser is sent to a URL and comes back with a code; what that code
 * stands for is fetched from the provider directly, and its token checked (id_token.h).
 *
 * Provider and keys are fetched at the start, then every hour, and when a token is signed by a key
 * that is not known yet, but not more often than once a minute.
 */
#ifndef VAKA_OIDC_LOGIN_H
#define VAKA_OIDC_LOGIN_H

#include "dial/dial.h"
#include "oidc/id_token.h"

enum {
    LOGINS_MAX = 256,   /* that were begun; the oldest is forgotten for one more */
    LOGIN_WITHIN = 600, /* s */
    LOGIN_CALLS = 8,    /* codes that are exchanged at the same time */
    LOGIN_RANDOM = 43,  /* of 32 bytes in base64url */
    LOGIN_CODE_MAX = 4096,
    LOGIN_URL_MAX = 8192,
};

struct login_options {
    struct loop *loop;
    struct clock clock;
    struct dial *dial;    /* knows the addresses of the hosts of the provider */
    const char *issuer;   /* "https://HOST…", as the provider says it */
    const char *client;   /* what the provider knows us as */
    struct slice secret;  /* empty: there is none */
    const char *redirect; /* where browsers come back to */
    /* Asked for as acr_values, the first the most wanted, and what comes has to be one of them;
     * none: any is good. No blanks in them. */
    const char *const *acr;
    uint32_t n_acr;
};

/* What became of a login. */
struct login_result {
    const char *why;     /* it was refused, a constant sentence; NULL: it was not */
    struct slice claims; /* a JSON object, borrowed for the call */
};

struct logins;

/* All but the clock is borrowed. A first fetch begins at once. ERR_NOMEM, ERR_LIMIT. */
int logins_new(const struct login_options *options, struct logins **ret) MUST_USE;
/* No login is told any more. May be NULL. */
void logins_free(struct logins *l);

/*
 * Appends the URL that the browser is sent to; *ret_state is for the browser to bring back and to
 * be bound to it meanwhile (a cookie). ERR_STOPPED: the provider was not reached yet.
 */
int logins_begin(struct logins *l, struct buf *url, char ret_state[LOGIN_RANDOM + 1]) MUST_USE;
/*
 * The browser has come back: done() is called later. ERR_NOT_FOUND: there is no such state, or no
 * more; ERR_LIMIT: LOGIN_CALLS are under way; ERR_INVALID: the code is none; ERR_NOMEM.
 */
int logins_return(struct logins *l, struct slice state, struct slice code,
                  void (*done)(void *ctx, const struct login_result *result), void *ctx) MUST_USE;
/* What is wrong with the provider; empty: nothing. */
const char *logins_trouble(const struct logins *l);

#endif
