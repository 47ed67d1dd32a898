/* SPDX-License-Identifier: EUPL-1.2 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/settings.h"
#include "serve/role.h"
#include "serve/supervisor.h"

struct serve_context {
    struct settings settings;
    struct service service;
    bool no_sandbox;
};

static const struct cli_option serve_options[] = {
    OPTION_SETTINGS(struct serve_context),
    {'v', "verbose", NULL, "Tell more of what happens: the same as --set log.level=info.",
     OPTION_SETS(struct serve_context, CONFIG_LOG_LEVEL, "info")},
    {0, "no-sandbox", NULL,
     "Run without the kernel's confinement of processes. For machines that do not have it; it is "
     "told in the log.",
     OPTION_FLAG(struct serve_context, no_sandbox)},
};

static int read_again(void *ctx, struct config *ret)
{
    struct serve_context *c = ctx;
    return settings_load(&c->settings, ret, NULL) ? ERR_INVALID : 0;
}

static void tell_ready(void *ctx)
{
    (void)ctx;
    cli_say("ready");
}

int serve_role_main(const char *name)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (strcmp(serve_role_name(i), name) == 0) return role_run(i);
    return EXIT_USAGE;
}

static int serve_main(const struct invocation *in)
{
    struct serve_context *c = in->ctx;
    struct config config;
    struct log log;
    struct diag diag;
    if (in->n_operands) return cli_usage("serve takes no operands");
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
    int error = supervisor_run(&(struct supervisor_options){.clock = clock,
                                                            .config = &config,
                                                            .sandboxed = !c->no_sandbox,
                                                            .service = &c->service,
                                                            .read_config = read_again,
                                                            .ready = tell_ready,
                                                            .ctx = c},
                               &diag);
    if (error) cli_say("%s", diag.message);
    service_done(&c->service);
    log_finish(&log);
    log_install(NULL);
    config_done(&config);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

const struct command command_serve = {
    .name = "serve",
    .operands = "",
    .summary = "collect, keep and detect, day and night",
    .description =
        "Listens where the settings listen.* say, keeps every record before it tells a sender that "
        "it is safe, matches it with all rules, and has the alerts ready for vaka alerts. It runs "
        "until it is told to end (SIGTERM, SIGINT). SIGHUP and vaka reload let it read its rules, "
        "certificate and tokens again; what cannot be read leaves those before in force.\n\n"
        "What it works with lies in the folder that serve.folder names. Each part is a process of "
        "its own that can do what it is for and nothing else; one that ends is started again.\n\n"
        "Exit status: 0 it was told to end; 1 it could not start, and says why; 2 the command line "
        "or the settings could not be understood.",
    .options = serve_options,
    .n_options = sizeof serve_options / sizeof *serve_options,
    .ctx_size = sizeof(struct serve_context),
    .run = serve_main,
};
