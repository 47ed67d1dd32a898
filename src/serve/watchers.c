/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/watchers.h"

enum { ROWS_AT_ONCE = 256 };

struct telling {
    struct role *role;
    const struct watchers *all;
    struct watcher *watcher;
};

static bool tell_row(void *ctx, const struct state_alert *a)
{
    struct telling *t = ctx;
    struct link *link = role_link(t->role, t->watcher->front);
    if (a->id > t->all->last_alert || link_room(link) < a->line.len + 4096) return false;
    say_row_write(link_out(link), &(struct say_row){.client = t->watcher->client,
                                                    .id = a->id,
                                                    .count = a->count,
                                                    .line = a->line});
    t->watcher->after = a->id;
    t->watcher->limit--;
    return true;
}

/* What it has not seen yet, as far as there is room; the rest follows when there is. */
static void tell_one(const struct watchers *all, struct role *r, struct watcher *w)
{
    struct link *link = role_link(r, w->front);
    struct telling telling = {r, all, w};
    uint64_t before;
    if (!link_is_open(link)) return;
    do {
        before = w->after;
        uint32_t n = w->limit < ROWS_AT_ONCE ? (uint32_t)w->limit : ROWS_AT_ONCE;
        if (n == 0 || before >= all->last_alert) break;
        if (state_alerts(all->state, before, n, tell_row, &telling) != 0) return;
    } while (w->after > before);
    if (!w->follow && (w->limit == 0 || w->after >= all->last_alert)) {
        say_end_write(link_out(link), &(struct say_end){.client = w->client});
        w->client = 0;
    }
    link_flush(link);
}

void watchers_tell(struct watchers *all, struct role *r)
{
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        if (all->at[i].client) tell_one(all, r, &all->at[i]);
}

int watchers_take(struct watchers *all, struct role *r, enum serve_role front,
                  const struct frame *frame)
{
    struct say_watch m;
    if (say_watch_read(frame->payload, &m) != 0 || m.client == 0) return ERR_CORRUPT;
    struct watcher *free_one = NULL;
    for (size_t i = 0; i < WATCHERS_MAX && !free_one; i++)
        if (!all->at[i].client) free_one = &all->at[i];
    if (!free_one) return ERR_LIMIT; /* control has no more clients than this */
    if (m.after == UINT64_MAX) m.after = all->last_alert;
    *free_one = (struct watcher){.client = m.client,
                                 .front = front,
                                 .after = m.after,
                                 .limit = m.limit ? m.limit : UINT64_MAX,
                                 .follow = m.follow != 0};
    tell_one(all, r, free_one);
    return 0;
}

int watchers_leave(struct watchers *all, enum serve_role front, const struct frame *frame)
{
    struct say_unwatch m;
    if (say_unwatch_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        if (all->at[i].front == front && all->at[i].client == m.client) all->at[i].client = 0;
    return 0;
}

void watchers_lost(struct watchers *all, enum serve_role front)
{
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        if (all->at[i].front == front) all->at[i].client = 0;
}
