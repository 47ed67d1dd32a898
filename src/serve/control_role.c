/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The local command line. Whoever may connect to the socket is known by the credentials of its
 * peer (unix(7)), which the kernel vouches for; every question is logged with them.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account/account.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "desk/desk.h"
#include "oncall/oncall.h"
#include "serve/reports.h"
#include "serve/role.h"

enum {
    CLIENTS_MAX = 64,
    ASK_MAX = (int)MANAGE_BODY_MAX + (int)DESK_BODY_MAX + 4096,
    CLIENT_OUT_MAX = 16 * 1024 * 1024,
    CLIENT_BEHIND = CLIENT_OUT_MAX / 4, /* that are not read yet: nothing more is asked for */
    PAGE_ROWS = 64,
    PATIENCE = 1, /* s: who asks does not wait longer for a process that says nothing */
    SAMPLES = 64, /* more than the seconds of the longest rate */
};

struct client {
    struct role *role;
    struct link link;
    uint64_t id;  /* 0: free */
    uint32_t uid; /* the kernel's word */
    bool watching, follow, reloading, managing, acting;
    enum serve_role doer; /* who does the act */
    /* Of who watches alerts: where he is, and how many more he may get. */
    uint64_t after, left;
    uint32_t page;            /* rows that triage may still send of what it was asked for */
    bool follows, page_waits; /* page_waits: until he has read more */
    uint64_t round;           /* waits for what all processes say in it; 0: does not */
    struct loop_timer patience;
};

/* How many records there were ever, at one time. */
struct sample {
    nsec at; /* monotonic */
    uint64_t stored, matched;
};

struct control_ctx {
    int socket_fd;
    uid_t own_uid;
    struct loop_watch accept;
    struct client clients[CLIENTS_MAX];
    uint64_t next_id;
    struct reports reports;
    uint64_t rounds[REPORT_COUNT];  /* in which it said so */
    uint64_t round;                 /* the newest */
    struct sample samples[SAMPLES]; /* one a second, in a ring */
    uint64_t n_samples;             /* ever */
    struct loop_timer sampling;
    struct buf text;
    uint64_t asked;
};

/* ---- answers ----------------------------------------------------------------------------- */

static void drop(struct client *client)
{
    struct role *r = client->role;
    struct link *triage = role_link(r, ROLE_TRIAGE);
    if (client->watching && link_is_open(triage)) {
        say_unwatch_write(link_out(triage), &(struct say_unwatch){.client = client->id});
        link_flush(triage);
    }
    loop_timer_stop(r->loop, &client->patience);
    link_close(&client->link);
    client->id = client->round = 0;
    client->watching = client->follow = client->page_waits = false;
    client->reloading = client->managing = client->acting = false;
}

static void done(struct client *client, uint8_t status, const char *text)
{
    say_done_write(link_out(&client->link),
                   &(struct say_done){.status = status, .text = slice_of(text)});
    link_flush(&client->link);
    client->watching = client->page_waits = client->managing = client->acting = false;
}

/* ---- rates ------------------------------------------------------------------------------- */

static uint64_t reported(const struct control_ctx *c, enum serve_role role, const char *name)
{
    struct slice value;
    uint64_t n;
    return json_find_member(buf_slice(&c->reports.of[role]), name, NULL, &value) &&
                   slice_to_u64(value, &n)
               ? n
               : 0;
}

static struct sample sample_now(struct role *r)
{
    const struct control_ctx *c = r->ctx;
    return (struct sample){.at = clock_monotonic(&r->clock),
                           .stored = reported(c, ROLE_STORE, "next"),
                           .matched = reported(c, ROLE_TRIAGE, "matched")};
}

static void take_sample(void *ctx)
{
    struct role *r = ctx;
    struct control_ctx *c = r->ctx;
    /* Nothing that was stored before this process was started counts as new. */
    if (c->reports.of[ROLE_STORE].len == 0 || c->reports.of[ROLE_TRIAGE].len == 0) return;
    c->samples[c->n_samples++ % SAMPLES] = sample_now(r);
}

/* The oldest sample that is not older than `window`; NULL when there is none. */
static const struct sample *sample_before(const struct control_ctx *c, nsec now, nsec window)
{
    const struct sample *found = NULL;
    for (uint64_t back = 1; back <= c->n_samples && back <= SAMPLES; back++) {
        const struct sample *s = &c->samples[(c->n_samples - back) % SAMPLES];
        if (now - s->at > window) break;
        found = s;
    }
    return found;
}

/* A second, to one digit behind the point. */
static void put_rate(struct buf *out, const char *key, uint64_t before, uint64_t now, nsec passed)
{
    json_write_key(out, key);
    if (passed < NSEC_PER_SEC / 2 || now < before) buf_puts(out, "null");
    else buf_printf(out, "%.1f", (double)(now - before) * (double)NSEC_PER_SEC / (double)passed);
}

static void write_rates(struct role *r, struct buf *out)
{
    static const struct {
        const char *name;
        nsec window;
    } rates[] = {{"10s", 10 * NSEC_PER_SEC}, {"60s", 60 * NSEC_PER_SEC}};
    struct sample now = sample_now(r);
    json_write_key(out, "rates");
    buf_putc(out, '{');
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const struct sample *then = sample_before(r->ctx, now.at, rates[i].window);
        if (!then) then = &now;
        json_write_key(out, rates[i].name);
        buf_putc(out, '{');
        put_rate(out, "stored", then->stored, now.stored, now.at - then->at);
        put_rate(out, "matched", then->matched, now.matched, now.at - then->at);
        buf_putc(out, '}');
    }
    buf_putc(out, '}');
}

/* ---- status ------------------------------------------------------------------------------ */

/* `round`: the processes that have not said anything in it are named. */
static void write_status(struct role *r, uint64_t round, struct buf *out)
{
    struct control_ctx *c = r->ctx;
    buf_clear(out);
    buf_putc(out, '{');
    reports_write(&c->reports, out);
    write_rates(r, out);
    json_write_key(out, "silent");
    buf_putc(out, '[');
    for (unsigned i = 0; i < REPORT_COUNT; i++) {
        if (c->rounds[i] >= round) continue;
        if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
        json_write_string(out, slice_of(serve_role_name(i)));
    }
    buf_puts(out, "]}");
}

static void send_status(struct client *client, uint64_t round)
{
    struct role *r = client->role;
    struct control_ctx *c = r->ctx;
    write_status(r, round, &c->text);
    if (link_room(&client->link) < c->text.len + 1024) return;
    say_answer_write(link_out(&client->link), &(struct say_answer){.text = buf_slice(&c->text)});
    link_flush(&client->link);
}

static void answer_status(void *ctx)
{
    struct client *client = ctx;
    loop_timer_stop(client->role->loop, &client->patience);
    send_status(client, client->round);
    client->round = 0;
    if (!client->follow && link_is_open(&client->link)) done(client, 0, "");
}

/* Answered when every process has said how it is now, or at the end of patience. */
static void ask_status(struct client *client)
{
    struct role *r = client->role;
    struct control_ctx *c = r->ctx;
    client->round = ++c->round;
    say_refresh_write(link_out(&r->supervisor), &(struct say_refresh){.round = client->round});
    link_flush(&r->supervisor);
    client->patience = (struct loop_timer){.due = answer_status, .ctx = client};
    if (loop_timer_set(r->loop, &client->patience, PATIENCE * NSEC_PER_SEC, 0) != 0)
        answer_status(client);
}

static bool all_spoke(const struct control_ctx *c, uint64_t round)
{
    for (unsigned i = 0; i < REPORT_COUNT; i++)
        if (c->rounds[i] < round) return false;
    return true;
}

/* A page at a time, so that who reads slowly holds up nobody, and gets all of it. */
static void ask_page(struct client *client)
{
    struct link *triage = role_link(client->role, ROLE_TRIAGE);
    client->page_waits = false;
    client->page = client->left < PAGE_ROWS ? (uint32_t)client->left : PAGE_ROWS;
    say_watch_write(
        link_out(triage),
        &(struct say_watch){.client = client->id, .after = client->after, .limit = client->page});
    link_flush(triage);
}

static void ask_to_come(struct client *client)
{
    struct link *triage = role_link(client->role, ROLE_TRIAGE);
    client->left = UINT64_MAX;
    say_watch_write(
        link_out(triage),
        &(struct say_watch){.client = client->id, .after = client->after, .follow = true});
    link_flush(triage);
}

/* Triage has sent what it was asked for, or has no more. */
static void end_page(struct client *client)
{
    if (client->page == 0 && client->left > 0) {
        if (link_waiting(&client->link) >= CLIENT_BEHIND) client->page_waits = true;
        else ask_page(client);
    } else if (client->follows) {
        ask_to_come(client);
    } else {
        done(client, 0, "");
    }
}

/*
 * Who follows and reads more slowly than alerts come holds up nobody, either: what he has not got
 * yet he gets by pages. Rows that are on their way to him as he was are nobody's.
 */
static void fall_behind(struct client *client)
{
    struct role *r = client->role;
    struct control_ctx *c = r->ctx;
    struct link *triage = role_link(r, ROLE_TRIAGE);
    say_unwatch_write(link_out(triage), &(struct say_unwatch){.client = client->id});
    link_flush(triage);
    client->id = ++c->next_id;
    client->page = 0;
    client->page_waits = true;
}

static void client_room(void *ctx)
{
    struct client *client = ctx;
    if (client->page_waits && link_is_open(role_link(client->role, ROLE_TRIAGE))) ask_page(client);
}

static int watch_alerts(struct client *client, const struct say_ask *ask)
{
    struct role *r = client->role;
    struct link *triage = role_link(r, ROLE_TRIAGE);
    if (!link_is_open(triage)) {
        done(client, 1, "the process that has the alerts is being started again");
        return 0;
    }
    client->watching = true;
    client->after = ask->after;
    client->left = ask->limit ? ask->limit : UINT64_MAX;
    client->follows = ask->follow != 0;
    if (client->follows && ask->after == UINT64_MAX) ask_to_come(client);
    else ask_page(client);
    return 0;
}

/* Who is on call and what pages are there is oncall's, all else is done to incidents. */
static enum serve_role doer_of(struct slice kind)
{
    enum account_right right;
    if (slice_starts_with(kind, SLICE("drill_"))) return ROLE_CANARY;
    return oncall_act_right(kind, &right) ? ROLE_ONCALL : ROLE_TRIAGE;
}

/* "anna (uid 1000)": the name is what the command line says, the number what the kernel does. */
static int ask_act(struct client *client, const struct say_ask *ask)
{
    client->doer = doer_of(ask->kind);
    struct link *link = role_link(client->role, client->doer);
    struct buf actor;
    if (!link_is_open(link)) {
        done(client, 1, "the process that does this is being started again");
        return 0;
    }
    buf_init(&actor, DESK_ACTOR_MAX);
    buf_put(&actor, slice_until(ask->who, DESK_ACTOR_MAX / 2));
    buf_printf(&actor, " (uid %" PRIu32 ")", client->uid);
    say_act_write(link_out(link), &(struct say_act){.client = client->id,
                                                    .actor = slice_trim(buf_slice(&actor)),
                                                    .kind = ask->kind,
                                                    .body = ask->body});
    buf_done(&actor);
    client->acting = true;
    link_flush(link);
    return 0;
}

static void ask_supervisor(struct client *client, uint8_t command)
{
    struct role *r = client->role;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = command});
    link_flush(&r->supervisor);
}

/* Who has this machine, or what Vaka has, may do everything to accounts anyhow. */
static int manage_accounts(struct client *client, const struct frame *frame)
{
    struct role *r = client->role;
    const struct control_ctx *c = r->ctx;
    struct link *account = role_link(r, ROLE_ACCOUNT);
    struct say_manage m;
    if (say_manage_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (client->uid != 0 && client->uid != c->own_uid) {
        done(client, 1, "accounts are managed by root and by the user of vaka serve");
        return 0;
    }
    if (!link_is_open(account)) {
        done(client, 1, "the process that has the accounts is being started again");
        return 0;
    }
    m.id = client->id;
    m.uid = client->uid;
    m.proof = m.address = SLICE_NONE;
    client->managing = true;
    say_manage_write(link_out(account), &m);
    link_flush(account);
    return 0;
}

static int client_frame(void *ctx, const struct frame *frame)
{
    struct client *client = ctx;
    struct control_ctx *c = client->role->ctx;
    struct say_ask ask;
    if (client->watching || client->round || client->reloading || client->managing ||
        client->acting)
        return ERR_CORRUPT;
    c->asked++;
    if (frame->type == SAY_MANAGE) return manage_accounts(client, frame);
    if (frame->type != SAY_ASK || say_ask_read(frame->payload, &ask) != 0) return ERR_CORRUPT;
    switch (ask.what) {
    case ASK_STATUS:
        client->follow = ask.follow != 0;
        ask_status(client);
        return 0;
    case ASK_ALERTS:
        return watch_alerts(client, &ask);
    case ASK_ACT:
        return ask_act(client, &ask);
    case ASK_RELOAD:
        client->reloading = true;
        ask_supervisor(client, COMMAND_RELOAD);
        return 0;
    case ASK_KEYS:
        ask_supervisor(client, COMMAND_KEYS);
        done(client, 0, "");
        return 0;
    default:
        done(client, 2, "this version of Vaka does not know the question");
        return 0;
    }
}

static void client_closed(void *ctx, int why)
{
    (void)why;
    drop(ctx);
}

static const struct link_events client_events = {
    .frame = client_frame, .closed = client_closed, .room = client_room};

static void on_accept(void *ctx, unsigned what)
{
    struct role *r = ctx;
    struct control_ctx *c = r->ctx;
    struct ucred who = {0};
    socklen_t len = sizeof who;
    (void)what;
    int fd = accept4(c->socket_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct client *client = NULL;
    for (size_t i = 0; i < CLIENTS_MAX && !client; i++)
        if (!c->clients[i].id) client = &c->clients[i];
    if (!client || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
        link_open(&client->link, fd, ASK_MAX, CLIENT_OUT_MAX) != 0) {
        (void)close(fd);
        return;
    }
    client->id = ++c->next_id;
    client->uid = who.uid;
    log_write(LOG_CONTROL_CLIENT, LOG_NUMBER("pid", who.pid), LOG_NUMBER("uid", who.uid),
              LOG_NUMBER("gid", who.gid));
}

/* ---- from others ------------------------------------------------------------------------- */

static struct client *find_client(struct control_ctx *c, uint64_t id)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (id && c->clients[i].id == id) return &c->clients[i];
    return NULL;
}

static int take_row(struct role *r, const struct frame *frame)
{
    struct say_row m;
    if (say_row_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    struct client *client = find_client(r->ctx, m.client);
    if (!client) return 0; /* it went meanwhile */
    if (link_waiting(&client->link) >= CLIENT_BEHIND ||
        link_room(&client->link) < m.line.len + 1024) {
        fall_behind(client);
        return 0;
    }
    client->after = m.id;
    if (client->left != UINT64_MAX) client->left--;
    if (client->page) client->page--;
    say_answer_write(link_out(&client->link),
                     &(struct say_answer){.id = m.id, .count = m.count, .text = m.line});
    link_flush(&client->link);
    return 0;
}

static int take_managed(struct role *r, const struct frame *frame)
{
    struct say_managed m;
    if (say_managed_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    struct client *client = find_client(r->ctx, m.id);
    if (!client || !client->managing) return 0;
    say_answer_write(link_out(&client->link), &(struct say_answer){.id = m.status, .text = m.body});
    done(client, 0, "");
    return 0;
}

static int take_acted(struct role *r, const struct frame *frame)
{
    struct say_acted m;
    if (say_acted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    struct client *client = find_client(r->ctx, m.client);
    if (!client || !client->acting) return 0; /* it went meanwhile: it is done all the same */
    say_answer_write(link_out(&client->link), &(struct say_answer){.id = m.status, .text = m.body});
    done(client, 0, "");
    return 0;
}

static int control_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct say_end end;
    if (peer == ROLE_ACCOUNT && frame->type == SAY_MANAGED) return take_managed(r, frame);
    bool doer = peer == ROLE_ONCALL || peer == ROLE_CANARY;
    if (doer && frame->type == SAY_ACTED) return take_acted(r, frame);
    if (peer != ROLE_TRIAGE) return ERR_CORRUPT;
    if (frame->type == SAY_ROW) return take_row(r, frame);
    if (frame->type == SAY_ACTED) return take_acted(r, frame);
    if (frame->type != SAY_END || say_end_read(frame->payload, &end) != 0) return ERR_CORRUPT;
    struct client *client = find_client(r->ctx, end.client);
    if (client && client->watching) end_page(client);
    return 0;
}

/* Those who followed are told; they may ask again. */
static void control_lost(struct role *r, enum serve_role peer)
{
    struct control_ctx *c = r->ctx;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &c->clients[i];
        if (client->id && client->watching && peer == ROLE_TRIAGE)
            done(client, 1, "the process that has the alerts is being started again");
        if (client->id && client->acting && peer == client->doer)
            done(client, 1, "the process that does this has ended; look whether it was done");
        if (client->id && client->managing && peer == ROLE_ACCOUNT)
            done(client, 1,
                 "the process that has the accounts has ended: what was done is unknown");
    }
}

/* Who asked for it hears what became of it. */
static int take_reloaded(struct role *r, const struct frame *frame)
{
    struct control_ctx *c = r->ctx;
    struct say_reloaded m;
    if (say_reloaded_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &c->clients[i];
        if (!client->id || !client->reloading) continue;
        client->reloading = false;
        if (m.status == 0 && m.text.len)
            say_answer_write(link_out(&client->link), &(struct say_answer){.text = m.text});
        say_done_write(
            link_out(&client->link),
            &(struct say_done){.status = m.status, .text = m.status ? m.text : SLICE_NONE});
        link_flush(&client->link);
    }
    return 0;
}

static int control_command(struct role *r, const struct frame *frame)
{
    struct control_ctx *c = r->ctx;
    struct say_report m;
    if (frame->type == SAY_RELOADED) return take_reloaded(r, frame);
    if (frame->type != SAY_REPORT || reports_take(&c->reports, frame, &m) != 0) return ERR_CORRUPT;
    if (m.round > c->rounds[m.role]) c->rounds[m.role] = m.round;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &c->clients[i];
        if (!client->id) continue;
        if (client->round && all_spoke(c, client->round)) answer_status(client);
        else if (client->follow && !client->round && m.role == ROLE_STORE && m.round == 0)
            send_status(client, 0);
    }
    return 0;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int control_given(struct role *r, const struct say_give *give, int fd)
{
    struct control_ctx *c = r->ctx;
    if (give->kind != GIVE_CONTROL_SOCKET || c->socket_fd) {
        (void)close(fd);
        return ERR_CORRUPT;
    }
    c->socket_fd = fd;
    c->own_uid = geteuid();
    return 0;
}

static int control_start(struct role *r)
{
    struct control_ctx *c = r->ctx;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        c->clients[i].role = r;
        link_init(&c->clients[i].link, r->loop, &client_events, &c->clients[i]);
    }
    reports_init(&c->reports);
    buf_init(&c->text, (REPORT_COUNT + 1) * (size_t)REPORT_MAX);
    /* Answers to a process that had this role before are older than any question of this one. */
    c->round = (uint64_t)clock_monotonic(&r->clock);
    c->sampling = (struct loop_timer){.due = take_sample, .ctx = r};
    if (loop_timer_set(r->loop, &c->sampling, NSEC_PER_SEC, NSEC_PER_SEC) != 0) return ERR_LIMIT;
    c->accept = (struct loop_watch){.fd = c->socket_fd, .ready = on_accept, .ctx = r};
    return loop_watch_add(r->loop, &c->accept, LOOP_READ);
}

static void control_status(struct role *r, struct buf *out)
{
    struct control_ctx *c = r->ctx;
    json_write_member_u64(out, "asked", c->asked);
}

static void control_stop(struct role *r)
{
    role_end(r, 0);
}

const struct role_ops role_control = {
    .ctx_size = sizeof(struct control_ctx),
    .given = control_given,
    .start = control_start,
    .lost = control_lost,
    .frame = control_frame,
    .command = control_command,
    .status = control_status,
    .stop = control_stop,
};
