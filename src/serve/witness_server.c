/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/witness_server.h"

#include <stdlib.h>

#include "base/log.h"
#include "collect/token.h"
#include "serve/signing_key.h"
#include "serve/tokens.h"
#include "witness/witness.h"

enum {
    IDENTITY_MAX = 1024,
    LOGS_MAX = 1024, /* keys of logs */
    WATCHES_MAX = 8,
};

struct server {
    const struct outpost_given *given;
    struct outpost outpost;
    struct store_io io;
    struct checkpoint_signer signer;
    struct checkpoint_key *logs;
    size_t n_logs;
    struct witness witness;
    struct tokens *tokens;
    struct buf out;
};

/* ---- requests ---------------------------------------------------------------------------- */

static bool has_certificate(struct MHD_Connection *connection)
{
    struct buf identity;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!info || !info->tls_session) return false;
    buf_init(&identity, 2 * (size_t)IDENTITY_MAX);
    bool known = tls_identity(info->tls_session, &identity) == 0;
    buf_done(&identity);
    return known;
}

static bool has_token(const struct server *s, struct MHD_Connection *connection)
{
    char scratch[TOKEN_MAX];
    struct slice secret;
    const char *value =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || token_read_header(slice_of(value), scratch, &secret) != 0) return false;
    const struct token *token = tokens_find(s->tokens, secret);
    explicit_bzero(scratch, sizeof scratch);
    return token && (token->rights & TOKEN_WITNESS);
}

/* From the head alone: 0, or the status of the refusal. */
static unsigned check_head(void *ctx, struct MHD_Connection *connection, const char *method,
                           const char *path)
{
    const struct server *s = ctx;
    bool trusted = tls_context_authorities(s->outpost.tls) && has_certificate(connection);
    if (!trusted && !has_token(s, connection)) return MHD_HTTP_UNAUTHORIZED;
    if (strcmp(path, "/add-checkpoint") != 0) return MHD_HTTP_NOT_FOUND;
    return strcmp(method, MHD_HTTP_METHOD_POST) == 0 ? 0 : MHD_HTTP_METHOD_NOT_ALLOWED;
}

static void tell(const struct witness_answer *a)
{
    enum log_event event = a->forked                     ? LOG_WITNESS_FORK
                           : a->status == WITNESS_SIGNED ? LOG_WITNESS_SIGNED
                                                         : LOG_WITNESS_REFUSED;
    log_write(event, LOG_TEXT("origin", slice_of(a->origin)), LOG_NUMBER("status", a->status),
              LOG_NUMBER("size", a->size));
}

static enum MHD_Result decide(void *ctx, struct MHD_Connection *connection, struct slice body)
{
    struct server *s = ctx;
    struct witness_answer a;
    buf_clear(&s->out);
    uint64_t now = (uint64_t)(clock_realtime(&s->given->clock) / NSEC_PER_SEC);
    witness_add(&s->witness, body, now, &s->out, &a);
    tell(&a);
    if (a.status != WITNESS_SIGNED && a.status != WITNESS_CONFLICT)
        return outpost_refuse(connection, a.status);
    return outpost_answer(connection, a.status,
                          a.status == WITNESS_SIGNED ? "text/plain" : "text/x.tlog.size",
                          buf_slice(&s->out));
}

/* ---- what it needs ----------------------------------------------------------------------- */

static int read_logs(struct server *s, struct diag *diag)
{
    const struct config_list *paths = &s->given->config->witness_logs;
    if (paths->n == 0)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "witness.logs names no log whose checkpoints are to be signed");
    s->logs = calloc(LOGS_MAX, sizeof *s->logs);
    if (!s->logs) return ERR_NOMEM;
    for (uint32_t i = 0; i < paths->n; i++) {
        size_t n;
        int error = signing_key_read_public(paths->items[i], CHECKPOINT_LOG, s->logs + s->n_logs,
                                            LOGS_MAX - s->n_logs, &n, diag);
        if (error) return error;
        s->n_logs += n;
    }
    return 0;
}

static int read_tokens(struct server *s, struct diag *diag)
{
    const struct config *config = s->given->config;
    s->tokens = tokens_new();
    if (!s->tokens) return ERR_NOMEM;
    if (config->listen_tokens.n)
        return tokens_read_file(config->listen_tokens.items[0], s->tokens, diag);
    return config->tls_clients.n ? 0
                                 : diag_set(diag, ERR_INVALID, NULL, 0, 0,
                                            "who may submit is said by listen.tokens or "
                                            "tls.clients: one of them is needed");
}

static int open_key(struct server *s, struct diag *diag)
{
    const struct config *config = s->given->config;
    char space[192];
    struct signing_seal seal;
    int error = signing_seal_read(config, &seal, diag);
    if (error == 0)
        error = signing_key_open(
            config->witness_folder.items[0], "witness", CHECKPOINT_WITNESS,
            signing_key_name(&config->witness_name, "/witness", space, sizeof space), &seal,
            &s->signer, diag);
    explicit_bzero(&seal, sizeof seal);
    return error;
}

static int prepare(struct server *s, struct diag *diag)
{
    const struct config *config = s->given->config;
    const char *folder = config->witness_folder.items[0];
    const struct outpost_options options = {.given = s->given,
                                            .name = "witness",
                                            .folder = folder,
                                            .listen = &config->witness_listen,
                                            .clients = &config->tls_clients,
                                            .body_max = WITNESS_REQUEST_MAX,
                                            .watches_max = WATCHES_MAX,
                                            .head = check_head,
                                            .body = decide,
                                            .ctx = s};
    int error = outpost_open(&s->outpost, &options, diag);
    if (error == 0) error = open_key(s, diag);
    if (error == 0) error = read_logs(s, diag);
    if (error == 0) error = read_tokens(s, diag);
    if (error == 0) error = outpost_listen(&s->outpost, diag);
    if (error) return error;
    s->io = store_io_system(s->outpost.folder);
    s->witness =
        (struct witness){.io = &s->io, .signer = &s->signer, .logs = s->logs, .n_logs = s->n_logs};
    return outpost_confine(&s->outpost, SANDBOX_WITNESS,
                           &(struct sandbox_files){.folders = &folder, .n_folders = 1}, diag);
}

static int run(struct server *s)
{
    struct buf key;
    buf_init(&key, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&key, &s->signer.key);
    int error = outpost_run(&s->outpost, buf_slice(&key));
    buf_done(&key);
    return error;
}

int witness_server_run(const struct outpost_given *given, struct diag *diag)
{
    diag->message[0] = '\0';
    struct server s = {.given = given};
    buf_init(&s.out, WITNESS_ANSWER_MAX);
    int error = prepare(&s, diag);
    if (error == 0) error = run(&s);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    checkpoint_signer_done(&s.signer);
    tokens_free(s.tokens);
    free(s.logs);
    buf_done(&s.out);
    outpost_done(&s.outpost);
    return error;
}
