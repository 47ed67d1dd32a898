/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The front for HTTP and HTTPS (libmicrohttpd, its epoll descriptor in our loop). It knows who
 * sends, what for (route.h) and how much; what is in a body is for those behind it. A body is
 * answered when its container was answered, or when its entries are safe.
 *
 * Against senders that hold connections: from its beginning, or the end of the request before, a
 * connection has HTTP_HEAD_TIME for the head of the next one; a body must come at 1 KiB a second
 * behind its first HTTP_BODY_TIME, or, for a stream of entries, with something every
 * HTTP_BODY_TIME; the limits on connections are those of the row. Bodies that are not whole take
 * `bodies_max` bytes together: above it, and while the gate is closed, a request is answered with
 * 503.
 */
#ifndef VAKA_COLLECT_HTTP_H
#define VAKA_COLLECT_HTTP_H

#include "collect/core.h"

#define HTTP_HEAD_TIME   (30 * NSEC_PER_SEC)
#define HTTP_BODY_TIME   (30 * NSEC_PER_SEC)
#define HTTP_ANSWER_TIME (120 * NSEC_PER_SEC)

struct http;

/* Takes row->fd when it succeeds. */
int http_new(struct core *core, const struct listener *row, struct http **ret) MUST_USE;
/* A connection that was not accepted; takes fd. ERR_LIMIT: there is no room for it. */
int http_take(struct http *h, int fd) MUST_USE;
void http_stop(struct http *h);
/* Accepts no more and leaves the socket to another; its connections go on until they end. */
void http_retire(struct http *h);
/* Retired, and the last connection has ended. */
bool http_is_over(const struct http *h);
/* What another one that takes its place is made of; NULL: it accepts no more. */
const struct listener *http_row(const struct http *h);
void http_free(struct http *h);
/* To be called about once a second. */
void http_tick(struct http *h);

#endif
