/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Addresses of hosts, looked up anew by a process of its own for one that is in its sandbox, which
 * opens neither files nor datagrams: hosts move, and who has to reach them in the night may have
 * been started months ago. It is forked before the sandbox, has one of its own (SANDBOX_RESOLVER),
 * and looks up the hosts that it was given then and nothing else.
 */
#ifndef VAKA_DIAL_RESOLVER_H
#define VAKA_DIAL_RESOLVER_H

#include "base/buf.h"
#include "base/loop.h"

enum {
    RESOLVER_HOSTS_MAX = 128,
    RESOLVER_TEXT_MAX = 1024, /* bytes of a host's addresses */
};

struct resolver;

struct resolver_options {
    struct loop *loop;        /* borrowed; a watch */
    const char *const *hosts; /* for the call; numbers are looked up as well */
    size_t n_hosts;
    bool confined;
    /* "192.0.2.1,[2001:db8::1]", of the host with that place in the list; in no order. */
    void (*found)(void *ctx, unsigned host, struct slice addresses);
    /* It has ended: nothing is found any more. */
    void (*lost)(void *ctx);
    void *ctx;
};

/* Forks, before the sandbox; with the name services' libraries loaded, that is behind a lookup.
 * ERR_NOMEM, ERR_LIMIT, ERR_IO. */
int resolver_new(const struct resolver_options *options, struct resolver **ret) MUST_USE;
/* Its process ends. May be NULL. */
void resolver_free(struct resolver *r);
/* All hosts are looked up, and found() is called for those that have addresses. Nothing while that
 * is under way. */
void resolver_ask(struct resolver *r);

/* Appends the addresses of a host, as found() has them; false: it has none now. Waits for others.
 */
bool resolver_look_up(const char *host, struct buf *out);

#endif
