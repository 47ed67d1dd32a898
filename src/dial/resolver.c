/* SPDX-License-Identifier: EUPL-1.2 */
#include "dial/resolver.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/link.h"
#include "proc/worker.h"

enum {
    ASK = 1,   /* u32 host */
    FOUND = 2, /* u32 host, text */
    FRAME_MAX = RESOLVER_TEXT_MAX + 64,
    OUT_MAX = 64 * RESOLVER_HOSTS_MAX,
    ADDRESSES_MAX = 16,
    PORT_DNS = 53,
};

struct resolver {
    struct resolver_options options;
    char *hosts[RESOLVER_HOSTS_MAX];
    pid_t pid;
    struct link link;
    unsigned waiting; /* hosts that it has not answered for */
};

bool resolver_look_up(const char *host, struct buf *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char text[NI_MAXHOST];
    unsigned n = 0;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    for (const struct addrinfo *i = found; i && n < ADDRESSES_MAX; i = i->ai_next) {
        bool v6 = i->ai_family == AF_INET6;
        if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        buf_printf(out, "%s%s%s%s", n++ ? "," : "", v6 ? "[" : "", text, v6 ? "]" : "");
    }
    if (found) freeaddrinfo(found);
    return n > 0 && !buf_failed(out);
}

/* ---- its process ------------------------------------------------------------------------- */

static int answer(const struct resolver *r, struct channel *channel, uint32_t host)
{
    struct buf text, out;
    buf_init(&text, RESOLVER_TEXT_MAX);
    buf_init(&out, FRAME_MAX);
    if (!resolver_look_up(r->hosts[host], &text)) buf_clear(&text);
    size_t begin = frame_begin(&out, FOUND);
    frame_put_u32(&out, host);
    frame_put_text(&out, buf_slice(&text));
    frame_end(&out, begin);
    int error = buf_failed(&out) ? ERR_NOMEM : channel_send(channel, buf_slice(&out), -1);
    buf_done(&text);
    buf_done(&out);
    return error;
}

/* Until the other end has closed. */
static int run(void *ctx, struct channel *channel)
{
    static const char *const paths[] = {"/etc", "/run/systemd/resolve", "/run/resolvconf",
                                        "/run/NetworkManager"};
    static const uint16_t port = PORT_DNS;
    const struct resolver *r = ctx;
    struct frame frame;
    int error = r->options.confined
                    ? sandbox_enter(SANDBOX_RESOLVER,
                                    &(struct sandbox_files){.paths = paths,
                                                            .n_paths = sizeof paths / sizeof *paths,
                                                            .ports = &port,
                                                            .n_ports = 1},
                                    NULL)
                    : 0;
    if (error) return WORKER_UNSAFE;
    while ((error = channel_fill(channel)) == 0) {
        int got;
        while ((got = channel_next(channel, &frame)) > 0) {
            struct frame_reader reader = frame_reader_of(frame.payload);
            uint32_t host = frame_get_u32(&reader);
            if (frame.type != ASK || !frame_done(&reader) || host >= r->options.n_hosts) return 1;
            if (answer(r, channel, host) != 0) return 1;
        }
        if (got < 0) return 1;
    }
    return error == ERR_STOPPED ? 0 : 1;
}

/* ---- who asks it ------------------------------------------------------------------------- */

/* Only what addresses are made of: what is made of it is for who connects. */
static bool is_addresses(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdefABCDEF.:,[]%", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return true;
}

static int on_frame(void *ctx, const struct frame *frame)
{
    struct resolver *r = ctx;
    struct frame_reader reader = frame_reader_of(frame->payload);
    uint32_t host = frame_get_u32(&reader);
    struct slice text = frame_get_text(&reader, RESOLVER_TEXT_MAX);
    if (frame->type != FOUND || !frame_done(&reader) || host >= r->options.n_hosts ||
        r->waiting == 0 || !is_addresses(text))
        return ERR_CORRUPT;
    r->waiting--;
    if (text.len) r->options.found(r->options.ctx, host, text);
    return 0;
}

static void on_closed(void *ctx, int why)
{
    struct resolver *r = ctx;
    (void)why;
    r->options.lost(r->options.ctx);
}

void resolver_ask(struct resolver *r)
{
    if (!link_is_open(&r->link) || r->waiting) return;
    for (uint32_t i = 0; i < r->options.n_hosts; i++) {
        size_t begin = frame_begin(link_out(&r->link), ASK);
        frame_put_u32(link_out(&r->link), i);
        frame_end(link_out(&r->link), begin);
        r->waiting++;
    }
    link_flush(&r->link);
}

static int start(struct resolver *r)
{
    static const struct link_events events = {.frame = on_frame, .closed = on_closed};
    int fd, null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    link_init(&r->link, r->options.loop, &events, r);
    if (null_fd < 0) return ERR_IO;
    /* It enters its sandbox by itself, with files. */
    int error = worker_fork(
        &(struct worker_spec){
            .run = run, .ctx = r, .unconfined = true, .max_payload = FRAME_MAX, .null_fd = null_fd},
        &r->pid, &fd);
    (void)close(null_fd);
    return error ? error : link_open(&r->link, fd, FRAME_MAX, OUT_MAX);
}

int resolver_new(const struct resolver_options *options, struct resolver **ret)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->options = *options;
    r->options.hosts = NULL;
    r->options.n_hosts = 0;
    int error = options->n_hosts > RESOLVER_HOSTS_MAX ? ERR_LIMIT : 0;
    for (size_t i = 0; i < options->n_hosts && error == 0; i++) {
        r->hosts[i] = strdup(options->hosts[i]);
        if (!r->hosts[i]) error = ERR_NOMEM;
        else r->options.n_hosts++;
    }
    if (error == 0) error = start(r);
    if (error) resolver_free(r);
    else *ret = r;
    return error;
}

void resolver_free(struct resolver *r)
{
    if (!r) return;
    link_close(&r->link);
    for (size_t i = 0; i < r->options.n_hosts; i++) free(r->hosts[i]);
    free(r);
}
