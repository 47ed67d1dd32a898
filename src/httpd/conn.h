/* SPDX-License-Identifier: EUPL-1.2 */
/* The connections of a daemon, as whoever serves them knows them. */
#ifndef VAKA_HTTPD_CONN_H
#define VAKA_HTTPD_CONN_H

#include <microhttpd.h>

#include "base/clock.h"
#include "base/ip.h"

/* The first member of what is known of one. */
struct httpd_conn {
    struct httpd_conn *next, *prev;
    int fd; /* MHD's */
    char address[IP_TEXT_MAX];
    nsec since; /* monotonic: its beginning; whoever serves it writes the end of a request here */
};

struct httpd_conns {
    struct httpd_conn *first;
    uint32_t n;
};

/*
 * Of MHD's notification that a connection begins: `size` bytes of zeros that begin with it, kept by
 * MHD until httpd_conn_end(). NULL without memory: its requests find nothing then.
 */
void *httpd_conn_begin(struct httpd_conns *conns, struct MHD_Connection *connection,
                       void **socket_context, size_t size, nsec now);
/* May be NULL. */
void httpd_conn_end(struct httpd_conns *conns, struct httpd_conn *conn);
/* What begin() returned. */
void *httpd_conn_of(struct MHD_Connection *connection);

#endif
