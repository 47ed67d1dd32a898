/* SPDX-License-Identifier: EUPL-1.2 */
/* All sources of the settings, with what they share: the way out, and who is trusted. */
#ifndef VAKA_PULL_POOL_H
#define VAKA_PULL_POOL_H

#include "pull/puller.h"

struct pool_options {
    struct loop *loop;
    struct clock clock;
    const char *const *sources; /* as in cloud.sources */
    size_t n_sources;
    const char *trust, *proxy; /* cloud.trust, cloud.proxy; NULL: none */
    struct puller_out out;
    uint64_t seed;
    void (*checked)(void *ctx, struct puller *p); /* see struct puller_options */
};

struct pool {
    struct pull_source sources[PULL_SOURCES_MAX];
    struct puller pullers[PULL_SOURCES_MAX];
    struct buf secrets[PULL_SOURCES_MAX];
    struct diag why[PULL_SOURCES_MAX]; /* why a secret cannot be read */
    size_t n;
    struct dial_address proxy;
    bool has_proxy;
    struct dial *dial; /* NULL: there are no sources */
    const char *trust;
    unsigned unknown; /* hosts that have no address now */
};

/*
 * Reads sources and secrets and looks addresses up: before the sandbox. A secret that cannot be
 * read is its source's trouble alone. diag tells what is wrong with the settings; what was opened
 * is to be given to pool_done() in every case.
 */
int pool_open(struct pool *pool, const struct pool_options *options, struct diag *diag) MUST_USE;
void pool_done(struct pool *pool);
/* Every port that is connected to, some more than once. */
void pool_ports(const struct pool *pool, void (*each)(void *ctx, uint16_t port), void *ctx);
/*
 * What is wrong with the settings for pool_open(), its secrets included: without a look at the
 * network.
 */
int pool_check(const struct pool_options *options, struct diag *diag) MUST_USE;

#endif
