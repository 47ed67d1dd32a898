/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Requests over HTTPS, and mail, by libcurl, on the loop: certificates and names are checked, no
 * redirect is followed, answers are bounded in bytes and time. Addresses are looked up before the
 * sandbox is entered, and nothing else is connected to: neither files (but for the certificates
 * that are trusted) nor threads nor datagrams are needed then.
 */
#ifndef VAKA_DIAL_DIAL_H
#define VAKA_DIAL_DIAL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/loop.h"

enum { DIAL_NEXT_MAX = 16 * 1024 };
#define DIAL_TRUST "/etc/ssl/certs/ca-certificates.crt" /* of Debian's package ca-certificates */

struct dial;

struct dial_options {
    struct loop *loop; /* borrowed; watches: twice as many as calls, timers: 1 */
    const char *trust; /* borrowed: the file of certificates that vouch for others, PEM */
    const char *proxy; /* borrowed: "http://HOST:PORT"; NULL: none */
};

/* ERR_NOMEM. To be called once in a process, before the sandbox. */
int dial_new(const struct dial_options *options, struct dial **ret) MUST_USE;
/* No call is under way. May be NULL. */
void dial_free(struct dial *h);
/* Looks the host's addresses up, for the calls to come. ERR_NOT_FOUND: it has none now; ERR_NOMEM.
 */
int dial_look_up(struct dial *h, const char *host, uint16_t port) MUST_USE;
/* Its addresses are these now, as resolver.h finds them: for calls that begin from now on.
 * ERR_NOMEM.
 */
int dial_move(struct dial *h, const char *host, uint16_t port, struct slice addresses) MUST_USE;
/* It has this address, a number, and is not looked up. ERR_INVALID: it is none; ERR_NOMEM. */
int dial_pin(struct dial *h, const char *host, uint16_t port, const char *address) MUST_USE;

/* A message by SMTP: RFC 5321, with AUTH (RFC 4954) when the request has a user. */
struct dial_mail {
    const char *from, *to; /* addresses; `from` NULL: none is sent, only NOOP said */
    struct slice text;     /* the whole message, RFC 5322 */
    bool plain;            /* TLS is not asked for; else it has to be there (RFC 3207) */
};

struct dial_request {
    const char *url;            /* https://, smtp:// or smtps:// */
    const char *token;          /* for Authorization; NULL: none */
    const char *user, *secret;  /* Basic, or of SMTP; NULL: none */
    const char *type;           /* of the body; NULL: a form */
    const char *const *headers; /* more of them, "Name: value", up to a NULL; NULL: none */
    struct slice body;          /* of a POST; may be empty */
    bool post;
    bool once; /* over a connection of its own: nothing of it is said twice, should that break */
    const struct dial_mail *mail; /* over SMTP */
    nsec timeout;
    nsec connect; /* of that, for the connection; 0: as long as is usual */
};

struct dial_answer {
    const char *why; /* there is none, and why; else NULL */
    bool sent;       /* the other side may have understood it all the same */
    bool refused;    /* it did not get so far: who or what we are is not accepted */
    unsigned status; /* also the reply of SMTP */
    struct slice body;
    nsec retry_after;  /* 0: it does not say */
    struct slice next; /* the header NextPageUri, or what SMTP said last; may be empty */
    bool too_large;    /* there is none because of its size */
};

/* One at a time. */
struct dial_call {
    struct dial *dial;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, next;
    struct curl_slist *to; /* of mail */
    struct slice mail;     /* its text, and how much of it was handed over */
    size_t handed;
    bool mailing, busy;
    char error[CURL_ERROR_SIZE];
    /* From the loop; what is passed is borrowed until the next call begins. */
    void (*done)(void *ctx, const struct dial_answer *answer);
    void *ctx;
};

/* body_max: bytes of an answer, unpacked. ERR_NOMEM. */
int dial_call_init(struct dial_call *c, struct dial *h, size_t body_max) MUST_USE;
void dial_call_done(struct dial_call *c);
/* Not while it is busy. The text of a mail is borrowed until it is done, all else for the call.
 * ERR_NOMEM: done() will not be called. */
int dial_call_begin(struct dial_call *c, const struct dial_request *request) MUST_USE;
/* done() will not be called. */
void dial_call_cancel(struct dial_call *c);
/* Gives back what an answer took. */
void dial_call_release(struct dial_call *c);

#endif
