/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Requests over HTTPS by libcurl, on the loop: certificates and names are always checked, no
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

struct dial_request {
    const char *url;
    const char *token; /* for Authorization; NULL: none */
    struct slice form; /* of a POST; empty: its body is empty */
    bool post;
    nsec timeout;
};

struct dial_answer {
    const char *why; /* there is none, and why; else NULL */
    unsigned status;
    struct slice body;
    nsec retry_after;  /* 0: it does not say */
    struct slice next; /* the header NextPageUri; may be empty */
    bool too_large;    /* there is none because of its size */
};

/* One at a time. */
struct dial_call {
    struct dial *dial;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, next;
    bool busy;
    char error[CURL_ERROR_SIZE];
    /* From the loop; what is passed is borrowed until the next call begins. */
    void (*done)(void *ctx, const struct dial_answer *answer);
    void *ctx;
};

/* body_max: bytes of an answer, unpacked. ERR_NOMEM. */
int dial_call_init(struct dial_call *c, struct dial *h, size_t body_max) MUST_USE;
void dial_call_done(struct dial_call *c);
/* Not while it is busy. ERR_NOMEM: done() will not be called. */
int dial_call_begin(struct dial_call *c, const struct dial_request *request) MUST_USE;
/* done() will not be called. */
void dial_call_cancel(struct dial_call *c);
/* Gives back what an answer took. */
void dial_call_release(struct dial_call *c);

/* Appends text with all but letters, digits and -._~ as %XX (RFC 3986, 2.1). */
void dial_put_escaped(struct buf *out, struct slice text);

#endif
