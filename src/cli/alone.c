/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/alone.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

static void tell_ready(void *ctx, struct slice key)
{
    (void)ctx;
    cli_say("ready; public key: %.*s", SLICE_FMT(key));
}

int alone_run(const struct invocation *in,
              int (*serve)(const struct outpost_given *given, struct diag *diag))
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
    if (service_from_environment(&c->service, &diag) != 0) {
        cli_say("%s", diag.message);
        config_done(&config);
        return EXIT_UNREADABLE;
    }
    const struct clock clock = clock_system();
    settings_log(&log, &clock, &config);
    (void)signal(SIGPIPE, SIG_IGN);
    /* Libraries that look for the machine's time zone would open a file each time. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    int error = serve(&(struct outpost_given){.clock = clock,
                                              .config = &config,
                                              .service = &c->service,
                                              .sandboxed = !c->no_sandbox,
                                              .ready = tell_ready},
                      &diag);
    if (error) cli_say("%s", diag.message);
    service_done(&c->service);
    log_finish(&log);
    log_install(NULL);
    config_done(&config);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}
