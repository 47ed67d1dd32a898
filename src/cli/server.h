/* SPDX-License-Identifier: EUPL-1.2 */
/* Commands that go on until they are told to end: vaka serve, and on other machines vaka witness
 * and vaka watchdog, which are one process each. */
#ifndef VAKA_CLI_SERVER_H
#define VAKA_CLI_SERVER_H

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/outpost.h"

/* The context of such a command. */
struct server {
    struct settings settings;
    bool no_sandbox;
    struct service service; /* systemd's */
};

#define SERVER_OPTIONS                                                                             \
    OPTION_SETTINGS(struct server),                                                                \
        {'v', "verbose", NULL, "Tell more of what happens: the same as --set log.level=info.",     \
         OPTION_SETS(struct server, CONFIG_LOG_LEVEL, "info")},                                    \
    {                                                                                              \
        0, "no-sandbox", NULL,                                                                     \
            "Run without the kernel's confinement. For machines that do not have it; it is told "  \
            "in the log.",                                                                         \
            OPTION_FLAG(struct server, no_sandbox)                                                 \
    }

/* What it works with. In place: the log is this one until server_end(). */
struct server_given {
    struct clock clock;
    struct config config;
    struct log log;
};

/* The command line is read, the settings are, and the log is opened. 0, or the command's exit
 * status: what is wrong was told, and nothing is left to end. */
int server_begin(const struct invocation *in, struct server_given *ret) MUST_USE;
/* `error`: what came of it, with what diag says to that. The command's exit status. */
int server_end(const struct invocation *in, struct server_given *given, int error,
               const struct diag *diag) MUST_USE;

/* The whole command of one that is one process: an exit status. */
int server_run_outpost(const struct invocation *in,
                       int (*run)(const struct outpost_given *given, struct diag *diag)) MUST_USE;
#endif
