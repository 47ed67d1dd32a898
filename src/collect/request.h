/* SPDX-License-Identifier: EUPL-1.2 */
/* One request over HTTP, from its head to its answer. */
#ifndef VAKA_COLLECT_REQUEST_H
#define VAKA_COLLECT_REQUEST_H

#include <microhttpd.h>

#include "collect/core.h"
#include "collect/export.h"
#include "collect/route.h"
#include "collect/token.h"

struct http_conn;

enum request_state {
    REQUEST_BODY,     /* its body is coming */
    REQUEST_WAITING,  /* suspended: for its answer */
    REQUEST_PAUSED,   /* suspended: entries may not be read on */
    REQUEST_ANSWERED, /* status, type and reply are known */
};

struct request {
    struct core *core;
    const struct listener *row;
    struct http_conn *conn;
    struct MHD_Connection *connection;
    enum request_state state;
    struct route route;
    bool authenticated;
    uint32_t tenant;
    struct buf source, target, query, type, encoding, delivery;
    struct ledger_row *ledger;
    struct buf body;
    size_t counted;    /* bytes of it that count against the bodies of all */
    nsec begun, seen;  /* monotonic: the request, its last byte or its going to sleep */
    uint64_t received; /* bytes of the body */

    struct waiting waiting;
    unsigned status;
    struct buf reply, reply_type, reply_header;

    /* A stream of entries. */
    struct export export;
    struct claimant claimant;
    struct in_line in_line;
    uint64_t pending;
    bool ended;
};

/* `method` and `path` are NUL-terminated, of MHD. NULL: no memory. Decides what is known from the
 * head alone: state is REQUEST_ANSWERED when it is refused, or needs no body. */
struct request *request_new(struct core *core, const struct listener *row, struct http_conn *conn,
                            struct MHD_Connection *connection, const char *method,
                            const char *path);
void request_free(struct request *r);
/* Whether its head announces a body. */
bool request_has_body(const struct request *r);
/* Bytes of the body; *size becomes how many of them were not taken. May suspend. */
void request_take(struct request *r, const char *bytes, size_t *size);
/* The body is whole. May suspend. */
void request_end(struct request *r);
/* Sends what is to be said. MHD_NO: the connection is to be closed. */
enum MHD_Result request_answer(struct request *r);
/* False: it comes too slowly, or its answer does; the first breaks the connection. */
bool request_tick(struct request *r, nsec now);
/* Somebody gives up: it is answered with 503. */
void request_give_up(struct request *r);

/* Of http.c: the connection goes on after it was suspended; who is at its other end. */
void http_resume(struct http_conn *conn);
const char *http_address(const struct http_conn *conn);

#endif
