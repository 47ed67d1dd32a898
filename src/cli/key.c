/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka key rotate */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/client.h"
#include "serve/log_key.h"

enum { PATH_SIZE = CONFIG_PATH_MAX + 64 };

struct key_context {
    struct settings settings;
};

static const struct cli_option key_options[] = {OPTION_SETTINGS(struct key_context)};

/* A serve that does not run takes the new key when it is started. */
static int tell_serve(const struct config *config)
{
    struct diag diag;
    int error = client_ask(&(struct client_question){.socket = config->serve_socket.items[0],
                                                     .ask = {.what = ASK_KEYS}},
                           &diag);
    if (error == 0 || error == ERR_NOT_FOUND) return EXIT_RAN;
    cli_say("the key was rotated, but vaka serve was not told; start it again: %s", diag.message);
    return EXIT_UNREADABLE;
}

static int rotate_run(const struct invocation *in)
{
    const struct key_context *c = in->ctx;
    struct config config;
    struct diag diag;
    char keys[PATH_SIZE], store[PATH_SIZE];
    if (in->n_operands) return cli_usage("key rotate takes no operands");
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0) {
        (void)snprintf(keys, sizeof keys, "%s/keys", config.serve_folder.items[0]);
        (void)snprintf(store, sizeof store, "%s/store/0", config.serve_folder.items[0]);
        const struct clock clock = clock_system();
        struct signing_seal seal;
        int error = signing_seal_read(&config, &seal, &diag);
        if (error == 0)
            error = log_key_rotate(keys, store, (uint64_t)(clock_realtime(&clock) / NSEC_PER_SEC),
                                   &seal, &diag);
        explicit_bzero(&seal, sizeof seal);
        if (error) cli_say("%s", diag.message);
        status = error ? EXIT_UNREADABLE : tell_serve(&config);
    }
    config_done(&config);
    return status;
}

const struct command command_key_rotate = {
    .name = "key rotate",
    .operands = "",
    .summary = "let another key sign what the records are",
    .description =
        "Makes a new key for the log, has the newest checkpoint signed by the old one and by it, "
        "keeps that, and destroys the old key. A running vaka serve signs with the new one from "
        "then on. To be run as the user of vaka serve.\n\n"
        "keys/log.pub has the new public key and, behind it, those before, each with the size of "
        "the tree at which it ended, signed by itself: what such a key signs of a larger tree is "
        "tampered. It is what vaka verify (--key) and witnesses (witness.logs) need now. Until a "
        "witness has it, it signs nothing.",
    .options = key_options,
    .n_options = sizeof key_options / sizeof *key_options,
    .ctx_size = sizeof(struct key_context),
    .run = rotate_run,
};
