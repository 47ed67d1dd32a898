/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/watchdog_server.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "serve/signing_key.h"
#include "serve/watchdog_teller.h"
#include "watchdog/guard.h"

enum {
    WATCHES_MAX = 1024,
    /* Numbers are written down so many ahead: a start goes on behind those that were not used. */
    AHEAD = 1000,
};

struct watchdog_server {
    const struct outpost_given *given;
    struct outpost outpost;
    struct teller teller;
    struct checkpoint_signer signer;
    struct checkpoint_key vaka;
    struct guard guard;
    uint64_t number, reserved; /* of its own heartbeats */
    struct buf out, text, spoken_sv, spoken_en;
};

/* ---- what is written down ---------------------------------------------------------------- */

static int keep(struct watchdog_server *s, const char *name, uint64_t number)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    return folder_replace(s->outpost.folder, name, slice_make(text, (size_t)n)) == 0 ? 0 : ERR_IO;
}

static uint64_t kept(const struct watchdog_server *s, const char *name)
{
    char text[32];
    uint64_t number = 0;
    int fd = openat(s->outpost.folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0) (void)close(fd);
    return n > 0 && slice_to_u64(slice_trim(slice_make(text, (size_t)n)), &number) ? number : 0;
}

/* ---- telling people ---------------------------------------------------------------------- */

static void write_message(struct watchdog_server *s, bool english, struct buf *out)
{
    const struct guard *g = &s->guard;
    const nsec silent = (clock_monotonic(&s->given->clock) - g->heard) / NSEC_PER_SEC;
    switch (g->state) {
    case GUARD_WELL:
        buf_puts(out, english ? "The watch is awake again." : "vakan är vaken igen.");
        return;
    case GUARD_SILENT:
        buf_printf(out,
                   english ? "The watch has been silent for %" PRId64 " s."
                           : "vakan är tyst sedan %" PRId64 " s. Gör först: se efter på servern.",
                   silent);
        return;
    case GUARD_BROKEN:
        if (english) buf_puts(out, "The watch cannot page.");
        else
            buf_printf(out, "vakan kan inte larma, %s är trasigt: %s.", g->beat.broken,
                       g->beat.why);
        return;
    case GUARD_LOUD:
        buf_puts(out,
                 english ? "Nobody has acknowledged a page." : "ingen har kvitterat ett larm.");
        return;
    }
}

/* What is read has both languages, what is heard the one of the voice. */
static void write_texts(struct watchdog_server *s)
{
    struct buf *const spoken[] = {&s->spoken_sv, &s->spoken_en};
    for (unsigned english = 0; english < 2; english++) {
        buf_clear(spoken[english]);
        buf_printf(spoken[english], "Vaka %s: ", s->vaka.name);
        write_message(s, english, spoken[english]);
    }
    buf_clear(&s->text);
    buf_put(&s->text, buf_slice(&s->spoken_sv));
    buf_putc(&s->text, ' ');
    write_message(s, true, &s->text);
}

static void tell(struct watchdog_server *s)
{
    log_write(LOG_WATCHDOG_STATE, LOG_TEXT("state", slice_of(guard_state_name(s->guard.state))),
              LOG_NUMBER("number", s->guard.number));
    write_texts(s);
    teller_tell(&s->teller, &(struct teller_message){.body = buf_slice(&s->text),
                                                     .spoken_sv = buf_slice(&s->spoken_sv),
                                                     .spoken_en = buf_slice(&s->spoken_en)});
}

static void on_tick(void *ctx)
{
    struct watchdog_server *s = ctx;
    if (guard_pass(&s->guard, clock_monotonic(&s->given->clock))) tell(s);
    teller_tick(&s->teller);
}

/* ---- heartbeats -------------------------------------------------------------------------- */

/* Its own number is never said twice, whatever the end of this process was. */
static int next_number(struct watchdog_server *s)
{
    if (s->number + 1 >= s->reserved) {
        int error = keep(s, "sent", s->reserved + AHEAD);
        if (error) return error;
        s->reserved += AHEAD;
    }
    s->number++;
    return 0;
}

static int write_answer(struct watchdog_server *s, uint64_t answers)
{
    int error = next_number(s);
    if (error) return error;
    const struct heartbeat beat = {.number = s->number,
                                   .answers = answers,
                                   .time =
                                       (uint64_t)(clock_realtime(&s->given->clock) / NSEC_PER_SEC),
                                   .broken = "nothing"};
    buf_clear(&s->out);
    heartbeat_write(&s->out, &beat, &s->signer, &s->vaka);
    return buf_error(&s->out);
}

/* From the head alone: whether it is for us. */
static unsigned check_head(void *ctx, struct MHD_Connection *connection, const char *method,
                           const char *path)
{
    (void)ctx, (void)connection;
    bool good = strcmp(path, "/heartbeat") == 0 && strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    return good ? 0 : MHD_HTTP_NOT_FOUND;
}

static enum MHD_Result hear(void *ctx, struct MHD_Connection *connection, struct slice body)
{
    struct watchdog_server *s = ctx;
    struct heartbeat beat;
    nsec now = clock_monotonic(&s->given->clock);
    if (heartbeat_read(body, &s->vaka, &s->signer.key, &beat) != 0) {
        s->guard.refused++;
        log_write(LOG_WATCHDOG_REFUSED, LOG_TEXT("why", SLICE("it is not signed as it must be")));
        return outpost_refuse(connection, MHD_HTTP_FORBIDDEN);
    }
    if (!guard_hear(&s->guard, &beat, now)) {
        log_write(LOG_WATCHDOG_REFUSED, LOG_TEXT("why", SLICE("it was there before")));
        return outpost_refuse(connection, MHD_HTTP_CONFLICT);
    }
    int error = keep(s, "heard", s->guard.number);
    if (error == 0) error = write_answer(s, beat.number);
    if (guard_pass(&s->guard, now)) tell(s);
    return error ? outpost_refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR)
                 : outpost_answer(connection, MHD_HTTP_OK, "text/plain", buf_slice(&s->out));
}

/* ---- what it needs ----------------------------------------------------------------------- */

static int read_vaka(struct watchdog_server *s, struct diag *diag)
{
    const struct config_list *key = &s->given->config->watchdog_key;
    if (key->n && checkpoint_key_read(slice_trim(slice_of(key->items[0])), &s->vaka) == 0 &&
        s->vaka.type == CHECKPOINT_LOG)
        return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                    "watchdog.key has to be the public key of the watch: vaka watchdog init, on "
                    "its machine, prints it");
}

static int confine(struct watchdog_server *s, struct diag *diag)
{
    const char *folder = s->given->config->watchdog_folder.items[0];
    const char *trust = senders_trust(s->teller.senders);
    return outpost_confine(&s->outpost, SANDBOX_WATCHDOG,
                           &(struct sandbox_files){.folders = &folder,
                                                   .n_folders = 1,
                                                   .paths = &trust,
                                                   .n_paths = 1,
                                                   .ports = s->teller.ports,
                                                   .n_ports = s->teller.n_ports},
                           diag);
}

static int open_key(const struct config *config, bool watchdog, struct checkpoint_signer *ret,
                    struct diag *diag)
{
    char space[192], folder[CONFIG_PATH_MAX + 16];
    const struct config_list none = {0};
    (void)snprintf(folder, sizeof folder, "%s%s",
                   watchdog ? config->watchdog_folder.items[0] : config->serve_folder.items[0],
                   watchdog ? "" : "/keys");
    struct signing_seal seal;
    int error = signing_seal_read(config, &seal, diag);
    if (error == 0)
        error = signing_key_open(
            folder, "heartbeat", CHECKPOINT_LOG,
            signing_key_name(&none, watchdog ? "/watchdog" : "/vaka", space, sizeof space), &seal,
            ret, diag);
    explicit_bzero(&seal, sizeof seal);
    return error;
}

static int prepare(struct watchdog_server *s, struct diag *diag)
{
    const struct config *config = s->given->config;
    const struct guard_options guard = {.silence = config->watchdog_silence,
                                        .repeat = config->watchdog_repeat};
    const struct outpost_options options = {.given = s->given,
                                            .name = "watchdog",
                                            .folder = config->watchdog_folder.items[0],
                                            .listen = &config->watchdog_listen,
                                            .body_max = HEARTBEAT_MAX,
                                            .watches_max = WATCHES_MAX,
                                            .head = check_head,
                                            .body = hear,
                                            .tick = on_tick,
                                            .ctx = s};
    int error = outpost_open(&s->outpost, &options, diag);
    if (error == 0) error = open_key(config, true, &s->signer, diag);
    if (error == 0) error = read_vaka(s, diag);
    if (error == 0)
        error = teller_open(&s->teller, config, s->given->clock, s->outpost.loop,
                            s->given->sandboxed, diag);
    if (error) return error;
    s->number = s->reserved = kept(s, "sent");
    guard_init(&s->guard, &guard, kept(s, "heard"), clock_monotonic(&s->given->clock));
    error = outpost_listen(&s->outpost, diag);
    return error ? error : confine(s, diag);
}

static int run(struct watchdog_server *s)
{
    struct buf key;
    buf_init(&key, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&key, &s->signer.key);
    int error = outpost_run(&s->outpost, buf_slice(&key));
    buf_done(&key);
    return error;
}

int watchdog_server_run(const struct outpost_given *given, struct diag *diag)
{
    diag->message[0] = '\0';
    struct watchdog_server *s = calloc(1, sizeof *s);
    if (!s) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
    s->given = given;
    buf_init(&s->out, HEARTBEAT_MAX + CHECKPOINT_KEY_TEXT);
    buf_init(&s->text, NOTIFY_TEXT_MAX);
    buf_init(&s->spoken_sv, NOTIFY_TEXT_MAX);
    buf_init(&s->spoken_en, NOTIFY_TEXT_MAX);
    int error = prepare(s, diag);
    if (error == 0) error = run(s);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    teller_done(&s->teller);
    checkpoint_signer_done(&s->signer);
    buf_done(&s->out);
    buf_done(&s->text);
    buf_done(&s->spoken_sv);
    buf_done(&s->spoken_en);
    outpost_done(&s->outpost);
    free(s);
    return error;
}

int watchdog_make_key(const struct config *config, struct buf *out, struct diag *diag)
{
    struct checkpoint_signer signer;
    int error = config->watchdog_listen.n
                    ? 0
                    : folder_make(config->serve_folder.items[0], FOLDER_OWN, diag);
    if (error == 0) error = open_key(config, config->watchdog_listen.n > 0, &signer, diag);
    if (error) return error;
    checkpoint_key_write(out, &signer.key);
    checkpoint_signer_done(&signer);
    return 0;
}
