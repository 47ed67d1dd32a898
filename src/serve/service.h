/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What systemd and the process it starts tell each other, without its library: sd_notify(3),
 * sd_watchdog_enabled(3), sd_listen_fds(3). Started by anything else, all of it is nothing.
 */
#ifndef VAKA_SERVE_SERVICE_H
#define VAKA_SERVE_SERVICE_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

enum {
    SERVICE_FD_FIRST = 3, /* SD_LISTEN_FDS_START */
    SERVICE_FDS_MAX = 64,
    SERVICE_NAME_MAX = 255, /* FDNAME_MAX */
};

/* The values of the environment variables of these names; NULL: not set. */
struct service_said {
    const char *notify_socket, *watchdog_usec, *watchdog_pid;
    const char *listen_pid, *listen_fds, *listen_fdnames;
};

struct service {
    int notify_fd; /* -1: nobody wants to know */
    struct sockaddr_un notify;
    socklen_t notify_len;
    nsec watchdog; /* it has to hear WATCHDOG=1 within this; 0: never */
    struct service_fd {
        int fd; /* -1: somebody took it */
        char name[SERVICE_NAME_MAX + 1];
    } fds[SERVICE_FDS_MAX];
    unsigned n_fds;
};

/*
 * `self` is the process that was meant: what is for another one is nothing. Descriptors become
 * close-on-exec and non-blocking, and are the service's. ERR_INVALID: a variable makes no sense;
 * ERR_LIMIT: too many descriptors; ERR_IO: one of them is not there. diag says which.
 */
int service_init(struct service *s, const struct service_said *said, pid_t self,
                 struct diag *diag) MUST_USE;
/* The same of this process, by its environment. */
int service_from_environment(struct service *ret, struct diag *diag) MUST_USE;
/* Closes what nobody took. */
void service_done(struct service *s);

/* "READY=1", several lines apart by \n. One that cannot be delivered within a second is lost, as
 * with sd_notify(3). */
void service_tell(const struct service *s, struct slice text);

/*
 * Whether the machine's clock is right, as the kernel is told by who keeps it: "synchronised",
 * "unsynchronised", or "unknown" where nobody may ask (ProtectClock= of systemd) and
 * systemd-timesyncd does not say either.
 */
const char *service_clock_state(void);

#endif
