/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `vaka watchdog`: one process on another machine than vaka serve. It answers POST /heartbeat over
 * HTTPS, signed as what it is asked, and tells people by providers of its own when heartbeats stop,
 * or say that nobody else can tell them (watchdog/guard.h).
 */
#ifndef VAKA_SERVE_WATCHDOG_SERVER_H
#define VAKA_SERVE_WATCHDOG_SERVER_H

#include "serve/outpost.h"

/* Until a signal says to end (0) or something cannot work at all (an error; diag says why). */
int watchdog_server_run(const struct outpost_given *given, struct diag *diag) MUST_USE;

/*
 * The key by which this machine signs heartbeats, made when it is not there: the watchdog's with
 * watchdog.listen, else that of vaka serve. Appends its public key.
 */
int watchdog_make_key(const struct config *config, struct buf *out, struct diag *diag) MUST_USE;

#endif
