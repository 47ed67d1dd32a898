/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Another process of the same program, started anew: it shares no memory, no descriptor and no
 * address space layout with the one that starts it, but for stderr and one socket between them.
 */
#ifndef VAKA_PROC_PROCESS_H
#define VAKA_PROC_PROCESS_H

#include <sys/types.h>

#include "base/error.h"

enum { PROCESS_FD = 3 }; /* the started process's end of the socket */

/*
 * Runs this very program with the given arguments (argv[0] first, closed by NULL). Of the
 * environment it gets what `keep` names (closed by NULL); stdin and stdout are /dev/null. It dies
 * with the process that starts it. *ret_fd, an end of a SOCK_STREAM socket pair, is the caller's.
 * ERR_LIMIT: no process or descriptor; ERR_NOMEM.
 */
int process_start(const char *const *argv, const char *const *keep, pid_t *ret_pid,
                  int *ret_fd) MUST_USE;

/*
 * This process, and what it forks from now on, has a processor when no other of its session wants
 * it (SCHED_IDLE, sched(7)).
 */
void process_give_way(void);

/* Processors that this process may use, 1 to `most`. */
uint32_t process_processors(uint32_t most);

#endif
