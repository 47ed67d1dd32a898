/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka witness */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/witness_server.h"

struct witness_context {
    struct settings settings;
    bool no_sandbox;
};

static const struct cli_option witness_options[] = {
    OPTION_SETTINGS(struct witness_context),
    {'v', "verbose", NULL, "Tell more of what happens: the same as --set log.level=info.",
     OPTION_SETS(struct witness_context, CONFIG_LOG_LEVEL, "info")},
    {0, "no-sandbox", NULL,
     "Run without the kernel's confinement. For machines that do not have it.",
     OPTION_FLAG(struct witness_context, no_sandbox)},
};

static void tell_ready(void *ctx, struct slice key)
{
    (void)ctx;
    cli_say("ready; public key: %.*s", SLICE_FMT(key));
}

static int witness_main(const struct invocation *in)
{
    struct witness_context *c = in->ctx;
    struct config config;
    struct log log;
    struct diag diag;
    if (in->n_operands) return cli_usage("witness takes no operands");
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
    int error = witness_server_run(
        &(struct witness_server_options){
            .clock = clock, .config = &config, .sandboxed = !c->no_sandbox, .ready = tell_ready},
        &diag);
    if (error) cli_say("%s", diag.message);
    log_finish(&log);
    log_install(NULL);
    config_done(&config);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

const struct command command_witness = {
    .name = "witness",
    .operands = "",
    .summary = "sign what other machines' records are",
    .description =
        "To be run on another machine than vaka serve, by other people: signs a checkpoint of a "
        "log "
        "that witness.logs knows when it goes on from the one it signed before (C2SP tlog-witness, "
        "POST /add-checkpoint over HTTPS), and nothing that goes back or is written anew. Who has "
        "all keys of the machine with the records then still cannot change the past unseen.\n\n"
        "It listens where witness.listen says, for senders with a token that has the right witness "
        "(listen.tokens) or with a certificate that tls.clients vouches for. Its key and what it "
        "signed last are in witness.folder; its public key is told at the start and goes into "
        "store.witnesses of vaka serve. It runs until it is told to end (SIGTERM, SIGINT).\n\n"
        "Exit status: 0 it was told to end; 1 it could not start, and says why; 2 the command line "
        "or the settings could not be understood.",
    .options = witness_options,
    .n_options = sizeof witness_options / sizeof *witness_options,
    .ctx_size = sizeof(struct witness_context),
    .run = witness_main,
};
