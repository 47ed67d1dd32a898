/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/alone.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

void alone_tell_ready(void *ctx, struct slice key)
{
    (void)ctx;
    cli_say("ready; public key: %.*s", SLICE_FMT(key));
}

int alone_run(const struct invocation *in,
              int (*serve)(const struct alone_given *given, struct diag *diag))
{
    struct alone *c = in->ctx;
    struct config config;
    struct log log;
    struct diag diag;
    if (in->n_operands) return cli_usage("%s takes no operands", in->command->name);
    int status = settings_load(&c->settings, &config, NULL);
    if (status) {
        config_done(&config);
        return status;
    }
    const struct clock clock = clock_system();
    settings_log(&log, &clock, &config);
    (void)signal(SIGPIPE, SIG_IGN);
    /* Libraries that look for the machine's time zone would open a file each time. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    int error =
        serve(&(struct alone_given){.clock = clock, .config = &config, .sandboxed = !c->no_sandbox},
              &diag);
    if (error) cli_say("%s", diag.message);
    log_finish(&log);
    log_install(NULL);
    config_done(&config);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}
