/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A libmicrohttpd daemon on the event loop: its epoll descriptor is watched, its timeouts are
 * timers, and nothing of it has a thread.
 */
#ifndef VAKA_HTTPD_HTTPD_H
#define VAKA_HTTPD_HTTPD_H

#include <microhttpd.h>

#include "base/loop.h"

struct httpd {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct loop_watch watch;
    struct loop_timer timer;
    struct loop_deferred again;
};

/* TLS, when certificate is not NULL: PEM texts and what gnutls_priority_init(3) reads. Borrowed. */
struct httpd_tls {
    const char *certificate, *key, *priorities;
    const char *authorities; /* of clients; NULL: they are not asked for a certificate */
};

struct httpd_options {
    struct loop *loop; /* borrowed */
    int socket;        /* listening; the daemon's when it has started. -1: none, see httpd_take() */
    struct httpd_tls tls;
    MHD_AcceptPolicyCallback accept; /* NULL: everybody */
    MHD_AccessHandlerCallback request;
    void *ctx;                         /* of both */
    const struct MHD_OptionItem *more; /* closed by MHD_OPTION_END */
};

/* Before a sandbox: it makes descriptors of its own. ERR_IO: it does not start; ERR_LIMIT of the
 * loop. */
int httpd_start(struct httpd *h, const struct httpd_options *options) MUST_USE;
/* A connection that was not accepted, from that address; takes fd. ERR_LIMIT: it is not taken. */
int httpd_take(struct httpd *h, int fd, const struct sockaddr *from, socklen_t len) MUST_USE;
/* Does what there is to do, and sees to the next time. */
void httpd_run(struct httpd *h);
/* The same at the end of the round: for who is called by it, such as behind
 * MHD_resume_connection(). */
void httpd_run_soon(struct httpd *h);
/* Accepts no more; the socket is the caller's again. */
void httpd_quiesce(struct httpd *h);
/* Ends all connections, none of which may be suspended. */
void httpd_stop(struct httpd *h);

#endif
