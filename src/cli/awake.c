/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka awake */
#include "canary/awake.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/proof.h"

struct awake_context {
    struct settings settings;
    bool json;
    bool awake;
};

static const struct cli_option awake_options[] = {
    {'f', "format", "line|json",
     "What is printed; json: one object with all the evidence (docs/awake.md). Default: line.",
     OPTION_CHOICE(struct awake_context, json)},
    OPTION_SETTINGS(struct awake_context),
};

static int print_awake(void *ctx, const struct say_answer *answer)
{
    struct awake_context *c = ctx;
    const struct clock clock = clock_system();
    struct awake a;
    struct buf out;
    buf_init(&out, 8 * answer->text.len + 64 * 1024);
    const struct slice processes = json_member(answer->text, "processes");
    const struct slice oncall = json_member(processes, "oncall");
    awake_read(json_member(processes, "canary"), oncall, clock_realtime(&clock), &a);
    c->awake = a.awake;
    if (c->json) awake_write(&out, &a);
    else text_put_lines(&out, slice_of(a.en));
    buf_putc(&out, '\n');
    if (!c->json) proof_put(&out, oncall, "  ", true);
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

static int awake_main(const struct invocation *in)
{
    struct awake_context *c = in->ctx;
    if (in->n_operands) return cli_usage("awake takes no operands");
    int status = ask_serve(&c->settings, (struct say_ask){.what = ASK_STATUS}, print_awake, c);
    return status == EXIT_RAN && !c->awake ? EXIT_UNREADABLE : status;
}

const struct command command_awake = {
    .name = "awake",
    .operands = "",
    .summary = "say whether the watch is awake",
    .description =
        "Says in a line whether the watch is awake, since when, and when it was proven last: the "
        "canary sends records of its own the way of all others, from collect to the providers of "
        "messages, and asks each stage what it saw. When it is not, the line names the first stage "
        "that is broken. Where the plan has a daily proof, who was really reached last follows, "
        "and a "
        "line for each way of telling people: when a real message went by it last.\n\n"
        "Exit status: 0 it is awake; 1 it is not, or that is not proven, or vaka serve does not "
        "run; 2 the command line could not be understood.",
    .options = awake_options,
    .n_options = sizeof awake_options / sizeof *awake_options,
    .ctx_size = sizeof(struct awake_context),
    .run = awake_main,
};
