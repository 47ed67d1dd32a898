/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `vaka serve`, the process that was started: opens what needs privilege, starts one process for
 * every role, connects them, starts again what ended, and ends them in order. It reads no record
 * and parses nothing but the settings and its own processes' messages.
 */
#ifndef VAKA_SERVE_SUPERVISOR_H
#define VAKA_SERVE_SUPERVISOR_H

#include "base/clock.h"
#include "config/config.h"
#include "serve/service.h"

struct supervisor_options {
    struct clock clock;
    const struct config *config; /* borrowed */
    bool sandboxed;              /* off only where the operator has said so */
    struct service *service;     /* borrowed: whom it tells how it is, and what it was given */
    /* Reads the settings again for a reload into a fresh *ret; 0, or an error that was told. */
    int (*read_config)(void *ctx, struct config *ret);
    /* Everything runs; called once. May be NULL. */
    void (*ready)(void *ctx);
    void *ctx;
};

/* Until a signal says to end (0) or something cannot work at all (an error; diag says why). */
int supervisor_run(const struct supervisor_options *options, struct diag *diag) MUST_USE;

#endif
