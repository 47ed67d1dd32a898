/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/ask.h"

#include "base/json_read.h"

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

struct slice ask_member(struct slice object, const char *name)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value) ? value : SLICE_NONE;
}

struct slice ask_text(struct slice object, const char *name)
{
    struct slice inside;
    return json_string_inside(ask_member(object, name), &inside) ? inside : SLICE_NONE;
}

uint64_t ask_number(struct slice object, const char *name)
{
    uint64_t n;
    return slice_to_u64(ask_member(object, name), &n) ? n : 0;
}
