/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNEL_FD = 3 };

/* Everything that was open in the parent is closed here, whoever opened it. */
static bool keep_only(int channel_fd, int null_fd)
{
    if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0) return false;
    if (channel_fd != CHANNEL_FD && dup2(channel_fd, CHANNEL_FD) < 0) return false;
    if (syscall(SYS_close_range, CHANNEL_FD + 1, ~0u, 0) == 0) return true;
    for (int fd = CHANNEL_FD + 1; fd < 4096; fd++) (void)close(fd);
    return true;
}

static void child(const struct worker_spec *spec, int channel_fd, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(0);
    (void)signal(SIGINT, SIG_IGN); /* the terminal's ^C is the parent's to answer */
    (void)signal(SIGTERM, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* Libraries that call mktime() would look for the machine's zone, a file, again each time. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    if (!keep_only(channel_fd, spec->null_fd)) _exit(WORKER_UNSAFE);
    if (!spec->unconfined && sandbox_enter(spec->role, NULL, NULL) != 0) _exit(WORKER_UNSAFE);
    struct channel channel;
    channel_init(&channel, CHANNEL_FD, spec->max_payload);
    _exit(spec->run(spec->ctx, &channel));
}

int worker_fork(const struct worker_spec *spec, pid_t *ret_pid, int *ret_fd)
{
    int fds[2];
    int result = channel_pair(fds);
    if (result) return result;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
    }
    if (pid == 0) child(spec, fds[1], parent);
    (void)close(fds[1]);
    *ret_pid = pid;
    *ret_fd = fds[0];
    return 0;
}

int worker_start(struct worker *w, const struct worker_spec *spec)
{
    int fd;
    int result = worker_fork(spec, &w->pid, &fd);
    if (result == 0) channel_init(&w->channel, fd, spec->max_payload);
    return result;
}

int worker_stop(struct worker *w, bool kill_it, struct rusage *ret_usage)
{
    int status = 0;
    *ret_usage = (struct rusage){0};
    if (w->pid <= 0) return 0;
    channel_done(&w->channel);
    if (kill_it) (void)kill(w->pid, SIGKILL);
    while (wait4(w->pid, &status, 0, ret_usage) < 0 && errno == EINTR) {
    }
    w->pid = 0;
    return status;
}

void worker_describe(int wait_status, char *ret, size_t size)
{
    if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        const char *name = sigdescr_np(number);
        (void)snprintf(ret, size, "signal %d (%s)", number, name ? name : "unknown");
    } else {
        (void)snprintf(ret, size, "exit status %d", WEXITSTATUS(wait_status));
    }
}
