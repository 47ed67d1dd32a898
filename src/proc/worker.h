/* SPDX-License-Identifier: EUPL-1.2 */
/* A child process with a channel to it. */
#ifndef VAKA_PROC_WORKER_H
#define VAKA_PROC_WORKER_H

#include <sys/resource.h>
#include <sys/types.h>

#include "proc/channel.h"
#include "proc/sandbox.h"

struct worker {
    pid_t pid; /* 0: none */
    struct channel channel;
};

struct worker_spec {
    /* Runs in the child, in its sandbox, with its end of the channel; the result is the exit
     * status. */
    int (*run)(void *ctx, struct channel *channel);
    void *ctx;
    enum sandbox_role role;
    bool unconfined;    /* the kernel has no filter at all (the caller has said so) */
    size_t max_payload; /* of frames from the child */
    int null_fd; /* /dev/null, opened for reading and writing: the child's stdin and stdout */
};

/*
 * Forks. The child keeps nothing open but its channel and stderr, dies with its parent, and enters
 * the sandbox before `run`. If the kernel refuses the sandbox the child ends with WORKER_UNSAFE.
 */
enum { WORKER_UNSAFE = 120 };
int worker_start(struct worker *w, const struct worker_spec *spec) MUST_USE;

/* The same, but the parent's end is a descriptor, the caller's: for a link. */
int worker_fork(const struct worker_spec *spec, pid_t *ret_pid, int *ret_fd) MUST_USE;

/*
 * Closes the channel (which tells the child to end), kills it when asked, waits; the wait status
 * and what the child used (all zero when there was none).
 */
int worker_stop(struct worker *w, bool kill_it, struct rusage *ret_usage);

/* "signal 11 (Segmentation fault)" or "exit status 3", NUL-terminated. */
void worker_describe(int wait_status, char *ret, size_t size);

#endif
