/* SPDX-License-Identifier: EUPL-1.2 */
/* Servers that are one process on another machine than vaka serve: vaka witness, vaka watchdog. */
#ifndef VAKA_CLI_ALONE_H
#define VAKA_CLI_ALONE_H

#include "cli/cli.h"
#include "cli/settings.h"

struct alone {
    struct settings settings;
    bool no_sandbox;
};

#define ALONE_OPTIONS                                                                              \
    OPTION_SETTINGS(struct alone),                                                                 \
        {'v', "verbose", NULL, "Tell more of what happens: the same as --set log.level=info.",     \
         OPTION_SETS(struct alone, CONFIG_LOG_LEVEL, "info")},                                     \
    {                                                                                              \
        0, "no-sandbox", NULL,                                                                     \
            "Run without the kernel's confinement. For machines that do not have it.",             \
            OPTION_FLAG(struct alone, no_sandbox)                                                  \
    }

struct alone_given {
    struct clock clock;
    const struct config *config;
    bool sandboxed;
};

/* The command: reads its settings, and serves until it is told to end. An exit status. */
int alone_run(const struct invocation *in,
              int (*serve)(const struct alone_given *given, struct diag *diag)) MUST_USE;
/* What a server tells when it is ready; ctx is not used. */
void alone_tell_ready(void *ctx, struct slice key);

#endif
