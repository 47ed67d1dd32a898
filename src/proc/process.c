/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/channel.h"

enum { KEPT_MAX = 16, FAILED = 127 };

/* Only calls that are safe behind fork(), and no memory. */
static void become(char *const *argv, char *const *env, int fd, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(0);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* fd may be 0 to 3 itself: it goes out of the way first. */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, PROCESS_FD + 1);
    if (null_fd < 0 || high < 0) _exit(FAILED);
    if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(high, PROCESS_FD) < 0) _exit(FAILED);
    (void)syscall(SYS_close_range, PROCESS_FD + 1, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
    (void)execve("/proc/self/exe", argv, env);
    _exit(FAILED);
}

/* The variables that are kept, as NAME=value; freed by the caller, each and the list. */
static char **environment(const char *const *keep)
{
    char **env = calloc(KEPT_MAX + 1, sizeof *env);
    size_t n = 0;
    for (; env && *keep && n < KEPT_MAX; keep++) {
        const char *value = getenv(*keep);
        if (!value) continue;
        if (asprintf(&env[n], "%s=%s", *keep, value) < 0) {
            env[n] = NULL;
            break;
        }
        n++;
    }
    return env;
}

int process_start(const char *const *argv, const char *const *keep, pid_t *ret_pid, int *ret_fd)
{
    int fds[2];
    int result = channel_pair(fds);
    if (result) return ERR_LIMIT;
    char **env = environment(keep);
    pid_t parent = getpid();
    pid_t pid = env ? fork() : -1;
    result = env ? ERR_LIMIT : ERR_NOMEM;
    if (pid == 0) become((char *const *)(uintptr_t)argv, env, fds[1], parent);
    for (char **v = env; v && *v; v++) free(*v);
    free(env);
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return result;
    }
    *ret_pid = pid;
    *ret_fd = fds[0];
    return 0;
}

void process_give_way(void)
{
    const struct sched_param none = {.sched_priority = 0};
    if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) (void)setpriority(PRIO_PROCESS, 0, 19);
}

uint32_t process_processors(uint32_t most)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (uint32_t)n > most ? most : (uint32_t)n;
}
