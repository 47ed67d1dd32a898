/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka serve */
#include "cli/server.h"
#include "serve/role.h"
#include "serve/supervisor.h"

static const struct cli_option serve_options[] = {SERVER_OPTIONS};

static int read_again(void *ctx, struct config *ret)
{
    const struct server *c = ctx;
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
    struct server *c = in->ctx;
    struct server_given given;
    struct diag diag;
    int status = server_begin(in, &given);
    if (status) return status;
    int error = supervisor_run(&(struct supervisor_options){.clock = given.clock,
                                                            .config = &given.config,
                                                            .sandboxed = !c->no_sandbox,
                                                            .service = &c->service,
                                                            .read_config = read_again,
                                                            .ready = tell_ready,
                                                            .ctx = c},
                               &diag);
    return server_end(in, &given, error, &diag);
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
    .ctx_size = sizeof(struct server),
    .run = serve_main,
};
