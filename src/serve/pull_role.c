/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that fetches records from the cloud. It has the network and the secrets, the files in
 * which it keeps how far it is, and nothing else: what it fetched goes to collect as batches, and
 * its records are looked at no further than is needed to know where they end and what they are
 * called.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "base/json_write.h"
#include "pull/pool.h"
#include "serve/bookmark.h"
#include "serve/role.h"

enum { STOP_WITHIN = 5 }; /* s: for what is under way to become durable */
#define TICK NSEC_PER_SEC
/* Addresses are looked up before the sandbox: anew, by a new process, when something cannot be
 * reached for so long, or has none; sooner when nothing at all could be fetched, as at a start
 * without a network. */
#define LOOK_UP_AGAIN (900 * NSEC_PER_SEC)
#define LOOK_UP_SOON  (60 * NSEC_PER_SEC)

/* A source, beside its puller. */
struct fetched {
    struct bookmark bookmarks[PULL_CONTENT_COUNT];
    unsigned n_bookmarks;
    uint64_t batch; /* that waits for its answer; 0: none */
};

struct pull_ctx {
    struct pool pool;
    struct fetched fetched[PULL_SOURCES_MAX];
    struct buf state;
    uint64_t next_batch;
    uint64_t unsaved; /* times a bookmark could not be written */
    nsec started;     /* monotonic */
    struct loop_timer tick, stop;
    nsec stop_at;
};

static size_t number_of(const struct pull_ctx *c, const struct puller *p)
{
    return (size_t)(p - c->pool.pullers);
}

/* ---- from the pullers -------------------------------------------------------------------- */

static int on_batch(void *ctx, struct puller *p, struct slice batch)
{
    struct role *r = ctx;
    struct pull_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_COLLECT);
    if (!link_is_open(link) || link_room(link) < batch.len + 4096) return ERR_LIMIT;
    uint64_t id = ++c->next_batch;
    c->fetched[number_of(c, p)].batch = id;
    say_batch_write(link_out(link), &(struct say_batch){.id = id, .batch = batch});
    link_flush(link);
    return 0;
}

static void count_unsaved(struct role *r, int error)
{
    struct pull_ctx *c = r->ctx;
    if (error && c->unsaved++ == 0)
        role_alarm(
            r, "bookmark-failed",
            SLICE("how far the cloud was fetched cannot be kept: after a restart of vaka serve "
                  "its records come again"));
}

static void on_moved(void *ctx, struct puller *p, unsigned feed)
{
    struct role *r = ctx;
    struct pull_ctx *c = r->ctx;
    buf_clear(&c->state);
    seen_write(&p->feeds[feed].seen, &c->state);
    int error = buf_error(&c->state);
    if (error == 0)
        error = bookmark_put(&c->fetched[number_of(c, p)].bookmarks[feed], buf_slice(&c->state));
    count_unsaved(r, error);
}

static void on_alarm(void *ctx, struct puller *p, const char *event, struct slice text)
{
    (void)p;
    role_alarm(ctx, event, text);
}

static void sync_bookmarks(struct role *r)
{
    struct pull_ctx *c = r->ctx;
    for (size_t i = 0; i < c->pool.n; i++)
        for (unsigned j = 0; j < c->fetched[i].n_bookmarks; j++)
            count_unsaved(r, bookmark_sync(&c->fetched[i].bookmarks[j]));
}

/* ---- answers ----------------------------------------------------------------------------- */

static int take_answer(struct role *r, uint64_t id, bool stored)
{
    struct pull_ctx *c = r->ctx;
    for (size_t i = 0; i < c->pool.n; i++) {
        if (c->fetched[i].batch != id || id == 0) continue;
        c->fetched[i].batch = 0;
        puller_stored(&c->pool.pullers[i], stored);
        return 0;
    }
    return ERR_CORRUPT;
}

static int pull_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct say_stored stored;
    struct say_refused refused;
    if (peer != ROLE_COLLECT) return ERR_CORRUPT;
    if (frame->type == SAY_STORED && say_stored_read(frame->payload, &stored) == 0)
        return take_answer(r, stored.id, true);
    if (frame->type == SAY_REFUSED && say_refused_read(frame->payload, &refused) == 0)
        return take_answer(r, refused.id, false);
    return ERR_CORRUPT;
}

/* What collect had not answered may be stored: it is sent again all the same. */
static void pull_lost(struct role *r, enum serve_role peer)
{
    struct pull_ctx *c = r->ctx;
    (void)peer;
    for (size_t i = 0; i < c->pool.n; i++)
        if (c->fetched[i].batch) (void)take_answer(r, c->fetched[i].batch, false);
}

/* ---- the role ---------------------------------------------------------------------------- */

static void keep_port(void *ctx, uint16_t port)
{
    role_keep_port(ctx, port);
}

static int open_feed(struct role *r, size_t source, unsigned feed, const char *folder,
                     struct diag *diag)
{
    struct pull_ctx *c = r->ctx;
    struct fetched *f = &c->fetched[source];
    struct buf name;
    buf_init(&name, 256);
    int error = pull_source_feed_name(&c->pool.sources[source], feed, &name);
    const char *path =
        error ? NULL
              : arena_printf(&r->config.arena, "%s/%.*s", folder, SLICE_FMT(buf_slice(&name)));
    buf_done(&name);
    if (!path) return ERR_NOMEM;
    error = bookmark_open(&f->bookmarks[feed], path, &c->state, diag);
    if (error) return error;
    f->n_bookmarks++;
    error = seen_read(&c->pool.pullers[source].feeds[feed].seen, buf_slice(&c->state));
    if (error != ERR_CORRUPT)
        return error ? diag_set(diag, error, NULL, 0, 0, "%s: %s", path, error_text(error)) : 0;
    role_alarm(r, "bookmark-damaged", slice_of(path));
    return 0;
}

static int open_feeds(struct role *r, struct diag *diag)
{
    struct pull_ctx *c = r->ctx;
    const char *folder = c->pool.n ? role_make_folder(r, "pull", diag) : NULL;
    int error = c->pool.n && !folder ? ERR_ACCESS : 0;
    for (size_t i = 0; i < c->pool.n; i++)
        for (unsigned j = 0; j < c->pool.pullers[i].n_feeds && error == 0; j++)
            error = open_feed(r, i, j, folder, diag);
    return error;
}

/* A secret that cannot be read keeps its source from being fetched, and nothing else. */
static void tell_secrets(struct role *r)
{
    struct pull_ctx *c = r->ctx;
    for (size_t i = 0; i < c->pool.n; i++)
        if (c->pool.why[i].message[0])
            role_alarm(r, "cloud-failing", slice_of(c->pool.why[i].message));
}

static int pull_prepare(struct role *r, struct diag *diag)
{
    struct pull_ctx *c = r->ctx;
    const struct config *config = &r->config;
    struct pool_options options = {
        .loop = r->loop,
        .clock = r->clock,
        .sources = config->cloud_sources.items,
        .n_sources = config->cloud_sources.n,
        .trust = config->cloud_trust.n ? config->cloud_trust.items[0] : NULL,
        .proxy = config->cloud_proxy.n ? config->cloud_proxy.items[0] : NULL,
        .out = {.ctx = r, .batch = on_batch, .moved = on_moved, .alarm = on_alarm},
    };
    buf_init(&c->state, BOOKMARK_MAX);
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    int error = pool_open(&c->pool, &options, diag);
    if (error == 0) error = open_feeds(r, diag);
    if (error == 0 && c->pool.n) {
        role_keep_path(r, c->pool.trust);
        pool_ports(&c->pool, keep_port, r);
    }
    return error;
}

/* Something that cannot be reached may have another address by now. */
static bool is_lost(const struct role *r, nsec now)
{
    const struct pull_ctx *c = r->ctx;
    bool any = false;
    for (size_t i = 0; i < c->pool.n; i++) {
        const struct puller *p = &c->pool.pullers[i];
        any = any || p->succeeded;
        if (p->unreachable && p->failing_since && now - p->failing_since > LOOK_UP_AGAIN)
            return true;
    }
    return c->pool.unknown && now - c->started > (any ? LOOK_UP_AGAIN : LOOK_UP_SOON);
}

static void on_tick(void *ctx)
{
    struct role *r = ctx;
    struct pull_ctx *c = r->ctx;
    sync_bookmarks(r);
    if (!c->pool.n || !is_lost(r, clock_monotonic(&r->clock))) return;
    for (size_t i = 0; i < c->pool.n; i++)
        if (puller_is_storing(&c->pool.pullers[i])) return;
    role_end(r, 0);
}

static int pull_start(struct role *r)
{
    struct pull_ctx *c = r->ctx;
    c->started = clock_monotonic(&r->clock);
    c->tick = (struct loop_timer){.due = on_tick, .ctx = r};
    tell_secrets(r);
    for (size_t i = 0; i < c->pool.n; i++)
        if (!c->pool.why[i].message[0]) puller_start(&c->pool.pullers[i]);
    return loop_timer_set(r->loop, &c->tick, TICK, TICK);
}

/* ---- figures ----------------------------------------------------------------------------- */

static uint64_t seconds(nsec t)
{
    return t > 0 ? (uint64_t)(t / NSEC_PER_SEC) : 0;
}

static void put_stats(struct buf *out, const struct puller_stats *s)
{
    json_write_member_u64(out, "requests", s->requests);
    json_write_member_u64(out, "records", s->records);
    json_write_member_u64(out, "repeats", s->repeats);
    json_write_member_u64(out, "odd", s->odd);
    json_write_member_u64(out, "failures", s->failures);
    json_write_member_u64(out, "throttled", s->throttled);
    json_write_member_u64(out, "expired", s->expired);
    json_write_member_u64(out, "given_up", s->given_up);
    json_write_member_u64(out, "gaps", s->gaps);
}

static void add_stats(struct puller_stats *to, const struct puller_stats *s)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)s;
    for (size_t i = 0; i < sizeof *s / sizeof *sums; i++) sums[i] += more[i];
}

static void put_feeds(struct buf *out, const struct puller *p)
{
    json_write_key(out, "feeds");
    buf_putc(out, '[');
    for (unsigned i = 0; i < p->n_feeds; i++) {
        if (i > 0) buf_putc(out, ',');
        buf_putc(out, '{');
        json_write_member_string(out, "content", slice_of(pull_content_name(p->feeds[i].content)));
        json_write_member_u64(out, "cursor", seconds(p->feeds[i].seen.cursor));
        json_write_member_u64(out, "remembered", p->feeds[i].seen.n);
        json_write_key(out, "refused");
        buf_puts(out, p->feeds[i].refused ? "true}" : "false}");
    }
    buf_putc(out, ']');
}

static void put_source(struct buf *out, const struct pull_ctx *c, size_t i, nsec now)
{
    const struct puller *p = &c->pool.pullers[i];
    const struct pull_source *s = &c->pool.sources[i];
    const char *why = c->pool.why[i].message;
    nsec cursor = puller_cursor(p);
    buf_putc(out, '{');
    json_write_member_string(out, "kind", slice_of(pull_kind_name(s->kind)));
    json_write_member_string(out, "tenant", slice_of(s->tenant));
    json_write_member_string(out, "client", slice_of(s->client));
    json_write_member_string(out, "state", slice_of(why[0] ? "failing" : puller_state(p)));
    json_write_member_u64(out, "succeeded", seconds(p->succeeded));
    json_write_member_u64(out, "cursor", seconds(cursor));
    json_write_member_u64(out, "lag_s", cursor ? seconds(now - cursor) : 0);
    json_write_member_u64(out, "throttled_until", seconds(p->throttled_till));
    json_write_member_string(out, "failure", slice_of(why[0] ? why : p->why));
    put_stats(out, &p->stats);
    put_feeds(out, p);
    buf_putc(out, '}');
}

static void pull_status(struct role *r, struct buf *out)
{
    const struct pull_ctx *c = r->ctx;
    struct puller_stats sums = {0};
    nsec now = clock_realtime(&r->clock);
    for (size_t i = 0; i < c->pool.n; i++) add_stats(&sums, &c->pool.pullers[i].stats);
    put_stats(out, &sums);
    json_write_member_u64(out, "bookmarks_failed", c->unsaved);
    json_write_key(out, "sources");
    buf_putc(out, '[');
    for (size_t i = 0; i < c->pool.n; i++) {
        if (i > 0) buf_putc(out, ',');
        put_source(out, c, i, now);
    }
    buf_putc(out, ']');
}

/* ---- the end ----------------------------------------------------------------------------- */

static void stop_when_done(void *ctx)
{
    struct role *r = ctx;
    struct pull_ctx *c = r->ctx;
    bool late = clock_monotonic(&r->clock) >= c->stop_at;
    for (size_t i = 0; i < c->pool.n; i++)
        if (puller_is_storing(&c->pool.pullers[i]) && !late) return;
    sync_bookmarks(r);
    role_end(r, 0);
}

static void pull_stop(struct role *r)
{
    struct pull_ctx *c = r->ctx;
    for (size_t i = 0; i < c->pool.n; i++) puller_stop(&c->pool.pullers[i]);
    c->stop = (struct loop_timer){.due = stop_when_done, .ctx = r};
    c->stop_at = clock_monotonic(&r->clock) + STOP_WITHIN * NSEC_PER_SEC;
    if (loop_timer_set(r->loop, &c->stop, 0, NSEC_PER_MSEC * 10) != 0) role_end(r, 0);
}

const struct role_ops role_pull = {
    .ctx_size = sizeof(struct pull_ctx),
    .prepare = pull_prepare,
    .start = pull_start,
    .lost = pull_lost,
    .frame = pull_frame,
    .status = pull_status,
    .stop = pull_stop,
};
