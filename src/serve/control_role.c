/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The local command line. Whoever may connect to the socket is known by the credentials of its
 * peer (unix(7)), which the kernel vouches for; every question is logged with them.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json_write.h"
#include "serve/role.h"

enum {
    CLIENTS_MAX = 64,
    ASK_MAX = 4096,
    CLIENT_OUT_MAX = 16 * 1024 * 1024,
    REPORT_MAX = 1024 * 1024,
};

struct client {
    struct role *role;
    struct link link;
    uint64_t id; /* 0: free */
    bool watching, follow;
};

struct control_ctx {
    int socket_fd;
    struct loop_watch accept;
    struct client clients[CLIENTS_MAX];
    uint64_t next_id;
    struct buf reports[ROLE_COUNT]; /* what each process said last, as a JSON object */
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
    link_close(&client->link);
    client->id = 0;
    client->watching = client->follow = false;
}

static void done(struct client *client, uint8_t status, const char *text)
{
    say_done_write(link_out(&client->link),
                   &(struct say_done){.status = status, .text = slice_of(text)});
    link_flush(&client->link);
    client->watching = false;
}

static void write_status(struct role *r, struct buf *out)
{
    struct control_ctx *c = r->ctx;
    buf_clear(out);
    buf_puts(out, "{\"processes\":{");
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        json_write_key(out, serve_role_name(i));
        if (c->reports[i].len) buf_put(out, buf_slice(&c->reports[i]));
        else buf_puts(out, "null");
    }
    buf_puts(out, "}}");
}

static void send_status(struct client *client)
{
    struct role *r = client->role;
    struct control_ctx *c = r->ctx;
    write_status(r, &c->text);
    if (link_room(&client->link) < c->text.len + 1024) return;
    say_answer_write(link_out(&client->link), &(struct say_answer){.text = buf_slice(&c->text)});
    link_flush(&client->link);
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
    say_watch_write(link_out(triage), &(struct say_watch){.client = client->id,
                                                          .after = ask->after,
                                                          .limit = ask->limit,
                                                          .follow = ask->follow});
    link_flush(triage);
    return 0;
}

static int ask_supervisor(struct client *client, uint8_t command)
{
    struct role *r = client->role;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = command});
    link_flush(&r->supervisor);
    done(client, 0, "");
    return 0;
}

static int client_frame(void *ctx, const struct frame *frame)
{
    struct client *client = ctx;
    struct control_ctx *c = client->role->ctx;
    struct say_ask ask;
    if (frame->type != SAY_ASK || say_ask_read(frame->payload, &ask) != 0 || client->watching)
        return ERR_CORRUPT;
    c->asked++;
    switch (ask.what) {
    case ASK_STATUS:
        send_status(client);
        client->follow = ask.follow != 0;
        if (!client->follow && link_is_open(&client->link)) done(client, 0, "");
        return 0;
    case ASK_ALERTS:
        return watch_alerts(client, &ask);
    case ASK_RELOAD:
        return ask_supervisor(client, COMMAND_RELOAD);
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

static const struct link_events client_events = {.frame = client_frame, .closed = client_closed};

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
    /* Who does not read what he asked for is let go: nobody else waits for him. */
    if (link_room(&client->link) < m.line.len + 1024) {
        drop(client);
        return 0;
    }
    say_answer_write(link_out(&client->link),
                     &(struct say_answer){.id = m.id, .count = m.count, .text = m.line});
    link_flush(&client->link);
    return 0;
}

static int control_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct say_end end;
    if (peer != ROLE_TRIAGE) return ERR_CORRUPT;
    if (frame->type == SAY_ROW) return take_row(r, frame);
    if (frame->type != SAY_END || say_end_read(frame->payload, &end) != 0) return ERR_CORRUPT;
    struct client *client = find_client(r->ctx, end.client);
    if (client) done(client, 0, "");
    return 0;
}

/* Those who followed are told; they may ask again. */
static void control_lost(struct role *r, enum serve_role peer)
{
    struct control_ctx *c = r->ctx;
    if (peer != ROLE_TRIAGE) return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (c->clients[i].id && c->clients[i].watching)
            done(&c->clients[i], 1, "the process that has the alerts is being started again");
}

static int control_command(struct role *r, const struct frame *frame)
{
    struct control_ctx *c = r->ctx;
    struct say_report m;
    if (frame->type != SAY_REPORT || say_report_read(frame->payload, &m) != 0 ||
        m.role >= ROLE_COUNT)
        return ERR_CORRUPT;
    buf_clear(&c->reports[m.role]);
    buf_put(&c->reports[m.role], m.text);
    if (buf_failed(&c->reports[m.role])) buf_clear(&c->reports[m.role]);
    if (m.role != ROLE_STORE) return 0;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (c->clients[i].id && c->clients[i].follow) send_status(&c->clients[i]);
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
    return 0;
}

static int control_start(struct role *r)
{
    struct control_ctx *c = r->ctx;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        c->clients[i].role = r;
        link_init(&c->clients[i].link, r->loop, &client_events, &c->clients[i]);
    }
    for (unsigned i = 0; i < ROLE_COUNT; i++) buf_init(&c->reports[i], REPORT_MAX);
    buf_init(&c->text, (ROLE_COUNT + 1) * (size_t)REPORT_MAX);
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
