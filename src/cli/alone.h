/* SPDX-License-Identifier: EUPL-1.2 */
/* Servers that are one process on another machine than vaka serve: vaka witness, vaka watchdog. */
#ifndef VAKA_CLI_ALONE_H
#define VAKA_CLI_ALONE_H

#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/outpost.h"

struct alone {
    struct settings settings;
    bool no_sandbox;
    struct service service; /* systemd's */
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

/* The command: reads its settings, and serves until it is told to end. An exit status. */
int alone_run(const struct invocation *in,
              int (*serve)(const struct outpost_given *given, struct diag *diag)) MUST_USE;
#endif
