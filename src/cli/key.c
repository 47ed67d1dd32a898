/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka key rotate */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/client.h"
#include "serve/signing_key.h"

enum { PATH_SIZE = CONFIG_PATH_MAX + 64 };

static const struct cli_option key_options[] = {OPTION_CONFIG, OPTION_SET};

static int key_option(void *ctx, int letter, const char *value)
{
    return settings_option(ctx, letter, value);
}

/* The newest checkpoint, signed by the new key as well, is kept: it says who the new one is. */
static int sign_as_well(const struct store_io *io, const struct checkpoint_signer *old,
                        const struct checkpoint_signer *fresh, struct buf *note, struct diag *diag)
{
    struct checkpoint c;
    char name[STORE_NAME_MAX + 1];
    int file = io->open(io->ctx, "checkpoint", STORE_READ);
    char *to = buf_reserve(note, CHECKPOINT_MAX);
    int64_t n = file < 0 ? file : to ? store_io_read(io, file, to, CHECKPOINT_MAX, 0) : ERR_NOMEM;
    if (file >= 0) io->close(io->ctx, file);
    if (n == ERR_NOT_FOUND)
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0,
                        "there is no checkpoint yet: nothing was signed with the key");
    if (n < 0) return (int)n;
    note->len = (size_t)n;
    if (checkpoint_parse(buf_slice(note), &c) != 0 || checkpoint_verify(&c, &old->key, NULL) != 0)
        return diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                        "the newest checkpoint is not signed with this key");
    (void)snprintf(name, sizeof name, "checkpoint-%020llu", (unsigned long long)c.size);
    struct buf line;
    buf_init(&line, CHECKPOINT_MAX);
    checkpoint_sign(&line, c.body, fresh, 0);
    buf_put(note, buf_slice(&line));
    buf_done(&line);
    return buf_failed(note) ? buf_error(note) : store_io_replace(io, name, buf_slice(note));
}

static int introduce(void *ctx, const struct checkpoint_signer *old,
                     const struct checkpoint_signer *fresh, struct diag *diag)
{
    const char *path = ctx;
    struct buf note;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    const struct store_io io = store_io_system(folder);
    buf_init(&note, 2 * (size_t)CHECKPOINT_MAX);
    diag->message[0] = '\0';
    int error = sign_as_well(&io, old, fresh, &note, diag);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path, error_text(error));
    buf_done(&note);
    (void)close(folder);
    return error;
}

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
    struct config config;
    struct diag diag;
    char keys[PATH_SIZE], store[PATH_SIZE];
    if (in->n_operands) return cli_usage("key rotate takes no operands");
    int status = settings_load(in->ctx, &config, NULL);
    if (status == 0) {
        (void)snprintf(keys, sizeof keys, "%s/keys", config.serve_folder.items[0]);
        (void)snprintf(store, sizeof store, "%s/store/0", config.serve_folder.items[0]);
        int error = signing_key_rotate(keys, "log", introduce, store, &diag);
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
        "keys/log.pub has the new public key and, behind it, those before: it is what vaka verify "
        "(--key) and witnesses (witness.logs) need now. Until a witness has it, it signs nothing.",
    .options = key_options,
    .n_options = sizeof key_options / sizeof *key_options,
    .ctx_size = sizeof(struct settings),
    .option = key_option,
    .run = rotate_run,
};
