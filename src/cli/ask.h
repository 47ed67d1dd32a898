/* SPDX-License-Identifier: EUPL-1.2 */
/* What the running vaka serve is asked. */
#ifndef VAKA_CLI_ASK_H
#define VAKA_CLI_ASK_H

#include "cli/settings.h"
#include "serve/client.h"

/* client_ask() at the socket of the settings; an exit status, what is wrong was told. */
int ask_serve(const struct settings *settings, struct say_ask question,
              int (*answer)(void *ctx, const struct say_answer *answer), void *ctx);
/* The same about accounts. */
int ask_accounts(const struct settings *settings, const struct say_manage *manage,
                 int (*answer)(void *ctx, const struct say_answer *answer), void *ctx);

struct ask_act {
    const char *kind;
    struct slice body; /* a JSON object */
    bool swedish;      /* a refusal is said so, where it can be */
    /* The answer, an object; what it returns is what ask_serve() does with it. NULL: nothing. */
    int (*done)(void *ctx, struct slice answer);
    /* Behind the words of a refusal, on standard error. NULL: nothing. */
    void (*refused)(void *ctx, struct slice answer);
    void *ctx;
};
/* Has an act done in the name of who is logged in here; an exit status, what is wrong was told. */
int ask_act(const struct settings *settings, const struct ask_act *act);

#endif
