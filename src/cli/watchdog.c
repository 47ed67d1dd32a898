/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka watchdog, vaka watchdog init */
#include "cli/server.h"
#include "serve/watchdog_server.h"
#include "store/checkpoint.h"

static const struct cli_option watchdog_options[] = {SERVER_OPTIONS};

static int watchdog_main(const struct invocation *in)
{
    return server_run_outpost(in, watchdog_server_run);
}

const struct command command_watchdog = {
    .name = "watchdog",
    .operands = "",
    .summary = "tell people when a watch on another machine falls silent",
    .description =
        "To be run on another machine than vaka serve, with another provider of messages: hears "
        "its signed heartbeats (POST /heartbeat over HTTPS) and answers them, signed. When none "
        "comes for watchdog.silence, or they say that oncall, notify or a provider is broken, or "
        "that nobody has acknowledged a page, it tells all of watchdog.contacts by "
        "notify.providers, again every watchdog.repeat, and when it is well again.\n\n"
        "The keys of both are made by vaka watchdog init. It runs until it is told to end "
        "(SIGTERM, SIGINT).\n\n"
        "Exit status: 0 it was told to end; 1 it could not start, and says why; 2 the command line "
        "or the settings could not be understood.",
    .options = watchdog_options,
    .n_options = sizeof watchdog_options / sizeof *watchdog_options,
    .ctx_size = sizeof(struct server),
    .run = watchdog_main,
};

/* ---- init -------------------------------------------------------------------------------- */

struct init_context {
    struct settings settings;
};

static const struct cli_option init_options[] = {OPTION_SETTINGS(struct init_context)};

static int init_main(const struct invocation *in)
{
    const struct init_context *c = in->ctx;
    struct config config;
    struct diag diag = {0};
    struct buf key;
    if (in->n_operands) return cli_usage("watchdog init takes no operands");
    int status = settings_load(&c->settings, &config, NULL);
    buf_init(&key, CHECKPOINT_KEY_TEXT);
    if (status == 0) {
        int error = watchdog_make_key(&config, &key, &diag);
        if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
        else (void)printf("%.*s\n", SLICE_FMT(buf_slice(&key)));
        status = error ? EXIT_UNREADABLE : EXIT_RAN;
    }
    buf_done(&key);
    config_done(&config);
    return status;
}

const struct command command_watchdog_init = {
    .name = "watchdog init",
    .operands = "",
    .summary = "make the key of this machine's heartbeats",
    .description =
        "Makes the key by which this machine signs heartbeats, when it is not there, and prints "
        "its public key: with watchdog.listen set that of the watchdog, for watchdog.address of "
        "vaka serve; else that of vaka serve, for watchdog.key of the watchdog. To be run as the "
        "user of the one or the other.\n\n"
        "Exit status: 0; 1 it could not be made; 2 the command line or the settings could not be "
        "understood.",
    .options = init_options,
    .n_options = sizeof init_options / sizeof *init_options,
    .ctx_size = sizeof(struct init_context),
    .run = init_main,
};
