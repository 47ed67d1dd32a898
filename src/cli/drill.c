/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka drill run, stop, list, show */
#include <inttypes.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "base/when.h"
#include "canary/drill.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "desk/desk.h"

enum { OUT_MAX = 4 * 1024 * 1024, BODY_LEN_MAX = 4096, POLL_US = 500 * 1000 };

struct drill_context {
    struct settings settings;
    const char *at;
    uint64_t speed;
    bool json, wait;
    struct buf report; /* what the canary's process says of drills */
    struct buf out;
};

/* ---- asking ------------------------------------------------------------------------------ */

static int take_status(void *ctx, const struct say_answer *answer)
{
    struct drill_context *c = ctx;
    buf_clear(&c->report);
    buf_put(&c->report,
            json_member(json_member(json_member(answer->text, "processes"), "canary"), "drills"));
    return buf_error(&c->report);
}

static int ask_report(struct drill_context *c)
{
    int status = ask_serve(&c->settings, (struct say_ask){.what = ASK_STATUS}, take_status, c);
    if (status == 0 && c->report.len == 0) {
        cli_say("the process that has drills does not answer");
        status = EXIT_UNREADABLE;
    }
    return status;
}

static int act(struct drill_context *c, const char *kind, struct slice body)
{
    return ask_act(&c->settings, &(struct ask_act){.kind = kind, .body = body});
}

/* ---- what a drill came to ---------------------------------------------------------------- */

static void put_table(struct buf *out, const struct drill_report *p)
{
    struct slice name, incident, why = json_member_text(p->run, "why"),
                                 by = json_member_text(p->run, "by");
    struct json_parts it;
    buf_printf(out, "drill %" PRIu64 ": %.*s, %" PRIu64 " of %" PRIu64 " records sent%s%.*s%s\n",
               json_member_u64(p->run, "id"), SLICE_FMT(json_member_text(p->run, "scenario")),
               json_member_u64(p->run, "sent"), json_member_u64(p->run, "records"),
               why.len ? " (" : "", SLICE_FMT(why),
               why.len    ? ")"
               : p->ended ? ""
                          : ", it runs");
    if (by.len) buf_printf(out, "  begun by             %.*s\n", SLICE_FMT(by));
    buf_puts(out, "  the attack begins    ");
    if (p->attack != TIME_NONE) time_write_rfc3339(out, p->attack);
    buf_putc(out, '\n');
    for (unsigned i = 0; i < DRILL_STEP_COUNT; i++) {
        buf_puts(out, "  ");
        text_put_padded(out, slice_of(drill_step_name(i)), 21);
        if (p->steps[i].at == TIME_NONE) {
            buf_puts(out, "not\n");
            continue;
        }
        time_write_rfc3339(out, p->steps[i].recorded);
        buf_printf(out, "  after %.1f s\n", drill_report_after(p, i));
    }
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) desk_put_incident(out, incident, "sv");
}

static int print_report(struct drill_context *c, struct slice run)
{
    struct drill_report p;
    struct desk_files files;
    int status = desk_files_open(&files, &c->settings);
    if (status == 0) {
        if (drill_report_read(&p, &files.view, run) != 0) status = EXIT_UNREADABLE;
        else if (c->json) drill_report_write(&c->out, &p);
        else put_table(&c->out, &p);
        if (c->json) buf_putc(&c->out, '\n');
        drill_report_done(&p);
    }
    desk_files_close(&files);
    if (status == 0 && fwrite(c->out.ptr, 1, c->out.len, stdout) != c->out.len)
        status = EXIT_UNREADABLE;
    return status;
}

/* ---- the commands ------------------------------------------------------------------------ */

static void begin(struct drill_context *c)
{
    buf_init(&c->report, OUT_MAX);
    buf_init(&c->out, OUT_MAX);
}

static int end(struct drill_context *c, int status)
{
    buf_done(&c->report);
    buf_done(&c->out);
    return status;
}

static int put_at(struct drill_context *c, struct buf *body)
{
    const struct clock clock = clock_system();
    const struct when when = {.now = clock_realtime(&clock)};
    nsec at;
    if (!c->at) return 0;
    if (!when_parse(slice_of(c->at), &when, false, &at))
        return cli_usage("--at: '%s' is not a point in time (2026-12-23T22:47:00+01:00)", c->at);
    json_write_key(body, "at");
    buf_putc(body, '"');
    time_write_rfc3339(body, at);
    buf_putc(body, '"');
    return 0;
}

static int wait_for_end(struct drill_context *c)
{
    for (;;) {
        int status = ask_report(c);
        struct slice report = buf_slice(&c->report), run = drill_find_run(report, 0);
        if (status) return status;
        bool over = run.len && json_member_u64(run, "ended") && !json_member_u64(report, "planned");
        if (over) return print_report(c, run);
        (void)usleep(POLL_US);
    }
}

static int run_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    struct buf body;
    if (in->n_operands != 1) return cli_usage("drill run takes the name of one recording");
    buf_init(&body, BODY_LEN_MAX);
    begin(c);
    buf_putc(&body, '{');
    json_write_member_string(&body, "scenario", slice_of(in->operands[0]));
    if (c->speed) json_write_member_u64(&body, "speed", c->speed);
    int status = put_at(c, &body);
    buf_putc(&body, '}');
    if (status == 0) status = act(c, "drill_run", buf_slice(&body));
    buf_done(&body);
    if (status == 0 && c->wait) status = wait_for_end(c);
    return end(c, status);
}

static int stop_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    if (in->n_operands) return cli_usage("drill stop takes no operands");
    begin(c);
    return end(c, act(c, "drill_stop", SLICE("{}")));
}

static int list_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    struct slice name, run;
    struct json_parts it;
    if (in->n_operands) return cli_usage("drill list takes no operands");
    begin(c);
    int status = ask_report(c);
    if (status == 0 && c->json) {
        (void)printf("%.*s\n", SLICE_FMT(buf_slice(&c->report)));
        return end(c, status);
    }
    struct slice report = buf_slice(&c->report);
    if (status == 0) {
        (void)printf("recordings in %.*s: %.*s\n", SLICE_FMT(json_member_text(report, "folder")),
                     SLICE_FMT(json_member(report, "scenarios")));
        json_parts_init(&it, json_member(report, "runs"));
        while (json_parts_next(&it, &name, &run)) {
            buf_clear(&c->out);
            time_write_rfc3339(&c->out, (nsec)json_member_u64(run, "begun"));
            (void)printf("%" PRIu64 "  %.*s  %.*s  %.*s\n", json_member_u64(run, "id"),
                         SLICE_FMT(buf_slice(&c->out)),
                         SLICE_FMT(json_member_text(run, "scenario")),
                         SLICE_FMT(json_member_u64(run, "ended") ? json_member_text(run, "why")
                                                                 : SLICE("it runs")));
        }
    }
    return end(c, status);
}

static int show_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    uint64_t id = 0;
    if (in->n_operands > 1 || (in->n_operands && !slice_to_u64(slice_of(in->operands[0]), &id)))
        return cli_usage("drill show takes the number of one drill, or none for the last one");
    begin(c);
    int status = ask_report(c);
    struct slice run = status ? SLICE_NONE : drill_find_run(buf_slice(&c->report), id);
    if (status == 0 && run.len == 0) {
        cli_say("there is no such drill");
        return end(c, EXIT_UNREADABLE);
    }
    return end(c, status ? status : print_report(c, run));
}

static const struct cli_option run_options[] = {
    {0, "at", "TIME", "When it is to begin. Default: now.", OPTION_TEXT(struct drill_context, at)},
    {0, "speed", "N",
     "How many times faster than it was recorded. Default: drill.speed of the settings.",
     OPTION_NUMBER(struct drill_context, speed, 1, 100000)},
    {'w', "wait", NULL, "Until it is over, and print what it came to.",
     OPTION_FLAG(struct drill_context, wait)},
    {'f', "format", "table|json", "What is printed with --wait. Default: table.",
     OPTION_CHOICE(struct drill_context, json)},
    OPTION_SETTINGS(struct drill_context),
};
static const struct cli_option show_options[] = {
    {'f', "format", "table|json", "What is printed. Default: table.",
     OPTION_CHOICE(struct drill_context, json)},
    OPTION_SETTINGS(struct drill_context),
};
static const struct cli_option stop_options[] = {OPTION_SETTINGS(struct drill_context)};

#define STATUSES                                                                                   \
    "\n\nExit status: 0; 1 it was refused, or vaka serve does not run; 2 the command "             \
    "line could not be understood."

const struct command command_drill_run = {
    .name = "drill run",
    .operands = "SCENARIO",
    .summary = "send a recorded attack through the watch, as an exercise",
    .description =
        "Sends the records of a recording (drill.folder) the way of all records, at the pace of "
        "the recording or faster. All that they lead to is marked as an exercise: alerts, "
        "incidents and pages, which go out as others do and say so. Nothing of it is counted, or "
        "joined, with what happens." STATUSES,
    .options = run_options,
    .n_options = sizeof run_options / sizeof *run_options,
    .ctx_size = sizeof(struct drill_context),
    .run = run_main,
};
const struct command command_drill_stop = {
    .name = "drill stop",
    .operands = "",
    .summary = "end the drill that runs, or that is planned",
    .description = "No more of the recording is sent. What it led to stays." STATUSES,
    .options = stop_options,
    .n_options = sizeof stop_options / sizeof *stop_options,
    .ctx_size = sizeof(struct drill_context),
    .run = stop_main,
};
const struct command command_drill_list = {
    .name = "drill list",
    .operands = "",
    .summary = "which recordings there are, and the last drills",
    .description = "Prints the recordings of drill.folder, and the last 20 drills." STATUSES,
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct drill_context),
    .run = list_main,
};
const struct command command_drill_show = {
    .name = "drill show",
    .operands = "[ID]",
    .summary = "what a drill came to: time to detect, to page, to acknowledge, to contain",
    .description =
        "Prints of a drill, or of the last one, when its attack was detected, paged for, "
        "acknowledged and contained, on the clock of the recording: the time of the event that "
        "gave "
        "it away, and what it took since that came. A drill at a hundredfold pace shortens the "
        "pauses of the attacker, and nobody else's. And the incidents that it led to." STATUSES,
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct drill_context),
    .run = show_main,
};
