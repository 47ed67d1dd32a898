/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/server.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

int server_begin(const struct invocation *in, struct server_given *ret)
{
    struct server *c = in->ctx;
    struct diag diag;
    if (in->n_operands) return cli_usage("%s takes no operands", in->command->name);
    int status = settings_load(&c->settings, &ret->config, NULL);
    if (status == 0 && service_from_environment(&c->service, &diag) != 0) {
        cli_say("%s", diag.message);
        status = EXIT_UNREADABLE;
    }
    if (status) {
        config_done(&ret->config);
        return status;
    }
    ret->clock = clock_system();
    settings_log(&ret->log, &ret->clock, &ret->config);
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

int server_end(const struct invocation *in, struct server_given *given, int error,
               const struct diag *diag)
{
    struct server *c = in->ctx;
    if (error) cli_say("%s", diag->message);
    service_done(&c->service);
    log_finish(&given->log);
    log_install(NULL);
    config_done(&given->config);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static void tell_ready(void *ctx, struct slice key)
{
    (void)ctx;
    cli_say("ready; public key: %.*s", SLICE_FMT(key));
}

int server_run_outpost(const struct invocation *in,
                       int (*run)(const struct outpost_given *given, struct diag *diag))
{
    const struct server *c = in->ctx;
    struct server_given given;
    struct diag diag;
    int status = server_begin(in, &given);
    if (status) return status;
    /* Libraries that look for the machine's time zone would open a file each time. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    int error = run(&(struct outpost_given){.clock = given.clock,
                                            .config = &given.config,
                                            .service = &c->service,
                                            .sandboxed = !c->no_sandbox,
                                            .ready = tell_ready},
                    &diag);
    return server_end(in, &given, error, &diag);
}
