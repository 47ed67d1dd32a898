/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may do what (account/account.h): claims and actions are answered as they come, but for those
 * with a password. They wait in a queue for the process that hashes, which is forked from this one
 * before its sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "account/hasher.h"
#include "account/stolen.h"
#include "account/veil.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "proc/worker.h"
#include "serve/role.h"

enum {
    QUEUE_MAX = 32,       /* questions with a password that wait; more are told to come again */
    QUEUE_OF_ADDRESS = 4, /* of which one address may have so many */
    TRAVELLERS_MAX = 64,
    QUESTION_MAX = MANAGE_BODY_MAX + 4096,
    TIDY_EVERY = 600, /* s */
};

/* Somebody who logs in by the identity provider, while that is asked. */
struct traveller {
    uint64_t id;   /* 0: free */
    uint64_t call; /* the front's */
    enum serve_role peer;
    uint32_t tenant;
    char address[ADDRESS_MAX + 1];
};

/* A question with a password. */
struct question {
    enum serve_role peer;
    uint8_t type;       /* SAY_CLAIM or SAY_MANAGE */
    struct buf payload; /* as it came */
    struct account_job job;
    char address[ADDRESS_MAX + 1];
};

struct account_ctx {
    struct account account;
    struct question queue[QUEUE_MAX]; /* a ring; the first is being hashed */
    unsigned first, n;
    struct traveller travellers[TRAVELLERS_MAX];
    uint64_t last_traveller;
    pid_t hasher;
    struct link link;
    int null_fd;
    struct loop_timer tidy;
    struct buf answer, frame;
    uint64_t claims, refused, held_off, changes, lost;
};

static struct account_moment moment(const struct role *r)
{
    return (struct account_moment){.now = clock_realtime(&r->clock) / NSEC_PER_SEC,
                                   .monotonic = clock_monotonic(&r->clock)};
}

/* What has passwords in it is not left to lie about. */
static void wipe(struct buf *b)
{
    if (b->ptr) explicit_bzero(b->ptr, b->cap);
    buf_clear(b);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void send_principal(struct role *r, enum serve_role peer, uint64_t id,
                           struct account_principal *who)
{
    struct account_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    c->refused += who->status == PRINCIPAL_REFUSED;
    c->held_off += who->status == PRINCIPAL_WAIT || who->status == PRINCIPAL_BUSY;
    if (link_is_open(link)) {
        say_principal_write(link_out(link), &(struct say_principal){.id = id,
                                                                    .status = (uint8_t)who->status,
                                                                    .must = who->must,
                                                                    .token = who->token,
                                                                    .veiled = who->veiled,
                                                                    .wait = who->wait,
                                                                    .tenant = who->tenant,
                                                                    .user = who->user,
                                                                    .rights = who->rights,
                                                                    .session = who->session,
                                                                    .expires = who->expires,
                                                                    .name = slice_of(who->name),
                                                                    .shown = slice_of(who->shown),
                                                                    .secret = slice_of(who->secret),
                                                                    .where = who->where});
        link_flush(link);
    }
    explicit_bzero(who, sizeof *who);
}

static void send_managed(struct role *r, enum serve_role peer, uint64_t id, unsigned status)
{
    struct account_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    if (link_is_open(link)) {
        say_managed_write(
            link_out(link),
            &(struct say_managed){.id = id, .status = status, .body = buf_slice(&c->answer)});
        link_flush(link);
    }
    wipe(&c->answer);
}

/* ---- the queue --------------------------------------------------------------------------- */

static struct question *question_at(struct account_ctx *c, unsigned at)
{
    return &c->queue[(c->first + at) % QUEUE_MAX];
}

static bool has_room(struct account_ctx *c, struct slice address)
{
    unsigned same = 0;
    for (unsigned i = 0; i < c->n; i++)
        same += slice_eq(slice_of(question_at(c, i)->address), address);
    return c->n < QUEUE_MAX && same < QUEUE_OF_ADDRESS;
}

static void hash_first(struct account_ctx *c)
{
    if (c->n == 0) return;
    hasher_ask(link_out(&c->link), &question_at(c, 0)->job);
    link_flush(&c->link);
}

static void enqueue(struct account_ctx *c, enum serve_role peer, const struct frame *frame,
                    struct slice address, const struct account_job *job)
{
    struct question *q = question_at(c, c->n++);
    q->peer = peer;
    q->type = frame->type;
    q->job = *job;
    buf_put(&q->payload, frame->payload);
    if (!slice_copy(slice_until(address, ADDRESS_MAX), q->address, sizeof q->address))
        q->address[0] = '\0';
    if (c->n == 1) hash_first(c);
}

/* ---- questions --------------------------------------------------------------------------- */

static struct account_claim claim_of(const struct say_claim *m)
{
    return (struct account_claim){.kind = m->kind,
                                  .tenant = m->tenant,
                                  .address = m->address,
                                  .name = m->name,
                                  .secret = m->secret,
                                  .code = m->code};
}

/* That it comes from this machine's command line the channel says, and nothing in the message. */
static struct account_order order_of(const struct say_manage *m, enum serve_role peer)
{
    return (struct account_order){.action = m->action,
                                  .local = peer == ROLE_CONTROL,
                                  .uid = m->uid,
                                  .tenant = m->tenant,
                                  .proof = m->proof,
                                  .address = m->address,
                                  .body = m->body};
}

/* ---- the identity provider --------------------------------------------------------------- */

static struct traveller *find_traveller(struct account_ctx *c, uint64_t id)
{
    for (size_t i = 0; i < TRAVELLERS_MAX; i++)
        if (c->travellers[i].id == id) return &c->travellers[i];
    return NULL;
}

static void send_off(struct role *r, enum serve_role peer, uint64_t call,
                     const struct account_claim *claim)
{
    struct account_ctx *c = r->ctx;
    struct link *oidc = role_link(r, ROLE_OIDC);
    struct traveller *t = find_traveller(c, 0);
    struct account_principal busy = {.status = PRINCIPAL_BUSY, .wait = 1},
                             none = {.status = PRINCIPAL_REFUSED};
    if (!r->config.accounts_oidc_issuer.n) {
        send_principal(r, peer, call, &none);
        return;
    }
    if (!t || !link_is_open(oidc) || claim->secret.len > FOREIGN_CODE_MAX) {
        send_principal(r, peer, call, &busy);
        return;
    }
    *t = (struct traveller){
        .id = ++c->last_traveller, .call = call, .peer = peer, .tenant = claim->tenant};
    if (!slice_copy(slice_until(claim->address, ADDRESS_MAX), t->address, sizeof t->address))
        t->address[0] = '\0';
    if (claim->kind == CLAIM_ELSEWHERE)
        say_depart_write(link_out(oidc), &(struct say_depart){.id = t->id});
    else
        say_arrive_write(
            link_out(oidc),
            &(struct say_arrive){.id = t->id, .state = claim->name, .code = claim->secret});
    link_flush(oidc);
}

static void welcome(struct role *r, struct traveller *t, struct account_principal *who)
{
    uint64_t call = t->call;
    enum serve_role peer = t->peer;
    *t = (struct traveller){.id = 0};
    send_principal(r, peer, call, who);
}

static int take_departed(struct role *r, const struct frame *frame)
{
    struct say_departed m;
    struct account_principal who = {.status = PRINCIPAL_ELSEWHERE};
    if (say_departed_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    struct traveller *t = m.id ? find_traveller(r->ctx, m.id) : NULL;
    if (!t) return 0;
    who.where = m.url;
    if (!m.url.len || !slice_copy(m.state, who.secret, sizeof who.secret))
        who = (struct account_principal){.status = PRINCIPAL_BUSY, .wait = 10};
    welcome(r, t, &who);
    return 0;
}

static int take_arrived(struct role *r, const struct frame *frame)
{
    struct account_ctx *c = r->ctx;
    struct say_arrived m;
    struct account_principal who = {.status = PRINCIPAL_REFUSED};
    if (say_arrived_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    struct traveller *t = m.id ? find_traveller(c, m.id) : NULL;
    if (!t) return 0;
    const struct account_claim claim = {
        .kind = CLAIM_RETURN, .tenant = t->tenant, .address = slice_of(t->address)};
    if (json_is_object(m.claims)) account_vouch(&c->account, &claim, m.claims, moment(r), &who);
    welcome(r, t, &who);
    return 0;
}

static void account_lost(struct role *r, enum serve_role peer)
{
    struct account_ctx *c = r->ctx;
    for (size_t i = 0; i < TRAVELLERS_MAX; i++) {
        struct account_principal busy = {.status = PRINCIPAL_BUSY, .wait = 1};
        if (c->travellers[i].id && peer == ROLE_OIDC) welcome(r, &c->travellers[i], &busy);
    }
}

/* ---- what is asked ----------------------------------------------------------------------- */

static int take_claim(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct account_ctx *c = r->ctx;
    struct say_claim m;
    struct account_job job;
    struct account_principal who;
    if (say_claim_read(frame->payload, &m) != 0 || frame->payload.len > QUESTION_MAX)
        return ERR_CORRUPT;
    const struct account_claim claim = claim_of(&m);
    c->claims++;
    if (claim.kind == CLAIM_ELSEWHERE || claim.kind == CLAIM_RETURN) {
        send_off(r, peer, m.id, &claim);
        return 0;
    }
    if (claim.kind == CLAIM_PASSWORD && !has_room(c, claim.address))
        who = (struct account_principal){.status = PRINCIPAL_BUSY, .wait = 1};
    else if (account_claim_begin(&c->account, &claim, moment(r), &job, &who)) {
        enqueue(c, peer, frame, claim.address, &job);
        explicit_bzero(&job, sizeof job);
        return 0;
    }
    send_principal(r, peer, m.id, &who);
    return 0;
}

static int take_manage(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct account_ctx *c = r->ctx;
    struct say_manage m;
    struct account_job job;
    unsigned status = 0;
    if (say_manage_read(frame->payload, &m) != 0 || frame->payload.len > QUESTION_MAX)
        return ERR_CORRUPT;
    const struct account_order order = order_of(&m, peer);
    c->changes++;
    if (!account_manage_begin(&c->account, &order, moment(r), &job, &status, &c->answer)) {
        send_managed(r, peer, m.id, status);
        return 0;
    }
    if (has_room(c, order.address)) {
        enqueue(c, peer, frame, order.address, &job);
    } else {
        account_manage_end(&c->account, &order, moment(r), &job,
                           &(struct account_hashed){.failed = true}, &status, &c->answer);
        send_managed(r, peer, m.id, status);
    }
    explicit_bzero(&job, sizeof job);
    return 0;
}

static int take_veil(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct account_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    struct say_veil m;
    if (say_veil_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error = account_veil(&c->account, m.user, m.tenant, m.names, moment(r).now, &c->answer);
    if (error) wipe(&c->answer);
    say_veiled_write(link_out(link),
                     &(struct say_veiled){.id = m.id, .names = buf_slice(&c->answer)});
    link_flush(link);
    wipe(&c->answer);
    return 0;
}

static int take_known(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct account_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    struct say_known m;
    if (say_known_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error = account_names(&c->account, m.tenant, m.after, &c->answer);
    if (error) wipe(&c->answer);
    say_names_write(link_out(link),
                    &(struct say_names){.tenant = m.tenant, .names = buf_slice(&c->answer)});
    link_flush(link);
    wipe(&c->answer);
    return 0;
}

static int account_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer == ROLE_OIDC && frame->type == SAY_DEPARTED) return take_departed(r, frame);
    if (peer == ROLE_OIDC && frame->type == SAY_ARRIVED) return take_arrived(r, frame);
    if (peer == ROLE_OIDC) return ERR_CORRUPT;
    if (frame->type == SAY_MANAGE) return take_manage(r, peer, frame);
    if (peer == ROLE_CONTROL) return ERR_CORRUPT;
    if (frame->type == SAY_VEIL) return take_veil(r, peer, frame);
    if (frame->type == SAY_KNOWN) return take_known(r, peer, frame);
    return frame->type == SAY_CLAIM ? take_claim(r, peer, frame) : ERR_CORRUPT;
}

static void finish_claim(struct role *r, struct question *q, const struct account_hashed *hashed)
{
    struct account_ctx *c = r->ctx;
    struct say_claim m;
    struct account_principal who;
    int error = say_claim_read(buf_slice(&q->payload), &m);
    ASSERT(error == 0);
    const struct account_claim claim = claim_of(&m);
    account_claim_end(&c->account, &claim, moment(r), &q->job, hashed, &who);
    send_principal(r, q->peer, m.id, &who);
}

static void finish_manage(struct role *r, struct question *q, const struct account_hashed *hashed)
{
    struct account_ctx *c = r->ctx;
    struct say_manage m;
    unsigned status;
    int error = say_manage_read(buf_slice(&q->payload), &m);
    ASSERT(error == 0);
    const struct account_order order = order_of(&m, q->peer);
    account_manage_end(&c->account, &order, moment(r), &q->job, hashed, &status, &c->answer);
    send_managed(r, q->peer, m.id, status);
}

static int hasher_frame(void *ctx, const struct frame *frame)
{
    struct role *r = ctx;
    struct account_ctx *c = r->ctx;
    struct account_hashed hashed;
    if (c->n == 0 || hasher_answer(frame, &hashed) != 0) return ERR_CORRUPT;
    struct question *q = question_at(c, 0);
    if (q->type == SAY_CLAIM) finish_claim(r, q, &hashed);
    else finish_manage(r, q, &hashed);
    wipe(&q->payload);
    explicit_bzero(&q->job, sizeof q->job);
    c->first = (c->first + 1) % QUEUE_MAX;
    c->n--;
    hash_first(c);
    return 0;
}

/* Without it nobody can log in: the supervisor starts both again. */
static void hasher_closed(void *ctx, int why)
{
    (void)why;
    role_end(ctx, ERR_STOPPED);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int start_hasher(struct role *r)
{
    struct account_ctx *c = r->ctx;
    static const struct link_events events = {.frame = hasher_frame, .closed = hasher_closed};
    int fd;
    link_init(&c->link, r->loop, &events, r);
    int error = worker_fork(&(struct worker_spec){.run = hasher_run,
                                                  .ctx = &c->account.settings.memory,
                                                  .role = SANDBOX_DECODER,
                                                  .unconfined = !r->sandboxed,
                                                  .max_payload = HASHER_FRAME_MAX,
                                                  .null_fd = c->null_fd},
                            &c->hasher, &fd);
    return error ? error : link_open(&c->link, fd, HASHER_FRAME_MAX, QUEUE_MAX * HASHER_FRAME_MAX);
}

static int read_veiled(const struct config *config, struct account_settings *settings,
                       struct diag *diag)
{
    for (uint32_t i = 0; i < config->accounts_pseudonyms.n; i++) {
        const char *text = config->accounts_pseudonyms.items[i];
        uint64_t tenant;
        if (!slice_to_u64(slice_of(text), &tenant) || tenant >= TENANT_ANY)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                            "accounts.pseudonyms: '%s' is not the number of a tenant", text);
        settings->veiled[settings->n_veiled++] = (uint32_t)tenant;
    }
    return 0;
}

static int read_vouched(const struct config *config, struct account_settings *settings,
                        struct diag *diag)
{
    settings->groups = config->accounts_oidc_groups.items[0];
    for (uint32_t i = 0; i < config->accounts_oidc_roles.n; i++) {
        const char *text = config->accounts_oidc_roles.items[i];
        if (!account_vouched_read(slice_of(text), &settings->vouched[settings->n_vouched++]))
            return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                            "accounts.oidc_roles: '%s' is not GROUP=ROLE or GROUP=ROLE@TENANT",
                            text);
    }
    return 0;
}

static int open_stolen(const struct config *config, struct account_settings *settings,
                       struct diag *diag)
{
    if (config->accounts_stolen.n == 0) return 0;
    const char *path = config->accounts_stolen.items[0];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return diag_set(diag, ERR_ACCESS, path, 0, 0, "%s", strerror(errno));
    settings->refuses_stolen = true;
    settings->stolen = fd;
    return stolen_check(fd, path, diag);
}

static int read_key(struct role *r, struct strongbox_key *ret, struct diag *diag)
{
    const struct config *config = &r->config;
    if (config->accounts_key.n) return strongbox_read(config->accounts_key.items[0], ret, diag);
    const char *folder = role_make_folder(r, "keys", diag);
    return folder ? strongbox_open(folder, ret, diag) : ERR_ACCESS;
}

static int open_account(struct role *r, struct diag *diag)
{
    struct account_ctx *c = r->ctx;
    const struct config *config = &r->config;
    struct account_settings settings = {
        .idle = config->accounts_idle / NSEC_PER_SEC,
        .longest = config->accounts_longest / NSEC_PER_SEC,
        .fresh = config->accounts_oidc_fresh / NSEC_PER_SEC,
        .app_required = config->accounts_app == 0,
        .memory = (size_t)config->accounts_hash_memory,
    };
    struct book *book;
    struct strongbox_key key;
    uint64_t seed;
    const char *folder = role_make_folder(r, "accounts", diag);
    const char *path = arena_printf(&r->config.arena, "%s/accounts.db", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    role_keep_folder(r, folder);
    /* SQLite asks for randomness here. */
    role_keep_path(r, "/dev/urandom");
    if (!secret_start() || getrandom(&seed, sizeof seed, 0) != sizeof seed) return ERR_IO;
    int error = read_veiled(config, &settings, diag);
    if (error == 0) error = read_vouched(config, &settings, diag);
    if (error == 0) error = open_stolen(config, &settings, diag);
    if (error == 0) error = read_key(r, &key, diag);
    if (error == 0) error = book_open(path, &key, &book, diag);
    explicit_bzero(&key, sizeof key);
    return error ? error : account_init(&c->account, book, &settings, seed);
}

static int account_prepare(struct role *r, struct diag *diag)
{
    struct account_ctx *c = r->ctx;
    for (size_t i = 0; i < QUEUE_MAX; i++) buf_init(&c->queue[i].payload, QUESTION_MAX);
    buf_init(&c->answer, MANAGE_ANSWER_MAX);
    c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (c->null_fd < 0) return ERR_LIMIT;
    int error = open_account(r, diag);
    return error ? error : start_hasher(r);
}

static void tidy(void *ctx)
{
    struct role *r = ctx;
    struct account_ctx *c = r->ctx;
    int error = account_tidy(&c->account, moment(r).now);
    if (error) role_alarm(r, "accounts-not-written", slice_of(error_text(error)));
}

/* Their owners get in by recovery codes alone, until the key comes back or another app is added. */
static void tell_lost(struct role *r)
{
    struct account_ctx *c = r->ctx;
    char text[128];
    if (book_count_lost(c->account.book, &c->lost) != 0 || c->lost == 0) return;
    (void)snprintf(text, sizeof text,
                   "apps of %" PRIu64 " accounts were sealed with another key: accounts.key",
                   c->lost);
    role_alarm(r, "accounts-key", slice_of(text));
}

static int account_start(struct role *r)
{
    struct account_ctx *c = r->ctx;
    tell_lost(r);
    c->tidy = (struct loop_timer){.due = tidy, .ctx = r};
    return loop_timer_set(r->loop, &c->tidy, TIDY_EVERY * NSEC_PER_SEC, TIDY_EVERY * NSEC_PER_SEC);
}

static void account_status(struct role *r, struct buf *out)
{
    const struct account_ctx *c = r->ctx;
    json_write_member_u64(out, "claims", c->claims);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "held_off", c->held_off);
    json_write_member_u64(out, "actions", c->changes);
    json_write_member_u64(out, "waiting", c->n);
    json_write_member_u64(out, "apps_lost", c->lost);
}

static void account_stop(struct role *r)
{
    struct account_ctx *c = r->ctx;
    link_close(&c->link);
    account_done(&c->account);
    role_end(r, 0);
}

const struct role_ops role_account = {
    .ctx_size = sizeof(struct account_ctx),
    .prepare = account_prepare,
    .start = account_start,
    .lost = account_lost,
    .frame = account_frame,
    .status = account_status,
    .stop = account_stop,
};
