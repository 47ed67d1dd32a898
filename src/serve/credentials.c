/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "serve/tokens.h"

static const struct config_list *list_of(const struct config *config, enum credential_file file)
{
    const struct config_list *const lists[] = {
        [CREDENTIAL_CERTIFICATE] = &config->tls_certificate,
        [CREDENTIAL_KEY] = &config->tls_key,
        [CREDENTIAL_CLIENTS] = &config->tls_clients,
        [CREDENTIAL_TOKENS] = &config->listen_tokens,
    };
    return lists[file];
}

void credentials_close(struct credential_files *files)
{
    for (unsigned i = 0; i < CREDENTIAL_FILES; i++) {
        if (files->fds[i] >= 0) (void)close(files->fds[i]);
        files->fds[i] = -1;
    }
}

int credentials_open(const struct config *config, struct credential_files *ret, struct diag *diag)
{
    for (unsigned i = 0; i < CREDENTIAL_FILES; i++) ret->fds[i] = -1;
    if (config->tls_certificate.n && !config->tls_key.n)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "tls.certificate is set, tls.key is not");
    for (unsigned i = 0; i < CREDENTIAL_FILES; i++) {
        const struct config_list *list = list_of(config, i);
        if (!list->n) continue;
        ret->fds[i] = open(list->items[0], O_RDONLY | O_CLOEXEC);
        if (ret->fds[i] >= 0) continue;
        int error =
            diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", list->items[0], strerror(errno));
        credentials_close(ret);
        return error;
    }
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

enum { PEM_MAX = 1024 * 1024 };

static const char *path_of(const struct config *config, enum credential_file file)
{
    const struct config_list *list = list_of(config, file);
    return list->n ? list->items[0] : "";
}

static int read_tokens(const struct config *config, int fd, struct tokens **ret, struct diag *diag)
{
    const char *path = path_of(config, CREDENTIAL_TOKENS);
    struct tokens *tokens = tokens_new();
    if (!tokens) return ERR_NOMEM;
    int error = fd >= 0 ? tokens_read_fd(fd, path, tokens, diag) : 0;
    if (error) tokens_free(tokens);
    else *ret = tokens;
    return error;
}

/* A context that is there is renewed. */
static int put_context(struct tls_context **context, const struct slice pem[CREDENTIAL_CLIENTS + 1],
                       enum tls_client client)
{
    struct slice authorities = client == TLS_CLIENT_IGNORED ? SLICE_NONE : pem[CREDENTIAL_CLIENTS];
    return *context ? tls_context_renew(*context, pem[CREDENTIAL_CERTIFICATE], pem[CREDENTIAL_KEY],
                                        authorities)
                    : tls_context_new(pem[CREDENTIAL_CERTIFICATE], pem[CREDENTIAL_KEY], authorities,
                                      client, context);
}

/* Those with client certificates first: more can be wrong with them. */
static int put_contexts(struct credentials *c, const struct slice pem[CREDENTIAL_CLIENTS + 1],
                        bool renews)
{
    bool clients = renews ? c->tls_clients != NULL : pem[CREDENTIAL_CLIENTS].len > 0;
    int error = clients ? put_context(&c->tls_clients, pem, TLS_CLIENT_REQUIRED) : 0;
    if (error == 0 && clients) error = put_context(&c->tls_http, pem, TLS_CLIENT_REQUESTED);
    return error ? error : put_context(&c->tls, pem, TLS_CLIENT_IGNORED);
}

static int read_tls(struct credentials *c, const struct config *config,
                    const struct credential_files *files, bool renews, struct diag *diag)
{
    struct buf texts[CREDENTIAL_CLIENTS + 1];
    struct slice pem[CREDENTIAL_CLIENTS + 1];
    int error = 0;
    for (unsigned i = 0; i <= CREDENTIAL_CLIENTS; i++) {
        buf_init(&texts[i], PEM_MAX);
        if (files->fds[i] >= 0 && error == 0)
            error = file_read_fd(files->fds[i], path_of(config, i), &texts[i], diag);
        pem[i] = buf_slice(&texts[i]);
    }
    if (error == 0) {
        error = put_contexts(c, pem, renews);
        if (error)
            (void)diag_set(diag, error, NULL, 0, 0,
                           "tls: the certificate or the key cannot be read, or do not belong "
                           "together");
    }
    if (texts[CREDENTIAL_KEY].ptr)
        explicit_bzero(texts[CREDENTIAL_KEY].ptr, texts[CREDENTIAL_KEY].len);
    for (unsigned i = 0; i <= CREDENTIAL_CLIENTS; i++) buf_done(&texts[i]);
    return error;
}

int credentials_read(struct credentials *c, const struct config *config,
                     const struct credential_files *files, struct diag *diag)
{
    struct tokens *tokens = NULL;
    bool renews = c->tokens != NULL;
    int error = read_tokens(config, files->fds[CREDENTIAL_TOKENS], &tokens, diag);
    bool has_tls = renews ? c->tls != NULL : files->fds[CREDENTIAL_CERTIFICATE] >= 0;
    if (error == 0 && has_tls) error = read_tls(c, config, files, renews, diag);
    if (error) tokens_free(tokens);
    else c->tokens = tokens;
    return error;
}
