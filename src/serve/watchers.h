/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who follows alerts, or reads them through: clients of control, and web. Each is told of what is
 * durable, in its order, as far as there is room for it.
 */
#ifndef VAKA_SERVE_WATCHERS_H
#define VAKA_SERVE_WATCHERS_H

#include "serve/role.h"
#include "state/state.h"

enum { WATCHERS_MAX = 64 + 1 };

struct watcher {
    uint64_t client;       /* 0: free */
    enum serve_role front; /* who asks for it */
    uint64_t after;        /* the last alert it was told of */
    uint64_t limit;        /* rows it may still get */
    bool follow;
};

/* All zero is nobody. */
struct watchers {
    struct state *state; /* borrowed */
    uint64_t last_alert; /* that is durable: nobody is told of later ones */
    struct watcher at[WATCHERS_MAX];
};

/* What they have not seen yet; again when last_alert is another, or there is room. */
void watchers_tell(struct watchers *all, struct role *r);
/* SAY_WATCH, SAY_UNWATCH: ERR_CORRUPT, ERR_LIMIT. */
int watchers_take(struct watchers *all, struct role *r, enum serve_role front,
                  const struct frame *frame) MUST_USE;
int watchers_leave(struct watchers *all, enum serve_role front, const struct frame *frame) MUST_USE;
void watchers_lost(struct watchers *all, enum serve_role front);

#endif
