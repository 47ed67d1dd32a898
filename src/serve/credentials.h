/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What collect proves itself and knows its senders with: certificate, key, authorities, tokens. It
 * reads them from open files: its own before the sandbox, and for a reload those that the
 * supervisor opened, because files that were replaced are not within its reach.
 */
#ifndef VAKA_SERVE_CREDENTIALS_H
#define VAKA_SERVE_CREDENTIALS_H

#include "collect/tls.h"
#include "collect/token.h"
#include "config/config.h"

enum credential_file {
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_KEY,
    CREDENTIAL_CLIENTS,
    CREDENTIAL_TOKENS,
    CREDENTIAL_FILES,
};

struct credential_files {
    int fds[CREDENTIAL_FILES]; /* -1: there is none */
};

/* Opens those that the settings name. ERR_ACCESS: diag tells; nothing is left open. */
int credentials_open(const struct config *config, struct credential_files *ret,
                     struct diag *diag) MUST_USE;
void credentials_close(struct credential_files *files);

struct credentials {
    struct tokens *tokens;
    /* Without client certificates, with them, and for HTTP, where some senders have tokens; or
     * NULL. */
    struct tls_context *tls, *tls_clients, *tls_http;
};

/*
 * Reads them: into new contexts, or renews those that are there; what is not there is not made by a
 * renewal. tokens are new ones, and those before are the caller's to free. On failure nothing has
 * changed, diag tells why. The files stay open.
 */
int credentials_read(struct credentials *c, const struct config *config,
                     const struct credential_files *files, struct diag *diag) MUST_USE;

#endif
