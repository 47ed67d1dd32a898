/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `vaka witness`: one process that answers POST /add-checkpoint over HTTPS (libmicrohttpd on the
 * loop) and keeps what it signed in one folder. It reads keys, tokens and certificates, then enters
 * its sandbox, then listens to what anybody sends.
 */
#ifndef VAKA_SERVE_WITNESS_SERVER_H
#define VAKA_SERVE_WITNESS_SERVER_H

#include "serve/outpost.h"

/* Until a signal says to end (0) or something cannot work at all (an error; diag says why). */
int witness_server_run(const struct outpost_given *given, struct diag *diag) MUST_USE;

#endif
