/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that keeps. Batches that came meanwhile are committed together: at the latest 2 ms
 * behind the first, or when they are 1 MiB. Only then their senders and the engines are told.
 *
 * A commit that failed ends the process: what is on disk is not known any more, and the next start
 * finds out. Its senders have their batches still, and send them again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_write.h"
#include "serve/backlog.h"
#include "serve/role.h"
#include "state/state.h"
#include "store/flag.h"
#include "store/sealed.h"
#include "store/store.h"

enum {
    PENDING_MAX = 64 * 1024,
    COMMIT_AT = 1024 * 1024,
    COMMIT_WITHIN = 2, /* ms */
    PACE_EVERY = 20,   /* ms */
    BEHIND_FROM = 15,  /* ms that a record waits to be matched: who reads by hand gives way */
    JOURNALS_MAX = 64 * 1024,
    JOURNALS_AHEAD = 200, /* told to engines beyond what is matched */
};

struct pending {
    enum serve_role peer;
    uint32_t epoch; /* of the channel: an answer for one that was replaced is dropped */
    uint64_t id;
};

struct store_ctx {
    int dirfd;
    struct store_io io;
    struct store *store;
    struct pending *pending;
    size_t n_pending;
    uint32_t epochs[ROLE_COUNT];
    struct loop_timer commit, tick, pace;
    struct backlog backlog;
    uint64_t paced;     /* bytes that the backlog was told of */
    bool pacing;        /* the timer runs */
    bool behind;        /* who reads the same folder was told so */
    uint64_t *journals; /* numbers of the first records, ascending */
    size_t n_journals;
    size_t told;  /* journals that the engines have been told of, … */
    bool telling; /* … once they have said from where on */
    uint64_t matched, sealed;
    uint64_t matched_before; /* the start: numbers below it were given */
    uint64_t records, batches, bytes, commits, refused, damages;
    nsec slowest; /* of the commits since the last status */
    enum store_space space;
};

/* ---- journals and the engines ------------------------------------------------------------ */

/* With a lock that the descriptor carries along: what engines still read is not given back. */
static bool tell_journal(struct role *r, uint64_t first)
{
    struct store_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_DETECT);
    int fd = journal_open_shared(&c->io, first);
    if (fd < 0 || link_pass(link, fd) != 0) return false;
    say_journal_write(link_out(link), &(struct say_journal){.first = first});
    return true;
}

/* A long list is told in pieces: as far ahead of what is matched as descriptors can travel. */
static void tell_journals(struct role *r)
{
    struct store_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_DETECT);
    if (!c->telling || !link_is_open(link)) return;
    size_t old = 0;
    while (old + 1 < c->n_journals && c->journals[old + 1] <= c->matched) old++;
    if (c->told < old) c->told = old;
    while (c->told < c->n_journals && c->told < old + JOURNALS_AHEAD) {
        if (!tell_journal(r, c->journals[c->told])) break;
        c->told++;
    }
    link_flush(link);
}

static void tell_durable(struct role *r)
{
    struct store_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_DETECT);
    struct store_durable d = store_durable(c->store);
    if (!c->telling || !link_is_open(link) || d.end == 0) return;
    say_durable_write(link_out(link),
                      &(struct say_durable){.first = d.journal, .offset = d.end, .next = d.next});
    link_flush(link);
}

/* Everything there is, and what comes: to who seals it. */
static void tell_seal(struct role *r, size_t from)
{
    struct store_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_SEAL);
    if (!link_is_open(link)) return;
    for (size_t i = from; i < c->n_journals; i++)
        say_present_write(link_out(link), &(struct say_present){.first = c->journals[i]});
    struct store_durable d = store_durable(c->store);
    if (d.end)
        say_durable_write(link_out(link), &(struct say_durable){
                                              .first = d.journal, .offset = d.end, .next = d.next});
    link_flush(link);
}

/* Journals that are sealed and matched, but never the one that is written. */
static void remove_journals(struct role *r)
{
    struct store_ctx *c = r->ctx;
    struct link *seal = role_link(r, ROLE_SEAL);
    uint64_t until = c->sealed < c->matched ? c->sealed : c->matched;
    size_t n = 0;
    while (n + 1 < c->n_journals && c->journals[n + 1] <= until) {
        int error = store_remove_journal(c->store, c->journals[n]);
        if (error == ERR_IO) {
            role_end(r, error);
            return;
        }
        n++;
    }
    if (n == 0) return;
    c->n_journals -= n;
    c->told = c->told > n ? c->told - n : 0;
    memmove(c->journals, c->journals + n, c->n_journals * sizeof *c->journals);
    if (!link_is_open(seal)) return;
    say_removed_write(link_out(seal), &(struct say_removed){.first = c->journals[0]});
    link_flush(seal);
}

static void add_journal(struct role *r, uint64_t first)
{
    struct store_ctx *c = r->ctx;
    if (c->n_journals && c->journals[c->n_journals - 1] == first) return;
    ASSERT(c->n_journals < JOURNALS_MAX);
    c->journals[c->n_journals++] = first;
    tell_journals(r);
    if (c->store) tell_seal(r, c->n_journals - 1);
}

static void on_complete(void *ctx, const struct store_journal *journal)
{
    add_journal(ctx, journal->first);
}

static void on_opened(void *ctx, const struct store_journal *journal)
{
    add_journal(ctx, journal->first);
}

static const char *damage_name(enum store_damage_kind kind)
{
    switch (kind) {
    case STORE_DAMAGE_TAIL:
        return "tail";
    case STORE_DAMAGE_TORN:
        return "torn";
    case STORE_DAMAGE_LOST:
        return "lost";
    case STORE_DAMAGE_HEAD:
        return "head";
    }
    return "?";
}

/* A tail that was never promised is what a power cut leaves; everything else people must hear of.
 */
static void on_damage(void *ctx, const struct store_damage *d)
{
    struct role *r = ctx;
    struct store_ctx *c = r->ctx;
    log_write(LOG_STORE_DAMAGE, LOG_TEXT("kind", slice_of(damage_name(d->kind))),
              LOG_NUMBER("journal", d->journal), LOG_NUMBER("from", d->from),
              LOG_NUMBER("to", d->to), LOG_NUMBER("first", d->first), LOG_NUMBER("next", d->next));
    if (d->kind == STORE_DAMAGE_TAIL || d->kind == STORE_DAMAGE_TORN) return;
    c->damages++;
    role_alarm(r, "store-damaged", slice_of(damage_name(d->kind)));
}

/* ---- how matching keeps up --------------------------------------------------------------- */

static void tell_behind(struct role *r)
{
    struct store_ctx *c = r->ctx;
    nsec age = backlog_age(&c->backlog, clock_monotonic(&r->clock));
    bool behind = age >= BEHIND_FROM * NSEC_PER_MSEC;
    if (behind != c->behind) flag_set(c->dirfd, FLAG_BEHIND, behind);
    c->behind = behind;
}

static void tell_pace(void *ctx)
{
    static const enum serve_role peers[] = {ROLE_COLLECT, ROLE_INDEX, ROLE_RETRO};
    struct role *r = ctx;
    struct store_ctx *c = r->ctx;
    const struct backlog *b = &c->backlog;
    const struct say_pace m = {.waiting = b->stored - b->matched,
                               .matched = b->matched,
                               .age = backlog_age(b, clock_monotonic(&r->clock))};
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        struct link *link = role_link(r, peers[i]);
        if (!link_is_open(link)) continue;
        say_pace_write(link_out(link), &m);
        link_flush(link);
    }
    tell_behind(r);
    c->pacing =
        m.waiting > 0 && loop_timer_set(r->loop, &c->pace, PACE_EVERY * NSEC_PER_MSEC, 0) == 0;
}

static void note_stored(struct role *r)
{
    struct store_ctx *c = r->ctx;
    backlog_stored(&c->backlog, store_durable(c->store).next, c->bytes - c->paced,
                   clock_monotonic(&r->clock));
    c->paced = c->bytes;
    tell_behind(r);
    if (!c->pacing)
        c->pacing = loop_timer_set(r->loop, &c->pace, PACE_EVERY * NSEC_PER_MSEC, 0) == 0;
}

static int take_progress(struct role *r, const struct frame *frame)
{
    struct store_ctx *c = r->ctx;
    struct say_progress m;
    if (say_progress_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    backlog_matched(&c->backlog, m.next);
    tell_behind(r);
    return 0;
}

/* ---- commits ----------------------------------------------------------------------------- */

static void answer_all(struct role *r)
{
    struct store_ctx *c = r->ctx;
    for (size_t i = 0; i < c->n_pending; i++) {
        struct pending *p = &c->pending[i];
        struct link *link = role_link(r, p->peer);
        if (p->epoch != c->epochs[p->peer] || !link_is_open(link)) continue;
        say_stored_write(link_out(link), &(struct say_stored){.id = p->id});
    }
    c->n_pending = 0;
    link_flush(role_link(r, ROLE_COLLECT));
    link_flush(role_link(r, ROLE_UNWRAP));
}

static void commit(struct role *r)
{
    struct store_ctx *c = r->ctx;
    loop_timer_stop(r->loop, &c->commit);
    if (c->n_pending == 0) return;
    nsec begin = clock_monotonic(&r->clock);
    if (store_commit(c->store) != 0) {
        role_alarm(r, "store-failed",
                   SLICE("a write or a sync failed; what is on disk is read anew"));
        role_end(r, ERR_IO);
        return;
    }
    nsec took = clock_monotonic(&r->clock) - begin;
    if (took > c->slowest) c->slowest = took;
    c->commits++;
    note_stored(r);
    answer_all(r);
    tell_durable(r);
    tell_seal(r, c->n_journals);
}

static void commit_due(void *ctx)
{
    commit(ctx);
}

static void refuse(struct role *r, enum serve_role peer, uint64_t id, struct slice reason)
{
    struct store_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    c->refused++;
    say_refused_write(link_out(link), &(struct say_refused){.id = id, .reason = reason});
    link_flush(link);
}

static int take_batch(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct store_ctx *c = r->ctx;
    struct say_batch m;
    struct batch batch;
    uint64_t first;
    if (say_batch_read(frame->payload, &m) != 0 || batch_open(m.batch, &batch) != 0)
        return ERR_CORRUPT;
    if (batch.tenant != 0) return ERR_CORRUPT;
    int error = store_append(c->store, &batch, &first);
    if (error == ERR_LIMIT && c->n_pending > 0) {
        commit(r);
        error = store_append(c->store, &batch, &first);
    }
    if (error == ERR_LIMIT) {
        refuse(r, peer, m.id, SLICE("the disk is full"));
        return 0;
    }
    if (error) {
        role_end(r, error);
        return 0;
    }
    if (c->n_pending == 0 &&
        loop_timer_set(r->loop, &c->commit, COMMIT_WITHIN * NSEC_PER_MSEC, 0) != 0)
        return ERR_LIMIT;
    c->pending[c->n_pending++] = (struct pending){peer, c->epochs[peer], m.id};
    c->records += batch.n;
    c->batches++;
    c->bytes += batch.data.len;
    if (c->n_pending == PENDING_MAX || store_waiting(c->store) >= COMMIT_AT) commit(r);
    return 0;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int take_begin(struct role *r, const struct frame *frame)
{
    struct store_ctx *c = r->ctx;
    struct say_begin m;
    if (say_begin_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    c->told = 0;
    while (c->told + 1 < c->n_journals && c->journals[c->told + 1] <= m.next) c->told++;
    c->telling = true;
    tell_journals(r);
    tell_durable(r);
    return 0;
}

static int take_matched(struct role *r, const struct frame *frame)
{
    struct store_ctx *c = r->ctx;
    struct say_matched m;
    if (say_matched_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    c->matched = m.next;
    tell_journals(r);
    remove_journals(r);
    return 0;
}

static int take_sealed(struct role *r, const struct frame *frame)
{
    struct store_ctx *c = r->ctx;
    struct say_sealed m;
    if (say_sealed_read(frame->payload, &m) != 0 || m.next > store_durable(c->store).next)
        return ERR_CORRUPT;
    c->sealed = m.next;
    remove_journals(r);
    return 0;
}

static int store_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if ((peer == ROLE_COLLECT || peer == ROLE_UNWRAP) && frame->type == SAY_BATCH)
        return take_batch(r, peer, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_BEGIN) return take_begin(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_PROGRESS) return take_progress(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_MATCHED) return take_matched(r, frame);
    if (peer == ROLE_SEAL && frame->type == SAY_SEALED) return take_sealed(r, frame);
    return ERR_CORRUPT;
}

static void store_peer(struct role *r, enum serve_role peer)
{
    struct store_ctx *c = r->ctx;
    c->epochs[peer]++;
    if (peer == ROLE_DETECT) c->telling = false;
    if (peer == ROLE_SEAL) tell_seal(r, 0);
}

static void tick(void *ctx)
{
    struct role *r = ctx;
    struct store_ctx *c = r->ctx;
    static const char *const names[] = {"ok", "warn", "critical", "full"};
    if (store_tick(c->store) != 0) {
        role_end(r, ERR_IO);
        return;
    }
    enum store_space space = store_space(c->store);
    if (space > c->space) role_alarm(r, "disk", slice_of(names[space]));
    c->space = space;
}

/*
 * How far records were matched stands in triage's database. When journals are lost, a number below
 * that must not be given again: what came under it would count as matched.
 */
static void read_matched(struct role *r)
{
    struct store_ctx *c = r->ctx;
    struct diag diag = {0};
    const char *path =
        arena_printf(&r->config.arena, "%s/state/vaka.db", r->config.serve_folder.items[0]);
    if (path && state_peek_matched(path, &c->matched_before, &diag) != 0)
        role_alarm(r, "state-unreadable", slice_of(diag.message));
}

static int store_prepare(struct role *r, struct diag *diag)
{
    struct store_ctx *c = r->ctx;
    const char *path = role_store_folder(r, diag);
    if (!path) return ERR_ACCESS;
    c->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dirfd < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    c->io = store_io_system(c->dirfd);
    role_keep_folder(r, path);
    read_matched(r);
    c->pending = calloc(PENDING_MAX, sizeof *c->pending);
    c->journals = calloc(JOURNALS_MAX, sizeof *c->journals);
    return c->pending && c->journals ? 0 : ERR_NOMEM;
}

static int store_start(struct role *r)
{
    struct store_ctx *c = r->ctx;
    struct store_options options;
    store_options_default(&options);
    options.io = &c->io;
    options.clock = r->clock;
    options.events = (struct store_events){
        .complete = on_complete, .damage = on_damage, .opened = on_opened, .ctx = r};
    options.journal_bytes = r->config.store_journal;
    options.ballast_bytes = r->config.store_ballast;
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    c->commit = (struct loop_timer){.due = commit_due, .ctx = r};
    c->tick = (struct loop_timer){.due = tick, .ctx = r};
    c->pace = (struct loop_timer){.due = tell_pace, .ctx = r};
    struct tree_range sealed;
    int error = sealed_tree(&c->io, &sealed);
    options.next_min = sealed.end > c->matched_before ? sealed.end : c->matched_before;
    if (error == 0) error = store_open(&options, &c->store);
    if (error == 0) error = loop_timer_set(r->loop, &c->tick, NSEC_PER_SEC, NSEC_PER_SEC);
    if (error == 0) c->space = store_space(c->store);
    return error;
}

static void store_status(struct role *r, struct buf *out)
{
    struct store_ctx *c = r->ctx;
    static const char *const names[] = {"ok", "warn", "critical", "full"};
    struct store_durable d = store_durable(c->store);
    json_write_member_u64(out, "records", c->records);
    json_write_member_u64(out, "batches", c->batches);
    json_write_member_u64(out, "bytes", c->bytes);
    json_write_member_u64(out, "commits", c->commits);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "damaged", c->damages);
    json_write_member_u64(out, "next", d.next);
    json_write_member_u64(out, "matched", c->matched);
    json_write_member_u64(out, "sealed", c->sealed);
    json_write_member_u64(out, "journals", c->n_journals);
    json_write_member_u64(out, "slowest_commit_us", (uint64_t)(c->slowest / 1000));
    json_write_member_string(out, "disk", slice_of(names[c->space]));
    uint64_t total, left;
    if (c->io.space(c->io.ctx, &total, &left) == 0) {
        json_write_member_u64(out, "disk_bytes", total);
        json_write_member_u64(out, "disk_free", left);
    }
    c->slowest = 0;
}

static void store_stop(struct role *r)
{
    commit(r);
    role_end(r, 0);
}

const struct role_ops role_store = {
    .ctx_size = sizeof(struct store_ctx),
    .prepare = store_prepare,
    .start = store_start,
    .peer = store_peer,
    .frame = store_frame,
    .status = store_status,
    .stop = store_stop,
};
