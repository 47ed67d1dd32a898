/* SPDX-License-Identifier: EUPL-1.2 */
/* Where the hosts of providers are: looked up again and again, by dial/resolver.h, while their
 * process lasts. */
#ifndef VAKA_NOTIFY_HOSTS_H
#define VAKA_NOTIFY_HOSTS_H

#include "dial/dial.h"
#include "dial/resolver.h"

struct hosts {
    struct loop *loop;
    struct clock clock;
    struct dial *dial;
    struct resolver *resolver; /* NULL: nothing is looked up */
    const char *names[RESOLVER_HOSTS_MAX];
    uint16_t ports[RESOLVER_HOSTS_MAX];
    size_t n;
    struct loop_timer tick;
    nsec asked; /* monotonic */
    void (*found)(void *ctx, const char *host);
    void (*lost)(void *ctx); /* the process that looks up has ended */
    void *ctx;
};

/* One more, borrowed: before hosts_start(). More than there is room for stay where they are. */
void hosts_add(struct hosts *h, const char *host, uint16_t port);
/* Before the sandbox, behind a lookup. ERR_NOMEM, ERR_LIMIT, ERR_IO. */
int hosts_start(struct hosts *h, bool confined) MUST_USE;
/* One of them was not reached: they are looked up soon. */
void hosts_doubt(struct hosts *h);
void hosts_done(struct hosts *h);

#endif
