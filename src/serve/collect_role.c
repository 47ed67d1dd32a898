/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the sockets and keys. Batches go to the store and are kept until it has
 * answered; bodies go to unwrap, and when that one ends while it has them, their senders are told
 * to send again.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json_write.h"
#include "collect/collect.h"
#include "collect/follow.h"
#include "collect/journal.h"
#include "pull/puller.h"
#include "serve/bookmark.h"
#include "serve/credentials.h"
#include "serve/inflight.h"
#include "serve/listeners.h"
#include "serve/metrics.h"
#include "serve/reports.h"
#include "serve/role.h"

enum {
    UNACKED_MAX = 12 * 1024 * 1024, /* with a batch more it fits in ROLE_OUT_MAX */
    SOURCES_MAX = 16 * 1024,
    SOURCES_SHOWN = 1000,
    CONNECTIONS_MAX = 12 * 1024,
    DESCRIPTORS = CONNECTIONS_MAX + 4096,
    CONTAINERS_MAX = 2048,
    BODIES_MAX = 256 * 1024 * 1024,
    SCRAPES_MAX = 64,
    METRICS_MAX = 8 * 1024 * 1024,
    READINGS_MAX = 65, /* of files.follow, and the journal */
    STOP_WITHIN = 5,   /* s: for what is under way to become durable */
};
_Static_assert(UNACKED_MAX + BATCH_MAX <= ROLE_OUT_MAX, "what may wait fits in the link");

struct given_listener {
    enum listen_input input;
    char *name;
    int fd;
};

/* Files that match a pattern, or the journal. */
struct reading {
    struct slice name;
    struct bookmark bookmark;
};

struct collect_ctx {
    struct collect *collect;
    struct credentials credentials;
    struct credential_files files; /* given for a reload */
    struct given_listener listeners[LISTENERS_MAX];
    size_t n_listeners;
    struct inflight inflight;
    uint64_t containers[CONTAINERS_MAX]; /* tokens that unwrap has */
    size_t n_containers;
    struct reports reports;
    struct buf metrics;
    uint64_t scrapes[SCRAPES_MAX]; /* who waits for them */
    size_t n_scrapes;
    struct loop_deferred answer_scrapes;
    struct reading readings[READINGS_MAX];
    size_t n_readings;
    uint64_t unsaved; /* times a bookmark could not be written */
    struct loop_timer sync, stop;
    nsec stop_at;
};

/* ---- out --------------------------------------------------------------------------------- */

static int on_batch(void *ctx, uint64_t token, struct slice batch)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    return inflight_send(&c->inflight, role_link(r, ROLE_STORE), token, 0, batch);
}

static int on_container(void *ctx, uint64_t token, const struct container *m)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_UNWRAP);
    if (!link_is_open(link) || c->n_containers == CONTAINERS_MAX ||
        link_room(link) < m->body.len + 256 * 1024)
        return ERR_LIMIT;
    say_container_write(link_out(link), &(struct say_container){.id = token,
                                                                .kind = (uint8_t)m->kind,
                                                                .flags = m->flags,
                                                                .tenant = m->tenant,
                                                                .received = m->received,
                                                                .source = m->source,
                                                                .delivery = m->delivery,
                                                                .target = m->target,
                                                                .query = m->query,
                                                                .type = m->content_type,
                                                                .encoding = m->content_encoding,
                                                                .body = m->body});
    link_flush(link);
    c->containers[c->n_containers++] = token;
    return 0;
}

/* ---- what others fetched ------------------------------------------------------------------ */

static void answer_pull(struct role *r, uint64_t id, bool stored)
{
    struct link *link = role_link(r, ROLE_PULL);
    if (!link_is_open(link)) return;
    if (stored) say_stored_write(link_out(link), &(struct say_stored){.id = id});
    else
        say_refused_write(link_out(link),
                          &(struct say_refused){.id = id, .reason = SLICE("not now")});
    link_flush(link);
}

static void on_relayed(void *ctx, uint64_t id, bool stored)
{
    answer_pull(ctx, id, stored);
}

static int take_pulled(struct role *r, const struct frame *frame)
{
    struct collect_ctx *c = r->ctx;
    struct say_batch m;
    if (say_batch_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error = collect_relay(c->collect, m.id, 0, SLICE(PULL_INPUT), m.batch);
    if (error != ERR_LIMIT && error != ERR_NOMEM) return error;
    answer_pull(r, m.id, false);
    return 0;
}

/* ---- files ------------------------------------------------------------------------------- */

static void count_unsaved(struct role *r, int error)
{
    struct collect_ctx *c = r->ctx;
    if (error && c->unsaved++ == 0)
        role_alarm(
            r, "bookmark-failed",
            SLICE("how far files were read cannot be kept: after a restart of vaka serve their "
                  "records come again"));
}

static void on_state(void *ctx, struct slice name, struct slice state)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    for (size_t i = 0; i < c->n_readings; i++)
        if (slice_eq(c->readings[i].name, name))
            count_unsaved(r, bookmark_put(&c->readings[i].bookmark, state));
}

static void sync_bookmarks(void *ctx)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    for (size_t i = 0; i < c->n_readings; i++)
        count_unsaved(r, bookmark_sync(&c->readings[i].bookmark));
}

static int open_bookmark(struct role *r, struct slice name, const char *file, struct buf *state,
                         struct diag *diag)
{
    struct collect_ctx *c = r->ctx;
    const char *folder = role_make_folder(r, "collect", diag);
    const char *path = arena_printf(&r->config.arena, "%s/%s", folder ? folder : "", file);
    if (!folder || !path) return ERR_ACCESS;
    struct reading *reading = &c->readings[c->n_readings];
    reading->name = name;
    int error = bookmark_open(&reading->bookmark, path, state, diag);
    if (error == 0) c->n_readings++;
    return error;
}

/* The folder that all files of a pattern lie below. */
static const char *folder_of(struct role *r, const char *pattern)
{
    size_t end = 0;
    for (size_t i = 0; pattern[i] && !strchr("*?[\\", pattern[i]); i++)
        if (pattern[i] == '/') end = i;
    return arena_printf(&r->config.arena, "%.*s", end ? (int)end : 1, pattern);
}

static int follow_files(struct role *r, const char *pattern, struct buf *state, struct diag *diag)
{
    struct collect_ctx *c = r->ctx;
    struct slice name = slice_of(pattern);
    char file[32];
    const char *folder = folder_of(r, pattern);
    if (!folder) return ERR_NOMEM;
    (void)snprintf(file, sizeof file, "follow-%016llx", (unsigned long long)hash64(name));
    if (access(folder, R_OK | X_OK) != 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "files.follow: %s: %s", folder,
                        strerror(errno));
    role_keep_path(r, folder);
    int error = open_bookmark(r, name, file, state, diag);
    if (error) return error;
    error = collect_follow(
        c->collect, &(struct follow_row){.name = name, .pattern = name, .state = buf_slice(state)});
    return error == ERR_INVALID
               ? diag_set(diag, error, NULL, 0, 0,
                          "files.follow: `%s` is not an absolute path of at most 256 bytes",
                          pattern)
               : error;
}

static int read_journal(struct role *r, struct buf *state, struct diag *diag)
{
    static const char *const places[] = {"/var/log/journal", "/run/log/journal", "/etc/machine-id"};
    struct collect_ctx *c = r->ctx;
    const struct slice name = SLICE("journal");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) role_keep_path(r, places[i]);
    int error = open_bookmark(r, name, "journal", state, diag);
    if (error) return error;
    error =
        collect_journal(c->collect, &(struct journal_row){.name = name, .state = buf_slice(state)});
    return error ? diag_set(diag, error, NULL, 0, 0,
                            "files.journal: the journal cannot be read (%s)", error_text(error))
                 : 0;
}

static int read_files(struct role *r, struct diag *diag)
{
    const struct config_list *follow = &r->config.files_follow;
    struct buf state;
    int error = 0;
    buf_init(&state, BOOKMARK_MAX);
    for (uint32_t i = 0; i < follow->n && error == 0; i++)
        error = follow_files(r, follow->items[i], &state, diag);
    if (error == 0 && r->config.files_journal) error = read_journal(r, &state, diag);
    buf_done(&state);
    return error;
}

/* ---- answers ----------------------------------------------------------------------------- */

static int take_stored(struct role *r, uint64_t id, bool stored)
{
    struct collect_ctx *c = r->ctx;
    uint64_t tag;
    if (!inflight_answered(&c->inflight, id, &tag)) return ERR_CORRUPT;
    return stored ? collect_acked(c->collect, id) : collect_refused(c->collect, id);
}

static int take_reply(struct role *r, const struct frame *frame)
{
    struct collect_ctx *c = r->ctx;
    struct say_reply m;
    if (say_reply_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    for (size_t i = 0; i < c->n_containers; i++) {
        if (c->containers[i] != m.id) continue;
        c->containers[i] = c->containers[--c->n_containers];
        return collect_answer(c->collect, m.id,
                              &(struct collect_reply){.bytes = m.bytes,
                                                      .status = m.status ? m.status : 200,
                                                      .type = m.type,
                                                      .header = m.header,
                                                      .body = m.body});
    }
    return ERR_CORRUPT;
}

static int take_pace(struct role *r, const struct frame *frame)
{
    struct collect_ctx *c = r->ctx;
    struct say_pace m;
    if (say_pace_read(frame->payload, &m) != 0 || m.age < 0) return ERR_CORRUPT;
    collect_paced(c->collect,
                  &(struct fair_pace){.waiting = m.waiting, .matched = m.matched, .age = m.age});
    return 0;
}

/* One that cannot be taken is closed, which its other end sees. */
static int take_connect(struct role *r, const struct frame *frame)
{
    struct collect_ctx *c = r->ctx;
    struct say_connect m;
    int fd = link_take_fd(role_link(r, ROLE_CANARY));
    if (say_connect_read(frame->payload, &m) != 0 || fd < 0) return ERR_CORRUPT;
    int error = collect_connect(c->collect, m.input, slice_of(record_mark_name(m.mark)), fd);
    return error == ERR_NOT_FOUND ? ERR_CORRUPT : 0;
}

static int collect_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct say_stored stored;
    struct say_refused refused;
    if (peer == ROLE_UNWRAP && frame->type == SAY_REPLY) return take_reply(r, frame);
    if (peer == ROLE_PULL && frame->type == SAY_BATCH) return take_pulled(r, frame);
    if (peer == ROLE_CANARY && frame->type == SAY_CONNECT) return take_connect(r, frame);
    if (peer != ROLE_STORE) return ERR_CORRUPT;
    if (frame->type == SAY_PACE) return take_pace(r, frame);
    if (frame->type == SAY_STORED && say_stored_read(frame->payload, &stored) == 0)
        return take_stored(r, stored.id, true);
    if (frame->type == SAY_REFUSED && say_refused_read(frame->payload, &refused) == 0)
        return take_stored(r, refused.id, false);
    return ERR_CORRUPT;
}

static void collect_peer(struct role *r, enum serve_role peer)
{
    struct collect_ctx *c = r->ctx;
    if (peer == ROLE_STORE) inflight_resend(&c->inflight, role_link(r, ROLE_STORE));
}

static void collect_lost(struct role *r, enum serve_role peer)
{
    struct collect_ctx *c = r->ctx;
    const struct collect_reply again = {
        .status = 503, .type = SLICE("text/plain"), .body = SLICE("not stored; send it again\n")};
    if (peer == ROLE_PULL) collect_relay_forget(c->collect);
    if (peer != ROLE_UNWRAP) return;
    while (c->n_containers > 0)
        if (collect_answer(c->collect, c->containers[--c->n_containers], &again) != 0) return;
}

/* ---- figures ----------------------------------------------------------------------------- */

static void put_figures(struct role *r, struct buf *out)
{
    const struct collect_ctx *c = r->ctx;
    const struct ledger *ledger = collect_ledger(c->collect);
    uint32_t active = 0;
    for (uint32_t i = 0; i < ledger->n; i++) active += ledger_row_is_active(&ledger->rows[i]);
    json_write_member_u64(out, "unacked", collect_unacked(c->collect));
    json_write_member_u64(out, "sources_active", active);
    json_write_member_u64(out, "source_limit", collect_level(c->collect));
    json_write_member_u64(out, "bookmarks_failed", c->unsaved);
}

/* ---- what is measured -------------------------------------------------------------------- */

/* Answered when the loop comes around: never from within the question. */
static int on_metrics(void *ctx, uint64_t token)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    if (c->n_scrapes == SCRAPES_MAX) return ERR_LIMIT;
    c->scrapes[c->n_scrapes++] = token;
    loop_defer(r->loop, &c->answer_scrapes);
    return 0;
}

/* What the supervisor knows of this process, and what it knows itself. */
static void write_own_report(struct role *r, struct buf *out)
{
    struct collect_ctx *c = r->ctx;
    buf_clear(out);
    if (c->reports.of[ROLE_COLLECT].len) buf_put(out, buf_slice(&c->reports.of[ROLE_COLLECT]));
    else buf_puts(out, "{}");
    if (!buf_failed(out)) out->len--;
    put_figures(r, out);
    buf_putc(out, '}');
}

static void answer_scrapes(void *ctx)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    struct slice reports[REPORT_COUNT];
    for (unsigned i = 0; i < REPORT_COUNT; i++) reports[i] = buf_slice(&c->reports.of[i]);
    write_own_report(r, &r->text);
    reports[ROLE_COLLECT] = buf_slice(&r->text);
    buf_clear(&c->metrics);
    metrics_write(&c->metrics, reports, collect_ledger(c->collect));
    bool good = !buf_failed(&c->metrics);
    while (c->n_scrapes > 0) {
        const struct collect_reply reply = {.status = good ? 200 : 503,
                                            .type = SLICE(METRICS_TYPE),
                                            .body = good ? buf_slice(&c->metrics) : SLICE_NONE};
        int error = collect_answer(c->collect, c->scrapes[--c->n_scrapes], &reply);
        ASSERT(error == 0);
    }
}

static int take_report(struct collect_ctx *c, const struct frame *frame)
{
    struct say_report m;
    return reports_take(&c->reports, frame, &m);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int take_credential(struct role *r, unsigned file, int fd)
{
    struct collect_ctx *c = r->ctx;
    if (!r->running || file >= CREDENTIAL_FILES || c->files.fds[file] >= 0) {
        (void)close(fd);
        return ERR_CORRUPT;
    }
    c->files.fds[file] = fd;
    return 0;
}

/* Senders who are connected notice nothing; when something is wrong, nobody does. */
static void renew_credentials(struct role *r)
{
    struct collect_ctx *c = r->ctx;
    struct diag diag = {0};
    struct tokens *before = c->credentials.tokens;
    int error = credentials_read(&c->credentials, &r->config, &c->files, &diag);
    credentials_close(&c->files);
    if (error == 0) {
        error = collect_renew(c->collect, c->credentials.tokens);
        tokens_free(before);
    }
    if (error)
        role_alarm(r, "reload-failed",
                   slice_of(diag.message[0] ? diag.message : error_text(error)));
    else log_write(LOG_CREDENTIALS_RELOADED, LOG_NUMBER("tls", c->credentials.tls != NULL));
}

static int collect_command(struct role *r, const struct frame *frame)
{
    if (frame->type == SAY_REPORT) return take_report(r->ctx, frame);
    if (frame->type != SAY_RELOAD) return ERR_CORRUPT;
    renew_credentials(r);
    return 0;
}

static int collect_given(struct role *r, const struct say_give *give, int fd)
{
    struct collect_ctx *c = r->ctx;
    unsigned input = (unsigned)give->kind - GIVE_LISTENER;
    if (give->kind >= GIVE_CREDENTIAL)
        return take_credential(r, (unsigned)give->kind - GIVE_CREDENTIAL, fd);
    if (give->kind < GIVE_LISTENER || input >= LISTEN_INPUT_COUNT ||
        c->n_listeners == LISTENERS_MAX) {
        (void)close(fd);
        return ERR_CORRUPT;
    }
    struct given_listener *l = &c->listeners[c->n_listeners];
    *l = (struct given_listener){
        .input = input, .fd = fd, .name = strndup(give->name.ptr, give->name.len)};
    if (!l->name) return ERR_NOMEM;
    c->n_listeners++;
    return 0;
}

static const struct tls_context *tls_of(const struct collect_ctx *c, enum listen_input input)
{
    enum listen_tls tls = listen_tls(input);
    if (tls == LISTEN_TLS_NEVER) return NULL;
    const struct credentials *own = &c->credentials;
    const struct tls_context *clients = tls == LISTEN_TLS_MAY ? own->tls_http : own->tls_clients;
    return clients ? clients : own->tls;
}

static int add_listener(struct role *r, const struct given_listener *l, struct diag *diag)
{
    struct collect_ctx *c = r->ctx;
    const struct tls_context *tls = tls_of(c, l->input);
    if (!tls && listen_tls(l->input) == LISTEN_TLS_ALWAYS)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s needs tls.certificate and tls.key",
                        listeners_key(l->input));
    int error = collect_listen(
        c->collect, &(struct listener){.input = l->input,
                                       .name = slice_of(l->name),
                                       .fd = l->fd,
                                       .tls = tls,
                                       .connections_max = CONNECTIONS_MAX,
                                       /* systemd-journal-upload has no way to send a token. */
                                       .certificate = TOKEN_JOURNAL});
    return error ? diag_set(diag, error, NULL, 0, 0, "%s %s: %s", listeners_key(l->input), l->name,
                            error_text(error))
                 : 0;
}

/*
 * What Vaka's own canary comes by. Nobody can knock there: the ends of its connections are passed
 * to this process, and a request needs no token.
 */
static int add_own_listeners(struct role *r, struct diag *diag)
{
    struct collect_ctx *c = r->ctx;
    static const unsigned marks[] = {RECORD_MARK_CANARY, RECORD_MARK_EXERCISE};
    static const enum listen_input inputs[] = {LISTEN_RELP, LISTEN_HTTP};
    for (size_t i = 0; i < 4; i++) {
        const struct listener row = {.input = inputs[i / 2],
                                     .name = slice_of(record_mark_name(marks[i % 2])),
                                     .fd = -1,
                                     .through = marks[i % 2] == RECORD_MARK_CANARY,
                                     .anyone = TOKEN_INGEST};
        int error = collect_listen(c->collect, &row);
        if (error)
            return diag_set(diag, error, NULL, 0, 0, "%s for the %s: %s",
                            listen_input_name(row.input), row.name.ptr, error_text(error));
    }
    return 0;
}

/* A connection is a descriptor, and what a service is given by default is meant for select(2). */
static void raise_descriptors(void)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= DESCRIPTORS) return;
    now.rlim_cur = now.rlim_max < DESCRIPTORS ? now.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &now);
}

static int collect_prepare(struct role *r, struct diag *diag)
{
    struct collect_ctx *c = r->ctx;
    struct collect_options options = {
        .loop = r->loop,
        .clock = r->clock,
        .out = {.ctx = r,
                .batch = on_batch,
                .container = on_container,
                .metrics = on_metrics,
                .state = on_state,
                .relayed = on_relayed},
        .unacked_max = UNACKED_MAX,
        .sources_max = SOURCES_MAX,
        .connections_max = CONNECTIONS_MAX,
        .bodies_max = BODIES_MAX,
    };
    reports_init(&c->reports);
    buf_init(&c->metrics, METRICS_MAX);
    c->answer_scrapes = (struct loop_deferred){.call = answer_scrapes, .ctx = r};
    raise_descriptors();
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    int error = credentials_open(&r->config, &c->files, diag);
    if (error) return error;
    error = credentials_read(&c->credentials, &r->config, &c->files, diag);
    credentials_close(&c->files);
    options.tokens = c->credentials.tokens;
    if (error == 0) error = collect_new(&options, &c->collect);
    /* Before the sandbox: a listener for HTTP makes descriptors of its own. */
    for (size_t i = 0; i < c->n_listeners && error == 0; i++)
        error = add_listener(r, &c->listeners[i], diag);
    if (error == 0) error = add_own_listeners(r, diag);
    return error ? error : read_files(r, diag);
}

static int collect_start(struct role *r)
{
    struct collect_ctx *c = r->ctx;
    c->sync = (struct loop_timer){.due = sync_bookmarks, .ctx = r};
    return loop_timer_set(r->loop, &c->sync, NSEC_PER_SEC, NSEC_PER_SEC);
}

/* ---- status ------------------------------------------------------------------------------ */

static void put_sums(struct buf *out, const char *key, const struct ledger_sums *sums)
{
    json_write_key(out, key);
    buf_putc(out, '{');
    json_write_member_u64(out, "received", sums->received);
    json_write_member_u64(out, "stored", sums->stored);
    json_write_member_u64(out, "pending", sums->pending);
    json_write_key(out, "lost");
    buf_putc(out, '{');
    for (unsigned i = 0; i < LEDGER_LOSS_COUNT; i++)
        if (sums->lost[i]) json_write_member_u64(out, ledger_loss_name(i), sums->lost[i]);
    buf_puts(out, "}}");
}

static void put_source(struct buf *out, const struct ledger_row *row)
{
    struct record_source from;
    record_source_read(row->source, &from);
    if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
    buf_putc(out, '{');
    json_write_member_string(out, "input", from.input);
    json_write_member_string(out, "listener", from.listener);
    json_write_member_string(out, "identity", from.identity);
    json_write_member_string(out, "address", from.address);
    put_sums(out, "records", &row->records);
    put_sums(out, "requests", &row->requests);
    json_write_member_u64(out, "bytes", row->bytes);
    json_write_member_u64(out, "cut", row->cut);
    json_write_member_u64(out, "odd", row->odd);
    json_write_member_u64(out, "broken", row->broken);
    json_write_member_u64(out, "refused", row->refused);
    json_write_member_u64(out, "connections", row->connections);
    json_write_member_u64(out, "open", row->open);
    json_write_member_u64(out, "seen", row->seen > 0 ? (uint64_t)(row->seen / NSEC_PER_SEC) : 0);
    buf_putc(out, '}');
}

static void add_sums(struct ledger_sums *to, const struct ledger_sums *sums)
{
    to->received += sums->received;
    to->stored += sums->stored;
    to->pending += sums->pending;
    for (unsigned i = 0; i < LEDGER_LOSS_COUNT; i++) to->lost[i] += sums->lost[i];
}

static void collect_status(struct role *r, struct buf *out)
{
    struct collect_ctx *c = r->ctx;
    const struct ledger *ledger = collect_ledger(c->collect);
    struct ledger_sums records = {0}, requests = {0};
    for (uint32_t i = 0; i < ledger->n; i++) {
        add_sums(&records, &ledger->rows[i].records);
        add_sums(&requests, &ledger->rows[i].requests);
    }
    put_sums(out, "records", &records);
    put_sums(out, "requests", &requests);
    put_figures(r, out);
    json_write_key(out, "sources");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < ledger->n && i < SOURCES_SHOWN; i++)
        if (ledger_row_is_active(&ledger->rows[i])) put_source(out, &ledger->rows[i]);
    buf_putc(out, ']');
}

/* ---- the end ----------------------------------------------------------------------------- */

static void stop_when_done(void *ctx)
{
    struct role *r = ctx;
    struct collect_ctx *c = r->ctx;
    bool late = clock_monotonic(&r->clock) >= c->stop_at;
    if (collect_unacked(c->collect) > 0 && !late) return;
    sync_bookmarks(r);
    role_end(r, 0);
}

static void collect_stop_role(struct role *r)
{
    struct collect_ctx *c = r->ctx;
    collect_stop(c->collect);
    c->stop = (struct loop_timer){.due = stop_when_done, .ctx = r};
    c->stop_at = clock_monotonic(&r->clock) + STOP_WITHIN * NSEC_PER_SEC;
    if (loop_timer_set(r->loop, &c->stop, NSEC_PER_MSEC, NSEC_PER_MSEC * 10) != 0) role_end(r, 0);
}

const struct role_ops role_collect = {
    .ctx_size = sizeof(struct collect_ctx),
    .given = collect_given,
    .prepare = collect_prepare,
    .start = collect_start,
    .peer = collect_peer,
    .lost = collect_lost,
    .frame = collect_frame,
    .command = collect_command,
    .status = collect_status,
    .stop = collect_stop_role,
};
