/* SPDX-License-Identifier: EUPL-1.2 */
#include "httpd/httpd.h"

void httpd_run(struct httpd *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_run(h->daemon) != MHD_YES) return;
    if (MHD_get_timeout(h->daemon, &ms) != MHD_YES) {
        loop_timer_stop(h->loop, &h->timer);
    } else if (ms == 0) {
        loop_defer(h->loop, &h->again);
    } else {
        nsec after = ms > 1000 ? NSEC_PER_SEC : (nsec)ms * NSEC_PER_MSEC;
        /* Without a timer the tick of who has it does it. */
        int error = loop_timer_set(h->loop, &h->timer, after, 0);
        (void)error;
    }
}

void httpd_run_soon(struct httpd *h)
{
    loop_defer(h->loop, &h->again);
}

static void on_ready(void *ctx, unsigned what)
{
    (void)what;
    httpd_run(ctx);
}

static void on_turn(void *ctx)
{
    httpd_run(ctx);
}

static void *text(const char *s)
{
    return (void *)(uintptr_t)s;
}

static struct MHD_Daemon *start(const struct httpd_options *o)
{
    bool tls = o->tls.certificate != NULL;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0u) |
                     (o->socket < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0u);
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, text(o->tls.key)},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, text(o->tls.certificate)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, text(o->tls.priorities)},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (o->tls.authorities)
        items[3] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, text(o->tls.authorities)};
    if (!tls) items[0].option = MHD_OPTION_END;
    const struct MHD_OptionItem socket[] = {
        {o->socket < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, o->socket, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, o->accept, o->ctx, o->request, o->ctx, MHD_OPTION_ARRAY,
                            socket, MHD_OPTION_ARRAY, o->more, MHD_OPTION_ARRAY, items,
                            MHD_OPTION_END);
}

int httpd_start(struct httpd *h, const struct httpd_options *options)
{
    h->loop = options->loop;
    h->again = (struct loop_deferred){.call = on_turn, .ctx = h};
    h->timer = (struct loop_timer){.due = on_turn, .ctx = h};
    h->daemon = start(options);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    int error = info ? 0 : ERR_IO;
    h->watch = (struct loop_watch){.fd = info ? info->epoll_fd : -1, .ready = on_ready, .ctx = h};
    if (!error) error = loop_watch_add(h->loop, &h->watch, LOOP_READ);
    if (!error) return 0;
    /* The socket stays the caller's. */
    if (h->daemon) (void)MHD_quiesce_daemon(h->daemon);
    if (h->daemon) MHD_stop_daemon(h->daemon);
    h->daemon = NULL;
    return error;
}

int httpd_take(struct httpd *h, int fd, const struct sockaddr *from, socklen_t len)
{
    if (MHD_add_connection(h->daemon, fd, from, len) != MHD_YES) return ERR_LIMIT;
    httpd_run_soon(h);
    return 0;
}

void httpd_quiesce(struct httpd *h)
{
    (void)MHD_quiesce_daemon(h->daemon);
}

void httpd_stop(struct httpd *h)
{
    if (!h->daemon) return;
    loop_watch_remove(h->loop, &h->watch);
    loop_timer_stop(h->loop, &h->timer);
    loop_defer_cancel(h->loop, &h->again);
    MHD_stop_daemon(h->daemon);
    h->daemon = NULL;
}
