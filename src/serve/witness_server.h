/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `vaka witness`: one process that answers POST /add-checkpoint over HTTPS (libmicrohttpd on the
 * loop) and keeps what it signed in one folder. It reads keys, tokens and certificates, then enters
 * its sandbox, then listens to what anybody sends.
 */
#ifndef VAKA_SERVE_WITNESS_SERVER_H
#define VAKA_SERVE_WITNESS_SERVER_H

#include "base/clock.h"
#include "config/config.h"

struct witness_server_options {
    struct clock clock;
    const struct config *config; /* borrowed */
    bool sandboxed;
    /* It listens; `key` is its public key as text. */
    void (*ready)(void *ctx, struct slice key);
    void *ctx;
};

/* Until a signal says to end (0) or something cannot work at all (an error; diag says why). */
int witness_server_run(const struct witness_server_options *options, struct diag *diag) MUST_USE;

#endif
