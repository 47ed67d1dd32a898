/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/pool.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"

enum { SECRET_MAX = 8 * 1024 };

static int read_settings(struct pool *pool, const struct pool_options *o, struct diag *diag)
{
    int error = pull_sources_read(o->sources, o->n_sources, pool->sources, diag);
    if (error) return error;
    pool->trust = o->trust ? o->trust : DIAL_TRUST;
    pool->has_proxy = o->proxy != NULL;
    if (!o->proxy || dial_proxy_read(slice_of(o->proxy), &pool->proxy)) return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "cloud.proxy is no address http://HOST:PORT");
}

static int look_up(struct pool *pool, const struct dial_address *address)
{
    int error = dial_look_up(pool->dial, address->host, address->port);
    if (error != ERR_NOT_FOUND) return error;
    pool->unknown++;
    return 0;
}

/* Behind a proxy the names are its business. */
static int look_up_all(struct pool *pool)
{
    int error = pool->has_proxy ? look_up(pool, &pool->proxy) : 0;
    for (size_t i = 0; i < pool->n && !pool->has_proxy && error == 0; i++) {
        error = look_up(pool, &pool->sources[i].login);
        if (error == 0) error = look_up(pool, &pool->sources[i].api);
    }
    return error;
}

static int open_one(struct pool *pool, size_t i, const struct pool_options *o)
{
    bool good = file_read_secret(pool->sources[i].secret, &pool->secrets[i], &pool->why[i]) == 0;
    const struct puller_options options = {
        .loop = o->loop,
        .clock = o->clock,
        .dial = pool->dial,
        .source = &pool->sources[i],
        .secret = good ? buf_slice(&pool->secrets[i]) : SLICE_NONE,
        .why = pool->why[i].message,
        .out = o->out,
        .seed = hash_mix(o->seed, i + 1),
        .checked = o->checked,
    };
    return puller_init(&pool->pullers[i], &options);
}

int pool_open(struct pool *pool, const struct pool_options *options, struct diag *diag)
{
    *pool = (struct pool){.n = 0};
    int error = read_settings(pool, options, diag);
    if (error || options->n_sources == 0) return error;
    error = dial_new(&(struct dial_options){.loop = options->loop,
                                            .trust = pool->trust,
                                            .proxy = pool->has_proxy ? pool->proxy.origin : NULL},
                     &pool->dial);
    size_t n = error ? 0 : options->n_sources;
    for (; pool->n < n; pool->n++) buf_init(&pool->secrets[pool->n], SECRET_MAX);
    if (error == 0) error = look_up_all(pool);
    for (size_t i = 0; i < pool->n && error == 0; i++) error = open_one(pool, i, options);
    return error;
}

void pool_done(struct pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (pool->pullers[i].options.loop) puller_done(&pool->pullers[i]);
        if (pool->secrets[i].ptr) explicit_bzero(pool->secrets[i].ptr, pool->secrets[i].cap);
        buf_done(&pool->secrets[i]);
    }
    dial_free(pool->dial);
    *pool = (struct pool){.n = 0};
}

void pool_ports(const struct pool *pool, void (*each)(void *ctx, uint16_t port), void *ctx)
{
    if (pool->has_proxy) each(ctx, pool->proxy.port);
    for (size_t i = 0; i < pool->n && !pool->has_proxy; i++) {
        each(ctx, pool->sources[i].login.port);
        each(ctx, pool->sources[i].api.port);
    }
}

int pool_check(const struct pool_options *options, struct diag *diag)
{
    struct pool *pool = calloc(1, sizeof *pool);
    struct buf secret;
    if (!pool) return ERR_NOMEM;
    buf_init(&secret, SECRET_MAX);
    int error = read_settings(pool, options, diag);
    for (size_t i = 0; i < options->n_sources && error == 0; i++)
        error = file_read_secret(pool->sources[i].secret, &secret, diag);
    if (secret.ptr) explicit_bzero(secret.ptr, secret.cap);
    buf_done(&secret);
    free(pool);
    return error;
}
