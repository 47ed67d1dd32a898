/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Requests over HTTPS by libcurl, on the loop: certificates and names are always checked, no
 * redirect is followed, answers are bounded in bytes and time. Addresses are looked up before the
 * sandbox is entered, and nothing else is connected to: neither files (but for the certificates
 * that are trusted) nor threads nor datagrams are needed then.
 */
#ifndef VAKA_PULL_WEB_H
#define VAKA_PULL_WEB_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/loop.h"

enum { WEB_NEXT_MAX = 16 * 1024 };
#define WEB_TRUST "/etc/ssl/certs/ca-certificates.crt" /* of Debian's package ca-certificates */

struct web;

struct web_options {
    struct loop *loop; /* borrowed; watches: twice as many as calls, timers: 1 */
    const char *trust; /* borrowed: the file of certificates that vouch for others, PEM */
    const char *proxy; /* borrowed: "http://HOST:PORT"; NULL: none */
};

/* ERR_NOMEM. To be called once in a process, before the sandbox. */
int web_new(const struct web_options *options, struct web **ret) MUST_USE;
/* No call is under way. May be NULL. */
void web_free(struct web *h);
/* Looks the host's addresses up, for the calls to come. ERR_NOT_FOUND: it has none now; ERR_NOMEM.
 */
int web_look_up(struct web *h, const char *host, uint16_t port) MUST_USE;

struct web_request {
    const char *url;
    const char *token; /* for Authorization; NULL: none */
    struct slice form; /* of a POST; empty: its body is empty */
    bool post;
    nsec timeout;
};

struct web_answer {
    const char *why; /* there is none, and why; else NULL */
    unsigned status;
    struct slice body;
    nsec retry_after;  /* 0: it does not say */
    struct slice next; /* the header NextPageUri; may be empty */
    bool too_large;    /* there is none because of its size */
};

/* One at a time. */
struct web_call {
    struct web *web;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, next;
    bool busy;
    char error[CURL_ERROR_SIZE];
    /* From the loop; what is passed is borrowed until the next call begins. */
    void (*done)(void *ctx, const struct web_answer *answer);
    void *ctx;
};

/* body_max: bytes of an answer, unpacked. ERR_NOMEM. */
int web_call_init(struct web_call *c, struct web *h, size_t body_max) MUST_USE;
void web_call_done(struct web_call *c);
/* Not while it is busy. ERR_NOMEM: done() will not be called. */
int web_call_begin(struct web_call *c, const struct web_request *request) MUST_USE;
/* done() will not be called. */
void web_call_cancel(struct web_call *c);
/* Gives back what an answer took. */
void web_call_release(struct web_call *c);

/* Appends text with all but letters, digits and -._~ as %XX (RFC 3986, 2.1). */
void web_put_escaped(struct buf *out, struct slice text);

#endif
