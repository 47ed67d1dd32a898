/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

static int refuse(struct diag *diag, const char *variable, const char *value)
{
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: '%s' makes no sense", variable, value);
}

/* A path, or the name of an abstract socket behind an @. */
static int init_notify(struct service *s, const char *path, struct diag *diag)
{
    const struct timeval patience = {.tv_sec = 1};
    size_t len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof s->notify.sun_path)
        return refuse(diag, "NOTIFY_SOCKET", path);
    s->notify.sun_family = AF_UNIX;
    memcpy(s->notify.sun_path, path, len + 1);
    s->notify_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (path[0] == '@') s->notify.sun_path[0] = '\0';
    else s->notify_len++;
    s->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->notify_fd >= 0 &&
        setsockopt(s->notify_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0)
        return 0;
    return diag_set(diag, ERR_IO, NULL, 0, 0, "NOTIFY_SOCKET: %s", strerror(errno));
}

/* Whether `pid` (NULL: everybody) is `self`; ERR_INVALID. */
static int is_for(const char *variable, const char *pid, pid_t self, struct diag *diag)
{
    uint64_t number;
    if (!pid) return 1;
    if (!slice_to_u64(slice_of(pid), &number) || number == 0) return refuse(diag, variable, pid);
    return number == (uint64_t)self;
}

static int init_watchdog(struct service *s, const struct service_said *said, pid_t self,
                         struct diag *diag)
{
    uint64_t usec;
    int meant = is_for("WATCHDOG_PID", said->watchdog_pid, self, diag);
    if (meant <= 0) return meant;
    if (!slice_to_u64(slice_of(said->watchdog_usec), &usec) || usec == 0 || usec > INT64_MAX / 1000)
        return refuse(diag, "WATCHDOG_USEC", said->watchdog_usec);
    s->watchdog = (nsec)usec * 1000;
    return 0;
}

static int take_fd(struct service *s, int fd, struct slice name, struct diag *diag)
{
    struct service_fd *to = &s->fds[s->n_fds];
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return diag_set(diag, ERR_IO, NULL, 0, 0, "LISTEN_FDS: descriptor %d: %s", fd,
                        strerror(errno));
    name = slice_until(name, SERVICE_NAME_MAX);
    if (name.len) memcpy(to->name, name.ptr, name.len);
    to->name[name.len] = '\0';
    to->fd = fd;
    s->n_fds++;
    return 0;
}

/* Names are separated by colons; there may be fewer than descriptors, or none. */
static int init_fds(struct service *s, const struct service_said *said, pid_t self,
                    struct diag *diag)
{
    uint64_t n;
    struct slice names = slice_of(said->listen_fdnames ? said->listen_fdnames : "");
    if (!said->listen_pid) return 0;
    int error = is_for("LISTEN_PID", said->listen_pid, self, diag);
    if (error <= 0) return error;
    if (!slice_to_u64(slice_of(said->listen_fds), &n))
        return refuse(diag, "LISTEN_FDS", said->listen_fds);
    if (n > SERVICE_FDS_MAX)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "LISTEN_FDS: more than %d", SERVICE_FDS_MAX);
    error = 0;
    for (int i = 0; i < (int)n && error == 0; i++) {
        struct slice name, rest;
        (void)slice_split(names, ':', &name, &rest);
        names = rest;
        error = take_fd(s, SERVICE_FD_FIRST + i, name, diag);
    }
    return error;
}

int service_init(struct service *s, const struct service_said *said, pid_t self, struct diag *diag)
{
    memset(s, 0, sizeof *s);
    s->notify_fd = -1;
    /* First: what is opened here must not be taken for what was passed. */
    int error = said->listen_fds ? init_fds(s, said, self, diag) : 0;
    if (error == 0 && said->notify_socket) error = init_notify(s, said->notify_socket, diag);
    if (error == 0 && said->watchdog_usec) error = init_watchdog(s, said, self, diag);
    if (error) service_done(s);
    return error;
}

int service_from_environment(struct service *ret, struct diag *diag)
{
    const struct service_said said = {.notify_socket = getenv("NOTIFY_SOCKET"),
                                      .watchdog_usec = getenv("WATCHDOG_USEC"),
                                      .watchdog_pid = getenv("WATCHDOG_PID"),
                                      .listen_pid = getenv("LISTEN_PID"),
                                      .listen_fds = getenv("LISTEN_FDS"),
                                      .listen_fdnames = getenv("LISTEN_FDNAMES")};
    return service_init(ret, &said, getpid(), diag);
}

void service_done(struct service *s)
{
    if (s->notify_fd >= 0) (void)close(s->notify_fd);
    s->notify_fd = -1;
    for (unsigned i = 0; i < s->n_fds; i++)
        if (s->fds[i].fd >= 0) (void)close(s->fds[i].fd);
    s->n_fds = 0;
}

void service_tell(const struct service *s, struct slice text)
{
    if (s->notify_fd < 0) return;
    (void)sendto(s->notify_fd, text.ptr, text.len, MSG_NOSIGNAL,
                 (const struct sockaddr *)&s->notify, s->notify_len);
}

const char *service_clock_state(void)
{
    struct timex clock = {.modes = 0};
    int state = adjtimex(&clock);
    if (state >= 0) return state == TIME_ERROR ? "unsynchronised" : "synchronised";
    return access("/run/systemd/timesync/synchronized", F_OK) == 0 ? "synchronised" : "unknown";
}
