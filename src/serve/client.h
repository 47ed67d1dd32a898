/* SPDX-License-Identifier: EUPL-1.2 */
/* The command line's side of the control socket: one question, its answers. */
#ifndef VAKA_SERVE_CLIENT_H
#define VAKA_SERVE_CLIENT_H

#include "serve/message.h"

struct client_question {
    const char *socket; /* path */
    struct say_ask ask;
    const struct say_manage *manage; /* when it is about accounts, in place of that */
    /* An answer, valid during the call. Non-zero ends it and is passed through. */
    int (*answer)(void *ctx, const struct say_answer *answer);
    void *ctx;
};

/*
 * Waits until all was answered (0), or for ever when the question follows. ERR_NOT_FOUND: nobody
 * listens at the socket; ERR_ACCESS; ERR_STOPPED: Vaka ended meanwhile; ERR_INVALID: the question
 * was refused. diag says it for people.
 */
int client_ask(const struct client_question *question, struct diag *diag) MUST_USE;

#endif
