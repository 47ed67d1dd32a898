/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/ask.h"

#include "base/json_read.h"
#include "cli/desk.h"
#include "desk/desk.h"

enum { REFUSAL_MAX = 1000 };

/* At the socket of the settings. */
static int ask(const struct settings *settings, struct client_question *question)
{
    struct config config;
    struct diag diag;
    int status = settings_load(settings, &config, NULL);
    if (status == 0) {
        question->socket = config.serve_socket.items[0];
        int error = client_ask(question, &diag);
        if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
        status = error ? EXIT_UNREADABLE : EXIT_RAN;
    }
    config_done(&config);
    return status;
}

int ask_serve(const struct settings *settings, struct say_ask question,
              int (*answer)(void *ctx, const struct say_answer *answer), void *ctx)
{
    return ask(settings, &(struct client_question){.ask = question, .answer = answer, .ctx = ctx});
}

int ask_accounts(const struct settings *settings, const struct say_manage *manage,
                 int (*answer)(void *ctx, const struct say_answer *answer), void *ctx)
{
    return ask(settings, &(struct client_question){.manage = manage, .answer = answer, .ctx = ctx});
}

struct acting {
    const struct ask_act *act;
    int status;
};

static void say_refusal(const struct ask_act *act, struct slice answer)
{
    bool swedish = act->swedish && json_member(answer, "sv").len > 0;
    struct buf text;
    buf_init(&text, 2 * REFUSAL_MAX);
    desk_put_text(&text, answer, swedish ? "sv" : "message", REFUSAL_MAX);
    cli_say("%.*s", SLICE_FMT(buf_slice(&text)));
    buf_done(&text);
    if (act->refused) act->refused(act->ctx, answer);
}

static int take_act(void *ctx, const struct say_answer *answer)
{
    struct acting *a = ctx;
    if (answer->id == DESK_DONE) return a->act->done ? a->act->done(a->act->ctx, answer->text) : 0;
    say_refusal(a->act, answer->text);
    a->status = EXIT_UNREADABLE;
    return 0;
}

int ask_act(const struct settings *settings, const struct ask_act *act)
{
    struct acting acting = {.act = act};
    int status = ask_serve(settings,
                           (struct say_ask){.what = ASK_ACT,
                                            .who = slice_of(settings_who(NULL)),
                                            .kind = slice_of(act->kind),
                                            .body = act->body},
                           take_act, &acting);
    return status ? status : acting.status;
}
