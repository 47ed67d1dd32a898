/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One POST over HTTPS at a time, on the loop: a connection of its own, the certificate checked for
 * the host's name, one answer of bounded size within a bounded time. Only this is needed of HTTP,
 * and a library that does all of it would need files, threads and calls that its process's sandbox
 * does not grant.
 */
#ifndef VAKA_WITNESS_POST_H
#define VAKA_WITNESS_POST_H

#include <gnutls/gnutls.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/loop.h"

#define POST_TIME (30 * NSEC_PER_SEC)

struct post_target {
    const char *host, *authority, *path; /* the name to check; what Host says */
    struct sockaddr_storage address;
    socklen_t address_len;
    gnutls_certificate_credentials_t trust; /* borrowed */
    const char *token;                      /* for Authorization; NULL: none */
};

struct post {
    struct loop *loop;
    const struct post_target *target;
    /* Once, from the loop, unless it is cancelled: an answer, or why there is none (a constant). */
    void (*done)(void *ctx, unsigned status, struct slice body, const char *why);
    void *ctx;
    int fd; /* -1: nothing is under way */
    gnutls_session_t session;
    struct loop_watch watch;
    struct loop_timer timer;
    struct loop_deferred late; /* tells what failed at once */
    enum { POST_CONNECT, POST_HANDSHAKE, POST_SEND, POST_RECEIVE } state;
    struct buf out, in;
    size_t sent;
    const char *why;
};

/* What is borrowed stays as long as it is used. in_max: bytes of an answer with its head. */
void post_init(struct post *p, struct loop *loop, const struct post_target *target, size_t out_max,
               size_t in_max);
/* Not while one is under way. What cannot be done is told by done(), too. */
void post_begin(struct post *p, struct slice body);
bool post_is_busy(const struct post *p);
void post_cancel(struct post *p);

#endif
