/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * For commands that ask much by hand. vaka serve is not to notice them, and a policy (SCHED_IDLE,
 * sched(7)) says only who goes first within a session: Linux shares processors among sessions
 * before that (sched(7), "The autogroup feature").
 */
#ifndef VAKA_CLI_APART_H
#define VAKA_CLI_APART_H

#include "config/config.h"

/*
 * What follows, and all that it starts, has a processor when nobody else wants it, in a session of
 * its own. This returns in a new process; the old one hands signals on to it, and ends as it ends.
 * Where that cannot be, and without search.background, it goes on as it is.
 */
void cli_work_apart(const struct config *config);

#endif
