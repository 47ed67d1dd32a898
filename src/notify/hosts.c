/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/hosts.h"

/* They are looked up: that often, and soon behind a failure. */
#define EVERY (60 * NSEC_PER_SEC)
#define SOON  (5 * NSEC_PER_SEC)

static void ask(struct hosts *h)
{
    h->asked = clock_monotonic(&h->clock);
    resolver_ask(h->resolver);
}

static void on_tick(void *ctx)
{
    struct hosts *h = ctx;
    if (clock_monotonic(&h->clock) - h->asked >= EVERY) ask(h);
}

static void on_found(void *ctx, unsigned host, struct slice addresses)
{
    struct hosts *h = ctx;
    /* Without memory what was known before goes on. */
    if (dial_move(h->dial, h->names[host], h->ports[host], addresses) == 0)
        h->found(h->ctx, h->names[host]);
}

static void on_lost(void *ctx)
{
    struct hosts *h = ctx;
    h->lost(h->ctx);
}

void hosts_add(struct hosts *h, const char *host, uint16_t port)
{
    if (h->n == RESOLVER_HOSTS_MAX) return;
    h->names[h->n] = host;
    h->ports[h->n++] = port;
}

int hosts_start(struct hosts *h, bool confined)
{
    h->asked = clock_monotonic(&h->clock);
    h->tick = (struct loop_timer){.due = on_tick, .ctx = h};
    if (h->n == 0) return 0;
    int error = resolver_new(&(struct resolver_options){.loop = h->loop,
                                                        .hosts = h->names,
                                                        .n_hosts = h->n,
                                                        .confined = confined,
                                                        .found = on_found,
                                                        .lost = on_lost,
                                                        .ctx = h},
                             &h->resolver);
    return error ? error : loop_timer_set(h->loop, &h->tick, SOON, SOON);
}

void hosts_doubt(struct hosts *h)
{
    if (h->resolver && clock_monotonic(&h->clock) - h->asked >= SOON) ask(h);
}

void hosts_done(struct hosts *h)
{
    if (!h->resolver) return;
    loop_timer_stop(h->loop, &h->tick);
    resolver_free(h->resolver);
    h->resolver = NULL;
}
