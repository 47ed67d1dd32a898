/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc/process.h"

enum { TRIES = 10 };

/*
 * A kernel that does not share by sessions has no such file, and needs none. Ten times a second
 * somebody on the machine who is not root may write to one (kernel/sched/autogroup.c).
 */
static void leave_session(void)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    static const char tenth[] = "10"; /* of the weight of others, about */
    int fd = setsid() < 0 ? -1 : open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    for (int i = 0; i < TRIES && write(fd, tenth, sizeof tenth - 1) < 0 && errno == EAGAIN; i++)
        (void)nanosleep(&pause, NULL);
    (void)close(fd);
}

static _Noreturn void end_as(int status)
{
    sigset_t all;
    if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
    (void)signal(WTERMSIG(status), SIG_DFL);
    (void)raise(WTERMSIG(status));
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
    _exit(128 + WTERMSIG(status));
}

/* To all that it started, unless it has no group yet. */
static void tell(pid_t pid, int number)
{
    if (kill(-pid, number) != 0) (void)kill(pid, number);
}

/*
 * ^Z stops both: nothing is to be printed meanwhile. But not who reads for it, who may have his
 * turn and would have all others wait for it; he stops by himself when nobody takes what he finds.
 */
static void stop_with(pid_t pid)
{
    (void)kill(pid, SIGSTOP);
    (void)raise(SIGSTOP);
    (void)kill(pid, SIGCONT);
}

/* `signals` are blocked: each is for the other process, or says that it has ended. */
static _Noreturn void stand_for(pid_t pid, const sigset_t *signals)
{
    int number, status;
    for (;;) {
        if (sigwait(signals, &number) != 0) continue;
        if (number == SIGTSTP) stop_with(pid);
        else if (number != SIGCHLD) tell(pid, number);
        else if (waitpid(pid, &status, WNOHANG) == pid) end_as(status);
    }
}

void cli_work_apart(const struct config *config)
{
    static const int handed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCHLD};
    sigset_t signals, before;
    if (!config->search_background) return;
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
        (void)sigaddset(&signals, handed_on[i]);
    if (sigprocmask(SIG_BLOCK, &signals, &before) == 0) {
        pid_t parent = getpid(), pid = fork();
        if (pid > 0) stand_for(pid, &signals);
        if (pid == 0) {
            leave_session();
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            if (getppid() != parent) _exit(0);
        }
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
    }
    process_give_way();
}
